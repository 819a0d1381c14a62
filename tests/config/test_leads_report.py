"""The counts an admin reads, and the file of refused rows he repairs."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from fs_dialer.config.csv_text import Dialect
from fs_dialer.config.leads_csv import BadRow, GoodRow, LeadFile
from fs_dialer.config.leads_report import LeadReport, write_refused

LEADS = """\
phone,name,note
0912345678,Minh,
0912 345 67,Hoa,"first; ""second""
third"
8.49124E+10,Lan,
0912345678,Minh again,
0912345670,Huy,a,b
0912345671
0912345672,"Tam,
"""


def read(data: bytes) -> tuple[LeadFile, LeadReport]:
    file, report = LeadFile(io.BytesIO(data), "leads.csv", region="VN"), LeadReport()
    for row in file.rows():
        report.count(row)
    return file, report


def refused_file(tmp_path: Path, data: bytes) -> bytes:
    file, report = read(data)
    write_refused(tmp_path / "leads.refused.csv", file.header, report.refused, file.dialect)
    return (tmp_path / "leads.refused.csv").read_bytes()


def test_the_summary_adds_up() -> None:
    report = LeadReport(rows=10_000, good=9_877, twice=97, already=214, do_not_call=51)
    report.refused = [BadRow(7, ("x",), ())] * 26
    assert report.summary() == "10,000 rows = 9,612 new + 214 already in list + 97 twice in file + 51 do-not-call + 26 refused"
    assert report.to_json() == {"rows": 10_000, "new": 9_612, "already": 214, "twice": 97, "do_not_call": 51, "refused": 26}


def test_what_did_not_happen_is_not_told() -> None:
    report = LeadReport()
    report.count(GoodRow(2, "+84912345678", (), "", {}))
    assert report.summary() == "1 row = 1 new"


def test_the_first_refused_rows_are_a_table_and_the_others_a_file() -> None:
    _, report = read(LEADS.encode())
    lines = report.lines("leads.refused.csv")
    assert lines[0] == "7 rows = 1 new + 1 twice in file + 5 refused"
    assert [line.split(maxsplit=2)[:2] for line in lines[1:4]] == [["3", "phone"], ["5", "phone"], ["7", "row"]]
    assert "8.49124E+10 " in lines[2] and "the spreadsheet rounded the number  " in lines[2] and lines[2].endswith("  set the column to text, export again")
    assert lines[4] == " ... 2 more: leads.refused.csv = your rows + `problem`; repair and import that file alone"


def test_refused_rows_are_the_user_s_own_and_a_problem_column(tmp_path: Path) -> None:
    written = list(csv.DictReader(io.StringIO(refused_file(tmp_path, LEADS.encode()).decode())))
    assert [row["phone"] for row in written] == ["0912 345 67", "8.49124E+10", "0912345670", "0912345671", "0912345672"]
    assert written[0]["note"] == 'first; "second"\nthird'
    assert all(row["problem"] for row in written) and "rounded" in written[1]["problem"]


def test_the_repaired_file_can_be_imported_alone(tmp_path: Path) -> None:
    data = refused_file(tmp_path, LEADS.encode()).decode()
    repaired = (
        data.replace("0912 345 67,", "0912 345 679,")
        .replace("8.49124E+10", "0912345699")
        .replace("0912345670,Huy,a,b", "0912345670,Huy,a b,")
        .replace('"""Tam"', "Tam")
    )
    file, report = read(repaired.encode())
    assert report.summary() == "5 rows = 5 new" and file.header == ("phone", "name", "note")
    assert "is passed over" in file.notes[0]


def test_the_unrepaired_file_is_refused_again_and_does_not_grow(tmp_path: Path) -> None:
    once = refused_file(tmp_path, b"phone,name\n12,a\n0912345670,b,c\n")
    assert refused_file(tmp_path, once) == once


def test_the_problem_column_is_none_of_the_lead_s(tmp_path: Path) -> None:
    file, _ = read(b"phone,problem\n0912345678,old words\n")
    assert file.header == ("phone",)
    (row,) = LeadFile(io.BytesIO(b"phone,problem\n0912345678,old words\n"), "x", region="VN").rows()
    assert isinstance(row, GoodRow) and row.attributes == {}


def test_excel_opens_what_excel_wrote(tmp_path: Path) -> None:
    data = refused_file(tmp_path, "phone;name\r\n12;Ánh\r\n".encode("utf-16"))
    assert data.startswith(b"\xef\xbb\xbfphone;name;problem\r\n12;") and "Ánh".encode() in data


def test_our_own_text_is_never_a_formula_and_the_user_s_cells_stay_as_they_are(tmp_path: Path) -> None:
    header = '=cmd|"/c calc"'
    file = LeadFile(io.BytesIO(b'"=cmd|""/c calc""",name\n12,=1+1\n'), "x", region="VN", mapping={"phone": header})
    rows = [row for row in file.rows() if isinstance(row, BadRow)]
    write_refused(tmp_path / "x.csv", file.header, rows, Dialect())
    (_, row) = csv.reader(io.StringIO((tmp_path / "x.csv").read_text()))
    assert row[:2] == ["12", "=1+1"] and row[2].startswith("'=cmd")
