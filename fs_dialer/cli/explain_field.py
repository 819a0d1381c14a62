"""explain field: what a setting means, how it is written, what it may be. Says only what is declared."""

from __future__ import annotations

import textwrap
from typing import Any

import click

from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.settings import Session
from fs_dialer.config.fields import Setting, all_settings, lookup, near
from fs_dialer.config.kinds import KINDS

MOST = 4  # settings of one name told in full; of more, the list
PLACES = {
    "campaign": "a campaign's file, or defaults.yml",
    "installation": "installation.yml",
    "gateways": "below gateways: in installation.yml",
    "fs-dialer": "fs-dialer.yml",
}


@command(
    "field",
    examples=("fs-dialer explain field attempts.gap", "fs-dialer explain field missed", "fs-dialer explain field"),
    exits={Exit.MISUSE: "there is no such setting"},
)
@click.argument("name", metavar="[NAME]", required=False, default="")
def explain_field(session: Session, name: str) -> None:
    """What a setting means: its kind, default, bounds, the campaign types that have it, and an example.

    NAME is the path in the file, as attempts.gap, or its end; what does not stand in campaigns is named with its place: schedules.zone, agents.dial,
    installation.lines. Without NAME all settings are listed.
    """
    if not name:
        _list(session, all_settings())
        return
    found = lookup(name)
    if not found:
        close = near(name)
        advice = f"nearest: {', '.join(close)}" if close else "all of them: fs-dialer explain field"
        raise CommandFailed(f"there is no setting `{name}`", advice, code=Exit.MISUSE)
    if len(found) > MOST:
        _list(session, found)
        return
    for number, setting in enumerate(found):
        session.say(*([""] if number else []), *_told(setting))
    session.result({"settings": [_json(setting) for setting in found]})


def _list(session: Session, settings: tuple[Setting, ...]) -> None:
    rows = [(each.name, "settings" if each.kind == "section" else each.kind, _default(each), each.help.split(". ")[0]) for each in settings]
    session.table(("SETTING", "KIND", "DEFAULT", "WHAT IT IS"), rows)
    session.result({"settings": [_json(setting) for setting in settings]})


def _told(setting: Setting) -> list[str]:
    facts = [("kind", KINDS[setting.kind].written)]
    if setting.kind == "section":
        inside = [each.path.removeprefix(setting.path + ".") for each in all_settings() if _is_inside(each, setting)]
        facts = [("holds", ", ".join(inside))]
        if short := setting.field.metadata["short"]:
            facts.append(("short", f"`{setting.path}: …` means `{setting.path}: {{{short}: …}}`"))
    else:
        facts.append(("default", _default(setting)))
    if setting.bounds:
        facts.append(("one of" if setting.field.metadata["choices"] else "bounds", setting.bounds))
    if setting.where == "campaign":
        facts.append(("types", ", ".join(setting.types) or "all"))
    elif setting.tables:
        facts.append(("nodes", ", ".join(setting.types) or "all"))
    facts.append(("stands in", PLACES.get(setting.where, f"below {setting.where}: in any file")))
    if setting.spec:
        facts.append(("spec", " ".join(setting.spec)))
    facts.append(("example", setting.example()))
    lines = [setting.name, *textwrap.wrap(setting.help, 110, initial_indent="  ", subsequent_indent="  ")]
    for word, text in facts:
        lines += textwrap.wrap(text, 110, initial_indent=f"  {word:<11}", subsequent_indent=" " * 13, break_long_words=False, break_on_hyphens=False)
    return lines


def _is_inside(each: Setting, outer: Setting) -> bool:
    return each.where == outer.where and each.path.startswith(outer.path + ".") and each.kind != "section"


def _default(setting: Setting) -> str:
    if setting.kind == "section":
        return ""
    return "required" if setting.default is None else setting.default


def _json(setting: Setting) -> dict[str, Any]:
    return {
        "name": setting.name,
        "stands_in": setting.where,
        "kind": setting.kind,
        "help": setting.help,
        "default": setting.default,
        "required": setting.default is None,
        "bounds": setting.bounds,
        "types": list(setting.types),
        "spec": list(setting.spec),
        "example": setting.example(),
    }
