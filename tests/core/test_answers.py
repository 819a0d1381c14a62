"""Answers to a script: kept as what they are, or refused with what would be right."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.core.answers import missing, questions, read
from fs_dialer.core.resources import Script, ScriptItem

pytestmark = pytest.mark.spec("S14", "M23", "M24")

SCRIPT = Script(
    name="s",
    items=(
        ScriptItem(say="Hello."),
        ScriptItem(ask="?", key="one", kind="choice", options=("Yes", "No"), required=True),
        ScriptItem(ask="?", key="some", kind="choices", options=("a", "b", "a, b")),
        ScriptItem(ask="?", key="many", kind="number", low=0.5, high=9),
        ScriptItem(ask="?", key="day", kind="date"),
        ScriptItem(ask="?", key="text", required=True),
    ),
)


def test_sentences_are_no_questions() -> None:
    assert list(questions(SCRIPT)) == ["one", "some", "many", "day", "text"]
    assert questions(None) == {}


@pytest.mark.parametrize(
    ("key", "texts", "kept"),
    [
        ("one", ["yes"], "Yes"),
        ("some", ["b,a", "a"], ["b", "a"]),
        ("some", ["a, b"], ["a, b"]),
        ("some", [""], []),
        ("many", [" 2.50 "], 2.5),
        ("many", ["9"], 9),
        ("day", ["2028-02-29"], "2028-02-29"),
        ("text", ["  two\nlines "], "two\nlines"),
        ("text", [""], ""),
    ],
)
def test_an_answer_is_kept_as_what_it_is(key: str, texts: list[str], kept: Any) -> None:
    assert read(SCRIPT, {key: texts}) == ({key: kept}, [])


@pytest.mark.parametrize(
    ("key", "texts"),
    [
        ("one", ["maybe"]),
        ("one", ["yes", "no"]),
        ("some", ["c"]),
        ("many", ["0.4"]),
        ("many", ["1e1"]),
        ("many", ["٣"]),
        ("day", ["2027-02-29"]),
        ("day", ["29.2.2028"]),
        ("text", ["x" * 5000]),
        ("text", ["\ud800"]),
        ("other", ["x"]),
    ],
)
def test_what_is_no_answer_is_told_by_its_question(key: str, texts: list[str]) -> None:
    answers, (problem,) = read(SCRIPT, {key: texts})
    assert answers == {} and problem.startswith(f"{key}: ")


def test_what_must_be_answered_and_is_not_is_told() -> None:
    assert missing(SCRIPT, {"one": "Yes", "text": ""}) == ["text"]
    assert missing(None, {}) == []


@given(st.dictionaries(st.sampled_from(["one", "some", "many", "day", "text", "x"]), st.lists(st.text(max_size=20), max_size=3), max_size=6))
def test_whatever_is_answered_is_kept_as_json_or_told(given_: dict[str, list[str]]) -> None:
    answers, problems = read(SCRIPT, given_)
    json.dumps(answers).encode()
    assert len(answers) + len(problems) == len(given_)
