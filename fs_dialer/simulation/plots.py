"""A forecast as a picture: utilisation, missed rate and lines over the day, or over the values of a setting.

Drawn by matplotlib, which is an extra (docs/decisions/0007-plots.md) and imported when somebody asks for a picture. A line is the mean of the days, the shade
about it eight days of ten. SVG by the same input is the same file, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fs_dialer.errors import FsDialerError
from fs_dialer.simulation.forecast import Forecast, Outlook, Range

SUFFIXES = (".svg", ".png")
COLOURS = ("#1f6f8b", "#c8553d", "#6a8532", "#7b5ea7", "#b8860b", "#4a4a4a")
WIDTH_IN, HEIGHT_IN, DPI = 9.0, 8.0, 110
STEPS_H, MOST_TICKS = (1 / 12, 0.25, 0.5, 1, 2, 3, 6, 12, 24, 48), 12


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of every panel. `at`: hours since the day's begin, or values; None where there is nothing to show."""

    label: str
    at: tuple[float, ...]
    utilisation: tuple[Range | None, ...]
    missed_rate: tuple[Range | None, ...]
    lines: tuple[Range | None, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    title: str
    along: str  # what the x axis shows
    curves: tuple[Curve, ...]
    ceiling: float | None = None
    ticks: tuple[str, ...] = ()  # words for the places of the first curve, where they are no plain numbers


def over_the_day(title: str, starts_at: float, outlooks: Sequence[tuple[str, Outlook]], ceiling: float | None) -> Picture:
    """`starts_at`: hours after midnight, on the campaign's clocks."""
    curves = tuple(
        Curve(
            label,
            tuple(starts_at + point.from_s / 3600 for point in each.course),
            tuple(point.utilisation for point in each.course),
            tuple(point.missed_rate for point in each.course),
            tuple(point.lines for point in each.course),
        )
        for label, each in outlooks
    )
    return Picture(title, "time of day", curves, ceiling)


def over_values(title: str, name: str, values: Sequence[str], forecasts: Sequence[tuple[str, Sequence[Forecast]]], ceiling: float | None) -> Picture:
    """One forecast for each value, in their order."""
    numbers = [_plain(value) for value in values]
    even = all(number is not None for number in numbers)
    at = tuple(number if even and number is not None else float(index) for index, number in enumerate(numbers))
    curves = tuple(
        Curve(
            label,
            at,
            tuple(each.utilisation for each in found),
            tuple(each.missed_rate for each in found),
            tuple(each.lines_peak for each in found),
        )
        for label, found in forecasts
    )
    return Picture(title, name, curves, ceiling, tuple(values) if not even or len(values) <= 8 else ())


def draw(picture: Picture, path: Path) -> None:
    """FsDialerError where matplotlib is not there, or the file cannot be written."""
    pyplot, ticker = _library()
    figure, panels = pyplot.subplots(3, 1, sharex=True, figsize=(WIDTH_IN, HEIGHT_IN), layout="constrained")
    whole = picture.along != "time of day"
    rows: list[tuple[str, Callable[[Curve], Sequence[Range | None]]]] = [
        ("agents busy", lambda curve: curve.utilisation),
        ("missed of answered", lambda curve: curve.missed_rate),
        ("lines at most" if whole else "lines in use", lambda curve: curve.lines),
    ]
    for panel, (label, of) in zip(panels, rows, strict=True):
        for number, curve in enumerate(picture.curves):
            _line(panel, curve, of(curve), COLOURS[number % len(COLOURS)], marked=whole)
        panel.set_ylabel(label)
        panel.grid(True, color="#e3e3e3", linewidth=0.8)
        panel.spines[["top", "right"]].set_visible(False)
        panel.margins(x=0.01)
    busy, missed, lines = panels
    for panel in (busy, missed):
        panel.yaxis.set_major_formatter(ticker.PercentFormatter(1.0, decimals=None))
    busy.set_ylim(0.0, 1.0)
    missed.set_ylim(bottom=0.0)
    lines.set_ylim(bottom=0.0)
    if picture.ceiling is not None:
        line = missed.axhline(picture.ceiling, color="#8c1c13", linestyle="--", linewidth=1.2, label=f"ceiling {picture.ceiling * 100:g} %")
        missed.set_ylim(bottom=0.0, top=max(missed.get_ylim()[1], picture.ceiling * 1.15))
        missed.legend(handles=[line], loc="upper right", frameon=False)
    _along(lines, picture, ticker)
    figure.suptitle(picture.title, x=0.01, ha="left", fontsize=12)
    if len(picture.curves) > 1:
        busy.legend(loc="lower right", frameon=False, ncols=min(3, len(picture.curves)))
    try:
        # Neither a date nor a version: the same figures make the same file.
        figure.savefig(path, dpi=DPI, metadata={"Date": None} if path.suffix == ".svg" else {"Software": None})
    except OSError as error:
        raise FsDialerError(f"{path} can not be written: {error.strerror or error}") from None
    finally:
        pyplot.close(figure)


def _line(panel: Any, curve: Curve, ranges: Sequence[Range | None], colour: str, *, marked: bool) -> None:
    there = [(at, each) for at, each in zip(curve.at, ranges, strict=True) if each is not None]
    if not there:
        return
    at = [place for place, _ in there]
    panel.plot(at, [each.mean for _, each in there], color=colour, label=curve.label, linewidth=1.8, marker="o" if marked else None, markersize=4)
    if any(each.high > each.low for _, each in there):
        panel.fill_between(at, [each.low for _, each in there], [each.high for _, each in there], color=colour, alpha=0.18, linewidth=0)


def _along(panel: Any, picture: Picture, ticker: Any) -> None:
    panel.set_xlabel(picture.along)
    if picture.ticks and picture.curves:
        panel.set_xticks(picture.curves[0].at, picture.ticks)
    elif picture.along == "time of day":
        low, high = panel.get_xlim()
        step = next((each for each in STEPS_H if (high - low) / each <= MOST_TICKS), STEPS_H[-1])
        panel.xaxis.set_major_locator(ticker.MultipleLocator(step))
        panel.xaxis.set_major_formatter(ticker.FuncFormatter(lambda hour, _: f"{int(hour) % 24}:{round(hour * 60) % 60:02}"))


def _plain(value: str) -> float | None:
    """8, 0.5, 2%, 20s as a number; None for 1h30m and the like."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(%|s)?", value)
    return float(found[1]) if found and not found[2] else None


def _library() -> tuple[Any, Any]:
    try:
        import matplotlib
    except ImportError:
        raise FsDialerError("pictures are drawn by matplotlib, which is not installed; pip install 'fs-dialer[plots]'") from None
    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.hashsalt": "fs-dialer", "font.size": 10, "svg.fonttype": "path"})
    from matplotlib import pyplot, ticker

    return pyplot, ticker
