"""The file an admin starts from (S19, S20): the columns by our names, two contacts as examples, every cell text.

Knows what a good lead file looks like; what is written here is read back without a problem. Its numbers are reserved for fiction where a country has
such a range, and the numbering plan's own examples elsewhere. They have their country code and no +: that survives a spreadsheet's taking it for a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from fs_dialer.config.csv_text import Dialect, write_rows
from fs_dialer.config.leads_xlsx import Workbook, write_sheet
from fs_dialer.config.phone_numbers import BadNumber, parse_number
from fs_dialer.config.values import short
from fs_dialer.errors import ConfigError, Problem

HEADER = ("phone", "phone2", "name", "zone", "owner", "not_before", "city", "note")
# Two mobile or general ones and a fixed one. ATIS-0300115 (555-01xx), Ofcom's and ACMA's numbers for drama, ARCEP's for fiction, Bundesnetzagentur's for
# films, PTS's for books and films.
RESERVED = {
    "US": ("12025550123", "12025550187", "12125550142"),
    "CA": ("14165550123", "14165550187", "16045550142"),
    "GB": ("447700900123", "447700900456", "442079460123"),
    "AU": ("61491570156", "61491570157", "61255501234"),
    "FR": ("33639981234", "33639985678", "33199001234"),
    "DE": ("4915228817386", "4915228895456", "493023125123"),
    "SE": ("46701740605", "46701740635", "46846500450"),
}
_EXAMPLE_TYPES = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_WRITERS = (".csv", ".tsv", ".xlsx")


def write_template(path: Path, region: str = "") -> None:
    """Write the template, over whatever stood there; .csv, .tsv or .xlsx by its name. `region`: the country of its numbers, "" = written with a +.

    ConfigError for another kind of file, a region that is no country, or a place that can not be written to.
    """
    region = region.upper()
    if region and region not in phonenumbers.SUPPORTED_REGIONS:
        raise ConfigError([Problem("region", 0, 0, "", f"`{short(region)}` is no country: two letters, as in VN or US")])
    suffix = path.suffix.casefold()
    if suffix not in _WRITERS:
        raise ConfigError([Problem(str(path), 0, 0, "", f"a template is one of {', '.join(_WRITERS)}: name the file so")])
    try:
        if suffix == ".xlsx":
            write_sheet(path, HEADER, _rows(region), Workbook())
        else:
            write_rows(path, HEADER, _rows(region), Dialect("\t" if suffix == ".tsv" else ",", "utf-8-sig"))  # without the mark Excel misreads names
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, 0, "", f"can not be written: {error.strerror or error}")]) from None


def _rows(region: str) -> Sequence[Sequence[str]]:
    one, two, three = _numbers(region)
    place = next(iter(parse_number(one, region)[1]), "Europe/London")
    return (
        (one, three, "Example One", "", "", "", "", "delete the two examples"),
        (two, "", "Example Two", place, "", "2030-01-15 09:00", "", "zone, owner and not_before may stay empty"),
    )


def _numbers(region: str) -> tuple[str, str, str]:
    if not region:
        return ("+12025550123", "+447700900123", "+442079460123")
    if region in RESERVED:
        return RESERVED[region]
    found = [phonenumbers.example_number_for_type(region, kind) for kind in _EXAMPLE_TYPES]
    written = [phonenumbers.format_number(number, PhoneNumberFormat.E164) for number in found if number is not None]
    first, last = written[0], written[-1]
    # The plan has one example of a kind: the neighbour that is a number as well is the second.
    neighbours = (f"{first[:-1]}{digit}" for digit in "0123456789")
    second = next((number for number in neighbours if number != first and _is_number(number)), first)
    return _plain(first, region), _plain(second, region), _plain(last, region)


def _is_number(number: str) -> bool:
    try:
        return parse_number(number)[0] == number
    except BadNumber:
        return False


def _plain(number: str, region: str) -> str:
    """Without its +, where the number is understood so in its country."""
    digits = number.removeprefix("+")
    try:
        return digits if parse_number(digits, region)[0] == number else number
    except BadNumber:
        return number
