"""The rules of a conversation, one call at a time. Values in, values out; whole engines in test_in_call.py."""

from __future__ import annotations

import pytest

from fs_dialer.core.actions import Bridge, Hangup, KeepLeg, ParkBoth
from fs_dialer.core.call_words import (
    AgentGone,
    AgentHeard,
    BridgeDue,
    Connected,
    ConsultAsked,
    Free,
    GuardDue,
    Handed,
    HangUpAsked,
    HeardDue,
    HoldAsked,
    Input,
    LeadEnded,
    Met,
    Offer,
    Record,
    RecordAsked,
    Recorded,
    RecordFailed,
    ResumeAsked,
    RingTarget,
    Talks,
    Target,
    TargetDue,
    TargetGone,
    TargetUp,
    Timer,
)
from fs_dialer.core.model import CallState, LegId
from tests.core.builders import ANA, BOB, a_plan
from tests.core.call_story import FLOWS, LEAD, LEG_A, LEG_B, Story, answered, bridged

S = CallState


def of_bob(*, attended: bool, nailed: bool = False) -> ConsultAsked:
    return ConsultAsked(Target("agent", BOB, LEG_B, 20.0, BOB, nailed, attended))


def consulting(*, attended: bool = True) -> Story:
    story = bridged()
    story.give(of_bob(attended=attended))
    return story


def test_a_target_is_rung_for_as_long_as_he_may_be() -> None:
    story = consulting()
    assert story.said[-2:] == [RingTarget(), Timer(TargetDue, story.now + 20.0)]
    assert story.wants(ParkBoth) == [ParkBoth(LEAD, LEG_A)] and not story.wants(KeepLeg), "a nailed leg stays anyway"


def test_a_question_out_of_a_hold_parks_nobody_again() -> None:
    story = bridged()
    story.give(HoldAsked(), of_bob(attended=True))
    assert len(story.wants(ParkBoth)) == 1 and story.state is S.CONSULTING


def test_a_target_who_is_parked_already_needs_no_ringing() -> None:
    for attended, one in ((True, LEG_A), (False, LEAD)):
        story = bridged()
        story.give(of_bob(attended=attended, nailed=True))
        assert not story.wants(RingTarget) and story.wants(Bridge)[-1] == Bridge(one, LEG_B)


def test_a_hand_over_frees_the_giver_only_when_the_customer_is_there() -> None:
    story = consulting(attended=False)
    story.give(TargetUp())
    assert not [d for d in story.said if isinstance(d, Free)]
    got = story.give(Handed())
    assert Free(ANA, "served") in got and Talks(BOB, "talking") in got and story.state is S.BRIDGED


@pytest.mark.parametrize("ev", [BridgeDue(), TargetGone()], ids=["no word of it", "he is gone"])
def test_a_hand_over_that_fails_brings_the_customer_back(ev: Input) -> None:
    story = consulting(attended=False)
    story.give(TargetUp())
    got = story.give(ev, after=5.0)
    assert Bridge(LEAD, LEG_A) in got and story.state is S.HELD and story.call.news == "agent bob could not be connected"
    assert (Hangup(LEG_B, "NORMAL_CLEARING") in got) == isinstance(ev, BridgeDue)


def test_news_of_a_target_who_was_let_go_change_nothing() -> None:
    story = consulting()
    story.give(ResumeAsked())
    for late in (TargetUp(), TargetGone(), Met(), Handed(), TargetDue()):
        assert story.give(late) == []
    story.give(Connected())
    assert story.state is S.BRIDGED


def test_a_customer_who_hangs_up_frees_whoever_is_rung_for_him() -> None:
    story = consulting()
    got = story.give(LeadEnded("NORMAL_CLEARING"))
    assert Hangup(LEG_B, "ORIGINATOR_CANCEL") in got and Free(BOB, "consulted") in got and Free(ANA, "served") in got


def test_an_agent_who_hangs_up_before_anybody_answered_his_question_leaves_the_customer_waiting() -> None:
    story = consulting()
    got = story.give(AgentGone())
    assert Hangup(LEG_B, "ORIGINATOR_CANCEL") in got and story.state is S.WAITING_AGENT


def test_hanging_up_in_the_middle_of_a_question_ends_all_of_it() -> None:
    story = consulting()
    story.give(TargetUp(), Met())
    got = story.give(HangUpAsked())
    assert ParkBoth(LEG_A, LEG_B) in got and Hangup(LEG_B, "NORMAL_CLEARING") in got and Hangup(LEAD, "NORMAL_CLEARING") in got
    assert [d.why for d in got if isinstance(d, Free)] == ["consulted", "served"] and story.state is S.NOTICE
    assert any(isinstance(d, Timer) and d.due is GuardDue for d in got)


def test_what_the_agent_hears_comes_before_the_bridge_once() -> None:
    for end in (AgentHeard(), HeardDue()):
        story = answered(FLOWS["beep"])
        story.give(Offer(ANA, LEG_A, ready=True))
        assert not story.wants(Bridge) and story.call.hearing
        assert Bridge(LEAD, LEG_A) in story.give(end, after=1.0)
        story.give(Connected())
        story.give(HoldAsked())
        assert Bridge(LEAD, LEG_A) in story.give(ResumeAsked()), "not again after a hold"


def test_the_switch_s_own_word_is_what_counts_of_a_recording() -> None:
    story = bridged(a_plan(record="on_demand"))
    assert story.give(RecordAsked("start")) == [Record("start")] and story.give(RecordAsked("start")) == []
    story.give(Recorded(True), after=1.0)
    begun = story.now
    assert story.give(RecordAsked("pause")) == [Record("pause")] and story.call.recording == "paused"
    story.give(Recorded(False), after=9.0)
    assert (story.call.recorded_from, story.call.recorded_until, story.call.recording) == (begun, begun + 9.0, "off")


def test_a_recording_that_fails_is_off_and_may_be_tried_again() -> None:
    story = bridged(a_plan(record="on_demand"))
    story.give(RecordAsked("start"), RecordFailed())
    assert story.call.recording == "off" and story.give(RecordAsked("start")) == [Record("start")]


def test_a_leg_of_the_old_conversation_is_nobody_s_target() -> None:
    story = bridged()
    assert story.give(ConsultAsked(Target("number", "+442079460000", LegId("x"), 25.0)))[-2] == RingTarget()
    assert story.give(ConsultAsked(Target("agent", BOB, LEG_B, 20.0, BOB))) == [Free(BOB, "consulted")], "one at a time"
