"""Waiting in tests of greenlets: for a fact, never for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import gevent
import pytest

T = TypeVar("T")
DEADLINE_S = 10.0
POLL_S = 0.002


def until(fact: Callable[[], T], what: str = "") -> T:
    """The first true value of `fact`, others running meanwhile; the test fails when there is none in time."""
    with gevent.Timeout(DEADLINE_S, False):
        while True:
            found = fact()
            if found:
                return found
            gevent.sleep(POLL_S)
    pytest.fail(f"did not come about: {what or fact}")


def settle() -> None:
    """Let everybody run who can, several times over."""
    for _ in range(20):
        gevent.sleep(0)
