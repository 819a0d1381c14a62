"""switch install: our files into a FreeSWITCH's folders. What they hold is switch_files.py's, how they get there switch_folder.py's.

Nothing in a file of somebody else's is touched, and what is there and not ours, or not as we left it, stops everything. What besides files a switch needs is
told and not done (switch_engineer.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from fs_dialer.cli import switch_line
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import Cell, plural
from fs_dialer.cli.settings import Session
from fs_dialer.cli.switch_engineer import Task, tasks
from fs_dialer.cli.switch_files import SCRIPT, Contents, Files, contents, rendered, with_callers
from fs_dialer.cli.switch_folder import Change, Folder, Undo, change, found_in, hashes, locked, manifest_of, opened
from fs_dialer.cli.switch_line import Here, reached
from fs_dialer.config.values import BadValue, duration, sound
from fs_dialer.core.flow import extension
from fs_dialer.dialplans.fallback import RELEASE_AT_MOST_S
from fs_dialer.dialplans.manifest import KEPT, REFUSED, Chosen, FileState, Manifest, State, judged, sha256

EXITS = {
    Exit.FAILED: "a file could not be written, or the switch did not take the files; all is as it was",
    Exit.REFUSED: "a file there is not ours or was changed, or a definition can not be rendered; nothing was written",
    Exit.UNREACHABLE: "the database, or for --reload the switch, was not reachable; nothing was written",
}
CONF_DIR = click.option("--conf-dir", type=click.Path(path_type=Path), metavar="DIR", help="FreeSWITCH's conf folder. Left out: the switch is asked.")
SCRIPTS_DIR = click.option(
    "--scripts-dir", type=click.Path(path_type=Path), metavar="DIR", help="Its scripts folder, for `fsd status`. Left out: the switch is asked."
)
FROM = click.option(
    "--from", "paths", multiple=True, type=click.Path(path_type=Path), metavar="PATH", help="Definition files, or a folder of them, rather than the database."
)
SWITCH = click.option("--switch", "name", metavar="NAME", help="Which of several switches is asked and reloaded: its name in fs-dialer.yml.")
FORCE = click.option("--force", is_flag=True, help=f"Put aside files that are not ours or were changed, as NAME{KEPT}, rather than stop.")
WORDS = {
    State.SAME: Cell("is there"),
    State.NEW: Cell("new", "green"),
    State.OLD: Cell("replaced", "yellow"),
    State.GONE: Cell("was removed by somebody; there again", "yellow"),
    State.STALE: Cell("wanted no more; removed", "yellow"),
    State.CHANGED: Cell("changed by somebody", "red"),
    State.FOREIGN: Cell("not ours", "red"),
}


def _sound(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    try:
        return None if value is None else sound(value)
    except BadValue as error:
        raise click.BadParameter(str(error), context, option) from None


def _seconds(context: click.Context, option: click.Parameter, value: str | None) -> int | None:
    try:
        seconds = None if value is None else duration(value)
    except BadValue as error:
        raise click.BadParameter(str(error), context, option) from None
    if seconds is not None and (not 1 <= seconds <= RELEASE_AT_MOST_S or seconds != int(seconds)):
        raise click.BadParameter(f"1s to {RELEASE_AT_MOST_S}s, in whole seconds", context, option)
    return None if seconds is None else int(seconds)


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that is known before anything is written."""

    here: Here
    folder: Folder
    before: Manifest | None
    wanted: Contents
    files: Files
    chosen: Chosen
    states: tuple[FileState, ...]

    @property
    def script(self) -> bool:
        return SCRIPT in self.files.texts


def prepared(session: Session, here: Here, folder: Folder, paths: Sequence[Path], **chosen: Any) -> Prepared:
    """What is there, against what should be. `chosen`: fields of Chosen that were said now; the others are as at the last installation."""
    before = manifest_of(folder)
    folder = with_scripts(here, folder, before)
    choice = replace(before.chosen if before is not None else Chosen(), **{name: value for name, value in chosen.items() if value is not None})
    wanted = contents(session, paths)
    files = rendered(session, wanted, choice, script=folder.scripts is not None)
    known = before.files if before is not None else {}
    found = found_in(folder, sorted({*known, *files.texts}))
    untouched = {path: data for path, data in found.items() if data is not None and sha256(data) in known.get(path, ())}
    files = with_callers(files, untouched, switch_line.has_callers(switch_line.legs(here)))
    return Prepared(here, folder, before, wanted, files, choice, tuple(judged(before, found, files.texts)))


def folder_for(here: Here, conf_dir: Path | None, scripts_dir: Path | None) -> Folder:
    """CommandFailed where nobody says which folder it is."""
    conf = conf_dir or switch_line.folder_of(here, "conf_dir")
    if conf is None:
        why = here.why or "it lives on another machine, or its folder is not seen from here"
        raise CommandFailed(f"it is not known where the switch's configuration lies: {why}", "name it: --conf-dir /etc/freeswitch", code=Exit.REFUSED)
    return opened(conf, scripts_dir)


def with_scripts(here: Here, folder: Folder, before: Manifest | None) -> Folder:
    """The scripts folder that was said, else that of the last installation, else the one that the switch names."""
    if folder.scripts is not None:
        if before is not None and before.scripts_dir not in ("", str(folder.scripts)):
            advice = f"leave --scripts-dir out, or take out first what is installed: fs-dialer switch uninstall --conf-dir {folder.conf}"
            raise CommandFailed(f"the script is installed in {before.scripts_dir}", advice, code=Exit.REFUSED)
        return folder
    known = Path(before.scripts_dir) if before is not None and before.scripts_dir else switch_line.folder_of(here, "script_dir")
    return replace(folder, scripts=known.resolve() if known is not None else None)


def carried_out(plan: Prepared, *, force: bool, reload: bool) -> Undo:
    """Written, and with `reload` taken by the switch; else CommandFailed, and all is as it was."""
    if not force:
        refuse(plan.folder, plan.states)
    if reload:
        switch_line.need_line(plan.here)
    odd = [each for each in plan.states if each.state in REFUSED]
    gone = [each for each in plan.states if each.wanted is None]
    writes = {each.path: each.wanted for each in plan.states if each.state is not State.SAME}
    displaced = plan.before.displaced if plan.before is not None else ()
    after = Manifest(
        hashes(plan.files.texts),
        tuple(sorted({*displaced, *(each.path for each in odd if each.state is State.FOREIGN)} - {each.path for each in gone})),
        plan.before.folders if plan.before is not None else (),
        str(plan.folder.scripts) if plan.script else "",
        plan.chosen,
    )
    wanted = Change(writes, after, [each.path for each in odd], [each.path for each in gone if each.path in displaced])
    undo = change(plan.folder, plan.before, wanted)
    if reload:
        _reloaded(plan, undo)
    return undo


def _reloaded(plan: Prepared, undo: Undo) -> None:
    numbers = [number for queue in plan.wanted.queues for number in queue.numbers[:1]]
    flows = [extension(ivr) for ivr in plan.wanted.ivrs]
    trouble = switch_line.reload(plan.here, flows, [queue.name for queue in plan.wanted.queues], numbers)
    if not trouble:
        if plan.script:
            switch_line.set_alias(plan.here)
        return
    undo.back()
    again = switch_line.reload_only(plan.here)
    told = f"the files of before are back, but the switch said to them: {again}" if again else "the files of before are back, and it has read them again"
    raise CommandFailed(f"the switch did not take the files: {trouble}", told, "line numbers are those of log/freeswitch.xml.fsxml")


def refuse(folder: Folder, states: Sequence[FileState]) -> None:
    """CommandFailed with every file that stops us."""
    odd = [each for each in states if each.state in REFUSED]
    if odd:
        what = {State.CHANGED: "was changed by somebody since it was installed", State.FOREIGN: "is there already, and not ours"}
        raise CommandFailed(
            f"{plural(len(odd), 'file')} stand in the way; nothing was written" if len(odd) > 1 else "a file stands in the way; nothing was written",
            *(f"{folder.place(each.path)} {what[each.state]}" for each in odd),
            f"move what you need out of it and remove it, or say --force: then it is kept beside, as NAME{KEPT}",
            code=Exit.REFUSED,
        )


def file_json(folder: Folder, each: FileState) -> dict[str, str]:
    return {"path": each.path, "file": str(folder.place(each.path)), "state": each.state.value}


def show_files(session: Session, plan: Prepared) -> None:
    session.table(("FILE", ""), [(str(plan.folder.place(each.path)), WORDS[each.state]) for each in plan.states])
    for name in plan.files.old:
        session.say(f"{name} is in no definition any more and stays: calls may be in it. The next installation looks again.")
    if not plan.script:
        session.say("`fsd status` is not installed: it is not known where the switch's scripts lie (--scripts-dir DIR).")


def show_tasks(session: Session, found: Sequence[Task]) -> None:
    if found:
        session.say("", "What is yours to do:", *(line for each in found for line in each.told()))


@command(
    "install",
    examples=("fs-dialer switch install --dry-run", "fs-dialer switch install --conf-dir /etc/freeswitch --reload"),
    exits=EXITS,
)
@CONF_DIR
@SCRIPTS_DIR
@FROM
@SWITCH
@click.option("--notice", callback=_sound, metavar="SOUND", help="A sound that legs hear whose daemon is gone, before the music. Remembered.")
@click.option("--music", callback=_sound, metavar="SOUND", help="What they, and whoever waits in a flow, hear. Remembered.")
@click.option("--release-after", callback=_seconds, metavar="TIME", help="When they are let go, as 30s. Remembered.")
@click.option("--dry-run", is_flag=True, help="Tell what would be written; write nothing.")
@click.option("--reload", is_flag=True, help="Make the switch read the files, look whether they are there, and bring back the old ones if not.")
@FORCE
def switch_install(
    session: Session,
    conf_dir: Path | None,
    scripts_dir: Path | None,
    paths: tuple[Path, ...],
    name: str | None,
    notice: str | None,
    music: str | None,
    release_after: int | None,
    dry_run: bool,
    reload: bool,
    force: bool,
) -> None:
    """Put flows, queues and the fallback into a FreeSWITCH: files of our own, in folders that its configuration includes already.

    They are made of what the database holds: every flow of the definitions and of campaigns that are not over, every queue, the routing of queues' numbers.
    No file of yours is touched. What you have to do yourself is told: event socket, modules, your own dialplan. Run it again after every apply that
    changes flows or queues; `fs-dialer switch diff` tells whether it is needed.
    """
    with reached(session, name) as here:
        folder = folder_for(here, conf_dir, scripts_dir)
        with locked(folder):
            plan = prepared(session, here, folder, paths, notice=notice, music=music, release_after_s=release_after)
            if dry_run:
                show_files(session, plan)
                if not force:
                    refuse(plan.folder, plan.states)
                session.say("", "Nothing was written (--dry-run).")
            else:
                carried_out(plan, force=force, reload=reload)
                show_files(session, plan)
        found = tasks(session, here, plan.folder, plan.wanted, script=plan.script, reloaded=reload and not dry_run)
        show_tasks(session, found)
        tell_result(session, plan, found, written=not dry_run, reloaded=reload and not dry_run)


def tell_result(session: Session, plan: Prepared, found: Sequence[Task], *, written: bool, reloaded: bool) -> None:
    session.result(
        {
            "conf_dir": str(plan.folder.conf),
            "scripts_dir": str(plan.folder.scripts) if plan.script else None,
            "files": [file_json(plan.folder, each) for each in plan.states],
            "kept_for_callers": list(plan.files.old),
            "flows": [extension(ivr) for ivr in plan.wanted.ivrs],
            "queues": [queue.name for queue in plan.wanted.queues],
            "written": written,
            "reloaded": reloaded,
            "to_do": [{"what": each.what, "where": each.where, "lines": list(each.lines)} for each in found],
        }
    )
