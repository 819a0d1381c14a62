"""Leads that agents take, where only a real database can show it: two clicks at once, lost answers, the record, and those who are forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any

import psycopg2
import pytest

from fs_dialer.core.model import AgentId, AgentTimes, LeadReturn
from fs_dialer.core.stored import Taken
from fs_dialer.db.pool import Cursor
from fs_dialer.db.postgres import PostgresStore
from fs_dialer.db.takes import agent_hour_columns, take_lead
from fs_dialer.errors import StoreError
from tests.contract.store_backends import NOW, SPRING, PostgresBackend, a_number, a_result, a_take, an_agent, an_attempt, an_update, running, some_leads

pytestmark = pytest.mark.spec("S29", "S30", "D16")


@pytest.fixture
def backend(pg_dsn: str) -> Iterator[PostgresBackend]:
    with ExitStack() as stack:
        yield PostgresBackend(pg_dsn, stack)


@pytest.fixture
def admin(pg_dsn: str) -> Iterator[psycopg2.extensions.connection]:
    with closing(psycopg2.connect(pg_dsn)) as connection:
        connection.autocommit = True
        yield connection


def ask(admin: psycopg2.extensions.connection, sql: str) -> list[Any]:
    with admin.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def taking(backend: PostgresBackend, leads: int) -> PostgresStore:
    for agent in ("lan", "hoa", "huy", "tam"):
        backend.define_agent(an_agent(agent))
    store = running(backend, some_leads(leads))
    assert isinstance(store, PostgresStore)
    return store


def at_once(store: PostgresStore, agents: list[str], **asked: Any) -> list[Taken]:
    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(lambda agent: store.take_lead(a_take(agent=agent, **asked), NOW), agents))


def test_clicks_at_once_never_pass_the_quota(backend: PostgresBackend) -> None:
    store = taking(backend, 12)
    taken = at_once(store, ["lan"] * 12, quota=3)
    assert sorted(each.gate for each in taken) == [""] * 3 + ["quota"] * 9


def test_agents_at_once_never_get_the_same_lead_and_all_get_one(backend: PostgresBackend) -> None:
    store = taking(backend, 12)
    taken = at_once(store, ["lan", "hoa", "huy", "tam"] * 3)
    assert len({each.lead.id for each in taken if each.lead}) == 12


def test_one_lead_named_by_two_at_once_is_one_agents(backend: PostgresBackend) -> None:
    store = taking(backend, 1)
    (lead,) = store.claim_leads(SPRING, 1, [("Europe/Madrid",)], NOW).leads
    store.return_leads(SPRING, [LeadReturn(lead.id, NOW, "")])
    taken = at_once(store, ["lan", "hoa", "huy", "tam"], lead=lead.id)
    assert sorted(each.gate for each in taken) == ["", "lead_taken", "lead_taken", "lead_taken"]


def test_a_take_whose_answer_was_lost_is_undone_by_the_next_and_costs_nothing(backend: PostgresBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    store = taking(backend, 1)

    def lose_the_answer(cursor: Cursor, *given: Any) -> Taken:
        take_lead(cursor, *given)
        cursor.execute("COMMIT")
        cursor.connection.close()
        raise psycopg2.OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patched:
        patched.setattr("fs_dialer.db.postgres.take_lead", lose_the_answer)
        with pytest.raises(StoreError) as caught:
            store.take_lead(a_take(quota=1), NOW)
    assert caught.value.lost
    taken = store.take_lead(a_take(quota=1), NOW)
    assert taken.lead is not None and (taken.lead.number, taken.left) == (a_number(1), 0)


@pytest.mark.spec("S34")
def test_every_take_is_recorded_and_a_new_owner_stands_in_the_audit(backend: PostgresBackend, admin: psycopg2.extensions.connection) -> None:
    store = taking(backend, 1)
    lead = store.take_lead(a_take(own_customer=True), NOW).lead
    assert lead is not None
    assert list(store.open_attempts([an_attempt(lead, opened_at=NOW + 5)])) == [None]
    found = ask(admin, "SELECT agent, campaign, lead, extract(epoch FROM taken_at)::float8, extract(epoch FROM dialled_at)::float8 FROM lead_takes")
    assert found == [("lan", "spring", lead.id, NOW, NOW + 5)]
    audit = ask(admin, "SELECT who, target, why, details ->> 'owner', details ->> 'owner_before', details -> 'fields' FROM audit WHERE what = 'set_contact'")
    assert audit == [("lan", lead.number, "took the customer", "lan", "", ["owner"])]


def test_taking_ones_own_customer_again_changes_and_notes_nothing(backend: PostgresBackend, admin: psycopg2.extensions.connection) -> None:
    store = taking(backend, 1)
    for _ in range(2):
        lead = store.take_lead(a_take(own_customer=True), NOW).lead
        assert lead is not None
        store.return_leads(SPRING, [LeadReturn(lead.id, NOW, "")])
    assert ask(admin, "SELECT count(*) FROM audit WHERE what = 'set_contact'") == [(1,)]


def test_who_is_forgotten_stays_in_the_quota_only_if_he_was_dialled(backend: PostgresBackend, admin: psycopg2.extensions.connection) -> None:
    store = taking(backend, 3)
    dialled, undialled = (store.take_lead(a_take(quota=3), NOW).lead for _ in range(2))
    assert dialled is not None and undialled is not None
    attempt = an_attempt(dialled, opened_at=NOW + 5)
    assert list(store.open_attempts([attempt])) == [None]
    store.close_attempts([(a_result(attempt), an_update(dialled.id))])
    for lead in (dialled, undialled):
        backend.office.forget(lead.number, "op")
    assert ask(admin, "SELECT lead FROM lead_takes") == [(None,), (None,)]
    assert store.take_lead(a_take(quota=2), NOW).left == 0


def test_a_word_that_agents_time_is_not_counted_by_is_a_bug_that_is_named() -> None:
    with pytest.raises(ValueError, match="not counted by lunch"):
        agent_hour_columns([AgentTimes(AgentId("lan"), 0.0, 60.0, (("lunch", 60.0),))])
