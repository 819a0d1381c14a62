"""IVR flows and the engine: which flows the switch has, what one of them tells of a call, what a service answered, what is kept of a call that ended.

How one call goes through its flow stands in ivr_rules.py; here its news are sorted to it. A campaign dials only while the switch has its flow, as it was
approved: a customer who is called into an extension that is not there would be hung up on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fs_dialer.core import call_words as calls
from fs_dialer.core import events as ev
from fs_dialer.core.calling import feed
from fs_dialer.core.flow_places import why_not
from fs_dialer.core.model import CallState
from fs_dialer.core.steering import opt_out_action
from fs_dialer.core.world import World

DEFAULT_LIST = "own"
RINGING = (CallState.DIALING, CallState.EARLY)


# --- which flows there are --------------------------------------------------------------------------------------------------------------


def in_switch(w: World, e: ev.FlowsInSwitch) -> None:
    """At every link, and when the switch has read its XML again."""
    before = {run.definition.id: why_not(w, run) for run in w.runs.values()}
    w.flows[e.switch] = e.flows
    for run in w.runs.values():
        why = why_not(w, run)
        if run.dials and why and why != before[run.definition.id]:
            w.note("ERROR", "flow_missing", campaign=run.definition.id, why=why)
    w.pace_due = True


# --- what a flow tells --------------------------------------------------------------------------------------------------------------------


def said(w: World, e: ev.IvrSaid) -> None:
    role = w.legs.get(e.leg)
    call = w.calls.get(role.call) if role is not None and role.kind == "lead" and not role.orphan and role.call is not None else None
    if call is None:
        return  # an opt-out of a leg that nobody knows stands in the switch, too (KeptFound)
    if call.state in RINGING and e.what != "beep":
        feed(w, call.id, calls.LeadAnswered())  # only who has answered is in a flow
    if e.what == "opt_out":
        opt_out(w, call, e.node)
        return
    given = _input(e)
    if given is not None:
        feed(w, call.id, given)


def _input(e: ev.IvrSaid) -> calls.Input | None:
    if e.what == "agent":
        return calls.IvrWantsAgent(e.node, e.path)
    if e.what == "http":
        return calls.HttpWanted(e.node, e.path)
    simple = {"machine": calls.MachineHeard, "person": calls.PersonHeard, "beep": calls.BeepHeard}.get(e.what)
    return None if simple is None else simple()


def http_answered(w: World, e: ev.HttpAnswered) -> None:
    if e.call in w.calls:
        feed(w, e.call, calls.HttpCame(e.node, e.ok, e.values))


# --- do not call me -----------------------------------------------------------------------------------------------------------------------


def opt_out(w: World, call: calls.Call, node: str) -> None:
    """At once, whatever becomes of the call: the list is the database's, and the switch keeps a row until it has been written."""
    wanted = _list(call, node)
    if wanted not in call.opted_out:
        w.tell(call.id, "opted out", f"at {node}")
        w.out.append(opt_out_action(call, w.switch_of(call), node, wanted, w.now))
        feed(w, call.id, calls.OptedOut(wanted))


def _list(call: calls.Call, name: str) -> str:
    node = call.plan.script.node(name) if call.plan.script is not None else None
    return node.list if node is not None and node.do == "opt_out" else DEFAULT_LIST


HANDLERS: dict[type, Callable[[World, Any], None]] = {
    ev.FlowsInSwitch: in_switch,
    ev.IvrSaid: said,
    ev.HttpAnswered: http_answered,
}
