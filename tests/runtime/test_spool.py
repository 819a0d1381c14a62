"""The local spool: on disk when append returns, replayed once, a torn line set aside and never lost in silence."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from fs_dialer.core.actions import CloseAttempt
from fs_dialer.core.model import AttemptId, AttemptResult, LeadId, LeadStatus, LeadUpdate, Outcome
from fs_dialer.errors import StoreError
from fs_dialer.runtime.spool import BATCH, Kept, Spool


def a_result(n: int) -> CloseAttempt:
    result = AttemptResult(AttemptId(f"a{n}"), Outcome.CONNECTED, "NORMAL_CLEARING", 200, None, 1.0, 2.0, 3.0, 4.5 + n, missed=False, leg_seen=True)
    return CloseAttempt(result, LeadUpdate(LeadId(n), LeadStatus.SUCCEEDED, 1, 0, 0.0))


class Sink:
    """A store's close_attempts, that may be away."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.batches: list[list[Kept]] = []
        self.fails_at = fails_at

    def __call__(self, results: Sequence[Kept]) -> None:
        if self.fails_at is not None and len(self.batches) >= self.fails_at:
            raise StoreError("the database is away", lost=True)
        self.batches.append(list(results))

    @property
    def got(self) -> list[Kept]:
        return [result for batch in self.batches for result in batch]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "state" / "spool.jsonl")


def test_what_was_appended_is_replayed_in_order_and_then_gone(spool: Spool) -> None:
    spool.append([a_result(1)])
    spool.append([a_result(2), a_result(3)])
    assert spool
    sink = Sink()
    assert spool.replay(sink) == 3
    assert sink.got == [a_result(1), a_result(2), a_result(3)]
    assert not spool
    assert not spool.path.exists()


def test_an_empty_spool_asks_nobody_anything(spool: Spool) -> None:
    assert not spool
    assert spool.replay(Sink(fails_at=0)) == 0


def test_another_spool_of_the_same_file_finds_what_the_first_left(spool: Spool) -> None:
    """As the next daemon does."""
    spool.append([a_result(1)])
    sink = Sink()
    assert Spool(spool.path).replay(sink) == 1
    assert sink.got == [a_result(1)]


def test_a_store_that_is_still_away_leaves_the_file_as_it_was(spool: Spool) -> None:
    spool.append([a_result(n) for n in range(2 * BATCH + 5)])
    before = spool.path.read_bytes()
    with pytest.raises(StoreError):
        spool.replay(Sink(fails_at=1))
    assert spool.path.read_bytes() == before
    sink = Sink()
    assert spool.replay(sink) == 2 * BATCH + 5
    assert max(len(batch) for batch in sink.batches) <= BATCH


@pytest.mark.parametrize("torn", ["{", '{"$":"CloseAttempt","resu', "\x00\x00\x00", "\ufffd", '{"$":"CloseAttempt"}', "17"])
def test_a_torn_line_is_set_aside_and_the_others_are_replayed(spool: Spool, caplog: pytest.LogCaptureFixture, torn: str) -> None:
    spool.append([a_result(1)])
    with open(spool.path, "a", encoding="utf-8") as file:
        file.write(torn)
    sink = Sink()
    with caplog.at_level(logging.ERROR):
        assert spool.replay(sink) == 1
    assert sink.got == [a_result(1)]
    assert spool.path.with_suffix(".unreadable").read_text(encoding="utf-8") == torn
    assert "1 unreadable line" in caplog.text


def test_a_result_after_a_torn_line_is_not_lost_with_it(spool: Spool) -> None:
    """The next daemon appends to what a crash left without an end of line."""
    spool.append([a_result(1)])
    with open(spool.path, "a", encoding="utf-8") as file:
        file.write('{"$":"CloseAttempt","resu')
    Spool(spool.path).append([a_result(2)])
    sink = Sink()
    assert spool.replay(sink) == 2
    assert sink.got == [a_result(1), a_result(2)]


def test_a_folder_that_can_not_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file stands where the folder should be")
    with pytest.raises(OSError):
        Spool(tmp_path / "state" / "spool.jsonl").append([a_result(1)])


@pytest.mark.spec("D8")
def test_what_is_appended_while_it_is_replayed_is_replayed_too(spool: Spool) -> None:
    """Replaying waits for the database, and calls end meanwhile."""
    spool.append([a_result(1)])
    sink = Sink()

    def write(results: Sequence[Kept]) -> None:
        if not sink.got:
            spool.append([a_result(2)])
        sink(results)

    assert spool.replay(write) == 2
    assert sink.got == [a_result(1), a_result(2)] and not spool


@pytest.mark.spec("D8")
def test_what_was_appended_before_the_database_went_away_again_stays(spool: Spool) -> None:
    spool.append([a_result(1)])

    def write(results: Sequence[Kept]) -> None:
        spool.append([a_result(2)])
        raise StoreError("the database is away", lost=True)

    with pytest.raises(StoreError):
        spool.replay(write)
    sink = Sink()
    assert spool.replay(sink) == 2 and sink.got == [a_result(1), a_result(2)]
