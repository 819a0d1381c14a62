"""A filter → the condition of a WHERE over `contacts`, and its parameters.

Knows the columns of contacts and group_members and how PostgreSQL is made to answer as core/filters.py does. The text is put together from the fragments
below and nothing else: names of attributes and values are parameters, so nobody's text is ever SQL (D7).

What keeps the answers equal on every database: COLLATE "C" on all that is compared, for under other collations PostgreSQL's lower(), =, < and ranges in
patterns mean other things (a Turkish I, an ICU collation without accents); no condition is ever NULL, so that NOT negates; and no text is cast to a number
before CASE has seen that it is one. The database's encoding is UTF8.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from fs_dialer.core.filters import (
    DATE,
    DATE_CHARACTERS,
    NUMBER,
    And,
    Attribute,
    BuiltIn,
    Compare,
    Expr,
    Field,
    Has,
    In,
    Not,
    Op,
    Or,
    Term,
    capitals_for,
    fold,
    is_met,
    number_text,
)

_ONE_TEXT = {
    BuiltIn.NAME: "contacts.name",
    BuiltIn.NUMBER: "contacts.number",
    BuiltIn.OWNER: "coalesce(contacts.owner, '')",
}
# `each` is one of the field's texts.
_SEVERAL_TEXTS = {
    BuiltIn.ZONE: "SELECT FROM unnest(contacts.zones) AS of_contact (each) WHERE of_contact.each COLLATE \"C\" <> ''",
    BuiltIn.GROUP: "SELECT FROM (SELECT contact_group AS each FROM group_members WHERE contact = contacts.id) AS of_contact "
    "WHERE of_contact.each COLLATE \"C\" <> ''",
}
_ORDER = {Op.BELOW: "<", Op.AT_MOST: "<=", Op.ABOVE: ">", Op.AT_LEAST: ">="}


class Condition(NamedTuple):
    """`sql` is a boolean, in brackets where it needs them, for a query FROM contacts under that name; its per cent signs are psycopg2's parameters.

    Two conditions share the names of their parameters: join filters with And, not in SQL.
    """

    sql: str
    parameters: dict[str, Any]


def condition(expr: Expr, zone: str = "UTC") -> Condition:
    """The filter as SQL. `zone` (an IANA name) says whose days `added` counts in."""
    words = _Parameters(zone)
    return Condition(_sql(expr, words), words.by_name)


class _Parameters:
    """The values met so far, each once and under a name of ours: filter_1, filter_2 …"""

    def __init__(self, zone: str) -> None:
        self.by_name: dict[str, Any] = {}
        self._zone = zone
        self._names: dict[str | tuple[str, ...], str] = {}

    def place(self, value: str | tuple[str, ...]) -> str:
        """Where the value will stand; a tuple as an array."""
        name = self._names.setdefault(value, f"filter_{len(self._names) + 1}")
        self.by_name[name] = list(value) if isinstance(value, tuple) else value
        return f"%({name})s"

    def zone(self) -> str:
        return self.place(self._zone)

    def folded(self, text: str, sought: str) -> str:
        """core's fold() of an SQL text, as far as it matters where `sought`, folded itself, is looked for in it."""
        # Under "C", lower() touches A–Z alone, on every server and platform.
        lowered = f'lower({text} COLLATE "C")'
        capitals, smalls = capitals_for(sought)
        return f"translate({lowered}, {self.place(capitals)}, {self.place(smalls)})" if capitals else lowered


def _sql(expr: Expr, words: _Parameters) -> str:
    match expr:
        case And():
            return "(" + " AND ".join(_sql(term, words) for term in expr.terms) + ")"
        case Or():
            return "(" + " OR ".join(_sql(term, words) for term in expr.terms) + ")"
        case Not():
            return f"(NOT {_sql(expr.term, words)})"
        case Compare(op=Op.UNEQUAL):
            return f"(NOT {_term(expr, words)})"
    return _term(expr, words)


def _term(term: Term, words: _Parameters) -> str:
    """Whether any text of the field meets the term; for `!=`, the `=` in it."""
    field = term.field
    if (rows := _SEVERAL_TEXTS.get(field) if isinstance(field, BuiltIn) else None) is None:
        return _test(term, _one_text(field, words), words)
    found = f"EXISTS ({rows} AND {_test(term, 'of_contact.each', words)})"
    # No text at all is asked as the empty text, and that answer is known already.
    return f"({found} OR NOT EXISTS ({rows}))" if is_met(term, "") else found


def _one_text(field: Field, words: _Parameters) -> str:
    if isinstance(field, Attribute):
        return f"coalesce(contacts.attributes ->> {words.place(field.name)}, '')"
    if field is BuiltIn.ADDED:
        return f"coalesce(to_char(contacts.created_at AT TIME ZONE {words.zone()}, 'YYYY-MM-DD'), '')"
    return _ONE_TEXT[field]


def _test(term: Term, text: str, words: _Parameters) -> str:
    """core's is_met() of an SQL text, never NULL."""
    match term:
        case Has():
            return f"({text} COLLATE \"C\" <> '')"
        case In():
            values = tuple(sorted({fold(each) for each in term.values}))
            return f"({words.folded(text, ''.join(values))} = ANY ({words.place(values)}::text[]))"
        case Compare(op=op, value=value):
            if isinstance(value, Decimal):
                number = f"({text})::numeric {_ORDER[op]} {words.place(number_text(value))}::numeric"
                return f"(CASE WHEN {_is(NUMBER, text)} THEN {number} ELSE false END)"
            if isinstance(value, date):
                day = f'left({text}, {DATE_CHARACTERS}) COLLATE "C"'
                return f"({_is(DATE, text)} AND {day} {_ORDER[op]} {words.place(value.isoformat())})"
            sought = fold(value)
            found, place = words.folded(text, sought), words.place(sought)
            if op is Op.CONTAINS:
                return f"(strpos({found}, {place}) > 0)"
            return f"starts_with({found}, {place})" if op is Op.STARTS_WITH else f"({found} = {place})"


def _is(pattern: str, text: str) -> str:
    return f"{text} COLLATE \"C\" ~ '^({pattern})$'"
