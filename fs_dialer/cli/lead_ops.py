"""lead add, lead mark: what people do with leads while a campaign runs (M10, S16–S21, S12, D14, D16).

Knows words and times; what a mark means is db/lead_marks.py's and the core's. A time is read on the clock of each lead's own zone, so `tomorrow 9:00` is nine
where the phone rings.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from fs_dialer.cli.asked import TEXT, WHY, at, condition, known_group, numbered, span
from fs_dialer.cli.campaigns import UNREACHABLE, found
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import Exit
from fs_dialer.cli.lead_views import meant
from fs_dialer.cli.output import clean, moment, plural
from fs_dialer.cli.settings import Session, who
from fs_dialer.config.values import nearest, short

if TYPE_CHECKING:
    from fs_dialer.db.backoffice import Backoffice
    from fs_dialer.db.lead_desk import Added, LeadView
    from fs_dialer.db.lead_marks import Marked

MARKS = ("do-not-call-back", "callback-at", "stop", "reopen", "next-number", "ready-now")
LONGEST_S = 3650 * 86400.0
_LEAD = re.compile(r"[+(]?[0-9][0-9 ()./-]*")  # an id, or a number as people write it


@command(
    "add",
    examples=("fs-dialer lead add spring --number +442079460101", "fs-dialer lead add spring --group vip --filter 'tier = gold' --dry-run"),
    exits=UNREACHABLE | {Exit.FAILED: "there is no such campaign, group or contact, or the campaign has ended", Exit.REFUSED: "a value was refused"},
)
@click.argument("campaign", type=TEXT)
@click.option("--number", "numbers", type=TEXT, multiple=True, metavar="NUMBER", help="Whoever has this number, or a new contact; may be said several times.")
@click.option("--contact", "contacts", multiple=True, type=click.IntRange(1, 2**62), metavar="ID", help="This contact; may be said several times.")
@click.option("--group", type=TEXT, metavar="GROUP", help="Everybody in this group.")
@click.option("--filter", "where", type=TEXT, metavar="FILTER", help="Everybody who meets this condition, or this saved filter; with --group: of the group.")
@click.option("--dry-run", is_flag=True, help="Count what would happen, and write nothing.")
@WHY
def lead_add(
    session: Session,
    campaign: str,
    numbers: tuple[str, ...],
    contacts: tuple[int, ...],
    group: str | None,
    where: str | None,
    dry_run: bool,
    why: str,
) -> None:
    """Make people leads of a campaign, also while it runs; they are called after those who are there already.

    Who is a lead of it already is left alone; to call such a one again: `fs-dialer lead mark LEAD reopen`. Who is on a do-not-call list joins as blocked,
    who asked to be left alone as refused until that is over. For a file: `fs-dialer lead import`.
    """
    picked, chosen = bool(numbers or contacts), group is not None or where is not None
    if picked == chosen:
        raise click.UsageError("name people with --number or --contact, or choose them with --group or --filter")
    with session.office() as office:
        found(office, campaign)
        if picked:
            given = numbered(session, numbers)
            added = office.lead_add(campaign, who(), why, numbers=given, contacts=contacts, dry_run=dry_run)
        else:
            filter = condition(office, where) if where is not None else None
            name = known_group(office, group) if group is not None else ""
            added = office.lead_join(campaign, who(), why, group=name, filter=filter, dry_run=dry_run)
    session.say(_counted(added))
    if dry_run:
        session.say("Nothing was written.")
    session.result({**{name: getattr(added, name) for name in ("campaign", "new", "do_not_call", "refused", "known", "contacts")}, "dry_run": dry_run})


def _counted(added: Added) -> str:
    people = added.new + added.do_not_call + added.refused + added.known
    parts = [f"{added.new:,} new"]
    parts += [f"{added.known:,} already in the campaign"] if added.known else []
    parts += [f"{added.do_not_call:,} do-not-call"] if added.do_not_call else []
    parts += [f"{added.refused:,} left alone for now"] if added.refused else []
    met = f" ({plural(added.contacts, 'contact')} new in the directory)" if added.contacts else ""
    return f"{plural(people, 'person', 'people')} = {' + '.join(parts)}{met}"


@command(
    "mark",
    examples=(
        "fs-dialer lead mark 4711 do-not-call-back --for 30d --why 'asked in writing'",
        "fs-dialer lead mark +442079460101 callback-at 'tomorrow 9:00' --agent lan",
    ),
    exits=UNREACHABLE
    | {
        Exit.FAILED: "there is no such lead, or a mark was refused; with several leads the others are done",
        Exit.MISUSE: "the command line is wrong, or the time is none",
        Exit.REFUSED: "a number is none",
    },
)
@click.argument("words", type=TEXT, nargs=-1, required=True, metavar="LEAD... MARK [TIME]")
@click.option("--campaign", type=TEXT, metavar="NAME", help="With numbers: the leads in this campaign only.")
@click.option("--for", "for_s", metavar="SPAN", callback=span("--for"), help="do-not-call-back: for so long, as in 30d. Left out: as the campaign says.")
@click.option("--agent", type=TEXT, metavar="AGENT", help="callback-at: this agent calls. Left out: anyone.")
@WHY
def lead_mark(session: Session, words: tuple[str, ...], campaign: str | None, for_s: float | None, agent: str | None, why: str) -> None:
    """Say what becomes of leads, each an ID or a telephone number.

    MARK is one of: do-not-call-back (left alone for a while, then what it was) · callback-at TIME (called then; inside its hours and the campaign's dates,
    else refused with the nearest times that are) · stop (no more calls) · reopen (called again; takes a stop or refusal back) · next-number (the next call
    goes to the contact's next number) · ready-now (the break is over).

    TIME is 'tomorrow 9:00', 'mon 14:30', '+2h' or '2026-12-01 14:00', on the clock where the lead lives. A call that is up goes on: stop, do-not-call-back
    and callback-at hold after it, the others are refused until it is over.
    """
    leads, mark, when = _understood(words)
    if (for_s is not None) > (mark == "do-not-call-back") or (agent is not None) > (mark == "callback-at"):
        raise click.UsageError("--for goes with do-not-call-back, --agent with callback-at")
    now = time.time()
    done: list[Marked] = []
    with session.office() as office:
        views = [story.lead for lead in leads for story in meant(session, office, lead, campaign)]
        wanted = _marks(office, {view.id: view for view in views}, mark, when, for_s, agent, now)
        for id, each in wanted:
            marked = office.lead_mark(id, each, who(), why, now)
            if marked is not None:
                done.append(marked)
    for marked in done:
        _told(session, marked)
    session.result({"mark": mark, "leads": done})
    if any(marked.refused for marked in done) or len(done) < len(wanted):
        raise click.exceptions.Exit(Exit.FAILED)


def _understood(words: Sequence[str]) -> tuple[list[str], str, str | None]:
    """The leads, the mark, and the time behind callback-at."""
    place = next((place for place, word in enumerate(words) if word in MARKS), None)
    if place is None:
        said = next((word for word in words if not _LEAD.fullmatch(word)), None)
        if said is None:
            raise click.UsageError(f"say what to mark them as: {', '.join(MARKS)}")
        guess = nearest(said, MARKS, 0.0)
        raise click.UsageError(f"`{clean(short(said))}` is no mark; nearest: {guess}; there are {', '.join(MARKS)}")
    leads, mark, rest = list(dict.fromkeys(words[:place])), words[place], words[place + 1 :]
    if not leads:
        raise click.UsageError("name a lead: its ID or its telephone number")
    if mark != "callback-at":
        if rest:
            raise click.UsageError(f"{clean(rest[0])}: nothing comes after {mark}; leads stand before it")
        return leads, mark, None
    if not rest:
        raise click.UsageError("callback-at needs a time: 'tomorrow 9:00', '+2h'")
    return leads, mark, " ".join(rest)


def _marks(
    office: Backoffice, views: dict[int, LeadView], mark: str, when: str | None, for_s: float | None, agent: str | None, now: float
) -> list[tuple[int, Any]]:
    """A mark for each lead; a time means another moment in another zone."""
    from fs_dialer.db.lead_marks import Mark

    zones: dict[str, str] = {}
    wanted = []
    for view in views.values():
        moment_at = None
        if when is not None:
            if not view.zones and view.campaign not in zones:
                zones[view.campaign] = found(office, view.campaign).zone
            moment_at = at(when, view.zones[0] if view.zones else zones[view.campaign], now, "TIME")
        wanted.append((view.id, Mark(mark, for_s, moment_at, agent)))
    return wanted


def _told(session: Session, marked: Marked) -> None:
    lead = f"lead {marked.lead} of {marked.campaign}"
    if marked.refused:
        session.note(f"fs-dialer: {lead} was not changed: {clean(marked.refused)}")
        return
    until = f", until {moment(marked.ready_at, marked.zone)}" if marked.status == "refused" else ""
    session.say(f"{lead}: {clean(marked.text)}{until}")
