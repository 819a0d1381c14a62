"""What all commands have in common: --json and --config, a help text with examples and exit codes, and groups that import a command only when it is used.

Knows click, and nothing of what commands do. `--config FILE` in two words stands after the command's name only: __main__ reads the name of the command
before any option is understood, and FILE would be taken for it.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from fs_dialer.cli.failures import MEANING, Exit
from fs_dialer.cli.settings import Session

F = TypeVar("F", bound=Callable[..., Any])
ALWAYS = (Exit.DONE, Exit.FAILED, Exit.MISUSE)


def _keep(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        session = ctx.ensure_object(Session)
        if value:  # said before the command and not after it: it stands
            setattr(session, name, value)

    return keep


def common_options() -> list[click.Parameter]:
    """On every command and group; what they say is kept in the Session."""
    json_help = "Print one JSON object on stdout, and all talk on stderr."
    config_help = "The fs-dialer.yml to use, rather than $FS_DIALER_CONFIG, ./fs-dialer.yml or /etc/fs-dialer/fs-dialer.yml."
    return [
        click.Option(["--json"], is_flag=True, is_eager=True, expose_value=False, callback=_keep("as_json"), help=json_help),
        click.Option(["--config"], metavar="FILE", is_eager=True, expose_value=False, callback=_keep("config"), help=config_help),
    ]


class Command(click.Command):
    """A command with examples. `exits`: what its exit codes mean where there is more to say than MEANING does."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), exits: Mapping[Exit, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples, self.exits = tuple(examples), dict(exits or {})
        self.params.extend(common_options())

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{example}\n")
        codes = {code: MEANING[code] for code in ALWAYS} | self.exits
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)), codes[code]) for code in sorted(codes)])


def command(name: str, *, examples: Sequence[str], exits: Mapping[Exit, str] | None = None) -> Callable[[Callable[..., Any]], Command]:
    """Declare a command; its function takes the Session first, its docstring is the help text."""

    def declare(function: Callable[..., Any]) -> Command:
        made = click.command(name, cls=Command, examples=examples, exits=exits)(click.pass_obj(function))
        assert isinstance(made, Command)
        return made

    return declare


@dataclass(frozen=True, slots=True)
class Lazy:
    """A command that is not imported yet. target: module:attribute; help: the line that lists show."""

    target: str
    help: str

    def load(self) -> click.Command:
        module, _, attribute = self.target.partition(":")
        loaded = getattr(importlib.import_module(module), attribute)
        assert isinstance(loaded, click.Command)
        return loaded


Entry = Lazy | click.Command


class LazyGroup(click.Group):
    """Commands under headings, in the order in which they were written."""

    def __init__(self, *args: Any, sections: Mapping[str, Mapping[str, Entry]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections = sections
        self.entries = {name: entry for entries in sections.values() for name, entry in entries.items()}
        self.params.extend(common_options())

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.entries.get(cmd_name)
        return entry.load() if isinstance(entry, Lazy) else entry

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list, without importing anything."""
        longest = max(len(name) for name in self.entries)
        for title, entries in self.sections.items():
            with formatter.section(title):
                rows = [(name.ljust(longest), entry.help if isinstance(entry, Lazy) else entry.get_short_help_str(80)) for name, entry in entries.items()]
                formatter.write_dl(rows)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for word in args:
            if word == "--config":
                raise click.UsageError("before the command write --config=FILE, in one word", ctx)
            if not word.startswith("-"):
                break
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.entries and not name.startswith("-"):
            longer = [entry for entry in self.entries if entry.startswith(name)]
            close = longer or difflib.get_close_matches(name, self.entries, 1)
            raise click.UsageError(f"there is no command `{name}`" + (f"; nearest: {close[0]}" if close else ""), ctx)
        return super().resolve_command(ctx, args)
