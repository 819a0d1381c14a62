"""What agents ask of the engine outside a conversation, and what they are shown (S29–S37, S83–S85, D16, D17)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import agent_events as ag
from fs_dialer.core import events as ev
from fs_dialer.core.agent_picture import VERBS, AgentPicture
from fs_dialer.core.definition import Attempts, CampaignAgents, WrapUp
from fs_dialer.core.model import AgentState, AgentStatus, CallState, CampaignState, CampaignType, Lead, LeadId, LegKind, Outcome
from fs_dialer.modes import OFFERED, manual, preview
from tests.core.builders import ANA, BOB, NAMES, SPRING, SWITCH, UTC_SET, Desk, a_campaign, a_desk, a_lead, an_agent, closed, ended, placed, some_leads

LOOK = preview.Card(time_s=30.0)


def ask(desk: Desk, kind: type[ev.CommandEvent], *args: Any, agent: str = "ana", **more: Any) -> act.Reply:
    """A verb of the agent interface, and the engine's answer."""
    desk.tell(kind(f"web-{next(desk.commands)}", agent, agent, *args, **more))  # type: ignore[arg-type, call-arg]
    return desk.last(act.Reply)


def a_preview(*, screen: str = "needed", agents: int = 1, leads: int = 2, card: preview.Card = LOOK, leg: LegKind = LegKind.PER_CALL, **more: Any) -> Desk:
    """Agents whose screens are open, and leads at hand."""
    campaign = a_campaign(people=NAMES[:agents], type=CampaignType.PREVIEW, options=preview.Options(preview=card), screen=screen, **more)
    desk = a_desk(agents=agents, leg=leg, campaigns=[campaign], offered=OFFERED)
    if leg is LegKind.NAILED:
        for name in NAMES[:agents]:
            desk.nail(name)
    for name in NAMES[:agents]:
        assert ask(desk, ag.OpenScreen, 600.0, agent=name).ok
    desk.claimed(*some_leads(leads))
    return desk


def a_manual(*, agents: int = 1, quota: manual.Quota = manual.Quota(), own: bool = False, leg: LegKind = LegKind.PER_CALL, **more: Any) -> Desk:  # noqa: B008
    options = manual.Options(quota=quota, own_customer=own)
    campaign = a_campaign(people=NAMES[:agents], type=CampaignType.MANUAL, options=options, screen="needed", **more)
    desk = a_desk(agents=agents, leg=leg, campaigns=[campaign], offered=OFFERED)
    if leg is LegKind.NAILED:
        for name in NAMES[:agents]:
            desk.nail(name)
    for name in NAMES[:agents]:
        ask(desk, ag.OpenScreen, 3600.0, agent=name)
    return desk


def picture(desk: Desk, agent: str = "ana") -> AgentPicture:
    """What he sees now."""
    desk.tell(ag.WatchAgent(an_agent(agent).id, False))
    desk.clear()
    desk.tell(ag.WatchAgent(an_agent(agent).id))
    return desk.last(act.ShowAgent).picture


def take(desk: Desk, lead: Lead | None, *, gate: str = "", agent: str = "ana", left: int | None = None) -> act.Reply:
    """He takes a lead, and the store answers."""
    desk.tell(ag.TakeLead(f"web-{next(desk.commands)}", agent, an_agent(agent).id, SPRING))  # type: ignore[arg-type]
    asked = desk.last(act.TakeLeadNow)
    desk.tell(ag.LeadTaken(asked.command_id, asked.agent, asked.campaign, lead, gate, None, left))
    return desk.last(act.Reply)


# --- screens and pauses ---------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S36", "S37", "S83")
def test_a_preview_is_shown_to_an_agent_whose_screen_is_open_and_dialled_when_its_time_is_over() -> None:
    desk = a_preview()
    assert desk.state_of() is AgentState.PREVIEWING and desk.all(act.OriginateAgent) == []
    desk.wait(29.9)
    assert desk.all(act.OriginateAgent) == []
    desk.wait(0.1)
    desk.up(desk.last(act.OriginateAgent).leg)
    assert placed(desk).attempt.lead == LeadId(1), "his own phone first, then the customer's"


@pytest.mark.spec("S84")
def test_an_agent_whose_screen_is_closed_gets_no_calls_of_a_campaign_that_needs_it() -> None:
    desk = a_preview()
    ask(desk, ag.CloseScreen)
    assert desk.state_of() is AgentState.IDLE and desk.campaign().staying == 0
    assert desk.campaign().hopper == 2, "the lead that he looked at goes back undialled"
    desk.wait(60.0)
    assert desk.all(act.OriginateLead) == [] and desk.all(act.CloseAttempt) == []


@pytest.mark.spec("S83", "S84")
def test_a_screen_of_which_nothing_is_heard_closes_by_itself_and_a_heartbeat_keeps_it_open() -> None:
    desk = a_preview(leads=0)
    ask(desk, ag.OpenScreen, 30.0)
    desk.wait(20.0)
    desk.tell(ag.AgentHeard(ANA, 30.0))
    desk.wait(29.0)
    assert desk.campaign().staying == 1
    desk.wait(1.0)
    assert desk.campaign().staying == 0
    desk.tell(ag.AgentHeard(ANA, 30.0))
    assert desk.campaign().staying == 0, "a heartbeat opens no screen"


@pytest.mark.spec("S85")
def test_an_agent_who_is_not_available_gets_nothing_and_logs_out_of_a_preview() -> None:
    desk = a_preview()
    ask(desk, ev.SetAgentStatus, AgentStatus.NOT_AVAILABLE)
    assert desk.state_of() is AgentState.PREVIEWING, "a break asked for during an offer begins after it"
    ask(desk, ev.SetAgentStatus, AgentStatus.LOGGED_OUT)
    assert desk.state_of() is AgentState.IDLE and desk.campaign().hopper == 2 and desk.all(act.OriginateLead) == []


def test_progressive_agents_need_no_screen_unless_the_campaign_says_so() -> None:
    free = a_desk(agents=1, campaigns=[a_campaign(people=["ana"], screen="by_type")])
    assert free.campaign().staying == 1
    strict = a_desk(agents=1, campaigns=[a_campaign(people=["ana"], screen="needed")])
    assert strict.campaign().staying == 0
    ask(strict, ag.OpenScreen, 60.0)
    assert strict.campaign().staying == 1


def test_an_agent_paused_in_one_campaign_serves_the_others() -> None:
    campaigns = [a_campaign("spring", people=["ana"]), a_campaign("autumn", people=["ana"])]
    desk = a_desk(agents=1, campaigns=campaigns)
    assert ask(desk, ag.PauseInCampaign, SPRING, True, "training").ok
    desk.claimed(*some_leads(3))
    assert desk.all(act.OriginateLead) == []
    desk.claimed(*some_leads(3, first=11, campaign="autumn"), campaign="autumn")
    assert placed(desk).attempt.campaign == "autumn"
    assert not ask(desk, ag.PauseInCampaign, "winter", True).ok
    assert ask(desk, ag.PauseInCampaign, SPRING, False).ok and desk.campaign().staying == 1


# --- previews -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M5")
def test_an_agent_may_dial_sooner_and_an_act_that_comes_late_touches_nobody() -> None:
    desk = a_preview()
    call = picture(desk).call
    assert call is not None
    desk.wait(3.0)
    assert ask(desk, ag.DialNow, call.id).ok
    desk.up(desk.last(act.OriginateAgent).leg)
    first = placed(desk)
    desk.over(first.leg, "USER_BUSY", 486)
    desk.wait(5.0)
    assert closed(desk)[0][0] is Outcome.BUSY and desk.state_of() is AgentState.PREVIEWING
    late = ask(desk, ag.DialNow, call.id)
    assert not late.ok and late.text == "that call is over; you have another one now"


@pytest.mark.spec("D17")
def test_where_the_agent_accepts_the_time_runs_from_his_acceptance() -> None:
    desk = a_preview(card=preview.Card(time_s=10.0, accept="agent"))
    desk.wait(9.0)
    assert ask(desk, ag.AcceptPreview).ok and not ask(desk, ag.AcceptPreview).ok
    desk.wait(9.9)
    assert desk.all(act.OriginateAgent) == []
    desk.wait(0.1)
    assert len(desk.all(act.OriginateAgent)) == 1


@pytest.mark.spec("D17")
def test_a_preview_that_nobody_accepts_is_a_missed_offer_and_the_lead_goes_to_the_next() -> None:
    desk = a_preview(agents=2, leads=1, card=preview.Card(time_s=10.0, accept="agent"), agent_ring_s=20.0)
    first = "ana" if desk.state_of("ana") is AgentState.PREVIEWING else "bob"
    desk.wait(20.0)
    assert desk.state_of(first) is AgentState.WRAP_UP
    other = "bob" if first == "ana" else "ana"
    assert desk.state_of(other) is AgentState.PREVIEWING and desk.all(act.OriginateLead) == []


def test_a_preview_may_be_prolonged_as_often_as_the_campaign_says() -> None:
    desk = a_preview(card=preview.Card(time_s=10.0, extend=(2, 15.0)))
    assert [ask(desk, ag.ExtendPreview).ok for _ in range(3)] == [True, True, False]
    desk.wait(39.9)
    assert desk.all(act.OriginateAgent) == []
    desk.wait(0.1)
    assert len(desk.all(act.OriginateAgent)) == 1


@pytest.mark.parametrize(("at_end", "status"), [("skip", AgentStatus.AVAILABLE), ("not_available", AgentStatus.NOT_AVAILABLE)])
def test_what_happens_when_the_time_is_over_is_the_campaigns_word(at_end: str, status: AgentStatus) -> None:
    desk = a_preview(leads=1, card=preview.Card(time_s=10.0, at_end=at_end))
    desk.wait(10.0)
    (back,) = desk.last(act.ReturnLeads).leads
    assert back.held_by == "skipped" and back.last and desk.all(act.OriginateAgent) == []
    assert desk.agent().status is status and desk.state_of() is AgentState.IDLE


def test_leads_are_skipped_with_a_reason_and_so_often_an_hour_as_the_campaign_allows() -> None:
    desk = a_preview(leads=5, card=preview.Card(time_s=30.0, skip=preview.Skip(allowed=2, reason="required")))
    assert ask(desk, ag.SkipLead).text == "say why you skip: this campaign wants a reason"
    assert [ask(desk, ag.SkipLead, None, "known to be away").ok for _ in range(3)] == [True, True, False]
    assert desk.last(act.Reply).text == "this campaign lets you skip 2 an hour"
    assert [each.lead for action in desk.all(act.ReturnLeads) for each in action.leads] == [LeadId(1), LeadId(2)]
    desk.tell(
        ev.CampaignLoaded(a_campaign(people=["ana"], revision=2, type=CampaignType.PREVIEW, options=preview.Options()), CampaignState.RUNNING, True, (UTC_SET,))
    )
    assert ask(desk, ag.SkipLead).ok, "the new revision asks for no reason"


def test_a_lead_that_is_being_dialled_is_not_skipped() -> None:
    desk = a_preview()
    ask(desk, ag.DialNow)
    assert ask(desk, ag.SkipLead).text == "it is being dialled; hang up instead"


def test_while_the_customers_phone_rings_the_agent_hears_it() -> None:
    desk = a_preview()
    ask(desk, ag.DialNow)
    leg = desk.last(act.OriginateAgent).leg
    desk.up(leg)
    assert desk.last(act.PlayMusic).leg == leg and desk.last(act.PlayMusic).path.startswith("tone_stream://")
    lead = placed(desk)
    desk.up(lead.leg)
    assert desk.last(act.Bridge) == act.Bridge(lead.leg, leg), "and is with him at once"


def test_a_nailed_agent_is_not_rung_for_his_preview() -> None:
    desk = a_preview(leg=LegKind.NAILED)
    before = len(desk.all(act.OriginateAgent))
    ask(desk, ag.DialNow)
    assert placed(desk).attempt.lead == LeadId(1) and len(desk.all(act.OriginateAgent)) == before


def test_a_card_that_is_looked_at_takes_no_line_from_others() -> None:
    desk = a_preview(agents=3, leads=6)
    assert desk.dialer.snapshot().room > 0 and sum(1 for name in NAMES[:3] if desk.state_of(name) is AgentState.PREVIEWING) == 3
    full = desk.dialer.snapshot()
    assert full.legs == 0 and full.room == min(full.legs_limit, 7), "only the rate holds"


# --- manual ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S29")
def test_in_a_manual_campaign_nothing_comes_by_itself_and_a_taken_lead_is_dialled_when_the_agent_says_so() -> None:
    desk = a_manual()
    assert desk.all(act.ClaimLeads) == []
    answer = take(desk, a_lead(7), left=3)
    assert answer.ok and answer.text.startswith("lead 7 is yours") and answer.text.endswith("; 3 more today")
    desk.wait(3599.0)
    assert desk.all(act.OriginateAgent) == [] and desk.state_of() is AgentState.PREVIEWING
    desk.wait(1.0)
    assert [each.lead for each in desk.last(act.ReturnLeads).leads] == [LeadId(7)], "his screen is gone"


@pytest.mark.spec("S29", "S11")
def test_a_manual_call_runs_agent_first_and_the_same_lead_may_be_taken_again_at_once() -> None:
    desk = a_manual(attempts=Attempts(max=3, gap_s=86400.0))
    take(desk, a_lead(7))
    assert ask(desk, ag.DialNow).ok
    desk.up(desk.last(act.OriginateAgent).leg)
    call = placed(desk)
    desk.tell(ev.LegCreated(call.leg, SWITCH, None, None, None), ev.LegRang(call.leg, False))
    desk.over(call.leg, "NO_ANSWER")
    desk.over(desk.last(act.OriginateAgent).leg)
    update = desk.last(act.CloseAttempt).update
    assert update.attempts == 1
    desk.wait(2.0)
    again = take(desk, replace(a_lead(7), attempts=1, ready_at=desk.now + 9999.0, ready_why="gap"))
    assert again.ok, "a manual campaign ignores the gap"


@pytest.mark.spec("M9")
def test_a_manual_campaign_ends_when_its_last_lead_is_through() -> None:
    desk = a_manual()
    take(desk, None, gate="no_lead")
    asked = desk.last(act.ClaimLeads)
    assert (asked.count, asked.zone_sets) == (0, ())
    desk.tell(ev.LeadsClaimed(SPRING, (), None, True))
    assert desk.campaign().state is CampaignState.RUNNING
    take(desk, a_lead(7))
    ask(desk, ag.DialNow)
    desk.up(desk.last(act.OriginateAgent).leg)
    desk.over(placed(desk).leg, "UNALLOCATED_NUMBER", 404)
    desk.over(desk.last(act.OriginateAgent).leg)
    desk.tell(ev.LeadsClaimed(SPRING, (), None, False))
    desk.wait(2.0)
    assert desk.campaign().state is CampaignState.ENDED


@pytest.mark.spec("S30", "S31", "S32", "S33", "D16")
def test_the_store_is_told_the_quota_of_the_campaign_and_of_the_agent_and_its_refusal_is_told_to_him() -> None:
    desk = a_manual(quota=manual.Quota(each=50, apart=(("ana", 80),)), own=True)
    desk.tell(ev.AgentLoaded(replace(an_agent("ana"), quota=60), AgentStatus.AVAILABLE))
    refused = take(desk, None, gate="quota")
    asked = desk.last(act.TakeLeadNow)
    assert (asked.quota, asked.quota_of_agent, asked.own_customer, asked.zone_sets) == (80, 60, True, (UTC_SET,))
    assert asked.day <= desk.now < asked.day + 86400 and refused.text == "the agent's customers of the day are used up"


def test_a_lead_that_comes_when_he_is_not_free_any_more_goes_back() -> None:
    desk = a_manual()
    desk.tell(ag.TakeLead("web-1", "ana", ANA, SPRING))  # type: ignore[arg-type]
    asked = desk.last(act.TakeLeadNow)
    assert not ask(desk, ag.TakeLead, SPRING).ok, "one at a time"
    ask(desk, ev.SetAgentStatus, AgentStatus.NOT_AVAILABLE)
    desk.tell(ag.LeadTaken(asked.command_id, ANA, SPRING, a_lead(7)))
    assert [each.lead for each in desk.last(act.ReturnLeads).leads] == [LeadId(7)] and not desk.last(act.Reply).ok


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (lambda desk: ask(desk, ag.CloseScreen), "open your campaign screen first"),
        (lambda desk: ask(desk, ag.PauseInCampaign, SPRING, True), "you are paused in this campaign"),
        (lambda desk: ask(desk, ev.SetAgentStatus, AgentStatus.NOT_AVAILABLE), "say first that you are available"),
        (lambda desk: desk.command(ev.PauseCampaign, SPRING, "lunch"), "spring is paused: paused by hand: lunch"),
        (lambda desk: take(desk, a_lead(7)), "you have a call"),
        (lambda desk: desk.tell(ev.StoreLost("gone")), "nothing can be dialled now: the database is away"),
    ],
)
def test_why_nothing_can_be_taken_is_said(before: Any, words: str) -> None:
    desk = a_manual()
    before(desk)
    assert ask(desk, ag.TakeLead, SPRING).text == words


def test_leads_are_taken_in_manual_campaigns_only() -> None:
    desk = a_preview(leads=0)
    assert ask(desk, ag.TakeLead, SPRING).text == "spring hands its leads out by itself; leads are taken in manual campaigns"
    assert ask(desk, ag.TakeLead, "winter").text == "you do not serve a campaign winter"


# --- after the call -------------------------------------------------------------------------------------------------------------------


def in_wrap_up(wrap_up: WrapUp, **more: Any) -> Desk:
    """Ana has just talked to the first lead."""
    desk = a_preview(leads=3, leg=LegKind.NAILED, wrap_up=wrap_up, **more)
    ask(desk, ag.DialNow)
    call = placed(desk)
    desk.up(call.leg)
    desk.tell(ev.LegBridged(call.leg, desk.last(act.Bridge).agent_leg))
    desk.wait(60.0)
    nailed = desk.last(act.Bridge).agent_leg
    desk.tell(ended(call.leg), ev.LegUnbridged(call.leg, nailed), ev.LegParked(nailed), ev.LegDestroyed(call.leg))
    assert desk.state_of() is AgentState.WRAP_UP
    return desk


@pytest.mark.spec("S13")
def test_a_wrap_up_runs_out_is_prolonged_or_ended_early() -> None:
    desk = in_wrap_up(WrapUp(time_s=20.0, extend=(1, 30.0)))
    assert ask(desk, ag.ExtendWrapUp).ok and not ask(desk, ag.ExtendWrapUp).ok
    desk.wait(49.9)
    assert desk.state_of() is AgentState.WRAP_UP
    desk.wait(0.1)
    assert desk.state_of() is AgentState.PREVIEWING, "the next customer is on his card"
    other = in_wrap_up(WrapUp(time_s=20.0))
    assert ask(other, ag.EndWrapUp).ok and other.state_of() is AgentState.PREVIEWING
    assert not ask(other, ag.EndWrapUp).ok


@pytest.mark.spec("S13")
def test_a_result_ends_the_wrap_up_where_the_campaign_says_so() -> None:
    early, fixed = in_wrap_up(WrapUp(time_s=20.0)), in_wrap_up(WrapUp(time_s=20.0, early=False))
    for desk in (early, fixed):
        assert ask(desk, ag.Disposed, None, "sold").ok
    assert early.state_of() is AgentState.PREVIEWING and fixed.state_of() is AgentState.WRAP_UP


def test_a_wrap_up_that_runs_out_without_a_result_may_make_him_not_available_and_files_nothing() -> None:
    desk = in_wrap_up(WrapUp(time_s=20.0, at_end="not_available"))
    desk.wait(20.0)
    assert desk.agent().status is AgentStatus.NOT_AVAILABLE
    assert desk.last(act.StoreAgentStatus).reason == "no result was filed in time"
    filed = in_wrap_up(WrapUp(time_s=20.0, at_end="not_available", early=False))
    ask(filed, ag.Disposed, None, "sold")
    filed.wait(20.0)
    assert filed.agent().status is AgentStatus.AVAILABLE


def test_a_result_filed_while_they_talk_leaves_no_wrap_up() -> None:
    desk = a_preview(leads=3, leg=LegKind.NAILED, wrap_up=WrapUp(time_s=20.0))
    ask(desk, ag.DialNow)
    call = placed(desk)
    desk.up(call.leg)
    desk.tell(ev.LegBridged(call.leg, desk.last(act.Bridge).agent_leg))
    assert ask(desk, ag.Disposed, call.attempt.id, "sold").ok
    desk.tell(ended(call.leg), ev.LegParked(desk.last(act.Bridge).agent_leg), ev.LegDestroyed(call.leg))
    assert desk.state_of() is AgentState.PREVIEWING


def test_three_missed_offers_end_by_the_agents_own_act() -> None:
    desk = a_preview(leads=6, agent_ring_s=10.0)
    for _ in range(3):
        ask(desk, ag.DialNow)
        desk.wait(30.0)
    assert desk.agent().status is AgentStatus.NOT_AVAILABLE and picture(desk).missed_in_row == 3
    ask(desk, ev.SetAgentStatus, AgentStatus.AVAILABLE)
    assert picture(desk).missed_in_row == 0 and desk.state_of() is AgentState.PREVIEWING


# --- pictures -------------------------------------------------------------------------------------------------------------------------


def test_a_watched_agents_picture_comes_at_once_and_with_every_change_and_nobody_elses() -> None:
    desk = a_preview(agents=2, leads=2)
    desk.tell(ag.WatchAgent(ANA))
    first = desk.last(act.ShowAgent).picture
    assert first.agent == ANA and first.state is AgentState.PREVIEWING and first.call is not None
    assert first.call.preview_until == desk.now + 30.0 and {"dial", "skip"} <= set(first.can)
    desk.clear()
    ask(desk, ag.DialNow, agent="bob")
    assert desk.all(act.ShowAgent) == []
    ask(desk, ag.DialNow)
    assert [each.picture.state for each in desk.all(act.ShowAgent)] == [AgentState.RINGING]
    leg = desk.last(act.OriginateAgent).leg
    desk.tell(ag.WatchAgent(ANA, False))
    desk.clear()
    desk.up(leg)
    assert desk.all(act.ShowAgent) == []


def test_what_an_agent_can_do_is_what_is_not_refused() -> None:
    """Each verb of `can` is accepted in that moment, and the preview's own verbs are not there at any other."""
    desk = a_preview(card=preview.Card(time_s=30.0, extend=(1, 5.0), accept="agent"))
    assert set(picture(desk).can) <= set(VERBS)
    for verb, kind in (("accept", ag.AcceptPreview), ("extend_preview", ag.ExtendPreview), ("dial", ag.DialNow)):
        assert verb in picture(desk).can, verb
        assert ask(desk, kind).ok, verb
    seen = picture(desk)
    assert seen.call is not None and seen.call.state is CallState.RINGING_AGENT_FIRST
    assert not {"accept", "extend_preview", "dial", "skip"} & set(seen.can)


def test_nobody_asks_for_an_agent_whom_there_is_not() -> None:
    desk = a_preview()
    for kind, args in ((ag.OpenScreen, ()), (ag.TakeLead, (SPRING,)), (ag.DialNow, ()), (ag.EndWrapUp, ()), (ag.Disposed, ())):
        answer = ask(desk, kind, *args, agent="zed")
        assert not answer.ok and answer.text == "there is no agent zed"


def test_a_call_that_was_only_offered_to_an_agent_is_not_his_to_file() -> None:
    """Ana's phone rings and she does not come; Bob gets the customer."""
    campaign = a_campaign(people=["ana", "bob"], at_most_s=60.0, agent_ring_s=10.0)
    desk = a_desk(agents=2, campaigns=[campaign])
    desk.claimed(*some_leads(1))
    call = placed(desk)
    desk.up(call.leg)
    first = desk.last(act.OriginateAgent)
    assert "hang_up" not in picture(desk, first.agent).can, "the customer waits for him"
    desk.wait(10.0)
    second = desk.last(act.OriginateAgent)
    assert second.agent != first.agent
    seen = picture(desk, first.agent)
    assert seen.last is None and "dispose" not in seen.can and seen.state is AgentState.WRAP_UP
    desk.up(second.leg)
    desk.tell(ev.LegBridged(call.leg, second.leg))
    assert "dispose" in picture(desk, second.agent).can


# --- who is next ----------------------------------------------------------------------------------------------------------------------


def first_called(next_: str, **more: Any) -> str:
    """Who gets the first of the calls when all are free: ana has waited longest, bob knows Spanish, eva comes first by priority when asked."""
    agents = CampaignAgents(people=NAMES[:3], next=next_, prefer=("spanish",), screen="not_needed")
    desk = a_desk(agents=0, campaigns=[a_campaign(people=(), agents=agents)], **more)
    skills = {"bob": ("spanish", "sales")}
    for name in NAMES[:3]:
        desk.tell(ev.AgentLoaded(an_agent(name, skills=skills.get(name, ()), priority=0), AgentStatus.AVAILABLE))
        desk.wait(1.0)
    desk.claimed(*some_leads(1))
    found = placed(desk).attempt.agent
    assert found is not None
    return found


def test_which_agent_is_next_is_the_campaigns_word() -> None:
    assert first_called("longest_idle") == "ana"
    assert first_called("skill_first") == "bob"
    assert first_called("round_robin") == "ana"
    assert {first_called("random", seed=seed) for seed in range(20)} == set(NAMES[:3])


def test_round_robin_goes_on_behind_the_last_one() -> None:
    agents = CampaignAgents(people=NAMES[:3], next="round_robin", screen="not_needed")
    desk = a_desk(agents=3, campaigns=[a_campaign(people=(), agents=agents)])
    served = []
    for n in range(1, 5):
        desk.claimed(a_lead(n))
        served.append(placed(desk).attempt.agent)
        desk.over(placed(desk).leg, "USER_BUSY", 486)
        desk.wait(2.0)
    assert served == ["ana", "bob", "eva", "ana"]


def test_the_highest_priority_comes_before_everything_else_and_a_lead_may_stay_with_the_agent_whom_it_met() -> None:
    agents = CampaignAgents(people=NAMES[:2], sticky=True, screen="not_needed")
    desk = a_desk(agents=0, campaigns=[a_campaign(people=(), agents=agents)])
    desk.tell(ev.AgentLoaded(an_agent("ana"), AgentStatus.AVAILABLE), ev.AgentLoaded(an_agent("bob", priority=5), AgentStatus.AVAILABLE))
    desk.claimed(a_lead(1))
    assert placed(desk).attempt.agent == BOB
    desk.over(placed(desk).leg, "USER_BUSY", 486)
    desk.wait(2.0)
    desk.claimed(replace(a_lead(2), met=ANA))
    assert placed(desk).attempt.agent == ANA
