"""Files and folders an admin names → checked definitions, or every problem of every file at once.

Knows paths and the order of the work: find, read, judge each file, judge them together. All or nothing: one problem anywhere raises ConfigError.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fs_dialer.config.crosscheck import check_together
from fs_dialer.config.definitions import Kind, Unit, kind_of, read_unit
from fs_dialer.config.yaml_source import MAX_BYTES, read_yaml
from fs_dialer.core.definition import AgentDefinition, Campaign, Installation
from fs_dialer.errors import ConfigError, Problem

SUFFIXES = (".yml", ".yaml")
COMPANIONS = ("agents.yml", "agents.yaml", "installation.yml", "installation.yaml")
_PASSED_OVER = ("daemon", "people")  # other commands read these


@dataclass(frozen=True, slots=True)
class Source:
    """Which file defines what. `name`: the campaign's name, else ""."""

    kind: Kind
    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Definitions:
    campaigns: tuple[Campaign, ...] = ()
    agents: tuple[AgentDefinition, ...] = ()
    installation: Installation | None = None
    sources: tuple[Source, ...] = ()
    passed_over: tuple[Path, ...] = ()  # fs-dialer.yml, people.yml: found in a folder, no definitions

    def file_of(self, campaign: str) -> Path:
        """The file of a campaign; what it names (leads.csv) is relative to its folder."""
        return next(source.path for source in self.sources if source.kind == "campaign" and source.name == campaign)


def load_paths(paths: Sequence[Path | str], *, known_agents: Iterable[str | AgentDefinition] = (), known_gateways: Iterable[str] = ()) -> Definitions:
    """Read files, and folders with all *.yml and *.yaml below them.

    `known_agents` and `known_gateways` exist already (in the database): campaigns may name them. Agents given as definitions also tell their kind of
    leg, and so whether their phones ring.
    Raises ConfigError with all problems of all files, sorted by place.
    """
    problems: list[Problem] = []
    contents: dict[Path, bytes] = {}
    for path in _found([Path(path) for path in paths], problems):
        try:
            with path.open("rb") as stream:
                contents[path] = stream.read(MAX_BYTES + 1)
        except OSError as error:
            problems.append(Problem(str(path), 0, 0, "", f"can not be read: {error.strerror or error}"))
    return _judged(contents, problems, known_agents, known_gateways, on_disk=True)


def load_texts(texts: Mapping[str, str | bytes], *, known_agents: Iterable[str | AgentDefinition] = (), known_gateways: Iterable[str] = ()) -> Definitions:
    """The same for texts by file name, as load_paths would find them on disk."""
    contents = {Path(name): text.encode() if isinstance(text, str) else text for name, text in texts.items()}
    return _judged(contents, [], known_agents, known_gateways, on_disk=False)


def with_companions(paths: Sequence[Path | str]) -> tuple[Path, ...]:
    """The paths, and for each that is a file the agents.yml and installation.yml beside it or one folder above: a campaign is judged with these."""
    found = [Path(path) for path in paths]
    named = {path.resolve() for path in found}
    for path in [path for path in found if path.is_file()]:
        for folder in (path.resolve().parent, path.resolve().parent.parent):
            for companion in (folder / name for name in COMPANIONS):
                covered = any(companion == other or other in companion.parents for other in named)
                if companion.is_file() and not covered and not any(other.stem == companion.stem for other in named):
                    named.add(companion)
                    found.append(Path(os.path.relpath(companion)))
    return tuple(found)


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
        paths = [Path(folder) / name for name in sorted(names) if name.endswith(SUFFIXES) and not name.startswith(".")]
        found += [path for path in paths if path.is_file()]  # a pipe would be waited for
    return found


def _check_csv(unit: Unit) -> None:
    if unit.campaign and unit.campaign.leads.csv:
        path = Path(unit.file.name).parent / unit.campaign.leads.csv
        if not path.is_file():
            unit.form.tell("leads.csv", f"there is no file {path}; it is looked for beside the campaign's file")


def _judged(
    contents: Mapping[Path, bytes],
    problems: list[Problem],
    known_agents: Iterable[str | AgentDefinition],
    known_gateways: Iterable[str],
    on_disk: bool,
) -> Definitions:
    units: list[Unit] = []
    passed_over: list[Path] = []
    files = []
    for path, data in contents.items():
        file = read_yaml(str(path), data)
        kind = kind_of(file)
        if kind in _PASSED_OVER:
            passed_over.append(path)
            continue
        files.append(file)
        unit = read_unit(file, kind)
        if unit is not None:
            units.append(unit)
    agents: dict[str, AgentDefinition | None] = {}
    for known in known_agents:
        agents.update({known: None} if isinstance(known, str) else {known.id: known})
    gateways = set(known_gateways)
    for unit in units:  # a name whose own settings are wrong is known all the same
        if unit.kind == "agents":
            agents |= dict.fromkeys(unit.names) | unit.agents
        elif unit.kind == "installation":
            gateways |= unit.names
        elif on_disk:
            _check_csv(unit)
    check_together(units, agents, gateways)
    problems += [problem for file in files for problem in file.problems]
    if problems:
        raise ConfigError(sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column, problem.path)))
    return Definitions(
        campaigns=tuple(unit.campaign for unit in units if unit.campaign),
        agents=tuple(agent for unit in units for agent in unit.agents.values()),
        installation=next((unit.installation for unit in units if unit.installation), None),
        sources=tuple(Source(unit.kind, unit.campaign.id if unit.campaign else "", Path(unit.file.name)) for unit in units),
        passed_over=tuple(passed_over),
    )
