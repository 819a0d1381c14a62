"""The checks themselves: each notices what it is there for, and tells the story."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core.call_words import WaitDue
from fs_dialer.core.model import AgentState, CallState, LegKind
from fs_dialer.core.world import World
from fs_dialer.errors import IllegalTransition
from tests.core.builders import ANA, BOB, SPRING, Desk, a_dialling_desk, a_lead


def with_fields(value: Any, **changes: Any) -> Any:
    """A copy with some fields changed, whatever kind of dataclass it is."""
    return type(value)(**{f.name: changes.get(f.name, getattr(value, f.name)) for f in fields(value) if f.init})


def busy() -> Desk:
    """Two agents: one reserved for a ringing call, one with an answered customer."""
    desk = a_dialling_desk(5, agents=2, leg=LegKind.NAILED)
    desk.up(desk.all(act.OriginateLead)[0].leg)
    return desk


def two_calls(w: World) -> tuple[Any, Any]:
    first, second = w.calls.values()
    return first, second


def agent_on_two_calls(w: World) -> None:
    first, second = two_calls(w)
    w.calls[second.id] = with_fields(second, agent=first.agent)


def lead_in_two_calls(w: World) -> None:
    first, second = two_calls(w)
    w.calls[second.id] = with_fields(second, lead=first.lead)


def lead_in_call_and_hopper(w: World) -> None:
    w.runs[SPRING].hopper.append(two_calls(w)[0].lead)


def ended_call_kept(w: World) -> None:
    first, _ = two_calls(w)
    w.calls[first.id] = with_fields(first, state=CallState.ENDED)


def agent_who_does_not_know(w: World) -> None:
    w.agents[BOB] = with_fields(w.agents[BOB], call=None, state=AgentState.IDLE)


def agent_of_a_forgotten_call(w: World) -> None:
    first, _ = two_calls(w)
    w.calls[first.id] = with_fields(first, agent=None)


def call_not_counted(w: World) -> None:
    w.runs[SPRING].calls.pop(two_calls(w)[0].id)


def wait_without_limit(w: World) -> None:
    first, _ = two_calls(w)
    w.timers.clear(("call", first.id, WaitDue))


def busy_agent_among_the_idle(w: World) -> None:
    w.idle[ANA] = None


def waiting_without_waiting(w: World) -> None:
    w.runs[SPRING].waiting[two_calls(w)[1].id] = None


def leg_of_no_call(w: World) -> None:
    w.legs[two_calls(w)[0].lead_leg].call = None


BREAKS: list[Callable[[World], None]] = [
    agent_on_two_calls,
    lead_in_two_calls,
    lead_in_call_and_hopper,
    ended_call_kept,
    agent_who_does_not_know,
    agent_of_a_forgotten_call,
    call_not_counted,
    wait_without_limit,
    busy_agent_among_the_idle,
    waiting_without_waiting,
    leg_of_no_call,
]


@pytest.mark.parametrize("do_harm", BREAKS, ids=lambda harm: harm.__name__)
def test_what_must_never_be_is_noticed(do_harm: Callable[[World], None]) -> None:
    desk = busy()
    desk.dialer.check_invariants()
    do_harm(desk.dialer._w)
    with pytest.raises(IllegalTransition):
        desk.dialer.check_invariants()


def test_the_error_tells_the_story_of_the_call() -> None:
    desk = busy()
    wait_without_limit(desk.dialer._w)
    with pytest.raises(IllegalTransition) as wrong:
        desk.dialer.check_invariants()
    assert any("placed" in line for line in wrong.value.story) and "no limit" in str(wrong.value)


def test_an_engine_at_rest_holds_them_all() -> None:
    desk = a_dialling_desk(0, agents=3)
    desk.wait(60.0)
    desk.claimed(a_lead(1))
    desk.dialer.check_invariants()
