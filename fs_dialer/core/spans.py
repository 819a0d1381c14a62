"""Spans of time that reports count in: a zone's days and hours, and the three windows of the missed rate (D1, D9).

Pure: a zone and epoch seconds in, epoch seconds out. A span holds its beginning and not its end. A day lasts 23 or 25 hours where clocks change in it; an
hour that clocks show twice is two hours here, and one that they skip is none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fs_dialer.core.schedule import zone_of

HOUR_S, DAY_S = 3600.0, 86400.0
ROLLING_DAYS = 30
MICROSECOND = 1e-6
# Every zone's distance from UTC is a whole number of quarters, before and after each change: its clock begins an hour at a quarter of UTC.
QUARTER_S = 900


@dataclass(frozen=True, slots=True)
class Span:
    """[since, until), epoch seconds. Empty where it ends before it begins."""

    since: float
    until: float

    def __contains__(self, at: float) -> bool:
        return self.since <= at < self.until


def day_at(at: float, zone: str) -> date:
    """Which day it is by the zone's clock."""
    return datetime.fromtimestamp(at, zone_of(zone)).date()


def day_span(day: date, zone: str) -> Span:
    """From its first moment to that of the next. Where clocks skip midnight the day begins with what they show next; where they show it twice, with the
    first."""
    return Span(_midnight(day, zone), _midnight(day + timedelta(days=1), zone))


def day_start(zone: str, now: float) -> float:
    """The first moment of the day that it is now, by the zone's clock."""
    return _midnight(day_at(now, zone), zone)


def day_starts(span: Span, zone: str) -> list[float]:
    """The first moment of every day in the span; of the first day, the span's own."""
    starts, day = [], day_at(span.since, zone)
    while (start := max(_midnight(day, zone), span.since)) < span.until:
        starts.append(start)
        day += timedelta(days=1)
    return starts


def hour_starts(span: Span, zone: str) -> list[float]:
    """The first moment of every hour that the zone's clock shows in the span; of the first one, the span's own."""
    starts, at, clock = [], span.since, zone_of(zone)
    while at < span.until:
        starts.append(at)
        shown = datetime.fromtimestamp(at, clock)
        full = at + HOUR_S - (shown.minute * 60 + shown.second + shown.microsecond / 1e6)
        if datetime.fromtimestamp(full, clock).utcoffset() != shown.utcoffset():
            full = _changed(at, shown, clock)
        at = float(round(full))
    return starts


def _changed(at: float, shown: datetime, clock: ZoneInfo) -> float:
    """The first quarter after `at` in which the clock shows another hour, or the same once more."""
    quarter = (math.floor(at / QUARTER_S) + 1) * QUARTER_S
    while (now := datetime.fromtimestamp(quarter, clock)).hour == shown.hour and now.utcoffset() == shown.utcoffset():
        quarter += QUARTER_S
    return quarter


@dataclass(frozen=True, slots=True)
class Windows:
    """The three of the missed rate: today by the campaign's zone, the last 24 hours, the last 30 × 24 hours. All end at the same moment, and none holds it."""

    today: Span
    last_24_h: Span
    last_30_days: Span


def missed_windows(end: float, zone: str) -> Windows:
    """Those that end at `end`: now, or the end of a day that is over, which is "today" then."""
    midnight = day_span(day_at(end - MICROSECOND, zone), zone).since
    return Windows(Span(midnight, end), Span(end - DAY_S, end), Span(end - ROLLING_DAYS * DAY_S, end))


def _midnight(day: date, zone: str) -> float:
    # With fold 0, a midnight that clocks skip is the moment of the change, and of two the first.
    return datetime.combine(day, time(), zone_of(zone)).astimezone(UTC).timestamp()
