"""switch list: every FreeSWITCH of the installation, as the running daemon sees it. Draining one stands in switch_drain.py.

Knows the snapshot's JSON, and the words for what a switch is doing; asks no switch itself (that is `doctor`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fs_dialer.cli.campaigns import UNREACHABLE
from fs_dialer.cli.command import command
from fs_dialer.cli.output import Cell, ago
from fs_dialer.cli.settings import Session
from fs_dialer.cli.snapshots import last_written

NO_DAEMON = "No daemon is running, so nothing is known of the switches: fs-dialer run, or fs-dialer doctor"


@command("list", examples=("fs-dialer switch list", "fs-dialer switch list --json"), exits=UNREACHABLE)
def switch_list(session: Session) -> None:
    """Every switch: is it there, its calls and limits, and since when it is drained.

    LEGS are all that are on it, CALLS those of the dialler; AGENTS live on it with nailed legs; ROOM is how many more legs it is allowed now.
    """
    with session.office() as office:
        live = last_written(office)
    switches = [] if live is None else [dict(each) for each in live.snapshot.get("switches", ())]
    if live is None:
        session.say(NO_DAEMON)
    else:
        rows = [_row(each, float(live.snapshot["now"])) for each in switches]
        heads = ("SWITCH", "STATE", "CALLS", "LEGS", "LINES", "CPS", "ROOM", "WEIGHT", "AGENTS", "DRAINED FOR", "GATEWAYS")
        session.table(heads, rows, right=("CALLS", "LEGS", "LINES", "CPS", "ROOM", "WEIGHT", "AGENTS"))
    session.result({"switches": [each | {"state": state_of(each)} for each in switches]})


def state_of(switch: Mapping[str, Any]) -> str:
    """One word or two: ready, drained, connecting, away, given up."""
    if not switch["up"]:
        return "given up" if switch["given_up"] else "away"
    if not switch["ready"]:
        return "connecting"
    return "ready" if switch["drained_since"] is None else "drained"


COLOURS = {"ready": "green", "drained": "yellow", "connecting": "cyan", "away": "red", "given up": "red"}


def _row(switch: Mapping[str, Any], now: float) -> tuple[str | Cell, ...]:
    state, since = state_of(switch), switch["drained_since"]
    return (
        str(switch["id"]),
        Cell(state, COLOURS[state]),
        f"{switch['calls']:,}",
        f"{switch['legs']:,}",
        "-" if switch["lines"] is None else f"{switch['lines']:,}",
        "-" if switch["cps"] is None else f"{switch['cps']:g}",
        f"{switch['room']:,}",
        str(switch["weight"]),
        str(switch["nailed"]),
        "-" if since is None else ago(now - since),
        ", ".join(switch["gateways"]) or "all",
    )


def not_ready(snapshot: Mapping[str, Any]) -> str:
    """Of several switches those that get no calls now, for a line of status: `north drained, south away`; "" = all do, or there is only one."""
    switches = snapshot.get("switches", ())
    odd = [f"{each['id']} {state_of(each)}" for each in switches if state_of(each) != "ready"]
    return ", ".join(odd) if len(switches) > 1 or any(word.endswith(" drained") for word in odd) else ""
