"""What can be seen of a running daemon: is it well, what does its engine see, how quickly do switch and database answer.

Knows the daemon's own parts and one small pool of its own. Never asks the engine to do anything, and never waits for the switch while somebody waits for
us: it asks now and then, and shows what it heard last.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

import gevent

from fs_dialer.core.dialer import Dialer
from fs_dialer.core.snapshot import Snapshot
from fs_dialer.db.lead_api import LeadApi
from fs_dialer.errors import EslError, StoreError
from fs_dialer.esl.client import SwitchClient
from fs_dialer.esl.supervisor import PING
from fs_dialer.runtime.web_ports import Health

log = logging.getLogger("fs_dialer.web")

ASK_EVERY_S = 5.0
COUNTS_OLD_S = 30.0
LAG_BAD_S = 1.0  # well past the age at which pacing drops to zero


class Watched(Protocol):
    """What is looked at of a daemon (live.Daemon)."""

    dialer: Dialer

    @property
    def active(self) -> bool: ...
    @property
    def lag_s(self) -> float: ...
    @property
    def client(self) -> SwitchClient | None: ...


class LiveView:
    """web_ports.DaemonView over a daemon of this process."""

    def __init__(self, daemon: Watched, api: LeadApi, now: Callable[[], float] = time.monotonic) -> None:
        self._daemon, self._api, self._now = daemon, api, now
        self._asked: dict[str, float | None] = {"esl": None, "database": None}
        self._counts: Mapping[tuple[str, str], int] = {}
        self._counted_at: float | None = None
        self._counting = False

    def health(self) -> Health:
        daemon = self._daemon
        if not daemon.active:
            return Health(False, ("standing by: another daemon is the active one, or the database is not reachable",))
        seen = daemon.dialer.snapshot()
        reasons = []
        if not seen.switch_up:
            reasons.append("the link to the switch is down")
        if not seen.store_up:
            reasons.append("the database is away")
        if seen.draining:
            reasons.append("draining: it ends when its last call is over")
        if daemon.lag_s > LAG_BAD_S:
            reasons.append(f"events wait {daemon.lag_s:.1f} s before they are handled")
        return Health(True, tuple(reasons))

    def snapshot(self) -> Snapshot | None:
        return self._daemon.dialer.snapshot() if self._daemon.active else None

    def lead_counts(self) -> Mapping[tuple[str, str], int]:
        """Counting reads every lead: asked for by many at once, it is done by one, and the others see the last count."""
        old = self._counted_at is None or self._now() - self._counted_at >= COUNTS_OLD_S
        if old and not self._counting:
            self._counting = True
            try:
                self._counts = self._api.lead_counts()
                self._counted_at = self._now()
            except StoreError as error:
                log.warning("leads not counted: %s", error)
            finally:
                self._counting = False
        return self._counts

    def latencies_s(self) -> Mapping[str, float | None]:
        return {"inbox": self._daemon.lag_s if self._daemon.active else None, **self._asked}

    def start(self, spawn: Callable[..., Any]) -> None:
        """Ask switch and database now and then."""
        spawn(self._ask_on)

    def stop(self) -> None:
        """Nothing to do: its greenlet ends with the daemon's."""

    def _ask_on(self) -> None:
        while True:
            self._asked["database"] = self._timed(self._api.ping)
            client = self._daemon.client
            up = self._daemon.active and client is not None and self._daemon.dialer.snapshot().switch_up
            self._asked["esl"] = self._timed(partial(client.api, PING)) if up and client is not None else None
            gevent.sleep(ASK_EVERY_S)

    def _timed(self, ask: Callable[[], object]) -> float | None:
        started = time.monotonic()
        try:
            ask()
        except (StoreError, EslError):
            return None
        return time.monotonic() - started
