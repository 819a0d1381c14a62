"""mod_db's little store, as an application and as an api command: db and hash.

Knows the words of limit_db.c and mod_hash.c. Rows live in SimSwitch.database as long as the switch does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fs_dialer.sim import applications
from fs_dialer.sim.leg import Leg

if TYPE_CHECKING:
    from fs_dialer.sim.switch import SimSwitch

def command(sw: SimSwitch, args: str, now: float) -> str:
    """`db verb/realm/key[/value]` and `db list/[realm]`."""
    verb, realm, key, value = (*args.split("/", 3), "", "", "")[:4]
    match verb:
        case "insert":
            sw.database[realm, key] = value
            return "+OK"
        case "delete":
            return "+OK" if sw.database.pop((realm, key), None) is not None else "-ERR Not found\n"
        case "exists":
            return "true" if (realm, key) in sw.database else "false"
        case "select":
            return sw.database.get((realm, key), "")
        case "count":
            return str(sum(1 for each in sw.database if each[0] == realm))
        case "list":
            names = [name for each, name in sw.database if each == realm] if realm else list(dict.fromkeys(each for each, _ in sw.database))
            return ",".join(names)
    return "-USAGE: [insert|delete|select|exists|count|list]/<realm>/<key>/<value>\n"


def _db(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    """The application knows insert, insert_ifnotexist and delete."""
    verb, realm, key, value = (*data.split("/", 3), "", "", "")[:4]
    if verb == "insert" or (verb == "insert_ifnotexist" and (realm, key) not in sw.database):
        sw.database[realm, key] = value
    elif verb == "delete":
        sw.database.pop((realm, key), None)
    elif verb not in ("insert", "insert_ifnotexist"):
        sw.log("warning", "USAGE: db [insert|delete]/<realm>/<key>/<val>", now)
    return True


APPLICATIONS: Final[dict[str, applications.Handler]] = {"db": _db, "hash": _db}
