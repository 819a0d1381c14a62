"""What the tests of the core are built from: leads, campaigns, agents, engines with plausible settings, and a desk to tell an engine's story at.

Everything has a default, so that a test names only what it is about: a_lead(zones=("Europe/Madrid",)), a_campaign(lines=2), a_dialer(agents=2).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any, TypeVar

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.call_words import Call, Plan
from fs_dialer.core.definition import (
    AgentDefinition,
    Attempts,
    Campaign,
    CampaignAgents,
    GatewayDefinition,
    Installation,
    LeadsSource,
    Waiting,
    Window,
    WrapUp,
)
from fs_dialer.core.dialer import Dialer
from fs_dialer.core.mode_port import Decision, Flow, Mode, Observation, View
from fs_dialer.core.model import (
    AgentId,
    AgentState,
    AgentStatus,
    AttemptId,
    CampaignId,
    CampaignState,
    CampaignType,
    GatewayId,
    Lead,
    LeadId,
    LeadStatus,
    LegFacts,
    LegId,
    LegKind,
    Outcome,
    SwitchId,
)
from fs_dialer.core.resources import CallerIds
from fs_dialer.core.snapshot import AgentView, CampaignView

NOON = 1_780_000_000.0  # a Thursday in May 2026, 20:26 UTC
SWITCH = SwitchId("main")
CARRIER = GatewayId("carrier")
SPRING = CampaignId("spring")
ANA, BOB, EVA = AgentId("ana"), AgentId("bob"), AgentId("eva")
NAMES = ("ana", "bob", "eva", "dan", "fay", "gus", "hal", "ida", "joe", "kim")
UTC_SET = ("UTC",)
A = TypeVar("A", bound=act.Action)


def a_lead(id: int = 1, *, campaign: str = "spring", zones: tuple[str, ...] = UTC_SET, status: LeadStatus = LeadStatus.NEW, **more: Any) -> Lead:
    return Lead(LeadId(id), CampaignId(campaign), f"+346{id:08d}", zones, status, **more)


def some_leads(count: int, *, first: int = 1, campaign: str = "spring") -> tuple[Lead, ...]:
    return tuple(a_lead(n, campaign=campaign) for n in range(first, first + count))


def a_campaign(id: str = "spring", *, people: Iterable[str] = ("ana", "bob"), type: CampaignType = CampaignType.PROGRESSIVE, **more: Any) -> Campaign:
    """`at_most_s`, `notice`: of the waiting; `join`: leads may come later; `start`, `end`: of the window; the rest are fields of Campaign."""
    waiting = Waiting(at_most_s=more.pop("at_most_s", 20.0), notice=more.pop("notice", None))
    window = Window(start=more.pop("start", None), end=more.pop("end", None), zone="UTC")
    leads = LeadsSource(new_rows="join" if more.pop("join", False) else "leave")
    attempts = more.pop("attempts", None) or Attempts(max=more.pop("max_attempts", 3), gap_s=more.pop("gap_s", 600.0))
    more.setdefault("revision", 1)
    if "wrap_up_s" in more:
        more["wrap_up"] = WrapUp(time_s=more.pop("wrap_up_s"))
    return Campaign(
        id=CampaignId(id),
        type=type,
        agents=more.pop("agents", None) or CampaignAgents(people=tuple(people), screen=more.pop("screen", "not_needed"), next=more.pop("next", "longest_idle")),
        caller_id=more.pop("caller_id", CallerIds(numbers=("+34910000000",))),
        waiting=waiting,
        window=window,
        leads=leads,
        attempts=attempts,
        **more,
    )


def an_agent(id: str = "ana", leg: LegKind = LegKind.PER_CALL, **more: Any) -> AgentDefinition:
    return AgentDefinition(id=AgentId(id), dial_string=more.pop("dial_string", f"user/{id}"), leg=leg, **more)


def an_installation(*, lines: int = 100, cps: float = 30.0, gateways: Iterable[GatewayDefinition] = ()) -> Installation:
    return Installation(lines=lines, cps=cps, gateways=tuple(gateways) or (GatewayDefinition(id=CARRIER),))


def a_plan(**changes: Any) -> Plan:
    plan = Plan("lead", "reserved_agent", None, ring_timeout_s=25.0, agent_ring_s=30.0, max_wait_s=20.0, music="moh", notice=None)
    return replace(plan, **changes)


def a_call(plan: Plan | None = None, **changes: Any) -> Call:
    return replace(Call(AttemptId("c1"), SPRING, a_lead(), LegId("lead-1"), plan or a_plan()), **changes)


@dataclass
class AnyMode:
    """A campaign type whose flow a test chooses: places one call per leased agent, or what `originate` says; remembers what it was shown."""

    TYPE: CampaignType
    chosen: Flow
    originate: int | None = None
    Options: type = object

    def flow(self, campaign: Campaign) -> Flow:
        return self.chosen

    def new_memory(self, campaign: Campaign) -> list[Observation]:
        return []

    def observe(self, memory: list[Observation], seen: Observation, now: float) -> list[Observation]:
        memory.append(seen)
        return memory

    def decide(self, view: View, now: float, campaign: Campaign, memory: Any) -> Decision:
        wanted = view.idle if self.originate is None else max(0, self.originate - view.ringing - view.on_hold)
        return Decision(originate=min(wanted, view.room), because="a test says so")


def modes(flows: Mapping[CampaignType, Flow] | None = None, originate: int | None = None) -> dict[CampaignType, Mode]:
    chosen: dict[CampaignType, Mode] = {CampaignType.PROGRESSIVE: AnyMode(CampaignType.PROGRESSIVE, Flow())}
    for type_, flow in (flows or {}).items():
        chosen[type_] = AnyMode(type_, flow, originate)
    return chosen


def a_bare_dialer(seed: int = 7, offered: Mapping[CampaignType, Mode] | None = None) -> Dialer:
    numbers = itertools.count(1)
    return Dialer(offered or modes(), rng=Random(seed), new_id=lambda: f"id-{next(numbers)}")


class Desk:
    """An engine and the hours of a test: tell it events, let time pass, read what it wanted. Invariants are checked after every step."""

    def __init__(self, dialer: Dialer, now: float = NOON) -> None:
        self.dialer, self.now = dialer, now
        self.wanted: list[act.Action] = []  # everything since the last clear
        self.commands = itertools.count(1)

    def tell(self, *events: ev.Event) -> list[act.Action]:
        """The actions that these events brought, in order."""
        got: list[act.Action] = []
        for event in events:
            got += self.dialer.handle(event, self.now)
            self.dialer.check_invariants()
        self.wanted += got
        return got

    def wait(self, seconds: float) -> list[act.Action]:
        """Let time pass, waking the engine whenever it wants to be woken."""
        end, got = self.now + seconds, []
        while (at := self.dialer.next_wakeup()) is not None and at <= end:
            self.now = max(self.now, at)
            got += self.tell(ev.Tick())
        self.now = end
        return got + self.tell(ev.Tick())

    def all(self, kind: type[A]) -> list[A]:
        return [action for action in self.wanted if isinstance(action, kind)]

    def last(self, kind: type[A]) -> A:
        found = self.all(kind)
        assert found, f"no {kind.__name__} among {self.wanted}"
        return found[-1]

    def clear(self) -> None:
        self.wanted.clear()

    # --- short ways to say what often happens -----------------------------------------------------------------------------------------

    def agent(self, id: str = "ana") -> AgentView:
        return next(a for a in self.dialer.snapshot().agents if a.id == id)

    def state_of(self, id: str = "ana") -> AgentState:
        return self.agent(id).state

    def campaign(self, id: str = "spring") -> CampaignView:
        return next(c for c in self.dialer.snapshot().campaigns if c.id == id)

    def outcomes(self, id: str = "spring") -> dict[Outcome, int]:
        return {outcome: count for outcome, count in self.campaign(id).outcomes.items() if count}

    def claimed(self, *leads: Lead, campaign: str = "spring", next_ready_at: float | None = None, unfinished: bool = True) -> list[act.Action]:
        return self.tell(ev.LeadsClaimed(CampaignId(campaign), leads, next_ready_at, unfinished))

    def command(self, kind: type[ev.CommandEvent], *args: Any) -> act.Reply:
        """Send an operator's command; its answer."""
        self.tell(kind(f"cmd-{next(self.commands)}", "olga", *args))  # type: ignore[arg-type]
        return self.last(act.Reply)

    def created(self, leg: LegId, *, attempt: AttemptId | None = None, agent: AgentId | None = None) -> list[act.Action]:
        return self.tell(ev.LegCreated(leg, SWITCH, None, attempt, agent))

    def up(self, leg: LegId) -> list[act.Action]:
        """A leg exists, rings, is answered and parked."""
        return self.tell(ev.LegCreated(leg, SWITCH, None, None, None), ev.LegRang(leg, False), ev.LegAnswered(leg), ev.LegParked(leg))

    def over(self, leg: LegId, cause: str = "NORMAL_CLEARING", sip_status: int | None = None) -> list[act.Action]:
        """A leg ends and is destroyed."""
        return self.tell(ended(leg, cause, sip_status), ev.LegDestroyed(leg))

    def nail(self, id: str = "ana") -> LegId:
        """Answer and park the nailed leg that was asked for this agent."""
        leg = next(a.leg for a in reversed(self.all(act.OriginateAgent)) if a.nailed and a.agent == id)
        self.up(leg)
        return leg


def ended(leg: LegId, cause: str = "NORMAL_CLEARING", sip_status: int | None = None, *, answered: bool = False) -> ev.LegEnded:
    return ev.LegEnded(leg, cause, sip_status, None, False, answered)


def facts(leg: LegId, *, answered: bool = True, bridged_to: LegId | None = None, attempt: str | None = None, agent: str | None = None) -> LegFacts:
    return LegFacts(leg, SWITCH, None, AttemptId(attempt) if attempt else None, AgentId(agent) if agent else None, answered, bridged_to)


def a_desk(
    *,
    agents: int = 2,
    leg: LegKind = LegKind.PER_CALL,
    campaigns: Iterable[Campaign] = (),
    state: CampaignState = CampaignState.RUNNING,
    installation: Installation | None = None,
    offered: Mapping[CampaignType, Mode] | None = None,
    linked: bool = True,
    seed: int = 7,
    zone_sets: tuple[tuple[str, ...], ...] = (UTC_SET,),
) -> Desk:
    """An engine with agents logged in, campaigns loaded and the switch linked; nothing claimed yet."""
    desk = Desk(a_bare_dialer(seed, offered))
    desk.tell(ev.InstallationLoaded(installation or an_installation()))
    for name in NAMES[:agents]:
        desk.tell(ev.AgentLoaded(an_agent(name, leg), AgentStatus.AVAILABLE))
    for campaign in tuple(campaigns) or (a_campaign(people=NAMES[:agents]),):
        desk.tell(ev.CampaignLoaded(campaign, state, state is CampaignState.RUNNING, zone_sets))
    if linked:
        desk.tell(ev.SwitchUp(SWITCH, ()), ev.ReconcileDone(SWITCH))
    return desk


def a_dialling_desk(leads: int = 2, **more: Any) -> Desk:
    """A desk with nailed agents parked (where they are nailed) and this many leads claimed."""
    desk = a_desk(**more)
    if more.get("leg") is LegKind.NAILED:
        for name in NAMES[: more.get("agents", 2)]:
            desk.nail(name)
    desk.claimed(*some_leads(leads))
    return desk


# --- stories' beginnings --------------------------------------------------------------------------------------------------------------

MUSIC = {CampaignType.PREDICTIVE: Flow(on_answer="music_then_agent", reserve_agent=False)}


def placed(desk: Desk, index: int = -1) -> act.OriginateLead:
    return desk.all(act.OriginateLead)[index]


def closed(desk: Desk) -> list[tuple[Outcome, LeadStatus]]:
    return [(a.result.outcome, a.update.status) for a in desk.all(act.CloseAttempt)]


def talking(leg: LegKind = LegKind.NAILED, **more: object) -> tuple[Desk, act.OriginateLead]:
    """One agent who talks with the only lead."""
    desk = a_dialling_desk(1, agents=1, leg=leg, **more)
    call = placed(desk)
    desk.up(call.leg)
    if leg is LegKind.PER_CALL:
        desk.up(desk.last(act.OriginateAgent).leg)
    desk.tell(ev.LegBridged(call.leg, desk.last(act.Bridge).agent_leg))
    return desk, call
