"""Definitions as they were written: one `Thing` for each campaign, agent, schedule …, out of files or out of the database.

Knows the kinds of things, where in a file each stands, and what names what. What a thing means is read in library.py. A thing's `source` is a tree of
texts that JSON holds: what stood in the file, nothing typed, nothing merged; so an export gives back what was applied.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePath
from typing import Any, Literal

from fs_dialer.config.values import BadValue, name, nearest, phone, short, switch_name
from fs_dialer.config.yaml_source import Broken, Entry, Listing, Node, Scalar, Table, YamlFile
from fs_dialer.core.definition import AgentDefinition, Campaign, Installation
from fs_dialer.core.flow import Ivr
from fs_dialer.core.options import declared
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.core.resources import (
    CallerIdDefinition,
    Disposition,
    DncList,
    Group,
    Profile,
    RuleSet,
    SavedFilter,
    Schedule,
    Script,
    Sound,
    Team,
    Trigger,
    Webhook,
)
from fs_dialer.modes import SETTINGS

Key = tuple[str, str]  # kind and name
FileKind = Literal["campaign", "tables", "installation", "defaults", "daemon", "people", "unknown"]
INSTALLATION: Key = ("installation", "")
DEFAULTS: Key = ("defaults", "")


@dataclass(frozen=True, slots=True)
class Kind:
    """`embeds`: campaigns keep the thing itself, so a change of it is a change of theirs and needs their approval (D5). `read_name`: a key in the file."""

    cls: type
    word: str  # one of them, in messages
    embeds: bool = False
    key: str = "name"  # the field that its key in the file fills
    short: str = ""  # the setting that a plain value or a list stands for: `sorry: sorry.wav`
    read_name: Callable[[str], str] = name


KINDS: dict[str, Kind] = {
    "agents": Kind(AgentDefinition, "agent", key="id"),
    "teams": Kind(Team, "team", short="people"),
    "schedules": Kind(Schedule, "schedule", embeds=True),
    "caller_ids": Kind(CallerIdDefinition, "caller id", embeds=True, read_name=phone),
    "sounds": Kind(Sound, "sound", embeds=True, short="file"),
    "scripts": Kind(Script, "script", embeds=True, short="items"),
    "dispositions": Kind(Disposition, "disposition", embeds=True),
    "groups": Kind(Group, "group"),
    "filters": Kind(SavedFilter, "filter", embeds=True, short="where"),
    "dnc_lists": Kind(DncList, "do-not-call list"),
    "rule_sets": Kind(RuleSet, "rule set", embeds=True, short="rules"),
    "profiles": Kind(Profile, "profile", embeds=True),
    "ivrs": Kind(Ivr, "ivr", embeds=True, read_name=switch_name),
    "queues": Kind(QueueDefinition, "queue", read_name=switch_name),
    "triggers": Kind(Trigger, "trigger"),
    "webhooks": Kind(Webhook, "webhook"),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a thing was read: its file, and its place there."""

    file: YamlFile
    node: Node
    key: Scalar | None  # None for a thing that is the whole file
    on_disk: bool


@dataclass(frozen=True, slots=True)
class Thing:
    """One definition as written.

    `kind`: "campaign", "installation", "defaults", or a key of KINDS; `name`: "" for installation and defaults. `file` "" = as stored.
    """

    kind: str
    name: str
    source: Any
    file: str = ""
    line: int = 0
    origin: Origin | None = field(default=None, compare=False, repr=False)

    @property
    def key(self) -> Key:
        return self.kind, self.name

    @property
    def title(self) -> str:
        """What a message calls it: campaign summer, the defaults."""
        if not self.name:
            return f"the {self.kind}"
        return f"{word_of(self.kind)} {self.name}"

    @property
    def place(self) -> str:
        """schedules.yml:3, or "as stored"."""
        return f"{PurePath(self.file).name}:{self.line}" if self.file else "as stored"


def word_of(kind: str) -> str:
    return KINDS[kind].word if kind in KINDS else kind


# --- texts and trees ------------------------------------------------------------------------------------------------------------------


def source_of(node: Node) -> Any:
    """A node as JSON keeps it. Nothing at all (`trunk1:`) is None, quotes around nothing are ""."""
    if isinstance(node, Table):
        return {word: source_of(entry.value) for word, entry in node.entries.items()}
    if isinstance(node, Listing):
        return [source_of(item) for item in node.items]
    if isinstance(node, Broken) or (node.plain and not node.text):
        return None
    return node.text


def node_of(source: Any) -> Node:
    """The same node from what JSON keeps, with no place in any file (line 0)."""
    if isinstance(source, Mapping):
        return Table({str(word): Entry(Scalar(str(word), 0, 0), node_of(value)) for word, value in source.items()}, 0, 0)
    if isinstance(source, list | tuple):
        return Listing(tuple(node_of(item) for item in source), 0, 0)
    if source is None:
        return Scalar("", 0, 0)
    if isinstance(source, bool):
        return Scalar("yes" if source else "no", 0, 0)
    return Scalar(str(source), 0, 0, plain=False)


# --- files ----------------------------------------------------------------------------------------------------------------------------

_CAMPAIGN_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_BY_NAME: dict[str, FileKind] = {"installation": "installation", "defaults": "defaults", "fs-dialer": "daemon", "people": "people"}
_DAEMON_KEYS = {"database", "esl", "state_dir", "recordings_dir", "log", "journal"}
INSTALLATION_KEYS = frozenset({*declared(Installation), "switch", "gateways"})


@cache
def campaign_keys() -> frozenset[str]:
    return frozenset({"type", "state", *declared(Campaign), *(key for options in SETTINGS.values() for key in declared(options))})


def kind_of(file: YamlFile) -> FileKind:
    """By content first (a campaign has `type:`), then by the file's name, then by its folder's."""
    return kind_by(PurePath(file.name), set(file.root.entries) if file.root else set())


def kind_by(path: PurePath, keys: set[str]) -> FileKind:
    """The same, of a file's name and its outermost keys."""
    by_name = _BY_NAME.get(path.stem)
    if by_name in ("daemon", "people"):
        return by_name
    if "type" in keys:
        return "campaign"
    if by_name:
        return by_name
    tables = keys & set(KINDS)
    if path.parent.name == "campaigns" and not (tables - campaign_keys() and tables == keys):
        return "campaign"
    if tables or path.stem in KINDS:
        return "tables"
    if keys & _DAEMON_KEYS and not keys & campaign_keys():
        return "daemon"
    if keys and keys <= INSTALLATION_KEYS:
        return "installation"
    if keys == {"people"}:
        return "people"
    return "tables" if any(nearest(key, KINDS, cutoff=0.8) for key in keys) else "unknown"


def things_of(file: YamlFile, *, on_disk: bool = False) -> Iterator[Thing]:
    """What stands in a file. Problems go to the file; what can not even be named is left out."""
    if file.root is None:
        return
    kind = kind_of(file)
    if kind == "campaign":
        campaign = _campaign_name(file)
        yield Thing("campaign", campaign, source_of(file.root), file.name, file.root.line, Origin(file, file.root, None, on_disk))
    elif kind == "defaults":
        yield Thing(*DEFAULTS, source_of(file.root), file.name, file.root.line, Origin(file, file.root, None, on_disk))
    elif kind in ("installation", "tables"):
        own: dict[str, Entry] = {}
        for word, entry in file.root.entries.items():
            if word in KINDS:
                yield from _table(file, word, entry, on_disk)
            elif kind == "installation":
                own[word] = entry
            else:
                _unknown_table(file, word, entry)
        if kind == "installation" and (own or len(file.root.entries) == 0):
            table = Table(own, file.root.line, file.root.column)
            yield Thing(*INSTALLATION, source_of(table), file.name, file.root.line, Origin(file, table, None, on_disk))
    elif kind == "unknown":
        tables = ", ".join(KINDS)
        text = f"what is this file? a campaign has `type:`; lines and gateways stand in installation.yml; other things below one of {tables}"
        file.problems.append(file.problem_at(1, 1, "", text))


def _campaign_name(file: YamlFile) -> str:
    stem = PurePath(file.name).stem
    if not _CAMPAIGN_NAME.fullmatch(stem):
        better = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:60]
        text = f"the file's name is the campaign's name: lower-case letters, digits, - and _; rename it to {better or 'spring'}.yml"
        file.problems.append(file.problem_at(0, 0, "", text))
    return stem


def _unknown_table(file: YamlFile, word: str, entry: Entry) -> None:
    guess = nearest(word, KINDS)
    if word in INSTALLATION_KEYS:
        hint = ": it belongs into installation.yml"
    elif word in campaign_keys():
        hint = ": it belongs into a campaign's file, or into defaults.yml"
    else:
        hint = f"; nearest: {guess}" if guess else f": known are {', '.join(KINDS)}"
    file.problems.append(file.problem(entry.key, "", f"`{short(word)}` is no setting of this file{hint}"))


def _table(file: YamlFile, kind: str, entry: Entry, on_disk: bool) -> Iterator[Thing]:
    """A table of named things: `schedules: {office: {…}}`."""
    node = entry.value
    if isinstance(node, Broken):
        return
    if not isinstance(node, Table):
        keys = ", ".join(declared(KINDS[kind].cls))
        file.problems.append(file.problem(node if isinstance(node, Listing) else entry.key, kind, f"names are expected below, each with its settings ({keys})"))
        return
    seen: dict[str, Scalar] = {}
    for word, each in node.entries.items():
        try:
            identifier = KINDS[kind].read_name(word)
            if identifier in seen:
                raise BadValue(f"{identifier} stands here a second time, first in line {seen[identifier].line}: keep one")
        except BadValue as error:
            file.problems.append(file.problem(each.key, kind, str(error)))
            continue
        seen[identifier] = each.key
        yield Thing(kind, identifier, source_of(each.value), file.name, each.key.line, Origin(file, each.value, each.key, on_disk))


# --- what names what ------------------------------------------------------------------------------------------------------------------


def references(thing: Thing) -> set[Key]:
    """The things that this one names, whether they exist or not: a sound's name may as well be a file's. Gateways stand for the installation."""
    source, classes = thing.source, [Campaign, *SETTINGS.values()]
    if thing.kind == "installation":
        return set()
    if thing.kind in KINDS:
        classes = [KINDS[thing.kind].cls]
        if not isinstance(source, Mapping) and (short_key := KINDS[thing.kind].short):
            source = {short_key: source}
    return {key for cls in classes for key in _named(cls, source)}


def _named(cls: type, source: Any) -> Iterator[Key]:
    for word, setting in declared(cls).items():
        meta = setting.metadata
        value = source.get(word) if isinstance(source, Mapping) else None
        if value is None:
            continue
        if meta["kind"] == "section":
            if not isinstance(value, Mapping):
                value = {meta["short"]: value}
            yield from _named(meta["cls"], value)
            continue
        if meta["kind"] == "sections":
            for item in value if isinstance(value, list) else (value,):
                yield from _named(meta["cls"], item)
        if meta["kind"] == "table":
            for item in value.values() if isinstance(value, Mapping) else ():
                yield from _named(meta["cls"], item)
        if meta["of"] and meta["kind"] != "by_name":
            for text in value if isinstance(value, list) else (value,):
                if isinstance(text, str):
                    yield from _key_of(meta["of"], text.strip())


def _key_of(kind: str, text: str) -> Iterator[Key]:
    if kind == "gateways":
        yield INSTALLATION
    elif kind == "campaigns":
        yield "campaign", text
    elif kind == "caller_ids":
        try:
            yield kind, phone(text)
        except BadValue:
            pass
    else:
        yield kind, text
