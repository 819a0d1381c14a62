"""The outbox: messages to webhooks, claimed, sent by somebody else, and noted.

Knows the lease that makes "at least once" hold and the order within a webhook; the pauses are core/webhooks.py's, the sending runtime/webhook_post.py's.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fs_dialer.config.codec import from_json, installation_from_json
from fs_dialer.core.resources import Webhook
from fs_dialer.core.webhooks import given_up, pause_s
from fs_dialer.db import codec
from fs_dialer.db.happenings import message
from fs_dialer.db.pool import Pool
from fs_dialer.errors import FsDialerError

log = logging.getLogger("fs_dialer.webhooks")

LEASE_S = 120.0  # longer than any sending takes (Webhook.timeout_s: at most a minute)
ERROR_CHARACTERS = 500
TEST_EVENT = "test"


@dataclass(frozen=True, slots=True)
class Message:
    """One to send now. `body`: the very text, the same at every try. `tries`: this one included. `hosts`: to which the installation allows sending now."""

    id: int
    webhook: Webhook
    body: str
    tries: int
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OutboxLine:
    """Times are epoch seconds. `next_at`: of the next try, while it waits."""

    id: int
    webhook: str
    happening: int | None
    body: Mapping[str, Any]
    created_at: float
    tries: int
    next_at: float
    sent_at: float | None
    given_up: bool
    last_error: str

    @property
    def state(self) -> str:
        return "sent" if self.sent_at is not None else "given up" if self.given_up else "waiting"


@dataclass(frozen=True, slots=True)
class OutboxCount:
    waiting: int
    given_up: int
    sent: int
    last_sent_at: float | None
    waits_because: str


class Outbox:
    """The messages of one database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def claim(self, busy: Iterable[str] = ()) -> list[Message]:
        """The next message of every webhook that is due and not among `busy`; ours for LEASE_S. What is lost on the way to us waits
        for its lease, and so does a message to a webhook that this version cannot read."""
        found = self._pool.rows("claim_outbox", {"busy": list(busy), "lease_s": LEASE_S}, idempotent=False)
        if not found:
            return []
        stored = self._pool.rows("installation")
        hosts = codec.definition(installation_from_json, stored[0][0], "the installation").webhook_hosts if stored else ()
        messages = []
        for id, name, body, tries, definition in found:
            try:
                messages.append(Message(id, from_json(Webhook, definition, f"webhook {name} as stored"), body, tries, hosts))
            except FsDialerError as error:
                log.error("webhook_unreadable webhook=%s message=%d error=%s", name, id, error)
        return messages

    def sent(self, message: Message) -> None:
        """The receiver said that it has it."""
        self._pool.rows("outbox_sent", {"id": message.id})

    def failed(self, message: Message, error: str) -> bool:
        """Note a try that failed; True when it was the last."""
        last = given_up(message.tries)
        words = {"id": message.id, "pause_s": pause_s(message.tries), "given_up": last, "error": error[:ERROR_CHARACTERS].replace("\0", " ")}
        self._pool.rows("outbox_failed", words)
        return last

    def put_test(self, webhook: str, who: str) -> int:
        """A message that says only that it is a test; its id."""
        body = message(TEST_EVENT, {"webhook": webhook, "by": who}, time.time(), None)
        return int(self._pool.rows("outbox_test", {"webhook": webhook, "body": json.dumps(body)}, idempotent=False)[0][0])

    def listed(self, *, webhook: str | None = None, id: int | None = None, waiting: bool = False, given_up: bool = False, limit: int = 100) -> list[OutboxLine]:
        """Newest first."""
        words = {"webhook": webhook, "id": id, "waiting": waiting, "given_up": given_up, "limit": limit}
        return [OutboxLine(*row) for row in self._pool.rows("outbox_rows", words)]

    def counts(self) -> dict[str, OutboxCount]:
        """By webhook; of those that ever had a message."""
        return {name: OutboxCount(waiting, gone, sent, last, because or "") for name, waiting, gone, sent, last, because in self._pool.rows("outbox_counts")}

    def replay(self, who: str, *, id: int | None = None, webhook: str | None = None) -> int:
        """Send again: the message of this id, or all that were given up (of this webhook). How many."""
        return int(self._pool.rows("outbox_replay", {"id": id, "webhook": webhook, "who": who})[0][0])
