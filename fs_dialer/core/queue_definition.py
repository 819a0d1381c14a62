"""A queue of inbound callers as an admin writes it (S71–S78): who serves it, what callers hear, how long they wait, and the key that asks for a callback.

Pure data, each field declared once (options.py). Queues stand below `queues:` in any file. What the engine knows of one is queue_line.Line; what the switch
knows of it is its extension in the context fsd_queue, rendered by dialplans/queues.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from fs_dialer.core.definition import Recording, WrapUp
from fs_dialer.core.options import option, section
from fs_dialer.core.resources import DAY, HOUR, MINUTE, SECOND

CALLBACK_KEYS = (*"123456789", "star", "hash")  # S72: 0 is not valid


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAgents:
    people: tuple[str, ...] = option((), kind="refs", of="agents", help="The agents who serve it, by their key below agents.", spec="S83 S84")
    teams: tuple[str, ...] = option((), kind="refs", of="teams", help="Teams who serve it: whoever is in them at the time.", spec="S83 S84")
    next: str = option(
        "longest_idle",
        kind="choice",
        choices=("longest_idle", "fewest_calls", "round_robin", "random"),
        help="Which of several free agents gets the next caller.",
    )
    ring_s: float = option(
        20 * SECOND, kind="duration", key="ring", low=5, high=120, help="How long an agent's phone rings before the next one is tried.", spec="S46"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """What callers are told while they wait. Sounds of numbers are the switch's own, digits/1.wav …; above 20 nothing is said."""

    every_s: float | None = option(None, kind="duration", key="every", low=10, high=HOUR, help="How often; left out = never.")
    position: str | None = option(None, kind="sound", of="sounds", help="Played before the caller's place in the line.")
    wait: str | None = option(None, kind="sound", of="sounds", help="Played before the minutes that he will probably wait.")
    minutes: str | None = option(None, kind="sound", of="sounds", help="Played after them.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackKey:
    """The key with which a caller asks to be called back. It must be said in the music (S75)."""

    key: str = option(kind="choice", choices=CALLBACK_KEYS, help="The key: 1 to 9, star or hash.", spec="S72 S75")
    after_s: float = option(20 * SECOND, kind="duration", key="after", low=0, high=HOUR, help="Only so long after the caller came.", spec="S74 S76")
    say: str | None = option(None, kind="sound", of="sounds", help="What he hears before he is let go.", spec="S77")
    too_early: str | None = option(None, kind="sound", of="sounds", help="What he hears when he pressed before `after`; he keeps his place.", spec="S74")
    wrong: str | None = option(None, kind="sound", of="sounds", help="What he hears after another key; he keeps his place.", spec="S73")
    expires_s: float = option(DAY, kind="duration", key="expires", low=10 * MINUTE, high=30 * DAY, help="A request that is older is not called any more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overflow:
    """What becomes of a caller for whom no agent was found in time."""

    do: str = option("hang_up", kind="choice", choices=("hang_up", "voicemail", "number"), help="Let him go, take a message, or put him through elsewhere.")
    sound: str | None = option(None, kind="sound", of="sounds", help="What he hears first.")
    number: str = option("", kind="phone", key="to", help="The number, for `do: number`.")
    gateway: str = option("", kind="ref", of="gateways", help="The trunk to that number; left out = the first of the installation.")
    at_most_s: float = option(2 * MINUTE, kind="duration", key="at_most", low=5, high=10 * MINUTE, help="The longest message.")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDefinition:
    """One queue."""

    name: str = ""
    title: str = option("", kind="text", help="What people call it.", spec="S71")
    numbers: tuple[str, ...] = option(
        (), kind="phones", help="Numbers whose callers come here: `switch install` routes them; none = your own dialplan transfers callers to it.", spec="S71"
    )
    agents: QueueAgents = section(QueueAgents, help="Who serves it.")
    number: str = option("", kind="phone", key="shows", help="What agents' phones show; left out = their own choice.")
    priority: int = option(
        0, kind="count", low=-100, high=100, help="Against campaigns that share its agents: the higher goes first; callbacks come before all.", spec="S86"
    )
    music: str = option("local_stream://moh", kind="sound", of="sounds", help="What callers hear while they wait; it says the key.", spec="S75")
    max_wait_s: float = option(2 * MINUTE, kind="duration", key="max_wait", low=10, high=2 * HOUR, help="The longest a caller waits.", spec="S76")
    announce: Announce = section(Announce, help="What callers are told while they wait.")
    callback: CallbackKey | None = section(lambda: None, cls=CallbackKey, short="key", help="The key with which a caller asks to be called back.", spec="S72")
    overflow: Overflow = section(Overflow, key="then", short="do", help="What becomes of a caller who waited too long.")
    ticket_for_missed: bool = option(
        False, kind="flag", help="`yes`: every caller who met nobody leaves a ticket; one who asked for a callback always does.", spec="S78"
    )
    wrap_up: WrapUp = section(WrapUp, short="time", help="An agent's rest after each call.", spec="S13")
    recording: Recording = section(Recording, short="calls", help="Whether conversations are recorded.")


def sounds_used(queue: QueueDefinition) -> tuple[str, ...]:
    """Files and streams that its callers hear, each once."""
    told, key = queue.announce, queue.callback
    heard = [queue.music, told.position, told.wait, told.minutes, queue.overflow.sound]
    heard += [key.say, key.too_early, key.wrong] if key is not None else []
    return tuple(dict.fromkeys(sound for sound in heard if sound))
