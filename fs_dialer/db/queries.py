"""The SQL of the product, by name: sql/queries/*.sql, read once.

Knows how a file of named queries is written, and nothing of what they say:

    -- name: pending_commands
    -- One line or more on what it is for.
    SELECT …

A query may be several statements: they are sent in one go and make one transaction, in which each statement sees what was committed before it began.
`-- name: claim_leads (prepared)` marks one that is asked so often that planning it anew each time would be half its price.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fs_dialer.errors import StoreError
from fs_dialer.paths import sql_dir

_HEAD = re.compile(r"^-- name: ([a-z_]+)( \(prepared\))?$", re.MULTILINE)
_PARAMETER = re.compile(r"%\((\w+)\)s(::\w+(?:\[\])?)?")
_PLANNED = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A query in its prepared form: `prepare` once in a session, without arguments; `execute` instead of the query's text, with its arguments."""

    prepare: str
    execute: str


@dataclass(frozen=True, slots=True)
class Query:
    """One named query. `sql` has no comment lines: a percent sign in them would be taken for a parameter."""

    name: str
    purpose: str
    sql: str
    file: str
    prepared: Prepared | None = None


def parse(text: str, file: str) -> list[Query]:
    """The queries of one file. StoreError for a query without a purpose or without SQL."""
    parts = _HEAD.split(text)[1:]  # what stands before the first name is the file's own comment
    found = []
    for name, mark, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        lines = body.strip().splitlines()
        purpose = []
        while lines and lines[0].startswith("--"):
            purpose.append(lines.pop(0).removeprefix("--").strip())
        sql = "\n".join(line for line in lines if not line.lstrip().startswith("--")).strip()
        if not purpose or not sql:
            raise StoreError(f"{file}: the query {name} has no {'SQL' if purpose else 'purpose'}")
        found.append(Query(name, " ".join(purpose), sql, file, prepared_form(name, sql) if mark else None))
    return found


def prepared_form(name: str, sql: str) -> Prepared:
    """The statements of a query as PREPARE and EXECUTE; what cannot be prepared (SET LOCAL) stays as it is."""
    prepare, execute = [], []
    for place, statement in enumerate(part.strip() for part in re.split(r";\s*(?:\n|$)", sql) if part.strip()):
        if not statement.startswith(_PLANNED):
            execute.append(statement)
            continue
        places: dict[str, int] = {}
        casts: dict[str, str] = {}

        def numbered(found: re.Match[str], places: dict[str, int] = places, casts: dict[str, str] = casts) -> str:
            word, cast = found.group(1), found.group(2) or ""
            casts[word] = casts.get(word) or cast
            return f"${places.setdefault(word, len(places) + 1)}{cast}"

        text = _PARAMETER.sub(numbered, statement).replace("%%", "%")
        # An array of literals is an array of text unless it is told; hence the casts outside too.
        words = ", ".join(f"%({word})s{casts[word]}" for word in places)
        prepare.append(f"PREPARE {name}_{place} AS {text}")
        execute.append(f"EXECUTE {name}_{place}" + (f" ({words})" if words else ""))
    return Prepared(";\n".join(prepare), ";\n".join(execute))


def read(folder: Path) -> Mapping[str, Query]:
    """All queries of a folder by name. StoreError when a name stands twice."""
    known: dict[str, Query] = {}
    for path in sorted(folder.glob("*.sql")):
        for found in parse(path.read_text(encoding="utf-8"), path.name):
            if found.name in known:
                raise StoreError(f"the query {found.name} stands in {known[found.name].file} and in {found.file}")
            known[found.name] = found
    return known


@cache
def all_queries() -> Mapping[str, Query]:
    """The product's own."""
    return read(sql_dir() / "queries")


def query(name: str) -> Query:
    """One query. KeyError for a name that no file has: a bug of ours."""
    return all_queries()[name]


def sql(name: str) -> str:
    """The text of one query, for psycopg2. KeyError as above."""
    return query(name).sql
