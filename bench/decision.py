"""What one decision of the predictive pacer costs: µs by team size, at the points where it is really asked.

A shift of the base world is run to its second hour and every decision of ten minutes more is timed, so that views, tables and budget are those of a
working day. The tables are made anew every ten seconds: that is in the 99th percentile and in the worst, not in the median.
"""

from __future__ import annotations

import statistics
import time

from bench._pacing_scenes import base
from bench._pacing_worlds import HOUR, World
from fs_dialer.modes.predictive import Decision, Pacer, View

TITLE = "µs per decision of the predictive pacer at 5, 20, 100 and 500 agents"
TEAMS = (5, 20, 100, 500)
WARM_S, TIMED_S = 1800.0, 900.0


class Timed:
    """A pacer whose decisions are timed once it is warm."""

    def __init__(self, pacer: Pacer) -> None:
        self.pacer = pacer
        self.took_us: list[float] = []

    def observe(self, kind: str, now: float, age_s: float | None = None) -> None:
        self.pacer.observe(kind, now, age_s)

    def calls_to_place(self, view: View, now: float) -> Decision:
        began = time.perf_counter()
        decision = self.pacer.calls_to_place(view, now)
        if now > WARM_S:
            self.took_us.append((time.perf_counter() - began) * 1e6)
        return decision


def timed(agents: int, p: float = 0.3) -> list[float]:
    law = base(agents, p)
    policy = Timed(Pacer(law.limit, law.max_wait_s, agents, 0.0, 8 * HOUR))
    world = World(law, policy, seed=1)
    world.end = WARM_S + TIMED_S
    world.run()
    return policy.took_us


def run() -> dict[str, float | None]:
    """Takes about half a minute."""
    figures: dict[str, float | None] = {}
    for agents in TEAMS:
        took = sorted(timed(agents))
        figures[f"median_us_at_{agents}"] = round(statistics.median(took), 1)
        figures[f"p99_us_at_{agents}"] = round(took[int(0.99 * len(took))], 1)
        figures[f"decisions_at_{agents}"] = float(len(took))
    figures["median_us_worst_n"] = max(figures[f"median_us_at_{agents}"] or 0.0 for agents in TEAMS)
    return figures


def table(figures: dict[str, float | None]) -> str:
    lines = [f"  {'agents':>6}{'median µs':>12}{'p99 µs':>12}"]
    lines += [f"  {agents:>6}{figures[f'median_us_at_{agents}']:12.0f}{figures[f'p99_us_at_{agents}']:12.0f}" for agents in TEAMS]
    return "\n".join([*lines, f"  worst median {figures['median_us_worst_n']:.0f} µs     aim ≤ 400"])
