"""Campaigns and agents come and change: definitions from the store, people's commands, start and end times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fs_dialer.core import agent as agents
from fs_dialer.core import campaign as campaigns
from fs_dialer.core import events
from fs_dialer.core.actions import Action, AskLeg, Hangup, OriginateAgent, Reply, ReturnLeads, SaveAgentTimes, SaveMemory, StoreAgentStatus, StoreCampaignState
from fs_dialer.core.agent_times import SAVE_EVERY_S as TIMES_EVERY_S
from fs_dialer.core.call_words import Plan
from fs_dialer.core.definition import Campaign
from fs_dialer.core.flow import attributes_used
from fs_dialer.core.mode_port import NOT_DIALLED, Flow, Mode
from fs_dialer.core.model import AgentId, AgentState, AgentStatus, CampaignId, CampaignState, CampaignType, LeadReturn, LegId
from fs_dialer.core.schedule import next_day
from fs_dialer.core.stats import TimeUse
from fs_dialer.core.switches import for_nail
from fs_dialer.core.world import NAIL_SOON_S, LegRole, Run, World

RINGBACK = "tone_stream://" + "%(1000,4000,425)" * 8  # forty seconds of the tone that a caller hears while the other phone rings
SAVE_EVERY_S = 10.0
NAIL_RETRY_FIRST_S = 5.0
NAIL_RETRY_MOST_S = 60.0
NAIL_RING_S = 30.0
NAIL_UNHEARD_S = 15.0  # past its ring time; then the switch is asked whether the leg ever came to be


# --- campaigns ------------------------------------------------------------------------------------------------------------------------


def load_campaign(w: World, ev: events.CampaignLoaded, mode: Mode) -> None:
    """A campaign appears, or its row or leads changed. Calls that are up keep the plan they were placed with."""
    definition = ev.campaign
    flow = mode.flow(definition)
    run = w.runs.get(definition.id)
    if run is None:
        memory = _memory(mode, ev, w.now)
        life = campaigns.Life(ev.state, ev.started)
        run = Run(definition, life, mode, flow, plan_of(definition, flow), memory, ev.zone_sets, needs_screen=definition.needs_screen)
        w.runs[definition.id] = run
        run.today = ev.today or (0, 0)
        run.day_ends = next_day(w.now, definition.window.zone)
        w.tell(definition.id, "loaded", f"revision {definition.revision}, {ev.state.value}")
    else:
        if definition != run.definition:
            empty_hopper(w, run, "redefined")
            run.definition, run.mode, run.flow, run.plan, run.ways = definition, mode, flow, plan_of(definition, flow), None
            run.needs_screen = definition.needs_screen
            w.tell(definition.id, "redefined", f"revision {definition.revision}")
        run.zone_sets = ev.zone_sets
        run.hours.clear()
    run.lead_odds, run.learn = getattr(mode, "lead_odds", None), getattr(mode, "learn", None)
    if hasattr(mode, "save") and ("memory",) not in w.timers:
        w.timers.set(("memory",), w.now + SAVE_EVERY_S)
    if flow.pull:
        run.because = "agents take their customers themselves"
    if run.claiming:
        run.back_at = min(run.back_at, w.now)  # the claim that is under way may not have seen the leads that have just come
    run.claim_at, run.unfinished, run.hopper_size = w.now, True, 0
    settle_serves(w)
    _set_window_timers(w, run)
    w.pace_due = True


def _memory(mode: Mode, ev: events.CampaignLoaded, now: float) -> Any:
    """What it has learnt; today's calls are counted by the store, so that a crash never refills the budget of missed ones."""
    restore = getattr(mode, "restore", None)
    if restore is None:
        return ev.memory if ev.memory is not None else mode.new_memory(ev.campaign)
    memory = restore(ev.campaign, ev.memory, now)
    if ev.today is not None:
        mode.recount(memory, *ev.today)  # type: ignore[attr-defined]
    return memory


def save_memories(w: World) -> None:
    """Of every mode that keeps something."""
    for run in w.runs.values():
        save = getattr(run.mode, "save", None)
        if save is not None and run.running:
            w.out.append(SaveMemory(run.definition.id, save(run.memory)))
            w.timers.set(("memory",), w.now + SAVE_EVERY_S)


def save_times(w: World) -> None:
    """How agents have spent their time since the last time."""
    rows = w.clocks.take(w.now)
    if rows:
        w.out.append(SaveAgentTimes(rows))
    w.timers.set(("times",), w.now + TIMES_EVERY_S)


def plan_of(definition: Campaign, flow: Flow) -> Plan:
    waiting = definition.waiting
    return Plan(
        flow.first_leg,
        flow.on_answer,
        flow.preview_s,
        definition.least_ring_s,
        definition.agent_ring_s,
        waiting.at_most_s,
        waiting.music,
        waiting.notice,
        flow.ivr,
        preview_end=flow.preview_end,
        accept=flow.accept,
        ringback=RINGBACK if flow.first_leg == "agent" else "",
        agent_hears=definition.agent_hears,
        record=definition.recording.calls,
        record_pause=definition.recording.pause,
        stereo=definition.recording.stereo,
        zone=definition.window.zone,
        script=flow.script,
        attributes=() if flow.script is None else attributes_used(flow.script),
        detect=flow.detect,
        machines=flow.machines,
        message=flow.message,
        message_succeeds=flow.message_succeeds,
    )


def load_teams(w: World, ev: events.TeamsLoaded) -> None:
    """Who is in which team; whoever left one finishes the call he has."""
    if w.teams != ev.teams:
        w.teams = dict(ev.teams)
        settle_serves(w)
        w.pace_due = True


def settle_serves(w: World) -> None:
    w.serves = {agent: [] for agent in w.agents}
    for run in w.runs.values():
        named = run.definition.agents
        people = _people(w, named.people, named.teams)
        run.node_crews = _node_crews(w, run, people)
        run.crew = tuple(dict.fromkeys((*people, *(person for crew in run.node_crews.values() for person in crew))))
        run.hopper_size = 0
        for person in run.crew:
            w.serves.setdefault(person, []).append(run.definition.id)
    w.recount_staying()


def _people(w: World, people: Sequence[str], teams: Sequence[str]) -> tuple[AgentId, ...]:
    return (*(AgentId(person) for person in people), *(person for team in teams for person in w.teams.get(team, ())))


def _node_crews(w: World, run: Run, own: tuple[AgentId, ...]) -> dict[str, tuple[AgentId, ...]]:
    """Who serves each connect node of its flow: who is named there, else the campaign's own agents (S64)."""
    nodes = () if run.plan.script is None else tuple(node for node in run.plan.script.nodes if node.do == "connect")
    return {node.name: _people(w, node.people, node.teams) if node.people or node.teams else own for node in nodes}


def _set_window_timers(w: World, run: Run) -> None:
    window = run.definition.window
    for name, at in (("opens", window.start), ("closes", window.end)):
        key = (name, run.definition.id)
        if at is not None and (name == "closes" or at > w.now) and run.life.state is not CampaignState.ENDED:
            w.timers.set(key, max(at, w.now))
        else:
            w.timers.clear(key)
    if run.life.state is CampaignState.APPROVED and run.life.started and in_window(run, w.now):
        live(w, run, campaigns.WindowOpened())


def in_window(run: Run, now: float) -> bool:
    window = run.definition.window
    return (window.start is None or now >= window.start) and (window.end is None or now < window.end)


def live(w: World, run: Run, ev: campaigns.Input, who: str = "daemon") -> campaigns.Answer:
    """Step a campaign's life and do what a change of state brings."""
    old = run.life
    run.life, answer = campaigns.step(old, ev)
    if run.life != old:
        d = run.definition
        w.out.append(StoreCampaignState(d.id, d.revision, run.life.state, run.life.started, run.life.reason, who))
        w.pace_due = True
    if run.life.state is not old.state:
        w.tell(run.definition.id, type(ev).__name__, (old.state, run.life.state))
        w.note("INFO", "campaign", campaign=run.definition.id, state=run.life.state.value, reason=run.life.reason or who)
        if not run.running:
            empty_hopper(w, run, "paused")
            w.stopped.append(run)
        else:
            run.claim_at, run.unfinished = w.now, True
    return answer


def empty_hopper(w: World, run: Run, gate: str) -> None:
    """Claimed leads that will not be dialled now go back to the store."""
    if run.hopper or run.promised:
        leads = (*run.promised.values(), *run.hopper)
        w.out.append(ReturnLeads(run.definition.id, tuple(LeadReturn(lead.id, lead.ready_at, gate) for lead in leads)))
        run.back_at = min(run.back_at, *(lead.ready_at for lead in leads))
        run.hopper.clear()
        run.promised.clear()


def window_due(w: World, name: str, campaign: CampaignId) -> None:
    run = w.runs.get(campaign)
    if run is not None:
        live(w, run, campaigns.WindowOpened() if name == "opens" else campaigns.WindowClosed(len(run.calls)))


def command_campaign(w: World, ev: events.CommandEvent, campaign: CampaignId) -> None:
    """approve, start, pause, end: the answer goes back under the command's id."""
    run = w.runs.get(campaign)
    if run is None or run.queue is not None:
        w.out.append(Reply(ev.command_id, False, f"there is no campaign {campaign}"))
        return
    step: campaigns.Input
    now_in = in_window(run, w.now)
    if isinstance(ev, events.ApproveCampaign):
        if ev.revision is not None and ev.revision != run.definition.revision:
            newest = run.definition.revision
            text = f"revision {ev.revision} is not the newest; {newest} is" + (" (as far as the daemon has read)" if ev.revision > newest else "")
            w.out.append(Reply(ev.command_id, False, text))
            return
        step = campaigns.Approve(now_in, run.definition.type is CampaignType.CALLBACK and run.mode is not NOT_DIALLED)
    elif isinstance(ev, events.StartCampaign) and run.mode is NOT_DIALLED:
        text = f"{campaign}: this version defines and checks {run.definition.type.value} campaigns and does not dial them yet"
        w.out.append(Reply(ev.command_id, False, text))
        return
    elif isinstance(ev, events.StartCampaign):
        w.breakers.forgive(w.ways_of(run), w.now)  # whoever says start wants it tried now
        step = campaigns.Start(now_in)
    elif isinstance(ev, events.PauseCampaign):
        step = campaigns.Pause(ev.why)
    else:
        step = campaigns.End(len(run.calls), ev.why if isinstance(ev, events.EndCampaign) else "")
    answer = live(w, run, step, ev.who)
    w.out.append(Reply(ev.command_id, answer.ok, f"{campaign}: {answer.text}"))


# --- agents ---------------------------------------------------------------------------------------------------------------------------


def load_agent(w: World, ev: events.AgentLoaded) -> None:
    agent_id = ev.agent.id
    known = w.agents.get(agent_id)
    if known is None:
        w.agents[agent_id] = agents.new_agent(ev.agent, ev.status, w.now)
        w.time_use[agent_id] = TimeUse()
        w.clocks.moved(w.agents[agent_id], w.now)
        if ("times",) not in w.timers:
            w.timers.set(("times",), w.now + TIMES_EVERY_S)
        w.settle_idle(w.agents[agent_id])
    else:
        if known.definition != ev.agent:
            _redefine(w, known, ev)
        if w.agents[agent_id].status is not ev.status:
            _declare(w, agent_id, ev.status, "store", "", store=False)
    settle_serves(w)
    nail(w, agent_id)


def _redefine(w: World, known: agents.Agent, ev: events.AgentLoaded) -> None:
    """A new dial string is used from the next call on; a nailed leg to the old one is given up when it is free."""
    changed = known.definition.dial_string != ev.agent.dial_string or known.definition.leg is not ev.agent.leg
    new = replace(known, definition=ev.agent)
    if changed and known.leg is None and known.state in (AgentState.LEG_DOWN, AgentState.IDLE):
        new = replace(agents.new_agent(ev.agent, known.status, w.now), missed_in_row=known.missed_in_row, calls=known.calls)
        _stop_nailing(w, known.id)
    w.agents[known.id] = new
    if changed and known.leg in w.legs:
        w.legs[known.leg].unwanted = True
        w.let_leg_go(new)
    w.settle_idle(new)


def _stop_nailing(w: World, agent_id: AgentId) -> None:
    """A nailed leg that still rings is not wanted any more; its end is waited for before another is asked for."""
    leg = w.nailing.get(agent_id)
    if leg is not None and leg in w.legs:
        w.legs[leg].unwanted = True
        w.out.append(Hangup(leg, "ORIGINATOR_CANCEL"))


def remove_agent(w: World, agent_id: AgentId) -> None:
    """He is in no file any more: he finishes what he has and gets nothing new."""
    if agent_id in w.agents:
        _declare(w, agent_id, AgentStatus.LOGGED_OUT, "store", "removed", store=False)


def command_agent(w: World, ev: events.SetAgentStatus) -> None:
    agent = w.agents.get(ev.agent)
    if agent is None:
        w.out.append(Reply(ev.command_id, False, f"there is no agent {ev.agent}"))
        return
    _declare(w, ev.agent, ev.status, ev.who, ev.reason, store=True)
    now_state = w.agents[ev.agent].state
    after = "; takes effect after this call" if ev.status is not AgentStatus.AVAILABLE and now_state not in (AgentState.IDLE, AgentState.LEG_DOWN) else ""
    w.out.append(Reply(ev.command_id, True, f"{ev.agent}: {ev.status.value}{after}"))


def _declare(w: World, agent_id: AgentId, status: AgentStatus, who: str, reason: str, *, store: bool) -> None:
    before = len(w.out)
    w.step_agent(agent_id, agents.Declare(status), who, reason)
    if not store:
        kept: list[Action] = [a for a in w.out[before:] if not isinstance(a, StoreAgentStatus)]
        w.out[before:] = kept
    if status is AgentStatus.LOGGED_OUT:
        _stop_nailing(w, agent_id)
        w.logged_out.append(agent_id)
    nail(w, agent_id)


def nail(w: World, agent_id: AgentId) -> None:
    """Call a nailed agent's phone once, when he is logged in and has no leg. Tried again with growing pauses."""
    agent = w.agents[agent_id]
    if not agent.nailed or agent.leg is not None or agent.status is not AgentStatus.AVAILABLE or agent.state is not AgentState.LEG_DOWN:
        return
    if not w.linked or w.draining or ("nail", agent_id) in w.timers:
        return
    if agent_id in w.nailing:
        return
    switch = (for_nail(w, agent_id) if w.several else w.installation.switch) if w.ledger.room(w.now) > 0 else None
    if switch is None:
        w.to_nail[agent_id] = None
        w.pace_due = True
        return
    w.to_nail.pop(agent_id, None)
    leg = LegId(w.new_id())
    w.legs[leg] = LegRole("nailed", None, agent_id, switch)
    w.nailing[agent_id] = leg
    w.timers.set(("unheard", leg), w.now + NAIL_RING_S + NAIL_UNHEARD_S)
    w.ledger.originated(leg, None, switch)
    w.out.append(OriginateAgent(leg, agent_id, None, switch, agent.definition.dial_string, "", NAIL_RING_S, True, agent.definition.auto_answer))


def nail_waiting(w: World) -> None:
    """Agents who wait for a line or the rate to be called: before any lead, for without them nobody should be dialled."""
    for agent_id in list(w.to_nail):
        if w.ledger.room(w.now) <= 0:
            return
        del w.to_nail[agent_id]
        nail(w, agent_id)


def ask_unheard(w: World, leg: LegId) -> None:
    """A nailed leg that was asked for and is neither parked nor over: its originate may have been lost on the way."""
    role = w.legs.get(leg)
    if role is not None and role.agent is not None and w.nailing.get(role.agent) == leg:
        w.timers.set(("unheard", leg), w.now + NAIL_UNHEARD_S)
        if w.fleet.get(role.switch).linked:
            w.out.append(AskLeg(leg))


def nail_failed(w: World, agent_id: AgentId, *, moving: bool = False) -> None:
    """His phone did not answer, or he hung it up. `moving`: we did, to call him by another switch."""
    w.nailing.pop(agent_id, None)
    if moving:
        w.timers.set(("nail", agent_id), w.now + NAIL_SOON_S)
        return
    tries = w.nail_tries.get(agent_id, 0) + 1
    w.nail_tries[agent_id] = tries
    w.timers.set(("nail", agent_id), w.now + min(NAIL_RETRY_FIRST_S * 2 ** (tries - 1), NAIL_RETRY_MOST_S))


def nailed(w: World, agent_id: AgentId) -> None:
    w.nailing.pop(agent_id, None)
    w.nail_tries.pop(agent_id, None)
