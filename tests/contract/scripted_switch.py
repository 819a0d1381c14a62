"""A switch that does what a test tells it, on a real socket: the far end of the switch-client contract.

Knows the event socket as the recordings show it, through wire.py, and nothing of telephony. Blocking sockets on threads of this process, while the
client under test runs in a process of its own (client_process.py): a client that hangs must not hang its switch.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterable

from fs_dialer.esl import wire

PATIENCE_S = 10.0


class Connection:
    """One accepted connection. `events_as` is the format it subscribed to, once it has."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.authenticated = False
        self.subscription = ""
        self.events_as = ""
        self.commands: list[str] = []

    def send(self, data: bytes) -> None:
        try:
            self.link.sendall(data)
        except OSError:
            pass  # the client has gone, which is its right

    def close(self, reset: bool = False) -> None:
        """FIN, or RST for `reset`."""
        if reset:
            self.link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        try:
            self.link.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.link.close()


Answer = Callable[[Connection, wire.Command], bytes | None]


class ScriptedSwitch:
    """Accepts, authenticates, subscribes and echoes by itself. `answers`, by a command's second word (`api NAME`), override that; None: no answer."""

    def __init__(self, password: str = "ClueCon", greeting: bytes = wire.AUTH_REQUEST) -> None:
        self.password, self.greeting = password, greeting
        self.answers: dict[str, Answer] = {}
        self.after_subscription: bytes = b""  # sent in one write with the reply to `event`
        self.mute = False  # reads and says nothing
        self.connections: list[Connection] = []
        self.authentications = 0
        self._changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self.connections):
            connection.close()

    # ---- what a test does

    def until(self, fact: Callable[[], bool]) -> None:
        """Wait until it is so. AssertionError when it does not come about."""
        with self._changed:
            assert self._changed.wait_for(fact, PATIENCE_S), f"the switch waited in vain; it saw {[c.commands for c in self.connections]}"

    @property
    def events(self) -> Connection:
        """The connection that subscribed last."""
        self.until(lambda: any(c.events_as for c in self.connections))
        return [c for c in self.connections if c.events_as][-1]

    @property
    def commands(self) -> Connection:
        """The live command connection: the last one that is authenticated and did not subscribe."""
        self.until(lambda: any(c.authenticated and not c.events_as for c in self.connections))
        return [c for c in self.connections if c.authenticated and not c.events_as][-1]

    def send_event(self, headers: Iterable[tuple[str, str]], body: str | None = None) -> None:
        """In the format that was asked for."""
        self.events.send(self.encoded(headers, body))

    def encoded(self, headers: Iterable[tuple[str, str]], body: str | None = None, events_as: str = "") -> bytes:
        encode = wire.encode_event_json if (events_as or self.events.events_as) == "json" else wire.encode_event_plain
        return encode(headers, body)

    # ---- what it does by itself

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(link)
            with self._changed:
                self.connections.append(connection)
                self._changed.notify_all()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        decoder = wire.CommandDecoder()
        connection.send(self.greeting)
        while True:
            try:
                data = connection.link.recv(65536)
            except OSError:
                return
            if not data:
                return
            decoder.feed(data)
            for command in decoder:
                answer = None if self.mute else self._answer(connection, command)
                with self._changed:
                    connection.commands.append(command.line)
                    self._changed.notify_all()
                if answer is not None:
                    connection.send(answer)

    def _answer(self, connection: Connection, command: wire.Command) -> bytes | None:
        if command.verb == "auth":
            self.authentications += 1
            connection.authenticated = command.args == self.password
            refusal = wire.encode_reply("-ERR invalid") + wire.encode_disconnect_notice()
            return wire.encode_reply("+OK accepted") if connection.authenticated else refusal
        name, _, arguments = command.args.partition(" ")
        if name in self.answers:
            return self.answers[name](connection, command)
        if command.verb == "event":
            connection.subscription, connection.events_as = command.args, name
            after = self.after_subscription
            return wire.encode_reply(f"+OK event listener enabled {name}") + after
        if command.verb == "api" and name == "echo":
            return wire.encode_api_response(arguments)
        if command.verb == "api":
            return wire.encode_api_response(f"-ERR {name} Command not found!\n")
        if command.verb == "bgapi":
            job = command.headers.get("Job-UUID", "")
            return wire.encode_reply(f"+OK Job-UUID: {job}", [("Job-UUID", job)])
        return wire.encode_reply("-ERR command not found")
