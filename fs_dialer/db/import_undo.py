"""Imports looked at, and undone: what one brought goes, and nothing else.

Knows what belongs to an import, and what others have come to rely on since: leads that were called stay as history, contacts stay whom anybody else uses or
changed. Not one transaction but many short ones, because leads that are being dialled are among them; an undo that is interrupted is finished by the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fs_dialer.db.imports import CHANGES_KEPT_DAYS
from fs_dialer.db.lead_state import note
from fs_dialer.db.pool import Pool, rows

PAGE = 5_000  # ids
_DAY_S = 86400.0
_BIGGEST_ID = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class ImportLine:
    """`campaign` None: into the directory only. `counts`: as it was told (leads_report.py, ImportDone); what it did not count is missing."""

    id: int
    name: str
    file: str
    campaign: str | None
    group: str
    who: str
    at: float
    counts: Mapping[str, int]
    undone_at: float | None
    undone_by: str | None


@dataclass(slots=True)
class Undone:
    """leads: went, never called; stopped: were called and could have been again; finished: were called and stay as they are. members: left the group.

    contacts: went; in_use: stay, because somebody else uses or changed them. restored: got back what the import changed; changed_since: did not, because
    somebody changed them again. forgotten: what the import changed was too long ago to be given back.
    """

    leads: int = 0
    stopped: int = 0
    finished: int = 0
    members: int = 0
    contacts: int = 0
    in_use: int = 0
    restored: int = 0
    changed_since: int = 0
    forgotten: bool = False
    campaigns: Mapping[str, int] = field(default_factory=dict)


class UndoneBefore(Exception):
    """Somebody else was quicker."""


QUERIES = {"leads": "undo_leads", "members": "undo_members", "changes": "undo_changes", "contacts": "undo_contacts"}


def imports_listed(pool: Pool, *, campaign: str | None = None, limit: int = 100, before: int | None = None) -> list[ImportLine]:
    """The newest first; `before`: behind this id."""
    words = {"campaign": campaign, "limit": limit, "before": _BIGGEST_ID if before is None else before}
    return [ImportLine(*row) for row in pool.rows("import_rows", words)]


def import_named(pool: Pool, name: str) -> ImportLine | None:
    found = pool.rows("import_row", {"name": name})
    return ImportLine(*found[0]) if found else None


def undo_import(pool: Pool, line: ImportLine, who: str, now: float, *, write: bool = True, progress: Callable[[float], None] = lambda share: None) -> Undone:
    """Take back what the import did, or with `write` False count it. UndoneBefore where it was done meanwhile. `progress`: how much of it is done, 0.0–1.0."""
    # Calls were made after the import, by a daemon's clock.
    words = {"import": line.id, "group": line.group, "since": line.at - _DAY_S, "write": write}
    done, campaigns = Undone(), Counter[str]()
    done.forgotten = line.counts.get("changed", 0) > 0 and line.at < now - CHANGES_KEPT_DAYS * _DAY_S
    pages = list(_pages(pool.rows("undo_spans", words)[0]))
    for place, (what, first, last) in enumerate(pages):
        page = {**words, "first": first, "last": last}
        with pool.transaction() as cursor:
            if write and what != "members":
                rows(cursor, "undo_lock_leads" if what == "leads" else "undo_lock_contacts", page)
            found = rows(cursor, QUERIES[what], page)
            if what == "leads":
                for campaign, gone, stopped, finished in found:
                    done.leads, done.stopped, done.finished = done.leads + gone, done.stopped + stopped, done.finished + finished
                    campaigns[campaign] += gone + stopped
                    if write:
                        rows(cursor, "hint", {"kind": "leads", "name": campaign})
            elif what == "members":
                done.members += found[0][0]
            elif what == "changes":
                done.restored, done.changed_since = done.restored + found[0][0], done.changed_since + found[0][1]
            else:
                done.contacts, done.in_use = done.contacts + found[0][0], done.in_use + found[0][1]
        progress((place + 1) / len(pages))
    done.campaigns = dict(campaigns)
    if write:
        with pool.transaction() as cursor:
            if not rows(cursor, "end_undo", {"import": line.id, "who": who}):
                raise UndoneBefore
            counts = {"leads": done.leads, "stopped": done.stopped, "members": done.members, "contacts": done.contacts, "restored": done.restored}
            note(cursor, who, "undo_import", line.campaign or line.group, "", {"import": line.name, "file": line.file, **counts})
    return done


def _pages(spans: tuple[Any, ...]) -> Iterator[tuple[str, int, int]]:
    """In this order: what is left of leads and groups decides about contacts."""
    for what, span in zip(("leads", "members", "changes", "contacts"), spans, strict=True):
        first, last = span
        if first is not None:
            for start in range(first, last + 1, PAGE):
                yield what, start, min(start + PAGE - 1, last)
