"""The filter's SQL, on real PostgreSQL: it selects whom `matches` selects, and nobody's text is ever SQL."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2.extras import execute_values

from fs_dialer.config.filters import BadFilter, parse
from fs_dialer.core.filters import ORDERING, And, Attribute, BuiltIn, Compare, Expr, Facts, Field, Has, In, Not, Op, Or, capitals_for, fold, matches
from fs_dialer.db.filter_sql import condition

pytestmark = pytest.mark.spec("S18", "M3", "M14", "D7")

Cursor = psycopg2.extensions.cursor
Someone = tuple[dict[str, str], Facts, datetime]
ZONE = "Asia/Ho_Chi_Minh"

TABLES = """
CREATE TEMP TABLE contacts (
    id bigint PRIMARY KEY, number text NOT NULL, name text{0} NOT NULL, zones text[] NOT NULL, attributes jsonb NOT NULL, owner text{0}, created_at timestamptz
);
CREATE TEMP TABLE group_members (contact bigint NOT NULL, contact_group text{0} NOT NULL)
"""
# Equal to this collation are "Gold" and "GÓLD", "a\x01" and "a": what our SQL must not ask.
LOOSE = "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false)"

HOSTILE = [
    "'",
    "''",
    '"',
    "\\",
    "\\'",
    "'; DROP TABLE contacts; --",
    ";--",
    "%",
    "%%",
    "%s",
    "%(filter_1)s",
    "%(x)s",
    "$1",
    "/*",
    "{}",
    "') OR ('1' = '1",
    "E'\\x27'",
    "\u02bc\uff07",
    "a\nb\tc\x01",
    "[a]",
    "a|b",
    "^.*$",
    "x" * 1500,
]


@pytest.fixture
def cursor(pg_empty_dsn: str) -> Iterator[Cursor]:
    with closing(psycopg2.connect(pg_empty_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(TABLES.format(""))
        yield cursor


def put(cursor: Cursor, people: Sequence[Someone]) -> None:
    """The people, with ids from 0, instead of those before."""
    cursor.execute("TRUNCATE contacts, group_members")
    rows = [
        (id, facts.number, facts.name, list(facts.zones), json.dumps(attributes), facts.owner or None, added)
        for id, (attributes, facts, added) in enumerate(people)
    ]
    execute_values(cursor, "INSERT INTO contacts VALUES %s", rows, template="(%s, %s, %s, %s::text[], %s::jsonb, %s, %s)")
    if members := [(id, group) for id, (_, facts, _) in enumerate(people) for group in facts.groups]:
        execute_values(cursor, "INSERT INTO group_members VALUES %s", members)


def found(cursor: Cursor, expr: Expr, zone: str = ZONE) -> list[int]:
    sql, parameters = condition(expr, zone)
    cursor.execute(f"SELECT id, {sql} FROM contacts ORDER BY id", parameters)
    rows = cursor.fetchall()
    assert {type(answer) for _, answer in rows} <= {bool}, "a condition was NULL"
    cursor.execute(f"SELECT id FROM contacts WHERE {sql} ORDER BY id", parameters)
    assert cursor.fetchall() == [(id,) for id, answer in rows if answer]
    return [id for id, answer in rows if answer]


def someone(attributes: dict[str, str] | None = None, *, added: datetime = datetime(2026, 9, 1, tzinfo=UTC), **facts: Any) -> Someone:
    return attributes or {}, Facts(**facts, added=added.astimezone(ZoneInfo(ZONE)).date()), added


# --- the same rows ----------------------------------------------------------------------------------------------------

NAMES = ["tier", "Tier", "date of birth", "name", "%(filter_1)s", "a'b", "1"]
SOME_ZONES = ["Asia/Ho_Chi_Minh", "Asia/Tokyo", "Europe/Madrid"]
SOME_TEXTS = [
    *("", " ", "gold", "GOLD", "Göld", "gÖLD", "old", "Đà Nẵng", "ĐÀ NẴNG", "İstanbul", "istanbul", "ISTANBUL", "ısparta", "ß", "ẞ", "ςσΣ", "\u212a", "k"),
    *("18", "18.0", "-3", "+4", "1e5", "1,5", "NaN", "٣", "1" * 30, "1" * 31, "0.1", "18\n", "\n18", "2026-09-01", "2026-02-31", "2026-09-01 10:00"),
    *("2026-13-01", "2026-09-01\n", "true", "null", "+84903222111", "\x01", "a\x01", "a", *HOSTILE[:-1], *SOME_ZONES),
]
anything = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
texts = st.sampled_from(SOME_TEXTS) | anything
moments = st.integers(0, 60 * 24 * 30).map(lambda minutes: datetime(2026, 8, 20, tzinfo=UTC) + timedelta(minutes=minutes))
people = st.builds(
    someone,
    st.dictionaries(st.sampled_from(NAMES), texts, max_size=4),
    added=moments,
    name=texts,
    number=st.sampled_from(["+84903222111", "+34600111222"]),
    zones=st.lists(st.sampled_from(SOME_ZONES) | texts, max_size=3).map(tuple),
    groups=st.lists(st.sampled_from(["spring", "Vip", "vip"]) | texts, max_size=3).map(tuple),
    owner=texts,
)
fields: st.SearchStrategy[Field] = st.sampled_from(list(BuiltIn)) | st.sampled_from([Attribute(name) for name in NAMES])
numbers = st.sampled_from([Decimal(each) for each in ("0", "18", "-3", "18.00", "1E+5", "0.1", "1" * 30)]) | st.decimals(-50, 50, places=2)
days = st.dates(date(2026, 8, 25), date(2026, 9, 10)) | st.sampled_from([date(1, 1, 1), date(9999, 12, 31), date(2026, 3, 1)])
terms: st.SearchStrategy[Expr] = (
    st.builds(Has, fields)
    | st.builds(In, fields, st.lists(texts, min_size=1, max_size=4).map(tuple))
    | st.builds(Compare, fields, st.sampled_from(sorted(set(Op) - ORDERING, key=str)), texts)
    | st.builds(Compare, fields, st.sampled_from(sorted(ORDERING, key=str)), numbers | days)
)


def several(part: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    many = st.lists(part, min_size=2, max_size=3).map(tuple)
    return st.builds(Not, part) | st.builds(And, many) | st.builds(Or, many)


exprs = st.recursive(terms, several, max_leaves=6)


@given(crowd=st.lists(people, min_size=1, max_size=6), asked=st.lists(exprs, min_size=1, max_size=8))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], print_blob=True)
def test_sql_and_the_core_select_the_same_contacts(cursor: Cursor, crowd: list[Someone], asked: list[Expr]) -> None:
    put(cursor, crowd)
    for expr in asked:
        expected = [id for id, (attributes, facts, _) in enumerate(crowd) if matches(expr, attributes, facts)]
        assert found(cursor, expr) == expected, expr


def disagreements(cursor: Cursor) -> list[Expr]:
    """Each awkward text, as attribute and in a field of several texts, asked for each other by each operator: the terms on which SQL and core differ."""
    crowd = [someone({"tier": text}, groups=(text,), name=text) for text in SOME_TEXTS]
    put(cursor, crowd)
    tier, ops = Attribute("tier"), (Op.EQUAL, Op.CONTAINS, Op.STARTS_WITH)
    asked: list[Expr] = [Compare(field, op, text) for field in (tier, BuiltIn.GROUP) for op in ops for text in SOME_TEXTS]
    asked += [Compare(BuiltIn.NAME, Op.EQUAL, text) for text in SOME_TEXTS]
    asked += [Compare(BuiltIn.GROUP, op, Decimal(each)) for op in ORDERING for each in ("18", "0.1", "1" * 30)]
    asked += [Compare(tier, op, date(2026, each, 1)) for op in ORDERING for each in (2, 3, 9)]
    asked += [Has(tier), Has(BuiltIn.NAME), Has(BuiltIn.GROUP)]
    return [expr for expr in asked if found(cursor, expr) != [id for id, (of, facts, _) in enumerate(crowd) if matches(expr, of, facts)]]


def test_sql_and_the_core_agree_on_every_pair_of_texts(cursor: Cursor) -> None:
    assert disagreements(cursor) == []


def test_columns_under_a_collation_that_takes_different_texts_for_equal_change_nothing(pg_empty_dsn: str) -> None:
    with closing(psycopg2.connect(pg_empty_dsn)) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(LOOSE)
        except psycopg2.errors.FeatureNotSupported:
            pytest.skip("this server has no ICU")
        cursor.execute("SELECT 'gold' = 'GÓLD' COLLATE loose, '' = E'\\x01' COLLATE loose")
        assert cursor.fetchone() == (True, True), "not loose enough to show anything"
        cursor.execute(TABLES.format(' COLLATE "loose"'))
        assert disagreements(cursor) == []


def test_every_letter_is_folded_as_the_core_folds_it(cursor: Cursor) -> None:
    letters = [chr(each) for each in range(1, 0x2200)] + ["ﬀ", "Ａ", "ａ", "𐐀", "𐐨"]
    crowd = [someone(name=letter) for letter in letters]
    put(cursor, crowd)
    for sought in [*"aAkKsSiIßẞıİđĐộỘσΣςяЯ", "\u212a", "ſ", "ǆ", "ǅ", "Ǆ"]:
        expr = Compare(BuiltIn.NAME, Op.EQUAL, sought)
        assert found(cursor, expr) == [id for id, (of, facts, _) in enumerate(crowd) if matches(expr, of, facts)], sought


def test_a_turkish_database_answers_like_any_other(pg_empty_dsn: str) -> None:
    with closing(psycopg2.connect(pg_empty_dsn)) as connection:
        connection.autocommit = True
        name = f"turkish_{random.Random(pg_empty_dsn).randrange(10**9)}"
        with connection.cursor() as cursor:
            try:
                cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING UTF8 LOCALE_PROVIDER icu ICU_LOCALE 'tr' LC_COLLATE 'C' LC_CTYPE 'C'")
            except psycopg2.errors.FeatureNotSupported:
                pytest.skip("this server has no ICU")
            try:
                dsn = psycopg2.extensions.make_dsn(pg_empty_dsn, dbname=name)
                with closing(psycopg2.connect(dsn)) as turkish, turkish.cursor() as other:
                    other.execute("SELECT lower('I')")
                    assert other.fetchone() == ("ı",), "not Turkish enough to show anything"
                    other.execute(TABLES.format(""))
                    put(other, [someone({"tier": "GIRL"}), someone({"tier": "gırl"})])
                    assert found(other, parse("tier = girl")) == [0]
            finally:
                cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_day_of_adding_is_a_day_in_the_zone_asked_for(cursor: Cursor) -> None:
    put(cursor, [someone(added=datetime(2026, 8, 31, 17, 30, tzinfo=UTC))])
    on_the_first, before = parse("added = 2026-09-01"), parse("added < 2026-09-01")
    assert (found(cursor, on_the_first, "Asia/Ho_Chi_Minh"), found(cursor, before, "Asia/Ho_Chi_Minh")) == ([0], [])
    assert (found(cursor, on_the_first, "UTC"), found(cursor, before, "UTC")) == ([], [0])


def test_the_example_of_a_campaign_file_selects_its_contacts(cursor: Cursor) -> None:
    put(cursor, [someone({"tier": each}) for each in ("gold", "bronze", "Silver", "")])
    assert found(cursor, parse("tier in (gold, silver)")) == [0, 2]


def test_attributes_that_are_no_text_do_no_harm(cursor: Cursor) -> None:
    """Ours are texts; whatever else stands in the column is compared as PostgreSQL writes it, and null is nothing."""
    put(cursor, [someone()] * 6)
    for id, stored in enumerate(['{"a": 5}', '{"a": null}', '{"a": true}', '{"a": {"b": 1}}', "[1]", "5"]):
        cursor.execute("UPDATE contacts SET attributes = %s WHERE id = %s", (stored, id))
    assert found(cursor, parse("a > 4")) == [0]
    assert found(cursor, parse("not has a")) == [1, 4, 5]


# --- nobody's text is SQL ---------------------------------------------------------------------------------------------


def test_hostile_text_is_compared_and_does_nothing_else(cursor: Cursor) -> None:
    put(
        cursor,
        [*(someone({text: "here", "tier": text}, name=text, groups=(text,)) for text in HOSTILE), someone({"tier": "gold"}, name="lan", groups=("vip",))],
    )
    for id, text in enumerate(HOSTILE):
        assert found(cursor, Has(Attribute(text))) == [id]
        assert found(cursor, Compare(Attribute(text), Op.EQUAL, "HERE")) == [id]
        for field in (Attribute("tier"), BuiltIn.NAME, BuiltIn.GROUP):
            assert found(cursor, Compare(field, Op.EQUAL, text)) == [id]
            assert found(cursor, In(field, (text, "nobody"))) == [id]
            for op in (Op.CONTAINS, Op.STARTS_WITH):
                like = (lambda other, of=text: of in other) if op is Op.CONTAINS else (lambda other, of=text: other.startswith(of))
                assert found(cursor, Compare(field, op, text)) == [at for at, other in enumerate(HOSTILE) if like(other)]


@given(expr=exprs, words=anything)
@settings(max_examples=100, deadline=None)
def test_the_text_of_the_sql_holds_nothing_that_the_filter_holds(expr: Expr, words: str) -> None:
    """Two filters of one shape have one text, whatever their words are; its only per cent signs are those of parameters."""
    sql, parameters = condition(And((expr, Compare(Attribute("x" + words), Op.EQUAL, "y" + words))))
    other, _ = condition(And((expr, Compare(Attribute("plain"), Op.EQUAL, "é" if capitals_for(fold(words))[0] else "y"))))
    assert re.sub(r"filter_\d+", "", sql) == re.sub(r"filter_\d+", "", other)
    named = re.findall(r"%\((\w+)\)s", sql)
    assert set(named) == set(parameters)
    assert "%" not in re.sub(r"%\(filter_\d+\)s", "", sql)
    assert re.fullmatch(r"[A-Za-z0-9_ %()\[\].,:'\"<>=|+^$?{}~-]+", sql)


def test_a_nul_gets_into_no_filter() -> None:
    with pytest.raises(BadFilter, match=re.escape("U+0000: take it out")):
        parse('tier = "a\0"')
    with pytest.raises(ValueError, match="NUL"):
        Compare(Attribute("tier"), Op.EQUAL, "a\0")


def test_a_value_used_often_is_one_parameter() -> None:
    _, parameters = condition(parse("tier = gold or (tier != gold and tier contains gold)"))
    assert sorted(parameters.values()) == ["gold", "tier"]


def test_the_largest_filter_is_answered(cursor: Cursor) -> None:
    put(cursor, [someone({f"a{place}": "é"}) for place in range(3)])
    assert found(cursor, parse(" or ".join(f"a{place} = É" for place in range(100)))) == [0, 1, 2]
    listed = ",".join(str(place) for place in range(450))
    assert found(cursor, parse(f"a1 in ({listed}, é)")) == [1]
