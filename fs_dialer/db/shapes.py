"""What goes into and comes out of a store's back office: rows to import, what an apply or import did, the lines of reports.

Plain values only: dataclasses.asdict makes them JSON. Times are epoch seconds. What a running daemon is handed stands in core/stored.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fs_dialer.core.model import CommandId

# --- changes --------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """What an apply did to one thing.

    kind: campaign, agent, installation, schedule, caller_id …; what: created, changed, rewritten (other words, the same meaning), removed, ended, unchanged.
    revision: a campaign's newest. leads: how many joined a campaign by it, None = it was not asked who could.
    """

    kind: str
    name: str
    what: str
    revision: int | None = None
    needs_approval: bool = False
    leads: int | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """`ending`: campaigns that are to end, each with the command that the daemon was given."""

    changes: tuple[Change, ...]
    ending: tuple[tuple[str, CommandId], ...] = ()

    @property
    def changed(self) -> tuple[Change, ...]:
        """All but the unchanged."""
        return tuple(change for change in self.changes if change.what != "unchanged")


@dataclass(frozen=True, slots=True)
class Revision:
    """approved: whether it is the one that dials, None = needs no approval. there: False = the thing was taken away with it."""

    revision: int
    at: float
    who: str
    plan: str | None
    why: str
    approved: bool | None
    there: bool


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """base: the fingerprint of the world it was made from. undo: what stood before, None until it is applied."""

    id: str
    who: str
    created_at: float
    base: str
    content: Mapping[str, Any]
    effect: Mapping[str, Any]
    applied_at: float | None
    applied_by: str | None
    undo: Sequence[Mapping[str, Any]] | None


@dataclass(frozen=True, slots=True)
class Listed:
    """numbers: entries that came or went; leads: leads that were blocked or returned."""

    numbers: int
    leads: int


class LeadRow(NamedTuple):
    """One row to import. number: E.164. zones: every zone the number may be in. ready_at: epoch seconds, not to be called before; None = now."""

    number: str
    zones: Sequence[str] = ()
    name: str = ""
    attributes: Mapping[str, str] = {}
    ready_at: float | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """rows = new + do_not_call + no_callback + known + twice.

    do_not_call joined as `blocked`, no_callback as `refused`; known were in the campaign; twice: more rows of one number.
    """

    rows: int
    new: int
    do_not_call: int
    known: int
    twice: int
    no_callback: int = 0


# --- reports --------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AgentLine:
    id: str
    name: str
    leg: str
    dial_string: str
    status: str
    reason: str
    status_at: float
    campaigns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """`revision` dials; `newest_revision` is above it while a change waits for approval. `leads` names every status, `outcomes_today` what was."""

    name: str
    type: str
    title: str
    state: str
    started: bool
    reason: str
    revision: int
    newest_revision: int
    approved: bool
    updated_at: float
    zone: str
    leads: Mapping[str, int]
    attempts_today: int
    open_attempts: int
    missed_today: int
    outcomes_today: Mapping[str, int]
    agents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeadLine:
    id: int
    campaign: str
    number: str
    name: str
    zones: tuple[str, ...]
    status: str
    attempts: int
    ours_in_row: int
    ready_at: float
    held_by: str
    claimed: bool
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """`outcome` and what follows are None while the attempt is open."""

    id: str
    revision: int
    leg: str
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


@dataclass(frozen=True, slots=True)
class LeadHistory:
    lead: LeadLine
    attempts: tuple[AttemptLine, ...]


@dataclass(frozen=True, slots=True)
class ListedNumber:
    number: str
    list: str
    reason: str
    added_by: str
    added_at: float


@dataclass(frozen=True, slots=True)
class AuditLine:
    at: float
    who: str
    what: str
    target: str
    why: str
    details: Mapping[str, Any]
