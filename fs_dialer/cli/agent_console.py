"""agent console: an agent's screen in a terminal: his customer, clocks that run on the server, keys for every act, the script's questions one by one.

Talks to the agent interface only, so it runs wherever that can be reached; it holds no line to the database. Nothing in its loop waits: threads ask and listen,
and put what they heard into a queue. A daemon that starts again is found again, and the stream goes on behind the last event.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import click

from fs_dialer.cli.agent_acts import AGENT
from fs_dialer.cli.agent_console_keys import Do, Keyboard, Known, Quit, Redraw, Todo, heard
from fs_dialer.cli.agent_console_picture import picture, plain
from fs_dialer.cli.agent_http import AgentHttp, Follower, HttpRefused, Unreachable, connected
from fs_dialer.cli.agent_show import TOKEN_FILE, URL, desk_of
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import clean
from fs_dialer.cli.settings import Session
from fs_dialer.cli.top_terminal import Ended, Terminal

DRAW_EVERY_S = 0.25
EXITS = {
    Exit.DONE: "you left it with q, Ctrl-C or SIGTERM",
    Exit.FAILED: "the token is not valid, or not his",
    Exit.UNREACHABLE: "the agent interface did not answer",
}

Heard = tuple[str, Mapping[str, Any]]


@command("console", examples=("fs-dialer agent console lan --token-file lan.token", "fs-dialer agent console lan --plain >> lan.log"), exits=EXITS)
@AGENT
@URL
@TOKEN_FILE
@click.option("--closed", is_flag=True, help="Leave the campaign screen closed: queued calls only, until you open it (o).")
@click.option("--plain", "as_lines", is_flag=True, help="Print every change as a line, for scripts and screen readers; no keys.")
def agent_console(session: Session, agent: str, url: str | None, token_file: Path | None, closed: bool, as_lines: bool) -> None:
    """An agent's screen in this terminal: the customer's card, what runs and for how long, and a key for every act. `?` lists the keys.

    It needs the HTTP interface (`http.listen`) and a token: fs-dialer token create --role agent --agent NAME. While it is up the agent's campaign screen is
    open, and calls come. When the daemon starts again the console goes on by itself; a call that is up stays up on the phone meanwhile.

    With --json the desk is printed once, as `agent show` does.
    """
    client = connected(session, agent, url, token_file)
    desk = desk_of(client)
    if session.as_json:
        session.result({"agent": agent, "from": "interface", **desk})
    elif as_lines or not _has_terminal():
        _print_lines(client, opens=not closed)
    else:
        with contextlib.suppress(Ended), Terminal() as terminal:
            Console(client, terminal, opens=not closed).run()


def _has_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


class _Door:
    """Keeps the campaign screen as the agent wants it: a new daemon knows nothing of it, and is asked again."""

    def __init__(self, client: AgentHttp, *, wanted: bool) -> None:
        self._client, self.wanted = client, wanted

    def after(self, kind: str, data: Mapping[str, Any]) -> bool:
        """Is it to be opened now?"""
        return kind == "desk" and bool(data.get("reset")) and self.wanted and data["desk"]["screen_until"] is None

    def open(self) -> str:
        return _asked(self._client, Do("open_screen", {}))[0]


def _print_lines(client: AgentHttp, *, opens: bool) -> None:
    """Until it is ended. What would be the same line again is not printed."""
    queue: SimpleQueue[Heard] = SimpleQueue()
    door = _Door(client, wanted=opens)
    Follower(client, lambda kind, data: queue.put((kind, data))).start()
    known, last = Known(), ""
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            kind, data = queue.get()
            known = heard(known, kind, data, time.time())
            if (line := plain(kind, data, known, time.time())) and _news(line) != last:
                last = _news(line)
                click.echo(line)
                sys.stdout.flush()
            if kind == "down" and data.get("for_good"):
                raise CommandFailed(str(data["why"]))
            if door.after(kind, data):
                threading.Thread(target=door.open, name="open screen", daemon=True).start()


def _news(line: str) -> str:
    """A line without the clocks in it."""
    return " ".join(word for word in line.split() if not any(each in word for each in ":[]"))


class Console:
    """The loop of the screen. Threads do what takes time, and wake the terminal."""

    def __init__(self, client: AgentHttp, terminal: Terminal, *, opens: bool) -> None:
        self._client, self._terminal = client, terminal
        self._door = _Door(client, wanted=opens)
        self._keyboard = Keyboard()
        self._known = Known()
        self._queue: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._acts: SimpleQueue[Do] = SimpleQueue()

    def run(self) -> None:
        """Until q is pressed. Ended where the process is to end; CommandFailed where the token is good for nothing any more."""
        Follower(self._client, lambda kind, data: self._later(lambda: self._told(kind, data))).start()
        threading.Thread(target=self._send, name="agent acts", daemon=True).start()
        anew = False
        while True:
            due = time.monotonic() + DRAW_EVERY_S
            width, height = self._terminal.size()
            self._terminal.draw(picture(self._known, self._keyboard.chosen, width, height, time.time()), anew=anew)
            anew = False
            for key in self._terminal.keys(max(0.0, due - time.monotonic())):
                todo = self._keyboard.pressed(key, self._known)
                if isinstance(todo, Quit):
                    return
                anew |= isinstance(todo, Redraw)
                self._begin(todo)
            while not self._queue.empty():
                self._queue.get()()

    def _later(self, then: Callable[[], None]) -> None:
        """From a thread: do this in the loop."""
        self._queue.put(then)
        self._terminal.wake()

    def _told(self, kind: str, data: Mapping[str, Any]) -> None:
        self._known = heard(self._known, kind, data, time.time())
        if kind == "down" and data.get("for_good"):
            raise CommandFailed(str(data["why"]))
        if self._door.after(kind, data):
            self._begin(Do("open_screen", {}))

    def _begin(self, todo: Todo | None) -> None:
        if not isinstance(todo, Do):
            return
        if todo.verb in ("open_screen", "close_screen"):
            self._door.wanted = todo.verb == "open_screen"
        self._keyboard.say(f"{todo.verb.replace('_', ' ')} …")
        self._acts.put(todo)

    def _send(self) -> None:
        """For ever, in a thread: one act after the other, so that the last key pressed is the last one heard."""
        while True:
            todo = self._acts.get()
            message, bad, answer = _asked(self._client, todo)
            self._later(partial(self._sent, todo, message, bad, answer))

    def _sent(self, todo: Do, message: str, bad: bool, answer: Mapping[str, Any]) -> None:
        self._keyboard.settled(todo)
        if todo.verb == "answers" and not bad:
            self._known = heard(self._known, "saved", answer, time.time())
        self._keyboard.say(message, bad=bad)


def _asked(client: AgentHttp, act: Do) -> tuple[str, bool, Mapping[str, Any]]:
    """What the interface said, whether that was a refusal, and its answer."""
    word = act.verb.replace("_", " ")
    try:
        answer = client.act(act.verb, act.body)
    except HttpRefused as refused:
        return f"{word}: {refused.why}", True, {}
    except Unreachable as error:
        return f"{word}: not sent: {clean(str(error))}", True, {}
    still = f"; still to be answered: {', '.join(answer['missing'])}" if answer.get("missing") else ""
    return f"{word}: {clean(str(answer.get('text', 'done')))}{still}", False, answer
