"""What people and their spreadsheets write as a telephone number → E.164, and the time zones it may be in.

Knows numbering plans through the phonenumbers library (Google's metadata). Done once, at import: the core never parses a number. Plain valid numbers
take the short way of number_plans.py, which says the same twenty times as fast.

How strict: a number whose length its country does not know is refused, and so is one that becomes valid by adding or removing a digit or two. A range
that the metadata does not list is let through, because plans grow faster than installed libraries; the network will say. The zones are all that the
number may be in, since every one of them must allow a call (D4); for an unlisted range all of its country; () where the number says nothing.
"""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_geographical_number, time_zones_for_number

from fs_dialer.config.number_plans import E164_DIGITS, judged, known

_ROUNDED = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+")
_FORMULA = re.compile(r'="(.*)"')  # how some exports keep Excel from rounding
_FLOAT = re.compile(r"([0-9]{7,15})\.0")  # how pandas writes a column with gaps
_ALLOWED = re.compile(r"\+?[0-9\s().\-/\u2010-\u2015]+")
_PLAIN = re.compile(r"\+?[0-9]{5,20}")
_WIDE = {0xFF10 + digit: str(digit) for digit in range(10)} | {0xFF0B: "+"}  # what a Japanese or Chinese keyboard writes
_INVISIBLE = dict.fromkeys((0x00AD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF))  # copied from an address book
_AS_TEXT = "set the column to text, export again"


class BadNumber(ValueError):
    """`text`: what is wrong; `advice`: how to mend it, "" where there is nothing to say."""

    def __init__(self, text: str, advice: str = "") -> None:
        self.text, self.advice = text, advice
        super().__init__(f"{text}; {advice}" if advice else text)


def parse_number(written: str, region: str = "") -> tuple[str, tuple[str, ...]]:
    """(E.164 with its +, zones in order of name). `region`: the country of numbers without a country code, "" = such numbers are refused."""
    text = written.strip().removeprefix("'")
    if _PLAIN.fullmatch(text):
        international = text[0] == "+"
        digits = text[1:] if international else text
    else:
        digits, international = _digits(text)
    if not international and not region:
        raise BadNumber("no country code", f"write {_with_plus(digits)}, or name the country: --region VN, or `region` in installation.yml")
    return judged(digits, international, region) or _by_library(digits, international, region)


def _digits(text: str) -> tuple[str, bool]:
    """The digits of a number written with spaces, brackets and the like, and whether a + stood in front."""
    if not text.isascii():
        text = text.translate(_INVISIBLE).translate(_WIDE).strip()
    if formula := _FORMULA.fullmatch(text):
        text = formula[1]
    if exact := _FLOAT.fullmatch(text):
        text = exact[1]
    text = text.replace("(0)", "") if text.startswith("+") else text
    if not text:
        raise BadNumber("empty")
    if _ROUNDED.fullmatch(text):
        raise BadNumber("the spreadsheet rounded the number", _AS_TEXT)
    if re.fullmatch(r"[+\s().\-/]+", text):
        raise BadNumber("no digits")
    if not _ALLOWED.fullmatch(text):
        odd = next((each for each in text.removeprefix("+") if not _ALLOWED.fullmatch(each) or each == "+"), text[0])
        raise BadNumber(f"`{odd}` has no place in a telephone number", "one number in a cell, digits only")
    return re.sub("[^0-9]", "", text), text.startswith("+")


def _by_library(digits: str, international: bool, region: str) -> tuple[str, tuple[str, ...]]:
    """The library's own word on what is no plain valid number."""
    try:
        number = phonenumbers.parse(("+" if international else "") + digits, None if international else region)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            raise BadNumber("no country has this country code" if international else "too short, or no country code") from None
        raise BadNumber("1 digit is no telephone number" if len(digits) == 1 else f"{len(digits)} digits are no telephone number") from None
    if not phonenumbers.is_valid_number(number) and _lost_its_zero(digits, international, region):
        raise BadNumber(f"{len(digits)} digits: the 0 in front is missing, as when a spreadsheet takes it for a number", _AS_TEXT)
    _refuse_mistakes(number, digits)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164), _zones(number)


def _lost_its_zero(digits: str, international: bool, region: str) -> bool:
    """Whether a 0 in front makes the number valid. An Italian number without its 0 would be let through as an unlisted range, and be somebody else's."""
    return not international and not digits.startswith("0") and judged(f"0{digits}", False, region) is not None


def _with_plus(digits: str) -> str:
    for begin in ("00", "011"):
        if digits.startswith(begin):
            return f"+{digits.removeprefix(begin)}"
    return f"+{digits} if it begins with one" if not digits.startswith("0") else "it with + and the country's code"


def _refuse_mistakes(number: PhoneNumber, written: str) -> None:
    national = phonenumbers.national_significant_number(number)
    verdict = phonenumbers.is_possible_number_with_reason(number)
    if verdict == ValidationResult.TOO_LONG or len(str(number.country_code)) + len(national) > E164_DIGITS:
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
            if phonenumbers.is_valid_number(other) and len(str(other.country_code)) + len(candidate) <= E164_DIGITS:
                return f"; numbers like this have {len(written) + change}"
    return ""


def _zones(number: PhoneNumber) -> tuple[str, ...]:
    found = tuple(time_zones_for_number(number))
    if found == (UNKNOWN_TIMEZONE,):
        found = tuple(time_zones_for_geographical_number(number))  # an unlisted range: then all zones of its country
    return known(found)
