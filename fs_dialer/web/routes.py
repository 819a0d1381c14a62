"""Every address of the HTTP interface, in one table: what it is for, who may use it, what it takes and what it answers.

The bodies are JSON Schema, so that the table is also the interface's description. What an address does stands in the module that its handler is from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fs_dialer.web import agent_routes, campaigns, health, leads, metrics, openapi
from fs_dialer.web.guard import EVERYBODY, OPERATORS
from fs_dialer.web.route import ASKED, Call, Route
from fs_dialer.web.schemas import CAMPAIGNS, DNC, DNC_ANSWER, ERROR, HEALTH, LEADS, LEADS_ANSWER, OPENAPI

__all__ = ["Call", "Route", "ROUTES", "description"]

_TAKEN: Mapping[int, tuple[str, Any]] = {
    **ASKED,
    400: ("the request is wrong as a whole; nothing was stored", ERROR),
    413: ("too much in one request", ERROR),
    415: ("not JSON", ERROR),
    503: ("the database cannot be used now", ERROR),
}

ROUTES: tuple[Route, ...] = (
    Route("GET", "/healthz", "health", "Is this daemon well, and the active one?", health.show, answers={200: ("it is", HEALTH), 503: ("it is not", HEALTH)}),
    Route(
        "GET",
        "/metrics",
        "metrics",
        "Figures for Prometheus",
        metrics.show,
        roles=OPERATORS,
        from_here=True,
        answers={200: ("in the text format", None), **ASKED},
        media="text/plain",
    ),
    Route("GET", "/api/campaigns", "campaigns", "Every campaign, what it does and why", campaigns.show, OPERATORS, answers={200: ("", CAMPAIGNS), **ASKED}),
    Route(
        "POST",
        "/api/campaigns/<campaign>/leads",
        "add_leads",
        "Contacts join a campaign, by the rules of an import (M22)",
        leads.add,
        roles=OPERATORS,
        body=LEADS,
        headers={"Idempotency-Key": "of your choice, one for each request; the same key with the same body gets the same answer and does nothing again"},
        answers={
            200: ("what became of the rows", LEADS_ANSWER),
            **_TAKEN,
            404: ("there is no such campaign", ERROR),
            409: ("the key was used for another request, or the campaign has ended", ERROR),
        },
    ),
    Route("POST", "/api/dnc", "forbid", "Numbers onto a do-not-call list", leads.forbid, OPERATORS, body=DNC, answers={200: ("", DNC_ANSWER), **_TAKEN}),
    Route(
        "GET",
        "/api/openapi.json",
        "openapi",
        "This description",
        lambda call: openapi.show(description()),
        EVERYBODY,
        answers={200: ("OpenAPI 3.1", OPENAPI), **ASKED},
        lively=True,
    ),
    *agent_routes.routes(),
)


def description() -> dict[str, Any]:
    """The whole interface as an OpenAPI 3.1 document."""
    return openapi.document(ROUTES)
