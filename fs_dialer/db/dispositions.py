"""The result that a person gives a call, and what it makes of the lead (M12, M24, D14).

One transaction: the call gets its result and answers, and if it is the lead's newest, the lead becomes what core/retry.py makes of it under the
definition that the call was made by. An older call's result is only written down.

Taking it back: a result replaced within REPLACE_WITHIN_S is undone first. The audit line of each result keeps how the lead stood before and after; if the
lead still stands as the former result left it, it goes back to how it stood before, with its marks and group, and the new result is applied to that. If
somebody changed the lead meanwhile, or the time is over, the record changes and the lead stays. What stands above a result keeps standing: a do-not-call
entry always, a person's own mark on the lead unless the result is a refusal, which is stricter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from fs_dialer.config.codec import campaign_from_json
from fs_dialer.config.values import nearest
from fs_dialer.core import retry
from fs_dialer.core.answers import missing, read
from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import AgentId, LeadUpdate, Outcome
from fs_dialer.core.promises import objection
from fs_dialer.core.resources import Disposition
from fs_dialer.core.retry import Chosen, Ended
from fs_dialer.db import codec
from fs_dialer.db.lead_marks import CALL_AT, LEAVE_ALONE, STOP, told_objection
from fs_dialer.db.lead_state import OVER, LeadState, home_of, is_agent, lock_lead, note, tell_finished, updated, wishes, write
from fs_dialer.db.pool import Cursor, Pool, Row, rows

REPLACE_WITHIN_S = 15 * 60.0
NO_QUESTIONS_ASKED = ("refused", "wrong_number", "retry", "callback")  # classes of results that need no required answer


@dataclass(frozen=True, slots=True)
class Result:
    """What somebody says of a call. callback_at: epoch seconds; agent: who promised the callback, None = anyone. answers: texts by question."""

    code: str
    callback_at: float | None = None
    agent: str | None = None
    answers: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Disposed:
    """What became of it. `refused`: every reason why nothing was done, () = it was. `lead_kept`: why the lead stays as it is, "" = it changed.
    `kept_for_end`: the call is up, and the result is filed when it ends."""

    attempt: str
    campaign: str
    lead: int | None
    number: str
    disposition: str
    replaced: str | None = None
    lead_before: str = ""
    lead_status: str = ""
    ready_at: float | None = None
    decision: str = ""
    lead_kept: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    kept_for_end: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A row of attempt_to_dispose."""

    id: str
    campaign: str
    revision: int
    lead: int | None
    number: str
    agent: str | None
    outcome: str | None
    rang: bool
    missed: bool | None
    disposition: str | None
    disposed_by: str | None
    answers: Mapping[str, Any]
    opened_at: datetime
    newest: bool
    over: bool
    note: str
    kept: Any  # what was chosen while it was up (kept_results.py)
    ended_at: float | None

    @property
    def untold(self) -> bool:
        """Whether its end finished the lead and told nobody: what was chosen while it was up may open it again."""
        return isinstance(self.kept, Mapping) and self.kept.get("untold") is True

    @property
    def ended(self) -> Ended:
        return Ended(Outcome(self.outcome), self.rang, bool(self.missed))


class Dispositions:
    """Results of calls in one database."""

    _pool: Pool

    def attempt_dispose(self, attempt: str, result: Result, who: str, why: str, now: float) -> Disposed | None:
        """None when there is no such call. `attempt`: a uuid; `now`: epoch seconds."""
        with self._pool.transaction() as cursor:
            found = locked_call(cursor, attempt)
            if found is None:
                return None
            call, state = found
            campaign = campaign_of(cursor, call)
            disposition, answers, problems = judged(cursor, call, campaign, state, result, now)
            if not call.over:
                problems = ["the call is up: its result is set when it is over"]
            if problems or disposition is None:
                told = Disposed(call.id, call.campaign, call.lead, call.number, result.code, call.disposition)
                return replace(told, refused=tuple(problems))
            return file(cursor, call, state, campaign, Said(disposition, result, answers, call.note), who, why, now)


@dataclass(frozen=True, slots=True)
class Said:
    """A result that was judged to be good. answers: as they are kept."""

    disposition: Disposition
    result: Result
    answers: Mapping[str, Any]
    note: str


def file(cursor: Cursor, call: Call, state: LeadState | None, campaign: Campaign, said: Said, who: str, why: str, now: float) -> Disposed:
    """Write the result of a call that is over, and make of its lead what it says. Inside a transaction that has locked both."""
    if (done := _said_before(cursor, call, state, said, who)) is not None:
        return done
    result = said.result
    change = _Change(cursor, call, campaign, who, now)
    kept = change.apply(state, Chosen(said.disposition, result.callback_at, AgentId(result.agent) if result.agent else None))
    answers = merged(call.answers, said.answers)
    words = {"attempt": call.id, "opened_at": call.opened_at, "disposition": result.code, "who": who, "answers": json.dumps(answers), "note": said.note}
    rows(cursor, "dispose", {**words, "decision": change.decision})
    _happened(cursor, call, result.code)
    details = {"attempt": call.id, "campaign": call.campaign, "lead": call.lead, "disposition": result.code, "replaced": call.disposition}
    promise = {"callback_at": result.callback_at, "callback_agent": result.agent}
    note(cursor, who, "dispose_attempt", call.number, why, {**details, **promise, "decision": change.decision, "lead_kept": kept, **change.details})
    after = change.after or state
    tell_untold(cursor, call, state, after)
    return Disposed(
        *(call.id, call.campaign, call.lead, call.number, result.code, call.disposition),
        lead_before=state.status if state else "",
        lead_status=after.status if after else "",
        ready_at=after.ready_at if after else None,
        decision=change.decision,
        lead_kept=kept,
        answers=answers,
    )


def _said_before(cursor: Cursor, call: Call, state: LeadState | None, said: Said, who: str) -> Disposed | None:
    """What became of it, where the same person says the same again; None: something of it is new."""
    if (call.disposition, call.disposed_by, call.note, call.answers) != (said.result.code, who, said.note, merged(call.answers, said.answers)):
        return None
    found = rows(cursor, "last_said", {"number": call.number, "attempt": call.id})
    details = found[0][0] if found else {}
    promised = details.get("callback_at"), details.get("callback_agent")
    if details.get("disposition") != call.disposition or promised != (said.result.callback_at, said.result.agent):
        return None
    status = state.status if state else ""
    return Disposed(
        *(call.id, call.campaign, call.lead, call.number, said.result.code, call.disposition),
        lead_before=status,
        lead_status=status,
        ready_at=state.ready_at if state else None,
        decision=details.get("decision", ""),
        lead_kept=details.get("lead_kept", ""),
        answers=call.answers,
    )


def tell_untold(cursor: Cursor, call: Call, before: LeadState | None, after: LeadState | None) -> None:
    """For triggers: the lead is finished, by its call's result or, where that did not change it, by the call's end."""
    if before is not None and after is not None:
        open_before = replace(before, status="in_progress") if call.untold else before
        tell_finished(cursor, open_before, after, call.id, call.outcome or "")


def merged(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Answers so far with those that came; an empty one takes the answer away."""
    return {key: value for key, value in {**before, **given}.items() if value not in ("", [])}


class _Change:
    """What one result does to the lead. `details`: for the audit, so that it can be undone."""

    def __init__(self, cursor: Cursor, call: Call, campaign: Campaign, who: str, now: float) -> None:
        self._cursor, self._call, self._campaign, self._who, self._now = cursor, call, campaign, who, now
        self.after: LeadState | None = None
        self.decision = ""
        self.details: dict[str, Any] = {}

    def apply(self, state: LeadState | None, chosen: Chosen) -> str:
        """Why the lead stays as it is, "" = it changed."""
        if state is None:
            return "the person was forgotten"
        if not self._call.newest:
            return "a later call was made to the lead"
        base = state
        former = rows(self._cursor, "last_disposition", {"number": self._call.number, "attempt": self._call.id})
        if former:
            done, age_s = former[0]
            if age_s > REPLACE_WITHIN_S:
                return f"{done['disposition']} was set more than {REPLACE_WITHIN_S / 60:.0f} minutes ago: fs-dialer lead mark {state.id}"
            if not state.same_as(done["after"]):
                return f"the lead was changed after {done['disposition']} was set: fs-dialer lead mark {state.id}"
            base = self._undone(state, done)
        elif kept := self._marked(state, chosen):
            return kept
        chosen = self._with_promise(base, chosen)
        if base.status == "blocked":
            write(self._cursor, base)
            return "its number is on a do-not-call list"
        update = retry.after_disposition(base.lead(), self._call.ended, chosen, self._campaign, self._now)
        self.decision = update.decision
        write(self._cursor, self._allowed(updated(base, update)))
        self.details = {"before": base.to_json()} | self._beside(base, update)
        after = lock_lead(self._cursor, state.id)
        assert after is not None
        self.after = after
        self.details["after"] = after.to_json()
        return ""

    def _allowed(self, state: LeadState) -> LeadState:
        """D14: a lead that was over when its number came onto a list is not blocked; no result opens it again, nor moves it on to a listed number."""
        if not state.unfinished:
            return state
        lists, _ = wishes(self._cursor, state.number, state.campaign, self._now)
        if not lists:
            return state
        self.decision += f", but its number is on the do-not-call list {', '.join(lists)}"
        return replace(state, status="blocked", held_by="do_not_call")

    def _marked(self, state: LeadState, chosen: Chosen) -> str:
        """A person's mark since the call began stands, "" where none does."""
        numbers = [state.number, self._call.number, *(number for number, _ in state.other_numbers)]
        found = rows(self._cursor, "last_mark", {"numbers": numbers, "lead": state.id, "since": self._call.opened_at})
        if not found or chosen.disposition.outcome_class == "refused":
            return ""
        mark, marker = found[0]
        if (mark == STOP and state.status == "stopped") or (mark == LEAVE_ALONE and state.status == "refused"):
            return f"{marker} marked it {mark} after the call began"
        return ""

    def _with_promise(self, state: LeadState, chosen: Chosen) -> Chosen:
        """A callback that was promised since the call began stands beside a result that names no time of its own, unless that says not to call (D14)."""
        kind = chosen.disposition.outcome_class
        if chosen.callback_at is not None or kind in ("refused", "wrong_number") or not promised_in_call(self._cursor, state, self._call):
            return chosen
        return replace(chosen, callback_at=state.ready_at, callback_agent=AgentId(state.agent) if state.agent else None)

    def _beside(self, base: LeadState, update: LeadUpdate) -> dict[str, Any]:
        """The mark on the number, and leaving the group; what is to be remembered of both."""
        kept: dict[str, Any] = {}
        if update.no_callback is not None:
            scope = "" if update.no_callback_for_all else base.campaign
            words = {"numbers": [base.number], "campaign": scope, "until": update.no_callback, "who": self._who, "reason": update.decision}
            rows(self._cursor, "mark_no_callback", words)
            kept["no_callback"] = {"number": base.number, "campaign": scope, "until": update.no_callback}
        if update.leave_group:
            words = {"contact": base.contact, "group": self._campaign.leads.group}
            if left := rows(self._cursor, "leave_group", words):
                kept["left_group"] = left[0][0]
        return kept

    def _undone(self, state: LeadState, done: Mapping[str, Any]) -> LeadState:
        """As if the former result had never been said."""
        if mark := done.get("no_callback"):
            standing = rows(self._cursor, "no_callback_until", {"number": mark["number"], "campaign": mark["campaign"]})
            if standing and abs(standing[0][0] - mark["until"]) < 0.01:
                words = {"numbers": [mark["number"]], "campaign": mark["campaign"], "who": self._who, "now": self._now}
                rows(self._cursor, "clear_no_callback", {**words, "reason": f"{done['disposition']} was taken back"})
        if group := done.get("left_group"):
            rows(self._cursor, "back_into_group", {"group": group, "contact": state.contact})
        return state.restored(done["before"])


# --- what may be said -------------------------------------------------------------------------------------------------------------------


def judged(
    cursor: Cursor, call: Call, campaign: Campaign, state: LeadState | None, result: Result, now: float
) -> tuple[Disposition | None, Mapping[str, Any], list[str]]:
    """The disposition, the answers as they are kept, and every problem. A call that is up is taken for one that meets the customer."""
    disposition = next((each for each in campaign.dispositions if each.name == result.code), None)
    if disposition is None:
        return None, {}, [_unknown(result.code, campaign)]
    answers, problems = read(campaign.script, result.answers)
    kind = disposition.outcome_class
    if call.outcome in (None, Outcome.CONNECTED.value) and kind not in NO_QUESTIONS_ASKED:
        asked = missing(campaign.script, {**call.answers, **answers})
        problems += [f"{key}: must be answered" for key in asked if key in answers or key not in result.answers]  # the others were told above
    zones = state.zones if state else ()
    promised = kind == "callback" and result.callback_at is None and state is not None and promised_in_call(cursor, state, call)
    problems += [] if promised else _callback(cursor, campaign, zones, kind, result, now)
    if result.callback_at is not None and state is not None and home_of(cursor, state).state in OVER:
        problems.append(f"the campaign {campaign.id} has ended: nobody would call back")
    return disposition, answers, problems


def _callback(cursor: Cursor, campaign: Campaign, zones: tuple[str, ...], kind: str, result: Result, now: float) -> list[str]:
    if result.callback_at is None:
        missed = ["say when to call again: --callback-at TIME"] if kind == "callback" else []
        return missed + (["--agent says who calls back: --callback-at is missing"] if result.agent else [])
    if kind in ("refused", "wrong_number"):
        return [f"{result.code} means that the number is not called: no callback goes with it"]
    found = []
    if (wrong := objection(campaign, zones, result.callback_at, now)) is not None:
        found.append(told_objection(wrong, result.callback_at, (zones or (campaign.window.zone,))[0])[0])
    if result.agent and not is_agent(cursor, result.agent):
        found.append(f"there is no agent {result.agent}")
    return found


def _unknown(code: str, campaign: Campaign) -> str:
    names = [each.name for each in campaign.dispositions]
    if not names:
        return f"{campaign.id} r{campaign.revision} has no dispositions: name some in its file"
    guess = nearest(code, names)
    return f"{code} is no disposition of {campaign.id} r{campaign.revision}" + (f"; nearest: {guess}" if guess else "") + f"; it has {', '.join(names)}"


def promised_in_call(cursor: Cursor, state: LeadState, call: Call) -> bool:
    """Whether the lead waits for a callback that somebody promised since the call began."""
    if state.status != "callback_scheduled" or state.ready_why != "promised":
        return False
    numbers = [state.number, call.number, *(number for number, _ in state.other_numbers)]
    found = rows(cursor, "last_mark", {"numbers": numbers, "lead": state.id, "since": call.opened_at})
    return bool(found) and found[0][0] == CALL_AT


def call_of(cursor: Cursor, attempt: str) -> Call | None:
    found: list[Row] = rows(cursor, "attempt_to_dispose", {"attempt": attempt})
    return Call(*found[0]) if found else None


def locked_call(cursor: Cursor, attempt: str) -> tuple[Call, LeadState | None] | None:
    """A call and its lead, both locked (the lead first, as everywhere) and as they stand under the locks. None: there is no such call; lead None: the person
    was forgotten."""
    call = call_of(cursor, attempt)
    if call is None:
        return None
    state = lock_lead(cursor, call.lead) if call.lead is not None else None
    rows(cursor, "lock_open_attempt", {"attempt": call.id})
    rows(cursor, "lock_attempt", {"attempt": call.id, "opened_at": call.opened_at})
    return call_of(cursor, attempt) or call, state


def campaign_of(cursor: Cursor, call: Call) -> Campaign:
    definition = rows(cursor, "revision_of_campaign", {"campaign": call.campaign, "revision": call.revision})[0][0]
    return replace(codec.definition(campaign_from_json, definition, f"campaign {call.campaign} r{call.revision}"), revision=call.revision)


def _happened(cursor: Cursor, call: Call, code: str) -> None:
    data = {
        "campaign": call.campaign,
        "lead": call.lead,
        "attempt": call.id,
        "number": call.number,
        "outcome": call.outcome,
        "disposition": code,
        "agent": call.agent,
    }
    rows(cursor, "disposition_happened", {"data": json.dumps(data)})
