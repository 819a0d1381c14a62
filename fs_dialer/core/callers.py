"""Inbound callers who wait in a queue: taken in, given to agents, let go; and leads that are withdrawn because their customer was served otherwise.

A waiting caller is a Call of the call machine whose lead leg is his own, answered and parked: ringing agents in turn, music, the longest wait, the bridge,
hold and transfer are the same as for a customer we called. Its campaign is the queue's own, which never dials (queue_line.py); its lead is nobody's row, so
its id is below 0. What is different stands here: available is enough, whatever an agent's screen shows (S84); callbacks come first (S86).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fs_dialer.core import agent_events as ag
from fs_dialer.core import call_words as calls
from fs_dialer.core import campaign as campaigns
from fs_dialer.core.actions import AskLeg, RenewFallback, ReturnLeads
from fs_dialer.core.adopting import adopt_bridged
from fs_dialer.core.call import UNDIALED
from fs_dialer.core.call_rules import LOST_IN_CALL_S
from fs_dialer.core.calling import feed, next_agent, offer_of
from fs_dialer.core.fallbacks import arm_fallback
from fs_dialer.core.leads import STATUS
from fs_dialer.core.lifecycle import plan_of, settle_serves
from fs_dialer.core.mode_port import NOT_DIALLED, Flow
from fs_dialer.core.model import CallState, CampaignId, CampaignState, Lead, LeadId, LeadReturn
from fs_dialer.core.queue_line import PREFIX, Queue
from fs_dialer.core.sharing import claims, standings
from fs_dialer.core.world import LegRole, Run, World

FLOW = Flow(on_answer="music_then_agent", reserve_agent=False)
FOUND_WAITS_S = 10.0  # at least so long, who is told to have waited longer than he should: nobody could be given to him while no daemon ran


# --- queues and who comes into them ---------------------------------------------------------------------------------------------------


def load_queue(w: World, ev: ag.QueueLoaded) -> None:
    definition = ev.line.definition()
    run = w.runs.get(definition.id)
    if run is None:
        life = campaigns.Life(CampaignState.RUNNING, started=True)
        run = Run(definition, life, NOT_DIALLED, FLOW, plan_of(definition, FLOW), None, ())
        run.queue = Queue(ev.line)
        w.runs[definition.id] = run
        w.tell(definition.id, "loaded")
    elif run.queue is not None and run.queue.line != ev.line:
        run.definition, run.plan, run.queue.line = definition, plan_of(definition, FLOW), ev.line
        w.tell(definition.id, "redefined")
    settle_serves(w)
    w.pace_due = True


def queued(w: World, ev: ag.CallerQueued) -> None:
    """A caller begins to wait. Whom we cannot take is left to the fallback that his leg carries, or to the daemon that follows us."""
    run = w.runs.get(CampaignId(PREFIX + ev.queue))
    if ev.call in w.calls or ev.leg in w.legs:
        return
    if run is None or run.queue is None or w.draining:
        w.note("WARNING", "caller_not_taken", queue=ev.queue, why="draining" if w.draining else "there is no such queue")
        return
    since = w.now if ev.since is None else min(ev.since, w.now)
    most = run.plan.max_wait_s
    until = w.now + LOST_IN_CALL_S if ev.met else max(since + most, w.now + min(most, FOUND_WAITS_S))
    w.callers += 1
    call = calls.Call(
        ev.call,
        run.definition.id,
        Lead(LeadId(-w.callers), run.definition.id, ev.number, ()),
        ev.leg,
        run.plan,
        state=CallState.ANSWERED,
        leg_seen=True,
        answered_at=since,
        bridged_at=w.now if ev.met else None,
        wait_until=until,
    )
    w.calls[ev.call] = call
    run.calls[ev.call] = None
    run.queue.came += 1
    w.tell(ev.call, "queued", f"in {ev.queue}")
    if ev.leg not in w.ledger.legs or ev.bridged_to is not None:
        w.out.append(AskLeg(ev.leg))  # it may be over: news of its end can have been faster than this
    w.ledger.add(ev.leg, None)
    w.strangers.pop(ev.leg, None)
    w.legs[ev.leg] = LegRole("lead", ev.call, None, w.installation.switch, seen=True)
    if ev.bridged_to is not None:
        adopt_bridged(w, call, ev.bridged_to)
        return
    w.out.append(RenewFallback((ev.leg,)))
    arm_fallback(w)
    w.timers.set(("call", ev.call, calls.WaitDue), until)
    feed(w, ev.call, calls.LeadParked())


# --- whose turn it is -----------------------------------------------------------------------------------------------------------------


def match(w: World, able: set[CampaignId]) -> None:
    """Give idle agents to waiting callers: who has waited longest comes first, of equal waits the queue with the higher priority. `able`: the campaigns that
    can dial now; agents whom one that stands above the queue will dial for are left to it."""
    if w.linked and w.idle:
        _offer(w, able)
    while w.needing:
        call = w.calls.get(w.needing.popleft())
        if call is not None and call.state is CallState.WAITING_AGENT and call.agent is None:
            feed(w, call.id, calls.NobodyFree())


def _offer(w: World, able: set[CampaignId]) -> None:
    queues = [run for run in w.runs.values() if run.queue is not None and run.waiting]
    served = [run for run in queues if any(a in w.idle and w.eligible(run, a) for a in run.crew)]
    if not served:
        return
    waiting = [(w.calls[c].answered_at or 0.0, -run.definition.priority, c) for run in served for c in run.waiting]
    places = standings(w)
    taken = claims(w, places, able)
    nobody: set[CampaignId] = set()
    for _, _, call_id in sorted(waiting):
        call = w.calls[call_id]
        if call.campaign in nobody:
            continue
        run, place = w.runs[call.campaign], places[call.campaign]
        agent_id = next_agent(w, run, None, {a for a, theirs in taken.items() if theirs < place})
        if agent_id is None:
            nobody.add(call.campaign)
            continue
        del run.waiting[call_id]
        feed(w, call_id, offer_of(w, call_id, agent_id))


# --- leads that are not to be called any more -----------------------------------------------------------------------------------------


def withdraw(w: World, ev: ag.LeadWithdrawn) -> None:
    """Out of the hopper and off the agent who is being rung for it; once the customer's own phone is dialled it is too late."""
    run = w.runs.get(ev.campaign)
    if run is None or run.queue is not None:
        return
    held = next((lead for lead in (*run.promised.values(), *run.hopper) if lead.id == ev.lead), None)
    if held is not None:
        run.promised.pop(ev.lead, None)
        if held in run.hopper:
            run.hopper.remove(held)
        w.out.append(ReturnLeads(ev.campaign, (LeadReturn(held.id, held.ready_at, STATUS),)))
        w.tell(ev.campaign, "withdrawn", f"lead {ev.lead}: {ev.why}")
        w.pace_due = True
    for call_id in [c for c in run.calls if w.calls[c].lead.id == ev.lead]:
        state = w.calls[call_id].state
        w.withdrawn.add(call_id)
        if state in UNDIALED:
            feed(w, call_id, calls.Cancel(ev.why))
        elif state is CallState.DIALING and w.due_legs.get(call_id) == "dial":
            feed(w, call_id, calls.Refused(""))  # it waits for a line or the rate; nothing was sent
        w.withdrawn.discard(call_id)


HANDLERS: dict[type, Callable[[World, Any], None]] = {
    ag.QueueLoaded: load_queue,
    ag.CallerQueued: queued,
    ag.LeadWithdrawn: withdraw,
}
