"""What a leg is originated with: where to, and under which channel variables. Pure, and the same for a real and a simulated switch.

Only our own ids, flags, seconds and digits become channel variables (D7): FreeSWITCH expands what it finds in a value once more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fs_dialer.core.actions import OriginateAgent, OriginateLead, OriginateOutside, OriginateSupervisor
from fs_dialer.core.switch_names import IVR_CONTEXT

FALLBACK_AFTER_S = 28  # a parked leg that nobody renews is at the fallback extension within 30 s: the switch counts whole seconds and may be late by one
MEDIA_FALLBACK_SLACK_S = 15
FALLBACK_EXTENSION = "fsd_fallback"
FALLBACK_CONTEXT = "fsd"


STAYS = {
    "park_after_bridge": "true",  # else the leg dies after its first customer
    "uuid_bridge_park_on_cancel": "true",  # and with a customer who hangs up between uuid_bridge and CHANNEL_BRIDGE
}


@dataclass(frozen=True, slots=True)
class LegPlan:
    """`gateway` "" = `to` is a whole dial string; else `to` is the number sent to that gateway. Every leg parks at its answer, fallback armed; a supervisor's
    runs another application, which ends with what it listens to. `extension`, in `context`: of an IVR flow; whoever answers goes there at once and does not
    park, and the flow has a limit of its own in place of the fallback."""

    gateway: str
    to: str
    variables: dict[str, str]
    fallback_after_s: dict[str, int]  # variable of the execute_on_ family → seconds until fsd_fallback, unless renewed
    application: str = "park"
    arguments: str = ""
    extension: str = ""
    context: str = ""


def lead_plan(action: OriginateLead) -> LegPlan:
    variables = {
        "originate_timeout": str(_timeout_s(action.ring_timeout_s)),
        "ignore_early_media": "false" if action.early_media else "true",
        "origination_caller_id_number": action.attempt.caller_id,
        "fsd_role": "lead",
        "fsd_attempt": action.attempt.id,
    }
    if action.stereo:
        variables["RECORD_STEREO"] = "true"
    if action.extension:
        variables["ignore_early_media"] = "true"  # else the flow would begin at the 183 and speak to the network's announcement
        return LegPlan(action.attempt.gateway, action.dial, variables | dict(action.variables), {}, extension=action.extension, context=IVR_CONTEXT)
    fallback = {"execute_on_answer": FALLBACK_AFTER_S}
    if action.early_media:
        # The originate succeeds at the 183 and its timeout is over: from then on only we, or this, end the ringing.
        fallback["execute_on_media"] = math.ceil(action.ring_timeout_s) + MEDIA_FALLBACK_SLACK_S
    return LegPlan(action.attempt.gateway, action.dial, variables, fallback)


def agent_plan(action: OriginateAgent) -> LegPlan:
    variables = {"originate_timeout": str(_timeout_s(action.ring_timeout_s)), "ignore_early_media": "true", "fsd_role": "agent", "fsd_agent": action.agent}
    if action.caller_id:
        variables["origination_caller_id_number"] = action.caller_id
    if action.call is not None:
        variables["fsd_attempt"] = action.call
    if action.auto_answer:
        variables["sip_auto_answer"] = "true"  # the switch adds Call-Info: answer-after=0 and ;intercom=true
        variables["sip_auto_answer_suppress_notify"] = "true"  # and would send NOTIFY Event: talk to a phone that may not know it (tried)
    if action.nailed or action.stays:
        variables |= STAYS
    return LegPlan("", action.dial_string, variables, {"execute_on_answer": FALLBACK_AFTER_S})


def outside_plan(action: OriginateOutside) -> LegPlan:
    """A number to which a customer is transferred: ours, and nobody's attempt."""
    variables = {
        "originate_timeout": str(_timeout_s(action.ring_timeout_s)),
        "ignore_early_media": "true",
        "origination_caller_id_number": action.caller_id,
        "fsd_role": "transfer",
        "fsd_attempt": action.call,
    }
    return LegPlan(action.gateway, action.dial, variables | STAYS, {"execute_on_answer": FALLBACK_AFTER_S})


# Into what the leg is sent: its own phone hears it. Its name says the opposite: eavesdrop_whisper_aleg is heard by the customer (tried, and listened to).
SPEAKS = {"whisper": {"eavesdrop_whisper_bleg": "true"}}


def supervisor_plan(action: OriginateSupervisor) -> LegPlan:
    """No fallback: the leg ends by itself with the one it listens to."""
    timeout = str(_timeout_s(action.ring_timeout_s))
    variables = {"originate_timeout": timeout, "ignore_early_media": "true", "fsd_role": "supervisor", "fsd_attempt": action.call}
    if action.caller_id:
        variables["origination_caller_id_number"] = action.caller_id
    application = "three_way" if action.how == "barge" else "eavesdrop"
    return LegPlan("", action.dial_string, variables | SPEAKS.get(action.how, {}), {}, application, action.agent_leg)


def _timeout_s(ring_s: float) -> int:
    """originate_timeout=N ends between N−1 and N seconds: one more keeps a promised ring time."""
    return math.ceil(ring_s) + 1
