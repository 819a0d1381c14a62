"""The agent interface: his desk, his events as a stream, his card, and every verb. What may be done is not judged here.

An agent's own token is at /api/agent/…, and means him; supervisors name the agent, /api/agents/NAME/…. docs/agent-interface.md is written for whoever builds a
screen on it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from flask import Response

from fs_dialer.errors import StoreError
from fs_dialer.runtime.web_ports import AgentEvent, AgentInterface, AgentStream, Refused
from fs_dialer.web.answers import JSON, json_answer
from fs_dialer.web.leads import KEY_HEADER, given

if TYPE_CHECKING:
    from fs_dialer.web.routes import Call

PING_S = 15.0
TOKEN_AGAIN_S = 60.0  # a token that was revoked ends its streams within this
RETRY_MS = 2000
MOST_STREAMS = 600
EVENT_STREAM = "text/event-stream"
# Set by server.py in a request's environ: lift the deadline of a request; has the client closed the connection?
UNHURRIED, GONE = "fs_dialer.unhurried", "fs_dialer.gone"


class Streams:
    """How many event streams are up, of how many."""

    def __init__(self, most: int = MOST_STREAMS) -> None:
        self._most, self.up = most, 0

    def enter(self) -> None:
        if self.up >= self._most:
            raise Refused(503, "too_many_streams", f"{self._most} event streams are up, and no more are served", "try again later", retry_after_s=10)
        self.up += 1

    def leave(self) -> None:
        self.up -= 1


def desk(call: Call) -> Response:
    return Response(_interface(call).desk(_agent(call)) + b"\n", 200, mimetype=JSON)


def card(call: Call) -> Response:
    named, lead = call.request.args.get("call"), call.request.args.get("lead", "")
    if lead and not (lead.isascii() and lead.isdigit() and len(lead) < 19):
        raise Refused(400, "bad_argument", "`lead` is no id of a lead", "the desk names the lead of his call")
    return json_answer(200, {"card": dict(_interface(call).card(_agent(call), call=named or None, lead=int(lead) if lead else None))})


def verb(name: str) -> Callable[[Call], Response]:
    """The handler of one verb."""

    def act(call: Call) -> Response:
        assert call.token is not None
        key = call.request.headers.get(KEY_HEADER, "")
        if not key:
            text = f"the header {KEY_HEADER} is missing"
            raise Refused(400, "idempotency_key", text, "send one, new for every act: then a repeated request does nothing twice")
        body, raw = _body(call)
        fingerprint = hashlib.sha256(call.request.path.encode() + b"\n" + raw).hexdigest()
        done = _interface(call).act(_agent(call), name, body, token=call.token, key=key, fingerprint=fingerprint)
        return json_answer(done.status, done.body, {"Idempotent-Replayed": "true"} if done.replayed else None)

    return act


def events(call: Call) -> Response:
    """Server-sent events, until either side ends it."""
    assert call.token is not None
    environ = call.request.environ
    call.streams.enter()
    try:
        stream = _interface(call).follow(_agent(call), _after(call), token=call.token, gone=environ.get(GONE, lambda: False))
    except BaseException:
        call.streams.leave()
        raise
    environ.get(UNHURRIED, lambda: None)()
    return Response(_Told(stream, call.streams, call.still_valid), 200, mimetype=EVENT_STREAM, headers={"X-Accel-Buffering": "no"})


class _Told:
    """A stream as the bytes of its events. Not a generator: it must end well even where nothing of it was ever read."""

    def __init__(self, stream: AgentStream, streams: Streams, still_valid: Callable[[], bool]) -> None:
        self._stream, self._streams, self._still_valid = stream, streams, still_valid
        self._asked_at = time.monotonic()
        self._first, self._last, self._closed = True, False, False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._first:
            self._first = False
            return f"retry: {RETRY_MS}\n\n".encode()
        if self._last or self._closed:
            raise StopIteration
        if self._token_ended():
            self._last = True
            return framed(AgentEvent(0, "goodbye", b'{"why":"the token was revoked or has expired","again":false}'))
        event = self._stream.next(PING_S)
        if event is None:
            return b": ping\n\n"
        self._last = event.kind == "goodbye"
        return framed(event)

    def _token_ended(self) -> bool:
        if time.monotonic() - self._asked_at < TOKEN_AGAIN_S:
            return False
        self._asked_at = time.monotonic()
        try:
            return not self._still_valid()
        except StoreError:  # nobody knows just now
            return False

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._stream.close()
            self._streams.leave()


def framed(event: AgentEvent) -> bytes:
    """One event of a stream. `data` is JSON on one line. What has no number leaves the client's last one as it is."""
    id = b"id: %d\n" % event.number if event.number else b""
    return id + b"event: " + event.kind.encode() + b"\ndata: " + event.data + b"\n\n"


def _interface(call: Call) -> AgentInterface:
    if call.agents is None:
        raise Refused(503, "no_agents", "this daemon serves no agents' screens", "start it with `fs-dialer run`", retry_after_s=5)
    return call.agents


def _agent(call: Call) -> str:
    assert call.token is not None
    agent = call.words.get("agent") or call.token.agent
    if agent is None or not _interface(call).knows(agent):
        raise Refused(404, "no_such_agent", "there is no such agent, or he was taken out of the definitions", "fs-dialer agent list")
    return agent


def _after(call: Call) -> int | None:
    """Behind which event to go on: what a browser sends by itself when it connects again, else what the address says."""
    text = call.request.headers.get("Last-Event-ID", "").strip() or call.request.args.get("after", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _body(call: Call) -> tuple[dict[str, Any], bytes]:
    """An object; nothing at all is an empty one."""
    if not call.request.content_length and "Transfer-Encoding" not in call.request.headers:
        return {}, b""
    found, raw = given(call.request)
    if not isinstance(found, dict):
        raise Refused(400, "bad_request", "the body must be an object", 'send {}, or {"call": "…"}')
    return found, raw
