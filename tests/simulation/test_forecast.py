from __future__ import annotations

from dataclasses import replace

import pytest

from fs_dialer.simulation.day import simulate
from fs_dialer.simulation.figures import Figures
from fs_dialer.simulation.forecast import Range, outlook, percentile, range_of
from fs_dialer.simulation.setting import Setting
from tests.simulation.test_day import a_campaign


@pytest.fixture(scope="module")
def day() -> Figures:
    return simulate(Setting(a_campaign(), agent_count=2, hours=0.2))


def test_a_range_is_the_mean_and_eight_days_of_ten() -> None:
    assert range_of([float(n) for n in range(11)]) == Range(5.0, 1.0, 9.0, 11)
    assert range_of([None, 3.0]) == Range(3.0, 3.0, 3.0, 1)
    assert range_of([None]) is None
    assert percentile([1.0, 2.0], 0.9) == pytest.approx(1.9)


def test_missed_calls_of_all_days_are_taken_of_all_their_answers(day: Figures) -> None:
    days = [replace(day, missed=0, answered=100, missed_rate=0.0, ceiling=0.03), replace(day, missed=5, answered=50, missed_rate=0.1, ceiling=0.03)]
    forecast = outlook(days).forecast
    assert forecast.missed_rate_all == pytest.approx(5 / 150, abs=1e-6) and forecast.over_ceiling == 1
    assert outlook([day]).forecast.over_ceiling is None


def test_a_list_that_was_finished_on_some_days_only_is_told_so(day: Figures) -> None:
    found = outlook([replace(day, finished_s=100.0), replace(day, finished_s=None)]).forecast.finished_s
    assert found == Range(100.0, 100.0, 100.0, 1)


def test_days_of_different_length_share_the_parts_they_came_to(day: Figures) -> None:
    course = outlook([day, replace(day, course=day.course[:1])]).course
    assert [point.lines.days if point.lines else 0 for point in course] == [2] + [1] * (len(day.course) - 1)


def test_no_day_is_no_forecast() -> None:
    with pytest.raises(ValueError, match="no day"):
        outlook([])
