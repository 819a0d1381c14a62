"""Keys that do something wherever the leg is: bind_digit_action, digit_action_set_realm, clear_digit_action.

Knows switch_ivr_dmachine (freeswitch.md 40–42; recordings s06a, s06b, s06c, s06k): a key that matches raises no DTMF; one that can match nothing comes
back as a DTMF of source APP, at once where every binding is of one exact key, else after the digit timeout. `exec[i]:` runs at once; `exec:` waits
while a broadcast plays to a parked leg.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fs_dialer.sim import applications, digits, picture
from fs_dialer.sim.leg import HUNG_UP, Leg

if TYPE_CHECKING:
    from fs_dialer.sim.switch import SimSwitch

_EXEC: Final = re.compile(r"(?:exec(\[[A-Za-z]*\])?|(api)):(.+)")
TIMEOUT_MS: Final = "1500"


@dataclass(frozen=True, slots=True)
class Binding:
    """`pattern` None = these digits exactly."""

    digits: str
    pattern: re.Pattern[str] | None
    application: str
    data: str
    inline: bool
    api: bool


def separated(text: str, delimiter: str = ",") -> list[str]:
    """switch_separate_string(): quotes hold a word together and go; a backslash keeps the quote after it."""
    words, word, quoted, escaped = [], "", False, False
    for char in text:
        if escaped:
            word += char if char in "'\"" + delimiter else "\\" + char
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == "'":
            quoted = not quoted
        elif char == delimiter and not quoted:
            words.append(word)
            word = ""
        else:
            word += char
    return [*words, word]


def _bind(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    """`realm,digits|~regex,exec[i]:application,argument[,target,events]`."""
    realm, keys, what, argument = (*separated(data), "", "", "")[:4]
    found = _EXEC.fullmatch(what)
    if not realm or not keys or found is None:
        sw.log("err", f"bind_digit_action: the simulated switch knows exec:, exec[i]: and api: only: {data}", now)
        return True
    try:
        pattern = re.compile(keys[1:]) if keys.startswith("~") else None
    except re.error:
        sw.log("err", f"bind_digit_action: {keys} is no expression", now)
        return True
    own = digits.ears(leg)
    own.realms.setdefault(realm, []).append(Binding(keys, pattern, found[3], argument, "i" in (found[1] or ""), bool(found[2])))
    return True


def _set_realm(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    realm = separated(data)[0]
    own = digits.ears(leg)
    if realm not in own.realms:
        sw.log("err", f"digit_action_set_realm: no such realm: {realm}", now)
        return True
    own.realm, own.fed = realm, ""
    return True


def _clear(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    realm = separated(data)[0]
    own = digits.ears(leg)
    if realm in ("all", own.realm):
        own.realm, own.fed = "", ""
    if realm == "all":
        own.realms.clear()
    else:
        own.realms.pop(realm, None)
    return True


def feed(sw: SimSwitch, leg: Leg, digit: str, now: float) -> None:
    """One more key for the machine."""
    own = digits.ears(leg)
    own.fed += digit
    own.fed_turn += 1
    found = own.realms[own.realm]
    exact = [each for each in found if each.pattern is None and each.digits == own.fed]
    longer = any(each.pattern is not None or (each.digits.startswith(own.fed) and each.digits != own.fed) for each in found)
    if longer:
        wait_s = int(leg.variables.get("bind_digit_digit_timeout", TIMEOUT_MS)) / 1000 + 0.2
        sw.at(now + wait_s, _decide, leg, own.fed_turn)
    elif exact:
        sw.at(now + sw.settings.bound_key_s, _decide, leg, own.fed_turn)
    else:
        _decide(sw, leg, own.fed_turn, now)


def _decide(sw: SimSwitch, leg: Leg, turn: int, now: float) -> None:
    own = digits.ears(leg)
    if own.fed_turn != turn or not own.fed or leg.phase == HUNG_UP:
        return
    fed, own.fed = own.fed, ""
    found = [each for each in own.realms.get(own.realm, ()) if (each.digits == fed if each.pattern is None else each.pattern.search(fed) is not None)]
    if not found:
        sw.set_variable(leg, "last_non_matching_digits", fed)
        for digit in fed:
            digits.arrive(sw, leg, digit, "APP", now)
        return
    sw.set_variable(leg, "last_matching_digits", fed)
    binding = found[0]
    if binding.api:
        sw.set_variable(leg, "bind_digit_action_api_result", sw.run_hook(leg, f"{binding.application} {binding.data}", now, False))
    elif not binding.inline and leg.parked and leg.playback is not None and leg.playback.broadcast:
        own.deferred.append((binding.application, binding.data))
    else:
        if not binding.inline:  # as a broadcast does it
            leg.note(picture.broadcast_started)
        applications.beside(sw, leg, binding.application, binding.data, now)
        if not binding.inline:
            leg.note(picture.broadcast_ended)


def catch_up(sw: SimSwitch, leg: Leg, now: float) -> None:
    """The music is over: what `exec:` had to wait with."""
    own = leg.ears
    while own is not None and own.deferred:
        name, data = own.deferred.pop(0)
        applications.beside(sw, leg, name, data, now)


APPLICATIONS: Final[dict[str, applications.Handler]] = {
    "bind_digit_action": _bind,
    "digit_action_set_realm": _set_realm,
    "clear_digit_action": _clear,
}
