"""What an address of the HTTP interface is, and what one request to it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Request, Response

from fs_dialer.runtime.web_ports import AgentInterface, DaemonView, LeadDesk, Token
from fs_dialer.web.agents import Streams
from fs_dialer.web.schemas import ERROR

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as a handler sees it. `words`: the named parts of its address. `token`: who asks; None where nobody had to say.

    `still_valid`: whether that token is good at the time of asking; for answers that last. `agents`: None where no agents' screens are served.
    """

    request: Request
    words: Mapping[str, str]
    token: Token | None
    desk: LeadDesk
    view: DaemonView
    agents: AgentInterface | None
    streams: Streams
    still_valid: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Route:
    """`roles` () = open to all. `from_here`: open to this machine, whatever `roles` says. `answers`: status → (meaning, body).

    `lively`: used by a person's screen, so it may be asked for more often. `media`: of the answer 200, where it is not JSON.
    """

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
    query: Mapping[str, str] = field(default_factory=dict)
    media: str = "application/json"
    lively: bool = False


ASKED: Mapping[int, tuple[str, Schema | None]] = {
    401: ("no token, or not a valid one", ERROR),
    403: ("the token's role may not do this", ERROR),
    429: ("too often", ERROR),
}
