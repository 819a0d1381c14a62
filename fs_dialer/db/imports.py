"""Leads into a campaign, by COPY: a list of a million rows in one transaction, all of it or nothing.

Knows rows whose numbers and zones are parsed already (reading CSV and numbers is not done here), and refuses what PostgreSQL could not hold. COPY
does not work through psycogreen's wait callback, so this runs in a plain process only.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

import psycopg2

from fs_dialer.core.model import CampaignId
from fs_dialer.db import codec
from fs_dialer.db.pool import Cursor, Pool, is_cooperative, rows, store_error
from fs_dialer.db.queries import sql
from fs_dialer.db.shapes import Imported, LeadRow
from fs_dialer.errors import StoreError

PROGRESS_EVERY = 10_000
ANALYZE_FROM = 1_000  # fewer new leads change no plan
_NUMBER = re.compile(r"\+[0-9]{3,15}")
_CHUNK_BYTES = 65_536
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v"})


def import_leads(
    pool: Pool, campaign: CampaignId, leads: Iterable[LeadRow], who: str, progress: Callable[[int], None] | None = None
) -> Imported:
    """Add leads to a campaign. `progress` is told how many rows were read, every 10,000. StoreError names the row that cannot be stored; then none
    is."""
    if is_cooperative():
        raise StoreError("leads are imported by COPY, which does not work in a gevent process; run: fs-dialer lead import")
    with pool.transaction() as cursor:
        rows(cursor, "begin_import", {"campaign": campaign})
        if cursor.rowcount == 0:
            raise StoreError(f"there is no campaign {campaign}; apply its definition first")
        _copy(cursor, leads, progress)
        total, distinct = rows(cursor, "first_of_each_number")[0]
        rows(cursor, "merge_contacts")
        new, blocked = rows(cursor, "merge_leads", {"campaign": campaign})[0]
        if new + blocked >= ANALYZE_FROM:
            rows(cursor, "analyze_leads")
        done = Imported(total, new, blocked, distinct - new - blocked, total - distinct)
        details = {"rows": done.rows, "new": new, "do_not_call": blocked, "known": done.known, "twice": done.twice}
        rows(cursor, "audit", {"who": who, "what": "import_leads", "target": campaign, "why": "", "details": json.dumps(details)})
        rows(cursor, "hint", {"kind": "leads", "name": campaign})
    return done


def _copy(cursor: Cursor, leads: Iterable[LeadRow], progress: Callable[[int], None] | None) -> None:
    stream = _CopyText(leads, progress)
    try:
        cursor.copy_expert(sql("copy_incoming"), stream, size=_CHUNK_BYTES)
    except psycopg2.Error as error:
        # What our reader raised reaches us as the server's "COPY failed"; the reader's own words are better.
        if stream.failure is not None:
            raise stream.failure from None
        raise store_error(error, lost=cursor.connection.closed != 0) from error


class _CopyText(io.RawIOBase):
    """The rows as the file that COPY reads: one chunk in memory at a time. `failure` is what a row raised."""

    def __init__(self, leads: Iterable[LeadRow], progress: Callable[[int], None] | None) -> None:
        super().__init__()
        self.failure: BaseException | None = None
        self._progress = progress
        self._lines = self._encoded(leads)
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

    def _encoded(self, leads: Iterable[LeadRow]) -> Iterator[bytes]:
        for place, row in enumerate(leads, start=1):
            try:
                line = _line(LeadRow(*row))
            except (ValueError, OverflowError, OSError) as error:
                raise StoreError(f"row {place} cannot be stored: {error}") from error
            yield line
            if self._progress is not None and place % PROGRESS_EVERY == 0:
                self._progress(place)


def _line(row: LeadRow) -> bytes:
    """One row in COPY's text form; ValueError for what PostgreSQL has no room for."""
    if not _NUMBER.fullmatch(row.number):
        raise ValueError("the number is not + and 3 to 15 digits")
    texts = (row.name, *row.zones, *row.attributes, *(str(value) for value in row.attributes.values()))
    if any("\0" in text for text in texts):
        raise ValueError("it holds a NUL character")
    for text in texts:
        text.encode()  # UnicodeEncodeError, a ValueError, for half a surrogate pair
    ready_at = "\\N" if row.ready_at is None else datetime.fromtimestamp(row.ready_at, UTC).isoformat()
    cells = (row.number, codec.zone_set(row.zones), row.name, json.dumps(dict(row.attributes)))
    return ("\t".join(cell.translate(_ESCAPES) for cell in cells) + f"\t{ready_at}\n").encode()
