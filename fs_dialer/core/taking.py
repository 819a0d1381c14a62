"""May an agent take this lead of a manual campaign now: his quota, and the lead itself (S11, S29–S33, D16).

Pure: what a store has counted and looked up in, a refusal or None out, so that every store refuses alike. The gates' words stand in leads.py. Hours are
known here as the zone sets that are open; what only the moment of dialling can tell (caps, calls to the number) is asked then.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from fs_dialer.core.actions import TakeLeadNow
from fs_dialer.core.leads import ATTEMPTS, DO_NOT_CALL, GAP, HOURS, NO_CALLBACK, QUOTA, STATUS
from fs_dialer.core.model import AgentId, CampaignId, LeadStatus, Refusal
from fs_dialer.core.promises import PROMISE_S
from fs_dialer.core.spans import day_at, day_span

NO_LEAD, LEAD_UNKNOWN, LEAD_TAKEN, LEAD_PROMISED, ALREADY_OPEN = "no_lead", "lead_unknown", "lead_taken", "lead_promised", "already_open"
FREE = frozenset({LeadStatus.NEW, LeadStatus.RETRY, LeadStatus.CALLBACK_SCHEDULED})
AGENT_MAY_NOT_SHORTEN = frozenset({"fault", "not_before", "no_callback"})
"""Why a lead waits, where that is not the break after its last call: a fault of ours (D3) and the word of its list stand; a promise, a rule's time and
the break are his to shorten (S11, D14)."""


@dataclass(frozen=True, slots=True)
class Customers:
    """Customers of the day who count against an agent's quota: those he has called, and those in his hands. here: of this campaign; all: of any."""

    here: Set[object]
    all: Set[object]

    def left(self, action: TakeLeadNow) -> int | None:
        """How many more he may take; None = no quota. The stricter of his own and the campaign's (D16)."""
        bounds = [quota - len(taken) for quota, taken in ((action.quota, self.here), (action.quota_of_agent, self.all)) if quota is not None]
        return max(0, min(bounds)) if bounds else None

    def refusal(self, action: TakeLeadNow, customer: object | None, zone: str, now: float) -> Refusal | None:
        """`customer` None: one who is not known yet, and so counts. Whoever was counted already costs nothing more. `zone`: whose day it is."""
        for quota, taken in ((action.quota, self.here), (action.quota_of_agent, self.all)):
            if quota is not None and len(taken) >= quota and (customer is None or customer not in taken):
                return Refusal(QUOTA, day_span(day_at(now, zone), zone).until)
        return None

    def and_this(self, customer: object) -> Customers:
        """With the one he has just taken."""
        return Customers(self.here | {customer}, self.all | {customer})


@dataclass(frozen=True, slots=True)
class Offered:
    """A lead as its store has it. claimed: a daemon that lives holds it, for dialling or for some agent; attempts_max: of its campaign."""

    campaign: CampaignId
    status: LeadStatus
    claimed: bool
    zones: tuple[str, ...]
    promised_to: AgentId | None
    ready_at: float
    ready_why: str
    attempts: int
    attempts_max: int

    def refusal(self, action: TakeLeadNow, now: float) -> Refusal | None:
        """Why the agent may not take it though he named it; None = he may."""
        if self.campaign != action.campaign:
            return Refusal(LEAD_UNKNOWN)
        match self.status:
            case LeadStatus.BLOCKED:
                return Refusal(DO_NOT_CALL)
            case LeadStatus.REFUSED:
                return Refusal(NO_CALLBACK, max(now, self.ready_at))
            case LeadStatus.IN_PROGRESS:
                return Refusal(ALREADY_OPEN)
            case status if status not in FREE:
                return Refusal(STATUS)
        if self.claimed:
            return Refusal(LEAD_TAKEN)
        if promised_to_another(self.promised_to, self.ready_at, action.agent, now):
            return Refusal(LEAD_PROMISED, self.ready_at + PROMISE_S)
        if tuple(sorted(set(self.zones))) not in {tuple(sorted(set(zones))) for zones in action.zone_sets}:
            return Refusal(HOURS)
        if self.attempts >= self.attempts_max and self.status is not LeadStatus.CALLBACK_SCHEDULED:
            return Refusal(ATTEMPTS)
        if self.ready_at > now and self.ready_why in AGENT_MAY_NOT_SHORTEN:
            return Refusal(GAP, self.ready_at)
        return None


def promised_to_another(promised_to: AgentId | None, ready_at: float, agent: AgentId, now: float) -> bool:
    """A promised callback is its agent's, until it is so long overdue that anyone may take it."""
    return promised_to is not None and promised_to != agent and now < ready_at + PROMISE_S
