"""How a setting is declared: once, as a dataclass field whose metadata carries everything validation, schema and docs need.

    ring_timeout_s: float = option(25 * SECOND, kind="duration", key="ring", low=5, high=120, help="…")

`kind` is one of KINDS: how the YAML text is read. `key` is the name in YAML where it differs from the field's. Bounds are inclusive and in the unit of
the value (seconds for a duration, 0.0–1.0 for a rate). A nested dataclass is declared with `section`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, field, fields
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
    "hours",  # mon-fri: 8:00-20:00 … → Hours
    "sound",  # a sound file's name
    "dial_string",  # an agent's FreeSWITCH dial string
    "section",  # a nested dataclass
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
) -> Any:
    """Declare one setting. `types`: the campaign types that have it, () = all (spec §2). `spec`: the numbers it stands for. No default = required."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind of option: {kind}")
    meta = {"kind": kind, "help": help, "key": key, "low": low, "high": high, "choices": choices, "spec": spec, "types": types}
    return field(default=default, metadata=meta) if default is not MISSING else field(metadata=meta)


def section(factory: Callable[[], Any] | None, *, help: str, key: str | None = None, types: tuple[str, ...] = (), cls: type | None = None) -> Any:
    """A nested group of settings. `factory` makes the default; None = required, then `cls` names the dataclass."""
    meta = {"kind": "section", "help": help, "key": key, "types": types, "cls": cls or factory, "low": None, "high": None, "choices": (), "spec": ""}
    return field(default_factory=factory, metadata=meta) if factory is not None else field(metadata=meta)


def declared(cls: type) -> dict[str, Field[Any]]:
    """The settings of a dataclass by their YAML key, in order of declaration; fields without metadata are not settings."""
    return {(f.metadata["key"] or f.name): f for f in fields(cls) if "kind" in f.metadata}
