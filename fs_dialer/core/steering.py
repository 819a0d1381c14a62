"""A call and its flow: what the switch is told of the customer, where he is sent next, and what is kept of his way.

Pure questions about one call and answers to them; what happens when is ivr_rules.py's. The way itself is the path that the flow leaves behind (ivr/render.py):
its last word, where it has no value, is where he is. Nothing that stands in a lead, or that a service says, gets into a channel variable but letters, digits,
blanks and + - . (D7).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fs_dialer.core import switch_names as names
from fs_dialer.core.actions import EnterIvr, Hangup, OptOut
from fs_dialer.core.call_words import Call, Directive, GuardDue, Timer, WaitDue
from fs_dialer.core.changed import changed
from fs_dialer.core.flow import HEARD, SUCCESS, Ivr, IvrStep, has_succeeded, has_voicemail, steps
from fs_dialer.core.model import CallState, SwitchId

FLOW_SLACK_S = 30.0  # past the longest that the switch keeps a leg in a flow; then it is asked for
FLOW_MOST_S = 600.0  # of a flow that says nothing
FLOW_LEAST_S = 60.0  # what is left at least to whom we send on: to leave a message
MESSAGE_MOST_S = 180.0  # a machine's greeting and our message
MESSAGE_EXTENSION = "fsd_message"  # in the context of flows: waits for the end of the greeting, plays the message and hangs up
NUMBER = "number"  # what a flow may call the customer's number, where no attribute is named so
VALUE = re.compile(r"[A-Za-z0-9 +\-.,]{1,128}")  # D7
NAME = re.compile(r"[A-Za-z0-9_-]{1,50}")
THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Walked:
    """steps: what was done, in its order. set: parameters of the lead. left_at: the node where the call ended, "" = at an end of the flow. opted_out:
    the do-not-call lists on which he asked to be put, each with the node where he did."""

    steps: tuple[IvrStep, ...] = ()
    set: tuple[tuple[str, str], ...] = ()
    left_at: str = ""
    succeeded: bool = False
    voicemail: bool = False
    opted_out: tuple[tuple[str, str], ...] = ()


NOWHERE = Walked()
MOST_KEPT = 2048
_kept: dict[tuple[int, str], tuple[Ivr, Walked]] = {}  # by flow and path: asked twice in each call, and many go the same way


def walked(call: Call, path: str = "") -> Walked:
    """His whole way. `path`: as it came with the leg's end."""
    script, path = call.plan.script, path or call.path
    if script is None:
        return NOWHERE
    if call.over_at and path.split(";")[-1] == f"{call.over_at}=":
        path += SUCCESS  # the switch can not know: it was let go from where it waited for the answer
    kept = _kept.get((id(script), path))
    if kept is not None and kept[0] is script:
        return kept[1]
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    found = _walked(script, path)
    _kept[id(script), path] = script, found
    return found


def _walked(script: Ivr, path: str) -> Walked:
    done = steps(script, path)
    set_: dict[str, str] = {}
    opted_out: dict[str, str] = {}
    for step in done:
        node = script.node(step.node)
        if node is not None and step.do == "set" and step.value:
            set_.update(node.set)
        elif node is not None and step.do == "opt_out":
            opted_out.setdefault(node.list, node.name)
    over = bool(done) and (done[-1].do == "end" or done[-1].value == SUCCESS)
    left_at = "" if over else done[-1].node if done else script.first
    told = tuple(step for step in done if step.value)
    return Walked(told, tuple(set_.items()), left_at, has_succeeded(script, done), has_voicemail(script, done), tuple(opted_out.items()))


def standing(call: Call, do: str) -> str:
    """The node at which he is by his path, if it is of this kind; "" = it is not known."""
    node = call.plan.script.node(walked(call).left_at) if call.plan.script is not None else None
    return node.name if node is not None and node.do == do else ""


def flow_most_s(call: Call) -> float:
    return FLOW_MOST_S if call.plan.script is None else call.plan.script.at_most_s


def otherwise(call: Call) -> str:
    """Where his flow leads whom no agent serves in time, "" = nowhere."""
    node = call.plan.script.node(call.node) if call.plan.script is not None and call.node else None
    return "" if node is None else node.otherwise


# --- what is told of him ----------------------------------------------------------------------------------------------------------------


def sayable(value: str) -> str:
    """A value as the switch is given it, "" = not at all (D7). A comma would begin the next variable of an originate: 1,250.50 goes as 1250.50, and elsewhere
    a comma as a blank."""
    value = value.strip()
    if not VALUE.fullmatch(value):
        return ""
    if THOUSANDS.fullmatch(value):
        return value.replace(",", "")
    return " ".join(value.replace(",", " ").split())


def variables(call: Call, caller_id: str, gateway: str) -> tuple[tuple[str, str], ...]:
    """The channel variables that a leg needs for its flow. An attribute that may not be said is left out."""
    told = [(names.NUMBER, call.lead.number), (names.CALLER_ID, caller_id), (names.GATEWAY, gateway)]
    if call.plan.detect:
        told.append((names.DETECT, call.plan.detect))
    return (*told, *_allowed(names.ATTRIBUTE, call.lead.attributes))


def _allowed(prefix: str, pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    said = [(name, sayable(value)) for name, value in pairs if NAME.fullmatch(name)]
    return tuple((prefix + name, value) for name, value in said if value)


def known_values(call: Call) -> dict[str, str]:
    """What may be sent to a service, by name: attributes as they are, the answers in the path, those that services gave. Answers hide attributes."""
    attributes = {NUMBER: call.lead.number} | dict(call.lead.attributes)
    script = call.plan.script
    return attributes if script is None else _named(script, attributes, call.path) | dict(call.answers)


def _named(script: Ivr, attributes: Mapping[str, str], path: str) -> dict[str, str]:
    own = {node.kept_as for node in script.nodes if node.do in HEARD} | {name for node in script.nodes for name in node.take}
    known = {name: value for name, value in attributes.items() if name not in own}
    return known | {step.name: step.value for step in steps(script, path) if step.do in HEARD and step.value}


# --- where he is sent ---------------------------------------------------------------------------------------------------------------------


def onward(call: Call, node: str, now: float, taken: tuple[tuple[str, str], ...] = ()) -> tuple[Call, list[Directive]]:
    """Send him to a node of his flow, with what a service has told. What is left of his time goes on. A wait for an agent is no reason to leave no message, but
    only once: a flow that goes round by way of agents and services ends, too."""
    left_s = flow_most_s(call) - (now - (now if call.answered_at is None else call.answered_at))
    at_most_s = max(left_s, min(FLOW_LEAST_S, left_s + call.plan.max_wait_s + FLOW_LEAST_S))
    call = changed(call, state=CallState.IN_IVR, lead_parked=False, wants_agent=False, wait_until=None, music=False, playing=0)
    if at_most_s < 1.0:
        return call, [Timer(WaitDue, None), Hangup(call.lead_leg, "ALLOTTED_TIMEOUT"), Timer(GuardDue, now + FLOW_SLACK_S)]
    entered = EnterIvr(call.lead_leg, f"{call.plan.ivr}.{node}", variables=_allowed(names.ANSWER, taken), at_most_s=at_most_s)
    return call, [Timer(WaitDue, None), entered, Timer(GuardDue, now + at_most_s + FLOW_SLACK_S)]


def to_message(call: Call, now: float) -> tuple[Call, list[Directive]]:
    """An answering machine is told the campaign's message by an extension of the switch."""
    sound = call.plan.message or ""
    call = changed(call, state=CallState.NOTICE, message="playing", lead_parked=False, wants_agent=False, asking="", music=False, playing=0, hearing=False)
    entered = EnterIvr(call.lead_leg, MESSAGE_EXTENSION, variables=((names.MESSAGE, sound),), at_most_s=MESSAGE_MOST_S)
    return call, [Timer(WaitDue, None), entered, Timer(GuardDue, now + MESSAGE_MOST_S + FLOW_SLACK_S)]


def opt_out_action(call: Call, switch: SwitchId, node: str, wanted: str, now: float) -> OptOut:
    """He goes on the do-not-call list `wanted`; the row that his flow left in the switch is settled with it."""
    rows = (names.kept_row(call.lead_leg, names.KEPT_OPT_OUT),)
    place = f"{call.plan.ivr}.{node}" if call.plan.ivr and node else ""
    return OptOut(switch, call.id, call.campaign, call.lead.number, wanted, now, rows, place)
