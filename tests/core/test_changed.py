"""Frozen values that are cheap to make and to change."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from fs_dialer.core.changed import changed, value


@value
class Point:
    x: int
    y: int = 2
    name: str = ""


def test_a_value_is_made_by_place_and_by_name_and_takes_its_defaults() -> None:
    assert Point(1) == Point(1, 2) == Point(x=1, y=2, name="") and repr(Point(1, name="a")) == "Point(x=1, y=2, name='a')"


def test_a_value_stays_frozen_and_hashes() -> None:
    point = Point(1)
    with pytest.raises(FrozenInstanceError):
        point.x = 5  # type: ignore[misc]
    assert len({point, Point(1), Point(2)}) == 2


def test_a_missing_an_unknown_and_a_surplus_field_are_refused() -> None:
    for make in (lambda: Point(), lambda: Point(1, z=3), lambda: Point(1, 2, "", 4)):  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="Point takes x, y, name"):
            make()


def test_a_changed_copy_leaves_the_old_value_alone() -> None:
    old = Point(1, name="a")
    new = changed(old, y=7)
    assert (old, new) == (Point(1, 2, "a"), Point(1, 7, "a"))


def test_a_field_that_is_not_there_can_t_be_changed() -> None:
    with pytest.raises(TypeError, match="Point has no field z"):
        changed(Point(1), z=1)
