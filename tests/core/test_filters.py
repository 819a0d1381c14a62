"""What a filter's tree means, term by term; PostgreSQL's agreement is shown in tests/db/test_filter_sql.py."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

import pytest

from fs_dialer.core.filters import (
    And,
    Attribute,
    BuiltIn,
    Compare,
    Expr,
    Facts,
    Field,
    Has,
    In,
    Names,
    Not,
    Op,
    Or,
    capitals_for,
    fold,
    matches,
    names_in,
    number_text,
)

pytestmark = pytest.mark.spec("S18", "M3", "M14")

TIER, AGE = Attribute("tier"), Attribute("age")
EVERY_CHARACTER = [chr(each) for each in range(0x110000) if not 0xD800 <= each <= 0xDFFF]


def of_tier(op: Op, value: str, text: str) -> bool:
    return matches(Compare(TIER, op, value), {"tier": text})


def of_age(op: Op, value: Decimal | date, text: str) -> bool:
    return matches(Compare(AGE, op, value), {"age": text})


# --- text -------------------------------------------------------------------------------------------------------------


def test_equal_texts_match_whatever_their_case() -> None:
    assert of_tier(Op.EQUAL, "gold", "GOLD")
    assert of_tier(Op.EQUAL, "HÀ NỘI", "Hà Nội")
    assert of_tier(Op.EQUAL, "Афины", "афИНЫ")
    assert not of_tier(Op.EQUAL, "gold", "gold ")


def test_accents_count() -> None:
    assert not of_tier(Op.EQUAL, "Hà Nội", "Ha Noi")


def test_unequal_is_the_opposite_of_equal() -> None:
    assert not of_tier(Op.UNEQUAL, "gold", "Gold")
    assert of_tier(Op.UNEQUAL, "gold", "silver")
    assert matches(Compare(TIER, Op.UNEQUAL, "gold"), {})


def test_a_missing_attribute_is_the_empty_text() -> None:
    assert matches(Compare(TIER, Op.EQUAL, ""), {})
    assert matches(Compare(TIER, Op.EQUAL, ""), {"tier": ""})
    assert not matches(Has(TIER), {})
    assert not matches(Has(TIER), {"tier": ""})
    assert matches(Has(TIER), {"tier": " "})


def test_names_of_attributes_are_exact() -> None:
    assert not matches(Has(TIER), {"Tier": "gold"})
    assert matches(Has(Attribute("Date of birth ")), {"Date of birth ": "x"})


def test_contains_and_starts_with_take_letters_as_they_are() -> None:
    assert of_tier(Op.CONTAINS, "OL", "gold")
    assert not of_tier(Op.CONTAINS, "g%d", "gold")
    assert not of_tier(Op.CONTAINS, "g_ld", "gold")
    assert of_tier(Op.STARTS_WITH, "Gol", "gold")
    assert not of_tier(Op.STARTS_WITH, "old", "gold")


def test_in_is_any_of_its_values() -> None:
    listed = In(TIER, ("gold", "Silver"))
    assert matches(listed, {"tier": "SILVER"})
    assert not matches(listed, {"tier": "bronze"})
    assert not matches(listed, {})
    assert matches(In(TIER, ("gold", "")), {})


# --- what fold does, which SQL must be able to repeat ------------------------------------------------------------------


def test_folding_twice_changes_nothing_more() -> None:
    folded = [fold(each) for each in EVERY_CHARACTER]
    assert [fold(each) for each in folded] == folded


def test_folding_keeps_every_text_as_long_as_it_was() -> None:
    assert {len(fold(each)) for each in EVERY_CHARACTER} == {1}


def test_no_letter_beyond_ascii_becomes_an_ascii_letter() -> None:
    assert [each for each in EVERY_CHARACTER if not each.isascii() and fold(each).isascii()] == []


def test_the_capitals_that_matter_are_those_of_the_letters_sought() -> None:
    assert capitals_for("gold 5") == ("", "")
    assert capitals_for("hà nội") == ("ÀỘ", "àộ")
    assert capitals_for("θ") == ("Θϴ", "θθ")


def test_making_small_what_matters_is_as_good_as_folding() -> None:
    ascii_small = {each: each.lower() for each in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    folded = [fold(each) for each in EVERY_CHARACTER]
    for sought in ("k", "i", "à", "θ", "ς", "σ", "中"):
        capitals, smalls = capitals_for(sought)
        table = str.maketrans(ascii_small | dict(zip(capitals, smalls, strict=True)))
        as_good = [each.translate(table) for each in EVERY_CHARACTER]
        assert [each == sought for each in as_good] == [each == sought for each in folded], sought


@pytest.mark.parametrize("alphabet", ["aáàảãạăắằẳẵặâấầẩẫậđeéèẻẽẹêếềểễệiíìỉĩịoóòỏõọôốồổỗộơớờởỡợuúùủũụưứừửữựyýỳỷỹỵ", "äöüæøåñçşğłżčřőű", "αβγωά", "абвгдэюяёїљђ"])
def test_the_alphabets_of_our_users_lose_their_case(alphabet: str) -> None:
    assert fold(alphabet.upper()) == alphabet


# --- numbers and dates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "below", "equal", "above"),
    [(Op.BELOW, True, False, False), (Op.AT_MOST, True, True, False), (Op.ABOVE, False, False, True), (Op.AT_LEAST, False, True, True)],
)
def test_ordering_numbers_and_dates(op: Op, below: bool, equal: bool, above: bool) -> None:
    assert [of_age(op, Decimal("18"), text) for text in ("9", "18.0", "+18.01")] == [below, equal, above]
    day = date(2026, 10, 1)
    assert [of_age(op, day, text) for text in ("2026-09-30", "2026-10-01", "2026-10-02")] == [below, equal, above]


@pytest.mark.parametrize(
    "text", ["", "old", "1,200", "1e5", " 18", "18\n", "0x1F", "NaN", "Infinity", "1.", ".5", "--1", "٣", "²", "1_000", "1" * 31, "2026-09-30"]
)
def test_a_text_that_is_no_number_matches_no_comparison_with_one(text: str) -> None:
    assert not of_age(Op.BELOW, Decimal(10**20), text)
    assert not of_age(Op.AT_LEAST, Decimal(-(10**20)), text)


@pytest.mark.parametrize("text", ["", "18", "2026-13-01", "2026-00-10", "2026-1-1", "2026-01-32", "20260101", "2026-01-01\n", "2026-01-01 noon", "x2026-01-01"])
def test_a_text_that_is_no_date_matches_no_comparison_with_one(text: str) -> None:
    assert not of_age(Op.BELOW, date(9999, 1, 1), text)
    assert not of_age(Op.AT_LEAST, date(1, 1, 1), text)


def test_of_a_date_and_time_the_date_counts() -> None:
    for text in ("2026-10-01 00:00:00", "2026-10-01T23:59:59.5+07:00", "2026-10-01T05:00Z"):
        assert of_age(Op.AT_MOST, date(2026, 10, 1), text)
        assert of_age(Op.AT_LEAST, date(2026, 10, 1), text)


def test_a_day_that_the_calendar_does_not_have_lies_between_its_neighbours() -> None:
    assert of_age(Op.ABOVE, date(2026, 2, 28), "2026-02-31")
    assert of_age(Op.BELOW, date(2026, 3, 1), "2026-02-31")


def test_numbers_are_compared_exactly() -> None:
    assert of_age(Op.BELOW, Decimal("0.3"), "0.299999999999999999999999999999")
    assert of_age(Op.ABOVE, Decimal("9007199254740992"), "9007199254740993")


def test_equal_compares_numbers_as_text() -> None:
    assert not matches(Compare(AGE, Op.EQUAL, "18"), {"age": "18.0"})


# --- built-in fields --------------------------------------------------------------------------------------------------

LAN = Facts("Lan", "+84903222111", ("Asia/Ho_Chi_Minh", "Asia/Tokyo"), ("spring", "vip"), "hoa", date(2026, 9, 1))


@pytest.mark.parametrize(
    ("field", "text"),
    [(BuiltIn.NAME, "lan"), (BuiltIn.NUMBER, "+84903222111"), (BuiltIn.OWNER, "Hoa"), (BuiltIn.ADDED, "2026-09-01"), (BuiltIn.ZONE, "asia/tokyo")],
)
def test_built_in_fields_are_asked_of_the_facts(field: BuiltIn, text: str) -> None:
    term = Compare(field, Op.EQUAL, text)
    assert matches(term, {}, LAN)
    assert not matches(term, {field.value: text})
    assert matches(Has(field), {}, LAN)
    assert not matches(Has(field), {field.value: text})
    assert matches(Compare(field, Op.EQUAL, ""), {})


def test_an_attribute_may_have_the_name_of_a_built_in_field() -> None:
    assert matches(Compare(Attribute("name"), Op.EQUAL, "x"), {"name": "x"}, LAN)


def test_any_of_several_zones_or_groups_is_enough() -> None:
    assert matches(Compare(BuiltIn.GROUP, Op.EQUAL, "vip"), {}, LAN)
    assert matches(In(BuiltIn.GROUP, ("winter", "Spring")), {}, LAN)
    assert matches(Compare(BuiltIn.ZONE, Op.STARTS_WITH, "Asia/To"), {}, LAN)


def test_unequal_of_several_means_none_is_equal() -> None:
    assert not matches(Compare(BuiltIn.GROUP, Op.UNEQUAL, "vip"), {}, LAN)
    assert matches(Compare(BuiltIn.GROUP, Op.UNEQUAL, "winter"), {}, LAN)


def test_in_no_group_is_the_empty_text() -> None:
    nobody = Facts(groups=("",))
    assert matches(Compare(BuiltIn.GROUP, Op.EQUAL, ""), {}, nobody)
    assert not matches(Has(BuiltIn.GROUP), {}, nobody)
    assert not matches(Compare(BuiltIn.GROUP, Op.EQUAL, ""), {}, LAN)


def test_the_day_of_adding_is_compared_as_a_date() -> None:
    assert matches(Compare(BuiltIn.ADDED, Op.AT_LEAST, date(2026, 9, 1)), {}, LAN)
    assert not matches(Compare(BuiltIn.ADDED, Op.BELOW, date(2026, 9, 1)), {}, LAN)
    assert not matches(Compare(BuiltIn.ADDED, Op.BELOW, date(2026, 9, 1)), {})


# --- and, or, not -----------------------------------------------------------------------------------------------------

YES, NO = Compare(TIER, Op.EQUAL, "gold"), Compare(TIER, Op.EQUAL, "silver")


@pytest.mark.parametrize(
    ("expr", "holds"),
    [
        (And((YES, YES)), True),
        (And((YES, NO, YES)), False),
        (Or((NO, YES)), True),
        (Or((NO, NO)), False),
        (Not(NO), True),
        (Not(YES), False),
        (And((YES, Or((NO, Not(NO))))), True),
    ],
)
def test_and_or_not(expr: Expr, holds: bool) -> None:
    assert matches(expr, {"tier": "gold"}) is holds


def test_not_is_plain_negation_even_where_nothing_could_be_compared() -> None:
    young = Compare(AGE, Op.BELOW, Decimal(5))
    assert not matches(young, {"age": "unknown"})
    assert matches(Not(young), {"age": "unknown"})


def test_a_filter_tells_which_attributes_and_groups_it_names() -> None:
    member: Field = BuiltIn.GROUP
    expr = And((YES, Not(In(member, ("a", "b", ""))), Or((Compare(member, Op.UNEQUAL, "c"), Has(AGE), Compare(member, Op.CONTAINS, "d"))), Has(member)))
    assert names_in(expr) == Names(frozenset({"tier", "age"}), frozenset({"a", "b", "c"}))


# --- what no tree can hold --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: And((YES,)),
        lambda: Or(()),
        lambda: In(TIER, ()),
        lambda: Attribute(""),
        lambda: Attribute("a\0"),
        lambda: Compare(TIER, Op.EQUAL, "a\0b"),
        lambda: In(TIER, ("a", "\ud800")),
        lambda: Compare(TIER, Op.EQUAL, Decimal(5)),
        lambda: Compare(TIER, Op.CONTAINS, date(2026, 1, 1)),
        lambda: Compare(TIER, Op.BELOW, "5"),
        lambda: Compare(TIER, Op.BELOW, Decimal("NaN")),
        lambda: Compare(TIER, Op.BELOW, Decimal("Infinity")),
        lambda: Compare(TIER, Op.BELOW, Decimal("1E+999999")),
        lambda: Compare(TIER, Op.BELOW, Decimal("1E-31")),
        lambda: Compare(TIER, Op.BELOW, datetime(2026, 1, 1)),
    ],
)
def test_a_tree_that_means_nothing_or_cannot_be_asked_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError):
        make()


@pytest.mark.parametrize(("value", "text"), [("5", "5"), ("1E+3", "1000"), ("-0.50", "-0.50"), ("1E-30", "0.000000000000000000000000000001")])
def test_a_number_is_written_without_an_exponent(value: str, text: str) -> None:
    assert number_text(Decimal(value)) == text
