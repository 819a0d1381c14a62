"""The recordings of a real FreeSWITCH in tests/captures, read.

Their form: `==== <<|>>|## WHO +ms N bytes`, then exactly N bytes and perhaps a newline; << from the switch, >> from the client, ## a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fs_dialer.esl.wire import Decoder, Event, parse_event

FOLDER = Path(__file__).resolve().parent.parent / "captures"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.log")))

_MARK = re.compile(rb"==== (<<|>>|##) (\S+) \+([0-9.]+)ms ([0-9]+) bytes\n")


@dataclass(frozen=True, slots=True)
class Piece:
    """What one side said at once. `at_ms` counts from the start of the recording."""

    direction: str
    who: str
    at_ms: float
    data: bytes


def pieces(name: str) -> Iterator[Piece]:
    """A recording, in order."""
    raw = (FOLDER / f"{name}.log").read_bytes()
    at = 0
    while at < len(raw):
        if raw[at : at + 1] == b"\n":
            at += 1
            continue
        mark = _MARK.match(raw, at)
        assert mark is not None, f"{name}: no mark at byte {at}"
        end = mark.end() + int(mark[4])
        yield Piece(mark[1].decode(), mark[2].decode(), float(mark[3]), raw[mark.end() : end])
        at = end


def streams(name: str, direction: str = "<<") -> dict[str, bytes]:
    """Connection to all that went one way on it."""
    joined: dict[str, bytes] = {}
    for piece in pieces(name):
        if piece.direction == direction:
            joined[piece.who] = joined.get(piece.who, b"") + piece.data
    return joined


def events_in(name: str) -> Iterator[Event]:
    """Every event of a recording that is plain or JSON, connection by connection."""
    for stream in streams(name).values():
        decoder = Decoder()
        decoder.feed(stream)
        for message in decoder:
            if message.kind in ("text/event-plain", "text/event-json"):
                yield parse_event(message)
