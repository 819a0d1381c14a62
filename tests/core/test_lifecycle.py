"""Campaigns and agents come, change and go, by the store, by people and by the clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.mode_port import Flow
from fs_dialer.core.model import AgentState, AgentStatus, CampaignState, CampaignType, LegKind
from tests.core.builders import (
    ANA,
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

S = CampaignState


def life(desk: Desk) -> CampaignState:
    return desk.campaign().state


# --- commands (every one has its answer) ----------------------------------------------------------------------------------------------


@pytest.mark.spec("S25", "S28", "M19")
def test_approve_start_pause_and_end_are_answered_and_stored_S24_S28() -> None:
    desk = a_desk(state=S.NEW)
    assert not desk.command(ev.StartCampaign, SPRING).ok
    for kind, state in ((ev.ApproveCampaign, S.APPROVED), (ev.StartCampaign, S.RUNNING), (ev.PauseCampaign, S.PAUSED), (ev.EndCampaign, S.ENDED)):
        reply = desk.command(kind, SPRING)
        assert reply.ok and reply.text.startswith("spring: ")
        assert life(desk) is state is desk.last(act.StoreCampaignState).state
    assert desk.last(act.StoreCampaignState).who == "olga"
    refused = desk.command(ev.StartCampaign, SPRING)
    assert not refused.ok and "copy" in refused.text


def test_commands_for_nobody_are_refused() -> None:
    desk = a_desk()
    assert desk.command(ev.StartCampaign, "autumn") == act.Reply(desk.last(act.Reply).command_id, False, "there is no campaign autumn")
    assert not desk.command(ev.SetAgentStatus, "zed", AgentStatus.AVAILABLE).ok


@pytest.mark.spec("D5")
def test_approving_another_revision_than_the_one_loaded_is_refused_D5() -> None:
    desk = a_desk(state=S.NEW)
    assert not desk.command(ev.ApproveCampaign, SPRING, 2).ok and life(desk) is S.NEW
    assert desk.command(ev.ApproveCampaign, SPRING, 1).ok


@pytest.mark.spec("M19")
def test_a_pause_gives_the_hopper_back_and_lets_calls_go_on() -> None:
    desk = a_dialling_desk(9, agents=2)
    desk.command(ev.PauseCampaign, SPRING)
    assert [b.lead for b in desk.last(act.ReturnLeads).leads] == [3, 4, 5, 6, 7, 8, 9]
    assert len(desk.dialer._w.calls) == 2 and not desk.all(act.Hangup)
    desk.clear()
    desk.claimed(a_lead(20))
    assert [b.held_by for b in desk.last(act.ReturnLeads).leads] == ["paused"]
    for call in list(desk.dialer._w.calls.values()):
        desk.created(call.lead_leg)
        desk.over(call.lead_leg, "USER_BUSY", 486)
    desk.wait(60.0)
    assert not desk.all(act.OriginateLead) and not desk.all(act.ClaimLeads)


def test_a_pause_gives_previews_up() -> None:
    flows = {CampaignType.PREVIEW: Flow(preview_s=15.0)}
    desk = a_dialling_desk(1, agents=1, campaigns=[a_campaign(people=["ana"], type=CampaignType.PREVIEW)], offered=modes(flows))
    desk.command(ev.PauseCampaign, SPRING)
    desk.wait(60.0)
    assert not desk.all(act.OriginateLead) and desk.state_of() is AgentState.IDLE and not desk.dialer._w.calls


def test_a_start_after_a_pause_claims_again() -> None:
    desk = a_desk()
    desk.claimed()
    desk.command(ev.PauseCampaign, SPRING)
    desk.clear()
    desk.command(ev.StartCampaign, SPRING)
    assert desk.all(act.ClaimLeads)


@pytest.mark.spec("M19")
def test_an_end_with_calls_up_drains_and_ends_with_the_last() -> None:
    desk = a_dialling_desk(1, agents=1)
    assert "1 calls are still up" in desk.command(ev.EndCampaign, SPRING).text and life(desk) is S.DRAINING
    leg = desk.last(act.OriginateLead).leg
    desk.created(leg)
    desk.over(leg, "NO_ANSWER")
    assert life(desk) is S.ENDED


# --- the clock ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S27")
def test_started_before_its_time_it_begins_by_itself_S27() -> None:
    desk = a_desk(campaigns=[a_campaign(start=NOON + 3600)], state=S.APPROVED)
    assert "start time" in desk.command(ev.StartCampaign, SPRING).text and life(desk) is S.APPROVED
    desk.wait(3599.0)
    assert not desk.all(act.ClaimLeads)
    desk.wait(2.0)
    assert life(desk) is S.RUNNING and desk.all(act.ClaimLeads)


@pytest.mark.spec("S6")
def test_its_end_time_ends_it_S6() -> None:
    desk = a_desk(campaigns=[a_campaign(end=NOON + 3600)])
    desk.claimed(*some_leads(0))
    desk.wait(3601.0)
    assert life(desk) is S.ENDED


@pytest.mark.spec("S27")
def test_a_campaign_started_long_ago_begins_when_it_is_loaded_inside_its_window() -> None:
    desk = a_desk(agents=1, campaigns=[a_campaign("other", people=["ana"])])
    desk.tell(ev.CampaignLoaded(a_campaign(start=NOON - 60), S.APPROVED, True, (UTC_SET,)))
    assert life(desk) is S.RUNNING


@pytest.mark.spec("M9", "M10")
def test_a_finished_list_ends_the_campaign_unless_it_waits_for_leads_M9_M10() -> None:
    desk = a_desk()
    desk.claimed(unfinished=False)
    assert life(desk) is S.ENDED and desk.last(act.StoreCampaignState).reason == "every lead is finished"
    waits = a_desk(campaigns=[a_campaign(join=True)])
    waits.claimed(unfinished=False)
    assert life(waits) is S.RUNNING


def test_a_list_is_not_finished_while_a_call_is_up() -> None:
    desk = a_dialling_desk(1, agents=1)
    desk.wait(0.1)
    desk.claimed(unfinished=False)
    assert life(desk) is S.RUNNING


# --- definitions ----------------------------------------------------------------------------------------------------------------------


def test_a_changed_definition_empties_the_hopper_and_spares_calls_that_are_up() -> None:
    desk = a_dialling_desk(5, agents=1)
    call = desk.last(act.OriginateLead)
    desk.tell(ev.CampaignLoaded(a_campaign(people=["ana"], revision=2, agent_ring_s=5.0), S.RUNNING, True, (UTC_SET,)))
    assert len(desk.last(act.ReturnLeads).leads) == 4 and desk.campaign().revision == 2
    assert desk.dialer._w.calls[call.attempt.id].plan.agent_ring_s == 30.0


def test_the_same_definition_again_changes_nothing_but_looks_for_leads() -> None:
    desk = a_dialling_desk(30, agents=1)
    before = len(desk.dialer._w.runs[SPRING].hopper)
    desk.tell(ev.CampaignLoaded(desk.dialer._w.runs[SPRING].definition, S.RUNNING, True, (UTC_SET,)))
    assert len(desk.dialer._w.runs[SPRING].hopper) == before and not desk.all(act.ReturnLeads)


def test_the_engine_s_own_state_of_a_campaign_outlives_a_stale_row() -> None:
    desk = a_desk()
    desk.command(ev.PauseCampaign, SPRING)
    desk.tell(ev.CampaignLoaded(a_campaign(), S.RUNNING, True, (UTC_SET,)))
    assert life(desk) is S.PAUSED


# --- agents ---------------------------------------------------------------------------------------------------------------------------


def test_an_agent_s_command_is_answered_and_stored_and_the_store_s_own_word_is_not_stored_again() -> None:
    desk = a_desk(agents=1)
    assert desk.command(ev.SetAgentStatus, ANA, AgentStatus.NOT_AVAILABLE, "lunch").ok
    assert desk.last(act.StoreAgentStatus) == act.StoreAgentStatus(ANA, AgentStatus.NOT_AVAILABLE, "lunch", "olga")
    desk.clear()
    desk.tell(ev.AgentLoaded(an_agent(), AgentStatus.AVAILABLE))
    assert desk.agent().status is AgentStatus.AVAILABLE and not desk.all(act.StoreAgentStatus)


def test_a_break_during_a_call_is_said_to_take_effect_after_it() -> None:
    desk = a_dialling_desk(1, agents=1)
    assert "after this call" in desk.command(ev.SetAgentStatus, ANA, AgentStatus.NOT_AVAILABLE).text


def test_an_agent_who_is_removed_finishes_what_he_has_and_gets_nothing_new() -> None:
    desk = a_dialling_desk(1, agents=1)
    call = desk.last(act.OriginateLead)
    desk.tell(ev.AgentRemoved(ANA))
    desk.up(call.leg)
    desk.up(desk.last(act.OriginateAgent).leg)
    assert desk.all(act.Bridge)
    desk.over(call.leg)
    desk.claimed(a_lead(2))
    desk.wait(60.0)
    assert len(desk.all(act.OriginateLead)) == 1


def test_a_new_phone_is_used_after_the_conversation_on_the_old_one() -> None:
    desk = a_dialling_desk(1, agents=1, leg=LegKind.NAILED)
    call = desk.last(act.OriginateLead)
    desk.up(call.leg)
    nailed = desk.last(act.Bridge).agent_leg
    desk.tell(ev.LegBridged(call.leg, nailed))
    desk.clear()
    desk.tell(ev.AgentLoaded(an_agent(leg=LegKind.NAILED, dial_string="user/new"), AgentStatus.AVAILABLE))
    assert not desk.all(act.Hangup), "a conversation is not cut by an edit"
    desk.over(call.leg)
    assert act.Hangup(nailed, "NORMAL_CLEARING") in desk.wanted
    desk.over(nailed)
    desk.wait(30.0)
    assert desk.last(act.OriginateAgent).dial_string == "user/new"


def test_an_idle_nailed_agent_made_per_call_is_rung_for_his_next_call() -> None:
    desk = a_desk(agents=1, leg=LegKind.NAILED)
    leg = desk.nail()
    desk.tell(ev.AgentLoaded(an_agent(), AgentStatus.AVAILABLE))
    assert desk.last(act.Hangup).leg == leg
    desk.over(leg)
    desk.claimed(a_lead(1))
    desk.up(desk.last(act.OriginateLead).leg)
    assert not desk.last(act.OriginateAgent).nailed and desk.last(act.OriginateAgent).call is not None


def test_a_per_call_agent_made_nailed_in_a_call_is_called_after_it() -> None:
    desk = a_dialling_desk(1, agents=1, campaigns=[a_campaign(people=["ana"], wrap_up_s=0.0)])
    leg = desk.last(act.OriginateLead).leg
    desk.tell(ev.AgentLoaded(an_agent(leg=LegKind.NAILED), AgentStatus.AVAILABLE))
    desk.created(leg)
    desk.over(leg, "USER_BUSY", 486)
    desk.wait(5.0)
    desk.nail()
    assert desk.dialer._w.agents[ANA].free


def test_an_edit_of_a_name_disturbs_nobody() -> None:
    desk = a_desk(agents=1, leg=LegKind.NAILED)
    desk.nail()
    desk.clear()
    desk.tell(ev.AgentLoaded(replace(an_agent(leg=LegKind.NAILED), name="Ana María"), AgentStatus.AVAILABLE))
    assert desk.wanted == [] and desk.agent().name == "Ana María" and desk.dialer._w.agents[ANA].free


def test_a_nailed_leg_whose_originate_was_lost_is_asked_for_and_called_again() -> None:
    desk = a_desk(agents=1, leg=LegKind.NAILED)
    lost = desk.last(act.OriginateAgent).leg
    desk.wait(44.0)
    assert not desk.all(act.AskLeg), "it may still ring"
    desk.wait(2.0)
    assert desk.last(act.AskLeg).leg == lost
    desk.tell(ev.LegGone(lost))
    desk.wait(6.0)
    assert desk.last(act.OriginateAgent).leg != lost


@pytest.mark.spec("M1")
def test_all_campaigns_can_be_switched_off_at_once_and_on_again() -> None:
    desk = a_dialling_desk(9, agents=1)
    off = replace(an_installation(), campaigns=False)
    desk.tell(ev.InstallationLoaded(off))
    call = placed(desk)
    desk.created(call.leg)
    desk.over(call.leg, "USER_BUSY", 486)
    desk.wait(60.0)
    assert len(desk.all(act.OriginateLead)) == 1 and "switched off" in desk.campaign().because and desk.campaign().state is CampaignState.RUNNING
    assert len([lead for action in desk.all(act.ReturnLeads) for lead in action.leads]) == 8
    desk.tell(ev.InstallationLoaded(an_installation()))
    desk.claimed(*some_leads(3, first=50))
    assert len(desk.all(act.OriginateLead)) == 2
