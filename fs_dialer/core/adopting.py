"""The switch's link comes and goes, and the daemon may have been another one a minute ago: what is up is adopted, what is gone is closed (D6, D8)."""

from __future__ import annotations

from dataclasses import replace

from fs_dialer.core import agent as agents
from fs_dialer.core import call_words as calls
from fs_dialer.core import campaign as campaigns
from fs_dialer.core import events
from fs_dialer.core.actions import AskLeg, CloseAttempt, Hangup, ParkBoth, Reconcile, RenewFallback
from fs_dialer.core.call_rules import RING_SLACK_S, adopted_in_talk
from fs_dialer.core.calling import feed
from fs_dialer.core.fallbacks import arm_fallback, renew_fallbacks
from fs_dialer.core.fleet import AWAY_S
from fs_dialer.core.lifecycle import live, nail, nail_failed, nailed, plan_of
from fs_dialer.core.model import (
    AgentId,
    AgentState,
    AgentStatus,
    AttemptId,
    AttemptResult,
    CallState,
    CampaignState,
    LegFacts,
    LegId,
    OpenAttempt,
    Outcome,
    SwitchId,
)
from fs_dialer.core.retry import Ended, next_lead
from fs_dialer.core.world import LegRole, World

STALE_FACTS_S = 2.0  # facts may be older than the news that overtook them
AGENTS_LEGS = ("nailed", "agent")
UNBRIDGED_YET = (CallState.DIALING, CallState.EARLY)


def switch_up(w: World, ev: events.SwitchUp) -> None:
    """Linked again: count its legs, then ask about ours before anything new is dialled."""
    state = w.fleet.get(ev.switch)
    state.up, state.reconciled = True, False
    if w.several:
        if state.known:
            w.timers.clear(("away", state.id))
        ours = [leg for leg, role in w.legs.items() if role.switch == ev.switch]
        w.ledger.recount(ev.legs, ours, ev.switch)
    else:
        ours = list(w.legs)
        w.ledger.recount(ev.legs, ours)
    w.note("INFO", "switch_up", switch=ev.switch, legs=len(ev.legs))
    renew_fallbacks(w)
    arm_fallback(w)
    w.out.append(Reconcile(ev.switch, tuple(ours)))


def switch_lost(w: World, ev: events.SwitchLost) -> None:
    """Calls may well go on without us; nothing is concluded before the link is back. Where others dial on, it is not waited for for ever (switch_loss.py)."""
    state = w.fleet.get(ev.switch)
    state.up = state.reconciled = False
    w.flows.pop(ev.switch, None)  # it may come back with other files
    calls_there = len(w.calls)
    if w.several:
        calls_there = sum(1 for call in w.calls.values() if call.switch == ev.switch)
        w.timers.set(("away", state.id), w.now + AWAY_S)
        settle_idle_at(w, state.id)
    w.note("WARNING", "switch_lost", switch=ev.switch, reason=ev.reason, calls=calls_there)


def settle_idle_at(w: World, switch: SwitchId) -> None:
    """Whether those who live on a switch may be given calls hangs on its link."""
    for agent in w.agents.values():
        if agent.leg is not None and agent.leg in w.legs and w.legs[agent.leg].switch == switch:
            w.settle_idle(agent)


def reconcile_done(w: World, ev: events.ReconcileDone) -> None:
    state = w.fleet.get(ev.switch)
    if not state.up:
        return
    state.reconciled = state.known = True
    state.given_up = False
    _settle_strangers(w, None if not w.several else ev.switch)
    if w.several:
        settle_idle_at(w, ev.switch)
    for agent_id in w.agents:
        nail(w, agent_id)
    for run in w.runs.values():
        if run.life.state is CampaignState.DRAINING and not run.calls:
            live(w, run, campaigns.LastCallOver())
    w.pace_due = True


def _settle_strangers(w: World, switch: SwitchId | None) -> None:
    """Everything has been told: what is left of an earlier daemon's legs talks to a customer of ours, or is hung up. An agent's leg that is bridged to nobody's
    customer is what remains of a consultation. Bridged to a leg that is none of ours, it may talk to a caller of whom we are told late.
    `switch`: only those there."""
    with_customers = {call.agent_leg: call for call in w.calls.values() if call.state is CallState.BRIDGED and call.agent is None}
    _back_to_their_customers(w, switch)
    strangers = [leg for leg, at in w.strangers.items() if switch in (None, at)]
    bridged = [leg for leg in w.bridged_agents if switch is None or (leg in w.legs and w.legs[leg].switch == switch)]
    for leg in strangers:
        call = with_customers.get(leg)
        if leg in w.legs:
            continue
        if call is None:
            w.out.append(Hangup(leg, "NORMAL_CLEARING"))
        else:
            w.legs[leg] = LegRole("agent", call.id, None, w.switch_of(call), seen=True)
            w.calls[call.id] = replace(call, outside=True)
            w.out.append(AskLeg(leg))
            w.tell(call.id, "adopted", "he talks to somebody who is no agent of ours")
    late = {leg: agent for leg, agent in w.bridged_agents.items() if leg not in bridged or _bridged_outside(w, leg)}
    late_with = {leg: w.bridged_with[leg] for leg in late}
    for leg in bridged:
        role = w.legs.get(leg)
        if leg in late:
            w.out.append(AskLeg(leg))
        elif role is not None and role.kind == "agent":
            role.orphan = True
            w.out.append(Hangup(leg, "NORMAL_CLEARING"))
        elif role is not None and w.bridged_with[leg] in w.bridged_agents:
            w.out.append(ParkBoth(leg, w.bridged_with[leg]))
    for leg in strangers:
        w.strangers.pop(leg, None)
    w.bridged_agents, w.bridged_with = late, late_with


def _bridged_outside(w: World, leg: LegId) -> bool:
    """A per-call agent's leg whose partner is no leg of ours."""
    role, other = w.legs.get(leg), w.bridged_with[leg]
    ours = other in w.legs or other in w.strangers or other in w.bridged_agents
    return role is not None and role.kind == "agent" and not ours


def _back_to_their_customers(w: World, switch: SwitchId | None) -> None:
    """An agent whose own leg is parked for a customer who waits: he had put him on hold, or had just answered. They are connected."""
    there = {leg: facts for leg, facts in w.parked_agents.items() if switch in (None, facts.switch)}
    w.parked_agents = {leg: facts for leg, facts in w.parked_agents.items() if leg not in there}
    for leg, facts in there.items():
        call = w.calls.get(facts.attempt) if facts.attempt is not None else None
        agent = w.agents.get(facts.agent) if facts.agent is not None else None
        if leg in w.legs or leg not in w.strangers or agent is None or not agent.free or agent.nailed or call is None:
            continue
        if call.state is CallState.WAITING_AGENT and call.agent is None:
            w.legs[leg] = LegRole("agent", call.id, agent.id, facts.switch, seen=True)
            w.step_agent(agent.id, agents.Reserve(call.id))
            w.out.append(AskLeg(leg))
            feed(w, call.id, calls.Offer(agent.id, leg, ready=True, found=True))


def leg_found(w: World, ev: events.LegFound) -> None:
    """A leg of ours exists: bring what we know of it up to what the switch says."""
    facts = ev.facts
    role = w.legs.get(facts.leg)
    if role is None:
        _leg_of_ours_unknown(w, facts)
        return
    role.seen = True
    w.ledger.add(facts.leg, facts.gateway, w.named(facts.switch))
    if role.orphan:
        if not (role.lost and facts.bridged_to is not None):  # a talk that outlived its call in our books: it ends by itself
            w.out.append(Hangup(facts.leg, "NORMAL_CLEARING"))
    elif role.kind == "lead" and role.call is not None:
        _catch_up(w, role.call, facts)
    elif role.kind == "nailed" and role.agent is not None and facts.answered and facts.bridged_to is None:
        nailed_parked(w, facts.leg, role.agent)
    elif role.kind in AGENTS_LEGS and facts.bridged_to is not None:
        if role.kind == "agent" and _call_through(w, facts.leg) is None and facts.leg not in w.bridged_agents:
            w.out.append(Hangup(facts.leg, "NORMAL_CLEARING"))
        part_if_nobody_s(w, facts.leg, facts.bridged_to)
    elif role.kind == "agent" and role.call is not None and facts.answered and facts.bridged_to is None:
        call = w.calls.get(role.call)
        if call is not None and call.agent_leg == facts.leg:
            feed(w, role.call, calls.AgentParked())
        elif call is not None and call.target is not None and call.target.leg == facts.leg:
            feed(w, role.call, calls.TargetUp())
        else:
            w.out.append(Hangup(facts.leg, "NORMAL_CLEARING"))


def part_if_nobody_s(w: World, leg: LegId, other: LegId) -> None:
    """Two legs of agents, or of whom they asked, that were bridged after their consultation was over. One that talks to a customer, or is about to, is left
    to the bridge that it has."""
    pair = [(one, w.legs.get(one), _call_through(w, one)) for one in (leg, other)]
    if any(role is None or role.kind not in AGENTS_LEGS or one in w.bridged_agents for one, role, _ in pair):
        return
    if any(call is not None and (call.bridging or call.with_target or call.state is CallState.BRIDGED) for _, _, call in pair):
        return
    if any(role is not None and (role.kind == "nailed" or call is not None) for _, role, call in pair):
        w.out.append(ParkBoth(leg, other))
    w.out += [Hangup(one, "NORMAL_CLEARING") for one, role, call in pair if role is not None and role.kind == "agent" and call is None]


def _call_through(w: World, leg: LegId) -> calls.Call | None:
    """The call that an agent's leg is in, or is asked to come into."""
    role = w.legs.get(leg)
    agent = w.agents.get(role.agent) if role is not None and role.kind == "nailed" and role.agent is not None else None
    call_id = agent.call if agent is not None else role.call if role is not None and not role.orphan else None
    call = w.calls.get(call_id) if call_id is not None else None
    mine = call is not None and (call.agent_leg == leg or (call.target is not None and call.target.leg == leg))
    return call if mine else None


def nailed_parked(w: World, leg: LegId, agent_id: AgentId) -> None:
    """A nailed leg is parked: for the first time, or again after a conversation. One that nobody wants any more is hung up."""
    agent, role = w.agents[agent_id], w.legs[leg]
    unwanted = role.orphan or role.unwanted or agent.leg is not None or agent.status is AgentStatus.LOGGED_OUT or w.nailed_let_go
    if agent.leg != leg and unwanted:
        w.out.append(Hangup(leg, "NORMAL_CLEARING"))
        return
    again = agent.leg == leg
    nailed(w, agent_id)
    w.step_agent(agent_id, agents.LegUp(leg))
    if again and w.agents[agent_id].call is None:
        w.out.append(RenewFallback((leg,)))  # the bridge had disarmed it
    arm_fallback(w)
    w.pace_due = True


def _catch_up(w: World, call_id: AttemptId, facts: LegFacts) -> None:
    call = w.calls.get(call_id)
    if call is None:
        return
    feed(w, call_id, calls.LeadSeen())
    if call.plan.terms is not None and not facts.parked and call.state in (CallState.WAITING_AGENT, CallState.NOTICE):
        feed(w, call_id, calls.Released())  # its fallback has it: we were not heard of for too long
        return
    if facts.answered and call.state in (*UNBRIDGED_YET, CallState.CANCELLING):
        feed(w, call_id, calls.LeadAnswered())
    if call.plan.in_flow and facts.answered and facts.bridged_to is None and call.bridged_at is None:
        feed(w, call_id, calls.FoundInFlow(facts.path, facts.parked))
    elif facts.answered and facts.bridged_to is None:
        feed(w, call_id, calls.LeadParked())
        if call.state is CallState.BRIDGED and call.bridged_at is not None and w.now - call.bridged_at >= STALE_FACTS_S:
            feed(w, call_id, calls.Apart())
    elif facts.bridged_to is not None and facts.bridged_to == call.agent_leg:
        feed(w, call_id, calls.Connected(found=call.parted_at is None or w.now - call.parted_at >= STALE_FACTS_S))
    elif facts.bridged_to is not None and call.target is not None and facts.bridged_to == call.target.leg:
        feed(w, call_id, calls.Handed())
    elif facts.bridged_to is not None:
        late_bridge(w, call, facts.bridged_to)


def late_bridge(w: World, call: calls.Call, other: LegId) -> None:
    """Bridged to somebody whose turn was given away meanwhile: end it rather than have one agent on two calls. A leg that is none of ours is a number to which
    his flow put him through."""
    if call.plan.in_flow and not _is_ours(w, other):
        feed(w, call.id, calls.PutThrough())
        return
    put_through = call.plan.terms is not None and not call.lead_parked  # to a number, by the extension of the switch that has him
    if call.state in (CallState.WAITING_AGENT, CallState.NOTICE) and not put_through:
        w.note("WARNING", "late_bridge", call=call.id)
        w.out.append(Hangup(call.lead_leg, "NORMAL_CLEARING"))


def _leg_of_ours_unknown(w: World, facts: LegFacts) -> None:
    """Left by an earlier daemon: a nailed leg is taken over; a lead's leg waits for its attempt; anything else is hung up."""
    agent = w.agents.get(facts.agent) if facts.agent is not None else None
    taken = agent is None or agent.leg is not None or agent.id in w.nailing or agent.call is not None
    if agent is None or taken or not facts.answered:
        w.strangers[facts.leg] = facts.switch
    elif facts.attempt is None and agent.nailed:
        w.out.append(AskLeg(facts.leg))
        w.legs[facts.leg] = LegRole("nailed", None, agent.id, facts.switch, seen=True)
        w.ledger.add(facts.leg, facts.gateway, w.named(facts.switch))
        w.nailing[agent.id] = facts.leg
        if facts.bridged_to is None:
            nailed_parked(w, facts.leg, agent.id)
            w.out.append(RenewFallback((facts.leg,)))
        else:
            _found_in_talk(w, facts.leg, agent.id, facts.bridged_to)
    elif facts.attempt is not None and facts.bridged_to is not None:
        w.out.append(AskLeg(facts.leg))
        w.legs[facts.leg] = LegRole("agent", facts.attempt, agent.id, facts.switch, seen=True)
        w.ledger.add(facts.leg, facts.gateway, w.named(facts.switch))
        _found_in_talk(w, facts.leg, agent.id, facts.bridged_to)
    else:
        w.strangers[facts.leg] = facts.switch
        if facts.attempt is not None:
            w.parked_agents[facts.leg] = facts


def _found_in_talk(w: World, leg: LegId, agent_id: AgentId, lead_leg: LegId) -> None:
    """Whose call it is may have been told already, or is told next."""
    role = w.legs.get(lead_leg)
    call = w.calls.get(role.call) if role is not None and role.call is not None else None
    if call is not None and call.agent is None and call.agent_leg == leg:
        _talks_on(w, call, agent_id, leg)
    else:
        w.bridged_agents[leg], w.bridged_with[leg] = agent_id, lead_leg


def leg_gone(w: World, ev: events.LegGone) -> None:
    """uuid_exists said no, twice."""
    role = w.legs.pop(ev.leg, None)
    w.ledger.remove(ev.leg)
    w.strangers.pop(ev.leg, None)
    if role is None:
        return
    w.pace_due = True
    if role.kind == "lead" and role.call is not None and not role.orphan:
        feed(w, role.call, calls.LeadEnded("", certain=False))
    elif role.kind == "agent" and role.call is not None and not role.orphan:
        call = w.calls.get(role.call)
        if call is not None and call.agent_leg == ev.leg:
            feed(w, role.call, calls.AgentGone())
        elif call is not None and call.target is not None and call.target.leg == ev.leg:
            feed(w, role.call, calls.TargetGone())
    elif role.kind == "supervisor" and role.agent is not None:
        if w.supervisors.get(role.agent) == ev.leg:
            del w.supervisors[role.agent]
    elif role.kind == "nailed" and role.agent is not None and not role.orphan:
        nailed_gone(w, ev.leg, role.agent)


def nailed_gone(w: World, leg: LegId, agent_id: AgentId) -> None:
    """A nailed agent's leg is over, or never came to be: his call, if he has one, learns it; then he is called again."""
    agent = w.agents[agent_id]
    call_id = agent.call
    moving = leg in w.legs and w.legs[leg].moving
    if agent.leg == leg:
        w.step_agent(agent_id, agents.LegLost())
    elif w.nailing.get(agent_id) != leg:
        return
    nail_failed(w, agent_id, moving=moving)
    if agent.leg == leg and call_id is not None and call_id in w.calls:
        target = w.calls[call_id].target
        feed(w, call_id, calls.TargetGone() if target is not None and target.leg == leg else calls.AgentGone())


# --- attempts left by an earlier daemon -----------------------------------------------------------------------------------------------


def attempt_found(w: World, ev: events.AttemptFound) -> None:
    """An attempt without a result (D8): closed as unknown when its leg is gone, else taken over where it stands."""
    call_id = ev.open.attempt.id
    if call_id in w.calls:
        return
    if ev.facts is None:
        _close_unknown(w, ev.open)
    else:
        _adopt(w, ev.open, ev.facts)


def _close_unknown(w: World, found: OpenAttempt) -> None:
    attempt, lead = found.attempt, found.lead
    run = w.runs.get(attempt.campaign)
    result = AttemptResult(attempt.id, Outcome.UNKNOWN, "", None, None, None, None, None, w.now, missed=False, leg_seen=True, switch=attempt.switch)
    if run is None:
        w.note("ERROR", "attempt_of_unknown_campaign", attempt=attempt.id, campaign=attempt.campaign)
        return
    run.tally.add(result)
    w.tell(attempt.id, "closed", "unknown: found open after a restart, its leg gone")
    w.note("WARNING", "attempt_unknown", attempt=attempt.id, lead=lead.id, campaign=attempt.campaign)
    update = next_lead(lead, Ended(Outcome.UNKNOWN, rang=True), run.definition, w.now)
    w.out.append(CloseAttempt(result, replace(update, caller_id=attempt.caller_id)))


def _adopt(w: World, found: OpenAttempt, facts: LegFacts) -> None:
    attempt = found.attempt
    run = w.runs.get(attempt.campaign)
    if run is None:
        w.out.append(Hangup(facts.leg, "NORMAL_CLEARING"))
        return
    # He is in the flow, and on the terms, of the revision that called him (D5).
    plan = run.plan if found.definition is None else plan_of(found.definition, run.mode.flow(found.definition))
    call = calls.Call(
        attempt.id,
        attempt.campaign,
        found.lead,
        facts.leg,
        plan,
        state=CallState.DIALING,
        leg_seen=True,
        rang_at=w.now,
        dialed_at=attempt.opened_at,
        caller_id=attempt.caller_id,
        gateway=attempt.gateway,
        switch=w.named(facts.switch),
    )
    w.calls[attempt.id] = call
    run.calls[attempt.id] = None
    w.strangers.pop(facts.leg, None)
    put_through = plan.in_flow and facts.bridged_to is not None and not _is_ours(w, facts.bridged_to)
    w.legs[facts.leg] = LegRole("lead", attempt.id, None, facts.switch, seen=True)
    w.ledger.add(facts.leg, facts.gateway, w.named(facts.switch))
    w.out.append(AskLeg(facts.leg))  # what happened to it between the facts and this moment was told to nobody
    w.tell(attempt.id, "adopted", f"answered {facts.answered}, bridged {facts.bridged_to is not None}")
    w.note("INFO", "attempt_adopted", attempt=attempt.id, lead=found.lead.id, campaign=attempt.campaign)
    if facts.bridged_to is not None and not put_through:
        adopt_bridged(w, call, facts.bridged_to)
        if plan.record in ("answered", "all"):
            feed(w, attempt.id, calls.RecordAsked("start"))  # the same file: it goes on where it is being written
    elif facts.answered:
        if facts.met and not put_through:  # he was on hold, or between two agents: the next one takes him, and he is not missed whatever comes
            w.calls[attempt.id] = replace(call, bridged_at=w.now, last_agent=attempt.agent)
        feed(w, attempt.id, calls.LeadAnswered())
        if plan.in_flow:
            _into_flow(w, attempt.id, facts)
            return
        feed(w, attempt.id, calls.LeadParked())
        w.out.append(RenewFallback((facts.leg,)))
    else:
        w.timers.set(("call", attempt.id, calls.RingDue), w.now + plan.ring_timeout_s + RING_SLACK_S)


def _is_ours(w: World, leg: LegId) -> bool:
    return leg in w.legs or leg in w.strangers or leg in w.bridged_agents


def _into_flow(w: World, call_id: AttemptId, facts: LegFacts) -> None:
    """His flow goes on in the switch whether we follow it or not. One who is parked waits for an agent, whom an earlier daemon had begun to look for."""
    if facts.bridged_to is None:
        feed(w, call_id, calls.FoundInFlow(facts.path, facts.parked))
    else:
        feed(w, call_id, calls.PutThrough())


def adopt_bridged(w: World, call: calls.Call, agent_leg: LegId) -> None:
    """They talk already: only their ends matter now. An agent nobody knows is taken as a stranger's leg that ends with the customer's."""
    w.calls[call.id] = call = adopted_in_talk(call, None, agent_leg, nailed=False, now=w.now)
    agent_id = w.bridged_agents.pop(agent_leg, None)
    w.bridged_with.pop(agent_leg, None)
    agent = w.agents.get(agent_id) if agent_id is not None else None
    if agent_id is not None and agent is not None and agent_leg in w.legs and agent.call is None and agent.state is not AgentState.WRAP_UP:
        _talks_on(w, call, agent_id, agent_leg)


def _talks_on(w: World, call: calls.Call, agent_id: AgentId, agent_leg: LegId) -> None:
    """The agent's side of a conversation that outlived its daemon."""
    on_nailed_leg = w.legs[agent_leg].kind == "nailed"
    w.calls[call.id] = replace(call, agent=agent_id, last_agent=agent_id, nailed=on_nailed_leg)
    if on_nailed_leg:
        nailed(w, agent_id)
        w.step_agent(agent_id, agents.LegUp(agent_leg))
    w.step_agent(agent_id, agents.Talk(call.id))
