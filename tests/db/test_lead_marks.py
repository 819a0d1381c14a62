"""Marks on leads: what each makes of a lead, when it is refused, and what happens to a lead that a daemon has or that is being called."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest

from fs_dialer.core.definition import Attempts, Window
from fs_dialer.core.model import Outcome
from fs_dialer.core.resources import Profile
from fs_dialer.db.lead_marks import CALL_AT, LEAVE_ALONE, NEXT_NUMBER, READY_NOW, REOPEN, STOP, Mark, Marked
from tests.db.desk import ADA, BEN, NOW, Desk, a_campaign, a_desk

DAY, HOUR = 86400.0, 3600.0


@pytest.fixture
def desk(pg_dsn: str) -> Iterator[Desk]:
    with a_desk(pg_dsn) as made:
        yield made


def marked(desk: Desk, lead: int, verb: str, now: float = NOW, why: str = "", **more: Any) -> Marked:
    done = desk.office.lead_mark(lead, Mark(verb, **more), "an.le", why, now)
    assert done is not None
    return done


def test_a_lead_that_is_not_there_is_nobody(desk: Desk) -> None:
    assert desk.office.lead_mark(4711, Mark(STOP), "an.le", "", NOW) is None


# --- left alone -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S12", "D16")
def test_do_not_call_back_leaves_the_number_alone_for_as_long_as_its_campaign_says(desk: Desk) -> None:
    lead = desk.add(ADA)
    done = marked(desk, lead, LEAVE_ALONE)
    assert (done.refused, done.status, done.ready_at) == ("", "refused", NOW + 30 * DAY)
    assert desk.one("SELECT extract(epoch FROM until)::float8 FROM no_callback WHERE number = %s AND campaign = 'spring'", ADA) == NOW + 30 * DAY
    assert desk.one("SELECT status_before FROM leads WHERE id = %s", lead) == "new"


@pytest.mark.spec("S12")
def test_the_length_can_be_said(desk: Desk) -> None:
    assert marked(desk, desk.add(ADA), LEAVE_ALONE, for_s=10 * DAY).ready_at == NOW + 10 * DAY


@pytest.mark.spec("D16")
def test_a_mark_for_all_campaigns_reaches_the_numbers_leads_everywhere(desk: Desk) -> None:
    desk.campaign(a_campaign(attempts=Attempts(no_callback_s=DAY, no_callback_scope="all")))
    desk.campaign(a_campaign("autumn"))
    lead, other = desk.add(ADA), desk.add(ADA, campaign="autumn")
    marked(desk, lead, LEAVE_ALONE)
    assert (desk.status(lead), desk.status(other)) == ("refused", "refused")


def test_a_finished_lead_stays_finished_and_its_number_is_left_alone(desk: Desk) -> None:
    lead = desk.add(ADA)
    desk.called(ADA)
    done = marked(desk, lead, LEAVE_ALONE)
    assert (done.status, desk.one("SELECT count(*) FROM no_callback")) == ("succeeded", 1)


# --- promised ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D14")
def test_a_callback_is_promised_for_a_time_inside_the_hours(desk: Desk) -> None:
    lead = desk.add(ADA)
    done = marked(desk, lead, CALL_AT, at=NOW + HOUR, agent="lan")
    assert (done.status, done.ready_at, done.refused) == ("callback_scheduled", NOW + HOUR, "")
    assert desk.rows("SELECT agent, ready_why FROM leads WHERE id = %s", lead) == [("lan", "promised")]


def test_a_time_outside_the_hours_is_refused_with_the_nearest_that_are_inside(desk: Desk) -> None:
    lead = desk.add(ADA)
    done = marked(desk, lead, CALL_AT, at=NOW + 8 * HOUR)  # Wed 20:00; the office is open 9 to 17
    assert done.refused.startswith("no callback at Wed 25 Nov 2026 20:00: ")
    assert done.instead == (NOW + 5 * HOUR - 900, NOW + 21 * HOUR)
    assert desk.status(lead) == "new"


def test_a_time_after_the_campaigns_end_is_refused(desk: Desk) -> None:
    desk.campaign(a_campaign(window=Window(end=NOW + 2 * HOUR, zone="Europe/London")))
    done = marked(desk, desk.add(ADA), CALL_AT, at=NOW + 3 * HOUR)
    assert "the campaign has ended by then" in done.refused
    assert done.instead == (NOW + 2 * HOUR - 900,)


def test_an_agent_who_is_not_there_promises_nothing(desk: Desk) -> None:
    assert marked(desk, desk.add(ADA), CALL_AT, at=NOW + HOUR, agent="nobody").refused == "there is no agent nobody"


@pytest.mark.spec("D14")
def test_do_not_call_stands_above_a_promise(desk: Desk) -> None:
    lead = desk.add(ADA)
    desk.office.do_not_call_add([ADA], "test", "national")
    done = marked(desk, lead, CALL_AT, at=NOW + HOUR)
    assert done.refused == "its number is on the do-not-call list national"
    assert desk.status(lead) == "blocked"


def test_who_asked_to_be_left_alone_is_promised_nothing(desk: Desk) -> None:
    lead = desk.add(ADA)
    marked(desk, lead, LEAVE_ALONE)
    assert "asked not to be called" in marked(desk, lead, CALL_AT, at=NOW + HOUR).refused


# --- stopped, opened again --------------------------------------------------------------------------------------------------------------


def test_a_stopped_lead_is_called_no_more_until_it_is_reopened(desk: Desk) -> None:
    lead = desk.add(ADA)
    assert marked(desk, lead, STOP).status == "stopped"
    assert desk.claim() == ()
    assert marked(desk, lead, STOP).refused == "it is not called any more: stopped"
    assert marked(desk, lead, REOPEN).status == "new"
    assert [each.id for each in desk.claim()] == [lead]


@pytest.mark.spec("S10")
def test_an_exhausted_lead_that_is_reopened_begins_anew(desk: Desk) -> None:
    lead = desk.add(ADA)
    for place in range(3):
        desk.called(ADA, Outcome.NO_ANSWER, at=NOW + place)
    assert desk.state(lead)[:2] == ("exhausted", 3)
    done = marked(desk, lead, REOPEN)
    assert (done.text, desk.state(lead)) == ("open again, its attempts begin anew", ("new", 0, NOW))


@pytest.mark.spec("D16")
def test_a_refusal_that_is_taken_back_takes_its_marks_with_it(desk: Desk) -> None:
    lead = desk.add(ADA)
    marked(desk, lead, LEAVE_ALONE)
    assert marked(desk, lead, REOPEN, why="he called us").status == "new"
    assert desk.one("SELECT count(*) FROM no_callback") == 0
    (got,) = desk.claim()
    assert desk.open(got)[1] is None


def test_a_blocked_lead_is_not_reopened(desk: Desk) -> None:
    lead = desk.add(ADA)
    desk.office.do_not_call_add([ADA], "test")
    assert marked(desk, lead, REOPEN).refused == "its number is on the do-not-call list own"


def test_a_lead_reopened_while_its_number_is_forbidden_is_blocked_at_once(desk: Desk) -> None:
    lead = desk.add(ADA)
    marked(desk, lead, STOP)
    desk.office.do_not_call_add([ADA], "test")
    assert marked(desk, lead, REOPEN).status == "blocked"


@pytest.mark.spec("D11")
def test_an_ended_campaigns_leads_are_not_reopened(desk: Desk) -> None:
    lead = desk.add(ADA)
    marked(desk, lead, STOP)
    desk.rows("UPDATE campaigns SET state = 'ended'")
    assert marked(desk, lead, REOPEN).refused == "the campaign spring has ended, and never starts again"


# --- between calls ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M11", "M13")
def test_the_next_call_goes_to_the_next_number(desk: Desk) -> None:
    lead = desk.add(ADA)
    desk.rows("UPDATE leads SET other_numbers = %s WHERE id = %s", f'[["{BEN}", "Europe/Paris"]]', lead)
    assert marked(desk, lead, NEXT_NUMBER).text == f"the next call goes to {BEN}"
    assert desk.rows("SELECT number, zone_set, other_numbers FROM leads WHERE id = %s", lead) == [(BEN, "Europe/Paris", [[ADA, "Europe/London"]])]
    assert ("spring", "Europe/Paris") in desk.rows("SELECT campaign, zone_set FROM campaign_zone_sets")
    marked(desk, lead, NEXT_NUMBER)
    assert desk.one("SELECT number FROM leads WHERE id = %s", lead) == ADA


def test_a_next_number_that_is_another_leads_is_no_obstacle(desk: Desk) -> None:
    lead, _ = desk.add(ADA), desk.add(BEN)
    desk.rows("UPDATE leads SET other_numbers = %s WHERE id = %s", f'[["{BEN}", ""]]', lead)
    assert marked(desk, lead, NEXT_NUMBER).refused == ""


def test_a_lead_with_one_number_has_no_next(desk: Desk) -> None:
    assert marked(desk, desk.add(ADA), NEXT_NUMBER).refused == "it has no other number"


@pytest.mark.spec("S11")
def test_ready_now_ends_the_break_after_a_call(desk: Desk) -> None:
    lead = desk.add(ADA)
    desk.called(ADA, Outcome.NO_ANSWER)
    assert desk.state(lead)[2] == NOW + 60 + HOUR
    assert marked(desk, lead, READY_NOW, now=NOW + 100).ready_at == NOW + 100


@pytest.mark.spec("D10")
def test_a_profiles_break_after_a_missed_call_is_not_ended(desk: Desk) -> None:
    desk.campaign(a_campaign(compliance=Profile(name="uk-ofcom", recall_after_missed_s=DAY)))
    lead = desk.add(ADA)
    desk.called(ADA, Outcome.MISSED, missed=True, revision=2)
    refused = marked(desk, lead, READY_NOW, now=NOW + 100).refused
    assert "uk-ofcom allows no call before Thu 26 Nov 2026 12:01" in refused


# --- in a daemon's hands ----------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D8")
@pytest.mark.parametrize(("verb", "more"), [(STOP, {}), (LEAVE_ALONE, {}), (CALL_AT, {"at": NOW + HOUR})])
def test_the_last_gate_refuses_the_copy_of_a_lead_that_was_marked_meanwhile(desk: Desk, verb: str, more: dict[str, Any]) -> None:
    lead = desk.add(ADA)
    desk.make_ready()
    (copy,) = desk.claim()
    assert marked(desk, lead, verb, **more).refused == ""
    refusal = desk.open(copy)[1]
    assert refusal is not None and refusal.gate in ("lead_taken", "no_callback")
    assert desk.one("SELECT count(*) FROM attempts_open") == 0


def test_a_stale_copy_with_the_former_number_is_refused_even_when_the_lead_is_claimed_again(desk: Desk) -> None:
    lead = desk.add(ADA)
    desk.rows("UPDATE leads SET other_numbers = %s WHERE id = %s", f'[["{BEN}", "Europe/London"]]', lead)
    desk.make_ready()
    (stale,) = desk.claim()
    marked(desk, lead, NEXT_NUMBER)
    (fresh,) = desk.claim()
    assert (stale.number, fresh.number) == (ADA, BEN)
    refusal = desk.open(stale)[1]
    assert refusal is not None and refusal.gate == "lead_taken"
    assert desk.open(fresh)[1] is None


def test_a_mark_and_the_last_gate_at_the_same_time_end_in_one_of_both_orders(desk: Desk) -> None:
    """Either the mark came first and nobody is called, or the call is up and the mark holds after it."""
    leads = [desk.add(f"+4420794602{place:02}") for place in range(20)]
    desk.make_ready()
    copies = desk.claim(50)
    attempts = [desk.attempt_of(copy) for copy in copies]
    marking = Thread(target=lambda: [marked(desk, lead, STOP) for lead in leads])
    marking.start()
    refusals = [desk.store.open_attempts([attempt])[0] for attempt in attempts]
    marking.join()
    for copy, attempt, refusal in zip(copies, attempts, refusals, strict=True):
        if refusal is None:
            desk.close(attempt, copy, Outcome.NO_ANSWER)
        assert desk.status(copy.id) == "stopped"
    assert desk.one("SELECT count(*) FROM attempts_open") == 0


# --- in a call --------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def calling(desk: Desk) -> tuple[Desk, int, object, object]:
    lead = desk.add(ADA)
    desk.make_ready()
    (copy,) = desk.claim()
    attempt, refusal = desk.open(copy)
    assert refusal is None
    return desk, lead, copy, attempt


@pytest.mark.parametrize(
    ("verb", "more", "status", "ready_at"),
    [(STOP, {}, "stopped", None), (LEAVE_ALONE, {}, "refused", NOW + 30 * DAY), (CALL_AT, {"at": NOW + 2 * HOUR}, "callback_scheduled", NOW + 2 * HOUR)],
)
def test_a_mark_during_a_call_holds_after_it(
    calling: tuple[Desk, int, object, object], verb: str, more: dict[str, Any], status: str, ready_at: float | None
) -> None:
    desk, lead, copy, attempt = calling
    done = marked(desk, lead, verb, **more)
    assert (done.refused, done.status) == ("", status)
    assert desk.one("SELECT count(*) FROM attempts_open") == 1
    desk.close(attempt, copy, Outcome.NO_ANSWER)  # type: ignore[arg-type]
    after = desk.state(lead)
    assert after[:2] == (status, 1)
    assert ready_at is None or after[2] == ready_at


def test_nobody_claims_a_lead_that_is_promised_a_callback_while_its_call_is_up(calling: tuple[Desk, int, object, object]) -> None:
    desk, lead, _, _ = calling
    marked(desk, lead, CALL_AT, at=NOW + HOUR)
    assert desk.claim(now=NOW + 2 * HOUR) == ()


@pytest.mark.parametrize("verb", [NEXT_NUMBER, READY_NOW])
def test_marks_for_the_time_between_calls_wait_for_the_end(calling: tuple[Desk, int, object, object], verb: str) -> None:
    desk, lead, _, _ = calling
    assert "a call to it is up" in marked(desk, lead, verb).refused


def test_a_mark_taken_back_during_the_call_leaves_the_lead_to_the_call(calling: tuple[Desk, int, object, object]) -> None:
    desk, lead, copy, attempt = calling
    marked(desk, lead, STOP)
    assert marked(desk, lead, REOPEN).status == "in_progress"
    desk.close(attempt, copy, Outcome.NO_ANSWER)  # type: ignore[arg-type]
    assert desk.status(lead) == "retry"


@pytest.mark.spec("D14")
def test_a_mark_is_not_taken_back_during_the_call_when_the_number_is_forbidden_by_now(calling: tuple[Desk, int, object, object]) -> None:
    desk, lead, _, _ = calling
    marked(desk, lead, STOP)
    desk.office.do_not_call_add(["+44207*"], "test")
    assert marked(desk, lead, REOPEN).refused == "its number is on the do-not-call list own"
    assert desk.status(lead) == "stopped"


# --- told -------------------------------------------------------------------------------------------------------------------------------


def test_every_mark_is_in_the_audit_with_its_reason(desk: Desk) -> None:
    lead = desk.add(ADA)
    marked(desk, lead, STOP, why="moved abroad")
    assert desk.rows("SELECT who, target, why, details ->> 'mark', details #>> '{before,status}' FROM audit WHERE what = 'lead_mark'") == [
        ("an.le", ADA, "moved abroad", "stop", "new")
    ]


@pytest.mark.spec("S79")
def test_a_lead_finished_by_a_person_is_an_event(desk: Desk) -> None:
    desk.rows("INSERT INTO definitions (kind, name, revision, source, definition) VALUES ('triggers', 't', 1, '{}', '{\"on\": \"lead_finished\"}')")
    lead = desk.add(ADA)
    marked(desk, lead, STOP)
    assert desk.rows("SELECT kind, data ->> 'status', (data ->> 'lead')::bigint FROM happenings") == [("lead_finished", "stopped", lead)]
