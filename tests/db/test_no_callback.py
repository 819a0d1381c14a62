"""Marks set by hand; what they do to leads is tests/contract/test_store_marks.py's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.no_callback import clear_no_callback, mark_no_callback
from fs_dialer.db.pool import Pool
from fs_dialer.db.shapes import Listed
from fs_dialer.errors import StoreError

NOW = 1_800_000_000.0


@pytest.fixture
def pool(pg_dsn: str) -> Iterator[Pool]:
    with closing(Pool(pg_dsn)) as pool:
        yield pool


@pytest.mark.spec("S12", "D16")
def test_a_number_may_be_marked_before_it_is_anybodys_lead(pool: Pool) -> None:
    assert mark_no_callback(pool, ["+84901234567", "+84901234568", "+84901234567"], "spring", NOW, "an") == Listed(2, 0)
    assert mark_no_callback(pool, ["+84901234567"], "", NOW, "an") == Listed(1, 0)
    assert clear_no_callback(pool, ["+84901234567"], None, "an") == Listed(2, 0)


def test_who_marked_whom_is_in_the_audit(pool: Pool, pg_dsn: str) -> None:
    mark_no_callback(pool, ["+84901234567"], "", NOW, "an", "asked us")
    clear_no_callback(pool, ["+84901234567"], None, "bo", "by mistake")
    with closing(Backoffice(pg_dsn)) as office:
        told = [(line.who, line.what, line.why, line.details["campaign"]) for line in office.audit_list("+84901234567")]
    assert told == [("bo", "clear_no_callback", "by mistake", ""), ("an", "mark_no_callback", "asked us", "")]


@pytest.mark.spec("D7")
@pytest.mark.parametrize("number", ["0901234567", "+84 90", "", "+84*"])
def test_only_numbers_are_marked(pool: Pool, number: str) -> None:
    with pytest.raises(StoreError, match="no_callback_number_check"):
        mark_no_callback(pool, ["+84901234567", number], "", NOW, "an")
    assert clear_no_callback(pool, ["+84901234567"], None, "an") == Listed(0, 0)
