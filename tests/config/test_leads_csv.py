"""A list of leads → rows that can be dialled, and rows that can not, each with its reason."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.config.leads_csv import BadRow, GoodRow, LeadFile
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
    assert rows("phone,name,plan,city\n0912 345 678,Minh Tran,gold,\n") == [GoodRow(2, "+84912345678", ("Asia/Ho_Chi_Minh",), "Minh Tran", {"plan": "gold"})]


@pytest.mark.parametrize("column", ["phone", "Phone", "NUMBER", "telephone", "Mobile", "tel", "Phone Number", "phone_number"])
def test_the_column_of_numbers_is_known_under_its_usual_names(column: str) -> None:
    (row,) = rows(f"name,{column}\nx,0912345678\n")
    assert isinstance(row, GoodRow) and row.number == "+84912345678" and row.attributes == {}


def test_another_column_can_be_named() -> None:
    (row,) = rows("Handy,Vorname\n0912345678,Minh\n", mapping={"phone": "handy", "name": "Vorname"})
    assert isinstance(row, GoodRow) and row.name == "Minh"
    assert "there is no column `Handi`; nearest: Handy; the columns are: Handy, Vorname" in refusal("Handy,Vorname\n", mapping={"phone": "Handi"})
    assert "we look for phone, name, zone" in refusal("Handy\n", mapping={"fone": "Handy"})


def test_a_missing_column_of_numbers_lists_the_columns_found() -> None:
    assert refusal("first,last\nA,B\n") == "leads.csv:1:1  no column `phone`; the columns are: first, last; name the one with the numbers: --map phone=COLUMN"


def test_a_file_without_a_header_is_told() -> None:
    assert "is the first row a header?" in refusal("0912345678,Minh\n0912345679,Hoa\n")


@pytest.mark.parametrize(
    ("text", "what"),
    [("", "empty"), ("\n\n", "empty"), ("phone,a,a\n", "`a` stands twice"), ('"phone\nx",b\n', "is no word"), ('phone,"a\n', "the header row a quote")],
)
def test_a_header_that_can_not_be_used_is_refused(text: str, what: str) -> None:
    assert what in refusal(text)


def test_several_columns_of_numbers_are_told_and_the_first_known_name_wins() -> None:
    file = a_file("mobile,phone\n0912345679,0912345678\n")
    (row,) = file.rows()
    assert isinstance(row, GoodRow) and row.number == "+84912345678" and row.attributes == {"mobile": "0912345679"}
    assert "not from mobile" in file.notes[0]


def test_a_region_that_is_no_country_is_refused() -> None:
    assert "`xx` is no country" in refusal("phone\n", region="xx")


def test_excel_s_utf_8_and_utf_16_are_read() -> None:
    for data in ("phone;name\r\n0912345678;Ánh\r\n".encode("utf-8-sig"), "phone\tname\r\n0912345678\tÁnh\r\n".encode("utf-16")):
        (row,) = rows(data)
        assert isinstance(row, GoodRow) and row.name == "Ánh"


# --- zones -----------------------------------------------------------------------------------------------------------------------------


def test_a_contact_s_own_zone_goes_over_the_number_s() -> None:
    """D4"""
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
def test_what_a_name_or_another_column_says_is_data(text: str) -> None:
    """D7: it never reaches the switch."""
    quoted = '"' + text.replace('"', '""') + '"'
    (row,) = rows(f"phone,name,note\n0912345678,{quoted},{quoted}\n")
    assert isinstance(row, GoodRow) and row.name == text.strip() and row.attributes == {"note": text}


def test_rows_and_trailing_columns_with_nothing_in_them_are_passed_over() -> None:
    assert len(rows("phone,name,,\n\n,,,\n0912345678,Minh,,\n  ,,,\n")) == 1


def test_a_byte_that_is_no_utf_8_stops_the_import_with_its_line() -> None:
    assert refusal("phone,name\n0912345678,é\n".encode("latin-1")).startswith("leads.csv:2:12  byte 0xe9 is not UTF-8")


@given(st.lists(st.lists(st.text(alphabet='0189+, ;"\n\0é${}|', max_size=14), min_size=1, max_size=4), max_size=6))
@settings(deadline=None)
def test_any_rows_are_good_or_bad_and_good_numbers_are_digits(table: list[list[str]]) -> None:
    """D7"""
    for row in rows("phone,name,zone\n" + "\n".join(",".join(cells) for cells in table)):
        if isinstance(row, GoodRow):
            assert row.number[0] == "+" and row.number[1:].isdecimal()
        else:
            assert row.problem
