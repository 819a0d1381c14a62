"""The XML dialplan: contexts, extensions, conditions and actions, read and searched as mod_dialplan_xml does it.

Pure: texts in, a Dialplan out; a Dialplan and questions about a leg in, applications out. Knows `field`, `expression`, `break`, anti-actions, nested
conditions, `continue`, `inline` and `$1`. Whatever else the real switch would take notice of (times of day, <regex>, loops) is refused when it is read:
better no test than one that passes by accident. Of two contexts with one name the switch
finds the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.etree import ElementTree

Found = tuple[tuple[str, str], ...]
PUBLIC: Final = "public"  # the context whose folder files without one are made for
BREAKS: Final = ("on-false", "on-true", "always", "never")
_PLAIN: Final = r"(?:[A-Za-z0-9_#-]|\\[.+*#-])+"
_LITERAL: Final = re.compile(rf"\^(?:({_PLAIN})|\(\?:({_PLAIN}(?:\|{_PLAIN})*)\))\$")
_GROUP: Final = re.compile(r"\$(\d{1,2})")
_INCLUDE_LINE: Final = re.compile(r"^.*</?include>.*$", re.MULTILINE)


class DialplanError(ValueError):
    """XML that the switch would refuse, or that the simulated switch does not know. The message is for whoever wrote it."""


@dataclass(frozen=True, slots=True)
class XmlAction:
    """One action or anti-action. inline: it runs while the dialplan is still being searched."""

    application: str
    data: str
    inline: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """`pattern` None = it always holds. `groups`: the expression has a bracket, so $1 in the actions means something."""

    field: str
    expression: str
    pattern: re.Pattern[str] | None
    groups: bool
    break_: str
    actions: tuple[XmlAction, ...]
    anti_actions: tuple[XmlAction, ...]
    nested: tuple[Condition, ...]
    require_nested: bool


@dataclass(frozen=True, slots=True)
class XmlExtension:
    name: str
    continues: bool
    conditions: tuple[Condition, ...]

    @property
    def numbers(self) -> tuple[str, ...]:
        """The only numbers that this extension is for, where its first condition says so; then nobody else needs to look at it."""
        first = self.conditions[0] if self.conditions else None
        if first is None or first.field != "destination_number" or first.break_ not in ("on-false", "always") or first.anti_actions:
            return ()
        found = _LITERAL.fullmatch(first.expression)
        return tuple((found[1] or found[2]).replace("\\", "").split("|")) if found else ()


@dataclass(frozen=True, slots=True)
class Context:
    """`by_number`: positions of the extensions for one number only; `others`: all other positions."""

    name: str
    extensions: tuple[XmlExtension, ...]
    element: ElementTree.Element
    by_number: dict[str, list[int]] = field(default_factory=dict)
    others: list[int] = field(default_factory=list)

    def candidates(self, number: str) -> Iterator[XmlExtension]:
        """Whatever may hold for this number, in order."""
        for position in sorted([*self.by_number.get(number, ()), *self.others]):
            yield self.extensions[position]


Dialplan = dict[str, Context]


@dataclass(frozen=True, slots=True)
class Asking:
    """What a search wants to know of its leg. `matched`: told of a condition with brackets that holds. `act` runs an inline action."""

    number: str
    field: Callable[[str], str]
    expand: Callable[[str], str]
    act: Callable[[str, str], None]


def read(texts: Iterable[str]) -> Dialplan:
    """All contexts of some files. DialplanError for what is wrong with them."""
    found: Dialplan = {}
    for text in texts:
        try:
            root = ElementTree.fromstring(f"<document>{_INCLUDE_LINE.sub('', _without_declaration(text))}</document>")
        except ElementTree.ParseError as error:
            raise DialplanError(f"not XML: {error}") from None
        for element in _contexts(root):
            name = element.get("name", PUBLIC)
            if name in found:
                continue
            context = Context(name, tuple(_extension(each) for each in _children(element, ("extension",), ("name",))), element)
            for position, extension in enumerate(context.extensions):
                if not extension.numbers:
                    context.others.append(position)
                for number in dict.fromkeys(extension.numbers):
                    context.by_number.setdefault(number, []).append(position)
            found[name] = context
    return found


def _without_declaration(text: str) -> str:
    return re.sub(r"^\s*<\?xml[^>]*\?>", "", text)


def _contexts(element: ElementTree.Element) -> Iterator[ElementTree.Element]:
    if any(child.tag == "extension" for child in element):
        bare = ElementTree.Element("context")
        bare.extend(child for child in element if child.tag == "extension")
        yield bare
    for child in element:
        if child.tag == "context":
            yield child
        elif child.tag == "extension":
            continue
        elif child.tag in ("include", "section", "document"):
            yield from _contexts(child)
        else:
            raise DialplanError(f"<{child.tag}> is not known to the simulated switch")


def _children(element: ElementTree.Element, tags: tuple[str, ...], attributes: tuple[str, ...]) -> list[ElementTree.Element]:
    for name in element.attrib:
        if name not in attributes:
            raise DialplanError(f"<{element.tag} {name}=…> is not known to the simulated switch")
    for child in element:
        if child.tag not in tags:
            raise DialplanError(f"<{child.tag}> in <{element.tag}> is not known to the simulated switch")
    return list(element)


def _extension(element: ElementTree.Element) -> XmlExtension:
    conditions = tuple(_condition(each) for each in _children(element, ("condition",), ("name", "continue")))
    return XmlExtension(element.get("name", ""), element.get("continue") == "true", conditions)


def _condition(element: ElementTree.Element) -> Condition:
    children = _children(element, ("action", "anti-action", "condition"), ("field", "expression", "break", "require-nested"))
    name, expression, break_ = element.get("field", ""), element.get("expression", ""), element.get("break", "on-false")
    if break_ not in BREAKS:
        raise DialplanError(f"break={break_!r}: there are {', '.join(BREAKS)}")
    if bool(name) != bool(expression):
        raise DialplanError(f"a condition needs both field and expression, or neither: {name or expression!r}")
    pattern = None
    if name:
        try:
            pattern = re.compile(expression) if "${" not in expression else None
        except re.error as error:
            raise DialplanError(f"expression {expression!r}: {error}") from None
        if pattern is None:
            raise DialplanError(f"expression {expression!r}: a variable in an expression is not known to the simulated switch")
    actions = tuple(_action(each) for each in children if each.tag == "action")
    anti_actions = tuple(_action(each) for each in children if each.tag == "anti-action")
    nested = tuple(_condition(each) for each in children if each.tag == "condition")
    return Condition(name, expression, pattern, "(" in expression, break_, actions, anti_actions, nested, element.get("require-nested", "true") == "true")


def _action(element: ElementTree.Element) -> XmlAction:
    _children(element, (), ("application", "data", "inline"))
    data = element.text if element.text and element.text.strip() else element.get("data", "")
    return XmlAction(element.get("application", ""), data, element.get("inline") == "true")


def search(context: Context, asking: Asking) -> Found | None:
    """The applications for a leg; None = no extension holds."""
    found: list[tuple[str, str]] = []
    for extension in context.candidates(asking.number):
        if _run(extension.conditions, asking, found) and not extension.continues:
            break
    return tuple(found) if found else None


def _run(conditions: tuple[Condition, ...], asking: Asking, found: list[tuple[str, str]]) -> bool:
    """Whether the last condition that was looked at held, which is what counts for the switch."""
    holds = False
    for condition in conditions:
        match: re.Match[str] | None = None
        if condition.pattern is None:
            holds = True
        else:
            match = condition.pattern.search(asking.expand(condition.field) if "$" in condition.field else asking.field(condition.field))
            holds = match is not None
        given = condition.actions if holds else condition.anti_actions
        if holds and condition.nested:
            inner: list[tuple[str, str]] = []
            passed = _run(condition.nested, asking, inner)
            if condition.require_nested and not passed:
                holds, given = False, ()
            _take(given, condition, match, asking, found)
            found += inner
        else:
            _take(given, condition, match, asking, found)
            holds = holds or bool(given)
        if condition.break_ == "always" or condition.break_ == ("on-true" if match is not None or condition.pattern is None else "on-false"):
            break
    return holds


def _take(actions: tuple[XmlAction, ...], condition: Condition, match: re.Match[str] | None, asking: Asking, found: list[tuple[str, str]]) -> None:
    for action in actions:
        data = _GROUP.sub(lambda group: _group(match, int(group[1])), action.data) if condition.groups and match is not None else action.data
        if action.inline:
            asking.act(action.application, data)
        else:
            found.append((action.application, data))


def _group(match: re.Match[str], number: int) -> str:
    return match[number] or "" if number <= match.re.groups else ""


def printed(context: Context) -> str:
    """As switch_xml_toxml() prints a context for xml_locate."""
    return _printed(context.element, 0)


def _printed(element: ElementTree.Element, depth: int) -> str:
    attributes = "".join(f' {name}="{_quoted(value)}"' for name, value in element.attrib.items())
    children = list(element)
    opening = ("" if depth == 0 else " " * (2 + 4 * depth)) + f"<{element.tag}{attributes}>"
    if not children:
        return f"{opening}{_quoted(element.text or '').strip()}</{element.tag}>\n\n"
    closing = " " * (2 + 2 * depth) + f"</{element.tag}>"
    return f"{opening}\n" + "".join(_printed(child, depth + 1) for child in children) + closing + ("\n" if depth == 0 else "\n\n")


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
