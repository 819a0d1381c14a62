"""What a name in one thing means, and what stands in for a setting that was left out: the two questions a form has for others.

Shapes only; library.py answers the first, definitions.py the second.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from fs_dialer.config.yaml_source import Node, YamlFile


class _Unsound:
    """Stands for a thing that exists and whose own settings are wrong: told at its own place, and nowhere else."""


UNSOUND: Final = _Unsound()


class Shelf(Protocol):
    """What names mean."""

    def find(self, kind: str, name: str) -> Any:
        """The thing, UNSOUND, or None where there is none of that name."""
        ...

    def names(self, kind: str) -> Collection[str]: ...

    def word(self, kind: str) -> tuple[str, str]:
        """One of the kind in a message, and where they stand: ("agent", "agents stand below agents:")."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Default:
    """A setting of defaults.yml: its value, and where it stands. Each is itself alone. The node is read again where its meaning hangs on another setting."""

    value: Any
    node: Node
    file: YamlFile
    used: tuple[str, str] | None = None  # the thing that its name stood for


Defaults = Mapping[str, Default]  # by path; sections are not in it, their settings are


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A problem with what defaults.yml says, found in one campaign. Many campaigns may find it: it is told once, with their names."""

    default: Default
    path: str
    text: str
