"""A file of leads, whatever it is: CSV, TSV or XLSX by its content, its header understood, its rows judged in their order.

Knows which reader a file needs, when more than one process pays, and what the second row with a number means; what a column or a cell means is known
elsewhere (leads_header.py, leads_judge.py), and nothing is stored. Memory does not grow with a text file, but for 24 to 48 bytes a row that remember
its number; a workbook is held by a process of its own (leads_xlsx.py).
"""

from __future__ import annotations

import hashlib
import io
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NoReturn, TypedDict, Unpack, cast, get_args

import phonenumbers

from fs_dialer.config.csv_text import CsvText, Dialect, Item, Rejoined, filled, split
from fs_dialer.config.leads_header import understood
from fs_dialer.config.leads_judge import Judge, Verdict, bad_row, good_row
from fs_dialer.config.leads_parallel import CHUNK_CHARACTERS, CHUNK_ROWS, judged, judged_here, processes_wanted, start
from fs_dialer.config.leads_rows import BadRow, CellProblem, GoodRow, Twice
from fs_dialer.config.leads_twice import NumbersSeen
from fs_dialer.config.leads_xlsx import ZIP_BEGINS, Sheet, Workbook
from fs_dialer.config.values import short
from fs_dialer.errors import ConfigError, Problem

IN_PROCESS_ROWS = 20_000  # judged here while the other processes start, which takes longer than most files


class How(TypedDict, total=False):
    """What open_leads() hands on to LeadFile."""

    region: str
    mapping: Mapping[str, str | Sequence[str]] | None
    delimiter: str | None
    sheet: str
    twice: Twice
    owners: Mapping[str, str] | None
    workers: int | None


class LeadFile:
    """A lead file whose header has been understood; `rows()` reads the rest, once.

    `region`: the country of national numbers. `mapping`: our column → the user's ({"phone": "Handy,Festnetz"}). `sheet`: of a workbook; "" = the first
    one that is not hidden. `twice`: what the second row with a number is. `owners`: agents by their names (owner_names() of leads_judge.py); None = an
    owner is not looked up. `workers`: processes that judge, 1 = this one, None = as many as pay.
    Raises ConfigError for a file that can not be read; rows() does too, at a line that is no text of the file's encoding: import in one transaction.
    `notes` are for the user's eyes.
    """

    def __init__(
        self,
        stream: BinaryIO,
        name: str,
        *,
        region: str = "",
        mapping: Mapping[str, str | Sequence[str]] | None = None,
        delimiter: str | None = None,
        sheet: str = "",
        twice: Twice = "keep-first",
        owners: Mapping[str, str] | None = None,
        workers: int | None = None,
    ) -> None:
        self.name, self._stream, self._workers, self._twice = name, stream, workers, twice
        self._opened = False
        if region and region.upper() not in phonenumbers.SUPPORTED_REGIONS:
            raise ConfigError([Problem("region", 0, 0, "", f"`{short(region)}` is no country: two letters, as in VN or US")])
        if twice not in get_args(Twice):
            raise ConfigError([Problem("twice", 0, 0, "", f"`{short(twice)}` is none of {', '.join(get_args(Twice))}")])
        head = filled(stream, len(ZIP_BEGINS))
        self._size = _size(stream)
        whole = cast(BinaryIO, io.BufferedReader(Rejoined(head, stream)))
        self._sheet = Sheet(stream, whole, name, sheet) if head == ZIP_BEGINS else None
        if self._sheet is not None:
            self.dialect: Dialect | Workbook = self._sheet.workbook
            self._items: Iterator[Item] = self._sheet.rows()
            delimiter = ""
        else:
            if sheet:
                self._refuse(0, f"this is no workbook and has no sheet `{short(sheet)}`")
            text = CsvText(whole, name, delimiter)
            self.dialect = text.dialect
            self._items, delimiter = text.unsplit(), text.dialect.delimiter
        first = next(self._items, None)
        if first is None:
            self._refuse(0, "the file is empty: a header row with a column `phone` is expected, and rows below it")
        record = split(first, delimiter)
        if record.fault:
            self._refuse(record.line, f"the header row {record.fault}")
        columns = understood(record.cells, name, record.line, mapping)
        self.header: tuple[str, ...] = columns.header
        self.notes: list[str] = [*(self._sheet.notes if self._sheet else ()), *columns.notes]
        self._judge = Judge(columns, region.upper(), delimiter, owners)
        self._seen = NumbersSeen()

    def rows(self) -> Iterator[GoodRow | BadRow]:
        """Every row below the header; rows with nothing in any cell are passed over. Closing the iterator ends the processes that judge."""
        chunks = _chunks(self._items)
        wanted = processes_wanted() if self._workers is None else self._workers
        first = list(islice(chunks, IN_PROCESS_ROWS // CHUNK_ROWS)) if self._workers is None else []
        after = next(chunks, None)
        processes = start(wanted) if wanted > 1 and after is not None else []
        rest = chain([] if after is None else [after], chunks)
        try:
            for chunk, verdicts in chain(judged_here(self._judge, first), judged(self._judge, rest, processes)):
                yield from self._told(chunk, verdicts)
        finally:
            for child in processes:
                child.close()
            self.close()

    @property
    def share(self) -> float | None:
        """How much of the file has been read, 0.0 to 1.0; None for a pipe."""
        if self._sheet is not None:
            return self._sheet.share
        if self._stream.closed:
            return 1.0
        return min(1.0, self._stream.tell() / self._size) if self._size else None

    def _told(self, chunk: Sequence[Item], verdicts: Sequence[Verdict]) -> Iterator[GoodRow | BadRow]:
        """The verdicts as rows, with what the rows above have to do with it. A refused row takes no number."""
        for verdict in verdicts:
            if len(verdict) == 3:
                yield bad_row(verdict)
            elif self._twice == "keep-all":
                yield good_row(verdict, copy=self._seen.count(int(verdict[1])))
            elif (line := self._seen.setdefault(int(verdict[1]), verdict[0])) == verdict[0]:
                yield good_row(verdict)
            elif self._twice == "update":
                yield good_row(verdict, twice=True)
            else:
                cells = self._judge.cells(chunk[bisect_left(chunk, verdict[0], key=itemgetter(0))])
                where = self.header.index(verdict[6])
                problem = CellProblem(verdict[6], cells[where], f"twice in this file, first in line {line}")
                yield BadRow(verdict[0], tuple(cells), (problem,), twice=True)

    def close(self) -> None:
        """End the process that holds a workbook, where rows() was not read to its end, and close the file if open_leads() opened it."""
        if self._sheet is not None:
            self._sheet.close()
        if self._opened:
            self._stream.close()

    def __enter__(self) -> LeadFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _refuse(self, line: int, text: str) -> NoReturn:
        raise ConfigError([Problem(self.name, line, 1 if line else 0, "", text)])


def open_leads(source: Path | str | BinaryIO, name: str = "", **how: Unpack[How]) -> LeadFile:
    """A lead file, of whatever kind its first bytes say it is. `name` stands in messages; "" = the path. All else as LeadFile has it.

    A path is opened here and closed with the LeadFile (use `with`). ConfigError for a file that can not be read.
    """
    if not isinstance(source, str | Path):
        return LeadFile(source, name, **how)
    name = name or str(source)
    with ExitStack() as on_failure:
        try:
            stream = on_failure.enter_context(Path(source).open("rb"))
            leads = LeadFile(stream, name, **how)
        except OSError as error:
            raise ConfigError([Problem(name, 0, 0, "", f"can not be read: {error.strerror}")]) from None
        leads._opened = True
        on_failure.pop_all()
    return leads


def import_file_hash(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex: the same file imported again is known by it. ConfigError for a file that can not be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, 0, "", f"can not be read: {error.strerror}")]) from None


def _chunks(items: Iterator[Item]) -> Iterator[list[Item]]:
    """Rows in lots that are worth sending, and not too large to hold a few of."""
    chunk: list[Item] = []
    size = 0
    for item in items:
        chunk.append(item)
        content = item[1]
        size += len(content) if isinstance(content, str) else sum(map(len, content))
        if len(chunk) == CHUNK_ROWS or size >= CHUNK_CHARACTERS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _size(stream: BinaryIO) -> int:
    """Bytes in all; 0 for a pipe."""
    if not stream.seekable():
        return 0
    here = stream.tell()
    size = stream.seek(0, io.SEEK_END)
    stream.seek(here)
    return size
