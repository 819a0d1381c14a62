"""Every address of the HTTP interface, in one table: what it is for, who may use it, what it takes and what it answers.

The bodies are JSON Schema, so that the table is also the interface's description. What an address does stands in the module that its handler is from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Request, Response

from fs_dialer.runtime.web_ports import DaemonView, LeadDesk, Token
from fs_dialer.web import campaigns, health, leads, metrics
from fs_dialer.web.guard import OPERATORS
from fs_dialer.web.schemas import CAMPAIGNS, DNC, DNC_ANSWER, ERROR, HEALTH, LEADS, LEADS_ANSWER

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as a handler sees it. `words`: the named parts of its address. `token`: who asks; None where nobody had to say."""

    request: Request
    words: Mapping[str, str]
    token: Token | None
    desk: LeadDesk
    view: DaemonView


@dataclass(frozen=True, slots=True)
class Route:
    """`roles` () = open to all. `from_here`: open to this machine, whatever `roles` says. `answers`: status → (meaning, body)."""

    method: str
    path: str
    name: str
    summary: str
    handler: Callable[[Call], Response]
    roles: frozenset[str] = frozenset()
    from_here: bool = False
    body: Schema | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[int, tuple[str, Schema | None]] = field(default_factory=dict)


_ASKED = {401: ("no token, or not a valid one", ERROR), 403: ("the token's role may not do this", ERROR), 429: ("too often", ERROR)}
_TAKEN = {
    **_ASKED,
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
        answers={200: ("in the text format", None), **_ASKED},
    ),
    Route("GET", "/api/campaigns", "campaigns", "Every campaign, what it does and why", campaigns.show, OPERATORS, answers={200: ("", CAMPAIGNS), **_ASKED}),
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
)
