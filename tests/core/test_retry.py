"""What a finished attempt makes of its lead: gaps, back-off, final statuses (spec §4, D3, S10, S11)."""

from __future__ import annotations

from typing import Any

import pytest

from fs_dialer.core.definition import Attempts, BusyRetry
from fs_dialer.core.model import CampaignType, LeadStatus, LeadUpdate, Outcome
from fs_dialer.core.retry import MANUAL_NEXT_S, OUR_FAULTS_IN_ROW_TO_ERROR, Ended, next_lead, our_fault_gap_s
from tests.core.builders import NOON, a_campaign, a_lead

POLICY = Attempts(max=3, gap_s=3600.0, busy=BusyRetry(gap_s=600.0))


def after(outcome: Outcome, *, rang: bool = False, policy: Attempts = POLICY, **lead: Any) -> LeadUpdate:
    return next_lead(a_lead(**lead), Ended(outcome, rang), a_campaign(attempts=policy), NOON)


@pytest.mark.spec("S10")
def test_connected_is_succeeded_and_never_called_again_S10() -> None:
    update = after(Outcome.CONNECTED, attempts=1)
    assert update.status is LeadStatus.SUCCEEDED and update.attempts == 2


def test_a_bad_number_is_invalid() -> None:
    assert after(Outcome.BAD_NUMBER).status is LeadStatus.INVALID


@pytest.mark.spec("S11")
@pytest.mark.parametrize("outcome", [Outcome.NO_ANSWER, Outcome.REJECTED, Outcome.UNREACHABLE, Outcome.MISSED, Outcome.EARLY_HANGUP, Outcome.MACHINE])
def test_an_unmet_lead_returns_after_the_gap_S11(outcome: Outcome) -> None:
    update = after(outcome)
    assert (update.status, update.attempts, update.ready_at) == (LeadStatus.RETRY, 1, NOON + 3600.0)


def test_busy_returns_after_its_short_gap() -> None:
    assert after(Outcome.BUSY).ready_at == NOON + 600.0


@pytest.mark.spec("S10")
@pytest.mark.parametrize("outcome", [Outcome.NO_ANSWER, Outcome.BUSY, Outcome.UNKNOWN, Outcome.MISSED])
def test_the_last_attempt_exhausts_it_S10(outcome: Outcome) -> None:
    update = after(outcome, attempts=2)
    assert update.status is LeadStatus.EXHAUSTED and update.attempts == 3


@pytest.mark.spec("D8")
def test_an_unknown_end_keeps_the_gap_even_where_the_maximum_is_one_D8() -> None:
    update = after(Outcome.UNKNOWN, policy=Attempts(max=1, gap_s=3600.0))
    assert (update.status, update.attempts, update.ready_at) == (LeadStatus.EXHAUSTED, 1, NOON + 3600.0)


@pytest.mark.spec("D3")
def test_our_faults_back_off_from_a_minute_to_a_quarter_of_an_hour_D3() -> None:
    assert [our_fault_gap_s(n) for n in (1, 2, 3, 4, 5, 6, 50)] == [60.0, 120.0, 240.0, 480.0, 900.0, 900.0, 900.0]
    for n, gap in enumerate((60.0, 120.0, 240.0, 480.0)):
        update = after(Outcome.OURS, ours_in_row=n)
        assert (update.status, update.attempts, update.ours_in_row, update.ready_at) == (LeadStatus.RETRY, 0, n + 1, NOON + gap)


@pytest.mark.spec("D3")
def test_five_of_ours_in_a_row_make_it_an_error_D3() -> None:
    assert after(Outcome.OURS, ours_in_row=OUR_FAULTS_IN_ROW_TO_ERROR - 1).status is LeadStatus.ERROR


def test_the_network_s_failures_back_off_and_are_never_an_error() -> None:
    for n in range(20):
        update = after(Outcome.NETWORK, ours_in_row=n)
        assert update.status is LeadStatus.RETRY and update.attempts == 0 and update.ready_at == NOON + our_fault_gap_s(n + 1)


def test_what_the_callee_did_forgives_our_faults() -> None:
    assert after(Outcome.NO_ANSWER, ours_in_row=4).ours_in_row == 0


def test_a_phone_that_rang_is_left_alone_for_the_gap_even_if_the_network_failed() -> None:
    assert after(Outcome.NETWORK, rang=True).ready_at == NOON + 3600.0
    assert after(Outcome.OURS, rang=True, ours_in_row=1).ready_at == NOON + 3600.0


@pytest.mark.parametrize("status", [LeadStatus.NEW, LeadStatus.RETRY, LeadStatus.CALLBACK_SCHEDULED])
def test_cancelled_leaves_the_lead_as_it_was(status: LeadStatus) -> None:
    lead = a_lead(status=status, attempts=1, ours_in_row=2, ready_at=NOON - 50)
    update = next_lead(lead, Ended(Outcome.CANCELLED), a_campaign(attempts=POLICY), NOON)
    assert update == LeadUpdate(lead.id, status, 1, 2, NOON - 50)


def test_cancelled_after_it_rang_keeps_the_gap() -> None:
    assert after(Outcome.CANCELLED, rang=True).ready_at == NOON + 3600.0


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_gives_every_lead_a_status(outcome: Outcome) -> None:
    for attempts in range(4):
        update = after(outcome, attempts=attempts)
        assert update.status is not LeadStatus.IN_PROGRESS and 0 <= update.attempts - attempts <= 1


# --- manual campaigns -------------------------------------------------------------------------------------------------------------------


def by_hand(outcome: Outcome, *, rang: bool = True, **lead: Any) -> LeadUpdate:
    return next_lead(a_lead(**lead), Ended(outcome, rang), a_campaign(attempts=POLICY, type=CampaignType.MANUAL), NOON)


@pytest.mark.spec("S11", "S29")
@pytest.mark.parametrize("outcome", [Outcome.NO_ANSWER, Outcome.BUSY, Outcome.REJECTED, Outcome.CANCELLED])
def test_in_a_manual_campaign_the_next_customer_is_not_one_who_was_called_a_moment_ago_S11(outcome: Outcome) -> None:
    """Taken by name he may be called at once: tests/contract/test_store_takes.py."""
    update = by_hand(outcome)
    assert (update.ready_at, update.ready_why) == (NOON + MANUAL_NEXT_S, "gap")
    assert update.status is (LeadStatus.NEW if outcome is Outcome.CANCELLED else LeadStatus.RETRY)


@pytest.mark.spec("S10", "S11")
def test_in_a_manual_campaign_the_maximum_holds_all_the_same_S10() -> None:
    assert by_hand(Outcome.NO_ANSWER, attempts=2).status is LeadStatus.EXHAUSTED


@pytest.mark.spec("D3", "D8")
def test_in_a_manual_campaign_our_faults_and_ends_that_nobody_knows_still_wait() -> None:
    assert by_hand(Outcome.OURS, rang=False).ready_at == NOON + 60.0
    assert by_hand(Outcome.UNKNOWN).ready_at == NOON + 3600.0
