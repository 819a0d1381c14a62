"""db migrate, db status."""

from __future__ import annotations

from fs_dialer.db.migrate import migrations
from tests.cli.runner import called

STEPS = [step.name for step in migrations()]


def test_an_empty_database_takes_every_step_once(pg_empty_dsn: str) -> None:
    assert called("db", "migrate", "--json", dsn=pg_empty_dsn).json == {"taken": STEPS}
    again = called("db", "migrate", dsn=pg_empty_dsn)
    assert (again.code, again.out) == (0, "The database is up to date; nothing to do.\n")


def test_status_is_exit_1_until_the_database_is_current(pg_empty_dsn: str) -> None:
    before = called("db", "status", dsn=pg_empty_dsn)
    assert before.code == 1 and "fs-dialer db migrate" in before.out
    called("db", "migrate", dsn=pg_empty_dsn)
    after = called("db", "status", "--json", dsn=pg_empty_dsn)
    assert after.code == 0
    assert after.json == {"current": True, "steps": [{"name": name, "applied": True, "problem": ""} for name in STEPS]}


def test_other_commands_on_an_empty_database_name_the_remedy(pg_empty_dsn: str) -> None:
    done = called("campaign", "list", dsn=pg_empty_dsn)
    assert done.code == 1 and "run: fs-dialer db migrate" in done.err
