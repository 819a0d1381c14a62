"""What the agent reads beside each result is what the result will do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fs_dialer.core.definition import Attempts, Campaign
from fs_dialer.core.effect_words import effect_text, span_words
from fs_dialer.core.model import CampaignType
from fs_dialer.core.resources import Disposition, Rule, Then, When
from tests.core.builders import NOON, a_campaign, a_lead

pytestmark = pytest.mark.spec("M12", "D14", "S12")
LONDON = "Europe/London"


def campaign(**more: Any) -> Campaign:
    more.setdefault("attempts", Attempts(max=3, gap_s=4 * 3600.0, no_callback_s=180 * 86400.0))
    return a_campaign(**more)


def text(kind: str, *, final: bool = True, label: str = "", of: Campaign | None = None, lead: Any = None) -> str:
    return effect_text(of or campaign(), Disposition(name="it", label=label, outcome_class=kind, final=final), NOON, LONDON, lead)


@pytest.mark.parametrize(
    ("kind", "final", "said"),
    [
        ("refused", True, "it: not called for 180 days"),
        ("success", True, "it: done, no more calls"),
        ("success", False, "it: called again after 4 hours"),
        ("neutral", True, "it: done, no more calls"),
        ("retry", True, "it: called again after 4 hours"),
        ("callback", True, "it: called again at the time you promise"),
        ("wrong_number", True, "it: wrong number, no more calls"),
    ],
)
def test_each_class_says_what_it_does(kind: str, final: bool, said: str) -> None:
    assert text(kind, final=final) == said


def test_the_button_is_named_as_people_read_it() -> None:
    assert text("refused", label="Refused") == "Refused: not called for 180 days"


@pytest.mark.spec("D16")
def test_a_refusal_that_holds_for_all_campaigns_says_so() -> None:
    for_all = campaign(attempts=Attempts(no_callback_s=86400.0, no_callback_scope="all"))
    assert text("refused", of=for_all) == "it: not called for 1 day, by any campaign"


@pytest.mark.spec("S10")
def test_the_last_call_says_that_none_is_left() -> None:
    assert text("retry", lead=a_lead(attempts=3)) == "it: no more calls, all 3 are used"


@pytest.mark.spec("M13")
def test_a_wrong_number_goes_on_to_the_next_where_there_is_one() -> None:
    assert text("wrong_number", lead=a_lead(attempts=1, other_numbers=1)) == "it: called again on the next number after 1 minute"


@pytest.mark.spec("M11")
def test_a_rule_that_names_the_result_is_named_with_its_time() -> None:
    rule = Rule(name="evening", when=When(dispositions=("it",)), then=Then(again_s=26 * 3600.0, set=(("tried", "yes"),)))
    said = text("success", of=campaign(rules=(rule,)))
    assert said.startswith("it: called again from ") and said.endswith(", tried = yes (rule evening)")


@pytest.mark.spec("S11")
def test_in_a_manual_campaign_the_break_is_the_agents() -> None:
    assert text("retry", of=replace(campaign(), type=CampaignType.MANUAL)) == "it: called again after 20 minutes"


@pytest.mark.parametrize(("seconds", "said"), [(1, "1 second"), (90, "90 seconds"), (1200, "20 minutes"), (86400, "1 day"), (100000.5, "1 day")])
def test_spans_are_told_in_their_largest_whole_unit(seconds: float, said: str) -> None:
    assert span_words(seconds) == said
