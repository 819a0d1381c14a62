"""The terminal that `top` draws on: taken over, written to where something changed, and given back whatever happens.

Knows escape sequences, termios and signals; nothing of campaigns. The alternate screen is used, so that what stood there before is there again. It is given
back when the block is left in any way: by q, by an exception, by SIGTERM, SIGHUP or Ctrl-C, and for as long as the process is stopped with Ctrl-Z.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Mapping, Sequence
from types import FrameType, TracebackType
from typing import Any

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style

from fs_dialer.cli.top_picture import Line

ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"  # alternate screen, no cursor, no wrapping at the right edge
LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
# Between these a terminal that knows them shows nothing half-drawn; the others pass over them.
BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"
ENDING = frozenset({signal.SIGTERM, signal.SIGHUP, signal.SIGINT})
ESCAPE_S = 0.05  # so long the rest of a key's sequence may take; then it was the escape key itself
SYSTEMS: Mapping[str, ColorSystem] = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT, "truecolor": ColorSystem.TRUECOLOR}
SEQUENCES = {
    "[A": "up", "[B": "down", "[C": "right", "[D": "left", "OA": "up", "OB": "down", "OC": "right", "OD": "left",
    "[5~": "page up", "[6~": "page down", "[H": "home", "[F": "end", "[1~": "home", "[4~": "end", "OH": "home", "OF": "end",
    "OQ": "f2", "[12~": "f2", "[18~": "f7", "[19~": "f8", "[20~": "f9",
}  # fmt: skip
NAMED = {"\r": "enter", "\n": "enter", "\x7f": "backspace", "\x08": "backspace", "\x0c": "redraw", "\t": "tab"}


class Ended(Exception):
    """Somebody asked the process to end, or the terminal is gone."""


class Terminal:
    """`with Terminal() as terminal`: ours until the block is left. For the main thread, which alone gets signals.

    A signal only leaves a note, and `keys` acts on it: so nothing is ever half-written or half given back when it comes.
    """

    def __init__(self) -> None:
        self._in, self._out = sys.stdin.fileno(), sys.stdout.fileno()
        # Detected where the screen is: NO_COLOR and TERM count. None = no colours.
        self._system = SYSTEMS.get(Console(file=sys.stdout).color_system or "") if not os.environ.get("NO_COLOR") else None
        self._shown: list[Line] = []
        self._size = (0, 0)
        self._pending = ""
        self._saved: list[Any] = []
        self._handlers: dict[int, Any] = {}
        self._noted: set[int] = set()  # signals to act on
        self._woken, self._wake = os.pipe()

    # --- taken and given back ---------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Terminal:
        for end in (self._woken, self._wake):
            os.set_blocking(end, False)
        self._saved = termios.tcgetattr(self._in)
        try:
            for number in (*ENDING, signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH):
                self._handlers[number] = signal.signal(number, self._note)
            self._take()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._give_back()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        ends, self._wake = (self._woken, self._wake), -1  # a thread that wakes us from now on wakes nobody
        for end in ends:
            os.close(end)

    def _take(self) -> None:
        tty.setcbreak(self._in, termios.TCSANOW)
        self._shown, self._size = [], (0, 0)
        self._write(ENTER)

    def _give_back(self) -> None:
        with contextlib.suppress(OSError):  # the terminal itself may be gone
            self._write(LEAVE)
        with contextlib.suppress(OSError, termios.error):
            termios.tcsetattr(self._in, termios.TCSANOW, self._saved)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._noted.add(number)
        self.wake()

    def _attend(self) -> None:
        """Do what signals asked for. Ended for those that end us."""
        if self._noted & ENDING:
            raise Ended
        if signal.SIGTSTP in self._noted:  # Ctrl-Z: the shell gets its screen back
            self._noted.discard(signal.SIGTSTP)
            self._give_back()
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTSTP)  # here we stand until somebody says go on
            signal.signal(signal.SIGTSTP, self._note)
            self._noted.add(signal.SIGCONT)
        if signal.SIGCONT in self._noted:
            self._take()
        self._noted.clear()

    # --- out --------------------------------------------------------------------------------------------------------------------------

    def size(self) -> tuple[int, int]:
        """Columns and lines, as they are now."""
        found = shutil.get_terminal_size((80, 24)) if not os.isatty(self._out) else os.get_terminal_size(self._out)
        return max(1, found.columns), max(1, found.lines)

    def draw(self, lines: Sequence[Line], *, anew: bool = False) -> int:
        """Write the lines that are not on the screen yet; all after a change of size. Returns how many were written."""
        size = self.size()
        if anew or size != self._size:
            self._shown, self._size = [], size
        changed = [row for row, line in enumerate(lines) if row >= len(self._shown) or self._shown[row] != line]
        if changed or len(lines) < len(self._shown):
            clear = "\x1b[2J" if not self._shown else ""
            text = "".join(f"\x1b[{row + 1};1H{self._painted(lines[row], size[0])}" for row in changed)
            gone = "".join(f"\x1b[{row + 1};1H\x1b[K" for row in range(len(lines), len(self._shown)))
            self._write(BEGIN + clear + text + gone + END)
            self._shown = list(lines)
        return len(changed)

    def _painted(self, line: Line, width: int) -> str:
        coloured = self._system is not None
        text = "".join(Style.parse(style).render(text, color_system=self._system) if style and coloured else text for text, style in line)
        # Behind a line that fills its row the cursor still stands on the last character: to clear from there would take it away.
        return text if sum(cell_len(text) for text, _ in line) >= width else text + "\x1b[K"

    def _write(self, text: str) -> None:
        data = text.encode()
        while data:
            data = data[os.write(self._out, data) :]

    # --- in ---------------------------------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """From a signal or another thread: whoever waits for keys goes on at once."""
        with contextlib.suppress(OSError):  # full: it wakes anyway
            os.write(self._wake, b".")

    def keys(self, timeout_s: float) -> list[str]:
        """The keys that were pressed, waiting for the first no longer than this; letters as they are, the others by name. [] sooner where something else
        calls for a look: a change of size, `wake`. Ended where the process is to end."""
        self._attend()
        ready, _, _ = select.select([self._in, self._woken], [], [], ESCAPE_S if self._pending else timeout_s)
        if self._woken in ready:
            with contextlib.suppress(OSError):
                os.read(self._woken, 4096)
            self._attend()
        if self._in in ready:
            data = os.read(self._in, 1024)
            if not data:
                raise Ended
            found, self._pending = split_keys(self._pending + data.decode("utf-8", "ignore"))
            return found
        if self._pending and not ready:  # nothing came after it: it was the key itself
            self._pending = ""
            return ["escape"]
        return []


def split_keys(text: str) -> tuple[list[str], str]:
    """What was typed as keys by name, and the beginning of a sequence that is not whole yet. Sequences that mean nothing to us are passed over."""
    keys: list[str] = []
    at = 0
    while at < len(text):
        if text[at] != "\x1b":
            if text[at] in NAMED or text[at].isprintable():
                keys.append(NAMED.get(text[at], text[at]))
            at += 1
            continue
        end = _sequence_end(text, at + 1)
        if end is None:
            return keys, text[at:]
        if end == at + 1:
            keys.append("escape")
        elif (name := SEQUENCES.get(text[at + 1 : end])) is not None:
            keys.append(name)
        at = end
    return keys, ""


def _sequence_end(text: str, at: int) -> int | None:
    """Where a sequence ends that began before `at`; `at` where it is none, None where its end is not there yet."""
    if at >= len(text):
        return None
    if text[at] == "O":
        return at + 2 if at + 1 < len(text) else None
    if text[at] != "[":
        return at
    for place in range(at + 1, len(text)):
        if "@" <= text[place] <= "~":
            return place + 1
    return None
