"""The engine's stories: an event in, actions out, in the orders that a real switch uses."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.definition import GatewayDefinition
from fs_dialer.core.mode_port import Flow
from fs_dialer.core.model import (
    AgentState,
    AttemptId,
    CampaignId,
    CampaignState,
    CampaignType,
    CommandId,
    LeadStatus,
    LegId,
    LegKind,
    Outcome,
)
from fs_dialer.core.resources import CallerIds
from fs_dialer.modes import OFFERED
from tests.core.builders import (
    ANA,
    BOB,
    CARRIER,
    NAMES,
    NOON,
    SWITCH,
    a_campaign,
    a_desk,
    a_dialling_desk,
    a_lead,
    an_installation,
    closed,
    ended,
    modes,
    placed,
    some_leads,
    talking,
)
from tests.core.scripted_switch import Chances
from tests.core.test_dialer_fuzz import play

ROOT = Path(__file__).resolve().parents[2]

# --- a progressive day ----------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S38")
def test_two_free_agents_get_two_calls_and_no_more_S38() -> None:
    desk = a_dialling_desk(5, agents=2, offered=OFFERED)
    calls = desk.all(act.OriginateLead)
    assert [c.attempt.lead for c in calls] == [1, 2] and {c.attempt.agent for c in calls} == {ANA, BOB}
    assert desk.state_of("ana") is desk.state_of("bob") is AgentState.RESERVED


@pytest.mark.spec("S13")
def test_an_answered_customer_talks_to_his_agent_who_then_rests_and_gets_the_next() -> None:
    desk, call = talking()
    assert desk.state_of() is AgentState.TALKING
    desk.clear()
    desk.over(call.leg, sip_status=200)
    desk.tell(ev.LegParked(call.leg))
    assert closed(desk) == [(Outcome.CONNECTED, LeadStatus.SUCCEEDED)] and desk.state_of() is AgentState.WRAP_UP
    desk.tell(ev.LegParked(desk.dialer._w.agents[ANA].leg or LegId("")))
    desk.claimed(a_lead(2))
    assert not desk.all(act.OriginateLead)
    desk.wait(10.0)
    assert placed(desk).attempt.lead == 2


@pytest.mark.spec("D8")
def test_the_attempt_carries_all_that_must_be_committed_D8() -> None:
    desk = a_dialling_desk(1, agents=1, campaigns=[a_campaign(people=["ana"], revision=7, caller_id=CallerIds(numbers=("+34911111111",)))])
    call = placed(desk)
    a = call.attempt
    assert (a.revision, a.lead, a.leg, a.number, a.gateway, a.caller_id, a.agent, a.opened_at) == (
        7, 1, call.leg, "+34600000001", CARRIER, "+34911111111", ANA, NOON,
    )  # fmt: skip
    assert call.dial == "+34600000001" and call.ring_timeout_s == 25.0


@pytest.mark.parametrize(("plus", "prefix", "dial"), [(True, "", "+34600000001"), (False, "", "34600000001"), (True, "99", "9934600000001")])
def test_the_number_is_dressed_as_its_trunk_wants_it(plus: bool, prefix: str, dial: str) -> None:
    installation = an_installation(gateways=[GatewayDefinition(id=CARRIER, plus=plus, prefix=prefix)])
    assert placed(a_dialling_desk(1, agents=1, installation=installation)).dial == dial


def test_a_per_call_agent_is_rung_with_the_campaign_s_number_when_the_customer_answers() -> None:
    desk = a_dialling_desk(1, agents=1)
    desk.up(placed(desk).leg)
    ring = desk.last(act.OriginateAgent)
    assert (ring.agent, ring.call, ring.dial_string, ring.caller_id, ring.nailed) == (ANA, placed(desk).attempt.id, "user/ana", "+34910000000", False)
    assert desk.state_of() is AgentState.RINGING
    desk.up(ring.leg)
    assert desk.last(act.Bridge) == act.Bridge(placed(desk).leg, ring.leg)


# --- orders of events (16–22) ---------------------------------------------------------------------------------------------------------


def test_hangup_complete_before_background_job() -> None:
    """17: the far end's refusal."""
    desk = a_dialling_desk(1, agents=1)
    leg = placed(desk).leg
    desk.created(leg)
    desk.tell(ended(leg, "USER_BUSY", 486), ev.OriginateFailed(leg, "USER_BUSY"), ev.LegDestroyed(leg))
    assert closed(desk) == [(Outcome.BUSY, LeadStatus.RETRY)]
    assert desk.dialer.snapshot().legs == 0 and desk.agent().call is None


def test_background_job_before_hangup_complete_waits_for_the_better_evidence() -> None:
    """17: our own timeout. The job's cause alone has no SIP status."""
    desk = a_dialling_desk(1, agents=1)
    leg = placed(desk).leg
    desk.created(leg)
    desk.tell(ev.LegRang(leg, False), ev.OriginateFailed(leg, "CALL_REJECTED"))
    assert closed(desk) == []
    desk.wait(0.5)
    desk.over(leg, "CALL_REJECTED", 603)
    desk.wait(5.0)
    assert closed(desk) == [(Outcome.REJECTED, LeadStatus.RETRY)]


def test_a_lost_hangup_complete_is_replaced_by_the_job_s_cause() -> None:
    desk = a_dialling_desk(1, agents=1)
    leg = placed(desk).leg
    desk.created(leg)
    desk.tell(ev.OriginateFailed(leg, "USER_BUSY"))
    desk.wait(3.0)
    assert closed(desk) == [(Outcome.BUSY, LeadStatus.RETRY)]


def test_a_destroyed_leg_without_a_word_before_ends_its_call() -> None:
    desk = a_dialling_desk(1, agents=1)
    leg = placed(desk).leg
    desk.created(leg)
    desk.tell(ev.LegDestroyed(leg))
    desk.wait(3.0)
    assert len(closed(desk)) == 1 and desk.dialer.snapshot().legs == 0


@pytest.mark.spec("D3")
def test_a_failure_without_a_leg_is_ours_and_frees_its_line_at_once() -> None:
    """18: session limit, rate limit, pause."""
    desk = a_dialling_desk(1, agents=1)
    desk.tell(ev.OriginateFailed(placed(desk).leg, "DESTINATION_OUT_OF_ORDER"))
    assert closed(desk) == [(Outcome.OURS, LeadStatus.RETRY)] and desk.dialer.snapshot().legs == 0
    assert desk.campaign().refused_without_leg == 1
    assert desk.last(act.CloseAttempt).update.attempts == 0


@pytest.mark.parametrize("park_first", [True, False])
def test_park_before_or_after_answer_and_job(park_first: bool) -> None:
    """16."""
    desk = a_dialling_desk(1, agents=1, leg=LegKind.NAILED)
    leg = placed(desk).leg
    desk.created(leg)
    parked, answered = ev.LegParked(leg), ev.LegAnswered(leg)
    desk.tell(*((parked, answered) if park_first else (answered, parked)), ev.OriginateSucceeded(leg, leg))
    assert len(desk.all(act.Bridge)) == 1


def test_news_that_come_twice_change_nothing() -> None:
    desk = a_dialling_desk(1, agents=1, leg=LegKind.NAILED)
    call = placed(desk)
    nailed = desk.dialer._w.agents[ANA].leg or LegId("")
    for event in (
        ev.LegCreated(call.leg, SWITCH, CARRIER, call.attempt.id, None),
        ev.LegRang(call.leg, False),
        ev.LegAnswered(call.leg),
        ev.LegParked(call.leg),
        ev.LegBridged(call.leg, nailed),
    ):
        desk.tell(event, event)
    since = desk.agent().since
    desk.wait(30.0)
    desk.tell(ev.LegBridged(call.leg, nailed))
    assert desk.agent().since == since
    for ending in (ended(call.leg), ev.LegDestroyed(call.leg)):
        desk.tell(ending, ending)
    assert len(desk.all(act.Bridge)) == len(desk.all(act.CloseAttempt)) == 1


def test_a_uuid_that_was_taken_hangs_up_the_stranger() -> None:
    """22: the switch does not refuse it."""
    desk = a_dialling_desk(1, agents=1)
    stranger = LegId("another")
    got = desk.tell(ev.OriginateSucceeded(placed(desk).leg, stranger))
    assert act.Hangup(stranger, "NORMAL_CLEARING") in got
    assert any(isinstance(a, act.Note) and a.level == "ERROR" and a.name == "uuid_taken" for a in got)


@pytest.mark.spec("D6")
def test_a_leg_with_our_variable_and_no_open_attempt_is_hung_up_D6() -> None:
    desk = a_desk()
    assert desk.created(LegId("x"), attempt=AttemptId("old")) == [act.Hangup(LegId("x"), "NORMAL_CLEARING")]
    assert desk.created(LegId("y"), agent=ANA) == [act.Hangup(LegId("y"), "NORMAL_CLEARING")]
    assert desk.created(LegId("z")) == [], "a leg of somebody else's only counts"
    assert desk.dialer.snapshot().legs == 3


def test_news_of_unknown_legs_are_no_news() -> None:
    desk = a_desk()
    x = LegId("x")
    events = (ev.LegRang(x, True), ev.LegAnswered(x), ev.LegParked(x), ev.LegBridged(x, LegId("y")), ev.LegUnbridged(x, None), ended(x))
    assert desk.tell(*events, ev.LegDestroyed(x), ev.OriginateFailed(x, "USER_BUSY"), ev.BridgeRefused(x, "-ERR"), ev.PlaybackStopped(x)) == []


# --- the store's word -----------------------------------------------------------------------------------------------------------------


def test_a_refused_attempt_dials_nothing_and_its_lead_and_agent_go_back() -> None:
    desk = a_dialling_desk(1, agents=1)
    desk.tell(ev.AttemptRefused(placed(desk).attempt.id, "campaign_paused"))
    (back,) = desk.last(act.ReturnLeads).leads
    assert (back.lead, back.held_by) == (1, "campaign_paused") and not desk.all(act.CloseAttempt)
    assert desk.state_of() is AgentState.IDLE and desk.dialer.snapshot().legs == 0


def test_a_lead_that_the_store_keeps_is_not_given_back() -> None:
    for gate in ("do_not_call", "lead_taken", "already_open", "epoch"):
        desk = a_dialling_desk(1, agents=1)
        desk.tell(ev.AttemptRefused(placed(desk).attempt.id, gate))
        assert not desk.all(act.ReturnLeads)


def test_a_refusal_that_comes_twice_or_too_late_is_nothing() -> None:
    desk = a_dialling_desk(1, agents=1)
    refused = ev.AttemptRefused(placed(desk).attempt.id, "campaign_paused")
    desk.tell(refused)
    assert desk.tell(refused) == []


def test_without_the_store_nothing_is_claimed_or_dialled_and_calls_go_on() -> None:
    desk = a_dialling_desk(9, agents=2, leg=LegKind.NAILED)
    first = placed(desk, 0)
    desk.tell(ev.StoreLost("gone"))
    desk.clear()
    desk.up(first.leg)
    assert desk.last(act.Bridge).leg == first.leg
    desk.tell(ev.LegBridged(first.leg, desk.last(act.Bridge).agent_leg))
    desk.over(first.leg)
    desk.wait(60.0)
    assert closed(desk) == [(Outcome.CONNECTED, LeadStatus.SUCCEEDED)]
    assert not desk.all(act.ClaimLeads) and not desk.all(act.OriginateLead) and not desk.dialer.snapshot().store_up
    desk.tell(ev.StoreBack())
    assert any(isinstance(action, act.ClaimLeads | act.OriginateLead) for action in desk.wanted)


# --- the drain ------------------------------------------------------------------------------------------------------------------------


def test_a_drain_lets_calls_end_hangs_up_nailed_legs_and_says_when_all_is_quiet() -> None:
    desk, call = talking()
    nailed = desk.last(act.Bridge).agent_leg
    desk.claimed(*some_leads(3, first=5))
    desk.clear()
    desk.tell(ev.DrainAsked())
    assert len(desk.last(act.ReturnLeads).leads) == 3 and not desk.all(act.Hangup)
    desk.wait(60.0)
    desk.over(call.leg)
    assert desk.all(act.Hangup) == [act.Hangup(nailed, "NORMAL_CLEARING")] and not desk.all(act.Drained)
    desk.over(nailed)
    assert len(desk.all(act.Drained)) == 1
    desk.wait(100.0)
    assert len(desk.all(act.Drained)) == 1 and not desk.all(act.OriginateAgent) and not desk.all(act.OriginateLead)


def test_leads_that_arrive_in_a_drain_go_back() -> None:
    desk = a_desk(agents=1)
    desk.tell(ev.DrainAsked())
    desk.clear()
    desk.claimed(a_lead(1))
    assert [back.lead for back in desk.last(act.ReturnLeads).leads] == [1]


def test_a_nailed_leg_that_answers_in_a_drain_is_hung_up() -> None:
    """Its originate was on the way when the legs were let go: the hang-up came before the leg."""
    desk = a_desk(agents=1, leg=LegKind.NAILED)
    leg = desk.last(act.OriginateAgent).leg
    desk.tell(ev.DrainAsked())
    desk.clear()
    desk.up(leg)
    assert act.Hangup(leg, "NORMAL_CLEARING") in desk.wanted
    desk.over(leg)
    assert desk.all(act.Drained)


def test_a_drain_gives_up_previews() -> None:
    flow = {CampaignType.PREVIEW: Flow(preview_s=15.0)}
    desk = a_dialling_desk(1, agents=1, campaigns=[a_campaign(people=["ana"], type=CampaignType.PREVIEW)], offered=modes(flow))
    assert desk.state_of() is AgentState.PREVIEWING
    desk.tell(ev.DrainAsked())
    assert desk.state_of() is AgentState.IDLE and [b.lead for b in desk.last(act.ReturnLeads).leads] == [1]


# --- time and order -------------------------------------------------------------------------------------------------------------------


def test_time_never_runs_backwards() -> None:
    desk = a_dialling_desk(1, agents=1)
    desk.now -= 100.0
    desk.up(placed(desk).leg)
    desk.over(placed(desk).leg)
    result = desk.last(act.CloseAttempt).result
    assert result.ended_at == result.answered_at == NOON


def test_a_lagging_inbox_stops_new_calls_until_it_has_caught_up() -> None:
    desk = a_desk(agents=2)
    desk.tell(ev.InboxLag(3.0))
    desk.claimed(*some_leads(2))
    assert not desk.all(act.OriginateLead)
    desk.tell(ev.InboxLag(0.1))
    assert len(desk.all(act.OriginateLead)) == 2


def test_an_event_wakes_all_timers_that_are_due_first() -> None:
    desk = a_dialling_desk(1, agents=1, leg=LegKind.NAILED)
    call = placed(desk)
    desk.created(call.leg)
    desk.now += 60.0
    assert act.Hangup(call.leg, "NORMAL_CLEARING") in desk.tell(ev.LegAnswered(call.leg)), "it rang past its timeout: too late (D6)"


def test_the_story_of_a_call_tells_its_life() -> None:
    desk, call = talking()
    desk.over(call.leg)
    story = desk.dialer.story(call.attempt.id)
    assert [word for word in ("placed", "dialing", "answered", "bridged", "closed") if any(word in line for line in story)] == [
        "placed", "dialing", "answered", "bridged", "closed",
    ]  # fmt: skip


SCRIPT = """
from tests.core.test_dialer import hour_s_digest
print(hour_s_digest())
"""


def hour_s_digest() -> str:
    """Everything that one seeded hour with every kind of trouble was told and wanted."""
    chances = Chances(doubled=0.2, lag_s=0.5, commands=True, link_lost=[(200.0, 20.0)], killed=[(400.0, 5.0)])
    campaigns = [a_campaign("spring", people=NAMES[:4], join=True), a_campaign("autumn", people=NAMES[2:6], join=True)]
    hour = play(11, chances, leg=LegKind.NAILED, agents=6, campaigns=campaigns)
    return hashlib.sha256("\n".join(hour.log).encode()).hexdigest()


def test_equal_seed_and_events_give_equal_actions_byte_for_byte() -> None:
    """Whatever order sets and dictionaries of strings take in a process of its own."""
    digests = set()
    for hash_seed in ("0", "1", "12345"):
        env = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, env=env, capture_output=True, text=True, check=True, timeout=120)
        digests.add(done.stdout.strip())
    assert len(digests) == 1


def test_a_campaign_of_a_type_that_is_not_offered_can_be_approved_and_not_started() -> None:
    desk = a_desk(agents=0)
    desk.tell(ev.CampaignLoaded(a_campaign("x", type=CampaignType.AUTOCALL), CampaignState.NEW, False, ()))
    desk.tell(ev.ApproveCampaign(CommandId("k1"), "an.le", CampaignId("x")))
    assert desk.last(act.Reply).ok
    desk.tell(ev.StartCampaign(CommandId("k2"), "an.le", CampaignId("x")))
    reply = desk.last(act.Reply)
    assert not reply.ok and "does not dial" in reply.text
