"""What each lead's own chance to be answered, learnt online, adds to the pacer: utilisation and missed calls in worlds whose leads differ, and do not.

Knows which worlds are run; they are in _lead_worlds.py. Whole shifts from cold start: the pacer and the odds both begin with nothing. Seeds are fixed.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from statistics import fmean

from bench._lead_worlds import LeadWorld
from bench._pacing_scenes import base
from bench._pacing_worlds import HOUR
from fs_dialer.modes.pacer import Pacer

TITLE = "what leads' own chances, learnt online, add to the pacer (about 4 minutes; --full: half an hour)"

WAYS = ("", "learnt", "ordered", "told")
CELLS = ((5, 0.2), (10, 0.2))
MORE_CELLS = ((20, 0.2),)  # with --full
AIM_ALIKE = -0.2  # points of utilisation that may be lost where leads do not differ

Job = tuple[int, float, float, str, int]


def work(job: Job) -> tuple[float, int, int, bool]:
    """Utilisation, answered, missed, and whether the shift kept its limit."""
    agents, p, differ, way, seed = job
    law = base(agents, p)
    pacer = Pacer(law.limit, law.max_wait_s, law.agents, 0.0, law.hours * HOUR)
    shift = LeadWorld(law, pacer, seed, differ, way).run()
    return shift.utilisation, shift.answered, shift.missed, shift.keeps(law.limit)


def run(full: bool = False) -> dict[str, float | None]:
    began = time.monotonic()
    seeds, cells = range(24 if full else 4), CELLS + (MORE_CELLS if full else ())
    jobs = [(agents, p, differ, way, seed) for agents, p in cells for differ in (1.0, 0.0) for way in WAYS for seed in seeds]
    jobs.sort(key=lambda job: -job[0])
    found: dict[tuple[int, float, float, str], list[tuple[float, int, int, bool]]] = {}
    with ProcessPoolExecutor(os.cpu_count()) as cores:
        for number, (job, done) in enumerate(zip(jobs, cores.map(work, jobs), strict=True), start=1):
            found.setdefault(job[:4], []).append(done)
            if number % 8 == 0:
                print(f"{number} of {len(jobs)} · {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    figures: dict[str, float | None] = {}
    gains: dict[float, list[float]] = {1.0: [], 0.0: []}
    for agents, p in cells:
        for differ in (1.0, 0.0):
            plain = 100.0 * fmean(shift[0] for shift in found[agents, p, differ, ""])
            for way in WAYS:
                shifts = found[agents, p, differ, way]
                used = 100.0 * fmean(shift[0] for shift in shifts)
                key = _key(agents, p, differ, way)
                figures[f"{key}_utilisation"] = round(used, 2)
                figures[f"{key}_missed"] = round(100.0 * sum(shift[2] for shift in shifts) / max(1, sum(shift[1] for shift in shifts)), 3)
                if way == "ordered":
                    gains[differ].append(used - plain)
    every = [shift for shifts in found.values() for shift in shifts]
    figures["shifts"] = float(len(every))
    figures["shifts_over"] = float(sum(not shift[3] for shift in every))
    figures["least_gain_where_leads_differ"] = round(min(gains[1.0]), 2)
    figures["least_gain_where_leads_are_alike"] = round(min(gains[0.0]), 2)
    figures["seconds"] = round(time.monotonic() - began, 1)
    return figures


def _key(agents: int, p: float, differ: float, way: str) -> str:
    return f"{'differ' if differ else 'alike'}_n{agents}_p{round(100 * p)}_{way or 'plain'}"


def table(figures: dict[str, float | None]) -> str:
    f = {key: value if value is not None else 0.0 for key, value in figures.items()}

    def cell(key: str) -> str:
        return f"{f[key + '_utilisation']:6.2f} ({f[key + '_missed']:4.2f})"

    lines = ["utilisation % (missed %), limit 3 %", "", f"  {'':<30}{'rate alone':>14}{'learnt':>16}{'and ordered':>16}{'the truth':>16}"]
    for differ in (1.0, 0.0):
        for agents, p in (*CELLS, *MORE_CELLS):
            if f"{_key(agents, p, differ, '')}_missed" not in f:
                continue
            title = f"{agents} agents, leads {'differ' if differ else 'are alike'}"
            lines.append(f"  {title:<30}" + "   ".join(cell(_key(agents, p, differ, way)) for way in WAYS))
    return "\n".join(
        [
            *lines,
            "",
            f"  least gain where leads differ      {f['least_gain_where_leads_differ']:6.2f} points   aim > 0",
            f"  least gain where leads are alike   {f['least_gain_where_leads_are_alike']:6.2f} points   aim ≥ {AIM_ALIKE}",
            f"  shifts over their limit            {f['shifts_over']:6.0f} of {f['shifts']:.0f}",
            f"  took                               {f['seconds']:6.0f} s",
        ]
    )
