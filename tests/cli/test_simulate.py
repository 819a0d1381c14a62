"""simulate: deterministic, honest in its figures, and told about its files' mistakes (X2)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fs_dialer.cli.simulation import DEFAULT_INSTALLATION, Figures, Setting, _runtime, _staffed, interval_95, simulate, starts_at
from fs_dialer.cli.simulation import Tape as _Tape
from fs_dialer.core.definition import AgentDefinition, Campaign, CampaignAgents, LeadsSource, Window
from fs_dialer.core.model import AgentId, CampaignId, CampaignType, LegKind
from fs_dialer.core.resources import CallerIds, Hours
from fs_dialer.core.stats import utilisation
from fs_dialer.sim.people import PeopleModel
from tests.cli.runner import CAMPAIGN, ROOT, a_folder, called, run

SHIPPED = ("simulate", "conf/campaigns/progressive.yml", "--agents", "10", "--hours", "0.5", "--json")


def a_campaign(**settings: object) -> Campaign:
    base = Campaign(
        id=CampaignId("spring"), type=CampaignType.PROGRESSIVE, caller_id=CallerIds(numbers=("+442079460100",)), agents=CampaignAgents(people=("lan",))
    )
    return replace(base, **settings)  # type: ignore[arg-type]


def a_day(**settings: object) -> Figures:
    return simulate(Setting(a_campaign(), **settings))  # type: ignore[arg-type]


# --- equal seeds, equal days ----------------------------------------------------------------------------------------------------------


def test_equal_seeds_give_equal_output_in_other_processes_and_another_seed_another() -> None:
    first = run(*SHIPPED, "--seed", "7", PYTHONHASHSEED="1")
    second = run(*SHIPPED, "--seed", "7", PYTHONHASHSEED="2")
    other = run(*SHIPPED, "--seed", "8")
    assert first.code == 0, first.err
    assert first.out == second.out and first.out != other.out
    assert {**first.json, "seed": 0} != {**other.json, "seed": 0}


def test_the_output_does_not_depend_on_the_machines_time_zone() -> None:
    assert run(*SHIPPED, TZ="America/New_York").out == run(*SHIPPED, TZ="Asia/Tokyo").out


# --- the figures ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S38", "X2")
@pytest.mark.parametrize("leg", [LegKind.NAILED, LegKind.PER_CALL])
def test_figures_agree_with_each_other_and_with_the_engines_own_accounts(leg: LegKind) -> None:
    agents = (AgentDefinition(id=AgentId("lan"), dial_string="user/1001", leg=leg),)
    setting = Setting(a_campaign(), agents=agents, agent_count=8, hours=2, seed=3)
    figures = simulate(setting)
    assert figures.attempts == sum(figures.outcomes.values()) > 300
    assert figures.connected == figures.outcomes["connected"] and figures.missed == figures.outcomes["missed"]
    assert figures.answered == figures.connected + figures.missed + figures.outcomes["early_hangup"]
    assert figures.lines_peak <= 8, "progressive: never more calls than agents (S38)"
    assert figures.leads_left < figures.leads == 8 * 2 * 120
    assert figures.utilisation == pytest.approx(_engines_utilisation(setting), abs=0.02), "seed 3"


def _engines_utilisation(setting: Setting) -> float:
    """The same day once more, asked of the engine's clocks for each agent's states."""
    campaign, agents = _staffed(setting)
    start = starts_at(campaign)
    runtime, _ = _runtime(setting, campaign, agents, start, _Tape())
    runtime.begin()
    runtime.run_until(start + setting.hours * 3600)
    return utilisation(list(runtime.dialer._w.time_use.values()))


def test_more_agents_connect_more_customers() -> None:
    assert a_day(agent_count=12, hours=0.5).connected > 1.5 * a_day(agent_count=4, hours=0.5).connected


def test_people_decide_the_outcomes() -> None:
    nobody = PeopleModel.from_mapping({"customers": {"outcomes": {"busy": 1}}})
    day = a_day(people=nobody, hours=0.2)
    assert day.answered == day.missed == 0 and day.outcomes["busy"] == day.attempts > 0
    assert (day.missed_rate, day.missed_rate_95, day.utilisation) == (0.0, (0.0, 1.0), 0.0)


@pytest.mark.spec("M9")
def test_a_list_that_is_done_ends_the_campaign_and_the_day() -> None:
    day = simulate(Setting(a_campaign(), agent_count=10, hours=200, leads=20, people=PeopleModel.from_mapping({"customers": {"outcomes": {"person": 1}}})))
    assert day.ended == "every lead is finished" and day.leads_left == 0 and day.simulated_s < 3600


@pytest.mark.spec("M10")
def test_a_campaign_that_waits_for_new_rows_goes_on_to_the_end() -> None:
    day = simulate(Setting(a_campaign(leads=LeadsSource(new_rows="join")), agent_count=10, hours=1, leads=20))
    assert day.ended == "" and day.simulated_s == 3600


@pytest.mark.spec("D2")
def test_lines_of_the_installation_limit_the_calls() -> None:
    tight = replace(DEFAULT_INSTALLATION, lines=6)
    day = a_day(installation=tight, agent_count=10, hours=0.3)
    assert day.legs_peak <= 7 and day.legs_limit == 6  # a leg that is gone is counted until the switch has said so


@pytest.mark.spec("S9")
def test_the_day_begins_when_hours_open_where_the_campaign_lives() -> None:
    weekdays = Hours(((),) * 2 + (((8 * 60, 20 * 60),),) + ((),) * 4)  # Wednesdays
    day = simulate(Setting(a_campaign(hours=weekdays, window=Window(zone="Asia/Ho_Chi_Minh")), agent_count=2, hours=0.1))
    assert day.starts_at == "2026-01-07T08:00:00+07:00"


def test_a_start_time_of_the_campaign_is_heeded() -> None:
    assert starts_at(a_campaign(window=Window(start=1_800_000_000.0))) == 1_800_000_000.0


def test_the_interval_is_wilsons() -> None:
    """Newcombe 1998, table I: 15 of 148 → 0.0624 to 0.1605."""
    low, high = interval_95(15, 148)
    assert (round(low, 4), round(high, 4)) == (0.0624, 0.1605)
    assert interval_95(0, 0) == (0.0, 1.0)


# --- files ----------------------------------------------------------------------------------------------------------------------------


def test_a_campaign_alone_in_its_folder_is_simulated_with_defaults(tmp_path: Path) -> None:
    file = tmp_path / "alone.yml"
    file.write_text(CAMPAIGN + "gateways: [some-trunk]\n")
    found = called("simulate", file, "--hours", "0.2", "--json").json
    assert found["agents"] == 2 and found["legs_limit"] == 1000 and found["attempts"] > 0


def test_agents_and_installation_above_the_campaign_are_heeded(tmp_path: Path) -> None:
    found = called("simulate", a_folder(tmp_path) / "campaigns" / "spring.yml", "--hours", "0.2", "--json").json
    assert found["legs_limit"] == 60


def test_a_mistake_in_the_campaign_is_told_with_its_place(tmp_path: Path) -> None:
    file = a_folder(tmp_path, extra="wrapup: 10s\n") / "campaigns" / "spring.yml"
    done = called("simulate", file)
    assert done.code == 3 and f"{file}:5:1  `wrapup` is no setting; nearest: wrap_up" in done.err


def test_an_unknown_agent_is_a_mistake_only_where_agents_are_defined(tmp_path: Path) -> None:
    file = a_folder(tmp_path) / "campaigns" / "spring.yml"
    file.write_text(CAMPAIGN.replace("hoa", "hao"))
    assert "`hao` is no agent we know; nearest: hoa" in called("simulate", file).err
    (tmp_path / "agents.yml").unlink()
    assert called("simulate", file, "--hours", "0.1").code == 0


@pytest.mark.parametrize("name", ["agents.yml", "installation.yml", ".", "nosuch.yml"])
def test_what_is_no_campaign_is_refused(name: str, tmp_path: Path) -> None:
    done = called("simulate", a_folder(tmp_path) / name)
    assert done.code == 3 and str(tmp_path) in done.err


def test_a_mistake_in_the_people_is_told_with_its_place(tmp_path: Path) -> None:
    people = tmp_path / "people.yml"
    people.write_text("customers:\n  outcomes:\n    person: 30%\n    bussy: 10%\n")
    done = called("simulate", a_folder(tmp_path) / "campaigns" / "spring.yml", "--people", people)
    assert done.code == 3 and f"{people}:" in done.err and "'bussy' is no outcome" in done.err


def test_the_people_of_the_demonstration_can_be_used() -> None:
    words = ("--people", str(ROOT / "conf" / "demo" / "people.yml"), "--hours", "0.1", "--json")
    assert called("simulate", ROOT / "conf" / "campaigns" / "progressive.yml", *words).json["attempts"] > 0


def test_the_table_for_people_has_the_same_figures(tmp_path: Path) -> None:
    file = a_folder(tmp_path) / "campaigns" / "spring.yml"
    found = called("simulate", file, "--hours", "0.5", "--json").json
    shown = called("simulate", file, "--hours", "0.5").out
    assert f"attempts {found['attempts']:>15,}".split()[-1] in shown
    assert "2 agents, 0.5 hours from Mon 5 Jan 2026 09:00 in Europe/London" in shown
    assert json.dumps(found["seed"]) in shown
