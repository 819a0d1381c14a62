"""What a flow says and what it waits for, as values: prompts, expectations, what a caller does; and the ways that lead out of a node.

Pure. walk.py puts these together into a call, draw.py and the command line show them.

A path has the words of what is done, and at its end the node where the call is, with nothing behind the = as long as nothing came: `main=1;pin=`. The
dialplan writes the same (render.py), and core/flow.steps reads it.

| node | its word | from when on |
|---|---|---|
| menu | `main=1`, `main=*` | a key that leads somewhere was pressed |
| gather | `pin=1234` | the digits were right |
| rate | `mark=4` | a mark was given |
| record | `message=12` | the recording is over, also by a hang-up: its seconds |
| set | `says=done` | he came there |
| transfer | `desk=answered` | somebody answered |
| opt_out | `stop=yes` | he came there |
| end | `bye=success`, `bye=other` | he came there |
| the last node of a flow (flow.LEAVES) | `thanks=success` | it is over, and no node follows; after its own word, if it has one |

Where no right answer came the word goes: the way taken shows in those that follow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fs_dialer.core.flow import GOES_ON, HEARD, LEAVES, Ivr, Node
from fs_dialer.core.steering import sayable

SYMBOLS: Mapping[str, str] = {"star": "*", "hash": "#", "none": ""}  # as YAML writes keys → as a telephone sends them
VALUE = re.compile(r"[A-Za-z0-9 +\-.,]{0,128}")  # D7: whatever else a value holds, it is not said, compared or sent
PLACE = re.compile(r"\{([A-Za-z0-9_.-]+)\}")

NEXT, OTHERWISE = "next", "otherwise"


@dataclass(frozen=True, slots=True)
class Prompt:
    """Something that the caller hears. kind: sound (a file or stream), text (spoken by the voice), say (a value, said as `say_as`), beep."""

    kind: Literal["sound", "text", "say", "beep"]
    what: str
    node: str
    language: str
    say_as: str = ""


@dataclass(frozen=True, slots=True)
class Expects:
    """What the flow waits for. what: key (of a menu or a rating), digits, record, agent, number, http, nothing (the call is over).

    keys: those that lead on. digits: how many are wanted. ends_with: the key that ends them, "" = none. tries_left: how often it may still go wrong, this
    one included. timeout_s: seconds until `wait`; None = the campaign's waiting.at_most decides.
    """

    what: Literal["key", "digits", "record", "agent", "number", "http", "nothing"]
    timeout_s: float | None = None
    keys: tuple[str, ...] = ()
    digits: tuple[int, int] = (0, 0)
    ends_with: str = ""
    tries_left: int = 1


@dataclass(frozen=True, slots=True)
class Input:
    """Something that happens to a walk: press (value: a key), wait (the time is over), spoken (value: seconds), hang_up (value: seconds spoken before),
    agent, number (value: yes or no: is somebody there?), answered (values: fields that a service told; None = it failed)."""

    do: Literal["press", "wait", "spoken", "hang_up", "agent", "number", "answered"]
    value: str = ""
    values: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """A way out of a node. by: how it is taken, as `1`, `*`, `next`, `otherwise`. to: the node, "" = the call ends there."""

    node: str
    by: str
    to: str


def symbol(key: str) -> str:
    """star → *, hash → #; others are themselves."""
    return SYMBOLS.get(key, key)


def leaves(node: Node, way: str) -> bool:
    """Does the flow end as it should (D13) where this way out of the node leads nowhere? Else an answer was missing."""
    return node.do in LEAVES and (way == NEXT or node.do == "if")


def allowed(value: str) -> str:
    """The value as the switch is given it, or "" where it is not (D7): the lead then has no such attribute in the flow."""
    return sayable(value)


def answers_of(ivr: Ivr) -> frozenset[str]:
    """Names that the flow itself fills: they hide attributes of the lead with the same name."""
    return frozenset({node.kept_as for node in ivr.nodes if node.do in HEARD} | {name for node in ivr.nodes for name in node.take})


def ways(node: Node) -> tuple[Way, ...]:
    """Every way out of a node, in the order in which it is written: keys, `next`, `otherwise`. An end has none."""
    found = [Way(node.name, symbol(key), to) for key, to in node.keys] if node.do == "menu" else []
    if node.do in GOES_ON:
        found.append(Way(node.name, NEXT, node.next))
    if node.do in ("menu", "gather", "rate", "connect", "transfer", "if", "http"):
        found.append(Way(node.name, OTHERWISE, node.otherwise))
    return tuple(found)


def marks(node: Node) -> tuple[str, ...]:
    """The keys of a rating."""
    return tuple(str(mark) for mark in range(node.low, node.high + 1))


def accepts(node: Node, digits: str) -> bool:
    """Are these the digits that a gather node wants? Exactly as play_and_get_digits judges them: their number, and the pattern over all of them."""
    low, high = node.digits
    return low <= len(digits) <= high and digits.isdecimal() and digits.isascii() and (not node.pattern or re.fullmatch(node.pattern, digits) is not None)


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with its `{name}` places filled; what is not known is left out."""
    return PLACE.sub(lambda found: values.get(found[1], ""), text)


def prompts(ivr: Ivr, node: Node, values: Mapping[str, str]) -> tuple[Prompt, ...]:
    """What is played at a node: its sound, then its text; a beep before a recording."""
    language = node.language or ivr.language
    found = [Prompt("sound", node.sound, node.name, language)] if node.sound else []
    if node.text:
        said = filled(node.text, values)
        plain = node.do != "say" or node.say_as == "text"
        found.append(Prompt("text" if plain else "say", said, node.name, language, "" if plain else node.say_as))
    if node.do == "record" and node.beep:
        found.append(Prompt("beep", "", node.name, language))
    return tuple(found)
