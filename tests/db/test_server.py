"""What a server says about itself."""

from __future__ import annotations

import time

import pytest
from psycopg2 import extensions

from fs_dialer.db.server import bounded, inquiry
from fs_dialer.errors import StoreError


def test_a_server_tells_its_facts_and_its_time(pg_empty_dsn: str) -> None:
    """The tests' servers are fast and forgetful: fsync is off."""
    with inquiry(pg_empty_dsn, timeout_s=5.0) as asked:
        facts, before, said, after = asked.facts(), time.time(), asked.clock(), time.time()
    assert facts.version_number // 10_000 >= 14 and facts.version.startswith(str(facts.version_number // 10_000))
    assert (facts.standby, facts.read_only, facts.fsync, facts.synchronous_commit) == (False, False, False, "on")
    assert facts.connection_limit > 0 and 0 <= facts.others_connected < facts.connection_limit
    assert facts.same_machine and facts.data_directory.startswith("/")
    assert before - 1e-3 <= said <= after + 1e-3


def test_the_smallest_limit_counts_and_others_are_counted(pg_empty_dsn: str) -> None:
    with inquiry(pg_empty_dsn, timeout_s=5.0) as first:
        name = extensions.parse_dsn(pg_empty_dsn)["dbname"]
        first._cursor.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 7")
        before = first.facts()
        assert before.connection_limit == 7
        theirs = bounded(pg_empty_dsn, 5.0) + " application_name=reports"
        connection = extensions.connection(theirs)
        try:
            assert first.facts().others_connected == before.others_connected + 1
        finally:
            connection.close()


def test_a_server_that_is_not_there_is_lost() -> None:
    with pytest.raises(StoreError) as error, inquiry("postgresql://127.0.0.1:1/x", timeout_s=2.0):
        pass
    assert error.value.lost


@pytest.mark.parametrize(
    ("dsn", "timeout"), [("postgresql://h/x", "3"), ("host=h dbname=x", "3"), ("host=h connect_timeout=2", "2"), ("host=h connect_timeout=60", "3")]
)
def test_patience_is_bounded_whatever_the_address_asks(dsn: str, timeout: str) -> None:
    assert extensions.parse_dsn(bounded(dsn, 3.0))["connect_timeout"] == timeout


def test_an_address_that_can_not_be_read_is_left_for_the_connection_to_refuse() -> None:
    assert bounded("postgresql://user:pa ss@/x?=", 3.0) == "postgresql://user:pa ss@/x?="
