"""Links come and go, daemons follow each other: what is up is taken over, what is gone is closed, nothing is concluded from silence (D6, D8)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.definition import Recording
from fs_dialer.core.mode_port import Flow
from fs_dialer.core.model import (
    AgentState,
    AgentStatus,
    Attempt,
    AttemptId,
    CampaignState,
    CampaignType,
    LeadStatus,
    LegId,
    LegKind,
    OpenAttempt,
    Outcome,
)
from tests.core.builders import ANA, CARRIER, NOON, SPRING, SWITCH, Desk, a_campaign, a_desk, a_dialling_desk, a_lead, facts, modes

LOST = ev.SwitchLost(SWITCH, "EOF")
UP = ev.SwitchUp(SWITCH, ())
DONE = ev.ReconcileDone(SWITCH)
MUSIC = {CampaignType.PREDICTIVE: Flow(on_answer="music_then_agent", reserve_agent=False)}
OLD, OLD_LEG = AttemptId("old"), LegId("old-leg")


def found(n: int = 1) -> OpenAttempt:
    attempt = Attempt(OLD, SPRING, 1, a_lead(n).id, OLD_LEG, a_lead(n).number, CARRIER, "+34910000000", None, NOON - 30)
    return OpenAttempt(attempt, a_lead(n))


def a_dialled_call(leg: LegKind = LegKind.NAILED, **more: object) -> tuple[Desk, act.OriginateLead]:
    desk = a_dialling_desk(1, agents=1, leg=leg, **more)
    return desk, desk.last(act.OriginateLead)


def a_new_daemon(leg: LegKind = LegKind.NAILED, agents: int = 1) -> Desk:
    """Linked, and not yet told what is up."""
    desk = a_desk(agents=agents, leg=leg, linked=False)
    desk.tell(UP)
    return desk


# --- the link -------------------------------------------------------------------------------------------------------------------------


def test_without_a_link_nothing_is_dialled_and_after_it_only_once_all_is_known() -> None:
    desk = a_desk(agents=2, linked=False)
    desk.claimed(a_lead(1))
    assert not desk.all(act.OriginateLead)
    desk.tell(UP)
    assert not desk.all(act.OriginateLead)
    desk.tell(DONE)
    assert len(desk.all(act.OriginateLead)) == 1


def test_every_leg_of_ours_is_asked_after_when_the_link_is_back() -> None:
    desk, call = a_dialled_call()
    desk.up(call.leg)
    nailed = desk.last(act.Bridge).agent_leg
    desk.tell(LOST, UP)
    assert set(desk.last(act.Reconcile).legs) == {call.leg, nailed}


@pytest.mark.spec("D2")
def test_lines_are_recounted_when_the_link_is_back_D2() -> None:
    desk, call = a_dialled_call()
    desk.created(LegId("stranger"))
    desk.tell(LOST, ev.SwitchUp(SWITCH, ((call.leg, CARRIER),)))
    assert set(desk.dialer._w.ledger.legs) == {call.leg, *desk.last(act.Reconcile).legs}


def test_nothing_is_concluded_from_silence_while_the_link_is_down() -> None:
    """A ring, a bridge and a wait may all have ended well meanwhile; and nobody's phone is blamed for it."""
    desk, call = a_dialled_call()
    desk.created(call.leg)
    desk.tell(LOST)
    desk.clear()
    desk.wait(120.0)
    assert not desk.all(act.Hangup) and not desk.all(act.CloseAttempt) and desk.state_of() is AgentState.RESERVED
    desk.tell(UP, ev.LegFound(facts(call.leg, attempt=call.attempt.id)), DONE)
    assert desk.last(act.Bridge).leg == call.leg, "answered during the outage, and served"


def test_a_timer_that_fell_due_without_a_link_fires_soon_after_it_is_back() -> None:
    desk, call = a_dialled_call()
    desk.created(call.leg)
    desk.tell(LOST)
    desk.wait(120.0)
    desk.tell(UP, ev.LegFound(facts(call.leg, answered=False, attempt=call.attempt.id)), DONE)
    desk.clear()
    desk.wait(2.0)
    assert desk.last(act.Hangup) == act.Hangup(call.leg, "NO_ANSWER")


def test_an_outage_with_a_waiting_customer_sets_no_agent_not_available() -> None:
    campaign = a_campaign(people=["ana"], type=CampaignType.PREDICTIVE, at_most_s=300.0)
    desk, call = a_dialled_call(LegKind.PER_CALL, campaigns=[campaign], offered=modes(MUSIC, originate=1))
    desk.up(call.leg)
    desk.tell(LOST)
    for _ in range(5):
        for ring in desk.all(act.OriginateAgent):
            desk.tell(ev.OriginateFailed(ring.leg, "SWITCH_LOST", sent=False))
        desk.clear()
        desk.wait(20.0)
    assert desk.agent().status is AgentStatus.AVAILABLE and not desk.all(act.StoreAgentStatus)


def test_a_bridge_made_during_the_outage_is_found() -> None:
    desk, call = a_dialled_call()
    desk.up(call.leg)
    nailed = desk.last(act.Bridge).agent_leg
    desk.tell(LOST)
    desk.wait(60.0)
    desk.tell(UP, ev.LegFound(facts(call.leg, bridged_to=nailed)), ev.LegFound(facts(nailed, bridged_to=call.leg)), DONE)
    assert desk.state_of() is AgentState.TALKING
    desk.over(call.leg)
    assert desk.last(act.CloseAttempt).result.outcome is Outcome.CONNECTED


@pytest.mark.spec("D8")
def test_a_leg_gone_in_the_outage_closes_its_call_as_unknown_D8() -> None:
    desk, call = a_dialled_call()
    desk.created(call.leg)
    desk.tell(LOST, UP, ev.LegGone(call.leg), DONE)
    closing = desk.last(act.CloseAttempt)
    assert closing.result.outcome is Outcome.UNKNOWN and closing.update.attempts == 1 and closing.update.ready_at > NOON


def test_a_conversation_that_ended_in_the_outage_was_connected() -> None:
    desk, call = a_dialled_call()
    desk.up(call.leg)
    nailed = desk.last(act.Bridge).agent_leg
    desk.tell(ev.LegBridged(call.leg, nailed), LOST, UP, ev.LegGone(call.leg), ev.LegFound(facts(nailed)), DONE)
    assert desk.last(act.CloseAttempt).result.outcome is Outcome.CONNECTED
    desk.wait(11.0)
    assert desk.dialer._w.agents[ANA].free


def test_a_nailed_leg_gone_in_the_outage_is_called_again() -> None:
    desk = a_desk(agents=1, leg=LegKind.NAILED)
    leg = desk.nail()
    desk.tell(LOST, UP, ev.LegGone(leg), DONE)
    desk.wait(6.0)
    assert desk.nail() != leg and desk.dialer._w.agents[ANA].free


def test_a_nailed_leg_that_was_ringing_and_is_gone_is_called_again() -> None:
    desk = a_desk(agents=1, leg=LegKind.NAILED)
    leg = desk.last(act.OriginateAgent).leg
    desk.tell(LOST, UP, ev.LegGone(leg), DONE)
    desk.wait(6.0)
    assert desk.nail() != leg and desk.dialer._w.agents[ANA].free


def test_a_former_agent_s_leg_found_answered_bridges_nobody() -> None:
    """Its turn was over: bridging to the present agent's ringing leg would kill both (31)."""
    desk = a_dialling_desk(1, agents=2, campaigns=[a_campaign(agent_ring_s=5.0, at_most_s=60.0)])
    desk.up(desk.last(act.OriginateLead).leg)
    first = desk.last(act.OriginateAgent).leg
    desk.created(first)
    desk.wait(5.0)
    second = desk.last(act.OriginateAgent).leg
    assert second != first
    desk.tell(LOST, UP, ev.LegFound(facts(first, agent="ana")))
    assert not desk.all(act.Bridge) and desk.last(act.Hangup).leg == first


def test_the_fallbacks_of_those_who_wait_are_put_off_as_soon_as_the_link_is_back() -> None:
    desk = a_desk(agents=1, leg=LegKind.NAILED)
    leg = desk.nail()
    desk.tell(LOST)
    desk.wait(15.0)
    desk.clear()
    desk.tell(UP)
    assert desk.last(act.RenewFallback).legs == (leg,)


# --- a daemon after another -----------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D8")
def test_an_attempt_whose_leg_is_gone_is_closed_as_unknown_and_its_gap_counts_D8() -> None:
    desk = a_new_daemon()
    desk.tell(ev.AttemptFound(found(), None), DONE)
    closing = desk.last(act.CloseAttempt)
    assert (closing.result.attempt, closing.result.outcome) == (OLD, Outcome.UNKNOWN)
    assert (closing.update.status, closing.update.attempts, closing.update.ready_at) == (LeadStatus.RETRY, 1, NOON + 600.0)


@pytest.mark.spec("D8")
def test_a_ringing_call_is_taken_over_and_ends_as_it_ends() -> None:
    desk = a_new_daemon()
    desk.tell(ev.AttemptFound(found(), facts(OLD_LEG, answered=False, attempt=OLD)), DONE)
    desk.over(OLD_LEG, "USER_BUSY", 486)
    assert desk.last(act.CloseAttempt).result.outcome is Outcome.BUSY


def test_a_ringing_call_taken_over_and_never_heard_of_again_is_asked_after() -> None:
    desk = a_new_daemon()
    desk.tell(ev.AttemptFound(found(), facts(OLD_LEG, answered=False, attempt=OLD)), DONE)
    desk.wait(40.0)
    assert act.AskLeg(OLD_LEG) in desk.wanted
    desk.tell(ev.LegGone(OLD_LEG))
    assert desk.last(act.CloseAttempt).result.outcome is Outcome.UNKNOWN


def test_an_answered_customer_of_the_former_daemon_is_kept_from_the_fallback_and_served() -> None:
    desk = a_new_daemon(LegKind.PER_CALL)
    desk.tell(ev.AttemptFound(found(), facts(OLD_LEG, attempt=OLD)))
    assert act.RenewFallback((OLD_LEG,)) in desk.wanted and not desk.all(act.OriginateAgent), "not before it is known who talks"
    desk.tell(DONE)
    ring = desk.last(act.OriginateAgent)
    desk.up(ring.leg)
    assert desk.last(act.Bridge) == act.Bridge(OLD_LEG, ring.leg)


@pytest.mark.spec("D8")
@pytest.mark.parametrize("kind", list(LegKind), ids=lambda k: k.value)
@pytest.mark.parametrize("agent_first", [True, False])
def test_a_conversation_is_taken_over_in_whatever_order_it_is_told(kind: LegKind, agent_first: bool) -> None:
    desk = a_new_daemon(kind)
    theirs = LegId("agent-leg")
    attempt = None if kind is LegKind.NAILED else OLD
    told = [
        ev.LegFound(facts(theirs, bridged_to=OLD_LEG, agent="ana", attempt=attempt)),
        ev.AttemptFound(found(), facts(OLD_LEG, bridged_to=theirs, attempt=OLD)),
    ]
    desk.tell(*(told if agent_first else told[::-1]), DONE)
    assert desk.state_of() is AgentState.TALKING and not desk.all(act.Hangup) and not desk.all(act.OriginateAgent)
    desk.over(OLD_LEG)
    if kind is LegKind.NAILED:
        desk.tell(ev.LegParked(theirs))
    closing = desk.last(act.CloseAttempt).result
    assert (closing.outcome, closing.agent) == (Outcome.CONNECTED, ANA)
    desk.wait(11.0)
    assert desk.dialer._w.agents[ANA].free


def test_an_agent_found_in_talk_is_not_given_to_a_waiting_customer() -> None:
    desk = a_new_daemon()
    desk.tell(ev.LegFound(facts(LegId("agent-leg"), bridged_to=OLD_LEG, agent="ana")))
    other = OpenAttempt(replace(found(2).attempt, id=AttemptId("o2"), leg=LegId("l2")), a_lead(2))
    desk.tell(ev.AttemptFound(other, facts(LegId("l2"), attempt="o2")))
    assert not desk.all(act.Bridge) and desk.state_of() is AgentState.LEG_DOWN


def test_a_parked_nailed_leg_is_taken_over_and_not_called_twice() -> None:
    desk = a_new_daemon()
    desk.tell(ev.LegFound(facts(LegId("agent-leg"), agent="ana")), DONE)
    assert desk.dialer._w.agents[ANA].free and not desk.all(act.OriginateAgent)
    assert act.RenewFallback((LegId("agent-leg"),)) in desk.wanted


def test_a_nailed_agent_found_in_talk_with_nobody_we_know_is_free_when_parked() -> None:
    desk = a_new_daemon()
    leg = LegId("agent-leg")
    desk.tell(ev.LegFound(facts(leg, bridged_to=LegId("who"), agent="ana")), DONE)
    assert not desk.all(act.OriginateAgent)
    desk.tell(ev.LegParked(leg))
    assert desk.dialer._w.agents[ANA].free


@pytest.mark.spec("D6")
def test_a_leg_of_ours_that_nobody_claims_is_hung_up_once_all_is_known_D6() -> None:
    desk = a_new_daemon()
    desk.tell(ev.LegFound(facts(LegId("lost"), attempt="gone")))
    desk.created(LegId("late"), attempt=AttemptId("gone"))
    assert not desk.all(act.Hangup)
    desk.tell(DONE)
    assert {h.leg for h in desk.all(act.Hangup)} == {LegId("lost"), LegId("late")}


def test_a_draining_campaign_with_nothing_up_ends_after_a_restart() -> None:
    desk = a_desk(agents=1, linked=False, state=CampaignState.DRAINING)
    desk.tell(UP, DONE)
    assert desk.last(act.StoreCampaignState).state is CampaignState.ENDED


def test_an_attempt_that_is_known_already_is_not_taken_over_twice() -> None:
    desk = a_new_daemon()
    told = ev.AttemptFound(found(), facts(OLD_LEG, answered=False, attempt=OLD))
    desk.tell(told, told, ev.AttemptFound(found(), None))
    assert not desk.all(act.CloseAttempt) and len(desk.dialer._w.calls) == 1


def test_what_is_taken_over_is_looked_at_once_more() -> None:
    """The facts may be older than news that came while nobody knew the leg."""
    desk = a_new_daemon()
    desk.tell(ev.AttemptFound(found(), facts(OLD_LEG, answered=False, attempt=OLD)), ev.LegFound(facts(LegId("agent-leg"), agent="ana")))
    assert {ask.leg for ask in desk.all(act.AskLeg)} == {OLD_LEG, LegId("agent-leg")}
    desk.tell(ev.LegFound(facts(OLD_LEG, attempt=OLD)), DONE)
    assert desk.last(act.Bridge) == act.Bridge(OLD_LEG, LegId("agent-leg"))


def test_facts_older_than_a_bridge_do_not_end_it() -> None:
    desk, call = a_dialled_call()
    desk.up(call.leg)
    nailed = desk.last(act.Bridge).agent_leg
    desk.tell(LOST, UP, ev.LegBridged(call.leg, nailed), ev.LegFound(facts(call.leg)), ev.LegFound(facts(nailed)), DONE)
    desk.clear()
    desk.wait(30.0)
    assert not desk.all(act.Hangup) and desk.state_of() is AgentState.TALKING


def test_a_customer_found_bridged_to_an_agent_whose_turn_was_over_is_let_go() -> None:
    desk, call = a_dialled_call()
    desk.up(call.leg)
    nailed = desk.last(act.Bridge).agent_leg
    desk.wait(5.0)
    asked = {ask.leg for ask in desk.all(act.AskLeg)}
    assert asked == {call.leg, nailed}, "after a bridge that was not reported both are asked after"
    assert act.Hangup(call.leg, "NORMAL_CLEARING") in desk.tell(ev.LegFound(facts(call.leg, bridged_to=nailed)))


def test_an_agent_s_leg_that_is_gone_without_a_word_is_found_out_by_the_bridge_that_fails() -> None:
    desk, call = a_dialled_call()
    desk.up(call.leg)
    nailed = desk.last(act.Bridge).agent_leg
    assert act.AskLeg(nailed) in desk.tell(ev.BridgeRefused(call.leg, "-ERR Invalid uuid"))
    desk.tell(ev.LegGone(nailed))
    desk.wait(20.0)
    assert desk.nail() != nailed


# --- what a transfer leaves behind ----------------------------------------------------------------------------------------------------


def test_a_customer_who_talks_to_a_number_outside_goes_on_and_both_are_watched_to_their_end() -> None:
    desk = a_desk(agents=1, leg=LegKind.NAILED, linked=False)
    friend = LegId("old-friend")
    desk.tell(ev.SwitchUp(SWITCH, ((OLD_LEG, None), (friend, None))))
    desk.tell(ev.LegFound(facts(friend, bridged_to=OLD_LEG, attempt=OLD)))
    desk.tell(ev.AttemptFound(found(), facts(OLD_LEG, bridged_to=friend)), ev.ReconcileDone(SWITCH))
    assert friend not in [a.leg for a in desk.all(act.Hangup)], "nobody's conversation is cut"
    desk.clear()
    desk.over(friend)
    assert desk.all(act.Hangup) == [act.Hangup(OLD_LEG, "NORMAL_CLEARING")]


def test_agents_who_consulted_each_other_when_the_daemon_died_are_parted() -> None:
    desk = a_desk(agents=2, linked=False)
    one, other = LegId("leg-one"), LegId("leg-other")
    desk.tell(ev.SwitchUp(SWITCH, ((one, None), (other, None))))
    desk.tell(ev.LegFound(facts(one, bridged_to=other, attempt="a1", agent="ana")), ev.LegFound(facts(other, bridged_to=one, attempt="a1", agent="bob")))
    desk.tell(ev.ReconcileDone(SWITCH))
    assert {one, other} <= {a.leg for a in desk.all(act.Hangup)}


def test_what_was_being_recorded_goes_on_in_its_file() -> None:
    """The switch writes on without us; asked once more for the same file, it says yes and goes on."""
    desk = a_desk(agents=1, leg=LegKind.NAILED, linked=False, campaigns=[a_campaign(people=("ana",), recording=Recording(calls="answered"))])
    desk.tell(ev.SwitchUp(SWITCH, ((OLD_LEG, None),)))
    desk.tell(ev.AttemptFound(found(), facts(OLD_LEG, bridged_to=LegId("agent-leg"))))
    assert desk.all(act.StartRecording) == [act.StartRecording(OLD_LEG, f"spring/2026-05-28/{OLD}.wav")]


def test_an_agent_who_is_parked_for_a_customer_on_hold_gets_him_back() -> None:
    desk = a_desk(agents=2, linked=False)
    mine = LegId("leg-of-ana")
    desk.tell(ev.SwitchUp(SWITCH, ((OLD_LEG, None), (mine, None))))
    desk.tell(ev.LegFound(facts(mine, attempt=OLD, agent="ana")), ev.AttemptFound(found(), facts(OLD_LEG)), ev.ReconcileDone(SWITCH))
    assert desk.last(act.Bridge) == act.Bridge(OLD_LEG, mine) and mine not in [a.leg for a in desk.all(act.Hangup)]
    desk.tell(ev.LegBridged(OLD_LEG, mine))
    assert desk.state_of("ana").value == "talking" and not desk.all(act.OriginateAgent)
    desk.over(OLD_LEG)
    assert act.Hangup(mine, "NORMAL_CLEARING") in desk.all(act.Hangup), "his leg was rung for this call alone"
