"""The pool: what is given out is whole, what broke is gone, and errors say what to do."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from fs_dialer.db.pool import Pool, connect, rows
from fs_dialer.errors import StoreError


@pytest.fixture
def pool(pg_dsn: str) -> Iterator[Pool]:
    with closing(Pool(pg_dsn, size=2, application="pool test", statement_timeout_s=2.0)) as pool:
        yield pool


def backends(dsn: str) -> int:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pool test'")
        return int((cursor.fetchone() or (0,))[0])


def test_connections_are_opened_when_first_needed_and_then_used_again(pool: Pool, pg_dsn: str) -> None:
    assert backends(pg_dsn) == 0
    for _ in range(5):
        pool.rows("installation")
    assert backends(pg_dsn) == 1
    with pool.cursor(), pool.cursor():
        assert backends(pg_dsn) == 2


def test_when_all_are_busy_the_next_waits_and_then_is_refused(pg_dsn: str) -> None:
    with closing(Pool(pg_dsn, size=1, statement_timeout_s=0.1)) as pool, pool.cursor(), pytest.raises(StoreError, match="are busy") as caught:
        pool.rows("installation")
    assert not caught.value.lost


def test_one_that_waits_gets_the_connection_that_comes_back(pool: Pool) -> None:
    found: list[object] = []
    with pool.cursor(), pool.cursor():
        thread = threading.Thread(target=lambda: found.append(pool.rows("installation")))
        thread.start()
    thread.join(10)
    assert found == [[]]


def test_a_refused_statement_keeps_the_connection(pool: Pool, pg_dsn: str) -> None:
    with pytest.raises(StoreError, match="division by zero") as caught, pool.cursor() as cursor:
        cursor.execute("SELECT 1/0")
    assert not caught.value.lost
    with pool.cursor() as cursor:
        assert cursor.connection.info.backend_pid
    assert backends(pg_dsn) == 1


def test_a_connection_the_server_ended_is_reported_as_lost_and_replaced(pool: Pool, pg_dsn: str) -> None:
    with pytest.raises(StoreError) as caught, pool.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert caught.value.lost
    assert pool.rows("installation") == []


def test_a_statement_that_takes_too_long_is_ended_and_says_so(pg_dsn: str) -> None:
    with closing(Pool(pg_dsn, statement_timeout_s=0.05)) as pool, pytest.raises(StoreError, match="took too long") as caught, pool.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(20)")
    assert not caught.value.lost


def test_a_transaction_that_fails_leaves_nothing(pool: Pool) -> None:
    with pytest.raises(ZeroDivisionError), pool.transaction() as cursor:
        cursor.execute("INSERT INTO epochs (holder) VALUES ('test')")
        raise ZeroDivisionError
    assert pool.rows("current_epoch") == []


def test_a_transaction_that_ends_well_is_committed(pool: Pool) -> None:
    with pool.transaction() as cursor:
        cursor.execute("INSERT INTO epochs (holder) VALUES ('test')")
    assert len(pool.rows("current_epoch")) == 1


def test_a_closed_pool_refuses(pool: Pool) -> None:
    pool.close()
    with pytest.raises(StoreError, match="closed"):
        pool.rows("installation")


def test_an_address_that_cannot_be_read_is_not_repeated() -> None:
    """It may hold a password."""
    with pytest.raises(StoreError) as caught:
        connect("host=x password 'hunter2", application="test")
    assert "hunter2" not in str(caught.value) and "postgresql://" in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_server_that_is_not_there_is_a_lost_connection() -> None:
    with pytest.raises(StoreError) as caught:
        connect("postgresql://nobody@127.0.0.1:1/none", application="test")
    assert caught.value.lost


def test_options_of_the_address_are_kept(pg_dsn: str) -> None:
    with closing(connect(pg_dsn + "&options=-c%20search_path%3Delsewhere", application="test")) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('search_path'), current_setting('TimeZone'), current_setting('application_name')")
        assert cursor.fetchone() == ("elsewhere", "UTC", "test")


GREEN = """
import sys
from gevent import monkey
monkey.patch_all()
from psycogreen.gevent import patch_psycopg
patch_psycopg()
import gevent, socket, time
from fs_dialer.core.model import CampaignId
from fs_dialer.db import pool as pools
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.postgres import PostgresStore
from fs_dialer.errors import StoreError

dsn = sys.argv[1]
pool = pools.Pool(dsn, size=2, application="green", statement_timeout_s=10)

def sleep_there(seconds):
    with pool.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s), pg_backend_pid()", (seconds,))
        return cursor.fetchone()[1]

ticks = []
def tick():
    while True:
        ticks.append(1)
        gevent.sleep(0.005)
ticker = gevent.spawn(tick)

# Two wait at a time, a third for one of their connections, and the loop goes on.
began = time.monotonic()
pids = [greenlet.get() for greenlet in [gevent.spawn(sleep_there, 0.2) for _ in range(4)]]
assert len(set(pids)) == 2, pids
assert time.monotonic() - began < 2, "not at the same time"
assert len(ticks) > 20, f"the loop stood still: {len(ticks)}"

# A greenlet killed in the middle of a statement does not leave its connection to the next.
victim = gevent.spawn(sleep_there, 30)
gevent.sleep(0.05)
victim.kill()
assert pool.rows("installation") == []

# The store as the daemon uses it.
store = PostgresStore(dsn)
assert store.take_epoch("green") is not None and store.still_leader()
assert all(found.get() == [] for found in [gevent.spawn(store.campaigns) for _ in range(9)])

# COPY cannot wait cooperatively: said in words.
try:
    Backoffice(dsn).import_leads(CampaignId("spring"), [], "test")
except StoreError as error:
    assert "lead import" in str(error), error
else:
    raise AssertionError("an import in a gevent process went through")

# A server that accepts and says nothing is given up after the connect timeout, though libpq forgets it under a wait callback.
mute = socket.create_server(("127.0.0.1", 0))
pools.CONNECT_TIMEOUT_S = 0.3
began = time.monotonic()
try:
    pools.connect(f"postgresql://x@127.0.0.1:{mute.getsockname()[1]}/x?sslmode=disable", application="green")
except StoreError as error:
    assert error.lost and time.monotonic() - began < 3, error
else:
    raise AssertionError("connected to a mute server")
ticker.kill()
print("green and fine")
"""


def test_under_gevent_statements_wait_cooperatively(pg_dsn: str) -> None:
    done = subprocess.run([sys.executable, "-c", GREEN, pg_dsn], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.returncode) == ("green and fine", 0), done.stderr


# --- prepared queries -----------------------------------------------------------------------------------------------------------------------


def claim_words() -> dict[str, object]:
    return {"epoch": 1, "zone_sets": ["", "Europe/Madrid"], "campaign": "spring", "now": 1.5, "few": 4, "count": 3, "batch": 1}


def prepared_names(cursor: psycopg2.extensions.cursor) -> set[str]:
    cursor.execute("SELECT name FROM pg_prepared_statements")
    return {name for (name,) in cursor.fetchall()}


def test_a_query_marked_so_is_prepared_once_per_connection(pool: Pool) -> None:
    with pool.cursor() as cursor:
        for _ in range(3):
            assert rows(cursor, "claim_leads", claim_words()) == []
        assert prepared_names(cursor) == {"claim_leads_2"}  # statement 0 is SET LOCAL
        assert rows(cursor, "pending_commands") == []
        assert prepared_names(cursor) == {"claim_leads_2"}


def test_behind_a_pooler_that_forgets_them_queries_go_as_text(pool: Pool) -> None:
    """In transaction mode the next statement may meet another server session."""
    with pool.cursor() as cursor:
        rows(cursor, "claim_leads", claim_words())
        cursor.execute("DEALLOCATE ALL")
        assert rows(cursor, "claim_leads", claim_words()) == []
        assert rows(cursor, "claim_leads", claim_words()) == []
        assert prepared_names(cursor) == set()


def test_behind_a_pooler_that_has_them_already_queries_go_as_text(pool: Pool) -> None:
    with pool.cursor() as cursor:
        cursor.execute("PREPARE claim_leads_2 AS SELECT 1")
        assert rows(cursor, "claim_leads", claim_words()) == []
        assert prepared_names(cursor) == {"claim_leads_2"}


def test_a_prepared_query_that_is_refused_says_what_the_plain_one_does(pool: Pool) -> None:
    with pytest.raises(StoreError, match="invalid input syntax for type bigint"), pool.cursor() as cursor:
        rows(cursor, "claim_leads", {**claim_words(), "count": "many"})
