"""Every event of the engine as a JSON line, with a digest of the actions it led to; and the same day once more, through the same core (X6).

The first line is a header (version, seed). Whoever has the journal has the day: numbers included, so the file is for the operator's eyes (mode 0600).
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fs_dialer.core.actions import Action
from fs_dialer.core.dialer import Dialer
from fs_dialer.core.events import Event, Tick
from fs_dialer.core.snapshot import Snapshot
from fs_dialer.errors import FsDialerError
from fs_dialer.modes import OFFERED
from fs_dialer.runtime.ids import engine_sources
from fs_dialer.runtime.lines import fingerprint, from_line, to_line

log = logging.getLogger("fs_dialer.journal")

VERSION = 1


def digest(actions: Sequence[Action]) -> str:
    """Equal for equal actions in equal order; "" for none."""
    return hashlib.blake2b(fingerprint(actions), digest_size=8).hexdigest() if actions else ""


class Journal:
    """Appends to one file. A journal that can't be written is given up with an error in the log: dialling matters more."""

    def __init__(self, path: Path, seed: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] | None = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")
        self.path = path
        self._write(json.dumps({"fs-dialer journal": VERSION, "seed": seed}))
        self.flush()  # a daemon that dies in its first second leaves a journal all the same

    def record(self, event: Event, now: float, actions: Sequence[Action], *, due: bool = True) -> None:
        """`due`: whether a timer was. A tick that brought no action has all the same moved the timers that were due, and the next ones depend on when."""
        if isinstance(event, Tick) and not actions and not due:
            return
        self._write(f'[{now!r},"{digest(actions)}",{to_line(event)}]')

    def _write(self, line: str) -> None:
        if self._file is None:
            return
        try:
            self._file.write(line + "\n")
        except OSError as error:
            log.error("the journal %s is given up: %s", self.path, error)
            self._file = None

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where the replay decided otherwise. `line` counts from 1."""

    line: int
    now: float
    event: Event
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    events: int
    difference: Difference | None


@dataclass(frozen=True, slots=True)
class Step:
    """One event once more, and the actions it led to. `same`: just those it led to when it was recorded."""

    line: int
    now: float
    event: Event
    actions: tuple[Action, ...]
    same: bool


def steps(path: Path) -> Iterator[Step]:
    """Run a journal through a fresh engine. FsDialerError for a file that is no journal; a torn last line ends it quietly."""
    return (step for _, step in _through(path))


@dataclass(frozen=True, slots=True)
class Moment:
    """The engine as it was at a moment of a journal. `line`: the last one before it; `now`: its time; `same`: every decision up to it is the one recorded."""

    line: int
    now: float
    same: bool
    snapshot: Snapshot


def moment(path: Path, at: float) -> Moment | None:
    """What a daemon saw at this moment, epoch seconds; None where its journal begins later. Takes as long as a replay up to there."""
    last, same = None, True
    for last in _through(path, until=at):
        same = same and last[1].same
    return None if last is None else Moment(last[1].line, last[1].now, same, last[0].snapshot())


def _through(path: Path, until: float = math.inf) -> Iterator[tuple[Dialer, Step]]:
    lines = _lines(path)
    _, first = next(lines, (0, ""))
    try:
        header = json.loads(first)
        seed = int(header["seed"])
        version = header["fs-dialer journal"]
    except (ValueError, KeyError, TypeError):
        raise FsDialerError(f"{path}: this is no journal of fs-dialer: its first line is not a header") from None
    if version != VERSION:
        raise FsDialerError(f"{path}: journal version {version}, this fs-dialer reads {VERSION}")
    rng, new_id = engine_sources(seed)
    dialer = Dialer(OFFERED, rng=rng, new_id=new_id)
    for number, line in lines:
        try:
            now, expected, event = _event_of(line)
        except ValueError:
            if next(lines, None) is None:
                return
            raise FsDialerError(f"{path}:{number}: not a line of a journal") from None
        if now > until:
            return
        actions = dialer.handle(event, now)
        yield dialer, Step(number, now, event, tuple(actions), digest(actions) == expected)


def replay(path: Path) -> Replayed:
    """Run a journal to its end, or to the first place where the engine decides otherwise than it did."""
    count = 0
    for step in steps(path):
        count += 1
        if not step.same:
            return Replayed(count, Difference(step.line, step.now, step.event, step.actions))
    return Replayed(count, None)


def _event_of(line: str) -> tuple[float, str, Event]:
    """ValueError for anything that record() did not write."""
    whole = json.loads(line)
    if not (isinstance(whole, list) and len(whole) == 3 and isinstance(whole[0], int | float) and isinstance(whole[1], str)):
        raise ValueError("not a line of a journal")
    event = from_line(json.dumps(whole[2]))
    if not isinstance(event, Event):
        raise ValueError("not an event")
    return whole[0], whole[1], event


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with open(path, encoding="utf-8") as file:
            yield from enumerate(file, start=1)
    except (OSError, UnicodeDecodeError) as error:
        raise FsDialerError(f"{path}: {error}") from None
