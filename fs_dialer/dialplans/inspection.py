"""A last look at a file before the switch is given it: is it whole XML, of our own contexts, with nothing in it that FreeSWITCH would obey unasked?

Pure, and on purpose without trust in the renderers (dialplan.py): it reads the finished text as FreeSWITCH will. FreeSWITCH first reads a file as text, and
takes lines with X-PRE-PROCESS, comments that begin with #, and `$${…}` for orders, wherever they stand. Then it reads XML; and when an application runs, it
expands `${…}` in its data. So the first must not be there at all, and of the last only the variables and the few words that dialplan.py knows (spec D7).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

from fs_dialer.core.switch_names import FALLBACK_CONTEXT, IVR_CONTEXT, QUEUE_CONTEXT
from fs_dialer.dialplans.dialplan import BREAKS, HAS_AMD, HAS_AVMD, NAMES, NOW, NOW_LATER, VOICEMAIL_OR_RELEASED

CONTEXTS = (FALLBACK_CONTEXT, IVR_CONTEXT, QUEUE_CONTEXT)
APPLICATIONS = frozenset(
    "amd answer avmd_start bind_digit_action bridge clear_digit_action db digit_action_set_realm endless_playback event execute_extension hangup log mkdir "
    "park play_and_get_digits playback record say sched_broadcast sched_cancel sched_hangup sched_transfer set sleep transfer unset wait_for_silence".split()
)
_ORDERS = ("X-PRE-PROCESS", "X-NO-PRE-PROCESS", "<!--#", "$${", "<!DOCTYPE", "<!ENTITY", "<?")
_SHAPE: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {  # element → its attributes, what may stand in it
    "include": (frozenset(), frozenset({"context", "extension"})),
    "context": (frozenset({"name"}), frozenset({"extension"})),
    "extension": (frozenset({"name"}), frozenset({"condition"})),
    "condition": (frozenset({"field", "expression", "break"}), frozenset({"action", "anti-action"})),
    "action": (frozenset({"application", "data"}), frozenset()),
    "anti-action": (frozenset({"application", "data"}), frozenset()),
}
_WORDS = tuple(word.text for word in (VOICEMAIL_OR_RELEASED, NOW_LATER, NOW, HAS_AMD, HAS_AVMD))
_REFERENCE = re.compile(r"(?:\\\\\\)?\$\{([^{}$]*)\}")
_EXPRESSION = re.compile(r"\^.*\$", re.DOTALL)


def faults(text: str) -> list[str]:
    """What is wrong with a file of ours; none = it may be installed."""
    found = [f"it holds {order}, which FreeSWITCH obeys wherever it stands" for order in _ORDERS if order in text]
    if found:
        return found
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        return [f"it is not whole XML: {error}"]
    if root.tag != "include":
        return [f"its first element is {root.tag}, not include"]
    return [*_of_lines(text), *_of_element(root), *_of_names(root)]


def _of_lines(text: str) -> Iterator[str]:
    """FreeSWITCH drops the lines of <include>, with all that stands beside it."""
    for line in text.splitlines():
        if "include>" in line and line.strip() not in ("<include>", "</include>"):
            yield f"<include> shares a line, which FreeSWITCH drops: {line.strip()[:60]!r}"


def _of_element(element: ElementTree.Element) -> Iterator[str]:
    attributes, children = _SHAPE[element.tag]
    for name, value in element.attrib.items():
        if name not in attributes:
            yield f"<{element.tag}> has an attribute {name}"
        elif name in ("data", "field"):
            yield from _of_value(value)
    if element.tag == "context" and element.get("name") not in CONTEXTS:
        yield f"a context is not ours: {element.get('name')!r}"
    if "application" in attributes and element.get("application") not in APPLICATIONS:
        yield f"an application is not one of ours: {element.get('application')!r}"
    if element.get("break", "") not in BREAKS:
        yield f"a break is none that FreeSWITCH knows: {element.get('break')!r}"
    expression = element.get("expression", "^$")
    if not _EXPRESSION.fullmatch(expression) or "${" in expression:
        yield f"an expression does not go from ^ to $: {expression[:60]!r}"
    if (element.text or "").strip() or (element.tail or "").strip():
        yield f"there is text beside the elements, at <{element.tag}>"
    for child in element:
        if child.tag in children:
            yield from _of_element(child)
        else:
            yield f"<{child.tag}> stands in <{element.tag}>"


def _of_value(value: str) -> Iterator[str]:
    """`$1` is what the brackets of an expression of ours caught."""
    rest = value
    for word in _WORDS:
        rest = rest.replace(word, "")
    for reference in _REFERENCE.findall(rest):
        if not NAMES.fullmatch(reference):
            yield f"a value names the variable {reference[:60]!r}"
    rest = _REFERENCE.sub("", rest).replace("$1", "")
    if "$" in rest or "\\" in rest:
        yield f"the switch would take a value apart: {value[:80]!r}"


def _of_names(root: ElementTree.Element) -> Iterator[str]:
    for context in [root, *root.findall("context")]:
        names = [each.get("name", "") for each in context.findall("extension")]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"the extension {name} is there twice"
