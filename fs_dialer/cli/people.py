"""A file of modelled people (people.yml) → the model that sim/ draws from, or its problem with its place.

Knows how the file is read; what may stand in it is sim/people.py's to judge, which tells one problem at a time by its path.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fs_dialer.config.yaml_source import MAX_BYTES, Listing, Node, Scalar, Table, read_yaml
from fs_dialer.errors import ConfigError, Problem
from fs_dialer.sim.people import PeopleModel

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def load_people(path: Path) -> PeopleModel:
    """ConfigError for a file that can not be read or does not describe people."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, 0, "", f"can not be read: {error.strerror}")]) from None
    file = read_yaml(str(path), data)
    if file.problems or file.root is None:
        raise ConfigError(file.problems or [Problem(str(path), 0, 0, "", "the file is empty")])
    given = _plain(file.root)
    root = file.root
    if set(given) == {"people"} and isinstance(given["people"], dict):  # the whole file may stand below one key
        given, inner = given["people"], root.entries["people"].value
        root = inner if isinstance(inner, Table) else root
    try:
        return PeopleModel.from_mapping(given)
    except ValueError as error:
        where, _, text = str(error).partition(": ")
        if not text:
            where, text = "", str(error)
        raise ConfigError([file.problem(_place(root, where), "" if where == "people" else where, text)]) from None


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
