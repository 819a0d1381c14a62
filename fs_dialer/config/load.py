"""Files and folders an admin names → checked definitions, or every problem of every file at once.

Knows paths and the order of the work: find, read, judge each file, judge them together. All or nothing: one problem anywhere raises ConfigError.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fs_dialer.config.library import Books, Library, in_order
from fs_dialer.config.things import KINDS, Key, Thing, kind_by, kind_of, things_of
from fs_dialer.config.yaml_source import MAX_BYTES, read_yaml
from fs_dialer.core.definition import AgentDefinition, Campaign, Installation
from fs_dialer.errors import ConfigError, Problem

SUFFIXES = (".yml", ".yaml")
COMPANIONS = ("agents", "installation", "defaults")
_PASSED_OVER = ("daemon", "people")  # other commands read these
_NOT_FOR_CAMPAIGNS = {"triggers", "webhooks"}  # no campaign names these, and they may name campaigns that are not read
_OUTERMOST = re.compile(r"^([A-Za-z_]+)[ \t]*:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Source:
    """Which file defines what. `kind`: campaign, tables, installation or defaults. `name`: the campaign's name, else ""."""

    kind: str
    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Definitions:
    campaigns: tuple[Campaign, ...] = ()
    agents: tuple[AgentDefinition, ...] = ()
    installation: Installation | None = None
    sources: tuple[Source, ...] = ()
    passed_over: tuple[Path, ...] = ()  # fs-dialer.yml, people.yml: found in a folder, no definitions
    library: Library = field(default_factory=Library)  # and everything else that was defined

    def file_of(self, campaign: str) -> Path:
        """The file of a campaign; what it names (leads.csv) is relative to its folder."""
        return next(source.path for source in self.sources if source.kind == "campaign" and source.name == campaign)


@dataclass(frozen=True, slots=True)
class Gathered:
    things: tuple[Thing, ...]
    problems: list[Problem]
    passed_over: tuple[Path, ...]


def load_paths(paths: Sequence[Path | str], *, known_agents: Iterable[str | AgentDefinition] = (), known_gateways: Iterable[str] = ()) -> Definitions:
    """Read files, and folders with all *.yml and *.yaml below them.

    `known_agents` and `known_gateways` exist already (in the database): campaigns may name them. Agents given as definitions also tell their kind of
    leg, and so whether their phones ring.
    Raises ConfigError with all problems of all files, sorted by place.
    """
    return _judged(gather(paths), known_agents, known_gateways)


def load_texts(texts: Mapping[str, str | bytes], *, known_agents: Iterable[str | AgentDefinition] = (), known_gateways: Iterable[str] = ()) -> Definitions:
    """The same for texts by file name, as load_paths would find them on disk."""
    contents = {Path(name): text.encode() if isinstance(text, str) else text for name, text in texts.items()}
    return _judged(_gathered(contents, [], on_disk=False), known_agents, known_gateways)


def gather(paths: Sequence[Path | str]) -> Gathered:
    """What stands in files and folders, as written, with every problem of reading it."""
    problems: list[Problem] = []
    contents: dict[Path, bytes] = {}
    for path in _found([Path(path) for path in paths], problems):
        try:
            with path.open("rb") as stream:
                contents[path] = stream.read(MAX_BYTES + 1)
        except OSError as error:
            problems.append(Problem(str(path), 0, 0, "", f"can not be read: {error.strerror or error}"))
    return _gathered(contents, problems, on_disk=True)


def _gathered(contents: Mapping[Path, bytes], problems: list[Problem], *, on_disk: bool) -> Gathered:
    things: list[Thing] = []
    passed_over: list[Path] = []
    for path, data in contents.items():
        file = read_yaml(str(path), data)
        if kind_of(file) in _PASSED_OVER:
            passed_over.append(path)
            continue
        things += things_of(file, on_disk=on_disk)
        problems += file.problems
    return Gathered(tuple(things), problems, tuple(passed_over))


def with_companions(paths: Sequence[Path | str]) -> tuple[Path, ...]:
    """The paths, and for each that is a file, or a folder called campaigns, what stands beside it or one folder above and is no campaign.

    A campaign is judged with these: agents, schedules, the installation, defaults.
    """
    found = [Path(path) for path in paths]
    named = {path.resolve() for path in found}
    for path in [path.resolve() for path in found if path.is_file() or path.resolve().name == "campaigns"]:
        for folder in (path.parent, path.parent.parent) if path.is_file() else (path.parent,):
            if not folder.is_dir():
                continue
            for companion in sorted(each for each in folder.iterdir() if each.suffix in SUFFIXES and not each.name.startswith(".")):
                covered = any(companion == other or other in companion.parents for other in named)
                if not covered and not any(other.stem == companion.stem for other in named) and _is_companion(companion):
                    named.add(companion)
                    found.append(Path(os.path.relpath(companion)))
    return tuple(found)


def _is_companion(path: Path) -> bool:
    """Agents, schedules, the installation …; by its outermost keys alone, for whatever else is wrong with it is told later."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1).decode("utf-8", errors="replace")
    except OSError:
        return path.stem in COMPANIONS
    keys = set(_OUTERMOST.findall(text))
    kind = kind_by(path, keys)
    return kind in ("installation", "defaults") or (kind == "tables" and not (keys and keys <= _NOT_FOR_CAMPAIGNS))


def _found(paths: Sequence[Path], problems: list[Problem]) -> list[Path]:
    """Every file once, folders walked in order of name; hidden files and folders are left alone."""
    files: dict[Path, Path] = {}
    for path in paths:
        if path.is_dir():
            below = _walk(path, problems)
            if not below:
                problems.append(Problem(str(path), 0, 0, "", "no *.yml or *.yaml in this folder"))
            for file in below:
                files.setdefault(file.resolve(), file)
        elif not path.exists():
            problems.append(Problem(str(path), 0, 0, "", "no such file or folder"))
        elif not path.is_file():
            problems.append(Problem(str(path), 0, 0, "", "neither a file nor a folder"))
        elif path.suffix not in SUFFIXES:
            hint = "; leads are read by `fs-dialer lead import`" if path.suffix in (".csv", ".tsv") else ""
            problems.append(Problem(str(path), 0, 0, "", f"definitions stand in files that end in .yml or .yaml{hint}"))
        else:
            files.setdefault(path.resolve(), path)
    return list(files.values())


def _walk(top: Path, problems: list[Problem]) -> list[Path]:
    def unreadable(error: OSError) -> None:
        problems.append(Problem(str(error.filename), 0, 0, "", f"can not be read: {error.strerror}"))

    found = []
    for folder, folders, names in os.walk(top, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))  # os.walk goes on with what is left here
        for name in folders:
            if name.endswith(SUFFIXES):
                problems.append(Problem(str(Path(folder) / name), 0, 0, "", "is a folder, though named as a file: give it another name"))
        paths = [Path(folder) / name for name in sorted(names) if name.endswith(SUFFIXES) and not name.startswith(".")]
        for path in paths:
            if path.is_file():  # a pipe would be waited for
                found.append(path)
            elif path.is_symlink() and not path.exists():
                problems.append(Problem(str(path), 0, 0, "", f"is a link to what is not there: {os.readlink(path)}"))
    return found


def _judged(
    found: Gathered,
    known_agents: Iterable[str | AgentDefinition],
    known_gateways: Iterable[str],
) -> Definitions:
    known: dict[Key, AgentDefinition | None] = {("gateways", name): None for name in known_gateways}
    for agent in known_agents:
        known |= {("agents", agent): None} if isinstance(agent, str) else {("agents", agent.id): agent}
    books = Books(found.things, known=known)
    problems = [*found.problems, *books.judge()]
    if problems:
        raise ConfigError(in_order(problems))
    library = books.library()
    sources = {(thing.kind if thing.kind not in KINDS else "tables", thing.name if thing.kind == "campaign" else "", thing.file) for thing in found.things}
    return Definitions(
        campaigns=tuple(library.campaigns.values()),
        agents=tuple(library.agents.values()),
        installation=library.installation,
        sources=tuple(Source(kind, name, Path(file)) for kind, name, file in sorted(sources)),
        passed_over=found.passed_over,
        library=library,
    )
