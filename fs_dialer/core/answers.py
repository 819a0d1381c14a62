"""Answers to a script's questions: what may be said to each, and what is still missing (S14, M23, M24).

Pure: texts in, values out. How an answer reaches us is not known here; what is kept is a text, a list of texts or a number, fit for JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from fs_dialer.core.resources import Script, ScriptItem

Answer = str | float | int | list[str]

MAX_CHARACTERS = 4000
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,9})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def questions(script: Script | None) -> dict[str, ScriptItem]:
    """The script's questions by the name their answer is kept under."""
    return {item.key: item for item in script.items if item.ask and item.key} if script else {}


def read(script: Script | None, given: Mapping[str, Sequence[str]]) -> tuple[dict[str, Answer], list[str]]:
    """The answers as they are kept, and every problem. Several texts for one question are several choices; an empty text takes the answer away."""
    known = questions(script)
    answers: dict[str, Answer] = {}
    problems = []
    for key, texts in given.items():
        item = known.get(key)
        if item is None:
            listed = ", ".join(known) or "none"
            problems.append(f"{key}: the script has no such question; it has {listed}")
            continue
        try:
            answers[key] = _answer(item, texts)
        except ValueError as error:
            problems.append(f"{key}: {error}")
    return answers, problems


def missing(script: Script | None, answers: Mapping[str, object]) -> list[str]:
    """The questions that must be answered and are not."""
    return [key for key, item in questions(script).items() if item.required and answers.get(key) in (None, "", [])]


def _answer(item: ScriptItem, texts: Sequence[str]) -> Answer:
    """ValueError says what would be right."""
    if item.kind == "choices":
        return list(dict.fromkeys(_chosen(item, text) for text in _parts(item, texts)))
    if len(texts) != 1:
        raise ValueError("one answer is expected")
    text = texts[0].strip()
    if not text:
        return ""
    match item.kind:
        case "choice":
            return _chosen(item, text)
        case "number":
            return _number(item, text)
        case "date":
            return _date(text)
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"{len(text):,} characters; at most {MAX_CHARACTERS:,}")
    if _UNSTORABLE.search(text):
        raise ValueError("it holds a character that is no text")
    return text


def _parts(item: ScriptItem, texts: Sequence[str]) -> list[str]:
    """A text that is one of the options is that; any other is taken apart at its commas."""
    found = []
    for text in texts:
        whole = text.strip()
        found += [whole] if _option(item, whole) else [part.strip() for part in whole.split(",") if part.strip()]
    return found


def _option(item: ScriptItem, text: str) -> str | None:
    return next((each for each in item.options if each.casefold() == text.casefold()), None)


def _chosen(item: ScriptItem, text: str) -> str:
    found = _option(item, text)
    if found is None:
        raise ValueError(f"`{text[:60]}` is none of {', '.join(item.options)}")
    return found


def _number(item: ScriptItem, text: str) -> float | int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"`{text[:60]}` is not a number")
    value = Decimal(text)
    if item.low is not None and value < Decimal(str(item.low)):
        raise ValueError(f"{text} is below {item.low:g}")
    if item.high is not None and value > Decimal(str(item.high)):
        raise ValueError(f"{text} is above {item.high:g}")
    return int(value) if value == value.to_integral_value() else float(value)


def _date(text: str) -> str:
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"`{text[:60]}` is not a date: write 2026-12-01") from None
