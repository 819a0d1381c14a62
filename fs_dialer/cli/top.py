"""top: how everything stands, live, on the whole terminal; elsewhere a line a minute.

Looks at the database only, so it may run anywhere the database can be reached. Pausing and starting are asked of the daemon like from any command line.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import SimpleQueue

import click

from fs_dialer.cli.campaigns import UNREACHABLE, deadline, told
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import Exit
from fs_dialer.cli.settings import Session, who
from fs_dialer.cli.standing import standing
from fs_dialer.cli.status import as_json
from fs_dialer.cli.top_console import Act, Console, Explain, Quit, Redraw, Todo
from fs_dialer.cli.top_feed import Feed
from fs_dialer.cli.top_picture import picture, plain
from fs_dialer.cli.top_terminal import Ended, Terminal
from fs_dialer.errors import FsDialerError

DRAW_EVERY_S = 0.5
PLAIN_EVERY_S = 60.0
EXPLAIN_TIMEOUT_S = 30.0


@command(
    "top",
    examples=("fs-dialer top", "fs-dialer top --plain >> top.log"),
    exits=UNREACHABLE | {Exit.DONE: "you left it with q, Ctrl-C or SIGTERM"},
)
@click.option("--plain", "as_lines", is_flag=True, help="A line a minute, for readers, logs and terminals without a cursor.")
def top(session: Session, as_lines: bool) -> None:
    """How every campaign and its agents stand, twice a second, on the whole terminal.

    Keys: arrows select a campaign; p pauses or starts it, after a question where calls are up; e explains it; / filters; q quits.

    Without a terminal, or with TERM=dumb, a line a minute is printed. With --json it prints what `fs-dialer status --json` prints, once.
    """
    if session.as_json:
        session.result(as_json(standing(session)))
    elif as_lines or not _has_terminal():
        _print_lines(session)
    else:
        session.settings().dsn()  # what is wrong with the settings is told before the screen is taken
        with Feed(session) as feed, contextlib.suppress(Ended), Terminal() as terminal:
            Top(session, feed, terminal).run()


def _has_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _print_lines(session: Session) -> None:
    """The first at once. What can not be read at the beginning is a failure; later it is told on a line, and tried again."""
    with contextlib.closing(Feed(session)) as feed, contextlib.suppress(KeyboardInterrupt):
        feed.look_or_fail()
        while True:
            click.echo(f"{time.strftime('%Y-%m-%d')} {plain(feed.seen())}")
            sys.stdout.flush()
            time.sleep(PLAIN_EVERY_S)
            feed.look()


class Top:
    """The loop of the screen. Nothing in it waits for the database or for another program: threads do, and put what they heard into a queue."""

    def __init__(self, session: Session, feed: Feed, terminal: Terminal) -> None:
        self._session, self._feed, self._terminal = session, feed, terminal
        self._console = Console()
        self._heard: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def run(self) -> None:
        """Until q is pressed. Ended where the process is to end."""
        anew = False
        while True:
            due = time.monotonic() + DRAW_EVERY_S
            width, height = self._terminal.size()
            seen = self._feed.seen()
            self._terminal.draw(picture(seen, self._console.chosen, width, height), anew=anew)
            anew = False
            for key in self._terminal.keys(max(0.0, due - time.monotonic())):
                todo = self._console.pressed(key, seen.standing, height)
                if isinstance(todo, Quit):
                    return
                anew |= isinstance(todo, Redraw)
                self._begin(todo)
            while not self._heard.empty():
                self._heard.get()()

    def _begin(self, todo: Todo | None) -> None:
        console, width = self._console, self._terminal.size()[0]
        if isinstance(todo, Act):
            console.say(f"{todo.campaign}: {todo.verb} …")
            self._aside(lambda: _ask(self._session, todo), console.say)
        elif isinstance(todo, Explain):
            title = f"fs-dialer explain campaign {todo.campaign}"
            console.say(f"{title} …")
            self._aside(lambda: _explained(self._session.config, todo.campaign, width), lambda text: console.show(title, text, width))

    def _aside(self, work: Callable[[], str], then: Callable[[str], None]) -> None:
        """Work in a thread of its own, which nobody waits for at the end; what it returns is given on in this one."""

        def run() -> None:
            text = work()
            self._heard.put(lambda: then(text))
            self._terminal.wake()

        threading.Thread(target=run, name="top aside", daemon=True).start()


def _ask(session: Session, act: Act) -> str:
    """Ask the daemon, and say what it said."""
    try:
        with session.office() as office:
            result, text = told(office, office.submit_command(act.verb, act.campaign, {}, who()), deadline())
    except FsDialerError as error:
        return f"{act.campaign} was not changed: {session.failure_of(error).text}"
    text = text.removeprefix(f"{act.campaign}: ")
    return f"{act.campaign} was not changed: {text}" if result == "refused" else f"{act.campaign}: {text}"


def _explained(config: str | None, campaign: str, width: int) -> str:
    """What `fs-dialer explain campaign` says. A program of its own: it may take long, and must not bring this one down."""
    words = [sys.executable, "-m", "fs_dialer", "explain", "campaign", campaign, *(("--config", config) if config else ())]
    here = str(Path(__file__).resolve().parents[2])
    environ: Mapping[str, str] = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH")))), "COLUMNS": str(width)}
    try:
        done = subprocess.run(words, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=EXPLAIN_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return f"no answer within {EXPLAIN_TIMEOUT_S:.0f} s"
    except OSError as error:
        return f"fs-dialer explain could not be started: {error}"
    return done.stdout + done.stderr
