"""One channel of the simulated switch, and the event it reports.

Knows what a leg is at this moment and keeps a journal of what happened to it. The few headers that a translator reads are kept ready in two small
dictionaries; the hundred others are painted from the journal only when somebody asks (picture.py). Decides nothing: dialling.py, bridging.py,
applications.py and ending.py do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fs_dialer.sim.people import Behaviour

Pairs = tuple[tuple[str, str], ...]
Originator = Callable[[str, float], None]
"""Told once how a leg's originate ended: the cause, or "" when the leg is up."""
Entry = tuple[Callable[..., None], tuple[Any, ...]]
"""A painter of picture.py and what it needs: one thing that happened."""

STATE_NUMBERS: Final = {
    "CS_NEW": 0, "CS_INIT": 1, "CS_ROUTING": 2, "CS_SOFT_EXECUTE": 3, "CS_EXECUTE": 4, "CS_EXCHANGE_MEDIA": 5, "CS_PARK": 6,
    "CS_CONSUME_MEDIA": 7, "CS_HIBERNATE": 8, "CS_RESET": 9, "CS_HANGUP": 10, "CS_REPORTING": 11, "CS_DESTROY": 12,
}

WITH_VARIABLES: Final = frozenset({
    "CHANNEL_CREATE", "CHANNEL_ORIGINATE", "CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA", "CHANNEL_ANSWER", "CALL_UPDATE", "CHANNEL_EXECUTE",
    "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_PARK", "CHANNEL_UNPARK", "CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE", "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE",
    "CHANNEL_DESTROY", "PLAYBACK_START", "PLAYBACK_STOP", "RECORD_START", "RECORD_STOP", "CHANNEL_DATA", "CHANNEL_UUID", "SESSION_HEARTBEAT", "CUSTOM"})
"""Events that carry variable_* headers (freeswitch.md 25)."""

LOG_LINE: Final = "log/data"
"""The name of what is no event: a line for clients that asked for the log."""

DIALLING, RINGING, EARLY, ANSWERED, HUNG_UP = range(5)
"""How far a leg has come; each is reached once, in this order, and some are skipped."""


class SwitchEvent:
    """What the switch reports. `headers` are the lean ones; SimSwitch.full_headers() gives all. `at` in epoch seconds."""

    __slots__ = ("at", "body", "front", "headers", "leg", "mark", "name", "rendered", "sequence", "state", "state_number", "tail", "uuid")

    def __init__(
        self, name: str, uuid: str, headers: dict[str, str], body: str | None, sequence: int, at: float, leg: Leg | None = None, mark: int = 0,
        state: str = "", state_number: int = 0, front: Pairs = (), tail: Pairs = (),
    ) -> None:
        self.name, self.uuid, self.headers, self.body = name, uuid, headers, body
        self.sequence, self.at, self.leg, self.mark = sequence, at, leg, mark
        self.state, self.state_number, self.front, self.tail = state, state_number, front, tail
        self.rendered: dict[str, bytes] | None = None  # by format, for servers that send it to several clients

    def __repr__(self) -> str:
        return f"SwitchEvent({self.name} {self.uuid} {self.headers}{'' if self.body is None else f' body={self.body!r}'})"


@dataclass(slots=True)
class Playback:
    """A sound on a leg."""

    path: str
    started_at: float
    broadcast: bool  # by uuid_broadcast, on top of what the leg does, not by the leg's own application
    then: Callable[..., None] | None = None  # who is told of its end, in place of the next application
    ends_by_key: bool = True


class Leg:
    """One channel. Times in epoch seconds, 0.0 = not yet."""

    __slots__ = (
        "answer_state", "answered_at", "app", "app_data", "app_response", "app_uuid", "applications", "behaviour", "bond", "bridge_asked", "bridged_at",
        "bridging", "by_them", "call_state", "callee_direction", "callee_name", "callee_number", "cause", "channel_name", "cid_name",
        "cid_number", "command", "context", "created_at", "destination", "destination_now", "dialplan", "digits", "direction", "ears", "endpoint",
        "given", "host", "hungup_at", "is_a", "journal", "kind", "listeners", "last_app", "last_data", "lean", "lean_variables", "number", "orig_name",
        "orig_number", "originator", "painted", "parked", "partner", "phase", "playback", "port", "profile", "progress_at",
        "progress_media_at", "recording_app", "recordings", "released", "role", "row", "row_until", "session_id", "sip_status", "state", "state_number",
        "stuck", "told", "turn", "uuid", "variables", "wait_turn",
    )

    def __init__(
        self, uuid: str, session_id: int, kind: str, channel_name: str, number: str, variables: Mapping[str, str], behaviour: Behaviour, now: float,
        detailed: bool = True,
    ) -> None:
        self.uuid, self.session_id, self.kind, self.channel_name, self.number = uuid, session_id, kind, channel_name, number
        self.behaviour, self.created_at = behaviour, now
        self.given, self.variables = dict(variables), dict(variables)
        self.role = variables.get("fsd_role", "")
        self.direction = "outbound"
        self.endpoint = self.profile = self.host = self.port = self.destination = ""
        self.originator: Originator | None = None  # None = nobody waits any more

        self.phase, self.state, self.state_number = DIALLING, "CS_NONE", 1
        self.call_state, self.answer_state = "DOWN", "ringing"
        self.progress_at = self.progress_media_at = self.answered_at = self.bridged_at = self.hungup_at = 0.0
        self.cause = ""
        self.sip_status = 0
        self.by_them = False  # the far end ended it
        self.released = False  # HANGUP_COMPLETE has been reported
        self.stuck = False  # bridged to itself: sleeps until killed

        self.app = self.app_data = self.app_uuid = ""
        self.app_response = "_none_"
        self.last_app = self.last_data = self.digits = ""
        self.applications: list[tuple[str, str]] = []  # what comes after the present one
        self.turn = 0  # changes with every application: a timer of an earlier one finds another number and does nothing
        self.parked = False
        self.ears: Any = None  # digits.Ears, once it hears or is asked for keys
        self.command: Pairs = ()  # a queued command that ended the leg, still to be shown
        self.playback: Playback | None = None
        self.dialplan, self.context, self.destination_now = "", "default", number

        self.partner: Leg | None = None  # media flows between the two
        self.bridging: Leg | None = None  # on the way there
        self.bridge_asked = 0  # by which command, counted by the switch
        self.bond: Leg | None = None  # the last one, even when it is gone (freeswitch.md 30)
        self.is_a = False  # first argument of uuid_bridge: BRIDGE and UNBRIDGE are reported on this leg
        self.wait_turn = 0  # as `turn`, for the patience and the talk of the far end

        self.cid_name, self.cid_number = variables.get("origination_caller_id_name", ""), variables.get("origination_caller_id_number", "0000000000")
        self.orig_name, self.orig_number = self.cid_name, self.cid_number
        self.callee_name, self.callee_number = "Outbound Call", number
        self.callee_direction = ""  # how its phone last learnt the other party: RECV, SEND
        self.row: dict[str, str] | None = None  # what `show channels` still says of it, until row_until
        self.row_until = 0.0
        self.recordings: dict[str, float] = {}  # path -> since when
        self.recording_app: tuple[str, float] | None = None  # what the record application writes, and since when
        self.listeners: list[Leg] = []  # whose eavesdrop or three_way hears this leg
        self.told: tuple[str, str] | None = None  # whom the phone was last told it talks to

        self.journal: list[Entry] | None = [] if detailed else None
        self.painted: Any = None  # picture.Picture of the journal so far
        self.lean: dict[str, str] = {"Unique-ID": uuid, "Call-Direction": "outbound", "Channel-Name": channel_name}
        self.lean_variables = {**self.lean, **{f"variable_{name}": value for name, value in variables.items() if name.startswith("fsd_")}}

    def put(self, name: str, value: str) -> None:
        """A lean header that every event of this leg carries from now on."""
        self.lean[name] = value
        self.lean_variables[name] = value

    def put_variable(self, name: str, value: str) -> None:
        """A lean variable_* header: it shows only in the events that carry variables."""
        self.lean_variables[f"variable_{name}"] = value

    def note(self, painter: Callable[..., None], *details: Any) -> None:
        """One more line of the journal."""
        if self.journal is not None:
            self.journal.append((painter, details))

    @property
    def is_up(self) -> bool:
        """Answered and not hung up."""
        return self.phase == ANSWERED

    @property
    def is_idle(self) -> bool:
        """Answered and with nobody: the state in which a person runs out of patience."""
        return self.phase == ANSWERED and self.partner is None

    def __repr__(self) -> str:
        return f"Leg({self.uuid} {self.channel_name} {self.state} {self.call_state} {self.app or '-'} {self.cause})"
