"""The engine at one moment, for status and the live table: values only, nothing of it can be changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from typing import Any

from fs_dialer.core.caller_ids import PARTNERS
from fs_dialer.core.fleet import SwitchState
from fs_dialer.core.flow_places import why_not
from fs_dialer.core.model import (
    AgentId,
    AgentState,
    AgentStatus,
    AttemptId,
    CallState,
    CampaignId,
    CampaignState,
    CampaignType,
    GatewayId,
    Outcome,
    SwitchId,
)
from fs_dialer.core.queue_line import Queue
from fs_dialer.core.world import Run, World

PACE_OLD_S = 1.0


@dataclass(frozen=True, slots=True)
class AgentView:
    id: AgentId
    name: str
    status: AgentStatus
    state: AgentState
    since: float
    call: AttemptId | None
    calls: int


@dataclass(frozen=True, slots=True)
class CampaignView:
    """`lines`: calls up or being dialled. `answered`, `missed`: since the daemon started; missed ÷ answered is the missed rate (D1)."""

    id: CampaignId
    type: CampaignType
    state: CampaignState
    revision: int
    because: str
    lines: int
    lines_limit: int | None
    waiting: int
    hopper: int
    calls_by_state: Mapping[CallState, int]
    outcomes: Mapping[Outcome, int]
    attempts: int
    answered: int
    missed: int
    bridged: int
    talked_s: float
    waited_s: float
    refused_without_leg: int
    crew: int = 0  # agents named by it or by its teams
    staying: int = 0  # of these logged in, available and reachable
    idle: int = 0  # of these free for a call now
    promised: int = 0  # claimed callbacks that wait for their agent
    pace: Mapping[str, Any] = field(default_factory=dict)  # what its last decision was made of, at most PACE_OLD_S old; {} where its type keeps nothing
    flow: str = ""  # why nobody is called for want of its IVR flow in the switch, "" = it is there, or it needs none


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue of inbound callers. waiting, talking: now; waiting_since: of who has waited longest, None = nobody waits; the counts: since the daemon started.

    came = served + hung_up + missed + called_back + overflowed + released + lost + waiting + talking. `missed`: let go by us after the longest wait;
    called_back: asked for it by the key; overflowed: to voice mail or a number; released: by the switch's fallback; wait_s: what a caller who comes now will
    probably wait, None = nobody can tell.
    """

    name: str
    priority: int
    waiting: int
    waiting_since: float | None
    talking: int
    came: int
    served: int
    hung_up: int
    missed: int
    lost: int
    waited_s: float
    talked_s: float
    crew: int
    staying: int
    idle: int
    called_back: int = 0
    overflowed: int = 0
    released: int = 0
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class BreakerView:
    """A caller id or gateway that has been used. `until`: rests until then; `said`: what it did lately, for people."""

    kind: str  # caller_id, gateway
    name: str
    health: str  # closed, open, half_open
    opened_at: float | None
    until: float
    failed: int  # of its last calls
    calls: int
    said: str


@dataclass(frozen=True, slots=True)
class GatewayView:
    """`legs`: on it now, ours or not; `room`: more allowed now by its lines and calls per second."""

    id: GatewayId
    legs: int
    lines: int | None
    cps: float | None
    room: int


@dataclass(frozen=True, slots=True)
class SwitchView:
    """One FreeSWITCH. up: linked; ready: its legs are known, too. given_up: it stayed away so long that its calls were closed. drained_since: epoch seconds,
    None = it gets new calls. `legs`: on it now, ours or not; calls: of ours; nailed: agents who live on it; lines, cps None = the installation's."""

    id: SwitchId
    up: bool
    ready: bool
    given_up: bool
    drained_since: float | None
    legs: int
    calls: int
    nailed: int
    lines: int | None
    cps: float | None
    weight: int
    room: int
    gateways: tuple[str, ...] = ()  # () = all of the installation


@dataclass(frozen=True, slots=True)
class Snapshot:
    now: float
    switch_up: bool
    store_up: bool
    draining: bool
    legs: int
    legs_limit: int
    campaigns: tuple[CampaignView, ...]
    agents: tuple[AgentView, ...]
    gateways: tuple[GatewayView, ...] = ()
    breakers: tuple[BreakerView, ...] = ()
    lag_s: float = 0.0
    room: int = 0  # more legs allowed now in all
    queues: tuple[QueueView, ...] = ()
    switches: tuple[SwitchView, ...] = ()


def as_json(value: object) -> Any:
    """A snapshot as plain values: enums by their value, mappings by their keys' values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [as_json(item) for item in value]
    if isinstance(value, Mapping):
        return {as_json(key): as_json(item) for key, item in value.items()}
    return value


def take(w: World) -> Snapshot:
    campaigns = []
    for run in w.runs.values():
        if run.queue is not None:
            continue
        by_state: dict[CallState, int] = {}
        for call_id in run.calls:
            state = w.calls[call_id].state
            by_state[state] = by_state.get(state, 0) + 1
        t, d = run.tally, run.definition
        campaigns.append(
            CampaignView(
                d.id,
                d.type,
                run.life.state,
                d.revision,
                run.because if run.running else run.life.reason or run.life.state.value,
                len(run.calls),
                d.lines,
                len(run.waiting),
                len(run.hopper),
                by_state,
                dict(t.outcomes),
                t.attempts,
                t.answered,
                t.missed,
                t.bridged,
                t.talked_s,
                t.waited_s,
                t.refused_without_leg,
                len(run.crew),
                run.staying,
                sum(1 for person in run.crew if person in w.idle),
                len(run.promised),
                _pace(w, run),
                why_not(w, run),
            )
        )
    people = tuple(AgentView(a.id, a.definition.name, a.status, a.state, a.since, a.call, a.calls) for a in w.agents.values())
    return Snapshot(
        w.now,
        w.switch_up,
        w.store_up,
        w.draining,
        len(w.ledger.legs),
        w.installation.lines,
        tuple(campaigns),
        people,
        tuple(GatewayView(g.id, w.ledger.by_gateway.get(g.id, 0), g.lines, g.cps, w.ledger.gateway_room(g.id, w.now)) for g in w.installation.gateways),
        _breakers(w),
        w.lag_s,
        w.ledger.room(w.now),
        tuple(_queue(w, run, run.queue) for run in w.runs.values() if run.queue is not None),
        tuple(_switch(w, state) for state in w.fleet.of.values() if state is w.fleet.sole or state.declared is not None),
    )


def _switch(w: World, state: SwitchState) -> SwitchView:
    declared = state.declared
    calls = sum(1 for call in w.calls.values() if w.fleet.get(w.switch_of(call)) is state)
    nailed = sum(1 for role in w.legs.values() if role.kind == "nailed" and not role.orphan and w.fleet.get(role.switch) is state)
    limits = (None, None, 1) if declared is None else (declared.lines, declared.cps, declared.weight)
    legs, room = w.ledger.by_switch.get(state.id, 0), min(w.ledger.room(w.now), w.ledger.room_at(state.id, w.now))
    if state is w.fleet.sole:
        legs, room = len(w.ledger.legs), w.ledger.room(w.now)
    gateways = () if declared is None else declared.gateways
    usable = w.fleet.usable(state.id)
    return SwitchView(
        state.id, state.up, state.linked, state.given_up, state.drained_since, legs, calls, nailed, *limits, room if usable else 0, gateways
    )


def _pace(w: World, run: Run) -> Mapping[str, Any]:
    """Asked of the mode at most once a second, however many look."""
    explain = getattr(run.mode, "explain", None)
    if explain is not None and not 0.0 <= w.now - run.pace_at < PACE_OLD_S:
        run.pace, run.pace_at = explain(run.memory, w.now), w.now
    return run.pace


def _queue(w: World, run: Run, queue: Queue) -> QueueView:
    calls = [w.calls[c] for c in run.calls]
    waiting = [c.answered_at or 0.0 for c in calls if c.bridged_at is None]
    return QueueView(
        queue.line.name,
        run.definition.priority,
        len(waiting),
        min(waiting, default=None),
        len(calls) - len(waiting),
        queue.came,
        queue.served,
        queue.hung_up,
        queue.missed,
        queue.lost,
        queue.waited_s,
        queue.talked_s,
        len(run.crew),
        run.staying,
        sum(1 for person in run.crew if person in w.idle),
        queue.called_back,
        queue.overflowed,
        queue.released,
        queue.pace.expected_s(1 + len(run.waiting), run.staying, w.now),
    )


def _breakers(w: World) -> tuple[BreakerView, ...]:
    """By caller id and by gateway, each seen over all its ways: open only where none of them may be used."""
    views = []
    for kind in ("caller_id", "gateway"):
        for name in dict.fromkeys(getattr(way, kind) for way in w.breakers.of):
            views.append(_breaker(w, kind, name))
    return tuple(views)


def _breaker(w: World, kind: str, name: str) -> BreakerView:
    ways = {way: each for way, each in w.breakers.of.items() if getattr(way, kind) == name}
    resting = [each for each in ways.values() if each.opened_at is not None]
    failed, calls = sum(each.bad() for each in ways.values()), sum(len(each.calls) for each in ways.values())
    if len(resting) < min(len(ways), PARTNERS):
        only = f"; rests with {len(resting)} of {len(ways)}" if resting else ""
        said = f"{failed} of the last {calls} calls failed{only}" if calls else "no calls yet"
        return BreakerView(kind, name, "closed", None, 0.0, failed, calls, said)
    first = min(resting, key=lambda each: each.usable_at(w.now))
    opened = max(each.opened_at for each in resting if each.opened_at is not None)
    return BreakerView(kind, name, first.health(w.now).value, opened, first.until, failed, calls, first.said(w.now))
