"""What the active daemon does in the database besides dialling: refused leads return when their time is over (D16), and the house is kept.

Knows how often. A database that is away is asked again later; nothing of this ever holds up a call.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

import gevent

from fs_dialer.errors import StoreError

log = logging.getLogger("fs_dialer.chores")

RETURN_EVERY_S = 30.0
HOUSEKEEP_EVERY_S = 86_400.0
AGAIN_AFTER_S = 300.0  # when the database was away or busy


class Housekeeper(Protocol):
    def housekeep(self, now: float) -> list[str]: ...
    def close(self) -> None: ...


class Refused(Protocol):
    def return_refused(self, now: float) -> int: ...


def return_refused(store: Refused, now: Callable[[], float]) -> None:
    """For ever: leads that asked to be left alone go back to what they were as soon as that is over."""
    while True:
        try:
            returned = store.return_refused(now())
            if returned:
                log.info("%d leads may be called again: the time they asked for is over", returned)
        except StoreError as error:
            log.debug("refused leads are looked at later: %s", error)
        gevent.sleep(RETURN_EVERY_S)


def housekeep(keeper: Housekeeper, now: Callable[[], float]) -> None:
    """For ever: at once, then daily."""
    while True:
        pause_s = HOUSEKEEP_EVERY_S
        try:
            for done in keeper.housekeep(now()):
                log.info("housekeeping: %s", done)
        except StoreError as error:
            log.warning("housekeeping is put off: %s", error)
            pause_s = AGAIN_AFTER_S
        gevent.sleep(pause_s)
