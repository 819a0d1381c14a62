"""What a journal says was dialled is what was dialled, and a database that was set back is brought up to it (D8, X4, X6)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from fs_dialer.core.actions import CloseAttempt, OriginateLead
from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import LeadStatus
from fs_dialer.core.stored import Dialled
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.catch_up import catch_up
from fs_dialer.db.pool import Pool
from fs_dialer.db.postgres import PostgresStore
from fs_dialer.db.shapes import LeadRow
from fs_dialer.errors import FsDialerError, StoreError
from fs_dialer.runtime.catch_up import dialled
from tests.runtime.day import SPRING, Day, a_day_campaign

pytestmark = pytest.mark.spec("D8", "X4", "X6")


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Day, Path]:
    journal = tmp_path_factory.mktemp("journal") / "day.jsonl"
    return Day(seed=5, journal=journal).run(900), journal


@pytest.fixture
def office(pg_dsn: str) -> Iterator[Backoffice]:
    """A database with the day's campaign and list, as it was before anybody was called."""
    with ExitStack() as stack:
        office = Backoffice(pg_dsn)
        stack.callback(office.close)
        load(office, a_day_campaign())
        yield office


def load(office: Backoffice, campaign: Campaign, leads: int = 200) -> None:
    office.apply_definitions([campaign], [], None, "test")
    office.import_leads(SPRING, [LeadRow(f"+1212555{n:04d}", ("America/New_York",)) for n in range(leads)], "test")


def states(dsn: str) -> dict[str, tuple[Any, ...]]:
    pool = Pool(dsn, size=1, application="test")
    try:
        with pool.cursor() as cursor:
            cursor.execute(
                "SELECT number, status, attempts, ours_in_row, extract(epoch FROM ready_at)::float8, ready_why FROM leads WHERE claimed_epoch IS NULL"
            )
            return {row[0]: row[1:] for row in cursor.fetchall()}
    finally:
        pool.close()


def test_a_journal_holds_every_attempt_of_the_day_with_its_end(day: tuple[Day, Path]) -> None:
    lived, journal = day
    found = dialled([journal])
    opened = [action.attempt for action in lived.actions if isinstance(action, OriginateLead)]
    ends = {action.result.attempt: (action.result, action.update) for action in lived.actions if isinstance(action, CloseAttempt)}
    assert [each.attempt for each in found] == sorted(opened, key=lambda a: (a.opened_at, a.id)) and len(found) > 20
    assert {each.attempt.id: each.end for each in found} == ends


def test_a_database_that_was_set_back_gets_every_lead_as_the_day_left_it(day: tuple[Day, Path], office: Backoffice, pg_dsn: str) -> None:
    lived, journal = day
    done = catch_up(pg_dsn, dialled([journal]))
    assert (done.known, done.still_open, done.no_lead) == (0, 0, ()) and done.written == done.attempts > 20
    assert office.outcome_totals() == lived.store.outcome_totals()
    stored = states(pg_dsn)
    for lead in lived.store._db.leads.values():
        if lead.attempts or lead.ours_in_row:
            status, attempts, in_row, ready_at, why = stored[lead.number]
            assert (status, attempts, in_row, why) == (lead.status.value, lead.attempts, lead.ours_in_row, lead.ready_why)
            assert ready_at == pytest.approx(lead.ready_at, abs=1e-3)


def test_doing_it_twice_changes_nothing(day: tuple[Day, Path], office: Backoffice, pg_dsn: str) -> None:
    past = dialled([day[1]])
    catch_up(pg_dsn, past)
    before = states(pg_dsn)
    again = catch_up(pg_dsn, past)
    assert (again.written, again.known) == (0, len(past)) and states(pg_dsn) == before


def test_attempts_without_an_end_are_put_back_open_and_their_leads_are_out_of_reach(day: tuple[Day, Path], office: Backoffice, pg_dsn: str) -> None:
    first = dialled([day[1]])[0]
    done = catch_up(pg_dsn, [Dialled(first.attempt, first.lead)])
    assert (done.written, done.still_open) == (1, 1)
    store = PostgresStore(pg_dsn)
    try:
        store.take_epoch("the daemon")
        assert [found.attempt.id for found in store.open_attempts_found()] == [first.attempt.id]
        assert states(pg_dsn)[first.attempt.number][0] == LeadStatus.IN_PROGRESS.value
    finally:
        store.close()


def test_an_attempt_that_the_backup_had_open_gets_its_end(day: tuple[Day, Path], office: Backoffice, pg_dsn: str) -> None:
    first = dialled([day[1]])[0]
    assert first.end is not None
    catch_up(pg_dsn, [Dialled(first.attempt, first.lead)])
    done = catch_up(pg_dsn, [first])
    assert (done.known, done.written) == (1, 0) and states(pg_dsn)[first.attempt.number][0] == first.end[1].status.value


def test_numbers_of_a_list_that_is_not_there_any_more_are_named(day: tuple[Day, Path], pg_dsn: str) -> None:
    with ExitStack() as stack:
        office = Backoffice(pg_dsn)
        stack.callback(office.close)
        load(office, a_day_campaign(), leads=1)
    past = dialled([day[1]])
    done = catch_up(pg_dsn, past)
    assert set(done.no_lead) == {each.attempt.number for each in past} - {"+12125550000"}


def test_a_list_that_was_loaded_anew_is_matched_by_number(day: tuple[Day, Path], pg_dsn: str) -> None:
    with ExitStack() as stack:
        office = Backoffice(pg_dsn)
        stack.callback(office.close)
        office.apply_definitions([a_day_campaign()], [], None, "test")
        rows = [LeadRow(f"+1212555{n:04d}", ("America/New_York",)) for n in reversed(range(200))]
        office.import_leads(SPRING, rows, "test")
    first = dialled([day[1]])[0]
    assert first.end is not None and catch_up(pg_dsn, [first]).written == 1
    assert states(pg_dsn)[first.attempt.number][0] == first.end[1].status.value


def test_while_a_daemon_is_active_nothing_is_written(day: tuple[Day, Path], office: Backoffice, pg_dsn: str) -> None:
    store = PostgresStore(pg_dsn)
    try:
        store.take_epoch("the daemon")
        with pytest.raises(StoreError, match="stop it first"):
            catch_up(pg_dsn, dialled([day[1]]))
    finally:
        store.close()
    assert office.attempts_count() == 0


def test_a_journal_that_this_version_would_not_have_lived_is_refused(day: tuple[Day, Path], tmp_path: Path) -> None:
    lines = day[1].read_text().splitlines()
    header = json.loads(lines[0])
    lines[0] = json.dumps({**header, "seed": header["seed"] + 1})
    other = tmp_path / "other.jsonl"
    other.write_text("\n".join(lines) + "\n")
    with pytest.raises(FsDialerError, match="would have decided otherwise"):
        dialled([other])
