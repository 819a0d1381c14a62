"""What an administrator would have set on the simulated switch, and the small dialplan it knows.

Knows limits, names, timings and extensions. Knows nothing of calls or events. Timings are those measured on FreeSWITCH 1.11.2 on loopback
(freeswitch.md, tests/captures); seconds throughout.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

Applications = tuple[tuple[str, str], ...]
"""Name and data, in the order they run."""

FALLBACK: Final[Applications] = (  # as conf/freeswitch/dialplan/fsd.xml
    ("sched_hangup", "+30 ALLOTTED_TIMEOUT"),
    ("set", "fsd_fallback=true"),
    ("log", "WARNING fs-dialer: nobody has looked after this leg for 30 s; it is in fsd_fallback and will be released"),
    ("answer", ""),
    ("playback", "local_stream://moh"),
    ("hangup", "NORMAL_CLEARING"),
)
EXTENSIONS: Final[Mapping[tuple[str, str], Applications]] = MappingProxyType({("fsd", "fsd_fallback"): FALLBACK})


@dataclass(frozen=True, slots=True)
class SwitchSettings:
    """One switch. Everything has the value of the switch that was recorded, or of a default installation."""

    events: frozenset[str] | None = None
    """Names of the events that anybody wants; others are not even made. None = all of them."""
    detailed: bool = True
    """Keep what full_headers() needs. Virtual time, which reads the lean headers only, is faster and smaller without."""
    event_lag_s: float = 0.0
    """How long after it happened an event comes out of advance(). The TCP server bursts every 20 ms instead and leaves this at 0."""

    max_sessions: int = 2000
    sessions_per_second: int = 500
    """One less than this many legs are made in a second: the switch counts down before it compares (s02v)."""
    gateways: Mapping[str, bool] | None = None
    """Name -> is it up. None = any name is a gateway that is up."""
    profiles: frozenset[str] | None = None
    """Sofia profiles by name; None = any name is one."""
    users: frozenset[str] | None = None
    """Directory users that `user/X` may call; None = everybody is registered."""
    duplicate_uuid: Literal["by_endpoint", "fresh"] = "by_endpoint"
    """What an origination_uuid in use does. Sofia refuses the leg (-ERR DESTINATION_OUT_OF_ORDER), null/ takes a fresh uuid; "fresh": all do."""

    extensions: Mapping[tuple[str, str], Applications] = field(default_factory=lambda: EXTENSIONS)
    """(context, extension) -> applications: all the dialplan there is."""
    dialplan: tuple[str, ...] = ()
    """Files of XML dialplan. An extension here comes before one of the same name in the table above."""
    missing_files: frozenset[str] = frozenset()
    """Paths that playback does not find, besides any whose name contains `nosuch`."""
    unwritable: frozenset[str] = frozenset()
    """Paths that uuid_record can not write, besides any whose name contains `nosuch`."""
    file_lengths_s: Mapping[str, float] = field(default_factory=dict)
    """Length of sound files by path; others take default_file_s. Streams last until they are stopped."""
    default_file_s: float = 1.2

    sound_prefix: str = "/usr/share/freeswitch/sounds"
    listen_ip: str = "127.0.0.1"
    """As event_socket.conf.xml would say it. The simulated switch listens on loopback whatever this is."""

    core_uuid: str = "721164d4-3568-4c7c-85c1-4dcf314addb9"
    hostname: str = "vm"
    switchname: str = "simfs"
    ipv4: str = "192.0.2.2"
    ipv6: str = "fd00::2"
    domain: str = "127.0.0.1"
    sip_port: int = 5070
    version: str = "1.11.2-release"
    version_long: str = "1.11.2-release+git~20260809T162310Z~3f13ad1b1d~64bit"
    build: str = "git 3f13ad1 2026-08-09 16:23:10Z 64bit"

    heartbeat_s: float = 20.0
    tick_s: float = 0.02
    """The step of the switch's clock and of its media threads."""
    bridge_delay_s: tuple[float, float] = (0.02, 0.05)
    """From uuid_bridge to the legs leaving what they did; CHANNEL_BRIDGE follows two or three ticks later."""
    broadcast_delay_s: tuple[float, float] = (0.1, 0.2)
    channels_lag_s: float = 0.03
    """`show channels` is written behind by about this much (freeswitch.md 37)."""
    sip_timer_b_s: float = 32.0
    bound_key_s: float = 0.3
    """From a bound key to its action (freeswitch.md 40)."""
    word_s: float = 0.45
    """How long a spoken word or digit takes, whoever speaks it."""
    order_variety: float = 0.12
    """Share of the cases in which the rarer of two orders is taken, wherever a real switch shows both (freeswitch.md 12, 16, 17, 29)."""

    def file_length_s(self, path: str) -> float | None:
        """None = plays for ever (a stream); a missing file is asked for with has_file first."""
        if path.startswith("silence_stream://"):
            number = path.removeprefix("silence_stream://").split(",")[0]
            return int(number) / 1000 if number.isdecimal() else None
        if path.startswith("say:"):
            return max(1, len(path.removeprefix("say:").split())) * self.word_s
        if path.startswith("file_string://"):
            lengths = [self.file_length_s(each) for each in path.removeprefix("file_string://").split("!")]
            return None if None in lengths else sum(length for length in lengths if length is not None)
        if path.startswith("tone_stream://"):
            return _tone_length_s(path)
        if "://" in path:
            return None
        return self.file_lengths_s.get(path, self.default_file_s)

    def may_write(self, path: str) -> bool:
        """Whether a recording can be written there; its folders are made."""
        return path not in self.unwritable and "nosuch" not in path

    def has_file(self, path: str) -> bool:
        """Whether playback finds it. Of several in one file_string:// the first decides."""
        path = path.removeprefix("file_string://").partition("!")[0]
        return path not in self.missing_files and "nosuch" not in path


_TONE: Final = re.compile(r"%\((\d+),(\d+)")
_LOOPS: Final = re.compile(r"(?:loops|L)=(-?\d+)")


def _tone_length_s(path: str) -> float | None:
    """`tone_stream://%(on,off,frequency …);loops=n`: milliseconds; -1 loops = for ever."""
    loops = _LOOPS.search(path)
    count = int(loops[1]) if loops else 1
    return None if count < 0 else max(1, count) * sum(int(on) + int(off) for on, off in _TONE.findall(path)) / 1000
