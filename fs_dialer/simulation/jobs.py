"""Days in parallel, each in a process that knows nothing of the others; what comes of them does not depend on how many there are.

Processes are spawned, never forked: whoever calls may have threads, and a database connection. One job runs here, without any process.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from fs_dialer.errors import FsDialerError
from fs_dialer.simulation.day import simulate
from fs_dialer.simulation.figures import Figures
from fs_dialer.simulation.setting import Setting

Told = Callable[[int, int], None]


def cores() -> int:
    """That this process may use."""
    return max(1, len(os.sched_getaffinity(0)))


def simulate_all(settings: Sequence[Setting], jobs: int, told: Told | None = None) -> list[Figures]:
    """The figures of each, in order. `told(done, of)` after each day. FsDialerError when a process was killed, for want of memory say."""
    if jobs <= 1 or len(settings) <= 1:
        return _here(settings, told)
    found: list[Figures | None] = [None] * len(settings)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=min(jobs, len(settings)), mp_context=context) as pool:
        # The longest first: else the last core works alone at the end.
        order = sorted(range(len(settings)), key=lambda index: -settings[index].agent_count * settings[index].hours)
        asked: dict[Future[Figures], int] = {pool.submit(simulate, settings[index]): index for index in order}
        try:
            for number, done in enumerate(as_completed(asked), 1):
                found[asked[done]] = done.result()
                if told is not None:
                    told(number, len(settings))
        except BrokenProcessPool:
            raise FsDialerError("a process of the simulation ended before its day did (out of memory?); try fewer at a time: --jobs 1") from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [day for day in found if day is not None]


def _here(settings: Sequence[Setting], told: Told | None) -> list[Figures]:
    found = []
    for number, setting in enumerate(settings, 1):
        found.append(simulate(setting))
        if told is not None:
            told(number, len(settings))
    return found
