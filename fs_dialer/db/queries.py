"""The SQL of the product, by name: sql/queries/*.sql, read once.

Knows how a file of named queries is written, and nothing of what they say:

    -- name: pending_commands
    -- One line or more on what it is for.
    SELECT …

A query may be several statements: they are sent in one go and make one transaction, in which each statement sees what was committed before it began.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fs_dialer.errors import StoreError
from fs_dialer.paths import sql_dir

_HEAD = re.compile(r"^-- name: ([a-z_]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Query:
    """One named query. `sql` has no comment lines: a percent sign in them would be taken for a parameter."""

    name: str
    purpose: str
    sql: str
    file: str


def parse(text: str, file: str) -> list[Query]:
    """The queries of one file. StoreError for a query without a purpose or without SQL."""
    parts = _HEAD.split(text)[1:]  # what stands before the first name is the file's own comment
    found = []
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        lines = body.strip().splitlines()
        purpose = []
        while lines and lines[0].startswith("--"):
            purpose.append(lines.pop(0).removeprefix("--").strip())
        sql = "\n".join(line for line in lines if not line.lstrip().startswith("--")).strip()
        if not purpose or not sql:
            raise StoreError(f"{file}: the query {name} has no {'SQL' if purpose else 'purpose'}")
        found.append(Query(name, " ".join(purpose), sql, file))
    return found


def read(folder: Path) -> Mapping[str, Query]:
    """All queries of a folder by name. StoreError when a name stands twice."""
    known: dict[str, Query] = {}
    for path in sorted(folder.glob("*.sql")):
        for query in parse(path.read_text(encoding="utf-8"), path.name):
            if query.name in known:
                raise StoreError(f"the query {query.name} stands in {known[query.name].file} and in {query.file}")
            known[query.name] = query
    return known


@cache
def all_queries() -> Mapping[str, Query]:
    """The product's own."""
    return read(sql_dir() / "queries")


def sql(name: str) -> str:
    """The text of one query, for psycopg2. KeyError for a name that no file has: a bug of ours."""
    return all_queries()[name].sql
