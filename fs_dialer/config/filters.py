"""A filter as people write it → the tree of core/filters.py, and back.

    tier in (gold, silver) and not `date of birth` < 1960-01-01 and (zone = Asia/Tokyo or has email)

    either or either · both and both · not term · ( … )
    field = != < <= > >= value · field contains value · field starts with value · field in (value, …) · field not in (value, …) · has field

`not` binds closer than `and`, `and` closer than `or`. Words of the language and built-in fields (name, number, zone, group, owner, added) are known in any
case. A value is bare (letters, digits, `_ - . + / : @ #`) or in quotes, single or double, doubled to stand inside themselves; a backslash is a backslash.
An attribute is bare (letters, digits, `_ - .`) or in backticks, which any name may stand in: `zone` in backticks is an attribute, never the built-in.

What reads must mean something: values of built-in fields are looked at, so that no campaign rests on `zone = Asia/Tokio`. Whether an attribute or a group is
there is for those who know the database: `parse` takes the names there are, core's `names_in` gives those of a filter. Bounds keep a text from costing more
than a moment.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from fs_dialer.config.values import BadValue, nearest, phone, short, zone
from fs_dialer.core.filters import NUMBER, ORDERING, And, Attribute, BuiltIn, Compare, Expr, Field, Has, In, Not, Op, Or, number_text

MAX_CHARACTERS = 2000
MAX_NESTING = 20  # brackets and `not` inside one another
MAX_TERMS = 100

_RESERVED = frozenset("and or not in contains starts has".split())
_BUILT_IN = {each.value: each for each in BuiltIn}
_OPS = {each.value: each for each in Op}
# Sound like a built-in field, and are columns that an import takes for one.
_MEANT = {"phone": "number", "telephone": "number", "tz": "zone", "timezone": "zone", "time_zone": "zone", "created_at": "added"}
_OTHER_SIGNS = {
    "==": "=", "=>": ">=", "=<": "<=", "<>": "!=", "!==": "!=", "===": "=", "≠": "!=", "≤": "<=", "≥": ">=", "&&": "and", "&": "and", "||": "or", "|": "or",
    "!": "not", "=~": "contains", "~": "contains", "!~": "not (… contains …)", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "[": "(", "]": ")",
}  # fmt: skip
_OTHER_WORDS = {
    "is": "=, or `has` for a field that holds anything", "equals": "=", "eq": "=", "ne": "!=", "like": "contains", "ilike": "contains",
    "includes": "contains", "matches": "contains", "startswith": "starts with", "starts_with": "starts with", "begins": "starts with",
    "between": "field >= low and field <= high", "gt": ">", "lt": "<", "exists": "has field", "ends": "contains",
}  # fmt: skip
_NUMBER, _DATE = re.compile(NUMBER), re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SIGNS = re.compile(r"[=!<>&|~]+")


class BadFilter(BadValue):
    """What is wrong with a filter and what to write instead. `column`: the character it is about, from 1."""

    def __init__(self, text: str, column: int) -> None:
        super().__init__(f"{text} (character {column:,})")
        self.text, self.column = text, column


@dataclass(frozen=True, slots=True)
class _Token:
    """`kind`: word, text (was in quotes), name (was in backticks), sign (operators, brackets, commas), end. `column` from 1."""

    kind: str
    text: str
    column: int

    def is_word(self, word: str) -> bool:
        return self.kind == "word" and self.text.lower() == word

    def is_sign(self, sign: str) -> bool:
        return self.kind == "sign" and self.text == sign


def parse(text: str, known: Collection[str] | None = None, *, built_in: bool = True) -> Expr:
    """The tree of a filter; BadFilter for the first thing wrong with it, and never another error.

    `known`: the attributes there are, so that another is refused with the nearest; None = any. `built_in`: off for rows that are no contacts, in which
    `name` and the others are columns like any.
    """
    if len(text) > MAX_CHARACTERS:
        raise BadFilter(f"a filter of {len(text):,} characters; at most {MAX_CHARACTERS:,}", MAX_CHARACTERS + 1)
    return _Reader(list(_tokens(text)), known, built_in).whole()


def show(expr: Expr) -> str:
    """The filter as text, which `parse` reads back to the same tree. Written close where it would be longer than may be read otherwise."""
    words = list(_words(expr))
    text = _joined(words, lambda before, after: before != "(" and after not in (")", ","))
    return text if len(text) <= MAX_CHARACTERS else _joined(words, lambda before, after: _is_bare(before[-1]) and _is_bare(after[0]))


# --- text to tokens ---------------------------------------------------------------------------------------------------


def _is_bare(char: str) -> bool:
    """Whether it may be part of a bare value. Marks too: Thai vowels, and accents that stand by themselves."""
    return char.isalnum() or char in "_-.+/:@#" or unicodedata.category(char)[0] == "M"


def _is_bare_name(text: str) -> bool:
    return all(_is_bare(char) and char not in "+/:@#" for char in text) and text.lower() not in _RESERVED


def _tokens(text: str) -> Iterator[_Token]:
    at, before = 0, _Token("end", "", 0)
    while at < len(text):
        char, start = text[at], at
        if char.isspace():
            at += 1
            continue
        if char in "\"'`":
            follows = before.kind == "word" and before.column + len(before.text) == start + 1
            if follows and char != "`" and before.text.lower() not in {*_RESERVED, "with"}:
                whole = before.text + text[at:].split(maxsplit=1)[0].rstrip("),")
                raise BadFilter(f"a quote inside a word: write {_in_quotes(short(whole))}", start + 1)
            body, at = _quoted(text, start)
            token = _Token("name" if char == "`" else "text", body, start + 1)
        elif _is_bare(char):
            while at < len(text) and _is_bare(text[at]):
                at += 1
            token = _Token("word", text[start:at], start + 1)
        else:
            sign = found[0] if (found := _SIGNS.match(text, start)) else char
            if sign not in _OPS and sign not in "(),":
                raise BadFilter(_about_sign(sign), start + 1)
            at += len(sign)
            token = _Token("sign", sign, start + 1)
        yield token
        before = token
    yield _Token("end", "", len(text) + 1)


def _quoted(text: str, start: int) -> tuple[str, int]:
    """What stands in the quotes that open at `start`, and where the text goes on behind them."""
    quote, end = text[start], text.find(text[start], start + 1)
    while end >= 0 and text[end + 1 : end + 2] == quote:
        end = text.find(quote, end + 2)
    if end < 0:
        raise BadFilter(f"this {quote} is never closed: write another where the {'name' if quote == '`' else 'text'} ends", start + 1)
    if odd := re.search("[\0\ud800-\udfff]", text[start:end]):
        raise BadFilter(_invisible(odd[0]), start + odd.start() + 1)
    return text[start + 1 : end].replace(quote * 2, quote), end + 1


def _about_sign(sign: str) -> str:
    if instead := _OTHER_SIGNS.get(sign):
        return f"`{sign}` is no sign of filters: write {instead}"
    if not sign.isprintable():
        return _invisible(sign)
    if sign in ("*", "%"):
        return f"`{sign}` does not stand for other letters: write contains or starts with; as itself it stands in quotes"
    return f"`{sign}` is no sign of filters: write = != < <= > >=" if _SIGNS.match(sign) else f"`{sign}` stands in quotes, with the text it is part of"


def _invisible(char: str) -> str:
    return f"the invisible character U+{ord(char):04X}: take it out"


# --- tokens to a tree -------------------------------------------------------------------------------------------------


class _Reader:
    """One filter, read from left to right; each method takes the tokens of what it is named after."""

    def __init__(self, tokens: list[_Token], known: Collection[str] | None, built_in: bool) -> None:
        self._tokens, self._at = tokens, 0
        self._known, self._built_in = known, built_in
        self._nesting = self._terms = 0

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._next
        self._at = min(self._at + 1, len(self._tokens) - 1)  # the end stays
        return token

    def whole(self) -> Expr:
        if self._next.kind == "end":
            raise BadFilter("an empty filter: write a condition, as in tier = gold", 1)
        expr = self._either()
        if self._next.kind != "end":
            raise self._left_over()
        return expr

    def _either(self) -> Expr:
        terms = self._between("or", self._both)
        return Or(terms) if len(terms) > 1 else terms[0]

    def _both(self) -> Expr:
        terms = self._between("and", self._negated)
        return And(terms) if len(terms) > 1 else terms[0]

    def _between(self, word: str, part: Callable[[], Expr]) -> tuple[Expr, ...]:
        terms = [part()]
        while self._next.is_word(word):
            self._take()
            terms.append(part())
        return tuple(terms)

    def _negated(self) -> Expr:
        if not (self._next.is_word("not") or self._next.is_sign("(")):
            return self._term()
        opened = self._take()
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise BadFilter(f"more than {MAX_NESTING} brackets and `not` inside one another", opened.column)
        if opened.kind == "word":
            expr: Expr = Not(self._negated())
        else:
            expr = self._either()
            self._close(opened)
        self._nesting -= 1
        return expr

    def _close(self, opened: _Token) -> None:
        if self._next.kind == "end":
            raise BadFilter("this bracket is never closed: write `)` where it ends", opened.column)
        if not self._next.is_sign(")"):
            raise self._left_over()
        self._take()

    def _term(self) -> Expr:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise BadFilter(f"more than {MAX_TERMS} conditions; for a long list of values write field in (a, b, c)", self._next.column)
        if self._next.is_word("has"):
            self._take()
            return Has(self._field())
        start = self._next
        field = self._field()
        token = self._take()
        if token.is_word("in"):
            return self._list(field)
        if token.is_word("not") and self._next.is_word("in"):
            self._take()
            return Not(self._list(field))
        if token.is_word("starts") and self._next.is_word("with"):
            self._take()
            op = Op.STARTS_WITH
        elif token.is_word("contains"):
            op = Op.CONTAINS
        elif token.kind == "sign" and token.text in _OPS:
            op = _OPS[token.text]
        else:
            raise self._no_operator(start, token)
        place = self._next.column
        value = self._value(op.value)
        return Compare(field, op, _ordered_value(field, op, value, place) if op in ORDERING else _text_value(field, op, value, place))

    def _list(self, field: Field) -> In:
        opened = self._take()
        if not opened.is_sign("("):
            raise BadFilter("behind `in` stands a list in brackets, as in tier in (gold, silver)", opened.column)
        values: list[str] = []
        while True:
            place = self._next.column
            if self._next.is_sign(")"):
                raise BadFilter("a value is expected before `)`", place)
            values.append(_text_value(field, Op.EQUAL, self._value("," if values else "("), place))
            if not self._next.is_sign(","):
                break
            self._take()
        if self._next.kind in ("word", "text", "name"):
            raise BadFilter("a comma is missing before this; a value of several words stands in quotes", self._next.column)
        self._close(opened)
        return In(field, tuple(values))

    def _field(self) -> Field:
        token = self._take()
        if token.kind == "name" and token.text:
            return self._attribute(token)
        if token.kind == "text":
            raise BadFilter(f"a field is expected, and quotes hold values; a name with spaces stands in backticks: `{short(token.text)}`", token.column)
        if token.kind != "word":
            what = {"end": "at the end of the filter", "name": "between the backticks"}.get(token.kind, f"before `{token.text}`")
            raise BadFilter(f"a field is expected {what}", token.column)
        if token.text.lower() in _RESERVED:
            raise BadFilter(f"a field is expected here; an attribute of the name {token.text} stands in backticks: `{token.text}`", token.column)
        if not _is_bare_name(token.text):
            raise BadFilter(f"a name with other signs than letters, digits and _ - . stands in backticks: `{short(token.text)}`", token.column)
        if self._built_in:
            if (found := _BUILT_IN.get(token.text.lower())) is not None:
                return found
            if self._known is None and (meant := _meant(token.text)):
                problem = f"`{token.text}` is no built-in field; nearest: {meant}. For an attribute of that name write it in backticks: `{token.text}`"
                raise BadFilter(problem, token.column)
        return self._attribute(token)

    def _attribute(self, token: _Token) -> Attribute:
        if self._known is not None and token.text not in self._known:
            guess = nearest(token.text, [*self._known, *(_BUILT_IN if self._built_in else ())])
            raise BadFilter(f"there is no field `{short(token.text)}`" + (f"; nearest: {guess}" if guess else ""), token.column)
        return Attribute(token.text)

    def _value(self, behind: str) -> str:
        token = self._take()
        if token.kind == "text" or (token.kind == "word" and token.text.lower() not in _RESERVED):
            return token.text
        what = f"a value is expected behind `{behind}`"
        if token.kind == "name":
            what += f"; a text stands in quotes, not in backticks: {_in_quotes(short(token.text))}"
        elif token.kind == "word":
            what += f"; the text {token.text} stands in quotes: {_in_quotes(token.text)}"
        raise BadFilter(what, token.column)

    def _no_operator(self, start: _Token, token: _Token) -> BadFilter:
        """`token` stands where an operator should, behind the field `start`."""
        name = short(start.text)
        if token.is_word("not") and (self._next.is_word("contains") or self._next.is_word("starts")):
            return BadFilter(f"`not` stands before the condition: write not {name} {self._next.text} …", token.column)
        if token.kind == "word" and (instead := _OTHER_WORDS.get(token.text.lower())):
            return BadFilter(f"`{token.text}` is no word of filters: write {instead}", token.column)
        if token.kind == "word" and token.text.lower() not in _RESERVED:
            hint = f"; a name of several words stands in backticks: `{name} {short(token.text)}`" if start.kind == "word" else ""
            return BadFilter(f"behind the field stands = != < <= > >= in, contains or starts with{hint}", token.column)
        return BadFilter(f"a condition on `{name}` is expected, as in {name} = gold; whether it holds anything is has {name}", token.column)

    def _left_over(self) -> BadFilter:
        """What stands behind a whole condition, and cannot."""
        token, before, after = self._next, self._tokens[self._at - 1], self._tokens[min(self._at + 1, len(self._tokens) - 1)]
        if token.is_sign(")"):
            return BadFilter("`)` closes nothing: take it out, or write the `(` that it ends", token.column)
        if token.is_sign(","):
            if _NUMBER.fullmatch(before.text) and _NUMBER.fullmatch(after.text):
                return BadFilter("a number has no separators, and a point before its fraction: write 1200 or 1.5", token.column)
            return BadFilter("a comma stands in lists only: write field in (a, b)", token.column)
        if token.kind == "sign" and token.text in _OPS:
            return BadFilter(f"`{token.text}` behind a whole condition: `and` or `or` stands between two", token.column)
        if before.kind == token.kind == "word" and not (after.kind == "sign" and after.text in _OPS) and token.text.lower() not in _RESERVED:
            both = short(f"{before.text} {token.text}")
            if self._tokens[self._at - 2].is_word("has"):
                return BadFilter(f"a name of several words stands in backticks: `{both}`", token.column)
            if not (after.kind == "word" and after.text.lower() in _RESERVED - {"and", "or"}):
                return BadFilter(f"a value of several words stands in quotes: {_in_quotes(both)}", token.column)
        return BadFilter("`and` or `or` is missing before this", token.column)


def _meant(name: str) -> str | None:
    """The built-in field that somebody who wrote this bare name may have meant. Any name may be an attribute's: only the very near ones are asked about."""
    word = name.lower()
    guess = nearest(word, _BUILT_IN, cutoff=0.75) if word.isalpha() else None
    return _MEANT.get(word) or (guess if guess and guess[0] == word[0] else None)


# --- values -----------------------------------------------------------------------------------------------------------


def _ordered_value(field: Field, op: Op, text: str, column: int) -> Decimal | date:
    """What `< <= > >=` compare with. BadFilter for a field or a text that has no order."""
    if isinstance(field, BuiltIn) and field is not BuiltIn.ADDED:
        raise BadFilter(f"`{field.value}` is text and has no order: write = != in, contains or starts with", column)
    if field is not BuiltIn.ADDED and _NUMBER.fullmatch(text):
        return Decimal(text)
    if _DATE.fullmatch(text):
        return _day(text, column)
    if re.fullmatch("[0-9]{1,4}([-./])[0-9]{1,2}\\1[0-9]{1,4}", text):
        raise BadFilter(f"`{short(text)}`: write a date as 2026-12-31", column)
    if field is BuiltIn.ADDED:
        raise BadFilter(f"`added` is compared with a date, as in added {op.value} 2026-12-31", column)
    if re.fullmatch("[+-]?[0-9][0-9.,' ]*", text):
        raise BadFilter(f"`{short(text)}`: write a number as 1200 or 1.5, with at most 30 digits on either side of the point", column)
    raise BadFilter(f"`{short(text)}` is neither a number nor a date (2026-12-31), and `{op.value}` knows no other order", column)


def _text_value(field: Field, op: Op, text: str, column: int) -> str:
    """What the other operators compare with. BadFilter where the built-in field can hold no such text."""
    is_part = op in (Op.CONTAINS, Op.STARTS_WITH)
    if is_part and not text:
        raise BadFilter(f"`{op.value}` needs some text; whether the field holds any is has {_name(field)}", column)
    try:
        if field is BuiltIn.NUMBER:
            packed = phone(text)
            if op is not Op.CONTAINS and not packed.startswith("+"):
                raise BadValue(f"`{short(text)}`: numbers are kept with + and their country code: write +84903222111")
            return packed
        if field is BuiltIn.ZONE and text and not is_part:
            return zone(text)
    except BadValue as error:
        raise BadFilter(str(error), column) from None
    if field is BuiltIn.ADDED and text:
        if is_part and not re.fullmatch("[0-9-]{1,10}", text):
            raise BadFilter(f"`{short(text)}` is no part of a date: write 2026-12", column)
        return text if is_part else _day(text, column).isoformat()
    return text


def _day(text: str, column: int) -> date:
    if not _DATE.fullmatch(text):
        raise BadFilter(f"`{short(text)}`: write a date as 2026-12-31", column)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadFilter(f"`{text}` is no day of the calendar", column) from None


# --- a tree to text ---------------------------------------------------------------------------------------------------


def _words(expr: Expr) -> Iterator[str]:
    match expr:
        case And() | Or():
            for place, each in enumerate(expr.terms):
                if place:
                    yield "and" if isinstance(expr, And) else "or"
                yield from _bracketed(each, isinstance(each, Or) or type(each) is type(expr))
        case Not(term=In() as listed):
            yield from (_name(listed.field), "not", "in", *_listed(listed))
        case Not():
            yield "not"
            yield from _bracketed(expr.term, isinstance(expr.term, And | Or))
        case Has():
            yield from ("has", _name(expr.field))
        case In():
            yield from (_name(expr.field), "in", *_listed(expr))
        case Compare(field=field, op=op, value=value):
            shown = _shown(value) if isinstance(value, str) else number_text(value) if isinstance(value, Decimal) else value.isoformat()
            yield from (_name(field), *op.value.split(), shown)


def _bracketed(expr: Expr, needed: bool) -> Iterator[str]:
    yield from ("(", *_words(expr), ")") if needed else _words(expr)


def _listed(expr: In) -> list[str]:
    return ["(", *[word for each in expr.values for word in (",", _shown(each))][1:], ")"]


def _name(field: Field) -> str:
    if isinstance(field, BuiltIn):
        return field.value
    plain = _is_bare_name(field.name) and not _meant(field.name)
    return field.name if plain else "`" + field.name.replace("`", "``") + "`"


def _shown(text: str) -> str:
    return text if text and all(map(_is_bare, text)) and text.lower() not in _RESERVED else _in_quotes(text)


def _in_quotes(text: str) -> str:
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + text.replace(quote, quote * 2) + quote


def _joined(words: list[str], is_apart: Callable[[str, str], bool]) -> str:
    """The words with a space between two where `is_apart` says so."""
    return words[0] + "".join(f" {after}" if is_apart(before, after) else after for before, after in itertools.pairwise(words))
