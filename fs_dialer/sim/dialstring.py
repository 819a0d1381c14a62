"""Dial strings and the little languages around them, read as the switch reads them.

Pure: text in, an Originate out. Words part at spaces outside '...'; {} and [] hold variables parted at commas, or at X after ^^X; a value that would
be expanded is dropped (freeswitch.md). Knows nothing of legs.
"""

from __future__ import annotations

import re
from dataclasses import replace

from fs_dialer.sim.dialling import Originate, timeouts

_EXPANSION = re.compile(r"\$\{[^{}]*\}")
_SUM = re.compile(r"\s*([0-9.]+)\s*([-+*/])\s*([0-9.]+)\s*$")


def _nowhere(text: str, now: float) -> None:
    """Replaced by whoever originates."""


def words(text: str) -> list[str]:
    """Split at spaces outside quotes; the quotes stay, for the values inside braces need them."""
    found, word, quoted = [], "", False
    for char in text:
        if char == "'":
            quoted = not quoted
        if char == " " and not quoted:
            if word:
                found.append(word)
            word = ""
        else:
            word += char
    return [*found, word] if word else found


def without_expansions(text: str) -> str:
    """`${name}` of something that is not set is nothing."""
    return _EXPANSION.sub("", text)


def read_originate(text: str) -> Originate | None:
    """`{variables}endpoint target [dialplan] [context] [cid_name] [cid_num] [timeout]`; None where the switch prints its usage."""
    given = words(text)
    if len(given) < 2:
        return None
    order = read_dial_string(given[0])
    target, dialplan, context, cid_name, cid_number, timeout = (*given[1:], "", "", "", "", "", "")[:6]
    variables = dict(order.variables)
    if cid_name:
        variables["origination_caller_id_name"] = cid_name.strip("'")
    if cid_number:
        variables["origination_caller_id_number"] = cid_number
    if not target.startswith("&"):
        target = f"{target} {dialplan or 'XML'} {context or 'default'}"
    return replace(order, target=target.strip("'"), variables=variables, timeout_s=int(timeout) if timeout.isdecimal() else order.timeout_s)


def read_dial_string(text: str) -> Originate:
    """`{a=1,b='two words'}[c=3]sofia/...`. An unclosed brace stays in front of the endpoint, which then is none."""
    variables: dict[str, str] = {}
    rest = text
    while rest[:1] in ("{", "["):
        end = _closing(rest)
        if end < 0:
            break
        variables.update(read_variables(rest[1:end]))
        rest = rest[end + 1 :]
    return Originate(rest, variables, "", _nowhere, None, *timeouts(variables))


def _closing(text: str) -> int:
    """Where the brace or bracket at 0 closes, over nested ones and quotes; -1 = nowhere."""
    opening, closing = text[0], "}" if text[0] == "{" else "]"
    depth, quoted = 0, False
    for position, char in enumerate(text):
        if char == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif char == opening:
            depth += 1
        elif char == closing:
            depth -= 1
            if depth == 0:
                return position
    return -1


def read_variables(text: str) -> dict[str, str]:
    """`a=1,b='x,y',c=p\\,q` or `^^:a=1:b=2`."""
    separator = ","
    if text.startswith("^^") and len(text) > 2:
        separator, text = text[2], text[3:]
    parts, part, quoted, escaped = [], "", False, False
    for char in text:
        if escaped:
            part += char if char in f"{separator}'\\" else "\\" + char
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == "'":
            quoted = not quoted
        elif char == separator and not quoted:
            parts.append(part)
            part = ""
        else:
            part += char
    found = {}
    for piece in (*parts, part):
        name, equals, value = piece.partition("=")
        name = name.strip()
        if equals and name and not _EXPANSION.search(value):
            found[name] = value
    return found


def arithmetic(text: str) -> str:
    """`expr`: two numbers and one operator; anything longer is not worth simulating."""
    found = _SUM.match(text)
    if found is None:
        return "-ERR unable to evaluate\n"
    left, right = float(found[1]), float(found[3])
    if found[2] == "/" and right == 0:
        return "-ERR unable to evaluate\n"
    value = {"+": left + right, "-": left - right, "*": left * right, "/": left / right if right else 0.0}[found[2]]
    return f"{value:g}"
