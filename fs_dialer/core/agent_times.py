"""How agents spent their time, by hour: counted in memory, handed to the store every minute and at the end.

Every second of a log-in is one of the first nine words of AGENT_TIMES; logged_in and screen_open run beside them. What a crash loses is a minute.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from fs_dialer.core.agent import Agent
from fs_dialer.core.model import AgentId, AgentState, AgentStatus, AgentTimes

HOUR_S = 3600.0
SAVE_EVERY_S = 60.0
WORDS = {
    AgentState.IDLE: "ready",
    AgentState.LEG_DOWN: "not_available",
    AgentState.RESERVED: "reserved",
    AgentState.PREVIEWING: "previewing",
    AgentState.RINGING: "ringing",
    AgentState.TALKING: "talking",
    AgentState.HELD: "held",
    AgentState.CONSULTING: "consulting",
    AgentState.WRAP_UP: "wrap_up",
}


def doing(agent: Agent) -> str:
    """The word for what he does; "" = he is logged out. A break that was asked for during a call begins after it."""
    if agent.status is AgentStatus.LOGGED_OUT and agent.call is None:
        return ""
    if agent.status is not AgentStatus.AVAILABLE and agent.call is None:
        return "not_available"
    return WORDS[agent.state]


@dataclass(slots=True)
class Clock:
    """One agent's. `at`: counted up to then."""

    at: float
    what: str = ""
    screen: bool = False
    seconds: dict[float, dict[str, float]] = field(default_factory=dict)  # by hour
    counts: dict[float, Counter[str]] = field(default_factory=dict)

    def run_to(self, now: float) -> None:
        """Count what he has been doing until now, each hour for itself."""
        while self.at < now:
            hour = self.at // HOUR_S * HOUR_S
            until = min(now, hour + HOUR_S)
            if self.what or self.screen:
                kept = self.seconds.setdefault(hour, {})
                for what in (self.what, "logged_in" if self.what else "", "screen_open" if self.screen else ""):
                    if what:
                        kept[what] = kept.get(what, 0.0) + until - self.at
            self.at = until

    def count(self, what: str, now: float) -> None:
        self.counts.setdefault(now // HOUR_S * HOUR_S, Counter())[what] += 1


@dataclass(slots=True)
class Clocks:
    of: dict[AgentId, Clock] = field(default_factory=dict)

    def clock(self, agent: AgentId, now: float) -> Clock:
        found = self.of.get(agent)
        if found is None:
            found = self.of[agent] = Clock(now)
        return found

    def moved(self, agent: Agent, now: float) -> None:
        """He does something else from now on, or is known from now on."""
        clock, what = self.clock(agent.id, now), doing(agent)
        if what != clock.what:
            clock.run_to(now)
            clock.what = what

    def screen(self, agent: AgentId, is_open: bool, now: float) -> None:
        clock = self.clock(agent, now)
        clock.run_to(now)
        clock.screen = is_open

    def count(self, agent: AgentId, what: str, now: float) -> None:
        """missed_offers, previews, skipped."""
        self.clock(agent, now).count(what, now)

    def take(self, now: float) -> tuple[AgentTimes, ...]:
        """What has come together since the last time; from now on it is counted anew."""
        rows = []
        for agent, clock in self.of.items():
            clock.run_to(now)
            for hour in sorted(clock.seconds.keys() | clock.counts.keys()):
                counts = clock.counts.get(hour, Counter())
                seconds = tuple(sorted(clock.seconds.get(hour, {}).items()))
                rows.append(AgentTimes(agent, hour, now, seconds, counts["missed_offers"], counts["previews"], counts["skipped"]))
            clock.seconds.clear()
            clock.counts.clear()
        return tuple(rows)
