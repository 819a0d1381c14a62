"""campaign clone: a new campaign from an old one, with its leads (M20)."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests.cli.runner import a_folder, called

pytestmark = pytest.mark.spec("M20", "D11")


def sql(dsn: str, statement: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def folder(tmp_path: Path, pg_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A campaign that has ended, with three leads called, two of them unfinished; we stand in its folder."""
    a_folder(tmp_path, extra="title: Spring\nattempts: {max: 5}\nleads: {group: gold}\n")
    (tmp_path / "groups.yml").write_text("groups:\n  gold: {}\n")
    sql(pg_dsn, "INSERT INTO contacts (number) SELECT '+4420794601' || n FROM generate_series(10, 12) AS n")
    sql(pg_dsn, "INSERT INTO group_members (contact_group, contact) SELECT 'gold', id FROM contacts")
    assert called("apply", tmp_path, dsn=pg_dsn).code == 0
    sql(pg_dsn, "UPDATE leads SET attempts = 2, status = CASE number WHEN '+442079460110' THEN 'succeeded' ELSE 'retry' END")
    sql(pg_dsn, "UPDATE campaigns SET state = 'ended', approved_revision = 1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def leads(dsn: str, campaign: str) -> list[tuple[Any, ...]]:
    return sql(dsn, f"SELECT number, status, attempts FROM leads WHERE campaign = '{campaign}' ORDER BY position")


def test_a_clone_has_the_same_definition_and_the_leads_that_were_not_finished(folder: Path, pg_dsn: str) -> None:
    done = called("campaign", "clone", "spring", "summer", dsn=pg_dsn)
    assert done.code == 0, done.err
    assert "summer  progressive, new: 7 settings, 2 leads, any of 60 free lines" in done.out
    assert "ok summer  r1 stored, unapproved, 2 leads joined: fs-dialer approve summer" in done.out
    assert leads(pg_dsn, "summer") == [("+442079460111", "new", 0), ("+442079460112", "new", 0)]
    definitions = sql(pg_dsn, "SELECT definition - 'id' FROM campaign_revisions")
    assert definitions[0] == definitions[1]
    assert sql(pg_dsn, "SELECT name, state FROM campaigns ORDER BY name") == [("spring", "ended"), ("summer", "new")]


def test_the_file_of_a_clone_can_be_changed_and_applied_again(folder: Path, pg_dsn: str) -> None:
    done = called("campaign", "clone", "spring", "summer", dsn=pg_dsn)
    file = folder / "campaigns" / "summer.yml"
    assert "campaigns/summer.yml" in done.err and "title: Spring" in file.read_text()
    file.write_text(file.read_text().replace("title: Spring", "title: Summer"))
    again = called("apply", file, dsn=pg_dsn)
    assert "  ~ title  Spring -> Summer" in again.out
    assert len(leads(pg_dsn, "summer")) == 2, "the group that it names brings nobody a second time"


@pytest.mark.parametrize(("which", "count"), [("all", 3), ("none", 0)])
def test_all_leads_or_none_come_along_on_request(folder: Path, pg_dsn: str, which: str, count: int) -> None:
    called("campaign", "clone", "spring", "summer", "--leads", which, dsn=pg_dsn)
    assert len(leads(pg_dsn, "summer")) == count


def test_a_window_that_is_over_is_left_out_and_told(folder: Path, pg_dsn: str) -> None:
    file = folder / "campaigns" / "once.yml"
    file.write_text(
        (folder / "campaigns" / "spring.yml")
        .read_text()
        .replace("{zone: Europe/London}", "{zone: Europe/London, from: 2020-03-01 8:00, until: 2020-03-02 8:00}")
    )
    assert called("apply", file, dsn=pg_dsn).code == 0
    done = called("campaign", "clone", "once", "twice", dsn=pg_dsn)
    assert "the window of once is over: twice has none" in done.err
    assert "until" not in (folder / "campaigns" / "twice.yml").read_text() and "Europe/London" in (folder / "campaigns" / "twice.yml").read_text()


def test_the_list_that_a_campaign_was_filled_from_is_not_named_again(folder: Path, pg_dsn: str) -> None:
    """Its rows would all join, those that are finished too."""
    file = folder / "campaigns" / "listed.yml"
    file.write_text((folder / "campaigns" / "spring.yml").read_text().replace("{group: gold}", "{csv: list.csv}"))
    (folder / "campaigns" / "list.csv").write_text("phone\n")
    assert called("apply", file, dsn=pg_dsn).code == 0
    done = called("campaign", "clone", "listed", "again", "--file", folder / "again.yml", dsn=pg_dsn)
    assert done.code == 0 and "is not named again" in done.err
    assert "csv" not in (folder / "again.yml").read_text()


def test_who_is_finished_does_not_come_back_through_the_group(folder: Path, pg_dsn: str) -> None:
    file = folder / "campaigns" / "open.yml"
    file.write_text((folder / "campaigns" / "spring.yml").read_text().replace("{group: gold}", "{group: gold, new_rows: join}"))
    assert called("apply", file, dsn=pg_dsn).code == 0
    assert "nobody joins part later by itself" in called("campaign", "clone", "open", "part", dsn=pg_dsn).err
    assert "new_rows" not in (folder / "campaigns" / "part.yml").read_text()
    called("campaign", "clone", "open", "whole", "--leads", "all", dsn=pg_dsn)
    assert "new_rows: join" in (folder / "campaigns" / "whole.yml").read_text()


def test_a_clone_can_be_undone(folder: Path, pg_dsn: str) -> None:
    plan = called("campaign", "clone", "spring", "summer", "--json", dsn=pg_dsn).json["plan"]
    assert called("apply", "--revert", plan, "--confirm", "summer", dsn=pg_dsn).code == 0
    assert leads(pg_dsn, "summer") == [] and sql(pg_dsn, "SELECT name FROM campaigns") == [("spring",)]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("sprong", "summer"), 1, "there is no campaign sprong; nearest: spring"),
        (("spring", "spring"), 1, "there is a campaign spring already"),
        (("spring", "Summer Sale"), 3, "the file's name is the campaign's name"),
        (("spring", "summer", "--file", "other.yml"), 2, "write --file summer.yml"),
    ],
)
def test_what_can_not_be_cloned_writes_nothing(folder: Path, pg_dsn: str, words: tuple[str, ...], code: int, said: str) -> None:
    done = called("campaign", "clone", *words, dsn=pg_dsn)
    assert (done.code, said in done.err) == (code, True), done.err
    assert [path.name for path in (folder / "campaigns").iterdir()] == ["spring.yml"]
    assert sql(pg_dsn, "SELECT name FROM campaigns") == [("spring",)]


def test_a_file_that_is_there_is_never_written_over(folder: Path, pg_dsn: str) -> None:
    (folder / "campaigns" / "summer.yml").write_text("mine")
    done = called("campaign", "clone", "spring", "summer", dsn=pg_dsn)
    assert done.code == 1 and (folder / "campaigns" / "summer.yml").read_text() == "mine"


def test_a_clone_whose_agents_are_gone_says_so_and_leaves_no_file(folder: Path, pg_dsn: str) -> None:
    sql(pg_dsn, "DELETE FROM agents WHERE id = 'hoa'")
    sql(pg_dsn, "DELETE FROM definitions WHERE kind = 'agents' AND name = 'hoa'")
    done = called("campaign", "clone", "spring", "summer", dsn=pg_dsn)
    assert done.code == 3 and "`hoa` is no agent we know" in done.err
    assert not (folder / "campaigns" / "summer.yml").exists()
