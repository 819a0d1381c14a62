"""How long phones ring before somebody answers or nobody does, and how long agents talk and write notes: learnt online, asked by age.

Two kinds of memory. Ring curves are histograms of one-second bins. Talk and wrap-up are piecewise-constant hazards (ends per second at an age), because
what is asked of them is conditional: an agent has talked so long – how likely is he free within the next so many seconds? Spells that still run count as
exposure, else short talks would be believed first. Knows nothing of calls placed or of budgets.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

RING_BINS = 64  # of one second
RING_STEPS = 4  # table entries a second
RING_WEIGHT = 6.0  # calls' worth of prior
RING_MOST = 2000.0  # counts above it are halved
RING_ANSWERED_S, RING_ANSWERED_CV = 10.0, 0.6
LEAST_ANSWERED, LEAST_UNANSWERED = 1e-4, 1e-3  # of the curves, beyond all that was seen: nobody answers any more

TALK_EDGES_S = (0, 5, 10, 15, 20, 30, 40, 50, 60, 75, 90, 105, 120, 140, 160, 190, 230, 280, 340, 420)
# Whole seconds lie inside a bin, so that a wrap-up of fixed length is learnt as a spike.
WRAP_EDGES_S = (0, *(n + 0.5 for n in range(15)), 17, 20, 25, 30, 40, 60, 90)
TALK_MEAN_S, TALK_WEIGHT = 120.0, 4.0
WRAP_MEAN_S, WRAP_WEIGHT = 12.0, 1.0
FADE = 0.998  # per ended spell
LONGEST_S = 7200.0  # of a spell; a jump of the clock must not fill the last bin

AHEAD_MOST_S = 128  # how far a forecast looks
TALK_STEP_S, TALK_ROWS = 2.0, 213
WRAP_STEP_S, WRAP_ROWS = 0.5, 184


def _lognormal_cdf(mean: float, cv: float) -> Floats:
    """At the ends of the ring bins."""
    sigma = math.sqrt(math.log(1.0 + cv * cv))
    mu = math.log(mean) - sigma * sigma / 2
    return np.array([0.5 * (1.0 + math.erf((math.log(t) - mu) / (sigma * math.sqrt(2)))) for t in range(1, RING_BINS + 1)])


def _prior_answered() -> Floats:
    return np.diff(_lognormal_cdf(RING_ANSWERED_S, RING_ANSWERED_CV), prepend=0.0) * RING_WEIGHT


def _prior_unanswered() -> Floats:
    bins = np.zeros(RING_BINS)
    bins[1:3] = 0.2 / 2
    bins[20:31] = 0.8 / 11
    return bins * RING_WEIGHT


_SECONDS = np.arange(RING_BINS + 1, dtype=float)
_FINE = np.arange(RING_BINS * RING_STEPS + 1) / RING_STEPS


class RingCurves:
    """When calls are answered (FA) and when the others end (FN), by ring age. refresh() makes the tables that everything else reads."""

    def __init__(self) -> None:
        self.answered = _prior_answered()
        self.unanswered = _prior_unanswered()
        self.refresh()

    def saw_answer(self, age_s: float) -> None:
        self._count(self.answered, age_s)

    def saw_end(self, age_s: float) -> None:
        self._count(self.unanswered, age_s)

    def _count(self, bins: Floats, age_s: float) -> None:
        bins[min(RING_BINS - 1, max(0, int(age_s)))] += 1.0
        if bins.sum() > RING_MOST:
            bins *= 0.5

    def refresh(self) -> None:
        """`odds[k]`: by what factor ringing for k/4 s changes the odds that a call goes unanswered. `answer_at`: T_1…T_3, equally likely answer ages."""
        fa = np.concatenate(([0.0], np.cumsum(self.answered))) / self.answered.sum()
        fn = np.concatenate(([0.0], np.cumsum(self.unanswered))) / self.unanswered.sum()
        seconds = _SECONDS
        still_a = np.maximum(1.0 - np.interp(_FINE, seconds, fa), LEAST_ANSWERED)
        still_n = np.maximum(1.0 - np.interp(_FINE, seconds, fn), LEAST_UNANSWERED)
        self.odds: Floats = still_n / still_a
        self.answer_at: tuple[float, float, float] = tuple(np.interp((1 / 6, 1 / 2, 5 / 6), fa, seconds).tolist())

    def quantiles(self, shares: Sequence[float] = (0.1, 0.5, 0.9)) -> dict[str, list[float]]:
        """Ring ages in seconds by which such shares of the answered and of the unanswered calls had ended."""
        found = {}
        for name, bins in (("answered", self.answered), ("unanswered", self.unanswered)):
            curve = np.concatenate(([0.0], np.cumsum(bins))) / bins.sum()
            found[name] = [round(float(age), 2) for age in np.interp(shares, curve, _SECONDS)]
        return found

    def state(self) -> dict[str, Any]:
        return {"answered": self.answered.tolist(), "unanswered": self.unanswered.tolist()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        self.answered = _counts(saved["answered"], RING_BINS)
        self.unanswered = _counts(saved["unanswered"], RING_BINS)
        if self.answered.sum() <= 0 or self.unanswered.sum() <= 0:
            raise ValueError("empty ring curves")
        self.refresh()


def _counts(values: Sequence[float], length: int) -> Floats:
    counts = np.array(values, dtype=float)
    if counts.shape != (length,) or not np.isfinite(counts).all() or (counts < 0).any():
        raise ValueError(f"not {length} counts")
    return counts


class Hazard:
    """Ends per second by age, shrunk to a constant 1/mean: h_b = (d_b + κ)/(E_b + κ·mean)."""

    def __init__(self, edges_s: Sequence[float], mean_s: float, weight: float) -> None:
        self.edges = np.array(edges_s, dtype=float)
        self.widths = np.append(np.diff(self.edges), np.inf)
        self.ends: Floats = np.zeros(len(self.edges))
        self.exposure: Floats = np.zeros(len(self.edges))
        self.mean_s, self.weight = mean_s, weight

    def saw_end(self, age_s: float) -> None:
        age_s = min(LONGEST_S, max(0.0, age_s))
        self.ends *= FADE
        self.exposure *= FADE
        self.exposure += np.clip(age_s - self.edges, 0.0, self.widths)
        self.ends[int(np.searchsorted(self.edges, age_s, side="right")) - 1] += 1.0

    def rates(self, running: Floats) -> Floats:
        """`running`: ages of the spells that have not ended."""
        exposure = self.exposure
        if running.size:
            exposure = exposure + np.clip(np.minimum(running, LONGEST_S)[:, None] - self.edges, 0.0, self.widths).sum(axis=0)
        return (self.ends + self.weight) / (exposure + self.weight * self.mean_s)

    def cumulative(self, rates: Floats, at: Floats) -> Floats:
        """The hazard summed from age 0 to each of `at`."""
        at_edges = np.concatenate(([0.0], np.cumsum(rates[:-1] * self.widths[:-1])))
        last = self.edges[-1]
        summed: Floats = np.interp(np.minimum(at, last), self.edges, at_edges) + rates[-1] * np.maximum(at - last, 0.0)
        return summed

    def mean(self, rates: Floats) -> float:
        """Expected length of a spell, seconds."""
        survival = np.exp(-np.concatenate(([0.0], np.cumsum(rates[:-1] * self.widths[:-1]))))
        return float(((survival[:-1] - survival[1:]) / rates[:-1]).sum() + survival[-1] / rates[-1])

    def state(self) -> dict[str, Any]:
        return {"ends": self.ends.tolist(), "exposure": self.exposure.tolist()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        self.ends = _counts(saved["ends"], len(self.edges))
        self.exposure = _counts(saved["exposure"], len(self.edges))


_AHEAD = np.arange(AHEAD_MOST_S) + 0.5
_TALK_GRID = np.arange(TALK_ROWS * TALK_STEP_S + AHEAD_MOST_S + 2) + TALK_STEP_S / 2  # a row's ages are those of its middle
_TALK_FIRST = np.arange(TALK_ROWS)[:, None] * int(TALK_STEP_S)
_WRAP_AGES = np.arange(WRAP_ROWS) * WRAP_STEP_S + WRAP_STEP_S / 2


@lru_cache(maxsize=AHEAD_MOST_S)
def _windows(steps: int) -> NDArray[np.intp]:
    """Which points of the grid the next `steps` seconds of each row are."""
    return (_TALK_FIRST + np.arange(steps + 1)).astype(np.intp)


class Handling:
    """When busy agents become free. After rebuild(): `talk[row, m]` and `wrap[row, m]` = chance that whoever has talked (written notes) so long is free
    within answer_at[m] + wait."""

    def __init__(self) -> None:
        self.talk_hazard = Hazard(TALK_EDGES_S, TALK_MEAN_S, TALK_WEIGHT)
        self.wrap_hazard = Hazard(WRAP_EDGES_S, WRAP_MEAN_S, WRAP_WEIGHT)
        self.talk: Floats = np.zeros((TALK_ROWS, 3))
        self.wrap: Floats = np.zeros((WRAP_ROWS, 3))
        self.rates = self.talk_hazard.rates(_SECONDS[:0]), self.wrap_hazard.rates(_SECONDS[:0])

    def rebuild(self, horizons: Sequence[float], talking: Floats, wrapping: Floats) -> None:
        """`horizons`: the three spans within which an agent must be free, seconds. Takes about a quarter of a millisecond."""
        talk_rates, wrap_rates = self.rates = self.talk_hazard.rates(talking), self.wrap_hazard.rates(wrapping)
        spans = np.clip(horizons, 0.5, AHEAD_MOST_S)
        steps = math.ceil(spans.max())
        survival = np.exp(-self.talk_hazard.cumulative(talk_rates, _TALK_GRID))
        windows = survival[_windows(steps)]
        ends = (windows[:, :-1] - windows[:, 1:]) / np.maximum(windows[:, :1], 1e-300)
        # A talk that ends in (u, u + 1) leaves about span − u − ½ for the notes.
        left = np.maximum(spans - _AHEAD[:steps, None], 0.0)
        notes = 1.0 - np.exp(-self.wrap_hazard.cumulative(wrap_rates, left))
        self.talk = np.minimum(ends @ notes, 1.0)
        passed = self.wrap_hazard.cumulative(wrap_rates, _WRAP_AGES)[:, None]
        self.wrap = 1.0 - np.exp(passed - self.wrap_hazard.cumulative(wrap_rates, _WRAP_AGES[:, None] + spans))

    @property
    def talk_mean_s(self) -> float:
        return self.talk_hazard.mean(self.rates[0])

    @property
    def wrap_mean_s(self) -> float:
        return self.wrap_hazard.mean(self.rates[1])

    def state(self) -> dict[str, Any]:
        return {"talk": self.talk_hazard.state(), "wrap": self.wrap_hazard.state()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        self.talk_hazard.restore(saved["talk"])
        self.wrap_hazard.restore(saved["wrap"])
