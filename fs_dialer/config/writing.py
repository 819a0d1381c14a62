"""Things as written → YAML that reads back to the same, for export.

Knows when a text needs quotes: where YAML would take the file apart otherwise, and where a YAML reader of another make (1.1 or 1.2) would see something
else than the text, as a time in `8:00` or a number in `+84…`. Whole numbers and yes and no stay bare: there the sight is right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fs_dialer.config.things import KINDS, Thing

WIDTH = 120
_PLAIN = re.compile(r"[A-Za-z0-9_./+\u00c0-\ud7ff-](?:[A-Za-z0-9_ ./+%():@;=<>!$'*?~\u00c0-\ud7ff-]*[A-Za-z0-9_./+%)@;=<>!$'*?~\u00c0-\ud7ff-])?")
_FLOW_SIGNS = re.compile(r"[,\[\]{}]")  # bare only where no list or table stands on one line
_BARE = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,6})?|yes|no|true|false")
_OTHER = re.compile(  # what YAML 1.1 or 1.2 resolves to something that is no text
    r"""~|null|on|off|y|n
    |[-+]?[0-9][0-9_]*|0o[0-7]+|[-+]?0b[01_]+|[-+]?0x[0-9a-f_]+
    |[-+]?(?:\.[0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:e[-+]?[0-9]+)?
    |[-+]?\.inf|\.nan
    |[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?
    |[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:t|[ \t]+)[0-9]{1,2}:[0-9]{2}:.*)?
    |yes|no|true|false|=|<<""",
    re.IGNORECASE | re.VERBOSE,
)


def write_yaml(thing: Thing, *more: Thing, schema: str = "") -> str:
    """One file: a campaign, the installation or the defaults; or things that stand in tables, as many as there are.

    `schema`: where the editor finds the JSON Schema; "" = .fs-dialer.schema.json in the folder that holds `campaigns/`.
    """
    where = schema or ("../.fs-dialer.schema.json" if thing.kind == "campaign" else ".fs-dialer.schema.json")
    lines = [f"# yaml-language-server: $schema={where}"]
    if thing.kind not in KINDS:
        if more:
            raise ValueError(f"{thing.title} is a file of its own")
        return "\n".join([*lines, *_block(thing.source, 0)]) + "\n"
    tables: dict[str, dict[str, Any]] = {}
    for each in (thing, *more):
        tables.setdefault(each.kind, {})[each.name] = each.source
    return "\n".join([*lines, *_block(tables, 0)]) + "\n"


def _block(tree: Any, indent: int) -> list[str]:
    """The lines of a tree, one key or item to a line where it does not fit into one."""
    pad = " " * indent
    if isinstance(tree, Mapping) and tree:
        lines: list[str] = []
        for key, value in tree.items():
            word = scalar(str(key))
            flow = _flow(value) if indent or not isinstance(value, Mapping) else None
            if value is None:
                lines.append(f"{pad}{word}:")
            elif isinstance(value, str):
                lines.append(f"{pad}{word}: {scalar(value)}")
            elif flow is not None and len(pad) + len(word) + 2 + len(flow) <= WIDTH:
                lines.append(f"{pad}{word}: {flow}")
            elif not value:
                lines.append(f"{pad}{word}: {'{}' if isinstance(value, Mapping) else '[]'}")
            else:
                lines += [f"{pad}{word}:", *_block(value, indent + 2)]
        return lines
    if isinstance(tree, list | tuple) and tree:
        lines = []
        for item in tree:
            flow = _flow(item)
            if item is None:
                lines.append(f"{pad}-")
            elif flow is not None and len(pad) + 2 + len(flow) <= WIDTH:
                lines.append(f"{pad}- {flow}")
            else:
                inner = _block(item, indent + 2)
                lines += [f"{pad}- {inner[0].lstrip(' ')}", *inner[1:]]
        return lines
    return [pad + (_flow(tree) or "")]


def _flow(tree: Any) -> str | None:
    """A tree within one line; None where something in it is nothing at all, which can not be written there."""
    if tree is None:
        return None
    if isinstance(tree, Mapping):
        inner = [(scalar(str(key), in_flow=True), _flow(value)) for key, value in tree.items()]
        return None if any(value is None for _, value in inner) else "{" + ", ".join(f"{key}: {value}" for key, value in inner) + "}"
    if isinstance(tree, list | tuple):
        items = [_flow(item) for item in tree]
        return None if any(item is None for item in items) else "[" + ", ".join(item for item in items if item is not None) + "]"
    return scalar(str(tree), in_flow=True)


def scalar(text: str, *, in_flow: bool = False) -> str:
    """A text as YAML holds it: bare where every reader sees the same text, else in quotes."""
    shape = text if in_flow or text[:1] in ",[]{}" else _FLOW_SIGNS.sub("_", text)
    if _PLAIN.fullmatch(shape) and ": " not in text and " #" not in text and not text.startswith(("- ", "? ", "---", "...")) and text not in ("-", "?"):
        resolved = _OTHER.fullmatch(text) and not _BARE.fullmatch(text)
        if not resolved and not (in_flow and "?" in text):
            return text
    if all(each.isprintable() for each in text):
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(each) for each in text) + '"'


def _escaped(each: str) -> str:
    if each in '"\\':
        return "\\" + each
    if each.isprintable():
        return each
    known = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(each)
    number = ord(each)
    return known or (f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}")
