"""Counting what happened: outcomes of a campaign, and how its agents spent their time.

Raw counts only; every rate is computed from them, so that any other definition can be recomputed (D1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from fs_dialer.core.hangup import ANSWERED_BY_PERSON
from fs_dialer.core.model import AgentState, AttemptResult, Outcome

Z_95 = 1.959963984540054  # 95 of 100 under the normal curve lie within so many standard deviations


@dataclass(slots=True)
class Tally:
    """One campaign since the daemon started. `answered`: by a person; `waited_s`: from the answer to the agent, summed over bridged calls."""

    outcomes: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    attempts: int = 0
    answered: int = 0
    missed: int = 0
    bridged: int = 0
    waited_s: float = 0.0
    talked_s: float = 0.0
    refused_without_leg: int = 0

    def add(self, result: AttemptResult) -> None:
        self.attempts += 1
        self.outcomes[result.outcome] += 1
        if result.outcome in ANSWERED_BY_PERSON and result.answered_at is not None:
            self.answered += 1
        if result.missed:
            self.missed += 1
        if result.bridged_at is not None and result.answered_at is not None:
            self.bridged += 1
            self.waited_s += max(0.0, result.bridged_at - result.answered_at)
            self.talked_s += max(0.0, result.ended_at - result.bridged_at)
        if not result.leg_seen:
            self.refused_without_leg += 1


def missed_rate(tally: Tally) -> float:
    """Share of calls answered by a person that met no agent in time, 0.0–1.0; 0.0 when none was answered (D1)."""
    return tally.missed / tally.answered if tally.answered else 0.0


def wilson(missed: int, answered: int) -> tuple[float, float]:
    """Between which two rates the true one lies with 95 % confidence, 0.0–1.0; (0, 1) when none was answered, for then nothing is known.

    Wilson's score interval (1927): unlike the textbook's it stays inside 0–1, and says something of 0 missed too. ValueError for no such counts.
    """
    if not 0 <= missed <= answered:
        raise ValueError(f"{missed} missed of {answered}")
    if answered == 0:
        return 0.0, 1.0
    share, scale = missed / answered, 1 + Z_95**2 / answered
    middle = (share + Z_95**2 / (2 * answered)) / scale
    reach = Z_95 / scale * math.sqrt(share * (1 - share) / answered + Z_95**2 / (4 * answered**2))
    # At the ends the bound is the end itself; arithmetic alone misses it by 1e-17.
    return (middle - reach if missed else 0.0), (middle + reach if missed < answered else 1.0)


@dataclass(slots=True)
class TimeUse:
    """Seconds an agent spent in each state while logged in and available."""

    seconds: dict[AgentState, float] = field(default_factory=lambda: dict.fromkeys(AgentState, 0.0))

    def add(self, state: AgentState, seconds: float) -> None:
        self.seconds[state] += seconds


BUSY = (AgentState.TALKING, AgentState.HELD, AgentState.CONSULTING, AgentState.WRAP_UP)


def utilisation(uses: list[TimeUse]) -> float:
    """Talk and wrap-up as a share of logged-in time, 0.0–1.0; 0.0 without any."""
    total = sum(sum(use.seconds.values()) for use in uses)
    busy = sum(use.seconds[state] for use in uses for state in BUSY)
    return busy / total if total > 0 else 0.0
