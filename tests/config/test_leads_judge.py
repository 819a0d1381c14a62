"""One row → a contact or all that is wrong with it, in a form that travels between processes."""

from __future__ import annotations

import marshal
import pickle

from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.config.leads_header import understood
from fs_dialer.config.leads_judge import Judge, bad_row, good_row
from fs_dialer.config.leads_rows import BadRow, CellProblem, GoodRow, NumberAt

VN = ("Asia/Ho_Chi_Minh",)


def a_judge(header: str = "phone,mobile,name,zone,not_before,city", delimiter: str = ",") -> Judge:
    return Judge(understood(header.split(","), "leads.csv", 1), "VN", delimiter)


def test_a_good_verdict_becomes_a_row_with_what_the_rows_above_say() -> None:
    (verdict,) = a_judge().judge([(7, "0912345678,0987654321,Minh,,2026-12-01,Hue\n", "")])
    assert len(verdict) != 3
    row = good_row(verdict, copy=2)
    numbers = (NumberAt("+84912345678", VN, "phone"), NumberAt("+84987654321", VN, "mobile"))
    assert row == GoodRow(7, "+84912345678", VN, "Minh", {"city": "Hue"}, numbers, "", 1796058000.0, copy=2)
    assert good_row(verdict, twice=True).twice


def test_a_bad_verdict_keeps_the_cells_as_they_are() -> None:
    (verdict,) = a_judge("phone,name").judge([(3, ["12", " Minh "], "")])
    assert len(verdict) == 3
    assert bad_row(verdict) == BadRow(3, ("12", " Minh "), (CellProblem("phone", "12", "2 digits are too few"),))


def test_a_row_that_has_a_fault_is_refused_with_it() -> None:
    (verdict,) = a_judge("phone,name").judge([(3, ["0912345678", '"Minh'], "a quote is opened and never closed")])
    assert verdict[2] == (("row", '0912345678,"Minh', "a quote is opened and never closed", ""),)


def test_rows_with_nothing_in_them_get_no_verdict() -> None:
    assert a_judge("phone,name").judge([(2, ",\n", ""), (3, " , \t\n", ""), (4, ["", ""], "")]) == []


def test_a_workbook_s_row_may_be_shorter_than_its_header() -> None:
    (verdict,) = a_judge("phone,name,city", delimiter="").judge([(2, ["0912345678"], "")])
    assert verdict[1] == "+84912345678" and verdict[3] == ""


cells = st.one_of(st.sampled_from(["0912345678", "+442079460101", "8.49E+10", "", "Asia/Tokyo", "GMT+7", "2026-12-01 8:00", "12"]), st.text(max_size=8))


@given(st.lists(st.lists(cells, min_size=1, max_size=7), max_size=5))
@settings(deadline=None)
def test_verdicts_travel_between_processes_unchanged(table: list[list[str]]) -> None:
    judge = a_judge()
    verdicts = judge.judge([(line, row, "") for line, row in enumerate(table, start=2)])
    assert marshal.loads(marshal.dumps(verdicts)) == verdicts
    assert pickle.loads(pickle.dumps(judge)) == judge
