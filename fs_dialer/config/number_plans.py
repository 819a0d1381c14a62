"""The numbering plans of the phonenumbers library, compiled for speed: a run of digits → (E.164, zones), or "ask the library itself".

A million numbers cost a minute in the library, most of it for looking the same metadata up again. What is here is the part of its rules that plain,
valid numbers need, in its own order (phonenumberutil.py: parse, _maybe_extract_country_code, _number_type_helper, is_valid_number; timezone.py).
Whatever takes another way there (a national prefix that rewrites the number, lengths in doubt, a number that is not valid) gets None here, and the
library answers. So this file may only ever say what the library says; a property test over all countries compares them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumber, PhoneNumberType
from phonenumbers.phonemetadata import PhoneMetadata, PhoneNumberDesc
from phonenumbers.phonenumberutil import is_number_type_geographical
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA

from fs_dialer.config.values import zone_names

E164_DIGITS = 15
_NEVER = re.compile(r"(?!)")
_SPECIAL = ("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail")  # of no place, in the library's words


def judged(digits: str, international: bool, region: str) -> tuple[str, tuple[str, ...]] | None:
    """(E.164 with its +, zones in order of name) of a number that is surely valid; None: the library has to say.

    `digits`: ASCII digits alone. `international`: a + stood in front. `region`: two capital letters, used for national numbers only.
    """
    found = _international(digits) if international else _national(digits, region)
    if found is None:
        return None
    plan, national = found
    length = len(national)
    if length not in plan.lengths or len(plan.code) + length > E164_DIGITS:
        return None
    for matches in plan.of_length(length):
        if matches.leading is not None:
            if not matches.leading.match(national):
                continue
            place = matches.place(national)
        elif (place := matches.place(national)) is None:
            continue
        break
    else:
        return None
    if place is None:  # the leading digits belong to a country whose ranges do not hold the number
        return None
    e164 = f"+{plan.code}{national}"
    if not place:
        return e164, plan.zones_of_no_place(national)
    return e164, zones_by_prefix(e164[1 : 1 + plan.zone_digits])


def kind_of(number: str) -> str:
    """`mobile` or `fixed`, by the plan of its country, for E.164 with its +; "" where the plan does not tell them apart, or the number is of another kind."""
    digits = number[1:]
    found = _international(digits) if digits.isascii() and digits.isdigit() else None
    if found is None:
        return ""
    plan, national = found
    for matches in plan.of_length(len(national)):
        if (matches.leading is None or matches.leading.match(national)) and matches.place(national) is not None:
            return matches.kind(national)
    return ""


@dataclass(frozen=True, slots=True)
class _Matches:
    """What a country's numbers of one length look like."""

    leading: re.Pattern[str] | None
    general: re.Pattern[str]
    special: re.Pattern[str]
    fixed: re.Pattern[str]
    mobile: re.Pattern[str]
    mobile_has_place: bool
    alike: bool  # mobile and fixed numbers cannot be told apart

    def place(self, national: str) -> bool | None:
        """Whether the number belongs to a place of its country; None where it is none of the country's."""
        if not self.general.fullmatch(national):
            return None
        if self.special.fullmatch(national):
            return False
        if self.fixed.fullmatch(national):
            return True
        return self.mobile_has_place if self.mobile.fullmatch(national) else None

    def kind(self, national: str) -> str:
        if self.alike or self.special.fullmatch(national):
            return ""
        fixed, mobile = self.fixed.fullmatch(national), self.mobile.fullmatch(national)
        return "" if bool(fixed) is bool(mobile) else "fixed" if fixed else "mobile"


@dataclass(slots=True)
class _Plan:
    """One country code. `prefix`: the national prefix, as it may stand even after the code. `lengths`: of national numbers that anyone can dial."""

    code: str
    regions: tuple[PhoneMetadata, ...]
    prefix: re.Pattern[str]
    lengths: frozenset[int]
    zone_digits: int  # the longest prefix of the country, its code included, that the table of zones tells apart
    _by_length: dict[int, tuple[_Matches, ...]] = field(default_factory=dict)
    _zones_of_no_place: tuple[str, ...] | None = None

    def of_length(self, length: int) -> tuple[_Matches, ...]:
        found = self._by_length.get(length)
        if found is None:
            found = self._by_length[length] = tuple(_matches(metadata, length, int(self.code)) for metadata in self.regions)
        return found

    def zones_of_no_place(self, national: str) -> tuple[str, ...]:
        """All zones of the country: one and the same for its free-phone numbers and the like, so the library is asked once."""
        if self._zones_of_no_place is None:
            zeros = len(national) - len(national.lstrip("0"))
            number = PhoneNumber(int(self.code), int(national), italian_leading_zero=zeros > 0 or None, number_of_leading_zeros=zeros if zeros > 1 else None)
            self._zones_of_no_place = known(tuple(time_zones_for_number(number)))
        return self._zones_of_no_place


@dataclass(frozen=True, slots=True)
class _Home:
    """How numbers are written in a country, for those without a country code."""

    plan: _Plan
    abroad: re.Pattern[str]  # 00, 011 …
    prefix: re.Pattern[str]
    rewrites: bool  # the prefix may bring other digits in the place of those it takes away
    general: re.Pattern[str]
    lengths: frozenset[int]


def _international(digits: str) -> tuple[_Plan, str] | None:
    for length in (1, 2, 3):
        code = digits[:length]
        if plan := _plan(code):
            national = digits[length:]
            return None if plan.prefix.match(national) else (plan, national)
    return None


def _national(digits: str, region: str) -> tuple[_Plan, str] | None:
    home = _home(region)
    if home is None:
        return None
    if abroad := home.abroad.match(digits):
        rest = digits[abroad.end() :]
        return None if rest.startswith("0") or len(rest) < 5 else _international(rest)
    if digits.startswith(home.plan.code):
        national = digits[len(home.plan.code) :]
        if home.prefix.match(national) or home.plan.prefix.match(national):
            return None
        if home.general.fullmatch(digits) or not home.general.fullmatch(national):
            return None
        return home.plan, national
    prefix = home.prefix.match(digits)
    if prefix is None:
        return home.plan, digits
    if home.rewrites and prefix[prefix.re.groups] is not None:
        return None
    national = digits[prefix.end() :]
    if len(national) not in home.lengths or not home.general.fullmatch(national):
        return None
    return home.plan, national


@cache
def _plan(code: str) -> _Plan | None:
    if code.startswith("0") or not code or int(code) not in COUNTRY_CODE_TO_REGION_CODE:
        return None
    number = int(code)
    found = (PhoneMetadata.metadata_for_region_or_calling_code(number, region) for region in COUNTRY_CODE_TO_REGION_CODE[number])
    regions = tuple(metadata for metadata in found if metadata is not None)
    zone_digits = max((len(prefix) for prefix in TIMEZONE_DATA if prefix.startswith(code)), default=len(code))
    return _Plan(code, regions, _compiled(regions[0].national_prefix_for_parsing), _lengths(regions[0]), zone_digits)


@cache
def _home(region: str) -> _Home | None:
    metadata = PhoneMetadata.metadata_for_region(region, None)
    if metadata is None:
        return None
    plan = _plan(str(metadata.country_code))
    if plan is None:
        return None
    prefix = _compiled(metadata.national_prefix_for_parsing)
    rewrites = bool(prefix.groups and metadata.national_prefix_transform_rule)
    general = _pattern(metadata.general_desc, None)
    return _Home(plan, _compiled(metadata.international_prefix), prefix, rewrites, general, _lengths(metadata))


def _matches(metadata: PhoneMetadata, length: int, code: int) -> _Matches:
    special = [pattern.pattern for name in _SPECIAL if (pattern := _pattern(getattr(metadata, name), length)) is not _NEVER]
    mobile = _NEVER if metadata.same_mobile_and_fixed_line_pattern else _pattern(metadata.mobile, length)
    return _Matches(
        leading=re.compile(metadata.leading_digits) if metadata.leading_digits is not None else None,
        general=_pattern(metadata.general_desc, length),
        special=re.compile("|".join(f"(?:{pattern})" for pattern in special)) if special else _NEVER,
        fixed=_pattern(metadata.fixed_line, length),
        mobile=mobile,
        mobile_has_place=is_number_type_geographical(PhoneNumberType.MOBILE, code),
        alike=metadata.same_mobile_and_fixed_line_pattern,
    )


def _pattern(desc: PhoneNumberDesc | None, length: int | None) -> re.Pattern[str]:
    """The numbers a description takes. `length`: of the numbers asked about, None = whatever it is."""
    if desc is None or not desc.national_number_pattern:
        return _NEVER
    if length is not None and desc.possible_length and length not in desc.possible_length:
        return _NEVER
    return re.compile(desc.national_number_pattern)


def _compiled(pattern: str | None) -> re.Pattern[str]:
    return re.compile(pattern) if pattern else _NEVER


def _lengths(metadata: PhoneMetadata) -> frozenset[int]:
    desc = metadata.general_desc
    return frozenset(desc.possible_length) - frozenset(desc.possible_length_local_only) if desc is not None else frozenset()


@lru_cache(maxsize=65_536)
def zones_by_prefix(prefix: str) -> tuple[str, ...]:
    """The zones of all numbers that begin with these digits, which are as many as the country's longest entry in the table has."""
    for length in range(len(prefix), 0, -1):
        if found := TIMEZONE_DATA.get(prefix[:length]):
            return known(tuple(found))
    return known((UNKNOWN_TIMEZONE,))


@lru_cache(maxsize=4096)
def known(found: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the library's zones that this machine knows, in order; one tuple for all numbers of a place, so that a million leads share it."""
    return tuple(sorted(zone for zone in found if zone in zone_names()))
