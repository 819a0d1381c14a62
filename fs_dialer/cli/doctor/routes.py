"""What the switch says about trunks and sounds that the definitions name.

Pure: replies in, checks out. Where FreeSWITCH looks for a sound: switch_ivr_play_file() puts sound_prefix before a relative name, mod_sndfile tries
a folder named after the sample rate first (ivr/8000/welcome.wav), mod_local_stream plays the stream `default` where it does not know the one asked for.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence

from fs_dialer.cli.doctor.checks import Check, bad, fine, not_asked, warn
from fs_dialer.cli.doctor.wanted import users

SAFE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
SAFE_FILE = re.compile(r"/?[A-Za-z0-9_][A-Za-z0-9_./-]{0,254}")
UNKNOWN_COMMAND = "-ERR "  # the module that would know it is not loaded
RATES = ("8000", "16000", "32000", "48000")

_STATE = re.compile(r"^(State|Status)\s+(\S+)", re.MULTILINE)
_REGISTERED = ("NOREG", "REGED")


def gateway(name: str, who: Sequence[str], reply: str) -> Check:
    """`sofia status gateway NAME`."""
    if reply.startswith(UNKNOWN_COMMAND):
        return not_asked(f"gateway.{name}", f"gateway {name}", "mod_sofia is not loaded")
    id, asked = f"gateway.{name}", f"fs_cli -x 'sofia status gateway {name}'"
    if reply.startswith("Invalid Gateway"):
        return bad(id, f"the switch has no gateway {name} ({users(who)})", "sip_profiles/external/, then: fs_cli -x 'sofia profile external rescan'")
    found = dict(_STATE.findall(reply))
    state, status = found.get("State", ""), found.get("Status", "")
    if not status:
        return warn(id, f"gateway {name}: the switch's answer is not understood", f"see: {asked}")
    if status != "UP":
        return bad(id, f"gateway {name} is {status}, state {state} ({users(who)})", f"the trunk's address, account and network: {asked}")
    if state not in _REGISTERED:
        return warn(id, f"gateway {name} is not registered yet, state {state}", f"in a moment again: {asked}")
    return fine(id, f"gateway {name} is up, state {state}")


def no_gateway() -> Check:
    return warn("gateways", "no gateway is defined: nobody can be called", "installation.yml, below gateways; then: fs-dialer apply")


def stream(sound: str, who: Sequence[str], reply: str) -> Check:
    """local_stream://NAME against `local_stream show`: a line `NAME,FOLDER` each, NAME perhaps with its rate, moh/8000."""
    id, name = f"sound.{sound}", sound.partition("://")[2]
    if reply.startswith(UNKNOWN_COMMAND):
        return not_asked(id, sound, "mod_local_stream is not loaded")
    known = {line.partition(",")[0].partition("/")[0] for line in reply.splitlines() if "," in line}
    if name in known:
        return fine(id, f"{sound} is there")
    remedy = f"local_stream.conf.xml: a directory named {name}; then: fs_cli -x 'reload mod_local_stream'"
    if "default" in known:
        return warn(id, f"the switch has no stream {name}, and will play its stream `default` ({users(who)})", remedy)
    return bad(id, f"the switch has no stream {name}: silence instead of music ({users(who)})", remedy)


def files_of(sound: str, prefix: str) -> list[str]:
    """Where the switch looks for a sound file, absolute; the name as it stands comes first."""
    path = sound if sound.startswith("/") else posixpath.join(prefix, sound)
    folder, name = posixpath.split(path)
    return [path, *(posixpath.join(folder, rate, name) for rate in RATES)]


def sound_file(sound: str, who: Sequence[str], found: Mapping[str, str], prefix: str) -> Check:
    """`file_exists` of files_of(), as far as it was asked."""
    id, path = f"sound.{sound}", files_of(sound, prefix)[0]
    there = [place for place, reply in found.items() if reply.strip() == "true"]
    if there:
        return fine(id, f"{sound} is there")
    if "." not in posixpath.basename(sound):
        return warn(id, f"{sound} has no ending: the switch looks for one by the call's codec", "name the file with its ending, as in sorry.wav")
    return bad(id, f"the switch has no sound {sound} ({users(who)})", f"put it to {path}, readable for the switch")
