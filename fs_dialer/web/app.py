"""The HTTP interface as a WSGI application: routes, and the guard before each.

Knows its three ports (runtime/web_ports.py) and no more of the daemon. How it is served: server.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping

from flask import Flask, Response, request

from fs_dialer.runtime.web_ports import AgentInterface, DaemonView, LeadDesk, Token, Tokens
from fs_dialer.web.agents import Streams
from fs_dialer.web.answers import give_every_answer_its_shape
from fs_dialer.web.guard import Guard
from fs_dialer.web.routes import ROUTES, Call, Route

MOST_BYTES = 1024 * 1024


def make_app(
    desk: LeadDesk,
    view: DaemonView,
    tokens: Tokens,
    *,
    agents: AgentInterface | None = None,
    hosts: Collection[str] = (),
    tls: bool = False,
    now: Callable[[], float] = time.monotonic,
) -> Flask:
    """`agents`: whoever serves agents' screens, if anybody. `hosts`: names that requests may be for besides this machine's loopback.

    `tls`: whether it is served over TLS.
    """
    app = Flask("fs_dialer.web", static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = 0
    guard, streams = Guard(tokens, hosts, now), Streams()
    app.extensions["fs_dialer.streams"] = streams
    give_every_answer_its_shape(app, tls=tls)

    @app.before_request
    def host() -> None:
        guard.host(request)

    def asked(words: Mapping[str, str], token: Token | None) -> Call:
        return Call(request, words, token, desk, view, agents, streams, guard.still_valid(request))

    for route in ROUTES:
        app.add_url_rule(route.path, route.name, _view(route, guard, asked), methods=[route.method], provide_automatic_options=False)
    return app


def _view(route: Route, guard: Guard, asked: Callable[[Mapping[str, str], Token | None], Call]) -> Callable[..., Response]:
    def answer(**words: str) -> Response:
        token = None
        if route.roles and not (route.from_here and guard.from_here(request)):
            token = guard.token(request, route.roles)
            guard.pace(token, lively=route.lively)
        return route.handler(asked(words, token))

    return answer
