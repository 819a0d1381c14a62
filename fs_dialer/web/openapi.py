"""The interface as an OpenAPI 3.1 document, made from the table of routes: whatever is served is in it, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response

from fs_dialer.web.answers import json_answer
from fs_dialer.web.route import Route
from fs_dialer.web.schemas import ERROR

TITLE = "fs-dialer"
VERSION = "1.0.0"  # of the interface: addresses and fields are added under the same first number, never changed or taken away
ABOUT = (
    "An outbound dialer for FreeSWITCH: leads in, agents' screens, health and figures. Times are epoch seconds unless said otherwise. Every error is "
    "{error, why, mend}: a word for programs, what is wrong, and what to do about it."
)
TAGS = {
    "agent": "An agent's own screen, with a token of role agent",
    "agents": "The same for any agent, with a token of role operator or admin",
    "installation": "Leads, do-not-call numbers, campaigns, health",
}
_PART = re.compile(r"<([a-z_]+)>")


def show(document: Mapping[str, Any]) -> Response:
    return json_answer(200, document)


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """Bodies that several routes share are written once, as components."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(_PART.sub(r"{\1}", route.path), {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": VERSION, "description": ABOUT, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "fs-dialer token create --role …"}},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    made: dict[str, Any] = {"operationId": route.name, "summary": route.summary, "tags": [_tag(route)]}
    if parameters := list(_parameters(route)):
        made["parameters"] = parameters
    if route.body is not None:
        needed = bool(route.body.get("required")) or route.body.get("type") != "object"
        made["requestBody"] = {"required": needed, "content": {"application/json": {"schema": dict(route.body)}}}
    made["responses"] = {str(status): _answer(meaning, body, route.media if status == 200 else "") for status, (meaning, body) in route.answers.items()}
    made["security"] = [{"token": []}] if route.roles else []
    if route.roles:
        made["x-roles"] = sorted(route.roles)
    return made


def _tag(route: Route) -> str:
    return "agent" if route.path.startswith("/api/agent/") else "agents" if route.path.startswith("/api/agents/") else "installation"


def _parameters(route: Route) -> Iterable[dict[str, Any]]:
    text = {"type": "string"}
    for name in _PART.findall(route.path):
        yield {"name": name, "in": "path", "required": True, "schema": text}
    for name, meaning in route.query.items():
        yield {"name": name, "in": "query", "required": False, "description": meaning, "schema": text}
    for name, meaning in route.headers.items():
        yield {"name": name, "in": "header", "required": name == "Idempotency-Key", "description": meaning, "schema": text}


def _answer(meaning: str, body: Mapping[str, Any] | None, media: str) -> dict[str, Any]:
    made: dict[str, Any] = {"description": meaning or "done"}
    if body is ERROR:
        made["content"] = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    elif body is not None:
        made["content"] = {media or "application/json": {"schema": dict(body)}}
    elif media:
        made["content"] = {media: {"schema": {"type": "string"}}}
    return made
