"""The peer of bench/live_calls.py: a client that does nothing but originate at a rate and send uuid_bridge on CHANNEL_ANSWER.

Run as a process of its own: python -m bench._bare_bridger PORT PASSWORD_FILE RATE SECONDS AGENTS. No database, no state, no limits, nobody saved when it dies.
"""

from __future__ import annotations

import collections
import select
import socket
import sys
import time
import uuid
from pathlib import Path

import orjson


class Link:
    """One event-socket connection, read by hand."""

    def __init__(self, port: int, password: str) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.send(f"auth {password}")

    def send(self, command: str) -> None:
        self.sock.sendall(f"{command}\n\n".encode())

    def originate(self, leg: str, rest: str) -> None:
        self.send(f"bgapi originate {{origination_uuid={leg},{rest} &park()\nJob-UUID: {leg}")

    def events(self) -> list[dict[str, str]]:
        """What has arrived, events only; waits for nothing but the bytes at hand."""
        self.buffer += self.sock.recv(1 << 18)
        found: list[dict[str, str]] = []
        while (end := self.buffer.find(b"\n\n")) >= 0:
            head = bytes(self.buffer[:end])
            at = head.find(b"Content-Length: ")
            length = int(head[at + 16 :].split(b"\n", 1)[0]) if at >= 0 else 0
            if len(self.buffer) < end + 2 + length:
                break
            if b"text/event-json" in head:
                found.append(orjson.loads(self.buffer[end + 2 : end + 2 + length]))
            del self.buffer[: end + 2 + length]
        return found


def main(port: int, password: str, rate: float, seconds: float, agents: int) -> None:
    commands, listener = Link(port, password), Link(port, password)
    listener.send("event json CHANNEL_ANSWER CHANNEL_PARK CHANNEL_HANGUP_COMPLETE")
    idle: collections.deque[str] = collections.deque()
    crew: set[str] = set()
    for n in range(agents):
        leg = str(uuid.uuid4())
        crew.add(leg)
        commands.originate(leg, f"fsd_role=agent,ignore_early_media=true,park_after_bridge=true}}user/{1000 + n}")
        time.sleep(0.004)
    customers: set[str] = set()
    start = time.monotonic() + 5.0
    placed = 0
    while time.monotonic() < start + seconds + 5.0:
        due = min(time.monotonic() - start, seconds) * rate
        while placed < due:
            leg = str(uuid.uuid4())
            customers.add(leg)
            placed += 1
            commands.originate(leg, f"fsd_role=lead,ignore_early_media=true}}sofia/gateway/trunk1/{12120000000 + placed}")
        ready, _, _ = select.select([commands.sock, listener.sock], [], [], 0.002)
        if commands.sock in ready:
            commands.events()
        if listener.sock in ready:
            for event in listener.events():
                leg, name = event.get("Unique-ID", ""), event["Event-Name"]
                if leg in crew and name == "CHANNEL_PARK":
                    idle.append(leg)
                elif leg in customers and name == "CHANNEL_ANSWER" and idle:
                    commands.send(f"api uuid_bridge {leg} {idle.popleft()}")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]).read_text(encoding="utf-8").strip(), float(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
