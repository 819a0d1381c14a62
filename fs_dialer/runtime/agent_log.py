"""What is remembered of an agent's events, so that a screen that was away goes on where it stopped.

Pure. Numbers grow by one and are never given twice, not by the next daemon either: a log begins at FIRST_PER_S times the second in which its daemon
started, and stays below 2**53, which every JSON reader holds. A number that is not known any more, or that another daemon gave, is answered with "lost": then
only a fresh picture helps.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from fs_dialer.runtime.web_ports import AgentEvent

FIRST_PER_S = 1_000_000
MOST_KEPT = 512
KEPT_S = 600.0  # nobody who was away longer is given what he missed, piece by piece
DESK, CARD, REPLY, GOODBYE = "desk", "card", "reply", "goodbye"


def first_number(started_at: float) -> int:
    """Where the logs of a daemon begin that started then, epoch seconds."""
    return int(started_at) * FIRST_PER_S


@dataclass(frozen=True, slots=True)
class _Kept:
    event: AgentEvent
    at: float


class EventLog:
    """The last events of one agent. `newest`: the number of the last one, or of none."""

    def __init__(self, first: int, *, most: int = MOST_KEPT, keep_s: float = KEPT_S) -> None:
        self.newest = first
        self._kept: deque[_Kept] = deque(maxlen=most)
        self._keep_s = keep_s

    def add(self, kind: str, data: bytes, now: float) -> AgentEvent:
        """`data`: JSON. `now`: seconds on any clock that does not go back."""
        self.newest += 1
        event = AgentEvent(self.newest, kind, data)
        while self._kept and self._kept[0].at < now - self._keep_s:
            self._kept.popleft()
        self._kept.append(_Kept(event, now))
        return event

    def torn(self) -> None:
        """From here on something was not seen: nobody can go on from a number before this."""
        self._kept.clear()
        self.newest += 1

    def after(self, number: int) -> list[AgentEvent] | None:
        """All events behind that number, in order; None = they are lost, or the number is not one of ours."""
        if number == self.newest:
            return []
        oldest = self._kept[0].event.number if self._kept else self.newest + 1
        if not oldest - 1 <= number < self.newest:
            return None
        behind = self.newest - number
        return [self._kept[index].event for index in range(len(self._kept) - behind, len(self._kept))]
