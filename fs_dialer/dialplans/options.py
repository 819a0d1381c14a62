"""What our dialplan must know of the switch and of the installation, and the sounds that it may play.

Pure. How the switch comes by its files is dialplans/files.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fs_dialer.config.values import BadValue, sound
from fs_dialer.core.definition import GatewayDefinition
from fs_dialer.errors import EslUnsafe

RELEASE_AFTER_S = 30
MUSIC = "local_stream://moh"
MUSIC_AFTER_S = 1  # whoever is parked by our dialplan hears music by then; a daemon that plays its own takes this one away (sched_del)
BEEP = "tone_stream://%(400,100,800)"
SHORT_SILENCE = "silence_stream://100"
SILENCE_THRESHOLD = 200  # of the switch's energy scale: below it nobody speaks
_FOLDER = re.compile(r"/?[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*){0,31}")
_NUMBER = re.compile(r"\+?[0-9]{1,20}")
_GATEWAY = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class SwitchOptions:
    """`recordings`: a folder by the switch's own path, which it may write to. `notice`: a sound file for legs whose daemon is gone, None = none. `music`: what
    they, and whoever waits in a flow, hear. release_after_s: whole seconds from the arrival in a fallback to the hang-up. `gateways`: for transfers."""

    recordings: str = "/var/lib/fs-dialer/recordings"
    notice: str | None = None
    music: str = MUSIC
    release_after_s: int = RELEASE_AFTER_S
    gateways: tuple[GatewayDefinition, ...] = ()


def played(path: str) -> str:
    """A sound as config takes it. EslUnsafe for what the switch would take for something else (D7)."""
    try:
        return sound(path)
    except BadValue as error:
        raise EslUnsafe(str(error)) from None


def finite(path: str) -> str:
    """The same, of one that ends: a stream of music never does."""
    if path.startswith(("local_stream://", "silence_stream://-")):
        raise EslUnsafe(f"not a sound that ends: {path!r}")
    return played(path)


def recording(options: SwitchOptions, *below: str) -> str:
    """The beginning of a recording's path. EslUnsafe for a folder that the switch would split or expand."""
    folder = options.recordings.rstrip("/")
    if not _FOLDER.fullmatch(folder):
        raise EslUnsafe(f"not the path of a folder without blanks and odd characters: {options.recordings!r}")
    return "/".join((folder, *below))


def gateway_dial(gateway: GatewayDefinition, number: str) -> str:
    """sofia/gateway/NAME/NUMBER, with the number as this trunk wants it."""
    if not _NUMBER.fullmatch(number) or not _GATEWAY.fullmatch(gateway.id):
        raise EslUnsafe(f"not a number by a gateway: {number!r} by {gateway.id!r}")
    return f"sofia/gateway/{gateway.id}/" + (gateway.prefix + number.lstrip("+") if gateway.prefix or not gateway.plus else number)
