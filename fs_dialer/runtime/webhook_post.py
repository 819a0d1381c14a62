"""One message to one webhook: signed, posted, and either taken or not.

Knows HTTP and names of hosts. Where it may go is core/webhooks.py's word, asked here at the moment of sending, with the very addresses that are then
connected to: a name that changes its address between the question and the call gains nothing. Redirects are not followed, for they lead elsewhere; no proxy
and no variable of the environment is heeded. Of the answer only the status counts.

The signature, as others make it too:  t=TIMESTAMP,v1=hex(HMAC-SHA256(secret, TIMESTAMP + "." + body)).
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import os
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fs_dialer.config.secret import Secret
from fs_dialer.core.resources import Webhook
from fs_dialer.core.webhooks import NotAllowed, Target, fit_address, local_allowed, target_of
from fs_dialer.errors import ConfigError, Problem

USER_AGENT = "fs-dialer"
ANSWER_BYTES = 200  # of what the receiver says, for people
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


class NotDelivered(Exception):
    """The message must be sent again; the text says why, and never holds the secret."""


@dataclass(frozen=True, slots=True)
class Letter:
    """`id`: the same at every try, so that a receiver can tell a repetition. `event`: its kind."""

    id: int
    event: str
    body: bytes


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The value of X-FS-Dialer-Signature. `timestamp`: epoch seconds, when it was sent; a receiver refuses what is old."""
    code = hmac.new(secret.encode(), str(timestamp).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={code}"


def secret_of(webhook: Webhook, environ: Mapping[str, str] = os.environ) -> str:
    """Read anew for every message, so that a changed secret needs no restart. NotDelivered where it is not to be had."""
    place = Problem(f"webhook {webhook.name}", 0, 0, "secret", "")
    try:
        return Secret(webhook.secret, place, base=Path("/"), environ=environ).reveal()
    except ConfigError as error:
        raise NotDelivered("; ".join(problem.text for problem in error.problems)) from None


def post(
    webhook: Webhook, hosts: Sequence[str], letter: Letter, *, environ: Mapping[str, str] = os.environ, now: Callable[[], float] = time.time
) -> tuple[int, float]:
    """Send it once; (the receiver's status, seconds it took). NotDelivered unless the status is 2xx, within the webhook's timeout for each step.

    `hosts`: the installation's webhook_hosts at this moment.
    """
    started = time.monotonic()
    secret = secret_of(webhook, environ)
    target, connection = connection_to(webhook.url, hosts, webhook.timeout_s)
    timestamp = int(now())
    headers = {
        "Host": target.authority,
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "Connection": "close",
        "X-FS-Dialer-Event": letter.event,
        "X-FS-Dialer-Id": str(letter.id),
        "X-FS-Dialer-Timestamp": str(timestamp),
        "X-FS-Dialer-Signature": signature(secret, timestamp, letter.body),
    }
    try:
        connection.request("POST", target.path, body=letter.body, headers=headers)
        answer = connection.getresponse()
        status, said = answer.status, answer.read(ANSWER_BYTES)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotDelivered(f"{target.authority}: {words_of(error, webhook.timeout_s)}") from None
    finally:
        connection.close()
    if 300 <= status < 400:
        raise NotDelivered(f"{target.authority} answered {status}, a redirect, which is not followed: write the new address into `url`")
    if not 200 <= status < 300:
        text = _CONTROL.sub(" ", said.decode("utf-8", "replace")).strip()
        raise NotDelivered(f"{target.authority} answered {status}" + (f": {text}" if text else ""))
    return status, time.monotonic() - started


def connection_to(url: str, hosts: Sequence[str], timeout_s: float) -> tuple[Target, http.client.HTTPConnection]:
    """Where a url leads, judged by the installation's webhook_hosts, and a connection that is not opened yet. NotDelivered where it may not be."""
    try:
        target = target_of(url)
        local = local_allowed(target, hosts)
        address = fit_address(target, _resolved(target), local=local)
    except NotAllowed as error:
        raise NotDelivered(f"not sent: {error}") from None
    return target, _connection(target, address, timeout_s)


def _resolved(target: Target) -> list[str]:
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotDelivered(f"the name {target.host} is not known: {words_of(error, 0.0)}") from None
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def _connection(target: Target, address: str, timeout_s: float) -> http.client.HTTPConnection:
    if target.scheme == "https":
        return _Tls(target, address, timeout_s)
    return _Plain(target, address, timeout_s)


class _Plain(http.client.HTTPConnection):
    """To the address that was judged, whatever the name leads to by now."""

    def __init__(self, target: Target, address: str, timeout_s: float) -> None:
        super().__init__(target.host, target.port, timeout=timeout_s)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)


class _Tls(http.client.HTTPSConnection):
    """The same; the certificate must be the name's."""

    def __init__(self, target: Target, address: str, timeout_s: float) -> None:
        self._tls = ssl.create_default_context()
        super().__init__(target.host, target.port, timeout=timeout_s, context=self._tls)
        self._address = address

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        try:
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


def words_of(error: Exception, timeout_s: float) -> str:
    """What went wrong with a connection, in one line for people."""
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_s:g} s"
    if isinstance(error, http.client.RemoteDisconnected):
        return "it closed the connection without an answer"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return _CONTROL.sub(" ", str(text))
