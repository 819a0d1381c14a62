"""The words that our dialplan in the switch and the daemon share: contexts, channel variables, CUSTOM events and the rows that are kept for us.

Constants only. dialplans/ and ivr/ render them, esl/translate.py and runtime/ read them, the simulated switch knows none of them.

What is kept. A key pressed while no daemon listens must not be lost: the dialplan stores it in mod_db (realm KEPT) in the same breath in which it fires
its event, and the daemon deletes the row when the database has what follows from it. A row's key is `UUID.WHAT`, WHAT one of the four below; its value
`QUEUE;NUMBER;SINCE;AT`, numbers as digits with an optional +, times in epoch seconds, "" where there is none. An opt-out has the flow's extension and its
node, `dues-menu.3f2a91c4.stop`, in place of the queue.
"""

from __future__ import annotations

FALLBACK_CONTEXT, QUEUE_CONTEXT, IVR_CONTEXT = "fsd", "fsd_queue", "fsd_ivr"

# Channel variables. Every value is ours, or digits, or passed the allow-list (D7).
PATH = "fsd_ivr"  # what was done in the flow: `main=1;pin=1234`
ATTRIBUTE = "fsd_a_"  # + name: an attribute of the lead
ANSWER = "fsd_v_"  # + name: an answer in the flow
NUMBER = "fsd_number"  # whom we called, or the number a queued caller comes from; "" = withheld
QUEUE = "fsd_queue"
SINCE = "fsd_since"  # when he came into the queue, epoch seconds
DETECT = "fsd_detect"  # amd, avmd: the detector of answering machines that this leg is given
MESSAGE = "fsd_message"  # a sound for answering machines
CALLER_ID = "fsd_caller_id"  # the number shown, for transfers out of a flow
GATEWAY = "fsd_gateway"  # the trunk, for transfers out of a flow

# CUSTOM events. WHAT tells which:
EVENT_IVR = "fsd::ivr"  # agent, http, opt_out, machine, person; NODE the node's name, VALUE more
EVENT_QUEUE = "fsd::queue"  # enter, key (the right one), wrong (another one), left (released, or voice mail left, by the fallback)
WHAT, NODE, VALUE, KEY, AT = "Fsd-What", "Fsd-Node", "Fsd-Value", "Fsd-Key", "Fsd-At"
EVENT_AVMD = "avmd::beep"

KEPT = "fsd_kept"
KEPT_KEY, KEPT_RELEASED, KEPT_VOICEMAIL, KEPT_OPT_OUT = "key", "released", "voicemail", "opt_out"


def kept_row(leg: str, what: str) -> str:
    return f"{leg}.{what}"
