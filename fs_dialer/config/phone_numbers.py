"""What people write as a telephone number → E.164, and the time zones it may be in.

Knows numbering plans through the phonenumbers library (Google's metadata). Done once, at import: the core never parses a number.

How strict: a number whose length its country does not know is refused, and so is one that becomes valid by adding or removing a digit or two. A range
that the metadata does not list is let through, because plans grow faster than installed libraries; the network will say. The zones are all that the
number may be in, since every one of them must allow a call (D4); for an unlisted range all of its country; () where the number says nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_geographical_number, time_zones_for_number

from fs_dialer.config.values import zone_names

_ROUNDED = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+")
_FORMULA = re.compile(r'="(.*)"')  # how some exports keep Excel from rounding
_FLOAT = re.compile(r"([0-9]{7,15})\.0")  # how pandas writes a column with gaps
_ALLOWED = re.compile(r"\+?[0-9\s().\-/\u2010-\u2015]+")
_E164_DIGITS = 15


class BadNumber(ValueError):
    """`text`: what is wrong; `advice`: how to mend it, "" where there is nothing to say."""

    def __init__(self, text: str, advice: str = "") -> None:
        self.text, self.advice = text, advice
        super().__init__(f"{text}; {advice}" if advice else text)


def parse_number(written: str, region: str = "") -> tuple[str, tuple[str, ...]]:
    """(E.164 with its +, zones in order of name). `region`: the country of numbers without a country code, "" = such numbers are refused."""
    text = written.strip().removeprefix("'")
    if formula := _FORMULA.fullmatch(text):
        text = formula[1]
    if exact := _FLOAT.fullmatch(text):
        text = exact[1]
    text = text.replace("\uff0b", "+").replace("(0)", "") if text.startswith(("+", "\uff0b")) else text
    if not text:
        raise BadNumber("empty")
    if _ROUNDED.fullmatch(text):
        raise BadNumber("the spreadsheet rounded the number", "set the column to text, export again")
    if re.fullmatch(r"[+\s().\-/]+", text):
        raise BadNumber("no digits")
    if not _ALLOWED.fullmatch(text):
        odd = next((each for each in text.removeprefix("+") if not _ALLOWED.fullmatch(each) or each == "+"), text[0])
        raise BadNumber(f"`{odd}` has no place in a telephone number", "one number in a cell, digits only")
    international = text.startswith("+")
    digits = re.sub("[^0-9]", "", text)
    if not international and not region:
        raise BadNumber("no country code", f"write {_with_plus(digits)}, or name the country: --region VN, or `region` in installation.yml")
    try:
        number = phonenumbers.parse(("+" if international else "") + digits, None if international else region)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            raise BadNumber("no country has this country code" if international else "too short, or no country code") from None
        raise BadNumber(f"{len(digits)} digits are no telephone number") from None
    _refuse_mistakes(number, digits)
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return e164, _zones(number)


def _with_plus(digits: str) -> str:
    for begin in ("00", "011"):
        if digits.startswith(begin):
            return f"+{digits.removeprefix(begin)}"
    return f"+{digits} if it begins with one" if not digits.startswith("0") else "it with + and the country's code"


def _refuse_mistakes(number: PhoneNumber, written: str) -> None:
    national = phonenumbers.national_significant_number(number)
    verdict = phonenumbers.is_possible_number_with_reason(number)
    if verdict == ValidationResult.TOO_LONG or len(str(number.country_code)) + len(national) > _E164_DIGITS:
        raise BadNumber(f"{len(written)} digits are too many{_usual(number, national, written)}")
    if verdict != ValidationResult.IS_POSSIBLE:
        raise BadNumber(f"{len(written)} digits are too few{_usual(number, national, written)}")
    if phonenumbers.is_valid_number(number):
        return
    if usual := _usual(number, national, written):
        raise BadNumber(f"{len(written)} digits{usual}")
    if national.startswith("0") or len(set(national)) == 1:
        raise BadNumber("no number of this country looks like that")


def _usual(number: PhoneNumber, national: str, written: str) -> str:
    """What the length should be, where one or two digits more or fewer would make the number valid."""
    for change in (1, -1, 2, -2):
        other = PhoneNumber(country_code=number.country_code)
        changed = [national + last * change for last in "05"] if change > 0 else [national[:change]]
        for candidate in changed:
            other.national_number = int(candidate or "0")
            other.italian_leading_zero = True if candidate.startswith("0") else None
            if phonenumbers.is_valid_number(other) and len(str(other.country_code)) + len(candidate) <= _E164_DIGITS:
                return f"; numbers like this have {len(written) + change}"
    return ""


def _zones(number: PhoneNumber) -> tuple[str, ...]:
    found = tuple(time_zones_for_number(number))
    if found == (UNKNOWN_TIMEZONE,):
        found = tuple(time_zones_for_geographical_number(number))  # an unlisted range: then all zones of its country
    return _known(found)


@lru_cache(maxsize=4096)
def _known(found: tuple[str, ...]) -> tuple[str, ...]:
    """One tuple for all numbers of a place, so that a million leads do not hold a million tuples."""
    return tuple(sorted(zone for zone in found if zone in zone_names()))
