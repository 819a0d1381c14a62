"""report campaign, agent, caller-id, gateway, hour: attempts counted by what they are asked by.

Knows which columns each report shows and how they are laid out; what a figure means stands in core/figures.py and docs/reports.md. The attempts themselves are
report_attempts.py's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import Any, TypeVar

import click

from fs_dialer.cli import report_tables as tables
from fs_dialer.cli.campaigns import UNREACHABLE
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import Exit
from fs_dialer.cli.output import Cell, clean, percent, terminal_width
from fs_dialer.cli.report_asked import Wishes, asked, asking, note_if_unknown, span_words, windows_end
from fs_dialer.cli.report_counted import COLUMNS, DIMENSIONS, MOST_HOURS, TIMES, Report, hours_of, make, with_hours
from fs_dialer.cli.report_ivr import flow_report
from fs_dialer.cli.report_ivr import shown as flow_shown
from fs_dialer.cli.settings import Session
from fs_dialer.config.values import nearest
from fs_dialer.core.model import CampaignId

F = TypeVar("F", bound=Callable[..., Any])
CALLS = ("dialed", "person", "machine", "our_fault", "met_agent", "missed", "missed_rate", "talked_s")
WAYS = ("dialed", "person", "machine", "no_answer", "busy", "our_fault", "answer_rate", "missed", "missed_rate")
PEOPLE = ("calls", "talked_s", "average_talk_s", "disposition.*", "no_result")
HOURS = ("open_s", "ready_s", "talked_s", "wrap_up_s", "calls", "disposition.*", "no_result", "missed_offers")
EVERYTHING = (*tables.NAMES, "disposition.*")
EXITS = UNREACHABLE | {Exit.FAILED: "there is no such campaign or agent"}
DIMENSION_WORDS = ", ".join(each.replace("_", "-") for each in DIMENSIONS)


def _counting(function: F) -> F:
    """The options of how it is counted and shown."""
    for option in (
        click.option("--csv", "as_csv", is_flag=True, help="Rows as CSV on stdout, with every column unless --columns names some."),
        click.option("--columns", metavar="A,B", help="Which figures, in which order, by their names in docs/reports.md. JSON always has all of them."),
        click.option("--by", metavar="A,B", help=f"Break the rows down further: {DIMENSION_WORDS}."),
    ):
        function = option(function)
    return function


@command(
    "campaign",
    examples=("fs-dialer report campaign spring", "fs-dialer report campaign spring --day 2026-11-20 --by agent --csv"),
    exits=EXITS,
)
@click.argument("campaign", metavar="[NAME]", required=False)
@asking(campaign=False)
@_counting
def report_campaign(session: Session, campaign: str | None, by: str | None, columns: str | None, as_csv: bool, **given: Any) -> None:
    """What became of a campaign's calls, and its missed rate.

    Without NAME all campaigns are shown, a row each. The missed rate (missed ÷ answered by a person) is told for today, the last 24 hours and the last 30
    days, all up to the end of what is asked for, each with its counts and the interval in which the true rate lies with 95 % confidence.
    """
    wishes = Wishes(campaigns=(campaign,) if campaign else (), **given)
    dimensions = _dimensions("campaign", by)
    with session.office() as office:
        which, zones = asked(office, wishes)
        _check(session, dimensions, columns, hours_of(which), as_csv)
        people = campaign is not None and by is None
        counted = make(office, "campaign", which, zones, (*dimensions, "agent") if people else dimensions, wishes.now, windows_end(which, wishes.now))
        report = counted.by(*dimensions)
        note = "" if report.total.dialed else note_if_unknown(office, which)
        flow = flow_report(office, campaign, which) if campaign is not None and office.flow_of(CampaignId(campaign)) is not None else None
    _note(session, note)
    if as_csv:
        _csv(report, columns)
        return
    session.result(report.to_json() | {"flow": None if flow is None else flow.to_json()})
    if session.as_json:
        return
    session.say(_title(report), "", *_told(report))
    if campaign is not None:
        _windows(session, report)
    if flow is not None:
        session.say("")
        flow_shown(session, flow)
    shown = counted.by("agent") if people else report
    if not people or any(line.keys["agent"] for line in shown.lines):
        session.say("")
        _table(session, shown, columns, PEOPLE if people else CALLS)


@command(
    "agent",
    examples=("fs-dialer report agent", "fs-dialer report agent lan --from 2026-11-01 --until 2026-11-30 --by day"),
    exits=EXITS,
)
@click.argument("agent", metavar="[AGENT]", required=False)
@asking(agent=False)
@_counting
def report_agent(session: Session, agent: str | None, by: str | None, columns: str | None, as_csv: bool, **given: Any) -> None:
    """What agents did: how long they were there, calls, talk, results, offers missed.

    Calls, talk and results are what calls prove, of the campaigns asked for. How long an agent's campaign screen was open, how long he was ready or in wrap-up
    and how many offers he missed is what the daemon saw, in all of his campaigns together, by full hours.
    """
    _report(session, "agent", "agent", by, columns, as_csv, PEOPLE, Wishes(agent=agent, **given))


@command(
    "caller-id",
    examples=("fs-dialer report caller-id", "fs-dialer report caller-id --campaign spring --by hour --csv"),
    exits=EXITS,
)
@click.argument("caller_id", metavar="[NUMBER]", required=False)
@asking(caller_id=False)
@_counting
def report_caller_id(session: Session, caller_id: str | None, by: str | None, columns: str | None, as_csv: bool, **given: Any) -> None:
    """How calls fared by the number that was shown: a caller id that people or networks refuse is seen here."""
    _report(session, "caller-id", "caller_id", by, columns, as_csv, WAYS, Wishes(caller_id=caller_id, **given))


@command(
    "gateway",
    examples=("fs-dialer report gateway", "fs-dialer report gateway north --by cause"),
    exits=EXITS,
)
@click.argument("gateway", metavar="[NAME]", required=False)
@asking(gateway=False)
@_counting
def report_gateway(session: Session, gateway: str | None, by: str | None, columns: str | None, as_csv: bool, **given: Any) -> None:
    """How calls fared by the trunk that carried them. `--by cause` says what the network answered."""
    _report(session, "gateway", "gateway", by, columns, as_csv, WAYS, Wishes(gateway=gateway, **given))


@command(
    "hour",
    examples=("fs-dialer report hour --campaign spring", "fs-dialer report hour --day yesterday --csv"),
    exits=EXITS,
)
@asking()
@_counting
def report_hour(session: Session, by: str | None, columns: str | None, as_csv: bool, **given: Any) -> None:
    """How calls fared by the hour, on the clock of the campaign's zone. A day on which clocks change has 23 or 25 hours."""
    _report(session, "hour", "hour", by, columns, as_csv, CALLS, Wishes(**given))


# --- what they share ------------------------------------------------------------------------------------------------------------------


def _report(session: Session, name: str, first: str, by: str | None, columns: str | None, as_csv: bool, default: Sequence[str], wishes: Wishes) -> None:
    dimensions = _dimensions(first, by)
    with session.office() as office:
        which, zones = asked(office, wishes)
        _check(session, dimensions, columns, hours_of(which), as_csv)
        report = make(office, name, which, zones, dimensions, wishes.now)
        if first == "agent":
            report = with_hours(office, report)
        note = "" if report.total.dialed else note_if_unknown(office, which)
    _note(session, note)
    if as_csv:
        _csv(report, columns)
        return
    session.result(report.to_json())
    if session.as_json:
        return
    session.say(_title(report), "", *_told(report))
    if report.lines:
        session.say("")
        _table(session, report, columns, HOURS if report.spent else default)


def _dimensions(first: str, by: str | None) -> tuple[str, ...]:
    """What rows are by: the report's own, then those of --by."""
    found = [first]
    for word in (by or "").split(","):
        name = word.strip().replace("-", "_")
        if name and name not in DIMENSIONS:
            guess = nearest(name, DIMENSIONS)
            better = f"; nearest: {guess.replace('_', '-')}" if guess else f": one of {DIMENSION_WORDS}"
            raise click.BadParameter(f"there is no `{clean(word.strip())}` to count by{better}", param_hint="--by")
        if name and name not in found:
            found.append(name)
    if sum(name in TIMES for name in found) > 1:
        raise click.BadParameter("hours or days, not both", param_hint="--by")
    if sum(name in COLUMNS for name in found) > 2:
        raise click.BadParameter("that is too fine: at most two besides campaign, hour or day", param_hint="--by")
    return tuple(found)


def _check(session: Session, dimensions: Sequence[str], columns: str | None, hours: float, as_csv: bool) -> None:
    tables.chosen(columns, (), tables.SPENT if "agent" in dimensions else ())
    if as_csv and session.as_json:
        raise click.UsageError("--csv or --json, not both")
    if "hour" in dimensions and hours > MOST_HOURS:
        raise click.UsageError(f"that is {hours:,.0f} hours; by the hour at most a year. Count by day: --by day")


def _note(session: Session, note: str) -> None:
    if note:
        session.note(f"fs-dialer: {note}")


def _title(report: Report) -> str:
    """spring  Fri 20 Nov 2026, Asia/Ho_Chi_Minh"""
    only = report.asked
    names = list(report.zones)
    of = clean(names[0]) if len(names) == 1 else f"{len(names)} campaigns"
    of += "".join(f", {word} {clean(what)}" for word, what in (("agent", only.agent), ("caller id", only.caller_id), ("gateway", only.gateway)) if what)
    spans = {span_words(span, report.zones[name]) for name, span in only.spans.items()}
    zones = sorted(set(report.zones.values()))
    when = next(iter(spans)) if len(spans) == 1 else "today" if spans else "no campaign is defined yet"
    return f"{of}  {when}" + (f", {zones[0]}" if len(zones) == 1 else ", in each campaign's zone" if zones else "")


def _told(report: Report) -> list[str]:
    """The sentences, broken to the terminal's width between their parts."""
    lines = tables.sentences(report.total)
    width = terminal_width(sys.stdout)
    if width is None:
        return lines
    indent = " " * (lines[0].find(" = ") + 3 if " = " in lines[0] else 0)
    return [part for line in lines for part in wrap(line, max(width, 40), subsequent_indent=indent, drop_whitespace=True, break_long_words=False)]


def _windows(session: Session, report: Report) -> None:
    """today, 24 h and 30 days below one another."""
    rows: list[tuple[str, ...]] = []
    for found in report.missed.values():
        for name, count in (("today", found.today), ("last 24 hours", found.last_24_h), ("last 30 days", found.last_30_days)):
            low, high = count.interval
            between = f"{low * 100:.1f}-{percent(high)}" if count.person else "-"
            rows.append((name, f"{count.missed:,}", f"{count.person:,}", percent(count.rate) if count.person else "-", between, f"{count.early_hangup:,}"))
    if rows:
        session.say("")
        header = ("MISSED", "MISSED CALLS", "ANSWERED BY A PERSON", "RATE", "95% BETWEEN", "HUNG UP EARLY")
        session.table(header, rows, right=header[1:])


def _table(session: Session, report: Report, columns: str | None, default: Sequence[str]) -> None:
    names = tables.with_dispositions(tables.chosen(columns, default, tables.SPENT), report.total)
    header, rows = report.table_rows(names)
    cells: list[list[str | Cell]] = [[Cell(text, "bold") if row[0] == "total" and row is rows[-1] else text for text in row] for row in rows]
    session.table(header, cells, right=header[len(report.dimensions) :])


def _csv(report: Report, columns: str | None) -> None:
    every = EVERYTHING if report.spent is None else (*EVERYTHING, *tables.SPENT)
    names = tables.with_dispositions(tables.chosen(columns, every, tables.SPENT), report.total)
    tables.write_csv(sys.stdout, *report.csv_rows(names))
