"""What an agent is shown of himself, and which verbs are open to him: made when somebody watches him, told when it has changed."""

from __future__ import annotations

from fs_dialer.core import agent as agents
from fs_dialer.core import agent_events as ag
from fs_dialer.core import call_words as calls
from fs_dialer.core.actions import ShowAgent
from fs_dialer.core.agent_picture import AgentPicture, CallPicture, CampaignDesk
from fs_dialer.core.call import UNDIALED
from fs_dialer.core.model import AgentId, AgentState, AgentStatus, CallState, CampaignType
from fs_dialer.core.talk_rules import why_not_record
from fs_dialer.core.world import Desk, Run, World

PICTURES_EVERY_S = 2.0


def watch(w: World, ev: ag.WatchAgent) -> None:
    if ev.agent not in w.agents:
        return
    desk = w.desk(ev.agent)
    w.onlookers += ev.on - desk.watched
    desk.watched, desk.shown = ev.on, None
    if ev.on:
        w.touched[ev.agent] = None
        if ("pictures",) not in w.timers:
            w.timers.set(("pictures",), w.now + PICTURES_EVERY_S)


def touch_all(w: World) -> None:
    """What a campaign is doing changes without an agent's doing."""
    for agent_id, desk in w.desks.items():
        if desk.watched:
            w.touched[agent_id] = None
    if w.onlookers:
        w.timers.set(("pictures",), w.now + PICTURES_EVERY_S)


def show_touched(w: World) -> None:
    for agent_id in w.touched:
        desk = w.desks[agent_id]
        if desk.watched and agent_id in w.agents:
            seen = picture(w, agent_id)
            if seen != desk.shown:
                desk.shown = seen
                w.out.append(ShowAgent(seen))
    w.touched.clear()


def picture(w: World, agent_id: AgentId) -> AgentPicture:
    agent, desk = w.agents[agent_id], w.desk(agent_id)
    call = w.calls.get(agent.call) if agent.call is not None else None
    run = w.runs.get(desk.last.campaign) if desk.last is not None else None
    in_wrap_up = agent.state is AgentState.WRAP_UP and desk.last is not None and desk.last.met and desk.last.id == desk.rest_of and run is not None
    extensions = max(0, run.definition.wrap_up.extend[0] - desk.extensions) if in_wrap_up and run is not None else 0
    campaigns = tuple(_campaign(desk, each) for each in w.runs_of(agent_id) if each.queue is None)
    shown = _call(w, call, agent) if call is not None else None
    return AgentPicture(
        agent_id,
        agent.definition.name,
        agent.status,
        desk.reason,
        agent.state,
        agent.since,
        desk.screen_until,
        agent.status is not AgentStatus.AVAILABLE and agent.call is not None,
        agent.missed_in_row,
        agent.rest_until,
        extensions,
        agent.calls,
        shown,
        desk.last if call is None or desk.last is None or desk.last.id != call.id else None,
        campaigns,
        _can(agent, desk, shown, campaigns, extensions, in_wrap_up),
    )


def _campaign(desk: Desk, run: Run) -> CampaignDesk:
    d = run.definition
    because = run.because if run.running else run.life.reason or run.life.state.value
    return CampaignDesk(d.id, d.type, run.running, d.id in desk.paused, run.needs_screen, because)


def _call(w: World, call: calls.Call, agent: agents.Agent) -> CallPicture:
    times, _ = w.runs[call.campaign].flow.extend
    return CallPicture(
        call.id,
        call.campaign,
        call.lead.id,
        call.lead.number,
        call.state,
        agent.since,
        call.preview_until if call.state is CallState.PREVIEWING else None,
        call.accepted,
        max(0, times - call.extended) if call.preview_until is not None and call.state is CallState.PREVIEWING else 0,
        call.dialed_at,
        call.answered_at,
        call.bridged_at,
        consulting=call.target.words if call.target is not None else "",
        consult_up=call.target is not None and call.target.stage == "talking",
        recording=call.recording,
        news=call.news,
        attempts=call.lead.attempts,
        caller_id=call.caller_id,
        can=tuple(_can_in_call(call, agent, times)),
    )


HANGS_UP = (*UNDIALED, CallState.DIALING, CallState.EARLY, CallState.BRIDGED, CallState.HELD, CallState.CONSULTING)  # an answered customer is served
IN_TALK = (CallState.BRIDGED, CallState.HELD, CallState.CONSULTING)


def _can(agent: agents.Agent, desk: Desk, call: CallPicture | None, campaigns: tuple[CampaignDesk, ...], extensions: int, in_wrap_up: bool) -> tuple[str, ...]:
    """The verbs open to him now. The engine asks once more when he uses one."""
    can = ["open_screen" if desk.screen_until is None else "close_screen"]
    can += [verb for verb, status in STATUS_VERBS if status is not agent.status]
    if any(not each.paused for each in campaigns):
        can.append("pause_campaign")
    if any(each.paused for each in campaigns):
        can.append("resume_campaign")
    if agent.free and desk.taking is None and any(each.type is CampaignType.MANUAL and each.running and not each.paused for each in campaigns):
        can.append("take")
    if call is not None:
        can += call.can
    elif desk.last is not None:
        can.append("dispose")
    if agent.state is AgentState.WRAP_UP:
        can += ["extend_wrap_up"] if extensions else []
        can += ["end_wrap_up"] if in_wrap_up or agent.rest_until is not None else []
    return tuple(can)


STATUS_VERBS = (("available", AgentStatus.AVAILABLE), ("not_available", AgentStatus.NOT_AVAILABLE), ("log_out", AgentStatus.LOGGED_OUT))


def _can_in_call(call: calls.Call, agent: agents.Agent, extensions: int) -> list[str]:
    if call.agent != agent.id:
        return ["hang_up"]  # he is only asked, or rung for it
    if call.state is CallState.PREVIEWING:
        more = call.preview_until is not None and call.extended < extensions
        return [*([] if call.accepted else ["accept"]), *(["extend_preview"] if more else []), "dial", "skip"]
    can = ["hang_up"] if call.state in HANGS_UP else []
    if call.state is CallState.BRIDGED:
        can += ["hold", "transfer"]
    elif call.state is CallState.HELD:
        can += ["resume", "transfer"]
    elif call.state is CallState.CONSULTING:
        can += ["resume", "complete_transfer"]
    if call.state in IN_TALK:
        verbs = (("record", "start"), ("stop_recording", "stop"), ("pause_recording", "pause"), ("resume_recording", "resume"))
        can += [verb for verb, what in verbs if not why_not_record(call, what)]
        can.append("dispose")
    return can
