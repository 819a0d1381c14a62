"""Rows judged in several processes, and given back in the file's order.

A chunk of rows goes to each process in turn and its verdicts are taken in the same turn; no process ever has a second chunk, so neither side can wait
for the other with full pipes, and memory does not grow with the file. What such a process is, and how it ends: leads_child.py.
"""

from __future__ import annotations

import marshal
import os
import pickle
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing.connection import Connection

from fs_dialer.config.csv_text import Item
from fs_dialer.config.leads_child import Child
from fs_dialer.config.leads_judge import Judge, Verdict
from fs_dialer.errors import FsDialerError

CHUNK_ROWS = 2_000
CHUNK_CHARACTERS = 1 << 20  # a chunk of long rows is cut earlier
MOST_PROCESSES = 3  # reading and storing, which one process does, takes about as long as judging in three


def judged(judge: Judge, chunks: Iterable[Sequence[Item]], processes: Sequence[Child]) -> Iterator[tuple[Sequence[Item], list[Verdict]]]:
    """Each chunk with its verdicts, in order. Without processes it is done here. FsDialerError where a process fails or dies."""
    if not processes:
        yield from judged_here(judge, chunks)
        return
    for child in processes:
        _told(child, pickle.dumps(judge))
    idle, busy = deque(processes), deque[tuple[Child, Sequence[Item]]]()
    for chunk in chunks:
        if idle:
            child, done = idle.popleft(), None
        else:
            child, earlier = busy.popleft()
            done = earlier, _verdicts(child)
        _told(child, list(chunk))  # before the verdicts are used: the process must not wait for that
        busy.append((child, chunk))
        if done is not None:
            yield done
    while busy:
        child, earlier = busy.popleft()
        yield earlier, _verdicts(child)


def judged_here(judge: Judge, chunks: Iterable[Sequence[Item]]) -> Iterator[tuple[Sequence[Item], list[Verdict]]]:
    """The same in this process."""
    return ((chunk, judge.judge(chunk)) for chunk in chunks)


def start(count: int) -> list[Child]:
    """Processes that wait for judged(). The caller closes them."""
    return [Child(__name__, "serve") for _ in range(count)]


def processes_wanted() -> int:
    """How many judging processes suit this machine; 1 = none, the parent does it."""
    return min(len(os.sched_getaffinity(0)), MOST_PROCESSES)


def serve(descriptor: int) -> None:
    """What a judging process does: takes its Judge, then chunks until the parent closes the socket."""
    connection = Connection(descriptor)
    try:
        judge: Judge = pickle.loads(marshal.loads(connection.recv_bytes()))
        while True:
            items = marshal.loads(connection.recv_bytes())
            try:
                answer: tuple[list[Verdict] | None, str] = judge.judge(items), ""
            except Exception:  # a bug of ours: the parent tells it
                answer = None, traceback.format_exc()
            connection.send_bytes(marshal.dumps(answer))
    except (EOFError, OSError):
        pass


def _told(child: Child, what: bytes | list[Item]) -> None:
    try:
        child.send(what)
    except OSError:
        raise FsDialerError(f"a process that judged rows {child.ending()}; nothing was lost but time: start again") from None


def _verdicts(child: Child) -> list[Verdict]:
    try:
        verdicts, failure = child.receive()
    except (EOFError, OSError):
        raise FsDialerError(f"a process that judged rows {child.ending()}; nothing was lost but time: start again") from None
    if verdicts is None:
        raise FsDialerError(f"judging rows failed, which is a bug of ours:\n{failure}")
    return list(verdicts)
