"""python-ESL 1.4.18 (FreeSWITCH's own C library of 2016) behind the SwitchClient port.

Knows how to keep a blocking library from stopping the greenlets: every call into it runs on a thread of its own, and a call that does not come back
is ended by shutting its socket. The library does not say why it failed to connect, so a connection of our own asks first. Commands go one at a time,
for the library waits for each reply. Events come one by one out of C; bench esl_read tells the price.
"""

from __future__ import annotations

import os
import time
from socket import IPPROTO_TCP, MSG_DONTWAIT, MSG_PEEK, SHUT_RDWR, TCP_NODELAY
from typing import Any

import ESL
import gevent
import gevent.monkey
from gevent.lock import Semaphore
from gevent.threadpool import ThreadPool

from fs_dialer.errors import EslDisconnected, EslProtocolError, EslRefused
from fs_dialer.esl.client import EslSettings, OnEvent
from fs_dialer.esl.connection import Link
from fs_dialer.esl.supervisor import PING, Session, Spawn, Supervised
from fs_dialer.esl.wire import Event

WAIT_MS = 200  # how long a thread waits for the next event before it looks up
BATCH = 64  # events that a thread may bring home at once
LOOK_EVERY_S = 0.25  # the library notices the end of an idle connection only when it is next asked something

# gevent's own would make the connection non-blocking under the library's hands: both handles are one connection.
_Socket = gevent.monkey.get_original("socket", "socket")


class PythonEslClient(Supervised):
    """SwitchClient on python-ESL."""

    def _open(self) -> Session:
        settings = self.settings
        Link(settings).close()  # says in our words why not, where the library would only be "not connected", or wait for ever
        pool = ThreadPool(4)
        commands = _connected(pool, settings)
        try:
            events = _connected(pool, settings)
        except BaseException:
            commands.shut()
            raise
        return _PythonEslSession(settings, self._spawn, self._on_event, pool, commands, events)


class _Connection:
    """One ESLconnection and a second handle on its socket, which is the only way to interrupt it."""

    def __init__(self, settings: EslSettings) -> None:
        self.esl = ESL.ESLconnection(settings.host, str(settings.port), settings.password)
        if not self.esl.connected():
            raise EslDisconnected(f"python-ESL could not connect to the switch at {settings.address}")
        self.socket = _Socket(fileno=os.dup(self.esl.socketDescriptor()))
        self.socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)

    def has_unread(self) -> bool:
        """Whether anything waits to be read. EslDisconnected when the other side has closed and all is read."""
        try:
            if self.socket.recv(1, MSG_PEEK | MSG_DONTWAIT):
                return True
        except BlockingIOError:
            return False
        raise EslDisconnected("the switch closed the connection")

    def shut(self) -> None:
        try:
            self.socket.shutdown(SHUT_RDWR)
        except OSError:
            pass  # the other side was faster
        self.socket.close()


def _connected(pool: ThreadPool, settings: EslSettings) -> _Connection:
    with gevent.Timeout(settings.connect_timeout_s):
        connection: _Connection = pool.apply(_Connection, (settings,))
    return connection


class _PythonEslSession(Session):
    def __init__(self, settings: EslSettings, spawn: Spawn, on_event: OnEvent, pool: ThreadPool, commands: _Connection, events: _Connection) -> None:
        super().__init__(spawn)
        self.settings, self._on_event, self._pool = settings, on_event, pool
        self._commands, self._events = commands, events
        self._turn = Semaphore(1)
        reply = self._ask(f"event {settings.subscription()}", settings.connect_timeout_s, events)
        if not reply.text.startswith("+OK"):
            self.lose("subscription refused")
            raise EslDisconnected(f"the switch at {settings.address} refused the subscription: {reply.text}")
        self._work(self._keep_alive)
        self._work(self._watch)

    def begin(self) -> None:
        self._work(self._read)

    def api(self, command: str, deadline_s: float) -> str:
        return self._ask(f"api {command}", deadline_s).text

    def bgapi(self, command: str, job_uuid: str, deadline_s: float) -> None:
        reply = self._ask(f"bgapi {command}\nJob-UUID: {job_uuid}", deadline_s)
        if not reply.text.startswith("+OK"):
            raise EslRefused(command.partition(" ")[0], reply.text)
        if reply.job_uuid != job_uuid:
            error = EslProtocolError(f"asked for job {job_uuid}, the switch answered for {reply.job_uuid}: replies are out of step")
            self.lose(str(error))
            raise error

    def _ask(self, request: str, deadline_s: float, connection: _Connection | None = None) -> _Reply:
        timer = gevent.Timeout.start_new(deadline_s)
        try:
            with self._turn:
                if self.reason is not None:
                    raise EslDisconnected(self.reason)
                reply: _Reply | None = self._pool.apply(_exchange, (connection or self._commands, request))
        except gevent.Timeout as expired:
            if expired is not timer:
                raise  # the caller's own
            self.lose(f"the switch at {self.settings.address} did not answer {' '.join(request.split()[:2])!r} within {deadline_s:g} s")
            raise EslDisconnected(self.reason) from None
        finally:
            timer.close()
        if reply is None:
            self.lose(f"the switch at {self.settings.address} closed the connection")
            raise EslDisconnected(self.reason)
        return reply

    def _read(self) -> None:
        settings = self.settings
        pinged_at = time.monotonic()
        while True:
            ping = time.monotonic() - pinged_at >= settings.ping_every_s
            silent = EslDisconnected(f"the switch at {settings.address} has been silent for {settings.ping_deadline_s:g} s")
            with gevent.Timeout(WAIT_MS / 1000 + settings.ping_deadline_s, silent):
                events = self._pool.apply(_next_events, (self._events, ping))
            if ping:
                pinged_at = time.monotonic()
            for event in events:
                if self.reason is not None:
                    return
                self._on_event(event)
            if not self._events.esl.connected():
                raise EslDisconnected(f"the switch at {settings.address} closed the connection")

    def _keep_alive(self) -> None:
        while True:
            gevent.sleep(self.settings.ping_every_s)
            self._ask(f"api {PING}", self.settings.ping_deadline_s)

    def _watch(self) -> None:
        while True:
            gevent.sleep(LOOK_EVERY_S)
            if not self._turn.locked() and self._commands.has_unread():
                raise EslDisconnected(f"the switch at {self.settings.address} ended the connection")  # nobody asked: it is its notice

    def _let_go(self, reason: str) -> None:
        self._commands.shut()
        self._events.shut()


class _Reply:
    def __init__(self, raw: Any) -> None:
        body = raw.getBody()
        self.text: str = _text(body if body is not None else raw.getHeader("Reply-Text") or "")
        self.job_uuid: str | None = raw.getHeader("Job-UUID")


# ---- on the library's threads


def _exchange(connection: _Connection, request: str) -> _Reply | None:
    raw = connection.esl.sendRecv(request)
    return None if raw is None or not connection.esl.connected() else _Reply(raw)


def _next_events(connection: _Connection, ping: bool) -> list[Event]:
    """What has come, waiting up to WAIT_MS for the first. With `ping`, a question that a live switch answers comes before."""
    if ping:
        connection.esl.sendRecv(f"api {PING}")
    events: list[Event] = []
    while len(events) < BATCH:
        raw = connection.esl.recvEventTimed(1 if events else WAIT_MS)
        if raw is None:
            break
        event = _event(raw)
        if event is not None:
            events.append(event)
    return events


def _event(raw: Any) -> Event | None:
    headers: dict[str, str] = {}
    name = raw.firstHeader()
    while name is not None:
        headers[name] = _text(raw.getHeader(name) or "")
        name = raw.nextHeader()
    if "Event-Name" not in headers or headers["Event-Name"] == "SOCKET_DATA":
        return None
    body = raw.getBody()
    if body is not None:
        headers.pop("Content-Length", None)
    return Event(headers["Event-Name"], headers, None if body is None else _text(body))


def _text(text: str) -> str:
    """Bytes that are not UTF-8 come as lone surrogates; wire.py says why we want none."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
