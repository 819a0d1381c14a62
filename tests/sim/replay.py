"""A recording's client side, replayed against the simulated switch in virtual time, with people who do what SIPp did.

The recording itself says what the far ends did: when they rang, answered, refused, hung up. Nothing here is written for one recording.
"""

from __future__ import annotations

import calendar
import functools
import random
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from fs_dialer.esl.wire import AUTH_REQUEST, CommandDecoder, Decoder, Event, Message, parse_event
from fs_dialer.sim.dialstring import read_originate
from fs_dialer.sim.headers import Headers
from fs_dialer.sim.listener import Listener, Renderer
from fs_dialer.sim.people import Behaviour, ScriptedPeople
from fs_dialer.sim.settings import SwitchSettings
from fs_dialer.sim.switch import SimSwitch
from tests.esl.recordings import Piece, pieces

FLUSH_S = 0.02
HELLO = "/srv/fswitch/sounds/hello.wav"
SETTINGS = SwitchSettings(
    switchname="realfs", gateways={}, profiles=frozenset({"internal"}), users=frozenset(),
    extensions={("default", "9000"): (("set", "seen_9000=yes"), ("playback", HELLO), ("hangup", "NORMAL_CLEARING"))})


@dataclass(frozen=True, slots=True)
class Said:
    """One frame that a switch sent. `event` None for replies."""

    who: str
    at_ms: float
    message: Message
    event: Event | None


@dataclass(slots=True)
class Call:
    """One originate of a recording, and what became of it."""

    endpoint: str
    uuid: str
    job: str
    at_ms: float
    events: list[tuple[float, Event]] = field(default_factory=list)
    result: str = ""
    result_ms: float = 0.0
    blocking: bool = False  # api originate: the result is the reply
    chosen: bool = False  # the client chose the uuid


@functools.cache
def said_in(name: str) -> list[Said]:
    """Every frame that the real switch sent in a recording."""
    return list(_frames(piece for piece in pieces(name) if piece.direction == "<<"))


def _frames(given: Iterator[Piece]) -> Iterator[Said]:
    decoders: dict[str, Decoder] = {}
    for piece in given:
        decoder = decoders.setdefault(piece.who, Decoder())
        decoder.feed(piece.data)
        for message in decoder:
            event = parse_event(message) if message.kind in ("text/event-plain", "text/event-json") else None
            yield Said(piece.who, piece.at_ms, message, event)


def started_at(name: str) -> float:
    """Epoch second of the recording's +0 ms, from the stamps of its events: whole-second timeouts depend on it."""
    offsets = [int(said.event.headers["Event-Date-Timestamp"]) / 1e6 - said.at_ms / 1000 for said in said_in(name) if said.event is not None]
    if offsets:
        return max(offsets)  # the event that waited least for its burst
    note = next(piece.data.decode() for piece in pieces(name))
    found = re.search(r"started (\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)", note)
    assert found is not None
    return float(calendar.timegm(tuple(int(part) for part in found.groups())))


def calls_in(name: str) -> list[Call]:
    """The originates of a recording with their leg's events and their results."""
    found: list[Call] = []
    for piece in pieces(name):
        if piece.direction != ">>":
            continue
        decoder = CommandDecoder()
        decoder.feed(piece.data)
        for command in decoder:
            if command.verb in ("api", "bgapi") and command.args.startswith("originate "):
                order = read_originate(command.args.removeprefix("originate "))
                if order is not None:
                    found.append(Call(order.endpoint, order.variables.get("origination_uuid", ""), command.headers.get("Job-UUID", ""), piece.at_ms))
                    found[-1].blocking = command.verb == "api"
                    inner = re.search(r"&bridge\((\{.*\}.*)\)", command.args)
                    if inner is not None:  # the bridge application originates by itself
                        order = read_originate(f"{inner[1]} &park()")
                        assert order is not None
                        found.append(Call(order.endpoint, order.variables.get("origination_uuid", ""), "", piece.at_ms))
    replies = said_in(name)
    for call in found:
        call.chosen = bool(call.uuid)
        for said in replies:
            event = said.event
            if event is None:
                text = said.message.body.decode("utf-8", "replace")
                if call.uuid and text == f"+OK {call.uuid}\n" and not call.result and call.blocking:
                    call.result, call.result_ms = text, said.at_ms
                continue
            if call.job and event.name == "BACKGROUND_JOB" and event.headers["Job-UUID"] == call.job:
                call.result = event.body or ""
                if not call.uuid and call.result.startswith("+OK"):
                    call.uuid = call.result[4:].strip()
    created = [said.event for said in replies if said.event is not None and said.event.name == "CHANNEL_CREATE"]
    for call in found:
        if not call.uuid:  # a failed leg under a uuid of the switch's: the first of that name that nobody has claimed
            claimed = {other.uuid for other in found}
            named = [event.headers["Unique-ID"] for event in created if event.headers["Channel-Name"] == call.endpoint]
            call.uuid = next((uuid for uuid in named if uuid not in claimed), "")
    for call in found:
        call.events = [(s.at_ms, s.event) for s in replies if s.event is not None and call.uuid and s.event.headers.get("Unique-ID") == call.uuid]
    return found


def behaviour_of(call: Call, again: bool = False) -> Behaviour:
    """What the far end of this call did, a little earlier than it was seen, so that what the client did upon it comes after it here too."""
    lead_s = 0.03
    first = {event.name: (at_ms - call.at_ms) / 1000 for at_ms, event in reversed(call.events)}
    end = next((event for _, event in reversed(call.events) if event.name in ("CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY")), None)
    if again:
        end = next((event for _, event in call.events if event.name == "CHANNEL_HANGUP_COMPLETE"), None)
    status = end.headers.get("variable_sip_term_status", "") if end is not None else ""
    ended_s = first.get("CHANNEL_HANGUP_COMPLETE", first.get("CHANNEL_DESTROY", 0.0))
    made = Behaviour("ring", first_response=180)
    if "CHANNEL_PROGRESS_MEDIA" in first:
        made = replace(made, first_response=183)
    elif "CHANNEL_PROGRESS" not in first and end is not None and "variable_progress_stamp" not in end.headers:
        made = replace(made, first_response=100)
    if "CHANNEL_ANSWER" in first or call.result.startswith("+OK"):
        after_s = first.get("CHANNEL_ANSWER", (call.result_ms - call.at_ms) / 1000 + lead_s - FLUSH_S if call.result_ms else 0.1)
        stay_s = ended_s - after_s if status == "200" else None
        return replace(made, final="answer", after_s=max(0.02, after_s - lead_s), stay_s=stay_s)
    if status == "408" and ended_s > 30:
        return replace(made, final="silent")
    if end is not None and end.headers.get("variable_sip_reply_port") == "0":
        return replace(made, final="unreachable")
    if status:
        return replace(made, final="refuse", status=int(status), after_s=max(0.01, ended_s - lead_s))
    return made


def people_of(name: str) -> ScriptedPeople:
    """Everybody in a recording, by endpoint and in the order in which they were called."""
    script: dict[str, list[Behaviour]] = {}
    for call in calls_in(name):
        if call.result.startswith("-ERR") and not call.events:  # refused before anybody was called
            continue
        turns = script.setdefault(call.endpoint, [])
        creates = sum(1 for _, event in call.events if event.name == "CHANNEL_CREATE")
        if creates > 1:  # retried under one uuid: the attempts before the last
            turns += [behaviour_of(call, again=True)] * (creates - 1)
        turns.append(behaviour_of(call))
    return ScriptedPeople(script)


def replay(name: str, seed: int = 1, settings: SwitchSettings = SETTINGS) -> list[Said]:
    """What the simulated switch says to the recording's clients."""
    base = started_at(name)
    rng = random.Random(seed)
    ids = random.Random(seed + 1)
    now = base

    def clock() -> float:
        return now

    switch = SimSwitch(
        people_of(name), rng=rng, new_uuid=lambda: str(uuid.UUID(int=ids.getrandbits(128), version=4)), settings=settings, started_at=base - 300)
    render = Renderer(Headers(settings))
    listeners: dict[str, Listener] = {}
    decoders: dict[str, CommandDecoder] = {}
    held: dict[str, list[bytes]] = {}
    out: list[Piece] = []

    def advance() -> None:
        for event in switch.advance(now):
            for listener in listeners.values():
                listener.offer(event, switch.full_headers)

    def flush() -> None:
        for who, listener in listeners.items():
            if listener.queue and not listener.waiting and not decoders[who].half_written and not listener.closed:
                out.append(Piece("<<", who, (now - base) * 1000, listener.flush(render)))

    def run_until(then: float) -> None:
        nonlocal now
        while (int(now / FLUSH_S) + 1) * FLUSH_S < then:
            now = (int(now / FLUSH_S) + 1) * FLUSH_S + 1e-6
            advance()
            for who in list(held):
                if not listeners[who].waiting:
                    for data in held.pop(who):
                        feed(who, data)
            flush()
        now = max(now, then)
        advance()

    def feed(who: str, data: bytes) -> None:
        if listeners[who].waiting:
            held.setdefault(who, []).append(data)
            return
        decoders[who].feed(data)
        for command in decoders[who]:
            listeners[who].take(command)
            if listeners[who].waiting:  # what follows an api originate waits with it
                rest = bytes(decoders[who]._buffer)
                decoders[who] = CommandDecoder()
                held.setdefault(who, []).append(rest)
                return

    for piece in pieces(name):
        run_until(base + piece.at_ms / 1000)
        if piece.direction == "##":
            note = piece.data.decode()
            if note.endswith(": TCP connected"):
                who = note.split(":")[0]

                def write(raw: bytes, who: str = who) -> None:
                    out.append(Piece("<<", who, (now - base) * 1000, raw))

                listeners[who], decoders[who] = Listener(switch, "ClueCon", clock, write), CommandDecoder()
                write(AUTH_REQUEST)
            elif note.endswith(": we close"):
                listeners.pop(note.split(":")[0], None)
        elif piece.direction == ">>" and piece.who in listeners:
            feed(piece.who, piece.data)
    run_until(now + 0.5)
    return list(_frames(iter(out)))
