"""attempt list, show, export: calls one by one, with what proves how each was made and ended (X8).

Counts and columns of one's own choice are `fs-dialer report attempts`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from fs_dialer.cli.asked import TEXT, at, file_name
from fs_dialer.cli.campaigns import UNREACHABLE, found
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.lead_views import meant
from fs_dialer.cli.output import Cell, clean, json_line, masked, moment, plural
from fs_dialer.cli.settings import Session
from fs_dialer.core.model import CampaignId, Outcome

if TYPE_CHECKING:
    from fs_dialer.db.evidence import AttemptView, Evidence

TIMES = ("opened_at", "rang_at", "answered_at", "bridged_at", "ended_at", "closed_at", "disposed_at")
# Inside a text JSON lets them stand; to many who read a file by lines they end one.
LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}
PROOF = ("leg", "leg_seen", "lead_status", "epoch", "gates", "decision", "closed_at")  # told with --evidence only


@command(
    "list",
    examples=("fs-dialer attempt list spring --outcome connected", "fs-dialer attempt list 4711 --json"),
    exits=UNREACHABLE | {Exit.FAILED: "there is no such campaign or lead"},
)
@click.argument("whose", type=TEXT, metavar="CAMPAIGN|LEAD")
@click.option("--outcome", type=click.Choice([outcome.value for outcome in Outcome]), help="Only calls that ended so.")
@click.option("--disposition", type=TEXT, metavar="CODE", help="Only calls with this result.")
@click.option("--from", "since", type=TEXT, metavar="TIME", help="Opened from then on, as `2026-11-20 8:00`, by the campaign's clock.")
@click.option("--until", type=TEXT, metavar="TIME", help="Opened before then.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many at most: the newest.")
@click.option("--full", is_flag=True, help="Show telephone numbers in full.")
def attempt_list(
    session: Session, whose: str, outcome: str | None, disposition: str | None, since: str | None, until: str | None, limit: int, full: bool
) -> None:
    """Calls of a campaign, or to a lead (its ID or number), the newest first."""
    with session.office() as office:
        asked: dict[str, Any] = {"outcome": outcome, "disposition": disposition}
        leads: list[int | None] = [None]
        if any(each.isalpha() for each in whose) or office.campaign_show(CampaignId(whose)) is not None:
            zone, asked["campaign"] = found(office, whose).zone, whose
        else:
            stories = meant(session, office, whose)
            zone, leads = found(office, stories[0].lead.campaign).zone, [story.lead.id for story in stories]
        now = time.time()
        asked["since"] = at(since, zone, now, "--from") if since else None
        asked["until"] = at(until, zone, now, "--until") if until else None
        page = [each for lead in leads for each in office.attempt_page(**asked, lead=lead, limit=limit)]
    page = sorted(page, key=lambda each: each.opened_at, reverse=True)[:limit]
    if page:
        header = ("WHEN", "NUMBER", "OUTCOME", "RESULT", "TALKED", "AGENT", "LEAD", "ATTEMPT")
        session.table(header, [_row(each, zone, full) for each in page], right="TALKED LEAD")
    else:
        session.say("No such calls.")
    session.result({"attempts": page})


def _row(attempt: AttemptView, zone: str, full: bool) -> tuple[str | Cell, ...]:
    talked = "-" if attempt.bridged_at is None or attempt.ended_at is None else f"{attempt.ended_at - attempt.bridged_at:.0f} s"
    number = attempt.number if full else masked(attempt.number)
    outcome = Cell("missed" if attempt.missed else (attempt.outcome or "up now").replace("_", " "), "red" if attempt.missed else "")
    lead = str(attempt.lead) if attempt.lead is not None else "forgotten"
    return (moment(attempt.opened_at, zone), number or "-", outcome, attempt.disposition or "-", talked, attempt.agent or "-", lead, attempt.id)


@command(
    "show",
    examples=("fs-dialer attempt show 6f1d0a52-7a0e-4d5e-9d0e-3f6c1d2b4a59", "fs-dialer attempt show 6f1d0a52-7a0e-4d5e-9d0e-3f6c1d2b4a59 --json"),
    exits=UNREACHABLE | {Exit.FAILED: "there is no such call"},
)
@click.argument("attempt", type=click.UUID, metavar="ID")
def attempt_show(session: Session, attempt: object) -> None:
    """One call with its evidence: what every gate answered before it, each moment the switch told of, its result and answers."""
    with session.office() as office:
        evidence = office.attempt_evidence(str(attempt))
        if evidence is None:
            raise no_attempt(str(attempt))
        zone = found(office, evidence.campaign).zone
    _show(session, evidence, zone)
    session.result(evidence)


def no_attempt(id: str) -> CommandFailed:
    return CommandFailed(f"there is no call {id}", "calls and their ids: fs-dialer attempt list CAMPAIGN")


def _show(session: Session, call: Evidence, zone: str) -> None:
    whom = f"lead {call.lead}" if call.lead is not None else "a person who was forgotten"
    session.say(f"call {call.id} of {call.campaign} r{call.revision} to {whom} {call.number}".rstrip())
    outcome = "is up now" if call.outcome is None else call.outcome.replace("_", " ") + (", missed" if call.missed else "")
    cause = (call.cause or "-") + (f" (SIP {call.sip_status})" if call.sip_status else "")
    lines = [("outcome", outcome), ("cause", cause), ("agent", call.agent or "-"), ("result", _result(call, zone))]
    lines += [("became", call.decision)] if call.decision else []
    lines += [(f"  {key}", clean(", ".join(map(str, value)) if isinstance(value, list) else str(value))) for key, value in call.answers.items()]
    seen = "" if call.leg_seen is not False else ", never seen: the switch made no channel"
    lines += [("shown as", f"{call.caller_id} by {call.gateway}"), ("channel", f"{call.leg}{seen}"), ("was", call.lead_status.replace("_", " "))]
    width = max(len(name) for name, _ in lines)
    session.say(*(f"  {name:<{width}}  {text}" for name, text in lines), "")
    moments = [(name.removesuffix("_at"), getattr(call, name)) for name in TIMES[:5]]
    rows = [(name, _precise(when, zone), "" if when == call.opened_at else f"+{when - call.opened_at:.3f} s") for name, when in moments if when is not None]
    session.table(("MOMENT", f"BY THE CLOCK OF {zone}", "AFTER"), rows, right="AFTER")
    session.say("")
    if call.gates:
        session.table(("GATE", "ANSWERED"), [(str(gate), clean(str(answer))) for gate, answer in call.gates])
    else:
        session.say("No gate's answer was kept.")


def _result(call: Evidence, zone: str) -> str:
    if call.disposition is None:
        return "none yet"
    by = f", by {call.disposed_by}" if call.disposed_by else ""
    return call.disposition + by + (f" {moment(call.disposed_at, zone)}" if call.disposed_at is not None else "")


def _precise(when: float, zone: str) -> str:
    from zoneinfo import ZoneInfo

    return datetime.fromtimestamp(when, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


@command(
    "export",
    examples=(
        "fs-dialer attempt export spring --evidence --output spring.jsonl",
        "fs-dialer attempt export spring --evidence --from '2026-11-01 0:00' > nov.jsonl",
    ),
    exits=UNREACHABLE | {Exit.FAILED: "there is no such campaign, or the file could not be written"},
)
@click.argument("campaign", type=TEXT)
@click.option("--evidence", is_flag=True, help="With what proves it: each gate's answer, channel, what became of the lead.")
@click.option("--from", "since", type=TEXT, metavar="TIME", help="Opened from then on, as `2026-11-20 8:00`, by the campaign's clock.")
@click.option("--until", type=TEXT, metavar="TIME", help="Opened before then.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write there, and not to stdout; the file is yours alone to read."
)
def attempt_export(session: Session, campaign: str, evidence: bool, since: str | None, until: str | None, output: Path | None) -> None:
    """A campaign's calls that are over, oldest first: a line of JSON for each, times as 2026-11-20T08:00:00.000000Z. Numbers are in full.

    However many there are, only a few are in memory. They are as of one moment; calls that end meanwhile are in the next export. With --json the lines
    need a file, because stdout tells how many there were.
    """
    if session.as_json and output is None:
        raise click.UsageError("--json tells of a file: name it with --output")
    with session.office() as office:
        zone, now = found(office, campaign).zone, time.time()
        bounds = [at(text, zone, now, option) if text else None for text, option in ((since, "--from"), (until, "--until"))]
        count = 0
        with _stream(output) as stream:
            for each in office.campaign_evidence(campaign, *bounds):
                stream.write(json_line(_line(each, evidence)).translate(LINE_ENDS) + "\n")
                count += 1
    if output is not None:
        session.say(f"{plural(count, 'call')} written to {clean(file_name(output))}")
        session.result({"campaign": campaign, "attempts": count, "evidence": evidence, "file": file_name(output)})


def _line(call: Evidence, evidence: bool) -> dict[str, Any]:
    words = {field.name: getattr(call, field.name) for field in fields(call) if evidence or field.name not in PROOF}
    for name in TIMES:
        if words.get(name) is not None:
            words[name] = datetime.fromtimestamp(words[name], UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return words


@contextmanager
def _stream(output: Path | None) -> Iterator[TextIO]:
    """Stdout, or a file that gets its name when it is whole."""
    if output is None:
        yield sys.stdout
        return
    waiting = output.with_name(output.name + ".new")
    try:
        with os.fdopen(os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            yield stream
        waiting.replace(output)
    except BaseException:
        with suppress(OSError):
            waiting.unlink()
        raise
