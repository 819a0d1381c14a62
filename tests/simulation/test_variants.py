from __future__ import annotations

from dataclasses import replace

import pytest

from fs_dialer.core.model import CampaignType
from fs_dialer.modes.predictive import Missed
from fs_dialer.modes.predictive import Options as Predictive
from fs_dialer.simulation.setting import Setting, as_type
from fs_dialer.simulation.variants import numbers_of, question, types_of, varied
from tests.simulation.test_day import a_campaign

PREDICTIVE = Setting(a_campaign(CampaignType.PREDICTIVE, options=Predictive(missed=Missed(max=0.02, aim=0.015))))


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("agents=8..20:4", "agents", ("8", "12", "16", "20")),
        ("agents=8..11", "agents", ("8", "9", "10", "11")),
        ("agents=10..110", "agents", ("10", "35", "60", "85", "110")),
        ("agents=8..13:4", "agents", ("8", "12", "13")),
        ("agents=3,1", "agents", ("3", "1")),
        ("hours=0.5,8", "hours", ("0.5", "8")),
        ("missed=1%..5%", "missed.max", ("1%", "2%", "3%", "4%", "5%")),
        ("missed=1%..3%:0.5%", "missed.max", ("1%", "1.5%", "2%", "2.5%", "3%")),
        ("ring=15s..25s:5s", "ring", ("15s", "20s", "25s")),
        ("ring=1m,1m30s", "ring", ("1m", "1m30s")),
        ("wrap_up=5s,10s", "wrap_up.time", ("5s", "10s")),
        ("at_most=5s,10s", "waiting.at_most", ("5s", "10s")),
        ("attempts.max=1..3", "attempts.max", ("1", "2", "3")),
        ("lines=10..30:1", "lines", tuple(str(n) for n in range(10, 31))),
        ("pickup_rate=10%,30%", "pickup_rate", ("10%", "30%")),
    ],
)
def test_a_question_names_a_setting_and_its_values(text: str, name: str, values: tuple[str, ...]) -> None:
    asked = question(text, PREDICTIVE)
    assert (asked.name, asked.values) == (name, values)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("agents", "write a setting and its values"),
        ("agents=", "write a setting and its values"),
        ("agents=20..8", "must rise"),
        ("agents=0..3", "from 1 to 10000"),
        ("agents=1.5", "no number of agents"),
        ("agents=1..900:1", "at most 60"),
        ("agents=1..9:0", "from 1 to 10000|above 0"),
        ("ring=5..9", "of what"),
        ("ring=5s..10s:x", "the step"),
        ("missed=60%", "out of bounds: 0.1% to 50%"),
        ("gap=1h,2h", "attempts.gap, attempts.busy.gap"),
        ("title=x", "no setting of a predictive campaign that could be varied"),
        ("preview.time=10s", "no setting of a predictive campaign"),
    ],
)
def test_a_question_that_cannot_be_asked_is_told_why(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        question(text, PREDICTIVE)


def test_each_value_becomes_a_setting_of_its_own() -> None:
    days = varied(PREDICTIVE, question("waiting.at_most=5s,10s", PREDICTIVE))
    assert [each.setting.campaign.waiting.at_most_s for each in days] == [5.0, 10.0]
    assert [each.setting.agent_count for each in varied(PREDICTIVE, question("agents=2,3", PREDICTIVE))] == [2, 3]
    assert [each.setting.lead_count for each in varied(PREDICTIVE, question("leads=20,30", PREDICTIVE))] == [20, 30]
    assert varied(PREDICTIVE, None)[0].setting is PREDICTIVE


def test_the_aim_goes_with_the_ceiling() -> None:
    (four,) = varied(PREDICTIVE, question("missed=4%", PREDICTIVE))
    options = four.setting.campaign.options
    assert isinstance(options, Predictive) and (options.missed.max, options.missed.aim) == (0.04, pytest.approx(0.03))
    assert four.setting.ceiling == 0.04


def test_types_and_values_are_crossed() -> None:
    days = varied(PREDICTIVE, question("agents=2,3", PREDICTIVE), types_of("progressive, predictive"))
    assert [(each.type, each.value) for each in days] == [("progressive", "2"), ("progressive", "3"), ("predictive", "2"), ("predictive", "3")]


def test_a_setting_that_one_of_the_types_has_not_is_told() -> None:
    with pytest.raises(ValueError, match="no setting of a progressive campaign"):
        varied(PREDICTIVE, question("missed=1%,2%", PREDICTIVE), types_of("progressive,predictive"))


def test_an_autocall_campaign_cannot_be_made_of_another() -> None:
    with pytest.raises(ValueError, match="needs `ivr`"):
        as_type(PREDICTIVE, CampaignType.AUTOCALL)


@pytest.mark.parametrize("campaign_type", [each for each in CampaignType if each is not CampaignType.AUTOCALL])
def test_every_number_that_can_be_varied_can_be_set(campaign_type: CampaignType) -> None:
    setting = as_type(replace(PREDICTIVE), campaign_type)
    for path, field in numbers_of(setting.campaign).items():
        written = {"count": "1", "number": "1", "duration": "30s", "rate": "10%"}[field.metadata["kind"]]
        try:
            asked = question(f"{path}={written}", setting)
        except ValueError as wrong:
            assert "out of bounds" in str(wrong)
            continue
        assert varied(setting, asked)[0].setting.campaign.type is campaign_type
