"""Days and hours by the clocks of zones, on the days on which clocks change too."""

from __future__ import annotations

import calendar
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from fs_dialer.core.spans import Span, day_at, day_span, day_starts, hour_starts, missed_windows

LONDON, MADRID, HANOI, LORD_HOWE, KATHMANDU, SANTIAGO = (
    "Europe/London", "Europe/Madrid", "Asia/Ho_Chi_Minh", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago"
)  # fmt: skip
pytestmark = pytest.mark.spec("D9")


def utc(*when: int) -> float:
    """year, month, day, hour …"""
    return float(calendar.timegm((*when, 0, 0, 0)[:6]))


def clock(at: float, zone: str) -> str:
    return datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%H:%M %z")


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (LONDON, date(2026, 3, 29), 23),
        (LONDON, date(2026, 10, 25), 25),
        (LONDON, date(2026, 7, 1), 24),
        (HANOI, date(2026, 3, 29), 24),
        (LORD_HOWE, date(2026, 4, 5), 24.5),
        (SANTIAGO, date(2026, 9, 6), 23),  # its clocks skip midnight
    ],
)
def test_a_day_is_as_long_as_its_clock_says(zone: str, day: date, hours: float) -> None:
    span = day_span(day, zone)
    assert (span.until - span.since) / 3600 == hours
    assert day_at(span.since, zone) == day_at(span.until - 1, zone) == day
    assert day_at(span.since - 1, zone) < day < day_at(span.until, zone)


def test_a_zones_day_is_not_utcs() -> None:
    assert day_span(date(2026, 11, 20), HANOI) == Span(utc(2026, 11, 19, 17), utc(2026, 11, 20, 17))


@pytest.mark.parametrize(
    ("day", "count", "around_two"), [(date(2026, 3, 29), 23, ["01:00 +0100", "03:00 +0200"]), (date(2026, 10, 25), 25, ["02:00 +0200", "02:00 +0100"])]
)
def test_an_hour_that_is_skipped_is_none_and_one_shown_twice_is_two(day: date, count: int, around_two: list[str]) -> None:
    starts = [clock(at, MADRID) for at in hour_starts(day_span(day, MADRID), MADRID)]
    assert len(starts) == count
    at = starts.index(around_two[0])
    assert starts[at : at + 2] == around_two


def test_a_clock_that_changes_by_half_an_hour_has_a_half_hour() -> None:
    starts = hour_starts(day_span(date(2026, 4, 5), LORD_HOWE), LORD_HOWE)
    assert [clock(at, LORD_HOWE) for at in starts[1:4]] == ["01:00 +1100", "01:30 +1030", "02:00 +1030"]


def test_hours_begin_where_the_zones_clock_begins_them() -> None:
    first, second, *_ = hour_starts(day_span(date(2026, 5, 1), KATHMANDU), KATHMANDU)
    assert (first, second - first) == (utc(2026, 4, 30, 18, 15), 3600.0)


def test_a_span_that_begins_inside_an_hour_keeps_its_own_beginning() -> None:
    assert hour_starts(Span(utc(2026, 5, 1, 8, 20) + 0.5, utc(2026, 5, 1, 10)), "UTC") == [utc(2026, 5, 1, 8, 20) + 0.5, utc(2026, 5, 1, 9)]
    assert day_starts(Span(utc(2026, 5, 1, 8), utc(2026, 5, 3)), "UTC") == [utc(2026, 5, 1, 8), utc(2026, 5, 2)]
    assert hour_starts(Span(5.0, 5.0), "UTC") == day_starts(Span(5.0, 5.0), "UTC") == []


def test_hours_and_days_make_up_their_span_without_a_gap() -> None:
    for zone in (LONDON, LORD_HOWE, KATHMANDU, SANTIAGO):
        span = Span(utc(2026, 3, 1), utc(2026, 11, 1))
        for starts in (hour_starts(span, zone), day_starts(span, zone)):
            assert starts[0] == span.since and starts == sorted(set(starts)) and starts[-1] < span.until


@pytest.mark.spec("D1")
def test_today_begins_at_the_zones_midnight_and_the_others_roll() -> None:
    now = utc(2026, 11, 20, 7, 5)
    windows = missed_windows(now, HANOI)
    assert windows.today == Span(utc(2026, 11, 19, 17), now)
    assert windows.last_24_h == Span(utc(2026, 11, 19, 7, 5), now)
    assert windows.last_30_days == Span(utc(2026, 10, 21, 7, 5), now)


def test_at_the_end_of_a_day_that_day_is_today() -> None:
    day = day_span(date(2026, 10, 25), LONDON)
    assert missed_windows(day.until, LONDON).today == day
