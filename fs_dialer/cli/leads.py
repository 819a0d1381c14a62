"""lead list, lead show, lead import: the leads of campaigns. The import itself is lead_import.py's.

Lists show telephone numbers masked, for they end up on shared screens; one lead is shown in full, and so is JSON, which is for programs.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fs_dialer.cli.campaigns import UNREACHABLE, found
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.lead_import import Order, import_file
from fs_dialer.cli.output import Cell, ago, clean, masked, moment
from fs_dialer.cli.settings import Session, no_campaign
from fs_dialer.config.phone_numbers import BadNumber, parse_number
from fs_dialer.core.model import CampaignId, LeadId, LeadStatus
from fs_dialer.errors import ConfigError, Problem

if TYPE_CHECKING:
    from fs_dialer.db.backoffice import Backoffice
    from fs_dialer.db.shapes import AttemptLine, LeadHistory, LeadLine

MOST_CAMPAIGNS = 1000  # one number may be a lead of that many


# --- import ---------------------------------------------------------------------------------------------------------------------------


@command(
    "import",
    examples=(
        "fs-dialer lead import spring.csv --campaign spring --dry-run",
        "fs-dialer lead import export.csv --campaign spring --map phone=Handy --map name=Kunde --region DE",
    ),
    exits={
        Exit.DONE: "the good rows are loaded; refused ones, if any, are in FILE.refused.csv",
        Exit.REFUSED: "the whole file was refused; nothing was loaded",
        Exit.UNREACHABLE: "the database was not reachable; nothing was loaded",
    },
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--campaign", required=True, metavar="NAME", help="The campaign they join.")
@click.option("--map", "mapping", multiple=True, metavar="OURS=THEIRS", help="Which column holds what: phone=…, name=…, zone=…; may be said several times.")
@click.option("--region", default="", metavar="XX", help="Country of numbers without a country code, as in VN or US. Left out: the installation's.")
@click.option("--dry-run", is_flag=True, help="Count what would happen, and write nothing.")
@click.option("--progress", type=click.Choice(["auto", "plain", "none"]), default="auto", show_default=True, help="How to tell how far it is.")
def lead_import(session: Session, file: Path, campaign: str, mapping: tuple[str, ...], region: str, dry_run: bool, progress: str) -> None:
    """Add the rows of a CSV file to a campaign.

    The first row names the columns. `phone` is needed; `name` and `zone` (Area/City, where the number's own zone is not meant) are known, every other
    column is kept for the agents to read. Comma, semicolon and tab are told apart, and so are UTF-8 and UTF-16.

    All good rows are loaded in one transaction. Rows that can not be dialled are written beside FILE, as FILE.refused.csv: your own rows and a last column
    `problem`; mend them there and import that file alone. A number that is in the campaign already is left as it is.
    """
    order = Order(file, campaign, dict(map(_mapped, mapping)), region, dry_run, progress)
    with session.office() as office:
        if office.campaign_show(CampaignId(campaign)) is None:
            raise no_campaign(campaign, [each.name for each in office.campaign_list()])
    with session.definitions() as store:
        installed = store.installation().region
    code = import_file(session, order, region or installed)
    if code:
        raise click.exceptions.Exit(code)


def _mapped(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not (ours and equals and theirs):
        raise click.UsageError(f"--map {text}: write it as in --map phone=Handy")
    return ours.strip(), theirs


# --- list -----------------------------------------------------------------------------------------------------------------------------


@command(
    "list",
    examples=("fs-dialer lead list --campaign spring --status retry", "fs-dialer lead list --number +442079460101 --json"),
    exits=UNREACHABLE,
)
@click.option("--campaign", metavar="NAME", help="Of this campaign only.")
@click.option("--status", type=click.Choice([status.value for status in LeadStatus]), help="Of this status only.")
@click.option("--number", metavar="NUMBER", help="With this telephone number only.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many at most.")
@click.option("--after", type=click.IntRange(0), default=0, metavar="ID", help="Go on behind this lead: the last of the page before.")
@click.option("--full", is_flag=True, help="Show telephone numbers in full.")
def lead_list(session: Session, campaign: str | None, status: str | None, number: str | None, limit: int, after: int, full: bool) -> None:
    """Leads in the order in which they joined, with what comes next for each.

    Telephone numbers are masked on the screen; `fs-dialer lead show ID` shows one in full.
    """
    with session.office() as office:
        if campaign is not None:
            found(office, campaign)
        wanted = _e164(session, number) if number else None
        page = office.lead_list(
            CampaignId(campaign) if campaign else None, LeadStatus(status) if status else None, limit=limit + 1, after=after, number=wanted
        )
    more, page = len(page) > limit, page[:limit]
    now = time.time()
    rows = [
        (
            str(lead.id),
            lead.campaign,
            lead.number if full else masked(lead.number),
            lead.name,
            _status(lead.status),
            str(lead.attempts),
            _next(lead, now),
        )
        for lead in page
    ]
    if rows:
        session.table(("LEAD", "CAMPAIGN", "NUMBER", "NAME", "STATUS", "ATTEMPTS", "NEXT"), rows, right="LEAD ATTEMPTS")
    else:
        session.say("No such leads.")
    if more:
        session.note(f"There are more: --after {page[-1].id}, or a higher --limit")
    session.result({"leads": page, "next_after": page[-1].id if more else None})


def _status(status: str) -> Cell:
    colours = {"succeeded": "green", "in_progress": "cyan", "blocked": "red", "invalid": "red", "error": "red"}
    return Cell(status.replace("_", " "), colours.get(status, ""))


def _next(lead: LeadLine, now: float) -> str:
    """What comes next for a lead, and what holds it."""
    if lead.status == "in_progress":
        return "being called"
    if lead.status not in ("new", "retry", "callback_scheduled"):
        return lead.held_by.replace("_", " ") or "-"
    held = f" ({lead.held_by.replace('_', ' ')})" if lead.held_by else ""
    if lead.ready_at > now:
        return f"in {ago(lead.ready_at - now)}{held}"
    return f"ready{held}" if not lead.claimed else "next to be called"


# --- show -----------------------------------------------------------------------------------------------------------------------------


@command(
    "show",
    examples=("fs-dialer lead show 4711", "fs-dialer lead show +442079460101 --campaign spring --json"),
    exits=UNREACHABLE | {Exit.FAILED: "there is no such lead"},
)
@click.argument("lead", metavar="ID|NUMBER")
@click.option("--campaign", metavar="NAME", help="With a number: the lead in this campaign only.")
def lead_show(session: Session, lead: str, campaign: str | None) -> None:
    """One lead in full, with every call made to it.

    Named by its ID (fs-dialer lead list), or by its telephone number: then it is shown for every campaign it is in. Times are on the clock of the campaign.
    """
    with session.office() as office:
        leads = _leads_meant(session, office, lead, campaign)
        zones = {name: found(office, name).zone for name in {history.lead.campaign for history in leads}}
    for place, history in enumerate(leads):
        if place:
            session.say("")
        _show(session, history, zones[history.lead.campaign])
    session.result({"leads": leads})


def _leads_meant(session: Session, office: Backoffice, text: str, campaign: str | None) -> list[LeadHistory]:
    if text.isascii() and text.isdigit() and not text.startswith("0") and len(text) <= 18:
        by_id = office.lead_show(LeadId(int(text)))
        if by_id is not None:
            return [by_id]
        if len(text) < 7:
            raise CommandFailed(f"there is no lead {text}", "leads and their ids: fs-dialer lead list")
    number = _e164(session, text)
    lines = office.lead_list(CampaignId(campaign) if campaign else None, number=number, limit=MOST_CAMPAIGNS)
    histories = [history for line in lines if (history := office.lead_show(LeadId(line.id))) is not None]
    if not histories:
        raise CommandFailed(f"no lead has the number {number}" + (f" in {clean(campaign)}" if campaign else ""), "leads: fs-dialer lead list")
    return histories


def _e164(session: Session, text: str) -> str:
    region = ""
    if not text.strip().startswith("+"):
        with session.definitions() as store:
            region = store.installation().region
    try:
        return parse_number(text, region)[0]
    except BadNumber as error:
        raise ConfigError([Problem(clean(text), 0, 0, "", str(error))]) from None


def _show(session: Session, history: LeadHistory, zone: str) -> None:
    lead = history.lead
    session.say(f"lead {lead.id} of {lead.campaign}: {lead.number}  {clean(lead.name)}".rstrip())
    lines = [("status", _status(lead.status).text), ("attempts", str(lead.attempts)), ("next", _next(lead, time.time()))]
    if lead.status in ("new", "retry", "callback_scheduled") and lead.ready_at > time.time():
        lines.append(("not before", moment(lead.ready_at, zone)))
    lines.append(("zones", ", ".join(lead.zones) or f"unknown: {zone}, the campaign's, counts"))
    lines += [(clean(name), clean(str(value))) for name, value in lead.attributes.items()]
    width = max(len(name) for name, _ in lines)
    session.say(*(f"  {name:<{width}}  {text}" for name, text in lines))
    if history.attempts:
        session.say("")
        header = ("WHEN", "OUTCOME", "CAUSE", "RANG", "TALKED", "AGENT", "CALLER ID", "TRUNK", "REVISION")
        session.table(header, [_attempt(attempt, zone) for attempt in history.attempts], right="RANG TALKED")


def _attempt(attempt: AttemptLine, zone: str) -> tuple[str | Cell, ...]:
    ended = attempt.ended_at
    rang = f"{(attempt.answered_at or ended or attempt.rang_at) - attempt.rang_at:.0f} s" if attempt.rang_at is not None else "-"
    talked = f"{ended - attempt.bridged_at:.0f} s" if attempt.bridged_at is not None and ended is not None else "-"
    cause = (attempt.cause or "-") + (f" ({attempt.sip_status})" if attempt.sip_status else "")
    outcome = Cell("missed" if attempt.missed else (attempt.outcome or "up now").replace("_", " "), "red" if attempt.missed else "")
    return (moment(attempt.opened_at, zone), outcome, cause, rang, talked, attempt.agent or "-", attempt.caller_id, attempt.gateway, f"r{attempt.revision}")
