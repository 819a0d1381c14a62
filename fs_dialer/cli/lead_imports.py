"""lead imports, lead template, lead import --undo: what was loaded, taking it back, and a file to start from."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fs_dialer.cli.asked import TEXT, confirmed, file_name
from fs_dialer.cli.campaigns import UNREACHABLE
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import Progress, clean, moment, percent, plural
from fs_dialer.cli.settings import Session, nearest_name, who
from fs_dialer.config.lead_template import HEADER, write_template

if TYPE_CHECKING:
    from fs_dialer.db.import_undo import ImportLine, Undone


@command(
    "template",
    examples=("fs-dialer lead template leads.xlsx", "fs-dialer lead template leads.csv --region VN"),
    exits={Exit.FAILED: "a file of that name is there already", Exit.REFUSED: "it can not be written, or the region is no country"},
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--region", type=TEXT, default="", metavar="XX", help="The country of its numbers, as in VN or US. Left out: they are written with a +.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def lead_template(session: Session, file: Path, region: str, force: bool) -> None:
    """Write a file of leads to start from: .xlsx, .csv or .tsv by its name.

    Its columns are those that an import knows, every cell is a text, its two rows are examples to be deleted.
    """
    if file.exists() and not force:
        raise CommandFailed(f"{clean(file_name(file))} is there already", "another name, or --force to write over it")
    write_template(file, region)
    name = clean(file_name(file))
    session.say(f"{name}: columns {', '.join(HEADER)}; delete the two examples", f"Then: fs-dialer lead import {shlex.quote(name)} --campaign NAME")
    session.result({"file": file_name(file), "columns": HEADER})


@command(
    "imports",
    examples=("fs-dialer lead imports", "fs-dialer lead imports --campaign spring --json"),
    exits=UNREACHABLE,
)
@click.option("--campaign", type=TEXT, metavar="NAME", help="Into this campaign only.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many at most.")
@click.option("--before", type=click.IntRange(1, 2**62), metavar="ID", help="Go on behind this import: the last of the page before.")
def lead_imports(session: Session, campaign: str | None, limit: int, before: int | None) -> None:
    """Files that were loaded, the newest first. Times are UTC."""
    from fs_dialer.db.import_undo import imports_listed

    with session.pool() as pool:
        found = imports_listed(pool, campaign=campaign, limit=limit + 1, before=before)
    more, page = len(found) > limit, found[:limit]
    rows = [
        (
            each.name,
            moment(each.at, "UTC"),
            each.who,
            _place(each),
            f"{each.counts.get('rows', 0):,}",
            f"{each.counts.get('new', 0):,}",
            f"undone by {each.undone_by}" if each.undone_at is not None else "loaded",
            each.file or "-",
        )
        for each in page
    ]
    if rows:
        session.table(("IMPORT", "WHEN", "WHO", "INTO", "ROWS", "NEW", "STATE", "FILE"), rows, right="ROWS NEW")
    else:
        session.say("Nothing was imported.")
    if more:
        session.note(f"There are more: --before {page[-1].id}, or a higher --limit")
    session.result({"imports": page, "next_before": page[-1].id if more else None})


def _place(line: ImportLine) -> str:
    return " and ".join(part for part in (line.campaign or "", f"group {line.group}" if line.group else "") if part) or "the directory"


# --- undo -----------------------------------------------------------------------------------------------------------------------------


def undo(session: Session, name: str, *, dry_run: bool, yes: bool, progress: str) -> None:
    """Take an import back. CommandFailed where there is none of the name, where it is undone, or where nobody confirms."""
    from fs_dialer.db.import_undo import UndoneBefore, import_named, imports_listed, undo_import

    shown = Progress(progress)
    with session.pool() as pool:
        line = import_named(pool, name)
        if line is None:
            known = [each.name for each in imports_listed(pool)]
            raise CommandFailed(f"there is no import {clean(name)}{nearest_name(name, known)}", "which there are: fs-dialer lead imports")
        if line.undone_at is not None:
            session.say(f"{line.name} was undone {moment(line.undone_at, 'UTC')} by {clean(line.undone_by or '')}: nothing to do.")
            session.result(_undo_json(line, None, dry_run))
            return
        if not dry_run:
            confirmed(session, yes, f"{line.name} ({clean(line.file or 'no file')} into {clean(_place(line))}) is to be taken back", line.name)
        try:
            done = undo_import(pool, line, who(), time.time(), write=not dry_run, progress=lambda share: shown.show(f"{percent(share, 0)} done"))
        except UndoneBefore:
            raise CommandFailed(f"{line.name} was undone by somebody else meanwhile") from None
        except KeyboardInterrupt:
            raise CommandFailed("stopped before the end: a part of it is taken back", f"the same line again does the rest: --undo {line.name}") from None
        finally:
            shown.clear()
    session.say(*_undone(line, done, dry_run))
    if dry_run:
        session.say("Nothing was written.")
    session.result(_undo_json(line, done, dry_run))


def _undone(line: ImportLine, done: Undone, dry_run: bool) -> list[str]:
    would = "; taking it back would mean" if dry_run else ""
    said = [f"{line.name}, {clean(line.file or 'no file')} into {clean(_place(line))}{would}:"]
    said.append(f"  {plural(done.leads, 'lead')} taken out, never called")
    if done.stopped:
        said.append(f"  {plural(done.stopped, 'lead was', 'leads were')} called before and stopped")
    if done.finished:
        said.append(f"  {plural(done.finished, 'lead was', 'leads were')} called and finished: left as they are")
    if line.group:
        said.append(f"  {plural(done.members, 'contact')} out of the group {clean(line.group)}")
    stay = f"; {done.in_use:,} stay: in use, or changed since" if done.in_use else ""
    said.append(f"  {plural(done.contacts, 'contact')} taken out of the directory{stay}")
    if done.restored:
        said.append(f"  {plural(done.restored, 'contact')} as before the import")
    if done.changed_since:
        said.append(f"  {plural(done.changed_since, 'contact')} changed again since: left as they are")
    if done.forgotten:
        said.append("  what it changed in other contacts stays: former values are kept for 30 days")
    return said


def _undo_json(line: ImportLine, done: Undone | None, dry_run: bool) -> dict[str, Any]:
    """`done` None: nothing was to be done."""
    return {"import": line.name, "dry_run": dry_run, "undone": done}
