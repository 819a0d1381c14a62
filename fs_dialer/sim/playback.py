"""Sounds on a leg, and how a leg leaves whatever application it is in.

Knows PLAYBACK_START and PLAYBACK_STOP, the double life of a sound that uuid_broadcast puts over a running application, and the events with which an
application ends (freeswitch.md 33, 34). Starts no applications: applications.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fs_dialer.sim import picture
from fs_dialer.sim.leg import HUNG_UP, Leg, Pairs, Playback

if TYPE_CHECKING:
    from fs_dialer.sim.switch import SimSwitch

CUT_SHORT = "PLAYBACK ERROR"
PLAYED = "FILE PLAYED"


def app_tail(leg: Leg, name: str, data: str, uuid: str, response: str | None = None) -> Pairs:
    """The Application-* headers at the end of EXECUTE, and with a response of EXECUTE_COMPLETE."""
    pairs = [("Application", name)]
    if data:
        pairs.append(("Application-Data", data))
    if response is not None:
        pairs.append(("Application-Response", response))
    if uuid:
        pairs.append(("Application-UUID", uuid))
    return tuple(pairs)


def begin(sw: SimSwitch, leg: Leg, path: str, broadcast: bool, now: float, then: Callable[..., None] | None = None, length_s: float | None = None) -> None:
    """The sound starts; when it ends by itself, `finished` is called for the turn that began it. then(sw, leg, when): in place of the next application."""
    delimiter = leg.variables.get("playback_delimiter") if leg.ears is not None else None
    if delimiter and delimiter in path:
        first, _, rest = path.partition(delimiter)
        following = then

        def then(switch: SimSwitch, same: Leg, later: float) -> None:
            begin(switch, same, rest, broadcast, later, following)

        path = first
    spoken = path.startswith("say:")  # by an engine: no file, and no event
    leg.playback = sound = Playback(path, now, broadcast, then, then is None)
    if not spoken:
        sw.emit(leg, "PLAYBACK_START", now, tail=file_tail(path))
    if length_s is None:
        length_s = sw.settings.file_length_s(path)
    if spoken and f"mod_{leg.variables.get('tts_engine', '')}" in sw.unloaded:
        length_s = 0.0
    if length_s is not None:
        sw.at(now + length_s, finished, leg, sound)


def file_tail(path: str, status: str = "") -> Pairs:
    """The Playback-* headers."""
    scheme = path.partition("://")[0] if "://" in path else ""
    kind: Pairs = (("Playback-File-Type", scheme),) if scheme not in ("", "silence_stream", "file_string") else ()
    return (*kind, ("Playback-File-Path", path), *((("Playback-Status", status),) if status else ()))


def private_tail(name: str, data: str) -> Pairs:
    """PRIVATE_COMMAND shows the queued command that a broadcast was."""
    return (("call-command", "execute"), ("execute-app-name", name), ("execute-app-arg", data), ("lead-frames", "5"), ("event-lock", "true"))


def finished(sw: SimSwitch, leg: Leg, sound: Playback, now: float) -> None:
    """The end of the file. A timer of a sound that is gone finds another one in its place."""
    if leg.playback is sound and leg.phase != HUNG_UP:
        stop(sw, leg, "done", PLAYED, now)
        if sound.then is not None:
            sound.then(sw, leg, now)
        elif not sound.broadcast:
            sw.next_application(leg, now)


def stop(sw: SimSwitch, leg: Leg, status: str, response: str, now: float) -> None:
    """PLAYBACK_STOP; a broadcast sound also completes the application it was."""
    sound = leg.playback
    if sound is None:
        return
    leg.playback = None
    leg.note(picture.played, now - sound.started_at)
    if not sound.path.startswith("say:"):
        sw.emit(leg, "PLAYBACK_STOP", now, tail=file_tail(sound.path, status))
    leg.note(picture.app_answered, response)
    leg.app_response = response  # also what a park under a broadcast ends with
    if sound.broadcast:
        sw.emit(leg, "CHANNEL_EXECUTE_COMPLETE", now, tail=app_tail(leg, "playback", sound.path, sw.app_uuid(), response))
        leg.note(picture.broadcast_ended)
        sw.emit(leg, "PRIVATE_COMMAND", now, tail=private_tail("playback", sound.path))
        if leg.ears is not None and leg.ears.deferred:
            sw.catch_up(leg, now)


def leave_app(sw: SimSwitch, leg: Leg, now: float) -> None:
    """Whatever the leg does ends here: its sound, its parking, its application, in this order."""
    if leg.ears is not None:
        leg.ears.question = None
    if leg.playback is not None:
        stop(sw, leg, "done", CUT_SHORT, now)
    if leg.command:
        sw.emit(leg, "PRIVATE_COMMAND", now, tail=leg.command)
        leg.command = ()
        leg.note(picture.broadcast_ended)
    if leg.parked:
        leg.parked = False
        sw.emit(leg, "CHANNEL_UNPARK", now)
    complete_app(sw, leg, now)
    leg.turn += 1


def complete_app(sw: SimSwitch, leg: Leg, now: float) -> None:
    """CHANNEL_EXECUTE_COMPLETE of the running application, if there is one: a leg parked after a bridge has none (freeswitch.md 30)."""
    if leg.app:
        name, leg.app = leg.app, ""
        data, uuid = leg.app_data, leg.app_uuid
        if leg.recording_app is not None and name == "record":
            _recorded(sw, leg, now)
        sw.emit(leg, "CHANNEL_EXECUTE_COMPLETE", now, tail=app_tail(leg, name, data, uuid, leg.app_response))
        leg.app_response = "_none_"


def _recorded(sw: SimSwitch, leg: Leg, now: float) -> None:
    """The record application leaves its numbers on the leg and tells no cause (s05e)."""
    assert leg.recording_app is not None
    path, since = leg.recording_app
    leg.recording_app = None
    length_s = now - since
    for name, value in (("record_seconds", int(length_s)), ("record_ms", int(length_s * 1000)), ("record_samples", int(length_s * 8000))):
        sw.set_variable(leg, name, str(value))
    sw.emit(leg, "RECORD_STOP", now, tail=(("Record-File-Path", path),))
    sw.execute_on(leg, "execute_on_record_stop", now)
