"""How further FreeSWITCHes are reached: `switches` of fs-dialer.yml, and the environment over it. The first one, main, stands below `esl`.

Knows which variables go over which of them; how a secret is named stands in secret.py, what the settings of one are in daemon.py (EslSettings).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fs_dialer.config.form import Form
from fs_dialer.config.secret import REFERENCE, Secret
from fs_dialer.config.values import BadValue, name
from fs_dialer.config.yaml_source import Entry, Table
from fs_dialer.core.options import declared
from fs_dialer.errors import Problem

MAIN = "main"
ENDINGS = {"": "host and port, as host:port", "_PASSWORD": "the password itself", "_PASSWORD_FILE": "the file that holds it", "_CLIENT": "client"}


def variable(switch: str, ending: str = "") -> str:
    """`FS_DIALER_SWITCH_NORTH` … of the switch north."""
    return "FS_DIALER_SWITCH_" + re.sub(r"[^A-Z0-9]", "_", switch.upper()) + ending


def links(form: Form, entry: Entry | None, cls: type, path: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """By name; each a `cls` (EslSettings). Problems go to the form."""
    if entry is None:
        return {}
    form.places["switches"] = entry.key
    if not isinstance(entry.value, Table):
        form.note(entry.value, "switches", f"names are expected below, each with its settings ({', '.join(declared(cls))})")
        return {}
    found: dict[str, Any] = {}
    for word, each in entry.value.entries.items():
        here = f"switches.{word}"
        form.places[here] = each.key
        try:
            name(word)
        except BadValue as error:
            form.note(each.key, "switches", str(error))
            continue
        if word == MAIN:
            form.tell(here, f"{MAIN} is the one below `esl`")
        elif not isinstance(each.value, Table):
            form.note(each.key, here, f"settings are expected here ({', '.join(declared(cls))})")
        else:
            values, _ = form.fill(cls, each.value, here)
            text = values.pop("password", None)
            found[word] = replace(cls(**values), password=_password(form, f"{here}.password", text, path, environ))
    if len({variable(word) for word in found}) < len(found):
        form.tell("switches", "two of them have the same variables: their names differ by more than capitals, - _ and .")
    return found


def _password(form: Form, here: str, text: Any, path: Path, environ: Mapping[str, str]) -> Secret | None:
    node = form.place(here)
    if not isinstance(text, str) or not text or node is None:
        return None
    if not REFERENCE.fullmatch(text):
        form.tell(here, "a password does not belong in this file: write env:NAME or file:PATH, and put it there")
        return None
    return Secret(text, form.file.problem(node, here, ""), base=path.parent, environ=environ)


def over(
    switches: Mapping[str, Any], environ: Mapping[str, str], address: Callable[[str, int], tuple[str, int]], clients: tuple[str, ...]
) -> tuple[dict[str, Any], list[Problem]]:
    """The environment's word over the file's. `address`: host and port of a text, BadValue where it is neither; the second is the port meant without one."""
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for word, link in switches.items():
        said = {ending: environ[variable(word, ending)] for ending in ENDINGS if variable(word, ending) in environ}
        if "" in said:
            try:
                host, port = address(said[""], link.port)
                link = replace(link, host=host, port=port)
            except BadValue as error:
                problems.append(_place(variable(word), str(error)))
        if "_PASSWORD" in said and "_PASSWORD_FILE" in said:
            problems.append(_place(variable(word, "_PASSWORD"), f"{variable(word, '_PASSWORD_FILE')} is set as well: keep one"))
        elif "_PASSWORD" in said:
            link = replace(link, password=Secret(variable(word, "_PASSWORD"), _place(variable(word, "_PASSWORD")), text=said["_PASSWORD"]))
        elif "_PASSWORD_FILE" in said:
            link = replace(link, password=Secret(f"file:{said['_PASSWORD_FILE']}", _place(variable(word, "_PASSWORD_FILE"))))
        if "_CLIENT" in said and said["_CLIENT"].lower() not in clients:
            problems.append(_place(variable(word, "_CLIENT"), f"`{said['_CLIENT']}` is none of {', '.join(clients)}"))
        elif "_CLIENT" in said:
            link = replace(link, client=said["_CLIENT"].lower())
        found[word] = link
    return found, problems


def _place(variable: str, text: str = "") -> Problem:
    return Problem("environment", 0, 0, variable, text)
