"""How legs end, alone and in pairs, and what makes people hang up.

Knows the orders in which a real switch reports an end (freeswitch.md 17, 26-30): A first, B first, refused, timed out, killed. A leg that is
hung up is no longer counted as up at once, but exists until its CHANNEL_DESTROY.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fs_dialer.sim import causes, marks, picture, playback
from fs_dialer.sim.leg import ANSWERED, HUNG_UP, Leg, Originator

if TYPE_CHECKING:
    from fs_dialer.sim.switch import SimSwitch


def hangup(sw: SimSwitch, leg: Leg, cause: str, now: float, *, by_them: bool = False, result_first: bool = False) -> None:
    """The leg ends now. `by_them`: a BYE or a refusal came in; else we end it. `result_first`: whoever originated it learns before the rest (17).

    Idempotent: a leg that is hung up already stays as it is.
    """
    if leg.phase == HUNG_UP:
        return
    originator, leg.originator = leg.originator, None
    answered = leg.phase == ANSWERED
    if originator is not None and answered:  # the far end or we were faster than the switch's own report of the answer
        originator("", now)
        originator = None
    other, leg.partner = leg.partner, None
    _mark_ended(sw, leg, cause, now, by_them and answered, answered, other is not None)
    if originator is not None and result_first:
        originator(cause, now)
        originator = None
    if other is not None:
        other.partner = None
        if leg.is_a:
            _second_follows(sw, leg, other, by_them, now)
        else:
            _first_remains(sw, leg, other, by_them, now)
        return
    playback.leave_app(sw, leg, now)
    _leave_states(sw, leg, now)
    if originator is not None:
        _report_a_failure(sw, leg, cause, originator, now)
    else:
        _report(sw, leg, now)
        _destroy(sw, leg, now)


def on_demand(sw: SimSwitch, leg: Leg, cause: str, now: float) -> None:
    """hangup() as an action for the clock."""
    hangup(sw, leg, cause, now)


def _report_a_failure(sw: SimSwitch, leg: Leg, cause: str, originator: Originator, now: float) -> None:
    """HANGUP_COMPLETE, then the originate's result and DESTROY one tick later; sometimes the result is faster than the report (s02g)."""
    later = now + sw.settings.tick_s
    if sw.rarely():
        originator(cause, now)
        _report(sw, leg, now)
        _destroy(sw, leg, now)
    else:
        _report(sw, leg, now)
        sw.at(later, _failure_known, leg, cause, originator)


def _failure_known(sw: SimSwitch, leg: Leg, cause: str, originator: Originator, now: float) -> None:
    originator(cause, now)
    _destroy(sw, leg, now)


def _mark_ended(sw: SimSwitch, leg: Leg, cause: str, now: float, by_bye: bool, answered: bool, parting: bool) -> None:
    """CHANNEL_HANGUP: it still shows the state the leg is in (16)."""
    leg.phase, leg.cause, leg.hungup_at, leg.by_them = HUNG_UP, cause, now, by_bye
    leg.answer_state, leg.state_number = "hangup", 10
    leg.put("Hangup-Cause", cause)
    if by_bye:
        leg.note(marks.said_bye)
        leg.put_variable("sip_term_status", "200")
    if parting:
        leg.note(marks.parted, "originator" if leg.is_a else "originatee")
    sw.emit(leg, "CHANNEL_HANGUP", now)
    if leg.kind == "sofia" and answered and by_bye:
        leg.note(marks.disposition, "recv_bye")
        leg.put_variable("sip_hangup_disposition", "recv_bye")


def _leave_states(sw: SimSwitch, leg: Leg, now: float) -> None:
    """STATE(HANGUP) CALLSTATE(HANGUP) STATE(REPORTING). What is recorded of the leg ends in between (s10a)."""
    sw.enter(leg, "CS_HANGUP", now)
    for path in list(leg.recordings):
        recording_ends(sw, leg, path, "success-silence", now)
    if "api_hangup_hook" in leg.variables:
        sw.run_hook(leg, leg.variables["api_hangup_hook"], now)
    before, leg.call_state = leg.call_state, "HANGUP"
    leg.note(marks.hungup, now)
    sw.emit(leg, "CHANNEL_CALLSTATE", now, front=(("Original-Channel-Call-State", before), ("Channel-Call-State-Number", "7")))
    sw.enter(leg, "CS_REPORTING", now)


def recording_ends(sw: SimSwitch, leg: Leg, path: str, cause: str, now: float) -> None:
    """RECORD_STOP: by command, or with the leg."""
    leg.note(picture.recorded, now - leg.recordings.pop(path), cause)
    sw.emit(leg, "RECORD_STOP", now, tail=(("Record-File-Path", path), ("Record-Completion-Cause", cause)))


def _report(sw: SimSwitch, leg: Leg, now: float) -> None:
    """CHANNEL_HANGUP_COMPLETE with the call's account."""
    leg.released = True
    cause = leg.cause
    leg.note(marks.reported, cause, leg.last_app, leg.last_data, leg.digits)
    if leg.kind == "sofia":
        if leg.answered_at and not leg.by_them:
            leg.note(marks.disposition, "send_bye")
            leg.put_variable("sip_hangup_disposition", "send_bye")
        elif not leg.answered_at and leg.direction == "inbound" and not leg.sip_status:
            leg.note(marks.disposition, "send_refuse")
            leg.put_variable("sip_hangup_disposition", "send_refuse")
        elif not leg.answered_at and not leg.sip_status:
            leg.note(marks.cancelled)
            leg.put_variable("sip_hangup_disposition", "send_cancel")
            leg.put_variable("sip_invite_failure_status", "487")
        if leg.answered_at or leg.progress_media_at:
            leg.note(marks.rtp_counted)
    leg.put_variable("hangup_cause_q850", str(causes.q850_of(cause)))
    leg.put_variable("answer_epoch", str(int(leg.answered_at)))
    leg.put_variable("answer_uepoch", picture.stamp_us(leg.answered_at))
    sw.emit(leg, "CHANNEL_HANGUP_COMPLETE", now, front=(("Hangup-Cause", cause),))


def _destroy(sw: SimSwitch, leg: Leg, now: float) -> None:
    """CHANNEL_DESTROY, and the uuid is free again. Whoever listens to the leg is done: his application is over, and so is his call."""
    for listener in leg.listeners:
        if listener.phase == ANSWERED and listener.app_data == leg.uuid:
            sw.next_application(listener, now)
    leg.listeners = []
    leg.state_number = 12
    leg.note(marks.on_its_own)
    sw.emit(leg, "CHANNEL_DESTROY", now)
    leg.state = "CS_DESTROY"
    sw.emit(leg, "CHANNEL_STATE", now)
    sw.forget(leg)


# ---- pairs

def _bridge_pair(a: Leg, b: Leg) -> tuple[tuple[str, str], ...]:
    return (("Bridge-A-Unique-ID", a.uuid), ("Bridge-B-Unique-ID", b.uuid))


def unbridge(sw: SimSwitch, a: Leg, b: Leg, cause: str, now: float) -> None:
    """The one CHANNEL_UNBRIDGE, on A."""
    a.note(marks.unbridged, cause)
    b.note(marks.unbridged, "")
    b.note(marks.on_its_own)
    sw.emit(a, "CHANNEL_UNBRIDGE", now, front=_bridge_pair(a, b))


def _second_follows(sw: SimSwitch, a: Leg, b: Leg, by_them: bool, now: float) -> None:
    """A hung up first: HANGUP of both, UNBRIDGE, then the rest in any order (29). B stays if it is to park after its bridge."""
    if a.playback is not None:
        playback.stop(sw, a, "done", playback.CUT_SHORT, now)
    b.note(marks.left_by, a.cause, by_them)
    if stays(b):
        unbridge(sw, a, b, a.cause, now)
        _leave_states(sw, a, now)
        after_bridge(sw, b, now)
        _report(sw, a, now)
        _destroy(sw, a, now)
        return
    if b.playback is not None:
        playback.stop(sw, b, "done", playback.CUT_SHORT, now)
    _mark_ended(sw, b, "NORMAL_CLEARING", now, False, True, False)
    _leave_states(sw, b, now)
    early = sw.rarely()
    if early:
        _report(sw, b, now)
    b.note(marks.unbridged, "NORMAL_CLEARING")
    unbridge(sw, a, b, "NORMAL_CLEARING", now)
    _leave_states(sw, a, now)
    if not early:
        _report(sw, b, now)
    if sw.rarely():
        _destroy(sw, b, now)
        _report(sw, a, now)
    else:
        _report(sw, a, now)
        _destroy(sw, b, now)
    _destroy(sw, a, now)


def _first_remains(sw: SimSwitch, b: Leg, a: Leg, by_them: bool, now: float) -> None:
    """B hung up first: usually its COMPLETE, then UNBRIDGE of A, then A parks or follows with NORMAL_CLEARING (29, 30)."""
    if b.playback is not None:
        playback.stop(sw, b, "done", playback.CUT_SHORT, now)
    a.note(marks.left_by, b.cause, by_them)
    b.note(marks.unbridged, "")
    late = sw.rarely()
    if not late:
        _leave_states(sw, b, now)
        _report(sw, b, now)
    unbridge(sw, a, b, b.cause, now)
    if late:
        after_bridge(sw, a, now)
        _leave_states(sw, b, now)
        _report(sw, b, now)
        _destroy(sw, b, now)
        return
    if sw.rng.random() < 0.5:
        _destroy(sw, b, now)
        after_bridge(sw, a, now)
    else:
        after_bridge(sw, a, now)
        _destroy(sw, b, now)


def stays(leg: Leg) -> bool:
    """Whether the leg outlives its bridge. hangup_after_bridge=false alone does not do it: nothing is left to execute (30)."""
    return leg.variables.get("park_after_bridge") == "true" or "transfer_after_bridge" in leg.variables


def after_bridge(sw: SimSwitch, leg: Leg, now: float) -> None:
    """The leg whose partner has gone parks, is transferred, or ends."""
    if leg.playback is not None:
        playback.stop(sw, leg, "done", playback.CUT_SHORT, now)
    if leg.variables.get("park_after_bridge") == "true":
        park_session(sw, leg, now)
    elif "transfer_after_bridge" in leg.variables:
        extension, _, rest = leg.variables.pop("transfer_after_bridge").partition(":")
        leg.note(picture.variable, "transfer_after_bridge", None)
        dialplan, _, context = rest.partition(":")
        sw.route(leg, extension, dialplan or "XML", context or "default", now)
    else:
        hangup(sw, leg, "NORMAL_CLEARING", now)


def park_session(sw: SimSwitch, leg: Leg, now: float) -> None:
    """CS_PARK: a PARK with no EXECUTE before it. What it was bonded to stays written on it until the next bridge (30)."""
    leg.is_a = False
    sw.enter(leg, "CS_PARK", now)
    leg.parked = True
    sw.emit(leg, "CHANNEL_PARK", now)
    waits(sw, leg, now)


# ---- people

def waits(sw: SimSwitch, leg: Leg, now: float) -> None:
    """Nobody is connected: patience starts to run, from the beginning each time."""
    leg.wait_turn += 1
    patience_s = leg.behaviour.patience_s
    if patience_s is not None:
        sw.at(now + patience_s, _lost_patience, leg, leg.wait_turn)


def talks(sw: SimSwitch, leg: Leg, now: float) -> None:
    """Somebody is connected: the conversation has its own length."""
    leg.wait_turn += 1
    talk_s = leg.behaviour.talk_s
    if talk_s is not None:
        sw.at(now + talk_s, _talk_ended, leg, leg.wait_turn)


def _lost_patience(sw: SimSwitch, leg: Leg, turn: int, now: float) -> None:
    if leg.wait_turn == turn and leg.is_idle:
        hangup(sw, leg, "NORMAL_CLEARING", now, by_them=True)


def _talk_ended(sw: SimSwitch, leg: Leg, turn: int, now: float) -> None:
    """Whoever ends talks hangs up. An agent whose leg stays up does not put the phone down: he has his customer's leg ended."""
    if leg.wait_turn != turn or leg.partner is None:
        return
    if leg.behaviour.ends_talk:
        hangup(sw, leg, "NORMAL_CLEARING", now, by_them=True)
    elif stays(leg.partner):
        hangup(sw, leg, "NORMAL_CLEARING", now)
    else:
        hangup(sw, leg.partner, "NORMAL_CLEARING", now, by_them=True)


def left(sw: SimSwitch, leg: Leg, now: float) -> None:
    """The far end has had enough, whatever happens on our side."""
    if leg.phase == ANSWERED:
        hangup(sw, leg, "NORMAL_CLEARING", now, by_them=True)
