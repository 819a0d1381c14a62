"""Many days made one forecast: for each figure its mean, and between what it lies on eight days of ten.

Pure counting. The interval runs from the 10th to the 90th percentile of the days; of one day it is that day's figure, twice, and says nothing of chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fs_dialer.simulation.figures import Figures, Point

LOW, HIGH = 0.1, 0.9
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Range:
    """`days`: how many days had such a figure; fewer than all where, say, the list was not finished on each."""

    mean: float
    low: float
    high: float
    days: int


@dataclass(frozen=True, slots=True)
class Run:
    """One day in short. `progressive_utilisation`: of the same day and people, dialled progressively; None where it was not compared."""

    seed: int
    missed_rate: float
    missed: int
    answered: int
    utilisation: float
    progressive_utilisation: float | None
    gave_up_rate: float
    attempts: int
    connected: int
    average_wait_s: float
    idle_per_call_s: float | None
    calls_per_agent_hour: float
    lines_peak: int
    finished_s: float | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """None: no day had such a figure. `missed_rate_all`: all missed of all answered calls of all days together. `gave_up_rate`: of
    the answered, who hung up while they waited, and sooner than counts as missed."""

    utilisation: Range | None
    progressive_utilisation: Range | None
    missed_rate: Range | None
    missed_rate_all: float
    gave_up_rate: Range | None
    average_wait_s: Range | None
    idle_per_call_s: Range | None
    calls_per_agent_hour: Range | None
    connected: Range | None
    lines_peak: Range | None
    finished_s: Range | None
    over_ceiling: int | None  # days with more missed calls than the campaign allows; None = it allows any number


@dataclass(frozen=True, slots=True)
class CoursePoint:
    """A part of the day over all days: mean, and the interval."""

    from_s: float
    utilisation: Range | None
    missed_rate: Range | None
    lines: Range | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """One campaign, one set of settings, several days."""

    runs: tuple[Run, ...]
    forecast: Forecast
    course: tuple[CoursePoint, ...]


def outlook(days: Sequence[Figures], progressive: Sequence[Figures] = ()) -> Outlook:
    """`progressive`: the same days dialled progressively, in the same order; () = not compared. ValueError for no day."""
    if not days:
        raise ValueError("no day was simulated")
    compared: list[float | None] = [day.utilisation for day in progressive] or [None] * len(days)
    runs = tuple(_run(day, other) for day, other in zip(days, compared, strict=True))
    return Outlook(runs, _forecast(days, runs), _course(days))


def _run(day: Figures, progressive_utilisation: float | None) -> Run:
    return Run(
        seed=day.seed,
        missed_rate=day.missed_rate,
        missed=day.missed,
        answered=day.answered,
        utilisation=day.utilisation,
        progressive_utilisation=progressive_utilisation,
        gave_up_rate=day.gave_up_rate,
        attempts=day.attempts,
        connected=day.connected,
        average_wait_s=day.average_wait_s,
        idle_per_call_s=day.idle_per_call_s,
        calls_per_agent_hour=day.calls_per_agent_hour,
        lines_peak=day.lines_peak,
        finished_s=day.finished_s,
    )


def _forecast(days: Sequence[Figures], runs: Sequence[Run]) -> Forecast:
    def of(figure: Callable[[Run], float | None]) -> Range | None:
        return range_of([figure(run) for run in runs])

    answered = sum(run.answered for run in runs)
    ceiling = days[0].ceiling
    return Forecast(
        utilisation=of(lambda run: run.utilisation),
        progressive_utilisation=of(lambda run: run.progressive_utilisation),
        missed_rate=of(lambda run: run.missed_rate),
        missed_rate_all=round(sum(run.missed for run in runs) / answered, DIGITS) if answered else 0.0,
        gave_up_rate=of(lambda run: run.gave_up_rate),
        average_wait_s=of(lambda run: run.average_wait_s),
        idle_per_call_s=of(lambda run: run.idle_per_call_s),
        calls_per_agent_hour=of(lambda run: run.calls_per_agent_hour),
        connected=of(lambda run: run.connected),
        lines_peak=of(lambda run: run.lines_peak),
        finished_s=of(lambda run: run.finished_s),
        over_ceiling=None if ceiling is None else sum(run.missed_rate > ceiling for run in runs),
    )


def _course(days: Sequence[Figures]) -> tuple[CoursePoint, ...]:
    """Parts of the day that at least one day came to."""
    parts: dict[float, list[Point]] = {}
    for day in days:
        for point in day.course:
            parts.setdefault(point.from_s, []).append(point)
    return tuple(
        CoursePoint(
            from_s,
            range_of([point.utilisation for point in points]),
            range_of([point.missed_rate for point in points]),
            range_of([point.lines for point in points]),
        )
        for from_s, points in sorted(parts.items())
    )


def range_of(values: Sequence[float | None]) -> Range | None:
    """Of those that are there; None where none is."""
    there = sorted(value for value in values if value is not None)
    if not there:
        return None
    mean = math.fsum(there) / len(there)
    return Range(round(mean, DIGITS), round(percentile(there, LOW), DIGITS), round(percentile(there, HIGH), DIGITS), len(there))


def percentile(rising: Sequence[float], share: float) -> float:
    """Between the two values that lie around it, in proportion. IndexError for no value."""
    place = share * (len(rising) - 1)
    below = min(int(place), len(rising) - 1)
    above = min(below + 1, len(rising) - 1)
    return rising[below] + (rising[above] - rising[below]) * (place - below)
