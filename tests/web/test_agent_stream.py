"""An agent's events over real sockets: they come at once, outlive a request's patience, go on after a break, and no client holds up another."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import gevent
import pytest

from fs_dialer.core.model import AgentId
from fs_dialer.runtime import agent_hub
from fs_dialer.web import agents as web_agents
from fs_dialer.web import server as web_server
from tests.web.test_agents import Desk
from tests.web.test_server import served

WAIT_S = 20.0


class Line:
    """An event stream as a client reads it."""

    def __init__(self, port: int, token: str, path: str = "/api/agent/events", **headers: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
        self.connection.request("GET", path, headers={"Authorization": f"Bearer {token}", **headers})
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        assert self.answer.getheader("Content-Type") == "text/event-stream; charset=utf-8"
        assert self.answer.getheader("X-Accel-Buffering") == "no"

    def next(self) -> dict[str, Any]:
        """The fields of the next event; {} at the end. Comments and retry are passed over."""
        fields: dict[str, Any] = {}
        while line := self.answer.readline().decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if name == "" and "event" in fields:
                return {**fields, "data": json.loads(fields["data"])}
            if name in ("id", "event", "data"):
                fields[name] = value
        return {}

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


def post(port: int, token: str, verb: str, body: object, key: str) -> dict[str, Any]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)) as connection:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": key}
        connection.request("POST", f"/api/agent/{verb}", json.dumps(body), headers)
        return dict(json.loads(connection.getresponse().read()))


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.02)


@pytest.fixture
def desk(pg_dsn: str) -> Iterator[Desk]:
    made = Desk(pg_dsn)
    yield made
    made.http.close()


@pytest.fixture
def port(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(agent_hub, "LOOK_EVERY_S", 0.05)
    with served(desk.http, lambda: desk.floor.hub.start(gevent.spawn), desk.floor.hub.stop) as port:
        yield port


def screens(desk: Desk) -> int:
    return len(desk.floor.hub._seats[AgentId("ana")].screens)


def test_a_change_is_told_at_once_and_numbered(desk: Desk, port: int) -> None:
    line = Line(port, desk.ana)
    first = line.next()
    assert first["event"] == "desk" and first["data"]["reset"] is True and int(first["id"]) == first["data"]["number"]
    began = time.monotonic()
    assert post(port, desk.ana, "not_available", {"reason": "lunch"}, "k")["ok"] is True
    second, third = line.next(), line.next()
    assert {second["event"], third["event"]} == {"desk", "reply"} and [int(second["id"]), int(third["id"])] == [int(first["id"]) + 1, int(first["id"]) + 2]
    assert time.monotonic() - began < 5.0
    line.close()


def test_a_stream_outlives_the_patience_for_requests_and_is_pinged(desk: Desk, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "REQUEST_S", 0.3)
    monkeypatch.setattr(web_agents, "PING_S", 0.1)
    line = Line(port, desk.ana)
    line.next()
    began, pings = time.monotonic(), 0
    while time.monotonic() - began < 1.0:
        pings += line.answer.readline() == b": ping\n"
    assert pings >= 5
    post(port, desk.ana, "open_screen", {}, "k")
    assert line.next()["event"] in ("desk", "reply")
    line.close()


def test_a_broken_line_goes_on_behind_the_last_event(desk: Desk, port: int) -> None:
    line = Line(port, desk.ana)
    last = int(line.next()["id"])
    line.close()
    post(port, desk.ana, "open_screen", {}, "k")
    again = Line(port, desk.ana, **{"Last-Event-ID": str(last)})
    missed = [again.next() for _ in range(2)]
    assert [int(event["id"]) for event in missed] == [last + 1, last + 2] and all("reset" not in event["data"] for event in missed)
    again.close()


@pytest.mark.spec("S83")
def test_a_closed_page_is_noticed_without_waiting_for_a_ping(desk: Desk, port: int) -> None:
    line = Line(port, desk.ana)
    line.next()
    assert screens(desk) == 1
    line.close()
    until(lambda: screens(desk) == 0, "the closed line was not noticed")
    until(lambda: desk.http.app.extensions["fs_dialer.streams"].up == 0, "its stream was not given back")


def test_a_client_that_reads_nothing_is_let_go_and_holds_up_nobody(desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(web_server, "READ_S", 0.5)
    flood: list[int] = []

    def pour() -> None:
        while True:
            gevent.sleep(0.01)
            if flood and flood[0]:
                flood[0] -= 1
                desk.floor.hub._tell(desk.floor.hub._seats[AgentId("ana")], "reply", {"text": "x" * 4000})

    def begin() -> None:
        desk.floor.hub.start(gevent.spawn)
        gevent.spawn(pour)

    with served(desk.http, begin, desk.floor.hub.stop) as port:
        good = Line(port, desk.ana)
        good.next()
        with closing(socket.socket()) as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(("127.0.0.1", port))
            slow.sendall(f"GET /api/agent/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {desk.ana}\r\n\r\n".encode())
            until(lambda: screens(desk) == 2, "the slow one did not come")
            flood.append(200)
            numbers = [int(good.next()["id"]) for _ in range(200)]
            assert numbers == list(range(numbers[0], numbers[0] + 200))
            until(lambda: screens(desk) == 1, "the slow one was kept")
        good.close()
    assert desk.ana not in caplog.text


def test_the_servers_end_is_told_before_the_line_is_closed(desk: Desk) -> None:
    with ExitStack() as stack:
        port = stack.enter_context(served(desk.http, lambda: desk.floor.hub.start(gevent.spawn), desk.floor.hub.stop))
        line = Line(port, desk.ana)
        line.next()
        stack.close()
        last = line.next()
        assert last["event"] == "goodbye" and "id" not in last and "ends" in last["data"]["why"]
        assert line.next() == {}


def test_many_streams_leave_room_for_requests(desk: Desk, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_hub, "MOST_SCREENS", 500)
    lines = [Line(port, desk.ana) for _ in range(90)] + [Line(port, desk.boss, "/api/agents/bob/events") for _ in range(90)]
    assert all(line.next()["event"] == "desk" for line in lines)
    assert post(port, desk.ana, "open_screen", {}, "k")["ok"] is True
    assert all(line.next()["event"] in ("desk", "reply") for line in lines[:90])
    for line in lines:
        line.close()
