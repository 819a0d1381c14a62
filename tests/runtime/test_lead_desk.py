"""One row of JSON, judged as a row of an import is. What becomes of rows in the database: tests/web/test_leads.py."""

from __future__ import annotations

import itertools
import time
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.config.leads_rows import MAX_CELL_BYTES
from fs_dialer.db.lead_api import ApiRow, LeadApi
from fs_dialer.errors import StoreError
from fs_dialer.runtime.lead_desk import FIELDS, MOST_ROWS, StoredLeadDesk, judged_row
from fs_dialer.web.schemas import CONTACT, LEADS
from tests.db.rows import ADA, BEN, LONDON


def good(row: dict[str, Any], region: str = "GB") -> ApiRow:
    found = judged_row(0, row, region)
    assert isinstance(found, ApiRow), found
    return found


def bad(row: object, region: str = "GB") -> list[tuple[str, str]]:
    found = judged_row(7, row, region)
    assert isinstance(found, list) and {each["index"] for each in found} == {7}
    return [(each["field"], each["problem"]) for each in found]


def test_the_schema_names_the_fields_that_the_desk_knows() -> None:
    assert tuple(CONTACT["properties"]) == FIELDS
    assert LEADS["maxItems"] == MOST_ROWS


def test_a_national_number_belongs_to_the_region_and_has_its_zones() -> None:
    assert good({"phone": "020 7946 0101"}) == ApiRow(ADA, (LONDON,))
    assert "no country code" in bad({"phone": "020 7946 0101"}, "")[0][1]


def test_numbers_are_tried_in_their_order_each_once() -> None:
    row = good({"phone3": "+81 3-1234-5678", "phone": ADA, "phone2": "020 7946 0101", "phone9": BEN})
    assert (row.number, row.further) == (ADA, (("+81312345678", ("Asia/Tokyo",), "phone3"), (BEN, (LONDON,), "phone9")))


def test_a_contact_may_have_only_a_later_number() -> None:
    assert good({"phone2": ADA}).number == ADA
    assert good({"phone": " ", "phone2": ADA}).number == ADA


def test_a_time_without_an_offset_is_on_the_clock_where_the_number_lives() -> None:
    assert good({"phone": "+81312345678", "not_before": "2030-12-01 9:00"}).ready_at == good({"phone": ADA, "not_before": "2030-12-01 0:00"}).ready_at


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"phone": ADA, "name": "x" * (MAX_CELL_BYTES + 1)}, "name"),
        ({"phone": ADA, "attributes": {"a": "x" * (MAX_CELL_BYTES + 1)}}, "attributes.a"),
        ({"phone": ADA, "attributes": {"a": "\x1b[2J"}}, "attributes.a"),
        ({"phone": ADA, "attributes": {"a\nb": "x"}}, "attributes"),
        ({"phone": ADA, "attributes": {str(n): "x" for n in range(301)}}, "attributes"),
        ({"phone": ADA, "attributes": [1]}, "attributes"),
        ({"phone": ADA, "attributes": {"a": None}}, "attributes.a"),
        ({"phone": ADA, "name": ["x"]}, "name"),
        ({"phone": ""}, "phone"),
        ({}, "phone"),
        ([], "row"),
        (None, "row"),
    ],
)
def test_what_is_wrong_is_told_by_its_field(row: object, field: str) -> None:
    assert [each for each, _ in bad(row)] == [field]


def test_only_so_much_is_told_of_one_row_and_nothing_is_searched_for_that_is_no_name() -> None:
    assert bad({"phone": ADA, "x" * 100_000: "y"})[0][1] == "unknown field"
    many = bad({f"k{n}": "x" for n in range(50)} | {"phone": ADA})
    assert len(many) == 11 and many[-1] == ("row", "40 more unknown fields")
    assert bad({"phone": ADA, "zone": "Asia/Tokio" * 10}) == [("zone", "not a time zone; write Area/City, as in Asia/Ho_Chi_Minh")]
    assert bad({"phone": ADA, "zone": "Asia/Tokio"}) == [("zone", "not a time zone; Asia/Tokyo?")]


class Api:
    """A database that is not reached: rows are judged before."""

    def region(self) -> str:
        return "GB"

    def transaction(self) -> object:
        raise StoreError("away", lost=True)


@pytest.mark.parametrize("row", [{"phone": "+442079460101", "zone": "Asia/Ho_Chi_Minj"}, {"phone": "0207946010199"}, {"nmae": "x", "phone": "12"}])
def test_a_thousand_bad_rows_hold_nobody_up_for_long(row: dict[str, str]) -> None:
    """The dialling goes on in the same process: between two turns of others there is never much work."""
    turns = [time.process_time()]
    desk = StoredLeadDesk(cast(LeadApi, Api()), breathe=lambda: turns.append(time.process_time()))
    with pytest.raises(StoreError):
        desk.add_leads("spring", [{**row, "name": str(n)} for n in range(MOST_ROWS)], token="t", key="k", fingerprint="f")
    turns.append(time.process_time())
    assert max(later - earlier for earlier, later in itertools.pairwise(turns)) < 0.1
    assert turns[-1] - turns[0] < 3.0


@pytest.mark.spec("D7")
@pytest.mark.parametrize("text", ["${system(id)}", "{x}", "'; DROP TABLE leads; --", "=cmd|' /C calc'!A0", "<script>", "a\tb", "Đỗ\nThị"])
def test_texts_are_kept_as_they_are_and_numbers_hold_none_of_them(text: str) -> None:
    row = good({"phone": ADA, "name": text, "attributes": {"note": text}})
    assert (row.name, row.attributes) == (text, {"note": text})
    assert bad({"phone": text})[0][0] == "phone" and bad({"phone": ADA + text})[0][0] == "phone"


@settings(max_examples=100, deadline=None)
@given(
    row=st.dictionaries(st.sampled_from(FIELDS), st.none() | st.text(max_size=30) | st.integers() | st.dictionaries(st.text(max_size=5), st.text(max_size=9)))
)
def test_every_row_is_a_contact_or_told_why_not(row: dict[str, Any]) -> None:
    found = judged_row(0, row, "GB")
    if isinstance(found, ApiRow):
        assert found.number.startswith("+") and found.number[1:].isdigit()
    else:
        assert found and all(each["problem"] and "\0" not in each["field"] + each["problem"] for each in found)
