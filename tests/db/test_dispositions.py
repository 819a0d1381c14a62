"""Results of calls: what they make of the lead, what stands above them, how they are taken back, and answers to a script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fs_dialer.core.definition import Attempts, LeadsSource
from fs_dialer.core.model import Outcome
from fs_dialer.core.resources import Rule, Then, When
from fs_dialer.db.dispositions import REPLACE_WITHIN_S, Disposed, Result
from fs_dialer.db.lead_marks import CALL_AT, READY_NOW, STOP, Mark
from tests.db.desk import ADA, BEN, NOW, SCRIPT, Desk, a_campaign, a_desk

HOUR = 3600.0
LATER_ON = NOW + 3 * HOUR


@pytest.fixture
def desk(pg_dsn: str) -> Iterator[Desk]:
    with a_desk(pg_dsn) as made:
        yield made


def disposed(desk: Desk, attempt: str, code: str, *, now: float = NOW + 100, why: str = "", **more: Any) -> Disposed:
    done = desk.office.attempt_dispose(attempt, Result(code, **more), "lan", why, now)
    assert done is not None
    return done


def kept(desk: Desk, attempt: str) -> tuple[object, ...]:
    return desk.rows("SELECT disposition, disposed_by, answers FROM attempts WHERE id = %s", attempt)[0]


def test_a_call_that_is_not_there_has_no_result(desk: Desk) -> None:
    assert desk.office.attempt_dispose("00000000-0000-0000-0000-000000000000", Result("sold"), "lan", "", NOW) is None


# --- what results make of leads ---------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M12", "D14", "S10")
@pytest.mark.parametrize(
    ("code", "more", "status"),
    [
        ("sold", {}, "succeeded"),
        ("refused", {}, "refused"),
        ("later", {"callback_at": LATER_ON}, "callback_scheduled"),
        ("again", {}, "retry"),
        ("wrong", {}, "invalid"),
    ],
)
def test_each_class_of_results_does_to_the_lead_what_it_says(desk: Desk, code: str, more: dict[str, Any], status: str) -> None:
    lead = desk.add(ADA)
    attempt = desk.called()
    done = disposed(desk, attempt, code, **more)
    assert (done.refused, done.lead_status, desk.status(lead)) == ((), status, status)
    assert kept(desk, attempt) == (code, "lan", {})


@pytest.mark.spec("S12", "D16")
def test_a_refusal_marks_the_number_and_returns_to_what_the_lead_would_have_been(desk: Desk) -> None:
    lead = desk.add(ADA)
    disposed(desk, desk.called(), "refused")
    assert desk.one("SELECT extract(epoch FROM until)::float8 FROM no_callback WHERE number = %s", ADA) == NOW + 100 + 30 * 86400
    assert desk.one("SELECT status_before FROM leads WHERE id = %s", lead) == "succeeded"


@pytest.mark.spec("M11", "M12")
def test_rules_that_name_the_result_decide_after_it(desk: Desk) -> None:
    rule = Rule(name="gold-later", when=When(dispositions=("sold",)), then=Then(again_s=2 * HOUR, set=(("asked", "twice"),)))
    desk.campaign(a_campaign(rules=(rule,)))
    lead = desk.add(ADA)
    done = disposed(desk, desk.called(revision=2), "sold")
    assert done.lead_status == "retry"
    assert done.decision.startswith("rule gold-later: ")
    assert desk.one("SELECT parameters FROM leads WHERE id = %s", lead) == {"asked": "twice"}


@pytest.mark.spec("D5")
def test_a_result_is_judged_by_the_definition_that_the_call_was_made_under(desk: Desk) -> None:
    desk.add(ADA)
    attempt = desk.called()
    desk.campaign(a_campaign(dispositions=()))
    assert disposed(desk, attempt, "sold").refused == ()


def test_a_result_its_campaign_does_not_have_is_refused_with_the_nearest(desk: Desk) -> None:
    desk.add(ADA)
    assert disposed(desk, desk.called(), "soled").refused == ("soled is no disposition of spring r1; nearest: sold; it has sold, refused, later, again, wrong",)


def test_a_promise_needs_a_time_inside_the_hours_and_an_agent_who_is_there(desk: Desk) -> None:
    lead = desk.add(ADA)
    attempt = desk.called()
    assert disposed(desk, attempt, "later").refused == ("say when to call again: --callback-at TIME",)
    outside = disposed(desk, attempt, "later", callback_at=NOW + 10 * HOUR, agent="nobody").refused
    assert [text.split(";")[-1] for text in outside] == [
        " possible: Wed 25 Nov 2026 16:45 or Thu 26 Nov 2026 09:00",
        "there is no agent nobody",
    ]
    assert disposed(desk, attempt, "refused", callback_at=LATER_ON).refused != ()
    assert (desk.status(lead), kept(desk, attempt)) == ("succeeded", (None, None, {}))


# --- which call -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M12")
def test_an_older_calls_result_is_only_written_down(desk: Desk) -> None:
    lead = desk.add(ADA)
    first = desk.called(outcome=Outcome.NO_ANSWER)
    second = desk.called(outcome=Outcome.NO_ANSWER, at=NOW + 2 * HOUR)
    before = desk.state(lead)
    done = disposed(desk, first, "refused", now=NOW + 3 * HOUR)
    assert (done.lead_kept, desk.state(lead), kept(desk, first)[0]) == ("a later call was made to the lead", before, "refused")
    assert disposed(desk, second, "refused", now=NOW + 3 * HOUR).lead_status == "refused"


def test_a_call_that_is_up_has_no_result_yet(desk: Desk) -> None:
    desk.add(ADA)
    desk.make_ready()
    attempt, _ = desk.open(desk.claim()[0])
    assert disposed(desk, attempt.id, "sold").refused == ("the call is up: its result is set when it is over",)


def test_an_older_calls_result_while_the_lead_is_in_call_changes_nothing_of_it(desk: Desk) -> None:
    lead = desk.add(ADA)
    first = desk.called(outcome=Outcome.NO_ANSWER)
    desk.make_ready()
    copy = desk.claim()[0]
    attempt, _ = desk.open(copy, NOW + HOUR)
    assert disposed(desk, first, "refused").lead_kept == "a later call was made to the lead"
    assert desk.status(lead) == "in_progress"
    desk.close(attempt, copy, Outcome.NO_ANSWER)
    assert desk.status(lead) == "retry"


@pytest.mark.spec("D8")
def test_a_lead_the_daemon_holds_is_taken_out_of_its_hands(desk: Desk) -> None:
    desk.add(ADA)
    attempt = desk.called(outcome=Outcome.NO_ANSWER)
    desk.make_ready()
    (copy,) = desk.claim()
    disposed(desk, attempt, "sold")
    refusal = desk.open(copy, NOW + HOUR)[1]
    assert refusal is not None and refusal.gate == "lead_taken"


# --- what stands above a result ---------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D14")
def test_do_not_call_stands_above_a_result(desk: Desk) -> None:
    lead = desk.add(ADA)
    attempt = desk.called(outcome=Outcome.NO_ANSWER)
    desk.office.do_not_call_add([ADA], "test")
    done = disposed(desk, attempt, "later", callback_at=LATER_ON)
    assert (done.lead_kept, desk.status(lead), kept(desk, attempt)[0]) == ("its number is on a do-not-call list", "blocked", "later")


@pytest.mark.spec("D14")
@pytest.mark.parametrize("entry", [ADA, "+44207*"])
@pytest.mark.parametrize(("code", "more"), [("again", {}), ("later", {"callback_at": LATER_ON})])
def test_no_result_opens_a_finished_lead_whose_number_is_forbidden(desk: Desk, entry: str, code: str, more: dict[str, Any]) -> None:
    lead = desk.add(ADA)
    attempt = desk.called()
    disposed(desk, attempt, "sold")
    desk.office.do_not_call_add([entry], "test")
    assert desk.status(lead) == "succeeded"
    done = disposed(desk, attempt, code, **more)
    assert (done.lead_status, desk.status(lead)) == ("blocked", "blocked")
    assert done.decision.endswith(", but its number is on the do-not-call list own")
    assert disposed(desk, attempt, "sold").lead_status == "succeeded"
    disposed(desk, attempt, code, **more)
    assert desk.office.do_not_call_remove([entry], "test").leads == 1
    assert desk.status(lead) == ("retry" if code == "again" else "callback_scheduled")


@pytest.mark.spec("D14")
def test_a_wrong_number_is_not_followed_by_a_forbidden_one(desk: Desk) -> None:
    lead = desk.add(ADA)
    desk.rows("UPDATE leads SET other_numbers = %s WHERE id = %s", f'[["{BEN}", ""]]', lead)
    attempt = desk.called()
    desk.office.do_not_call_add([BEN], "test")
    disposed(desk, attempt, "wrong")
    assert desk.rows("SELECT number, status FROM leads WHERE id = %s", lead) == [(BEN, "blocked")]


def test_a_persons_mark_made_during_the_call_stands_above_a_later_result(desk: Desk) -> None:
    lead = desk.add(ADA)
    desk.make_ready()
    copy = desk.claim()[0]
    attempt, _ = desk.open(copy)
    desk.rows("UPDATE attempts_open SET opened_at = now() - interval '1 minute'")
    desk.office.lead_mark(lead, Mark(STOP), "an.le", "", NOW)
    desk.close(attempt, copy, Outcome.CONNECTED)
    done = disposed(desk, attempt.id, "later", callback_at=LATER_ON)
    assert (done.lead_kept, desk.status(lead)) == ("an.le marked it stop after the call began", "stopped")
    assert disposed(desk, attempt.id, "refused").lead_status == "refused"


# --- taken back -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M12")
def test_another_result_soon_after_replaces_the_first_wholly(desk: Desk) -> None:
    lead = desk.add(ADA)
    attempt = desk.called()
    disposed(desk, attempt, "refused")
    done = disposed(desk, attempt, "later", callback_at=LATER_ON)
    assert (done.replaced, done.lead_kept, desk.state(lead)) == ("refused", "", ("callback_scheduled", 1, LATER_ON))
    assert desk.one("SELECT count(*) FROM no_callback") == 0
    assert desk.one("SELECT status_before FROM leads WHERE id = %s", lead) is None


@pytest.mark.spec("M11", "S21")
def test_what_is_taken_back_includes_the_group_and_the_number(desk: Desk) -> None:
    rule = Rule(name="out", when=When(dispositions=("sold",)), then=Then(remove=True))
    desk.campaign(a_campaign(rules=(rule,), leads=LeadsSource(group="customers")))
    lead = desk.add(ADA)
    desk.rows("UPDATE leads SET other_numbers = %s WHERE id = %s", f'[["{BEN}", ""]]', lead)
    desk.office.group_add("customers", "test", numbers=[ADA])
    attempt = desk.called(revision=2)
    assert disposed(desk, attempt, "sold").lead_status == "stopped"
    assert desk.one("SELECT count(*) FROM group_members") == 0
    disposed(desk, attempt, "wrong")
    assert desk.one("SELECT count(*) FROM group_members") == 1
    assert desk.one("SELECT number FROM leads WHERE id = %s", lead) == BEN
    disposed(desk, attempt, "again")
    assert desk.rows("SELECT number, other_numbers FROM leads WHERE id = %s", lead) == [(ADA, [[BEN, ""]])]


def test_a_lead_that_somebody_changed_in_between_is_not_turned_back(desk: Desk) -> None:
    lead = desk.add(ADA)
    attempt = desk.called(outcome=Outcome.NO_ANSWER)
    disposed(desk, attempt, "later", callback_at=LATER_ON)
    desk.office.lead_mark(lead, Mark(CALL_AT, at=NOW + HOUR), "an.le", "", NOW + 200)
    done = disposed(desk, attempt, "sold")
    assert done.lead_kept == f"the lead was changed after later was set: fs-dialer lead mark {lead}"
    assert (desk.state(lead)[0], kept(desk, attempt)[0]) == ("callback_scheduled", "sold")


def test_a_daemon_that_only_asked_a_gate_has_not_changed_the_lead(desk: Desk) -> None:
    lead = desk.add(ADA)
    attempt = desk.called(outcome=Outcome.NO_ANSWER)
    disposed(desk, attempt, "again")
    desk.rows("UPDATE leads SET held_by = 'hours', ready_at = ready_at + interval '1 hour' WHERE id = %s", lead)
    assert (disposed(desk, attempt, "sold").lead_kept, desk.status(lead)) == ("", "succeeded")


def test_long_after_only_the_record_is_corrected(desk: Desk) -> None:
    lead = desk.add(ADA)
    attempt = desk.called()
    disposed(desk, attempt, "refused")
    desk.rows("UPDATE audit SET at = at - make_interval(secs => %s)", REPLACE_WITHIN_S + 1)
    for _ in range(2):
        done = disposed(desk, attempt, "sold")
        assert done.lead_kept.startswith("refused was set more than 15 minutes ago")
        assert (desk.status(lead), kept(desk, attempt)[0]) == ("refused", "sold")


def test_the_same_result_twice_changes_nothing(desk: Desk) -> None:
    lead = desk.add(ADA)
    attempt = desk.called()
    disposed(desk, attempt, "refused")
    once = desk.state(lead)
    disposed(desk, attempt, "refused")
    assert desk.state(lead) == once


@pytest.mark.spec("M12", "S79")
def test_the_same_said_again_by_the_same_person_is_written_and_told_once(desk: Desk) -> None:
    desk.rows("INSERT INTO definitions (kind, name, revision, source, definition) VALUES ('triggers', 't', 1, '{}', '{\"on\": \"disposition_set\"}')")
    desk.add(ADA)
    attempt = desk.called()
    first = disposed(desk, attempt, "later", callback_at=LATER_ON)
    again = disposed(desk, attempt, "later", callback_at=LATER_ON, now=NOW + 200)
    assert (again.lead_status, again.ready_at, again.decision, again.refused) == ("callback_scheduled", LATER_ON, first.decision, ())

    def told() -> tuple[int, int]:
        return desk.one("SELECT count(*) FROM audit WHERE what = 'dispose_attempt'"), desk.one("SELECT count(*) FROM happenings")

    assert told() == (1, 1)
    disposed(desk, attempt, "later", callback_at=LATER_ON + HOUR)
    assert told() == (2, 2)
    desk.office.attempt_dispose(attempt, Result("later", LATER_ON + HOUR), "hoa", "", NOW + 300)
    assert (told(), kept(desk, attempt)[1]) == ((3, 3), "hoa")


# --- answers ----------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def scripted(desk: Desk) -> Desk:
    desk.campaign(a_campaign(script=SCRIPT))
    desk.add(ADA)
    return desk


@pytest.mark.spec("M23", "M24", "S14")
def test_answers_are_kept_by_their_questions_as_what_they_are(scripted: Desk) -> None:
    attempt = scripted.called(revision=2)
    given = {"renew": ["YES"], "plans": ["silver, gold"], "many": ["2"], "due": ["2026-12-01"], "note": ["=cmd|'/c calc'!A0 ${system(id)}"]}
    done = disposed(scripted, attempt, "sold", answers=given)
    assert done.refused == ()
    assert kept(scripted, attempt)[2] == {
        "renew": "yes",
        "plans": ["silver", "gold"],
        "many": 2,
        "due": "2026-12-01",
        "note": "=cmd|'/c calc'!A0 ${system(id)}",
    }


@pytest.mark.spec("M23")
def test_all_that_is_wrong_with_answers_is_told_at_once(scripted: Desk) -> None:
    given = {"renew": ["perhaps"], "many": ["10"], "due": ["tomorrow"], "colour": ["red"]}
    refused = disposed(scripted, scripted.called(revision=2), "sold", answers=given).refused
    assert refused == (
        "renew: `perhaps` is none of yes, no",
        "many: 10 is above 9",
        "due: `tomorrow` is not a date: write 2026-12-01",
        "colour: the script has no such question; it has renew, plans, many, due, note",
    )


@pytest.mark.spec("M23")
def test_required_answers_are_asked_of_a_met_customer_and_not_of_one_who_refused(scripted: Desk) -> None:
    attempt = scripted.called(revision=2)
    assert disposed(scripted, attempt, "sold").refused == ("renew: must be answered",)
    assert disposed(scripted, attempt, "refused").refused == ()


@pytest.mark.spec("M24")
def test_answers_given_before_stay_when_the_result_is_corrected(scripted: Desk) -> None:
    attempt = scripted.called(revision=2)
    disposed(scripted, attempt, "sold", answers={"renew": ["yes"], "many": ["3"]})
    disposed(scripted, attempt, "sold", answers={"many": [""]})
    assert kept(scripted, attempt)[2] == {"renew": "yes"}


# --- told -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S79")
def test_a_result_is_an_event_where_a_trigger_listens(desk: Desk) -> None:
    desk.add(ADA)
    attempt = desk.called()
    disposed(desk, attempt, "again")
    assert desk.rows("SELECT kind FROM happenings") == []
    desk.rows("INSERT INTO definitions (kind, name, revision, source, definition) VALUES ('triggers', 't', 1, '{}', '{\"on\": \"disposition_set\"}')")
    disposed(desk, attempt, "sold")
    ((kind, data),) = desk.rows("SELECT kind, data FROM happenings")
    lead = desk.lead(ADA)
    assert kind == "disposition_set"
    assert data == {
        "campaign": "spring",
        "lead": lead,
        "attempt": attempt,
        "number": ADA,
        "outcome": "connected",
        "disposition": "sold",
        "agent": "lan",
    }


def test_every_result_is_in_the_audit_with_its_reason(desk: Desk) -> None:
    desk.add(ADA)
    disposed(desk, desk.called(), "again", why="line was bad")
    assert desk.rows("SELECT who, target, why, details ->> 'disposition' FROM audit WHERE what = 'dispose_attempt'") == [("lan", ADA, "line was bad", "again")]


def test_a_result_counts_every_call_against_the_maximum(desk: Desk) -> None:
    desk.campaign(a_campaign(attempts=Attempts(max=1, gap_s=HOUR)))
    lead = desk.add(ADA)
    disposed(desk, desk.called(revision=2), "again")
    assert desk.status(lead) == "exhausted"
    desk.office.lead_mark(lead, Mark(READY_NOW), "an.le", "", NOW)
    assert desk.status(lead) == "exhausted"
