"""Bytes ↔ rows, whoever wrote them."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.config.csv_text import CsvText, Dialect, Item, safe_cell, split, split_all, write_rows
from fs_dialer.errors import ConfigError


def read(data: bytes, delimiter: str | None = None) -> list[list[str]]:
    return [record.cells for record in CsvText(io.BytesIO(data), "x.csv", delimiter).records() if not record.fault]


def refusal(data: bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        list(CsvText(io.BytesIO(data), "x.csv").records())
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "delimiter", "encoding"),
    [
        (b"a,b\n1,2\n", ",", "utf-8"),
        (b"a;b\n1;2,5\n", ";", "utf-8"),
        (b"a\tb\n1\t2, and 3\n", "\t", "utf-8"),
        (b"\xef\xbb\xbfa;b\r\n1;2\r\n", ";", "utf-8-sig"),
        ("a;b\r\n1;2\r\n".encode("utf-16"), ";", "utf-16"),
        (b"\xfe\xff" + "a,b\n1,2\n".encode("utf-16-be"), ",", "utf-16"),
        (b"sep=;\na,b;c\n1;2\n", ";", "utf-8"),
        (b"a\n1\n", ",", "utf-8"),
        (b'"x, y";b\n1;2\n', ";", "utf-8"),
    ],
)
def test_delimiter_and_encoding_are_found(data: bytes, delimiter: str, encoding: str) -> None:
    text = CsvText(io.BytesIO(data), "x.csv")
    assert text.dialect == Dialect(delimiter, encoding)
    assert len(next(text.records()).cells) == (2 if delimiter.encode() in data.replace(b"\0", b"") else 1)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_ends_a_row_and_the_last_needs_none(end: bytes) -> None:
    assert read(end.join([b"a,b", b"1,2", b"3,4"])) == [["a", "b"], ["1", "2"], ["3", "4"]]


def test_quotes_hold_delimiters_quotes_and_line_ends() -> None:
    assert read(b'a,b\n"1,5","say ""hi""\nthere"\r\n3,4\n') == [["a", "b"], ["1,5", 'say "hi"\nthere'], ["3", "4"]]


def test_a_record_knows_the_line_it_begins_in() -> None:
    records = CsvText(io.BytesIO(b'a,b\n\n1,"2\n2\n2"\n3,4\n'), "x.csv").records()
    assert [record.line for record in records] == [1, 3, 6]


def test_a_quote_that_is_never_closed_costs_its_own_row_only() -> None:
    records = list(CsvText(io.BytesIO(b'a,b\n1,"x\n2,y\n3,"z\n4,w\n'), "x.csv").records())
    assert [(record.line, record.cells, bool(record.fault)) for record in records] == [
        (1, ["a", "b"], False),
        (2, ["1", '"x'], True),
        (3, ["2", "y"], False),
        (4, ["3", '"z'], True),
        (5, ["4", "w"], False),
    ]


def test_an_unclosed_quote_before_many_rows_costs_its_own_row_only() -> None:
    data = b'a,b\n1,"x\n' + b"2,y\n" * 5000
    records = list(CsvText(io.BytesIO(data), "x.csv").records())
    assert len(records) == 5002 and sum(bool(record.fault) for record in records) == 1


def test_a_single_quote_inside_a_quoted_cell_is_told() -> None:
    (_, record) = CsvText(io.BytesIO(b'a,b\n1,"x"y"\n'), "x.csv").records()
    assert record.fault == "a quote inside a quoted cell must be written twice"


def test_a_quote_in_the_middle_of_a_plain_cell_is_text() -> None:
    assert read(b'a,b\n1,5" pipe\n2,6" pipe\n')[1:] == [["1", '5" pipe'], ["2", '6" pipe']]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"PK\x03\x04....", "Excel workbook"),
        (b"\xd0\xcf\x11\xe0....", "old Excel"),
        (b"\x1f\x8b....", "gzip"),
        (b"\xff\xfe\0\0a\0\0\0", "UTF-32"),
        ("a,b\n1,2\n".encode("utf-16-le"), "UTF-16 without its mark"),
        ("a,b\n1,é\n".encode("latin-1"), "x.csv:2:3  byte 0xe9 is not UTF-8"),
        (b"\xff\xfea\0,\0b\0\n\0\x00\xd8", "not UTF-16"),
        (b"a" * (1 << 20), "this is no list"),
        (b"a\n" + b"b" * (1 << 21) + b"\nc\n", "x.csv:2:1"),
    ],
)
def test_what_is_no_csv_that_we_read_is_refused_and_why(data: bytes, what: str) -> None:
    assert what in refusal(data)


def test_a_pipe_that_gives_a_byte_at_a_time_is_read_the_same() -> None:
    class Dripping(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(1)

    text = CsvText(cast(BinaryIO, Dripping("a;b\n1;é\n".encode())), "pipe")
    assert [record.cells for record in text.records()] == [["a", "b"], ["1", "é"]]


cells = st.text(alphabet=st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=12)


@given(st.lists(st.lists(cells, min_size=2, max_size=2).filter(any), min_size=1, max_size=8), st.sampled_from(",;\t"))
@settings(deadline=None)
def test_what_a_csv_writer_writes_is_read_back(rows: list[list[str]], delimiter: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
    assert read(out.getvalue().encode(), delimiter) == rows


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_are_rows_or_refused(data: bytes) -> None:
    try:
        assert all(record.line >= 1 for record in CsvText(io.BytesIO(data), "x.csv").records())
    except ConfigError as error:
        assert error.problems


@pytest.mark.parametrize(
    ("encoding", "start", "end"), [("utf-8", b"a;b\n", b"\n"), ("utf-8-sig", b"\xef\xbb\xbfa;b\r\n", b"\r\n"), ("utf-16", b"\xef\xbb\xbfa;b\r\n", b"\r\n")]
)
def test_a_file_is_written_so_that_the_user_s_program_opens_it(tmp_path: Path, encoding: str, start: bytes, end: bytes) -> None:
    write_rows(tmp_path / "x.csv", ["a", "b"], [["é;", "2"]], Dialect(";", encoding))
    data = (tmp_path / "x.csv").read_bytes()
    assert data.startswith(start) and data.endswith(end) and '"é;";2'.encode() in data
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


lines = st.lists(st.text(alphabet='a",;\t \rä0', min_size=1, max_size=9).map(lambda text: text + "\n"), max_size=8)


@given(lines, st.sampled_from(",;\t"))
@settings(deadline=None)
def test_many_rows_are_cut_as_each_alone(texts: list[str], delimiter: str) -> None:
    items: list[Item] = [(line, text, "") for line, text in enumerate(texts, start=2)]
    items.insert(len(items) // 2, (99, ["cut", "before"], "a fault"))
    alone = [split(item, delimiter) for item in items]
    assert split_all(items, delimiter) == [(record.line, record.cells, record.fault) for record in alone]


@given(st.binary(max_size=200).map(lambda data: b"a,b\n" + data))
@settings(deadline=None)
def test_rows_cut_later_are_the_rows(data: bytes) -> None:
    try:
        records = list(CsvText(io.BytesIO(data), "x.csv", ",").records())
    except ConfigError:
        return
    later = split_all(list(CsvText(io.BytesIO(data), "x.csv", ",").unsplit()), ",")
    assert later == [(record.line, record.cells, record.fault) for record in records]


@pytest.mark.spec("D7")
@pytest.mark.parametrize("text", ["=1+1", "+84912345678", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "=cmd|' /C calc'!A0"])
def test_what_a_spreadsheet_would_run_is_made_text(text: str) -> None:
    assert safe_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "Minh", "0912345678", "1=1", "a\t=1", "'=1"])
def test_what_it_would_not_run_stays(text: str) -> None:
    assert safe_cell(text) == text
