"""One of several switches goes: for maintenance (drained), or for good (its link stays away). What becomes of its calls and of who lives there.

Drained: it gets no new calls, those that are up end by themselves, and when nobody waits there any more its nailed agents are called by another switch.

Lost: its calls wait for the link, as with one switch; it may only be the link. After AWAY_S they are closed, for the others dial on and somebody may be
waiting for these leads and agents: what was answered counts as it stood, everything else is a failure of ours that costs the lead no attempt (D3). The
number is left alone as if it had rung: it may have. Should the switch come back with two who still talk, they are let talk; all else is hung up.
"""

from __future__ import annotations

from fs_dialer.core import agent as agents
from fs_dialer.core import call_words as calls
from fs_dialer.core import events
from fs_dialer.core.actions import Reply, StoreSwitchDrained, SwitchGivenUp
from fs_dialer.core.call import UNDIALED
from fs_dialer.core.calling import feed
from fs_dialer.core.fleet import AWAY_S, SwitchState
from fs_dialer.core.lifecycle import nail
from fs_dialer.core.model import CallState, SwitchId
from fs_dialer.core.world import NAIL_SOON_S, World

MOVE_EVERY_S = 1.0
LOST = "SWITCH_LOST"
MET = (CallState.BRIDGED, CallState.HELD, CallState.CONSULTING, CallState.CANCELLING)


# --- drained --------------------------------------------------------------------------------------------------------------------------


def drain(w: World, ev: events.DrainSwitch) -> None:
    """An operator's word; said twice it changes nothing."""
    state = w.fleet.of.get(ev.switch)
    if state is None or not (w.fleet.sole is state or state.declared is not None):
        known = ", ".join(sorted(s.id for s in w.fleet.of.values() if s is w.fleet.sole or s.declared is not None))
        w.out.append(Reply(ev.command_id, False, f"there is no switch {ev.switch}; there is {known}"))
        return
    since = (w.now if state.drained_since is None else state.drained_since) if ev.on else None
    if since != state.drained_since:
        state.drained_since = since
        w.out.append(StoreSwitchDrained(state.id, since, ev.who))
        w.note("INFO", "switch_drain" if ev.on else "switch_in_use", switch=state.id, who=ev.who)
    there = sum(1 for call in w.calls.values() if w.switch_of(call) == state.id)
    text = f"{state.id}: no new calls; {there} up" if ev.on else f"{state.id}: gets new calls again"
    w.out.append(Reply(ev.command_id, True, text))
    _drained_changed(w)


def drained_before(w: World, ev: events.SwitchesDrained) -> None:
    """Before anything was dialled."""
    for switch, since in ev.since:
        if switch in w.fleet.of:
            w.fleet.of[switch].drained_since = since
    _drained_changed(w)


def _drained_changed(w: World) -> None:
    for role in w.legs.values():
        if role.moving and w.fleet.get(role.switch).drained_since is None:
            role.moving = False
    if w.several:
        w.timers.set(("move",), w.now)
    w.pace_due = True


def move_agents(w: World) -> None:
    """Who lives on a drained switch is called by another as soon as he has no call and nobody there may still need him."""
    again = False
    for state in w.fleet.of.values():
        if state.drained_since is None:
            continue
        again = True
        if not state.linked or not any(w.fleet.usable(other) for other in w.fleet.of) or _needs_agents(w, state.id):
            continue
        for agent in list(w.agents.values()):
            role = w.legs.get(agent.leg) if agent.leg is not None else None
            if role is not None and role.switch == state.id and not role.moving:
                role.moving = True
                w.let_leg_go(agent)
    if again:
        w.timers.set(("move",), w.now + MOVE_EVERY_S)


def _needs_agents(w: World, switch: SwitchId) -> bool:
    """Somebody is dialled, or waits, on it."""
    return any(call.switch == switch and call.agent is None and call.state not in MET for call in w.calls.values())


# --- lost -----------------------------------------------------------------------------------------------------------------------------


def wait_for_all(w: World) -> None:
    """At start, and for a switch that is new: until each has told who talks there, nobody is called anywhere; but not for ever."""
    if w.several:
        for state in w.fleet.of.values():
            if state.declared is not None and not state.known and ("away", state.id) not in w.timers:
                if any(other.known for other in w.fleet.of.values()):
                    state.known = True  # it was declared while we ran: no earlier daemon's calls can be on it
                else:
                    w.timers.set(("away", state.id), w.now + AWAY_S)


def away_too_long(w: World, switch: SwitchId) -> None:
    state = w.fleet.get(switch)
    if not w.several:
        return
    if state.up:
        _wait_no_longer(w, state)  # it is linked and can not say what is on it: the others need not wait for that
        return
    if not state.known:
        w.out.append(SwitchGivenUp(switch))
    _close_calls(w, state)
    _free_agents(w, state)
    for leg, role in list(w.legs.items()):
        if role.switch == switch:
            role.orphan = role.lost = True
            w.ledger.remove(leg)
    for leg in [leg for leg, at in w.ledger.switch_of.items() if at == switch]:
        w.ledger.remove(leg)  # others', too: it counts them anew when it is back
    _wait_no_longer(w, state)


def _wait_no_longer(w: World, state: SwitchState) -> None:
    state.known = True
    for agent_id in w.agents:
        nail(w, agent_id)
    w.pace_due = True


def _close_calls(w: World, state: SwitchState) -> None:
    there = [call.id for call in w.calls.values() if call.switch == state.id]
    w.note("WARNING", "switch_given_up", switch=state.id, calls=len(there), after_s=AWAY_S)
    state.given_up = True  # what ends now ended because of it
    for call_id in there:
        call = w.calls.get(call_id)
        if call is None:
            continue
        w.tell(call_id, "given up", f"switch {state.id} is away")
        if call.state in UNDIALED:
            feed(w, call_id, calls.Cancel("its switch is away"))
        elif call.state is CallState.DIALING and w.due_legs.get(call_id) == "dial":
            feed(w, call_id, calls.Refused(""))  # nothing was sent
        else:
            inbound = w.runs[call.campaign].queue is not None
            feed(w, call_id, calls.LeadEnded("", certain=False) if inbound else calls.LeadEnded(LOST))


def _free_agents(w: World, state: SwitchState) -> None:
    """Whoever lives there is called by another switch."""
    for leg, role in list(w.legs.items()):
        if role.switch != state.id or role.agent is None or role.agent not in w.agents:
            continue
        if role.kind == "supervisor" and w.supervisors.get(role.agent) == leg:
            del w.supervisors[role.agent]
        if role.kind != "nailed":
            continue
        if w.agents[role.agent].leg == leg:
            w.step_agent(role.agent, agents.LegLost())
        elif w.nailing.get(role.agent) == leg:
            del w.nailing[role.agent]
        else:
            continue
        w.timers.set(("nail", role.agent), w.now + NAIL_SOON_S)
