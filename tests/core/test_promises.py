"""Times that a callback may be promised for, and the nearest that may where it may not."""

from __future__ import annotations

import random

import pytest

from fs_dialer.core.promises import FARTHEST_S, Objection, objection
from fs_dialer.core.resources import Holiday, Hours, Profile
from fs_dialer.core.schedule import dial_verdict
from tests.core.builders import a_campaign

pytestmark = pytest.mark.spec("S9", "D4", "D14")

NOON = 1_795_608_000.0  # Wed 25 Nov 2026 12:00 UTC
HOUR, DAY = 3600.0, 86400.0
OFFICE = Hours(week=(((9 * 60, 17 * 60),),) * 5 + ((), ()))
UTC = ("UTC",)


def test_a_time_inside_the_hours_may_be_promised() -> None:
    assert objection(a_campaign(hours=OFFICE), UTC, NOON + HOUR, NOON) is None


def test_a_time_that_is_over_may_not() -> None:
    assert objection(a_campaign(), UTC, NOON, NOON) == Objection("it is over", later=NOON)


def test_outside_the_hours_the_nearest_times_before_and_after_are_told() -> None:
    found = objection(a_campaign(hours=OFFICE), UTC, NOON + 3 * DAY, NOON)  # Saturday noon
    assert found is not None
    assert (found.earlier, found.later) == (NOON + 2 * DAY + 5 * HOUR - 900, NOON + 5 * DAY - 3 * HOUR)


def test_where_nothing_is_open_until_then_only_a_later_time_is_told() -> None:
    found = objection(a_campaign(hours=OFFICE), UTC, NOON + 8 * HOUR, NOON + 6 * HOUR)
    assert found is not None and (found.earlier, found.later) == (None, NOON + 21 * HOUR)


def test_all_zones_of_the_number_count() -> None:
    """9 to 17 in London and New York at once is 14 to 17 UTC."""
    found = objection(a_campaign(hours=OFFICE), ("Europe/London", "America/New_York"), NOON + HOUR, NOON)
    assert found is not None and found.later == NOON + 2 * HOUR


def test_a_profile_and_holidays_count() -> None:
    profile = Profile(name="law", hours=Hours(week=(((10 * 60, 16 * 60),),) * 7))
    found = objection(a_campaign(hours=OFFICE, compliance=profile), UTC, NOON + 4.5 * HOUR, NOON)
    assert found is not None and "law" in found.text and found.earlier == NOON + 4 * HOUR - 900
    hours = Hours(week=OFFICE.week, holidays=(Holiday("Thanksgiving", "2026-11-26", "2026-11-26"),))
    found = objection(a_campaign(hours=hours), UTC, NOON + DAY, NOON)
    assert found is not None and (found.text, found.later) == ("Thanksgiving", NOON + 2 * DAY - 3 * HOUR)


def test_the_campaigns_own_dates_are_its_bounds() -> None:
    early = objection(a_campaign(hours=OFFICE, start=NOON + DAY), UTC, NOON + HOUR, NOON)
    assert early is not None and early.later == NOON + DAY
    late = objection(a_campaign(hours=OFFICE, end=NOON + HOUR), UTC, NOON + 2 * HOUR, NOON)
    assert late is not None and (late.earlier, late.later) == (NOON + HOUR - 900, None)


def test_nobody_promises_more_than_a_year_ahead() -> None:
    assert objection(a_campaign(), UTC, NOON + FARTHEST_S + 1, NOON) is not None
    assert objection(a_campaign(), UTC, NOON + FARTHEST_S - 1, NOON) is None


@pytest.mark.parametrize("seed", range(5))
def test_what_is_told_instead_may_always_be_promised(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(100):
        spans = sorted(chance.sample(range(0, 1440, 30), 4))
        week = tuple((tuple(zip(spans[::2], spans[1::2], strict=True)) if chance.random() < 0.7 else ()) for _ in range(7))
        zones = tuple(chance.sample(["Asia/Tokyo", "Europe/London", "America/New_York", "Australia/Lord_Howe"], chance.randint(0, 2)))
        campaign = a_campaign(hours=Hours(week=week), end=NOON + chance.uniform(1, 40) * DAY)
        at = NOON + chance.uniform(0, 20) * DAY
        found = objection(campaign, zones, at, NOON)
        assert (found is None) == (dial_verdict(campaign, zones, at).open and NOON < at < (campaign.window.end or at)), seed
        for each in (found.earlier, found.later) if found else ():
            assert each is None or each == NOON or objection(campaign, zones, each, NOON) is None, (seed, found)
