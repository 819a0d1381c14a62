"""Hold, transfer, recording, listening in and hanging up, asked of a whole engine: who is told what, which legs are made, and who ends up where."""

from __future__ import annotations

from typing import Any

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import agent_events as ag
from fs_dialer.core import events as ev
from fs_dialer.core.call_words import Call
from fs_dialer.core.definition import Recording
from fs_dialer.core.model import AgentId, AgentState, AgentStatus, CallState, LegId, LegKind, Outcome
from tests.core.builders import (
    ANA,
    BOB,
    EVA,
    NAMES,
    SWITCH,
    Desk,
    a_campaign,
    a_desk,
    a_dialling_desk,
    closed,
    ended,
    facts,
    placed,
    some_leads,
    talking,
)

BOTH = pytest.mark.parametrize("leg", list(LegKind), ids=lambda leg: leg.value)
NUMBER = "+442079460000"


def ask(desk: Desk, kind: type[ag.AgentCommand], *args: Any, agent: AgentId = ANA) -> act.Reply:
    """An agent's wish, and its answer."""
    desk.tell(kind(f"cmd-{next(desk.commands)}", agent, agent, *args))  # type: ignore[arg-type]
    return desk.last(act.Reply)


def two(leg: LegKind, **more: Any) -> tuple[Desk, act.OriginateLead, LegId]:
    """Ana talks to the only lead, Bob is free; Ana's leg."""
    desk = a_dialling_desk(1, agents=2, leg=leg, campaigns=[a_campaign(people=NAMES[:2], **more)])
    call = placed(desk)
    desk.up(call.leg)
    if leg is LegKind.PER_CALL:
        desk.up(desk.last(act.OriginateAgent).leg)
    desk.tell(ev.LegBridged(call.leg, desk.last(act.Bridge).agent_leg))
    if desk.state_of("ana") is not AgentState.TALKING:  # whoever came first is Ana here
        raise AssertionError("the longest idle agent is the first")
    mine = desk.last(act.Bridge).agent_leg
    desk.clear()
    return desk, call, mine


def the_call(desk: Desk) -> Call:
    (call,) = desk.dialer._w.calls.values()
    return call


def parked(desk: Desk, call: act.OriginateLead, mine: LegId) -> None:
    """What the switch says of a pair that was taken apart."""
    desk.tell(ev.LegParked(mine), ev.LegUnbridged(call.leg, mine), ev.LegParked(call.leg))


# --- hanging up -----------------------------------------------------------------------------------------------------------------------


@BOTH
def test_an_agent_who_hangs_up_ends_the_customer_s_leg_and_has_his_wrap_up(leg: LegKind) -> None:
    desk, call, mine = two(leg)
    assert ask(desk, ag.HangUp).ok
    hung_up = [a.leg for a in desk.all(act.Hangup)]
    assert call.leg in hung_up and (mine in hung_up) == (leg is LegKind.PER_CALL)
    assert desk.state_of("ana") is AgentState.WRAP_UP
    desk.over(call.leg)
    assert closed(desk)[0][0] is Outcome.CONNECTED and desk.last(act.CloseAttempt).result.agent == ANA


@BOTH
def test_a_customer_on_hold_can_be_hung_up(leg: LegKind) -> None:
    desk, call, mine = two(leg)
    ask(desk, ag.HoldCall)
    parked(desk, call, mine)
    assert ask(desk, ag.HangUp).ok and call.leg in [a.leg for a in desk.all(act.Hangup)]
    desk.over(call.leg)
    assert closed(desk)[0][0] is Outcome.CONNECTED


def test_a_call_that_is_being_dialled_for_him_is_cancelled_and_its_lead_is_as_before() -> None:
    desk = a_dialling_desk(1, agents=1, leg=LegKind.NAILED)
    call = placed(desk)
    desk.created(call.leg, attempt=call.attempt.id)
    assert ask(desk, ag.HangUp).text == "given up"
    assert desk.last(act.Hangup) == act.Hangup(call.leg, "ORIGINATOR_CANCEL") and desk.state_of("ana") is not AgentState.RESERVED
    desk.over(call.leg, "ORIGINATOR_CANCEL")
    assert closed(desk)[0][0] is Outcome.CANCELLED and desk.last(act.CloseAttempt).update.attempts == 0


def test_a_leg_that_was_hung_up_and_is_not_over_is_hung_up_again() -> None:
    desk, call, _ = two(LegKind.NAILED)
    ask(desk, ag.HangUp)
    desk.clear()
    desk.wait(11.0)
    assert call.leg in [a.leg for a in desk.all(act.Hangup)]


def test_a_click_that_comes_late_never_touches_the_next_customer() -> None:
    desk, _, _ = two(LegKind.NAILED)
    answer = ask(desk, ag.HangUp, "the-call-before")
    assert not answer.ok and "over" in answer.text and not desk.all(act.Hangup)


# --- hold -----------------------------------------------------------------------------------------------------------------------------


@BOTH
def test_hold_parks_both_with_music_and_resume_bridges_them_again(leg: LegKind) -> None:
    desk, call, mine = two(leg)
    assert ask(desk, ag.HoldCall).ok
    assert desk.last(act.ParkBoth) == act.ParkBoth(call.leg, mine) and desk.last(act.PlayMusic).leg == call.leg
    assert desk.state_of("ana") is AgentState.HELD
    parked(desk, call, mine)
    assert ask(desk, ag.ResumeCall).ok and desk.last(act.Bridge) == act.Bridge(call.leg, mine)
    desk.tell(ev.LegBridged(call.leg, mine))
    assert desk.state_of("ana") is AgentState.TALKING and the_call(desk).state is CallState.BRIDGED


def test_what_is_not_possible_is_refused_in_words() -> None:
    desk, _, _ = two(LegKind.NAILED)
    assert ask(desk, ag.ResumeCall).text == "the customer is not on hold"
    ask(desk, ag.HoldCall)
    assert ask(desk, ag.HoldCall).text == "the customer is on hold already"
    assert ask(desk, ag.CompleteTransfer).text == "you are consulting nobody"
    assert ask(desk, ag.HoldCall, agent=BOB).text == "you have no call"
    desk.tell(ev.SwitchLost(SWITCH, "gone"))
    assert "switch is not linked" in ask(desk, ag.ResumeCall).text


@BOTH
def test_the_customer_who_hangs_up_on_hold_frees_his_agent(leg: LegKind) -> None:
    desk, call, mine = two(leg)
    ask(desk, ag.HoldCall)
    parked(desk, call, mine)
    desk.over(call.leg)
    assert desk.state_of("ana") is AgentState.WRAP_UP and (mine in [a.leg for a in desk.all(act.Hangup)]) == (leg is LegKind.PER_CALL)


@BOTH
def test_the_agent_who_hangs_up_on_hold_leaves_the_customer_to_the_next(leg: LegKind) -> None:
    desk, call, mine = two(leg)
    ask(desk, ag.HoldCall)
    parked(desk, call, mine)
    desk.over(mine)
    assert desk.state_of("bob") in (AgentState.RINGING, AgentState.RESERVED) and the_call(desk).agent == BOB


def test_parked_legs_of_a_held_call_are_kept_from_the_fallback_and_a_consulting_pair_is_not_armed() -> None:
    desk, call, mine = two(LegKind.PER_CALL)
    ask(desk, ag.HoldCall)
    parked(desk, call, mine)
    desk.clear()
    desk.wait(12.0)
    assert {call.leg, mine} <= {leg for a in desk.all(act.RenewFallback) for leg in a.legs}
    ask(desk, ag.Transfer, "agent", "bob", True)
    his = desk.last(act.OriginateAgent).leg
    desk.up(his)
    desk.tell(ev.LegBridged(mine, his))
    desk.clear()
    desk.wait(25.0)
    renewed = {leg for a in desk.all(act.RenewFallback) for leg in a.legs}
    assert call.leg in renewed and not {mine, his} & renewed


# --- transfer -------------------------------------------------------------------------------------------------------------------------


def rung(desk: Desk, leg: LegKind) -> LegId:
    """Bob's leg for this call: rung and answered, or parked already."""
    if leg is LegKind.NAILED:
        found = desk.dialer._w.agents[BOB].leg
        assert found is not None
        return found
    wish = desk.last(act.OriginateAgent)
    assert wish.agent == BOB and wish.stays
    desk.up(wish.leg)
    return wish.leg


@BOTH
def test_blind_the_customer_goes_to_the_agent_who_answers_and_the_giver_rests(leg: LegKind) -> None:
    desk, call, mine = two(leg)
    assert ask(desk, ag.Transfer, "agent", "bob", False).ok
    assert desk.state_of("ana") is AgentState.CONSULTING and mine not in [a.leg for a in desk.all(act.Hangup)], "the giver's leg is kept"
    his = rung(desk, leg)
    assert desk.last(act.Bridge) == act.Bridge(call.leg, his)
    desk.tell(ev.LegBridged(call.leg, his))
    assert desk.state_of("ana") is AgentState.WRAP_UP and desk.state_of("bob") is AgentState.TALKING
    assert (mine in [a.leg for a in desk.all(act.Hangup)]) == (leg is LegKind.PER_CALL)
    desk.over(call.leg)
    assert desk.state_of("bob") is AgentState.WRAP_UP and desk.last(act.CloseAttempt).result.agent == BOB
    assert desk.agent("bob").calls == desk.agent("ana").calls == 1


def test_blind_a_customer_whom_nobody_takes_within_20_s_is_back_with_the_giver() -> None:
    desk, call, mine = two(LegKind.PER_CALL)
    ask(desk, ag.Transfer, "agent", "bob", False)
    his = desk.last(act.OriginateAgent).leg
    desk.created(his, agent=BOB)
    desk.wait(20.1)
    assert act.Hangup(his, "ORIGINATOR_CANCEL") in desk.all(act.Hangup) and desk.last(act.Bridge) == act.Bridge(call.leg, mine)
    desk.tell(ev.LegBridged(call.leg, mine))
    assert desk.state_of("ana") is AgentState.TALKING and the_call(desk).news == "agent bob did not answer"
    desk.over(his, "ORIGINATOR_CANCEL")
    assert desk.state_of("bob") is AgentState.WRAP_UP and the_call(desk).state is CallState.BRIDGED


def test_blind_a_refusal_brings_the_customer_back_at_once_and_a_late_answer_is_hung_up() -> None:
    desk, _, mine = two(LegKind.PER_CALL)
    ask(desk, ag.Transfer, "agent", "bob", False)
    his = desk.last(act.OriginateAgent).leg
    desk.created(his, agent=BOB)
    desk.wait(20.1)
    desk.clear()
    desk.tell(ev.LegAnswered(his))
    assert desk.all(act.Hangup) == [act.Hangup(his, "NORMAL_CLEARING")]
    assert mine not in [a.leg for a in desk.all(act.Hangup)]


@BOTH
def test_attended_the_two_talk_then_the_customer_is_handed_over(leg: LegKind) -> None:
    desk, call, mine = two(leg)
    assert ask(desk, ag.Transfer, "agent", "bob", True).ok
    assert (desk.all(act.KeepLeg) == [act.KeepLeg(mine)]) == (leg is LegKind.PER_CALL)
    his = rung(desk, leg)
    assert desk.last(act.Bridge) == act.Bridge(mine, his)
    desk.tell(ev.LegBridged(mine, his))
    assert desk.state_of("ana") is AgentState.CONSULTING and desk.state_of("bob") is AgentState.TALKING
    assert ask(desk, ag.CompleteTransfer).ok and desk.last(act.Bridge) == act.Bridge(call.leg, his)
    desk.tell(ev.LegUnbridged(mine, his), ev.LegParked(mine), ev.LegBridged(call.leg, his))
    assert desk.state_of("ana") is AgentState.WRAP_UP and desk.state_of("bob") is AgentState.TALKING
    desk.over(his)
    assert call.leg in [a.leg for a in desk.all(act.Hangup)], "a lead leg never survives its conversation"


@BOTH
def test_attended_the_agent_takes_the_customer_back(leg: LegKind) -> None:
    desk, call, mine = two(leg)
    ask(desk, ag.Transfer, "agent", "bob", True)
    his = rung(desk, leg)
    desk.tell(ev.LegBridged(mine, his))
    desk.clear()
    assert ask(desk, ag.ResumeCall).ok
    assert desk.all(act.ParkBoth) == [act.ParkBoth(mine, his)] and desk.last(act.Bridge) == act.Bridge(call.leg, mine)
    assert (his in [a.leg for a in desk.all(act.Hangup)]) == (leg is LegKind.PER_CALL)
    assert desk.state_of("bob") is AgentState.IDLE and desk.agent("bob").calls == 0, "being asked is not a call of his"
    desk.tell(ev.LegBridged(call.leg, mine))
    assert desk.state_of("ana") is AgentState.TALKING


@BOTH
def test_attended_a_target_who_hangs_up_leaves_the_customer_on_hold(leg: LegKind) -> None:
    desk, call, mine = two(leg)
    ask(desk, ag.Transfer, "agent", "bob", True)
    his = rung(desk, leg)
    desk.tell(ev.LegBridged(mine, his))
    desk.over(his)
    assert desk.state_of("ana") is AgentState.HELD and the_call(desk).news == "agent bob has hung up"
    assert ask(desk, ag.ResumeCall).ok and desk.last(act.Bridge) == act.Bridge(call.leg, mine)


def test_attended_a_target_who_is_asked_may_leave_by_his_own_word() -> None:
    desk, _, mine = two(LegKind.NAILED)
    ask(desk, ag.Transfer, "agent", "bob", True)
    his = rung(desk, LegKind.NAILED)
    desk.tell(ev.LegBridged(mine, his))
    assert ask(desk, ag.HangUp, agent=BOB).ok
    assert desk.state_of("ana") is AgentState.HELD and desk.last(act.ParkBoth) == act.ParkBoth(mine, his) and not desk.all(act.Hangup)
    desk.tell(ev.LegParked(his))
    assert desk.agent("bob").state is AgentState.IDLE


@BOTH
def test_the_customer_who_hangs_up_during_the_consultation_frees_both(leg: LegKind) -> None:
    desk, call, mine = two(leg)
    ask(desk, ag.Transfer, "agent", "bob", True)
    his = rung(desk, leg)
    desk.tell(ev.LegBridged(mine, his))
    desk.over(call.leg)
    assert desk.state_of("ana") is AgentState.WRAP_UP and desk.state_of("bob") is AgentState.IDLE
    assert desk.last(act.ParkBoth) == act.ParkBoth(mine, his)
    assert {mine, his} <= {a.leg for a in desk.all(act.Hangup)} or leg is LegKind.NAILED


@BOTH
def test_the_giver_who_hangs_up_his_phone_in_the_consultation_completes_it(leg: LegKind) -> None:
    desk, call, mine = two(leg)
    ask(desk, ag.Transfer, "agent", "bob", True)
    his = rung(desk, leg)
    desk.tell(ev.LegBridged(mine, his))
    desk.over(mine)
    assert desk.last(act.Bridge) == act.Bridge(call.leg, his)
    desk.tell(ev.LegBridged(call.leg, his))
    assert desk.state_of("bob") is AgentState.TALKING and the_call(desk).agent == BOB


def test_the_giver_of_a_blind_transfer_may_hang_up_at_once_and_nobody_is_lost() -> None:
    desk, call, mine = two(LegKind.PER_CALL)
    ask(desk, ag.Transfer, "agent", "bob", False)
    his = desk.last(act.OriginateAgent).leg
    desk.over(mine)
    assert the_call(desk).state is CallState.CONSULTING and desk.state_of("ana") is AgentState.WRAP_UP
    desk.up(his)
    desk.tell(ev.LegBridged(call.leg, his))
    assert desk.state_of("bob") is AgentState.TALKING


def test_a_giver_who_has_gone_and_a_target_who_does_not_come_leave_a_customer_who_waits_anew() -> None:
    desk, _, mine = two(LegKind.PER_CALL)
    ask(desk, ag.Transfer, "agent", "bob", False)
    his = desk.last(act.OriginateAgent).leg
    desk.over(mine)
    desk.over(his, "CALL_REJECTED")
    assert the_call(desk).state is CallState.WAITING_AGENT


def test_a_bridge_to_the_target_that_fails_brings_the_customer_back() -> None:
    desk, call, mine = two(LegKind.NAILED)
    ask(desk, ag.Transfer, "agent", "bob", False)
    desk.tell(ev.BridgeRefused(call.leg, "-ERR Invalid uuid"))
    assert desk.last(act.Bridge) == act.Bridge(call.leg, mine) and desk.state_of("bob") is AgentState.IDLE


def test_a_team_s_longest_idle_agent_is_asked() -> None:
    desk = a_desk(agents=3, leg=LegKind.NAILED, campaigns=[a_campaign(people=("ana",))])
    for name in ("bob", "eva", "ana"):
        desk.now += 1.0
        desk.nail(name)
    desk.tell(ev.TeamsLoaded({"seniors": (ANA, BOB, EVA)}))
    desk.claimed(*some_leads(1))
    call = placed(desk)
    desk.up(call.leg)
    desk.tell(ev.LegBridged(call.leg, desk.last(act.Bridge).agent_leg))
    assert ask(desk, ag.Transfer, "team", "seniors", False).ok
    assert desk.state_of("bob") is AgentState.RESERVED
    assert "nobody" not in desk.last(act.Reply).text


@pytest.mark.parametrize(
    ("kind", "to", "why"),
    [
        ("agent", "ana", "that is yourself"),
        ("agent", "zoe", "there is no agent zoe"),
        ("agent", "bob", "bob is not available"),
        ("team", "nobody", "there is no team nobody"),
        ("team", "empty", "nobody of empty is free"),
        ("number", "0800", "no telephone number"),
        ("number", "+44;rm -rf", "no telephone number"),
        ("number", "+34600000001", "the customer's own number"),
    ],
)
def test_a_transfer_to_whom_it_cannot_go_is_refused_and_the_conversation_goes_on(kind: str, to: str, why: str) -> None:
    desk, _, _ = two(LegKind.NAILED)
    desk.tell(ev.TeamsLoaded({"empty": ()}))
    desk.tell(ev.SetAgentStatus("s", "bob", BOB, AgentStatus.NOT_AVAILABLE))  # type: ignore[arg-type]
    answer = ask(desk, ag.Transfer, kind, to, False)
    assert not answer.ok and why in answer.text and the_call(desk).state is CallState.BRIDGED


@BOTH
def test_to_a_number_the_customer_talks_on_without_an_agent_until_either_hangs_up(leg: LegKind) -> None:
    desk, call, _ = two(leg)
    assert ask(desk, ag.Transfer, "number", NUMBER, False).ok
    out = desk.last(act.OriginateOutside)
    assert (out.dial, out.gateway, out.caller_id) == (NUMBER, call.attempt.gateway, call.attempt.caller_id)
    assert out.leg in desk.dialer._w.ledger.legs, "it holds a line (D2)"
    desk.up(out.leg)
    desk.tell(ev.LegBridged(call.leg, out.leg))
    assert desk.state_of("ana") is AgentState.WRAP_UP
    assert the_call(desk).state is CallState.BRIDGED and the_call(desk).agent is None
    desk.clear()
    desk.over(out.leg)
    assert desk.all(act.Hangup) == [act.Hangup(call.leg, "NORMAL_CLEARING")]
    desk.over(call.leg)
    assert desk.last(act.CloseAttempt).result.agent == ANA and out.leg not in desk.dialer._w.legs


def test_the_customer_who_hangs_up_on_a_number_takes_its_leg_with_him() -> None:
    desk, call, _ = two(LegKind.NAILED)
    ask(desk, ag.Transfer, "number", NUMBER, False)
    out = desk.last(act.OriginateOutside)
    desk.up(out.leg)
    desk.tell(ev.LegBridged(call.leg, out.leg))
    desk.clear()
    desk.over(call.leg)
    assert act.Hangup(out.leg, "NORMAL_CLEARING") in desk.all(act.Hangup)


# --- recording ------------------------------------------------------------------------------------------------------------------------


def test_a_campaign_that_records_answered_calls_begins_with_the_answer_and_says_what_it_has() -> None:
    desk, call, _ = two(LegKind.NAILED, recording=Recording(calls="answered", stereo=True))
    assert call.stereo and the_call(desk).recording == "on"
    desk.tell(ev.RecordingStarted(call.leg))
    desk.wait(30.0)
    desk.tell(ev.RecordingStopped(call.leg))
    desk.over(call.leg)
    result = desk.last(act.CloseAttempt).result
    assert result.recorded_from is not None and result.recorded_until is not None and result.recorded_until - result.recorded_from == 30.0


def test_the_file_is_named_after_the_attempt_its_campaign_and_the_day_of_the_zone() -> None:
    desk = a_dialling_desk(1, agents=1, leg=LegKind.NAILED, campaigns=[a_campaign(people=("ana",), recording=Recording(calls="answered"))])
    call = placed(desk)
    desk.up(call.leg)
    assert desk.all(act.StartRecording) == [act.StartRecording(call.leg, f"spring/2026-05-28/{call.attempt.id}.wav")]


def test_what_cannot_be_written_costs_no_call() -> None:
    desk, call, _ = two(LegKind.NAILED, recording=Recording(calls="answered"))
    desk.tell(ev.RecordingFailed(call.leg, "-ERR Cannot record session!"))
    note = desk.last(act.Note)
    assert (note.level, note.name) == ("WARNING", "recording_failed")
    assert the_call(desk).state is CallState.BRIDGED and the_call(desk).recording == "off"
    desk.over(call.leg)
    assert desk.last(act.CloseAttempt).result.recorded_from is None


def test_on_demand_an_agent_starts_pauses_goes_on_and_stops() -> None:
    desk, call, _ = two(LegKind.NAILED, recording=Recording(calls="on_demand"))
    assert the_call(desk).recording == "off"
    for what, kind, after in (
        ("start", act.StartRecording, "on"),
        ("pause", act.PauseRecording, "paused"),
        ("resume", act.ResumeRecording, "on"),
        ("stop", act.StopRecording, "off"),
    ):
        assert ask(desk, ag.RecordCall, what).ok
        assert desk.all(kind)[-1].leg == call.leg and the_call(desk).recording == after
    paths = {a.path for a in desk.wanted if isinstance(a, act.StartRecording | act.PauseRecording | act.ResumeRecording | act.StopRecording)}
    assert len(paths) == 1
    ask(desk, ag.RecordCall, "start")
    assert desk.last(act.StartRecording).path.endswith("-2.wav"), "the first file is not written over"


@pytest.mark.parametrize(
    ("rule", "what", "why"),
    [
        (Recording(), "start", "records no calls"),
        (Recording(calls="answered"), "start", "already"),
        (Recording(calls="answered"), "stop", "may not stop it"),
        (Recording(calls="answered", pause=False), "pause", "does not let you pause"),
        (Recording(calls="answered"), "resume", "not paused"),
        (Recording(calls="on_demand"), "stop", "not being recorded"),
    ],
)
def test_a_recording_is_the_campaign_s_to_allow(rule: Recording, what: str, why: str) -> None:
    desk, _, _ = two(LegKind.NAILED, recording=rule)
    answer = ask(desk, ag.RecordCall, what)
    assert not answer.ok and why in answer.text


# --- what the agent hears first -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reported", [True, False], ids=["its end is reported", "it is not"])
def test_an_agent_hears_his_beep_before_the_customer(reported: bool) -> None:
    desk = a_dialling_desk(1, agents=1, leg=LegKind.NAILED, campaigns=[a_campaign(people=("ana",), agent_hears="beep.wav")])
    call, mine = placed(desk), desk.dialer._w.agents[ANA].leg
    assert mine is not None
    desk.up(call.leg)
    assert desk.last(act.PlayNotice) == act.PlayNotice(mine, "beep.wav") and not desk.all(act.Bridge)
    if reported:
        desk.tell(ev.PlaybackStopped(mine))
    else:
        desk.wait(5.1)
    assert desk.last(act.Bridge) == act.Bridge(call.leg, mine)
    desk.tell(ev.LegBridged(call.leg, mine))
    assert desk.state_of("ana") is AgentState.TALKING


# --- supervisors ----------------------------------------------------------------------------------------------------------------------


def test_a_supervisor_is_rung_and_hears_the_agent_s_leg() -> None:
    desk, _, mine = two(LegKind.NAILED)
    assert ask(desk, ag.Supervise, "user/1009", "whisper").ok
    wish = desk.last(act.OriginateSupervisor)
    assert (wish.dial_string, wish.agent_leg, wish.how) == ("user/1009", mine, "whisper") and wish.leg in desk.dialer._w.ledger.legs
    assert "already" in ask(desk, ag.Supervise, "user/1008", "listen").text
    desk.up(wish.leg)
    assert ask(desk, ag.StopSupervising).ok and desk.last(act.Hangup).leg == wish.leg
    desk.over(wish.leg)
    assert "nobody listens" in ask(desk, ag.StopSupervising).text and wish.leg not in desk.dialer._w.legs
    assert the_call(desk).state is CallState.BRIDGED


def test_nobody_listens_to_an_agent_who_talks_to_nobody() -> None:
    desk, _, _ = two(LegKind.NAILED)
    assert "not in a conversation" in ask(desk, ag.Supervise, "user/1009", "listen", agent=BOB).text


@pytest.mark.spec("D6")
def test_a_supervisor_s_leg_that_nobody_knows_is_hung_up() -> None:
    desk, call = talking()
    desk.created(LegId("ghost"), attempt=call.attempt.id)
    assert desk.last(act.Hangup) == act.Hangup(LegId("ghost"), "NORMAL_CLEARING")


# --- faults ---------------------------------------------------------------------------------------------------------------------------


@BOTH
def test_a_link_that_is_lost_on_hold_finds_the_call_as_it_was(leg: LegKind) -> None:
    desk, call, mine = two(leg)
    ask(desk, ag.HoldCall)
    parked(desk, call, mine)
    desk.tell(ev.SwitchLost(SWITCH, "gone"))
    desk.wait(60.0)
    desk.tell(ev.SwitchUp(SWITCH, ((call.leg, None), (mine, None))))
    desk.tell(ev.LegFound(facts(call.leg)), ev.LegFound(facts(mine)), ev.ReconcileDone(SWITCH))
    assert the_call(desk).state is CallState.HELD and desk.state_of("ana") is AgentState.HELD
    assert ask(desk, ag.ResumeCall).ok


def test_a_customer_who_was_lost_with_the_link_during_a_consultation_frees_both() -> None:
    desk, call, mine = two(LegKind.NAILED)
    ask(desk, ag.Transfer, "agent", "bob", True)
    his = rung(desk, LegKind.NAILED)
    desk.tell(ev.LegBridged(mine, his), ev.SwitchLost(SWITCH, "gone"))
    desk.tell(ev.SwitchUp(SWITCH, ()), ev.LegGone(call.leg), ev.ReconcileDone(SWITCH))
    assert desk.state_of("ana") is AgentState.WRAP_UP and desk.state_of("bob") is AgentState.IDLE


def test_an_agent_who_is_asked_and_loses_his_phone_frees_the_question() -> None:
    desk, _, mine = two(LegKind.NAILED)
    ask(desk, ag.Transfer, "agent", "bob", True)
    his = rung(desk, LegKind.NAILED)
    desk.tell(ev.LegBridged(mine, his), ended(his), ev.LegDestroyed(his))
    assert desk.state_of("bob") is AgentState.LEG_DOWN and desk.state_of("ana") is AgentState.HELD
