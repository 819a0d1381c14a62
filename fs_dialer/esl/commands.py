"""The commands a dialer sends, as text, from values that have been checked.

Pure. One rule (spec D7): nothing that anybody typed, imported or said may change the shape of a command, nor be expanded by the switch afterwards.
So every value matches an allow-list or is refused (EslUnsafe); nothing is escaped, because FreeSWITCH takes a command apart more than once and every
pass strips a layer: `originate` cuts at blanks and drops the quotes, then cuts {…} at commas. Therefore a value inside {…} may hold blanks (quoted,
recorded in s02a) but no comma and no blank at either end, and is never empty (`{a=}` sets nothing).

The text has no newline; the client ends and sends it (`bgapi` adds its Job-UUID).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NewType

from fs_dialer.core.switch_names import KEPT, KEPT_KEY, KEPT_OPT_OUT, KEPT_RELEASED, KEPT_VOICEMAIL
from fs_dialer.errors import EslUnsafe

Endpoint = NewType("Endpoint", str)
Leg = Literal["aleg", "bleg", "both"]
Recording = Literal["start", "stop", "mask", "unmask"]

_NUMBER = re.compile(r"\+?[0-9]{1,20}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_KEPT_ROW = re.compile(rf"{_UUID.pattern}\.(?:{KEPT_KEY}|{KEPT_RELEASED}|{KEPT_VOICEMAIL}|{KEPT_OPT_OUT})")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_EXTENSION = re.compile(r"[A-Za-z0-9_+*#.-]{1,160}")
_DIGITS = re.compile(r"[0-9A-D*#]{1,64}")
_TEXT = re.compile(r"[A-Za-z0-9+\-._:/@,](?:[A-Za-z0-9 +\-._:/@,]{0,254}[A-Za-z0-9+\-._:/@,])?")
_APPLICATION = re.compile(r"[a-z][a-z0-9_]{0,31}")
_ARGUMENTS = re.compile(r"[A-Za-z0-9+\-._:/@]{0,255}")
_SOUND = re.compile(
    r"(?=.{1,255}\Z)(?:/?[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*){0,31}"  # a file; no component begins with a dot
    r"|local_stream://[A-Za-z0-9_.-]{1,64}"
    r"|silence_stream://-?[0-9]{1,9}"
    r"|(?:tone_stream://(?:%\([0-9]{1,6}(?:,[0-9.]{1,9}){1,5}\)){1,8}))"
)
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"
_USER = r"[A-Za-z0-9_+][A-Za-z0-9_+.-]{0,63}"
_ENDPOINT = re.compile(
    rf"user/{_USER}(?:@{_HOST})?"
    rf"|sofia/gateway/[A-Za-z0-9_.-]{{1,64}}/{_USER}"
    rf"|sofia/(?!gateway/)[A-Za-z0-9_.-]{{1,64}}/{_USER}(?:@{_HOST}(?::[0-9]{{1,5}})?|%{_HOST})"
    rf"|loopback/{_USER}(?:/[A-Za-z0-9_.-]{{1,64}})?"
)

# Names whose value the switch runs. Only our own typed helpers give them one.
_RUN_BY_SWITCH = ("execute_on_", "api_", "exec_", "bridge_pre_execute", "session_in_hangup_hook")

# switch_types.h, SWITCH_CAUSE_*. The switch takes an unknown name for NORMAL_CLEARING without a word (s04e).
# fmt: off
HANGUP_CAUSES = frozenset((
    "UNALLOCATED_NUMBER", "NO_ROUTE_TRANSIT_NET", "NO_ROUTE_DESTINATION", "CHANNEL_UNACCEPTABLE", "CALL_AWARDED_DELIVERED", "NORMAL_CLEARING",
    "USER_BUSY", "NO_USER_RESPONSE", "NO_ANSWER", "SUBSCRIBER_ABSENT", "CALL_REJECTED", "NUMBER_CHANGED", "REDIRECTION_TO_NEW_DESTINATION",
    "EXCHANGE_ROUTING_ERROR", "DESTINATION_OUT_OF_ORDER", "INVALID_NUMBER_FORMAT", "FACILITY_REJECTED", "RESPONSE_TO_STATUS_ENQUIRY",
    "NORMAL_UNSPECIFIED", "NORMAL_CIRCUIT_CONGESTION", "NETWORK_OUT_OF_ORDER", "NORMAL_TEMPORARY_FAILURE", "SWITCH_CONGESTION",
    "ACCESS_INFO_DISCARDED", "REQUESTED_CHAN_UNAVAIL", "PRE_EMPTED", "FACILITY_NOT_SUBSCRIBED", "OUTGOING_CALL_BARRED", "INCOMING_CALL_BARRED",
    "BEARERCAPABILITY_NOTAUTH", "BEARERCAPABILITY_NOTAVAIL", "SERVICE_UNAVAILABLE", "BEARERCAPABILITY_NOTIMPL", "CHAN_NOT_IMPLEMENTED",
    "FACILITY_NOT_IMPLEMENTED", "SERVICE_NOT_IMPLEMENTED", "INVALID_CALL_REFERENCE", "INCOMPATIBLE_DESTINATION", "INVALID_MSG_UNSPECIFIED",
    "MANDATORY_IE_MISSING", "MESSAGE_TYPE_NONEXIST", "WRONG_MESSAGE", "IE_NONEXIST", "INVALID_IE_CONTENTS", "WRONG_CALL_STATE",
    "RECOVERY_ON_TIMER_EXPIRE", "MANDATORY_IE_LENGTH_ERROR", "PROTOCOL_ERROR", "INTERWORKING", "ORIGINATOR_CANCEL", "CRASH", "SYSTEM_SHUTDOWN",
    "LOSE_RACE", "MANAGER_REQUEST", "BLIND_TRANSFER", "ATTENDED_TRANSFER", "ALLOTTED_TIMEOUT", "USER_CHALLENGE", "MEDIA_TIMEOUT", "PICKED_OFF",
    "USER_NOT_REGISTERED", "PROGRESS_TIMEOUT", "INVALID_GATEWAY", "GATEWAY_DOWN", "INVALID_URL", "INVALID_PROFILE", "NO_PICKUP", "SRTP_READ_ERROR",
    "BOWOUT", "BUSY_EVERYWHERE", "DECLINE", "DOES_NOT_EXIST_ANYWHERE", "NOT_ACCEPTABLE", "UNWANTED",
))
# fmt: on


@dataclass(frozen=True, slots=True)
class ScheduledTransfer:
    """The one value of ours that the switch runs: `execute_on_answer` with it sends a leg to an extension unless somebody takes it away in time."""

    after_s: int
    extension: str
    context: str
    dialplan: str = "XML"

    def text(self) -> str:
        """As an application and its arguments, for a variable of the execute_on_ family."""
        return f"sched_transfer +{_seconds(self.after_s)} {_destination(self.extension, self.dialplan, self.context)}"


Value = str | int | bool | ScheduledTransfer


# ---- endpoints


def gateway_endpoint(gateway: str, number: str) -> Endpoint:
    """Out through a SIP trunk: sofia/gateway/NAME/NUMBER. A number is digits, perhaps after a plus, at most 20; anything else is refused."""
    return Endpoint(f"sofia/gateway/{_checked(_NAME, gateway, 'a gateway name')}/{_number(number)}")


def agent_endpoint(dial_string: str) -> Endpoint:
    """An agent's phone, from the engineer's YAML: user/1001, user/1001@pbx.example, sofia/internal/1001@127.0.0.1:5090, sofia/gateway/pbx/1001,
    sofia/internal/1001%pbx.example, loopback/1001/default. One destination: no list, no {variables} or [variables], no ;parameters.
    """
    return Endpoint(_checked(_ENDPOINT, dial_string, "a dial string such as user/1001 or sofia/internal/1001@127.0.0.1:5090"))


# ---- originate


def originate(uuid: str, endpoint: Endpoint, variables: Mapping[str, Value], app: str = "park", app_args: str = "") -> str:
    """Call `endpoint` under our uuid and run one application when it succeeds. `variables` in their order, after origination_uuid.

    The switch does not refuse a uuid in use, it takes another: compare the one in the reply. An application that does not exist hangs up.
    """
    call = f"&{_checked(_APPLICATION, app, 'an application')}({_checked(_ARGUMENTS, app_args, 'an argument')})"
    return f"originate {_variables(uuid, variables)}{_endpoint(endpoint)} {call}"


def originate_to_extension(uuid: str, endpoint: Endpoint, variables: Mapping[str, Value], extension: str, context: str, dialplan: str = "XML") -> str:
    """As originate(), but a leg that is up goes to an extension of the dialplan."""
    return f"originate {_variables(uuid, variables)}{_endpoint(endpoint)} {_destination(extension, dialplan, context)}"


def _variables(uuid: str, variables: Mapping[str, Value]) -> str:
    if "origination_uuid" in variables:
        raise EslUnsafe("origination_uuid is given as uuid")
    pairs = [f"origination_uuid={_uuid(uuid)}"]
    for name, value in variables.items():
        pairs.append(f"{_variable(name, value)}={_inside_braces(value)}")
    return "{" + ",".join(pairs) + "}"


def _inside_braces(value: Value) -> str:
    text = _text(value)
    if "," in text:
        raise EslUnsafe(f"a comma in a variable of originate would begin the next one: {text!r}")
    return f"'{text}'" if " " in text else text


# ---- what is done to a leg


def uuid_bridge(a: str, b: str) -> str:
    """Connect two answered legs. With one that still rings the switch destroys both; a leg and itself would hang for ever: refused here."""
    if _uuid(a).lower() == _uuid(b).lower():
        raise EslUnsafe("a leg can't be bridged to itself")
    return f"uuid_bridge {a} {b}"


def uuid_kill(uuid: str, cause: str) -> str:
    """Hang up. While it rings, give ORIGINATOR_CANCEL: the switch's own default would look like a call that ended well (s02i2)."""
    return f"uuid_kill {_uuid(uuid)} {_cause(cause)}"


def uuid_broadcast(uuid: str, path: str, leg: Leg = "aleg") -> str:
    """Play a file or a stream to a leg. It starts 100-200 ms after the reply; a missing file says so only in CHANNEL_EXECUTE_COMPLETE (s04c)."""
    return f"uuid_broadcast {_uuid(uuid)} {_sound(path)} {_leg(leg)}"


def uuid_announce(uuid: str, sounds: Sequence[str]) -> str:
    """Play files one behind the other, as one sound: one PLAYBACK_STOP when the last is over. Streams have no end and are refused."""
    if not sounds or any(path.startswith("local_stream://") for path in sounds):
        raise EslUnsafe(f"nothing to be announced: {sounds!r}")
    return f"uuid_broadcast {_uuid(uuid)} file_string://{'!'.join(_sound(path) for path in sounds)} aleg"


def uuid_break(uuid: str, everything: bool = False) -> str:
    """Stop what is played; with `everything`, what is queued behind it too."""
    return f"uuid_break {_uuid(uuid)}{' all' if everything else ''}"


def uuid_record(uuid: str, path: str, action: Recording = "start") -> str:
    """Record a leg to a file, whose folders are made; stop it; mask: from here on the file has silence, until unmask. Started twice it is one recording.

    Its reply is -ERR where the file can't be written, or is not being written (s10_in_call)."""
    if action not in ("start", "stop", "mask", "unmask") or "://" in path:
        raise EslUnsafe(f"not a recording: {action!r} {path!r}")
    return f"uuid_record {_uuid(uuid)} {action} {_sound(path)}"


def uuid_park(uuid: str) -> str:
    """Park a leg."""
    return f"uuid_park {_uuid(uuid)}"


def uuid_park_both(uuid: str) -> str:
    """Park both legs of a bridge at once. Each parked by a command of its own, the second would end with the bridge if its command came too late."""
    return f"uuid_transfer {_uuid(uuid)} -both park: inline"


def uuid_answer(uuid: str) -> str:
    """Answer an inbound leg."""
    return f"uuid_answer {_uuid(uuid)}"


def uuid_transfer(uuid: str, extension: str, context: str, dialplan: str = "XML", both: bool = False) -> str:
    """Send a leg, or both of a bridge, to an extension."""
    return f"uuid_transfer {_uuid(uuid)} {'-both ' if both else ''}{_destination(extension, dialplan, context)}"


def uuid_setvar(uuid: str, name: str, value: Value) -> str:
    """Set a channel variable. Here a comma is allowed: the value is the rest of the line."""
    return f"uuid_setvar {_uuid(uuid)} {_variable(name, value)} {_text(value)}"


def uuid_getvar(uuid: str, name: str) -> str:
    """Its reply is the value without a newline, `_undef_` when unset, -ERR for no such channel (s01)."""
    return f"uuid_getvar {_uuid(uuid)} {_checked(_VARIABLE, name, 'a variable name')}"


def uuid_send_dtmf(uuid: str, digits: str) -> str:
    """Send key presses to the far end."""
    return f"uuid_send_dtmf {_uuid(uuid)} {_checked(_DIGITS, digits, 'key presses')}"


def uuid_exists(uuid: str) -> str:
    """Its reply is `true` or `false`, without a newline."""
    return f"uuid_exists {_uuid(uuid)}"


def uuid_dump_json(uuid: str) -> str:
    """All of a channel's headers as one JSON object."""
    return f"uuid_dump {_uuid(uuid)} json"


# ---- timers in the switch


def sched_transfer(uuid: str, after_s: int, extension: str, context: str, dialplan: str = "XML") -> str:
    """Send a leg to an extension `after_s` whole seconds from now unless sched_del comes first. It fires through music and bridges."""
    return f"sched_transfer +{_seconds(after_s)} {_uuid(uuid)} {_destination(extension, dialplan, context)}"


def sched_hangup(uuid: str, after_s: int, cause: str) -> str:
    """Hang up later. It survives a bridge and cuts the conversation, and a second one does not replace the first."""
    return f"sched_hangup +{_seconds(after_s)} {_uuid(uuid)} {_cause(cause)}"


def sched_del(uuid: str) -> str:
    """Remove every timer of a leg."""
    return f"sched_del {_uuid(uuid)}"


# ---- what the dialplan keeps for us in mod_db (core/switch_names.py)


def kept_list() -> str:
    """Its reply is the rows' keys with commas between; the switch writes 4,095 characters at most, so ask kept_count, too."""
    return f"db list/{KEPT}"


def kept_count() -> str:
    """Its reply is how many rows there are."""
    return f"db count/{KEPT}"


def kept_select(row: str) -> str:
    """Its reply is the row's value, "" where there is none."""
    return f"db select/{KEPT}/{_checked(_KEPT_ROW, row, 'a kept row')}"


def kept_delete(row: str) -> str:
    """Remove a row; one that is not there does no harm."""
    return f"db delete/{KEPT}/{_checked(_KEPT_ROW, row, 'a kept row')}"


# ---- questions


def show_channels_json() -> str:
    """All channels as JSON; written behind, so a leg missing there may exist: ask uuid_exists."""
    return "show channels as json"


def xml_locate_context(context: str) -> str:
    """Its reply is the context of the dialplan as XML, or a word of regret."""
    return f"xml_locate dialplan context name {_checked(_NAME, context, 'a context')}"


def status() -> str:
    """Up since when, sessions, their limit and rate."""
    return "status"


def create_uuid() -> str:
    """A uuid by the switch."""
    return "create_uuid"


# ---- checks


def _checked(pattern: re.Pattern[str], value: str, what: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        shown = value if not isinstance(value, str) or len(value) <= 60 else value[:57] + "..."
        raise EslUnsafe(f"not {what}: {shown!r}")
    return value


def _uuid(value: str) -> str:
    return _checked(_UUID, value, "a uuid")


def _number(value: str) -> str:
    return _checked(_NUMBER, value, "a telephone number of up to 20 digits")


def _sound(path: str) -> str:
    return _checked(_SOUND, path, "a sound file or stream")


def _endpoint(endpoint: Endpoint) -> str:
    return _checked(_ENDPOINT, endpoint, "an endpoint")


def _destination(extension: str, dialplan: str, context: str) -> str:
    if dialplan != "XML":
        raise EslUnsafe(f"not a dialplan of ours: {dialplan!r}")  # `inline` would run applications out of the extension's text
    return f"{_checked(_EXTENSION, extension, 'an extension')} {dialplan} {_checked(_NAME, context, 'a context')}"


def _cause(value: str) -> str:
    if value not in HANGUP_CAUSES:
        raise EslUnsafe(f"not a hangup cause of FreeSWITCH: {value!r}")
    return value


def _leg(value: str) -> str:
    if value not in ("aleg", "bleg", "both"):
        raise EslUnsafe(f"not a leg: {value!r}")
    return value


def _seconds(value: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 86_400:
        raise EslUnsafe(f"not 1 to 86400 whole seconds: {value!r}")
    return value


def _variable(name: str, value: Value) -> str:
    _checked(_VARIABLE, name, "a variable name")
    run = name.lower().startswith(_RUN_BY_SWITCH)
    if run != isinstance(value, ScheduledTransfer):
        raise EslUnsafe(f"{name} is run by the switch, and takes a ScheduledTransfer only" if run else f"{name} does not take a ScheduledTransfer")
    return name


def _text(value: Value) -> str:
    if isinstance(value, ScheduledTransfer):
        return value.text()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        value = str(value)
    return _checked(_TEXT, value, "text for a channel variable (letters, digits, space and + - . , _ : / @)")
