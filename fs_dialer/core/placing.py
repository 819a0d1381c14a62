"""How many calls to place now, and placing them: leases of idle agents, the mode's decision, the limits, the gates, the hopper."""

from __future__ import annotations

from collections.abc import Sequence

from fs_dialer.core import agent as agents
from fs_dialer.core import callers
from fs_dialer.core.actions import ReturnLeads
from fs_dialer.core.call_words import Begin, Call
from fs_dialer.core.caller_ids import Resting, Way, healthy
from fs_dialer.core.calling import NO_LINE_S, ask_gates, feed, match_waiting, open_ways, send_due_legs
from fs_dialer.core.closing import pause_hopeless
from fs_dialer.core.fleet import NO_SWITCH
from fs_dialer.core.flow_places import why_not
from fs_dialer.core.hopper import refill
from fs_dialer.core.lead_order import with_odds
from fs_dialer.core.leads import CALLER_ID, LINES, Check
from fs_dialer.core.lifecycle import nail_waiting
from fs_dialer.core.mode_port import Clocks, View
from fs_dialer.core.model import AgentId, AgentState, AttemptId, CallState, CampaignId, Lead, LeadReturn, LegId, SwitchId
from fs_dialer.core.promises import PROMISE_S
from fs_dialer.core.retry import REMEDY
from fs_dialer.core.sharing import Standing, Wanted, counted_on, demand, standings
from fs_dialer.core.switches import any_usable, can_dial_for, choose, home_of, room_by
from fs_dialer.core.whose_turn import in_turn, took_turn
from fs_dialer.core.world import Run, World

SHUT_AGAIN_S = 600.0  # a lead whose gate opens by no time of its own is not asked again before; else it would be claimed and refused without end
ASK_EVERY_S = 0.5  # of a mode that dials ahead: talks grow old, and their ends come nearer, without any event
ASK_FEW_EVERY_S = 1.0  # with few agents it is asked after every event, too
ASKED_AT_ONCE = 60  # with more agents than this it is asked no more often
LAG_LIMIT_S = 1.0  # of the inbox; past it nothing new is dialled
RINGING = (CallState.QUEUED, CallState.RINGING_AGENT_FIRST, CallState.DIALING, CallState.EARLY)


def pace(w: World) -> None:
    """After every event that changed who is free, what is up, or what may be dialled."""
    w.pace_due = False
    if w.due_legs:
        send_due_legs(w)
    match_waiting(w)
    if w.needing or (w.idle and any(run.waiting for run in w.runs.values())):
        callers.match(w, _able(w))
    if w.to_nail:
        nail_waiting(w)
    if w.due_legs or w.to_nail or any(run.waiting for run in w.runs.values()):
        _wake_for_room(w)
    if not w.may_dial():
        return
    for run in w.runs.values():
        refill(w, run)
    if w.lag_s > LAG_LIMIT_S or not (w.idle or any(_to_be_asked(run) for run in w.runs.values())):
        return
    if w.ledger.room(w.now) <= 0:
        _no_room(w)
        return
    places = standings(w)
    leases = _lease(w, places) if w.idle else {}
    held_by_room = False
    for run in sorted(w.runs.values(), key=lambda r: (places[r.definition.id], len(r.calls) / r.definition.weight)):  # lines are shared like agents (S59)
        if run.dials:
            held_by_room |= _place_for(w, run, leases.get(run.definition.id, []))
    if held_by_room:
        _wake_for_room(w)


def _to_be_asked(run: Run) -> bool:
    """Whether a campaign may want calls although nobody is idle, or its mode has not been told yet that nobody is."""
    return run.dials and not (run.flow.reserve_agent and run.told_all_busy and run.staying)


def _no_room(w: World) -> None:
    """Not one more leg is allowed now: nobody needs to be asked how many calls he would like."""
    if not w.idle and not any(run.dials and run.plan.in_flow and run.hopper for run in w.runs.values()):
        return
    for run in w.runs.values():
        if run.running:
            run.because = "the installation's lines or calls per second are used up"
            run.told_all_busy = False
    _wake_for_room(w)


def _able(w: World) -> set[CampaignId]:
    """The campaigns that would dial for a free agent now."""
    if not w.may_dial() or w.lag_s > LAG_LIMIT_S:
        return set()
    return {run.definition.id for run in w.runs.values() if run.dials and (run.hopper or run.promised) and _can_place(w, run)}


def _lease(w: World, places: dict[CampaignId, Standing]) -> dict[CampaignId, list[AgentId]]:
    """Every idle agent goes to one campaign that could use him: the first in the order of work (sharing.py), then the one furthest below its share. One that
    can place no call now, or has agents for all its leads, gets whom nobody else can use, where it has nobody or may choose among them."""
    _join_competition(w)
    competing = [run for run in w.runs.values() if run.competes]
    leases: dict[CampaignId, list[AgentId]] = {}
    left: dict[CampaignId, float] = {}
    for run in competing:
        wanted = demand(w, run) if _can_place(w, run) else Wanted(0)
        left[run.definition.id] = wanted.anyone
        for agent_id in sorted(wanted.own):
            if w.several and not can_dial_for(w, run, agent_id):
                continue
            if not any(agent_id in lent for lent in leases.values()):
                leases.setdefault(run.definition.id, []).append(agent_id)
    promised = {agent_id for lent in leases.values() for agent_id in lent}
    choosy = _choosy(w, competing)

    def turn(n: int) -> tuple[bool, Standing, float, int]:
        id = competing[n].definition.id
        return left[id] <= 0, places[id], (competing[n].given + len(leases.get(id, ()))) / competing[n].definition.weight, n

    line = sorted(turn(n) for n in range(len(competing)))
    for agent_id in sorted(w.idle, key=lambda a: (w.agents[a].idle_since, a)) if len(w.idle) > 1 else list(w.idle):
        all_full = not line or line[0][0]
        if all_full and not choosy and len(leases) == len(competing):
            break
        serves = w.serves.get(agent_id, ())
        for place, (full, _, _, n) in enumerate(line):
            id = competing[n].definition.id
            if id not in serves or not w.eligible(competing[n], agent_id) or (w.several and not can_dial_for(w, competing[n], agent_id)):
                continue
            if agent_id not in promised and (choosy or not full or id not in leases):
                leases.setdefault(id, []).append(agent_id)
                left[id] -= 1
                line[place] = turn(n)
                line.sort()
            break
    for campaign, lent_agents in leases.items():
        if len(lent_agents) > 1 and w.runs[campaign].flow.reserve_agent:
            leases[campaign] = in_turn(w, w.runs[campaign], lent_agents)
    return leases


def _choosy(w: World, runs: list[Run]) -> bool:
    """Whether it matters to a campaign from how many it may choose its next agent, or it takes who has been idle longest."""
    if any(run.flow.reserve_agent and (run.definition.agents.next != "longest_idle" or run.definition.agents.sticky) for run in runs):
        return True
    return any(w.agents[a].definition.priority for a in w.idle)


def _can_place(w: World, run: Run) -> bool:
    """Neither its own lines nor a rest of all its caller ids and trunks hold it."""
    if run.definition.lines is not None and len(run.calls) >= run.definition.lines:
        return False
    if w.several and not any_usable(w, run):
        return False
    return not w.breakers.troubled or not isinstance(healthy(w.ways_of(run), "", w.breakers, w.now), Resting)


def _join_competition(w: World) -> None:
    """Who could use an agent now. A campaign that comes to it later begins at the others' share: it has no claim on the time before."""
    joined: list[Run] = []
    shares: dict[int, float] = {}
    for run in w.runs.values():
        competes = run.dials and bool(run.waiting or ((run.hopper or run.promised) and not run.plan.in_flow))
        if competes and not run.competes:
            joined.append(run)
        elif competes:
            priority = run.definition.priority
            shares[priority] = min(shares.get(priority, float("inf")), run.given / run.definition.weight)
        run.competes = competes
    for run in joined:
        run.given = max(run.given, shares.get(run.definition.priority, 0.0) * run.definition.weight)


def _place_for(w: World, run: Run, leased: list[AgentId]) -> bool:
    """Ask the mode, clamp, place. True when lines or rate held it back."""
    if not leased and not _to_be_asked(run):
        return False
    if why := why_not(w, run):
        run.because = why
        return False
    if not run.flow.reserve_agent and run.staying > ASKED_AT_ONCE and w.now < run.ask_at:
        return False
    ways = healthy(w.ways_of(run), "", w.breakers, w.now)
    if isinstance(ways, Resting):
        _rest(w, run, ways, leased)
        return False
    room = _room(w, run, ways)
    room -= _remedy(w, run, leased, room, ways)
    view = _view(w, run, leased, room)
    if not run.flow.reserve_agent and not run.plan.in_flow:
        asked = (view.idle, view.on_hold, view.ringing, view.agents, view.room > 0, bool(run.hopper))
        if w.now < run.ask_at and asked == run.asked:
            return False  # nothing that it weighs has changed
        run.asked, run.ask_at = asked, w.now + (ASK_EVERY_S if run.staying > ASKED_AT_ONCE else ASK_FEW_EVERY_S)
        w.timers.set(("ask", run.definition.id), run.ask_at)
    decision = run.mode.decide(view, w.now, run.definition, run.memory)
    run.because = decision.because
    wanted = decision.originate + decision.previews
    placed, held = 0, False
    while placed < wanted:
        promised = _promised_to(w, run, leased)
        if promised is None and not run.hopper:
            break
        agent_id = leased[0] if run.flow.reserve_agent and leased else None
        if promised is not None and promised.agent in leased:
            agent_id = promised.agent
        if run.flow.reserve_agent and agent_id is None:
            break
        if placed and w.breakers.troubled and isinstance(healthy(w.ways_of(run), "", w.breakers, w.now), Resting):
            break  # the one call that tries a resting caller id is on its way
        lines = _lines_needed(w, run, agent_id)
        if placed >= room or w.ledger.lines_left() < lines:
            held = True
            break
        switch = choose(w, run, ways, _lines_there(w, run, agent_id), agent_id) if w.several else NO_SWITCH
        if switch is None:
            held = True
            if agent_id is None:
                break
            leased.remove(agent_id)  # his switch is full; another's may not be
            continue
        lead = run.hopper.popleft() if promised is None else run.promised.pop(promised.id)
        answers = _gates_open(w, run, lead, switch)
        if answers is None:
            continue
        if agent_id is not None and promised is None and run.definition.agents.sticky and lead.met in leased and _same_home(w, lead.met, agent_id):
            agent_id = lead.met
        if agent_id is not None:
            leased.remove(agent_id)
        _place(w, run, lead, agent_id, lines, answers, switch)
        placed += 1
    if (view.agents or run.plan.in_flow) and not placed and not run.hopper:
        run.because = "outside working hours" if run.outside_hours else "leads are being fetched" if run.claiming else "no lead is ready"
    elif held and not placed:
        run.because = "no line is free for a call and its agent"
    run.told_all_busy = not leased
    if placed:
        refill(w, run)
    return held or (room <= placed and bool(leased or wanted))


def _remedy(w: World, run: Run, leased: list[AgentId], room: int, ways: Sequence[Way]) -> int:
    """Whose call was missed is called again before anyone else, and before the mode is asked: with a free agent kept for him, he can not be missed again."""
    placed = 0
    while leased and placed < room:
        lead = next((lead for lead in run.promised.values() if lead.ready_why == REMEDY), None)
        lines = _lines_needed(w, run, leased[0])
        if lead is None or w.ledger.lines_left() < lines:
            break
        switch = choose(w, run, ways, lines, leased[0]) if w.several else NO_SWITCH
        if switch is None:
            break
        del run.promised[lead.id]
        answers = _gates_open(w, run, lead, switch)
        if answers is not None:
            _place(w, run, lead, leased.pop(0), lines, answers, switch)
            placed += 1
    return placed


def _lines_needed(w: World, run: Run, agent_id: AgentId | None) -> int:
    """Of the installation: the lead's leg, and that of the agent who is rung for it. Without a reservation any idle agent may be rung next."""
    if agent_id is not None:
        return 1 if w.agents[agent_id].nailed else 2
    if run.plan.in_flow:
        return 1  # an agent is wanted by a few of many, and then comes before new calls
    return 1 + sum(1 for a in w.idle if not w.agents[a].nailed)


def _lines_there(w: World, run: Run, agent_id: AgentId | None) -> int:
    """The same of one of several switches: who may be rung next for a customer may be rung there with equal chance."""
    lines = _lines_needed(w, run, agent_id)
    usable = sum(1 for switch in w.fleet.of if w.fleet.usable(switch))
    return lines if agent_id is not None else 1 + -(-(lines - 1) // max(1, usable))


def _same_home(w: World, one: AgentId, other: AgentId) -> bool:
    return not w.several or home_of(w, w.agents[one]) == home_of(w, w.agents[other])


def _rest(w: World, run: Run, resting: Resting, leased: list[AgentId]) -> None:
    """Every way fails: nothing is placed until one may be tried."""
    run.because = f"no caller id or trunk is healthy: {resting.reason}"
    run.told_all_busy = not leased
    w.timers.set(("rested", run.definition.id), resting.until)
    if resting.hopeless:
        pause_hopeless(w)


def _room(w: World, run: Run, ways: Sequence[Way]) -> int:
    room = w.ledger.room(w.now)
    if w.several:
        room = min(room, room_by(w, run, ways))
    if run.definition.lines is not None:
        room = min(room, run.definition.lines - len(run.calls))
    by_gateway = sum(w.ledger.gateway_room(g, w.now) for g in {way.gateway for way in ways})
    return max(0, min(room, by_gateway))


def _view(w: World, run: Run, leased: list[AgentId], room: int) -> View:
    if run.flow.reserve_agent or run.plan.in_flow:
        return View(len(leased), len(run.waiting), 0, run.staying, room, lambda: Clocks((), (), ()))
    ringing = [c for c in (w.calls[call_id] for call_id in run.calls) if c.state in RINGING]
    kept = sum(1 for c in ringing if c.agent is not None)  # an agent waits for each of these: he is as good as free, and they need nobody else
    busy, own = counted_on(w, run)

    def clocks() -> Clocks:
        return Clocks(
            [(c.dialed_at, c.lead.answer_probability) for c in ringing if c.dialed_at is not None],
            [a.since for a in busy if a.state is not AgentState.WRAP_UP],
            [a.since for a in busy if a.state is AgentState.WRAP_UP],
        )

    return View(len(leased) + kept, len(run.waiting), len(ringing), own, room, clocks)


def _promised_to(w: World, run: Run, leased: list[AgentId]) -> Lead | None:
    """A callback whose agent is free now, or one that has waited for him long enough."""
    for lead in run.promised.values():
        if lead.ready_why == REMEDY and not run.flow.reserve_agent:
            continue
        if lead.agent in leased or w.now >= lead.ready_at + PROMISE_S:
            return lead
    return None


def _gates_open(w: World, run: Run, lead: Lead, switch: SwitchId) -> tuple[tuple[str, str], ...] | None:
    """The same checks that explain prints, as each answered; a refused lead goes back with the reason and the time to ask again."""
    answers = ask_gates(w, run, lead)
    if isinstance(answers, Check):
        until = max(lead.ready_at, w.now + SHUT_AGAIN_S) if answers.until is None else answers.until
        run.back_at = min(run.back_at, until)
        w.out.append(ReturnLeads(run.definition.id, (LeadReturn(lead.id, until, answers.gate),)))
        return None
    if w.breakers.troubled or run.definition.caller_id.sticky:
        ways = open_ways(w, run, lead, switch)
        if isinstance(ways, Resting):
            w.out.append(ReturnLeads(run.definition.id, (LeadReturn(lead.id, ways.until, CALLER_ID, last=True),)))
            return None
        if not ways:
            w.out.append(ReturnLeads(run.definition.id, (LeadReturn(lead.id, w.now + NO_LINE_S, LINES),)))
            return None
    return answers


def place_for_agent(w: World, run: Run, lead: Lead, agent_id: AgentId, answers: tuple[tuple[str, str], ...]) -> AttemptId:
    """A lead that this free agent took himself: it is on his card, and dialled when he says so."""
    return _place(w, run, lead, agent_id, 2, answers, (home_of(w, w.agents[agent_id]) if w.several else None) or NO_SWITCH)


def _place(
    w: World, run: Run, lead: Lead, agent_id: AgentId | None, lines: int, answers: tuple[tuple[str, str], ...], switch: SwitchId
) -> AttemptId:
    call_id = AttemptId(w.new_id())
    lead = with_odds(run, lead, w.now)
    leg, nailed = None, False
    if agent_id is not None:
        agent = w.agents[agent_id]
        if run.flow.preview_s is not None:
            w.step_agent(agent_id, agents.ShowPreview(call_id))
        else:
            w.step_agent(agent_id, agents.Reserve(call_id))
        leg, nailed = agent.leg if agent.nailed else None, agent.nailed
        run.given += 1
        took_turn(w, run, agent_id)
        w.desk(agent_id).last = None
        if run.flow.preview_s is not None:
            w.clocks.count(agent_id, "previews", w.now)
    call = Call(
        call_id,
        run.definition.id,
        lead,
        LegId(w.new_id()),
        run.plan,
        agent=agent_id,
        agent_leg=leg,
        agent_ready=leg is not None,
        nailed=nailed,
        gates=answers,
        gates_at=w.now,
        switch=switch if run.flow.preview_s is None or nailed else NO_SWITCH,
    )
    if run.flow.preview_s is None:
        w.ledger.promise(call_id, lines if agent_id is not None else 1, switch or None)
    w.calls[call_id] = call
    run.calls[call_id] = None
    w.tell(call_id, "placed", f"lead {lead.id} of {run.definition.id}, agent {agent_id or '-'}")
    feed(w, call_id, Begin())
    return call_id


def _wake_for_room(w: World) -> None:
    """Held back by a rate: come back when its next token is there. A line that frees wakes us by its own event."""
    at = w.ledger.next_token_at(w.now)
    if at is not None and ("pace",) not in w.timers:
        w.timers.set(("pace",), at)
