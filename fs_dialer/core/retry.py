"""When to try a lead again, and what a finished attempt or an agent's result makes of it (spec §4, D3, D14, D16, S10–S12, M11, M12).

Pure: lead, outcome and policy in, the lead's next status and time out. Knows nothing of SQL or FreeSWITCH. Who decides: the agent's choice, then the
campaign's rules, then attempts.* (D14); a do-not-call entry stands above all and is the store's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fs_dialer.core.definition import Campaign
from fs_dialer.core.hangup import CONSUMES_ATTEMPT
from fs_dialer.core.model import AgentId, CampaignType, Lead, LeadStatus, LeadUpdate, Outcome
from fs_dialer.core.resources import Disposition, Rule, Then, When, compare
from fs_dialer.core.schedule import next_time_of_day

OUR_FAULT_FIRST_S = 60.0
OUR_FAULT_MOST_S = 900.0
OUR_FAULTS_IN_ROW_TO_ERROR = 5
REMEDY = "remedy"  # why a lead is ready whose call was missed: he is called before anyone else, with an agent kept for him
NEXT_NUMBER_S = 60.0  # before another number of the same contact is called: nobody's phone has rung for it

FINAL = {Outcome.CONNECTED: LeadStatus.SUCCEEDED, Outcome.BAD_NUMBER: LeadStatus.INVALID}
FAULTS = frozenset({Outcome.OURS, Outcome.NETWORK})


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended. `rang`: the callee's phone rang; then even a call we cancelled keeps the gap, so that no phone rings twice within it."""

    outcome: Outcome
    rang: bool = False
    missed: bool = False
    disposition: str = ""
    reached: bool = False  # a machine that was left a message, where the campaign counts that as reached (D13)

    @property
    def connected(self) -> bool:
        return self.outcome is Outcome.CONNECTED


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an agent, or somebody in his place, made of a call. callback_at: epoch seconds; callback_agent None = anyone."""

    disposition: Disposition
    callback_at: float | None = None
    callback_agent: AgentId | None = None


def our_fault_gap_s(in_row: int) -> float:
    """60 s after the first failure that was not the callee's, doubling to 15 min (D3)."""
    return float(min(OUR_FAULT_FIRST_S * 2 ** (max(1, in_row) - 1), OUR_FAULT_MOST_S))

MANUAL_NEXT_S = 20 * 60.0


def usual_gap_s(campaign: Campaign) -> float:
    """The break between two calls to one lead. In manual campaigns the agent calls him again when he likes, by name (S11); whoever takes just the next
    customer is not given one whom somebody has called a moment ago."""
    return MANUAL_NEXT_S if campaign.type is CampaignType.MANUAL else campaign.attempts.gap_s


def next_lead(lead: Lead, ended: Ended, campaign: Campaign, now: float) -> LeadUpdate:
    """What becomes of the lead when its attempt is over and nobody has chosen a result yet."""
    outcome, gap_s = ended.outcome, usual_gap_s(campaign)
    if outcome is Outcome.CANCELLED:
        ready_at, why = (now + gap_s, "gap") if ended.rang else (lead.ready_at, lead.ready_why)
        return LeadUpdate(lead.id, lead.status, lead.attempts, lead.ours_in_row, ready_at, why, lead.agent)
    if outcome in FAULTS:
        in_row = lead.ours_in_row + 1
        failed = outcome is Outcome.OURS and in_row >= OUR_FAULTS_IN_ROW_TO_ERROR
        fault_s = max(our_fault_gap_s(in_row), gap_s if ended.rang else 0.0)
        status = LeadStatus.ERROR if failed else LeadStatus.RETRY
        if lead.status is LeadStatus.CALLBACK_SCHEDULED and not failed:
            status = lead.status  # the promise stands
        base = LeadUpdate(lead.id, status, lead.attempts, in_row, now + fault_s, REMEDY if lead.ready_why == REMEDY else "fault", lead.agent)
        return base if failed or status is LeadStatus.CALLBACK_SCHEDULED else _by_rules(lead, ended, campaign, now, base, earliest=now + fault_s)
    base = _usual(lead, ended, campaign, now, lead.attempts + (1 if outcome in CONSUMES_ATTEMPT else 0))
    earliest = _earliest(ended, campaign, now)
    if base.status is LeadStatus.RETRY and base.ready_at < earliest:
        base = replace(base, ready_at=earliest)
    if ended.missed and base.status is LeadStatus.RETRY and getattr(campaign.options, "remedy", False):
        base = replace(base, ready_why=REMEDY)
    return _by_rules(lead, ended, campaign, now, base, earliest=earliest)


def _earliest(ended: Ended, campaign: Campaign, now: float) -> float:
    """Before this no rule and no choice has the number called again: the law after a missed call (D10), the gap after an end nobody knows (D8)."""
    recall_s = campaign.compliance.recall_after_missed_s
    if ended.missed and recall_s is not None:
        return now + recall_s
    return now + campaign.attempts.gap_s if ended.outcome is Outcome.UNKNOWN else now


def _usual(lead: Lead, ended: Ended, campaign: Campaign, now: float, attempts: int) -> LeadUpdate:
    """S10 and S11 alone."""
    policy = campaign.attempts
    final = LeadStatus.SUCCEEDED if ended.reached else FINAL.get(ended.outcome)
    if ended.outcome is Outcome.BAD_NUMBER and lead.other_numbers:
        status = LeadStatus.RETRY if attempts < policy.max else LeadStatus.EXHAUSTED
        return LeadUpdate(lead.id, status, attempts, 0, now + NEXT_NUMBER_S, "gap", number="drop", decision="bad number: the contact's next one is called")
    if final is not None:
        return LeadUpdate(lead.id, final, attempts, 0, now)
    gap_s = usual_gap_s(campaign)
    if ended.outcome is Outcome.BUSY and campaign.type is not CampaignType.MANUAL:
        gap_s = policy.busy.gap_s
    status = LeadStatus.EXHAUSTED if attempts >= policy.max else LeadStatus.RETRY
    return LeadUpdate(lead.id, status, attempts, 0, now + gap_s, "gap")


# --- rules ----------------------------------------------------------------------------------------------------------------------------


def matching_rule(campaign: Campaign, ended: Ended, attempts: int) -> Rule | None:
    """The first rule that holds (M12). `attempts`: calls so far, this one included."""
    return next((rule for rule in campaign.rules if _holds(rule.when, ended, attempts)), None)


def _holds(when: When, ended: Ended, attempts: int) -> bool:
    return (
        (not when.outcomes or ended.outcome.value in when.outcomes)
        and (not when.dispositions or ended.disposition in when.dispositions)
        and (when.connected is None or when.connected is ended.connected)
        and (when.missed is None or when.missed is ended.missed)
        and (not when.attempts or compare(when.attempts, attempts))
    )


def _by_rules(lead: Lead, ended: Ended, campaign: Campaign, now: float, base: LeadUpdate, *, earliest: float) -> LeadUpdate:
    rule = matching_rule(campaign, ended, max(base.attempts, lead.attempts + 1))
    return base if rule is None else _ruled(lead, rule, campaign, now, base, earliest)


def _ruled(lead: Lead, rule: Rule, campaign: Campaign, now: float, base: LeadUpdate, earliest: float) -> LeadUpdate:
    """What one rule makes of the usual update. Never sooner than `earliest`, which the law or the network sets."""
    then, words = rule.then, f"rule {rule.name or campaign.rules.index(rule) + 1}: "
    attempts = lead.attempts if then.beyond_maximum else base.attempts
    number = "next" if then.next_number and lead.other_numbers and not base.number else base.number
    update = replace(base, attempts=attempts, number=number, set=then.set, decision=words + said(then))
    if then.stop or then.remove:
        return replace(update, status=LeadStatus.STOPPED, leave_group=then.remove, agent=None, ready_at=now, ready_why="")
    at = _rule_time(then, lead, campaign, now)
    if at is not None:
        if attempts >= campaign.attempts.max:
            return replace(update, status=LeadStatus.EXHAUSTED, decision=update.decision + ", but attempts.max is reached")
        return replace(update, status=LeadStatus.RETRY, ready_at=max(at, earliest), ready_why="rule", agent=None)
    if update.status is LeadStatus.EXHAUSTED and attempts < campaign.attempts.max:
        update = replace(update, status=LeadStatus.RETRY)
    return replace(update, ready_at=max(update.ready_at, earliest)) if update.status is LeadStatus.RETRY else update


def _rule_time(then: Then, lead: Lead, campaign: Campaign, now: float) -> float | None:
    """Where both are given: the time of day that comes after the span."""
    if then.again_s is None and then.at_minute is None:
        return None
    at = now + (then.again_s or 0.0)
    if then.at_minute is None:
        return at
    return next_time_of_day(then.at_minute, (lead.zones or (campaign.window.zone,))[0], at)


def said(then: Then) -> str:
    """What a rule does, for people."""
    parts = []
    if then.again_s is not None:
        parts.append(f"call again after {_span(then.again_s)}")
    if then.at_minute is not None:
        parts.append(f"call again at {then.at_minute // 60}:{then.at_minute % 60:02}")
    parts += ["no more calls"] if then.stop else []
    parts += ["removed from the campaign and its group"] if then.remove else []
    parts += ["on the next number"] if then.next_number else []
    parts += [f"{name} = {text}" for name, text in then.set]
    parts += ["not counted"] if then.beyond_maximum else []
    return ", ".join(parts)


def _span(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s"


# --- what an agent chose --------------------------------------------------------------------------------------------------------------


def after_disposition(lead: Lead, ended: Ended, chosen: Chosen, campaign: Campaign, now: float) -> LeadUpdate:
    """What a result makes of a lead whose attempt is over and counted already: `lead.attempts` includes it.

    A refusal and a promised callback are the agent's choice and beat the rules; rules that name the disposition come next, then its class (D14).
    """
    code, kind = chosen.disposition.name, chosen.disposition.outcome_class
    ended = replace(ended, disposition=code)
    policy, words = campaign.attempts, f"disposition {code}: "
    left, earliest = lead.attempts < policy.max, _earliest(ended, campaign, now)
    again = LeadUpdate(lead.id, LeadStatus.RETRY if left else LeadStatus.EXHAUSTED, lead.attempts, 0, max(now + usual_gap_s(campaign), earliest), "gap")
    done = LeadUpdate(lead.id, LeadStatus.SUCCEEDED if ended.connected else LeadStatus.STOPPED, lead.attempts, 0, now)
    usual = done if chosen.disposition.final else again
    if kind == "refused":
        return refused(lead, usual.status, campaign, now, words)
    if chosen.callback_at is not None:
        return promised(lead, max(chosen.callback_at, earliest), chosen.callback_agent, words)
    if kind == "retry" or kind == "callback":
        usual = again
    elif kind == "wrong_number":
        if lead.other_numbers and left:
            usual = replace(again, ready_at=max(now + NEXT_NUMBER_S, earliest), number="drop")
        else:
            usual = LeadUpdate(lead.id, LeadStatus.INVALID, lead.attempts, 0, now)
    elif kind == "success" and chosen.disposition.final:
        usual = replace(done, status=LeadStatus.SUCCEEDED)
    usual = replace(usual, decision=words + usual.status.value)
    rule = next((r for r in campaign.rules if r.when.dispositions and _holds(r.when, ended, lead.attempts)), None)
    return usual if rule is None else _ruled(_uncounted(lead, ended, campaign), rule, campaign, now, usual, earliest)


def _uncounted(lead: Lead, ended: Ended, campaign: Campaign) -> Lead:
    """The lead as it was before its last call was counted, for a rule that says beyond_maximum; the same where that call never counted."""
    first = matching_rule(campaign, replace(ended, disposition=""), lead.attempts)
    counted = ended.outcome in CONSUMES_ATTEMPT and not (first is not None and first.then.beyond_maximum)
    return replace(lead, attempts=max(0, lead.attempts - 1)) if counted else lead


def refused(lead: Lead, before: LeadStatus, campaign: Campaign, now: float, words: str = "") -> LeadUpdate:
    """Left alone for attempts.no_callback, 24 h a day from now; then it is what it was (S12, D16)."""
    until = now + campaign.attempts.no_callback_s
    for_all = campaign.attempts.no_callback_scope == "all"
    decision = f"{words}not called for {_span(campaign.attempts.no_callback_s)}, " + ("by no campaign" if for_all else "by this campaign")
    return LeadUpdate(
        lead.id,
        LeadStatus.REFUSED,
        lead.attempts,
        0,
        until,
        "no_callback",
        status_before=LeadStatus.RETRY if before is LeadStatus.IN_PROGRESS else before,
        no_callback=until,
        no_callback_for_all=for_all,
        decision=decision,
    )


def promised(lead: Lead, at: float, agent: AgentId | None, words: str = "") -> LeadUpdate:
    """A scheduled callback, by one agent or by anyone."""
    decision = f"{words}callback promised" + (f" by {agent}" if agent else "")
    return LeadUpdate(lead.id, LeadStatus.CALLBACK_SCHEDULED, lead.attempts, 0, at, "promised", agent, decision=decision)
