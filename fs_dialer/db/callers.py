"""Callers of queues, requests to be called back, and customers who asked not to be called, in PostgreSQL.

Knows rows and their order of locks; what is to be written of a caller is judged in caller_rules.py. Everything may be said again and changes nothing then.
A lead that is withdrawn is told to the daemon by the hint `withdrawn:CAMPAIGN/LEAD`; where that is lost the last gate stops the call.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fs_dialer.config.codec import campaign_from_json, from_json, installation_from_json
from fs_dialer.config.phone_numbers import BadNumber, parse_number
from fs_dialer.core.actions import CallerLeft, CallerServed, OptOut
from fs_dialer.core.flow import Ivr
from fs_dialer.core.model import AttemptId
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.db import codec
from fs_dialer.db.caller_rules import (
    DIALLER,
    SERVED,
    THE_CUSTOMER,
    Known,
    Settled,
    flow_in,
    message_file,
    met_at,
    number_of,
    opt_out_reason,
    settled,
    waited_words,
)
from fs_dialer.db.lead_state import note
from fs_dialer.db.pool import Cursor, Pool, rows
from fs_dialer.errors import FsDialerError, StoreError

log = logging.getLogger("fs_dialer.db")

EXPIRE_BATCH = 1_000
SERVED_IN_QUEUE, SERVED_BY_CALL, TOO_OLD = "served by an agent in a queue", "reached by another call", "the request is too old"


def queues(pool: Pool) -> list[QueueDefinition]:
    """By name. One that this program cannot read is left out and logged: the others go on."""
    found = []
    for name, definition in pool.rows("queues"):
        try:
            found.append(_queue(name, definition))
        except StoreError as error:
            log.error("queue_unreadable %s", error)
    return found


def caller_served(cursor: Cursor, action: CallerServed) -> None:
    """His row, and the end of what waits to call his number back."""
    number, _ = number_of(action.number, region(cursor))
    rows(
        cursor,
        "caller_met",
        {"caller": action.call, "queue": action.queue, "number": number, "at": action.at, "agent": action.agent, "waited_s": max(0.0, action.waited_s)},
    )
    closed = _close(cursor, number, action.call, None, action.at, str(action.agent), SERVED_IN_QUEUE)
    _withdraw(cursor, number, closed, None, SERVED_IN_QUEUE)


def callers_left(cursor: Cursor, gone: Sequence[CallerLeft]) -> None:
    """Their rows, and the tickets of those who leave one, as many as there are in the same few statements. No caller twice."""
    country, queues_now = region(cursor), dict[str, QueueDefinition | None]()
    found = {action.call: number_of(action.number, country) for action in gone}
    ids = [action.call for action in gone]
    words = {"callers": ids, "queues": [action.queue for action in gone], "switches": [action.switch for action in gone]}
    came_at = [action.at - max(0.0, action.waited_s) - max(0.0, action.talked_s) for action in gone]
    rows(cursor, "new_callers", {**words, "numbers": [found[call][0] for call in ids], "came_at": came_at})
    known = {AttemptId(row[0]): Known(*row[1:]) for row in rows(cursor, "caller_rows", {"callers": ids})}
    settling: list[tuple[CallerLeft, Settled]] = []
    for action in gone:
        if action.queue not in queues_now:
            queues_now[action.queue] = _defined(cursor, action.queue)
        done = settled(known[action.call], action, queues_now[action.queue])
        if done is not None:
            settling.append((action, done))
    tickets = _tickets(cursor, settling, known, found)
    if settling:
        rows(cursor, "callers_gone", _gone_columns(settling, tickets))
    for action, done in settling:
        if done.why == SERVED and not known[action.call].served:
            number, at = found[action.call][0], met_at(action)
            closed = _close(cursor, number, action.call, None, at, str(action.agent or DIALLER), SERVED_IN_QUEUE)
            _withdraw(cursor, number, closed, None, SERVED_IN_QUEUE)


def _tickets(
    cursor: Cursor, settling: Sequence[tuple[CallerLeft, Settled]], known: Mapping[AttemptId, Known], found: Mapping[AttemptId, tuple[str, str]]
) -> dict[AttemptId, int]:
    """Of callers who leave one, by caller; triggers are told of those that are new, or of another channel now."""
    tickets = {action.call: ticket for action, _ in settling if (ticket := known[action.call].ticket) is not None}
    news: list[int] = []
    better = [(tickets[action.call], action, done) for action, done in settling if done.channel and action.call in tickets]
    for ticket, action, done in sorted(better, key=lambda each: each[0]):
        words = {"channel": done.channel, "why": done.why, "since": done.since, "expires_at": done.expires_at, "recording": message_file(action)}
        news += [row[0] for row in rows(cursor, "better_caller_ticket", {**words, "ticket": ticket}) if row[0] is not None]
    new = [(action, done) for action, done in settling if done.channel and action.call not in tickets]
    if new:
        columns: dict[str, list[Any]] = {
            "channels": [done.channel for _, done in new],
            "queues": [action.queue for action, _ in new],
            "numbers": [found[action.call][0] for action, _ in new],
            "agents": [action.agent for action, _ in new],
            "whys": [done.why for _, done in new],
            "notes": ["\n".join(filter(None, (waited_words(action), found[action.call][1]))) for action, _ in new],
            "since": [done.since for _, done in new],
            "expires_at": [done.expires_at for _, done in new],
            "recordings": [message_file(action) for action, _ in new],
        }
        made = sorted(row[0] for row in rows(cursor, "new_caller_tickets", columns))  # numbered in the order of the lists
        tickets |= {action.call: ticket for (action, _), ticket in zip(new, made, strict=True)}
        news += made
    if news and rows(cursor, "caller_tickets_happened", {"tickets": news}):
        rows(cursor, "hint", {"kind": "happenings", "name": ""})
    return tickets


def _gone_columns(settling: Sequence[tuple[CallerLeft, Settled]], tickets: Mapping[AttemptId, int]) -> dict[str, list[Any]]:
    return {
        "callers": [action.call for action, _ in settling],
        "at": [action.at for action, _ in settling],
        "whys": [done.why for _, done in settling],
        "asked_at": [done.asked_at for _, done in settling],
        "served_at": [met_at(action) if done.why == SERVED else None for action, done in settling],
        "agents": [action.agent for action, _ in settling],
        "waited_s": [max(0.0, action.waited_s) for action, _ in settling],
        "talked_s": [max(0.0, action.talked_s) for action, _ in settling],
        "missed": [action.missed and done.why != SERVED for action, done in settling],
        "found": [done.found for _, done in settling],
        "switches": [action.switch for action, _ in settling],
        "tickets": [tickets.get(action.call) for action, _ in settling],
    }


def opt_out(cursor: Cursor, action: OptOut) -> None:
    """The number goes on the list, made by its first entry, and every lead of it is blocked. One that cannot be called is on no list: it is logged."""
    try:
        number, _ = parse_number(action.number, region(cursor))
    except BadNumber as error:
        log.warning("opt_out_without_number call=%s list=%s why=%s", action.call, action.list, error.text)
        return
    rows(cursor, "do_not_call_add", {"numbers": [number], "list": action.list, "reason": opt_out_reason(action, _flow(cursor, action)), "who": THE_CUSTOMER})
    rows(cursor, "hint", {"kind": "do_not_call", "name": ""})


def follow_calls(pool: Pool, attempts: Sequence[str]) -> None:
    """After calls: an agent had the customer, so his requests are settled, that of the lead itself as called back; and a lead whose customer was served in a
    queue while it was being called is not called again. A failure is logged: the ticket stays open, for people to see. StoreError when the connection is
    lost."""
    if not attempts:
        return
    try:
        with pool.transaction() as cursor:
            for number, lead, agent, met_at, settled_since in rows(cursor, "calls_to_follow", {"ids": list(attempts)}):
                if met_at is not None:
                    closed = _close(cursor, number, None, lead, met_at, agent or DIALLER, SERVED_BY_CALL)
                    if closed:
                        _withdraw(cursor, number, closed, lead, SERVED_BY_CALL)
                elif settled_since:
                    _withdraw(cursor, "", [lead], None, SERVED_IN_QUEUE)
    except StoreError as error:
        if error.lost:
            raise
        log.warning("requests_not_settled attempts=%s error=%s", ",".join(attempts[:10]), error)


def expire(pool: Pool, now: float) -> int:
    """Close requests whose time is over, and stop their leads; how many."""
    expired = 0
    while True:
        with pool.transaction() as cursor:
            found = rows(cursor, "expire_requests", {"now": codec.epoch_time(now), "limit": EXPIRE_BATCH})
            _withdraw(cursor, "", [lead for _, lead in found if lead is not None], None, TOO_OLD)
        expired += len(found)
        if len(found) < EXPIRE_BATCH:
            return expired


def attributes(cursor: Cursor, leads: Sequence[int], names: Sequence[str]) -> dict[int, tuple[tuple[str, str], ...]]:
    """By lead, those of the names that it has, in their order."""
    found = rows(cursor, "lead_attributes", {"leads": list(leads), "names": list(names)}) if leads and names else []
    return {lead: tuple((name, values[name]) for name in names if values.get(name) is not None) for lead, values in found}


def region(cursor: Cursor) -> str:
    """The country of numbers without a country code."""
    found = rows(cursor, "installation")
    return codec.definition(installation_from_json, found[0][0], "the installation").region if found else ""


# --- inside -----------------------------------------------------------------------------------------------------------------------------


def _queue(name: str, definition: Any) -> QueueDefinition:
    return codec.definition(lambda data: from_json(QueueDefinition, data, f"queue {name} as stored"), definition, f"queue {name}")


def _defined(cursor: Cursor, name: str) -> QueueDefinition | None:
    found = rows(cursor, "queue", {"queue": name})
    try:
        return _queue(name, found[0][0]) if found else None
    except FsDialerError as error:
        log.error("queue_unreadable %s", error)
        return None


def _flow(cursor: Cursor, action: OptOut) -> Ivr | None:
    """The flow that he heard, for the words of the reason alone."""
    found = rows(cursor, "campaigns", {"name": action.campaign}) if action.campaign and not action.place else []
    try:
        return flow_in(codec.definition(campaign_from_json, found[0][6], f"campaign {action.campaign}").options) if found else None
    except StoreError as error:
        log.error("campaign_unreadable %s", error)
        return None


def _close(cursor: Cursor, number: str, caller: str | None, lead: int | None, at: float, who: str, words: str) -> list[int]:
    """The leads of what was closed."""
    found = rows(cursor, "close_requests", {"number": number, "caller": caller, "lead": lead, "at": at, "who": who, "words": words})
    return [each for _, each in found if each is not None]


def _withdraw(cursor: Cursor, number: str, leads: Sequence[int], but: int | None, why: str) -> None:
    """Stop them, and those that wait for the number ("" = none do); tell the daemon, the audit and triggers."""
    if not number and not leads:
        return
    for lead, campaign, theirs, status in rows(cursor, "withdraw_leads", {"number": number, "leads": list(leads), "but": but}):
        note(cursor, DIALLER, "withdraw_lead", theirs, why, {"lead": lead, "campaign": campaign, "was": status})
        data = {"campaign": campaign, "lead": lead, "attempt": None, "number": theirs, "outcome": "", "status": "stopped"}
        rows(cursor, "lead_finished_happened", {"data": json.dumps(data)})
        rows(cursor, "hint", {"kind": "withdrawn", "name": f"{campaign}/{lead}"})
