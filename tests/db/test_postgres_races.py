"""The last gate and results, when two do them at once or the connection goes in the middle; and that neither ever reads a whole table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

import psycopg2
import pytest

from fs_dialer.core.model import Attempt, CampaignId, Lead, LeadReturn, LeadStatus, LeadUpdate, Outcome, Refusal
from fs_dialer.db import codec
from fs_dialer.db.pool import Arguments, Cursor, connect, rows
from fs_dialer.db.queries import query
from tests.contract.store_backends import (
    NOW,
    SPRING,
    DaemonStore,
    PostgresBackend,
    a_number,
    a_result,
    also_running,
    an_attempt,
    an_update,
    called,
    claimed,
    running,
    some_leads,
)
from tests.db.waiting import Waiting, ask, kill

AUTUMN = CampaignId("autumn")
DAY = 86_400.0


@pytest.fixture
def backend(pg_dsn: str) -> Iterator[PostgresBackend]:
    with ExitStack() as stack:
        yield PostgresBackend(pg_dsn, stack)


@pytest.fixture
def admin(pg_dsn: str) -> Iterator[psycopg2.extensions.connection]:
    with closing(psycopg2.connect(pg_dsn)) as connection:
        connection.autocommit = True
        yield connection


def both(backend: PostgresBackend, count: int = 1) -> tuple[DaemonStore, tuple[Lead, ...], tuple[Lead, ...]]:
    """Two campaigns with the same numbers, all claimed."""
    store = running(backend, some_leads(count))
    also_running(backend, store, some_leads(count), AUTUMN)
    return store, claimed(store, count), claimed(store, count, AUTUMN)


def words(attempts: list[Attempt], store: DaemonStore) -> Arguments:
    return {**codec.attempt_columns(attempts), "epoch": store.epoch}


# --- one number, two campaigns ------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("X4")
def test_two_connections_that_call_one_number_for_two_campaigns_make_one_call(backend: PostgresBackend) -> None:
    store, springs, autumns = both(backend, 30)
    for _ in range(3):
        batches = [[an_attempt(lead) for lead in springs], [an_attempt(lead) for lead in reversed(autumns)]]
        with ThreadPoolExecutor(2) as threads:
            verdicts = list(threads.map(store.open_attempts, batches))
        opened = [[attempt for attempt, verdict in zip(*both, strict=True) if verdict is None] for both in zip(batches, verdicts, strict=True)]
        assert sorted(attempt.number for each in opened for attempt in each) == [a_number(place) for place in range(1, 31)]
        assert {verdict and verdict.gate for each in verdicts for verdict in each} == {None, "number_in_call"}
        free = LeadUpdate(springs[0].id, LeadStatus.IN_PROGRESS, 0, 0, NOW)
        store.close_attempts([(a_result(attempt, Outcome.CANCELLED), replace(free, lead=attempt.lead)) for each in opened for attempt in each])
        for campaign, each in zip((SPRING, AUTUMN), opened, strict=True):
            claimed(store, len(each), campaign)


@pytest.mark.spec("X4")
def test_an_attempt_waits_for_another_of_its_number_that_is_being_committed(
    backend: PostgresBackend, pg_dsn: str, admin: psycopg2.extensions.connection
) -> None:
    store, (one,), (two,) = both(backend)
    with closing(psycopg2.connect(pg_dsn)) as other:
        with other.cursor() as cursor:
            assert rows(cursor, "open_attempts", words([an_attempt(one)], store)) == [(None, None)]
        waiting = Waiting(admin, lambda: store.open_attempts([an_attempt(two)]))
        waiting.until_blocked()
        other.commit()
    assert waiting.result() == [Refusal("number_in_call", NOW + 60)]


@pytest.mark.spec("X4")
def test_an_attempt_that_is_rolled_back_stands_in_nobodys_way(backend: PostgresBackend, pg_dsn: str, admin: psycopg2.extensions.connection) -> None:
    store, (one,), (two,) = both(backend)
    with closing(psycopg2.connect(pg_dsn)) as other:
        with other.cursor() as cursor:
            rows(cursor, "open_attempts", words([an_attempt(one)], store))
        waiting = Waiting(admin, lambda: store.open_attempts([an_attempt(two)]))
        waiting.until_blocked()
        other.rollback()
    assert waiting.result() == [None]


@pytest.mark.spec("D10")
def test_a_call_that_ends_while_the_gate_waits_is_counted(backend: PostgresBackend, pg_dsn: str, admin: psycopg2.extensions.connection) -> None:
    store, (one,), (two,) = both(backend)
    attempt = called(store, one, opened_at=NOW - 60)
    with closing(psycopg2.connect(pg_dsn)) as other:
        ask(other, f"SELECT FROM leads WHERE id = {two.id} FOR UPDATE")
        waiting = Waiting(admin, lambda: store.open_attempts([an_attempt(two, caps=((1, DAY),))]))
        waiting.until_blocked()
        store.close_attempts([(a_result(attempt), an_update(one.id))])
        other.commit()
    assert waiting.result() == [Refusal("number_cap", NOW - 60 + DAY)]


@pytest.mark.spec("D16", "D4")
def test_a_mark_that_commits_while_the_gate_waits_is_seen(backend: PostgresBackend, pg_dsn: str, admin: psycopg2.extensions.connection) -> None:
    store, (one,), _ = both(backend)
    with closing(psycopg2.connect(pg_dsn)) as other:
        ask(other, f"SELECT FROM leads WHERE id = {one.id} FOR UPDATE")
        waiting = Waiting(admin, lambda: store.open_attempts([an_attempt(one)]))
        waiting.until_blocked()
        backend.put_mark(one.number, "", NOW + DAY)
        other.commit()
    assert waiting.result() == [Refusal("no_callback", NOW + DAY)]
    assert backend.lead(one.number).status == "refused"


@pytest.mark.spec("D16")
def test_a_mark_for_all_does_not_wait_for_leads_that_somebody_has_locked(backend: PostgresBackend, pg_dsn: str) -> None:
    """The last gate has the last word anyway."""
    store = running(backend, some_leads(1))
    also_running(backend, store, some_leads(1), AUTUMN)
    (lead,) = claimed(store)
    attempt = called(store, lead)
    mark = replace(an_update(lead.id, LeadStatus.REFUSED), status_before=LeadStatus.SUCCEEDED, no_callback=NOW + DAY, no_callback_for_all=True)
    with closing(psycopg2.connect(pg_dsn)) as other:
        ask(other, "SELECT FROM leads WHERE campaign = 'autumn' FOR UPDATE")
        store.close_attempts([(a_result(attempt), mark)])
        other.rollback()
    assert backend.lead(lead.number, AUTUMN).status == "new"
    (later,) = claimed(store, 1, AUTUMN)
    assert list(store.open_attempts([an_attempt(later)])) == [Refusal("no_callback", NOW + DAY)]


def test_results_that_mark_each_others_numbers_do_not_block_each_other(backend: PostgresBackend) -> None:
    store, springs, autumns = both(backend, 20)
    for round in range(3):
        half = {lead.id for lead in springs[:10]} | {lead.id for lead in autumns[10:]}
        attempts = [called(store, lead) for lead in (*springs, *autumns) if lead.id in half]
        marks = [(a_result(each), replace(an_update(each.lead, LeadStatus.REFUSED), no_callback=NOW + 1, no_callback_for_all=True)) for each in attempts]
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(store.close_attempts, [marks[:10], marks[10:][::-1], marks[5:15], marks[::-1]]))
        assert backend.outcomes() == {"busy": 20 * (round + 1)}
        assert store.return_refused(NOW + 2) == 20
        for number in range(1, 21):
            backend.clear(a_number(number), None)
        for campaign in (SPRING, AUTUMN):
            claimed(store, 10, campaign, NOW + DAY)


# --- the connection goes in the middle ------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D8")
def test_a_connection_killed_while_results_are_written_leaves_nothing_half_done(
    backend: PostgresBackend, pg_dsn: str, admin: psycopg2.extensions.connection
) -> None:
    backend.hear("attempt_ended", "ticket_created")
    store, leads, _ = both(backend, 3)
    attempts = [called(store, lead) for lead in leads]
    results = [(a_result(attempt, ticket="call"), an_update(attempt.lead)) for attempt in attempts]
    with closing(psycopg2.connect(pg_dsn)) as other:
        # Deleting from attempts_open waits for the last one; the others are deleted already, for the statement.
        ask(other, f"SELECT FROM attempts_open WHERE id = '{attempts[-1].id}' FOR UPDATE")
        waiting = Waiting(admin, lambda: store.close_attempts(results))
        waiting.until_blocked()
        while not kill(admin, "fs-dialer"):
            pass
        waiting.until_blocked()  # it is asked once more on a new connection
        assert ask(admin, "SELECT count(*), (SELECT count(*) FROM attempts), (SELECT count(*) FROM tickets) FROM attempts_open") == [(3, 0, 0)]
        assert {backend.lead(lead.number).status for lead in leads} == {"in_progress"}
        other.rollback()
    assert waiting.result() is None
    assert (len(backend.tickets()), len(backend.happenings()), backend.outcomes()) == (3, 6, {"busy": 3})


@pytest.mark.spec("D8", "X4")
@pytest.mark.parametrize("lost", ["open_attempts", "close_attempts"])
def test_an_answer_that_is_lost_after_the_commit_is_asked_for_again_and_nothing_is_done_twice(
    backend: PostgresBackend, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    backend.hear("attempt_ended", "ticket_created", "lead_finished")
    store, (lead,), _ = both(backend)
    backend.give_numbers(lead.number, [(a_number(7), ()), (a_number(8), ())])
    losses: list[Any] = []
    answered = rows

    def lose_one_answer(cursor: Cursor, name: str, arguments: Arguments | None = None) -> list[tuple[Any, ...]]:
        found = answered(cursor, name, arguments)
        if name == lost and not losses:
            losses.append(name)
            cursor.connection.close()
            raise psycopg2.OperationalError("server closed the connection unexpectedly")
        return found

    monkeypatch.setattr("fs_dialer.db.pool.rows", lose_one_answer)
    attempt = called(store, lead)
    store.close_attempts([(a_result(attempt, ticket="call"), replace(an_update(lead.id, LeadStatus.EXHAUSTED), number="next"))])
    assert losses == [lost]
    assert (backend.attempts(), backend.outcomes(), len(backend.tickets()), len(backend.happenings())) == (1, {"busy": 1}, 1, 3)
    assert backend.lead(a_number(7)).others == ((a_number(8), ""), (lead.number, "Europe/Madrid"))


# --- no table is read as a whole ------------------------------------------------------------------------------------------------------------

BIG = {"leads", "attempts_open", "do_not_call", "no_callback", "contacts", "group_members", "attempts", "campaign_revisions"}


@pytest.mark.parametrize("name", ["open_attempts", "close_attempts", "claim_leads", "return_leads"])
def test_everything_is_looked_up_by_key_even_by_a_plan_made_when_the_tables_were_empty(backend: PostgresBackend, pg_dsn: str, name: str) -> None:
    """Plans are kept. One that reads a whole table because it was empty a minute ago would stop all dialling when it is not any more."""
    attempt = an_attempt(claimed(running(backend, some_leads(1)))[0])
    words: dict[str, dict[str, Any]] = {
        "open_attempts": {**codec.attempt_columns([attempt]), "epoch": 1},
        "close_attempts": codec.result_columns([(a_result(attempt), an_update(attempt.lead))]),
        "return_leads": {**codec.return_columns([LeadReturn(attempt.lead, NOW, "")]), "campaign": SPRING, "epoch": 1},
        "claim_leads": {"campaign": SPRING, "count": 5, "few": 5, "zone_sets": ["Europe/Madrid"], "now": NOW, "epoch": 1, "batch": 9},
    }
    given = words[name]
    prepared = query(name).prepared
    assert prepared is not None
    whole = []
    with closing(connect(pg_dsn, application="test")) as connection, connection.cursor() as cursor:
        cursor.execute(prepared.prepare)
        cursor.execute("BEGIN")
        for statement in prepared.execute.split(";\n"):
            if not statement.startswith("EXECUTE"):
                cursor.execute(statement)
                continue
            cursor.execute("EXPLAIN (FORMAT JSON) " + statement, given)
            plan = (cursor.fetchone() or ("[]",))[0]
            for node in nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]):
                if node.get("Relation Name") in BIG and node["Node Type"] not in {"ModifyTable", "Bitmap Heap Scan"}:
                    keyed = "Index Cond" in node or "TID Cond" in node
                    whole += [] if keyed else [f"{node['Node Type']} on {node['Relation Name']} for {node.get('Subplan Name', 'the query')}"]
    assert whole == []


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)
