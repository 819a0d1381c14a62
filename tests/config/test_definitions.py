"""One thing as written → what it defines: which type has which setting, and how each kind of thing is read."""

from __future__ import annotations

import pytest

from fs_dialer.config.fields import Setting, all_settings
from fs_dialer.config.things import KINDS
from fs_dialer.core.model import CampaignType
from fs_dialer.core.resources import AttemptCap, Holiday
from fs_dialer.modes import SETTINGS, manual, preview
from tests.config.world import campaign, library, problem, problems

TYPES = [each.value for each in CampaignType]

# Spec §2, row by row: the settings that not every type has. A type that is not named does not have it.
AGENT_TYPES = {"manual", "preview", "progressive", "predictive"}
MATRIX = {
    "attempts.gap": {"preview", "progressive", "predictive", "autocall", "callback"},
    "attempts.busy": {"preview", "progressive", "predictive", "autocall", "callback"},
    "wrap_up": {"preview", "progressive", "predictive", "callback"},
    "script": AGENT_TYPES,
    "leads": {*AGENT_TYPES, "autocall"},
    "tickets": {*AGENT_TYPES, "autocall"},
    "quota": {"manual"},
    "own_customer": {"manual"},
    "preview": {"preview"},
    "missed": {"predictive"},
    "remedy": {"predictive"},
    "by_lead": {"predictive"},
    "pickup_rate": {"predictive"},
    "ivr": {"autocall"},
    "machines": {"autocall"},
    "from_queue": {"callback"},
    # Whoever is answered before an agent is there may have to wait for one; a callback rings the agent first.
    "waiting": {"progressive", "predictive", "autocall"},
    "agent_ring": {"progressive", "predictive", "autocall", "callback"},
}
CAMPAIGN = [each for each in all_settings() if each.where == "campaign" and each.kind != "section" and not each.lists]
# What makes sense alone only, or not at all without more: the rest of the test is about the setting's place, not its value.
TEXTS = {
    "leads.csv": "leads: {group: customers}", "leads.group": "leads: {group: customers}", "agents.people": "agents: {people: [lan, hoa]}",
    "dispositions": "dispositions: [sold]", "compliance": "compliance: house", "quota.except": "quota: {except: {lan: 80/day}}",
    "early_media": "early_media: no", "caller_id.order": "caller_id: {from: 123, order: fixed}", "caller_id.sticky": "caller_id: {from: 123, sticky: yes}",
}  # fmt: skip


def has(setting: Setting, campaign_type: str) -> bool:
    return all(campaign_type in types for path, types in MATRIX.items() if setting.path == path or setting.path.startswith(path + "."))


@pytest.mark.spec("S11", "S13", "S14", "S15", "S29", "S30", "S34", "S36", "S37", "S38", "S39", "S45", "S52", "S62", "S63", "S64", "S68", "S70")
@pytest.mark.parametrize("campaign_type", TYPES)
@pytest.mark.parametrize("setting", CAMPAIGN, ids=lambda setting: setting.path)
def test_a_type_has_exactly_the_settings_of_the_matrix(setting: Setting, campaign_type: str) -> None:
    text = TEXTS.get(setting.path, setting.example())
    if setting.path == "tickets" and campaign_type != "autocall":
        text = "tickets: yes"
    key = text.partition(":")[0]
    whole = campaign(campaign_type, text + "\n", without=key)
    if key == "ivr" and campaign_type == "autocall":
        whole = whole.replace("ivr: dues\n", "")
    if key == "agents" and "people" not in text:
        whole = whole.replace("agents: {", "agents: {people: [lan], ")
    if has(setting, campaign_type):
        assert library(a=whole).campaigns["a"].type.value == campaign_type
    else:
        found = problem(a=whole)
        article = "an" if campaign_type == "autocall" else "a"
        assert f"{article} {campaign_type} campaign has no such setting; it is there for " in found
        listed = found.partition("it is there for ")[2].replace(" and ", ", ").split(", ")
        assert set(listed) == set(next(types for path, types in MATRIX.items() if setting.path == path or setting.path.startswith(path + ".")))


def test_the_matrix_above_is_about_settings_that_there_are() -> None:
    assert set(MATRIX) <= {each.path for each in all_settings() if each.where == "campaign"}


@pytest.mark.spec("S1", "S3", "S4", "S7", "S8", "S10", "S12", "S22", "M4")
@pytest.mark.parametrize("campaign_type", TYPES)
def test_all_six_types_can_be_defined_with_what_all_have(campaign_type: str) -> None:
    more = "title: Spring\ndescription: Renewals\nwindow: {from: 2026-12-01 8:00, until: 2026-12-20 20:00}\nhours: {mon-fri: 8:00-20:00}\n"
    more += "attempts: {max: 3, no_callback: 30d, no_callback_for: all}\n"
    found = library(a=campaign(campaign_type, more)).campaigns["a"]
    assert isinstance(found.options, SETTINGS[found.type])
    assert (found.title, found.description, found.attempts.max, found.attempts.no_callback_scope) == ("Spring", "Renewals", 3, "all")


def test_auto_callback_is_understood_as_callback() -> None:
    assert "nearest: callback" in problem(a=campaign("auto_callback"))


@pytest.mark.spec("S30", "S31", "S32")
def test_a_quota_is_the_same_for_all_or_another_for_some() -> None:
    options = library(a=campaign("manual", "quota: {each: 50/day, except: {lan: 80/day}}\n")).campaigns["a"].options
    assert options == manual.Options(quota=manual.Quota(each=50, apart=(("lan", 80),)))
    short = library(a=campaign("manual", "quota: 50/day\n")).campaigns["a"].options
    assert short == manual.Options(quota=manual.Quota(each=50))


@pytest.mark.spec("S36", "M5", "D17")
def test_a_preview_is_read_whole() -> None:
    text = "preview: {time: 20s, accept: agent, at_end: skip, extend: 2 x 15s, skip: {allowed: 3/hour, reason: required}}\n"
    card = preview.Card(time_s=20, accept="agent", at_end="skip", extend=(2, 15.0), skip=preview.Skip(allowed=3, reason="required"))
    assert library(a=campaign("preview", text)).campaigns["a"].options == preview.Options(preview=card)


@pytest.mark.spec("M11", "M12")
def test_rules_are_read_whole() -> None:
    text = """\
rules:
  - name: evening
    when: {outcome: [busy, no_answer], disposition: sold, connected: no, attempts: ">= 2", missed: no}
    then: {at: "18:30", next_number: yes, set: {tried: [a, b]}, beyond_maximum: yes}
  - {then: {again: 2d}}
"""
    first, second = library(a=campaign(more=text)).campaigns["a"].rules
    assert (first.when.outcomes, first.when.dispositions, first.when.attempts) == (("busy", "no_answer"), ("sold",), ">=2")
    assert (first.when.connected, first.when.missed, first.then.at_minute, first.then.set) == (False, False, 1110, (("tried", "a|b"),))
    assert second.then.again_s == 2 * 86400


@pytest.mark.spec("S14", "M23", "M24")
def test_a_script_is_sentences_and_questions_of_every_kind() -> None:
    text = """\
scripts:
  survey:
    - {say: Good day}
    - {ask: Why?, as: why, required: yes}
    - {ask: Which?, as: which, answer: choice, options: [a, b]}
    - {ask: Which all?, as: all, answer: choices, options: [a, b, c]}
    - {ask: How many?, as: many, answer: number, least: 0, most: 10}
    - {ask: When?, as: when, answer: date}
"""
    items = library(extra=text).named["scripts", "survey"].items
    assert [item.kind for item in items if item.ask] == ["text", "choice", "choices", "number", "date"]
    assert items[1].required and items[3].options == ("a", "b", "c") and (items[4].low, items[4].high) == (0, 10)


@pytest.mark.spec("S79", "S80", "S81", "S82")
def test_a_trigger_is_an_event_conditions_and_actions() -> None:
    text = "triggers:\n  t: {on: ticket_created, when: {channel: callback, queue: [a, b]}, then: {add_to: hotline}}\n"
    trigger = library(extra=text, hotline=campaign("callback")).named["triggers", "t"]
    assert (trigger.on, trigger.when, trigger.then[0].add_to) == ("ticket_created", (("channel", "callback"), ("queue", "a|b")), "hotline")


def test_a_profile_of_ones_own_is_read_whole_and_its_hours_carry_its_holidays() -> None:
    text = "profiles:\n  p: {hours: {mon: 8:00-9:00}, holidays: {x: 01-01}, attempts: [{max: 3, in: 1d}, {max: 7, in: 7d}], recall_after_missed: 72h}\n"
    profile = library(extra=text).named["profiles", "p"]
    assert profile.hours.holidays == (Holiday("x", "01-01", "01-01"),)
    assert profile.attempts == (AttemptCap(max=3, within_s=86400), AttemptCap(max=7, within_s=7 * 86400)) and profile.recall_after_missed_s == 72 * 3600


def test_installation_settings_and_tables_may_share_a_file() -> None:
    found = library(installation="lines: 5\ngateways: {trunk1: , trunk2: }\ngroups: {vip: }\n")
    assert found.installation is not None and found.installation.lines == 5 and ("groups", "vip") in found.named


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_thing_is_told_by_its_own_path(kind: str) -> None:
    name = "+44123" if kind == "caller_ids" else "mine"
    found = problems(extra=f"{kind}:\n  {name}: {{titel: x}}\n")
    assert any(each.startswith("extra.yml:2:") and f"{kind}.{name}: `titel` is no setting" in each for each in found)


def test_a_setting_in_the_wrong_kind_of_file_is_told_where_it_belongs() -> None:
    found = problems(extra="groups: {a: }\nlines: 3\nring: 3s\nteems: {}\n")
    assert [each.partition("  ")[2] for each in found] == [
        "`lines` is no setting of this file: it belongs into installation.yml",
        "`ring` is no setting of this file: it belongs into a campaign's file, or into defaults.yml",
        "`teems` is no setting of this file; nearest: teams",
    ]


def test_a_table_without_names_says_what_is_expected() -> None:
    assert "schedules: names are expected below, each with its settings (title, hours, holidays, zone)" in problem(extra="schedules: [office]\n")
