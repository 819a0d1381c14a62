"""Is there any minute at which a campaign may call?"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.config.crosscheck_hours import nothing_open
from fs_dialer.config.values import moment
from fs_dialer.core.definition import Window
from fs_dialer.core.resources import Holiday, Hours, Profile

pytestmark = pytest.mark.spec("S9", "D4", "D10")
HANOI = "Asia/Ho_Chi_Minh"
WORKDAYS = Hours(((((480, 1200)),),) * 5 + ((), ()))


def window(start: str, end: str, zone: str = HANOI) -> Window:
    return Window(start=moment(start, zone), end=moment(end, zone), zone=zone)


def test_a_weekend_is_open_nowhere_when_it_is_weekend_everywhere() -> None:
    """2026-12-05 is a Saturday. From its noon in Hanoi until Sunday noon it is Friday evening at most somewhere, and no Monday morning anywhere."""
    assert nothing_open(WORKDAYS, Profile(), window("2026-12-05 20:00", "2026-12-06 10:00"))


def test_a_night_here_may_be_day_where_the_numbers_live() -> None:
    """Calling London in the evening from Hanoi is what some people's work is."""
    assert nothing_open(WORKDAYS, Profile(), window("2026-12-01 21:00", "2026-12-01 23:00")) is None


def test_with_a_zone_of_its_own_the_schedule_must_be_open_there_too() -> None:
    hours = Hours(WORKDAYS.week, zone=HANOI)
    text = nothing_open(hours, Profile(), window("2026-12-01 21:00", "2026-12-01 23:00"))
    assert text == "no minute between 2026-12-01 21:00 and 2026-12-01 23:00 is open: hours {mon-fri: 8:00-20:00}"
    assert nothing_open(hours, Profile(), window("2026-12-01 21:00", "2026-12-02 9:00")) is None


def test_holidays_that_cover_the_window_shut_it() -> None:
    tet = (Holiday("Tet", "2027-02-05", "2027-02-10"),)
    shut = nothing_open(Hours(holidays=tet), Profile(), window("2027-02-06 14:00", "2027-02-09 12:00"))
    assert shut is not None and shut.endswith("holidays Tet")
    assert nothing_open(Hours(holidays=tet), Profile(), window("2027-02-06 8:00", "2027-02-12 8:00")) is None
    every_year = Profile(name="p", hours=Hours(holidays=(Holiday("x", "02-01", "02-28"),)))
    assert nothing_open(Hours(), every_year, window("2027-02-06 14:00", "2027-02-09 12:00"))


def test_a_profile_and_a_schedule_that_never_meet_need_no_window() -> None:
    night = Profile(name="night", hours=Hours((((0, 300),),) * 7))
    assert "never meet" in str(nothing_open(WORKDAYS, night, Window()))
    assert nothing_open(Hours(), night, Window()) is None


spans = st.tuples(st.integers(0, 1438), st.integers(1, 1440)).filter(lambda span: span[0] < span[1])
weeks = st.lists(st.lists(spans, max_size=1).map(tuple), min_size=7, max_size=7).map(tuple)


@given(weeks, weeks, st.integers(0, 20 * 24 * 4), st.integers(1, 10 * 24 * 4))
@settings(deadline=None, max_examples=60)
def test_nothing_is_open_exactly_where_a_walk_minute_by_minute_finds_nothing(ours: tuple, theirs: tuple, start: int, length: int) -> None:
    begins = moment("2026-12-01 0:00", "UTC") + start * 900
    ends = begins + length * 900
    open_week = any(max(a, c) < min(b, d) for mine, other in zip(_filled(ours), _filled(theirs), strict=True) for a, b in mine for c, d in other)
    found = nothing_open(Hours(ours), Profile(name="p", hours=Hours(theirs)), Window(start=begins, end=ends))
    walked = any(
        _is_open(ours, int(at) + offset * 3600) and _is_open(theirs, int(at) + offset * 3600)
        for at in range(int(begins), int(ends), 60 * 15)
        for offset in range(-12, 15)
    )
    if found is None:
        assert open_week
    else:
        assert not walked


def _filled(week: tuple) -> tuple:
    return week if any(week) else (((0, 1440),),) * 7


def _is_open(week: tuple, at: int) -> bool:
    day, minute = (at // 86400 + 3) % 7, at % 86400 // 60  # 1970-01-01 was a Thursday
    return any(start <= minute < end for start, end in _filled(week)[day])
