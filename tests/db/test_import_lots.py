"""Lots: stored one after another beside the reading, and nothing runs any more when either side has failed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from fs_dialer.db import import_lots
from fs_dialer.db.import_lots import store_in_lots


def lines(count: int) -> Iterator[bytes]:
    return (b"%d\n" % nth for nth in range(count))


def never() -> None:
    raise AssertionError("nothing is there to be cancelled")


def test_lots_come_in_order_and_hold_every_line() -> None:
    lots: list[bytes] = []
    store_in_lots(lines(7), lots.append, never, lot_rows=3)
    assert lots == [b"0\n1\n2\n", b"3\n4\n5\n", b"6\n"]
    store_in_lots(iter(()), lots.append, never)
    assert len(lots) == 3


def test_a_lot_of_long_lines_is_cut_earlier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_lots, "LOT_BYTES", 4)
    lots: list[bytes] = []
    store_in_lots(lines(4), lots.append, never)
    assert lots == [b"0\n1\n", b"2\n3\n"]


def test_the_next_lot_is_read_while_one_is_stored() -> None:
    read = threading.Event()

    def reading() -> Iterator[bytes]:
        yield b"1\n"
        read.set()
        yield b"2\n"

    def store(lot: bytes) -> None:
        assert lot != b"1\n" or read.wait(30), "it was not read"

    store_in_lots(reading(), store, never, lot_rows=1)


def test_what_storing_raises_is_raised_and_ends_the_reading() -> None:
    def fail(lot: bytes) -> None:
        raise OSError("the disk is full")

    rest = lines(100)
    with pytest.raises(OSError, match="the disk is full"):
        store_in_lots(rest, fail, lambda: None, lot_rows=1)
    assert len(list(rest)) > 90


def test_what_reading_raises_ends_the_storing_that_runs() -> None:
    cancelled = threading.Event()

    def reading() -> Iterator[bytes]:
        yield b"1\n"
        raise KeyboardInterrupt

    def store(lot: bytes) -> None:
        assert cancelled.wait(30), "it was not cancelled"

    with pytest.raises(KeyboardInterrupt):
        store_in_lots(reading(), store, cancelled.set, lot_rows=1)
