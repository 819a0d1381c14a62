"""How likely a further answer would meet no free agent, and how many calls may be added before that exceeds a price.

Free agents Z = base + X − Y: X of the busy agents become free in time, Y of the ringing calls are answered, all independent with chances of their own. What
is asked is P(Z ≤ 0), as calls of one more chance p are added to Y one by one.
Small sums exactly, by the characteristic function at the points of a discrete Fourier transform: each call more is one product, and the tail is one sum.
Large ones by the normal curve with a third-order Edgeworth term. Knows chances only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXACT_MOST = 90  # busy agents and ringing calls together; beyond it the normal curve
EXACT_LENGTH = 256  # longest transform
ADD_MOST = 100_000
SURE = 1e-12
_SQRT2, _SQRT2PI = math.sqrt(2.0), math.sqrt(2.0 * math.pi)

Floats = NDArray[np.floating[Any]]
Complexes = NDArray[np.complex128]


def calls_within(price: float, base: int, free: Floats, ringing: Floats, p: float, most: int) -> tuple[int, float]:
    """The largest number of calls n ≤ most such that each, when it was added, had P(Z ≤ 0) ≤ price; and that chance for the call after them.

    base: agents free now less customers waiting. free: (busy agents × 3) chances to be free in time, one column per answer age; the chance is the mean
    over the columns. ringing: chances that the calls now ringing are answered, p: that of a call added.
    """
    chance = tail(base, free, ringing, p)
    return _largest(chance, price, most)


def tail(base: int, free: Floats, ringing: Floats, p: float) -> Callable[[int], float]:
    """P(Z ≤ 0) as a function of how many calls were added."""
    if len(free) + len(ringing) <= EXACT_MOST:
        expect_free: list[float] = free.sum(axis=0).tolist()
        expect_answered = float(ringing.sum())
        mean = base + sum(expect_free) / 3.0 - expect_answered
        # Of chances it is their sum less that of their squares; the largest over the columns is near enough.
        spread = max(0.0, max(expect_free) - float((free[:, 0] ** 2).sum())) + expect_answered - float((ringing**2).sum())
        # Calls are added until the mean is a little below 0: as far as that the sum must fit, with room for its tails on both sides.
        sd = math.sqrt(max(0.0, spread) + max(0.0, mean) * (1.0 - p) + 1.0)
        reach = max(min(base + float(len(free)), max(expect_free) + base - expect_answered + 7.0 * sd), 10.0 * sd + 1.0)
        for length in (32, 64, 128, EXACT_LENGTH):
            if reach < length / 2 and base > -length / 4:
                return _exact(base, free, ringing, p, length, mean, spread)
    return _edgeworth(base, free, ringing, p)


@lru_cache(maxsize=8)
def _transform(length: int) -> tuple[Complexes, Complexes, Complexes]:
    """e^{iω} − 1, its conjugate, and the weights that turn a characteristic function into P(−length/2 ≤ Z ≤ 0); of the frequencies up to π."""
    omega = 2.0 * math.pi * np.arange(length // 2 + 1) / length
    weights = np.exp(-1j * omega[:, None] * np.arange(-length // 2, 1)).sum(axis=1) / length
    weights[1:-1] *= 2.0
    turn = np.exp(1j * omega)
    return turn - 1.0, turn.conj() - 1.0, weights


def _exact(base: int, free: Floats, ringing: Floats, p: float, length: int, mean: float, spread: float) -> Callable[[int], float]:
    up, down, weights = _transform(length)
    if len(free):
        supply = np.multiply.reduce(free[:, :, None] * up + 1.0, axis=0).sum(axis=0) / 3.0
        supply *= weights
    else:
        supply = weights.copy()
    if base:
        supply *= (up + 1.0) ** base
    if len(ringing):
        supply *= np.multiply.reduce(ringing[:, None] * down + 1.0, axis=0)
    one = p * down + 1.0

    def chance(added: int) -> float:
        if mean - added * p < -2.5 * math.sqrt(spread + added * p * (1.0 - p)) - 1.5:
            return 1.0  # beyond the length of the transform, and certain enough
        value = float((supply * one**added).sum().real) if added else float(supply.sum().real)
        return min(1.0, max(0.0, value))

    return chance


def _edgeworth(base: int, free: Floats, ringing: Floats, p: float) -> Callable[[int], float]:
    variance_free = free * (1.0 - free)
    means = (base + free.sum(axis=0) - ringing.sum()).tolist()
    variance_ringing = ringing * (1.0 - ringing)
    variances = (variance_free.sum(axis=0) + variance_ringing.sum()).tolist()
    thirds = ((variance_free * (1.0 - 2.0 * free)).sum(axis=0) - (variance_ringing * (1.0 - 2.0 * ringing)).sum()).tolist()
    own = p * (1.0 - p)
    own_third = own * (1.0 - 2.0 * p)

    def chance(added: int) -> float:
        total = 0.0
        for mean, variance, third in zip(means, variances, thirds, strict=True):
            total += normal_tail(mean - added * p, variance + added * own, third - added * own_third)
        return total / 3.0

    return chance


def normal_tail(mean: float, variance: float, third: float) -> float:
    """P(Z ≤ 0) of a whole-numbered Z by its first three central moments."""
    if variance < SURE:
        return 1.0 if mean < 0.5 else 0.0
    sd = math.sqrt(variance)
    x = (0.5 - mean) / sd
    if abs(x) > 12.0:
        return 0.0 if x < 0 else 1.0
    value = 0.5 * (1.0 + math.erf(x / _SQRT2)) - third / (sd * variance) / 6.0 * (x * x - 1.0) * math.exp(-x * x / 2.0) / _SQRT2PI
    return min(1.0, max(0.0, value))


def _largest(chance: Callable[[int], float], price: float, most: int) -> tuple[int, float]:
    """The chance grows with each call: step by step at first, then by doubling and halving."""
    most = min(most, ADD_MOST)
    low, risk = 0, chance(0)
    if risk > price:
        return 0, risk
    step = 1
    while True:  # every number up to low - 1 is within the price, low itself too
        high = min(low + step, most)
        if high == low:
            return low, risk
        found = chance(high)
        if found > price:
            break
        low, risk = high, found
        step = step if low < 4 else step * 2
    above = found
    while high - low > 1:
        middle = (low + high) // 2
        found = chance(middle)
        if found > price:
            high, above = middle, found
        else:
            low, risk = middle, found
    return high, above


def chances(values: Sequence[float]) -> Floats:
    return np.array(values, dtype=float)
