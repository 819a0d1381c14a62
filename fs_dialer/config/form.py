"""A table of a file against the settings a dataclass declares: the values, and every problem.

Generic over core/options.py; knows no file kind and no campaign type by name. A bad value is told once, its path remembered in `bad`, and the
setting's default stands in, so that the rest of the file is checked as well. What a name means is asked of a `Shelf`; what stands in for a setting that
was left out, of `Defaults`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field
from typing import Any

from fs_dialer.config.declarations import SIGNS, Values, choice, complete, declared_list, does, embedded, hints_of, listed, reader, within, zone_of
from fs_dialer.config.filters import BadFilter
from fs_dialer.config.hours import read_holidays, read_hours
from fs_dialer.config.kinds import KINDS
from fs_dialer.config.shelf import UNSOUND, Defaults, Elsewhere, Shelf
from fs_dialer.config.values import BadValue, moment, name, nearest, short, switch_name
from fs_dialer.config.yaml_source import Broken, Entry, Listing, Node, Scalar, Table, YamlFile
from fs_dialer.core.options import declared

_LISTS = ("names", "phones", "refs", "texts", "hosts", "choices")


class Form:
    """One thing of a file being read.

    `campaign_type` decides which settings exist ("" = all); `lenient` passes over unknown keys that resemble no known one; `partial`: no setting is required.
    """

    def __init__(
        self,
        file: YamlFile,
        campaign_type: str = "",
        *,
        lenient: bool = False,
        partial: bool = False,
        shelf: Shelf | None = None,
        defaults: Defaults | None = None,
        others: Mapping[str, tuple[str, ...]] | None = None,
        root: Table | None = None,
    ) -> None:
        self.file, self.campaign_type, self.lenient, self.partial, self.shelf = file, campaign_type, lenient, partial, shelf
        self.noun = "campaign"  # what `campaign_type` is a type of: inside a flow of its nodes
        self.defaults: Defaults = defaults or {}
        self.others: Mapping[str, tuple[str, ...]] = others or {}  # settings that other types have at the top, with these types
        self.root = root if root is not None else file.root
        self.bad: set[str] = set()
        self.places: dict[str, Node] = {}
        self.leaves: Values = {}  # every value that was read, by its path
        self.used: dict[str, tuple[str, str]] = {}  # path → the thing that was put there by its name
        self.elsewhere: list[Elsewhere] = []

    def note(self, node: Node, path: str, text: str) -> None:
        if not isinstance(node, Broken):
            self.file.problems.append(self.file.problem(node, path, text))
        self.bad.add(path)

    def warn(self, path: str, text: str) -> None:
        """Something that works and is hardly meant: told beside the problems, and no hindrance."""
        self.file.warnings.append(self.file.problem(self._around(path), path, text))

    def clean(self, *paths: str) -> bool:
        """Were these settings read without a problem? Only then is a judgement on their values fair."""
        return not any(bad == path or bad.startswith(path + ".") or path.startswith(bad + ".") for bad in self.bad for path in paths)

    def place(self, path: str) -> Node | None:
        """Where a setting stands in the file; None where it was left out."""
        return self.places.get(path)

    def written(self, path: str) -> bool:
        """Did anybody write this setting, here or in defaults.yml?"""
        return path in self.places or path in self.defaults

    def tell(self, path: str, text: str) -> None:
        """A problem found later with the setting at `path`, or with the nearest section around it that the file has."""
        if path not in self.places and (default := self.defaults.get(path)):
            self.elsewhere.append(Elsewhere(default, path, text))
            self.bad.add(path)
            return
        self.note(self._around(path), path, text)

    def _around(self, path: str) -> Node:
        """Where a setting stands, or the nearest section around it that the file has."""
        while path and path not in self.places:
            path = path.rpartition(".")[0]
        node = self.places.get(path) or self.root
        assert node is not None, "a file without a root has no settings to judge"
        return node

    def tell_item(self, path: str, item: str, text: str) -> None:
        """A problem with one item of a list, at that item's own place."""
        node = self.places.get(f"{path}.{item}")
        if node is None:
            self.tell(path, text)
        else:
            self.note(node, path, text)

    def fill(self, cls: type, table: Table, path: str = "", *, beside: tuple[str, ...] = (), also: Iterable[type] = ()) -> tuple[Values, Values]:
        """Values by field name for `cls`, and for `also`: other sets of settings in the same table (a mode's own).

        `beside` names keys that somebody else reads. A setting that is missing or bad is left out of the result.
        """
        ours = declared(cls)
        sets = [(each, declared(each)) for each in also]
        known = {**ours, **{key: setting for _, theirs in sets for key, setting in theirs.items()}}
        meant: set[str] = set()  # a required setting under a misspelt key is not told as missing too
        for key, entry in table.entries.items():
            if key not in known and key not in beside:
                if not path and (types := self.others.get(key)):
                    self.note(entry.key, key, self._foreign(types))
                    continue
                guess = nearest(key, [*self._offered(list(known.items())), *beside], cutoff=0.85 if self.lenient else 0.6)
                if guess or not self.lenient:
                    text = f"`{short(key)}` is no setting" + (f"; nearest: {guess}" if guess else "")
                    self.file.problems.append(self.file.problem(entry.key, path, text))
                meant |= {guess} if guess else set()
        values = self._values(cls, ours, table, path, meant)
        more: Values = {}
        for each, theirs in sets:
            more |= self._values(each, theirs, table, path, meant)
        return values, more

    def _foreign(self, types: tuple[str, ...]) -> str:
        article = "an" if self.campaign_type[:1] in "aeiou" else "a"
        return f"{article} {self.campaign_type} {self.noun} has no such setting; it is there for {listed(types)}"

    def _offered(self, settings: list[tuple[str, Field[Any]]]) -> list[str]:
        ours = self.campaign_type
        return [key for key, setting in settings if not ours or not setting.metadata["types"] or ours in setting.metadata["types"]]

    def _values(self, cls: type, settings: Mapping[str, Field[Any]], table: Table, path: str, meant: set[str]) -> Values:
        values: Values = {}
        moments_last = sorted(settings.items(), key=lambda item: item[1].metadata["kind"] == "moment")  # they are read on the zone's clock
        for key, setting in moments_last:
            here = f"{path}.{key}" if path else key
            entry = table.entries.get(key)
            types = setting.metadata["types"]
            if entry is None:
                if types and self.campaign_type and self.campaign_type not in types:
                    continue
                found = self._default(cls, setting, here, values, settings) if self.defaults else MISSING
                if found is not MISSING:
                    values[setting.name] = found
                elif setting.default is MISSING and setting.default_factory is MISSING and not self.partial:
                    if key in meant:
                        self.bad.add(here)
                    else:
                        among = f" One of {listed(setting.metadata['choices'])}" if len(setting.metadata["choices"]) > 1 else ""
                        self.note(table, here, f"is missing. {setting.metadata['help']}{among}")
                continue
            self.places[here] = entry.key if isinstance(entry.value, Table) else entry.value
            if types and self.campaign_type and self.campaign_type not in types:
                self.note(entry.key, here, self._foreign(types))
                continue
            found = self._value(cls, setting, entry.value, here, values, settings)
            if found is not MISSING:
                values[setting.name] = found
                if setting.metadata["kind"] != "section":
                    self.leaves[here] = found
        return values

    def _default(self, cls: type, setting: Field[Any], path: str, values: Values, settings: Mapping[str, Field[Any]]) -> Any:
        """What defaults.yml says of a setting that was left out; MISSING where it says nothing."""
        if setting.metadata["kind"] == "section":
            if not any(each.startswith(path + ".") for each in self.defaults):
                return MISSING
            table = self.root or Table({}, 1, 1)
            found, _ = self.fill(setting.metadata["cls"], Table({}, table.line, table.column), path)
            return setting.metadata["cls"](**found) if complete(setting.metadata["cls"], found) else MISSING
        default = self.defaults.get(path)
        if default is None:
            return MISSING
        if setting.metadata["kind"] == "moment" and isinstance(default.node, Scalar):
            try:
                return moment(default.node.text, zone_of(values, settings))
            except BadValue as error:
                self.elsewhere.append(Elsewhere(default, path, str(error)))
                self.bad.add(path)
                return MISSING
        return default.value

    def _value(self, cls: type, setting: Field[Any], node: Node, path: str, values: Values, settings: Mapping[str, Field[Any]]) -> Any:
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
        if kind == "sections":
            return self._sections(setting, node, path)
        if kind == "table":
            return self._table(setting, node, path)
        if kind == "hours" and not (isinstance(node, Scalar) and setting.metadata["of"]):
            return self._whole(path, read_hours(node, lambda where, text: self.note(where, path, text)))
        if kind == "holidays":
            return self._whole(path, read_holidays(node, lambda where, text: self.note(where, path, text)))
        if kind in _LISTS:
            return self._list(cls, setting, node, path)
        if kind in ("words", "by_name"):
            return self._pairs(setting, node, path)
        if isinstance(node, Table) and kind == "text" and any(isinstance(each.value, Scalar) and not each.value.text for each in node.entries.values()):
            self.note(node, path, "a text that begins with { stands in quotes: '{name}'")
            return MISSING
        if not isinstance(node, Scalar):
            self.note(node, path, f"one value is expected, not {'a list' if isinstance(node, Listing) else 'a group of settings'}")
            return MISSING
        try:
            if kind == "choice":
                return choice(setting, hints_of(cls)[setting.name], node.text)
            if kind == "moment":
                return moment(node.text, zone_of(values, settings))
            if kind in ("ref", "hours"):
                return self._named(cls, setting, node, path, node.text)
            if setting.metadata["of"] and self.shelf and (found := self._instead(setting, node, path)) is not None:
                return found
            value = reader(kind)(node.text)
            within(setting, value)
            return value
        except BadFilter as error:
            at = Scalar(node.text, node.line, node.column + (error.column - 1 + (not node.plain) if node.line else 0))
            cut = "; inside { } a comma ends a value: put the condition in quotes" if node.plain and node.text.count("(") > node.text.count(")") else ""
            self.note(at if "\n" not in node.text else node, path, f"{error}{cut}")
            return MISSING
        except BadValue as error:
            self.note(node, path, str(error))
            return MISSING

    # --- names ------------------------------------------------------------------------------------------------------------------------

    def _named(self, cls: type, setting: Field[Any], node: Node, path: str, text: str) -> Any:
        """What a name stands for: the thing where the field keeps it, else the name itself. BadValue where there is none of that name."""
        kind, word = setting.metadata["of"], name(text)
        if self.shelf is None:
            return MISSING if embedded(cls, setting.name) else word
        if not embedded(cls, setting.name):
            if word not in self.shelf.names(kind):
                raise BadValue(self.unknown(kind, word))
            return word
        found = self.shelf.find(kind, word)
        if found is None:
            raise BadValue(self.unknown(kind, word))
        self.used[path] = (kind, word)
        if found is UNSOUND:
            self.bad.add(path)
            return MISSING
        return found.hours if setting.metadata["kind"] == "hours" else found

    def unknown(self, kind: str, word: str) -> str:
        assert self.shelf is not None
        what, where = self.shelf.word(kind)
        guess = nearest(word, sorted(self.shelf.names(kind)))
        return f"`{word}` is no {what} we know" + (f"; nearest: {guess}" if guess else "") + f"; {where}"

    def _instead(self, setting: Field[Any], node: Scalar, path: str) -> Any:
        """For kinds that may hold a name or a value: what the name stands for, None where the text is a value of its own."""
        kind, word = setting.metadata["of"], node.text.strip()
        assert self.shelf is not None
        found = self.shelf.find(kind, word)
        if found is UNSOUND:
            self.bad.add(path)
            return MISSING
        if found is None:
            if setting.metadata["kind"] == "filter" and word.replace("-", "").replace("_", "").isalnum():
                raise BadValue(self.unknown(kind, word) + "; a condition says of a field what it must be: tier = gold")
            if setting.metadata["kind"] == "sound" and not set(word) & set("./:") and nearest(word, sorted(self.shelf.names(kind))):
                raise BadValue(self.unknown(kind, word) + "; a file has an ending, as in sorry.wav")
            return None
        self.used[path] = (kind, word)
        return found.file if setting.metadata["kind"] == "sound" else found.where

    # --- groups and lists -------------------------------------------------------------------------------------------------------------

    def _whole(self, path: str, value: Any) -> Any:
        if value is None:
            self.bad.add(path)
        return MISSING if value is None else value

    def _section(self, setting: Field[Any], node: Node, path: str) -> Any:
        cls: type = setting.metadata["cls"]
        if not isinstance(node, Table):
            short_key = setting.metadata["short"]
            if not short_key:
                keys = ", ".join(self._offered(list(declared(cls).items())))
                self.note(node, path, f"settings are expected here: {keys}")
                return MISSING
            node = Table({short_key: Entry(Scalar(short_key, node.line, node.column), node)}, node.line, node.column)
        values, _ = self.fill(cls, node, path)
        return cls(**values) if complete(cls, values) else MISSING

    def _sections(self, setting: Field[Any], node: Node, path: str) -> Any:
        """A list of groups; one group stands for a list of one, and a name for a list that is declared elsewhere."""
        cls: type = setting.metadata["cls"]
        kind = setting.metadata["of"]
        if isinstance(node, Scalar) and kind and self.shelf is None:
            return MISSING
        if isinstance(node, Scalar) and kind and self.shelf:
            try:
                found = self.shelf.find(kind, word := name(node.text))
                if found is None:
                    raise BadValue(self.unknown(kind, word))
            except BadValue as error:
                self.note(node, path, str(error))
                return MISSING
            self.used[path] = (kind, word)
            if found is UNSOUND:
                self.bad.add(path)
                return MISSING
            return getattr(found, declared_list(type(found)))
        items = node.items if isinstance(node, Listing) else (node,)
        made = []
        partial, self.partial, defaults, self.defaults = self.partial, False, self.defaults, {}
        for number, item in enumerate(items, 1):
            here = f"{path}.{number}"
            if not isinstance(item, Table):
                self.note(item, here, f"settings are expected here: {', '.join(declared(cls))}")
                continue
            self.places[here] = item
            values, _ = self.fill(cls, item, here)
            if complete(cls, values):
                made.append(cls(**values))
        self.partial, self.defaults = partial, defaults
        return tuple(made) if self.clean(path) else MISSING

    def _table(self, setting: Field[Any], node: Node, path: str) -> Any:
        """Names, each with settings of its own; `do` among them says which of these it has, as the type of a campaign does."""
        cls: type = setting.metadata["cls"]
        if not isinstance(node, Table):
            self.note(node, path, f"names are expected below, each with its settings ({', '.join(declared(cls))})")
            return MISSING
        made = []  # bad ones are told and left out, so that the rest of the flow can be judged
        outer = self.partial, self.defaults, self.campaign_type, self.noun
        self.partial, self.defaults, self.noun = False, {}, "node"
        for word, entry in node.entries.items():
            here = f"{path}.{word}"
            self.places[here] = entry.key
            try:
                identifier = switch_name(word)
            except BadValue as error:
                self.note(entry.key, path, str(error))
                continue
            if isinstance(entry.value, Broken):
                self.bad.add(here)
                continue
            if not isinstance(entry.value, Table):
                self.note(entry.key, here, f"settings are expected here, as in {word}: {{do: play, sound: hello.wav}}")
                continue
            self.campaign_type = does(cls, entry.value)
            values, _ = self.fill(cls, entry.value, here)
            if complete(cls, values):
                made.append(cls(name=identifier, **values))
        self.partial, self.defaults, self.campaign_type, self.noun = outer
        return tuple(made)

    def _list(self, cls: type, setting: Field[Any], node: Node, path: str) -> Any:
        """A list, or one value standing for a list of one; bad items are told and left out."""
        kind, of = setting.metadata["kind"], setting.metadata["of"]
        if kind == "phones" and of and self.shelf and isinstance(node, Scalar) and node.text.strip().lower() == "all":
            self.used[path] = (of, "all")
            return tuple(sorted(self.shelf.names(of)))
        parts = node.items if isinstance(node, Listing) else (node,)
        found: list[Any] = []
        for part in parts:
            if not isinstance(part, Scalar):
                self.note(part, path, "a list of plain values is expected, as in [one, two]")
                continue
            try:
                if kind == "refs":
                    value = self._named(cls, setting, part, f"{path}.{part.text.strip()}", part.text)
                elif kind == "choices":
                    value = choice(setting, str, part.text)
                else:
                    value = reader(kind)(part.text)
                if value is MISSING:
                    continue
                if value in found:
                    raise BadValue(f"`{getattr(value, 'name', value)}` stands twice in the list")
                found.append(value)
                self.places[f"{path}.{getattr(value, 'name', value)}"] = part
            except BadValue as error:
                self.note(part, path, str(error))
        return tuple(found)

    def _pairs(self, setting: Field[Any], node: Node, path: str) -> Any:
        """A table of names and values → pairs, in its order."""
        kind = setting.metadata["kind"]
        value_kind = setting.metadata["of"] if kind == "by_name" else "text"
        if not isinstance(node, Table):
            self.note(node, path, f"names and values are expected, as in {KINDS[kind].example}")
            return MISSING
        pairs: list[tuple[str, Any]] = []
        for entry in node.entries.values():
            here = f"{path}.{entry.key.text}"
            self.places[here] = entry.key
            parts = entry.value.items if isinstance(entry.value, Listing) and kind == "words" else (entry.value,)
            try:
                if sign := SIGNS.get(entry.key.text):
                    raise BadValue(f"the key `{entry.key.text}` is written {sign}")
                key = name(entry.key.text)
                read = []
                for part in parts:
                    if not isinstance(part, Scalar) or (part.plain and not part.text):
                        raise BadValue("a value is expected" + (", or a list of them" if kind == "words" else ""))
                    value = reader(value_kind)(part.text)
                    if kind == "by_name":
                        within(setting, value, value_kind)
                    elif len(parts) > 1 and "|" in value:
                        raise BadValue("`|` stands between the values of a list, so it can not stand in one")
                    read.append(value)
                pairs.append((key, read[0] if kind == "by_name" else "|".join(read)))
            except BadValue as error:
                self.note(entry.value if isinstance(entry.value, Scalar) and entry.value.text else entry.key, here, str(error))
        return tuple(pairs) if self.clean(path) else MISSING
