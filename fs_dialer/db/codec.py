"""Between the core's values and the columns of our tables: zone sets, leads, attempts, results.

Knows the order of columns in sql/queries/*.sql. No I/O. Definitions as JSON are config/codec.py's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import orjson

from fs_dialer.config.codec import campaign_from_json
from fs_dialer.core.flow import STEP, IvrStep
from fs_dialer.core.model import (
    AgentId,
    Attempt,
    AttemptId,
    AttemptResult,
    CampaignId,
    GatewayId,
    Lead,
    LeadId,
    LeadReturn,
    LeadStatus,
    LeadUpdate,
    LegId,
    OpenAttempt,
    Refusal,
    SwitchId,
)
from fs_dialer.errors import FsDialerError, StoreError

T = TypeVar("T")

CLAIMABLE = frozenset({LeadStatus.NEW, LeadStatus.RETRY, LeadStatus.CALLBACK_SCHEDULED})
UNFINISHED = CLAIMABLE | {LeadStatus.IN_PROGRESS}
FIRST = frozenset({"promised", "remedy"})  # why a lead is ready that is claimed before all others
_STATUS = {status.value: status for status in LeadStatus}


def zone_set(zones: Iterable[str]) -> str:
    """A lead's zones as one word: sorted, each once, joined by "|"; "" for none."""
    return "|".join(sorted(set(zones)))


def zones(text: str) -> tuple[str, ...]:
    """The zones of such a word."""
    return tuple(text.split("|")) if text else ()


def kind_of(number: str) -> str:
    """mobile, fixed, "" = its plan does not tell. Not stored: a lead goes on with the contact's other numbers, and the plan says it in microseconds."""
    from fs_dialer.config.number_plans import kind_of as by_plan  # the library of all plans is not for commands that see no lead

    return by_plan(number)


def lead(campaign: CampaignId, row: Sequence[Any], attributes: tuple[tuple[str, str], ...] = ()) -> Lead:
    """From claim_leads: id, number, zone_set, status, attempts, ours_in_row, ready_at, position, ready_why, agent, caller_id, other_numbers, met, last."""
    told: dict[str, Any] = {"met": row[12], "last": row[13], "kind": kind_of(row[1]), "attributes": attributes}
    return Lead(row[0], campaign, row[1], zones(row[2]), _STATUS[row[3]], row[4], row[5], row[6], row[8], row[9], row[10], row[11], **told)


def open_attempt(row: Sequence[Any]) -> OpenAttempt:
    """From open_attempts_found. The caps it was opened under are not kept."""
    campaign, lead = CampaignId(row[1]), LeadId(row[3])
    agent = AgentId(row[8]) if row[8] else None
    gates = tuple((gate, answer) for gate, answer in row[10])
    switch = SwitchId(row[23] or "main")  # stored before there were several
    attempt = Attempt(AttemptId(row[0]), campaign, row[2], lead, LegId(row[4]), row[5], GatewayId(row[6]), row[7], agent, row[9], (), gates, switch)
    promised = AgentId(row[18]) if row[18] else None
    told: dict[str, Any] = {"met": row[21], "last": row[22], "kind": kind_of(row[11])}
    seen = Lead(lead, campaign, row[11], zones(row[12]), _STATUS[row[13]], row[14], row[15], row[16], row[17], promised, row[19], row[20], **told)
    dialled = None if row[24] is None else definition(campaign_from_json, row[24], f"campaign {campaign} r{row[2]}")
    return OpenAttempt(attempt, seen, None if dialled is None else replace(dialled, revision=row[2]))


def refusal(row: Sequence[Any]) -> Refusal | None:
    """From open_attempts: gate, until."""
    return None if row[0] is None else Refusal(row[0], row[1])


def attempt_columns(attempts: Sequence[Attempt]) -> dict[str, list[Any]]:
    """For open_attempts: one list per column."""
    return {
        "ids": [attempt.id for attempt in attempts],
        "campaigns": [attempt.campaign for attempt in attempts],
        "revisions": [attempt.revision for attempt in attempts],
        "leads": [attempt.lead for attempt in attempts],
        "legs": [attempt.leg for attempt in attempts],
        "numbers": [attempt.number for attempt in attempts],
        "gateways": [attempt.gateway for attempt in attempts],
        "caller_ids": [attempt.caller_id for attempt in attempts],
        "agents": [attempt.agent for attempt in attempts],
        "opened_ats": [attempt.opened_at for attempt in attempts],
        "caps": [_json(attempt.caps) if attempt.caps else None for attempt in attempts],
        "gates": [_json(attempt.gates) for attempt in attempts],
        "switches": [attempt.switch for attempt in attempts],
    }


def result_columns(results: Sequence[tuple[AttemptResult, LeadUpdate]]) -> dict[str, list[Any]]:
    """For close_attempts: one list per column."""
    return {
        "ids": [result.attempt for result, _ in results],
        "outcomes": [result.outcome.value for result, _ in results],
        "causes": [result.cause for result, _ in results],
        "sip_statuses": [result.sip_status for result, _ in results],
        "agents": [result.agent for result, _ in results],
        "rang_ats": [result.rang_at for result, _ in results],
        "answered_ats": [result.answered_at for result, _ in results],
        "bridged_ats": [result.bridged_at for result, _ in results],
        "ended_ats": [result.ended_at for result, _ in results],
        "misseds": [result.missed for result, _ in results],
        "leg_seens": [result.leg_seen for result, _ in results],
        "tickets": [result.ticket for result, _ in results],
        "decisions": [update.decision for _, update in results],
        "leads": [update.lead for _, update in results],
        "statuses": [update.status.value for _, update in results],
        "attempts": [update.attempts for _, update in results],
        "ours_in_rows": [update.ours_in_row for _, update in results],
        "ready_ats": [update.ready_at for _, update in results],
        "ready_whys": [update.ready_why for _, update in results],
        "promised_tos": [update.agent for _, update in results],
        "caller_ids": [update.caller_id for _, update in results],
        "parameters": [_json(dict(update.set)) for _, update in results],
        "next_numbers": [update.number for _, update in results],
        "leave_groups": [update.leave_group for _, update in results],
        "statuses_before": [None if update.status_before is None else update.status_before.value for _, update in results],
        "no_callbacks": [update.no_callback for _, update in results],
        "for_alls": [update.no_callback_for_all for _, update in results],
        "recorded_froms": [result.recorded_from for result, _ in results],
        "recorded_untils": [result.recorded_until for result, _ in results],
        "recordings": [message_file(result) for result, _ in results],
        "ivrs": [_json(step_rows(result.ivr)) for result, _ in results],
        "left_ats": [result.left_at for result, _ in results],
        "switches": [result.switch for result, _ in results],
    }


def return_columns(leads: Sequence[LeadReturn]) -> dict[str, list[Any]]:
    """For return_leads: one list per column."""
    return {
        "ids": [given.lead for given in leads],
        "ready_ats": [given.ready_at for given in leads],
        "held_bys": [given.held_by for given in leads],
        "lasts": [given.last for given in leads],
    }


def message_file(result: AttemptResult) -> str:
    """Where the flow put the message that makes its ticket, below the folder of recordings (ivr/render.py); "" = there is none."""
    messages = [step.node for step in said(result.ivr) if step.do == "record" and step.value not in ("", "0")] if result.ticket == "voicemail" else []
    return f"ivr/{result.attempt}-{messages[-1]}.wav" if messages else ""


def said(steps: Iterable[IvrStep]) -> tuple[IvrStep, ...]:
    """Without what a customer's keys can not have said (D7): the way from the switch to here is long."""
    return tuple(step for step in steps if STEP.fullmatch(f"{step.node}={step.value}"))


def step_rows(steps: Iterable[IvrStep]) -> list[list[str]]:
    """As attempts.ivr has them."""
    return [[step.node, step.do, step.name, step.value] for step in said(steps)]


def definition(decode: Callable[[Mapping[str, Any]], T], data: Mapping[str, Any], what: str) -> T:
    """A stored definition as its value; StoreError where this program cannot read it."""
    try:
        return decode(data)
    except FsDialerError as error:
        raise StoreError(f"{what} cannot be read by this program: {error}") from error


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def epoch_time(value: float) -> float:
    """A time fit for to_timestamp(); PostgreSQL has no NaN among its times."""
    if math.isnan(value):
        raise ValueError("not a time: NaN")
    return value
