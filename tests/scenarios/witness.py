"""A second pair of eyes on the simulated switch: a listener of its own that notes what every leg did, so that tests need not believe the daemon.

Knows the switch's events and our three channel variables. Times are those of arrival, in seconds of the monotonic clock; a link that is cut (`sim drop`) is
made again, and what happened in between is not known.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fs_dialer.errors import EslProtocolError
from fs_dialer.esl.wire import Decoder, Event, parse_event

EVENTS = (
    "CHANNEL_CREATE CHANNEL_PROGRESS CHANNEL_ANSWER CHANNEL_PARK CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_EXECUTE PLAYBACK_START "
    "CHANNEL_HANGUP_COMPLETE CHANNEL_DESTROY"
)
AGAIN_S = 0.05


@dataclass(slots=True)
class SeenLeg:
    """One leg's life as the switch told it. `bridged_to`: whom it talks with now; `met`: everybody it ever talked with."""

    uuid: str
    role: str
    attempt: str
    agent: str
    number: str
    created_at: float
    answered_at: float | None = None
    hung_up_at: float | None = None
    destroyed_at: float | None = None
    bridged_to: str | None = None
    met: tuple[str, ...] = ()
    cause: str = ""
    heard: tuple[str, ...] = ()  # sound files and streams that began to play
    fell_back_at: float | None = None  # it was sent to the fallback extension

    @property
    def up(self) -> bool:
        return self.destroyed_at is None

    def overlaps(self, other: SeenLeg) -> bool:
        return self.created_at < (other.destroyed_at or float("inf")) and other.created_at < (self.destroyed_at or float("inf"))


class Witness:
    """Listens from start() to close(). Every method may be asked at any time."""

    def __init__(self, port: int, password: str) -> None:
        self._port, self._password = port, password
        self._legs: dict[str, SeenLeg] = {}
        self._lock = threading.Lock()
        self._closing = False
        self._sock: socket.socket | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def start(self) -> None:
        """Returns when it is subscribed: nothing that happens from now on is missed."""
        self._thread.start()
        assert self._ready.wait(10), "the simulated switch let nobody listen"

    def close(self) -> None:
        self._closing = True
        if self._sock is not None:
            try:
                self._sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._thread.join(5)

    def switch_died(self) -> None:
        """Nobody will say so, but all legs are gone."""
        with self._lock:
            for leg in self._legs.values():
                leg.destroyed_at = leg.destroyed_at or time.monotonic()

    # --- what was seen ----------------------------------------------------------------------------------------------------------------

    def legs(self, role: str | None = None) -> list[SeenLeg]:
        with self._lock:
            return [leg for leg in self._legs.values() if role is None or leg.role == role]

    def up(self, role: str | None = None) -> list[SeenLeg]:
        return [leg for leg in self.legs(role) if leg.up]

    def leg_of(self, number: str) -> SeenLeg:
        """The only customer's leg that number ever had."""
        (leg,) = [leg for leg in self.legs("lead") if leg.number == number]
        return leg

    def ringing(self) -> list[SeenLeg]:
        return [leg for leg in self.up("lead") if leg.answered_at is None]

    def waiting(self) -> list[SeenLeg]:
        """Customers who answered and have met nobody yet."""
        return [leg for leg in self.up("lead") if leg.answered_at is not None and not leg.met]

    def talking(self) -> list[SeenLeg]:
        return [leg for leg in self.up("lead") if leg.bridged_to is not None]

    # --- the listening ----------------------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        while not self._closing:
            try:
                with socket.create_connection(("127.0.0.1", self._port), timeout=5) as self._sock:
                    self._sock.settimeout(None)
                    self._sock.sendall(f"auth {self._password}\n\nevent json {EVENTS}\n\n".encode())
                    self._read(self._sock)
            except (OSError, EslProtocolError):
                pass
            time.sleep(AGAIN_S)

    def _read(self, sock: socket.socket) -> None:
        decoder = Decoder()
        while data := sock.recv(65536):
            decoder.feed(data)
            for message in decoder:
                if message.kind == "text/event-json":
                    self._note(parse_event(message))
                elif "event listener enabled" in message.headers.get("Reply-Text", ""):
                    self._ready.set()

    def _note(self, event: Event) -> None:
        h, now = event.headers, time.monotonic()
        uuid = h.get("Unique-ID", "")
        with self._lock:
            leg = self._legs.get(uuid)
            if leg is None:
                role, attempt, agent = (h.get(f"variable_fsd_{name}", "") for name in ("role", "attempt", "agent"))
                leg = self._legs[uuid] = SeenLeg(uuid, role, attempt, agent, h.get("Caller-Destination-Number", ""), now)
            if event.name == "CHANNEL_ANSWER":
                leg.answered_at = now
            elif event.name == "CHANNEL_BRIDGE":
                self._pair(h.get("Bridge-A-Unique-ID", ""), h.get("Bridge-B-Unique-ID", ""))
            elif event.name == "CHANNEL_UNBRIDGE":
                self._part(leg)
            elif event.name == "CHANNEL_EXECUTE":
                if h.get("Caller-Destination-Number") == "fsd_fallback" and leg.fell_back_at is None:
                    leg.fell_back_at = now
            elif event.name == "PLAYBACK_START":
                leg.heard = (*leg.heard, h.get("Playback-File-Path", ""))
            elif event.name == "CHANNEL_HANGUP_COMPLETE":
                leg.cause, leg.hung_up_at = h.get("Hangup-Cause", ""), now
                self._part(leg)
            elif event.name == "CHANNEL_DESTROY":
                leg.destroyed_at = now
                self._part(leg)

    def _pair(self, a: str, b: str) -> None:
        first, second = self._legs.get(a), self._legs.get(b)
        if first is not None and second is not None:
            for one, other in ((first, second), (second, first)):
                one.bridged_to = other.uuid
                one.met = (*one.met, other.uuid)

    def _part(self, leg: SeenLeg) -> None:
        other = self._legs.get(leg.bridged_to or "")
        leg.bridged_to = None
        if other is not None and other.bridged_to == leg.uuid:
            other.bridged_to = None


def at_once(legs: Iterable[SeenLeg], name: str) -> list[tuple[SeenLeg, SeenLeg]]:
    """Pairs of legs of the same `name` (number, agent) that were up at the same time."""
    found = []
    by_name: dict[str, list[SeenLeg]] = {}
    for leg in sorted(legs, key=lambda leg: leg.created_at):
        key = getattr(leg, name)
        found += [(other, leg) for other in by_name.setdefault(key, []) if other.overlaps(leg)]
        by_name[key].append(leg)
    return found


def most_at_once(legs: Sequence[SeenLeg], until: str = "destroyed_at") -> int:
    """How many of these legs were up at once, when it was most. `until`: hung_up_at = until their end is told, destroyed_at = until they hold no line."""
    ends = [getattr(leg, until) for leg in legs]
    steps = sorted([(leg.created_at, 1) for leg in legs] + [(end, -1) for end in ends if end is not None])
    most = up = 0
    for _, step in steps:
        up += step
        most = max(most, up)
    return most
