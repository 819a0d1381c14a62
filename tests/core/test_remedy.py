"""The remedy for a missed call: its customer is called again before anyone else, with an agent kept for him, and can not be missed twice."""

from __future__ import annotations

from typing import Any

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.leads import gates
from fs_dialer.core.mode_port import Decision, Flow, View
from fs_dialer.core.model import AgentId, AgentStatus, CampaignId, CampaignState, CampaignType, Lead, LeadStatus, LegKind, Outcome
from fs_dialer.core.resources import Profile, Rule, Then, When
from fs_dialer.core.retry import REMEDY, Ended, next_lead
from fs_dialer.modes import predictive
from tests.core.builders import NAMES, NOON, AnyMode, Desk, a_campaign, a_desk, a_lead, an_installation, modes, placed, some_leads

SPRING = CampaignId("spring")
FLOW = Flow(on_answer="music_then_agent", reserve_agent=False)
MISSED = Ended(Outcome.MISSED, rang=True, missed=True)


def a_predictive(remedy: bool = True, **more: Any) -> Any:
    return a_campaign(type=CampaignType.PREDICTIVE, options=predictive.Options(remedy=remedy), people=NAMES[:2], join=True, **more)


def missed(id: int = 1, **more: Any) -> Lead:
    return a_lead(id, status=LeadStatus.RETRY, attempts=1, ready_at=NOON - 60, ready_why=REMEDY, **more)


class Counting(AnyMode):
    """Predictive as far as a test says: `originate` calls at each question; remembers the last view."""

    seen: View | None = None

    def decide(self, view: View, now: float, campaign: Any, memory: Any) -> Decision:
        self.seen = view
        return Decision(originate=min(self.originate or 0, view.room), because="a test says so")


def a_predictive_desk(originate: int = 0, agents: int = 2, leg: LegKind = LegKind.NAILED, **more: Any) -> tuple[Desk, Counting]:
    mode = Counting(CampaignType.PREDICTIVE, FLOW, originate)
    desk = a_desk(
        agents=agents, leg=leg, campaigns=[a_predictive(**more)], offered={**modes(), CampaignType.PREDICTIVE: mode}, installation=an_installation(cps=1000.0)
    )
    if leg is LegKind.NAILED:
        for name in NAMES[:agents]:
            desk.nail(name)
    return desk, mode


# --- what becomes of the lead -------------------------------------------------------------------------------------------------------------


def test_a_missed_lead_waits_its_gap_and_is_marked() -> None:
    update = next_lead(a_lead(), MISSED, a_predictive(gap_s=600.0), NOON)
    assert (update.status, update.attempts, update.ready_at, update.ready_why) == (LeadStatus.RETRY, 1, NOON + 600.0, REMEDY)


def test_a_profile_that_forbids_to_call_again_soon_holds() -> None:
    campaign = a_predictive(gap_s=60.0, compliance=Profile(recall_after_missed_s=72 * 3600.0))
    assert next_lead(a_lead(), MISSED, campaign, NOON).ready_at == NOON + 72 * 3600.0


def test_without_the_setting_it_waits_like_any_other() -> None:
    assert next_lead(a_lead(), MISSED, a_predictive(remedy=False), NOON).ready_why == "gap"
    assert next_lead(a_lead(), MISSED, a_campaign(), NOON).ready_why == "gap"


@pytest.mark.parametrize("ended", [Ended(Outcome.NO_ANSWER, True), Ended(Outcome.BUSY, True), Ended(Outcome.EARLY_HANGUP, True)])
def test_whoever_was_not_missed_is_not_marked(ended: Ended) -> None:
    assert next_lead(a_lead(), ended, a_predictive(), NOON).ready_why == "gap"


def test_a_lead_without_a_call_left_is_exhausted_all_the_same() -> None:
    assert next_lead(a_lead(attempts=2), MISSED, a_predictive(max_attempts=3), NOON).status is LeadStatus.EXHAUSTED


def test_a_rule_that_gives_a_time_stands_above_it() -> None:
    rule = Rule(name="later", when=When(missed=True), then=Then(again_s=7200.0))
    assert next_lead(a_lead(), MISSED, a_predictive(rules=(rule,)), NOON).ready_why == "rule"


def test_a_fault_of_ours_leaves_the_remedy_owed_and_a_call_that_was_made_settles_it() -> None:
    assert next_lead(missed(), Ended(Outcome.OURS), a_predictive(), NOON).ready_why == REMEDY
    assert next_lead(missed(), Ended(Outcome.CANCELLED), a_predictive(), NOON).ready_why == REMEDY
    assert next_lead(missed(), Ended(Outcome.NO_ANSWER, True), a_predictive(), NOON).ready_why == "gap"


def test_explain_says_what_it_waits_for() -> None:
    lead = a_lead(status=LeadStatus.RETRY, attempts=1, ready_at=NOON + 60, ready_why=REMEDY)
    shut = next(c for c in gates(lead, a_predictive(), CampaignState.RUNNING, NOON) if not c.ok)
    assert shut.gate == "gap" and "missed" in shut.reason


# --- how he is called again ---------------------------------------------------------------------------------------------------------------


def test_he_is_called_first_with_an_agent_of_his_own() -> None:
    desk, _ = a_predictive_desk()
    desk.claimed(*some_leads(3, first=10), missed())
    assert [(c.attempt.lead, c.attempt.agent) for c in desk.all(act.OriginateLead)] == [(1, "ana")]
    desk.up(placed(desk).leg)
    assert desk.last(act.Bridge).leg == placed(desk).leg and not desk.all(act.PlayMusic)


def test_an_agent_who_must_be_rung_is_his_too() -> None:
    desk, _ = a_predictive_desk(leg=LegKind.PER_CALL)
    desk.claimed(missed())
    desk.up(placed(desk).leg)
    ring = desk.last(act.OriginateAgent)
    assert ring.agent == "ana" and ring.call == placed(desk).attempt.id


def test_he_waits_for_a_free_agent_however_many_calls_the_pace_allows() -> None:
    desk, _ = a_predictive_desk(originate=5)
    for name in NAMES[:2]:
        desk.tell(ev.SetAgentStatus("c", name, AgentId(name), AgentStatus.NOT_AVAILABLE))  # type: ignore[arg-type]
    desk.claimed(missed(), *some_leads(3, first=10))
    desk.wait(3600.0)
    assert 1 not in {c.attempt.lead for c in desk.all(act.OriginateLead)}
    desk.tell(ev.SetAgentStatus("c", "bob", AgentId("bob"), AgentStatus.AVAILABLE))  # type: ignore[arg-type]
    desk.wait(1.0)
    assert (placed(desk).attempt.lead, placed(desk).attempt.agent) == (1, "bob")


def test_the_pace_sees_his_agent_as_good_as_free_and_his_call_as_ringing() -> None:
    desk, mode = a_predictive_desk()
    desk.claimed(missed(), *some_leads(1, first=10))
    desk.wait(1.0)
    assert mode.seen is not None and (mode.seen.idle, mode.seen.ringing, len(mode.seen.clocks().ringing)) == (2, 1, 1)


def test_his_gates_are_asked_like_anyones() -> None:
    desk, _ = a_predictive_desk(max_attempts=1)
    desk.claimed(missed())
    assert not desk.all(act.OriginateLead) and desk.last(act.ReturnLeads).leads[0].held_by == "attempts"


def test_a_pause_gives_him_back_as_he_was() -> None:
    desk, _ = a_predictive_desk(agents=0)
    desk.claimed(missed())
    desk.command(ev.PauseCampaign, SPRING)
    back = desk.last(act.ReturnLeads).leads[0]
    assert (back.lead, back.ready_at) == (1, NOON - 60)


def test_a_customer_missed_and_called_again_is_served() -> None:
    """From the missed call to the second one."""
    desk, mode = a_predictive_desk(originate=1, agents=1, at_most_s=5.0, gap_s=120.0)
    desk.claimed(a_lead(1))
    first = placed(desk)
    mode.originate = 0
    desk.tell(ev.SetAgentStatus("c", "ana", AgentId("ana"), AgentStatus.NOT_AVAILABLE))  # type: ignore[arg-type]
    desk.up(first.leg)
    desk.wait(5.0)
    desk.over(first.leg)
    update = desk.last(act.CloseAttempt).update
    assert update.ready_why == REMEDY and update.ready_at == desk.now + 120.0
    desk.tell(ev.SetAgentStatus("c", "ana", AgentId("ana"), AgentStatus.AVAILABLE))  # type: ignore[arg-type]
    desk.wait(120.0)
    desk.claimed(a_lead(1, status=update.status, attempts=update.attempts, ready_at=update.ready_at, ready_why=update.ready_why))
    assert placed(desk).attempt.agent == "ana" and placed(desk).attempt.id != first.attempt.id
    desk.up(placed(desk).leg)
    desk.tell(ev.LegBridged(placed(desk).leg, desk.last(act.Bridge).agent_leg))
    desk.over(placed(desk).leg)
    assert desk.last(act.CloseAttempt).result.outcome is Outcome.CONNECTED
