"""A simulated day: the figures agree with each other and with the engine's own accounts (X2)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from fs_dialer.cli.output import json_line
from fs_dialer.core.definition import AgentDefinition, Campaign, CampaignAgents, LeadsSource, Waiting, Window
from fs_dialer.core.model import AgentId, CampaignId, CampaignType, LegKind
from fs_dialer.core.resources import CallerIds, Hours
from fs_dialer.core.stats import utilisation
from fs_dialer.modes import SETTINGS
from fs_dialer.sim.people import PeopleModel
from fs_dialer.simulation.day import Day, simulate
from fs_dialer.simulation.figures import Figures
from fs_dialer.simulation.setting import DEFAULT_INSTALLATION, Setting, as_type, starts_at

NAILED = (AgentDefinition(id=AgentId("lan"), dial_string="user/1001", leg=LegKind.NAILED),)


def a_campaign(campaign_type: CampaignType = CampaignType.PROGRESSIVE, **settings: Any) -> Campaign:
    base = Campaign(
        id=CampaignId("spring"),
        type=campaign_type,
        caller_id=CallerIds(numbers=("+442079460100",)),
        agents=CampaignAgents(people=("lan",)),
        options=SETTINGS[campaign_type](),
    )
    return replace(base, **settings)


def a_day(**settings: Any) -> Figures:
    return simulate(Setting(settings.pop("campaign", a_campaign()), **settings))


def people(**given: Any) -> PeopleModel:
    return PeopleModel.from_mapping(given)


@pytest.mark.spec("S38", "X2")
@pytest.mark.parametrize("leg", [LegKind.NAILED, LegKind.PER_CALL])
def test_figures_agree_with_each_other_and_with_the_engines_own_accounts(leg: LegKind) -> None:
    setting = Setting(a_campaign(), agents=(replace(NAILED[0], leg=leg),), agent_count=8, hours=1, seed=3)
    figures = simulate(setting)
    assert figures.attempts == sum(figures.outcomes.values()) > 150
    assert figures.connected == figures.outcomes["connected"] and figures.missed == figures.outcomes["missed"]
    assert figures.answered == figures.connected + figures.missed + figures.gave_up
    assert figures.lines_peak <= 8, "progressive: never more calls than agents (S38)"
    assert figures.leads_left < figures.leads == 8 * 120
    day = Day(setting)
    day.begin()
    day.run_until(day.end)
    assert figures.utilisation == pytest.approx(utilisation(list(day.runtime.dialer._w.time_use.values())), abs=0.02), "seed 3"


@pytest.mark.spec("S40", "S44", "X2")
def test_predictive_keeps_agents_busier_than_progressive_under_its_ceiling() -> None:
    campaign = a_campaign(CampaignType.PREDICTIVE, waiting=Waiting(at_most_s=5.0))
    setting = Setting(campaign, agents=NAILED, agent_count=8, hours=0.5, seed=2)
    found, progressive = simulate(setting), simulate(as_type(setting, CampaignType.PROGRESSIVE))
    assert found.ceiling == 0.03 and progressive.ceiling is None
    assert found.utilisation > progressive.utilisation, "seed 2"
    assert found.missed <= 0.03 * found.answered + 1, "seed 2"


@pytest.mark.spec("S29")
def test_manual_agents_take_look_and_dial_one_after_the_other() -> None:
    model = people(agents=[{"match": "*", "take": "5s", "think": "10s", "skip": 0, "wrap_up": "20s"}])
    day = a_day(campaign=a_campaign(CampaignType.MANUAL), agents=NAILED, people=model, agent_count=3, hours=0.6)
    assert day.cards >= day.attempts > 30 and day.skipped == 0 and day.lines_peak <= 3
    (served,) = day.filed
    assert served.result == "served" and served.many == pytest.approx(day.connected, abs=3)


@pytest.mark.spec("S36", "M5")
def test_preview_agents_skip_some_cards_and_dial_the_others() -> None:
    model = people(agents=[{"match": "*", "think": "4s", "skip": "25%"}])
    day = a_day(campaign=a_campaign(CampaignType.PREVIEW), agents=NAILED, people=model, agent_count=4, hours=1)
    assert 0.12 < day.skipped / day.cards < 0.4, "seed 1"
    assert day.attempts <= day.cards - day.skipped + 4


@pytest.mark.spec("S65", "S66", "S89")
def test_who_asks_to_be_called_back_becomes_a_lead_during_the_day() -> None:
    model = people(requests=[{"from": "9:00", "to": "10:00", "rate": "60/hour"}], customers={"outcomes": {"person": 1}})
    day = a_day(campaign=a_campaign(CampaignType.CALLBACK), people=model, agent_count=6, hours=3, seed=4)
    assert day.leads == 0 and 40 <= day.requests <= 85, "seed 4"
    assert day.connected == pytest.approx(day.requests, abs=6)
    assert all(point.answered == 0 for point in day.course if point.from_s > 5400)


def test_agents_who_file_results_rest_as_long_as_their_notes_take() -> None:
    short, usual = ({"match": "*", **rule} for rule in ({"wrap_up": "2s"}, {}))
    days = [a_day(people=people(agents=[rule]), agents=NAILED, agent_count=6, hours=1) for rule in (short, usual)]
    assert days[0].connected > days[1].connected and days[0].filed[0].many >= 0.9 * days[0].connected and days[1].filed == ()


def test_shifts_and_breaks_take_agents_away() -> None:
    shift = people(zone="UTC", agents=[{"match": "*", "shift": "9:00-10:00, 10:30-24:00", "late": "5m"}])
    day = a_day(people=shift, agents=NAILED, agent_count=4, hours=2)
    assert day.staffed_s == pytest.approx(4 * (3300 + 1500), rel=0.03)
    breaks = people(agents=[{"match": "*", "breaks": {"every": "30m", "for": "10m"}}])
    staffed_s = a_day(people=breaks, agents=NAILED, agent_count=4, hours=2).staffed_s
    assert 4 * (7200 - 2 * 600) <= staffed_s < 4 * (7200 - 600), "a break asked for during a call begins after it"


def test_an_agent_set_to_not_available_by_the_dialler_comes_back() -> None:
    model = people(agents=[{"match": "*", "outcomes": {"no_answer": 0.7, "person": 0.3}, "back": "1m"}], customers={"outcomes": {"person": 1}})
    day = a_day(people=model, campaign=a_campaign(agent_ring_s=5.0), agent_count=3, hours=2)
    assert day.staffed_s < 3 * 7200 - 60 and day.course[-1].utilisation is not None
    assert sum(point.answered for point in day.course[len(day.course) // 2 :]) > 0, "they are back in the second half"


def test_the_second_call_to_a_lead_is_answered_as_the_model_says() -> None:
    campaign = a_campaign(attempts=replace(a_campaign().attempts, max=2, gap_s=60.0))
    model = people(customers={"outcomes": {"person": 0.5, "no_answer": 0.5}}, tries=["100%", "0%"])
    day = a_day(campaign=campaign, people=model, agents=NAILED, agent_count=6, hours=4, leads=60)
    assert day.ended and day.finished_s == day.simulated_s
    assert day.answered < 45, "nobody answers the second time"


def test_the_course_of_the_day_adds_up() -> None:
    day = a_day(agents=NAILED, agent_count=5, hours=1.1)
    assert len(day.course) == 14 and day.course[0].from_s == 0.0
    assert sum(point.missed for point in day.course) == day.missed
    assert sum(point.answered for point in day.course) <= day.answered
    assert max(point.lines for point in day.course) <= day.lines_peak
    assert json.loads(json_line(day))["course"][0]["lines"] == day.course[0].lines


def test_more_agents_connect_more_customers() -> None:
    assert a_day(agent_count=12, hours=0.5).connected > 1.5 * a_day(agent_count=4, hours=0.5).connected


def test_people_decide_the_outcomes() -> None:
    day = a_day(people=people(customers={"outcomes": {"busy": 1}}), agent_count=2, hours=0.1)
    assert day.answered == day.missed == 0 and day.outcomes["busy"] == day.attempts > 0
    assert (day.missed_rate, day.missed_rate_95, day.utilisation, day.idle_per_call_s) == (0.0, (0.0, 1.0), 0.0, None)


@pytest.mark.spec("M9")
def test_a_list_that_is_done_ends_the_campaign_and_the_day() -> None:
    day = a_day(agent_count=10, hours=200, leads=20, people=people(customers={"outcomes": {"person": 1}}))
    assert day.ended == "every lead is finished" and day.leads_left == 0 and day.finished_s == day.simulated_s < 3600


@pytest.mark.spec("M10")
def test_a_campaign_that_waits_for_new_rows_goes_on_to_the_end() -> None:
    day = a_day(campaign=a_campaign(leads=LeadsSource(new_rows="join")), agent_count=10, hours=1, leads=20)
    assert day.ended == "" and day.simulated_s == 3600 and day.finished_s is None


@pytest.mark.spec("D2")
def test_lines_of_the_installation_limit_the_calls() -> None:
    day = a_day(installation=replace(DEFAULT_INSTALLATION, lines=6), agent_count=10, hours=0.3)
    assert day.legs_peak <= 7 and day.legs_limit == 6  # a leg that is gone is counted until the switch has said so


@pytest.mark.spec("S9")
def test_the_day_begins_when_hours_open_where_the_campaign_lives() -> None:
    weekdays = Hours(((),) * 2 + (((8 * 60, 20 * 60),),) + ((),) * 4)  # Wednesdays
    day = a_day(campaign=a_campaign(hours=weekdays, window=Window(zone="Asia/Ho_Chi_Minh")), agent_count=2, hours=0.1)
    assert day.starts_at == "2026-01-07T08:00:00+07:00"


def test_a_start_time_of_the_campaign_is_heeded() -> None:
    assert starts_at(a_campaign(window=Window(start=1_800_000_000.0))) == 1_800_000_000.0
