"""The reference of all settings, docs/reference/config.md, made from the declarations themselves.

    python -m fs_dialer.config.docs > docs/reference/config.md

Knows how a declaration reads as a table; every fact in it comes from the metadata. A test compares the page with what this makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field
from typing import Any

from fs_dialer.config.daemon import SEARCHED, VARIABLES, DaemonSettings
from fs_dialer.config.leads_csv import COLUMNS, MAX_CELL_BYTES, PROBLEM_COLUMN
from fs_dialer.config.values import show
from fs_dialer.core.definition import AgentDefinition, Campaign, GatewayDefinition, Installation
from fs_dialer.core.options import declared
from fs_dialer.modes import OFFERED

_WRITTEN = {
    "text": "one line of text",
    "count": "a whole number, `20`",
    "number": "a number, `0.5`",
    "duration": "with its unit: `30s` `15m` `4h` `180d` `1h30m`; a bare number is refused",
    "rate": "`3%` or `0.03`; a bare `3` is refused",
    "choice": "one of the words listed",
    "flag": "`yes` or `no`",
    "phone": "digits, a + in front if you like; spaces, dashes and brackets are dropped",
    "phones": "one telephone number, or a list: `[one, two]`",
    "name": "letters, digits, `-` `_` `.`",
    "names": "one name, or a list: `[lan, hoa]`",
    "zone": "a place of the time zone database, `Asia/Ho_Chi_Minh`",
    "moment": "`2026-12-01 8:00` on the clocks of the window's zone; of a time that clocks show twice in autumn the first is meant, "
    "one that they skip in spring is refused",
    "hours": "days and times, a line each: `mon-fri: 8:00-20:00`, `sat: 9:00-12:00, 13:00-15:00`, `sun: closed`",
    "sound": "a sound file's name without spaces, or `local_stream://…`, `tone_stream://…`, `silence_stream://…`",
    "dial_string": "`user/1001`, `sofia/gateway/pbx/1001`; one phone, no `$ { } [ ] , ;` and no quotes",
}

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
    for kind, written in _WRITTEN.items():
        yield f"| {kind} | {written} |"
    yield from ("", "## A campaign: campaigns/NAME.yml", "")
    yield "The file's name is the campaign's name: lower-case letters, digits, `-` and `_`. Approve, start, pause and end are commands, not settings."
    yield f"`type` is required: {', '.join(f'`{each.value}`' for each in OFFERED)}."
    yield ""
    yield from _table(Campaign)
    for campaign_type, mode in OFFERED.items():
        yield from ("", f"### Only `type: {campaign_type.value}`", "")
        yield from _table(mode.Options) if declared(mode.Options) else ("No settings of its own.",)
    yield from ("", "## The agents: agents.yml", "", "Below `agents:`, each agent under the key that campaigns name.", "")
    yield from _table(AgentDefinition)
    yield from ("", "## The installation: installation.yml", "")
    yield from _table(Installation)
    yield "| `switch` | name | main | | The FreeSWITCH that fs-dialer.yml connects to, by a name of yours. |"
    yield from ("", "Below `gateways:`, each SIP trunk under its FreeSWITCH name.", "")
    yield from _table(GatewayDefinition)
    yield from ("", "## The daemon and the command line: fs-dialer.yml", "")
    yield f"Looked for at `--config`, `$FS_DIALER_CONFIG`, {', '.join(f'`{path}`' for path in SEARCHED)}; none is needed."
    yield "No password stands in the file: `env:NAME` names a variable, `file:PATH` a file whose one line it is."
    yield ""
    yield from _table(DaemonSettings)
    yield from ("", "A variable of the environment goes over the file:", "", "| variable | sets |", "|---|---|")
    yield from (f"| `{variable.name}` | {variable.help} |" for variable in VARIABLES)
    yield from ("", "## A lead file: CSV", "")
    yield "UTF-8, or UTF-16 with its mark; cells separated by `,` `;` or tabs; the first row names the columns."
    yield ""
    yield from ("| column | also called | holds |", "|---|---|---|")
    holds = {
        "phone": "required; with its country code, or national where `region` in installation.yml or `--region` names the country",
        "name": "for the agent's eyes",
        "zone": "the lead's own time zone; empty = all that the number may be in, and every one of them must allow the call (D4)",
    }
    for ours, names in COLUMNS.items():
        yield f"| `{ours}` | {', '.join(f'`{name}`' for name in names if name != ours) or '-'} | {holds[ours]} |"
    yield ""
    yield f"`--map phone=COLUMN` names another. Every other column is kept with the lead. A cell holds at most {MAX_CELL_BYTES:,} bytes."
    yield f"Rows that can not be used are written to a file of their own, as they are, with a last column `{PROBLEM_COLUMN}`; repaired, that file"
    yield "can be imported alone."


def _table(cls: type) -> Iterator[str]:
    yield from ("| setting | kind | default | bounds | what it does |", "|---|---|---|---|---|")
    yield from _rows(cls, "")


def _rows(cls: type, path: str) -> Iterator[str]:
    for key, setting in declared(cls).items():
        meta = setting.metadata
        here = f"{path}.{key}" if path else key
        notes = meta["help"]
        if meta["types"]:
            notes += f" Not for every type: {', '.join(meta['types'])}."
        if meta["kind"] == "section":
            yield f"| **`{here}`** | | | | {notes} |"
            yield from _rows(meta["cls"], here)
            continue
        cited = [number for number in meta["spec"].split() if number not in notes]
        if cited:
            notes += f" ({' '.join(cited)})"
        yield f"| `{here}` | {meta['kind']} | {_default(setting)} | {_bounds(setting)} | {notes} |".replace("|  |", "| |")


def _default(setting: Field[Any]) -> str:
    if setting.default is MISSING:
        return "required"
    if setting.metadata["kind"] == "hours":
        return "any time"
    return show(setting.metadata["kind"], setting.default)


def _bounds(setting: Field[Any]) -> str:
    kind, low, high = setting.metadata["kind"], setting.metadata["low"], setting.metadata["high"]
    if setting.metadata["choices"]:
        return ", ".join(f"`{choice}`" for choice in setting.metadata["choices"])
    if low is None and high is None:
        return ""
    if high is None:
        return f"from {show(kind, low)}"
    return f"{show(kind, low)} to {show(kind, high)}" if low is not None else f"to {show(kind, high)}"


if __name__ == "__main__":
    print(reference(), end="")
