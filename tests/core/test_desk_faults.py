"""What agents do at the worst moment: a lead that comes during a drain, a card that is withdrawn, a line too many, a rest that follows another call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fs_dialer.core import actions as act
from fs_dialer.core import agent_events as ag
from fs_dialer.core import events as ev
from fs_dialer.core.definition import WrapUp
from fs_dialer.core.model import AgentState, AgentStatus, LeadStatus, LegKind
from fs_dialer.modes import preview
from tests.core import test_callers as callers
from tests.core.builders import ANA, SPRING, Desk, a_campaign, a_dialling_desk, a_lead, an_installation, placed
from tests.core.test_desk import a_manual, a_preview, ask, take


def asked_take(desk: Desk) -> act.TakeLeadNow:
    desk.tell(ag.TakeLead("web-t", "ana", ANA, SPRING))  # type: ignore[arg-type]
    return desk.last(act.TakeLeadNow)


def answered(desk: Desk, asked: act.TakeLeadNow) -> None:
    """The store's answer comes now."""
    desk.tell(ag.LeadTaken(asked.command_id, asked.agent, asked.campaign, a_lead(1)))


def bob_talks(desk: Desk) -> tuple[Any, Any]:
    """So that the daemon is not drained at once: Bob's customer and Bob's leg."""
    take(desk, a_lead(9), agent="bob")
    ask(desk, ag.DialNow, agent="bob")
    his = desk.last(act.OriginateAgent).leg
    desk.up(his)
    customer = placed(desk).leg
    desk.up(customer)
    desk.tell(ev.LegBridged(customer, his))
    return customer, his


def test_a_lead_that_comes_during_a_drain_goes_back_and_the_drain_ends() -> None:
    desk = a_manual(agents=2)
    customer, his = bob_talks(desk)
    asked = asked_take(desk)
    desk.tell(ev.DrainAsked())
    answered(desk, asked)
    assert [each.lead for each in desk.last(act.ReturnLeads).leads] == [1] and not desk.last(act.Reply).ok
    ask(desk, ag.HangUp, agent="bob")
    desk.over(customer)
    desk.over(his)
    desk.wait(60.0)
    assert desk.all(act.Drained)


def test_nobody_is_dialled_after_all_campaigns_were_switched_off() -> None:
    desk = a_manual()
    asked = asked_take(desk)
    desk.tell(ev.InstallationLoaded(replace(an_installation(), campaigns=False)))
    answered(desk, asked)
    ask(desk, ag.DialNow)
    assert desk.all(act.OriginateAgent) == [] and desk.all(act.OriginateLead) == []


def test_a_nailed_agent_who_does_not_accept_a_preview_keeps_his_line() -> None:
    desk = a_preview(card=preview.Card(time_s=30.0, accept="agent"), leg=LegKind.NAILED)
    desk.clear()
    desk.wait(31.0)
    assert desk.all(act.Hangup) == [] and desk.state_of() is not AgentState.LEG_DOWN


def test_a_manual_campaigns_own_lines_hold() -> None:
    desk = a_manual(agents=2, lines=1)
    for n, who in ((1, "ana"), (2, "bob")):
        take(desk, a_lead(n), agent=who)
        ask(desk, ag.DialNow, agent=who)
        desk.up(desk.last(act.OriginateAgent).leg)
    assert len(desk.all(act.OriginateLead)) == 1
    first, phone = placed(desk).leg, desk.all(act.OriginateAgent)[0].leg
    desk.over(first, "USER_BUSY", 486)
    desk.over(phone)
    desk.wait(1.0)
    desk.up(desk.last(act.OriginateAgent).leg)
    assert [each.attempt.lead for each in desk.all(act.OriginateLead)] == [1, 2], "the second waits its turn"


def test_a_promise_waits_on_for_its_agent_when_his_card_is_withdrawn() -> None:
    desk = a_preview(agents=2, leads=0)
    desk.claimed(a_lead(5, agent=ANA, ready_at=desk.now, ready_why="promised", status=LeadStatus.CALLBACK_SCHEDULED))
    assert desk.state_of("ana") is AgentState.PREVIEWING
    ask(desk, ag.CloseScreen)
    assert desk.state_of("bob") is AgentState.IDLE
    ask(desk, ag.OpenScreen, 3600.0)
    assert desk.state_of("ana") is AgentState.PREVIEWING


def test_the_rest_after_a_queues_caller_is_not_judged_by_an_older_call() -> None:
    campaign = a_campaign(people=["ana"], wrap_up=WrapUp(time_s=5.0, at_end="not_available"))
    desk = a_dialling_desk(1, agents=1, leg=LegKind.NAILED, campaigns=[campaign])
    desk.tell(ag.QueueLoaded(callers.a_line(people=("ana",))))
    call = placed(desk)
    desk.up(call.leg)
    mine = desk.last(act.Bridge).agent_leg
    desk.tell(ev.LegBridged(call.leg, mine))
    desk.over(call.leg)
    desk.tell(ev.LegParked(mine))
    desk.wait(6.0)
    assert desk.agent().status is AgentStatus.NOT_AVAILABLE, "no result was filed for it"
    ask(desk, ev.SetAgentStatus, AgentStatus.AVAILABLE)
    leg = callers.calls_in(desk)
    desk.tell(ev.LegBridged(leg, mine))
    desk.over(leg)
    desk.tell(ev.LegParked(mine))
    desk.wait(20.0)
    assert desk.agent().status is AgentStatus.AVAILABLE


def test_his_own_promise_may_be_called_sooner_and_a_fault_of_ours_may_not() -> None:
    desk = a_manual()
    later = desk.now + 600.0
    assert not take(desk, a_lead(4, ready_at=later, ready_why="fault", status=LeadStatus.RETRY)).ok
    assert take(desk, a_lead(3, agent=ANA, ready_at=later, ready_why="promised", status=LeadStatus.CALLBACK_SCHEDULED)).ok


def test_hanging_up_a_card_is_no_way_round_the_skip_rules() -> None:
    desk = a_preview(leads=3, card=preview.Card(time_s=30.0, skip=preview.Skip(allowed=0)))
    assert not ask(desk, ag.SkipLead, None, "no").ok
    assert ask(desk, ag.HangUp).text == "nothing is dialled yet: dial, or skip it"
