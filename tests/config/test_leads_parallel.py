"""Rows judged in several processes come back in their order, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from fs_dialer.config import leads_parallel
from fs_dialer.config.csv_text import Item
from fs_dialer.config.leads_child import Child
from fs_dialer.config.leads_header import understood
from fs_dialer.config.leads_judge import Judge
from fs_dialer.config.leads_parallel import judged, judged_here, processes_wanted, start
from fs_dialer.errors import FsDialerError

JUDGE = Judge(understood(["phone", "note"], "x.csv", 1), "VN", ",")


def chunks(count: int, rows: int = 50, note: str = "n") -> list[list[Item]]:
    return [[(2 + chunk * rows + row, f"09{chunk * rows + row:08},{note}\n", "") for row in range(rows)] for chunk in range(count)]


@pytest.fixture
def processes() -> Iterator[list[Child]]:
    found = start(2)
    yield found
    for child in found:
        child.close()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 8])
def test_every_chunk_comes_back_in_its_turn_with_its_verdicts(processes: list[Child], count: int) -> None:
    work = chunks(count)
    assert list(judged(JUDGE, work, processes)) == list(judged_here(JUDGE, work)) == list(judged(JUDGE, work, []))


def test_chunks_larger_than_any_pipe_stop_nobody(processes: list[Child]) -> None:
    work = chunks(6, rows=300, note="x" * 4000)
    assert [chunk for chunk, _ in judged(JUDGE, work, processes)] == work


def test_no_more_chunks_are_read_than_there_are_processes_and_one(processes: list[Child]) -> None:
    given = 0

    def counted() -> Iterator[list[Item]]:
        nonlocal given
        for chunk in chunks(10):
            given += 1
            yield chunk

    for taken, _ in enumerate(judged(JUDGE, counted(), processes), start=1):
        assert given <= taken + len(processes)


def test_a_process_that_dies_is_an_error_that_says_how(processes: list[Child]) -> None:
    work = judged(JUDGE, chunks(8), processes)
    next(work)
    os.kill(processes[0].pid, 9)
    with pytest.raises(FsDialerError, match="was killed by signal 9; nothing was lost but time"):
        list(work)


def test_a_failure_inside_a_process_is_told(processes: list[Child]) -> None:
    with pytest.raises(FsDialerError, match=r"(?s)a bug of ours.*Error"):
        list(judged(JUDGE, [[(2, "0912345678,x", ""), None]], processes))  # type: ignore[list-item]


def test_there_is_a_process_for_every_processor_up_to_the_number_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    for processors, wanted in ((1, 1), (2, 2), (64, leads_parallel.MOST_PROCESSES)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, count=processors: set(range(count)))
        assert processes_wanted() == wanted
