"""A text file of leads, from its bytes to its rows: what is good, what is refused and why."""

from __future__ import annotations

import hashlib
import io
import os
import random
from datetime import datetime
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.config import lead_file
from fs_dialer.config.csv_text import Dialect
from fs_dialer.config.lead_file import LeadFile, import_file_hash, open_leads
from fs_dialer.config.leads_rows import BadRow, GoodRow, NumberAt
from fs_dialer.config.leads_xlsx import Workbook, write_sheet
from fs_dialer.errors import ConfigError


def a_file(text: str | bytes, **how: object) -> LeadFile:
    return LeadFile(io.BytesIO(text.encode() if isinstance(text, str) else text), "leads.csv", **({"region": "VN"} | how))  # type: ignore[arg-type]


def rows(text: str | bytes, **how: object) -> list[GoodRow | BadRow]:
    return list(a_file(text, **how).rows())


def refusal(text: str | bytes, **how: object) -> str:
    with pytest.raises(ConfigError) as caught:
        rows(text, **how)
    return str(caught.value)


def bad(text: str, **how: object) -> BadRow:
    (row,) = rows(text, **how)
    assert isinstance(row, BadRow)
    return row


def test_a_row_is_a_number_its_zones_a_name_and_everything_else() -> None:
    at = ("Asia/Ho_Chi_Minh",)
    (row,) = rows("phone,name,plan,city\n0912 345 678,Minh Tran,gold,\n")
    assert row == GoodRow(2, "+84912345678", at, "Minh Tran", {"plan": "gold"}, (NumberAt("+84912345678", at, "phone"),))


def test_a_region_that_is_no_country_is_refused() -> None:
    assert "`xx` is no country" in refusal("phone\n", region="xx")


def test_excel_s_utf_8_and_utf_16_are_read() -> None:
    for data in ("phone;name\r\n0912345678;Ánh\r\n".encode("utf-8-sig"), "phone\tname\r\n0912345678\tÁnh\r\n".encode("utf-16")):
        (row,) = rows(data)
        assert isinstance(row, GoodRow) and row.name == "Ánh"


# --- zones -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D4")
def test_a_contact_s_own_zone_goes_over_the_number_s() -> None:
    (one, two) = rows("phone,tz\n0912345678,Europe/Berlin\n0912345679,\n")
    assert isinstance(one, GoodRow) and one.zones == ("Europe/Berlin",)
    assert isinstance(two, GoodRow) and two.zones == ("Asia/Ho_Chi_Minh",)


def test_an_offset_is_not_a_place_and_the_place_that_fits_is_named() -> None:
    assert bad("phone,tz\n0912345678,GMT+7\n").problem == "tz: not a place; Asia/Ho_Chi_Minh?"
    assert bad("phone,zone\n0912345678,Asia/Ho Chi Minh City\n").problem.startswith("zone: not a time zone; Asia/Ho_Chi_Minh")


# --- refused rows ------------------------------------------------------------------------------------------------------------------------


def test_a_rounded_number_is_told_with_its_advice() -> None:
    row = bad("phone\n8.49124E+10\n")
    assert row.problem == "phone: the spreadsheet rounded the number; set the column to text, export again"
    assert (row.line, row.cells, row.twice) == (2, ("8.49124E+10",), False)


def test_all_that_is_wrong_with_a_row_is_told_at_once() -> None:
    assert [each.column for each in bad("phone,tz\n12,GMT+7\n").problems] == ["phone", "tz"]


def test_a_national_number_without_a_region_is_refused_with_a_hint() -> None:
    assert "no country code" in bad("phone\n0912345678\n", region="").problem


def test_the_second_row_with_a_number_is_twice_in_the_file_however_it_is_written() -> None:
    first, second = rows("phone\n0912345678\n+84 912 345 678\n")
    assert isinstance(first, GoodRow) and isinstance(second, BadRow)
    assert second.twice and second.problem == "phone: twice in this file, first in line 2"


def test_a_refused_row_does_not_make_its_number_taken() -> None:
    first, second = rows("phone,tz\n0912345678,GMT+7\n0912345678,\n")
    assert isinstance(first, BadRow) and isinstance(second, GoodRow)


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        ("0912345678", "1 cells, but the header has 2 columns"),
        ("0912345678,a,b", "more cells than the header has named columns; put a value that holds `,` in quotes"),
        ("0912345678,a\0b", "a NUL in the text"),
        ("0912345678,a\x07b", "the control character U+0007"),
        ("0912345678," + "x" * 10_240, "10,240 bytes in one cell; at most 4,096"),
        ("0912345678," + "é" * 2_100, "4,200 bytes in one cell"),
        ('0912345678,"a', "a quote is opened and never closed"),
        (",Minh", "phone: empty"),
        ("0912}345678,Minh", "`}` has no place in a telephone number"),
    ],
)
def test_a_row_that_can_not_be_used_is_refused_with_its_reason(cells: str, what: str) -> None:
    row = bad(f"phone,name\n{cells}\n")
    assert what in row.problem and not row.twice


@pytest.mark.parametrize(
    "text", ["{}", "${system(touch /tmp/x)}", "a|b", "a, b", 'say "hi"', "two\nlines", "=1+1", "'; DROP TABLE leads; --", "<script>", "\t"]
)
@pytest.mark.spec("D7")
def test_what_a_name_or_another_column_says_is_data(text: str) -> None:
    """It never reaches the switch."""
    quoted = '"' + text.replace('"', '""') + '"'
    (row,) = rows(f"phone,name,note\n0912345678,{quoted},{quoted}\n")
    assert isinstance(row, GoodRow) and row.name == text.strip() and row.attributes == {"note": text}


def test_rows_and_trailing_columns_with_nothing_in_them_are_passed_over() -> None:
    assert len(rows("phone,name,,\n\n,,,\n0912345678,Minh,,\n  ,,,\n")) == 1


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("8.49E+10", "rounded"),
        ("84912345678.0", ""),
        ("84912345678", ""),
        ("0084912345678", ""),
        ("'0912345678", ""),
        ('"=""0912345678"""', ""),
        ("  0912345678   ", ""),
        ("\u00a00912\u00a0345\u00a0678\u00a0", ""),
        ("０９１２３４５６７８", ""),
        ("＋８４９１２３４５６７８", ""),
        ("\u202a+84912345678\u202c", ""),
        ("\ufeff0912345678", ""),
        ("0912345678 / 0987654321", "no telephone number"),
        ("#N/A", "no place in a telephone number"),
    ],
)
@pytest.mark.spec("S20")
def test_what_spreadsheets_make_of_a_number_is_read_or_refused_with_advice(cell: str, what: str) -> None:
    for text in (f"phone,name\n{cell},Minh\n", f"phone;name\r\n{cell};Minh\r\n"):
        for data in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16")):
            (row,) = rows(data)
            assert what in row.problem if isinstance(row, BadRow) else (row.number, what) == ("+84912345678", "")


@pytest.mark.spec("S20")
def test_a_number_whose_zero_a_spreadsheet_dropped_is_explained() -> None:
    problem = bad("phone\n612345678\n", region="IT").problem
    assert problem == "phone: 9 digits: the 0 in front is missing, as when a spreadsheet takes it for a number; set the column to text, export again"


def test_a_file_with_bad_rows_gives_all_the_others() -> None:
    """3 % of them."""
    lines = [f"09{number:08}" if number % 33 else "8.49E+10" for number in range(12345000, 12346000)]
    found = rows("phone\n" + "\n".join(lines))
    assert [isinstance(row, GoodRow) for row in found] == [line != "8.49E+10" for line in lines]


def test_a_byte_that_is_no_utf_8_stops_the_import_with_its_line() -> None:
    assert refusal("phone,name\n0912345678,é\n".encode("latin-1")).startswith("leads.csv:2:12  byte 0xe9 is not UTF-8")


@given(st.lists(st.lists(st.text(alphabet='0189+, ;"\n\0é${}|', max_size=14), min_size=1, max_size=4), max_size=6))
@settings(deadline=None)
@pytest.mark.spec("D7")
def test_any_rows_are_good_or_bad_and_good_numbers_are_digits(table: list[list[str]]) -> None:
    for row in rows("phone,name,zone\n" + "\n".join(",".join(cells) for cells in table)):
        if isinstance(row, GoodRow):
            assert row.number[0] == "+" and row.number[1:].isdecimal()
        else:
            assert row.problem


@given(st.binary(max_size=200), st.sampled_from([b"", b"phone,name\n", b"\xef\xbb\xbfphone;phone2;zone\r\n", b"\xff\xfep\0h\0o\0n\0e\0\n\0", b"PK\x03"]))
@settings(deadline=None)
def test_any_bytes_are_rows_or_a_refusal(data: bytes, begin: bytes) -> None:
    try:
        for row in LeadFile(io.BytesIO(begin + data), "x", region="VN").rows():
            assert row.line > 1 and (isinstance(row, GoodRow) or row.problem)
    except ConfigError as error:
        assert error.problems


# --- several numbers of one contact --------------------------------------------------------------------------------------------------------


def good(text: str, **how: object) -> GoodRow:
    (row,) = rows(text, **how)
    assert isinstance(row, GoodRow)
    return row


def test_a_contact_has_all_its_numbers_in_order_each_with_its_column() -> None:
    row = good("phone,name,Home,work\n0912345678,Minh,+44 20 7946 0101,024 3825 0000\n")
    assert [(number, kind) for number, _, kind in row.numbers] == [("+84912345678", "phone"), ("+442079460101", "Home"), ("+842438250000", "work")]
    assert row.numbers[1].zones == ("Europe/London",) and (row.number, row.zones) == (row.numbers[0].number, row.numbers[0].zones)


def test_a_number_that_stands_in_two_columns_is_one() -> None:
    assert [number for number, _, _ in good("phone,mobile\n0912345678,+84912345678\n").numbers] == ["+84912345678"]


def test_where_the_first_cell_is_empty_the_next_number_is_the_first() -> None:
    row = good("phone,mobile\n,0912345678\n")
    assert row.number == "+84912345678" and [each.kind for each in row.numbers] == ["mobile"]


def test_a_contact_without_any_number_is_refused() -> None:
    assert bad("phone,mobile,name\n,  ,Minh\n").problem == "phone: empty"


def test_a_bad_further_number_refuses_the_row_and_names_its_cell() -> None:
    """Nothing is lost unsaid."""
    row = bad("phone,phone2\n0912345678,8.49E+10\n")
    assert [(each.column, each.value) for each in row.problems] == [("phone2", "8.49E+10")]


def test_a_contact_s_own_zone_is_that_of_all_its_numbers() -> None:
    assert {each.zones for each in good("phone,phone2,tz\n0912345678,+442079460101,Europe/Berlin\n").numbers} == {("Europe/Berlin",)}


# --- owner and not before ----------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S34")
def test_a_contact_s_owner_is_taken_from_its_column() -> None:
    assert good("phone,Owner\n0912345678, lan \n").owner == "lan" and good("phone,owner\n0912345678,\n").owner == ""


def when(text: str) -> float | None:
    return good(text).not_before


def epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-12-01 8:00", "2026-12-01T08:00+07:00"),
        ("2026-12-01T08:00:30", "2026-12-01T08:00:30+07:00"),
        ("2026-12-01", "2026-12-01T00:00+07:00"),
        ("2026-12-01T08:00Z", "2026-12-01T08:00+00:00"),
        ("2026-12-01 08:00+02:00", "2026-12-01T08:00+02:00"),
    ],
)
def test_not_before_is_read_on_the_lead_s_own_clocks(written: str, moment: str) -> None:
    assert when(f"phone,not_before\n0912345678,{written}\n") == epoch(moment)


def test_not_before_empty_is_at_once() -> None:
    assert when("phone,not_before\n0912345678,  \n") is None


@pytest.mark.spec("D4")
def test_not_before_in_several_possible_zones_waits_for_the_last_of_them() -> None:
    assert when("phone,not_before\n+18005550106,2026-12-01 8:00\n") >= epoch("2026-12-01T08:00-10:00")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("0912345678,,tomorrow", "is not a date and time: write 2026-12-01 8:00"),
        ("0912345678,,1/12/2026", "is not a date and time"),
        ("0912345678,,2026-02-30 8:00", "does not exist"),
        ("0912345678,,2026-02-30T08:00Z", "does not exist"),
        ("0912345678,Europe/Berlin,2026-03-29 2:30", "clocks go forward"),
        ("0912345678,,1999-01-01", "out of reach"),
        ("0912345678,,1999-01-01T00:00Z", "out of reach"),
        ("+882161234567,,2026-12-01 8:00", "fill in the column `zone`"),
    ],
)
def test_a_not_before_that_is_no_moment_is_refused(row: str, what: str) -> None:
    refused = bad(f"phone,zone,not_before\n{row}\n")
    assert refused.problems[0].column == "not_before" and what in refused.problem


# --- the same number again ---------------------------------------------------------------------------------------------------------------

AGAIN = "phone,name\n0912345678,one\n0912345679,two\n+84912345678,three\n0912345678,four\n"


def test_keep_first_refuses_later_rows_as_doubles_with_their_cells() -> None:
    first, _, third, _ = rows(AGAIN)
    assert isinstance(first, GoodRow) and isinstance(third, BadRow) and third.twice
    assert third.cells == ("+84912345678", "three") and third.problem == "phone: twice in this file, first in line 2"


def test_keep_all_counts_the_copies() -> None:
    assert [(row.name, row.copy) for row in rows(AGAIN, twice="keep-all") if isinstance(row, GoodRow)] == [("one", 0), ("two", 0), ("three", 1), ("four", 2)]


def test_update_gives_later_rows_as_newer_values() -> None:
    assert [(row.name, row.twice) for row in rows(AGAIN, twice="update") if isinstance(row, GoodRow)] == [
        ("one", False),
        ("two", False),
        ("three", True),
        ("four", True),
    ]


def test_an_unknown_policy_is_refused() -> None:
    assert "`keep` is none of keep-first, keep-all, update" in refusal(AGAIN, twice="keep")


# --- files, streams, processes -----------------------------------------------------------------------------------------------------------


def test_a_file_is_read_by_what_is_in_it_and_not_by_its_name(tmp_path: Path) -> None:
    write_sheet(tmp_path / "leads.csv", ["phone"], [["0912345678"]], Workbook("List"))
    (tmp_path / "leads.xlsx").write_bytes(b"phone\n0912345678\n")
    for path, dialect in ((tmp_path / "leads.csv", Workbook("List")), (tmp_path / "leads.xlsx", Dialect())):
        with open_leads(path, region="VN") as file:
            assert file.dialect == dialect and [row.line for row in file.rows()] == [2]


def test_a_tab_separated_file_is_read_like_any_other() -> None:
    (row,) = rows("phone\tname\tnote\n0912345678\tTran, Minh\ta;b\n")
    assert isinstance(row, GoodRow) and row.name == "Tran, Minh" and row.attributes == {"note": "a;b"}


def test_a_file_that_is_not_there_is_told_and_one_that_is_refused_is_closed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.csv  can not be read: No such file"):
        open_leads(tmp_path / "nothing.csv")
    (tmp_path / "x.csv").write_text("a,b\n")
    with pytest.raises(ConfigError, match="no column `phone`"):
        open_leads(tmp_path / "x.csv")


def test_a_text_file_has_no_sheets() -> None:
    assert "is no workbook" in refusal("phone\n", sheet="Leads")


def test_it_tells_how_much_has_been_read(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("phone\n" + "0912345678\n" * 30_000)
    with open_leads(tmp_path / "x.csv", region="VN", workers=1) as file:
        shares = [file.share for _ in islice(file.rows(), 0, None, 5_000)]
        assert shares == sorted(shares, key=lambda share: share or 0.0) and 0.0 < (shares[0] or 0.0) < 0.9
    assert file.share == 1.0
    (read, write) = os.pipe()
    with os.fdopen(write, "wb") as end:
        end.write(b"phone\n0912345678\n")
    with os.fdopen(read, "rb") as pipe:
        through = LeadFile(pipe, "pipe", region="VN")
        assert through.share is None and len(list(through.rows())) == 1


def test_several_processes_give_what_one_gives_in_the_same_order(tmp_path: Path) -> None:
    rng = random.Random("several processes")
    lines = ["phone,mobile,name,zone,not_before,note"]
    for number in range(9_000):
        phone = rng.choice([f"09{rng.randrange(12345000, 12349000):08}", "8.49E+10", "+442079460101", "", f"{number}"])
        note = rng.choice(["plain", '"a, b"', '"two\nlines"', '"never closed', "ünï", ""])
        lines.append(
            f"{phone},{rng.choice(['', '0987654321'])},Name {number},{rng.choice(['', 'Asia/Tokyo', 'GMT+7'])},{rng.choice(['', '2026-12-01'])},{note}"
        )
    (tmp_path / "x.csv").write_text("\n".join(lines), encoding="utf-8")
    found = []
    for workers in (1, 2):
        with open_leads(tmp_path / "x.csv", region="VN", workers=workers) as file:
            found.append(list(file.rows()))
    assert found[0] == found[1] and len({type(row) for row in found[0]}) == 2 and any(isinstance(row, BadRow) and row.twice for row in found[0])


def test_small_files_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lead_file, "start", lambda count: pytest.fail("a process was started"))
    assert len(rows("phone\n" + "0912345678\n" * 5_000)) == 5_000


def test_a_file_s_hash_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"phone\n" * 100_000)
    assert import_file_hash(tmp_path / "x") == hashlib.sha256(b"phone\n" * 100_000).hexdigest()
    with pytest.raises(ConfigError, match="can not be read"):
        import_file_hash(tmp_path)
