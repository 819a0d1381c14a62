"""What agents ask outside a conversation, and what they are shown: screens and pauses, taking and skipping leads, previews, the rest after a call.

Every command is answered by a Reply, a refusal with its reason in words that an agent understands. What is asked within a conversation (hold, transfer,
recording) is in_call.py's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fs_dialer.core import agent as agents
from fs_dialer.core import agent_events as ag
from fs_dialer.core import call_words as calls
from fs_dialer.core import pictures
from fs_dialer.core.actions import Reply, ReturnLeads, TakeLeadNow
from fs_dialer.core.agent_picture import LastCall
from fs_dialer.core.calling import ask_gates, feed
from fs_dialer.core.events import CommandEvent, Event
from fs_dialer.core.hopper import ask_what_is_left
from fs_dialer.core.leads import STORE_GATES, Check
from fs_dialer.core.model import AgentId, AgentState, AgentStatus, AttemptId, CallState, LeadReturn
from fs_dialer.core.placing import place_for_agent
from fs_dialer.core.schedule import start_of_day
from fs_dialer.core.world import Desk, Run, World

HOUR_S = 3600.0
UNDIALED = (CallState.QUEUED, CallState.PREVIEWING, CallState.RINGING_AGENT_FIRST)
REFUSALS = {"store_down": "the database is away; try again in a moment"} | STORE_GATES


def eligible(w: World, run: Run, agent_id: AgentId) -> bool:
    """Whether this agent, once he is free, may get a call of this campaign that he serves."""
    return w.eligible(run, agent_id)


def reply(w: World, ev: CommandEvent, ok: bool, text: str) -> None:
    w.out.append(Reply(ev.command_id, ok, text))


def known(w: World, ev: ag.AgentCommand) -> bool:
    """False, and refused, when there is no such agent."""
    if ev.agent in w.agents:
        return True
    reply(w, ev, False, f"there is no agent {ev.agent}")
    return False


def call_of(w: World, ev: ag.AgentCommand, call: AttemptId | None) -> calls.Call | None:
    """The call that is his and that he means; None, and refused, when there is none, or he means one that is over."""
    if not known(w, ev):
        return None
    his = w.agents[ev.agent].call
    if his is None or his not in w.calls:
        reply(w, ev, False, "you have no call")
    elif call is not None and call != his:
        reply(w, ev, False, "that call is over; you have another one now")
    else:
        return w.calls[his]
    return None


# --- the screen and the pause (S83–S85) -----------------------------------------------------------------------------------------------


def open_screen(w: World, ev: ag.OpenScreen) -> None:
    if known(w, ev):
        _lease(w, ev.agent, ev.lease_s)
        reply(w, ev, True, "your campaign screen is open")


def heard(w: World, ev: ag.AgentHeard) -> None:
    """A heartbeat opens no screen; it keeps one open."""
    desk = w.desks.get(ev.agent)
    if desk is not None and desk.screen_until is not None:
        _lease(w, ev.agent, max(ev.lease_s, desk.screen_until - w.now))


def _lease(w: World, agent_id: AgentId, lease_s: float) -> None:
    desk = w.desk(agent_id)
    was_closed = desk.screen_until is None
    desk.screen_until = w.now + lease_s
    w.timers.set(("screen", agent_id), desk.screen_until)
    if was_closed:
        w.clocks.screen(agent_id, True, w.now)
        w.tell(agent_id, "screen", "opened")
        w.recount_staying(agent_id)
        w.touch(agent_id)


def close_screen(w: World, ev: ag.CloseScreen) -> None:
    if known(w, ev):
        screen_gone(w, ev.agent, "closed")
        reply(w, ev, True, "your campaign screen is closed: no more campaign calls that need it")


def screen_gone(w: World, agent_id: AgentId, why: str = "its lease ran out") -> None:
    """Closed by him, or nobody has heard of it for too long. A lead that he only looks at goes back undialled."""
    desk = w.desk(agent_id)
    if desk.screen_until is None:
        return
    desk.screen_until = None
    w.clocks.screen(agent_id, False, w.now)
    w.timers.clear(("screen", agent_id))
    w.tell(agent_id, "screen", why)
    w.recount_staying(agent_id)
    w.touch(agent_id)
    drop_unseen(w, agent_id, "the agent's screen is gone")


def left(w: World, agent_id: AgentId) -> None:
    """He has logged out: a lead that he only looks at goes back undialled."""
    agent = w.agents.get(agent_id)
    call = w.calls.get(agent.call) if agent is not None and agent.call is not None else None
    if call is not None and call.state is CallState.PREVIEWING:
        feed(w, call.id, calls.Cancel("the agent has logged out"))


def drop_unseen(w: World, agent_id: AgentId, why: str) -> None:
    """His preview, or the ringing of his own phone before it, where the campaign needs his screen."""
    call_id = w.agents[agent_id].call if agent_id in w.agents else None
    call = w.calls.get(call_id) if call_id is not None else None
    if call is not None and call.state in UNDIALED and not w.eligible(w.runs[call.campaign], agent_id):
        feed(w, call.id, calls.Cancel(why))


def pause_in_campaign(w: World, ev: ag.PauseInCampaign) -> None:
    if not known(w, ev):
        return
    if ev.campaign not in w.runs or ev.campaign not in w.serves.get(ev.agent, ()):
        reply(w, ev, False, f"{ev.agent} does not serve a campaign {ev.campaign}")
        return
    desk = w.desk(ev.agent)
    if ev.paused:
        desk.paused[ev.campaign] = ev.why
    else:
        desk.paused.pop(ev.campaign, None)
    w.tell(ev.agent, "paused" if ev.paused else "resumed", f"{ev.campaign} {ev.why}".strip())
    w.recount_staying(ev.agent)
    w.touch(ev.agent)
    drop_unseen(w, ev.agent, "the agent was paused in this campaign")
    reply(w, ev, True, f"{ev.agent}: {ev.campaign} {'gives no new calls' if ev.paused else 'gives calls again'}")


# --- before the call ------------------------------------------------------------------------------------------------------------------


def take(w: World, ev: ag.TakeLead) -> None:
    """Manual: the store claims and counts; its answer places the call (S29, S30)."""
    if not known(w, ev):
        return
    run, agent, desk = w.runs.get(ev.campaign), w.agents[ev.agent], w.desk(ev.agent)
    refusal = _why_not_take(w, run, ev, agent, desk)
    if refusal or run is None:
        reply(w, ev, False, refusal)
        return
    desk.taking = ev.command_id
    verdicts = [(zones, run.hours_for(zones, w.now)) for zones in run.zone_sets]
    quota = getattr(run.definition.options, "quota", None)
    w.out.append(
        TakeLeadNow(
            ev.command_id,
            ev.agent,
            ev.campaign,
            ev.lead,
            tuple(zones for zones, verdict in verdicts if verdict.open),
            dict(quota.apart).get(ev.agent, quota.each) if quota is not None else None,
            agent.definition.quota,
            start_of_day(w.now, run.definition.window.zone),
            bool(getattr(run.definition.options, "own_customer", False)),
        )
    )


def _why_not_take(w: World, run: Run | None, ev: ag.TakeLead, agent: agents.Agent, desk: Desk) -> str:
    if run is None or ev.campaign not in w.serves.get(ev.agent, ()):
        return f"you do not serve a campaign {ev.campaign}"
    if not run.flow.pull:
        return f"{ev.campaign} hands its leads out by itself; leads are taken in manual campaigns"
    if not run.dials:
        return f"{ev.campaign} is {run.life.state.value}" + (f": {run.life.reason}" if run.life.reason else "")
    if not w.eligible(run, ev.agent):
        return "you are paused in this campaign" if ev.campaign in desk.paused else "open your campaign screen first"
    if desk.taking is not None:
        return "a lead is being fetched for you"
    if agent.state is AgentState.WRAP_UP:
        return "end your wrap-up first"
    if agent.status is not AgentStatus.AVAILABLE:
        return "say first that you are available"
    if not agent.free:
        return "you have a call" if agent.call is not None else "your phone is not connected"
    if not w.may_dial():
        why = "the switch is not linked" if not w.linked else "the database is away" if not w.store_up else "the daemon is ending"
        return f"nothing can be dialled now: {why}"
    return ""


def taken(w: World, ev: ag.LeadTaken) -> None:
    """The store's answer. Much may have changed since it was asked."""
    desk, run = w.desk(ev.agent), w.runs.get(ev.campaign)
    if desk.taking == ev.command_id:
        desk.taking = None
    w.touch(ev.agent)
    if ev.gate == "no_lead" and run is not None:
        ask_what_is_left(w, run)
    if ev.lead is None:
        w.out.append(Reply(ev.command_id, False, REFUSALS.get(ev.gate, ev.gate or "no lead is ready")))
        return
    agent = w.agents.get(ev.agent)
    refusal = "you are not free any more"
    if w.may_dial() and run is not None and run.dials and agent is not None and agent.free and w.eligible(run, ev.agent):
        answers = ask_gates(w, run, ev.lead)
        if not isinstance(answers, Check):
            call_id = place_for_agent(w, run, ev.lead, ev.agent, answers)
            left = "" if ev.left is None else f"; {ev.left} more today"
            w.out.append(Reply(ev.command_id, True, f"lead {ev.lead.id} is yours, call {call_id}{left}"))
            return
        refusal = answers.reason
    w.out.append(ReturnLeads(ev.campaign, (LeadReturn(ev.lead.id, ev.lead.ready_at, ""),)))
    w.out.append(Reply(ev.command_id, False, refusal))


def accept(w: World, ev: ag.AcceptPreview) -> None:
    call = call_of(w, ev, ev.call)
    if call is None:
        return
    if call.state is not CallState.PREVIEWING or call.accepted:
        reply(w, ev, False, "there is nothing to accept")
        return
    feed(w, call.id, calls.Accepted())
    reply(w, ev, True, "accepted")


def extend_preview(w: World, ev: ag.ExtendPreview) -> None:
    call = call_of(w, ev, ev.call)
    if call is None:
        return
    times, by_s = w.runs[call.campaign].flow.extend
    if call.state is not CallState.PREVIEWING or call.preview_until is None:
        reply(w, ev, False, "no time runs before this call")
    elif call.extended >= times:
        reply(w, ev, False, f"this campaign lets you prolong it {_times(times)}" if times else "this campaign does not let you prolong it")
    else:
        feed(w, call.id, calls.Prolonged(by_s))
        reply(w, ev, True, f"{by_s:g} s more")


def dial_now(w: World, ev: ag.DialNow) -> None:
    call = call_of(w, ev, ev.call)
    if call is None:
        return
    if call.state is not CallState.PREVIEWING:
        reply(w, ev, False, "it is being dialled already" if call.state in UNDIALED or call.answered_at is None else "you are in the call")
        return
    feed(w, call.id, calls.DialNow())
    reply(w, ev, True, "dialling")


def skip(w: World, ev: ag.SkipLead) -> None:
    call = call_of(w, ev, ev.call)
    if call is None:
        return
    if call.state is not CallState.PREVIEWING:
        reply(w, ev, False, "it is being dialled; hang up instead")
        return
    rule = getattr(getattr(w.runs[call.campaign].definition.options, "preview", None), "skip", None)
    skips = w.desk(ev.agent).skips
    while skips and skips[0] <= w.now - HOUR_S:
        skips.popleft()
    if rule is not None and rule.allowed is not None and len(skips) >= rule.allowed:
        reply(w, ev, False, f"this campaign lets you skip {rule.allowed} an hour" if rule.allowed else "this campaign does not let you skip")
    elif rule is not None and rule.reason == "required" and not ev.reason.strip():
        reply(w, ev, False, "say why you skip: this campaign wants a reason")
    else:
        skips.append(w.now)
        w.clocks.count(ev.agent, "skipped", w.now)
        w.tell(call.id, "skipped", ev.reason)
        feed(w, call.id, calls.Skip())
        reply(w, ev, True, "skipped; it comes again behind the others")


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"


# --- after the call -------------------------------------------------------------------------------------------------------------------


def extend_wrap_up(w: World, ev: ag.ExtendWrapUp) -> None:
    if not known(w, ev):
        return
    agent, desk = w.agents[ev.agent], w.desk(ev.agent)
    run = w.runs.get(desk.last.campaign) if desk.last is not None else None
    in_rest = agent.state is AgentState.WRAP_UP and agent.rest_until is not None
    if not in_rest or agent.rest_until is None or run is None or desk.last is None or not desk.last.met or desk.last.id != desk.rest_of:
        reply(w, ev, False, "you are not in a wrap-up")
        return
    times, by_s = run.definition.wrap_up.extend
    if desk.extensions >= times:
        reply(w, ev, False, f"this campaign lets you prolong it {_times(times)}" if times else "this campaign does not let you prolong it")
        return
    desk.extensions += 1
    w.rest_longer(ev.agent, agent.rest_until + by_s)
    reply(w, ev, True, f"{by_s:g} s more")


def end_wrap_up(w: World, ev: ag.EndWrapUp) -> None:
    if not known(w, ev):
        return
    if w.agents[ev.agent].state is not AgentState.WRAP_UP:
        reply(w, ev, False, "you are not in a wrap-up")
        return
    w.rest_over(ev.agent)
    reply(w, ev, True, "ready" if w.agents[ev.agent].status is AgentStatus.AVAILABLE else "your wrap-up is over")


def disposed(w: World, ev: ag.Disposed) -> None:
    """A result was filed for his call: for the one that is up it is kept, else it may end the wrap-up."""
    if not known(w, ev):
        return
    agent, desk = w.agents[ev.agent], w.desk(ev.agent)
    meant = ev.call or agent.call or (desk.last.id if desk.last is not None else None)
    w.touch(ev.agent)
    if meant is not None and meant == agent.call and meant in w.calls:
        call = w.calls[meant]
        desk.last = LastCall(call.id, call.campaign, call.lead.id, call.bridged_at is not None, disposed=True)
    elif desk.last is not None and desk.last.id == meant:
        desk.last = LastCall(desk.last.id, desk.last.campaign, desk.last.lead, desk.last.met, disposed=True)
        run = w.runs.get(desk.last.campaign)
        its_rest = agent.state is AgentState.WRAP_UP and desk.last.met and desk.last.id == desk.rest_of
        if its_rest and run is not None and run.definition.wrap_up.early:
            w.rest_over(ev.agent)
    reply(w, ev, True, "filed")


def unfinished(w: World, agent_id: AgentId) -> bool:
    """His wrap-up has run out before he filed a result, and the campaign does not send him the next call then."""
    desk = w.desks.get(agent_id)
    if desk is None or desk.last is None or desk.last.id != desk.rest_of or desk.last.disposed or not desk.last.met:
        return False
    run = w.runs.get(desk.last.campaign)
    return run is not None and run.definition.wrap_up.at_end == "not_available"


HANDLERS: dict[type[Event], Callable[[World, Any], None]] = {
    ag.OpenScreen: open_screen,
    ag.CloseScreen: close_screen,
    ag.AgentHeard: heard,
    ag.PauseInCampaign: pause_in_campaign,
    ag.TakeLead: take,
    ag.LeadTaken: taken,
    ag.AcceptPreview: accept,
    ag.ExtendPreview: extend_preview,
    ag.DialNow: dial_now,
    ag.SkipLead: skip,
    ag.ExtendWrapUp: extend_wrap_up,
    ag.EndWrapUp: end_wrap_up,
    ag.Disposed: disposed,
    ag.WatchAgent: pictures.watch,
}
