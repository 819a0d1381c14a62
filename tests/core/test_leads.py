"""The gates: in which order they are asked, what each says and until when."""

from __future__ import annotations

from typing import Any

import pytest

from fs_dialer.core.leads import DIALABLE, STORE_GATES, Check, first_refusal, gates
from fs_dialer.core.model import CampaignState, Lead, LeadStatus
from fs_dialer.core.resources import Hours
from fs_dialer.core.schedule import Verdict
from tests.core.builders import NOON, a_campaign, a_lead

RUNNING = CampaignState.RUNNING
SHUT = Hours((((0, 1),),) + ((),) * 6)


def refusal(lead: Lead | None = None, state: CampaignState = RUNNING, **campaign: Any) -> Check | None:
    return first_refusal(lead or a_lead(), a_campaign(**campaign), state, NOON)


def test_a_ready_lead_passes_every_gate() -> None:
    assert refusal() is None


def test_the_gates_are_asked_in_one_order_and_each_says_why() -> None:
    checks = list(gates(a_lead(), a_campaign(), RUNNING, NOON))
    order = "campaign window status hours zones holidays attempts gap rule_time".split()
    assert [c.gate for c in checks] == order and all(c.ok and c.reason for c in checks)


@pytest.mark.parametrize("state", [s for s in CampaignState if s is not RUNNING], ids=lambda s: s.value)
def test_only_a_running_campaign_dials(state: CampaignState) -> None:
    check = refusal(state=state)
    assert check == Check("campaign", False, state.value)


@pytest.mark.spec("S5", "S6")
def test_outside_its_dates_nothing_is_dialled_S5_S6() -> None:
    early, late = refusal(start=NOON + 60), refusal(end=NOON)
    assert early is not None and (early.gate, early.until) == ("window", NOON + 60)
    assert late is not None and (late.gate, late.until) == ("window", None)


@pytest.mark.parametrize("status", [s for s in LeadStatus if s not in DIALABLE | {LeadStatus.BLOCKED, LeadStatus.REFUSED}], ids=lambda s: s.value)
def test_a_finished_lead_is_not_dialled(status: LeadStatus) -> None:
    check = refusal(a_lead(status=status))
    assert check == Check("status", False, status.value)


@pytest.mark.spec("S9")
def test_outside_the_hours_of_its_zones_it_waits_for_their_opening_D4() -> None:
    check = refusal(hours=SHUT)
    assert check is not None and check.gate == "zones" and check.until is not None and check.until > NOON


def test_a_verdict_that_is_given_is_not_computed_again() -> None:
    check = first_refusal(a_lead(), a_campaign(hours=SHUT), RUNNING, NOON, Verdict(True, None))
    assert check is None


@pytest.mark.spec("S10")
def test_a_used_up_lead_is_not_dialled_S10() -> None:
    check = refusal(a_lead(attempts=3), max_attempts=3)
    assert check is not None and check.gate == "attempts" and check.reason == "3 of 3"
    assert refusal(a_lead(attempts=2), max_attempts=3) is None


@pytest.mark.spec("S11")
def test_the_break_after_the_last_call_is_kept_S11() -> None:
    check = refusal(a_lead(ready_at=NOON + 30))
    assert check is not None and (check.gate, check.until) == ("gap", NOON + 30)


def test_every_gate_of_the_store_has_words_for_explain() -> None:
    assert set(STORE_GATES) >= {"epoch", "campaign_paused", "lead_taken", "do_not_call", "already_open"}
    assert all(STORE_GATES.values())
