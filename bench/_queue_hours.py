"""A queue in virtual time: the engine's own code between Poisson callers and agents whose talks are exponential, and the theory it is measured by.

Agents are on nailed legs and do not rest, and a bridge takes no time: M/M/n, for which Erlang's C gives the mean wait. What is said to callers of their wait
is taken when each begins to wait, beside what he then waited.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from random import Random
from typing import Any

from fs_dialer.core import actions as act
from fs_dialer.core import agent_events as ag
from fs_dialer.core import events as ev
from fs_dialer.core.announcing import expected_wait_s
from fs_dialer.core.definition import AgentDefinition, Installation
from fs_dialer.core.dialer import Dialer
from fs_dialer.core.model import AgentId, AgentStatus, AttemptId, CallState, LegId, LegKind, SwitchId
from fs_dialer.core.queue_line import Line

MAIN = SwitchId("main")
BEGIN = 1_780_000_000.0


def erlang_c_wait_s(agents: int, arrivals_per_s: float, talk_s: float) -> float:
    """The mean wait of all callers in M/M/n."""
    load = arrivals_per_s * talk_s
    blocked = 1.0
    for n in range(1, agents + 1):  # Erlang's B, then C from it
        blocked = load * blocked / (n + load * blocked)
    waits = blocked / (1.0 - load / agents * (1.0 - blocked))
    return waits * talk_s / (agents - load)


@dataclass
class Hours:
    """`load`: of the agents, 0.0–1.0."""

    agents: int
    load: float
    talk_s: float
    seed: int
    waited_s: list[float] = field(default_factory=list)
    told_s: list[tuple[float, float]] = field(default_factory=list)  # expected when he began to wait, and what he waited
    same_draws_s: list[float] = field(default_factory=list)  # the waits of a perfect queue with the same callers and talks

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        ids = itertools.count(1)
        self.dialer = Dialer({}, rng=Random(self.seed), new_id=lambda: f"id-{next(ids)}")
        self.now = BEGIN
        self.heap: list[tuple[float, int, str, Any]] = []
        self.order = itertools.count()
        self.talks: dict[str, float] = {}
        self.expected: dict[str, float] = {}
        self.talking_with: dict[LegId, LegId] = {}
        self.free_at = [BEGIN] * self.agents
        self.rate = self.load * self.agents / self.talk_s
        self.tell(ev.InstallationLoaded(Installation(lines=100_000, cps=1e6)))
        names = [f"agent-{n}" for n in range(self.agents)]
        for name in names:
            self.tell(ev.AgentLoaded(AgentDefinition(id=AgentId(name), dial_string="user/1", leg=LegKind.NAILED), AgentStatus.AVAILABLE))
        self.tell(ag.QueueLoaded(Line(name="support", people=tuple(names), max_wait_s=1e9, wrap_up_s=0.0)))
        self.tell(ev.SwitchUp(MAIN, ()))
        self.tell(ev.ReconcileDone(MAIN))

    def later(self, seconds: float, what: str, about: Any = None) -> None:
        heapq.heappush(self.heap, (self.now + seconds, next(self.order), what, about))

    def tell(self, event: ev.Event) -> None:
        for action in self.dialer.handle(event, self.now):
            if isinstance(action, act.Bridge):
                self.talking_with[action.leg] = action.agent_leg
                self.later(0.0, "bridged", action)
                self.later(self.talks.pop(action.leg), "over", action.leg)
            elif isinstance(action, act.OriginateAgent):
                self.later(0.0, "agent", action.leg)
            elif isinstance(action, act.CallerServed):
                self.waited_s.append(action.waited_s)
                if action.call in self.expected:
                    self.told_s.append((self.expected.pop(action.call), action.waited_s))

    def run(self, hours: float) -> None:
        end = BEGIN + hours * 3600.0
        self.later(self.rng.expovariate(self.rate), "caller")
        while self.now < end:
            wake = self.dialer.next_wakeup()
            if wake is not None and wake < self.heap[0][0]:
                self.now = max(self.now, wake)
                self.tell(ev.Tick())
                continue
            self.now, _, what, about = heapq.heappop(self.heap)
            getattr(self, f"_{what}")(about)

    def _agent(self, leg: LegId) -> None:
        self.tell(ev.LegAnswered(leg))
        self.tell(ev.LegParked(leg))

    def _caller(self, about: None) -> None:
        self.later(self.rng.expovariate(self.rate), "caller")
        leg = LegId(f"caller-{next(self.order)}")
        self.talks[leg] = talk_s = self.rng.expovariate(1.0 / self.talk_s)
        soonest = heapq.heappop(self.free_at)
        begins = max(soonest, self.now)
        heapq.heappush(self.free_at, begins + talk_s)
        self.same_draws_s.append(begins - self.now)
        self.tell(ev.LegCreated(leg, MAIN, None, None, None))
        self.tell(ag.CallerQueued(leg, "support", AttemptId(leg), ""))
        world = self.dialer._w
        call = world.calls.get(AttemptId(leg))
        if call is not None and call.state is CallState.WAITING_AGENT and call.agent is None:
            expected = expected_wait_s(world, world.runs[call.campaign], call)
            if expected is not None:
                self.expected[call.id] = expected

    def _bridged(self, bridge: act.Bridge) -> None:
        self.tell(ev.LegBridged(bridge.leg, bridge.agent_leg))

    def _over(self, leg: LegId) -> None:
        self.tell(ev.LegEnded(leg, "NORMAL_CLEARING", None, None, False, True))
        self.tell(ev.LegDestroyed(leg))
        self.tell(ev.LegParked(self.talking_with.pop(leg)))
