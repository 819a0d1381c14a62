"""What people write as a telephone number → E.164 and zones. The numbers are of ranges kept for fiction, or of no subscriber in particular."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.config.phone_numbers import BadNumber, parse_number


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("+44 20 7946 0101", "", "+442079460101"),
        ("020 7946 0101", "GB", "+442079460101"),
        ("442079460101", "GB", "+442079460101"),
        ("0044 20 7946 0101", "GB", "+442079460101"),
        ("+44 (0)20 7946 0101", "", "+442079460101"),
        ("(202) 555-0106", "US", "+12025550106"),
        ("0912 345 678", "VN", "+84912345678"),
        ("+39 06 1234 5678", "", "+390612345678"),
        ("'0912345678", "VN", "+84912345678"),
        ('="0912345678"', "VN", "+84912345678"),
        ("84912345678.0", "VN", "+84912345678"),
        ("84912345678", "VN", "+84912345678"),
        ("912345678", "VN", "+84912345678"),
        ("00447700900123", "VN", "+447700900123"),
        ("０９１２　３４５　６７８", "VN", "+84912345678"),
        ("\u202a+84\u00a0912\u2011345\u2011678\u202c\u200b", "", "+84912345678"),
    ],
)
def test_a_number_is_read_however_it_is_written(written: str, region: str, number: str) -> None:
    assert parse_number(written, region)[0] == number


@pytest.mark.parametrize(
    ("written", "region", "text"),
    [
        ("", "VN", "empty"),
        ("+", "", "no digits"),
        ("8.49124E+10", "VN", "the spreadsheet rounded the number; set the column to text, export again"),
        ("8,49124E+10", "", "the spreadsheet rounded the number"),
        ("0912 345 67", "VN", "9 digits; numbers like this have 10"),
        ("0912 345 6789", "VN", "11 digits; numbers like this have 10"),
        ("555 0106", "US", "7 digits are too few"),
        ("112", "GB", "too few"),
        ("0912345678 / 0987654321", "VN", "no telephone number"),
        ("6", "GB", "1 digit is no telephone number"),
        ("212345678", "IT", "9 digits: the 0 in front is missing, as when a spreadsheet takes it for a number; set the column to text, export again"),
        ("123456789", "CI", "9 digits: the 0 in front is missing"),
        ("0000000000", "VN", "no number of this country looks like that"),
        ("+999 123456789", "", "no country has this country code"),
        ("0912}345678", "VN", "`}` has no place"),
        ("${system(touch x)}", "VN", "`$` has no place"),
        ("1-800-FLOWERS", "US", "`F` has no place"),
        ("+1 202 555 0106 ext. 5", "", "`e` has no place"),
        ("++12025550106", "", "`+` has no place"),
        ("٠٩١٢٣٤٥٦٧٨", "VN", "has no place"),
        ("912345678", "", "no country code; write +912345678 if it begins with one, or name the country"),
        ("0044 20 7946 0101", "", "write +442079460101"),
    ],
)
def test_what_is_no_number_is_refused_with_its_reason(written: str, region: str, text: str) -> None:
    with pytest.raises(BadNumber) as caught:
        parse_number(written, region)
    assert text in str(caught.value)


def test_the_zones_are_all_that_the_number_may_be_in() -> None:
    """D4"""
    assert parse_number("+442079460101")[1] == ("Europe/London",)
    assert parse_number("+12025550106")[1] == ("America/New_York",)
    everywhere = parse_number("+18005550106")[1]
    assert {"America/New_York", "America/Los_Angeles", "Pacific/Honolulu"} <= set(everywhere) and list(everywhere) == sorted(everywhere)


def test_a_range_that_no_table_lists_is_let_through_with_every_zone_of_its_country() -> None:
    """D4: where nothing says which part of a country, all of it must allow the call."""
    number, zones = parse_number("+15550123456")
    assert number == "+15550123456" and {"America/New_York", "America/Los_Angeles"} <= set(zones)


def test_a_number_of_no_place_has_no_zone() -> None:
    assert parse_number("+882 161 234 567")[1] == ()


@given(st.text(max_size=25), st.sampled_from(["", "VN", "US", "GB"]))
@settings(deadline=None)
def test_any_text_is_a_number_of_digits_alone_or_refused(written: str, region: str) -> None:
    """D7"""
    try:
        number, _ = parse_number(written, region)
    except BadNumber as error:
        assert error.text
        return
    assert number[0] == "+" and set(number[1:]) <= set("0123456789") and 4 <= len(number) <= 16


@given(st.integers(min_value=200, max_value=989), st.integers(min_value=0, max_value=10**7 - 1))
@settings(deadline=None)
def test_e164_reads_back_to_itself(area: int, rest: int) -> None:
    try:
        number, zones = parse_number(f"({area}) {rest:07}", "US")
    except BadNumber:
        return
    assert parse_number(number) == (number, zones)
