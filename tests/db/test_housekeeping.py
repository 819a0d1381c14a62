"""What is tidied up, what is kept, and that it never gets into anybody's way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from fs_dialer.core.definition import Installation
from fs_dialer.core.resources import DAY
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.housekeeping import Housekeeping
from tests.db.waiting import ask

NOW = 1_800_000_000.0  # 15 January 2027
AT = "to_timestamp(1800000000)"
MONTHS = ["attempts_y2027m01", "attempts_y2027m02", "attempts_y2027m03", "attempts_y2027m04"]


@pytest.fixture
def admin(pg_dsn: str) -> Iterator[psycopg2.extensions.connection]:
    with closing(psycopg2.connect(pg_dsn)) as connection:
        connection.autocommit = True
        yield connection


@pytest.fixture
def house(pg_dsn: str) -> Iterator[Housekeeping]:
    with closing(Housekeeping(pg_dsn)) as house:
        yield house


def months(admin: psycopg2.extensions.connection) -> list[object]:
    return [row[0] for row in ask(admin, "SELECT relname FROM pg_class WHERE relname ~ '^attempts_y' AND relkind = 'r' ORDER BY relname")]


def keep_attempts(pg_dsn: str, keep_s: float) -> None:
    with closing(Backoffice(pg_dsn)) as office:
        office.apply_definitions([], [], Installation(keep_attempts_s=keep_s), "test")


def an_old_attempt(admin: psycopg2.extensions.connection, days: float) -> None:
    ask(
        admin,
        f"""
        INSERT INTO attempts (id, campaign, revision, lead_status, epoch, leg, number, gateway, caller_id, opened_at, outcome, cause, ended_at, missed,
                              leg_seen)
        SELECT gen_random_uuid(), 'spring', 1, 'new', 1, gen_random_uuid(), '+34911', 'north', '', {AT} - make_interval(days => {days}), 'busy', '',
               now(), false, true""",
    )


def test_there_is_a_partition_for_this_month_and_the_next_three(house: Housekeeping, admin: psycopg2.extensions.connection) -> None:
    assert house.housekeep(NOW) == ["made 4 monthly partitions of attempts"]
    assert months(admin) == MONTHS
    assert house.housekeep(NOW) == []
    assert house.housekeep(NOW + 31 * DAY) == ["made 1 monthly partitions of attempts"]


def test_attempts_are_kept_for_ever_unless_the_installation_says_otherwise(house: Housekeeping, admin: psycopg2.extensions.connection) -> None:
    ask(admin, "SELECT make_attempt_partitions('2020-01-01', 0)")
    house.housekeep(NOW)
    assert months(admin) == ["attempts_y2020m01", *MONTHS]


def test_whole_months_go_when_all_of_their_attempts_are_too_old(house: Housekeeping, admin: psycopg2.extensions.connection, pg_dsn: str) -> None:
    ask(admin, f"SELECT make_attempt_partitions({AT} - interval '3 months', 3)")
    keep_attempts(pg_dsn, 45 * DAY)  # since 1 December, 08:00
    for days in (80, 50, 40):
        an_old_attempt(admin, days)
    assert house.housekeep(NOW) == [
        "made 3 monthly partitions of attempts",
        "dropped attempts_y2026m10: its attempts are older than 45 days",
        "dropped attempts_y2026m11: its attempts are older than 45 days",
    ]
    assert months(admin) == ["attempts_y2026m12", *MONTHS]
    assert ask(admin, "SELECT count(*) FROM attempts") == [(1,)]


def test_old_attempts_outside_of_any_partition_go_too(house: Housekeeping, admin: psycopg2.extensions.connection, pg_dsn: str) -> None:
    keep_attempts(pg_dsn, 45 * DAY)
    for days in (80, 50, 40):
        an_old_attempt(admin, days)
    house.housekeep(NOW)
    assert ask(admin, "SELECT tableoid::regclass::text FROM attempts") == [("attempts_other",)]


def test_answers_and_events_go_when_nobody_can_ask_for_them_any_more(house: Housekeeping, admin: psycopg2.extensions.connection) -> None:
    house.housekeep(NOW)
    ask(
        admin,
        f"""
        INSERT INTO tokens (id, role, hash, created_by) VALUES ('t-00000000', 'admin', '', 'test');
        INSERT INTO api_requests (token, key, request, status, response, at)
        SELECT 't-00000000', 'k' || days, '', 200, '{{}}', {AT} - make_interval(days => days) FROM unnest(ARRAY[6, 8, 9]) AS days;
        INSERT INTO happenings (kind, data, at, done_at)
        SELECT 'attempt_ended', '{{}}', {AT} - interval '40 days', done_at
        FROM unnest(ARRAY[{AT} - interval '31 days', {AT} - interval '31 days', {AT} - interval '29 days', NULL]) AS done_at;
        INSERT INTO outbox (webhook, happening, body, sent_at, given_up)
        SELECT 'crm', id, '{{}}', CASE id WHEN 1 THEN {AT} - interval '31 days' WHEN 2 THEN {AT} - interval '2 days' END, id = 3 FROM happenings""",
    )
    assert house.housekeep(NOW) == [
        "deleted 2 answers to requests older than 7 days",
        "deleted 1 messages sent more than 30 days ago",
        "deleted 1 events worked off more than 30 days ago",
    ]
    assert ask(admin, "SELECT (SELECT array_agg(key) FROM api_requests), (SELECT array_agg(id ORDER BY id) FROM happenings)") == [(["k6"], [2, 3, 4])]
    assert ask(admin, "SELECT array_agg(happening ORDER BY id) FROM outbox") == [([2, 3, 4],)]
    assert house.housekeep(NOW) == []


def test_takes_of_last_season_go(house: Housekeeping, admin: psycopg2.extensions.connection) -> None:
    house.housekeep(NOW)
    ask(
        admin,
        f"""
        BEGIN;
        INSERT INTO campaigns (name, newest_revision) VALUES ('spring', 1);
        INSERT INTO campaign_revisions (campaign, revision, type, definition, created_by) VALUES ('spring', 1, 'manual', '{{}}', 'test');
        INSERT INTO contacts (number) VALUES ('+34910000000');
        INSERT INTO leads (campaign, contact, number) SELECT 'spring', id, number FROM contacts;
        INSERT INTO lead_takes (agent, campaign, lead, contact, taken_at, epoch, batch)
        SELECT 'lan', 'spring', leads.id, contact, {AT} - make_interval(days => days), 1, 1 FROM leads, unnest(ARRAY[89, 91, 400]) AS days;
        COMMIT""",
    )
    assert house.housekeep(NOW) == ["deleted 2 leads that agents took more than 90 days ago"]
    assert ask(admin, "SELECT count(*) FROM lead_takes") == [(1,)]


def test_one_works_and_the_other_passes_on(house: Housekeeping, admin: psycopg2.extensions.connection, pg_dsn: str) -> None:
    with closing(psycopg2.connect(pg_dsn)) as other:
        ask(other, "SELECT pg_advisory_xact_lock(7382354617959212406)")
        assert house.housekeep(NOW) == []
        other.rollback()
    assert house.housekeep(NOW) == ["made 4 monthly partitions of attempts"]


def test_a_busy_table_is_left_for_the_next_time_and_the_rest_is_done(
    house: Housekeeping, admin: psycopg2.extensions.connection, pg_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    ask(admin, f"INSERT INTO happenings (kind, data, done_at) VALUES ('attempt_ended', '{{}}', {AT} - interval '31 days')")
    with closing(psycopg2.connect(pg_dsn)) as other:
        ask(other, "SELECT FROM attempts")  # a long report
        assert house.housekeep(NOW) == ["deleted 1 events worked off more than 30 days ago"]
        other.rollback()
    assert "housekeeping_put_off step=make_partitions" in caplog.text
    assert house.housekeep(NOW) == ["made 4 monthly partitions of attempts"]
