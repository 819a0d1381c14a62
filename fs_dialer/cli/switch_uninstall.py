"""switch uninstall: what the manifest names out of a FreeSWITCH's folders, and nothing else. Afterwards they are as they were before the installation."""

from __future__ import annotations

from pathlib import Path

import click

from fs_dialer.cli import switch_line
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import Cell, plural
from fs_dialer.cli.settings import Session
from fs_dialer.cli.switch_diff import not_installed
from fs_dialer.cli.switch_folder import Change, change, found_in, locked, manifest_of
from fs_dialer.cli.switch_install import CONF_DIR, SWITCH, file_json, folder_for, refuse, with_scripts
from fs_dialer.cli.switch_line import Here, reached
from fs_dialer.dialplans.manifest import KEPT, REFUSED, FileState, State, judged

EXITS = {
    Exit.FAILED: "nothing is installed there, or a file could not be removed; all is as it was",
    Exit.REFUSED: "a file was changed since, or calls are in our contexts; nothing was removed",
    Exit.UNREACHABLE: "for --reload the switch was not reachable; nothing was removed",
}


@command("uninstall", examples=("fs-dialer switch uninstall --dry-run", "fs-dialer switch uninstall --conf-dir /etc/freeswitch --reload"), exits=EXITS)
@CONF_DIR
@SWITCH
@click.option("--dry-run", is_flag=True, help="Tell what would be removed; remove nothing.")
@click.option("--reload", is_flag=True, help="Make the switch forget it, and take `fsd` out of fs_cli; refused while calls are in our contexts.")
@click.option("--force", is_flag=True, help=f"Go on though files were changed (they are kept as NAME{KEPT}) or calls are in our contexts.")
def switch_uninstall(session: Session, conf_dir: Path | None, name: str | None, dry_run: bool, reload: bool, force: bool) -> None:
    """Take out of a FreeSWITCH what `switch install` put there.

    The folders are then as before, file by file. Needs no database. Stop the daemon first, and end the campaigns: without our contexts no flow speaks and no
    queue takes callers.
    """
    with reached(session, name) as here:
        folder = folder_for(here, conf_dir, None)
        with locked(folder):
            before = manifest_of(folder)
            if before is None:
                raise not_installed(folder)
            folder = with_scripts(here, folder, before)
            states = judged(before, found_in(folder, sorted(before.files)), {})
            if not force:
                refuse(folder, states)
            if reload and not dry_run:
                _may_reload(here, force)
            session.table(("FILE", ""), [(str(folder.place(each.path)), _word(each, dry_run)) for each in states])
            if dry_run:
                session.say("", "Nothing was removed (--dry-run).")
            else:
                odd = [each.path for each in states if each.state in REFUSED]
                undo = change(folder, before, Change({each.path: None for each in states}, None, odd, before.displaced))
                if reload:
                    if trouble := switch_line.reload_only(here):
                        undo.back()
                        raise CommandFailed(f"the switch refused: {trouble}", "the files are back; it is its own configuration that it can not read")
                    switch_line.drop_alias(here)
    removed = [each for each in states if each.found is not None]
    if not dry_run:
        session.say(
            f"{plural(len(removed), 'file')} removed." + ("" if reload else " The switch forgets them by: fs_cli -x reloadxml; fs_cli -x 'alias del fsd'")
        )
    session.result(
        {"conf_dir": str(folder.conf), "files": [file_json(folder, each) for each in states], "removed": not dry_run, "reloaded": reload and not dry_run}
    )


def _word(each: FileState, dry_run: bool) -> Cell:
    if each.state is State.CHANGED:
        return Cell(f"changed by somebody: kept as {each.path.rpartition('/')[2]}{KEPT}", "yellow")
    if each.found is None:
        return Cell("was removed by somebody", "yellow")
    return Cell("would be removed" if dry_run else "removed")


def _may_reload(here: Here, force: bool) -> None:
    switch_line.need_line(here)
    calls = switch_line.in_our_contexts(switch_line.legs(here) or ())
    if calls and not force:
        advice = "wait until they are over (fs-dialer switch drain, and send inbound callers elsewhere), or say --force: they end at their next step"
        raise CommandFailed(f"{plural(calls, 'call')} in our contexts", advice, code=Exit.REFUSED)
