"""explain campaign: what holds its leads, how many each gate, when the next is dialled; and what the running daemon waits for.

The counts are of every lead (db/explain.py), judged by the dialer's own gates (core/explain.py). Times are by the clock of the campaign.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from fs_dialer.cli.command import command
from fs_dialer.cli.explain_asked import (
    NAMES,
    NO_DAEMON,
    START_DAEMON,
    at_option,
    campaign_asked,
    check_json,
    database,
    in_full,
    mended_by,
    moment_asked,
    running,
    said_when,
    state_said,
)
from fs_dialer.cli.failures import Exit
from fs_dialer.cli.output import clean, plural
from fs_dialer.cli.settings import Session
from fs_dialer.core import leads as gate
from fs_dialer.core.explain import CampaignAnswer, Held, explain_campaign
from fs_dialer.core.explain_engine import Engine, agents_check, caller_id_check, lines_check
from fs_dialer.core.leads import Check
from fs_dialer.core.model import CampaignState

if TYPE_CHECKING:
    from fs_dialer.db.explain import CampaignFound

WAITS = {
    "gap": "in the gap after a call",
    "fault": "after a failure on our side or the network's",
    "not_before": "not before a time its list gave",
    "no_callback": "asked not to be called back",
    "rule": "time given by a rule",
    "promised": "promised callbacks",
    "remedy": "missed, and called again first after the gap",
    gate.CALLER_ID: "deferred: no caller id or trunk was healthy",
    gate.NUMBER_IN_CALL: "put back: another call to the number was up",
    gate.NUMBER_CAP: "put back: the profile allowed no more calls",
}
HOLDS = {
    gate.STATUS: "being called now",
    gate.HOURS: "outside our hours",
    gate.ZONES: "outside hours where the number lives",
    gate.HOLIDAYS: "holiday where the number lives",
    gate.DO_NOT_CALL: "do-not-call",
    gate.NO_CALLBACK: "asked not to be called back",
    gate.ATTEMPTS: "all calls used up",
    gate.NUMBER_CAP: "the profile allows no more calls now",
    gate.NUMBER_IN_CALL: "another call to the number is up",
    gate.GAP: "not yet ready",
    gate.RULE_TIME: "at a set time",
}


@command(
    "campaign",
    examples=("fs-dialer explain campaign spring-renewals", 'fs-dialer explain campaign spring-renewals --at "mon 8:00" --json'),
    exits={Exit.DONE: "answered, whatever the answer is", Exit.FAILED: "there is no such campaign", Exit.UNREACHABLE: "the database was not reachable"},
)
@click.argument("campaign", metavar="NAME")
@at_option("the campaign")
def explain_campaign_command(session: Session, campaign: str, at: str | None) -> None:
    """What a campaign waits for, and when anything will be dialled.

    The first line is the answer. Below it every lead that is not finished is counted once: ready, or by the gate that holds it. Of several gates the one is
    named that no time opens; then what the lead itself waits for; hours only where it waits for nothing else. OPENS: when the first of them may be called,
    all its gates together.
    """
    now = time.time()
    with database(session) as seen:
        found = campaign_asked(seen, campaign)
        moment = moment_asked(at, found.campaign.window.zone, now)
        classes = seen.classes(found, moment)
        engine = running(seen, campaign) if moment <= now else None
    answer = explain_campaign(classes, found.campaign, found.state, moment, starts_at=found.starts_at, ahead=moment > now)
    engine_checks = _engine_checks(engine, found, now)
    headline = _headline(found, answer, engine, engine_checks, moment, now)
    session.say(headline)
    session.table(("LEADS", "HELD BY", "OPENS"), _rows(found, answer, now), right="LEADS")
    session.say(*_totals(answer), *_engine_lines(found, engine, engine_checks, moment, now))
    session.result(_json(found, answer, engine, engine_checks, headline, moment, now))


def _engine_checks(engine: Engine | None, found: CampaignFound, now: float) -> tuple[Check, ...]:
    if engine is None or engine.campaign is None:
        return ()
    from fs_dialer.core.placing import PROMISE_S  # it brings the whole engine along: not for a command that finds no daemon

    campaign = found.campaign
    asked = (caller_id_check(engine, campaign, None, now), lines_check(engine, campaign), agents_check(engine, campaign, None, now, PROMISE_S))
    return tuple(check for check in asked if check is not None)


# --- the answer -----------------------------------------------------------------------------------------------------------------------


def _headline(found: CampaignFound, answer: CampaignAnswer, engine: Engine | None, engine_checks: tuple[Check, ...], moment: float, now: float) -> str:
    if moment > now:
        return f"AT {in_full(moment, found.campaign.window.zone, now)}: {_ahead(found, answer, now)}"
    if not answer.unfinished and found.state is not CampaignState.NEW:
        return "DONE: every lead is finished" if answer.finished else "NOTHING TO DIAL: it has no leads"
    shut = next((check for check in answer.checks if not check.ok), None)
    if shut is not None:
        return f"NOT DIALLING: {_everybodys(found, shut, now)}{_next(found, answer, now)}"
    if engine is None:
        return f"NOT DIALLING: {NO_DAEMON}   {START_DAEMON}"
    if engine.stops or engine.campaign is None:
        return f"NOT DIALLING: {engine.stops or 'the daemon has not read this campaign yet'}"
    crew = engine.campaign
    if not answer.ready:
        idle = f"{crew.idle} of {crew.crew} agents idle: " if crew.crew else ""
        return f"NOT NOW: {idle}no lead is ready{_next(found, answer, now)}"
    waits = next((check for check in engine_checks if not check.ok), None)
    ready = plural(answer.ready, "lead is ready", "leads are ready")
    if waits is not None:
        return f"WAITS for {NAMES[waits.gate]}: {clean(waits.reason)}; {ready}"
    return f"NOW: {ready}; {clean(crew.because) or 'the daemon has just begun'}"


def _ahead(found: CampaignFound, answer: CampaignAnswer, now: float) -> str:
    shut = next((check for check in answer.checks if not check.ok), None)
    if shut is not None:
        return f"it does not dial: {_everybodys(found, shut, now)}{_next(found, answer, now)}"
    if answer.ready:
        return plural(answer.ready, "lead would be ready", "leads would be ready")
    return f"no lead would be ready{_next(found, answer, now)}"


def _everybodys(found: CampaignFound, shut: Check, now: float) -> str:
    """What keeps all of its leads: its state, or its dates."""
    zone = found.campaign.window.zone
    if shut.gate == gate.WINDOW:
        return shut.reason
    command = mended_by(found) if shut.until is None else ""
    return f"{found.campaign.id} is {state_said(found, zone, now)}" + (f"   {command}" if command and command not in state_said(found, zone, now) else "")


def _next(found: CampaignFound, answer: CampaignAnswer, now: float) -> str:
    if answer.next_at is None:
        return "" if any(not check.ok for check in answer.checks) else "; no time alone makes one ready"
    zone = found.campaign.window.zone
    count = f", {plural(answer.next_count, 'lead')}" if answer.next_count else ""
    return f"; next possible dial {in_full(answer.next_at, zone, now)} ({zone}){count}"


# --- the counts -----------------------------------------------------------------------------------------------------------------------


def held_words(held: Held) -> str:
    """For an operator: `in the gap after a call`."""
    if held.why:
        return WAITS.get(held.why, f"put back: {held.why.replace('_', ' ')}")
    return HOLDS.get(held.gate, NAMES[held.gate])


def _rows(found: CampaignFound, answer: CampaignAnswer, now: float) -> list[tuple[str, str, str]]:
    parts = [plural(answer.claimed, "in the daemon's hands", "in the daemon's hands")] if answer.claimed else []
    parts += [f"{answer.promised:,} promised to one agent"] if answer.promised else []
    open_now = all(check.ok for check in answer.checks)
    ready = "ready" if open_now else "ready but for the above"
    rows = [(f"{answer.ready:,}", ready + (f": {', '.join(parts)}" if parts else ""), "now" if open_now and answer.ready else "-")]
    return rows + [(f"{held.count:,}", held_words(held), _opens(found, held, answer, now)) for held in answer.held]


def _opens(found: CampaignFound, held: Held, answer: CampaignAnswer, now: float) -> str:
    if held.next_at is None:
        if held.gate == gate.STATUS:
            return "when the call is over"
        return "with the campaign" if any(not check.ok and check.until is None for check in answer.checks) else "not by time alone"
    when = said_when(held.next_at, found.campaign.window.zone, now)
    if held.next_count is None:
        return f"first {when}"
    return when if held.next_count == held.count else f"{when}: {held.next_count:,}"


def _totals(answer: CampaignAnswer) -> list[str]:
    counts = " + ".join(f"{number:,}" for number in (answer.ready, *(held.count for held in answer.held)))
    lines = [f"{answer.unfinished:,} not finished = {counts}"]
    if answer.finished:
        finished = " + ".join(f"{count:,} {status.value}" for status, count in answer.finished.items())
        lines.append(f"{sum(answer.finished.values()):,} finished = {finished}")
    return lines


def _engine_lines(found: CampaignFound, engine: Engine | None, checks: tuple[Check, ...], moment: float, now: float) -> list[str]:
    """What the daemon sees of agents, lines and trunks; nothing of it is known ahead."""
    if moment > now:
        return ["agents, lines, caller ids: nobody knows ahead"]
    if engine is None or engine.campaign is None:
        return []
    crew = engine.campaign
    lines = f"{crew.lines} of {crew.lines_limit}" if crew.lines_limit is not None else f"{crew.lines}"
    told = [
        f"agents     {crew.idle} idle, {crew.staying} available, {crew.crew} in all; {plural(crew.waiting, 'customer waits', 'customers wait')}",
        f"lines      {lines} here, {engine.legs} of {engine.legs_limit} in all; {engine.room} more may be placed this moment",
    ]
    told += [f"{NAMES[check.gate]:<10} {'ok: ' if check.ok else 'SHUT: '}{clean(check.reason)}" for check in checks if check.gate == gate.CALLER_ID]
    if crew.promised:
        told.append(f"promised   {plural(crew.promised, 'callback waits', 'callbacks wait')} for the agent who promised")
    return [*told, f"because    {clean(crew.because)}"] if crew.because else told


def _json(
    found: CampaignFound,
    answer: CampaignAnswer,
    engine: Engine | None,
    engine_checks: tuple[Check, ...],
    headline: str,
    moment: float,
    now: float,
) -> dict[str, Any]:
    return {
        "campaign": found.campaign.id,
        "state": found.state.value,
        "revision": found.campaign.revision,
        "zone": found.campaign.window.zone,
        "now": now,
        "asked_about": moment,
        "answer": headline,
        "next_at": answer.next_at,
        "next_count": answer.next_count,
        "checks": [check_json(check) for check in (*answer.checks, *engine_checks)],
        "ready": answer.ready,
        "ready_claimed": answer.claimed,
        "ready_promised": answer.promised,
        "held": [
            {"gate": held.gate, "why": held.why, "leads": held.count, "words": held_words(held), "next_at": held.next_at, "next_count": held.next_count}
            for held in answer.held
        ],
        "unfinished": answer.unfinished,
        "finished": {status.value: count for status, count in answer.finished.items()},
        "daemon": None
        if moment > now
        else {"running": engine is not None, "stops": engine.stops if engine else "", "campaign": engine.campaign if engine else None},
    }
