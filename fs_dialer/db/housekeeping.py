"""What the database needs once in a while: partitions for the months to come, and an end for what nobody asks for any more.

Knows how long each thing is kept. Every step is a transaction of its own and may be done by several programs at once: an advisory lock in the step lets
one work and the others pass on. No step waits long for a lock: one that is not free now is left for the next time, and dialling goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from fs_dialer.config.codec import installation_from_json
from fs_dialer.core.definition import Installation
from fs_dialer.core.resources import DAY
from fs_dialer.db import codec
from fs_dialer.db.pool import Cursor, Pool, rows
from fs_dialer.errors import StoreError

T = TypeVar("T")

log = logging.getLogger("fs_dialer.db")

MONTHS_AHEAD = 3
KEEP_API_REQUESTS_S = 7 * DAY
KEEP_EVENTS_S = 30 * DAY
KEEP_TAKES_S = 90 * DAY
BATCH = 10_000
BATCHES_AT_MOST = 100  # of each kind in one go: a first housekeeping after years must end some day
TIMEOUT_S = 60.0


class Housekeeping:
    """One database. For the daemon, at its start and then daily, and for whoever else wants it done."""

    def __init__(self, dsn: str, *, application: str = "fs-dialer housekeeping") -> None:
        self._pool = Pool(dsn, size=1, application=application, statement_timeout_s=TIMEOUT_S)

    def housekeep(self, now: float) -> list[str]:
        """What was done, in words; [] = there was nothing to do, or somebody else is doing it. `now`: epoch seconds.

        StoreError when the connection is lost. A step that fails otherwise is logged, and the others are done all the same.
        """
        done: list[str] = []
        steps = (self._make_partitions, self._drop_partitions, self._forget_callers, self._forget_api_requests, self._forget_outbox)
        for step in (*steps, self._forget_happenings, self._forget_takes):
            try:
                done += step(now)
            except StoreError as error:
                if error.lost:
                    raise
                log.warning("housekeeping_put_off step=%s error=%s", step.__name__.lstrip("_"), error)
        return done

    def close(self) -> None:
        self._pool.close()

    def _make_partitions(self, now: float) -> list[str]:
        made = self._alone(lambda cursor: rows(cursor, "make_attempt_partitions", {"now": now, "ahead": MONTHS_AHEAD})[0][0])
        return [f"made {made} monthly partitions of attempts"] if made else []

    def _drop_partitions(self, now: float) -> list[str]:
        keep_s = self._keep_s()
        if keep_s is None:
            return []
        dropped = self._alone(lambda cursor: rows(cursor, "drop_attempt_partitions", {"before": now - keep_s})[0][0]) or []
        return [f"dropped {name}: its attempts are older than {keep_s / DAY:g} days" for name in dropped]

    def _keep_s(self) -> float | None:
        found = self._pool.rows("installation")
        return (codec.definition(installation_from_json, found[0][0], "the installation") if found else Installation()).keep_attempts_s

    def _forget_callers(self, now: float) -> list[str]:
        keep_s = self._keep_s()
        return [] if keep_s is None else self._forget("forget_old_callers", now - keep_s, f"calls to queues older than {keep_s / DAY:g} days")

    def _forget_api_requests(self, now: float) -> list[str]:
        return self._forget("forget_api_requests", now - KEEP_API_REQUESTS_S, "answers to requests older than 7 days")

    def _forget_outbox(self, now: float) -> list[str]:
        return self._forget("forget_outbox", now - KEEP_EVENTS_S, "messages sent more than 30 days ago")

    def _forget_happenings(self, now: float) -> list[str]:
        return self._forget("forget_happenings", now - KEEP_EVENTS_S, "events worked off more than 30 days ago")

    def _forget_takes(self, now: float) -> list[str]:
        return self._forget("forget_takes", now - KEEP_TAKES_S, "leads that agents took more than 90 days ago")

    def _forget(self, query: str, before: float, what: str) -> list[str]:
        gone = 0
        for _ in range(BATCHES_AT_MOST):
            last = self._alone(lambda cursor: len(rows(cursor, query, {"before": before, "limit": BATCH}))) or 0
            gone += last
            if last < BATCH:
                break
        return [f"deleted {gone:,} {what}"] if gone else []

    def _alone(self, work: Callable[[Cursor], T]) -> T | None:
        """A transaction of its own; None when somebody else is at it."""
        with self._pool.transaction() as cursor:
            return work(cursor) if rows(cursor, "try_housekeeping_lock")[0][0] else None
