"""The bodies of requests and answers, as JSON Schema (draft 2020-12).

For people and for the interface's description. Rows are not judged by these: the desk says what is wrong with each in its own words, and a test holds the two
together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXT: Mapping[str, Any] = {"type": "string"}
COUNT: Mapping[str, Any] = {"type": "integer", "minimum": 0}


def _object(required: str, /, **properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": required.split(), "additionalProperties": False}


ERROR = _object("error why mend", error=TEXT, why=TEXT, mend=TEXT)
HEALTH = _object("ok active reasons", ok={"type": "boolean"}, active={"type": "boolean"}, reasons={"type": "array", "items": TEXT})

_PHONE = {"type": "string", "description": "as people write it; without a country code it belongs to the installation's region"}
CONTACT = _object(
    "",
    phone=_PHONE,
    phone2=_PHONE,
    phone3=_PHONE,
    phone4=_PHONE,
    phone5=_PHONE,
    phone6=_PHONE,
    phone7=_PHONE,
    phone8=_PHONE,
    phone9=_PHONE,
    name=TEXT,
    zone={"type": "string", "description": "a place of the time zone database, where the number's own zone is not meant"},
    owner={"type": "string", "description": "the agent who manages the account (S34)"},
    not_before={"type": "string", "description": "2026-12-01T08:00:00+07:00, or without an offset by the clock where the number lives"},
    attributes={"type": "object", "maxProperties": 300, "additionalProperties": {"type": ["string", "number", "boolean"]}},
)
LEADS: Mapping[str, Any] = {"type": "array", "maxItems": 1000, "items": CONTACT}
LEADS_ANSWER = _object(
    "total added known twice do_not_call no_callback invalid",
    total=COUNT,
    added={**COUNT, "description": "joined, and are called in their turn"},
    known={**COUNT, "description": "were in the campaign"},
    twice={**COUNT, "description": "further rows of a number that stood in the request before"},
    do_not_call={**COUNT, "description": "joined as blocked"},
    no_callback={**COUNT, "description": "joined as refused, until their time of being left alone is over"},
    invalid={"type": "array", "items": _object("index field problem", index=COUNT, field=TEXT, problem=TEXT)},
)
DNC = _object("numbers", numbers={"type": "array", "minItems": 1, "maxItems": 1000, "items": TEXT}, list=TEXT, reason=TEXT)
DNC_ANSWER = _object("added blocked_leads", added=COUNT, blocked_leads=COUNT)
CAMPAIGNS = _object(
    "campaigns",
    campaigns={
        "type": "array",
        "items": _object(
            "name type state revision because lines waiting dials answered missed bridged agents idle leads",
            name=TEXT,
            type=TEXT,
            state=TEXT,
            revision=COUNT,
            because=TEXT,
            lines=COUNT,
            waiting=COUNT,
            dials=COUNT,
            answered=COUNT,
            missed=COUNT,
            bridged=COUNT,
            agents=COUNT,
            idle=COUNT,
            leads={"type": "object", "additionalProperties": COUNT},
        ),
    },
)
OPENAPI: Mapping[str, Any] = {
    "type": "object",
    "properties": {"openapi": TEXT, "info": {"type": "object"}, "paths": {"type": "object"}, "components": {"type": "object"}},
    "required": ["openapi", "info", "paths", "components"],
}
