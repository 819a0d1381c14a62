"""Who may import whom: the dependency direction, read from the sources.

The table RULES is the architecture's. Imports inside functions and under TYPE_CHECKING count like the others: what a module names, it knows about.
The checker works on text, so that the tests at the end can prove, on sources made up for it, that it would notice.
"""

from __future__ import annotations

import ast
import configparser
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "fs_dialer"

# What pure code may take from the standard library: nothing that reads, writes, waits, logs, or has a clock or a source of chance in it.
PURE_STDLIB = frozenset(
    "__future__ abc array ast base64 binascii bisect collections contextlib copy dataclasses datetime decimal difflib enum fractions functools "
    "graphlib hashlib heapq html ipaddress itertools json keyword math numbers operator re statistics string struct textwrap types typing "
    "unicodedata zoneinfo".split()
)
# Of these only the named types, which are values once somebody outside has made them.
PURE_NAMES = {"random": {"Random"}, "uuid": {"UUID"}, "time": {"struct_time"}, "urllib": {"parse.urlsplit", "parse.quote", "parse.unquote"}}
# Asking the clock or the world without importing anything new.
IMPURE_CALLS = re.compile(r"^((datetime\.)*(datetime|date)\.(now|utcnow|today)|open|print|input|exec|eval|__import__)$")
# How a package is imported where that is not its name on the index.
DISTRIBUTIONS = {
    "psycopg2": "psycopg2-binary",
    "yaml": "pyyaml",
    "ESL": "python-esl",
    "prometheus_client": "prometheus-client",
    "python_calamine": "python-calamine",
}


@dataclass(frozen=True)
class Rule:
    """What a module may import, besides its own package and fs_dialer.errors.

    ours: prefixes inside fs_dialer. others: top-level packages; None = all that setup.cfg declares. pure: the standard library only as far as PURE_*.
    """

    ours: frozenset[str]
    others: frozenset[str] | None = None
    pure: bool = False


def _rule(ours: str, others: str | None = None, *, pure: bool = False) -> Rule:
    return Rule(frozenset(ours.split()), None if others is None else frozenset(others.split()), pure)


# The longest prefix decides; "" is fs_dialer itself. "paths" says where files lie: for those who read files.
RULES: Mapping[str, Rule] = {
    "": _rule("", ""),
    "paths": _rule("", ""),
    "core": _rule("", "", pure=True),
    "modes": _rule("core", "numpy", pure=True),
    "config": _rule("modes core ivr.graph", "yaml phonenumbers python_calamine xlsxwriter"),
    "dialplans": _rule("config core", ""),
    "dialplans.files": _rule("config core ivr", ""),
    "ivr": _rule("config core dialplans", ""),
    "ivr.graph": _rule("core", "", pure=True),
    "ivr.patterns": _rule("core", "", pure=True),
    "ivr.words": _rule("core", "", pure=True),
    "esl": _rule("config core"),
    "esl.wire": _rule("", "orjson"),
    "esl.commands": _rule("config core", "orjson"),
    "esl.translate": _rule("config core", "orjson"),
    "db": _rule("config core paths"),
    "sim": _rule("esl.translate esl.wire runtime.ports runtime.kept_rows core paths"),
    "runtime": _rule("esl dialplans db config modes core paths"),
    "web": _rule("core runtime paths"),
    "simulation": _rule("core modes config dialplans ivr db sim runtime esl.translate paths", "numpy matplotlib"),
    "cli.ivr_png": _rule("core ivr", "matplotlib"),
    "cli": _rule("core modes config dialplans ivr esl db sim simulation runtime web cli paths __version__"),
    "__main__": _rule("cli"),
}
# Where virtual time starts from, and what it must not drag in. The embedded server and the pools stay out with psycopg2.
VIRTUAL = "fs_dialer.runtime.virtual"
NOT_IN_VIRTUAL = frozenset({"gevent", "psycopg2", "psycogreen", "greenswitch"})


@dataclass(frozen=True)
class Import:
    """One name imported: `from a.b import c` is a.b.c at its line."""

    name: str
    line: int


def imports(module: str, source: str, *, is_package: bool = False) -> list[Import]:
    """Every import of the source, in dotted absolute form."""
    found: list[Import] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [Import(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                here = parts if is_package else parts[:-1]
                base = ".".join([*here[: len(here) - node.level + 1], *([node.module] if node.module else [])])
            found += [Import(f"{base}.{alias.name}", node.lineno) for alias in node.names]
    return found


def _within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def forbidden(module: str, source: str, *, is_package: bool = False, declared: frozenset[str] = frozenset()) -> list[str]:
    """What the source imports or calls against the rule of its place; one line for each."""
    place = module.removeprefix(PACKAGE).lstrip(".")
    key = max((key for key in RULES if key == "" or _within(place, key)), key=len)
    if place and key == "" and place != "errors":
        return [f"{module}: {place.split('.')[0]} has no rule in RULES"]
    rule = RULES[key]
    own = place.split(".")[0]
    wrong: list[str] = []
    for found in imports(module, source, is_package=is_package):
        top, _, rest = found.name.partition(".")
        if top == PACKAGE:
            allowed = any(_within(rest, prefix) for prefix in {"errors", *rule.ours, *({own} if own else ())})
        elif top in sys.stdlib_module_names:
            allowed = not rule.pure or top in PURE_STDLIB or rest in PURE_NAMES.get(top, ())
        elif rule.others is None:
            allowed = DISTRIBUTIONS.get(top, top).lower() in declared
        else:
            allowed = top in rule.others
        if not allowed:
            wrong.append(f"{module}:{found.line}: may not import {found.name}")
    if rule.pure:
        wrong += [
            f"{module}:{node.lineno}: may not call {ast.unparse(node.func)}()"
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Call) and IMPURE_CALLS.match(ast.unparse(node.func))
        ]
    return wrong


def patches(source: str) -> list[int]:
    """Lines that make the process cooperative: monkey.patch_*, psycogreen's patch, or psycopg2's wait callback itself."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            name = node.attr if node.attr == "set_wait_callback" or ast.unparse(node.value).endswith("monkey") else ""
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("gevent", "psycogreen", "psycopg2"):
            name = next((alias.name for alias in node.names if re.match(r"patch_|set_wait_callback", alias.name)), "")
        else:
            continue
        if name.startswith("patch_") or name == "set_wait_callback":
            lines.add(node.lineno)
    return sorted(lines)


def reached(start: str, sources: Mapping[str, str], packages: frozenset[str]) -> dict[str, list[str]]:
    """Everything that importing `start` may import, each with the way there. Names of ours that have a source are followed, parents' __init__ too."""
    ways: dict[str, list[str]] = {start: [start]}
    queue = [start]
    while queue:
        module = queue.pop()
        parts = module.split(".")
        names = [".".join(parts[:length]) for length in range(1, len(parts))]
        names += [found.name for found in imports(module, sources.get(module, ""), is_package=module in packages)]
        for name in names:
            if name.split(".")[0] == PACKAGE:
                while name not in sources and "." in name:  # from a.b import c, c being no module
                    name = name.rpartition(".")[0]
            if name not in ways:
                ways[name] = [*ways[module], name]
                queue.append(name)
    return ways


# --- the sources as they are ------------------------------------------------------------------------------------------


def _sources() -> Iterator[tuple[str, bool, str]]:
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        yield ".".join(parts[:-1] if is_package else parts), is_package, path.read_text(encoding="utf-8")


def _declared() -> frozenset[str]:
    """The names that setup.cfg installs, the extras of the product included."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = (config["options"]["install_requires"] + config["options.extras_require"]["python-esl"]).split("\n")
    return frozenset(re.split(r"[<>=!~;\[ ]", line.strip())[0].lower() for line in lines if line.strip())


def test_every_module_imports_only_what_its_place_allows() -> None:
    declared = _declared()
    wrong = [line for module, is_package, source in _sources() for line in forbidden(module, source, is_package=is_package, declared=declared)]
    assert wrong == [], "\n" + "\n".join(wrong)


def test_virtual_time_reaches_neither_gevent_nor_psycopg2() -> None:
    found = list(_sources())
    sources = {module: source for module, _, source in found}
    ways = reached(VIRTUAL, sources, frozenset(module for module, is_package, _ in found if is_package))
    assert [" → ".join(way) for name, way in ways.items() if name.split(".")[0] in NOT_IN_VIRTUAL] == []


def test_only_main_makes_the_process_cooperative() -> None:
    assert {module for module, _, source in _sources() if patches(source)} == {"fs_dialer.__main__"}


# --- would it notice? -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("fs_dialer.core.call", "import socket"),
        ("fs_dialer.core.call", "import os.path"),
        ("fs_dialer.core.call", "import logging"),
        ("fs_dialer.core.call", "from time import monotonic"),
        ("fs_dialer.core.call", "import random"),
        ("fs_dialer.core.call", "from random import choice"),
        ("fs_dialer.core.call", "from uuid import uuid4"),
        ("fs_dialer.core.call", "import numpy"),
        ("fs_dialer.core.call", "import orjson"),
        ("fs_dialer.core.call", "from datetime import datetime\ndef f(): return datetime.now()"),
        ("fs_dialer.core.call", "import datetime\nx = datetime.date.today()"),
        ("fs_dialer.core.call", "print('x')"),
        ("fs_dialer.core.call", "def f():\n    import gevent"),
        ("fs_dialer.core.call", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from fs_dialer.modes.base import Mode"),
        ("fs_dialer.core.call", "from fs_dialer import config"),
        ("fs_dialer.core.call", "from ..db import memory"),
        ("fs_dialer.core.call", "from fs_dialer import paths"),
        ("fs_dialer.modes.predictive", "from fs_dialer.config import load"),
        ("fs_dialer.modes.predictive", "import yaml"),
        ("fs_dialer.modes.predictive", "import time"),
        ("fs_dialer.config.load", "from fs_dialer.db import postgres"),
        ("fs_dialer.config.load", "import psycopg2"),
        ("fs_dialer.dialplans.render", "from fs_dialer.modes import base"),
        ("fs_dialer.esl.translate", "import gevent"),
        ("fs_dialer.esl.wire", "from fs_dialer.core.model import Leg"),
        ("fs_dialer.esl.connection", "from fs_dialer.runtime.ports import Switch"),
        ("fs_dialer.esl.connection", "import requests"),
        ("fs_dialer.db.postgres", "from fs_dialer.esl.wire import Event"),
        ("fs_dialer.sim.switch", "from fs_dialer.esl.connection import Connection"),
        ("fs_dialer.sim.switch", "from fs_dialer.runtime import live"),
        ("fs_dialer.sim.switch", "import fs_dialer.runtime"),
        ("fs_dialer.runtime.live", "from fs_dialer.sim.switch import Switch"),
        ("fs_dialer.runtime.live", "from fs_dialer.cli import main"),
        ("fs_dialer.web.api", "from fs_dialer.db.postgres import Store"),
        ("fs_dialer.errors", "import gevent"),
        ("fs_dialer.errors", "from fs_dialer.core import model"),
        ("fs_dialer.helpers.misc", ""),
    ],
)
def test_a_forbidden_import_is_noticed(module: str, source: str) -> None:
    assert forbidden(module, source, declared=frozenset({"gevent", "psycopg2-binary"}))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("fs_dialer.core.call", "from __future__ import annotations\nimport math\nfrom zoneinfo import ZoneInfo"),
        ("fs_dialer.core.call", "from random import Random\nfrom uuid import UUID"),
        ("fs_dialer.core.call", "from fs_dialer.errors import IllegalTransition\nfrom fs_dialer.core.model import Call\nfrom . import actions"),
        ("fs_dialer.core.call", "def f(clock): return clock.now()"),
        ("fs_dialer.modes.predictive", "import numpy as np\nfrom fs_dialer.core.stats import Window\nfrom fs_dialer.modes.base import Decision"),
        ("fs_dialer.config.load", "import yaml\nfrom pathlib import Path\nfrom fs_dialer import modes"),
        ("fs_dialer.esl.connection", "import gevent\nfrom .wire import Decoder"),
        ("fs_dialer.db.postgres", "import psycopg2\nfrom fs_dialer import paths\nfrom fs_dialer.core.model import Lead"),
        ("fs_dialer.sim.switch", "from fs_dialer.runtime.ports import Switch\nfrom fs_dialer.runtime import ports"),
        ("fs_dialer.runtime.live", "import gevent\nfrom fs_dialer.db import postgres"),
        ("fs_dialer.cli.main", "from fs_dialer.sim import switch\nfrom fs_dialer import __version__"),
    ],
)
def test_an_allowed_import_is_let_through(module: str, source: str) -> None:
    assert forbidden(module, source, declared=frozenset({"gevent", "psycopg2-binary"})) == []


def test_gevent_is_found_behind_other_modules_and_package_inits() -> None:
    sources = {
        VIRTUAL: "from fs_dialer.runtime.perform import perform",
        "fs_dialer": "",
        "fs_dialer.runtime": "",
        "fs_dialer.runtime.perform": "def f():\n    from fs_dialer.db import memory",
        "fs_dialer.db": "from .postgres import Pool",
        "fs_dialer.db.memory": "",
        "fs_dialer.db.postgres": "import gevent.queue",
    }
    ways = reached(VIRTUAL, sources, frozenset({"fs_dialer", "fs_dialer.runtime", "fs_dialer.db"}))
    assert ways["gevent.queue"][-3:] == ["fs_dialer.db", "fs_dialer.db.postgres", "gevent.queue"]


@pytest.mark.parametrize(
    "source",
    [
        "from gevent import monkey\nmonkey.patch_all()",
        "import gevent.monkey\ngevent.monkey.patch_socket()",
        "from gevent.monkey import patch_all",
        "def f():\n    from psycogreen.gevent import patch_psycopg",
        "import psycopg2.extensions\npsycopg2.extensions.set_wait_callback(None)",
    ],
)
def test_patching_is_noticed(source: str) -> None:
    assert patches(source)


def test_asking_whether_the_process_is_patched_is_not_patching() -> None:
    assert patches("from gevent import monkey\nmonkey.is_module_patched('socket')") == []
