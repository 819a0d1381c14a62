"""Filters: a condition on one contact or one row of a report, and whether it holds.

Pure: the tree, `matches`, and `names_in`. How a filter is written is config/filters.py's, how PostgreSQL answers it db/filter_sql.py's; a property test
holds the two answers together. So each rule below is one that SQL can keep exactly, whatever locale and collation the database has:

* Everything is text. An attribute that is missing is the empty text, and `has` asks whether there is any text.
* A built-in field has no, one or several texts: the contact's zones, its groups. With several, a term holds when it holds for any of them, and `!=` and
  `not in` when `=` and `in` hold for none. With none, it is asked of the empty text.
* `=`, `!=`, `in`, `contains`, `starts with` pay no heed to case (`fold`): A–Z and the letters of CASED are made small one by one. No other letter is
  touched, accents count, nothing is trimmed. A decomposed é (two characters) is not the é of one.
* `< <= > >=` against a number: the text must be wholly a NUMBER, ASCII and without exponent, and is compared exactly. Any other text does not match.
* `< <= > >=` against a date: the text must be a DATE, on its own or with a time behind it, which does not count. Digits are compared, not days of the
  calendar: 2026-02-31 lies between February and March.
* `not` is plain negation: where `age < 5` does not hold because age is no number, `not age < 5` does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum

# Both patterns mean the same to Python's fullmatch and, between ^ and $, to PostgreSQL; they hold no `%`, quote or backslash, which SQL would mind.
NUMBER = "[+-]?[0-9]{1,30}([.][0-9]{1,30})?"
DATE = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])([ T][0-9:.+Z-]{0,32})?"
DATE_CHARACTERS = 10
CASED = ((0xC0, 0x24F), (0x370, 0x52F), (0x1E00, 0x1FFF))
"""Blocks of code points whose letters lose their case besides A–Z: Latin (Vietnamese included), Greek, Cyrillic."""

_NUMBER, _DATE = re.compile(NUMBER), re.compile(DATE)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def _cased() -> Mapping[str, str]:
    """Capital → small letter, where the small one is one character too (İ has two, and stays) and as little ASCII as the capital."""
    pairs = {each: each.lower() for low, high in CASED for each in map(chr, range(low, high + 1))}
    return {capital: small for capital, small in pairs.items() if small != capital and len(small) == 1 and not small.isascii()}


_SMALL = _cased()
_FOLD = str.maketrans({**{chr(each): chr(each + 32) for each in range(ord("A"), ord("Z") + 1)}, **_SMALL})


def fold(text: str) -> str:
    """The text as it is compared. As long as the text itself."""
    return text.translate(_FOLD)


def capitals_for(folded: str) -> tuple[str, str]:
    """The capitals beyond ASCII that matter when `folded` is looked for, and what each becomes, as PostgreSQL's translate() takes them.

    They are the capitals of the letters in it. Any other letter of a text is unlike those in `folded` whether it is made small or not, as it never becomes
    ASCII: so a text in which A–Z and these are made small is equal to, holds, or starts with `folded` just when the wholly folded one does. To look for
    two letters in place of all 624 is what makes a filter on a million names answer in a second.
    """
    sought = set(folded)
    pairs = [(capital, small) for capital, small in _SMALL.items() if small in sought]
    return "".join(capital for capital, _ in pairs), "".join(small for _, small in pairs)


class BuiltIn(Enum):
    """The fields that every contact has, by the names they are written with."""

    NAME = "name"
    NUMBER = "number"  # E.164
    ZONE = "zone"  # any of the contact's zones
    GROUP = "group"  # any of the groups it is a member of
    OWNER = "owner"
    ADDED = "added"  # the day it was added, as 2026-12-01


class Op(Enum):
    EQUAL = "="
    UNEQUAL = "!="
    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="
    CONTAINS = "contains"
    STARTS_WITH = "starts with"


ORDERING = frozenset({Op.BELOW, Op.AT_MOST, Op.ABOVE, Op.AT_LEAST})


@dataclass(frozen=True, slots=True)
class Attribute:
    """A free attribute under its exact name: the header of the user's spreadsheet, case and spaces included."""

    name: str

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("an attribute without a name")
        _check_storable(self.name)


Field = Attribute | BuiltIn


@dataclass(frozen=True, slots=True)
class Compare:
    """`field op value`. A number or a date for `< <= > >=`, a text for the others; ValueError for anything else."""

    field: Field
    op: Op
    value: str | Decimal | date

    def __post_init__(self) -> None:
        if self.op not in ORDERING:
            if not isinstance(self.value, str):
                raise ValueError(f"{self.op.value} takes a text")
            _check_storable(self.value)
        elif isinstance(self.value, Decimal):
            if not self.value.is_finite() or not _NUMBER.fullmatch(number_text(self.value)):
                raise ValueError("a number has at most 30 digits before the point and 30 behind it")
        elif type(self.value) is not date:
            raise ValueError(f"{self.op.value} takes a number or a date")


@dataclass(frozen=True, slots=True)
class In:
    """The field equals one of the values, of which there is at least one."""

    field: Field
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("an empty list")
        for each in self.values:
            _check_storable(each)


@dataclass(frozen=True, slots=True)
class Has:
    """The field holds any text."""

    field: Field


@dataclass(frozen=True, slots=True)
class Not:
    term: Expr


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more."""

    terms: tuple[Expr, ...]

    def __post_init__(self) -> None:
        if len(self.terms) < 2:
            raise ValueError("`and` takes two terms or more")


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more."""

    terms: tuple[Expr, ...]

    def __post_init__(self) -> None:
        if len(self.terms) < 2:
            raise ValueError("`or` takes two terms or more")


Term = Compare | In | Has
Expr = Term | Not | And | Or


@dataclass(frozen=True, slots=True)
class Facts:
    """What the built-in fields stand for. `added` is a day in the zone that the asker works in. The default knows nothing."""

    name: str = ""
    number: str = ""
    zones: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    owner: str = ""
    added: date | None = None


NOTHING_KNOWN = Facts()


def matches(expr: Expr, attributes: Mapping[str, str], facts: Facts = NOTHING_KNOWN) -> bool:
    """Whether the filter holds for a contact with these attributes and facts; of a report's row, its columns are the attributes.

    Recurses as deep as the tree: what config/filters.py reads is never deeper than it allows.
    """
    match expr:
        case And():
            return all(matches(term, attributes, facts) for term in expr.terms)
        case Or():
            return any(matches(term, attributes, facts) for term in expr.terms)
        case Not():
            return not matches(expr.term, attributes, facts)
        case Compare(op=Op.UNEQUAL):
            return not any(is_met(expr, text) for text in _texts(expr.field, attributes, facts))
    # A field without a text is asked as the empty text, hence no field has none.
    return any(is_met(expr, text) for text in _texts(expr.field, attributes, facts))


def is_met(term: Term, text: str) -> bool:
    """Whether one text meets the term; for `!=`, whether it meets the `=` that must hold for none."""
    match term:
        case Has():
            return text != ""
        case In():
            return fold(text) in map(fold, term.values)
        case Compare(op=op, value=value):
            if isinstance(value, Decimal):
                return bool(_NUMBER.fullmatch(text)) and _is_ordered(op, _order(Decimal(text), value))
            if isinstance(value, date):
                return bool(_DATE.fullmatch(text)) and _is_ordered(op, _order(text[:DATE_CHARACTERS], value.isoformat()))
            found, sought = fold(text), fold(value)
            if op is Op.CONTAINS:
                return sought in found
            return found.startswith(sought) if op is Op.STARTS_WITH else found == sought


@dataclass(frozen=True, slots=True)
class Names:
    """What a filter speaks of, as it stands there."""

    attributes: frozenset[str]
    groups: frozenset[str]


def names_in(expr: Expr) -> Names:
    """The attributes and the groups that a filter names, for those who know which there are."""
    match expr:
        case And() | Or():
            each = [names_in(term) for term in expr.terms]
            return Names(frozenset().union(*(of.attributes for of in each)), frozenset().union(*(of.groups for of in each)))
        case Not():
            return names_in(expr.term)
    groups: tuple[str, ...] = ()
    if expr.field is BuiltIn.GROUP:
        match expr:
            case In():
                groups = expr.values
            case Compare(op=Op.EQUAL | Op.UNEQUAL, value=str() as value):
                groups = (value,)
    return Names(frozenset({expr.field.name} if isinstance(expr.field, Attribute) else ()), frozenset(groups) - {""})


def number_text(value: Decimal) -> str:
    """A number as it is written: digits, without an exponent."""
    # Beyond 30 digits it is no number of ours, and must not be spelt out: 1E+999999 would fill a book.
    return format(value, "f") if value.as_tuple().exponent >= -30 and value.adjusted() < 30 else ""  # type: ignore[operator]


def _texts(field: Field, attributes: Mapping[str, str], facts: Facts) -> tuple[str, ...]:
    match field:
        case Attribute():
            return (attributes.get(field.name) or "",)
        case BuiltIn.NAME:
            return (facts.name,)
        case BuiltIn.NUMBER:
            return (facts.number,)
        case BuiltIn.OWNER:
            return (facts.owner,)
        case BuiltIn.ADDED:
            return (facts.added.isoformat() if facts.added else "",)
        case _:
            several = facts.zones if field is BuiltIn.ZONE else facts.groups
            return tuple(each for each in several if each) or ("",)


def _order(found: Decimal | str, sought: Decimal | str) -> int:
    """-1, 0 or 1: below, equal, above. Both are numbers, or both ten characters of a date."""
    return (found > sought) - (found < sought)  # type: ignore[operator]


def _is_ordered(op: Op, order: int) -> bool:
    match op:
        case Op.BELOW:
            return order < 0
        case Op.AT_MOST:
            return order <= 0
        case Op.ABOVE:
            return order > 0
        case _:
            return order >= 0


def _check_storable(text: str) -> None:
    if _UNSTORABLE.search(text):
        raise ValueError("PostgreSQL's text cannot hold a NUL or half a surrogate pair")
