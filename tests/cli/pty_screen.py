"""A program on a terminal of its own, and what that terminal shows: enough of one for what `top` writes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from rich.cells import cell_len

from tests.cli.runner import ROOT

WAIT_S = 30.0  # for what must come; a loaded machine starts Python slowly
_PART = re.compile(r"\x1b\[(\??)([0-9;]*)([A-Za-z])|([^\x1b]+)|\x1b")


# A shell of the fewest words: runs a program in the foreground; when it is stopped, says so, and lets it go on after a line is typed. Without one nothing
# can be stopped by its terminal.
SHELL = """
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
job = os.fork()
if job == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
while True:
    _, status = os.waitpid(job, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        sys.exit(os.waitstatus_to_exitcode(status))
    os.tcsetpgrp(0, os.getpgrp())
    print("the job is stopped", flush=True)
    sys.stdin.readline()
    os.tcsetpgrp(0, job)
    os.kill(-job, signal.SIGCONT)
"""


class Program:
    """`words` run by this Python, in a session whose terminal we hold the other end of."""

    def __init__(self, words: Sequence[str], environ: Mapping[str, str], *, columns: int = 100, lines: int = 30) -> None:
        self.rows: list[str] = []
        self.alternate = False
        self.cursor = True
        self.raw = ""
        self.drawn = 0  # rows written so far
        self._row = 0
        self.status: int | None = None
        env = {name: value for name, value in os.environ.items() if not name.startswith("FS_DIALER_")}
        env |= {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "LANG": "C.UTF-8", **environ}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir("/")
            os.execve(sys.executable, [sys.executable, *words], env)
        self.resize(columns, lines)
        self.modes = self.settings()

    def settings(self) -> list[Any]:
        """The terminal's own."""
        return termios.tcgetattr(self.fd)

    def resize(self, columns: int, lines: int) -> None:
        self.size = (columns, lines)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def kill(self, number: int) -> None:
        os.kill(self.pid, number)

    # --- what it shows ----------------------------------------------------------------------------------------------------------------

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Read what it writes until this holds."""
        deadline = time.monotonic() + WAIT_S
        while not holds():
            left = deadline - time.monotonic()
            assert left > 0, f"{what} did not come; the screen:\n" + "\n".join(self.rows) + f"\n{self.raw[-2000:]!r}"
            if not self._read(min(left, 0.2)) and self.status is None:
                assert not self._reap(os.WNOHANG) or holds(), f"{what} did not come before the end ({self.status}); {self.raw[-2000:]!r}"

    def shows(self, text: str) -> None:
        self.until(lambda: text in "\n".join(self.rows), text)

    def ended(self) -> int:
        """Wait for its end; its exit code, or the signal's number below zero."""
        self.until(lambda: self._reap(os.WNOHANG), "its end")
        while self._read(0.0):
            pass
        assert self.status is not None
        return os.waitstatus_to_exitcode(self.status)

    def close(self) -> None:
        if self.status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGCONT)
                os.kill(self.pid, signal.SIGKILL)
            self._reap(0)
        os.close(self.fd)

    def _reap(self, options: int) -> bool:
        if self.status is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self.status = status
        return self.status is not None

    def _read(self, wait_s: float) -> bool:
        ready, _, _ = select.select([self.fd], [], [], wait_s)
        if not ready:
            return False
        try:
            data = os.read(self.fd, 65536).decode("utf-8", "replace")
        except OSError:  # the other end is closed
            return False
        self.raw += data
        self._show(data)
        return bool(data)

    def _show(self, data: str) -> None:
        for private, numbers, letter, text in _PART.findall(data):
            if private:
                on = letter == "h"
                self.alternate = on if numbers == "1049" else self.alternate
                self.cursor = on if numbers == "25" else self.cursor
            elif letter == "H":
                self._row = int(numbers.split(";")[0] or 1) - 1
                self._put("")
                self.drawn += 1
            elif letter == "J":
                self.rows = []
            elif text and self.alternate:
                self._put(self.rows[self._row] + text)

    def _put(self, text: str) -> None:
        self.rows += [""] * (self._row + 1 - len(self.rows))
        self.rows[self._row] = text

    def widest(self) -> int:
        return max(map(cell_len, self.rows))
