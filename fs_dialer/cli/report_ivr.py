"""report ivr: what customers did in the flow of an autocall campaign: answers by node, where they left, messages, opt-outs (S50, S52, S63, S64).

Knows how that reads; counted it is in db/flow_reports.py. Used by `report campaign` too, for campaigns that have a flow.
"""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from fs_dialer.cli import report_tables as tables
from fs_dialer.cli.campaigns import UNREACHABLE
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import Cell, clean, masked, percent, plural
from fs_dialer.cli.report_asked import Wishes, asked, asking, iso, span_words
from fs_dialer.cli.settings import Session
from fs_dialer.core.flow import HEARD, Ivr
from fs_dialer.core.model import CampaignId

if TYPE_CHECKING:
    from fs_dialer.db.backoffice import Backoffice
    from fs_dialer.db.figures import Asked, AttemptRow
    from fs_dialer.db.flow_reports import FlowAnswer, FlowFigures

ON_SCREEN = 200
NO_ANSWER, AT_AN_END = "(no answer)", "(at an end)"
DETAIL = ("id", "opened_at", "number", "outcome", "path", "left_at")


@dataclass(frozen=True, slots=True)
class FlowReport:
    """A campaign's flow, and its figures of a span."""

    campaign: str
    ivr: Ivr | None
    figures: FlowFigures

    @property
    def answers(self) -> list[tuple[FlowAnswer, float]]:
        """Each with its share of the node's, in the order of the flow's nodes; nodes of former revisions come last."""
        order = {node.name: place for place, node in enumerate(self.ivr.nodes if self.ivr is not None else ())}
        total: dict[str, int] = {}
        for each in self.figures.answers:
            total[each.node] = total.get(each.node, 0) + each.times
        found = sorted(self.figures.answers, key=lambda each: (order.get(each.node, len(order)), each.node, -each.times, each.answer))
        return [(each, each.times / total[each.node]) for each in found]

    def to_json(self) -> dict[str, Any]:
        f = self.figures
        return {
            "flow": self.ivr.name if self.ivr is not None else None,
            "persons": f.persons,
            "machines": f.machines,
            "met_agent": f.met_agent,
            "messages": f.messages,
            "opted_out": f.opted_out,
            "ended_well": f.ended_well,
            "answers": [
                {
                    "node": each.node,
                    "do": each.do,
                    "name": each.name,
                    "answer": each.answer,
                    "times": each.times,
                    "share": share,
                    "calls": each.calls,
                    "recorded_s": each.recorded_s,
                }
                for each, share in self.answers
            ],
            "left": [{"node": node, "persons": count, "met_agent": met} for node, count, met in f.left],
        }


@command(
    "ivr",
    examples=("fs-dialer report ivr dues-reminder", "fs-dialer report ivr dues-reminder --day yesterday --detail --csv > paths.csv"),
    exits=UNREACHABLE | {Exit.FAILED: "there is no such campaign or agent, or it has no flow"},
)
@click.argument("campaign", metavar="CAMPAIGN")
@asking(campaign=False)
@click.option("--detail", is_flag=True, help="Each call with its way through the flow.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help=f"With --detail: at most so many calls. Left out: {ON_SCREEN} as a table, else all.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV on stdout.")
def report_ivr(session: Session, campaign: str, detail: bool, limit: int | None, as_csv: bool, **given: Any) -> None:
    """What customers answered at each step of a campaign's IVR flow, and where they left it.

    Digits that were entered and messages are counted here and shown with --detail only. Answering machines are counted apart. Numbers are masked on the screen.
    """
    if as_csv and session.as_json:
        raise click.UsageError("--csv or --json, not both")
    wishes = Wishes(campaigns=(campaign,), **given)
    with session.office() as office:
        which, zones = asked(office, wishes)
        report = flow_report(office, campaign, which)
        if report.ivr is None and not report.figures.answers and not report.figures.left:
            raise CommandFailed(f"{clean(campaign)} has no IVR flow", "campaigns of the type autocall have one: fs-dialer campaign list")
        if detail:
            _detail(session, office, which, zones[campaign], limit, as_csv)
            return
    if as_csv:
        _write_csv(report)
        return
    span = which.spans[campaign]
    session.result({"campaign": campaign, "zone": zones[campaign], "since": span.since, "until": span.until, **report.to_json()})
    flow = f", flow {report.ivr.name}" if report.ivr is not None else ""
    session.say(f"{clean(campaign)}{flow}  {span_words(span, zones[campaign])}, {zones[campaign]}", "")
    shown(session, report)


def flow_report(office: Backoffice, campaign: str, which: Asked) -> FlowReport:
    """Of one campaign among those asked for."""
    ivr = office.flow_of(CampaignId(campaign))
    return FlowReport(campaign, ivr, office.flow_figures(CampaignId(campaign), which.spans[campaign], ivr, which.only()))


def shown(session: Session, report: FlowReport) -> None:
    """Sentence and tables, for people."""
    f = report.figures
    if not f.persons and not f.machines:
        session.say("Nobody has answered yet.")
        return
    parts = [("came to a good end", f.ended_well), ("met an agent", f.met_agent), ("left a message", f.messages), ("asked not to be called", f.opted_out)]
    told = ", ".join(f"{count:,} {words}" for words, count in parts if count)
    machines = f"   {plural(f.machines, 'answering machine')} besides" if f.machines else ""
    session.say(f"{plural(f.persons, 'person')} answered" + (f": {told}" if told else "") + machines)
    heard = [(each, share) for each, share in report.answers if each.do in HEARD]
    if heard:
        session.say("")
        rows: list[tuple[str | Cell, ...]] = []
        last = ""
        for each, share in heard:
            seconds = f"{each.recorded_s / each.times:.0f} s each" if each.recorded_s and each.times else ""
            node = "" if each.node == last else each.node
            rows.append((node, "" if each.node == last else each.do, each.answer or NO_ANSWER, f"{each.times:,}", percent(share), seconds))
            last = each.node
        session.table(("NODE", "DOES", "ANSWER", "TIMES", "SHARE", "RECORDED"), rows, right="TIMES SHARE RECORDED")
    if f.left:
        session.say("")
        total = sum(count for _, count, _ in f.left)
        rows = [(node or AT_AN_END, f"{count:,}", percent(count / total), f"{met:,}" if met else "-") for node, count, met in f.left]
        session.table(("LEFT AT", "PERSONS", "SHARE", "MET AN AGENT"), rows, right=("PERSONS", "SHARE", "MET AN AGENT"))


# --- call by call -------------------------------------------------------------------------------------------------------------------------


def _detail(session: Session, office: Backoffice, which: Asked, zone: str, limit: int | None, as_csv: bool) -> None:
    with closing(office.attempts(which)) as rows:
        met = (row for row in rows if row.steps or row.left_at)
        if as_csv:
            tables.write_csv(sys.stdout, DETAIL, ([row.id, iso(row.opened_at, zone), *_words(row)] for row in islice(met, limit)))
            return
        found = list(islice(met, None if session.as_json and limit is None else limit or ON_SCREEN))
        more = next(met, None) is not None
    session.result(
        {
            "calls": [
                {
                    "id": row.id,
                    "opened_at": row.opened_at,
                    "number": row.number,
                    "outcome": row.outcome,
                    "path": row.path,
                    "left_at": row.left_at,
                    "steps": [dict(zip(("node", "do", "name", "value"), step, strict=True)) for step in row.steps],
                }
                for row in found
            ],
            "more": more,
        }
    )
    if not found:
        session.say("No call has been through the flow.")
        return
    cells = [
        (
            iso(row.opened_at, zone)[:19].replace("T", " "),
            masked(row.number),
            (row.outcome or "still up").replace("_", " "),
            row.path or "-",
            row.left_at or AT_AN_END,
        )
        for row in found
    ]
    session.table(("OPENED AT", "NUMBER", "OUTCOME", "PATH", "LEFT AT"), cells)
    if more:
        session.note(f"The first {len(found):,} calls; there are more. --limit N shows more of them, --csv writes all.")


def _words(row: AttemptRow) -> list[str]:
    return [row.number, row.outcome or "", row.path, row.left_at]


def _write_csv(report: FlowReport) -> None:
    header = ("node", "do", "name", "answer", "times", "share", "calls", "recorded_s")
    rows: list[list[tables.Value]] = [[e.node, e.do, e.name, e.answer, e.times, round(share, 6), e.calls, e.recorded_s] for e, share in report.answers]
    tables.write_csv(sys.stdout, header, rows)
