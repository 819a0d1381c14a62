"""Working hours in a zone: open or shut now, and until when (S9, D4, D9).

Pure but for the time zone database, which the standard library's zoneinfo reads. Daylight saving: a wall time that does not exist is taken at the offset
before the change, one that exists twice at its first turn; so an interval is never lost.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from fs_dialer.core.definition import Hours

LOOK_AHEAD_DAYS = 8


class Verdict(NamedTuple):
    """`until`: when to ask again, epoch seconds; None = never changes."""

    open: bool
    until: float | None


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def hours_verdict(hours: Hours, zone: str, now: float) -> Verdict:
    """Is `now` inside the hours, by the clock of `zone`? `until` is the next opening or closing."""
    if hours.any_time:
        return Verdict(True, None)
    tz = zone_of(zone)
    today = datetime.fromtimestamp(now, tz).date()
    spans = _spans(hours, tz, today - timedelta(days=1))
    inside = [end for start, end in spans if start <= now < end]
    if inside:
        return Verdict(True, max(inside))
    return Verdict(False, min((start for start, _ in spans if start > now), default=None))


def zones_verdict(hours: Hours, zones: tuple[str, ...], fallback: str, now: float) -> Verdict:
    """Every candidate zone must allow the call (D4); a number of no known zone is judged by the campaign's."""
    verdicts = [hours_verdict(hours, zone, now) for zone in (zones or (fallback,))]
    untils = [v.until for v in verdicts if v.until is not None]
    if all(v.open for v in verdicts):
        return Verdict(True, min(untils, default=None))
    shut = [v.until for v in verdicts if not v.open]
    if any(until is None for until in shut):
        return Verdict(False, None)
    return Verdict(False, max(until for until in shut if until is not None))


def _spans(hours: Hours, tz: ZoneInfo, first_day: date) -> list[tuple[float, float]]:
    """The open spans of the days from `first_day`, joined where one ends as the next begins."""
    spans: list[tuple[float, float]] = []
    for offset in range(LOOK_AHEAD_DAYS + 2):
        day = first_day + timedelta(days=offset)
        for start, end in hours.week[day.weekday()]:
            opening, closing = _instant(day, start, tz), _instant(day, end, tz)
            if spans and spans[-1][1] >= opening:
                spans[-1] = (spans[-1][0], max(spans[-1][1], closing))
            elif closing > opening:
                spans.append((opening, closing))
    return spans


def _instant(day: date, minute: int, tz: ZoneInfo) -> float:
    midnight = datetime(day.year, day.month, day.day)
    local = midnight + timedelta(minutes=minute)
    return local.replace(tzinfo=tz).astimezone(UTC).timestamp()
