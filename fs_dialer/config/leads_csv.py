"""A list of leads in a CSV file → rows that can be dialled, and rows that can not, each with its reason.

Knows which columns a list of leads has and what each must hold; streams, and writes nothing. What stands in a name or another column is data and only
data: `{}`, `${…}`, quotes and line ends are fine there, because it never reaches the switch (D7); an agent reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, NoReturn
from zoneinfo import ZoneInfo

import phonenumbers

from fs_dialer.config.csv_text import CsvText, Dialect, Record
from fs_dialer.config.phone_numbers import BadNumber, parse_number
from fs_dialer.config.values import BadValue, nearest, offset_of, short, zone, zone_names
from fs_dialer.errors import ConfigError, Problem

COLUMNS = {  # what we look for, by the names we know it under, best first
    "phone": ("phone", "number", "telephone", "mobile", "tel", "phone_number", "telephone_number", "mobile_number"),
    "name": ("name",),
    "zone": ("zone", "tz", "timezone", "time_zone"),
}
PROBLEM_COLUMN = "problem"  # the last column of a file of refused rows; passed over when it comes back
MAX_CELL_BYTES = 4096
MAX_COLUMNS = 300

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_WINTER, _SUMMER = datetime(2026, 1, 15, 12), datetime(2026, 7, 15, 12)


@dataclass(frozen=True, slots=True)
class GoodRow:
    line: int
    number: str  # E.164
    zones: tuple[str, ...]  # all that the number may be in; () = unknown
    name: str
    attributes: dict[str, str]  # every other column that holds something, by its header


@dataclass(frozen=True, slots=True)
class CellProblem:
    """`column`: the user's header, "row" for the whole row. `advice`: how to mend it, "" where that is plain."""

    column: str
    value: str
    text: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.column}: {self.text}; {self.advice}" if self.advice else f"{self.column}: {self.text}"


@dataclass(frozen=True, slots=True)
class BadRow:
    """`cells` as the user wrote them. `twice`: nothing is wrong with it but that an earlier row has the same number."""

    line: int
    cells: tuple[str, ...]
    problems: tuple[CellProblem, ...]
    twice: bool = False

    @property
    def problem(self) -> str:
        return " / ".join(str(each) for each in self.problems)


class LeadFile:
    """A lead file whose header has been understood; `rows()` reads the rest, once.

    `region`: the country of national numbers. `mapping`: our column → the user's ({"phone": "Handy"}). Raises ConfigError for a file that can not be
    read; rows() does too, at a line that is no text of the file's encoding: import in one transaction. `notes` are for the user's eyes.
    """

    def __init__(self, stream: BinaryIO, name: str, *, region: str = "", mapping: Mapping[str, str] | None = None, delimiter: str | None = None) -> None:
        self.name, self._region = name, region.upper()
        if self._region and self._region not in phonenumbers.SUPPORTED_REGIONS:
            raise ConfigError([Problem("region", 0, 0, "", f"`{short(region)}` is no country: two letters, as in VN or US")])
        text = CsvText(stream, name, delimiter)
        self.dialect: Dialect = text.dialect
        self._records = text.records()
        self.notes: list[str] = []
        first = next(self._records, None)
        if first is None:
            self._refuse(0, "the file is empty: a header row with a column `phone` is expected, and rows below it")
        if first.fault:
            self._refuse(first.line, f"the header row {first.fault}")
        columns = [cell.strip() for cell in first.cells]
        self._problem_index = len(columns) - 1 if len(columns) > 1 and columns[-1].casefold() == PROBLEM_COLUMN else None
        if self._problem_index is not None:
            columns.pop()
            self.notes.append(f"the last column, `{PROBLEM_COLUMN}`, is passed over: it says what was wrong before")
        while columns and not columns[-1]:
            columns.pop()
        self.header: tuple[str, ...] = tuple(columns)
        self._check_header(first)
        chosen = self._chosen(first, dict(mapping or {}))
        self._phone, self._name, self._zone = chosen["phone"], chosen.get("name"), chosen.get("zone")
        self._others = [(index, column) for index, column in enumerate(self.header) if column and index not in chosen.values()]
        self._lines: dict[int, int] = {}  # number → the line that has it

    def rows(self) -> Iterator[GoodRow | BadRow]:
        """Every row below the header; rows with nothing in any cell are passed over."""
        for record in self._records:
            cells = record.cells
            if self._problem_index is not None and len(cells) > self._problem_index:
                cells = cells[: self._problem_index] + cells[self._problem_index + 1 :]
            if any(cell.strip() for cell in cells):
                yield self._row(record, cells)

    def _row(self, record: Record, cells: list[str]) -> GoodRow | BadRow:
        if record.fault:
            return BadRow(record.line, tuple(cells), (CellProblem("row", self.dialect.delimiter.join(cells), record.fault),))
        problems = self._problems_of_cells(cells)
        if problems:
            return BadRow(record.line, tuple(cells), tuple(problems))
        number, zones = "", ()  # type: tuple[str, tuple[str, ...]]
        try:
            number, zones = parse_number(cells[self._phone], self._region)
        except BadNumber as error:
            problems.append(CellProblem(self.header[self._phone], cells[self._phone], error.text, error.advice))
        if self._zone is not None and cells[self._zone].strip():
            try:
                zones = (zone(cells[self._zone]),)
            except BadValue:
                problems.append(self._zone_problem(cells[self._zone], zones))
        if problems:
            return BadRow(record.line, tuple(cells), tuple(problems))
        first = self._lines.setdefault(int(number[1:]), record.line)
        if first != record.line:
            problem = CellProblem(self.header[self._phone], cells[self._phone], f"twice in this file, first in line {first}")
            return BadRow(record.line, tuple(cells), (problem,), twice=True)
        name = cells[self._name].strip() if self._name is not None else ""
        return GoodRow(record.line, number, zones, name, {column: cells[index] for index, column in self._others if cells[index]})

    def _problems_of_cells(self, cells: list[str]) -> list[CellProblem]:
        """What is wrong whatever the columns mean: their count, cells too long, characters that no text has."""
        width = len(self.header)
        if len(cells) < width:
            return [CellProblem("row", cells[0], f"{len(cells)} cells, but the header has {width} columns")]
        for index, cell in enumerate(cells):
            if cell.strip() and (index >= width or not self.header[index]):
                mark = "tab" if self.dialect.delimiter == "\t" else self.dialect.delimiter
                advice = f"put a value that holds a {mark} in quotes" if mark == "tab" else f"put a value that holds `{mark}` in quotes"
                return [CellProblem("row", cell, "more cells than the header has named columns", advice)]
        problems = []
        if sum(map(len, cells)) > MAX_CELL_BYTES // 4:
            for index, cell in enumerate(cells):
                if len(cell) > MAX_CELL_BYTES // 4 and (size := len(cell.encode())) > MAX_CELL_BYTES:
                    problems.append(CellProblem(self.header[index], cell, f"{size:,} bytes in one cell; at most {MAX_CELL_BYTES:,}", "shorten it"))
        if _CONTROL.search("".join(cells)):
            for index, cell in enumerate(cells):
                if found := _CONTROL.search(cell):
                    what = "a NUL" if found[0] == "\0" else f"the control character U+{ord(found[0]):04X}"
                    problems.append(CellProblem(self.header[index], cell, f"{what} in the text", "take it out"))
        return problems

    def _zone_problem(self, written: str, zones: tuple[str, ...]) -> CellProblem:
        assert self._zone is not None
        column = self.header[self._zone]
        offset = offset_of(written)
        if offset is None:
            guess = nearest(written.strip(), zone_names(), cutoff=0.75)
            return CellProblem(column, written, "not a time zone", f"{guess}?" if guess else "write Area/City, as in Asia/Ho_Chi_Minh")
        fitting = [each for each in zones if offset in (ZoneInfo(each).utcoffset(_WINTER), ZoneInfo(each).utcoffset(_SUMMER))]
        return CellProblem(column, written, "not a place", f"{fitting[0]}?" if fitting else "write Area/City, as in Asia/Ho_Chi_Minh")

    def _check_header(self, first: Record) -> None:
        if len(self.header) > MAX_COLUMNS:
            self._refuse(first.line, f"{len(self.header)} columns; at most {MAX_COLUMNS}")
        for index, column in enumerate(self.header):
            if _CONTROL.search(column) or "\n" in column or len(column) > 200:
                self._refuse(first.line, f"column {index + 1} has a name that is no word: is the first row a header?")
            if column and column in self.header[:index]:
                self._refuse(first.line, f"the column `{column}` stands twice: rename one")

    def _chosen(self, first: Record, mapping: dict[str, str]) -> dict[str, int]:
        """Our columns → where they stand in the user's header."""
        folded = {re.sub(r"[\s_-]+", "_", column.casefold()): index for index, column in reversed(list(enumerate(self.header)))}
        chosen: dict[str, int] = {}
        listed = ", ".join(short(column, 30) for column in self.header if column) or "none"
        for ours, theirs in mapping.items():
            if ours not in COLUMNS:
                self._refuse(0, f"--map {ours}=…: we look for {', '.join(COLUMNS)}; every other column is kept as it is")
            index = folded.get(re.sub(r"[\s_-]+", "_", theirs.strip().casefold()))
            if index is None:
                guess = nearest(theirs, [column for column in self.header if column])
                near = f"; nearest: {guess}" if guess else ""
                self._refuse(first.line, f"there is no column `{short(theirs)}`{near}; the columns are: {listed}")
            chosen[ours] = index
        for ours, names in COLUMNS.items():
            found = [folded[name] for name in names if name in folded and folded[name] not in chosen.values()]
            if ours not in chosen and found:
                chosen[ours] = found[0]
                if ours == "phone" and len(found) > 1:
                    rest = ", ".join(self.header[index] for index in found[1:])
                    taken = self.header[found[0]]
                    self.notes.append(f"numbers are taken from the column `{taken}`, not from {rest}; --map phone=COLUMN chooses another")
        if "phone" not in chosen:
            looks_like_data = any(re.fullmatch(r"\+?[0-9 ().-]{7,}", column) for column in self.header)
            hint = "is the first row a header? It must name the columns" if looks_like_data else "name the one with the numbers: --map phone=COLUMN"
            self._refuse(first.line, f"no column `phone`; the columns are: {listed}; {hint}")
        return chosen

    def _refuse(self, line: int, text: str) -> NoReturn:
        raise ConfigError([Problem(self.name, line, 1 if line else 0, "", text)])
