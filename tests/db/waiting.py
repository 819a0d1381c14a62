"""What tests of concurrency need: a second connection, a statement that waits, a connection that is killed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg2

from fs_dialer.errors import StoreError


def ask(connection: psycopg2.extensions.connection, query: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall() if cursor.description else []


def kill(connection: psycopg2.extensions.connection, application: str) -> int:
    """End the backends of that application and wait until they are gone."""
    return len(
        ask(
            connection,
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            f"WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = '{application}'",
        )
    )


class Waiting:
    """A statement of ours that waits for a lock which another transaction holds."""

    def __init__(self, admin: psycopg2.extensions.connection, work: Callable[[], object]) -> None:
        self._admin = admin
        self._thread = threading.Thread(target=self._run, args=(work,))
        self.answer: object = None
        self._thread.start()

    def _run(self, work: Callable[[], object]) -> None:
        try:
            self.answer = work()
        except StoreError as error:
            self.answer = error

    def until_blocked(self) -> None:
        while self._thread.is_alive():
            if ask(self._admin, "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"):
                return
        raise AssertionError("it did not wait for a lock")

    def result(self) -> object:
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.answer
