"""Several switches: which one a call gets, drains, losses, agents who live on one of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import agent_events as ag
from fs_dialer.core import events as ev
from fs_dialer.core.definition import GatewayDefinition, Installation, SwitchDefinition
from fs_dialer.core.fleet import AWAY_S, Fleet
from fs_dialer.core.mode_port import Flow
from fs_dialer.core.model import (
    AgentId,
    AgentState,
    AgentStatus,
    AttemptId,
    CampaignState,
    CampaignType,
    CommandId,
    GatewayId,
    LegFacts,
    LegId,
    LegKind,
    Outcome,
    SwitchId,
)
from fs_dialer.core.queue_line import Line
from tests.core.builders import CARRIER, SPRING, UTC_SET, AnyMode, Desk, a_bare_dialer, a_campaign, an_agent, some_leads

pytestmark = pytest.mark.spec("D2", "D3")

SOUTH, NORTH = SwitchId("south"), SwitchId("north")
RESERVED = Flow()
AHEAD = Flow(on_answer="music_then_agent", reserve_agent=False)


def two(*, south: dict[str, Any] | None = None, north: dict[str, Any] | None = None, **more: Any) -> Installation:
    """An installation with two switches, the first named south."""
    switches = (SwitchDefinition(id=SOUTH, **(south or {})), SwitchDefinition(id=NORTH, **(north or {})))
    gateways = more.pop("gateways", (GatewayDefinition(id=CARRIER),))
    return Installation(lines=more.pop("lines", 1000), cps=more.pop("cps", 1000.0), switch=SOUTH, switches=switches, gateways=gateways, **more)


def a_house(
    installation: Installation | None = None,
    *,
    flow: Flow = RESERVED,
    originate: int | None = None,
    people: dict[str, LegKind] | None = None,
    up: bool = True,
    **more: Any,
) -> Desk:
    """Two switches, both linked, and a campaign that runs; each of `people` is logged in."""
    people = {"ana": LegKind.PER_CALL} if people is None else people
    kind = CampaignType.PROGRESSIVE if flow.reserve_agent else CampaignType.PREDICTIVE
    desk = Desk(a_bare_dialer(offered={kind: AnyMode(kind, flow, originate)}))
    desk.tell(ev.InstallationLoaded(installation or two()))
    desk.tell(*(ev.AgentLoaded(an_agent(id, leg), AgentStatus.AVAILABLE) for id, leg in people.items()))
    desk.tell(ev.CampaignLoaded(a_campaign(people=tuple(people), type=kind, **more), CampaignState.RUNNING, True, (UTC_SET,)))
    if up:
        link(desk, SOUTH)
        link(desk, NORTH)
    return desk


def link(desk: Desk, switch: SwitchId, *legs: LegId) -> None:
    desk.tell(ev.SwitchUp(switch, tuple((leg, None) for leg in legs)), ev.ReconcileDone(switch))


def dialled(desk: Desk) -> Counter[str]:
    return Counter(each.switch for each in desk.all(act.OriginateLead))


def created(desk: Desk, leg: LegId, switch: SwitchId) -> None:
    desk.tell(ev.LegCreated(leg, switch, None, None, None))


def up(desk: Desk, leg: LegId, switch: SwitchId) -> None:
    created(desk, leg, switch)
    desk.tell(ev.LegRang(leg, False), ev.LegAnswered(leg), ev.LegParked(leg))


def nailed_on(desk: Desk, id: str) -> tuple[LegId, SwitchId]:
    """Answer the nailed leg that was asked for last for this agent."""
    asked = next(a for a in reversed(desk.all(act.OriginateAgent)) if a.nailed and a.agent == id)
    up(desk, asked.leg, asked.switch)
    return asked.leg, asked.switch


# --- whose turn it is -----------------------------------------------------------------------------------------------------------------


def test_shares_are_kept_as_evenly_as_can_be() -> None:
    fleet = Fleet()
    turns = "".join(str(fleet.in_turn("calls", {SwitchId("a"): 2.0, SwitchId("b"): 1.0})) for _ in range(9))
    assert turns.count("a") == 6 and "bb" not in turns and "aaa" not in turns


def test_calls_are_spread_by_weight_and_free_lines() -> None:
    desk = a_house(two(south={"weight": 2, "lines": 400}, north={"weight": 1, "lines": 400}), flow=AHEAD, originate=60)
    desk.claimed(*some_leads(60))
    assert sum(dialled(desk).values()) == 60
    assert 36 <= dialled(desk)["south"] <= 42, "two thirds, and fewer as it fills"
    assert desk.last(act.OriginateLead).attempt.switch == desk.last(act.OriginateLead).switch


def test_no_switch_gets_more_legs_than_its_lines_and_no_more_than_its_rate() -> None:
    desk = a_house(two(south={"lines": 4}, north={"cps": 8.0}), flow=AHEAD, originate=50, people={})
    desk.tell(ev.CampaignLoaded(a_campaign(people=(), type=CampaignType.PREDICTIVE, revision=2), CampaignState.RUNNING, True, (UTC_SET,)))
    desk.claimed(*some_leads(50))
    assert dialled(desk)["south"] <= 4 and dialled(desk)["north"] <= 2, "a quarter of a second's rate at once"
    desk.wait(0.5)
    assert dialled(desk)["south"] <= 4 and dialled(desk)["north"] <= 6


def test_legs_of_others_count_on_their_switch() -> None:
    desk = a_house(two(south={"lines": 3}, north={"lines": 3}), up=False)
    link(desk, SOUTH, LegId("x1"), LegId("x2"), LegId("x3"))
    link(desk, NORTH, LegId("x4"))
    desk.claimed(*some_leads(3))
    assert dialled(desk) == {"north": 1}


def test_a_call_goes_by_a_switch_that_has_its_trunk() -> None:
    trunks = (GatewayDefinition(id=GatewayId("t1")), GatewayDefinition(id=GatewayId("t2")))
    house = two(south={"gateways": ("t1",)}, north={"gateways": ("t2",)}, gateways=trunks)
    desk = a_house(house, flow=AHEAD, originate=10, gateways=("t2",))
    desk.claimed(*some_leads(10))
    assert dialled(desk) == {"north": 10} and {a.attempt.gateway for a in desk.all(act.OriginateLead)} == {"t2"}


def test_a_trunks_own_limit_counts_over_all_switches() -> None:
    desk = a_house(two(gateways=(GatewayDefinition(id=CARRIER, lines=5),)), flow=AHEAD, originate=20)
    desk.claimed(*some_leads(20))
    assert sum(dialled(desk).values()) == 5


def test_the_agent_of_a_call_is_rung_by_the_switch_of_his_customer() -> None:
    desk = a_house(people={"ana": LegKind.PER_CALL, "bob": LegKind.PER_CALL})
    desk.claimed(*some_leads(2))
    for lead in desk.all(act.OriginateLead):
        up(desk, lead.leg, lead.switch)
    rung = {a.call: a.switch for a in desk.all(act.OriginateAgent)}
    assert rung == {a.attempt.id: a.switch for a in desk.all(act.OriginateLead)} and len(rung) == 2
    assert set(rung.values()) == {SOUTH, NORTH}


def test_an_agent_who_is_rung_first_and_his_customer_are_on_one_switch() -> None:
    desk = a_house(flow=Flow(first_leg="agent"))
    desk.claimed(*some_leads(1))
    rung = desk.last(act.OriginateAgent)
    up(desk, rung.leg, rung.switch)
    assert desk.last(act.OriginateLead).switch == rung.switch


def test_the_end_of_an_attempt_tells_its_switch() -> None:
    desk = a_house()
    desk.claimed(*some_leads(1))
    lead = desk.last(act.OriginateLead)
    created(desk, lead.leg, lead.switch)
    desk.over(lead.leg, "USER_BUSY")
    assert desk.last(act.CloseAttempt).result.switch == lead.switch


# --- agents who live on a switch ------------------------------------------------------------------------------------------------------


def test_nailed_agents_are_spread_over_the_switches() -> None:
    people = dict.fromkeys(("ana", "bob", "eva", "dan"), LegKind.NAILED)
    desk = a_house(people=people)
    assert Counter(a.switch for a in desk.all(act.OriginateAgent)) == {"south": 2, "north": 2}


def test_a_call_for_a_nailed_agent_is_made_by_his_switch() -> None:
    desk = a_house(people={"ana": LegKind.NAILED, "bob": LegKind.NAILED})
    homes = {id: nailed_on(desk, id)[1] for id in ("ana", "bob")}
    desk.claimed(*some_leads(2))
    assert {a.attempt.agent: a.switch for a in desk.all(act.OriginateLead)} == homes


def test_an_agent_on_a_full_switch_does_not_keep_the_others_from_dialling() -> None:
    desk = a_house(two(south={"lines": 1, "weight": 100}, north={"lines": 100}), people={"ana": LegKind.NAILED, "bob": LegKind.NAILED})
    homes = {id: nailed_on(desk, id)[1] for id in ("ana", "bob")}
    assert sorted(homes.values()) == ["north", "south"]
    desk.claimed(*some_leads(2))
    assert dialled(desk) == {"north": 1}


def test_calls_ahead_are_made_where_the_agents_are() -> None:
    people = dict.fromkeys(("ana", "bob", "eva", "dan"), LegKind.NAILED)
    desk = a_house(two(south={"gateways": ()}, north={"weight": 3}), flow=AHEAD, originate=12, people=people, up=False)
    link(desk, SOUTH)
    desk.wait(AWAY_S + 1)
    homes = Counter(nailed_on(desk, id)[1] for id in people)
    assert homes == {"south": 4}
    link(desk, NORTH)
    desk.claimed(*some_leads(12))
    assert dialled(desk) == {"south": 12}, "nobody is there for a customer of north"


def test_a_waiting_customer_takes_who_is_parked_on_his_switch_though_another_has_waited_longer() -> None:
    desk = a_house(flow=AHEAD, originate=1, people={"ana": LegKind.NAILED, "bob": LegKind.NAILED})
    homes = {nailed_on(desk, id)[1]: id for id in ("ana", "bob")}
    desk.claimed(*some_leads(1))
    lead = desk.last(act.OriginateLead)
    desk.clear()
    up(desk, lead.leg, lead.switch)
    assert desk.agent(homes[lead.switch]).call == lead.attempt.id
    assert desk.all(act.Bridge) and not desk.all(act.OriginateAgent)


def in_queue(desk: Desk, leg: str, switch: SwitchId) -> None:
    desk.tell(ag.CallerQueued(LegId(leg), "help", AttemptId(leg), "+34611000000", switch=switch))


def test_a_nailed_agent_of_another_switch_gives_up_his_leg_and_is_rung_and_comes_home_afterwards() -> None:
    desk = a_house(people={"ana": LegKind.NAILED})
    desk.tell(ag.QueueLoaded(Line(name="help", people=("ana",), wrap_up_s=5.0)))
    leg, home = nailed_on(desk, "ana")
    other = NORTH if home == SOUTH else SOUTH
    desk.clear()
    in_queue(desk, "in-1", other)
    rung = desk.last(act.OriginateAgent)
    assert (rung.switch, rung.nailed, rung.call) == (other, False, "in-1")
    assert [h.leg for h in desk.all(act.Hangup)] == [leg], "one leg at a time"
    desk.over(leg)
    up(desk, rung.leg, other)
    bridge = desk.last(act.Bridge)
    assert (bridge.leg, bridge.agent_leg) == ("in-1", rung.leg)
    desk.tell(ev.LegBridged(bridge.leg, bridge.agent_leg))
    assert desk.state_of("ana") is AgentState.TALKING
    desk.over(LegId("in-1"))
    desk.over(rung.leg)
    desk.clear()
    desk.wait(10)
    assert desk.last(act.OriginateAgent).nailed and desk.state_of("ana") is AgentState.LEG_DOWN
    nailed_on(desk, "ana")
    assert desk.state_of("ana") is AgentState.IDLE


def test_a_nailed_agent_of_the_callers_own_switch_goes_before_one_of_another() -> None:
    desk = a_house(people={"ana": LegKind.NAILED, "bob": LegKind.NAILED})
    desk.tell(ag.QueueLoaded(Line(name="help", people=("ana", "bob"))))
    homes = {nailed_on(desk, id)[1]: id for id in ("ana", "bob")}
    desk.clear()
    in_queue(desk, "in-1", NORTH)
    assert desk.agent(homes[NORTH]).call == "in-1" and desk.all(act.Bridge) and not desk.all(act.Hangup)


# --- drained --------------------------------------------------------------------------------------------------------------------------


def drain(desk: Desk, switch: SwitchId, on: bool = True) -> act.Reply:
    return desk.command(ev.DrainSwitch, switch, on)


def test_a_drained_switch_gets_no_new_calls_and_keeps_those_that_are_up() -> None:
    desk = a_house(flow=AHEAD, originate=4)
    desk.claimed(*some_leads(4))
    before = dialled(desk)
    assert set(before) == {"south", "north"}
    reply = drain(desk, SOUTH)
    assert reply.ok and "2 up" in reply.text and not desk.all(act.Hangup)
    assert desk.last(act.StoreSwitchDrained) == act.StoreSwitchDrained(SOUTH, desk.now, "olga")
    for lead in desk.all(act.OriginateLead):
        created(desk, lead.leg, lead.switch)
        desk.over(lead.leg, "USER_BUSY")
    desk.claimed(*some_leads(8, first=10))
    desk.wait(2)
    assert dialled(desk)["south"] == before["south"] and dialled(desk)["north"] > before["north"]


def test_a_drain_is_over_when_somebody_says_so() -> None:
    desk = a_house(flow=AHEAD, originate=4)
    drain(desk, SOUTH)
    assert drain(desk, SOUTH, False).text == "south: gets new calls again"
    assert desk.last(act.StoreSwitchDrained).since is None
    desk.claimed(*some_leads(4))
    assert dialled(desk)["south"] == 2


def test_said_twice_a_drain_begins_once() -> None:
    desk = a_house()
    drain(desk, SOUTH)
    desk.wait(60)
    assert drain(desk, SOUTH).ok and len(desk.all(act.StoreSwitchDrained)) == 1


def test_a_switch_that_is_not_there_can_not_be_drained() -> None:
    reply = drain(a_house(), SwitchId("nroth"))
    assert not reply.ok and reply.text == "there is no switch nroth; there is north, south"


def test_a_drain_outlives_the_daemon() -> None:
    desk = a_house(up=False, flow=AHEAD, originate=4)
    desk.tell(ev.SwitchesDrained(((SOUTH, desk.now - 100),)))
    link(desk, SOUTH)
    link(desk, NORTH)
    desk.claimed(*some_leads(4))
    assert dialled(desk) == {"north": 4}
    assert [(s.id, s.drained_since) for s in desk.dialer.snapshot().switches] == [(SOUTH, desk.now - 100), (NORTH, None)]


def test_who_lives_on_a_drained_switch_moves_when_he_has_no_call() -> None:
    desk = a_house(people={"ana": LegKind.NAILED})
    leg, home = nailed_on(desk, "ana")
    desk.claimed(*some_leads(1))
    lead = desk.last(act.OriginateLead)
    up(desk, lead.leg, home)
    desk.tell(ev.LegBridged(lead.leg, leg))
    desk.clear()
    drain(desk, home)
    desk.wait(3)
    assert not desk.all(act.Hangup), "he talks"
    desk.over(lead.leg)
    desk.tell(ev.LegParked(leg))
    desk.wait(2)
    assert {h.leg for h in desk.all(act.Hangup)} == {leg}
    desk.over(leg)
    desk.wait(15)
    asked = desk.last(act.OriginateAgent)
    assert asked.nailed and asked.switch != home


def test_with_nowhere_to_go_nobody_is_moved() -> None:
    desk = a_house(people={"ana": LegKind.NAILED}, up=False)
    link(desk, SOUTH)
    desk.wait(AWAY_S + 1)
    nailed_on(desk, "ana")
    drain(desk, SOUTH)
    desk.wait(30)
    assert not desk.all(act.Hangup)


def test_the_only_switch_can_be_drained_too() -> None:
    desk = a_house(Installation(gateways=(GatewayDefinition(id=CARRIER),)), up=False)
    link(desk, SwitchId("main"))
    assert drain(desk, SwitchId("main")).ok
    desk.claimed(*some_leads(2))
    assert not desk.all(act.OriginateLead)
    drain(desk, SwitchId("main"), False)
    assert desk.all(act.OriginateLead)


# --- lost -----------------------------------------------------------------------------------------------------------------------------


def a_lost_house(**more: Any) -> tuple[Desk, dict[SwitchId, act.OriginateLead]]:
    """One call is dialled by each of two switches, four are wanted, and south's link is gone."""
    desk = a_house(flow=AHEAD, originate=4, **more)
    desk.claimed(*some_leads(2))
    leads = {a.switch: a for a in desk.all(act.OriginateLead)}
    for switch, lead in leads.items():
        created(desk, lead.leg, switch)
    desk.clear()
    desk.tell(ev.SwitchLost(SOUTH, "gone"))
    return desk, leads


def test_a_lost_switch_is_waited_for_and_the_others_dial_on() -> None:
    desk, leads = a_lost_house()
    desk.claimed(*some_leads(3, first=10))
    desk.wait(AWAY_S - 1)
    assert not desk.all(act.CloseAttempt) and set(dialled(desk)) == {"north"}
    link(desk, SOUTH, leads[SOUTH].leg)
    desk.wait(5)
    assert leads[SOUTH].attempt.id not in {c.result.attempt for c in desk.all(act.CloseAttempt)}


def test_calls_of_a_switch_that_stays_away_end_as_ours_and_cost_their_leads_no_attempt() -> None:
    desk, leads = a_lost_house()
    desk.wait(AWAY_S + 1)
    (closed,) = desk.all(act.CloseAttempt)
    assert closed.result.attempt == leads[SOUTH].attempt.id
    assert (closed.result.outcome, closed.result.switch, closed.update.attempts) == (Outcome.OURS, SOUTH, 0)
    assert closed.update.ready_at >= desk.now + 500, "his phone may have rung: the usual gap holds"
    assert [s.given_up for s in desk.dialer.snapshot().switches] == [True, False]


def test_a_talk_on_a_switch_that_stays_away_counts_as_a_talk_and_its_agent_works_on_elsewhere() -> None:
    desk = a_house(wrap_up_s=0.0)
    desk.claimed(*some_leads(1))
    lead = desk.last(act.OriginateLead)
    up(desk, lead.leg, lead.switch)
    rung = desk.last(act.OriginateAgent)
    up(desk, rung.leg, rung.switch)
    desk.tell(ev.LegBridged(lead.leg, rung.leg))
    desk.tell(ev.SwitchLost(lead.switch, "gone"))
    desk.wait(AWAY_S + 1)
    assert desk.outcomes() == {Outcome.CONNECTED: 1} and desk.state_of() is AgentState.IDLE
    desk.clear()
    desk.claimed(*some_leads(1, first=5))
    assert dialled(desk) and lead.switch not in dialled(desk)


def test_two_who_still_talk_when_the_switch_is_back_are_let_talk_and_all_else_is_hung_up() -> None:
    desk = a_house()
    desk.claimed(*some_leads(1))
    lead = desk.last(act.OriginateLead)
    up(desk, lead.leg, lead.switch)
    rung = desk.last(act.OriginateAgent)
    up(desk, rung.leg, rung.switch)
    desk.tell(ev.LegBridged(lead.leg, rung.leg))
    desk.tell(ev.SwitchLost(lead.switch, "gone"))
    desk.wait(AWAY_S + 1)
    desk.clear()
    desk.tell(ev.SwitchUp(lead.switch, ((lead.leg, CARRIER), (rung.leg, None))))
    assert set(desk.last(act.Reconcile).legs) == {lead.leg, rung.leg}
    facts = LegFacts(lead.leg, lead.switch, CARRIER, lead.attempt.id, None, True, rung.leg)
    desk.tell(ev.LegFound(facts), ev.LegFound(replace(facts, leg=rung.leg, bridged_to=lead.leg, gateway=None)), ev.ReconcileDone(lead.switch))
    assert not desk.all(act.Hangup)
    desk.tell(ev.LegFound(replace(facts, bridged_to=None)))
    assert [h.leg for h in desk.all(act.Hangup)] == [lead.leg]


def test_who_lived_on_a_lost_switch_is_called_by_another() -> None:
    desk = a_house(people={"ana": LegKind.NAILED, "bob": LegKind.NAILED})
    homes = {id: nailed_on(desk, id)[1] for id in ("ana", "bob")}
    stranded = next(id for id, home in homes.items() if home == SOUTH)
    desk.clear()
    desk.tell(ev.SwitchLost(SOUTH, "gone"))
    desk.claimed(*some_leads(2))
    assert [(a.attempt.agent, a.switch) for a in desk.all(act.OriginateLead)] == [(next(id for id in homes if id != stranded), NORTH)]
    assert not desk.all(act.OriginateAgent)
    desk.wait(AWAY_S + 5)
    asked = desk.last(act.OriginateAgent)
    assert (asked.agent, asked.nailed, asked.switch) == (stranded, True, NORTH)
    nailed_on(desk, stranded)
    desk.claimed(*some_leads(1, first=20))
    lead = desk.last(act.OriginateLead)
    assert (lead.attempt.agent, lead.switch) == (stranded, NORTH)


def test_lines_of_a_lost_switch_are_free_again_once_it_is_given_up() -> None:
    desk, _ = a_lost_house()
    assert desk.dialer.snapshot().legs == 2
    desk.wait(AWAY_S + 1)
    assert desk.dialer.snapshot().legs == 1


def test_a_call_that_waited_for_the_rate_of_a_lost_switch_is_made_by_another() -> None:
    desk = a_house(two(south={"cps": 1.0}, north={"cps": 1.0}), flow=AHEAD, originate=4)
    desk.claimed(*some_leads(4))
    first = dialled(desk)
    desk.tell(ev.SwitchLost(SOUTH, "gone"))
    desk.wait(5)
    assert dialled(desk)["south"] == first["south"] and sum(dialled(desk).values()) >= 3


def test_after_a_start_nobody_is_called_before_every_switch_has_told_who_talks_there() -> None:
    desk = a_house(up=False)
    link(desk, SOUTH)
    desk.claimed(*some_leads(1))
    desk.wait(AWAY_S - 2)
    assert not desk.all(act.OriginateLead)
    link(desk, NORTH)
    assert not desk.all(act.SwitchGivenUp)
    assert desk.all(act.OriginateLead)


def test_a_switch_that_is_not_there_at_the_start_is_not_waited_for_for_ever() -> None:
    desk = a_house(up=False)
    link(desk, SOUTH)
    desk.wait(AWAY_S + 1)
    assert desk.all(act.SwitchGivenUp) == [act.SwitchGivenUp(NORTH)]
    desk.claimed(*some_leads(1))
    assert dialled(desk) == {"south": 1}


def test_a_switch_that_is_linked_and_can_not_tell_what_is_on_it_is_not_waited_for_for_ever() -> None:
    desk = a_house(up=False)
    link(desk, SOUTH)
    desk.tell(ev.SwitchUp(NORTH, ()))
    desk.claimed(*some_leads(1))
    desk.wait(AWAY_S - 1)
    assert not desk.all(act.OriginateLead)
    desk.wait(2)
    assert dialled(desk) == {"south": 1}


def test_a_manual_call_of_a_nailed_agent_is_made_by_his_switch() -> None:
    desk = Desk(a_bare_dialer(offered={CampaignType.MANUAL: AnyMode(CampaignType.MANUAL, Flow(first_leg="agent", preview_s=float("inf"), pull=True))}))
    desk.tell(ev.InstallationLoaded(two()), ev.AgentLoaded(an_agent("ana", LegKind.NAILED), AgentStatus.AVAILABLE))
    desk.tell(ev.CampaignLoaded(a_campaign(people=("ana",), type=CampaignType.MANUAL), CampaignState.RUNNING, True, (UTC_SET,)))
    link(desk, SOUTH)
    link(desk, NORTH)
    _, home = nailed_on(desk, "ana")
    desk.tell(ag.TakeLead(CommandId("t"), "ana", AgentId("ana"), SPRING))
    desk.tell(ag.LeadTaken(CommandId("t"), AgentId("ana"), SPRING, some_leads(1)[0]))
    call = desk.agent("ana").call
    desk.tell(ag.DialNow(CommandId("d"), "ana", AgentId("ana"), call))
    assert desk.last(act.OriginateLead).switch == home


def test_a_stranger_on_one_switch_is_not_judged_by_what_another_has_told() -> None:
    desk = a_house(up=False)
    desk.tell(ev.SwitchUp(SOUTH, ()), ev.SwitchUp(NORTH, ()))
    desk.tell(ev.LegFound(LegFacts(LegId("old"), NORTH, None, AttemptId("gone"), None, True, None)))
    desk.tell(ev.ReconcileDone(SOUTH))
    assert not desk.all(act.Hangup)
    desk.tell(ev.ReconcileDone(NORTH))
    assert [h.leg for h in desk.all(act.Hangup)] == ["old"]


def test_a_new_switch_takes_part_as_soon_as_it_is_linked() -> None:
    desk = a_house(Installation(switch=SOUTH, gateways=(GatewayDefinition(id=CARRIER),)), flow=AHEAD, originate=4, up=False)
    link(desk, SOUTH)
    desk.tell(ev.InstallationLoaded(two()))
    desk.claimed(*some_leads(2))
    desk.wait(2)
    assert dialled(desk) == {"south": 2}
    link(desk, NORTH)
    desk.claimed(*some_leads(8, first=10))
    desk.wait(2)
    assert dialled(desk)["north"] > 0
