"""Keep one session with the switch alive: connect, tell, wait for its end, tell, try again later.

Knows when to try and what to say; not how a session talks: NativeClient and the adapters each bring their own. Back-off doubles from
backoff_first_s to backoff_most_s, each wait drawn between half and all of it, so that daemons restarted together do not knock together. A switch that
answers and turns us away is asked again at the slowest pace only.
"""

from __future__ import annotations

import errno
import logging
import random
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event as Flag

from fs_dialer.errors import EslDisconnected, EslError
from fs_dialer.esl.client import EslSettings, LinkLost, LinkUp, OnEvent, OnLink, check_one_line

log = logging.getLogger("fs_dialer.esl")

Spawn = Callable[..., Any]  # gevent.spawn, or the daemon's own, which links a greenlet's failure to its exit code

STEADY_S = 10.0  # a link that held so long starts its back-off anew; one that flaps does not
PING = "echo fs-dialer"


class NotAdmitted(EslDisconnected):
    """The switch is there and does not let us in. Waiting does not mend it."""


class Session(ABC):
    """One pair of connections, from LinkUp to LinkLost. Subclasses bring the talking; `lose` may be called from any greenlet, any number of times."""

    def __init__(self, spawn: Spawn) -> None:
        self._spawn = spawn
        self.reason: str | None = None  # why it ended; None while it lives
        self.ended = Flag()
        self._greenlets: list[gevent.Greenlet] = []

    @abstractmethod
    def begin(self) -> None:
        """Start delivering events. Commands work before this."""

    @abstractmethod
    def api(self, command: str, deadline_s: float) -> str:
        """As SwitchClient.api; the command is one line."""

    @abstractmethod
    def bgapi(self, command: str, job_uuid: str, deadline_s: float) -> None:
        """As SwitchClient.bgapi; command and uuid are one line each."""

    @abstractmethod
    def _let_go(self, reason: str) -> None:
        """Close both connections and fail every waiting command. Called once; must not wait."""

    def lose(self, reason: str) -> None:
        """End the session. Only the first reason counts."""
        if self.reason is not None:
            return
        self.reason = reason
        self._let_go(reason)
        current = gevent.getcurrent()
        gevent.killall([greenlet for greenlet in self._greenlets if greenlet is not current], block=False)
        self.ended.set()

    def _work(self, work: Callable[..., None], *arguments: Any) -> None:
        """A greenlet that ends with the session; if it fails instead, the session ends with it, and the failure is reported as a bug."""

        def run() -> None:
            try:
                work(*arguments)
            except EslError as error:
                self.lose(str(error))
            except OSError as error:
                self.lose(f"the connection to the switch broke: {error.strerror or error}")
            except Exception as error:
                self.lose(f"a bug of ours while reading from the switch: {error!r}")
                raise

        self._greenlets.append(self._spawn(run))


class Supervised(ABC):
    """The part of a SwitchClient that is the same for all."""

    def __init__(
        self,
        settings: EslSettings,
        on_event: OnEvent,
        on_link: OnLink,
        rng: random.Random | None = None,
        spawn: Spawn | None = None,
    ) -> None:
        self.settings = settings
        self.trouble = "not started"  # why there is no link, in an operator's words; empty while there is one
        self._on_event, self._on_link = on_event, on_link
        self._spawn: Spawn = spawn if spawn is not None else gevent.spawn
        self._rng = rng if rng is not None else random.Random()
        self._session: Session | None = None
        self._epoch = 0
        self._closing = Flag()
        self._greenlet: gevent.Greenlet | None = None

    @abstractmethod
    def _open(self) -> Session:
        """Connect, authenticate, subscribe. EslError (NotAdmitted when it is no use to hurry), OSError or gevent.Timeout."""

    def start(self) -> None:
        """As SwitchClient.start."""
        if self._greenlet is None:
            self._greenlet = self._spawn(self._run)

    def close(self) -> None:
        """As SwitchClient.close."""
        self._closing.set()
        if self._session is not None:
            self._session.lose("we closed it")
        if self._greenlet is not None and self._greenlet is not gevent.getcurrent():
            self._greenlet.kill()
        self._session, self.trouble = None, "closed"

    def api(self, command: str, deadline_s: float = 5.0) -> str:
        """As SwitchClient.api."""
        return self._alive().api(check_one_line(command), deadline_s)

    def bgapi(self, command: str, job_uuid: str, deadline_s: float = 5.0) -> None:
        """As SwitchClient.bgapi."""
        self._alive().bgapi(check_one_line(command), check_one_line(job_uuid), deadline_s)

    def _alive(self) -> Session:
        session = self._session
        if session is None or session.reason is not None:
            raise EslDisconnected(f"no link to the switch: {self.trouble or (session.reason if session else '')}")
        return session

    def _run(self) -> None:
        failures = 0
        told: LinkLost | None = None  # what was said about this outage
        while not self._closing.is_set():
            lost, held_s = self._one_session()
            if self._closing.is_set():
                return
            if held_s is not None:
                told = None
            failures = 0 if held_s is not None and held_s >= STEADY_S else failures + 1
            self.trouble = lost.reason
            if told is None or (told.mends_itself and not lost.mends_itself):
                log.warning("esl_link_lost switch=%s epoch=%d reason=%s", self.settings.address, lost.epoch, lost.reason)
                told = lost
                self._on_link(lost)
            self._closing.wait(pause_s(self.settings, failures, lost.mends_itself, self._rng))

    def _one_session(self) -> tuple[LinkLost, float | None]:
        """How the link ended, and how long it had held in seconds; None when there was none."""
        try:
            session = self._open()
        except NotAdmitted as error:
            return LinkLost(self._epoch, str(error), mends_itself=False), None
        except (EslError, OSError, gevent.Timeout) as error:
            return LinkLost(self._epoch, why_no_link(self.settings, error)), None
        began_at = time.monotonic()
        self._epoch += 1
        self._session, self.trouble = session, ""
        log.info("esl_link_up switch=%s epoch=%d", self.settings.address, self._epoch)
        self._on_link(LinkUp(self._epoch))
        session.begin()
        session.ended.wait()
        self._session = None
        return LinkLost(self._epoch, session.reason or "closed"), time.monotonic() - began_at


def pause_s(settings: EslSettings, failures: int, mends_itself: bool, rng: random.Random) -> float:
    """Seconds until the next try after so many failures in a row: doubling up to backoff_most_s, and that at once where only a person can mend it."""
    longest = settings.backoff_most_s
    wait_s = min(longest, settings.backoff_first_s * 2.0 ** min(max(failures - 1, 0), 16)) if mends_itself else longest
    return wait_s * rng.uniform(0.5, 1.0)


def why_no_link(settings: EslSettings, error: BaseException) -> str:
    """A failure to connect, in an operator's words."""
    where = settings.address
    if isinstance(error, gevent.Timeout | TimeoutError):
        return f"the switch at {where} did not answer within {settings.connect_timeout_s:g} s"
    if isinstance(error, socket.gaierror):
        return f"the switch's name {settings.host!r} is not known: {error.strerror or error}"
    if isinstance(error, OSError):
        if error.errno == errno.ECONNREFUSED:
            return f"nothing listens at {where}: is FreeSWITCH running, with mod_event_socket loaded?"
        return f"the switch at {where} can't be reached: {error.strerror or error}"
    return str(error)


def password_refused(settings: EslSettings) -> NotAdmitted:
    """The switch answered `-ERR invalid` to auth."""
    return NotAdmitted(f"the switch at {settings.address} refused the password: check that it is the one in the switch's event_socket.conf.xml")


def address_refused(settings: EslSettings) -> NotAdmitted:
    """The switch sent text/rude-rejection: its access list does not hold our address."""
    return NotAdmitted(f"the switch at {settings.address} does not admit this machine: check apply-inbound-acl in the switch's event_socket.conf.xml")
