"""The little stores of the switch, as an application and as an api command: db and hash.

Knows the words of mod_db.c and mod_hash.c. Rows live in SimSwitch.database and .hashes as long as the switch does; the real mod_db's outlive it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fs_dialer.sim import applications
from fs_dialer.sim.leg import Leg

if TYPE_CHECKING:
    from fs_dialer.sim.switch import SimSwitch

LONGEST_VALUE: Final = 255
LONGEST_LIST: Final = 4095


def command(sw: SimSwitch, args: str, now: float) -> str:
    """`db verb/realm/key[/value]`, `db list/[realm]`, `db count/[realm]`; what is missing is `!err!`, and deleting nothing is +OK."""
    parts = args.split("/", 3) if args else []
    verb, realm, key, value = (*parts, "", "", "", "")[:4]
    match verb.lower(), len(parts):
        case "insert", 4:
            sw.database[realm, key] = value
            return "+OK"
        case "delete", (2 | 3 | 4):
            sw.database.pop((realm, key), None)
            return "+OK"
        case "exists", (3 | 4):
            return "true" if sw.database.get((realm, key)) else "false"
        case "select", (3 | 4):
            return sw.database.get((realm, key), "")[:LONGEST_VALUE]
        case "count", 1:
            return str(len({each for each, _ in sw.database}))
        case "count", 2:
            return str(sum(1 for each, _ in sw.database if each == realm))
        case "list", (1 | 2):
            names = [name for each, name in sw.database if each == realm] if len(parts) == 2 else list(dict.fromkeys(each for each, _ in sw.database))
            return ",".join(names)[:LONGEST_LIST]
    return "!err!"


def hash_command(sw: SimSwitch, args: str, now: float) -> str:
    """mod_hash says the same in other words."""
    verb, realm, key, value = (*args.split("/", 3), "", "", "")[:4]
    match verb:
        case "insert":
            sw.hashes[realm, key] = value
            return "+OK\n"
        case "delete":
            return "+OK\n" if sw.hashes.pop((realm, key), None) is not None else "-ERR Not found\n"
        case "exists":
            return "true" if (realm, key) in sw.hashes else "false"
        case "select":
            return sw.hashes.get((realm, key), "")
    return "-USAGE: [insert|insert_ifempty|delete|delete_ifmatch]/<realm>/<key>/<val>\n"


def _db(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    """The application knows insert and delete."""
    parts = data.split("/", 3)
    if parts[0].lower() == "insert" and len(parts) == 4:
        sw.database[parts[1], parts[2]] = parts[3]
    elif parts[0].lower() == "delete" and len(parts) > 2:
        sw.database.pop((parts[1], parts[2]), None)
    else:
        sw.log("warning", "USAGE: db [insert|delete]/<realm>/<key>/<val>", now)
    return True


def _hash(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    hash_command(sw, data, now)
    return True


APPLICATIONS: Final[dict[str, applications.Handler]] = {"db": _db, "hash": _hash}
