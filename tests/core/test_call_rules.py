"""The stories of all six flows, one call at a time. Values in, values out."""

from __future__ import annotations

import pytest

from fs_dialer.core.actions import Action, Bridge, EnterIvr, Hangup, ParkBoth, PlayMusic, PlayNotice, RenewFallback
from fs_dialer.core.call_rules import BRIDGE_DEADLINE_S, GUARD_S, LOST_IN_CALL_S, NOTICE_MOST_S, RING_SLACK_S
from fs_dialer.core.call_words import (
    AgentGone,
    AgentParked,
    AgentRingDue,
    Apart,
    AskSwitch,
    Begin,
    BridgeDue,
    BridgeFailed,
    Cancel,
    Connected,
    DialLead,
    DialNow,
    Finish,
    Free,
    GuardDue,
    HoldAsked,
    IvrWantsAgent,
    LeadAnswered,
    LeadEarly,
    LeadEnded,
    LeadParked,
    LeadRang,
    MachineHeard,
    Need,
    NobodyFree,
    NoticeOver,
    Offer,
    PersonHeard,
    PreviewDue,
    Refused,
    ResumeAsked,
    RingAgent,
    RingDue,
    RingReserved,
    Skip,
    Talks,
    Timer,
    WaitDue,
)
from fs_dialer.core.model import CallState
from tests.core.builders import ANA, BOB, NOON, a_plan
from tests.core.call_story import FLOWS, LEAD, LEG_A, LEG_B, Story, answered, bridged

S = CallState

# --- progressive ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S38")
def test_a_customer_is_bridged_to_his_reserved_nailed_agent_at_once() -> None:
    """S38."""
    story = answered(FLOWS["progressive"], agent=ANA, nailed=LEG_A)
    assert story.wants(Action) == [Bridge(LEAD, LEG_A)]
    story.give(Connected(), after=0.05)
    assert story.state is S.BRIDGED and Talks(ANA, "talking") in story.said
    story.give(LeadEnded("NORMAL_CLEARING", 200), after=60.0)
    evidence = story.finish.evidence
    assert evidence is not None and evidence.answered_at == NOON + 6.0 and evidence.bridged_at == pytest.approx(NOON + 6.05)
    assert Free(ANA, "served") in story.said


def test_nothing_is_bridged_before_both_answer_and_park() -> None:
    """31: a bridge at ANSWER, before PARK, loses calls."""
    for first, second in ((LeadAnswered(), LeadParked()), (LeadParked(), LeadAnswered())):
        story = Story(FLOWS["progressive"], agent=ANA, nailed=LEG_A)
        story.give(Begin(), LeadRang(), first)
        assert not story.wants(Bridge)
        story.give(second)
        assert story.wants(Bridge) == [Bridge(LEAD, LEG_A)]


def test_a_doubled_answer_and_park_bridge_once() -> None:
    story = answered(FLOWS["progressive"], agent=ANA, nailed=LEG_A)
    story.give(LeadAnswered(), LeadParked(), LeadParked())
    assert len(story.wants(Bridge)) == 1


def test_an_agent_who_is_rung_per_call_is_rung_at_the_answer_with_music() -> None:
    story = answered(FLOWS["progressive"], agent=ANA)
    assert RingReserved() in story.said and not story.wants(Bridge)
    story.give(Offer(ANA, LEG_A, ready=False))
    assert [d for d in story.said if isinstance(d, PlayMusic | RingAgent)] == [PlayMusic(LEAD, "moh"), RingAgent(ANA, LEG_A)]
    story.give(AgentParked(), after=3.0)
    assert story.wants(Bridge) == [Bridge(LEAD, LEG_A)]


def test_the_customer_who_hangs_up_while_the_agent_rings_stops_the_ringing() -> None:
    story = answered(FLOWS["progressive"], agent=ANA)
    story.give(Offer(ANA, LEG_A, ready=False))
    got = story.give(LeadEnded("NORMAL_CLEARING"), after=2.0)
    assert got[:2] == [Hangup(LEG_A, "ORIGINATOR_CANCEL"), Free(ANA, "unserved")]
    assert story.state is S.ENDED


@pytest.mark.parametrize("cause", ["USER_BUSY", "NO_ANSWER", "UNALLOCATED_NUMBER"])
def test_an_unanswered_call_gives_its_agent_back_untouched(cause: str) -> None:
    story = Story(FLOWS["progressive"], agent=ANA, nailed=LEG_A)
    story.give(Begin(), LeadEnded(cause, 486))
    assert story.said[-2:] == [Free(ANA, "unserved"), story.finish]
    assert story.finish.evidence is not None and story.finish.evidence.cause == cause and not story.finish.evidence.rang


def test_the_store_s_refusal_ends_a_call_without_evidence() -> None:
    """D8: nothing was dialled."""
    story = Story(FLOWS["progressive"], agent=ANA, nailed=LEG_A)
    story.give(Begin(), Refused("do_not_call"))
    assert story.finish == Finish(None, "do_not_call") and Free(ANA, "unserved") in story.said


def test_the_reserved_agent_who_vanishes_while_it_rings_is_replaced_at_the_answer() -> None:
    story = Story(FLOWS["progressive"], agent=ANA, nailed=LEG_A)
    story.give(Begin(), LeadRang(), AgentGone())
    assert Free(ANA, "missed_offer") in story.said and story.state is S.DIALING
    assert story.give(LeadAnswered(), LeadParked())[-1] == Need()


# --- waiting ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S47")
def test_person_answered_and_no_agent_in_time_is_let_go_and_counts_one_miss() -> None:
    """S47, S48, D1."""
    story = answered(a_plan(on_answer="music_then_agent"))
    story.give(NobodyFree())
    assert PlayMusic(LEAD, "moh") in story.said
    assert story.give(WaitDue(), after=20.0)[-2:] == [Hangup(LEAD, "NORMAL_CLEARING"), Timer(GuardDue, story.now + GUARD_S)]
    story.give(LeadEnded("NORMAL_CLEARING"))
    evidence = story.finish.evidence
    assert evidence is not None and evidence.we_hung_up and evidence.bridged_at is None and not evidence.we_cancelled


def test_a_notice_is_heard_before_the_customer_is_let_go() -> None:
    """D10."""
    story = answered(FLOWS["predictive"])
    story.give(NobodyFree())
    assert PlayNotice(LEAD, "sorry.wav") in story.give(WaitDue(), after=20.0)
    assert story.state is S.NOTICE
    assert story.give(NoticeOver()) == [], "what stops first is the music that the notice replaced"
    assert Hangup(LEAD, "NORMAL_CLEARING") in story.give(NoticeOver(), after=4.0)


def test_a_notice_that_never_ends_is_ended() -> None:
    story = answered(FLOWS["predictive"])
    story.give(WaitDue(), after=20.0)
    assert Hangup(LEAD, "NORMAL_CLEARING") in story.give(GuardDue(), after=NOTICE_MOST_S)


@pytest.mark.spec("S46")
def test_agent_not_answering_goes_to_next_agent_S46() -> None:
    story = answered(FLOWS["predictive"])
    story.give(Offer(ANA, LEG_A, ready=False))
    assert Timer(AgentRingDue, story.now + 30.0) in story.said
    got = story.give(AgentRingDue(), after=30.0)
    assert Hangup(LEG_A, "ORIGINATOR_CANCEL") in got and Free(ANA, "missed_offer") in got


@pytest.mark.spec("S46", "S47")
def test_the_next_agent_is_asked_for_while_the_wait_lasts_and_no_longer() -> None:
    story = answered(a_plan(on_answer="music_then_agent", max_wait_s=40.0))
    story.give(Offer(ANA, LEG_A, ready=False))
    assert Need() in story.give(AgentRingDue(), after=30.0)
    story.give(Offer(BOB, LEG_B, ready=False))
    assert Need() not in story.give(AgentGone(), after=15.0)
    assert story.state is S.NOTICE


def test_an_agent_s_own_busy_phone_is_not_hung_up_again() -> None:
    story = answered(FLOWS["predictive"])
    story.give(Offer(ANA, LEG_A, ready=False))
    assert not [d for d in story.give(AgentGone()) if isinstance(d, Hangup)]


def test_a_second_agent_offered_in_the_same_breath_goes_back() -> None:
    story = answered(FLOWS["predictive"])
    story.give(Offer(ANA, LEG_A, ready=True))
    assert story.give(Offer(BOB, LEG_B, ready=True)) == [Free(BOB, "unserved")]
    assert story.wants(Bridge) == [Bridge(LEAD, LEG_A)]


def test_a_bridge_that_fails_is_no_fault_of_the_agent_and_the_next_is_tried() -> None:
    """32. The agent answered: it must not count towards his being set not available."""
    for failure in (BridgeFailed(), BridgeDue()):
        story = answered(FLOWS["predictive"])
        story.give(Offer(ANA, LEG_A, ready=True))
        assert Timer(BridgeDue, story.now + BRIDGE_DEADLINE_S) in story.said
        got = story.give(failure)
        assert Free(ANA, "bridge_failed") in got and Need() in got


def test_the_wait_does_not_end_in_the_middle_of_a_bridge() -> None:
    story = answered(FLOWS["predictive"])
    story.give(Offer(ANA, LEG_A, ready=True), after=19.99)
    assert story.give(WaitDue(), after=0.02) == [Timer(WaitDue, story.now + BRIDGE_DEADLINE_S)]
    story.give(Connected())
    assert story.state is S.BRIDGED


# --- what was cancelled, and what rang too long ----------------------------------------------------------------------------------------


@pytest.mark.spec("D6")
def test_late_answer_after_cancel_is_hung_up_and_never_bridged() -> None:
    """D6."""
    story = Story(FLOWS["progressive"], agent=ANA, nailed=LEG_A)
    story.give(Begin(), LeadRang(), Cancel("paused"))
    assert Hangup(LEAD, "ORIGINATOR_CANCEL") in story.said and Free(ANA, "unserved") in story.said
    got = story.give(LeadAnswered(), LeadParked())
    assert Hangup(LEAD, "NORMAL_CLEARING") in got and not story.wants(Bridge)
    story.give(LeadEnded("NORMAL_CLEARING"))
    evidence = story.finish.evidence
    assert evidence is not None and evidence.answered_at is not None and not evidence.we_cancelled, "the person did answer: missed, not cancelled"


def test_a_cancelled_call_whose_end_is_not_reported_is_asked_after_again_and_again() -> None:
    story = Story(FLOWS["progressive"])
    story.give(Begin(), Cancel("paused"))
    for _ in range(3):
        got = story.give(GuardDue(), after=GUARD_S)
        assert got == [AskSwitch(), Hangup(LEAD, "ORIGINATOR_CANCEL"), Timer(GuardDue, story.now + GUARD_S)]


def test_a_call_that_outlives_its_ring_timeout_is_ended_as_the_switch_would_have() -> None:
    """It rang out; it was not cancelled by us (§4: that class is for pause, end, DNC)."""
    story = Story(FLOWS["progressive"], agent=ANA, nailed=LEG_A)
    story.give(Begin())
    assert Timer(RingDue, NOON + 25.0 + RING_SLACK_S) in story.said
    story.give(LeadRang(), after=1.0)
    got = story.give(RingDue(), after=34.0)
    assert AskSwitch() in got and Hangup(LEAD, "NO_ANSWER") in got and Free(ANA, "unserved") in got
    assert Hangup(LEAD, "NO_ANSWER") in story.give(GuardDue(), after=GUARD_S)
    story.give(LeadEnded("NO_ANSWER"))
    evidence = story.finish.evidence
    assert evidence is not None and evidence.rang and not evidence.we_cancelled


# --- the conversation ------------------------------------------------------------------------------------------------------------------


def test_hold_parks_both_and_resume_bridges_again() -> None:
    """38: uuid_hold would lose the call."""
    story = bridged()
    parked = [Timer(GuardDue, None), ParkBoth(LEAD, LEG_A), PlayMusic(LEAD, "moh"), RenewFallback((LEAD, LEG_A)), Talks(ANA, "held")]
    assert story.give(HoldAsked()) == parked
    assert story.give(Apart(), LeadParked(), AgentParked()) == []
    assert Bridge(LEAD, LEG_A) in story.give(ResumeAsked())
    assert story.give(ResumeAsked()) == [], "a bridge is on its way already"
    story.give(Connected())
    assert story.state is S.BRIDGED and story.said[-1] == Talks(ANA, "talking")


def test_a_bridge_told_twice_does_not_end_a_hold() -> None:
    story = bridged()
    story.give(HoldAsked())
    assert story.give(Connected()) == [AskSwitch()] and story.state is S.HELD, "the switch knows which of them it was"


def test_a_bridge_told_twice_does_not_begin_the_conversation_anew() -> None:
    story = bridged()
    assert story.give(Connected(), after=30.0) == []


def test_a_resume_that_fails_leaves_the_customer_with_music_and_may_be_tried_again() -> None:
    story = bridged()
    story.give(HoldAsked(), ResumeAsked())
    assert PlayMusic(LEAD, "moh") in story.give(BridgeFailed())
    assert Bridge(LEAD, LEG_A) in story.give(ResumeAsked())


def test_an_agent_who_has_hung_up_cannot_hold() -> None:
    story = bridged()
    story.give(AgentGone())
    assert story.give(HoldAsked()) == []
    assert not story.wants(ParkBoth)


def test_the_agent_who_hangs_up_ends_the_call() -> None:
    story = bridged()
    assert story.give(AgentGone()) == [Free(ANA, "served"), Hangup(LEAD, "NORMAL_CLEARING"), Timer(GuardDue, story.now + GUARD_S)]
    story.give(LeadEnded("NORMAL_CLEARING"))
    assert [d for d in story.said if isinstance(d, Free)] == [Free(ANA, "served")]


def test_a_held_customer_whose_agent_vanishes_gets_another_with_a_fresh_wait() -> None:
    story = bridged()
    story.give(HoldAsked(), after=100.0)
    got = story.give(AgentGone())
    assert Free(ANA, "served") in got and Need() in got and Timer(WaitDue, story.now + LOST_IN_CALL_S) in got


def test_the_second_agent_of_a_lost_call_has_not_served_it_until_he_talked() -> None:
    story = bridged()
    story.give(HoldAsked(), AgentGone(), Offer(BOB, LEG_B, ready=False))
    assert Free(BOB, "unserved") in story.give(LeadEnded("NORMAL_CLEARING"))


def test_a_bridge_that_comes_apart_is_asked_after_and_then_made_sure_of() -> None:
    """29, 32: an UNBRIDGE whose hang-ups never come would leave a customer in silence."""
    story = bridged()
    (timer,) = story.give(Apart())
    assert isinstance(timer, Timer) and timer.due is GuardDue
    assert story.give(GuardDue(), after=5.0)[0] == AskSwitch() and not story.wants(Hangup)
    assert Hangup(LEAD, "NORMAL_CLEARING") in story.give(Apart(), after=0.1), "the switch says so too"


def test_an_old_unbridge_that_is_told_late_cuts_no_conversation() -> None:
    story = bridged()
    story.give(Apart())
    story.give(GuardDue(), after=5.0)
    assert story.give(Connected(), after=0.1) == [Timer(GuardDue, None)]
    assert story.state is S.BRIDGED and not story.wants(Hangup)


def test_a_bridge_of_which_the_switch_says_nothing_more_is_ended() -> None:
    story = bridged()
    story.give(Apart())
    story.give(GuardDue(), after=5.0)
    assert Hangup(LEAD, "NORMAL_CLEARING") in story.give(GuardDue(), after=10.0)


# --- screening, machines --------------------------------------------------------------------------------------------------------------


def test_a_screened_person_is_bridged_and_the_screening_s_own_timer_does_not_cut_the_conversation() -> None:
    story = answered(FLOWS["screened"], agent=ANA, nailed=LEG_A)
    assert story.state is S.SCREENING
    assert Timer(GuardDue, None) in story.give(PersonHeard(), after=1.0)
    assert Bridge(LEAD, LEG_A) in story.said


def test_screening_that_says_nothing_takes_it_for_a_person() -> None:
    story = answered(FLOWS["screened"], agent=ANA, nailed=LEG_A)
    assert Bridge(LEAD, LEG_A) in story.give(GuardDue(), after=6.0)


def test_a_machine_is_hung_up_and_its_agent_freed() -> None:
    story = answered(FLOWS["screened"], agent=ANA, nailed=LEG_A)
    got = story.give(MachineHeard())
    assert Free(ANA, "unserved") in got and Hangup(LEAD, "NORMAL_CLEARING") in got
    story.give(LeadEnded("NORMAL_CLEARING"))
    assert story.finish.evidence is not None and story.finish.evidence.machine


# --- preview, manual, callback --------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S36")
def test_a_preview_dials_by_itself_when_its_time_is_up_S36() -> None:
    story = Story(FLOWS["preview"], agent=ANA, nailed=LEG_A)
    assert story.give(Begin()) == [Timer(PreviewDue, NOON + 15.0)]
    assert DialLead() in story.give(PreviewDue(), after=15.0)


def test_a_preview_can_be_cut_short_or_declined() -> None:
    story = Story(FLOWS["preview"], agent=ANA, nailed=LEG_A)
    story.give(Begin())
    assert DialLead() in story.give(DialNow(), after=2.0)
    other = Story(FLOWS["preview"], agent=ANA, nailed=LEG_A)
    other.give(Begin())
    assert other.give(Skip()) == [Free(ANA, "unserved"), Finish(None, "skipped")]


@pytest.mark.spec("S66")
@pytest.mark.parametrize("name", ["manual", "callback"])
def test_agent_first_dials_the_customer_once_the_agent_is_parked_S66(name: str) -> None:
    story = Story(FLOWS[name], agent=ANA)
    assert RingReserved() in story.give(Begin())
    assert story.give(Offer(ANA, LEG_A, ready=False)) == [RingAgent(ANA, LEG_A)]
    assert not story.wants(DialLead)
    assert DialLead() in story.give(AgentParked(), after=4.0)
    assert story.give(LeadAnswered(), LeadParked(), after=8.0)[-2:-1] == [Bridge(LEAD, LEG_A)]


@pytest.mark.spec("S66")
def test_agent_first_without_the_agent_dials_nobody_S66() -> None:
    for ev in (AgentGone(), AgentRingDue()):
        story = Story(FLOWS["callback"], agent=ANA)
        story.give(Begin(), Offer(ANA, LEG_A, ready=False))
        got = story.give(ev, after=5.0)
        assert (Hangup(LEG_A, "ORIGINATOR_CANCEL") in got) == isinstance(ev, AgentRingDue)
        assert got[-2:] == [Free(ANA, "missed_offer"), Finish(None)]


def test_agent_first_the_agent_who_hangs_up_while_it_rings_cancels_the_call() -> None:
    story = Story(FLOWS["callback"], agent=ANA)
    story.give(Begin(), Offer(ANA, LEG_A, ready=False), AgentParked(), LeadRang())
    got = story.give(AgentGone())
    assert Hangup(LEAD, "ORIGINATOR_CANCEL") in got and story.state is S.CANCELLING
    story.give(LeadEnded("ORIGINATOR_CANCEL"))
    assert story.finish.evidence is not None and story.finish.evidence.we_cancelled


# --- autocall -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S50")
def test_autocall_leads_into_the_ivr_and_needs_no_agent_S50() -> None:
    story = answered(FLOWS["autocall"])
    assert story.state is S.IN_IVR and not story.wants(Need, EnterIvr), "the switch has sent him there by itself"
    story.give(LeadEnded("NORMAL_CLEARING"))
    assert story.finish.evidence is not None and story.finish.evidence.in_flow and story.finish.evidence.wanted_at is None


@pytest.mark.spec("S51")
def test_autocall_a_key_asks_for_an_agent_S51() -> None:
    story = answered(FLOWS["autocall"])
    story.give(LeadParked())
    got = story.give(IvrWantsAgent("adviser"), after=30.0)
    assert got == [Timer(GuardDue, None), RenewFallback((LEAD,)), Timer(WaitDue, story.now + 20.0), Need()]


def test_early_media_is_not_an_answer() -> None:
    """19."""
    story = Story(FLOWS["progressive"], agent=ANA, nailed=LEG_A)
    story.give(Begin(), LeadEarly(), LeadParked())
    assert story.state is S.EARLY and not story.wants(Bridge)
    story.give(LeadAnswered())
    assert story.wants(Bridge) == [Bridge(LEAD, LEG_A)]
