"""What goes wrong with agents and their phones, in virtual time: after each story no agent was on two calls, every leg had its attempt, every attempt ended
once and a missed call was counted once (Shift.end)."""

from __future__ import annotations

from typing import Any

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.model import AgentId, AgentState, AgentStatus, CampaignType, CommandId
from fs_dialer.modes import preview
from fs_dialer.sim.people import Behaviour
from tests.core.virtual_shift import NOTICE, RINGS_OUT, Shift, a_shift_campaign, number

T = CampaignType
LEAD_FIRST = (T.PROGRESSIVE, T.PREDICTIVE)
AGENT_FIRST = (T.MANUAL, T.PREVIEW, T.CALLBACK)
FAULTS = {
    "unreachable": Behaviour("unreachable", 0.0, first_response=0, status=503),
    "unavailable": Behaviour("refuse", 0.5, first_response=100, status=480),
    "rejects": Behaviour("refuse", 2.0, status=603),
    "busy": Behaviour("refuse", 0.5, first_response=100, status=486),
    "silent": RINGS_OUT,
    "hangs_up_at_once": Behaviour("answer", 1.0, stay_s=0.0),
}
A_CARD = preview.Options(preview=preview.Card(time_s=5.0))


def a_shift(type: CampaignType, script: dict[str, Behaviour | list[Behaviour]] | None = None, *, leads: int = 1, **more: Any) -> Shift:
    """Ana was idle first, so that the first call is hers. In manual campaigns she takes the first lead, and dials."""
    lines: dict[str, Any] = {name: more.pop(name) for name in ("nailed", "customers", "agents_do") if name in more}
    if "agents_do" in lines:
        lines["agents"] = lines.pop("agents_do")
    options: dict[str, Any] = {"options": A_CARD} if type is T.PREVIEW else {}
    shift = Shift(a_shift_campaign(type, **(options | more)), script, leads=leads, **lines)
    if type is T.MANUAL:
        shift.until(lambda: shift.agent("ana").state is AgentState.IDLE, "ana's line is open")
        take_and_dial(shift, "ana")
    return shift


def take_and_dial(shift: Shift, agent: str) -> None:
    shift.ask(agent, "take", campaign="spring")
    shift.ask(agent, "dial")


def declare(shift: Shift, agent: str, status: AgentStatus = AgentStatus.LOGGED_OUT) -> None:
    shift.give(ev.SetAgentStatus(CommandId(f"{agent}-{status.value}"), agent, AgentId(agent), status, ""))


# --- an agent's phone that does not answer ------------------------------------------------------------------------------------------------


@pytest.mark.spec("S46")
@pytest.mark.parametrize("type", LEAD_FIRST)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_waiting_customer_goes_to_the_next_agent_when_a_phone_fails(type: CampaignType, fault: str) -> None:
    """S46: while his music plays on; the first one's leg, where there is one, is followed to its end."""
    shift = a_shift(type, {"ana": FAULTS[fault]})
    shift.until(lambda: shift.outcomes().get(number(1)), "the call is over")
    assert shift.outcomes() == {number(1): ["connected"]}
    (customer,) = shift.seen.leads
    assert [shift.seen.legs[leg].agent for leg in customer.met] == ["bob"]
    rung = shift.seen.of_agent("ana")
    assert not [leg for leg in rung if leg.up]
    assert customer.answered_at is not None
    if fault == "silent":
        assert 29.0 < shift.seen.of_agent("bob")[0].created_at - customer.answered_at < 32.0
        assert rung[0].cause == "ORIGINATOR_CANCEL"
    shift.end()


@pytest.mark.spec("S66")
@pytest.mark.parametrize("type", AGENT_FIRST)
@pytest.mark.parametrize("fault", FAULTS)
def test_nobody_is_dialled_for_an_agent_whose_own_phone_fails(type: CampaignType, fault: str) -> None:
    """Agent first: his lead goes back undialled, costs it no attempt, and is another agent's."""
    shift = a_shift(type, {"ana": FAULTS[fault]})
    shift.until(lambda: shift.agent("ana").state is AgentState.WRAP_UP, "ana's phone has failed")
    if fault != "hangs_up_at_once":
        assert shift.seen.leads == []
        assert shift.lead() == ("new", 0)
    if type is T.MANUAL:
        shift.until(lambda: not shift.view().lines, "her call is over")
        take_and_dial(shift, "bob")
    shift.until(lambda: "connected" in shift.outcomes().get(number(1), ()), "bob talks to the customer")
    assert shift.outcomes()[number(1)][-1] == "connected"
    assert [shift.seen.legs[leg].agent for leg in shift.seen.to(number(1))[-1].met] == ["bob"]
    shift.end()


@pytest.mark.parametrize("type", LEAD_FIRST)
def test_an_agent_who_misses_three_offers_is_left_alone_until_he_comes_back(type: CampaignType) -> None:
    shift = a_shift(type, {"ana": RINGS_OUT}, leads=40)
    shift.until(lambda: shift.agent("ana").status is AgentStatus.NOT_AVAILABLE, "ana is set aside", 3600.0)
    rung = len(shift.seen.of_agent("ana"))
    assert len([leg for leg in shift.seen.of_agent("ana") if (leg.ended_at or shift.now) - leg.created_at > 29.0]) == 3
    shift.wait(300.0)
    assert len(shift.seen.of_agent("ana")) == rung
    shift.ask("ana", "available")
    shift.until(lambda: len(shift.seen.of_agent("ana")) > rung, "she is rung again")
    shift.end()


# --- answers that cross a hang-up ----------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D1")
@pytest.mark.parametrize("type", LEAD_FIRST)
@pytest.mark.parametrize("later_ms", [-60, -20, -1, 0, 1, 20, 40, 60, 80, 120])
def test_an_agent_who_answers_as_the_customer_hangs_up_is_free_again(type: CampaignType, later_ms: int) -> None:
    """D1: connected if the switch bridged them, else an early hang-up, and not missed. The agent's next customer gets him."""
    impatient = Behaviour("answer", 1.0, patience_s=3.0 + later_ms / 1000, talk_s=20.0)
    shift = a_shift(type, {number(1): impatient}, leads=2, agents=("ana",), agents_do=Behaviour("answer", 3.0))
    shift.until(lambda: shift.outcomes().get(number(2)), "the next customer is served")
    (first,) = shift.seen.to(number(1))
    assert shift.outcomes() == {number(1): ["connected" if first.met else "early_hangup"], number(2): ["connected"]}
    assert shift.view().missed == 0
    shift.end()


@pytest.mark.spec("D6")
@pytest.mark.parametrize("type", LEAD_FIRST)
@pytest.mark.parametrize("later_ms", [-30, -10, 0, 10, 30])
def test_an_agent_who_answers_as_his_time_is_over_is_on_no_call_with_another_agents_customer(type: CampaignType, later_ms: int) -> None:
    """S46, D6: the offer is his or the next one's, never both. An answer after the cancel is hung up."""
    shift = a_shift(type, {"ana": Behaviour("answer", 30.0 + later_ms / 1000)})
    shift.until(lambda: shift.outcomes().get(number(1)), "the call is over")
    (customer,) = shift.seen.leads
    assert len(customer.met) == 1
    assert shift.outcomes() == {number(1): ["connected"]}
    shift.end()


@pytest.mark.spec("D6")
@pytest.mark.parametrize("type", AGENT_FIRST)
@pytest.mark.parametrize("before_ms", [0, 5, 20])
def test_a_customer_who_answers_as_his_agent_hangs_up_is_let_go_and_never_bridged(type: CampaignType, before_ms: int) -> None:
    """D6: the agent gives up while the customer's phone rings, and the answer is on its way already."""
    shift = a_shift(type, {number(1): Behaviour("answer", 10.0)}, agents=("ana",))
    shift.until(shift.seen.ringing, "the customer's phone rings")
    (lead,) = shift.seen.leads
    shift.runtime.run_until(lead.created_at + 10.0 - before_ms / 1000)
    shift.ask("ana", "hang_up")
    shift.until(lambda: shift.outcomes().get(number(1)), "the call is over", 60.0)
    assert lead.met == []
    expected = ("missed", True) if lead.answered_at is not None else ("cancelled", False)
    (closed,) = shift.database.closed.values()
    assert (closed.result.outcome.value, closed.result.missed) == expected
    assert shift.agent("ana").state in (AgentState.IDLE, AgentState.WRAP_UP, AgentState.PREVIEWING)
    shift.end()


@pytest.mark.parametrize("type", LEAD_FIRST + AGENT_FIRST)
@pytest.mark.parametrize("nailed", [(), ("ana",)], ids=["per_call", "nailed"])
def test_who_hangs_up_first_makes_no_difference_to_the_end(type: CampaignType, nailed: tuple[str, ...]) -> None:
    """The customer, the agent by his phone, the agent by his screen, and both at once."""
    for first in ("customer", "phone", "screen", "both"):
        talks = {"customer": Behaviour("answer", 1.0, talk_s=5.0)}.get(first, Behaviour("answer", 1.0, talk_s=5.0, ends_talk=first == "both"))
        phone = Behaviour("answer", 0.4, talk_s=5.0) if first in ("phone", "both") else Behaviour("answer", 0.4)
        shift = a_shift(type, {number(1): talks, "ana": [phone, Behaviour("answer", 0.4)]}, agents=("ana",), nailed=nailed)
        shift.until(shift.seen.talking, "they talk")
        if first == "screen":
            shift.ask("ana", "hang_up")
        shift.until(lambda done=shift: done.outcomes().get(number(1)), f"the call is over, {first}", 60.0)  # type: ignore[misc]
        assert shift.outcomes() == {number(1): ["connected"]}, first
        shift.until(lambda done=shift: done.agent("ana").state is AgentState.IDLE, f"ana is free again, {first}", 60.0)  # type: ignore[misc]
        shift.end()


# --- customers without an agent --------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S47", "S48", "D1")
@pytest.mark.parametrize("type", LEAD_FIRST)
def test_all_agents_leave_with_calls_ringing_and_whoever_answers_is_missed_once(type: CampaignType) -> None:
    """Who logs out with a call reserved keeps it (a break takes effect after it); for the others nobody is there: notice, hang-up, missed."""
    shift = a_shift(type, leads=8, customers=Behaviour("answer", 8.0, talk_s=10.0), agents=("ana", "bob"), notice=NOTICE, at_most_s=20.0)
    shift.until(lambda: len(shift.seen.ringing()) >= 2, "phones ring")
    for name in ("ana", "bob"):
        declare(shift, name)
    placed = len(shift.seen.leads)
    shift.until(lambda: not shift.view().lines, "every call is over", 120.0)
    assert len(shift.seen.leads) == placed, "somebody was dialled for nobody"
    expected = "connected" if type is T.PROGRESSIVE else "missed"
    assert set(map(tuple, shift.outcomes().values())) == {(expected,)}
    alone = [leg for leg in shift.seen.leads if not leg.met]
    assert [leg.heard[-1] for leg in alone] == [NOTICE] * len(alone)
    assert all(21.5 < (leg.ended_at or 0) - (leg.answered_at or 0) < 24.0 for leg in alone)
    assert shift.view().missed == len(alone) == (0 if type is T.PROGRESSIVE else placed)
    shift.end()


@pytest.mark.spec("S48", "D1")
def test_a_caller_who_hangs_up_while_he_waits_is_counted_apart_from_the_missed() -> None:
    shift = a_shift(T.PREDICTIVE, agents=("ana",), agents_do=RINGS_OUT, customers=Behaviour("answer", 1.0, patience_s=6.0))
    shift.until(lambda: shift.outcomes().get(number(1)), "he has hung up")
    assert shift.outcomes() == {number(1): ["early_hangup"]}
    assert shift.view().missed == 0
    shift.end()
    assert [leg.cause for leg in shift.seen.of_agent("ana")] == ["ORIGINATOR_CANCEL"]


# --- the screen ----------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S36", "M5")
@pytest.mark.parametrize("how", ["closed", "lease_over", "logged_out", "paused"])
@pytest.mark.parametrize("type", [T.PREVIEW, T.MANUAL])
def test_a_lead_on_the_card_of_an_agent_who_is_gone_goes_back_undialled(type: CampaignType, how: str) -> None:
    slow: dict[str, Any] = {"options": preview.Options(preview=preview.Card(time_s=300.0))} if type is T.PREVIEW else {}
    shift = Shift(a_shift_campaign(type, **slow))
    if type is T.MANUAL:
        shift.ask("ana", "take", campaign="spring")
    shift.until(lambda: shift.agent("ana").state is AgentState.PREVIEWING, "ana looks at the card")
    if how == "closed":
        shift.ask("ana", "close_screen")
    elif how == "lease_over":
        shift.ask("ana", "open_screen", lease_s="5")
        shift.wait(6.0)
    elif how == "logged_out":
        declare(shift, "ana")
    else:
        shift.ask("ana", "pause_campaign", campaign="spring")
    assert shift.agent("ana").state is AgentState.IDLE
    assert shift.seen.legs == {}
    assert shift.lead() == ("new", 0)
    if type is T.MANUAL:
        take_and_dial(shift, "bob")
    else:
        shift.until(lambda: shift.agent("bob").state is AgentState.PREVIEWING, "the next one has it on his card")
        shift.ask("bob", "dial")
    shift.until(lambda: shift.outcomes().get(number(1)), "the call is over")
    assert shift.outcomes() == {number(1): ["connected"]}
    shift.end()


@pytest.mark.parametrize("type", AGENT_FIRST)
def test_an_agent_whose_screen_goes_in_a_conversation_ends_it_as_usual(type: CampaignType) -> None:
    """What is up goes on; he gets nothing new."""
    shift = a_shift(type, leads=3, agents=("ana",))
    shift.until(shift.seen.talking, "they talk")
    shift.ask("ana", "close_screen")
    shift.until(lambda: shift.outcomes().get(number(1)), "the call is over")
    shift.wait(120.0)
    assert shift.outcomes() == {number(1): ["connected"]}
    assert len(shift.seen.leads) == 1
    shift.end()


def test_a_shift_checks_what_it_says_it_checks() -> None:
    """An attempt closed twice, and an agent on two calls, would be seen."""
    shift = a_shift(T.PROGRESSIVE)
    shift.until(lambda: shift.outcomes().get(number(1)), "the call is over")
    shift.end()
    (at, event, actions) = next(step for step in shift.steps if any(isinstance(a, act.CloseAttempt) for a in step[2]))
    shift.steps.append((at, event, actions))
    with pytest.raises(AssertionError, match="ended twice"):
        shift.check()
