"""Do-not-call lists as a whole: which there are and how old, what they say of a number, and files of millions of numbers.

Single entries are do_not_call.py's. A list is declared in a file below dnc_lists, or it is `own`; "blacklist" is a list of that name and nothing more.
Files come by COPY into a table of the transaction's own and are merged in one statement; the last gate sees all of it or nothing.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import psycopg2

from fs_dialer.db.do_not_call import split
from fs_dialer.db.lead_desk import perhaps
from fs_dialer.db.lead_state import note
from fs_dialer.db.pool import Pool, is_cooperative, rows, store_error
from fs_dialer.db.queries import sql
from fs_dialer.db.shapes import ListedNumber
from fs_dialer.errors import StoreError

OWN = "own"
MOST_LEAVING = 0.5  # a file that takes more than this share of a list away is more likely the wrong file
_NUMBER = re.compile(r"\+[0-9]{3,15}")
_CHUNK_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class DncListView:
    """Times are epoch seconds. `stale`: its last import is older than its file allows, or it has none and should."""

    name: str
    title: str
    declared: bool
    numbers: int
    prefixes: int
    imported_at: float | None
    imported_by: str | None
    file: str | None
    stale_after_s: float | None
    stale: bool


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """A mark on a number. campaign "" = every campaign; `until`: epoch seconds."""

    campaign: str
    until: float
    reason: str
    added_by: str
    added_at: float


@dataclass(frozen=True, slots=True)
class NumberWishes:
    """All that keeps a number from being called. `leads`: (id, campaign, status)."""

    number: str
    entries: tuple[ListedNumber, ...]
    marks: tuple[LeftAlone, ...]
    leads: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, slots=True)
class WouldForbid:
    """What entries would do. new: entries that are not on the list yet; leads: open ones that they forbid, in so many campaigns."""

    new: int
    leads: int
    campaigns: int


@dataclass(frozen=True, slots=True)
class ListFile:
    """A file on its way into a list. `hash`: sha256 of its bytes. `replace`: what is not in it leaves the list."""

    list: str
    file: str
    hash: str
    replace: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ListImported:
    """numbers: in the file, each once; new + known of them. left: taken off. seen_at: when the same file was loaded before, None = never."""

    list: str
    numbers: int
    new: int
    known: int
    left: int
    blocked: int
    returned: int
    seen_at: float | None


class TooManyLeave(StoreError):
    """A replacement that would empty most of a list."""

    def __init__(self, leaving: int, listed: int) -> None:
        self.leaving, self.listed = leaving, listed
        super().__init__(f"the file would take {leaving:,} of {listed:,} numbers off the list")


class DncLists:
    """The lists of one database."""

    _pool: Pool

    def dnc_lists(self, now: float) -> list[DncListView]:
        """By name; `own` is always there."""
        declared = {name: (stale_after_s, title or "") for name, stale_after_s, title in self._pool.rows("declared_lists")}
        figures = {row[0]: row[1:] for row in self._pool.rows("list_figures")}
        found = []
        for name in sorted({OWN, *declared, *figures}):
            stale_after_s, title = declared.get(name, (None, ""))
            numbers, prefixes, file, at, who = figures.get(name, (0, 0, None, None, None))
            stale = stale_after_s is not None and (at is None or now - at > stale_after_s)
            known = name in declared or name == OWN
            found.append(DncListView(name, title, known, int(numbers), int(prefixes), at, who, file, stale_after_s, stale))
        return found

    def dnc_declared(self) -> list[str]:
        """The lists that entries may be put on."""
        return sorted({OWN, *(row[0] for row in self._pool.rows("declared_lists"))})

    def dnc_entries(self, list_name: str, limit: int = 100, after: str = "") -> list[ListedNumber]:
        """A page of one list, by number; `after` is the last of the page before."""
        return [ListedNumber(*row) for row in self._pool.rows("list_entries", {"list": list_name, "limit": limit, "after": after})]

    def dnc_would_forbid(self, entries: Iterable[str], list_name: str = OWN) -> WouldForbid:
        """What putting entries (+84901234567, +8490*) on a list would do; nothing is written. StoreError for what is neither."""
        numbers, prefixes = split(entries)
        new, leads, campaigns = self._pool.rows("entries_would_forbid", {"numbers": numbers, "prefixes": prefixes, "list": list_name})[0]
        return WouldForbid(int(new), int(leads), int(campaigns))

    def dnc_still(self, entry: str) -> list[ListedNumber]:
        """The entries that forbid a number, or every number of a prefix (+8490*)."""
        return [ListedNumber(*row) for row in self._pool.rows("entries_of_number", {"number": entry.removesuffix("*")})]

    def dnc_show(self, number: str) -> NumberWishes:
        """All that keeps a number (E.164) from being called."""
        words = {"number": number}
        return NumberWishes(
            number,
            tuple(ListedNumber(*row) for row in self._pool.rows("entries_of_number", words)),
            tuple(LeftAlone(*row) for row in self._pool.rows("marks_of_number", words)),
            tuple((row[0], row[1], row[2]) for row in self._pool.rows("leads_of_number", words)),
        )

    def dnc_import(self, given: ListFile, numbers: Iterable[str], who: str, *, dry_run: bool = False, sure: bool = False) -> ListImported:
        """Put a file's numbers (E.164) on a list, all or none. The same file again changes nothing and renews the list's age.

        TooManyLeave, unless `sure`: a replacement would take most of the list away. StoreError for what is no number.
        """
        if is_cooperative():
            raise StoreError("lists are imported by COPY, which does not work in a gevent process; run: fs-dialer dnc import")
        words = {"list": given.list, "hash": given.hash, "replace": given.replace, "file": given.file, "reason": given.reason, "who": who}
        with perhaps(self._pool, dry_run) as cursor:
            seen = rows(cursor, "begin_list_import", words)
            stream = _Numbers(numbers)
            try:
                cursor.copy_expert(sql("copy_listed"), stream, size=_CHUNK_BYTES)
            except psycopg2.Error as error:
                # What our reader raised reaches us as the server's "COPY failed"; the reader's own words are better.
                if stream.failure is not None:
                    raise stream.failure from None
                raise store_error(error, lost=cursor.connection.closed != 0) from error
            count, new, leaving, listed = map(int, rows(cursor, "compare_listed", words)[0])
            if leaving > listed * MOST_LEAVING and not sure:
                raise TooManyLeave(leaving, listed)
            blocked, returned = map(int, rows(cursor, "merge_listed", words)[0])
            done = ListImported(given.list, count, new, count - new, leaving, blocked, returned, seen[0][0] if seen else None)
            details = {"file": given.file, "replace": given.replace, "numbers": count, "new": new, "left": leaving, "blocked": blocked, "returned": returned}
            note(cursor, who, "do_not_call_import", given.list, given.reason, details)
            rows(cursor, "hint", {"kind": "do_not_call", "name": ""})
        return done


class _Numbers(io.RawIOBase):
    """Numbers as the file that COPY reads: one chunk in memory at a time. `failure` is what the source raised."""

    def __init__(self, numbers: Iterable[str]) -> None:
        super().__init__()
        self.failure: BaseException | None = None
        self._lines = self._encoded(numbers)
        self._rest = b""

    def read(self, size: int = _CHUNK_BYTES) -> bytes:
        parts, length = [self._rest], len(self._rest)
        try:
            while length < size and (line := next(self._lines, b"")):
                parts.append(line)
                length += len(line)
        except BaseException as error:
            self.failure = error
            raise
        text = b"".join(parts)
        self._rest = text[size:]
        return text[:size]

    def _encoded(self, numbers: Iterable[str]) -> Iterator[bytes]:
        for number in numbers:
            if not _NUMBER.fullmatch(number):
                raise StoreError(f"{number!r} is no number in E.164")
            yield number.encode() + b"\n"
