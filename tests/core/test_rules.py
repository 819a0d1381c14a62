"""Rules, dispositions, refusals and promised callbacks: what they make of a lead, and who is heard first (S10–S12, D14, D16, M11, M12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fs_dialer.core.definition import Attempts, BusyRetry
from fs_dialer.core.model import AgentId, Lead, LeadStatus, LeadUpdate, Outcome
from fs_dialer.core.resources import Disposition, Profile, Rule, Then, When, compare
from fs_dialer.core.retry import Chosen, Ended, after_disposition, next_lead, promised, refused, said
from tests.core.builders import NOON, a_campaign, a_lead

HOUR, DAY = 3600.0, 86400.0
POLICY = Attempts(max=3, gap_s=4 * HOUR, busy=BusyRetry(gap_s=1200.0), no_callback_s=180 * DAY)


def rule(name: str = "", *, when: When | None = None, **then: Any) -> Rule:
    return Rule(name=name, when=when or When(), then=Then(**then))


def after(outcome: Outcome, *rules: Rule, lead: Lead | None = None, missed: bool = False, **campaign: Any) -> LeadUpdate:
    return next_lead(lead or a_lead(), Ended(outcome, True, missed), a_campaign(attempts=POLICY, rules=rules, **campaign), NOON)


def disposed(
    kind: str, *rules: Rule, lead: Lead | None = None, final: bool = True, code: str = "code", outcome: Outcome = Outcome.CONNECTED, **more: Any
) -> LeadUpdate:
    chosen = Chosen(Disposition(name=code, outcome_class=kind, final=final), more.pop("callback_at", None), more.pop("agent", None))
    return after_disposition(lead or a_lead(attempts=1), Ended(outcome, True), chosen, a_campaign(attempts=more.pop("attempts", POLICY), rules=rules), NOON)


# --- rules after a call ---------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M11", "M12")
def test_the_first_rule_that_holds_decides_and_is_named() -> None:
    update = after(
        Outcome.NO_ANSWER,
        rule("busy-only", when=When(outcomes=("busy",)), stop=True),
        rule("evening", when=When(outcomes=("no_answer", "busy")), again_s=2 * HOUR),
        rule("never", stop=True),
    )
    assert (update.status, update.ready_at, update.ready_why) == (LeadStatus.RETRY, NOON + 2 * HOUR, "rule")
    assert update.decision == "rule evening: call again after 2h"


@pytest.mark.spec("M12")
@pytest.mark.parametrize(
    ("when", "lead", "outcome", "missed", "holds"),
    [
        (When(connected=False), {}, Outcome.NO_ANSWER, False, True),
        (When(connected=True), {}, Outcome.NO_ANSWER, False, False),
        (When(connected=True), {}, Outcome.CONNECTED, False, True),
        (When(attempts=">=2"), {"attempts": 1}, Outcome.BUSY, False, True),
        (When(attempts=">=2"), {"attempts": 0}, Outcome.BUSY, False, False),
        (When(attempts="=1"), {"attempts": 0}, Outcome.BUSY, False, True),
        (When(missed=True), {}, Outcome.MISSED, True, True),
        (When(missed=True), {}, Outcome.EARLY_HANGUP, False, False),
        (When(dispositions=("later",)), {}, Outcome.CONNECTED, False, False),
    ],
)
def test_all_that_a_condition_names_must_hold(when: When, lead: dict[str, Any], outcome: Outcome, missed: bool, holds: bool) -> None:
    update = after(outcome, rule("r", when=when, stop=True), lead=a_lead(**lead), missed=missed)
    assert (update.status is LeadStatus.STOPPED) is holds


@pytest.mark.spec("M11")
def test_at_a_time_of_day_is_the_next_such_time_where_the_number_lives() -> None:
    """NOON is 20:26 UTC: 18:00 in New York is still to come, in Tokyo it is tomorrow's."""
    for zone, day, hour_utc in (("America/New_York", 28, 22), ("Asia/Tokyo", 29, 9)):
        update = after(Outcome.NO_ANSWER, rule(at_minute=18 * 60), lead=a_lead(zones=(zone,)))
        assert datetime.fromtimestamp(update.ready_at, UTC) == datetime(2026, 5, day, hour_utc, tzinfo=UTC)
        assert datetime.fromtimestamp(update.ready_at, ZoneInfo(zone)).hour == 18


def test_a_span_and_a_time_of_day_together_mean_the_first_such_time_after_the_span() -> None:
    update = after(Outcome.NO_ANSWER, rule(again_s=2 * DAY, at_minute=9 * 60), lead=a_lead(zones=("UTC",)))
    assert datetime.fromtimestamp(update.ready_at, UTC) == datetime(2026, 5, 31, 9, tzinfo=UTC)


@pytest.mark.spec("M13")
def test_on_the_next_number_where_the_contact_has_one() -> None:
    assert after(Outcome.NO_ANSWER, rule(again_s=HOUR, next_number=True), lead=a_lead(other_numbers=1)).number == "next"
    assert after(Outcome.NO_ANSWER, rule(again_s=HOUR, next_number=True)).number == ""


@pytest.mark.spec("M13", "M11")
def test_a_bad_number_makes_way_for_the_contact_s_next_one_and_no_rule_brings_it_back() -> None:
    update = after(Outcome.BAD_NUMBER, rule(next_number=True), lead=a_lead(other_numbers=2))
    assert (update.status, update.number) == (LeadStatus.RETRY, "drop") and update.ready_at == NOON + 60.0
    assert after(Outcome.BAD_NUMBER).status is LeadStatus.INVALID


@pytest.mark.spec("M11")
def test_remove_takes_the_contact_out_of_the_campaign_and_its_group_and_stop_only_stops() -> None:
    gone, stopped = after(Outcome.NO_ANSWER, rule(remove=True)), after(Outcome.NO_ANSWER, rule(stop=True))
    assert (gone.status, gone.leave_group) == (LeadStatus.STOPPED, True)
    assert (stopped.status, stopped.leave_group) == (LeadStatus.STOPPED, False)


@pytest.mark.spec("M11")
def test_a_parameter_is_set_and_the_usual_break_holds() -> None:
    update = after(Outcome.NO_ANSWER, rule(set=(("tried", "evening"),)))
    assert update.set == (("tried", "evening"),) and (update.status, update.ready_at) == (LeadStatus.RETRY, NOON + 4 * HOUR)


@pytest.mark.spec("D14", "S10")
def test_every_call_counts_against_the_maximum_unless_the_rule_says_otherwise() -> None:
    last = a_lead(attempts=2)
    counted = after(Outcome.NO_ANSWER, rule(again_s=HOUR), lead=last)
    assert (counted.status, counted.attempts) == (LeadStatus.EXHAUSTED, 3) and "attempts.max" in counted.decision
    beyond = after(Outcome.NO_ANSWER, rule(again_s=HOUR, beyond_maximum=True), lead=last)
    assert (beyond.status, beyond.attempts) == (LeadStatus.RETRY, 2)


@pytest.mark.spec("D14")
def test_a_met_lead_is_finished_unless_a_rule_says_otherwise() -> None:
    assert after(Outcome.CONNECTED).status is LeadStatus.SUCCEEDED
    assert after(Outcome.CONNECTED, rule(when=When(connected=True), again_s=30 * DAY)).status is LeadStatus.RETRY


@pytest.mark.spec("D3")
def test_after_a_fault_of_ours_a_rule_may_wait_longer_and_not_shorter() -> None:
    short, long = after(Outcome.NETWORK, rule(again_s=60.0)), after(Outcome.NETWORK, rule(again_s=DAY))
    assert short.ready_at == NOON + 4 * HOUR and long.ready_at == NOON + DAY
    assert next_lead(a_lead(ours_in_row=4), Ended(Outcome.OURS), a_campaign(rules=(rule(again_s=60.0),)), NOON).status is LeadStatus.ERROR


def test_a_call_we_cancelled_is_no_matter_of_rules() -> None:
    lead = a_lead(status=LeadStatus.CALLBACK_SCHEDULED, agent=AgentId("lan"), ready_at=NOON - 9.0, ready_why="promised")
    update = next_lead(lead, Ended(Outcome.CANCELLED), a_campaign(rules=(rule(stop=True),)), NOON)
    assert (update.status, update.agent, update.ready_at, update.ready_why) == (LeadStatus.CALLBACK_SCHEDULED, "lan", NOON - 9.0, "promised")


def test_a_promise_that_failed_on_our_side_stays_a_promise() -> None:
    lead = a_lead(status=LeadStatus.CALLBACK_SCHEDULED, agent=AgentId("lan"))
    update = next_lead(lead, Ended(Outcome.NETWORK), a_campaign(), NOON)
    assert (update.status, update.agent) == (LeadStatus.CALLBACK_SCHEDULED, "lan")


@pytest.mark.spec("D10")
def test_a_missed_customer_is_not_called_again_before_the_profile_allows() -> None:
    profile = Profile(recall_after_missed_s=72 * HOUR)
    assert after(Outcome.MISSED, missed=True, compliance=profile).ready_at == NOON + 72 * HOUR
    assert after(Outcome.MISSED, rule(again_s=HOUR), missed=True, compliance=profile).ready_at == NOON + 72 * HOUR
    assert after(Outcome.NO_ANSWER, compliance=profile).ready_at == NOON + 4 * HOUR


# --- what an agent chose --------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S12", "D16")
def test_a_refusal_leaves_the_customer_alone_for_so_many_days_and_then_it_is_what_it_was() -> None:
    update = disposed("refused", code="no-thanks")
    assert (update.status, update.ready_at, update.no_callback) == (LeadStatus.REFUSED, NOON + 180 * DAY, NOON + 180 * DAY)
    assert (update.status_before, update.no_callback_for_all, update.ready_why) == (LeadStatus.SUCCEEDED, False, "no_callback")
    assert update.decision == "disposition no-thanks: not called for 180d, by this campaign"


@pytest.mark.spec("D16")
def test_a_refusal_may_hold_for_every_campaign() -> None:
    assert disposed("refused", attempts=replace(POLICY, no_callback_scope="all")).no_callback_for_all


@pytest.mark.spec("D14")
def test_the_agent_s_choice_beats_the_rules() -> None:
    again = rule(when=When(dispositions=("code",)), again_s=HOUR)
    assert disposed("refused", again).status is LeadStatus.REFUSED
    update = disposed("callback", again, callback_at=NOON + DAY, agent=AgentId("lan"))
    assert (update.status, update.ready_at, update.agent, update.ready_why) == (LeadStatus.CALLBACK_SCHEDULED, NOON + DAY, "lan", "promised")


@pytest.mark.spec("M12", "D14")
def test_a_rule_that_names_the_disposition_beats_its_class() -> None:
    update = disposed("success", rule("later", when=When(dispositions=("code",)), again_s=HOUR))
    assert (update.status, update.ready_at, update.attempts) == (LeadStatus.RETRY, NOON + HOUR, 1)
    assert disposed("success", rule(when=When(outcomes=("connected",)), stop=True)).status is LeadStatus.SUCCEEDED


@pytest.mark.spec("S10", "D14")
@pytest.mark.parametrize(
    ("kind", "final", "attempts", "numbers", "status"),
    [
        ("success", True, 1, 0, LeadStatus.SUCCEEDED),
        ("success", False, 1, 0, LeadStatus.RETRY),
        ("neutral", True, 1, 0, LeadStatus.SUCCEEDED),
        ("neutral", False, 3, 0, LeadStatus.EXHAUSTED),
        ("retry", True, 1, 0, LeadStatus.RETRY),
        ("retry", True, 3, 0, LeadStatus.EXHAUSTED),
        ("callback", True, 1, 0, LeadStatus.RETRY),
        ("wrong_number", True, 1, 0, LeadStatus.INVALID),
        ("wrong_number", True, 1, 1, LeadStatus.RETRY),
        ("wrong_number", True, 3, 1, LeadStatus.INVALID),
    ],
)
def test_each_class_has_its_effect(kind: str, final: bool, attempts: int, numbers: int, status: LeadStatus) -> None:
    update = disposed(kind, lead=a_lead(attempts=attempts, other_numbers=numbers), final=final)
    assert update.status is status and (update.number == "drop") is (kind == "wrong_number" and status is LeadStatus.RETRY)


def test_a_neutral_result_without_a_meeting_stops_the_lead_rather_than_call_it_a_success() -> None:
    assert disposed("neutral", outcome=Outcome.NO_ANSWER).status is LeadStatus.STOPPED


def test_marks_by_hand_use_the_same_rules() -> None:
    assert refused(a_lead(status=LeadStatus.IN_PROGRESS), LeadStatus.IN_PROGRESS, a_campaign(), NOON).status_before is LeadStatus.RETRY
    assert promised(a_lead(attempts=5), NOON + 9.0, None).decision == "callback promised"


def test_what_a_rule_does_is_said_in_words() -> None:
    then = Then(again_s=5400.0, at_minute=545, next_number=True, set=(("a", "b"),), beyond_maximum=True)
    assert said(then) == "call again after 90m, call again at 9:05, on the next number, a = b, not counted"


@pytest.mark.parametrize(("text", "yes", "no"), [(">=3", (3, 9), (2,)), ("<=3", (0, 3), (4,)), ("=10", (10,), (1,)), (">0", (1,), (0,)), ("<2", (1,), (2,))])
def test_conditions_on_counts(text: str, yes: tuple[int, ...], no: tuple[int, ...]) -> None:
    assert all(compare(text, n) for n in yes) and not any(compare(text, n) for n in no)


# --- what no rule and no choice may do ------------------------------------------------------------------------------------------------

LAW = Profile(name="uk", recall_after_missed_s=72 * HOUR)


@pytest.mark.spec("D10", "D14")
def test_a_missed_customer_who_was_used_up_is_not_brought_back_sooner_than_the_law() -> None:
    update = after(Outcome.MISSED, rule(when=When(missed=True), beyond_maximum=True), lead=a_lead(attempts=2), missed=True, compliance=LAW)
    assert (update.status, update.ready_at) == (LeadStatus.RETRY, NOON + 72 * HOUR)


@pytest.mark.spec("D10", "D14")
@pytest.mark.parametrize("how", ["class", "rule", "callback"])
def test_nor_does_a_result_bring_him_back_sooner(how: str) -> None:
    rules = (rule(when=When(dispositions=("x",)), again_s=60.0),) if how == "rule" else ()
    chosen = Chosen(Disposition(name="x", outcome_class="retry", final=False), NOON + HOUR if how == "callback" else None)
    update = after_disposition(a_lead(attempts=1), Ended(Outcome.MISSED, True, True), chosen, a_campaign(compliance=LAW, rules=rules), NOON)
    assert update.ready_at >= NOON + 72 * HOUR


@pytest.mark.spec("D8")
def test_after_an_unknown_end_the_gap_holds_whatever_a_rule_says() -> None:
    assert after(Outcome.UNKNOWN, rule(when=When(connected=False), again_s=60.0)).ready_at == NOON + 4 * HOUR


def test_a_promise_outlives_a_rule_for_faults() -> None:
    lead = a_lead(attempts=3, status=LeadStatus.CALLBACK_SCHEDULED, agent=AgentId("lan"), ready_why="promised")
    update = after(Outcome.NETWORK, rule(when=When(outcomes=("network", "ours")), again_s=300.0), lead=lead)
    assert (update.status, update.agent) == (LeadStatus.CALLBACK_SCHEDULED, "lan")


@pytest.mark.spec("D14")
def test_a_result_takes_away_no_attempt_that_was_not_counted() -> None:
    beyond = rule(when=When(dispositions=("code",)), again_s=60.0, beyond_maximum=True)
    assert disposed("neutral", beyond, lead=a_lead(attempts=2), outcome=Outcome.NETWORK).attempts == 2
    assert disposed("neutral", beyond, lead=a_lead(attempts=2)).attempts == 1
