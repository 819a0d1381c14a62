"""A changed copy of a frozen value, five times as fast as dataclasses.replace: the machines make several per call.

Only for dataclasses without slots, and without a check of their own in __post_init__: the fields are copied as they are.
"""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")


def changed(value: T, **fields: Any) -> T:
    """`value` with these fields changed. TypeError for a field it does not have."""
    old = value.__dict__
    new = object.__new__(type(value))
    now = new.__dict__
    now.update(old)
    now.update(fields)
    if len(now) != len(old):
        raise TypeError(f"{type(value).__name__} has no field {', '.join(fields.keys() - old.keys())}")
    return new
