"""Rows as COPY takes them: hostile text comes out of PostgreSQL as it went in."""

from __future__ import annotations

import io
from contextlib import closing

import psycopg2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fs_dialer.config.leads_rows import GoodRow, NumberAt
from fs_dialer.db.import_lines import line_of
from fs_dialer.db.queries import sql

COLUMNS = "place, number, zone_set, has_own_zone, name, attributes, owner, extract(epoch FROM ready_at)::float8, further, copy, twice"

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
rows = st.builds(
    GoodRow,
    line=st.integers(2, 10**7),
    number=st.just("+34911222333"),
    zones=st.sampled_from([(), ("Europe/Madrid",), ("Europe/Madrid", "Asia/Tokyo")]),
    name=texts,
    attributes=st.dictionaries(texts, texts, max_size=3),
    numbers=st.builds(lambda kind: (NumberAt("+34911222333", (), ""), NumberAt("+34911222334", ("Asia/Tokyo",), kind)), texts) | st.just(()),
    owner=texts,
    not_before=st.none() | st.integers(946684800, 7258118400).map(float),
    copy=st.integers(0, 5),
    twice=st.booleans(),
    has_own_zone=st.booleans(),
)


@given(given=st.lists(rows, min_size=1, max_size=8))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_row_is_copied_as_it_is(given: list[GoodRow], pg_dsn: str) -> None:
    with closing(psycopg2.connect(pg_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(sql("import_tables"))
        cursor.copy_expert(sql("copy_incoming"), io.BytesIO(b"".join(map(line_of, given))))
        cursor.execute(
            "SELECT place, number, zone_set, has_own_zone, name, attributes, owner, extract(epoch FROM ready_at)::float8, further, copy, twice FROM incoming"
        )
        found = cursor.fetchall()
        connection.rollback()
    for row, stored in zip(given, found, strict=True):
        further = [[each.number, "|".join(sorted(each.zones)), each.kind] for each in row.numbers[1:]] or None
        zone_set = "|".join(sorted(row.zones))
        assert stored == (
            *(row.line, row.number, zone_set, row.has_own_zone, row.name, row.attributes, row.owner, row.not_before, further, row.copy, row.twice),
        )
