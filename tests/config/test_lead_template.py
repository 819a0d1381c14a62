"""The file an admin starts from."""

from __future__ import annotations

from pathlib import Path

import phonenumbers
import pytest

from fs_dialer.config.csv_text import Dialect
from fs_dialer.config.lead_file import open_leads
from fs_dialer.config.lead_template import HEADER, write_template
from fs_dialer.config.leads_rows import GoodRow
from fs_dialer.config.leads_xlsx import Workbook
from fs_dialer.errors import ConfigError

pytestmark = pytest.mark.spec("S19", "S20")


def contacts(path: Path, region: str) -> list[GoodRow]:
    with open_leads(path, region=region) as file:
        assert file.header == HEADER
        rows = list(file.rows())
    return [row for row in rows if isinstance(row, GoodRow) and len(rows) == 2]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".xlsx"])
def test_a_template_is_read_back_as_two_contacts(tmp_path: Path, suffix: str) -> None:
    write_template(tmp_path / f"leads{suffix}", "VN")
    one, two = contacts(tmp_path / f"leads{suffix}", "VN")
    assert [each.kind for each in one.numbers] == ["phone", "phone2"] and one.number.startswith("+84")
    assert two.zones == ("Asia/Ho_Chi_Minh",) and two.not_before is not None and (two.owner, two.copy) == ("", 0)
    assert [path.name for path in tmp_path.iterdir()] == [f"leads{suffix}"]


@pytest.mark.parametrize("region", ["", *sorted(phonenumbers.SUPPORTED_REGIONS)])
def test_every_country_s_template_has_numbers_that_are_taken(tmp_path: Path, region: str) -> None:
    write_template(tmp_path / "leads.csv", region.lower())
    one, two = contacts(tmp_path / "leads.csv", region)
    assert one.number != two.number


def test_it_is_written_as_spreadsheets_read_it(tmp_path: Path) -> None:
    """A number without its + stays a number of the same digits when a spreadsheet takes it for one."""
    for name, dialect in (("x.csv", Dialect(",", "utf-8-sig")), ("x.tsv", Dialect("\t", "utf-8-sig")), ("x.xlsx", Workbook("Leads"))):
        write_template(tmp_path / name, "VN")
        with open_leads(tmp_path / name, region="VN") as file:
            assert file.dialect == dialect
    assert b"\r\n84912345678," in (tmp_path / "x.csv").read_bytes()


@pytest.mark.parametrize(
    ("name", "region", "what"),
    [
        ("x.ods", "VN", "one of .csv, .tsv, .xlsx"),
        ("x.csv", "xx", "`XX` is no country"),
        ("no/x.csv", "VN", "can not be written"),
        ("no/x.xlsx", "VN", "can not be written: No such file"),
    ],
)
def test_what_can_not_be_written_is_told(tmp_path: Path, name: str, region: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        write_template(tmp_path / name, region)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_folder_in_the_template_s_place_is_told(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"x{suffix}").mkdir()
    with pytest.raises(ConfigError, match="can not be written"):
        write_template(tmp_path / f"x{suffix}", "VN")
    assert [path.name for path in tmp_path.iterdir()] == [f"x{suffix}"]
