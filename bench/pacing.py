"""How busy pacers keep agents and how many calls they miss: reference worlds × team sizes × policies, whole shifts from cold start.

Knows which worlds are run with which policies and seeds, and what must come out (docs/decisions/0006-pacing.md); the worlds themselves are in
_pacing_worlds.py and _pacing_scenes.py. All cores are used. Seeds are fixed: equal code gives equal figures.
"""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from statistics import fmean

from bench._pacing_policies import RATIOS, DialLevel, Ratio
from bench._pacing_scenes import SCENES, base, exponential_world, random_world, told
from bench._pacing_worlds import HOUR, Law, Policy, Shift, World, constant
from fs_dialer.modes.predictive import Pacer

TITLE = "agents' utilisation and missed calls of pacers, whole shifts in reference worlds (about 8 minutes; --full: an hour)"

# What must be reached in the mean, %: by team and answer rate.
AIMS_BASE = {
    (2, 0.2): 70.0, (2, 0.4): 81.5, (2, 0.6): 87.0,
    (5, 0.2): 78.0, (5, 0.4): 84.5, (5, 0.6): 88.5,
    (10, 0.2): 83.5, (10, 0.4): 87.5, (10, 0.6): 90.0,
    (20, 0.2): 89.0, (20, 0.4): 91.0, (20, 0.6): 92.5,
    (50, 0.2): 93.5, (50, 0.4): 94.5, (50, 0.6): 95.0,
}  # fmt: skip
AIMS_EXPONENTIAL = {
    (5, 0.2): 80.5, (5, 0.4): 86.0, (5, 0.6): 89.0,
    (20, 0.2): 89.0, (20, 0.4): 90.5, (20, 0.6): 91.5,
    (100, 0.2): 95.5, (100, 0.4): 95.5, (100, 0.6): 95.5,
}  # fmt: skip
SEEDS = {2: 10, 5: 8, 10: 6, 20: 4, 50: 2, 100: 1}
LEAD_SIGMA = 1.5  # log-odds by which leads differ in the world of the per-lead policy
LEADS_WORLDS = ((5, 0.2), (10, 0.2), (20, 0.2))
LARGE_TEAM = 50  # of which the calls in flight at the closing bell do not count


@dataclass(frozen=True)
class Job:
    """One policy in one world. `seeds` more than one only where they belong together: a ratio is tuned over all of them."""

    world: str
    agents: int
    p: float
    policy: str
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Found:
    """What came of one shift. missed: without those of a large team's closing bell."""

    job: Job
    limit: float
    utilisation: float
    answered: int
    missed: int
    within: bool
    within_rounded: bool
    worst_window: float


def law_of(job: Job) -> Law:
    if job.world == "base":
        return base(job.agents, job.p)
    if job.world == "exponential":
        return exponential_world(job.agents, job.p)
    if job.world == "leads":
        law = told(base(job.agents, job.p), LEAD_SIGMA)
        return law if job.policy == "ppp_leads" else replace(law, told=False)
    if job.world == "random":
        return random_world(job.agents)
    if job.world == "shared":
        return Law(agents=job.agents, answer=constant(job.p))
    return SCENES[job.world](job.agents)


def pacer(law: Law) -> Pacer:
    return Pacer(law.limit, law.max_wait_s, law.agents, 0.0, law.hours * HOUR if law.end_known else None)


POLICIES: dict[str, Callable[[Law], Policy]] = {
    "progressive": lambda law: Ratio(1.0),
    "dial_level": lambda law: DialLevel(law.limit, law.hours * HOUR),
    "ppp": pacer,
    "ppp_leads": pacer,
}


def work(job: Job) -> list[Found]:
    law = law_of(job)
    if job.policy == "ratio":
        return _best_ratio(job, law)
    make = POLICIES[job.policy]
    if job.world == "shared":
        first = World(law, make(law), job.seeds[0])
        second = World(law, make(law), job.seeds[0] + 1000, beside=first)
        first.run()
        both = first.shift.busy_s + second.shift.busy_s
        return [_found(job, law, each.shift, both / first.shift.logged_in_s) for each in (first, second)]
    return [_found(job, law, World(law, make(law), seed).run()) for seed in job.seeds]


def _best_ratio(job: Job, law: Law) -> list[Found]:
    """The highest ratio whose shifts keep the limit on the whole."""
    best: list[Found] = []
    for ratio in RATIOS:
        tried = [_found(job, law, World(law, Ratio(ratio), seed).run()) for seed in job.seeds]
        if best and sum(each.missed for each in tried) > law.limit * sum(each.answered for each in tried):
            break
        best = tried
    return best


def _found(job: Job, law: Law, shift: Shift, utilisation: float | None = None) -> Found:
    counted = shift if law.agents < LARGE_TEAM else replace(shift, missed=shift.missed - shift.missed_at_close)
    windows = [missed / answered for answered, missed in shift.by_window.values() if answered >= 20]
    return Found(
        job,
        law.limit,
        shift.utilisation if utilisation is None else utilisation,
        counted.answered,
        counted.missed,
        counted.keeps(law.limit),
        counted.keeps(law.limit, slack=True),
        max(windows, default=0.0),
    )


def jobs(full: bool) -> list[Job]:
    """The longest first, so that no core is left alone at the end."""
    more = 4 if full else 1
    found: list[Job] = []
    for world, cells in (("base", AIMS_BASE), ("exponential", AIMS_EXPONENTIAL)):
        for agents, p in cells:
            seeds = range(max(1, SEEDS[agents] * more // (1 if world == "base" else 2)))
            found += [Job(world, agents, p, "ppp", (seed,)) for seed in seeds]
            if world == "base":
                compared = tuple(range(2 if agents < 10 else 1))
                found += [Job(world, agents, p, policy, compared) for policy in ("progressive", "ratio", "dial_level")]
    for agents, p in LEADS_WORLDS:
        found += [Job("leads", agents, p, policy, (seed,)) for policy in ("ppp", "ppp_leads") for seed in range(2 * more)]
    for scene in SCENES:
        found += [Job(scene, 10, 0.0, policy, (seed,)) for policy in ("ppp", "progressive") for seed in range(2 * more)]
    for scene, agents in (("outages", 5), ("outages", 20), ("outages", 50), ("jump_up", 50), ("rare_answers", 1), ("nearly_all_answer", 1), ("steps", 1)):
        found += [Job(scene, agents, 0.0, policy, (seed,)) for policy in ("ppp", "progressive") for seed in range(more)]
    found += [Job("shared", 10, 0.3, "ppp", (seed,)) for seed in range(2 * more)]
    found += [Job("random", number, 0.0, policy, (1,)) for policy in ("ppp", "progressive") for number in range(1000, 1000 + 20 * more)]
    if full:
        found += [Job("base", 500, 0.4, "ppp", (0,)), Job("exponential", 500, 0.2, "ppp", (0,))]
        found += [Job(scene, agents, 0.0, policy, (seed,)) for scene in SCENES for agents in (2, 30) for policy in ("ppp", "progressive") for seed in range(4)]
    return sorted(found, key=lambda job: (job.policy == "progressive", -(job.agents if job.world != "random" else 5)))


def run(full: bool = False) -> dict[str, float | None]:
    began = time.monotonic()
    todo = jobs(full)
    found: list[Found] = []
    with ProcessPoolExecutor(os.cpu_count()) as cores:
        for number, done in enumerate(as_completed([cores.submit(work, job) for job in todo]), start=1):
            found += done.result()
            if number % 25 == 0:
                print(f"{number} of {len(todo)} · {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    figures = figures_of(found)
    figures["seconds"] = round(time.monotonic() - began, 1)
    return figures


def figures_of(found: Iterable[Found]) -> dict[str, float | None]:
    """Percent, except counts and `seconds`. `…_over_aim`: points above the aim. Pooled figures are those of PPP in all worlds."""
    groups: dict[tuple[str, int, float, str], list[Found]] = defaultdict(list)
    for each in found:
        job = each.job
        groups[job.world, job.agents, job.p, job.policy].append(each)
    figures: dict[str, float | None] = {}
    lead: list[float] = []
    short: list[float] = []
    for (world, agents, p, policy), shifts in groups.items():
        utilisation = 100.0 * fmean(each.utilisation for each in shifts)
        key = f"{world}_n{agents}" + (f"_p{round(100 * p)}" if p else "") + f"_{policy}"
        if world != "random":
            figures[f"{key}_utilisation"] = round(utilisation, 2)
            figures[f"{key}_missed"] = round(100.0 * sum(each.missed for each in shifts) / max(1, sum(each.answered for each in shifts)), 3)
        aim = {"base": AIMS_BASE, "exponential": AIMS_EXPONENTIAL}.get(world, {}).get((agents, p)) if policy == "ppp" else None
        if aim is not None:
            short.append(utilisation - aim)
            figures[f"{key}_over_aim"] = round(utilisation - aim, 2)
        progressive = groups.get((world, agents, p, "progressive"))
        if policy == "ppp" and progressive:
            lead.append(utilisation - 100.0 * fmean(each.utilisation for each in progressive))
    ours = [each for group, shifts in groups.items() if group[3].startswith("ppp") for each in shifts]
    jump = [each.worst_window for each in ours if each.job.world == "jump_up" and each.job.agents == LARGE_TEAM]
    figures["shifts"] = float(len(ours))
    figures["shifts_over"] = float(sum(not each.within for each in ours))
    figures["shifts_over_by_a_call"] = float(sum(not each.within_rounded for each in ours))
    figures["shifts_within_percent"] = round(100.0 * sum(each.within for each in ours) / max(1, len(ours)), 2)
    figures["worst_shift_of_limit_percent"] = round(100.0 * max((each.missed / max(1.0, each.limit * each.answered) for each in ours), default=0.0), 1)
    figures["aims_missed"] = float(sum(points < 0 for points in short))
    figures["worst_over_aim"] = round(min(short, default=0.0), 2)
    figures["worst_over_progressive"] = round(min(lead, default=0.0), 2)
    figures["jump_worst_five_minutes"] = round(100.0 * max(jump, default=0.0), 1)
    return figures


def table(figures: dict[str, float | None]) -> str:
    f = {key: value if value is not None else 0.0 for key, value in figures.items()}

    def cell(key: str) -> str:
        return f"{f[key + '_utilisation']:5.1f} ({f[key + '_missed']:4.2f})" if f"{key}_utilisation" in f else f"{'–':>12}"

    lines = ["utilisation % (missed %)", "", f"  {'base world':<26}{'progressive':>13}{'best ratio':>14}{'dial level':>14}{'PPP':>14}{'aim':>7}"]
    for (agents, p), aim in AIMS_BASE.items():
        key = f"base_n{agents}_p{round(100 * p)}_"
        cells = "  ".join(cell(key + policy) for policy in ("progressive", "ratio", "dial_level", "ppp"))
        lines.append(f"  {agents:>3} agents, p {p:.1f}           {cells}{aim:7.1f}")
    lines += ["", f"  {'exponential world':<26}{'PPP':>13}{'aim':>9}"]
    for (agents, p), aim in AIMS_EXPONENTIAL.items():
        lines.append(f"  {agents:>3} agents, p {p:.1f}           {cell(f'exponential_n{agents}_p{round(100 * p)}_ppp')}{aim:9.1f}")
    lines += ["", f"  {'leads that differ':<26}{'PPP':>13}{'PPP + per-lead':>16}"]
    for agents, p in LEADS_WORLDS:
        key = f"leads_n{agents}_p{round(100 * p)}_"
        lines.append(f"  {agents:>3} agents, p {p:.1f}           {cell(key + 'ppp')}    {cell(key + 'ppp_leads')}")
    lines += ["", f"  {'other worlds':<34}{'progressive':>13}{'PPP':>14}"]
    for key in sorted(
        key.removesuffix("_ppp_utilisation") for key in f if key.endswith("_ppp_utilisation") and "_p" not in key.removesuffix("_ppp_utilisation")
    ):
        lines.append(f"  {key:<34}{cell(key + '_progressive')}  {cell(key + '_ppp')}")
    return "\n".join(
        [
            *lines,
            "",
            f"  shifts at or under their limit   {f['shifts_within_percent']:6.2f} % of {f['shifts']:.0f}   aim ≥ 98",
            f"  over it by a whole call          {f['shifts_over_by_a_call']:6.0f}            aim 0",
            f"  fullest use of a limit           {f['worst_shift_of_limit_percent']:6.1f} %",
            f"  least above progressive          {f['worst_over_progressive']:6.2f} points     aim ≥ -0.5",
            f"  least above an aim               {f['worst_over_aim']:6.2f} points     aim ≥ 0",
            f"  worst five minutes of the jump   {f['jump_worst_five_minutes']:6.1f} %          aim ≤ 25",
            f"  took                             {f['seconds']:6.0f} s",
        ]
    )
