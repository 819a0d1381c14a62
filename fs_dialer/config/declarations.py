"""What a declaration says of a value: one of its choices, within its bounds, the thing itself or its name; and whether a set of values is complete.

Generic over core/options.py, as form.py is, which reads files by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, get_args, get_type_hints

from fs_dialer.config.kinds import KINDS, show
from fs_dialer.config.values import BadValue, nearest, short, text
from fs_dialer.config.yaml_source import Scalar, Table
from fs_dialer.core.options import declared

Values = dict[str, Any]  # by the dataclass's field names
SIGNS = {"*": "star", "#": "hash"}  # D18: how keys of a telephone are written, since YAML has other plans for these


@cache
def hints_of(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls)


@cache
def embedded(cls: Any, name: str) -> bool:
    """Is the thing itself kept in this field, rather than its name?"""
    hint = hints_of(cls)[name]
    return any(is_dataclass(each) for each in (hint, *get_args(hint)) if each is not NoneType)


def does(cls: type, table: Table) -> str:
    """What decides which settings a node has; what was probably meant where it is misspelt, "" where nobody can tell."""
    choices = declared(cls)["do"].metadata["choices"]
    entry = table.entries.get("do")
    word = entry.value.text.strip().lower() if entry is not None and isinstance(entry.value, Scalar) else ""
    return word if word in choices else (nearest(word, choices) or "") if word else ""


def declared_list(cls: type) -> str:
    """The field of a named set that holds its members: rules of a rule set."""
    return next(setting.name for setting in declared(cls).values() if setting.metadata["kind"] == "sections")


def complete(cls: type, values: Values) -> bool:
    """Is every required setting of `cls` among the values? Where not, its problem has been told."""
    return all(f.name in values for f in declared(cls).values() if f.default is MISSING and f.default_factory is MISSING)


def zone_of(values: Values, settings: Mapping[str, Field[Any]]) -> str:
    return str(values.get("zone", settings["zone"].default)) if "zone" in settings else "UTC"


def reader(kind: str) -> Any:
    read = KINDS[kind].read
    return read if read is not None else text


def choice(setting: Field[Any], hint: Any, text: str) -> Any:
    word = text.strip().lower()
    choices = setting.metadata["choices"]
    if word not in choices:
        guess = SIGNS[word] if SIGNS.get(word) in choices else nearest(word, choices)
        raise BadValue(f"`{short(text)}` is none of {listed(choices)}" + (f"; nearest: {guess}" if guess else ""))
    return hint(word) if isinstance(hint, type) and issubclass(hint, Enum) else word


def within(setting: Field[Any], value: Any, kind: str = "") -> None:
    """BadValue where the value lies outside the setting's bounds."""
    kind, low, high = kind or setting.metadata["kind"], setting.metadata["low"], setting.metadata["high"]
    if low is not None and value < low:
        raise BadValue(f"{show(kind, value)} is below {show(kind, low)}, the least")
    if high is not None and value > high:
        raise BadValue(f"{show(kind, value)} is above {show(kind, high)}, the most")


def listed(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
