"""Who may take what: quotas count customers, a named lead is refused by the first gate that is shut."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fs_dialer.core.actions import TakeLeadNow
from fs_dialer.core.leads import STORE_GATES
from fs_dialer.core.model import AgentId, CampaignId, CommandId, LeadId, LeadStatus
from fs_dialer.core.promises import PROMISE_S
from fs_dialer.core.taking import Customers, Offered
from tests.core.builders import NOON

HANOI = ("Asia/Ho_Chi_Minh",)
SPRING, LAN, HOA = CampaignId("spring"), AgentId("lan"), AgentId("hoa")


def asked(quota: int | None = None, own: int | None = None, zones: tuple[tuple[str, ...], ...] = (HANOI,)) -> TakeLeadNow:
    return TakeLeadNow(CommandId("c"), LAN, SPRING, LeadId(1), zones, quota, own, NOON - 3600, False)


def customers(here: str = "", elsewhere: str = "") -> Customers:
    """One letter is one customer."""
    return Customers(frozenset(here), frozenset(here + elsewhere))


OFFERED = Offered(SPRING, LeadStatus.NEW, False, HANOI, None, NOON - 1, "", 0, 3)


def gate(now: float = NOON, action: TakeLeadNow | None = None, **changed: Any) -> tuple[str, float | None]:
    refusal = replace(OFFERED, **changed).refusal(action or asked(), now)
    if refusal is None:
        return "", None
    assert refusal.gate in STORE_GATES
    return refusal.gate, refusal.until


@pytest.mark.spec("S30", "S33", "D16")
@pytest.mark.parametrize(
    ("quota", "own", "taken", "left"),
    [
        (None, None, customers("abc"), None),
        (5, None, customers("ab"), 3),
        (5, 3, customers("a", "b"), 1),
        (2, 9, customers("ab", "c"), 0),
        (1, None, customers("abc"), 0),
    ],
)
def test_the_stricter_of_both_quotas_says_how_many_are_left(quota: int | None, own: int | None, taken: Customers, left: int | None) -> None:
    assert taken.left(asked(quota, own)) == left


@pytest.mark.spec("S30", "D16")
def test_at_either_quota_a_new_customer_is_refused_until_the_next_day_of_the_zone() -> None:
    for action, taken in ((asked(2, None), customers("ab")), (asked(9, 2), customers("a", "b"))):
        refusal = taken.refusal(action, None, "Asia/Ho_Chi_Minh", NOON)
        assert refusal is not None and refusal.gate == "quota"
        assert refusal.until is not None and (refusal.until + 7 * 3600) % 86400 == 0 and 0 < refusal.until - NOON <= 86400


@pytest.mark.spec("S30")
def test_a_customer_who_was_counted_costs_nothing_more() -> None:
    taken = customers("a", "b")
    assert taken.refusal(asked(1, 2), "a", "UTC", NOON) is None
    assert taken.refusal(asked(1, 2), "b", "UTC", NOON) is not None  # of another campaign: new in this one
    assert taken.refusal(asked(2, 2), "b", "UTC", NOON) is None
    assert taken.and_this("a").left(asked(2, 4)) == 1


@pytest.mark.parametrize("status", [LeadStatus.NEW, LeadStatus.RETRY, LeadStatus.CALLBACK_SCHEDULED])
def test_a_free_lead_may_be_taken(status: LeadStatus) -> None:
    assert gate(status=status) == ("", None)


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"campaign": CampaignId("autumn")}, ("lead_unknown", None)),
        ({"status": LeadStatus.BLOCKED}, ("do_not_call", None)),
        ({"status": LeadStatus.REFUSED, "ready_at": NOON + 9}, ("no_callback", NOON + 9)),
        ({"status": LeadStatus.IN_PROGRESS}, ("already_open", None)),
        ({"status": LeadStatus.SUCCEEDED}, ("status", None)),
        ({"status": LeadStatus.STOPPED, "claimed": True}, ("status", None)),
        ({"claimed": True}, ("lead_taken", None)),
        ({"promised_to": HOA, "ready_at": NOON}, ("lead_promised", NOON + PROMISE_S)),
        ({"zones": (*HANOI, "Asia/Bangkok")}, ("hours", None)),
        ({"attempts": 3}, ("attempts", None)),
        ({"ready_at": NOON + 60, "ready_why": "fault"}, ("gap", NOON + 60)),
        ({"ready_at": NOON + 60, "ready_why": "not_before"}, ("gap", NOON + 60)),
    ],
)
def test_a_lead_that_may_not_be_taken_names_its_gate(changed: dict[str, Any], refused: tuple[str, float | None]) -> None:
    assert gate(**changed) == refused


@pytest.mark.spec("S11", "D14")
@pytest.mark.parametrize("why", ["gap", "rule", "promised"])
def test_break_rule_and_promise_are_the_agents_to_shorten(why: str) -> None:
    assert gate(ready_at=NOON + 3600, ready_why=why) == ("", None)


@pytest.mark.spec("D14")
def test_a_promised_callback_comes_before_the_maximum_and_is_free_when_long_overdue() -> None:
    promised: dict[str, Any] = {"status": LeadStatus.CALLBACK_SCHEDULED, "attempts": 3, "ready_at": NOON}
    assert gate(promised_to=LAN, **promised) == ("", None)
    assert gate(promised_to=HOA, **promised)[0] == "lead_promised"
    assert gate(promised_to=HOA, now=NOON + PROMISE_S, **promised) == ("", None)


def test_zones_are_open_in_whatever_order_they_are_named() -> None:
    both = ("America/New_York", "America/Chicago")
    assert gate(zones=both, action=asked(zones=(tuple(reversed(both)),))) == ("", None)
