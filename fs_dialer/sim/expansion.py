"""`${…}` in what an application is given, taken apart as the switch does it (switch_channel_expand_variables_check, switch_channel.c).

Knows the order in which a name is looked up, that a variable's value is expanded AGAIN (freeswitch.md; this is why D7 lets nothing foreign into a
variable), offsets `${x:0:4}`, escapes, and `${function(…)}`, which runs an api command. Runs nothing real: what would leave the switch (`system`, `lua` …)
is written down in SimSwitch.attempted and gives nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fs_dialer.sim import api

if TYPE_CHECKING:
    from fs_dialer.sim.leg import Leg
    from fs_dialer.sim.switch import SimSwitch

DEEPEST: Final = 100
LEAVES_THE_SWITCH: Final = frozenset({"system", "bg_system", "spawn", "bg_spawn", "spawn_stream", "lua", "luarun", "python", "perl", "js", "jsrun", "curl"})
_WORTH_A_LOOK: Final = re.compile(r"\$\{|\\[\\ns']")
_CALL: Final = re.compile(r"([^ (]*) *[ (](.*)$", re.DOTALL)
_NUMBER: Final = re.compile(r"\s*(-?\d+)")


def expand(sw: SimSwitch, leg: Leg | None, text: str, now: float, depth: int = 0) -> str:
    """The text with every `${…}` replaced. No leg: globals and functions only."""
    if depth > DEEPEST or _WORTH_A_LOOK.search(text) is None:
        return text
    out, at, end = [], 0, len(text)
    while at < end:
        char, follows = text[at], text[at + 1 : at + 2]
        if char == "\\" and follows == "$":
            out.append("$")
            at += 2
        elif char == "\\" and follows == "'":
            at += 2
        elif char == "\\" and follows == "\\":
            out.append("\\")
            at += 2
        elif char == "$" and (follows == "{" or text.startswith("$${", at)):
            inside, at = _inside(text, at + (2 if follows == "{" else 3))
            out.append(_value(sw, leg, inside, now, depth))
            if at < end and text[at] != "$":  # what follows a value is copied as it is, a backslash too
                out.append(text[at])
                at += 1
        else:
            out.append(char)
            at += 1
    return "".join(out)


def _inside(text: str, start: int) -> tuple[str, int]:
    """What stands between the braces, nested ones included, and where the text goes on."""
    depth, at = 1, start
    while at < len(text):
        if text[at] == "{":
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if depth == 0:
                return text[start:at], at + 1
        at += 1
    return text[start:], at


def _value(sw: SimSwitch, leg: Leg | None, inside: str, now: float, depth: int) -> str:
    call = _CALL.match(inside)
    if call is not None:
        name, rest = call[1], call[2]
        return function(sw, expand(sw, leg, name, now, depth + 1), expand(sw, leg, _arguments(rest), now, depth + 1), now)
    name, *offsets = expand(sw, leg, inside, now, depth + 1).split(":", 2)
    value = variable(sw, leg, name)
    if value is None:
        return ""
    value = expand(sw, leg, value, now, depth + 1)
    if offsets:
        start = _integer(offsets[0])
        value = value[start:] if start >= 0 or -start <= len(value) else value
        if len(offsets) > 1 and 0 < (length := _integer(offsets[1])) < len(value):
            value = value[:length]
    return value


def _arguments(rest: str) -> str:
    """Up to the bracket that closes."""
    depth = 1
    for place, char in enumerate(rest):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return rest[:place]
    return rest


def _integer(text: str) -> int:
    found = _NUMBER.match(text)
    return int(found[1]) if found else 0


def function(sw: SimSwitch, name: str, arguments: str, now: float) -> str:
    """What an api command says to whom it is not a stranger's; "" for one that would leave the switch, or that there is not."""
    if name.lower() in LEAVES_THE_SWITCH:
        sw.attempted.append((name.lower(), arguments))
        sw.log("warning", f"{name} {arguments}: the simulated switch does nothing outside itself", now)
        return ""
    if name not in api.COMMANDS:
        sw.log("err", f"{name}: no such api command", now)
        return ""
    return api.run(sw, name, arguments, now)


def variable(sw: SimSwitch, leg: Leg | None, name: str) -> str | None:
    """A channel variable, else a field of the caller's profile, else what the switch sets on every leg, else a global variable."""
    if leg is not None:
        value = leg.variables.get(name)
        if value is None:
            value = profile_field(leg, name)
        if value is None and leg.journal is not None:
            value = sw.picture(leg).variables.get(name)
        if value is None:
            value = leg.lean_variables.get(f"variable_{name}")
        if value is not None:
            return value
    return sw.globals.get(name)


def profile_field(leg: Leg, name: str) -> str | None:
    """switch_caller_get_field_by_name(); None = it knows no such field."""
    match name:
        case "destination_number":
            return leg.destination_now
        case "caller_id_number":
            return leg.cid_number
        case "caller_id_name":
            return leg.cid_name
        case "ani":
            return leg.orig_number
        case "uuid":
            return leg.uuid
        case "context":
            return leg.context
        case "dialplan":
            return leg.dialplan
        case "chan_name" | "channel_name":
            return leg.channel_name
        case "network_addr":
            return leg.host
        case "callee_id_number":
            return leg.callee_number
        case "callee_id_name":
            return leg.callee_name
        case "rdnis" | "aniii" | "username" | "source":
            return ""
    return None
