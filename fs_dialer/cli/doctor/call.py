"""`--call`: one call inside the switch, from nobody to nobody, parked, sent to the fallback extension and hung up.

null/ is an endpoint of mod_loopback without media and without an address: nothing leaves the switch, and no phone rings. The call carries none of the
variables by which the daemon knows its own legs. It is hung up by its uuid in the end. Should the connection be lost before that, park_timeout and the
fallback's own limit end it.
"""

from __future__ import annotations

import time
import uuid

from fs_dialer.cli.doctor.ask_switch import NOT_REACHABLE, Line
from fs_dialer.cli.doctor.checks import Check, Verdict, bad, fine, not_asked, warn
from fs_dialer.core.leg_plan import FALLBACK_CONTEXT, FALLBACK_EXTENSION
from fs_dialer.dialplans.fallback import MARK
from fs_dialer.errors import EslDisconnected
from fs_dialer.esl import commands

ENDPOINT = "null/fs-dialer-doctor"
ANSWER_S = 1.0  # it is made in a few milliseconds; a switch that needs so long is busy
TIMEOUT_S = 2
PARKED_AT_MOST_S = 10
ARRIVAL_S = 1.0
_STEP_S = 0.01


def examine(line: Line | None, fallback: Verdict | None) -> list[Check]:
    """`fallback`: what the dialplan's check has said; without the extension the call is not sent there."""
    subjects = ("call.answered", "a test call"), ("call.fallback", "a test call to the fallback extension")
    if line is None:
        return [not_asked(id, subject, NOT_REACHABLE) for id, subject in subjects]
    leg = str(uuid.uuid4())
    checks: list[Check] = []
    try:
        began = time.monotonic()
        reply = line.ask_now(originate(leg))
        checks.append(answered(reply, leg, time.monotonic() - began))
        if checks[0].verdict is Verdict.BAD:
            return [*checks, not_asked(*subjects[1], "there was no call")]
        if fallback in (Verdict.FINE, Verdict.WARN):
            checks.append(arrived(_sent_to_fallback(line, leg)))
        else:
            checks.append(not_asked(*subjects[1], "the extension is not there"))
        line.ask_now(commands.uuid_kill(leg, "NORMAL_CLEARING"))
        return checks if line.ask_now(commands.uuid_exists(leg)) == "false" else [*checks, still_up(leg)]
    except EslDisconnected as error:
        return [*checks, *(not_asked(id, subject, str(error)) for id, subject in subjects[len(checks) :])]


def originate(leg: str) -> str:
    variables = f"origination_uuid={leg},originate_timeout={TIMEOUT_S},park_timeout={PARKED_AT_MOST_S},ignore_early_media=true"
    return f"originate {{{variables}}}{ENDPOINT} &park()"


def answered(reply: str, leg: str, took_s: float) -> Check:
    """The reply to `api originate`, which comes when the call is answered."""
    id = "call.answered"
    if reply.strip() == f"+OK {leg}":
        what = f"a test call was answered after {took_s * 1000:.0f} ms, and parked"
        return warn(id, what, "the switch is busy: fs_cli -x status") if took_s > ANSWER_S else fine(id, what)
    cause = reply.removeprefix("-ERR").strip()
    if cause == "CHAN_NOT_IMPLEMENTED":
        return bad(id, "the test call could not be made: mod_loopback is not loaded", "fs_cli -x 'load mod_loopback' (only the test call needs it)")
    if cause == "DESTINATION_OUT_OF_ORDER":
        return bad(id, "the switch refused the test call: it is paused or at its limits", "fs_cli -x status")
    return bad(id, f"the switch refused the test call: {' '.join(cause.split())[:80]}", "the switch's log tells more: log_dir/freeswitch.log")


def arrived(took_s: float | None) -> Check:
    """Seconds until the call was in the fallback extension; None = it did not get there."""
    if took_s is None:
        text = "a test call did not get into the fallback extension: customers would not be let go without the daemon"
        return bad("call.fallback", text, "docs/switch.md, step 1; the switch's log says which extension it took")
    return fine("call.fallback", f"the test call went into {FALLBACK_EXTENSION} after {took_s * 1000:.0f} ms")


def still_up(leg: str) -> Check:
    return warn("call.hung_up", "the test call did not end when it was hung up", f"fs_cli -x 'uuid_kill {leg}'")


def _sent_to_fallback(line: Line, leg: str) -> float | None:
    began = time.monotonic()
    line.ask_now(commands.uuid_transfer(leg, FALLBACK_EXTENSION, FALLBACK_CONTEXT))
    while (took_s := time.monotonic() - began) < ARRIVAL_S:
        if line.ask_now(commands.uuid_getvar(leg, MARK)) == "true":
            return took_s
        time.sleep(_STEP_S)
    return None
