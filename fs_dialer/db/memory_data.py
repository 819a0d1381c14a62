"""What a store in memory holds: campaigns, agents, leads, attempts, lists and marks, tickets and events.

Knows the shape of the data and the heaps that make claims cheap; what a daemon does with it is memory.py's, what an admin does memory_office.py's. Plain
Python, neither psycopg2 nor gevent. Each zone set of a campaign has a heap by (ready_at, position). An entry whose lead is no longer claimable, or stands
at another place by now, is stale and dropped when it comes to the top.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

from fs_dialer.core.definition import Campaign, Installation
from fs_dialer.core.model import (
    AgentId,
    AgentTimes,
    Attempt,
    AttemptId,
    AttemptResult,
    CampaignId,
    CampaignState,
    CommandId,
    Lead,
    LeadId,
    LeadStatus,
    SwitchId,
)
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.core.stored import StoredAgent, StoredCommand
from fs_dialer.db.codec import CLAIMABLE, UNFINISHED, kind_of, zones

Entry = tuple[float, int, int]  # ready_at, position, lead
NO_CALLBACK = "no_callback"  # the gate, and why a lead waits


@dataclass(slots=True)
class KeptLead:
    """A lead. `contact` is the contact's first number, `queue` the heap of its campaign and zone set, `claimed` the epoch that holds it."""

    id: LeadId
    campaign: CampaignId
    number: str
    zones: tuple[str, ...]
    queue: list[Entry]
    status: LeadStatus
    ready_at: float
    position: int
    contact: str = ""
    attempts: int = 0
    ours_in_row: int = 0
    held_by: str = ""
    claimed: int | None = None
    ready_why: str = ""
    agent: AgentId | None = None
    caller_id: str = ""
    others: tuple[tuple[str, str], ...] = ()  # the contact's numbers after this one, each with its zone set
    parameters: Mapping[str, str] = field(default_factory=dict)
    status_before: LeadStatus | None = None
    met: AgentId | None = None
    last: str = ""  # the outcome of its last attempt that says anything of the callee
    take: KeptTake | None = None  # by which it came into the hands that hold it; None = by a claim for dialling

    def enqueue(self) -> None:
        """Make it claimable again, if its status says so."""
        if self.claimed is None and self.status in CLAIMABLE:
            heappush(self.queue, (self.ready_at, self.position, self.id))

    def seen(self, status: LeadStatus) -> Lead:
        """As the core sees it."""
        return Lead(
            self.id,
            self.campaign,
            self.number,
            self.zones,
            status,
            self.attempts,
            self.ours_in_row,
            self.ready_at,
            self.ready_why,
            self.agent,
            self.caller_id,
            len(self.others),
            met=self.met,
            last=self.last,
            kind=kind_of(self.number),
        )


@dataclass(slots=True, eq=False)
class KeptTake:
    """A customer that an agent took. `dialled`: it was called, and counts for good."""

    agent: AgentId
    campaign: CampaignId
    lead: LeadId
    customer: str
    taken_at: float
    dialled: bool = False


@dataclass(slots=True)
class KeptCampaign:
    """A campaign with all its revisions. `memory` is JSON; `unfinished` counts leads that may still be dialled some day."""

    revisions: list[Campaign]
    approved: int | None = None
    state: CampaignState = CampaignState.NEW
    started: bool = False
    reason: str = ""
    memory: str | None = None
    queues: dict[str, list[Entry]] = field(default_factory=dict)  # by zone set
    first: set[LeadId] = field(default_factory=set)  # to be claimed before all others, and some that were
    unfinished: int = 0
    leads: list[KeptLead] = field(default_factory=list)


@dataclass(slots=True)
class KeptCommand:
    command: StoredCommand
    answer: tuple[bool, str] | None = None


@dataclass(slots=True)
class KeptTicket:
    """What somebody should look at. Of a queue's caller it has a queue and no attempt; closed_how: served, called_back, expired, "" = it is open."""

    id: int
    channel: str
    campaign: CampaignId | None
    lead: LeadId | None
    attempt: AttemptId | None
    number: str
    agent: AgentId | None
    outcome: str
    queue: str = ""
    since: float = 0.0
    expires_at: float | None = None
    note: str = ""
    recording: str = ""
    closed_how: str = ""
    closed_by: str = ""

    @property
    def open(self) -> bool:
        return not self.closed_how


@dataclass(slots=True)
class KeptCaller:
    """A caller of a queue. why: how he left, "" = he has not; found: by rows that the switch kept alone."""

    id: AttemptId
    queue: str
    number: str
    came_at: float
    asked_at: float | None = None
    served_at: float | None = None
    left_at: float | None = None
    why: str = ""
    agent: AgentId | None = None
    waited_s: float = 0.0
    talked_s: float = 0.0
    missed: bool = False
    found: bool = False
    switch: str = ""
    ticket: int | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """An attempt that is over, with what was decided about its lead."""

    attempt: Attempt
    result: AttemptResult
    decision: str


class MemoryDatabase:
    """What the stores of one database share. `leader` is the store that is the active daemon."""

    def __init__(self) -> None:
        self.installation = Installation()
        self.campaigns: dict[CampaignId, KeptCampaign] = {}
        self.agents: dict[AgentId, StoredAgent] = {}
        self.teams: dict[str, tuple[AgentId, ...]] = {}
        self.drained: dict[SwitchId, float] = {}
        self.leads: dict[LeadId, KeptLead] = {}
        self.lead_of: dict[tuple[CampaignId, str], LeadId] = {}  # by contact
        self.leads_by_number: dict[str, list[LeadId]] = {}
        self.contact_zones: dict[str, str] = {}  # zone sets of the directory, by number
        self.attributes: dict[str, dict[str, str]] = {}  # of contacts
        self.refused: set[LeadId] = set()
        self.last_position = 0
        self.groups: dict[str, set[str]] = {}  # group → contacts
        self.do_not_call: dict[str, set[str]] = {}  # number → lists
        self.prefixes: dict[str, set[str]] = {}  # prefix → lists
        self.no_callback: dict[tuple[str, str], float] = {}  # number and campaign ("" = all) → until
        self.open: dict[AttemptId, tuple[Attempt, LeadStatus]] = {}
        self.open_of: dict[LeadId, AttemptId] = {}
        self.open_to: dict[str, set[LeadId]] = {}  # number → leads that are being called there
        self.closed: dict[AttemptId, Closed] = {}
        self.calls_to: dict[str, list[float]] = {}  # number → when calls that reached the network were opened
        self.heard: set[str] = set()  # events that a trigger listens for
        self.happenings: list[tuple[str, dict[str, Any]]] = []
        self.tickets: list[KeptTicket] = []
        self.queues: dict[str, QueueDefinition] = {}
        self.requests: list[KeptTicket] = []  # those of tickets that queues' callers left
        self.callers: dict[AttemptId, KeptCaller] = {}
        self.withdrawn: list[tuple[CampaignId, LeadId]] = []  # stopped because their customers were served otherwise, or their time was over
        self.takes: dict[AgentId, list[KeptTake]] = {}
        self.owners: dict[str, AgentId] = {}  # contact → who manages the account
        self.agent_hours: dict[tuple[AgentId, float], AgentTimes] = {}
        self.commands: dict[CommandId, KeptCommand] = {}
        self.audit: list[tuple[float, str, str, str, str]] = []  # at, who, what, target, why
        self.leader: object | None = None
        self.epoch = 0

    # --- leads --------------------------------------------------------------------------------------------------------------------------

    def set_status(self, lead: KeptLead, status: LeadStatus) -> None:
        """The only way a lead's status changes: the campaign's count of unfinished leads goes with it."""
        self.campaigns[lead.campaign].unfinished += (status in UNFINISHED) - (lead.status in UNFINISHED)
        if status is LeadStatus.REFUSED:
            self.refused.add(lead.id)
        elif lead.status is LeadStatus.REFUSED:
            self.refused.discard(lead.id)
        lead.status = status

    def prune(self, queue: list[Entry]) -> bool:
        """Drop stale entries from the top; whether one is left."""
        leads = self.leads
        while queue:
            ready_at, position, id = queue[0]
            lead = leads[LeadId(id)]
            if lead.ready_at == ready_at and lead.position == position and lead.claimed is None and lead.status in CLAIMABLE and lead.queue is queue:
                return True
            heappop(queue)
        return False

    def leads_of(self, number: str) -> list[KeptLead]:
        """A number's leads in all campaigns, oldest first."""
        return [self.leads[id] for id in sorted(self.leads_by_number.get(number, ()))]

    def next_position(self) -> int:
        self.last_position += 1
        return self.last_position

    def refuse(self, lead: KeptLead, until: float, before: LeadStatus | None) -> None:
        """Leave it alone until then; nobody holds it any more, unless its call is up."""
        if lead.status is not LeadStatus.IN_PROGRESS:
            lead.claimed = None
        lead.status_before, lead.ready_at, lead.ready_why, lead.held_by = before, until, NO_CALLBACK, NO_CALLBACK
        self.set_status(lead, LeadStatus.REFUSED)

    def return_refused(self, lead: KeptLead) -> None:
        """It is what it was before; in progress when its call is up."""
        before = lead.status_before or (LeadStatus.RETRY if lead.attempts else LeadStatus.NEW)
        lead.status_before, lead.ready_why, lead.held_by = None, "", ""
        self.set_status(lead, LeadStatus.IN_PROGRESS if lead.id in self.open_of else before)
        lead.enqueue()

    def rotate(self, lead: KeptLead, *, keep: bool) -> None:
        """Its contact's next number comes first; the one it had goes to the end, or (not keep) away."""
        (number, zone_set), *rest = lead.others
        lead.others = (*rest, (lead.number, "|".join(lead.zones))) if keep else tuple(rest)
        self.leads_by_number[lead.number].remove(lead.id)
        self.leads_by_number.setdefault(number, []).append(lead.id)
        lead.number, lead.zones = number, zones(zone_set)
        lead.queue = self.campaigns[lead.campaign].queues.setdefault(zone_set, [])

    # --- whom not to call ---------------------------------------------------------------------------------------------------------------

    def is_forbidden(self, number: str) -> bool:
        """On a do-not-call list, itself or by a prefix."""
        return number in self.do_not_call or any(number.startswith(prefix) for prefix in self.prefixes)

    def left_alone_until(self, number: str, campaign: CampaignId, at: float) -> float | None:
        """The last of the marks that hold at this time, None = none does."""
        marks = (self.no_callback.get((number, scope), at) for scope in (campaign, ""))
        until = max(marks)
        return until if until > at else None

    def cap_until(self, number: str, caps: Sequence[tuple[int, float]], at: float) -> float | None:
        """When a number that was called often enough may be called again; None = now. Finished calls only: one that is open stops the next by itself."""
        until: float | None = None
        for most, within_s in caps:
            recent = sorted((opened_at for opened_at in self.calls_to.get(number, ()) if opened_at > at - within_s), reverse=True)
            if len(recent) >= most:
                until = max(until or 0.0, recent[most - 1] + within_s)
        return until

    # --- events -------------------------------------------------------------------------------------------------------------------------

    def happen(self, kind: str, **data: Any) -> None:
        """An event, if a trigger listens for it."""
        if kind in self.heard:
            self.happenings.append((kind, data))
