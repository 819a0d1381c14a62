"""explain lead: is this lead dialled now, and if not, by which gate, on what evidence, until when; and when next.

Asks core/explain.py, and finds words for the answer. Times are told by the clock where the number lives.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    to_ask,
)
from fs_dialer.cli.explain_evidence import evidence, zone_origin
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import clean, painted, percent, plural, terminal_width, wants_colour
from fs_dialer.cli.settings import Session
from fs_dialer.config.phone_numbers import BadNumber, parse_number
from fs_dialer.core import leads as gate
from fs_dialer.core.explain import ENGINES, FINISHED, Clock, LeadAnswer, explain_lead
from fs_dialer.core.explain_engine import Engine, agents_check, caller_id_check, lines_check
from fs_dialer.core.model import Lead, LeadId, LeadStatus
from fs_dialer.errors import ConfigError, Problem
from fs_dialer.modes import OFFERED

if TYPE_CHECKING:
    from fs_dialer.db.explain import CampaignFound, LeadFound, LeadKnown, Seen

CLAIMABLE = frozenset({LeadStatus.NEW, LeadStatus.RETRY, LeadStatus.CALLBACK_SCHEDULED})
MARK, NAME = 4, 12  # widths of a gate's line
CHANCE_WORDS = {"hour": "{} o'clock", "weekend": "{}", "attempts": "{} calls so far", "last": "last {}", "kind": "{} number"}
INDENT, GAP = 2, 3  # blanks before a gate's line, and between two on one


@dataclass(frozen=True, slots=True)
class Told:
    """One lead's answer with all that it rests on. at: the moment asked about; now: the moment of asking. verdict: now (it may be dialled), waiting (every
    gate that time opens is open), later, by_hand (somebody must start its campaign), never, in_call. chance: how likely it is answered."""

    found: LeadFound
    campaign: CampaignFound
    known: LeadKnown
    answer: LeadAnswer
    engine: Engine | None
    now: float
    at: float
    ahead: int | None
    chance: Mapping[str, Any] | None = None

    @property
    def zone(self) -> str:
        return (self.found.lead.zones or (self.campaign.campaign.window.zone,))[0]

    @property
    def asked_ahead(self) -> bool:
        return self.at > self.now

    @property
    def verdict(self) -> str:
        never = self.answer.never
        if self.found.lead.status is LeadStatus.IN_PROGRESS:
            return "in_call"
        if never is not None:
            return "by_hand" if never.gate == gate.CAMPAIGN and self.campaign.state.value not in ("draining", "ended") else "never"
        if any(check.gate not in ENGINES for check in self.answer.shut):
            return "later"
        if self.asked_ahead or (self.engine is not None and not self.engine.stops and not self.answer.shut):
            return "now"
        return "waiting"


@command(
    "lead",
    examples=("fs-dialer explain lead +84903222111 -c spring-renewals", 'fs-dialer explain lead 4711 --at "mon 8:00"'),
    exits={Exit.DONE: "answered, whatever the answer is", Exit.FAILED: "there is no such lead or campaign", Exit.UNREACHABLE: "the database was not reachable"},
)
@click.argument("lead", metavar="ID|NUMBER")
@click.option("-c", "--campaign", metavar="NAME", help="With a number: the lead in this campaign only.")
@at_option("the lead")
def explain_lead_command(session: Session, lead: str, campaign: str | None, at: str | None) -> None:
    """Why a lead is, or is not, dialled now, and when it will be.

    Asks the very gates that the dialer asks, in its order, and shows what each rests on. `SHUT` gates are told with the moment at which they open; the next
    possible dial is when all of them are open. The lead is named by its ID, or by its number: then it is told for every campaign it is in.
    """
    now = time.time()
    with database(session) as seen:
        if campaign is not None:
            campaign_asked(seen, campaign)
        found = _leads(session, seen, lead, campaign)
        told = [_tell(seen, each, at, now) for each in found]
    for place, each in enumerate(told):
        session.say(*([""] if place else []), *_lines(each, terminal_width(sys.stdout), wants_colour(sys.stdout)))
    session.result({"leads": [_json(each) for each in told]})


# --- finding it -----------------------------------------------------------------------------------------------------------------------


def _leads(session: Session, seen: Seen, text: str, campaign: str | None) -> list[LeadFound]:
    if text.isascii() and text.isdigit() and not text.startswith("0") and len(text) <= 18:
        by_id = seen.leads_named(lead=LeadId(int(text)), campaign=campaign)
        if by_id:
            return by_id
        if len(text) < 7:
            raise CommandFailed(f"there is no lead {text}" + (f" in {clean(campaign)}" if campaign else ""), "leads and their ids: fs-dialer lead list")
    region = "" if text.strip().startswith("+") else seen.installation()[0].region
    try:
        number = parse_number(text, region)[0]
    except BadNumber as error:
        raise ConfigError([Problem(clean(text), 0, 0, "", str(error))]) from None
    found = seen.leads_named(number=number, campaign=campaign)
    if not found:
        listed = seen.entries(number)
        advice = [f"it is on the do-not-call list {clean(entry.list)}" for entry in listed[:1]]
        if campaign and (others := {each.lead.campaign for each in seen.leads_named(number=number)}):
            advice.append(f"it is a lead of {', '.join(sorted(others))}")
        raise CommandFailed(f"no lead has the number {number}" + (f" in {clean(campaign)}" if campaign else ""), *advice, "leads: fs-dialer lead list")
    return found


def _tell(seen: Seen, found: LeadFound, at_text: str | None, now: float) -> Told:
    lead, campaign = found.lead, campaign_asked(seen, found.lead.campaign)
    at = moment_asked(at_text, (lead.zones or (campaign.campaign.window.zone,))[0], now)
    known = seen.lead_known(lead, campaign.caps, at)
    facts, engine = known.facts(), None
    if at <= now:
        engine = running(seen, campaign.campaign.id)
        if engine is not None and not engine.stops:
            from fs_dialer.core.placing import PROMISE_S  # it brings the whole engine along

            facts = replace(
                facts,
                caller_id=caller_id_check(engine, campaign.campaign, lead, now),
                lines=lines_check(engine, campaign.campaign),
                agents=agents_check(engine, campaign.campaign, lead, now, PROMISE_S),
            )
    clock = Clock(campaign.campaign, at)
    answer = explain_lead(
        lead, campaign.campaign, campaign.state, at, facts, starts_at=campaign.starts_at, returns_to=found.returns_to, ahead=at > now, clock=clock
    )
    ahead = None
    if at <= now and not any(check.gate not in ENGINES for check in answer.shut) and lead.status in CLAIMABLE and not found.claimed:
        ahead = seen.ahead(found, [zones for zones in seen.zone_sets(lead.campaign) if clock.verdict(zones, now).open], now)
    return Told(found, campaign, known, answer, engine, now, at, ahead, _chance(seen, campaign, lead, at))


def _chance(seen: Seen, campaign: CampaignFound, lead: Lead, at: float) -> Mapping[str, Any] | None:
    """How likely it is answered, by what its campaign has learnt; None for types that take all leads as alike, and for leads that are finished."""
    parts = getattr(OFFERED.get(campaign.campaign.type), "lead_parts", None)
    if parts is None or lead.status in FINISHED:
        return None
    found: Mapping[str, Any] | None = parts(seen.memory(lead.campaign), campaign.campaign, lead, at)
    return found


# --- telling it -----------------------------------------------------------------------------------------------------------------------


def _lines(told: Told, width: int | None, colour: bool) -> list[str]:
    lead = told.found.lead
    who = f"lead {lead.id} of {lead.campaign}: {lead.number}  {clean(told.found.name)}".rstrip()
    return [who, _headline(told), *_gates(told, width, colour), *_not_asked(told), *_chance_said(told)]


def _headline(told: Told) -> str:
    when = f"AT {in_full(told.at, told.zone, told.now)}: " if told.asked_ahead else ""
    return when + _answer(told)


def _answer(told: Told) -> str:
    answer, zone = told.answer, told.zone
    match told.verdict:
        case "in_call":
            up = next((each for each in told.known.tries if each.outcome is None), None)
            return "BEING CALLED" + (f" since {said_when(up.opened_at, zone, told.now)}" if up else "") + ": what comes next is known when the call is over"
        case "never":
            return f"NEVER: {_never(told)}"
        case "by_hand":
            return f"NOT {_now(told)}, and not by itself: {told.campaign.campaign.id} is {told.campaign.state.value}   {mended_by(told.campaign)}".rstrip()
        case "later":
            shut = sum(1 for check in answer.shut if check.gate not in ENGINES)
            assert answer.next_at is not None
            next_at = f"{in_full(answer.next_at, zone, told.now)} ({zone}, {zone_origin(told.found.lead, told.campaign)})"
            return f"NOT {_now(told)}: next possible dial {next_at}   {plural(shut, 'gate')} shut"
        case "waiting":
            if told.engine is None:
                return f"NOT NOW: every gate is open, but {NO_DAEMON}   {START_DAEMON}"
            stops = told.engine.stops or f"waits for {' and '.join(NAMES[check.gate] for check in answer.shut)}"
            return f"NOT NOW: every gate that time opens is open, {stops}"
    if told.asked_ahead:
        return "YES: every gate is open then"
    if told.found.claimed:
        return "NOW: ready, in the daemon's hands: among the next to be called"
    return f"NOW: ready, {_before(told.ahead or 0)}"


def _now(told: Told) -> str:
    return "THEN" if told.asked_ahead else "NOW"


def _before(ahead: int) -> str:
    from fs_dialer.db.explain import MOST_AHEAD

    if ahead >= MOST_AHEAD:
        return f"more than {MOST_AHEAD:,} leads are before it"
    return f"{plural(ahead, 'lead is', 'leads are')} before it" if ahead else "the first in line"


def _never(told: Told) -> str:
    lead, never = told.found.lead, told.answer.never
    assert never is not None
    if lead.status in FINISHED:
        last = next((each.ended_at for each in told.known.tries if each.ended_at is not None), None)
        return f"finished ({lead.status.value}" + (f" {said_when(last, told.zone, told.now)})" if last is not None else ")")
    if never.gate == gate.STATUS:
        return f"finished ({lead.status.value} again, once it is not left alone any more)" if lead.status is LeadStatus.REFUSED else never.reason
    if never.gate == gate.CAMPAIGN:
        return f"the campaign is {told.campaign.state.value}"
    if never.gate == gate.DO_NOT_CALL:
        return f"{never.reason}   fs-dialer dnc show {lead.number}"
    if never.gate == gate.ATTEMPTS:
        return f"all calls are used up: {never.reason}"
    return never.reason


def _gates(told: Told, width: int | None, colour: bool) -> list[str]:
    """A line each into a pipe; on a terminal two beside each other where they fit."""
    cells = [
        (("ok" if check.ok else "SHUT"), f"{NAMES[check.gate]:<{NAME}} {clean(evidence(check, told.found, told.campaign, told.known, told.zone, told.now))}")
        for check in told.answer.checks
    ]
    most = 0 if width is None else (width - INDENT - GAP) // 2 - MARK - 1  # for the text of one of two
    lines: list[str] = []
    waiting = ""  # the left one of two
    for mark, text in cells:
        shown = painted(f"{mark:<{MARK}}", "green" if mark == "ok" else "red", colour) + " " + text
        if len(text) > most:
            lines += [waiting.rstrip()] if waiting else []
            lines.append(" " * INDENT + shown)
            waiting = ""
        elif waiting:
            lines.append(waiting + shown)
            waiting = ""
        else:
            waiting = " " * INDENT + shown + " " * (most - len(text) + GAP)
    return [*lines, waiting.rstrip()] if waiting else lines


def _not_asked(told: Told) -> list[str]:
    asked = {check.gate for check in told.answer.checks}
    missing = [NAMES[name] for name in (gate.CALLER_ID, gate.LINES, gate.AGENTS) if name not in asked]
    if not missing or told.verdict in ("never", "in_call"):
        return []
    names = ", ".join(missing)
    if told.asked_ahead:
        return [f"  --   {names}: nobody knows ahead"]
    if told.answer.shut:
        ask = f'            Ask ahead: --at "{to_ask(told.answer.next_at, told.zone, told.now)}"' if told.answer.next_at is not None else ""
        return [f"  --   {names}: not asked while a gate is shut{ask}"]
    return [f"  --   {names}: the daemon does not say"]


def _chance_said(told: Told) -> list[str]:
    """Answered by a person, if it were called then: the campaign's rate, and what each feature makes of the odds."""
    chance = told.chance
    if chance is None or not chance["calls"]:
        return []
    if chance["probability"] is None:
        return [f"  --   chance       {percent(chance['rate'], 0)} to be answered, the campaign's: {chance['calls']:,} calls do not tell its leads apart"]
    parts = [f"{CHANCE_WORDS[part['feature']].format(part['level'].replace('_', ' '))} ×{part['times']:.2f}" for part in chance["made_of"]]
    made = ", ".join(parts) or "nothing known of it"
    return [f"  --   chance       {percent(chance['probability'], 0)} to be answered; the campaign's {percent(chance['rate'], 0)}, odds by {made}"]


def _json(told: Told) -> dict[str, Any]:
    lead, found, campaign = told.found.lead, told.found, told.campaign
    return {
        "lead": lead.id,
        "campaign": lead.campaign,
        "number": lead.number,
        "name": found.name,
        "status": lead.status.value,
        "zones": list(lead.zones),
        "zone": told.zone,
        "now": told.now,
        "asked_about": told.at,
        "verdict": told.verdict,
        "answer": _answer(told),
        "next_at": told.answer.next_at,
        "shut": [check.gate for check in told.answer.shut],
        "checks": [{**check_json(check), "evidence": evidence(check, found, campaign, told.known, told.zone, told.now)} for check in told.answer.checks],
        "leads_before": told.ahead,
        "claimed": found.claimed,
        "daemon": None if told.asked_ahead else told.engine is not None,
        "attempts": [{"opened_at": each.opened_at, "outcome": each.outcome, "cause": each.cause, "ended_at": each.ended_at} for each in told.known.tries],
        "chance": told.chance,
        "lists": [
            {"list": entry.list, "number": entry.number, "reason": entry.reason, "added_by": entry.added_by, "added_at": entry.added_at}
            for entry in told.known.entries
        ],
    }
