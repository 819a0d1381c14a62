"""Predictive: more calls than free agents, so that agents hardly wait, under a ceiling of missed calls (S39–S49, M6).

How many calls to place is the pacer's (pacer.py, free of engine types); here it meets the engine: which limit, which hours and which waiting time hold for
a campaign now, and what is kept of it. Knows neither leads nor trunks.

Memory. new_memory() gives one, and observe() and decide() change it in place. It is a mapping of JSON values, those of at most ten seconds ago; save() gives
the present ones. A mapping that comes back from the database may be handed to observe() or restore(): the pacer goes on warm. Within one day of the
campaign's zone the budget of missed calls goes on too; another day begins with its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import CampaignType, Lead
from fs_dialer.core.options import option, section
from fs_dialer.core.schedule import dial_verdict, zone_of
from fs_dialer.modes import base
from fs_dialer.modes.lead_odds import LeadOdds
from fs_dialer.modes.pacer import Decision, Pacer, View

__all__ = [
    "Decision",
    "Memory",
    "Missed",
    "Options",
    "Pacer",
    "View",
    "decide",
    "explain",
    "flow",
    "lead_odds",
    "lead_parts",
    "learn",
    "new_memory",
    "observe",
    "recount",
    "restore",
    "save",
]

TYPE = CampaignType.PREDICTIVE

DAY_S = 86400.0
PATIENT_S = 10.0  # people hang up: a longer waiting.at_most lets more of them be served, and is nothing to plan with
BELOW_MAX = 0.95  # what is steered for where the admin names only the ceiling
REFRESH_S = 10.0  # how old the JSON values of a memory may be
AGENT_ANSWERS = 64  # newest, for the 90th percentile of how long agents' phones ring
HOURS_AGAIN_S = 600.0  # after it, or at their end, the hours are looked at again
EARLY_MOST = 10_000  # events kept until the first decision tells which campaign they are of


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """The ceiling of missed calls (D1)."""

    max: float = option(0.03, kind="rate", low=0.001, high=0.5, help="Most missed calls among those a person answered.", spec="S39 S40")
    aim: float | None = option(None, kind="rate", low=0.0005, high=0.5, help="What the pacer steers for; left out = a little below max.", spec="S40 S43")
    over_s: float = option(30 * DAY_S, kind="duration", key="over", low=DAY_S, high=366 * DAY_S, help="Over which time the ceiling holds.", spec="D1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    missed: Missed = section(Missed, short="max", help="How many calls may be missed.", spec="S39")
    remedy: bool = option(
        False, kind="flag", help="`yes`: whose call was missed is called again first, with an agent kept free for him, as soon as gap and profile allow."
    )
    by_lead: bool = option(True, kind="flag", help="`yes`: how likely each lead answers is learnt from hour, attempts and earlier outcomes; `no`: all alike.")
    pickup_rate: float | None = option(
        None, kind="rate", low=0.01, high=1.0, help="How likely a customer answers, as a first guess; what is seen soon outweighs it.", spec="M6 M7"
    )


class Memory(dict[str, Any]):
    """What a predictive campaign has learnt: the live pacer, and its JSON values as of the last refresh."""

    def __init__(self, saved: Mapping[str, Any] | None = None) -> None:
        super().__init__(saved or {})
        self.pacer: Pacer | None = None
        self.early: list[tuple[str, float, float | None]] = []
        self.agent_rings = _seconds(self.get("agent_answer_s"))
        self.odds = LeadOdds(state=self.get("leads"))
        self.by_lead = True
        self.decided: dict[str, float] = {}  # when, and on which counts, the last decision was made
        self.of: tuple[object, ...] = ()
        self.ask_again_at = -math.inf  # when the hours must be looked at again
        self.refreshed_at = -math.inf

    def refresh(self, now: float) -> None:
        """Takes about a fifth of a millisecond."""
        if self.pacer is not None:
            self.refreshed_at = now
            self.update(agent_answer_s=list(self.agent_rings), pacer=self.pacer.state(), leads=self.odds.state())

    @property
    def agent_answer_s(self) -> float:
        """How long an agent takes to answer, nine times of ten; 0 where nobody's phone rings (nailed legs)."""
        rings = sorted(self.agent_rings)
        return rings[int(0.9 * (len(rings) - 1))] if rings else 0.0


def flow(campaign: Campaign) -> base.Flow:
    """The customer first; whoever answered hears music until an agent is there (S44, S45)."""
    return base.Flow(first_leg="lead", on_answer="music_then_agent", reserve_agent=False)


def new_memory(campaign: Campaign) -> Memory:
    return Memory()


def restore(campaign: Campaign, saved: Mapping[str, Any] | None, now: float) -> Memory:
    """The memory that save() gave, live again; a new one where nothing was saved. What cannot be read of it is begun anew."""
    memory = Memory(saved)
    _awake(memory, campaign, now)
    return memory


def save(memory: Mapping[str, Any]) -> dict[str, Any]:
    """The present JSON values, a copy."""
    if isinstance(memory, Memory) and memory.pacer is not None:
        memory.refresh(memory.refreshed_at)
    return dict(memory)


def recount(memory: Memory, answered: int, missed: int) -> None:
    """Today's answered and missed calls as the store has them, after restore(): what was saved may be ten seconds older than a crash."""
    if memory.pacer is not None:
        memory.pacer.recount(answered, missed)


def observe(memory: Mapping[str, Any] | None, seen: base.Observation, now: float) -> Memory:
    """Besides the pacer's own kinds: `agent_answered`, age_s = how long the agent's phone rang; it shortens the time a customer's answer leaves."""
    live = memory if isinstance(memory, Memory) else Memory(memory)
    if seen.kind == "agent_answered":
        if seen.age_s is not None and math.isfinite(seen.age_s) and seen.age_s >= 0:
            live.agent_rings = [*live.agent_rings[1 - AGENT_ANSWERS :], seen.age_s]
    elif live.pacer is not None:
        live.pacer.observe(seen.kind, now, seen.age_s)
    elif len(live.early) < EARLY_MOST:
        live.early.append((seen.kind, now, seen.age_s))
    return live


def decide(view: base.View, now: float, campaign: Campaign, memory: Mapping[str, Any] | None) -> base.Decision:
    live = memory if isinstance(memory, Memory) else Memory(memory)
    pacer = _awake(live, campaign, now)
    clocks = view.clocks()
    queued = max(0, view.ringing - len(clocks.ringing))  # placed, and not dialled yet
    ringing = [*clocks.ringing, *[(now, None)] * queued]
    decision = pacer.calls_to_place(View(view.idle, view.on_hold, ringing, clocks.talking, clocks.wrapping, view.agents, view.room), now)
    if not now - live.refreshed_at < REFRESH_S:
        live.refresh(now)
    live.decided = {"decided_at": now, "idle": view.idle, "on_hold": view.on_hold, "ringing": len(ringing), "room": view.room}
    return base.Decision(originate=decision.n, because=decision.because)


def explain(memory: Mapping[str, Any], now: float) -> dict[str, Any]:
    """What the last decision was made of; {} before the first one."""
    if not isinstance(memory, Memory) or memory.pacer is None:
        return {}
    odds = memory.odds
    by_lead = {"on": memory.by_lead, "used": odds.counts, "calls": odds.calls, "rate": odds.rate, "features": odds.weights}
    return {**memory.pacer.explain(now), **memory.decided, "agent_answer_s": memory.agent_answer_s, "by_lead": by_lead}


def lead_odds(memory: Mapping[str, Any] | None, lead: Lead, now: float) -> float | None:
    """How likely this lead is answered if it is called now; None = nothing better is known than the campaign's rate, or the admin wants all leads alike."""
    return memory.odds.of(lead, now) if isinstance(memory, Memory) and memory.by_lead else None


def lead_parts(saved: Mapping[str, Any], campaign: Campaign, lead: Lead, now: float) -> dict[str, Any] | None:
    """What makes a lead's chance, by a saved memory; probability None = the campaign's `rate`. None where leads are all alike by the admin's word."""
    options = campaign.options
    if isinstance(options, Options) and not options.by_lead:
        return None
    odds = LeadOdds(state=saved.get("leads"))
    return {"probability": odds.of(lead, now), "rate": odds.rate, "calls": odds.calls, "made_of": [part._asdict() for part in odds.parts(lead, now)]}


def learn(memory: Mapping[str, Any] | None, lead: Lead, answered: bool, now: float) -> None:
    """A call of this lead ended, answered by a person or by nobody. Calls that failed by our or the network's fault are neither."""
    if isinstance(memory, Memory) and memory.by_lead:
        memory.odds.learn(lead, answered, now)


def limit_of(campaign: Campaign) -> float:
    """The missed rate that is steered for: the admin's aim, or a little below the ceiling; never above campaign's and profile's ceilings (D10)."""
    options = campaign.options
    missed = options.missed if isinstance(options, Options) else Missed()
    ceilings = [missed.max] if campaign.compliance.missed_max is None else [missed.max, campaign.compliance.missed_max]
    return min(BELOW_MAX * min(ceilings) if missed.aim is None else missed.aim, *ceilings, 1.0)


def _awake(memory: Memory, campaign: Campaign, now: float) -> Pacer:
    """The pacer for this campaign as it is defined now and for this day's hours; what was learnt goes on from the one before."""
    limit, wait = limit_of(campaign), max(0.0, min(campaign.connect_within_s, PATIENT_S) - memory.agent_answer_s)
    pacer = memory.pacer
    if pacer is not None and now < memory.ask_again_at and memory.of[:2] == (campaign.revision, limit):
        pacer.max_wait_s = wait
        return pacer
    day = datetime.fromtimestamp(now, zone_of(campaign.window.zone)).date().isoformat()
    if memory.get("day") != day or not isinstance(memory.get("started"), int | float):
        memory["day"], memory["started"] = day, now
    hours = dial_verdict(campaign, (), now)
    ends = [end for end in (hours.until if hours.open else None, campaign.window.end) if end is not None and end > now]
    end = min(ends, default=None)
    memory.ask_again_at = now + HOURS_AGAIN_S if end is None else min(now + HOURS_AGAIN_S, end)
    of = (campaign.revision, limit, memory["started"], end)
    if pacer is None or memory.of != of:
        memory.by_lead = not isinstance(campaign.options, Options) or campaign.options.by_lead
        options, state = campaign.options, memory.get("pacer") if pacer is None else pacer.state()
        pickup_rate = options.pickup_rate if isinstance(options, Options) else None
        pacer = Pacer(limit, wait, 0, float(memory["started"]), end, pickup_rate, state if isinstance(state, Mapping) else None)
        memory.pacer, memory.of = pacer, of
    pacer.max_wait_s = wait
    for kind, at, age_s in memory.early:
        pacer.observe(kind, at, age_s)
    memory.early = []
    return pacer


def _seconds(values: object) -> list[float]:
    return [float(v) for v in values if isinstance(v, int | float) and math.isfinite(v) and v >= 0][-AGENT_ANSWERS:] if isinstance(values, list) else []
