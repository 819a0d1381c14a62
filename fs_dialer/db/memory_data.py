"""What a store in memory holds, and its back office: campaigns, agents, leads, do-not-call lists, commands.

Knows the shape of the data and the heaps that make claims cheap; what a daemon does with it is memory.py's. Plain Python, neither psycopg2 nor
gevent. Each zone set of a campaign has a heap by (ready_at, position). An entry whose lead is no longer claimable, or ready at another time, is stale
and dropped when it comes to the top.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

from fs_dialer.core.definition import AgentDefinition, Campaign, Installation
from fs_dialer.core.model import (
    AgentId,
    AgentStatus,
    Attempt,
    AttemptId,
    AttemptResult,
    CampaignId,
    CampaignState,
    CommandId,
    Lead,
    LeadId,
    LeadStatus,
)
from fs_dialer.core.stored import StoredAgent, StoredCommand
from fs_dialer.db.codec import CLAIMABLE, UNFINISHED, zone_set, zones
from fs_dialer.db.shapes import Imported, LeadRow, Listed
from fs_dialer.errors import StoreError

Entry = tuple[float, int, int]  # ready_at, position, lead


@dataclass(slots=True)
class KeptLead:
    """A lead. `queue` is the heap of its campaign and zone set; `claimed` the epoch that holds it."""

    id: LeadId
    campaign: CampaignId
    number: str
    zones: tuple[str, ...]
    queue: list[Entry]
    status: LeadStatus
    ready_at: float
    position: int
    attempts: int = 0
    ours_in_row: int = 0
    held_by: str = ""
    claimed: int | None = None

    def enqueue(self) -> None:
        """Make it claimable again, if its status says so."""
        if self.claimed is None and self.status in CLAIMABLE:
            heappush(self.queue, (self.ready_at, self.position, self.id))

    def seen(self, status: LeadStatus) -> Lead:
        """As the core sees it."""
        return Lead(self.id, self.campaign, self.number, self.zones, status, self.attempts, self.ours_in_row, self.ready_at)


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
    unfinished: int = 0
    leads: list[KeptLead] = field(default_factory=list)


@dataclass(slots=True)
class KeptCommand:
    command: StoredCommand
    answer: tuple[bool, str] | None = None


class MemoryDatabase:
    """What the stores of one database share. `leader` is the store that is the active daemon."""

    def __init__(self) -> None:
        self.installation = Installation()
        self.campaigns: dict[CampaignId, KeptCampaign] = {}
        self.agents: dict[AgentId, StoredAgent] = {}
        self.leads: dict[LeadId, KeptLead] = {}
        self.lead_of: dict[tuple[CampaignId, str], LeadId] = {}
        self.do_not_call: dict[str, set[str]] = {}  # number → lists
        self.open: dict[AttemptId, tuple[Attempt, LeadStatus]] = {}
        self.open_of: dict[LeadId, AttemptId] = {}
        self.closed: dict[AttemptId, tuple[CampaignId, AttemptResult]] = {}
        self.commands: dict[CommandId, KeptCommand] = {}
        self.audit: list[tuple[float, str, str, str, str]] = []  # at, who, what, target, why
        self.leader: object | None = None
        self.epoch = 0

    def set_status(self, lead: KeptLead, status: LeadStatus) -> None:
        """The only way a lead's status changes: the campaign's count of unfinished leads goes with it."""
        self.campaigns[lead.campaign].unfinished += (status in UNFINISHED) - (lead.status in UNFINISHED)
        lead.status = status

    def prune(self, queue: list[Entry]) -> bool:
        """Drop stale entries from the top; whether one is left."""
        leads = self.leads
        while queue:
            ready_at, _, id = queue[0]
            lead = leads[LeadId(id)]
            if lead.ready_at == ready_at and lead.claimed is None and lead.status in CLAIMABLE:
                return True
            heappop(queue)
        return False

    def leads_of(self, number: str) -> list[KeptLead]:
        """A number's leads in all campaigns."""
        found = (self.lead_of.get((campaign, number)) for campaign in self.campaigns)
        return [self.leads[id] for id in found if id is not None]


class MemoryOffice:
    """The back office of a MemoryDatabase. `clock`: epoch seconds, for stamps and for leads that are ready at once."""

    def __init__(self, clock: Callable[[], float], database: MemoryDatabase | None = None) -> None:
        self._clock = clock
        self._db = database or MemoryDatabase()

    def set_installation(self, installation: Installation) -> None:
        self._db.installation = installation

    def add_campaign(self, campaign: Campaign, state: CampaignState = CampaignState.NEW, *, started: bool = False, who: str = "simulate") -> int:
        """A new campaign, or a new revision where the definition changed; its newest revision. A state other than new approves it at once."""
        kept = self._db.campaigns.get(campaign.id)
        if kept is None:
            kept = self._db.campaigns[campaign.id] = KeptCampaign([])
        if not kept.revisions or replace(kept.revisions[-1], revision=0) != replace(campaign, revision=0):
            kept.revisions.append(replace(campaign, revision=len(kept.revisions) + 1))
            self._note(who, "apply_campaign", campaign.id, "")
        if state is not CampaignState.NEW:
            kept.state, kept.started, kept.approved = state, started, len(kept.revisions)
        return len(kept.revisions)

    def add_agents(self, agents: Iterable[AgentDefinition], status: AgentStatus = AgentStatus.NOT_AVAILABLE) -> None:
        """New agents with this status; a known one keeps what he declared."""
        for agent in agents:
            kept = self._db.agents.get(agent.id)
            self._db.agents[agent.id] = StoredAgent(agent, status, "") if kept is None else replace(kept, agent=agent)

    def add_leads(self, campaign: CampaignId, leads: Iterable[LeadRow], who: str = "simulate") -> Imported:
        """Leads into a campaign that exists; a row without ready_at is ready since now. StoreError when there is no such campaign."""
        kept = self._db.campaigns.get(campaign)
        if kept is None:
            raise StoreError(f"there is no campaign {campaign}; apply its definition first")
        counts: Counter[str] = Counter()
        seen: set[str] = set()
        for number, row_zones, _, _, ready_at in leads:
            counts["rows"] += 1
            if number in seen:
                counts["twice"] += 1
            elif (campaign, number) in self._db.lead_of:
                counts["known"] += 1
            else:
                lead = self._add_lead(campaign, kept, number, row_zones, self._clock() if ready_at is None else ready_at)
                counts["new" if lead.status is LeadStatus.NEW else "do_not_call"] += 1
            seen.add(number)
        self._note(who, "import_leads", campaign, "")
        return Imported(counts["rows"], counts["new"], counts["do_not_call"], counts["known"], counts["twice"])

    def _add_lead(self, campaign: CampaignId, kept: KeptCampaign, number: str, row_zones: Sequence[str], ready_at: float) -> KeptLead:
        text = zone_set(row_zones)
        blocked = number in self._db.do_not_call
        id = LeadId(len(self._db.leads) + 1)
        status = LeadStatus.BLOCKED if blocked else LeadStatus.NEW
        lead = KeptLead(id, campaign, number, zones(text), kept.queues.setdefault(text, []), status, ready_at, id)
        lead.held_by = "do_not_call" if blocked else ""
        self._db.leads[id] = lead
        self._db.lead_of[campaign, number] = id
        kept.leads.append(lead)
        kept.unfinished += not blocked
        lead.enqueue()
        return lead

    def do_not_call_add(self, numbers: Iterable[str], who: str, list: str = "own", reason: str = "") -> Listed:
        """Put numbers on a list; their unfinished leads become blocked."""
        listed = blocked = 0
        for number in sorted(set(numbers)):
            lists = self._db.do_not_call.setdefault(number, set())
            if list not in lists:
                lists.add(list)
                listed += 1
                self._note(who, "do_not_call_add", number, reason)
            for lead in self._db.leads_of(number):
                if lead.status in UNFINISHED:
                    if lead.status is not LeadStatus.IN_PROGRESS:
                        lead.claimed = None
                    lead.held_by = "do_not_call"
                    self._db.set_status(lead, LeadStatus.BLOCKED)
                    blocked += 1
        return Listed(listed, blocked)

    def do_not_call_remove(self, numbers: Iterable[str], who: str, list: str | None = None, reason: str = "") -> Listed:
        """Take numbers off a list, or off all; leads that no list blocks any more return."""
        removed = returned = 0
        for number in sorted(set(numbers)):
            lists = self._db.do_not_call.get(number, set())
            gone = lists & {list} if list is not None else set(lists)
            lists -= gone
            removed += len(gone)
            if gone:
                self._note(who, "do_not_call_remove", number, reason)
            if not gone or lists:
                continue
            del self._db.do_not_call[number]
            for lead in self._db.leads_of(number):
                if lead.status is LeadStatus.BLOCKED:
                    called = LeadStatus.RETRY if lead.attempts else LeadStatus.NEW
                    self._db.set_status(lead, LeadStatus.IN_PROGRESS if lead.id in self._db.open_of else called)
                    lead.held_by = ""
                    lead.enqueue()
                    returned += 1
        return Listed(removed, returned)

    def submit_command(self, verb: str, target: str, args: Mapping[str, str], who: str) -> CommandId:
        """As an operator asks; the id counts the commands, so that equal runs have equal ids."""
        id = CommandId(f"00000000-0000-4000-8000-{len(self._db.commands) + 1:012d}")
        self._db.commands[id] = KeptCommand(StoredCommand(id, verb, target, who, dict(args)))
        self._note(who, verb, target, args.get("reason", ""))
        return id

    def reply_of(self, command: CommandId) -> tuple[bool, str] | None:
        """The answer to a command, None while there is none."""
        return self._db.commands[command].answer

    # --- questions ----------------------------------------------------------------------------------------------------------------------

    def lead_counts(self, campaign: CampaignId) -> dict[str, int]:
        """Leads of a campaign by status, every status named."""
        counts = {status.value: 0 for status in LeadStatus}
        for lead in self._db.campaigns[campaign].leads:
            counts[lead.status.value] += 1
        return counts

    def outcome_totals(self, campaign: CampaignId | None = None) -> dict[str, int]:
        """Closed attempts by outcome, of one campaign or all. Only outcomes that happened."""
        return dict(sorted(Counter(result.outcome.value for result in self.results(campaign)).items()))

    def attempts_count(self, campaign: CampaignId | None = None) -> int:
        """All attempts ever, open ones too."""
        opened = sum(campaign in (None, attempt.campaign) for attempt, _ in self._db.open.values())
        return opened + len(self.results(campaign))

    def results(self, campaign: CampaignId | None = None) -> list[AttemptResult]:
        """Every closed attempt's result, in the order in which they closed."""
        return [result for name, result in self._db.closed.values() if campaign in (None, name)]

    def _note(self, who: str, what: str, target: str, why: str) -> None:
        self._db.audit.append((self._clock(), who, what, target, why))
