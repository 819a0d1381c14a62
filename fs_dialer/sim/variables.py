"""Applications that set and tell variables: set, export, unset, multiset, event, log.

Knows how each takes its argument apart (mod_dptools.c). What stands in `${…}` has been expanded before it comes here, and `set` expands its value once
more: `\\\\\\${…}` arrives as `\\${…}` and is stored as `${…}`, for whoever names the variable later (s11c).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fs_dialer.sim import applications
from fs_dialer.sim.bindings import separated
from fs_dialer.sim.leg import Leg

if TYPE_CHECKING:
    from fs_dialer.sim.switch import SimSwitch

MOST_HEADERS: Final = 25


def _set(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    name, _, value = data.partition("=" if "=" in data else ",")
    value = sw.expand(leg, value, now)
    sw.set_variable(leg, name.strip(), None if value in ("", "_undef_") else value)
    return True


def _export(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    """As set, and the legs that this one makes have it too; `nolocal:` for those only."""
    name, _, value = data.partition("=")
    bare = name.removeprefix("nolocal:").strip()
    if bare == name.strip():
        _set(sw, leg, data, now)
    exported = leg.variables.get("export_vars", "")
    if bare not in exported.split(","):
        sw.set_variable(leg, "export_vars", f"{exported},{bare}" if exported else bare)
    if bare != name.strip():
        sw.set_variable(leg, bare, value or None)
    return True


def _unset(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    sw.set_variable(leg, data.strip(), None)
    return True


def _multiset(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    """`a=1 b=2`, or parted by X after ^^X."""
    delimiter, rest = (data[2], data[3:]) if data.startswith("^^") and len(data) > 2 else (" ", data)
    for part in separated(rest, delimiter):
        if "=" in part:
            _set(sw, leg, part, now)
    return True


def _multiunset(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    delimiter, rest = (data[2], data[3:]) if data.startswith("^^") and len(data) > 2 else (" ", data)
    for part in separated(rest, delimiter):
        sw.set_variable(leg, part, None)
    return True


def _event(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    """An event made on the channel: Event-Subclass first, our own headers, then the channel's (s05a, s06k)."""
    name, subclass, own = "CHANNEL_APPLICATION", "", []
    for part in separated(data)[:MOST_HEADERS]:
        header, equals, value = part.strip().partition("=")
        if header == "Event-Name":
            name = value
        elif header == "Event-Subclass":
            subclass = value
        elif equals:
            own.append((header, value))
    if name == "CUSTOM":
        sw.emit(leg, "CUSTOM", now, front=(("Event-Subclass", subclass), *own))
    else:
        sw.emit(leg, name, now, front=tuple(own))
    return True


def _log(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    level, _, text = data.partition(" ")
    sw.log(level, text, now)
    return True


APPLICATIONS: Final[dict[str, applications.Handler]] = {
    "set": _set,
    "export": _export,
    "unset": _unset,
    "multiset": _multiset,
    "multiunset": _multiunset,
    "event": _event,
    "log": _log,
}
