"""Working hours in a zone: open or shut now, and until when (S9, D4, D9).

Pure but for the time zone database, which the standard library's zoneinfo reads. Daylight saving: a wall time that does not exist is taken at the offset
before the change, one that exists twice at its first turn; so an interval is never lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from fs_dialer.core.definition import Campaign
from fs_dialer.core.resources import Holiday, Hours, Profile

LOOK_AHEAD_DAYS = 8
LOOK_AHEAD_HOLIDAYS_DAYS = 400  # holidays may follow one another for long, and every year's may lie a year ahead
MOST_STEPS = 60  # of next_open: that many openings and closings later it gives up

HOURS, ZONES, HOLIDAYS = "hours", "zones", "holidays"


class Verdict(NamedTuple):
    """`until`: when to ask again, epoch seconds; None = never changes. Where it is shut: by which gate, and why in the operator's words."""

    open: bool
    until: float | None
    gate: str = ""
    why: str = ""


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def hours_verdict(hours: Hours, zone: str, now: float) -> Verdict:
    """Is `now` inside the hours, by the clock of `zone`, and on no holiday? `until` is the next opening or closing."""
    if hours.any_time:
        return Verdict(True, None)
    tz = zone_of(zone)
    today = datetime.fromtimestamp(now, tz).date()
    for start, end in _spans(hours, tz, today - timedelta(days=1)):
        if start <= now < end:
            return Verdict(True, end)
        if start > now:
            return _shut(hours, today, start)
    return _shut(hours, today, None)


def _shut(hours: Hours, today: date, opens: float | None) -> Verdict:
    holiday = holiday_on(hours, today)
    if holiday is not None:
        return Verdict(False, opens, HOLIDAYS, holiday.name or "a holiday")
    return Verdict(False, opens)


def zones_verdict(hours: Hours, zones: tuple[str, ...], fallback: str, now: float) -> Verdict:
    """Every candidate zone must allow the call (D4); a number of no known zone is judged by the campaign's."""
    return _together((hours_verdict(hours, zone, now), ZONES, zone) for zone in (zones or (fallback,)))


def dial_verdict(campaign: Campaign, zones: tuple[str, ...], now: float) -> Verdict:
    """May a number of these zones be called now: by the hours where your agents work, by those where it lives, by the compliance profile (S9, D4, D10)?"""
    return _together(_judged(campaign, zones or (campaign.window.zone,), now))


def next_open(campaign: Campaign, zones: tuple[str, ...], now: float) -> float | None:
    """When such a number may be called next: `now` itself where it may now; None = never, as far as can be seen."""
    at = now
    for _ in range(MOST_STEPS):
        verdict = dial_verdict(campaign, zones, at)
        if verdict.open:
            return at
        if verdict.until is None:
            return None
        at = verdict.until
    return None


def next_time_of_day(minute: int, zone: str, now: float) -> float:
    """The next moment at which the clock of `zone` shows this minute of the day; always later than `now`."""
    tz = zone_of(zone)
    today = datetime.fromtimestamp(now, tz).date()
    return next(at for days in range(3) if (at := _instant(today + timedelta(days=days), minute, tz)) > now)


def start_of_day(now: float, zone: str) -> float:
    """When the day of `now` began on the clock of `zone`, epoch seconds (D9)."""
    tz = zone_of(zone)
    return _instant(datetime.fromtimestamp(now, tz).date(), 0, tz)


def next_day(now: float, zone: str) -> float:
    """When the next day begins there."""
    tz = zone_of(zone)
    return _instant(datetime.fromtimestamp(now, tz).date() + timedelta(days=1), 0, tz)


def holiday_on(hours: Hours, day: date) -> Holiday | None:
    """The holiday that this day is, None on others."""
    full, yearly = day.isoformat(), f"{day:%m-%d}"
    for each in hours.holidays:
        shown = full if len(each.first) == len(full) else yearly
        inside = each.first <= shown <= each.last if each.first <= each.last else shown >= each.first or shown <= each.last
        if inside:
            return each
    return None


def profile_hours(profile: Profile) -> Hours:
    """When a compliance profile allows calls, its days without calls included."""
    return profile.hours if not profile.holidays else Hours(profile.hours.week, (*profile.hours.holidays, *profile.holidays))


def _judged(campaign: Campaign, zones: tuple[str, ...], now: float) -> Iterator[tuple[Verdict, str, str]]:
    hours = campaign.hours
    if hours.zone:
        yield hours_verdict(hours, hours.zone, now), HOURS, hours.zone
    by_law = profile_hours(campaign.compliance)
    for zone in zones:
        yield hours_verdict(hours, zone, now), ZONES, zone
        if not by_law.any_time:
            law = hours_verdict(by_law, zone, now)
            yield (law if law.open or law.why else law._replace(why=f"compliance profile {campaign.compliance.name}, by the clock of {zone}")), ZONES, zone


def _together(verdicts: Iterator[tuple[Verdict, str, str]]) -> Verdict:
    """All must be open. Of the shut ones the last to open says until when; the first shut gate in the order holidays come last says why."""
    closings: list[float] = []
    shut: list[tuple[int, Verdict]] = []
    for verdict, gate, zone in verdicts:
        if verdict.open:
            closings += [] if verdict.until is None else [verdict.until]
        else:
            named = Verdict(False, verdict.until, verdict.gate or gate, verdict.why or f"outside working hours by the clock of {zone}")
            shut.append(((HOURS, ZONES, HOLIDAYS).index(named.gate), named))
    if not shut:
        return Verdict(True, min(closings, default=None))
    first = min(shut, key=lambda item: item[0])[1]
    untils = [verdict.until for _, verdict in shut]
    return first._replace(until=None if None in untils else max(until for until in untils if until is not None))


def _spans(hours: Hours, tz: ZoneInfo, first_day: date) -> Iterator[tuple[float, float]]:
    """The open spans of the days from `first_day`, joined where one ends as the next begins. No week = all day, holidays apart."""
    days = LOOK_AHEAD_HOLIDAYS_DAYS if hours.holidays else LOOK_AHEAD_DAYS
    week = hours.week if any(hours.week) else (((0, 1440),),) * 7
    pending: tuple[float, float] | None = None
    for offset in range(days + 2):
        day = first_day + timedelta(days=offset)
        if hours.holidays and holiday_on(hours, day) is not None:
            continue
        for start, end in week[day.weekday()]:
            opening, closing = _instant(day, start, tz), _instant(day, end, tz)
            if pending is not None and pending[1] >= opening:
                pending = (pending[0], max(pending[1], closing))
                if offset > LOOK_AHEAD_DAYS:  # open for more than a week without a break: far enough
                    yield pending
                    return
            elif closing > opening:
                if pending is not None:
                    yield pending
                pending = (opening, closing)
    if pending is not None:
        yield pending


def _instant(day: date, minute: int, tz: ZoneInfo) -> float:
    midnight = datetime(day.year, day.month, day.day)
    local = midnight + timedelta(minutes=minute)
    return local.replace(tzinfo=tz).astimezone(UTC).timestamp()
