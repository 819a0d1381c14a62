"""One row of a lead file → a contact that can be dialled, or all that is wrong with it.

Pure: rows in, verdicts out; no file, no other row. That is why it may run in another process (leads_parallel.py), and why its verdicts are plain
tuples, which marshal carries. What stands in a name or another column is data and only data: `{}`, `${…}`, quotes and line ends are fine there,
because it never reaches the switch (D7); an agent reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from fs_dialer.config.csv_text import Item, split, split_all
from fs_dialer.config.leads_header import CONTROL, Columns
from fs_dialer.config.leads_rows import MAX_CELL_BYTES, BadRow, CellProblem, GoodRow, NumberAt
from fs_dialer.config.phone_numbers import BadNumber, parse_number
from fs_dialer.config.values import BadValue, moment, nearest, offset_of, short, zone, zone_names

# A contact: line, number, zones, name, attributes, further numbers as (number, zones, kind) and None where there is but one, kind of the first, owner,
# not_before, whether the zone is its own. A refusal: line, cells, problems as (column, value, text, advice).
Good: TypeAlias = "tuple[int, str, tuple[str, ...], str, dict[str, str], tuple[Any, ...] | None, str, str, float | None, bool]"
Bad: TypeAlias = "tuple[int, tuple[str, ...], tuple[tuple[str, str, str, str], ...]]"
Verdict: TypeAlias = "Good | Bad"

_WINTER, _SUMMER = datetime(2026, 1, 15, 12), datetime(2026, 7, 15, 12)
_DAY = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
_WITH_OFFSET = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:?[0-9]{2})")


@dataclass(frozen=True, slots=True)
class Judge:
    """`region`: the country of national numbers, "" = such are refused. `delimiter`: between the cells of a text file, "" for a workbook.

    `owners`: what agents are called → their ids, as owner_names() makes it; None = an owner is taken as it is written.
    """

    columns: Columns
    region: str
    delimiter: str
    owners: Mapping[str, str] | None = None

    def judge(self, items: Sequence[Item]) -> list[Verdict]:
        """A verdict for every row that holds anything; rows with nothing in any cell are passed over."""
        verdicts: list[Verdict] = []
        takes_problems = self.columns.problem is not None
        for line, cells, fault in split_all(items, self.delimiter or ","):
            if takes_problems:
                cells = self._without_problem(cells)
            if any(map(str.strip, cells)):
                verdicts.append(self._row(line, cells, fault))
        return verdicts

    def cells(self, item: Item) -> list[str]:
        """One row's cells, as the user wrote them."""
        return self._without_problem(split(item, self.delimiter or ",").cells)

    def _without_problem(self, cells: list[str]) -> list[str]:
        where = self.columns.problem
        return cells if where is None or len(cells) <= where else cells[:where] + cells[where + 1 :]

    def _row(self, line: int, cells: list[str], fault: str) -> Verdict:
        if fault:
            return line, tuple(cells), (("row", self.delimiter.join(cells), fault, ""),)
        if problems := self._problems_of_cells(cells):
            return line, tuple(cells), tuple(problems)
        columns = self.columns
        numbers = self._numbers(cells, problems)
        has_own = columns.zone is not None and bool(cells[columns.zone].strip())
        if columns.zone is not None and has_own:
            written = cells[columns.zone]
            try:
                own = _own_zone(written)
                numbers = [(number, own, kind) for number, _, kind in numbers]
            except BadValue:
                problems.append(self._zone_problem(written, numbers[0][1] if numbers else ()))
        owner = self._owner(cells[columns.owner].strip(), problems) if columns.owner is not None else ""
        starts = None
        if columns.not_before is not None and (written := cells[columns.not_before].strip()) and not problems:
            try:
                starts = _not_before(written, numbers[0][1])
            except BadValue as error:
                problems.append((columns.header[columns.not_before], written, str(error), ""))
        if problems:
            return line, tuple(cells), tuple(problems)
        first, zones, kind = numbers[0]
        name = cells[columns.name].strip() if columns.name is not None else ""
        attributes = {column: cells[index] for index, column in columns.others if cells[index]}
        return line, first, zones, name, attributes, tuple(numbers[1:]) or None, kind, owner, starts, has_own

    def _owner(self, written: str, problems: list[tuple[str, str, str, str]]) -> str:
        """The agent who is meant, by id where they are known; a problem where there is no such, or several."""
        if not written or self.owners is None:
            return written
        found = self.owners.get(written) or self.owners.get(written.casefold())
        if not found:
            assert self.columns.owner is not None
            guess = nearest(written.casefold(), list(self.owners)) if found is None else ""
            advice = "write the agent's id" if found == "" else f"{guess}?" if guess else "agents by id and name: fs-dialer agent list"
            what = "several agents have this name" if found == "" else "no agent has this id or name"
            problems.append((self.columns.header[self.columns.owner], written, what, advice))
        return found or ""

    def _numbers(self, cells: list[str], problems: list[tuple[str, str, str, str]]) -> list[tuple[str, tuple[str, ...], str]]:
        """All numbers of the row in their order, each once; a cell with a bad one is a problem even where another is good: nothing is lost unsaid."""
        found: list[tuple[str, tuple[str, ...], str]] = []
        header, phones = self.columns.header, self.columns.phones
        for index in phones:
            written = cells[index]
            if not written or written.isspace():
                continue
            try:
                number, zones = parse_number(written, self.region)
            except BadNumber as error:
                problems.append((header[index], written, error.text, error.advice))
                continue
            if not found or all(number != other for other, _, _ in found):
                found.append((number, zones, header[index]))
        if not found and not problems:
            problems.append((header[phones[0]], cells[phones[0]], "empty", ""))
        return found

    def _problems_of_cells(self, cells: list[str]) -> list[tuple[str, str, str, str]]:
        """What is wrong whatever the columns mean: their count, cells too long, characters that no text has."""
        header = self.columns.header
        width = len(header)
        if len(cells) < width:
            if self.delimiter:
                return [("row", cells[0], f"{len(cells)} cells, but the header has {width} columns", "")]
            cells += [""] * (width - len(cells))
        if len(cells) > width or self.columns.nameless:
            for index in (*self.columns.nameless, *range(width, len(cells))):
                if cells[index].strip():
                    return [("row", cells[index], "more cells than the header has named columns", self._advice())]
        problems = []
        text = "".join(cells)
        if len(text) > MAX_CELL_BYTES // 4:
            for index, cell in enumerate(cells):
                if len(cell) > MAX_CELL_BYTES // 4 and (size := len(cell.encode())) > MAX_CELL_BYTES:
                    problems.append((header[index], cell, f"{size:,} bytes in one cell; at most {MAX_CELL_BYTES:,}", "shorten it"))
        if CONTROL.search(text):
            for index, cell in enumerate(cells):
                if found := CONTROL.search(cell):
                    what = "a NUL" if found[0] == "\0" else f"the control character U+{ord(found[0]):04X}"
                    problems.append((header[index], cell, f"{what} in the text", "take it out"))
        return problems

    def _advice(self) -> str:
        if not self.delimiter:
            return "give every column a name in the first row"
        return "put a value that holds a tab in quotes" if self.delimiter == "\t" else f"put a value that holds `{self.delimiter}` in quotes"

    def _zone_problem(self, written: str, zones: tuple[str, ...]) -> tuple[str, str, str, str]:
        assert self.columns.zone is not None
        column = self.columns.header[self.columns.zone]
        offset = offset_of(written)
        if offset is None:
            guess = nearest(written.strip(), zone_names(), cutoff=0.75)
            return column, written, "not a time zone", f"{guess}?" if guess else "write Area/City, as in Asia/Ho_Chi_Minh"
        fitting = [each for each in zones if offset in (ZoneInfo(each).utcoffset(_WINTER), ZoneInfo(each).utcoffset(_SUMMER))]
        return column, written, "not a place", f"{fitting[0]}?" if fitting else "write Area/City, as in Asia/Ho_Chi_Minh"


@lru_cache(maxsize=4096)
def _own_zone(written: str) -> tuple[str, ...]:
    return (zone(written),)


@lru_cache(maxsize=4096)
def _not_before(written: str, zones: tuple[str, ...]) -> float:
    """Epoch seconds of a local date and time; of a date alone its first moment. BadValue.

    Where a number may be in several zones, the time must have come in all of them, as with every other question of time (D4). A time with an offset
    (2026-12-01T08:00+07:00) needs no zone.
    """
    if _WITH_OFFSET.fullmatch(written):
        try:
            found = datetime.fromisoformat(written)
        except ValueError as error:
            raise BadValue(f"`{short(written)}` does not exist: {error}") from None
        if not 2000 <= found.year <= 2200:
            raise BadValue(f"the year {found.year} is out of reach: 2000 to 2200")
        return found.timestamp()
    if not zones:
        raise BadValue("the number says no time zone, so this could be any moment; fill in the column `zone`")
    if _DAY.fullmatch(written):
        written += " 0:00"
    return max(moment(written, each) for each in zones)


def owner_names(agents: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Agents' ids and names as people write them, upper and lower case alike → ids; "" for a name that several have. An id goes over a name."""
    found: dict[str, str] = {}
    ids = {id.casefold(): id for id, _ in agents}
    for id, name in agents:
        key = name.strip().casefold()
        if key and key not in ids:
            found[key] = id if found.get(key, id) == id else ""
    return found | ids | {id: id for id, _ in agents}


def good_row(verdict: Good, copy: int = 0, twice: bool = False) -> GoodRow:
    """`copy`, `twice`: what the rows above say of its number."""
    line, number, zones, name, attributes, further, kind, owner, not_before, has_own_zone = verdict
    first = NumberAt(number, zones, kind)
    numbers = (first,) if further is None else (first, *(NumberAt(*each) for each in further))
    return GoodRow(line, number, zones, name, attributes, numbers, owner, not_before, copy, twice, has_own_zone)


def bad_row(verdict: Bad) -> BadRow:
    line, cells, problems = verdict
    return BadRow(line, cells, tuple(CellProblem(*each) for each in problems))
