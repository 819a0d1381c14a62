"""How many calls, for whom, from which leads: leases, shares, rooms, gates and the hopper."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import calling, closing, placing
from fs_dialer.core import events as ev
from fs_dialer.core.definition import CampaignAgents, GatewayDefinition, WrapUp
from fs_dialer.core.hopper import CLAIM_IDLE_S, CLAIM_RETRY_S, HOPPER_LEAST
from fs_dialer.core.leads import ORDER, Check
from fs_dialer.core.mode_port import Flow
from fs_dialer.core.model import (
    AgentId,
    AgentState,
    AgentStatus,
    AttemptId,
    AttemptResult,
    CampaignId,
    CampaignState,
    CampaignType,
    GatewayId,
    Lead,
    LeadStatus,
    LegKind,
    Outcome,
)
from fs_dialer.core.placing import SHUT_AGAIN_S
from fs_dialer.core.promises import PROMISE_S
from fs_dialer.core.resources import AttemptCap, Hours, Profile
from fs_dialer.core.sharing import Wanted
from fs_dialer.core.world import Run, World
from fs_dialer.modes import OFFERED, predictive
from tests.core.builders import (
    NAMES,
    NOON,
    SPRING,
    UTC_SET,
    Desk,
    a_campaign,
    a_desk,
    a_dialling_desk,
    a_lead,
    an_agent,
    an_installation,
    modes,
    placed,
    some_leads,
)

AUTUMN = CampaignId("autumn")


def by_campaign(desk: Desk) -> dict[str, int]:
    counts: dict[str, int] = {}
    for call in desk.all(act.OriginateLead):
        counts[call.attempt.campaign] = counts.get(call.attempt.campaign, 0) + 1
    return counts


def two(agents: int = 4, **autumn: Any) -> Desk:
    """Two campaigns that share all agents, none logged in yet; both have leads."""
    people = NAMES[:agents]
    desk = a_desk(agents=0, campaigns=[a_campaign("spring", people=people), a_campaign("autumn", people=people, **autumn)])
    desk.claimed(*some_leads(40))
    desk.claimed(*some_leads(40, first=1001, campaign="autumn"), campaign="autumn")
    return desk


def log_in(desk: Desk, count: int) -> None:
    for name in NAMES[:count]:
        desk.tell(ev.AgentLoaded(an_agent(name), AgentStatus.AVAILABLE))


def answers_busy(desk: Desk) -> None:
    """The newest call ends, and a second passes."""
    leg = desk.last(act.OriginateLead).leg
    desk.created(leg)
    desk.over(leg, "USER_BUSY", 486)
    desk.wait(1.0)


# --- leases ---------------------------------------------------------------------------------------------------------------------------


def test_two_campaigns_never_dial_for_the_same_agent() -> None:
    desk = two()
    log_in(desk, 4)
    agents = [call.attempt.agent for call in desk.all(act.OriginateLead)]
    assert len(agents) == 4 == len(set(agents))


def test_equal_campaigns_share_equally_and_weights_count() -> None:
    desk = two()
    log_in(desk, 4)
    assert by_campaign(desk) == {"spring": 2, "autumn": 2}
    weighted = two(agents=4, weight=3)
    log_in(weighted, 4)
    assert by_campaign(weighted) == {"spring": 1, "autumn": 3}


def test_the_higher_priority_is_served_first() -> None:
    desk = two(priority=5)
    log_in(desk, 4)
    assert by_campaign(desk) == {"autumn": 4}


def test_a_campaign_that_starts_later_does_not_take_everything_until_it_has_caught_up() -> None:
    desk = a_desk(agents=1, campaigns=[a_campaign("spring", people=["ana"])])
    for n in range(200):
        desk.claimed(a_lead(n + 1))
        answers_busy(desk)
    desk.tell(ev.CampaignLoaded(a_campaign("autumn", people=["ana"]), CampaignState.RUNNING, True, (UTC_SET,)))
    desk.clear()
    desk.wait(1.0)
    desk.claimed(*some_leads(20, first=5000))
    desk.claimed(*some_leads(20, first=6000, campaign="autumn"), campaign="autumn")
    for _ in range(20):
        answers_busy(desk)
    shares = by_campaign(desk)
    assert abs(shares["spring"] - shares["autumn"]) <= 2


def test_an_agent_is_lent_to_no_campaign_without_leads() -> None:
    desk = two(agents=2)
    desk.command(ev.PauseCampaign, SPRING)
    desk.clear()
    log_in(desk, 2)
    assert by_campaign(desk) == {"autumn": 2}


# --- rooms ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D2")
def test_lines_of_the_installation_stop_at_their_limit_D2() -> None:
    desk = a_desk(agents=5, leg=LegKind.NAILED, installation=an_installation(lines=7))
    for name in NAMES[:5]:
        desk.nail(name)
    desk.claimed(*some_leads(9))
    assert len(desk.all(act.OriginateLead)) == 2 and desk.dialer.snapshot().legs == 7


def test_a_per_call_agent_s_own_line_is_kept_for_him() -> None:
    desk = a_dialling_desk(9, agents=5, installation=an_installation(lines=5))
    assert len(desk.all(act.OriginateLead)) == 2
    for call in desk.all(act.OriginateLead):
        desk.up(call.leg)
    assert len(desk.all(act.OriginateAgent)) == 2 and desk.dialer.snapshot().legs == 4


def test_a_line_that_is_freed_is_used() -> None:
    desk = a_dialling_desk(9, agents=5, installation=an_installation(lines=5))
    first = desk.all(act.OriginateLead)[0].leg
    desk.created(first)
    desk.over(first, "USER_BUSY", 486)
    assert len(desk.all(act.OriginateLead)) == 3


def test_one_line_is_not_enough_for_a_rung_agent_and_the_operator_is_told() -> None:
    desk = a_dialling_desk(2, agents=1, installation=an_installation(lines=1))
    assert not desk.all(act.OriginateLead) and "line" in desk.campaign().because


@pytest.mark.spec("S58", "D2")
def test_a_campaign_s_own_lines_are_its_limit_S58() -> None:
    desk = a_dialling_desk(9, agents=5, campaigns=[a_campaign(people=NAMES[:5], lines=3)])
    assert len(desk.all(act.OriginateLead)) == 3


@pytest.mark.spec("D2")
def test_trunks_are_filled_in_their_order_of_preference() -> None:
    trunks = [GatewayDefinition(id=GatewayId(g), lines=2) for g in ("a", "b", "c")]
    campaign = a_campaign(people=NAMES[:5], gateways=("b", "a"))
    desk = a_dialling_desk(9, agents=5, installation=an_installation(gateways=trunks), campaigns=[campaign])
    assert [call.attempt.gateway for call in desk.all(act.OriginateLead)] == ["b", "b", "a", "a"]


def test_held_back_by_the_rate_alone_the_engine_wakes_by_itself() -> None:
    """Else all would wait for an event that does not come."""
    desk = a_dialling_desk(10, agents=10, leg=LegKind.PER_CALL, installation=an_installation(cps=2.0))
    assert len(desk.all(act.OriginateLead)) == 1
    desk.wait(2.01)
    assert len(desk.all(act.OriginateLead)) == 5
    desk.wait(2.5)
    assert len(desk.all(act.OriginateLead)) == 10


def test_agents_rung_for_answered_customers_keep_to_the_rate_too() -> None:
    """The switch refuses what comes faster, and the agent would be blamed."""
    desk = a_dialling_desk(4, agents=4, installation=an_installation(cps=2.0))
    desk.wait(3.0)
    desk.clear()
    for call in list(desk.dialer._w.calls.values()):
        desk.up(call.lead_leg)
    assert len(desk.all(act.OriginateAgent)) == 1
    desk.wait(1.6)
    assert len(desk.all(act.OriginateAgent)) == 4


# --- gates ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S11")
def test_a_lead_whose_gate_is_shut_goes_back_with_the_reason_and_the_time() -> None:
    desk = a_desk(agents=1)
    desk.claimed(a_lead(1, ready_at=NOON + 50), a_lead(2))
    assert desk.last(act.ReturnLeads).leads == (act.LeadReturn(a_lead(1).id, NOON + 50, "gap"),)
    assert desk.last(act.OriginateLead).attempt.lead == 2


@pytest.mark.spec("S10")
def test_a_lead_that_no_time_will_open_is_not_claimed_and_refused_without_end() -> None:
    """Its campaign's maximum was lowered: the store still holds it for ready."""
    desk = a_desk(agents=1)
    desk.claimed(a_lead(1, attempts=3))
    (back,) = desk.last(act.ReturnLeads).leads
    assert (back.held_by, back.ready_at) == ("attempts", NOON + SHUT_AGAIN_S)


# --- the hopper -----------------------------------------------------------------------------------------------------------------------


def test_leads_are_claimed_ahead_and_again_when_half_is_gone() -> None:
    desk = a_desk(agents=1)
    (claim,) = desk.all(act.ClaimLeads)
    assert claim.count >= HOPPER_LEAST and claim.zone_sets == (UTC_SET,)
    desk.claimed(*some_leads(claim.count))
    assert len(desk.all(act.ClaimLeads)) == 1
    for _ in range(claim.count // 2):
        assert len(desk.all(act.ClaimLeads)) == 1
        answers_busy(desk)
    assert len(desk.all(act.ClaimLeads)) == 2


def test_an_empty_claim_waits_for_the_next_lead_s_time() -> None:
    desk = a_desk(agents=1)
    desk.clear()
    desk.claimed(next_ready_at=NOON + 12.0)
    desk.wait(11.9)
    assert not desk.all(act.ClaimLeads)
    desk.wait(0.2)
    assert len(desk.all(act.ClaimLeads)) == 1


def test_an_empty_claim_without_a_time_is_asked_again_after_a_while() -> None:
    desk = a_desk(agents=1)
    desk.clear()
    desk.claimed()
    desk.wait(CLAIM_IDLE_S + 0.1)
    assert len(desk.all(act.ClaimLeads)) == 1


def test_a_failed_claim_is_tried_again() -> None:
    desk = a_desk(agents=1)
    desk.clear()
    desk.tell(ev.ClaimFailed(SPRING))
    desk.wait(CLAIM_RETRY_S - 0.1)
    assert not desk.all(act.ClaimLeads)
    desk.wait(0.2)
    assert len(desk.all(act.ClaimLeads)) == 1


@pytest.mark.spec("S9", "D4")
def test_only_zone_sets_that_are_open_now_are_claimed_D4() -> None:
    """20:26 UTC: the working day is over in Madrid and not in New York."""
    office = Hours((((9 * 60, 20 * 60),),) * 7)
    sets = (("Europe/Madrid",), ("America/New_York",), ("America/New_York", "Europe/Madrid"))
    desk = a_desk(agents=1, campaigns=[a_campaign(people=["ana"], hours=office)], zone_sets=sets)
    assert desk.last(act.ClaimLeads).zone_sets == (("America/New_York",),)


@pytest.mark.spec("S9")
def test_with_every_zone_shut_nothing_is_claimed_until_one_opens() -> None:
    office = Hours((((9 * 60, 20 * 60),),) * 7)
    desk = a_desk(agents=1, campaigns=[a_campaign(people=["ana"], hours=office)], zone_sets=(("Europe/Madrid",),))
    assert not desk.all(act.ClaimLeads) and desk.campaign().because == "outside working hours"
    desk.wait(10 * 3600.0)
    assert not desk.all(act.ClaimLeads)
    desk.wait(3600.0)
    assert desk.all(act.ClaimLeads)


@pytest.mark.spec("S36")
def test_a_preview_is_shown_to_its_agent_and_dialled_when_its_time_is_up_S36() -> None:
    flows = {CampaignType.PREVIEW: Flow(preview_s=15.0)}
    desk = a_dialling_desk(1, agents=1, campaigns=[a_campaign(people=["ana"], type=CampaignType.PREVIEW)], offered=modes(flows))
    assert desk.state_of() is AgentState.PREVIEWING and not desk.all(act.OriginateLead)
    desk.wait(15.0)
    assert len(desk.all(act.OriginateLead)) == 1


# --- teams ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S22", "M8")
def test_a_team_s_people_serve_its_campaigns_as_soon_as_they_are_in_it() -> None:
    campaign = replace(a_campaign(people=()), agents=CampaignAgents(people=("ana",), teams=("north",)))
    desk = a_desk(agents=3, campaigns=[campaign])
    desk.claimed(*some_leads(9))
    assert {call.attempt.agent for call in desk.all(act.OriginateLead)} == {"ana"} and desk.campaign().crew == 1
    desk.tell(ev.TeamsLoaded({"north": (AgentId("bob"), AgentId("ana")), "south": (AgentId("cem"),)}))
    assert {call.attempt.agent for call in desk.all(act.OriginateLead)} == {"ana", "bob"} and desk.campaign().crew == 2


@pytest.mark.spec("S22")
def test_who_leaves_a_team_finishes_his_call_and_gets_no_other() -> None:
    campaign = replace(a_campaign(people=()), agents=CampaignAgents(teams=("north",)), wrap_up=WrapUp(time_s=0.0))
    desk = a_desk(agents=1, campaigns=[campaign])
    desk.tell(ev.TeamsLoaded({"north": (AgentId("ana"),)}))
    desk.claimed(*some_leads(9))
    call = placed(desk)
    desk.tell(ev.TeamsLoaded({}))
    assert desk.state_of() is AgentState.RESERVED and desk.campaign().staying == 0
    desk.created(call.leg)
    desk.over(call.leg, "USER_BUSY", 486)
    desk.wait(5.0)
    assert len(desk.all(act.OriginateLead)) == 1 and desk.state_of() is AgentState.IDLE


# --- promised callbacks ---------------------------------------------------------------------------------------------------------------


def promised(id: int, agent: str | None, ready_at: float = NOON) -> Lead:
    return a_lead(id, status=LeadStatus.CALLBACK_SCHEDULED, agent=AgentId(agent) if agent else None, ready_at=ready_at, ready_why="promised")


@pytest.mark.spec("D14")
def test_a_promised_callback_waits_for_its_agent_while_others_are_free() -> None:
    desk = a_desk(agents=1, campaigns=[a_campaign(people=("ana", "bob"))])
    desk.claimed(promised(1, "bob"), a_lead(2))
    assert [(c.attempt.lead, c.attempt.agent) for c in desk.all(act.OriginateLead)] == [(2, "ana")] and desk.campaign().promised == 1
    desk.tell(ev.AgentLoaded(an_agent("bob"), AgentStatus.AVAILABLE))
    assert [(c.attempt.lead, c.attempt.agent) for c in desk.all(act.OriginateLead)] == [(2, "ana"), (1, "bob")]


def test_after_ten_minutes_anyone_takes_it() -> None:
    desk = a_desk(agents=1, campaigns=[a_campaign(people=("ana", "bob"))])
    desk.claimed(promised(1, "bob"))
    desk.wait(PROMISE_S - 1.0)
    assert not desk.all(act.OriginateLead)
    desk.wait(2.0)
    assert [(c.attempt.lead, c.attempt.agent) for c in desk.all(act.OriginateLead)] == [(1, "ana")]


def test_the_agent_of_a_promise_is_lent_to_its_campaign_before_others() -> None:
    people = ("ana",)
    desk = a_desk(agents=0, campaigns=[a_campaign("spring", people=people), a_campaign("autumn", people=people, priority=5)])
    desk.claimed(promised(1, "ana"))
    desk.claimed(*some_leads(5, first=101, campaign="autumn"), campaign="autumn")
    desk.tell(ev.AgentLoaded(an_agent("ana"), AgentStatus.AVAILABLE))
    assert by_campaign(desk) == {"spring": 1}


def test_a_promised_callback_may_go_beyond_the_maximum() -> None:
    desk = a_desk(agents=1, campaigns=[a_campaign(people=("ana",), max_attempts=2)])
    desk.claimed(replace(promised(1, None), attempts=2))
    assert placed(desk).attempt.lead == 1


def test_promised_callbacks_go_back_when_the_campaign_is_paused() -> None:
    desk = a_desk(agents=1, campaigns=[a_campaign(people=("ana", "bob"))])
    desk.claimed(promised(1, "bob"))
    desk.command(ev.PauseCampaign, SPRING)
    assert [lead.lead for action in desk.all(act.ReturnLeads) for lead in action.leads] == [1] and desk.campaign().promised == 0


# --- at the moment of dialling --------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D4")
def test_the_gates_are_asked_again_when_time_has_passed_before_the_dialling() -> None:
    """The hours end between the preview and the dialling."""
    flows = modes({CampaignType.PREVIEW: Flow(preview_s=30.0)})
    campaign = a_campaign(people=NAMES[:1], type=CampaignType.PREVIEW, hours=Hours((((0, 20 * 60 + 28),),) * 7))
    desk = a_desk(agents=1, campaigns=[campaign], offered=flows)
    desk.wait(60.0)
    desk.claimed(*some_leads(1))
    assert desk.state_of() is AgentState.PREVIEWING
    desk.wait(40.0)
    assert not desk.all(act.OriginateLead) and desk.state_of() is AgentState.IDLE
    assert [lead.held_by for action in desk.all(act.ReturnLeads) for lead in action.leads] == ["zones"]


@pytest.mark.spec("X8")
def test_the_attempt_carries_what_each_gate_answered() -> None:
    desk = a_dialling_desk(1, agents=1)
    answers = dict(placed(desk).attempt.gates)
    assert answers["campaign"] == "running" and answers["attempts"] == "0 of 3" and set(answers) <= set(ORDER)


@pytest.mark.spec("D10")
def test_the_profile_s_caps_go_with_the_attempt_and_a_refusal_by_them_sets_the_lead_aside_until_then() -> None:
    profile = Profile(name="ours", attempts=(AttemptCap(max=3, within_s=86400.0),))
    desk = a_desk(agents=1, campaigns=[a_campaign(people=("ana",), compliance=profile)])
    desk.claimed(a_lead(1))
    assert placed(desk).attempt.caps == ((3, 86400.0),)
    desk.tell(ev.AttemptRefused(placed(desk).attempt.id, "number_cap", NOON + 5000.0))
    returned = desk.last(act.ReturnLeads).leads[0]
    assert (returned.held_by, returned.ready_at) == ("number_cap", NOON + 5000.0)


# --- no standstill, no endless loop ---------------------------------------------------------------------------------------------------


def test_a_campaign_of_a_type_that_is_not_dialled_is_lent_nobody() -> None:
    callbacks = a_campaign("callbacks", people=["ana"], type=CampaignType.CALLBACK, join=True)
    desk = a_desk(agents=1, campaigns=[a_campaign("spring", people=["ana"]), callbacks])
    desk.claimed(*some_leads(1, first=500, campaign="callbacks"), campaign="callbacks")
    desk.claimed(*some_leads(10))
    for _ in range(5):
        answers_busy(desk)
        desk.wait(1.0)
    assert by_campaign(desk) == {"spring": 6}


def test_an_agent_is_not_lent_to_a_campaign_whose_own_lines_are_full() -> None:
    desk = a_desk(agents=1, campaigns=[a_campaign("spring", people=["ana", "bob"], lines=1), a_campaign("autumn", people=["ana", "bob"])])
    desk.claimed(*some_leads(10))
    desk.claimed(*some_leads(10, first=100, campaign="autumn"), campaign="autumn")
    desk.tell(ev.AgentLoaded(an_agent("bob"), AgentStatus.AVAILABLE))
    assert by_campaign(desk) == {"spring": 1, "autumn": 1}


@pytest.mark.spec("S5")
def test_a_start_time_that_is_put_off_stops_the_claims_until_then() -> None:
    desk = a_desk(agents=1)
    desk.claimed()
    desk.clear()
    desk.tell(ev.CampaignLoaded(a_campaign(people=["ana"], start=NOON + 7200.0, revision=2), CampaignState.RUNNING, True, (UTC_SET,)))
    desk.wait(7100.0)
    assert not desk.all(act.ClaimLeads)
    desk.wait(200.0)
    assert desk.all(act.ClaimLeads)


@pytest.mark.spec("M9")
def test_a_campaign_does_not_end_while_an_agent_may_still_promise_its_last_customer_a_callback() -> None:
    desk = a_desk(agents=1, leg=LegKind.NAILED, campaigns=[a_campaign(people=["ana"], wrap_up_s=60.0)])
    desk.nail("ana")
    desk.claimed(a_lead(1))
    call = placed(desk)
    desk.up(call.leg)
    desk.tell(ev.LegBridged(call.leg, desk.last(act.Bridge).agent_leg))
    desk.over(call.leg)
    for _ in range(10):
        desk.claimed(unfinished=False)
        desk.wait(5.0)
    assert desk.state_of("ana") is AgentState.WRAP_UP and desk.campaign().state is CampaignState.RUNNING
    desk.wait(30.0)
    desk.claimed(unfinished=False)
    assert desk.campaign().state is CampaignState.ENDED


def test_a_lead_that_is_claimed_anew_stands_in_one_place_only() -> None:
    desk = a_desk(agents=0, campaigns=[a_campaign(people=("ana", "bob"))])
    desk.claimed(promised(1, "bob"), a_lead(2))
    desk.claimed(a_lead(1), promised(2, "bob"))
    run = desk.dialer._w.runs[SPRING]
    assert [lead.id for lead in run.hopper] == [1] and list(run.promised) == [2]


def test_what_a_campaign_wants_is_reckoned_once_a_pace_however_many_are_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = placing.demand

    def counted(w: World, run: Run) -> Wanted:
        asked.append(run.definition.id)
        return real(w, run)

    desk = a_desk(
        agents=3,
        campaigns=[a_campaign(id, people=NAMES[:3], join=True) for id in ("spring", "autumn")],
        offered=modes({CampaignType.PROGRESSIVE: Flow()}, originate=0),
    )
    monkeypatch.setattr(placing, "demand", counted)
    desk.claimed(*some_leads(2))
    assert asked == ["spring"] and len(desk.dialer._w.idle) == 3


def test_whoever_is_left_over_may_be_chosen_where_the_campaign_chooses() -> None:
    """One lead and three idle agents: it goes to the one with the skill, who has been idle for the shortest time."""
    chooses = a_campaign(people=NAMES[:3], agents=CampaignAgents(people=NAMES[:3], next="skill_first", prefer=("vip",), screen="not_needed"))
    desk = a_desk(agents=2, campaigns=[chooses])
    desk.wait(5.0)
    desk.tell(ev.AgentLoaded(an_agent("eva", skills=("vip",)), AgentStatus.AVAILABLE))
    desk.claimed(a_lead(1))
    assert placed(desk).attempt.agent == "eva"


def test_the_gates_are_asked_once_for_a_call_that_is_dialled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real = calling.ask_gates

    def counted(w: World, run: Run, lead: Lead) -> Check | tuple[tuple[str, str], ...]:
        asked.append(lead.id)
        return real(w, run, lead)

    for module in (calling, placing):
        monkeypatch.setattr(module, "ask_gates", counted)
    desk = a_dialling_desk(1, agents=1)
    assert len(desk.all(act.OriginateLead)) == 1 and asked == [1]


def test_a_claim_that_was_answered_before_a_lead_that_went_back_was_there_is_soon_asked_again() -> None:
    """Our own start was still on its way to the store; the claim that follows the refusal finds nothing yet."""
    desk = a_dialling_desk(1, agents=1)
    desk.tell(ev.AttemptRefused(placed(desk).attempt.id, "campaign_paused"))
    desk.clear()
    desk.claimed()
    desk.wait(3.0)
    assert desk.all(act.ClaimLeads)


def test_leads_that_came_while_a_claim_was_under_way_are_asked_for_at_once() -> None:
    desk = a_desk(agents=1)
    assert len(desk.all(act.ClaimLeads)) == 1
    desk.tell(ev.CampaignLoaded(a_campaign(people=["ana"]), CampaignState.RUNNING, True, (UTC_SET,)))
    desk.claimed()
    desk.wait(1.0)
    assert len(desk.all(act.ClaimLeads)) == 2, "not only after half a minute"


# --- a mode that keeps a budget of missed calls ---------------------------------------------------------------------------------------


def a_predictive_desk(today: tuple[int, int] | None = None, memory: dict[str, object] | None = None) -> Desk:
    campaign = a_campaign("autumn", people=["ana"], type=CampaignType.PREDICTIVE, options=predictive.Options(), join=True, at_most_s=5.0)
    desk = a_desk(agents=1, leg=LegKind.NAILED, campaigns=[], offered=OFFERED)
    desk.tell(ev.CampaignLoaded(campaign, CampaignState.RUNNING, True, (UTC_SET,), memory, today))
    return desk


@pytest.mark.spec("X3")
def test_what_a_pacer_has_learnt_is_saved_every_ten_seconds_and_goes_on_in_the_next_daemon() -> None:
    desk = a_predictive_desk()
    desk.nail("ana")
    desk.claimed(*some_leads(3, campaign="autumn"), campaign="autumn")
    desk.wait(11.0)
    saved = desk.last(act.SaveMemory)
    assert saved.campaign == "autumn" and json.loads(json.dumps(saved.memory)) == saved.memory
    again = a_predictive_desk(today=(40, 1), memory=dict(saved.memory))
    assert again.campaign("autumn").state is CampaignState.RUNNING


@pytest.mark.spec("D15", "S28")
def test_a_campaign_that_goes_on_missing_more_than_twice_its_ceiling_pauses_itself() -> None:
    """Sixty missed of 100 before this daemon began: it dials on at one call for each free agent, and pauses a hundred answers later."""
    desk = a_predictive_desk(today=(100, 60))
    run = desk.dialer._w.runs[CampaignId("autumn")]
    for n in range(101):
        result = AttemptResult(AttemptId(f"a{n}"), Outcome.CONNECTED, "", None, AgentId("ana"), None, NOON, NOON + 1, NOON + 9, missed=False, leg_seen=True)
        run.tally.add(result)
        closing._watch_missed(desk.dialer._w, run)
        assert run.running is (n < 100), n
    assert run.life.reason == "paused by itself: 60 of 201 answered calls were missed today, more than twice the ceiling of 3.0%"


@pytest.mark.spec("D15")
def test_a_missed_rate_that_comes_down_in_time_pauses_nothing() -> None:
    desk = a_predictive_desk(today=(100, 7))
    run = desk.dialer._w.runs[CampaignId("autumn")]
    for n in range(150):
        result = AttemptResult(AttemptId(f"a{n}"), Outcome.CONNECTED, "", None, AgentId("ana"), None, NOON, NOON + 1, NOON + 9, missed=False, leg_seen=True)
        run.tally.add(result)
        closing._watch_missed(desk.dialer._w, run)
    assert run.running and run.too_many_from is None
