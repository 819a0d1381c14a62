"""Putting numbers on do-not-call lists and taking them off: numbers one by one, and whole ranges by their prefix.

Knows how an entry is written: `+84901234567` is a number, `+8490*` every number that begins so. What an entry does to leads stands in
sql/queries/do_not_call.sql: those that are not finished become `blocked` at once, whoever has claimed them, so that the last gate stops them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from fs_dialer.db.pool import Pool, rows
from fs_dialer.db.shapes import Listed
from fs_dialer.errors import StoreError

_NUMBER = re.compile(r"\+[0-9]{3,15}")
_PREFIX = re.compile(r"\+[0-9]{1,14}\*")


def add(pool: Pool, entries: Iterable[str], who: str, list: str = "own", reason: str = "") -> Listed:
    """All entries or none. Returns how many are new on the list, and how many leads were blocked. StoreError for what is neither number nor prefix."""
    return _each(pool, ("do_not_call_add", "do_not_call_add_prefixes"), entries, {"list": list, "reason": reason, "who": who})


def remove(pool: Pool, entries: Iterable[str], who: str, list: str | None = None, reason: str = "") -> Listed:
    """Take entries off a list, or off all (None). Returns how many went, and how many leads returned: those that no entry forbids any more."""
    return _each(pool, ("do_not_call_remove", "do_not_call_remove_prefixes"), entries, {"list": list, "reason": reason, "who": who})


def split(entries: Iterable[str]) -> tuple[list[str], list[str]]:
    """Numbers, and prefixes without their star; each sorted and once. StoreError names the first entry that is neither."""
    numbers, prefixes = set(), set()
    for entry in entries:
        if _PREFIX.fullmatch(entry):
            prefixes.add(entry.removesuffix("*"))
        elif _NUMBER.fullmatch(entry):
            numbers.add(entry)
        else:
            raise StoreError(f"{entry!r} is neither a number like +84901234567 nor a prefix like +8490*")
    return sorted(numbers), sorted(prefixes)


def _each(pool: Pool, queries: tuple[str, str], entries: Iterable[str], words: dict[str, str | None]) -> Listed:
    numbers, prefixes = split(entries)
    listed = leads = 0
    with pool.transaction() as cursor:
        for query, given in zip(queries, ({"numbers": numbers}, {"prefixes": prefixes}), strict=True):
            if any(given.values()):
                done = rows(cursor, query, {**words, **given})[0]
                listed, leads = listed + done[0], leads + done[1]
        rows(cursor, "hint", {"kind": "do_not_call", "name": ""})
    return Listed(listed, leads)
