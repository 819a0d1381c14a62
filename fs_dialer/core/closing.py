"""The end of a call: its outcome and count, what becomes of its lead, what modes and breakers learn of it, and what is left of its legs.

Once for each attempt. How a call got there is the call machine's (call.py); what the end means for the lead stands in retry.py.
"""

from __future__ import annotations

from fs_dialer.core import call_words as calls
from fs_dialer.core import campaign as campaigns
from fs_dialer.core.actions import CloseAttempt, ReturnLeads
from fs_dialer.core.call_rules import SKIPPED
from fs_dialer.core.caller_ids import Resting, Way, healthy
from fs_dialer.core.changed import changed
from fs_dialer.core.hangup import FEEDS_ESTIMATE, Evidence, outcome, was_missed
from fs_dialer.core.leads import CALLER_ID
from fs_dialer.core.lifecycle import live, settle_serves
from fs_dialer.core.mode_port import Observation
from fs_dialer.core.model import (
    AttemptId,
    AttemptResult,
    CampaignState,
    CampaignType,
    LeadReturn,
    LeadStatus,
    LeadUpdate,
    Outcome,
)
from fs_dialer.core.promises import PROMISE_S
from fs_dialer.core.retry import Ended, next_lead
from fs_dialer.core.schedule import next_day
from fs_dialer.core.steering import NOWHERE, Walked, opt_out_action, walked
from fs_dialer.core.world import Run, World

MISSED_PATIENCE = 100  # answered calls at progressive pace before a campaign that misses too many pauses itself (D15)
MISSED_LEAST = 5  # fewer missed calls say nothing of a rate
IMPATIENT_S = 1.0  # a customer who hangs up sooner did not hang up because he waited
SKIPPED_S = 600.0  # before a lead that an agent passed over is offered again, behind all others
STORE_KEEPS_THE_LEAD = frozenset({"lead_taken", "already_open", "epoch", "do_not_call", "no_callback"})


def finish(w: World, call_id: AttemptId, d: calls.Finish) -> None:
    call = w.calls.pop(call_id)
    run = w.runs[call.campaign]
    run.calls.pop(call_id, None)
    run.waiting.pop(call_id, None)
    w.due_legs.pop(call_id, None)
    w.ledger.forget(call_id)
    for due in calls.DUES:
        w.timers.clear(("call", call_id, due))
    _watch_legs(w, call)
    w.pace_due = True
    if run.flow.pull:
        w.asked_after.append(run)
    if run.queue is not None:
        left = run.queue.over(call, d.evidence, w.now)
        w.tell(call_id, "left", left.why)
        w.caller_gone(call.lead_leg, left.kept)
        w.out.append(left)
        run.queue.pace.stands(len(run.waiting), run.staying, w.now)
        forget_closed(w, run)
    elif d.evidence is None:
        _give_lead_back(w, call, d.gate, d.until)
    else:
        close(w, run, call, d.evidence)
    if not run.calls and run.life.state is CampaignState.DRAINING:
        live(w, run, campaigns.LastCallOver())


def forget_closed(w: World, run: Run) -> None:
    """A queue that stands in no definition any more goes with its last caller."""
    if run.queue is not None and run.queue.closed and not run.calls:
        del w.runs[run.definition.id]
        settle_serves(w)


def _watch_legs(w: World, call: calls.Call) -> None:
    """What is left of the call's legs is watched to its end; a leg that never came to be gives back its line."""
    role = w.legs.get(call.lead_leg)
    if role is not None:
        role.orphan = True
        if not role.seen:
            del w.legs[call.lead_leg]
            w.ledger.remove(call.lead_leg)


def _give_lead_back(w: World, call: calls.Call, gate: str, until: float | None) -> None:
    w.tell(call.id, "not dialled", gate or "changed our mind")
    if not gate and _keeps_its_place(w, call):
        return
    if gate not in STORE_KEEPS_THE_LEAD:
        if gate == SKIPPED:
            until = w.now + SKIPPED_S
        ready_at = call.lead.ready_at if until is None else max(until, call.lead.ready_at)
        run = w.runs[call.campaign]
        run.back_at = min(run.back_at, ready_at)
        w.out.append(ReturnLeads(call.campaign, (LeadReturn(call.lead.id, ready_at, gate, last=gate in (CALLER_ID, SKIPPED)),)))
    if call.gateway is not None:
        _judge_way(w, call, Outcome.CANCELLED, "")


def _keeps_its_place(w: World, call: calls.Call) -> bool:
    """A callback whose agent did not come goes to the next agent and stays where it stood in the line (S89): in the store it would fall behind the leads
    that are in our hands already."""
    run = w.runs[call.campaign]
    withdrawn = call.id in w.withdrawn
    w.withdrawn.discard(call.id)
    if call.plan.first_leg != "agent" or withdrawn or run.flow.pull or not run.dials or w.draining or not w.installation.campaigns:
        return False
    if call.lead.agent is not None and w.now < call.lead.ready_at + PROMISE_S:
        run.promised[call.lead.id] = call.lead  # it waits on for the agent who promised it
        w.timers.set(("promised", call.lead.id), call.lead.ready_at + PROMISE_S)
        return True
    mine = (call.lead.ready_at, call.lead.id)
    before = next((n for n, lead in enumerate(run.hopper) if (lead.ready_at, lead.id) > mine), len(run.hopper))
    run.hopper.insert(before, call.lead)
    return True


def close(w: World, run: Run, call: calls.Call, e: Evidence) -> None:
    """Outcome, count, what becomes of the lead, what the mode and the breakers learn: once per attempt."""
    within = run.definition.connect_within_s
    result = outcome(e, within)
    told = walked(call) if call.plan.in_flow else NOWHERE
    early = result is Outcome.EARLY_HANGUP and run.definition.compliance.early_hangup_is_missed and (not e.in_flow or e.wanted_at is not None)
    missed = early or was_missed(e, result, within)
    record = AttemptResult(
        call.id,
        result,
        e.cause,
        e.sip_status,
        call.last_agent,
        call.rang_at,
        call.answered_at,
        call.bridged_at,
        w.now,
        missed,
        e.leg_seen,
        _ticket(run, call, result, told.voicemail),
        call.recorded_from,
        call.recorded_until if call.recorded_from is None or call.recording == "off" else w.now,
        told.steps,
        told.left_at if call.answered_at is not None else "",
        w.switch_of(call),
    )
    away = w.several and bool(call.switch) and w.fleet.get(call.switch).given_up  # his phone may have rung, and nobody can tell
    reached = result is Outcome.MACHINE and call.message == "left" and call.plan.message_succeeds
    update = next_lead(call.lead, Ended(result, e.rang or e.answered_at is not None or away, missed, reached=reached), run.definition, w.now)
    if call.plan.in_flow:
        update = _by_flow(w, call, told, update)
    if call.caller_id:
        update = changed(update, caller_id=call.caller_id)
    run.tally.add(record)
    _watch_missed(w, run)
    _learn(w, run, call, result, missed)
    w.tell(call.id, "closed", f"{result.value} ({e.cause or 'no cause'}), lead {call.lead.id} {update.status.value}")
    w.out.append(CloseAttempt(record, update))
    if call.gateway is not None:
        _judge_way(w, call, Outcome.UNKNOWN if away else result, e.cause if e.sip_status is None else f"{e.cause}, {e.sip_status}")


def _by_flow(w: World, call: calls.Call, told: Walked, update: LeadUpdate) -> LeadUpdate:
    """What he did in the flow: parameters, unless a rule says otherwise of the same; and who asked not to be called is not. An opt-out may be known by the
    path alone, where it was pressed while we heard nothing."""
    if told.set:
        update = changed(update, set=tuple((dict(told.set) | dict(update.set)).items()))
    w.out += [opt_out_action(call, w.switch_of(call), node, wanted, w.now) for wanted, node in told.opted_out if wanted not in call.opted_out]
    if call.opted_out or told.opted_out:
        update = changed(update, status=LeadStatus.BLOCKED, ready_at=w.now, ready_why="", agent=None, decision="he asked not to be called any more")
    return update


def _watch_missed(w: World, run: Run) -> None:
    """D15: a missed rate above twice the ceiling brings the pacer down to one call for each free agent; if it is still there a hundred answers later,
    something is wrong that pacing can not mend."""
    missed = getattr(run.definition.options, "missed", None)
    if missed is None or not run.running:
        return
    if w.now >= run.day_ends:
        run.today, run.day_ends = (-run.tally.answered, -run.tally.missed), next_day(w.now, run.definition.window.zone)
        run.too_many_from = None
    ceiling = min(missed.max, run.definition.compliance.missed_max or missed.max)
    answered, lost = run.today[0] + run.tally.answered, run.today[1] + run.tally.missed
    if lost <= 2 * ceiling * answered or lost <= MISSED_LEAST:
        run.too_many_from = None
    elif run.too_many_from is None:
        run.too_many_from = answered
    elif answered - run.too_many_from >= MISSED_PATIENCE:
        why = f"paused by itself: {lost} of {answered} answered calls were missed today, more than twice the ceiling of {ceiling:.1%}"
        live(w, run, campaigns.SelfPause(why))


def _ticket(run: Run, call: calls.Call, result: Outcome, voicemail: bool) -> str:
    """S15: a ticket for each call that reached the network; S63: autocall, only for those that met an agent or left voice mail."""
    wanted = run.definition.tickets
    if wanted == "no" or result in (Outcome.CANCELLED, Outcome.OURS):
        return ""
    if voicemail:
        return "voicemail"
    if wanted == "on_agent_or_voicemail" and call.bridged_at is None:
        return ""
    return "call"


def _judge_way(w: World, call: calls.Call, result: Outcome, fault: str) -> None:
    """What the end of a call says of its caller id over its trunk (D3). A campaign with no way left after many trials pauses itself (D15)."""
    way = w.way_of(call)
    breaker = w.breakers.way(way)
    _tell_of_way(w, way, breaker.ended(call.id, result, fault, call.dialed_at or 0.0, w.now))
    if breaker.hopeless:
        pause_hopeless(w)


def way_worked(w: World, call: calls.Call) -> None:
    """The callee's phone rings, or was answered: its way works, however long the talk will be."""
    if call.gateway is not None and w.breakers.troubled:
        way = w.way_of(call)
        if w.breakers.way(way).worked(call.id, call.dialed_at or 0.0):
            _tell_of_way(w, way, "closed")


def _tell_of_way(w: World, way: Way, news: str) -> None:
    if news:
        said = w.breakers.way(way).said(w.now)
        w.note("WARNING" if news == "opened" else "INFO", f"way_{news}", caller_id=way.caller_id, gateway=way.gateway, why=said)
        w.tell(f"{way.caller_id} over {way.gateway}", news, said)
        w.pace_due = True


def pause_hopeless(w: World) -> None:
    """Callback campaigns never pause by themselves (S87)."""
    for run in w.runs.values():
        if run.dials and run.definition.type is not CampaignType.CALLBACK:
            found = healthy(w.ways_of(run), "", w.breakers, w.now)
            if isinstance(found, Resting) and found.hopeless:
                live(w, run, campaigns.SelfPause(f"paused by itself: {found.reason}"))


def _learn(w: World, run: Run, call: calls.Call, result: Outcome, missed: bool) -> None:
    """Only what the callee did feeds the estimates (spec §4)."""
    if call.answered_at is None and result in FEEDS_ESTIMATE:
        since = call.dialed_at if call.dialed_at is not None else w.now
        run.memory = run.mode.observe(run.memory, Observation("machine" if result is Outcome.MACHINE else "ended", w.now - since), w.now)
        if run.learn is not None:
            run.learn(run.memory, call.lead, False, w.now)
    if missed or (result is Outcome.EARLY_HANGUP and call.answered_at is not None and w.now - call.answered_at >= IMPATIENT_S):
        # Whoever hangs up because nobody came is no missed call of the law's (D1), but a price of dialling too much all the same.
        run.memory = run.mode.observe(run.memory, Observation("abandoned"), w.now)
