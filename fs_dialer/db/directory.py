"""The directory: people, their numbers, owner and attributes, found, added, changed (M2, M3, M14, S17, S34); groups of them (S21).

Knows that a person is found by any of his numbers and named by his first. What a change means for leads: a zone of one's own moves the open leads of that
number; all else is read from the contact when it is shown. Filters come as trees and texts as parameters: nobody's text becomes SQL. Times are epoch seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fs_dialer.config.filters import parse, show
from fs_dialer.core.filters import Expr, names_in
from fs_dialer.core.model import CampaignId
from fs_dialer.db import codec
from fs_dialer.db.filter_sql import condition
from fs_dialer.db.joining import begin_joining, join_leads
from fs_dialer.db.lead_state import is_agent, note
from fs_dialer.db.pool import Cursor, Pool, rows
from fs_dialer.db.queries import sql
from fs_dialer.errors import StoreError

LEAST_DIGITS = 3  # a search for fewer would find everybody


@dataclass(frozen=True, slots=True)
class Number:
    """A further number. kind: mobile, home …; zones: where it may be."""

    number: str
    kind: str = ""
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """`number`: the first; `numbers`: the further ones, in the order in which they are tried. `imported`: the import that brought him, "" = by hand."""

    id: int
    number: str
    name: str
    zones: tuple[str, ...]
    owner: str
    attributes: Mapping[str, Any]
    created_at: float
    updated_at: float
    imported: str
    numbers: tuple[Number, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Membership:
    """A lead that a contact is."""

    lead: int
    campaign: str
    number: str
    status: str
    attempts: int
    ready_at: float
    held_by: str


@dataclass(frozen=True, slots=True)
class Card:
    contact: Contact
    leads: tuple[Membership, ...]


@dataclass(frozen=True, slots=True)
class Sought:
    """Whom to find; None = anybody. `text`: in the name, a number or an attribute; `number`: E.164, any of theirs. A filter's days count in `zone`."""

    text: str | None = None
    number: str | None = None
    group: str | None = None
    filter: Expr | None = None
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class ContactChange:
    """None = stays as it is. attributes: a value of "" takes the attribute away. also: further numbers; without: numbers that are not his any more."""

    name: str | None = None
    zones: tuple[str, ...] | None = None
    owner: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    also: tuple[Number, ...] = ()
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupView:
    name: str
    title: str
    declared: bool
    members: int


@dataclass(frozen=True, slots=True)
class Regrouped:
    """changed: who came or left; same: who was there, or was not. campaigns: leads that joined by it, because they take whoever comes into the group."""

    group: str
    changed: int
    same: int
    unknown: tuple[str, ...] = ()
    campaigns: Mapping[str, int] = field(default_factory=dict)


class Directory:
    """The people of one database."""

    _pool: Pool

    # --- looking ------------------------------------------------------------------------------------------------------------------------

    def contact_page(self, sought: Sought, limit: int = 100, after: int = 0) -> list[Contact]:
        """A page of contacts by id; `after` is the last id of the page before."""
        with self._pool.cursor() as cursor:
            return _contacts(cursor, sought, limit, after)

    def contact_show(self, number: str) -> list[Card]:
        """Everybody who has this number (E.164), first or further, with the campaigns they are in."""
        with self._pool.cursor() as cursor:
            found = _contacts(cursor, Sought(number=number))
            leads: dict[int, list[Membership]] = {}
            for contact, *rest in rows(cursor, "contact_memberships", {"contacts": [each.id for each in found]}):
                leads.setdefault(contact, []).append(Membership(*rest))
        return [Card(each, tuple(leads.get(each.id, ()))) for each in found]

    def attribute_names(self) -> list[str]:
        """Names of attributes that contacts have."""
        return [str(row[0]) for row in self._pool.rows("attribute_names")]

    def saved_filter(self, name: str) -> str | None:
        """The condition saved under a name, None when there is none."""
        found = self._pool.rows("saved_filter", {"name": name})
        return str(found[0][0]) if found else None

    # --- changing -----------------------------------------------------------------------------------------------------------------------

    def contact_add(self, number: str, change: ContactChange, groups: Sequence[str], who: str, why: str = "") -> Contact:
        """A new person. `change.zones` None: those of the number are to be given by whoever knows numbers. StoreError: the number is somebody's already."""
        with self._pool.transaction() as cursor:
            self._agent(cursor, change.owner)
            attributes = {key: value for key, value in change.attributes.items() if value}
            words = {"number": number, "name": change.name or "", "zone_set": codec.zone_set(change.zones or ()), "owner": change.owner or ""}
            made = rows(cursor, "new_contact", {**words, "attributes": json.dumps(attributes)})
            if not made:
                raise StoreError(f"{number} is in the directory already: fs-dialer contact show {number}")
            contact = int(made[0][0])
            _add_numbers(cursor, contact, change.also)
            for group in groups:
                rows(cursor, "join_group", {"group": group, "contacts": [contact]})
            note(cursor, who, "add_contact", number, why, {"contact": contact, "fields": sorted(_fields(change)), "groups": list(groups)})
            made_contact = _contacts(cursor, Sought(), contact=contact)[0]
            _taken_up(cursor, made_contact, who)
            return made_contact

    def contact_set(self, contact: int, change: ContactChange, who: str, why: str = "") -> Contact | None:
        """Change what is known of a person; None when there is none of that id. The audit names the fields, not what they say."""
        with self._pool.transaction() as cursor:
            found = rows(cursor, "lock_contact", {"contact": contact})
            if not found:
                return None
            number, name, zone_set, owner, attributes = found[0]
            self._agent(cursor, change.owner)
            merged = {key: value for key, value in {**attributes, **change.attributes}.items() if value != ""}
            words = {
                "contact": contact,
                "name": name if change.name is None else change.name,
                "zone_set": zone_set if change.zones is None else codec.zone_set(change.zones),
                "owner": owner if change.owner is None else change.owner,
                "attributes": json.dumps(merged),
            }
            rows(cursor, "change_contact", words)
            if change.without:
                gone = {row[0] for row in rows(cursor, "drop_numbers", {"contact": contact, "numbers": list(change.without)})}
                if missing := [each for each in change.without if each not in gone]:
                    raise StoreError(f"{', '.join(missing)} is none of the further numbers of {number}")
            _add_numbers(cursor, contact, change.also)
            if change.zones is not None:
                for (campaign,) in rows(cursor, "leads_in_zone", {"contact": contact, "number": number, "zone_set": words["zone_set"]}):
                    rows(cursor, "hint", {"kind": "leads", "name": campaign})
            note(cursor, who, "set_contact", number, why, {"contact": contact, "fields": sorted(_fields(change)), "owner": change.owner})
            changed = _contacts(cursor, Sought(), contact=contact)[0]
            _taken_up(cursor, changed, who)
            return changed

    def _agent(self, cursor: Cursor, owner: str | None) -> None:
        if owner and not is_agent(cursor, owner):
            raise StoreError(f"there is no agent {owner}; who there is: fs-dialer agent list")

    # --- groups -------------------------------------------------------------------------------------------------------------------------

    def group_list(self) -> list[GroupView]:
        """By name: those that files declare, and others that have members."""
        return [GroupView(name, title, declared, int(members)) for name, title, declared, members in self._pool.rows("group_rows")]

    def group_add(self, group: str, who: str, why: str = "", *, numbers: Sequence[str] = (), filter: Expr | None = None, zone: str = "UTC") -> Regrouped:
        """People with these numbers, or who meet a filter, come into a group, and into campaigns that take whoever comes into it (`new_rows: join`)."""
        with self._pool.transaction() as cursor:
            if filter is not None:
                met, changed = _by_filter(cursor, "join_group_by_filter", group, filter, zone)
                unknown: tuple[str, ...] = ()
            else:
                ids, unknown = _people(cursor, numbers)
                met, changed = len(ids), int(rows(cursor, "join_group", {"group": group, "contacts": ids})[0][0])
            joined = _followed(cursor, group, who) if changed else {}
            details = {"changed": changed, "filter": show(filter) if filter is not None else None}
            note(cursor, who, "add_to_group", group, why, details)
        return Regrouped(group, changed, met - changed, unknown, joined)

    def group_remove(self, group: str, who: str, why: str = "", *, numbers: Sequence[str] = (), filter: Expr | None = None, zone: str = "UTC") -> Regrouped:
        """They leave the group; leads that they have become stay."""
        with self._pool.transaction() as cursor:
            if filter is not None:
                met, changed = _by_filter(cursor, "leave_group_by_filter", group, filter, zone)
                unknown: tuple[str, ...] = ()
            else:
                ids, unknown = _people(cursor, numbers)
                met, changed = len(ids), int(rows(cursor, "leave_groups", {"group": group, "contacts": ids})[0][0])
            details = {"changed": changed, "filter": show(filter) if filter is not None else None}
            note(cursor, who, "remove_from_group", group, why, details)
        return Regrouped(group, changed, met - changed, unknown)


def _contacts(cursor: Cursor, sought: Sought, limit: int = 1000, after: int = 0, contact: int | None = None) -> list[Contact]:
    digits = "".join(each for each in sought.text or "" if each in "0123456789")
    words: dict[str, Any] = {
        "after": after,
        "contact": contact,
        "group": sought.group,
        "number": sought.number,
        "text": sought.text,
        "digits": digits if len(digits) >= LEAST_DIGITS else "",
        "limit": limit,
    }
    where = "true"
    if sought.filter is not None:
        where, parameters = condition(sought.filter, sought.zone)
        words |= parameters
    cursor.execute(sql("contact_page").replace("/* condition */ true", where), words)
    return [_contact(row) for row in cursor.fetchall()]


def _contact(row: Sequence[Any]) -> Contact:
    id, number, name, zone_set, owner, attributes, created_at, updated_at, imported, numbers, groups = row
    further = tuple(Number(each, kind, codec.zones(zones)) for each, kind, zones in numbers)
    return Contact(id, number, name, codec.zones(zone_set), owner, attributes, created_at, updated_at, imported, further, tuple(groups))


def _fields(change: ContactChange) -> set[str]:
    named = {key for key in ("name", "zones", "owner") if getattr(change, key) is not None}
    return named | set(change.attributes) | ({"numbers"} if change.also or change.without else set())


def _add_numbers(cursor: Cursor, contact: int, numbers: Sequence[Number]) -> None:
    words = {
        "numbers": [each.number for each in numbers],
        "kinds": [each.kind for each in numbers],
        "zone_sets": [codec.zone_set(each.zones) for each in numbers],
    }
    if numbers:
        rows(cursor, "further_numbers", {**words, "contact": contact})


def _people(cursor: Cursor, numbers: Iterable[str]) -> tuple[list[int], tuple[str, ...]]:
    """Who has these numbers, and the numbers that nobody has."""
    wanted = list(dict.fromkeys(numbers))
    found = rows(cursor, "contacts_of_numbers", {"numbers": wanted})
    known = {row[0] for row in found}
    return sorted({int(row[1]) for row in found}), tuple(each for each in wanted if each not in known)


def _by_filter(cursor: Cursor, name: str, group: str, filter: Expr, zone: str) -> tuple[int, int]:
    where, parameters = condition(filter, zone)
    cursor.execute(sql(name).replace("/* condition */ true", where), {**parameters, "group": group})
    met, changed = cursor.fetchone() or (0, 0)
    return int(met), int(changed)


def _followed(cursor: Cursor, group: str, who: str) -> dict[str, int]:
    """Campaigns that take whoever comes into a group do so: how many leads each got."""
    found = {}
    for name, leads, zone in rows(cursor, "live_sources"):
        filter = leads.get("filter") or ""
        if leads.get("group") == group or (not leads.get("group") and group in names_in(parse(filter)).groups):
            joined = join_leads(cursor, CampaignId(name), leads.get("group") or "", filter, who, zone=zone or "UTC")
            if joined.leads:
                found[name] = joined.leads
    return found


def _taken_up(cursor: Cursor, contact: Contact, who: str) -> None:
    """A person who is new, or of whom something else is known now, becomes a lead where campaigns take whoever comes."""
    for name, leads, zone in rows(cursor, "live_sources"):
        filter = leads.get("filter") or ""
        if leads.get("group") and leads["group"] not in contact.groups:
            continue
        if filter and not _contacts(cursor, Sought(filter=parse(filter), zone=zone or "UTC"), contact=contact.id):
            continue
        begin_joining(cursor)
        new, blocked, refused, *_ = rows(cursor, "add_leads", {"campaign": name, "numbers": [], "zone_sets": [], "contacts": [contact.id]})[0]
        if new + blocked + refused:
            note(cursor, who, "add_leads", name, "", {"contacts": 1, "new": new, "do_not_call": blocked, "refused": refused})
            rows(cursor, "hint", {"kind": "leads", "name": name})
