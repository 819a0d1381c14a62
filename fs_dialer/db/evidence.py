"""Calls looked at: a campaign's or a lead's list, one with all its evidence (X8), and the evidence of a whole campaign as a stream.

Reads only. Times are epoch seconds, as the daemon's clock had them; `closed_at` is the database's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fs_dialer.db.pool import Pool, rows


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One call. `lead` None and number "": the person was forgotten. `outcome` and what follows are None or empty while it is up."""

    id: str
    campaign: str
    revision: int
    lead: int | None
    number: str
    gateway: str
    caller_id: str
    agent: str | None
    opened_at: float
    outcome: str | None
    cause: str | None
    sip_status: int | None
    rang_at: float | None
    answered_at: float | None
    bridged_at: float | None
    ended_at: float | None
    missed: bool | None
    decision: str
    disposition: str | None
    disposed_by: str | None
    disposed_at: float | None
    answers: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Evidence(AttemptView):
    """And what proves it: the channel's uuid, whether the switch made one, the lead's status before, and what each gate answered at the time."""

    leg: str
    leg_seen: bool | None
    lead_status: str
    epoch: int
    gates: Sequence[Sequence[Any]]
    closed_at: float | None


class Attempts:
    """The calls of one database."""

    _pool: Pool

    def attempt_page(
        self,
        *,
        campaign: str | None = None,
        lead: int | None = None,
        outcome: str | None = None,
        disposition: str | None = None,
        since: float | None = None,
        until: float | None = None,
        limit: int = 100,
    ) -> list[AttemptView]:
        """Newest first; None = of any; opened in [since, until)."""
        words = {"campaign": campaign, "lead": lead, "outcome": outcome, "disposition": disposition, "since": since, "until": until, "limit": limit}
        return [AttemptView(*row) for row in self._pool.rows("attempt_page", words)]

    def attempt_evidence(self, attempt: str) -> Evidence | None:
        """One call; None when there is none of that id. `attempt`: a uuid."""
        found = self._pool.rows("attempt_evidence", {"attempt": attempt})
        return Evidence(*found[0]) if found else None

    def campaign_evidence(self, campaign: str, since: float | None = None, until: float | None = None) -> Iterator[Evidence]:
        """All calls of a campaign that are over, oldest first, as of the moment of the first; some at a time in memory."""
        with self._pool.transaction() as cursor:
            rows(cursor, "declare_evidence", {"campaign": campaign, "since": since, "until": until})
            while some := rows(cursor, "fetch_evidence"):
                for row in some:
                    yield Evidence(*row)
