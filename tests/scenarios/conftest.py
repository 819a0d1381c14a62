"""Scenarios share one PostgreSQL server; each has a database and a world of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest

from fs_dialer.db.embedded import EmbeddedPostgres
from fs_dialer.db.migrate import migrate
from tests.scenarios.world import World

TEMPLATE = "scenario_template"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def scenario_server() -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(durable=False) as server:
        _execute(server, f"CREATE DATABASE {TEMPLATE}")
        migrate(server.dsn_of(TEMPLATE))
        yield server


@pytest.fixture
def world(scenario_server: EmbeddedPostgres, tmp_path: Path) -> Iterator[World]:
    with a_world(scenario_server, tmp_path) as made:
        yield made


@contextmanager
def a_world(scenario_server: EmbeddedPostgres, folder: Path) -> Iterator[World]:
    name = f"scenario_{next(_numbers)}"
    _execute(scenario_server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    made = World(folder, scenario_server.dsn_of(name))
    try:
        yield made
    finally:
        made.close()
        _execute(scenario_server, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(server: EmbeddedPostgres, statement: str) -> None:
    with closing(psycopg2.connect(server.dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
