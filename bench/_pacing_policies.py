"""What a pacer is compared with: progressive, a fixed ratio tuned in hindsight, and an adaptive dial level as VICIdial documents its own.

The dial level is written from VICIdial's public documentation of its dial methods (level = lines per agent; looked at every 15 s; between 1 and
"maximum adapt dial level"; HARD_LIMIT: back to one line per agent once today's drop rate is over the limit; AVERAGE: down and up as the rate is over or
under it; TAPERED: lenient early in the day, strict towards its end). None of its code is used.
"""

from __future__ import annotations

from collections.abc import Sequence

from fs_dialer.modes.predictive import Decision, View

LEVEL_EVERY_S = 15.0
LEVEL_MOST = 3.0
LEVEL_STEP = 0.1
LEVEL_LEAST_ANSWERS = 30
RATIOS = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0)


class Ratio:
    """So many ringing lines for each free agent; 1.0 = progressive."""

    def __init__(self, ratio: float = 1.0) -> None:
        self.ratio = ratio

    def observe(self, kind: str, now: float, age_s: float | None = None) -> None:
        """It learns nothing."""

    def calls_to_place(self, view: View, now: float) -> Decision:
        wanted = int(self.ratio * max(0, view.idle - view.on_hold)) - len(view.ringing)
        return Decision(min(view.room, max(0, wanted)), "a fixed ratio")


class DialLevel:
    """An adaptive dial level: level × agents lines in all, those in talk included."""

    def __init__(self, limit: float, end: float, method: str = "hard_limit") -> None:
        self.limit, self.end, self.method = limit, end, method
        self.level, self.looked_at = 1.0, 0.0
        self.answered = self.missed = 0
        self.idle_seen: list[float] = []

    def observe(self, kind: str, now: float, age_s: float | None = None) -> None:
        self.answered += kind == "answered"
        self.missed += kind == "abandoned"

    def calls_to_place(self, view: View, now: float) -> Decision:
        self.idle_seen.append(float(view.idle - view.on_hold))
        if now - self.looked_at >= LEVEL_EVERY_S:
            self.looked_at = now
            self.adapt(now, self.idle_seen)
            self.idle_seen = []
        wanted = int(self.level * view.agents) - len(view.ringing) - view.on_hold - len(view.talking)
        return Decision(min(view.room, max(0, wanted)), "an adaptive dial level")

    def adapt(self, now: float, idle: Sequence[float]) -> None:
        allowed = self.limit
        if self.method == "tapered":
            allowed *= 1.0 + max(0.0, 1.0 - 2.0 * now / self.end)
        rate = self.missed / self.answered if self.answered else 0.0
        if rate > allowed:
            self.level = max(1.0, self.level - LEVEL_STEP) if self.method == "average" and self.answered >= LEVEL_LEAST_ANSWERS else 1.0
        elif sum(idle) > 0:  # agents wait for calls
            self.level = min(LEVEL_MOST, self.level + LEVEL_STEP)
        else:
            self.level = max(1.0, self.level - LEVEL_STEP)
