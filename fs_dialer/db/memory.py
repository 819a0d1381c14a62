"""The store in memory: the same contract as postgres.py, for virtual time, simulation and tests of the engine.

Knows what a daemon may do (runtime/ports.py: Store); the data and the back office are memory_data.py's. Plain Python, neither psycopg2 nor gevent;
not for several threads. Several daemons share a MemoryDatabase; one store alone makes its own. A claim costs a few microseconds per lead.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from heapq import heapify, heappop, heapreplace
from typing import Any

from fs_dialer.core.definition import Installation
from fs_dialer.core.model import (
    AgentId,
    AgentStatus,
    Attempt,
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
from fs_dialer.db.codec import CLAIMABLE, zone_set, zones
from fs_dialer.db.memory_data import Entry, KeptCampaign, MemoryDatabase, MemoryOffice
from fs_dialer.errors import StoreError

log = logging.getLogger("fs_dialer.db")

_APPROVING = (CampaignState.APPROVED, CampaignState.RUNNING, CampaignState.PAUSED)


class MemoryStore(MemoryOffice):
    """One daemon's view of a MemoryDatabase, with its back office at hand. `clock`: epoch seconds."""

    def __init__(self, clock: Callable[[], float], database: MemoryDatabase | None = None) -> None:
        super().__init__(clock, database)
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

    def _stored(self, kept: KeptCampaign) -> StoredCampaign:
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
        heads: list[tuple[Entry, int, list[Entry]]] = []
        for place, text in enumerate({zone_set(names): None for names in zone_sets}):
            queue = kept.queues.get(text)
            if queue and self._db.prune(queue):
                heads.append((queue[0], place, queue))
        heapify(heads)
        claimed: list[Lead] = []
        while heads and len(claimed) < count and heads[0][0][0] <= now:
            entry, place, queue = heads[0]
            heappop(queue)
            lead = self._db.leads[LeadId(entry[2])]
            lead.claimed = epoch
            claimed.append(lead.seen(lead.status))
            if self._db.prune(queue):
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
                lead.enqueue()

    def return_all_claims(self) -> int:
        epoch, returned = self._own_epoch(), 0
        if self._stale():
            return 0
        for lead in self._db.leads.values():
            if lead.claimed is not None and lead.claimed != epoch and lead.status is not LeadStatus.IN_PROGRESS:
                lead.claimed = None
                lead.enqueue()
                returned += 1
        return returned

    # --- attempts -----------------------------------------------------------------------------------------------------------------------

    def open_attempts(self, attempts: Sequence[Attempt]) -> Sequence[str | None]:
        epoch = self._own_epoch()
        known = {attempt.id for attempt in attempts if self._db.open_of.get(attempt.lead) == attempt.id}
        given: set[LeadId] = set()
        verdicts = []
        for attempt in attempts:
            verdicts.append(self._open(attempt, epoch, asked_again=attempt.id in known, second=attempt.lead in given))
            given.add(attempt.lead)
        return verdicts

    def _open(self, attempt: Attempt, epoch: int, *, asked_again: bool, second: bool) -> str | None:
        """The last gate. asked_again: it was opened by an earlier call; second: the batch names its lead before."""
        db = self._db
        if epoch != db.epoch:
            return "epoch"
        if asked_again:
            return None
        kept = db.campaigns.get(attempt.campaign)
        if kept is None or kept.state is not CampaignState.RUNNING:
            return "campaign_paused"
        if second or attempt.lead in db.open_of:
            return "already_open"
        lead = db.leads.get(attempt.lead)
        ours = lead is not None and lead.campaign == attempt.campaign and lead.claimed == epoch and lead.status in CLAIMABLE
        if attempt.number in db.do_not_call:
            if lead is not None and ours:
                lead.claimed, lead.held_by = None, "do_not_call"
                self._db.set_status(lead, LeadStatus.BLOCKED)
            return "do_not_call"
        if lead is None or not ours:
            return "lead_taken"
        if attempt.id in db.closed or not 1 <= attempt.revision <= len(kept.revisions):
            raise StoreError(f"attempt {attempt.id} was closed before, or names a revision that does not exist")
        db.open[attempt.id] = (attempt, lead.status)
        db.open_of[lead.id] = attempt.id
        lead.held_by = ""
        self._db.set_status(lead, LeadStatus.IN_PROGRESS)
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
                self._db.set_status(lead, status_before if update.status is LeadStatus.IN_PROGRESS else update.status)
            lead.attempts, lead.ours_in_row, lead.ready_at = update.attempts, update.ours_in_row, update.ready_at
            lead.held_by, lead.claimed = "", None
            lead.enqueue()
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
