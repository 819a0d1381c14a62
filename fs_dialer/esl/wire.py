"""The event socket's bytes: frames, events and commands, both ways and without I/O.

Knows framing, FreeSWITCH's percent-encoding and its two event formats, as a client reads and a switch writes them. Knows nothing of sockets, of
time, or of what an event means. Facts: recordings of FreeSWITCH 1.11.2 in tests/captures, and switch_url_encode() in switch_utils.c.

Three decisions:

* A block of headers is split into lines and the lines into name and value *before* a value is decoded. `%0A` inside a value is text; it can not
  begin a header of its own. Lines end at LF only: str.splitlines() would also break at U+2028, which a caller's name may contain.
* Bytes that are not UTF-8 become U+FFFD (errors="replace"), not surrogates: the text goes on to PostgreSQL, JSON and web pages, all of which
  refuse lone surrogates, and nothing that foreign text says is ever sent back to the switch. What we key on (uuids, our own variables) is ASCII.
* The percent-encoding is undone exactly. FreeSWITCH never encodes a letter or a digit, writes upper-case hex only, and its C strings hold no NUL:
  `%41`, `%3a` and `%00` inside a value were literal text and stay so, as the JSON of the same event shows (s01b: "Foo":"bar baz %41").
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import orjson

from fs_dialer.errors import EslProtocolError

MAX_HEAD_BYTES = 1 << 20  # the largest seen is the reply to `connect`: a whole channel, 8 kB
MAX_BODY_BYTES = 64 << 20  # `show channels as json` takes about 1.5 kB a channel

AUTH_REQUEST = b"Content-Type: auth/request\n\n"
GOODBYE = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"


@dataclass(frozen=True, slots=True)
class Message:
    """One frame. `kind` is its Content-Type; `headers` are the frame's own, as sent (only `connect` has encoded ones: parse_connect_reply)."""

    kind: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """One event. Values are decoded; the Content-Length that frames the body is not among the headers."""

    name: str
    headers: dict[str, str]
    body: str | None


@dataclass(frozen=True, slots=True)
class Command:
    """What a client sent. `verb` in lower case, `args` after one space, `line` as written ("api" and "api " are answered differently: s01)."""

    verb: str
    args: str
    headers: dict[str, str]
    body: bytes
    line: str = field(default="")


# ---- percent-encoding

_LITERAL = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789,/'()*!$~-_.")
_ENCODED = tuple(chr(byte) if byte in _LITERAL else f"%{byte:02X}" for byte in range(256))
_TO_ENCODE = re.compile(rb"%(?![0-9A-F]{2})|[^%A-Za-z0-9,/'()*!$~\-_.]")
_ESCAPES = re.compile(r"(?:%(?!00|3[0-9]|[46][1-9A-F]|[57][0-9A])[0-9A-F]{2})+")


def quote_value(text: str) -> str:
    """As switch_url_encode() writes it: bytewise UTF-8, upper-case hex, and a `%XX` that is already there is left as it is."""
    return _TO_ENCODE.sub(lambda found: b"%%%02X" % found[0][0], text.encode("utf-8", "replace")).decode("ascii")


def unquote_value(text: str) -> str:
    """The value quote_value() was given, but for a literal `%XX` that reads like an escape of its own: the switch does not tell them apart."""
    if "%" not in text:
        return text
    return _ESCAPES.sub(lambda found: bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "replace"), text)


# ---- frames, as the client reads them

_EVENT_HEAD = re.compile(rb"Content-Length: ([0-9]{1,9})\nContent-Type: text/event-(json|plain)\n\n")
_EVENT_KIND = {b"json": "text/event-json", b"plain": "text/event-plain"}


class Decoder:
    """Frames out of a stream cut anywhere. After an EslProtocolError the stream is lost: every further call raises it again."""

    def __init__(self, max_head_bytes: int = MAX_HEAD_BYTES, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._max_head, self._max_body = max_head_bytes, max_body_bytes
        self._buffer = b""
        self._start = 0  # what is before was given out
        self._later: list[bytes] = []  # fed since; joined to the buffer when there may be a frame in it
        self._later_bytes = 0
        self._needed = 1  # nothing is looked at again before so many bytes are here: a long body is joined once
        self._searched = 0  # no blank line before this offset from the start
        self._broken: EslProtocolError | None = None

    def feed(self, data: bytes) -> None:
        """Take bytes of any number; frames come out of iteration."""
        if self._start == len(self._buffer) and not self._later:
            self._buffer, self._start = data, 0
        else:
            self._later.append(data)
            self._later_bytes += len(data)

    def __iter__(self) -> Iterator[Message]:
        """Every complete frame, once."""
        while (message := self.take()) is not None:
            yield message

    def take(self) -> Message | None:
        """The next frame, None while it is incomplete. EslProtocolError where no frame can be."""
        frame = self._frame()
        if frame is None:
            return None
        kind, headers, body = frame
        if headers is None:
            headers = {"Content-Length": str(len(body)), "Content-Type": kind}
        return Message(kind, headers, body)

    def parsed(self) -> Iterator[Message | Event]:
        """As iteration, but event frames come as their events, which costs a busy reader less than parse_event() on each message."""
        while (frame := self._frame()) is not None:
            kind, headers, body = frame
            if kind == "text/event-json":
                yield _parse_json(body)
            elif kind == "text/event-plain":
                yield _parse_plain(body)
            else:
                yield Message(kind, headers or {}, body)

    def eof(self) -> None:
        """The peer has closed. EslProtocolError when it did so inside a frame."""
        left = self._left()
        if left:
            raise EslProtocolError(f"the connection ended inside a frame, after {left} bytes of it")

    def _left(self) -> int:
        return len(self._buffer) - self._start + self._later_bytes

    def _frame(self) -> tuple[str, dict[str, str] | None, bytes] | None:
        """Kind, headers and body of the next frame; headers are None where they are only length and kind, as for nearly every frame there is."""
        if self._later:
            if self._left() < self._needed:
                return None
            self._buffer = b"".join((self._buffer[self._start :], *self._later))
            self._start = self._later_bytes = 0
            self._later.clear()
        buffer, start = self._buffer, self._start
        event = _EVENT_HEAD.match(buffer, start)
        if event is None:
            return self._other_frame()
        length, which = event.groups()
        body_at = event.end()
        end = body_at + int(length)
        if end > len(buffer):
            self._needed = self._within_bounds(end - body_at) + body_at - start
            return None
        self._start = end
        self._needed, self._searched = 1, 0
        return _EVENT_KIND[which], None, buffer[body_at:end]

    def _other_frame(self) -> tuple[str, dict[str, str], bytes] | None:
        if self._broken is not None:
            raise self._broken
        buffer, start = self._buffer, self._start
        head_end = buffer.find(b"\n\n", start + self._searched)
        try:
            if (head_end if head_end >= 0 else len(buffer)) - start > self._max_head:
                raise EslProtocolError(f"a frame's headers are longer than {self._max_head} bytes")
            if head_end < 0:
                self._searched = max(0, len(buffer) - start - 1)
                return None
            headers, length = _frame_head(buffer[start:head_end])
            body_at = head_end + 2
            end = body_at + self._within_bounds(length)
        except EslProtocolError as error:
            self._broken = error
            raise
        if end > len(buffer):
            self._searched, self._needed = head_end - start, end - start
            return None
        self._start = end
        self._searched, self._needed = 0, 1
        return headers["Content-Type"], headers, buffer[body_at:end]

    def _within_bounds(self, length: int) -> int:
        if length > self._max_body:
            raise EslProtocolError(f"a frame's body is {length} bytes long, the most we take is {self._max_body}")
        return length


def _frame_head(head: bytes) -> tuple[dict[str, str], int]:
    """Headers of a frame and the length of its body (0 when it has none)."""
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\n"):
        name, colon, value = line.partition(":")
        if not colon or not name:
            raise EslProtocolError(f"not a header of the event socket: {_shown(line)}")
        value = value[1:] if value.startswith(" ") else value
        if name == "Content-Length" and headers.get(name, value) != value:
            raise EslProtocolError("a frame gives two lengths for its body")
        headers[name] = value
    if "Content-Type" not in headers:
        raise EslProtocolError(f"a frame without a Content-Type: {_shown(head.decode('utf-8', 'replace'))}")
    return headers, _length(headers.get("Content-Length", "0"))


def _length(text: str) -> int:
    """EslProtocolError for anything but a plain decimal number: int() would take "+1", "1_0" and other alphabets' digits."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise EslProtocolError(f"not a Content-Length: {_shown(text)}")
    return int(text)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")


# ---- events


def parse_event(message: Message) -> Event:
    """The event in a text/event-plain or text/event-json frame. EslProtocolError when there is none in it."""
    if message.kind == "text/event-json":
        return _parse_json(message.body)
    if message.kind == "text/event-plain":
        return _parse_plain(message.body)
    raise EslProtocolError(f"a {message.kind} frame holds no event that we can read")


def parse_connect_reply(message: Message) -> Event:
    """The channel data in the reply to an outbound socket's `connect`: a command/reply whose headers are encoded like an event's."""
    headers = {name: unquote_value(value) for name, value in message.headers.items()}
    if message.kind != "command/reply" or "Event-Name" not in headers:
        raise EslProtocolError("not a reply to connect: " + _shown(headers.get("Reply-Text", message.kind)))
    return Event(headers["Event-Name"], headers, None)


def _parse_json(raw: bytes) -> Event:
    headers: dict[str, str]
    try:
        headers = orjson.loads(raw)
    except ValueError:
        # FreeSWITCH copies bytes that are not UTF-8 into its JSON as they are, and may leave control characters bare.
        try:
            headers = json.loads(raw.decode("utf-8", "replace"), strict=False)
        except ValueError as error:
            raise EslProtocolError(f"an event that is not JSON: {error}") from None
    if b"[" in raw or not isinstance(headers, dict):  # values are text (s01b), but for the lists of array variables
        headers = _only_text(headers)
    body = headers.pop("_body", None)
    if body is not None:
        headers.pop("Content-Length", None)
    try:
        return Event(headers["Event-Name"], headers, body)
    except KeyError:
        raise EslProtocolError("an event without an Event-Name") from None


def _only_text(parsed: object) -> dict[str, str]:
    """An array variable becomes `ARRAY::a|:b`, as text/event-plain has it; anything else that is not text is no event."""
    if not isinstance(parsed, dict):
        raise EslProtocolError("an event that is not a JSON object")
    headers: dict[str, str] = {}
    for name, value in parsed.items():
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            value = "ARRAY::" + "|:".join(value)
        if not isinstance(value, str):
            raise EslProtocolError(f"an event's {_shown(name)} is neither text nor a list of texts")
        headers[name] = value
    return headers


def _parse_plain(raw: bytes) -> Event:
    """Headers, blank line, then what is left is the body: values never hold a bare newline, so the first blank line ends them."""
    head, blank, rest = raw.partition(b"\n\n")
    if not blank:
        raise EslProtocolError("an event whose headers do not end")
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\n"):
        # Names are not encoded and values hold neither space nor colon: the last ": " is the border.
        name, colon, value = line.rpartition(": ")
        if not colon:
            raise EslProtocolError(f"not a header of an event: {_shown(line)}")
        headers[name] = unquote_value(value) if "%" in value else value
    body = None
    if rest:
        if _length(headers.pop("Content-Length", "")) != len(rest):
            raise EslProtocolError("an event's body is not as long as it says")
        body = rest.decode("utf-8", "replace")
    try:
        return Event(headers["Event-Name"], headers, body)
    except KeyError:
        raise EslProtocolError("an event without an Event-Name") from None


# ---- frames, as the switch writes them


def encode_event_plain(headers: Iterable[tuple[str, str]], body: str | None = None) -> bytes:
    """A whole text/event-plain frame. `headers` in order, without the body's Content-Length; an empty body is no body, as in the switch."""
    lines = [f"{_checked_name(name)}: {quote_value(value)}\n" for name, value in headers]
    return _event_frame(b"text/event-plain", "".join(lines).encode("utf-8", "replace") + _inner_body(body))


def encode_event_json(headers: Iterable[tuple[str, str]], body: str | None = None) -> bytes:
    """A whole text/event-json frame. A name given twice is written twice, as the switch does (s01b)."""
    pairs = [*headers]
    if body:
        pairs += [("Content-Length", str(len(body.encode("utf-8", "replace")))), ("_body", body)]
    return _event_frame(b"text/event-json", b"{" + b",".join(_json_text(name) + b":" + _json_text(value) for name, value in pairs) + b"}")


def encode_reply(reply_text: str, extra: Iterable[tuple[str, str]] = ()) -> bytes:
    """A command/reply frame. ValueError for a newline in any of it: it would end the header."""
    return _head([("Content-Type", "command/reply"), ("Reply-Text", reply_text), *extra])


def encode_connect_reply(headers: Iterable[tuple[str, str]], mode: str = "async", control: str = "full") -> bytes:
    """The reply to an outbound socket's `connect`: the channel's headers, encoded, and the reply's own after them."""
    own = [("Content-Type", "command/reply"), ("Reply-Text", "%2BOK%0A"), ("Socket-Mode", mode), ("Control", control)]
    return _head([(name, quote_value(value)) for name, value in headers] + own)


def encode_api_response(body: str) -> bytes:
    """An api/response frame. The switch has no empty one: it says `-ERR no reply` itself, which is the caller's to pass."""
    raw = body.encode("utf-8", "replace")
    return _head([("Content-Type", "api/response"), ("Content-Length", str(len(raw)))]) + raw


def encode_disconnect_notice(body: str = GOODBYE, extra: Iterable[tuple[str, str]] = ()) -> bytes:
    """A text/disconnect-notice frame; `extra` headers come before the length, as on an outbound socket (s05j)."""
    raw = body.encode("utf-8", "replace")
    return _head([("Content-Type", "text/disconnect-notice"), *extra, ("Content-Length", str(len(raw)))]) + raw


def _head(headers: Iterable[tuple[str, str]]) -> bytes:
    lines = []
    for name, value in headers:
        if "\n" in value:
            raise ValueError(f"a newline in the value of {name}")
        lines.append(f"{_checked_name(name)}: {value}\n")
    return "".join(lines).encode("utf-8", "replace") + b"\n"


def _event_frame(kind: bytes, inner: bytes) -> bytes:
    return b"Content-Length: %d\nContent-Type: %s\n\n%s" % (len(inner), kind, inner)


def _inner_body(body: str | None) -> bytes:
    if not body:
        return b"\n"
    raw = body.encode("utf-8", "replace")
    return b"Content-Length: %d\n\n%s" % (len(raw), raw)


def _json_text(text: str) -> bytes:
    return orjson.dumps(text.encode("utf-8", "replace").decode("utf-8"))


def _checked_name(name: str) -> str:
    """Header names are sent as they are; one with a line end or a border in it would be another header."""
    if not name or "\n" in name or ": " in name:
        raise ValueError(f"not a header name: {name!r}")
    return name


# ---- commands, as the switch reads them

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_STRAY_LINES = re.compile(rb"[\r\n]*")


class CommandDecoder:
    """Commands out of a stream cut anywhere: a line, optional header lines, a blank line, and a body if Content-Length announces one.

    As tolerant as FreeSWITCH (s01): CR LF is taken for LF, stray blank lines are skipped, a length that is no number counts as none.
    """

    def __init__(self, max_head_bytes: int = MAX_HEAD_BYTES, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._max_head, self._max_body = max_head_bytes, max_body_bytes
        self._buffer = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> None:
        """Take bytes of any number; commands come out of iteration."""
        self._buffer += data

    @property
    def half_written(self) -> bool:
        """A command has begun and not ended: until it does, a real switch keeps its events back on this connection (s05q)."""
        return bool(bytes(self._buffer).strip(b"\r\n"))

    def __iter__(self) -> Iterator[Command]:
        """Every complete command, once. EslProtocolError for one past the bounds."""
        buffer = self._buffer
        while buffer:
            stray = _STRAY_LINES.match(buffer)
            if stray is not None and stray.end():
                del buffer[: stray.end()]
                self._searched = 0
            blank = _BLANK_LINE.search(buffer, self._searched)
            if len(buffer) > self._max_head and (blank is None or blank.start() > self._max_head):
                raise EslProtocolError(f"a command's headers are longer than {self._max_head} bytes")
            if blank is None:
                self._searched = max(0, len(buffer) - 3)
                return
            line, *rest = buffer[: blank.start()].decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
            headers = {name: value.lstrip(" ") for name, _, value in (text.partition(":") for text in rest)}
            length = self._body_length(headers)
            if len(buffer) < blank.end() + length:
                self._searched = blank.start()
                return
            body = bytes(buffer[blank.end() : blank.end() + length])
            del buffer[: blank.end() + length]
            self._searched = 0
            verb, _, args = line.partition(" ")
            yield Command(verb.lower(), args, headers, body, line)

    def _body_length(self, headers: dict[str, str]) -> int:
        for name, value in headers.items():
            if name.lower() == "content-length" and value.isascii() and value.isdigit():
                if len(value) > 9 or int(value) > self._max_body:
                    raise EslProtocolError(f"a command's body is longer than {self._max_body} bytes")
                return int(value)
        return 0
