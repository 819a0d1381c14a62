"""A process of ours beside this one, for work on a lead file that takes long or may go wrong.

Knows how it is started, spoken to and ended; knows nothing of its work. It is a fresh interpreter that imports what it is told and nothing of its
parent's: no gevent, no open database. It lives as long as the socket between the two: the parent's end closes with close(), with the parent, or with
its death by any signal, and then the process reads the end of its work. It has a session of its own, so that Ctrl-C reaches the parent only.
"""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
import weakref
from collections.abc import Mapping, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any


class Child:
    """A process that runs `module`.`function`(file descriptor of its socket, *arguments) and ends with its parent, or with close()."""

    def __init__(self, module: str, function: str, *arguments: int, descriptors: Sequence[int] = (), quiet: bool = False) -> None:
        """`descriptors`: open files of ours that it gets under the same numbers. `quiet`: what it writes to stderr is of no interest."""
        self.connection, theirs = Pipe()
        with theirs:
            program = f"from {module} import {function}; {function}({', '.join(map(str, (theirs.fileno(), *arguments)))})"
            self._process = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL if quiet else None,
                env=_environment(os.environ),
                pass_fds=(theirs.fileno(), *descriptors),
                start_new_session=True,
            )
        self.pid = self._process.pid
        self.close = weakref.finalize(self, _end, self.connection, self._process)  # called when forgotten, too

    def receive(self) -> Any:
        """What the process sends next; EOFError when it has ended."""
        return marshal.loads(self.connection.recv_bytes())

    def send(self, what: Any) -> None:
        self.connection.send_bytes(marshal.dumps(what))

    def ending(self) -> str:
        """How a process that has closed its socket ended."""
        code = self._process.wait(timeout=10)
        return f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """The same modules from the same places, and not from the folder we happen to stand in."""
    path = os.pathsep.join(dict.fromkeys(os.path.abspath(place) for place in sys.path))
    return {**ours, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}


def _end(connection: Connection, process: subprocess.Popen[bytes]) -> None:
    connection.close()
    process.kill()
    process.wait()
