"""Steps calls through their machine and does what its directives say: agents are found and freed, timers set, attempts closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fs_dialer.core import agent as agents
from fs_dialer.core import call as call_machine
from fs_dialer.core import call_words as calls
from fs_dialer.core import closing
from fs_dialer.core.actions import Action, AskLeg, OriginateAgent, OriginateLead
from fs_dialer.core.agent_picture import LastCall
from fs_dialer.core.announcing import forget, say
from fs_dialer.core.caller_ids import Resting, Way, choose, healthy, sticky_to
from fs_dialer.core.changed import changed
from fs_dialer.core.fleet import NO_SWITCH
from fs_dialer.core.flow_places import has_flow
from fs_dialer.core.leads import CALLER_ID, GAP, LINES, RULE_TIME, Check, gates
from fs_dialer.core.mode_port import Observation
from fs_dialer.core.model import (
    AgentId,
    AgentStatus,
    Attempt,
    AttemptId,
    CallState,
    CampaignType,
    Lead,
    LegId,
    SwitchId,
)
from fs_dialer.core.side_legs import leave_leg, record, ring_target
from fs_dialer.core.steering import variables
from fs_dialer.core.switches import foreign, settle
from fs_dialer.core.taking import AGENT_MAY_NOT_SHORTEN
from fs_dialer.core.whose_turn import next_agent, took_turn
from fs_dialer.core.world import LegRole, Run, World

AGENT_RING_SLACK_S = 3.0  # the switch's own timeout for an agent's leg lies past ours
NO_LINE_S = 30.0  # before a lead whose trunk was full is looked at again


def feed(w: World, call_id: AttemptId, ev: calls.Input) -> None:
    """Give one call an input, and every input that follows from it, until all is settled."""
    w.pending.append((call_id, ev))
    _settle(w)


def _settle(w: World) -> None:
    while w.pending:
        some_id, some_ev = w.pending.popleft()
        call = w.calls.get(some_id)
        if call is None:
            _too_late(w, some_id, some_ev)
            continue
        new, directives = call_machine.step(call, some_ev, w.now)
        if new.state is not call.state:
            w.tell(some_id, type(some_ev).__name__, (call.state, new.state))
        if new is not call:
            w.calls[some_id] = new
            if w.onlookers:
                for agent_id in (call.agent, new.agent):
                    if agent_id is not None:
                        w.touch(agent_id)
        for directive in directives:
            _obey(w, some_id, directive)
        if new is not call:
            _keep_waiting_list(w, some_id)


def _too_late(w: World, call_id: AttemptId, ev: calls.Input) -> None:
    """An agent offered to a call that ended in the same breath goes back."""
    if isinstance(ev, calls.Offer) and w.agents[ev.agent].call == call_id:
        w.step_agent(ev.agent, agents.Unserved())


def drop_undialed(w: World, run: Run, reason: str) -> None:
    """Calls whose lead has not been dialled yet (previews, agents rung first) are given up: no new calls."""
    for call_id in [c for c in run.calls if w.calls[c].state in call_machine.UNDIALED]:
        feed(w, call_id, calls.Cancel(reason))


def _keep_waiting_list(w: World, call_id: AttemptId) -> None:
    call = w.calls.get(call_id)
    if call is None:
        return
    run = w.runs[call.campaign]
    if call.state is CallState.WAITING_AGENT and call.agent is None:
        run.waiting.setdefault(call_id)
    elif call_id in run.waiting:
        del run.waiting[call_id]
    if run.queue is not None:
        run.queue.pace.stands(len(run.waiting), run.staying, w.now)


def _obey(w: World, call_id: AttemptId, d: calls.Directive) -> None:
    rule = DIRECTIVES.get(type(d))
    if rule is not None:
        rule(w, call_id, d)
    elif isinstance(d, Action):
        w.out.append(d)
    else:
        raise TypeError(f"nobody obeys {type(d).__name__}")


def _set_timer(w: World, call_id: AttemptId, d: calls.Timer) -> None:
    key = ("call", call_id, d.due)
    if d.at is None:
        w.timers.clear(key)
    else:
        w.timers.set(key, d.at)


# --- agents for calls -----------------------------------------------------------------------------------------------------------------


def offer_of(w: World, call_id: AttemptId, agent_id: AgentId) -> calls.Offer:
    """How this agent is reached: his parked leg, or a new one to ring."""
    agent = w.agents[agent_id]
    took_turn(w, w.runs[w.calls[call_id].campaign], agent_id)
    if agent.nailed and agent.leg is not None and agent.parked and not (w.several and foreign(w, agent, w.calls[call_id].switch)):
        w.step_agent(agent_id, agents.Reserve(call_id))
        return calls.Offer(agent_id, agent.leg, ready=True)
    w.step_agent(agent_id, agents.Ring(call_id))
    return calls.Offer(agent_id, LegId(w.new_id()), ready=False)


def _need(w: World, call_id: AttemptId) -> None:
    run = w.runs[w.calls[call_id].campaign]
    if run.queue is not None:
        w.needing.append(call_id)  # others may have waited longer, or stand above them: callers.py decides, before this event is over
        w.pace_due = True
        return
    call = w.calls[call_id]
    agent_id = next_agent(w, run, call.lead, switch=call.switch, among=run.node_crews.get(call.node)) if w.linked_for(call) else None
    w.pending.append((call_id, calls.NobodyFree() if agent_id is None else offer_of(w, call_id, agent_id)))


def match_waiting(w: World) -> None:
    """Give idle agents to waiting customers, the longest-waiting first. Not before it is known who talks and which legs are left."""
    if not w.linked:
        return
    for run in w.runs.values():
        stranded: set[AttemptId] = set()  # on a switch, or at a key, for which nobody is there now
        while len(run.waiting) > len(stranded) and w.idle and run.queue is None:
            waiting = run.waiting if not stranded else [each for each in run.waiting if each not in stranded]
            call_id = min(waiting, key=lambda each: w.calls[each].waits_since)  # whoever went back for another agent keeps his place
            call = w.calls[call_id]
            agent_id = next_agent(w, run, call.lead, switch=call.switch, among=run.node_crews.get(call.node)) if w.linked_for(call) else None
            if agent_id is None and (w.several or run.node_crews):
                stranded.add(call_id)
                continue
            if agent_id is None:
                break
            del run.waiting[call_id]
            feed(w, call_id, offer_of(w, call_id, agent_id))


def _free(w: World, call_id: AttemptId, d: calls.Free) -> None:
    agent = w.agents.get(d.agent)
    if agent is None or agent.call != call_id:
        return
    call = w.calls[call_id]
    desk = w.desk(d.agent)
    dialled_for_him = call.plan.first_leg == "agent" and call.dialed_at is not None and d.why == "unserved"
    if d.why in ("missed_offer", "bridge_failed"):
        desk.last, desk.extensions = None, 0  # another talks to this customer, or nobody: it was never his call
    elif w.runs[call.campaign].queue is None and (d.why == "served" or dialled_for_him):
        kept = desk.last is not None and desk.last.id == call_id and desk.last.disposed
        desk.last, desk.extensions = LastCall(call_id, call.campaign, call.lead.id, d.why == "served", kept), 0
    if d.why == "served":
        run = w.runs[call.campaign]
        desk.rest_of = call_id if run.queue is None else None
        run.memory = run.mode.observe(run.memory, Observation("talk_ended", w.now - (call.bridged_at if call.bridged_at is not None else w.now)), w.now)
        done = desk.last is not None and desk.last.id == desk.rest_of and desk.last.disposed and run.definition.wrap_up.early
        w.step_agent(d.agent, agents.Served(0.0 if done else run.definition.wrap_up_s))
    elif d.why == "absent":
        w.step_agent(d.agent, agents.Unserved())
        w.step_agent(d.agent, agents.Declare(AgentStatus.NOT_AVAILABLE), reason="let a preview run out")
    elif d.why in ("missed_offer", "bridge_failed"):
        rung = call_id not in w.due_legs  # else no line was free for him yet
        w.step_agent(d.agent, agents.MissedOffer(his_fault=d.why == "missed_offer" and w.fleet.get(w.switch_of(call)).up and rung))
    else:
        w.step_agent(d.agent, agents.Unserved())


def _talks(w: World, call_id: AttemptId, d: calls.Talks) -> None:
    ev: agents.Input = agents.Hold() if d.state == "held" else agents.Consult() if d.state == "consulting" else agents.Talk(call_id)
    w.step_agent(d.agent, ev)
    call = w.calls[call_id]
    queue = w.runs[call.campaign].queue
    if queue is not None and d.state == "talking" and call.bridged_at == w.now:
        w.out.append(queue.met(call, w.now))
        if call.plan.record in ("answered", "all"):
            w.pending.append((call_id, calls.RecordAsked("start")))  # the conversation, not the music before it


def agent_came(w: World, call: calls.Call) -> None:
    """How long an agent's phone rang, for modes that must know how soon a customer can be served."""
    if call.agent is not None and not call.nailed:
        run, agent = w.runs[call.campaign], w.agents[call.agent]
        run.memory = run.mode.observe(run.memory, Observation("agent_answered", w.now - agent.since), w.now)


def _ring_agent(w: World, call_id: AttemptId, agent_id: AgentId, leg: LegId) -> None:
    agent, run = w.agents[agent_id], w.runs[w.calls[call_id].campaign]
    w.step_agent(agent_id, agents.Ring(call_id))
    if w.several:
        leave_leg(w, agent_id)
    switch = w.switch_of(w.calls[call_id])
    w.ledger.redeem(call_id)
    w.legs[leg] = LegRole("agent", call_id, agent_id, switch)
    w.ledger.originated(leg, None, switch)
    caller_id = next(iter(run.definition.caller_id.numbers), "")
    ring_s = run.definition.agent_ring_s + AGENT_RING_SLACK_S
    w.out.append(
        OriginateAgent(leg, agent_id, call_id, switch, agent.definition.dial_string, caller_id, ring_s, False, agent.definition.auto_answer)
    )


# --- legs for which a line is kept, at the rate allowed -------------------------------------------------------------------------------


def _when_rate_allows(w: World, call_id: AttemptId, what: str) -> None:
    """Ring the reserved agent, or dial the lead, now or as soon as the calls per second allow: the switch refuses what comes faster."""
    if w.due_legs or not _may_send(w, call_id, what):
        w.due_legs[call_id] = what
        w.pace_due = True
    else:
        _send(w, call_id, what)


def _may_send(w: World, call_id: AttemptId, what: str) -> bool:
    call = w.calls[call_id]
    if what == "ring" and (call.agent is None or w.agents[call.agent].nailed):
        return True
    run = w.runs[call.campaign]
    if call_id not in w.ledger.promises:  # it was shown to its agent first: lines are kept for it from now on
        lines, most = 2 if what == "ring" else 1, run.definition.lines
        if w.ledger.lines_left() < lines or (most is not None and sum(1 for other in run.calls if other in w.ledger.promises) >= most):
            return False
        w.ledger.promise(call_id, lines)
    if w.several and not _on_a_switch(w, run, call_id, what):
        return False
    return w.ledger.bucket.available(w.now) >= 1 and (what == "ring" or open_ways(w, run, call.lead, w.calls[call_id].switch) != [])


def _on_a_switch(w: World, run: Run, call_id: AttemptId, what: str) -> bool:
    """The call's next leg can be made now by the switch that it is on, or by one that is chosen here; its lines are kept there from now on."""
    call = w.calls[call_id]
    found = open_ways(w, run, call.lead)
    allowed = w.ways_of(run) if isinstance(found, Resting) else found  # with none it is refused when it is sent
    switch = settle(w, run, call_id, allowed, w.ledger.promises.get(call_id, 1))
    if switch is None:
        return False
    if switch != call.switch or call_id not in w.ledger.promised_at:
        w.calls[call_id] = changed(call, switch=switch)
        w.ledger.promise_elsewhere(call_id, switch)
    return w.ledger.rate_at(switch, w.now) >= 1


def _send(w: World, call_id: AttemptId, what: str) -> None:
    call = w.calls[call_id]
    if what == "dial":
        if call.state is CallState.DIALING:
            _dial_lead(w, call_id)
        else:
            w.pending.append((call_id, calls.Refused("")))  # given up while it waited for its turn
    elif call.agent is None:
        w.pending.append((call_id, calls.NobodyFree()))
    elif call.agent_leg is None:
        w.pending.append((call_id, offer_of(w, call_id, call.agent)))


def send_due_legs(w: World) -> None:
    """The oldest first, as far as the rate allows."""
    for call_id, what in list(w.due_legs.items()):
        if w.due_legs.get(call_id) == what and (_may_send(w, call_id, what) or w.calls[call_id].state is CallState.CANCELLING):
            del w.due_legs[call_id]
            _send(w, call_id, what)
            _settle(w)


# --- the lead's leg -------------------------------------------------------------------------------------------------------------------


def _dial_lead(w: World, call_id: AttemptId) -> None:
    """The attempt is committed by the shell before anything is sent (D8). The lead's gates are asked once more when time has passed since it was placed
    (D4): it may have been shown to an agent, or have waited for the rate."""
    call = w.calls[call_id]
    run = w.runs[call.campaign]
    if w.draining or not w.installation.campaigns:
        w.pending.append((call_id, calls.Refused("")))
        return
    if call.gates_at < w.now:
        shut = ask_gates(w, run, call.lead)
        if isinstance(shut, Check):
            w.pending.append((call_id, calls.Refused(shut.gate, shut.until)))
            return
        call = w.calls[call_id] = changed(call, gates=shut, gates_at=w.now)
    found = open_ways(w, run, call.lead, call.switch)
    if isinstance(found, Resting) or not found:
        gate, until = (CALLER_ID, found.until) if isinstance(found, Resting) else (LINES, w.now + NO_LINE_S)
        w.pending.append((call_id, calls.Refused(gate, until)))
        return
    way = choose(run.definition, found, w.rng)
    gateway = w.ledger.gateways[way.gateway]
    number = gateway.prefix + call.lead.number.lstrip("+") if gateway.prefix or not gateway.plus else call.lead.number
    caps = tuple((cap.max, cap.within_s) for cap in run.definition.compliance.attempts)
    attempt = Attempt(
        call.id,
        run.definition.id,
        run.definition.revision,
        call.lead.id,
        call.lead_leg,
        call.lead.number,
        way.gateway,
        way.caller_id,
        call.agent,
        w.now,
        caps,
        call.gates,
        w.switch_of(call),
    )
    w.calls[call_id] = changed(call, caller_id=way.caller_id, gateway=way.gateway)
    w.breakers.dialled(call_id, way, w.now)
    w.ledger.redeem(call_id)
    w.legs[call.lead_leg] = LegRole("lead", call_id, None, attempt.switch)
    w.ledger.originated(call.lead_leg, way.gateway, attempt.switch)
    run.memory = run.mode.observe(run.memory, Observation("launched"), w.now)
    flow = (call.plan.ivr, variables(call, way.caller_id, way.gateway)) if call.plan.in_flow else ("", ())
    early_media = run.definition.early_media and not call.plan.in_flow
    w.out.append(OriginateLead(call.lead_leg, attempt, attempt.switch, number, call.plan.ring_timeout_s, early_media, call.plan.stereo, *flow))


def ask_gates(w: World, run: Run, lead: Lead) -> Check | tuple[tuple[str, str], ...]:
    """The first shut gate, or what each of the open ones answered (X8)."""
    answers = []
    at_will = run.definition.type is CampaignType.MANUAL and lead.ready_why not in AGENT_MAY_NOT_SHORTEN  # S11: agents call back at will
    for check in gates(lead, run.definition, run.life.state, w.now, run.hours_for(lead.zones, w.now)):
        if not check.ok and not (at_will and check.gate in (GAP, RULE_TIME)):
            return check
        answers.append((check.gate, check.reason))
    return tuple(answers)


def open_ways(w: World, run: Run, lead: Lead, switch: SwitchId = NO_SWITCH) -> Sequence[Way] | Resting:
    """The caller ids and trunks with room, healthy both; [] where the healthy ones are full. `switch`: only by this one; "" = by any that gets new calls."""
    allowed = w.ways_of(run)
    found = healthy(allowed, sticky_to(run.definition, lead, allowed), w.breakers, w.now)
    if isinstance(found, Resting):
        return found
    if w.several:
        found = [way for way in found if (way.switch == switch if switch else w.fleet.usable(way.switch))]
        if run.plan.in_flow:
            found = [way for way in found if has_flow(w, run, way.switch)]
    return [way for way in found if w.ledger.gateway_room(way.gateway, w.now) > 0]


DIRECTIVES: dict[type, Callable[[World, AttemptId, Any], None]] = {
    calls.Timer: _set_timer,
    calls.Free: _free,
    calls.Talks: _talks,
    calls.DialLead: lambda w, call_id, d: _when_rate_allows(w, call_id, "dial"),
    calls.RingReserved: lambda w, call_id, d: _when_rate_allows(w, call_id, "ring"),
    calls.Need: lambda w, call_id, d: _need(w, call_id),
    calls.RingAgent: lambda w, call_id, d: _ring_agent(w, call_id, d.agent, d.leg),
    calls.RingTarget: lambda w, call_id, d: ring_target(w, call_id),
    calls.Record: record,
    calls.Say: say,
    calls.Forget: forget,
    calls.AskSwitch: lambda w, call_id, d: w.out.append(AskLeg(w.calls[call_id].lead_leg)),
    calls.Finish: closing.finish,
}
