"""The schema's words are the core's, and its rules hold whatever the program does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from enum import Enum

import psycopg2
import pytest
from psycopg2 import errors

from fs_dialer import paths
from fs_dialer.core.model import AgentStatus, CampaignState, CampaignType, LeadStatus, Outcome
from fs_dialer.db.codec import CLAIMABLE, UNFINISHED
from fs_dialer.db.queries import all_queries, sql

SCHEMA = (paths.sql_dir() / "schema.sql").read_text(encoding="utf-8")
PLANNED = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")
REFERENCE = paths.sql_dir().parent / "docs" / "reference" / "schema.md"


def words(table: str, column: str) -> set[str]:
    """The words that a CHECK … IN (…) of this column allows."""
    body = SCHEMA[SCHEMA.index(f"CREATE TABLE {table} (") :]
    found = re.search(rf"^    {column} [^;]*?CHECK \({column} IN \(([^)]*)\)\)", body, re.MULTILINE)
    assert found is not None, f"{table}.{column} has no list of words"
    return set(re.findall(r"'([a-z_]+)'", found.group(1)))


def values(enum: type[Enum]) -> set[str]:
    return {member.value for member in enum}


@pytest.mark.parametrize(
    ("table", "column", "enum"),
    [
        ("campaigns", "state", CampaignState),
        ("campaign_revisions", "type", CampaignType),
        ("agents", "status", AgentStatus),
        ("leads", "status", LeadStatus),
        ("attempts", "outcome", Outcome),
    ],
)
def test_the_words_of_a_check_are_the_values_of_the_enum(table: str, column: str, enum: type[Enum]) -> None:
    assert words(table, column) == values(enum)


def test_an_attempt_remembers_a_status_from_which_a_lead_may_be_claimed() -> None:
    assert words("attempts_open", "lead_status") == {status.value for status in CLAIMABLE}


def test_queries_and_index_name_the_same_claimable_and_unfinished_leads() -> None:
    """A query whose list differs from the index's would not use it, or would claim what memory does not."""
    claimable = "status IN ('new', 'retry', 'callback_scheduled')"
    assert set(re.findall(r"'([a-z_]+)'", claimable)) == {status.value for status in CLAIMABLE}
    assert f"WHERE claimed_epoch IS NULL AND {claimable}" in SCHEMA
    assert claimable in sql("claim_leads")
    unfinished = "status IN ('new', 'in_progress', 'retry', 'callback_scheduled')"
    assert set(re.findall(r"'([a-z_]+)'", unfinished)) == {status.value for status in UNFINISHED}
    assert unfinished in sql("claim_rest") and unfinished in sql("do_not_call_add")


@pytest.mark.spec("D9")
def test_every_time_is_a_timestamptz() -> None:
    """D9."""
    assert not re.search(r"\btimestamp\b(?!tz)", re.sub(r"--.*", "", SCHEMA))


def test_every_table_is_explained_in_the_reference() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    assert [table for table in re.findall(r"^CREATE TABLE (\w+) \(", SCHEMA, re.MULTILINE) if f"### {table}" not in text] == []


def test_every_query_can_be_planned(pg_dsn: str) -> None:
    """Names of tables and columns, types of parameters: PostgreSQL itself reads every named query."""
    given = {name: None for query in all_queries().values() for name in re.findall(r"%\((\w+)\)s", query.sql)}
    failed = []
    with closing(psycopg2.connect(pg_dsn)) as connection, connection.cursor() as cursor:
        for query in all_queries().values():
            if query.file == "imports.sql":
                continue  # they need the tables that an import makes for itself: tests/db/test_imports.py runs them
            if query.name in {"copy_listed", "compare_listed", "merge_listed", "fetch_evidence"}:
                continue  # they need what an earlier one made: tests/db/test_dnc_lists.py and tests/cli/test_attempts.py run them
            *before, last = [part for part in query.sql.rstrip(";").split(";\n") if part.strip()]
            try:
                for part in before:
                    cursor.execute(part, given)
                cursor.execute(("EXPLAIN " if last.startswith(PLANNED) else "") + last, given)
            except psycopg2.Error as error:
                failed.append(f"{query.name}: {error}")
            connection.rollback()
    assert failed == []


@pytest.fixture
def cursor(pg_dsn: str) -> Iterator[psycopg2.extensions.cursor]:
    with closing(psycopg2.connect(pg_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO campaigns (name, newest_revision, approved_revision) VALUES ('spring', 1, 1);
            INSERT INTO campaign_revisions (campaign, revision, type, definition, created_by) VALUES ('spring', 1, 'progressive', '{}', 'test');
            INSERT INTO contacts (number) VALUES ('+34911');
            INSERT INTO leads (campaign, contact, number) SELECT 'spring', id, number FROM contacts;
            INSERT INTO epochs (holder) VALUES ('test');
            """
        )
        yield cursor


OPEN = """
    INSERT INTO attempts_open (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, opened_at)
    SELECT gen_random_uuid(), 'spring', 1, leads.id, 'new', epochs.id, gen_random_uuid(), number, 'north', '', now() FROM leads, epochs"""


@pytest.mark.spec("D8", "X4")
def test_a_lead_has_at_most_one_open_attempt(cursor: psycopg2.extensions.cursor) -> None:
    """D8, X4: the last line of defence."""
    cursor.execute(OPEN)
    with pytest.raises(errors.UniqueViolation, match="attempts_one_open_per_lead"):
        cursor.execute(OPEN)


def test_there_is_at_most_one_current_epoch(cursor: psycopg2.extensions.cursor) -> None:
    with pytest.raises(errors.UniqueViolation, match="epochs_one_current"):
        cursor.execute("INSERT INTO epochs (holder) VALUES ('second')")


CLOSE = """
    INSERT INTO attempts (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, opened_at, outcome, cause, ended_at, missed,
                          leg_seen)
    SELECT gen_random_uuid(), 'spring', 1, leads.id, 'new', epochs.id, gen_random_uuid(), number, 'north', '', %s, %s, '', now(), false, true
    FROM leads, epochs"""


def test_a_closed_attempt_has_an_outcome(cursor: psycopg2.extensions.cursor) -> None:
    with pytest.raises(errors.NotNullViolation):
        cursor.execute(CLOSE, ("2027-05-01", None))


def test_every_try_is_seen_in_one_view_whether_it_is_over_or_not(cursor: psycopg2.extensions.cursor) -> None:
    cursor.execute(OPEN)
    cursor.execute(CLOSE, ("2027-05-01", "busy"))
    cursor.execute("SELECT outcome, closed_at IS NULL FROM all_attempts ORDER BY outcome")
    assert cursor.fetchall() == [("busy", False), (None, True)]


# --- months -----------------------------------------------------------------------------------------------------------------------------------


def test_each_month_has_its_partition_and_none_is_made_twice(cursor: psycopg2.extensions.cursor) -> None:
    for made in (3, 0):
        cursor.execute("SELECT make_attempt_partitions('2027-12-31T23:59:59Z', 2)")
        assert cursor.fetchall() == [(made,)]
    for opened_at in ("2027-12-01T00:00:00Z", "2027-12-31T23:59:59.999999Z", "2028-01-01T00:00:00Z", "2028-02-29T12:00:00Z", "2028-03-01T00:00:00Z"):
        cursor.execute(CLOSE, (opened_at, "busy"))
    cursor.execute("SELECT tableoid::regclass::text, count(*) FROM attempts GROUP BY 1 ORDER BY 1")
    assert cursor.fetchall() == [("attempts_other", 1), ("attempts_y2027m12", 2), ("attempts_y2028m01", 1), ("attempts_y2028m02", 1)]


def test_a_month_that_came_too_late_for_its_partition_keeps_its_attempts(cursor: psycopg2.extensions.cursor) -> None:
    cursor.execute(CLOSE, ("2027-12-15", "busy"))
    cursor.execute("SELECT make_attempt_partitions('2027-11-15', 2)")
    assert cursor.fetchall() == [(2,)]
    cursor.execute("SELECT count(*) FROM attempts")
    assert cursor.fetchall() == [(1,)]


def test_only_months_that_are_over_by_then_are_dropped(cursor: psycopg2.extensions.cursor) -> None:
    cursor.execute("SELECT make_attempt_partitions('2027-05-15', 3)")
    for opened_at in ("2027-04-30", "2027-05-31", "2027-06-30", "2027-07-01"):
        cursor.execute(CLOSE, (opened_at, "busy"))
    for before, names, left in (
        ("2027-05-31T23:59:59Z", [], 3),
        ("2027-07-01T00:00:00Z", ["attempts_y2027m05", "attempts_y2027m06"], 1),
        ("2027-07-31T00:00:00Z", [], 1),
    ):
        cursor.execute("SELECT drop_attempt_partitions(%s)", (before,))
        assert cursor.fetchall() == [(names,)], before
        cursor.execute("SELECT count(*) FROM attempts")
        assert cursor.fetchall() == [(left,)], before


def test_a_campaign_never_points_at_a_revision_it_does_not_have(cursor: psycopg2.extensions.cursor) -> None:
    cursor.execute("UPDATE campaigns SET newest_revision = 2")
    with pytest.raises(errors.ForeignKeyViolation):
        cursor.connection.commit()


@pytest.mark.spec("D7")
@pytest.mark.parametrize("number", ["34911", "+34 911", "+34911;", "${system(id)}", "", "+", "+1234567890123456", "+34911\n"])
def test_a_number_is_plus_and_digits(cursor: psycopg2.extensions.cursor, number: str) -> None:
    """D7."""
    with pytest.raises(errors.CheckViolation):
        cursor.execute("INSERT INTO contacts (number) VALUES (%s)", (number,))
