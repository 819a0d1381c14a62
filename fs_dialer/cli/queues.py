"""queue list, show, report: queues of inbound callers: who waits now, and what became of a day's callers (S71–S78, S89).

Knows how that reads. Who waits now is the daemon's word (core/snapshot.py); what became of callers is counted in db/flow_reports.py. Lists show telephone
numbers masked.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from fs_dialer.cli import report_tables as tables
from fs_dialer.cli.campaigns import UNREACHABLE
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import Cell, ago, clean, masked, moment, percent
from fs_dialer.cli.report_asked import Wishes, span_of, span_words
from fs_dialer.cli.settings import Session, nearest_name
from fs_dialer.cli.snapshots import last_written
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.core.spans import Span

if TYPE_CHECKING:
    from fs_dialer.db.backoffice import Backoffice
    from fs_dialer.db.flow_reports import CallerLine, QueueFigures

LAST_CALLERS = 20
ENDS = {
    "served": "served",
    "callback": "asked for a callback",
    "voicemail": "left a message",
    "overflow": "put through elsewhere",
    "missed": "waited too long",
    "hung_up": "hung up",
    "released": "let go by the switch",
    "lost": "lost",
}
LEFT = {**{why: words for why, words in ENDS.items() if why != "missed"}, "max_wait": ENDS["missed"]}
NONE_DEFINED = "No queue is defined. Define one below `queues:` in a file, then: fs-dialer apply PATH"


@command("list", examples=("fs-dialer queue list", "fs-dialer queue list --json"), exits=UNREACHABLE)
def queue_list(session: Session) -> None:
    """Every queue: who waits and talks now, today's callers, and the tickets that are open.

    Who waits now is what the running daemon says; without one it is unknown. Today is a day in the zone of the campaigns, or UTC where they have several.
    """
    with session.office() as office:
        zone = _zone(office, None)
        found, figures, now = office.queue_list(), office.queue_figures(span_of(Wishes(), zone)), _now_in(office)
    lines = [_listed(queue, figures.get(queue.name), now.get(queue.name)) for queue in found]
    session.result({"zone": zone, "queues": lines})
    if not lines:
        session.say(NONE_DEFINED)
        return
    rows = [
        (
            each["queue"],
            _count(each["waiting"]),
            _count(each["talking"]),
            *(f"{each['today'][name]:,}" for name in ("came", "served", "callback", "missed")),
            "-" if each["today"]["service_level"] is None else percent(each["today"]["service_level"]),
            Cell(f"{each['today']['open']:,}", "yellow" if each["today"]["open"] else ""),
            each["title"],
        )
        for each in lines
    ]
    header = ("QUEUE", "WAITING", "TALKING", "CAME", "SERVED", "CALLBACK", "MISSED", "IN 20 S", "TICKETS", "TITLE")
    session.table(header, rows, right=header[1:-1])


@command(
    "show",
    examples=("fs-dialer queue show support", "fs-dialer queue show support --full --json"),
    exits=UNREACHABLE | {Exit.FAILED: "there is no such queue"},
)
@click.argument("name", metavar="NAME")
@click.option("--zone", metavar="ZONE", help="On whose clock. Left out: the campaigns' zone, or UTC where they have several.")
@click.option("--full", is_flag=True, help="Show telephone numbers in full.")
def queue_show(session: Session, name: str, zone: str | None, full: bool) -> None:
    """One queue: its terms, who waits now, and the last callers of today."""
    with session.office() as office:
        queue = _found(office, name)
        zone = _zone(office, zone)
        span = span_of(Wishes(), zone)
        callers, figures, now = office.queue_callers(name, span, LAST_CALLERS), office.queue_figures(span, name).get(name), _now_in(office).get(name)
    line = _listed(queue, figures, now) if queue is not None else {"queue": name, "title": ""}
    session.result({**line, "zone": zone, "callers": callers})
    session.say(f"queue {name}" + (f": {clean(queue.title)}" if queue is not None and queue.title else ""))
    if queue is None:
        session.say("  not defined any more")
    else:
        session.say(*(f"  {word:<10}  {clean(text)}" for word, text in _terms(queue)))
    session.say(f"  {'now':<10}  " + (f"{now['waiting']} waiting, {now['talking']} talking" if now is not None else "unknown: no daemon is running"))
    if callers:
        session.say("")
        rows = [_caller(caller, zone, full) for caller in callers]
        session.table(("CAME", "NUMBER", "WAITED", "TALKED", "AGENT", "WHAT BECAME OF HIM", "TICKET"), rows, right="WAITED TALKED TICKET")


@command(
    "report",
    examples=("fs-dialer queue report support", "fs-dialer queue report support --day 2026-11-20 --zone Asia/Ho_Chi_Minh --csv"),
    exits=UNREACHABLE | {Exit.FAILED: "there is no such queue"},
)
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--day", metavar="DAY", help="2026-11-20, `today` or `yesterday`. Left out: today.")
@click.option("--from", "since", metavar="TIME", help="From then on: `2026-11-20 8:00`, 2026-11-20, or 8:00 today.")
@click.option("--until", metavar="TIME", help="Until then; a day is meant with its end. Left out: the end of today.")
@click.option("--zone", metavar="ZONE", help="On whose clock. Left out: the campaigns' zone, or UTC where they have several.")
@click.option("--csv", "as_csv", is_flag=True, help="A row for each queue, as CSV on stdout.")
def queue_report(session: Session, name: str | None, day: str | None, since: str | None, until: str | None, zone: str | None, as_csv: bool) -> None:
    """What became of the callers who came in a span: served, called back, missed, hung up, left a message; their waits, and the tickets.

    The service level is the share of all callers who were served within 20 seconds. Waits are those of the served. Without NAME all queues are shown.
    """
    if as_csv and session.as_json:
        raise click.UsageError("--csv or --json, not both")
    from fs_dialer.db.flow_reports import QueueFigures

    wishes = Wishes(day=day, since=since, until=until)
    with session.office() as office:
        if name is not None:
            _found(office, name)
        zone = _zone(office, zone)
        span = span_of(wishes, zone)
        counted = office.queue_figures(span, name)
        names = [name] if name is not None else sorted({*counted, *(queue.name for queue in office.queue_list())})
    found = [counted.get(each) or QueueFigures(each) for each in names]
    if as_csv:
        columns = list(QueueFigures("").to_json())
        tables.write_csv(sys.stdout, columns, ([each.to_json()[column] for column in columns] for each in found))
        return
    session.result({"zone": zone, "since": span.since, "until": span.until, "queues": [each.to_json() for each in found]})
    session.say(f"{clean(name) if name else 'all queues'}  {span_words(span, zone)}, {zone}", "")
    if not found:
        session.say(NONE_DEFINED)
    elif name is not None:
        session.say(*_sentences(found[0]))
    else:
        header = ("QUEUE", "CAME", "SERVED", "CALLBACK", "MISSED", "HUNG UP", "VOICE MAIL", "MEAN WAIT", "90% UNDER", "IN 20 S", "OPEN TICKETS")
        session.table(header, [_row(each) for each in found], right=header[1:])


# --- words --------------------------------------------------------------------------------------------------------------------------------


def _sentences(f: QueueFigures) -> list[str]:
    """came 412 = served 371 + …; waits; tickets."""
    parts = [f"{words} {getattr(f, name):,}" for name, words in ENDS.items() if getattr(f, name)]
    lines = [f"came    {f.came:,}" + (f" = {' + '.join(parts)}" if parts else "")]
    if f.served:
        level = f"{f.within:,} of {f.came:,} served within 20 s = {percent(f.service_level or 0.0)}"
        lines.append(f"waits   {level}    mean {ago(f.wait_s)}, 90% under {ago(f.wait_p90_s)}, longest of all {ago(f.longest_wait_s)}")
        lines.append(f"talk    {ago(f.talked_s)} in all, {ago(f.talked_s / f.served)} each")
    settled = [
        f"{count:,} {words}" for count, words in ((f.called_back, "called back"), (f.served_otherwise, "served otherwise"), (f.expired, "too old")) if count
    ]
    kinds = ((f.open_callback, "to call back"), (f.open_missed, "missed"), (f.open_voicemail, "voice mail"))
    waiting = [f"{count:,} {words}" for count, words in kinds if count]
    tickets = f"tickets {f.open:,} open" + (f" ({', '.join(waiting)})" if waiting else "")
    lines.append(tickets + (f"    of the requests: {', '.join(settled)}" if settled else ""))
    return lines


def _row(f: QueueFigures) -> tuple[str, ...]:
    waits = (ago(f.wait_s), ago(f.wait_p90_s)) if f.served else ("-", "-")
    level = "-" if f.service_level is None else percent(f.service_level)
    return (f.queue, *(f"{count:,}" for count in (f.came, f.served, f.callback, f.missed, f.hung_up, f.voicemail)), *waits, level, f"{f.open:,}")


def _terms(queue: QueueDefinition) -> list[tuple[str, str]]:
    """What callers meet, in words."""
    crew = [*queue.agents.people, *(f"team {team}" for team in queue.agents.teams)]
    then = {"hang_up": "let go", "voicemail": "asked for a message", "number": f"put through to {queue.overflow.number}"}[queue.overflow.do]
    key = queue.callback
    return [
        ("numbers", ", ".join(queue.numbers) or "your own dialplan sends callers"),
        ("agents", ", ".join(crew) or "nobody"),
        ("waits", f"{ago(queue.max_wait_s)} at most, then {then}"),
        ("callback", f"key {key.key} after {ago(key.after_s)}, called back within {ago(key.expires_s)}" if key is not None else "no key"),
        ("tickets", "every caller who met nobody" if queue.ticket_for_missed else "callbacks and messages only"),
    ]


def _caller(caller: CallerLine, zone: str, full: bool) -> tuple[str | Cell, ...]:
    number = (caller.number if full else masked(caller.number)) or "withheld"
    ended = LEFT.get(caller.why, "talks now" if caller.left_at is None else caller.why)
    return (
        *(moment(caller.came_at, zone), number, ago(caller.waited_s), ago(caller.talked_s) if caller.served_at is not None else "-", caller.agent or "-"),
        Cell(ended, "red" if caller.missed else ""),
        str(caller.ticket) if caller.ticket is not None else "-",
    )


def _count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


# --- asked --------------------------------------------------------------------------------------------------------------------------------


def _listed(queue: QueueDefinition, figures: QueueFigures | None, now: Mapping[str, Any] | None) -> dict[str, Any]:
    from fs_dialer.db.flow_reports import QueueFigures

    return {
        "queue": queue.name,
        "title": queue.title,
        "waiting": None if now is None else now["waiting"],
        "talking": None if now is None else now["talking"],
        "today": (figures or QueueFigures(queue.name)).to_json(),
    }


def _found(office: Backoffice, name: str) -> QueueDefinition | None:
    """The queue as it is defined; None for one that is no more and had callers. CommandFailed for a name that none ever had."""
    known = {queue.name: queue for queue in office.queue_list()}
    if name not in known and not office.queue_figures(Span(0.0, time.time() + 1), name):
        raise CommandFailed(f"there is no queue {clean(name)}{nearest_name(name, list(known))}", "which there are: fs-dialer queue list")
    return known.get(name)


def _now_in(office: Backoffice) -> dict[str, Mapping[str, Any]]:
    """Queues as the running daemon sees them; none where no daemon runs."""
    told = last_written(office)
    return {} if told is None else {each["name"]: each for each in told.snapshot.get("queues") or ()}


def _zone(office: Backoffice, wanted: str | None) -> str:
    from fs_dialer.config.values import BadValue
    from fs_dialer.config.values import zone as read_zone

    if wanted is not None:
        try:
            return read_zone(wanted)
        except BadValue as error:
            raise click.BadParameter(str(error), param_hint="--zone") from None
    zones = set(office.campaign_zones().values())
    return zones.pop() if len(zones) == 1 else "UTC"
