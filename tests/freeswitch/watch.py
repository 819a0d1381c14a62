"""What the switch itself says, on connections of the tests' own: every leg's story from its events, and answers to commands.

Independent of the daemon and of its clients; only the framing is fs_dialer.esl.wire's. Times are of this process's monotonic clock at arrival: the switch
sends its events every 20 ms, so that is how exact they are.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fs_dialer.esl.wire import Decoder, Event, Message

WATCHED = (
    "CHANNEL_CREATE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER CHANNEL_PARK CHANNEL_EXECUTE CHANNEL_BRIDGE CHANNEL_UNBRIDGE PLAYBACK_START "
    "CHANNEL_HANGUP_COMPLETE CHANNEL_DESTROY BACKGROUND_JOB"
)
PATIENCE_S = 20.0
AGENTS_AT = "127.0.0.1:5090"


@dataclass(frozen=True, slots=True)
class Address:
    """Of an event socket, as FS_DIALER_TEST_ESL has it: host:port:password."""

    host: str
    port: int
    password: str = field(repr=False)


class Line:
    """One authenticated connection for commands, answered in line."""

    def __init__(self, address: Address) -> None:
        self._socket = socket.create_connection((address.host, address.port), timeout=PATIENCE_S)
        self._decoder = Decoder()
        self._message()
        self.send(f"auth {address.password}")
        if not self._message().headers.get("Reply-Text", "").startswith("+OK"):
            raise OSError("the switch refused the password")

    def send(self, text: str) -> None:
        self._socket.sendall(f"{text}\n\n".encode())

    def messages(self) -> Iterator[Message | Event]:
        """For ever, as they come; OSError at the end of the connection."""
        while True:
            yield from self._decoder.parsed()
            data = self._socket.recv(1 << 16)
            if not data:
                raise OSError("the switch closed the connection")
            self._decoder.feed(data)

    def _message(self) -> Message:
        message = next(self.messages())
        assert isinstance(message, Message)
        return message

    def ask(self, command: str) -> str:
        """What a command printed (`api …`), or its Reply-Text."""
        self.send(command)
        message = self._message()
        return message.body.decode() if message.kind == "api/response" else message.headers.get("Reply-Text", "")

    def patient_for_ever(self) -> None:
        self._socket.settimeout(None)

    def close(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the switch was faster
        self._socket.close()


@dataclass(slots=True)
class Leg:
    """One channel's story. `role`: lead or agent; `number`: whom it called; `agent`: whose phone it is."""

    uuid: str
    role: str
    number: str
    agent: str
    attempt: str
    events: list[tuple[float, Event]] = field(default_factory=list)

    def at(self, name: str, last: bool = False) -> float | None:
        """When it had an event of this name, first or last."""
        times = [at for at, event in self.events if event.name == name]
        return (times[-1] if last else times[0]) if times else None

    def count(self, name: str) -> int:
        return sum(1 for _, event in self.events if event.name == name)

    @property
    def answered(self) -> bool:
        return self.at("CHANNEL_ANSWER") is not None

    @property
    def bridged_to(self) -> list[str]:
        """The legs it was bridged to, in order."""
        pairs = [(e.headers.get("Bridge-A-Unique-ID", ""), e.headers.get("Bridge-B-Unique-ID", "")) for _, e in self.events if e.name == "CHANNEL_BRIDGE"]
        return [b if a == self.uuid else a for a, b in pairs]

    @property
    def alive(self) -> bool:
        return self.at("CHANNEL_DESTROY") is None

    @property
    def cause(self) -> str:
        return next((e.headers.get("Hangup-Cause", "") for _, e in self.events if e.name == "CHANNEL_HANGUP_COMPLETE"), "")

    @property
    def in_fallback_at(self) -> float | None:
        """When it ran the first application of the extension for legs whose daemon is gone."""
        return next((at for at, e in self.events if e.name == "CHANNEL_EXECUTE" and e.headers.get("Caller-Destination-Number") == "fsd_fallback"), None)

    def story(self) -> str:
        begin = self.events[0][0]
        words = []
        for at, event in self.events:
            what = event.headers.get("Application", "") or event.headers.get("Hangup-Cause", "")
            words.append(f"+{at - begin:.3f} {event.name.removeprefix('CHANNEL_')} {what}".rstrip())
        return f"{self.uuid} {self.role} {self.number}{self.agent}: " + ", ".join(words)


class Watch:
    """Notes every leg that fs-dialer has the switch make, from now on. Others' channels are left out."""

    def __init__(self, address: Address) -> None:
        self._line, self._events = Line(address), Line(address)
        self._events.patient_for_ever()
        self.legs: dict[str, Leg] = {}
        self._changed = threading.Condition()
        self._lost: Exception | None = None
        if not self._events.ask(f"event json {WATCHED}").startswith("+OK"):
            raise OSError("the switch refused the subscription")
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        try:
            for message in self._events.messages():
                if isinstance(message, Event):
                    self._note(message)
        except Exception as error:
            with self._changed:
                self._lost = error
                self._changed.notify_all()

    def _note(self, event: Event) -> None:
        h = event.headers
        uuid, role = h.get("Unique-ID", ""), h.get("variable_fsd_role", "")
        with self._changed:
            if role and uuid not in self.legs:
                number = h.get("Caller-Destination-Number", "")
                agent = h.get("variable_fsd_agent", "")
                self.legs[uuid] = Leg(uuid, role, "" if agent else number, agent, h.get("variable_fsd_attempt", ""))
            named = {uuid, h.get("Bridge-A-Unique-ID", ""), h.get("Bridge-B-Unique-ID", "")} if event.name == "CHANNEL_BRIDGE" else {uuid}
            for one in named & self.legs.keys():
                self.legs[one].events.append((time.monotonic(), event))
            self._changed.notify_all()

    def until(self, holds: Callable[[], bool], what: str, timeout_s: float = PATIENCE_S) -> None:
        """Until something is so; AssertionError, with `what` and the latest legs, when it is not in time."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not holds():
                if self._lost is not None:
                    raise AssertionError(f"the tests' own event socket was lost: {self._lost}")
                left = deadline - time.monotonic()
                if left <= 0:
                    latest = "\n".join(leg.story() for leg in [*self.legs.values()][-15:])
                    raise AssertionError(f"not in {timeout_s:g} s: {what}\n{latest}")
                self._changed.wait(min(left, 0.2))

    @contextmanager
    def still(self) -> Iterator[None]:
        """Nothing is noted inside, for a look at several legs at one time."""
        with self._changed:
            yield

    def leads(self) -> list[Leg]:
        return [leg for leg in [*self.legs.values()] if leg.role == "lead"]

    def agents(self) -> list[Leg]:
        return [leg for leg in [*self.legs.values()] if leg.role == "agent"]

    def most_at_once(self, role: str = "") -> int:
        """The most legs (of a role) there ever were at one time."""
        steps = []
        for leg in [*self.legs.values()]:
            if not role or leg.role == role:
                steps += [(at, 1 if e.name == "CHANNEL_CREATE" else -1) for at, e in leg.events if e.name in ("CHANNEL_CREATE", "CHANNEL_DESTROY")]
        now = most = 0
        for _, step in sorted(steps):
            now += step
            most = max(most, now)
        return most

    def left_over(self) -> list[str]:
        """Our channels that the switch still has: those we noted, and those of its own list. That list is written behind, so each is asked for."""
        rows = json.loads(self.api("show channels as json")).get("rows", [])
        listed = {row["uuid"] for row in rows if row.get("dest", "").startswith("+1212") or AGENTS_AT in row.get("name", "")}
        left = [uuid for uuid in {*self.legs, *listed} if self.api(f"uuid_exists {uuid}").strip() == "true"]
        return [self.legs[uuid].story() if uuid in self.legs else uuid for uuid in left]

    def api(self, command: str) -> str:
        return self._line.ask(f"api {command}")

    def command(self, text: str) -> str:
        """Anything else than an api command; its Reply-Text."""
        return self._line.ask(text)

    def hang_up_all(self) -> None:
        """What a failed test left behind."""
        for leg in [*self.legs.values()]:
            if leg.alive:
                self.api(f"uuid_kill {leg.uuid}")

    def close(self) -> None:
        self._events.close()
        self._thread.join()
        self._line.close()
