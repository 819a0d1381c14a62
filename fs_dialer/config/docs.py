"""The reference of all settings, docs/reference/config.md, made from the declarations themselves.

    python -m fs_dialer.config.docs > docs/reference/config.md

Knows how a declaration reads as a table; every fact in it comes from the metadata. A test compares the page with what this makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field
from typing import Any

from fs_dialer.config.daemon import SEARCHED, VARIABLES, DaemonSettings
from fs_dialer.config.fields import all_settings, bounds_of
from fs_dialer.config.kinds import KINDS as VALUE_KINDS
from fs_dialer.config.kinds import show
from fs_dialer.config.leads_rows import COLUMNS, HOLDS, MAX_CELL_BYTES, PROBLEM_COLUMN
from fs_dialer.config.library import KINDS, builtin_profiles
from fs_dialer.core.definition import Campaign, GatewayDefinition, Installation, SwitchDefinition
from fs_dialer.core.flow import Node
from fs_dialer.core.options import declared
from fs_dialer.core.resources import Profile
from fs_dialer.modes import SETTINGS

_HEAD = """# Every setting

Made by `python -m fs_dialer.config.docs` from the declarations in the code; do not edit.

Values are read as the text that stands in the file: `8:00`, `no` and `+84…` mean what they look like (D18). An unknown setting is an error that names
the nearest known one. Aliases (`*x`), merge keys (`<<`), tags (`!!int`) and several documents in one file are not used. `fs-dialer check` tells every
problem of every file at once, as `file:line:column setting: what`.
"""


def reference() -> str:
    """The whole page."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    yield from ("## How values are written", "", "| kind | written |", "|---|---|")
    for word, kind in VALUE_KINDS.items():
        yield f"| {word} | {kind.written} |"
    yield from _campaigns()
    yield from _things()
    yield from ("", "## The installation: installation.yml", "")
    yield from _table(Installation)
    yield "| `switch` | name | main | | The FreeSWITCH that fs-dialer.yml connects to, by a name of yours. |"
    yield from ("", "Below `switches:`, each of several FreeSWITCHes by name, one of them `main` (docs/switches.md).", "")
    yield from _table(SwitchDefinition)
    yield from ("", "Below `gateways:`, each SIP trunk under its FreeSWITCH name.", "")
    yield from _table(GatewayDefinition)
    yield from ("", "## The daemon and the command line: fs-dialer.yml", "")
    yield f"Looked for at `--config`, `$FS_DIALER_CONFIG`, {', '.join(f'`{path}`' for path in SEARCHED)}; none is needed."
    yield "No password stands in the file: `env:NAME` names a variable, `file:PATH` a file whose one line it is."
    yield ""
    yield from _table(DaemonSettings)
    yield "| `switches.NAME` | as esl | | | Further FreeSWITCHes, by their names in installation.yml: host, port, password, client (docs/switches.md). |"
    yield from ("", "A variable of the environment goes over the file:", "", "| variable | sets |", "|---|---|")
    yield from (f"| `{variable.name}` | {variable.help} |" for variable in VARIABLES)
    yield from ("", "## A lead file: CSV, TSV, XLSX", "")
    yield "A text file: UTF-8, or UTF-16 with its mark; cells separated by `,` `;` or tabs. A workbook: its first sheet, all cells set to text. The first"
    yield "row names the columns."
    yield ""
    yield from ("| column | also called | holds |", "|---|---|---|")
    for ours, names in COLUMNS.items():
        yield f"| `{ours}` | {', '.join(f'`{name}`' for name in names if name != ours) or '-'} | {HOLDS[ours]} |"
    yield ""
    yield f"`--map phone=COLUMN` names another. Every other column is kept with the lead. A cell holds at most {MAX_CELL_BYTES:,} bytes."
    yield f"Rows that can not be used are written to a file of their own, as they are, with a last column `{PROBLEM_COLUMN}`; repaired, that file"
    yield "can be imported alone."


def _campaigns() -> Iterator[str]:
    yield from ("", "## A campaign: campaigns/NAME.yml", "")
    yield "The file's name is the campaign's name: lower-case letters, digits, `-` and `_`. Approve, start and pause are commands, not settings;"
    yield f"`state: ended` ends a campaign for good. `type` is required: {', '.join(f'`{each.value}`' for each in SETTINGS)}."
    yield ""
    yield "`defaults.yml` may hold any of these settings but `type` and `state`: each holds for every campaign that does not write it itself, setting by"
    yield "setting. What a type does not have is passed over there, and is an error in a campaign's own file."
    yield ""
    yield from _table(Campaign)
    for campaign_type, options in SETTINGS.items():
        yield from ("", f"### Only `type: {campaign_type.value}`", "")
        yield from _table(options) if declared(options) else ("No settings of its own.",)
    yield from ("", "### Which type has which setting", "", "Those not listed belong to every type.", "")
    words = [each.value for each in SETTINGS]
    yield from (f"| setting | {' | '.join(words)} |", "|---" * (len(words) + 1) + "|")
    for each in all_settings():
        outer = [other for other in all_settings() if other.where == "campaign" and each.path.startswith(other.path + ".") and other.types == each.types]
        if each.where == "campaign" and each.types and not outer:
            yield f"| `{each.path}` | {' | '.join('x' if word in each.types else '' for word in words)} |".replace("|  |", "| |").replace("|  |", "| |")


def _things() -> Iterator[str]:
    yield from ("", "## Things with a name: any file", "")
    yield "These tables may stand in any file, one or several to a file, each name once in all files. Where they are kept is yours to choose."
    yield "Those marked \\* become part of the campaigns that name them: a change of one is a new revision of each of these, which needs approval."
    for kind, each in KINDS.items():
        yield from ("", f"### `{kind}:`" + (" \\*" if each.embeds else ""), "")
        what = " ".join((each.cls.__doc__ or "").split()) if not (each.cls.__doc__ or "").startswith(f"{each.cls.__name__}(") else ""
        named = "a telephone number" if kind == "caller_ids" else "its name"
        short = f" A plain value or a list stands for `{each.short}`." if each.short else ""
        yield f"{what} Each stands under {named}.{short}".strip()
        yield ""
        yield from _table(each.cls)
    yield from ("", "### Profiles that come with the program", "", "| profile | what it holds | source |", "|---|---|---|")
    for name, profile in builtin_profiles().items():
        facts = [
            f"`{key}: {show(setting.metadata['kind'], getattr(profile, setting.name))}`"
            for key, setting in declared(Profile).items()
            if key not in ("title", "source") and getattr(profile, setting.name) != setting.default
        ]
        yield f"| `{name}` | {profile.title}: {', '.join(facts) or 'nothing'} | {profile.source or '-'} |"


def _table(cls: type) -> Iterator[str]:
    yield from ("| setting | kind | default | bounds | what it does |", "|---|---|---|---|---|")
    yield from _rows(cls, "")


def _rows(cls: type, path: str) -> Iterator[str]:
    for key, setting in declared(cls).items():
        meta = setting.metadata
        here = f"{path}.{key}" if path else key
        notes = meta["help"].replace("|", "\\|")
        if meta["types"]:
            notes += f" Not for every {'node' if cls is Node else 'type'}: {', '.join(meta['types'])}."
        if meta["kind"] == "section":
            yield f"| **`{here}`** | | | | {notes} |"
            yield from _rows(meta["cls"], here)
            continue
        inner = meta["kind"] in ("sections", "table")
        cited = [number for number in meta["spec"].split() if number not in notes]
        if cited:
            notes += f" ({' '.join(cited)})"
        word = "list" if meta["kind"] == "sections" else meta["kind"]
        yield f"| `{here}` | {word} | {_default(setting)} | {_bounds(setting)} | {notes} |".replace("|  |", "| |")
        if inner and not meta["of"]:
            yield from _rows(meta["cls"], f"{here}.NAME" if meta["kind"] == "table" else f"{here}[]")


def _default(setting: Field[Any]) -> str:
    if setting.default is MISSING:
        return "required"
    if setting.metadata["kind"] == "hours":
        return "any time"
    return show(setting.metadata["kind"], setting.default)


def _bounds(setting: Field[Any]) -> str:
    if setting.metadata["choices"]:
        return ", ".join(f"`{choice}`" for choice in setting.metadata["choices"])
    return bounds_of(setting)


if __name__ == "__main__":
    print(reference(), end="")
