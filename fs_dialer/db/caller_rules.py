"""What becomes of a queue's caller once he is gone: what is written of him, and whether somebody should look at it (S78, D12).

Pure, and the same for both stores. A daemon tells of a caller once, but says it again when it is not sure that it was heard, and rows that the switch kept
while no daemon ran may tell of him what is known better by now. Whatever comes in whatever order, it ends the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fs_dialer.config.phone_numbers import BadNumber, parse_number
from fs_dialer.core.actions import CallerLeft, OptOut
from fs_dialer.core.flow import Ivr
from fs_dialer.core.queue_definition import CallbackKey, QueueDefinition
from fs_dialer.core.queue_line import PREFIX

CALLBACK, MISSED, VOICEMAIL, SERVED = "callback", "missed", "voicemail", "served"
REQUESTS = (CALLBACK, MISSED)
"""Tickets that are settled when their customer is served otherwise; a message wants to be heard all the same."""
SERVED_HOW, CALLED_BACK, EXPIRED = "served", "called_back", "expired"  # how a request was closed
MET_NOBODY = ("hung_up", "max_wait", "released", "lost")
THE_CUSTOMER = "the customer"
DIALLER = "fs-dialer"

_EXPIRES_S = CallbackKey(key="1").expires_s  # of a key that was taken out of the queue meanwhile
_NETWORK = re.compile(r"\+?[0-9]{1,20}")
_LEG = re.compile(r"[0-9A-Za-z_-]{1,64}")  # anything else names no file of ours
_STRONGER = (CALLBACK, VOICEMAIL, "overflow", "max_wait", "hung_up", "released", "lost")


@dataclass(frozen=True, slots=True)
class Known:
    """What is written of a caller. why: how he left, "" = he has not; found: by the switch's kept rows alone."""

    served: bool = False
    why: str = ""
    found: bool = False
    asked_at: float | None = None
    ticket: int | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What is to be written now. channel: of his ticket, "" = he needs none; since: his place in the line; expires_at: not called back after that."""

    why: str
    asked_at: float | None
    found: bool
    channel: str = ""
    since: float = 0.0
    expires_at: float | None = None


def settled(known: Known, action: CallerLeft, queue: QueueDefinition | None) -> Settled | None:
    """None where it is known already, or known better. `queue`: as it is defined now, None = not any more."""
    # Pressed while no daemon ran, and gone before the next one had read it: that one knows how he left, and not what he had asked.
    asked_unheard = action.found and action.why == CALLBACK and known.why in MET_NOBODY and not known.served
    if known.why and not known.found and not asked_unheard:
        return None
    if action.found and (known.served or action.why == SERVED):
        return None
    asked_at = known.asked_at if known.asked_at is not None else action.asked_at
    why = SERVED if known.served else action.why
    if known.why and SERVED not in (why, known.why):
        why = min(known.why, why, key=_STRONGER.index)
    since = asked_at if asked_at is not None else action.at
    if why == SERVED:
        return Settled(why, asked_at, action.found)
    if asked_at is not None or why == CALLBACK:
        expires_s = queue.callback.expires_s if queue is not None and queue.callback is not None else _EXPIRES_S
        return Settled(why, asked_at if asked_at is not None else action.at, action.found, CALLBACK, since, since + expires_s)
    if why == VOICEMAIL:
        return Settled(why, None, action.found, VOICEMAIL, since)
    nobody = action.agent is None and (action.missed or why in MET_NOBODY)
    return Settled(why, None, action.found, MISSED if nobody and queue is not None and queue.ticket_for_missed else "", since)


def met_at(action: CallerLeft) -> float:
    """When an agent was first on the line with one who was served, as far as the end of his call tells."""
    return action.at - max(0.0, action.talked_s)


def number_of(written: str, region: str) -> tuple[str, str]:
    """A caller's number in E.164, and "". Where it is none: its digits, or "" where it has none, and why nobody can be called there.

    `region`: the installation's, for numbers without a country code. What is neither digits nor + is no number, whoever sent it (D7).
    """
    if not _NETWORK.fullmatch(written):
        return "", "the number was withheld: nobody can be called back"
    try:
        return parse_number(written, region)[0], ""
    except BadNumber as error:
        return written, f"the number can't be called: {error.text}"


def opt_out_reason(action: OptOut, ivr: Ivr | None) -> str:
    """Where he said so: campaign, flow and node, as far as they are known. `ivr`: the campaign's flow, where the action does not name the place."""
    campaign = action.campaign or ""
    told = [f"queue {campaign.removeprefix(PREFIX)}" if campaign.startswith(PREFIX) else f"campaign {campaign}"] if campaign else []
    extension, _, node = action.place.rpartition(".")
    flow = extension.rpartition(".")[0]
    if not action.place and ivr is not None:
        flow, nodes = ivr.name, [each.name for each in ivr.nodes if each.do == "opt_out" and each.list == action.list]
        node = nodes[0] if len(nodes) == 1 else ""
    told += [f"flow {flow}"] if flow else []
    told += [f"node {node}" if flow else node] if node else []
    return "asked by a key not to be called" + (f": {', '.join(told)}" if told else "")


def flow_in(options: object) -> Ivr | None:
    """The flow among a campaign's options; None where it has none."""
    ivr = getattr(options, "ivr", None)
    return ivr if isinstance(ivr, Ivr) else None


def message_file(action: CallerLeft) -> str:
    """Where the switch put his message, below the folder of recordings (dialplans/queues.py); "" = he left none."""
    return f"queue/{action.call}.wav" if action.why == VOICEMAIL and _LEG.fullmatch(action.call) else ""


def waited_words(action: CallerLeft) -> str:
    return f"waited {max(0.0, action.waited_s):.0f} s"
