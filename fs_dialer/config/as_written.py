"""A definition that was stored without its file → the file as it would have been written: for what older versions applied, and for what programs make.

Knows how each kind of setting is written so that form.py reads it back to the same value. Defaults are left out, named things are written by their name.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, is_dataclass
from typing import Any

from fs_dialer.config.hours import show_hours
from fs_dialer.config.kinds import show
from fs_dialer.config.values import show_moment
from fs_dialer.core.definition import Campaign, Installation
from fs_dialer.core.options import declared
from fs_dialer.core.resources import Holiday, Hours

Tree = dict[str, Any]


def as_written(value: Any) -> Tree:
    """The settings of a campaign, an agent, the installation or any named thing."""
    if isinstance(value, Campaign):
        kind = value.type.value
        own = _settings(value.options, kind) if value.options is not None else {}
        return {"type": kind, **_settings(value, kind), **own}
    if isinstance(value, Installation):
        whole = _settings(value)
        if value.switch != Installation().switch:
            whole["switch"] = str(value.switch)
        if value.switches:
            whole["switches"] = {str(switch.id): _settings(switch) for switch in value.switches}
        if value.gateways:
            whole["gateways"] = {str(gateway.id): _settings(gateway) for gateway in value.gateways}
        return whole
    return _settings(value)


def _settings(value: Any, campaign_type: str = "") -> Tree:
    tree: Tree = {}
    zone = getattr(value, "zone", "") or "UTC"
    cls: type = type(value)
    for key, setting in declared(cls).items():
        types = setting.metadata["types"]
        own = getattr(value, setting.name)
        if (types and campaign_type and campaign_type not in types) or own == _default(setting):
            continue
        written = _written(setting.metadata["kind"], setting.metadata["of"], own, campaign_type, zone)
        if written not in (None, {}, []):
            tree[key] = written
    return tree


def _written(kind: str, of: str, value: Any, campaign_type: str, zone: str) -> Any:
    """One value as a tree of texts; None where there is nothing to write."""
    if isinstance(value, Hours):
        # A schedule's own hours bear its name too; there the setting has no `of`, and the days themselves stand.
        return value.schedule if of and value.schedule else dict(show_hours(value))
    if kind == "section":
        return _settings(value, campaign_type)
    if kind == "table":
        return {each.name: _settings(each, each.do) for each in value}
    if kind == "sections":
        return [_settings(each) for each in value]
    if kind == "holidays":
        return _holidays(value)
    if kind == "words":
        return {name: text.split("|") if "|" in text else text for name, text in value}
    if kind == "by_name":
        return {name: show(of, each) for name, each in value}
    if kind == "moment":
        return show_moment(value, zone) if value is not None else None
    if kind == "number":
        return None if value is None else f"{value:.9f}".rstrip("0").rstrip(".")
    if isinstance(value, tuple) and kind not in ("extend", "span"):
        return [str(getattr(each, "name", each)) for each in value]
    if is_dataclass(value):
        return str(getattr(value, "name", "")) or None
    return show(kind, value) if value is not None and value != "" else None


def _holidays(holidays: tuple[Holiday, ...]) -> Tree | list[str]:
    days: dict[str, list[str]] = {}
    for each in holidays:
        days.setdefault(each.name, []).append(each.first if each.first == each.last else f"{each.first}..{each.last}")
    if set(days) == {""}:
        return days[""]
    return {name: spans[0] if len(spans) == 1 else spans for name, spans in days.items()}


def _default(setting: Field[Any]) -> Any:
    if setting.default is not MISSING:
        return setting.default
    return setting.default_factory() if setting.default_factory is not MISSING else MISSING
