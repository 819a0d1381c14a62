"""switch reload: the files of an installation made anew, and read by the switch; where it does not take them, the earlier ones are back."""

from __future__ import annotations

from pathlib import Path

from fs_dialer.cli.command import command
from fs_dialer.cli.output import plural
from fs_dialer.cli.settings import Session
from fs_dialer.cli.switch_diff import not_installed
from fs_dialer.cli.switch_folder import locked
from fs_dialer.cli.switch_install import CONF_DIR, EXITS, FORCE, FROM, SWITCH, carried_out, folder_for, prepared, show_files, tell_result
from fs_dialer.cli.switch_line import reached
from fs_dialer.dialplans.manifest import State


@command("reload", examples=("fs-dialer switch reload", "fs-dialer switch reload --switch north --conf-dir /mnt/north/freeswitch"), exits=EXITS)
@CONF_DIR
@FROM
@SWITCH
@FORCE
def switch_reload(session: Session, conf_dir: Path | None, paths: tuple[Path, ...], name: str | None, force: bool) -> None:
    """After an apply that changed flows or queues: bring them into the switch.

    Does what `install --reload` does, where something is installed. Calls that are up go on, and flows and queues that have callers stay until those are gone.
    """
    with reached(session, name) as here:
        folder = folder_for(here, conf_dir, None)
        with locked(folder):
            plan = prepared(session, here, folder, paths)
            if plan.before is None:
                raise not_installed(folder)
            carried_out(plan, force=force, reload=True)
    show_files(session, plan)
    changed = sum(each.state is not State.SAME for each in plan.states)
    session.say(
        f"The switch has {plural(len(plan.wanted.ivrs), 'flow')} and {plural(len(plan.wanted.queues), 'queue')} of ours; {plural(changed, 'file')} changed."
    )
    tell_result(session, plan, (), written=True, reloaded=True)
