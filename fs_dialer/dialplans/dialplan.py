"""Contexts, extensions, conditions and actions as FreeSWITCH dialplan XML.

Pure: values in, text out, equal values give equal bytes. Knows XML and what FreeSWITCH does to a value before it runs it; knows no extension of ours.

Two dangers in a value (spec D7). It could end the attribute it stands in: so it is escaped. And FreeSWITCH takes it apart once more when the
application runs: `${…}` and `$1` are expanded, `\\n` and `\\'` are unescaped, an API call named by a variable is made. So `$ { } \\` are refused in
every text, and a variable can only be named by a `Ref`, which takes none but those of NAMES: what they hold is ours, digits, or has passed the
allow-list, because the switch expands what it finds in them again. What a caller's telephone says (name, number, SIP headers) is in none of them; it is
looked at by a condition on a field of the caller profile, which is not expanded, and gets no further than the regular expression's brackets: `MATCH`.
Control characters are refused too: XML 1.0 cannot hold most of them, and its readers turn a newline into a blank.

Shape and order of the elements: FreeSWITCH's own conf/vanilla/dialplan. The first condition of an extension is on the destination number and exact.
Every element has a line of its own, because FreeSWITCH drops the line that holds `<include>`, with all that stands beside it (tried).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from fs_dialer.errors import EslUnsafe

_NAME = re.compile(r"\+?[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,158}[A-Za-z0-9_-])?")
_WAY = re.compile(r"[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,64}){0,5}\.[*#]")  # a name that ends in a key
_CONTEXT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_APPLICATION = re.compile(r"[a-z][a-z0-9_]{0,31}")
_FIELD = re.compile(r"destination_number|caller_id_number|uuid")  # of the caller profile: their values are compared as they are
_EXPRESSION = re.compile(r"\^[A-Za-z0-9_ \[\](){}|?+*.,:#@%=!~/\\-]*\$")
_TAKEN_APART = re.compile(r"[${}\\]")
_NOT_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_MAX_CHARACTERS = 2000
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
BREAKS = ("", "never", "on-true", "on-false", "always")

# The channel variables that may be named, and those of the switch's own that hold nothing but its own.
NAMES = re.compile(
    r"fsd_(?:ivr|done|key|number|queue|since|attempt|gateway|caller_id|message|detect|dial|[av]_[A-Za-z0-9_.-]{1,64})|record_seconds|last_bridge_to|amd_status|uuid"
)


@dataclass(frozen=True, slots=True)
class Ref:
    """`${name}` at the moment the application runs. EslUnsafe for a name that is none of NAMES."""

    name: str

    def __post_init__(self) -> None:
        if not NAMES.fullmatch(self.name):
            raise EslUnsafe(f"not a variable that our dialplan may name: {_short(self.name)}")


@dataclass(frozen=True, slots=True)
class Later:
    """The same, but what is stored now is the reference itself, for what runs at a later event. `set` expands what it was given once more (tried), so the
    reference is hidden twice."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class Fixed:
    """A word that the switch puts there itself: one of those below."""

    text: str


NOW = Fixed("${strepoch()}")  # epoch seconds
NOW_LATER = Fixed("\\\\\\${strepoch()}")
MATCH = Fixed("$1")  # what the brackets of the condition's expression caught, put in when the extension is looked up
HAS_AMD = Fixed("${module_exists(mod_amd)}")
HAS_AVMD = Fixed("${module_exists(mod_avmd)}")
VOICEMAIL_OR_RELEASED = Fixed("\\\\\\${cond(\\\\\\${record_seconds} > 0 ? voicemail : released)}")

Part = str | Ref | Later | Fixed
Data = str | tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """One application and its argument. A text names no variable; a tuple joins texts and references."""

    application: str
    data: Data = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """Asked when the extension is looked up, before anything of it runs. `field`: a text = of the caller profile, a tuple = references; None = always so.

    `breaks`: never = whatever it says, the next condition is asked; left out: no further one when this one is not so, and what stood before still runs.
    """

    field: Data | None
    expression: str
    actions: tuple[Action, ...] = ()
    otherwise: tuple[Action, ...] = ()
    breaks: str = ""


@dataclass(frozen=True, slots=True)
class Extension:
    """Reached by its name as destination number, or by one of `also`; its actions run in order, then those of its conditions, and after the last one the leg
    is hung up by the switch. `first`: conditions asked before any action is taken up."""

    name: str
    actions: tuple[Action, ...]
    conditions: tuple[Condition, ...] = ()
    also: tuple[str, ...] = ()
    first: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    name: str
    extensions: tuple[Extension, ...]


def always(*actions: Action) -> Condition:
    return Condition(None, "", actions)


def exactly(*values: str) -> str:
    """An expression that is true of these texts and of nothing else. EslUnsafe for a text that is not plain."""
    words = []
    for value in values:
        if not re.fullmatch(r"[A-Za-z0-9_ +.,*#@:-]{0,160}", value):
            raise EslUnsafe(f"not plain enough for a regular expression: {_short(value)}")
        words.append(re.sub(r"([.+*])", r"\\\1", value))
    return f"^{words[0]}$" if len(words) == 1 else f"^(?:{'|'.join(words)})$"


def render(context: Context, comment: str = "") -> str:
    """A file for FreeSWITCH's dialplan/ folder, with `comment` on top.

    EslUnsafe for a value that D7 refuses, a name that is none, or an extension that is there twice.
    """
    return _file([f'  <context name="{_context(context.name)}">', *_extensions(context.extensions, "    "), "  </context>"], comment)


def render_bare(extensions: tuple[Extension, ...], comment: str = "") -> str:
    """A file for a folder like dialplan/public/, which is included inside a context of somebody else's."""
    return _file([*_extensions(extensions, "  ")], comment)


def attribute(value: str) -> str:
    """A value inside double quotes of XML. EslUnsafe for what FreeSWITCH would take apart, control characters, or more than 2000 characters."""
    if odd := _TAKEN_APART.search(value):
        raise EslUnsafe(f"{odd[0]} is refused, the switch would expand what it stands before: {_short(value)}")
    if _NOT_TEXT.search(value) or len(value) > _MAX_CHARACTERS:
        raise EslUnsafe(f"not one line of text of at most {_MAX_CHARACTERS} characters: {_short(value)}")
    return value.translate(_ESCAPES)


def _file(lines: list[str], comment: str) -> str:
    return "\n".join([*(_comment(comment) if comment else ()), "<include>", *lines, "</include>"]) + "\n"


def _extensions(extensions: tuple[Extension, ...], indent: str) -> Iterator[str]:
    names = [name for extension in extensions for name in (extension.name, *extension.also)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise EslUnsafe(f"an extension is there twice, the second would never be reached: {twice[0]!r}")
    for extension in extensions:
        yield f'{indent}<extension name="{_name(extension.name)}">'
        reached = exactly(_name(extension.name), *(_way(name) for name in extension.also))
        conditions = (Condition("destination_number", reached), *extension.first) if extension.first else ()
        lead = always(*extension.actions) if extension.first else Condition("destination_number", reached, extension.actions)
        for condition in _merged((*conditions, lead, *extension.conditions)):
            yield from (f"{indent}  {line}" for line in _condition(condition))
        yield f"{indent}</extension>"


def _merged(conditions: tuple[Condition, ...]) -> list[Condition]:
    """One that is always so continues the one before, where that one lets nothing else through."""
    found: list[Condition] = []
    for condition in conditions:
        before = found[-1] if found else None
        if condition.field is None and before is not None and not before.otherwise and not before.breaks:
            found[-1] = replace(before, actions=before.actions + condition.actions)
        else:
            found.append(condition)
    return found


def _condition(condition: Condition) -> Iterator[str]:
    if condition.breaks not in BREAKS:
        raise EslUnsafe(f"not one of {BREAKS}: {condition.breaks!r}")
    asked = ""
    if condition.field is not None:
        if not _EXPRESSION.fullmatch(condition.expression):
            raise EslUnsafe(f"not an expression from ^ to $: {_short(condition.expression)}")
        asked = f' field="{_field(condition.field)}" expression="{condition.expression}"'
    breaks = f' break="{condition.breaks}"' if condition.breaks else ""
    if not condition.actions and not condition.otherwise:
        yield f"<condition{asked}{breaks}/>"
        return
    yield f"<condition{asked}{breaks}>"
    yield from (f"  {_action(action)}" for action in condition.actions)
    yield from (f"  {_action(action, 'anti-action')}" for action in condition.otherwise)
    yield "</condition>"


def _field(field: Data) -> str:
    if isinstance(field, str):
        if not _FIELD.fullmatch(field):
            raise EslUnsafe(f"not a field that our dialplan looks at: {_short(field)}")
        return field
    return "".join(_part(part) for part in field)


def _action(action: Action, element: str = "action") -> str:
    if not _APPLICATION.fullmatch(action.application):
        raise EslUnsafe(f"not an application: {_short(action.application)}")
    text = attribute(action.data) if isinstance(action.data, str) else "".join(_part(part) for part in action.data)
    data = f' data="{text}"' if text else ""
    return f'<{element} application="{action.application}"{data}/>'


def _part(part: Part) -> str:
    match part:
        case str():
            return attribute(part)
        case Ref(name):
            return f"${{{name}}}"
        case Later(ref):
            return f"\\\\\\${{{ref.name}}}"
        case Fixed():
            if part not in (NOW, NOW_LATER, MATCH, HAS_AMD, HAS_AVMD, VOICEMAIL_OR_RELEASED):
                raise EslUnsafe(f"not a word of ours: {_short(part.text)}")
            return part.text.translate(_ESCAPES)


def _comment(text: str) -> Iterator[str]:
    """FreeSWITCH reads its files as text first and obeys `<!--#include` and X-PRE-PROCESS even there: a comment is plain text."""
    if "--" in text or "<" in text or "#" in text or _TAKEN_APART.search(text):
        raise EslUnsafe(f"not plain text for a comment: {_short(text)}")
    first, *rest = text.splitlines()
    lines = [f"<!-- {first}", *(f"     {line}".rstrip() for line in rest)]
    yield from (*lines[:-1], lines[-1] + " -->")


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise EslUnsafe(f"not a name of letters, digits, _ - and .: {_short(name)}")
    return name


def _way(name: str) -> str:
    return name if _WAY.fullmatch(name) else _name(name)


def _context(name: str) -> str:
    if not _CONTEXT.fullmatch(name):
        raise EslUnsafe(f"not a name of letters, digits, _ and -: {_short(name)}")
    return name


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
