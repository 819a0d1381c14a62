"""The bodies of the agent interface, as JSON Schema (draft 2020-12). The picture's is read from its dataclasses, and so says what they do."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from fs_dialer.core.agent_picture import AgentPicture
from fs_dialer.core.agent_verbs import SUPERVISE_HOW, TRANSFER_KINDS
from fs_dialer.web.schemas import COUNT, TEXT

Schema = Mapping[str, Any]
FLAG: Schema = {"type": ["boolean", "string"], "description": "true or false; yes and no will do"}
MOMENT: Schema = {
    "type": ["string", "number"],
    "description": "2026-12-01T09:00:00+07:00; without an offset, tomorrow 9:00, mon 8:00 or +2h by the clock where the customer lives; or epoch seconds",
}
CALL: Schema = {"type": "string", "description": "the id of the call that is meant; left out: the one he has. Named, a late click never touches the next one"}


def schema_of(kind: Any) -> dict[str, Any]:
    """Of a type that orjson writes: dataclasses become objects that have all their fields."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        (one,) = [each for each in inner if each is not type(None)]
        return {"anyOf": [schema_of(one), {"type": "null"}]}
    if origin is tuple:
        return {"type": "array", "items": schema_of(inner[0])}
    if hasattr(kind, "__supertype__"):
        return schema_of(kind.__supertype__)
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        names = [each.name for each in fields(kind)]
        return {"type": "object", "properties": {name: schema_of(hints[name]) for name in names}, "required": names}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [each.value for each in kind]}
    simple = {str: "string", int: "integer", float: "number", bool: "boolean"}
    return {"type": simple[kind]}


def _object(required: str = "", /, **properties: Schema) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": required.split(), "additionalProperties": False}


def _open(required: str, /, **properties: Schema) -> dict[str, Any]:
    """An answer: more may be added in later versions."""
    return {"type": "object", "properties": dict(properties), "required": required.split()}


def _nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


TIME: Schema = {"type": "number", "description": "epoch seconds, by the server's clock"}
ANSWER_VALUE: Schema = {"type": ["string", "number", "boolean", "array", "null"], "items": {"type": ["string", "number"]}}
ANSWERS_GIVEN: Schema = {
    "type": "object",
    "maxProperties": 200,
    "additionalProperties": ANSWER_VALUE,
    "description": 'by question; a list for several choices, "" takes an answer away',
}
CARD: Schema = _open(
    "campaign title type lead number zone name attributes status attempts attempts_max calls script answers missing note dispositions promised tickets",
    campaign=TEXT,
    title=TEXT,
    type=TEXT,
    lead={"type": "integer"},
    number=TEXT,
    zone={"type": "string", "description": "where the customer lives"},
    name=TEXT,
    owner=TEXT,
    attributes={"type": "object"},
    parameters={"type": "object"},
    status=TEXT,
    attempts=COUNT,
    attempts_max=COUNT,
    calls={"type": "array", "items": {"type": "object"}, "description": "earlier calls, the newest first: at, outcome, agent, disposition, note, talked_s"},
    script={"type": "array", "items": {"type": "object"}, "description": "sentences (say) and questions (ask, key, kind, options, required, low, high)"},
    answers={"type": "object"},
    missing={"type": "array", "items": TEXT, "description": "required questions without an answer"},
    note=TEXT,
    dispositions={"type": "array", "items": _open("code label effect", code=TEXT, label=TEXT, kind=TEXT, final={"type": "boolean"}, effect=TEXT)},
    promised={"type": "array", "items": {"type": "object"}},
    tickets={"type": "array", "items": {"type": "object"}, "description": "open tickets of this number: missed calls, wishes to be called back"},
    attempt={**_nullable(TEXT), "description": "the call that the answers and the result belong to; null: it is not dialled yet"},
    disposition={**_nullable(TEXT), "description": "the result that was chosen"},
    kept_for_end={"type": "boolean", "description": "it is filed when the call is over"},
)
PICTURE: Schema = schema_of(AgentPicture)
DESK: Schema = _open(
    "now number desk card",
    now=TIME,
    number={"type": "integer", "description": "of the last event; follow with ?after=NUMBER"},
    reset={"type": "boolean", "description": "in a stream: what was known before counts for nothing"},
    desk=PICTURE,
    card=_nullable({**CARD, "properties": {**CARD["properties"], "call": _nullable(TEXT)}}),
)
CARD_ANSWER: Schema = _open("card", card=CARD)
DONE: Schema = _open("ok text command", ok={"const": True}, text=TEXT, command=TEXT)
FILED_DONE: Schema = _open("ok text", ok={"const": True}, text=TEXT)

ARGUMENTS: Mapping[str, Schema] = {
    "call": CALL,
    "campaign": {"type": "string", "description": "the name of one of his campaigns"},
    "lead": {"type": ["integer", "string"], "description": "the id of a lead of that campaign; left out: the next one"},
    "lease_s": {"type": ["number", "string"], "description": "how long the screen stays open without an event stream, seconds; 30 where nothing is said"},
    "reason": TEXT,
    "why": TEXT,
    "kind": {"enum": list(TRANSFER_KINDS)},
    "to": {"type": "string", "description": "the agent, the team or the number"},
    "attended": {"enum": [True, False, "yes", "no"], "description": "true: talk to them first, the customer waits with music"},
    "dial": {"type": "string", "description": "the supervisor's telephone, as user/1009", "pattern": "^user/[A-Za-z0-9_.+-]{1,64}(@[A-Za-z0-9.-]{1,253})?$"},
    "how": {"enum": list(SUPERVISE_HOW), "description": "listen; whisper: the agent hears it too; barge: both do"},
}
REQUIRED: Mapping[str, str] = {
    "take": "campaign",
    "pause_campaign": "campaign",
    "resume_campaign": "campaign",
    "transfer": "kind to",
    "supervise": "dial",
}
FILED: Mapping[str, Schema] = {
    "dispose": _object(
        "code",
        call=CALL,
        code={"type": "string", "description": "one of the card's dispositions"},
        callback_at=MOMENT,
        to_me={**FLAG, "description": "true: he promises to call himself; else anyone may"},
        note=TEXT,
        answers=ANSWERS_GIVEN,
    ),
    "answers": _object("", call=CALL, answers=ANSWERS_GIVEN, note=TEXT),
    "callback": _object("at", call=CALL, lead=ARGUMENTS["lead"], at=MOMENT, to_me=FLAG, why=TEXT),
    "do-not-call": _object(
        "",
        call=CALL,
        lead=ARGUMENTS["lead"],
        for_good={**FLAG, "description": "true (as where nothing is said): onto the do-not-call list; false: left alone for as long as the campaign says"},
        why=TEXT,
    ),
}


def arguments_schema(verb: str, names: tuple[str, ...]) -> Schema:
    """The body of a verb that takes these arguments."""
    return _object(REQUIRED.get(verb, ""), **{name: ARGUMENTS[name] for name in names})
