"""How long a caller will probably wait, from what the queue itself has seen lately.

Pure: times in, an expectation or None out. While callers stand in line, somebody is taken out of it every so often; a caller at place p waits for p of these.
That gap is measured only while somebody stands in line (counting the time in which nobody was taken, too), so it holds whatever makes it what it is: how
long agents talk and rest, phones that ring in vain, campaigns that share the agents. Few have been measured at first: then the guess of the queueing theory
fills in, the mean time of a call over the number of agents (M/M/n: with all of n agents busy one becomes free every 1/nμ), worth FIRST_WORTH gaps.
"""

from __future__ import annotations

from dataclasses import dataclass

REMEMBERED = 40.0  # gaps; older ones fade
FADES = 1.0 - 1.0 / REMEMBERED
FIRST_WORTH = 4.0  # gaps that the first guess is worth
LEAST_SERVED = 3  # calls that must have ended before their mean says anything


@dataclass(slots=True)
class Pace:
    """How fast a queue's line moves. All times in seconds; fading sums of the last REMEMBERED gaps, and as many calls."""

    gaps: float = 0.0  # how many gaps
    gaps_s: float = 0.0  # and how long they were together
    calls: int = 0  # that have ended, ever
    held_worth: float = 0.0
    held_s: float = 0.0  # how long they kept their agents
    since: float | None = None  # somebody has stood in line since then, as far as it is not in gaps_s yet

    def stands(self, waiting: int, now: float) -> None:
        """So many stand in line from now on, whom no agent is being rung for."""
        if self.since is not None:
            self.gaps_s += max(0.0, now - self.since)
        self.since = now if waiting else None

    def served(self, now: float) -> None:
        """One who stood in line talks to an agent."""
        if self.since is not None:
            self.gaps_s += max(0.0, now - self.since)
            self.since = now
        self.gaps, self.gaps_s = FADES * (self.gaps + 1.0), FADES * self.gaps_s

    def held(self, seconds: float) -> None:
        """A call kept its agent so long, his rest included."""
        self.calls += 1
        self.held_worth, self.held_s = FADES * (self.held_worth + 1.0), FADES * (self.held_s + max(0.0, seconds))

    def gap_s(self, agents: int, now: float) -> float | None:
        """How long it takes until the next one is taken out of the line; None = nobody can tell."""
        if agents <= 0 or self.calls < LEAST_SERVED:
            return None
        first = self.held_s / self.held_worth / agents
        measured = self.gaps_s + (max(0.0, now - self.since) if self.since is not None else 0.0)
        return (measured + FIRST_WORTH * first) / (self.gaps + FIRST_WORTH)

    def expected_s(self, place: int, agents: int, now: float) -> float | None:
        """How long the caller at this place of the line (1 = the next one) will wait from now on; None = nobody can tell."""
        gap_s = self.gap_s(agents, now)
        return None if gap_s is None else place * gap_s
