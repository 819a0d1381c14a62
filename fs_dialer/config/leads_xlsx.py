"""An Excel workbook (xlsx) ↔ rows of cells, as text.

Knows workbooks; knows nothing of leads. python-calamine loads a whole sheet at once, and a workbook is a zip file: ten kilobytes may unpack to
gigabytes, or name one cell in a far corner of the sheet. So a workbook is read by a process of its own, with limits for memory and time set by the
system; what it takes goes with it. A million rows of six cells take it about half a gigabyte; the parent sees a chunk at a time.

Cells come as the user sees them, as far as the file says: whole numbers as their digits, dates as 2026-12-01 and 2026-12-01 08:30, formulas as their
last value, a formula's error as nothing. What a number format alone shows (leading zeros, a rounded display) is not in the value and can not be told.
"""

from __future__ import annotations

import datetime
import marshal
import os
import resource
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import xlsxwriter  # type: ignore[import-untyped]
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from fs_dialer.config.csv_text import Item
from fs_dialer.config.leads_child import Child
from fs_dialer.config.leads_rows import MAX_COLUMNS
from fs_dialer.config.values import nearest, short
from fs_dialer.errors import ConfigError, Problem

ZIP_BEGINS = b"PK\x03\x04"
CHUNK_ROWS = 2_000  # sent at a time
MAX_FILE_BYTES = 256 << 20
MAX_UNPACKED_BYTES = 1 << 30
MAX_PARTS = 10_000  # files in the zip; a workbook has a few dozen
MAX_ROWS = 1_048_576  # Excel's own
MAX_MEMORY_BYTES = 2 << 30  # of the process that reads, addresses and not pages
MAX_CPU_S = 300
MAX_CELL_CHARACTERS = 32_767  # Excel's own

_TEXT_FORMAT = 49  # "@" among Excel's own: the cell is Text in its list of formats, too
_AS_CSV = "save the sheet as CSV UTF-8"


@dataclass(frozen=True, slots=True)
class Workbook:
    """How a workbook is written back: all cells text, on a sheet of the same name."""

    sheet: str = "Leads"


class Sheet:
    """One sheet of a workbook, its rows once. ConfigError for what is none or passes the limits, at once or while rows are read. close() it."""

    def __init__(self, stream: BinaryIO, whole: BinaryIO, name: str, sheet: str = "") -> None:
        """`stream`: where the file is, if that is a file; `whole`: all its bytes, to be copied if it is not. `sheet`: "" = the first not hidden."""
        self._name, self._done = name, 0
        with _as_file(stream, whole, self._refuse) as file:
            self._child = Child(__name__, "serve", file.fileno(), MAX_MEMORY_BYTES, descriptors=[file.fileno()], quiet=True)
            found = self._receive(sheet)
        title, self._height, self.notes = found
        self.workbook = Workbook(title)

    def rows(self) -> Iterator[Item]:
        """Every row that holds anything, with its number."""
        while chunk := self._receive():
            self._done = chunk[-1][0]
            yield from chunk

    @property
    def share(self) -> float:
        return min(1.0, self._done / self._height) if self._height else 1.0

    def close(self) -> None:
        self._child.close()

    def _receive(self, told: str | None = None) -> Any:
        """The process's next answer; `told`: what to send it first."""
        try:
            if told is not None:
                self._child.send(told)
            answer = self._child.receive()
        except (EOFError, OSError):
            mega = MAX_MEMORY_BYTES >> 20
            self._refuse(f"this workbook takes more than {mega:,} MB of memory or {MAX_CPU_S} s to read, or is damaged: {_AS_CSV}")
        if isinstance(answer, str):
            self._refuse(answer)
        return answer

    def _refuse(self, text: str) -> NoReturn:
        raise ConfigError([Problem(self._name, 0, 0, "", text)])


class NotRead(Exception):
    """Why a workbook can not be read, fit for its owner."""


def serve(descriptor: int, file_descriptor: int, memory: int) -> None:
    """What the reading process does: takes the sheet's name, gives (title, height, notes), chunks of rows and an empty one; or a text: the refusal."""
    for which, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, MAX_CPU_S), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(which)[1]
        resource.setrlimit(which, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    connection = Connection(descriptor)
    try:
        with os.fdopen(file_descriptor, "rb") as file:
            for answer in _answers(file, connection):
                connection.send_bytes(marshal.dumps(answer))
    except (EOFError, OSError):  # the parent has had enough
        pass


def _answers(file: BinaryIO, connection: Connection) -> Iterator[Any]:
    try:
        sheet, notes = opened(file, marshal.loads(connection.recv_bytes()))
        yield sheet.name, _end(sheet)[0], notes
        chunk: list[Item] = []
        for row in numbered(sheet):
            chunk.append(row)
            if len(chunk) == CHUNK_ROWS:
                yield chunk
                chunk = []
        if chunk:
            yield chunk
        yield []
    except NotRead as error:
        yield str(error)


def opened(file: BinaryIO, wanted: str) -> tuple[CalamineSheet, list[str]]:
    """The sheet, and what to tell about the others. NotRead."""
    _check_zip(file)
    file.seek(0)
    try:
        workbook = CalamineWorkbook.from_filelike(file)
        tables = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
        name = _chosen([sheet.name for sheet in tables], [sheet.name for sheet in tables if sheet.visible == SheetVisibleEnum.Visible], wanted)
        sheet = workbook.get_sheet_by_name(name)
        height, width = _end(sheet)
    except NotRead:
        raise
    except PasswordError:
        raise NotRead("the workbook has a password: save it without one") from None
    except MemoryError:
        raise NotRead(f"this workbook is too large to read: {_AS_CSV}") from None
    except CalamineError as error:
        raise NotRead(f"this workbook can not be read ({short(str(error), 100)}): save it again with Excel or LibreOffice, or {_AS_CSV}") from None
    except BaseException as error:
        raise _panic(error) from None
    if width > MAX_COLUMNS:
        raise NotRead(f"the sheet `{short(name)}` is {width:,} columns wide; at most {MAX_COLUMNS}: delete what stands right of the list")
    if height > MAX_ROWS:
        raise NotRead(f"the sheet `{short(name)}` has {height:,} rows; at most {MAX_ROWS:,}")
    others = [sheet.name for sheet in tables if sheet.name != name and sheet.visible == SheetVisibleEnum.Visible]
    listed = ", ".join(short(other, 30) for other in others[:5])
    notes = [f"the sheet `{short(name, 30)}` is read, not {listed}; --sheet NAME chooses another"] if others and not wanted else []
    return sheet, notes


def numbered(sheet: CalamineSheet) -> Iterator[Item]:
    """The sheet's rows that hold anything, with their numbers, cells as text. NotRead."""
    if sheet.start is None:
        return
    before = [""] * sheet.start[1]  # calamine leaves out empty columns on the left, but not empty rows above
    rows = enumerate(sheet.iter_rows(), start=1)
    while True:
        try:
            number, values = next(rows)
        except StopIteration:
            return
        except BaseException as error:
            raise _panic(error) from None
        if any(value != "" for value in values):
            yield number, [*before, *(value if type(value) is str else _text(value) for value in values)], ""


def _end(sheet: CalamineSheet) -> tuple[int, int]:
    """How many rows and columns the sheet has, counted from A1."""
    return (sheet.end[0] + 1, sheet.end[1] + 1) if sheet.end else (0, 0)


def _check_zip(file: BinaryIO) -> None:
    """What is no workbook, or would unpack to more than the limit, is refused before anything is unpacked."""
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError, MemoryError, OverflowError):
        raise NotRead(f"this is an Excel workbook (xlsx) or another zip file, and damaged: save it again, or {_AS_CSV}") from None
    names = {part.filename for part in parts}
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        what = "an OpenDocument spreadsheet (ods): save it as xlsx, or" if "content.xml" in names else "a zip file and no Excel workbook: unpack it, or"
        raise NotRead(f"this is {what} {_AS_CSV}")
    if len(parts) > MAX_PARTS:
        raise NotRead(f"a workbook of {len(parts):,} parts; at most {MAX_PARTS:,}: {_AS_CSV}")
    if (unpacked := sum(part.file_size for part in parts)) > MAX_UNPACKED_BYTES:
        raise NotRead(f"this workbook unpacks to {unpacked >> 20:,} MB; at most {MAX_UNPACKED_BYTES >> 20:,}: {_AS_CSV}")


def _chosen(names: Sequence[str], visible: Sequence[str], wanted: str) -> str:
    if not names:
        raise NotRead("there is no sheet with cells in this workbook")
    if not wanted:
        return (visible or names)[0]
    if found := next((name for name in names if name.strip().casefold() == wanted.strip().casefold()), None):
        return found
    guess = nearest(wanted, names)
    listed = ", ".join(short(name, 30) for name in names[:20])
    raise NotRead(f"there is no sheet `{short(wanted)}`{f'; nearest: {guess}' if guess else ''}; the sheets are: {listed}")


def _panic(error: BaseException) -> BaseException:
    """calamine's own bugs come as an exception that is none: pyo3's PanicException derives from BaseException."""
    if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
        return error
    return NotRead(f"this workbook can not be read ({type(error).__name__}): save it again with Excel or LibreOffice, or {_AS_CSV}")


def _text(value: object) -> str:
    """A cell as a person reads it."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"  # Excel keeps 15 digits
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ", timespec="seconds" if value.second else "minutes")
    if isinstance(value, datetime.time):
        return value.isoformat(timespec="seconds" if value.second else "minutes")
    if isinstance(value, datetime.timedelta):
        seconds = round(value.total_seconds())
        sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
        return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(value)


def _as_file(stream: BinaryIO, whole: BinaryIO, refuse: Callable[[str], NoReturn]) -> BinaryIO:
    """An open file with all the bytes, for a process of its own: the stream's, or a copy of what is in memory or comes through a pipe."""
    try:
        descriptor = stream.fileno() if stream.seekable() else None
    except OSError:
        descriptor = None
    too_large = f"a workbook of more than {MAX_FILE_BYTES >> 20} MB: {_AS_CSV}"
    if descriptor is not None:
        if os.fstat(descriptor).st_size > MAX_FILE_BYTES:
            refuse(too_large)
        return os.fdopen(os.dup(descriptor), "rb")
    copy = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    while part := whole.read(1 << 20):
        copy.write(part)
        if copy.tell() > MAX_FILE_BYTES:
            copy.close()
            refuse(too_large)
    copy.flush()
    return copy


def write_sheet(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]], workbook: Workbook) -> None:
    """Write a workbook of text cells, over whatever stood there; whole or not at all.

    A text is never a formula, a link or a number here, whatever it begins with (D7). Cells longer than Excel's limit are cut. OSError.
    """
    part = path.with_name(path.name + ".part")
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(str(part), options)
    try:
        try:
            sheet = book.add_worksheet(workbook.sheet)
        except xlsxwriter.exceptions.XlsxWriterException:  # a name that Excel would not have given
            sheet = book.add_worksheet()
        text = book.add_format({"num_format": _TEXT_FORMAT})
        sheet.set_column(0, MAX_COLUMNS, None, text)  # what is typed into the empty cells later stays text, too
        for number, cells in enumerate(chain([header], rows)):
            for column, cell in enumerate(cells):
                sheet.write_string(number, column, cell[:MAX_CELL_CHARACTERS], text)
        try:
            book.close()
        except xlsxwriter.exceptions.FileCreateError as error:
            raise OSError(getattr(error.args[0], "errno", None), getattr(error.args[0], "strerror", None) or str(error), str(path)) from None
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
