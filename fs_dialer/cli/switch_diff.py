"""switch diff: what is installed in a FreeSWITCH against what would be, as a unified diff. Writes nothing."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import clean, painted, plural, wants_colour
from fs_dialer.cli.settings import Session
from fs_dialer.cli.switch_folder import Folder
from fs_dialer.cli.switch_install import CONF_DIR, FROM, SCRIPTS_DIR, SWITCH, Prepared, file_json, folder_for, prepared
from fs_dialer.cli.switch_line import reached
from fs_dialer.dialplans.manifest import DIFFERENT, NAME, FileState, State

EXITS = {
    Exit.FAILED: "a file could not be read",
    Exit.REFUSED: "a definition can not be rendered, or it is not a FreeSWITCH's conf folder",
    Exit.UNREACHABLE: "without --from: the database was not reachable",
    Exit.CHANGES: "with --detailed-exitcode: they differ",
}
HEADLINES = {
    State.NEW: "is not installed",
    State.OLD: "is of older definitions",
    State.GONE: "was removed by somebody",
    State.STALE: "is wanted no more",
    State.CHANGED: "was changed by somebody since it was installed",
    State.FOREIGN: "is there, and not ours",
}
COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@command("diff", examples=("fs-dialer switch diff", "fs-dialer switch diff --conf-dir /etc/freeswitch --detailed-exitcode"), exits=EXITS)
@CONF_DIR
@SCRIPTS_DIR
@FROM
@SWITCH
@click.option("--detailed-exitcode", is_flag=True, help="End with 5 where they differ.")
def switch_diff(session: Session, conf_dir: Path | None, scripts_dir: Path | None, paths: tuple[Path, ...], name: str | None, detailed_exitcode: bool) -> None:
    """Is what is installed still what the definitions ask for, and as it was left?

    Lines with - are installed, lines with + would be by `fs-dialer switch install`. What has callers stays, so it is not told as a difference.
    """
    with reached(session, name) as here:
        plan = prepared(session, here, folder_for(here, conf_dir, scripts_dir), paths)
    odd = [each for each in plan.states if each.state in DIFFERENT]
    colour = wants_colour(sys.stdout)
    for each in odd:
        session.say(f"{plan.folder.place(each.path)} {HEADLINES[each.state]}")
        session.say(*(painted(clean(line), COLOURS.get(line[0], ""), colour) for line in lines(plan.folder, each)))
    session.say(_verdict(plan, len(odd)))
    session.result(
        {
            "conf_dir": str(plan.folder.conf),
            "installed": plan.before is not None,
            "differ": bool(odd),
            "files": [{**file_json(plan.folder, each), "diff": list(lines(plan.folder, each))} for each in plan.states],
            "kept_for_callers": list(plan.files.old),
        }
    )
    if odd and detailed_exitcode:
        raise click.exceptions.Exit(Exit.CHANGES)


def lines(folder: Folder, each: FileState) -> Iterator[str]:
    """From what is there to what is wanted."""
    there, wanted = _lines(each.found), _lines(each.wanted)
    if there != wanted:
        place = str(folder.place(each.path))
        yield from (line.rstrip("\n") for line in difflib.unified_diff(there, wanted, f"{place} (installed)", f"{place} (wanted)"))


def _lines(data: bytes | None) -> list[str]:
    return [] if data is None else data.decode("utf-8", "replace").splitlines(keepends=True)


def _verdict(plan: Prepared, odd: int) -> str:
    old = f"; {', '.join(plan.files.old)} stay for their callers" if plan.files.old else ""
    if plan.before is None:
        return f"Nothing of fs-dialer is installed in {plan.folder.conf}: fs-dialer switch install"
    if not odd:
        return f"{plural(len(plan.states), 'file')} in {plan.folder.conf} as they should be{old}."
    return f"{plural(odd, 'file')} of {len(plan.states)} differ{old}. To put them right: fs-dialer switch install --reload"


def not_installed(folder: Folder) -> CommandFailed:
    advice = f"to install: fs-dialer switch install --conf-dir {folder.conf}"
    return CommandFailed(f"nothing of fs-dialer is installed in {folder.conf} (there is no {NAME})", advice)
