"""The rows that can not be used, kept while a file is read and written back as the user's own kind of file.

Knows how to keep many rows in little memory, and how a file of refused rows looks; decides about no row. The user's own cells go back unchanged. The
text that is ours can not be taken for a formula by the spreadsheet that opens it.
"""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, overload

from fs_dialer.config.csv_text import Dialect, safe_cell, write_rows
from fs_dialer.config.leads_rows import PROBLEM_COLUMN, BadRow, CellProblem
from fs_dialer.config.leads_xlsx import Workbook, write_sheet

KEPT_ROWS = 1_000  # in memory; the rest waits in a file without a name, which goes when we do
_TEXT_SUFFIXES = (".csv", ".tsv", ".tab", ".txt")


class RefusedRows(Sequence[BadRow]):
    """Rows in the order they came, however many. `width`: of the widest, in cells."""

    def __init__(self) -> None:
        self.width = 0
        self._kept: list[BadRow] = []
        self._spool: IO[bytes] | None = None
        self._length = 0

    def append(self, row: BadRow) -> None:
        self.width = max(self.width, len(row.cells))
        self._length += 1
        if len(self._kept) < KEPT_ROWS:
            self._kept.append(row)
            return
        if self._spool is None:
            self._spool = tempfile.TemporaryFile(prefix="fs-dialer-refused-")  # noqa: SIM115  # open as long as we are
        problems = tuple((each.column, each.value, each.text, each.advice) for each in row.problems)
        marshal.dump((row.line, row.cells, problems, row.twice), self._spool)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[BadRow]:
        yield from self._kept
        if self._spool is None:
            return
        place = 0
        for _ in range(self._length - len(self._kept)):
            self._spool.seek(place)
            line, cells, problems, twice = marshal.load(self._spool)
            place = self._spool.tell()
            yield BadRow(line, cells, tuple(CellProblem(*each) for each in problems), twice)
        self._spool.seek(0, 2)

    @overload
    def __getitem__(self, index: int) -> BadRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[BadRow]: ...
    def __getitem__(self, index: int | slice) -> BadRow | list[BadRow]:
        if isinstance(index, slice):
            start, stop, step = index.indices(self._length)
            return list(islice(self, start, stop, step)) if step > 0 else list(self)[index]
        place = index + self._length if index < 0 else index
        if not 0 <= place < self._length:
            raise IndexError(index)
        return next(islice(self, place, None))


def refused_path(path: Path, dialect: Dialect | Workbook) -> Path:
    """Where the refused rows of a file go: spring.xlsx → spring.refused.xlsx, beside it."""
    if isinstance(dialect, Workbook):
        suffix = ".xlsx"
    else:
        suffix = path.suffix if path.suffix.casefold() in _TEXT_SUFFIXES else ".csv"
    return path.with_name(f"{path.stem}.refused{suffix}")


def write_refused(path: Path, header: Sequence[str], bad_rows: Sequence[BadRow], dialect: Dialect | Workbook) -> None:
    """The user's own rows and a last column `problem`, in the kind of file they came in. Repaired, the file can be imported alone.

    In a text file the user's cells are byte for byte what they were, formulas included: it is his file that he repairs. In a workbook every cell is a
    text, which runs nothing. Rows with more cells than the header has columns stay as long as they are: the header gets nameless columns for them, and
    unrepaired they are refused again. Shorter rows are filled up.
    """
    widest = bad_rows.width if isinstance(bad_rows, RefusedRows) else max((len(row.cells) for row in bad_rows), default=0)
    width = max(len(header), widest)
    columns = [*header, *[""] * (width - len(header)), PROBLEM_COLUMN]
    is_workbook = isinstance(dialect, Workbook)
    rows = ([*row.cells, *[""] * (width - len(row.cells)), _one_line(row.problem) if is_workbook else safe_cell(_one_line(row.problem))] for row in bad_rows)
    if isinstance(dialect, Workbook):
        write_sheet(path, columns, rows, dialect)
    else:
        write_rows(path, columns, rows, dialect)


def _one_line(problem: str) -> str:
    return " ".join(problem.replace("\0", " ").split())
