"""Modelled agents act on what they see, and on nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fs_dialer.core import actions as act
from fs_dialer.core import agent_events as ag
from fs_dialer.core import events as ev
from fs_dialer.core.agent_picture import AgentPicture, CallPicture, LastCall
from fs_dialer.core.definition import AgentDefinition
from fs_dialer.core.model import AgentId, AgentState, AgentStatus, AttemptId, CallState, CampaignId, CampaignType, LeadId
from fs_dialer.sim.people import PeopleModel
from fs_dialer.simulation.floor import Floor
from tests.simulation.test_day import a_campaign

LAN, SPRING = AgentId("lan"), CampaignId("spring")
START = 1_767_600_000.0
IDLE = AgentPicture(LAN, "Lan", AgentStatus.AVAILABLE, "", AgentState.IDLE, START, None, False, 0, None, 0, 0, None, None, (), ("take",))
CARD = CallPicture(AttemptId("a-1"), SPRING, LeadId(1), "+999000000001", CallState.PREVIEWING, START)
RULE = {"match": "*", "take": "5s", "accept": "2s", "think": "10s", "skip": 0, "wrap_up": "8s", "dispositions": {"sold": 1}}


def a_floor(campaign_type: CampaignType = CampaignType.PREVIEW, **rule: Any) -> Floor:
    model = PeopleModel.from_mapping({"zone": "UTC", "agents": [{**RULE, **rule}]})
    agents = [AgentDefinition(id=LAN, dial_string="user/1001")]
    return Floor(a_campaign(campaign_type), agents, model, (START, START + 8 * 3600), seed=1)


def show(floor: Floor, picture: AgentPicture, now: float) -> None:
    floor.handlers()[act.ShowAgent](act.ShowAgent(picture), now)


def due(floor: Floor, now: float) -> ev.Event:
    assert floor.next_at() == now
    event = floor.due(now)
    assert event is not None and floor.due(now) is None
    return event


def test_screens_are_opened_and_desks_watched_where_the_campaign_needs_it() -> None:
    first, second = list(a_floor().begin())
    assert isinstance(first, ag.OpenScreen) and first.lease_s > 8 * 3600 and second == ag.WatchAgent(LAN)
    assert list(a_floor(CampaignType.PROGRESSIVE, wrap_up="never").begin()) == []


def test_a_card_is_accepted_looked_at_and_dialled() -> None:
    floor = a_floor()
    waiting = replace(IDLE, state=AgentState.PREVIEWING, call=replace(CARD, accepted=False), can=("accept", "dial", "skip"))
    show(floor, waiting, START)
    assert isinstance(due(floor, START + 2), ag.AcceptPreview)
    show(floor, replace(waiting, call=CARD, can=("dial", "skip")), START + 2)
    event = due(floor, START + 12)
    assert isinstance(event, ag.DialNow) and event.call == "a-1" and floor.cards == 1


def test_a_card_that_is_gone_is_not_dialled() -> None:
    floor = a_floor()
    show(floor, replace(IDLE, state=AgentState.PREVIEWING, call=CARD, can=("dial",)), START)
    show(floor, replace(IDLE, since=START + 3), START + 3)
    assert floor.next_at() is None


def test_a_skipped_card_is_skipped_only_where_that_is_allowed() -> None:
    floor = a_floor(skip="100%")
    show(floor, replace(IDLE, state=AgentState.PREVIEWING, call=CARD, can=("dial", "skip")), START)
    event = due(floor, START + 10)
    assert isinstance(event, ag.SkipLead) and event.reason and floor.skipped == 1
    show(floor, replace(IDLE, state=AgentState.PREVIEWING, since=START + 20, call=replace(CARD, id=AttemptId("a-2")), can=("dial",)), START + 20)
    assert isinstance(due(floor, START + 30), ag.DialNow)


def test_a_result_ends_the_rest_and_more_time_is_asked_for_before_it_runs_out() -> None:
    floor, last = a_floor(wrap_up="40s"), LastCall(AttemptId("a-1"), SPRING, LeadId(1), met=True)
    resting = replace(IDLE, state=AgentState.WRAP_UP, last=last, rest_until=START + 30, wrap_up_extensions=1, can=("dispose", "extend_wrap_up"))
    show(floor, resting, START)
    assert isinstance(due(floor, START + 29.5), ag.ExtendWrapUp)
    show(floor, replace(resting, rest_until=START + 60, wrap_up_extensions=0), START + 29.5)
    event = due(floor, START + 40)
    assert isinstance(event, ag.Disposed) and (event.call, event.code) == ("a-1", "sold") and floor.filed == {"sold": 1}
    show(floor, replace(IDLE, since=START + 40), START + 40)
    assert floor.rest_ends == {"a-1": START + 40}


def test_in_manual_campaigns_notes_come_before_the_next_customer_and_a_refusal_is_tried_again() -> None:
    floor, last = a_floor(CampaignType.MANUAL), LastCall(AttemptId("a-1"), SPRING, LeadId(1), met=True)
    show(floor, replace(IDLE, last=last), START)
    assert isinstance(due(floor, START + 8), ag.Disposed)
    take = due(floor, START + 13)
    assert isinstance(take, ag.TakeLead)
    floor.handlers()[act.Reply](act.Reply(take.command_id, False, "no lead is ready"), START + 13)
    assert isinstance(due(floor, START + 43), ag.TakeLead)


def test_shifts_are_kept_on_the_people_s_clocks() -> None:
    floor = a_floor(shift="9:00-12:00, 13:00-17:00", late="1m")  # the span begins at 8:00 UTC
    assert floor.status_at_start(LAN) is AgentStatus.LOGGED_OUT
    seen = []
    while (at := floor.next_at()) is not None:
        event = floor.due(at)
        assert isinstance(event, ev.SetAgentStatus)
        seen.append((at - START, event.status.value))
    assert seen == [(3660.0, "available"), (14400.0, "logged_out"), (18060.0, "available"), (32400.0, "logged_out")]


def test_who_was_set_to_not_available_says_after_a_while_that_he_is_there() -> None:
    floor = a_floor(back="3m")
    floor.handlers()[act.StoreAgentStatus](act.StoreAgentStatus(LAN, AgentStatus.NOT_AVAILABLE, "missed offers", "engine"), START)
    event = due(floor, START + 180)
    assert isinstance(event, ev.SetAgentStatus) and event.status is AgentStatus.AVAILABLE
