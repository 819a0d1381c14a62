"""Who is claimed before the whole list: whom a time was promised, and who was missed and is owed a call. The same over memory and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from fs_dialer.core.model import LeadReturn, LeadStatus
from fs_dialer.core.retry import REMEDY
from tests.contract.store_backends import (
    MADRID,
    NOW,
    SPRING,
    TWO_ZONES,
    Backend,
    DaemonStore,
    MemoryBackend,
    PostgresBackend,
    a_number,
    a_result,
    an_update,
    called,
    running,
    some_leads,
)


def owed(backend: Backend, store: DaemonStore, *places: int, why: str = REMEDY, ready_at: float = NOW + 100) -> None:
    """These leads were called; now they are owed another call from `ready_at` on."""
    taken = {lead.number: lead for lead in store.claim_leads(SPRING, 99, [MADRID, TWO_ZONES], NOW).leads}
    for place in places:
        lead = taken.pop(a_number(place))
        status = LeadStatus.CALLBACK_SCHEDULED if why == "promised" else LeadStatus.RETRY
        store.close_attempts([(a_result(called(store, lead)), replace(an_update(lead.id, status, ready_at=ready_at + place), ready_why=why))])
    store.return_leads(SPRING, [LeadReturn(lead.id, NOW - 60, "") for lead in taken.values()])


class FirstContract:
    """Every test of both stores. `backend` is one fresh database."""

    @pytest.mark.parametrize("why", [REMEDY, "promised"])
    def test_who_is_owed_a_call_is_claimed_before_all_others_once_he_is_ready(self, backend: Backend, why: str) -> None:
        store = running(backend, some_leads(6))
        owed(backend, store, 5, 4, why=why)
        assert [lead.number for lead in store.claim_leads(SPRING, 2, [MADRID], NOW + 100).leads] == [a_number(1), a_number(2)]
        later = store.claim_leads(SPRING, 3, [MADRID], NOW + 200).leads
        assert [lead.number for lead in later] == [a_number(4), a_number(5), a_number(3)]
        assert [lead.ready_why for lead in later] == [why, why, ""]

    def test_a_claim_for_one_brings_him_alone_and_nobody_twice(self, backend: Backend) -> None:
        store = running(backend, some_leads(3))
        owed(backend, store, 3)
        got = [store.claim_leads(SPRING, 1, [MADRID], NOW + 200).leads[0].number for _ in range(3)]
        assert got == [a_number(3), a_number(1), a_number(2)] and store.claim_leads(SPRING, 1, [MADRID], NOW + 200).leads == ()

    def test_a_claim_is_full_where_those_who_are_owed_are_among_the_oldest(self, backend: Backend) -> None:
        store = running(backend, some_leads(4))
        owed(backend, store, 1, 2, ready_at=NOW - 90)
        assert [lead.number for lead in store.claim_leads(SPRING, 3, [MADRID], NOW).leads] == [a_number(1), a_number(2), a_number(3)]

    def test_outside_the_hours_where_he_lives_he_waits(self, backend: Backend) -> None:
        store = running(backend, [*some_leads(1), *some_leads(1, TWO_ZONES, first=9)])
        owed(backend, store, 1)
        assert [lead.number for lead in store.claim_leads(SPRING, 5, [TWO_ZONES], NOW + 200).leads] == [a_number(9)]

    def test_given_back_undialled_he_is_still_first(self, backend: Backend) -> None:
        store = running(backend, some_leads(3))
        owed(backend, store, 3)
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW + 200).leads
        store.return_leads(SPRING, [LeadReturn(lead.id, lead.ready_at, "")])
        assert store.claim_leads(SPRING, 1, [MADRID], NOW + 200).leads[0].number == a_number(3)

    def test_once_he_was_called_he_is_like_any_other(self, backend: Backend) -> None:
        store = running(backend, some_leads(3))
        owed(backend, store, 3)
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW + 200).leads
        store.close_attempts([(a_result(called(store, lead)), replace(an_update(lead.id, ready_at=NOW + 300), ready_why="gap"))])
        assert [each.number for each in store.claim_leads(SPRING, 3, [MADRID], NOW + 400).leads] == [a_number(1), a_number(2), a_number(3)]


class TestMemory(FirstContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return MemoryBackend()


class TestPostgres(FirstContract):
    @pytest.fixture
    def backend(self, pg_dsn: str) -> Iterator[Backend]:
        with ExitStack() as closing:
            yield PostgresBackend(pg_dsn, closing)
