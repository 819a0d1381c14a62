"""The expected wait of a queue: nothing where nothing is known, the theory's guess at first, what was seen later; and right on average."""

from __future__ import annotations

import heapq
from random import Random

import pytest

from fs_dialer.core.waiting_times import FIRST_WORTH, LEAST_SERVED, Pace


def after_calls(seconds: float, count: int = LEAST_SERVED) -> Pace:
    pace = Pace()
    for _ in range(count):
        pace.held(seconds)
    return pace


def test_nothing_is_expected_before_calls_have_ended_or_without_an_agent() -> None:
    assert after_calls(100.0, LEAST_SERVED - 1).expected_s(1, 2, 0.0) is None
    assert after_calls(100.0).expected_s(1, 0, 0.0) is None


def test_the_first_guess_is_the_mean_call_over_the_agents_for_each_place() -> None:
    pace = after_calls(100.0)
    assert pace.expected_s(1, 4, 0.0) == pytest.approx(25.0) and pace.expected_s(3, 4, 0.0) == pytest.approx(75.0)


def test_what_is_seen_outweighs_the_guess_in_the_end() -> None:
    """Agents are shared with a campaign: somebody is taken every 60 s though a call is 100 s and four agents are there."""
    pace, now = after_calls(100.0), 0.0
    pace.stands(5, 4, now)
    for _ in range(500):
        now += 60.0
        pace.served(now)
    assert pace.expected_s(1, 4, now) == pytest.approx(60.0, rel=0.02 + FIRST_WORTH / 200)


def test_time_in_which_nobody_stands_in_line_says_nothing() -> None:
    pace = after_calls(100.0)
    pace.stands(1, 1, 0.0)
    pace.stands(0, 1, 10.0)
    pace.served(10.0)
    before = pace.expected_s(1, 1, 10.0)
    assert pace.expected_s(1, 1, 5000.0) == before


def test_a_line_that_does_not_move_is_expected_to_take_longer() -> None:
    pace = after_calls(100.0)
    pace.stands(3, 1, 0.0)
    early, late = pace.expected_s(1, 1, 10.0), pace.expected_s(1, 1, 1000.0)
    assert early is not None and late is not None and late > 2 * early


def test_twice_the_agents_halve_the_wait_at_once() -> None:
    pace, now = after_calls(100.0), 0.0
    pace.stands(5, 2, now)
    for _ in range(50):
        now += 50.0
        pace.served(now)
    few, many = pace.expected_s(1, 2, now), pace.expected_s(1, 4, now)
    assert few is not None and many == pytest.approx(few / 2)


@pytest.mark.parametrize("seed", range(3))
def test_callers_are_told_the_right_wait_on_average(seed: int) -> None:
    """M/M/8 at load 0.9: the mean of what is expected is within 12 % of the mean of what is waited (bench/queue.py: 50 agents, 40 hours)."""
    rng, agents, talk_s, pace = Random(seed), 8, 100.0, Pace()
    rate, now = 0.9 * agents / talk_s, 0.0
    arrives = rng.expovariate(rate)
    busy: list[tuple[float, float]] = []  # end, how long
    line: list[tuple[float, float | None]] = []  # since, expected
    told: list[tuple[float, float]] = []
    while now < 200 * 3600.0:
        if busy and busy[0][0] <= arrives:
            now, held_s = heapq.heappop(busy)
            pace.held(held_s)
            if line:
                since, expected = line.pop(0)
                pace.stands(len(line), agents, now)
                pace.served(now)
                if expected is not None:
                    told.append((expected, now - since))
                talk = rng.expovariate(1 / talk_s)
                heapq.heappush(busy, (now + talk, talk))
            continue
        now, arrives = arrives, arrives + rng.expovariate(rate)
        if len(busy) < agents:
            talk = rng.expovariate(1 / talk_s)
            heapq.heappush(busy, (now + talk, talk))
        else:
            line.append((now, pace.expected_s(1 + len(line), agents, now)))
            pace.stands(len(line), agents, now)
    bias = sum(expected for expected, _ in told) / sum(waited for _, waited in told)
    assert 0.94 < bias < 1.12, f"seed {seed}: {bias:.3f} of {len(told)}"
