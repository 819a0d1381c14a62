"""One agent as we observe him: a table of (state, input) → rule. What he declares (status) is a field beside it, never mixed in.

    leg_down ⇄ idle ─► reserved ─► talking ⇄ held, consulting ─► wrap_up ─► idle
                 ├───► previewing ─► ringing ─┘
                 └───► ringing

A `nailed` agent lives on one parked leg and is leg_down without it; a `per_call` agent has a leg only while a call is his. An agent has one call at most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fs_dialer.core.changed import changed, value
from fs_dialer.core.definition import AgentDefinition
from fs_dialer.core.model import AgentId, AgentState, AgentStatus, AttemptId, LegId, LegKind

S = AgentState

MISSED_OFFERS_IN_ROW = 3  # then not available, until he says otherwise
MISSED_OFFER_REST_S = 10.0  # before the next offer after one that was not answered
UNSERVED_REST_S = 1.0  # his phone needs a moment to stop ringing


@value
class Agent:
    id: AgentId
    definition: AgentDefinition
    status: AgentStatus
    state: AgentState
    since: float
    idle_since: float = 0.0  # kept through a reservation that led to nothing, so that he does not lose his turn
    call: AttemptId | None = None
    leg: LegId | None = None  # the nailed leg
    parked: bool = False  # the nailed leg is parked: it can be bridged
    rest_until: float | None = None
    missed_in_row: int = 0
    calls: int = 0

    @property
    def nailed(self) -> bool:
        return self.definition.leg is LegKind.NAILED

    @property
    def free(self) -> bool:
        """May be given a call now."""
        return self.state is S.IDLE and self.status is AgentStatus.AVAILABLE and (self.parked or not self.nailed)

    @property
    def staying(self) -> bool:
        """Counts in forecasts: logged in, and not about to leave."""
        return self.status is AgentStatus.AVAILABLE and self.state is not S.LEG_DOWN


@dataclass(frozen=True, slots=True)
class Input:
    pass


@dataclass(frozen=True, slots=True)
class LegUp(Input):
    """The nailed leg is parked: for the first time, or again after a conversation."""

    leg: LegId


class LegLost(Input):
    """The nailed leg is over."""


@dataclass(frozen=True, slots=True)
class Reserve(Input):
    call: AttemptId


@dataclass(frozen=True, slots=True)
class ShowPreview(Input):
    call: AttemptId


@dataclass(frozen=True, slots=True)
class Ring(Input):
    call: AttemptId


@dataclass(frozen=True, slots=True)
class Talk(Input):
    call: AttemptId


class Hold(Input):
    pass


class Consult(Input):
    pass


@dataclass(frozen=True, slots=True)
class Served(Input):
    """The conversation is over; rest for `wrap_up_s`."""

    wrap_up_s: float


class Unserved(Input):
    """The call went away without him."""


@dataclass(frozen=True, slots=True)
class MissedOffer(Input):
    """He was rung and did not answer, or his leg failed. `his_fault` False: the switch did not get that far; he rests, and it is not counted."""

    his_fault: bool = True


class RestDue(Input):
    pass


@dataclass(frozen=True, slots=True)
class RestLonger(Input):
    """His wrap-up ends then instead."""

    until: float


@dataclass(frozen=True, slots=True)
class Declare(Input):
    status: AgentStatus


INPUTS: tuple[type[Input], ...] = (LegUp, LegLost, Reserve, ShowPreview, Ring, Talk, Hold, Consult, Served, Unserved, MissedOffer, RestDue, RestLonger, Declare)

Rule = Callable[[Agent, Any, float], Agent]


@dataclass(frozen=True, slots=True)
class IGNORE:
    why: str


def new_agent(definition: AgentDefinition, status: AgentStatus, now: float) -> Agent:
    state = S.LEG_DOWN if definition.leg is LegKind.NAILED else S.IDLE
    return Agent(definition.id, definition, status, state, now, now)


def _to(agent: Agent, state: AgentState, now: float, **changes: Any) -> Agent:
    return changed(agent, state=state, since=now, **changes)


def _home(agent: Agent, now: float, **changes: Any) -> Agent:
    """Where an agent with nothing to do belongs."""
    state = S.LEG_DOWN if agent.nailed and agent.leg is None else S.IDLE
    return _to(agent, state, now, call=None, rest_until=None, **changes)


def _leg_up(agent: Agent, ev: LegUp, now: float) -> Agent:
    return _to(agent, S.IDLE, now, leg=ev.leg, parked=True, idle_since=now)


def _leg_known(agent: Agent, ev: LegUp, now: float) -> Agent:
    return changed(agent, leg=ev.leg, parked=True)


def _leg_lost_idle(agent: Agent, ev: LegLost, now: float) -> Agent:
    return _to(agent, S.LEG_DOWN, now, leg=None, parked=False) if agent.nailed else _leg_lost_busy(agent, ev, now)


def _leg_lost_busy(agent: Agent, ev: LegLost, now: float) -> Agent:
    return changed(agent, leg=None, parked=False)


def _reserve(agent: Agent, ev: Reserve, now: float) -> Agent:
    return _to(agent, S.RESERVED, now, call=ev.call)


def _preview(agent: Agent, ev: ShowPreview, now: float) -> Agent:
    return _to(agent, S.PREVIEWING, now, call=ev.call)


def _ring(agent: Agent, ev: Ring, now: float) -> Agent:
    return _to(agent, S.RINGING, now, call=ev.call)


def _talk(agent: Agent, ev: Talk, now: float) -> Agent:
    return _to(agent, S.TALKING, now, call=ev.call, missed_in_row=0, parked=False)


def _hold(agent: Agent, ev: Hold, now: float) -> Agent:
    return _to(agent, S.HELD, now)


def _consult(agent: Agent, ev: Consult, now: float) -> Agent:
    return _to(agent, S.CONSULTING, now)


def _served(agent: Agent, ev: Served, now: float) -> Agent:
    agent = changed(agent, calls=agent.calls + 1, idle_since=now)
    if ev.wrap_up_s <= 0:
        return _home(agent, now)
    return _to(agent, S.WRAP_UP, now, call=None, rest_until=now + ev.wrap_up_s)


def _unserved(agent: Agent, ev: Unserved, now: float) -> Agent:
    if agent.state is S.RINGING:
        return _to(agent, S.WRAP_UP, now, call=None, rest_until=now + UNSERVED_REST_S)
    return _home(agent, now)


def _missed_offer(agent: Agent, ev: MissedOffer, now: float) -> Agent:
    in_row = agent.missed_in_row + ev.his_fault
    status = AgentStatus.NOT_AVAILABLE if in_row >= MISSED_OFFERS_IN_ROW and agent.status is AgentStatus.AVAILABLE else agent.status
    return _to(agent, S.WRAP_UP, now, call=None, rest_until=now + MISSED_OFFER_REST_S, missed_in_row=in_row, status=status)


def _rested(agent: Agent, ev: RestDue, now: float) -> Agent:
    return _home(agent, now, idle_since=now)


def _rest_longer(agent: Agent, ev: RestLonger, now: float) -> Agent:
    return changed(agent, rest_until=ev.until)


def _declare(agent: Agent, ev: Declare, now: float) -> Agent:
    """A break asked for during an offer or call is kept and takes effect after it: the state does not move."""
    if ev.status is agent.status:
        return agent
    back = ev.status is AgentStatus.AVAILABLE
    return changed(agent, status=ev.status, missed_in_row=0 if back else agent.missed_in_row, idle_since=now if back else agent.idle_since)


ALL = tuple(AgentState)
WITH_CALL = (S.RESERVED, S.PREVIEWING, S.RINGING, S.TALKING, S.HELD, S.CONSULTING)
IN_TALK = (S.TALKING, S.HELD, S.CONSULTING)
BEFORE_TALK = (S.RESERVED, S.PREVIEWING, S.RINGING)
TABLE: dict[tuple[AgentState, type[Input]], Rule | IGNORE] = {}


def _put(states: tuple[AgentState, ...], kind: type[Input], rule: Rule | IGNORE) -> None:
    for state in states:
        TABLE[state, kind] = rule


_put((S.LEG_DOWN,), LegUp, _leg_up)
_put((*WITH_CALL, S.WRAP_UP, S.IDLE), LegUp, _leg_known)
_put((S.IDLE,), LegLost, _leg_lost_idle)
_put((*WITH_CALL, S.WRAP_UP), LegLost, _leg_lost_busy)
_put((S.LEG_DOWN,), LegLost, IGNORE("he has none"))
_put((S.IDLE,), Reserve, _reserve)
_put((S.IDLE,), ShowPreview, _preview)
_put((S.IDLE, S.RESERVED, S.PREVIEWING), Ring, _ring)
_put((S.IDLE, *WITH_CALL), Talk, _talk)
_put((S.TALKING, S.CONSULTING), Hold, _hold)
_put((S.TALKING, S.HELD), Consult, _consult)
_put(IN_TALK, Served, _served)
_put(BEFORE_TALK, Served, _served)
_put(BEFORE_TALK, Unserved, _unserved)
_put(IN_TALK, Unserved, _unserved)
_put(WITH_CALL, MissedOffer, _missed_offer)
_put((S.WRAP_UP,), RestDue, _rested)
_put((S.WRAP_UP,), RestLonger, _rest_longer)
_put(ALL, Declare, _declare)
for _kind, _why in (
    (Reserve, "he is not idle; the engine asks before it reserves"),
    (ShowPreview, "he is not idle"),
    (Ring, "he has a call, or no leg"),
    (Talk, "he is resting or has no leg"),
    (Hold, "he talks to nobody"),
    (Consult, "he talks to nobody"),
    (Served, "no call is his"),
    (Unserved, "no call is his"),
    (MissedOffer, "no call is his"),
    (RestDue, "he is not resting"),
    (RestLonger, "he is not resting"),
):
    for _state in ALL:
        TABLE.setdefault((_state, _kind), IGNORE(_why))


def step(agent: Agent, ev: Input, now: float) -> Agent:
    """What one input makes of an agent; every pair is in the table (a test walks it)."""
    rule = TABLE[agent.state, type(ev)]
    return agent if isinstance(rule, IGNORE) else rule(agent, ev, now)
