"""Contexts, extensions and actions as FreeSWITCH dialplan XML.

Pure: values in, text out, equal values give equal bytes. Knows XML and what FreeSWITCH does to a value before it runs it; knows no extension of ours.

Two dangers in a value (spec D7). It could end the attribute it stands in: so it is escaped. And FreeSWITCH takes it apart once more when the
application runs: `${…}` and `$1` are expanded, `\\n` and `\\'` are unescaped, an API call named by a variable is made. So `$ { } \\` are refused,
and nothing rendered here can name a channel variable, foreign or our own. Control characters are refused too: XML 1.0 cannot hold most of them,
and its readers turn a newline into a blank.

Shape and order of the elements: FreeSWITCH's own conf/vanilla/dialplan. One condition per extension, on the destination number and exact. Every
element has a line of its own, because FreeSWITCH drops the line that holds `<include>`, with all that stands beside it (tried).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fs_dialer.errors import EslUnsafe

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # stands in the condition's regular expression: nothing in it has a meaning there
_APPLICATION = re.compile(r"[a-z][a-z0-9_]{0,31}")
_TAKEN_APART = re.compile(r"[${}\\]")
_NOT_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_MAX_CHARACTERS = 1000
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


@dataclass(frozen=True, slots=True)
class Action:
    """One application and its argument."""

    application: str
    data: str = ""


@dataclass(frozen=True, slots=True)
class Extension:
    """Reached by its name as destination number; its actions run in order, and after the last one the leg is hung up by the switch."""

    name: str
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Context:
    name: str
    extensions: tuple[Extension, ...]


def render(context: Context, comment: str = "") -> str:
    """A file for FreeSWITCH's dialplan/ folder, with `comment` on top.

    EslUnsafe for a value that D7 refuses, a name that is none, or an extension that is there twice.
    """
    names = [extension.name for extension in context.extensions]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise EslUnsafe(f"an extension is there twice, the second would never be reached: {twice[0]!r}")
    return "\n".join(_lines(context, comment)) + "\n"


def attribute(value: str) -> str:
    """A value inside double quotes of XML. EslUnsafe for what FreeSWITCH would take apart, control characters, or more than 1000 characters."""
    if odd := _TAKEN_APART.search(value):
        raise EslUnsafe(f"{odd[0]} is refused, the switch would expand what it stands before: {_short(value)}")
    if _NOT_TEXT.search(value) or len(value) > _MAX_CHARACTERS:
        raise EslUnsafe(f"not one line of text of at most {_MAX_CHARACTERS} characters: {_short(value)}")
    return value.translate(_ESCAPES)


def _lines(context: Context, comment: str) -> Iterator[str]:
    if comment:
        yield from _comment(comment)
    yield "<include>"
    yield f'  <context name="{_name(context.name)}">'
    for extension in context.extensions:
        name = _name(extension.name)
        yield f'    <extension name="{name}">'
        yield f'      <condition field="destination_number" expression="^{name}$">'
        for action in extension.actions:
            yield f"        {_action(action)}"
        yield "      </condition>"
        yield "    </extension>"
    yield "  </context>"
    yield "</include>"


def _action(action: Action) -> str:
    if not _APPLICATION.fullmatch(action.application):
        raise EslUnsafe(f"not an application: {_short(action.application)}")
    data = f' data="{attribute(action.data)}"' if action.data else ""
    return f'<action application="{action.application}"{data}/>'


def _comment(text: str) -> Iterator[str]:
    """FreeSWITCH reads its files as text first and obeys `<!--#include` and X-PRE-PROCESS even there: a comment is plain text."""
    if "--" in text or "<" in text or "#" in text or _TAKEN_APART.search(text):
        raise EslUnsafe(f"not plain text for a comment: {_short(text)}")
    first, *rest = text.splitlines()
    lines = [f"<!-- {first}", *(f"     {line}".rstrip() for line in rest)]
    yield from (*lines[:-1], lines[-1] + " -->")


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise EslUnsafe(f"not a name of letters, digits, _ and -: {_short(name)}")
    return name


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
