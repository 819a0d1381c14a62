"""What the switch's own answers mean: version, modules, limits, event socket, the fallback extension.

Pure: replies of the event socket in, checks out. The words of the replies are those of FreeSWITCH 1.11 (mod_commands, mod_local_stream); where one is
not understood the check says so and is a warning, because a newer switch may word it otherwise.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping
from html import unescape

from fs_dialer.cli.doctor.checks import Check, bad, fine, warn
from fs_dialer.core.leg_plan import FALLBACK_CONTEXT, FALLBACK_EXTENSION

OLDEST_VERSION = (1, 10)
NEEDED_MODULES = ("mod_sofia", "mod_commands", "mod_dptools", "mod_event_socket", "mod_dialplan_xml", "mod_sndfile")
SOUND_MODULES = {"local_stream": "mod_local_stream", "tone_stream": "mod_tone_stream", "silence_stream": "mod_tone_stream"}
OPTIONAL_MODULES = ("mod_say_en",)  # numbers and times read aloud, in an IVR only
MODULES = (*NEEDED_MODULES, *dict.fromkeys(SOUND_MODULES.values()), *OPTIONAL_MODULES)
SPARE_RATE = 1.3  # callers come in while we dial, and a second's calls do not spread evenly over it
PORTS_PER_LEG = 2  # RTP and RTCP
FILES_PER_LEG = 4
DEFAULT_PASSWORD = "ClueCon"

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
_NUMBER_AT_END = re.compile(r":\s*(\d+)\s*$")
_PARAM = re.compile(r'<param\s+name="([^"]*)"\s+value="([^"]*)"')
_ACTION = re.compile(r'<action\s+application="([^"]*)"(?:\s+data="([^"]*)")?')
_STEP_2, _STEP_1 = "docs/switch.md, step 2", "docs/switch.md, step 1"


def version(reply: str) -> Check:
    """`version short`."""
    text, id = reply.strip(), "switch.version"
    found = _VERSION.match(text)
    if not found:
        return warn(id, f"the switch calls its version {text!r}", "fs-dialer knows FreeSWITCH 1.10 and later")
    if (int(found[1]), int(found[2])) < OLDEST_VERSION:
        return warn(id, f"FreeSWITCH {text} is older than any that was tried", "upgrade to 1.10 or later; until then try every kind of call by hand")
    return fine(id, f"FreeSWITCH {text}")


def takes_calls(reply: str) -> Check:
    """`fsctl pause_check`: true, false, or inbound or outbound only in later versions."""
    if reply.strip() == "false":
        return fine("switch.takes_calls", "the switch takes calls")
    return bad("switch.takes_calls", "the switch is paused: it refuses every call", "fs_cli -x 'fsctl resume'")


def modules(replies: Mapping[str, str], sounds: Mapping[str, object]) -> Check:
    """`module_exists NAME` for each of MODULES. Those that only some sounds need are missed where such a sound is named."""
    needed = {*NEEDED_MODULES, *(module for kind, module in SOUND_MODULES.items() if any(sound.startswith(f"{kind}://") for sound in sounds))}
    missing = [name for name, reply in replies.items() if reply.strip() != "true"]
    gone = [name for name in missing if name in needed]
    if gone:
        loads = "; ".join(f"fs_cli -x 'load {name}'" for name in gone)
        return bad("switch.modules", f"not loaded: {', '.join(gone)}", f"modules.conf.xml, then: {loads}")
    without = f"; not loaded, and not needed: {', '.join(missing)}" if missing else ""
    return fine("switch.modules", f"modules: {', '.join(name for name in replies if name not in missing)}{without}")


def rate(reply: str, cps: float) -> Check:
    """`fsctl sps` against the installation's cps. FreeSWITCH makes one call a second less than it says."""
    id, now = "switch.rate", _number(reply)
    if now is None:
        return _unclear(id, "sessions-per-second", reply)
    enough = wanted_rate(cps)
    remedy = f"switch.conf.xml, then: fs_cli -x 'fsctl sps {enough}'"
    if now - 1 < cps:
        return bad(id, f"sessions-per-second is {now}, campaigns may ask {cps:g}", remedy)
    if now < SPARE_RATE * cps:
        return warn(id, f"sessions-per-second is {now}: little above the {cps:g} that campaigns may ask", remedy)
    return fine(id, f"sessions-per-second is {now}, campaigns may ask {cps:g}")


def wanted_rate(cps: float) -> int:
    """What to set: 1.3 × cps and one more, to the next 5."""
    return math.ceil((SPARE_RATE * cps + 1) / 5) * 5


def sessions(reply: str, lines: int) -> Check:
    """`fsctl max_sessions` against the installation's lines."""
    id, now = "switch.sessions", _number(reply)
    if now is None:
        return _unclear(id, "max-sessions", reply)
    if now < lines:
        return bad(id, f"max-sessions is {now:,}, installation.yml has {lines:,} lines", f"switch.conf.xml, then: fs_cli -x 'fsctl max_sessions {lines}'")
    return fine(id, f"max-sessions is {now:,}, installation.yml has {lines:,} lines")


def after_a_restart(xml: str, rate_reply: str, sessions_reply: str, cps: float, lines: int) -> Check:
    """switch.conf.xml as the switch has read it: `fsctl` holds until the next start only."""
    params, id = _params(xml), "switch.restart"
    lower = []
    for name, reply, least in (("sessions-per-second", rate_reply, math.floor(cps) + 1), ("max-sessions", sessions_reply, lines)):
        now, then = _number(reply), params.get(name, "")
        if now is not None and then.isdecimal() and int(then) < now and int(then) < least:
            lower.append(f"{name} {then}")
    if lower:
        return warn(id, f"switch.conf.xml says {' and '.join(lower)}: too low again after the switch's next start", "write there what fsctl was told")
    return fine(id, "switch.conf.xml will do after the switch's next start too")


def rtp_ports(xml: str, lines: int) -> Check:
    """The range of RTP ports in switch.conf.xml, FreeSWITCH's own where the file names none."""
    params, id = _params(xml), "switch.rtp_ports"
    first, last = params.get("rtp-start-port", "16384"), params.get("rtp-end-port", "32768")
    if not (first.isdecimal() and last.isdecimal()):
        return _unclear(id, "RTP ports", f"{first}-{last}")
    room = max(0, int(last) - int(first) + 1) // PORTS_PER_LEG
    what = f"RTP ports {first}-{last} hold {room:,} legs, installation.yml has {lines:,} lines"
    if room < lines:
        return bad(id, what, "widen rtp-start-port and rtp-end-port in switch.conf.xml and restart the switch when no call is up")
    return fine(id, what)


def event_socket(xml: str, host: str) -> Check:
    """event_socket.conf.xml as the switch has read it. `host`: where the daemon connects to."""
    params, id = _params(xml), "switch.event_socket"
    listens = params.get("listen-ip") or "127.0.0.1"
    lists = [value for name, value in _PARAM.findall(xml) if name == "apply-inbound-acl" and value]
    if is_loopback(listens):
        return fine(id, f"the event socket listens on {listens}")
    everywhere = listens in ("::", "0.0.0.0")
    if not everywhere and lists and not is_loopback(host):
        return fine(id, f"the event socket listens on {listens}, for those of the access list {', '.join(lists)}")
    where = "every address of its machine" if everywhere else listens
    remedy = f"listen-ip 127.0.0.1 in event_socket.conf.xml: {_STEP_2}"
    if not is_loopback(host):
        remedy = f"the machine's own private address as listen-ip, and an access list with the daemon's: {_STEP_2}"
    return warn(id, f"the event socket listens on {where}: who gets in may do anything", remedy)


def password(secret: str, xml: str) -> Check:
    """Is it the one that everybody knows? `xml`: event_socket.conf.xml, which tells who else can try."""
    id, beyond = "switch.password", not is_loopback(_params(xml).get("listen-ip") or "127.0.0.1")
    if secret != DEFAULT_PASSWORD:
        return fine(id, "the event socket's password is not FreeSWITCH's own")
    remedy = f"a password of its own in event_socket.conf.xml: {_STEP_2}"
    judged = bad if beyond else warn
    return judged(id, "the event socket's password is FreeSWITCH's default, which everybody knows", remedy)


def fallback(xml: str) -> Check:
    """`xml_locate dialplan context name fsd`: the extension that lets customers go when the daemon is gone."""
    id = "switch.fallback"
    if f'<extension name="{FALLBACK_EXTENSION}"' not in xml:
        text = f"the dialplan has no {FALLBACK_EXTENSION} in context {FALLBACK_CONTEXT}: without the daemon a waiting customer is never let go"
        return bad(id, text, f"fs-dialer switch install --reload ({_STEP_1})")
    applications = [application for application, _ in _ACTION.findall(xml)]
    if "sched_hangup" not in applications:
        return warn(id, f"{FALLBACK_EXTENSION} was changed: nothing in it limits how long a customer stays", f"make it anew: {_STEP_1}")
    return fine(id, f"{FALLBACK_EXTENSION} is in the dialplan, context {FALLBACK_CONTEXT}")


def fallback_sounds(xml: str) -> list[str]:
    """What the fallback plays."""
    return [unescape(data) for application, data in _ACTION.findall(xml) if application == "playback" and data]


def open_files(limit: int, lines: int) -> Check:
    """The limit of the process that is the switch, where it runs on this machine."""
    needed = FILES_PER_LEG * lines
    what = f"the switch may open {limit:,} files, {lines:,} lines take {needed:,}"
    if limit < needed:
        return bad("switch.open_files", what, f"LimitNOFILE={max(needed * 2, 65_536)} in the switch's service, then restart it when no call is up")
    return fine("switch.open_files", what)


def is_loopback(host: str) -> bool:
    """By its look only: no name is resolved but localhost."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _params(xml: str) -> dict[str, str]:
    """The last of each name, as the switch reads them."""
    return {unescape(name): unescape(value) for name, value in _PARAM.findall(xml)}


def _number(reply: str) -> int | None:
    """`+OK sessions per second: 30`"""
    found = _NUMBER_AT_END.search(reply)
    return int(found[1]) if found else None


def _unclear(id: str, subject: str, reply: str) -> Check:
    return warn(id, f"{subject}: the switch's answer is not understood", f"it said: {' '.join(reply.split())[:60]}")
