"""LISTEN on a connection of its own: hints that something in the database has changed.

Knows the channel and the form of a hint, "KIND:NAME" (command, campaign, leads, agents, installation, do_not_call, reply). A hint may be lost with
its connection, so what was missed is told as one hint of kind `all` after every connect; whoever listens re-reads, and looks every 30 s anyway.

Waits with select, which gevent's monkey patching makes cooperative. Not for two greenlets at once.
"""

from __future__ import annotations

import logging
import select
import time
from dataclasses import dataclass
from types import TracebackType

import psycopg2

from fs_dialer.db.pool import Connection, connect, store_error
from fs_dialer.errors import StoreError

log = logging.getLogger("fs_dialer.db")

CHANNEL = "fs_dialer"
ALL = "all"
FIRST_RETRY_S = 0.5
LONGEST_RETRY_S = 10.0


@dataclass(frozen=True, slots=True)
class Hint:
    """What may have changed. `name` is a campaign's or command's, "" for all of the kind. Kind `all`: anything, a connection was just made."""

    kind: str
    name: str


class Listener:
    """Hints from one database. Connects at the first wait, and again whenever the connection is lost, with back-off from 0.5 s to 10 s."""

    def __init__(self, dsn: str, *, channel: str = CHANNEL, application: str = "fs-dialer listen") -> None:
        self._dsn = dsn
        self._channel = channel
        self._application = application
        self._connection: Connection | None = None
        self._retry_s = FIRST_RETRY_S
        self._retry_at = 0.0

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def connected(self) -> bool:
        """Whether hints can come in at this moment."""
        return self._connection is not None

    def hints(self, timeout_s: float) -> list[Hint]:
        """Wait for hints, at most this long; [] when none came. Does not raise when the database is away: it waits, and tries to connect."""
        deadline = time.monotonic() + timeout_s
        if self._connection is None:
            return self._reconnect(deadline)
        try:
            found = self._received()
            while not found and (left := deadline - time.monotonic()) > 0:
                if not select.select([self._connection], [], [], left)[0]:
                    break
                self._connection.poll()
                found = self._received()
            return found
        except (psycopg2.Error, OSError, ValueError) as error:  # ValueError: the socket was closed under us
            text = store_error(error) if isinstance(error, psycopg2.Error) else error
            log.warning("listen_lost error=%s", text)
            self.close()
            return self._reconnect(deadline)

    def close(self) -> None:
        """Stop listening; the next wait connects again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _received(self) -> list[Hint]:
        assert self._connection is not None
        payloads = [notify.payload for notify in self._connection.notifies]
        self._connection.notifies.clear()
        # The same change told twice needs one look.
        return [Hint(kind, name) for kind, _, name in (payload.partition(":") for payload in dict.fromkeys(payloads))]

    def _reconnect(self, deadline: float) -> list[Hint]:
        now = time.monotonic()
        time.sleep(max(0.0, min(self._retry_at, deadline) - now))
        if time.monotonic() < self._retry_at:
            return []
        try:
            connection = connect(self._dsn, application=self._application)
            try:
                with connection.cursor() as cursor:
                    cursor.execute(f'LISTEN "{self._channel}"')
            except BaseException:
                connection.close()
                raise
        except (StoreError, psycopg2.Error) as error:
            log.warning("listen_refused retry_s=%.1f error=%s", self._retry_s, store_error(error) if isinstance(error, psycopg2.Error) else error)
            self._retry_at = time.monotonic() + self._retry_s
            self._retry_s = min(2 * self._retry_s, LONGEST_RETRY_S)
            time.sleep(max(0.0, min(self._retry_at, deadline) - time.monotonic()))
            return []
        self._connection, self._retry_s, self._retry_at = connection, FIRST_RETRY_S, 0.0
        return [Hint(ALL, "")]
