"""The rows that can not be used: kept, and written back as the user's own kind of file."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from fs_dialer.config.csv_text import Dialect
from fs_dialer.config.lead_file import LeadFile, open_leads
from fs_dialer.config.leads_refused import KEPT_ROWS, RefusedRows, refused_path, write_refused
from fs_dialer.config.leads_report import LeadReport
from fs_dialer.config.leads_rows import BadRow, CellProblem, GoodRow
from fs_dialer.config.leads_xlsx import Workbook, write_sheet

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


@pytest.mark.spec("D7")
def test_our_own_text_is_never_a_formula_and_the_user_s_cells_stay_as_they_are(tmp_path: Path) -> None:
    header = '=cmd|"/c calc"'
    file = LeadFile(io.BytesIO(b'"=cmd|""/c calc""",name\n12,=1+1\n'), "x", region="VN", mapping={"phone": header})
    rows = [row for row in file.rows() if isinstance(row, BadRow)]
    write_refused(tmp_path / "x.csv", file.header, rows, Dialect())
    (_, row) = csv.reader(io.StringIO((tmp_path / "x.csv").read_text()))
    assert row[:2] == ["12", "=1+1"] and row[2].startswith("'=cmd")


@pytest.mark.parametrize(
    ("name", "dialect", "refused"),
    [
        ("spring.csv", Dialect(), "spring.refused.csv"),
        ("spring.TSV", Dialect("\t"), "spring.refused.TSV"),
        ("spring.2026.txt", Dialect(";"), "spring.2026.refused.txt"),
        ("spring", Dialect(), "spring.refused.csv"),
        ("spring.xlsx", Workbook(), "spring.refused.xlsx"),
        ("spring.xlsm", Workbook(), "spring.refused.xlsx"),
        ("spring.csv", Workbook(), "spring.refused.xlsx"),
    ],
)
def test_the_file_of_refused_rows_lies_beside_the_user_s_and_is_of_its_kind(name: str, dialect: Dialect | Workbook, refused: str) -> None:
    assert refused_path(Path("lists") / name, dialect) == Path("lists") / refused


@pytest.mark.spec("D7")
def test_refused_rows_of_a_workbook_are_a_workbook_that_can_be_repaired_and_imported(tmp_path: Path) -> None:
    cells = ["12", "=1+1", "@SUM(A1)", "two\nlines"]
    write_sheet(tmp_path / "x.xlsx", ["phone", "name", "=note", "more"], [cells, ["0912345678", "Minh", "", ""]], Workbook("Spring"))
    refused = []
    for path in (tmp_path / "x.xlsx", tmp_path / "x.refused.xlsx"):  # the unrepaired file is refused again and does not grow
        with open_leads(path, region="VN") as file:
            assert file.header == ("phone", "name", "=note", "more") and file.dialect == Workbook("Spring")
            refused.append([row for row in file.rows() if isinstance(row, BadRow)])
        write_refused(refused_path(tmp_path / "x.xlsx", file.dialect), file.header, refused[-1], file.dialect)
    assert refused[0] == refused[1] and refused[0][0].cells == tuple(cells)


def a_row(line: int) -> BadRow:
    return BadRow(line, (str(line), "a\nb", "ünï"), (CellProblem("phone", str(line), "empty", "fill it in"), CellProblem("tz", "", "x")), twice=line % 2 == 0)


def test_any_number_of_rows_is_kept_in_order_and_read_as_often_as_wanted() -> None:
    rows, expected = RefusedRows(), [a_row(line) for line in range(KEPT_ROWS + 50)]
    for row in expected:
        rows.append(row)
    assert list(rows) == list(rows) == expected and len(rows) == len(expected) and rows.width == 3
    assert (rows[0], rows[-1], rows[KEPT_ROWS]) == (expected[0], expected[-1], expected[KEPT_ROWS])
    assert rows[:3] == expected[:3] and rows[KEPT_ROWS - 2 : KEPT_ROWS + 2] == expected[KEPT_ROWS - 2 : KEPT_ROWS + 2] and rows[::-400] == expected[::-400]
    with pytest.raises(IndexError):
        rows[len(expected)]
    rows.append(a_row(7))
    assert list(rows) == [*expected, a_row(7)]


def test_no_row_is_nothing() -> None:
    assert not RefusedRows() and list(RefusedRows()) == [] and RefusedRows()[:3] == []
