"""How long things take, as laws of chance that a person can write: `9s`, `uniform(25s, 30s)`, `exponential(2m)`, `lognormal(9s, 0.5)`, and
`quantiles(2s, 5s, 7s, 12s, 40s)`: what was measured, in equal shares of the cases.

Pure: text in, a Law out; a Law and a random.Random in, seconds out. ValueError with a sentence for an administrator.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from typing import Final

Draw = Callable[[random.Random], float]

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "": 1.0}
_NUMBER: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|min|m|h|)$")
_CALL: Final = re.compile(r"([a-z]+)\s*\(([^()]*)\)$")


class Law:
    """A law and its text. draw() gives seconds >= 0; equal random states give equal seconds."""

    __slots__ = ("draw", "text")

    def __init__(self, text: str, draw: Draw) -> None:
        self.text, self.draw = text, draw

    def __repr__(self) -> str:
        return f"Law({self.text})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Law) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __reduce__(self) -> tuple[Callable[..., Law], tuple[str, str]]:
        """Another process makes it from its text, which is exact."""
        return law, (self.text, "")


def fixed(seconds: float) -> Law:
    """Always the same."""
    return Law(_exact(seconds), lambda rng: seconds)


def _exact(seconds: float) -> str:
    """As short as can be read back to the same number."""
    short = f"{seconds:g}"
    if float(short) != seconds or "e" in short:
        short = f"{seconds:.12f}".rstrip("0").rstrip(".")
    return f"{short}s"


def seconds(value: object, where: str) -> float:
    """`9`, `"9s"`, `"250ms"`, `"2m"` or `"1h"` as seconds >= 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"{where}: {value!r} is not a time; write for example 9s")
    found = _NUMBER.match(str(value).strip())
    if found is None:
        raise ValueError(f"{where}: {value!r} is not a time; write for example 9s, 250ms or 2m")
    return float(found[1]) * _UNITS[found[2]]


def share(value: object, where: str) -> float:
    """`0.2` or `"20%"` as 0.0-1.0."""
    text = str(value).strip()
    try:
        part = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise ValueError(f"{where}: {value!r} is not a share; write for example 20%") from None
    if not 0.0 <= part <= 1.0 or isinstance(value, bool):
        raise ValueError(f"{where}: {value!r} is not between 0% and 100%")
    return part


def law(value: object, where: str) -> Law:
    """A Law from what an administrator wrote; a plain time is the law that always gives it."""
    if isinstance(value, Law):
        return value
    found = _CALL.match(value.strip()) if isinstance(value, str) else None
    if found is None:
        return fixed(seconds(value, where))
    name, arguments = found[1], [part.strip() for part in found[2].split(",")]
    if name == "uniform" and len(arguments) == 2:
        low, high = seconds(arguments[0], where), seconds(arguments[1], where)
        if low > high:
            raise ValueError(f"{where}: {value!r} runs from more to less")
        return Law(f"uniform({_exact(low)}, {_exact(high)})", lambda rng: low + (high - low) * rng.random())
    if name == "exponential" and len(arguments) == 1:
        mean = seconds(arguments[0], where)
        if mean <= 0:
            raise ValueError(f"{where}: {value!r} needs a mean above 0")
        rate = 1.0 / mean
        return Law(f"exponential({_exact(mean)})", lambda rng: rng.expovariate(rate))
    if name == "lognormal" and len(arguments) == 2:
        mean, variation = seconds(arguments[0], where), _variation(arguments[1], value, where)
        if mean <= 0:
            raise ValueError(f"{where}: {value!r} needs a mean above 0")
        variance = math.log(1.0 + variation * variation)
        mu, sigma = math.log(mean) - variance / 2.0, math.sqrt(variance)
        return Law(f"lognormal({_exact(mean)}, {_exact(variation).removesuffix('s')})", lambda rng: rng.lognormvariate(mu, sigma))
    if name == "quantiles" and len(arguments) >= 2:
        return _quantiles([seconds(each, where) for each in arguments], value, where)
    raise ValueError(
        f"{where}: {value!r} is no law; there are 9s, uniform(25s, 30s), exponential(2m), lognormal(9s, 0.5) (mean, coefficient of variation) "
        "and quantiles(2s, 5s, 9s) (least, middle, most; or more of them, in equal steps)"
    )


def _quantiles(marks: list[float], value: object, where: str) -> Law:
    """As many cases lie between any two neighbours, and there evenly."""
    if marks != sorted(marks):
        raise ValueError(f"{where}: {value!r} must rise from the least to the most")
    steps = len(marks) - 1

    def draw(rng: random.Random) -> float:
        place = rng.random() * steps
        below = int(place)
        return marks[below] + (marks[below + 1] - marks[below]) * (place - below)

    return Law(f"quantiles({', '.join(map(_exact, marks))})", draw)


def _variation(text: str, value: object, where: str) -> float:
    try:
        variation = float(text)
    except ValueError:
        raise ValueError(f"{where}: the second part of {value!r} is a plain number, the standard deviation divided by the mean") from None
    if not 0 < variation <= 10:
        raise ValueError(f"{where}: in {value!r} the coefficient of variation is not between 0 and 10")
    return variation
