"""The description that the interface makes of itself: every route is in it, and it is a valid OpenAPI 3.1 document as far as JSON Schema can tell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from fs_dialer.core.agent_picture import VERBS, AgentPicture, CallPicture
from fs_dialer.runtime.agent_log import CARD, DESK, GOODBYE, REPLY
from fs_dialer.web.routes import ROUTES, description
from tests.web.client import Http, told

DOCUMENT = description()


def schemas() -> Iterator[tuple[str, Any]]:
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            bodies = [operation["requestBody"]] if "requestBody" in operation else []
            for body in [*bodies, *operation["responses"].values()]:
                for media in body.get("content", {}).values():
                    yield f"{method} {path}", media["schema"]
            for parameter in operation.get("parameters", ()):
                yield f"{method} {path} {parameter['name']}", parameter["schema"]


def test_every_route_is_in_it_and_nothing_else() -> None:
    served = {(re.sub(r"<(\w+)>", r"{\1}", route.path), route.method.lower()) for route in ROUTES}
    described = {(path, method) for path, operations in DOCUMENT["paths"].items() for method in operations}
    assert served == described


def test_every_schema_is_one_and_every_operation_has_its_own_name() -> None:
    for where, schema in schemas():
        Draft202012Validator.check_schema(schema)
        assert where
    names = [operation["operationId"] for operations in DOCUMENT["paths"].values() for operation in operations.values()]
    assert len(names) == len(set(names))
    assert DOCUMENT["openapi"] == "3.1.0" and json.loads(json.dumps(DOCUMENT)) == DOCUMENT


def test_whatever_is_done_twice_by_a_repeat_needs_a_key() -> None:
    for path, operations in DOCUMENT["paths"].items():
        if "post" in operations and path != "/api/dnc":
            keys = [each for each in operations["post"]["parameters"] if each["name"] == "Idempotency-Key"]
            assert keys and keys[0]["required"], path


def test_every_verb_of_the_picture_has_an_address_for_him_and_for_supervisors() -> None:
    for verb in VERBS:
        assert f"/api/agent/{verb}" in DOCUMENT["paths"] and f"/api/agents/{{agent}}/{verb}" in DOCUMENT["paths"]


def test_the_page_for_developers_names_every_verb_field_and_event() -> None:
    page = (Path(__file__).parents[2] / "docs" / "agent-interface.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_-]+)(?:\[\])?`", page))
    operations = [route for route in ROUTES if route.path.startswith(("/api/agent/", "/api/agents/")) and route.method == "POST"]
    verbs = {route.path.rpartition("/")[2] for route in operations}
    fields = {name for route in operations if route.body is not None for name in route.body["properties"]}
    assert verbs - named == set() and fields - named == set()
    assert {DESK, CARD, REPLY, GOODBYE, *AgentPicture.__slots__} - {"agent", "name"} - named == set()
    assert set(CallPicture.__slots__) - named == set()


def test_parts_of_an_address_are_parameters() -> None:
    for path, operations in DOCUMENT["paths"].items():
        for operation in operations.values():
            declared = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
            assert declared == set(re.findall(r"\{(\w+)\}", path))


@pytest.mark.parametrize("role", ["operator", "admin", "agent"])
def test_it_is_served_to_whoever_has_a_token(pg_dsn: str, role: str) -> None:
    http = Http(pg_dsn)
    secret = http.tokens.create(role, "test", agent="lan" if role == "agent" else None).secret
    assert told(http.get("/api/openapi.json", token=secret)) == DOCUMENT
    http.close()
