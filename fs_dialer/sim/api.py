"""api commands as text: what a client may type, and the switch's answers byte for byte.

Knows each command's syntax, its usage text and its errors, which differ from command to command (freeswitch.md 7; recordings s01, s03f, s04c, s04f).
Does nothing itself: SimSwitch and the files below it do. Lists and dumps are printed by listing.py, dial strings are read by dialstring.py.
"""

from __future__ import annotations

import operator
import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from fs_dialer.sim import applications, causes, configuration, dialling, dialstring, digits, ending, kept, listing, marks, picture
from fs_dialer.sim.leg import Leg

if TYPE_CHECKING:
    from fs_dialer.sim.switch import SimSwitch

Done = Callable[[str, float], None]
Command = Callable[["SimSwitch", str, float], str]
"""Takes what follows the verb; "" becomes `-ERR no reply`."""
NO_CHANNEL: Final = "-ERR No such channel!\n"
NO_SESSION: Final = "-ERR Cannot locate session!\n"
ORIGINATE_USAGE: Final = (
    "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] [<timeout_sec>]\n")
_CONDITION: Final = re.compile(r"\s*(.*?)\s*(==|!=|>=|<=|>|<)\s*(.*?)\s*\?\s*(.*?)\s*:\s*(.*?)\s*$")
_NUMERIC: Final = re.compile(r"-?\d+(?:\.\d+)?")
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}
FSCTL_USAGE: Final = (
    "[api_expansion [on|off]|recover|send_sighup|hupall|pause [inbound|outbound]|resume [inbound|outbound]|shutdown [cancel|elegant|asap|now|restart]"
    "|sps|sps_peak_reset|sync_clock|sync_clock_when_idle|reclaim_mem|max_sessions|min_dtmf_duration [num]|max_dtmf_duration [num]"
    "|default_dtmf_duration [num]|min_idle_cpu|loglevel [level]|debug_level [level]]\n")


def start(sw: SimSwitch, line: str, now: float, done: Done) -> None:
    """Run a command on a thread of its own; only originate takes longer than its reply."""
    verb, _, args = line.partition(" ")
    if verb != "originate":
        done(call(sw, line, now), now)
        return
    sequence = sw.next_sequence()
    order = dialstring.read_originate(args)
    if order is None:
        _api_event(sw, verb, args, sequence, now)
        done(ORIGINATE_USAGE, now)
        return

    def result(text: str, later: float) -> None:
        _api_event(sw, verb, args, sequence, later)
        done(text, later)

    dialling.originate(sw, replace(order, result=result), now)


def call(sw: SimSwitch, line: str, now: float) -> str:
    """The reply to a command that answers at once; `-ERR no reply\\n` where the switch has nothing to say."""
    verb, _, args = line.partition(" ")
    if verb == "originate":
        raise ValueError("originate takes as long as the call; use bgapi, or call() with a callback")
    if verb not in COMMANDS:
        return f"-ERR {verb} Command not found!\n"
    return run(sw, verb, args, now) or "-ERR no reply\n"


def run(sw: SimSwitch, verb: str, args: str, now: float) -> str:
    """A known command's own words, which may be none: what `${verb(args)}` becomes."""
    sequence = sw.next_sequence()
    reply = COMMANDS[verb](sw, args.strip(" "), now)
    _api_event(sw, verb, args, sequence, now)
    return reply


def _api_event(sw: SimSwitch, verb: str, args: str, sequence: int, now: float) -> None:
    """The API event is made before its command and fired after it: its sequence number is old by then (freeswitch.md 12)."""
    pairs = [("API-Command", verb)]
    if args:
        pairs.append(("API-Command-Argument", args))
    sw.emit_plain("API", now, tuple(pairs), sequence=sequence)


# ---- one leg

def _leg_command(usage: str, missing: str, least: int, act: Callable[[SimSwitch, Leg, list[str], float], str]) -> Command:
    """A command whose first word is a uuid: `usage` when words are missing, `missing` when the leg is."""
    def command(sw: SimSwitch, args: str, now: float) -> str:
        words = args.split(" ", least) if args else []
        if len(words) < least:
            return usage
        leg = sw.legs.get(words[0])
        return missing if leg is None else act(sw, leg, words, now)
    return command


def _kill(sw: SimSwitch, leg: Leg, words: list[str], now: float) -> str:
    ending.hangup(sw, leg, causes.read_cause(words[1] if len(words) > 1 else "NORMAL_CLEARING"), now)
    return "+OK\n"


def _getvar(sw: SimSwitch, leg: Leg, words: list[str], now: float) -> str:
    value = leg.variables.get(words[1])
    if value is None and leg.journal is not None:
        value = sw.picture(leg).variables.get(words[1])
    return "_undef_" if value is None else value


def _setvar(sw: SimSwitch, leg: Leg, words: list[str], now: float) -> str:
    sw.set_variable(leg, words[1], words[2] if len(words) > 2 and words[2] else None)
    return "+OK\n"


def _setvar_multi(sw: SimSwitch, args: str, now: float) -> str:
    uuid, _, rest = args.partition(" ")
    if not rest:
        return ""
    leg = sw.legs.get(uuid)
    if leg is None:
        return NO_CHANNEL + "-USAGE: <uuid> <var>=<value>;<var>=<value>...\n"
    for part in rest.split(";"):
        name, _, value = part.partition("=")
        sw.set_variable(leg, name, value or None)
    return "+OK\n"


def _transfer(sw: SimSwitch, args: str, now: float) -> str:
    words = args.split()
    if len(words) < 2 or (words[1].startswith("-b") and len(words) < 3):
        return "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"
    which = words.pop(1) if words[1] in ("-bleg", "-both") else ""
    extension, dialplan, context = (*words[1:], "", "")[:3]
    return sw.transfer(words[0], extension, dialplan, context, now, which)


def _broadcast(sw: SimSwitch, args: str, now: float) -> str:
    words = args.split(" ")
    if len(words) < 2:
        return "-USAGE: <uuid> <path> [aleg|bleg|holdb|both]\n"
    which = words[-1] if len(words) > 2 and words[-1] in ("aleg", "bleg", "both", "holdb") else ""
    path = " ".join(words[1:-1] if which else words[1:])
    return sw.broadcast(words[0], path, which or "aleg", now)


def _break(sw: SimSwitch, leg: Leg, words: list[str], now: float) -> str:
    applications.break_sound(sw, leg, now)
    return "+OK\n"


def _park(sw: SimSwitch, leg: Leg, words: list[str], now: float) -> str:
    applications.transfer(sw, leg, "", "park", "inline", "default", now)
    return "+OK\n"


def _record(sw: SimSwitch, args: str, now: float) -> str:
    words = args.split()
    if len(words) < 3:
        return "-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]\n"
    leg = sw.legs.get(words[0])
    if leg is None:
        return NO_SESSION
    if words[1] == "start":
        if not sw.settings.may_write(words[2]):
            leg.note(picture.variable, "record_completion_cause", "uri-failure")
            return "-ERR Cannot record session!\n"
        if words[2] not in leg.recordings:  # once more is no second recording
            leg.recordings[words[2]] = now
            sw.at(now + sw.settings.tick_s * sw.rng.random(), applications.recording_begins, leg, words[2])
        return "+OK Success\n"
    if words[1] in ("mask", "unmask"):
        return "+OK Success\n"
    stopped = list(leg.recordings) if words[2] == "all" else [words[2]] if words[2] in leg.recordings else []
    for path in stopped:
        ending.recording_ends(sw, leg, path, "success-maxtime", now)
    return "+OK Success\n" if stopped else "-ERR Cannot stop record session!\n"


def _recv_dtmf(sw: SimSwitch, args: str, now: float) -> str:
    uuid, _, keys = args.partition(" ")
    if not keys:
        return "-USAGE: <uuid> <dtmf_data>\n"
    leg = sw.legs.get(uuid)
    if leg is None:
        return NO_SESSION
    for key in keys.partition("@")[0]:
        sw.at(now + sw.settings.tick_s / 2, digits.press, leg, key, "APP")
    return f"+OK {uuid} received DTMF {keys}.\n"


def _send_dtmf(sw: SimSwitch, args: str, now: float) -> str:
    uuid, _, digits = args.partition(" ")
    if not digits:
        return "-USAGE: <uuid> <dtmf_data>\n"
    leg = sw.legs.get(uuid)
    if leg is None:
        return NO_SESSION
    sw.set_variable(leg, "last_dtmf_duration", "1500")  # in milliseconds of a tone and its pause, as the switch leaves it
    return f"+OK {uuid} sent DTMF {digits}.\n"


def _hold(sw: SimSwitch, args: str, now: float) -> str:
    words = args.split()
    if not words:
        return "-USAGE: [off|toggle] <uuid> [<display>]\n-ERR Operation failed\n"
    return "+OK Success\n"


def _answer(sw: SimSwitch, args: str, now: float) -> str:
    return "+OK\n" if args.split(" ")[0] in sw.legs else "-ERROR\n"


def _media_stats(sw: SimSwitch, args: str, now: float) -> str:
    leg = sw.legs.get(args.split(" ")[0])
    if leg is None:
        return f"-ERR No such channel {args}!\n"
    leg.note(marks.rtp_counted)
    return "+OK:\n"


def _success(reply: str, missing: str) -> Callable[[SimSwitch, str, float], str]:
    """Commands that change nothing that can be seen here."""
    return lambda sw, args, now: reply if args.split(" ")[0] in sw.legs else missing


def _bridge(sw: SimSwitch, args: str, now: float) -> str:
    words = args.split()
    return "-USAGE: <uuid> <other_uuid>\n" if len(words) < 2 else sw.bridge(words[0], words[1], now)


def _dump(sw: SimSwitch, args: str, now: float) -> str:
    uuid, _, form = args.partition(" ")
    if not uuid:
        return "-USAGE: <uuid> [format]\n"
    leg = sw.legs.get(uuid)
    return NO_CHANNEL if leg is None else listing.dump(sw, leg, form or "txt", now)


# ---- the scheduler

def _sched_hangup(sw: SimSwitch, args: str, now: float) -> str:
    words = args.split()
    if not words:
        return "-USAGE: [+]<time> <uuid> [<cause>]\n"
    when, uuid, cause = (*words, "", "")[:3]
    return sw.sched_hangup(when, uuid, cause, now)


def _sched_transfer(sw: SimSwitch, args: str, now: float) -> str:
    words = args.split()
    if len(words) < 3:
        return "-USAGE: [+]<time> <uuid> <extension> [<dialplan>] [<context>]\n"
    when, uuid, extension, dialplan, context = (*words, "", "")[:5]
    return sw.sched_transfer(when, uuid, extension, dialplan, context, now)


def _sched_broadcast(sw: SimSwitch, args: str, now: float) -> str:
    words = args.split()
    if len(words) < 3:
        return "-USAGE: [[+]<time>|@time] <uuid> <path> [aleg|bleg|both]\n"
    leg = sw.legs.get(words[1])
    if leg is None:
        return "-ERR No such channel!\n"
    applications.schedule_broadcast(sw, leg, words[0], words[2], now)
    return "+OK Message Scheduled\n"


def _avmd(sw: SimSwitch, args: str, now: float) -> str:
    """`avmd UUID start|stop` (s05c)."""
    uuid, _, verb = args.partition(" ")
    leg = sw.legs.get(uuid)
    if verb not in ("start", "stop"):
        return "-USAGE: <uuid> <start|stop|set [inbound|outbound|default]|load [inbound|outbound]|reload|show> [params]\n"
    if leg is None:
        return f"-ERR, no FreeSWITCH session for uuid [{uuid}]!\n\n"
    sw.handlers[f"avmd_{verb}"](sw, leg, "", now)
    return f"+OK\n [{uuid}] [{leg.channel_name}] {'started!' if verb == 'start' else 'stopped'}\n\n"


# ---- the switch

def _hupall(sw: SimSwitch, args: str, now: float) -> str:
    cause, name, value = (*args.split(" ", 2), "", "", "")[:3]
    known = causes.read_cause(cause) if cause else "MANAGER_REQUEST"
    if name:
        sw.hang_up_all(known, now, (name, value))
        return f"+OK hangup all channels matching [{name}]=[{value}] with cause: {known}\n"
    sw.hang_up_all(known, now)
    return f"+OK hangup all channels with cause {known}\n"


def _fsctl(sw: SimSwitch, args: str, now: float) -> str:
    words = args.split()
    verb, number = words[0].lower() if words else "", int(words[1]) if len(words) > 1 and words[1].isdecimal() else None
    if verb in ("pause", "resume"):
        sw.paused = verb == "pause" and words[1:2] != ["inbound"]
        return "+OK\n"
    if verb == "sps":
        if number is not None:
            sw.sessions_per_second = sw.rate_left = number
        return f"+OK sessions per second: {sw.sessions_per_second}\n"
    if verb == "max_sessions":
        if number is not None:
            sw.max_sessions = number
        return f"+OK max sessions: {sw.max_sessions}\n"
    if verb == "shutdown":
        sw.shut_down(now)
        return "+OK\n"
    if verb == "hupall":
        sw.hang_up_all(causes.read_cause(words[1] if len(words) > 1 else "MANAGER_REQUEST"), now)
        return "+OK\n"
    answers = {
        "pause_check": "true" if sw.paused else "false", "ready_check": "false" if sw.shutting_down else "true", "shutdown_check": "false",
        "last_sps": "+OK last sessions per second: 0\n", "sync_clock": "+OK clock synchronized\n", "reclaim_mem": "+OK\n",
        "loglevel": "+OK log level: DISABLE [-1]\n", "debug_level": "+OK DEBUG level: 0\n", "min_idle_cpu": "+OK min idle cpu: DISABLED\n",
        "recover": "+OK 0 session(s) recovered in total\n", "flush_db_handles": "+OK\n",
        "sps_peak_reset": "+OK max sessions per second counter reset\n"}
    if not words:
        return "-USAGE: " + FSCTL_USAGE
    return answers.get(verb, "-ERR Invalid command\nUSAGE: fsctl " + FSCTL_USAGE)


def _module(sw: SimSwitch, args: str, now: float, loading: bool) -> str:
    name = args.strip()
    if "nosuch" in name or "_" not in name:
        if not loading:
            return "-ERR [No such module!]\n"
        sw.emit_plain("RELOADXML", now)
        return "+OK Reloading XML\n-ERR [module load file routine returned an error]\n"
    if loading:
        sw.emit_plain("RELOADXML", now)
        sw.unloaded.discard(name)
    else:
        sw.unloaded.add(name)
    _, kind, *rest = name.split("_")
    pairs: tuple[tuple[str, str], ...] = (("type", kind), ("name", "_".join(rest) or kind))
    if loading:
        pairs += (("key", name), ("filename", f"/usr/lib/freeswitch/mod/{name}.so"))
    sw.emit_plain("MODULE_LOAD" if loading else "MODULE_UNLOAD", now, pairs)
    return "+OK Reloading XML\n+OK\n" if loading else "+OK\n"


def _log(sw: SimSwitch, args: str, now: float) -> str:
    level, _, text = args.partition(" ")
    if not text:
        return "-USAGE: <level> <message>\n"
    sw.log(level, text, now)
    return "+OK\n"


def _reloadxml(sw: SimSwitch, args: str, now: float) -> str:
    return sw.reload(now)


def _sofia(sw: SimSwitch, args: str, now: float) -> str:
    words = args.split()
    if words[:1] == ["status"]:
        return listing.sofia_status(sw, words[1:])
    if words[:1] == ["profile"] and len(words) >= 3:
        if words[2] in ("rescan", "restart"):
            sw.emit_plain("RELOADXML", now)
            return "Reload XML [Success]\n+OK scan complete\n" if words[2] == "rescan" else f"Reload XML [Success]\nrestarting: {words[1]}\n"
        if words[2] == "killgw":
            sw.set_gateway(words[3] if len(words) > 3 else "", False)
            return "+OK gateway marked for deletion.\n"
    return "USAGE:\n--------------------------------------------------------------------------------\nsofia status|profile|global ...\n"


def _global_setvar(sw: SimSwitch, args: str, now: float) -> str:
    name, _, value = args.partition("=")
    sw.globals[name] = value
    return "+OK"


def _eval(sw: SimSwitch, args: str, now: float) -> str:
    for name, value in sw.globals.items():
        args = args.replace(f"${{{name}}}", value)
    return dialstring.without_expansions(args)


def _cond(sw: SimSwitch, args: str, now: float) -> str:
    """`a == b ? yes : no`; numbers are compared as numbers where both sides are."""
    found = _CONDITION.match(args)
    if found is None:
        return "-ERR"
    left, comparison, right, yes, no = (part.strip().strip("'") for part in found.groups())
    sides: tuple[float, float] | tuple[str, str] = (left, right)
    if _NUMERIC.fullmatch(left) and _NUMERIC.fullmatch(right):
        sides = float(left), float(right)
    return yes if _COMPARE[comparison](*sides) else no


def _uptime(sw: SimSwitch, args: str, now: float) -> str:
    up = now - sw.started_at
    return f"{int(up * 1000) if args == 'ms' else int(up * 1000000) if args == 'us' else int(up)}\n"


COMMANDS: Final[dict[str, Command]] = {
    "status": lambda sw, args, now: listing.status(sw, now),
    "version": lambda sw, args, now: sw.settings.version + "\n" if args == "short" else
        f"FreeSWITCH Version {sw.settings.version_long} ({sw.settings.build})\n",
    "uptime": _uptime, "hostname": lambda sw, args, now: sw.settings.hostname, "switchname": lambda sw, args, now: sw.settings.switchname,
    "show": lambda sw, args, now: listing.show(sw, args, now), "echo": lambda sw, args, now: args,
    "create_uuid": lambda sw, args, now: sw.new_uuid(), "strepoch": lambda sw, args, now: str(int(now)),
    "strmicroepoch": lambda sw, args, now: configuration.micro_epoch(sw, now), "xml_locate": lambda sw, args, now: configuration.xml_locate(sw, args),
    "file_exists": lambda sw, args, now: configuration.file_exists(sw, args),
    "local_stream": lambda sw, args, now: configuration.local_stream(sw, args),
    "strftime": lambda sw, args, now: time.strftime(args or "%Y-%m-%d %H:%M:%S", time.gmtime(now)),
    "global_getvar": lambda sw, args, now: sw.globals.get(args, "") if args else "".join(f"{k}={v}\n" for k, v in sw.globals.items()),
    "global_setvar": _global_setvar, "cond": _cond, "eval": _eval,
    "expr": lambda sw, args, now: dialstring.arithmetic(args), "msleep": lambda sw, args, now: "+OK",
    "url_encode": lambda sw, args, now: quote(args), "module_exists": lambda sw, args, now: configuration.module_exists(sw, args),
    "hupall": _hupall, "fsctl": _fsctl, "log": _log, "sofia": _sofia, "reloadxml": _reloadxml, "db": kept.command, "hash": kept.hash_command,
    "load": lambda sw, args, now: _module(sw, args, now, True), "unload": lambda sw, args, now: _module(sw, args, now, False),
    "sched_hangup": _sched_hangup, "sched_transfer": _sched_transfer, "sched_broadcast": _sched_broadcast, "avmd": _avmd,
    "sched_del": lambda sw, args, now: sw.sched_del(args, now),
    "uuid_exists": lambda sw, args, now: sw.exists(args), "uuid_bridge": _bridge, "uuid_dump": _dump, "uuid_transfer": _transfer,
    "uuid_broadcast": _broadcast, "uuid_record": _record, "uuid_setvar_multi": _setvar_multi, "uuid_hold": _hold, "uuid_answer": _answer,
    "uuid_pre_answer": _answer, "uuid_recv_dtmf": _recv_dtmf, "uuid_send_dtmf": _send_dtmf, "uuid_set_media_stats": _media_stats,
    "uuid_kill": _leg_command("-USAGE: <uuid> [cause]\n", NO_CHANNEL, 1, _kill),
    "uuid_getvar": _leg_command("-USAGE: <uuid> <var>\n", NO_CHANNEL, 2, _getvar),
    "uuid_setvar": _leg_command("-USAGE: <uuid> <var> [value]\n", NO_CHANNEL, 2, _setvar),
    "uuid_break": _leg_command("-USAGE: <uuid> [all]\n", NO_CHANNEL, 1, _break), "uuid_park": _leg_command(NO_CHANNEL, NO_CHANNEL, 1, _park),
    "uuid_displace": _success("+OK Success\n", NO_SESSION), "uuid_phone_event": _success("+OK Success\n", "-ERR Operation failed\n"),
    "uuid_fileman": _success("-ERR No file handle!\n", NO_CHANNEL), "uuid_buglist": _success("<media-bugs>\n</media-bugs>\n", ""),
}
