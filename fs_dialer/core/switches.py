"""Which switch a call or a nailed agent gets, where several are declared.

All legs of a call are on one switch: nothing is bridged across two. It is fixed by the call's first leg: a nailed agent's, who was reserved for it, a
caller's in a queue, or the one that is originated first; until then it may be chosen anew, should the chosen one be lost or drained meanwhile.

    shares of new calls   weight × free lines, among those that are linked, not drained, have room, and a trunk that may carry the call
    dialled ahead         by agents: as many calls under way on each as it has agents who are free or soon will be; who is rung per call counts for all

Asks the world and changes nothing in it but whose turn it is. Where no switch is declared nothing of this is ever asked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from fs_dialer.core.agent import IN_TALK, Agent
from fs_dialer.core.call_words import Call
from fs_dialer.core.caller_ids import Way
from fs_dialer.core.model import AgentId, AgentState, AttemptId, CallState, SwitchId
from fs_dialer.core.world import Run, World

SOON = 0.25  # what an agent who talks counts beside one who is idle or rests
UNDER_WAY = (CallState.QUEUED, CallState.DIALING, CallState.EARLY, CallState.ANSWERED, CallState.SCREENING, CallState.WAITING_AGENT)


def home_of(w: World, agent: Agent) -> SwitchId | None:
    """The switch of a nailed agent's leg; None = he may be rung by any."""
    role = w.legs.get(agent.leg) if agent.leg is not None else None
    return None if role is None else role.switch


def foreign(w: World, agent: Agent, switch: SwitchId | None) -> bool:
    """His parked leg is on another switch than this one."""
    home = home_of(w, agent)
    return switch is not None and home is not None and home != switch


def carries(w: World, ways: Sequence[Way], switch: SwitchId, *, with_room: bool = False) -> bool:
    """It has one of these trunks, and (`with_room`) that one takes another call now."""
    return any(way.switch == switch and (not with_room or w.ledger.gateway_room(way.gateway, w.now) > 0) for way in ways)


def can_dial_for(w: World, run: Run, agent_id: AgentId) -> bool:
    """Whether new calls may be made for this agent: by the switch on which he lives, if he lives on one."""
    home = home_of(w, w.agents[agent_id])
    return home is None or (w.fleet.usable(home) and carries(w, w.ways_of(run), home))


def may_dial(w: World, run: Run, switch: SwitchId) -> bool:
    """It gets new calls, and has the campaign's flow, if that has one."""
    return w.fleet.usable(switch) and (not run.plan.in_flow or run.plan.ivr in w.flows.get(switch, ()))


def any_usable(w: World, run: Run) -> bool:
    return any(may_dial(w, run, switch) and carries(w, w.ways_of(run), switch) for switch in w.fleet.of)


def room_by(w: World, run: Run, ways: Sequence[Way]) -> int:
    """How many more calls these ways allow now, over all switches."""
    total = 0
    for switch in w.fleet.of:
        if may_dial(w, run, switch):
            trunks = {way.gateway for way in ways if way.switch == switch}
            total += min(w.ledger.room_at(switch, w.now), sum(w.ledger.gateway_room(gateway, w.now) for gateway in trunks))
    return total


def free_lines(w: World, switch: SwitchId) -> int:
    return max(0, min(w.ledger.lines_left_at(switch), w.ledger.lines_left()))


def _share(w: World, switch: SwitchId) -> float:
    declared = w.fleet.get(switch).declared
    return (1 if declared is None else declared.weight) * float(free_lines(w, switch))


@dataclass(frozen=True, slots=True)
class Crew:
    """A campaign's agents by where they live. nailed: by switch, those who are free now or soon; rung: of all others."""

    nailed: dict[SwitchId, float]
    rung: float


def _crew(w: World, run: Run) -> Crew:
    nailed: dict[SwitchId, float] = {}
    rung = 0.0
    for person in run.crew:
        agent = w.agents.get(person)
        if agent is None or not agent.staying or not w.eligible(run, person):
            continue
        counts = SOON if agent.state in IN_TALK else 1.0 if agent.state in (AgentState.IDLE, AgentState.WRAP_UP) else 0.0
        home = home_of(w, agent)
        if home is None:
            rung += counts
        else:
            nailed[home] = nailed.get(home, 0.0) + counts
    return Crew(nailed, rung)


def choose(w: World, run: Run, ways: Sequence[Way], lines: int, agent_id: AgentId | None) -> SwitchId | None:
    """By which switch a new call is made that needs so many lines there; None = by none now. `agent_id`: whom it is for."""
    home = home_of(w, w.agents[agent_id]) if agent_id is not None else None
    able = [home] if home is not None else list(w.fleet.of)
    fit = {s: _share(w, s) for s in able if may_dial(w, run, s) and _takes(w, ways, s, lines)}
    if home is not None:
        return home if home in fit else None
    if run.flow.reserve_agent or run.plan.in_flow or not run.crew or not fit:
        return w.fleet.in_turn("calls", fit)
    return _by_agents(w, run, fit)


def _takes(w: World, ways: Sequence[Way], switch: SwitchId, lines: int) -> bool:
    return w.ledger.lines_left_at(switch) >= lines and carries(w, ways, switch, with_room=True)


def _by_agents(w: World, run: Run, fit: dict[SwitchId, float]) -> SwitchId | None:
    """Where the fewest calls are under way for each agent; where no agent is nailed, as all other calls."""
    crew = _crew(w, run)
    if not crew.nailed:
        return w.fleet.in_turn("calls", fit)
    total = sum(fit.values()) or 1.0
    agents = {switch: crew.nailed.get(switch, 0.0) + crew.rung * share / total for switch, share in fit.items()}
    under_way = dict.fromkeys(fit, 0)
    for call_id in run.calls:
        call = w.calls[call_id]
        if call.switch in under_way and call.agent is None and call.state in UNDER_WAY:
            under_way[call.switch] += 1
    best = max(fit, key=lambda s: (agents[s] / (1 + under_way[s]), fit[s], s))
    return best if agents[best] > 0 else None


def for_nail(w: World, agent_id: AgentId) -> SwitchId | None:
    """By which switch a nailed agent is called: one with room, and with a trunk for a campaign of his, if there is any such."""
    open_now = {s: _share(w, s) for s in w.fleet.of if w.fleet.usable(s) and w.ledger.room_at(s, w.now) > 0}
    useful = {s: share for s, share in open_now.items() if any(carries(w, w.ways_of(run), s) for run in w.runs_of(agent_id) if run.queue is None)}
    return w.fleet.in_turn("nailed", useful or open_now)


def settle(w: World, run: Run, call_id: AttemptId, ways: Sequence[Way], lines: int) -> SwitchId | None:
    """The switch of a call whose next leg may be sent: the one it has, or another where it has no leg yet and its own is lost or drained. None: none now."""
    call = w.calls[call_id]
    if begun(w, call):
        return call.switch if w.fleet.get(call.switch).linked else None
    if call.switch and w.fleet.usable(call.switch):
        return call.switch
    return choose(w, run, ways, lines, call.agent)


def begun(w: World, call: Call) -> bool:
    """One of its legs exists, or is asked for: it is fixed where it is."""
    return bool(call.switch) and (call.lead_leg in w.legs or (call.agent_leg is not None and call.agent_leg in w.legs))


def reachable(w: World, able: Collection[AgentId], switch: SwitchId) -> list[AgentId]:
    """Of these free agents whom a customer on this switch can get: who is parked there, else whoever can be rung there now. An agent who lives elsewhere
    comes last: he is rung only where nobody else is."""
    may_ring = w.ledger.room(w.now) > 0 and w.ledger.room_at(switch, w.now) > 0
    near = [a for a in able if not foreign(w, w.agents[a], switch) and (may_ring or home_of(w, w.agents[a]) == switch)]
    return near or (list(able) if may_ring else [])
