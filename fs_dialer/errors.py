"""Every error the product raises on purpose, sorted by what the caller can do about it.

ConfigError: mend the file. EslDisconnected: reconnect. EslRefused: read the switch's words. EslProtocolError: report, the peer does not speak the
event socket. EslUnsafe: a value that must never reach the switch (spec D7). StoreError: wait or mend the database. IllegalTransition: a bug of ours.
Busy and no-answer are events, not errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class FsDialerError(Exception):
    """Root of all our errors; its text is fit for an operator."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file that a person wrote. Lines and columns count from 1; 0 = unknown."""

    file: str
    line: int
    column: int
    path: str
    text: str
    source: str = ""  # the offending line, for display

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        what = f"{self.path}: {self.text}" if self.path else self.text
        return f"{where}  {what}"


class ConfigError(FsDialerError):
    """All problems of all files at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class EslError(FsDialerError):
    """Anything about the event socket."""


class EslDisconnected(EslError):
    """The link is down, or went down before the answer came. What was sent may or may not have been done."""


class EslRefused(EslError):
    """The switch answered -ERR; `reply` holds its words."""

    def __init__(self, command: str, reply: str) -> None:
        self.command, self.reply = command, reply
        super().__init__(f"the switch refused {command!r}: {reply.strip()}")


class EslProtocolError(EslError):
    """Bytes that no event socket would send."""


class EslUnsafe(EslError, ValueError):
    """A value that could change the meaning of a command, or that FreeSWITCH would expand again (spec D7)."""


class StoreError(FsDialerError):
    """The database did not do it; `lost` tells whether the connection itself is gone."""

    def __init__(self, text: str, *, lost: bool = False) -> None:
        self.lost = lost
        super().__init__(text)


class IllegalTransition(FsDialerError):
    """A state machine met an event it has no rule for: a bug. `story` is what led there."""

    def __init__(self, what: str, story: Iterable[str] = ()) -> None:
        self.story: tuple[str, ...] = tuple(story)
        super().__init__("\n".join([what, *self.story]))
