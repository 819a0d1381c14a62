"""An eight-hour day of 100 agents through the engine: core events in virtual time.

The world is as small as it can be and still tell the truth of a progressive day: per lead it draws once who answers and when, and hands the engine the
events that a switch would send, in a switch's order. Its own time is counted too. Memory is read after the first hour and at the end.
"""

from __future__ import annotations

import heapq
import resource
import time
from pathlib import Path
from random import Random

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.definition import AgentDefinition, Campaign, CampaignAgents, GatewayDefinition, Installation
from fs_dialer.core.dialer import Dialer
from fs_dialer.core.model import AgentId, AgentStatus, CampaignId, CampaignState, CampaignType, GatewayId, Lead, LeadId, LegId, LegKind, SwitchId
from fs_dialer.core.resources import CallerIds
from fs_dialer.modes import OFFERED
from fs_dialer.runtime.ids import engine_sources

TITLE = "an 8-hour day of 100 agents through the engine, in virtual time"
AGENTS = 100
HOURS = 8
ANSWER = 0.4  # the world of the pacing study: of the others a quarter is busy after 1–3 s, the rest rings out
BUSY = (1 - ANSWER) / 4
SWITCH = SwitchId("main")
GATEWAY = GatewayId("trunk1")
CAMPAIGN = CampaignId("day")


class World:
    """Leads without end, and a switch that does what it is told."""

    def __init__(self, dialer: Dialer, seed: int) -> None:
        self.dialer, self.rng = dialer, Random(seed)
        self.heap: list[tuple[float, int, ev.Event]] = []
        self.count = 0
        self.leads = 0
        self.up: dict[LegId, bool] = {}
        self.attempts = 0
        self.events = 0

    def later(self, at: float, event: ev.Event) -> None:
        self.count += 1
        heapq.heappush(self.heap, (at, self.count, event))

    def give(self, event: ev.Event, now: float) -> None:
        self.events += 1
        for action in self.dialer.handle(event, now):
            self.do(action, now)

    def do(self, action: act.Action, now: float) -> None:
        if isinstance(action, act.ClaimLeads):
            leads = tuple(Lead(LeadId(self.leads + i), CAMPAIGN, f"+1555{self.leads + i:07d}", ("UTC",)) for i in range(action.count))
            self.leads += action.count
            self.later(now, ev.LeadsClaimed(CAMPAIGN, leads, None, True))
        elif isinstance(action, act.OriginateLead):
            self.attempts += 1
            self.lead_leg(action.leg, now)
        elif isinstance(action, act.OriginateAgent):
            self.later(now, ev.LegCreated(action.leg, SWITCH, None, None, action.agent))
            self.later(now + 2, ev.LegAnswered(action.leg))
            self.later(now + 2, ev.OriginateSucceeded(action.leg, action.leg))
            self.later(now + 2, ev.LegParked(action.leg))
        elif isinstance(action, act.Bridge):
            talk = now + self.rng.lognormvariate(4.44, 0.83)
            self.later(now + 0.04, ev.LegBridged(action.leg, action.agent_leg))
            self.later(talk, ev.LegUnbridged(action.leg, action.agent_leg))
            self.later(talk, ev.LegParked(action.agent_leg))
            self.end(talk, action.leg, "NORMAL_CLEARING", None)

    def lead_leg(self, leg: LegId, now: float) -> None:
        rng = self.rng
        self.later(now, ev.LegCreated(leg, SWITCH, GATEWAY, None, None))
        if rng.random() < BUSY:
            self.end(now + rng.uniform(1, 3), leg, "USER_BUSY", 486)
            return
        self.later(now + 0.5, ev.LegRang(leg, early=False))
        if rng.random() < ANSWER / (1 - BUSY):
            at = now + rng.lognormvariate(2.09, 0.47)
            self.later(at, ev.LegAnswered(leg))
            self.later(at, ev.OriginateSucceeded(leg, leg))
            self.later(at, ev.LegParked(leg))
        else:
            self.end(now + 25, leg, "NO_ANSWER", None)

    def end(self, at: float, leg: LegId, cause: str, status: int | None) -> None:
        self.later(at, ev.LegEnded(leg, cause, status, None, False, False))
        self.later(at, ev.LegDestroyed(leg))


def day(hours: float, seed: int = 1) -> dict[str, float | None]:
    """Run it; CPU seconds of the whole process, engine and world together."""
    rng, new_id = engine_sources(seed)
    dialer = Dialer(OFFERED, rng=rng, new_id=new_id)
    world = World(dialer, seed)
    start = 1_800_000_000.0
    people = tuple(f"agent-{n}" for n in range(AGENTS))
    campaign = Campaign(id=CAMPAIGN, type=CampaignType.PROGRESSIVE, caller_id=CallerIds(numbers=("+15550100000",)), agents=CampaignAgents(people=people))
    began = time.process_time()
    world.give(ev.InstallationLoaded(Installation(lines=1000, cps=100, gateways=(GatewayDefinition(id=GATEWAY),))), start)
    for person in people:
        definition = AgentDefinition(id=AgentId(person), dial_string=f"user/{person}", leg=LegKind.NAILED)
        world.give(ev.AgentLoaded(definition, AgentStatus.AVAILABLE), start)
    world.give(ev.CampaignLoaded(campaign, CampaignState.RUNNING, True, (("UTC",),)), start)
    world.give(ev.SwitchUp(SWITCH, ()), start)
    world.give(ev.ReconcileDone(SWITCH), start)
    after_hour = 0.0
    while True:
        wakeup = dialer.next_wakeup()
        at = min(world.heap[0][0] if world.heap else float("inf"), float("inf") if wakeup is None else wakeup)
        if at >= start + hours * 3600:
            break
        if not after_hour and at >= start + 3600:
            after_hour = rss_mb()
        if world.heap and world.heap[0][0] <= at:
            world.give(heapq.heappop(world.heap)[2], at)
        else:
            world.give(ev.Tick(), at)
    cpu = time.process_time() - began
    dialer.check_invariants()
    return {
        "realtime_factor": hours * 3600 / cpu,
        "cpu_s": cpu,
        "events": float(world.events),
        "attempts": float(world.attempts),
        "us_per_event": cpu / world.events * 1e6,
        "rss_after_1h_mb": after_hour,
        "rss_at_end_mb": rss_mb(),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def rss_mb() -> float:
    """Resident memory now, from /proc."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def run() -> dict[str, float | None]:
    return day(HOURS)


def table(figures: dict[str, float | None]) -> str:
    f = {key: value if value is not None else 0.0 for key, value in figures.items()}
    return "\n".join(
        (
            f"{AGENTS} agents, {HOURS} hours: {f['attempts']:,.0f} attempts, {f['events']:,.0f} events",
            f"  CPU              {f['cpu_s']:8.1f} s     {f['us_per_event']:.1f} µs an event",
            f"  faster than life {f['realtime_factor']:8,.0f} x     aim ≥ 3000",
            f"  memory           {f['rss_after_1h_mb']:8.1f} MB after an hour, {f['rss_at_end_mb']:.1f} MB at the end, peak {f['peak_rss_mb']:.1f} MB",
        )
    )
