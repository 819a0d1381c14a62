"""uuid_bridge, step by step, with all its outcomes (freeswitch.md 28-33; order and causes from switch_ivr_bridge.c, uuid_bridge_on_soft_execute).

The reply comes before anything is bridged. Some 20-50 ms later both legs leave what they do, two ticks after that they meet. What happens to a leg in
between, or was wrong with it from the start, decides here: gone, ringing, bridged to itself, bridged to somebody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fs_dialer.sim import ending, marks, playback
from fs_dialer.sim.leg import ANSWERED, HUNG_UP, Leg

if TYPE_CHECKING:
    from fs_dialer.sim.switch import SimSwitch


def bridge(sw: SimSwitch, a: Leg, b: Leg, now: float) -> None:
    """Both legs exist; whether they can be bridged shows later."""
    if a.answered_at and not a.bridged_at:
        sw.delays.append(now - a.answered_at)
    low, high = sw.settings.bridge_delay_s
    a.bridging, b.bridging = b, a
    sw.commands += 1
    a.bridge_asked = b.bridge_asked = sw.commands
    sw.at(now + low + (high - low) * sw.rng.random(), _leave, a, b)


def _abandoned(a: Leg, b: Leg) -> bool:
    """A later command took one of them elsewhere."""
    return a.bridging is not b or b.bridging is not a


def _leave(sw: SimSwitch, a: Leg, b: Leg, now: float) -> None:
    """Both leave their applications: UNPARK, EXECUTE_COMPLETE, HIBERNATE, RESET, SOFT_EXECUTE; which of them first is chance."""
    if _abandoned(a, b):
        return
    if a is b:
        _bond(sw, a, a, now)
        playback.leave_app(sw, a, now)
        sw.enter(a, "CS_HIBERNATE", now)
        a.stuck = True
        return
    if a.phase == HUNG_UP or b.phase == HUNG_UP:
        _one_is_gone(sw, a, b, now, early=True)
        return
    for leg in (a, b):
        if leg.partner is not None:
            _tear_from(sw, leg, now)
            if _abandoned(a, b) or leg.phase == HUNG_UP:
                return
    originator, b.originator = b.originator, None
    if originator is not None:
        originator("ORIGINATOR_CANCEL" if b.phase < ANSWERED else "", now)
    other_originator, a.originator = a.originator, None
    if other_originator is not None:
        other_originator("ORIGINATOR_CANCEL" if a.phase < ANSWERED else "", now)
    _bond(sw, a, b, now)
    pair = (a, b) if sw.rng.random() < 0.5 else (b, a)
    for leg in pair:
        playback.leave_app(sw, leg, now)
        leg.wait_turn += 1  # being connected stops the wait
        sw.enter(leg, "CS_HIBERNATE", now)
        sw.enter(leg, "CS_RESET", now)
        if leg is a:
            sw.enter(leg, "CS_SOFT_EXECUTE", now)
    sw.at(now + (2 if sw.rng.random() < 0.6 else 3) * sw.settings.tick_s, _meet, a, b)


def _bond(sw: SimSwitch, a: Leg, b: Leg, now: float) -> None:
    """Each learns of the other; A is shown B's callee, B is shown A's caller."""
    seconds = int(now)
    detailed = sw.detailed
    if a is b:
        a.cid_name, a.cid_number, a.callee_name, a.callee_number = "Unknown", a.orig_number, "Outbound Call", a.number
        a.note(marks.bonded_to_itself)
    a_block = marks.other_leg("originatee", b, True) if detailed else ()
    b_block = marks.other_leg("originator", a, False) if detailed else ()
    b_callee = (b.callee_name, b.callee_number)
    a_caller = (a.cid_name, a.cid_number)
    for leg, other, block, shown in ((b, a, b_block, a_caller), (a, b, a_block, b_callee)):
        if detailed:
            source = f"{seconds}:{sw.new_uuid()}:uuid_br:{other.uuid}"
            leg.note(marks.bonded, block is a_block, block, *shown, source, now)
        leg.bond = other
        leg.applications = []
        leg.put("Other-Leg-Unique-ID", other.uuid)
        leg.state_number = 8
    if a is b:
        a.note(marks.bonded_to_itself)
    a.callee_name, a.callee_number = b_callee
    if a is not b:
        b.cid_name, b.cid_number = a_caller


def _tear_from(sw: SimSwitch, leg: Leg, now: float) -> None:
    """A leg in a conversation is bridged elsewhere: its old partner parks or ends."""
    other = leg.partner
    assert other is not None
    leg.partner = other.partner = None
    a, b = (leg, other) if leg.is_a else (other, leg)
    ending.unbridge(sw, a, b, "NORMAL_CLEARING", now)
    leg.is_a = False
    other.is_a = False
    if ending.stays(other):
        ending.after_bridge(sw, other, now)
    else:
        ending.hangup(sw, other, "NORMAL_CLEARING", now)


def _one_is_gone(sw: SimSwitch, a: Leg, b: Leg, now: float, early: bool) -> None:
    """A leg died on the way. `early`: before A looked for B at all."""
    a.bridging = b.bridging = None
    if a.phase == HUNG_UP:
        if b.phase != HUNG_UP:
            ending.hangup(sw, b, "DESTINATION_OUT_OF_ORDER", now)
    elif early:
        if ending.stays(a):
            playback.leave_app(sw, a, now)
            ending.after_bridge(sw, a, now)
        else:
            ending.hangup(sw, a, "DESTINATION_OUT_OF_ORDER", now)
    elif a.variables.get("uuid_bridge_park_on_cancel") == "true":
        ending.park_session(sw, a, now)
    else:
        ending.hangup(sw, a, "ORIGINATOR_CANCEL", now)


def _meet(sw: SimSwitch, a: Leg, b: Leg, now: float) -> None:
    """EXECUTE(uuid_bridge) on both and one CHANNEL_BRIDGE, on A; or, with a leg that never answered, the end of both (31)."""
    if _abandoned(a, b):
        return
    if a.phase == HUNG_UP or b.phase == HUNG_UP:
        _one_is_gone(sw, a, b, now, early=False)
        return
    sw.enter(b, "CS_SOFT_EXECUTE", now)
    a.bridging = b.bridging = None
    a.note(marks.soft_executed)
    if a.phase != ANSWERED or b.phase != ANSWERED:
        # The leg that never answered ends first, with a cause that says nothing of the callee.
        ringing, other = (b, a) if b.phase != ANSWERED else (a, b)
        ending.hangup(sw, ringing, "DESTINATION_OUT_OF_ORDER", now)
        other.note(marks.left_by, "DESTINATION_OUT_OF_ORDER", False)
        ending.hangup(sw, other, "ORIGINATOR_CANCEL", now)
        return
    for leg, other in ((a, b), (b, a)):
        sw.emit(leg, "CHANNEL_EXECUTE", now, tail=playback.app_tail(leg, "uuid_bridge", other.uuid, ""))
    _before(sw, a, b, now)
    a.is_a, b.is_a = True, False
    a.partner, b.partner = b, a
    a.bridged_at = b.bridged_at = now
    a.note(marks.joined, now, a.uuid)
    b.note(marks.joined, now, a.uuid)
    if sw.rng.random() < 0.5:  # it passes so fast that half of the time nobody sees it
        sw.enter(b, "CS_CONSUME_MEDIA", now)
    sw.emit(a, "CHANNEL_BRIDGE", now, front=(("Bridge-A-Unique-ID", a.uuid), ("Bridge-B-Unique-ID", b.uuid)))
    sw.enter(b, "CS_EXCHANGE_MEDIA", now)
    sw.counters.bridges += 1
    if sw.detailed:
        _tell(sw, a, b, a.callee_name or a.callee_number, a.callee_number, now)
        _tell(sw, b, a, b.cid_name or b.cid_number, b.cid_number, now)
    ending.talks(sw, a, now)
    ending.talks(sw, b, now)


def _before(sw: SimSwitch, a: Leg, b: Leg, now: float) -> None:
    """What both carry to be run before they talk is run a little after they began (s11g, s12b); whom each has met is known at once."""
    for leg, other in ((a, b), (b, a)):
        leg.variables["last_bridge_to"] = other.uuid
        if leg.ears is not None:
            sw.at(now + sw.settings.broadcast_delay_s[1], _late, leg, other)


def _late(sw: SimSwitch, leg: Leg, other: Leg, now: float) -> None:
    if leg.partner is other:
        sw.execute_on(leg, "execute_on_pre_bridge", now)


def _tell(sw: SimSwitch, leg: Leg, other: Leg, name: str, number: str, now: float) -> None:
    """CALL_UPDATE. A phone that was told the same before is not told again."""
    leg.note(marks.told, other.uuid, name, number)
    leg.callee_direction = "SEND"
    if leg.told == (name, number):
        return
    leg.told = (name, number)
    sw.emit(leg, "CALL_UPDATE", now, front=(
        ("Direction", "SEND"), ("Sent-Callee-ID-Name", name), ("Sent-Callee-ID-Number", number), ("Bridged-To", other.uuid)))


def join(sw: SimSwitch, a: Leg, b: Leg, now: float) -> None:
    """The bridge application: B was made for A and has answered. No UNPARK, no uuid_bridge: CHANNEL_BRIDGE at once."""
    block = marks.other_leg("originatee", b, True) if sw.detailed else ()
    if sw.detailed:
        a.note(marks.bonded, True, block, b.callee_name, b.callee_number, f"{int(now)}:{sw.new_uuid()}:uuid_br:{b.uuid}", now)
        a.note(marks.soft_executed)
    _before(sw, a, b, now)
    a.bond, b.bond = b, a
    a.put("Other-Leg-Unique-ID", b.uuid)
    a.is_a, b.is_a = True, False
    a.partner, b.partner = b, a
    a.bridged_at = b.bridged_at = now
    a.note(marks.joined, now, a.uuid)
    b.note(marks.joined, now, a.uuid)
    sw.counters.bridges += 1
    sw.emit(a, "CHANNEL_BRIDGE", now, front=(("Bridge-A-Unique-ID", a.uuid), ("Bridge-B-Unique-ID", b.uuid)))
    sw.enter(b, "CS_EXCHANGE_MEDIA", now)
    ending.talks(sw, a, now)
    ending.talks(sw, b, now)


def part(sw: SimSwitch, leg: Leg, now: float, keep: bool = False) -> Leg | None:
    """Take a leg out of its conversation, for a transfer: UNBRIDGE is reported; what becomes of the other is the caller's to say. `keep`: a bridge that was
    asked for since goes on."""
    if not keep:
        leg.bridging = None
    other, leg.partner = leg.partner, None
    if other is None:
        return None
    other.partner = None
    a, b = (leg, other) if leg.is_a else (other, leg)
    ending.unbridge(sw, a, b, "", now)
    leg.is_a = other.is_a = False
    return other
