"""What the simulated switch tells about its own configuration: files, streams, modules, and its XML as far as it has any.

Knows the layout of switch_xml_toxml() and the words of mod_commands and mod_local_stream (FreeSWITCH 1.11.3, asked over the event socket). It has no
configuration files: what it prints is made from SwitchSettings, the extensions it knows and its XML dialplan. Changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Final

from fs_dialer.sim import dialplan_xml
from fs_dialer.sim.settings import Applications

if TYPE_CHECKING:
    from fs_dialer.sim.switch import SimSwitch

NOTHING: Final = "can't find anything\n"
STREAMS: Final = ("moh", "default")


def xml_locate(sw: SimSwitch, args: str) -> str:
    """`xml_locate configuration configuration name FILE` and `xml_locate dialplan context name NAME`."""
    words = args.split()
    if not words:
        return "-ERR bad args\n"
    if words[:3] == ["dialplan", "context", "name"] and len(words) > 3:
        found = {extension: applications for (context, extension), applications in sw.settings.extensions.items() if context == words[3]}
        if found:
            return _context(words[3], found.items())
        return dialplan_xml.printed(sw.dialplan[words[3]]) if words[3] in sw.dialplan else NOTHING
    if words[:3] == ["configuration", "configuration", "name"] and len(words) > 3:
        params = _params(sw).get(words[3])
        return _configuration(words[3], params) if params is not None else NOTHING
    return NOTHING


def _params(sw: SimSwitch) -> dict[str, tuple[tuple[str, str], ...]]:
    """What the files say, which `fsctl` does not change. The password is the server's (esl_server.py) and not known here."""
    settings = sw.settings
    return {
        "event_socket.conf": (("nat-map", "false"), ("listen-ip", settings.listen_ip), ("listen-port", "8021"), ("apply-inbound-acl", "loopback.auto")),
        "switch.conf": (
            ("max-sessions", str(settings.max_sessions)),
            ("sessions-per-second", str(settings.sessions_per_second)),
            ("rtp-start-port", "20000"),
            ("rtp-end-port", "29998"),
            ("switchname", settings.switchname),
        ),
    }


def _configuration(name: str, params: Iterable[tuple[str, str]]) -> str:
    lines = "".join(f'      <param name="{key}" value="{_attribute(value)}"></param>\n\n' for key, value in params)
    return f'<configuration name="{name}">\n  <settings>\n{lines}  </settings>\n</configuration>\n'


def _context(name: str, extensions: Iterable[tuple[str, Applications]]) -> str:
    return f'<context name="{name}">\n{"".join(_extension(extension, applications) for extension, applications in extensions)}  </context>\n'


def _extension(name: str, applications: Applications) -> str:
    actions = []
    for application, data in applications:
        argument = f' data="{_attribute(data)}"' if data else ""
        actions.append(f'              <action application="{application}"{argument}></action>\n\n')
    condition = f'          <condition field="destination_number" expression="^{name}$">\n{"".join(actions)}      </condition>\n\n'
    return f'      <extension name="{name}">\n{condition}    </extension>\n\n'


def _attribute(text: str) -> str:
    return escape(text, quote=False).replace('"', "&quot;")


def file_exists(sw: SimSwitch, args: str) -> str:
    """Every file is there that playback would find; below sound_prefix, under its relative name too."""
    path = args.strip()
    relative = path.removeprefix(sw.settings.sound_prefix + "/")
    return "true" if path and sw.settings.has_file(path) and sw.settings.has_file(relative) else "false"


def module_exists(sw: SimSwitch, args: str) -> str:
    """All modules are loaded but those unloaded, and any whose name contains `nosuch`."""
    name = args.strip()
    return "" if not name else "false" if "nosuch" in name or name in sw.unloaded else "true"


def local_stream(sw: SimSwitch, args: str) -> str:
    """`local_stream show [NAME]`."""
    if "mod_local_stream" in sw.unloaded:
        return "-ERR local_stream Command not found!\n"
    words = args.split()
    folder = f"{sw.settings.sound_prefix}/music"
    if words[:1] != ["show"]:
        return "-USAGE: <show|start|reload|stop|hup> <local_stream_name>\n"
    if len(words) == 1:
        return "".join(f"{name},{folder}\n" for name in STREAMS)
    if words[1] not in STREAMS:
        return f"-ERR Cannot locate local_stream {words[1]}!\n"
    rows = (
        ("location:", folder),
        ("channels:", "1"),
        ("rate:", "8000"),
        ("interval:", "20"),
        ("samples:", "160"),
        ("prebuf:", "65536"),
        ("timer:", "soft"),
        ("total:", "0"),
        ("shuffle:", "true"),
        ("ready:", "true"),
        ("stopped:", "false"),
        ("reloading:", "false"),
    )
    return f"{words[1]}\n" + "".join(f"  {name:<9} {value}\n" for name, value in rows).replace("reloading:  ", "reloading: ")


def micro_epoch(sw: SimSwitch, now: float) -> str:
    """strmicroepoch: a clock that goes in steps."""
    step = sw.settings.tick_s
    return str(int(math.floor(now / step) * step * 1e6))
