"""Leads that agents take, in memory: what takes.py does to PostgreSQL. Who may take what is core/taking.py's."""

from __future__ import annotations

from collections.abc import Container
from heapq import heappop, heappush

from fs_dialer.core.actions import TakeLeadNow
from fs_dialer.core.leads import DO_NOT_CALL
from fs_dialer.core.model import LeadId, LeadStatus, Refusal
from fs_dialer.core.stored import Taken
from fs_dialer.core.taking import LEAD_UNKNOWN, NO_LEAD, Customers, Offered, promised_to_another
from fs_dialer.db.codec import CLAIMABLE, FIRST, zone_set
from fs_dialer.db.memory_data import NO_CALLBACK, Entry, KeptCampaign, KeptLead, KeptTake, MemoryDatabase
from fs_dialer.errors import StoreError


def take_lead(db: MemoryDatabase, action: TakeLeadNow, now: float, epoch: int) -> Taken:
    """StoreError when there is no such campaign. The daemon that asks is the active one."""
    kept = db.campaigns.get(action.campaign)
    if kept is None:
        raise StoreError(f"the campaign {action.campaign} has gone")
    campaign = kept.revisions[(kept.approved or len(kept.revisions)) - 1]
    zone = campaign.window.zone
    taken = _customers(db, action)
    if action.lead is not None:
        got = _named(db, action, db.leads.get(action.lead), taken, zone, campaign.attempts.max, now, epoch)
    else:
        refusal = taken.refusal(action, None, zone, now)
        got = _next(db, action, now) if refusal is None else refusal
    if isinstance(got, Refusal):
        return Taken(None, got.gate, got.until, taken.left(action))
    if not _in_his_hands(got, action, epoch):
        got.claimed = epoch
        got.take = KeptTake(action.agent, action.campaign, got.id, got.contact, now)
        db.takes.setdefault(action.agent, []).append(got.take)
        if action.own_customer and db.owners.get(got.contact) != action.agent:
            db.owners[got.contact] = action.agent
            db.audit.append((now, action.agent, "set_contact", got.contact, "took the customer"))
    return Taken(got.seen(got.status), left=taken.and_this(got.contact).left(action))


def _customers(db: MemoryDatabase, action: TakeLeadNow) -> Customers:
    """Dialled since the day began, or still in his hands."""
    counting = [take for take in db.takes.get(action.agent, ()) if take.taken_at >= action.day and (take.dialled or _held(db, take))]
    here = frozenset(take.customer for take in counting if take.campaign == action.campaign)
    return Customers(here, frozenset(take.customer for take in counting))


def _held(db: MemoryDatabase, take: KeptTake) -> bool:
    lead = db.leads[take.lead]
    return lead.take is take and lead.claimed is not None


def _in_his_hands(lead: KeptLead, action: TakeLeadNow, epoch: int) -> bool:
    return lead.claimed == epoch and lead.take is not None and lead.take.agent == action.agent


def _named(
    db: MemoryDatabase, action: TakeLeadNow, lead: KeptLead | None, taken: Customers, zone: str, attempts_max: int, now: float, epoch: int
) -> KeptLead | Refusal:
    if lead is None:
        return Refusal(LEAD_UNKNOWN)
    held = lead.claimed == epoch and not _in_his_hands(lead, action, epoch)
    offered = Offered(lead.campaign, lead.status, held, lead.zones, lead.agent, lead.ready_at, lead.ready_why, lead.attempts, attempts_max)
    refusal = offered.refusal(action, now) or _forbidden(db, lead, now)
    return refusal or taken.refusal(action, lead.contact, zone, now) or lead


def _next(db: MemoryDatabase, action: TakeLeadNow, now: float) -> KeptLead | Refusal:
    """The first that is ready and may be called; leads promised to others keep their places."""
    kept = db.campaigns[action.campaign]
    open_sets = {zone_set(zones): None for zones in action.zone_sets}
    for lead in _owed(db, kept, open_sets, now):
        if not promised_to_another(lead.agent, lead.ready_at, action.agent, now) and _forbidden(db, lead, now) is None:
            return lead
    queues = [kept.queues[text] for text in open_sets if text in kept.queues]
    others: list[tuple[list[Entry], Entry]] = []
    try:
        while heads := [queue for queue in queues if db.prune(queue)]:
            queue = min(heads, key=lambda each: each[0])
            if queue[0][0] > now:
                return Refusal(NO_LEAD, queue[0][0])
            entry = heappop(queue)
            lead = db.leads[LeadId(entry[2])]
            if promised_to_another(lead.agent, lead.ready_at, action.agent, now):
                others.append((queue, entry))
            elif _forbidden(db, lead, now) is None:
                return lead
        return Refusal(NO_LEAD)
    finally:
        for queue, entry in others:
            heappush(queue, entry)


def _owed(db: MemoryDatabase, kept: KeptCampaign, open_sets: Container[str], now: float) -> list[KeptLead]:
    """Those for whom a time was promised that has come, and those who are owed a call: before all others."""
    leads = [db.leads[id] for id in kept.first]
    free = [lead for lead in leads if lead.ready_why in FIRST and lead.claimed is None and lead.status in CLAIMABLE]
    ready = [lead for lead in free if lead.ready_at <= now and zone_set(lead.zones) in open_sets]
    return sorted(ready, key=lambda lead: (lead.ready_at, lead.position))


def _forbidden(db: MemoryDatabase, lead: KeptLead, now: float) -> Refusal | None:
    """It becomes what the last gate would make of it."""
    if db.is_forbidden(lead.number):
        lead.claimed, lead.held_by = None, DO_NOT_CALL
        db.set_status(lead, LeadStatus.BLOCKED)
        return Refusal(DO_NOT_CALL)
    if (until := db.left_alone_until(lead.number, lead.campaign, now)) is not None:
        db.refuse(lead, until, lead.status)
        return Refusal(NO_CALLBACK, until)
    return None
