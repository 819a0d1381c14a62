"""The engine's values as JSON, one to a line, and back: for the journal and the spool.

A value carries its class name, so a reader needs no schema: {"$": "LegAnswered", "leg": "…"}; an enum is {"$": "Outcome", "=": "busy"}; a tuple a list;
a set of texts {"$": "set", "of": […]}.
Only classes of the core and the modes are known; anything else is refused on both ways.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from enum import Enum
from types import ModuleType
from typing import Any

import orjson

from fs_dialer import modes
from fs_dialer.core import actions, agent_events, agent_picture, definition, events, flow, model, queue_line, resources

_MODULES: tuple[ModuleType, ...] = (model, flow, resources, definition, events, agent_events, agent_picture, queue_line, actions)


def _known() -> dict[str, type]:
    classes: dict[str, type] = {}
    for module in _MODULES:
        for name, cls in vars(module).items():
            if isinstance(cls, type) and (dataclasses.is_dataclass(cls) or issubclass(cls, Enum)):
                classes[name] = cls
    for kind, options in modes.SETTINGS.items():
        for name, cls in vars(sys.modules[options.__module__]).items():
            if isinstance(cls, type) and dataclasses.is_dataclass(cls) and cls.__module__ == options.__module__:
                classes[f"{name}.{kind.value}"] = cls
    return classes


CLASSES = _known()
_NAMES = {cls: name for name, cls in CLASSES.items()}
_FIELDS = {cls: tuple(f.name for f in dataclasses.fields(cls)) for cls in _NAMES if dataclasses.is_dataclass(cls)}
_PLAIN = (str, int, float, bool, type(None))


def to_line(value: object) -> str:
    """One JSON text without a newline."""
    return orjson.dumps(_encode(value)).decode()


def fingerprint(values: Sequence[object]) -> bytes:
    """Equal bytes for equal values of equal classes in equal order; not to be read back. Several times as fast as to_line."""
    return orjson.dumps([(type(value).__name__, value) for value in values], option=orjson.OPT_NON_STR_KEYS)


def from_line(line: str) -> Any:
    """ValueError for a line that no to_line of this version wrote."""
    value = json.loads(line)
    try:
        return _decode(value)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a value of ours: {error}") from None


def _encode(value: object) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Enum):
        return {"$": _name(type(value)), "=": value.value}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        cls = type(value)
        line = {"$": _name(cls)}
        for name in _FIELDS[cls]:
            field = getattr(value, name)
            line[name] = field if type(field) in _PLAIN else _encode(field)
        return line
    if isinstance(value, tuple | list):
        return [_encode(item) for item in value]
    if isinstance(value, frozenset):
        return {"$": "set", "of": sorted(value)}
    if isinstance(value, Mapping):
        return {"$": "map", "of": {str(key): _encode(item) for key, item in value.items()}}
    raise ValueError(f"no line for a {type(value).__name__}")


def _name(cls: type) -> str:
    if cls not in _NAMES:
        raise ValueError(f"no line for a {cls.__name__}")
    return _NAMES[cls]


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_decode(item) for item in value)
    if not isinstance(value, dict):
        return value
    name = value.get("$")
    if name == "set":
        return frozenset(value["of"])
    if name == "map":
        return {key: _decode(item) for key, item in value["of"].items()}
    cls = CLASSES.get(name) if isinstance(name, str) else None
    if cls is None:
        raise ValueError(f"unknown class in a line: {name!r}")
    if issubclass(cls, Enum):
        return cls(value["="])
    return cls(**{key: _decode(item) for key, item in value.items() if key != "$"})
