"""The HTTP interface over real sockets: whole requests, broken ones, slow ones, TLS. The server runs in a thread with an event loop of its own."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import gevent
import pytest

from fs_dialer.errors import FsDialerError
from fs_dialer.web import server as web_server
from fs_dialer.web.server import WebServer
from tests.db.rows import ADA
from tests.web.client import Http


@contextmanager
def served(http: Http, begin: Callable[[], object] = lambda: None, end: Callable[[], object] = lambda: None, **tls: Path) -> Iterator[int]:
    """The port at which the app is served. `begin`, `end`: what else is started and stopped in that event loop."""
    up, ports = threading.Event(), [0]
    ended: list[object] = []

    def work() -> None:
        made = WebServer(http.app, ("127.0.0.1", 0), **tls)
        made.start()
        begin()
        ports[0] = made.port
        over = gevent.get_hub().loop.async_()
        done = gevent.event.Event()
        over.start(done.set)
        ended.append(over)
        up.set()
        done.wait()
        end()
        made.stop()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert up.wait(10)
    try:
        yield ports[0]
    finally:
        ended[0].send()  # type: ignore[attr-defined]
        thread.join(10)


@pytest.fixture
def http(pg_dsn: str) -> Iterator[Http]:
    made = Http(pg_dsn)
    made.database.campaign()
    yield made
    made.close()


@pytest.fixture
def port(http: Http) -> Iterator[int]:
    with served(http) as port:
        yield port


def raw(port: int, *parts: bytes) -> bytes:
    """What comes back until the server closes."""
    with closing(socket.create_connection(("127.0.0.1", port), 10)) as client:
        for part in parts:
            client.sendall(part)
        found = b""
        while more := client.recv(65536):
            found += more
        return found


def a_request(http: Http, *more: str, path: str = "/api/campaigns/spring/leads") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {http.token.secret}", "Content-Type: application/json", "Connection: close"]
    return "\r\n".join([*lines, "Idempotency-Key: k1", *more, "", ""]).encode()


@pytest.mark.spec("M22")
def test_leads_come_in_over_the_wire(http: Http, port: int) -> None:
    body = json.dumps([{"phone": ADA, "name": "Đỗ"}]).encode()
    headers = {"Authorization": f"Bearer {http.token.secret}", "Content-Type": "application/json", "Idempotency-Key": "k1"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/campaigns/spring/leads", body, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.loads(answer.read())["added"] == 1
        assert "Server" not in answer.headers or "gevent" not in answer.headers["Server"].lower()
    assert http.database.one("SELECT name FROM contacts") == "Đỗ"


def test_a_body_in_chunks_is_read_and_one_without_end_is_cut_off(http: Http, port: int) -> None:
    chunked = a_request(http, "Transfer-Encoding: chunked")
    assert raw(port, chunked, b"2\r\n[]\r\n", b"0\r\n\r\n").startswith(b"HTTP/1.1 200")
    endless = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    with closing(socket.create_connection(("127.0.0.1", port), 10)) as client:
        client.sendall(chunked)
        for _ in range(40):
            try:
                client.sendall(endless)
            except OSError:
                break
        found = client.recv(4096)
    assert found.startswith(b"HTTP/1.1 413"), found
    assert http.database.one("SELECT count(*) FROM leads") == 0


@pytest.mark.parametrize(
    "request_",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost localhost\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x00\xa5\x01\x00\x00",
        b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_and_the_next_one_is_answered(http: Http, port: int, request_: bytes) -> None:
    with closing(socket.create_connection(("127.0.0.1", port), 10)) as client:
        client.sendall(request_)
        client.shutdown(socket.SHUT_WR)
        assert not client.recv(65536).startswith(b"HTTP/1.1 200")
    assert raw(port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_a_body_that_breaks_off_stores_nothing(http: Http, port: int) -> None:
    with closing(socket.create_connection(("127.0.0.1", port), 10)) as client:
        client.sendall(a_request(http, "Content-Length: 100") + b'[{"phone": "+442079460101"}]')
        client.shutdown(socket.SHUT_WR)
        assert b" 200 " not in client.recv(65536)[:20]
    assert http.database.one("SELECT count(*) FROM leads") == 0


def test_a_client_that_says_nothing_is_let_go(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "READ_S", 0.2)
    with served(http) as port:
        assert raw(port, b"GET /healthz HTT") == b""
        slow = raw(port, a_request(http, "Content-Length: 10"), b"[")
        assert slow.startswith((b"HTTP/1.1 408", b"HTTP/1.1 400")), slow


def test_a_client_that_dribbles_is_let_go_too(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "REQUEST_S", 0.3)
    with served(http) as port, closing(socket.create_connection(("127.0.0.1", port), 10)) as client:
        began = time.monotonic()
        try:
            while time.monotonic() - began < 5:
                client.sendall(b"G")
                client.settimeout(0.02)
                try:
                    if client.recv(1) == b"":
                        break
                except TimeoutError:
                    continue
        except OSError:
            pass
        assert time.monotonic() - began < 4


def test_requests_leave_no_trace_of_their_token_in_the_log(http: Http, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "READ_S", 0.2)
    with caplog.at_level(logging.DEBUG), served(http) as port:
        raw(port, a_request(http, "Content-Length: 2"), b"[]")
        raw(port, a_request(http, "Content-Length: 5"), b"[")
        raw(port, a_request(http, "no header at all", "Content-Length: x"))
    assert http.token.secret not in caplog.text


def test_an_address_that_is_taken_is_told(http: Http, port: int) -> None:
    with pytest.raises(FsDialerError, match=rf"http\.listen: 127\.0\.0\.1:{port} can not be listened on"):
        WebServer(http.app, ("127.0.0.1", port)).start()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_over_tls_the_same_is_said_and_old_tls_is_not_spoken(http: Http, tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*words, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    with served(http, certificate=certificate, key=key) as port:
        context = ssl.create_default_context(cafile=str(certificate))
        with urllib.request.urlopen(f"https://localhost:{port}/healthz", timeout=10, context=context) as answer:
            assert json.loads(answer.read())["ok"] is True
        old = ssl.create_default_context(cafile=str(certificate))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port), 10) as plain:
            old.wrap_socket(plain, server_hostname="localhost")
    with pytest.raises(FsDialerError, match=r"http\.tls: the certificate"):
        WebServer(http.app, ("127.0.0.1", 0), certificate=tmp_path / "none.pem")
