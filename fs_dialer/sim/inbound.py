"""Calls that come in: from the INVITE to the answer, and callers who give up before it.

Knows the events of s06 and s12: an inbound leg has no OUTGOING and no ORIGINATE, goes straight to the dialplan, and is answered when that says so; a
caller who is not answered leaves with ORIGINATOR_CANCEL. What else a leg does is the same for both directions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fs_dialer.sim import applications, digits, ending, invited, picture
from fs_dialer.sim.leg import ANSWERED, DIALLING, EARLY, HUNG_UP, RINGING, Leg
from fs_dialer.sim.people import Behaviour

if TYPE_CHECKING:
    from fs_dialer.sim.switch import SimSwitch

CALLER: Final = "caller"  # the role of whoever calls in, for a model of people


def call_in(
    sw: SimSwitch,
    from_number: str,
    display_name: str,
    destination: str,
    context: str,
    behaviour: Behaviour | None,
    now: float,
    uuid: str | None,
) -> str:
    """The INVITE arrives. The leg's uuid; "" = the switch takes no call (503), and nobody hears of it."""
    if sw.paused or len(sw.legs) >= sw.max_sessions:
        return ""
    did = behaviour or sw.people.behaviour(f"{CALLER}/{from_number}", {"fsd_role": CALLER}, sw.rng, now)
    domain = sw.settings.domain
    leg = Leg(uuid or sw.new_uuid(), sw.next_session(), "sofia", f"sofia/internal/{from_number}@{domain}", destination, {}, did, now, sw.detailed)
    leg.direction, leg.profile, leg.host, leg.port, leg.destination = "inbound", "internal", domain, "5060", f"{destination}@{domain}"
    leg.put("Call-Direction", "inbound")
    leg.cid_name = leg.orig_name = display_name
    leg.cid_number = leg.orig_number = from_number
    leg.callee_name = leg.callee_number = ""
    leg.callee_direction = "RECV"  # it is a caller already
    leg.dialplan, leg.context = "XML", context
    sw.legs[leg.uuid] = leg
    sw.count(leg)
    leg.state = "CS_INIT"
    sw.emit(leg, "CHANNEL_STATE", now)
    leg.state_number = 2
    sw.emit(leg, "CHANNEL_CREATE", now)
    sw.call_state(leg, "RINGING", "2", now)
    if did.patience_s is not None:
        sw.at(now + did.patience_s, _gives_up, leg)
    sw.at(now, _routed, leg, destination, context)
    return leg.uuid


def _routed(sw: SimSwitch, leg: Leg, destination: str, context: str, now: float) -> None:
    if leg.phase != HUNG_UP:
        sw.route(leg, destination, "XML", context, now)


def _gives_up(sw: SimSwitch, leg: Leg, now: float) -> None:
    """CANCEL: he was never answered."""
    if leg.phase < ANSWERED:
        cancel(sw, leg, now)


def cancel(sw: SimSwitch, leg: Leg, now: float) -> None:
    """The caller puts the receiver down while it rings (s06j)."""
    leg.sip_status = 487
    leg.note(invited.cancelled)
    leg.put_variable("sip_hangup_disposition", "recv_cancel")
    leg.put_variable("sip_invite_failure_status", "487")
    leg.put_variable("sip_term_status", "487")
    ending.hangup(sw, leg, "ORIGINATOR_CANCEL", now, by_them=True)


def _answer(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    """200. An outbound leg has been answered long ago."""
    if leg.direction != "inbound" or leg.phase >= ANSWERED:
        return True
    sw.counters.answered += 1
    leg.phase, leg.answered_at, leg.answer_state = ANSWERED, now, "answered"
    leg.note(invited.answered, now)
    leg.put_variable("endpoint_disposition", "ANSWER")
    sw.emit(leg, "CHANNEL_ANSWER", now)
    sw.call_state(leg, "ACTIVE", "4", now)
    leg.note(picture.disposed, "ANSWER")
    sw.at(now + sw.settings.tick_s, _acknowledged, leg)
    did = leg.behaviour
    if did.stay_s is not None:
        sw.at(now + did.stay_s, ending.left, leg)
    for after_s, digit in did.keys:
        sw.at(now + after_s, digits.press, leg, digit, did.key_source)
    if leg.ears is None or not leg.ears.attending:
        ending.waits(sw, leg, now)
    return True


def _acknowledged(sw: SimSwitch, leg: Leg, now: float) -> None:
    if leg.phase != HUNG_UP:
        leg.note(invited.acknowledged)


def _ring_ready(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    if leg.direction == "inbound" and leg.phase == DIALLING:
        leg.phase, leg.progress_at = RINGING, now
        leg.note(invited.rings, now)
        sw.emit(leg, "CHANNEL_PROGRESS", now)
    return True


def _pre_answer(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    if leg.direction == "inbound" and leg.phase < EARLY:
        leg.phase, leg.progress_media_at, leg.answer_state = EARLY, now, "early"
        leg.note(invited.early, now)
        sw.emit(leg, "CHANNEL_PROGRESS_MEDIA", now)
        sw.call_state(leg, "EARLY", "3", now)
    return True


APPLICATIONS: Final[dict[str, applications.Handler]] = {"answer": _answer, "ring_ready": _ring_ready, "pre_answer": _pre_answer}
