"""What the result of a call makes of its lead, its number's other leads and tickets, in memory: what close_attempts of attempts.sql does to PostgreSQL.

Plain Python, neither psycopg2 nor gevent. Whether an attempt is open is memory.py's to know.
"""

from __future__ import annotations

from fs_dialer.core.changed import changed
from fs_dialer.core.hangup import FEEDS_ESTIMATE
from fs_dialer.core.model import Attempt, AttemptResult, LeadId, LeadStatus, LeadUpdate, Outcome
from fs_dialer.db.codec import CLAIMABLE, FIRST, UNFINISHED, message_file, said
from fs_dialer.db.memory_callers import called
from fs_dialer.db.memory_data import NO_CALLBACK, Closed, KeptLead, KeptTicket, MemoryDatabase


def close(db: MemoryDatabase, attempt: Attempt, lead_status: LeadStatus, result: AttemptResult, update: LeadUpdate, in_hand: set[LeadId]) -> None:
    """One result, and what it makes of its lead. in_hand: leads of this batch, whose own results decide about them."""
    number, lead = attempt.number, db.leads[attempt.lead]
    del db.open_of[lead.id]
    db.open_to[number].discard(lead.id)
    db.closed[attempt.id] = Closed(attempt, changed(result, ivr=said(result.ivr)) if result.ivr else result, update.decision)
    if result.leg_seen:
        db.calls_to.setdefault(number, []).append(attempt.opened_at)
    kept = lead.status is not LeadStatus.IN_PROGRESS
    if result.outcome is Outcome.CONNECTED:
        lead.met = result.agent or lead.met
    if result.outcome in FEEDS_ESTIMATE:
        lead.last = result.outcome.value
    _settle(db, lead, update, lead_status if update.status is LeadStatus.IN_PROGRESS else update.status, lead_status)
    if update.leave_group:
        group = db.campaigns[attempt.campaign].revisions[attempt.revision - 1].leads.group
        db.groups.get(group, set()).discard(lead.contact)
    if update.no_callback is not None:
        _mark(db, attempt, update.no_callback, update.no_callback_for_all, in_hand)
    words = {"campaign": attempt.campaign, "lead": lead.id, "attempt": attempt.id, "number": number, "outcome": result.outcome.value}
    shown = {"missed": result.missed, "agent": result.agent, "gateway": attempt.gateway, "caller_id": attempt.caller_id}
    db.happen("attempt_ended", **words, **shown)
    if result.ticket:
        ticket = KeptTicket(len(db.tickets) + 1, result.ticket, attempt.campaign, lead.id, attempt.id, number, result.agent, result.outcome.value)
        ticket.recording = message_file(result)
        db.tickets.append(ticket)
        db.happen("ticket_created", ticket=ticket.id, channel=ticket.channel, queue="", **words)
    if not kept and lead.status not in UNFINISHED:
        db.happen("lead_finished", status=lead.status.value, **words)
    called(db, number, lead.id, result.agent, result.bridged_at if result.outcome is Outcome.CONNECTED else None)


def _settle(db: MemoryDatabase, lead: KeptLead, update: LeadUpdate, next_status: LeadStatus, lead_status: LeadStatus) -> None:
    """The lead after its call. One that a person stopped, blocked or refused meanwhile keeps that."""
    kept = lead.status is not LeadStatus.IN_PROGRESS
    refused = next_status is LeadStatus.REFUSED
    before = update.status_before if update.status_before not in (None, LeadStatus.IN_PROGRESS, LeadStatus.REFUSED, LeadStatus.BLOCKED) else lead_status
    ready_at = update.ready_at if not refused or update.no_callback is None else update.no_callback
    if not kept:
        lead.status_before, lead.held_by = (before, NO_CALLBACK) if refused else (None, "")
        db.set_status(lead, next_status)
        if update.number and lead.others:
            db.rotate(lead, keep=update.number == "next")
    elif lead.status is LeadStatus.REFUSED:
        lead.status_before = before if refused else None if next_status is LeadStatus.BLOCKED else next_status
        ready_at = max(lead.ready_at, update.no_callback or 0.0)
    lead.attempts, lead.ours_in_row, lead.ready_at = update.attempts, update.ours_in_row, ready_at
    lead.ready_why = NO_CALLBACK if refused or (kept and lead.status is LeadStatus.REFUSED) else update.ready_why
    lead.agent, lead.claimed = update.agent, None
    lead.caller_id = update.caller_id or lead.caller_id
    lead.parameters = {**lead.parameters, **dict(update.set)}
    if lead.ready_why in FIRST:
        db.campaigns[lead.campaign].first.add(lead.id)
    lead.enqueue()


def _mark(db: MemoryDatabase, attempt: Attempt, until: float, for_all: bool, in_hand: set[LeadId]) -> None:
    """The customer asked not to be called back: his number's leads that nobody has are left alone too."""
    mark = (attempt.number, "" if for_all else attempt.campaign)
    db.no_callback[mark] = max(until, db.no_callback.get(mark, until))
    for lead in db.leads_of(attempt.number):
        mine = for_all or lead.campaign == attempt.campaign
        if mine and lead.claimed is None and lead.status in CLAIMABLE and lead.id not in in_hand:
            db.refuse(lead, until, lead.status)
