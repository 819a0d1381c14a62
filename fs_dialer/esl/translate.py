"""From a switch's event to the engine's: a table by event name. Pure.

Reads only what is ours or cannot be mistaken: Unique-ID, our own variables (fsd_…), causes and SIP answers. Caller-id headers flip at the answer and are
never read. An event that means nothing to the engine becomes None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from fs_dialer.core import events as ev
from fs_dialer.core import switch_names as names
from fs_dialer.core.agent_events import CallerKey, CallerQueued
from fs_dialer.core.model import AgentId, AttemptId, GatewayId, LegFacts, LegId, SwitchId

VARIABLE_ATTEMPT = "fsd_attempt"
VARIABLE_AGENT = "fsd_agent"
VARIABLE_GATEWAY = "sip_gateway_name"  # set by the switch on every leg that goes out by a gateway
_EXTENSION = re.compile(r'<extension\s[^>]*?name="([A-Za-z0-9_.-]{1,200})"')
_FLOW = re.compile(r"[A-Za-z0-9_-]+\.[0-9a-f]{8}")
WE_HUNG_UP = frozenset({"send_bye", "send_cancel", "send_refuse"})
UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
BRIDGED_STATES = frozenset({"CS_EXCHANGE_MEDIA", "CS_SOFT_EXECUTE"})
CAUSE_WITHOUT_WORD = "NORMAL_UNSPECIFIED"

Headers = Mapping[str, str]
FOR_THE_PORT = ("RELOADXML",)  # of no meaning to the engine: the port asks then which flows there are
SUBSCRIBE = (
    *FOR_THE_PORT,
    "BACKGROUND_JOB",
    "CHANNEL_CREATE",
    "CHANNEL_PROGRESS",
    "CHANNEL_PROGRESS_MEDIA",
    "CHANNEL_ANSWER",
    "CHANNEL_PARK",
    "CHANNEL_BRIDGE",
    "CHANNEL_UNBRIDGE",
    "CHANNEL_HANGUP_COMPLETE",
    "CHANNEL_DESTROY",
    "PLAYBACK_STOP",
    "RECORD_START",
    "RECORD_STOP",
)
SUBSCRIBE_CUSTOM = (names.EVENT_IVR, names.EVENT_QUEUE, names.EVENT_AVMD)  # subclasses of CUSTOM


def translate(name: str, headers: Headers, body: str | None, switch: SwitchId) -> ev.Event | None:
    """One event of a switch as the engine's, or None when it has no meaning there."""
    rule = RULES.get(name)
    return None if rule is None else rule(headers, body, switch)


def _leg(h: Headers) -> LegId:
    return LegId(h.get("Unique-ID", ""))


def _created(h: Headers, body: str | None, switch: SwitchId) -> ev.Event:
    gateway = h.get(f"variable_{VARIABLE_GATEWAY}")
    attempt = h.get(f"variable_{VARIABLE_ATTEMPT}")
    agent = h.get(f"variable_{VARIABLE_AGENT}")
    return ev.LegCreated(_leg(h), switch, GatewayId(gateway) if gateway else None, AttemptId(attempt) if attempt else None, AgentId(agent) if agent else None)


def _ended(h: Headers, body: str | None, switch: SwitchId) -> ev.Event:
    we = h.get("variable_sip_hangup_disposition", "") in WE_HUNG_UP
    status = _number(h.get("variable_sip_term_status"))
    if status is None and not we:
        status = _number(h.get("variable_sip_invite_failure_status"))
    answered = h.get("variable_answer_epoch", "0") not in ("", "0")
    q850 = _number(h.get("variable_hangup_cause_q850"))
    path = h.get(f"variable_{names.PATH}", "")
    return ev.LegEnded(_leg(h), h.get("Hangup-Cause", ""), None if answered and status == 200 else status, q850, we, answered, path)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _job(h: Headers, body: str | None, switch: SwitchId) -> ev.Event | None:
    """The Job-UUID of an originate is the uuid of its leg: our choice."""
    job = h.get("Job-UUID")
    if not job or h.get("Job-Command", "originate") != "originate":
        return None
    reply = (body or "").strip()
    if reply.startswith("+OK"):
        return ev.OriginateSucceeded(LegId(job), LegId(reply[3:].strip()))
    cause = reply.removeprefix("-ERR").strip().split(" ")[0]
    return ev.OriginateFailed(LegId(job), cause or CAUSE_WITHOUT_WORD)


def _bridged(h: Headers, body: str | None, switch: SwitchId) -> ev.Event:
    a, b = h.get("Bridge-A-Unique-ID", ""), h.get("Bridge-B-Unique-ID", "")
    return ev.LegBridged(LegId(a), LegId(b))


def _unbridged(h: Headers, body: str | None, switch: SwitchId) -> ev.Event:
    other = h.get("Bridge-B-Unique-ID") or h.get("Other-Leg-Unique-ID")
    return ev.LegUnbridged(_leg(h), LegId(other) if other else None)


def _custom(h: Headers, body: str | None, switch: SwitchId) -> ev.Event | None:
    rule = SUBCLASSES.get(h.get("Event-Subclass", ""))
    return None if rule is None else rule(h, switch)


def _ivr(h: Headers, switch: SwitchId) -> ev.Event:
    return ev.IvrSaid(_leg(h), h.get(names.WHAT, ""), h.get(names.NODE, ""), h.get(names.VALUE, ""), h.get(f"variable_{names.PATH}", ""))


def _queue(h: Headers, switch: SwitchId) -> ev.Event | None:
    leg, what = _leg(h), h.get(names.WHAT)
    if not UUID.fullmatch(leg):
        return None  # a profile that takes the caller's Call-ID for it: such a leg is named in no command, and is left to its fallback
    if what == "enter":
        queue, number = h.get(f"variable_{names.QUEUE}", ""), h.get(f"variable_{names.NUMBER}", "")
        return CallerQueued(leg, queue, AttemptId(leg), number, switch=switch)
    return CallerKey(leg, h.get(names.KEY, ""), right=what == "key") if what in ("key", "wrong") else None


SUBCLASSES: dict[str, Callable[[Headers, SwitchId], ev.Event | None]] = {
    names.EVENT_IVR: _ivr,
    names.EVENT_QUEUE: _queue,
    names.EVENT_AVMD: lambda h, s: ev.IvrSaid(_leg(h), "beep"),
}


RULES: dict[str, Callable[[Headers, str | None, SwitchId], ev.Event | None]] = {
    "CHANNEL_CREATE": _created,
    "CHANNEL_PROGRESS": lambda h, b, s: ev.LegRang(_leg(h), early=False),
    "CHANNEL_PROGRESS_MEDIA": lambda h, b, s: ev.LegRang(_leg(h), early=True),
    "CHANNEL_ANSWER": lambda h, b, s: ev.LegAnswered(_leg(h)),
    "CHANNEL_PARK": lambda h, b, s: ev.LegParked(_leg(h)),
    "CHANNEL_BRIDGE": _bridged,
    "CHANNEL_UNBRIDGE": _unbridged,
    "CHANNEL_HANGUP_COMPLETE": _ended,
    "CHANNEL_DESTROY": lambda h, b, s: ev.LegDestroyed(_leg(h)),
    "PLAYBACK_STOP": lambda h, b, s: ev.PlaybackStopped(_leg(h)),
    "RECORD_START": lambda h, b, s: ev.RecordingStarted(_leg(h)),
    "RECORD_STOP": lambda h, b, s: ev.RecordingStopped(_leg(h)),
    "BACKGROUND_JOB": _job,
    "CUSTOM": _custom,
}


def queued_caller(dump: Headers, switch: SwitchId) -> CallerQueued | None:
    """The caller whom uuid_dump shows, as he would have been told when he came; None when this leg waits in no queue, or its queue's overflow or fallback
    has it."""
    queue, since = dump.get(f"variable_{names.QUEUE}", ""), dump.get(f"variable_{names.SINCE}", "")
    facts = leg_facts(dump, switch)
    if not queue or not facts.answered or out_of_queue(dump) or not UUID.fullmatch(facts.leg):
        return None
    at = float(since) if since.isascii() and since.replace(".", "", 1).isdigit() else None
    number = dump.get(f"variable_{names.NUMBER}", "")
    return CallerQueued(facts.leg, queue, AttemptId(facts.leg), number, at, facts.bridged_to, facts.met, switch)


def left_by_fallback(headers: Headers) -> bool:
    """Whether the CHANNEL_HANGUP_COMPLETE of a caller's leg says that its queue's fallback had it."""
    return bool(headers.get(f"variable_{names.QUEUE}")) and headers.get("variable_fsd_fallback") == "true"


def out_of_queue(dump: Headers) -> bool:
    """A caller's leg that its queue's overflow or fallback has: an extension below the queue's own, `support.overflow`."""
    queue, there = dump.get(f"variable_{names.QUEUE}", ""), dump.get("Caller-Destination-Number", "")
    return bool(queue) and dump.get("Caller-Context") == names.QUEUE_CONTEXT and there.startswith(f"{queue}.")


def flows_in(flows: str, queues: str, switch: SwitchId) -> ev.FlowsInSwitch:
    """What xml_locate says of our two contexts. Of flows only the entries, `dues-menu.3f2a91c4`: a call is sent nowhere else from outside."""
    entries = frozenset(name for name in _EXTENSION.findall(flows) if _FLOW.fullmatch(name))
    return ev.FlowsInSwitch(switch, entries, frozenset(_EXTENSION.findall(queues)))


def leg_facts(dump: Headers, switch: SwitchId) -> LegFacts:
    """What uuid_dump says of a leg. Other-Leg-Unique-ID stays on a leg whose bridge is over, so the channel's state decides whether it is bridged, or the
    application that bridges it, which leaves the state as it was (s11g); last_bridge_to outlives the bridge and the transfer that parks both (tried)."""
    attempt, agent = dump.get(f"variable_{VARIABLE_ATTEMPT}"), dump.get(f"variable_{VARIABLE_AGENT}")
    gateway, other = dump.get(f"variable_{VARIABLE_GATEWAY}"), dump.get("Other-Leg-Unique-ID")
    by_dialplan = dump.get("variable_current_application") == "bridge" and bool(dump.get("variable_signal_bond"))
    bridged = (dump.get("Channel-State") in BRIDGED_STATES or by_dialplan) and bool(other)
    return LegFacts(
        _leg(dump),
        switch,
        GatewayId(gateway) if gateway else None,
        AttemptId(attempt) if attempt else None,
        AgentId(agent) if agent else None,
        dump.get("Answer-State") == "answered",
        LegId(other) if bridged and other else None,
        met=bridged or bool(dump.get("variable_last_bridge_to")),
        path=dump.get(f"variable_{names.PATH}", ""),
        parked=not out_of_queue(dump) and not in_flow(dump),
    )


def in_flow(dump: Headers) -> bool:
    """A leg that an IVR flow has: it runs an application that is not the park of a node which connects with an agent."""
    return dump.get("Caller-Context") == names.IVR_CONTEXT and dump.get("variable_current_application") != "park"
