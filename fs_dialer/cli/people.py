"""A file of modelled people (people.yml) → the model that sim/ draws from, or its problem with its place; and the other way, for what was learnt.

Knows how the file is read and written; what may stand in it is sim/people.py's to judge, which tells one problem at a time by its path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from fs_dialer.config.yaml_source import MAX_BYTES, Listing, Node, Scalar, Table, YamlFile, read_yaml
from fs_dialer.errors import ConfigError, FsDialerError, Problem
from fs_dialer.sim.people import PeopleModel

WRITTEN = "# Learnt by fs-dialer"
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def load_people(path: Path) -> PeopleModel:
    """ConfigError for a file that can not be read or does not describe people."""
    return _read(path)[1]


def read_people(path: Path) -> Mapping[str, Any]:
    """What stands in the file, as texts. ConfigError likewise."""
    return _read(path)[0]


def _read(path: Path) -> tuple[Mapping[str, Any], PeopleModel]:
    file, root = _source(path)
    given = _plain(root)
    if set(given) == {"people"} and isinstance(given["people"], dict):  # the whole file may stand below one key
        given, inner = given["people"], root.entries["people"].value
        root = inner if isinstance(inner, Table) else root
    try:
        return given, PeopleModel.from_mapping(given)
    except ValueError as error:
        where, _, text = str(error).partition(": ")
        if not text:
            where, text = "", str(error)
        raise ConfigError([file.problem(_place(root, where), "" if where == "people" else where, text)]) from None


def write_people(path: Path, people: Mapping[str, Any], notes: Sequence[str]) -> None:
    """Whole or not at all. A file that a person wrote is left alone: FsDialerError."""
    try:
        if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(WRITTEN):
            raise ConfigError([Problem(str(path), 0, 0, "", "is not written over: it was not made by --write-people; name another file")])
        # Not all wrapped: a list of quantiles reads best on one line.
        text = yaml.safe_dump(dict(people), sort_keys=False, allow_unicode=True, width=400, default_flow_style=None)
        beside = path.with_name(f".{path.name}.new")
        beside.write_text("".join(f"# {note}\n" for note in (WRITTEN.removeprefix("# ") + notes[0], *notes[1:])) + text, encoding="utf-8")
        os.replace(beside, path)
    except OSError as error:
        raise FsDialerError(f"{path} can not be written: {error.strerror or error}") from None


def _source(path: Path) -> tuple[YamlFile, Table]:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, 0, "", f"can not be read: {error.strerror}")]) from None
    file = read_yaml(str(path), data)
    if file.problems or file.root is None:
        raise ConfigError(file.problems or [Problem(str(path), 0, 0, "", "the file is empty")])
    return file, file.root


def _plain(node: Node) -> Any:
    """Texts, lists and mappings; what was left empty is None."""
    if isinstance(node, Table):
        return {key: _plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Listing):
        return [_plain(item) for item in node.items]
    if isinstance(node, Scalar):
        return None if node.plain and not node.text else node.text
    return None


def _place(root: Table, path: str) -> Node:
    """The node at a path such as agents[0].talk, or the nearest one around it that the file has."""
    here: Node = root
    for key, index in _STEP.findall(path):
        if key and isinstance(here, Table) and key in here.entries:
            here = here.entries[key].value
        elif index and isinstance(here, Listing) and int(index) < len(here.items):
            here = here.items[int(index)]
        else:
            break
    return here
