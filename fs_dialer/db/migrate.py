"""Bringing a database to this program's tables: sql/migrations/NNNN_name.sql, in order, each once.

Knows how steps are recorded and refused, nothing of what they do. Each step and its record are one transaction: a step that fails leaves the
database as it was before it. An advisory lock keeps two programs from migrating at once.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2 import errors

from fs_dialer.db.pool import Connection, connect, store_error
from fs_dialer.errors import StoreError
from fs_dialer.paths import sql_dir

log = logging.getLogger("fs_dialer.db")

_LOCK = 7382354617959212403  # beside the leader's, sql/queries/epochs.sql
_FILE = re.compile(r"^\d{4}_[a-z0-9_]+$")
_APPLICATION = "fs-dialer migrate"
_MONTHS_AHEAD = 3


@dataclass(frozen=True, slots=True)
class Migration:
    """One step. `name` is its file's without .sql."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """sha256 of the text, the same whatever the line ends on disk."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Step:
    """A migration and where the database stands with it. `problem` is "" when all is well; a step not yet taken is no problem."""

    name: str
    applied: bool
    problem: str = ""


def migrations(folder: Path | None = None) -> list[Migration]:
    """All steps of a folder, the product's by default, in order. StoreError for a file whose name or number does not fit."""
    found: list[Migration] = []
    for path in sorted((folder or sql_dir() / "migrations").glob("*.sql")):
        if not _FILE.match(path.stem):
            raise StoreError(f"{path}: a migration is named like 0007_add_queues.sql")
        if found and found[-1].name[:4] == path.stem[:4]:
            raise StoreError(f"{path}: {found[-1].name} has the same number")
        found.append(Migration(path.stem, path.read_text(encoding="utf-8")))
    return found


def status(dsn: str, folder: Path | None = None) -> list[Step]:
    """Every step this program knows or the database has taken, in order. Changes nothing."""
    with closing(connect(dsn, application=_APPLICATION)) as connection:
        return _steps(migrations(folder), _applied(connection))


def migrate(dsn: str, folder: Path | None = None) -> list[str]:
    """Take the steps that are missing; their names. Then attempts have partitions for this month and the next ones. StoreError, and nothing done, when
    the steps taken are not those we know."""
    known = migrations(folder)
    done = []
    with closing(connect(dsn, application=_APPLICATION, statement_timeout_s=0)) as connection:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
            applied = _applied(connection)
            problems = [f"{step.name}: {step.problem}" for step in _steps(known, applied) if step.problem]
            if problems:
                raise StoreError("the database cannot be migrated by this program\n" + "\n".join(problems))
            for migration in known:
                if migration.name not in applied:
                    _take(connection, migration)
                    done.append(migration.name)
            _make_partitions(connection)
        except psycopg2.Error as error:
            raise store_error(error, lost=connection.closed != 0) from error
    return done


def require_current(dsn: str, folder: Path | None = None) -> None:
    """StoreError unless the database has exactly the steps this program knows."""
    for step in status(dsn, folder):
        if step.problem:
            raise StoreError(f"the database does not fit this program\n{step.name}: {step.problem}")
        if not step.applied:
            raise StoreError(f"the database lacks {step.name}; run: fs-dialer db migrate")


def _take(connection: Connection, migration: Migration) -> None:
    """One step and its record."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            cursor.execute(migration.sql)
            cursor.execute("INSERT INTO schema_migrations (name, checksum) VALUES (%s, %s)", (migration.name, migration.checksum))
            cursor.execute("COMMIT")
        except psycopg2.Error as error:
            if connection.closed:
                raise
            cursor.execute("ROLLBACK")
            raise StoreError(f"migration {migration.name} failed and was undone: {store_error(error)}") from error


def _make_partitions(connection: Connection) -> None:
    """Where the tables are such. Not worth waiting for a busy table: a daemon's housekeeping makes them too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regproc('make_attempt_partitions') IS NOT NULL")
        if cursor.fetchone() != (True,):
            return
        try:
            cursor.execute(f"SET lock_timeout = '1s'; SELECT make_attempt_partitions(now(), {_MONTHS_AHEAD})")
        except errors.LockNotAvailable as error:
            log.warning("attempt_partitions_not_made error=%s", store_error(error))


def _applied(connection: Connection) -> dict[str, str]:
    """Name to checksum of the steps taken; none in a database that has not seen the first."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('schema_migrations') IS NOT NULL")
            row = cursor.fetchone()
            if row is None or not row[0]:
                return {}
            cursor.execute("SELECT name, checksum FROM schema_migrations ORDER BY name")
            return dict(cursor.fetchall())
    except psycopg2.Error as error:
        raise store_error(error, lost=connection.closed != 0) from error


def _steps(known: Sequence[Migration], applied: Mapping[str, str]) -> list[Step]:
    """Known and taken steps side by side."""
    checksums = {migration.name: migration.checksum for migration in known}
    newest_applied = max(applied, default="")
    steps = []
    for name in sorted({*checksums, *applied}):
        problem = ""
        if name not in checksums:
            problem = "the database has taken it and this program does not know it: it belongs to a newer program"
        elif name not in applied and name < newest_applied:
            problem = f"it was added behind {newest_applied}, which is taken already; give it a higher number"
        elif name in applied and applied[name] != checksums[name]:
            problem = "its file was changed after it was taken; restore the file and write a new migration instead"
        steps.append(Step(name, name in applied, problem))
    return steps
