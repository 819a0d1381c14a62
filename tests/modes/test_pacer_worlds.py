"""The pacer in reference worlds: limits hold, agents are busier than with progressive, and what may go wrong in a day does no harm.

A small choice of what `bin/bench pacing` runs; the worlds are that benchmark's own. Seeds are fixed, and stand in every message.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench._pacing_policies import DialLevel, Ratio
from bench._pacing_scenes import SCENES, base, exponential_world, random_world, told
from bench._pacing_worlds import HOUR, Law, Policy, Shift, World, constant
from fs_dialer.modes.predictive import Decision, Pacer, View

pytestmark = pytest.mark.spec("S39", "S40", "X3")


def a_pacer(law: Law) -> Pacer:
    return Pacer(law.limit, law.max_wait_s, law.agents, 0.0, law.hours * HOUR if law.end_known else None)


def a_shift(law: Law, seed: int, policy: Policy | None = None) -> Shift:
    return World(law, a_pacer(law) if policy is None else policy, seed).run()


def told_of(shift: Shift, seed: int) -> str:
    return f"seed {seed}: {shift.missed} missed of {shift.answered}, utilisation {shift.utilisation:.3f}"


class Watched:
    """A pacer with everything it was shown and answered."""

    def __init__(self, pacer: Pacer) -> None:
        self.pacer = pacer
        self.seen: list[tuple[float, View, Decision]] = []

    def observe(self, kind: str, now: float, age_s: float | None = None) -> None:
        self.pacer.observe(kind, now, age_s)

    def calls_to_place(self, view: View, now: float) -> Decision:
        decision = self.pacer.calls_to_place(view, now)
        self.seen.append((now, view, decision))
        return decision


# --- the limit, and busier than progressive ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scene",
    ("drift", "talk_halves_and_doubles", "agents_in_and_out", "line_cap", "machines", "short_or_long_talks", "limit_1", "limit_10", "wait_30s", "end_unknown"),
)
def test_in_every_world_the_limit_holds_and_agents_are_busier_than_with_progressive(scene: str) -> None:
    law = replace(SCENES[scene](5), hours=1.5)
    ours, progressive = a_shift(law, 1), a_shift(law, 1, Ratio(1.0))
    assert ours.keeps(law.limit, slack=True), told_of(ours, 1)
    assert ours.utilisation > progressive.utilisation, told_of(ours, 1)


@pytest.mark.parametrize("seed", [1001, 1004])
def test_so_it_is_in_worlds_drawn_at_random(seed: int) -> None:
    law = replace(random_world(seed), hours=1.5, agents=min(5, random_world(seed).agents))
    ours, progressive = a_shift(law, seed), a_shift(law, seed, Ratio(1.0))
    assert ours.keeps(law.limit, slack=True), told_of(ours, seed)
    assert ours.utilisation > progressive.utilisation - 0.005, told_of(ours, seed)


@pytest.mark.parametrize(
    ("law", "least"),
    [(base(5, 0.2), 0.70), (base(10, 0.4), 0.84), (exponential_world(5, 0.4), 0.82)],
    ids=["5 agents", "10 agents", "exponential"],
)
def test_a_team_is_as_busy_as_the_rule_can_make_it(law: Law, least: float) -> None:
    """A little below what whole shifts reach in the mean: these are two shifts of three hours, the cold start included."""
    law = replace(law, hours=3.0)
    shifts = {seed: a_shift(law, seed) for seed in (3, 4)}
    assert sum(each.utilisation for each in shifts.values()) / 2 > least, [told_of(*pair[::-1]) for pair in shifts.items()]
    assert all(each.keeps(law.limit, slack=True) for each in shifts.values())


def test_the_worlds_tell_a_pacer_that_dials_too_much() -> None:
    law = replace(base(5, 0.4), hours=1.0)
    for policy in (Ratio(3.0), DialLevel(law.limit, law.hours * HOUR)):
        assert not a_shift(law, 1, policy).keeps(law.limit)
    assert a_shift(law, 1, Ratio(1.0)).missed == 0


def test_equal_seeds_give_equal_shifts() -> None:
    law = replace(base(5, 0.3), hours=0.25)
    assert a_shift(law, 9) == a_shift(law, 9)


# --- what may go wrong ------------------------------------------------------------------------------------------------


@pytest.mark.spec("D3")
def test_an_outage_of_five_minutes_is_neither_learnt_nor_followed_by_missed_calls() -> None:
    law = replace(SCENES["outages"](5), hours=1.5)
    watched = Watched(a_pacer(law))
    shift = World(law, watched, 5).run()
    assert shift.keeps(law.limit, slack=True), told_of(shift, 5)
    start, stop = law.outages[0]
    within = [(view, decision) for now, view, decision in watched.seen if start + 60 < now < stop]
    assert within and all(len(view.ringing) + decision.n <= 20 for view, decision in within)
    assert any("fail" in decision.because for _, decision in within)
    p_before = [decision.p for now, _, decision in watched.seen if now < start][-1]
    p_after = next(decision.p for now, _, decision in watched.seen if now > stop)
    assert p_after == pytest.approx(p_before, abs=0.12)


def test_while_all_agents_are_away_nobody_is_called() -> None:
    law = replace(SCENES["crew_gone_for_ten_minutes"](5), hours=1.0, crew=((0.0, 5), (1500.0, 0), (2100.0, 5)))
    watched = Watched(a_pacer(law))
    shift = World(law, watched, 2).run()
    away = [decision.n for now, view, decision in watched.seen if view.agents == 0]
    assert away and set(away) == {0}
    assert shift.keeps(law.limit, slack=True), told_of(shift, 2)


def test_a_jump_of_the_answer_rate_stays_within_the_limit() -> None:
    law = replace(SCENES["jump_up"](20), hours=0.8, answer=lambda now: 0.15 if now < 0.4 * HOUR else 0.60)
    shift = a_shift(law, 3)
    assert shift.keeps(law.limit, slack=True), told_of(shift, 3)
    assert max(missed / answered for answered, missed in shift.by_window.values() if answered >= 20) <= 0.25


@pytest.mark.parametrize(("scene", "agents"), [("rare_answers", 1), ("nearly_all_answer", 1), ("nearly_all_answer", 5)])
def test_one_agent_and_extreme_answer_rates(scene: str, agents: int) -> None:
    law = replace(SCENES[scene](agents), hours=1.5)
    ours, progressive = a_shift(law, 4), a_shift(law, 4, Ratio(1.0))
    assert ours.keeps(law.limit, slack=True), told_of(ours, 4)
    assert ours.utilisation > progressive.utilisation - 0.02, told_of(ours, 4)


def test_two_campaigns_that_share_their_agents_each_keep_their_limit() -> None:
    law, seed = Law(agents=8, answer=constant(0.3), hours=1.5), 1
    first = World(law, a_pacer(law), seed)
    second = World(law, a_pacer(law), seed + 100, beside=first)
    first.run()
    for shift in (first.shift, second.shift):
        assert shift.answered > 80 and shift.keeps(law.limit, slack=True), told_of(shift, seed)
    assert (first.shift.busy_s + second.shift.busy_s) / first.shift.logged_in_s > 0.75


# --- leads that differ ------------------------------------------------------------------------------------------------


def test_knowing_how_leads_differ_makes_agents_busier_and_costs_no_missed_calls() -> None:
    law = replace(told(base(8, 0.2), 3.0), hours=2.0)
    knowing, unaware = a_shift(law, 1), a_shift(replace(law, told=False), 1)
    assert knowing.keeps(law.limit, slack=True), told_of(knowing, 1)
    assert knowing.utilisation > unaware.utilisation, (told_of(knowing, 1), told_of(unaware, 1))


def test_a_shift_goes_on_after_a_restart_as_if_there_had_been_none() -> None:
    """Half-way the pacer is made anew from its state, as after a crash of the daemon."""
    law = replace(base(5, 0.3), hours=1.0)

    class Restarting(Watched):
        def calls_to_place(self, view: View, now: float) -> Decision:
            if int(now / 600.0) != int((self.seen[-1][0] if self.seen else 0.0) / 600.0):
                self.pacer = Pacer(law.limit, law.max_wait_s, law.agents, 0.0, law.hours * HOUR, None, self.pacer.state())
            return super().calls_to_place(view, now)

    shift = World(law, Restarting(a_pacer(law)), 6).run()
    unbroken = a_shift(law, 6)
    assert shift.keeps(law.limit, slack=True), told_of(shift, 6)
    assert shift.utilisation == pytest.approx(unbroken.utilisation, abs=0.05)
