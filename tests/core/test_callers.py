"""Inbound callers in queues: who gets them, how they wait, how they leave, and that they stand in every ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import agent_events as ag
from fs_dialer.core import events as ev
from fs_dialer.core.agent import MISSED_OFFERS_IN_ROW
from fs_dialer.core.call_rules import LOST_IN_CALL_S
from fs_dialer.core.callers import FOUND_WAITS_S
from fs_dialer.core.definition import GatewayDefinition
from fs_dialer.core.model import AgentId, AgentState, AgentStatus, AttemptId, CampaignId, CampaignState, LeadId, LegId, LegKind
from fs_dialer.core.queue_line import Line
from fs_dialer.core.snapshot import QueueView
from fs_dialer.core.world import World
from fs_dialer.errors import IllegalTransition
from tests.core.builders import CARRIER, NAMES, NOON, SWITCH, UTC_SET, Desk, a_campaign, a_desk, an_agent, an_installation, facts, placed, some_leads

WAIT_S, WRAP_UP_S = 60.0, 10.0


def a_line(name: str = "support", people: tuple[str, ...] = ("ana", "bob"), **more: Any) -> Line:
    return Line(**{"name": name, "people": people, "max_wait_s": WAIT_S, "wrap_up_s": WRAP_UP_S, "music": "moh", **more})


def a_queue_desk(*lines: Line, agents: int = 2, leg: LegKind = LegKind.NAILED, **more: Any) -> Desk:
    """Agents logged in (nailed ones parked), queues loaded, and a campaign that nobody has leads for."""
    desk = a_desk(agents=agents, leg=leg, **more)
    for line in lines or (a_line(people=NAMES[:agents]),):
        desk.tell(ag.QueueLoaded(line))
    if leg is LegKind.NAILED:
        for name in NAMES[:agents]:
            desk.nail(name)
    desk.clear()
    return desk


def calls_in(desk: Desk, name: str = "caller", queue: str = "support", **more: Any) -> LegId:
    """A caller comes into the queue; his leg and the id of his call have the same name."""
    leg = LegId(name)
    desk.tell(ev.LegCreated(leg, SWITCH, CARRIER, None, None), ag.CallerQueued(leg, queue, AttemptId(name), "+34600123123", **more))
    return leg


def talks(desk: Desk, leg: LegId) -> act.Bridge:
    bridge = next(a for a in desk.all(act.Bridge) if a.leg == leg)
    desk.tell(ev.LegBridged(leg, bridge.agent_leg))
    return bridge


def queue(desk: Desk, name: str = "support") -> QueueView:
    return next(q for q in desk.dialer.snapshot().queues if q.name == name)


def busy(desk: Desk, count: int = 2) -> list[LegId]:
    """So many callers who talk."""
    legs = [calls_in(desk, f"busy-{n}") for n in range(count)]
    for leg in legs:
        talks(desk, leg)
    return legs


# --- being served -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S84")
def test_a_caller_meets_a_free_agent_at_once_and_without_a_note_of_music() -> None:
    desk = a_queue_desk()
    leg = calls_in(desk)
    assert desk.last(act.Bridge).leg == leg and not desk.all(act.PlayMusic)
    desk.wait(0.5)
    talks(desk, leg)
    assert desk.last(act.CallerServed) == act.CallerServed(AttemptId("caller"), "support", "+34600123123", AgentId("ana"), 0.5, desk.now)
    assert desk.state_of("ana") is AgentState.TALKING


def test_who_has_been_idle_longest_is_next() -> None:
    desk = a_queue_desk()
    desk.tell(ev.SetAgentStatus("c1", "ana", AgentId("ana"), AgentStatus.NOT_AVAILABLE))  # type: ignore[arg-type]
    desk.wait(5.0)
    desk.tell(ev.SetAgentStatus("c2", "ana", AgentId("ana"), AgentStatus.AVAILABLE))  # type: ignore[arg-type]
    calls_in(desk)
    assert desk.agent("bob").call == "caller"


def test_callers_wait_with_music_and_the_longest_waiting_is_served_first() -> None:
    desk = a_queue_desk()
    up = busy(desk)
    first, second = calls_in(desk, "first"), calls_in(desk, "second")
    assert [a.leg for a in desk.all(act.PlayMusic)] == [first, second] and queue(desk).waiting == 2
    desk.over(up[0])
    desk.wait(WRAP_UP_S)
    desk.tell(ev.LegParked(desk.all(act.Bridge)[0].agent_leg))
    assert desk.last(act.Bridge).leg == first


def test_the_longest_wait_counts_across_queues_and_of_equal_ones_the_higher_priority() -> None:
    desk = a_queue_desk(a_line("low"), a_line("high", priority=3))
    busy_legs = [calls_in(desk, f"busy-{n}", "low") for n in range(2)]
    for leg in busy_legs:
        talks(desk, leg)
    low = calls_in(desk, "low-1", "low")
    desk.wait(1.0)
    calls_in(desk, "low-2", "low")
    high = calls_in(desk, "high-1", "high")
    order = []
    for leg, bridge in zip(busy_legs, desk.all(act.Bridge)[:2], strict=True):
        desk.over(leg)
        desk.wait(WRAP_UP_S)
        desk.tell(ev.LegParked(bridge.agent_leg))
        order.append(desk.last(act.Bridge).leg)
        talks(desk, order[-1])
    assert order == [low, high]


def test_an_agent_rests_after_a_caller_as_the_queue_says_and_is_free_then() -> None:
    desk = a_queue_desk()
    leg = calls_in(desk)
    bridge = talks(desk, leg)
    desk.wait(30.0)
    desk.over(leg)
    left = desk.last(act.CallerLeft)
    assert (left.why, left.agent, left.talked_s, left.missed) == ("served", "ana", 30.0, False)
    assert desk.state_of("ana") is AgentState.WRAP_UP
    desk.tell(ev.LegParked(bridge.agent_leg))
    desk.wait(WRAP_UP_S)
    assert desk.state_of("ana") is AgentState.IDLE and queue(desk).served == 1


def test_the_agent_who_hangs_up_ends_the_callers_leg_too() -> None:
    desk = a_queue_desk(leg=LegKind.PER_CALL)
    leg = calls_in(desk)
    ring = desk.last(act.OriginateAgent)
    desk.up(ring.leg)
    talks(desk, leg)
    desk.over(ring.leg)
    assert desk.last(act.Hangup).leg == leg
    desk.over(leg)
    assert len(desk.all(act.CallerLeft)) == 1 and desk.last(act.CallerLeft).why == "served"


# --- agents who are rung ----------------------------------------------------------------------------------------------------------------


def test_an_agent_who_does_not_answer_loses_the_caller_to_the_next_one() -> None:
    desk = a_queue_desk(leg=LegKind.PER_CALL)
    leg = calls_in(desk)
    first = desk.last(act.OriginateAgent)
    assert first.call == "caller" and desk.all(act.PlayMusic)[0].leg == leg
    desk.wait(30.0)
    second = desk.last(act.OriginateAgent)
    assert second.agent != first.agent and any(a.leg == first.leg for a in desk.all(act.Hangup))
    desk.up(second.leg)
    talks(desk, leg)
    assert desk.last(act.CallerServed).agent == second.agent and len(desk.all(act.PlayMusic)) == 1


def test_a_caller_whose_agent_did_not_come_keeps_his_place_before_later_ones() -> None:
    desk = a_queue_desk(agents=1, leg=LegKind.PER_CALL)
    calls_in(desk, "first")
    calls_in(desk, "second")
    desk.over(desk.last(act.OriginateAgent).leg, "USER_BUSY", 486)
    desk.clear()
    desk.wait(11.0)
    assert desk.last(act.OriginateAgent).call == "first"


def test_an_agent_who_lets_callers_ring_is_not_available_after_a_while() -> None:
    desk = a_queue_desk(a_line(people=("ana",), max_wait_s=1000.0), agents=1, leg=LegKind.PER_CALL)
    calls_in(desk)
    for _ in range(MISSED_OFFERS_IN_ROW):
        desk.over(desk.last(act.OriginateAgent).leg, "NO_ANSWER")
        desk.wait(11.0)
    assert desk.agent("ana").status is AgentStatus.NOT_AVAILABLE and len(desk.all(act.OriginateAgent)) == MISSED_OFFERS_IN_ROW


@pytest.mark.spec("S85")
def test_an_agent_who_is_not_available_gets_nobody() -> None:
    desk = a_queue_desk(agents=1)
    desk.tell(ev.SetAgentStatus("c", "ana", AgentId("ana"), AgentStatus.NOT_AVAILABLE))  # type: ignore[arg-type]
    calls_in(desk)
    assert not desk.all(act.Bridge) and queue(desk).waiting == 1
    desk.tell(ev.SetAgentStatus("c", "ana", AgentId("ana"), AgentStatus.AVAILABLE))  # type: ignore[arg-type]
    assert desk.last(act.Bridge).leg == "caller"


def test_whoever_joins_the_queues_team_gets_its_callers() -> None:
    desk = a_queue_desk(a_line(people=(), teams=("night",)), agents=1)
    calls_in(desk)
    assert not desk.all(act.Bridge)
    desk.tell(ev.TeamsLoaded({"night": (AgentId("ana"),)}))
    assert desk.last(act.Bridge).leg == "caller"


# --- leaving ------------------------------------------------------------------------------------------------------------------------------


def test_a_caller_who_hangs_up_while_he_waits_is_told_and_not_missed() -> None:
    desk = a_queue_desk()
    busy(desk)
    leg = calls_in(desk)
    desk.wait(20.0)
    desk.over(leg)
    left = desk.last(act.CallerLeft)
    assert (left.why, left.waited_s, left.agent, left.missed) == ("hung_up", 20.0, None, False)
    assert queue(desk).hung_up == 1 and queue(desk).waiting == 0


def test_a_caller_who_hangs_up_while_an_agent_is_rung_lets_him_go() -> None:
    desk = a_queue_desk(leg=LegKind.PER_CALL)
    leg = calls_in(desk)
    ring = desk.last(act.OriginateAgent)
    desk.over(leg)
    assert desk.last(act.Hangup).leg == ring.leg
    desk.over(ring.leg, "ORIGINATOR_CANCEL")
    desk.wait(2.0)
    assert desk.state_of(ring.agent) is AgentState.IDLE


def test_caller_and_agent_at_once_leave_nobody_behind() -> None:
    """The caller hangs up in the moment in which the agent's phone is answered."""
    desk = a_queue_desk(leg=LegKind.PER_CALL)
    leg = calls_in(desk)
    ring = desk.last(act.OriginateAgent)
    desk.tell(ev.LegCreated(ring.leg, SWITCH, None, AttemptId("caller"), ring.agent), ev.LegAnswered(ring.leg), ev.LegParked(ring.leg))
    assert desk.last(act.Bridge).leg == leg
    desk.over(leg)
    assert desk.last(act.Hangup).leg == ring.leg and desk.last(act.CallerLeft).why == "hung_up"
    desk.over(ring.leg)
    desk.wait(2.0)
    assert desk.state_of(ring.agent) is AgentState.IDLE and not desk.all(act.CallerServed)


def test_who_has_waited_as_long_as_the_queue_allows_is_let_go_and_counts_as_missed() -> None:
    desk = a_queue_desk()
    busy(desk)
    leg = calls_in(desk)
    desk.wait(WAIT_S)
    assert desk.last(act.Hangup).leg == leg
    desk.over(leg)
    left = desk.last(act.CallerLeft)
    assert (left.why, left.missed, left.waited_s) == ("max_wait", True, WAIT_S) and queue(desk).missed == 1


def test_a_notice_is_played_before_he_is_let_go() -> None:
    desk = a_queue_desk(a_line(notice="sorry.wav"))
    busy(desk)
    leg = calls_in(desk)
    desk.wait(WAIT_S)
    assert desk.last(act.PlayNotice) == act.PlayNotice(leg, "sorry.wav")
    desk.tell(ev.PlaybackStopped(leg), ev.PlaybackStopped(leg))
    assert desk.last(act.Hangup).leg == leg


def test_a_caller_of_a_queue_nobody_knows_is_left_to_his_fallback() -> None:
    desk = a_queue_desk()
    calls_in(desk, queue="nowhere")
    assert [(a.name, dict(a.fields)["why"]) for a in desk.all(act.Note)] == [("caller_not_taken", "there is no such queue")]
    assert not desk.all(act.Hangup)


def test_the_same_caller_told_twice_is_one_caller() -> None:
    desk = a_queue_desk()
    calls_in(desk)
    calls_in(desk)
    assert queue(desk).came == 1 and len(desk.all(act.Bridge)) == 1


# --- lines, fallback, faults ------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D2", "S59", "S60")
def test_callers_and_the_calls_of_others_take_lines_of_the_installation() -> None:
    """Three lines in all: with a caller on one, his agent on another and somebody's own call on the third, a campaign dials nobody."""
    desk = a_queue_desk(installation=an_installation(lines=3, gateways=[GatewayDefinition(id=CARRIER)]), leg=LegKind.PER_CALL)
    calls_in(desk)
    desk.tell(ev.LegCreated(LegId("manual"), SWITCH, CARRIER, None, None))
    desk.claimed(*some_leads(2))
    assert not desk.all(act.OriginateLead) and desk.dialer.snapshot().legs == 3
    desk.over(LegId("manual"))
    desk.over(LegId("caller"))
    desk.over(desk.last(act.OriginateAgent).leg, "ORIGINATOR_CANCEL")
    desk.wait(1.0)
    assert placed(desk)


def test_an_agent_is_not_rung_while_no_line_is_free() -> None:
    desk = a_queue_desk(installation=an_installation(lines=1), leg=LegKind.PER_CALL)
    calls_in(desk)
    assert not desk.all(act.OriginateAgent) and queue(desk).waiting == 1


@pytest.mark.spec("D8")
def test_waiting_callers_are_saved_by_their_fallback_if_the_daemon_dies() -> None:
    desk = a_queue_desk()
    busy(desk)
    leg = calls_in(desk)
    assert leg in desk.last(act.RenewFallback).legs
    for _ in range(3):
        desk.clear()
        desk.wait(10.0)
        assert any(leg in a.legs for a in desk.all(act.RenewFallback))


def test_a_talking_caller_is_never_sent_to_the_fallback() -> None:
    desk = a_queue_desk()
    leg = calls_in(desk)
    talks(desk, leg)
    desk.clear()
    desk.wait(60.0)
    assert not any(leg in a.legs for a in desk.all(act.RenewFallback))


def test_callers_are_served_while_the_database_is_away() -> None:
    desk = a_queue_desk()
    desk.tell(ev.StoreLost("a test"))
    calls_in(desk)
    assert desk.last(act.Bridge).leg == "caller"


def test_a_caller_who_was_gone_before_we_heard_of_him_is_asked_after() -> None:
    """His leg's end overtook the news of his waiting."""
    desk = a_queue_desk()
    busy(desk)
    desk.tell(ag.CallerQueued(LegId("late"), "support", AttemptId("late"), ""))
    assert desk.last(act.AskLeg).leg == "late"
    desk.tell(ev.LegGone(LegId("late")))
    assert desk.last(act.CallerLeft).why == "lost" and queue(desk).lost == 1


def test_callers_wait_on_through_a_lost_link_and_are_served_after_it() -> None:
    desk = a_queue_desk(agents=1)
    up = busy(desk, 1)
    leg = calls_in(desk)
    agent_leg = desk.all(act.Bridge)[0].agent_leg
    desk.tell(ev.SwitchLost(SWITCH, "a test"))
    desk.wait(5.0)
    desk.tell(ev.SwitchUp(SWITCH, ((leg, CARRIER), (agent_leg, None))))
    assert leg in desk.last(act.Reconcile).legs
    desk.tell(ev.LegGone(up[0]), ev.LegFound(facts(leg)), ev.LegFound(facts(agent_leg, agent="ana")), ev.ReconcileDone(SWITCH))
    desk.wait(WRAP_UP_S)
    assert desk.last(act.Bridge) == act.Bridge(leg, agent_leg)


def test_a_new_daemon_takes_over_who_waits_with_the_time_he_has_waited() -> None:
    desk = a_queue_desk(agents=1)
    desk.tell(ev.SetAgentStatus("c", "ana", AgentId("ana"), AgentStatus.NOT_AVAILABLE))  # type: ignore[arg-type]
    leg = calls_in(desk, since=desk.now - 50.0)
    desk.wait(WAIT_S - 50.0)
    assert desk.last(act.Hangup).leg == leg


def test_a_new_daemon_gives_ten_seconds_at_least_to_who_has_waited_too_long() -> None:
    """Nobody could be given to him while no daemon ran: he is not let go before anyone has looked."""
    desk = a_queue_desk()
    busy(desk)
    leg = calls_in(desk, since=desk.now - 300.0)
    desk.wait(FOUND_WAITS_S - 0.1)
    assert not desk.all(act.Hangup)
    desk.wait(0.2)
    assert desk.last(act.Hangup).leg == leg


def test_a_queue_with_a_shorter_longest_wait_than_that_keeps_it() -> None:
    desk = a_queue_desk(a_line(max_wait_s=3.0))
    busy(desk)
    leg = calls_in(desk)
    desk.wait(3.0)
    assert desk.last(act.Hangup).leg == leg


def test_who_was_on_hold_when_the_daemon_died_waits_anew_and_is_never_missed() -> None:
    desk = a_queue_desk()
    busy(desk)
    leg = calls_in(desk, since=desk.now - 300.0, met=True)
    desk.wait(LOST_IN_CALL_S - 0.1)
    assert not desk.all(act.Hangup)
    desk.wait(0.2)
    assert desk.last(act.Hangup).leg == leg
    desk.over(leg)
    assert desk.last(act.CallerLeft).why == "served" and not desk.last(act.CallerLeft).missed and queue(desk).missed == 0


def test_who_was_on_hold_gets_the_agent_back_whose_leg_is_parked_for_him() -> None:
    desk = a_desk(agents=1, leg=LegKind.PER_CALL, linked=False)
    desk.tell(ag.QueueLoaded(a_line(people=("ana",))), ev.SwitchUp(SWITCH, ((LegId("caller"), CARRIER), (LegId("his"), None))))
    desk.tell(ev.LegFound(facts(LegId("his"), attempt="caller", agent="ana")))
    desk.tell(ag.CallerQueued(LegId("caller"), "support", AttemptId("caller"), "", NOON - 300.0, met=True), ev.ReconcileDone(SWITCH))
    assert desk.last(act.Bridge) == act.Bridge(LegId("caller"), LegId("his")) and not desk.all(act.Hangup)
    desk.dialer.check_invariants()


def told_late(desk: Desk) -> LegId:
    """Ana's per-call leg is found in talk with a caller of whom reconciliation says nothing."""
    his = LegId("his")
    desk.tell(ag.QueueLoaded(a_line(people=("ana",))), ev.SwitchUp(SWITCH, ((LegId("caller"), None), (his, None))))
    desk.tell(ev.LegFound(facts(his, bridged_to=LegId("caller"), attempt="caller", agent="ana")), ev.ReconcileDone(SWITCH))
    return his


def test_a_talking_caller_told_after_the_reconciliation_keeps_his_agent() -> None:
    desk = a_desk(agents=1, leg=LegKind.PER_CALL, linked=False)
    his = told_late(desk)
    assert act.AskLeg(his) in desk.wanted
    calls_in(desk, since=desk.now - 100.0, bridged_to=his)
    assert not desk.all(act.Hangup) and desk.state_of("ana") is AgentState.TALKING
    desk.over(LegId("caller"))
    desk.over(his)
    desk.wait(WRAP_UP_S)
    assert desk.last(act.CallerLeft).why == "served" and desk.state_of("ana") is AgentState.IDLE


def test_a_caller_told_so_late_that_his_agent_has_another_call_goes_on_all_the_same() -> None:
    desk = a_desk(agents=1, leg=LegKind.PER_CALL, linked=False)
    his = told_late(desk)
    calls_in(desk, "other")
    assert desk.agent("ana").call == "other"
    calls_in(desk, since=desk.now - 100.0, bridged_to=his)
    assert not {"caller", his} & {a.leg for a in desk.all(act.Hangup)} and desk.agent("ana").call == "other"
    desk.dialer.check_invariants()


def test_an_agents_leg_that_was_spared_is_hung_up_once_its_caller_is_gone() -> None:
    desk = a_desk(agents=1, leg=LegKind.PER_CALL, linked=False)
    his = told_late(desk)
    desk.tell(ev.LegParked(his))
    assert desk.last(act.Hangup).leg == his
    desk.over(his)
    assert his not in desk.dialer._w.legs


def test_a_new_daemon_finds_who_talks_and_frees_the_agent_after_it() -> None:
    desk = a_desk(agents=1, leg=LegKind.NAILED, linked=False)
    desk.tell(ag.QueueLoaded(a_line(people=("ana",))), ev.SwitchUp(SWITCH, ((LegId("caller"), CARRIER), (LegId("nail"), None))))
    desk.tell(ev.LegFound(facts(LegId("nail"), agent="ana", bridged_to=LegId("caller"))))
    desk.tell(ag.CallerQueued(LegId("caller"), "support", AttemptId("caller"), "", NOON - 90, LegId("nail")), ev.ReconcileDone(SWITCH))
    assert desk.state_of("ana") is AgentState.TALKING and not any(a.leg == "caller" for a in desk.all(act.Hangup))
    desk.over(LegId("caller"))
    desk.tell(ev.LegParked(LegId("nail")))
    desk.wait(WRAP_UP_S)
    assert desk.state_of("ana") is AgentState.IDLE and desk.last(act.CallerLeft).why == "served"


def test_a_drain_waits_for_callers_and_takes_no_new_ones() -> None:
    desk = a_queue_desk()
    leg = calls_in(desk)
    talks(desk, leg)
    desk.tell(ev.DrainAsked())
    calls_in(desk, "late")
    assert not desk.all(act.Drained) and queue(desk).came == 1
    desk.over(leg)
    desk.tell(ev.LegDestroyed(leg))
    assert {a.leg for a in desk.all(act.Hangup)} >= {"id-1", "id-2"} and "late" not in {a.leg for a in desk.all(act.Hangup)}


# --- what a queue is not ----------------------------------------------------------------------------------------------------------------


def test_a_queue_is_no_campaign_to_those_who_look_or_command() -> None:
    desk = a_queue_desk()
    calls_in(desk)
    assert [c.id for c in desk.dialer.snapshot().campaigns] == ["spring"]
    assert not desk.command(ev.PauseCampaign, CampaignId("queue:support")).ok
    desk.wait(3600.0)
    assert not [a for a in desk.all(act.StoreCampaignState) if a.campaign != "spring"]


def test_an_agents_screen_lists_campaigns_and_no_queues() -> None:
    desk = a_queue_desk()
    desk.tell(ag.WatchAgent(AgentId("ana")))
    picture = desk.last(act.ShowAgent).picture
    assert [c.id for c in picture.campaigns] == ["spring"]
    calls_in(desk)
    his = desk.last(act.ShowAgent).picture.call
    assert his is not None and his.number == "+34600123123"


def silence(w: World) -> None:
    w.calls[AttemptId("waits")] = replace(w.calls[AttemptId("waits")], music=False)


def nobody_looked(w: World) -> None:
    w.needing.append(AttemptId("waits"))


def leg_forgotten(w: World) -> None:
    del w.legs[LegId("waits")]


def caller_with_a_row(w: World) -> None:
    call = w.calls[AttemptId("waits")]
    w.calls[call.id] = replace(call, lead=replace(call.lead, id=LeadId(7)))


def queue_with_leads(w: World) -> None:
    w.runs[CampaignId("queue:support")].hopper.extend(some_leads(1))


@pytest.mark.parametrize("do_harm", [silence, nobody_looked, leg_forgotten, caller_with_a_row, queue_with_leads], ids=lambda harm: harm.__name__)
def test_what_must_never_be_with_callers_is_noticed(do_harm: Callable[[World], None]) -> None:
    desk = a_queue_desk()
    busy(desk)
    calls_in(desk, "waits")
    desk.dialer.check_invariants()
    do_harm(desk.dialer._w)
    with pytest.raises(IllegalTransition):
        desk.dialer.check_invariants()


def test_no_attempt_and_no_lead_is_ever_written_for_a_caller() -> None:
    desk = a_queue_desk()
    leg = calls_in(desk)
    talks(desk, leg)
    desk.over(leg)
    assert not [a for a in desk.wanted if isinstance(a, act.OriginateLead | act.CloseAttempt | act.ReturnLeads)]


def test_a_changed_queue_keeps_the_terms_of_those_who_wait() -> None:
    desk = a_queue_desk()
    busy(desk)
    leg = calls_in(desk)
    desk.tell(ag.QueueLoaded(a_line(people=("ana",), max_wait_s=5.0)))
    desk.wait(30.0)
    assert not any(a.leg == leg for a in desk.all(act.Hangup)) and queue(desk).crew == 1


def test_the_counts_of_a_queue_add_up() -> None:
    desk = a_queue_desk()
    up = busy(desk)
    for name in ("one", "two", "three"):
        calls_in(desk, name)
    desk.over(LegId("one"))
    desk.over(up[0])
    view = queue(desk)
    assert (view.came, view.served, view.hung_up, view.waiting, view.talking) == (5, 1, 1, 2, 1)
    assert view.waiting_since == NOON


def test_a_campaign_goes_on_beside_a_queue() -> None:
    """Its leads have ids above 0, callers' below: neither is taken for the other."""
    desk = a_queue_desk(agents=2)
    calls_in(desk)
    desk.claimed(*some_leads(3))
    assert placed(desk).attempt.agent == "bob" and placed(desk).attempt.lead == LeadId(1)
    desk.tell(ev.CampaignLoaded(a_campaign(people=("ana",)), CampaignState.RUNNING, True, (UTC_SET,)))
    desk.tell(ev.AgentLoaded(an_agent("eva", LegKind.NAILED), AgentStatus.AVAILABLE))
    desk.dialer.check_invariants()
