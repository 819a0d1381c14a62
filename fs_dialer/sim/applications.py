"""What a leg executes: applications, the dialplan that lists them, broadcasts, transfers and what the scheduler fires.

Knows park, playback, hangup, set, sleep, answer and the scheduling applications; an unknown name hangs up the call without a CHANNEL_EXECUTE, as the
real switch does (freeswitch.md 35). The `bridge` application makes a leg and lives in dialling.py; SimSwitch puts the table together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fs_dialer.sim import bridging, causes, digits, ending, picture, playback
from fs_dialer.sim.leg import HUNG_UP, Leg

if TYPE_CHECKING:
    from fs_dialer.sim.switch import SimSwitch

Handler = Callable[["SimSwitch", Leg, str, float], bool]
"""Runs an application; True = it is over at once, False = the leg stays in it."""


def run_next(sw: SimSwitch, leg: Leg, now: float) -> None:
    """Complete what runs, then start what comes next; with nothing left the call ends."""
    playback.complete_app(sw, leg, now)
    while leg.phase != HUNG_UP and leg.partner is None:
        if not leg.applications:
            ending.hangup(sw, leg, "NORMAL_CLEARING", now)
            return
        name, data = leg.applications.pop(0)
        if not execute(sw, leg, name, data, now):
            return
        playback.complete_app(sw, leg, now)


def execute(sw: SimSwitch, leg: Leg, name: str, data: str, now: float) -> bool:
    """Start one application; True when it is over at once. An unknown one ends the call."""
    handler = sw.handlers.get(name)
    if handler is None:
        sw.log("err", f"Invalid Application {name}", now)
        ending.hangup(sw, leg, "DESTINATION_OUT_OF_ORDER", now)
        return False
    if name[0] == "-":  # a mark among the applications, nothing that the switch would show
        return handler(sw, leg, data, now)
    if "$" in data or "\\" in data:
        data = sw.expand(leg, data, now)
    leg.app, leg.app_data, leg.app_uuid = name, data, sw.app_uuid()
    leg.last_app, leg.last_data = name, data
    leg.turn += 1
    leg.note(picture.app_started, name, data)
    sw.emit(leg, "CHANNEL_EXECUTE", now, tail=playback.app_tail(leg, name, data, leg.app_uuid))
    return handler(sw, leg, data, now)


def beside(sw: SimSwitch, leg: Leg, name: str, data: str, now: float) -> None:
    """An application that is run on top of what the leg does, which goes on: a key's, a broadcast's."""
    if name == "playback":
        queued(sw, leg, name, data, now)
        return
    kept = leg.app, leg.app_data, leg.app_uuid, leg.app_response, leg.turn
    phase = leg.phase
    if execute(sw, leg, name, data, now) and leg.phase == phase:
        playback.complete_app(sw, leg, now)
    if leg.phase == phase and not leg.app:
        leg.app, leg.app_data, leg.app_uuid, leg.app_response, leg.turn = kept


def execute_on(sw: SimSwitch, leg: Leg, variable: str, disposition: str, now: float) -> None:
    """The application that execute_on_answer or execute_on_media names, run by the switch itself in the middle of the answer or the 183."""
    value = leg.variables.get(variable, "")
    if not value:
        return
    name, colons, data = value.partition("::")
    if not colons:
        name, _, data = value.partition(" ")
    leg.note(picture.disposed, disposition)
    execute(sw, leg, name, data, now)
    if leg.phase != HUNG_UP:
        playback.complete_app(sw, leg, now)
        leg.last_app = leg.last_data = ""


# ---- the applications

def _park(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    leg.parked = True
    sw.emit(leg, "CHANNEL_PARK", now)
    if leg.ears is not None and leg.ears.attending:
        kept_waiting(sw, leg, now)
    return False


def _playback(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    if "playback_terminator_used" in leg.variables:
        sw.set_variable(leg, "playback_terminator_used", None)
    if not sw.settings.has_file(data):
        leg.app_response = "FILE NOT FOUND"
        leg.note(picture.app_answered, leg.app_response)
        return True
    if data.startswith("say:") and f"mod_{leg.variables.get('tts_engine', '')}" in sw.unloaded:
        leg.app_response = "PLAYBACK ERROR"
        leg.note(picture.app_answered, leg.app_response)
        return True
    playback.begin(sw, leg, data, False, now)
    if leg.ears is not None and leg.ears.attending and sw.settings.file_length_s(data) is None:
        kept_waiting(sw, leg, now)
    return False


def kept_waiting(sw: SimSwitch, leg: Leg, now: float) -> None:
    """Nobody speaks to the person any more: his patience begins."""
    leg.ears.attending = False
    ending.waits(sw, leg, now)


def _hangup(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    ending.hangup(sw, leg, causes.read_cause(data or "NORMAL_CLEARING"), now)
    return False


def _sleep(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    sw.at(now + (int(data) if data.isdecimal() else 0) / 1000, slept, leg, leg.turn)
    return False


def slept(sw: SimSwitch, leg: Leg, turn: int, now: float) -> None:
    """The time of an application is over, unless the leg does something else by now."""
    if leg.turn == turn and leg.phase != HUNG_UP:
        run_next(sw, leg, now)


def _nothing(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    return True


def _sched_transfer(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    when, _, rest = data.partition(" ")
    extension, dialplan, context = (*rest.split(), "", "", "")[:3]
    _remember_task(sw, leg, schedule_transfer(sw, leg, when, extension, dialplan, context, now))
    return True


def _sched_hangup(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    when, _, cause = data.partition(" ")
    _remember_task(sw, leg, schedule_hangup(sw, leg, when, cause, now))
    return True


def _sched_broadcast(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    when, _, rest = data.partition(" ")
    path, _, which = rest.rpartition(" ")
    if which not in ("aleg", "bleg", "both"):
        path = rest
    _remember_task(sw, leg, schedule_broadcast(sw, leg, when, path, now))
    return True


def _sched_cancel(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    """sched_del as an application: the leg's own tasks unless a group is named."""
    sw.sched_del(data.strip() or leg.uuid, now)
    return True


def _remember_task(sw: SimSwitch, leg: Leg, number: int) -> None:
    """The applications, unlike the api commands, leave the task's number on the leg."""
    if number:
        sw.set_variable(leg, "last_sched_id", str(number))


def _eavesdrop(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    """Hears another leg, bridged or parked, until either ends. With nobody there it is over at once."""
    heard = sw.legs.get(data)
    if heard is None or heard.phase == HUNG_UP:
        return True
    heard.listeners.append(leg)
    return False


def execute_transfer(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    """The leg goes on elsewhere, in the context in which it is unless another is named."""
    extension, dialplan, context = (*data.split(), "", "", "")[:3]
    sw.at(now, _transfer_leg, leg, extension, dialplan or "XML", context or leg.context)
    return False


APPLICATIONS: dict[str, Handler] = {
    "park": _park, "playback": _playback, "endless_playback": _playback, "hangup": _hangup, "sleep": _sleep, "info": _nothing, "mkdir": _nothing,
    "sched_transfer": _sched_transfer, "sched_hangup": _sched_hangup, "sched_broadcast": _sched_broadcast, "sched_cancel": _sched_cancel,
    "transfer": execute_transfer, "eavesdrop": _eavesdrop, "three_way": _eavesdrop,
}


def recording_begins(sw: SimSwitch, leg: Leg, path: str, now: float) -> None:
    """RECORD_START, with the first sound that is written: a tick after the command's reply at most."""
    if path in leg.recordings and leg.phase != HUNG_UP:
        sw.emit(leg, "RECORD_START", now, tail=(("Record-File-Path", path),))


# ---- uuid_broadcast, uuid_break

def broadcast(sw: SimSwitch, leg: Leg, path: str, now: float) -> None:
    """A sound, or `application::data`, put over what the leg does, some 100-200 ms from now."""
    low, high = sw.settings.broadcast_delay_s
    sw.at(now + low + (high - low) * sw.rng.random(), _broadcast_starts, leg, path)


def _broadcast_starts(sw: SimSwitch, leg: Leg, path: str, now: float) -> None:
    if leg.phase == HUNG_UP:
        return
    name, colons, data = path.partition("::")
    if not colons:
        name, data = "playback", path
    if name not in sw.handlers:
        leg.note(picture.broadcast_started)
        leg.command = playback.private_tail(name, data)
        ending.hangup(sw, leg, "DESTINATION_OUT_OF_ORDER", now)
        return
    if name != "playback":
        beside(sw, leg, name, data, now)
        return
    if leg.playback is not None:  # the newcomer waits in the switch; here it takes the place
        playback.stop(sw, leg, "done", playback.CUT_SHORT, now)
    leg.note(picture.broadcast_started)
    leg.note(picture.app_started, name, data)
    leg.last_app, leg.last_data, leg.app_response = name, data, "_none_"
    uuid = sw.app_uuid()
    sw.emit(leg, "CHANNEL_EXECUTE", now, tail=playback.app_tail(leg, name, data, uuid))
    if sw.settings.has_file(data):
        playback.begin(sw, leg, data, True, now)
    else:
        leg.note(picture.app_answered, "FILE NOT FOUND")
        sw.emit(leg, "CHANNEL_EXECUTE_COMPLETE", now, tail=playback.app_tail(leg, name, data, uuid, "FILE NOT FOUND"))
        leg.app_response = "FILE NOT FOUND"
        leg.note(picture.broadcast_ended)
        sw.emit(leg, "PRIVATE_COMMAND", now, tail=playback.private_tail(name, data))


def queued(sw: SimSwitch, leg: Leg, name: str, data: str, now: float) -> None:
    """sendmsg execute: as a broadcast, without its delay."""
    _broadcast_starts(sw, leg, f"{name}::{data}", now)


def break_sound(sw: SimSwitch, leg: Leg, now: float) -> None:
    """uuid_break: only this makes a Playback-Status `break` (freeswitch.md 43)."""
    sound = leg.playback
    if sound is not None:
        playback.stop(sw, leg, "break", playback.PLAYED, now)
        if not sound.broadcast:
            run_next(sw, leg, now)


# ---- transfers

def transfer(sw: SimSwitch, leg: Leg, which: str, extension: str, dialplan: str, context: str, now: float) -> None:
    """uuid_transfer: the leg (which = ""), its partner (-bleg) or both (-both) leave what they do and run the extension a tick later."""
    dialplan, context = dialplan or "XML", context or "default"
    targets = [leg]
    if which and leg.partner is not None:
        targets = [leg.partner] if which == "-bleg" else [*([leg, leg.partner] if leg.is_a else [leg.partner, leg])]
    sw.at(now + sw.settings.tick_s / 2, _transfer_all, targets, extension, dialplan, context, sw.commands)


def _transfer_all(sw: SimSwitch, targets: list[Leg], extension: str, dialplan: str, context: str, asked: int, now: float) -> None:
    together = len(targets) == 2
    for leg in targets:
        if leg.phase == HUNG_UP:
            continue
        if leg.bridging is not None and leg.bridge_asked > asked:  # bridged by a later command: it never gets to the extension (s10a)
            bridging.part(sw, leg, now, keep=True)
        else:
            _transfer_leg(sw, leg, extension, dialplan, context, now, together)


def _transfer_leg(sw: SimSwitch, leg: Leg, extension: str, dialplan: str, context: str, now: float, together: bool = False) -> None:
    if leg.phase == HUNG_UP or leg.originator is not None:  # gone, or not yet the leg of anybody's call
        return
    transfer_note(sw, leg, extension, dialplan, context, now)
    leg.state_number = 2
    leg.lean.pop("Other-Leg-Unique-ID", None)
    leg.lean_variables.pop("Other-Leg-Unique-ID", None)
    was_second = leg.state == "CS_EXCHANGE_MEDIA"
    other = bridging.part(sw, leg, now)
    playback.leave_app(sw, leg, now)
    if was_second:  # its caller and callee change places again (s03h)
        flip(sw, leg, now)
    if other is not None and not together:
        ending.after_bridge(sw, other, now)
    route(sw, leg, extension, dialplan, context, now)


def route(sw: SimSwitch, leg: Leg, extension: str, dialplan: str, context: str, now: float) -> None:
    """CS_ROUTING: look the extension up, then execute it. None there: NO_ROUTE_DESTINATION."""
    leg.dialplan, leg.context, leg.destination_now = dialplan, context, extension
    sw.enter(leg, "CS_ROUTING", now)
    if not leg.callee_direction:
        flip(sw, leg, now)
    if dialplan == "inline":
        steps = [step.partition(":") for step in extension.split(",")]
        leg.applications = [(name, data) for name, _, data in steps if name]
        leg.note(picture.inline_routed, leg.number)
    else:
        found = sw.hunt(leg, extension, context, now)
        if found is None:
            ending.hangup(sw, leg, "NO_ROUTE_DESTINATION", now)
            return
        leg.applications = list(found)
        if context in sw.dialplan:
            attends(sw, leg, now)
            return
    enter_execution(sw, leg, now)


def attends(sw: SimSwitch, leg: Leg, now: float) -> None:
    """Into a flow: whoever is spoken to listens, and does not count the seconds as he does in music."""
    own = digits.ears(leg)
    own.attending = True
    leg.wait_turn += 1
    if not own.listens_until and leg.behaviour.listens_s is not None:
        own.listens_until = now + leg.behaviour.listens_s
        sw.at(own.listens_until, _listened_enough, leg)
    sw.enter(leg, "CS_EXECUTE", now)
    run_next(sw, leg, now)


def _listened_enough(sw: SimSwitch, leg: Leg, now: float) -> None:
    if leg.is_idle and leg.ears.attending:
        ending.hangup(sw, leg, "NORMAL_CLEARING", now, by_them=True)


def flip(sw: SimSwitch, leg: Leg, now: float) -> None:
    """The leg becomes a caller: caller and callee change places, and CALL_UPDATE tells (24)."""
    leg.note(picture.flipped)
    leg.callee_direction = "RECV"
    leg.cid_name, leg.cid_number, leg.callee_name, leg.callee_number = leg.callee_name, leg.callee_number, leg.cid_name, leg.cid_number
    sw.emit(leg, "CALL_UPDATE", now, front=(("Direction", "RECV"),))


def transfer_note(sw: SimSwitch, leg: Leg, extension: str, dialplan: str, context: str, now: float) -> None:
    """The new profile that every transfer puts on top."""
    source = f"{int(now)}:{sw.app_uuid()}:bl_xfer:{extension}/{context}/{dialplan}"
    leg.note(picture.transferred, extension, dialplan, context, source, now)


def enter_execution(sw: SimSwitch, leg: Leg, now: float) -> None:
    """CS_EXECUTE: the list of applications runs."""
    sw.enter(leg, "CS_EXECUTE", now)
    ending.waits(sw, leg, now)
    run_next(sw, leg, now)


# ---- the scheduler: whole seconds of the clock (freeswitch.md; s04c)

def due(when: str, now: float) -> float | None:
    """`+30` or an epoch second as the moment the scheduler fires; None for no number."""
    relative = when.startswith("+")
    digits = when.removeprefix("+")
    if not digits.isdecimal():
        return None
    return (int(now) if relative else 0) + int(digits) + 0.1


def schedule_transfer(sw: SimSwitch, leg: Leg, when: str, extension: str, dialplan: str, context: str, now: float) -> int:
    """sched_transfer; the task's number, 0 = no time given. It fires through music, and a later bridge does not remove it."""
    moment = due(when, now)
    if moment is None:
        return 0
    return sw.schedule(leg.uuid, "switch_ivr_schedule_transfer", moment, now, _transfer_leg, leg, extension, dialplan or "XML", context or "default")


def schedule_hangup(sw: SimSwitch, leg: Leg, when: str, cause: str, now: float) -> int:
    """sched_hangup; the task's number, 0 = no time given. A second one does not replace the first; it cuts a conversation too."""
    moment = due(when, now)
    if moment is None:
        return 0
    return sw.schedule(leg.uuid, "switch_ivr_schedule_hangup", moment, now, ending.on_demand, leg, causes.read_cause(cause or "ALLOTTED_TIMEOUT"))



def schedule_broadcast(sw: SimSwitch, leg: Leg, when: str, path: str, now: float) -> int:
    """sched_broadcast; the task's number, 0 = no time given."""
    moment = due(when, now)
    if moment is None or not path:
        return 0
    return sw.schedule(leg.uuid, "switch_ivr_schedule_broadcast", moment, now, _broadcast_starts, leg, path)
