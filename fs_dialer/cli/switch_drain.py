"""switch drain: no new calls by one switch, for maintenance. Those that are up end by themselves; it holds until somebody says --off."""

from __future__ import annotations

import click

from fs_dialer.cli.campaigns import deadline, told
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import Exit
from fs_dialer.cli.settings import Session, who

EXITS = {
    Exit.DONE: "done, or queued because no daemon is running",
    Exit.FAILED: "there is no such switch",
    Exit.UNREACHABLE: "the database was not reachable; nothing was asked",
}


@command("drain", examples=("fs-dialer switch drain north", "fs-dialer switch drain north --off"), exits=EXITS)
@click.argument("name", metavar="SWITCH")
@click.option("--off", is_flag=True, help="Let it have new calls again.")
def switch_drain(session: Session, name: str, off: bool) -> None:
    """Give a switch no new calls; those that are up go on, and agents who live on it are called by another.

    It holds over restarts of the daemon and of the switch. `fs-dialer switch list` tells when nothing is up on it any more.
    """
    with session.office() as office:
        result, text = told(office, office.submit_command("drain_switch", name, {"on": "no" if off else "yes"}, who()), deadline())
    text = text.removeprefix(f"{name}: ")
    if result == "refused":
        session.note(f"fs-dialer: {name} was not changed: {text}")
    else:
        session.say(f"{name}: {text}")
    session.result({"switch": name, "drained": not off, "result": result, "text": text})
    if result == "refused":
        raise click.exceptions.Exit(Exit.FAILED)
