"""One run of the command line: what was asked of it as a whole (--json, --config), its settings, its database, and how it speaks.

Settings and the database are opened when a command first needs them, so that commands which need neither run without. psycopg2 is imported no sooner.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import click

from fs_dialer.cli import output
from fs_dialer.cli.failures import CommandFailed, Failure, failure_of
from fs_dialer.cli.output import Cell
from fs_dialer.errors import ConfigError, FsDialerError

if TYPE_CHECKING:
    from fs_dialer.config.daemon import DaemonSettings
    from fs_dialer.db.backoffice import Backoffice
    from fs_dialer.db.pool import Pool
    from fs_dialer.db.postgres import PostgresStore


class Session:
    """Handed to every command as click's `obj`. With `as_json`, stdout carries one JSON object and nothing else; all talk goes to stderr."""

    def __init__(self) -> None:
        self.as_json = False
        self.config: str | None = None
        self._settings: DaemonSettings | None = None

    # --- what it works on ---------------------------------------------------------------------------------------------------------------

    def settings(self) -> DaemonSettings:
        """fs-dialer.yml and the environment over it. ConfigError with every problem."""
        if self._settings is None:
            from fs_dialer.config.daemon import load_settings

            self._settings = load_settings(self.config, os.environ)
        return self._settings

    @contextmanager
    def office(self) -> Iterator[Backoffice]:
        """The database, for what operators do in it."""
        from fs_dialer.db.backoffice import Backoffice

        with closing(Backoffice(self.settings().dsn())) as office:
            yield office

    @contextmanager
    def pool(self) -> Iterator[Pool]:
        """A connection for what stands beside the dialler: tickets, webhooks, tokens."""
        from fs_dialer.db.pool import Pool

        with closing(Pool(self.settings().dsn(), size=1, application="fs-dialer command")) as pool:
            yield pool

    @contextmanager
    def definitions(self) -> Iterator[PostgresStore]:
        """The database, to read what is defined in it. Never the active daemon: it takes no epoch."""
        from fs_dialer.db.postgres import PostgresStore

        with closing(PostgresStore(self.settings().dsn(), pool_size=1, application="fs-dialer command")) as store:
            yield store

    def database_origin(self) -> str:
        """Where the database's address comes from; never the address itself, which may hold a password."""
        try:
            settings = self.settings()
        except ConfigError:
            return ""
        secret = settings.database.dsn
        if secret is None or secret.origin == "FS_DIALER_DSN":
            return "the variable FS_DIALER_DSN" if secret else ""
        named = f" ({secret.origin})" if secret.origin != str(settings.file) else ""
        return f"`database.dsn` in {settings.file}{named}"

    # --- how it speaks ------------------------------------------------------------------------------------------------------------------

    def say(self, *lines: str) -> None:
        """A result for people, on stdout; nothing with --json."""
        if not self.as_json:
            for line in lines:
                click.echo(line)

    def note(self, *lines: str) -> None:
        """Talk, on stderr in either case."""
        for line in lines:
            click.echo(line, err=True)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str | Cell]], *, right: str | Sequence[str] = "") -> None:
        if not self.as_json:
            stdout = sys.stdout
            self.say(*output.table(header, rows, right=right, width=output.terminal_width(stdout), colour=output.wants_colour(stdout)))

    def result(self, value: Any) -> None:
        """The command's JSON, on stdout; nothing without --json."""
        if self.as_json:
            click.echo(output.json_line(value))

    def fail(self, failure: Failure) -> None:
        """Tell a failure: words on stderr, and with --json an object on stdout."""
        self.note(*failure.lines())
        self.result(failure.to_json())

    def failure_of(self, error: FsDialerError) -> Failure:
        return failure_of(error, self.database_origin)


def who() -> str:
    """The person at the keyboard, for the audit: who they were before sudo."""
    name = os.environ.get("SUDO_USER")
    try:
        return name or getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def nearest_name(word: str, known: Sequence[str]) -> str:
    """`; nearest: spring`, or nothing."""
    from fs_dialer.config.values import nearest

    guess = nearest(word, known)
    return f"; nearest: {guess}" if guess else ""


def no_campaign(name: str, known: Sequence[str]) -> CommandFailed:
    advice = "which there are: fs-dialer campaign list" if known else "none is defined yet: fs-dialer apply PATH"
    return CommandFailed(f"there is no campaign {output.clean(name)}{nearest_name(name, known)}", advice)
