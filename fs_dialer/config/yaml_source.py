"""A YAML file as a tree of texts, each with its place in the file.

Knows YAML's outside: bytes, encodings, indentation, keys, and what we leave out of YAML on purpose (aliases, merge keys, tags, several documents).
Knows nothing of settings. Every scalar stays the text that was written, because YAML 1.1 would turn `8:00` into 480, `+84…` into a number and `no`
into false (D18). The tree is built from PyYAML's events, not by its composer: so depth is bounded before anything recurses, duplicate keys are seen,
and an alias can not multiply what was written.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from fs_dialer.errors import Problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 12  # our deepest setting, a key of a flow's menu, sits at 7

_FAST = getattr(yaml, "CBaseLoader", None)
_TAB_INDENT = re.compile(r"( *)\t[ \t]*[^\s#]")
_ODD_CHARACTER = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_OPENED = ("found unexpected end of stream", "expected ',' or")  # told at the place where the quote or bracket was opened
_WIDE_BOMS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_MEANING: tuple[tuple[str, str], ...] = (  # what PyYAML says, and what it means to the person who wrote the file
    ("mapping values are not allowed here", "a `:` where none can be: check the indentation, or put a text that holds `: ` in quotes"),
    ("could not find expected ':'", "`key: value` was expected: is the colon, or the space after it, missing?"),
    ("found unexpected end of stream", "a quote is opened and never closed"),
    ("found character '\\t'", "a tab: YAML wants spaces"),
    ("that cannot start any token", "a value that begins with one of % @ ` > | must stand in quotes"),
    ("expected chomping or indentation indicators", "a value that begins with > or | must stand in quotes"),
    ("expected alphabetic or numeric character", "a value that begins with * or & must stand in quotes; as keys, * and # are written star and hash"),
    ("expected <block end>", "the indentation does not fit the lines above"),
    ("expected ',' or ']'", "a [ is opened and never closed, or a comma is missing"),
    ("expected ',' or '}'", "a { is opened and never closed, or a comma is missing"),
    ("sequence entries are not allowed here", "a `- ` list begins here: put it on a line of its own, indented below its key"),
    ("expected '<document start>'", "text after the end of the document (...): one file holds one thing"),
    ("expected the node content", "a value is missing here"),
    ("found unknown escape character", "an unknown \\-escape: put the text in single quotes, where \\ means itself"),
    ("expected escape sequence", "an unfinished \\-escape: put the text in single quotes, where \\ means itself"),
    ("incompatible YAML document", "a %YAML line that we do not know: leave it out"),
)


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. `plain`: written without quotes; a plain empty text means that nothing was written."""

    text: str
    line: int
    column: int
    plain: bool = True


@dataclass(frozen=True, slots=True)
class Listing:
    items: tuple[Node, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Entry:
    key: Scalar
    value: Node


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping; keys are texts, each once."""

    entries: dict[str, Entry]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Broken:
    """Something whose problem has been told already: readers pass over it."""

    line: int
    column: int


Node = Scalar | Listing | Table | Broken


@dataclass(slots=True)
class YamlFile:
    """One file as read: `root` is None where it could not be read at all; then `problems` says why."""

    name: str
    lines: tuple[str, ...] = ()
    root: Table | None = None
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def problem_at(self, line: int, column: int, path: str, text: str) -> Problem:
        source = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        return Problem(self.name, line, column, path, text, source[:200])

    def problem(self, node: Node, path: str, text: str) -> Problem:
        return self.problem_at(node.line, node.column, path, text)


class _Unreadable(Exception):
    """The rest of the file can not be read; its problem is noted."""


def read_yaml(name: str, data: bytes) -> YamlFile:
    """The tree of one file, and every problem that YAML itself makes. Never raises, whatever the bytes are."""
    file = YamlFile(name)
    text = _decoded(file, data)
    if text is None:
        return file
    file.lines = tuple(text.split("\n"))
    if not _lines_are_sound(file):
        return file
    try:
        file.root = _parsed(file, text)
    except _Unreadable:
        pass
    except yaml.MarkedYAMLError as error:
        said = error.problem or error.context or "not YAML"
        marks = (error.context_mark, error.problem_mark) if said.startswith(_OPENED) else (error.problem_mark, error.context_mark)
        mark = marks[0] or marks[1]
        meaning = next((meaning for sign, meaning in _MEANING if sign in said), f"not YAML: {said}")
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        file.problems.append(file.problem_at(min(line, len(file.lines)), column, "", meaning))
    except (yaml.YAMLError, ValueError, OverflowError):  # "\U99999999" reaches chr() inside PyYAML, %YAML 99…9 reaches int()
        file.problems.append(Problem(name, 0, 0, "", "not YAML: a \\U escape or a %YAML line holds a number that is too large"))
    return file


def _parsed(file: YamlFile, text: str) -> Table | None:
    """By libyaml where there is one: twenty times as fast. What it refuses, and a text with tabs (it takes some that YAML does not), goes to PyYAML's own
    parser, whose words for a problem are those we know.
    """
    if _FAST is not None and "\t" not in text:
        trial = YamlFile(file.name, file.lines)
        try:
            root = _document(trial, yaml.parse(text, Loader=_FAST))
        except (_Unreadable, yaml.YAMLError, ValueError, OverflowError):
            pass
        else:
            file.problems += trial.problems
            return root
    return _document(file, yaml.parse(text, Loader=yaml.BaseLoader))


def _decoded(file: YamlFile, data: bytes) -> str | None:
    if len(data) > MAX_BYTES:
        file.problems.append(
            Problem(file.name, 0, 0, "", f"the file has {len(data):,} bytes; settings take at most {MAX_BYTES:,} (leads belong in a CSV file)")
        )
        return None
    if data.startswith(_WIDE_BOMS):
        file.problems.append(Problem(file.name, 0, 0, "", "saved as UTF-16 or UTF-32: save it as UTF-8"))
        return None
    body = data.removeprefix(codecs.BOM_UTF8)  # Windows editors write it; it says nothing we do not know
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        before = body[: error.start]
        line_start = before.rfind(b"\n") + 1
        column = len(before[line_start:].decode("utf-8")) + 1
        what = f"byte 0x{body[error.start]:02x} is not UTF-8: save the file as UTF-8"
        file.problems.append(Problem(file.name, before.count(b"\n") + 1, column, "", what))
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _lines_are_sound(file: YamlFile) -> bool:
    """False where characters stand in the file that no editor shows, or tabs that YAML would misread."""
    for number, line in enumerate(file.lines, 1):
        for found in _ODD_CHARACTER.finditer(line):
            what = "a NUL: this is no text file" if found[0] == "\0" else f"the invisible character U+{ord(found[0]):04X}: take it out"
            file.problems.append(file.problem_at(number, found.start() + 1, "", what))
            break
        if tab := _TAB_INDENT.match(line):
            file.problems.append(file.problem_at(number, tab.end(1) + 1, "", "a tab in the indentation: YAML wants spaces"))
    return not file.problems


def _document(file: YamlFile, events: Iterator[yaml.Event]) -> Table | None:
    root: Node | None = None
    documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                _stop(file, event, "a second document begins here (---): one file holds one thing; give it a file of its own")
            root = _node(file, next(events), events, 1)
    if root is None or (isinstance(root, Scalar) and root.plain and not root.text):
        file.problems.append(Problem(file.name, 0, 0, "", "the file is empty"))
        return None
    if isinstance(root, Table):
        return root
    if not isinstance(root, Broken):
        found = "a list" if isinstance(root, Listing) else "a text"
        file.problems.append(file.problem(root, "", f"settings were expected, written `key: value`; this is {found}"))
    return None


def _stop(file: YamlFile, event: yaml.Event, text: str) -> None:
    file.problems.append(file.problem_at(*_place(event), "", text))
    raise _Unreadable


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _node(file: YamlFile, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
    line, column = _place(event)
    if depth > MAX_DEPTH:
        _stop(file, event, f"nested more than {MAX_DEPTH} deep: no setting is")
    refused, anchor, tag = "", getattr(event, "anchor", None), getattr(event, "tag", None)
    if isinstance(event, yaml.AliasEvent):
        refused = f"*{anchor} repeats something written elsewhere; that is not used here: write the value out"
    elif anchor is not None:
        refused = f"&{anchor} marks something for repetition; that is not used here: take it away"
    elif tag is not None:
        refused = f"`{tag}` is a YAML tag; tags are not used here: write the plain value"
    node: Node
    if isinstance(event, yaml.ScalarEvent):
        node = Scalar(event.value, line, column, plain=not event.style)
        if not refused and (odd := _ODD_CHARACTER.search(event.value)):
            refused = f"the invisible character U+{ord(odd[0]):04X}: take it out"
    elif isinstance(event, yaml.SequenceStartEvent):
        items = []
        while not isinstance(inner := next(events), yaml.SequenceEndEvent):
            items.append(_node(file, inner, events, depth + 1))
        node = Listing(tuple(items), line, column)
    elif isinstance(event, yaml.MappingStartEvent):
        node = Table(_entries(file, events, depth), line, column)
    else:
        node = Broken(line, column)
    if refused:
        file.problems.append(file.problem(node, "", refused))
        return Broken(line, column)
    return node


def _entries(file: YamlFile, events: Iterator[yaml.Event], depth: int) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _node(file, event, events, depth + 1)
        value = _node(file, next(events), events, depth + 1)
        if isinstance(key, Broken):
            continue
        if isinstance(value, Scalar) and value.plain and not value.text:
            value = Scalar("", key.line, key.column)  # nothing stands nowhere; the two parsers say so differently
        if not isinstance(key, Scalar) or not key.text:
            file.problems.append(file.problem(key, "", "a key must be one word of plain text"))
        elif key.text == "<<" and key.plain:
            file.problems.append(file.problem(key, "", "`<<` merges other settings in; that is not used here: write the settings out"))
        elif key.text in entries:
            first = entries[key.text].key.line
            file.problems.append(file.problem(key, "", f"`{key.text}` stands here a second time, first in line {first}: keep one"))
        else:
            entries[key.text] = Entry(key, value)
    return entries
