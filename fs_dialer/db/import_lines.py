"""A lead file's good rows as lines for COPY.

Knows PostgreSQL's text form of COPY, the columns of the table `incoming` (sql/queries/imports.sql), and what PostgreSQL can not hold. A million rows pass
here one by one: that is why it is written for speed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache

import orjson

from fs_dialer.config.leads_rows import GoodRow
from fs_dialer.db import codec
from fs_dialer.db.shapes import LeadRow
from fs_dialer.errors import StoreError

_NUMBER = re.compile(r"\+[0-9]{3,15}")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v"})
_zone_set = lru_cache(maxsize=4096)(codec.zone_set)


def line_of(row: GoodRow) -> bytes:
    """One row. UnicodeEncodeError or TypeError for half a surrogate pair, ValueError or OverflowError for a time that is none."""
    name, zones = row.name, _zone_set(row.zones)
    if not name.isprintable() or "\\" in name:
        name = name.translate(_ESCAPES)
    owner = row.owner.translate(_ESCAPES) if row.owner else ""
    ready_at = "\\N" if row.not_before is None else datetime.fromtimestamp(row.not_before, UTC).isoformat()
    attributes = orjson.dumps(row.attributes).replace(b"\\", b"\\\\") if row.attributes else b"{}"
    further = b"\\N"
    if len(row.numbers) > 1:
        others = [(each.number, _zone_set(each.zones), each.kind) for each in row.numbers[1:]]
        further = orjson.dumps(others).replace(b"\\", b"\\\\")
    head = f"{row.line}\t{row.number}\t{zones}\t{'t' if row.has_own_zone else 'f'}\t{name}\t".encode()
    return b"%b%b\t%b\t%b\t%d\t%b\n" % (head, attributes, f"{owner}\t{ready_at}".encode(), further, row.copy, b"t" if row.twice else b"f")


def rows_of(leads: Iterable[LeadRow]) -> Iterator[GoodRow]:
    """Leads that come from no file, judged as far as PostgreSQL minds. Of two with one number the first counts, the other comes as `twice`.

    StoreError names the row that can not be stored.
    """
    seen: set[str] = set()
    for place, given in enumerate(leads, start=1):
        number, zones, name, attributes, ready_at = LeadRow(*given)
        row = GoodRow(place, number, tuple(zones), name, dict(attributes), not_before=ready_at, twice=number in seen, has_own_zone=bool(zones))
        try:
            _check(row)
        except (ValueError, TypeError, OverflowError, OSError) as error:
            raise StoreError(f"row {place} cannot be stored: {error}") from error
        seen.add(number)
        yield row


def _check(row: GoodRow) -> None:
    if not _NUMBER.fullmatch(row.number):
        raise ValueError("the number is not + and 3 to 15 digits")
    texts = (row.name, *row.zones, *row.attributes, *row.attributes.values())
    if any("\0" in text for text in texts):
        raise ValueError("it holds a NUL character")
    for text in texts:
        text.encode()
    line_of(row)
