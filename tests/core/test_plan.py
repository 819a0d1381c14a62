"""What an apply would change, thing by thing and setting by setting (fs_dialer/core/plan.py)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fs_dialer.core.definition import AgentDefinition, Attempts, Campaign, GatewayDefinition, Installation, Window
from fs_dialer.core.model import AgentId, CampaignType, GatewayId
from fs_dialer.core.plan import Difference, Standing, Wanted, differences, edits, leaves, settings_in
from fs_dialer.core.resources import CallerIds, CallerRoute, Holiday, Hours, Profile, Rule, Schedule, Script, ScriptItem, Then, When
from fs_dialer.modes import manual, predictive, progressive
from tests.core.builders import a_campaign

pytestmark = pytest.mark.spec("X5")

MORNING, EVENING = ((480, 720),), ((1020, 1230),)


def predicts(**missed: Any) -> Campaign:
    return a_campaign(type=CampaignType.PREDICTIVE, options=predictive.Options(missed=predictive.Missed(**missed)))


def of(old: Any, new: Any) -> list[tuple[str, str, Any, Any]]:
    return [(each.sign, each.path, each.old, each.new) for each in differences(old, new)]


def standing(value: Any, source: Any = "as written", **more: Any) -> Standing:
    return replace(Standing("campaign", "spring", 7, value, source, "running", 7), **more)


def wanted(value: Any, source: Any = "as written", *, named: bool = True) -> Wanted:
    return Wanted("campaign", "spring", value, source, "campaigns/spring.yml", 1, named)


# --- settings -------------------------------------------------------------------------------------------------------------------------


def test_a_setting_is_named_by_its_path_in_the_file() -> None:
    old, new = a_campaign(gap_s=14400.0), a_campaign(gap_s=7200.0)
    assert of(old, new) == [("~", "attempts.gap", 14400.0, 7200.0)]
    assert differences(old, new)[0].kind == "duration"


def test_the_settings_of_a_mode_stand_beside_the_campaigns_own() -> None:
    assert of(predicts(max=0.03), predicts(max=0.02)) == [("~", "missed.max", 0.03, 0.02)]


def test_a_revision_number_is_no_setting() -> None:
    assert of(a_campaign(revision=3), a_campaign(revision=4)) == []


def test_what_comes_is_added_and_what_goes_is_taken_away() -> None:
    assert of(a_campaign(), a_campaign(lines=20)) == [("+", "lines", None, 20)]
    assert of(a_campaign(title="Spring"), a_campaign()) == [("-", "title", "Spring", "")]


def test_names_in_a_list_come_and_go_one_by_one() -> None:
    old, new = a_campaign(people=("lan", "hoa")), a_campaign(people=("hoa", "tam"))
    assert of(old, new) == [("-", "agents.people", "lan", None), ("+", "agents.people", None, "tam")]


def test_the_same_names_in_another_order_are_one_difference() -> None:
    assert of(a_campaign(gateways=("north", "south")), a_campaign(gateways=("south", "north"))) == [("~", "gateways", ("north", "south"), ("south", "north"))]


def test_hours_differ_by_days_and_days_in_a_row_are_told_once() -> None:
    old = a_campaign(hours=Hours(week=(MORNING,) * 5 + ((), ())))
    new = a_campaign(hours=Hours(week=(EVENING,) * 3 + (MORNING,) * 2 + (MORNING, ())))
    assert of(old, new) == [("~", "hours.mon-wed", "8:00-12:00", "17:00-20:30"), ("+", "hours.sat", None, "8:00-12:00")]


def test_another_schedule_is_told_with_the_days_it_changes() -> None:
    old = a_campaign(hours=Hours(week=(MORNING,) * 7, schedule="office"))
    new = a_campaign(hours=Hours(week=(MORNING,) * 6 + ((),), schedule="short", zone="Asia/Tokyo"))
    assert of(old, new) == [("~", "hours", "office", "short"), ("-", "hours.sun", "8:00-12:00", None), ("+", "hours.zone", "", "Asia/Tokyo")]


def test_holidays_are_told_by_their_names() -> None:
    old = Schedule(name="office", holidays=(Holiday("Christmas", "12-25", "12-25"),))
    new = Schedule(name="office", holidays=(Holiday("Christmas", "12-25", "12-26"), Holiday("Tet", "2027-02-05", "2027-02-10")))
    assert of(old, new) == [("~", "holidays.Christmas", "12-25", "12-25..12-26"), ("+", "holidays.Tet", None, "2027-02-05..2027-02-10")]


def test_a_rule_that_changes_is_told_by_its_name_and_setting() -> None:
    old = a_campaign(rules=(Rule(name="evening", when=When(), then=Then(again_s=3600.0)), Rule(name="stop", then=Then(stop=True))))
    new = a_campaign(rules=(Rule(name="evening", when=When(), then=Then(again_s=7200.0)),))
    assert of(old, new) == [("~", "rules.evening.then.again", 3600.0, 7200.0), ("-", "rules.stop", True, None)]


def test_rules_in_another_order_are_a_difference() -> None:
    first, second = Rule(name="one", then=Then(stop=True)), Rule(name="two", then=Then(remove=True))
    assert of(a_campaign(rules=(first, second)), a_campaign(rules=(second, first))) == [("~", "rules", ("one", "two"), ("two", "one"))]


def test_another_script_is_one_difference_and_a_changed_one_is_told_by_what_changed() -> None:
    hello, bye = ScriptItem(say="Hello."), ScriptItem(say="Bye.")
    polite, short = Script(name="polite", items=(hello, bye)), Script(name="short", items=(hello,))
    assert of(a_campaign(script=polite), a_campaign(script=short)) == [("~", "script", polite, short)]
    assert of(a_campaign(script=polite), a_campaign(script=replace(polite, items=(hello,)))) == [("-", "script.items.2", True, None)]


def test_another_type_takes_its_settings_away_and_brings_its_own() -> None:
    old = predicts(max=0.03)
    new = replace(old, type=CampaignType.MANUAL, options=manual.Options(own_customer=True))
    paths = {(sign, path) for sign, path, _, _ in of(old, new)}
    assert {("~", "type"), ("-", "missed.max"), ("+", "own_customer")} <= paths


def test_trunks_of_the_installation_are_told_by_their_names() -> None:
    old = Installation(gateways=(GatewayDefinition(id=GatewayId("north"), lines=30),))
    new = Installation(gateways=(GatewayDefinition(id=GatewayId("north"), lines=20), GatewayDefinition(id=GatewayId("south"))))
    assert of(old, new) == [("~", "gateways.north.lines", 30, 20), ("+", "gateways.south", None, True)]


def test_routes_that_leave_every_trunk_to_a_number_mean_nothing() -> None:
    old = a_campaign(caller_id=CallerIds(numbers=("+34910000000",)))
    new = a_campaign(caller_id=CallerIds(numbers=("+34910000000",), routes=(CallerRoute("+34910000000"),)))
    assert of(old, new) == []
    assert of(old, replace(new, caller_id=replace(new.caller_id, routes=(CallerRoute("+34910000000", ("north",)),)))) != []


def test_defaults_differ_by_what_was_written() -> None:
    old, new = {"attempts": {"max": "3"}, "ring": "25s"}, {"attempts": {"max": "4", "gap": "2h"}}
    assert of(old, new) == [("~", "attempts.max", "3", "4"), ("+", "attempts.gap", None, "2h"), ("-", "ring", "25s", None)]


def test_a_new_thing_has_no_differences() -> None:
    assert differences(None, a_campaign()) == ()


def test_a_profile_of_another_name_is_one_difference() -> None:
    strict = Profile(name="us-tsr", connect_within_s=2.0)
    assert of(a_campaign(), a_campaign(compliance=strict)) == [("~", "compliance", Profile(), strict)]


def test_every_leaf_has_the_path_that_a_difference_of_it_has() -> None:
    paths = {leaf.path for leaf in leaves(predicts())}
    assert {"attempts.busy.gap", "missed.max", "window.zone", "caller_id.from"} <= paths


def test_the_sign_of_a_difference_tells_what_there_was() -> None:
    assert [Difference("x", "text", *pair).sign for pair in (("a", "b"), ("", "b"), ("a", ""), (None, 1), ((), (1,)))] == ["~", "+", "-", "+", "+"]


@pytest.mark.parametrize(("source", "count"), [({"a": "1", "b": {"c": "2", "d": ["x", "y"]}}, 3), ({}, 0)])
def test_settings_are_counted_as_they_are_written(source: Any, count: int) -> None:
    assert settings_in(source) == count


# --- things ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D5")
def test_a_changed_campaign_gets_the_next_revision_and_needs_an_approval() -> None:
    (edit,) = edits({("campaign", "spring"): standing(a_campaign())}, [wanted(a_campaign(title="x"))])
    assert (edit.what, edit.revision, edit.needs_approval) == ("changed", 8, True)


@pytest.mark.spec("D5")
def test_the_same_in_other_words_is_stored_and_stays_approved() -> None:
    (edit,) = edits({("campaign", "spring"): standing(a_campaign(), "one way")}, [wanted(a_campaign(), "another")])
    assert (edit.what, edit.revision, edit.needs_approval) == ("rewritten", 7, False)


def test_other_things_are_numbered_by_what_was_written() -> None:
    before = Standing("schedules", "office", 3, Schedule(name="office"), "one way")
    (edit,) = edits({before.key: before}, [Wanted("schedules", "office", Schedule(name="office"), "another")])
    assert (edit.what, edit.revision) == ("rewritten", 4)


@pytest.mark.spec("S24")
def test_a_new_campaign_begins_at_r1_unapproved() -> None:
    (edit,) = edits({}, [wanted(a_campaign())])
    assert (edit.what, edit.revision, edit.state, edit.needs_approval) == ("created", 1, "new", True)


def test_an_unchanged_thing_is_told_only_where_a_file_names_it() -> None:
    stored = {("campaign", "spring"): standing(a_campaign())}
    assert [edit.what for edit in edits(stored, [wanted(a_campaign())])] == ["unchanged"]
    assert edits(stored, [wanted(a_campaign(), named=False)]) == ()


def test_what_this_program_can_not_read_counts_as_changed() -> None:
    (edit,) = edits({("campaign", "spring"): standing(None)}, [wanted(a_campaign())])
    assert edit.what == "changed"


@pytest.mark.spec("M19")
def test_a_campaign_ends_once_and_one_that_never_was_does_not() -> None:
    running, over = standing(a_campaign()), standing(a_campaign(), state="ended")
    assert [edit.what for edit in edits({running.key: running}, [], ended=["spring", "nobody"])] == ["ended"]
    assert [edit.what for edit in edits({over.key: over}, [], ended=["spring"])] == ["unchanged"]


def test_what_campaigns_are_made_of_comes_before_them() -> None:
    agent = AgentDefinition(id=AgentId("lan"), dial_string="user/lan")
    found = edits(
        {}, [wanted(a_campaign()), Wanted("agents", "lan", agent, {}), Wanted("installation", "", Installation(), {}), Wanted("defaults", "", {}, {})]
    )
    assert [edit.kind for edit in found] == ["installation", "defaults", "agents", "campaign"]


def test_a_removed_thing_keeps_what_stood_there() -> None:
    before = Standing("schedules", "office", 3, Schedule(name="office"), {"hours": {}})
    (edit,) = edits({before.key: before}, [], removed=[before.key, ("schedules", "none")])
    assert (edit.what, edit.revision, edit.old_source, edit.new) == ("removed", 4, {"hours": {}}, None)


def test_parts_that_the_builders_make_are_compared_deeply() -> None:
    old = a_campaign(options=progressive.Options(), start=1.0)
    new = replace(old, attempts=Attempts(max=5, gap_s=600.0), agents=replace(old.agents, teams=("sales",)), window=Window(start=2.0))
    assert [path for _, path, _, _ in of(old, new)] == ["window.from", "agents.teams", "attempts.max"]
