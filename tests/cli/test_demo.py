"""What `demo` makes of its totals. That it runs, tests/scenarios/test_demo.py shows."""

from __future__ import annotations

from typing import Any

import pytest

from fs_dialer.cli.demo import _agree, _lines
from tests.cli.runner import called

TOTALS: dict[str, Any] = {
    "attempts": 1010,
    "outcomes": {"connected": 400, "busy": 600, "ours": 10},
    "database_attempts": 1010,
    "switch_calls": 1000,
    "agent_legs": 410,
    "switch_refusals": 10,
}


def test_totals_agree_when_everybody_counted_the_same_calls() -> None:
    assert _agree(TOTALS)


@pytest.mark.parametrize("name", ["attempts", "database_attempts", "switch_calls", "switch_refusals"])
def test_one_call_more_on_any_side_is_noticed(name: str) -> None:
    assert not _agree({**TOTALS, name: TOTALS[name] + 1})


def test_a_call_without_an_outcome_is_noticed() -> None:
    assert not _agree({**TOTALS, "outcomes": {"connected": 400, "busy": 600}})


def test_people_read_outcomes_by_their_number_and_both_sides_counts() -> None:
    text = _lines(TOTALS)
    assert [line.split()[0] for line in text[1:4]] == ["busy", "connected", "ours"]
    assert "1,010" in text[4] and "1,000 customer legs and 410 agent legs, and refused 10 calls" in text[5]


def test_its_help_says_that_it_ends_by_itself_when_asked() -> None:
    text = called("demo", "--help").out
    for word in ("--for", "--agents", "--seed", "--json", "Exit codes"):
        assert word in text


@pytest.mark.parametrize("words", [("--for", "0"), ("--agents", "0"), ("--agents", "201"), ("--for", "x")])
def test_nonsense_is_refused_before_anything_is_started(words: tuple[str, ...]) -> None:
    assert called("demo", *words).code == 2
