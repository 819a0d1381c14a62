"""How things look on a terminal and in JSON: tables, colours, numbers, times, masked telephone numbers.

Knows widths, streams and NO_COLOR; knows nothing of campaigns. On a terminal a table's last column is broken to fit; into a pipe everything is written
on one line each, and without colour. Texts that came from outside (names, reasons) can not move the cursor: control characters are taken out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any, TextIO
from zoneinfo import ZoneInfo

import click

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_LEAST_LAST = 12  # a column broken narrower than this can not be read


# --- JSON -----------------------------------------------------------------------------------------------------------------------------


def to_jsonable(value: Any) -> Any:
    """Dataclasses → objects by field name, enums → their values (as keys too), tuples and sets → lists. TypeError for what has no JSON form."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: to_jsonable(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(to_jsonable(key)): to_jsonable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [to_jsonable(each) for each in value]
    if isinstance(value, AbstractSet):
        return sorted(to_jsonable(each) for each in value)
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"no JSON form for {type(value).__name__}")


def json_line(value: Any) -> str:
    """One line, keys in the order in which they were put."""
    return json.dumps(to_jsonable(value), ensure_ascii=False, allow_nan=False)


# --- words ----------------------------------------------------------------------------------------------------------------------------


def clean(text: str) -> str:
    """On one line, and nothing in it that a terminal would obey."""
    return _CONTROL.sub(" ", text)


def masked(number: str) -> str:
    """+442079460101 → +442***101: enough to recognise, not enough to call."""
    return number if len(number) < 9 else f"{number[:4]}***{number[-3:]}"


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key for sorting: agent-2 before agent-10."""
    return [(0, int(part), "") if part.isdecimal() and part.isascii() else (1, 0, part) for part in re.split("([0-9]+)", name) if part]


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def percent(rate: float, digits: int = 1) -> str:
    return f"{rate * 100:.{digits}f}%"


def ago(seconds: float) -> str:
    """A length of time, two units at most: 42 s, 3 m 5 s, 2 h 10 m, 3 d 4 h."""
    whole = max(0, round(seconds))
    for unit, size, smaller, small in (("d", _DAY, "h", _HOUR), ("h", _HOUR, "m", _MINUTE), ("m", _MINUTE, "s", 1)):
        if whole >= size:
            rest = whole % size // small
            return f"{whole // size} {unit} {rest} {smaller}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def moment(at: float, zone: str) -> str:
    """Mon 23 Nov 2026 08:00, on the clocks of `zone`."""
    return datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%a %-d %b %Y %H:%M")


# --- tables ---------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cell:
    """A text with a colour (click's names), which is left out where colours are not wanted."""

    text: str
    colour: str = ""


STATE_COLOURS = {"running": "green", "available": "green", "paused": "yellow", "draining": "yellow", "new": "cyan", "approved": "cyan"}


def state_cell(word: str) -> Cell:
    """A state or status by its usual colour; the word says the same."""
    return Cell(word.replace("_", " "), STATE_COLOURS.get(word, ""))


def wants_colour(stream: TextIO) -> bool:
    """NO_COLOR set to anything, a pipe or a dumb terminal: no."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def terminal_width(stream: TextIO) -> int | None:
    """Columns; None into a pipe, where nothing is cut."""
    return shutil.get_terminal_size((80, 24)).columns if stream.isatty() else None


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str | Cell]],
    *,
    right: str | Sequence[str] = "",
    width: int | None = None,
    colour: bool = False,
    cut: bool = False,
) -> list[str]:
    """Lines of an aligned table. `right`: names of columns set to the right; one text is split at blanks. The last column is broken to what is left of
    `width`, or with `cut` shortened to it."""
    cells = [[Cell(name, "bold") for name in header], *([each if isinstance(each, Cell) else Cell(each) for each in row] for row in rows)]
    cells = [[Cell(clean(cell.text), cell.colour) for cell in row] for row in cells]
    widths = [max(_width(row[index].text) for row in cells) for index in range(len(header))]
    if width is not None:
        widths[-1] = max(_LEAST_LAST, min(widths[-1], width - sum(widths[:-1]) - 2 * (len(widths) - 1)))
        if cut:
            cells = [[*row[:-1], Cell(shortened(row[-1].text, widths[-1]), row[-1].colour)] for row in cells]
    named = right.split() if isinstance(right, str) else right
    to_right = {index for index, name in enumerate(header) if name in named}
    return [line for row in cells for line in _row(row, widths, to_right, colour)]


def narrowed(
    header: Sequence[str], rows: Sequence[Sequence[str | Cell]], spare: Sequence[str], width: int | None, last: int
) -> tuple[list[str], list[list[str | Cell]]]:
    """The table without as many of the `spare` columns, in their order, as it takes for the last one to have `last` columns of a terminal of `width`."""
    kept = list(range(len(header)))
    for name in spare if width is not None else ():
        texts = [[header[index], *(_text(row[index]) for row in rows)] for index in kept[:-1]]
        wide = sum(max(_width(clean(text)) for text in column) + 2 for column in texts)
        needed = min(last, max((_width(clean(_text(row[-1]))) for row in rows), default=0))
        if width is None or wide + needed <= width:
            break
        kept = [index for index in kept if header[index] != name]
    return [header[index] for index in kept], [[row[index] for index in kept] for row in rows]


def shortened(text: str, width: int) -> str:
    """On one line of `width` columns, with … where it was cut."""
    if _width(text) <= width:
        return text
    while _width(text) > width - 1:
        text = text[:-1]
    return text.rstrip() + "…"


def folded(text: str, width: int | None, indent: str = "  ") -> list[str]:
    """Broken between words to lines of `width`, all but the first with `indent`; None = one line."""
    if width is None or _width(text) <= width:
        return [text]
    start = text[: len(text) - len(text.lstrip(" "))]
    first, *more = _broken(text.lstrip(" "), max(_LEAST_LAST, width - max(len(start), len(indent))))
    return [start + first, *(indent + line for line in more)]


def _text(cell: str | Cell) -> str:
    return cell.text if isinstance(cell, Cell) else cell


def painted(text: str, colour: str, wanted: bool) -> str:
    if not wanted or not colour:
        return text
    return click.style(text, bold=True) if colour == "bold" else click.style(text, fg=colour)


def _row(cells: Sequence[Cell], widths: Sequence[int], to_right: AbstractSet[int], colour: bool) -> list[str]:
    parts = []
    for index, (cell, width) in enumerate(zip(cells[:-1], widths, strict=False)):
        blanks, shown = " " * (width - _width(cell.text)), painted(cell.text, cell.colour, colour)
        parts.append(blanks + shown if index in to_right else shown + blanks)
    last = cells[-1]
    lines = _broken(last.text, widths[-1])
    if len(cells) - 1 in to_right:
        lines = [" " * (widths[-1] - _width(line)) + line for line in lines]
    indent = " " * sum(width + 2 for width in widths[:-1])
    first = "  ".join([*parts, painted(lines[0], last.colour, colour)]).rstrip()
    return [first, *(indent + painted(line, last.colour, colour) for line in lines[1:])]


def _width(text: str) -> int:
    """Columns on a terminal: East Asian wide characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def _broken(text: str, width: int) -> list[str]:
    """At blanks, to lines no wider than `width`; a word that is wider by itself stands alone. At least one line."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if _width(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


# --- progress -------------------------------------------------------------------------------------------------------------------------


class Progress:
    """How far a long work is, on stderr. kind: auto (a line that is rewritten, on a terminal only), plain (a new line each time), none."""

    def __init__(self, kind: str, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._rewrites = kind == "auto" and self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._silent = kind == "none" or (kind == "auto" and not self._rewrites)
        self._shown = 0

    def show(self, text: str) -> None:
        if self._silent:
            return
        if self._rewrites:
            self._stream.write("\r" + text.ljust(self._shown))
            self._shown = len(text)
        else:
            self._stream.write(text + "\n")
        self._stream.flush()

    def clear(self) -> None:
        """Take the rewritten line away before anything else is said."""
        if self._rewrites and self._shown:
            self._stream.write("\r" + " " * self._shown + "\r")
            self._stream.flush()
            self._shown = 0
