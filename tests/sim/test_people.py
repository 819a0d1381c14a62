from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from fs_dialer.sim.people import Behaviour, ModelledPeople, PeopleModel, ScriptedPeople, number_of

EXAMPLE = Path(__file__).resolve().parents[2] / "conf" / "people.yml"


def people(given: Mapping[str, Any]) -> ModelledPeople:
    return ModelledPeople(PeopleModel.from_mapping(given))


def drawn(someone: ModelledPeople, endpoint: str, count: int = 4000, seed: int = 9, now: float = 0.0) -> list[Behaviour]:
    rng = random.Random(seed)
    return [someone.behaviour(endpoint, {}, rng, now) for _ in range(count)]


@pytest.mark.parametrize(("endpoint", "number"), [
    ("sofia/gateway/trunk1/84901234567", "84901234567"), ("sofia/internal/2001@10.0.0.1:5090", "2001"), ("user/1001", "1001"),
    ("sofia/external/sip:1001@example.org", "1001"), ("user/1001@example.org", "1001")])
def test_the_number_is_read_out_of_any_endpoint(endpoint: str, number: str) -> None:
    assert number_of(endpoint) == number


def test_the_example_model_is_a_model() -> None:
    model = PeopleModel.from_mapping(yaml.safe_load(EXAMPLE.read_text(encoding="utf-8")))
    assert dict(model.customers.outcomes)["person"] == pytest.approx(0.3)
    assert model.customers.ring_out is None
    assert len(model.hours) == 2


@pytest.mark.spec("D18")
def test_a_model_whose_every_scalar_is_text_is_the_same_model() -> None:
    """D18: the reader of YAML gives text."""
    given = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    as_text = yaml.load(EXAMPLE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    assert PeopleModel.from_mapping(given) == PeopleModel.from_mapping(as_text)


def test_equal_seeds_give_equal_days() -> None:
    assert drawn(ModelledPeople(), "sofia/gateway/t/1555", seed=3) == drawn(ModelledPeople(), "sofia/gateway/t/1555", seed=3)
    assert drawn(ModelledPeople(), "sofia/gateway/t/1555", seed=3) != drawn(ModelledPeople(), "sofia/gateway/t/1555", seed=4)


def test_outcomes_come_in_their_shares() -> None:
    someone = people({"customers": {"outcomes": {"person": "50%", "busy": "30%", "black_hole": "20%"}}})
    finals = Counter(did.final for did in drawn(someone, "sofia/gateway/t/1"))
    assert finals["answer"] / 4000 == pytest.approx(0.5, abs=0.03)
    assert finals["refuse"] / 4000 == pytest.approx(0.3, abs=0.03)
    assert finals["silent"] / 4000 == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize(("outcome", "status", "first"), [
    ("busy", 486, 100), ("bad_number", 404, 100), ("rejected", 603, 180), ("forbidden", 403, 100), ("unavailable", 480, 100), ("488", 488, 100)])
def test_a_refusal_has_its_status_and_only_the_rejected_one_rings_before(outcome: str, status: int, first: int) -> None:
    did = drawn(people({"customers": {"outcomes": {outcome: 1}, "early_media": 0}}), "sofia/gateway/t/1", 1)[0]
    assert (did.final, did.status, did.first_response) == ("refuse", status, first)


def test_congestion_brings_the_networks_cause() -> None:
    did = drawn(people({"customers": {"outcomes": {"congestion": 1}}}), "sofia/gateway/t/1", 1)[0]
    assert (did.status, did.reason_q850) == (503, 34)


def test_a_number_by_itself_or_by_its_end_does_what_was_written_for_it() -> None:
    someone = people({"numbers": {"+84901": "busy", "*0007": {"outcome": "person", "ring": "3s"}}, "customers": {"outcomes": {"no_answer": 1}}})
    assert drawn(someone, "sofia/gateway/t/84901", 1)[0].status == 486
    assert drawn(someone, "sofia/gateway/t/15550007", 1)[0].final == "answer"
    assert drawn(someone, "sofia/gateway/t/15550008", 1)[0].final == "ring"


def test_agents_are_known_by_their_dial_string_or_by_their_role() -> None:
    someone = people({"agents": [{"match": "sofia/internal/2*", "ring": "2s", "first_response": "0s"}], "customers": {"outcomes": {"busy": 1}}})
    assert drawn(someone, "sofia/internal/2001@10.0.0.1", 1)[0].after_s == 2.0
    assert someone.behaviour("sofia/internal/9@10.0.0.1", {"fsd_role": "agent"}, random.Random(1)).final == "answer"
    assert drawn(someone, "sofia/internal/9@10.0.0.1", 1)[0].final == "refuse"


def test_a_leads_leg_is_no_agents_whatever_pattern_fits_it() -> None:
    someone = people({"agents": [{"match": "*"}], "customers": {"outcomes": {"busy": 1}}})
    assert someone.behaviour("sofia/gateway/t/1", {"fsd_role": "lead"}, random.Random(1)).status == 486
    assert someone.behaviour("sofia/gateway/t/1", {"fsd_role": "agent"}, random.Random(1)).final == "answer"


def test_agents_of_the_default_model_never_hang_up_by_themselves() -> None:
    did = drawn(ModelledPeople(), "user/1001", 1)[0]
    assert (did.stay_s, did.patience_s, did.talk_s) == (None, None, None)


def test_the_time_of_day_changes_how_many_answer() -> None:
    someone = people({
        "customers": {"outcomes": {"person": "50%", "no_answer": "50%"}}, "utc_offset": "+02:00", "hours": [{"from": "22:00", "to": "06:00", "answer": "10%"}]})
    noon_utc, midnight_utc = 12 * 3600.0, 0.0
    at_noon = sum(did.final == "answer" for did in drawn(someone, "sofia/gateway/t/1", now=noon_utc))
    at_night = sum(did.final == "answer" for did in drawn(someone, "sofia/gateway/t/1", now=midnight_utc))
    assert at_night < at_noon / 3


def test_a_share_of_the_agents_has_a_second_phone_like_the_first() -> None:
    someone = people({"agents": [{"match": "user/*", "two_phones": "50%"}]})
    with_two = [did for did in drawn(someone, "user/1001") if did.second is not None]
    assert len(with_two) / 4000 == pytest.approx(0.5, abs=0.03)
    assert all(did.second is not None and did.second.second is None and did.second.final == "answer" for did in with_two)


def test_a_zone_s_clocks_are_heeded_summer_and_winter() -> None:
    model = PeopleModel.from_mapping({"zone": "Europe/London"})
    assert model.minute(datetime(2026, 1, 5, 12, tzinfo=UTC).timestamp()) == 12 * 60
    assert model.minute(datetime(2026, 7, 6, 12, 7, tzinfo=UTC).timestamp()) == 13 * 60 + 7
    assert PeopleModel().local("Asia/Kathmandu").minute(0.0) == 5 * 60 + 30  # as it was in 1970
    offset = PeopleModel.from_mapping({"utc_offset": "+02:00"})
    assert offset.local("Asia/Kathmandu") is offset


def test_later_calls_to_a_number_are_answered_as_the_list_says() -> None:
    someone = people({"customers": {"outcomes": {"person": "50%", "no_answer": "50%"}}, "tries": ["100%", "0%"]})
    rng = random.Random(1)
    first = [someone.behaviour(f"sofia/gateway/t/{number}", {}, rng).final for number in range(200)]
    later = [someone.behaviour(f"sofia/gateway/t/{number}", {}, rng).final for number in range(200) for _ in range(2)]
    assert 60 < first.count("answer") < 140 and later.count("answer") == 0


def test_how_agents_work_stands_beside_how_they_answer() -> None:
    rule = {
        "match": "user/*", "ring": "2s", "shift": "8:00-12:00, 13:00-17:00", "late": "uniform(0s, 5m)", "breaks": {"every": "2h", "for": "10m"},
        "wrap_up": "lognormal(15s, 0.5)", "think": "8s", "skip": "5%", "dispositions": {"sold": "10%", "refused": "90%"},
    }  # fmt: skip
    model = PeopleModel.from_mapping({"agents": [rule]})
    staff = model.staff_at("user/1001")
    assert staff.shift == ((480, 720), (780, 1020)) and staff.skip == 0.05 and staff.dispositions == (("sold", 0.1), ("refused", 0.9))
    assert staff.break_every is not None and staff.wrap_up is not None and model.staff_at("sofia/internal/9@pbx").wrap_up is None
    assert model.agents[0][1].ring.text == "2s"


def test_requests_come_at_one_rate_or_by_the_hour() -> None:
    assert PeopleModel.from_mapping({"requests": "12/hour"}).requests[0].per_hour == 12
    spans = PeopleModel.from_mapping({"requests": [{"from": "9:00", "to": "12:00", "rate": "20/hour"}, {"from": "22:00", "to": "2:00", "rate": 3}]}).requests
    assert [each.holds(600) for each in spans] == [True, False] and spans[1].holds(60)


@pytest.mark.parametrize(("given", "words"), [
    ({"zone": "Europe/Londn"}, "did you mean 'Europe/London'"),
    ({"zone": "UTC", "utc_offset": "+01:00"}, "leave one out"),
    ({"tries": "50%"}, "write a list"),
    ({"tries": ["x"]}, r"tries\[0\]: 'x' is not a factor"),
    ({"requests": "often"}, "12/hour"),
    ({"requests": [{"from": "9", "to": "12:00"}]}, r"requests\[0\]\.from"),
    ({"agents": [{"match": "*", "shift": "8:00"}]}, r"agents\[0\]\.shift: '8:00' is not a span"),
    ({"agents": [{"match": "*", "breaks": "2h"}]}, "write `every` and `for`"),
    ({"agents": [{"match": "*", "skip": "200%"}]}, "not between 0% and 100%"),
    ({"agents": [{"match": "*", "dispositions": {"sold": 0}}]}, "one of them above 0"),
    ({"agents": [{"match": "*", "thinks": "2s"}]}, "did you mean 'think'"),
    ({"customers": {"talk": "quantiles(5s, 2s)"}}, "must rise"),
    ({"custmers": {}}, "did you mean 'customers'"),
    ({"customers": {"outcomes": {"persn": 1}}}, "did you mean 'person'"),
    ({"customers": {"rings": "3s"}}, "did you mean 'ring'"),
    ({"customers": {"talk": "long"}}, r"customers\.talk: 'long' is not a time"),
    ({"customers": {"outcomes": {"person": 0}}}, "one of them above 0"),
    ({"customers": {"early_media": "130%"}}, "not between 0% and 100%"),
    ({"agents": [{"ring": "1s"}]}, r"agents\[0\]\.match"),
    ({"agents": {"match": "user/*"}}, "write a list"),
    ({"numbers": ["1"]}, "number: outcome"),
    ({"hours": [{"from": "25", "to": "26:00"}]}, r"hours\[0\]\.from"),
    ({"customers": {"outcomes": {"200": 1}}}, "is no outcome"),
])
def test_a_mistake_in_a_model_is_named_with_its_place(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        PeopleModel.from_mapping(given)


def test_a_script_is_followed_turn_by_turn_and_its_last_turn_stays() -> None:
    someone = ScriptedPeople({"1": [Behaviour("refuse", status=486), Behaviour()]}, default=Behaviour("silent"))
    rng = random.Random(1)
    assert [someone.behaviour("sofia/x/1@h", {}, rng).final for _ in range(3)] == ["refuse", "answer", "answer"]
    assert someone.behaviour("sofia/x/2@h", {}, rng).final == "silent"
