"""The numbered log of one agent's events."""

from __future__ import annotations

import pytest

from fs_dialer.runtime.agent_log import EventLog, first_number


def a_log(count: int, **more: float) -> EventLog:
    log = EventLog(100, **more)  # type: ignore[arg-type]
    for n in range(count):
        log.add("desk", b"%d" % n, float(n))
    return log


def test_events_behind_a_number_come_in_order_and_without_gaps() -> None:
    log = a_log(5)
    found = log.after(102)
    assert found is not None and [(event.number, event.data) for event in found] == [(103, b"2"), (104, b"3"), (105, b"4")]
    assert log.after(105) == [] and [event.number for event in log.after(100) or ()] == [101, 102, 103, 104, 105]


@pytest.mark.parametrize("number", [0, 99, 106, 10**15])
def test_a_number_that_is_not_ours_is_lost(number: int) -> None:
    assert a_log(5).after(number) is None


def test_a_full_log_forgets_its_oldest_and_says_so() -> None:
    log = a_log(600)
    assert log.newest == 700
    assert log.after(700 - 512) is not None and log.after(700 - 513) is None


def test_what_is_older_than_ten_minutes_is_not_kept() -> None:
    log = a_log(100)
    log.add("desk", b"late", 700.0)
    assert log.after(200) is not None and log.after(199) is None


def test_nobody_goes_on_across_a_tear() -> None:
    log = a_log(5)
    log.torn()
    assert log.after(105) is None and log.after(log.newest) == []
    log.add("desk", b"", 10.0)
    assert log.after(105) is None and log.after(106) is not None


def test_the_next_daemons_numbers_are_greater_and_fit_into_every_json_reader() -> None:
    assert first_number(1_800_000_001.2) > first_number(1_800_000_000.0) + 999_999
    assert first_number(4_000_000_000.0) < 2**53
