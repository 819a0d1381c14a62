"""Reference worlds for pacers: customers, phones and agents as a discrete-event simulation, in virtual time, whole shifts from cold start.

A pacer meets a world only through its public interface (fs_dialer/modes/pacer.py: observe, calls_to_place), so any policy with these two can be driven.
Nothing of the dialer's engine is in here, on purpose: what a pacer is worth is judged by a world that its authors' engine cannot flatter.
Deterministic: equal law, policy and seed give equal figures. tests/modes uses it too.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from fs_dialer.modes.predictive import Decision, View

HOUR = 3600.0
TICK_FROM_AGENTS, TICK_S = 60, 0.5  # more agents are asked for on a tick, fewer at each event
IDLE_TICK_S = 1.0
FAILS_AFTER_S = 0.2
CPS_ROOM = 10**9

Draw = Callable[[Random], float]
OverTime = Callable[[float], float]


class Policy(Protocol):
    def observe(self, kind: str, now: float, age_s: float | None = None) -> None: ...

    def calls_to_place(self, view: View, now: float) -> Decision: ...


def constant(value: float) -> OverTime:
    return lambda now: value


def lognormal(mean: float, cv: float) -> Draw:
    sigma2 = math.log(1.0 + cv * cv)
    mu, sigma = math.log(mean) - sigma2 / 2.0, math.sqrt(sigma2)
    return lambda rng: rng.lognormvariate(mu, sigma)


def exponential(mean: float) -> Draw:
    return lambda rng: rng.expovariate(1.0 / mean)


def fixed(value: float) -> Draw:
    return lambda rng: value


def uniform(low: float, high: float) -> Draw:
    return lambda rng: rng.uniform(low, high)


def base_unanswered(rng: Random) -> float:
    """A quarter busy or failed after 1–3 s, the others ring out at 25–30 s."""
    return rng.uniform(1.0, 3.0) if rng.random() < 0.25 else rng.uniform(25.0, 30.0)


@dataclass(frozen=True)
class Law:
    """What a world is like. Times in seconds from the shift's start; `answer` and `talk_factor` by time; the base world by default.

    crew: (time, agents from then on). outages: spans in which every originate fails by the network. machines: share of calls that a machine answers.
    leads: draws a lead's own log-odds beside the campaign's; told: the pacer is told them. borrowed: a line cap of the whole campaign.
    """

    agents: int = 10
    answer: OverTime = constant(0.2)
    ring: Draw = lognormal(9.0, 0.5)
    unanswered: Draw = base_unanswered
    talk: Draw = lognormal(120.0, 1.0)
    talk_factor: OverTime = constant(1.0)
    wrap_up: Draw = fixed(10.0)
    max_wait_s: float = 2.0
    limit: float = 0.03
    hours: float = 8.0
    crew: tuple[tuple[float, int], ...] = ()
    lines: int | None = None
    machines: float = 0.0
    outages: tuple[tuple[float, float], ...] = ()
    leads: Draw | None = None
    told: bool = False
    end_known: bool = True


@dataclass
class Shift:
    """What came of one shift. Utilisation: talk and wrap-up by logged-in time within the shift."""

    answered: int = 0
    missed: int = 0
    missed_at_close: int = 0  # of calls that were in flight as the shift ended
    launched: int = 0
    busy_s: float = 0.0
    logged_in_s: float = 0.0
    by_window: dict[int, list[int]] = field(default_factory=dict)  # five minutes: [answered, missed], by the time of the answer

    @property
    def utilisation(self) -> float:
        return self.busy_s / self.logged_in_s if self.logged_in_s else 0.0

    @property
    def missed_rate(self) -> float:
        return self.missed / self.answered if self.answered else 0.0

    def keeps(self, limit: float, slack: bool = False) -> bool:
        """Missed at or under the limit; `slack`: rounded up to a whole call."""
        allowed = limit * self.answered
        return self.missed <= (math.ceil(allowed - 1e-9) if slack else allowed + 1e-9)


ANSWER, END, MACHINE, LOST, TALK, WRAP, DEADLINE, CREW, TICK = range(9)
WINDOW_S = 300.0


class World:
    """One campaign with its customers, and the agents; `beside` another world it shares that one's agents and clock."""

    def __init__(self, law: Law, policy: Policy, seed: int, beside: World | None = None) -> None:
        self.law, self.policy, self.rng = law, policy, Random(seed)
        self.end = law.hours * HOUR
        self.shift = Shift()
        self.heap: list[tuple[float, int, int, int, World]] = [] if beside is None else beside.heap
        self.crew: list[World] = [self] if beside is None else beside.crew
        self.first = self.crew[0]
        if beside is not None:
            self.crew.append(self)
        self.count = 0
        self.ringing: dict[int, tuple[float, float | None]] = {}
        self.talking: dict[int, float] = {}
        self.wrapping: dict[int, float] = {}
        self.leaving: set[int] = set()  # busy, and gone after it
        self.idle: deque[int] = deque() if beside is None else beside.idle
        self.hold: deque[tuple[int, float]] = deque()  # call, answered at
        self.held: set[int] = set()
        self.answered_at: dict[int, float] = {}
        self.served = 0
        self.agents = 0  # staying
        self.present = 0  # with those who are leaving
        self.hired = 0
        self.changed_at = 0.0

    def at(self, when: float, kind: int, who: int) -> None:
        self.first.count += 1
        heapq.heappush(self.heap, (when, self.first.count, kind, who, self))

    def run(self) -> Shift:
        """The whole shift; with worlds beside, theirs too, and their figures are in their own `shift`. Calls in flight at its end are seen to their end."""
        law, heap = self.law, self.heap
        for when, count in law.crew or ((0.0, law.agents),):
            self.at(when, CREW, count)
        ticking = law.agents > TICK_FROM_AGENTS
        every = TICK_S if ticking else IDLE_TICK_S
        self.at(every, TICK, 0)
        asked = 0.0
        while heap:
            now, _, kind, who, world = heapq.heappop(heap)
            if kind != TICK:
                world.happen(now, kind, who)
                if now >= self.end:
                    if not any(each.ringing or each.hold for each in self.crew):
                        break
                    continue
                if ticking:
                    continue
            elif now >= self.end:
                continue
            else:
                self.at(now + every, TICK, 0)
                if not ticking and now - asked < every:
                    continue
            asked = now
            for each in self.crew:
                each.ask(now)
        self.account(self.end)
        for each in self.crew:
            for started in (*each.talking.values(), *each.wrapping.values()):
                each.busy(started, self.end)
        return self.shift

    # --- what happens -----------------------------------------------------------------------------------------------------------------

    def happen(self, now: float, kind: int, who: int) -> None:
        policy = self.policy
        if kind == ANSWER:
            started, _ = self.ringing.pop(who)
            policy.observe("answered", now, now - started)
            self.answer(now, who)
        elif kind == END:
            started, _ = self.ringing.pop(who)
            policy.observe("ended", now, now - started)
        elif kind == TALK:
            started = self.talking.pop(who)
            self.busy(started, now)
            policy.observe("talk_ended", now, now - started)
            self.wrapping[who] = now
            self.at(now + self.law.wrap_up(self.rng), WRAP, who)
        elif kind == WRAP:
            started = self.wrapping.pop(who)
            self.busy(started, now)
            policy.observe("wrap_ended", now, now - started)
            self.free(now, who)
        elif kind == DEADLINE:
            if who in self.held:
                self.held.discard(who)
                self.hold = deque(each for each in self.hold if each[0] != who)
                self.miss(now, who)
        elif kind == MACHINE:
            started, _ = self.ringing.pop(who)
            policy.observe("machine", now, now - started)
        elif kind == LOST:
            self.ringing.pop(who)
        elif kind == CREW:
            self.staff(now, who)

    def answer(self, now: float, call: int) -> None:
        self.shift.answered += 1
        self.shift.by_window.setdefault(int(now / WINDOW_S), [0, 0])[0] += 1
        if self.idle:
            self.serve(now, self.idle.popleft())
            return
        self.answered_at[call] = now
        self.hold.append((call, now))
        self.held.add(call)
        self.at(now + self.law.max_wait_s, DEADLINE, call)

    def miss(self, now: float, call: int) -> None:
        answered = self.answered_at.pop(call)
        self.shift.missed += 1
        self.shift.missed_at_close += answered > self.end
        self.shift.by_window[int(answered / WINDOW_S)][1] += 1
        self.policy.observe("abandoned", now)

    def serve(self, now: float, agent: int) -> None:
        self.served += 1
        self.talking[agent] = now
        self.at(now + self.law.talk(self.rng) * self.law.talk_factor(now), TALK, agent)

    def free(self, now: float, agent: int) -> None:
        if agent in self.first.leaving:
            self.first.leaving.discard(agent)
            self.first.account(now)
            self.first.present -= 1
            return
        waiting = [each for each in self.crew if each.hold]
        if not waiting:
            self.idle.append(agent)
            return
        longest = min(waiting, key=lambda each: each.hold[0][1])
        call, _ = longest.hold.popleft()
        longest.held.discard(call)
        del longest.answered_at[call]
        longest.serve(now, agent)

    def staff(self, now: float, wanted: int) -> None:
        """Idle agents go at once, busy ones after their call."""
        self.account(now)
        while self.agents < wanted:
            self.agents += 1
            if self.leaving:
                self.leaving.pop()
                continue
            self.hired += 1
            self.present += 1
            self.free(now, self.hired)
        while self.agents > wanted:
            self.agents -= 1
            if self.idle:
                self.idle.pop()
                self.present -= 1
            else:
                self.leaving.add(next(a for each in self.crew for a in (*each.talking, *each.wrapping) if a not in self.leaving))

    def account(self, now: float) -> None:
        """Logged-in time up to now; who only finishes his last call counts too. Called before every change of the number."""
        until = min(now, self.end)
        self.shift.logged_in_s += self.present * max(0.0, until - self.changed_at)
        self.changed_at = max(self.changed_at, until)

    def busy(self, started: float, now: float) -> None:
        self.shift.busy_s += max(0.0, min(now, self.end) - started)

    # --- asking the policy ------------------------------------------------------------------------------------------------------------

    def ask(self, now: float) -> None:
        n = self.policy.calls_to_place(self.view(), now).n
        for _ in range(n):
            self.launch(now)

    def view(self) -> View:
        """With worlds beside, each idle agent is leased to the one that had fewest, and everybody's busy agents are in the view."""
        lines, leaving, crew = self.law.lines, self.first.leaving, self.crew
        in_use = 0 if lines is None else len(self.ringing) + len(self.hold) + len(self.talking)
        room = CPS_ROOM if lines is None else max(0, lines - in_use)
        talking = [since for each in crew for agent, since in each.talking.items() if agent not in leaving]
        wrapping = [since for each in crew for agent, since in each.wrapping.items() if agent not in leaving]
        idle = len(self.idle)
        if len(crew) > 1:
            served = {each: each.served for each in crew}
            for _ in range(idle):
                next_one = min(served, key=served.__getitem__)
                served[next_one] += 1
            idle = served[self] - self.served
        return View(idle, len(self.hold), list(self.ringing.values()), talking, wrapping, self.first.agents, room)

    def launch(self, now: float) -> None:
        law, rng = self.law, self.rng
        self.shift.launched += 1
        call = self.shift.launched
        p = law.answer(now)
        pi = None
        if law.leads is not None:
            odds = p / (1.0 - p) * math.exp(law.leads(rng))
            p = odds / (1.0 + odds)
            pi = p if law.told else None
        self.policy.observe("launched", now)
        self.ringing[call] = (now, pi)
        if any(start <= now < stop for start, stop in law.outages):
            self.at(now + FAILS_AFTER_S, LOST, call)
            return
        drawn = rng.random()
        if drawn < p:
            self.at(now + law.ring(rng), ANSWER, call)
        elif drawn < p + law.machines * (1.0 - p):
            self.at(now + law.ring(rng), MACHINE, call)
        else:
            self.at(now + law.unanswered(rng), END, call)
