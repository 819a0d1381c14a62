"""Everything the engine knows at one moment, and the few operations that keep it consistent. Changed only while Dialer.handle runs."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from random import Random
from typing import Any

from fs_dialer.core import agent as agent_machine
from fs_dialer.core import call_words as call_inputs
from fs_dialer.core.actions import Action, Hangup, Note, StoreAgentStatus
from fs_dialer.core.agent_picture import AgentPicture, LastCall
from fs_dialer.core.agent_times import Clocks
from fs_dialer.core.caller_ids import Breakers, Way, ways
from fs_dialer.core.campaign import Life
from fs_dialer.core.definition import Campaign, Installation
from fs_dialer.core.fleet import Fleet
from fs_dialer.core.limits import Ledger
from fs_dialer.core.mode_port import NOT_DIALLED, Flow, Mode, Observation
from fs_dialer.core.model import (
    AgentId,
    AgentState,
    AgentStatus,
    AttemptId,
    CampaignId,
    CampaignState,
    CommandId,
    GatewayId,
    Lead,
    LeadId,
    LegFacts,
    LegId,
    SwitchId,
)
from fs_dialer.core.queue_line import Queue
from fs_dialer.core.schedule import Verdict, dial_verdict
from fs_dialer.core.stats import Tally, TimeUse

STORY_LINES = 20_000
HOURS_CACHE_S = 600.0
SLACK_TIMERS = 1000
CALLERS_REMEMBERED = 5000
NAIL_SOON_S = 1.0  # before an agent without his leg is called again


@dataclass(slots=True)
class Timers:
    """Due times by key; setting a key again replaces it. Equal times fire in the order they were set.

    A replaced or cleared time stays in the heap until it would have been due, or until such times are the greater part of it.
    """

    heap: list[tuple[float, int, Hashable]] = field(default_factory=list)
    current: dict[Hashable, int] = field(default_factory=dict)
    count: int = 0

    def set(self, key: Hashable, at: float) -> None:
        self.count += 1
        self.current[key] = self.count
        heapq.heappush(self.heap, (at, self.count, key))
        if len(self.heap) > 2 * len(self.current) + SLACK_TIMERS:
            self.heap = [entry for entry in self.heap if self.current.get(entry[2]) == entry[1]]
            heapq.heapify(self.heap)

    def clear(self, key: Hashable) -> None:
        self.current.pop(key, None)

    def __contains__(self, key: Hashable) -> bool:
        return key in self.current

    def next_at(self) -> float | None:
        heap, current = self.heap, self.current
        while heap and current.get(heap[0][2]) != heap[0][1]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def pop_due(self, now: float) -> Hashable | None:
        at = self.next_at()
        if at is None or at > now:
            return None
        key = heapq.heappop(self.heap)[2]
        del self.current[key]
        return key


@dataclass(slots=True)
class LegRole:
    """A leg of ours. kind: lead, agent (rung for one call), nailed. `orphan`: its call is over; it is only watched to its end."""

    kind: str
    call: AttemptId | None
    agent: AgentId | None
    switch: SwitchId
    seen: bool = False
    orphan: bool = False
    unwanted: bool = False  # a nailed leg to hang up once its agent has no call
    failed: str = ""  # how its originate failed, while its own end may still be reported
    moving: bool = False  # a nailed leg on a switch that is being drained: its agent is called by another once nobody there needs him
    lost: bool = False  # its switch stayed away so long that its call was closed; should they turn out to talk, they are let talk


@dataclass(slots=True)
class Run:
    """One campaign in the engine."""

    definition: Campaign
    life: Life
    mode: Mode
    flow: Flow
    plan: call_inputs.Plan
    memory: Any
    zone_sets: tuple[tuple[str, ...], ...]
    crew: tuple[AgentId, ...] = ()  # the agents named by it or by its teams
    ways: list[Way] | None = None  # caller ids with the trunks that may carry them; None = to be reckoned anew
    hopper: deque[Lead] = field(default_factory=deque)
    promised: dict[LeadId, Lead] = field(default_factory=dict)  # claimed callbacks that wait for their agent
    hopper_size: int = 0  # how many leads it wants to hold; 0 = to be reckoned anew
    claiming: bool = False
    claim_at: float = 0.0  # no claim before this
    back_at: float = float("inf")  # leads went back that are ready then: the claim that follows may be answered before they are there again
    outside_hours: bool = False  # no zone of its leads is open now
    unfinished: bool = True  # some lead may still be dialled some day
    calls: dict[AttemptId, None] = field(default_factory=dict)
    waiting: dict[AttemptId, None] = field(default_factory=dict)  # answered and without an agent, oldest first
    tally: Tally = field(default_factory=Tally)
    given: float = 0.0  # agents it was given, for fair shares
    competes: bool = False  # could use an idle agent now
    staying: int = 0  # its agents who are logged in, available and reachable
    because: str = ""
    told_all_busy: bool = False  # its mode was asked since its last free agent was taken
    hours: dict[tuple[str, ...], tuple[float, Verdict]] = field(default_factory=dict)
    needs_screen: bool = False
    ask_at: float = 0.0  # a mode that weighs ages is asked again then at the latest
    asked: tuple[object, ...] = ()  # what it was asked about
    today: tuple[int, int] = (0, 0)  # answered and missed of this day that the tally does not know; negative where it knows more than this day
    day_ends: float = 0.0
    too_many_from: int | None = None  # so many were answered when the missed rate went above twice its ceiling (D15)
    left_unknown: bool = False  # agents take its leads themselves, and whether any are left could not be asked
    turn: int = 0  # round robin: how many calls were given
    lead_odds: Callable[[Any, Lead, float], float | None] | None = None  # of its mode, where it can tell leads apart
    learn: Callable[[Any, Lead, bool, float], None] | None = None
    pace: Mapping[str, Any] = field(default_factory=dict)  # what its mode told last of how it paces, and when
    pace_at: float = float("-inf")
    node_crews: dict[str, tuple[AgentId, ...]] = field(default_factory=dict)  # of its flow: who serves each node that connects with an agent
    queue: Queue | None = None  # it is no campaign but a queue of inbound callers: its calls are theirs, and it never dials

    @property
    def running(self) -> bool:
        return self.life.state is CampaignState.RUNNING

    @property
    def dials(self) -> bool:
        """It runs, and this version dials its type."""
        return self.life.state is CampaignState.RUNNING and self.mode is not NOT_DIALLED

    def hours_for(self, zones: tuple[str, ...], now: float) -> Verdict:
        """The verdict for one zone set, computed once and kept until it may change."""
        kept = self.hours.get(zones)
        if kept is not None and now < kept[0]:
            return kept[1]
        verdict = dial_verdict(self.definition, zones, now)
        again = now + HOURS_CACHE_S if verdict.until is None else min(verdict.until, now + HOURS_CACHE_S)
        self.hours[zones] = (again, verdict)
        return verdict


@dataclass(slots=True)
class Desk:
    """What the agent interface knows of one agent beyond his machine. `screen_until`: his campaign screen is open so long, None = closed (S83–S85)."""

    screen_until: float | None = None
    paused: dict[CampaignId, str] = field(default_factory=dict)  # campaigns that give him nothing for now, with the reason
    reason: str = ""  # of his status
    taking: CommandId | None = None  # a lead is being fetched for him (manual)
    last: LastCall | None = None
    rest_of: AttemptId | None = None  # the call that his wrap-up follows, None = a queue's
    extensions: int = 0  # of the wrap-up that runs
    skips: deque[float] = field(default_factory=deque)
    watched: bool = False
    touched: bool = False
    shown: AgentPicture | None = None


@dataclass(slots=True)
class World:
    rng: Random
    new_id: Callable[[], str]
    installation: Installation = field(default_factory=Installation)
    ledger: Ledger = field(init=False)
    runs: dict[CampaignId, Run] = field(default_factory=dict)
    agents: dict[AgentId, agent_machine.Agent] = field(default_factory=dict)
    time_use: dict[AgentId, TimeUse] = field(default_factory=dict)
    desks: dict[AgentId, Desk] = field(default_factory=dict)
    clocks: Clocks = field(default_factory=Clocks)
    onlookers: int = 0  # how many agents are watched
    touched: dict[AgentId, None] = field(default_factory=dict)  # watched agents whose picture may have changed
    idle: dict[AgentId, None] = field(default_factory=dict)
    serves: dict[AgentId, list[CampaignId]] = field(default_factory=dict)
    teams: Mapping[str, tuple[AgentId, ...]] = field(default_factory=dict)
    breakers: Breakers = field(default_factory=Breakers)
    calls: dict[AttemptId, call_inputs.Call] = field(default_factory=dict)
    legs: dict[LegId, LegRole] = field(default_factory=dict)
    nailing: dict[AgentId, LegId] = field(default_factory=dict)  # nailed legs asked for and not parked yet
    to_renew: deque[AttemptId | AgentId] = field(default_factory=deque)  # whose parked legs this round of renewals has still to come to
    to_nail: dict[AgentId, None] = field(default_factory=dict)  # nailed agents to be called as soon as a line and the rate allow, oldest first
    nail_tries: dict[AgentId, int] = field(default_factory=dict)
    supervisors: dict[AgentId, LegId] = field(default_factory=dict)  # whose leg somebody listens to, and by which leg of his own
    bridged_agents: dict[LegId, AgentId] = field(default_factory=dict)  # found in talk at reconciliation, their calls not yet
    parked_agents: dict[LegId, LegFacts] = field(default_factory=dict)  # found parked for a call of an earlier daemon
    bridged_with: dict[LegId, LegId] = field(default_factory=dict)  # the legs they are bridged to
    strangers: dict[LegId, SwitchId] = field(default_factory=dict)
    due_legs: dict[AttemptId, str] = field(default_factory=dict)  # ring, dial: legs that wait for the next token of the rate, oldest first
    timers: Timers = field(default_factory=Timers)
    needing: deque[AttemptId] = field(default_factory=deque)  # queued callers who have just lost or not yet had an agent: served in their turn
    callers: int = 0  # how many came into queues
    flows: dict[SwitchId, frozenset[str]] = field(default_factory=dict)  # extensions of IVR flows, of each switch that has told them
    callers_gone: dict[LegId, tuple[str, ...]] = field(default_factory=dict)  # who was said to be gone, with what kept rows; the newest CALLERS_REMEMBERED
    withdrawn: set[AttemptId] = field(default_factory=set)  # calls whose lead goes back for good
    pending: deque[tuple[AttemptId, call_inputs.Input]] = field(default_factory=deque)
    out: list[Action] = field(default_factory=list)
    story: deque[tuple[float, str, str, str | tuple[Enum, Enum]]] = field(default_factory=lambda: deque(maxlen=STORY_LINES))
    now: float = 0.0
    fleet: Fleet = field(default_factory=Fleet)
    several: bool = False  # switches are declared, and it matters which one
    store_up: bool = True
    draining: bool = False
    drained: bool = False
    nailed_let_go: bool = False
    lag_s: float = 0.0
    pace_due: bool = False
    logged_out: list[AgentId] = field(default_factory=list)  # who has just logged out: what he only looks at goes back
    asked_after: list[Run] = field(default_factory=list)  # campaigns whose agents take leads themselves, and where a call has ended
    stopped: list[Run] = field(default_factory=list)  # campaigns that have just left running

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.installation)
        self.configure_switches()

    def tell(self, about: str, what: str, detail: str | tuple[Enum, Enum] = "") -> None:
        """A line of the story of one id; kept in memory, newest 20,000."""
        self.story.append((self.now, about, what, detail))

    def note(self, level: str, name: str, **fields: object) -> None:
        self.out.append(Note(level, name, tuple((key, str(value)) for key, value in fields.items())))

    def step_agent(self, agent_id: AgentId, ev: agent_machine.Input, who: str = "engine", reason: str = "") -> None:
        """Move one agent by his machine, and everything that hangs on his state."""
        old = self.agents[agent_id]
        new = agent_machine.step(old, ev, self.now)
        if new is old:
            return
        self.agents[agent_id] = new
        self.clocks.moved(new, self.now)
        if isinstance(ev, agent_machine.MissedOffer) and ev.his_fault:
            self.clocks.count(agent_id, "missed_offers", self.now)
        self.touch(agent_id)
        if new.state is not old.state:
            self._account(old)
            self.tell(agent_id, type(ev).__name__, (old.state, new.state))
        elif new.status is not old.status:
            self._account(old)
            self.agents[agent_id] = new = replace(new, since=self.now)
        if new.rest_until is not None and new.rest_until != old.rest_until:
            self.timers.set(("rest", agent_id), new.rest_until)
        if new.status is not old.status:
            self.desk(agent_id).reason = reason
            self.out.append(StoreAgentStatus(agent_id, new.status, reason or ("missed offers" if who == "engine" else ""), who))
            self.tell(agent_id, "status", (old.status, new.status))
        if new.staying is not old.staying:
            for run in self.runs_of(agent_id):
                if self.eligible(run, agent_id):
                    run.staying += 1 if new.staying else -1
        self.let_leg_go(new)
        if new.state is AgentState.LEG_DOWN and old.state is not AgentState.LEG_DOWN and ("nail", agent_id) not in self.timers:
            self.timers.set(("nail", agent_id), self.now + NAIL_SOON_S)
        self.settle_idle(new)

    def caller_gone(self, leg: LegId, rows: tuple[str, ...]) -> None:
        """These rows that the switch kept of him are old news when they are told later."""
        self.callers_gone[leg] = (*self.callers_gone.get(leg, ()), *rows)
        if len(self.callers_gone) > CALLERS_REMEMBERED:
            del self.callers_gone[next(iter(self.callers_gone))]

    def rest_longer(self, agent_id: AgentId, until: float) -> None:
        self.step_agent(agent_id, agent_machine.RestLonger(until))

    def rest_over(self, agent_id: AgentId) -> None:
        """His rest ends, by time or by his own word."""
        agent = self.agents[agent_id]
        for run in self.runs_of(agent_id):
            run.memory = run.mode.observe(run.memory, Observation("wrap_ended", self.now - agent.since), self.now)
        self.timers.clear(("rest", agent_id))
        self.step_agent(agent_id, agent_machine.RestDue())

    def touch(self, agent_id: AgentId) -> None:
        """What an onlooker of this agent sees may have changed."""
        desk = self.desks.get(agent_id)
        if desk is not None and desk.watched:
            self.touched[agent_id] = None

    def desk(self, agent_id: AgentId) -> Desk:
        desk = self.desks.get(agent_id)
        if desk is None:
            desk = self.desks[agent_id] = Desk()
        return desk

    def eligible(self, run: Run, agent_id: AgentId) -> bool:
        """Whether this agent, once he is free, may get a call of this campaign that he serves: not paused there, and his screen open where it must be."""
        desk = self.desks.get(agent_id)
        if desk is None:
            return not run.needs_screen
        return run.definition.id not in desk.paused and (desk.screen_until is not None or not run.needs_screen)

    def recount_staying(self, agent_id: AgentId | None = None) -> None:
        """After screens, pauses, teams or definitions changed. None = of all campaigns."""
        runs = list(self.runs.values()) if agent_id is None else self.runs_of(agent_id)
        for run in runs:
            run.staying = sum(1 for p in run.crew if p in self.agents and self.agents[p].staying and self.eligible(run, p))
        self.pace_due = True

    def let_leg_go(self, agent: agent_machine.Agent) -> None:
        """Hang up the nailed leg of an agent who has no call and has logged out, or whose phone is another one now."""
        role = self.legs.get(agent.leg) if agent.leg is not None else None
        if agent.leg is None or role is None or agent.state in agent_machine.WITH_CALL:
            return
        if agent.status is AgentStatus.LOGGED_OUT or role.unwanted or role.moving:
            self.out.append(Hangup(agent.leg, "NORMAL_CLEARING"))

    def settle_idle(self, agent: agent_machine.Agent) -> None:
        """Keep the list of those who may be given a call."""
        if not self.may_be_given(agent):
            self.idle.pop(agent.id, None)
        elif agent.id not in self.idle:
            self.idle[agent.id] = None
            self.pace_due = True

    def may_be_given(self, agent: agent_machine.Agent) -> bool:
        """Free, and his parked leg, if he lives on one, is not on a switch that we have lost."""
        if not agent.free or self.fleet.sole is not None or agent.leg is None:
            return agent.free
        role = self.legs.get(agent.leg)
        return role is None or self.fleet.get(role.switch).linked

    def _account(self, old: agent_machine.Agent) -> None:
        if old.status is AgentStatus.AVAILABLE:
            self.time_use[old.id].add(old.state, max(0.0, self.now - old.since))

    def runs_of(self, agent_id: AgentId) -> list[Run]:
        return [self.runs[c] for c in self.serves.get(agent_id, ()) if c in self.runs]

    def gateway_of(self, run: Run) -> tuple[GatewayId, ...]:
        named = run.definition.gateways
        return tuple(GatewayId(g) for g in named) if named else tuple(self.ledger.gateways)

    def ways_of(self, run: Run) -> list[Way]:
        """By which caller ids and trunks the campaign may call, healthy or not."""
        if run.ways is None:
            run.ways = ways(run.definition, self.gateway_of(run), self._carriers) if self.several else ways(run.definition, self.gateway_of(run))
        return run.ways

    # --- switches -----------------------------------------------------------------------------------------------------------------

    def configure_switches(self) -> None:
        """As the installation says now."""
        self.fleet.configure(self.installation)
        self.several = self.fleet.sole is None

    def _carriers(self, gateway: GatewayId) -> list[SwitchId]:
        return [state.id for state in self.fleet.of.values() if state.declared is not None and state.has(gateway)]

    def named(self, switch: SwitchId) -> SwitchId:
        """The switch that told something; where there is only one, it has the name that the installation gives it."""
        return switch if self.several else self.installation.switch

    def switch_of(self, call: call_inputs.Call) -> SwitchId:
        return call.switch or self.installation.switch

    def way_of(self, call: call_inputs.Call) -> Way:
        assert call.gateway is not None, "a call that was dialled went some way"
        return Way(call.caller_id, call.gateway, self.switch_of(call)) if self.several else Way(call.caller_id, call.gateway)

    @property
    def switch_up(self) -> bool:
        """Any of them."""
        return self.fleet.up

    @property
    def reconciled(self) -> bool:
        return self.fleet.up and self.fleet.reconciled

    @property
    def linked(self) -> bool:
        """What we know of the legs is what the switch knows; of several: one at least can be used."""
        return self.fleet.linked

    def linked_for(self, call: call_inputs.Call | None) -> bool:
        """The same of the switch that a call is on."""
        if not self.several or call is None or not call.switch:
            return self.fleet.linked
        return self.fleet.get(call.switch).linked

    def may_dial(self) -> bool:
        if not (self.fleet.linked and self.store_up and not self.draining and self.installation.campaigns):
            return False
        sole = self.fleet.sole
        return sole.drained_since is None if sole is not None else any(self.fleet.usable(switch) for switch in self.fleet.of)
