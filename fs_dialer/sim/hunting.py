"""A leg looks for its extension: in the XML dialplan, then in the table of SwitchSettings; and the applications that lead elsewhere.

Knows what a condition may ask of a leg, inline actions, which run while the search goes on, and what the switch logs where nothing is found. Reading and
searching of XML is dialplan_xml.py's, what is found runs in applications.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fs_dialer.sim import applications, dialplan_xml, expansion, playback
from fs_dialer.sim.leg import HUNG_UP, Leg
from fs_dialer.sim.settings import Applications

if TYPE_CHECKING:
    from fs_dialer.sim.switch import SimSwitch


def hunt(sw: SimSwitch, leg: Leg, extension: str, context: str, now: float) -> Applications | None:
    """What the leg is to execute there; None = no route."""
    in_table = sw.settings.extensions.get((context, extension))
    known = sw.dialplan.get(context)
    if known is None:
        if in_table is not None:
            return in_table
        sw.log("err", f"Context {context} not found", now)
        return None

    def field(name: str) -> str:
        value = expansion.profile_field(leg, name)
        if value is None:
            sw.log("warning", f"a condition asks for {name!r}, which is no field of a caller's profile", now)
        return value or ""

    def act(application: str, data: str) -> None:
        if leg.phase != HUNG_UP and applications.execute(sw, leg, application, data, now):
            playback.complete_app(sw, leg, now)

    steps = dialplan_xml.search(known, dialplan_xml.Asking(extension, field, lambda text: expansion.expand(sw, leg, text, now), act))
    if steps is None and in_table is not None:
        return in_table
    if steps is None:
        sw.log("notice", f"No Route, Aborting: {extension} in {context}", now)
    return steps


def _execute_extension(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    """The extension's applications run inside this one; what takes time leaves the rest to the list, and a mark where this one ends."""
    extension, dialplan, context = (*data.split(), "", "", "")[:3]
    uuid, before, leg.destination_now = leg.app_uuid, leg.destination_now, extension
    steps = hunt(sw, leg, extension, context or leg.context, now) if dialplan in ("", "XML") else None
    if steps is None:
        leg.destination_now = before
        return True
    rest = list(steps)
    while rest and leg.phase != HUNG_UP:
        name, argument = rest.pop(0)
        if not applications.execute(sw, leg, name, argument, now):
            leg.applications[:0] = [*rest, (END_OF_EXTENSION, f"{uuid}|{data}")]
            return False
        playback.complete_app(sw, leg, now)
    leg.destination_now = before
    leg.app, leg.app_data, leg.app_uuid, leg.app_response = "execute_extension", data, uuid, "_none_"
    return leg.phase != HUNG_UP


END_OF_EXTENSION: Final = "-end of execute_extension"  # no application: what is left of one


def _end_of_extension(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    uuid, _, given = data.partition("|")
    leg.app, leg.app_data, leg.app_uuid, leg.app_response = "execute_extension", given, uuid, "_none_"
    return True


APPLICATIONS: Final[dict[str, applications.Handler]] = {"execute_extension": _execute_extension, END_OF_EXTENSION: _end_of_extension}
