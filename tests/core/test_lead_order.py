"""In which order claimed leads are dialled, and what a type that tells leads apart is taught."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core.hopper import HOPPER_LEAST, HOPPER_PER_AGENT
from fs_dialer.core.lead_order import likelier_first
from fs_dialer.core.mode_port import View
from fs_dialer.core.model import AgentId, CampaignType, Lead, LeadId, LeadStatus, LegKind
from fs_dialer.core.retry import REMEDY
from fs_dialer.modes import OFFERED, predictive
from tests.core.builders import MUSIC, NOON, AnyMode, Desk, a_campaign, a_dialling_desk, a_lead, modes, placed, some_leads


@dataclass
class Telling(AnyMode):
    """A type that knows how likely each lead is answered."""

    known: dict[int, float] = field(default_factory=dict)
    seen: list[tuple[int, bool]] = field(default_factory=list)
    shown: list[float | None] = field(default_factory=list)

    def lead_odds(self, memory: Any, lead: Lead, now: float) -> float | None:
        return self.known.get(lead.id)

    def learn(self, memory: Any, lead: Lead, answered: bool, now: float) -> None:
        self.seen.append((lead.id, answered))

    def decide(self, view: View, now: float, campaign: Any, memory: Any) -> Any:
        self.shown = [own for _, own in view.clocks().ringing]
        return super().decide(view, now, campaign, memory)


def telling(known: dict[int, float], originate: int = 1) -> Telling:
    return Telling(CampaignType.PREDICTIVE, MUSIC[CampaignType.PREDICTIVE], originate, known=known)


def a_floor(mode: Telling, leads: int, agents: int = 2, **more: Any) -> Desk:
    offered = {**modes(), CampaignType.PREDICTIVE: mode}
    campaign = a_campaign(type=CampaignType.PREDICTIVE, people=("ana", "bob")[:agents])
    return a_dialling_desk(leads, agents=agents, leg=LegKind.NAILED, campaigns=[campaign], offered=offered, **more)


def dialled(desk: Desk) -> list[int]:
    return [call.attempt.lead for call in desk.all(act.OriginateLead)]


def nobody_answers(desk: Desk) -> None:
    leg = placed(desk).leg
    desk.created(leg)
    desk.over(leg, "NO_ANSWER", 480)
    desk.wait(1.0)


def test_the_likelier_of_one_claim_are_dialled_first() -> None:
    desk = a_floor(telling({1: 0.1, 2: 0.5, 3: 0.3, 4: 0.5}), 4)
    for _ in range(3):
        nobody_answers(desk)
    assert dialled(desk) == [2, 4, 3, 1]


def test_the_pacer_is_told_each_ringing_leads_own_chance() -> None:
    mode = telling({1: 0.1, 2: 0.5, 3: 0.3}, originate=2)
    desk = a_floor(mode, 3)
    desk.wait(1.0)
    assert sorted(own or 0.0 for own in mode.shown) == [0.3, 0.5]


def test_who_answers_and_who_does_not_is_learnt_once_each() -> None:
    mode = telling({}, originate=1)
    desk = a_floor(mode, 3)
    nobody_answers(desk)
    desk.up(placed(desk).leg)
    desk.over(placed(desk).leg)
    desk.wait(1.0)
    assert mode.seen == [(1, False), (2, True)]


def test_calls_that_fail_by_the_networks_fault_teach_nothing() -> None:
    mode = telling({}, originate=1)
    desk = a_floor(mode, 2)
    desk.created(placed(desk).leg)
    desk.over(placed(desk).leg, "NORMAL_TEMPORARY_FAILURE", 503)
    assert mode.seen == []


@pytest.mark.parametrize("seed", range(3))
def test_no_lead_waits_for_more_than_one_hopper_of_others(seed: int) -> None:
    """Whatever its chance: leads claimed later never overtake it."""
    rng = Random(seed)
    known = {n: rng.random() * (0.1 if n % 7 == 0 else 1.0) for n in range(1, 400)}
    desk = a_floor(telling(known, originate=1), 0)
    came: dict[int, int] = {}
    claims, next_id = 0, 1
    for _ in range(150):
        asked = desk.all(act.ClaimLeads)
        while claims < len(asked):
            claims += 1
            leads = some_leads(min(asked[claims - 1].count, 400 - next_id), first=next_id)
            next_id += len(leads)
            came |= {lead.id: len(dialled(desk)) for lead in leads}
            desk.claimed(*leads)
        nobody_answers(desk)
    waited = [nth - came[lead] for nth, lead in enumerate(dialled(desk))]
    assert len(waited) > 100 and max(waited) <= HOPPER_LEAST + 2 * HOPPER_PER_AGENT, f"seed {seed}"
    assert {lead for lead, at in came.items() if at < len(waited) - HOPPER_LEAST - 2 * HOPPER_PER_AGENT} <= set(dialled(desk)), f"seed {seed}"


@pytest.mark.spec("S89")
def test_what_was_promised_to_somebody_or_set_by_a_rule_keeps_its_place() -> None:
    desk = a_floor(telling({n: n / 10 for n in range(1, 8)}), 0)
    run = desk.dialer._w.runs[a_lead().campaign]
    leads = [
        a_lead(1),
        a_lead(2, status=LeadStatus.CALLBACK_SCHEDULED, ready_why="promised"),
        a_lead(3, ready_why="gap"),
        a_lead(4, ready_why="rule"),
        a_lead(5, ready_why=REMEDY),
        a_lead(6, agent=AgentId("ana")),
        a_lead(7),
    ]
    assert [lead.id for lead in likelier_first(run, leads, NOON)] == [7, 2, 3, 4, 5, 6, 1]


@pytest.mark.spec("S89")
def test_types_without_odds_keep_the_stores_order() -> None:
    for type_ in (CampaignType.CALLBACK, CampaignType.PROGRESSIVE, CampaignType.PREVIEW, CampaignType.MANUAL):
        assert not hasattr(OFFERED[type_], "lead_odds") and not hasattr(OFFERED[type_], "learn")
    desk = a_dialling_desk(
        0, agents=1, campaigns=[a_campaign(type=CampaignType.CALLBACK, people=("ana",))], offered={CampaignType.CALLBACK: OFFERED[CampaignType.CALLBACK]}
    )
    run = desk.dialer._w.runs[a_lead().campaign]
    assert run.lead_odds is None and likelier_first(run, some_leads(5), NOON) == some_leads(5)


def a_lesson(memory: Any, count: int = 3000) -> None:
    rng = Random(1)
    for n in range(count):
        kind = rng.choice(("mobile", "fixed"))
        predictive.learn(memory, a_lead(n, kind=kind), rng.random() < (0.5 if kind == "mobile" else 0.15), NOON + n)


def test_a_predictive_campaign_learns_and_its_next_daemon_knows() -> None:
    campaign = a_campaign(type=CampaignType.PREDICTIVE)
    memory = predictive.restore(campaign, None, NOON)
    a_lesson(memory)
    mobile, fixed = (predictive.lead_odds(memory, a_lead(kind=kind), NOON) for kind in ("mobile", "fixed"))
    assert mobile is not None and fixed is not None and mobile > 0.4 > 0.25 > fixed
    again = predictive.restore(campaign, predictive.save(memory), NOON)
    assert predictive.lead_odds(again, a_lead(kind="mobile"), NOON) == mobile
    assert predictive.explain(again, NOON)["by_lead"]["used"] is True


def test_by_lead_no_makes_all_leads_alike() -> None:
    campaign = a_campaign(type=CampaignType.PREDICTIVE, options=predictive.Options(by_lead=False))
    memory = predictive.restore(campaign, None, NOON)
    a_lesson(memory)
    assert predictive.lead_odds(memory, a_lead(kind="mobile"), NOON) is None and predictive.explain(memory, NOON)["by_lead"]["calls"] == 0
    assert predictive.lead_odds(None, a_lead(), NOON) is None


def test_equal_chances_leave_the_line_as_it_stood() -> None:
    desk = a_floor(telling(dict.fromkeys(range(1, 6), 0.4)), 0)
    run = desk.dialer._w.runs[a_lead().campaign]
    assert [lead.id for lead in likelier_first(run, some_leads(5), NOON)] == [LeadId(n) for n in range(1, 6)]
