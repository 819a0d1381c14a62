"""Where `top` gets what it shows: a thread that looks at the database twice a second, so that a slow answer never holds up a key.

The daemon's own word is read each time. What costs more (windows of 30 days, counts of leads, definitions) every 30 s, and at once when a campaign has changed
its state.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fs_dialer.cli.settings import Session
from fs_dialer.cli.snapshots import ever_written
from fs_dialer.cli.standing import Standing, standing
from fs_dialer.cli.top_picture import Seen
from fs_dialer.errors import FsDialerError, StoreError

if TYPE_CHECKING:
    from fs_dialer.db.backoffice import Backoffice

LOOK_EVERY_S = 0.5
ALL_EVERY_S = 30.0
SOON_S = 2.0  # between two full looks, however often states change; and after one that failed
CPS_OVER_S = 5.0


class Feed:
    """`seen()`: the newest look. Starts looking in `with`, ends when that is left."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._office: Backoffice | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="top feed", daemon=True)
        self._standing: Standing | None = None
        self._taken_at = 0.0  # of the last word of the daemon, monotonic
        self._all_at = -ALL_EVERY_S
        self._db_ms: float | None = None
        self._error = ""
        self._states: dict[str, str] = {}  # of the campaigns as the daemon saw them at the last full look
        self._begun: deque[tuple[float, int]] = deque()

    def __enter__(self) -> Feed:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()  # a look that hangs ends with the process

    def seen(self, now: float | None = None) -> Seen:
        """How everything stands now, by the last look; the daemon's clock is carried on."""
        at = time.time() if now is None else now
        found = self._standing
        live = None if found is None else found.live
        daemon_now = 0.0 if live is None else float(live["now"]) + time.monotonic() - self._taken_at
        return Seen(at, time.strftime("%H:%M:%S", time.localtime(at)), found, daemon_now, self._db_ms, self.cps(), self._error)

    def look(self) -> None:
        """Once, in this thread. Whatever goes wrong becomes a text on the screen."""
        try:
            self.look_or_fail()
        except FsDialerError as error:
            lost = isinstance(error, StoreError) and error.lost
            self._error = f"the database is not reachable: {error}" if lost else str(error)

    def look_or_fail(self) -> None:
        """The same; FsDialerError for what went wrong."""
        if self._office is None:
            from fs_dialer.db.backoffice import Backoffice

            self._office = Backoffice(self._session.settings().dsn())
        begun = time.monotonic()
        written = ever_written(self._office)
        self._taken_at = time.monotonic()
        self._db_ms = (self._taken_at - begun) * 1000
        live = written.snapshot if written is not None and written.fresh else None
        states = {} if live is None else {str(view["id"]): str(view["state"]) for view in live["campaigns"]}
        old = begun - self._all_at
        if self._standing is None or old >= ALL_EVERY_S or (states != self._states and old >= SOON_S):
            self._standing, self._states, self._all_at = standing(self._session), states, begun
        self._standing = replace(self._standing, written=written)
        self._note_begun(live)
        self._error = ""

    def _run(self) -> None:
        while not self._stopped.is_set():
            self.look()
            self._stopped.wait(SOON_S if self._error else LOOK_EVERY_S)
        self.close()

    def close(self) -> None:
        """The connection, for whoever looks in his own thread."""
        if self._office is not None:
            self._office.close()

    # --- calls per second -------------------------------------------------------------------------------------------------------------

    def cps(self) -> float | None:
        """Calls begun per second over the last moments; None before there are two looks."""
        if len(self._begun) < 2:
            return None
        (first_at, first), (last_at, last) = self._begun[0], self._begun[-1]
        return max(0, last - first) / (last_at - first_at) if last_at > first_at else None

    def _note_begun(self, live: Mapping[str, Any] | None) -> None:
        if live is None:
            self._begun.clear()
            return
        at, begun = float(live["now"]), sum(int(view["attempts"]) + int(view["lines"]) for view in live["campaigns"])
        if self._begun and (at < self._begun[-1][0] or begun < self._begun[-1][1]):
            self._begun.clear()  # another daemon counts from nothing
        if not self._begun or at > self._begun[-1][0]:
            self._begun.append((at, begun))
        while len(self._begun) > 2 and self._begun[1][0] <= at - CPS_OVER_S:
            self._begun.popleft()
