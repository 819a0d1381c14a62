"""Do-not-call entries as they are written; what they do to leads is tests/contract/test_store_marks.py's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.do_not_call import add, remove, split
from fs_dialer.db.pool import Pool
from fs_dialer.errors import StoreError


@pytest.fixture
def pool(pg_dsn: str) -> Iterator[Pool]:
    with closing(Pool(pg_dsn)) as pool:
        yield pool


def test_numbers_and_prefixes_are_told_apart() -> None:
    assert split(["+8490*", "+84901234567", "+8490*", "+8*"]) == (["+84901234567"], ["+8", "+8490"])


def test_one_bad_entry_and_none_is_written(pool: Pool) -> None:
    with pytest.raises(StoreError, match=r"'0901\*' is neither a number"):
        add(pool, ["+84901234567", "0901*"], "an")
    assert remove(pool, ["+84901234567"], "an").numbers == 0


def test_entries_are_counted_over_both_kinds_and_listed_together(pool: Pool, pg_dsn: str) -> None:
    assert add(pool, ["+84901234567", "+8490*"], "an", "own", "asked us").numbers == 2
    assert add(pool, ["+84901234567", "+8490*"], "an", "national").numbers == 2
    assert remove(pool, ["+8490*"], "an", "national").numbers == 1
    with closing(Backoffice(pg_dsn)) as office:
        entries = [(line.number, line.list, line.reason) for line in office.do_not_call_list()]
        assert entries == [("+8490*", "own", "asked us"), ("+84901234567", "national", ""), ("+84901234567", "own", "asked us")]
        assert [line.number for line in office.do_not_call_list(limit=5, after=("+8490*", "own"))] == ["+84901234567"] * 2
    assert remove(pool, ["+84901234567", "+8490*"], "an").numbers == 3


def test_who_added_and_removed_what_is_in_the_audit(pool: Pool, pg_dsn: str) -> None:
    add(pool, ["+84901234567", "+8490*"], "an", "own", "asked us")
    remove(pool, ["+8490*"], "bo", reason="by mistake")
    with closing(Backoffice(pg_dsn)) as office:
        told = [(line.who, line.what, line.why, line.details) for line in office.audit_list("+8490*")]
    assert told == [("bo", "do_not_call_remove", "by mistake", {"list": "own"}), ("an", "do_not_call_add", "asked us", {"list": "own"})]


def test_the_daemon_is_told(pool: Pool, pg_dsn: str) -> None:
    with closing(psycopg2.connect(pg_dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("LISTEN fs_dialer")
            add(pool, ["+8490*"], "an")
            cursor.execute("SELECT 1")
            assert [notify.payload for notify in connection.notifies] == ["do_not_call:"]
