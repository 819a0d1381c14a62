"""The rarer kinds of values, one text to one value each: quotas, prolongations, comparisons, times of day, days of the year, addresses, secrets by reference.

Like values.py it knows how people write them, and nothing of files or bounds; every reader raises BadValue.
"""

from __future__ import annotations

import calendar
import re
from urllib.parse import urlsplit

from fs_dialer.config.secret import REFERENCE
from fs_dialer.config.values import BadValue, duration, short, show_duration
from fs_dialer.core.webhooks import LOCAL

_PER = re.compile(r"([0-9]{1,7})\s*(?:/|\ba\b|\bper\b)\s*(day|hour)", re.IGNORECASE)
_COMPARE = re.compile(r"(>=|<=|>|<|==?|≥|≤)?\s*([0-9]{1,6})(\s*\+|\s+or\s+(?:more|less))?", re.IGNORECASE)
_COMPARE_WORDS = {"at least": ">=", "at most": "<=", "more than": ">", "less than": "<", "exactly": "="}
_TIME_OF_DAY = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_EXTEND = re.compile(r"([0-9]{1,4})\s*[x×*]\s*(.+)", re.IGNORECASE)
_SPAN = re.compile(r"([0-9]{1,4})(?:\s*(?:\.\.|-|to)\s*([0-9]{1,4}))?")
_DAY = re.compile(r"(?:([0-9]{4})-)?([0-9]{1,2})-([0-9]{1,2})")
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,62})(?:\.[a-z0-9](?:[a-z0-9-]{0,62}))*")
_PORT = re.compile(r":[1-9][0-9]{0,4}$")
_IPV6 = re.compile(r"[0-9a-f:.]{2,45}")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
LONGEST_ENTRY = 32  # digits that a customer is asked for at once
LEAP_YEAR = 2000  # 29 February is a day of every year's list of holidays


def per_day(value: str) -> int:
    """`50/day` → 50."""
    return _per(value, "day")


def per_hour(value: str) -> int:
    """`3/hour` → 3."""
    return _per(value, "hour")


def _per(value: str, unit: str) -> int:
    value = value.strip()
    if found := _PER.fullmatch(value):
        if found[2].lower() == unit:
            return int(found[1])
        raise BadValue(f"`{short(value)}`: this is counted by the {unit}: write {found[1]}/{unit}")
    if re.fullmatch(r"[0-9]{1,7}", value):
        raise BadValue(f"{value} in what time? write {value}/{unit}")
    raise BadValue(f"`{short(value)}` is not a number by the {unit}: write 50/{unit}")


def compare(value: str) -> str:
    """`>= 3`, `3+`, `at least 3` → ">=3"; `3` → "=3"."""
    packed = " ".join(value.lower().split())
    for words, sign in _COMPARE_WORDS.items():
        packed = packed.replace(words, sign)
    found = _COMPARE.fullmatch(packed)
    if not found or (found[1] and found[3]):
        raise BadValue(f'`{short(value)}` is no comparison: write 3, 3+, ">= 3" or "< 3" (in quotes where it begins with a sign)')
    sign = {None: "=", "==": "=", "≥": ">=", "≤": "<="}.get(found[1], found[1])
    if found[3]:
        sign = "<=" if "less" in found[3] else ">="
    return f"{sign}{int(found[2])}"


def time_of_day(value: str) -> int:
    """Minutes after midnight of `18:00`; 0 to 1439."""
    found = _TIME_OF_DAY.fullmatch(value.strip())
    if not found:
        raise BadValue(f"`{short(value)}` is not a time of day: write 8:00 or 18:30")
    hour, minute = int(found[1]), int(found[2])
    if hour > 23 or minute > 59:
        raise BadValue(f"`{short(value)}` is not a time of day: 0:00 to 23:59")
    return hour * 60 + minute


def extend(value: str) -> tuple[int, float]:
    """`2 x 15s` → (2, 15.0); `none` → no prolongation."""
    value = value.strip()
    if value.lower() in ("none", "no"):
        return 0, 15.0
    found = _EXTEND.fullmatch(value)
    if not found:
        raise BadValue(f"`{short(value)}` is not a number of times: write 2 x 15s, or none")
    times, seconds = int(found[1]), duration(found[2])
    if times > 20:
        raise BadValue(f"{times} times is above 20, the most")
    if not 1 <= seconds <= 3600:
        raise BadValue(f"{show_duration(seconds)} is not within 1s and 1h")
    return times, seconds


def span(value: str) -> tuple[int, int]:
    """`4` → (4, 4), `4..8` → (4, 8): how many digits; 1 to 32."""
    found = _SPAN.fullmatch(value.strip())
    if not found:
        raise BadValue(f"`{short(value)}` is not a number or a span of them: write 4 or 4..8")
    least, most = int(found[1]), int(found[2] or found[1])
    if not 1 <= least <= LONGEST_ENTRY or not 1 <= most <= LONGEST_ENTRY:
        raise BadValue(f"`{short(value)}` is not within 1 and {LONGEST_ENTRY}")
    if least > most:
        raise BadValue(f"`{short(value)}` ends before it begins: write {most}..{least}")
    return least, most


def days(value: str) -> list[tuple[str, str]]:
    """Holidays: `12-25` every year, `2027-02-05` once, `12-24..12-26` a span of them → (first, last), both inclusive.

    A yearly span over the turn of the year becomes two, so that first ≤ last always holds.
    """
    ends = [part.strip() for part in value.strip().split("..")]
    if len(ends) > 2 or not all(ends):
        raise BadValue(f"`{short(value)}` is not a day or a span of days: write 12-25, 2027-02-05 or 2027-02-05..2027-02-10")
    first, last = _day(ends[0], value), _day(ends[-1], value)
    if len(first) != len(last):
        raise BadValue(f"`{short(value)}`: one end has a year, the other has none: write both the same way")
    if first <= last:
        return [(first, last)]
    if len(first) == 5:
        return [(first, "12-31"), ("01-01", last)]
    raise BadValue(f"`{short(value)}` ends before it begins")


def _day(text: str, whole: str) -> str:
    found = _DAY.fullmatch(text)
    if not found:
        raise BadValue(f"`{short(text)}` in `{short(whole)}` is not a day: write 12-25 (month and day) for every year, 2027-02-05 for once")
    year, month, day = int(found[1] or LEAP_YEAR), int(found[2]), int(found[3])
    if not 1 <= month <= 12 or not 2000 <= year <= 2200 or not 1 <= day <= calendar.monthrange(year, month)[1]:
        raise BadValue(f"`{short(text)}` does not exist; month and day, as in 12-25")
    return f"{year:04}-{month:02}-{day:02}" if found[1] else f"{month:02}-{day:02}"


def host(value: str) -> str:
    """A host's name, with a port where only that one is meant; `local:` in front where it may lead into one's own network (core/webhooks.py)."""
    value = value.strip().lower()
    bare = _PORT.sub("", value.removeprefix(LOCAL))
    if _HOST.fullmatch(bare) or (bare.startswith("[") and bare.endswith("]") and _IPV6.fullmatch(bare[1:-1])):
        return value
    if "/" in value:
        raise BadValue(
            f"`{short(value)}`: the host alone is expected, as in {urlsplit(value if '//' in value else '//' + value).hostname or 'crm.example.com'}"
        )
    raise BadValue(f"`{short(value)}` is not a host's name: crm.example.com")


def url(value: str) -> str:
    """An address of https; of http only where it leads to this machine itself."""
    value = value.strip()
    if len(value) > 2000 or not re.fullmatch(r"[!-~]+", value):
        raise BadValue(f"`{short(value)}` is not an address: at most 2,000 characters, without spaces; others are written with %")
    parts, name, port = None, None, None
    try:
        parts = urlsplit(value)
        name, port = parts.hostname, parts.port
    except ValueError:
        pass
    if parts is None or parts.scheme not in ("http", "https") or not name or port == 0 or not (_HOST.fullmatch(name) or name == "::1"):
        raise BadValue(f"`{short(value)}` is not an address: write https://crm.example.com/calls")
    if "@" in parts.netloc:
        raise BadValue("an address with a user or password in it: leave them out, calls are signed with `secret`")
    if parts.scheme == "http" and name not in _LOOPBACK:
        raise BadValue(f"`{short(value)}` would go unencrypted: write https://")
    return value


def secret(value: str) -> str:
    """Where a secret is, never the secret itself."""
    value = value.strip()
    if REFERENCE.fullmatch(value):
        return value
    raise BadValue("no secret stands in a file of definitions: write env:NAME or file:/path/of/it")  # and what was written is not repeated here
