"""The agent interface from outside: requests, and the event stream that connects again by itself and goes on where it stopped.

Knows HTTP and nothing of agents but their addresses. An agent's own token asks at /api/agent, any other names him. Nothing of the daemon is imported.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import clean
from fs_dialer.cli.settings import Session
from fs_dialer.errors import FsDialerError

TOKEN_VARIABLE = "FS_DIALER_TOKEN"
REQUEST_S = 10.0
SILENT_S = 40.0  # the server pings every 15 s; one that says nothing for so long is not there any more
AGAIN_S = 1.0
LONGEST_AGAIN_S = 5.0
MOST_LINE = 4 * 1024 * 1024


class Unreachable(FsDialerError):
    """Nobody answers at the address, or not as the agent interface does."""


class HttpRefused(FsDialerError):
    """The interface said no. `error`: one word; `mend`: what to do about it."""

    def __init__(self, status: int, error: str, why: str, mend: str) -> None:
        self.status, self.error, self.why, self.mend = status, error, why, mend
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of the stream; `id` None where it has no number."""

    id: int | None
    kind: str
    data: Mapping[str, Any]


class AgentHttp:
    """One agent at one daemon's interface."""

    def __init__(self, url: str, token: str, agent: str, certificate: Path | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CommandFailed(f"{clean(url)} is no address: write http://127.0.0.1:8080 or https://dialer.example.com", code=Exit.MISUSE)
        self.url, self.agent = url, agent
        self._host, self._port, self._base = parts.hostname, parts.port, parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._context = None
        if parts.scheme == "https":
            self._context = ssl.create_default_context()
            if certificate is not None:
                self._context.load_verify_locations(certificate)
        self._prefix = ""

    # --- requests -----------------------------------------------------------------------------------------------------------------------

    def begin(self) -> dict[str, Any]:
        """The desk, once it is clear whose the token is. CommandFailed where it is another agent's."""
        if not self._prefix:
            try:
                desk = self._asked("GET", "/api/agent/desk")
            except HttpRefused as refused:
                if refused.error != "wrong_role":
                    raise
                self._prefix = f"/api/agents/{quote(self.agent, safe='')}"
            else:
                if desk["desk"]["agent"] != self.agent:
                    raise CommandFailed(f"the token is {clean(str(desk['desk']['agent']))}'s, not {clean(self.agent)}'s", f"make one: {_MAKE} {self.agent}")
                self._prefix = "/api/agent"
                return desk
        return self._asked("GET", f"{self._prefix}/desk")

    def act(self, verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Do something, once: where no answer comes it is asked again under the same key. HttpRefused with the reason."""
        key = str(uuid.uuid4())
        try:
            return self._asked("POST", f"{self._prefix}/{verb}", body, key)
        except Unreachable:
            time.sleep(AGAIN_S)
            return self._asked("POST", f"{self._prefix}/{verb}", body, key)

    def _connection(self, timeout_s: float) -> http.client.HTTPConnection:
        if self._context is not None:
            return http.client.HTTPSConnection(self._host, self._port, timeout=timeout_s, context=self._context)
        return http.client.HTTPConnection(self._host, self._port, timeout=timeout_s)

    def _asked(self, method: str, path: str, body: Mapping[str, Any] | None = None, key: str = "") -> dict[str, Any]:
        data = None if body is None else json.dumps(dict(body)).encode()
        headers = {**self._headers, **({"Content-Type": "application/json"} if data is not None else {}), **({"Idempotency-Key": key} if key else {})}
        try:
            with closing(self._connection(REQUEST_S)) as connection:
                connection.request(method, self._base + path, data, headers)
                answer = connection.getresponse()
                return _told(answer.status, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> Unreachable:
        return Unreachable(f"{self.url} does not answer: {getattr(error, 'strerror', None) or error or type(error).__name__}")

    # --- the stream ---------------------------------------------------------------------------------------------------------------------

    def events(self, after: int | None) -> Iterator[Happened]:
        """Events behind that number, until the line breaks (Unreachable) or the server says goodbye."""
        headers = {**self._headers, "Accept": "text/event-stream", **({"Last-Event-ID": str(after)} if after is not None else {})}
        with closing(self._connection(SILENT_S)) as connection:
            try:
                connection.request("GET", f"{self._base}{self._prefix}/events", headers=headers)
                answer = connection.getresponse()
                if answer.status != 200:
                    _told(answer.status, answer.read())
                fields: dict[str, str] = {}
                while line := answer.readline(MOST_LINE):
                    name, _, value = line.decode("utf-8", "replace").rstrip("\r\n").partition(":")
                    if name:
                        fields[name] = value.removeprefix(" ")
                    elif "data" in fields:
                        number = fields.get("id", "")
                        yield Happened(int(number) if number.isdigit() else None, fields.get("event", ""), json.loads(fields["data"]))
                        fields = {}
            except (OSError, ValueError, http.client.HTTPException) as error:
                raise self._unreachable(error) from error
        raise Unreachable(f"{self.url} has closed the line")


class Follower:
    """A thread that follows the stream for as long as the process lives, and tells what it hears through `tell`.

    tell("up", {}) when the line stands; tell("down", {"why": …}) when it broke; tell(kind, data) for each event.
    """

    def __init__(self, client: AgentHttp, tell: Callable[[str, Mapping[str, Any]], None]) -> None:
        self._client, self._tell = client, tell
        self._after: int | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, name="agent events", daemon=True).start()

    def _run(self) -> None:
        pause = AGAIN_S
        while True:
            try:
                for event in self._client.events(self._after):
                    if pause:
                        pause = 0.0
                        self._tell("up", {})
                    self._after = event.id if event.id is not None else self._after
                    if event.kind == "goodbye" and event.data.get("again") is False:
                        self._tell("down", {**event.data, "for_good": True})
                        return
                    self._tell(event.kind, event.data)
            except HttpRefused as refused:
                self._tell("down", {"why": refused.why, "for_good": refused.status in (401, 403)})
            except Unreachable as error:
                self._tell("down", {"why": str(error)})
            pause = min(LONGEST_AGAIN_S, (pause or AGAIN_S / 2) * 2)
            time.sleep(pause)


_MAKE = "fs-dialer token create --role agent --agent"


def _told(status: int, body: bytes) -> dict[str, Any]:
    """The object of an answer; HttpRefused for an error, Unreachable for what no interface of ours says."""
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unreachable(f"the answer ({status}) is not the agent interface's")
    if status >= 400:
        raise HttpRefused(status, *(clean(str(found.get(name, ""))) for name in ("error", "why", "mend")))
    return found


def connected(session: Session, agent: str, url: str | None, token_file: Path | None) -> AgentHttp:
    """The interface as the settings and options name it. CommandFailed where no address or no token is known."""
    token = given_token(token_file)
    if token is None:
        raise CommandFailed("a token is needed", f"{_MAKE} {agent}; then: export {TOKEN_VARIABLE}=…, or --token-file FILE", code=Exit.MISUSE)
    certificate: Path | None = None
    if url is None:
        url, certificate = configured(session)
    if url is None:
        raise CommandFailed("no address of the agent interface is known", "set `http.listen` in fs-dialer.yml, or say --url URL", code=Exit.MISUSE)
    return AgentHttp(url, token, agent, certificate)


def given_token(token_file: Path | None) -> str | None:
    """From the file, else from the environment."""
    if token_file is None:
        return os.environ.get(TOKEN_VARIABLE, "").strip() or None
    return token_file.read_text(encoding="utf-8").strip()


def configured(session: Session) -> tuple[str | None, Path | None]:
    """Where this installation's interface listens, and its certificate."""
    from fs_dialer.config.http_settings import beside

    settings = session.settings()
    address = settings.http.address
    if address is None:
        return None, None
    certificate, _ = beside(settings.http, settings.file.parent if settings.file else Path())
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    return f"{'https' if certificate else 'http'}://{host}:{address[1]}", certificate
