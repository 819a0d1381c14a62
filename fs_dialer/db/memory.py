"""The store in memory: the same contract as postgres.py, for virtual time, simulation and tests of the engine.

Knows what a daemon may do (runtime/ports.py: Store); the data is memory_data.py's, the back office memory_office.py's. Plain Python, neither psycopg2 nor
gevent; not for several threads. Several daemons share a MemoryDatabase; one store alone makes its own. A claim costs a few microseconds per lead.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from heapq import heapify, heappop, heapreplace
from typing import Any

from fs_dialer.core.actions import CallerLeft, CallerServed, OptOut, TakeLeadNow
from fs_dialer.core.changed import changed
from fs_dialer.core.definition import Campaign, Installation
from fs_dialer.core.hangup import ANSWERED_BY_PERSON
from fs_dialer.core.model import (
    AgentId,
    AgentStatus,
    AgentTimes,
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
    Outcome,
    Refusal,
    SwitchId,
)
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.core.spans import day_start
from fs_dialer.core.stored import PACED, Claim, StoredAgent, StoredCampaign, StoredCommand, Taken
from fs_dialer.db import memory_callers as callers
from fs_dialer.db.caller_rules import THE_CUSTOMER, flow_in, opt_out_reason
from fs_dialer.db.codec import CLAIMABLE, FIRST, zone_set, zones
from fs_dialer.db.memory_data import NO_CALLBACK, Entry, KeptCampaign, MemoryDatabase
from fs_dialer.db.memory_office import MemoryOffice
from fs_dialer.db.memory_results import close
from fs_dialer.db.memory_takes import take_lead
from fs_dialer.errors import StoreError

log = logging.getLogger("fs_dialer.db")

NUMBER_IN_CALL_S = 60.0  # when a number that is being called may be asked for again

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

    def teams(self) -> Mapping[str, tuple[AgentId, ...]]:
        return dict(sorted(self._db.teams.items()))

    def queues(self) -> Sequence[QueueDefinition]:
        return [queue for _, queue in sorted(self._db.queues.items())]

    def set_campaign_state(self, campaign: CampaignId, revision: int, state: CampaignState, started: bool, reason: str, who: str) -> None:
        """Approved, running and paused make `revision` the approved one, unless a newer one is."""
        self._set_state(campaign, revision, state, started, reason, who)

    def approve_revision(self, campaign: CampaignId, revision: int, who: str) -> None:
        """It dials from now on; the campaign's state stays."""
        self._set_state(campaign, revision, None, False, "", who)

    def _set_state(self, campaign: CampaignId, revision: int, state: CampaignState | None, started: bool, reason: str, who: str) -> None:
        kept = self._db.campaigns.get(campaign)
        refusal = ""
        if self._stale():
            refusal = "another daemon is the active one"
        elif kept is None:
            refusal = "there is no such campaign"
        elif not 1 <= revision <= len(kept.revisions):
            refusal = "it has no such revision"
        elif kept.state is CampaignState.ENDED and state is not CampaignState.ENDED:
            refusal = "it has ended"
        if refusal or kept is None:
            raise StoreError(f"campaign {campaign} r{revision} cannot {'become ' + state.value if state else 'be approved'}: {refusal}")
        if state is None:
            state, started, reason = kept.state, kept.started, kept.reason
        if kept.state is not state:
            words = {"from": kept.state.value, "to": state.value, "revision": revision, "reason": reason}
            self._db.happen("campaign_state", campaign=campaign, **words)
        kept.state, kept.started, kept.reason = state, started, reason
        if state in _APPROVING:
            kept.approved = max(kept.approved or 0, revision)
        self._note(who, "campaign_state", campaign, reason)

    def drained_switches(self) -> Mapping[SwitchId, float]:
        return dict(self._db.drained)

    def set_switch_drained(self, switch: SwitchId, since: float | None, who: str) -> None:
        if self._stale():
            raise StoreError(f"switch {switch} can not be drained: another daemon is the active one")
        if since is None:
            self._db.drained.pop(switch, None)
        else:
            self._db.drained[switch] = since

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

    def save_agent_times(self, rows: Sequence[AgentTimes]) -> None:
        for row in rows:
            before = self._db.agent_hours.get((row.agent, row.hour))
            if before is None:
                self._db.agent_hours[row.agent, row.hour] = row
            elif before.until < row.until:
                self._db.agent_hours[row.agent, row.hour] = before.and_then(row)

    def _stored(self, kept: KeptCampaign) -> StoredCampaign:
        newest = len(kept.revisions)
        dialled = kept.revisions[(kept.approved or newest) - 1]
        zone_sets = tuple(zones(text) for text in sorted(kept.queues))
        memory = None if kept.memory is None else json.loads(kept.memory)
        return StoredCampaign(dialled, kept.state, kept.started, kept.reason, newest, zone_sets, memory, self._today(dialled))

    def _today(self, campaign: Campaign) -> tuple[int, int] | None:
        """Persons who answered since its day began, and the missed among them."""
        if campaign.type not in PACED:
            return None
        since = day_start(campaign.window.zone, self._clock())
        answered = [
            closed.result
            for closed in self._db.closed.values()
            if closed.attempt.campaign == campaign.id and closed.attempt.opened_at >= since and closed.result.outcome in ANSWERED_BY_PERSON
        ]
        return len(answered), sum(result.missed or result.outcome is Outcome.MISSED for result in answered)

    # --- leads --------------------------------------------------------------------------------------------------------------------------

    def claim_leads(self, campaign: CampaignId, count: int, zone_sets: Sequence[tuple[str, ...]], now: float, attributes: Sequence[str] = ()) -> Claim:
        got = self._claim(campaign, count, zone_sets, now)
        return replace(got, leads=tuple(self._with(lead, attributes) for lead in got.leads)) if attributes else got

    def _with(self, lead: Lead, names: Sequence[str]) -> Lead:
        """With these attributes, of those that it has: the lead's own, else its contact's."""
        kept = self._db.leads[lead.id]
        known = {**self._db.attributes.get(kept.contact, {}), **kept.parameters}
        return changed(lead, attributes=tuple((name, known[name]) for name in names if name in known))

    def _claim(self, campaign: CampaignId, count: int, zone_sets: Sequence[tuple[str, ...]], now: float) -> Claim:
        epoch = self._own_epoch()
        if self._stale():
            raise StoreError("this daemon is not the active one any more: another has taken over")
        kept = self._db.campaigns.get(campaign)
        if kept is None:
            return Claim((), None, False)
        claimed = self._claim_first(kept, count, {zone_set(names) for names in zone_sets}, now)
        heads: list[tuple[Entry, int, list[Entry]]] = []
        for place, text in enumerate({zone_set(names): None for names in zone_sets}):
            queue = kept.queues.get(text)
            if queue and self._db.prune(queue):
                heads.append((queue[0], place, queue))
        heapify(heads)
        while heads and len(claimed) < count and heads[0][0][0] <= now:
            entry, place, queue = heads[0]
            heappop(queue)
            lead = self._db.leads[LeadId(entry[2])]
            lead.claimed, lead.take = epoch, None
            claimed.append(lead.seen(lead.status))
            if self._db.prune(queue):
                heapreplace(heads, (queue[0], place, queue))
            else:
                heappop(heads)
        if len(claimed) >= count > 0:
            return Claim(tuple(claimed))
        return Claim(tuple(claimed), max(now, heads[0][0][0]) if heads else None, kept.unfinished > 0)

    def take_lead(self, action: TakeLeadNow, now: float) -> Taken:
        epoch = self._own_epoch()
        if self._stale():
            raise StoreError("this daemon is not the active one any more: another has taken over")
        return take_lead(self._db, action, now, epoch)

    def _claim_first(self, kept: KeptCampaign, count: int, open_sets: set[str], now: float) -> list[Lead]:
        """Whom a time was promised, and who was missed and is owed a call."""
        leads = [self._db.leads[id] for id in kept.first]
        kept.first = {lead.id for lead in leads if lead.ready_why in FIRST}
        ready = [
            lead
            for lead in leads
            if lead.id in kept.first and lead.claimed is None and lead.status in CLAIMABLE and lead.ready_at <= now and zone_set(lead.zones) in open_sets
        ]
        ready = sorted(ready, key=lambda lead: (lead.ready_at, lead.position))[:count]
        for lead in ready:
            lead.claimed, lead.take = self._own_epoch(), None
        return [lead.seen(lead.status) for lead in ready]

    def return_leads(self, campaign: CampaignId, leads: Sequence[LeadReturn]) -> None:
        epoch = self._own_epoch()
        for given in leads:
            lead = self._db.leads.get(given.lead)
            if lead is not None and lead.campaign == campaign and lead.claimed == epoch and lead.status is not LeadStatus.IN_PROGRESS:
                lead.claimed, lead.ready_at, lead.held_by = None, given.ready_at, given.held_by
                if given.last:
                    lead.position = self._db.next_position()
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

    def return_refused(self, now: float) -> int:
        """Leads whose no-callback time is over go back to what they were (D16); how many. Requests to be called back that are too old are closed."""
        callers.expire(self._db, now)
        due = [lead for id in sorted(self._db.refused) if (lead := self._db.leads[id]).ready_at <= now]
        for lead in due:
            self._db.return_refused(lead)
        return len(due)

    # --- attempts -----------------------------------------------------------------------------------------------------------------------

    def open_attempts(self, attempts: Sequence[Attempt]) -> Sequence[Refusal | None]:
        epoch = self._own_epoch()
        known = {attempt.id for attempt in attempts if self._db.open_of.get(attempt.lead) == attempt.id}
        given: set[LeadId] = set()
        called: set[str] = set()  # numbers that earlier attempts of this batch call
        verdicts: list[Refusal | None] = []
        for attempt in attempts:
            if attempt.id in known and epoch == self._db.epoch:
                verdicts.append(None)
            else:
                verdicts.append(self._open(attempt, epoch, second=attempt.lead in given, called=called))
            given.add(attempt.lead)
        return verdicts

    def _open(self, attempt: Attempt, epoch: int, *, second: bool, called: set[str]) -> Refusal | None:
        """The last gate. second: the batch names its lead before; called: numbers of attempts that the batch has opened before."""
        db, number, at = self._db, attempt.number, attempt.opened_at
        if epoch != db.epoch:
            return Refusal("epoch")
        kept = db.campaigns.get(attempt.campaign)
        if kept is None or kept.state is not CampaignState.RUNNING:
            return Refusal("campaign_paused")
        if second or attempt.lead in db.open_of or attempt.id in db.closed:
            return Refusal("already_open")
        if number not in called and db.open_to.get(number, set()) - {attempt.lead}:
            return Refusal("number_in_call", at + NUMBER_IN_CALL_S)
        lead = db.leads.get(attempt.lead)
        if lead is not None and not (lead.campaign == attempt.campaign and lead.claimed == epoch and lead.status in CLAIMABLE):
            lead = None
        if db.is_forbidden(number):
            if lead is not None:
                lead.claimed, lead.held_by = None, "do_not_call"
                db.set_status(lead, LeadStatus.BLOCKED)
            return Refusal("do_not_call")
        if (until := db.left_alone_until(number, attempt.campaign, at)) is not None:
            if lead is not None:
                db.refuse(lead, until, lead.status)
            return Refusal(NO_CALLBACK, until)
        if (until := db.cap_until(number, attempt.caps, at)) is not None:
            return Refusal("number_cap", until)
        if lead is None:
            return Refusal("lead_taken")
        if number in called:
            return Refusal("number_in_call", at + NUMBER_IN_CALL_S)
        if not 1 <= attempt.revision <= len(kept.revisions):
            raise StoreError(f"attempt {attempt.id} names a revision that does not exist")
        db.open[attempt.id] = (changed(attempt, caps=()) if attempt.caps else attempt, lead.status)  # caps are not kept
        db.open_of[lead.id] = attempt.id
        db.open_to.setdefault(number, set()).add(lead.id)
        called.add(number)
        lead.held_by = ""
        if lead.take is not None:
            lead.take.dialled = True
        db.set_status(lead, LeadStatus.IN_PROGRESS)
        return None

    def close_attempts(self, results: Sequence[tuple[AttemptResult, LeadUpdate]]) -> None:
        unknown = []
        in_hand = {update.lead for _, update in results}
        for result, update in results:
            found = self._db.open.pop(result.attempt, None)
            if found is not None:
                close(self._db, *found, result, update, in_hand)
            elif result.attempt not in self._db.closed:
                unknown.append(result.attempt)
        if unknown:
            log.warning("results_without_attempt count=%d attempts=%s", len(unknown), ",".join(unknown[:10]))

    def open_attempts_found(self) -> Sequence[OpenAttempt]:
        found = [self._left_open(attempt, self._db.leads[attempt.lead].seen(status)) for attempt, status in self._db.open.values()]
        return sorted(found, key=lambda one: (one.attempt.opened_at, one.attempt.id))

    def _left_open(self, attempt: Attempt, lead: Lead) -> OpenAttempt:
        kept = self._db.campaigns[attempt.campaign]
        dials = kept.approved or len(kept.revisions)
        return OpenAttempt(attempt, lead, None if attempt.revision == dials else kept.revisions[attempt.revision - 1])

    # --- callers of queues --------------------------------------------------------------------------------------------------------------

    def caller_served(self, action: CallerServed) -> None:
        callers.caller_served(self._db, action)

    def callers_left(self, gone: Sequence[CallerLeft]) -> None:
        for action in gone:
            callers.caller_left(self._db, action)

    def opt_out(self, action: OptOut) -> None:
        if number := callers.opt_out_number(self._db, action):
            kept = None if action.campaign is None else self._db.campaigns.get(action.campaign)
            ivr = None if kept is None else flow_in(kept.revisions[(kept.approved or len(kept.revisions)) - 1].options)
            self.do_not_call_add([number], THE_CUSTOMER, action.list, opt_out_reason(action, ivr))

    # --- commands -----------------------------------------------------------------------------------------------------------------------

    def pending_commands(self) -> Sequence[StoredCommand]:
        return [kept.command for kept in self._db.commands.values() if kept.answer is None]

    def reply(self, command: CommandId, ok: bool, text: str) -> None:
        kept = self._db.commands.get(command)
        if kept is not None and kept.answer is None:
            kept.answer = (ok, text)
