"""What a failure looks like from outside: exit codes, and what an operator reads. The one place that maps our errors to both.

Knows every class of errors.py and what helps against it. Prints nothing (session.py does).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import zip_longest
from typing import Any

from fs_dialer.errors import ConfigError, EslDisconnected, EslError, FsDialerError, IllegalTransition, Problem, StoreError


class Exit(IntEnum):
    """How a command ends. 2 is also click's own, for a command line it does not understand."""

    DONE = 0
    FAILED = 1
    MISUSE = 2
    REFUSED = 3
    UNREACHABLE = 4
    CHANGES = 5


MEANING: Mapping[Exit, str] = {
    Exit.DONE: "done, or nothing to do",
    Exit.FAILED: "failed; what went wrong is on stderr",
    Exit.MISUSE: "the command line is wrong",
    Exit.REFUSED: "a file or value was refused; nothing was changed",
    Exit.UNREACHABLE: "the daemon, the switch or the database was not reachable",
    Exit.CHANGES: "something would change (only where it was asked for)",
}


class CommandFailed(FsDialerError):
    """A command can not do what it was asked. `advice`: what to do about it, one line each."""

    def __init__(self, text: str, *advice: str, code: Exit = Exit.FAILED) -> None:
        self.text, self.advice, self.code = text, advice, code
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Failure:
    """One error as it is told. `problems`: with their places, where a file is to blame; then `text` counts them."""

    code: Exit
    text: str
    advice: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = field(default=())

    def lines(self, program: str = "fs-dialer") -> list[str]:
        """For people, on stderr."""
        found = problem_lines(self.problems)
        return [*found, self.text if self.problems else f"{program}: {self.text}", *(f"  {line}" for line in self.advice)]

    def to_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {"exit_code": int(self.code), "text": self.text, "advice": list(self.advice)}
        if self.problems:
            told["problems"] = [problem_json(problem) for problem in self.problems]
        return {"error": told}


_DATABASE_ADVICE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"password authentication failed|no password supplied"), "the password is missing or wrong: it stands where `database.dsn` says"),
    (re.compile(r'role "([^"]*)" does not exist'), "make the user: createuser {}"),
    (re.compile(r'database "([^"]*)" does not exist'), "make the database, then its tables: createdb {} && fs-dialer db migrate"),
    (re.compile(r"could not translate host name"), "the host's name is not known: is it spelt right in the address?"),
    (re.compile(r"no pg_hba.conf entry"), "PostgreSQL lets nobody in from here: add a line to its pg_hba.conf"),
    (re.compile(r"starting up|shutting down|recovery"), "PostgreSQL is starting or stopping: try again in a moment"),
)
_NO_ANSWER = "is PostgreSQL running there? Start it, or mend the address; nothing was changed"


def failure_of(error: FsDialerError, database: Callable[[], str] = str) -> Failure:
    """`database`: says where its address comes from, "" = not known."""
    match error:
        case CommandFailed():
            return Failure(error.code, error.text, error.advice)
        case ConfigError():
            return Failure(Exit.REFUSED, count_of(error.problems), problems=error.problems)
        case StoreError(lost=True):
            origin = database()
            where = (f"its address comes from {origin}",) if origin else ()
            return Failure(Exit.UNREACHABLE, f"the database is not reachable: {error}", (*where, _database_advice(str(error))))
        case EslDisconnected():
            return Failure(Exit.UNREACHABLE, f"the switch is not reachable: {error}", ("is FreeSWITCH running, and its event socket where `esl` says?",))
        case IllegalTransition():
            return Failure(Exit.FAILED, f"a bug of fs-dialer, please report it with these lines: {error}")
        case EslError() | StoreError() | FsDialerError():
            return Failure(Exit.FAILED, str(error))


def count_of(problems: tuple[Problem, ...]) -> str:
    """5 problems in 2 files."""
    files = {problem.file for problem in problems}
    many = f"{len(problems):,} problem" + ("" if len(problems) == 1 else "s")
    return f"{many} in {len(files)} files." if len(files) > 1 else f"{many}."


def problem_lines(problems: Sequence[Problem], mark: str = "") -> list[str]:
    """What and where, each on a line; below them the line of the file itself, once for all its problems, where it may be shown. mark: before each."""
    lines = []
    for problem, following in zip_longest(problems, problems[1:]):
        lines.append(f"{mark}{problem}")
        same_line = following is not None and (following.file, following.line) == (problem.file, problem.line)
        if problem.source.strip() and not same_line:
            lines.append(f"    {problem.line} | {problem.source.rstrip()}")
    return lines


def problem_json(problem: Problem) -> dict[str, Any]:
    return {"file": problem.file, "line": problem.line, "column": problem.column, "path": problem.path, "text": problem.text}


def _database_advice(text: str) -> str:
    for pattern, advice in _DATABASE_ADVICE:
        if found := pattern.search(text):
            return advice.format(*found.groups())
    return _NO_ANSWER
