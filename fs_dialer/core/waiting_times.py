"""How long a caller will probably wait, from what the queue itself has seen lately.

Pure: times in, an expectation or None out. While callers stand in line, somebody is taken out of it every so often; a caller at place p waits for p of these.
That gap is measured only while somebody stands in line (counting the time in which nobody was taken, too), and in agents' seconds: gap times agents who are
there, so that it holds when agents come and go. It holds whatever makes it what it is: how long agents talk and rest, phones that ring in vain, campaigns
that share the agents. Few have been measured at first: then the guess of the queueing theory fills in, the mean time of a call (M/M/n: with all of n agents
busy one becomes free every 1/nμ), worth FIRST_WORTH gaps.

The memory is long on purpose. A line is long where the last gaps happened to be long, and whoever asks then would hear too much: by 7 % where 40 gaps are
remembered, by 3 % where 200 are (bench/queue.py measures it).
"""

from __future__ import annotations

from dataclasses import dataclass

REMEMBERED = 200.0  # gaps, and calls; older ones fade
FADES = 1.0 - 1.0 / REMEMBERED
FIRST_WORTH = 4.0  # gaps that the first guess is worth
LEAST_SERVED = 3  # calls that must have ended before their mean says anything


@dataclass(slots=True)
class Pace:
    """How fast a queue's line moves."""

    gaps: float = 0.0  # how many, fading
    gaps_s: float = 0.0  # agents' seconds in them, fading alike
    calls: int = 0  # that have ended, ever
    held_worth: float = 0.0
    held_s: float = 0.0  # how long they kept their agents
    since: float | None = None  # somebody has stood in line since then, as far as it is not in gaps_s yet
    agents: int = 0  # who were there since then

    def stands(self, waiting: int, agents: int, now: float) -> None:
        """So many stand in line from now on, whom no agent is being rung for, and so many agents are there, busy or not."""
        self.gaps_s += self._open_s(now)
        self.since, self.agents = now if waiting else None, agents

    def served(self, now: float) -> None:
        """One who stood in line talks to an agent."""
        self.gaps_s += self._open_s(now)
        self.since = now if self.since is not None else None
        self.gaps, self.gaps_s = FADES * (self.gaps + 1.0), FADES * self.gaps_s

    def held(self, seconds: float) -> None:
        """A call kept its agent so long, his rest included."""
        self.calls += 1
        self.held_worth, self.held_s = FADES * (self.held_worth + 1.0), FADES * (self.held_s + max(0.0, seconds))

    def expected_s(self, place: int, agents: int, now: float) -> float | None:
        """How long the caller at this place of the line (1 = the next one) will wait from now on; None = nobody can tell."""
        if agents <= 0 or self.calls < LEAST_SERVED:
            return None
        first = self.held_s / self.held_worth
        return place * (self.gaps_s + self._open_s(now) + FIRST_WORTH * first) / (self.gaps + FIRST_WORTH) / agents

    def _open_s(self, now: float) -> float:
        return 0.0 if self.since is None else max(0.0, now - self.since) * self.agents
