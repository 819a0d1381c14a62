"""Why a lead is not dialled and when it will be: one lead for every gate, in zones ahead and behind and over the changes of clocks; leads counted by class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fs_dialer.core import leads as gate
from fs_dialer.core.definition import Campaign
from fs_dialer.core.explain import Clock, LeadAnswer, LeadClass, explain_campaign, explain_class, explain_lead, own_shut
from fs_dialer.core.leads import NOTHING_KNOWN, ORDER, Check, Facts
from fs_dialer.core.model import CampaignState, LeadStatus
from fs_dialer.core.resources import Holiday, Hours
from fs_dialer.core.schedule import dial_verdict, next_open
from tests.core.builders import NOON, a_campaign, a_lead

pytestmark = pytest.mark.spec("X1")

RUNNING, APPROVED = CampaignState.RUNNING, CampaignState.APPROVED
HOUR, DAY = 3600.0, 86400.0
EIGHT_TO_EIGHT = Hours((((480, 1200),),) * 7)


def utc(text: str) -> float:
    return datetime.fromisoformat(text + "+00:00").timestamp()


@dataclass(frozen=True)
class Place:
    """Where and when a lead is asked about: noon and nine in the evening of one day by its clock, and eight in the morning of the next."""

    zone: str
    noon: float
    evening: float
    morning: float


PLACES = {
    "a day ahead": Place("Pacific/Kiritimati", utc("2026-06-19 22:00"), utc("2026-06-20 07:00"), utc("2026-06-20 18:00")),
    "far behind": Place("Pacific/Pago_Pago", utc("2026-06-20 23:00"), utc("2026-06-21 08:00"), utc("2026-06-21 19:00")),
    "Madrid, clocks go forward": Place("Europe/Madrid", utc("2026-03-28 11:00"), utc("2026-03-28 20:00"), utc("2026-03-29 06:00")),
    "Madrid, clocks go back": Place("Europe/Madrid", utc("2026-10-24 10:00"), utc("2026-10-24 19:00"), utc("2026-10-25 07:00")),
    "New York, clocks go forward": Place("America/New_York", utc("2026-03-07 17:00"), utc("2026-03-08 02:00"), utc("2026-03-08 12:00")),
    "New York, clocks go back": Place("America/New_York", utc("2026-10-31 16:00"), utc("2026-11-01 01:00"), utc("2026-11-01 13:00")),
}


@dataclass(frozen=True)
class Case:
    """What shuts one gate and no other. until: what the gate says; next_at: when the lead may be dialled."""

    now: float
    until: float | None
    next_at: float | None
    lead: dict[str, Any]
    campaign: dict[str, Any]
    facts: Facts = NOTHING_KNOWN
    state: CampaignState = RUNNING


def case(now: float, until: float | None, next_at: float | None, *, facts: Facts = NOTHING_KNOWN, state: CampaignState = RUNNING, **more: Any) -> Case:
    return Case(now, until, next_at, more.get("lead", {}), more.get("campaign", {}), facts, state)


def holiday(place: Place) -> Hours:
    day = datetime.fromtimestamp(place.noon, ZoneInfo(place.zone)).date().isoformat()
    return replace(EIGHT_TO_EIGHT, holidays=(Holiday("a feast", day, day),))


MIDNIGHT_S = 12 * HOUR  # after noon: no clock has changed yet
CASES: dict[str, Callable[[Place], Case]] = {
    gate.CAMPAIGN: lambda p: case(p.noon, None, None, state=CampaignState.PAUSED),
    gate.WINDOW: lambda p: case(p.noon, p.morning, p.morning, campaign={"start": p.morning}),
    gate.STATUS: lambda p: case(p.noon, None, None, lead={"status": LeadStatus.SUCCEEDED}),
    gate.HOURS: lambda p: case(p.evening, p.morning, p.morning, campaign={"hours": replace(EIGHT_TO_EIGHT, zone=p.zone)}),
    gate.ZONES: lambda p: case(p.evening, p.morning, p.morning),
    gate.HOLIDAYS: lambda p: case(p.noon, p.morning, p.morning, campaign={"hours": holiday(p)}),
    gate.DO_NOT_CALL: lambda p: case(p.noon, None, None, facts=Facts(do_not_call=("own",), lists=3)),
    gate.NO_CALLBACK: lambda p: case(p.noon, p.noon + MIDNIGHT_S, p.morning, facts=Facts(no_callback=p.noon + MIDNIGHT_S)),
    gate.ATTEMPTS: lambda p: case(p.noon, None, None, lead={"attempts": 3}),
    gate.NUMBER_CAP: lambda p: case(p.noon, p.noon + MIDNIGHT_S, p.morning, facts=Facts(caps=((2, 2, DAY, p.noon + MIDNIGHT_S),))),
    gate.NUMBER_IN_CALL: lambda p: case(p.noon, p.noon + 60, p.noon + 60, facts=Facts(in_call=True)),
    gate.GAP: lambda p: case(p.noon, p.noon + MIDNIGHT_S, p.morning, lead={"ready_at": p.noon + MIDNIGHT_S, "ready_why": "gap"}),
    gate.RULE_TIME: lambda p: case(p.noon, p.noon + MIDNIGHT_S, p.morning, lead={"ready_at": p.noon + MIDNIGHT_S, "ready_why": "promised"}),
    gate.QUOTA: lambda p: case(p.noon, p.morning, p.noon, facts=Facts(quota=Check(gate.QUOTA, False, "50 of 50", p.morning))),
    gate.CALLER_ID: lambda p: case(p.noon, p.noon + 60, p.noon, facts=Facts(caller_id=Check(gate.CALLER_ID, False, "rests", p.noon + 60))),
    gate.LINES: lambda p: case(p.noon, None, p.noon, facts=Facts(lines=Check(gate.LINES, False, "all in use"))),
    gate.AGENTS: lambda p: case(p.noon, None, p.noon, facts=Facts(agents=Check(gate.AGENTS, False, "0 of 12 agents idle"))),
}
"""One lead for every gate."""


def answer_of(place: Place, made: Case) -> LeadAnswer:
    campaign = a_campaign(**{"hours": EIGHT_TO_EIGHT, "max_attempts": 3, **made.campaign})
    return explain_lead(a_lead(zones=(place.zone,), **made.lead), campaign, made.state, made.now, made.facts)


def test_there_is_a_lead_for_every_gate() -> None:
    assert tuple(CASES) == ORDER


@pytest.mark.spec("S5", "S9", "S10", "S11", "S12", "D4", "D9", "D10", "D14", "D16", "S57")
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("name", ORDER)
def test_the_gate_that_is_shut_is_named_with_its_end_and_the_next_moment_to_dial(name: str, place: Place) -> None:
    made = CASES[name](place)
    answer = answer_of(place, made)
    (shut,) = answer.shut
    assert (shut.gate, shut.until) == (name, made.until)
    assert shut.reason
    assert answer.next_at == made.next_at
    assert (answer.never is None) == (made.next_at is not None)
    assert answer.never is None or answer.never.gate == name
    assert answer.own_shut == (None if name in (gate.CAMPAIGN, gate.WINDOW) else shut)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_lead_that_nothing_shuts_may_be_dialled_now(place: Place) -> None:
    answer = answer_of(place, case(place.noon, None, None, facts=Facts((), 3, 0.0, ((1, 3, DAY, None),), False)))
    assert (answer.shut, answer.next_at, answer.never) == ((), place.noon, None)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_break_of_a_day_is_24_hours_whatever_the_clocks_do(place: Place) -> None:
    answer = answer_of(place, case(place.noon, None, None, lead={"ready_at": place.noon + DAY, "ready_why": "gap"}))
    assert answer.next_at == place.noon + DAY


def test_the_engine_is_not_asked_while_another_gate_is_shut() -> None:
    facts = Facts(lines=Check(gate.LINES, True, "3 of 60 in use"), agents=Check(gate.AGENTS, False, "none idle"))
    shut = explain_lead(a_lead(ready_at=NOON + 5), a_campaign(), RUNNING, NOON, facts)
    free = explain_lead(a_lead(), a_campaign(), RUNNING, NOON, facts)
    assert [check.gate for check in shut.checks if check.gate in (gate.LINES, gate.AGENTS)] == []
    assert [check.gate for check in free.checks][-2:] == [gate.LINES, gate.AGENTS]


def test_of_several_gates_the_last_to_open_decides_and_the_hours_come_on_top() -> None:
    place = PLACES["Madrid, clocks go forward"]
    facts = Facts(no_callback=place.noon + 9 * HOUR, caps=((2, 2, DAY, place.noon + 30 * HOUR), (4, 4, 7 * DAY, place.noon + 33 * HOUR)))
    lead = a_lead(zones=(place.zone,), ready_at=place.noon + HOUR, ready_why="gap")
    answer = explain_lead(lead, a_campaign(hours=EIGHT_TO_EIGHT), RUNNING, place.noon, facts)
    assert [check.gate for check in answer.shut] == [gate.NO_CALLBACK, gate.NUMBER_CAP, gate.GAP]
    assert answer.next_at == utc("2026-03-30 06:00")  # 33 hours after noon it is ten in the evening


def test_a_refused_lead_returns_to_what_it_was() -> None:
    lead = a_lead(status=LeadStatus.REFUSED, ready_at=NOON + DAY, ready_why="no_callback")
    again = explain_lead(lead, a_campaign(), RUNNING, NOON, returns_to=LeadStatus.RETRY)
    over = explain_lead(lead, a_campaign(), RUNNING, NOON, returns_to=LeadStatus.SUCCEEDED)
    assert ([check.gate for check in again.shut], again.next_at) == ([gate.NO_CALLBACK], NOON + DAY)
    assert over.next_at is None and over.never is not None and over.never.gate == gate.STATUS


def test_a_refusal_that_is_over_opens_with_the_daemons_next_round() -> None:
    lead = a_lead(status=LeadStatus.REFUSED, ready_at=NOON - 5, ready_why="no_callback")
    assert explain_lead(lead, a_campaign(), RUNNING, NOON).next_at == NOON


def test_a_campaign_that_ends_before_the_lead_is_ready_never_dials_it() -> None:
    answer = explain_lead(a_lead(ready_at=NOON + DAY), a_campaign(end=NOON + HOUR), RUNNING, NOON)
    assert answer.next_at is None and answer.never is not None
    assert (answer.never.gate, answer.never.reason) == (gate.WINDOW, "the campaign ends before it may be called again")


@pytest.mark.spec("S27", "D11")
def test_a_campaign_that_was_started_before_its_time_begins_by_itself_and_its_leads_with_it() -> None:
    campaign = a_campaign(start=NOON + HOUR)
    by_itself = explain_lead(a_lead(), campaign, APPROVED, NOON, starts_at=NOON + HOUR)
    by_hand = explain_lead(a_lead(), campaign, APPROVED, NOON)
    assert (by_itself.next_at, [check.until for check in by_itself.shut]) == (NOON + HOUR, [NOON + HOUR, NOON + HOUR])
    assert by_hand.next_at is None and by_hand.never is not None and by_hand.never.gate == gate.CAMPAIGN


def test_zones_with_no_hour_in_common_are_never_open() -> None:
    lead = a_lead(zones=("America/Los_Angeles", "Asia/Tokyo"))
    short = Hours((((600, 660),),) * 7)
    answer = explain_lead(lead, a_campaign(hours=short), RUNNING, NOON)
    assert (answer.next_at, [check.until for check in answer.shut]) == (None, [None])


def test_until_of_the_hours_is_when_all_clocks_are_open_at_once() -> None:
    """At nine in the evening of Madrid it is early afternoon in New York: what opens first is of no use alone."""
    lead = a_lead(zones=("America/New_York", "Europe/Madrid"))
    answer = explain_lead(lead, a_campaign(hours=EIGHT_TO_EIGHT), RUNNING, utc("2026-06-20 19:00"))
    assert [(check.gate, check.until) for check in answer.shut] == [(gate.ZONES, utc("2026-06-21 12:00"))]


def test_a_lead_that_is_being_called_is_not_called_again() -> None:
    answer = explain_lead(a_lead(status=LeadStatus.IN_PROGRESS), a_campaign(), RUNNING, NOON)
    assert answer.shut == (Check(gate.STATUS, False, "being called now"),) and answer.next_at is None


@pytest.mark.spec("S57", "X7")
def test_a_lead_that_was_put_back_says_by_which_gate() -> None:
    deferred = explain_lead(a_lead(ready_at=NOON + 60, ready_why="promised", held_by=gate.CALLER_ID), a_campaign(), RUNNING, NOON)
    assert [(check.gate, check.until) for check in deferred.shut] == [(gate.GAP, NOON + 60)]
    assert deferred.shut[0].reason == "no caller id or trunk was healthy: called after the others"


def test_the_gate_to_name_is_one_that_no_time_opens_then_the_leads_own_then_the_hours() -> None:
    night = Check(gate.ZONES, False, "", 10.0)
    gap, forbidden = Check(gate.GAP, False, "", 5.0), Check(gate.DO_NOT_CALL, False, "")
    paused = Check(gate.CAMPAIGN, False, "paused")
    assert own_shut([paused, night, gap]) == gap
    assert own_shut([night, forbidden, gap]) == forbidden
    assert own_shut([paused, night]) == night
    assert own_shut([paused]) is None


# --- ahead ----------------------------------------------------------------------------------------------------------------------------


def test_asked_ahead_a_lead_is_what_time_makes_of_it() -> None:
    refused = a_lead(status=LeadStatus.REFUSED, ready_at=NOON + HOUR, ready_why="no_callback")
    facts = Facts(caps=((2, 2, DAY, NOON + HOUR),), in_call=True)
    later = explain_lead(refused, a_campaign(), RUNNING, NOON + 2 * HOUR, facts, ahead=True)
    sooner = explain_lead(refused, a_campaign(), RUNNING, NOON + 1800, facts, ahead=True)
    assert later.shut == ()
    assert {check.gate for check in sooner.shut} == {gate.NO_CALLBACK, gate.NUMBER_CAP}
    assert gate.NUMBER_IN_CALL not in {check.gate for check in (*later.checks, *sooner.checks)}


def test_asked_ahead_a_started_campaign_has_begun() -> None:
    campaign = a_campaign(start=NOON + HOUR)
    assert explain_lead(a_lead(), campaign, APPROVED, NOON + 2 * HOUR, starts_at=NOON + HOUR, ahead=True).shut == ()
    classes = [LeadClass(5, LeadStatus.NEW)]
    assert explain_campaign(classes, campaign, APPROVED, NOON + 2 * HOUR, starts_at=NOON + HOUR, ahead=True).ready == 5
    assert explain_campaign(classes, campaign, APPROVED, NOON, starts_at=NOON + HOUR).next_at == NOON + HOUR


def test_asked_ahead_refused_leads_that_return_to_an_end_count_as_finished() -> None:
    classes = [LeadClass(3, LeadStatus.REFUSED, returns_to=LeadStatus.SUCCEEDED, ready_at=NOON - 5, opens_at=NOON - 5)]
    told = explain_campaign(classes, a_campaign(), RUNNING, NOON, ahead=True)
    assert (told.unfinished, dict(told.finished)) == (0, {LeadStatus.SUCCEEDED: 3})


# --- classes --------------------------------------------------------------------------------------------------------------------------


def test_every_lead_is_counted_once_by_the_gate_that_holds_it() -> None:
    classes = [
        LeadClass(40, LeadStatus.NEW, ("UTC",)),
        LeadClass(2, LeadStatus.NEW, ("UTC",), claimed=True),
        LeadClass(1, LeadStatus.CALLBACK_SCHEDULED, ("UTC",), promised=True),
        LeadClass(412, LeadStatus.NEW, ("Asia/Tokyo",)),
        LeadClass(1803, LeadStatus.RETRY, ("UTC",), 1, False, NOON + 900, "gap", opens_at=NOON + 900),
        LeadClass(12, LeadStatus.RETRY, ("UTC",), 1, False, NOON + 60, "gap", gate.CALLER_ID, opens_at=NOON + 60),
        LeadClass(71, LeadStatus.BLOCKED, ("UTC",)),
        LeadClass(3, LeadStatus.NEW, ("Asia/Tokyo",), listed=True),
        LeadClass(906, LeadStatus.CALLBACK_SCHEDULED, ("UTC",), 1, False, NOON + DAY, "promised", opens_at=NOON + DAY),
        LeadClass(17, LeadStatus.IN_PROGRESS, ("UTC",)),
        LeadClass(500, LeadStatus.SUCCEEDED),
        LeadClass(60, LeadStatus.EXHAUSTED),
    ]
    told = explain_campaign(classes, a_campaign(hours=Hours((((360, 1320),),) * 7)), RUNNING, NOON)  # half past five in the morning of Tokyo
    assert (told.ready, told.claimed, told.promised) == (43, 2, 1)
    assert [(held.gate, held.why, held.count) for held in told.held] == [
        (gate.STATUS, "", 17),
        (gate.ZONES, "", 412),
        (gate.DO_NOT_CALL, "", 74),
        (gate.GAP, gate.CALLER_ID, 12),
        (gate.GAP, "gap", 1803),
        (gate.RULE_TIME, "promised", 906),
    ]
    assert told.unfinished == sum(cls.count for cls in classes[:-2])
    assert dict(told.finished) == {LeadStatus.SUCCEEDED: 500, LeadStatus.EXHAUSTED: 60}
    assert (told.next_at, told.next_count) == (NOON, 43)


def test_leads_that_wait_for_their_hours_alone_are_counted_at_their_opening() -> None:
    place = PLACES["a day ahead"]
    classes = [
        LeadClass(180, LeadStatus.NEW, (place.zone,)),
        LeadClass(20, LeadStatus.RETRY, (place.zone,), 1),
        LeadClass(212, LeadStatus.NEW, ("Pacific/Pago_Pago",)),
        LeadClass(7, LeadStatus.RETRY, (place.zone,), 1, False, place.evening + HOUR, "gap", opens_at=place.evening + HOUR),
    ]
    told = explain_campaign(classes[:2], a_campaign(hours=EIGHT_TO_EIGHT), RUNNING, place.evening)
    assert [(held.count, held.next_at, held.next_count) for held in told.held] == [(200, place.morning, 200)]
    assert (told.ready, told.next_at, told.next_count) == (0, place.morning, 200)
    told = explain_campaign(classes, a_campaign(hours=EIGHT_TO_EIGHT), RUNNING, place.evening)
    assert [(held.gate, held.count, held.next_at, held.next_count) for held in told.held] == [
        (gate.ZONES, 412, place.morning, 200),  # in Pago Pago, where it is the evening of the day before, an hour later
        (gate.GAP, 7, place.morning, None),  # how many of the seven are ready then their class does not tell
    ]
    assert (told.ready, told.next_at, told.next_count) == (0, place.morning, None)


def test_a_paused_campaign_counts_its_leads_as_if_it_ran_and_dials_none() -> None:
    told = explain_campaign([LeadClass(5, LeadStatus.NEW)], a_campaign(), CampaignState.PAUSED, NOON)
    assert (told.ready, told.next_at) == (5, None)
    assert [(check.gate, check.ok) for check in told.checks] == [(gate.CAMPAIGN, False), (gate.WINDOW, True)]


def test_the_first_of_a_class_is_not_put_together_from_different_leads() -> None:
    """One lead's mark ends first, another's break: neither may be called before both of its own are over."""
    cls = LeadClass(2, LeadStatus.RETRY, ("UTC",), 1, False, NOON + 10, "gap", left_alone_until=NOON + 20, opens_at=NOON + 900)
    assert explain_class(cls, a_campaign(), RUNNING, NOON).next_at == NOON + 900


def test_an_empty_campaign_has_nothing_to_dial() -> None:
    told = explain_campaign([], a_campaign(), RUNNING, NOON)
    assert (told.ready, told.unfinished, told.held, dict(told.finished), told.next_at) == (0, 0, (), {}, None)


@pytest.mark.parametrize("seed", range(3))
def test_the_clock_keeps_what_the_schedule_says(seed: int) -> None:
    rng = Random(seed)
    hours = Hours((((480, 720), (780, 1200)),) * 5 + (((540, 660),), ()), (Holiday("", "03-30", "03-31"),), rng.choice(("", "Europe/Madrid")))
    campaign: Campaign = a_campaign(hours=hours)
    now = utc("2026-03-27 12:00") + rng.random() * 3 * DAY
    clock = Clock(campaign, now)
    for _ in range(400):
        zones = rng.choice([("Europe/Madrid",), ("America/New_York", "Europe/Madrid"), ("Asia/Tokyo",), ()])
        at = now + rng.choice((0.0, rng.random() * 2 * DAY, rng.random() * 20 * DAY))
        assert clock.verdict(zones, at).open == dial_verdict(campaign, zones, at).open, (seed, zones, at)
        assert clock.next_open(zones, at) == next_open(campaign, zones, at), (seed, zones, at)
