"""One lead under lock: how it stands, and what an update of the core makes of it.

Knows the columns of leads and how a LeadUpdate moves them, as close_attempts does for a call that ended. Whoever writes holds the row and is inside a
transaction: a daemon that has the lead in its hands waits at the last gate, finds it changed, and lets go.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from fs_dialer.config.codec import campaign_from_json
from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import AgentId, CampaignId, CampaignState, Lead, LeadId, LeadStatus, LeadUpdate
from fs_dialer.db import codec
from fs_dialer.db.pool import Cursor, rows
from fs_dialer.errors import StoreError

UNFINISHED = frozenset(status.value for status in codec.UNFINISHED)
OVER = (CampaignState.DRAINING, CampaignState.ENDED)
LOCK_TRIES = 5
COPIES = 20  # bits: a lead on its contact's next number has id << COPIES for its copy, which no copy made on purpose reaches


@dataclass(frozen=True, slots=True)
class LeadState:
    """A row of leads. `call`: the attempt that is open for it; `claimed`: a daemon holds it. Times are epoch seconds."""

    id: int
    campaign: str
    contact: int
    number: str
    zone_set: str
    status: str
    attempts: int
    ours_in_row: int
    ready_at: float
    ready_why: str
    held_by: str
    agent: str | None
    status_before: str | None
    caller_id: str
    other_numbers: list[list[str]]
    parameters: Mapping[str, Any]
    copy: int
    claimed: bool
    call: str | None

    @property
    def zones(self) -> tuple[str, ...]:
        return codec.zones(self.zone_set)

    @property
    def unfinished(self) -> bool:
        return self.status in UNFINISHED

    def lead(self) -> Lead:
        """As the core reasons about it."""
        return Lead(
            LeadId(self.id),
            CampaignId(self.campaign),
            self.number,
            self.zones,
            LeadStatus(self.status),
            self.attempts,
            self.ours_in_row,
            self.ready_at,
            self.ready_why,
            AgentId(self.agent) if self.agent else None,
            self.caller_id,
            len(self.other_numbers),
            self.held_by,
        )

    def to_json(self) -> dict[str, Any]:
        """What may change, for the audit; `same_as` and `restored` read it back."""
        return {key: value for key, value in asdict(self).items() if key not in ("id", "campaign", "contact", "claimed", "call")}

    def same_as(self, kept: Mapping[str, Any]) -> bool:
        """Whether nobody has changed it since. A daemon that found a gate shut has only put off when to ask again; times went through microseconds."""
        mine = self.to_json()
        put_off = bool(self.held_by) and self.ready_at > kept["ready_at"]
        return (put_off or abs(self.ready_at - kept["ready_at"]) < 0.01) and all(
            mine[key] == value for key, value in kept.items() if key in mine and key not in ("held_by", "ready_at")
        )

    def restored(self, kept: Mapping[str, Any]) -> LeadState:
        return replace(self, **{key: value for key, value in kept.items() if key in self.to_json()})

    def rotated(self, *, drop: bool = False) -> LeadState:
        """On the contact's next number; this one goes to the end, or is not called any more. Without another number nothing changes."""
        if not self.other_numbers:
            return self
        (number, zone_set), *rest = self.other_numbers
        others = rest if drop else [*rest, [self.number, self.zone_set]]
        return replace(self, number=number, zone_set=zone_set, other_numbers=others, copy=self.id << COPIES)


def lock_lead(cursor: Cursor, lead: int) -> LeadState | None:
    """The lead, with all leads of its number, locked to the end of the transaction; None when there is none of that id."""
    for _ in range(LOCK_TRIES):
        found = rows(cursor, "lock_lead", {"lead": lead})
        if not found:
            return None
        state = LeadState(*found[0])
        # While the locks were waited for it may have gone on to another number, whose leads are not locked then.
        if rows(cursor, "lock_lead", {"lead": lead})[0][3] == state.number:
            return state
    raise StoreError(f"lead {lead} changes all the time: try again")


def updated(state: LeadState, update: LeadUpdate) -> LeadState:
    """What the core's update makes of the row, do-not-call marks and groups apart."""
    refused = update.status is LeadStatus.REFUSED
    before = update.status_before.value if refused and update.status_before else None
    if before in ("in_progress", "refused", "blocked"):
        before = "retry"
    moved = state.rotated(drop=update.number == "drop") if update.number else state
    return replace(
        moved,
        status=update.status.value,
        attempts=update.attempts,
        ours_in_row=update.ours_in_row,
        ready_at=update.ready_at,
        ready_why=update.ready_why,
        held_by="no_callback" if refused else "",
        agent=update.agent,
        status_before=before,
        parameters={**state.parameters, **dict(update.set)},
    )


def write(cursor: Cursor, state: LeadState) -> None:
    """Write it, take it out of a daemon's hands unless its call is up, and tell the daemon."""
    words = {
        **{key: value for key, value in asdict(state).items() if key not in ("id", "call", "claimed", "contact", "campaign", "caller_id")},
        "lead": state.id,
        "ready_at": codec.epoch_time(state.ready_at),
        "other_numbers": json.dumps(state.other_numbers),
        "parameters": json.dumps(dict(state.parameters)),
        "in_call": state.call is not None,
    }
    if not rows(cursor, "write_lead", words):
        raise StoreError(f"lead {state.id} has gone")
    rows(cursor, "hint", {"kind": "leads", "name": state.campaign})


@dataclass(frozen=True, slots=True)
class Home:
    """A lead's campaign at the revision that dials."""

    campaign: Campaign
    state: CampaignState


def home_of(cursor: Cursor, state: LeadState) -> Home:
    found = rows(cursor, "campaigns", {"name": state.campaign})
    name, life, revision, definition = found[0][0], found[0][1], found[0][5], found[0][6]
    campaign = codec.definition(campaign_from_json, definition, f"campaign {name} r{revision}")
    return Home(replace(campaign, revision=revision), CampaignState(life))


def wishes(cursor: Cursor, number: str, campaign: str, now: float) -> tuple[list[str], float | None]:
    """The do-not-call lists that name a number, and until when it is left alone by this campaign; None = it did not ask."""
    lists, until = rows(cursor, "wishes_of_number", {"number": number, "campaign": campaign, "now": now})[0]
    return list(lists), until


def is_agent(cursor: Cursor, agent: str) -> bool:
    return bool(rows(cursor, "agent_exists", {"agent": agent})[0][0])


def tell_finished(cursor: Cursor, before: LeadState, after: LeadState, attempt: str | None = None, outcome: str = "") -> None:
    """For triggers: a lead that could still be called cannot any more."""
    if before.unfinished and not after.unfinished:
        data = {
            "campaign": after.campaign,
            "lead": after.id,
            "attempt": attempt,
            "number": before.number,
            "outcome": outcome,
            "status": after.status,
        }
        rows(cursor, "lead_finished_happened", {"data": json.dumps(data)})


def note(cursor: Cursor, who: str, what: str, target: str, why: str, details: Mapping[str, Any]) -> None:
    """One line of the audit."""
    rows(cursor, "audit", {"who": who, "what": what, "target": target, "why": why, "details": json.dumps(dict(details))})
