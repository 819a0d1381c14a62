"""export, diff, history: the database's definitions as files, against files, and as they were."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from fs_dialer.paths import conf_dir
from tests.cli.runner import CAMPAIGN, a_folder, applied, called

pytestmark = pytest.mark.spec("X5")


def sql(dsn: str, statement: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def spring(folder: Path, extra: str) -> Path:
    path = folder / "campaigns" / "spring.yml"
    path.write_text(CAMPAIGN + extra)
    return path


# --- export ---------------------------------------------------------------------------------------------------------------------------------


def test_a_plan_after_an_export_says_that_nothing_changes(tmp_path: Path, pg_dsn: str) -> None:
    """Of every kind of thing that the examples have."""
    assert called("apply", conf_dir(), dsn=pg_dsn).code == 0
    done = called("export", tmp_path / "out", "--json", dsn=pg_dsn)
    assert done.code == 0 and {"campaigns/predictive.yml", "agents.yml", "schedules.yml", "defaults.yml", "installation.yml"} <= set(done.json["files"])
    planned = called("plan", tmp_path / "out", "--json", dsn=pg_dsn).json
    assert planned["changes"] == [] and planned["counts"]["unchanged"] > 40
    again = called("export", tmp_path / "again", "--json", dsn=pg_dsn).json["files"]
    assert all((tmp_path / "out" / name).read_bytes() == (tmp_path / "again" / name).read_bytes() for name in again)


def test_an_export_into_an_empty_database_gives_the_same_definitions(tmp_path: Path, pg_dsn: str, pg_empty_dsn: str) -> None:
    called("apply", conf_dir(), dsn=pg_dsn)
    called("export", tmp_path / "out", dsn=pg_dsn)
    assert called("db", "migrate", dsn=pg_empty_dsn).code == 0
    assert called("apply", tmp_path / "out", dsn=pg_empty_dsn).code == 0
    everything = "SELECT json_agg(x ORDER BY x::text) FROM (SELECT kind, name, definition, source FROM definitions) AS x"
    campaigns = "SELECT json_agg(x ORDER BY x::text) FROM (SELECT campaign, definition, source FROM campaign_revisions) AS x"
    assert sql(pg_dsn, everything) == sql(pg_empty_dsn, everything)
    assert sql(pg_dsn, campaigns) == sql(pg_empty_dsn, campaigns)


def test_an_export_never_writes_over_other_words(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    before = (folder / "agents.yml").read_bytes()
    done = called("export", folder, dsn=pg_dsn)
    assert done.code == 1 and "there already" in done.err and "agents.yml" in done.err
    assert (folder / "agents.yml").read_bytes() == before
    assert called("export", folder, "--overwrite", dsn=pg_dsn).code == 0
    assert called("export", folder, dsn=pg_dsn).code == 0, "what says the same is no obstacle"


def test_single_things_are_exported_onto_the_terminal(tmp_path: Path, pg_dsn: str) -> None:
    folder = a_folder(tmp_path)
    (folder / "schedules.yml").write_text("schedules:\n  office: {hours: {mon: 8:00-9:00}}\n  late: {hours: {tue: 8:00-9:00}}\n")
    called("apply", folder, dsn=pg_dsn)
    files = called("export", "-", "spring", "schedules/office", "--json", dsn=pg_dsn).json["files"]
    assert list(files) == ["campaigns/spring.yml", "schedules.yml"]
    assert "office" in files["schedules.yml"] and "late" not in files["schedules.yml"]
    assert called("export", dsn=pg_dsn).out.startswith("# campaigns/spring.yml\n")


def test_what_is_not_there_is_told_with_the_nearest(tmp_path: Path, pg_dsn: str) -> None:
    applied(a_folder(tmp_path), pg_dsn)
    assert "there is no campaign sprong; nearest: spring" in called("export", "-", "sprong", dsn=pg_dsn).err
    done = called("export", "-", "scheduls/x", dsn=pg_dsn)
    assert done.code == 2 and "nearest: schedules" in done.err


def test_campaigns_that_have_ended_are_exported_only_by_name(tmp_path: Path, pg_dsn: str) -> None:
    applied(a_folder(tmp_path), pg_dsn)
    sql(pg_dsn, "UPDATE campaigns SET state = 'ended'")
    assert "campaigns/spring.yml" not in called("export", "--json", dsn=pg_dsn).json["files"]
    assert "campaigns/spring.yml" in called("export", "-", "spring", "--json", dsn=pg_dsn).json["files"]


# --- diff -----------------------------------------------------------------------------------------------------------------------------------


def test_a_diff_shows_which_lines_differ_from_the_database(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    path = spring(folder, "ring: 20s\n")
    lines = called("diff", path, dsn=pg_dsn).out.splitlines()
    assert lines[:2] == ["--- campaign spring (r1)", f"+++ campaign spring ({path})"]
    assert [line for line in lines[3:] if line[0] in "+-"] == ["+ring: 20s"]
    assert called("diff", folder / "agents.yml", dsn=pg_dsn).out == "No differences.\n"


def test_a_diff_of_two_revisions(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    called("apply", spring(folder, "ring: 20s\n"), dsn=pg_dsn)
    found = called("diff", "spring@r1", "spring@2", "--json", dsn=pg_dsn).json["differences"]
    assert [(each["old"], each["new"], each["lines"][-1]) for each in found] == [("campaign spring r1", "campaign spring r2", "+ring: 20s")]
    done = called("diff", "spring@r1", "spring@r9", dsn=pg_dsn)
    assert done.code == 3 and "there is no revision 9 of campaign spring" in done.err
    assert called("diff", "spring@r1", dsn=pg_dsn).code == 2
    assert called("diff", "installation/@r1", "installation/@r1", dsn=pg_dsn).out == "No differences.\n"


def test_a_new_thing_and_an_end_are_whole_differences(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    (folder / "campaigns" / "summer.yml").write_text(CAMPAIGN)
    spring(folder, "state: ended\n")
    heads = [line for line in called("diff", folder / "campaigns", dsn=pg_dsn).out.splitlines() if line.startswith(("--- ", "+++ "))]
    assert heads[0] == "--- campaign summer (not stored)"
    assert heads[2:] == ["--- campaign spring (r1)", "+++ campaign spring (state: ended)"]


# --- history --------------------------------------------------------------------------------------------------------------------------------


def test_history_says_when_by_whom_with_which_plan_and_why(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    sql(pg_dsn, "UPDATE campaigns SET state = 'running', approved_revision = 1")
    plan = called("apply", spring(folder, "ring: 20s\n"), "--why", "shorter", "--json", dsn=pg_dsn, SUDO_USER="an.le").json["plan"]
    done = called("history", "spring", "--json", dsn=pg_dsn).json
    assert next((each["revision"], each["who"], each["plan"], each["why"], each["approved"]) for each in done["revisions"]) == (
        2,
        "an.le",
        plan,
        "shorter",
        False,
    )
    assert [each["approved"] for each in done["revisions"]] == [False, True]
    lines = called("history", "spring", dsn=pg_dsn).out.splitlines()
    assert lines[0].split() == ["REVISION", "UTC", "WHO", "PLAN", "STATE", "WHY"] and " dials " in lines[2]


def test_history_of_other_things_shows_what_was_taken_away(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    path = folder / "schedules.yml"
    path.write_text("schedules:\n  office: {hours: {mon: 8:00-9:00}}\n  late: {hours: {tue: 8:00-9:00}}\n")
    called("apply", path, dsn=pg_dsn)
    path.write_text("schedules:\n  office: {hours: {mon: 8:00-9:00}}\n")
    called("apply", path, "--prune", "--confirm", "late", dsn=pg_dsn)
    assert [line.split()[0] for line in called("history", "schedule", "late", dsn=pg_dsn).out.splitlines()[1:3]] == ["r2", "r1"]
    assert " removed " in called("history", "schedules", "late", dsn=pg_dsn).out
    assert called("history", "installation", dsn=pg_dsn).code == 0
    assert called("history", "nobody", dsn=pg_dsn).code == 1
    assert called("history", "a", "b", "c", dsn=pg_dsn).code == 2


def test_history_says_what_everybody_did_and_why(tmp_path: Path, pg_dsn: str) -> None:
    """A command and the change of state that it made are one act; one that changed nothing is told as asked for; marks on leads are there too."""
    applied(a_folder(tmp_path), pg_dsn)
    noted(pg_dsn, "an", "approve", "checked", revision="1")
    noted(pg_dsn, "an", "campaign_state", "", **{"from": "new", "to": "approved"}, revision=1)
    noted(pg_dsn, "an", "approve", "", revision="9")
    noted(pg_dsn, "root", "start", "now")
    noted(pg_dsn, "root", "campaign_state", "", **{"from": "approved", "to": "running"}, revision=1)
    noted(pg_dsn, "root", "pause", "the price list is wrong")
    noted(pg_dsn, "root", "campaign_state", "paused by hand: the price list is wrong", **{"from": "running", "to": "paused"}, revision=1)
    noted(pg_dsn, "root", "import_leads", "", file="w.csv", rows=3, new=2, **{"import": "i-1"})
    noted(pg_dsn, "hoa", "lead_mark", "asked in writing", target="+442079460001", campaign="spring", lead=7, mark="stop")
    noted(pg_dsn, "daemon", "campaign_state", "the end time has come", **{"from": "paused", "to": "ended"}, revision=1)
    noted(pg_dsn, "lan", "agent_status", "lunch", to="not_available")
    acts = called("history", "spring", "--json", dsn=pg_dsn).json["acts"]
    assert [(act["who"], act["did"], act["why"]) for act in reversed(acts)][1:] == [
        ("an", "approved r1", "checked"),
        ("an", "asked to approve r9, nothing changed", ""),
        ("root", "started", "now"),
        ("root", "paused", "the price list is wrong"),
        ("root", "imported w.csv: 2 new leads of 3 rows (i-1)", ""),
        ("hoa", "marked lead 7: stop", "asked in writing"),
        ("daemon", "ended", "the end time has come"),
    ]
    assert " root    paused " in called("history", "spring", dsn=pg_dsn).out


def noted(dsn: str, who: str, what: str, why: str, target: str = "spring", **details: Any) -> None:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        words = (who, what, target, why, json.dumps(details))
        cursor.execute("INSERT INTO audit (who, what, target, why, details) VALUES (%s, %s, %s, %s, %s)", words)


def test_the_revision_of_an_ended_campaign_dials_no_more(tmp_path: Path, pg_dsn: str) -> None:
    applied(a_folder(tmp_path), pg_dsn)
    sql(pg_dsn, "UPDATE campaigns SET state = 'ended', approved_revision = 1")
    assert " dialled last " in called("history", "spring", dsn=pg_dsn).out


def test_every_answer_is_one_json_object(tmp_path: Path, pg_dsn: str) -> None:
    applied(a_folder(tmp_path), pg_dsn)
    for words in (("export",), ("diff", tmp_path), ("history", "spring")):
        assert json.loads(called(*words, "--json", dsn=pg_dsn).out)
