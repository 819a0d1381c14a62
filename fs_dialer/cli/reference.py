"""The reference of all commands, docs/cli.md, made from their own help texts.

    python -m fs_dialer.cli.reference > docs/cli.md

Knows Markdown and where click keeps its words. What a command is for stands in its docstring.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from fs_dialer.cli.command import ALWAYS, Command, Lazy, LazyGroup, common_options
from fs_dialer.cli.failures import MEANING
from fs_dialer.cli.main import main

INTRODUCTION = """\
# Commands

Made by `python -m fs_dialer.cli.reference` from the commands' own help; do not edit. `fs-dialer COMMAND --help` says the same on the screen.

Tasks, step by step: [campaigns](campaigns.md), [leads](leads.md), [simulation](simulate.md). What `--json` prints: [reference/json.md](reference/json.md).

## What all commands share

- **`--json`** prints one JSON object on stdout and nothing else there; all talk, progress and warnings go to stderr. When a command fails, the object is
  `{"error": {"exit_code": …, "text": …, "advice": […]}}`, with `problems` where a file is to blame.
- **`--config FILE`** names the settings file; else `$FS_DIALER_CONFIG`, `./fs-dialer.yml`, `/etc/fs-dialer/fs-dialer.yml`. Before the command it is written in
  one word, `--config=FILE`. Variables such as `FS_DIALER_DSN` go over what the file says: [reference/config.md](reference/config.md).
- **Colours** are used on a terminal only, and not where `NO_COLOR` is set. Into a pipe everything is written in full, a line each.
- **Asking the daemon.** `approve`, `start`, `pause`, `end` and `agent available|not-available` write what is asked into the database. The running daemon
  answers within a moment. Without one the command waits there (`queued`) and is carried out, in order, when a daemon starts.
"""


def page() -> str:
    """The whole of docs/cli.md."""
    codes = "\n".join(f"| {int(code)} | {text} |" for code, text in MEANING.items())
    parts = [INTRODUCTION, f"| exit code | meaning |\n|---|---|\n{codes}\n"]
    for title, entries in main.sections.items():
        parts.append(f"# {title}\n")
        for name, entry in entries.items():
            parts += _described(entry.load() if isinstance(entry, Lazy) else entry, f"fs-dialer {name}")
    return "\n".join(parts)


def _described(command: click.Command, name: str) -> Iterator[str]:
    if isinstance(command, LazyGroup):
        for below, entry in command.entries.items():
            yield from _described(entry.load() if isinstance(entry, Lazy) else entry, f"{name} {below}")
        return
    context = click.Context(command, info_name=name)
    yield f"## {name}\n"
    yield f"```\n{name} {' '.join(command.collect_usage_pieces(context))}\n```\n"
    yield _text(command.help or "")
    if rows := list(_options(command)):
        yield "\n".join(["| option | |", "|---|---|", *rows]) + "\n"
    if isinstance(command, Command):
        yield "\n".join(["```console", *(f"$ {example}" for example in command.examples), "```\n"])
        own = {code: text for code, text in command.exits.items() if code not in ALWAYS or text != MEANING[code]}
        if own:
            yield "Exit codes: " + " · ".join(f"{int(code)} {text}" for code, text in sorted(own.items())) + "\n"


def _options(command: click.Command) -> Iterator[str]:
    """Its own; what all commands share is told once."""
    shared = {option.name for option in common_options()}
    for option in command.params:
        if isinstance(option, click.Option) and option.name not in shared and "--json" not in option.opts:
            default = f" Default: {option.default:g}." if option.show_default and isinstance(option.default, int | float) else ""
            default = f" Default: {option.default}." if option.show_default and isinstance(option.default, str) else default
            needed = " Required." if option.required else ""
            yield f"| `{_written(option)}` | {option.help or ''}{default}{needed} |"


def _written(option: click.Option) -> str:
    """--limit N, --progress auto\\|plain\\|none: a bar would end a table's cell."""
    if option.is_flag:
        return option.opts[0]
    choices = "\\|".join(map(str, option.type.choices)) if isinstance(option.type, click.Choice) else ""
    return f"{option.opts[0]} {option.metavar or choices or ('N' if isinstance(option.type, click.IntRange | click.types.IntParamType) else 'TEXT')}"


def _text(help_text: str) -> str:
    """Paragraphs as they are; those that click keeps unwrapped (after a line \\b) become a block."""
    paragraphs = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(help_text)):
        if paragraph.startswith("\b\n"):
            paragraphs.append("```\n" + inspect.cleandoc(paragraph.removeprefix("\b\n")) + "\n```\n")
        else:
            paragraphs.append(" ".join(paragraph.split()) + "\n")
    return "\n".join(paragraphs)


if __name__ == "__main__":
    print(page(), end="")
