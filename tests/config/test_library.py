"""Things over things: names resolved, defaults merged, what hangs on a change judged; a library or every problem."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.config.library import KINDS, Library, Thing, builtin_profiles, read_things, references, resolve
from fs_dialer.config.things import source_of, things_of
from fs_dialer.config.yaml_source import read_yaml
from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import CampaignType
from fs_dialer.core.resources import CallerRoute, Holiday, Hours, Profile
from fs_dialer.errors import ConfigError
from tests.config.world import INSTALLATION, NEEDED, SHARED, as_stored, campaign, library, problem, problems, shelf, things


def spring(more: str = "", campaign_type: str = "progressive", **others: str) -> Campaign:
    return library(spring=campaign(campaign_type, more), **others).campaigns["spring"]


def stored_problems(given: dict[str, str], stored: dict[str, str], removed: tuple[tuple[str, str], ...] = ()) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        resolve(things(given), as_stored(things(stored)), removed=removed)
    return [str(each) for each in caught.value.problems]


# --- what names stand for --------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S9", "D4")
def test_hours_by_the_name_of_a_schedule_carry_its_week_holidays_zone_and_name() -> None:
    hours = spring("hours: office\n").hours
    assert hours.week[0] == ((480, 1200),) and hours.week[5] == ()
    assert hours.holidays == (Holiday("Christmas", "12-25", "12-26"),)
    assert (hours.zone, hours.schedule) == ("Europe/London", "office")


def test_hours_may_stand_in_the_campaign_itself() -> None:
    assert spring("hours: {mon: 8:00-9:00}\n").hours == Hours((((480, 540),), *((),) * 6))


@pytest.mark.spec("D10")
def test_a_profile_becomes_part_of_the_campaign_a_built_in_one_too() -> None:
    assert spring("compliance: house\n").compliance.missed_max == 0.02
    assert spring("compliance: us-tsr\nwaiting: {then: sorry}\n").compliance == builtin_profiles()["us-tsr"]
    assert spring().compliance == Profile()


@pytest.mark.spec("S14", "M23")
def test_the_script_named_default_is_that_of_campaigns_that_name_none() -> None:
    shared = SHARED.replace("scripts:\n", "scripts:\n  default: [{say: Hello}]\n")
    plain, named = spring(shared=shared).script, spring("script: winback\n", shared=shared).script
    assert plain is not None and plain.name == "default" and plain.items[0].say == "Hello"
    assert named is not None and named.name == "winback" and named.items[0].key == "reason"
    assert spring().script is None and spring(campaign_type="autocall", shared=shared).script is None


@pytest.mark.spec("M12")
def test_dispositions_are_those_named_or_all() -> None:
    assert [each.name for each in spring("dispositions: [sold]\n").dispositions] == ["sold"]
    assert [each.name for each in spring().dispositions] == ["later", "sold"]


@pytest.mark.spec("M11")
def test_rules_are_a_list_or_the_name_of_a_set() -> None:
    assert spring("rules: persistent\n").rules == spring("rules: [{when: {outcome: busy}, then: {again: 5m}}]\n").rules


@pytest.mark.spec("S18", "M3")
def test_a_filter_is_a_condition_or_the_name_of_one() -> None:
    assert spring("leads: {filter: gold}\n").leads.filter == "tier = gold"
    assert spring("leads: {filter: tier = silver}\n").leads.filter == "tier = silver"
    assert "`golf` is no filter we know; nearest: gold" in problem(spring=campaign(more="leads: {filter: golf}\n"))


@pytest.mark.spec("S54", "S55", "S56", "S61", "M13")
def test_caller_ids_are_one_several_or_all_with_their_trunks() -> None:
    assert spring().caller_id.routes == (CallerRoute("+442079460100"),)
    text = campaign(more="caller_id: {from: all, order: fixed, sticky: yes}\n", without="caller_id")
    ids = library(spring=text).campaigns["spring"].caller_id
    assert ids.numbers == ("+442079460101", "+442079460102") and (ids.order, ids.sticky) == ("fixed", True)
    assert ids.routes == (CallerRoute("+442079460101", ("trunk1",)), CallerRoute("+442079460102", ()))


@pytest.mark.spec("S45")
def test_a_sound_is_a_declared_one_or_a_file() -> None:
    waiting = spring("waiting: {music: hold.wav, then: sorry}\n").waiting
    assert (waiting.music, waiting.notice) == ("hold.wav", "sounds/sorry.wav")
    assert "waiting.then: `sory` is no sound we know; nearest: sorry" in problem(spring=campaign(more="waiting: {then: sory}\n"))


def test_an_autocall_ticket_yes_means_what_such_a_campaign_can_do() -> None:
    assert spring("tickets: yes\n", "autocall").tickets == "on_agent_or_voicemail"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("hours: offce", "hours: `offce` is no schedule we know; nearest: office; schedules stand below schedules:"),
        ("compliance: us-trs", "compliance: `us-trs` is no profile we know; nearest: us-tsr"),
        ("script: winbck", "script: `winbck` is no script we know; nearest: winback"),
        ("dispositions: [sold, solid]", "dispositions: `solid` is no disposition we know; nearest: sold"),
        ("rules: persistant", "rules: `persistant` is no rule set we know; nearest: persistent"),
        ("leads: {group: custmers}", "leads.group: `custmers` is no group we know; nearest: customers"),
        ("gateways: [trunk3]", "gateways: `trunk3` is no gateway we know; nearest: trunk"),
        ("rules: [{when: {disposition: solt}, then: {stop: yes}}]", "rules.1.when.disposition: `solt` is no disposition we know; nearest: sold"),
    ],
)
def test_a_name_that_nothing_has_is_told_with_the_nearest(line: str, what: str) -> None:
    assert what in problem(spring=campaign(more=line + "\n"))


def test_an_unknown_team_is_told() -> None:
    text = campaign(without="agents", more="agents: {teams: [renewal]}\n")
    assert "agents.teams: `renewal` is no team we know; nearest: renewals" in problem(spring=text)


# --- defaults --------------------------------------------------------------------------------------------------------------------------


def test_defaults_stand_in_leaf_by_leaf_and_the_campaigns_own_word_goes_over_them() -> None:
    defaults = "attempts: {max: 5, gap: 1h, busy: {gap: 7m}}\nhours: office\nwrap_up: 33s\ncaller_id: {from: 123, sticky: yes}\n"
    found = spring("attempts: {gap: 2h}\n", defaults=defaults)
    assert (found.attempts.max, found.attempts.gap_s, found.attempts.busy.gap_s, found.wrap_up_s) == (5, 7200, 420, 33)
    assert found.hours.schedule == "office"
    assert found.caller_id.numbers == ("+442079460100",) and found.caller_id.sticky
    assert library(spring=campaign(without="caller_id"), defaults=defaults).campaigns["spring"].caller_id.numbers == ("123",)


def test_settings_that_a_type_does_not_have_are_passed_over_in_defaults() -> None:
    """Spec §2: no gap and no wrap-up in a manual campaign, no missed rate but in a predictive one."""
    defaults = "attempts: {gap: 1h}\nwrap_up: 33s\nmissed: {max: 1%}\npreview: {time: 9s}\n"
    found = library(a=campaign("manual"), b=campaign("predictive"), defaults=defaults).campaigns
    assert found["a"].wrap_up.time_s == 10 and found["a"].wrap_up_s == 0 and found["a"].attempts.gap_s == 4 * 3600
    assert found["b"].options.missed.max == 0.01  # type: ignore[attr-defined]


def test_a_problem_in_defaults_is_told_once_at_its_own_place() -> None:
    found = problems(a=campaign(), b=campaign(), defaults="wrapup: 3s\nring: 1s\nhours: offce\n")
    assert [each.split("  ")[0] for each in found] == ["defaults.yml:1:1", "defaults.yml:2:7", "defaults.yml:3:8"]


def test_a_contradiction_that_defaults_make_is_told_once_with_the_campaigns_that_meet_it() -> None:
    found = problem(a=campaign(without="agents", more="agents: {people: [tam]}\n"), b=campaign(without="agents", more="agents: {people: [tam]}\n"),
                    c=campaign(), defaults="agent_ring: 90s\n")  # fmt: skip
    assert found.startswith("defaults.yml:1:13  agent_ring: 1m30s must be shorter") and found.endswith("(for a, b)")


def test_a_moment_in_defaults_is_read_on_the_campaigns_clock() -> None:
    defaults = "window: {from: 2027-01-01 0:00}\n"
    london = spring("window: {zone: Europe/London}\n", defaults=defaults).window.start
    hanoi = spring("window: {zone: Asia/Ho_Chi_Minh}\n", defaults=defaults).window.start
    assert london is not None and hanoi is not None and london - hanoi == 7 * 3600


def test_a_type_does_not_belong_into_defaults() -> None:
    assert problem(defaults="state: ended\nring: 20s\n", a=campaign()) == "defaults.yml:1:1  state: belongs into each campaign's own file"


def test_every_setting_says_where_it_comes_from() -> None:
    defaults = "attempts: {max: 5}\nhours: office\nwrap_up: 33s\n"
    origins = library(spring=campaign(more="ring: 20s\ncompliance: house\n"), defaults=defaults).origins["spring"]
    assert origins["ring"] == "spring.yml:4" and origins["attempts.max"] == "defaults.yml:1" and origins["attempts.gap"] == "built in"
    assert origins["hours"] == "schedules office" and origins["compliance"] == "profiles house" and origins["wrap_up.time"] == "defaults.yml:3"
    assert origins["dispositions"] == "dispositions all" and "missed.max" not in origins


# --- over what is stored ---------------------------------------------------------------------------------------------------------------


def test_names_are_looked_for_in_the_files_first_and_then_in_what_is_stored() -> None:
    stored = as_stored(things(shelf()))
    given = things({"campaigns/spring.yml": campaign(more="hours: office\n"), "b.yml": "schedules: {office: {hours: {mon: 1:00-2:00}}}\n"})
    assert resolve(given, stored).campaigns["spring"].hours.week[0] == ((60, 120),)
    assert resolve(given[:1], stored).campaigns["spring"].hours.week[0] == ((480, 1200),)


def test_what_is_read_from_the_store_is_what_was_read_from_the_files() -> None:
    files = shelf(spring=campaign(more="hours: office\nrules: persistent\ntitle: 'null'\n"), summer=campaign("predictive"), defaults="ring: 20s\n")
    found = things(files)
    back = tuple(replace(thing, source=json.loads(json.dumps(thing.source)), file="", line=0, origin=None) for thing in found)
    one, other = resolve(found), resolve((), back)
    assert (one.campaigns, one.agents, one.installation, one.named) == (other.campaigns, other.agents, other.installation, other.named)
    assert other.origins["spring"]["hours"] == "schedules office" and other.origins["spring"]["ring"] == "the defaults, as stored"


def test_a_stored_campaign_that_a_change_breaks_is_told_as_such() -> None:
    stored = shelf(summer=campaign(more="hours: office\nwindow: {from: 2027-03-01 8:00, until: 2027-03-03 8:00}\n"))
    (found,) = stored_problems({"s.yml": "schedules:\n  office: {hours: {sun: 8:00-9:00}}\n"}, stored)
    assert found.startswith("campaign summer, as stored  hours: no minute between 2027-03-01 8:00 and 2027-03-03 8:00 is open")
    assert found.endswith("; it rests on schedule office, which s.yml:2 changes")


def test_a_change_reaches_campaigns_through_defaults_and_teams() -> None:
    stored = shelf(
        summer=campaign(without="agents", more="agents: {teams: [renewals]}\ncompliance: us-tsr\nwaiting: {then: sorry}\n"), defaults="hours: office\n"
    )
    (found,) = stored_problems({"a.yml": "agents: {lan: {dial: user/1001, leg: per_call}}\n"}, stored)
    assert "leg: nailed is needed for lan" in found and "agent lan, which a.yml:1 changes" in found
    (found,) = stored_problems({"s.yml": "schedules: {office: {hours: {mon: 2:00-3:00}}}\n"}, stored)
    assert found.startswith("the defaults, as stored  hours: {mon: 2:00-3:00} and us-tsr's {mon-sun: 8:00-21:00} never meet")
    assert found.endswith("(for summer); it rests on schedule office, which s.yml:1 changes")


def test_a_thing_that_is_removed_while_a_campaign_names_it_is_told() -> None:
    stored = shelf(summer=campaign(more="hours: office\n"))
    (found,) = stored_problems({}, stored, removed=(("schedules", "office"),))
    assert found.startswith("campaign summer, as stored  hours: `office` is no schedule we know") and found.endswith(
        "; schedule office is removed but named by campaign summer"
    )


def test_a_stored_thing_that_nothing_touches_is_not_judged() -> None:
    """It may be from an older version; it is left out, and stands in nobody's way."""
    broken = Thing("campaign", "old", {"type": "progressive", "speed": "3"})
    found = resolve(things({"g.yml": "groups: {new: }\n"}), (*as_stored(things(shelf(spring=campaign()))), broken))
    assert set(found.campaigns) == {"spring"} and ("groups", "new") in found.named


def test_only_what_is_wanted_is_read() -> None:
    stored = as_stored(things(shelf(**{f"c{number}": campaign() for number in range(5)})))
    found = resolve(things({"campaigns/new.yml": campaign()}), stored, only={("campaign", "c3")})
    assert set(found.campaigns) == {"new", "c3"}


def test_given_things_may_be_resolved_again_and_again() -> None:
    found = things(shelf(spring=campaign(more="ring: 1s\n")))
    for _ in range(2):
        with pytest.raises(ConfigError) as caught:
            resolve(found)
        assert len(caught.value.problems) == 1


# --- references ------------------------------------------------------------------------------------------------------------------------


def test_references_are_the_things_that_one_names() -> None:
    text = campaign(more="hours: office\nrules: [{when: {disposition: sold}, then: {stop: yes}}]\nleads: customers\ngateways: trunk1\nwaiting: {then: sorry}\n")
    (found,) = things({"campaigns/spring.yml": text})
    assert references(found) == {
        ("schedules", "office"), ("dispositions", "sold"), ("groups", "customers"), ("installation", ""), ("agents", "lan"),
        ("caller_ids", "+442079460100"), ("sounds", "sorry"),
    }  # fmt: skip
    (team,) = (each for each in things({"a.yml": "teams: {renewals: [lan, hoa]}\n"}))
    assert references(team) == {("agents", "lan"), ("agents", "hoa")}
    (trigger,) = things({"t.yml": "triggers: {t: {on: ticket_created, then: [{add_to: hotline}, {webhook: crm}]}}\n"})
    assert references(trigger) == {("campaign", "hotline"), ("webhooks", "crm")}


# --- several of one name ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "caller_ids"])
def test_a_name_is_given_once_for_each_kind_over_all_files(kind: str) -> None:
    needed = NEEDED.get(kind, "title: x")
    text = f"{kind}:\n  twin: {{{needed}}}\n"
    with pytest.raises(ConfigError) as caught:
        resolve(things({"installation.yml": INSTALLATION, "a.yml": text, "b.yml": text}))
    (found,) = caught.value.problems
    assert (found.file, found.line, found.path) == ("b.yml", 2, f"{kind}.twin") and "is defined in a.yml as well" in found.text


def test_one_caller_id_written_in_two_ways_is_the_same() -> None:
    with pytest.raises(ConfigError, match=r"\+44123 stands here a second time, first in line 2"):
        things({"a.yml": "caller_ids:\n  +44 123:\n  +44-123:\n"})


# --- built in --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D10")
def test_the_built_in_profiles_hold_the_figures_of_their_sources() -> None:
    tsr, ofcom = builtin_profiles()["us-tsr"], builtin_profiles()["uk-ofcom"]
    assert (tsr.connect_within_s, tsr.ring_at_least_s, tsr.missed_max, tsr.missed_over_s, tsr.notice_on_missed) == (2, 15, 0.03, 30 * 86400, True)
    assert set(tsr.hours.week) == {((480, 1260),)} and "16 CFR 310.4(b)(4)" in tsr.source
    assert (ofcom.ring_at_least_s, ofcom.recall_after_missed_s, ofcom.notice_on_missed) == (15, 72 * 3600, True)
    assert builtin_profiles()["none"] == Profile(name="none", title=builtin_profiles()["none"].title)


def test_a_built_in_profile_can_not_be_redefined() -> None:
    assert "comes with the program" in problem(extra="profiles: {us-tsr: {ring_at_least: 1s}}\n")


# --- ending --------------------------------------------------------------------------------------------------------------------------


def test_a_file_may_end_its_campaign_and_nothing_else_of_its_life_stands_there() -> None:
    assert things({"campaigns/a.yml": campaign(more="state: ended\n")})[0].source["state"] == "ended"
    assert library(a=campaign(more="state: ended\n")).campaigns["a"].type is CampaignType.PROGRESSIVE
    assert "state: only `ended` can stand here" in problem(a=campaign(more="state: running\n"))


# --- files -----------------------------------------------------------------------------------------------------------------------------


def test_files_are_read_into_things_with_their_places(tmp_path: Path) -> None:
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "campaigns" / "spring.yml").write_text("# a comment\n" + campaign())
    (tmp_path / "shared.yml").write_text("schedules:\n  office:\n    title: Office\n")
    (tmp_path / "people.yml").write_text("people: {}\n")
    found, passed_over = read_things([tmp_path])
    assert {(each.kind, each.name, each.line) for each in found} == {("campaign", "spring", 2), ("schedules", "office", 2)}
    assert [path.name for path in passed_over] == ["people.yml"]
    (tmp_path / "shared.yml").write_text("schedules: [a\n")
    with pytest.raises(ConfigError, match="never closed"):
        read_things([tmp_path])


# --- whatever is written ---------------------------------------------------------------------------------------------------------------

WORDS = ["office", "30s", "3%", "yes", "lan", "8:00-20:00", "UTC", "2026-12-01 8:00", "5", "", "${x}", "+8491", "all", "12-25", "tier = gold", "~", "50/day"]
KEYS = sorted({"type", "state", "x", "default", "office", "lan", *KINDS, "title", "hours", "mon-fri", "rules", "when", "then", "again", "caller_id", "from",
               "people", "teams", "leads", "filter", "items", "ask", "class", "on", "url", "attempts", "max", "quota", "except", "missed", "lines",
               "gateways", "window", "until", "zone", "compliance", "set", "holidays", "where", "waiting", "dispositions", "script"})  # fmt: skip
TREES = st.recursive(
    st.sampled_from([*WORDS, "progressive", "autocall", "predictive", "manual", "ticket_created", "success"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=14,
)
TABLES = st.dictionaries(st.sampled_from(KEYS), TREES, min_size=1, max_size=5)
NAMES = st.sampled_from(["campaigns/a.yml", "defaults.yml", "installation.yml", "x.yml", "agents.yml"])


@given(st.lists(st.tuples(st.sampled_from(["campaign", "defaults", "installation", *KINDS]), TREES), max_size=6))
@settings(deadline=None, max_examples=150)
def test_any_stored_tree_is_a_library_or_problems(trees: list[tuple[str, object]]) -> None:
    stored = [Thing(kind, "" if kind in ("defaults", "installation") else f"n{number}", tree) for number, (kind, tree) in enumerate(trees)]
    assert isinstance(resolve((), stored), Library)
    try:
        found = resolve(stored, as_stored(things(shelf(spring=campaign()))))
    except ConfigError as error:
        assert error.problems
    else:
        assert {thing.name for thing in stored if thing.kind == "campaign"} <= set(found.campaigns)


@given(st.lists(st.tuples(NAMES, TABLES.map(json.dumps) | st.text(max_size=60)), max_size=3))
@settings(deadline=None, max_examples=100)
def test_any_text_as_any_file_is_a_library_or_problems_with_a_place(files: list[tuple[str, str]]) -> None:
    try:
        found = things(dict(files))
        resolve((*found, *things({"shared.yml": SHARED, "campaigns/z.yml": campaign()})))
    except ConfigError as error:
        assert all(each.file and each.text for each in error.problems)


def test_a_tree_of_a_file_is_json_and_every_scalar_the_text_as_written() -> None:
    file = read_yaml("campaigns/a.yml", b"type: manual\nring: 020\nlist: [no, 8:00, +84, '']\nnothing:\n")
    assert file.root is not None
    assert source_of(file.root) == {"type": "manual", "ring": "020", "list": ["no", "8:00", "+84", ""], "nothing": None}
    assert [thing.key for thing in things_of(file)] == [("campaign", "a")]
