"""simulate: deterministic, honest in its figures, and told about its files' mistakes (X2)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.runner import CAMPAIGN, ROOT, a_folder, called, run

SHIPPED = ("simulate", "conf/campaigns/progressive.yml", "--agents", "10", "--hours", "0.5", "--json")


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


# --- files ----------------------------------------------------------------------------------------------------------------------------


def test_a_campaign_alone_in_its_folder_is_simulated_with_defaults(tmp_path: Path) -> None:
    file = tmp_path / "alone.yml"
    file.write_text(CAMPAIGN + "gateways: [some-trunk]\n")
    found = called("simulate", file, "--hours", "0.2", "--json").json
    assert found["agents"] == 2 and found["legs_limit"] == 1000 and found["attempts"] > 0


def test_agents_and_installation_above_the_campaign_are_heeded(tmp_path: Path) -> None:
    found = called("simulate", a_folder(tmp_path) / "campaigns" / "spring.yml", "--hours", "0.2", "--json").json
    assert found["legs_limit"] == 60


def test_whoever_is_in_a_team_that_serves_the_campaign_counts_as_its_agent(tmp_path: Path) -> None:
    file = a_folder(tmp_path) / "campaigns" / "spring.yml"
    file.write_text(CAMPAIGN.replace("{people: [lan, hoa]}", "{people: [lan], teams: [all]}"))
    (tmp_path / "teams.yml").write_text("teams:\n  all: [lan, hoa]\n")
    assert called("simulate", file, "--hours", "0.05", "--json").json["agents"] == 2


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


@pytest.mark.spec("X2", "S58")
def test_an_autocall_campaign_is_simulated_with_its_flow_and_its_lines() -> None:
    day = called("simulate", ROOT / "conf" / "campaigns" / "autocall.yml", "--hours", "0.05", "--json").json
    assert day["attempts"] > 50 and day["answered"] > 5 and 20 < day["lines_peak"] <= 40


@pytest.mark.spec("X2")
@pytest.mark.parametrize("name", ["manual", "preview", "callback"])
def test_every_other_type_is_simulated_from_its_example(name: str) -> None:
    day = called("simulate", ROOT / "conf" / "campaigns" / f"{name}.yml", "--hours", "0.5", "--agents", "4", "--json").json
    assert day["attempts"] > 5 and (day["cards"] >= day["attempts"]) == (name != "callback") and (day["requests"] > 0) == (name == "callback")


# --- several days -------------------------------------------------------------------------------------------------------------------------------

PREDICTIVE = ("simulate", ROOT / "conf" / "campaigns" / "predictive.yml", "--agents", "4", "--hours", "0.1")


@pytest.mark.spec("X2", "S40")
def test_a_forecast_is_the_same_whatever_the_number_of_jobs() -> None:
    one = called(*PREDICTIVE, "--seeds", "2", "--json", "--jobs", "1")
    assert one.code == 0, one.err
    assert run(*map(str, PREDICTIVE), "--seeds", "2", "--json", "--jobs", "3").out == one.out
    found = one.json
    assert found["ceiling"] == 0.02 and [each["seed"] for each in found["runs"]] == [1, 2]
    for each in found["runs"]:
        assert each["missed_rate"] == pytest.approx(each["missed"] / each["answered"], abs=1e-6)
        assert each["progressive_utilisation"] > 0
    busy = found["forecast"]["utilisation"]
    assert busy["low"] <= busy["mean"] <= busy["high"] and busy["days"] == 2


def test_the_first_day_of_a_forecast_is_the_day_alone() -> None:
    alone = called(*PREDICTIVE, "--seed", "2", "--json").json
    run_of_two = called(*PREDICTIVE, "--seeds", "2", "--jobs", "1", "--json").json["runs"][1]
    assert {key: alone[key] for key in ("seed", "missed", "answered", "utilisation")} == {
        key: run_of_two[key] for key in ("seed", "missed", "answered", "utilisation")
    }


def test_types_are_compared_with_the_same_people_on_the_same_days() -> None:
    found = called(*PREDICTIVE, "--compare", "progressive,predictive", "--seeds", "2", "--jobs", "1", "--json").json
    progressive, predictive = found["variants"]
    assert (progressive["type"], predictive["type"]) == ("progressive", "predictive")
    assert [each["progressive_utilisation"] for each in predictive["runs"]] == [each["utilisation"] for each in progressive["runs"]]
    assert progressive["ceiling"] is None and predictive["ceiling"] == 0.02


def test_a_setting_is_tried_at_several_values() -> None:
    found = called(*PREDICTIVE, "--what-if", "agents=2..6:2", "--seeds", "1", "--jobs", "1", "--json").json
    assert found["setting"] == "agents" and [(each["value"], each["agents"]) for each in found["variants"]] == [("2", 2), ("4", 4), ("6", 6)]
    shown = called(*PREDICTIVE, "--what-if", "missed=1%,5%", "--seeds", "1", "--jobs", "1").out
    assert "MISSED.MAX" in shown and " 5% " in shown


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--what-if", "rong=1s"), "nearest: ring"),
        (("--what-if", "missed=1..5"), "write 1% or 0.01"),
        (("--what-if", "ring=1s..20s"), "out of bounds: 5s to 2m"),
        (("--compare", "progresive,predictive"), "nearest: progressive"),
        (("--compare", "predictive"), "two types or more"),
        (("--compare", "predictive,autocall"), "a campaign of type autocall needs `ivr`, which a predictive campaign has not"),
        (("--plot", "day.pdf"), ".svg or .png"),
        (("--write-people", "x.yml"), "needs --learn"),
    ],
)
def test_a_mistake_in_the_options_is_told_before_anything_long_is_done(words: tuple[str, ...], told: str) -> None:
    done = called(*PREDICTIVE, *words)
    assert done.code == 2 and told in done.err


def test_without_a_file_or_a_campaign_to_learn_from_there_is_nothing_to_do() -> None:
    done = called("simulate")
    assert done.code == 2 and "name the campaign's file" in done.err
