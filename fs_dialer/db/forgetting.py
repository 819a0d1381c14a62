"""A person is forgotten (GDPR): contact, numbers, groups, attributes and leads go; calls, tickets and audit lines stay without him, so that counts stay.

One transaction. What lies outside of the database (journals, recordings) is erased by the caller inside of it, before the commit: if a file cannot be
erased, nothing is, and doing it again is safe. A number may be on a do-not-call list because the person does not want to be called; that entry stays
unless asked otherwise, for somebody who is forgotten wholly may be imported and called again tomorrow.

Leads are deleted; how many had which status is kept per campaign in the audit (`forget_leads`), and `leads_forgotten` gives it to reports. A number that
somebody else has too stays his, unless it is the one that was named.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fs_dialer.db.lead_desk import perhaps
from fs_dialer.db.lead_state import note
from fs_dialer.db.pool import Cursor, Pool, rows
from fs_dialer.errors import StoreError

INSTEAD = "(forgotten)"


@dataclass(frozen=True, slots=True)
class Traces:
    """What lies outside of the database: numbers in journals, recordings by the ids of their calls, made to him or by him."""

    numbers: tuple[str, ...]
    attempts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much was erased. leads: by campaign and status. do_not_call: entries, kept or gone; no_callback: marks. known: False = there was nobody."""

    contacts: int
    leads: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    attempts: int = 0
    tickets: int = 0
    audit: int = 0
    messages: int = 0
    do_not_call: int = 0
    no_callback: int = 0
    numbers: int = 1
    callers: int = 0  # calls to queues

    @property
    def known(self) -> bool:
        return bool(self.contacts or self.leads or self.attempts or self.callers or self.tickets or self.audit or self.messages)


class CallUp(StoreError):
    """A call to the person is not over."""


class Forgetting:
    """The people of one database, and how they leave it."""

    _pool: Pool

    def forget(
        self, number: str, who: str, why: str = "", *, keep_do_not_call: bool = True, dry_run: bool = False, erase: Callable[[Traces], None] | None = None
    ) -> Forgotten:
        """Forget who has this number (E.164). `erase` is told what to erase outside, before the commit; what it raises undoes everything.

        CallUp while a call to him is up. StoreError when the number is several people's, and nobody's first.
        """
        with perhaps(self._pool, dry_run) as cursor:
            contact, numbers = _person(cursor, number)
            leads = rows(cursor, "lock_forgotten", {"contact": contact, "numbers": numbers})
            words = {"contact": contact, "numbers": numbers, "leads": [row[0] for row in leads], "instead": INSTEAD, "pattern": _pattern(numbers)}
            if up := rows(cursor, "calls_up", words):
                raise CallUp(f"a call to {number} is up in {up[0][1]}: nothing was changed")
            attempts = [row[0] for row in rows(cursor, "forget_attempts", words)]
            callers = [row[0] for row in rows(cursor, "forget_callers", words)]
            tickets = rows(cursor, "forget_tickets", words)[0][0]
            audit = rows(cursor, "forget_in_audit", words)[0][0]
            messages = rows(cursor, "forget_in_messages", words)[0][0]
            entries, marks = rows(cursor, "forget_wishes", {**words, "keep": keep_do_not_call})[0]
            rows(cursor, "forget_person", words)
            counted = {campaign: dict(Counter(row[2] for row in leads if row[1] == campaign)) for campaign in sorted({row[1] for row in leads})}
            done = Forgotten(int(contact is not None), counted, len(attempts), tickets, audit, messages, entries, marks, len(numbers), len(callers))
            if erase is not None and not dry_run:
                erase(Traces(tuple(numbers), (*attempts, *callers)))
            if done.known:
                _noted(cursor, done, who, why)
        return done

    def leads_forgotten(self, campaign: str | None = None) -> dict[str, dict[str, int]]:
        """Leads that are not counted any more because their people were forgotten: by campaign and the status they had."""
        found: dict[str, dict[str, int]] = {}
        for name, status, count in self._pool.rows("leads_forgotten", {"campaign": campaign}):
            found.setdefault(name, {})[status] = int(count)
        return found


def _person(cursor: Cursor, number: str) -> tuple[int | None, list[str]]:
    """Who it is, None = nobody in the directory, and the numbers that are his alone; the one that was named is always among them."""
    people = rows(cursor, "people_to_forget", {"number": number})
    if len(people) > 1 and not people[0][1]:
        raise StoreError(f"{number} is one of the numbers of {len(people)} people: name the one you mean by his first number (fs-dialer contact show {number})")
    if not people:
        return None, [number]
    return int(people[0][0]), sorted({number, *people[0][2]})


def _pattern(numbers: list[str]) -> str:
    """The numbers in a text, and not the beginning of a longer one; the same to PostgreSQL and to Python."""
    return "(" + "|".join(re.escape(number) for number in numbers) + ")(?![0-9])"


def _noted(cursor: Cursor, done: Forgotten, who: str, why: str) -> None:
    """That somebody was forgotten, and not who."""
    for campaign, statuses in done.leads.items():
        note(cursor, who, "forget_leads", campaign, why, {"leads": dict(statuses)})
        rows(cursor, "hint", {"kind": "leads", "name": campaign})
    details = {"attempts": done.attempts, "callers": done.callers, "tickets": done.tickets, "leads": sum(sum(each.values()) for each in done.leads.values())}
    note(cursor, who, "forget", INSTEAD, why, details)
