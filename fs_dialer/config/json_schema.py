"""JSON Schema (draft 7) for all definition files, made from the declarations: completion, hover texts and squiggles in an editor.

Editors read YAML 1.2, where a bare telephone number is a number, `true` a truth value and `30s` a text; so every setting takes each form in which a right
value may be seen. Whatever our own reader takes, the schema takes; what only our reader can tell (names that exist, contradictions) it lets pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field
from typing import Any

from fs_dialer.config.fields import bounds_of
from fs_dialer.config.kinds import KINDS as VALUE_KINDS
from fs_dialer.config.kinds import show
from fs_dialer.config.things import KINDS
from fs_dialer.core.definition import Campaign, GatewayDefinition, Installation, SwitchDefinition
from fs_dialer.core.flow import Node
from fs_dialer.core.options import declared
from fs_dialer.core.resources import AttemptCap, CallerIdDefinition, Rule, ScriptItem, TriggerAction
from fs_dialer.modes import SETTINGS

Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"
_ANY_SCALAR = ["string", "number", "boolean", "null"]  # `title: 2027` is a text to us, and a number to the editor
_NAME = r"^\s*[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\s*$"
_DURATION = r"^\s*(?:[0-9][0-9.\s]*[dhmsDHMS]\s*)+$"
_DAYS = r"(?:[0-9]{4}-)?[0-9]{1,2}-[0-9]{1,2}"
_TIMES = r"^[0-9:,\s\u2010-\u2015-]+$|^\s*(?:[Cc][Ll][Oo][Ss][Ee][Dd]|[Nn][Oo]|[Nn][Oo][Nn][Ee])\s*$"
_COUNT = r"^\s*[+-]?[0-9]{1,12}\s*$"
_PHONE = r"^[\s0-9+()./\u2010-\u2013-]+$"


def _any_case(*words: str) -> str:
    """A pattern for words that are read whatever their case."""
    spelt = ("".join(f"[{each.upper()}{each}]" if each.isalpha() else each for each in word) for word in words)
    return rf"^\s*(?:{'|'.join(spelt)})\s*$"


def _one_or_many(item: Schema) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item}]}


def _pattern(pattern: str, *types: str) -> Schema:
    return {"type": ["string", *types] if types else "string", "pattern": pattern}


_TEXT: Schema = {"type": _ANY_SCALAR}
_SIMPLE: Mapping[str, Schema] = {  # what the kind alone decides
    "text": _TEXT,
    "texts": _one_or_many(_TEXT),
    "name": {"type": _ANY_SCALAR, "pattern": _NAME},
    "names": _one_or_many({"type": _ANY_SCALAR, "pattern": _NAME}),
    "ref": {"type": _ANY_SCALAR, "pattern": _NAME},
    "refs": _one_or_many({"type": _ANY_SCALAR, "pattern": _NAME}),
    "duration": _pattern(_DURATION),
    "flag": {"anyOf": [{"enum": ["yes", "no"]}, {"type": "boolean"}, _pattern(_any_case("yes", "no", "true", "false", "on", "off"))]},
    "phone": _pattern(_PHONE, "number"),
    "phones": _one_or_many(_pattern(_PHONE, "number")),
    "zone": _pattern(r"^\s*[A-Za-z][A-Za-z0-9_+/-]*\s*$"),
    "moment": _pattern(r"^\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[ T]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?\s*$"),
    "time_of_day": _pattern(r"^\s*[0-9]{1,2}:[0-9]{2}\s*$"),
    "sound": {"type": _ANY_SCALAR},
    "dial_string": _pattern(r"^\s*(?:user|sofia|loopback)/\S+\s*$"),
    "compare": _pattern(r"[0-9]", "integer"),
    "per_day": _pattern(r"[Dd][Aa][Yy]\s*$"),
    "per_hour": _pattern(r"[Hh][Oo][Uu][Rr]\s*$"),
    "span": _pattern(r"^\s*[0-9]{1,4}(?:\s*(?:\.\.|-|to)\s*[0-9]{1,4})?\s*$", "integer"),
    "extend": _pattern(r"^\s*(?:[0-9]{1,4}\s*[xX×*].+|[Nn][Oo](?:[Nn][Ee])?)\s*$"),
    "filter": {"type": _ANY_SCALAR},
    "url": _pattern(r"^\s*[Hh][Tt][Tt][Pp][Ss]?://\S+\s*$"),
    "hosts": _one_or_many({"type": _ANY_SCALAR}),
    "secret": _pattern(r"^\s*(?:env:[A-Za-z_][A-Za-z0-9_]*|file:.+)\s*$"),
    "words": {"type": "object", "additionalProperties": _one_or_many({"type": ["string", "number", "boolean", "null"]})},
    "holidays": {
        "anyOf": [
            _one_or_many(_pattern(rf"^\s*{_DAYS}(?:\s*\.\.\s*{_DAYS})?\s*$")),
            {"type": "object", "additionalProperties": _one_or_many(_pattern(rf"^\s*{_DAYS}(?:\s*\.\.\s*{_DAYS})?\s*$"))},
        ]
    },
}
_HOURS: Schema = {
    "type": "object",
    "additionalProperties": _one_or_many(_pattern(_TIMES)),
    "examples": [{"mon-fri": "8:00-20:00", "sat": "9:00-12:00, 13:00-17:00"}],
}
_SWITCH_NAME = r"^[a-z0-9_-]{1,32}$"
_LISTED = (Rule, ScriptItem, AttemptCap, TriggerAction)  # what lists of settings are made of; a test finds those that are not here


def schema() -> Schema:
    """The whole: one schema for a campaign, for defaults.yml, for installation.yml, and for files of tables."""
    types = [each.value for each in SETTINGS]
    return {
        "$schema": DRAFT,
        "$id": "fs-dialer.schema.json",
        "title": "fs-dialer definitions",
        "type": "object",
        "if": {"required": ["type"]},
        "then": {
            "properties": {"type": {"enum": types, "description": "What kind of campaign it is."}},
            "allOf": [{"if": {"properties": {"type": {"const": each}}}, "then": {"$ref": f"#/definitions/{each}"}} for each in types],
        },
        "else": {"anyOf": [{"$ref": "#/definitions/tables"}, {"$ref": "#/definitions/defaults"}]},
        "definitions": {
            **{each: _campaign(each) for each in types},
            "defaults": _object([Campaign, *SETTINGS.values()], "", required=False) | {"title": "defaults.yml: what campaigns take that do not say otherwise"},
            "tables": _tables(),
            "hours": _HOURS,
            **{cls.__name__: _sections_item(cls) for cls in _LISTED},
            "Node": _node(),
        },
    }


def _campaign(campaign_type: str) -> Schema:
    options = next(cls for each, cls in SETTINGS.items() if each.value == campaign_type)
    made = _object([Campaign, options], campaign_type, required=False)  # what is not here may stand in defaults.yml
    first = {
        "type": {"const": campaign_type, "description": "What kind of campaign it is."},
        "state": {"enum": ["ended"], "description": "The campaign is to end for good. Approve, start and pause are commands, never in the file."},
    }
    return made | {"title": f"A {campaign_type} campaign", "properties": first | made["properties"], "required": ["type"]}


def _tables() -> Schema:
    properties: Schema = {}
    for kind, each in KINDS.items():
        inner: list[Schema] = [_object([each.cls], "")]
        if each.short:
            inner.append(_value(declared(each.cls)[each.short], ""))
        if not inner[0]["required"]:
            inner.append({"type": "null"})
        properties[kind] = {
            "type": "object",
            "description": f"{each.word.capitalize()}s by their names."
            if each.cls is not CallerIdDefinition
            else "Numbers that customers see, with their trunks.",
            "additionalProperties": inner[0] if len(inner) == 1 else {"anyOf": inner},
        }
    installation = _object([Installation], "")
    gateway = {"anyOf": [_object([GatewayDefinition], ""), {"type": "null"}]}
    installation["properties"] |= {
        "switch": {
            "type": _ANY_SCALAR,
            "pattern": _NAME,
            "description": "The FreeSWITCH that fs-dialer.yml connects to, by a name of yours.",
            "default": "main",
        },
        "switches": {
            "type": "object",
            "additionalProperties": {"anyOf": [_object([SwitchDefinition], ""), {"type": "null"}]},
            "description": "Several FreeSWITCHes by name; one of them is main.",
        },
        "gateways": {"type": "object", "additionalProperties": gateway, "description": "SIP trunks under their FreeSWITCH names."},
    }
    title = "agents.yml, schedules.yml …: things by name; and installation.yml"
    return {"title": title, "type": "object", "properties": properties | installation["properties"], "additionalProperties": False}


def _object(classes: list[type], campaign_type: str, *, required: bool = True) -> Schema:
    """A table of settings; with a type only those that it has."""
    properties: Schema = {}
    wanted = []
    for cls in classes:
        for key, setting in declared(cls).items():
            types = setting.metadata["types"]
            if campaign_type and types and campaign_type not in types:
                continue
            properties[key] = _described(setting, _value(setting, campaign_type))
            if required and setting.default is MISSING and setting.default_factory is MISSING:
                wanted.append(key)
    return {"type": "object", "properties": properties, "required": wanted, "additionalProperties": False}


def _described(setting: Field[Any], made: Schema) -> Schema:
    meta = setting.metadata
    said = meta["help"] + (f" ({meta['spec']})" if meta["spec"] else "")
    bounds = bounds_of(setting)
    if bounds and not meta["choices"]:
        said += f"\n\n{bounds}."
    if meta["types"]:
        said += f"\n\nFor {', '.join(meta['types'])}."
    result = {"description": said, **made}
    if (
        meta["kind"] not in ("section", "sections", "table", "hours")
        and setting.default is not MISSING
        and (default := show(meta["kind"], setting.default)) != "none"
    ):
        result["default"] = default
    example = VALUE_KINDS[meta["kind"]].example
    if example and meta["kind"] in ("duration", "rate", "moment", "zone", "per_day", "per_hour", "extend", "compare", "filter", "dial_string", "url", "secret"):
        result.setdefault("examples", [example])
    return result


def _value(setting: Field[Any], campaign_type: str) -> Schema:
    meta = setting.metadata
    kind, low, high = meta["kind"], meta["low"], meta["high"]
    if kind == "section":
        table = _object([meta["cls"]], campaign_type, required=False)
        if not meta["short"]:
            return table
        return {"anyOf": [table, _value(declared(meta["cls"])[meta["short"]], campaign_type)]}
    if kind == "sections":
        item = {"$ref": f"#/definitions/{meta['cls'].__name__}"}
        name = [_SIMPLE["ref"]] if meta["of"] else []
        return {"anyOf": [{"type": "array", "items": item}, item, *name]}
    if kind == "table":
        return {"type": "object", "propertyNames": {"pattern": _SWITCH_NAME}, "additionalProperties": {"$ref": f"#/definitions/{meta['cls'].__name__}"}}
    if kind == "hours":
        hours = {"$ref": "#/definitions/hours"}
        return {"anyOf": [hours, _SIMPLE["ref"]] if meta["of"] else [hours]}
    if kind in ("choice", "choices"):
        digits = [int(each) for each in meta["choices"] if each.isdigit()]  # `key: 1` is a number to the editor
        word: Schema = {"anyOf": [{"enum": [*meta["choices"], *digits]}, _pattern(_any_case(*meta["choices"]))]}
        return word if kind == "choice" else _one_or_many(word)
    if kind in ("count", "number"):
        pattern = _COUNT if kind == "count" else r"^\s*[+-]?[0-9]{1,12}(?:\.[0-9]{1,9})?\s*$"
        return {"type": ["integer" if kind == "count" else "number", "string"], "pattern": pattern} | _limits(low, high)
    if kind == "rate":
        return {"type": ["number", "string"], "pattern": r"^\s*[0-9][0-9.\s]*%\s*$|^[\s0]*\.?[0-9\s]*$"} | _limits(low, high)
    if kind == "by_name":
        return {"type": "object", "additionalProperties": _SIMPLE[meta["of"]]}
    if kind == "phones" and meta["of"]:
        return {"anyOf": [_SIMPLE["phone"], {"type": "array", "items": _SIMPLE["phone"]}, _pattern(_any_case("all"))]}
    return _SIMPLE[kind]


def _sections_item(cls: type) -> Schema:
    made = _object([cls], "") | {"title": cls.__name__}
    for key, setting in declared(cls).items():  # inside a list nothing comes from defaults.yml
        if setting.metadata["kind"] == "section":
            made["properties"][key] = _described(setting, _object([setting.metadata["cls"]], ""))
    return made


def _node() -> Schema:
    """A node of a flow: all settings are described, and what a node does decides which of them it has."""
    made = _object([Node], "") | {"title": "A node of a flow"}
    kinds = declared(Node)["do"].metadata["choices"]
    has = {each: [key for key, setting in declared(Node).items() if not (types := setting.metadata["types"]) or each in types] for each in kinds}
    made["allOf"] = [{"if": {"properties": {"do": {"const": each}}, "required": ["do"]}, "then": {"propertyNames": {"enum": has[each]}}} for each in kinds]
    return made


def _limits(low: float | None, high: float | None) -> Schema:
    return {word: limit for word, limit in (("minimum", low), ("maximum", high)) if limit is not None}
