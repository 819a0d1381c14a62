"""The store in memory: the same contract as postgres.py, for virtual time, simulation and tests of the engine.

Plain Python, neither psycopg2 nor gevent; not for several threads. A MemoryDatabase is what several MemoryStores (daemons) share; one store alone makes
its own. Claims cost a few microseconds per lead: each zone set of a campaign has a heap by (ready_at, position). An entry whose lead is no longer
claimable, or ready at another time, is stale and dropped when it comes to the top.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush, heapreplace
from typing import Any

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
    LeadReturn,
    LeadStatus,
    LeadUpdate,
    OpenAttempt,
)
from fs_dialer.core.stored import Claim, StoredAgent, StoredCampaign, StoredCommand
from fs_dialer.db.codec import CLAIMABLE, UNFINISHED, zone_set, zones
from fs_dialer.db.shapes import Imported, LeadRow, Listed
from fs_dialer.errors import StoreError

log = logging.getLogger("fs_dialer.db")

_APPROVING = (CampaignState.APPROVED, CampaignState.RUNNING, CampaignState.PAUSED)
_Entry = tuple[float, int, int]  # ready_at, position, lead


@dataclass(slots=True)
class _Lead:
    id: LeadId
    campaign: CampaignId
    number: str
    zones: tuple[str, ...]
    queue: list[_Entry]
    status: LeadStatus
    ready_at: float
    position: int
    attempts: int = 0
    ours_in_row: int = 0
    held_by: str = ""
    claimed: int | None = None

    def claimable(self) -> bool:
        return self.claimed is None and self.status in CLAIMABLE

    def seen(self, status: LeadStatus) -> Lead:
        return Lead(self.id, self.campaign, self.number, self.zones, status, self.attempts, self.ours_in_row, self.ready_at)


@dataclass(slots=True)
class _Campaign:
    revisions: list[Campaign]
    approved: int | None = None
    state: CampaignState = CampaignState.NEW
    started: bool = False
    reason: str = ""
    memory: str | None = None
    queues: dict[str, list[_Entry]] = field(default_factory=dict)  # by zone set
    unfinished: int = 0
    leads: list[_Lead] = field(default_factory=list)


@dataclass(slots=True)
class _Command:
    command: StoredCommand
    answer: tuple[bool, str] | None = None


class MemoryDatabase:
    """What the stores of one database share."""

    def __init__(self) -> None:
        self.installation = Installation()
        self.campaigns: dict[CampaignId, _Campaign] = {}
        self.agents: dict[AgentId, StoredAgent] = {}
        self.leads: dict[LeadId, _Lead] = {}
        self.lead_of: dict[tuple[CampaignId, str], LeadId] = {}
        self.do_not_call: dict[str, set[str]] = {}
        self.open: dict[AttemptId, tuple[Attempt, LeadStatus]] = {}
        self.open_of: dict[LeadId, AttemptId] = {}
        self.closed: dict[AttemptId, tuple[CampaignId, AttemptResult]] = {}
        self.commands: dict[CommandId, _Command] = {}
        self.audit: list[tuple[float, str, str, str, str]] = []  # at, who, what, target, why
        self.leader: MemoryStore | None = None
        self.epoch = 0


class MemoryStore:
    """One daemon's view of a MemoryDatabase, and its back office. `clock`: epoch seconds, for stamps."""

    def __init__(self, clock: Callable[[], float], database: MemoryDatabase | None = None) -> None:
        self._clock = clock
        self._db = database or MemoryDatabase()
        self._epoch: int | None = None

    # --- leadership ---------------------------------------------------------------------------------------------------------------------

    def take_epoch(self, holder: str) -> int | None:
        """None while another store is the active one."""
        if self._db.leader is self:
            return self._epoch
        if self._db.leader is not None:
            return None
        self._db.leader = self
        if self._epoch is None or self._epoch != self._db.epoch:
            self._db.epoch += 1
            self._epoch = self._db.epoch
        return self._epoch

    def still_leader(self) -> bool:
        return self._db.leader is self and self._epoch == self._db.epoch

    def close(self) -> None:
        """Another store may become the active one. This one does not know it until it asks, as after a lost connection."""
        if self._db.leader is self:
            self._db.leader = None

    @property
    def epoch(self) -> int | None:
        return self._epoch

    def _own_epoch(self) -> int:
        if self._epoch is None:
            raise StoreError("this daemon is not the active one: it has no epoch")
        return self._epoch

    def _stale(self) -> bool:
        """Whether another daemon has taken over; never for a store that was no daemon."""
        return self._epoch is not None and self._epoch != self._db.epoch

    # --- definitions --------------------------------------------------------------------------------------------------------------------

    def installation(self) -> Installation:
        return self._db.installation

    def campaigns(self) -> Sequence[StoredCampaign]:
        return [self._stored(kept) for _, kept in sorted(self._db.campaigns.items())]

    def campaign(self, campaign: CampaignId) -> StoredCampaign | None:
        kept = self._db.campaigns.get(campaign)
        return None if kept is None else self._stored(kept)

    def agents(self) -> Sequence[StoredAgent]:
        return [agent for _, agent in sorted(self._db.agents.items())]

    def set_campaign_state(self, campaign: CampaignId, revision: int, state: CampaignState, started: bool, reason: str, who: str) -> None:
        """Approved, running and paused make `revision` the approved one."""
        kept = self._db.campaigns.get(campaign)
        refusal = ""
        if self._stale():
            refusal = "another daemon is the active one"
        elif kept is None:
            refusal = "there is no such campaign"
        elif not 1 <= revision <= len(kept.revisions):
            refusal = "it has no such revision"
        elif kept.approved is not None and kept.approved > revision:
            refusal = "a newer revision is approved"
        elif kept.state is CampaignState.ENDED and state is not CampaignState.ENDED:
            refusal = "it has ended"
        if refusal or kept is None:
            raise StoreError(f"campaign {campaign} r{revision} cannot become {state.value}: {refusal}")
        kept.state, kept.started, kept.reason = state, started, reason
        if state in _APPROVING:
            kept.approved = revision
        self._note(who, "campaign_state", campaign, reason)

    def set_agent_status(self, agent: AgentId, status: AgentStatus, reason: str, who: str) -> None:
        kept = self._db.agents.get(agent)
        if self._stale():
            raise StoreError(f"agent {agent} cannot become {status.value}: another daemon is the active one")
        if kept is None:
            raise StoreError(f"agent {agent} cannot become {status.value}: there is no such agent")
        self._db.agents[agent] = StoredAgent(kept.agent, status, reason)
        self._note(who, "agent_status", agent, reason)

    def save_memory(self, campaign: CampaignId, memory: Mapping[str, Any]) -> None:
        """Kept as JSON, as a database does: what comes back is a copy."""
        if not self._stale() and campaign in self._db.campaigns:
            self._db.campaigns[campaign].memory = json.dumps(dict(memory), allow_nan=False)

    def _stored(self, kept: _Campaign) -> StoredCampaign:
        newest = len(kept.revisions)
        dialled = kept.revisions[(kept.approved or newest) - 1]
        zone_sets = tuple(zones(text) for text in sorted(kept.queues))
        memory = None if kept.memory is None else json.loads(kept.memory)
        return StoredCampaign(dialled, kept.state, kept.started, kept.reason, newest, zone_sets, memory)

    # --- leads --------------------------------------------------------------------------------------------------------------------------

    def claim_leads(self, campaign: CampaignId, count: int, zone_sets: Sequence[tuple[str, ...]], now: float) -> Claim:
        epoch = self._own_epoch()
        if self._stale():
            raise StoreError("this daemon is not the active one any more: another has taken over")
        kept = self._db.campaigns.get(campaign)
        if kept is None:
            return Claim((), None, False)
        heads: list[tuple[_Entry, int, list[_Entry]]] = []
        for place, text in enumerate({zone_set(zones): None for zones in zone_sets}):
            queue = kept.queues.get(text)
            if queue and self._prune(queue):
                heads.append((queue[0], place, queue))
        heapify(heads)
        claimed: list[Lead] = []
        while heads and len(claimed) < count and heads[0][0][0] <= now:
            entry, place, queue = heads[0]
            heappop(queue)
            lead = self._db.leads[LeadId(entry[2])]
            lead.claimed = epoch
            claimed.append(lead.seen(lead.status))
            if self._prune(queue):
                heapreplace(heads, (queue[0], place, queue))
            else:
                heappop(heads)
        if len(claimed) >= count > 0:
            return Claim(tuple(claimed))
        return Claim(tuple(claimed), max(now, heads[0][0][0]) if heads else None, kept.unfinished > 0)

    def return_leads(self, campaign: CampaignId, leads: Sequence[LeadReturn]) -> None:
        epoch = self._own_epoch()
        for given in leads:
            lead = self._db.leads.get(given.lead)
            if lead is not None and lead.campaign == campaign and lead.claimed == epoch and lead.status is not LeadStatus.IN_PROGRESS:
                lead.claimed, lead.ready_at, lead.held_by = None, given.ready_at, given.held_by
                self._enqueue(lead)

    def return_all_claims(self) -> int:
        epoch, returned = self._own_epoch(), 0
        if self._stale():
            return 0
        for lead in self._db.leads.values():
            if lead.claimed is not None and lead.claimed != epoch and lead.status is not LeadStatus.IN_PROGRESS:
                lead.claimed = None
                self._enqueue(lead)
                returned += 1
        return returned

    def _prune(self, queue: list[_Entry]) -> bool:
        """Drop stale entries from the top; whether one is left."""
        leads = self._db.leads
        while queue:
            ready_at, _, id = queue[0]
            lead = leads[LeadId(id)]
            if lead.ready_at == ready_at and lead.claimed is None and lead.status in CLAIMABLE:
                return True
            heappop(queue)
        return False

    def _enqueue(self, lead: _Lead) -> None:
        if lead.claimable():
            heappush(lead.queue, (lead.ready_at, lead.position, lead.id))

    def _set_status(self, lead: _Lead, status: LeadStatus) -> None:
        self._db.campaigns[lead.campaign].unfinished += (status in UNFINISHED) - (lead.status in UNFINISHED)
        lead.status = status

    # --- attempts -----------------------------------------------------------------------------------------------------------------------

    def open_attempts(self, attempts: Sequence[Attempt]) -> Sequence[str | None]:
        epoch = self._own_epoch()
        given: set[LeadId] = set()
        verdicts = []
        for attempt in attempts:
            verdicts.append(self._open(attempt, epoch, again=attempt.lead in given))
            given.add(attempt.lead)
        return verdicts

    def _open(self, attempt: Attempt, epoch: int, *, again: bool) -> str | None:
        db = self._db
        if epoch != db.epoch:
            return "epoch"
        if not again and db.open_of.get(attempt.lead) == attempt.id:
            return None  # asked again
        kept = db.campaigns.get(attempt.campaign)
        if kept is None or kept.state is not CampaignState.RUNNING:
            return "campaign_paused"
        if again or attempt.lead in db.open_of:
            return "already_open"
        lead = db.leads.get(attempt.lead)
        ours = lead is not None and lead.campaign == attempt.campaign and lead.claimed == epoch and lead.status in CLAIMABLE
        if attempt.number in db.do_not_call:
            if lead is not None and ours:
                lead.claimed, lead.held_by = None, "do_not_call"
                self._set_status(lead, LeadStatus.BLOCKED)
            return "do_not_call"
        if lead is None or not ours:
            return "lead_taken"
        if attempt.id in db.closed or not 1 <= attempt.revision <= len(kept.revisions):
            raise StoreError(f"attempt {attempt.id} was closed before, or names a revision that does not exist")
        db.open[attempt.id] = (attempt, lead.status)
        db.open_of[lead.id] = attempt.id
        lead.held_by = ""
        self._set_status(lead, LeadStatus.IN_PROGRESS)
        return None

    def close_attempts(self, results: Sequence[tuple[AttemptResult, LeadUpdate]]) -> None:
        unknown = []
        for result, update in results:
            found = self._db.open.pop(result.attempt, None)
            if found is None:
                if result.attempt not in self._db.closed:
                    unknown.append(result.attempt)
                continue
            attempt, status_before = found
            del self._db.open_of[attempt.lead]
            self._db.closed[attempt.id] = (attempt.campaign, result)
            lead = self._db.leads[attempt.lead]
            if lead.status is LeadStatus.IN_PROGRESS:
                self._set_status(lead, status_before if update.status is LeadStatus.IN_PROGRESS else update.status)
            lead.attempts, lead.ours_in_row, lead.ready_at = update.attempts, update.ours_in_row, update.ready_at
            lead.held_by, lead.claimed = "", None
            self._enqueue(lead)
        if unknown:
            log.warning("results_without_attempt count=%d attempts=%s", len(unknown), ",".join(unknown[:10]))

    def open_attempts_found(self) -> Sequence[OpenAttempt]:
        found = [OpenAttempt(attempt, self._db.leads[attempt.lead].seen(status)) for attempt, status in self._db.open.values()]
        return sorted(found, key=lambda one: (one.attempt.opened_at, one.attempt.id))

    # --- commands -----------------------------------------------------------------------------------------------------------------------

    def pending_commands(self) -> Sequence[StoredCommand]:
        return [kept.command for kept in self._db.commands.values() if kept.answer is None]

    def reply(self, command: CommandId, ok: bool, text: str) -> None:
        kept = self._db.commands.get(command)
        if kept is not None and kept.answer is None:
            kept.answer = (ok, text)

    # --- back office --------------------------------------------------------------------------------------------------------------------

    def set_installation(self, installation: Installation) -> None:
        self._db.installation = installation

    def add_campaign(self, campaign: Campaign, state: CampaignState = CampaignState.NEW, *, started: bool = False, who: str = "simulate") -> int:
        """A new campaign, or a new revision where the definition changed; its newest revision. A state other than new approves it at once."""
        kept = self._db.campaigns.get(campaign.id)
        if kept is None:
            kept = self._db.campaigns[campaign.id] = _Campaign([])
        if not kept.revisions or replace(kept.revisions[-1], revision=0) != replace(campaign, revision=0):
            kept.revisions.append(replace(campaign, revision=len(kept.revisions) + 1))
            self._note(who, "apply_campaign", campaign.id, "")
        if state is not CampaignState.NEW:
            self.set_campaign_state(campaign.id, len(kept.revisions), state, started, "", who)
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
        for row in leads:
            number, row_zones, _, _, ready_at = row
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

    def _add_lead(self, campaign: CampaignId, kept: _Campaign, number: str, row_zones: Sequence[str], ready_at: float) -> _Lead:
        text = zone_set(row_zones)
        blocked = number in self._db.do_not_call
        id = LeadId(len(self._db.leads) + 1)
        queue = kept.queues.setdefault(text, [])
        lead = _Lead(id, campaign, number, zones(text), queue, LeadStatus.BLOCKED if blocked else LeadStatus.NEW, ready_at, id)
        lead.held_by = "do_not_call" if blocked else ""
        self._db.leads[id] = self._db.leads[id] = lead
        self._db.lead_of[campaign, number] = id
        kept.leads.append(lead)
        kept.unfinished += not blocked
        self._enqueue(lead)
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
            for lead in self._leads_of(number):
                if lead.status in UNFINISHED:
                    if lead.status is not LeadStatus.IN_PROGRESS:
                        lead.claimed = None
                    lead.held_by = "do_not_call"
                    self._set_status(lead, LeadStatus.BLOCKED)
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
            if not gone or lists:
                continue
            del self._db.do_not_call[number]
            self._note(who, "do_not_call_remove", number, reason)
            for lead in self._leads_of(number):
                if lead.status is LeadStatus.BLOCKED:
                    called = LeadStatus.RETRY if lead.attempts else LeadStatus.NEW
                    self._set_status(lead, LeadStatus.IN_PROGRESS if lead.id in self._db.open_of else called)
                    lead.held_by = ""
                    self._enqueue(lead)
                    returned += 1
        return Listed(removed, returned)

    def submit_command(self, verb: str, target: str, args: Mapping[str, str], who: str) -> CommandId:
        """As an operator asks; the id counts the commands, so that equal runs have equal ids."""
        id = CommandId(f"00000000-0000-4000-8000-{len(self._db.commands) + 1:012d}")
        self._db.commands[id] = _Command(StoredCommand(id, verb, target, who, dict(args)))
        self._note(who, verb, target, args.get("reason", ""))
        return id

    def reply_of(self, command: CommandId) -> tuple[bool, str] | None:
        """The answer to a command, None while there is none."""
        return self._db.commands[command].answer

    def lead_counts(self, campaign: CampaignId) -> dict[str, int]:
        """Leads of a campaign by status, every status named."""
        counts = {status.value: 0 for status in LeadStatus}
        for lead in self._db.campaigns[campaign].leads:
            counts[lead.status.value] += 1
        return counts

    def outcome_totals(self, campaign: CampaignId | None = None) -> dict[str, int]:
        """Closed attempts by outcome, of one campaign or all. Only outcomes that happened."""
        return dict(sorted(Counter(result.outcome.value for name, result in self._db.closed.values() if campaign in (None, name)).items()))

    def attempts_count(self, campaign: CampaignId | None = None) -> int:
        """All attempts ever, open ones too."""
        opened = sum(campaign in (None, attempt.campaign) for attempt, _ in self._db.open.values())
        return opened + sum(campaign in (None, name) for name, _ in self._db.closed.values())

    def results(self, campaign: CampaignId | None = None) -> list[AttemptResult]:
        """Every closed attempt's result, in the order in which they closed."""
        return [result for name, result in self._db.closed.values() if campaign in (None, name)]

    def _leads_of(self, number: str) -> list[_Lead]:
        found = (self._db.lead_of.get((campaign, number)) for campaign in self._db.campaigns)
        return [self._db.leads[id] for id in found if id is not None]

    def _note(self, who: str, what: str, target: str, why: str) -> None:
        self._db.audit.append((self._clock(), who, what, target, why))
