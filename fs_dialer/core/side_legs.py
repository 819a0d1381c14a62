"""Legs and files beside the customer and his agent: whom he is transferred to, who listens in, what is recorded.

Makes the actions; when, the call machine and in_call.py say. Every leg made here counts in the ledger and has a role, so that it is watched to its end and
hung up like any leg of ours when nobody knows it (D2, D6).
"""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from fs_dialer.core import agent as agents
from fs_dialer.core.actions import Action, Hangup, OriginateAgent, OriginateOutside, PauseRecording, ResumeRecording, StartRecording, StopRecording
from fs_dialer.core.call_words import Call, Record, Target, TargetGone
from fs_dialer.core.model import AgentId, AttemptId
from fs_dialer.core.world import LegRole, World

RING_SLACK_S = 3.0  # the switch's own timeout for a target's leg lies past ours
_NOT_IN_A_PATH = re.compile(r"[^A-Za-z0-9_-]")
RECORDING: dict[str, type[StartRecording] | type[StopRecording] | type[PauseRecording] | type[ResumeRecording]] = {
    "start": StartRecording,
    "stop": StopRecording,
    "pause": PauseRecording,
    "resume": ResumeRecording,
}


def ring_target(w: World, call_id: AttemptId) -> None:
    """Originate the leg of whom the call is transferred to. A way that is gone meanwhile is as if he had not answered."""
    call = w.calls[call_id]
    target = call.target
    if target is None:
        return
    if target.agent is None:
        action = _outside(w, call, target)
        if action is None:
            w.pending.append((call_id, TargetGone()))
            return
        gateway = action.gateway
        w.out.append(action)
    else:
        gateway = None
        w.step_agent(target.agent, agents.Ring(call_id))
        if w.several:
            leave_leg(w, target.agent)
        definition = w.agents[target.agent].definition
        w.out.append(
            OriginateAgent(
                target.leg,
                target.agent,
                call_id,
                w.switch_of(call),
                definition.dial_string,
                next(iter(w.runs[call.campaign].definition.caller_id.numbers), ""),
                target.ring_s + RING_SLACK_S,
                nailed=False,
                auto_answer=definition.auto_answer,
                stays=True,
            )
        )
    w.legs[target.leg] = LegRole("agent", call_id, target.agent, w.switch_of(call))
    w.ledger.originated(target.leg, gateway, w.switch_of(call))


def leave_leg(w: World, agent_id: AgentId) -> None:
    """He is rung by another switch than the one on which he is parked: an agent has one leg at a time, and a phone that is asked to take a second call would
    put the first on hold, and his next customer with it. After the call he is called anew."""
    leg = w.agents[agent_id].leg
    if leg is not None and leg in w.legs:
        w.step_agent(agent_id, agents.LegLost())
        w.legs[leg].orphan = True
        w.out.append(Hangup(leg, "NORMAL_CLEARING"))


def _outside(w: World, call: Call, target: Target) -> OriginateOutside | None:
    """By the way the customer's own call went, where it has room; else by any that has."""
    ways = [way for way in w.ways_of(w.runs[call.campaign]) if w.ledger.gateway_room(way.gateway, w.now) > 0 and way.switch in ("", call.switch)]
    if not ways:
        return None
    way = next((each for each in ways if (each.caller_id, each.gateway) == (call.caller_id, call.gateway)), ways[0])
    gateway = w.ledger.gateways[way.gateway]
    number = gateway.prefix + target.name.lstrip("+") if gateway.prefix or not gateway.plus else target.name
    return OriginateOutside(target.leg, call.id, w.switch_of(call), way.gateway, number, way.caller_id, target.ring_s + RING_SLACK_S)


def record(w: World, call_id: AttemptId, d: Record) -> None:
    call = w.calls[call_id]
    action: Action = RECORDING[d.what](call.lead_leg, recording_path(call, w.now))
    w.out.append(action)


def recording_path(call: Call, now: float) -> str:
    """CAMPAIGN/YYYY-MM-DD/ATTEMPT.wav; the day is that of the dialling, or of a caller's coming, in the campaign's zone. A second one of a call: ATTEMPT-2.wav.

    From our own ids alone: nothing that anybody typed comes into it but the campaign's name, and of that only letters, digits, - and _.
    """
    since = next((at for at in (call.dialed_at, call.answered_at) if at is not None), now)
    day = datetime.fromtimestamp(since, ZoneInfo(call.plan.zone)).date().isoformat()
    again = f"-{call.recordings}" if call.recordings > 1 else ""
    return f"{_NOT_IN_A_PATH.sub('_', call.campaign)}/{day}/{call.id}{again}.wav"
