"""The extension that takes over a leg whose daemon is gone: a notice, music for a while, then the hang-up.

    python -m fs_dialer.dialplans.fallback > conf/freeswitch/dialplan/fsd.xml

Every waiting leg carries a timer in the switch, `sched_transfer +28 … fsd_fallback XML fsd`, which the daemon puts off while it lives. So whoever
arrives here has heard nothing of us for 30 s. Nobody needs to be asked. A caller of a queue whom no agent has met yet goes on to the fallback of his
queue (queues.py); of other legs nothing is known: no variable of theirs is named, no digit is read (spec D7).

Why the limit is a `sched_hangup` and the first thing done: it holds whatever the sounds do (missing, endless, longer than meant), and a daemon
that comes back in time takes the leg over with the same `sched_del` that precedes every renewal and bridge. Measured:
docs/decisions/0005-safe-without-the-daemon.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from fs_dialer.core import switch_names as names
from fs_dialer.core.leg_plan import FALLBACK_CONTEXT, FALLBACK_EXTENSION
from fs_dialer.dialplans.dialplan import MATCH, Action, Condition, Context, Extension, Ref, always, render
from fs_dialer.dialplans.options import MUSIC, RELEASE_AFTER_S, played
from fs_dialer.errors import EslUnsafe

RELEASE_AT_MOST_S = 600
MARK = "fsd_fallback"  # a channel variable: in the call's record (CDR) it tells that the leg went this way

COMMENT = """Made by fs-dialer (python -m fs_dialer.dialplans.fallback); a change made here is lost with the next version.
Legs of fs-dialer whose daemon is gone come here by a timer of the switch. They hear music, and are released; docs/switch.md tells more.
Nothing of yours reaches this context, and nothing in it leads out of it, except to the queues of fs-dialer."""
_QUEUE = "^([A-Za-z0-9][A-Za-z0-9_.-]{0,63})/$"


@dataclass(frozen=True, slots=True)
class Fallback:
    """What a leg meets. `notice`: a sound file played first, None = none. `music`: a file or stream; where it ends or is missing, the leg is released
    at once. `release_after_s`: whole seconds from the arrival to the hang-up, notice included, 1–600; the switch's clock makes it up to 1 s less.
    """

    notice: str | None = None
    music: str = MUSIC
    release_after_s: int = RELEASE_AFTER_S


def extension(fallback: Fallback) -> Extension:
    """EslUnsafe for a sound that the switch would take for something else (D7), a stream as notice (it would never end), or a limit out of bounds."""
    if fallback.notice is not None and "://" in fallback.notice:
        raise EslUnsafe(f"a notice is a file, it has to end: {fallback.notice!r}")
    if isinstance(fallback.release_after_s, bool) or not 1 <= fallback.release_after_s <= RELEASE_AT_MOST_S:
        raise EslUnsafe(f"not 1 to {RELEASE_AT_MOST_S} whole seconds: {fallback.release_after_s!r}")
    sounds = [sound for sound in (fallback.notice, fallback.music) if sound is not None]
    to_queue = Action("transfer", (MATCH, f".fallback XML {names.QUEUE_CONTEXT}"))
    release = always(
        Action("sched_hangup", f"+{fallback.release_after_s} ALLOTTED_TIMEOUT"),
        Action("set", f"{MARK}=true"),
        Action("log", "WARNING fs-dialer: nobody has looked after this leg for 30 s; it is in fsd_fallback and will be released"),
        Action("answer"),
        *(Action("playback", played(sound)) for sound in sounds),
        Action("hangup", "NORMAL_CLEARING"),
    )
    queued = Condition((Ref(names.QUEUE), "/", Ref("last_bridge_to")), _QUEUE, (to_queue,), breaks="on-true")
    return Extension(FALLBACK_EXTENSION, (), (queued, release))


def fallback_file(fallback: Fallback) -> str:
    """The whole of dialplan/fsd.xml."""
    return render(Context(FALLBACK_CONTEXT, (extension(fallback),)), COMMENT)


if __name__ == "__main__":
    print(fallback_file(Fallback()), end="")
