"""The counts an admin reads, and the first of the refused rows."""

from __future__ import annotations

import io

from fs_dialer.config.lead_file import LeadFile
from fs_dialer.config.leads_report import LeadReport
from fs_dialer.config.leads_rows import BadRow, GoodRow

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


def test_the_summary_adds_up() -> None:
    report = LeadReport(rows=10_000, good=9_877, twice=97, already=214, do_not_call=51)
    for _ in range(26):
        report.refused.append(BadRow(7, ("x",), ()))
    assert report.summary() == "10,000 rows = 9,612 new + 214 already in list + 97 twice in file + 51 do-not-call + 26 refused"
    assert report.to_json() == {"rows": 10_000, "new": 9_612, "already": 214, "twice": 97, "do_not_call": 51, "no_callback": 0, "refused": 26}


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


def test_newer_values_for_a_number_are_counted_as_twice_and_the_sum_is_right() -> None:
    file, report = LeadFile(io.BytesIO(b"phone\n0912345678\n0912345678\n12\n"), "x", region="VN", twice="update"), LeadReport()
    for row in file.rows():
        report.count(row)
    assert report.summary() == "3 rows = 1 new + 1 twice in file + 1 refused"
