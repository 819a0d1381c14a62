"""Which numbers a file had before."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.config.leads_twice import NumbersSeen


def test_the_first_value_of_a_number_stays() -> None:
    seen = NumbersSeen()
    assert [seen.setdefault(84912345678, line) for line in (2, 3, 9)] == [2, 2, 2] and len(seen) == 1


def test_a_number_is_counted_from_nothing() -> None:
    seen = NumbersSeen()
    assert [seen.count(number) for number in (7, 8, 7, 7)] == [0, 0, 1, 2]


@given(st.lists(st.integers(1, 10**15 - 1) | st.integers(1, 30) | st.integers(1, 60).map(lambda place: place * 4095)))
def test_it_remembers_what_a_dict_does(numbers: list[int]) -> None:
    seen: dict[int, int] = {}
    table, counts, counted = NumbersSeen(), NumbersSeen(), dict[int, int]()
    for line, number in enumerate(numbers, start=2):
        assert table.setdefault(number, line) == seen.setdefault(number, line)
        assert counts.count(number) == counted.get(number, 0)
        counted[number] = counted.get(number, 0) + 1
    assert len(table) == len(seen)


def test_it_grows_and_keeps_its_numbers() -> None:
    rng = random.Random("it grows")
    numbers = rng.sample(range(84900000000, 84999999999), 40_000)
    table = NumbersSeen()
    for line, number in enumerate(numbers):
        table.setdefault(number, line)
    assert len(table) == len(numbers) and all(table.setdefault(number, 0) == line for line, number in enumerate(numbers))


def test_a_number_takes_less_than_fifty_bytes() -> None:
    table = NumbersSeen()
    for number in range(1, 50_001):
        table.setdefault(number * 7919, number)
    assert (table._keys.itemsize + table._values.itemsize) * len(table._keys) < 50 * 50_000
