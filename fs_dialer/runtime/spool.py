"""What became of calls and callers while the database was away: fsynced to a local file, replayed when it is back. Replaying twice changes nothing.

A torn last line (the machine died while writing) is the only line that may be unreadable; it is set aside, never silently dropped.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from fs_dialer.core.actions import CallerLeft, CallerServed, CloseAttempt, OptOut
from fs_dialer.runtime.lines import from_line, to_line

log = logging.getLogger("fs_dialer.spool")

BATCH = 200

Kept = CloseAttempt | CallerServed | CallerLeft | OptOut
KEPT = (CloseAttempt, CallerServed, CallerLeft, OptOut)  # what may not be lost, and can be written at any time


class Spool:
    """One file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __bool__(self) -> bool:
        return self.path.exists() and self.path.stat().st_size > 0

    def append(self, results: Sequence[Kept]) -> None:
        """On disk when this returns. OSError when it can't be written: somebody must act, the results are in memory only."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not self.path.exists()
        with open(self.path, "a", encoding="utf-8") as file:
            if self._is_torn():
                file.write("\n")  # what a crash left half-written must not take our first line with it
            file.write("".join(to_line(result) + "\n" for result in results))
            file.flush()
            os.fsync(file.fileno())
        if fresh:
            self._sync_folder()

    def replay(self, write: Callable[[Sequence[Kept]], None]) -> int:
        """Give all results to `write`, oldest first, then remove the file. Whatever `write` raises (StoreError when it can't) leaves the file as it was.

        `write` waits, and what is appended meanwhile is given to it, too: the file goes only when its end has been read.
        """
        if not self:
            return 0
        count, read = 0, 0
        torn: list[str] = []
        while read < self.path.stat().st_size:
            results, unreadable, read = self._read_from(read)
            torn += unreadable
            for start in range(0, len(results), BATCH):
                write(results[start : start + BATCH])
            count += len(results)
        if torn:
            aside = self.path.with_suffix(".unreadable")
            with open(aside, "a", encoding="utf-8") as file:
                file.writelines(torn)
            log.error("%d unreadable lines of the spool were set aside in %s; their attempts will be found open and closed as unknown", len(torn), aside)
        self.path.unlink()
        self._sync_folder()
        return count

    def _read_from(self, place: int) -> tuple[list[Kept], list[str], int]:
        """What stands there from a byte on, the lines that can not be read, and where it ended."""
        results: list[Kept] = []
        torn: list[str] = []
        with open(self.path, "rb") as file:
            file.seek(place)
            for raw in file:
                line = raw.decode("utf-8", errors="replace")
                try:
                    value = from_line(line)
                except ValueError:
                    value = None
                if isinstance(value, KEPT):
                    results.append(value)
                else:
                    torn.append(line)
            return results, torn, file.tell()

    def _is_torn(self) -> bool:
        with open(self.path, "rb") as file:
            if not file.seek(0, os.SEEK_END):
                return False
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
