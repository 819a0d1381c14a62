"""Migrations: the same tables as schema.sql, each step once, and clear words when steps do not fit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from fs_dialer.db.migrate import Step, migrate, migrations, require_current, status
from fs_dialer.errors import StoreError

# The whole catalog of our schema, as text: what two databases must agree on.
CATALOG = {
    "columns": """
        SELECT c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, pg_get_expr(d.adbin, d.adrelid)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), condeferrable, condeferred
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "options": "SELECT relname, relkind, reloptions FROM pg_class WHERE relnamespace = 'public'::regnamespace",
    "sequences": """
        SELECT s.seqrelid::regclass::text, s.seqstart, s.seqincrement, s.seqcache, d.refobjid::regclass::text, d.refobjsubid
        FROM pg_sequence s LEFT JOIN pg_depend d ON d.objid = s.seqrelid AND d.deptype IN ('a', 'i')""",
    "functions": "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind <> 'a'",
    "triggers": "SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "types": "SELECT typname, typtype FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')",
}


def make_partitions(dsn: str) -> None:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT make_attempt_partitions(now(), 3)")


def catalog(dsn: str) -> dict[str, list[str]]:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        found = {}
        for name, query in CATALOG.items():
            cursor.execute(query)
            found[name] = sorted(map(str, cursor.fetchall()))
        return found


def a_folder(tmp_path: Path, **steps: str) -> Path:
    for name, sql in steps.items():
        (tmp_path / f"{name.removeprefix('m')}.sql").write_text(sql, encoding="utf-8")
    return tmp_path


BASE = "CREATE TABLE schema_migrations (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());"


def test_migrations_make_the_tables_of_schema_sql(pg_empty_dsn: str, pg_dsn: str) -> None:
    assert migrate(pg_empty_dsn) == [migration.name for migration in migrations()]
    make_partitions(pg_dsn)
    migrated, whole = catalog(pg_empty_dsn), catalog(pg_dsn)
    assert len(whole["columns"]) > 80
    assert migrated == whole


def test_migrating_again_does_nothing(pg_empty_dsn: str) -> None:
    migrate(pg_empty_dsn)
    assert migrate(pg_empty_dsn) == []
    assert all(step.applied and not step.problem for step in status(pg_empty_dsn))
    require_current(pg_empty_dsn)


def test_an_empty_database_is_told_to_migrate(pg_empty_dsn: str) -> None:
    assert status(pg_empty_dsn) == [Step(migration.name, False) for migration in migrations()]
    with pytest.raises(StoreError, match="fs-dialer db migrate"):
        require_current(pg_empty_dsn)


def test_a_step_that_was_changed_after_it_was_taken_is_refused(pg_empty_dsn: str, tmp_path: Path) -> None:
    folder = a_folder(tmp_path, m0001_base=BASE)
    migrate(pg_empty_dsn, folder)
    a_folder(tmp_path, m0001_base=BASE + "\n-- better", m0002_more="CREATE TABLE more ();")
    with pytest.raises(StoreError, match="0001_base: its file was changed after it was taken"):
        migrate(pg_empty_dsn, folder)
    assert [step.applied for step in status(pg_empty_dsn, folder)] == [True, False]


def test_line_ends_do_not_change_a_step(pg_empty_dsn: str, tmp_path: Path) -> None:
    folder = a_folder(tmp_path, m0001_base=BASE + "\nCREATE TABLE one ();\n")
    migrate(pg_empty_dsn, folder)
    path = folder / "0001_base.sql"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert migrate(pg_empty_dsn, folder) == []


def test_a_database_of_a_newer_program_is_refused(pg_empty_dsn: str, tmp_path: Path) -> None:
    folder = a_folder(tmp_path, m0001_base=BASE, m0002_more="CREATE TABLE more ();")
    migrate(pg_empty_dsn, folder)
    (folder / "0002_more.sql").unlink()
    with pytest.raises(StoreError, match=r"0002_more: .* newer program"):
        migrate(pg_empty_dsn, folder)


def test_a_step_slipped_in_behind_a_taken_one_is_refused(pg_empty_dsn: str, tmp_path: Path) -> None:
    folder = a_folder(tmp_path, m0001_base=BASE, m0003_more="CREATE TABLE more ();")
    migrate(pg_empty_dsn, folder)
    a_folder(tmp_path, m0002_between="CREATE TABLE between_them ();")
    with pytest.raises(StoreError, match="0002_between: it was added behind 0003_more"):
        migrate(pg_empty_dsn, folder)


def test_a_step_that_fails_leaves_nothing_and_can_be_taken_when_mended(pg_empty_dsn: str, tmp_path: Path) -> None:
    folder = a_folder(tmp_path, m0001_base=BASE, m0002_more="CREATE TABLE more (); CREATE TABLE more ();")
    with pytest.raises(StoreError, match="0002_more failed and was undone"):
        migrate(pg_empty_dsn, folder)
    assert [step.applied for step in status(pg_empty_dsn, folder)] == [True, False]
    a_folder(tmp_path, m0002_more="CREATE TABLE more ();")
    assert migrate(pg_empty_dsn, folder) == ["0002_more"]


def test_two_programs_migrating_at_once_take_each_step_once(pg_empty_dsn: str) -> None:
    done: list[list[str]] = []
    threads = [threading.Thread(target=_into(done, lambda: migrate(pg_empty_dsn))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, done)) == [0, 0, len(migrations())]


@pytest.mark.parametrize("name", ["1_short", "0001-dashes", "0001_Upper", "first"])
def test_a_file_that_is_not_named_like_a_step_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.sql").write_text("SELECT 1")
    with pytest.raises(StoreError, match=r"named like 0007_add_queues\.sql"):
        migrations(tmp_path)


def test_two_steps_of_one_number_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the same number"):
        migrations(a_folder(tmp_path, m0001_one="SELECT 1", m0001_two="SELECT 1"))


def _into(done: list[list[str]], work: Callable[[], list[str]]) -> Callable[[], None]:
    return lambda: done.append(work())
