"""What a campaign's counts make of a model of people."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fs_dialer.db.learning import History, Lengths, OutcomeCount
from fs_dialer.sim.people import PeopleModel
from fs_dialer.simulation.learning import learn, over

NINE = int(datetime(2026, 3, 2, 9, 15, tzinfo=UTC).timestamp() // 900)  # 9:15 in UTC, 16:15 in Ho Chi Minh City
EMPTY = History("spring", "UTC", 0.0, 1.0, (), {}, 0.0, 0, {}, 25.0)
RISING = tuple(float(n) for n in range(21))


def counts(answers: int, silent: int, *, quarter: int = NINE, nth: int = 1, zones: tuple[str, ...] = ("UTC",)) -> list[OutcomeCount]:
    return [OutcomeCount(zones, quarter, nth, "connected", answers), OutcomeCount(zones, quarter, nth, "no_answer", silent)]


def test_of_too_few_calls_nothing_is_learnt_and_that_is_told() -> None:
    learnt = learn(replace(EMPTY, outcomes=counts(5, 5), times={"talk": Lengths(3, 60.0, RISING)}))
    assert learnt.people == {} and learnt.calls == 10
    assert all(item.learnt == "" for item in learnt.items)


def test_outcomes_are_shares_of_the_calls_that_reached_somebody() -> None:
    ours = OutcomeCount(("UTC",), NINE, 0, "ours", 500)
    learnt = learn(replace(EMPTY, outcomes=[*counts(30, 70), ours, OutcomeCount(("UTC",), NINE, 0, "network", 100)]))
    assert learnt.people["customers"]["outcomes"] == {"congestion": "50%", "no_answer": "35%", "person": "15%"}
    assert learnt.calls == 100


def test_hours_are_the_leads_own_and_few_calls_count_little() -> None:
    noon, zones = NINE + 12, ("Asia/Ho_Chi_Minh",)
    outcomes = [*counts(600, 400, zones=zones), *counts(200, 800, quarter=noon, zones=zones), *counts(30, 0, quarter=noon + 12, zones=zones)]
    learnt = learn(replace(EMPTY, zone="Asia/Ho_Chi_Minh", outcomes=outcomes))
    hours = {span["from"]: float(span["answer"].rstrip("%")) for span in learnt.people["hours"]}
    assert hours["16:00"] > 150 and hours["19:00"] < 50 and learnt.people["zone"] == "Asia/Ho_Chi_Minh"
    assert 100 < hours["22:00"] < 500, "30 answers of 30 calls are drawn towards the average"


def test_a_model_of_the_factors_answers_as_often_as_was_seen() -> None:
    learnt = learn(replace(EMPTY, outcomes=[*counts(6000, 4000), *counts(2000, 8000, quarter=NINE + 12)]))
    (first, second) = (float(span["answer"].rstrip("%")) / 100 for span in learnt.people["hours"])
    for factor, share in ((first, 0.6), (second, 0.2)):
        assert 0.4 * factor / (0.4 * factor + 0.6) == pytest.approx(share, abs=0.01)


def test_later_calls_to_a_lead_have_factors_of_their_own() -> None:
    learnt = learn(replace(EMPTY, outcomes=[*counts(500, 500), *counts(100, 400, nth=2), *counts(1, 3, nth=3)]))
    first, second = (float(each.rstrip("%")) for each in learnt.people["tries"])
    assert first > 100 > second


def test_lengths_are_kept_as_quantiles() -> None:
    times = {kind: Lengths(100, 10.0, RISING) for kind in ("ring", "talk", "agent_answer", "result")}
    learnt = learn(replace(EMPTY, times=times, dispositions={"sold": 10, "refused": 30}))
    law = learnt.people["customers"]["talk"]
    assert law.startswith("quantiles(0s, 1s, ") and law.endswith(", 20s)")
    (agent,) = learnt.people["agents"]
    assert agent == {"match": "*", "ring": law, "wrap_up": law, "dispositions": {"sold": "25%", "refused": "75%"}}
    PeopleModel.from_mapping(learnt.people)


def test_who_does_not_answer_rings_on_unless_the_network_gives_up() -> None:
    learnt = learn(replace(EMPTY, outcomes=counts(50, 50)))
    assert learnt.people["customers"]["ring_out"] == "never"
    learnt = learn(replace(EMPTY, outcomes=counts(50, 100), times={"ring_out": Lengths(50, 15.0, tuple(10.0 + n / 2 for n in range(21)))}))
    law = PeopleModel.from_mapping(learnt.people).customers.ring_out
    assert law is not None and law.text.startswith("quantiles(10s, 11s") and law.text.endswith("3600s)")


def test_patience_counts_the_waiting_of_those_who_were_served_too() -> None:
    gave_up = {"patience": Lengths(40, 5.0, RISING)}
    learnt = learn(replace(EMPTY, times=gave_up, waited_s=800.0, waited=500))
    assert learnt.people["customers"]["patience"] == "exponential(20s)"


def test_what_was_learnt_goes_over_a_file_of_people() -> None:
    base = {"customers": {"talk": "1m", "ring": "9s"}, "utc_offset": "+01:00", "agents": [{"match": "user/*", "ring": "1s", "think": "5s"}]}
    learnt = {"customers": {"talk": "2m"}, "zone": "UTC", "agents": [{"match": "*", "ring": "3s"}]}
    assert over(base, learnt) == {
        "customers": {"talk": "2m", "ring": "9s"}, "zone": "UTC", "agents": [{"match": "user/*", "ring": "3s", "think": "5s"}],
    }  # fmt: skip
    assert over({}, learnt) == learnt
