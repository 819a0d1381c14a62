"""dnc import: a file of numbers, a national register's too, onto a do-not-call list.

Knows how such files come: a number on each line, or a column of a CSV; and that a line nobody can read must not keep millions of others off the list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from fs_dialer.cli.asked import TEXT, confirmed, file_name
from fs_dialer.cli.campaigns import UNREACHABLE
from fs_dialer.cli.command import command
from fs_dialer.cli.dnc import declared
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import Progress, clean, moment, plural
from fs_dialer.cli.settings import Session, who
from fs_dialer.config.csv_text import CsvText
from fs_dialer.config.leads_rows import COLUMNS
from fs_dialer.config.phone_numbers import BadNumber, parse_number
from fs_dialer.config.values import nearest, short
from fs_dialer.errors import ConfigError, Problem

PROGRESS_EVERY = 100_000
TOLD = 10  # unreadable lines that are shown
COMMENT = "#"
BLOCK_BYTES = 1 << 20


@command(
    "import",
    examples=("fs-dialer dnc import register.txt --list national --replace", "fs-dialer dnc import export.csv --list own --column Handy --region DE"),
    exits=UNREACHABLE
    | {
        Exit.DONE: "what could be read is on the list; lines that could not are told",
        Exit.FAILED: "there is no such list, or too much would leave it: --yes",
        Exit.REFUSED: "the file is no list of numbers; nothing was changed",
    },
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--list", "name", type=TEXT, required=True, metavar="LIST", help="The list; declared in a file below dnc_lists, or `own`.")
@click.option("--replace", is_flag=True, help="The file is the whole list: numbers that are not in it leave it.")
@click.option("--column", type=TEXT, metavar="NAME", help="The column that holds the numbers. Left out: one named phone, number …, else the first.")
@click.option("--region", type=TEXT, default="", metavar="XX", help="Country of numbers without a country code. Left out: the installation's.")
@click.option("--reason", type=TEXT, default="", metavar="TEXT", help="Kept with each new entry.")
@click.option("--dry-run", is_flag=True, help="Count what would happen, and write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask, even if most of the list leaves it.")
@click.option("--progress", type=click.Choice(["auto", "plain", "none"]), default="auto", show_default=True, help="How to tell how far it is.")
def dnc_import(
    session: Session,
    file: Path,
    name: str,
    replace: bool,
    column: str | None,
    region: str,
    reason: str,
    dry_run: bool,
    yes: bool,
    progress: str,
) -> None:
    """Put a file's numbers on a do-not-call list: a number on each line, or a column of a CSV. Lines that begin with # are passed over.

    All of it or nothing, in one transaction; leads are blocked, and with --replace returned, as by `dnc add` and `dnc remove`. The same file again
    changes nothing and makes the list as new. Prefixes on the list stay; they are added one by one.
    """
    from fs_dialer.db.dnc_lists import ListFile, ListImported, TooManyLeave

    with session.definitions() as store:
        region = region or store.installation().region
    with session.office() as office:
        declared(office, name)

        def imported(sure: bool) -> tuple[_Lines, ListImported]:
            with _opened(file) as stream:
                order = ListFile(name, file_name(Path(file.name)), _hash(stream), replace, reason)
                lines = _Lines(stream, file_name(file), column, region, Progress(progress))
                try:
                    return lines, office.dnc_import(order, lines.numbers(), who(), dry_run=dry_run, sure=sure)
                finally:
                    lines.progress.clear()

        try:
            lines, done = imported(yes)
        except TooManyLeave as error:
            if dry_run:
                raise CommandFailed(f"{error}; nothing was changed", "is it the right file? Without --replace nothing leaves the list") from None
            confirmed(session, yes, str(error), name)
            lines, done = imported(True)
    _told(session, done, lines, dry_run)
    session.result(
        {
            "list": name,
            "file": file_name(file),
            "replace": replace,
            "dry_run": dry_run,
            "numbers": done.numbers,
            "new": done.new,
            "known": done.known,
            "left": done.left,
            "leads_blocked": done.blocked,
            "leads_returned": done.returned,
            "unreadable": lines.unreadable,
            "problems": [{"line": each.line, "value": each.path, "text": each.text} for each in lines.problems],
            "seen_at": done.seen_at,
        }
    )


def _told(session: Session, done: object, lines: _Lines, dry_run: bool) -> None:
    from fs_dialer.db.dnc_lists import ListImported

    assert isinstance(done, ListImported)
    session.note(*(f"{each.file}:{each.line}  {clean(each.path)}  {clean(each.text)}" for each in lines.problems))
    if lines.unreadable:
        others = "the others would be" if dry_run else "the others are"
        session.note(f"warning: {plural(lines.unreadable, 'line')} could not be read as a number; {others} on the list")
    if done.seen_at is not None:
        session.note(f"the same file was imported before, {moment(done.seen_at, 'UTC')}")
    left = f", {done.left:,} {'would leave' if dry_run else 'left'} it" if done.left else ""
    blocked = "would be blocked" if dry_run else "blocked"
    session.say(f"{plural(done.numbers, 'number')} = {done.new:,} new on {clean(done.list)} + {done.known:,} there already{left}")
    session.say(f"{plural(done.blocked, 'lead')} {blocked}" + (f", {done.returned:,} to be called again" if done.returned else ""))
    if dry_run:
        session.say("Nothing was written.")


class _Lines:
    """The file's numbers in E.164, once. `unreadable`: how many lines were none; `problems`: the first of them."""

    def __init__(self, stream: BinaryIO, name: str, column: str | None, region: str, progress: Progress) -> None:
        self.progress, self.problems, self.unreadable = progress, list[Problem](), 0
        self._name, self._column, self._region = name, column, region
        self._text = CsvText(stream, name)

    def numbers(self) -> Iterator[str]:
        """ConfigError when not one line is a number."""
        place, good, read = None, 0, 0
        for record in self._text.records():
            cells = [cell.strip() for cell in record.cells]
            if not any(cells) or cells[0].startswith(COMMENT):
                continue
            if place is None:
                place, is_header = self._place(cells, record.line)
                if is_header:
                    continue
            read += 1
            if read % PROGRESS_EVERY == 0:
                self.progress.show(f"{read:,} lines read, {self.unreadable:,} of them unreadable")
            written = cells[place] if place < len(cells) else ""
            try:
                if record.fault:
                    raise BadNumber(record.fault)
                number, _ = parse_number(written, self._region)
            except BadNumber as error:
                self.unreadable += 1
                if len(self.problems) < TOLD:
                    self.problems.append(Problem(self._name, record.line, 0, short(written, 40), error.text))
                continue
            good += 1
            yield number
        if not good:
            first = self.problems[:3] or [Problem(self._name, 0, 0, "", "there is no number in it")]
            raise ConfigError(first)

    def _place(self, cells: list[str], line: int) -> tuple[int, bool]:
        """The column of the numbers, and whether this first row only names the columns."""
        names = [cell.casefold().replace(" ", "_").replace("-", "_") for cell in cells]
        if self._column is not None:
            wanted = self._column.strip().casefold().replace(" ", "_").replace("-", "_")
            if wanted not in names:
                guess = nearest(self._column, cells)
                listed = short(", ".join(cells), 200)
                raise ConfigError(
                    [Problem(self._name, line, 0, "", f"no column {self._column}" + (f"; nearest: {guess}" if guess else "") + f"; it has {listed}")]
                )
            return names.index(wanted), True
        named = next((names.index(name) for name in COLUMNS["phone"] if name in names), None)
        if named is not None:
            return named, True
        return 0, not any(each.isdigit() for each in cells[0])


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise ConfigError([Problem(file_name(file), 0, 0, "", f"can not be read: {error.strerror}")]) from None


def _hash(stream: BinaryIO) -> str:
    """sha256 of the whole file; it is at its beginning again afterwards. ConfigError for what cannot be read twice."""
    if not stream.seekable():
        raise ConfigError([Problem("", 0, 0, "", "is no file: save it first")])
    digest = hashlib.sha256()
    while block := stream.read(BLOCK_BYTES):
        digest.update(block)
    stream.seek(0)
    return digest.hexdigest()
