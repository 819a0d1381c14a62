"""lead list, show, timeline: leads as they stand, each call made to one (M18), and all that happened with a person (M21).

Lists show telephone numbers masked, for they end up on shared screens; one lead is shown in full, and so is JSON, which is for programs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from fs_dialer.cli.asked import TEXT, condition, e164
from fs_dialer.cli.campaigns import UNREACHABLE, found
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import Cell, ago, clean, masked, moment
from fs_dialer.cli.settings import Session
from fs_dialer.core.leads import ORDER
from fs_dialer.core.model import LeadStatus

if TYPE_CHECKING:
    from fs_dialer.db.backoffice import Backoffice
    from fs_dialer.db.lead_desk import CallView, Entry, LeadStory, LeadView

MOST_CAMPAIGNS = 1000  # one number may be a lead of that many
CLOSED = {"served": ": served otherwise", "called_back": ": called back", "expired": ": too old"}
OPEN = ("new", "retry", "callback_scheduled")
COLOURS = {"succeeded": "green", "in_progress": "cyan", "blocked": "red", "invalid": "red", "error": "red"}


# --- list -----------------------------------------------------------------------------------------------------------------------------


@command(
    "list",
    examples=("fs-dialer lead list --campaign spring --status retry", "fs-dialer lead list --campaign spring --filter 'tier = gold' --held-by hours --json"),
    exits=UNREACHABLE | {Exit.REFUSED: "the number is none, or the filter makes no sense"},
)
@click.option("--campaign", type=TEXT, metavar="NAME", help="Of this campaign only.")
@click.option("--status", type=click.Choice([status.value for status in LeadStatus]), help="Of this status only.")
@click.option("--held-by", type=click.Choice(ORDER), metavar="GATE", help="Only those that this gate refused last: hours, do_not_call, gap …")
@click.option("--agent", type=TEXT, metavar="AGENT", help="Only those whose callback this agent promised.")
@click.option("--number", type=TEXT, metavar="NUMBER", help="Of the people who have this telephone number, first or further.")
@click.option("--filter", "where", type=TEXT, metavar="FILTER", help="Only contacts who meet this condition, or this saved filter.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many at most.")
@click.option("--after", type=click.IntRange(0), default=0, metavar="ID", help="Go on behind this lead: the last of the page before.")
@click.option("--full", is_flag=True, help="Show telephone numbers in full.")
def lead_list(
    session: Session,
    campaign: str | None,
    status: str | None,
    held_by: str | None,
    agent: str | None,
    number: str | None,
    where: str | None,
    limit: int,
    after: int,
    full: bool,
) -> None:
    """Leads in the order in which they joined, with what comes next for each.

    Telephone numbers are masked on the screen; `fs-dialer lead show ID` shows one in full, `fs-dialer explain lead` says why it is not called now.
    """
    with session.office() as office:
        from fs_dialer.db.lead_desk import Wanted

        zone = found(office, campaign).zone if campaign is not None else "UTC"
        filter = condition(office, where) if where else None
        wanted = Wanted(campaign, status, held_by, agent, e164(session, number) if number else None, filter, zone)
        page = office.lead_page(wanted, limit + 1, after)
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
    return Cell(status.replace("_", " "), COLOURS.get(status, ""))


def _next(lead: LeadView, now: float) -> str:
    """What comes next for a lead, and what holds it."""
    if lead.status == "in_progress":
        return "being called"
    if lead.status == "refused":
        return f"left alone for {ago(lead.ready_at - now)}" if lead.ready_at > now else "left alone until now"
    if lead.status not in OPEN:
        return lead.held_by.replace("_", " ") or "-"
    held = f" ({lead.held_by.replace('_', ' ')})" if lead.held_by else ""
    by = f" by {lead.agent}" if lead.agent else ""
    if lead.ready_at > now:
        return f"in {ago(lead.ready_at - now)}{by}{held}"
    return f"ready{by}{held}" if not lead.claimed else "next to be called"


# --- show -----------------------------------------------------------------------------------------------------------------------------


@command(
    "show",
    examples=("fs-dialer lead show 4711", "fs-dialer lead show +442079460101 --campaign spring --json"),
    exits=UNREACHABLE | {Exit.FAILED: "there is no such lead"},
)
@click.argument("lead", type=TEXT, metavar="ID|NUMBER")
@click.option("--campaign", type=TEXT, metavar="NAME", help="With a number: the lead in this campaign only.")
def lead_show(session: Session, lead: str, campaign: str | None) -> None:
    """One lead in full, with every call made to it: when, how it ended, who had it, its result, and what became of the lead.

    Named by its ID (fs-dialer lead list), or by its telephone number: then it is shown for every campaign it is in. Times are on the clock of the campaign.
    """
    with session.office() as office:
        stories = meant(session, office, lead, campaign)
        zones = {name: found(office, name).zone for name in {story.lead.campaign for story in stories}}
    for place, story in enumerate(stories):
        if place:
            session.say("")
        _show(session, story, zones[story.lead.campaign])
    session.result({"leads": stories})


def meant(session: Session, office: Backoffice, text: str, campaign: str | None = None) -> list[LeadStory]:
    """The leads that an ID or a number stands for, at least one. CommandFailed, ConfigError."""
    from fs_dialer.db.lead_desk import Wanted

    if (by_id := _by_id(office, text)) is not None:
        return [by_id]
    if campaign is not None:
        found(office, campaign)
    number = e164(session, text)
    page = office.lead_page(Wanted(campaign=campaign, number=number), limit=MOST_CAMPAIGNS)
    stories = [story for lead in page if (story := office.lead_story(lead.id)) is not None]
    if not stories:
        raise CommandFailed(f"no lead has the number {number}" + (f" in {clean(campaign)}" if campaign else ""), "leads: fs-dialer lead list")
    return stories


def _by_id(office: Backoffice, text: str) -> LeadStory | None:
    """The lead of this id; None for what must be a number. CommandFailed for what is too short to be one."""
    if not (text.isascii() and text.isdigit() and not text.startswith("0") and len(text) <= 18):
        return None
    story = office.lead_story(int(text))
    if story is None and len(text) < 7:
        raise CommandFailed(f"there is no lead {text}", "leads and their ids: fs-dialer lead list")
    return story


def _show(session: Session, story: LeadStory, zone: str) -> None:
    lead = story.lead
    session.say(f"lead {lead.id} of {lead.campaign}: {lead.number}  {clean(lead.name)}".rstrip())
    lines = [("status", _status(lead.status).text + (f", before: {lead.status_before.replace('_', ' ')}" if lead.status_before else ""))]
    lines += [("attempts", str(lead.attempts)), ("next", _next(lead, time.time()))]
    if lead.status in OPEN and lead.ready_at > time.time():
        lines.append(("not before", moment(lead.ready_at, zone)))
    lines.append(("last call", _last(lead, zone)))
    lines.append(("zones", ", ".join(lead.zones) or f"unknown: {zone}, the campaign's, counts"))
    lines += [("then", ", ".join(lead.other_numbers))] if lead.other_numbers else []
    lines += [("owner", lead.owner)] if lead.owner else []
    lines += [(clean(name), clean(str(value))) for name, value in {**lead.attributes, **lead.parameters}.items()]
    width = max(len(name) for name, _ in lines)
    session.say(*(f"  {name:<{width}}  {text}" for name, text in lines))
    if story.attempts:
        session.say("")
        header = ("WHEN", "OUTCOME", "RESULT", "CAUSE", "RANG", "TALKED", "AGENT", "CALLER ID", "TRUNK", "REVISION", "WHAT BECAME OF IT")
        session.table(header, [_attempt(attempt, zone) for attempt in story.attempts], right="RANG TALKED")


def _last(lead: LeadView, zone: str) -> str:
    """M18: whether the call took place, who had it, its result."""
    if lead.last_outcome is None or lead.last_at is None:
        return "none"
    result = f", {lead.last_disposition}" if lead.last_disposition else ""
    return f"{moment(lead.last_at, zone)}: {lead.last_outcome.replace('_', ' ')}{result}" + (f", {lead.last_agent}" if lead.last_agent else "")


def _attempt(attempt: CallView, zone: str) -> tuple[str | Cell, ...]:
    ended = attempt.ended_at
    rang = f"{(attempt.answered_at or ended or attempt.rang_at) - attempt.rang_at:.0f} s" if attempt.rang_at is not None else "-"
    talked = f"{ended - attempt.bridged_at:.0f} s" if attempt.bridged_at is not None and ended is not None else "-"
    cause = (attempt.cause or "-") + (f" ({attempt.sip_status})" if attempt.sip_status else "")
    outcome = Cell("missed" if attempt.missed else (attempt.outcome or "up now").replace("_", " "), "red" if attempt.missed else "")
    return (
        *(moment(attempt.opened_at, zone), outcome, attempt.disposition or "-", cause, rang, talked, attempt.agent or "-"),
        *(attempt.caller_id, attempt.gateway, f"r{attempt.revision}", attempt.decision or "-"),
    )


# --- timeline ---------------------------------------------------------------------------------------------------------------------------


@command(
    "timeline",
    examples=("fs-dialer lead timeline +442079460101", "fs-dialer lead timeline 4711 --json"),
    exits=UNREACHABLE | {Exit.FAILED: "nothing is known of this number, or there is no such lead"},
)
@click.argument("lead", type=TEXT, metavar="ID|NUMBER")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="How much at most: the newest.")
def lead_timeline(session: Session, lead: str, limit: int) -> None:
    """All that happened with a person, oldest first, over all campaigns: how he came in, calls, results, marks, tickets, do-not-call entries.

    Named by the ID of a lead, or by a telephone number. All of his numbers count. Times are UTC.
    """
    with session.office() as office:
        by_id = _by_id(office, lead)
        wanted = by_id.lead.number if by_id is not None else e164(session, lead)
        entries = office.timeline(wanted, limit + 1)
    more, entries = len(entries) > limit, entries[-limit:]
    if not entries:
        raise CommandFailed(f"nothing is known of {wanted}", "who there is: fs-dialer contact search")
    if more:
        session.note("There is more before this: a higher --limit")
    rows = [(moment(entry.at, "UTC"), entry.place or "-", _told(entry), entry.who or "-") for entry in entries]
    session.table(("WHEN", "WHERE", "WHAT", "WHO"), rows)
    session.result({"number": wanted, "entries": entries})


def _told(entry: Entry) -> str:
    """One entry in words."""
    know = entry.details
    match entry.kind:
        case "contact":
            return "came into the directory" + _by_import(know)
        case "lead":
            return f"became lead {know['lead']}, now {str(know['status']).replace('_', ' ')}" + _by_import(know)
        case "call":
            talked = f", talked {ago(know['talked_s'])}" if know["talked_s"] else ""
            outcome = "is up" if know["outcome"] is None else "missed" if know["missed"] else str(know["outcome"]).replace("_", " ")
            decision = f" ({know['decision']})" if know["decision"] else ""
            return f"call to {entry.number or 'a number that was forgotten'}: {outcome}{talked}{_steps(know)}{decision}"
        case "queue":
            return _queued(know)
        case "result":
            answers = ", ".join(f"{key}: {_answer(value)}" for key, value in know["answers"].items())
            return f"result {know['disposition']}" + (f" ({answers})" if answers else "") + (f": {know['note']}" if know["note"] else "")
        case "ticket":
            return f"ticket {know['ticket']}: {know['channel']}" + (f", {know['note']}" if know["note"] else "")
        case "ticket_closed":
            return f"ticket {know['ticket']} closed" + CLOSED.get(know["how"], "")
        case "do_not_call":
            entered = f" as {know['prefix']}*" if know.get("prefix") else ""
            return f"on the do-not-call list {entry.place}{entered}" + _because(know["reason"])
        case "no_callback":
            return f"left alone until {moment(know['until'], 'UTC')}" + ("" if entry.place else ", by all campaigns") + _because(know["reason"])
        case _:
            return _audited(know)


def _steps(know: Mapping[str, Any]) -> str:
    """, in the flow: main 1, pin 1234, left at adviser"""
    steps = [f"{node} {value or 'nothing'}" for node, _, _, value in know.get("ivr") or ()]
    steps += [f"left at {know['left_at']}"] if know.get("left_at") else []
    return f", in the flow: {', '.join(steps)}" if steps else ""


def _queued(know: Mapping[str, Any]) -> str:
    """A call of his to one of our queues."""
    ended = {
        "served": "served",
        "hung_up": "hung up",
        "max_wait": "let go after the longest wait",
        "callback": "asked to be called back",
        "voicemail": "left a message",
        "overflow": "put through elsewhere",
        "released": "let go by the switch, while no daemon ran",
        "lost": "gone, and nobody knows how",
    }
    how = ended.get(know["why"], "talks now" if know["served"] else "waits")
    asked = ", after asking to be called back" if know["asked_at"] is not None and know["why"] != "callback" else ""
    talked = f", talked {ago(know['talked_s'])}" if know["talked_s"] else ""
    return f"called the queue: {how}{asked}, waited {ago(know['waited_s'])}{talked}" + (f", ticket {know['ticket']}" if know["ticket"] else "")


def _audited(know: Mapping[str, Any]) -> str:
    details = know["details"]
    words = {
        "lead_mark": f"marked {details.get('mark')}: {details.get('text')}",
        "dispose_attempt": f"result {details.get('disposition')}, replaced since",
        "add_contact": "put into the directory by hand",
        "set_contact": f"changed: {', '.join(map(str, details.get('fields') or ()))}",
        "do_not_call_add": f"put on the do-not-call list {details.get('list')}, taken off since",
        "do_not_call_remove": f"taken off the do-not-call list {details.get('list')}",
        "mark_no_callback": "asked to be left alone; replaced or taken back since",
        "clear_no_callback": "no longer left alone",
        "withdraw_lead": f"lead {details.get('lead')} not called any more",
    }
    return words.get(know["what"], str(know["what"]).replace("_", " ")) + _because(know["why"])


def _by_import(know: Mapping[str, Any]) -> str:
    return f", by import {know['import']} of {know['file']}" if know["import"] else ""


def _because(text: Any) -> str:
    return f": {text}" if text else ""


def _answer(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
