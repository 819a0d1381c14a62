"""Whether a flow makes sense as a graph, and each of its steps by itself: what is wrong, where, and how to mend it.

Pure: a flow in, findings out. Knows nothing of files (config/crosscheck_flows.py gives a finding its line), nor of what lies outside the flow: sounds, agents,
hosts. Ways are those of ivr/words.py, so that what is judged here is what is walked and rendered.

A way that leads to an unknown name is followed to the node that was probably meant: one mistake is told once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from fs_dialer.core.flow import ASKS, HEARD, KEYS, LEAVES, Ivr, Node, never_ends
from fs_dialer.ivr.patterns import BadPattern, lengths_of
from fs_dialer.ivr.words import OTHERWISE, VALUE, answers_of, ways

MOST_NODES = 500
QUIET = ("play", "say", "set", "if", "opt_out")  # nobody is asked or waited for: a circle of these alone never ends by itself
BUSY = ("http", "transfer", "set", "if")  # nothing is played: where a service or a number refuses at once, a circle of these turns as fast as it can
NAME = re.compile(r"[A-Za-z0-9_-]{1,50}")
LANGUAGE = re.compile(r"[a-z]{2,3}(?:[_-][A-Za-z]{2,4})?")
_PLACE = re.compile(r"\{([^{}]*)\}")
_SIGNS = " .,!?'-"
_VALUES = {  # what a `say` node can say besides the value of a name
    "number": (re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?"), "a number, 12.5"),
    "digits": (re.compile(r"[0-9]{1,64}"), "digits, 4711"),
    "money": (re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,2})?"), "an amount, 12.50"),
    "date": (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{9,11}"), "a date, 2027-01-31, or epoch seconds"),
    "time": (re.compile(r"[0-9]{9,11}"), "epoch seconds"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """node: "" = the flow itself. setting: as in the file, `next`, `keys.1`; "" = the node as a whole. grave: False for what works and is hardly meant."""

    node: str
    setting: str
    text: str
    grave: bool = True


def judge(ivr: Ivr, unread: Collection[str] = ()) -> tuple[Finding, ...]:
    """Everything that is wrong with a flow, in the order of its nodes.

    `unread`: names of nodes that are there and could not be read. Where there are some, what hangs on the whole graph is not judged.
    """
    if not ivr.nodes:
        return () if unread else (Finding("", "nodes", "holds no node: write one at least, as in bye: {do: end}"),)
    if len(ivr.nodes) > MOST_NODES:
        return (Finding("", "nodes", f"holds {len(ivr.nodes):,} nodes, at most {MOST_NODES}: nobody could follow it; make several flows of it"),)
    graph = _Graph(ivr, unread)
    found = [*_of_the_flow(ivr, graph)]
    for node in ivr.nodes:
        found += _of_a_node(ivr, node)
        found += graph.unknown(node)
    if not unread:
        found += _of_the_graph(ivr, graph)
    place = {node.name: number for number, node in enumerate(ivr.nodes)}
    return tuple(sorted(dict.fromkeys(found), key=lambda each: place.get(each.node, -1)))


class _Graph:
    """Which node leads to which. `to`: the nodes after each, misspelt ones mended. `open`: nodes of which a way leads out of the flow."""

    def __init__(self, ivr: Ivr, unread: Collection[str]) -> None:
        self.names = [node.name for node in ivr.nodes]
        self.known = {*self.names, *unread}
        self.start = self.meant(ivr.first)
        self.to: dict[str, set[str]] = {node.name: {there for way in ways(node) if (there := self.meant(way.to))} for node in ivr.nodes}
        self.open = {node.name for node in ivr.nodes if self._leaves(node)}

    def meant(self, name: str) -> str:
        """The node of that name, or the likeliest; "" where none is."""
        if name in self.known or not name:
            return name
        return _nearest(name, self.names)

    def unknown(self, node: Node) -> Iterator[Finding]:
        named = [*((f"keys.{key}", to) for key, to in node.keys), ("next", node.next), ("otherwise", node.otherwise)]
        for setting, to in named:
            if "|" in to:
                yield Finding(node.name, setting, "one node is expected, not a list of them")
            elif to and to not in self.known:
                yield Finding(node.name, setting, self.no_node(to))

    def no_node(self, name: str) -> str:
        guess = _nearest(name, self.names)
        return f"there is no node `{name}`" + (f"; nearest: {guess}" if guess else f"; there are {_listed(self.names)}")

    def reached(self, first: Iterable[str]) -> set[str]:
        """These, and all that can come after them."""
        found, queue = set(first), list(first)
        while queue:
            for there in self.to.get(queue.pop(), ()):
                if there not in found:
                    found.add(there)
                    queue.append(there)
        return found

    def after(self, name: str) -> set[str]:
        """All that can come after a node; itself only where a way leads back."""
        return self.reached(self.to[name])

    def circles(self, among: Collection[str]) -> list[list[str]]:
        """Groups of these nodes in each of which every one leads to every other without leaving them."""
        after = {name: self._after_among(name, among) for name in among}
        found: list[list[str]] = []
        for name in self.names:
            if name in after and name in after[name] and not any(name in circle for circle in found):
                found.append([other for other in self.names if other in after[name] and name in after.get(other, ())])
        return found

    def _after_among(self, name: str, among: Collection[str]) -> set[str]:
        found: set[str] = set()
        queue = [name]
        while queue:
            for there in self.to[queue.pop()]:
                if there in among and there not in found:
                    found.add(there)
                    queue.append(there)
        return found

    @staticmethod
    def _leaves(node: Node) -> bool:
        if node.do in ("end", "transfer", "connect"):
            return True
        return node.do in LEAVES and any(not way.to for way in ways(node))


# --- the flow as a whole ----------------------------------------------------------------------------------------------------------------


def _of_the_flow(ivr: Ivr, graph: _Graph) -> Iterator[Finding]:
    if ivr.start and ivr.start not in graph.known:
        yield Finding("", "start", graph.no_node(ivr.start))
    if not LANGUAGE.fullmatch(ivr.language):
        yield Finding("", "language", _no_language(ivr.language))


def _of_the_graph(ivr: Ivr, graph: _Graph) -> Iterator[Finding]:
    here = graph.reached([graph.start]) if graph.start else set(graph.names)
    for name in graph.names:
        if name not in here:
            yield Finding(name, "", f"nobody ever comes here: no way leads from {graph.start} to it. Name it in a node before, or take it away")
    quiet = {node.name for node in ivr.nodes if node.do in QUIET and node.name in here}
    caught: set[str] = set()
    for circle in graph.circles(quiet):
        caught |= set(circle)
        yield Finding(circle[0], "", f"goes round for ever: {_round(circle)}, and nobody is asked or waited for in between")
    busy = {node.name for node in ivr.nodes if node.do in BUSY and node.name in here}
    for circle in graph.circles(busy):
        if not caught & set(circle):
            yield Finding(circle[0], "", f"tries again without a pause: {_round(circle)}; let something be played in between, or lead elsewhere")
    leads_out = {name for name in here if graph.open & {name, *graph.after(name)}}
    stuck = [name for name in graph.names if name in here and name not in leads_out]
    if stuck and not caught & set(stuck):
        text = "nobody ever gets out: no way from here leads to an end, an agent or a transfer, or to a last node"
        others = stuck[1:]
        yield Finding(stuck[0], "", text + (f" (nor from {_listed(others)})" if others else ""))
    if not stuck and not caught:
        yield from _silence(ivr, graph, here)
    yield from _early_answers(ivr, graph, here)


def _silence(ivr: Ivr, graph: _Graph, here: Collection[str]) -> Iterator[Finding]:
    """Where somebody is caught who presses nothing, as a telephone that lies beside its receiver: until the limit of the flow."""
    ways_of = {node.name: [way for way in ways(node) if node.do not in ASKS or way.by == OTHERWISE] for node in ivr.nodes}
    out = {node.name for node in ivr.nodes if node.do == "end" or any(not graph.meant(way.to) for way in ways_of[node.name])}
    while more := {name for name, found in ways_of.items() if name not in out and any(graph.meant(way.to) in out for way in found)}:
        out |= more
    asked = [node for node in ivr.nodes if node.do in ASKS and node.name in here and node.name not in out]
    if asked:
        text = f"whoever presses nothing goes round until at_most of the flow, {ivr.at_most_s / 60:.3g} min, is over: let `otherwise` lead out some day"
        yield Finding(asked[0].name, "otherwise", text, grave=False)


def _early_answers(ivr: Ivr, graph: _Graph, here: Collection[str]) -> Iterator[Finding]:
    """An answer is used where no way leads from the question that gives it."""
    givers: dict[str, list[str]] = {}
    for node in ivr.nodes:
        for name in ([node.kept_as] if node.do in HEARD else []) + list(node.take):
            givers.setdefault(name, []).append(node.name)
    own = answers_of(ivr)
    for node in ivr.nodes:
        if node.name not in here:
            continue
        for setting, name in _names_used(node):
            if name not in own:
                guess = _nearest(name, own, 0.8)
                if guess:
                    text = f"`{name}` is taken for an attribute of the lead; the answer is called `{guess}`"
                    yield Finding(node.name, setting, text, grave=False)
            elif not any(node.name in graph.after(giver) for giver in givers[name]):
                text = f"`{name}` can not have been answered when the call comes here: {_listed(givers[name])} asks for it, and does not lead here"
                yield Finding(node.name, setting, text, grave=False)


def _names_used(node: Node) -> Iterator[tuple[str, str]]:
    for name in _PLACE.findall(node.text):
        yield "text", name
    if node.what:
        yield "what", node.what
    for name in node.send:
        yield f"send.{name}", name


# --- each node by itself ----------------------------------------------------------------------------------------------------------------


def _of_a_node(ivr: Ivr, node: Node) -> Iterator[Finding]:
    def say(setting: str, text: str, grave: bool = True) -> Finding:
        return Finding(node.name, setting, text, grave)

    yield from (say(setting, text) for setting, text in _texts(node))
    yield from (say(setting, text) for setting, text in _RULES.get(node.do, _nothing)(node))
    for setting, sound in (("sound", node.sound), ("wrong", node.wrong)):
        if sound and never_ends(sound):
            yield say(setting, f"{sound} never ends, so nothing would come after it: name a sound file, or a tone")
    if node.language and not LANGUAGE.fullmatch(node.language):
        yield say("language", _no_language(node.language))
    if node.do in HEARD and not NAME.fullmatch(node.kept_as):
        yield say("as", f"`{node.kept_as}` can not be the name of an answer: letters, digits, - and _, at most 50")
    if node.do == "record" and node.at_most_s >= ivr.at_most_s:
        yield say("at_most", "is not shorter than the at_most of the whole flow, which ends the call before the recording is full", False)


def _texts(node: Node) -> Iterator[tuple[str, str]]:
    """D7: what is spoken goes through the switch, which would expand or split more than plain text."""
    for name in _PLACE.findall(node.text):
        if not NAME.fullmatch(name):
            yield "text", f"`{{{name}}}` is no attribute's name: letters, digits, - and _ stand between {{ and }}, as in {{due_amount}}"
    rest = _PLACE.sub("", node.text)
    odd = next((each for each in rest if not (each.isalpha() or each.isdecimal() or each in _SIGNS)), "")
    if odd in ("{", "}"):
        yield "text", "a { or } without the other: the name of an attribute stands between both, as in {due_amount}"
    elif odd:
        what = f"`{odd}`" if odd.isprintable() else f"the character U+{ord(odd):04X}"
        yield "text", f"{what} can not be spoken: letters, digits, spaces and . , ! ? ' - are, and {{attribute}}"
    for name in (*node.send, *node.take, *([node.what] if node.what else [])):
        if not NAME.fullmatch(name):
            setting = "what" if name == node.what else f"{'send' if name in node.send else 'take'}.{name}"
            yield setting, f"`{name}` can not be a name in a flow: letters, digits, - and _, at most 50"


Told = Iterator[tuple[str, str]]


def _nothing(node: Node) -> Told:
    yield from ()


def _play(node: Node) -> Told:
    if not node.sound and not node.text:
        yield "", "plays nothing: write sound: hello.wav, or text: Good day"


def _say(node: Node) -> Told:
    if not node.text:
        yield "text", "is missing: what is to be said? as in text: '{due_amount}'"
    elif node.say_as != "text" and not _PLACE.fullmatch(node.text):
        pattern, wanted = _VALUES[node.say_as]
        if not pattern.fullmatch(node.text):
            yield (
                "text",
                f"`{node.text[:40]}` can not be said as_a {node.say_as}: one {{attribute}} is expected, or {wanted}; words stand in a node of their own",
            )


def _menu(node: Node) -> Told:
    if not node.keys:
        yield "keys", "is missing: which key leads where? as in keys: {1: adviser, star: main}"
    seen: set[str] = set()
    for key, _ in node.keys:
        if key not in KEYS:
            yield f"keys.{key}", f"`{key}` is no key of a telephone: 0 to 9, star and hash, one at a time"
        elif key in seen:
            yield f"keys.{key}", f"the key {key} stands here a second time: keep one"
        seen.add(key)


def _gather(node: Node) -> Told:
    if not node.next:
        yield "next", "is missing: where does it go on after the digits?"
    if not node.pattern:
        return
    try:
        lengths = lengths_of(node.pattern)
    except BadPattern as error:
        yield "pattern", str(error)
        return
    low, high = node.digits
    if not any(low <= each <= high for each in lengths):
        wanted = f"{low}" if low == high else f"{low} to {high}"
        can = f"{min(lengths)}" if len(lengths) == 1 else f"{min(lengths)} to {max(lengths)}"
        yield "pattern", f"no answer can be right: it fits {can} digits, and `digits` wants {wanted}"


def _rate(node: Node) -> Told:
    if not node.next:
        yield "next", "is missing: where does it go on after the mark?"
    if node.low >= node.high:
        yield "low", f"{node.low} is not below high, {node.high}: a rating needs two marks at least"


def _transfer(node: Node) -> Told:
    if not node.number:
        yield "to", "is missing: the number to which the customer is put through"


def _set(node: Node) -> Told:
    if not node.set:
        yield "set", "is missing: what is to be set? as in set: {wants_call: yes}"


def _if(node: Node) -> Told:
    if not node.what:
        yield "what", "is missing: an answer's name, or an attribute of the lead"
    if not node.among:
        yield "is", "is missing: with which value is the way `next`? as in is: [gold, silver]"
    for value in node.among:
        if not VALUE.fullmatch(value):
            yield "is", f"`{value[:40]}` is no value that anything in a flow can have: letters, digits, spaces and + - . , (at most 128)"
    if not node.next and not node.otherwise:
        yield "", "leads nowhere: write next, otherwise, or both"


def _http(node: Node) -> Told:
    if not node.url:
        yield "url", "is missing: where does the request go? as in url: https://crm.example.com/dues"


_RULES: Mapping[str, Callable[[Node], Told]] = {
    "play": _play,
    "say": _say,
    "menu": _menu,
    "gather": _gather,
    "rate": _rate,
    "transfer": _transfer,
    "set": _set,
    "if": _if,
    "http": _http,
}


# --- words ------------------------------------------------------------------------------------------------------------------------------


def _nearest(word: str, known: Collection[str], cutoff: float = 0.6) -> str:
    return next(iter(get_close_matches(word, sorted(known), n=1, cutoff=cutoff)), "")


def _no_language(word: str) -> str:
    return f"`{word}` is no language of the switch: two or three letters, as in en, and a country where needed, pt_BR"


def _listed(names: Iterable[str], most: int = 8) -> str:
    all_of = list(names)
    shown = ", ".join(all_of[:most])
    return shown + (f" and {len(all_of) - most} more" if len(all_of) > most else "")


def _round(circle: list[str]) -> str:
    return f"{circle[0]} leads back to itself" if len(circle) == 1 else f"{_listed(circle)} lead to each other"


__all__ = ["Finding", "judge"]
