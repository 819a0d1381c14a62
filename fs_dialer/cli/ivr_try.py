"""ivr try: a walk through a flow in the terminal, by pressing keys; nobody is called.

Knows how what is played and waited for is told, and which keys of the keyboard stand for what; what follows from them is ivr/walk.py's. Time does not pass by
itself: `t` says that the time-out is over.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.ivr_flows import EXITS, FLOW, FROM, flow_named
from fs_dialer.cli.output import ago, clean, painted, wants_colour
from fs_dialer.cli.settings import Session
from fs_dialer.core.flow import Ivr, attributes_used, steps
from fs_dialer.ivr.draw import SAID_AS
from fs_dialer.ivr.walk import ENDED, Walk, begin
from fs_dialer.ivr.words import Input, Prompt, allowed, ways

HANGS_UP_AFTER_S = 5  # of a message, where nothing else is said
HELP = "keys: 0-9 * #   t time is over   a agent, number or service answers   h hang up   q leave"
_TELEPHONE = re.compile(r"[0-9*#]+")


@command(
    "try",
    examples=("fs-dialer ivr try dues-menu --from conf/ --set due_amount=120.50", "fs-dialer ivr try dues-menu --keys 2,4711,#,t,5 --json"),
    exits={**EXITS, Exit.MISUSE: "the command line is wrong, or a key means nothing where it was pressed"},
)
@FLOW
@FROM
@click.option("--lead", metavar="ID|NUMBER", help="With the attributes of this lead, from the database.")
@click.option("--campaign", metavar="NAME", help="With --lead NUMBER: the lead in this campaign.")
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help="An attribute of the lead; goes over those of --lead.")
@click.option("--keys", metavar="1,2,t,…", help="What happens, rather than asking: keys, and t, a, h as below.")
def ivr_try(session: Session, flow: str, paths: tuple[Path, ...], lead: str | None, campaign: str | None, given: tuple[str, ...], keys: str | None) -> None:
    """Walk through a flow: see what is played and waited for, and press keys. At the end: what would become of the lead.

    \b
    0-9 * #   a key of the telephone; of a recording: he speaks so many seconds
    t         the time is over: no key, silence, no agent, no answer
    a         an agent comes, the number or the service answers; of a service
              what it tells may follow: a:known=yes
    h         he hangs up
    q         leave

    Where the input is no terminal, keys are read from it, separated by blanks, commas or lines.
    """
    ivr = flow_named(session, flow, paths)
    attributes = _attributes(session, ivr, lead, campaign, given)
    teller = _Teller(session, ivr)
    teller.begin(attributes)
    call = _Call(begin(ivr, attributes), teller)
    asks = keys is None and sys.stdin.isatty() and not session.as_json
    words = _split(keys) if keys is not None else _pressed(call) if asks else (word for line in sys.stdin for word in _split(line))
    for word in words:
        if word == "q" or not call.happens(word, refuses=not asks):
            break
    teller.end(call.walk)
    session.result(_told(ivr, call.walk, attributes, call.inputs))


# --- the lead -------------------------------------------------------------------------------------------------------------------------


def _attributes(session: Session, ivr: Ivr, lead: str | None, campaign: str | None, given: tuple[str, ...]) -> dict[str, str]:
    """Those that the flow needs, and those that were given."""
    found: dict[str, str] = {}
    if lead is not None:
        from fs_dialer.cli.lead_views import meant

        with session.office() as office:
            known = meant(session, office, lead, campaign)[0].lead
        whole = {**known.attributes, **known.parameters}
        found = {name: str(whole[name]) for name in attributes_used(ivr) if name in whole}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--set {each}: write NAME=VALUE, as in --set due_amount=120.50")
        found[name] = value
    return found


# --- what happens ---------------------------------------------------------------------------------------------------------------------


class _Call:
    """A walk, and all that has happened to it."""

    def __init__(self, walk: Walk, teller: _Teller) -> None:
        self.walk, self.inputs, self._teller = walk, list[Input](), teller
        teller.heard(walk)

    def happens(self, word: str, *, refuses: bool) -> bool:
        """What a word stands for; False once the call is over. CommandFailed for one that means nothing here, where nobody sits there to be told."""
        if self.walk.ended:
            return False
        meant = _inputs(word, self.walk)
        if not meant:
            if refuses:
                raise CommandFailed(f"`{clean(word)}` means nothing at {self.walk.node}, which {_waits(self.walk)}", HELP, code=Exit.MISUSE)
            self._teller.pressed(word, means=False)
            return True
        for happened in meant:
            if not self.walk.ended:
                self.inputs.append(happened)
                self.walk = self.walk.after(happened)
        if not self.walk.typed:  # else what is typed so far tells it
            self._teller.pressed(word)
        self._teller.heard(self.walk)
        return not self.walk.ended


def _split(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]


def _pressed(call: _Call) -> Iterator[str]:
    """Single keys of the keyboard; what a service tells is asked for in lines."""
    while not call.walk.ended:
        try:
            key = click.getchar()
            if key == "a" and call.walk.expects.what == "http" and call.walk.here.take:
                key += ":" + "&".join(f"{name}={click.prompt(f'          {name}', default='', show_default=False)}" for name in call.walk.here.take)
        except (KeyboardInterrupt, EOFError, click.Abort):
            return
        if key in ("\x03", "\x04", "\x1b"):
            return
        yield key


def _inputs(word: str, walk: Walk) -> list[Input]:
    """What a word stands for where the walk is; [] for what means nothing there."""
    what = walk.expects.what
    if word == "t":
        return [Input("wait")]
    if word == "h":
        return [Input("hang_up", str(HANGS_UP_AFTER_S) if what == "record" else "0")]
    if word == "a" and what in ("agent", "number"):
        return [Input("agent" if what == "agent" else "number", "yes")]
    if what == "http" and (word == "a" or word.startswith("a:")):
        return [Input("answered", "yes", _fields(word[2:]))]
    if what == "record" and word.isdecimal():
        return [Input("spoken", str(min(int(word), int(walk.here.at_most_s))))]
    if what in ("key", "digits") and _TELEPHONE.fullmatch(word):
        return [Input("press", key) for key in word]
    return []


def _fields(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, _, value in (pair.partition("=") for pair in text.split("&") if pair))


# --- what is told ---------------------------------------------------------------------------------------------------------------------


def _waits(walk: Walk) -> str:
    """What the flow waits for, in a line."""
    expects, node = walk.expects, walk.here
    time = f"{expects.timeout_s:g} s" if expects.timeout_s is not None and expects.timeout_s < 60 else ago(expects.timeout_s or 0)
    left = f"   (try {node.tries - expects.tries_left + 1} of {node.tries})" if node.tries > 1 else ""
    match expects.what:
        case "key":
            where = ", ".join(f"{way.by} → {way.to}" for way in ways(node) if way.by in expects.keys) or f"{expects.keys[0]} to {expects.keys[-1]}"
            return f"waits {time} for a key: {where}{left}"
        case "digits":
            low, high = expects.digits
            ends = f", ended by {expects.ends_with}" if expects.ends_with and low != high else ""
            return f"waits {time} for {low if low == high else f'{low} to {high}'} digits{ends}{left}"
        case "record":
            return f"records, at most {time}: a digit = so many seconds, t = silence, h = he speaks {HANGS_UP_AFTER_S} s and hangs up"
        case "agent":
            who = [*(f"team {team}" for team in node.teams), *node.people]
            return f"wants an agent ({', '.join(who) or 'of the campaign'}): a = one comes, t = nobody in time"
        case "number":
            return f"rings {node.number} for {time}: a = somebody answers, t = nobody"
        case "http":
            return f"asks {node.url}, for {time}: a = it answers, t = it does not"
        case _:
            return "is over"


def _words(prompt: Prompt) -> str:
    match prompt.kind:
        case "sound":
            return f"♪ {clean(prompt.what)}"
        case "beep":
            return "♪ beep"
        case "say":
            return f"“{clean(prompt.what)}” {SAID_AS.get(prompt.say_as, '')}" if prompt.what else "nothing: the value is not known"
        case _:
            return f"“{clean(prompt.what)}”"


def fate(walk: Walk) -> tuple[str, str]:
    """The lead's status after a call that ended like this, and why (D13)."""
    if walk.opted_out:
        return "do_not_call", f"his number goes onto the list {', '.join(walk.opted_out)}"
    if walk.ended == "connected":
        return "succeeded", "an agent talked with him"
    if walk.succeeded:
        return "succeeded", "he left voice mail" if walk.voicemail else "the flow came to an end that counts as reached"
    return "retry", "the flow came to an end that does not count as reached" if walk.ended == "end" else ENDED[walk.ended]


@dataclass(slots=True)
class _Teller:
    """Tells what is new since the last time."""

    session: Session
    ivr: Ivr
    played: int = 0
    passed: int = 0
    width: int = field(init=False)
    coloured: bool = field(init=False)

    def __post_init__(self) -> None:
        self.width = max((len(node.name) for node in self.ivr.nodes), default=0)
        self.coloured = wants_colour(sys.stdout)

    def begin(self, attributes: Mapping[str, str]) -> None:
        self.session.say(f"{painted(clean(self.ivr.title or self.ivr.name), 'bold', self.coloured)}   {HELP}")
        for name in attributes_used(self.ivr):
            if name not in attributes:
                self.session.note(f"the lead has no {name}: give one with --set {name}=VALUE")
        for name, value in attributes.items():
            if value and not allowed(value):
                self.session.note(f"{name} is not given to the switch, so the flow does not know it: only letters A-Z, digits, blanks and + - . , are")

    def pressed(self, word: str, *, means: bool = True) -> None:
        self._line("", painted(f"> {word}" if means else f"> {clean(word)} means nothing here", "" if means else "yellow", self.coloured))

    def heard(self, walk: Walk) -> None:
        """What was played since the last time, and what is waited for."""
        fresh, self.played = walk.heard[self.played :], len(walk.heard)
        names = [prompt.node for prompt in fresh]
        for place, prompt in enumerate(fresh):
            self._line(prompt.node if place == 0 or names[place - 1] != prompt.node else "", _words(prompt))
        if walk.typed:
            self._line("", painted(f"so far {walk.typed}", "cyan", self.coloured))
        elif not walk.ended:
            self._line("" if names and names[-1] == walk.node else walk.node, painted(_waits(walk), "cyan", self.coloured))

    def _line(self, node: str, text: str) -> None:
        self.session.say(f"{painted(f'{node:<{self.width}}', 'bold', self.coloured)}  {text}")

    def end(self, walk: Walk) -> None:
        self.session.say("")
        if not walk.ended:
            self._fact("stopped", f"at {walk.node}, which {_waits(walk)}")
            self._fact("path", walk.path)
            return
        self._fact("ended", ENDED[walk.ended] + (f", at {walk.left_at}" if walk.left_at else ""))
        self._fact("path", walk.path)
        status, why = fate(walk)
        colour = {"succeeded": "green", "retry": "yellow"}.get(status, "red")
        words = {"succeeded": "succeeded", "retry": "called again", "do_not_call": "never called again"}[status]
        self._fact("the lead", f"{painted(words, colour, self.coloured)}: {why}")
        if walk.parameters:
            self._fact("set", ", ".join(f"{name} = {value}" for name, value in walk.parameters.items()))

    def _fact(self, name: str, text: str) -> None:
        self.session.say(f"{name:<8}  {text}")


def _told(ivr: Ivr, walk: Walk, attributes: Mapping[str, str], inputs: list[Input]) -> dict[str, Any]:
    status, why = fate(walk) if walk.ended else ("", "")
    return {
        "flow": ivr.name,
        "attributes": dict(attributes),
        "inputs": inputs,
        "heard": walk.heard,
        "path": walk.path,
        "steps": steps(ivr, walk.path),
        "ended": walk.ended or None,
        "left_at": walk.left_at or None,
        "waits_for": None if walk.ended else walk.expects,
        "lead": status or None,
        "why": why or None,
        "parameters": walk.parameters,
        "opted_out": walk.opted_out,
    }
