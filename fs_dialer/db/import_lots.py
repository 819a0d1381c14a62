"""Lines in lots, each stored by a thread of its own while the next is being read: reading and the database's work take turns on no core.

Knows how large a lot may be, and what to do when either side fails; knows nothing of leads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

LOT_ROWS = 25_000
LOT_BYTES = 8 << 20  # a lot of long rows is cut earlier


def store_in_lots(lines: Iterable[bytes], store: Callable[[bytes], None], cancel: Callable[[], None], *, lot_rows: int = LOT_ROWS) -> None:
    """Call `store` for every lot, one after another, in another thread. Returns when all are stored.

    What `lines` or `store` raises is raised here, once nothing runs any more; `cancel` ends a call to `store` that takes long.
    """
    with ThreadPoolExecutor(1, "storing leads") as lane:
        running: Future[None] | None = None
        try:
            for lot in _lots(lines, lot_rows):
                if running is not None:
                    running.result()
                running = lane.submit(store, lot)
            if running is not None:
                running.result()
        except BaseException:
            if running is not None and not running.done():
                cancel()
            raise


def _lots(lines: Iterable[bytes], lot_rows: int) -> Iterator[bytes]:
    lot: list[bytes] = []
    size = 0
    for line in lines:
        lot.append(line)
        size += len(line)
        if len(lot) >= lot_rows or size >= LOT_BYTES:
            yield b"".join(lot)
            lot, size = [], 0
    if lot:
        yield b"".join(lot)
