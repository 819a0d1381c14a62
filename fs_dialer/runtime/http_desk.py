"""Requests of IVR flows to services: posted by the daemon while the customer hears music in the switch, and answered to the engine whatever happens.

Where a request may go is judged as for webhooks (core/webhooks.py): only hosts in webhook_hosts, at the addresses that were judged, no redirects, no proxy.
Of the answer only the wanted fields count, and of these only what passes the allow-list (D7). Runs on gevent; a service that hangs holds its own greenlet and
nobody else, and no more than MOST_AT_ONCE of them.
"""

from __future__ import annotations

import http.client
import json
import logging
import math
from collections.abc import Callable, Sequence
from typing import Any

import gevent

from fs_dialer.core import events as ev
from fs_dialer.core.actions import AskHttp
from fs_dialer.core.steering import sayable
from fs_dialer.runtime.webhook_post import USER_AGENT, NotDelivered, connection_to, words_of

log = logging.getLogger("fs_dialer.http_desk")

ANSWER_MOST = 65536  # bytes
MOST_AT_ONCE = 200  # requests; more wait for no one: their customers take the way for a service that does not answer
READ_AT_ONCE = 8192

Put = Callable[[ev.Event], None]


class HttpDesk:
    """`hosts`: the installation's webhook_hosts as they are now; `put`: the inbox; `spawn`: starts a watched greenlet."""

    def __init__(self, hosts: Callable[[], Sequence[str]], put: Put, spawn: Callable[..., Any]) -> None:
        self._hosts, self._put, self._spawn = hosts, put, spawn
        self._under_way = 0

    def ask(self, action: AskHttp) -> None:
        """Returns at once; → HttpAnswered within the request's time-out."""
        if self._under_way >= MOST_AT_ONCE:
            log.error("a flow's request at %s was not made: %d are under way", action.node, self._under_way)
            self._put(ev.HttpAnswered(action.call, action.node, False))
            return
        self._under_way += 1
        self._spawn(self._asked, action)

    def _asked(self, action: AskHttp) -> None:
        answer = ev.HttpAnswered(action.call, action.node, False)
        try:
            with gevent.Timeout(action.timeout_s):
                answer = ev.HttpAnswered(action.call, action.node, True, fields(_post(action, self._hosts()), action.take))
        except gevent.Timeout:
            log.warning("call=%s node=%s: no answer within %g s", action.call, action.node, action.timeout_s)
        except NotDelivered as error:
            log.warning("call=%s node=%s: %s", action.call, action.node, error)
        finally:
            self._under_way -= 1
            self._put(answer)


def _post(action: AskHttp, hosts: Sequence[str]) -> dict[str, Any]:
    """The answer's JSON object. NotDelivered for anything else."""
    target, connection = connection_to(action.url, hosts, action.timeout_s)
    headers = {"Host": target.authority, "Content-Type": "application/json", "Accept": "application/json", "User-Agent": USER_AGENT, "Connection": "close"}
    body = json.dumps({"call": action.call, "node": action.node, **dict(action.send)}).encode()
    try:
        connection.request("POST", target.path, body=body, headers=headers)
        answer = connection.getresponse()
        if not 200 <= answer.status < 300:
            raise NotDelivered(f"{target.authority} answered {answer.status}")
        text = _read(answer)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotDelivered(f"{target.authority}: {words_of(error, action.timeout_s)}") from None
    finally:
        connection.close()
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise NotDelivered(f"{target.authority} answered with something that is no JSON object")
    return told


def _read(answer: http.client.HTTPResponse) -> bytes:
    text = b""
    while piece := answer.read(READ_AT_ONCE):
        text += piece
        if len(text) > ANSWER_MOST:
            raise ValueError(f"its answer is longer than {ANSWER_MOST} bytes")
    return text


def fields(told: dict[str, Any], wanted: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The wanted fields that the switch may be given, each as text: texts, numbers, and yes or no. `a.b` is the field b of the object a."""
    found = [(name, sayable(_text(_field(told, name)))) for name in wanted]
    return tuple((name, value) for name, value in found if value)


def _field(told: Any, name: str) -> Any:
    if isinstance(told, dict) and name not in told and "." in name:
        first, _, rest = name.partition(".")
        return _field(told.get(first), rest)
    return told.get(name) if isinstance(told, dict) else None


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.10g}" if abs(value) < 1e15 else ""
    return str(value) if isinstance(value, str | int) else ""
