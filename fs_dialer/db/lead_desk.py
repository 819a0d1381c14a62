"""Leads as people work with them: added by number, contact, group or filter while a campaign runs (M10, S16–S21), listed, looked at, with all that happened
to a person (M18, M21).

Marks on leads are lead_marks.py's, results of calls dispositions.py's. Times are epoch seconds. Nobody's text becomes SQL: filters come as trees.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fs_dialer.config.filters import show
from fs_dialer.core.filters import Expr
from fs_dialer.core.model import CampaignId, CampaignState
from fs_dialer.db import codec
from fs_dialer.db.filter_sql import condition
from fs_dialer.db.joining import begin_joining, join_leads
from fs_dialer.db.lead_state import OVER, note
from fs_dialer.db.pool import Cursor, Pool, rows
from fs_dialer.db.queries import sql
from fs_dialer.errors import StoreError

Numbered = tuple[str, Sequence[str]]  # a number in E.164, and the zones it may be in


@dataclass(frozen=True, slots=True)
class Added:
    """new + do_not_call + refused became leads; known are leads of the campaign already. `contacts`: how many people are new in the directory."""

    campaign: str
    new: int
    do_not_call: int
    refused: int
    known: int
    contacts: int = 0


@dataclass(frozen=True, slots=True)
class LeadView:
    """A lead with its contact's facts. The first fields are those of a LeadLine. `last_…`: of its last call that is over."""

    id: int
    campaign: str
    number: str
    name: str
    zones: tuple[str, ...]
    status: str
    attempts: int
    ours_in_row: int
    ready_at: float
    held_by: str
    claimed: bool
    attributes: Mapping[str, Any]
    contact: int
    owner: str
    ready_why: str
    agent: str | None
    status_before: str | None
    caller_id: str
    other_numbers: tuple[str, ...]
    parameters: Mapping[str, Any]
    copy: int
    created_at: float
    last_outcome: str | None
    last_disposition: str | None
    last_agent: str | None
    last_at: float | None


@dataclass(frozen=True, slots=True)
class CallView:
    """One call to a lead. `outcome` and what follows are None or empty while it is up. `decision`: what became of the lead, and which rule said so."""

    id: str
    revision: int
    leg: str
    number: str
    gateway: str
    caller_id: str
    agent: str | None
    opened_at: float
    outcome: str | None
    cause: str | None
    sip_status: int | None
    rang_at: float | None
    answered_at: float | None
    bridged_at: float | None
    ended_at: float | None
    missed: bool | None
    decision: str
    disposition: str | None
    disposed_by: str | None
    disposed_at: float | None
    answers: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LeadStory:
    lead: LeadView
    attempts: tuple[CallView, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which leads; None = of any. `filter`: on the contact; its days count in `zone`."""

    campaign: str | None = None
    status: str | None = None
    held_by: str | None = None
    agent: str | None = None
    number: str | None = None
    filter: Expr | None = None
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. kind: contact, lead, call, result, ticket, ticket_closed, do_not_call, no_callback, audit. place: a campaign, queue or list."""

    at: float
    kind: str
    place: str
    who: str
    number: str
    details: Mapping[str, Any]


class LeadDesk:
    """The leads of one database."""

    _pool: Pool

    # --- adding -------------------------------------------------------------------------------------------------------------------------

    def lead_add(
        self, campaign: str, who: str, why: str = "", *, numbers: Iterable[Numbered] = (), contacts: Iterable[int] = (), dry_run: bool = False
    ) -> Added:
        """People named by number or by their id in the directory become leads, in this order. Numbers nobody has become contacts.

        StoreError, and nothing added: no such campaign, it has ended, no such contact.
        """
        given, ids = list(numbers), sorted(set(contacts))
        with perhaps(self._pool, dry_run) as cursor:
            self._door(cursor, campaign)
            begin_joining(cursor)
            if unknown := rows(cursor, "unknown_contacts", {"contacts": ids}):
                raise StoreError(f"there is no contact {', '.join(str(row[0]) for row in unknown[:5])}; who there is: fs-dialer contact search")
            words = {
                "campaign": campaign,
                "numbers": [number for number, _ in given],
                "zone_sets": [codec.zone_set(zones) for _, zones in given],
                "contacts": ids,
            }
            added = Added(campaign, *map(int, rows(cursor, "add_leads", words)[0]))
            self._told(cursor, added, who, why, {"numbers": len(given), "contacts": len(ids)})
        return added

    def lead_join(self, campaign: str, who: str, why: str = "", *, group: str = "", filter: Expr | None = None, dry_run: bool = False) -> Added:
        """Contacts of a group ("" = the whole directory) who meet a filter become leads. StoreError as above."""
        with perhaps(self._pool, dry_run) as cursor:
            zone = self._door(cursor, campaign)
            joined = join_leads(cursor, CampaignId(campaign), group, show(filter) if filter is not None else "", who, zone=zone)
            added = Added(campaign, joined.new, joined.do_not_call, joined.refused, joined.known)
            if why:
                self._told(cursor, added, who, why, {"group": group})
        return added

    def _door(self, cursor: Cursor, campaign: str) -> str:
        """The campaign's zone; its row is held, so that it does not go away meanwhile."""
        found = rows(cursor, "lead_campaign", {"campaign": campaign})
        if not found:
            raise StoreError(f"there is no campaign {campaign}; apply its definition first")
        if CampaignState(found[0][0]) in OVER:
            raise StoreError(f"the campaign {campaign} has ended and takes no more leads: clone it, and add them there")
        return str(found[0][1])

    def _told(self, cursor: Cursor, added: Added, who: str, why: str, details: Mapping[str, Any]) -> None:
        counts = {"new": added.new, "do_not_call": added.do_not_call, "refused": added.refused, "known": added.known}
        note(cursor, who, "add_leads", added.campaign, why, {**details, **counts})
        rows(cursor, "hint", {"kind": "leads", "name": added.campaign})

    # --- looking ------------------------------------------------------------------------------------------------------------------------

    def lead_page(self, wanted: Wanted, limit: int = 100, after: int = 0) -> list[LeadView]:
        """A page of leads by id; `after` is the last id of the page before."""
        return self._leads(wanted, limit=limit, after=after)

    def lead_story(self, lead: int) -> LeadStory | None:
        """One lead with every call made to it, oldest first; None when there is none of that id."""
        found = self._leads(Wanted(), limit=1, lead=lead)
        if not found:
            return None
        return LeadStory(found[0], tuple(CallView(*row) for row in self._pool.rows("calls_of_lead", {"lead": lead})))

    def timeline(self, number: str, limit: int = 1000) -> list[Entry]:
        """All that happened with the people who have this number, over all campaigns; oldest first, the newest `limit` of it."""
        people = self._pool.rows("people_of_number", {"number": number})
        numbers = {number, *(each for _, first, further in people for each in (first, *further))}
        words = {"contacts": [row[0] for row in people], "numbers": sorted(numbers), "limit": limit}
        return [Entry(*row) for row in self._pool.rows("timeline", words)]

    def _leads(self, wanted: Wanted, limit: int, after: int = 0, lead: int | None = None) -> list[LeadView]:
        words: dict[str, Any] = {
            "campaign": wanted.campaign,
            "status": wanted.status,
            "held_by": wanted.held_by,
            "agent": wanted.agent,
            "number": wanted.number,
            "limit": limit,
            "after": after,
            "lead": lead,
        }
        where = "true"
        if wanted.filter is not None:
            where, parameters = condition(wanted.filter, wanted.zone)
            words |= parameters
        with self._pool.cursor() as cursor:
            cursor.execute(sql("lead_page").replace("/* condition */ true", where), words)
            return [_view(row) for row in cursor.fetchall()]


class _Undone(Exception):
    """Ends a rehearsal without its COMMIT."""


@contextmanager
def perhaps(pool: Pool, dry_run: bool) -> Iterator[Cursor]:
    """A transaction; as a rehearsal it does everything and is undone in the end. Hints to the daemon go out with a commit only."""
    try:
        with pool.transaction() as cursor:
            yield cursor
            if dry_run:
                raise _Undone
    except _Undone:
        pass


def lead_view(cursor: Cursor, lead: int) -> LeadView | None:
    """One lead with its contact's facts, in a transaction; None when there is none of that id."""
    words = dict.fromkeys(("campaign", "status", "held_by", "agent", "number")) | {"limit": 1, "after": 0, "lead": lead}
    found = rows(cursor, "lead_page", words)
    return _view(found[0]) if found else None


def _view(row: Sequence[Any]) -> LeadView:
    values = list(row)
    values[4] = codec.zones(values[4])
    values[18] = tuple(number for number, _ in values[18])
    return LeadView(*values)
