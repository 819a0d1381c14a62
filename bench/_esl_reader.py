"""The reading half of the esl_read benchmark: one client, in a process of its own (python -m bench._esl_reader CLIENT PORT).

Says READY when it has subscribed, reads until SHUTDOWN, and prints as JSON the CPU seconds from there (user and system, of this process), the
events it saw, and the longest stall of a 5 ms ticker where there is an event loop to stall.
"""

from __future__ import annotations

import json
import re
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

TICK_S = 0.005
PATIENCE_S = 120  # a reader that lost its SHUTDOWN event dies rather than wait for ever
SUBSCRIPTION = "CHANNEL_HANGUP SHUTDOWN"


def ready() -> float:
    print("READY", flush=True)
    return time.process_time()


class Ticker:
    """A greenlet that wants to run every 5 ms; `longest_s` is the latest it ever was."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    def run(self) -> None:
        import gevent

        last = time.perf_counter()
        while True:
            gevent.sleep(TICK_S)
            now = time.perf_counter()
            self.longest_s = max(self.longest_s, now - last - TICK_S)
            last = now


def read_floor(port: int) -> dict[str, Any]:
    """The least that any reader must do: take the bytes off the socket and let orjson make dictionaries of them."""
    import orjson

    link = socket.create_connection(("127.0.0.1", port))
    link.sendall(b"auth x\n\nevent json " + SUBSCRIPTION.encode() + b"\n\n")
    buffer = b""
    while b"enabled json\n\n" not in buffer:
        buffer += link.recv(65536)
    buffer = buffer.partition(b"enabled json\n\n")[2]
    head = re.compile(rb"Content-Length: (\d+)\nContent-Type: text/event-json\n\n")
    events, began = 0, ready()
    while True:
        at = 0
        while (found := head.match(buffer, at)) is not None:
            end = found.end() + int(found[1])
            if len(buffer) < end:
                break
            event = orjson.loads(buffer[found.end() : end])
            at = end
            if event["Event-Name"] == "SHUTDOWN":
                return {"cpu_s": time.process_time() - began, "events": events}
            events += 1
        buffer = buffer[at:] + link.recv(65536)


def read_native(port: int) -> dict[str, Any]:
    import gevent
    from gevent.event import Event as Flag

    from fs_dialer.esl.client import EslSettings, open_client
    from fs_dialer.esl.wire import Event

    up, done, events = Flag(), Flag(), 0

    def on_event(event: Event) -> None:
        nonlocal events
        if event.name == "SHUTDOWN":
            done.set()
        else:
            events += 1

    settings = EslSettings(port=port, password="x", events=tuple(SUBSCRIPTION.split()))
    client = open_client("native", settings, on_event, lambda _: up.set())
    client.start()
    up.wait()
    ticker = Ticker()
    gevent.spawn(ticker.run)
    gevent.sleep(0.05)
    ticker.longest_s, began = 0.0, ready()
    done.wait()
    return {"cpu_s": time.process_time() - began, "events": events, "stall_s": ticker.longest_s}


def read_greenswitch(port: int) -> dict[str, Any]:
    import gevent
    import greenswitch
    from gevent.event import Event as Flag

    done, events = Flag(), 0

    def on_event(event: Any) -> None:
        nonlocal events
        if event.headers.get("Event-Name") == "SHUTDOWN":
            done.set()
        else:
            events += 1

    client = greenswitch.InboundESL("127.0.0.1", port, "x")
    client.connect()
    client.register_handle("*", on_event)
    client.send("event plain " + SUBSCRIPTION)
    ticker = Ticker()
    gevent.spawn(ticker.run)
    gevent.sleep(0.05)
    ticker.longest_s, began = 0.0, ready()
    done.wait()
    return {"cpu_s": time.process_time() - began, "events": events, "stall_s": ticker.longest_s}


def read_python_esl(port: int) -> dict[str, Any]:
    """Bare: it gives a C object, and two of its headers are looked at; a dictionary of all would cost more."""
    import ESL

    link = ESL.ESLconnection("127.0.0.1", str(port), "x")
    link.events("plain", SUBSCRIPTION)
    events, began = 0, ready()
    while True:
        event = link.recvEvent()
        name = event.getHeader("Event-Name")
        if name == "SHUTDOWN":
            return {"cpu_s": time.process_time() - began, "events": events}
        event.getHeader("Unique-ID")
        events += name == "CHANNEL_HANGUP"  # now and then it makes one event of none


READERS: dict[str, Callable[[int], dict[str, Any]]] = {
    "floor": read_floor,
    "native": read_native,
    "greenswitch": read_greenswitch,
    "python-esl": read_python_esl,
}

if __name__ == "__main__":
    signal.alarm(PATIENCE_S)
    print(json.dumps(READERS[sys.argv[1]](int(sys.argv[2]))), flush=True)
