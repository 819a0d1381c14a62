"""What only PostgreSQL has of callers: hints, the audit, races, people who are forgotten, rows that are too old."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from threading import Thread

import pytest

from fs_dialer.core.actions import OptOut
from fs_dialer.core.flow import IvrStep
from fs_dialer.core.model import AttemptId, SwitchId
from fs_dialer.db.forgetting import Traces
from fs_dialer.db.happenings import Happenings
from fs_dialer.db.housekeeping import Housekeeping
from fs_dialer.db.listen import Hint, Listener
from fs_dialer.db.pool import Pool
from tests.contract.store_backends import NOW, SPRING, PostgresBackend, a_number, a_result, an_update, called, claimed, running, some_leads
from tests.contract.test_store_callers import BACK, a_leg, left, served, with_callbacks
from tests.db.rows import Database

pytestmark = pytest.mark.parametrize("pg_server", [pytest.param(None, id="embedded")], indirect=True)


@pytest.fixture
def backend(pg_dsn: str) -> Iterator[PostgresBackend]:
    with ExitStack() as stack:
        yield PostgresBackend(pg_dsn, stack)


@pytest.mark.spec("D12")
def test_a_withdrawn_lead_is_told_to_the_daemon_to_the_audit_and_to_triggers(backend: PostgresBackend, pg_dsn: str) -> None:
    store, database = with_callbacks(backend), Database(pg_dsn)
    database.trigger("tell", "lead_finished")
    store.callers_left([left(1)])
    backend.work_off()
    lead = database.one("SELECT id FROM leads")
    with Listener(pg_dsn) as listener:
        listener.hints(0.5)
        store.caller_served(served(1, at=NOW + 30, call=7))
        assert Hint("withdrawn", f"{BACK}/{lead}") in listener.hints(2.0)
    assert database.rows("SELECT who, target, why FROM audit WHERE what = 'withdraw_lead'") == [("fs-dialer", a_number(1), "served by an agent in a queue")]
    assert database.one("SELECT data ->> 'status' FROM happenings WHERE kind = 'lead_finished'") == "stopped"


@pytest.mark.spec("S81")
def test_a_callers_ticket_wakes_the_triggers_with_all_that_they_may_ask_for(backend: PostgresBackend, pg_dsn: str) -> None:
    from fs_dialer.core.triggers import FIELDS

    store = with_callbacks(backend)
    with Listener(pg_dsn) as listener:
        listener.hints(0.5)
        store.callers_left([left(1)])
        assert "happenings" in {hint.kind for hint in listener.hints(2.0)}
    ((kind, data),) = backend.happenings()
    assert kind == "ticket_created" and set(data) == set(FIELDS["ticket_created"])
    assert (data["channel"], data["queue"], data["number"], data["lead"]) == ("callback", "support", a_number(1), None)


@pytest.mark.spec("D8")
def test_one_caller_told_by_many_at_once_leaves_one_ticket(backend: PostgresBackend, pg_dsn: str) -> None:
    store = with_callbacks(backend)
    threads = [Thread(target=store.callers_left, args=([left(1, found=place % 2 == 0)],)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(backend.requests()) == len(backend.callers()) == 1


@pytest.mark.spec("D12")
def test_who_asked_and_may_not_be_called_leaves_a_ticket_that_says_so(backend: PostgresBackend, pg_dsn: str) -> None:
    """He was told that he would be: somebody must decide."""
    store, database = with_callbacks(backend), Database(pg_dsn)
    backend.forbid(a_number(1))
    store.callers_left([left(1), left(2)])
    backend.work_off()
    notes = dict(database.rows("SELECT number, note FROM tickets WHERE closed_at IS NULL"))
    assert "nobody calls him back: do-not-call" in notes[a_number(1)] and "nobody" not in notes[a_number(2)]
    backend.work_off()
    assert database.one("SELECT note FROM tickets WHERE number = %s", a_number(1)) == notes[a_number(1)]


@pytest.mark.spec("D12", "S90")
def test_serving_and_adding_at_the_same_moment_never_leave_a_lead_that_waits(backend: PostgresBackend, pg_dsn: str) -> None:
    store = with_callbacks(backend)
    for place in range(1, 21):
        store.callers_left([left(place)])
    with closing(Pool(pg_dsn, size=4)) as pool:
        adding = [Thread(target=Happenings(pool).work_off, args=(100,)) for _ in range(2)]
        serving = [Thread(target=store.caller_served, args=(served(place, at=NOW + 30, call=100 + place),)) for place in range(1, 21)]
        for thread in (*adding, *serving):
            thread.start()
        for thread in (*adding, *serving):
            thread.join()
    assert {row[4] for row in backend.requests()} == {"served"}
    assert Database(pg_dsn).rows("SELECT status FROM leads WHERE status <> 'stopped'") == []


@pytest.mark.spec("S64", "D4")
def test_an_opt_out_is_on_its_list_with_the_customer_as_who_asked(backend: PostgresBackend, pg_dsn: str) -> None:
    store, database = running(backend, some_leads(1)), Database(pg_dsn)
    asked = OptOut(SwitchId("main"), a_leg(1), SPRING, a_number(1), "opt-out", NOW, place="dues-menu.3f2a91c4.stop")
    store.opt_out(asked)
    store.opt_out(asked)
    reason = "asked by a key not to be called: campaign spring, flow dues-menu, node stop"
    assert database.rows("SELECT number, list, reason, added_by FROM do_not_call") == [(a_number(1), "opt-out", reason, "the customer")]
    assert database.rows("SELECT who, target FROM audit WHERE what = 'do_not_call_add'") == [("the customer", a_number(1))]


@pytest.mark.spec("M21")
def test_a_person_who_is_forgotten_is_forgotten_by_queues_and_flows(backend: PostgresBackend, pg_dsn: str) -> None:
    store, database = running(backend, some_leads(1)), Database(pg_dsn)
    attempt = called(store, claimed(store)[0])
    result = replace(a_result(attempt, ticket="voicemail"), ivr=(IvrStep("pin", "gather", "pin", "1234"), IvrStep("say", "record", "say", "9")))
    store.close_attempts([(result, an_update(attempt.lead))])
    store.callers_left([left(1, "voicemail")])
    traces: list[Traces] = []
    done = backend.office.forget(a_number(1), "an.le", erase=traces.append)
    assert (done.callers, done.attempts, done.tickets) == (1, 1, 2)
    assert set(traces[0].attempts) == {attempt.id, a_leg(1)}
    assert database.rows("SELECT number, ivr FROM attempts") == [("", [])]
    assert database.rows("SELECT number FROM callers") == [("",)]
    assert set(database.rows("SELECT number, note, recording FROM tickets")) == {("", "", "")}


def test_callers_go_when_their_time_is_over(backend: PostgresBackend, pg_dsn: str) -> None:
    store, database = with_callbacks(backend), Database(pg_dsn)
    database.installation(keep_attempts_s=30 * 86400.0)
    store.callers_left([left(1, "hung_up", at=NOW - 31 * 86400)])
    store.callers_left([replace(left(2, "hung_up", at=NOW - 29 * 86400), call=AttemptId("other"))])
    with closing(Housekeeping(pg_dsn)) as keeper:
        assert "deleted 1 calls to queues older than 30 days" in keeper.housekeep(NOW)
    assert [row[0] for row in backend.callers()] == [a_number(2)]


@pytest.mark.spec("D12")
def test_what_a_lost_connection_left_undone_is_done_when_it_is_told_again(backend: PostgresBackend, pg_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from fs_dialer.core.model import LeadStatus, Outcome
    from fs_dialer.db import callers

    store = with_callbacks(backend)
    store.callers_left([left(1)])
    backend.work_off()
    (lead,) = claimed(store, 1, BACK, NOW + 60)
    attempt = called(store, lead)
    told = [(a_result(attempt, Outcome.CONNECTED, answered_at=NOW + 65), an_update(lead.id, LeadStatus.SUCCEEDED))]
    with monkeypatch.context() as patch:
        patch.setattr(callers, "follow_calls", lambda *_: None)
        store.close_attempts(told)
    assert [row[4] for row in backend.requests()] == [""]
    store.close_attempts(told)
    assert [row[4] for row in backend.requests()] == ["called_back"]
