"""The gates: in which order they are asked, what each says and until when."""

from __future__ import annotations

from typing import Any

import pytest

from fs_dialer.core.leads import DIALABLE, NOTHING_KNOWN, ORDER, STORE_GATES, Check, Facts, first_refusal, gates
from fs_dialer.core.model import CampaignState, Lead, LeadStatus
from fs_dialer.core.resources import Holiday, Hours, Profile
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


# --- facts that others know -----------------------------------------------------------------------------------------------------------


def asked(lead: Lead | None = None, facts: Facts = NOTHING_KNOWN, **campaign: Any) -> dict[str, Check]:
    return {check.gate: check for check in gates(lead or a_lead(), a_campaign(**campaign), RUNNING, NOON, facts=facts)}


def test_a_gate_of_which_nothing_is_known_is_left_out_and_the_others_keep_their_order() -> None:
    engine = {name: Check(name, True, "fine") for name in ("quota", "caller_id", "lines", "agents")}
    facts = Facts(do_not_call=(), lists=3, no_callback=0.0, caps=((1, 3, 86400.0, None),), in_call=False, **engine)
    assert list(asked(facts=facts)) == list(ORDER)
    assert all(check.ok for check in asked(facts=facts).values())
    assert asked(facts=facts)["do_not_call"].reason == "on none of 3 lists"
    assert asked(facts=facts)["number_cap"].reason == "1 of 3 calls to this number in 24 hours"


def test_a_listed_number_is_not_dialled_and_the_list_is_named() -> None:
    assert asked(facts=Facts(do_not_call=("national",), lists=2))["do_not_call"] == Check("do_not_call", False, "on the list national")
    blocked = asked(a_lead(status=LeadStatus.BLOCKED))
    assert blocked["status"].ok and not blocked["do_not_call"].ok


@pytest.mark.spec("S12", "D16")
def test_who_asked_to_be_left_alone_is_until_his_time_is_over() -> None:
    refused = asked(a_lead(status=LeadStatus.REFUSED, ready_at=NOON + 99.0, ready_why="no_callback"))
    assert (refused["no_callback"].ok, refused["no_callback"].until) == (False, NOON + 99.0) and refused["status"].ok
    marked = asked(facts=Facts(no_callback=NOON + 50.0))["no_callback"]
    assert (marked.ok, marked.until) == (False, NOON + 50.0)
    assert asked(facts=Facts(no_callback=NOON - 50.0))["no_callback"].ok


@pytest.mark.spec("D10")
def test_a_cap_that_is_reached_shuts_until_the_oldest_call_ages_out() -> None:
    check = asked(facts=Facts(caps=((2, 7, 86400.0, None), (3, 3, 604800.0, NOON + 7000.0))))["number_cap"]
    assert (check.ok, check.until) == (False, NOON + 7000.0) and "3 calls to this number by all campaigns in 7 days" in check.reason


@pytest.mark.spec("D14")
def test_a_promised_callback_passes_the_maximum() -> None:
    assert asked(a_lead(status=LeadStatus.CALLBACK_SCHEDULED, attempts=9))["attempts"].ok


@pytest.mark.parametrize(
    ("why", "gate"), [("", "gap"), ("gap", "gap"), ("fault", "gap"), ("not_before", "gap"), ("rule", "rule_time"), ("promised", "rule_time")]
)
def test_why_it_waits_decides_which_gate_is_shut(why: str, gate: str) -> None:
    check = refusal(a_lead(ready_at=NOON + 30, ready_why=why))
    assert check is not None and (check.gate, check.until) == (gate, NOON + 30)


@pytest.mark.spec("S9")
def test_hours_zones_and_holidays_are_gates_of_their_own() -> None:
    """NOON is Thursday 28 May 2026, 20:26 UTC."""
    shut_here = Hours((((0, 60),),) * 7, zone="UTC")
    assert [gate for gate, check in asked(a_lead(zones=("Pacific/Kiritimati",)), hours=shut_here).items() if not check.ok] == ["hours"]
    holiday = Hours(((),) * 7, holidays=(Holiday("Whit Thursday", "2026-05-28", "2026-05-28"),))
    check = refusal(hours=holiday)
    assert check is not None and (check.gate, check.reason) == ("holidays", "Whit Thursday")


@pytest.mark.spec("D10")
def test_the_profile_s_hours_tighten_the_campaign_s() -> None:
    profile = Profile(name="law", hours=Hours((((8 * 60, 20 * 60),),) * 7))
    check = refusal(compliance=profile)
    assert check is not None and check.gate == "zones" and "compliance profile law" in check.reason
