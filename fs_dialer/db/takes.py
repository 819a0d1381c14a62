"""Leads that agents take, in the database (S29–S34, D16): one transaction, from the quota to the record.

Knows the order in which the queries of sql/queries/takes.sql are asked; who may take what is core/taking.py's. A lead whose number must not be called is
passed over and becomes what the last gate would have made of it: no agent is shown a customer whom he may not call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fs_dialer.core.actions import TakeLeadNow
from fs_dialer.core.leads import DO_NOT_CALL, NO_CALLBACK
from fs_dialer.core.model import AGENT_TIMES, AgentId, AgentTimes, CampaignId, LeadStatus, Refusal
from fs_dialer.core.promises import PROMISE_S
from fs_dialer.core.stored import Taken
from fs_dialer.core.taking import LEAD_UNKNOWN, NO_LEAD, Customers, Offered
from fs_dialer.db import codec
from fs_dialer.db.lead_state import wishes
from fs_dialer.db.pool import Cursor, Row, rows
from fs_dialer.errors import StoreError

FEW = 8  # candidates of a take: more than takes that may be under way at the same time
MOST_FORBIDDEN = 50  # passed over in one take, before the agent is told to ask again
CONTACT = 14  # of a lead as takes return it, behind the columns of a claim
CAMPAIGN, CLAIMED, HIS = 15, 16, 17  # and of one that was named


def take_lead(cursor: Cursor, action: TakeLeadNow, now: float, epoch: int, batch: int) -> Taken:
    """Inside a transaction. StoreError when another daemon is the active one. The claim bears this batch, which no other has."""
    begun = rows(cursor, "take_begin", {"epoch": epoch, "agent": action.agent, "campaign": action.campaign})
    if not begun:
        raise StoreError("this daemon is not the active one any more, or the campaign has gone")
    zone, attempts_max = begun[0]
    found = rows(cursor, "customers_taken", {"agent": action.agent, "campaign": action.campaign, "day": action.day})
    taken = Customers(frozenset(contact for contact, here in found if here), frozenset(contact for contact, _ in found))
    words = {
        "epoch": epoch,
        "batch": batch,
        "campaign": action.campaign,
        "agent": action.agent,
        "now": codec.epoch_time(now),
        "own_customer": action.own_customer,
    }
    if action.lead is not None:
        got = _named(cursor, action, {**words, "lead": action.lead}, taken, zone, attempts_max, now)
    else:
        refusal = taken.refusal(action, None, zone, now)
        got = _next(cursor, action, words, now) if refusal is None else refusal
    if isinstance(got, Refusal):
        return Taken(None, got.gate, got.until, taken.left(action))
    row, in_his_hands = got
    if not in_his_hands:
        rows(cursor, "record_take", {**words, "lead": row[0], "contact": row[CONTACT]})
    return Taken(codec.lead(action.campaign, row), left=taken.and_this(row[CONTACT]).left(action))


def _named(
    cursor: Cursor, action: TakeLeadNow, words: dict[str, Any], taken: Customers, zone: str, attempts_max: int, now: float
) -> tuple[Row, bool] | Refusal:
    """The lead, and whether he had it in his hands already: asked for twice, it is handed out once."""
    found = rows(cursor, "lead_to_take", words)
    if not found:
        return Refusal(LEAD_UNKNOWN)
    row = found[0]
    held, promised_to = row[CLAIMED] and not row[HIS], AgentId(row[9]) if row[9] else None
    status, zones = LeadStatus(row[3]), codec.zones(row[2])
    offered = Offered(CampaignId(row[CAMPAIGN]), status, held, zones, promised_to, row[6], row[8], row[4], attempts_max)
    refusal = offered.refusal(action, now) or _forbidden(cursor, row, words, now)
    refusal = refusal or taken.refusal(action, row[CONTACT], zone, now)
    if refusal is not None:
        return refusal
    if not row[HIS]:
        rows(cursor, "take_named", words)
    return row, row[HIS]


def _next(cursor: Cursor, action: TakeLeadNow, words: dict[str, Any], now: float) -> tuple[Row, bool] | Refusal:
    open_sets = list(dict.fromkeys(codec.zone_set(zones) for zones in action.zone_sets))
    for _ in range(MOST_FORBIDDEN if open_sets else 0):
        found = rows(cursor, "take_next", {**words, "zone_sets": open_sets, "few": FEW, "overdue": now - PROMISE_S})
        if not found:
            break
        if _forbidden(cursor, found[0], words, now) is None:
            return found[0], False
    next_ready_at, current = rows(cursor, "next_to_take", {**words, "zone_sets": open_sets})[0]
    if not current:
        raise StoreError("this daemon is not the active one any more: another has taken over")
    return Refusal(NO_LEAD, next_ready_at)


def _forbidden(cursor: Cursor, row: Row, words: dict[str, Any], now: float) -> Refusal | None:
    """A do-not-call entry or mark that came while somebody had the lead in his hands."""
    lists, until = wishes(cursor, row[1], words["campaign"], now)
    if not lists and until is None:
        return None
    rows(cursor, "pass_forbidden", {"lead": row[0], "until": None if lists else until})
    return Refusal(DO_NOT_CALL) if lists else Refusal(NO_CALLBACK, until)


def agent_hour_columns(given: Sequence[AgentTimes]) -> dict[str, list[Any]]:
    """For save_agent_hours: one list per column. ValueError for a word that is none of AGENT_TIMES."""
    spent = [dict(each.seconds) for each in given]
    if unknown := sorted({word for each in spent for word in each} - set(AGENT_TIMES)):
        raise ValueError(f"agents' time is not counted by {', '.join(unknown)}")
    return {
        "agents": [each.agent for each in given],
        "hours": [each.hour for each in given],
        "untils": [each.until for each in given],
        **{word: [each.get(word, 0.0) for each in spent] for word in AGENT_TIMES},
        "missed_offers": [each.missed_offers for each in given],
        "previews": [each.previews for each in given],
        "skipped": [each.skipped for each in given],
    }
