"""Which switch an action goes to."""

from __future__ import annotations

from typing import Any

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.model import AgentId, LegId, SwitchId
from fs_dialer.runtime.perform import SWITCH_ACTIONS
from fs_dialer.runtime.switchboard import REMEMBERED_S, Switchboard

MAIN, NORTH = SwitchId("main"), SwitchId("north")


class Recorder:
    """A port that writes down what it is asked."""

    def __init__(self) -> None:
        self.asked: list[act.Action] = []

    def __getattr__(self, name: str) -> Any:
        return self.asked.append


class Board:
    def __init__(self, *names: SwitchId) -> None:
        self.ports = {name: Recorder() for name in names}
        self.refused: list[ev.Event] = []
        self.board: Switchboard[Any] = Switchboard(self.ports, self.refused.append)

    def send(self, action: act.Action) -> list[SwitchId]:
        """To whom it went."""
        before = {name: len(port.asked) for name, port in self.ports.items()}
        self.board.send(SWITCH_ACTIONS[type(action)], action)
        return [name for name, port in self.ports.items() if len(port.asked) > before[name]]


def ring(leg: str, switch: SwitchId) -> act.OriginateAgent:
    return act.OriginateAgent(LegId(leg), AgentId("ana"), None, switch, "user/ana", "", 30.0, True)


def test_with_one_switch_everything_goes_there() -> None:
    board = Board(MAIN)
    assert board.send(act.Hangup(LegId("never heard of"), "NORMAL_CLEARING")) == [MAIN]
    assert board.send(ring("a", SwitchId("by another name"))) == [MAIN]


def test_a_leg_is_where_it_was_asked_for() -> None:
    board = Board(MAIN, NORTH)
    assert board.send(ring("a", NORTH)) == [NORTH]
    assert board.send(act.AskLeg(LegId("a"))) == [NORTH]
    assert board.send(act.Bridge(LegId("a"), LegId("b"))) == [NORTH]


def test_a_leg_is_where_it_was_told_of() -> None:
    board = Board(MAIN, NORTH)
    board.board.heard(ev.LegCreated(LegId("in-1"), NORTH, None, None, None), NORTH, 0.0)
    assert board.send(act.PlayMusic(LegId("in-1"), "moh")) == [NORTH]


def test_renewals_are_sorted_by_switch() -> None:
    board = Board(MAIN, NORTH)
    for leg, switch in (("a", MAIN), ("b", NORTH), ("c", MAIN)):
        board.send(ring(leg, switch))
    assert board.send(act.RenewFallback((LegId("a"), LegId("b"), LegId("c")))) == [MAIN, NORTH]
    assert board.ports[MAIN].asked[-1] == act.RenewFallback((LegId("a"), LegId("c")))
    assert board.ports[NORTH].asked[-1] == act.RenewFallback((LegId("b"),))


def test_a_leg_nobody_knows_is_hung_up_everywhere_and_asked_for_nowhere() -> None:
    board = Board(MAIN, NORTH)
    assert board.send(act.Hangup(LegId("x"), "NORMAL_CLEARING")) == [MAIN, NORTH]
    assert board.send(act.AskLeg(LegId("x"))) == [], "the wrong switch would say that it is gone"


def test_a_leg_that_is_over_is_known_for_a_while() -> None:
    board = Board(MAIN, NORTH)
    board.send(ring("a", NORTH))
    board.board.heard(ev.LegDestroyed(LegId("a")), NORTH, 100.0)
    assert board.send(act.AskLeg(LegId("a"))) == [NORTH]
    board.board.heard(ev.LegRang(LegId("b"), False), NORTH, 101.0 + REMEMBERED_S)
    assert board.send(act.AskLeg(LegId("a"))) == []


def test_an_originate_for_a_switch_that_nobody_connected_fails_and_costs_nobody_an_attempt() -> None:
    board = Board(MAIN, NORTH)
    assert board.send(ring("a", SwitchId("south"))) == []
    assert board.refused == [ev.OriginateFailed(LegId("a"), "SWITCH_LOST", sent=False)]
