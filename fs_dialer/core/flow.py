"""An IVR flow as a campaign keeps it: nodes and the ways between them, what a caller's walk through it leaves behind, and its names in the switch.

Pure data and pure questions. Knows no XML and no YAML: how a flow is read stands in config/, how it is judged, drawn, walked and rendered in ivr/.

A flow runs in the switch by itself, as dialplan: nobody hears silence because a daemon is busy or gone. Its extensions carry a mark of everything that the
flow says, `dues-menu.3f2a91c4`, so a call meets exactly the flow that was approved with its campaign (D5), and one that the switch does not have is noticed
before anybody is called. What a caller did is gathered in one channel variable (switch_names.PATH) and comes with the leg's end.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass

from fs_dialer.core.options import option, section

SECOND, MINUTE, HOUR = 1.0, 60.0, 3600.0
NODE_KINDS = ("play", "say", "menu", "gather", "rate", "record", "connect", "transfer", "set", "if", "http", "opt_out", "end")
PROMPTED = ("play", "say", "menu", "gather", "rate", "record", "connect", "transfer", "http", "opt_out", "end")
ASKS = ("menu", "gather", "rate")
HEARD = ("menu", "gather", "rate", "record", "http")  # whose result has a name
GOES_ON = ("play", "say", "gather", "rate", "record", "set", "if", "http", "opt_out")
LEAVES = ("play", "say", "record", "set", "if", "http", "opt_out")  # the flow may end with one of these, where it names no node that follows
SUCCESS = "success"  # what an end, and a node of LEAVES with which the flow ends, writes as its last word into the path (D13)
KEYS = (*"0123456789", "star", "hash")
SAY_AS = ("number", "digits", "money", "date", "time", "text")
STEP = re.compile(r"([a-z0-9_-]{1,32})=([0-9A-Za-z*#._-]{0,64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One step of a flow. `do` says which of the settings it has; `types` in their metadata names the kinds of nodes, as elsewhere the campaign types."""

    name: str = ""
    do: str = option(kind="choice", choices=NODE_KINDS, help="What happens here.", spec="S50 S52")
    sound: str | None = option(None, kind="sound", of="sounds", types=PROMPTED, help="What is played: a declared sound, a file or a tone.")
    text: str = option(
        "",
        kind="text",
        types=PROMPTED,
        help="What is spoken by the flow's voice, or for `say` the value: digits, or `{attribute}` of the lead. After `sound`, where both stand.",
    )
    say_as: str = option("text", kind="choice", key="as_a", choices=SAY_AS, types=("say",), help="How a value is said: a number, money, a date ….")
    language: str = option("", kind="name", help="The language of this node's prompts, `en`; left out = the flow's.")
    keys: tuple[tuple[str, str], ...] = option((), kind="words", types=("menu",), help="Which key leads where: `{1: adviser, star: main}`.", spec="S51")
    digits: tuple[int, int] = option((1, 1), kind="span", types=("gather",), help="How many digits are wanted: `4`, `4..8`.")
    ends_with: str = option("hash", kind="choice", choices=("hash", "star", "none"), types=("gather",), help="The key that ends the entry.")
    pattern: str = option("", kind="text", types=("gather",), help="What the digits must look like, a regular expression of digits, `[ ] ( ) | + ? \\d`.")
    low: int = option(1, kind="count", low=0, high=9, types=("rate",), help="The lowest mark.")
    high: int = option(5, kind="count", low=1, high=9, types=("rate",), help="The highest mark.")
    timeout_s: float = option(5 * SECOND, kind="duration", key="timeout", low=1, high=60, types=(*ASKS, "http"), help="How long an answer may take.")
    between_s: float = option(3 * SECOND, kind="duration", key="between", low=1, high=30, types=("gather",), help="How long the next digit may take.")
    tries: int = option(3, kind="count", low=1, high=9, types=ASKS, help="How often it is asked.")
    wrong: str | None = option(None, kind="sound", of="sounds", types=ASKS, help="What is played after a wrong answer or none.")
    answer: str = option("", kind="name", key="as", types=HEARD, help="Under which name the answer is kept; left out = the node's name.")
    at_most_s: float = option(60 * SECOND, kind="duration", key="at_most", low=2, high=600, types=("record",), help="The longest recording.", spec="S63")
    silence_s: float = option(5 * SECOND, kind="duration", key="silence", low=1, high=30, types=("record",), help="Silence that ends it.")
    beep: bool = option(True, kind="flag", types=("record",), help="A beep before it begins.")
    voicemail: bool = option(
        True, kind="flag", types=("record",), help="`yes`: this is voice mail: the call has succeeded (D13) and may make a ticket.", spec="S63"
    )
    people: tuple[str, ...] = option(
        (), kind="refs", of="agents", types=("connect",), help="Agents for this key; none and no teams = the campaign's.", spec="S64"
    )
    teams: tuple[str, ...] = option((), kind="refs", of="teams", types=("connect",), help="Teams for this key.", spec="S64")
    number: str = option("", kind="phone", key="to", types=("transfer",), help="The number to which the customer is put through.")
    ring_s: float = option(30 * SECOND, kind="duration", key="ring", low=5, high=120, types=("transfer",), help="How long that number may ring.")
    set: tuple[tuple[str, str], ...] = option((), kind="words", types=("set",), help="Parameters to set on the lead: `{wants_call: yes}`.", spec="M11")
    what: str = option("", kind="name", types=("if",), help="An answer's name, or an attribute of the lead.")
    among: tuple[str, ...] = option((), kind="texts", key="is", types=("if",), help="With one of these values the way is `next`, else `otherwise`.")
    url: str = option("", kind="url", types=("http",), help="Where the request goes; its host must stand in webhook_hosts.")
    send: tuple[str, ...] = option((), kind="names", types=("http",), help="Answers and attributes that are sent along, as JSON.")
    take: tuple[str, ...] = option(
        (), kind="names", types=("http",), help="Fields of the JSON answer that are kept as answers; letters, digits, space, + - . , only."
    )
    list: str = option("own", kind="ref", of="dnc_lists", types=("opt_out",), help="The do-not-call list that the number goes on; `own` is always there.")
    success: bool = option(
        True, kind="flag", types=("end",), help="`yes`: whoever comes here has been reached (D13); `no`: the lead is called again.", spec="D13"
    )
    next: str = option(
        "",
        kind="name",
        types=GOES_ON,
        help="The node that follows. Left out, the flow ends here, as a success (D13): the next one in the file does not follow by itself. "
        "gather and rate must have one.",
        spec="D13",
    )
    otherwise: str = option(
        "",
        kind="name",
        types=(*ASKS, "connect", "transfer", "if", "http"),
        help="The node that follows where it failed: no right answer after all tries, no agent in time, nobody there, no answer of the service; for `if` "
        "where it is none of the values. Left out, the flow ends there: after an `if` as a success (D13), else not, and the lead is called again.",
        spec="D13",
    )

    @property
    def kept_as(self) -> str:
        """The name of its answer; the word in the path is the node's own."""
        return self.answer or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """The engine that speaks texts."""

    engine: str = option("flite", kind="name", help="A text-to-speech module of the switch: flite, tts_commandline, unimrcp.")
    name: str = option("kal", kind="name", key="voice", help="One of its voices.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ivr:
    """A flow under a name: `ivrs: {dues-menu: {start: hello, nodes: {…}}}`."""

    name: str = ""
    title: str = option("", kind="text", help="What people call it.", spec="S52")
    language: str = option("en", kind="name", help="The language in which numbers, dates and money are said: a module mod_say_… of the switch.")
    voice: Voice = section(Voice, short="voice", help="Who speaks texts.")
    start: str = option("", kind="name", help="The first node; left out = the one written first.")
    at_most_s: float = option(10 * MINUTE, kind="duration", key="at_most", low=10, high=2 * HOUR, help="The longest that a call may stay in it.")
    nodes: tuple[Node, ...] = option((), kind="table", cls=Node, help="The steps, each under its name.", spec="S50 S52")

    @property
    def first(self) -> str:
        return self.start or (self.nodes[0].name if self.nodes else "")

    def node(self, name: str) -> Node | None:
        return next((node for node in self.nodes if node.name == name), None)


@dataclass(frozen=True, slots=True)
class IvrStep:
    """What a caller did at one node: the keys, the digits, the mark, the seconds recorded, yes for opt_out, success or other for an end.

    A node of LEAVES with which the flow ended has a last step of its own: SUCCESS.
    """

    node: str
    do: str
    name: str  # the answer's name
    value: str


def extension(ivr: Ivr) -> str:
    """Its name in the switch: `dues-menu.3f2a91c4`. Whatever the flow says is in the mark, except titles."""
    told = asdict(ivr)
    told.pop("title")
    return f"{ivr.name}.{hashlib.sha256(repr(sorted(told.items())).encode()).hexdigest()[:8]}"


def node_extension(ivr: Ivr, node: str) -> str:
    return f"{extension(ivr)}.{node}"


def attributes_used(ivr: Ivr) -> tuple[str, ...]:
    """Attributes of the lead that the flow says, compares or sends, in order; names of its own answers are none."""
    answers = {node.kept_as for node in ivr.nodes if node.do in HEARD} | {name for node in ivr.nodes for name in node.take}
    named: dict[str, None] = {}
    for node in ivr.nodes:
        for name in (*re.findall(r"\{([A-Za-z0-9_.-]+)\}", node.text), *([node.what] if node.what else []), *node.send):
            if name not in answers:
                named[name] = None
    return tuple(named)


def never_ends(sound: str) -> bool:
    """A stream of music or silence that goes on for ever: fit for waiting, and nothing that a flow or a notice could play and then go on."""
    return sound.startswith(("local_stream://", "silence_stream://-"))


def sounds_used(ivr: Ivr) -> tuple[str, ...]:
    """Files and streams that the flow plays, each once, in the order of its nodes."""
    return tuple(dict.fromkeys(sound for node in ivr.nodes for sound in (node.sound, node.wrong) if sound))


def steps(ivr: Ivr, path: str) -> tuple[IvrStep, ...]:
    """What the path of a call says, `main=1;pin=1234;bye=success`. Words that are no step of this flow are left out."""
    found = []
    for word in path.split(";"):
        told = STEP.fullmatch(word)
        node = ivr.node(told[1]) if told else None
        if told and node is not None:
            found.append(IvrStep(node.name, node.do, node.kept_as, told[2]))
    return tuple(found)


def succeeded(ivr: Ivr, path: str) -> bool:
    """D13: it came to an end that counts as success, or to a last node without one, was put through to a number, or left voice mail."""
    return has_succeeded(ivr, steps(ivr, path))


def has_succeeded(ivr: Ivr, done: tuple[IvrStep, ...]) -> bool:
    """The same, of the steps of a path."""
    for step in done:
        node = ivr.node(step.node)
        if step.do in ("end", *LEAVES) and step.value == SUCCESS:
            return True
        if step.do == "transfer" and step.value:
            return True
        if node is not None and step.do == "record" and node.voicemail and _lasts(step.value):
            return True
    return False


def left_voicemail(ivr: Ivr, path: str) -> bool:
    return has_voicemail(ivr, steps(ivr, path))


def has_voicemail(ivr: Ivr, done: tuple[IvrStep, ...]) -> bool:
    return any(step.do == "record" and _lasts(step.value) and (node := ivr.node(step.node)) is not None and node.voicemail for step in done)


def _lasts(seconds: str) -> bool:
    """Of a recording's word: it has seconds. The last node of a flow has a second word, SUCCESS."""
    return seconds.isdecimal() and int(seconds) > 0
