"""Every kind of setting (core/options.py: KINDS): what reads it, how a value is shown, how it is written, and an example.

One row for each kind, from which form.py, the reference page, the JSON Schema and `explain field` take what they say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fs_dialer.config import figures, values
from fs_dialer.config.filters import parse
from fs_dialer.config.hours import show_hours, show_time
from fs_dialer.config.values import show_duration
from fs_dialer.core.options import declared
from fs_dialer.core.resources import Holiday, Hours


@dataclass(frozen=True, slots=True)
class Kind:
    """`read`: one text to one value; None where a table, a list or the setting's own metadata is needed: form.py. `written`: for people."""

    read: Callable[[str], Any] | None
    written: str
    example: str


def condition(value: str) -> str:
    """A condition on contacts, judged and kept as one line of text."""
    line = " ".join(value.split()) if "\n" in value else value.strip()
    parse(line)
    return line


KINDS: dict[str, Kind] = {
    "text": Kind(values.text, "one line of text", "Renewals in spring"),
    "count": Kind(values.count, "a whole number, `20`", "20"),
    "number": Kind(values.number, "a number, `0.5`", "0.5"),
    "duration": Kind(values.duration, "with its unit: `30s` `15m` `4h` `180d` `1h30m`; a bare number is refused", "30s"),
    "rate": Kind(values.rate, "`3%` or `0.03`; a bare `3` is refused", "3%"),
    "choice": Kind(None, "one of the words listed", ""),
    "choices": Kind(None, "one of the words listed, or a list: `[busy, no_answer]`", ""),
    "flag": Kind(values.flag, "`yes` or `no`", "yes"),
    "phone": Kind(values.phone, "digits, a + in front if you like; spaces, dashes and brackets are dropped", "+44 20 7946 0100"),
    "phones": Kind(values.phone, "one telephone number, or a list: `[one, two]`", "[+44 20 7946 0100, +44 20 7946 0101]"),
    "name": Kind(values.name, "letters, digits, `-` `_` `.`", "spring"),
    "names": Kind(values.name, "one name, or a list: `[lan, hoa]`", "[lan, hoa]"),
    "ref": Kind(values.name, "the name of another thing that is defined", "office"),
    "refs": Kind(values.name, "one name, or a list, of other things that are defined: `[lan, hoa]`", "[lan, hoa]"),
    "zone": Kind(values.zone, "a place of the time zone database, `Asia/Ho_Chi_Minh`", "Europe/London"),
    "moment": Kind(
        None,
        "`2026-12-01 8:00` on the clocks of the window's zone; of a time that clocks show twice in autumn the first is meant, "
        "one that they skip in spring is refused",
        "2026-12-01 8:00",
    ),
    "time_of_day": Kind(figures.time_of_day, "`18:00`", "18:00"),
    "hours": Kind(
        None,
        "days and times, a line each: `mon-fri: 8:00-20:00`, `sat: 9:00-12:00, 13:00-15:00`, `sun: closed`; or the name of a schedule",
        "{mon-fri: 8:00-20:00}",
    ),
    "holidays": Kind(
        None,
        "names and days: `Christmas: 12-25..12-26` every year, `Tet: 2027-02-05..2027-02-10` once, `Founders: [03-01, 09-01]`; or a list of days alone",
        "{Christmas: 12-25}",
    ),
    "sound": Kind(
        values.sound,
        "the name of a declared sound, a sound file's name without spaces, or `local_stream://…`, `tone_stream://…`, `silence_stream://…`",
        "please-hold.wav",
    ),
    "dial_string": Kind(values.dial_string, "`user/1001`, `sofia/gateway/pbx/1001`; one phone, no `$ { } [ ] , ;` and no quotes", "user/1001"),
    "texts": Kind(values.text, "a text, or a list of them: `[gold, silver]`", "[gold, silver]"),
    "compare": Kind(figures.compare, '`3`, `3+`, `">= 3"`, `"< 3"`: in quotes where it begins with a sign', "3+"),
    "words": Kind(values.text, "names and texts: `{channel: callback}`; a list of texts means any of them", "{tried_evening: yes}"),
    "per_day": Kind(figures.per_day, "with its unit: `50/day`", "50/day"),
    "per_hour": Kind(figures.per_hour, "with its unit: `3/hour`", "3/hour"),
    "by_name": Kind(None, "names and a value for each: `{hoa: 80/day}`", "{hoa: 80/day}"),
    "extend": Kind(figures.extend, "how often and how much: `2 x 15s`, or `none`", "2 x 15s"),
    "span": Kind(figures.span, "a number or a span of them: `4`, `4..8`", "4..8"),
    "filter": Kind(
        condition, "a condition on contacts: `tier in (gold, silver) and city = Hanoi`; inside `{ }` in quotes where it holds a comma", "tier = gold"
    ),
    "url": Kind(figures.url, "`https://host/path`", "https://crm.example.com/calls"),
    "hosts": Kind(figures.host, "one host's name, or a list: `[crm.example.com]`", "[crm.example.com]"),
    "secret": Kind(figures.secret, "where it is: `env:NAME` or `file:/path`", "env:FS_DIALER_WEBHOOK_SECRET"),
    "section": Kind(None, "settings of its own", ""),
    "sections": Kind(None, "a list, each with settings of its own", ""),
    "table": Kind(None, "names, each with settings of its own", ""),
}


def show(kind: str, value: Any) -> str:
    """A value as it would stand in the file; "none" for nothing. Things that have a name are shown by it."""
    if value is None or value == () or value == "":
        return "none"
    shown = _SHOWN.get(kind)
    if shown is not None:
        return shown(value)
    if isinstance(value, tuple):
        return f"[{', '.join(str(getattr(each, 'name', each)) for each in value)}]"
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"
    return str(getattr(value, "value", getattr(value, "name", value))) or "none"


def _hours(hours: Hours) -> str:
    if hours.schedule:
        return hours.schedule
    week = ", ".join(f"{days}: {times}" if "," not in times else f"{days}: [{times}]" for days, times in show_hours(hours))
    return f"{{{week}}}" if week else "any time"


def _holidays(holidays: tuple[Holiday, ...]) -> str:
    spans: dict[str, list[str]] = {}
    for each in holidays:
        spans.setdefault(each.name, []).append(each.first if each.first == each.last else f"{each.first}..{each.last}")
    return "{" + ", ".join(f"{name}: {days[0] if len(days) == 1 else '[' + ', '.join(days) + ']'}" for name, days in spans.items()) + "}"


def _group(group: Any) -> str:
    """A group of settings that comes or goes as a whole: those that are not as they are anyway."""
    cls: type = type(group)
    own = ((key, setting, getattr(group, setting.name)) for key, setting in declared(cls).items())
    told = (f"{key}: {show(setting.metadata['kind'], value)}" for key, setting, value in own if value != setting.default)
    return "{" + ", ".join(told) + "}"


_SHOWN: dict[str, Callable[[Any], str]] = {
    "duration": show_duration,
    "rate": lambda rate: f"{rate * 100:g}%",
    "flag": lambda flag: "yes" if flag else "no",
    "per_day": lambda number: f"{number}/day",
    "per_hour": lambda number: f"{number}/hour",
    "time_of_day": show_time,
    "span": lambda pair: f"{pair[0]}" if pair[0] == pair[1] else f"{pair[0]}..{pair[1]}",
    "extend": lambda pair: f"{pair[0]} x {show_duration(pair[1])}" if pair[0] else "none",
    "hours": _hours,
    "holidays": _holidays,
    "section": lambda group: _group(group),
    "words": lambda pairs: "{" + ", ".join(f"{name}: {text}" for name, text in pairs) + "}",
}
