"""db roles: PostgreSQL's roles for those who use the command line (M15). What each may do stands in sql/roles.sql."""

from __future__ import annotations

import click

from fs_dialer import paths
from fs_dialer.cli.campaigns import UNREACHABLE
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import Exit
from fs_dialer.cli.settings import Session

ROLES = ("fs_dialer_operator", "fs_dialer_admin", "fs_dialer_agent_api")


@command(
    "roles",
    examples=("fs-dialer db roles | less", "fs-dialer db roles --apply"),
    exits=UNREACHABLE | {Exit.FAILED: "this database user may not make roles; nothing was changed"},
)
@click.option("--apply", "really", is_flag=True, help="Make the roles, and give them exactly their rights, in one transaction.")
def roles(session: Session, really: bool) -> None:
    """The roles fs_dialer_operator, fs_dialer_admin and fs_dialer_agent_api, as SQL; with --apply they are made.

    Needs a database user who may create roles and owns the tables. Safe to repeat, and to be repeated after `db migrate`. To let a person in:
    CREATE USER an_le IN ROLE fs_dialer_operator. docs/security.md says what each role guards.
    """
    text = (paths.sql_dir() / "roles.sql").read_text(encoding="utf-8")
    if really:
        with session.pool() as pool, pool.transaction() as cursor:
            cursor.execute(text)
        session.say(f"Made, or brought up to date: {', '.join(ROLES)}.", "Let a person in:  CREATE USER an_le IN ROLE fs_dialer_operator;")
    else:
        session.say(text.rstrip())
    session.result({"applied": really, "roles": list(ROLES), "sql": text})
