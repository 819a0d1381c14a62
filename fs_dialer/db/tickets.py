"""Tickets, for people: listed, shown, closed. They are written by the queries that end attempts and by queues."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fs_dialer.db.pool import Pool

CHANNELS = ("call", "callback", "missed", "voicemail")


@dataclass(frozen=True, slots=True)
class Ticket:
    """Times are epoch seconds. `lead` is the one that the call was for, or the one that serves the customer now; `lead_campaign` is that lead's.

    Of a caller of a queue: since: when he asked to be called back, or left; expires_at: after that nobody calls him back. closed_how: what the dialler
    closed it for: served, called_back, expired; "" = it is open, or people closed it. recording: a message's file, below the folder of recordings.
    """

    id: int
    channel: str
    campaign: str | None
    queue: str
    lead: int | None
    attempt: str | None
    number: str
    name: str
    agent: str | None
    outcome: str
    note: str
    created_at: float
    closed_at: float | None
    closed_by: str | None
    lead_status: str
    lead_campaign: str
    since: float | None = None
    expires_at: float | None = None
    closed_how: str = ""
    recording: str = ""


class Tickets:
    """The tickets of one database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def listed(
        self,
        *,
        open: bool = False,
        campaign: str | None = None,
        number: str | None = None,
        channel: str | None = None,
        queue: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[Ticket]:
        """Newest first. `open`: only those that are; `before`: the last id of the page before."""
        return self._rows(open=open, campaign=campaign, number=number, channel=channel, queue=queue, before=before, limit=limit)

    def ticket(self, id: int) -> Ticket | None:
        """None where there is none of that id."""
        found = self._rows(id=id)
        return found[0] if found else None

    def close(self, ids: Iterable[int], who: str, note: str = "") -> list[int]:
        """Close those that are open; their ids. A note is put below what is there."""
        return [int(row[0]) for row in self._pool.rows("close_tickets", {"ids": sorted(set(ids)), "who": who, "note": note})]

    def _rows(self, **words: object) -> list[Ticket]:
        given = {"open": False, "campaign": None, "number": None, "channel": None, "queue": None, "before": None, "id": None, "limit": 1, **words}
        return [Ticket(*row) for row in self._pool.rows("ticket_rows", given)]
