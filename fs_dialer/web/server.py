"""The HTTP interface served from inside the daemon, by gevent.

Knows sockets, TLS and patience: a client that is slow is let go, and so many are served at a time that the dialler never starves. The app behind it is
app.py's. No line is written for each request, so that no token and no number can get into a log.
"""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
from flask import Flask
from gevent.pool import Pool
from gevent.pywsgi import WSGIHandler, WSGIServer

from fs_dialer.errors import FsDialerError

log = logging.getLogger("fs_dialer.web")

MOST_CONNECTIONS = 100
READ_S = 15.0  # without a byte
REQUEST_S = 60.0  # for a request in all, from the wait for its first byte to the last of its answer
STOP_S = 2.0


class Handler(WSGIHandler):
    """One connection."""

    def handle(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(READ_S)
        super().handle()

    def handle_one_request(self) -> Any:
        result = None  # the connection is closed
        with gevent.Timeout(REQUEST_S, False):
            result = super().handle_one_request()
        return result


class WebServer:
    """`listen`: host and port, 0 = a free one. `certificate` and `key`: PEM files, for TLS."""

    def __init__(self, app: Flask, listen: tuple[str, int], *, certificate: Path | None = None, key: Path | None = None) -> None:
        self._listen = listen
        more: dict[str, Any] = {}
        if certificate is not None:
            more["ssl_context"] = _context(certificate, key)
        errors = logging.getLogger("fs_dialer.web.server")
        self._server = WSGIServer(listen, app, spawn=Pool(MOST_CONNECTIONS), handler_class=Handler, log=None, error_log=errors, **more)

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    def start(self, spawn: Callable[..., Any] | None = None) -> None:
        """Listen, and serve from the event loop. FsDialerError where the address cannot be had."""
        try:
            self._server.start()
        except OSError as error:
            host, port = self._listen
            raise FsDialerError(f"http.listen: {host}:{port} can not be listened on: {error.strerror or error}") from error
        log.info("http listening=%s:%d", self._listen[0], self.port)

    def stop(self) -> None:
        """No new connections; requests under way have a moment to end."""
        self._server.stop(timeout=STOP_S)


def _context(certificate: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise FsDialerError(f"http.tls: the certificate {certificate} and its key can not be used: {error}") from error
    return context
