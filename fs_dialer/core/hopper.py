"""Leads claimed and ready to dial, for each campaign: how many it wants to hold, when it asks for more, and when it has none left for ever."""

from __future__ import annotations

from collections import deque

from fs_dialer.core import campaign as campaigns
from fs_dialer.core.actions import ClaimLeads, ReturnLeads
from fs_dialer.core.flow_places import why_not
from fs_dialer.core.lead_order import likelier_first
from fs_dialer.core.lifecycle import live
from fs_dialer.core.model import AgentState, CampaignType, Lead, LeadReturn
from fs_dialer.core.promises import PROMISE_S
from fs_dialer.core.retry import REMEDY
from fs_dialer.core.world import Run, World

HOPPER_S = 10.0  # of the fastest pace
HOPPER_LEAST = 20
HOPPER_PER_AGENT = 4
CLAIM_RETRY_S = 5.0
CLAIM_IDLE_S = 30.0
CLAIM_BACK_S = 0.25  # for leads that went back to be there again


def hopper_size(w: World, run: Run) -> int:
    if not run.hopper_size:
        crew = len(run.crew)
        if run.plan.in_flow:
            crew += (run.definition.lines or w.installation.lines) // HOPPER_PER_AGENT
        run.hopper_size = int(min(max(HOPPER_LEAST, HOPPER_S * w.installation.cps), HOPPER_LEAST + HOPPER_PER_AGENT * crew))
    return run.hopper_size


def refill(w: World, run: Run) -> None:
    """Claim up to about ten seconds' worth of leads whose zones are open now, when half of that is gone."""
    if run.flow.pull and run.left_unknown and run.dials and w.now >= run.claim_at:
        run.left_unknown = False
        ask_what_is_left(w, run)
    size = hopper_size(w, run)
    if not run.dials or run.flow.pull or run.claiming or len(run.hopper) * 2 >= size or not w.may_dial() or why_not(w, run):
        return
    start = run.definition.window.start
    if start is not None and w.now < start:  # moved ahead while it runs
        run.claim_at = max(run.claim_at, start)
    if w.now < run.claim_at:
        w.timers.set(("claim", run.definition.id), run.claim_at)
        return
    verdicts = [(zones, run.hours_for(zones, w.now)) for zones in run.zone_sets]
    open_sets = tuple(zones for zones, verdict in verdicts if verdict.open)
    run.outside_hours = bool(verdicts) and not open_sets
    if not open_sets:
        openings = [verdict.until for _, verdict in verdicts if verdict.until is not None]
        run.claim_at = min(openings, default=w.now + CLAIM_IDLE_S)
        w.timers.set(("claim", run.definition.id), run.claim_at)
        if run.zone_sets:
            return
    run.claiming = True
    w.out.append(ClaimLeads(run.definition.id, size - len(run.hopper), open_sets, run.plan.attributes))


def ask_what_is_left(w: World, run: Run) -> None:
    """Where agents take leads themselves nothing is claimed ahead; whether the list is through is asked when it may be."""
    if run.dials and not run.claiming:
        run.claiming = True
        w.out.append(ClaimLeads(run.definition.id, 0, ()))


def leads_claimed(w: World, run: Run, leads: tuple[Lead, ...], next_ready_at: float | None, unfinished: bool) -> None:
    run.claiming = False
    if not run.running or w.draining:
        if leads:
            gate = "paused" if not w.draining else "draining"
            w.out.append(ReturnLeads(run.definition.id, tuple(LeadReturn(lead.id, lead.ready_at, gate) for lead in leads)))
        return
    again = {lead.id for lead in leads}
    if run.promised or any(lead.id in again for lead in run.hopper):  # a mark took them out of our hands meanwhile: the newer copy holds
        run.hopper = deque(lead for lead in run.hopper if lead.id not in again)
        run.promised = {id: lead for id, lead in run.promised.items() if id not in again}
    run.hopper.extend(likelier_first(run, [lead for lead in leads if not _kept_for_agent(w, run, lead)], w.now))
    if not leads:
        run.unfinished = unfinished
        wait = CLAIM_IDLE_S if next_ready_at is None else max(0.05, next_ready_at - w.now)
        run.claim_at = w.now + min(wait, CLAIM_IDLE_S)
        if run.back_at < run.claim_at:
            run.claim_at = max(run.back_at, w.now) + CLAIM_BACK_S
        run.back_at = float("inf")
        w.timers.set(("claim", run.definition.id), run.claim_at)
    w.pace_due = True


def claim_failed(w: World, run: Run) -> None:
    run.claiming = False
    run.left_unknown = run.flow.pull
    run.claim_at = w.now + CLAIM_RETRY_S
    w.timers.set(("claim", run.definition.id), run.claim_at)


def _resting_from(w: World, run: Run) -> bool:
    """An agent is in his wrap-up, and may still say that the last customer is to be called again."""
    return any(w.agents[person].state is AgentState.WRAP_UP for person in run.crew if person in w.agents)


def _ends(run: Run) -> bool:
    """Its goal is a list (all_processed); callback campaigns and goal none wait for leads for ever (D15, S88)."""
    return run.definition.leads.new_rows == "leave" and run.definition.type is not CampaignType.CALLBACK


def end_if_done(w: World) -> None:
    """Goal all_processed: nothing is up, nothing is claimed, and the store says that no lead can be dialled ever again (M9, M10)."""
    for run in w.runs.values():
        done = not (run.unfinished or run.calls or run.hopper or run.promised or run.claiming)
        if run.running and done and not _resting_from(w, run) and _ends(run):
            live(w, run, campaigns.ListDone())


def _kept_for_agent(w: World, run: Run, lead: Lead) -> bool:
    """A callback that is promised by an agent waits for him, ten minutes at most; whose call was missed, for any agent."""
    if lead.ready_why == REMEDY and not run.flow.reserve_agent:
        run.promised[lead.id] = lead
        return True
    if lead.agent is None or w.now >= lead.ready_at + PROMISE_S or not run.flow.reserve_agent:
        return False
    run.promised[lead.id] = lead
    w.timers.set(("promised", lead.id), lead.ready_at + PROMISE_S)
    return True
