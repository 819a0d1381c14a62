"""The simulated switch over real TCP."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import greenswitch
import pytest
from gevent import socket

from fs_dialer.esl.wire import Decoder, Event, Message, encode_event_json, parse_event
from fs_dialer.sim.esl_server import EslServer, seeded_uuids
from fs_dialer.sim.listener import encode_json
from fs_dialer.sim.people import Behaviour, People, ScriptedPeople
from fs_dialer.sim.switch import SimSwitch

DEADLINE_S = 5.0
ORIGINATE = "originate {origination_uuid=%s,ignore_early_media=true,fsd_role=lead}sofia/gateway/trunk/1 &park()"


class Client:
    """A small blocking client on a gevent socket."""

    def __init__(self, port: int, password: str | None = "ClueCon") -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
        self.decoder = Decoder()
        self.messages: list[Message] = []
        self.events: list[Event] = []
        assert self.next().kind == "auth/request"
        if password is not None:
            assert self.ask(f"auth {password}") == "+OK accepted"

    def _read(self) -> bool:
        data = self.sock.recv(65536)
        if not data:
            return False
        self.decoder.feed(data)
        for message in self.decoder:
            if message.kind.startswith("text/event"):
                self.events.append(parse_event(message))
            else:
                self.messages.append(message)
        return True

    def next(self) -> Message:
        """The next frame that is no event."""
        while not self.messages:
            assert self._read(), "closed"
        return self.messages.pop(0)

    def ask(self, command: str) -> str:
        self.sock.sendall(f"{command}\n\n".encode())
        message = self.next()
        return message.headers.get("Reply-Text", "") if message.kind == "command/reply" else message.body.decode()

    def wait_for(self, name: str, **headers: str) -> Event:
        with gevent.Timeout(DEADLINE_S):
            while True:
                for event in self.events:
                    if event.name == name and all(event.headers.get(key.replace("_", "-")) == value for key, value in headers.items()):
                        return event
                assert self._read(), f"closed before {name}"

    def is_closed(self) -> bool:
        try:
            while self._read():
                pass
        except OSError:
            pass
        return True


@pytest.fixture
def serve() -> Iterator[Callable[..., EslServer]]:
    """Servers that end with the test."""
    servers: list[EslServer] = []

    def start(people: People | None = None) -> EslServer:
        switch = SimSwitch(people or ScriptedPeople({}, Behaviour(after_s=0.05)), rng=random.Random(1), new_uuid=seeded_uuids(random.Random(2)))
        servers.append(EslServer(switch))
        servers[-1].start()
        return servers[-1]

    with gevent.Timeout(30):
        yield start
    for server in servers:
        server.stop()


@pytest.mark.parametrize("form", ["plain", "json"])
def test_a_call_is_dialled_answered_parked_and_killed(serve: Callable[..., EslServer], form: str) -> None:
    client = Client(serve().port)
    assert client.ask(f"event {form} CHANNEL_ANSWER CHANNEL_PARK CHANNEL_HANGUP_COMPLETE BACKGROUND_JOB") == f"+OK event listener enabled {form}"
    assert client.ask("bgapi " + ORIGINATE % "a-leg" + "\nJob-UUID: my-job") == "+OK Job-UUID: my-job"
    assert client.wait_for("BACKGROUND_JOB").headers["Job-UUID"] == "my-job"
    assert client.wait_for("BACKGROUND_JOB").body == "+OK a-leg\n"
    assert client.wait_for("CHANNEL_PARK").headers["variable_fsd_role"] == "lead"
    assert client.ask("api uuid_kill a-leg USER_BUSY") == "+OK\n"
    assert client.wait_for("CHANNEL_HANGUP_COMPLETE").headers["Hangup-Cause"] == "USER_BUSY"


def test_a_reply_beats_the_events_it_caused_on_another_connection_too(serve: Callable[..., EslServer]) -> None:
    """freeswitch.md 11."""
    port = serve().port
    asker, hearer = Client(port), Client(port)
    hearer.ask("event plain API")
    asker.ask("api echo x")
    assert hearer.events == []
    assert hearer.wait_for("API").headers["API-Command-Argument"] == "x"


def test_every_subscribed_client_hears_of_a_job(serve: Callable[..., EslServer]) -> None:
    """14."""
    port = serve().port
    asker, hearer = Client(port), Client(port)
    hearer.ask("event json BACKGROUND_JOB")
    asker.ask("bgapi status")
    asker.sock.close()
    assert "UP " in (hearer.wait_for("BACKGROUND_JOB").body or "")


def test_the_quick_json_encoder_writes_the_same_bytes() -> None:
    switch = SimSwitch(ScriptedPeople({}, Behaviour(after_s=0.05, stay_s=1.0)), rng=random.Random(1), new_uuid=seeded_uuids(random.Random(2)))
    switch.bgapi("originate {note='caf\u00e9 \"quoted\" \\ \u2028 and\ttab'}sofia/gateway/trunk/1 &park()", "job", 1000.0)
    compared = 0
    for _ in range(20):
        for event in switch.advance(switch.next_wakeup() or 2000.0):
            pairs = switch.full_headers(event)
            assert encode_json(pairs, event.body, len(event.front)) == encode_event_json(pairs, event.body), event.name
            compared += 1
    assert compared > 20


def test_a_wrong_password_is_told_and_the_line_is_closed(serve: Callable[..., EslServer]) -> None:
    """8."""
    client = Client(serve().port, password=None)
    assert client.ask("api status") == "-ERR command not found"
    assert client.ask("auth nonsense") == "-ERR invalid"
    assert client.next().kind == "text/disconnect-notice"
    assert client.is_closed()


def test_half_a_command_holds_the_events_of_its_connection_back(serve: Callable[..., EslServer]) -> None:
    """10."""
    port = serve().port
    asker, hearer = Client(port), Client(port)
    hearer.ask("event plain API")
    hearer.sock.sendall(b"api echo half")
    gevent.sleep(0.05)
    asker.ask("api echo x")
    hearer.sock.settimeout(0.15)
    with pytest.raises(TimeoutError):
        hearer._read()
    hearer.sock.settimeout(DEADLINE_S)
    hearer.sock.sendall(b"\n\n")
    assert hearer.next().body == b"half"
    assert hearer.wait_for("API", API_Command_Argument="x")


def test_api_originate_blocks_its_connection_only(serve: Callable[..., EslServer]) -> None:
    """9, s02m."""
    port = serve(ScriptedPeople({}, Behaviour(after_s=0.3))).port
    caller, other = Client(port), Client(port)
    caller.sock.sendall(b"api " + (ORIGINATE % "slow").encode() + b"\n\napi echo behind\n\n")
    gevent.sleep(0.05)
    assert other.ask("api uuid_exists slow") == "true"
    assert caller.messages == []
    assert caller.next().body == b"+OK slow\n" and caller.next().body == b"behind"


def test_dropped_connections_are_closed_and_may_come_back(serve: Callable[..., EslServer]) -> None:
    server = serve()
    client = Client(server.port)
    server.drop_connections()
    assert client.is_closed()
    assert Client(server.port).ask("api echo back") == "back"


def test_a_port_that_refuses_keeps_the_links_that_are_up(serve: Callable[..., EslServer]) -> None:
    server = serve()
    client = Client(server.port)
    port = server.port
    server.refuse_new(True)
    with pytest.raises(ConnectionRefusedError):
        Client(port)
    assert client.ask("api echo still") == "still"
    server.refuse_new(False)
    assert server.port == port and Client(port).ask("api echo new") == "new"


def test_a_frozen_switch_answers_later(serve: Callable[..., EslServer]) -> None:
    server = serve()
    client = Client(server.port)
    server.freeze(0.3)
    begun = server.clock()
    assert client.ask("api echo x") == "x"
    assert server.clock() - begun >= 0.29


def test_shutdown_says_goodbye_in_the_switchs_own_words(serve: Callable[..., EslServer]) -> None:
    """15."""
    server = serve()
    client = Client(server.port)
    client.ask("event plain SHUTDOWN")
    assert client.ask("api fsctl shutdown") == "+OK\n"
    client.wait_for("SHUTDOWN")
    assert client.next().body == b"The system is being shut down.\n"
    with pytest.raises(ConnectionRefusedError):
        Client(server.port)


def test_myevents_hears_one_leg_and_ends_with_it(serve: Callable[..., EslServer]) -> None:
    """47, s05m."""
    port = serve().port
    caller, watcher = Client(port), Client(port)
    for uuid in ("one", "two"):
        assert caller.ask("api " + ORIGINATE % uuid) == f"+OK {uuid}\n"
    assert watcher.ask("myevents one") == "+OK Events Enabled"
    caller.ask("api hupall")
    watcher.wait_for("CHANNEL_HANGUP_COMPLETE")
    notice = watcher.next()
    assert (notice.kind, notice.headers["Controlled-Session-UUID"]) == ("text/disconnect-notice", "one")
    assert {event.headers["Unique-ID"] for event in watcher.events} == {"one"}


def test_sendmsg_executes_and_hangs_up(serve: Callable[..., EslServer]) -> None:
    client = Client(serve().port)
    client.ask("event plain PLAYBACK_START CHANNEL_HANGUP_COMPLETE")
    client.ask("api " + ORIGINATE % "leg")
    assert client.ask("sendmsg leg\ncall-command: execute\nexecute-app-name: playback\nexecute-app-arg: local_stream://moh") == "+OK"
    assert client.wait_for("PLAYBACK_START").headers["Playback-File-Path"] == "local_stream://moh"
    assert client.ask("sendmsg leg\ncall-command: hangup\nhangup-cause: USER_BUSY") == "+OK"
    assert client.wait_for("CHANNEL_HANGUP_COMPLETE").headers["Hangup-Cause"] == "USER_BUSY"


def test_counters_and_gateways_are_reachable_from_another_process(serve: Callable[..., EslServer]) -> None:
    client = Client(serve().port)
    client.ask("api " + ORIGINATE % "leg")
    client.ask("api fsctl pause")
    client.ask("api " + ORIGINATE % "refused")
    counters = json.loads(client.ask("api sim counters"))
    assert (counters["lead_legs"], counters["agent_legs"], counters["refused_without_leg"]) == (1, 0, 1)
    client.ask("api fsctl resume")
    assert client.ask("api sim gateway trunk down") == "+OK\n"
    assert client.ask("api " + ORIGINATE % "later") == "-ERR GATEWAY_DOWN\n"
    assert client.ask("api sim nonsense").startswith("-USAGE: sim")


def test_a_client_that_does_not_read_delays_nobody_else(serve: Callable[..., EslServer]) -> None:
    server = serve()
    deaf, hearer, caller = Client(server.port), Client(server.port), Client(server.port)
    deaf.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.ask("event plain ALL")
    hearer.ask("event plain CHANNEL_DESTROY")
    for number in range(60):
        caller.ask("bgapi " + ORIGINATE % f"leg{number}")
    gevent.sleep(0.3)
    caller.ask("api hupall")
    with gevent.Timeout(DEADLINE_S):
        while len(hearer.events) < 60:
            hearer._read()


def test_unmodified_greenswitch_drives_it(serve: Callable[..., EslServer]) -> None:
    esl = greenswitch.InboundESL(host="127.0.0.1", port=serve().port, password="ClueCon")
    esl.connect()
    seen: dict[str, object] = {}
    try:
        for name in ("CHANNEL_ANSWER", "BACKGROUND_JOB"):
            esl.register_handle(name, lambda event, name=name: seen.setdefault(name, event))
        assert "event listener enabled plain" in esl.send("events plain CHANNEL_ANSWER BACKGROUND_JOB").data
        job = esl.send("bgapi " + ORIGINATE % "green").headers["Job-UUID"]
        with gevent.Timeout(DEADLINE_S):
            while len(seen) < 2:
                gevent.sleep(0.01)
    finally:
        esl.stop()
    assert seen["CHANNEL_ANSWER"].headers["Unique-ID"] == "green"  # type: ignore[attr-defined]
    assert seen["BACKGROUND_JOB"].headers["Job-UUID"] == job  # type: ignore[attr-defined]


def test_it_runs_as_a_process_of_its_own_and_ends_with_its_parent(tmp_path: Path) -> None:
    password, people = tmp_path / "password", tmp_path / "people.json"
    password.write_text("sesame\n", encoding="utf-8")
    people.write_text(json.dumps({"customers": {"outcomes": {"busy": 1}, "refuse": "50ms", "first_response": "1ms"}}), encoding="utf-8")
    arguments = ["--password-file", str(password), "--people-json", str(people), "--seed", "3", "--until-stdin-ends"]
    process = subprocess.Popen(
        [sys.executable, "-m", "fs_dialer.sim.esl_server", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdin is not None
        word, port = process.stdout.readline().split()
        assert word == "listening"
        client = Client(int(port), "sesame")
        assert client.ask("api " + ORIGINATE % "x") == "-ERR USER_BUSY\n"
        process.stdin.close()
        assert process.wait(DEADLINE_S) == 0
    finally:
        process.kill()
        process.wait()


def test_it_ends_at_sigterm() -> None:
    process = subprocess.Popen([sys.executable, "-m", "fs_dialer.sim.esl_server"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("listening ")
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0
    finally:
        process.kill()
        process.wait()


def test_a_people_model_with_a_mistake_ends_it_with_the_place(tmp_path: Path) -> None:
    people = tmp_path / "people.json"
    people.write_text('{"customers": {"talk": "long"}}', encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "fs_dialer.sim.esl_server", "--people-json", str(people)], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "customers.talk" in done.stderr
