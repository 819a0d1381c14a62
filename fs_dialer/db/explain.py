"""What `fs-dialer explain` asks the database: leads with all that is known of them, whole campaigns counted by class, calls that went by a gateway.

Reads only, and judges nothing: the answers are the core's (core/explain.py). All that is asked inside one `moment()` is seen as of one moment: counts, lists
and the daemon's snapshot fit together. Times are epoch seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from fs_dialer.config.codec import campaign_from_json, installation_from_json
from fs_dialer.core.definition import Campaign, Installation
from fs_dialer.core.explain import FINISHED, LeadClass
from fs_dialer.core.leads import Facts
from fs_dialer.core.model import AgentId, CampaignId, CampaignState, Lead, LeadId, LeadStatus
from fs_dialer.db import codec
from fs_dialer.db.pool import Cursor, Pool, Row, rows

EXPLAIN_TIMEOUT_S = 60.0
MOST_LEADS = 100  # that one number may mean
MOST_AHEAD = 100_000  # leads before this one; past that nobody wants to know
LAST_TRIES = 20
LAST_CALLS = 10  # of a gateway or caller id; as many as its breaker looks at
LAST_CALLS_WITHIN_S = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class CampaignFound:
    """A campaign at the revision that dials. approved_by, changed_by: "" where the audit does not say; changed_at: when it got its state."""

    campaign: Campaign
    state: CampaignState
    started: bool
    reason: str
    newest_revision: int
    approved_revision: int | None
    approved_by: str
    approved_at: float | None
    changed_by: str
    changed_at: float | None

    @property
    def starts_at(self) -> float | None:
        """When it begins by itself (D11); None = only when somebody starts it."""
        return self.campaign.window.start or 0.0 if self.state is CampaignState.APPROVED and self.started else None

    @property
    def caps(self) -> list[tuple[int, float]]:
        return [(cap.max, cap.within_s) for cap in self.campaign.compliance.attempts]


@dataclass(frozen=True, slots=True)
class LeadFound:
    lead: Lead
    returns_to: LeadStatus | None  # what a refused one becomes when its time is over
    claimed: bool
    position: int
    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One do-not-call entry; `number` of a prefix ends with a star."""

    list: str
    number: str
    reason: str
    added_by: str
    added_at: float


@dataclass(frozen=True, slots=True)
class ListAge:
    """A do-not-call list. imported_at None: it was never imported, only written by hand. stale_after_s: its own limit, None = none."""

    list: str
    imported_at: float | None
    stale_after_s: float | None


@dataclass(frozen=True, slots=True)
class Mark:
    """Not to be called back until then. campaign "": by no campaign."""

    until: float
    campaign: str
    reason: str
    added_by: str
    added_at: float


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt at a lead. outcome and ended_at None: the call is up."""

    opened_at: float
    outcome: str | None
    cause: str | None
    sip_status: int | None
    ended_at: float | None
    decision: str
    disposition: str | None
    number: str


@dataclass(frozen=True, slots=True)
class LeadKnown:
    """All that the database knows of one lead besides its own row. `tries`: newest first."""

    entries: tuple[Entry, ...]
    lists: tuple[ListAge, ...]
    mark: Mark | None
    caps: tuple[tuple[int, int, float, float | None], ...]
    in_call: bool
    tries: tuple[Try, ...]

    def facts(self) -> Facts:
        named = tuple(dict.fromkeys(entry.list for entry in self.entries))
        return Facts(named, len(self.lists), self.mark.until if self.mark else 0.0, self.caps, self.in_call)


@dataclass(frozen=True, slots=True)
class CallOver:
    """One call by a gateway or under a caller id."""

    opened_at: float
    campaign: str
    gateway: str
    caller_id: str
    outcome: str
    cause: str
    sip_status: int | None


@dataclass(frozen=True, slots=True)
class Deferred:
    """Leads of one campaign that wait because no caller id or trunk was healthy. asked_at: when the first is asked again."""

    campaign: str
    leads: int
    asked_at: float


class ExplainStore:
    """One database, for one command."""

    def __init__(self, dsn: str, *, application: str = "fs-dialer explain") -> None:
        self._pool = Pool(dsn, size=1, application=application, statement_timeout_s=EXPLAIN_TIMEOUT_S)

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def moment(self) -> Iterator[Seen]:
        """The database as it is now; StoreError as everywhere."""
        with self._pool.transaction() as cursor:
            rows(cursor, "explain_begin")
            yield Seen(cursor)


class Seen:
    """The database at one moment."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def campaign(self, name: str) -> CampaignFound | None:
        """None when there is none of that name."""
        found = self._ask("explain_campaign", campaign=name)
        if not found:
            return None
        _, state, started, reason, newest, approved, revision, definition, approved_by, approved_at, changed_by, changed_at = found[0]
        campaign = codec.definition(campaign_from_json, {**definition, "revision": revision}, f"campaign {name} r{revision}")
        return CampaignFound(campaign, CampaignState(state), started, reason, newest, approved, approved_by, approved_at, changed_by, changed_at)

    def campaigns(self) -> dict[str, Campaign | None]:
        """Every campaign by name, with its definition as long as it has not ended."""
        found = self._ask("explain_campaign_names")
        return {name: None if definition is None else codec.definition(campaign_from_json, definition, f"campaign {name}") for name, _, definition in found}

    def installation(self) -> tuple[Installation, tuple[str, ...]]:
        """What was applied, or the defaults before the first apply; and the caller ids that are defined."""
        found = self._ask("explain_installation")
        if not found:
            return Installation(), ()
        return codec.definition(installation_from_json, found[0][0], "the installation"), tuple(found[0][1])

    def snapshot(self) -> tuple[float, dict[str, Any]] | None:
        """How many seconds old the daemon's last word is, and the word; None before the first daemon."""
        found = self._ask("daemon_status")
        return (float(found[0][0]), dict(found[0][1])) if found else None

    def memory(self, campaign: CampaignId) -> Mapping[str, Any]:
        """What its type has learnt, as the daemon saved it last; {} before the first time."""
        found = self._ask("explain_memory", campaign=campaign)
        return found[0][0] if found and isinstance(found[0][0], Mapping) else {}

    # --- one lead -----------------------------------------------------------------------------------------------------------------------

    def leads_named(self, *, lead: LeadId | None = None, number: str | None = None, campaign: str | None = None) -> list[LeadFound]:
        """The lead of this id, or all that this number (E.164) may mean, at most MOST_LEADS; those of one campaign or of all."""
        return [_lead(row) for row in self._ask("explain_leads_named", lead=lead, number=number, campaign=campaign, limit=MOST_LEADS)]

    def lead_known(self, lead: Lead, caps: Sequence[tuple[int, float]], at: float) -> LeadKnown:
        """What the gates must know of it at this moment; calls that are not made yet are not foreseen."""
        known = self._ask("explain_lead_facts", number=lead.number, campaign=lead.campaign, lead=lead.id, caps=json.dumps(caps), at=at)[0]
        return LeadKnown(
            self.entries(lead.number),
            tuple(ListAge(*row) for row in self._ask("explain_lists")),
            None if known[0] is None else Mark(*known[:5]),
            tuple((int(used), int(most), float(within), None if until is None else float(until)) for used, most, within, until in known[5]),
            known[6],
            tuple(Try(*row) for row in self._ask("explain_lead_attempts", lead=lead.id, limit=LAST_TRIES)),
        )

    def entries(self, number: str) -> tuple[Entry, ...]:
        """The do-not-call entries that name a number."""
        return tuple(Entry(*row) for row in self._ask("explain_lead_lists", number=number))

    def ahead(self, found: LeadFound, open_sets: Sequence[tuple[str, ...]], now: float) -> int:
        """How many leads of these zone sets are claimed before this one, as it stands `now`; MOST_AHEAD = that many or more."""
        lead = found.lead
        words = {"campaign": lead.campaign, "zone_sets": [codec.zone_set(zones) for zones in open_sets], "ready_at": lead.ready_at}
        return int(self._ask("explain_ahead", **words, position=found.position, first=lead.ready_why in codec.FIRST, now=now, limit=MOST_AHEAD)[0][0])

    def zone_sets(self, campaign: CampaignId) -> list[tuple[str, ...]]:
        """The zone sets that a campaign's leads have."""
        return [codec.zones(row[0]) for row in self._ask("explain_zone_sets", campaign=campaign)]

    # --- many leads ---------------------------------------------------------------------------------------------------------------------

    def classes(self, found: CampaignFound, at: float) -> list[LeadClass]:
        """A campaign's leads by all that its gates can tell apart, as of a moment."""
        campaign, caps = found.campaign, found.caps
        longest = max((within for _, within in caps), default=0.0)
        numbers = self._ask("explain_numbers", campaign=campaign.id, caps=json.dumps(caps), at=at, longest_cap_s=longest)[0]
        words = dict(zip(("numbers", "alone_untils", "capped_untils", "first_leads", "last_leads", "listed", "prefixes"), numbers, strict=True))
        counted = _Classes(campaign.attempts.max)
        for row in self._ask("explain_classes", campaign=campaign.id, at=at, numbers=words["numbers"], prefixes=words["prefixes"]):
            due, first, ahead, first_ahead = row[9:]
            if due:
                counted.add(row, due, True, first)
            if ahead:
                counted.add(row, ahead, False, first_ahead)
        for row in self._ask("explain_classes_of_numbers", campaign=campaign.id, at=at, **words):
            is_due, in_call, count, first, alone, capped, opens_at = row[9:]
            counted.add(row, count, is_due, first, alone, capped, opens_at, in_call=in_call)
        return counted.all()

    def calls_over(self, campaigns: Sequence[str], *, gateway: str | None = None, caller_id: str | None = None, now: float) -> list[CallOver]:
        """The LAST_CALLS newest calls of these campaigns by a gateway or under a caller id, newest first, of the last week."""
        words = {"campaigns": list(campaigns), "gateway": gateway, "caller_id": caller_id, "since": now - LAST_CALLS_WITHIN_S}
        return [CallOver(*row) for row in self._ask("explain_calls_over", **words, limit=LAST_CALLS)]

    def deferred(self, campaigns: Sequence[str], now: float) -> list[Deferred]:
        """Leads that wait because no way was healthy, by campaign; campaigns without any are left out."""
        return [Deferred(*row) for row in self._ask("explain_deferred", campaigns=list(campaigns), at=now)]

    def _ask(self, name: str, **words: Any) -> list[Row]:
        return rows(self._cursor, name, words)


def _lead(row: Row) -> LeadFound:
    id, campaign, number, zone_set, status, attempts, ours, ready_at, ready_why, agent, caller_id, others, held_by, before, claimed, position, name, last = row
    lead = Lead(
        LeadId(id),
        CampaignId(campaign),
        number,
        codec.zones(zone_set),
        LeadStatus(status),
        attempts,
        ours,
        ready_at,
        ready_why,
        AgentId(agent) if agent else None,
        caller_id,
        others,
        held_by,
        last=last,
        kind=codec.kind_of(number),
    )
    return LeadFound(lead, LeadStatus(before) if before else None, claimed, position, name)


_STATUS: Mapping[str, LeadStatus] = {status.value: status for status in LeadStatus}


class _Classes:
    """Puts together what is of no consequence to the gates: finished leads differ by their status only, attempts past the maximum are alike, and why ready_at
    lay ahead matters while it does."""

    def __init__(self, most_attempts: int) -> None:
        self._most = most_attempts
        self._kept: dict[tuple[Any, ...], LeadClass] = {}

    def add(
        self,
        row: Row,
        count: int,
        due: bool,
        first: float,
        alone: float | None = None,
        capped: float | None = None,
        opens_at: float | None = None,
        *,
        in_call: bool = False,
    ) -> None:
        status, zone_set, attempts, why, held_by, before, promised, claimed, listed = row[:9]
        kind = _STATUS[status]
        opens_at = first if opens_at is None else opens_at
        if kind in FINISHED:
            new = LeadClass(count, kind)
        else:
            why, held_by = ("", "") if due else (why, held_by)
            returns_to = _STATUS[before] if before and kind is LeadStatus.REFUSED else None
            attempts, zones = min(attempts, self._most), codec.zones(zone_set)
            listed = listed and kind is not LeadStatus.BLOCKED
            new = LeadClass(count, kind, zones, attempts, due, first, why, held_by, returns_to, promised, claimed, listed, in_call, alone, capped, opens_at)
        key: tuple[Any, ...] = (kind, new.zones, new.attempts, due, new.ready_why, new.held_by, new.returns_to, new.promised, new.claimed)
        key += (new.listed, new.in_call, new.left_alone_until is None, new.capped_until is None)
        known = self._kept.get(key)
        self._kept[key] = new if known is None else _both(known, new)

    def all(self) -> list[LeadClass]:
        return list(self._kept.values())


def _both(one: LeadClass, other: LeadClass) -> LeadClass:
    return replace(
        one,
        count=one.count + other.count,
        ready_at=min(one.ready_at, other.ready_at),
        left_alone_until=_earlier(one.left_alone_until, other.left_alone_until),
        capped_until=_earlier(one.capped_until, other.capped_until),
        opens_at=min(one.opens_at, other.opens_at),
    )


def _earlier(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else min(one, other)
