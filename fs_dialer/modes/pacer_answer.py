"""How likely a call is answered by a person, learnt online: a slow estimate, a fast one, and which of them to believe.

Busy signals come after seconds, answers after about nine, ring-outs after half a minute: right after a burst of originates the plain ratio of answers to
ends is badly wrong. So calls that still ring count too, each with the chance that it will be answered given how long it has rung (one EM step a decision).
Knows counts and chances only; how long phones ring is pacer_curves.py's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PRIOR = 0.40  # before anything was seen
PRIOR_CALLS = 8.0  # what the first guess is worth
SLOW_S, SLOW_CALLS = 600.0, 150.0  # time constant, and the effective calls below which nothing is forgotten
FAST_S, FAST_CALLS = 60.0, 25.0
LEAST, MOST = 0.01, 0.98


@dataclass(slots=True)
class Counts:
    """Answers and ended calls, older ones fading. `p`: the estimate with the calls that still ring counted in."""

    fade_s: float
    keep: float
    answered: float
    calls: float
    p: float
    at: float | None = None

    def ended(self, answered: bool, now: float) -> None:
        if self.at is not None and now > self.at and self.calls > self.keep:
            kept = max(math.exp((self.at - now) / self.fade_s), self.keep / self.calls)
            self.answered *= kept
            self.calls *= kept
        self.at = now if self.at is None else max(self.at, now)
        self.calls += 1.0
        self.answered += answered

    def step(self, ringing: float, hoped: float) -> None:
        """One EM step: `hoped` of the `ringing` calls will be answered by the present estimate."""
        self.p = min(MOST, max(LEAST / 2, (self.answered + hoped) / (self.calls + ringing)))

    def doubt(self) -> float:
        """One standard error."""
        return math.sqrt(self.p * (1.0 - self.p) / self.calls)


@dataclass(slots=True)
class AnswerRate:
    slow: Counts
    fast: Counts

    @classmethod
    def new(cls, pickup_rate: float | None) -> AnswerRate:
        p = PRIOR if pickup_rate is None else min(MOST, max(LEAST, pickup_rate))
        return cls(
            Counts(SLOW_S, SLOW_CALLS, p * PRIOR_CALLS, PRIOR_CALLS, p),
            Counts(FAST_S, FAST_CALLS, p * PRIOR_CALLS, PRIOR_CALLS, p),
        )

    def ended(self, answered: bool, now: float) -> None:
        self.slow.ended(answered, now)
        self.fast.ended(answered, now)

    @property
    def used(self) -> float:
        """A jump up is believed at once, a fall slowly: 0.01–0.98."""
        high = self.slow.p + self.slow.doubt()
        low = self.fast.p - self.fast.doubt()
        return min(MOST, max(LEAST, high, low))

    def state(self) -> dict[str, Any]:
        return {name: [each.answered, each.calls, each.p, each.at] for name, each in (("slow", self.slow), ("fast", self.fast))}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Go on from state(); raises on what is no state."""
        for name, each in (("slow", self.slow), ("fast", self.fast)):
            answered, calls, p, at = saved[name]
            answered, calls, p = float(answered), float(calls), float(p)
            if not (math.isfinite(calls) and 1.0 <= calls <= 1e9 and 0.0 <= answered <= calls and 0.0 < p < 1.0):
                raise ValueError(f"{name}: {saved[name]!r} are no counts")
            each.answered, each.calls, each.p = answered, calls, p
            each.at = None if at is None else float(at)
