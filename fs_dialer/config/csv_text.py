"""Bytes of a spreadsheet's export ↔ rows of cells, whoever wrote them: Excel, LibreOffice, a program, a person.

Knows encodings, delimiters, quotes and line ends; knows nothing of leads. Streams: memory does not grow with the file. A quote that is never closed
costs its own row, not the rest of the file: the csv module alone would swallow everything up to the next quote. So lines are joined to records here,
and the csv module splits one record at a time. Joining must be done in order; splitting need not, and may be done in another process (`unsplit`).
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO, TypeAlias

from fs_dialer.errors import ConfigError, Problem

SAMPLE_BYTES = 1 << 16
MAX_LINE = 1 << 20  # characters; one row of the longest cells we take is far shorter
MAX_LINES_IN_RECORD = 200  # a quoted cell over more lines than this is a quote somebody forgot
DELIMITERS = (",", ";", "\t")
FORMULA_STARTERS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # the wide ones too: a Japanese Excel reads them alike

Item: TypeAlias = "tuple[int, str | list[str], str]"  # the line a row begins in; its text, still one piece, or its cells; its fault, as in Record

_FAULTS = (  # what the csv module says, and what it means
    ("expected after", "a quote inside a quoted cell must be written twice"),
    ("new-line character", "a line end (CR) inside a cell that is not in quotes"),
    ("field larger", "a cell of more than 131,072 characters"),
)
_NOT_CSV = (  # how other files begin that people take for CSV
    (b"PK\x03\x04", "this is an Excel workbook (xlsx) or another zip file: save it as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "this is an old Excel workbook (xls), or one with a password: save it as xlsx without one, or as CSV UTF-8"),
    (b"\x1f\x8b", "this is a gzip file: unpack it first"),
    (b"%PDF", "this is a PDF file: export the list as CSV"),
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written; what is written back in the same dialect opens in the same program."""

    delimiter: str = ","
    encoding: str = "utf-8"  # utf-8, utf-8-sig (with a byte order mark) or utf-16

    @property
    def written_as(self) -> str:
        """The encoding for files of ours: a mark where the user's program wrote one, since Excel guesses wrong without."""
        return "utf-8" if self.encoding == "utf-8" else "utf-8-sig"


@dataclass(frozen=True, slots=True)
class Record:
    """One row. `line`: where it begins, from 1. `fault`: why its quotes make no sense; then `cells` is its first line cut at every delimiter."""

    line: int
    cells: list[str]
    fault: str = ""


class CsvText:
    """A file's dialect, and its records once. ConfigError for a file that is no CSV, at once or at the line where it stops being one."""

    def __init__(self, stream: BinaryIO, name: str, delimiter: str | None = None) -> None:
        head = filled(stream, SAMPLE_BYTES)
        self.name = name
        encoding = self._encoding_of(head)
        self._line = 0
        self._lines = self._lines_of(io.BufferedReader(Rejoined(head, stream), SAMPLE_BYTES), encoding, b"\n" in head)
        sample = head.decode("utf-8" if encoding == "utf-8-sig" else encoding, errors="ignore").removeprefix("\ufeff")
        first = next(iter(sample.splitlines()), "")
        if first.lower().startswith("sep=") and len(first) == 5:  # Excel's own hint
            delimiter = delimiter or first[4]
            next(self._lines)
            self._line += 1
        self.dialect = Dialect(delimiter or _sniffed(sample), encoding)

    def records(self) -> Iterator[Record]:
        """All rows; lines with nothing in them are passed over."""
        return (split(item, self.dialect.delimiter) for item in self.unsplit())

    def unsplit(self) -> Iterator[Item]:
        """The same rows, most of them not cut into cells yet: split() and split_all() do that, wherever they run."""
        waiting: deque[str] = deque()  # lines read ahead for a record that turned out to be broken
        while True:
            line = waiting.popleft() if waiting else next(self._lines, None)
            if line is None:
                return
            self._line += 1
            if '"' not in line or line.count('"') % 2 == 0 or not _ends_inside_quotes(line, self.dialect.delimiter):
                if line.strip("\r\n"):
                    yield self._line, line, ""
                continue
            first = self._line
            record = self._joined(first, line, waiting) or _faulty(first, line, self.dialect.delimiter, "a quote is opened and never closed")
            yield record.line, record.cells, record.fault

    def _joined(self, number: int, line: str, waiting: deque[str]) -> Record | None:
        """The record whose quotes go on past its first line; None where they never close properly: then what was read ahead stays in `waiting`."""
        parts, size = [line], len(line)
        while len(parts) <= MAX_LINES_IN_RECORD and size <= MAX_LINE:
            if len(parts) > len(waiting):
                following = next(self._lines, None)
                if following is None:
                    return None
                waiting.append(following)
            part = waiting[len(parts) - 1]
            parts.append(part)
            size += len(part)
            if part.count('"') % 2 and not _ends_inside_quotes(part, self.dialect.delimiter, inside=True):
                break
        else:
            return None
        record = split((number, "".join(parts), ""), self.dialect.delimiter)
        if record.fault:  # the next quote belongs to another row: `1,"Minh` and below it `2,"Hoa`
            return None
        for _ in parts[1:]:
            waiting.popleft()
        self._line += len(parts) - 1
        return record

    def _encoding_of(self, head: bytes) -> str:
        for sign, text in _NOT_CSV:
            if head.startswith(sign):
                raise self._refusal(0, text)
        if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
            raise self._refusal(0, "the file is UTF-32: save it as CSV UTF-8")
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if head[:2000].count(0) * 4 > len(head[:2000]):
            raise self._refusal(0, "the file looks like UTF-16 without its mark, or is no text at all: save it as CSV UTF-8")
        return "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"

    def _lines_of(self, stream: io.BufferedReader, encoding: str, has_lf: bool) -> Iterator[str]:
        """Lines with their ends. UTF-8 is decoded line by line, so that a wrong byte is told with its line."""
        number = 0
        if encoding == "utf-16" or not has_lf:  # old Macs end lines with CR alone
            text = io.TextIOWrapper(stream, encoding, newline="")
            while True:
                number += 1
                try:
                    line = text.readline(MAX_LINE)
                except UnicodeError:
                    raise self._refusal(number, f"from here on the file is not {encoding.upper()}: save it as CSV UTF-8") from None
                if not line:
                    return
                if len(line) >= MAX_LINE:
                    raise self._too_long(number)
                yield line
        while raw := stream.readline(MAX_LINE):
            number += 1
            if len(raw) >= MAX_LINE:
                raise self._too_long(number)
            try:
                line = raw.decode("utf-8")
            except UnicodeDecodeError as error:
                what = f"byte 0x{raw[error.start]:02x} is not UTF-8, so names would be misread: save the file as CSV UTF-8"
                raise self._refusal(number, what, error.start + 1) from None
            yield line.removeprefix("\ufeff") if number == 1 else line

    def _too_long(self, line: int) -> ConfigError:
        return self._refusal(line, f"a line of more than {MAX_LINE:,} bytes: this is no list of leads")

    def _refusal(self, line: int, text: str, column: int = 1) -> ConfigError:
        return ConfigError([Problem(self.name, line, column if line else 0, "", text)])


class Rejoined(io.RawIOBase):
    """What was read of a stream already, then the rest of it."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed's WriteableBuffer has no len()
        data = self._head[: len(buffer)] if self._head else self._rest.read(len(buffer))
        self._head = self._head[len(data) :] if self._head else b""
        buffer[: len(data)] = data
        return len(data)


def filled(stream: BinaryIO, size: int) -> bytes:
    """The first `size` bytes; a pipe gives them in pieces."""
    parts = bytearray()
    while len(parts) < size and (part := stream.read(size - len(parts))):
        parts += part
    return bytes(parts)


def split(item: Item, delimiter: str) -> Record:
    """One row cut into its cells."""
    number, content, fault = item
    if not isinstance(content, str):
        return Record(number, content, fault)
    text = content.rstrip("\r\n")
    try:
        (cells,) = csv.reader([text], delimiter=delimiter, strict=True)
    except (csv.Error, ValueError) as error:
        return _faulty(number, text, delimiter, next((meaning for sign, meaning in _FAULTS if sign in str(error)), f"is no CSV: {error}"))
    return Record(number, cells)


def split_all(items: Sequence[Item], delimiter: str) -> list[tuple[int, list[str], str]]:
    """Many rows cut into (line, cells, fault), as split() would one by one."""
    texts = [content for _, content, _ in items if isinstance(content, str)]
    try:
        rows = list(csv.reader(texts, delimiter=delimiter, strict=True))
    except csv.Error:
        rows = []
    if len(rows) != len(texts):  # a quote runs on from one into the next: then each for itself
        return [(record.line, record.cells, record.fault) for record in (split(item, delimiter) for item in items)]
    each = iter(rows)
    return [(line, next(each) if isinstance(content, str) else content, fault) for line, content, fault in items]


def _faulty(number: int, text: str, delimiter: str, fault: str) -> Record:
    return Record(number, text.rstrip("\r\n").split(delimiter), fault)


def safe_cell(text: str) -> str:
    """A text of any origin, made safe to stand in a CSV file that a spreadsheet opens.

    A spreadsheet takes a cell that begins with = + - @, a tab or a line end for a formula, even inside quotes, and a formula can run programs or send
    the sheet away (D7). An apostrophe in front makes it text; that is how a person writes it, too. What holds telephone numbers with a + gets one as
    well, which keeps them from being rounded; parse_number() takes it off again. Not needed in xlsx, where a text is no formula whatever it begins with.
    """
    return f"'{text}" if text.startswith(FORMULA_STARTERS) else text


def _ends_inside_quotes(text: str, delimiter: str, *, inside: bool = False) -> bool:
    """As the csv module reads: a quote opens only at a cell's beginning, and a doubled quote inside is a quote. `inside`: how the text begins."""
    at_start, position = not inside, 0
    while position < len(text):
        here = text[position]
        if inside:
            if here == '"':
                if text[position + 1 : position + 2] == '"':
                    position += 1
                else:
                    inside = False
            at_start = False
        elif here == '"' and at_start:
            inside = True
        else:
            at_start = here == delimiter
        position += 1
    return inside


def _sniffed(sample: str) -> str:
    """The delimiter by which most rows have as many cells as the header; among equals the one that makes most cells."""
    lines = [line for line in sample.splitlines()[:50] if line.strip()]
    if len(sample) >= SAMPLE_BYTES // 4 and len(lines) > 1:
        lines = lines[:-1]  # may be cut
    best, best_score = DELIMITERS[0], (0.0, 0)
    for delimiter in DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            continue
        if not widths or widths[0] < 2:
            continue
        score = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
        if score > best_score:
            best, best_score = delimiter, score
    return best


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]], dialect: Dialect) -> None:
    """Write a CSV file as the user's program would, over whatever stood there; whole or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding=dialect.written_as, newline="") as stream:
            _write(stream, header, rows, dialect)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _write(stream: TextIO, header: Sequence[str], rows: Iterable[Sequence[str]], dialect: Dialect) -> None:
    writer = csv.writer(stream, delimiter=dialect.delimiter, lineterminator="\r\n" if dialect.encoding != "utf-8" else "\n")
    writer.writerow(header)
    writer.writerows(rows)
