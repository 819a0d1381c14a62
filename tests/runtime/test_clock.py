"""The daemon's time never runs backwards, and a jump of the wall clock is seen once."""

from __future__ import annotations

import pytest

from fs_dialer.runtime.clock import Clock


class Hands:
    """The two clocks of a machine, moved by hand."""

    def __init__(self) -> None:
        self.wall, self.monotonic = 1_000_000.0, 50.0

    def pass_(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def clock(hands: Hands) -> Clock:
    return Clock(lambda: hands.wall, lambda: hands.monotonic)


def test_it_shows_the_wall_clocks_time_as_it_passes(hands: Hands, clock: Clock) -> None:
    hands.pass_(3.5)
    assert clock.now() == pytest.approx(1_000_003.5)
    assert clock.jumped() == 0.0


def test_a_small_correction_of_the_wall_clock_is_not_followed(hands: Hands, clock: Clock) -> None:
    hands.wall += 1.9
    assert clock.jumped() == 0.0
    assert clock.now() == pytest.approx(1_000_000.0)


def test_a_jump_forward_is_told_once_and_followed(hands: Hands, clock: Clock) -> None:
    hands.wall += 3600
    assert clock.jumped() == pytest.approx(3600)
    assert clock.jumped() == 0.0
    assert clock.now() == pytest.approx(1_003_600.0)


def test_after_a_jump_back_time_stands_still_until_the_wall_clock_has_caught_up(hands: Hands, clock: Clock) -> None:
    before = clock.now()
    hands.wall -= 60
    assert clock.jumped() == pytest.approx(-60)
    hands.pass_(59)
    assert clock.now() == before
    hands.pass_(2)
    assert clock.now() == pytest.approx(before + 1)
