"""What the dialplan kept for us in one switch while nobody listened: keys pressed, callers released, opt-outs. Read at every link, deleted when it is settled.

Knows the rows' form (core/switch_names.py) and nothing of what they mean; that is the engine's. A row whose leg is up and waits in a queue is told as the key
it is; one whose leg is gone as KeptFound; one whose leg the fallback has waits for the leg's end. Rows go only when the database has what follows from them,
and what could not be deleted is deleted at the next link. All of it is idempotent: a row that is told again changes nothing.

The switch lists 4,095 characters of keys, about a hundred rows. Where there are more, the callers we know are asked for by name, and the rest is read as
soon as rows were deleted.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from fs_dialer.core import events as ev
from fs_dialer.core.agent_events import CallerKey, CallerQueued, KeptFound
from fs_dialer.core.model import LegId, SwitchId
from fs_dialer.core.switch_names import KEPT_KEY, KEPT_OPT_OUT, KEPT_RELEASED, KEPT_VOICEMAIL, kept_row
from fs_dialer.errors import EslError
from fs_dialer.esl import commands

log = logging.getLogger("fs_dialer.switch")

_ROW = re.compile(rf"([0-9A-Fa-f]{{8}}(?:-[0-9A-Fa-f]{{4}}){{3}}-[0-9A-Fa-f]{{12}})\.({KEPT_KEY}|{KEPT_RELEASED}|{KEPT_VOICEMAIL}|{KEPT_OPT_OUT})")
_VALUE = re.compile(r"([A-Za-z0-9_.-]{1,200});(\+?[0-9]{0,20});([0-9]{0,12}(?:\.[0-9]{1,9})?);([0-9]{0,12}(?:\.[0-9]{1,9})?)")
FIRST = (KEPT_KEY, KEPT_VOICEMAIL, KEPT_RELEASED)  # of several rows of a caller the one that says most


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    leg: LegId
    what: str
    place: str
    number: str
    since: float | None
    at: float | None


def row_of(name: str, value: str) -> Row | None:
    """None for what our dialplan did not write."""
    named, told = _ROW.fullmatch(name), _VALUE.fullmatch(value)
    if named is None or told is None:
        return None
    return Row(name, LegId(named[1]), named[2], told[1], told[2].removesuffix("+"), _seconds(told[3]), _seconds(told[4]))


def _seconds(text: str) -> float | None:
    at = float(text) if text not in ("", ".") else 0.0
    return at if at > 0.0 and math.isfinite(at) else None


class Api(Protocol):
    def __call__(self, command: str) -> str:
        """EslError when it can not be asked."""


class KeptRows:
    """Of one switch. `api` asks it; `put`: the inbox; `spawn`: a watched greenlet."""

    def __init__(self, switch: SwitchId, api: Api, put: Callable[[ev.Event], None], spawn: Callable[..., object]) -> None:
        self._switch, self._api, self._put, self._spawn = switch, api, put, spawn
        self.queued: dict[LegId, str] = {}  # callers of whom the engine was told, still up → their queue; "" = an agent has met them
        self._watched: set[LegId] = set()  # legs that the fallback has, or nobody: their rows are told when they end
        self._told: set[str] = set()  # as KeptFound: what follows from them is on its way to the database
        self._settled: dict[str, None] = {}  # the database has what follows from them
        self._more = False  # the switch has more rows than it would list
        self._unreadable: set[str] = set()

    # --- what the port tells ------------------------------------------------------------------------------------------------------------

    def came(self, caller: CallerQueued) -> None:
        self.queued[caller.leg] = "" if caller.met or caller.bridged_to is not None else caller.queue

    def met(self, leg: LegId) -> None:
        """The switch has bridged it."""
        if leg in self.queued:
            self.queued[leg] = ""

    def ended(self, leg: LegId, by_fallback: bool) -> None:
        """The leg is over; whose fallback had him, or whose keys nobody was told of, is looked after: his rows are there by now."""
        self.queued.pop(leg, None)
        if leg in self._watched or by_fallback:
            self._watched.discard(leg)
            self._spawn(self._look_again)

    def gone(self, leg: LegId) -> None:
        """The switch does not know it any more; its end was told while the link was down."""
        self.queued.pop(leg, None)

    # --- reading ------------------------------------------------------------------------------------------------------------------------

    def tell(self) -> None:
        """Everything that is kept, as events. EslError when the switch can not be asked. What was settled and could not be deleted is deleted now."""
        for name in tuple(self._settled):
            self._delete(name)
        found: dict[LegId, list[Row]] = {}
        for name in self._names():
            row = self._read(name) if name not in self._told and name not in self._settled else None
            if row is not None and row.what == KEPT_OPT_OUT:
                self._found([row])
            elif row is not None:
                found.setdefault(row.leg, []).append(row)
        for leg, rows in found.items():
            self._tell_of(leg, rows)

    def _tell_of(self, leg: LegId, rows: list[Row]) -> None:
        if self._api(commands.uuid_exists(leg)).strip() != "true":
            self.gone(leg)
            self._found(sorted(rows, key=lambda row: FIRST.index(row.what)))
            return
        keys = [row for row in rows if row.what == KEPT_KEY]
        if leg in self.queued and keys:
            self._put(CallerKey(leg, "", at=keys[0].at))
        if leg not in self.queued:
            self._watched.add(leg)

    def _found(self, rows: Sequence[Row]) -> None:
        first, also = rows[0], tuple(row.name for row in rows[1:])
        self._told |= {row.name for row in rows}
        self._put(KeptFound(first.leg, self._switch, first.name, first.what, first.place, first.number, first.since, first.at, also))

    def _names(self) -> list[str]:
        """As many as the switch lists, then those of the callers we know."""
        listed = self._api(commands.kept_list())
        names = dict.fromkeys(name for name in listed.strip().split(",") if _ROW.fullmatch(name))
        count = self._api(commands.kept_count()).strip()
        self._more = count.isascii() and count.isdigit() and int(count) > len(names)
        if self._more:
            names.update(dict.fromkeys(kept_row(leg, KEPT_KEY) for leg in self.queued))
        return list(names)

    def _read(self, name: str) -> Row | None:
        value = self._api(commands.kept_select(name)).strip()
        row = row_of(name, value) if value else None
        if value and row is None and name not in self._unreadable:
            self._unreadable.add(name)
            log.warning("switch %s keeps a row that is none of ours, and is left alone: %s", self._switch, name)
        return row

    def _look_again(self) -> None:
        try:
            self.tell()
        except EslError as error:
            log.debug("switch %s: what it keeps could not be read: %s", self._switch, error)  # the next link reads it

    # --- deleting -----------------------------------------------------------------------------------------------------------------------

    def forget(self, rows: Iterable[str]) -> None:
        """The database has what follows from these, or they mean nothing. What can not be deleted now is deleted at the next link; but not the row of a caller
        who still waits: by then he may have pressed the key once more."""
        ours = [(row, LegId(named[1])) for row in rows if (named := _ROW.fullmatch(row))]
        self._settled.update(dict.fromkeys(row for row, leg in ours if leg not in self.queued))
        once = [row for row, leg in ours if leg in self.queued]
        if ours:
            self._spawn(self._forget, once)

    def _forget(self, once: Sequence[str]) -> None:
        try:
            for name in (*once, *self._settled):
                self._delete(name)
            if self._more:
                self._more = False
                self.tell()
        except EslError as error:
            log.debug("switch %s: rows could not be deleted yet: %s", self._switch, error)

    def _delete(self, name: str) -> None:
        self._api(commands.kept_delete(name))
        self._settled.pop(name, None)
        self._told.discard(name)
