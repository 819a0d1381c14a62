"""Which trigger hears which event, and what it does then (S79–S82).

Pure: an event's kind and data in, actions out. Knows nothing of where events come from (sql/schema.sql: happenings) and does none of the actions.

A condition names a field of the event and the texts it may have. Everything is compared as text and without regard to case: `missed: yes` holds for a true
value, `agent: ""` for none. All conditions must hold ("Meet ALL"), a field that the event does not have meets none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fs_dialer.core.resources import Trigger, TriggerAction

ALTERNATIVES = "|"
_YES, _NO = ("yes", "true"), ("no", "false")

# What each kind of event tells, for `trigger test` and the manual; the queries that write happenings give exactly these.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "ticket_created": ("ticket", "channel", "campaign", "lead", "attempt", "number", "outcome", "queue"),
    "attempt_ended": ("campaign", "lead", "attempt", "number", "outcome", "missed", "agent", "gateway", "caller_id"),
    "lead_finished": ("campaign", "lead", "attempt", "number", "outcome", "status"),
    "disposition_set": ("campaign", "lead", "attempt", "number", "outcome", "disposition", "agent"),
    "campaign_state": ("campaign", "from", "to", "revision", "reason"),
}


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one trigger at one event. `why_not`: "" = it fires."""

    trigger: Trigger
    why_not: str

    @property
    def fires(self) -> bool:
        return not self.why_not


def judge(trigger: Trigger, kind: str, data: Mapping[str, Any]) -> Judged:
    """Does this trigger fire, and if not, which condition stands in its way? The first that does not hold is told."""
    if trigger.on != kind:
        return Judged(trigger, f"it listens for {trigger.on}")
    for field, wanted in trigger.when:
        if field not in data:
            return Judged(trigger, f"the event has no field {field}")
        if not meets(data[field], wanted):
            return Judged(trigger, f"{field} is {shown(data[field])}, not {' or '.join(part or 'empty' for part in alternatives(wanted))}")
    return Judged(trigger, "")


def actions(triggers: Iterable[Trigger], kind: str, data: Mapping[str, Any]) -> tuple[tuple[str, TriggerAction], ...]:
    """(trigger's name, action) of all that fire, in the order of triggers and then of their actions; the same action twice is done once."""
    found: dict[TriggerAction, str] = {}
    for trigger in triggers:
        if judge(trigger, kind, data).fires:
            for action in trigger.then:
                found.setdefault(action, trigger.name)
    return tuple((name, action) for action, name in found.items())


def meets(value: Any, wanted: str) -> bool:
    """Is the value, as text, one of the alternatives?"""
    texts = {text.strip().casefold() for text in texts_of(value)}
    return any(part.strip().casefold() in texts for part in alternatives(wanted))


def alternatives(wanted: str) -> list[str]:
    return wanted.split(ALTERNATIVES)


def texts_of(value: Any) -> tuple[str, ...]:
    """A value of JSON as the texts that a condition may name it by; a list meets a condition when one of its values does."""
    if value is None:
        return ("",)
    if isinstance(value, bool):
        return _YES if value else _NO
    if isinstance(value, float) and value.is_integer():
        return (str(int(value)),)
    if isinstance(value, list | tuple):
        return tuple(text for each in value for text in texts_of(each)) or ("",)
    return (str(value),)


def shown(value: Any) -> str:
    """A value as people read it."""
    return ", ".join(texts_of(value)[:1] if isinstance(value, bool) else texts_of(value)) or "empty"
