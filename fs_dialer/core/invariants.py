"""What must always hold, whatever happened: checked after every step in tests, and on demand in a running daemon."""

from __future__ import annotations

from collections.abc import Callable

from fs_dialer.core.agent import WITH_CALL
from fs_dialer.core.call_words import WaitDue
from fs_dialer.core.model import CallState, LeadId
from fs_dialer.core.world import World
from fs_dialer.errors import IllegalTransition


def check(w: World, story: Callable[[str], list[str]]) -> None:
    """No agent on two calls, no lead in two places, no leg without an owner, no customer without somebody who will end his wait."""

    def must(truth: bool, what: str, about: str) -> None:
        if not truth:
            raise IllegalTransition(f"{about}: {what}", story(about))

    on_call: dict[str, str] = {}
    leads: dict[LeadId, str] = {}
    for call in w.calls.values():
        must(call.state is not CallState.ENDED, "an ended call is kept", call.id)
        must(call.lead.id not in leads, f"lead {call.lead.id} is in two calls", call.id)
        leads[call.lead.id] = call.id
        must(call.id in w.runs[call.campaign].calls, "its campaign does not count it", call.id)
        if call.agent is not None:
            must(call.agent not in on_call, f"agent {call.agent} is on two calls: {on_call.get(call.agent)}", call.id)
            on_call[call.agent] = call.id
            must(w.agents[call.agent].call == call.id, f"agent {call.agent} does not know of it", call.id)
        must((call.target is not None) == (call.state is CallState.CONSULTING), "somebody is asked, or nobody, and its state says otherwise", call.id)
        if call.target is not None and call.target.agent is not None:
            asked = call.target.agent
            must(asked not in on_call, f"agent {asked} is asked, and is on a call: {on_call.get(asked)}", call.id)
            on_call[asked] = call.id
            must(w.agents[asked].call == call.id, f"agent {asked} does not know that he is asked", call.id)
        waits = call.state is CallState.WAITING_AGENT and call.agent is None
        inbound = w.runs[call.campaign].queue is not None
        must(inbound == (call.lead.id < 0), "a caller is nobody's lead, and a lead is no caller", call.id)
        must(not (inbound and waits) or call.music, "a caller waits in silence", call.id)
        must(not inbound or call.lead_leg in w.legs, "a caller's leg is not watched", call.id)
        must(not inbound or call.lead_leg not in w.callers_gone, "a caller who is gone is kept", call.id)
        must(call.leaving == "" or (inbound and call.state is CallState.NOTICE and call.agent is None), "he is on his way out, and somebody has him", call.id)
        must(waits == (call.id in w.runs[call.campaign].waiting), "its place among the waiting is wrong", call.id)
        if call.state in (CallState.ANSWERED, CallState.SCREENING, CallState.WAITING_AGENT):
            must(("call", call.id, WaitDue) in w.timers, "a waiting customer has no limit", call.id)
        legs = [leg for leg in (call.lead_leg, call.agent_leg, call.target.leg if call.target is not None else None) if leg is not None and leg in w.legs]
        must(not w.several or all(w.legs[leg].switch == call.switch for leg in legs), "its legs are on several switches", call.id)
    for agent in w.agents.values():
        if agent.state in WITH_CALL:
            must(agent.call in w.calls, f"{agent.state.value} without a call", agent.id)
            must(on_call.get(agent.id) == agent.call, f"{agent.state.value} on a call that is not his", agent.id)
        else:
            must(agent.call is None, f"{agent.state.value} with a call", agent.id)
        must(w.may_be_given(agent) == (agent.id in w.idle), "his place among the idle is wrong", agent.id)
    must(not w.needing, "callers wait for their turn to be looked at", ", ".join(w.needing))
    for switch, lines in w.ledger.promised_by.items():
        kept = sum(w.ledger.promises.get(call, 0) for call, at in w.ledger.promised_at.items() if at == switch)
        must(lines == kept, f"{lines} lines are promised where {kept} are", switch)
    for leg, role in w.legs.items():
        if role.kind == "lead" and not role.orphan:
            must(role.call in w.calls and w.calls[role.call].lead_leg == leg, f"leg {leg} belongs to no call", leg)
    for run in w.runs.values():
        staying = sum(1 for p in run.crew if (a := w.agents.get(p)) is not None and a.staying and w.eligible(run, p))
        must(run.staying == staying, f"counts {run.staying} agents where {staying} are", run.definition.id)
        must(set(run.calls) == {c.id for c in w.calls.values() if c.campaign == run.definition.id}, "its calls are miscounted", run.definition.id)
        if run.queue is not None:
            must(run.queue.came == run.queue.gone + len(run.calls), "its callers are miscounted", run.definition.id)
        must(run.queue is None or not (run.hopper or run.promised or run.dials), "a queue has leads", run.definition.id)
        for lead in (*run.hopper, *run.promised.values()):
            must(lead.id not in leads, f"lead {lead.id} waits in the hopper while it is called", run.definition.id)
