"""The short way says what the library says, or nothing."""

from __future__ import annotations

import random

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult
from phonenumbers.timezone import time_zones_for_number

from fs_dialer.config.number_plans import judged, kind_of
from fs_dialer.config.values import zone_names

pytestmark = pytest.mark.spec("S20", "D4")

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
EXAMPLES = {
    region: [number for kind in PhoneNumberType.values() if (number := phonenumbers.example_number_for_type(region, kind)) is not None] for region in REGIONS
}


def by_library(digits: str, international: bool, region: str) -> tuple[str, tuple[str, ...]] | None:
    """The library's answer for a number that is valid and can be dialled from anywhere; None for all others."""
    try:
        number = phonenumbers.parse(f"+{digits}" if international else digits, None if international else region)
    except NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE or not phonenumbers.is_valid_number(number):
        return None
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return e164, tuple(sorted(zone for zone in time_zones_for_number(number) if zone in zone_names()))


def national(number: PhoneNumber) -> str:
    return str(phonenumbers.national_significant_number(number))


@st.composite
def near_numbers(draw: st.DrawFn) -> tuple[str, bool, str]:
    """Digits like those of some country's numbers, written in one of the ways, dialled from the same country or another."""
    region = draw(st.sampled_from(REGIONS))
    of_plan = national(draw(st.sampled_from(EXAMPLES[region])))
    kept = draw(st.integers(0, len(of_plan)))
    digits = of_plan[:kept] + "".join(draw(st.lists(st.sampled_from("0123456789"), min_size=len(of_plan) - kept, max_size=len(of_plan) - kept)))
    code = str(phonenumbers.country_code_for_region(region))
    trunk = phonenumbers.ndd_prefix_for_region(region, True) or ""
    begin = draw(st.sampled_from(["", trunk, code, code + trunk, "00" + code, "011" + code, "0", "00"]))
    return begin + digits, draw(st.booleans()), draw(st.sampled_from([region, region, draw(st.sampled_from(REGIONS))]))


@given(near_numbers())
@example(("22709123456", True, "VN"))  # free-phone and the like of a plan whose numbers begin with 0
@settings(max_examples=600, deadline=None)
def test_what_it_says_is_what_the_library_says(case: tuple[str, bool, str]) -> None:
    digits, international, region = case
    found = judged(digits, international, region)
    assert found is None or found == by_library(digits, international, region)


@given(st.text(alphabet="0123456789", min_size=1, max_size=20), st.booleans(), st.sampled_from(REGIONS))
@settings(max_examples=300, deadline=None)
def test_any_digits_get_the_library_s_answer_or_none(digits: str, international: bool, region: str) -> None:
    found = judged(digits, international, region)
    assert found is None or found == by_library(digits, international, region)


@pytest.mark.parametrize("region", REGIONS)
def test_every_example_of_every_country_s_plan_agrees(region: str) -> None:
    """With its last digits changed, too: the zones go by prefix."""
    rng = random.Random(f"plan of {region}")
    for number in EXAMPLES[region]:
        for _ in range(6):
            digits = national(number)[:-3] + f"{rng.randrange(1000):03}"
            for written, international in ((f"{number.country_code}{digits}", True), (f"{number.country_code}{digits}", False), (digits, False)):
                found = judged(written, international, region)
                assert found is None or found == by_library(written, international, region), (written, international)


def test_plain_numbers_of_most_countries_take_the_short_way() -> None:
    """It would be sound to say nothing at all, and useless."""
    short = [region for region in REGIONS if EXAMPLES[region] and judged(f"{EXAMPLES[region][0].country_code}{national(EXAMPLES[region][0])}", True, "")]
    assert len(short) > 0.9 * len(REGIONS)


def test_a_region_that_is_no_country_has_no_national_numbers() -> None:
    assert judged("912345678", False, "XX") is None and judged("912345678", False, "") is None


KINDS = {PhoneNumberType.MOBILE: "mobile", PhoneNumberType.FIXED_LINE: "fixed"}


@given(near_numbers())
@example(("12125550123", True, "US"))
@settings(max_examples=600, deadline=None)
def test_the_kind_of_a_number_is_the_librarys_or_not_known(case: tuple[str, bool, str]) -> None:
    valid = judged(*case)
    if valid is not None:
        said = kind_of(valid[0])
        assert said in ("", KINDS.get(phonenumbers.number_type(phonenumbers.parse(valid[0])), "")), valid[0]


@pytest.mark.parametrize(("number", "kind"), [("+84903222111", "mobile"), ("+842838222111", "fixed"), ("+447400123456", "mobile"), ("+442079460101", "fixed")])
def test_mobile_and_fixed_are_told_apart(number: str, kind: str) -> None:
    assert kind_of(number) == kind


@pytest.mark.parametrize("number", ["+12125550123", "+448001111", "+999123456", "+1", "+", "", "junk"])
def test_what_the_plan_does_not_tell_is_not_known(number: str) -> None:
    assert kind_of(number) == ""
