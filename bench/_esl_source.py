"""The sending half of the esl_read benchmark: an event socket that floods whoever subscribes.

A process of its own (python -m bench._esl_source EVENTS), so that its work is not counted as the reader's. It prints its port, authenticates anybody,
answers api commands, and on `event json|plain` waits for a line on its stdin, then sends EVENTS copies of one recorded event, each with a uuid of its
own, and a SHUTDOWN event behind them. It ends when its stdin does.
"""

from __future__ import annotations

import socket
import sys
import threading
import uuid
from pathlib import Path

from fs_dialer.esl import wire

RECORDING = Path(__file__).resolve().parent.parent / "tests" / "captures" / "s02a_answer_hangup.log"
EVENT_NAME = "CHANNEL_HANGUP"  # 150 headers, 6.7 kB
BATCH = 200


def recorded_event() -> wire.Event:
    """The event that is sent over and over, as FreeSWITCH sent it once."""
    raw = RECORDING.read_bytes()
    at = raw.index(b"\n\nEvent-Name: " + EVENT_NAME.encode() + b"\n")
    at = raw.rindex(b"Content-Length: ", 0, at)
    decoder = wire.Decoder()
    decoder.feed(raw[at:])
    message = decoder.take()
    assert message is not None
    return wire.parse_event(message)


def frames(event_format: str, count: int) -> bytes:
    """`count` frames of it, with different uuids: equal bytes would flatter a reader that remembers."""
    event = recorded_event()
    encode = wire.encode_event_json if event_format == "json" else wire.encode_event_plain
    return b"".join(encode({**event.headers, "Unique-ID": str(uuid.UUID(int=number))}.items()) for number in range(count))


def serve(link: socket.socket, events: int, go: threading.Event) -> None:
    commands = wire.CommandDecoder()
    link.sendall(wire.AUTH_REQUEST)
    while data := link.recv(65536):
        commands.feed(data)
        for command in commands:
            if command.verb == "auth":
                link.sendall(wire.encode_reply("+OK accepted"))
            elif command.verb == "api":
                link.sendall(wire.encode_api_response(command.args.partition(" ")[2] or "-ERR no reply\n"))
            elif command.verb == "event":
                event_format = command.args.split()[0]
                batch = frames(event_format, BATCH)
                link.sendall(wire.encode_reply(f"+OK event listener enabled {event_format}"))
                go.wait()
                for _ in range(events // BATCH):
                    link.sendall(batch)
                encode = wire.encode_event_json if event_format == "json" else wire.encode_event_plain
                link.sendall(encode([("Event-Name", "SHUTDOWN")]))
            else:
                link.sendall(wire.encode_reply("+OK"))


def main() -> None:
    events, go = int(sys.argv[1]), threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)

    def accept() -> None:
        while True:
            link, _ = listener.accept()
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=serve, args=(link, events, go), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    for _ in sys.stdin:
        go.set()


if __name__ == "__main__":
    main()
