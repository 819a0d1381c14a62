"""How many calls to place now, and placing them: leases of idle agents, the mode's decision, the limits, the gates, the hopper."""

from __future__ import annotations

from fs_dialer.core import agent as agents
from fs_dialer.core import campaign as campaigns
from fs_dialer.core.actions import ClaimLeads, ReturnLeads
from fs_dialer.core.call_words import Begin, Call
from fs_dialer.core.calling import feed, match_waiting
from fs_dialer.core.leads import first_refusal
from fs_dialer.core.lifecycle import live
from fs_dialer.core.mode_port import Clocks, View
from fs_dialer.core.model import AgentId, AgentState, AttemptId, CallState, CampaignId, Lead, LeadReturn, LegId
from fs_dialer.core.world import Run, World

PACE_TICK_S = 0.5
HOPPER_S = 10.0  # of the fastest pace
HOPPER_LEAST = 20
HOPPER_PER_AGENT = 4
CLAIM_RETRY_S = 5.0
CLAIM_IDLE_S = 30.0
LAG_LIMIT_S = 1.0  # of the inbox; past it nothing new is dialled
RINGING = (CallState.QUEUED, CallState.RINGING_AGENT_FIRST, CallState.DIALING, CallState.EARLY)


def pace(w: World) -> None:
    """After every event that changed who is free, what is up, or what may be dialled."""
    w.pace_due = False
    match_waiting(w)
    if not w.may_dial():
        return
    for run in w.runs.values():
        _refill(w, run)
    if w.lag_s > LAG_LIMIT_S:
        return
    leases = _lease(w)
    held_by_room = False
    for run in w.runs.values():
        if run.running:
            held_by_room |= _place_for(w, run, leases.get(run.definition.id, []))
    if held_by_room:
        _wake_for_room(w)


def _lease(w: World) -> dict[CampaignId, list[AgentId]]:
    """Every idle agent goes to one campaign that could use him: highest priority, then the one furthest below its share."""
    leases: dict[CampaignId, list[AgentId]] = {}
    for agent_id in sorted(w.idle, key=lambda a: (w.agents[a].idle_since, a)) if len(w.idle) > 1 else list(w.idle):
        best: Run | None = None
        best_key: tuple[float, float] = (0.0, 0.0)
        for run in w.runs_of(agent_id):
            if not run.running or not (run.hopper or run.waiting):
                continue
            lent = len(leases.get(run.definition.id, ()))
            key = (-run.definition.priority, (run.given + lent) / run.definition.weight)
            if best is None or key < best_key:
                best, best_key = run, key
        if best is not None:
            leases.setdefault(best.definition.id, []).append(agent_id)
    return leases


def _place_for(w: World, run: Run, leased: list[AgentId]) -> bool:
    """Ask the mode, clamp, place. True when lines or rate held it back."""
    room = _room(w, run)
    view = _view(w, run, leased, room)
    decision = run.mode.decide(view, w.now, run.definition, run.memory)
    run.because = decision.because
    wanted = decision.originate + decision.previews
    placed = 0
    while placed < min(wanted, room) and run.hopper:
        lead = run.hopper.popleft()
        if not _gates_open(w, run, lead):
            continue
        agent_id = leased.pop(0) if run.flow.reserve_agent and leased else None
        if run.flow.reserve_agent and agent_id is None:
            run.hopper.appendleft(lead)
            break
        _place(w, run, lead, agent_id)
        placed += 1
    if wanted and not run.hopper:
        run.because = "no lead is ready" if not run.claiming else "leads are being fetched"
    if len(run.hopper) * 2 < _hopper_size(w, run):
        _refill(w, run)
    return room < max(1, len(leased) + wanted - placed) and room <= placed


def _room(w: World, run: Run) -> int:
    room = w.ledger.room(w.now)
    if run.definition.lines is not None:
        room = min(room, run.definition.lines - len(run.calls))
    by_gateway = sum(w.ledger.gateway_room(g, w.now) for g in w.gateway_of(run))
    return max(0, min(room, by_gateway))


def _view(w: World, run: Run, leased: list[AgentId], room: int) -> View:
    ringing = 0
    if not run.flow.reserve_agent:
        ringing = sum(1 for call_id in run.calls if w.calls[call_id].state in RINGING)

    def clocks() -> Clocks:
        mine = [w.calls[c] for c in run.calls]
        crew = [w.agents[AgentId(p)] for p in run.definition.agents.people if AgentId(p) in w.agents]
        return Clocks(
            [(c.dialed_at, c.lead.answer_probability) for c in mine if c.state in RINGING and c.dialed_at is not None],
            [a.since for a in crew if a.state in (AgentState.TALKING, AgentState.HELD, AgentState.CONSULTING)],
            [a.since for a in crew if a.state is AgentState.WRAP_UP],
        )

    return View(len(leased), len(run.waiting), ringing, run.staying, room, clocks)


def _gates_open(w: World, run: Run, lead: Lead) -> bool:
    """The same checks that explain prints; a refused lead goes back with the reason and the time to ask again."""
    check = first_refusal(lead, run.definition, run.life.state, w.now, run.hours_for(lead.zones, w.now))
    if check is None:
        return True
    until = lead.ready_at if check.until is None else check.until
    w.out.append(ReturnLeads(run.definition.id, (LeadReturn(lead.id, until, check.gate),)))
    return False


def _place(w: World, run: Run, lead: Lead, agent_id: AgentId | None) -> None:
    call_id = AttemptId(w.new_id())
    call = Call(call_id, run.definition.id, lead, LegId(w.new_id()), run.plan)
    if agent_id is not None:
        agent = w.agents[agent_id]
        if run.flow.preview_s is not None:
            w.step_agent(agent_id, agents.ShowPreview(call_id))
        else:
            w.step_agent(agent_id, agents.Reserve(call_id))
        ready = agent.nailed and agent.leg is not None
        call = Call(
            call_id, run.definition.id, lead, call.lead_leg, run.plan, agent=agent_id, agent_leg=agent.leg, agent_ready=ready, nailed=agent.nailed
        )
        run.given += 1
    w.calls[call_id] = call
    run.calls[call_id] = None
    w.tell(call_id, "placed", f"lead {lead.id} of {run.definition.id}, agent {agent_id or '-'}")
    feed(w, call_id, Begin())


def _wake_for_room(w: World) -> None:
    """Held back by the rate alone: come back when its next token is there. A line that frees wakes us by its own event."""
    at = w.ledger.next_token_at(w.now)
    if at is not None and ("pace",) not in w.timers:
        w.timers.set(("pace",), at)


# --- the hopper -----------------------------------------------------------------------------------------------------------------------


def _hopper_size(w: World, run: Run) -> int:
    crew = len(run.definition.agents.people)
    return int(min(max(HOPPER_LEAST, HOPPER_S * w.installation.cps), HOPPER_LEAST + HOPPER_PER_AGENT * crew))


def _refill(w: World, run: Run) -> None:
    """Claim up to about ten seconds' worth of leads whose zones are open now, when half of that is gone."""
    size = _hopper_size(w, run)
    if not run.running or run.claiming or len(run.hopper) * 2 >= size or not w.may_dial():
        return
    if w.now < run.claim_at:
        w.timers.set(("claim", run.definition.id), run.claim_at)
        return
    verdicts = [(zones, run.hours_for(zones, w.now)) for zones in run.zone_sets]
    open_sets = tuple(zones for zones, verdict in verdicts if verdict.open)
    if not open_sets:
        openings = [verdict.until for _, verdict in verdicts if verdict.until is not None]
        if openings:
            run.because = "outside working hours"
        run.claim_at = min(openings, default=w.now + CLAIM_IDLE_S)
        w.timers.set(("claim", run.definition.id), run.claim_at)
        if run.zone_sets:
            return
    run.claiming = True
    w.out.append(ClaimLeads(run.definition.id, size - len(run.hopper), open_sets))


def leads_claimed(w: World, run: Run, leads: tuple[Lead, ...], next_ready_at: float | None, unfinished: bool) -> None:
    run.claiming = False
    if not run.running:
        if leads:
            w.out.append(ReturnLeads(run.definition.id, tuple(LeadReturn(lead.id, lead.ready_at, "paused") for lead in leads)))
        return
    run.hopper.extend(leads)
    if not leads:
        run.unfinished = unfinished
        wait = CLAIM_IDLE_S if next_ready_at is None else max(0.05, next_ready_at - w.now)
        run.claim_at = w.now + min(wait, CLAIM_IDLE_S)
        w.timers.set(("claim", run.definition.id), run.claim_at)
    w.pace_due = True


def claim_failed(w: World, run: Run) -> None:
    run.claiming = False
    run.claim_at = w.now + CLAIM_RETRY_S
    w.timers.set(("claim", run.definition.id), run.claim_at)


def end_if_done(w: World) -> None:
    """Goal all_processed: nothing is up, nothing is claimed, and the store says that no lead can be dialled ever again (M9, M10)."""
    for run in w.runs.values():
        done = not (run.unfinished or run.calls or run.hopper or run.claiming)
        if run.running and done and run.definition.leads.new_rows == "leave":
            live(w, run, campaigns.ListDone())
