"""Patterns of digits: what they can fit, and that nothing gets through that the switch, or its patience, would not bear."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.ivr.patterns import LONGEST, BadPattern, lengths_of

pytestmark = pytest.mark.spec("D7")

GOOD: list[tuple[str, set[int]]] = [
    ("1", {1}), ("[1-9]\\d\\d", {3}), ("\\d\\d?", {1, 2}), ("0[1-9]|1[0-2]", {2}), ("(12|345)6", {3, 4}), ("\\d+", set(range(1, LONGEST + 1))),
    ("(12)+", set(range(2, LONGEST + 1, 2))), ("[135]?7", {1, 2}), ("[\\d]", {1}),
]  # fmt: skip
BAD: list[tuple[str, str]] = [
    ("", "is empty"), ("[0-9]{4}", "how many digits there are is said by `digits`"), ("\\d*", "for `any number of` write + (at least one)"),
    ("^12$", "fits from the first digit to the last anyway"), ("12$", "fits from the first digit to the last anyway"), ("1.3", "any digit is \\d"),
    ("(\\d+)+", "a repetition inside a repetition"), ("(1?2)+", "a repetition inside a repetition"), ("1++", "one sign of repetition is enough"),
    ("(12", "a ( is opened and never closed"), ("12)", "a ) closes what no ( has opened"), ("[12", "a [ is opened and never closed"),
    ("[]", "nothing stands between [ and ]"), ("[^1]", "between [ and ] stand digits alone"), ("[9-1]", "[9-1] runs backwards: write [1-9]"),
    ("1|", "something is missing beside a |"), ("()", "something is missing"), ("+1", "`+` is not among"), ("\\w", "`\\` is not among"),
    ("12#", "# is the key that ends an entry"), ("((((1))))", "more than three deep"), ("1" * 33, "no answer of up to 32 digits can fit it"),
    ("${system(id)}", "`$` is not among"), ("1 2", "` ` is not among"), ("１", "is not among"),
]  # fmt: skip


@pytest.mark.parametrize("pattern", ["(1|1)+", "(\\d|[1-9])+", "(1|11)+2", "(1|\\d)" * 20, "\\d?" * 20 + "1", "\\d+" * 8])
def test_a_pattern_that_fits_one_entry_in_very_many_ways_is_refused(pattern: str) -> None:
    """Each of them would be tried where the last digit is a wrong one."""
    with pytest.raises(BadPattern, match="in too many ways"):
        lengths_of(pattern)


@pytest.mark.parametrize(
    "pattern", ["(1|2|3)+", "(0[1-9]|[12]\\d|3[01])+", "\\d\\d\\d?\\d?\\d?\\d?", "\\d+(00)?", "4711|4712|4713|[5-9]\\d\\d\\d", "(12|345)+6?"]
)
def test_patterns_that_people_need_are_taken(pattern: str) -> None:
    assert lengths_of(pattern)


@pytest.mark.parametrize(("pattern", "lengths"), GOOD)
def test_how_many_digits_fit_is_known(pattern: str, lengths: set[int]) -> None:
    assert lengths_of(pattern) == lengths


@pytest.mark.parametrize(("pattern", "what"), BAD)
def test_what_is_no_pattern_says_what_to_write(pattern: str, what: str) -> None:
    with pytest.raises(BadPattern) as caught:
        lengths_of(pattern)
    assert what in str(caught.value)


@given(st.text("0123456789[]()|+?-\\d^${}*.# ", max_size=10))
@settings(deadline=None, max_examples=300)
def test_what_is_taken_is_a_regular_expression_that_fits_just_these_lengths(pattern: str) -> None:
    try:
        lengths = lengths_of(pattern)
    except BadPattern as error:
        assert str(error)
        return
    assert not set(pattern) & set("${}*.# ^") and lengths <= set(range(1, LONGEST + 1))
    wanted = re.compile(pattern)
    assert not any(wanted.fullmatch(digit * length) for digit in "0159" for length in set(range(1, 12)) - lengths)


@given(st.text("0123456789[]()|+?-\\d", max_size=8), st.text("0123456789", min_size=1, max_size=8))
@settings(deadline=None, max_examples=200)
def test_an_answer_that_fits_has_one_of_the_lengths(pattern: str, digits: str) -> None:
    try:
        lengths = lengths_of(pattern)
    except BadPattern:
        return
    assert not re.fullmatch(pattern, digits) or len(digits) in lengths
