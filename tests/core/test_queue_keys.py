"""Callers in queues who press keys, hear announcements, wait too long, or leave while nobody listens: one thing becomes of each, and once."""

from __future__ import annotations

from typing import Any

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import agent_events as ag
from fs_dialer.core import events as ev
from fs_dialer.core.call_words import Terms
from fs_dialer.core.caller_rules import SAY_MOST_S
from fs_dialer.core.definition import Recording
from fs_dialer.core.model import AgentId, AgentState, AgentStatus, AttemptId, LegFacts, LegId, LegKind
from fs_dialer.core.queue_definition import Announce, CallbackKey, Overflow, QueueAgents, QueueDefinition
from fs_dialer.core.queue_line import Line, line_of
from fs_dialer.core.switch_names import kept_row
from tests.core.builders import CARRIER, NAMES, NOON, SWITCH, Desk, a_desk, ended
from tests.core.test_callers import a_line, a_queue_desk, busy, calls_in, queue, talks

AFTER_S, WAIT_S = 20.0, 60.0
pytestmark = pytest.mark.spec("S72", "S74")


def a_keyed_line(**more: Any) -> Line:
    """S76: from second 20 to 60."""
    terms = {"key_after_s": AFTER_S, "said_at_key": "thanks.wav", **more.pop("terms", {})}
    return a_line(terms=Terms("support", **terms), **more)


def a_keyed_desk(agents: int = 2, **more: Any) -> Desk:
    leg = more.pop("leg", LegKind.NAILED)
    line = a_keyed_line(people=NAMES[:agents], **more)
    return a_queue_desk(line, agents=agents, leg=leg)


def waiting(agents: int = 1, **more: Any) -> tuple[Desk, LegId]:
    """A caller in line behind talking ones, nothing wanted yet."""
    desk = a_keyed_desk(agents, **more)
    busy(desk, agents)
    leg = calls_in(desk)
    desk.clear()
    return desk, leg


def presses(desk: Desk, leg: LegId, key: str = "1", **more: Any) -> list[act.Action]:
    return desk.tell(ag.CallerKey(leg, key, **more))


def left(desk: Desk) -> act.CallerLeft:
    return desk.last(act.CallerLeft)


# --- the key ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S76", "S77")
def test_the_right_key_in_time_plays_the_notice_and_ends_the_call() -> None:
    desk, leg = waiting()
    desk.wait(AFTER_S)
    presses(desk, leg)
    assert desk.last(act.PlayNotice) == act.PlayNotice(leg, "thanks.wav") and not desk.all(act.Hangup)
    desk.tell(ev.PlaybackStopped(leg), ev.PlaybackStopped(leg))
    assert desk.last(act.Hangup).leg == leg
    desk.wait(0.1)
    desk.over(leg)
    assert (left(desk).why, left(desk).asked_at, left(desk).missed) == ("callback", NOON + AFTER_S, False)
    assert left(desk).kept == (kept_row(leg, "key"),) and queue(desk).called_back == 1


def test_before_the_least_wait_the_key_changes_nothing_and_its_row_is_forgotten() -> None:
    desk, leg = waiting(terms={"said_too_early": "wait.wav"})
    desk.wait(AFTER_S - 0.5)
    presses(desk, leg)
    assert desk.last(act.ForgetKept) == act.ForgetKept(SWITCH, (kept_row(leg, "key"),))
    assert desk.last(act.Announce).sounds == ("wait.wav",) and not desk.all(act.PlayNotice) and queue(desk).waiting == 1
    desk.wait(0.5)
    presses(desk, leg)
    assert desk.all(act.PlayNotice)


@pytest.mark.spec("S73")
def test_a_wrong_key_leaves_him_in_his_place() -> None:
    desk, leg = waiting(terms={"said_wrong": "wrong.wav"})
    desk.wait(AFTER_S)
    presses(desk, leg, "7", right=False)
    assert desk.last(act.Announce).sounds == ("wrong.wav",) and queue(desk).waiting == 1 and not desk.all(act.ForgetKept)


@pytest.mark.spec("S73", "D12")
def test_whose_number_is_withheld_is_promised_nothing_and_keeps_his_place() -> None:
    """Nobody could call him back."""
    desk = a_keyed_desk(1, terms={"said_wrong": "wrong.wav"})
    busy(desk, 1)
    leg = LegId("caller")
    desk.tell(ev.LegCreated(leg, SWITCH, CARRIER, None, None), ag.CallerQueued(leg, "support", AttemptId("caller"), ""))
    desk.clear()
    desk.wait(AFTER_S)
    presses(desk, leg)
    assert queue(desk).waiting == 1 and desk.last(act.Announce).sounds == ("wrong.wav",) and not desk.all(act.PlayNotice)
    assert desk.last(act.ForgetKept) == act.ForgetKept(SWITCH, (kept_row(leg, "key"),))
    desk.over(leg)
    assert left(desk).why == "hung_up"


def test_hints_do_not_pile_up_behind_each_other() -> None:
    desk, leg = waiting(terms={"said_wrong": "wrong.wav"})
    for _ in range(5):
        presses(desk, leg, "7", right=False)
    assert len(desk.all(act.Announce)) == 1


def test_pressing_again_asks_once() -> None:
    desk, leg = waiting()
    desk.wait(AFTER_S)
    for _ in range(3):
        presses(desk, leg)
        desk.wait(0.2)
    assert len(desk.all(act.PlayNotice)) == 1
    desk.over(leg)
    assert left(desk).asked_at == NOON + AFTER_S and len(desk.all(act.CallerLeft)) == 1


@pytest.mark.spec("S77")
def test_who_hangs_up_during_the_notice_is_called_back_all_the_same() -> None:
    desk, leg = waiting()
    desk.wait(AFTER_S)
    presses(desk, leg)
    desk.wait(0.5)
    desk.over(leg)
    assert left(desk).why == "callback" and not desk.all(act.Hangup)


def test_a_queue_without_a_notice_hangs_up_at_once() -> None:
    desk, leg = waiting(terms={"said_at_key": None})
    desk.wait(AFTER_S)
    presses(desk, leg)
    assert desk.last(act.Hangup).leg == leg


def test_a_queue_without_a_key_takes_none() -> None:
    desk = a_queue_desk(agents=1)
    busy(desk, 1)
    leg = calls_in(desk)
    desk.wait(30.0)
    presses(desk, leg)
    assert queue(desk).waiting == 1 and desk.last(act.ForgetKept).rows == (kept_row(leg, "key"),)


def test_a_key_of_somebody_nobody_knows_is_left_where_it_is() -> None:
    desk = a_keyed_desk()
    assert presses(desk, LegId("nobody")) == []


def test_the_agent_who_is_being_rung_for_him_is_let_go() -> None:
    desk = a_keyed_desk(1, leg=LegKind.PER_CALL, terms={"key_after_s": 2.0})
    leg = calls_in(desk)
    ring = desk.last(act.OriginateAgent)
    desk.wait(2.0)
    presses(desk, leg)
    assert desk.last(act.Hangup) == act.Hangup(ring.leg, "ORIGINATOR_CANCEL") and desk.last(act.PlayNotice).leg == leg
    desk.tell(ev.LegAnswered(ring.leg), ev.LegParked(ring.leg))  # he answers in the same moment
    desk.over(ring.leg)
    desk.over(leg)
    assert not desk.all(act.Bridge) and left(desk).why == "callback" and not desk.all(act.CallerServed)
    desk.wait(2.0)
    assert desk.state_of(ring.agent) is AgentState.IDLE


@pytest.mark.parametrize("end", ["bridged", "refused", "he hangs up", "overdue"])
def test_an_agent_who_is_being_connected_wins_over_the_key_and_if_nothing_comes_of_it_the_key_holds(end: str) -> None:
    desk, leg = waiting()
    agent_leg = desk.dialer._w.agents[AgentId("ana")].leg
    assert agent_leg is not None
    desk.wait(AFTER_S)
    desk.over(LegId("busy-0"))
    desk.tell(ev.LegParked(agent_leg))
    desk.wait(10.0)
    assert desk.last(act.Bridge).leg == leg
    presses(desk, leg)
    assert not desk.all(act.PlayNotice)
    if end == "bridged":
        desk.tell(ev.LegBridged(leg, agent_leg))
    elif end == "refused":
        desk.tell(ev.BridgeRefused(leg, "-ERR"))
    elif end == "overdue":
        desk.wait(5.0)
    desk.over(leg)
    served, called_back = end == "bridged", end != "bridged"
    assert len([a for a in desk.all(act.CallerServed) if a.call == "caller"]) == served
    assert left(desk).why == ("served" if served else "callback") and (left(desk).asked_at is not None) is called_back
    assert left(desk).kept == (kept_row(leg, "key"),)


def test_a_key_in_the_conversation_asks_for_nothing() -> None:
    desk = a_keyed_desk()
    leg = calls_in(desk)
    talks(desk, leg)
    desk.wait(AFTER_S)
    presses(desk, leg)
    desk.over(leg)
    assert left(desk).why == "served" and left(desk).asked_at is None


def test_a_key_pressed_while_he_is_being_let_go_holds() -> None:
    desk, leg = waiting(notice="sorry.wav")
    desk.wait(WAIT_S)
    assert desk.last(act.PlayNotice).path == "sorry.wav"
    presses(desk, leg)
    desk.tell(ev.PlaybackStopped(leg), ev.PlaybackStopped(leg))
    desk.over(leg)
    assert left(desk).why == "callback" and queue(desk).missed == 0


def test_two_hundred_callers_press_at_once_and_each_is_called_back_once() -> None:
    desk = a_keyed_desk(1)
    busy(desk, 1)
    legs = [calls_in(desk, f"c{n}") for n in range(200)]
    desk.wait(AFTER_S)
    for leg in legs:
        presses(desk, leg)
    for leg in legs:
        desk.over(leg)
    assert [a.call for a in desk.all(act.CallerLeft)] == [f"c{n}" for n in range(200)]
    assert {a.why for a in desk.all(act.CallerLeft)} == {"callback"} and queue(desk).called_back == 200


def test_nobody_gets_a_caller_who_is_on_his_way_out() -> None:
    desk, leg = waiting()
    agent_leg = desk.dialer._w.agents[AgentId("ana")].leg
    assert agent_leg is not None
    desk.wait(AFTER_S)
    presses(desk, leg)
    desk.over(LegId("busy-0"))
    desk.tell(ev.LegParked(agent_leg))
    desk.wait(10.0)
    assert desk.state_of("ana") is AgentState.IDLE and not [a for a in desk.all(act.Bridge) if a.leg == leg]


# --- announcements --------------------------------------------------------------------------------------------------------------------------


TOLD = {"announce_every_s": 15.0, "place": "you-are.wav", "wait": "wait-is.wav", "minutes": "minutes.wav"}


def test_he_is_told_his_place_every_so_often_and_then_hears_his_music_again() -> None:
    desk, leg = waiting(terms=TOLD, max_wait_s=1000.0)
    desk.wait(15.0)
    assert desk.last(act.Announce) == act.Announce(leg, ("you-are.wav", "digits/1.wav"))
    desk.tell(ev.PlaybackStopped(leg))  # the music that it replaced
    assert not desk.all(act.PlayMusic)
    desk.wait(3.0)
    desk.tell(ev.PlaybackStopped(leg))
    assert desk.last(act.PlayMusic).leg == leg
    desk.wait(12.0)
    assert len(desk.all(act.Announce)) == 2


def test_music_comes_back_even_if_the_end_of_an_announcement_is_never_reported() -> None:
    desk, leg = waiting(terms={"said_wrong": "wrong.wav"}, max_wait_s=1000.0)
    presses(desk, leg, "7", right=False)
    desk.wait(SAY_MOST_S)
    assert desk.last(act.PlayMusic).leg == leg


def test_the_wait_is_said_only_once_calls_have_shown_how_long_it_is() -> None:
    desk = a_keyed_desk(1, terms=TOLD, max_wait_s=1000.0)
    for n in range(3):
        leg = calls_in(desk, f"served-{n}")
        talks(desk, leg)
        desk.wait(80.0)
        desk.over(leg)
        agent_leg = desk.dialer._w.agents[AgentId("ana")].leg
        assert agent_leg is not None
        desk.tell(ev.LegParked(agent_leg))
        desk.wait(10.0)
    busy(desk, 1)
    first = calls_in(desk, "first")
    second = calls_in(desk, "second")
    desk.clear()
    desk.wait(15.0)
    told = {a.leg: a.sounds for a in desk.all(act.Announce)}
    assert told[first] == ("you-are.wav", "digits/1.wav", "wait-is.wav", "digits/2.wav", "minutes.wav")
    assert told[second][3:] == ("digits/4.wav", "minutes.wav")


def test_places_above_twenty_are_not_said() -> None:
    desk = a_keyed_desk(1, terms={**TOLD, "wait": None}, max_wait_s=1000.0)
    busy(desk, 1)
    for n in range(22):
        calls_in(desk, f"c{n}")
    desk.wait(15.0)
    assert {a.leg for a in desk.all(act.Announce)} == {f"c{n}" for n in range(20)}


def test_nothing_is_said_into_the_moment_in_which_an_agent_is_connected() -> None:
    desk, leg = waiting(terms={**TOLD, "said_wrong": "wrong.wav"}, max_wait_s=1000.0)
    agent_leg = desk.dialer._w.agents[AgentId("ana")].leg
    assert agent_leg is not None
    desk.over(LegId("busy-0"))
    desk.tell(ev.LegParked(agent_leg))
    desk.wait(10.0)
    assert desk.last(act.Bridge).leg == leg
    presses(desk, leg, "7", right=False)
    desk.wait(4.9)
    assert not desk.all(act.Announce)
    desk.tell(ev.LegBridged(leg, agent_leg))
    desk.wait(60.0)
    assert not desk.all(act.Announce)


# --- who has waited too long ----------------------------------------------------------------------------------------------------------------


def test_who_waited_too_long_goes_to_voice_mail_and_is_left_alone_there() -> None:
    desk, leg = waiting(terms={"then": "voicemail", "then_at_most_s": 120.0})
    desk.wait(WAIT_S)
    assert desk.last(act.EnterIvr) == act.EnterIvr(leg, "support.overflow", "fsd_queue", (), 120.0)
    desk.clear()
    desk.tell(ev.PlaybackStopped(leg), ev.LegUnbridged(leg, None))
    desk.wait(100.0)
    assert not desk.all(act.Hangup) and not any(leg in a.legs for a in desk.all(act.RenewFallback))
    desk.tell(ev.LegEnded(leg, "NORMAL_CLEARING", None, None, False, True, "voicemail=7"))
    assert (left(desk).why, left(desk).missed) == ("voicemail", False) and queue(desk).overflowed == 1


def test_who_leaves_no_message_was_missed() -> None:
    desk, leg = waiting(terms={"then": "voicemail", "then_at_most_s": 120.0})
    desk.wait(WAIT_S)
    desk.tell(ev.LegEnded(leg, "NORMAL_CLEARING", None, None, False, True, "voicemail=0"))
    assert (left(desk).why, left(desk).missed) == ("max_wait", True)


def test_who_is_put_through_to_a_number_talks_there_as_long_as_he_likes() -> None:
    desk, leg = waiting(terms={"then": "number"})
    desk.wait(WAIT_S)
    assert desk.last(act.EnterIvr).at_most_s is None
    desk.clear()
    desk.tell(ev.LegBridged(leg, LegId("outside")))
    desk.wait(3600.0)
    assert act.AskLeg(leg) in desk.wanted and not desk.all(act.Hangup)
    desk.tell(ev.LegFound(LegFacts(leg, SWITCH, CARRIER, None, None, True, LegId("outside"), True, parked=False)))
    assert not desk.all(act.Hangup)
    desk.tell(ev.LegEnded(leg, "NORMAL_CLEARING", None, None, False, True, "number=answered"))
    assert left(desk).why == "overflow"


def test_an_agent_who_is_being_connected_is_awaited_before_the_overflow() -> None:
    desk, leg = waiting(terms={"then": "voicemail"}, max_wait_s=10.5)
    agent_leg = desk.dialer._w.agents[AgentId("ana")].leg
    assert agent_leg is not None
    desk.over(LegId("busy-0"))
    desk.tell(ev.LegParked(agent_leg))
    desk.wait(10.0)
    desk.wait(1.0)
    assert not desk.all(act.EnterIvr)
    desk.tell(ev.BridgeRefused(leg, "-ERR"))
    desk.wait(5.0)
    assert len(desk.all(act.EnterIvr)) + len(desk.all(act.Bridge)) > 0


# --- while nobody listened --------------------------------------------------------------------------------------------------------------------


def kept(leg: str = "gone", what: str = "key", **more: Any) -> ag.KeptFound:
    told = {"place": "support", "number": "+34600123123", "since": NOON - 100.0, "at": NOON - 60.0, **more}
    return ag.KeptFound(LegId(leg), SWITCH, kept_row(leg, what), what, **told)


@pytest.mark.spec("D8")
def test_a_key_that_was_pressed_while_no_daemon_ran_is_a_callback() -> None:
    desk = a_keyed_desk()
    desk.tell(kept())
    want = act.CallerLeft(
        AttemptId("gone"), "support", "+34600123123", "callback", None, 40.0, 0.0, False, NOON - 60.0, SWITCH, NOON - 60.0, (kept_row("gone", "key"),), True
    )
    assert left(desk) == want
    desk.tell(kept())
    assert len(desk.all(act.CallerLeft)) == 1


@pytest.mark.spec("D8")
@pytest.mark.parametrize(
    ("found", "why", "missed"),
    [
        (kept(what="released"), "released", True),
        (kept(what="voicemail"), "voicemail", False),
        (kept(at=NOON - 90.0), "released", True),
        (kept(at=NOON - 90.0, also=(kept_row("gone", "voicemail"),)), "voicemail", False),
        (kept(also=(kept_row("gone", "released"),)), "callback", False),
        (kept(place="a-queue-that-was"), "callback", False),
    ],
    ids=["released", "voicemail", "too early", "too early, then a message", "key, then released", "queue removed"],
)
def test_what_was_kept_of_a_caller_says_how_he_left(found: ag.KeptFound, why: str, missed: bool) -> None:
    desk = a_keyed_desk()
    desk.tell(found)
    assert (left(desk).why, left(desk).missed, left(desk).found) == (why, missed, True)
    assert left(desk).kept == (found.row, *found.also) and (left(desk).asked_at is not None) is (why == "callback")


def test_a_caller_whose_end_we_missed_with_the_link_is_called_back_if_he_asked() -> None:
    desk, leg = waiting()
    desk.tell(ev.SwitchLost(SWITCH, "a test"))
    desk.wait(25.0)
    desk.tell(ev.SwitchUp(SWITCH, ()), kept(leg, since=NOON, at=NOON + 21.0), ev.LegGone(leg))
    assert (left(desk).why, left(desk).asked_at) == ("callback", NOON + 21.0) and len(desk.all(act.CallerLeft)) == 1


def test_a_key_of_a_live_caller_counts_from_when_it_was_pressed() -> None:
    desk = a_keyed_desk(1)
    busy(desk, 1)
    leg = calls_in(desk, since=NOON - 40.0)
    desk.clear()
    presses(desk, leg, at=NOON - 25.0)
    assert desk.last(act.ForgetKept).rows == (kept_row(leg, "key"),)
    presses(desk, leg, at=NOON - 15.0)
    desk.over(leg)
    assert left(desk).why == "callback" and left(desk).asked_at == NOON - 15.0


def test_whom_the_fallback_took_while_the_link_was_down_is_left_to_it() -> None:
    desk, leg = waiting()
    desk.tell(ev.SwitchLost(SWITCH, "a test"))
    desk.wait(35.0)
    desk.tell(ev.SwitchUp(SWITCH, ((leg, CARRIER),)))
    desk.tell(ev.LegFound(LegFacts(leg, SWITCH, CARRIER, None, None, True, None, parked=False)))
    assert act.DropFallback((leg,)) in desk.wanted
    desk.tell(ev.ReconcileDone(SWITCH))
    desk.clear()
    desk.wait(300.0)
    assert not [a for a in desk.all(act.Hangup) if a.leg == leg] and not any(leg in a.legs for a in desk.all(act.RenewFallback))
    desk.over(leg)
    assert left(desk).why == "released" and kept_row(leg, "released") in left(desk).kept and queue(desk).released == 1
    desk.tell(kept(leg, "released"))
    assert len([a for a in desk.all(act.CallerLeft) if a.call == leg]) == 1


@pytest.mark.spec("D8", "S81")
def test_a_key_that_is_read_after_he_has_hung_up_holds() -> None:
    """He pressed while no daemon ran and hung up while the next one was still reading what the switch had kept."""
    desk, leg = waiting()
    desk.wait(AFTER_S)
    desk.over(leg)
    assert left(desk).why == "hung_up"
    row = kept_row(leg, "key")
    desk.tell(ag.KeptFound(leg, SWITCH, row, "key", "support", "+34600123123", NOON, NOON + AFTER_S))
    assert (left(desk).why, left(desk).found, left(desk).kept) == ("callback", True, (row,))


@pytest.mark.spec("D8", "S81")
def test_a_key_that_was_kept_holds_though_the_queue_has_none_any_more() -> None:
    """The switch keeps the right one alone: it was offered to him."""
    desk = a_queue_desk(a_line(terms=Terms("support")), agents=1)
    desk.clear()
    desk.tell(ag.KeptFound(LegId("gone"), SWITCH, kept_row("gone", "key"), "key", "support", "+34600123123", NOON - 60.0, NOON - 30.0))
    assert (left(desk).why, left(desk).asked_at) == ("callback", NOON - 30.0)


@pytest.mark.spec("S78", "D8")
@pytest.mark.parametrize(("path", "why"), [("voicemail=5", "voicemail"), ("number=answered", "overflow"), ("voicemail=0", "hung_up"), ("", "hung_up")])
def test_a_message_left_with_the_fallback_while_we_hung_is_a_message(path: str, why: str) -> None:
    """The link held and the daemon stood still for so long that the fallback took him; what he did there comes with the end of his leg."""
    desk, leg = waiting()
    desk.tell(ev.LegEnded(leg, "NORMAL_CLEARING", None, None, False, True, path), ev.LegDestroyed(leg))
    assert left(desk).why == why
    assert (kept_row(leg, "voicemail") in left(desk).kept) == (why in ("voicemail", "overflow"))


def test_an_opt_out_that_was_kept_goes_on_the_list() -> None:
    desk = a_keyed_desk()
    desk.tell(kept(what="opt_out", place="dues-menu.3f2a91c4.stop"))
    place = "dues-menu.3f2a91c4.stop"
    assert desk.last(act.OptOut) == act.OptOut(SWITCH, None, None, "+34600123123", "own", NOON - 60.0, (kept_row("gone", "opt_out"),), place)


# --- queues come and go -------------------------------------------------------------------------------------------------------------------------


def test_a_removed_queue_serves_who_waits_and_takes_nobody_new() -> None:
    desk, leg = waiting()
    desk.tell(ag.QueueRemoved("support"))
    calls_in(desk, "late")
    assert queue(desk).came == 2 and desk.last(act.Note).name == "caller_not_taken"
    agent_leg = desk.dialer._w.agents[AgentId("ana")].leg
    assert agent_leg is not None
    desk.over(LegId("busy-0"))
    desk.tell(ev.LegParked(agent_leg))
    desk.wait(10.0)
    talks(desk, leg)
    desk.over(leg)
    assert not desk.dialer.snapshot().queues


def test_a_removed_queue_that_comes_back_takes_callers_again() -> None:
    desk = a_keyed_desk()
    busy(desk)
    desk.tell(ag.QueueRemoved("support"), ag.QueueLoaded(a_keyed_line()))
    calls_in(desk)
    assert queue(desk).came == 3


def test_the_conversation_is_recorded_and_not_the_music_before_it() -> None:
    desk = a_keyed_desk(recording=Recording(calls="answered"))
    leg = calls_in(desk)
    assert not desk.all(act.StartRecording)
    talks(desk, leg)
    assert desk.last(act.StartRecording) == act.StartRecording(leg, "queue_support/2026-05-28/caller.wav")


def test_a_new_daemon_goes_on_with_the_recording_of_who_talks() -> None:
    desk = a_desk(agents=1, leg=LegKind.PER_CALL, linked=False)
    desk.tell(ag.QueueLoaded(a_keyed_line(people=("ana",), recording=Recording(calls="answered"))), ev.SwitchUp(SWITCH, ((LegId("caller"), CARRIER),)))
    calls_in(desk, since=NOON - 90.0, bridged_to=LegId("his"))
    assert desk.last(act.StartRecording).leg == "caller"


def test_a_line_says_what_an_admin_wrote() -> None:
    written = QueueDefinition(
        name="support",
        agents=QueueAgents(people=("ana",), ring_s=12.0),
        callback=CallbackKey(key="star", after_s=5.0, say="thanks.wav", too_early="early.wav", wrong="wrong.wav"),
        announce=Announce(every_s=30.0, position="p.wav", wait="w.wav", minutes="m.wav"),
        overflow=Overflow(do="voicemail", at_most_s=90.0),
        priority=3,
    )
    line = line_of(written)
    assert line.terms == Terms("support", 5.0, "thanks.wav", "early.wav", "wrong.wav", 30.0, "p.wav", "w.wav", "m.wav", "voicemail", 90.0)
    assert (line.people, line.agent_ring_s, line.priority, line.notice) == (("ana",), 12.0, 3, None)
    assert line_of(QueueDefinition(name="q", overflow=Overflow(sound="sorry.wav"))).notice == "sorry.wav"


def test_not_a_soul_is_available_and_everybody_is_still_accounted_for() -> None:
    desk = a_keyed_desk(2)
    for name in NAMES[:2]:
        desk.tell(ev.SetAgentStatus("c", name, AgentId(name), AgentStatus.NOT_AVAILABLE))  # type: ignore[arg-type]
    legs = [calls_in(desk, f"c{n}") for n in range(4)]
    desk.wait(AFTER_S)
    presses(desk, legs[0])
    desk.tell(ended(legs[0]), ended(legs[1]))
    desk.wait(WAIT_S)
    desk.tell(ended(legs[2]), ended(legs[3]))
    view = queue(desk)
    assert (view.came, view.called_back, view.hung_up, view.missed, view.waiting) == (4, 1, 1, 2, 0)
