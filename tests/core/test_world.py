"""Timers, and the few operations that keep what the engine knows consistent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.core.world import SLACK_TIMERS, Timers
from tests.core.builders import NOON


def drained(timers: Timers, now: float) -> list[object]:
    fired = []
    while (key := timers.pop_due(now)) is not None:
        fired.append(key)
    return fired


def test_timers_fire_in_the_order_of_their_times_and_equal_ones_as_they_were_set() -> None:
    timers = Timers()
    for key, at in (("c", 3.0), ("a", 1.0), ("b1", 2.0), ("b2", 2.0)):
        timers.set(key, at)
    assert timers.next_at() == 1.0
    assert drained(timers, 2.0) == ["a", "b1", "b2"] and drained(timers, 9.0) == ["c"]


def test_a_timer_that_is_set_again_fires_at_its_new_time_only() -> None:
    timers = Timers()
    timers.set("a", 1.0)
    timers.set("a", 5.0)
    assert drained(timers, 4.0) == [] and timers.next_at() == 5.0 and drained(timers, 5.0) == ["a"]


def test_a_cleared_timer_never_fires() -> None:
    timers = Timers()
    timers.set("a", 1.0)
    timers.clear("a")
    timers.clear("a")
    assert "a" not in timers and timers.next_at() is None and drained(timers, 9.0) == []


def test_a_day_of_replaced_timers_takes_no_room() -> None:
    timers = Timers()
    for n in range(200_000):
        timers.set(("call", n % 50), NOON + 86400.0)
        timers.set(("short", n), NOON)
        timers.clear(("short", n))
    assert len(timers.heap) <= 2 * 51 + SLACK_TIMERS + 1 and len(timers.current) == 50


@given(st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 20))), max_size=60))
def test_timers_do_what_a_plain_dictionary_would(steps: list[tuple[int, int | None]]) -> None:
    timers, plain = Timers(), dict[int, int]()
    for key, at in steps:
        if at is None:
            timers.clear(key)
            plain.pop(key, None)
        else:
            timers.set(key, at)
            plain[key] = at
        assert timers.next_at() == min(plain.values(), default=None)
    assert sorted(drained(timers, 100.0), key=str) == sorted(plain, key=str)
