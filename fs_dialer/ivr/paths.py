"""Every path through a flow, as inputs that a test replays: by walk.py, on the simulated switch, on a real one.

Pure and deterministic. Each way out of each node that can be taken at all is taken by one of the paths, and each manner of taking it: a key, no key, a wrong
key, a wrong one and then a right one. A circle is gone round once. Attributes of the lead that the flow compares are chosen so that both ways are taken.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from fs_dialer.core.flow import Ivr, Node
from fs_dialer.ivr.walk import Ended, Walk, begin, replayed
from fs_dialer.ivr.words import Input, accepts, answers_of

MOST_PATHS = 500
MOST_ALIKE = 12  # stops at one node that differ in answers and attributes only; more where they lead to something new
MOST_EXAMPLES = 200  # of what a pattern matches
SPOKEN_S = 3
TOLD = "1"  # what a service says where nothing asks for more
WAIT, HANG_UP = Input("wait"), Input("hang_up")


@dataclass(frozen=True, slots=True)
class Path:
    """One call: what the lead is like, what happens, and what walk.py says of it."""

    attributes: Mapping[str, str]
    inputs: tuple[Input, ...]
    path: str
    ended: Ended
    succeeded: bool
    taken: tuple[tuple[str, str], ...]


def paths(ivr: Ivr, at_most: int = MOST_PATHS, *, hang_ups: bool = False) -> list[Path]:
    """The paths, in the order in which the flow is written; `at_most` of them. hang_ups: and for each node that waits one who hangs up there."""
    search = _Search(ivr)
    found = list(search.covering())
    if hang_ups:
        first = {stop.walk.node: stop for stop in reversed(search.stops.values())}
        found += [(stop.walk, (*stop.inputs, HANG_UP)) for stop in reversed(first.values())]
    told: dict[tuple[Input, ...], Path] = {}
    for walk, inputs in found:
        attributes = {name: value for name, value in walk.attributes.items() if value}
        end = replayed(ivr, attributes, inputs)
        told.setdefault((*inputs, *(Input("answered", name, ((name, value),)) for name, value in attributes.items())), _path(end, attributes, inputs))
    return list(told.values())[:at_most]


def _path(end: Walk, attributes: Mapping[str, str], inputs: tuple[Input, ...]) -> Path:
    return Path(attributes, inputs, end.path, end.ended, end.succeeded, end.taken)


# --- the search -----------------------------------------------------------------------------------------------------------------------

Key = tuple[str, tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]
Covered = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Onward:
    """From a stop to the next one, or (key None) to the call's end."""

    inputs: tuple[Input, ...]
    key: Key | None
    walk: Walk
    covers: Covered


@dataclass(slots=True)
class Stop:
    """A node that waits, with all that may matter for what follows; and the first way that was found to it."""

    walk: Walk
    inputs: tuple[Input, ...]
    onward: list[Onward] = field(default_factory=list)
    to_end: int | None = None  # steps, None = the call never ends by itself


class _Undecided(Exception):
    def __init__(self, name: str) -> None:
        self.name = name


class _Attributes(dict[str, str]):
    """Those chosen so far. Who asks for another one learns that it is to be chosen; those that are never compared have no value."""

    def __init__(self, chosen: Mapping[str, str], compared: Mapping[str, Sequence[str]]) -> None:
        super().__init__(chosen)
        self.compared = compared

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        if name not in self and name in self.compared:
            raise _Undecided(name)
        return super().get(name, default)


class _Search:
    def __init__(self, ivr: Ivr) -> None:
        self.ivr = ivr
        asked = [node for node in ivr.nodes if node.do == "if"]
        own = answers_of(ivr)
        self.compared = {node.what: _distinct("", *(value for other in asked if other.what == node.what for value in other.among)) for node in asked}
        self.wanted = {name: values[1:] for name, values in self.compared.items() if name in own}
        self.compared = {name: values for name, values in self.compared.items() if name not in own}
        self.stops: dict[Key, Stop] = {}
        self.alike: dict[str, int] = {}  # stops by node
        self.begins: list[Walk] = []
        self._explore()
        self._measure()

    def covering(self) -> Iterator[tuple[Walk, tuple[Input, ...]]]:
        """Paths until everything is covered: each begins with what is not covered yet, and covers more on its way where it can."""
        covered: set[tuple[str, str]] = set()
        for walk in self.begins:
            if walk.ended:
                yield walk, ()
        for stop in self.stops.values():
            for onward in stop.onward:
                if not onward.covers <= covered:
                    covered |= onward.covers
                    yield self._finished(onward, (*stop.inputs, *onward.inputs), covered)

    def _finished(self, onward: Onward, inputs: tuple[Input, ...], covered: set[tuple[str, str]]) -> tuple[Walk, tuple[Input, ...]]:
        while onward.key is not None:
            stop = self.stops[onward.key]
            fresh = next((each for each in stop.onward if not each.covers <= covered), None)
            if fresh is None and stop.to_end is None:
                return onward.walk, (*inputs, HANG_UP)
            onward = fresh or min(stop.onward, key=self._left)
            covered |= onward.covers
            inputs = (*inputs, *onward.inputs)
        return onward.walk, inputs

    def _left(self, onward: Onward) -> float:
        if onward.key is None:
            return 0
        steps = self.stops[onward.key].to_end
        return float("inf") if steps is None else steps + 1

    def _explore(self) -> None:
        waiting: deque[Key] = deque()
        for walk in self._advanced(None, ()):
            self.begins.append(walk)
            if not walk.ended:
                self._arrived(walk, (), waiting)
        found: set[tuple[str, str]] = set()
        while waiting:
            stop = self.stops[waiting.popleft()]
            for label, inputs in self._choices(stop.walk):
                for walk in self._advanced(stop.walk, inputs):
                    covers = frozenset({*walk.taken[len(stop.walk.taken) :], (stop.walk.node, f"by {label}")})
                    if not walk.ended and covers <= found and self._is_one_too_many(walk):
                        continue
                    found |= covers
                    key = None if walk.ended else self._arrived(walk, (*stop.inputs, *inputs), waiting)
                    stop.onward.append(Onward(inputs, key, walk, covers))

    def _key(self, walk: Walk) -> Key:
        answers = tuple(sorted((name, value) for name, value in walk.answers.items() if name in self.wanted))
        return (walk.node, answers, tuple(sorted(walk.attributes.items())))

    def _is_one_too_many(self, walk: Walk) -> bool:
        return self.alike.get(walk.node, 0) >= MOST_ALIKE and self._key(walk) not in self.stops

    def _arrived(self, walk: Walk, inputs: tuple[Input, ...], waiting: deque[Key]) -> Key:
        key = self._key(walk)
        if key not in self.stops:
            self.stops[key] = Stop(walk, inputs)
            self.alike[walk.node] = self.alike.get(walk.node, 0) + 1
            waiting.append(key)
        return key

    def _advanced(self, walk: Walk | None, inputs: tuple[Input, ...], chosen: Mapping[str, str] | None = None) -> Iterator[Walk]:
        """The walk after these inputs, once for each value of every attribute that it asks for on the way. None = from the beginning."""
        attributes = _Attributes(chosen if chosen is not None else walk.attributes if walk else {}, self.compared)
        try:
            after = begin(self.ivr, attributes) if walk is None else replace(walk, attributes=attributes)
            for happened in inputs:
                after = after.after(happened)
        except _Undecided as asks:
            for value in self.compared[asks.name]:
                yield from self._advanced(walk, inputs, {**attributes, asks.name: value})
        else:
            yield after

    def _measure(self) -> None:
        """How many steps it is from each stop to an end."""
        before: dict[Key | None, list[Key]] = {}
        for key, stop in self.stops.items():
            for onward in stop.onward:
                before.setdefault(onward.key, []).append(key)
        waiting: deque[tuple[Key | None, int]] = deque([(None, 0)])
        while waiting:
            found, steps = waiting.popleft()
            for key in before.get(found, []):
                if self.stops[key].to_end is None:
                    self.stops[key].to_end = steps
                    waiting.append((key, steps + 1))

    # --- what may be done at a stop -------------------------------------------------------------------------------------------------------

    def _choices(self, walk: Walk) -> Iterator[tuple[str, tuple[Input, ...]]]:
        node, expects = walk.here, walk.expects
        match expects.what:
            case "key":
                keys = expects.keys if node.do == "menu" else _distinct(expects.keys[0], expects.keys[-1], *self._wished(node, expects.keys))
                bad = next((key for key in "0123456789*#" if key not in expects.keys), None)
                yield from _asked(node, {key: (Input("press", key),) for key in keys}, (Input("press", bad),) if bad else None)
            case "digits":
                right = _distinct(*examples(node)[:2], *(value for value in self.wanted.get(node.kept_as, ()) if accepts(node, value)))
                wrong = _wrong_digits(node)
                yield from _asked(node, {digits: _entry(walk, digits) for digits in right}, _entry(walk, wrong) if wrong else None)
            case "record":
                yield from (("voice", (Input("spoken", str(SPOKEN_S)),)), ("silence", (WAIT,)), ("hang_up", (Input("hang_up", str(SPOKEN_S)),)))
            case "agent" | "number":
                yield from ((found, (Input(expects.what, found),)) for found in ("yes", "no"))
            case "http":
                usual = dict.fromkeys(node.take, TOLD)
                told = [usual, *({**usual, name: value} for name in node.take for value in self.wanted.get(name, ()))]
                yield from ((f"answer {values}", (Input("answered", "yes", tuple(values.items())),)) for values in told)
                yield "no answer", (Input("answered", "no"),)

    def _wished(self, node: Node, keys: Sequence[str]) -> list[str]:
        return [value for value in self.wanted.get(node.kept_as, ()) if value in keys]


def _asked(node: Node, right: Mapping[str, tuple[Input, ...]], wrong: tuple[Input, ...] | None) -> Iterator[tuple[str, tuple[Input, ...]]]:
    """Each right answer; no answer; wrong ones only; a wrong one, then a right one."""
    yield from right.items()
    yield "no answer", (WAIT,) * node.tries
    if wrong:
        yield "wrong answers", wrong * node.tries
    if right and node.tries > 1:
        yield "second try", (*(wrong or (WAIT,)), *next(iter(right.values())))


# --- digits ---------------------------------------------------------------------------------------------------------------------------


def _entry(walk: Walk, digits: str) -> tuple[Input, ...]:
    """Press them, and end the entry where it does not end by itself."""
    expects = walk.expects
    pressed = tuple(Input("press", digit) for digit in digits)
    if len(digits) >= expects.digits[1]:
        return pressed
    return (*pressed, Input("press", expects.ends_with) if expects.ends_with else WAIT)


def _wrong_digits(node: Node) -> str:
    """Digits that the node does not take, "" where there are none."""
    low, high = node.digits
    tried = (digit * length for length in (low, high) for digit in "9081726354")
    return next((digits for digits in tried if not accepts(node, digits)), "1" if low > 1 else "")


def examples(node: Node) -> list[str]:
    """Entries that a gather node takes, the shortest first: at least one, unless its pattern fits nothing of the wanted length."""
    low, high = node.digits
    if not node.pattern:
        return _distinct("1234567890"[:low] if low <= 10 else "1" * low, ("1234567890" * 13)[:high])
    found = sorted(_matching(node.pattern, high), key=len)
    return _distinct(*(digits for digits in found if accepts(node, digits)))


def _matching(pattern: str, longest: int) -> list[str]:
    """Some texts that a pattern of digits, \\d, [ ], ( ), |, ?, + and {n} matches."""
    options, at = _alternatives(pattern, 0, longest)
    return options if at == len(pattern) else []


def _alternatives(pattern: str, at: int, longest: int) -> tuple[list[str], int]:
    found: list[str] = []
    row = [""]
    while at < len(pattern) and pattern[at] != ")":
        if pattern[at] == "|":
            found, row, at = found + row, [""], at + 1
            continue
        atom, at = _atom(pattern, at, longest)
        counts, at = _counts(pattern, at, longest)
        repeated = [part for count in counts for part in _repeated(atom, count, longest)]
        row = [left + right for left, right in product(row, repeated) if len(left) + len(right) <= longest][:MOST_EXAMPLES]
    return found + row, at


def _repeated(atom: list[str], count: int, longest: int) -> list[str]:
    """Every option of the atom so many times, one and the same each time."""
    return [option * count for option in atom if len(option) * count <= longest]


def _atom(pattern: str, at: int, longest: int) -> tuple[list[str], int]:
    if pattern[at] == "(":
        at += 3 if pattern.startswith("(?:", at) else 1
        options, at = _alternatives(pattern, at, longest)
        return options, at + 1
    if pattern[at] == "[":
        close = pattern.find("]", at)
        fits = [digit for digit in "1234567890" if re.fullmatch(pattern[at : close + 1], digit)]
        return fits[:1], close + 1
    if pattern[at] == "\\":
        return ["1"], at + 2
    return [pattern[at]], at + 1


def _counts(pattern: str, at: int, longest: int) -> tuple[Sequence[int], int]:
    if pattern.startswith("?", at):
        return (0, 1), at + 1
    if pattern.startswith("+", at):
        return range(1, longest + 1), at + 1
    if told := re.compile(r"\{(\d+)(?:,(\d*))?\}").match(pattern, at):
        high = int(told[1]) if told[2] is None else min(longest, int(told[2] or longest))
        return range(int(told[1]), high + 1), told.end()
    return (1,), at


def _distinct(*values: str) -> list[str]:
    return list(dict.fromkeys(values))
