"""Agents for calls: who is rung, who waits, what nailed legs and fallbacks go through; stories told to a whole engine."""

from __future__ import annotations

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.mode_port import Flow
from fs_dialer.core.model import AgentState, AgentStatus, CampaignType, LeadStatus, LegId, LegKind, Outcome
from tests.core.builders import (
    ANA,
    BOB,
    MUSIC,
    NAMES,
    Desk,
    a_campaign,
    a_desk,
    a_dialling_desk,
    a_lead,
    an_agent,
    closed,
    ended,
    facts,
    modes,
    placed,
    talking,
)

# --- agents' legs ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S46")
def test_an_agent_who_does_not_answer_gives_way_to_the_next_S46() -> None:
    desk = a_dialling_desk(1, agents=2)
    call = placed(desk)
    desk.up(call.leg)
    first = desk.last(act.OriginateAgent)
    desk.created(first.leg)
    desk.wait(15.0)
    desk.clear()
    desk.tell(ended(first.leg, "USER_BUSY"), ev.LegDestroyed(first.leg))
    second = desk.last(act.OriginateAgent)
    assert {first.agent, second.agent} == {ANA, BOB}
    desk.up(second.leg)
    assert desk.last(act.Bridge) == act.Bridge(call.leg, second.leg)
    assert desk.state_of(first.agent) is AgentState.WRAP_UP


def test_an_agent_who_answers_after_his_turn_is_hung_up() -> None:
    desk = a_dialling_desk(1, agents=1, campaigns=[a_campaign(people=["ana"], agent_ring_s=5.0)])
    desk.up(placed(desk).leg)
    ring = desk.last(act.OriginateAgent)
    desk.created(ring.leg)
    desk.wait(5.0)
    assert act.Hangup(ring.leg, "ORIGINATOR_CANCEL") in desk.wanted
    desk.clear()
    desk.tell(ev.LegAnswered(ring.leg), ev.LegParked(ring.leg))
    assert desk.wanted[0] == act.Hangup(ring.leg, "NORMAL_CLEARING") and not desk.all(act.Bridge)


def test_three_missed_calls_make_an_agent_not_available_and_the_store_is_told() -> None:
    desk = a_dialling_desk(1, agents=1, campaigns=[a_campaign(people=["ana"], agent_ring_s=5.0, at_most_s=300.0)])
    desk.up(placed(desk).leg)
    for _ in range(3):
        desk.created(desk.last(act.OriginateAgent).leg)
        desk.wait(5.0)
        desk.over(desk.last(act.OriginateAgent).leg, "ORIGINATOR_CANCEL")
        desk.wait(10.5)
    assert desk.last(act.StoreAgentStatus) == act.StoreAgentStatus(ANA, AgentStatus.NOT_AVAILABLE, "missed offers", "engine")
    assert desk.agent().status is AgentStatus.NOT_AVAILABLE


def test_a_waiting_customer_gets_the_first_agent_who_comes_free() -> None:
    campaign = a_campaign(people=NAMES[:2], type=CampaignType.PREDICTIVE, at_most_s=60.0)
    desk = a_dialling_desk(2, agents=1, leg=LegKind.NAILED, campaigns=[campaign], offered=modes(MUSIC, originate=2))
    first, second = desk.all(act.OriginateLead)
    desk.up(first.leg)
    nailed = desk.last(act.Bridge).agent_leg
    desk.tell(ev.LegBridged(first.leg, nailed))
    desk.up(second.leg)
    assert desk.campaign().waiting == 1 and desk.last(act.PlayMusic).leg == second.leg
    desk.over(first.leg)
    desk.tell(ev.LegParked(nailed))
    desk.wait(10.0)
    assert desk.last(act.Bridge) == act.Bridge(second.leg, nailed)


def test_the_longest_waiting_customer_is_served_first() -> None:
    campaign = a_campaign(people=NAMES[:3], type=CampaignType.PREDICTIVE, at_most_s=60.0)
    desk = a_dialling_desk(3, agents=0, campaigns=[campaign], offered=modes(MUSIC, originate=3))
    for call in desk.all(act.OriginateLead):
        desk.up(call.leg)
        desk.wait(1.0)
    order = {call.attempt.id: call.attempt.lead for call in desk.all(act.OriginateLead)}
    desk.clear()
    for name in ("bob", "ana"):
        desk.tell(ev.AgentLoaded(an_agent(name), AgentStatus.AVAILABLE))
        desk.wait(1.0)
    assert [(ring.agent, order[ring.call]) for ring in desk.all(act.OriginateAgent) if ring.call] == [(BOB, 1), (ANA, 2)]


def test_a_bridge_that_is_refused_goes_to_the_next_agent() -> None:
    """32."""
    desk = a_dialling_desk(1, agents=2, leg=LegKind.NAILED)
    call = placed(desk)
    desk.up(call.leg)
    first = desk.last(act.Bridge).agent_leg
    desk.tell(ev.BridgeRefused(call.leg, "-ERR Invalid uuid"))
    assert desk.last(act.Bridge).agent_leg != first


def test_a_bridge_reported_after_its_turn_was_given_away_ends_the_call() -> None:
    """Else one customer, or one agent, would be in two conversations."""
    desk = a_dialling_desk(1, agents=1, leg=LegKind.NAILED)
    call = placed(desk)
    desk.up(call.leg)
    bridge = desk.last(act.Bridge)
    desk.wait(5.0)
    assert desk.state_of() is AgentState.WRAP_UP
    assert act.Hangup(call.leg, "NORMAL_CLEARING") in desk.tell(ev.LegBridged(call.leg, bridge.agent_leg))


# --- nailed legs ----------------------------------------------------------------------------------------------------------------------


def test_a_nailed_agent_is_called_once_and_is_free_when_parked() -> None:
    desk = a_desk(agents=1, leg=LegKind.NAILED)
    ring = desk.last(act.OriginateAgent)
    assert ring.nailed and ring.call is None and desk.state_of() is AgentState.LEG_DOWN
    desk.up(ring.leg)
    assert desk.state_of() is AgentState.IDLE
    desk.wait(100.0)
    assert len(desk.all(act.OriginateAgent)) == 1


def test_a_nailed_phone_that_does_not_answer_is_called_again_with_growing_pauses() -> None:
    desk = a_desk(agents=1, leg=LegKind.NAILED)
    asked = []
    for _ in range(6):
        leg = desk.last(act.OriginateAgent).leg
        desk.clear()
        desk.created(leg)
        desk.over(leg, "NO_ANSWER")
        before = desk.now
        while not desk.all(act.OriginateAgent):
            desk.wait(1.0)
        asked.append(desk.now - before)
    assert asked == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]


def test_a_nailed_leg_that_ends_in_a_conversation_ends_it_and_is_called_again_after_the_rest() -> None:
    desk, call = talking()
    nailed = desk.last(act.Bridge).agent_leg
    desk.clear()
    desk.over(nailed)
    assert desk.last(act.Hangup).leg == call.leg
    desk.over(call.leg)
    desk.wait(30.0)
    assert desk.last(act.OriginateAgent).nailed and closed(desk)[0][0] is Outcome.CONNECTED


def test_an_agent_who_logs_out_in_a_conversation_keeps_it_and_is_hung_up_after_it() -> None:
    desk, call = talking()
    nailed = desk.last(act.Bridge).agent_leg
    desk.clear()
    desk.command(ev.SetAgentStatus, ANA, AgentStatus.LOGGED_OUT)
    assert not desk.all(act.Hangup)
    desk.over(call.leg)
    assert act.Hangup(nailed, "NORMAL_CLEARING") in desk.wanted
    desk.tell(ev.LegParked(nailed))
    desk.over(nailed)
    desk.wait(60.0)
    assert not desk.all(act.OriginateAgent)
    desk.command(ev.SetAgentStatus, ANA, AgentStatus.AVAILABLE)
    desk.wait(60.0)
    desk.nail()
    assert desk.state_of() is AgentState.IDLE and desk.dialer._w.agents[ANA].free


@pytest.mark.parametrize("answers", [True, False])
def test_an_agent_who_logs_out_while_his_nailed_leg_rings_can_come_back(answers: bool) -> None:
    desk = a_desk(agents=1, leg=LegKind.NAILED)
    leg = desk.last(act.OriginateAgent).leg
    desk.created(leg)
    desk.command(ev.SetAgentStatus, ANA, AgentStatus.LOGGED_OUT)
    assert desk.last(act.Hangup).leg == leg
    if answers:
        desk.tell(ev.LegAnswered(leg), ev.LegParked(leg))
    desk.over(leg, "ORIGINATOR_CANCEL")
    desk.clear()
    desk.command(ev.SetAgentStatus, ANA, AgentStatus.AVAILABLE)
    desk.wait(10.0)
    desk.nail()
    assert desk.dialer._w.agents[ANA].free


def test_an_agent_reserved_for_a_ringing_call_who_logs_out_still_takes_it() -> None:
    desk = a_dialling_desk(1, agents=1, leg=LegKind.NAILED)
    desk.command(ev.SetAgentStatus, ANA, AgentStatus.LOGGED_OUT)
    desk.up(placed(desk).leg)
    assert desk.all(act.Bridge) and not desk.all(act.Hangup)


def test_a_nailed_leg_that_was_never_reported_parked_again_is_asked_after() -> None:
    """29: PARK of the agent's leg can arrive before the BRIDGE that it ends; he must not be lost for the day."""
    desk, call = talking()
    nailed = desk.last(act.Bridge).agent_leg
    desk.over(call.leg)
    desk.wait(12.0)
    assert desk.state_of() is AgentState.IDLE and not desk.dialer._w.agents[ANA].free
    desk.wait(12.0)
    assert act.AskLeg(nailed) in desk.wanted
    desk.tell(ev.LegFound(facts(nailed, agent="ana")))
    assert desk.dialer._w.agents[ANA].free


# --- the fallback -----------------------------------------------------------------------------------------------------------------------


def test_parked_legs_are_renewed_every_ten_seconds() -> None:
    desk = a_desk(agents=2, leg=LegKind.NAILED)
    legs = {desk.nail("ana"), desk.nail("bob")}
    desk.clear()
    desk.wait(30.0)
    renewals = desk.all(act.RenewFallback)
    assert len(renewals) == 3 and set(renewals[-1].legs) == legs


def test_a_leg_that_is_being_bridged_or_talks_is_never_renewed() -> None:
    """The transfer would fire in the middle of the conversation."""
    desk = a_desk(agents=1, leg=LegKind.NAILED)
    nailed = desk.nail()
    desk.wait(9.9)
    desk.claimed(a_lead())
    call = placed(desk)
    desk.up(call.leg)
    desk.clear()
    desk.wait(0.5)
    assert not desk.all(act.RenewFallback)
    desk.tell(ev.LegBridged(call.leg, nailed), ev.LegParked(nailed))  # late, and of before the bridge
    desk.wait(60.0)
    assert not desk.all(act.RenewFallback)


def test_a_waiting_customer_is_renewed() -> None:
    campaign = a_campaign(people=["ana"], type=CampaignType.PREDICTIVE, at_most_s=60.0)
    desk = a_dialling_desk(1, agents=0, campaigns=[campaign], offered=modes(MUSIC, originate=1))
    desk.up(placed(desk).leg)
    desk.clear()
    desk.wait(10.0)
    assert desk.last(act.RenewFallback).legs == (placed_leg(desk),)


def placed_leg(desk: Desk) -> LegId:
    (call,) = desk.dialer._w.calls.values()
    return call.lead_leg


def test_an_agent_who_waits_for_his_customer_to_answer_is_renewed_S66() -> None:
    campaign = a_campaign(people=["ana"], type=CampaignType.CALLBACK, ring_timeout_s=60.0)
    flows = {CampaignType.CALLBACK: Flow(first_leg="agent")}
    desk = a_dialling_desk(1, agents=1, campaigns=[campaign], offered=modes(flows))
    leg = desk.last(act.OriginateAgent).leg
    desk.up(leg)
    desk.clear()
    desk.wait(10.0)
    assert desk.last(act.RenewFallback).legs == (leg,)


# --- a notice -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S47", "S48")
def test_the_notice_is_not_cut_off_by_the_end_of_the_music_it_replaces() -> None:
    campaign = a_campaign(people=["ana"], type=CampaignType.PREDICTIVE, at_most_s=5.0, notice="sorry.wav")
    desk = a_dialling_desk(1, agents=0, campaigns=[campaign], offered=modes(MUSIC, originate=1))
    leg = placed(desk).leg
    desk.up(leg)
    desk.wait(5.0)
    assert desk.last(act.PlayNotice).path == "sorry.wav"
    assert desk.tell(ev.PlaybackStopped(leg)) == []
    assert act.Hangup(leg, "NORMAL_CLEARING") in desk.tell(ev.PlaybackStopped(leg))
    desk.over(leg)
    assert closed(desk) == [(Outcome.MISSED, LeadStatus.RETRY)] and desk.campaign().missed == 1
