"""Customers and agents on parked legs are safe without us: their fallback in the switch is put off as long as this daemon lives.

Whose leg needs one at a moment, and how the renewals of hundreds are spread; what the fallback does stands in conf/freeswitch.
"""

from __future__ import annotations

from fs_dialer.core import agent as agents
from fs_dialer.core.actions import AskLeg, RenewFallback
from fs_dialer.core.model import AgentId, AgentState, AttemptId, CallState, LegId
from fs_dialer.core.world import World

FALLBACK_EVERY_S = 10.0
RENEWAL_SLICES = 18
RENEWED_AT_ONCE = 10  # legs; fewer are not worth another slice
UNPARKED_S = 5.0  # how long a nailed leg may take to park again before it is asked after
NEEDS_FALLBACK = frozenset({CallState.ANSWERED, CallState.SCREENING, CallState.WAITING_AGENT, CallState.NOTICE, CallState.HELD, CallState.CONSULTING})


def renew_fallbacks(w: World) -> None:
    """For every parked leg whose owner would hear nothing if we died: waiting customers, and agents who wait for one; all at once."""
    _renew(w, [*w.calls, *w.agents])


def begin_renewal(w: World) -> None:
    """The same, customers first, spread over the next ten seconds: hundreds of commands at once would hold up a bridge."""
    w.to_renew.extend((*w.calls, *w.agents))
    renew_some(w)


def renew_some(w: World) -> None:
    """A slice of the round that has begun."""
    size = max(RENEWED_AT_ONCE, (len(w.calls) + len(w.agents)) // RENEWAL_SLICES + 1)
    _renew(w, [w.to_renew.popleft() for _ in range(min(size, len(w.to_renew)))])
    if w.to_renew:
        w.timers.set(("renew",), w.now + FALLBACK_EVERY_S / (RENEWAL_SLICES + 2))


def _renew(w: World, whose: list[AttemptId | AgentId]) -> None:
    """Never a leg that is being bridged, or talks: the transfer would fire in the middle of the conversation."""
    legs: list[LegId] = []
    for owner in whose:
        call, agent = w.calls.get(AttemptId(owner)), w.agents.get(AgentId(owner))
        if call is not None and not call.bridging:
            if call.lead_parked and call.state in NEEDS_FALLBACK:
                legs.append(call.lead_leg)
            if call.agent_ready and not call.nailed and call.agent_leg and call.state is not CallState.BRIDGED and not call.with_target:
                legs.append(call.agent_leg)
        elif agent is not None and agent.parked and agent.leg is not None and agent.state is not AgentState.TALKING and not _being_bridged(w, agent):
            legs.append(agent.leg)
    if legs:
        w.out.append(RenewFallback(tuple(legs)))


def _being_bridged(w: World, agent: agents.Agent) -> bool:
    """Or bridged to whom he consults."""
    call = w.calls.get(agent.call) if agent.call is not None else None
    return call is not None and (call.bridging or call.with_target)


def arm_fallback(w: World) -> None:
    """Keep the fallbacks of parked legs renewed from now on."""
    if ("fallback",) not in w.timers and not w.drained:
        w.timers.set(("fallback",), w.now + FALLBACK_EVERY_S)


def ask_after_unparked(w: World) -> None:
    """An agent whose nailed leg should be parked by now and was not reported so: PARK can arrive before the BRIDGE that it ends. Ask the switch."""
    if w.linked:
        for agent in w.agents.values():
            if agent.leg is not None and not agent.parked and agent.state is AgentState.IDLE and w.now - agent.since >= UNPARKED_S:
                w.out.append(AskLeg(agent.leg))
