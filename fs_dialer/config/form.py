"""A table of a file against the settings a dataclass declares: the values, and every problem.

Generic over core/options.py; knows no file kind and no campaign type by name. A bad value is told once, its path remembered in `bad`, and the
setting's default stands in, so that the rest of the file is checked as well.
"""

from __future__ import annotations

from dataclasses import MISSING, Field
from enum import Enum
from functools import cache
from typing import Any, get_type_hints

from fs_dialer.config.hours import read_hours
from fs_dialer.config.values import READERS, BadValue, moment, nearest, short, show
from fs_dialer.config.yaml_source import Broken, Listing, Node, Scalar, Table, YamlFile
from fs_dialer.core.options import declared

Values = dict[str, Any]  # by the dataclass's field names
_LISTS = ("names", "phones")


@cache
def hints_of(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls)


class Form:
    """One file being read. `campaign_type` decides which settings exist ("" = all); `lenient` passes over unknown keys that resemble no known one."""

    def __init__(self, file: YamlFile, campaign_type: str = "", *, lenient: bool = False) -> None:
        self.file, self.campaign_type, self.lenient = file, campaign_type, lenient
        self.bad: set[str] = set()
        self.places: dict[str, Node] = {}

    def note(self, node: Node, path: str, text: str) -> None:
        if not isinstance(node, Broken):
            self.file.problems.append(self.file.problem(node, path, text))
        self.bad.add(path)

    def clean(self, *paths: str) -> bool:
        """Were these settings read without a problem? Only then is a judgement on their values fair."""
        return not any(bad == path or bad.startswith(path + ".") or path.startswith(bad + ".") for bad in self.bad for path in paths)

    def place(self, path: str) -> Node | None:
        """Where a setting stands in the file; None where it was left out."""
        return self.places.get(path)

    def tell(self, path: str, text: str) -> None:
        """A problem found later with the setting at `path`, or with the nearest section around it that the file has."""
        around = path
        while around and around not in self.places:
            around = around.rpartition(".")[0]
        node = self.places.get(around) or self.file.root
        assert node is not None, "a file without a root has no settings to judge"
        self.note(node, path, text)

    def fill(self, cls: type, table: Table, path: str = "", *, beside: tuple[str, ...] = (), also: type | None = None) -> tuple[Values, Values]:
        """Values by field name for `cls`, and for `also`: a second set of settings in the same table (a mode's own).

        `beside` names keys that somebody else reads. A setting that is missing or bad is left out of the result.
        """
        ours, theirs = declared(cls), declared(also) if also else {}
        meant: set[str] = set()  # a required setting under a misspelt key is not told as missing too
        for key, entry in table.entries.items():
            if key not in ours and key not in theirs and key not in beside:
                guess = nearest(key, [*self._offered([*ours.items(), *theirs.items()]), *beside], cutoff=0.85 if self.lenient else 0.6)
                if guess or not self.lenient:
                    text = f"`{short(key)}` is no setting" + (f"; nearest: {guess}" if guess else "")
                    self.file.problems.append(self.file.problem(entry.key, path, text))
                meant |= {guess} if guess else set()
        return self._values(cls, ours, table, path, meant), self._values(also, theirs, table, path, meant) if also else {}

    def _offered(self, settings: list[tuple[str, Field[Any]]]) -> list[str]:
        ours = self.campaign_type
        return [key for key, setting in settings if not ours or not setting.metadata["types"] or ours in setting.metadata["types"]]

    def _values(self, cls: type, settings: dict[str, Field[Any]], table: Table, path: str, meant: set[str]) -> Values:
        values: Values = {}
        moments_last = sorted(settings.items(), key=lambda item: item[1].metadata["kind"] == "moment")  # they are read on the zone's clock
        for key, setting in moments_last:
            here = f"{path}.{key}" if path else key
            entry = table.entries.get(key)
            types = setting.metadata["types"]
            if entry is None:
                required = setting.default is MISSING and setting.default_factory is MISSING
                if required and key in meant:
                    self.bad.add(here)
                elif required and (not types or self.campaign_type in types):
                    self.note(table, here, f"is missing. {setting.metadata['help']}")
                continue
            self.places[here] = entry.key if isinstance(entry.value, Table) else entry.value
            if types and self.campaign_type and self.campaign_type not in types:
                self.note(entry.key, here, f"a {self.campaign_type} campaign has no such setting; it is there for {listed(types)}")
                continue
            found = self._value(cls, setting, entry.value, here, values, settings)
            if found is not MISSING:
                values[setting.name] = found
        return values

    def _value(self, cls: type, setting: Field[Any], node: Node, path: str, values: Values, settings: dict[str, Field[Any]]) -> Any:
        """The value of one setting; MISSING where it is bad."""
        kind = setting.metadata["kind"]
        if isinstance(node, Broken):
            self.bad.add(path)
            return MISSING
        if isinstance(node, Scalar) and node.plain and not node.text:
            self.note(node, path, "has no value: write one, or take the line away")
            return MISSING
        if kind == "section":
            return self._section(setting, node, path)
        if kind == "hours":
            hours = read_hours(node, lambda where, text: self.note(where, path, text))
            self.bad |= {path} if hours is None else set()
            return MISSING if hours is None else hours
        if kind in _LISTS:
            return self._list(kind, node, path)
        if not isinstance(node, Scalar):
            self.note(node, path, f"one value is expected, not {'a list' if isinstance(node, Listing) else 'a group of settings'}")
            return MISSING
        try:
            if kind == "choice":
                return _choice(setting, hints_of(cls)[setting.name], node.text)
            if kind == "moment":
                zone = values.get("zone", settings["zone"].default) if "zone" in settings else "UTC"
                return moment(node.text, zone)
            value = READERS[kind](node.text)
            within(setting, value)
            return value
        except BadValue as error:
            self.note(node, path, str(error))
            return MISSING

    def _section(self, setting: Field[Any], node: Node, path: str) -> Any:
        cls: type = setting.metadata["cls"]
        if not isinstance(node, Table):
            keys = ", ".join(self._offered(list(declared(cls).items())))
            self.note(node, path, f"settings are expected here: {keys}")
            return MISSING
        values, _ = self.fill(cls, node, path)
        return cls(**values) if complete(cls, values) else MISSING

    def _list(self, kind: str, node: Node, path: str) -> Any:
        """A list, or one value standing for a list of one; bad items are told and left out."""
        parts = node.items if isinstance(node, Listing) else (node,)
        found: list[str] = []
        for part in parts:
            if not isinstance(part, Scalar):
                self.note(part, path, "a list of plain values is expected, as in [one, two]")
                continue
            try:
                value = READERS[kind](part.text)
                if value in found:
                    raise BadValue(f"`{value}` stands twice in the list")
                found.append(value)
                self.places[f"{path}.{value}"] = part
            except BadValue as error:
                self.note(part, path, str(error))
        return tuple(found)


def complete(cls: type, values: Values) -> bool:
    """Is every required setting of `cls` among the values? Where not, its problem has been told."""
    return all(f.name in values for f in declared(cls).values() if f.default is MISSING and f.default_factory is MISSING)


def _choice(setting: Field[Any], hint: Any, text: str) -> Any:
    word = text.strip().lower()
    choices = setting.metadata["choices"]
    if word not in choices:
        guess = nearest(word, choices)
        raise BadValue(f"`{short(text)}` is none of {listed(choices)}" + (f"; nearest: {guess}" if guess else ""))
    return hint(word) if isinstance(hint, type) and issubclass(hint, Enum) else word


def within(setting: Field[Any], value: Any) -> None:
    """BadValue where the value lies outside the setting's bounds."""
    kind, low, high = setting.metadata["kind"], setting.metadata["low"], setting.metadata["high"]
    if low is not None and value < low:
        raise BadValue(f"{show(kind, value)} is below {show(kind, low)}, the least")
    if high is not None and value > high:
        raise BadValue(f"{show(kind, value)} is above {show(kind, high)}, the most")


def listed(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
