"""One call through a flow, without a switch: what is played, what is waited for, where it goes, and the path that is left behind.

Pure: a walk is a value, and what happens to it gives another one. It is the truth about what a flow means: the rendered dialplan is held against it on the
simulated and on a real switch, path for path. It has no clock: somebody else says that a time-out is over (`wait`). Prompts take no time, so a hang-up in
the midst of one is a hang-up at what follows it. Every path through a flow: paths.py.

Keys are judged as play_and_get_digits does: a wrong key, too few digits or none in time cost a try, `wrong` is played after each, and after the last one
`otherwise` is taken. A digit more than is wanted never gets in: the entry ends with the last one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from fs_dialer.core.flow import SUCCESS, Ivr, Node, left_voicemail, succeeded
from fs_dialer.ivr.words import NEXT, OTHERWISE, PLACE, Expects, Input, Prompt, accepts, allowed, answers_of, leaves, marks, prompts, symbol

Ended = Literal["", "end", "connected", "put_through", "missed", "hung_up", "over", "at_most"]
ENDED: Mapping[Ended, str] = {
    "end": "the flow came to an end",
    "connected": "an agent was put on the line",
    "put_through": "he was put through to the number",
    "missed": "no agent came in time",
    "hung_up": "he hung up",
    "over": "no right answer came, and the flow says of no step that follows",
    "at_most": "it went round in a circle until the longest time of the flow was over",
}


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a call is. heard: everything played so far. answers: by name. parameters: set on the lead. opted_out: do-not-call lists. taken: the ways."""

    ivr: Ivr
    attributes: Mapping[str, str]
    node: str = ""
    path: str = ""  # what the switch would tell if the call ended now
    done: str = ""  # its words that stay, each with a ; behind it
    heard: tuple[Prompt, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    opted_out: tuple[str, ...] = ()
    taken: tuple[tuple[str, str], ...] = ()
    typed: str = ""  # digits of an entry that is not finished
    failed: int = 0  # tries at this node that went wrong
    ended: Ended = ""

    # --- what it waits for --------------------------------------------------------------------------------------------------------------

    @property
    def here(self) -> Node:
        """The node where it stands. LookupError before the first."""
        node = self.ivr.node(self.node)
        if node is None:
            raise LookupError(f"{self.ivr.name} has no node {self.node!r}")
        return node

    @property
    def expects(self) -> Expects:
        if self.ended:
            return Expects("nothing")
        node, left = self.here, self.here.tries - self.failed
        match node.do:
            case "menu":
                return Expects("key", node.timeout_s, tuple(symbol(key) for key, _ in node.keys), tries_left=left)
            case "rate":
                return Expects("key", node.timeout_s, marks(node), tries_left=left)
            case "gather":
                timeout_s = node.between_s if self.typed else node.timeout_s
                return Expects("digits", timeout_s, digits=node.digits, ends_with=symbol(node.ends_with), tries_left=left)
            case "record":
                return Expects("record", node.at_most_s)
            case "transfer":
                return Expects("number", node.ring_s)
            case "http":
                return Expects("http", node.timeout_s)
            case _:
                return Expects("agent")

    # --- what happens -------------------------------------------------------------------------------------------------------------------

    def press(self, key: str) -> Walk:
        """A key, `0`–`9`, `*`, `#` (or star, hash). Where no key is waited for nothing happens."""
        key, expects = symbol(key), self.expects
        if expects.what == "key":
            return self._answer(key, self._leads_to(key)) if key in expects.keys else self._wrong()
        if expects.what == "digits":
            if key == expects.ends_with:
                return self._judged()
            more = replace(self, typed=self.typed + key)
            return more._judged() if len(more.typed) == expects.digits[1] else more
        return self

    def wait(self) -> Walk:
        """The time-out is over: no key, no further digit, silence, nobody there, no answer of the service."""
        match self.expects.what:
            case "key":
                return self._wrong()
            case "digits":
                return self._judged()
            case "record":
                return self.spoken(0)
            case "agent":
                return self.agent(False)
            case "number":
                return self.number(False)
            case "http":
                return self.answered(None)
            case _:
                return self

    def spoken(self, seconds: int) -> Walk:
        """He spoke so long into a recording, which ended by #, silence or its longest time."""
        return self._answer(str(seconds), (NEXT, self.here.next)) if self.expects.what == "record" else self

    def agent(self, found: bool) -> Walk:
        """An agent was put on the line, or none came in time."""
        if self.expects.what != "agent":
            return self
        if found:
            return self._took("agent", ended="connected")
        return self._go(OTHERWISE, self.here.otherwise) if self.here.otherwise else self._took(OTHERWISE, ended="missed")

    def number(self, found: bool) -> Walk:
        """Somebody answered at the number of a transfer, or nobody."""
        if self.expects.what != "number":
            return self
        if found:
            return self._says("answered")._took("number", ended="put_through")
        return self._go(OTHERWISE, self.here.otherwise)

    def answered(self, values: Mapping[str, str] | None) -> Walk:
        """A service answered with these fields, or (None) it failed. Fields that are not wanted, or that D7 forbids, are left out."""
        if self.expects.what != "http":
            return self
        if values is None:
            return self._go(OTHERWISE, self.here.otherwise)
        told = {name: kept for name in self.here.take if (kept := allowed(values.get(name, "")))}
        return replace(self, answers={**self.answers, **told})._go(NEXT, self.here.next)

    def hang_up(self, spoken_s: int = 0) -> Walk:
        """The caller hangs up; in a recording after so many seconds, which count: most people end their message so."""
        if self.ended:
            return self
        left = self._says(str(spoken_s)) if self.expects.what == "record" else self
        return replace(left, ended="hung_up")

    def after(self, happened: Input) -> Walk:
        """The same by name, as paths() tells it."""
        match happened.do:
            case "press":
                return self.press(happened.value)
            case "wait":
                return self.wait()
            case "spoken":
                return self.spoken(int(happened.value))
            case "agent":
                return self.agent(happened.value == "yes")
            case "number":
                return self.number(happened.value == "yes")
            case "answered":
                return self.answered(None if happened.values is None else dict(happened.values))
            case "hang_up":
                return self.hang_up(int(happened.value or 0))

    # --- what became of it --------------------------------------------------------------------------------------------------------------

    @property
    def succeeded(self) -> bool:
        """D13: an end that counts as success, an agent on the line, or voice mail."""
        return self.ended == "connected" or succeeded(self.ivr, self.path)

    @property
    def voicemail(self) -> bool:
        return left_voicemail(self.ivr, self.path)

    @property
    def left_at(self) -> str:
        """The node where the call ended; "" at an end of the flow."""
        return "" if self.ended in ("", "end") else self.node

    def value_of(self, name: str) -> str:
        """An answer, or an attribute of the lead as far as the switch is given it; "" = not known."""
        return self.answers.get(name, "") if name in answers_of(self.ivr) else allowed(self.attributes.get(name, ""))

    # --- steps --------------------------------------------------------------------------------------------------------------------------

    def _leads_to(self, key: str) -> tuple[str, str]:
        if self.here.do == "rate":
            return NEXT, self.here.next
        return key, next(to for each, to in self.here.keys if symbol(each) == key)

    def _judged(self) -> Walk:
        return self._answer(self.typed, (NEXT, self.here.next)) if accepts(self.here, self.typed) else self._wrong()

    def _answer(self, value: str, way: tuple[str, str]) -> Walk:
        return replace(self._says(value)._stays(), answers={**self.answers, self.here.kept_as: value})._go(*way)

    def _says(self, value: str) -> Walk:
        """The node's own word, behind those that stay."""
        return replace(self, path=f"{self.done}{self.node}={value}")

    def _stays(self) -> Walk:
        return replace(self, done=f"{self.path};")

    def _wrong(self) -> Walk:
        """One try less. The prompt is played again, or `otherwise` is taken."""
        node, language = self.here, self.here.language or self.ivr.language
        heard = (*self.heard, Prompt("sound", node.wrong, node.name, language)) if node.wrong else self.heard
        again = replace(self, typed="", failed=self.failed + 1, heard=heard)
        return again._plays() if again.failed < node.tries else again._go(OTHERWISE, node.otherwise)

    def _plays(self) -> Walk:
        node = self.here
        values = {name: self.value_of(name) for name in PLACE.findall(node.text)}
        return replace(self, heard=(*self.heard, *prompts(self.ivr, node, values)))

    def _took(self, way: str, *, ended: Ended = "") -> Walk:
        return replace(self, taken=(*self.taken, (self.node, way)), ended=ended)

    def _go(self, way: str, to: str) -> Walk:
        """Take a way, and go on until something is waited for."""
        walk, seen = self, set[str]()
        while True:
            if walk.node:
                walk = walk._took(way)
            if walk.ivr.node(to) is None:
                return walk._left(way)
            if to in seen:
                return replace(walk, node=to, ended="at_most")
            seen.add(to)
            walk = replace(walk, node=to, typed="", failed=0)._arrived()._plays()
            onward = None if walk.ended else walk._by_itself()
            if onward is None:
                return walk
            (way, to), walk = onward

    def _left(self, way: str) -> Walk:
        """No way leads on. A last node is an end and a success (D13); where an answer was missing it is neither."""
        if self.node and leaves(self.here, way):
            return replace(self._says(SUCCESS), ended="end")
        return replace(self, ended="over")

    def _arrived(self) -> Walk:
        """An end and an opt-out count before anything is played: he may hang up in the midst of it."""
        node = self.here
        if node.do == "end":
            return replace(self._says(SUCCESS if node.success else "other"), ended="end")
        if node.do == "opt_out":
            return replace(self._says("yes")._stays(), opted_out=(*self.opted_out, node.list))
        return self._says("")

    def _by_itself(self) -> tuple[tuple[str, str], Walk] | None:
        """The way out of a node that waits for nothing, and the walk after it; None = it waits."""
        node = self.here
        if node.do in ("play", "say", "opt_out"):
            return (NEXT, node.next), self
        if node.do == "set":
            return (NEXT, node.next), replace(self._says("done")._stays(), parameters={**self.parameters, **dict(node.set)})
        if node.do == "if":
            return ((NEXT, node.next) if self.value_of(node.what) in node.among else (OTHERWISE, node.otherwise)), self
        return None


def begin(ivr: Ivr, attributes: Mapping[str, str] | None = None) -> Walk:
    """A call that has just been answered. attributes: of the lead, as they stand; the walk sees those that the switch would be given."""
    return Walk(ivr, {} if attributes is None else attributes)._go("", ivr.first)


def replayed(ivr: Ivr, attributes: Mapping[str, str], inputs: tuple[Input, ...]) -> Walk:
    walk = begin(ivr, attributes)
    for happened in inputs:
        walk = walk.after(happened)
    return walk
