"""A simulated switch on a real TCP port, with gevent.

Knows sockets, the 20 ms poll in which events leave (freeswitch.md 11) and the faults a test may want: dropped links, a port that refuses, a switch
that freezes. What is said is listener.py's, what happens SimSwitch's. `python -m fs_dialer.sim.esl_server --help` runs one as a process of its own.

Beyond FreeSWITCH there is one command, `api sim ...`, by which another process reads the counters and sets faults; see SIM_USAGE.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import signal
import sys
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import gevent
from gevent import socket
from gevent.event import Event
from gevent.lock import Semaphore
from gevent.server import StreamServer

from fs_dialer.errors import EslProtocolError
from fs_dialer.esl.wire import AUTH_REQUEST, Command, CommandDecoder, encode_api_response
from fs_dialer.sim.headers import Headers
from fs_dialer.sim.leg import SwitchEvent
from fs_dialer.sim.listener import Listener, Renderer
from fs_dialer.sim.people import Behaviour, ModelledPeople, PeopleModel
from fs_dialer.sim.settings import SwitchSettings
from fs_dialer.sim.switch import SimSwitch

FLUSH_S: Final = 0.02
SHUTDOWN_S: Final = 2.0
SIM_USAGE: Final = (
    "-USAGE: sim counters | delays | gateway <name> up|down | freeze <seconds> | drop | legs"
    " | inbound <number>|anonymous <destination> [<context> [<name>]]\n")


def wall_clock() -> Callable[[], float]:
    """Epoch seconds that never jump: the wall clock of now, carried on by the monotonic one."""
    offset = time.time() - time.monotonic()
    return lambda: offset + time.monotonic()


class Connection:
    """One client: its socket, its listener, and who may write."""

    def __init__(self, server: EslServer, sock: Any) -> None:
        self.sock = sock
        self.server = server
        self.decoder = CommandDecoder()
        self.listener = Listener(server.switch, server.password, server.clock, self.write)
        self.ready = Event()
        self.free = Event()  # set when no api originate holds this connection
        self.free.set()
        self._turn = Semaphore()

    def write(self, raw: bytes) -> None:
        """Whole frames only, in order; a client that is gone is noticed by the reader."""
        with self._turn, contextlib.suppress(OSError):
            self.sock.sendall(raw)
        if not self.listener.waiting:
            self.free.set()

    def serve(self) -> None:
        """Read until either side has had enough."""
        writer = gevent.spawn(self._write_events)
        try:
            self.write(AUTH_REQUEST)
            while not self.listener.is_over():
                try:
                    data = self.sock.recv(65536)
                except OSError:
                    return
                if not data:
                    return
                self.decoder.feed(data)
                for command in self.decoder:
                    self.server.obey(self, command)
                    if self.listener.is_over():
                        return
        except EslProtocolError:
            return
        finally:
            self.listener.closed = True
            self.ready.set()
            writer.join(timeout=1.0)
            self.close()

    def close(self) -> None:
        """At once, whatever is on the way."""
        self.listener.closed = True
        self.ready.set()
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def _write_events(self) -> None:
        """Bursts of events, one greenlet for each client: a slow one delays nobody else."""
        while not self.listener.is_over():
            self.ready.wait()
            self.ready.clear()
            if self.listener.queue and not self.listener.waiting and not self.decoder.half_written:
                raw = self.listener.flush(self.server.render)
                self.write(raw)
                if self.listener.is_over():
                    self.close()


class EslServer:
    """Serves one SimSwitch on loopback. start() and stop() from any greenlet; `port` is known after start()."""

    def __init__(
        self, switch: SimSwitch, *, host: str = "127.0.0.1", port: int = 0, password: str = "ClueCon", clock: Callable[[], float] | None = None,
    ) -> None:
        self.switch, self.host, self.port, self.password = switch, host, port, password
        self.clock = clock or wall_clock()
        self.render = Renderer(Headers(switch.settings))
        self.connections: set[Connection] = set()
        self._server: StreamServer | None = None
        self._driver: gevent.Greenlet | None = None
        self._frozen_until = 0.0
        self._next_heartbeat = 0.0
        self._closing_at: float | None = None

    # ---- life

    def start(self) -> None:
        """Listen, and let the switch's time run."""
        if not self.switch.started_at:
            self.switch.started_at = self.clock()
        self._next_heartbeat = self.clock() + self.switch.settings.heartbeat_s
        self._listen()
        self._driver = gevent.spawn(self._drive)

    def stop(self) -> None:
        """Close everything at once."""
        if self._driver is not None:
            self._driver.kill()
            self._driver = None
        if self._server is not None:
            self._server.stop(timeout=0)
            self._server = None
        self.drop_connections()

    def _listen(self) -> None:
        self._server = StreamServer((self.host, self.port), self._accept, backlog=64)
        self._server.start()
        self.port = self._server.server_port

    def _accept(self, sock: Any, address: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(self, sock)
        self.connections.add(connection)
        try:
            connection.serve()
        finally:
            self.connections.discard(connection)

    # ---- callers

    def call_in(self, from_number: str, destination: str, context: str = "public", display_name: str = "", behaviour: Behaviour | None = None) -> str:
        """Somebody calls in; without a behaviour one of the model's callers. His leg's uuid, "" = the switch takes no call."""
        now = self.clock()
        self._advance(now)
        return self.switch.inbound(from_number, display_name, destination, context, behaviour, now)

    # ---- faults

    def drop_connections(self) -> None:
        """Every client finds its link closed, in the middle of whatever it was."""
        for connection in list(self.connections):
            connection.close()

    def refuse_new(self, refuse: bool) -> None:
        """True: nobody listens on the port any more; the links that are up stay. False: as before, on the same port."""
        if refuse and self._server is not None:
            self._server.stop(timeout=0)
            self._server = None
        elif not refuse and self._server is None:
            self._listen()

    def freeze(self, seconds: float) -> None:
        """The switch neither answers nor reports for so long, then goes on from where the clock is."""
        self._frozen_until = self.clock() + seconds

    # ---- work

    def obey(self, connection: Connection, command: Command) -> None:
        """One command of one client, in its turn."""
        while (left := self._frozen_until - self.clock()) > 0:
            gevent.sleep(left)
        self._advance(self.clock())
        if command.verb == "api" and connection.listener.authed and command.args.split(" ", 1)[0] == "sim":
            connection.write(encode_api_response(self._sim(command.args.split()[1:])))
            return
        connection.listener.take(command)
        if connection.listener.waiting:  # an api originate: nothing else is read from this client until it ends
            connection.free.clear()
            connection.free.wait()

    def _drive(self) -> None:
        """The 20 ms poll."""
        while True:
            gevent.sleep(FLUSH_S)
            now = self.clock()
            if now < self._frozen_until:
                continue
            self._advance(now)
            if now >= self._next_heartbeat:
                self._next_heartbeat = now + self.switch.settings.heartbeat_s
                self.switch.heartbeat(now)
            for connection in list(self.connections):
                if connection.listener.queue:
                    connection.ready.set()
            self._maybe_close(now)

    def _advance(self, now: float) -> None:
        connections = list(self.connections)
        for event in self.switch.advance(now):
            for connection in connections:
                connection.listener.offer(event, self._full)

    def _full(self, event: SwitchEvent) -> list[tuple[str, str]]:
        return self.switch.full_headers(event)

    def _maybe_close(self, now: float) -> None:
        """After fsctl shutdown: notices with the switch's own words, then the port is gone (freeswitch.md 15)."""
        if not self.switch.shutting_down:
            return
        if self._closing_at is None:
            self._closing_at = now + SHUTDOWN_S
        elif now >= self._closing_at:
            self.refuse_new(True)
            for connection in list(self.connections):
                if not connection.listener.closed:
                    connection.listener.say_goodbye("The system is being shut down.\n")
                connection.close()

    def _sim(self, words: list[str]) -> str:
        if words == ["counters"]:
            return json.dumps(asdict(self.switch.counters)) + "\n"
        if words == ["delays"]:
            taken, self.switch.delays = self.switch.delays, deque(maxlen=self.switch.delays.maxlen)
            return json.dumps([round(delay, 6) for delay in taken]) + "\n"
        if words == ["legs"]:
            return "".join(f"{leg!r}\n" for leg in self.switch.legs.values()) or "none\n"
        if words[:1] == ["inbound"] and 3 <= len(words) <= 5:
            from_number, destination, context, name = (*words[1:], "public", "")[:4] if len(words) < 5 else tuple(words[1:])
            uuid_ = self.switch.inbound("" if from_number == "anonymous" else from_number, name, destination, context, None, self.clock())
            return f"+OK {uuid_}\n" if uuid_ else "-ERR no call is taken\n"
        if len(words) == 3 and words[0] == "gateway" and words[2] in ("up", "down"):
            self.switch.set_gateway(words[1], words[2] == "up")
            return "+OK\n"
        if len(words) == 2 and words[0] == "freeze" and words[1].replace(".", "", 1).isdecimal():
            gevent.spawn_later(FLUSH_S, self.freeze, float(words[1]))
            return "+OK\n"
        if words == ["drop"]:
            gevent.spawn_later(FLUSH_S, self.drop_connections)
            return "+OK\n"
        return SIM_USAGE


def seeded_uuids(rng: random.Random) -> Callable[[], str]:
    """Version 4 uuids that come again with the seed."""
    return lambda: str(uuid.UUID(int=rng.getrandbits(128), version=4))


def dialplan_files(folder: Path) -> tuple[str, ...]:
    """Every XML file below, in the order of their names: files of a folder before those of the folders in it, as the switch's includes have them."""
    found = sorted(folder.rglob("*.xml"), key=lambda path: (len(path.parts), path.parts)) if folder.is_dir() else []
    return tuple(path.read_text(encoding="utf-8") for path in found)


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM, SIGINT or, if asked, the end of standard input. Prints `listening PORT` once it does."""
    parser = argparse.ArgumentParser(prog="python -m fs_dialer.sim.esl_server", description="A simulated FreeSWITCH event socket on loopback.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 = any free one")
    parser.add_argument("--password-file", help="its first line is the password; without it: ClueCon")
    parser.add_argument("--people-json", help="a people model (the content of conf/people.yml) as JSON")
    parser.add_argument("--dialplan", type=Path, help="a folder of XML dialplan, read at the start and at each reloadxml")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sps", type=int, default=0, help="legs per second; 0 = as FreeSWITCH")
    parser.add_argument("--until-stdin-ends", action="store_true", help="stop when whoever holds our standard input is gone")
    options = parser.parse_args(arguments)
    password = "ClueCon"
    if options.password_file:
        with open(options.password_file, encoding="utf-8") as file:
            password = file.readline().strip()
    model = PeopleModel()
    if options.people_json:
        with open(options.people_json, encoding="utf-8") as file:
            try:
                model = PeopleModel.from_mapping(json.load(file))
            except ValueError as problem:
                print(f"{options.people_json}: {problem}", file=sys.stderr)
                return 2
    settings = SwitchSettings()
    if options.sps:
        settings = replace(settings, sessions_per_second=options.sps)
    switch = SimSwitch(
        ModelledPeople(model), rng=random.Random(options.seed), new_uuid=seeded_uuids(random.Random(options.seed + 1)), settings=settings)
    if options.dialplan is not None:
        switch.files = lambda: dialplan_files(options.dialplan)
        reply = switch.reload(0.0)
        if "Success" not in reply:
            print(f"{options.dialplan}: {reply.strip()}", file=sys.stderr)
            return 2
    server = EslServer(switch, host=options.host, port=options.port, password=password)
    done = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, done.set)
    server.start()
    print(f"listening {server.port}", flush=True)
    if options.until_stdin_ends:
        gevent.spawn(_wait_for_end_of_input, done)
    done.wait()
    server.stop()
    return 0


def _wait_for_end_of_input(done: Event) -> None:
    from gevent.os import make_nonblocking, nb_read

    number = sys.stdin.fileno()
    make_nonblocking(number)
    with contextlib.suppress(OSError):
        while nb_read(number, 4096):
            pass
    done.set()


if __name__ == "__main__":
    sys.exit(main())
