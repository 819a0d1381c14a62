"""The sound files in which mod_say_en says a number, digits, money, a date or a time: names below the sound folder, as s11a shows them.

Pure: the words of a `say` in, file names out. What it does not know is spelled out, so that it takes as long as it would in another language.
"""

from __future__ import annotations

from datetime import datetime

_GROUPS = ((1_000_000, "million"), (1000, "thousand"))


def files(kind: str, method: str, text: str) -> list[str]:
    """Of `say en KIND METHOD TEXT`; none for what has nothing to say."""
    if kind in ("CURRENT_DATE", "CURRENT_DATE_TIME", "CURRENT_TIME", "SHORT_DATE_TIME"):
        return _moment(kind, text)
    if kind == "CURRENCY" and text.replace(".", "", 1).lstrip("-").isdecimal():
        whole, _, parts = text.partition(".")
        cents = int(f"{parts}00"[:2])
        return [*_number(int(whole or 0)), "currency/dollars.wav", "currency/and.wav", *_number(cents), "currency/cents.wav"]
    if kind in ("NUMBER", "ITEMS", "PERSONS", "MESSAGES") and method.lower() == "pronounced" and text.isdecimal():
        return _number(int(text))
    return [f"digits/{char}.wav" if char.isdecimal() else "digits/dot.wav" if char == "." else f"ascii/{ord(char)}.wav" for char in text if char != " "]


def _number(value: int) -> list[str]:
    found: list[str] = []
    if value < 0:
        return ["currency/negative.wav", *_number(-value)]
    for size, name in _GROUPS:
        if value >= size:
            found += [*_number(value // size), f"digits/{name}.wav"]
            value %= size
    if value >= 100:
        found += [f"digits/{value // 100}.wav", "digits/hundred.wav"]
        value %= 100
    if value >= 20:
        found.append(f"digits/{value // 10 * 10}.wav")
        value %= 10
        if value == 0:
            return found
    return [*found, f"digits/{value}.wav"] if value or not found else found


def _moment(kind: str, text: str) -> list[str]:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return []
    day = [f"time/day-{when.isoweekday() % 7}.wav", f"time/mon-{when.month - 1}.wav", f"digits/h-{when.day}.wav", *_number(when.year)]
    hour = when.hour % 12 or 12
    minute = ["time/oclock.wav"] if when.minute == 0 else _number(when.minute)
    time = [f"digits/{hour}.wav", *minute, "time/p-m.wav" if when.hour >= 12 else "time/a-m.wav"]
    return {"CURRENT_DATE": day, "CURRENT_TIME": time}.get(kind, [*day, *time])
