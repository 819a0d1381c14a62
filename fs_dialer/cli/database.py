"""db migrate, db status, db catch-up: the database's own tables, and what they must be told after a restore."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from fs_dialer.cli.command import command
from fs_dialer.cli.failures import Exit
from fs_dialer.cli.output import Cell, plural
from fs_dialer.cli.settings import Session
from fs_dialer.db import migrate as steps

UNREACHABLE = {Exit.UNREACHABLE: "the database was not reachable"}


@command(
    "migrate",
    examples=("fs-dialer db migrate", "FS_DIALER_DSN=postgresql:///calls fs-dialer db migrate --json"),
    exits=UNREACHABLE | {Exit.FAILED: "a step failed and was undone, or the database belongs to a newer version"},
)
def migrate(session: Session) -> None:
    """Bring the database to this version's tables.

    Takes the steps that are missing, each in a transaction of its own; on an empty database, all of them. Safe to repeat: a database that is up to date
    is left alone. Stop the daemon before migrating to a newer version.
    """
    taken = steps.migrate(session.settings().dsn())
    for name in taken:
        session.say(f"took {name}")
    session.say(f"{plural(len(taken), 'step')} taken; the database is up to date." if taken else "The database is up to date; nothing to do.")
    session.result({"taken": taken})


@command(
    "status",
    examples=("fs-dialer db status", "fs-dialer db status --json"),
    exits=UNREACHABLE | {Exit.FAILED: "the database is not at this version"},
)
def status(session: Session) -> None:
    """Which steps the database has taken, and whether it fits this version. Changes nothing."""
    found = steps.status(session.settings().dsn())
    rows = [(step.name, _standing(step), step.problem) for step in found]
    session.table(("STEP", "STATE", "PROBLEM"), rows)
    missing = [step for step in found if not step.applied]
    problems = [step for step in found if step.problem]
    if problems:
        session.say(f"The database does not fit this version: {plural(len(problems), 'problem')}.")
    elif missing:
        session.say(f"{plural(len(missing), 'step')} missing. Take {'it' if len(missing) == 1 else 'them'}: fs-dialer db migrate")
    else:
        session.say("The database is up to date.")
    session.result({"current": not missing and not problems, "steps": [asdict(step) for step in found]})
    if missing or problems:
        raise click.exceptions.Exit(Exit.FAILED)


@command(
    "catch-up",
    examples=("fs-dialer db catch-up /var/lib/fs-dialer/journal/*.jsonl", "fs-dialer db catch-up --json day.jsonl"),
    exits=UNREACHABLE | {Exit.FAILED: "a daemon is active, a journal can not be read, or it holds calls to leads that are not in this database"},
)
@click.argument("journals", metavar="JOURNAL...", nargs=-1, required=True, type=click.Path(path_type=Path))
def catch_up(session: Session, journals: tuple[Path, ...]) -> None:
    """Tell a restored database whom the daemon called since the backup, so that nobody is called twice.

    Reads the daemon's journals, writes every attempt that they know and the database does not, and gives its lead the status it had afterwards. Safe to
    repeat. No daemon may be active. Load the lists that were imported since the backup first: a lead is found by its campaign and number.
    """
    from fs_dialer.db.catch_up import catch_up as write_missing
    from fs_dialer.runtime.catch_up import dialled

    done = write_missing(session.settings().dsn(), dialled(journals))
    session.say(f"{plural(done.attempts, 'attempt')} in {plural(len(journals), 'journal')}: {done.known:,} known, {done.written:,} written.")
    if done.still_open:
        session.say(f"{plural(done.still_open, 'of them has', 'of them have')} no end yet: the daemon asks the switch when it starts.")
    if done.no_lead:
        missing = plural(len(done.no_lead), "number that was called is", "numbers that were called are")
        session.note(f"fs-dialer: {missing} no lead of this database: load the list that holds them, then run this again")
    session.result(asdict(done))
    if done.no_lead:
        raise click.exceptions.Exit(Exit.FAILED)


def _standing(step: steps.Step) -> Cell:
    if step.problem:
        return Cell("bad", "red")
    return Cell("taken", "green") if step.applied else Cell("missing", "yellow")
