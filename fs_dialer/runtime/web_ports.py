"""The HTTP interface's borders: what web/ may ask of the rest, and the values that cross.

web/ knows HTTP and these; it knows no database, no switch and no engine. Implemented by lead_desk.py, daemon_view.py and db/tokens.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from fs_dialer.core.snapshot import Snapshot
from fs_dialer.db.tokens import Token
from fs_dialer.errors import FsDialerError

__all__ = ["Answer", "DaemonView", "Health", "LeadDesk", "Refused", "Token", "Tokens"]


class Refused(FsDialerError):
    """A request that cannot be done as it is. `status`: HTTP's; `error`: one word for programs; `why` and `mend`: for people."""

    def __init__(self, status: int, error: str, why: str, mend: str, *, retry_after_s: int | None = None) -> None:
        self.status, self.error, self.why, self.mend, self.retry_after_s = status, error, why, mend, retry_after_s
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request came to. `replayed`: it had been answered before under the same key, and nothing was done now."""

    status: int
    body: Mapping[str, Any]
    replayed: bool = False


class LeadDesk(Protocol):
    """Whoever takes leads and do-not-call numbers in. Refused where nothing was done; StoreError while the database cannot be used."""

    def add_leads(self, campaign: str, rows: object, *, token: str, key: str, fingerprint: str) -> Answer:
        """A list of contacts for a campaign (M22). `rows`: whatever JSON said. `fingerprint`: of path and body, for the idempotency key."""

    def forbid(self, request: object, *, token: str) -> Answer:
        """Numbers for a do-not-call list."""


@dataclass(frozen=True, slots=True)
class Health:
    """`reasons` why this daemon should get no work; () = it is well. `active`: it is the one that dials."""

    active: bool
    reasons: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.reasons


class DaemonView(Protocol):
    """What can be seen of a running daemon."""

    def health(self) -> Health: ...
    def snapshot(self) -> Snapshot | None:
        """The engine now; None while this daemon stands by."""

    def lead_counts(self) -> Mapping[tuple[str, str], int]:
        """Leads by campaign and status, at most half a minute old; what was known last where the database cannot be asked."""

    def latencies_s(self) -> Mapping[str, float | None]:
        """By name: `inbox`, the age of the oldest event that waits; `esl` and `database`, a question and its answer. None = not known."""


class Tokens(Protocol):
    def holder(self, secret: str) -> Token | None:
        """Whose secret this is; None when it is nobody's, was revoked or has expired."""
