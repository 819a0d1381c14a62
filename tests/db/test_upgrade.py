"""From the tables of the version before to these, with calls up and history behind: nothing is lost, nobody is called twice."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from fs_dialer import paths
from fs_dialer.core.model import AttemptResult, LeadStatus, LeadUpdate, Outcome
from fs_dialer.db.migrate import migrate
from fs_dialer.db.postgres import PostgresStore

BEFORE = """
INSERT INTO campaigns (name, newest_revision, state, approved_revision) VALUES ('spring', 1, 'running', 1);
INSERT INTO campaign_revisions (campaign, revision, type, definition, created_by)
VALUES ('spring', 1, 'progressive', '{"id": "spring", "type": "progressive", "caller_id": ["+34910000000"]}', 'an.le');
INSERT INTO contacts (number) VALUES ('+34600000001'), ('+34600000002'), ('+34600000003');
INSERT INTO leads (campaign, contact, number, status, attempts, claimed_epoch)
VALUES ('spring', 1, '+34600000001', 'in_progress', 0, 1), ('spring', 2, '+34600000002', 'retry', 1, NULL), ('spring', 3, '+34600000003', 'succeeded', 1, NULL);
INSERT INTO epochs (holder) VALUES ('an earlier daemon');
INSERT INTO attempts (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at)
VALUES ('00000000-0000-4000-8000-000000000001', 'spring', 1, 1, 'new', 1, '00000000-0000-4000-8000-00000000000a', '+34600000001', 'trunk',
        '+34910000000', 'lan', '2026-11-20 10:00+00');
INSERT INTO attempts (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, opened_at,
                      outcome, cause, sip_status, ended_at, missed, leg_seen, closed_at)
VALUES ('00000000-0000-4000-8000-000000000002', 'spring', 1, 2, 'new', 1, '00000000-0000-4000-8000-00000000000b', '+34600000002', 'trunk', '+34910000000',
        '2026-09-30 23:59:59+00', 'busy', 'USER_BUSY', 486, '2026-10-01 00:00:09+00', false, true, '2026-10-01 00:00:09+00'),
       ('00000000-0000-4000-8000-000000000003', 'spring', 1, 3, 'new', 1, '00000000-0000-4000-8000-00000000000c', '+34600000003', 'trunk', '+34910000000',
        '2026-10-01 00:00:00+00', 'connected', 'NORMAL_CLEARING', 200, '2026-10-01 00:03:00+00', false, true, '2026-10-01 00:03:00+00');
"""


def rows(dsn: str, sql: str) -> list[Any]:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def upgraded(pg_empty_dsn: str, tmp_path: Path) -> str:
    """A database that lived at the first version and was brought to this one."""
    first = sorted((paths.sql_dir() / "migrations").glob("0001_*.sql"))[0]
    shutil.copy(first, tmp_path / first.name)
    migrate(pg_empty_dsn, tmp_path)
    rows(pg_empty_dsn, BEFORE)
    migrate(pg_empty_dsn)
    return pg_empty_dsn


@pytest.mark.spec("D8", "X4")
def test_an_attempt_that_was_open_is_found_open_and_closed_once(upgraded: str) -> None:
    store = PostgresStore(upgraded)
    try:
        assert store.take_epoch("the new daemon") is not None
        (found,) = store.open_attempts_found()
        assert (found.attempt.id, found.attempt.agent, found.lead.number) == ("00000000-0000-4000-8000-000000000001", "lan", "+34600000001")
        result = AttemptResult(found.attempt.id, Outcome.UNKNOWN, "", None, None, None, None, None, 1_795_000_000.0, missed=False, leg_seen=True)
        update = LeadUpdate(found.lead.id, LeadStatus.RETRY, 1, 0, 1_795_000_000.0)
        for _ in range(2):
            store.close_attempts([(result, update)])
        assert not store.open_attempts_found()
    finally:
        store.close()
    assert rows(upgraded, "SELECT outcome FROM attempts WHERE lead = 1") == [("unknown",)]


def test_history_lies_in_the_partitions_of_its_months(upgraded: str) -> None:
    found = rows(upgraded, "SELECT tableoid::regclass::text, outcome FROM attempts ORDER BY opened_at")
    assert found == [("attempts_y2026m09", "busy"), ("attempts_y2026m10", "connected")]
    assert rows(upgraded, "SELECT count(*) FROM attempts_other") == [(0,)]


def test_the_stored_campaign_still_means_what_it_meant(upgraded: str) -> None:
    store = PostgresStore(upgraded)
    try:
        (stored,) = store.campaigns()
        assert stored.campaign.caller_id.numbers == ("+34910000000",) and stored.campaign.caller_id.order == "random"
    finally:
        store.close()
