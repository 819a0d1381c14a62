"""One place maps errors to exit codes and words."""

from __future__ import annotations

import pytest

from fs_dialer.cli.failures import CommandFailed, Exit, failure_of, problem_lines
from fs_dialer.errors import (
    ConfigError,
    EslDisconnected,
    EslRefused,
    FsDialerError,
    IllegalTransition,
    Problem,
    StoreError,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError([Problem("a.yml", 1, 1, "x", "bad")]), Exit.REFUSED),
        (StoreError("gone", lost=True), Exit.UNREACHABLE),
        (StoreError("no such revision"), Exit.FAILED),
        (EslDisconnected("gone"), Exit.UNREACHABLE),
        (EslRefused("bgapi", "-ERR no"), Exit.FAILED),
        (IllegalTransition("bug"), Exit.FAILED),
        (FsDialerError("other"), Exit.FAILED),
        (CommandFailed("no", code=Exit.MISUSE), Exit.MISUSE),
    ],
    ids=lambda each: type(each).__name__,
)
def test_every_class_of_error_has_its_exit_code(error: FsDialerError, code: Exit) -> None:
    assert failure_of(error).code is code


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ('FATAL: database "calls" does not exist', "createdb calls"),
        ('FATAL: role "lan" does not exist', "createuser lan"),
        ('FATAL: password authentication failed for user "lan"', "the password is missing or wrong"),
        ('could not translate host name "dbx" to address', "the host's name is not known"),
        ("Connection refused", "is PostgreSQL running there?"),
    ],
)
def test_a_lost_database_comes_with_what_helps(text: str, advice: str) -> None:
    assert advice in failure_of(StoreError(text, lost=True)).lines()[-1]


def test_several_problems_of_one_line_show_it_once() -> None:
    problems = [Problem("a.yml", 3, column, "agents", f"{column} is wrong", "  people: [x, y]") for column in (12, 15)]
    assert problem_lines(problems) == ["a.yml:3:12  agents: 12 is wrong", "a.yml:3:15  agents: 15 is wrong", "    3 |   people: [x, y]"]


def test_problems_are_counted_over_their_files() -> None:
    problems = [Problem("a.yml", 1, 1, "", "x"), Problem("b.yml", 2, 1, "", "y")]
    assert failure_of(ConfigError(problems)).lines()[-1] == "2 problems in 2 files."
