"""Wire: what FreeSWITCH wrote is what we read, byte for byte, and nothing that a value says is taken for more than a value."""

from __future__ import annotations

import contextlib
import random
import re
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.errors import EslProtocolError
from fs_dialer.esl import wire
from tests.esl.recordings import NAMES, events_in, pieces, streams

LEG = "971595ae-c926-4462-8978-bd6447c0d9ce"


def frame(message: wire.Message) -> bytes:
    """A frame's bytes from what was read of it."""
    return "".join(f"{name}: {value}\n" for name, value in message.headers.items()).encode() + b"\n" + message.body


def decoded(data: bytes, size: int | None = None) -> list[wire.Message]:
    decoder = wire.Decoder()
    messages: list[wire.Message] = []
    for at in range(0, len(data), size or max(1, len(data))):
        decoder.feed(data[at : at + (size or len(data))])
        messages.extend(decoder)
    decoder.eof()
    return messages


def event_of(data: bytes) -> wire.Event:
    [message] = decoded(data)
    return wire.parse_event(message)


def plain(inner: bytes) -> wire.Message:
    return wire.Message("text/event-plain", {}, inner)


def as_json(inner: bytes) -> wire.Message:
    return wire.Message("text/event-json", {}, inner)


# ---- recordings


@pytest.mark.parametrize("name", NAMES)
def test_frames_of_a_recording_are_its_bytes_wherever_the_stream_is_cut(name: str) -> None:
    seed = time.time_ns()
    print(f"seed {seed}")
    rng = random.Random(seed)
    for stream in streams(name).values():
        decoder, read, at = wire.Decoder(), b"", 0
        while at < len(stream):
            size = rng.choice((1, 2, 3, 17, 256, 4096, 32768))
            decoder.feed(stream[at : at + size])
            at += size
            read += b"".join(frame(message) for message in decoder)
        decoder.eof()
        assert read == stream


@pytest.mark.parametrize("name", ["s01_auth_and_commands", "s01b_event_subscriptions"])
def test_recording_read_byte_by_byte_gives_the_same_messages(name: str) -> None:
    for stream in streams(name).values():
        assert decoded(stream, 1) == decoded(stream)


@pytest.mark.parametrize("name", NAMES)
def test_every_write_of_the_switch_is_one_frame(name: str) -> None:
    for piece in pieces(name):
        if piece.direction == "<<":
            assert len(decoded(piece.data)) == 1


@pytest.mark.parametrize("name", NAMES)
def test_recorded_events_written_again_are_the_recorded_bytes(name: str) -> None:
    """Spec X8: what we store of an event is what came. Events that say a header twice (Hangup-Cause, always with one value) are shorter by it."""
    for piece in pieces(name):
        kind = re.search(rb"\AContent-Length: \d+\nContent-Type: text/event-(plain|json)\n\n", piece.data)
        if piece.direction != "<<" or kind is None:
            continue
        event = event_of(piece.data)
        if kind[1] == b"plain":
            names = re.findall(rb"(?m)^(\S+): ", piece.data.split(b"\n\n")[1])
            written = wire.encode_event_plain(event.headers.items(), event.body)
        else:
            names = re.findall(rb'[{,]"([^"]+)":"', piece.data)
            written = wire.encode_event_json(event.headers.items(), event.body)
        if len(names) == len(set(names)):
            assert written == piece.data


def test_the_same_event_reads_the_same_from_plain_and_from_json() -> None:
    """s01b: the value holds a literal %41, spaces, UTF-8; the event has a body, and Content-Length twice."""
    told = [event for event in events_in("s01b_event_subscriptions") if event.headers.get("Event-Subclass") == "my::thing"]
    assert len(told) >= 2
    for event in told:
        assert {name: event.headers[name] for name in ("Foo", "Path", "Uni", "Command")} == {
            "Foo": "bar baz %41",
            "Path": "/a b?c=d&e=f",
            "Uni": "café",
            "Command": "sendevent CUSTOM",
        }
        assert event.name == "CUSTOM" and event.body == "hello world" and "Content-Length" not in event.headers


def test_background_job_brings_the_switchs_words() -> None:
    jobs = [event for event in events_in("s02b_busy486") if event.name == "BACKGROUND_JOB"]
    assert [job.body for job in jobs] == ["-ERR USER_BUSY\n"] * len(jobs) and jobs


def test_reply_to_connect_is_the_channel_decoded() -> None:
    """s05j: a command/reply that carries the whole channel as percent-encoded headers."""
    [reply] = [m for m in decoded(streams("s05j_outbound_socket_async_full")["OUT"]) if "Event-Name" in m.headers]
    channel = wire.parse_connect_reply(reply)
    assert (channel.name, channel.headers["Reply-Text"], channel.headers["Control"]) == ("CHANNEL_DATA", "+OK\n", "full")
    assert channel.headers["Channel-Channel-Name"] == "sofia/internal/1555@127.0.0.1:5080"
    own = ("Content-Type", "Reply-Text", "Socket-Mode", "Control")
    assert wire.encode_connect_reply([pair for pair in channel.headers.items() if pair[0] not in own]) == frame(reply)


def test_common_frames_are_written_as_recorded() -> None:
    recorded = [piece.data for piece in pieces("s01_auth_and_commands") if piece.direction == "<<"]
    assert wire.AUTH_REQUEST in recorded
    assert wire.encode_reply("-ERR invalid") in recorded
    assert wire.encode_disconnect_notice() in recorded
    assert wire.encode_api_response("-ERR  Command not found!\n") in recorded
    linger = [("Controlled-Session-UUID", LEG), ("Content-Disposition", "linger"), ("Channel-Name", "sofia/internal/1555@127.0.0.1:5080")]
    recorded = [piece.data for piece in pieces("s05j_outbound_socket_async_full") if piece.direction == "<<"]
    assert wire.encode_disconnect_notice("", [*linger, ("Linger-Time", "3")]) in recorded


def test_cut_anywhere_in_an_event_does_not_hide_the_frames_behind_it() -> None:
    event = wire.encode_event_plain([("Event-Name", "DTMF")])
    behind = wire.encode_reply("+OK bye") + wire.encode_disconnect_notice()
    for cut in range(1, len(event)):
        decoder = wire.Decoder()
        decoder.feed(event[:cut])
        assert list(decoder) == []
        decoder.feed(event[cut:] + behind)
        assert [message.kind for message in decoder] == ["text/event-plain", "command/reply", "text/disconnect-notice"]


def test_parsed_gives_events_and_other_frames_in_order() -> None:
    stream = streams("s01b_event_subscriptions")["EVT-json"]
    decoder = wire.Decoder()
    decoder.feed(stream)
    told = list(decoder.parsed())
    expected = [wire.parse_event(m) if m.kind.startswith("text/event") else m for m in decoded(stream)]
    assert told == expected and {type(item) for item in told} == {wire.Event, wire.Message}


# ---- hostile values


@pytest.mark.spec("D7")
@pytest.mark.parametrize("encode", [wire.encode_event_plain, wire.encode_event_json])
@pytest.mark.parametrize("evil", ["Eve\nUnique-ID: forged", "Eve\r\nUnique-ID: forged", "Eve\n\nforged", "Eve\u2028Unique-ID: forged", "\x1c\x85\x0b"])
def test_value_can_not_become_a_header(encode: object, evil: str) -> None:
    """Spec D7."""
    event = event_of(encode([("Event-Name", "CHANNEL_ANSWER"), ("Caller-Caller-ID-Name", evil), ("Unique-ID", LEG)]))  # type: ignore[operator]
    assert event.headers == {"Event-Name": "CHANNEL_ANSWER", "Caller-Caller-ID-Name": evil, "Unique-ID": LEG} and event.body is None


def test_encoded_line_end_is_text_of_its_value() -> None:
    event = wire.parse_event(plain(b"Event-Name: DTMF\nName: a%0AUnique-ID%3A%20forged\n\n"))
    assert event.headers == {"Event-Name": "DTMF", "Name": "a\nUnique-ID: forged"}


def test_body_that_looks_like_headers_stays_a_body() -> None:
    body = "Event-Name: CHANNEL_HANGUP\nUnique-ID: forged\n\n\nContent-Length: 3\n\n"
    for encode in (wire.encode_event_plain, wire.encode_event_json):
        event = event_of(encode([("Event-Name", "RECV_INFO")], body))
        assert event == wire.Event("RECV_INFO", {"Event-Name": "RECV_INFO"}, body)


def test_bytes_that_are_not_utf8_are_replaced_and_harm_nothing_else() -> None:
    assert wire.parse_event(plain(b"Event-Name: DTMF\nA: x%FFy\nB: caf%C3%A9\n\n")).headers == {"Event-Name": "DTMF", "A": "x\ufffdy", "B": "café"}
    assert wire.parse_event(as_json(b'{"Event-Name":"DTMF","A":"x\xffy","B":"caf\xc3\xa9"}')).headers["A"] == "x\ufffdy"
    assert event_of(b"Content-Length: 42\nContent-Type: text/event-plain\n\nEvent-Name: RECV_INFO\nContent-Length: 1\n\n\xfe").body == "\ufffd"


def test_bare_control_character_in_json_is_read() -> None:
    assert wire.parse_event(as_json(b'{"Event-Name":"DTMF","A":"x\ty"}')).headers["A"] == "x\ty"


def test_array_variable_reads_as_in_plain_text() -> None:
    assert wire.parse_event(as_json(b'{"Event-Name":"DTMF","A":["x","y"],"B":"[z]"}')).headers == {
        "Event-Name": "DTMF",
        "A": "ARRAY::x|:y",
        "B": "[z]",
    }


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("a b", "a%20b"),
        ("a,b/c'd(e)f*g!h$i~j-k_l.m", "a,b/c'd(e)f*g!h$i~j-k_l.m"),
        ('"#%&+:;<=>?@[\\]^`{|}', "%22%23%25%26%2B%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E%60%7B%7C%7D"),
        ("é\x7f\n", "%C3%A9%7F%0A"),
        ("100%", "100%25"),
        ("%3a", "%253a"),
    ],
)
def test_values_are_encoded_as_the_switch_does(text: str, encoded: str) -> None:
    assert (wire.quote_value(text), wire.unquote_value(encoded)) == (encoded, text)


def test_escape_that_the_switch_would_not_have_written_is_text() -> None:
    """It encodes neither letters nor digits, writes upper-case hex, and knows no NUL: these came from the value itself."""
    assert wire.unquote_value("%41%7A%35%00%3a%zz%") == "%41%7A%35%00%3a%zz%"
    assert wire.quote_value("%41") == "%41"


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))  # the switch's strings end at a NUL


@given(TEXT)
def test_quoting_gives_ascii_without_line_ends_and_is_undone(text: str) -> None:
    quoted = wire.quote_value(text)
    assert quoted.isascii() and not set(quoted) & set(" \n\r:\0")
    assert wire.quote_value(wire.unquote_value(quoted)) == quoted
    if not re.search("%[0-9A-F]{2}", text):
        assert wire.unquote_value(quoted) == text


HEADER_NAMES = st.text(string.ascii_letters + string.digits + "-_:", min_size=1).filter(lambda name: name != "_body" and name != "Content-Length")


@given(st.dictionaries(HEADER_NAMES, TEXT), st.text(min_size=1) | st.none(), st.integers(1, 40))
def test_event_of_any_text_comes_back_from_any_cut(headers: dict[str, str], body: str | None, size: int) -> None:
    headers = {"Event-Name": "CUSTOM", **{name: value for name, value in headers.items() if not re.search("%[0-9A-F]{2}", value)}}
    for encode in (wire.encode_event_plain, wire.encode_event_json):
        [message] = decoded(encode(headers.items(), body), size)
        assert wire.parse_event(message) == wire.Event(headers["Event-Name"], headers, body)


@given(
    st.lists(
        st.binary(max_size=40)
        | st.sampled_from([b"Content-Type: x\n\n", b"Content-Length: 7\n", b"\n\n", b": ", b"Content-Length: 5\nContent-Type: text/event-json\n\n"])
    )
)
def test_arbitrary_bytes_raise_nothing_but_a_protocol_error(chunks: list[bytes]) -> None:
    decoder = wire.Decoder()
    with contextlib.suppress(EslProtocolError):
        for chunk in chunks:
            decoder.feed(chunk)
            for message in decoder:
                if message.kind in ("text/event-plain", "text/event-json"):
                    wire.parse_event(message)


# ---- frames that can not be


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n\n\n",
        b"no colon here\n\n",
        b": no name\n\n",
        b"Reply-Text: +OK\n\n",
        b"Content-Type: api/response\nContent-Length: -1\n\n",
        b"Content-Type: api/response\nContent-Length: 1_0\n\n",
        b"Content-Type: api/response\nContent-Length: \xd9\xa1\n\n",
        b"Content-Type: api/response\nContent-Length: 99999999999\n\n",
        b"Content-Length: 3\nContent-Length: 4\nContent-Type: api/response\n\nabcd",
        b"Content-Length: 999999999\nContent-Type: text/event-json\n\n",
    ],
)
def test_bytes_that_are_no_event_socket_raise_and_go_on_raising(data: bytes) -> None:
    decoder = wire.Decoder()
    decoder.feed(data)
    for _ in range(2):
        with pytest.raises(EslProtocolError):
            list(decoder)


def test_head_without_an_end_is_bounded() -> None:
    decoder = wire.Decoder(max_head_bytes=1000)
    decoder.feed(b"A: " + b"x" * 998)
    with pytest.raises(EslProtocolError, match="1000"):
        list(decoder)


def test_length_the_switch_and_its_json_fit_a_long_body() -> None:
    body = "x" * 3_000_000
    assert decoded(wire.encode_api_response(body), 65536)[0].body == body.encode()


@pytest.mark.parametrize("cut", range(1, 60))
def test_eof_inside_a_frame_is_an_error_and_between_frames_is_not(cut: int) -> None:
    data = wire.encode_api_response("0123456789")
    decoder = wire.Decoder()
    decoder.feed(data[: min(cut, len(data))])
    messages = list(decoder)
    if cut < len(data):
        with pytest.raises(EslProtocolError, match="inside a frame"):
            decoder.eof()
    else:
        decoder.eof()
        assert len(messages) == 1


@pytest.mark.parametrize(
    "message",
    [
        plain(b"Event-Name: DTMF\n"),
        plain(b"Event-Name DTMF\n\n"),
        plain(b"Unique-ID: x\n\n"),
        plain(b"Event-Name: DTMF\nContent-Length: 5\n\nfour"),
        plain(b"Event-Name: DTMF\n\nbody of no length"),
        as_json(b"{}"),
        as_json(b"["),
        as_json(b'["Event-Name"]'),
        as_json(b'"Event-Name"'),
        as_json(b'{"Event-Name":"DTMF","A":[1]}'),
        wire.Message("text/event-xml", {}, b"<event/>"),
        wire.Message("command/reply", {"Reply-Text": "+OK"}, b""),
    ],
)
def test_frame_that_holds_no_event_is_an_error(message: wire.Message) -> None:
    with pytest.raises(EslProtocolError):
        wire.parse_event(message)


def test_reply_that_is_not_a_channel_is_an_error() -> None:
    with pytest.raises(EslProtocolError):
        wire.parse_connect_reply(wire.Message("command/reply", {"Content-Type": "command/reply", "Reply-Text": "-ERR command not found"}, b""))


@pytest.mark.parametrize("name", ["", "a\nb", "a: b"])
def test_header_name_that_would_be_another_header_is_not_written(name: str) -> None:
    with pytest.raises(ValueError, match="not a header name"):
        wire.encode_event_plain([(name, "x")])


def test_reply_of_two_lines_is_not_written() -> None:
    with pytest.raises(ValueError, match="newline"):
        wire.encode_reply("+OK\nUnique-ID: forged")


# ---- commands, read as the switch reads them


def commands(data: bytes, size: int) -> list[wire.Command]:
    decoder = wire.CommandDecoder()
    told: list[wire.Command] = []
    for at in range(0, len(data), size):
        decoder.feed(data[at : at + size])
        told.extend(decoder)
    return told


@pytest.mark.parametrize("name", NAMES)
def test_recorded_commands_are_read_whole_from_any_cut(name: str) -> None:
    for who, stream in streams(name, ">>").items():
        written = [piece.data for piece in pieces(name) if piece.direction == ">>" and piece.who == who]
        told = commands(stream, 1)
        assert told == commands(stream, 7) == commands(stream, len(stream))
        lines = [line for data in b"".join(written).replace(b"\r\n", b"\n").decode().split("\n\n") if (line := data.lstrip("\n").partition("\n")[0])]
        if not any(b"Content-Length" in data for data in written):
            assert [command.line for command in told] == lines


def test_command_parts() -> None:
    [command] = commands(f"BGAPI originate user/1001 &park()\nJob-UUID: {LEG}\n\n".encode(), 1000)
    assert command == wire.Command("bgapi", "originate user/1001 &park()", {"Job-UUID": LEG}, b"", "BGAPI originate user/1001 &park()")


def test_api_with_and_without_a_blank_are_told_apart() -> None:
    """s01: the switch answers the first with a command/reply and the second with an api/response."""
    assert [command.line for command in commands(b"api\n\napi \n\n", 1000)] == ["api", "api "]


def test_body_is_taken_by_its_length_even_if_it_swallows_commands() -> None:
    """s01: a Content-Length that lies eats what follows."""
    told = commands(b"sendevent CUSTOM\nEvent-Subclass: a::b\nContent-Length: 19\n\nhello\napi version\n\napi status\n\n", 5)
    assert [(command.verb, command.body) for command in told] == [("sendevent", b"hello\napi version\n\n"), ("api", b"")]


def test_half_a_command_is_known_to_be_half() -> None:
    """s05q: until its blank line comes, the switch keeps back this connection's events."""
    decoder = wire.CommandDecoder()
    decoder.feed(b"\n\napi ec")
    assert list(decoder) == [] and decoder.half_written
    decoder.feed(b"ho x\n\n")
    assert [command.args for command in decoder] == ["echo x"] and not decoder.half_written


def test_endless_command_is_bounded() -> None:
    decoder = wire.CommandDecoder(max_head_bytes=100, max_body_bytes=100)
    decoder.feed(b"x" * 101)
    with pytest.raises(EslProtocolError):
        list(decoder)
    decoder = wire.CommandDecoder(max_head_bytes=100, max_body_bytes=100)
    decoder.feed(b"sendevent X\nContent-Length: 101\n\n")
    with pytest.raises(EslProtocolError):
        list(decoder)
