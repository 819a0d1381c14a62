"""Weekly working hours as an admin writes them: `mon-fri: 8:00-20:00`, `sat: 9:00-12:00, 13:00-15:00`; and holidays: `Christmas: 12-25..12-26`.

Knows days and times of day. Knows no zone: hours hold on the clock where a number lives (D4). An empty week would mean "any time", so hours that
leave no minute open are refused: whoever wants any time leaves the setting out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from fs_dialer.config.figures import days as read_span
from fs_dialer.config.values import BadValue, nearest, short, text
from fs_dialer.config.yaml_source import Broken, Listing, Node, Scalar, Table
from fs_dialer.core.resources import Holiday, Hours

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBER_OF = {word: number for words in (DAYS, _LONG) for number, word in enumerate(words)} | {"tues": 1, "thur": 3, "thurs": 3}
_WHOLE_WEEK = ("daily", "every day", "mon-sun")
_CLOSED = ("closed", "none", "no")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_DASHES = re.compile(r"\s*[-\u2010-\u2015]\s*")

Note = Callable[[Node, str], None]


def read_hours(node: Node, note: Note) -> Hours | None:
    """The week written in `node`; every problem goes to `note(node, text)`. None where there was one."""
    if not isinstance(node, Table):
        if not isinstance(node, Broken):
            note(node, "days and their times are expected, a line each below `hours:`, as in `  mon-fri: 8:00-20:00`; leave hours out for any time")
        return None
    week: list[tuple[tuple[int, int], ...]] = [()] * 7
    told: dict[int, Scalar] = {}
    sound = True
    for entry in node.entries.values():
        try:
            days = read_days(entry.key.text)
        except BadValue as error:
            note(entry.key, str(error))
            sound = False
            continue
        spans = _spans_of(entry.value, note)
        if spans is None:
            sound = False
            continue
        for day in days:
            if day in told:
                note(entry.key, f"{DAYS[day]} has hours already, from `{told[day].text}` in line {told[day].line}")
                sound = False
                break
            told[day], week[day] = entry.key, spans
    if sound and not any(week):
        note(node, "no minute of the week is open, so nobody would ever be called; leave hours out for any time")
        return None
    return Hours(tuple(week)) if sound else None


def read_days(text: str) -> tuple[int, ...]:
    """`mon`, `mon-fri`, `sat-mon`, `mon, wed, fri`, `daily` → days, 0 = Monday."""
    packed = " ".join(text.lower().split())
    if packed in _WHOLE_WEEK:
        return tuple(range(7))
    days: list[int] = []
    for part in re.split(r"\s*,\s*", packed):
        ends = _DASHES.split(part)
        if len(ends) > 2 or any(end not in _NUMBER_OF for end in ends):
            if _TIME.match(part):
                raise BadValue(f"`{short(text)}` stands where a day is expected: inside {{ }} a comma ends the value, so write several times in [ ]")
            guess = next((near for end in ends if end not in _NUMBER_OF and (near := nearest(end, _NUMBER_OF))), None)
            raise BadValue(f"`{short(text)}` is not a day" + (f"; nearest: {guess}" if guess else ": write mon-fri, sat or daily"))
        first, last = _NUMBER_OF[ends[0]], _NUMBER_OF[ends[-1]]
        days += [(first + step) % 7 for step in range((last - first) % 7 + 1)]
    if len(set(days)) < len(days):
        raise BadValue(f"`{short(text)}` names a day twice")
    return tuple(days)


def _spans_of(node: Node, note: Note) -> tuple[tuple[int, int], ...] | None:
    if isinstance(node, Broken):
        return None
    parts = node.items if isinstance(node, Listing) else (node,)
    spans: list[tuple[int, int]] = []
    for part in parts:
        if not isinstance(part, Scalar):
            note(part, "times are expected, as in 8:00-20:00")
            return None
        try:
            spans += read_times(part.text)
        except BadValue as error:
            note(part, str(error))
            return None
    spans.sort()
    for (_, end), (start, _) in pairwise(spans):
        if start < end:
            note(node, f"two times overlap at {show_time(start)}")
            return None
    return tuple(spans)


def read_times(text: str) -> list[tuple[int, int]]:
    """`8:00-12:00, 13:00-17:30` → minutes after midnight; `closed` → none. 24:00 is the end of the day."""
    if text.strip().lower() in _CLOSED:
        return []
    spans = []
    for part in text.split(","):
        ends = _DASHES.split(part.strip())
        if len(ends) != 2:
            raise BadValue(f"`{short(text)}` is not a time span: write 8:00-20:00, or `closed`")
        start, end = (_minute(each, part) for each in ends)
        if start >= end:
            night = f"; for a night write {show_time(start)}-24:00 and, on the next day, 0:00-{show_time(end)}" if end < start and end else ""
            raise BadValue(f"`{short(part)}` ends before it begins{night}")
        spans.append((start, end))
    return spans


def _minute(text: str, part: str) -> int:
    found = _TIME.fullmatch(text.strip())
    if not found:
        hint = f": write {text.strip()}:00" if re.fullmatch(r"[0-9]{1,2}", text.strip()) else ": write 8:00 or 20:00"
        raise BadValue(f"`{short(text)}` in `{short(part)}` is not a time of day{hint}")
    hour, minute = int(found[1]), int(found[2])
    if minute > 59 or hour * 60 + minute > 1440:
        raise BadValue(f"`{short(text)}` is not a time of day: 0:00 to 24:00")
    return hour * 60 + minute


def show_time(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02}"


def show_hours(hours: Hours) -> list[tuple[str, str]]:
    """As an admin would write it: equal neighbours joined, `mon-fri` → `8:00-20:00`. What read_hours reads back."""
    lines: list[tuple[str, str]] = []
    first = 0
    for day in range(1, 8):
        if day == 7 or hours.week[day] != hours.week[first]:
            if hours.week[first]:
                times = ", ".join(f"{show_time(start)}-{show_time(end)}" for start, end in hours.week[first])
                lines.append((DAYS[first] if day == first + 1 else f"{DAYS[first]}-{DAYS[day - 1]}", times))
            first = day
    return lines


def read_holidays(node: Node, note: Note) -> tuple[Holiday, ...] | None:
    """Names with their days, each a day, a span, or a list of them; or such a list alone. None where there was a problem, which went to `note`."""
    if isinstance(node, Broken):
        return None
    if isinstance(node, Table):
        named = [(entry.key.text.strip(), entry.value) for entry in node.entries.values()]
    else:
        named = [("", node)]
    found: list[Holiday] = []
    sound = True
    for name, value in named:
        for part in value.items if isinstance(value, Listing) else (value,):
            if isinstance(part, Broken):
                sound = False
                continue
            try:
                if not isinstance(part, Scalar):
                    raise BadValue("a day is expected, as in 12-25, 2027-02-05 or 2027-02-05..2027-02-10")
                found += [Holiday(text(name), first, last) for first, last in read_span(part.text)]
            except BadValue as error:
                note(part, str(error))
                sound = False
    return tuple(found) if sound else None
