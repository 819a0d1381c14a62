"""Every setting there is, by its path, with what can be said of it: for `explain field`, the JSON Schema and the reference page.

Walks the declarations; knows no file. An example is made for each from its kind and bounds; a test reads them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass
from functools import cache
from typing import Any

from fs_dialer.config.daemon import DaemonSettings
from fs_dialer.config.kinds import KINDS as VALUE_KINDS
from fs_dialer.config.kinds import show
from fs_dialer.config.things import KINDS
from fs_dialer.config.values import nearest, show_duration
from fs_dialer.core.definition import Campaign, GatewayDefinition, Installation
from fs_dialer.core.options import declared
from fs_dialer.modes import SETTINGS

# Names for examples, by the kind of thing that is named.
SAMPLES = {
    "agents": "[lan, hoa]", "teams": "[renewals]", "gateways": "[trunk1]", "groups": "customers", "schedules": "office", "profiles": "us-tsr",
    "ivrs": "dues-menu", "queues": "support", "dnc_lists": "register", "scripts": "winback",
    "dispositions": "[sold, refused]", "rule_sets": "persistent", "campaigns": "hotline-callback", "webhooks": "crm",
}  # fmt: skip
# Where a name of the admin's own stands in a path.
KEYS = {
    "agents": "lan",
    "teams": "renewals",
    "schedules": "office",
    "caller_ids": "+442079460100",
    "sounds": "sorry",
    "gateways": "trunk1",
    "ivrs": "dues-menu",
    "queues": "support",
}
_BY_KEY = {
    "dial": "user/1001", "title": "Renewals in spring", "region": "GB", "csv": "leads.csv", "as": "reason", "ivr": "dues-menu", "from_queue": "support",
    "source": "16 CFR 310.4(b)(4)", "prefix": "00", "say": "Good day", "ask": "Why did you leave?", "name": "Lan Tran",
    "description": "Contracts that end in spring", "label": "Call again", "options": "[price, service]", "dsn": "postgresql:///fs_dialer",
    "password": "env:FS_DIALER_ESL_PASSWORD", "from": "2026-12-01 8:00", "until": "2026-12-20 20:00", "cps": "5", "lines": "20", "max": "3",
    "next": "bye", "otherwise": "bye", "start": "hello", "language": "en", "voice": "slt", "keys": "{1: adviser, star: main}", "pattern": "'[1-9][0-9]+'",
    "text": "Good day", "what": "tier", "send": "[pin, tier]", "take": "[balance]", "key": "1",
    "when": "{channel: callback}", "set": "{tried_evening: yes}", "order": "fixed", "host": "127.0.0.1", "port": "8021",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `where`: "campaign", "installation", "gateways", "fs-dialer" or a key of KINDS. `path`: as `attempts.busy.gap`. `types`: () = all."""

    where: str
    path: str
    field: Field[Any]
    types: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()  # the paths on the way that are lists
    tables: tuple[str, ...] = ()  # and those that are tables of names

    @property
    def name(self) -> str:
        """As people name it: campaigns' settings by their path alone."""
        return self.path if self.where == "campaign" else f"{self.where}.{self.path}"

    @property
    def kind(self) -> str:
        return str(self.field.metadata["kind"])

    @property
    def help(self) -> str:
        return str(self.field.metadata["help"])

    @property
    def spec(self) -> tuple[str, ...]:
        return tuple(self.field.metadata["spec"].split())

    @property
    def default(self) -> str | None:
        """As it would stand in the file; None where the setting is required."""
        if self.kind == "section":
            return "" if self.field.default_factory is not MISSING else None
        if self.field.default is MISSING:
            return None
        return "any time" if self.kind == "hours" else show(self.kind, self.field.default)

    @property
    def bounds(self) -> str:
        return bounds_of(self.field)

    def example(self) -> str:
        """The setting in its place, with what must stand beside it: `attempts: {gap: 4h}`."""
        text = _sample(self)
        parts = self.path.split(".")
        for depth in range(len(parts), 0, -1):
            outer = ".".join(parts[: depth - 1])
            text = ", ".join([f"{parts[depth - 1]}: {text}", *self._beside(outer, parts[depth - 1])])
            if outer:
                text = f"[{{{text}}}]" if outer in self.lists else f"{{hello: {{{text}}}}}" if outer in self.tables else f"{{{text}}}"
        if self.where in ("campaign", "installation", "fs-dialer"):
            return text
        return f"{self.where}: {{{KEYS.get(self.where, 'mine')}: {{{text}}}}}"

    def _beside(self, outer: str, key: str) -> list[str]:
        """The other settings that the same table can not do without."""
        if not outer and self.where in ("campaign", "installation", "fs-dialer"):
            return []
        found = [
            each for each in all_settings() if each.where == self.where and each.path.rpartition(".")[0] == outer and each.path != f"{outer}.{key}".lstrip(".")
        ]
        needed = ((each, _sample(each)) for each in found if each.default is None)
        return [f"{each.path.rpartition('.')[2]}: {self.types[0] if outer in self.tables and self.types else text}" for each, text in needed]


def bounds_of(setting: Field[Any]) -> str:
    meta = setting.metadata
    kind, low, high = meta["of"] if meta["kind"] == "by_name" else meta["kind"], meta["low"], meta["high"]
    if meta["choices"]:
        return ", ".join(meta["choices"])
    if low is None and high is None:
        return ""
    if high is None:
        return f"from {show(kind, low)}"
    return f"{show(kind, low)} to {show(kind, high)}" if low is not None else f"to {show(kind, high)}"


@cache
def all_settings() -> tuple[Setting, ...]:
    """In the order of the files: campaigns, what they name, the installation, the daemon."""
    found = list(_walk("campaign", Campaign))
    options: dict[str, tuple[type, list[str]]] = {}
    for campaign_type, cls in SETTINGS.items():
        for key in declared(cls):
            options.setdefault(key, (cls, []))[1].append(campaign_type.value)
    for key, (cls, types) in options.items():
        found += [each for each in _walk("campaign", cls, types=tuple(types)) if each.path == key or each.path.startswith(key + ".")]
    for kind in KINDS:
        found += _walk(kind, KINDS[kind].cls)
    found += [*_walk("installation", Installation), *_walk("gateways", GatewayDefinition), *_walk("fs-dialer", DaemonSettings)]
    return tuple(found)


def _walk(where: str, cls: type, path: str = "", types: tuple[str, ...] = (), lists: tuple[str, ...] = (), tables: tuple[str, ...] = ()) -> Iterator[Setting]:
    for key, setting in declared(cls).items():
        here = f"{path}.{key}" if path else key
        own = tuple(setting.metadata["types"])
        only = tuple(each for each in own if not types or each in types) or types
        kind = setting.metadata["kind"]
        yield Setting(where, here, setting, only, lists, tables)
        if kind in ("section", "sections", "table"):
            inner_lists, inner_tables = (here,) if kind == "sections" else (), (here,) if kind == "table" else ()
            yield from _walk(where, setting.metadata["cls"], here, only, lists + inner_lists, tables + inner_tables)


def lookup(name: str) -> tuple[Setting, ...]:
    """The settings of a name: the whole path, the place it stands in, or the end of a path. () where there is none."""
    word = name.strip().lower().replace(" ", "")
    for kind in KINDS:
        singular = KINDS[kind].word.replace(" ", "_")
        if word.startswith(f"{singular}."):
            word = kind + word[len(singular) :]
    whole = tuple(each for each in all_settings() if each.name == word) or tuple(each for each in all_settings() if each.where == word)
    return whole or tuple(each for each in all_settings() if each.name.endswith(f".{word}"))


def near(name: str) -> list[str]:
    """Settings that were probably meant, the likeliest first."""
    names = list(dict.fromkeys(part for each in all_settings() for part in (each.where, each.name, each.path.rpartition(".")[2])))
    guess = nearest(name, names)
    inside = [each for each in names if name.lower() in each]
    return list(dict.fromkeys([*([guess] if guess else []), *inside]))[:5]


def _sample(setting: Setting) -> str:
    """A value for the example: what a person might write, within the bounds."""
    meta, key = setting.field.metadata, setting.path.rpartition(".")[2]
    kind, low, high = setting.kind, meta["low"], meta["high"]
    if kind == "section":
        inner = next(each for each in _walk(setting.where, meta["cls"]) if "." not in each.path and each.kind != "section")
        return f"{{{inner.path}: {_sample(inner)}}}"
    if kind == "table":
        return "{hello: {do: end}}"
    if kind == "sections":
        if meta["of"] in SAMPLES:
            return SAMPLES[meta["of"]]
        inner_class: type = meta["cls"]
        wanted = [each for each in declared(inner_class).values() if each.default is MISSING and each.default_factory is MISSING] or [
            next(iter(declared(inner_class).values()))
        ]
        pairs = (f"{each.metadata['key'] or each.name}: {_sample(Setting(setting.where, each.metadata['key'] or each.name, each))}" for each in wanted)
        return f"[{{{', '.join(pairs)}}}]"
    if kind in ("ref", "refs") and meta["of"] in SAMPLES:
        sample = SAMPLES[meta["of"]]
        return sample if kind == "refs" else sample.strip("[]").split(",")[0]
    if kind == "choice":
        default = getattr(setting.field.default, "value", setting.field.default)
        return str(next((each for each in reversed(meta["choices"]) if each != default), meta["choices"][0]))
    if kind == "choices":
        return f"[{', '.join(meta['choices'][:2])}]"
    if key == "name" and kind == "name":
        return "evening"
    if key in _BY_KEY and kind in ("text", "texts", "name", "names", "moment", "words", "phone", "dial_string", "choice", "count", "number"):
        value = _BY_KEY[key]
        if kind not in ("count", "number") or (low or 0) <= float(value) <= (high if high is not None else float("inf")):
            return value
    if kind in ("duration", "count", "number", "rate", "per_day", "per_hour"):
        default = setting.field.default
        if default not in (MISSING, None) and default != 0:
            return show(kind, default)
        if low is not None and low < 0:
            return "1"
        middle = min(high or 50, 50) if kind.startswith("per_") else low or min(high or 10, 10 if kind != "rate" else 0.02)
        return show_duration(middle) if kind == "duration" else show(kind, middle)
    return VALUE_KINDS[kind].example
