"""Definitions ↔ JSON-able dicts, as the store keeps them.

Generic over dataclass types: keys are field names, enums their values, tuples lists. Missing keys take defaults, so that an older definition can be
read; an unknown key means that a newer fs-dialer wrote it, and is refused: to pass over it would be to dial by half a definition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin

from fs_dialer.config.declarations import hints_of
from fs_dialer.core.definition import AgentDefinition, Campaign, Installation
from fs_dialer.core.flow import Ivr
from fs_dialer.core.options import declared
from fs_dialer.errors import ConfigError, Problem
from fs_dialer.modes import SETTINGS

T = TypeVar("T")
_PLAIN = frozenset((str, int, float, bool))  # read as they are: thousands of campaigns' settings are


def campaign_to_json(campaign: Campaign) -> dict[str, Any]:
    return cast(dict[str, Any], to_json(campaign))


def campaign_from_json(data: Mapping[str, Any]) -> Campaign:
    """ConfigError where the data was written by a newer version, or is no campaign."""
    what = f"campaign {data.get('id', '?')} as stored"
    campaign = _of_type(Campaign, {key: value for key, value in data.items() if key != "options"}, what, "")
    return replace(campaign, options=_of_type(SETTINGS[campaign.type], data.get("options") or {}, what, "options"))


def agent_to_json(agent: AgentDefinition) -> dict[str, Any]:
    return cast(dict[str, Any], to_json(agent))


def agent_from_json(data: Mapping[str, Any]) -> AgentDefinition:
    return _of_type(AgentDefinition, data, f"agent {data.get('id', '?')} as stored", "")


def installation_to_json(installation: Installation) -> dict[str, Any]:
    return cast(dict[str, Any], to_json(installation))


def installation_from_json(data: Mapping[str, Any]) -> Installation:
    return _of_type(Installation, data, "the installation as stored", "")


def from_json(cls: type[T], data: Any, what: str) -> T:
    """Any dataclass of definitions that to_json wrote. `what`: whose it is, for the ConfigError of one that this version can not read."""
    return _of_type(cls, data, what, "")


def to_json(value: Any) -> Any:
    """What json.dumps takes, of any value made of dataclasses, enums, tuples and plain values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [to_json(each) for each in value]
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"no JSON form for {type(value).__name__}")


def _of_type(cls: type[T], data: Any, what: str, path: str, short: str = "") -> T:
    if short and isinstance(data, list | tuple | str | int | float):
        data = {declared(cast(Any, cls))[short].name: data}  # stored when this was one setting, not a group of them
    if cls is Ivr and isinstance(data, str):
        data = {"name": data}  # stored when a campaign knew of its flow no more than the name: an empty one, which no switch has
    if not isinstance(data, Mapping):
        raise _refusal(what, path, f"settings were expected, this is {type(data).__name__}")
    hints = hints_of(cast(Any, cls))
    known = _fields(cast(Any, cls))
    if unknown := sorted(set(data) - set(known)):
        here = f"{path}.{unknown[0]}" if path else unknown[0]
        raise _refusal(what, here, "this version knows no such setting: a newer fs-dialer stored it, so run that version or newer")
    values = {}
    for name, each in known.items():
        here = f"{path}.{name}" if path else name
        if name in data:
            values[name] = _value(hints[name], data[name], what, here, each.metadata.get("short", ""))
        elif each.default is MISSING and each.default_factory is MISSING:
            raise _refusal(what, here, "is missing")
    return cls(**values)


def _value(hint: Any, data: Any, what: str, path: str, short: str = "") -> Any:
    if hint in _PLAIN and type(data) is hint:
        return data
    hint = getattr(hint, "__supertype__", hint)  # a NewType is its base here
    origin, arguments = _parts(hint)
    if origin in (Union, UnionType):
        if data is None and NoneType in arguments:
            return None
        (inner,) = (each for each in arguments if each is not NoneType)
        return _value(inner, data, what, path)
    if origin is tuple:
        if not isinstance(data, list | tuple):
            raise _refusal(what, path, f"a list was expected, this is {type(data).__name__}")
        if arguments[-1] is Ellipsis:
            return tuple(_value(arguments[0], each, what, path) for each in data)
        if len(data) != len(arguments):
            raise _refusal(what, path, f"{len(arguments)} values were expected, these are {len(data)}")
        return tuple(_value(inner, each, what, path) for inner, each in zip(arguments, data, strict=True))
    if isinstance(hint, type) and issubclass(hint, Enum):
        try:
            return hint(data)
        except ValueError:
            raise _refusal(what, path, f"`{data}` is unknown to this version: a newer fs-dialer stored it") from None
    if is_dataclass(hint):
        return _of_type(cast(type[Any], hint), data, what, path, short)
    if hint is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if hint is object or (isinstance(data, hint) and (hint is bool or not isinstance(data, bool))):
        return data
    raise _refusal(what, path, f"{getattr(hint, '__name__', hint)} was expected, this is {type(data).__name__}")


@cache
def _fields(cls: Any) -> dict[str, Field[Any]]:
    return {each.name: each for each in fields(cls)}


@cache
def _parts(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    return get_origin(hint), get_args(hint)


def _refusal(what: str, path: str, text: str) -> ConfigError:
    return ConfigError([Problem(what, 0, 0, path, text)])
