"""Callers of queues, requests to be called back and opt-outs, in memory: what callers.py does to PostgreSQL, and what triggers make of tickets.

What is to be written of a caller is caller_rules.py's. Plain Python, neither psycopg2 nor gevent. Leads that are withdrawn are gathered in the database's
`withdrawn`, for whoever tells them to the engine.
"""

from __future__ import annotations

from dataclasses import dataclass

from fs_dialer.config.phone_numbers import parse_number
from fs_dialer.core.actions import CallerLeft, CallerServed, OptOut
from fs_dialer.core.model import AgentId, CampaignId, CampaignState, CampaignType, LeadId, LeadStatus
from fs_dialer.db.caller_rules import CALLBACK, CALLED_BACK, DIALLER, EXPIRED, REQUESTS, SERVED, SERVED_HOW, Known, message_file, met_at, number_of, settled
from fs_dialer.db.codec import UNFINISHED, zone_set, zones
from fs_dialer.db.memory_data import KeptCaller, KeptLead, KeptTicket, MemoryDatabase

WAITING = (LeadStatus.NEW, LeadStatus.RETRY)


@dataclass(frozen=True, slots=True)
class Served:
    """A customer was served: by whom, when, and by the call to which lead (None = in a queue)."""

    number: str
    at: float
    by: str
    lead: LeadId | None = None
    ticket: int | None = None  # of this very caller


def caller_served(db: MemoryDatabase, action: CallerServed) -> None:
    number, _ = number_of(action.number, db.installation.region)
    caller = db.callers.get(action.call)
    if caller is None:
        caller = db.callers[action.call] = KeptCaller(action.call, action.queue, number, action.at - max(0.0, action.waited_s))
    if caller.served_at is None and (not caller.why or caller.found):
        caller.served_at, caller.agent, caller.waited_s, caller.missed = action.at, action.agent, max(0.0, action.waited_s), False
        caller.why = "served" if caller.why else ""
    closed = close_requests(db, Served(number, action.at, action.agent, ticket=caller.ticket))
    withdraw(db, number, closed, None)


def caller_left(db: MemoryDatabase, action: CallerLeft) -> None:
    number, impossible = number_of(action.number, db.installation.region)
    caller = db.callers.get(action.call)
    if caller is None:
        came_at = action.at - max(0.0, action.waited_s) - max(0.0, action.talked_s)
        caller = db.callers[action.call] = KeptCaller(action.call, action.queue, number, came_at)
    known = Known(caller.served_at is not None, caller.why, caller.found, caller.asked_at, caller.ticket)
    done = settled(known, action, db.queues.get(action.queue))
    if done is None:
        return
    if done.channel:
        ticket = None if caller.ticket is None else db.tickets[caller.ticket - 1]
        told = ticket is not None and ticket.channel == done.channel
        if ticket is None:
            ticket = KeptTicket(len(db.tickets) + 1, done.channel, None, None, None, number, action.agent, done.why, queue=action.queue, note=impossible)
            db.tickets.append(ticket)
            db.requests.append(ticket)
            if number and any(each.number == number and (each.served_at or 0.0) >= done.since for each in db.callers.values()):
                ticket.closed_how = SERVED_HOW
        ticket.channel, ticket.outcome, ticket.since, ticket.expires_at = done.channel, done.why, done.since, done.expires_at
        ticket.recording = message_file(action) or ticket.recording
        caller.ticket = ticket.id
        if not told and not ticket.closed_how:
            nobody = {"campaign": None, "lead": ticket.lead, "attempt": None}
            db.happen("ticket_created", ticket=ticket.id, channel=ticket.channel, number=number, outcome=done.why, queue=action.queue, **nobody)
    if done.why == SERVED and caller.served_at is None:
        caller.served_at = met_at(action)
        closed = close_requests(db, Served(number, caller.served_at, action.agent or DIALLER, ticket=caller.ticket))
        withdraw(db, number, closed, None)
        caller.waited_s = max(0.0, action.waited_s)
    caller.left_at, caller.why, caller.asked_at, caller.found, caller.switch = action.at, done.why, done.asked_at, done.found, action.switch
    caller.agent = action.agent or caller.agent
    caller.waited_s = max(0.0, action.waited_s) if caller.served_at is None else caller.waited_s
    caller.talked_s, caller.missed = max(0.0, action.talked_s), action.missed and done.why != "served"


def opt_out_number(db: MemoryDatabase, action: OptOut) -> str:
    """The number that goes on the list; "" where it is none."""
    number, impossible = number_of(action.number, db.installation.region)
    return "" if impossible else number


def close_requests(db: MemoryDatabase, served: Served) -> list[LeadId]:
    """The leads of what was closed."""
    leads = []
    for ticket in db.requests:
        theirs = (served.number and ticket.number == served.number and ticket.since <= served.at) or ticket.id == served.ticket
        if theirs and ticket.open and ticket.channel in REQUESTS:
            ticket.closed_how = CALLED_BACK if served.lead is not None and ticket.lead == served.lead else SERVED_HOW
            ticket.closed_by = served.by
            leads += [ticket.lead] if ticket.lead is not None else []
    return leads


def withdraw(db: MemoryDatabase, number: str, leads: list[LeadId], but: LeadId | None) -> None:
    """Stop these leads, and those of callback campaigns that wait for the number."""
    asked = {ticket.lead for ticket in db.requests if ticket.open and ticket.channel in REQUESTS}
    for lead in [db.leads[id] for id in sorted({*leads, *(db.leads_by_number.get(number, ()) if number else ())})]:
        kept = db.campaigns[lead.campaign]
        callback = kept.revisions[(kept.approved or len(kept.revisions)) - 1].type is CampaignType.CALLBACK
        if callback and lead.status in WAITING and lead.ready_why != "promised" and lead.id != but and lead.id not in asked:
            _stop(db, lead)


def called(db: MemoryDatabase, number: str, lead: LeadId, agent: AgentId | None, met_at: float | None) -> None:
    """After a call: an agent had the customer, so that his requests are settled; or they were while it was up."""
    if met_at is not None:
        closed = close_requests(db, Served(number, met_at, agent or DIALLER, lead))
        if closed:
            withdraw(db, number, closed, lead)
    elif any(ticket.lead == lead and ticket.closed_how in (SERVED_HOW, EXPIRED) for ticket in db.requests):
        withdraw(db, "", [lead], None)


def expire(db: MemoryDatabase, now: float) -> None:
    """Requests whose time is over are not called any more."""
    leads = []
    for ticket in db.requests:
        up = ticket.lead is not None and db.leads[ticket.lead].status is LeadStatus.IN_PROGRESS
        if ticket.open and ticket.expires_at is not None and ticket.expires_at <= now and not up:
            ticket.closed_how, ticket.closed_by = EXPIRED, DIALLER
            leads += [ticket.lead] if ticket.lead is not None else []
    withdraw(db, "", leads, None)


def _stop(db: MemoryDatabase, lead: KeptLead) -> None:
    lead.claimed, lead.held_by = None, ""
    db.set_status(lead, LeadStatus.STOPPED)
    db.withdrawn.append((lead.campaign, lead.id))
    words = {"campaign": lead.campaign, "lead": lead.id, "attempt": None, "number": lead.number}
    db.happen("lead_finished", outcome="", status=lead.status.value, **words)


# --- what a trigger `add_to` does -------------------------------------------------------------------------------------------------------


def call_back(db: MemoryDatabase, campaign: CampaignId, now: float) -> list[LeadId]:
    """Every open callback ticket without a lead gets one in this campaign, in the order in which customers asked (S82, S89); a customer who is there already
    is not added again (D12, S90). The new leads."""
    kept, added = db.campaigns[campaign], []
    waiting = [t for t in db.requests if t.open and t.channel == CALLBACK and t.lead is None and (t.expires_at is None or t.expires_at > now)]
    for ticket in sorted(waiting, key=lambda ticket: (ticket.since, ticket.id)):
        here = [lead for lead in db.leads_of(ticket.number) if lead.campaign == campaign]
        unfinished = next((lead for lead in here if lead.status in UNFINISHED), None)
        if unfinished is None and not ticket.note and kept.state is not CampaignState.ENDED:
            text = db.contact_zones.get(ticket.number) or zone_set(parse_number(ticket.number)[1])
            db.contact_zones[ticket.number] = text
            forbidden = db.is_forbidden(ticket.number)
            status = LeadStatus.BLOCKED if forbidden else LeadStatus.NEW
            queue = kept.queues.setdefault(text, [])
            id = LeadId(len(db.leads) + 1)
            unfinished = KeptLead(id, campaign, ticket.number, zones(text), queue, status, ticket.since, db.next_position(), contact=ticket.number)
            unfinished.held_by = "do_not_call" if forbidden else ""
            db.leads[id] = unfinished
            db.lead_of[campaign, ticket.number] = id
            db.leads_by_number.setdefault(ticket.number, []).append(id)
            kept.leads.append(unfinished)
            kept.unfinished += not forbidden
            unfinished.enqueue()
            added.append(id)
        ticket.lead = None if unfinished is None else unfinished.id
    return added
