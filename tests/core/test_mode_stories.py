"""What the settings that campaign types share do in each of them, in virtual time: maximum and gap, the agent's rest, tickets, scripts, limits."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import Any

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.model import AgentState, CampaignType
from fs_dialer.core.resources import Script, ScriptItem
from fs_dialer.modes import predictive, preview
from fs_dialer.sim.people import Behaviour
from tests.core.virtual_shift import SeenLeg, Shift, a_shift_campaign, number

T = CampaignType
GAP_S = 1800.0
BUSY = Behaviour("refuse", 1.0, first_response=100, status=486)
RINGS = Behaviour("refuse", 12.0, status=480)
WITH_SCRIPT = (T.MANUAL, T.PREVIEW, T.PROGRESSIVE, T.PREDICTIVE)


def a_shift(type: CampaignType, *, customers: Behaviour | None = None, leads: int = 1, nailed: tuple[str, ...] = (), **more: Any) -> Shift:
    settings = {"options": preview.Options(preview=preview.Card(time_s=5.0))} if type is T.PREVIEW else {}
    given: dict[str, Any] = {"customers": customers} if customers is not None else {}
    return Shift(a_shift_campaign(type, agents=("ana",), **(settings | more)), leads=leads, nailed=nailed, **given)


def call(shift: Shift, lead: int = 1) -> None:
    """Manual: take this lead and dial."""
    shift.ask("ana", "take", campaign="spring", lead=str(lead))
    shift.ask("ana", "dial")


@pytest.mark.spec("S10", "S11", "S37", "S49")
@pytest.mark.parametrize("type", [T.PREVIEW, T.PROGRESSIVE, T.PREDICTIVE, T.CALLBACK])
def test_a_customer_who_does_not_answer_is_called_so_often_and_with_the_gap_between(type: CampaignType) -> None:
    shift = a_shift(type, customers=RINGS, max_attempts=3, gap_s=GAP_S)
    shift.until(lambda: shift.lead()[0] == "exhausted", "all calls are used up", 4 * 3600.0)
    shift.wait(1.5 * GAP_S)
    assert shift.outcomes() == {number(1): ["no_answer"] * 3}
    calls = shift.seen.to(number(1))
    assert all(GAP_S <= later.created_at - (earlier.ended_at or 0.0) <= GAP_S + 60.0 for earlier, later in pairwise(calls))
    shift.end()


@pytest.mark.spec("S29")
def test_a_manual_agent_calls_again_without_gap_and_rest_up_to_the_maximum() -> None:
    shift = a_shift(T.MANUAL, customers=BUSY, max_attempts=3, gap_s=GAP_S)
    for n in (1, 2, 3):
        shift.until(lambda: shift.agent("ana").state is AgentState.IDLE, "she is free", 5.0)
        call(shift)
        shift.until(lambda n=n: len(shift.outcomes().get(number(1), ())) == n, "the call is over", 30.0)  # type: ignore[misc]
    shift.until(lambda: shift.agent("ana").state is AgentState.IDLE, "she is free", 5.0)
    assert not shift.tell("ana", "take", campaign="spring", lead="1").ok
    assert shift.lead() == ("exhausted", 3)
    shift.end()


@pytest.mark.spec("S13", "S49", "S37", "S29")
@pytest.mark.parametrize("type", [T.MANUAL, T.PREVIEW, T.PROGRESSIVE, T.PREDICTIVE, T.CALLBACK])
def test_an_agent_rests_between_the_calls_that_are_handed_out_and_not_in_manual(type: CampaignType) -> None:
    shift = a_shift(type, customers=Behaviour("answer", 1.0, talk_s=5.0), leads=2, wrap_up_s=40.0)
    if type is T.MANUAL:
        call(shift)
    shift.until(lambda: shift.outcomes().get(number(1)), "the first call is over", 60.0)
    ended_at = shift.now
    if type is T.MANUAL:
        call(shift, 2)
    shift.until(lambda: shift.outcomes().get(number(2)), "the second call is over", 120.0)
    second = shift.seen.to(number(2))[0]
    met_at = next(at for at, event, _ in shift.steps if isinstance(event, ev.LegBridged) and event.leg == second.uuid)
    assert (met_at - ended_at >= 40.0) is (type is not T.MANUAL)
    shift.end()


@pytest.mark.spec("S15", "S35", "S49", "S14")
@pytest.mark.parametrize("type", WITH_SCRIPT)
@pytest.mark.parametrize("wanted", ["yes", "no"])
def test_each_call_makes_a_ticket_where_the_campaign_wants_them_and_has_its_script(type: CampaignType, wanted: str) -> None:
    """S15: busy or not, each call that reached the network; S14: the campaign's own script goes with its revision."""
    script = Script(name="welcome", items=(ScriptItem(say="Good day."),))
    shift = a_shift(type, tickets=wanted, script=script)
    if type is T.MANUAL:
        call(shift)
    shift.until(lambda: shift.outcomes().get(number(1)), "the call is over")
    assert [closed.result.ticket for closed in shift.all(act.CloseAttempt)] == ["call" if wanted == "yes" else ""]
    assert [(ticket.channel, ticket.lead) for ticket in shift.database.tickets] == ([("call", 1)] if wanted == "yes" else [])
    stored = shift.store.campaign(shift.campaign.id)
    assert stored is not None and stored.campaign.script == script
    shift.end()


@pytest.mark.spec("S41", "S42", "M6", "M7", "D2")
@pytest.mark.parametrize("lines", [6, 20])
def test_predictive_calls_two_customers_for_each_who_answers_within_the_lines(lines: int) -> None:
    """M7: where half answer, a conversation takes two calls and they ring together; S41: never past the lines, agents' legs counted."""
    agents = tuple(f"agent-{n}" for n in range(5))
    every_other: dict[str, Behaviour | list[Behaviour]] = {number(n): RINGS for n in range(1, 401, 2)}
    options = predictive.Options(missed=predictive.Missed(max=0.2), pickup_rate=0.5)
    campaign = a_shift_campaign(T.PREDICTIVE, agents=agents, options=options, wrap_up_s=2.0)
    shift = Shift(campaign, every_other, leads=400, nailed=agents, customers=Behaviour("answer", 6.0, talk_s=30.0), lines=lines)
    shift.wait(1200.0)
    assert most_at_once(list(shift.seen.legs.values())) <= lines
    assert (most_at_once(shift.seen.leads) > len(agents)) is (lines == 20)
    called, answered = len(shift.seen.leads), sum(1 for leg in shift.seen.leads if leg.answered_at is not None)
    assert called / answered == pytest.approx(2.0, abs=0.35)
    dialled_for_nobody = [d for d in shift.all(act.OriginateLead) if d.attempt.agent is None]
    assert len(dialled_for_nobody) == called
    shift.end()


def most_at_once(legs: list[SeenLeg]) -> int:
    steps = [(leg.created_at, 1) for leg in legs] + [(leg.ended_at, -1) for leg in legs if leg.ended_at is not None]
    return max(accumulate(step for _, step in sorted(steps)))
