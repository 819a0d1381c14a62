"""Numbers out of journals, and recordings of calls off the disk: what lies outside of the database when a person is forgotten.

A journal may be open in a running daemon, which writes at its end and never looks back. So nothing is rewritten or renamed: each number is written over in
place, by as many characters, zeros for digits. That is safe at any moment and may be done again after a crash. What the daemon still has in its buffer
reaches the file within FLUSHED_S, and is written over then.

The digests of actions in a journal were made with the number: a replay of it tells a difference at the first call to somebody who was erased.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

FLUSHED_S = 1.5  # live.py flushes the journal once a second
FRESH_S = 60.0  # a journal that was written to so lately may be open in a daemon
JOURNALS = "*.jsonl"
_ID = 36  # characters of a uuid


@dataclass(frozen=True, slots=True)
class Erased:
    """journals: files that were looked through; places: numbers written over in them; recordings: files deleted."""

    journals: int = 0
    places: int = 0
    recordings: int = 0


def erase(journals: Path | None, recordings: Path, numbers: Sequence[str], attempts: Collection[str], wait: Callable[[float], None] = time.sleep) -> Erased:
    """Write the numbers (E.164) over in every journal of a folder, None = no journal is kept, and delete the recordings of these calls.

    A folder that is not there has nothing in it. OSError, with its file name, for what cannot be written or deleted: then some may be erased already.
    """
    files = sorted(journals.glob(JOURNALS)) if journals is not None and journals.is_dir() else []
    pattern = re.compile(b"(?:" + b"|".join(re.escape(number.encode()) for number in numbers) + b")(?![0-9])")
    fresh = [file for file in files if file.stat().st_mtime > time.time() - FRESH_S]
    seen = {file: file.stat().st_size for file in fresh}
    places = sum(_written_over(file, pattern) for file in files)
    if fresh:
        wait(FLUSHED_S)
        places += sum(_written_over(file, pattern, _line_before(file, seen[file])) for file in fresh)
    return Erased(len(files), places, _deleted(recordings, attempts))


def _written_over(file: Path, pattern: re.Pattern[bytes], start: int = 0) -> int:
    """How many places were. From `start`, the beginning of a line."""
    found = []
    with open(file, "rb") as stream:
        stream.seek(start)
        offset = start
        for line in stream:
            found += [(offset + each.start(), each.end() - each.start()) for each in pattern.finditer(line)]
            offset += len(line)
    if found:
        descriptor = os.open(file, os.O_WRONLY)
        try:
            for place, length in found:
                os.pwrite(descriptor, b"+" + b"0" * (length - 1), place)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return len(found)


def _line_before(file: Path, size: int) -> int:
    """Where the line begins that was not whole when the file had this size."""
    with open(file, "rb") as stream:
        position = size
        while position > 0:
            step = min(65_536, position)
            stream.seek(position - step)
            newline = stream.read(step).rfind(b"\n")
            if newline >= 0:
                return position - step + newline + 1
            position -= step
    return 0


def _deleted(folder: Path, attempts: Collection[str]) -> int:
    """Recordings bear the id of their call in front."""
    if not folder.is_dir() or not attempts:
        return 0
    wanted = set(attempts)
    gone = 0
    for path in folder.rglob("*"):
        if path.name[:_ID] in wanted and path.is_file():
            path.unlink()
            gone += 1
    return gone
