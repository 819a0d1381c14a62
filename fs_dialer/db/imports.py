"""Files of leads into the directory, a group and a campaign (S16, S19, S21, M2, M10): all of a file or nothing, each file once.

Knows rows that are judged already (config/lead_file.py), what a number that is known means, and how much of it is worth saying. One transaction, in lots: while
one is stored the next is read. What it did can be undone (import_undo.py). COPY does not work through psycogreen's wait callback, so this runs in a plain
process only.
"""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, NamedTuple, TypeAlias

from fs_dialer.config.leads_rows import GoodRow, Twice
from fs_dialer.core.effects import Joining
from fs_dialer.core.model import CampaignId
from fs_dialer.db.import_lines import line_of, rows_of
from fs_dialer.db.import_lots import LOT_ROWS, store_in_lots
from fs_dialer.db.joining import join_later
from fs_dialer.db.lead_state import COPIES
from fs_dialer.db.pool import Cursor, Pool, is_cooperative, rows
from fs_dialer.db.queries import sql
from fs_dialer.db.shapes import Imported, LeadRow
from fs_dialer.errors import StoreError

PROGRESS_EVERY = 10_000
ANALYZE_FROM = 1_000  # fewer new leads change no plan
CHANGES_KEPT_DAYS = 30  # former values of contacts, for an undo
NO_IMPORT = -1  # a dry run's
_SHORTEST, _LONGEST = 2, 8  # bytes of an import's name

# What is done with a number that is known: the contact and his lead stay as they are; the contact gets what the file knows better; that, and where his leads in
# the campaign are all finished, a new one at the end of the line (D12).
Known: TypeAlias = Literal["keep", "update", "again"]


class ImportedBefore(Exception):
    """The same file came into the same place before. `counts`: what it said then."""

    def __init__(self, name: str, at: float, who: str, counts: Mapping[str, Any]) -> None:
        self.name, self.at, self.who, self.counts = name, at, who, counts
        super().__init__(f"imported as {name}")


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What is asked. `campaign` None: into the directory only. `group`: "" = none. `twice`: as the rows were read; here keep-all alone matters, and update.

    `hash`: of the file and of all that was asked; "" = may come as often as it likes. `dry_run`: count, write nothing; then `pool` must be one that rolls back.
    """

    who: str
    campaign: CampaignId | None = None
    group: str = ""
    twice: Twice = "keep-first"
    known: Known = "update"
    file: str = ""
    hash: str = ""
    dry_run: bool = False


@dataclass(slots=True)
class ImportDone:
    """What became of the rows: new + do_not_call + no_callback + known, the second rows of a number apart. Without a campaign `new` are contacts.

    `contacts`: new in the directory; `changed`: contacts of whom the file knew better; `members`: came into the group. `later`: leads of campaigns that take
    whoever comes into their group or meets their filter.
    """

    name: str = ""
    new: int = 0
    do_not_call: int = 0
    no_callback: int = 0
    known: int = 0
    contacts: int = 0
    changed: int = 0
    members: int = 0
    later: Mapping[CampaignId, Joining] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name not in ("name", "later")}


def run_import(
    pool: Pool,
    order: ImportOrder,
    good_rows: Iterable[GoodRow],
    *,
    waiting: Callable[[], None] = lambda: None,
    storing: Callable[[], None] = lambda: None,
    also: Callable[[], Mapping[str, int]] = dict,
    lot_rows: int = LOT_ROWS,
) -> ImportDone:
    """Do it. ImportedBefore where it was done before, StoreError where it can not be stored; whatever `good_rows` raises ends it, and nothing is stored.

    `waiting` is called when somebody else is adding leads, `storing` when all rows are read. `also`: the file's own counts, for the import's row, asked for in
    the end.
    """
    if is_cooperative():
        raise StoreError("leads are imported by COPY, which does not work in a gevent process; run: fs-dialer lead import")
    with pool.transaction() as cursor:
        work = _Import(cursor, order)
        work.begin(waiting)
        store_in_lots(map(line_of, good_rows), work.store, cursor.connection.cancel, lot_rows=lot_rows)
        storing()
        return work.end(also())


def import_leads(pool: Pool, campaign: CampaignId, leads: Iterable[LeadRow], who: str, progress: Callable[[int], None] | None = None) -> Imported:
    """Leads that come from no file. `progress` is told how many were read, every 10,000. StoreError names the row that cannot be stored; then none is."""
    read = twice = 0

    def firsts() -> Iterator[GoodRow]:
        nonlocal read, twice
        for row in rows_of(leads):
            read += 1
            if progress is not None and read % PROGRESS_EVERY == 0:
                progress(read)
            if row.twice:
                twice += 1
            else:
                yield row

    done = run_import(pool, ImportOrder(who, campaign), firsts(), also=lambda: {"rows": read, "twice": twice})
    return Imported(read, done.new, done.do_not_call, done.known, twice, done.no_callback)


class _Facts(NamedTuple):
    """Of one lot: rows by word; new contacts, those who come into the group, contacts who were there, further rows of a number, rows with further numbers."""

    new: int
    blocked: int
    refused: int
    known: int
    fresh: int
    newcomers: int
    old: int
    copies: int
    further: int


class _Import:
    """One import in its transaction. `store` runs in a thread of its own, while nobody else uses the cursor."""

    def __init__(self, cursor: Cursor, order: ImportOrder) -> None:
        self._cursor, self._order = cursor, order
        self._done = ImportDone()
        self._whole = order.twice == "update"  # the last row has a say in the first: judged when all are there
        self._writes = True
        self._words: dict[str, Any] = {}

    def begin(self, waiting: Callable[[], None]) -> None:
        order, cursor = self._order, self._cursor
        place = {"campaign": order.campaign, "group": order.group}
        # A dry run counts by the same questions, and writes only where somebody would join by what it writes.
        self._writes = not order.dry_run or bool(rows(cursor, "live_sources"))
        if self._writes and not rows(cursor, "import_try_lock")[0][0]:
            waiting()
            rows(cursor, "import_lock")
        if order.campaign is not None and not rows(cursor, "import_campaign", {"campaign": order.campaign}):
            raise StoreError(f"there is no campaign {order.campaign}; apply its definition first")
        if order.hash and (found := rows(cursor, "imported_before", {"hash": order.hash, **place})):
            raise ImportedBefore(*found[0])
        self._done.name, id = self._named(place) if self._writes else ("", NO_IMPORT)
        lengths, has_leads = rows(cursor, "import_facts", place)[0]
        policy = {"twice": order.twice, "known": order.known, "writes": self._writes, "rotated_copies": 1 << COPIES}
        self._words = {**place, **policy, "prefix_lengths": lengths, "has_leads": has_leads, "import": id}
        rows(cursor, "import_tables")

    def _named(self, place: Mapping[str, Any]) -> tuple[str, int]:
        order = self._order
        for size in range(_SHORTEST, _LONGEST + 1):
            name = f"i-{secrets.token_hex(size)}"
            words = {"name": name, "file": order.file, "hash": order.hash or name, "who": order.who, **place}
            if found := rows(self._cursor, "new_import", words):
                return name, int(found[0][0])
        raise AssertionError("every name that was thrown is taken: there can not be so many imports")

    def store(self, lines: bytes) -> None:
        """One lot: copied, and unless all rows have to be seen first, judged and written."""
        if not self._whole:
            rows(self._cursor, "next_lot")
        self._cursor.copy_expert(sql("copy_incoming"), io.BytesIO(lines))
        if not self._whole:
            self._judged()

    def _judged(self) -> None:
        order, done = self._order, self._done
        self._ask("judge_lot")
        facts = self._facts()
        if facts.old and order.known != "keep":
            done.changed += self._ask("find_changes")[0][0]
        if self._writes:
            facts = self._written(facts)
        done.new += facts.new
        done.do_not_call += facts.blocked
        done.no_callback += facts.refused
        done.known += facts.known
        done.contacts += facts.fresh
        done.members += facts.newcomers if order.group else 0

    def _written(self, facts: _Facts) -> _Facts:
        order = self._order
        if facts.old and order.known != "keep":
            self._ask("write_changes")
        if facts.fresh and self._done_to("insert_people") != facts.fresh:
            self._ask("adopt_people")
            facts = self._facts()
        if facts.copies:
            self._ask("adopt_copies")
        if facts.further:
            self._ask("insert_numbers")
        if order.group and facts.newcomers:
            self._ask("insert_members")
        if order.campaign is not None:
            if self._done_to("insert_leads") != facts.new + facts.blocked + facts.refused:
                self._ask("lost_leads")
                facts = self._facts()
            self._ask("zone_sets_of_lot")
            if facts.old or facts.further:
                self._ask("zone_sets_of_others")
        return facts

    def end(self, also: Mapping[str, int]) -> ImportDone:
        """What is done once for all lots: zones, campaigns that others join by it, the audit, hints."""
        order, done, cursor = self._order, self._done, self._cursor
        if self._whole:
            self._ask("merge_twice")
            self._judged()
        if not self._writes:
            return done
        counts = {**also, **done.counts()}
        rows(cursor, "end_import", {**self._words, "counts": json.dumps(counts), "kept_days": CHANGES_KEPT_DAYS})
        if done.contacts >= ANALYZE_FROM or done.new + done.do_not_call >= ANALYZE_FROM:
            rows(cursor, "analyze_leads")
        done.later = join_later(cursor, self._words["import"], order.who)
        campaigns = {str(row[0]) for row in self._ask("move_leads")} | ({str(order.campaign)} if order.campaign else set())
        details = {"import": done.name, "file": order.file, "group": order.group, "twice_policy": order.twice, "known_policy": order.known, **counts}
        words = {"who": order.who, "what": "import_leads", "target": order.campaign or order.group, "why": "", "details": json.dumps(details)}
        rows(cursor, "audit", words)
        for campaign in sorted(campaigns):
            rows(cursor, "hint", {"kind": "leads", "name": campaign})
        return done

    def _facts(self) -> _Facts:
        return _Facts(*self._ask("lot_facts")[0])

    def _done_to(self, name: str) -> int:
        """Rows that a query wrote."""
        self._ask(name)
        return self._cursor.rowcount

    def _ask(self, name: str) -> list[tuple[Any, ...]]:
        return rows(self._cursor, name, self._words)
