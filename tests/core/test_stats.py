"""Counts of a campaign and of its agents' time."""

from __future__ import annotations

from typing import Any

import pytest

from fs_dialer.core.model import AgentState, AttemptId, AttemptResult, Outcome
from fs_dialer.core.stats import Tally, TimeUse, missed_rate, utilisation, wilson
from tests.core.builders import ANA, NOON


def result(outcome: Outcome, **more: Any) -> AttemptResult:
    values: dict[str, Any] = {
        "attempt": AttemptId("c1"),
        "outcome": outcome,
        "cause": "",
        "sip_status": None,
        "agent": ANA,
        "rang_at": None,
        "answered_at": None,
        "bridged_at": None,
        "ended_at": NOON + 100,
        "missed": False,
        "leg_seen": True,
    }
    return AttemptResult(**{**values, **more})


def tally(*results: AttemptResult) -> Tally:
    counted = Tally()
    for one in results:
        counted.add(one)
    return counted


def test_every_attempt_counts_under_one_outcome() -> None:
    counted = tally(*(result(outcome) for outcome in Outcome), result(Outcome.BUSY))
    assert counted.attempts == len(Outcome) + 1 == sum(counted.outcomes.values())
    assert counted.outcomes[Outcome.BUSY] == 2


@pytest.mark.spec("D1")
def test_the_missed_rate_is_of_those_answered_by_a_person_D1() -> None:
    counted = tally(
        result(Outcome.CONNECTED, answered_at=NOON, bridged_at=NOON + 1),
        result(Outcome.CONNECTED, answered_at=NOON, bridged_at=NOON + 9, missed=True),
        result(Outcome.MISSED, answered_at=NOON, missed=True),
        result(Outcome.EARLY_HANGUP, answered_at=NOON),
        result(Outcome.MACHINE, answered_at=NOON),
        result(Outcome.NO_ANSWER),
    )
    assert (counted.answered, counted.missed) == (4, 2) and missed_rate(counted) == 0.5


def test_nobody_answered_is_no_rate() -> None:
    assert missed_rate(tally(result(Outcome.BUSY))) == 0.0


def test_waits_and_talks_are_summed_over_bridged_calls() -> None:
    counted = tally(result(Outcome.CONNECTED, answered_at=NOON, bridged_at=NOON + 4), result(Outcome.MISSED, answered_at=NOON))
    assert (counted.bridged, counted.waited_s, counted.talked_s) == (1, 4.0, 96.0)


def test_an_attempt_that_never_had_a_leg_counts_as_a_refusal_of_the_switch() -> None:
    assert tally(result(Outcome.OURS, leg_seen=False), result(Outcome.OURS)).refused_without_leg == 1


def test_utilisation_is_talk_and_wrap_up_in_logged_in_time() -> None:
    use = TimeUse()
    for state, seconds in ((AgentState.IDLE, 30.0), (AgentState.TALKING, 50.0), (AgentState.WRAP_UP, 10.0), (AgentState.RINGING, 10.0)):
        use.add(state, seconds)
    assert utilisation([use]) == pytest.approx(0.6) and utilisation([]) == 0.0


# --- the interval of a rate -----------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D1")
@pytest.mark.parametrize(
    ("missed", "answered", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718), (17, 812, 0.0131, 0.0333)],
)
def test_the_interval_is_wilsons(missed: int, answered: int, low: float, high: float) -> None:
    """The first four: Newcombe, Statistics in Medicine 17 (1998), table I, method 3."""
    found = wilson(missed, answered)
    assert (round(found[0], 4), round(found[1], 4)) == (low, high)


def test_of_nobody_nothing_is_known() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("answered", [1, 2, 3, 7, 100, 10_000, 10_000_000])
def test_the_interval_holds_the_rate_stays_inside_and_mirrors_itself(answered: int) -> None:
    for missed in {0, 1, answered // 3, answered - 1, answered}:
        low, high = wilson(missed, answered)
        assert 0.0 <= low <= missed / answered <= high <= 1.0
        assert wilson(answered - missed, answered) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(("missed", "answered"), [(2, 1), (-1, 5), (1, 0)])
def test_more_missed_than_answered_is_no_rate(missed: int, answered: int) -> None:
    with pytest.raises(ValueError, match=f"{missed} missed of {answered}"):
        wilson(missed, answered)
