"""A queue of inbound callers as FreeSWITCH dialplan: its door, its keys, and what becomes of its callers when there is no agent, or no daemon.

Pure. The daemon owns the queue: it plays, announces, rings agents and decides about keys. The dialplan does what must not depend on it. Extensions, in the
context fsd_queue; somebody else's dialplan transfers callers to the first, by `transfer support XML fsd_queue`:

| extension | what it does |
|---|---|
| `support` | answers, notes who and when, binds the keys, arms the fallback and music for a silent daemon, tells `enter`, parks |
| `support.key` | run by the right key, beside whatever the caller hears: keeps a row with the time of the press, then tells `key` |
| `support.fallback` | a timer's, when no daemon has put it off for 30 s: notice, then voice mail, the number, or music and release |
| `support.overflow` | the daemon's, for a caller who waited too long |

**Keys.** All twelve are bound one by one (an expression among them would make each wait for its time-out), so none raises a DTMF event. They are unbound
when an agent is put on the line, so that the agent's side hears them.

**Rows** (switch_names.py) are written by the switch before anything is told: one whom the fallback let go leaves `released` at his hang-up, whoever of the
two hung up, or `voicemail` where his message lasts a second; unless an agent has talked with him.

A caller's number is taken up if it is digits, perhaps after a plus; his name, and whatever else his telephone says, is never named (D7).
"""

from __future__ import annotations

import math

from fs_dialer.core import switch_names as names
from fs_dialer.core.leg_plan import FALLBACK_AFTER_S
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.dialplans.dialplan import (
    MATCH,
    NOW,
    NOW_LATER,
    VOICEMAIL_OR_RELEASED,
    Action,
    Condition,
    Context,
    Data,
    Extension,
    Later,
    Part,
    Ref,
    always,
    render,
    render_bare,
)
from fs_dialer.dialplans.options import BEEP, MUSIC_AFTER_S, SILENCE_THRESHOLD, SwitchOptions, finite, gateway_dial, played, recording
from fs_dialer.errors import EslUnsafe

CONTEXT = names.QUEUE_CONTEXT
KEYS = (*"0123456789", "*", "#")
SYMBOLS = {"star": "*", "hash": "#"}
DOOR_COMMENT = """Made by fs-dialer (switch install); a change made here is lost with the next installation.
Queues of inbound callers. Your dialplan sends a caller there by: transfer NAME XML fsd_queue"""
PUBLIC_COMMENT = """Made by fs-dialer (switch install); a change made here is lost with the next installation.
Callers of these numbers go to a queue of fs-dialer. The numbers stand in its definition."""
VOICEMAIL, ELSEWHERE = "voicemail", "number"  # words in the path of a caller whom the overflow took
MESSAGE_SILENCE_S = 5
RING_S = 30
NUMBER = r"^(\+?[0-9]{1,20})$"
SAFE_UUID = "^[A-Za-z0-9@._-]{1,100}$"  # a profile may take the caller's Call-ID for it (inbound-use-callid-as-uuid)


def queue_file(queues: tuple[QueueDefinition, ...], options: SwitchOptions) -> str:
    """The whole of dialplan/fsd_queue.xml. EslUnsafe for a queue that holds what the switch would take apart (D7)."""
    return render(Context(CONTEXT, tuple(each for queue in queues for each in render_queue(queue, options))), DOOR_COMMENT)


def public_file(queues: tuple[QueueDefinition, ...]) -> str:
    """dialplan/public/00_fsd_queues.xml: who calls these numbers comes to these queues. "" = no queue has any."""
    doors = tuple(
        Extension(queue.numbers[0], (Action("transfer", f"{queue.name} XML {CONTEXT}"),), also=queue.numbers[1:]) for queue in queues if queue.numbers
    )
    return render_bare(doors, PUBLIC_COMMENT) if doors else ""


def render_queue(queue: QueueDefinition, options: SwitchOptions) -> tuple[Extension, ...]:
    found = [_door(queue, options), _fallback(queue, options), _overflow(queue, options)]
    if queue.callback is not None:
        found.insert(1, _key(queue))
    return tuple(found)


# --- the door and the keys ----------------------------------------------------------------------------------------------------------------


def _door(queue: QueueDefinition, options: SwitchOptions) -> Extension:
    right = _right_key(queue)
    return Extension(
        queue.name,
        (
            Action("answer"),
            Action("set", f"{names.QUEUE}={queue.name}"),
            Action("set", (f"{names.SINCE}=", NOW)),
            Action("set", f"{names.NUMBER}="),
            Action("set", "playback_terminators=none"),
        ),
        (
            Condition("caller_id_number", NUMBER, (Action("set", (f"{names.NUMBER}=", MATCH)),), breaks="never"),
            always(
                Action("sched_transfer", f"+{FALLBACK_AFTER_S} {queue.name}.fallback XML {CONTEXT}"),
                *(Action("bind_digit_action", _binding(queue, key, key == right)) for key in KEYS),
                Action("digit_action_set_realm", names.QUEUE),
                Action("set", "execute_on_pre_bridge=clear_digit_action all"),
                *_music(queue, options),
                Action("event", _told("enter")),
                Action("park"),
            ),
        ),
        first=(Condition("uuid", SAFE_UUID),),
    )


def _music(queue: QueueDefinition, options: SwitchOptions) -> tuple[Action, ...]:
    """For those whom no daemon takes over at once. A file ends, or is missing: then the installation's own music, queued behind it."""
    first = Action("sched_broadcast", f"+{MUSIC_AFTER_S} {played(queue.music)}")
    if queue.music.startswith("local_stream://"):
        return (first,)
    return first, Action("sched_broadcast", f"+{MUSIC_AFTER_S + 1} {played(options.music)}")


def _right_key(queue: QueueDefinition) -> str | None:
    return None if queue.callback is None else SYMBOLS.get(queue.callback.key, queue.callback.key)


def _binding(queue: QueueDefinition, key: str, right: bool) -> str:
    """exec[i]: runs at once beside the music; exec: would wait for its end (freeswitch.md 41)."""
    if right:
        return f"{names.QUEUE},{key},exec[i]:execute_extension,{queue.name}.key XML {CONTEXT}"
    return f"{names.QUEUE},{key},exec[i]:event,'{_told('wrong', f'{names.KEY}={key}')}'"


def _key(queue: QueueDefinition) -> Extension:
    key = _right_key(queue)
    return Extension(
        f"{queue.name}.key",
        (
            Action("db", _row(queue, names.KEPT_KEY)),
            Action("event", (_told("key", f"{names.KEY}={key}", f"{names.AT}="), NOW)),
        ),
        first=(Condition((Ref("last_bridge_to"),), "^$"),),
    )


# --- nobody there -------------------------------------------------------------------------------------------------------------------------


def _fallback(queue: QueueDefinition, options: SwitchOptions) -> Extension:
    """The row is written at the hang-up, by whichever side. The time of release counts from the arrival for those who hear music only."""
    hook: Data = ("api_hangup_hook=db ", *_insert(queue, VOICEMAIL_OR_RELEASED, NOW_LATER))
    notice = [Action("playback", finite(options.notice))] if options.notice else []
    return Extension(
        f"{queue.name}.fallback",
        (
            Action("sched_cancel"),
            Action("set", "fsd_fallback=true"),
            Action("log", "WARNING fs-dialer: nobody has looked after this caller for 30 s; the fallback of his queue takes him"),
            Action("answer"),
            Action("set", "record_seconds=0"),
            Action("set", hook),
            *notice,
            *_elsewhere(queue, options),
            Action("sched_hangup", f"+{_release_s(options)} ALLOTTED_TIMEOUT"),
            Action("playback", played(options.music)),
            Action("hangup", "NORMAL_CLEARING"),
        ),
        first=(Condition((Ref("last_bridge_to"),), "^$"),),
    )


def _overflow(queue: QueueDefinition, options: SwitchOptions) -> Extension:
    """The daemon removed the timers on the way here, and may have set a limit: it stays."""
    return Extension(f"{queue.name}.overflow", (Action("clear_digit_action", "all"), *_elsewhere(queue, options), Action("hangup", "NORMAL_CLEARING")))


def _elsewhere(queue: QueueDefinition, options: SwitchOptions) -> tuple[Action, ...]:
    """What the definition says for a caller whom nobody serves. What comes after it is met by those for whom it failed."""
    overflow = queue.overflow
    sound = (Action("playback", finite(overflow.sound)),) if overflow.sound else ()
    if overflow.do == "voicemail":
        path: Data = (f"{recording(options, 'queue')}/", Ref("uuid"), f".wav {math.ceil(overflow.at_most_s)} {SILENCE_THRESHOLD} {MESSAGE_SILENCE_S}")
        return (
            *sound,
            Action("playback", BEEP),
            Action("mkdir", recording(options, "queue")),
            Action("set", "playback_terminators=#"),
            Action("set", (f"execute_on_record_stop=set {names.PATH}={VOICEMAIL}=", Later(Ref("record_seconds")))),
            Action("record", path),
            Action("hangup", "NORMAL_CLEARING"),
        )
    if overflow.do == "number":
        gateway = next((each for each in options.gateways if not overflow.gateway or each.id == overflow.gateway), None)
        if gateway is None:
            raise EslUnsafe(f"queue {queue.name}: no gateway {overflow.gateway!r} for its number")
        return (
            *sound,
            Action("set", "hangup_after_bridge=true"),
            Action("set", "continue_on_fail=true"),
            Action("set", "ignore_early_media=true"),  # a 183 is no answer
            Action("set", f"call_timeout={RING_S}"),
            Action("set", f"transfer_ringback={played(options.music)}"),
            Action("set", ("effective_caller_id_number=", Ref(names.NUMBER))),
            Action("set", ("effective_caller_id_name=", Ref(names.NUMBER))),
            Action("set", "execute_on_pre_bridge_1=sched_cancel"),
            Action("set", f"execute_on_pre_bridge_2=set {names.PATH}={ELSEWHERE}=answered"),
            Action("set", "execute_on_pre_bridge_3=unset api_hangup_hook"),
            Action("bridge", gateway_dial(gateway, overflow.number)),
        )
    return sound


def _release_s(options: SwitchOptions) -> int:
    if isinstance(options.release_after_s, bool) or not 1 <= options.release_after_s <= 600:
        raise EslUnsafe(f"not 1 to 600 whole seconds: {options.release_after_s!r}")
    return options.release_after_s


# --- words --------------------------------------------------------------------------------------------------------------------------------


def _row(queue: QueueDefinition, what: str) -> Data:
    return _insert(queue, what, NOW)


def _insert(queue: QueueDefinition, what: Part, at: Part) -> tuple[Part, ...]:
    return f"insert/{names.KEPT}/", Ref("uuid"), ".", what, f"/{queue.name};", Ref(names.NUMBER), ";", Ref(names.SINCE), ";", at


def _told(what: str, *headers: str) -> str:
    return ",".join(("Event-Name=CUSTOM", f"Event-Subclass={names.EVENT_QUEUE}", f"{names.WHAT}={what}", *headers))
