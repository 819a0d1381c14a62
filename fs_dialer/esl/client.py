"""What the runtime may ask of a switch, whichever library carries it.

Knows the port (SwitchClient), its settings and its two link events, and which adapter belongs to which name. Knows nothing of sockets: the
adapters are imported when one is opened, so this file needs neither gevent nor greenswitch. Why `native` is the default:
docs/decisions/0002-esl-client.md.
"""

from __future__ import annotations

import importlib
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from fs_dialer.errors import ConfigError, EslRefused, EslUnsafe, Problem
from fs_dialer.esl.wire import Event

CLIENT_KINDS = ("native", "greenswitch", "python-esl")

# The narrow subscription: what a call's story needs, and every CREATE and DESTROY, ours or not, because limits count all legs (spec D2).
DEFAULT_EVENTS = (
    "BACKGROUND_JOB",
    "CHANNEL_CREATE",
    "CHANNEL_PROGRESS",
    "CHANNEL_PROGRESS_MEDIA",
    "CHANNEL_ANSWER",
    "CHANNEL_PARK",
    "CHANNEL_BRIDGE",
    "CHANNEL_UNBRIDGE",
    "CHANNEL_HANGUP",
    "CHANNEL_HANGUP_COMPLETE",
    "CHANNEL_DESTROY",
    "PLAYBACK_STOP",
    "DTMF",
    "SHUTDOWN",
)

_EVENT_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_SUBCLASS = re.compile(r"[A-Za-z0-9_.:-]+")


@dataclass(frozen=True, slots=True)
class EslSettings:
    """Where the event socket is and how patient we are. The password never shows in repr(), in logs or in an error."""

    host: str = "127.0.0.1"
    port: int = 8021
    password: str = field(default="", repr=False)
    event_format: Literal["json", "plain"] = "json"  # json costs least to read, and escapes even header names
    events: tuple[str, ...] = DEFAULT_EVENTS
    custom_events: tuple[str, ...] = ()  # subclasses; written last, for every word after CUSTOM is one (s01b)
    connect_timeout_s: float = 5.0  # for a connection and its authentication
    ping_every_s: float = 2.0
    ping_deadline_s: float = 5.0  # silence after a ping that means the link is gone
    backoff_first_s: float = 0.5
    backoff_most_s: float = 30.0

    def __post_init__(self) -> None:
        if "\n" in self.password or "\r" in self.password or "\0" in self.password:
            raise EslUnsafe("the event socket's password holds a line end")
        for name in self.events:
            if not _EVENT_NAME.fullmatch(name) or name in ("ALL", "CUSTOM"):
                raise EslUnsafe(f"not the name of one event: {name!r}")
        for name in self.custom_events:
            if not _SUBCLASS.fullmatch(name):
                raise EslUnsafe(f"not the subclass of a CUSTOM event: {name!r}")

    @property
    def address(self) -> str:
        """For people: 127.0.0.1:8021."""
        return f"{self.host}:{self.port}"

    def subscription(self, event_format: str | None = None) -> str:
        """The words after `event`: format, names, and CUSTOM with its subclasses last."""
        custom = ("CUSTOM", *self.custom_events) if self.custom_events else ()
        return " ".join((event_format or self.event_format, *self.events, *custom))


@dataclass(frozen=True, slots=True)
class LinkUp:
    """Both connections are authenticated and events are subscribed; those that follow belong to this epoch. Epochs grow by one, from 1."""

    epoch: int


@dataclass(frozen=True, slots=True)
class LinkLost:
    """The link is gone, or could not be had: once for an outage, and once more if the switch then turns us away.

    `epoch` is that of the link that was lost, 0 before the first. `mends_itself` is False when only a person can mend it: a wrong password, an access
    list. Either way the client goes on trying.
    """

    epoch: int
    reason: str
    mends_itself: bool = True


class SwitchClient(Protocol):
    """Commands to one switch and its events. Commands may come from many greenlets at once; the switch answers in order.

    Callbacks come from the client's own greenlets, one at a time and in order: LinkUp, its events, LinkLost. They must only take note (put into an
    inbox): a callback that waits holds up everything behind it.
    """

    def start(self) -> None:
        """Begin to connect, and stay connected until close(); returns at once."""

    def close(self) -> None:
        """Let go of the switch. No callback follows; commands still waiting raise EslDisconnected."""

    def api(self, command: str, deadline_s: float = 5.0) -> str:
        """Run an API command in line and give its output, `-ERR …` included (expect_ok).

        EslDisconnected when the link is down, or goes down, or the deadline passes: it may or may not have been done. A passed deadline costs the
        link, for replies would be out of step. EslUnsafe for a command of more than one line.
        """

    def bgapi(self, command: str, job_uuid: str, deadline_s: float = 5.0) -> None:
        """Have a command run in the background; its output comes as BACKGROUND_JOB under the job_uuid. EslRefused if the switch would not take it,
        EslProtocolError if it took it under another uuid; otherwise as api()."""


OnEvent = Callable[[Event], None]
OnLink = Callable[[LinkUp | LinkLost], None]


def expect_ok(command: str, reply: str) -> str:
    """The reply, when it says +OK; else EslRefused with the switch's words. Of the command only the first word is kept: a number may follow."""
    if not reply.startswith("+OK"):
        raise EslRefused(command.partition(" ")[0], reply)
    return reply


def check_one_line(command: str) -> str:
    """EslUnsafe for a command that would be two. The last gate; commands.py has checked every value before."""
    if not command or any(end in command for end in "\n\r\0"):
        raise EslUnsafe("a command must be one line")
    return command


_ADAPTERS = {
    "native": ("fs_dialer.esl.connection", "NativeClient", ""),
    "greenswitch": ("fs_dialer.esl.adapter_greenswitch", "GreenswitchClient", "pip install greenswitch==0.0.19"),
    "python-esl": (
        "fs_dialer.esl.adapter_python_esl",
        "PythonEslClient",
        "pip install swig==3.0.12 setuptools wheel && pip install --no-build-isolation python-ESL==1.4.18",
    ),
}


def open_client(
    kind: str,
    settings: EslSettings,
    on_event: OnEvent,
    on_link: OnLink,
    rng: random.Random | None = None,
    spawn: Callable[..., Any] | None = None,
) -> SwitchClient:
    """A client of the kind that `esl.client` names, not yet started. ConfigError for an unknown kind, or one whose library is not installed.

    `rng` draws the jitter of reconnecting; `spawn` stands for gevent.spawn where a failed greenlet is to be noticed.
    """
    if kind not in _ADAPTERS:
        raise ConfigError([Problem("", 0, 0, "esl.client", f"{kind!r} is not one of {', '.join(CLIENT_KINDS)}")])
    module_name, class_name, install = _ADAPTERS[kind]
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        if not install or (error.name or "").startswith("fs_dialer"):
            raise
        problem = f"{kind} is chosen, but its library does not load ({error}); install it with: {install}"
        raise ConfigError([Problem("", 0, 0, "esl.client", problem)]) from error
    client: SwitchClient = getattr(module, class_name)(settings, on_event, on_link, rng, spawn)
    return client
