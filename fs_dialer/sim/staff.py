"""How agents work: when they are there, when they rest, how long they look at a card, write notes, and what they file.

Pure: what an administrator wrote in, a Staff out; its laws are drawn from by whoever plays the agents. Whether and how fast their phones are answered is
a matter of people.py, as for all telephones. ValueError says what and where, one problem at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from fs_dialer.sim.laws import Law, fixed, law, share

DAY_MIN: Final = 24 * 60
_LAWS: Final = ("late", "take", "think", "accept", "back")
_NEVER: Final = ("never", "none", "")


@dataclass(frozen=True, slots=True)
class Staff:
    """Agents alike. Spans are minutes of the day; a span may run over midnight.

    `wrap_up` None: they rest as long as the campaign lets them, and file nothing. `break_every`: from the end of one break to the next, None = no breaks.
    """

    shift: tuple[tuple[int, int], ...] = ()  # () = all day long
    late: Law = fixed(0.0)  # after a shift's begin, until he has logged in
    break_every: Law | None = None
    break_for: Law = law("10m", "")
    wrap_up: Law | None = None  # notes after a call, until a result is filed
    take: Law = law("lognormal(5s, 0.6)", "")  # manual: from the notes of one customer until the next is taken
    accept: Law = law("uniform(1s, 4s)", "")  # preview with accept: agent
    think: Law = law("lognormal(12s, 0.6)", "")  # looking at the card, until he dials or skips
    skip: float = 0.03  # share of the cards that are passed over
    back: Law = law("2m", "")  # after the dialler has set him to not available, until he says that he is there
    dispositions: tuple[tuple[str, float], ...] = ()  # what he files, by weight; () = a result without a name


KEYS: Final = ("shift", "late", "breaks", "wrap_up", "take", "accept", "think", "skip", "back", "dispositions")


def staff(given: Mapping[str, Any], base: Staff, where: str) -> Staff:
    """`given`: only keys of KEYS are looked at."""
    changed: dict[str, Any] = {}
    for name, value in given.items():
        at = f"{where}.{name}"
        if name in _LAWS:
            changed[name] = law(value, at)
        elif name == "wrap_up":
            changed[name] = None if value is None or str(value).strip().lower() in _NEVER else law(value, at)
        elif name == "skip":
            changed[name] = share(value, at)
        elif name == "shift":
            changed[name] = _shift(value, at)
        elif name == "breaks":
            changed |= _breaks(value, at)
        elif name == "dispositions":
            changed[name] = _weights(value, at)
    return replace(base, **changed)


def minute_of_day(value: object, where: str) -> int:
    """`17:30` as minutes after midnight; 24:00 is the day's end."""
    hour, colon, minute = str(value).partition(":")
    if not (colon and hour.isdecimal() and minute.isdecimal() and int(hour) <= 24 and int(minute) < 60):
        raise ValueError(f"{where}: {value!r} is not a time of day; write for example 17:30")
    return int(hour) * 60 + int(minute)


def _shift(value: object, where: str) -> tuple[tuple[int, int], ...]:
    """`8:00-12:00, 13:00-17:00`, or a list of such spans."""
    texts = [str(each) for each in value] if isinstance(value, list) else str(value).split(",")
    spans = []
    for text in texts:
        begin, dash, end = text.partition("-")
        if not dash:
            raise ValueError(f"{where}: {text.strip()!r} is not a span; write for example 8:00-12:00, 13:00-17:00")
        spans.append((minute_of_day(begin.strip(), where), minute_of_day(end.strip(), where)))
    return tuple(spans)


def _breaks(given: object, where: str) -> dict[str, Any]:
    if not isinstance(given, Mapping) or set(given) - {"every", "for"} or "every" not in given:
        raise ValueError(f"{where}: write `every` and `for`, as in {{every: exponential(2h), for: 10m}}")
    found: dict[str, Any] = {"break_every": law(given["every"], f"{where}.every")}
    if "for" in given:
        found["break_for"] = law(given["for"], f"{where}.for")
    return found


def _weights(given: object, where: str) -> tuple[tuple[str, float], ...]:
    if not isinstance(given, Mapping) or not given:
        raise ValueError(f"{where}: write `result: 30%` lines")
    found = []
    for name, weight in given.items():
        text = str(weight).strip()
        try:
            found.append((str(name), float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)))
        except ValueError:
            raise ValueError(f"{where}.{name}: {weight!r} is not a weight; write for example 30%") from None
    if any(not weight >= 0 for _, weight in found) or not any(weight > 0 for _, weight in found):
        raise ValueError(f"{where}: the weights must be 0 or more, and one of them above 0")
    return tuple(found)
