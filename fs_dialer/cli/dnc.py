"""dnc list, show, add, remove: do-not-call lists, entry by entry. Files of them: dnc_import.py. What an entry does to leads is the database's."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from fs_dialer.cli.asked import TEXT, confirmed, e164, numbered
from fs_dialer.cli.campaigns import UNREACHABLE
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import Cell, ago, clean, masked, moment, plural
from fs_dialer.cli.settings import Session, nearest_name, who
from fs_dialer.errors import ConfigError, Problem

if TYPE_CHECKING:
    from fs_dialer.db.backoffice import Backoffice
    from fs_dialer.db.shapes import ListedNumber

OWN = "own"
SURE_DIGITS = 5  # a shorter prefix may be a whole country
MANY_LEADS = 1000  # more open leads than one prefix forbids without a question
_PREFIX = re.compile(r"\+[0-9]{1,14}")
EXITS = UNREACHABLE | {Exit.FAILED: "there is no such list", Exit.REFUSED: "a number or prefix is none; nothing was changed"}
NUMBERS = click.argument("numbers", type=TEXT, nargs=-1, metavar="[NUMBER]...")
PREFIX = click.option("--prefix", "prefixes", type=TEXT, multiple=True, metavar="+DIGITS", help="Every number that begins so; may be said several times.")


@command("list", examples=("fs-dialer dnc list", "fs-dialer dnc list national --limit 1000 --json"), exits=EXITS)
@click.argument("name", type=TEXT, required=False, metavar="[LIST]")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="With LIST: how many entries at most.")
@click.option("--after", type=TEXT, default="", metavar="ENTRY", help="With LIST: go on behind this entry, the last of the page before.")
@click.option("--full", is_flag=True, help="Show telephone numbers in full.")
def dnc_list(session: Session, name: str | None, limit: int, after: str, full: bool) -> None:
    """All do-not-call lists, how much is on each and how old it is; or the entries of one. A prefix ends with a star.

    Every list holds for every campaign. A blacklist is a list of that name.
    """
    with session.office() as office:
        if name is None:
            _overview(session, office)
            return
        lists = [each.name for each in office.dnc_lists(time.time())]
        if name not in lists:
            raise _no_list(name, lists)
        page = office.dnc_entries(name, limit + 1, after)
    more, page = len(page) > limit, page[:limit]
    if page:
        rows = [(each.number if full else masked(each.number), moment(each.added_at, "UTC"), each.added_by, each.reason) for each in page]
        session.table(("ENTRY", "SINCE", "BY", "REASON"), rows)
    else:
        session.say("Nothing is on it.")
    if more:
        session.note(f"There are more: --after {page[-1].number if full else 'ENTRY (--full or --json shows it)'}, or a higher --limit")
    session.result({"list": name, "entries": page, "next_after": page[-1].number if more else None})


def _overview(session: Session, office: Backoffice) -> None:
    now = time.time()
    lists = office.dnc_lists(now)
    rows = []
    for each in lists:
        age = "never" if each.imported_at is None else f"{ago(now - each.imported_at)} ago"
        old = "never imported" if each.imported_at is None else "too old: import it anew"
        note = old if each.stale else "" if each.declared else "in no file: declare it below dnc_lists"
        rows.append((each.name, f"{each.numbers:,}", f"{each.prefixes:,}", age, each.title, Cell(note, "red" if note else "")))
    session.table(("LIST", "NUMBERS", "PREFIXES", "IMPORTED", "TITLE", "NOTE"), rows, right="NUMBERS PREFIXES")
    session.result({"lists": lists})


@command("show", examples=("fs-dialer dnc show +442079460101", "fs-dialer dnc show 02079460101 --json"), exits=EXITS)
@click.argument("number", type=TEXT)
def dnc_show(session: Session, number: str) -> None:
    """May this number be called at all? The entries that forbid it, marks of who asked to be left alone, and its leads."""
    with session.office() as office:
        wishes = office.dnc_show(e164(session, number))
    if not wishes.entries and not wishes.marks:
        session.say(f"{wishes.number}: on no do-not-call list, and nobody asked to be left alone")
    for each in wishes.entries:
        because = f": {clean(each.reason)}" if each.reason else ""
        session.say(
            f"{wishes.number}: on the list {clean(each.list)} as {each.number} since {moment(each.added_at, 'UTC')}, by {clean(each.added_by)}{because}"
        )
    for mark in wishes.marks:
        where = f"by {clean(mark.campaign)}" if mark.campaign else "by every campaign"
        session.say(f"{wishes.number}: left alone {where} until {moment(mark.until, 'UTC')}, said {clean(mark.added_by)}")
    for id, campaign, status in wishes.leads:
        session.say(f"  lead {id} of {clean(campaign)}: {status.replace('_', ' ')}")
    leads = [{"lead": id, "campaign": campaign, "status": status} for id, campaign, status in wishes.leads]
    forbidden = bool(wishes.entries)
    session.result({"number": wishes.number, "forbidden": forbidden, "entries": wishes.entries, "marks": wishes.marks, "leads": leads})


@command(
    "add",
    examples=("fs-dialer dnc add +442079460101 --reason 'asked by mail'", "fs-dialer dnc add --prefix +84901 --list regulator"),
    exits=EXITS | {Exit.MISUSE: "the command line is wrong, or a prefix forbids much and nobody is there to confirm: use --yes"},
)
@NUMBERS
@PREFIX
@click.option("--list", "name", type=TEXT, default=OWN, show_default=True, metavar="LIST", help="The list; declared in a file below dnc_lists, or `own`.")
@click.option("--reason", type=TEXT, default="", metavar="TEXT", help="Why, for whoever asks later.")
@click.option("--dry-run", is_flag=True, help="Count what would happen, and write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask, even if a prefix forbids much.")
def dnc_add(session: Session, numbers: tuple[str, ...], prefixes: tuple[str, ...], name: str, reason: str, dry_run: bool, yes: bool) -> None:
    """Put numbers, or all numbers with a prefix, on a do-not-call list. Their open leads are blocked at once.

    A call that is queued is not made any more; one that is up goes on, and is the last. A prefix of fewer than 5 digits, or one that forbids more than
    1,000 open leads, asks first.
    """
    entries = _entries(session, numbers, prefixes)
    with session.office() as office:
        declared(office, name)
        if dry_run:
            would = office.dnc_would_forbid(entries, name)
            new, leads = would.new, would.leads
        else:
            if not yes:
                _sure(session, office, [each for each in entries if each.endswith("*")], name)
            done = office.do_not_call_add(entries, who(), name, reason)
            new, leads = done.numbers, done.leads
    old = f", {len(entries) - new:,} there already" if new < len(entries) else ""
    added, blocked = ("would be new", "would be blocked") if dry_run else ("new", "blocked")
    session.say(f"{plural(new, 'entry', 'entries')} {added} on {clean(name)}{old}; {plural(leads, 'lead')} {blocked}")
    if dry_run:
        session.say("Nothing was written.")
    session.result({"list": name, "entries": entries, "dry_run": dry_run, "new": new, "leads_blocked": leads})


def _sure(session: Session, office: Backoffice, prefixes: Sequence[str], name: str) -> None:
    """Each prefix that is short or forbids much is confirmed by typing it. CommandFailed with exit code 2 where nobody is there to type."""
    for each in prefixes:
        prefix = each.removesuffix("*")
        digits, would = len(prefix) - 1, office.dnc_would_forbid([each], name)
        if digits >= SURE_DIGITS and would.leads <= MANY_LEADS:
            continue
        short = f"{prefix} is only {plural(digits, 'digit')}: it" if digits < SURE_DIGITS else prefix
        text = f"{short} forbids {plural(would.leads, 'open lead')} in {plural(would.campaigns, 'campaign')}"
        if not sys.stdin.isatty():
            raise CommandFailed(f"{text}. Say --yes, or a longer prefix. Nothing was changed.", code=Exit.MISUSE)
        confirmed(session, False, text, prefix)


@command(
    "remove",
    examples=("fs-dialer dnc remove +442079460101 --list own --reason 'typed wrong'", "fs-dialer dnc remove --prefix +84901 --list regulator --reason expired"),
    exits=EXITS,
)
@NUMBERS
@PREFIX
@click.option("--list", "name", type=TEXT, required=True, metavar="LIST", help="The list they leave; other lists go on to forbid them.")
@click.option("--reason", type=TEXT, required=True, metavar="TEXT", help="Why they may be called again; it is kept in the audit.")
def dnc_remove(session: Session, numbers: tuple[str, ...], prefixes: tuple[str, ...], name: str, reason: str) -> None:
    """Take numbers or prefixes off a do-not-call list. Leads that no entry forbids any more are called again.

    A number that only a prefix forbids stays forbidden: take the prefix off.
    """
    if not reason.strip():
        raise click.UsageError("--reason says nothing")
    entries = _entries(session, numbers, prefixes)
    with session.office() as office:
        lists = [each.name for each in office.dnc_lists(time.time())]
        if name not in lists:
            raise _no_list(name, lists)
        done = office.do_not_call_remove(entries, who(), name, reason)
        still = {entry: others for entry in entries if (others := office.dnc_still(entry))}
    missing = f", {len(entries) - done.numbers:,} not on it" if done.numbers < len(entries) else ""
    stay = [f"{entry} stays forbidden: {_said_by(others)}" for entry, others in still.items()]
    but = f", but {stay[0]}" if len(stay) == 1 else ""
    session.say(f"{plural(done.numbers, 'entry', 'entries')} off {clean(name)}{missing}{but}; {plural(done.leads, 'lead')} to be called again")
    if len(stay) > 1:
        session.say(*stay)
    forbidden = [{"entry": entry, "entries": [{"list": each.list, "number": each.number} for each in others]} for entry, others in still.items()]
    session.result({"list": name, "entries": entries, "removed": done.numbers, "leads_returned": done.leads, "still_forbidden": forbidden})


def _said_by(entries: Sequence[ListedNumber]) -> str:
    """own has the prefix +4*, national has the number."""
    return ", ".join(f"{clean(each.list)} has the {f'prefix {each.number}' if each.number.endswith('*') else 'number'}" for each in entries)


def declared(office: Backoffice, name: str) -> str:
    """A list that entries may be put on; CommandFailed with the nearest otherwise."""
    known = office.dnc_declared()
    if name not in known:
        raise _no_list(name, known)
    return name


def _no_list(name: str, known: list[str]) -> CommandFailed:
    advice = "declare it in a file (`dnc_lists: {national: {}}`) and apply that; which there are: fs-dialer dnc list"
    return CommandFailed(f"there is no do-not-call list {clean(name)}{nearest_name(name, known)}", advice)


def _entries(session: Session, numbers: tuple[str, ...], prefixes: tuple[str, ...]) -> list[str]:
    """As do_not_call.py writes them: a prefix ends with a star."""
    if not numbers and not prefixes:
        raise click.UsageError("name numbers, or say --prefix")
    found = [number for number, _ in numbered(session, numbers)]
    wrong = [each for each in prefixes if not _PREFIX.fullmatch(each.removesuffix("*"))]
    if wrong:
        raise ConfigError([Problem(clean(each)[:60], 0, 0, "--prefix", "write + and the first digits, as in +8490") for each in wrong])
    return list(dict.fromkeys([*found, *(f"{each.removesuffix('*')}*" for each in prefixes)]))
