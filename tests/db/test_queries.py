"""The reader of named queries."""

from __future__ import annotations

from pathlib import Path

import pytest

from fs_dialer.db.queries import all_queries, parse, prepared_form, read, sql
from fs_dialer.errors import StoreError

TEXT = """-- About the file: 100 % of it.

-- name: first
-- What it is for,
-- in two lines.
SELECT 1
-- not sent: 50 %
FROM leads;

-- name: second
-- The other.
SELECT 2;
"""


def test_a_query_has_a_name_a_purpose_and_sql_without_comment_lines() -> None:
    first, second = parse(TEXT, "some.sql")
    assert (first.name, first.purpose, first.sql, first.file) == ("first", "What it is for, in two lines.", "SELECT 1\nFROM leads;", "some.sql")
    assert second.sql == "SELECT 2;"


@pytest.mark.parametrize(("text", "missing"), [("-- name: one\nSELECT 1;", "purpose"), ("-- name: one\n-- Why.\n", "SQL")])
def test_a_query_without_purpose_or_sql_is_refused(text: str, missing: str) -> None:
    with pytest.raises(StoreError, match=f"the query one has no {missing}"):
        parse(text, "some.sql")


def test_the_prepared_form_numbers_parameters_and_keeps_their_casts() -> None:
    form = prepared_form("one", "SET LOCAL x = off;\nSELECT %(a)s, %(b)s::text[], %(a)s WHERE 'x' LIKE '%%';\nDELETE FROM t;")
    assert form.prepare == "PREPARE one_1 AS SELECT $1, $2::text[], $1 WHERE 'x' LIKE '%';\nPREPARE one_2 AS DELETE FROM t"
    assert form.execute == "SET LOCAL x = off;\nEXECUTE one_1 (%(a)s, %(b)s::text[]);\nEXECUTE one_2"


def test_the_mark_in_the_name_line_asks_for_the_prepared_form() -> None:
    (query,) = parse("-- name: one (prepared)\n-- Why.\nSELECT 1;", "some.sql")
    assert query.prepared is not None and query.sql == "SELECT 1;"


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    for name in ("a.sql", "b.sql"):
        (tmp_path / name).write_text("-- name: one\n-- Why.\nSELECT 1;")
    with pytest.raises(StoreError, match=r"one stands in a\.sql and in b\.sql"):
        read(tmp_path)


def test_an_unknown_name_is_a_bug_and_raises() -> None:
    with pytest.raises(KeyError):
        sql("no_such_query")


def test_every_query_of_the_product_is_used() -> None:
    package = Path(__file__).resolve().parents[2] / "fs_dialer"
    source = "".join(path.read_text(encoding="utf-8") for path in (package / "db").glob("*.py"))
    assert [name for name in all_queries() if f'"{name}"' not in source] == []
