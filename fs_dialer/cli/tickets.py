"""ticket list, ticket show, ticket close: calls and callers that somebody should look at (S15, S78).

Lists show telephone numbers masked, as those of leads do; one ticket is shown in full.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from fs_dialer.cli.campaigns import UNREACHABLE
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import Cell, ago, clean, masked, moment, plural
from fs_dialer.cli.settings import Session, who

if TYPE_CHECKING:
    from fs_dialer.db.tickets import Ticket

CHANNELS = ("call", "callback", "missed", "voicemail")
HOW = {"served": ": the customer was served otherwise", "called_back": ": called back", "expired": ": too old"}
CHANNEL_MEANING = "call: a campaign's call · callback: a caller asked to be called · missed: a caller whom nobody answered · voicemail: left a message"


@command(
    "list",
    examples=("fs-dialer ticket list --open", "fs-dialer ticket list --channel callback --campaign missed-hotline --json"),
    exits=UNREACHABLE,
)
@click.option("--open", "open_only", is_flag=True, help="Only those that nobody has closed.")
@click.option("--campaign", metavar="NAME", help="Of calls of this campaign only.")
@click.option("--number", metavar="NUMBER", help="Of this telephone number only, as +442079460101.")
@click.option("--channel", type=click.Choice(CHANNELS), help=CHANNEL_MEANING)
@click.option("--queue", metavar="NAME", help="Of callers of this queue only.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many at most.")
@click.option("--before", type=click.IntRange(1), metavar="ID", help="Go on behind this ticket: the last of the page before.")
@click.option("--full", is_flag=True, help="Show telephone numbers in full.")
def ticket_list(
    session: Session,
    open_only: bool,
    campaign: str | None,
    number: str | None,
    channel: str | None,
    queue: str | None,
    limit: int,
    before: int | None,
    full: bool,
) -> None:
    """Tickets, the newest first.

    A campaign writes one for each call where its file says `tickets: yes`; a queue for each caller who was missed or asked for a callback. LEAD is the lead
    that serves the customer: the one that was called, or the one that a trigger made or found.
    """
    from fs_dialer.db.tickets import Tickets

    with session.pool() as pool:
        found = Tickets(pool).listed(open=open_only, campaign=campaign, number=number, channel=channel, queue=queue, before=before, limit=limit + 1)
    more, page = len(found) > limit, found[:limit]
    now = time.time()
    rows = [
        (
            str(ticket.id),
            ticket.channel,
            ticket.number if full else masked(ticket.number),
            ticket.name,
            ticket.campaign or ticket.queue or "-",
            ticket.agent or "-",
            ticket.outcome.replace("_", " ") or "-",
            f"{ago(now - ticket.created_at)} ago",
            _state(ticket),
            _lead(ticket),
        )
        for ticket in page
    ]
    if rows:
        session.table(("TICKET", "CHANNEL", "NUMBER", "NAME", "FROM", "AGENT", "OUTCOME", "CAME", "STATE", "LEAD"), rows, right="TICKET")
    else:
        session.say("No such tickets.")
    if more:
        session.note(f"There are more: --before {page[-1].id}, or a higher --limit")
    session.result({"tickets": [asdict(ticket) for ticket in page], "next_before": page[-1].id if more else None})


@command("show", examples=("fs-dialer ticket show 812", "fs-dialer ticket show 812 --json"), exits=UNREACHABLE | {Exit.FAILED: "there is no such ticket"})
@click.argument("ticket", type=click.IntRange(1), metavar="ID")
def ticket_show(session: Session, ticket: int) -> None:
    """One ticket in full. Times are UTC."""
    from fs_dialer.db.tickets import Tickets

    with session.pool() as pool:
        found = Tickets(pool).ticket(ticket)
    if found is None:
        raise _no_ticket(ticket)
    lines = [
        ("channel", found.channel),
        ("number", f"{found.number}  {clean(found.name)}".rstrip()),
        ("came", moment(found.created_at, "UTC")),
        ("campaign", found.campaign or "-"),
        ("queue", clean(found.queue) or "-"),
        ("agent", found.agent or "-"),
        ("outcome", found.outcome.replace("_", " ") or "-"),
        ("attempt", found.attempt or "-"),
        ("lead", _lead(found)),
        *([("asked", moment(found.since, "UTC"))] if found.since is not None and found.channel == "callback" else []),
        *([("until", f"{moment(found.expires_at, 'UTC')}: not called back after that")] if found.expires_at is not None and found.closed_at is None else []),
        *([("message", clean(found.recording))] if found.recording else []),
        ("closed", "-" if found.closed_at is None else f"{moment(found.closed_at, 'UTC')} by {clean(found.closed_by or '')}{HOW.get(found.closed_how, '')}"),
        *(("note", clean(line)) for line in found.note.splitlines()),
    ]
    session.say(f"ticket {found.id}", *(f"  {name:<8}  {text}" for name, text in lines))
    session.result({"ticket": asdict(found)})


@command(
    "close",
    examples=("fs-dialer ticket close 812", 'fs-dialer ticket close 812 813 --note "called back by hand"'),
    exits=UNREACHABLE | {Exit.FAILED: "one of them does not exist; nothing was closed"},
)
@click.argument("tickets", type=click.IntRange(1), metavar="ID...", nargs=-1, required=True)
@click.option("--note", default="", metavar="TEXT", help="What was done; put below what is noted already.")
def ticket_close(session: Session, tickets: tuple[int, ...], note: str) -> None:
    """Close tickets: somebody has seen to them. Those that are closed already stay as they are."""
    from fs_dialer.db.tickets import Tickets

    with session.pool() as pool:
        desk = Tickets(pool)
        for id in tickets:
            if desk.ticket(id) is None:
                raise _no_ticket(id)
        closed = desk.close(tickets, who(), note)
    before = sorted(set(tickets) - set(closed))
    session.say(f"{plural(len(closed), 'ticket')} closed." + (f" {', '.join(map(str, before))} closed before." if before else ""))
    session.result({"closed": closed, "closed_before": before})


def _no_ticket(id: int) -> CommandFailed:
    return CommandFailed(f"there is no ticket {id}; nothing was changed", "which there are: fs-dialer ticket list")


def _state(ticket: Ticket) -> Cell:
    return Cell("open", "yellow") if ticket.closed_at is None else Cell(ticket.closed_how.replace("_", " ") or "closed")


def _lead(ticket: Ticket) -> str:
    if ticket.lead is None:
        return "-"
    return f"{ticket.lead} {ticket.lead_status.replace('_', ' ')}" + (f" in {ticket.lead_campaign}" if ticket.lead_campaign != ticket.campaign else "")
