"""The engine's own gates (caller id, lines, agents), as the running daemon last told them: read from its snapshot, and asked for one campaign or lead.

Knows the snapshot's JSON (snapshot.as_json) and nothing of where it is kept. A daemon of another version may have left a key out: what it did not tell is
not asked, and never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fs_dialer.core.caller_ids import Way, sticky_to, ways
from fs_dialer.core.definition import Campaign
from fs_dialer.core.leads import AGENTS, CALLER_ID, LINES, Check
from fs_dialer.core.model import CampaignType, GatewayId, Lead

OPEN = "open"  # a breaker that lets nothing through
NO_AGENT_FIRST = frozenset({CampaignType.AUTOCALL})  # dialled without an agent
AHEAD_OF_AGENTS = frozenset({CampaignType.PREDICTIVE})  # dialled before an agent is free


@dataclass(frozen=True, slots=True)
class Health:
    """A caller id's or gateway's breaker. health: closed, open, half_open; since, until: epoch seconds; said: in the daemon's words."""

    kind: str
    name: str
    health: str
    since: float | None
    until: float
    said: str


@dataclass(frozen=True, slots=True)
class Trunk:
    """A gateway now: legs on it, ours or not; limits None = none; room: more allowed now."""

    name: str
    legs: int
    lines: int | None
    cps: float | None
    room: int


@dataclass(frozen=True, slots=True)
class Crew:
    """One campaign in the engine's eyes. crew: agents named; staying: of these available and reachable; idle: of these free now."""

    because: str
    lines: int
    lines_limit: int | None
    waiting: int
    hopper: int
    crew: int
    staying: int
    idle: int
    promised: int
    flow: str = ""  # why its calls may not be placed for want of its IVR flow in the switch


@dataclass(frozen=True, slots=True)
class Engine:
    """A running daemon's last word. `campaign` None: it has not read that campaign yet."""

    switch_up: bool
    store_up: bool
    draining: bool
    legs: int
    legs_limit: int
    room: int
    campaign: Crew | None
    breakers: tuple[Health, ...]
    trunks: tuple[Trunk, ...]
    idle_agents: frozenset[str]
    drained: bool = False  # no switch that is linked gets new calls

    @property
    def stops(self) -> str:
        """Why no campaign at all gets a new call, "" = it may."""
        if not self.store_up:
            return "the daemon can not reach the database: no new calls"
        if not self.switch_up:
            return "the switch is not connected: no new calls"
        if self.draining:
            return "the daemon is stopping: no new calls"
        return "every switch that is there is drained: no new calls" if self.drained else ""

    def health(self, kind: str, name: str) -> Health | None:
        return next((each for each in self.breakers if (each.kind, each.name) == (kind, name)), None)


def engine(snapshot: Mapping[str, Any], campaign: str = "") -> Engine:
    """What a snapshot says, of one campaign or ("") of none."""
    view = next((each for each in snapshot.get("campaigns", ()) if each["id"] == campaign), None)
    return Engine(
        bool(snapshot["switch_up"]),
        bool(snapshot["store_up"]),
        bool(snapshot["draining"]),
        int(snapshot["legs"]),
        int(snapshot["legs_limit"]),
        int(snapshot.get("room", 0)),
        None if view is None else _crew(view),
        tuple(Health(b["kind"], b["name"], b["health"], b["opened_at"], float(b["until"]), b["said"]) for b in snapshot.get("breakers", ())),
        tuple(Trunk(g["id"], g["legs"], g["lines"], g["cps"], g["room"]) for g in snapshot.get("gateways", ())),
        frozenset(a["id"] for a in snapshot.get("agents", ()) if a["state"] == "idle" and a["status"] == "available"),
        drained=all_drained(snapshot),
    )


def all_drained(snapshot: Mapping[str, Any]) -> bool:
    ready = [each for each in snapshot.get("switches", ()) if each["ready"]]
    return bool(ready) and all(each["drained_since"] is not None for each in ready)


def _crew(view: Mapping[str, Any]) -> Crew:
    told = {name: int(view.get(name, 0)) for name in ("lines", "waiting", "hopper", "crew", "staying", "idle", "promised")}
    return Crew(because=str(view["because"]), lines_limit=view.get("lines_limit"), flow=str(view.get("flow", "")), **told)


def caller_id_check(seen: Engine, campaign: Campaign, lead: Lead | None, now: float) -> Check | None:
    """Is any way open by which this lead, or (None) any lead, may be called (S57, X7)? None where the daemon knows no gateway."""
    allowed: Sequence[Way] = ways(campaign, tuple(GatewayId(name) for name in campaign.gateways) or tuple(GatewayId(t.name) for t in seen.trunks))
    sticky = "" if lead is None else sticky_to(campaign, lead, allowed)
    if sticky:
        allowed = [way for way in allowed if way.caller_id == sticky]
    if not seen.trunks:
        return None
    if not allowed:
        return Check(CALLER_ID, False, "no gateway may carry this campaign's caller id")
    resting = [[each for each in _of(seen, way) if each.health == OPEN and each.until > now] for way in allowed]
    fine = next((way for way, rests in zip(allowed, resting, strict=True) if not rests), None)
    if fine is not None:
        told = seen.health("caller_id", fine.caller_id)
        return Check(CALLER_ID, True, f"{fine.caller_id}, {told.said if told else 'no calls yet'}")
    first = min(resting, key=lambda rests: max(each.until for each in rests))
    worst = max(first, key=lambda each: each.until)
    return Check(CALLER_ID, False, f"{worst.kind.replace('_', ' ')} {worst.name}: {worst.said}", worst.until)


def _of(seen: Engine, way: Way) -> list[Health]:
    return [each for each in (seen.health("caller_id", way.caller_id), seen.health("gateway", way.gateway)) if each is not None]


def lines_check(seen: Engine, campaign: Campaign) -> Check:
    """Is a line free, of the installation, of the campaign and of one of its gateways (D2, S41, S58)? None is used for a flow that the switch does not have."""
    crew = seen.campaign
    if crew is not None and crew.flow:
        return Check(LINES, False, crew.flow)
    if crew is not None and crew.lines_limit is not None and crew.lines >= crew.lines_limit:
        return Check(LINES, False, f"all {crew.lines_limit} lines of the campaign are in use")
    if seen.room <= 0:
        return Check(LINES, False, f"{seen.legs} of {seen.legs_limit} lines are in use, or the calls per second are used up")
    own = [trunk for trunk in seen.trunks if not campaign.gateways or trunk.name in campaign.gateways]
    if own and all(trunk.room <= 0 for trunk in own):
        return Check(LINES, False, f"gateway {', '.join(trunk.name for trunk in own)}: lines or calls per second are used up")
    return Check(LINES, True, f"{seen.legs} of {seen.legs_limit} in use")


def agents_check(seen: Engine, campaign: Campaign, lead: Lead | None, now: float, kept_s: float) -> Check | None:
    """Is an agent there for it? None for types that are dialled without. kept_s: so long a promised callback waits for its own agent."""
    crew = seen.campaign
    if crew is None or campaign.type in NO_AGENT_FIRST:
        return None
    if lead is not None and lead.agent is not None and now < lead.ready_at + kept_s and lead.agent not in seen.idle_agents:
        return Check(AGENTS, False, f"promised by {lead.agent}, who is not free; then anyone calls", lead.ready_at + kept_s)
    counted = f"{crew.idle} of {crew.crew} agents idle"
    if campaign.type in AHEAD_OF_AGENTS:
        return Check(AGENTS, crew.staying > 0, counted if crew.staying else f"no agent is logged in and available, of {crew.crew}")
    return Check(AGENTS, crew.idle > 0, counted)
