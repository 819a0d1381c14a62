"""The token bucket: what it lets through whatever happens, and what it lends."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.modes.pacer_budget import CEILING_FACTOR, Budget


@given(
    limit=st.sampled_from((0.01, 0.03, 0.1)),
    agents=st.integers(1, 200),
    end=st.one_of(st.none(), st.just(28800.0)),
    greedy=st.lists(st.booleans(), min_size=1, max_size=400),
)
@settings(max_examples=80, deadline=None)
def test_whoever_risks_only_while_it_has_a_price_stays_within_the_limit_and_the_ceiling(
    limit: float, agents: int, end: float | None, greedy: list[bool]
) -> None:
    """One call at a time, and every risk taken goes wrong: the worst that can happen."""
    budget = Budget(limit, 0.0, end, agents)
    most = 0.0
    for n, risks in enumerate(greedy * 4):
        now = n * 5.0
        price = budget.price(now, agents, 0)
        most = max(most, CEILING_FACTOR * price.set_point + 1.0 + price.lent)
        budget.answer(now, agents)
        if risks and price.q > 0.0:
            budget.miss()
        assert budget.missed <= limit * budget.answered + most
        if end is None and budget.answered >= 2 / limit:
            assert budget.missed <= math.ceil(limit * budget.answered)


def test_the_opening_token_is_paid_back_by_the_first_answers() -> None:
    budget = Budget(0.03, 0.0, None, 5)
    for n in range(67):
        budget.answer(float(n), 5)
        assert budget.tokens <= 1.0 + 0.015 * (n + 1) + 0.03
    assert budget.tokens == pytest.approx(2.0, abs=0.05)


def test_no_price_where_the_tokens_do_not_cover_what_is_at_stake() -> None:
    budget = Budget(0.03, 0.0, None, 1)
    budget.miss()
    assert budget.price(10.0, 1, 0).q == 0.0
    fresh = Budget(0.03, 0.0, None, 1)
    fresh.tokens = 1.5
    assert fresh.price(10.0, 1, 0).q > fresh.price(10.0, 1, on_hold=1).q == 0.0


def test_what_the_day_will_bring_is_lent_less_and_less_towards_its_end() -> None:
    budget = Budget(0.03, 0.0, 28800.0, 10)
    for n in range(1000):
        budget.answer(n * 14.4, 10)
    lent = [budget.price(now, 10, 0).lent for now in (14400.0, 25000.0, 28000.0, 28799.0, 28800.0, 40000.0)]
    assert lent[0] == 2.0 and lent == sorted(lent, reverse=True) and lent[-1] == lent[-2] == 0.0
    assert Budget(0.03, 0.0, None, 10).price(0.0, 10, 0).lent == 0.0


def test_z_stays_within_its_bounds() -> None:
    for agents in (1, 500):
        budget = Budget(0.03, 0.0, None, agents)
        for n in range(5000):
            budget.answer(float(n), agents)
        assert budget.z == pytest.approx(-1.0 + min(0.9, max(1.0, agents / 20) / 15))
        for n in range(3000):
            budget.answer(float(n), agents)
            budget.tokens = -50.0
        assert budget.z == -5.0


def test_within_one_window_it_goes_on_and_another_day_begins_anew() -> None:
    budget = Budget(0.03, 100.0, 28900.0, 10)
    for n in range(50):
        budget.answer(200.0 + n, 10)
    budget.miss()
    saved = json.loads(json.dumps(budget.state()))
    same, next_day = Budget(0.03, 100.0, 28900.0, 10), Budget(0.03, 86500.0, None, 10)
    same.restore(saved)
    next_day.restore(saved)
    assert same == budget
    assert next_day.tokens == 1.0 and next_day.answered == next_day.missed == 0


def test_a_crash_does_not_refill_it() -> None:
    """The store has seen 40 answers and 2 missed calls more than what was saved."""
    true, restored = Budget(0.03, 0.0, None, 5), Budget(0.03, 0.0, None, 5)
    for n in range(100):
        true.answer(float(n), 5)
        if n == 59:
            restored.restore(true.state())
    true.miss()
    true.miss()
    restored.recount(100, 2)
    assert restored.tokens == pytest.approx(true.tokens, abs=0.05) and (restored.answered, restored.missed) == (100, 2)
    from_nothing = Budget(0.03, 0.0, None, 5)
    from_nothing.recount(100, 2)
    assert from_nothing.tokens == pytest.approx(true.tokens, abs=0.05)
