"""May this lead be dialled now, and if not, why and until when: the gates, in the order in which they are asked.

Dialling asks them and `explain` prints them. Do-not-call lists, pause and ownership are asked once more in the store, in the statement that commits the
attempt (D4); the codes it answers with stand here too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import CampaignState, Lead, LeadStatus
from fs_dialer.core.schedule import Verdict, zones_verdict

DIALABLE = frozenset({LeadStatus.NEW, LeadStatus.RETRY, LeadStatus.CALLBACK_SCHEDULED, LeadStatus.IN_PROGRESS})

CAMPAIGN, WINDOW, STATUS, HOURS, ATTEMPTS, GAP = "campaign", "window", "status", "hours", "attempts", "gap"
STORE_GATES = {
    "epoch": "another daemon has taken over",
    "campaign_paused": "the campaign is not running",
    "lead_taken": "the lead is no longer ours",
    "do_not_call": "the number is on a do-not-call list",
    "already_open": "a call to this lead is already open",
}


class Check(NamedTuple):
    """One gate's answer. `until`: when it may change, epoch seconds; None = not by time alone."""

    gate: str
    ok: bool
    reason: str
    until: float | None = None


def gates(lead: Lead, campaign: Campaign, state: CampaignState, now: float, hours: Verdict | None = None) -> Iterator[Check]:
    """The checks in order. `hours`: the verdict for this lead's zones where the caller already has it."""
    yield Check(CAMPAIGN, state is CampaignState.RUNNING, state.value)
    window = campaign.window
    if window.end is not None and now >= window.end:
        yield Check(WINDOW, False, "the campaign's end time has passed")
    elif window.start is not None and now < window.start:
        yield Check(WINDOW, False, "the campaign's start time has not come", window.start)
    else:
        yield Check(WINDOW, True, "inside its dates", window.end)
    yield Check(STATUS, lead.status in DIALABLE, lead.status.value)
    verdict = hours if hours is not None else zones_verdict(campaign.hours, lead.zones, campaign.window.zone, now)
    yield Check(HOURS, verdict.open, "inside working hours" if verdict.open else "outside working hours where the number lives", verdict.until)
    left = campaign.attempts.max - lead.attempts
    yield Check(ATTEMPTS, left > 0, f"{lead.attempts} of {campaign.attempts.max}")
    due = now >= lead.ready_at
    yield Check(GAP, due, "ready" if due else "the break after the last call is not over", None if due else lead.ready_at)


def first_refusal(lead: Lead, campaign: Campaign, state: CampaignState, now: float, hours: Verdict | None = None) -> Check | None:
    """The first shut gate, None when the lead may be dialled."""
    return next((check for check in gates(lead, campaign, state, now, hours) if not check.ok), None)
