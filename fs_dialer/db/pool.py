"""Connections to PostgreSQL: how one is opened, a small pool of them, and how psycopg2's errors become ours.

Knows nothing of our tables. Works in plain processes and, once the process has patched psycopg2 with psycogreen, under gevent: only standard
primitives are used, which gevent's monkey patching makes cooperative.

Connections are in autocommit: a named query of several statements is one transaction by itself, everything else says `transaction`. Queries that are
marked so are prepared once per connection. A connection pooler in transaction mode loses prepared statements; then they are sent as text for good.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2 import errors, extensions

from fs_dialer.db.queries import query
from fs_dialer.errors import StoreError


class Connection(extensions.connection):
    """A connection that knows which named queries it has prepared."""

    prepared: set[str]
    prepares: bool

    def __init__(self, *words: Any, **more: Any) -> None:
        super().__init__(*words, **more)
        self.prepared = set()
        self.prepares = True


Cursor = extensions.cursor
Row = tuple[Any, ...]
Arguments = Mapping[str, Any]

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_S = 10.0
KEEPALIVE_IDLE_S = 10
KEEPALIVE_INTERVAL_S = 5
KEEPALIVE_COUNT = 3
# What we sent and nobody acknowledged for this long ends the connection: a host that vanished says nothing.
UNACKNOWLEDGED_MS = 15_000


def connect(dsn: str, *, application: str, statement_timeout_s: float = STATEMENT_TIMEOUT_S) -> Connection:
    """A connection in autocommit. StoreError(lost=True) when the database does not answer in time; a statement timeout of 0 means none."""
    try:
        given = extensions.parse_dsn(dsn)
    except psycopg2.ProgrammingError:
        # libpq's text repeats what it could not read, which may be a password.
        raise StoreError("the database address cannot be read; it looks like postgresql://user@host:5432/name") from None
    # Timeouts of the server's side too: it must notice, and free the leader's lock, when our host vanishes. No effect on a unix socket.
    options = [
        given.pop("options", ""),
        f"-c statement_timeout={round(statement_timeout_s * 1000)}",
        "-c timezone=UTC",
        # Prepared queries are planned once: their plans do not depend on the arguments, though the estimates do.
        "-c plan_cache_mode=force_generic_plan",
        "-c synchronous_commit=on",  # whatever the server says: an attempt that was told to be committed has been dialled (D8)
        f"-c tcp_keepalives_idle={KEEPALIVE_IDLE_S}",
        f"-c tcp_keepalives_interval={KEEPALIVE_INTERVAL_S}",
        f"-c tcp_keepalives_count={KEEPALIVE_COUNT}",
    ]
    ours: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "keepalives_idle": KEEPALIVE_IDLE_S,
        "keepalives_interval": KEEPALIVE_INTERVAL_S,
        "keepalives_count": KEEPALIVE_COUNT,
        "tcp_user_timeout": UNACKNOWLEDGED_MS,
        "client_encoding": "UTF8",
        "application_name": application,
        "connection_factory": Connection,
    }
    words = {**ours, **given, "options": " ".join(filter(None, options))}
    try:
        connection = _connect_cooperatively(words) if is_cooperative() else psycopg2.connect(**words)
    except psycopg2.Error as error:
        raise store_error(error, lost=True) from error
    connection.autocommit = True
    return connection


def is_cooperative() -> bool:
    """Whether psycopg2 waits through a callback (psycogreen). Then COPY does not work: imports need a process of their own."""
    return extensions.get_wait_callback() is not None


def _connect_cooperatively(words: dict[str, Any]) -> Connection:
    """libpq forgets connect_timeout when it is polled through a wait callback."""
    from gevent import Timeout

    deadline = Timeout(float(words["connect_timeout"]))
    try:
        with deadline:
            return psycopg2.connect(**words)
    except Timeout as fired:
        if fired is not deadline:
            raise
        raise StoreError(f"the database did not answer within {words['connect_timeout']} s", lost=True) from None


def store_error(error: psycopg2.Error, *, lost: bool = False) -> StoreError:
    """Ours for theirs: the first line of the server's words, with what helps where we know it."""
    text = str(error).strip().split("\n", 1)[0] or type(error).__name__
    match error:
        case errors.UndefinedTable() | errors.UndefinedColumn():
            return StoreError(f"the database is not at this program's version ({text}); run: fs-dialer db migrate")
        case errors.InsufficientPrivilege() if "row-level security" in text and '"commands"' in text:
            return StoreError("only an admin may approve; docs/security.md says which roles there are")
        case errors.InsufficientPrivilege():
            return StoreError(f"this database user may not do that ({text}); docs/security.md says which roles there are")
        case errors.QueryCanceled():
            return StoreError(f"the database took too long ({text})")
    return StoreError(text, lost=lost)


class Pool:
    """At most `size` connections to one database, opened when first needed. For threads or greenlets.

    A connection that broke, or that was left in the middle of anything, is closed and never given out again.
    """

    def __init__(self, dsn: str, *, size: int = 4, application: str = "fs-dialer", statement_timeout_s: float = STATEMENT_TIMEOUT_S) -> None:
        self._dsn = dsn
        self._application = application
        self._statement_timeout_s = statement_timeout_s
        # A None is the right to open one more. Last in, first out: the warm ones are used, the others rest.
        self._free: queue.LifoQueue[Connection | None] = queue.LifoQueue()
        for _ in range(size):
            self._free.put(None)
        self._size = size
        self._closed = False

    @contextmanager
    def cursor(self) -> Iterator[Cursor]:
        """A cursor in autocommit. StoreError for whatever PostgreSQL says; lost=True when the connection is gone."""
        connection = self._take()
        healthy = False
        try:
            with connection.cursor() as cursor:
                yield cursor
            healthy = True
        except psycopg2.Error as error:
            # In autocommit a failed statement leaves nothing open: the connection is as good as before, unless it is gone.
            lost = connection.closed != 0
            healthy = not lost and connection.info.transaction_status == extensions.TRANSACTION_STATUS_IDLE
            if lost:
                self._drop_idle()
            raise store_error(error, lost=lost) from error
        finally:
            self._give_back(connection if healthy else None, connection)

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """A cursor inside BEGIN and COMMIT; an error inside rolls back."""
        with self.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                yield cursor
            except BaseException:
                if cursor.connection.closed == 0 and cursor.connection.info.transaction_status != extensions.TRANSACTION_STATUS_ACTIVE:
                    cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    def rows(self, name: str, arguments: Arguments | None = None, *, idempotent: bool = True) -> list[Row]:
        """The rows of a named query's last statement. `idempotent`: when the connection is lost, ask once more on a new one."""
        try:
            return self._rows(name, arguments)
        except StoreError as error:
            if not (error.lost and idempotent) or self._closed:
                raise
        return self._rows(name, arguments)

    def close(self) -> None:
        """Close what is free now, and the rest as it comes back."""
        self._closed = True
        self._drop_idle()

    def _rows(self, name: str, arguments: Arguments | None) -> list[Row]:
        with self.cursor() as cursor:
            return rows(cursor, name, arguments)

    def _take(self) -> Connection:
        if self._closed:
            raise StoreError("the store is closed")
        try:
            connection = self._free.get(timeout=self._statement_timeout_s or None)
        except queue.Empty:
            raise StoreError(f"all {self._size} database connections are busy") from None
        if connection is not None and connection.closed == 0:
            return connection
        try:
            return connect(self._dsn, application=self._application, statement_timeout_s=self._statement_timeout_s)
        except BaseException:
            self._free.put(None)
            raise

    def _give_back(self, keep: Connection | None, connection: Connection) -> None:
        if keep is None or self._closed:
            connection.close()
            keep = None
        self._free.put(keep)

    def _drop_idle(self) -> None:
        """When one connection is lost the others most likely are too."""
        taken = []
        try:
            while True:
                taken.append(self._free.get_nowait())
        except queue.Empty:
            pass
        for connection in taken:
            if connection is not None:
                connection.close()
            self._free.put(None)


def rows(cursor: Cursor, name: str, arguments: Arguments | None = None) -> list[Row]:
    """Run a named query on this cursor; [] where its last statement returns nothing."""
    if not _executed_prepared(cursor, name, arguments):
        cursor.execute(query(name).sql, arguments or {})
    return cursor.fetchall() if cursor.description is not None else []


def _executed_prepared(cursor: Cursor, name: str, arguments: Arguments | None) -> bool:
    """Run the query in its prepared form; False where it has none, or where the session behind this connection is not always the same."""
    prepared, connection = query(name).prepared, cursor.connection
    if prepared is None or not isinstance(connection, Connection) or not connection.prepares:
        return False
    try:
        if name not in connection.prepared:
            cursor.execute(prepared.prepare)
            connection.prepared.add(name)
        cursor.execute(prepared.execute, arguments or {})
    except (errors.InvalidSqlStatementName, errors.DuplicatePreparedStatement):
        connection.prepares = False
        return False
    return True
