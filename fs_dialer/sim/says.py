"""Voices and recordings: say, speak, record, and detectors of machines.

Knows how long a voice speaks (SwitchSettings.word_s for each word), what ends a recording and what it leaves (s05e), and what amd and avmd report of a
person or a machine, which is that leg's behaviour. Plays nothing and listens to nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fs_dialer.sim import applications, digits, ending, english, playback
from fs_dialer.sim.leg import HUNG_UP, Leg

if TYPE_CHECKING:
    from fs_dialer.sim.switch import SimSwitch


def _say(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    """`LANGUAGE TYPE METHOD [GENDER] TEXT`: file after file. A language nobody has is logged, and nothing is said."""
    words = data.split()
    if len(words) < 4:
        sw.log("err", "say: USAGE: <module_name>[:<lang>] <say_type> <say_method> [<say_gender>] <text>", now)
        return True
    if f"mod_say_{words[0].partition(':')[0]}" in sw.unloaded:
        sw.log("err", f"Invalid SAY Interface [{words[0]}]!", now)
        return True
    spoken = english.files(words[1], words[2], " ".join(words[3:]).strip("'"))
    if not spoken:
        sw.log("err", f"say: nothing to say in {data}", now)
        return True
    playback.begin(sw, leg, f"file_string://{'!'.join(spoken)}", False, now, then=_said, length_s=len(spoken) * sw.settings.word_s)
    return False


def _said(sw: SimSwitch, leg: Leg, now: float) -> None:
    leg.app_response = "_none_"
    applications.run_next(sw, leg, now)


def _speak(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    """`engine|voice|text`."""
    engine, _, rest = data.partition("|")
    text = rest.partition("|")[2]
    if not text or f"mod_{engine}" in sw.unloaded:
        sw.log("err", f"Invalid TTS module {engine}" if text else "Invalid Params!", now)
        return True
    sw.at(now + len(text.split()) * sw.settings.word_s, applications.slept, leg, leg.turn)
    return False


def _record(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    """`path [limit_s [threshold [silence_s]]]`: ends by its limit, which is of whole clock seconds, by silence, a key, or the hang-up."""
    words = data.split()
    path = words[0] if words else ""
    if not sw.settings.may_write(path):
        sw.log("err", f"Can not open {path}", now)
        sw.set_variable(leg, "record_seconds", None)
        return True
    limit_s, silence_s = (int(words[place]) if len(words) > place and words[place].isdecimal() else 0 for place in (1, 3))
    leg.recording_app = path, now
    sw.emit(leg, "RECORD_START", now, tail=(("Record-File-Path", path),))
    ends = []
    if limit_s:
        ends.append(int(now) + limit_s + 0.9)
    speaks_s = leg.behaviour.speaks_s
    if leg.behaviour.hangs_up_after_message:
        sw.at(now + speaks_s, _said_all, leg, leg.turn)
    elif silence_s:
        ends.append(now + speaks_s + silence_s)
    if ends:
        sw.at(min(ends), applications.slept, leg, leg.turn)
    return False


def _said_all(sw: SimSwitch, leg: Leg, turn: int, now: float) -> None:
    """Most people end their message by hanging up."""
    if leg.turn == turn and leg.phase != HUNG_UP:
        ending.hangup(sw, leg, "NORMAL_CLEARING", now, by_them=True)


def _amd(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    """mod_amd: it listens for some seconds and sets amd_status."""
    sw.at(now + (2.0 if leg.behaviour.machine else 1.0), _amd_knows, leg, leg.turn)
    return False


def _amd_knows(sw: SimSwitch, leg: Leg, turn: int, now: float) -> None:
    if leg.turn == turn and leg.phase != HUNG_UP:
        sw.set_variable(leg, "amd_status", "machine" if leg.behaviour.machine else "person")
        applications.run_next(sw, leg, now)


def _wait_for_silence(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    """`threshold hits listen_hits timeout_ms`: a machine's greeting goes on until its beep, a person has said his name."""
    words = data.split()
    most_s = int(words[3]) / 1000 if len(words) > 3 and words[3].isdecimal() else 60.0
    ends = max(now + 0.5, _beep_at(sw, leg) + 0.5) if leg.behaviour.machine else now + 1.0
    sw.at(min(ends, now + most_s), applications.slept, leg, leg.turn)
    return False


def _beep_at(sw: SimSwitch, leg: Leg) -> float:
    """When the machine beeps: drawn once for each call."""
    own = digits.ears(leg)
    if not own.beep_at:
        own.beep_at = leg.answered_at + (4.0 if leg.behaviour.beep is None else leg.behaviour.beep.draw(sw.rng))
    return own.beep_at


def _avmd(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    """avmd_start listens beside what the leg does; a machine's beep is reported once."""
    sw.emit(leg, "CUSTOM", now, front=(("Event-Subclass", "avmd::start"),))
    if leg.behaviour.machine:
        sw.at(max(now, _beep_at(sw, leg)), _beeps, leg)
    return True


def _beeps(sw: SimSwitch, leg: Leg, now: float) -> None:
    if leg.phase != HUNG_UP and leg.partner is None:
        sw.emit(leg, "CUSTOM", now, front=(("Event-Subclass", "avmd::beep"), ("Beep-Status", "DETECTED")))


APPLICATIONS: Final[dict[str, applications.Handler]] = {
    "say": _say,
    "speak": _speak,
    "record": _record,
    "amd": _amd,
    "wait_for_silence": _wait_for_silence,
    "avmd_start": _avmd,
    "avmd_stop": lambda sw, leg, data, now: True,
}
