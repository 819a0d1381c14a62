"""What agents ask within a conversation, and supervisors of one: hang up, hold, transfer, record, listen in. Each is answered by a Reply.

Who may ask what at this moment, and of whom, is decided here and refused in plain words; what then happens to the call is the call machine's (talk_rules.py).
Also which leg's news is whose: a leg may be the customer's, his agent's, or that of somebody to whom he is being transferred.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fs_dialer.core import agent as agents
from fs_dialer.core import agent_events as ag
from fs_dialer.core import call_words as calls
from fs_dialer.core import events as ev
from fs_dialer.core.actions import Hangup, OriginateSupervisor
from fs_dialer.core.calling import feed
from fs_dialer.core.desk import call_of, known, reply
from fs_dialer.core.model import AgentId, AgentState, AgentStatus, AttemptId, CallState, LegId
from fs_dialer.core.switches import foreign
from fs_dialer.core.talk_rules import RECORD_DONE, why_not_record
from fs_dialer.core.world import LegRole, World

S = CallState

TRANSFER_RING_S = 20.0  # an agent to whom somebody is transferred is rung so long at most; then the customer is back
SUPERVISOR_RING_S = 30.0
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
DIALLED = (S.QUEUED, S.PREVIEWING, S.RINGING_AGENT_FIRST, S.DIALING, S.EARLY)
TALK = (S.BRIDGED, S.HELD, S.CONSULTING)


# --- whose leg it is ------------------------------------------------------------------------------------------------------------------


def call_of_leg(w: World, leg: LegId) -> AttemptId | None:
    """The call that a leg serves now. A nailed leg serves its agent's."""
    role = w.legs.get(leg)
    if role is None or role.orphan:
        return None
    agent = w.agents.get(role.agent) if role.kind == "nailed" and role.agent is not None else None
    call = agent.call if agent is not None and agent.leg == leg else role.call
    return call if call in w.calls else None


def is_target(w: World, call_id: AttemptId | None, leg: LegId) -> bool:
    """Whether it is the leg of whom this call is being transferred to."""
    call = w.calls.get(call_id) if call_id is not None else None
    return call is not None and call.target is not None and call.target.leg == leg


def leg_bridged(w: World, e: ev.LegBridged) -> bool:
    """A bridge to the target of a transfer, in whichever order its legs are named. False: it is none of these."""
    for one, other in ((e.leg, e.other), (e.other, e.leg)):
        call_id = call_of_leg(w, one)
        call = w.calls.get(call_id) if call_id is not None else None
        if call is None or call.target is None or call.target.leg != one:
            continue
        if other == call.lead_leg:
            feed(w, call.id, calls.Handed())
            return True
        if other == call.agent_leg:
            feed(w, call.id, calls.Met())
            return True
    return False


def playback_stopped(w: World, e: ev.PlaybackStopped) -> None:
    call_id = call_of_leg(w, e.leg)
    call = w.calls.get(call_id) if call_id is not None else None
    if call is not None:
        feed(w, call.id, calls.NoticeOver() if call.lead_leg == e.leg else calls.AgentHeard())


def bridge_refused(w: World, e: ev.BridgeRefused) -> None:
    call_id = call_of_leg(w, e.leg)
    if call_id is not None:
        feed(w, call_id, calls.BridgeFailed())


def recording_started(w: World, e: ev.RecordingStarted) -> None:
    _to_customer(w, e.leg, calls.Recorded(True))


def recording_stopped(w: World, e: ev.RecordingStopped) -> None:
    _to_customer(w, e.leg, calls.Recorded(False))


def recording_failed(w: World, e: ev.RecordingFailed) -> None:
    """It never costs a call."""
    call_id = call_of_leg(w, e.leg)
    w.note("WARNING", "recording_failed", call=call_id or "", why=e.reason)
    _to_customer(w, e.leg, calls.RecordFailed())


def _to_customer(w: World, leg: LegId, given: calls.Input) -> None:
    call_id = call_of_leg(w, leg)
    if call_id is not None and w.calls[call_id].lead_leg == leg:
        feed(w, call_id, given)


# --- the agent's verbs ----------------------------------------------------------------------------------------------------------------


def hang_up(w: World, e: ag.HangUp) -> None:
    call = call_of(w, e, e.call)
    if call is None:
        return
    if call.target is not None and call.target.agent == e.agent and call.agent != e.agent:
        feed(w, call.id, calls.TargetDue())
        reply(w, e, True, "you are out of it")
    elif _owner(w, e, call):
        if call.state is S.PREVIEWING:
            reply(w, e, False, "nothing is dialled yet: dial, or skip it")
            return
        if call.state not in (*DIALLED, *TALK):
            reply(w, e, False, "the customer waits to be connected to you" if call.answered_at is not None else "it is being hung up already")
            return
        feed(w, call.id, calls.HangUpAsked())
        reply(w, e, True, "hung up" if call.state in TALK else "given up")


def hold(w: World, e: ag.HoldCall) -> None:
    call = call_of(w, e, e.call)
    if call is None or not _owner(w, e, call) or not _linked(w, e):
        return
    if call.state is not S.BRIDGED:
        reply(w, e, False, "the customer is on hold already" if call.state in (S.HELD, S.CONSULTING) else "you are not talking to the customer")
        return
    feed(w, call.id, calls.HoldAsked())
    reply(w, e, True, "the customer is on hold")


def resume(w: World, e: ag.ResumeCall) -> None:
    call = call_of(w, e, e.call)
    if call is None or not _owner(w, e, call) or not _linked(w, e):
        return
    if call.state not in (S.HELD, S.CONSULTING):
        reply(w, e, False, "the customer is not on hold")
    elif call.target is not None and call.target.stage == "handing":
        reply(w, e, False, f"the customer is being connected to {call.target.words}")
    elif call.bridging and call.target is None:
        reply(w, e, False, "you are being connected already")
    else:
        feed(w, call.id, calls.ResumeAsked())
        reply(w, e, True, "back to the customer")


def transfer(w: World, e: ag.Transfer) -> None:
    call = call_of(w, e, e.call)
    if call is None or not _owner(w, e, call) or not _linked(w, e):
        return
    if call.state not in (S.BRIDGED, S.HELD):
        busy = call.state is S.CONSULTING and call.target is not None
        reply(w, e, False, f"you are asking {call.target.words} already" if busy and call.target is not None else "you are not talking to the customer")
        return
    if call.bridging:
        reply(w, e, False, "you are just being connected to the customer; try again in a moment")
        return
    found = _number(w, e, call) if e.kind == "number" else _agent(w, e, call)
    if isinstance(found, str):
        reply(w, e, False, found)
        return
    w.tell(call.id, "transfer", f"{'attended' if e.attended else 'blind'}, to {found.words}")
    if found.agent is not None and found.nailed:
        w.step_agent(found.agent, agents.Reserve(call.id))
    feed(w, call.id, calls.ConsultAsked(found))
    reply(w, e, True, f"{found.words} {'is being asked' if e.attended else 'is being connected'}; the customer hears music")


def complete(w: World, e: ag.CompleteTransfer) -> None:
    call = call_of(w, e, e.call)
    if call is None or not _owner(w, e, call) or not _linked(w, e):
        return
    if call.state is not S.CONSULTING or call.target is None:
        reply(w, e, False, "you are consulting nobody")
    elif call.target.stage in ("meeting", "handing"):
        reply(w, e, False, f"{call.target.words} is just being connected; try again in a moment")
    else:
        feed(w, call.id, calls.CompleteAsked())
        reply(w, e, True, f"the customer goes to {call.target.words}")


def record(w: World, e: ag.RecordCall) -> None:
    call = call_of(w, e, e.call)
    if call is None or not _owner(w, e, call) or not _linked(w, e):
        return
    wrong = "" if call.state in TALK else "you are not talking to the customer"
    wrong = wrong or why_not_record(call, e.what)
    if wrong:
        reply(w, e, False, wrong)
        return
    feed(w, call.id, calls.RecordAsked(e.what))
    reply(w, e, True, RECORD_DONE[e.what])


def _owner(w: World, e: ag.AgentCommand, call: calls.Call) -> bool:
    """The call's own agent; one who is only asked, or rung for it, has no say in it."""
    if call.agent == e.agent:
        return True
    whose = f"it is {call.agent}'s call" if call.agent is not None else "the customer is being transferred to you"
    reply(w, e, False, f"{whose}; hang up to leave it")
    return False


def _linked(w: World, e: ag.AgentCommand) -> bool:
    agent = w.agents.get(e.agent)
    if w.linked_for(w.calls.get(agent.call) if agent is not None and agent.call is not None else None):
        return True
    reply(w, e, False, "the switch is not linked; try again in a moment")
    return False


# --- to whom --------------------------------------------------------------------------------------------------------------------------


def _number(w: World, e: ag.Transfer, call: calls.Call) -> calls.Target | str:
    run = w.runs[call.campaign]
    if not E164.fullmatch(e.to):
        return f"{e.to!r} is no telephone number; write it with + and the country code"
    if e.to == call.lead.number:
        return "that is the customer's own number"
    here = [way for way in w.ways_of(run) if way.switch in ("", call.switch)]
    if not _room(w, call) or not any(w.ledger.gateway_room(way.gateway, w.now) > 0 for way in here):
        return "no line is free; try again in a moment"
    return calls.Target("number", e.to, LegId(w.new_id()), call.plan.ring_timeout_s, attended=e.attended)


def _agent(w: World, e: ag.Transfer, call: calls.Call) -> calls.Target | str:
    if e.kind == "team":
        if e.to not in w.teams:
            return f"there is no team {e.to}"
        able = [a for a in w.teams[e.to] if a in w.idle and a != e.agent]
        if not able:
            return f"nobody of {e.to} is free"
        chosen = min(able, key=lambda a: w.agents[a].idle_since)
    else:
        chosen = AgentId(e.to)
        wrong = _why_not(w, e, chosen)
        if wrong:
            return wrong
    agent = w.agents[chosen]
    if agent.nailed and not (w.several and foreign(w, agent, call.switch)):
        assert agent.leg is not None, "a free agent's nailed leg is parked"
        return calls.Target("agent", chosen, agent.leg, TRANSFER_RING_S, chosen, nailed=True, attended=e.attended)
    if not _room(w, call):
        return "no line is free; try again in a moment"
    ring_s = min(TRANSFER_RING_S, call.plan.agent_ring_s)
    return calls.Target("agent", chosen, LegId(w.new_id()), ring_s, chosen, attended=e.attended)


def _room(w: World, call: calls.Call) -> bool:
    """For one more leg, by the switch on which the call is."""
    return w.ledger.room(w.now) >= 1 and (not w.several or w.ledger.room_at(w.switch_of(call), w.now) >= 1)


def _why_not(w: World, e: ag.Transfer, chosen: AgentId) -> str:
    agent = w.agents.get(chosen)
    if agent is None:
        return f"there is no agent {chosen}"
    if chosen == e.agent:
        return "that is yourself"
    if agent.free:
        return ""
    if agent.status is not AgentStatus.AVAILABLE:
        return f"{chosen} is {agent.status.value.replace('_', ' ')}"
    if agent.call is not None:
        return f"{chosen} has a call"
    return f"{chosen} rests after a call" if agent.state is AgentState.WRAP_UP else f"{chosen} is not connected"


# --- supervisors ----------------------------------------------------------------------------------------------------------------------


def supervise(w: World, e: ag.Supervise) -> None:
    """Through the agent's own leg: it ends with that leg. So it ends with the call of an agent who is rung for each, and stays with a nailed one."""
    if not known(w, e) or not _linked(w, e):
        return
    agent = w.agents[e.agent]
    call = w.calls.get(agent.call) if agent.call is not None else None
    leg = None if call is None else call.agent_leg if call.agent == e.agent else call.target.leg if call.target is not None else None
    if call is None or leg is None or agent.state not in agents.IN_TALK:
        reply(w, e, False, f"{e.agent} is not in a conversation")
    elif e.agent in w.supervisors:
        reply(w, e, False, f"somebody listens to {e.agent} already; stop him first")
    elif not _room(w, call):
        reply(w, e, False, "no line is free; try again in a moment")
    else:
        own = LegId(w.new_id())
        w.supervisors[e.agent] = own
        w.legs[own] = LegRole("supervisor", None, e.agent, w.switch_of(call))
        w.ledger.originated(own, None, w.switch_of(call))
        caller_id = next(iter(w.runs[call.campaign].definition.caller_id.numbers), "")
        w.out.append(OriginateSupervisor(own, call.id, w.switch_of(call), e.dial_string, leg, e.how, caller_id, SUPERVISOR_RING_S))
        w.note("INFO", "supervision", agent=e.agent, how=e.how, who=e.who, call=call.id)
        reply(w, e, True, f"your phone rings; you will hear {e.agent}'s call")


def stop_supervising(w: World, e: ag.StopSupervising) -> None:
    if not known(w, e):
        return
    leg = w.supervisors.get(e.agent)
    if leg is None:
        reply(w, e, False, f"nobody listens to {e.agent}")
        return
    w.out.append(Hangup(leg, "NORMAL_CLEARING"))
    reply(w, e, True, "stopped")


def supervisor_gone(w: World, leg: LegId, agent_id: AgentId | None) -> None:
    if agent_id is not None and w.supervisors.get(agent_id) == leg:
        del w.supervisors[agent_id]


HANDLERS: dict[type[ev.Event], Callable[[World, Any], None]] = {
    ag.HangUp: hang_up,
    ag.HoldCall: hold,
    ag.ResumeCall: resume,
    ag.Transfer: transfer,
    ag.CompleteTransfer: complete,
    ag.RecordCall: record,
    ag.Supervise: supervise,
    ag.StopSupervising: stop_supervising,
    ev.PlaybackStopped: playback_stopped,
    ev.BridgeRefused: bridge_refused,
    ev.RecordingStarted: recording_started,
    ev.RecordingStopped: recording_stopped,
    ev.RecordingFailed: recording_failed,
}
