"""What a PostgreSQL server says about itself: version, settings, room, its clock. For `doctor`.

Asks on a connection of its own, opened as the daemon opens his: the settings seen are those that the daemon would have. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psycopg2
from psycopg2 import extensions

from fs_dialer.db.pool import connect, rows, store_error

APPLICATION = "fs-dialer doctor"


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """`connection_limit`: the smallest of server, database and user, without those kept for superusers. `data_directory`: "" = not for our eyes."""

    version: str
    version_number: int  # 160004 is 16.4
    standby: bool
    read_only: bool
    fsync: bool
    synchronous_commit: str
    full_page_writes: bool
    connection_limit: int
    others_connected: int  # clients that are not fs-dialer's
    same_machine: bool
    data_directory: str


class Inquiry:
    """One connection to ask on."""

    def __init__(self, cursor: extensions.cursor) -> None:
        self._cursor = cursor

    def facts(self) -> ServerFacts:
        return ServerFacts(*rows(self._cursor, "server_facts")[0])

    def clock(self) -> float:
        """Epoch seconds, now."""
        return float(rows(self._cursor, "server_clock")[0][0])


@contextmanager
def inquiry(dsn: str, *, timeout_s: float) -> Iterator[Inquiry]:
    """`timeout_s`: for the connection, and for each question. StoreError; lost=True when the server can not be reached."""
    with closing(connect(bounded(dsn, timeout_s), application=APPLICATION, statement_timeout_s=timeout_s)) as connection:
        try:
            with connection.cursor() as cursor:
                yield Inquiry(cursor)
        except psycopg2.Error as error:
            raise store_error(error, lost=connection.closed != 0) from error


def bounded(dsn: str, timeout_s: float) -> str:
    """The same address, with at most so much patience for the connection (whole seconds, at least 2: libpq's own least)."""
    try:
        given = extensions.parse_dsn(dsn)
    except psycopg2.ProgrammingError:
        return dsn  # connect() says what is wrong, without the address
    asked = given.get("connect_timeout", "")
    least = max(2, round(timeout_s))
    return extensions.make_dsn(dsn, connect_timeout=min(least, int(asked)) if asked.isdecimal() and int(asked) else least)
