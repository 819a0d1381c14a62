"""Whole files through the command: every kind of file, undo, once only, two at a time, killed in the middle, and whatever a file may hold."""

from __future__ import annotations

import csv
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fs_dialer.config.lead_template import write_template
from fs_dialer.config.leads_xlsx import Workbook, write_sheet
from tests.cli.runner import ROOT, Done, a_csv, a_folder, applied, called
from tests.db.rows import Database

pytestmark = pytest.mark.spec("S19", "S20", "M2")

LOCK = "SELECT pg_advisory_xact_lock(7382354617959212404)"
GROUPS = "groups:\n  customers: {title: Customers}\n"


@pytest.fixture
def spring(tmp_path: Path, pg_dsn: str) -> Database:
    """A database with the campaign spring, two agents and a group."""
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / "contacts.yml").write_text(GROUPS)
    applied(tmp_path / "definitions", pg_dsn)
    return Database(pg_dsn)


def imported(path: Path, database: Database, *words: str, into: Sequence[str] = ("--campaign", "spring")) -> Done:
    return called("lead", "import", path, *into, *words, dsn=database.dsn)


def loaded(database: Database) -> list[tuple[Any, ...]]:
    """Everything that an import writes, but for ids and times."""
    return database.rows(
        """
        SELECT contacts.number, name, contacts.zone_set, owner, attributes::text, leads.campaign, leads.number, leads.status, leads.copy,
               ARRAY (SELECT contact_numbers.number FROM contact_numbers WHERE contact = contacts.id ORDER BY place)
        FROM contacts LEFT JOIN leads ON leads.contact = contacts.id ORDER BY contacts.number, leads.copy"""
    )


def number(place: int) -> str:
    return f"+44207{1_000_000 + place}"


# --- every kind of file ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S34")
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".xlsx"])
def test_the_template_is_loaded_as_it_is(suffix: str, tmp_path: Path, spring: Database) -> None:
    path = tmp_path / f"leads{suffix}"
    assert "phone, phone2, name, zone, owner" in called("lead", "template", path, "--region", "GB").out
    assert imported(path, spring).out.startswith("2 rows = 2 new\n")
    assert [line[1] for line in loaded(spring)] == ["Example One", "Example Two"]
    again = called("lead", "template", path)
    assert again.code == 1 and "is there already" in again.err
    assert called("lead", "template", path, "--force", "--json").json["columns"][0] == "phone"
    assert called("lead", "template", tmp_path / "leads.pdf").code == 3


def test_refused_rows_of_a_workbook_come_back_as_a_workbook_that_can_be_mended(tmp_path: Path, spring: Database) -> None:
    path = tmp_path / "leads.xlsx"
    write_sheet(path, ["phone", "name"], [[number(1), "Ada"], ["12", "Ben"], ["", "Eve"]], Workbook())
    done = imported(path, spring, "--json")
    assert (done.code, done.json["new"], done.json["refused"]) == (0, 1, 2)
    assert done.json["refused_file"] == str(tmp_path / "leads.refused.xlsx")
    assert imported(tmp_path / "leads.refused.xlsx", spring).code == 3


def test_another_sheet_is_read_when_it_is_named(tmp_path: Path, spring: Database) -> None:
    path = tmp_path / "leads.xlsx"
    write_sheet(path, ["phone"], [[number(1)]], Workbook())
    done = imported(path, spring, "--sheet", "Nosuch")
    assert done.code == 3 and "Nosuch" in done.err
    assert "this is no workbook" in imported(a_csv(tmp_path, "phone", number(1)), spring, "--sheet", "x").err


@pytest.mark.parametrize("mapping", [("--map", "phone=Handy,Büro", "--map", "name=Kunde"), ("--map", "phone=Handy,Büro,name=Kunde")])
def test_several_columns_may_hold_numbers(mapping: Sequence[str], tmp_path: Path, spring: Database) -> None:
    path = a_csv(tmp_path, "Kunde;Handy;Büro", f"Ada;{number(1)};{number(2)}", f"Ben;;{number(3)}")
    assert imported(path, spring, *mapping).code == 0
    assert [(line[0], line[1], line[9]) for line in loaded(spring)] == [(number(1), "Ada", [number(2)]), (number(3), "Ben", [])]


@pytest.mark.spec("S34")
def test_owners_are_agents_by_id_or_name_and_others_are_refused(tmp_path: Path, spring: Database) -> None:
    path = a_csv(tmp_path, "phone,owner", f"{number(1)},lan", f"{number(2)},HOA", f"{number(3)},", f"{number(4)},lann")
    done = imported(path, spring)
    assert "4 rows = 3 new + 1 refused" in done.out and "no agent has this id or name" in done.out and "lan?" in done.out
    assert [line[3] for line in loaded(spring)] == ["lan", "hoa", ""]


def test_a_million_row_file_in_small_loads_all_but_its_bad_rows(tmp_path: Path, spring: Database) -> None:
    bad = ["12", "8.49124E+10", "", "+4420"]
    rows = [f"{number(n) if n % 100 > 2 else bad[n % 4]},Person {n},{number(n + 500_000) if n % 100 == 50 else ''}" for n in range(20_000)]
    done = imported(a_csv(tmp_path, "phone,name,phone2", *rows), spring, "--json")
    assert {name: done.json[name] for name in ("rows", "new", "refused", "loaded")} == {"rows": 20_000, "new": 19_400, "refused": 600, "loaded": True}
    assert spring.rows("SELECT count(*), count(DISTINCT number) FROM leads") == [(19_400, 19_400)]
    with (tmp_path / "leads.refused.csv").open(newline="") as stream:
        assert sum(1 for _ in csv.reader(stream)) == 601


# --- where they go --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S21", "M10")
def test_a_group_is_filled_and_campaigns_that_draw_from_it_follow(tmp_path: Path, spring: Database) -> None:
    a_folder(tmp_path / "definitions", campaign="endless", extra="leads: {group: customers, new_rows: join}\n")
    assert called("apply", tmp_path / "definitions", dsn=spring.dsn).code == 0
    path = a_csv(tmp_path, "phone", number(1), number(2), "12")
    done = imported(path, spring, into=("--group", "customers"))
    assert done.out.splitlines()[0] == "3 rows = 2 new + 1 refused"
    assert "2 contacts came into the group customers" in done.out and "2 leads joined endless by it" in done.out
    assert spring.rows("SELECT campaign, count(*) FROM leads GROUP BY 1") == [("endless", 2)]
    done = imported(a_csv(tmp_path, "phone", number(2), number(3), name="more.csv"), spring, "--json", into=("--group", "customers", "--campaign", "spring"))
    assert {name: done.json[name] for name in ("new", "contacts", "members", "later")} == {
        "new": 2,
        "contacts": 1,
        "members": 1,
        "later": [{"campaign": "endless", "leads": 1}],
    }


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), 2, "say where they are to go"),
        (("--group", "custmers"), 1, "nearest: customers"),
        (("--group", "customers", "--twice", "keep-all"), 2, "it needs --campaign"),
        (("--campaign", "sprin"), 1, "nearest: spring"),
        (("--campaign", "spring", "--undo", "i-0000"), 2, "--undo NAME goes with"),
        (("--campaign", "spring", "--region", "XX"), 3, "is no country"),
    ],
)
def test_an_order_that_makes_no_sense_is_told_before_anything_is_read(words: Sequence[str], code: int, told: str, tmp_path: Path, spring: Database) -> None:
    done = imported(a_csv(tmp_path, "phone", number(1)), spring, into=words)
    assert done.code == code and told in done.err
    assert loaded(spring) == []


def test_a_campaign_that_has_ended_takes_no_leads(tmp_path: Path, spring: Database) -> None:
    spring.rows("UPDATE campaigns SET state = 'ended'")
    done = imported(a_csv(tmp_path, "phone", number(1)), spring)
    assert done.code == 1 and "spring has ended" in done.err and "campaign clone" in done.err


def test_what_the_campaign_says_of_doubles_holds_where_nobody_says_otherwise(tmp_path: Path, spring: Database) -> None:
    a_folder(tmp_path / "definitions", extra="leads: {twice: keep-all}\n")
    assert called("apply", tmp_path / "definitions", dsn=spring.dsn).code == 0
    path = a_csv(tmp_path, "phone,bill", f"{number(1)},1", f"{number(1)},2")
    assert imported(path, spring, "--twice", "keep-first", "--dry-run").out.startswith("2 rows = 1 new + 1 twice in file\n")
    assert imported(path, spring).out.startswith("2 rows = 2 new\n")
    assert spring.rows("SELECT copy, parameters FROM leads ORDER BY copy") == [(0, {}), (1, {"bill": "2"})]


# --- once, and back -------------------------------------------------------------------------------------------------------------------------


def test_the_same_file_again_is_nothing_to_do(tmp_path: Path, spring: Database) -> None:
    path = a_csv(tmp_path, "phone,name", f"{number(1)},Ada", "12,Ben")
    first = imported(path, spring, "--json").json
    again = imported(path, spring)
    assert again.code == 0 and f"This file was imported as {first['import']}" in again.out and "--again" in again.out
    told = imported(path, spring, "--json").json
    assert told["loaded"] is False and told["import"] == first["import"] and told["imported_before"]["who"]
    assert {name: told[name] for name in ("rows", "new", "refused")} == {name: first[name] for name in ("rows", "new", "refused")}
    assert "1 already in list" in imported(path, spring, "--again").out
    assert "1 already in list" in imported(path, spring, "--known", "keep").out, "another policy is another import"
    path.write_text(f"phone,name\n{number(2)},Eve\n")
    assert imported(path, spring).out.startswith("1 row = 1 new\n"), "and so is another content"


def test_an_import_is_listed_and_undone(tmp_path: Path, spring: Database) -> None:
    first = imported(a_csv(tmp_path, "phone,name", f"{number(1)},Ada"), spring, "--json").json["import"]
    before = loaded(spring)
    name = imported(a_csv(tmp_path, "phone,name", f"{number(1)},Adam", f"{number(2)},Ben", name="b.csv"), spring, "--json").json["import"]
    listed = called("lead", "imports", dsn=spring.dsn).out.splitlines()
    assert [line.split()[0] for line in listed] == ["IMPORT", name, first] and "b.csv" in listed[1]
    undo = ("lead", "import", "--undo", name)
    assert called(*undo, dsn=spring.dsn).code == 2, "nobody is there to confirm it"
    rehearsed = called(*undo, "--dry-run", dsn=spring.dsn)
    assert "1 lead taken out, never called" in rehearsed.out and "1 contact as before the import" in rehearsed.out and "Nothing was written." in rehearsed.out
    done = called(*undo, "--yes", "--json", dsn=spring.dsn).json
    assert {key: done["undone"][key] for key in ("leads", "contacts", "restored")} == {"leads": 1, "contacts": 1, "restored": 1}
    assert loaded(spring) == before
    assert "nothing to do" in called(*undo, "--yes", dsn=spring.dsn).out
    assert "undone by" in called("lead", "imports", dsn=spring.dsn).out
    missing = called("lead", "import", "--undo", "i-zzzz", "--yes", dsn=spring.dsn)
    assert missing.code == 1 and "lead imports" in missing.err


# --- beside others, and killed --------------------------------------------------------------------------------------------------------------


def a_long_list(folder: Path, rows: int = 30_000) -> Path:
    return a_csv(folder, "phone,name", *(f"{number(n)},Person {n}" for n in range(rows)), name="long.csv")


def started(path: Path, database: Database, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "fs_dialer", "lead", "import", str(path), "--campaign", "spring", "--progress", "plain", *words]
    env = {**os.environ, "FS_DIALER_DSN": database.dsn, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def lines_until(process: subprocess.Popen[str], words: str) -> Iterator[str]:
    assert process.stderr is not None
    for line in process.stderr:
        yield line
        if words in line:
            return
    raise AssertionError(f"it ended without saying {words!r}")


@pytest.mark.parametrize("moment", ["10,000 rows read", "finishing"])
def test_an_import_that_is_killed_leaves_nothing_and_the_next_gives_the_same(moment: str, tmp_path: Path, spring: Database) -> None:
    """While rows are copied, and when all are written."""
    path = a_long_list(tmp_path)
    process = started(path, spring)
    list(lines_until(process, moment))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    spring.rows(LOCK)  # the server has noticed, and rolled back
    assert [spring.one(f"SELECT count(*) FROM {table}") for table in ("contacts", "leads", "imports", "campaign_zone_sets")] == [0, 0, 0, 0]
    assert imported(path, spring).code == 0
    assert [(line[0], line[1], line[7]) for line in loaded(spring)] == [(number(n), f"Person {n}", "new") for n in range(30_000)]


def test_two_imports_at_once_wait_for_each_other_and_both_are_right(tmp_path: Path, spring: Database) -> None:
    path = a_csv(tmp_path, "phone", *map(number, range(2_000)))
    other = a_csv(tmp_path, "phone", *map(number, range(1_000, 3_000)), name="other.csv")
    with closing(psycopg2.connect(spring.dsn)) as holder, holder.cursor() as cursor:
        cursor.execute(LOCK)
        processes = [started(each, spring) for each in (path, other)]
        for process in processes:
            list(lines_until(process, "waiting for another import"))
        holder.rollback()
        outs = [process.communicate(timeout=120)[0] for process in processes]
    assert sorted(out.splitlines()[0] for out in outs) == ["2,000 rows = 1,000 new + 1,000 already in list", "2,000 rows = 2,000 new"]
    assert spring.rows("SELECT count(*), count(DISTINCT number) FROM leads") == [(3_000, 3_000)]


# --- whatever a file may hold ---------------------------------------------------------------------------------------------------------------

phones = st.sampled_from([*map(number, range(6)), "020 7946 0101", "12", "", "8.49E+10", "+44207\x00", "=cmd|' /c calc'!A1"])
cells = st.one_of(
    phones,
    st.sampled_from(["lan", "nobody", "Asia/Tokyo", "GMT+7", "2030-01-01 8:00", '"', "a;b", "\t", "${x}", "\\N", "\\.", "%s", "'; DROP TABLE leads; --"]),
    st.text(max_size=6),
)
headers = st.permutations(["phone", "phone2", "name", "zone", "owner", "not_before", "note"]).map(lambda each: each[:5])


@given(
    header=headers,
    table=st.lists(st.tuples(phones, st.lists(cells, min_size=4, max_size=5)), max_size=8),
    quoted=st.booleans(),
    tail=st.sampled_from([b"", b"", b"\xff\xfe", b'"', b"\0"]),
    policy=st.tuples(st.sampled_from(["keep-first", "keep-all", "update"]), st.sampled_from(["keep", "update", "again"])),
)
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_file_is_loaded_wholly_or_refused_wholly_and_its_counts_add_up(
    header: list[str], table: list[Any], quoted: bool, tail: bytes, policy: tuple[str, str], tmp_path: Path, spring: Database
) -> None:
    where = header.index("phone") if "phone" in header else 0
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, escapechar="\\")
    writer.writerow(header)
    for phone, others in table:
        writer.writerow([*others[:where], phone, *others[where:]])
    path = tmp_path / "fuzz.csv"
    path.write_bytes(text.getvalue().encode("utf-8", "replace") + tail)
    words = ("--twice", policy[0], "--known", policy[1], "--again", "--json")
    before = loaded(spring), spring.one("SELECT count(*) FROM imports")
    rehearsed = imported(path, spring, *words, "--dry-run")
    assert (loaded(spring), spring.one("SELECT count(*) FROM imports")) == before
    done = imported(path, spring, *words)
    assert done.code == rehearsed.code and done.code in (0, 3)
    if done.code:
        assert (loaded(spring), spring.one("SELECT count(*) FROM imports")) == before
        return
    told = done.json
    assert told["rows"] == sum(told[name] for name in ("new", "already", "twice", "do_not_call", "no_callback", "refused"))
    same = ("rows", "new", "already", "twice", "refused", "contacts", "changed", "members")
    assert {name: rehearsed.json[name] for name in same} == {name: told[name] for name in same}
    brought = spring.one("SELECT count(*) FROM leads JOIN imports ON imports.id = leads.import WHERE imports.name = %s", told["import"])
    assert brought == told["new"]


def test_a_template_is_written_without_a_database(tmp_path: Path) -> None:
    write_template(tmp_path / "one.csv", "VN")
    assert called("lead", "template", tmp_path / "two.csv", "--region", "vn").code == 0
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
