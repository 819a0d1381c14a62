"""May this lead be dialled now, and if not, why and until when: the gates, in the order in which they are asked.

Dialling asks them and `explain` prints them. What only the store can know (do-not-call lists, marks, calls to the number by other campaigns) is asked there
once more, in the statement that commits the attempt (D4); the codes it answers with stand here too. What only the running engine can know (caller ids,
lines, agents) it tells by the facts; a gate about which nothing was told is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from fs_dialer.core import schedule
from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import CampaignState, Lead, LeadStatus
from fs_dialer.core.schedule import Verdict, dial_verdict

DIALABLE = frozenset({LeadStatus.NEW, LeadStatus.RETRY, LeadStatus.CALLBACK_SCHEDULED, LeadStatus.IN_PROGRESS})

CAMPAIGN, WINDOW, STATUS = "campaign", "window", "status"
HOURS, ZONES, HOLIDAYS = schedule.HOURS, schedule.ZONES, schedule.HOLIDAYS
DO_NOT_CALL, NO_CALLBACK = "do_not_call", "no_callback"
ATTEMPTS, NUMBER_CAP, NUMBER_IN_CALL = "attempts", "number_cap", "number_in_call"
GAP, RULE_TIME, QUOTA, CALLER_ID, LINES, AGENTS = "gap", "rule_time", "quota", "caller_id", "lines", "agents"
ORDER = (
    CAMPAIGN, WINDOW, STATUS, HOURS, ZONES, HOLIDAYS, DO_NOT_CALL, NO_CALLBACK, ATTEMPTS, NUMBER_CAP, NUMBER_IN_CALL,
    GAP, RULE_TIME, QUOTA, CALLER_ID, LINES, AGENTS,
)  # fmt: skip
"""Every gate, in the order of asking."""

STORE_GATES = {
    "epoch": "another daemon has taken over",
    "campaign_paused": "the campaign is not running",
    "lead_taken": "the lead is no longer ours",
    "already_open": "a call to this lead is already open",
    NUMBER_IN_CALL: "another call to this number is up",
    DO_NOT_CALL: "the number is on a do-not-call list",
    NO_CALLBACK: "the customer asked not to be called back",
    NUMBER_CAP: "the compliance profile allows no more calls to this number now",
    QUOTA: "the agent's customers of the day are used up",
    "no_lead": "no lead is ready now",
    "lead_unknown": "the campaign has no such lead",
    "lead_promised": "a callback is promised by another agent",
    HOURS: "it is not the time to call where the number lives",
    STATUS: "the lead is not called any more",
    ATTEMPTS: "every call that its campaign allows was made",
    GAP: "the lead may not be called again yet",
}
"""What the store itself refuses by: attempts at the last gate, and leads that agents take."""
BY_RULE = frozenset({"rule", "promised"})
WAITS_FOR = {
    "": "not to be called before",
    "gap": "the break after the last call is not over",
    "remedy": "the customer was missed; after the break he is called before anyone else",
    "fault": "the last call failed on our side or the network's",
    "not_before": "its list says not before",
    "no_callback": "the customer asked not to be called back",
    "rule": "a rule gave the time",
    "promised": "a callback is promised for then",
}


class Check(NamedTuple):
    """One gate's answer. `until`: when it may change, epoch seconds; None = not by time alone."""

    gate: str
    ok: bool
    reason: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a lead does not carry with it; None = not asked. Checks of the engine's gates are handed in as they stand."""

    do_not_call: tuple[str, ...] | None = None  # the lists that name the number
    lists: int = 0  # how many lists there are
    no_callback: float | None = None  # the customer asked to be left alone until then; 0.0 = he did not
    caps: tuple[tuple[int, int, float, float | None], ...] | None = None  # (calls so far, most, within_s, when the oldest that counts ages out)
    in_call: bool | None = None  # another call to the number is up
    quota: Check | None = None
    caller_id: Check | None = None
    lines: Check | None = None
    agents: Check | None = None


NOTHING_KNOWN = Facts()


def gates(lead: Lead, campaign: Campaign, state: CampaignState, now: float, hours: Verdict | None = None, facts: Facts = NOTHING_KNOWN) -> Iterator[Check]:
    """The checks in ORDER. `hours`: the verdict for this lead's zones where the caller already has it."""
    yield Check(CAMPAIGN, state is CampaignState.RUNNING, state.value)
    window = campaign.window
    if window.end is not None and now >= window.end:
        yield Check(WINDOW, False, "the campaign's end time has passed")
    elif window.start is not None and now < window.start:
        yield Check(WINDOW, False, "the campaign's start time has not come", window.start)
    else:
        yield Check(WINDOW, True, "inside its dates", window.end)
    known = lead.status in DIALABLE or lead.status is LeadStatus.BLOCKED or lead.status is LeadStatus.REFUSED
    yield Check(STATUS, known, lead.status.value)
    yield from _times(hours if hours is not None else dial_verdict(campaign, lead.zones, now))
    yield from _wishes(lead, facts, now)
    yield from _counts(lead, campaign, facts, now)
    yield from _waits(lead, now)
    for check in (facts.quota, facts.caller_id, facts.lines, facts.agents):
        if check is not None:
            yield check


def _times(verdict: Verdict) -> Iterator[Check]:
    for gate, fine in ((HOURS, "inside working hours"), (ZONES, "inside the hours where the number lives"), (HOLIDAYS, "no holiday")):
        if not verdict.open and (verdict.gate or ZONES) == gate:
            yield Check(gate, False, verdict.why, verdict.until)
        else:
            yield Check(gate, True, fine, verdict.until if verdict.open and gate == ZONES else None)


def _wishes(lead: Lead, facts: Facts, now: float) -> Iterator[Check]:
    if lead.status is LeadStatus.BLOCKED or facts.do_not_call:
        yield Check(DO_NOT_CALL, False, f"on the list {', '.join(facts.do_not_call)}" if facts.do_not_call else STORE_GATES[DO_NOT_CALL])
    elif facts.do_not_call is not None:
        yield Check(DO_NOT_CALL, True, f"on none of {facts.lists} lists" if facts.lists != 1 else "not on the list")
    if lead.status is LeadStatus.REFUSED:
        yield Check(NO_CALLBACK, False, STORE_GATES[NO_CALLBACK], max(lead.ready_at, now))
    elif facts.no_callback is not None:
        asked = facts.no_callback > now
        yield Check(NO_CALLBACK, not asked, STORE_GATES[NO_CALLBACK] if asked else "did not ask to be left alone", facts.no_callback if asked else None)


def _counts(lead: Lead, campaign: Campaign, facts: Facts, now: float) -> Iterator[Check]:
    """A promised callback comes before the maximum: the agent's choice is above S10 (D14)."""
    most = campaign.attempts.max
    promised = lead.status is LeadStatus.CALLBACK_SCHEDULED
    yield Check(ATTEMPTS, promised or lead.attempts < most, f"{lead.attempts} of {most}" + (", a promised callback" if promised else ""))
    if facts.caps is not None:
        shut = [(used, cap, within, until) for used, cap, within, until in facts.caps if used >= cap]
        if shut:
            used, cap, within, until = shut[0]
            yield Check(NUMBER_CAP, False, f"{used} calls to this number by all campaigns in {_span(within)}, {cap} are allowed", until)
        elif facts.caps:
            used, cap, within, _ = facts.caps[0]
            yield Check(NUMBER_CAP, True, f"{used} of {cap} calls to this number in {_span(within)}")
    if facts.in_call is not None:
        yield Check(NUMBER_IN_CALL, not facts.in_call, STORE_GATES[NUMBER_IN_CALL] if facts.in_call else "no call to this number is up")


def _waits(lead: Lead, now: float) -> Iterator[Check]:
    """Why ready_at lies ahead decides which of two gates is shut."""
    due = now >= lead.ready_at
    by_rule = lead.ready_why in BY_RULE
    why = WAITS_FOR.get(lead.ready_why, WAITS_FOR[""])
    yield Check(GAP, due or by_rule, "no break to wait for" if due or by_rule else why, None if due or by_rule else lead.ready_at)
    yield Check(RULE_TIME, due or not by_rule, "no time is set" if due or not by_rule else why, None if due or not by_rule else lead.ready_at)


def _span(seconds: float) -> str:
    days, hours = seconds / 86400, seconds / 3600
    return f"{days:g} days" if days > 1 else f"{hours:g} hours"


def first_refusal(lead: Lead, campaign: Campaign, state: CampaignState, now: float, hours: Verdict | None = None, facts: Facts = NOTHING_KNOWN) -> Check | None:
    """The first shut gate, None when the lead may be dialled."""
    return next((check for check in gates(lead, campaign, state, now, hours, facts) if not check.ok), None)
