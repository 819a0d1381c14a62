"""A moment as people say it at a keyboard: `mon 8:00`, `tomorrow 9:00`, `2026-12-01 8:00`, `+2h` → epoch seconds.

Knows the clock of the zone it is given and the moment at which it was said. What reads like a past moment is refused where it must be one: a weekday or a
time of day alone means the next one. Files say moments in full (values.moment); here nobody wants to type the year.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from fs_dialer.config.values import BadValue, duration, moment, nearest, short

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
DAYS = {"today": 0, "tomorrow": 1}
HOW = "write mon 8:00, tomorrow 9:00, 8:00, 2026-12-01 8:00 or +2h"

_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_TWELVE = re.compile(r"([0-9]{1,2})(?::([0-9]{2}))?\s*(am|pm)")
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
_DAY_AND_MONTH = re.compile(r"([0-9]{1,2})\.?\s+([a-z]+)\.?(?:\s+([0-9]{4}))?")


def parse_moment(text: str, zone: str, now: float) -> float:
    """Epoch seconds. Without a date the next such moment after `now`, by the clock of `zone`. BadValue says what is wrong and what to write.

    A time that clocks skip in spring is refused, one that they show twice in autumn means the first of the two.
    """
    words = " ".join(text.lower().replace(",", " ").split())
    if words == "now":
        return now
    if words.startswith(("+", "in ")):
        return now + duration(words.removeprefix("+").removeprefix("in "))
    if _ISO_DAY.fullmatch(words) or re.match(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[t ]", words):
        return moment(words.upper(), zone)
    if twelve := _TWELVE.search(words):
        raise BadValue(f"`{short(text)}`: write {_of_twelve(twelve)}, by the clock of 24 hours")
    head, _, clock = words.rpartition(" ")
    if not _TIME.fullmatch(clock):
        raise _no_time(text, words)
    today = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone)).date()
    if not head:
        return _next(today, clock, zone, now, step=1)
    if head in DAYS:
        return _at(today + timedelta(days=DAYS[head]), clock, zone)
    day = _weekday(head)
    if day is not None:
        return _next(today + timedelta(days=(day - today.weekday()) % 7), clock, zone, now, step=7)
    return _of_the_year(text, head, clock, today, zone, now)


def _of_twelve(found: re.Match[str]) -> str:
    hour = int(found[1]) % 12 + (12 if found[3] == "pm" else 0)
    return f"{hour}:{found[2] or '00'}"


def _no_time(text: str, words: str) -> BadValue:
    if words in DAYS or _weekday(words) is not None or _DAY_AND_MONTH.fullmatch(words):
        return BadValue(f"`{short(text)}` lacks the time of day: write {words} 8:00")
    first = words.split(" ")[0] if words else ""
    guess = nearest(first, (*DAYS, "now", *WEEKDAYS)) if first else None
    return BadValue(f"`{short(text)}` is not a moment" + (f"; nearest: {guess}" if guess else "") + f": {HOW}")


def _weekday(word: str) -> int | None:
    """0 = Monday, of a name or its first three letters or more."""
    word = word.rstrip(".")
    return next((place for place, name in enumerate(WEEKDAYS) if len(word) >= 3 and name.startswith(word)), None)


def _of_the_year(text: str, head: str, clock: str, today: date, zone: str, now: float) -> float:
    """`23 nov 8:00`, with a weekday before it or a year behind it: the way we print moments ourselves."""
    weekday, _, rest = head.partition(" ")
    named = _weekday(weekday)
    found = _DAY_AND_MONTH.fullmatch(rest if named is not None and rest else head)
    month = None if found is None else next((n for n, name in enumerate(MONTHS, 1) if len(found[2]) >= 3 and name.startswith(found[2])), None)
    if found is None or month is None:
        guess = nearest(found[2], MONTHS) if found else nearest(weekday, (*DAYS, *WEEKDAYS))
        raise BadValue(f"`{short(text)}` is not a moment" + (f"; nearest: {guess}" if guess else "") + f": {HOW}")
    years = (int(found[3]),) if found[3] else (today.year, today.year + 1)
    for year in years:
        try:
            day = date(year, month, int(found[1]))
        except ValueError:
            if year == years[-1]:
                raise BadValue(f"`{short(text)}`: there is no such day") from None
            continue
        at = _at(day, clock, zone)
        if at > now or year == years[-1]:
            if named is not None and day.weekday() != named:
                raise BadValue(f"`{short(text)}`: {day:%-d %b %Y} is a {WEEKDAYS[day.weekday()].capitalize()}")
            return at
    raise AssertionError("a year is always tried")


def _next(day: date, clock: str, zone: str, now: float, *, step: int) -> float:
    at = _at(day, clock, zone)
    return at if at > now else _at(day + timedelta(days=step), clock, zone)


def _at(day: date, clock: str, zone: str) -> float:
    return moment(f"{day.isoformat()} {clock}", zone)
