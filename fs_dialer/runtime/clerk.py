"""The clerk: works off what happened, and delivers the outbox, as long as this daemon is the active one.

Greenlets around two loops that ask the database every second, or at once when poked. Deliveries to different webhooks go side by side, those to one webhook
one after the other: a receiver that is slow or away holds up nobody but itself. A database that is away is waited for.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event as Flag

from fs_dialer.db.happenings import Happenings
from fs_dialer.db.outbox import LEASE_S, Message, Outbox
from fs_dialer.db.pool import Pool
from fs_dialer.errors import StoreError
from fs_dialer.runtime.webhook_post import Letter, NotDelivered, post

log = logging.getLogger("fs_dialer.clerk")

LOOK_EVERY_S = 1.0
BATCH = 100
POOL_SIZE = 3
DELIVERY_S = LEASE_S - 30.0  # in all; a message that takes longer is somebody else's again soon
STOP_S = 5.0

Spawn = Callable[..., Any]


class Clerk:
    """One daemon's clerk. `send`: posts one message, as webhook_post.post does."""

    def __init__(self, dsn: str, send: Callable[..., tuple[int, float]] = post) -> None:
        self._pool = Pool(dsn, size=POOL_SIZE, application="fs-dialer clerk")
        self.happenings = Happenings(self._pool)
        self.outbox = Outbox(self._pool)
        self._send = send
        self._spawn: Spawn = gevent.spawn
        self._poked = Flag()
        self._mail = Flag()
        self._stopping = False
        self._busy: set[str] = set()  # webhooks to which somebody is sending
        self._told_down = False

    def start(self, spawn: Spawn) -> None:
        """Begin; `spawn` is the daemon's one door for greenlets."""
        self._spawn = spawn
        for work in (self._work_loop, self._mail_loop):
            spawn(work)

    def stop(self) -> None:
        """Nothing new is begun; a delivery under way may end within a few seconds, and is done again by the next daemon if it does not."""
        self._stopping = True
        self.poke()
        with gevent.Timeout(STOP_S, False):
            while self._busy:
                gevent.sleep(0.02)
        self._pool.close()

    def poke(self) -> None:
        """Something may have happened: look at once."""
        self._poked.set()
        self._mail.set()

    # --- what happened ----------------------------------------------------------------------------------------------------------------

    def _work_loop(self) -> None:
        while not self._stopping:
            done = self._guarded(lambda: self.happenings.work_off(BATCH)) or 0
            if done:
                self._mail.set()
            if done < BATCH:
                self._poked.wait(LOOK_EVERY_S)
                self._poked.clear()

    # --- the outbox -------------------------------------------------------------------------------------------------------------------

    def _mail_loop(self) -> None:
        while not self._stopping:
            for message in self._guarded(lambda: self.outbox.claim(self._busy)) or ():
                self._busy.add(message.webhook.name)
                self._spawn(self._deliver, message)
            self._mail.wait(LOOK_EVERY_S)
            self._mail.clear()

    def _deliver(self, message: Message) -> None:
        """Send and note; then look for the next one of the same webhook."""
        try:
            self._guarded(lambda: self.deliver(message))
        finally:
            self._busy.discard(message.webhook.name)
            self._mail.set()

    def deliver(self, message: Message) -> bool:
        """Send one message that was claimed, and note what became of it; whether the receiver has it. StoreError when it cannot be noted."""
        letter = Letter(message.id, _event(message.body), message.body.encode())
        error = NotDelivered(f"not done within {DELIVERY_S:g} s")
        try:
            with gevent.Timeout(DELIVERY_S, error):
                status, took_s = self._send(message.webhook, message.hosts, letter)
        except NotDelivered as failed:
            last = self.outbox.failed(message, str(failed))
            log.log(
                logging.ERROR if last else logging.WARNING,
                "webhook_%s webhook=%s message=%d try=%d error=%s",
                *("given_up" if last else "not_delivered", message.webhook.name, message.id, message.tries, failed),
            )
            return False
        self.outbox.sent(message)
        log.info("webhook_delivered webhook=%s message=%d try=%d status=%d took_s=%.3f", message.webhook.name, message.id, message.tries, status, took_s)
        return True

    def _guarded(self, work: Callable[[], Any]) -> Any:
        """What the work gives; None when the database did not let it, which is told once until it does again."""
        try:
            result = work()
        except StoreError as error:
            if not self._told_down and not self._stopping:
                self._told_down = True
                log.warning("triggers and webhooks wait: %s", error)
            return None
        self._told_down = False
        return result


def _event(body: str) -> str:
    found = json.loads(body).get("event")
    return found if isinstance(found, str) else ""
