"""Things as written → everything resolved, or every problem at once.

Given things lie over stored ones. All that is given, and every stored thing that hangs on it, is judged; other stored things are read only when asked for,
and are left out where an older version stored what this one can not read. Names are looked for among the given things first, then among the stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from fs_dialer.config.crosscheck import Judge
from fs_dialer.config.definitions import Unit, gateway_names, read_defaults, read_thing
from fs_dialer.config.origins import Origins
from fs_dialer.config.shelf import UNSOUND, Default, Elsewhere
from fs_dialer.config.things import DEFAULTS, INSTALLATION, KINDS, Key, Kind, Thing, node_of, references, things_of, word_of
from fs_dialer.config.writing import write_yaml
from fs_dialer.config.yaml_source import YamlFile, read_yaml
from fs_dialer.core.definition import AgentDefinition, Campaign, Installation
from fs_dialer.errors import ConfigError, Problem

__all__ = ["KINDS", "Key", "Kind", "Library", "Thing", "builtin_profiles", "read_things", "references", "resolve", "write_yaml"]

OWN_LIST = "own"  # the do-not-call list that every installation has
_STAND_IN = {"agents": "agents stand below agents:", "gateways": "gateways stand in installation.yml", "campaigns": "a campaign is a file of its own"}


@dataclass(frozen=True, slots=True)
class Library:
    """Everything resolved. `origins`: campaign → setting → where its value comes from, as in "summer.yml:4", "schedules office", "built in"."""

    campaigns: Mapping[str, Campaign] = field(default_factory=dict)
    agents: Mapping[str, AgentDefinition] = field(default_factory=dict)
    installation: Installation | None = None
    named: Mapping[Key, Any] = field(default_factory=dict)
    things: Mapping[Key, Thing] = field(default_factory=dict)
    origins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()  # what works and is hardly meant, of what was given


def read_things(paths: Sequence[Path | str]) -> tuple[tuple[Thing, ...], tuple[Path, ...]]:
    """The things in files and folders, and the files there that other commands read (fs-dialer.yml, people.yml).

    ConfigError where a file is no YAML, or names things as they can not be named; what their settings say is judged by `resolve`.
    """
    from fs_dialer.config.load import gather  # which builds on this module

    found = gather(paths)
    if found.problems:
        raise ConfigError(in_order(found.problems))
    return found.things, found.passed_over


def resolve(
    things: Iterable[Thing], stored: Iterable[Thing] = (), *, only: Collection[Key] | None = None, removed: Collection[Key] = (), removed_by: str = ""
) -> Library:
    """Lay things over those stored, and judge what they touch: themselves, and every stored thing that names them, directly or through others.

    `only`: what is wanted of the result besides what is judged; None = everything. `removed`: stored things that are to vanish, `removed_by`
    what, as in "--prune". ConfigError with all problems, sorted by place.
    """
    shelf = Books(things, stored, removed, removed_by=removed_by)
    problems = shelf.judge()
    if problems:
        raise ConfigError(in_order(problems))
    return shelf.library(only)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.file, problem.line, problem.column, problem.path))


@cache
def builtin_profiles() -> Mapping[str, Any]:
    """The profiles that come with the program."""
    path = Path(__file__).with_name("profiles.yml")
    file = read_yaml(path.name, path.read_bytes())
    units = [read_thing(thing, file) for thing in things_of(file)]
    if file.problems:
        raise ConfigError(file.problems)
    return {unit.thing.name: unit.value for unit in units}


def _built_in(kind: str) -> frozenset[str]:
    """Names that stand for something without being defined."""
    if kind == "dnc_lists":
        return frozenset({OWN_LIST})
    return frozenset(builtin_profiles()) if kind == "profiles" else frozenset()


class Books:
    """The shelf of one `resolve`: things by key, each read once and when it is asked for."""

    def __init__(
        self,
        given: Iterable[Thing],
        stored: Iterable[Thing] = (),
        removed: Collection[Key] = (),
        *,
        known: Mapping[Key, AgentDefinition | None] | None = None,
        removed_by: str = "",
    ) -> None:
        self.problems: list[Problem] = []
        self.removed = frozenset(removed)
        self._removed_by = removed_by
        self.known = dict(known or {})  # agents and gateways that exist without being things; None = by name only
        self.given: dict[Key, Thing] = {}
        self._files: dict[int, YamlFile] = {}
        for thing in given:
            first = self.given.setdefault(thing.key, thing)
            if first is not thing:
                self._tell_double(thing, first)
        was = {thing.key: thing for thing in stored}
        self.before = was
        self.things: dict[Key, Thing] = {key: thing for key, thing in was.items() if key not in self.removed} | self.given
        self._names: dict[str, Collection[str]] = {}
        self._units: dict[Key, Unit] = {}
        self._defaults: dict[str, Default] | None = None
        self._elsewhere: dict[tuple[Default, str, str], list[str]] = {}

    # --- what names mean (form.Shelf) -------------------------------------------------------------------------------------------------

    def find(self, kind: str, name: str) -> Any:
        if kind == "profiles" and (kind, name) not in self.things:
            return builtin_profiles().get(name)
        if (kind, name) not in self.things:
            return None
        unit = self.unit((kind, name))
        return UNSOUND if unit.value is None or unit.form.bad else unit.value

    def names(self, kind: str) -> Collection[str]:
        if kind not in self._names:
            if kind == "gateways":
                found = set(gateway_names(self.things[INSTALLATION])) if INSTALLATION in self.things else set()
            else:
                singular = "campaign" if kind == "campaigns" else kind
                found = {name for each, name in self.things if each == singular}
            found |= {name for each, name in self.known if each == kind}
            self._names[kind] = found | _built_in(kind)
        return self._names[kind]

    def word(self, kind: str) -> tuple[str, str]:
        singular = {"gateways": "gateway", "campaigns": "campaign"}.get(kind) or word_of(kind)
        return singular, _STAND_IN.get(kind, f"{singular}s stand below {kind}:")

    def agent(self, name: str) -> AgentDefinition | None:
        """An agent's definition, as far as it is known."""
        if ("agents", name) in self.things:
            value = self.unit(("agents", name)).value
            return value if isinstance(value, AgentDefinition) else None
        return self.known.get(("agents", name))

    # --- reading ----------------------------------------------------------------------------------------------------------------------

    def unit(self, key: Key) -> Unit:
        if key not in self._units:
            thing = self.things[key]
            defaults = self.defaults() if thing.kind == "campaign" else None
            self._units[key] = unit = read_thing(thing, self.file(thing), self._own_shelf(thing), defaults)
            for each in unit.form.elsewhere:
                self.note_elsewhere(thing, each)
        return self._units[key]

    def _own_shelf(self, thing: Thing) -> Books | None:
        """A sound's file is never another sound."""
        return None if thing.kind == "sounds" else self

    def defaults(self) -> Mapping[str, Default]:
        if self._defaults is None:
            self._defaults = {}
            if thing := self.things.get(DEFAULTS):
                self._defaults = read_defaults(thing, self.file(thing), self)
        return self._defaults

    def file(self, thing: Thing) -> YamlFile:
        """Where a thing's problems go: its file without those of an earlier reading; for a stored thing one of its own."""
        mark = id(thing.origin.file) if thing.origin else id(thing)
        if mark not in self._files:
            self._files[mark] = replace(thing.origin.file, problems=[], warnings=[]) if thing.origin else YamlFile(f"{thing.title}, as stored")
        return self._files[mark]

    def note_elsewhere(self, thing: Thing, found: Elsewhere) -> None:
        self._elsewhere.setdefault((found.default, found.path, found.text), []).append(thing.name)

    # --- judging ----------------------------------------------------------------------------------------------------------------------

    def judge(self) -> list[Problem]:
        """Every problem of what is given and of what hangs on it."""
        touched = self.touched()
        if DEFAULTS in touched:
            self.defaults()
        units = [self.unit(key) for key in touched if key != DEFAULTS]
        judge = Judge(self)
        for unit in units:
            before = len(unit.form.elsewhere)
            judge.judge(unit)
            for each in unit.form.elsewhere[before:]:
                self.note_elsewhere(unit.thing, each)
        problems = list(self.problems)
        for key in touched:
            thing = self.things[key]
            found = self.file(thing).problems
            problems += found if thing.origin else [replace(each, text=each.text + self._because(key, each.text)) for each in found]
        return problems + list(self._about_defaults(touched))

    def touched(self) -> list[Key]:
        """What is given, and what hangs on it or on what is removed, in a steady order."""
        changed = [*self.given, *(key for key in self.removed if key in self.before)]
        reached = dict.fromkeys(changed)
        if changed and len(self.things) > len(self.given):
            by_name = self._hang_on()
            queue = list(changed)
            while queue:
                for key in by_name.get(queue.pop(), ()):
                    if key not in reached:
                        reached[key] = None
                        queue.append(key)
        return [key for key in reached if key in self.things]

    def _hang_on(self) -> dict[Key, list[Key]]:
        """Thing → those that name it, say so by leaving a name out, or rest on it."""
        found: dict[Key, list[Key]] = {}
        for key, thing in self.things.items():
            for named in self._rests_on(thing):
                found.setdefault(named, []).append(key)
        return found

    def _rests_on(self, thing: Thing) -> set[Key]:
        named = references(thing)
        source = thing.source if isinstance(thing.source, Mapping) else {}
        if thing.kind == "campaign":
            named |= {DEFAULTS, INSTALLATION, ("scripts", "default")}
            if "dispositions" not in source:
                named |= self._all("dispositions")
            if ("caller_ids", "all") in named or "all" in _caller_ids(source):
                named |= self._all("caller_ids")
        elif thing.key == DEFAULTS and "all" in _caller_ids(source):
            named |= self._all("caller_ids")
        elif thing.kind in ("webhooks", "ivrs", "queues"):  # hosts that may be asked, trunks
            named |= {INSTALLATION}
        return named

    def _all(self, kind: str) -> set[Key]:
        return {key for things in (self.things, self.before) for key in things if key[0] == kind}

    def _because(self, key: Key, told: str = "") -> str:
        """Why a stored thing is judged: what it names, directly or through others, that is removed here, else what is changed. `told`: the problem."""
        gone: dict[Key, str] = {}
        hang: dict[Key, str] = {}
        queue, seen = [key], {key}
        while queue:
            here = queue.pop(0)
            for named in sorted(self._rests_on(self.things[here])):
                if named in seen:
                    continue
                seen.add(named)
                if named in self.given and named != key and self._changes(named):
                    hang[named] = f"{self.given[named].title}, which {self.given[named].place} changes"
                elif named in self.removed:
                    gone[named] = self._gone(named, self.things[here])
                elif named in self.things:
                    queue.append(named)
        if gone:
            return "; " + next((text for (_, name), text in gone.items() if f"`{name}`" in told), next(iter(gone.values())))
        named_here = [hang[each] for each in hang if each in references(self.things[key])] or list(hang.values())
        return f"; it rests on {named_here[0]}" if named_here else ""

    def _changes(self, key: Key) -> bool:
        """Whether what is given says something else than what is stored."""
        before = self.before.get(key)
        return before is None or before.source != self.given[key].source

    def _gone(self, key: Key, named_by: Thing) -> str:
        by = f" by {self._removed_by}" if self._removed_by else ""
        return f"{word_of(key[0])} {key[1]}".strip() + f" is removed{by} but named by {named_by.title}"

    def _about_defaults(self, touched: Collection[Key]) -> Iterator[Problem]:
        for (default, path, text), names in self._elsewhere.items():
            concerned = sorted(name for name in set(names) if ("campaign", name) in touched)
            if concerned:
                shown = ", ".join(concerned[:3]) + (f" and {len(concerned) - 3} more" if len(concerned) > 3 else "")
                because = "" if self.things[DEFAULTS].origin else self._because(DEFAULTS)
                yield default.file.problem(default.node, path, f"{text} (for {shown}){because}")

    def _tell_double(self, thing: Thing, first: Thing) -> None:
        file = self.file(thing)
        if thing.kind == "campaign":
            text = f"{first.file} is a campaign of the same name: file names must differ, even in different folders"
            self.problems.append(file.problem_at(0, 0, "", text))
        elif thing.kind in KINDS:
            node = thing.origin.key if thing.origin and thing.origin.key else node_of("")
            text = f"this {word_of(thing.kind)} is defined in {first.file} as well: keep one"
            self.problems.append(file.problem(node, f"{thing.kind}.{thing.name}", text))
        else:
            are = "are" if thing.kind == "defaults" else "is"
            self.problems.append(file.problem_at(0, 0, "", f"the {thing.kind} {are} described in {first.file} as well: keep one"))

    # --- the result -------------------------------------------------------------------------------------------------------------------

    def library(self, only: Collection[Key] | None = None) -> Library:
        if only is None:
            wanted: Iterable[Key] = self.things
        else:
            wanted = dict.fromkeys([*(key for key in only if key in self.things), *self._units])
        units: dict[Key, Unit] = {}
        for key in list(wanted):
            if key != DEFAULTS:
                unit = self.unit(key)
                if unit.value is not None and not unit.form.bad and not self._is_spoilt(unit):
                    units[key] = unit
        campaigns = {key[1]: unit for key, unit in units.items() if key[0] == "campaign"}
        installation = units.get(INSTALLATION)
        return Library(
            campaigns={name: unit.value for name, unit in campaigns.items()},
            agents={key[1]: unit.value for key, unit in units.items() if key[0] == "agents"},
            installation=installation.value if installation else None,
            named={key: unit.value for key, unit in units.items() if key[0] in KINDS and key[0] != "agents"},
            things=self.things if only is None else {key: self.things[key] for key in wanted},
            origins={name: Origins(unit) for name, unit in campaigns.items()},
            warnings=tuple(in_order(each for key in self.given for each in self.file(self.things[key]).warnings)),
        )

    def _is_spoilt(self, unit: Unit) -> bool:
        """Unknown keys leave no bad path; a stored thing's file is its own, so any problem there is the thing's."""
        return unit.thing.origin is None and bool(unit.file.problems)


def _caller_ids(source: Any) -> tuple[str, ...]:
    """What stands for a campaign's caller ids, as words."""
    value = source.get("caller_id")
    if isinstance(value, Mapping):
        value = value.get("from")
    return (value.strip().lower(),) if isinstance(value, str) else ()
