"""greenswitch 0.0.19 behind the SwitchClient port.

Knows how to get deadlines, an end and a new beginning out of a library that has none of them: its send() waits for ever after a drop, and nothing in
it reconnects. What can not be had from outside it stays so, and the contract tests say which (tests/contract/test_switch_client.py): it decodes
whole frames before it looks for headers, so that `%0A` in a value forges one, and it spins on an EOF inside a body without ever yielding.
"""

from __future__ import annotations

from typing import Any

import gevent
import gevent.socket
import greenswitch
from gevent.event import AsyncResult
from greenswitch.esl import NotConnectedError

from fs_dialer.errors import EslDisconnected, EslProtocolError, EslRefused
from fs_dialer.esl.client import EslSettings, OnEvent
from fs_dialer.esl.supervisor import PING, Session, Spawn, Supervised, address_refused, password_refused
from fs_dialer.esl.wire import Event


class GreenswitchClient(Supervised):
    """SwitchClient on greenswitch. It reads text/event-plain only, whatever the settings say."""

    def _open(self) -> Session:
        settings = self.settings
        commands = _connected(settings)
        try:
            events = _connected(settings)
        except BaseException:
            _drop(commands)
            raise
        return _GreenswitchSession(settings, self._spawn, self._on_event, commands, events)


def _connected(settings: EslSettings) -> Any:
    """An authenticated InboundESL."""
    link = greenswitch.InboundESL(settings.host, settings.port, settings.password, timeout=settings.connect_timeout_s)
    try:
        with gevent.Timeout(settings.connect_timeout_s):
            link.connect()
            link.sock.setsockopt(gevent.socket.IPPROTO_TCP, gevent.socket.TCP_NODELAY, 1)
    except BaseException as error:
        _drop(link)
        if isinstance(error, ValueError):
            raise password_refused(settings) from None
        if isinstance(error, NotConnectedError):
            if "timed out" in str(error):
                raise TimeoutError from None
            raise address_refused(settings) from None
        raise
    return link


def _drop(link: Any) -> None:
    """What its stop() does, without waiting for anybody."""
    link.connected = link._run = False
    for greenlet in (link._receive_events_greenlet, link._process_events_greenlet):
        if greenlet is not None and greenlet is not gevent.getcurrent():
            greenlet.kill(block=False)
    if hasattr(link, "sock"):
        link.sock.close()


class _GreenswitchSession(Session):
    def __init__(self, settings: EslSettings, spawn: Spawn, on_event: OnEvent, commands: Any, events: Any) -> None:
        super().__init__(spawn)
        self.settings, self._on_event = settings, on_event
        self._links = (commands, events)
        self._waiting: dict[AsyncResult[Any], gevent.Greenlet] = {}
        self._early: list[Event] | None = []  # events from before LinkUp
        for link in self._links:
            link.register_handle("*", self._take)
            link._receive_events_greenlet.link(lambda _: self.lose(f"the switch at {settings.address} closed the connection"))
            self._work(self._keep_alive, link)
        reply = self._ask(events, f"event {settings.subscription('plain')}", settings.connect_timeout_s)
        if not reply.headers.get("Reply-Text", "").startswith("+OK"):
            self.lose("subscription refused")
            raise EslDisconnected(f"the switch at {settings.address} refused the subscription: {reply.headers.get('Reply-Text', '')}")

    def begin(self) -> None:
        early, self._early = self._early or [], None
        for event in early:
            self._on_event(event)

    def api(self, command: str, deadline_s: float) -> str:
        return str(self._ask(self._links[0], f"api {command}", deadline_s).data)

    def bgapi(self, command: str, job_uuid: str, deadline_s: float) -> None:
        headers = self._ask(self._links[0], f"bgapi {command}\nJob-UUID: {job_uuid}", deadline_s).headers
        text = headers.get("Reply-Text", "")
        if not text.startswith("+OK"):
            raise EslRefused(command.partition(" ")[0], text)
        if headers.get("Job-UUID") != job_uuid:
            error = EslProtocolError(f"asked for job {job_uuid}, the switch answered for {headers.get('Job-UUID')}: replies are out of step")
            self.lose(str(error))
            raise error

    def _ask(self, link: Any, request: str, deadline_s: float) -> Any:
        if self.reason is not None:
            raise EslDisconnected(self.reason)
        answer: AsyncResult[Any] = AsyncResult()

        def ask() -> None:
            try:
                answer.set(link.send(request))
            except (NotConnectedError, OSError) as error:
                self.lose(f"the connection to the switch at {self.settings.address} broke: {error}")

        self._waiting[answer] = gevent.spawn(ask)  # its send() can not be told when to give up; a greenlet can
        try:
            answer.wait(deadline_s)
            if not answer.ready():
                self.lose(f"the switch at {self.settings.address} did not answer {' '.join(request.split()[:2])!r} within {deadline_s:g} s")
            return answer.get()
        finally:
            self._waiting.pop(answer, None)

    def _take(self, raw: Any) -> None:
        """Called by greenswitch, which swallows whatever is raised here."""
        if self.reason is not None:
            return
        if raw.headers.get("Content-Type") == "text/disconnect-notice":
            self.lose(f"the switch at {self.settings.address} ended the connection")
            return
        event = _event(raw.headers)
        if event is None:
            self.lose("an event without an Event-Name")
        elif self._early is not None:
            self._early.append(event)
        else:
            try:
                self._on_event(event)
            except Exception as error:
                self.lose(f"a bug of ours while reading from the switch: {error!r}")
                raise

    def _keep_alive(self, link: Any) -> None:
        while True:
            gevent.sleep(self.settings.ping_every_s)
            self._ask(link, f"api {PING}", self.settings.ping_deadline_s)

    def _let_go(self, reason: str) -> None:
        for link in self._links:
            _drop(link)
        for answer, asking in list(self._waiting.items()):
            answer.set_exception(EslDisconnected(reason))
            if asking is not gevent.getcurrent():
                asking.kill(block=False)


def _event(raw: dict[str, str]) -> Event | None:
    """Headers of the frame and of the event come mixed, and a body hangs on the value of the last header, which is its Content-Length.

    A body whose lines look like headers can not be told from headers any more.
    """
    headers = dict(raw)
    headers.pop("Content-Type", None)
    length, border, body = headers.pop("Content-Length", "").partition("\n\n")
    name = headers.get("Event-Name")
    if name is None:
        return None
    if not border:
        return Event(name, headers, None)
    if length.isdigit() and len(body.encode()) == int(length) - 1:
        body += "\n"  # greenswitch strips the end of what it reads
    return Event(name, headers, body)
