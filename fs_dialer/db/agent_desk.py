"""What an agent says of his calls, and what he is shown of his customer (S14, M18, M23, M24, D14).

Knows whose call a call is: the one whom its row names, or (has_call) the one of whom the daemon says so; a row learns only at the end who had a predictive or
transferred call, and whom it names then, he alone has it. A lead without a call is his who has it in his hands, has promised to call it, or has had a call
with it. Whatever is not his is not there for him: None. A result chosen while the call is up is kept with it and filed when it ends (kept_results.py);
answers are merged into those given before, good ones only all together.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from fs_dialer.config.codec import campaign_from_json
from fs_dialer.core.answers import missing, read
from fs_dialer.core.definition import Campaign
from fs_dialer.core.effect_words import effect_text
from fs_dialer.core.model import AgentId, CampaignId, Lead, LeadId, LeadStatus
from fs_dialer.db import codec, do_not_call
from fs_dialer.db.dispositions import Call, Disposed, Result, Said, call_of, campaign_of, file, judged, locked_call, merged
from fs_dialer.db.kept_results import choice_of, with_choice
from fs_dialer.db.lead_desk import LeadView, lead_view
from fs_dialer.db.lead_marks import CALL_AT, DO_NOT_CALL, LEAVE_ALONE, LeadMarks, Mark, Marked
from fs_dialer.db.lead_state import note as audit
from fs_dialer.db.pool import Cursor, Pool, rows

MOST_CALLS = 30  # of a contact's history
MOST_TICKETS = 20
MOST_NOTE = 4000  # characters
AGENTS_MARKS = (CALL_AT, LEAVE_ALONE, DO_NOT_CALL)


@dataclass(frozen=True, slots=True)
class Answered:
    """Answers to the script so far. `missing`: questions that must be answered and are not; `refused`: what was wrong, and then nothing was saved."""

    attempt: str
    answers: Mapping[str, Any]
    note: str
    missing: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CardCall:
    """A call to the contact. Times are epoch seconds; `outcome` None: it is up."""

    id: str
    campaign: str
    at: float
    ended_at: float | None
    outcome: str | None
    agent: str | None
    disposition: str | None
    note: str
    talked_s: float | None
    missed: bool


@dataclass(frozen=True, slots=True)
class CardItem:
    """A sentence to say, or a question with what may be answered."""

    say: str
    ask: str
    key: str
    kind: str
    options: tuple[str, ...]
    required: bool
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class CardDisposition:
    """A result he may choose. `kind`: its class; `effect`: the whole line, computed from the campaign."""

    code: str
    label: str
    kind: str
    final: bool
    effect: str


@dataclass(frozen=True, slots=True)
class CardPromise:
    campaign: str
    lead: int
    at: float
    agent: str | None


@dataclass(frozen=True, slots=True)
class CardTicket:
    id: int
    channel: str
    queue: str
    campaign: str | None
    created_at: float
    note: str
    lead: int | None


@dataclass(frozen=True, slots=True)
class Card:
    """A customer as his agent sees him. `number`: that of the call, where there is one; `zone`: the first of where it may be. `disposition`: chosen for this
    call, filed already or (kept_for_end) to be filed when it ends."""

    campaign: str
    title: str
    type: str
    lead: int
    number: str
    zone: str
    name: str
    owner: str
    attributes: Mapping[str, Any]
    parameters: Mapping[str, Any]
    status: str
    attempts: int
    attempts_max: int
    calls: tuple[CardCall, ...]
    script: tuple[CardItem, ...]
    answers: Mapping[str, Any]
    missing: tuple[str, ...]
    note: str
    dispositions: tuple[CardDisposition, ...]
    promised: tuple[CardPromise, ...]
    tickets: tuple[CardTicket, ...]
    attempt: str | None = None
    disposition: str | None = None
    kept_for_end: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class AgentDesk(LeadMarks):
    """One database, as agents may use it. `attempt`: a uuid; `now`: epoch seconds; `who`: for the audit, who does it for the agent, "" = he himself."""

    _pool: Pool

    # --- saying -------------------------------------------------------------------------------------------------------------------------

    def agent_dispose(
        self, agent: str, attempt: str, result: Result, now: float, *, note: str | None = None, has_call: bool = False, who: str = ""
    ) -> Disposed | None:
        """The result of his call: filed at once, or, while the call is up, when it ends. `note` None: what was noted stays."""
        if not _is_uuid(attempt):
            return None
        with self._pool.transaction() as cursor:
            found = locked_call(cursor, attempt)
            if found is None or not (has_call or _his(found[0], agent, has_call)):
                return None
            call, state = found
            told = Disposed(call.id, call.campaign, call.lead, call.number, result.code, call.disposition)
            if not _his(call, agent, has_call):
                return replace(told, refused=(f"{call.agent} had the conversation: the result is {call.agent}'s to say",))
            campaign = campaign_of(cursor, call)
            disposition, answers, problems = judged(cursor, call, campaign, state, result, now)
            problems += _note_problems(note)
            if problems or disposition is None:
                return replace(told, refused=tuple(problems))
            text = call.note if note is None else note
            if call.over:
                return file(cursor, call, state, campaign, Said(disposition, result, answers, text), who or agent, "", now)
            together = merged(call.answers, answers)
            kept = with_choice(call, agent, result, who or agent, now)
            rows(cursor, "keep_disposition", {"attempt": call.id, "kept": kept, "answers": json.dumps(together), "note": text})
        status = state.status if state else ""
        return replace(told, lead_before=status, lead_status=status, answers=together, kept_for_end=True)

    def save_answers(
        self, agent: str, attempt: str, answers: Mapping[str, Sequence[str]], now: float, *, note: str | None = None, has_call: bool = False, who: str = ""
    ) -> Answered | None:
        """Texts by question, beside those given before; an empty text takes an answer away. None, too, once the person was forgotten."""
        if not _is_uuid(attempt):
            return None
        with self._pool.transaction() as cursor:
            call = call_of(cursor, attempt)
            if call is None or call.lead is None or not _his(call, agent, has_call):
                return None
            rows(cursor, "lock_open_attempt", {"attempt": call.id})
            rows(cursor, "lock_attempt", {"attempt": call.id, "opened_at": call.opened_at})
            call = call_of(cursor, attempt) or call  # as it stands under the lock
            script = campaign_of(cursor, call).script
            good, problems = read(script, answers)
            problems += _note_problems(note)
            if problems:
                return Answered(call.id, call.answers, call.note, tuple(missing(script, call.answers)), tuple(problems))
            together, text = merged(call.answers, good), call.note if note is None else note
            words = {"attempt": call.id, "opened_at": call.opened_at, "answers": json.dumps(together), "note": text}
            if not rows(cursor, "keep_answers", words):
                return None
            if who and who != agent:
                audit(cursor, who, "save_answers", call.number, "", {"attempt": call.id, "campaign": call.campaign, "agent": agent, "answers": sorted(good)})
        return Answered(call.id, together, text, tuple(missing(script, together)))

    def agent_mark(
        self,
        agent: str,
        mark: Mark,
        now: float,
        *,
        attempt: str | None = None,
        lead: int | None = None,
        why: str = "",
        has_call: bool = False,
        who: str = "",
    ) -> Marked | None:
        """Promise a callback, leave the customer alone, or put his number on the do-not-call list: at once, also while the call is up, and what the call's
        end says does not change it (D14). Any other mark is refused."""
        with self._pool.transaction() as cursor:
            place = _place(cursor, agent, attempt, lead, has_call)
        if place is None:
            return None
        lead_before, zone = place.view, (place.view.zones or (place.campaign.window.zone,))[0]
        if mark.verb not in AGENTS_MARKS:
            told = f"an agent does not mark a lead {mark.verb}; he may {', '.join(AGENTS_MARKS)}"
            return Marked(lead_before.id, lead_before.campaign, place.number, zone, lead_before.status, lead_before.status, lead_before.ready_at, "", told)
        if mark.verb != DO_NOT_CALL:
            return self.lead_mark(lead_before.id, mark, who or agent, why, now)
        do_not_call.add(self._pool, [place.number], who or agent, "own", why or "asked never to be called again")
        with self._pool.cursor() as cursor:
            after = lead_view(cursor, lead_before.id) or lead_before
        text = "never called again: the number is on the do-not-call list own"
        return Marked(lead_before.id, lead_before.campaign, place.number, zone, lead_before.status, after.status, after.ready_at, text)

    # --- seeing -------------------------------------------------------------------------------------------------------------------------

    def agent_card(self, agent: str, now: float, *, attempt: str | None = None, lead: int | None = None, has_call: bool = False) -> Card | None:
        """Of his call; or, where there is none yet, of a lead that is his."""
        with self._pool.transaction() as cursor:
            rows(cursor, "card_begin")
            place = _place(cursor, agent, attempt, lead, has_call)
            if place is None:
                return None
            about = {"contact": place.view.contact, "number": place.number}
            calls = rows(cursor, "card_calls", {**about, "limit": MOST_CALLS})
            promised = rows(cursor, "card_promised", about)
            tickets = rows(cursor, "card_tickets", {**about, "limit": MOST_TICKETS})
        view, campaign, call = place.view, place.campaign, place.call
        zone = (view.zones or (campaign.window.zone,))[0]
        answers = call.answers if call else {}
        chosen = choice_of(call, agent) if call else None
        return Card(
            campaign=view.campaign,
            title=campaign.title,
            type=campaign.type.value,
            lead=view.id,
            number=place.number,
            zone=zone,
            name=view.name,
            owner=view.owner,
            attributes=view.attributes,
            parameters=view.parameters,
            status=view.status,
            attempts=view.attempts,
            attempts_max=campaign.attempts.max,
            calls=tuple(CardCall(*row) for row in calls),
            script=_script(campaign),
            answers=answers,
            missing=tuple(missing(campaign.script, answers)),
            note=call.note if call else "",
            dispositions=_dispositions(campaign, view, call, now, zone),
            promised=tuple(CardPromise(*row) for row in promised),
            tickets=tuple(CardTicket(*row) for row in tickets),
            attempt=call.id if call else None,
            disposition=chosen["code"] if chosen else call.disposition if call else None,
            kept_for_end=chosen is not None,
        )


# --- whose it is --------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """The lead an agent means, at the definition that its call was made by, and that call; None = there is none yet."""

    view: LeadView
    number: str
    campaign: Campaign
    call: Call | None


def _place(cursor: Cursor, agent: str, attempt: str | None, lead: int | None, has_call: bool) -> _Place | None:
    """By the call, where there is one already; a preview's is not in the database yet, and then it is the lead that must be his."""
    call = call_of(cursor, attempt) if attempt is not None and _is_uuid(attempt) else None
    if call is not None:
        if call.lead is None or not _his(call, agent, has_call):
            return None
        view = lead_view(cursor, call.lead)
        return None if view is None else _Place(view, call.number, campaign_of(cursor, call), call)
    view = lead_view(cursor, lead) if lead is not None else None
    if view is None:
        return None
    revision, definition = rows(cursor, "card_campaign", {"campaign": view.campaign})[0]
    campaign = replace(codec.definition(campaign_from_json, definition, f"campaign {view.campaign} r{revision}"), revision=revision)
    his = has_call or (_serves(cursor, agent, campaign) and rows(cursor, "lead_is_his", {"lead": view.id, "agent": agent})[0][0])
    return _Place(view, view.number, campaign, None) if his else None


def _his(call: Call, agent: str, has_call: bool) -> bool:
    """Once it is over, whom its row names; one that names nobody is still his of whom the daemon says so."""
    return call.agent == agent or (has_call and not (call.over and call.agent is not None))


def _serves(cursor: Cursor, agent: str, campaign: Campaign) -> bool:
    people = campaign.agents
    return agent in people.people or bool(people.teams and rows(cursor, "agent_in_teams", {"teams": list(people.teams), "agent": agent})[0][0])


def _is_uuid(text: str) -> bool:
    """Ids of calls are uuids; whatever else somebody sends names none."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _note_problems(note: str | None) -> list[str]:
    if note is None:
        return []
    if len(note) > MOST_NOTE:
        return [f"the note has {len(note):,} characters; at most {MOST_NOTE:,}"]
    return ["the note holds a character that is no text"] if "\0" in note or any("\ud800" <= each <= "\udfff" for each in note) else []


# --- the parts of a card --------------------------------------------------------------------------------------------------------------------


def _script(campaign: Campaign) -> tuple[CardItem, ...]:
    items = campaign.script.items if campaign.script else ()
    return tuple(CardItem(each.say, each.ask, each.key, each.kind, each.options, each.required, each.low, each.high) for each in items)


def _dispositions(campaign: Campaign, view: LeadView, call: Call | None, now: float, zone: str) -> tuple[CardDisposition, ...]:
    """Each with what it will do to this lead, this call counted."""
    counted = view.attempts + (0 if call is not None and call.over else 1)
    numbers = len(view.other_numbers)
    lead = Lead(
        *(LeadId(view.id), CampaignId(view.campaign), view.number, view.zones, LeadStatus(view.status), counted),
        agent=AgentId(view.agent) if view.agent else None,
        other_numbers=numbers,
    )
    return tuple(
        CardDisposition(each.name, each.label or each.name, each.outcome_class, each.final, effect_text(campaign, each, now, zone, lead))
        for each in campaign.dispositions
    )


class AgentRecordStore(AgentDesk):
    """The same over a pool of one's own: for a daemon."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
