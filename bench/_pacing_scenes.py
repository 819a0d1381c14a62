"""The worlds by name: what stands in docs/decisions/0006-pacing.md as the base world, and what a shift may bring besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random

from bench._pacing_worlds import HOUR, Draw, Law, OverTime, constant, exponential, fixed, lognormal, uniform
from bench._pacing_worlds import base_unanswered as base_unanswered

DAY_S = 8 * HOUR


def base(agents: int, p: float) -> Law:
    return Law(agents=agents, answer=constant(p))


def exponential_world(agents: int, p: float) -> Law:
    """Of which the exact optimum is known: every call rings 9 s in the mean, agents are busy 130 s in the mean."""
    every = exponential(9.0)
    return Law(agents=agents, answer=constant(p), ring=every, unanswered=every, talk=exponential(130.0), wrap_up=fixed(0.0))


def told(law: Law, sigma: float) -> Law:
    """Leads differ in their log-odds to answer by `sigma`, and the pacer is told of each."""
    return replace(law, leads=lambda rng: rng.gauss(0.0, sigma), told=True)


def drift(now: float) -> float:
    """.20 to .45 and back within each hour."""
    part = (now % HOUR) / HOUR
    return 0.20 + 0.25 * (2 * part if part < 0.5 else 2 - 2 * part)


def steps(values: tuple[float, ...], every_s: float) -> OverTime:
    return lambda now: values[int(now / every_s) % len(values)]


def mixed(shares: tuple[tuple[float, Draw], ...]) -> Draw:
    def draw(rng: Random) -> float:
        at = rng.random()
        for share, law in shares:
            at -= share
            if at < 0:
                return law(rng)
        return shares[-1][1](rng)

    return draw


QUICK_PICKERS = Law(ring=lognormal(4.0, 0.8), unanswered=mixed(((0.5, uniform(0.5, 2)), (0.5, fixed(18.0)))), talk=exponential(60.0), wrap_up=fixed(0.0))
SLOW_PICKERS = Law(ring=uniform(6.0, 24.0), unanswered=fixed(40.0), talk=lognormal(300.0, 0.6), wrap_up=exponential(25.0))
SHORT_OR_LONG = Law(talk=mixed(((0.6, uniform(3, 15)), (0.4, lognormal(240.0, 0.8)))), wrap_up=uniform(2, 20))
HEAVY_TAIL = Law(talk=lognormal(150.0, 2.0), wrap_up=lognormal(15.0, 1.0))

Scene = Callable[[int], Law]

SCENES: Mapping[str, Scene] = {
    "drift": lambda n: Law(agents=n, answer=drift),
    "steps": lambda n: Law(agents=n, answer=steps((0.40, 0.15, 0.60, 0.30), HOUR)),
    "talk_halves_and_doubles": lambda n: Law(agents=n, answer=constant(0.3), talk_factor=steps((1.0, 0.5, 1.0, 2.0), 2 * HOUR)),
    "agents_in_and_out": lambda n: Law(
        agents=n, answer=constant(0.3), crew=tuple((k * 2400.0, max(1, n * share // 10)) for k, share in enumerate((5, 10, 7, 3, 10, 12, 6, 10, 4, 10, 8, 10)))
    ),
    "line_cap": lambda n: Law(agents=n, answer=constant(0.2), lines=int(n * 1.5) + 1),
    "machines": lambda n: Law(agents=n, answer=constant(0.2), machines=0.4),
    "quick_pickers": lambda n: replace(QUICK_PICKERS, agents=n, answer=constant(0.25)),
    "slow_pickers": lambda n: replace(SLOW_PICKERS, agents=n, answer=constant(0.3)),
    "short_or_long_talks": lambda n: replace(SHORT_OR_LONG, agents=n, answer=constant(0.3)),
    "heavy_tail": lambda n: replace(HEAVY_TAIL, agents=n, answer=constant(0.3)),
    "limit_1": lambda n: Law(agents=n, answer=constant(0.3), limit=0.01),
    "limit_5": lambda n: Law(agents=n, answer=constant(0.3), limit=0.05),
    "limit_10": lambda n: Law(agents=n, answer=constant(0.3), limit=0.10),
    "wait_1s": lambda n: Law(agents=n, answer=constant(0.3), max_wait_s=1.0),
    "wait_8s": lambda n: Law(agents=n, answer=constant(0.3), max_wait_s=8.0),
    "wait_30s": lambda n: Law(agents=n, answer=constant(0.3), max_wait_s=30.0),
    "outages": lambda n: Law(agents=n, answer=constant(0.3), outages=((HOUR, HOUR + 300.0), (4 * HOUR, 4 * HOUR + 300.0))),
    "end_unknown": lambda n: Law(agents=n, answer=constant(0.3), end_known=False),
    "rare_answers": lambda n: Law(agents=n, answer=constant(0.02)),
    "nearly_all_answer": lambda n: Law(agents=n, answer=constant(0.95)),
    "jump_up": lambda n: Law(agents=n, answer=lambda now: 0.15 if now < 4 * HOUR else 0.60),
    "crew_gone_for_ten_minutes": lambda n: Law(agents=n, answer=constant(0.2), crew=((0.0, n), (3 * HOUR, 0), (3 * HOUR + 600.0, n))),
    "short_shift": lambda n: Law(agents=n, answer=constant(0.3), hours=2.0),
}


def random_world(seed: int) -> Law:
    """A world that nobody tuned on, drawn whole."""
    rng = Random(seed)
    agents = rng.choice((1, 2, 3, 5, 8, 12, 20, 30))
    low, high = sorted((rng.uniform(0.08, 0.7), rng.uniform(0.08, 0.7)))
    answer = rng.choice((constant(low), steps((low, high), rng.uniform(0.5, 3) * HOUR)))
    talk = rng.choice((lognormal, lambda mean, cv: exponential(mean)))(rng.uniform(40, 300), rng.uniform(0.4, 1.8))
    wrap_up = rng.choice((fixed, exponential))(rng.uniform(3, 40))
    ring = lognormal(rng.uniform(5, 15), rng.uniform(0.3, 0.9))
    rings_out = rng.uniform(18, 45)
    busy = rng.uniform(0, 0.5)
    unanswered = mixed(((busy, uniform(0.5, 4)), (1.0 - busy, uniform(rings_out, rings_out + 5))))
    return Law(
        agents=agents,
        answer=answer,
        ring=ring,
        unanswered=unanswered,
        talk=talk,
        wrap_up=wrap_up,
        max_wait_s=rng.choice((1.0, 2.0, 2.0, 5.0, 15.0)),
        limit=rng.choice((0.01, 0.03, 0.03, 0.05)),
        machines=rng.choice((0.0, 0.0, rng.uniform(0, 0.5))),
        hours=rng.choice((4.0, 8.0, 8.0)),
    )
