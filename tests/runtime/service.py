"""A service that flows ask, over loopback: answers what it is told, as slowly as it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Service:
    """`text`: the answer's body; `trickle_s`: a pause after each byte of it; `hangs`: never answers while it lives."""

    port: int = 0
    status: int = 200
    text: str = "{}"
    trickle_s: float = 0.0
    hangs: bool = False
    asked: list[dict[str, Any]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/ask"

    @property
    def host(self) -> str:
        """As it stands in webhook_hosts."""
        return f"local:127.0.0.1:{self.port}"


@contextmanager
def service() -> Iterator[Service]:
    made = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if made.hangs:
                made.over.wait()
                return
            body = made.text.encode()
            self.send_response(made.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            for byte in body if made.trickle_s else ():
                time.sleep(made.trickle_s)
                self.wfile.write(bytes([byte]))
                if made.over.is_set():
                    return
            if not made.trickle_s:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # whoever asked has hung up

    server = Server(("127.0.0.1", 0), Handler)
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
