"""The daemon's time: the wall clock at start, carried on by the monotonic one, so that it never runs backwards and a jump of the wall clock is seen."""

from __future__ import annotations

import time
from collections.abc import Callable

JUMP_S = 2.0


class Clock:
    """now(): epoch seconds, never backwards. jumped(): by how much the wall clock has left us since the last look, 0.0 if by less than 2 s."""

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._offset = wall() - monotonic()
        self._last = 0.0

    def now(self) -> float:
        self._last = max(self._last, self._monotonic() + self._offset)
        return self._last

    def jumped(self) -> float:
        """After a jump we follow the wall clock; a jump back makes our time stand still until it has caught up."""
        drift = self._wall() - (self._monotonic() + self._offset)
        if abs(drift) < JUMP_S:
            return 0.0
        self._offset += drift
        return drift
