"""The HTTP interface's borders: what web/ may ask of the rest, and the values that cross.

web/ knows HTTP and these; it knows no database, no switch and no engine. Implemented by lead_desk.py, daemon_view.py, agent_web.py and db/tokens.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from fs_dialer.core.snapshot import Snapshot
from fs_dialer.db.tokens import Token
from fs_dialer.errors import FsDialerError

if TYPE_CHECKING:
    from fs_dialer.db.agent_desk import Answered, Card
    from fs_dialer.db.dispositions import Disposed, Result
    from fs_dialer.db.lead_marks import Mark, Marked

__all__ = [
    "AgentEvent", "AgentInterface", "AgentRecords", "AgentStream", "Answer", "DaemonView", "Health", "LeadDesk", "Refused", "Token", "Tokens",
]  # fmt: skip


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


# --- agents ---------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AgentEvent:
    """Something an agent's screen is told. `number` grows with each; `kind`: desk, card, reply, goodbye; `data`: JSON."""

    number: int
    kind: str
    data: bytes


class AgentStream(Protocol):
    """One screen that follows an agent's events."""

    def next(self, timeout_s: float) -> AgentEvent | None:
        """The next event; None when there is none in time. A goodbye is the last one."""

    def close(self) -> None: ...


class AgentInterface(Protocol):
    """What an agent's screen may ask for him, and a supervisor for any agent. Refused where it can not be done; StoreError while the database is away."""

    def desk(self, agent: str) -> bytes:
        """JSON: his picture now, his card, and the number of the event behind which to go on."""

    def card(self, agent: str, *, call: str | None = None, lead: int | None = None) -> Mapping[str, Any]:
        """Of the call named, the lead named, or the one he has."""

    def follow(self, agent: str, after: int | None, *, token: Token, gone: Callable[[], bool]) -> AgentStream:
        """His events behind the number `after`, or from a fresh picture on. While his own token follows, his campaign screen stays open. `gone`: has the
        other end of the line been closed?"""

    def act(self, agent: str, verb: str, body: Mapping[str, Any], *, token: Token, key: str, fingerprint: str) -> Answer:
        """Do what he asks, once for each key. `body`: whatever JSON said. `fingerprint`: of path and body."""

    def knows(self, agent: str) -> bool: ...


class AgentRecords(Protocol):
    """The database behind an agent's screen (db/agent_desk.py). None: there is no such call or lead, or it is not his. `who`: for the audit, "" = the agent."""

    def agent_card(self, agent: str, now: float, *, attempt: str | None = None, lead: int | None = None, has_call: bool = False) -> Card | None: ...
    def agent_dispose(
        self, agent: str, attempt: str, result: Result, now: float, *, note: str | None = None, has_call: bool = False, who: str = ""
    ) -> Disposed | None: ...
    def save_answers(
        self, agent: str, attempt: str, answers: Mapping[str, Sequence[str]], now: float, *, note: str | None = None, has_call: bool = False, who: str = ""
    ) -> Answered | None: ...
    def agent_mark(
        self, agent: str, mark: Mark, now: float, *, attempt: str | None = None, lead: int | None = None, why: str = "", has_call: bool = False, who: str = ""
    ) -> Marked | None: ...
