"""plan: what would change in the database, and what that would do, before anything changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fs_dialer.cli.command import command
from fs_dialer.cli.failures import Exit
from fs_dialer.cli.plan_words import as_json, last_line, lines_of
from fs_dialer.cli.planning import Plan, companions_of, planned, pruned, to_content, wish_of
from fs_dialer.cli.settings import Session, who
from fs_dialer.errors import ConfigError

if TYPE_CHECKING:
    from fs_dialer.db.backoffice import Backoffice

PATHS = click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
FULL = click.option("--full", is_flag=True, help="Show every setting of the campaigns, and where each comes from.")
PRUNE = click.option("--prune", is_flag=True, help="Of the kinds of things that the files define, end or remove what they do not name.")
WHY = click.option("--why", default="", metavar="TEXT", help="The reason, for the audit.")


@command(
    "plan",
    examples=("fs-dialer plan conf/", "fs-dialer plan campaigns/spring.yml --detailed-exitcode"),
    exits={
        Exit.REFUSED: "a file has problems",
        Exit.UNREACHABLE: "the database was not reachable",
        Exit.CHANGES: "something would change (only with --detailed-exitcode)",
    },
)
@PATHS
@FULL
@PRUNE
@WHY
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 5 when something would change.")
def plan(session: Session, paths: tuple[Path, ...], full: bool, prune: bool, why: str, detailed_exitcode: bool) -> None:
    """Show what an apply of these files would change, and what that would do.

    PATH is a file or a folder with all *.yml below it. Nothing is changed. The plan is kept: `fs-dialer apply p-…` does just what was shown, or refuses
    when somebody has changed something meanwhile. What no PATH names is left alone, unless --prune is given.
    """
    with session.office() as office:
        found = read_and_plan(session, office, paths, prune=prune)
        name = keep(office, found, why) if found.changes else None
    tell(session, found, full=full)
    if name is None:
        session.say(f"Nothing to do: the database says what these files say ({last_line(found).rpartition(', ')[2]}).")
    else:
        session.say(f"Plan {name}: {last_line(found)}.     Next: fs-dialer apply {name}")
    session.result({"plan": name, **as_json(found)})
    if detailed_exitcode and found.changes:
        raise click.exceptions.Exit(Exit.CHANGES)


def read_and_plan(session: Session, office: Backoffice, paths: Sequence[Path], *, prune: bool = False) -> Plan:
    """The plan for files; a mistake in them is told, with what may help, and ends the command."""
    try:
        wish = wish_of(paths)
        world = office.world()
        return planned(office, pruned(wish, world) if prune else wish, world)
    except ConfigError as error:
        failure = session.failure_of(error)
        session.fail(replace(failure, advice=companions_of(paths, office)))
        raise click.exceptions.Exit(Exit.REFUSED) from None


def keep(office: Backoffice, found: Plan, why: str) -> str:
    """Store the plan; its name."""
    return office.save_plan(who(), found.world.fingerprint, to_content(found.wish, why), as_json(found))


def tell(session: Session, found: Plan, *, full: bool = False) -> None:
    session.say(*lines_of(found, full=full))
    if found.wish.passed_over:
        session.note(f"left aside, they define nothing: {', '.join(map(str, found.wish.passed_over))}")
