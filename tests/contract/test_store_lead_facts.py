"""What a claimed lead tells of its history and its number, in every store: last outcome, mobile or fixed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from fs_dialer.core.hangup import FEEDS_ESTIMATE
from fs_dialer.core.model import Outcome
from fs_dialer.db.shapes import LeadRow
from tests.contract.store_backends import MADRID, NOW, Backend, MemoryBackend, PostgresBackend, a_result, an_update, called, claimed, running, some_leads


class LeadFactsContract:
    """Every test of both stores. `backend` is one fresh database."""

    def test_a_lead_that_was_never_called_has_no_last_outcome(self, backend: Backend) -> None:
        (lead,) = claimed(running(backend, some_leads(1)))
        assert lead.last == ""

    @pytest.mark.spec("D3")
    def test_the_last_outcome_is_that_of_the_last_call_that_says_anything_of_the_callee(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        said = ""
        for outcome in (Outcome.OURS, Outcome.BUSY, Outcome.NETWORK, Outcome.NO_ANSWER, Outcome.CANCELLED, Outcome.UNKNOWN, Outcome.MISSED, Outcome.MACHINE):
            (lead,) = claimed(store)
            assert lead.last == said, outcome
            store.close_attempts([(a_result(called(store, lead), outcome), an_update(lead.id, ready_at=NOW))])
            said = outcome.value if outcome in FEEDS_ESTIMATE else said
        assert claimed(store)[0].last == "machine"

    def test_an_attempt_that_is_found_open_tells_its_leads_last_outcome_before_it(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = claimed(store)
        store.close_attempts([(a_result(called(store, lead), Outcome.BUSY), an_update(lead.id, ready_at=NOW))])
        (again,) = claimed(store)
        called(store, again)
        (found,) = store.open_attempts_found()
        assert found.lead.last == "busy" and found.lead.kind == again.kind

    def test_the_kind_of_its_number_is_known_where_the_plan_tells(self, backend: Backend) -> None:
        rows = [LeadRow(number, MADRID, ready_at=NOW - 60 + place) for place, number in enumerate(("+34612345678", "+34910000123", "+12125550123"))]
        assert [lead.kind for lead in claimed(running(backend, rows), 3)] == ["mobile", "fixed", ""]


class TestMemory(LeadFactsContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return MemoryBackend()


class TestPostgres(LeadFactsContract):
    @pytest.fixture
    def backend(self, pg_dsn: str) -> Iterator[Backend]:
        with ExitStack() as closing:
            yield PostgresBackend(pg_dsn, closing)
