"""When to try a lead again, and what a finished attempt makes of it (spec §4, D3, S10, S11).

Pure: lead, outcome and policy in, the lead's next status and time out. Knows nothing of SQL or FreeSWITCH.
"""

from __future__ import annotations

from fs_dialer.core.definition import Attempts
from fs_dialer.core.hangup import CONSUMES_ATTEMPT
from fs_dialer.core.model import Lead, LeadStatus, LeadUpdate, Outcome

OUR_FAULT_FIRST_S = 60.0
OUR_FAULT_MOST_S = 900.0
OUR_FAULTS_IN_ROW_TO_ERROR = 5

FINAL = {Outcome.CONNECTED: LeadStatus.SUCCEEDED, Outcome.BAD_NUMBER: LeadStatus.INVALID}


def our_fault_gap_s(in_row: int) -> float:
    """60 s after the first failure that was not the callee's, doubling to 15 min (D3)."""
    return float(min(OUR_FAULT_FIRST_S * 2 ** (max(1, in_row) - 1), OUR_FAULT_MOST_S))


def next_lead(lead: Lead, outcome: Outcome, policy: Attempts, now: float, *, rang: bool) -> LeadUpdate:
    """What becomes of the lead. `rang`: the callee's phone rang; then even a call we cancelled keeps the gap, so that no phone rings twice within it."""
    if outcome in (Outcome.OURS, Outcome.NETWORK):
        in_row = lead.ours_in_row + 1
        failed = outcome is Outcome.OURS and in_row >= OUR_FAULTS_IN_ROW_TO_ERROR
        status = LeadStatus.ERROR if failed else LeadStatus.RETRY
        gap = max(our_fault_gap_s(in_row), policy.gap_s if rang else 0.0)
        return LeadUpdate(lead.id, status, lead.attempts, in_row, now + gap)
    if outcome is Outcome.CANCELLED:
        return LeadUpdate(lead.id, lead.status, lead.attempts, lead.ours_in_row, now + policy.gap_s if rang else lead.ready_at)
    attempts = lead.attempts + (1 if outcome in CONSUMES_ATTEMPT else 0)
    final = FINAL.get(outcome)
    if final is not None:
        return LeadUpdate(lead.id, final, attempts, 0, now)
    gap = policy.busy.gap_s if outcome is Outcome.BUSY else policy.gap_s
    status = LeadStatus.EXHAUSTED if attempts >= policy.max else LeadStatus.RETRY
    return LeadUpdate(lead.id, status, attempts, 0, now + gap)
