"""A campaign's life: new → approved → running ⇄ paused → draining → ended (S24–S28, D5, D11, D15). A table of (state, input) → rule.

`started` is an operator's will and outlives a restart: an approved campaign that was started before its start time begins by itself when that comes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fs_dialer.core.model import CampaignState

S = CampaignState


@dataclass(frozen=True, slots=True)
class Life:
    state: CampaignState
    started: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the one who asked is told. `ok` False: refused, nothing changed."""

    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class Input:
    pass


@dataclass(frozen=True, slots=True)
class Approve(Input):
    """`starts_by_itself`: a callback campaign starts by its approval (D11)."""

    in_window: bool
    starts_by_itself: bool


@dataclass(frozen=True, slots=True)
class Start(Input):
    in_window: bool


@dataclass(frozen=True, slots=True)
class Pause(Input):
    why: str = ""


@dataclass(frozen=True, slots=True)
class End(Input):
    calls_up: int
    why: str = ""


class WindowOpened(Input):
    """The start time has come."""


@dataclass(frozen=True, slots=True)
class WindowClosed(Input):
    """The end time has come (S6)."""

    calls_up: int


class ListDone(Input):
    """Goal all_processed, and no lead can ever be dialled again (M9). No call is up."""


class LastCallOver(Input):
    pass


@dataclass(frozen=True, slots=True)
class SelfPause(Input):
    reason: str


INPUTS: tuple[type[Input], ...] = (Approve, Start, Pause, End, WindowOpened, WindowClosed, ListDone, LastCallOver, SelfPause)
Result = tuple[Life, Answer]
Rule = Callable[[Life, Any], Result]
OK = Answer(True, "")


@dataclass(frozen=True, slots=True)
class IGNORE:
    why: str


def _refuse(text: str) -> Rule:
    return lambda life, ev: (life, Answer(False, text))


def _approve(life: Life, ev: Approve) -> Result:
    started = life.started or ev.starts_by_itself
    if started and ev.in_window:
        return Life(S.RUNNING, True), Answer(True, "approved and running")
    return Life(S.APPROVED, started), Answer(True, "approved" if not started else "approved; it begins at its start time")


def _approve_again(life: Life, ev: Approve) -> Result:
    return life, Answer(True, f"approved; it stays {life.state.value}")


def _start(life: Life, ev: Start) -> Result:
    if ev.in_window:
        return Life(S.RUNNING, True), Answer(True, "running")
    return Life(S.APPROVED, True), Answer(True, "started; it begins at its start time")


def _already_running(life: Life, ev: Start) -> Result:
    return life, Answer(True, "already running")


def _pause(life: Life, ev: Pause) -> Result:
    return Life(S.PAUSED, False, _by_hand("paused", ev.why)), Answer(True, "paused; calls that are up go on")


def _unstart(life: Life, ev: Pause) -> Result:
    return replace(life, started=False), Answer(True, "not started any more" if life.started else "it was not started")


def _end(life: Life, ev: End) -> Result:
    reason = _by_hand("ended", ev.why)
    if ev.calls_up:
        return Life(S.DRAINING, False, reason), Answer(True, f"ending; {ev.calls_up} calls are still up")
    return Life(S.ENDED, False, reason), Answer(True, "ended")


def _by_hand(what: str, why: str) -> str:
    return f"{what} by hand: {why}" if why else f"{what} by hand"


def _window_opened(life: Life, ev: WindowOpened) -> Result:
    return (Life(S.RUNNING, True, "its start time has come"), OK) if life.started else (life, OK)


def _window_closed(life: Life, ev: WindowClosed) -> Result:
    return Life(S.DRAINING if ev.calls_up else S.ENDED, False, "its end time has come"), OK


def _list_done(life: Life, ev: ListDone) -> Result:
    return Life(S.ENDED, False, "every lead is finished"), OK


def _last_call_over(life: Life, ev: LastCallOver) -> Result:
    return replace(life, state=S.ENDED), OK


def _self_pause(life: Life, ev: SelfPause) -> Result:
    return Life(S.PAUSED, False, ev.reason), OK


def _already(text: str) -> Rule:
    return lambda life, ev: (life, Answer(True, text))


NEVER_AGAIN = "it has ended, and an ended campaign never restarts: copy its file under a new name"
TABLE: dict[tuple[CampaignState, type[Input]], Rule | IGNORE] = {
    (S.NEW, Approve): _approve,
    (S.NEW, Start): _refuse("it is not approved yet"),
    (S.NEW, Pause): _refuse("it is not running: it is not even approved"),
    (S.NEW, End): _end,
    (S.NEW, WindowClosed): _window_closed,
    (S.APPROVED, Approve): _approve_again,
    (S.APPROVED, Start): _start,
    (S.APPROVED, Pause): _unstart,
    (S.APPROVED, End): _end,
    (S.APPROVED, WindowOpened): _window_opened,
    (S.APPROVED, WindowClosed): _window_closed,
    (S.RUNNING, Approve): _approve_again,
    (S.RUNNING, Start): _already_running,
    (S.RUNNING, Pause): _pause,
    (S.RUNNING, End): _end,
    (S.RUNNING, WindowClosed): _window_closed,
    (S.RUNNING, ListDone): _list_done,
    (S.RUNNING, SelfPause): _self_pause,
    (S.PAUSED, Approve): _approve_again,
    (S.PAUSED, Start): _start,
    (S.PAUSED, Pause): _already("already paused"),
    (S.PAUSED, End): _end,
    (S.PAUSED, WindowClosed): _window_closed,
    (S.DRAINING, Approve): _refuse("it is ending"),
    (S.DRAINING, Start): _refuse("it is ending"),
    (S.DRAINING, Pause): _refuse("it is ending; no new calls are made"),
    (S.DRAINING, End): _already("already ending"),
    (S.DRAINING, LastCallOver): _last_call_over,
    (S.ENDED, Approve): _refuse(NEVER_AGAIN),
    (S.ENDED, Start): _refuse(NEVER_AGAIN),
    (S.ENDED, Pause): _refuse(NEVER_AGAIN),
    (S.ENDED, End): _already("already ended"),
}
for _kind, _why in (
    (WindowOpened, "not waiting for its start time"),
    (WindowClosed, "ending or ended already"),
    (ListDone, "only a running campaign ends by its list"),
    (LastCallOver, "not draining"),
    (SelfPause, "not running"),
):
    for _state in S:
        TABLE.setdefault((_state, _kind), IGNORE(_why))


def step(life: Life, ev: Input) -> Result:
    """What one input makes of a campaign's life, and the answer to whoever asked; every pair is in the table (a test walks it)."""
    rule = TABLE[life.state, type(ev)]
    return (life, OK) if isinstance(rule, IGNORE) else rule(life, ev)
