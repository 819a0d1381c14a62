"""The peers of bench/autocall.py: clients that do nothing but keep LINES calls up, each sent straight to an extension, and count their ends.

Run as a process of its own: python -m bench._bare_originator CLIENT PORT PASSWORD_FILE LINES SECONDS EXTENSION. No database, no leads, no limits, no results.
CLIENT `greenswitch`: the loop that one would write over that library, a bgapi for each call and handlers for its events, told what the daemon is told.
`lean`: the same, told of three events only. `floor`: these three, bytes off the socket and JSON by orjson, the least that any client must do. Prints as
JSON the CPU seconds of this process and the calls that ended, both after a first settling time.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from fs_dialer.esl.translate import SUBSCRIBE

LEAN = ("BACKGROUND_JOB", "CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE")
SETTLE_S = 5.0
NUMBER = "sofia/gateway/trunk1/+12125550000"
VARIABLES = "ignore_early_media=true,originate_timeout=26,origination_caller_id_number=+15550100000"


def command(leg: str, extension: str) -> str:
    return f"bgapi originate {{origination_uuid={leg},{VARIABLES}}}{NUMBER} {extension} XML fsd_ivr\nJob-UUID: {leg}"


class Count:
    """Calls that ended, and the CPU, since the settling time was over."""

    def __init__(self, seconds: float) -> None:
        self.begin_at, self.end_at = time.monotonic() + SETTLE_S, time.monotonic() + SETTLE_S + seconds
        self.ended, self.cpu_s = 0, 0.0
        self._from: float | None = None

    def call_ended(self) -> None:
        if self.on():
            self.ended += 1

    def on(self) -> bool:
        if self._from is None and time.monotonic() >= self.begin_at:
            self._from = time.process_time()
        return self._from is not None

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.end_at

    def told(self) -> str:
        assert self._from is not None
        return json.dumps({"cpu_s": time.process_time() - self._from, "calls": self.ended})


def floor(port: int, password: str, lines: int, seconds: float, extension: str) -> str:
    import select

    from bench._bare_bridger import Link

    commands, listener = Link(port, password), Link(port, password)
    listener.send(f"event json {' '.join(LEAN)}")
    for _ in range(lines):
        commands.send(command(str(uuid.uuid4()), extension))
    count = Count(seconds)
    while not count.over:
        ready, _, _ = select.select([commands.sock, listener.sock], [], [], 0.1)
        count.on()
        if commands.sock in ready:
            commands.sock.recv(1 << 18)
        for event in listener.events() if listener.sock in ready else ():
            if event["Event-Name"] == "CHANNEL_HANGUP_COMPLETE":
                count.call_ended()
                commands.send(command(str(uuid.uuid4()), extension))
    return count.told()


def greenswitch(port: int, password: str, lines: int, seconds: float, extension: str, events: Sequence[str] = SUBSCRIBE) -> str:
    from gevent import monkey

    monkey.patch_all()
    import gevent
    import greenswitch as library

    link = library.InboundESL(host="127.0.0.1", port=port, password=password)
    link.connect()
    count = Count(seconds)

    def ended(event: object) -> None:
        count.call_ended()
        gevent.spawn(link.send, command(str(uuid.uuid4()), extension))

    for name in events:
        link.register_handle(name, ended if name == "CHANNEL_HANGUP_COMPLETE" else lambda event: None)
    link.send(f"events plain {' '.join(events)}")
    for _ in range(lines):
        link.send(command(str(uuid.uuid4()), extension))
    while not count.over:
        gevent.sleep(0.1)
        count.on()
    return count.told()


if __name__ == "__main__":
    which, at, secret, most, long_s, to = sys.argv[1:7]
    password = Path(secret).read_text(encoding="utf-8").strip()
    loops: dict[str, Callable[[int, str, int, float, str], str]] = {"greenswitch": greenswitch, "lean": partial(greenswitch, events=LEAN), "floor": floor}
    print(loops[which](int(at), password, int(most), float(long_s), to), flush=True)
