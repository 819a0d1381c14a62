"""The event socket as one client sees it: commands in, bytes out. No sockets here.

Knows every verb and its answers (freeswitch.md 5-8, 13, 46-48; recordings s01*): authentication, subscriptions with CUSTOM last, filters, api and
bgapi, sendevent, sendmsg, myevents, log, exit. Events wait in `queue` until the server flushes it; half a written command holds them back (10).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from fs_dialer.esl.wire import (
    GOODBYE,
    Command,
    encode_api_response,
    encode_disconnect_notice,
    encode_event_json,
    encode_event_plain,
    encode_reply,
    quote_value,
)
from fs_dialer.sim import applications, causes, ending
from fs_dialer.sim.headers import Headers
from fs_dialer.sim.leg import LOG_LINE, SwitchEvent

if TYPE_CHECKING:
    from fs_dialer.sim.switch import SimSwitch

EVENTS: Final = frozenset((
    "CUSTOM CLONE CHANNEL_CREATE CHANNEL_DESTROY CHANNEL_STATE CHANNEL_CALLSTATE CHANNEL_ANSWER CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE "
    "CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_PROGRESS "
    "CHANNEL_PROGRESS_MEDIA CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_UNPARK CHANNEL_APPLICATION CHANNEL_ORIGINATE CHANNEL_UUID API LOG "
    "INBOUND_CHAN OUTBOUND_CHAN STARTUP SHUTDOWN PUBLISH UNPUBLISH TALK NOTALK SESSION_CRASH MODULE_LOAD MODULE_UNLOAD DTMF MESSAGE "
    "PRESENCE_IN NOTIFY_IN PRESENCE_OUT PRESENCE_PROBE MESSAGE_WAITING MESSAGE_QUERY ROSTER CODEC BACKGROUND_JOB DETECTED_SPEECH "
    "DETECTED_TONE PRIVATE_COMMAND HEARTBEAT TRAP ADD_SCHEDULE DEL_SCHEDULE EXE_SCHEDULE RE_SCHEDULE RELOADXML NOTIFY PHONE_FEATURE "
    "PHONE_FEATURE_SUBSCRIBE SEND_MESSAGE RECV_MESSAGE REQUEST_PARAMS CHANNEL_DATA GENERAL COMMAND SESSION_HEARTBEAT "
    "CLIENT_DISCONNECTED SERVER_DISCONNECTED SEND_INFO RECV_INFO RECV_RTCP_MESSAGE SEND_RTCP_MESSAGE CALL_SECURE NAT RECORD_START "
    "RECORD_STOP PLAYBACK_START PLAYBACK_STOP CALL_UPDATE FAILURE SOCKET_DATA MEDIA_BUG_START MEDIA_BUG_STOP CONFERENCE_DATA_QUERY "
    "CONFERENCE_DATA CALL_SETUP_REQ CALL_SETUP_RESULT CALL_DETAIL DEVICE_STATE TEXT SHUTDOWN_REQUESTED CERT_RELOAD ALL"
).split())
LEVELS: Final = {"console": 0, "alert": 1, "crit": 2, "err": 3, "error": 3, "warning": 4, "notice": 5, "info": 6, "debug": 7}
_NOT_IN_MYEVENTS: Final = frozenset({"CHANNEL_CALLSTATE", "CODEC", "API", "CHANNEL_DESTROY", "PRIVATE_COMMAND"})
HEAD: Final = 13  # headers in front of every event, before its own
_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
MAX_QUEUE: Final = 100_000
NOT_FOUND: Final = "-ERR command not found"


class Listener:
    """One connection. `write` takes bytes that go out at once; events are fetched with flush()."""

    def __init__(self, switch: SimSwitch, password: str, clock: Callable[[], float], write: Callable[[bytes], None]) -> None:
        self._switch, self._password, self._clock, self._write = switch, password, clock, write
        self.authed = False
        self.closed = False  # nothing more is read or written; the server closes the socket
        self.waiting = False  # an api originate holds this connection: no replies and no events until it ends (9)
        self.lost = 0
        self.queue: list[SwitchEvent] = []
        self.format = "plain"
        self._listening = False
        self._names: set[str] = set()
        self._nixed: set[str] = set()
        self._subclasses: set[str] = set()
        self._filters: list[tuple[str, str]] = []
        self._controlled = ""
        self._log_level = -1
        # The switch compares beginnings, in this order: `events plain ALL` is `event`; `api` needs the space (mod_event_socket.c, parse_command).
        self._verbs: tuple[tuple[str, Callable[[Command], None]], ...] = (
            ("filter ", self._filter), ("myevents ", self._myevents), ("divert_events", self._divert), ("sendmsg", self._sendmsg),
            ("sendevent", self._sendevent), ("api ", self._api), ("bgapi ", self._bgapi), ("log", self._log), ("linger", self._linger),
            ("nolinger", self._linger), ("nolog", self._nolog), ("event", self._event), ("nixevent", self._nixevent), ("noevents", self._noevents))

    def take(self, command: Command) -> None:
        """Carry out one command. Verbs know no case; `exit` works before the password too."""
        line = command.line.lower()
        if line.startswith(("exit", "...")):
            self._reply("+OK bye")
            self.say_goodbye()
        elif not self.authed:
            self._authenticate(command)
        else:
            for beginning, obey in self._verbs:
                if line.startswith(beginning):
                    obey(command)
                    return
            self._reply(NOT_FOUND)

    def is_over(self) -> bool:
        """Nothing more is to be read or written."""
        return self.closed

    def say_goodbye(self, body: str = GOODBYE) -> None:
        """The disconnect notice, then nothing."""
        extra = (("Controlled-Session-UUID", self._controlled), ("Content-Disposition", "disconnect")) if self._controlled else ()
        self._write(encode_disconnect_notice(body, extra))
        self.closed = True

    def offer(self, event: SwitchEvent, full: Callable[[SwitchEvent], list[tuple[str, str]]]) -> None:
        """Queue an event if this client wants it. A queue without bounds would be a leak of the switch's: past the limit events are lost (10)."""
        if event.name == LOG_LINE:  # filters do not touch it (13)
            if self._log_level >= LEVELS.get(event.headers["level"], 7):
                self.queue.append(event)
            return
        if not self._listening or not self._wants(event):
            return
        if self._filters and not self._passes(full(event)):
            return
        if len(self.queue) >= MAX_QUEUE:
            self.lost += 1
            return
        self.queue.append(event)

    def flush(self, render: Callable[[SwitchEvent, str], bytes]) -> bytes:
        """Everything queued, as bytes. The last event of a controlled leg says goodbye (47)."""
        events, self.queue = self.queue, []
        raw = b"".join(render(event, self.format) for event in events)
        if self._controlled and any(event.name == "CHANNEL_HANGUP_COMPLETE" for event in events):
            extra = (("Controlled-Session-UUID", self._controlled), ("Content-Disposition", "disconnect"))
            self.closed = True
            return raw + encode_disconnect_notice(GOODBYE, extra)
        return raw

    def _wants(self, event: SwitchEvent) -> bool:
        if self._controlled:
            return event.uuid == self._controlled and event.name not in _NOT_IN_MYEVENTS
        if event.name == "CUSTOM":
            return event.headers.get("Event-Subclass", "") in self._subclasses or ("ALL" in self._names and "CUSTOM" not in self._nixed)
        return event.name in self._names or ("ALL" in self._names and event.name not in self._nixed)

    def _passes(self, headers: list[tuple[str, str]]) -> bool:
        """Filters are OR between headers; /regex/ works (13)."""
        for name, wanted in self._filters:
            for header, value in headers:
                if header.lower() == name.lower():
                    if len(wanted) > 1 and wanted[0] == wanted[-1] == "/":
                        if re.search(wanted[1:-1], value):
                            return True
                    elif wanted.lower() == value.lower():
                        return True
        return False

    def _reply(self, text: str, *extra: tuple[str, str]) -> None:
        self._write(encode_reply(text, extra))

    def _authenticate(self, command: Command) -> None:
        if command.verb == "auth" and command.args == self._password:
            self.authed = True
            self._reply("+OK accepted")
        elif command.verb in ("auth", "userauth"):
            self._reply("-ERR invalid")
            self.say_goodbye()
        else:
            self._reply(NOT_FOUND)

    # ---- api

    def _api(self, command: Command) -> None:
        if command.args.startswith("originate"):
            self.waiting = True

        def done(text: str, now: float) -> None:
            self.waiting = False
            if not self.closed:
                self._write(encode_api_response(text))

        self._switch.call(command.args, self._clock(), done)

    def _bgapi(self, command: Command) -> None:
        given = next((value for name, value in command.headers.items() if name.lower() == "job-uuid"), "")
        job = given or self._switch.new_uuid()
        self._switch.bgapi(command.args, job, self._clock())
        self._reply(f"+OK Job-UUID: {job}", ("Job-UUID", job))

    # ---- events

    def _read_names(self, words: list[str]) -> tuple[set[str], set[str]]:
        """Event names, and after CUSTOM the subclasses: every word there is one (5)."""
        names: set[str] = set()
        for place, word in enumerate(words):
            name = word.upper()
            if name in EVENTS:
                names.add(name)
            if name == "CUSTOM":
                return names, set(words[place + 1 :])
        return names, set()

    def _event(self, command: Command) -> None:
        words = command.args.split()
        if words and words[0].lower() in ("plain", "json", "xml"):
            self.format = words.pop(0).lower()  # even when what follows is refused
        names, subclasses = self._read_names(words)
        if not names:
            self._reply("-ERR no keywords supplied")
            return
        self._listening = True
        self._names |= names - {"CUSTOM"}
        self._subclasses |= subclasses
        self._nixed = set() if "ALL" in names else self._nixed - names
        self._reply(f"+OK event listener enabled {self.format}")

    def _nixevent(self, command: Command) -> None:
        names, subclasses = self._read_names(command.args.split())
        if not names:
            self._reply("-ERR no keywords supplied")
            return
        if "ALL" in names:
            self._names, self._subclasses, self._nixed = set(), set(), set()
        else:
            self._names -= names
            self._nixed |= names
            self._subclasses = self._subclasses - subclasses if subclasses or "CUSTOM" not in names else set()
        self._reply("+OK events nixed")

    def _noevents(self, command: Command) -> None:
        if not self._listening:
            self._reply("-ERR not listening for events")
            return
        self._listening = False
        self._names, self._subclasses, self._nixed = set(), set(), set()
        self.queue = []
        self._reply("+OK no longer listening for events")

    def _filter(self, command: Command) -> None:
        verb, _, rest = command.args.partition(" ")
        if verb == "delete":
            name, _, value = rest.partition(" ")
            if name == "all":
                self._filters = []
            else:
                self._filters = [kept for kept in self._filters if kept[0].lower() != name.lower() or (value and kept[1] != value)]
            self._reply(f"+OK filter deleted. [{name}][{value}]")
        else:
            name, _, value = (rest if verb == "add" else command.args).partition(" ")
            if not value:
                self._reply("-ERR invalid syntax")
                return
            self._filters.append((name, value))
            self._reply(f"+OK filter added. [{name}]=[{value}]")

    def _sendevent(self, command: Command) -> None:
        name = command.args.strip().upper()
        if name not in EVENTS or name == "ALL":
            self._reply(NOT_FOUND)
            return
        uuid = self._switch.new_uuid()
        pairs = [("Command", command.line), *((key, value) for key, value in command.headers.items() if key != "Event-Subclass")]
        if "Event-Subclass" in command.headers:
            pairs.insert(0, ("Event-Subclass", command.headers["Event-Subclass"]))
        pairs.append(("Event-UUID", uuid))
        body = command.body.decode("utf-8", "replace") if command.body else None
        self._switch.send_event(SwitchEvent(
            name, "", {"Event-Name": name, **dict(pairs)}, body, self._switch.next_sequence(), self._clock(), front=tuple(pairs)))
        self._reply(f"+OK {uuid}")

    def _myevents(self, command: Command) -> None:
        words = [word for word in command.args.split() if word not in ("plain", "json", "xml")]
        if not words or words[0] not in self._switch.legs:
            self._reply("-ERR invalid uuid")
        else:
            self._controlled, self._listening = words[0], True
            self.format = next((word for word in command.args.split() if word in ("plain", "json", "xml")), self.format)
            self._reply("+OK Events Enabled")

    # ---- the rest

    def _sendmsg(self, command: Command) -> None:
        """execute and hangup on a leg. The reply says only that it is queued (48)."""
        headers = {name.lower(): value for name, value in command.headers.items()}
        leg = self._switch.legs.get(command.args or self._controlled)
        if leg is None:
            self._reply(f"-ERR invalid session id [{command.args}]")
            return
        verb = headers.get("call-command", "")
        if verb == "execute":
            data = headers.get("execute-app-arg", "") or command.body.decode("utf-8", "replace")
            self._switch.at(self._clock(), applications.queued, leg, headers.get("execute-app-name", ""), data)
        elif verb == "hangup":
            self._switch.at(self._clock(), ending.on_demand, leg, causes.read_cause(headers.get("hangup-cause", "NORMAL_CLEARING")))
        self._reply("+OK")

    def _log(self, command: Command) -> None:
        level = command.args.strip()
        number = int(level) if level.isdecimal() and int(level) <= 10 else LEVELS.get(level.lower(), 7 if not level else None)
        if number is None:
            self._reply("-ERR invalid log level")
            return
        self._log_level = number
        self._reply(f"+OK log level {level} [{number}]")

    def _nolog(self, command: Command) -> None:
        self._reply("+OK no longer logging" if self._log_level >= 0 else "-ERR not loging")
        self._log_level = -1

    def _linger(self, command: Command) -> None:
        self._reply("+OK will linger" if self._controlled and command.verb == "linger" else "-ERR not controlling a session")

    def _divert(self, command: Command) -> None:
        self._reply("-ERR not controlling a session.")


class Renderer:
    """Events as bytes, made once however many clients want them."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def __call__(self, event: SwitchEvent, form: str) -> bytes:
        """`form`: plain, json or xml."""
        rendered = event.rendered
        if rendered is None:
            rendered = event.rendered = {}
        raw = rendered.get(form)
        if raw is None:
            if event.name == LOG_LINE:
                return encode_log(event)
            pairs = self._headers.full(event)
            if form == "json":
                raw = encode_json(pairs, event.body, len(event.front))
            elif form == "xml":
                raw = encode_xml(pairs, event.body)
            else:
                raw = encode_event_plain(pairs, event.body)
            rendered[form] = raw
        return raw


def encode_json(pairs: list[tuple[str, str]], body: str | None, front: int) -> bytes:
    """encode_event_json() for the many events with a hundred headers: the same bytes in half the time.

    A name may come twice, once among the event's own headers in front and once in the leg's (Hangup-Cause): two objects, joined.
    """
    cut = HEAD + front
    first, rest = dict(pairs[:cut]), dict(pairs[cut:])
    if body or not rest or len(first) + len(rest) != len(pairs):
        return encode_event_json(pairs, body)
    text = f"{_JSON(first)[:-1]},{_JSON(rest)[1:]}".encode("utf-8", "replace")
    return b"Content-Length: %d\nContent-Type: text/event-json\n\n%s" % (len(text), text)


def encode_log(event: SwitchEvent) -> bytes:
    """A log/data frame."""
    level = event.headers["level"]
    clock = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(event.at))
    line = f"{clock}.{int(event.at % 1 * 1e6):06d} 95.00% [{level.upper()}] mod_commands.c:7247 {event.headers['text']}\n".encode("utf-8", "replace")
    return (f"Content-Type: log/data\nContent-Length: {len(line)}\nLog-Level: {LEVELS.get(level, 7)}\nText-Channel: 3\nLog-File: mod_commands.c\n"
            "Log-Func: log_function\nLog-Line: 7247\nUser-Data: \n\n").encode() + line


def encode_xml(pairs: list[tuple[str, str]], body: str | None) -> bytes:
    """A whole text/event-xml frame; values percent-encoded like plain ones (freeswitch.md 4)."""
    lines = ["<event>", "  <headers>", *(f"    <{name}>{quote_value(value)}</{name}>" for name, value in pairs), "  </headers>"]
    if body:
        lines += [f"  <Content-Length>{len(body.encode())}</Content-Length>", f"  <body>{body}{'  ' if body.endswith(chr(10)) else ''}</body>"]
    raw = "\n".join([*lines, "</event>"]).encode("utf-8", "replace")
    return b"Content-Length: %d\nContent-Type: text/event-xml\n\n%s" % (len(raw), raw)
