"""Our own event-socket client, on gevent: two connections, one for commands and one for events.

Knows sockets, deadlines and order; the bytes are wire.py's, the reconnecting supervisor.py's. It reads, parses and hands over: nothing here knows a
call. Two connections, because a queue of events must not stand before a reply, and a half-written command holds back events (s05q).

The reader yields: after SLICE_S of parsing without a pause it lets the others run, so that under a flood of events timers and commands stay punctual.
"""

from __future__ import annotations

import time
from collections import deque
from typing import cast

import gevent
import gevent.socket
from gevent.event import AsyncResult
from gevent.lock import Semaphore

from fs_dialer.errors import EslDisconnected, EslProtocolError, EslRefused
from fs_dialer.esl.client import EslSettings, OnEvent
from fs_dialer.esl.supervisor import PING, Session, Spawn, Supervised, address_refused, password_refused
from fs_dialer.esl.wire import Decoder, Event, Message

SLICE_S = 0.005
YIELD_S = 1e-6  # not 0: gevent runs up to 50 greenlets that sleep(0) before it looks at timers, which would be 50 slices
RECV_BYTES = 1 << 15  # half or twice as much costs more CPU per event (bench esl_read)
GRACE_S = 0.05  # after a stall of this process deadlines fire before the reader had its turn; so long it may still find the answer


class NativeClient(Supervised):
    """SwitchClient without a library."""

    def _open(self) -> Session:
        settings = self.settings
        commands = Link(settings)
        events = None
        try:
            events = Link(settings)
            reply = events.exchange(f"event {settings.subscription()}")
            if not reply.headers.get("Reply-Text", "").startswith("+OK"):
                raise EslDisconnected(f"the switch at {settings.address} refused the subscription: {reply.headers.get('Reply-Text', '')}")
            return _NativeSession(settings, self._spawn, self._on_event, commands, events)
        except BaseException:
            commands.close()
            if events is not None:
                events.close()
            raise


class Link:
    """One connection, authenticated by its constructor. Replies are matched to requests by their order."""

    def __init__(self, settings: EslSettings) -> None:
        self.settings = settings
        self.decoder = Decoder()
        self.waiting: deque[AsyncResult[Message]] = deque()
        self.sending = Semaphore(1)
        self.heard_at = time.monotonic()
        with gevent.Timeout(settings.connect_timeout_s):
            self.socket = gevent.socket.create_connection((settings.host, settings.port))
            try:
                self.socket.setsockopt(gevent.socket.IPPROTO_TCP, gevent.socket.TCP_NODELAY, 1)
                if self._next().kind != "auth/request":
                    raise EslProtocolError(f"what listens at {settings.address} is not an event socket")
                reply = self._ask(f"auth {settings.password}")
                if not reply.headers.get("Reply-Text", "").startswith("+OK"):
                    raise password_refused(settings)
            except BaseException:
                self.socket.close()
                raise

    def exchange(self, command: str) -> Message:
        """A request and its reply before the readers run."""
        with gevent.Timeout(self.settings.connect_timeout_s):
            return self._ask(command)

    def _ask(self, command: str) -> Message:
        self.socket.sendall(command.encode() + b"\n\n")
        return self._next()

    def _next(self) -> Message:
        while True:
            message = self.decoder.take()  # one only: what follows is for the reader
            if message is not None:
                if message.kind in ("text/rude-rejection", "text/disconnect-notice"):
                    raise ended_by_switch(self.settings, message)
                return message
            data = self.socket.recv(RECV_BYTES)
            if not data:
                raise EslDisconnected(f"the switch at {self.settings.address} closed the connection while we logged in")
            self.decoder.feed(data)

    def close(self) -> None:
        self.socket.close()


def ended_by_switch(settings: EslSettings, notice: Message) -> EslDisconnected:
    """What a disconnect-notice or a rude-rejection means to an operator."""
    if notice.kind == "text/rude-rejection":
        return address_refused(settings)
    words = notice.body.decode("utf-8", "replace").strip().partition("\n")[0]
    return EslDisconnected(f"the switch at {settings.address} ended the connection: {words}")


class _NativeSession(Session):
    def __init__(self, settings: EslSettings, spawn: Spawn, on_event: OnEvent, commands: Link, events: Link) -> None:
        super().__init__(spawn)
        self.settings, self._on_event = settings, on_event
        self._commands, self._events = commands, events
        self._work(self._read, commands)
        self._work(self._keep_alive, commands)

    def begin(self) -> None:
        self._work(self._read, self._events)
        self._work(self._keep_alive, self._events)

    def api(self, command: str, deadline_s: float) -> str:
        reply = self._answer(self._commands, f"api {command}", deadline_s)
        if reply.kind == "api/response":
            return reply.body.decode("utf-8", "replace")
        return reply.headers.get("Reply-Text", "")

    def bgapi(self, command: str, job_uuid: str, deadline_s: float) -> None:
        reply = self._answer(self._commands, f"bgapi {command}\nJob-UUID: {job_uuid}", deadline_s)
        text = reply.headers.get("Reply-Text", "")
        if not text.startswith("+OK"):
            raise EslRefused(command.partition(" ")[0], text or reply.body.decode("utf-8", "replace"))
        if reply.headers.get("Job-UUID") != job_uuid:
            error = EslProtocolError(f"asked for job {job_uuid}, the switch answered for {reply.headers.get('Job-UUID')}: replies are out of step")
            self.lose(str(error))
            raise error

    def _answer(self, link: Link, request: str, deadline_s: float) -> Message:
        """Send and wait. Any number of greenlets may be in here: the order of sending is the order of the answers."""
        answer: AsyncResult[Message] = AsyncResult()
        timer = gevent.Timeout.start_new(deadline_s)
        try:
            self._send(link, request, answer)
            reply: Message = answer.get()
            return reply
        except gevent.Timeout as expired:
            if expired is not timer:
                raise  # the caller's own
            gevent.sleep(min(GRACE_S, deadline_s))
            if answer.ready():
                reply = answer.get()
                return reply
            # Two words are enough to know it by; what follows may hold somebody's number.
            self.lose(f"the switch at {self.settings.address} did not answer {' '.join(request.split()[:2])!r} within {deadline_s:g} s")
            raise EslDisconnected(self.reason) from None
        finally:
            timer.close()

    def _send(self, link: Link, request: str, answer: AsyncResult[Message]) -> None:
        with link.sending:
            if self.reason is not None:
                raise EslDisconnected(self.reason)
            link.waiting.append(answer)
            try:
                link.socket.sendall(request.encode() + b"\n\n")
            except OSError as error:
                self.lose(f"the connection to the switch at {self.settings.address} broke: {error.strerror or error}")
                raise EslDisconnected(self.reason) from None
            except BaseException:  # a deadline, or the caller was killed: half a command may be on the wire
                self.lose(f"the switch at {self.settings.address} does not take what we write")
                raise

    def _read(self, link: Link) -> None:
        """Frames to where they belong, for ever. Ends by an exception, which ends the session."""
        decoder, on_event, receive, clock = link.decoder, self._on_event, link.socket.recv, time.perf_counter
        slice_end = clock() + SLICE_S
        while True:
            for frame in decoder.parsed():
                if type(frame) is Event:
                    if self.reason is not None:
                        return
                    on_event(frame)
                    if clock() > slice_end:
                        gevent.sleep(YIELD_S)
                        slice_end = clock() + SLICE_S
                else:
                    self._take(link, cast(Message, frame))
            data = receive(RECV_BYTES)
            if not data:
                decoder.eof()
                raise EslDisconnected(f"the switch at {self.settings.address} closed the connection")
            link.heard_at = time.monotonic()
            decoder.feed(data)

    def _take(self, link: Link, message: Message) -> None:
        """A frame that is no event. Other kinds than these (log/data) were not asked for and do no harm."""
        if message.kind in ("command/reply", "api/response"):
            if not link.waiting:
                raise EslProtocolError("the switch sent a reply that nobody asked for")
            link.waiting.popleft().set(message)
        elif message.kind in ("text/disconnect-notice", "text/rude-rejection"):
            raise ended_by_switch(self.settings, message)

    def _keep_alive(self, link: Link) -> None:
        """Ask now and then. Anything heard since counts as life: behind a long queue of events the answer may take its time."""
        settings = self.settings
        while True:
            gevent.sleep(settings.ping_every_s)
            answer: AsyncResult[Message] = AsyncResult()
            asked_at = time.monotonic()
            with gevent.Timeout(settings.ping_deadline_s, EslDisconnected(f"the switch at {settings.address} does not take what we write")):
                self._send(link, f"api {PING}", answer)
            while not answer.ready():
                left_s = settings.ping_deadline_s - (time.monotonic() - max(asked_at, link.heard_at))
                if left_s > 0:
                    answer.wait(left_s)
                    continue
                gevent.sleep(GRACE_S)
                if time.monotonic() - max(asked_at, link.heard_at) >= settings.ping_deadline_s:
                    raise EslDisconnected(f"the switch at {settings.address} has been silent for {settings.ping_deadline_s:g} s")

    def _let_go(self, reason: str) -> None:
        for link in (self._commands, self._events):
            link.close()
            while link.waiting:
                link.waiting.popleft().set_exception(EslDisconnected(reason))
