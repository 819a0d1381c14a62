"""How a setting is declared: once, as a dataclass field whose metadata carries everything validation, schema and docs need.

    ring_timeout_s: float = option(25 * SECOND, kind="duration", key="ring", low=5, high=120, help="…")

`kind` is one of KINDS: how the YAML text is read. `key` is the name in YAML where it differs from the field's. Bounds are inclusive and in the unit of
the value (seconds for a duration, 0.0–1.0 for a rate). A nested dataclass is declared with `section`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, field, fields
from functools import cache
from types import MappingProxyType
from typing import Any

KINDS = (
    "text",  # one line of plain text
    "count",  # a whole number
    "number",  # a decimal number
    "duration",  # 30s, 15m, 4h, 180d → seconds
    "rate",  # 3% or 0.03 → 0.0–1.0
    "choice",  # one of `choices`
    "flag",  # yes/no
    "phone",  # a telephone number, digits with an optional +
    "phones",  # one or a list of them
    "names",  # a list of names
    "name",  # a name: letters, digits, - _ .
    "zone",  # an IANA time zone
    "moment",  # 2026-12-01 8:00 in the file's zone → epoch seconds
    "hours",  # mon-fri: 8:00-20:00 …, or the name of a schedule → Hours
    "holidays",  # Christmas: 12-25, or a list of days and spans of days → Holiday tuples
    "sound",  # a declared sound's name, a sound file or a stream → the file
    "dial_string",  # an agent's FreeSWITCH dial string
    "texts",  # a list of lines of text
    "choices",  # several of `choices`
    "compare",  # ">= 3", "1" → ">=3", "=1" (resources.compare)
    "time_of_day",  # 18:00 → minutes after midnight
    "words",  # a table of names and texts → pairs, in order; a list of texts is joined by "|"
    "per_day",  # 50/day → 50
    "per_hour",  # 3/hour → 3
    "by_name",  # a table of names and values of another kind → pairs
    "extend",  # 2 x 15s → (2, 15.0)
    "span",  # 4 or 4..8 → (4, 8)
    "filter",  # a condition on contacts, kept as text that config/filters.py can read
    "url",  # https://host/path
    "hosts",  # a list of host names
    "secret",  # env:NAME or file:/path
    "ref",  # the name of another declared thing (`of` says of which kind); the thing itself where the field's type is its class
    "refs",  # several of them
    "section",  # a nested dataclass
    "sections",  # a list of them
    "table",  # a table of names and settings → a tuple of `cls`, each with its name
)


def option(
    default: Any = MISSING,
    *,
    kind: str,
    help: str,
    key: str | None = None,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    spec: str = "",
    types: tuple[str, ...] = (),
    of: str = "",
    cls: type | None = None,
) -> Any:
    """Declare one setting. `types`: the campaign types that have it, () = all (spec §2). `spec`: the numbers it stands for. No default = required.

    `of`: the kind of thing whose name may stand here ("schedules"); for by_name the kind of the values. `cls`: the dataclass of `sections`.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind of option: {kind}")
    meta = {"kind": kind, "help": help, "key": key, "low": low, "high": high, "choices": choices, "spec": spec, "types": types, "of": of, "cls": cls}
    return field(default=default, metadata=meta) if default is not MISSING else field(metadata=meta)


def section(
    factory: Callable[[], Any] | None,
    *,
    help: str,
    key: str | None = None,
    types: tuple[str, ...] = (),
    cls: type | None = None,
    short: str = "",
    spec: str = "",
) -> Any:
    """A nested group of settings. `factory` makes the default; None = required, then `cls` names the dataclass.

    `short`: the key that a plain value or list stands for where it is written in place of the group (`caller_id: 0203…` is `caller_id: {from: 0203…}`).
    """
    meta = {"kind": "section", "help": help, "key": key, "types": types, "cls": cls or factory, "low": None, "high": None, "choices": (), "spec": spec}
    meta |= {"short": short, "of": ""}
    return field(default_factory=factory, metadata=meta) if factory is not None else field(metadata=meta)


@cache
def declared(cls: type) -> Mapping[str, Field[Any]]:
    """The settings of a dataclass by their YAML key, in order of declaration; fields without metadata are not settings."""
    return MappingProxyType({(f.metadata["key"] or f.name): f for f in fields(cls) if "kind" in f.metadata})
