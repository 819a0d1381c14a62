"""Callback campaigns from the request to the talk (S65–S70, S83–S90): the agent first, first asked first called, before queued callers, for ever."""

from __future__ import annotations

from typing import Any, cast

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import agent_events as ag
from fs_dialer.core import events as ev
from fs_dialer.core.mode_port import Mode
from fs_dialer.core.model import (
    AgentId,
    AgentState,
    AgentStatus,
    CallState,
    CampaignId,
    CampaignState,
    CampaignType,
    Lead,
    LeadId,
    LeadStatus,
    LegKind,
    Outcome,
)
from fs_dialer.core.resources import Hours
from fs_dialer.modes import callback
from tests.core.builders import NAMES, NOON, UTC_SET, Desk, a_campaign, a_desk, a_lead, an_installation, closed, modes, placed
from tests.core.test_callers import a_line, calls_in, queue, talks

BACK = CampaignId("back")
OFFERED = {**modes(), CampaignType.CALLBACK: cast(Mode, callback)}


def a_callback(people: tuple[str, ...], id: str = "back", **more: Any) -> Any:
    return a_campaign(id, type=CampaignType.CALLBACK, people=people, screen="by_type", **more)


def a_callback_desk(
    *lines: Any, agents: int = 1, leg: LegKind = LegKind.PER_CALL, screens: bool = True, campaigns: Any = (), installation: Any = None, **more: Any
) -> Desk:
    """Agents logged in with their screens open, a callback campaign that runs, and a queue `support` that they serve."""
    people = NAMES[:agents]
    desk = a_desk(agents=agents, leg=leg, campaigns=[a_callback(people, **more), *campaigns], offered=OFFERED, installation=installation)
    for line in lines or (a_line(people=people),):
        desk.tell(ag.QueueLoaded(line))
    for name in people if screens else ():
        open_screen(desk, name)
    if leg is LegKind.NAILED:
        for name in people:
            desk.nail(name)
    return desk


def open_screen(desk: Desk, name: str) -> None:
    desk.tell(ag.OpenScreen("s", name, AgentId(name), 1e9))  # type: ignore[arg-type]


def status(desk: Desk, name: str, status: AgentStatus) -> None:
    desk.tell(ev.SetAgentStatus("c", name, AgentId(name), status))  # type: ignore[arg-type]


def asked(*numbers: int) -> tuple[Lead, ...]:
    """Who asked to be called back, in this order, a second apart."""
    return tuple(a_lead(n, campaign="back", ready_at=NOON - 100 + place) for place, n in enumerate(numbers))


def request(desk: Desk, *leads: Lead) -> None:
    desk.claimed(*leads, campaign="back")


def rings(desk: Desk) -> list[act.OriginateAgent]:
    return desk.all(act.OriginateAgent)


# --- the flow ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S66")
def test_the_agent_is_rung_first_and_the_customer_dialled_once_he_is_there() -> None:
    desk = a_callback_desk()
    request(desk, *asked(1))
    assert len(rings(desk)) == 1 and not desk.all(act.OriginateLead)
    desk.up(rings(desk)[0].leg)
    call = placed(desk)
    desk.up(call.leg)
    assert desk.last(act.Bridge) == act.Bridge(call.leg, rings(desk)[0].leg)
    desk.tell(ev.LegBridged(call.leg, rings(desk)[0].leg))
    desk.over(call.leg)
    assert closed(desk) == [(Outcome.CONNECTED, LeadStatus.SUCCEEDED)] and desk.state_of("ana") is AgentState.WRAP_UP


@pytest.mark.spec("S66")
def test_a_nailed_agent_is_there_already() -> None:
    desk = a_callback_desk(leg=LegKind.NAILED)
    request(desk, *asked(1))
    assert placed(desk).attempt.agent == "ana"


@pytest.mark.spec("S66", "S89")
def test_an_agent_who_does_not_answer_costs_the_customer_neither_attempt_nor_place() -> None:
    desk = a_callback_desk(agents=2)
    status(desk, "bob", AgentStatus.NOT_AVAILABLE)
    request(desk, *asked(1, 2, 3))
    desk.wait(30.0)
    assert not desk.all(act.CloseAttempt) and not [a for a in desk.all(act.ReturnLeads) if a.leads]
    status(desk, "bob", AgentStatus.AVAILABLE)
    desk.up(rings(desk)[-1].leg)
    assert rings(desk)[-1].agent == "bob" and placed(desk).attempt.lead == 1


def test_callbacks_whose_agents_fail_in_any_order_stand_in_the_line_as_before() -> None:
    desk = a_callback_desk(agents=3)
    request(desk, *asked(1, 2, 3, 4))
    by_agent = {a.agent: a for a in rings(desk)}
    for name in ("ana", "eva", "bob"):
        desk.over(by_agent[AgentId(name)].leg, "USER_BUSY", 486)
    assert [lead.id for lead in desk.dialer._w.runs[BACK].hopper] == [1, 2, 3, 4]


@pytest.mark.spec("S68")
def test_a_customer_who_does_not_answer_costs_an_attempt_and_frees_the_agent() -> None:
    desk = a_callback_desk(gap_s=600.0)
    request(desk, *asked(1))
    desk.up(rings(desk)[0].leg)
    call = placed(desk)
    desk.created(call.leg)
    desk.tell(ev.LegRang(call.leg, False))
    desk.over(call.leg, "NO_ANSWER")
    update = desk.last(act.CloseAttempt).update
    assert (update.status, update.attempts, update.ready_at) == (LeadStatus.RETRY, 1, NOON + 600.0)
    assert desk.last(act.Hangup).leg == rings(desk)[0].leg
    desk.over(rings(desk)[0].leg)
    desk.wait(1.0)
    assert desk.state_of("ana") is AgentState.IDLE and desk.agent("ana").calls == 0


def test_an_agent_who_hangs_up_before_the_answer_voids_the_call() -> None:
    desk = a_callback_desk()
    request(desk, *asked(1))
    desk.up(rings(desk)[0].leg)
    desk.created(placed(desk).leg)
    desk.over(rings(desk)[0].leg)
    assert desk.last(act.Hangup) == act.Hangup(placed(desk).leg, "ORIGINATOR_CANCEL")


def test_a_customer_who_has_answered_gets_another_agent_where_his_own_hangs_up_that_moment() -> None:
    desk = a_callback_desk(agents=2)
    status(desk, "bob", AgentStatus.NOT_AVAILABLE)
    request(desk, *asked(1))
    desk.up(rings(desk)[0].leg)
    call = placed(desk)
    desk.created(call.leg)
    desk.tell(ev.LegAnswered(call.leg))
    desk.over(rings(desk)[0].leg)
    status(desk, "bob", AgentStatus.AVAILABLE)
    desk.tell(ev.LegParked(call.leg))
    assert rings(desk)[-1].agent == "bob" and rings(desk)[-1].call == call.attempt.id
    assert not any(a.leg == call.leg for a in desk.all(act.Hangup))


# --- who gets what (S83–S86) ------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S83")
def test_available_with_the_screen_open_gets_callbacks_and_queued_callers() -> None:
    desk = a_callback_desk(agents=2, leg=LegKind.NAILED)
    request(desk, *asked(1))
    calls_in(desk)
    assert placed(desk).attempt.lead == 1 and desk.last(act.Bridge).leg == "caller"


@pytest.mark.spec("S84")
def test_available_with_the_screen_closed_gets_queued_callers_only() -> None:
    desk = a_callback_desk(leg=LegKind.NAILED, screens=False)
    request(desk, *asked(1))
    assert not desk.all(act.OriginateLead)
    calls_in(desk)
    assert desk.last(act.Bridge).leg == "caller"


@pytest.mark.spec("S83", "S84")
def test_opening_and_closing_the_screen_takes_effect_at_once() -> None:
    desk = a_callback_desk(screens=False)
    request(desk, *asked(1, 2))
    assert not rings(desk)
    open_screen(desk, "ana")
    assert len(rings(desk)) == 1
    desk.tell(ag.CloseScreen("x", "ana", AgentId("ana")))  # type: ignore[arg-type]
    assert desk.last(act.Hangup).leg == rings(desk)[0].leg
    desk.wait(60.0)
    assert len(rings(desk)) == 1 and [lead.id for lead in desk.dialer._w.runs[BACK].hopper] == [1, 2]


@pytest.mark.spec("S85")
def test_not_available_gets_neither() -> None:
    desk = a_callback_desk(leg=LegKind.NAILED)
    status(desk, "ana", AgentStatus.NOT_AVAILABLE)
    request(desk, *asked(1))
    calls_in(desk)
    assert not desk.all(act.OriginateLead) and not desk.all(act.Bridge)


@pytest.mark.spec("S86")
def test_a_callback_comes_before_a_caller_who_waits() -> None:
    desk = a_callback_desk()
    status(desk, "ana", AgentStatus.NOT_AVAILABLE)
    calls_in(desk)
    request(desk, *asked(1))
    desk.wait(5.0)
    status(desk, "ana", AgentStatus.AVAILABLE)
    assert rings(desk)[-1].call != "caller" and queue(desk).waiting == 1


@pytest.mark.spec("S86")
def test_a_callback_comes_first_whatever_the_queues_priority() -> None:
    desk = a_callback_desk(a_line(people=("ana",), priority=50), priority=-50)
    status(desk, "ana", AgentStatus.NOT_AVAILABLE)
    calls_in(desk)
    request(desk, *asked(1))
    status(desk, "ana", AgentStatus.AVAILABLE)
    assert rings(desk)[-1].call != "caller"


@pytest.mark.spec("S86")
def test_one_callback_keeps_one_agent_and_callers_get_the_others() -> None:
    desk = a_callback_desk(agents=3, leg=LegKind.NAILED)
    for name in NAMES[:3]:
        status(desk, name, AgentStatus.NOT_AVAILABLE)
    for n in range(3):
        calls_in(desk, f"caller-{n}")
    request(desk, *asked(1))
    w = desk.dialer._w
    for name in NAMES[:3]:
        status(desk, name, AgentStatus.AVAILABLE)
    assert len(desk.all(act.OriginateLead)) == 1 and sorted(b.leg for b in desk.all(act.Bridge)) == ["caller-0", "caller-1"] and not w.idle


@pytest.mark.spec("S84", "S86")
def test_an_agent_whose_screen_is_closed_is_never_kept_for_callbacks() -> None:
    desk = a_callback_desk(agents=2, leg=LegKind.NAILED, screens=False)
    for name in NAMES[:2]:
        status(desk, name, AgentStatus.NOT_AVAILABLE)
    open_screen(desk, "bob")
    request(desk, *asked(1))
    calls_in(desk)
    for name in ("ana", "bob"):
        status(desk, name, AgentStatus.AVAILABLE)
    assert desk.agent("ana").call == "caller" and placed(desk).attempt.agent == "bob"


def test_a_callback_whose_campaign_has_no_line_left_keeps_nobody_from_a_caller() -> None:
    desk = a_callback_desk(agents=2, leg=LegKind.NAILED, lines=1)
    request(desk, *asked(1, 2))
    assert placed(desk).attempt.agent == "ana" and len(desk.all(act.OriginateLead)) == 1
    calls_in(desk)
    assert desk.agent("bob").call == "caller"


def test_a_callback_for_which_the_installation_has_no_line_keeps_nobody_from_a_caller() -> None:
    """Three lines: two nailed agents' and the caller's; a callback would need a fourth."""
    desk = a_callback_desk(agents=2, leg=LegKind.NAILED, installation=an_installation(lines=3))
    for name in NAMES[:2]:
        status(desk, name, AgentStatus.NOT_AVAILABLE)
    calls_in(desk)
    request(desk, *asked(1))
    for name in NAMES[:2]:
        status(desk, name, AgentStatus.AVAILABLE)
    assert desk.agent("ana").call == "caller" and not desk.all(act.OriginateLead)


def test_callers_are_served_while_no_callback_can_be_dialled() -> None:
    desk = a_callback_desk(leg=LegKind.NAILED)
    status(desk, "ana", AgentStatus.NOT_AVAILABLE)
    request(desk, *asked(1))
    calls_in(desk)
    desk.tell(ev.StoreLost("a test"))
    status(desk, "ana", AgentStatus.AVAILABLE)
    assert desk.last(act.Bridge).leg == "caller"


# --- its life (S69, S70, S87–S90) --------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S70", "D11")
def test_it_starts_by_its_approval() -> None:
    desk = a_desk(agents=1, campaigns=[a_callback(("ana",))], state=CampaignState.NEW, offered=OFFERED)
    open_screen(desk, "ana")
    assert desk.command(ev.ApproveCampaign, BACK).ok and desk.campaign("back").state is CampaignState.RUNNING
    request(desk, *asked(1))
    assert len(rings(desk)) == 1


@pytest.mark.spec("S70", "D11")
def test_approved_before_its_start_time_it_begins_then() -> None:
    desk = a_desk(agents=1, campaigns=[a_callback(("ana",), start=NOON + 100)], state=CampaignState.NEW, offered=OFFERED)
    desk.command(ev.ApproveCampaign, BACK)
    assert desk.campaign("back").state is CampaignState.APPROVED
    desk.wait(100.0)
    assert desk.campaign("back").state is CampaignState.RUNNING


@pytest.mark.spec("S88", "D15")
def test_it_waits_for_customers_for_ever() -> None:
    desk = a_callback_desk()
    for _ in range(20):
        desk.claimed(campaign="back", unfinished=False)
        desk.wait(600.0)
    assert desk.campaign("back").state is CampaignState.RUNNING
    request(desk, *asked(1))
    assert len(rings(desk)) == 1


@pytest.mark.spec("S88")
def test_it_goes_on_as_long_as_there_are_customers_and_a_free_agent() -> None:
    desk = a_callback_desk(leg=LegKind.NAILED, wrap_up_s=5.0)
    request(desk, *asked(1, 2, 3))
    for n in range(3):
        call = placed(desk)
        assert call.attempt.lead == n + 1
        desk.up(call.leg)
        desk.tell(ev.LegBridged(call.leg, desk.last(act.Bridge).agent_leg))
        desk.over(call.leg)
        desk.tell(ev.LegParked(desk.last(act.Bridge).agent_leg))
        desk.wait(5.0)
    assert closed(desk) == [(Outcome.CONNECTED, LeadStatus.SUCCEEDED)] * 3


@pytest.mark.spec("S69")
def test_outside_its_hours_it_calls_nobody_and_without_hours_it_always_does() -> None:
    shut = a_callback_desk(hours=Hours(week=(((60, 120),),) * 7))
    request(shut, *asked(1))
    always = a_callback_desk()
    request(always, *asked(1))
    assert not rings(shut) and shut.last(act.ReturnLeads).leads[0].held_by in ("hours", "zones") and rings(always)


@pytest.mark.spec("S89")
def test_who_asked_first_is_called_back_first() -> None:
    desk = a_callback_desk(agents=3, leg=LegKind.NAILED)
    for name in NAMES[:3]:
        status(desk, name, AgentStatus.NOT_AVAILABLE)
    request(desk, *asked(7, 3, 5))
    for name in NAMES[:3]:
        status(desk, name, AgentStatus.AVAILABLE)
    assert [call.attempt.lead for call in desk.all(act.OriginateLead)] == [7, 3, 5]


# --- served otherwise (D12, S90) ---------------------------------------------------------------------------------------------------------


def withdrawn(desk: Desk, lead: int) -> list[act.Action]:
    return desk.tell(ag.LeadWithdrawn(BACK, LeadId(lead)))


@pytest.mark.spec("D12", "S90")
def test_a_customer_who_was_served_otherwise_leaves_the_line_undialled() -> None:
    desk = a_callback_desk()
    request(desk, *asked(1, 2, 3))
    got = withdrawn(desk, 2)
    assert [back.lead for a in got if isinstance(a, act.ReturnLeads) for back in a.leads] == [2]
    assert [lead.id for lead in desk.dialer._w.runs[BACK].hopper] == [3] and len(rings(desk)) == 1


@pytest.mark.spec("D12")
def test_the_agent_who_is_being_rung_for_him_is_let_go_and_gets_the_next_customer() -> None:
    desk = a_callback_desk()
    request(desk, *asked(1, 2))
    got = withdrawn(desk, 1)
    assert [a.leg for a in got if isinstance(a, act.Hangup)] == [rings(desk)[0].leg]
    assert [back.lead for a in got if isinstance(a, act.ReturnLeads) for back in a.leads] == [1]
    desk.over(rings(desk)[0].leg, "ORIGINATOR_CANCEL")
    desk.wait(2.0)
    desk.up(rings(desk)[-1].leg)
    assert placed(desk).attempt.lead == 2 and desk.agent("ana").status is AgentStatus.AVAILABLE


@pytest.mark.spec("D12")
def test_a_customer_whose_phone_rings_already_is_not_cut_off() -> None:
    desk = a_callback_desk()
    request(desk, *asked(1))
    desk.up(rings(desk)[0].leg)
    assert withdrawn(desk, 1) == [] and desk.dialer._w.calls[placed(desk).attempt.id].state is CallState.DIALING


def test_a_lead_that_is_not_in_our_hands_is_withdrawn_without_a_word() -> None:
    desk = a_callback_desk()
    assert withdrawn(desk, 99) == [] and desk.tell(ag.LeadWithdrawn(CampaignId("nowhere"), LeadId(1))) == []


@pytest.mark.spec("D12")
def test_what_the_store_refuses_at_the_last_gate_frees_the_agent_and_is_not_asked_again() -> None:
    desk = a_callback_desk()
    request(desk, *asked(1))
    desk.up(rings(desk)[0].leg)
    desk.tell(ev.AttemptRefused(placed(desk).attempt.id, "lead_taken"))
    assert desk.last(act.Hangup).leg == rings(desk)[0].leg and not desk.dialer._w.runs[BACK].hopper


# --- agents who leave -------------------------------------------------------------------------------------------------------------------


def test_a_paused_campaign_lets_its_agents_go_and_gives_its_leads_back() -> None:
    desk = a_callback_desk(agents=2)
    request(desk, *asked(1, 2, 3))
    desk.command(ev.PauseCampaign, BACK)
    assert sorted(back.lead for a in desk.all(act.ReturnLeads) for back in a.leads) == [1, 2, 3]
    for ring in rings(desk):
        desk.over(ring.leg, "ORIGINATOR_CANCEL")
    desk.wait(2.0)
    assert {a.state for a in desk.dialer.snapshot().agents} == {AgentState.IDLE}


def test_a_caller_served_meanwhile_is_told_with_his_number_so_that_his_callback_can_be_withdrawn() -> None:
    desk = a_callback_desk(leg=LegKind.NAILED)
    leg = calls_in(desk)
    talks(desk, leg)
    assert desk.last(act.CallerServed).number == "+34600123123"


def test_a_reloaded_campaign_keeps_serving() -> None:
    desk = a_callback_desk()
    desk.tell(ev.CampaignLoaded(a_callback(("ana",), revision=2), CampaignState.RUNNING, True, (UTC_SET,)))
    request(desk, *asked(1))
    assert len(rings(desk)) == 1
