"""Working hours where the number lives: open or shut, and until when, through both changes of the clock (S9, D4, D9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.core.resources import Holiday, Hours
from fs_dialer.core.schedule import Verdict, dial_verdict, hours_verdict, next_open, next_time_of_day, zones_verdict
from tests.core.builders import a_campaign

MADRID, NEW_YORK, TOKYO, LORD_HOWE = "Europe/Madrid", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe"
DAY = 1440


def at(zone: str, year: int, month: int, day: int, hour: int = 0, minute: int = 0, fold: int = 0) -> float:
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def weekly(*days: tuple[tuple[int, int], ...]) -> Hours:
    return Hours(tuple(days))


def every_day(*spans: tuple[int, int]) -> Hours:
    return Hours((tuple(spans),) * 7)


OFFICE = weekly(*(((8 * 60, 12 * 60), (13 * 60, 20 * 60)),) * 5, (), ())


@pytest.mark.spec("D11")
def test_no_hours_are_any_time() -> None:
    assert hours_verdict(Hours(), MADRID, 0.0) == Verdict(True, None)


@pytest.mark.spec("S9")
def test_inside_it_is_open_until_the_closing() -> None:
    assert hours_verdict(OFFICE, MADRID, at(MADRID, 2026, 5, 28, 9)) == Verdict(True, at(MADRID, 2026, 5, 28, 12))


@pytest.mark.spec("S9")
def test_at_the_minute_of_opening_it_is_open_and_at_that_of_closing_shut() -> None:
    assert hours_verdict(OFFICE, MADRID, at(MADRID, 2026, 5, 28, 8)).open
    assert hours_verdict(OFFICE, MADRID, at(MADRID, 2026, 5, 28, 12)) == Verdict(False, at(MADRID, 2026, 5, 28, 13))


@pytest.mark.spec("S9")
def test_on_friday_evening_it_is_shut_until_monday() -> None:
    assert hours_verdict(OFFICE, MADRID, at(MADRID, 2026, 5, 29, 20)) == Verdict(False, at(MADRID, 2026, 6, 1, 8))


def test_days_that_meet_at_midnight_are_one_span() -> None:
    hours = weekly(((1200, DAY),), ((0, 120),), (), (), (), (), ())
    assert hours_verdict(hours, TOKYO, at(TOKYO, 2026, 6, 1, 23)) == Verdict(True, at(TOKYO, 2026, 6, 2, 2))


def test_sunday_s_midnight_joins_monday() -> None:
    hours = weekly(((0, 60),), (), (), (), (), (), ((1380, DAY),))
    assert hours_verdict(hours, TOKYO, at(TOKYO, 2026, 5, 31, 23, 30)) == Verdict(True, at(TOKYO, 2026, 6, 1, 1))


def test_open_all_week_never_shuts() -> None:
    for hour in range(24 * 8):
        now = at(MADRID, 2026, 3, 28) + hour * 3600
        verdict = hours_verdict(every_day((0, DAY)), MADRID, now)
        assert verdict.open and verdict.until is not None and verdict.until > now


def test_the_hour_that_spring_skips_shortens_the_day() -> None:
    """29 March 2026, Madrid: 2:00 becomes 3:00."""
    hours = every_day((60, 240))
    verdict = hours_verdict(hours, MADRID, at(MADRID, 2026, 3, 29, 1))
    assert verdict == Verdict(True, at(MADRID, 2026, 3, 29, 4))
    assert at(MADRID, 2026, 3, 29, 4) - at(MADRID, 2026, 3, 29, 1) == 2 * 3600


def test_the_hour_that_autumn_repeats_lengthens_the_day() -> None:
    """25 October 2026, Madrid: 3:00 becomes 2:00."""
    hours = every_day((60, 240))
    opened = at(MADRID, 2026, 10, 25, 1)
    assert hours_verdict(hours, MADRID, opened).until == opened + 4 * 3600


def test_hours_inside_the_skipped_hour_are_not_lost() -> None:
    hours = every_day((135, 165))
    verdict = hours_verdict(hours, MADRID, at(MADRID, 2026, 3, 29, 0))
    assert not verdict.open and verdict.until == at(MADRID, 2026, 3, 29, 3, 15)
    assert hours_verdict(hours, MADRID, verdict.until).open


def test_hours_inside_the_repeated_hour_hold_at_its_first_turn() -> None:
    hours = every_day((135, 165))
    first = at(MADRID, 2026, 10, 25, 2, 15)
    assert hours_verdict(hours, MADRID, first) == Verdict(True, first + 1800)
    assert not hours_verdict(hours, MADRID, at(MADRID, 2026, 10, 25, 2, 20, fold=1)).open


# --- several zones (D4) ---------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D4")
def test_every_candidate_zone_must_allow_the_call_D4() -> None:
    hours = every_day((9 * 60, 20 * 60))
    now = at(MADRID, 2026, 5, 28, 12)  # 6:00 in New York
    assert zones_verdict(hours, (MADRID,), "UTC", now).open
    verdict = zones_verdict(hours, (MADRID, NEW_YORK), "UTC", now)
    assert verdict[:2] == (False, at(NEW_YORK, 2026, 5, 28, 9)) and NEW_YORK in verdict.why
    assert zones_verdict(hours, (MADRID, NEW_YORK), "UTC", verdict.until or 0.0) == Verdict(True, at(MADRID, 2026, 5, 28, 20))


@pytest.mark.spec("D4")
def test_zones_that_never_meet_are_asked_again_and_stay_shut() -> None:
    hours = every_day((9 * 60, 12 * 60))
    now = at(TOKYO, 2026, 5, 28, 9)
    for _ in range(20):
        verdict = zones_verdict(hours, (TOKYO, NEW_YORK), "UTC", now)
        assert not verdict.open and verdict.until is not None and verdict.until > now
        now = verdict.until


def test_a_number_of_no_known_zone_is_judged_by_the_campaign_s() -> None:
    hours = every_day((9 * 60, 20 * 60))
    now = at(MADRID, 2026, 5, 28, 9)
    assert zones_verdict(hours, (), MADRID, now).open and not zones_verdict(hours, (), NEW_YORK, now).open


# --- against a slow oracle ------------------------------------------------------------------------------------------------------------


def slow(hours: Hours, zone: str, now: float) -> bool:
    """Every span of the days around, each end moved through UTC by itself; no joins, no looking ahead."""
    tz = ZoneInfo(zone)
    today = datetime.fromtimestamp(now, tz).date()
    for offset in (-1, 0, 1):
        day = today + timedelta(days=offset)
        for start, end in hours.week[day.weekday()]:
            first, last = ((datetime(day.year, day.month, day.day) + timedelta(minutes=m)).replace(tzinfo=tz).astimezone(UTC).timestamp() for m in (start, end))
            if first <= now < last:
                return True
    return False


def spans_of_a_day() -> st.SearchStrategy[tuple[tuple[int, int], ...]]:
    marks = st.lists(st.integers(0, 96).map(lambda quarter: quarter * 15), unique=True, max_size=6).map(sorted)
    return marks.map(lambda m: tuple(zip(m[::2], m[1::2], strict=False)))


CHANGES = [
    (MADRID, at(MADRID, 2026, 3, 28)),
    (MADRID, at(MADRID, 2026, 10, 24)),
    (NEW_YORK, at(NEW_YORK, 2026, 3, 7)),
    (NEW_YORK, at(NEW_YORK, 2026, 10, 31)),
    (LORD_HOWE, at(LORD_HOWE, 2026, 4, 4)),  # half an hour
    (TOKYO, at(TOKYO, 2026, 1, 1)),
]


@pytest.mark.spec("S9")
@given(st.tuples(*[spans_of_a_day()] * 7), st.sampled_from(CHANGES), st.integers(0, 3 * 96))
@settings(max_examples=150, deadline=None)
def test_the_verdict_and_its_until_agree_with_a_slow_walk(week: tuple[tuple[tuple[int, int], ...], ...], place: tuple[str, float], quarter: int) -> None:
    hours, (zone, start) = Hours(week), place
    if hours.any_time:
        return
    now = start + quarter * 900
    verdict = hours_verdict(hours, zone, now)
    assert verdict.open == slow(hours, zone, now)
    assert verdict.until is not None and verdict.until > now
    step = now
    while step < min(verdict.until, now + 2 * 86400):
        assert slow(hours, zone, step) == verdict.open, f"changes at {step}, before the promised {verdict.until}"
        step += 900
    if verdict.until < now + 7 * 86400:
        assert slow(hours, zone, verdict.until) is not verdict.open


@pytest.mark.parametrize("zone", [MADRID, NEW_YORK, LORD_HOWE])
def test_a_year_of_office_hours_opens_and_shuts_as_the_slow_walk_says(zone: str) -> None:
    now, end = at(zone, 2026, 1, 1), at(zone, 2027, 1, 1)
    while now < end:
        verdict = hours_verdict(OFFICE, zone, now)
        assert verdict.until is not None and verdict.open == slow(OFFICE, zone, now)
        assert slow(OFFICE, zone, verdict.until - 60) is verdict.open
        now = verdict.until


# --- holidays, profiles, the next opening ---------------------------------------------------------------------------------------------


def with_holidays(*days: Holiday, week: Hours = OFFICE) -> Hours:
    return Hours(week.week, days)


@pytest.mark.spec("S9")
def test_a_holiday_is_shut_all_day_and_says_its_name() -> None:
    hours = with_holidays(Holiday("Corpus", "2026-05-28", "2026-05-28"))
    verdict = hours_verdict(hours, MADRID, at(MADRID, 2026, 5, 28, 9))
    assert verdict == Verdict(False, at(MADRID, 2026, 5, 29, 8), "holidays", "Corpus")
    assert hours_verdict(hours, MADRID, at(MADRID, 2026, 5, 29, 9)).open


def test_a_holiday_that_returns_every_year_may_span_the_new_year() -> None:
    hours = with_holidays(Holiday("winter break", "12-24", "01-02"))
    for year, month, day, is_open in ((2026, 12, 23, True), (2026, 12, 24, False), (2027, 1, 1, False), (2028, 1, 3, True)):
        assert hours_verdict(hours, MADRID, at(MADRID, year, month, day, 9)).open is is_open


def test_after_a_month_of_holidays_the_opening_is_found() -> None:
    hours = with_holidays(Holiday("closed", "2026-07-01", "2026-08-31"))
    assert hours_verdict(hours, MADRID, at(MADRID, 2026, 7, 15, 9)).until == at(MADRID, 2026, 9, 1, 8)


def test_holidays_without_hours_mean_any_time_of_the_other_days() -> None:
    hours = Hours(holidays=(Holiday("x", "05-28", "05-28"),))
    assert hours_verdict(hours, TOKYO, at(TOKYO, 2026, 5, 27, 3)).open
    assert hours_verdict(hours, TOKYO, at(TOKYO, 2026, 5, 28, 3)).until == at(TOKYO, 2026, 5, 29)


@pytest.mark.spec("S9", "D9")
def test_a_schedule_with_a_zone_must_be_open_there_too() -> None:
    campaign = a_campaign(hours=Hours(OFFICE.week, zone=TOKYO))
    morning = at(MADRID, 2026, 5, 28, 9)  # 16:00 in Tokyo
    assert dial_verdict(campaign, (MADRID,), morning).open
    evening = dial_verdict(campaign, (MADRID,), at(MADRID, 2026, 5, 28, 14))  # 21:00 in Tokyo
    assert (evening.open, evening.gate) == (False, "hours") and TOKYO in evening.why


@pytest.mark.spec("D4", "X1")
def test_the_next_opening_is_when_every_zone_and_the_office_are_open_at_once() -> None:
    campaign = a_campaign(hours=Hours(every_day((9 * 60, 18 * 60)).week, zone=MADRID))
    now = at(MADRID, 2026, 5, 28, 20)
    found = next_open(campaign, (MADRID, NEW_YORK), now)
    assert found == at(NEW_YORK, 2026, 5, 29, 9) and dial_verdict(campaign, (MADRID, NEW_YORK), found).open
    assert next_open(campaign, (MADRID,), at(MADRID, 2026, 5, 28, 12)) == at(MADRID, 2026, 5, 28, 12)


def test_zones_that_are_never_open_at_once_have_no_next_opening() -> None:
    campaign = a_campaign(hours=every_day((9 * 60, 11 * 60)))
    assert next_open(campaign, (MADRID, "Pacific/Auckland"), at(MADRID, 2026, 5, 28, 9)) is None


@pytest.mark.parametrize("zone", [MADRID, NEW_YORK, LORD_HOWE])
def test_a_time_of_day_is_found_on_the_days_that_change_the_clock(zone: str) -> None:
    for month, day in ((3, 28), (3, 7), (10, 24), (10, 31), (4, 4)):
        for minute in (0, 90, 150, 1439):
            now = at(zone, 2026, month, day, 23, 59)
            found = next_time_of_day(minute, zone, now)
            assert now < found <= now + 25 * 3600


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 366 * 24 * 60), st.sampled_from([MADRID, NEW_YORK, TOKYO, LORD_HOWE, "Asia/Kolkata"]))
def test_what_next_open_names_is_open_and_no_minute_before_it_is(minute: int, zone: str) -> None:
    campaign = a_campaign(hours=with_holidays(Holiday("h", "12-24", "01-06")))
    now = at("UTC", 2026, 1, 1) + minute * 60.0
    found = next_open(campaign, (zone,), now)
    assert found is not None and dial_verdict(campaign, (zone,), found).open
    for step in range(1, 40):
        earlier = found - step * 911.0
        if earlier >= now:
            assert not dial_verdict(campaign, (zone,), earlier).open
