"""`sandbox`: a database and a simulated switch on this machine, to learn and to try definitions with. Nobody is called.

Knows how they are started and what a shell must know of them; everything else is done with the commands that would be used anywhere.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import threading
from pathlib import Path

import click

from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.rig import Rig, rig
from fs_dialer.cli.settings import Session

FORWARDED = ("FS_DIALER_DSN", "FS_DIALER_ESL", "FS_DIALER_ESL_PASSWORD_FILE", "FS_DIALER_STATE_DIR")


@command(
    "sandbox",
    examples=("fs-dialer sandbox --env sandbox.env", "fs-dialer sandbox --people people.yml --seed 3"),
    exits={Exit.DONE: "it was ended by Ctrl-C or SIGTERM", Exit.REFUSED: "the people's file has problems"},
)
@click.option("--env", "env_file", type=click.Path(path_type=Path), help="Write the settings to this file, for `. FILE` in other terminals; gone at the end.")
@click.option("--people", type=click.Path(path_type=Path), help="Who answers, how fast, how long: a people.yml. Default: a lively day.")
@click.option("--seed", type=int, default=7, show_default=True, help="Another seed, other people.")
def sandbox(session: Session, env_file: Path | None, people: Path | None, seed: int) -> None:
    """A database and a simulated FreeSWITCH on this machine, until Ctrl-C; everything in them is gone afterwards.

    Prints the settings that other commands need. Nobody is called: the switch and everybody on it are simulated.
    """
    world_of = _people(people)
    if env_file is not None and env_file.exists():
        raise CommandFailed(f"{env_file} is there already: another sandbox may be running", "name another file, or remove this one")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    session.note("starting a database and a simulated switch ...")
    with rig() as world, contextlib.ExitStack() as stack:
        world.start_switch(world_of, seed)
        text = exports(world)
        if env_file is None:
            session.say(*text)
        else:
            stack.callback(env_file.unlink, missing_ok=True)
            _write_private(env_file, text)
            session.say(f"In another terminal: . {shlex.quote(os.path.join('.', env_file) if not env_file.is_absolute() else str(env_file))}")
        session.note("it runs until Ctrl-C; nobody is called")
        while not stopped.wait(1.0):
            if world.switch is not None and world.switch.poll() is not None:
                raise CommandFailed("the simulated switch has ended")
    session.result({"environment": {name: world.environ[name] for name in FORWARDED}})


def exports(world: Rig) -> list[str]:
    """Lines for a shell."""
    return [f"export {name}={shlex.quote(world.environ[name])}" for name in FORWARDED]


def _write_private(path: Path, lines: list[str]) -> None:
    """The database's address holds its password."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def _people(path: Path | None) -> dict[str, object]:
    import yaml

    from fs_dialer.cli.people import load_people
    from fs_dialer.paths import conf_dir

    chosen = path or conf_dir() / "demo" / "people.yml"
    load_people(chosen)  # its problems, with their places
    given = yaml.load(chosen.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    found = given.get("people", given) if isinstance(given, dict) else {}
    return dict(found)
