"""What a node plays, as the switch's applications: sounds, spoken texts, values said in a language.

Pure. A text is spoken by the engine and voice that the flow's entry sets (`tts_engine`, `tts_voice`). Where a prompt can be broken off by a key it is one
argument of play_and_get_digits: sound and text joined by `|`, the `playback_delimiter` that the entry sets too (`say:TEXT` among files: tried).
`{name}` in a text becomes a channel variable: an answer of the flow, or an attribute of the lead. Both passed the allow-list (D7): letters, digits, blank,
`+ - . ,`.
"""

from __future__ import annotations

import re

from fs_dialer.core import switch_names as names
from fs_dialer.core.flow import HEARD, Ivr, Node
from fs_dialer.dialplans.dialplan import Action, Condition, Part, Ref, always
from fs_dialer.dialplans.options import SHORT_SILENCE, finite, played
from fs_dialer.errors import EslUnsafe

DELIMITER = "|"
PLACE = re.compile(r"\{([A-Za-z0-9_.-]+)\}")
SAY_TYPES = {
    "number": "NUMBER pronounced",
    "digits": "NUMBER iterated",
    "money": "CURRENCY pronounced",
    "date": "CURRENT_DATE pronounced",
    "time": "CURRENT_TIME pronounced",
}
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[_-][A-Za-z]{2,4})?")
_IS_DATE = "^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}$"
_NOON = " 12:00:00"  # the switch takes a text for a date and time where a colon is in it, else for epoch seconds (mod_say_en)


def variable(ivr: Ivr, name: str) -> Ref:
    """Where the value of a name is at run time. Names of the flow's own answers hide attributes of the lead."""
    answers = {node.kept_as for node in ivr.nodes if node.do in HEARD} | {taken for node in ivr.nodes for taken in node.take}
    return Ref((names.ANSWER if name in answers else names.ATTRIBUTE) + name)


def filled(ivr: Ivr, text: str) -> tuple[Part, ...]:
    """A text with its `{name}` places as references. What would end an argument of the switch is replaced by what sounds the same."""
    parts: list[Part] = []
    for index, piece in enumerate(PLACE.split(text)):
        if index % 2:
            parts.append(variable(ivr, piece))
        elif piece:
            parts.append(piece.replace("'", "\u2019").replace("|", ",").replace("`", "\u2019"))
    return tuple(parts)


def asked(ivr: Ivr, node: Node) -> tuple[Part, ...]:
    """The prompt of a node that waits for keys, as one argument. It ends in a moment of silence: where a file is missing, play_and_get_digits would else use up
    all tries at once, without waiting for a key (tried)."""
    parts: list[Part] = [f"{played(node.sound)}{DELIMITER}"] if node.sound else []
    if node.text:
        parts += ["say:", *filled(ivr, node.text), DELIMITER]
    return "'", *parts, SHORT_SILENCE, "'"


def told(ivr: Ivr, node: Node) -> tuple[Condition, ...]:
    """What a node plays that waits for nothing: its sound, then its text or value."""
    found = []
    if node.sound:
        found.append(always(Action("playback", finite(node.sound))))
    if node.text and (node.do != "say" or node.say_as == "text"):
        found.append(always(Action("playback", ("say:", *filled(ivr, node.text)))))
    elif node.text:
        found += _said(ivr, node)
    return tuple(found)


def _said(ivr: Ivr, node: Node) -> list[Condition]:
    language = node.language or ivr.language
    if not _LANGUAGE.fullmatch(language):
        raise EslUnsafe(f"not a language as in en, pt_BR: {language!r}")
    value = filled(ivr, node.text)
    begin = f"{language} {SAY_TYPES[node.say_as]} '"
    plain = Action("say", (begin, *value, "'"))
    if node.say_as != "date":
        return [always(plain)]
    return [Condition(value, _IS_DATE, (Action("say", (begin, *value, _NOON, "'")),), (plain,), "never")]
