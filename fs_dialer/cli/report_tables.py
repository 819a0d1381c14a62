"""How figures read: sentences that add up, columns by name, cells for people and for spreadsheets.

Knows what every column of a counted report is called and shows; asks no database.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

import click

from fs_dialer.cli.output import clean, percent
from fs_dialer.config.csv_text import safe_cell
from fs_dialer.config.values import nearest
from fs_dialer.core.figures import SHOWN_TIMES, SPENT_NAMES, Figures, Spent
from fs_dialer.core.hangup import ANSWERED_BY_PERSON
from fs_dialer.core.model import Outcome

DISPOSITION = "disposition."
Value = str | int | float | None


def _of(outcome: Outcome) -> Callable[[Figures], int]:
    return lambda f: f.outcomes.get(outcome, 0)


COUNTS: Mapping[str, Callable[[Figures], int]] = {
    "dialed": lambda f: f.dialed,
    "up": lambda f: f.up,
    "person": lambda f: f.person,
    "machine": lambda f: f.machine,
    **{outcome.value: _of(outcome) for outcome in Outcome if outcome not in (*ANSWERED_BY_PERSON, Outcome.MACHINE)},
    "our_fault": lambda f: f.our_fault,
    "met_agent": lambda f: f.met_agent,
    "served_by_flow": lambda f: f.served_by_flow,
    "missed": lambda f: f.missed,
    "met_too_late": lambda f: f.met_too_late,
    "early_hangup": lambda f: f.early_hangup,
    "calls": lambda f: f.calls,
    "no_result": lambda f: f.no_result,
    "without_leg": lambda f: f.without_leg,
}
RATES: Mapping[str, Callable[[Figures], float]] = {
    "answer_rate": lambda f: f.answer_rate,
    "missed_rate": lambda f: f.missed_rate,
    "missed_rate_low": lambda f: f.missed_interval[0],
    "missed_rate_high": lambda f: f.missed_interval[1],
}
TIMES: Mapping[str, Callable[[Figures], float]] = {
    "waited_s": lambda f: f.waited_s,
    "talked_s": lambda f: f.talked_s,
    "average_wait_s": lambda f: f.waited_s / f.calls if f.calls else 0.0,
    "average_talk_s": lambda f: f.talked_s / f.calls if f.calls else 0.0,
}
NAMES = (*COUNTS, *RATES, *TIMES)
SPENT_TIMES: Mapping[str, str] = {SPENT_NAMES.get(word, f"{word}_s"): word for word in SHOWN_TIMES}
SPENT_COUNTS: Mapping[str, Callable[[Spent], int]] = {
    "missed_offers": lambda s: s.missed_offers,
    "previews": lambda s: s.previews,
    "skipped": lambda s: s.skipped,
}
SPENT = (*SPENT_TIMES, *SPENT_COUNTS)
"""Columns of agents' hours, which only rows of agents have."""
HEADERS = {
    **{name: name.removesuffix("_s").replace("_", " ").upper() for name in SPENT_TIMES},
    "wrap_up_s": "WRAP",
    "waited_s": "WAITED", "talked_s": "TALK",
    "average_wait_s": "AVERAGE WAIT", "average_talk_s": "AVERAGE TALK", "missed_rate": "MISSED %",
}  # fmt: skip


# --- sentences ------------------------------------------------------------------------------------------------------------------------


def sentences(f: Figures) -> list[str]:
    """dialed 1,904 = person 812 + machine 311 + …, and what became of the persons: every part that is not 0, and they add up."""
    parts = {"person": f.person, "machine": f.machine, **f.rest(), "our_fault": f.our_fault, "still up": f.up}
    met = {"met an agent": f.met_agent, "served by the flow": f.served_by_flow, "missed": f.missed, "hung up early": f.early_hangup}
    width = max(len(f"{f.dialed:,}"), len(f"{f.person:,}"))
    lines = [f"dialed {f.dialed:>{width},}" + _sum(parts)]
    if f.person:
        late = f"   {f.met_too_late:,} of the missed met an agent too late" if f.met_too_late else ""
        lines.append(f"person {f.person:>{width},}{_sum(met)}    {missed_words(f.missed, f.person, f.missed_rate, f.missed_interval)}{late}")
    return lines


def missed_words(missed: int, person: int, rate: float, interval: tuple[float, float]) -> str:
    """missed 17/812 = 2.1% (95%: 1.3-3.3%)"""
    if not person:
        return "missed 0/0"
    low, high = interval
    return f"missed {missed:,}/{person:,} = {percent(rate)} (95%: {low * 100:.1f}-{percent(high)})"


def _sum(parts: Mapping[str, int]) -> str:
    shown = [f"{name} {count:,}" for name, count in parts.items() if count]
    return f" = {' + '.join(shown)}" if shown else ""


# --- columns --------------------------------------------------------------------------------------------------------------------------


def chosen(text: str | None, default: Sequence[str], keys: Sequence[str] = ()) -> list[str]:
    """The columns of --columns a,b,c; BadParameter for one there is none of, with the nearest. `keys`: more names that are known."""
    if text is None:
        return list(default)
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in (*NAMES, *keys) and not name.startswith(DISPOSITION):
            guess = nearest(name, (*NAMES, *keys, DISPOSITION))
            raise click.BadParameter(f"there is no column `{clean(name)}`" + (f"; nearest: {guess}" if guess else ""), param_hint="--columns")
    if not names:
        raise click.BadParameter(f"name one or more of {', '.join((*keys, *NAMES))}, {DISPOSITION}CODE", param_hint="--columns")
    return list(dict.fromkeys(names))


def with_dispositions(columns: Sequence[str], all_rows: Figures) -> list[str]:
    """`disposition.*` stands for every disposition that occurred."""
    found = [f"{DISPOSITION}{code}" for code in sorted(all_rows.dispositions)]
    return [name for column in columns for name in (found if column == f"{DISPOSITION}*" else [column])]


def header(column: str) -> str:
    return HEADERS.get(column) or column.removeprefix(DISPOSITION).replace("_", " ").upper()


def value(f: Figures, column: str, spent: Spent | None = None) -> int | float:
    """One figure as a number. `spent`: of a row of agents; None = nothing is known of their time."""
    if column in SPENT_TIMES:
        return spent.of(SPENT_TIMES[column]) if spent else 0.0
    if column in SPENT_COUNTS:
        return SPENT_COUNTS[column](spent) if spent else 0
    if column.startswith(DISPOSITION):
        return f.dispositions.get(column.removeprefix(DISPOSITION), 0)
    return (COUNTS.get(column) or RATES.get(column) or TIMES[column])(f)


def cell(f: Figures, column: str, spent: Spent | None = None) -> str:
    """The same for people."""
    number = value(f, column, spent)
    if column in SPENT_TIMES:
        return clock(number) if spent else "-"
    if column in SPENT_COUNTS and spent is None:
        return "-"
    if column in RATES:
        known = f.person if column.startswith("missed") else f.dialed - f.up
        return percent(number) if known else "-"
    if column in TIMES:
        return f"{number:.1f} s" if column == "average_wait_s" else clock(number)
    return f"{number:,}"


def clock(seconds: float) -> str:
    """5:12:07, hours and minutes and seconds; 1:27 without hours."""
    whole = max(0, round(seconds))
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


# --- spreadsheets ---------------------------------------------------------------------------------------------------------------------


def write_csv(stream: TextIO, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    """Rows as CSV, UTF-8, in which no text can be taken for a formula (D7)."""
    for line in csv_lines(columns, rows):
        stream.write(line)


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[str]:
    """The same, line by line."""
    line = _Line()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow([safe_cell(name) for name in columns])
    yield line.text
    for cells in rows:
        writer.writerow([safe_cell(each) if isinstance(each, str) else each for each in cells])
        yield line.text


class _Line:
    """What the csv module writes to: it keeps the last line."""

    text = ""

    def write(self, text: str) -> Any:
        self.text = text
