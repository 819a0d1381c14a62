"""explain gateway, explain callerid: is it used, does it rest, since when and for which calls; who calls by it, and which leads wait for it (S57, X7).

Its health is the running daemon's; without one the last calls alone are told, and nobody judges them. Times are by the clock of the first campaign that
uses it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fs_dialer.cli.command import command
from fs_dialer.cli.explain_asked import database, running, said_when
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import Cell, clean, plural
from fs_dialer.cli.settings import Session, nearest_name
from fs_dialer.core.caller_ids import FAULTS, Way, ways
from fs_dialer.core.definition import Campaign, Installation
from fs_dialer.core.explain_engine import Engine, Health
from fs_dialer.core.model import GatewayId, Outcome

if TYPE_CHECKING:
    from fs_dialer.db.explain import CallOver, Deferred, Seen

import click

EXITS = {Exit.DONE: "answered, whatever the answer is", Exit.FAILED: "there is none of that name", Exit.UNREACHABLE: "the database was not reachable"}
FAULT_WORDS = frozenset(outcome.value for outcome in FAULTS)


@dataclass(frozen=True, slots=True)
class Asked:
    """One gateway or caller id, with all that is known of it. users: campaigns that may call by it."""

    kind: str  # gateway, caller_id
    name: str
    users: Mapping[str, Campaign]
    engine: Engine | None
    calls: Sequence[CallOver]
    deferred: Sequence[Deferred]
    now: float
    beside: Sequence[str]  # the caller ids it carries, or the gateways that carry it

    @property
    def health(self) -> Health | None:
        return self.engine.health(self.kind, self.name) if self.engine is not None else None

    @property
    def zone(self) -> str:
        return next((campaign.window.zone for campaign in self.users.values()), "UTC")


@command("gateway", examples=("fs-dialer explain gateway north", "fs-dialer explain gateway north --json"), exits=EXITS)
@click.argument("name", metavar="NAME")
def explain_gateway(session: Session, name: str) -> None:
    """Is this trunk used, and if it rests, since when, for which calls and until when.

    A trunk over which calls fail (not the customers' doing: refused, no route, congestion) rests for a minute, then for longer; one call tries it before it
    is used again. Leads that could go no other way wait behind all others.
    """
    now = time.time()
    with database(session) as seen:
        installation, _ = seen.installation()
        names = [gateway.id for gateway in installation.gateways]
        if name not in names:
            raise CommandFailed(f"there is no gateway {clean(name)}{nearest_name(name, names)}", "gateways stand in installation.yml")
        allowed = _ways(seen, installation)
        users: dict[str, Campaign] = {campaign.id: campaign for campaign, own in allowed if any(way.gateway == name for way in own)}
        numbers = sorted({way.caller_id for _, own in allowed for way in own if way.gateway == name})
        asked = _asked(seen, "gateway", name, users, numbers, now)
    _tell(session, asked)


@command("callerid", examples=("fs-dialer explain callerid +842873001234", "fs-dialer explain callerid +842873001234 --json"), exits=EXITS)
@click.argument("number", metavar="NUMBER")
def explain_callerid(session: Session, number: str) -> None:
    """Is this caller id used, and if it rests, since when, for which calls and until when.

    A number by which calls fail rests as a trunk does. A campaign with several goes on with the others; one that has no other puts its leads back, and they
    are called after the others (S57).
    """
    now = time.time()
    packed = re.sub(r"[\s()./-]", "", number)
    with database(session) as seen:
        installation, defined = seen.installation()
        allowed = _ways(seen, installation)
        in_use = {each for campaign, _ in allowed for each in campaign.caller_id.numbers}
        known = sorted(in_use | set(defined))
        name = next((each for each in known if packed in (each, each.lstrip("+"))), None)
        if name is None:
            raise CommandFailed(
                f"no campaign has the caller id {clean(number)}{nearest_name(packed, known)}", "they stand as caller_id in campaigns, and below caller_ids"
            )
        users: dict[str, Campaign] = {campaign.id: campaign for campaign, _ in allowed if name in campaign.caller_id.numbers}
        trunks = sorted({way.gateway for _, own in allowed for way in own if way.caller_id == name})
        asked = _asked(seen, "caller_id", name, users, trunks, now)
    _tell(session, asked)


def _ways(seen: Seen, installation: Installation) -> list[tuple[Campaign, list[Way]]]:
    """Every campaign that has not ended, with the ways by which it may call."""
    found = []
    for campaign in seen.campaigns().values():
        if campaign is not None:
            trunks = tuple(GatewayId(name) for name in campaign.gateways) or tuple(gateway.id for gateway in installation.gateways)
            found.append((campaign, ways(campaign, trunks)))
    return found


def _asked(seen: Seen, kind: str, name: str, users: Mapping[str, Campaign], beside: Sequence[str], now: float) -> Asked:
    everyone = list(seen.campaigns())
    calls = seen.calls_over(everyone, gateway=name if kind == "gateway" else None, caller_id=name if kind == "caller_id" else None, now=now)
    return Asked(kind, name, users, running(seen), calls, seen.deferred(list(users), now), now, beside)


# --- telling it -----------------------------------------------------------------------------------------------------------------------


def _tell(session: Session, asked: Asked) -> None:
    answer = _answer(asked)
    session.say(f"{asked.name}: {answer}")
    session.say(*(f"  {name:<9} {text}" for name, text in _facts(asked)))
    if asked.calls:
        session.table(
            ("WHEN", "CAMPAIGN", "CALLER ID" if asked.kind == "gateway" else "TRUNK", "OUTCOME", "CAUSE"), [_call(asked, call) for call in asked.calls]
        )
    else:
        session.say("  calls     none in the last 7 days")
    session.result(_json(asked, answer))


def _answer(asked: Asked) -> str:
    health = asked.health
    if asked.engine is None:
        return "NOT KNOWN: no daemon is running, and nobody watches its calls   start it: fs-dialer run"
    if health is None:
        return "OK: not used since the daemon started"
    since = f" since {said_when(health.since, asked.zone, asked.now)}" if health.since is not None else ""
    if health.health == "closed":
        return f"OK: {clean(health.said)}"
    if health.health == "open" and health.until > asked.now:
        return f"RESTS{since} until {said_when(health.until, asked.zone, asked.now)}: {clean(health.said)}"
    return f"ON TRIAL, it rested{since}: {clean(health.said)}"


def _facts(asked: Asked) -> list[tuple[str, str]]:
    facts = []
    trunk = next((each for each in asked.engine.trunks if each.name == asked.name), None) if asked.engine and asked.kind == "gateway" else None
    if trunk is not None:
        limit = f" of {trunk.lines}" if trunk.lines is not None else ""
        rate = f", {trunk.cps:g} calls a second" if trunk.cps is not None else ""
        facts.append(("lines", f"{trunk.legs}{limit} in use{rate}; lines and rate allow {trunk.room} more this moment"))
    users = ", ".join(asked.users) or "no campaign that may still call"
    facts.append(("used by", users))
    if asked.beside:
        facts.append(("shows" if asked.kind == "gateway" else "goes by", ", ".join(asked.beside)))
    waiting = sum(each.leads for each in asked.deferred)
    if waiting:
        first = said_when(min(each.asked_at for each in asked.deferred), asked.zone, asked.now)
        named = ", ".join(f"{each.leads:,} of {each.campaign}" for each in asked.deferred)
        facts.append(("deferred", f"{plural(waiting, 'lead')} found no healthy way: {named}; asked again from {first}"))
    return facts


def _call(asked: Asked, call: CallOver) -> tuple[str | Cell, ...]:
    cause = (call.cause or "-") + (f" ({call.sip_status})" if call.sip_status else "")
    outcome = Cell(call.outcome.replace("_", " "), "red" if call.outcome in FAULT_WORDS else "")
    beside = call.caller_id if asked.kind == "gateway" else call.gateway
    return (said_when(call.opened_at, asked.zone, asked.now), call.campaign, beside, outcome, cause)


def _json(asked: Asked, answer: str) -> dict[str, Any]:
    health = asked.health
    trunk = next((each for each in asked.engine.trunks if each.name == asked.name), None) if asked.engine and asked.kind == "gateway" else None
    return {
        "kind": asked.kind,
        "name": asked.name,
        "answer": answer,
        "daemon": asked.engine is not None,
        "health": health.health if health else None,
        "since": health.since if health else None,
        "until": health.until if health and health.health != "closed" else None,
        "said": health.said if health else "",
        "lines": None if trunk is None else {"legs": trunk.legs, "limit": trunk.lines, "cps": trunk.cps, "room": trunk.room},
        "campaigns": list(asked.users),
        "goes_with": list(asked.beside),
        "deferred": [{"campaign": each.campaign, "leads": each.leads, "asked_at": each.asked_at} for each in asked.deferred],
        "calls": [
            {
                "opened_at": call.opened_at,
                "campaign": call.campaign,
                "gateway": call.gateway,
                "caller_id": call.caller_id,
                "outcome": call.outcome,
                "cause": call.cause,
                "sip_status": call.sip_status,
                "failed": Outcome(call.outcome) in FAULTS,
            }
            for call in asked.calls
        ],
        "zone": asked.zone,
        "now": asked.now,
    }
