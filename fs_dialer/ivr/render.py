"""An IVR flow as FreeSWITCH dialplan: one extension for each node, one for the entry.

Pure. A flow needs no daemon: prompts, keys, recordings and conditions are the switch's own applications, and what a caller did is gathered in the channel
variable `fsd_ivr`, which comes with CHANNEL_HANGUP_COMPLETE. The walk that this must agree with is ivr/walk.py; what the switch really does at each step
was recorded and stands in docs/decisions/0008-dialplan-without-lua.md.

**The path.** `fsd_done` has the words of what is done, each followed by `;`. At a node `fsd_ivr` is `fsd_done` and the node's name with nothing behind the =
(`main=1;pin=`): that is where the caller is, and where he left if nothing more comes. Words that stay: menu, gather, rate: the keys; record: its seconds;
opt_out: `yes`; set: `done`; transfer: `answered`, when somebody answered; end: `success` or `other`.

**Ways.** The key of a menu leads to an extension `FLOW.NODE.KEY`, which is another name of the node it leads to. Keys get into a variable by a regular
expression only (play_and_get_digits), so no such name can be anything else.
"""

from __future__ import annotations

import math

from fs_dialer.core import switch_names as names
from fs_dialer.core.flow import SUCCESS, Ivr, Node, extension, node_extension
from fs_dialer.core.leg_plan import FALLBACK_AFTER_S, FALLBACK_CONTEXT, FALLBACK_EXTENSION
from fs_dialer.dialplans.dialplan import HAS_AMD, HAS_AVMD, NOW, Action, Condition, Context, Data, Extension, Later, Part, Ref, always, exactly, render
from fs_dialer.dialplans.options import BEEP, MUSIC_AFTER_S, SHORT_SILENCE, SILENCE_THRESHOLD, SwitchOptions, gateway_dial, played, recording
from fs_dialer.errors import EslUnsafe
from fs_dialer.ivr.prompts import DELIMITER, asked, told, variable

CONTEXT = names.IVR_CONTEXT
MESSAGE_EXTENSION = "fsd_message"  # plays fsd_message to an answering machine, and hangs up
HEARD_EXTENSION = "fsd_heard"  # tells what a detector found
OVER_EXTENSION = "fsd_over"  # no way leads on
SYMBOLS = {"star": "*", "hash": "#", "none": "none"}  # no key of a telephone is one of the letters of none
DONE, PRESSED = Ref("fsd_done"), Ref("fsd_key")
HTTP_SLACK_S = 2.0
STEPS_MOST = 10_000  # each transfer counts max_forwards down, from 70 where nobody says more, and at 0 the switch hangs up (tried)
FORWARDS = 70  # what an outgoing call has as its Max-Forwards
FILE_COMMENT = """Made by fs-dialer (switch install); a change made here is lost with the next installation.
The IVR flows of autocall campaigns. Each has a mark of what it says in its name: a call meets the flow that was approved with its campaign."""


def flow_file(ivrs: tuple[Ivr, ...], options: SwitchOptions) -> str:
    """The whole of dialplan/fsd_ivr.xml. EslUnsafe for a flow that holds what the switch would take apart (D7)."""
    flows = {extension(ivr): ivr for ivr in ivrs}
    extensions = [each for ivr in flows.values() for each in render_flow(ivr, options)]
    return render(Context(CONTEXT, (*extensions, *_shared())), FILE_COMMENT)


def render_flow(ivr: Ivr, options: SwitchOptions) -> tuple[Extension, ...]:
    """The entry, then the nodes in the order in which they are written."""
    return (_entry(ivr), *(_node(ivr, node, options) for node in ivr.nodes))


def _entry(ivr: Ivr) -> Extension:
    """sched_cancel: the fallback that an originate may have armed; a flow has its own limit. A detector is run only where its module is loaded: an application
    that does not exist hangs up."""
    actions = [
        Action("sched_cancel"),
        Action("sched_hangup", f"+{math.ceil(ivr.at_most_s)} ALLOTTED_TIMEOUT"),
        Action("set", "fsd_done="),
        Action("set", "fsd_ivr="),
        Action("set", "playback_terminators=none"),
        Action("set", f"playback_delimiter={DELIMITER}"),
        Action("set", "playback_sleep_val=0"),
        Action("set", f"max_forwards={STEPS_MOST}"),
        Action("set", f"default_language={ivr.language}"),
    ]
    if any(node.text for node in ivr.nodes):
        actions += [Action("set", f"tts_engine={ivr.voice.engine}"), Action("set", f"tts_voice={ivr.voice.name}")]
    detectors = (
        Condition((Ref(names.DETECT), "/", HAS_AVMD), "^avmd/true$", (Action("avmd_start"),), breaks="never"),
        Condition(
            (Ref(names.DETECT), "/", HAS_AMD), "^amd/true$", (Action("amd"), Action("execute_extension", f"{HEARD_EXTENSION} XML {CONTEXT}")), breaks="never"
        ),
    )
    return Extension(extension(ivr), tuple(actions), (*detectors, always(_to(ivr, ivr.first))))


def _shared() -> tuple[Extension, ...]:
    """avmd tells of the beep itself. With amd the greeting may still be going on: wait for its end."""
    said = {word: Action("event", _event(f"Fsd-What={word}")) for word in ("machine", "person")}
    heard = (Condition((Ref("amd_status"),), exactly(word), (action,), breaks="never") for word, action in said.items())
    waits = Condition((Ref(names.DETECT),), "^amd$", (Action("wait_for_silence", f"{SILENCE_THRESHOLD} 25 10 20000"),), breaks="never")
    plays = always(Action("playback", (Ref(names.MESSAGE),)), Action("hangup", "NORMAL_CLEARING"))
    return (
        Extension(HEARD_EXTENSION, (Action("set", "fsd_heard=true"),), tuple(heard)),
        Extension(MESSAGE_EXTENSION, (Action("answer"),), (waits, plays)),
        Extension(OVER_EXTENSION, (Action("hangup", "NORMAL_CLEARING"),)),
    )


def _node(ivr: Ivr, node: Node, options: SwitchOptions) -> Extension:
    if (rule := _RULES.get(node.do)) is None:
        raise EslUnsafe(f"{ivr.name}.{node.name}: not a kind of node: {node.do!r}")
    arrives = () if node.do in ("opt_out", "end") else (_path(node, ""),)
    return Extension(node_extension(ivr, node.name), arrives, tuple(rule(ivr, node, options)), _ways_to(ivr, node.name))


def _ways_to(ivr: Ivr, name: str) -> tuple[str, ...]:
    return tuple(f"{node_extension(ivr, node.name)}.{SYMBOLS.get(key, key)}" for node in ivr.nodes if node.do == "menu" for key, to in node.keys if to == name)


# --- the kinds ----------------------------------------------------------------------------------------------------------------------------


def _play(ivr: Ivr, node: Node, options: SwitchOptions) -> list[Condition]:
    return [*told(ivr, node), always(*_on(ivr, node))]


def _menu(ivr: Ivr, node: Node, options: SwitchOptions) -> list[Condition]:
    keys = "".join(sorted(SYMBOLS.get(key, key) for key, _ in node.keys))
    onward = Action("transfer", (f"{node_extension(ivr, node.name)}.", PRESSED, f" XML {CONTEXT}"))
    return [always(_ask(ivr, node, (1, 1), f"[{keys}]", "none"), *_answered(node), onward)]


def _rate(ivr: Ivr, node: Node, options: SwitchOptions) -> list[Condition]:
    return [always(_ask(ivr, node, (1, 1), f"[{node.low}-{node.high}]", "none"), *_answered(node), _to(ivr, node.next))]


def _gather(ivr: Ivr, node: Node, options: SwitchOptions) -> list[Condition]:
    wanted = f"^(?:{_digits_only(node.pattern)})(?!.)" if node.pattern else "^[0-9]+(?!.)"
    return [always(_ask(ivr, node, node.digits, wanted, SYMBOLS[node.ends_with]), *_answered(node), _to(ivr, node.next))]


def _ask(ivr: Ivr, node: Node, digits: tuple[int, int], wanted: str, ends_with: str) -> Action:
    """play_and_get_digits. The failure goes where `otherwise` says; without it the call is over."""
    wrong = played(node.wrong) if node.wrong else SHORT_SILENCE
    between = node.between_s if node.do == "gather" else node.timeout_s
    failed = f"'{_where(ivr, node.otherwise)} XML {CONTEXT}'"
    begin = f"{digits[0]} {digits[1]} {node.tries} {_ms(node.timeout_s)} {ends_with} "
    return Action("play_and_get_digits", (begin, *asked(ivr, node), f" {wrong} fsd_key {wanted} {_ms(between)} {failed}"))


def _answered(node: Node) -> tuple[Action, ...]:
    return Action("set", (f"{names.ANSWER}{node.kept_as}=", PRESSED)), Action("set", ("fsd_done=", DONE, f"{node.name}=", PRESSED, ";"))


def _digits_only(pattern: str) -> str:
    """`\\d` spelled out: a backslash would be taken apart on its way. EslUnsafe for what is no pattern of digits."""
    found, inside = "", False
    index = 0
    while index < len(pattern):
        letter = pattern[index]
        if pattern.startswith("\\d", index):
            found += "0-9" if inside else "[0-9]"
            index += 2
            continue
        if letter not in "0123456789[]()|+?-^:.":
            raise EslUnsafe(f"not a pattern of digits: {pattern!r}")
        inside = letter == "[" or (inside and letter != "]")
        found += letter
        index += 1
    return found


def _record(ivr: Ivr, node: Node, options: SwitchOptions) -> list[Condition]:
    """Whoever is done hangs up: the seconds are put into the path by the end of the recording, whatever ended it (tried)."""
    file: Data = (f"{recording(options, 'ivr')}/", Ref("fsd_attempt"), f"-{node.name}.wav {math.ceil(node.at_most_s)} {SILENCE_THRESHOLD} {_s(node.silence_s)}")
    return [
        *told(ivr, node),
        always(
            *((Action("playback", BEEP),) if node.beep else ()),
            Action("mkdir", recording(options, "ivr")),
            Action("set", "playback_terminators=#"),
            Action("set", ("execute_on_record_stop=set fsd_ivr=", DONE, f"{node.name}=", Later(Ref("record_seconds")))),
            Action("record", file),
            Action("set", "execute_on_record_stop="),
            Action("set", "playback_terminators=none"),
            Action("set", (f"{names.ANSWER}{node.kept_as}=", Ref("record_seconds"))),
            Action("set", ("fsd_done=", Ref(names.PATH), ";")),
            *_on(ivr, node),
        ),
    ]


def _connect(ivr: Ivr, node: Node, options: SwitchOptions) -> list[Condition]:
    """The daemon takes over from here: it rings an agent, plays its waiting music, renews or removes the timer. A dead one does nothing, and then the timer
    sends the leg on to `otherwise`, or to the fallback of all waiting legs."""
    fallback = f"{_where(ivr, node.otherwise)} XML {CONTEXT}" if node.otherwise else f"{FALLBACK_EXTENSION} XML {FALLBACK_CONTEXT}"
    return [
        *told(ivr, node),
        always(
            Action("sched_transfer", f"+{FALLBACK_AFTER_S} {fallback}"),
            Action("sched_broadcast", f"+{MUSIC_AFTER_S} {played(options.music)}"),
            Action("event", _event("Fsd-What=agent", f"Fsd-Node={node.name}")),
            Action("park"),
        ),
    ]


def _transfer(ivr: Ivr, node: Node, options: SwitchOptions) -> list[Condition]:
    """By the trunk over which the customer was called, showing the number that he saw. The flow's limit ends with its part."""
    ways = [
        Condition((Ref(names.GATEWAY),), exactly(gateway.id), (Action("bridge", gateway_dial(gateway, node.number)),), breaks="never")
        for gateway in options.gateways
    ]
    return [
        *told(ivr, node),
        always(
            Action("set", f"max_forwards={FORWARDS}"),
            Action("set", "hangup_after_bridge=true"),
            Action("set", "continue_on_fail=true"),
            Action("set", f"call_timeout={math.ceil(node.ring_s)}"),
            Action("set", f"transfer_ringback={played(options.music)}"),
            Action("set", ("effective_caller_id_number=", Ref(names.CALLER_ID))),
            Action("set", ("effective_caller_id_name=", Ref(names.CALLER_ID))),
            Action("set", "execute_on_pre_bridge_1=sched_cancel"),
            Action("set", ("execute_on_pre_bridge_2=set fsd_ivr=", DONE, f"{node.name}=answered")),
        ),
        *ways,
        always(
            Action("set", "execute_on_pre_bridge_1="),
            Action("set", "execute_on_pre_bridge_2="),
            Action("set", f"max_forwards={STEPS_MOST}"),
            _to(ivr, node.otherwise),
        ),
    ]


def _set(ivr: Ivr, node: Node, options: SwitchOptions) -> list[Condition]:
    return [always(Action("set", ("fsd_done=", DONE, f"{node.name}=done;")), *_on(ivr, node))]


def _if(ivr: Ivr, node: Node, options: SwitchOptions) -> list[Condition]:
    return [Condition((variable(ivr, node.what),), exactly(*node.among), _on(ivr, node), _on(ivr, node, node.otherwise))]


def _http(ivr: Ivr, node: Node, options: SwitchOptions) -> list[Condition]:
    """The daemon asks, and sends the leg on. If it does not, the timer does; meanwhile nobody hears silence for long."""
    late_s = math.ceil(node.timeout_s + HTTP_SLACK_S)
    return [
        always(
            Action("sched_transfer", f"+{late_s} {_where(ivr, node.otherwise)} XML {CONTEXT}"),
            Action("event", _event("Fsd-What=http", f"Fsd-Node={node.name}")),
        ),
        *told(ivr, node),
        always(Action("playback", "silence_stream://1500"), Action("endless_playback", played(options.music)), Action("playback", "silence_stream://-1")),
    ]


def _opt_out(ivr: Ivr, node: Node, options: SwitchOptions) -> list[Condition]:
    """Kept first, then told: a dead daemon loses none (S-opt-out); he may hang up in the midst of the prompt."""
    row: Data = (
        f"insert/{names.KEPT}/",
        Ref("uuid"),
        f".{names.KEPT_OPT_OUT}/{node_extension(ivr, node.name)};",
        Ref(names.NUMBER),
        ";;",
        NOW,
    )
    return [
        always(
            _path(node, "yes"),
            Action("set", ("fsd_done=", Ref(names.PATH), ";")),
            Action("db", row),
            Action("event", _event("Fsd-What=opt_out", f"Fsd-Node={node.name}", f"Fsd-Value={node.list}")),
        ),
        *told(ivr, node),
        always(*_on(ivr, node)),
    ]


def _end(ivr: Ivr, node: Node, options: SwitchOptions) -> list[Condition]:
    return [always(_path(node, "success" if node.success else "other")), *told(ivr, node), always(Action("hangup", "NORMAL_CLEARING"))]


_RULES = {
    "play": _play,
    "say": _play,
    "menu": _menu,
    "gather": _gather,
    "rate": _rate,
    "record": _record,
    "connect": _connect,
    "transfer": _transfer,
    "set": _set,
    "if": _if,
    "http": _http,
    "opt_out": _opt_out,
    "end": _end,
}


# --- words --------------------------------------------------------------------------------------------------------------------------------


def _path(node: Node, value: str) -> Action:
    return Action("set", (f"{names.PATH}=", DONE, f"{node.name}={value}"))


def _where(ivr: Ivr, name: str) -> str:
    if not name:
        return OVER_EXTENSION
    if ivr.node(name) is None:
        raise EslUnsafe(f"{ivr.name} has no node {name!r}")
    return node_extension(ivr, name)


def _to(ivr: Ivr, name: str) -> Action:
    """To a node; "" = the call is over there."""
    return Action("transfer", f"{_where(ivr, name)} XML {CONTEXT}") if name else Action("hangup", "NORMAL_CLEARING")


def _on(ivr: Ivr, node: Node, to: str | None = None) -> tuple[Action, ...]:
    """From a node of LEAVES: without a next one the flow has come to its end, and well (D13)."""
    name = node.next if to is None else to
    return (_to(ivr, name),) if name else (_path(node, SUCCESS), _to(ivr, ""))


def _event(*headers: str) -> tuple[Part, ...]:
    return (",".join(("Event-Name=CUSTOM", f"Event-Subclass={names.EVENT_IVR}", *headers)),)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _s(seconds: float) -> int:
    return max(1, math.ceil(seconds))
