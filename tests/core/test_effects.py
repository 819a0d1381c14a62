"""What a changed definition will do, in words (fs_dialer/core/effects.py)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fs_dialer.core.definition import Campaign, CampaignAgents, LeadsSource, Window
from fs_dialer.core.effects import Effect, Facts, Joining, effects, newcomer
from fs_dialer.core.model import CampaignType
from fs_dialer.core.plan import Edit, differences
from fs_dialer.core.resources import Holiday, Hours, Profile
from fs_dialer.modes import predictive
from tests.core.builders import a_campaign

pytestmark = pytest.mark.spec("X5")

FRIDAY_1041 = 1_795_776_060.0  # Fri 27 Nov 2026, 10:41 UTC
DAY = 86400.0
WEEKDAYS = (((480, 1200),),) * 5 + ((), ())
SATURDAY = (((480, 1200),),) * 5 + (((540, 720),), ())


def said(old: Campaign, new: Campaign, *, state: str = "running", approved: int | None = 7, **facts: Any) -> list[Effect]:
    edit = Edit("campaign", "spring", "changed", 8, old, new, state=state, approved_revision=approved)
    return list(effects(edit, differences(old, new), Facts(now=FRIDAY_1041, **facts)))


def about(path: str, *args: Any, **facts: Any) -> Effect:
    return next(effect for effect in said(*args, **facts) if effect.path == path)


def predicts(**missed: Any) -> Campaign:
    return a_campaign(type=CampaignType.PREDICTIVE, options=predictive.Options(missed=predictive.Missed(**missed)))


# --- break and maximum ----------------------------------------------------------------------------------------------------------------


def test_a_shorter_break_makes_leads_ready_at_once() -> None:
    found = about("attempts.gap", a_campaign(gap_s=14400.0), a_campaign(gap_s=7200.0), sooner=1240, later=0)
    assert found == Effect("attempts.gap", "1,240 leads become ready at once")


def test_a_longer_break_lets_leads_wait() -> None:
    assert about("attempts.gap", a_campaign(gap_s=600.0), a_campaign(gap_s=7200.0), sooner=0, later=1).text == "1 lead waits longer"


def test_a_break_that_nobody_is_in_changes_nothing_now() -> None:
    assert about("attempts.gap", a_campaign(gap_s=600.0), a_campaign(gap_s=7200.0), sooner=0, later=0).text == "changes nothing for leads that wait now"


def test_a_lower_maximum_says_who_is_not_called_any_more_and_warns() -> None:
    found = about("attempts.max", a_campaign(max_attempts=5), a_campaign(max_attempts=3), exhausted=12, back=0)
    assert found == Effect("attempts.max", "12 leads have had 3 calls or more: exhausted, not called any more", True)


def test_a_lower_maximum_that_nobody_has_reached_does_not_warn() -> None:
    assert about("attempts.max", a_campaign(max_attempts=5), a_campaign(max_attempts=3), exhausted=0, back=0).warns is False


def test_a_higher_maximum_brings_exhausted_leads_back() -> None:
    assert about("attempts.max", a_campaign(max_attempts=3), a_campaign(max_attempts=4), exhausted=0, back=77).text == "77 exhausted leads come back"


# --- missed calls ---------------------------------------------------------------------------------------------------------------------


def test_a_ceiling_that_is_passed_already_says_by_how_much_and_until_when() -> None:
    days = [(400, 2)] * 10 + [(400, 12)] * 20
    found = about("missed.max", predicts(max=0.03), predicts(max=0.02), days=days)
    assert found.warns
    assert found.text.startswith("260 missed of 12,000 (2.2%): over the new limit at once, so it would run as progressive until about ")
    # The two oldest days leave the window: 236 of 12,000 is 1.97 %.
    assert found.text.endswith("Sun 29 Nov")


def test_a_ceiling_with_room_says_so() -> None:
    assert about("missed.max", predicts(max=0.05), predicts(max=0.03), days=[(1000, 10)]) == Effect("missed.max", "10 missed of 1,000 (1.0%): within it")


def test_a_ceiling_before_the_first_answer_has_nothing_to_count() -> None:
    assert about("missed.max", predicts(max=0.05), predicts(max=0.03), days=[(0, 0)]).text == "nobody has answered within that time yet"


@pytest.mark.spec("D10")
def test_the_stricter_of_profile_and_campaign_is_the_limit() -> None:
    old = replace(predicts(max=0.10), compliance=Profile(name="house", missed_max=0.01))
    new = replace(predicts(max=0.05), compliance=Profile(name="house", missed_max=0.01))
    assert "over the new limit" in about("missed.max", old, new, days=[(100, 2)]).text


# --- times ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S9", "D4")
def test_a_new_day_has_its_first_effect_when_it_opens_where_the_numbers_live() -> None:
    old, new = a_campaign(hours=Hours(week=WEEKDAYS)), a_campaign(hours=Hours(week=SATURDAY))
    found = about("hours.sat", old, new, zones=[(("Asia/Ho_Chi_Minh",), 900), (("Europe/Madrid",), 5)])
    assert found.text == "first effect Sat 28 Nov 09:00 Asia/Ho_Chi_Minh"


def test_hours_that_shut_now_say_how_many_leads_go_outside() -> None:
    old, new = a_campaign(hours=Hours(week=WEEKDAYS)), a_campaign(hours=Hours(week=(((480, 600),),) * 7))
    found = about("hours.mon-fri", old, new, zones=[(("UTC",), 900), (("Asia/Tokyo",), 50), (("America/New_York",), 7)])
    # 10:41 in London is 19:41 in Tokyo, still inside the old hours, and 5:41 in New York, outside both.
    assert found == Effect("hours.mon-fri", "950 leads go outside hours at once", True)


def test_hours_that_open_now_say_how_many_leads_come_inside() -> None:
    old, new = a_campaign(hours=Hours(week=(((480, 600),),) * 7)), a_campaign(hours=Hours(week=WEEKDAYS))
    assert about("hours.mon-fri", old, new, zones=[(("UTC",), 1)]).text == "1 lead comes inside hours at once"


def test_a_holiday_far_away_makes_no_difference_yet() -> None:
    old = a_campaign(hours=Hours(week=WEEKDAYS))
    new = a_campaign(hours=Hours(week=WEEKDAYS, holidays=(Holiday("May Day", "05-01", "05-01"),)))
    assert about("hours.holidays.May Day", old, new, zones=[(("UTC",), 10)]).text == "makes no difference within two weeks"


@pytest.mark.spec("S6")
def test_an_end_that_is_past_warns() -> None:
    old = a_campaign(end=FRIDAY_1041 + DAY)
    assert about("window.until", old, a_campaign(end=FRIDAY_1041 - 1)) == Effect("window.until", "that is past: it ends as soon as it is approved", True)


def test_an_end_is_told_with_how_long_that_is() -> None:
    assert about("window.until", a_campaign(), a_campaign(end=FRIDAY_1041 + 3 * DAY)).text == "it ends Mon 30 Nov 10:41 UTC, in 3 d"
    assert about("window.until", a_campaign(end=FRIDAY_1041 + DAY), a_campaign()).text == "it goes on until its list is done"


@pytest.mark.spec("S5")
def test_a_start_that_moves_ahead_of_a_running_campaign_warns() -> None:
    old, new = a_campaign(), a_campaign(start=FRIDAY_1041 + 2 * 3600)
    assert about("window.from", old, new) == Effect("window.from", "no calls until Fri 27 Nov 12:41 UTC, in 2 h", True)
    assert about("window.from", old, new, state="approved") == Effect("window.from", "it begins Fri 27 Nov 12:41 UTC, in 2 h")


# --- lines, leads, agents -------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D2")
def test_lines_are_weighed_against_those_of_other_running_campaigns() -> None:
    found = about("lines", a_campaign(), a_campaign(lines=40), lines_total=60, lines_taken=25)
    assert found == Effect("lines", "with the 25 of other running campaigns that is 65 of 60: they share", True)
    assert about("lines", a_campaign(), a_campaign(lines=20), lines_total=60, lines_taken=25).text == "of 35 that other running campaigns leave"
    assert about("lines", a_campaign(lines=20), a_campaign(), lines_total=60).text == "any of the installation's 60"


@pytest.mark.spec("M10")
def test_another_source_of_leads_warns_where_they_are_called_before_the_approval() -> None:
    old, new = replace(a_campaign(), leads=LeadsSource(group="a")), replace(a_campaign(), leads=LeadsSource(group="b"))
    found = about("leads.group", old, new, joining=Joining(new=90, do_not_call=10))
    assert found == Effect("leads.group", "100 contacts (10 do-not-call) join at once, r7 calls them too; leads it has stay", True)
    assert not about("leads.group", old, new, approved=None, joining=Joining(new=1)).warns


def test_a_campaign_left_without_anybody_warns() -> None:
    new = replace(a_campaign(), agents=CampaignAgents())
    assert about("agents.people", a_campaign(), new) == Effect("agents.people", "nobody serves it then", True)


# --- afterwards -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D5")
def test_calls_in_the_air_keep_the_revision_they_were_made_under() -> None:
    assert about("", a_campaign(), a_campaign(title="x"), calls_up=23).text == "23 calls in the air keep r7; r8 needs approval again"
    assert about("", a_campaign(), a_campaign(title="x")).text == "r7 dials on; r8 needs approval again"


def test_a_campaign_that_nobody_approved_is_replaced() -> None:
    found = about("", a_campaign(), a_campaign(title="x"), state="new", approved=None)
    assert found.text == "r8 takes the place of r7, which nobody approved"


def test_every_setting_is_spoken_of_once_and_the_campaign_last() -> None:
    old, new = a_campaign(gap_s=14400.0, lines=10), a_campaign(gap_s=7200.0, lines=50, title="x")
    paths = [effect.path for effect in said(old, new, sooner=1, later=0, lines_total=60)]
    assert paths == ["attempts.gap", "lines", ""]


def test_two_breaks_that_change_are_one_sentence() -> None:
    old, new = a_campaign(gap_s=14400.0), a_campaign(gap_s=7200.0)
    new = replace(new, attempts=replace(new.attempts, busy=replace(new.attempts.busy, gap_s=60.0)))
    assert [effect.path for effect in said(old, new, sooner=3, later=2)] == ["attempts.gap", ""]
    assert about("attempts.gap", old, new, sooner=3, later=2).text == "3 leads become ready at once; 2 leads wait longer"


# --- new campaigns --------------------------------------------------------------------------------------------------------------------


def test_a_new_campaign_says_what_it_brings() -> None:
    facts = Facts(now=FRIDAY_1041, joining=Joining(new=8271, do_not_call=41), lines_total=100, lines_taken=40)
    assert newcomer(a_campaign(lines=40), facts, 11) == "11 settings, 8,312 leads (41 do-not-call), 40 lines of 60 free"


def test_a_new_campaign_without_a_source_has_no_leads_yet() -> None:
    assert newcomer(a_campaign(), Facts(now=0.0), 1) == "1 setting, no leads yet"
    assert newcomer(replace(a_campaign(), leads=LeadsSource(csv="list.csv")), Facts(now=0.0), 2) == "2 settings, leads from list.csv once they are imported"
    assert newcomer(replace(a_campaign(), type=CampaignType.CALLBACK), Facts(now=0.0), 2) == "2 settings"


@pytest.mark.spec("M20")
def test_a_clone_says_how_many_leads_it_takes() -> None:
    assert newcomer(a_campaign(), Facts(now=0.0, copied=3), 5) == "5 settings, 3 leads"


def test_lines_without_a_limit_are_shared() -> None:
    facts = Facts(now=0.0, lines_total=60, lines_taken=20, shared_with=2)
    assert newcomer(a_campaign(), facts, 1).endswith("any of 40 free lines, shared with 2 campaigns")


def test_the_zone_of_the_window_is_whose_clock_dates_are_told_on() -> None:
    old = replace(a_campaign(), window=Window(zone="Asia/Tokyo"))
    new = replace(a_campaign(), window=Window(zone="Asia/Tokyo", end=FRIDAY_1041 + DAY))
    assert about("window.until", old, new).text == "it ends Sat 28 Nov 19:41 Asia/Tokyo, in 1 d"
