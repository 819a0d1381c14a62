"""Callers of queues as a switch tells them: by our CUSTOM events, and by what uuid_dump says of a leg after a restart."""

from __future__ import annotations

import pytest

from fs_dialer.core.agent_events import CallerKey, CallerQueued
from fs_dialer.core.model import AttemptId, LegId, SwitchId
from fs_dialer.esl.translate import left_by_fallback, leg_facts, out_of_queue, queued_caller, translate

MAIN = SwitchId("main")
LEG = LegId("971595ae-c926-4462-8978-bd6447c0d9ce")
WAITING = {
    "Unique-ID": LEG,
    "Answer-State": "answered",
    "Channel-State": "CS_EXECUTE",
    "Caller-Context": "fsd_queue",
    "Caller-Destination-Number": "support",
    "variable_fsd_queue": "support",
    "variable_fsd_since": "1780000000",
    "variable_fsd_number": "+34600123123",
}
pytestmark = pytest.mark.spec("S71", "D7")


def told(**headers: str) -> object:
    given = {"Unique-ID": LEG, "Event-Subclass": "fsd::queue", "variable_fsd_queue": "support", "variable_fsd_number": "+34600123123"}
    return translate("CUSTOM", given | {name.replace("_", "-"): value for name, value in headers.items()}, None, MAIN)


def test_a_caller_comes_and_presses_keys() -> None:
    assert told(Fsd_What="enter") == CallerQueued(LEG, "support", AttemptId(LEG), "+34600123123", switch=MAIN)
    assert told(Fsd_What="key", Fsd_Key="1", Fsd_At="1780000030") == CallerKey(LEG, "1")
    assert told(Fsd_What="wrong", Fsd_Key="7") == CallerKey(LEG, "7", right=False)
    assert told(Fsd_What="something else") is None


def test_a_leg_that_took_the_caller_s_call_id_for_its_uuid_is_left_to_its_fallback() -> None:
    """It could be named in no command."""
    assert told(Unique_ID="a84b4c76e66710@pc33.example.com", Fsd_What="enter") is None
    assert queued_caller(WAITING | {"Unique-ID": "a84b4c76e66710@pc33.example.com"}, MAIN) is None


def test_who_waits_is_told_as_when_he_came() -> None:
    assert queued_caller(WAITING, MAIN) == CallerQueued(LEG, "support", AttemptId(LEG), "+34600123123", 1780000000.0, None, False, MAIN)
    assert queued_caller(WAITING | {"variable_fsd_since": "", "variable_fsd_number": ""}, MAIN) == CallerQueued(LEG, "support", AttemptId(LEG), "", switch=MAIN)


def test_who_talks_or_is_on_hold_is_told_with_whom() -> None:
    other = "00000000-0000-4000-8000-000000000001"
    talks = WAITING | {"Channel-State": "CS_EXCHANGE_MEDIA", "Other-Leg-Unique-ID": other, "variable_last_bridge_to": other}
    found = queued_caller(talks, MAIN)
    assert found is not None and (found.bridged_to, found.met) == (other, True)
    on_hold = WAITING | {"Caller-Destination-Number": "park:", "variable_last_bridge_to": other}
    found = queued_caller(on_hold, MAIN)
    assert found is not None and (found.bridged_to, found.met) == (None, True)


@pytest.mark.parametrize(
    "headers",
    [{"variable_fsd_queue": ""}, {"Answer-State": "ringing"}, {"Caller-Destination-Number": "support.fallback"}],
    ids=["no queue", "rings", "fallback"],
)
def test_who_is_in_no_queue_any_more_is_not_told(headers: dict[str, str]) -> None:
    assert queued_caller(WAITING | headers, MAIN) is None


def test_whom_the_overflow_or_the_fallback_has_is_not_parked() -> None:
    for there in ("support.overflow", "support.fallback"):
        assert out_of_queue(WAITING | {"Caller-Destination-Number": there}) and not leg_facts(WAITING | {"Caller-Destination-Number": there}, MAIN).parked
    assert leg_facts(WAITING, MAIN).parked


def test_a_hang_up_says_whether_the_fallback_had_him() -> None:
    assert left_by_fallback({"variable_fsd_queue": "support", "variable_fsd_fallback": "true"})
    assert not left_by_fallback({"variable_fsd_fallback": "true"}) and not left_by_fallback({"variable_fsd_queue": "support"})
