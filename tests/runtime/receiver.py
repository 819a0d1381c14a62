"""A receiver of webhooks over loopback, for tests: remembers what came, and answers as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Came:
    path: str
    headers: Message
    body: bytes

    @property
    def id(self) -> int:
        return int(self.headers["X-FS-Dialer-Id"])


@dataclass
class Receiver:
    """`answers`: statuses to come, then 204; `on_request`: runs before the answer, with the request."""

    port: int = 0
    came: list[Came] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    location: str = ""
    on_request: Callable[[Came], None] = lambda came: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def host(self) -> str:
        """As it stands in webhook_hosts."""
        return f"local:127.0.0.1:{self.port}"


@contextmanager
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came = Came(self.path, self.headers, self.rfile.read(int(self.headers["Content-Length"])))
            made.came.append(came)
            status = made.answers.pop(0) if made.answers else 204
            made.on_request(came)
            self.send_response(status)
            if made.location:
                self.send_header("Location", made.location)
            said = b"" if status == 204 else b"not \x1b[31m now"
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
