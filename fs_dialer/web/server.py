"""The HTTP interface served from inside the daemon, by gevent.

Knows sockets, TLS and patience: a client that is slow is let go, and so many are served at a time that the dialler never starves. The app behind it is
app.py's. No line is written for each request, so that no token and no number can get into a log.
"""

from __future__ import annotations

import logging
import resource
import select
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
from flask import Flask
from gevent.monkey import get_original
from gevent.pool import Pool
from gevent.pywsgi import WSGIHandler, WSGIServer

from fs_dialer.errors import FsDialerError
from fs_dialer.web.agents import GONE, UNHURRIED

log = logging.getLogger("fs_dialer.web")

MOST_CONNECTIONS = 1500  # 500 agents: a stream each, a connection or two that rest between requests, and other programs
LEAST_CONNECTIONS = 50
OTHERS_FILES = 256  # open files that are left to the switch, the database, recordings' folders and the log
READ_S = 15.0  # without a byte
REQUEST_S = 60.0  # for a request in all, from the wait for its first byte to the last of its answer
STOP_S = 2.0
# What we sent and nobody acknowledged for so long ends the connection: a machine that vanished says nothing, and its agent's screen is not open any more.
UNACKNOWLEDGED_MS = 15_000
SEND_BUFFER = 64 * 1024


class Handler(WSGIHandler):
    """One connection."""

    def handle(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.socket.settimeout(READ_S)
        super().handle()

    def handle_one_request(self) -> Any:
        result = None  # the connection is closed
        with gevent.Timeout(REQUEST_S, False) as self._patience:
            result = super().handle_one_request()
        return result

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        environ[UNHURRIED], environ[GONE] = self._unhurried, self._gone
        return environ

    def _unhurried(self) -> None:
        """This answer lasts, and is the connection's last."""
        self._patience.close()
        self.close_connection = True

    def _gone(self) -> bool:
        """Has the other end closed the connection? Asked beside the stream's own greenlet, which only notices when it next writes."""
        try:
            asked = get_original("select", "poll")()
            asked.register(self.socket.fileno(), select.POLLRDHUP | select.POLLHUP | select.POLLERR)
            return bool(asked.poll(0))
        except (OSError, ValueError):  # closed on our side
            return True


class WebServer:
    """`listen`: host and port, 0 = a free one. `certificate` and `key`: PEM files, for TLS."""

    def __init__(self, app: Flask, listen: tuple[str, int], *, certificate: Path | None = None, key: Path | None = None) -> None:
        self._listen = listen
        more: dict[str, Any] = {}
        if certificate is not None:
            more["ssl_context"] = _context(certificate, key)
        errors = logging.getLogger("fs_dialer.web.server")
        self._server = WSGIServer(listen, app, spawn=Pool(_connections()), handler_class=Handler, log=None, error_log=errors, **more)

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


def _connections() -> int:
    """As many as the process may open files for, with some left to the dialling. The limit is raised as far as this user may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + OTHERS_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return MOST_CONNECTIONS
    most = max(LEAST_CONNECTIONS, soft - OTHERS_FILES)
    log.warning("http connections=%d: the limit of open files (%d) allows no more; raise it for more agents' screens", most, soft)
    return most


def _context(certificate: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise FsDialerError(f"http.tls: the certificate {certificate} and its key can not be used: {error}") from error
    return context
