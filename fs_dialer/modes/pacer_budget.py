"""The budget of missed calls, and what one more risk may cost now.

**The invariant: any n answers in a row have at most limit·n + ceiling missed calls.** It holds because the budget is a token bucket in missed calls:
every answer adds the limit, every missed call takes one, and nothing is risked while the bucket does not cover what is already at stake. The bucket is
the integral controller, its ceiling the anti-windup; `z` turns the price slowly so that the bucket stands near its set-point.
Where the end of the calling hours is known, part of what the rest of the day will bring is lent, less and less towards the end.
Knows counts and the clock; nothing of phones or agents but how many there are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

OPENING = 1.0  # missed calls lent on the first day; the first 2/limit answers pay it back
SET_POINT_GROWTH = 0.08  # of what the answers so far allow
SET_POINT_MOST = 6.0
CEILING_FACTOR = 2.5
LEND_MOST, LEND_SHARE = 2.0, 0.4  # of the rest of the day's budget
SETTLED_S = 600.0  # so long the pace of answers is not extrapolated from less
HOLD_SHARE = 0.7  # of the customers who wait, so many are counted as missed already
Z_GAIN = 0.002
Z_OPENING_RISK = 0.05
Q_MOST = 0.9


class Price(NamedTuple):
    """`q`: the highest chance of a missed call at which one more call is worth it; 0 = the budget `b` is used up."""

    b: float
    q: float
    set_point: float
    lent: float
    scale: float


@dataclass(slots=True)
class Budget:
    """limit: missed calls per answer, 0–1. Times on the pacer's clock, in seconds."""

    limit: float
    start: float
    end: float | None
    agents: int
    tokens: float = OPENING
    answered: int = 0
    missed: int = 0
    z: float = math.nan

    def __post_init__(self) -> None:
        if math.isnan(self.z):
            self.z = math.log(Z_OPENING_RISK) + 0.5 * math.log(1.0 + max(0, self.agents) / 10.0)

    def answer(self, now: float, agents: int) -> None:
        self.answered += 1
        paying_back = self.answered * self.limit <= 2.0
        price = self.price(now, agents, 0)
        self.tokens += self.limit / 2 if paying_back else self.limit
        self.tokens = min(self.tokens, CEILING_FACTOR * price.set_point + 1.0)
        self.z += Z_GAIN * (self.tokens / price.set_point - 1.0)
        self.z = min(max(self.z, -5.0), -1.0 + min(0.9, price.scale / 15.0))

    def miss(self) -> None:
        self.missed += 1
        self.tokens -= 1.0

    def recount(self, answered: int, missed: int) -> None:
        """Today's true counts, from a better book than a saved state that may be seconds old: the difference is paid in and taken out."""
        if answered > self.answered or missed > self.missed:
            lent = min(OPENING, self.limit / 2 * answered) - min(OPENING, self.limit / 2 * self.answered)
            self.tokens += self.limit * (answered - self.answered) - lent - (missed - self.missed)
            scale = max(1.0, self.agents / 20.0)
            self.tokens = min(self.tokens, CEILING_FACTOR * min(1.0 + SET_POINT_GROWTH * self.limit * answered, SET_POINT_MOST * scale) + 1.0)
        self.answered, self.missed = answered, missed

    def price(self, now: float, agents: int, on_hold: int) -> Price:
        scale = max(1.0, agents / 20.0)
        set_point = min(1.0 + SET_POINT_GROWTH * self.limit * self.answered, SET_POINT_MOST * scale)
        lent = 0.0
        if self.end is not None:
            to_come = self.limit * self.answered * max(0.0, self.end - now) / max(SETTLED_S, now - self.start)
            lent = min(LEND_MOST, LEND_SHARE * to_come)
            set_point = min(set_point, 0.5 + 0.5 * to_come)
        b = self.tokens + lent - 1.0 - agents / 20.0 - HOLD_SHARE * on_hold
        if b <= 0.0:
            return Price(b, 0.0, set_point, lent, scale)
        q = math.exp(self.z + 0.5 * min(20.0, b / set_point - 1.0)) * min(1.0, b / scale)
        return Price(b, min(Q_MOST, q), set_point, lent, scale)

    def state(self) -> dict[str, Any]:
        return {"start": self.start, "tokens": self.tokens, "answered": self.answered, "missed": self.missed, "z": self.z}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """The tokens and counts of the same calling window; another day begins with its own."""
        start, tokens, z = float(saved["start"]), float(saved["tokens"]), float(saved["z"])
        answered, missed = int(saved["answered"]), int(saved["missed"])
        if not (math.isfinite(tokens) and math.isfinite(z)) or answered < 0 or missed < 0:
            raise ValueError("no budget")
        if start == self.start:
            self.tokens, self.answered, self.missed, self.z = tokens, answered, missed, z
