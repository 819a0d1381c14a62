"""Keys: how they reach a leg, who reads them, and play_and_get_digits.

Knows the order of things (freeswitch.md 40–44; recordings s05a, s05b, s06): a key goes first to the leg's bindings (bindings.py), else to whatever
application reads keys. One that is read raises DTMF; one that nobody reads waits, and answers the next question. The question is
switch_play_and_get_digits() and switch_ivr_read() of 1.11: prompt, digits, a look at the pattern, the sound for a wrong answer, and again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from fs_dialer.sim import applications, bindings, keypad, playback
from fs_dialer.sim.leg import HUNG_UP, Leg

if TYPE_CHECKING:
    from fs_dialer.sim.switch import SimSwitch

KEYS: Final = "0123456789*#ABCDabcd"
DURATIONS: Final = {"RTP": "2240", "ENDPOINT": "1280", "APP": "2000"}
UNREAD_IN: Final = frozenset({"sleep"})  # applications that leave keys where they are
_SILENT: Final = ("", "silence")


@dataclass(slots=True)
class Question:
    """play_and_get_digits under way. `number` changes with everything that happens, so that an older timer finds another one."""

    least: int
    most: int
    tries: int
    timeout_s: float
    terminators: str
    prompt: str
    wrong: str
    variable: str
    pattern: str
    between_s: float
    on_failure: str
    digits: str = ""
    phase: str = ""  # prompt, waiting, wrong
    number: int = 0


class Ears:
    """What a leg knows of keys: those not read yet, the question it is asked, its bindings and what has been fed to them."""

    __slots__ = ("asked_before", "attending", "beep_at", "deferred", "fed", "fed_turn", "listens_until", "question", "realm", "realms", "unread")

    def __init__(self) -> None:
        self.unread = ""
        self.question: Question | None = None
        self.realms: dict[str, list[bindings.Binding]] = {}
        self.realm = ""
        self.fed, self.fed_turn = "", 0
        self.deferred: list[tuple[str, str]] = []
        self.asked_before: dict[str, int] = {}  # how often a rule of the person's has answered
        self.attending = False  # in a flow: the person listens, and is not kept waiting
        self.listens_until = 0.0
        self.beep_at = 0.0


def ears(leg: Leg) -> Ears:
    """Made when first needed: most legs never hear a key."""
    found: Ears | None = leg.ears
    if found is None:
        found = leg.ears = Ears()
    return found


# ---- keys


def press(sw: SimSwitch, leg: Leg, digit: str, source: str, now: float) -> None:
    """A key of the far end: by RFC 2833 (RTP), by SIP INFO (ENDPOINT), or one that uuid_recv_dtmf pretends (APP): no binding ever sees that one (tried)."""
    if leg.phase == HUNG_UP or digit not in KEYS:
        return
    own = leg.ears
    if own is not None and own.realm and source != "APP":
        bindings.feed(sw, leg, digit, now)
    else:
        arrive(sw, leg, digit, source, now)


def arrive(sw: SimSwitch, leg: Leg, digit: str, source: str, now: float) -> None:
    """A key that no binding took."""
    own = leg.ears
    question = own.question if own is not None else None
    if question is not None and own is not None:
        if question.phase == "wrong":  # nobody reads while that sound is played
            own.unread += digit
        else:
            tell(sw, leg, digit, source, now)
            _answer(sw, leg, question, digit, now)
    elif leg.app in UNREAD_IN and leg.playback is None:
        ears(leg).unread += digit
    else:
        tell(sw, leg, digit, source, now)
        if ends_with(leg, digit):
            _terminate(sw, leg, digit, now)


def tell(sw: SimSwitch, leg: Leg, digit: str, source: str, now: float) -> None:
    """DTMF: somebody has read the key."""
    leg.digits += digit
    sw.emit(leg, "DTMF", now, tail=(("DTMF-Digit", digit), ("DTMF-Duration", DURATIONS[source]), ("DTMF-Source", source)))


def ends_with(leg: Leg, digit: str) -> bool:
    """Whether this key ends a sound or a recording: `*` does where nobody says otherwise."""
    terminators = leg.variables.get("playback_terminators", "*").lower()
    if terminators == "none":
        return False
    return digit in ("1234567890*#" if terminators == "any" else terminators)


def _terminate(sw: SimSwitch, leg: Leg, digit: str, now: float) -> None:
    sound = leg.playback
    if sound is not None and sound.ends_by_key:
        sw.set_variable(leg, "playback_terminator_used", digit)
        playback.stop(sw, leg, "break", playback.PLAYED, now)
        if not sound.broadcast:
            applications.run_next(sw, leg, now)
    elif sound is None and leg.app in ("record", "say", "speak"):
        sw.set_variable(leg, "playback_terminator_used", digit)
        applications.run_next(sw, leg, now)


# ---- play_and_get_digits


def play_and_get_digits(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    """`min max tries timeout terminators file invalid_file [variable [regex [digit_timeout [transfer_on_failure]]]]`."""
    given = [word for word in bindings.separated(data, " ") if word]
    if len(given) < 7 or not all(word.isdecimal() for word in given[:4]):
        sw.log("err", f"play_and_get_digits: not to be understood: {data}", now)
        return True
    least, most, tries, timeout_ms = (int(word) for word in given[:4])
    variable, pattern, between, on_failure = (*given[7:], "", "", "", "")[:4]
    between_ms = int(between) if between.isdecimal() and int(between) else timeout_ms
    if variable and pattern:
        sw.set_variable(leg, f"{variable}_invalid", None)
    question = Question(least, max(least, most), tries, timeout_ms / 1000, given[4], given[5], given[6], variable, pattern, between_ms / 1000, on_failure)
    own = ears(leg)
    own.question = question
    if question.tries <= 0:
        own.question = None
        return True
    _ask(sw, leg, question, now)
    return False


def drop(leg: Leg) -> None:
    """The leg leaves its application: nobody asks any more."""
    if leg.ears is not None:
        leg.ears.question = None


def _is_asked(leg: Leg, question: Question) -> bool:
    return leg.ears is not None and leg.ears.question is question and leg.phase != HUNG_UP


def _ask(sw: SimSwitch, leg: Leg, question: Question, now: float) -> None:
    """One try: the prompt is played, and its end begins the waiting. Keys that nobody has read so far answer at once."""
    own = ears(leg)
    question.tries -= 1
    question.number += 1
    question.digits, question.phase = "", "prompt"
    sw.set_variable(leg, "read_result", None)
    if question.variable:
        sw.set_variable(leg, question.variable, None)
    length_s: float | None = 0.0
    if question.prompt not in _SILENT:
        if not sw.settings.has_file(question.prompt):  # no prompt, no waiting
            _wrong(sw, leg, question, now)
            return
        length_s = sw.settings.file_length_s(question.prompt)
        playback.begin(sw, leg, question.prompt, False, now, then=lambda _, __, later: _wait(sw, leg, question, question.timeout_s, later))
    _hear(sw, leg, question, now + (length_s or 0.0))
    if question.prompt in _SILENT:
        _wait(sw, leg, question, question.timeout_s, now)
    unread, own.unread = own.unread, ""
    for place, digit in enumerate(unread):
        if own.question is not question or question.phase == "wrong":
            own.unread = unread[place:] + own.unread
            return
        tell(sw, leg, digit, "APP", now)
        _answer(sw, leg, question, digit, now)


def _hear(sw: SimSwitch, leg: Leg, question: Question, at: float) -> None:
    """The person on this leg has heard the question, until `at`, and makes up his mind."""
    rules = leg.behaviour.rules
    if rules:
        for after_s, key in keypad.answer(rules, leg.destination_now, question.prompt, question.variable, ears(leg).asked_before, sw.rng):
            sw.at(at + after_s, press, leg, key, leg.behaviour.key_source)


def _wait(sw: SimSwitch, leg: Leg, question: Question, seconds: float, now: float) -> None:
    if _is_asked(leg, question):
        question.phase = "waiting"
        question.number += 1
        sw.at(now + seconds + sw.settings.tick_s / 2, _timed_out, leg, question, question.number)


def _timed_out(sw: SimSwitch, leg: Leg, question: Question, number: int, now: float) -> None:
    if _is_asked(leg, question) and question.number == number:
        _judge(sw, leg, question, "timeout", now)


def _answer(sw: SimSwitch, leg: Leg, question: Question, digit: str, now: float) -> None:
    """A digit. The first one during the prompt breaks it off and counts; one that ends the answer is no part of it."""
    if question.phase == "prompt" and leg.playback is not None:
        playback.stop(sw, leg, "break", playback.PLAYED, now)
    if digit in question.terminators:
        if question.most > 1 or question.phase != "prompt":
            sw.set_variable(leg, "read_terminator_used", digit)
        _judge(sw, leg, question, "success", now)
        return
    question.digits += digit
    if len(question.digits) >= question.most:
        _judge(sw, leg, question, "success", now)
    else:
        _wait(sw, leg, question, question.between_s, now)


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text)
    except re.error:
        return None


def _judge(sw: SimSwitch, leg: Leg, question: Question, result: str, now: float) -> None:
    """The try is over. Too few digits stay in the variable; digits that do not fit the pattern do not."""
    question.number += 1
    digits = question.digits
    sw.set_variable(leg, "read_result", result if len(digits) >= question.least else "failure")
    if digits and question.variable:
        sw.set_variable(leg, question.variable, digits)
    if not digits and question.least == 0 and "read_terminator_used" in leg.variables:
        _done(sw, leg, now)
        return
    if digits and len(digits) >= question.least:
        pattern = _pattern(question.pattern) if question.pattern else None
        if not question.pattern or (pattern is not None and pattern.search(digits)):
            _done(sw, leg, now)
            return
        if question.variable:
            sw.set_variable(leg, f"{question.variable}_invalid", digits)
            sw.set_variable(leg, question.variable, None)
    _wrong(sw, leg, question, now)


def _wrong(sw: SimSwitch, leg: Leg, question: Question, now: float) -> None:
    """The sound after a wrong answer or none, the last one too; nobody reads keys meanwhile."""
    question.phase = "wrong"
    question.number += 1
    if question.wrong and sw.settings.has_file(question.wrong):
        playback.begin(sw, leg, question.wrong, False, now, then=lambda _, __, later: _again(sw, leg, question, later))
    else:
        _again(sw, leg, question, now)


def _again(sw: SimSwitch, leg: Leg, question: Question, now: float) -> None:
    if not _is_asked(leg, question):
        return
    if question.tries > 0:
        _ask(sw, leg, question, now)
        return
    if question.on_failure:
        ears(leg).question = None
        leg.app_response = "_none_"
        applications.execute_transfer(sw, leg, question.on_failure, now)
        return
    _done(sw, leg, now)


def _done(sw: SimSwitch, leg: Leg, now: float) -> None:
    ears(leg).question = None
    leg.app_response = "_none_"  # a prompt's own is not the question's
    applications.run_next(sw, leg, now)


APPLICATIONS: Final[dict[str, applications.Handler]] = {"play_and_get_digits": play_and_get_digits}
