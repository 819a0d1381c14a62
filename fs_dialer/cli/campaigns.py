"""approve, start, pause, end, campaign list, campaign show: a campaign's life as an operator steers and sees it.

Changes no state: a command is written into the database, and the daemon answers it. Where none does within a few seconds the command waits there, and is
carried out when a daemon starts.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from fs_dialer.cli.command import Command, command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import clean, percent, plural, state_cell
from fs_dialer.cli.settings import Session, no_campaign, who
from fs_dialer.core.hangup import ANSWERED_BY_PERSON
from fs_dialer.core.model import CampaignId, CampaignType, CommandId
from fs_dialer.modes import OFFERED

if TYPE_CHECKING:
    from fs_dialer.db.backoffice import Backoffice
    from fs_dialer.db.shapes import CampaignReport

REPLY_TIMEOUT_S = 3.0
QUEUED = "queued: no daemon is running; it is done as soon as one is (fs-dialer run)"
NOT_YET = "this version can store and check it, not dial it yet"
OPEN = ("new", "in_progress", "retry", "callback_scheduled")  # leads that may still be called
UNREACHABLE = {Exit.UNREACHABLE: "the database was not reachable"}
EXITS = {
    Exit.DONE: "done, or queued because no daemon is running",
    Exit.FAILED: "the daemon refused, or there is no such campaign",
    Exit.UNREACHABLE: "the database was not reachable; nothing was asked",
}


WHY = click.option("--why", metavar="TEXT", default="", help="Why, for the audit and for whoever wonders later.")


# --- asking the daemon ----------------------------------------------------------------------------------------------------------------


def deadline() -> float:
    """Until when an answer to what is asked now is waited for, on the monotonic clock."""
    return time.monotonic() + REPLY_TIMEOUT_S


def told(office: Backoffice, command: CommandId, until: float) -> tuple[str, str]:
    """(done | refused | queued, the words for it) of a command that was submitted."""
    answer = office.wait_reply(command, max(0.0, until - time.monotonic()))
    if answer is None:
        return "queued", QUEUED
    ok, text = answer
    return ("done" if ok else "refused"), text


def _ask(session: Session, office: Backoffice, verb: str, campaign: CampaignReport, args: dict[str, str]) -> None:
    result, text = told(office, office.submit_command(verb, campaign.name, args, who()), deadline())
    text = text.removeprefix(f"{campaign.name}: ")
    if result == "refused":
        session.note(f"fs-dialer: {campaign.name} was not changed: {text}")
    else:
        session.say(f"{campaign.name}: {text}")
        if verb == "approve" and not is_offered(campaign.type):
            session.note(f"{campaign.name}: {campaign.type} campaigns: {NOT_YET}")
    session.result({"command": verb, "campaign": campaign.name, "result": result, "text": text})
    if result == "refused":
        raise click.exceptions.Exit(Exit.FAILED)


def found(office: Backoffice, name: str) -> CampaignReport:
    """The campaign, or CommandFailed with the nearest name."""
    report = office.campaign_show(CampaignId(name))
    if report is None:
        raise no_campaign(name, [campaign.name for campaign in office.campaign_list()])
    return report


def _verb(verb: str, help: str, examples: Sequence[str], args: Callable[[CampaignReport, str], dict[str, str]]) -> Command:
    """A command that only passes the verb on."""

    def ask(session: Session, campaign: str, why: str) -> None:
        name, _, revision = campaign.partition("@")
        with session.office() as office:
            report = found(office, name)
            asked = args(report, revision)
            _ask(session, office, verb, report, asked | ({"reason": why} if why else {}))

    ask.__doc__ = help
    return command(verb, examples=examples, exits=EXITS)(click.argument("campaign")(WHY(ask)))


def _no_revision(report: CampaignReport, revision: str) -> dict[str, str]:
    if revision:
        raise CommandFailed(f"only approve takes a revision; write {report.name}", code=Exit.MISUSE)
    return {}


def _revision_asked(report: CampaignReport, revision: str) -> dict[str, str]:
    """spring@8: just that one; spring: the newest at this moment."""
    if revision and not revision.isdecimal():
        raise CommandFailed(f"`{revision}` is no revision: write {report.name}@{report.newest_revision}", code=Exit.MISUSE)
    return {"revision": revision or str(report.newest_revision)}


approve = _verb(
    "approve",
    """Approve a campaign's newest definition, so that it may be dialled by.

    A new campaign has to be approved before it can start. When its file was changed and applied, the old definition goes on until the new one is approved
    here (D5). What is approved is what is stored at this moment; a definition applied in between is not.
    """,
    ("fs-dialer approve spring@8", "fs-dialer approve spring && fs-dialer start spring"),
    _revision_asked,
)
start = _verb(
    "start",
    """Begin to dial a campaign, or go on after a pause.

    It must be approved. Started before its start time, it begins by itself when that comes.
    """,
    ("fs-dialer start spring", "fs-dialer start spring --why 'the trunk is back' --json"),
    _no_revision,
)
pause = _verb(
    "pause",
    """Stop calling for a campaign; calls that are up go on. `fs-dialer start` goes on with it.""",
    ("fs-dialer pause spring --why 'the price list is wrong'", "fs-dialer pause spring --json"),
    _no_revision,
)


@command(
    "end",
    examples=("fs-dialer end spring", "fs-dialer end spring --yes --json"),
    exits=EXITS | {Exit.MISUSE: "the command line is wrong, or calls are up and nobody is there to confirm: use --yes"},
)
@click.argument("campaign")
@click.option("--yes", is_flag=True, help="Do not ask, even with calls up.")
@WHY
def end(session: Session, campaign: str, yes: bool, why: str) -> None:
    """End a campaign for good.

    Calls that are up go on to their end, and no new ones are made. An ended campaign never starts again: to call its list once more, copy its file under
    a new name. While calls are up the campaign's name has to be typed once more.
    """
    with session.office() as office:
        report = found(office, campaign)
        calls = office.open_attempts_count(CampaignId(campaign))
        if calls and not yes:
            _confirm(session, campaign, calls)
        _ask(session, office, "end", report, {"reason": why} if why else {})


def _confirm(session: Session, campaign: str, calls: int) -> None:
    up = f"{plural(calls, 'call is', 'calls are')} up in {campaign}"
    if not sys.stdin.isatty():
        raise CommandFailed(f"{up}: say --yes to end it all the same", code=Exit.MISUSE)
    session.note(f"{up}. They go on to their end; the campaign never starts again.")
    if click.prompt("Type the campaign's name to end it", err=True, default="", show_default=False) != campaign:
        raise CommandFailed("that is not its name: nothing was changed")


# --- looking --------------------------------------------------------------------------------------------------------------------------


@command("list", examples=("fs-dialer campaign list", "fs-dialer campaign list --json"), exits=UNREACHABLE)
def campaign_list(session: Session) -> None:
    """All campaigns, as the database has them. What the daemon does with them at this moment: fs-dialer status."""
    with session.office() as office:
        reports = office.campaign_list()
    rows = [
        (
            report.name,
            report.type,
            state_cell(report.state),
            _revision(report),
            f"{sum(report.leads.values()):,}",
            f"{open_leads(report):,}",
            f"{report.attempts_today:,}",
            missed(report),
            why(report),
        )
        for report in reports
    ]
    if rows:
        header = ("CAMPAIGN", "TYPE", "STATE", "REVISION", "LEADS", "OPEN", "TODAY", "MISSED", "WHY")
        session.table(header, rows, right="LEADS OPEN TODAY MISSED")
    else:
        session.say("There is no campaign yet. Define one in a file, then: fs-dialer apply PATH")
    session.result({"campaigns": reports})


@command(
    "show",
    examples=("fs-dialer campaign show spring", "fs-dialer campaign show spring --json"),
    exits=UNREACHABLE | {Exit.FAILED: "there is no such campaign"},
)
@click.argument("campaign")
def campaign_show(session: Session, campaign: str) -> None:
    """One campaign: its state and why, its leads by status, and today's calls by outcome.

    Today is the day by the clock of the campaign's zone.
    """
    with session.office() as office:
        report = found(office, campaign)
    title = f"  {clean(report.title)}" if report.title else ""
    leads = [f"{count:,} {status.replace('_', ' ')}" for status, count in report.leads.items() if count]
    outcomes = [f"{count:,} {name.replace('_', ' ')}" for name, count in report.outcomes_today.items()]
    open_now = f", {report.open_attempts:,} still up" if report.open_attempts else ""
    session.say(f"{report.name}{title}")
    lines = (
        ("type", report.type),
        ("state", f"{report.state} ({why(report)})"),
        ("revision", _revision(report)),
        ("zone", report.zone),
        ("agents", ", ".join(report.agents) or "nobody"),
        ("leads", f"{sum(report.leads.values()):,} = {' + '.join(leads)}" if leads else f"none: fs-dialer lead import FILE --campaign {report.name}"),
        ("today", f"{plural(report.attempts_today, 'attempt')}{open_now}" + (f": {', '.join(outcomes)}" if outcomes else "")),
        ("missed", f"{missed(report)} of those answered by a person today" if report.attempts_today else "-"),
    )
    session.say(*(f"  {name:<9} {text}" for name, text in lines))
    session.result(report)


def open_leads(report: CampaignReport) -> int:
    """Leads that may still be called."""
    return sum(report.leads.get(status, 0) for status in OPEN)


def missed(report: CampaignReport) -> str:
    """Today's missed rate by D1: missed ÷ answered by a person; `-` when nobody answered."""
    answered = sum(report.outcomes_today.get(outcome.value, 0) for outcome in ANSWERED_BY_PERSON)
    return percent(report.missed_today / answered) if answered else "-"


def is_offered(type: CampaignType | str) -> bool:
    """Whether this version dials campaigns of that type, and not only stores them."""
    return CampaignType(type) in OFFERED


def why(report: CampaignReport) -> str:
    """Why the campaign is in its state, and what brings it on, as far as the database knows."""
    name, waiting = report.name, report.newest_revision - report.revision
    if report.state in ("new", "approved", "running", "paused") and not is_offered(report.type):
        return f"this version does not dial {report.type} campaigns yet"
    match report.state:
        case "new":
            return f"not approved: fs-dialer approve {name}"
        case "approved":
            reason = "begins at its start time" if report.started else f"not started: fs-dialer start {name}"
        case "running":
            reason = report.reason or ("it dials" if open_leads(report) else "no lead is left to call")
        case "paused":
            reason = f"{report.reason or 'paused'}: fs-dialer start {name}"
        case _:
            return report.reason or report.state
    return f"{reason}; r{report.newest_revision} waits: fs-dialer approve {name}" if waiting > 0 else reason


def _revision(report: CampaignReport) -> str:
    return f"r{report.revision}" + (f", r{report.newest_revision} waits" if report.newest_revision > report.revision else "")
