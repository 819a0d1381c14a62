"""Inbound callers who wait in a queue: taken in, given to agents, let go; and leads that are withdrawn because their customer was served otherwise.

A waiting caller is a Call of the call machine whose lead leg is his own, answered and parked: ringing agents in turn, music, the longest wait, the bridge,
hold and transfer are the same as for a customer we called. Its campaign is the queue's own, which never dials (queue_line.py); its lead is nobody's row, so
its id is below 0. What is different stands here: available is enough, whatever an agent's screen shows (S84); callbacks come first (S86); what a caller's
keys and the rows that the switch keeps of them mean. What a key does to his call: caller_rules.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fs_dialer.core import agent_events as ag
from fs_dialer.core import call_words as calls
from fs_dialer.core import campaign as campaigns
from fs_dialer.core.actions import AskLeg, CallerLeft, OptOut, RenewFallback, ReturnLeads
from fs_dialer.core.adopting import adopt_bridged
from fs_dialer.core.call import UNDIALED
from fs_dialer.core.call_rules import LOST_IN_CALL_S
from fs_dialer.core.caller_rules import CALLBACK, RELEASED, VOICEMAIL
from fs_dialer.core.calling import feed, offer_of
from fs_dialer.core.changed import changed
from fs_dialer.core.closing import forget_closed
from fs_dialer.core.fallbacks import arm_fallback
from fs_dialer.core.flow import node_extension
from fs_dialer.core.leads import STATUS
from fs_dialer.core.lifecycle import plan_of, settle_serves
from fs_dialer.core.mode_port import NOT_DIALLED, Flow
from fs_dialer.core.model import AttemptId, CallState, CampaignId, CampaignState, Lead, LeadId, LeadReturn, SwitchId
from fs_dialer.core.queue_line import PREFIX, Queue
from fs_dialer.core.sharing import claims, standings
from fs_dialer.core.switch_names import KEPT_KEY, KEPT_OPT_OUT, KEPT_VOICEMAIL, kept_row
from fs_dialer.core.whose_turn import next_agent
from fs_dialer.core.world import LegRole, Run, World

FLOW = Flow(on_answer="music_then_agent", reserve_agent=False)
OPT_OUT_LIST = "own"  # where a number goes whose flow nobody knows any more
FOUND_WAITS_S = 10.0  # at least so long, who is told to have waited longer than he should: nobody could be given to him while no daemon ran


# --- queues and who comes into them ---------------------------------------------------------------------------------------------------


def load_queue(w: World, ev: ag.QueueLoaded) -> None:
    definition = ev.line.definition()
    plan = replace(plan_of(definition, FLOW), terms=replace(ev.line.terms, queue=ev.line.name))
    run = w.runs.get(definition.id)
    if run is None:
        life = campaigns.Life(CampaignState.RUNNING, started=True)
        run = Run(definition, life, NOT_DIALLED, FLOW, plan, None, ())
        run.queue = Queue(ev.line)
        w.runs[definition.id] = run
        w.tell(definition.id, "loaded")
    elif run.queue is not None and (run.queue.line != ev.line or run.queue.closed):
        run.definition, run.plan, run.queue.line, run.queue.closed = definition, plan, ev.line, False
        w.tell(definition.id, "redefined")
    settle_serves(w)
    w.pace_due = True


def remove_queue(w: World, ev: ag.QueueRemoved) -> None:
    """Nobody new is taken in; with its last caller it is gone."""
    run = w.runs.get(CampaignId(PREFIX + ev.queue))
    if run is not None and run.queue is not None:
        run.queue.closed = True
        w.tell(run.definition.id, "removed")
        forget_closed(w, run)


def queued(w: World, ev: ag.CallerQueued) -> None:
    """A caller begins to wait. Whom we cannot take is left to the fallback that his leg carries, or to the daemon that follows us."""
    run = w.runs.get(CampaignId(PREFIX + ev.queue))
    if ev.call in w.calls or ev.leg in w.legs:
        return
    if run is None or run.queue is None or run.queue.closed or w.draining:
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
        switch=ev.switch,
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
    w.ledger.add(ev.leg, None, w.named(ev.switch))
    w.strangers.pop(ev.leg, None)
    w.legs[ev.leg] = LegRole("lead", ev.call, None, ev.switch, seen=True)
    if ev.bridged_to is not None:
        adopt_bridged(w, call, ev.bridged_to)
        if run.plan.record in ("answered", "all"):
            feed(w, ev.call, calls.RecordAsked("start"))  # the same file: it goes on where it is being written
        return
    w.out.append(RenewFallback((ev.leg,)))
    arm_fallback(w)
    w.timers.set(("call", ev.call, calls.WaitDue), until)
    every_s = call.plan.terms.announce_every_s if call.plan.terms is not None else None
    if every_s is not None and not ev.met:
        w.calls[ev.call] = changed(call, say_at=w.now + every_s)
        w.timers.set(("call", ev.call, calls.SayDue), w.now + every_s)
    feed(w, ev.call, calls.LeadParked())


# --- keys, and what the switch kept of them -------------------------------------------------------------------------------------------


def key_pressed(w: World, ev: ag.CallerKey) -> None:
    """Of whom we do not have the row stays in the switch, and is told again when his leg is gone."""
    role = w.legs.get(ev.leg)
    if role is not None and role.kind == "lead" and role.call in w.calls:
        feed(w, role.call, calls.KeyPressed(ev.right, ev.at, kept_row(ev.leg, KEPT_KEY) if ev.right else ""))


def kept_found(w: World, ev: ag.KeptFound) -> None:
    """What happened while nobody listened, and the leg is gone. A caller whom we still take for waiting learns it before the end of his leg does."""
    if ev.what == KEPT_OPT_OUT:
        _opted_out(w, ev)
        return
    role = w.legs.get(ev.leg)
    if role is not None and role.kind == "lead" and role.call in w.calls:
        if ev.what == KEPT_KEY:
            feed(w, role.call, calls.KeyPressed(True, ev.at, ev.row))
        if ev.what != KEPT_KEY or ev.also:
            why = VOICEMAIL if any(row.endswith("." + KEPT_VOICEMAIL) for row in (ev.row, *ev.also)) else RELEASED
            rows = ev.also if ev.what == KEPT_KEY else (ev.row, *ev.also)
            feed(w, role.call, calls.Released(why, rows))
    elif ev.row not in w.callers_gone.get(ev.leg, ()):
        w.caller_gone(ev.leg, (ev.row, *ev.also))
        _left_unheard(w, ev)  # of one who has left already, too: he may have asked before we ran, and hung up before we had read it


def _left_unheard(w: World, ev: ag.KeptFound) -> None:
    """He came and went without us: all that is known of him stands in the row."""
    run = w.runs.get(CampaignId(PREFIX + ev.place))
    after_s = (run.plan.terms.key_after_s if run is not None and run.plan.terms is not None else None) or 0.0  # a key that is none any more was one then
    at = w.now if ev.at is None else ev.at
    since = at if ev.since is None else ev.since
    rows = (ev.row, *ev.also)
    if ev.what == KEPT_KEY and (ev.since is None or at - since >= after_s):
        why = CALLBACK
    else:
        why = VOICEMAIL if any(row.endswith("." + KEPT_VOICEMAIL) for row in rows) else RELEASED
    asked_at = at if why == CALLBACK else None
    w.note("INFO", "caller_left_unheard", queue=ev.place, call=ev.leg, why=why)
    w.out.append(
        CallerLeft(
            AttemptId(ev.leg),
            ev.place,
            ev.number,
            why,
            None,
            max(0.0, at - since),
            0.0,
            why == RELEASED,
            at,
            switch=ev.switch,
            asked_at=asked_at,
            kept=rows,
            found=True,
        )
    )


def _opted_out(w: World, ev: ag.KeptFound) -> None:
    """`place` is the flow's extension and the node. A flow that has changed since is known by its name, its node by his."""
    extension, _, node_name = ev.place.rpartition(".")
    flow = extension.rpartition(".")[0]
    found: tuple[CampaignId | None, str] = (None, OPT_OUT_LIST)
    for id, run in w.runs.items():
        ivr = getattr(run.definition.options, "ivr", None)
        node = ivr.node(node_name) if ivr is not None and ivr.name == flow else None
        if ivr is None or node is None:
            continue
        if node_extension(ivr, node) == ev.place:
            found = (id, node.list)
            break
        if found[0] is None:
            found = (id, node.list)
    w.out.append(OptOut(ev.switch, None, found[0], ev.number, found[1], w.now if ev.at is None else ev.at, (ev.row, *ev.also), ev.place))


# --- whose turn it is -----------------------------------------------------------------------------------------------------------------


def match(w: World, able: set[CampaignId]) -> None:
    """Give idle agents to waiting callers: who has waited longest comes first, of equal waits the queue with the higher priority. `able`: the campaigns that
    can dial now; agents whom one that stands above the queue will dial for are left to it. Who asked for a callback while an agent was being connected, and
    was not, is let go now."""
    for call_id in tuple(w.needing):
        call = w.calls.get(call_id)
        if call is not None and call.key_at is not None and call.state is CallState.WAITING_AGENT and call.agent is None:
            feed(w, call_id, calls.KeyPressed(True, call.key_at))
    if w.linked and w.idle:
        _offer(w, able)
    while w.needing:
        call = w.calls.get(w.needing.popleft())
        if call is not None and call.state is CallState.WAITING_AGENT and call.agent is None:
            queue = w.runs[call.campaign].queue
            if queue is not None and call.bridged_at is None:
                queue.stood[call.id] = None
            feed(w, call.id, calls.NobodyFree())


def _offer(w: World, able: set[CampaignId]) -> None:
    queues = [run for run in w.runs.values() if run.queue is not None and run.waiting]
    served = [run for run in queues if any(a in w.idle and w.eligible(run, a) for a in run.crew)]
    if not served:
        return
    waiting = [(w.calls[c].answered_at or 0.0, -run.definition.priority, c) for run in served for c in run.waiting]
    places = standings(w)
    taken = claims(w, places, able)
    nobody: set[tuple[CampaignId, SwitchId]] = set()
    for _, _, call_id in sorted(waiting):
        call = w.calls[call_id]
        if (call.campaign, call.switch) in nobody or not w.linked_for(call):
            continue
        run, place = w.runs[call.campaign], places[call.campaign]
        agent_id = next_agent(w, run, None, {a for a, theirs in taken.items() if theirs < place}, call.switch)
        if agent_id is None:
            nobody.add((call.campaign, call.switch))
            continue
        del run.waiting[call_id]
        if run.queue is not None:
            run.queue.pace.stands(len(run.waiting), run.staying, w.now)
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
    ag.QueueRemoved: remove_queue,
    ag.CallerQueued: queued,
    ag.CallerKey: key_pressed,
    ag.KeptFound: kept_found,
    ag.LeadWithdrawn: withdraw,
}
