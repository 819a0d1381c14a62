"""What our own client promises beyond the contract of all clients (tests/contract/test_switch_client.py)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent.queue import Queue

from fs_dialer.errors import EslDisconnected
from fs_dialer.esl import wire
from fs_dialer.esl.client import EslSettings, LinkLost, LinkUp
from fs_dialer.esl.connection import NativeClient
from tests.contract.scripted_switch import ScriptedSwitch

PATIENCE_S = 5.0
Told = LinkUp | LinkLost | wire.Event


@pytest.fixture
def switch() -> Iterator[ScriptedSwitch]:
    scripted = ScriptedSwitch()
    yield scripted
    scripted.close()


class Client(NativeClient):
    """A client whose callbacks fill one queue."""

    def __init__(self, switch: ScriptedSwitch, **settings: Any) -> None:
        self.told: Queue[Told] = Queue()
        chosen = {"password": "ClueCon", "ping_every_s": 60.0, "backoff_first_s": 0.01, "backoff_most_s": 0.05, **settings}
        super().__init__(EslSettings(port=switch.port, **chosen), self.told.put, self.told.put)

    def next(self) -> Told:
        told: Told = self.told.get(timeout=PATIENCE_S)
        return told


@pytest.fixture
def client(switch: ScriptedSwitch) -> Iterator[Client]:
    connected = Client(switch)
    connected.start()
    assert connected.next() == LinkUp(1)
    yield connected
    connected.close()


def hold(switch: ScriptedSwitch, name: str) -> Callable[[], None]:
    """Keep back the replies to `api NAME` until the returned function is called."""
    gate = threading.Event()

    def answer(*_: object) -> bytes:
        gate.wait(PATIENCE_S)
        return wire.encode_api_response(name)

    switch.answers[name] = answer
    return gate.set


def test_callers_own_timeout_is_his_own_and_costs_neither_link_nor_order(switch: ScriptedSwitch, client: Client) -> None:
    release = hold(switch, "late")
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.05):
        client.api("late", deadline_s=PATIENCE_S)
    asking = gevent.spawn(client.api, "echo mine")
    gevent.sleep(0)
    release()
    assert asking.get(timeout=PATIENCE_S) == "mine"
    assert client.told.empty()


def test_killed_caller_leaves_the_replies_in_step(switch: ScriptedSwitch, client: Client) -> None:
    release = hold(switch, "late")
    asking = gevent.spawn(client.api, "late")
    gevent.sleep(0.01)
    asking.kill()
    release()
    assert client.api("echo mine") == "mine"


def test_reply_that_nobody_asked_for_costs_the_link(switch: ScriptedSwitch, client: Client) -> None:
    switch.commands.send(wire.encode_api_response("surprise"))
    told = client.next()
    assert isinstance(told, LinkLost) and "nobody asked" in told.reason


def test_bytes_that_are_no_frame_cost_the_link_and_say_so(switch: ScriptedSwitch, client: Client) -> None:
    switch.events.send(b"HTTP/1.1 400 Bad Request\n\n")
    told = client.next()
    assert isinstance(told, LinkLost) and "not a header of the event socket" in told.reason


def test_event_that_can_not_be_read_costs_the_link_rather_than_be_missed(switch: ScriptedSwitch, client: Client) -> None:
    switch.events.send(b"Content-Length: 2\nContent-Type: text/event-json\n\n{}")
    told = client.next()
    assert isinstance(told, LinkLost) and "Event-Name" in told.reason
    assert client.next() == LinkUp(2)


def test_something_else_that_listens_is_told_apart_from_a_switch(switch: ScriptedSwitch) -> None:
    switch.greeting = b"Content-Type: command/reply\nReply-Text: hello\n\n"
    other = Client(switch)
    other.start()
    told = other.next()
    other.close()
    assert isinstance(told, LinkLost) and "is not an event socket" in told.reason


def test_subscription_that_is_refused_is_told(switch: ScriptedSwitch) -> None:
    switch.answers["json"] = lambda *_: wire.encode_reply("-ERR no keywords supplied")
    refused = Client(switch)
    refused.start()
    told = refused.next()
    refused.close()
    assert isinstance(told, LinkLost) and "refused the subscription: -ERR no keywords supplied" in told.reason


def test_callback_that_fails_ends_the_session_and_is_reported_as_ours(switch: ScriptedSwitch, capsys: pytest.CaptureFixture[str]) -> None:
    links: Queue[LinkUp | LinkLost] = Queue()

    def fail(event: wire.Event) -> None:
        raise ZeroDivisionError(event.name)

    settings = EslSettings(port=switch.port, password="ClueCon", ping_every_s=60.0, backoff_first_s=0.01)
    failing = NativeClient(settings, fail, links.put)
    failing.start()
    assert links.get(timeout=PATIENCE_S) == LinkUp(1)
    switch.send_event([("Event-Name", "DTMF")])
    lost = links.get(timeout=PATIENCE_S)
    failing.close()
    assert isinstance(lost, LinkLost) and "a bug of ours" in lost.reason
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_greenlets_come_from_the_callers_spawn(switch: ScriptedSwitch) -> None:
    spawned: list[gevent.Greenlet] = []

    def spawn(*arguments: Any) -> gevent.Greenlet:
        spawned.append(gevent.spawn(*arguments))
        return spawned[-1]

    links: Queue[LinkUp | LinkLost] = Queue()
    own = NativeClient(EslSettings(port=switch.port, password="ClueCon"), lambda _: None, links.put, spawn=spawn)
    own.start()
    assert links.get(timeout=PATIENCE_S) == LinkUp(1)
    own.close()
    gevent.joinall(spawned, timeout=PATIENCE_S)
    assert len(spawned) == 5 and all(greenlet.dead for greenlet in spawned)


def test_no_event_follows_the_loss_of_its_link(switch: ScriptedSwitch, client: Client) -> None:
    many = b"".join(switch.encoded([("Event-Name", "DTMF"), ("Number", str(number))]) for number in range(20_000))
    threading.Thread(target=switch.events.send, args=(many,), daemon=True).start()
    while not isinstance(client.told.peek(timeout=PATIENCE_S), wire.Event):
        client.next()
    switch.commands.close()
    seen = []
    while not isinstance(told := client.next(), LinkLost):
        seen.append(told)
    assert client.next() == LinkUp(2)
    assert all(isinstance(event, wire.Event) for event in seen) and client.told.empty()


def test_flood_of_events_leaves_others_their_turn(switch: ScriptedSwitch, client: Client) -> None:
    """The bench esl_read wants 25 ms; this bound only tells yielding from not yielding on a busy machine."""
    frame = switch.encoded([("Event-Name", "DTMF"), *((f"variable_{number}", "x" * 20) for number in range(150))])
    threading.Thread(target=switch.events.send, args=(frame * 15_000,), daemon=True).start()
    longest_s, last, seen = 0.0, time.perf_counter(), 0
    while seen < 15_000:
        gevent.sleep(0.005)
        now = time.perf_counter()
        longest_s, last = max(longest_s, now - last), now
        seen += client.told.qsize()
        client.told.queue.clear()
    assert longest_s < 0.15


def test_api_without_a_start_raises(switch: ScriptedSwitch) -> None:
    with pytest.raises(EslDisconnected, match="not started"):
        Client(switch).api("status")
