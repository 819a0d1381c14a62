"""From the end of a leg to its outcome: every row of spec §4, every SIP code that a switch was seen to map, with and without ringing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.core.hangup import CONSUMES_ATTEMPT, FEEDS_ESTIMATE, Evidence, outcome, was_missed
from fs_dialer.core.model import Outcome
from tests.core.builders import NOON

O = Outcome  # noqa: E741
WITHIN = 20.0


def end(cause: str, status: int | None = None, **more: Any) -> Evidence:
    """A leg that existed and was not answered; `rang`, `leg_seen`, `answered_at` … as named."""
    values: dict[str, Any] = {
        "cause": cause,
        "sip_status": status,
        "q850": None,
        "leg_seen": True,
        "rang": False,
        "answered_at": None,
        "bridged_at": None,
        "ended_at": NOON + 30,
        "we_cancelled": False,
        "we_hung_up": False,
    }
    return Evidence(**{**values, **more})


# SIP status, the cause FreeSWITCH 1.11 makes of it, the outcome without ringing, the outcome after ringing
SIP_CODES = [
    (400, "NORMAL_TEMPORARY_FAILURE", O.NETWORK, O.NETWORK),
    (401, "CALL_REJECTED", O.OURS, O.OURS),
    (403, "CALL_REJECTED", O.OURS, O.OURS),
    (404, "UNALLOCATED_NUMBER", O.BAD_NUMBER, O.BAD_NUMBER),
    (405, "SERVICE_UNAVAILABLE", O.NETWORK, O.NETWORK),
    (407, "CALL_REJECTED", O.OURS, O.OURS),
    (408, "RECOVERY_ON_TIMER_EXPIRE", O.NETWORK, O.NETWORK),
    (410, "NUMBER_CHANGED", O.BAD_NUMBER, O.BAD_NUMBER),
    (413, "INTERWORKING", O.NETWORK, O.NETWORK),
    (415, "SERVICE_NOT_IMPLEMENTED", O.OURS, O.OURS),
    (420, "INTERWORKING", O.NETWORK, O.NETWORK),
    (423, "INTERWORKING", O.NETWORK, O.NETWORK),
    (480, "NO_USER_RESPONSE", O.UNREACHABLE, O.NO_ANSWER),
    (481, "NORMAL_TEMPORARY_FAILURE", O.NETWORK, O.NETWORK),
    (482, "EXCHANGE_ROUTING_ERROR", O.NETWORK, O.NETWORK),
    (483, "EXCHANGE_ROUTING_ERROR", O.NETWORK, O.NETWORK),
    (484, "INVALID_NUMBER_FORMAT", O.BAD_NUMBER, O.BAD_NUMBER),
    (485, "NO_ROUTE_DESTINATION", O.BAD_NUMBER, O.BAD_NUMBER),
    (486, "USER_BUSY", O.BUSY, O.BUSY),
    (487, "ORIGINATOR_CANCEL", O.NETWORK, O.NETWORK),
    (488, "INCOMPATIBLE_DESTINATION", O.OURS, O.OURS),
    (491, "NORMAL_UNSPECIFIED", O.NETWORK, O.NO_ANSWER),
    (500, "NORMAL_TEMPORARY_FAILURE", O.NETWORK, O.NETWORK),
    (501, "SERVICE_NOT_IMPLEMENTED", O.NETWORK, O.NETWORK),
    (502, "NETWORK_OUT_OF_ORDER", O.NETWORK, O.NETWORK),
    (503, "NORMAL_TEMPORARY_FAILURE", O.NETWORK, O.NETWORK),
    (503, "NORMAL_CIRCUIT_CONGESTION", O.NETWORK, O.NETWORK),
    (504, "RECOVERY_ON_TIMER_EXPIRE", O.NETWORK, O.NETWORK),
    (600, "USER_BUSY", O.BUSY, O.BUSY),
    (603, "CALL_REJECTED", O.REJECTED, O.REJECTED),
    (604, "NO_ROUTE_DESTINATION", O.BAD_NUMBER, O.BAD_NUMBER),
    (606, "INCOMPATIBLE_DESTINATION", O.OURS, O.OURS),
]


@pytest.mark.spec("D3")
@pytest.mark.parametrize(("status", "cause", "silent", "rang"), SIP_CODES, ids=[f"{s}-{c}" for s, c, _, _ in SIP_CODES])
def test_every_sip_code_has_its_outcome(status: int, cause: str, silent: Outcome, rang: Outcome) -> None:
    assert outcome(end(cause, status), WITHIN) is silent
    assert outcome(end(cause, status, rang=True), WITHIN) is rang


WITHOUT_STATUS = [
    ("NO_ANSWER", O.NETWORK, O.NO_ANSWER),  # 20: a black hole gives it too
    ("ALLOTTED_TIMEOUT", O.NETWORK, O.NO_ANSWER),
    ("NO_USER_RESPONSE", O.NETWORK, O.NO_ANSWER),
    ("RECOVERY_ON_TIMER_EXPIRE", O.NETWORK, O.NETWORK),
    ("SUBSCRIBER_ABSENT", O.UNREACHABLE, O.UNREACHABLE),
    ("NORMAL_CIRCUIT_CONGESTION", O.NETWORK, O.NETWORK),
    ("SWITCH_CONGESTION", O.NETWORK, O.NETWORK),
    ("NETWORK_OUT_OF_ORDER", O.NETWORK, O.NETWORK),
    ("REQUESTED_CHAN_UNAVAIL", O.NETWORK, O.NETWORK),
    ("GATEWAY_DOWN", O.OURS, O.OURS),
    ("INVALID_GATEWAY", O.OURS, O.OURS),
    ("INVALID_PROFILE", O.OURS, O.OURS),
    ("CHAN_NOT_IMPLEMENTED", O.OURS, O.OURS),
    ("SWITCH_LOST", O.OURS, O.OURS),
    ("SYSTEM_SHUTDOWN", O.OURS, O.OURS),
    ("USER_BUSY", O.BUSY, O.BUSY),
    ("CALL_REJECTED", O.OURS, O.REJECTED),
    ("ORIGINATOR_CANCEL", O.CANCELLED, O.CANCELLED),
    ("NO_ROUTE_DESTINATION", O.NETWORK, O.NETWORK),
    ("DESTINATION_OUT_OF_ORDER", O.NETWORK, O.NETWORK),
]


@pytest.mark.spec("D3")
@pytest.mark.parametrize(("cause", "silent", "rang"), WITHOUT_STATUS, ids=[c for c, _, _ in WITHOUT_STATUS])
def test_every_cause_without_a_sip_status_has_its_outcome(cause: str, silent: Outcome, rang: Outcome) -> None:
    assert outcome(end(cause), WITHIN) is silent
    assert outcome(end(cause, rang=True), WITHIN) is rang


@pytest.mark.spec("D3")
def test_a_480_without_ringing_is_unreachable_whatever_the_cause() -> None:
    """A Reason header may put another cause beside it."""
    for cause in ("NO_USER_RESPONSE", "NORMAL_CLEARING", "NO_ANSWER", "NORMAL_UNSPECIFIED"):
        assert outcome(end(cause, 480), WITHIN) is O.UNREACHABLE
        assert outcome(end(cause, 480, rang=True), WITHIN) is O.NO_ANSWER


@pytest.mark.spec("D3")
def test_destination_out_of_order_is_ours_without_a_leg_and_the_callee_s_with_a_status() -> None:
    """18: session limit, rate limit and pause have no leg."""
    assert outcome(end("DESTINATION_OUT_OF_ORDER", leg_seen=False), WITHIN) is O.OURS
    assert outcome(end("DESTINATION_OUT_OF_ORDER", 502), WITHIN) is O.UNREACHABLE


def test_no_route_without_a_leg_is_ours() -> None:
    assert outcome(end("NO_ROUTE_DESTINATION", leg_seen=False), WITHIN) is O.OURS


@pytest.mark.spec("D3")
@pytest.mark.parametrize("q850", [34, 38, 41, 42, 44])
def test_congestion_by_q850_is_the_network_s_whatever_the_cause_is_called(q850: int) -> None:
    assert outcome(end("SOMETHING_NEW", 503, q850=q850), WITHIN) is O.NETWORK


def test_an_unknown_cause_is_judged_by_its_sip_status() -> None:
    assert outcome(end("SOMETHING_NEW", 404), WITHIN) is O.BAD_NUMBER
    assert outcome(end("SOMETHING_NEW", 407), WITHIN) is O.OURS
    assert outcome(end("SOMETHING_NEW", 608), WITHIN) is O.REJECTED
    assert outcome(end("SOMETHING_NEW", 599), WITHIN) is O.NETWORK
    assert outcome(end("SOMETHING_NEW", leg_seen=False), WITHIN) is O.OURS


@pytest.mark.spec("D3")
def test_our_own_cancel_before_the_answer_is_cancelled_whatever_the_cause() -> None:
    for cause in ("ORIGINATOR_CANCEL", "NORMAL_CLEARING", "NO_ANSWER", "USER_BUSY"):
        assert outcome(end(cause, rang=True, we_cancelled=True, we_hung_up=True), WITHIN) is O.CANCELLED


@pytest.mark.spec("D8")
def test_gone_without_evidence_is_unknown_D8() -> None:
    assert outcome(end("", certain=False), WITHIN) is O.UNKNOWN
    assert outcome(end("", certain=False, we_cancelled=True), WITHIN) is O.UNKNOWN


def test_gone_without_evidence_after_the_bridge_was_connected_all_the_same() -> None:
    assert outcome(end("", certain=False, answered_at=NOON, bridged_at=NOON + 1), WITHIN) is O.CONNECTED


# --- answered (D1) --------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D1")
def test_bridged_in_time_is_connected_and_not_missed() -> None:
    e = end("NORMAL_CLEARING", 200, answered_at=NOON, bridged_at=NOON + 19.9)
    assert outcome(e, WITHIN) is O.CONNECTED and not was_missed(e, O.CONNECTED, WITHIN)


@pytest.mark.spec("D1")
def test_bridged_too_late_is_connected_and_counts_as_missed_D1() -> None:
    e = end("NORMAL_CLEARING", 200, answered_at=NOON, bridged_at=NOON + 2.5)
    assert outcome(e, 2.0) is O.CONNECTED and was_missed(e, O.CONNECTED, 2.0)


@pytest.mark.spec("D3")
@pytest.mark.parametrize("cause", ["SYSTEM_SHUTDOWN", "CRASH"])
def test_one_whom_the_switch_takes_along_when_it_ends_has_not_hung_up(cause: str) -> None:
    """In a flow, or before the limit: ours. Who had waited too long for an agent by then was missed, and who has talked was connected."""
    assert outcome(end(cause, 200, answered_at=NOON, ended_at=NOON + 60, in_flow=True), WITHIN) is O.OURS
    assert outcome(end(cause, 200, answered_at=NOON, ended_at=NOON + 5), WITHIN) is O.OURS
    assert outcome(end(cause, 200, answered_at=NOON, ended_at=NOON + 21), WITHIN) is O.MISSED
    assert outcome(end(cause, 200, answered_at=NOON, bridged_at=NOON + 1), WITHIN) is O.CONNECTED
    assert outcome(end(cause, 200, answered_at=NOON, in_flow=True, ivr_success=True), WITHIN) is O.CONNECTED


@pytest.mark.spec("D1")
def test_a_customer_who_hangs_up_before_the_limit_is_an_early_hangup_and_not_missed_D1() -> None:
    e = end("NORMAL_CLEARING", 200, answered_at=NOON, ended_at=NOON + 19.9)
    assert outcome(e, WITHIN) is O.EARLY_HANGUP and not was_missed(e, O.EARLY_HANGUP, WITHIN)


@pytest.mark.spec("S48", "D1")
def test_a_customer_who_waits_past_the_limit_was_missed_D1() -> None:
    e = end("NORMAL_CLEARING", 200, answered_at=NOON, ended_at=NOON + 20.0)
    assert outcome(e, WITHIN) is O.MISSED and was_missed(e, O.MISSED, WITHIN)


@pytest.mark.spec("S48", "D1")
def test_a_customer_whom_we_let_go_was_missed_however_soon_D1() -> None:
    e = end("NORMAL_CLEARING", answered_at=NOON, ended_at=NOON + 1, we_hung_up=True)
    assert outcome(e, WITHIN) is O.MISSED


@pytest.mark.spec("D1")
def test_a_machine_is_not_missed() -> None:
    e = end("NORMAL_CLEARING", answered_at=NOON, machine=True, we_hung_up=True)
    assert outcome(e, WITHIN) is O.MACHINE and not was_missed(e, O.MACHINE, WITHIN)


@pytest.mark.spec("D13")
def test_an_ivr_that_reached_a_success_is_connected_and_not_missed_D13() -> None:
    e = end("NORMAL_CLEARING", answered_at=NOON, ivr_success=True)
    assert outcome(e, WITHIN) is O.CONNECTED and not was_missed(e, O.CONNECTED, WITHIN)


@pytest.mark.spec("D1", "D13")
@pytest.mark.parametrize(
    ("wanted_after_s", "bridged_after_s", "ended_after_s", "expected", "missed"),
    [
        (None, None, 500.0, O.EARLY_HANGUP, False),
        (100.0, None, 101.0, O.EARLY_HANGUP, False),
        (100.0, None, 100.0 + WITHIN, O.MISSED, True),
        (100.0, 101.0, 200.0, O.CONNECTED, False),
        (100.0, 101.0 + WITHIN, 300.0, O.CONNECTED, True),
    ],
)
def test_in_a_flow_missed_is_who_wanted_an_agent_and_did_not_meet_one_in_time(
    wanted_after_s: float | None, bridged_after_s: float | None, ended_after_s: float, expected: Outcome, missed: bool
) -> None:
    wanted = None if wanted_after_s is None else NOON + wanted_after_s
    bridged = None if bridged_after_s is None else NOON + bridged_after_s
    e = end("NORMAL_CLEARING", answered_at=NOON, in_flow=True, wanted_at=wanted, bridged_at=bridged, ended_at=NOON + ended_after_s)
    assert (outcome(e, WITHIN), was_missed(e, outcome(e, WITHIN), WITHIN)) == (expected, missed)


@pytest.mark.spec("D8")
def test_an_end_in_a_flow_that_nobody_saw_is_unknown() -> None:
    assert outcome(end("", answered_at=NOON, in_flow=True, certain=False), WITHIN) is O.UNKNOWN


# --- classes --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D3")
def test_what_is_not_the_callee_s_doing_consumes_no_attempt_and_feeds_no_estimate_D3() -> None:
    assert set(Outcome) - CONSUMES_ATTEMPT == {O.NETWORK, O.OURS, O.CANCELLED}
    assert set(Outcome) - FEEDS_ESTIMATE == {O.NETWORK, O.OURS, O.CANCELLED, O.UNKNOWN}


@given(
    st.sampled_from([c for _, c, _, _ in SIP_CODES] + [c for c, _, _ in WITHOUT_STATUS] + ["", "NEVER_HEARD_OF"]),
    st.sampled_from([None, *(s for s, _, _, _ in SIP_CODES)]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 16, 34]),
)
def test_no_unanswered_end_is_ever_taken_for_an_answer(cause: str, status: int | None, rang: bool, leg_seen: bool, q850: int | None) -> None:
    got = outcome(end(cause, status, rang=rang, leg_seen=leg_seen, q850=q850), WITHIN)
    assert got not in (O.CONNECTED, O.MISSED, O.EARLY_HANGUP, O.MACHINE, O.UNKNOWN)
