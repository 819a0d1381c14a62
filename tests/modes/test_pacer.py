"""The pacer at its public interface: odd input, memory, cold start, outages, and what it says."""

from __future__ import annotations

import json
import math
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.modes.predictive import Decision, Pacer, View

pytestmark = pytest.mark.spec("S40", "X3")

KINDS = ("launched", "answered", "ended", "machine", "talk_ended", "wrap_ended", "abandoned", "sneezed")
ODD = st.one_of(st.floats(), st.sampled_from((0.0, 1.0, 1e18, -5.0)))
ODD_COUNT = st.one_of(st.integers(-5, 60), st.just(10**12))


def a_view(idle: int = 0, ringing: int = 0, talking: int = 0, on_hold: int = 0, agents: int | None = None, room: int = 10**9, now: float = 100.0) -> View:
    return View(idle, on_hold, [(now, None)] * ringing, [now - 30.0] * talking, [], idle + talking if agents is None else agents, room)


def a_warm_pacer(seed: int = 1, calls: int = 600, limit: float = 0.03, p: float = 0.3, end: float | None = 28800.0) -> tuple[Pacer, float]:
    """It has seen an hour, and no call rings."""
    pacer, rng = Pacer(limit, 2.0, 5, 0.0, end), Random(seed)
    now = 0.0
    for _ in range(calls):
        now += 6.0
        pacer.observe("launched", now)
        if rng.random() < p:
            pacer.observe("answered", now + 9.0, rng.lognormvariate(2.1, 0.5))
            pacer.observe("talk_ended", now + 9.0, rng.expovariate(1 / 120))
            pacer.observe("wrap_ended", now + 9.0, 10.0)
        else:
            pacer.observe("ended", now + 9.0, rng.uniform(25, 30))
    return pacer, now + 20.0


# --- whatever comes ---------------------------------------------------------------------------------------------------


@given(
    events=st.lists(st.tuples(st.sampled_from(KINDS), ODD, st.one_of(st.none(), ODD)), max_size=25),
    idle=ODD_COUNT,
    on_hold=ODD_COUNT,
    agents=ODD_COUNT,
    room=ODD_COUNT,
    ringing=st.lists(st.tuples(ODD, st.one_of(st.none(), ODD)), max_size=12),
    busy=st.lists(ODD, max_size=12),
    asked=st.lists(ODD, min_size=1, max_size=3),
    limit=ODD,
    wait=ODD,
)
@settings(max_examples=100, deadline=None)
def test_it_never_raises_and_never_asks_for_more_than_there_is_room(
    events: list[tuple[str, float, float | None]],
    idle: int,
    on_hold: int,
    agents: int,
    room: int,
    ringing: list[tuple[float, float | None]],
    busy: list[float],
    asked: list[float],
    limit: float,
    wait: float,
) -> None:
    pacer = Pacer(limit, wait, agents, 0.0, None)
    for kind, now, age in events:
        pacer.observe(kind, now, age)
    for now in asked:
        decision = pacer.calls_to_place(View(idle, on_hold, ringing, busy, busy, agents, room), now)
        assert 0 <= decision.n <= max(0, room) and decision.because
        assert decision.n == 0 or agents > 0
        assert math.isfinite(decision.p) and math.isfinite(decision.q)
    json.dumps(pacer.explain(asked[-1]), allow_nan=False)
    json.dumps(pacer.state(), allow_nan=False)


JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=6,
)


@given(part=st.sampled_from(sorted(a_warm_pacer(calls=5)[0].state())), junk=JUNK, missing=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_state_that_cannot_be_read_is_begun_anew_part_by_part(part: str, junk: Any, missing: bool) -> None:
    state = a_warm_pacer(calls=5)[0].state()
    if missing:
        del state[part]
    else:
        state[part] = junk
    pacer = Pacer(0.03, 2.0, 5, 0.0, 28800.0, None, state)
    assert pacer.calls_to_place(a_view(idle=2, now=4000.0), 4000.0).because
    json.dumps(pacer.state(), allow_nan=False)


def test_a_view_that_is_none_is_answered_with_zero_and_a_reason() -> None:
    pacer = Pacer(0.03, 2.0, 5, 0.0)
    broken: Any = None
    assert pacer.calls_to_place(broken, 10.0).n == 0
    decision = pacer.calls_to_place(a_view(idle=2), math.nan)
    assert (decision.n, decision.because) == (0, "the clock shows no time")


def test_a_clock_that_stands_still_or_leaps_ahead_does_no_harm() -> None:
    pacer, now = a_warm_pacer()
    view = a_view(idle=1, talking=4, now=now)
    first = [pacer.calls_to_place(view, now) for _ in range(3)]
    assert first[0].n > 0 and len({d.n for d in first}) == 1
    leapt = pacer.calls_to_place(a_view(idle=1, ringing=3, talking=4, now=now), now + 40_000.0)
    assert leapt.n >= 0 and 0 < leapt.p < 1


# --- memory -----------------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 10**6), calls=st.integers(0, 80))
@settings(max_examples=8, deadline=None)
def test_one_made_of_its_state_decides_alike_from_then_on(seed: int, calls: int) -> None:
    pacer, now = a_warm_pacer(seed, calls)
    pacer.observe("launched", now)
    pacer.observe("abandoned", now)
    pacer.calls_to_place(a_view(idle=1, ringing=1, talking=4, now=now), now)
    again = Pacer(0.03, 2.0, 5, 0.0, 28800.0, None, json.loads(json.dumps(pacer.state())))
    rng = Random(seed)
    for _ in range(12):
        now += rng.uniform(0.2, 9.0)
        kind, age = rng.choice((("launched", None), ("answered", 7.5), ("ended", 27.0), ("talk_ended", 60.0), ("abandoned", None)))
        view = a_view(rng.randrange(3), rng.randrange(6), rng.randrange(5), now=now - 3.0, agents=5)
        for each in (pacer, again):
            each.observe(kind, now, age)
        assert pacer.calls_to_place(view, now) == again.calls_to_place(view, now)
    assert again.state() == pacer.state()


def test_another_day_begins_warm_with_a_budget_of_its_own() -> None:
    pacer, _ = a_warm_pacer()
    pacer.observe("abandoned", 4000.0)
    before = pacer.explain(4000.0)
    morning = Pacer(0.03, 2.0, 5, 86400.0, 115200.0, None, pacer.state())
    after = morning.explain(86400.0)
    assert after["p_slow"] == before["p_slow"] and after["n_eff"] == before["n_eff"]
    assert (after["tok"], after["answered"], after["abandoned"]) == (1.0, 0, 0)
    assert after["in_flight_bound"] is None  # no cold start


# --- what holds it ----------------------------------------------------------------------------------------------------


@pytest.mark.spec("S41", "S42")
def test_a_cold_start_keeps_few_calls_in_flight_and_says_so() -> None:
    pacer = Pacer(0.03, 2.0, 300, 0.0)
    decision = pacer.calls_to_place(a_view(idle=300), 1.0)
    assert decision.n == 20 and "learning" in decision.because
    for _ in range(20):
        pacer.observe("launched", 1.0)
    for _ in range(10):
        pacer.observe("ended", 3.0, 2.0)
    assert pacer.calls_to_place(a_view(idle=300, ringing=10, now=1.0), 3.0).n == 30


def test_nobody_is_dialled_for_when_all_agents_have_gone() -> None:
    pacer, now = a_warm_pacer()
    for _ in range(50):
        pacer.observe("launched", now)
    decision = pacer.calls_to_place(a_view(ringing=50, agents=0, now=now), now)
    assert decision == Decision(0, "no agent is logged in and available", decision.q, decision.p)


def test_a_budget_that_is_used_up_leaves_one_line_for_each_free_agent() -> None:
    pacer, now = a_warm_pacer(end=None)
    for _ in range(20):
        pacer.observe("abandoned", now)
    decision = pacer.calls_to_place(a_view(idle=3, ringing=1, talking=4, now=now), now)
    assert decision.n == 2 and decision.q == 0.0 and "budget used up" in decision.because
    assert pacer.calls_to_place(a_view(idle=0, talking=4, now=now), now).n == 0


@pytest.mark.spec("S43")
def test_the_smaller_the_limit_the_fewer_calls() -> None:
    wanted = []
    for limit in (0.005, 0.03, 0.1):
        pacer, now = a_warm_pacer(limit=limit)
        wanted.append(pacer.calls_to_place(a_view(idle=2, talking=8, now=now), now).n)
    assert wanted[0] < wanted[1] <= wanted[2]


@pytest.mark.spec("S41")
def test_lines_hold_it_and_it_says_so() -> None:
    pacer, now = a_warm_pacer()
    assert "lines" in pacer.calls_to_place(a_view(idle=5, room=2, now=now), now).because
    assert pacer.calls_to_place(a_view(idle=5, room=2, now=now), now).n == 2
    assert pacer.calls_to_place(a_view(idle=5, room=0, now=now), now).because == "no line is free"


def test_ringing_calls_and_busy_agents_hold_it_in_words() -> None:
    pacer, now = a_warm_pacer()
    assert "no agent is likely to be free" in pacer.calls_to_place(a_view(talking=5, now=now), now).because
    assert "enough calls ring" in pacer.calls_to_place(a_view(ringing=8, talking=5, now=now), now).because
    assert "1 customer waits" in pacer.calls_to_place(a_view(on_hold=1, talking=5, now=now), now).because


def test_a_lead_that_hardly_ever_answers_leaves_room_for_more_calls_and_a_likely_one_for_fewer() -> None:
    """By how much leads differ is taken from outside; what they answer on the whole, from here."""
    wanted = {}
    for name, pis in (("alike", [None] * 8), ("poor", [0.05] * 8), ("good", [0.7] * 8)):
        pacer, now = a_warm_pacer()
        for n in range(100):  # leads of every kind have been seen
            started = now - 200.0 + n
            pacer.observe("launched", started)
            pacer.calls_to_place(View(0, 0, [(started, (0.05, 0.3, 0.7)[n % 3])], [], [], 10, 0), started)
            pacer.observe("ended", started, 20.0)
        for _ in pis:
            pacer.observe("launched", now)
        view = View(3, 0, [(now, pi) for pi in pis], [now - 30.0] * 7, [], 10, 10**9)
        wanted[name] = pacer.calls_to_place(view, now).n
    assert wanted["poor"] > wanted["alike"] >= wanted["good"]


# --- ours and the network's faults ------------------------------------------------------------------------------------


def test_calls_that_vanish_without_a_word_of_the_callee_leave_the_estimates_alone() -> None:
    pacer, now = a_warm_pacer()
    pacer.calls_to_place(a_view(now=now), now)
    before = pacer.explain(now)
    for _ in range(120):
        now += 1.0
        decision = pacer.calls_to_place(a_view(idle=5, now=now), now)
        for _ in range(decision.n):
            pacer.observe("launched", now)
    after = pacer.explain(now)
    assert (after["p_slow"], after["ring_answered_s"]) == (pytest.approx(before["p_slow"], abs=0.03), before["ring_answered_s"])


def test_after_half_a_minute_of_them_the_bound_of_the_cold_start_holds_again_until_calls_get_through() -> None:
    pacer, now = a_warm_pacer()
    bounds = []
    for _ in range(60):
        now += 1.0
        decision = pacer.calls_to_place(a_view(idle=5, now=now), now)
        for _ in range(decision.n):
            pacer.observe("launched", now)
        bounds.append(pacer.explain(now)["in_flight_bound"])
    assert bounds[20] is None and bounds[45] == 20
    assert "fail in the network" in decision.because
    for _ in range(40):
        now += 1.0
        pacer.observe("launched", now)
        pacer.observe("ended", now, 2.0)
    decision = pacer.calls_to_place(a_view(idle=5, now=now), now)
    assert not pacer.explain(now)["outage"] and pacer.explain(now)["in_flight_bound"] > 20
    assert "fail" not in decision.because


def test_explain_has_every_figure_of_the_rule() -> None:
    pacer, now = a_warm_pacer()
    decision = pacer.calls_to_place(a_view(idle=1, talking=4, now=now), now)
    told = pacer.explain(now)
    wanted = (
        "p_slow p_fast p_used n_eff ring_answered_s ring_unanswered_s answer_at_s talk_mean_s wrap_up_mean_s tok br sc B q z answered abandoned in_flight_bound"
    )
    assert set(wanted.split()) <= set(told)
    assert (told["because"], told["n"], told["p_used"]) == (decision.because, decision.n, decision.p)
    assert told["answered"] > 100 and told["abandoned"] == 0 and len(told["answer_at_s"]) == 3


def test_a_budget_of_which_nothing_was_used_is_not_called_used_up() -> None:
    decision = Pacer(0.03, 20.0, agents=4, window_start=0.0).calls_to_place(View(4, 0, [], [], [], 4, 50), 1.0)
    assert (decision.n, decision.because.startswith("missed budget still too small for 4 agents")) == (4, True)
