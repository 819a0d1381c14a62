"""report attempts: the calls themselves, a row each, with the columns that are asked for; script answers and gate answers among them (M18, M24, X8).

Rows are read, filtered and written one after another, so that a year of calls needs no more memory than a day. Only the table for people is held, which is why
it ends at --limit.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from fs_dialer.cli import report_tables as tables
from fs_dialer.cli.campaigns import UNREACHABLE
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import Exit
from fs_dialer.cli.output import Cell, clean, json_line, masked, plural
from fs_dialer.cli.report_asked import Wishes, asked, asking, iso, note_if_unknown
from fs_dialer.cli.settings import Session
from fs_dialer.config.filters import BadFilter, parse
from fs_dialer.config.values import nearest
from fs_dialer.core.filters import Expr, matches, names_in

if TYPE_CHECKING:
    from fs_dialer.db.figures import Asked, AttemptRow

ON_SCREEN = 200
TIME_COLUMNS = ("opened_at", "rang_at", "answered_at", "bridged_at", "ended_at", "closed_at", "disposed_at")
STORED = (
    "id", "campaign", "revision", "lead", "lead_status", "number", "gateway", "caller_id", "agent", "opened_at", "outcome", "cause", "sip_status",
    "rang_at", "answered_at", "bridged_at", "ended_at", "missed", "leg_seen", "disposition", "disposed_by", "disposed_at", "decision", "answers",
    "note", "gates", "leg", "epoch", "closed_at", "path", "left_at", "switch",
)  # fmt: skip
LENGTHS: Mapping[str, Callable[[AttemptRow], float | None]] = {
    "ring_s": lambda row: _between(row.rang_at, row.answered_at if row.answered_at is not None else row.ended_at),
    "wait_s": lambda row: _between(row.answered_at, row.bridged_at),
    "talk_s": lambda row: _between(row.bridged_at, row.ended_at),
}
PEOPLE = ("name", "status")  # of the contact; the lead's, as it is now
OWN = (*STORED, *LENGTHS, *PEOPLE, "ticket")
INSIDE = ("answers", "attributes", "ivr")  # answers.KEY of the script, attributes.KEY of the person, ivr.NAME of the flow
SHOWN = ("opened_at", "campaign", "number", "agent", "outcome", "cause", "ring_s", "wait_s", "talk_s", "disposition")
WRITTEN = (*STORED, *LENGTHS)


class _Columns(Collection[str]):
    """Every name there is, as a filter asks for it."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in OWN or _inside(name))

    def __iter__(self) -> Iterator[str]:
        return iter((*OWN, *(f"{each}." for each in INSIDE)))

    def __len__(self) -> int:
        return len(OWN)


@dataclass(frozen=True, slots=True)
class _Texts(Mapping[str, str]):
    """A row as a filter sees it: every column as text, worked out only when it is asked for."""

    row: AttemptRow
    zone: str

    def __getitem__(self, name: str) -> str:
        return _text(self.row, name, self.zone)

    def __iter__(self) -> Iterator[str]:
        return iter(OWN)

    def __len__(self) -> int:
        return len(OWN)


@command(
    "attempts",
    examples=(
        "fs-dialer report attempts --campaign spring --filter 'outcome = busy and sip_status != 486'",
        "fs-dialer report attempts --campaign survey --columns number,agent,answers.renew,answers.plan --csv > answers.csv",
    ),
    exits=UNREACHABLE | {Exit.FAILED: "there is no such campaign or agent", Exit.MISUSE: "the command line is wrong, --filter or --columns included"},
)
@asking()
@click.option(
    "--columns",
    metavar="A,B",
    help="Which columns, in their order: those of docs/reports.md, answers.KEY of the script, ivr.NAME of a flow, attributes.KEY.",
)
@click.option("--filter", "where", metavar="EXPR", help="Only rows that meet it: `talk_s > 60 and answers.renew = yes`, over all columns.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help=f"At most so many rows. Left out: {ON_SCREEN} as a table, all with --csv or --json.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV on stdout, with every column unless --columns names some.")
def report_attempts(session: Session, columns: str | None, where: str | None, limit: int | None, as_csv: bool, **given: Any) -> None:
    """Attempts one by one, by the time at which they were opened; of several campaigns, one campaign after another.

    Times are on the clocks of the campaign's zone, and seconds since 1970 in JSON. Numbers are masked on the screen only. Calls that are up have no outcome.
    """
    if as_csv and session.as_json:
        raise click.UsageError("--csv or --json, not both")
    on_screen = not as_csv and not session.as_json
    names = _chosen(columns, SHOWN if on_screen else WRITTEN)
    expr = _filter(where)
    needed = {*names, *(names_in(expr).attributes if expr is not None else ())}
    wishes = Wishes(**given)
    with session.office() as office:
        which, zones = asked(office, wishes)
        people = any(name in PEOPLE or name.startswith("attributes.") for name in needed)
        with closing(office.attempts(which, people=people, tickets="ticket" in needed)) as rows:
            met = _met(rows, expr, zones)
            if as_csv:
                _write_csv(names, met, zones, limit)
            elif session.as_json:
                _write_json(names, met, which, zones, limit)
            else:
                _show(session, names, met, zones, limit or ON_SCREEN, columns is not None)
        if on_screen and (note := note_if_unknown(office, which)):
            session.note(f"fs-dialer: {note}")


# --- which --------------------------------------------------------------------------------------------------------------------------------


def _chosen(text: str | None, default: Sequence[str]) -> list[str]:
    if text is None:
        return list(default)
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    known = _Columns()
    for name in names:
        if name not in known:
            guess = nearest(name, known)
            raise click.BadParameter(f"there is no column `{clean(name)}`" + (f"; nearest: {guess}" if guess else ""), param_hint="--columns")
    if not names:
        raise click.BadParameter(f"name one or more of {', '.join(known)}", param_hint="--columns")
    return names


def _filter(text: str | None) -> Expr | None:
    try:
        return None if text is None else parse(text, _Columns(), built_in=False)
    except BadFilter as error:
        raise click.BadParameter(str(error), param_hint="--filter") from None


def _inside(name: str) -> bool:
    """answers.plan"""
    first, dot, key = name.partition(".")
    return bool(dot and key) and first in INSIDE


def _met(rows: Iterator[AttemptRow], expr: Expr | None, zones: Mapping[str, str]) -> Iterator[AttemptRow]:
    return rows if expr is None else (row for row in rows if matches(expr, _Texts(row, zones[row.campaign])))


# --- cells --------------------------------------------------------------------------------------------------------------------------------


def _between(begin: float | None, end: float | None) -> float | None:
    return None if begin is None or end is None else round(max(0.0, end - begin), 3)


def value(row: AttemptRow, name: str) -> Any:
    """One column as JSON has it; None where there is nothing."""
    if name in LENGTHS:
        return LENGTHS[name](row)
    if _inside(name):
        first, _, key = name.partition(".")
        return getattr(row, first).get(key)
    return getattr(row, name)


def _text(row: AttemptRow, name: str, zone: str) -> str:
    """The same as text: times by the clock of the zone, yes and no, lists with commas; "" for nothing."""
    found = value(row, name)
    if found is None:
        return ""
    if name in TIME_COLUMNS:
        return iso(found, zone)
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, list) and all(isinstance(each, str) for each in found):
        return ", ".join(found)
    return json_line(found) if isinstance(found, list | dict) else str(found)


def _written(row: AttemptRow, name: str, zone: str) -> tables.Value:
    """A cell of a spreadsheet: numbers stay numbers."""
    found = value(row, name)
    if isinstance(found, int | float) and not isinstance(found, bool) and name not in TIME_COLUMNS:
        return found
    return _text(row, name, zone)


def _cell(row: AttemptRow, name: str, zone: str) -> str | Cell:
    """A cell for people."""
    if name == "number":
        return masked(row.number)
    if name in TIME_COLUMNS:
        return _text(row, name, zone)[:19].replace("T", " ")
    if name == "outcome":
        return Cell("missed" if row.missed else (row.outcome or "still up").replace("_", " "), "red" if row.missed else "")
    if name in LENGTHS:
        found = value(row, name)
        return "-" if found is None else f"{found:.1f} s"
    return _text(row, name, zone) or "-"


# --- out ----------------------------------------------------------------------------------------------------------------------------------


def _write_csv(names: Sequence[str], rows: Iterator[AttemptRow], zones: Mapping[str, str], limit: int | None) -> None:
    tables.write_csv(sys.stdout, names, ([_written(row, name, zones[row.campaign]) for name in names] for row in islice(rows, limit)))


def _write_json(names: Sequence[str], rows: Iterator[AttemptRow], which: Asked, zones: Mapping[str, str], limit: int | None) -> None:
    """One object on one line, as everywhere, but written piece by piece."""
    spans = [{"campaign": name, "zone": zones[name], "since": span.since, "until": span.until} for name, span in which.spans.items()]
    out = sys.stdout
    out.write(f'{{"campaigns": {json_line(spans)}, "only": {json_line(which.only())}, "attempts": [')
    count = 0
    for count, row in enumerate(islice(rows, limit), 1):
        # Plain values already: a walk through them, as json_line does it, would be most of the work on a million rows.
        out.write((", " if count > 1 else "") + json.dumps({name: value(row, name) for name in names}, ensure_ascii=False))
    out.write(f'], "count": {count}, "more": {json_line(next(rows, None) is not None)}}}\n')


def _show(session: Session, names: Sequence[str], rows: Iterator[AttemptRow], zones: Mapping[str, str], limit: int, chosen: bool) -> None:
    found = list(islice(rows, limit))
    if not found:
        session.say("No attempt meets that.")
        return
    several = chosen or len({row.campaign for row in found}) > 1
    shown = [name for name in names if name != "campaign" or several]
    session.table(
        [name.replace("_", " ").upper() for name in shown],
        [[_cell(row, name, zones[row.campaign]) for name in shown] for row in found],
        right=[name.replace("_", " ").upper() for name in (*LENGTHS, "sip_status", "lead", "revision", "ticket")],
    )
    if next(rows, None) is not None:
        session.note(f"The first {plural(len(found), 'attempt')}; there are more. --limit N shows more of them, --csv writes all.")
