"""The chance that one answer more meets no agent, against plain convolution, and how many calls it lets through."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.modes import pacer_odds
from fs_dialer.modes.pacer_odds import Floats, calls_within, tail

CHANCE = st.floats(0.0, 1.0)


def by_convolution(base: int, free: Floats, ringing: Floats, p: float, added: int) -> float:
    total = 0.0
    for column in range(3):
        sums = np.array([1.0])
        for chance in free[:, column]:
            sums = np.convolve(sums, [1.0 - chance, chance])
        for chance in [*ringing, *[p] * added]:
            sums = np.convolve(sums, [chance, 1.0 - chance])
        least = base - len(ringing) - added
        total += float(sum(share for at, share in enumerate(sums) if at + least <= 0))
    return total / 3.0


def of(rows: list[tuple[float, float, float]]) -> Floats:
    return np.array(rows, dtype=float).reshape(-1, 3)


@given(
    free=st.lists(st.tuples(CHANCE, CHANCE, CHANCE), max_size=12),
    ringing=st.lists(CHANCE, max_size=20),
    base=st.integers(-4, 12),
    p=st.floats(0.01, 0.98),
    added=st.integers(0, 6),
)
@settings(max_examples=80, deadline=None)
def test_small_teams_are_reckoned_exactly(free: list[tuple[float, float, float]], ringing: list[float], base: int, p: float, added: int) -> None:
    exact = by_convolution(base, of(free), np.array(ringing), p, added)
    found = tail(base, of(free), np.array(ringing), p)(added)
    assert abs(found - exact) < 1e-6 or (found == 1.0 and exact > 0.98)  # far below zero nobody asks for more digits


@given(seed=st.integers(0, 10**6), busy=st.integers(40, 200), calls=st.integers(30, 200), p=st.floats(0.05, 0.9))
@settings(max_examples=30, deadline=None)
def test_the_normal_curve_with_its_third_term_agrees_with_the_exact_sum_where_teams_are_large(seed: int, busy: int, calls: int, p: float) -> None:
    rng = np.random.default_rng(seed)
    free = np.repeat(rng.uniform(0.02, 0.6, size=(busy, 1)), 3, axis=1)
    ringing = rng.uniform(0.02, min(0.95, 2 * p), size=calls)
    base = round(ringing.sum() - free[:, 0].sum() + 1.5 * math.sqrt(busy * 0.2 + calls * 0.2))
    near = pacer_odds._edgeworth(base, free, ringing, p)
    for added in (0, 3, 20):
        assert abs(near(added) - by_convolution(base, free, ringing, p, added)) < 0.01


@given(
    free=st.lists(st.tuples(CHANCE, CHANCE, CHANCE), max_size=12),
    ringing=st.lists(CHANCE, max_size=20),
    base=st.integers(-3, 40),
    p=st.floats(0.01, 0.98),
    price=st.floats(1e-4, 0.9),
    most=st.integers(0, 60),
)
@settings(max_examples=80, deadline=None)
def test_calls_are_added_while_the_chance_is_within_the_price(
    free: list[tuple[float, float, float]], ringing: list[float], base: int, p: float, price: float, most: int
) -> None:
    chance = tail(base, of(free), np.array(ringing), p)
    one_by_one = 0
    while one_by_one < most and chance(one_by_one) <= price:
        one_by_one += 1
    assert calls_within(price, base, of(free), np.array(ringing), p, most)[0] == one_by_one


def test_a_rare_answer_lets_hundreds_of_calls_through_and_no_room_none() -> None:
    nobody = np.zeros((0, 3))
    n, risk = calls_within(0.05, 5, nobody, np.zeros(0), 0.01, 10**9)
    assert 150 < n < 400 and 0.05 < risk < 0.06
    assert calls_within(0.05, 5, nobody, np.zeros(0), 0.01, 0)[0] == 0
    assert calls_within(0.05, 100_000, nobody, np.zeros(0), 0.5, 10**9)[0] == 100_000
