"""The filter language: what reads, what is refused with which advice, and that what is shown reads back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fs_dialer.config.filters import MAX_CHARACTERS, MAX_NESTING, MAX_TERMS, BadFilter, parse, show
from fs_dialer.config.values import BadValue
from fs_dialer.core.filters import ORDERING, And, Attribute, BuiltIn, Compare, Expr, Has, In, Not, Op, Or

pytestmark = pytest.mark.spec("S18", "M3", "M14", "D7")

TIER, AGE = Attribute("tier"), Attribute("age")
A, B, C = (Compare(Attribute(each), Op.EQUAL, "1") for each in "abc")


def refusal(text: str, known: list[str] | None = None) -> BadFilter:
    with pytest.raises(BadFilter) as caught:
        parse(text, known)
    return caught.value


# --- what reads -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expr"),
    [
        ("tier in (gold, silver)", In(TIER, ("gold", "silver"))),
        ("tier not in (gold)", Not(In(TIER, ("gold",)))),
        ("not tier in (gold)", Not(In(TIER, ("gold",)))),
        ("tier = gold", Compare(TIER, Op.EQUAL, "gold")),
        ("tier!='gold'", Compare(TIER, Op.UNEQUAL, "gold")),
        ("age < 18", Compare(AGE, Op.BELOW, Decimal(18))),
        ("age<=-18.5", Compare(AGE, Op.AT_MOST, Decimal("-18.5"))),
        ('age > "+18"', Compare(AGE, Op.ABOVE, Decimal(18))),
        ("age >= 2008-01-31", Compare(AGE, Op.AT_LEAST, date(2008, 1, 31))),
        ("age = 18", Compare(AGE, Op.EQUAL, "18")),
        ("tier contains ol", Compare(TIER, Op.CONTAINS, "ol")),
        ("tier starts\n with go", Compare(TIER, Op.STARTS_WITH, "go")),
        ("has tier", Has(TIER)),
        ("`date of birth` < 1960-01-01", Compare(Attribute("date of birth"), Op.BELOW, date(1960, 1, 1))),
        ("`a``b` = ''", Compare(Attribute("a`b"), Op.EQUAL, "")),
        ("`Größe (cm)` > 180", Compare(Attribute("Größe (cm)"), Op.ABOVE, Decimal(180))),
        ("quận-1.x_2 = Bình", Compare(Attribute("quận-1.x_2"), Op.EQUAL, "Bình")),
        ("city = 'Hà Nội'", Compare(Attribute("city"), Op.EQUAL, "Hà Nội")),
        ("""x = "say ""hi\"\"\"""", Compare(Attribute("x"), Op.EQUAL, 'say "hi"')),
        (r'x = "a\"', Compare(Attribute("x"), Op.EQUAL, "a\\")),
        ("x = a.b+c/d:e@f#g_h-1", Compare(Attribute("x"), Op.EQUAL, "a.b+c/d:e@f#g_h-1")),
        ("a=1 and b=1 and c=1", And((A, B, C))),
        ("a = 1 or b = 1 and c = 1", Or((A, And((B, C))))),
        ("(a = 1 or b = 1) and c = 1", And((Or((A, B)), C))),
        ("a = 1 and (b = 1 and c = 1)", And((A, And((B, C))))),
        ("not a = 1 and b = 1", And((Not(A), B))),
        ("not (a = 1 and not not b = 1)", Not(And((A, Not(Not(B)))))),
        ("A = 1", Compare(Attribute("A"), Op.EQUAL, "1")),
        ("HAS tier AND a = 1 Or Not b = 1", Or((And((Has(TIER), A)), Not(B)))),
        ("((((a = 1))))", A),
    ],
)
def test_a_filter_reads_as(text: str, expr: Expr) -> None:
    assert parse(text) == expr
    assert parse(show(expr)) == expr


@pytest.mark.parametrize(
    ("text", "expr"),
    [
        ("name contains lan", Compare(BuiltIn.NAME, Op.CONTAINS, "lan")),
        ("Owner = hoa", Compare(BuiltIn.OWNER, Op.EQUAL, "hoa")),
        ("group in (spring, vip)", In(BuiltIn.GROUP, ("spring", "vip"))),
        ("zone = Asia/Ho_Chi_Minh", Compare(BuiltIn.ZONE, Op.EQUAL, "Asia/Ho_Chi_Minh")),
        ("zone starts with Asia/", Compare(BuiltIn.ZONE, Op.STARTS_WITH, "Asia/")),
        ("zone = ''", Compare(BuiltIn.ZONE, Op.EQUAL, "")),
        ("number = '+84 90-322.2111'", Compare(BuiltIn.NUMBER, Op.EQUAL, "+84903222111")),
        ("number starts with +84", Compare(BuiltIn.NUMBER, Op.STARTS_WITH, "+84")),
        ("number contains 2111", Compare(BuiltIn.NUMBER, Op.CONTAINS, "2111")),
        ("added >= 2026-09-01", Compare(BuiltIn.ADDED, Op.AT_LEAST, date(2026, 9, 1))),
        ("added starts with 2026-09", Compare(BuiltIn.ADDED, Op.STARTS_WITH, "2026-09")),
        ("added in (2026-09-01)", In(BuiltIn.ADDED, ("2026-09-01",))),
        ("has group", Has(BuiltIn.GROUP)),
        ("`name` = x", Compare(Attribute("name"), Op.EQUAL, "x")),
        ("`gruop` = x", Compare(Attribute("gruop"), Op.EQUAL, "x")),
    ],
)
def test_built_in_fields_are_known_by_name_and_attributes_by_backticks(text: str, expr: Expr) -> None:
    assert parse(text) == expr
    assert parse(show(expr)) == expr


@pytest.mark.parametrize("name", ["game", "fame", "tone", "groups2", "name2", "name_of_dog", "address", "ownership", "grade", "date", "num", "zip"])
def test_names_that_only_remind_of_a_built_in_field_are_attributes(name: str) -> None:
    assert parse(f"has {name}") == Has(Attribute(name))


def test_rows_that_are_no_contacts_have_columns_only() -> None:
    expr = parse("number starts with 0903 and gruop = x", built_in=False)
    assert expr == And((Compare(Attribute("number"), Op.STARTS_WITH, "0903"), Compare(Attribute("gruop"), Op.EQUAL, "x")))
    assert parse(show(expr), built_in=False) == expr


def test_known_attributes_are_the_only_ones() -> None:
    known = ["tier", "date of birth", "zones"]
    assert parse("tier = gold or has `date of birth` or has name or has zones", known)
    assert (refusal("a = 1 or tire = gold", known).column, refusal("has Tier", known).text) == (1, "there is no field `Tier`; nearest: tier")
    assert "nearest: date of birth" in refusal("has tier and has `date of brith`", known).text
    assert "nearest: number" in refusal("has numbr", known).text
    assert refusal("has xyz", known).text == "there is no field `xyz`"


# --- what is refused, where, and with which advice --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "column", "advice"),
    [
        ("", 1, "an empty filter"),
        (" \n ", 1, "an empty filter"),
        ("tier == gold", 6, "write ="),
        ("tier <> gold", 6, "write !="),
        ("age => 5", 5, "write >="),
        ("age ≥ 5", 5, "write >="),
        ("a = 1 && b = 1", 7, "write and"),
        ("a = 1 || b = 1", 7, "write or"),
        ("!a = 1", 1, "write not"),
        ("a =! 1", 3, "write = != <"),
        ("a ~ 1", 3, "write contains"),
        ("a = “gold”", 5, 'write "'),
        ("a in [1, 2]", 6, "write ("),
        ('a = "gold', 5, "never closed"),
        ("a = 'gold and b = 1", 5, "never closed"),
        ("`date of birth = 1", 1, "where the name ends"),
        ("name = O'Brien", 9, 'write "O\'Brien"'),
        ('x = 5" and y = 3', 6, "write '5\"'"),
        ("gruop = spring", 1, "nearest: group"),
        ("a = 1 and zoen = x", 11, "nearest: zone"),
        ("nmae = x", 1, "nearest: name"),
        ("names = x", 1, "nearest: name"),
        ("phone = 1", 1, "nearest: number"),
        ("timezone = x", 1, "nearest: zone"),
        ("tier is gold", 6, "write ="),
        ("tier like gold", 6, "write contains"),
        ("tier startswith gold", 6, "write starts with"),
        ("age between 1 and 5", 5, "write field >= low and field <= high"),
        ("date of birth = 1", 6, "`date of`"),
        ("has date of birth", 10, "`date of`"),
        ('"date of birth" = 1', 1, "`date of birth`"),
        ("a/b = 1", 1, "`a/b`"),
        ("and = 1", 1, "`and`"),
        ("`` = 1", 1, "a field is expected"),
        ("= 1", 1, "before `=`"),
        ("a = 1 and", 10, "at the end"),
        ("not", 4, "at the end"),
        ("tier", 5, "has tier"),
        ("a = 1 and (tier)", 16, "has tier"),
        ("a =", 4, "a value is expected behind `=`"),
        ("a = and", 5, '"and"'),
        ("a = `b`", 5, '"b"'),
        ("city = Ha Noi", 11, '"Ha Noi"'),
        ("city = Ha Noi and a = 1", 11, '"Ha Noi"'),
        ("a = 1 b = 1", 7, "`and` or `or` is missing"),
        ("a = x b in (1)", 7, "`and` or `or` is missing"),
        ("a = 1 has b", 7, "`and` or `or` is missing"),
        ("a = 1 (b = 1)", 7, "`and` or `or` is missing"),
        ("a = 1 = 1", 7, "`and` or `or`"),
        ("a = 1, b = 1", 6, "a comma stands in lists only"),
        ("age > 1,200", 8, "no separators"),
        ("(a = 1", 1, "never closed"),
        ("a = 1)", 6, "closes nothing"),
        ("tier in gold", 9, "list in brackets"),
        ("tier in ()", 10, "a value is expected"),
        ("tier in (a,)", 12, "a value is expected"),
        ("tier in (a, , b)", 13, "a value is expected"),
        ("tier in (a b)", 12, "a comma is missing"),
        ("tier in (a, b", 9, "never closed"),
        ("tier not contains gold", 6, "write not tier contains"),
        ("tier contains ''", 15, "has tier"),
        ("a = 10%", 7, "does not stand for other letters"),
        ("a = x*", 6, "contains or starts with"),
        ("a = 1; DROP TABLE contacts", 6, "in quotes"),
        ("a = ${x}", 5, "in quotes"),
        ("a = 1\0", 6, "U+0000"),
        ('a = "1\0"', 7, "U+0000"),
        ("a = '\ud800'", 6, "U+D800"),
        ("a\u200b = 1", 2, "U+200B"),
        ("age > gold", 7, "neither a number nor a date"),
        ("age > '1,200'", 7, "1200 or 1.5"),
        (f"age > {'9' * 31}", 7, "at most 30 digits"),
        ("age > 31.12.2026", 7, "write a date as 2026-12-31"),
        ("age > 2026/12/31", 7, "write a date as 2026-12-31"),
        ("age > 2026-02-30", 7, "no day of the calendar"),
        ("age > 0000-01-01", 7, "no day of the calendar"),
        ("name > 5", 8, "no order"),
        ("added > 5", 9, "2026-12-31"),
        ("added = spring", 9, "2026-12-31"),
        ("added = 2026-02-30", 9, "no day of the calendar"),
        ("added contains may", 16, "2026-12"),
        ("zone = Asia/Tokio", 8, "nearest: Asia/Tokyo"),
        ("zone in (Asia/Tokyo, GMT+7)", 22, "is not a place"),
        ("number = 0903222111", 10, "country code"),
        ("number starts with 84", 20, "country code"),
        ("number contains x", 17, "not a telephone number"),
    ],
)
def test_a_filter_that_does_not_read_is_refused_with_its_place_and_what_to_write(text: str, column: int, advice: str) -> None:
    problem = refusal(text)
    assert (problem.column, advice in problem.text) == (column, True), problem
    assert isinstance(problem, BadValue)
    assert str(problem) == f"{problem.text} (character {column})"


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_the_length_is_bounded() -> None:
    longest = f"a = {'x' * (MAX_CHARACTERS - 4)}"
    assert show(parse(longest)) == longest
    assert "a filter of 2,001 characters; at most 2,000" in refusal(longest + "x").text


@pytest.mark.parametrize("opening", ["(", "not ", "not ("])
def test_the_nesting_is_bounded(opening: str) -> None:
    levels = opening.count("(") + opening.count("not")
    deepest = MAX_NESTING // levels

    def nested(depth: int) -> str:
        return opening * depth + "a = 1" + ")" * (opening.count("(") * depth)

    assert parse(nested(deepest))
    assert "more than 20" in refusal(nested(deepest + 1)).text
    assert "more than 20" in refusal(opening * (MAX_CHARACTERS // len(opening))).text


def test_the_number_of_conditions_is_bounded_and_of_values_is_not() -> None:
    assert parse(" or ".join(["a = 1"] * MAX_TERMS))
    assert "more than 100 conditions" in refusal(" or ".join(["a = 1"] * (MAX_TERMS + 1))).text
    assert parse(f"a in ({','.join('1' * 900)})")


@pytest.mark.parametrize("joined", ["a=1 or b in(1,2)and ", "a in(1,1,1,1,1,1,1,1,1)or ", "not(a=1 or b=1)and ", "`x y`='a b'or "])
def test_a_long_filter_that_was_written_close_is_shown_close_and_still_reads(joined: str) -> None:
    most = min((MAX_CHARACTERS - 3) // len(joined), MAX_TERMS // 2 - 1)
    text = joined * most + "a=1"
    text += "1" * (MAX_CHARACTERS - len(text))
    expr = parse(text)
    assert len(show(expr)) <= MAX_CHARACTERS
    assert parse(show(expr)) == expr


# --- any text, any tree -----------------------------------------------------------------------------------------------

PIECES = [
    *("tier", "name", "zone", "number", "added", "group", "`a b`", "`", "gold", '"x y"', "'", '"', "18", "-1.5", "2026-01-01", "+84903222111", "Asia/Tokyo"),
    *(
        "=",
        "!=",
        "<",
        ">=",
        "==",
        "&&",
        "in",
        "not",
        "has",
        "contains",
        "starts",
        "with",
        "and",
        "or",
        "(",
        ")",
        ",",
        "is",
        "%",
        "\0",
        "\\",
        ";",
        "é",
        "\u0301",
    ),
]


@given(st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join) | st.lists(st.sampled_from(PIECES), max_size=10).map("".join))
@example("(" * 2000)
@example("not " * 500)
@example("`" * 2000)
@example("'" * 1999)
@example("a" * 2000 + "b" * 100_000)
@example("has " * 500)
@settings(max_examples=1000, deadline=None)
def test_any_text_reads_or_is_refused_and_what_reads_is_shown_as_it_reads(text: str) -> None:
    try:
        expr = parse(text)
    except BadFilter as problem:
        assert 1 <= problem.column <= min(len(text), MAX_CHARACTERS) + 1
        assert len(problem.text) < 400
        return
    assert parse(show(expr)) == expr
    assert show(parse(show(expr))) == show(expr)


words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8) | st.sampled_from(
    ["and", "NOT", "in", "with", "a`b", "it's", '"', "\\", "%(x)s"]
)
attributes = (words.filter(bool) | st.sampled_from(["name", "Zone", "gruop", "phone", "date of birth"])).map(Attribute)
days = st.dates()
orders = st.sampled_from(sorted(ORDERING, key=str))
equals = st.sampled_from([Op.EQUAL, Op.UNEQUAL])
parts = st.sampled_from([Op.CONTAINS, Op.STARTS_WITH])
plain = attributes | st.sampled_from([BuiltIn.NAME, BuiltIn.OWNER, BuiltIn.GROUP])
zones = st.sampled_from(["Asia/Tokyo", "Europe/Madrid", ""])
terms: st.SearchStrategy[Expr] = (
    st.builds(Has, attributes | st.sampled_from(list(BuiltIn)))
    | st.builds(In, plain, st.lists(words, min_size=1, max_size=4).map(tuple))
    | st.builds(In, st.just(BuiltIn.ZONE), st.lists(zones, min_size=1, max_size=3).map(tuple))
    | st.builds(Compare, plain, equals, words)
    | st.builds(Compare, plain, parts, words.filter(bool))
    | st.builds(Compare, st.just(BuiltIn.ZONE), equals, zones)
    | st.builds(Compare, st.just(BuiltIn.NUMBER), equals | parts, st.from_regex(r"\A\+[0-9]{1,15}\Z"))
    | st.builds(Compare, st.just(BuiltIn.ADDED), equals, days.map(date.isoformat))
    | st.builds(Compare, attributes | st.just(BuiltIn.ADDED), orders, days)
    | st.builds(Compare, attributes, orders, st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
)


def several(part: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    many = st.lists(part, min_size=2, max_size=3).map(tuple)
    return st.builds(Not, part) | st.builds(And, many) | st.builds(Or, many)


@given(st.recursive(terms, several, max_leaves=8))
@settings(max_examples=300, deadline=None)
def test_what_is_shown_reads_back_to_the_same_tree(expr: Expr) -> None:
    assert parse(show(expr)) == expr
