"""A pool whose transactions are done and then undone: how --dry-run counts exactly what an import would do, by the same statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fs_dialer.db.pool import Cursor, Pool


class _Undo(Exception):
    """Ends a transaction that went well without its COMMIT."""


class Rehearsal(Pool):
    """Hints to the daemon are held back by PostgreSQL until a commit, so none goes out. Only identity numbers are used up."""

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """As Pool's, and rolled back in the end."""
        try:
            with super().transaction() as cursor:
                yield cursor
                raise _Undo
        except _Undo:
            pass
