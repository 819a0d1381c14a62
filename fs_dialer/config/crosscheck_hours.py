"""Is there any minute at which a campaign may call: its hours, their holidays, its profile's hours, its window, all at once?

Where a lead lives is not known here. So a window is found shut only when it is shut on every clock of the world, from UTC-12 to UTC+14.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from fs_dialer.config.kinds import show
from fs_dialer.config.values import show_moment
from fs_dialer.core.definition import Window
from fs_dialer.core.resources import Holiday, Hours, Profile

Week = tuple[tuple[tuple[int, int], ...], ...]
_FULL: Week = (((0, 1440),),) * 7
_CLOCKS = tuple(timezone(timedelta(hours=hours)) for hours in range(-12, 15))


def nothing_open(hours: Hours, profile: Profile, window: Window) -> str | None:
    """What makes every call impossible, in words; None where some minute is open."""
    week = _meet(_week(hours), _week(profile.hours))
    shown = show("hours", Hours(hours.week))
    if not any(week):
        return f"{shown} and {profile.name}'s {show('hours', Hours(profile.hours.week))} never meet: nobody would ever be called"
    if window.start is None or window.end is None or window.end <= window.start:
        return None
    holidays = (*hours.holidays, *profile.hours.holidays)
    clocks: tuple[tzinfo, ...] = (ZoneInfo(window.zone), *_CLOCKS)
    office = ZoneInfo(hours.zone) if hours.zone else None
    for clock in clocks:
        for opening, closing in _spans(week, holidays, clock, window.start, window.end):
            if office is None or next(_spans(_week(hours), hours.holidays, office, opening, closing), None):
                return None
    begins, ends = show_moment(window.start, window.zone), show_moment(window.end, window.zone)
    closed = [f"hours {shown}"] if any(hours.week) else []
    closed += [f"holidays {', '.join(sorted({each.name or each.first for each in holidays}))}"] if holidays else []
    closed += [f"{profile.name}'s hours {show('hours', Hours(profile.hours.week))}"] if any(profile.hours.week) else []
    return f"no minute between {begins} and {ends} is open: {', '.join(closed)}"


def _week(hours: Hours) -> Week:
    return hours.week if any(hours.week) else _FULL


def _meet(one: Week, other: Week) -> Week:
    return tuple(tuple((max(a, c), min(b, d)) for a, b in mine for c, d in theirs if max(a, c) < min(b, d)) for mine, theirs in zip(one, other, strict=True))


def _spans(week: Week, holidays: tuple[Holiday, ...], clock: tzinfo, start: float, end: float) -> Iterator[tuple[float, float]]:
    """The open spans between two moments, one after the other."""
    day = datetime.fromtimestamp(start, UTC).astimezone(clock).date()
    last = datetime.fromtimestamp(end, UTC).astimezone(clock).date()
    while day <= last:
        if not _is_holiday(day, holidays):
            for opening, closing in week[day.weekday()]:
                span = max(start, _instant(day, opening, clock)), min(end, _instant(day, closing, clock))
                if span[0] < span[1]:
                    yield span
        day += timedelta(days=1)


def _is_holiday(day: date, holidays: tuple[Holiday, ...]) -> bool:
    whole, yearly = f"{day:%Y-%m-%d}", f"{day:%m-%d}"
    return any(each.first <= (whole if len(each.first) > 5 else yearly) <= each.last for each in holidays)


def _instant(day: date, minute: int, clock: tzinfo) -> float:
    return (datetime(day.year, day.month, day.day, tzinfo=clock) + timedelta(minutes=minute)).timestamp()
