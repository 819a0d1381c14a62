"""lead import with everything a spreadsheet can do to a list, and lead list and show."""

from __future__ import annotations

import csv
from contextlib import closing
from pathlib import Path

import pytest

from fs_dialer.db.reports import Reports
from tests.cli.runner import Done, a_csv, applied, called, run


@pytest.fixture
def spring(tmp_path: Path, pg_dsn: str) -> str:
    """A database with the campaign spring."""
    applied(tmp_path / "definitions", pg_dsn)
    return pg_dsn


def imported(path: Path, dsn: str, *words: str) -> Done:
    return called("lead", "import", path, "--campaign", "spring", *words, dsn=dsn)


def leads(dsn: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Number → name and attributes, as stored."""
    with closing(Reports(dsn)) as reports:
        return {lead.number: (lead.name, dict(lead.attributes)) for lead in reports.lead_list(limit=10_000)}


def refused(path: Path) -> list[list[str]]:
    with path.with_name(f"{path.stem}.refused.csv").open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


# --- a good file ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M2")
def test_good_rows_are_loaded_and_counted(tmp_path: Path, spring: str) -> None:
    path = a_csv(tmp_path, "phone,name,plan", "+442079460101,Ada,gold", "020 7946 0102,Ben,silver")
    done = imported(path, spring)
    counted, undo = done.out.splitlines()
    assert (done.code, counted, done.err) == (0, "2 rows = 2 new", "") and undo.startswith("Undo: fs-dialer lead import --undo i-")
    assert leads(spring) == {"+442079460101": ("Ada", {"plan": "gold"}), "+442079460102": ("Ben", {"plan": "silver"})}


def test_a_number_that_is_in_the_list_already_is_left_alone(tmp_path: Path, spring: str) -> None:
    imported(a_csv(tmp_path, "phone,name", "+442079460101,Ada"), spring)
    assert imported(a_csv(tmp_path, "phone", "+442079460101"), spring).out.startswith("1 row = 0 new + 1 already in list\n")


def test_numbers_on_a_do_not_call_list_join_blocked_and_are_counted_apart(tmp_path: Path, spring: str) -> None:
    from fs_dialer.db.backoffice import Backoffice

    with closing(Backoffice(spring)) as office:
        office.do_not_call_add(["+442079460101"], "test")
    done = imported(a_csv(tmp_path, "phone", "+442079460101", "+442079460102"), spring)
    assert done.out.startswith("2 rows = 1 new + 1 do-not-call\n")


@pytest.mark.spec("M2")
def test_columns_with_other_names_are_mapped(tmp_path: Path, spring: str) -> None:
    path = a_csv(tmp_path, "Kunde;Handy", "Ada;020 7946 0101")
    assert imported(path, spring, "--map", "phone=Handy", "--map", "name=Kunde").code == 0
    assert leads(spring) == {"+442079460101": ("Ada", {})}


def test_the_region_asked_for_goes_over_the_installations(tmp_path: Path, spring: str) -> None:
    assert imported(a_csv(tmp_path, "phone", "0912 345 678"), spring, "--region", "VN").code == 0
    assert list(leads(spring)) == ["+84912345678"]


# --- a hostile file -------------------------------------------------------------------------------------------------------------------

HOSTILE = (
    "phone,name,note",
    "+442079460201,Ada,fine",
    '+442079460202,"Quote ""Q"" Person",{}',
    "+442079460203,${system(touch pwned)},a|b",
    '+442079460204,"Comma, Name","line one\nline two"',
    "12,too short,",
    "+442079460201,twice,",
    "8.49124E+10,rounded,",
    "+442079460205,a\0b,",
    f"+442079460206,{'x' * 10_240},",
    "+44}2079460207,brace,",
    "+442079460208,two cells only",
    '+442079460209,"never closed,',
    "+442079460210,After,",
)


@pytest.mark.spec("D7")
def test_a_hostile_file_loads_its_good_rows_and_writes_the_others_beside_it(tmp_path: Path, spring: str) -> None:
    path = a_csv(tmp_path, *HOSTILE)
    done = imported(path, spring, "--json")
    assert done.code == 0
    counts = {name: done.json[name] for name in ("rows", "new", "already", "twice", "do_not_call", "refused")}
    assert counts == {"rows": 13, "new": 5, "already": 0, "twice": 1, "do_not_call": 0, "refused": 7}
    assert done.json["refused_file"] == str(tmp_path / "leads.refused.csv") and "7 rows were refused" in done.err
    assert leads(spring) == {
        "+442079460201": ("Ada", {"note": "fine"}),
        "+442079460202": ('Quote "Q" Person', {"note": "{}"}),
        "+442079460203": ("${system(touch pwned)}", {"note": "a|b"}),
        "+442079460204": ("Comma, Name", {"note": "line one\nline two"}),
        "+442079460210": ("After", {}),
    }
    assert not (Path.cwd() / "pwned").exists()


@pytest.mark.spec("S20")
def test_refused_rows_are_the_users_own_and_a_problem_column(tmp_path: Path, spring: str) -> None:
    path = a_csv(tmp_path, *HOSTILE)
    imported(path, spring)
    header, *rows = refused(path)
    assert header == ["phone", "name", "note", "problem"]
    assert [row[0] for row in rows[:4]] == ["12", "8.49124E+10", "+442079460205", "+442079460206"]
    assert rows[2][1] == "a\0b" and rows[3][1] == "x" * 10_240
    assert all(row[-1] for row in rows)
    assert "the spreadsheet rounded the number" in rows[1][-1] and "a NUL in the text" in rows[2][-1]


def test_the_repaired_file_of_refused_rows_can_be_imported_alone(tmp_path: Path, spring: str) -> None:
    path = a_csv(tmp_path, "phone,name", "+442079460101,Ada", "12,Ben")
    imported(path, spring)
    again = tmp_path / "leads.refused.csv"
    again.write_text(again.read_text().replace("\n12,", "\n+442079460102,"))
    assert imported(again, spring).code == 0
    assert sorted(leads(spring)) == ["+442079460101", "+442079460102"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("utf16", "phone\tname\n+442079460301\tÅda\n".encode("utf-16")),
        ("excel", "\ufeffphone;name\r\n+442079460301;Åda\r\n".encode()),
        ("mac", "phone,name\r+442079460301,Åda\r".encode()),
    ],
)
def test_files_as_excel_makes_them_are_read(name: str, data: bytes, tmp_path: Path, spring: str) -> None:
    path = tmp_path / f"{name}.csv"
    path.write_bytes(data)
    assert imported(path, spring).code == 0
    assert leads(spring) == {"+442079460301": ("Åda", {})}


# --- a file that is refused whole -----------------------------------------------------------------------------------------------------


@pytest.mark.spec("S20")
@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"name,plan\nAda,gold\n", "leads.csv:1:1  no column `phone`; the columns are: name, plan"),
        (b"+442079460101,Ada\n+442079460102,Ben\n", "is the first row a header?"),
        (b"", "leads.csv  the file is empty"),
        (b"phone,name\n", "has a header and no rows below it"),
        (b"PK\x03\x04rest of a zip", "this is an Excel workbook"),
        ("phone,name\n+442079460101,Zoë\n".encode("latin-1"), "leads.csv:2:17  byte 0xeb is not UTF-8"),
        (b"phone,name\nx,Ada\ny,Ben\n", "no row can be dialled"),
    ],
    ids=["no phone column", "no header", "empty", "header only", "xlsx", "latin-1", "all bad"],
)
def test_a_file_that_is_no_list_of_leads_is_exit_3_and_loads_nothing(data: bytes, told: str, tmp_path: Path, spring: str) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(data)
    done = imported(path, spring)
    assert done.code == 3 and told in done.err
    assert leads(spring) == {}


def test_rows_before_a_wrong_byte_are_not_loaded_either(tmp_path: Path, spring: str) -> None:
    path = tmp_path / "leads.csv"
    rows = b"".join(b"+44207%07d,Person\n" % (1_000_000 + n) for n in range(5_000))
    path.write_bytes(b"phone,name\n" + rows + b"x,refused\n" + b"+442079460101,Zo\xeb\n")
    done = imported(path, spring)
    assert done.code == 3 and "leads.csv:5003:17  byte 0xeb" in done.err
    assert leads(spring) == {}
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["leads.csv"], "no file of refused rows of an import that never was"


def test_a_file_of_bad_rows_only_leaves_them_with_their_problems(tmp_path: Path, spring: str) -> None:
    path = a_csv(tmp_path, "phone,name", "x,Ada")
    done = imported(path, spring, "--json")
    assert done.code == 3 and done.json["loaded"] is False and done.json["refused"] == 1
    assert refused(path)[1][:2] == ["x", "Ada"]
    with closing(Reports(spring)) as reports:
        assert [line.what for line in reports.audit_list() if line.what == "import_leads"] == []


def test_a_file_that_is_not_there_is_exit_3(tmp_path: Path, spring: str) -> None:
    assert "nosuch.csv  can not be read: No such file or directory" in imported(tmp_path / "nosuch.csv", spring).err


def test_a_campaign_that_is_not_there_is_told_before_the_file_is_read(tmp_path: Path, spring: str) -> None:
    done = called("lead", "import", tmp_path / "nosuch.csv", "--campaign", "sprin", dsn=spring)
    assert done.code == 1 and "there is no campaign sprin; nearest: spring" in done.err


def test_refused_rows_that_cannot_be_written_stop_the_import(tmp_path: Path, spring: str) -> None:
    """A folder stands where the file would be: whoever runs this, it can not be written."""
    path = a_csv(tmp_path, "phone", "+442079460101", "x")
    (tmp_path / "leads.refused.csv.new").mkdir()
    done = imported(path, spring)
    assert done.code == 1 and "leads.refused.csv" in done.err
    assert leads(spring) == {}


def test_a_mapping_that_is_no_mapping_is_misuse(tmp_path: Path, spring: str) -> None:
    assert imported(a_csv(tmp_path, "phone", "x"), spring, "--map", "phone").code == 2


# --- dry run, progress ----------------------------------------------------------------------------------------------------------------


def test_a_dry_run_counts_as_the_import_would_and_writes_nothing(tmp_path: Path, spring: str) -> None:
    imported(a_csv(tmp_path, "phone", "+442079460201", name="first.csv"), spring)
    path = a_csv(tmp_path, *HOSTILE)
    done = imported(path, spring, "--dry-run", "--json")
    assert done.code == 0 and (done.json["new"], done.json["already"], done.json["refused"]) == (4, 1, 7)
    assert done.json["dry_run"] and not done.json["loaded"] and done.json["refused_file"] is None
    assert list(leads(spring)) == ["+442079460201"] and not (tmp_path / "leads.refused.csv").exists()
    assert "Nothing was written." in imported(path, spring, "--dry-run").out
    assert imported(path, spring, "--json").json["new"] == 4


def test_progress_goes_to_stderr_and_json_stays_alone(tmp_path: Path, spring: str) -> None:
    path = a_csv(tmp_path, "phone", *(f"+44207{1_000_000 + n}" for n in range(12_000)))
    done = run("lead", "import", path, "--campaign", "spring", "--progress", "plain", "--json", dsn=spring)
    assert done.json["new"] == 12_000
    assert done.err.splitlines()[0].startswith("10,000 rows read, 0 refused (")
    assert run("lead", "import", path, "--campaign", "spring", dsn=spring).err == ""


# --- list and show --------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def three(tmp_path: Path, spring: str) -> str:
    imported(a_csv(tmp_path, "phone,name,plan", "+442079460101,Ada,gold", "+442079460102,Ben,", "+442079460103,\x7fCleo\u202e,"), spring)
    return spring


def test_lists_mask_numbers_and_full_shows_them(three: str) -> None:
    assert "+442***101" in called("lead", "list", dsn=three).out and "+442079460101" not in called("lead", "list", dsn=three).out
    assert "+442079460101" in called("lead", "list", "--full", dsn=three).out


def test_lists_come_in_pages(three: str) -> None:
    first = called("lead", "list", "--campaign", "spring", "--limit", "1", "--json", dsn=three).json
    assert [lead["name"] for lead in first["leads"]] == ["Ada"] and first["next_after"] == first["leads"][0]["id"]
    rest = called("lead", "list", "--after", str(first["next_after"]), "--json", dsn=three).json
    assert rest["leads"][0]["name"] == "Ben" and rest["next_after"] is None


def test_lists_are_filtered_by_status_and_number(three: str) -> None:
    assert called("lead", "list", "--status", "blocked", "--json", dsn=three).json["leads"] == []
    assert [lead["name"] for lead in called("lead", "list", "--number", "020 7946 0102", "--json", dsn=three).json["leads"]] == ["Ben"]


def test_a_lead_is_shown_in_full_by_id_and_by_number(three: str) -> None:
    (ada,) = called("lead", "show", "+442079460101", "--json", dsn=three).json["leads"]
    by_id = called("lead", "show", str(ada["lead"]["id"]), dsn=three).out
    assert f"lead {ada['lead']['id']} of spring: +442079460101  Ada" in by_id
    assert "plan" in by_id and "gold" in by_id and "Europe/London" in by_id


@pytest.mark.parametrize("who", ["4711", "+442079460199"])
def test_a_lead_that_is_not_there_is_exit_1(who: str, three: str) -> None:
    done = called("lead", "show", who, dsn=three)
    assert done.code == 1 and "fs-dialer lead list" in done.err


@pytest.mark.spec("D7")
def test_a_number_that_is_none_is_refused(three: str) -> None:
    done = called("lead", "show", "${system(x)}", dsn=three)
    assert done.code == 3 and "has no place in a telephone number" in done.err
