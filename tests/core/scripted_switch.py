"""A switch and people made of seeded chance, that drive one engine through an hour in virtual time: late, doubled and reordered news, refusals,
lost links, killed daemons.

The truth is kept here apart from what the engine is told: a leg lives on while the link is down. What a real switch would do wrong when asked wrongly
(bridge a ringing leg, two bridges on one leg, a fallback that cuts a conversation) raises Wrong. Orders are those of FreeSWITCH 1.11: news of one leg
keep their order, but BACKGROUND_JOB and PARK come when they like, and everything may be late by the queue's lag.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from fs_dialer.core import actions as act
from fs_dialer.core import agent_events as ag
from fs_dialer.core import events as ev
from fs_dialer.core.definition import AgentDefinition, Campaign, Installation, WrapUp
from fs_dialer.core.dialer import Dialer
from fs_dialer.core.limits import BURST_S
from fs_dialer.core.mode_port import Mode
from fs_dialer.core.model import (
    AgentId,
    AgentState,
    AgentStatus,
    AttemptId,
    CampaignId,
    CampaignState,
    CampaignType,
    CommandId,
    GatewayId,
    Lead,
    LeadId,
    LegFacts,
    LegId,
)
from tests.core.builders import NOON, SWITCH, UTC_SET
from tests.core.scripted_store import ScriptedStore, Wrong

FALLBACK_S = 30.0


@dataclass(frozen=True)
class Chances:
    """How much goes wrong. Probabilities per occasion; lag_s: how late news may get; spells in seconds of the run's time."""

    store_refuses: float = 0.02
    no_leg: float = 0.03
    doubled: float = 0.0
    lag_s: float = 0.0
    link_lost: Sequence[tuple[float, float]] = ()  # (at, for how long)
    killed: Sequence[tuple[float, float]] = ()
    store_lost: Sequence[tuple[float, float]] = ()
    agent_misses: float = 0.1
    commands: bool = False
    in_call: bool = False  # agents hold, transfer, record and hang up

    @property
    def faultless(self) -> bool:
        """Nothing hides the truth from the engine for long: then it may never err."""
        return not (self.link_lost or self.killed) and self.lag_s < 1.0


@dataclass
class Leg:
    id: LegId
    kind: str  # lead, agent, nailed
    attempt: AttemptId | None
    agent: AgentId | None
    gateway: GatewayId | None
    answered: bool = False
    over: bool = False
    bridged_to: LegId | None = None
    met: bool = False  # has been bridged, now or before
    fallback_at: float | None = None
    stays: bool = False  # parks after its bridge, as a nailed one does
    heard: LegId | None = None  # a supervisor's: whose leg it listens to
    floor: float = 0.0  # when its last news in order will have arrived
    born: float = 0.0


@dataclass
class Hour:
    seed: int
    agents: Sequence[AgentDefinition]
    campaigns: Sequence[Campaign]
    leads: Sequence[Lead]
    installation: Installation
    offered: dict[CampaignType, Mode]
    chances: Chances = Chances()
    now: float = NOON
    dialer: Dialer = field(init=False)
    legs: dict[LegId, Leg] = field(default_factory=dict)
    tokens: float = 0.0
    tokens_at: float = 0.0
    peak: int = 0
    drained: bool = False
    calm: bool = False
    linked: bool = False
    linked_at: float = 0.0
    alive: bool = True
    lag: float = 0.0
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        self.rows = ScriptedStore(self.leads)
        self.heap: list[tuple[float, int, Callable[[], None]]] = []
        self.order = itertools.count()
        self.ids = itertools.count(1)
        self.life = 0
        self.last_news = 0.0

    # --- time -------------------------------------------------------------------------------------------------------------------------

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        heapq.heappush(self.heap, (self.now + seconds, next(self.order), what))

    def run_for(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        end = self.now + seconds
        while not until():
            wake = self.dialer.next_wakeup() if self.alive else None
            at = min([t for t in (wake, self.heap[0][0] if self.heap else None) if t is not None], default=end)
            if at > end:
                self.now = end
                return
            self.now = max(self.now, at)
            if self.heap and self.heap[0][0] <= self.now:
                heapq.heappop(self.heap)[2]()
            else:
                self.tell(ev.Tick())

    # --- the engine -------------------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """A daemon starts: the first, or the one after a kill."""
        self.life += 1
        life, self.alive = self.life, True
        self.dialer = Dialer(self.offered, rng=Random(self.seed), new_id=lambda: f"{life}-{next(self.ids)}")
        self.tokens, self.tokens_at = self.installation.cps, self.now
        self.rows.take_over()
        self.tell(ev.InstallationLoaded(self.installation))
        for agent in self.agents:
            self.tell(ev.AgentLoaded(agent, self.rows.statuses.get(agent.id, AgentStatus.AVAILABLE)))
        for campaign in self.campaigns:
            stored = self.rows.states.get(campaign.id)
            state, started = (stored.state, stored.started) if stored else (CampaignState.RUNNING, True)
            self.tell(ev.CampaignLoaded(campaign, state, started, (UTC_SET,)))
        self.link_up()

    def tell(self, event: ev.Event) -> None:
        if not self.alive:
            return
        if not isinstance(event, ev.Tick):
            self.log.append(f"{self.now - NOON:.3f} {event}")
        actions = self.dialer.handle(event, self.now)
        self.dialer.check_invariants()
        for action in actions:
            if not isinstance(action, act.Note):
                self.log.append(f"{self.now - NOON:.3f}     {action}")
            self.perform(action)

    def news(self, leg: Leg, event: ev.Event, *, loose: bool = False) -> None:
        """Something the switch says of a leg, delivered in its time and perhaps twice; lost when nobody is linked."""
        if not self.linked:
            return
        life, linked_at = self.life, self.linked_at
        for _ in range(2 if self.rng.random() < self.chances.doubled else 1):
            at = max(self.now + self.lag + self.rng.uniform(0.0, 0.02), self.last_news - 0.02)
            if not loose:
                at = leg.floor = max(at, leg.floor)
            else:
                at = max(at, leg.born)
            self.last_news = max(self.last_news, at)

            def arrive() -> None:
                if self.life == life and self.linked_at == linked_at and self.linked:
                    self.tell(event)

            self.later(at - self.now, arrive)
        leg.born = leg.born or at

    def link_lost(self) -> None:
        self.linked = False
        self.tell(ev.SwitchLost(SWITCH, "a test cut it"))

    def link_up(self) -> None:
        self.linked, self.linked_at = True, self.now
        for leg in self.legs.values():
            leg.floor = 0.0
        self.tell(ev.SwitchUp(SWITCH, tuple((leg.id, leg.gateway) for leg in self.legs.values())))

    def kill_daemon(self) -> None:
        self.alive = self.linked = False
        self.life += 1

    # --- what it wants ----------------------------------------------------------------------------------------------------------------

    def perform(self, action: act.Action) -> None:
        rule = getattr(self, "do_" + type(action).__name__, None)
        if rule is not None:
            rule(action)
        else:
            self.rows.write(action)

    def soon(self, event: ev.Event, least: float = 0.001, most: float = 0.03) -> None:
        life = self.life
        self.later(self.rng.uniform(least, most), lambda: self.tell(event) if self.life == life else None)

    def do_ClaimLeads(self, a: act.ClaimLeads) -> None:
        claimed = None if self.calm else self.rows.claim(a.campaign, a.count, self.now)
        self.soon(claimed if claimed is not None else ev.LeadsClaimed(a.campaign, (), None, True))

    def do_Drained(self, a: act.Drained) -> None:
        self.drained = True

    def do_OriginateLead(self, a: act.OriginateLead) -> None:
        self.count_originate()
        life = self.life
        gate = self.rows.open(a.attempt, self.now, refused=self.rng.random() < self.chances.store_refuses, gates=self.rng)
        if gate is not None:
            self.soon(ev.AttemptRefused(a.attempt.id, gate))
            return
        self.soon(ev.AttemptOpened(a.attempt.id))

        def send() -> None:
            if self.life != life:
                return
            if not self.linked:
                self.tell(ev.OriginateFailed(a.leg, "SWITCH_LOST", sent=False))
                return
            self.dial(Leg(a.leg, "lead", a.attempt.id, None, a.attempt.gateway), a.ring_timeout_s)

        self.later(self.rng.uniform(0.002, 0.03), send)

    def count_originate(self) -> None:
        """Calls per second, recounted: never more than the rate and its burst (D2)."""
        rate = self.installation.cps
        full = max(1.0, rate * BURST_S)
        self.tokens = min(full, self.tokens + (self.now - self.tokens_at) * rate) - 1.0
        self.tokens_at = self.now
        if self.tokens < -0.01:
            raise Wrong(f"more than {rate} originates per second")

    def do_OriginateAgent(self, a: act.OriginateAgent) -> None:
        self.count_originate()
        if not self.linked:
            self.soon(ev.OriginateFailed(a.leg, "SWITCH_LOST", sent=False))
            return
        self.dial(Leg(a.leg, "nailed" if a.nailed else "agent", a.call, a.agent, None, stays=a.stays), a.ring_timeout_s)

    def do_Hangup(self, a: act.Hangup) -> None:
        life = self.life
        if self.linked:
            self.later(0.003, lambda: self.end(a.leg, a.cause) if self.life == life else None)

    def do_Bridge(self, a: act.Bridge) -> None:
        lead, agent = self.legs.get(a.leg), self.legs.get(a.agent_leg)
        if not self.linked or lead is None or agent is None or lead.over or agent.over:
            self.soon(ev.BridgeRefused(a.leg, "-ERR Invalid uuid"))
            return
        if not (lead.answered and agent.answered):
            raise Wrong(f"{a} kills both: one of them still rings")
        whose = self.legs.get(agent.bridged_to) if agent.bridged_to is not None else None
        if (lead.bridged_to is not None or (whose is not None and whose.kind == "lead")) and self.chances.faultless:
            raise Wrong(f"{a}, and one of them talks already")
        lead.fallback_at = agent.fallback_at = None
        self.later(self.rng.uniform(0.02, 0.07), lambda: self.bridged(lead, agent))

    def do_ParkBoth(self, a: act.ParkBoth) -> None:
        leg, other = self.legs.get(a.leg), self.legs.get(a.other)
        if not self.linked or leg is None or leg.over or other is None or other.over or leg.bridged_to != other.id:
            return
        leg.bridged_to = other.bridged_to = None
        for one in (leg, other):
            self.later(self.rng.uniform(0.02, 0.05), lambda one=one: None if one.over else self.news(one, ev.LegParked(one.id)))  # type: ignore[misc]
        self.news(leg, ev.LegUnbridged(leg.id, other.id))

    def do_KeepLeg(self, a: act.KeepLeg) -> None:
        leg = self.legs.get(a.leg)
        if self.linked and leg is not None:
            leg.stays = True

    def do_OriginateOutside(self, a: act.OriginateOutside) -> None:
        self.count_originate()
        if not self.linked:
            self.soon(ev.OriginateFailed(a.leg, "SWITCH_LOST", sent=False))
            return
        self.dial(Leg(a.leg, "outside", a.call, None, a.gateway, stays=True), a.ring_timeout_s)

    def do_OriginateSupervisor(self, a: act.OriginateSupervisor) -> None:
        """Its leg never parks; it ends with the one it listens to."""
        self.count_originate()
        if not self.linked:
            self.soon(ev.OriginateFailed(a.leg, "SWITCH_LOST", sent=False))
            return
        self.dial(Leg(a.leg, "supervisor", a.call, None, None, heard=a.agent_leg), a.ring_timeout_s)

    def do_StartRecording(self, a: act.StartRecording) -> None:
        leg = self.legs.get(a.leg)
        if leg is None or leg.over or not self.linked or self.rng.random() < 0.2:
            self.soon(ev.RecordingFailed(a.leg, "-ERR Cannot record session!"))
        else:
            self.news(leg, ev.RecordingStarted(a.leg))

    def do_StopRecording(self, a: act.StopRecording) -> None:
        leg = self.legs.get(a.leg)
        if leg is not None and self.linked:
            self.news(leg, ev.RecordingStopped(a.leg))

    def do_PauseRecording(self, a: act.PauseRecording) -> None:
        """Nothing of it is reported."""

    do_ResumeRecording = do_PauseRecording

    def do_PlayNotice(self, a: act.PlayNotice) -> None:
        leg = self.legs.get(a.leg)
        if leg is not None:
            self.later(self.rng.uniform(2, 6), lambda: None if leg.over else self.news(leg, ev.PlaybackStopped(leg.id)))

    def do_RenewFallback(self, a: act.RenewFallback) -> None:
        for id_ in a.legs if self.linked else ():
            leg = self.legs.get(id_)
            if leg is not None and not leg.over:
                self.arm(leg)

    def do_DropFallback(self, a: act.DropFallback) -> None:
        for id_ in a.legs if self.linked else ():
            if id_ in self.legs:
                self.legs[id_].fallback_at = None

    def do_AskLeg(self, a: act.AskLeg) -> None:
        if self.linked:
            self.whereabouts(a.leg)

    def do_Reconcile(self, a: act.Reconcile) -> None:
        """Every leg asked for, every other leg of ours, and after a restart every open attempt; in whatever order."""
        life, linked_at = self.life, self.linked_at
        ours = [leg.id for leg in self.legs.values() if leg.id not in a.legs]
        asked = [*a.legs, *ours]
        self.rng.shuffle(asked)
        open_now = self.rows.still_open() if self.life_is_new() else []
        self.known_life = self.life
        for id_ in asked:
            self.whereabouts(id_)
        for found in open_now:
            leg = self.legs.get(found.attempt.leg)
            event = ev.AttemptFound(found, None if leg is None or leg.over else self.facts(leg))
            self.soon(event, *((3.0, 3.1) if event.facts is None else (0.01, 0.1)))
        done = ev.ReconcileDone(SWITCH)
        self.later(3.5, lambda: self.tell(done) if (life, linked_at) == (self.life, self.linked_at) and self.linked else None)

    def life_is_new(self) -> bool:
        return getattr(self, "known_life", 0) != self.life and self.life > 1

    # --- the switch's truth -----------------------------------------------------------------------------------------------------------

    def facts(self, leg: Leg) -> LegFacts:
        return LegFacts(leg.id, SWITCH, leg.gateway, leg.attempt, leg.agent, leg.answered, leg.bridged_to, leg.met)

    def whereabouts(self, id_: LegId) -> None:
        leg = self.legs.get(id_)
        life, linked_at = self.life, self.linked_at

        def say(event: ev.Event) -> Callable[[], None]:
            return lambda: self.tell(event) if (life, linked_at) == (self.life, self.linked_at) and self.linked else None

        def again() -> None:
            if id_ not in self.legs:
                say(ev.LegGone(id_))()

        if leg is None or leg.over:
            self.later(3.0, again)
        else:
            self.later(self.rng.uniform(0.005, 0.05), say(ev.LegFound(self.facts(leg))))

    def dial(self, leg: Leg, timeout_s: float) -> None:
        rng = self.rng
        if rng.random() < self.chances.no_leg and not (self.calm and leg.kind == "nailed"):
            self.news(leg, ev.OriginateFailed(leg.id, rng.choice(["DESTINATION_OUT_OF_ORDER", "GATEWAY_DOWN"])))
            return
        self.legs[leg.id] = leg
        self.peak = max(self.peak, len(self.legs))
        if self.peak > self.installation.lines:
            raise Wrong(f"{self.peak} legs on {self.installation.lines} lines")
        self.news(leg, ev.LegCreated(leg.id, SWITCH, leg.gateway, leg.attempt, leg.agent))
        luck = rng.random()
        if leg.kind == "lead":
            if luck < 0.15:
                self.later(rng.uniform(0.1, 3), lambda: self.end(leg.id, "USER_BUSY", 486))
                return
            if luck < 0.2:
                self.later(rng.uniform(0.1, 1), lambda: self.end(leg.id, "UNALLOCATED_NUMBER", 404))
                return
        elif rng.random() < self.chances.agent_misses and not (self.calm and leg.kind == "nailed"):
            cause, after = rng.choice([("NO_ANSWER", timeout_s), ("USER_BUSY", 0.3), ("CALL_REJECTED", 2.0)])
            self.later(after, lambda: self.end(leg.id, cause))
            return
        self.later(rng.uniform(0.05, 2), lambda: None if leg.over else self.news(leg, ev.LegRang(leg.id, rng.random() < 0.1)))
        self.later(timeout_s, lambda: None if leg.answered else self.end(leg.id, "NO_ANSWER"))
        if leg.kind != "lead" or luck < 0.75:
            self.later(rng.uniform(2.0, 28.0 if leg.kind == "lead" else 6.0), lambda: self.answer(leg))

    def answer(self, leg: Leg) -> None:
        if leg.over or leg.answered:
            return
        leg.answered = True
        if leg.kind == "supervisor":
            self.news(leg, ev.OriginateSucceeded(leg.id, leg.id), loose=True)
            self.news(leg, ev.LegAnswered(leg.id))
            if leg.heard not in self.legs:
                self.end(leg.id)
            return
        self.arm(leg)
        self.news(leg, ev.OriginateSucceeded(leg.id, leg.id), loose=True)
        self.news(leg, ev.LegParked(leg.id), loose=True)
        self.news(leg, ev.LegAnswered(leg.id))
        if leg.kind == "lead":
            patience = self.rng.choice([0.05, 3.0, 40.0, 90.0])
            self.later(patience, lambda: self.end(leg.id) if leg.bridged_to is None else None)

    def arm(self, leg: Leg) -> None:
        leg.fallback_at = self.now + FALLBACK_S
        self.later(FALLBACK_S + 1e-6, lambda: self.fallback(leg))

    def fallback(self, leg: Leg) -> None:
        if leg.over or leg.fallback_at is None or leg.fallback_at > self.now:
            return
        if leg.bridged_to is not None and self.alive:
            raise Wrong(f"{leg} was taken from its conversation by the fallback")
        if self.alive and self.linked and self.now - self.linked_at > FALLBACK_S:
            raise Wrong(f"{leg} fell into the fallback while the daemon lives")
        self.end(leg.id)

    def bridged(self, lead: Leg, agent: Leg) -> None:
        if lead.over or agent.over:
            return
        for leg in (lead, agent):
            other = self.legs.get(leg.bridged_to) if leg.bridged_to is not None else None
            if other is not None and other not in (lead, agent):
                other.bridged_to = None
                self.later(0.001, lambda other=other: self.left(other))  # type: ignore[misc]
        lead.bridged_to, agent.bridged_to = agent.id, lead.id
        lead.met = agent.met = True
        self.news(lead, ev.LegBridged(lead.id, agent.id))
        who = self.rng.choice([lead, lead, agent])
        self.later(self.rng.choice([0.01, 20.0, 60.0, 120.0]), lambda: self.end(who.id) if who.bridged_to is not None else None)

    def left(self, leg: Leg) -> None:
        """Its partner is gone: a nailed leg parks again, any other ends."""
        if leg.over or leg.bridged_to is not None:
            return
        if leg.kind == "nailed" or leg.stays:
            self.news(leg, ev.LegParked(leg.id))
        else:
            self.end(leg.id)

    def end(self, id_: LegId, cause: str = "NORMAL_CLEARING", sip_status: int | None = None) -> None:
        leg = self.legs.get(id_)
        if leg is None or leg.over:
            return
        leg.over = True
        partner = self.legs.get(leg.bridged_to) if leg.bridged_to is not None else None
        if partner is not None and partner.bridged_to == leg.id:
            partner.bridged_to = None
            self.news(leg, ev.LegUnbridged(leg.id, partner.id), loose=True)
            self.later(0.002, lambda: self.left(partner))
        job = ev.OriginateFailed(leg.id, cause)
        if not leg.answered:
            self.news(leg, job, loose=True)
        self.news(leg, ev.LegEnded(leg.id, cause, sip_status, None, False, leg.answered))
        self.news(leg, ev.LegDestroyed(leg.id))
        del self.legs[id_]
        for listener in [other.id for other in self.legs.values() if other.heard == id_ and other.answered]:
            self.end(listener)

    # --- an hour ----------------------------------------------------------------------------------------------------------------------

    def play(self, seconds: float) -> None:
        """Dial for so long with all that may go wrong, then a calm in which all must come to rest, then the drain."""
        self.begin()
        for at, lasts in self.chances.link_lost:
            self.later(at, lambda: self.link_lost() if self.alive and self.linked else None)
            self.later(at + lasts, lambda: self.link_up() if self.alive and not self.linked else None)
        for at, lasts in self.chances.killed:
            self.later(at, self.kill_daemon)
            self.later(at + lasts, lambda: None if self.alive else self.begin())
        for at, lasts in self.chances.store_lost:
            self.later(at, lambda: self.store(False))
            self.later(at + lasts, lambda: self.store(True))
        self.later(5.0, self.stir)
        self.run_for(seconds)
        self.calm, self.lag = True, 0.0
        for name in self.rows.statuses:
            self.tell(ev.SetAgentStatus("back", "olga", name, AgentStatus.AVAILABLE))  # type: ignore[arg-type]
        for campaign in self.campaigns:
            self.tell(ev.PauseCampaign("calm", "olga", campaign.id))  # type: ignore[arg-type]
        for _ in range(5):
            self.end_holds()
            self.run_for(200.0)
            if not (tired := self.unrest()):
                break
        else:
            raise Wrong(tired)
        self.tell(ev.DrainAsked())
        self.run_for(300.0, lambda: self.drained)
        self.check_end()

    def store(self, up: bool) -> None:
        self.rows.up = up
        self.tell(ev.StoreBack() if up else ev.StoreLost("a test cut it"))

    def stir(self) -> None:
        """Every few seconds: the queue's lag changes, and people give commands."""
        if self.calm:
            return
        self.later(self.rng.uniform(1.0, 15.0), self.stir)
        self.lag = self.rng.uniform(0.0, self.chances.lag_s) if self.rng.random() < 0.5 else 0.0
        if self.chances.in_call:
            self.within_calls()
        if not self.chances.commands:
            return
        campaign, agent = self.rng.choice(self.campaigns), self.rng.choice(self.agents)
        status = self.rng.choice(list(AgentStatus))
        self.rows.statuses.setdefault(agent.id, AgentStatus.AVAILABLE)
        number = f"c{next(self.order)}"
        self.tell(
            self.rng.choice(
                [
                    ev.PauseCampaign(number, "olga", campaign.id),  # type: ignore[arg-type]
                    ev.StartCampaign(number, "olga", campaign.id),  # type: ignore[arg-type]
                    ev.StartCampaign(number, "olga", campaign.id),  # type: ignore[arg-type]
                    ev.SetAgentStatus(number, "olga", agent.id, status),  # type: ignore[arg-type]
                    ev.SetAgentStatus(number, "olga", agent.id, AgentStatus.AVAILABLE),  # type: ignore[arg-type]
                    ev.AgentLoaded(replace(agent, dial_string=f"user/{number}"), self.rows.statuses[agent.id]),
                    ev.CampaignLoaded(replace(campaign, wrap_up=WrapUp(time_s=self.rng.choice([0.0, 3.0]))), CampaignState.RUNNING, True, (UTC_SET,)),
                ]
            )
        )

    def within_calls(self) -> None:
        """Agents with a call hold, transfer, record, hang up; a supervisor listens. Mostly what is possible, sometimes what is refused."""
        rng, w = self.rng, self.dialer._w
        busy = [a.id for a in w.agents.values() if a.call is not None]
        if not self.alive or not busy:
            return
        for who in rng.sample(busy, min(len(busy), 2)):
            number = CommandId(f"in-{next(self.order)}")
            to = rng.choice(self.agents).id
            self.tell(
                rng.choice(
                    [
                        ag.HangUp(number, who, who),
                        ag.HoldCall(number, who, who),
                        ag.HoldCall(number, who, who),
                        ag.ResumeCall(number, who, who),
                        ag.ResumeCall(number, who, who),
                        ag.Transfer(number, who, who, "agent", to, rng.random() < 0.6),
                        ag.Transfer(number, who, who, "agent", to, rng.random() < 0.6),
                        ag.Transfer(number, who, who, "number", "+442079460000", rng.random() < 0.5),
                        ag.CompleteTransfer(number, who, who),
                        ag.CompleteTransfer(number, who, who),
                        ag.RecordCall(number, who, who, rng.choice(["start", "stop", "pause", "resume"])),
                        ag.Supervise(number, "olga", who, "user/boss", rng.choice(["listen", "whisper", "barge"])),
                        ag.StopSupervising(number, "olga", who),
                    ]
                )
            )

    def end_holds(self) -> None:
        """Nobody keeps a customer on hold for ever, or listens in for ever."""
        for agent in list(self.dialer._w.agents.values()):
            if agent.state in (AgentState.HELD, AgentState.CONSULTING):
                self.tell(ag.HangUp(CommandId("calm"), agent.id, agent.id))
            if agent.id in self.dialer._w.supervisors:
                self.tell(ag.StopSupervising(CommandId("calm"), "olga", agent.id))

    def unrest(self) -> str:
        """Who is still in the middle of something; after the calm it must be nobody."""
        w = self.dialer._w
        for agent in w.agents.values():
            if agent.status is AgentStatus.AVAILABLE and not agent.free:
                return f"agent {agent.id} is stuck: {agent}"
        if w.calls:
            return f"calls that never end: {list(w.calls.values())}"
        if any(leg.kind != "nailed" for leg in self.legs.values()):
            return f"legs that nobody ends: {self.legs}"
        return ""

    def check_end(self) -> None:
        w = self.dialer._w
        if not self.drained or self.legs:
            raise Wrong(f"not drained: engine {w.legs}, switch {self.legs}")
        if w.legs or w.calls or w.ledger.legs or any(n for n in w.ledger.by_gateway.values()):
            raise Wrong(f"left over: legs {w.legs} calls {w.calls} ledger {w.ledger.legs}")
        self.rows.check_end()

    @property
    def closed(self) -> dict[AttemptId, act.CloseAttempt]:
        return self.rows.closed


def lead_numbers(campaign: CampaignId, count: int, first: int = 1) -> list[Lead]:
    return [Lead(LeadId(n), campaign, f"+3461{n:07d}", UTC_SET) for n in range(first, first + count)]
