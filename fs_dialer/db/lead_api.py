"""Leads, do-not-call entries and answers of the HTTP interface, in the database.

Knows rows that are judged already (runtime/lead_desk.py judges them) and what a campaign says of doubles. One request is one transaction together with the
answer to its key: the same key again finds the answer, and nothing is done twice (M22).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fs_dialer.config.codec import installation_from_json
from fs_dialer.db import codec
from fs_dialer.db.pool import Cursor, Pool, rows

Numbers = tuple[str, tuple[str, ...], str]  # a further number, its zones, its kind


@dataclass(frozen=True, slots=True)
class ApiRow:
    """A contact who may be called. `ready_at`: epoch seconds, None = now."""

    number: str
    zones: tuple[str, ...]
    name: str = ""
    owner: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    further: tuple[Numbers, ...] = ()
    ready_at: float | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """rows = added + no_callback + do_not_call + known + twice. known: were in the campaign; twice: more rows of one number."""

    added: int
    known: int
    twice: int
    do_not_call: int
    no_callback: int


@dataclass(frozen=True, slots=True)
class Door:
    """The campaign that leads want to join."""

    state: str
    twice: str


def answer_of(cursor: Cursor, token: str, key: str) -> tuple[str, int, dict[str, Any]] | None:
    """(fingerprint of the request, status, response) kept for this key; waits for whoever is answering it. Inside a transaction."""
    found = rows(cursor, "api_answer_of", {"token": token, "key": key})
    return (found[0][0], found[0][1], found[0][2]) if found else None


def keep_answer(cursor: Cursor, token: str, key: str, request: str, status: int, response: Mapping[str, Any]) -> None:
    rows(cursor, "api_answered", {"token": token, "key": key, "request": request, "status": status, "response": json.dumps(dict(response))})


def door(cursor: Cursor, campaign: str) -> Door | None:
    """None where there is no such campaign."""
    found = rows(cursor, "api_campaign", {"campaign": campaign})
    return Door(*found[0]) if found else None


def known_agents(cursor: Cursor, agents: Sequence[str]) -> frozenset[str]:
    """Those of them that are defined."""
    return frozenset(row[0] for row in rows(cursor, "api_known_agents", {"agents": list(agents)}))


def join(cursor: Cursor, campaign: str, twice: str, given: Sequence[ApiRow], who: str) -> Joined:
    """Make leads of the rows, in their order. Inside a transaction; with its audit line and a hint to the daemon."""
    firsts = _first_of_each(given, twice)
    merged = list(firsts.values())
    words: dict[str, Any] = {"campaign": campaign, "twice": twice}
    rows(cursor, "api_contacts", words | _contact_columns(merged))
    if further := [(row.number, number, kind, codec.zone_set(zones)) for row in merged for number, zones, kind in row.further]:
        columns = [list(column) for column in zip(*further, strict=True)]
        rows(cursor, "api_numbers", words | dict(zip(("firsts", "numbers", "kinds", "zone_sets"), columns, strict=True)))
    joining = given if twice == "keep-all" else merged
    counts: dict[str, int] = dict(rows(cursor, "api_leads", words | _lead_columns(joining, firsts)))
    new = sum(counts.values())
    joined = Joined(counts.get("new", 0), len(joining) - new, len(given) - len(joining), counts.get("blocked", 0), counts.get("refused", 0))
    details = {"rows": len(given), "new": joined.added, "do_not_call": joined.do_not_call, "known": joined.known, "twice": joined.twice}
    rows(cursor, "audit", {"who": who, "what": "import_leads", "target": campaign, "why": "", "details": json.dumps(details)})
    rows(cursor, "hint", {"kind": "leads", "name": campaign})
    return joined


def _first_of_each(given: Sequence[ApiRow], twice: str) -> dict[str, ApiRow]:
    """One row for each number: its first; or, where later rows bring newer facts, what all of them say together, the later word over the earlier."""
    found: dict[str, ApiRow] = {}
    for row in given:
        before = found.get(row.number)
        if before is None:
            found[row.number] = row
        elif twice == "update":
            further = {number[0]: number for number in (*before.further, *row.further)}
            found[row.number] = replace(
                row,
                zones=row.zones or before.zones,
                name=row.name or before.name,
                owner=row.owner or before.owner,
                attributes={**before.attributes, **row.attributes},
                further=tuple(further.values()),
                ready_at=before.ready_at if row.ready_at is None else row.ready_at,
            )
    return found


def _contact_columns(given: Sequence[ApiRow]) -> dict[str, list[Any]]:
    return {
        "numbers": [row.number for row in given],
        "names": [row.name for row in given],
        "zone_sets": [codec.zone_set(row.zones) for row in given],
        "attributes": [json.dumps(dict(row.attributes)) for row in given],
        "owners": [row.owner for row in given],
    }


def _lead_columns(given: Sequence[ApiRow], firsts: Mapping[str, ApiRow]) -> dict[str, list[Any]]:
    """`parameters`: what a further row of a number says besides the contact's own attributes, which are the first row's."""
    own = [{} if row is firsts[row.number] else {k: v for k, v in row.attributes.items() if firsts[row.number].attributes.get(k) != v} for row in given]
    return {
        "numbers": [row.number for row in given],
        "zone_sets": [codec.zone_set(row.zones) for row in given],
        "ready_ats": [row.ready_at for row in given],
        "parameters": [json.dumps(each) for each in own],
    }


class LeadApi:
    """The database behind the HTTP interface; every method but `transaction` is one by itself."""

    def __init__(self, pool: Pool) -> None:
        self.transaction = pool.transaction
        self._pool = pool

    def forbid(self, numbers: Sequence[str], list_name: str, reason: str, who: str) -> tuple[int, int]:
        """Put numbers on a do-not-call list: how many are new there, and how many leads were blocked by it."""
        with self._pool.transaction() as cursor:
            words = {"numbers": sorted(set(numbers)), "list": list_name, "reason": reason, "who": who}
            entries, blocked = rows(cursor, "do_not_call_add", words)[0]
            rows(cursor, "hint", {"kind": "do_not_call", "name": ""})
        return int(entries), int(blocked)

    def ping(self) -> None:
        """A question and its answer; StoreError where there is none."""
        self._pool.rows("server_clock")

    def region(self) -> str:
        """The country of national numbers; "" = they are refused."""
        found = self._pool.rows("installation")
        return codec.definition(installation_from_json, found[0][0], "the installation").region if found else ""

    def lead_counts(self) -> dict[tuple[str, str], int]:
        """Leads by campaign and status. Reads every lead: not to be asked often."""
        return {(campaign, status): int(count) for campaign, status, count in self._pool.rows("lead_counts", {"name": None})}
