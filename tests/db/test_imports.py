"""Imports: all or nothing, hostile text as it was, and a million rows in little memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing

import psycopg2
import pytest

from fs_dialer.core.model import CampaignState, LeadId
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.import_lines import rows_of
from fs_dialer.db.imports import ImportOrder, run_import
from fs_dialer.db.pool import Pool
from fs_dialer.db.shapes import Imported, LeadRow
from fs_dialer.errors import StoreError
from tests.contract.store_backends import (
    MADRID,
    NOW,
    SPRING,
    PostgresBackend,
    a_campaign,
    a_number,
    a_result,
    an_attempt,
    an_update,
    running,
    some_leads,
)

HOSTILE = [
    "${system(rm -rf /)}",
    "Robert'); DROP TABLE leads;--",
    "tab\there, newline\nthere, return\rback\\slash \\N \\. \b\f\v",
    '"quoted", {braces} | pipe',
    "\u202eright to left \U0001f600 \x01\x7f",
    "%(number)s %s %%",
    "\\u0000",
    "x" * 10_000,
]


@pytest.fixture
def backend(pg_dsn: str) -> Iterator[PostgresBackend]:
    with ExitStack() as stack:
        backend = PostgresBackend(pg_dsn, stack)
        backend.define(a_campaign())
        yield backend


def counts(dsn: str) -> tuple[object, ...]:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM leads), (SELECT count(*) FROM contacts), (SELECT count(*) FROM campaign_zone_sets)")
        return cursor.fetchone() or ()


@pytest.mark.spec("D7")
def test_hostile_text_is_stored_as_it_was_and_does_nothing(backend: PostgresBackend) -> None:
    """D7."""
    given = [LeadRow(a_number(place), MADRID, text, {text[:20]: text}) for place, text in enumerate(HOSTILE)]
    assert backend.office.import_leads(SPRING, given, "test").new == len(HOSTILE)
    lines = backend.office.lead_list(SPRING)
    assert [(line.name, dict(line.attributes)) for line in lines] == [(text, {text[:20]: text}) for text in HOSTILE]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (LeadRow("0911222333"), "digits"),
        (LeadRow("+34911222333\n"), "digits"),
        (LeadRow("+34${x}"), "digits"),
        (LeadRow(a_number(9), name="a\0b"), "NUL"),
        (LeadRow(a_number(9), attributes={"plan": "a\0b"}), "NUL"),
        (LeadRow(a_number(9), name="half \ud800"), "surrogate"),
        (LeadRow(a_number(9), ready_at=float("nan")), "cannot be stored"),
        (LeadRow(a_number(9), ready_at=1e30), "cannot be stored"),
    ],
)
def test_a_row_that_cannot_be_stored_is_named_and_nothing_is_imported(backend: PostgresBackend, pg_dsn: str, row: LeadRow, problem: str) -> None:
    with pytest.raises(StoreError, match=f"row 3 .*{problem}"):
        backend.office.import_leads(SPRING, [*some_leads(2), row, *some_leads(2, first=20)], "test")
    assert counts(pg_dsn) == (0, 0, 0)
    assert backend.office.import_leads(SPRING, some_leads(1), "test").new == 1


def test_a_list_that_fails_while_it_is_read_imports_nothing(backend: PostgresBackend, pg_dsn: str) -> None:
    def broken() -> Iterator[LeadRow]:
        yield from some_leads(5000)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        backend.office.import_leads(SPRING, broken(), "test")
    assert counts(pg_dsn) == (0, 0, 0)


def test_progress_is_told_every_ten_thousand_rows(backend: PostgresBackend) -> None:
    told: list[int] = []
    done = backend.office.import_leads(SPRING, some_leads(25_000), "test", told.append)
    assert (told, done) == ([10_000, 20_000], Imported(25_000, 25_000, 0, 0, 0))


@pytest.mark.spec("S89")
def test_leads_stand_in_the_order_of_the_list(backend: PostgresBackend) -> None:
    """S89."""
    numbers = [a_number(place) for place in (5, 3, 9, 1)]
    backend.office.import_leads(SPRING, [LeadRow(number) for number in numbers], "test")
    assert [line.number for line in backend.office.lead_list(SPRING)] == numbers


def test_a_later_list_adds_to_what_is_known_of_a_contact(backend: PostgresBackend) -> None:
    first = LeadRow(a_number(1), MADRID, "Ana", {"plan": "gold", "city": "Madrid"})
    again = LeadRow(a_number(1), (), "", {"plan": "silver", "age": "40"})
    assert backend.office.import_leads(SPRING, [first], "test").new == 1
    assert backend.office.import_leads(SPRING, [again], "test").known == 1
    (line,) = backend.office.lead_list(SPRING)
    assert (line.name, line.attributes) == ("Ana", {"plan": "silver", "city": "Madrid", "age": "40"})


def test_the_first_of_two_rows_with_one_number_counts(backend: PostgresBackend) -> None:
    rows = [LeadRow(a_number(1), MADRID, "first", {}, NOW), LeadRow(a_number(1), MADRID, "second", {}, NOW)]
    assert backend.office.import_leads(SPRING, rows, "test") == Imported(2, 1, 0, 0, 1)
    (line,) = backend.office.lead_list(SPRING)
    assert (line.name, line.ready_at) == ("first", NOW)


def test_dialling_and_applying_go_on_while_a_list_is_imported(backend: PostgresBackend, pg_dsn: str) -> None:
    """An import may take a minute: nothing that a daemon or an admin does meanwhile waits for it, though some lots are written and not committed."""
    store = running(backend, some_leads(2))

    def rows() -> Iterator[LeadRow]:
        yield from some_leads(2_000, first=10)
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
        attempt = an_attempt(lead)
        assert list(store.open_attempts([attempt])) == [None]
        store.close_attempts([(a_result(attempt), an_update(lead.id))])
        store.set_campaign_state(SPRING, 1, CampaignState.PAUSED, False, "", "test")
        with closing(Backoffice(pg_dsn)) as other:
            assert other.apply_definitions([a_campaign(title="changed")], [], None, "test").changes[0].revision == 2
            other.do_not_call_add([a_number(1)], "test")
        yield from some_leads(2_000, first=5_000)

    with closing(Pool(pg_dsn, size=1)) as pool:
        assert run_import(pool, ImportOrder("test", SPRING), rows_of(rows()), lot_rows=500).new == 4_000


def test_an_import_is_in_the_audit(backend: PostgresBackend) -> None:
    backend.office.import_leads(SPRING, some_leads(3), "an.le")
    line = backend.office.audit_list(SPRING)[0]
    assert (line.who, line.what) == ("an.le", "import_leads")
    counts = {"rows": 3, "new": 3, "do_not_call": 0, "no_callback": 0, "known": 0, "twice": 0, "contacts": 3, "changed": 0, "members": 0}
    assert {name: line.details[name] for name in counts} == counts and line.details["import"].startswith("i-")


def test_an_empty_list_is_an_import_of_nothing(backend: PostgresBackend) -> None:
    assert backend.office.import_leads(SPRING, [], "test") == Imported(0, 0, 0, 0, 0)
    assert backend.office.lead_show(LeadId(1)) is None
