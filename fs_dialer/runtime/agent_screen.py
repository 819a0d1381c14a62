"""One screen that follows an agent's events, at its own pace: it reads from the agent's log, and is let go where it falls too far behind."""

from __future__ import annotations

import logging
from collections.abc import Callable

import orjson
from gevent.event import Event as Flag

from fs_dialer.core.model import AgentId
from fs_dialer.runtime.agent_log import DESK, GOODBYE, EventLog
from fs_dialer.runtime.web_ports import AgentEvent

log = logging.getLogger("fs_dialer.agents")

MOST_BEHIND = 256  # events; whoever falls further behind is let go, and whoever comes back after more begins with a fresh picture


class Screen:
    """web_ports.AgentStream. `at`: the number behind which it goes on, None = from a fresh picture. `own`: the agent's, and not a supervisor's.

    `gone`: has the other end closed the line? `fresh`: JSON of the picture; `left`: told when the screen is closed.
    """

    def __init__(
        self,
        agent: AgentId,
        events: EventLog,
        at: int | None,
        *,
        own: bool,
        gone: Callable[[], bool],
        fresh: Callable[[], bytes],
        left: Callable[[Screen], None],
    ) -> None:
        self._agent, self._log, self.own, self.gone = agent, events, own, gone
        self._picture, self._left = fresh, left
        self._at = at if at is not None else events.newest
        self._fresh = at is None or events.newest - at > MOST_BEHIND or events.after(at) is None
        self._waiting: list[AgentEvent] = []
        self._why, self._again = "", True
        self._ended = False
        self.woken = Flag()

    def next(self, timeout_s: float) -> AgentEvent | None:
        """web_ports.AgentStream."""
        if self._ended:
            return None
        if self._fresh and not self._why:
            self._fresh, self._at = False, self._log.newest
            return AgentEvent(self._at, DESK, self._picture())
        if not self._waiting and not self._why and self._at == self._log.newest:
            self.woken.wait(timeout_s)
        self.woken.clear()
        if self._why:
            self._ended = True
            return AgentEvent(0, GOODBYE, orjson.dumps({"why": self._why, "again": self._again}))
        if not self._waiting and not self._read():
            return self.next(0.0)
        if not self._waiting:
            return None
        event = self._waiting.pop(0)
        self._at = event.number
        return event

    def _read(self) -> bool:
        behind = self._log.newest - self._at
        found = self._log.after(self._at) if behind <= MOST_BEHIND else None
        if found is None:
            log.warning("agent_screen_let_go agent=%s behind=%d", self._agent, behind)
            self.end("this screen was too slow to follow; connect again")
            return False
        self._waiting = found
        return True

    def end(self, why: str, *, again: bool = True) -> None:
        """It is told why, and closed. `again`: it may connect once more by itself."""
        if not self._why:
            self._why, self._again = why, again
            self.woken.set()

    def close(self) -> None:
        self._ended = True
        self._left(self)
