"""What people mark a lead as: left alone, promised a callback, stopped, opened again, on its next number, ready now (S12, D14, D16).

Knows which mark a lead may get in which status, and whose rule stands above it; what a mark means is the core's (retry.py, promises.py). A lead in a
daemon's hands is taken out of them by the same statement that marks it: the copy there is refused by the last gate, which asks the row. A lead whose call is
up keeps the call: the row gets its new status at once, the call's end finds that it is not in progress any more and leaves it what it is
(close_attempts), counting the attempt. Marks that only make sense between calls are refused while one is up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fs_dialer.core import retry
from fs_dialer.core.model import AgentId, LeadStatus, LeadUpdate
from fs_dialer.core.promises import Objection, objection
from fs_dialer.db.lead_state import OVER, Home, LeadState, home_of, is_agent, lock_lead, note, tell_finished, updated, wishes, write
from fs_dialer.db.pool import Cursor, Pool, rows

LEAVE_ALONE, CALL_AT, STOP, REOPEN, NEXT_NUMBER, READY_NOW = "do-not-call-back", "callback-at", "stop", "reopen", "next-number", "ready-now"
DO_NOT_CALL = "do-not-call"  # an agent's, and not of a lead: the number goes on a list (agent_desk.py)
IN_CALL = "a call to it is up: say it again when the call is over"


@dataclass(frozen=True, slots=True)
class Mark:
    """`verb`: one of the above. `for_s`: how long it is left alone, None = as its campaign says. `at`: epoch seconds. `agent`: who promised, None = anyone."""

    verb: str
    for_s: float | None = None
    at: float | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Marked:
    """What became of one lead. `refused`: why nothing did, "" = it was marked; `instead`: times that could be promised, epoch seconds."""

    lead: int
    campaign: str
    number: str
    zone: str
    before: str
    status: str
    ready_at: float
    text: str
    refused: str = ""
    instead: tuple[float, ...] = ()


class _Refused(Exception):
    def __init__(self, text: str, instead: tuple[float, ...] = ()) -> None:
        self.text, self.instead = text, instead
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class _Done:
    state: LeadState
    text: str
    written: bool = False  # by a query of its own


class LeadMarks:
    """Marks on leads of one database."""

    _pool: Pool

    def lead_mark(self, lead: int, mark: Mark, who: str, why: str, now: float) -> Marked | None:
        """Mark one lead, in a transaction with its audit line; None when there is none of that id. `now`: epoch seconds."""
        with self._pool.transaction() as cursor:
            state = lock_lead(cursor, lead)
            if state is None:
                return None
            home = home_of(cursor, state)
            zone = (state.zones or (home.campaign.window.zone,))[0]
            told = (state.id, state.campaign, state.number, zone, state.status)
            try:
                done = _VERBS[mark.verb](cursor, state, home, mark, _Words(who, why, now, zone))
            except _Refused as refusal:
                return Marked(*told, state.status, state.ready_at, "", refusal.text, refusal.instead)
            if not done.written:
                write(cursor, done.state)
            tell_finished(cursor, state, done.state)
            details = {"lead": state.id, "campaign": state.campaign, "mark": mark.verb, "text": done.text, "before": state.to_json()}
            note(cursor, who, "lead_mark", state.number, why, {**details, "after": done.state.to_json()})
        return Marked(*told, done.state.status, done.state.ready_at, done.text)


@dataclass(frozen=True, slots=True)
class _Words:
    who: str
    why: str
    now: float
    zone: str


# --- left alone -------------------------------------------------------------------------------------------------------------------------


def _leave_alone(cursor: Cursor, state: LeadState, home: Home, mark: Mark, words: _Words) -> _Done:
    """D16. The number is marked, and with it every lead of the number that can still be called, where the mark holds."""
    campaign = home.campaign
    if mark.for_s is not None:
        campaign = replace(campaign, attempts=replace(campaign.attempts, no_callback_s=mark.for_s))
    update = retry.refused(state.lead(), LeadStatus(state.status), campaign, words.now)
    if update.no_callback is None or update.no_callback <= words.now:
        raise _Refused("its campaign says that nobody is left alone (attempts.no_callback: 0s); say how long: --for 30d")
    given = {"numbers": [state.number], "campaign": "" if update.no_callback_for_all else state.campaign}
    rows(cursor, "mark_no_callback", {**given, "until": update.no_callback, "who": words.who, "reason": words.why or "asked not to be called back"})
    after = lock_lead(cursor, state.id) or state
    if after.status != LeadStatus.REFUSED.value:
        return _Done(after, f"{update.decision}; it is {_word(after.status)} and stays so", written=True)
    rows(cursor, "hint", {"kind": "leads", "name": state.campaign})
    return _Done(after, update.decision + (", when its call is over" if state.call else ""), written=True)


# --- promised ---------------------------------------------------------------------------------------------------------------------------


def _call_at(cursor: Cursor, state: LeadState, home: Home, mark: Mark, words: _Words) -> _Done:
    assert mark.at is not None
    _not_over(home)
    _may_be_called(cursor, state, words.now)
    if mark.agent is not None and not is_agent(cursor, mark.agent):
        raise _Refused(f"there is no agent {mark.agent}")
    if (wrong := objection(home.campaign, state.zones, mark.at, words.now)) is not None:
        raise _Refused(*told_objection(wrong, mark.at, words.zone))
    _lawful(cursor, state, home, mark.at, words)
    update = retry.promised(state.lead(), mark.at, AgentId(mark.agent) if mark.agent else None)
    return _Done(updated(state, update), f"{update.decision} for {shown(mark.at, words.zone)}" + (", when its call is over" if state.call else ""))


def told_objection(wrong: Objection, at: float, zone: str) -> tuple[str, tuple[float, ...]]:
    """Why a time cannot be promised, with what can; and those times."""
    instead = tuple(each for each in (wrong.earlier, wrong.later) if each is not None)
    near = " or ".join(shown(each, zone) for each in instead)
    return f"no callback at {shown(at, zone)}: {wrong.text}" + (f"; possible: {near}" if near else ""), instead


# --- ended, begun again -----------------------------------------------------------------------------------------------------------------


def _stop(cursor: Cursor, state: LeadState, home: Home, mark: Mark, words: _Words) -> _Done:
    if not state.unfinished and state.status not in ("refused", "blocked"):
        raise _Refused(f"it is not called any more: {_word(state.status)}")
    update = LeadUpdate(state.lead().id, LeadStatus.STOPPED, state.attempts, 0, words.now)
    return _Done(updated(state, update), "stopped: no more calls" + (", its call goes on to its end" if state.call else ""))


def _reopen(cursor: Cursor, state: LeadState, home: Home, mark: Mark, words: _Words) -> _Done:
    """Called again, from now on. Attempts go on counting, unless all are used up: then they begin anew. A refusal is taken back with its marks."""
    _not_over(home)
    if state.status == "blocked":
        raise _Refused(_blocked(cursor, state, words.now))
    if state.call is not None:
        if state.status == "in_progress":
            raise _Refused("it is open: a call to it is up")
        if wishes(cursor, state.number, state.campaign, words.now)[0]:
            raise _Refused(_blocked(cursor, state, words.now))
        back = replace(state, status="in_progress", status_before=None, held_by="", agent=None, ready_why="")
        _clear_marks(cursor, state, words)
        return _Done(back, "open again: its call decides")
    if state.unfinished:
        raise _Refused(f"it is open: {_word(state.status)}")
    attempts = 0 if state.attempts >= home.campaign.attempts.max else state.attempts
    _clear_marks(cursor, state, words)
    status = LeadStatus.RETRY if attempts else LeadStatus.NEW
    ready_at = max(words.now, _lawful_from(cursor, state, home))
    done = updated(state, LeadUpdate(state.lead().id, status, attempts, 0, ready_at, "gap" if ready_at > words.now else ""))
    text = "open again" + (", its attempts begin anew" if attempts != state.attempts else "")
    return _Done(*_as_wished(cursor, done, words.now, text))


def _clear_marks(cursor: Cursor, state: LeadState, words: _Words) -> None:
    """The customer may be called again: no mark of his holds, here or for all campaigns."""
    if state.status == "refused":
        given = {"numbers": [state.number], "who": words.who, "reason": words.why, "now": words.now}
        for campaign in (state.campaign, ""):
            rows(cursor, "clear_no_callback", {**given, "campaign": campaign})


def _as_wished(cursor: Cursor, state: LeadState, now: float, text: str) -> tuple[LeadState, str]:
    """An open lead whose number must not be called is not open: said at once, and not only by the last gate."""
    lists, until = wishes(cursor, state.number, state.campaign, now)
    if lists:
        return replace(state, status="blocked", held_by="do_not_call"), f"{text}, but its number is on the do-not-call list {', '.join(lists)}"
    if until is not None:
        left = replace(state, status="refused", status_before=state.status, ready_at=until, ready_why="no_callback", held_by="no_callback")
        return left, f"{text}, but its number asked not to be called until {_day(until)}"
    return state, text


# --- between calls ----------------------------------------------------------------------------------------------------------------------


def _next_number(cursor: Cursor, state: LeadState, home: Home, mark: Mark, words: _Words) -> _Done:
    _not_over(home)
    if state.call is not None:
        raise _Refused(IN_CALL)
    if state.status == "refused":
        raise _Refused(f"it asked not to be called until {shown(state.ready_at, words.zone)}: the person, not the number")
    if not state.unfinished and state.status not in ("blocked", "invalid"):
        raise _Refused(f"it is not called any more: {_word(state.status)}; reopen it first")
    if not state.other_numbers:
        raise _Refused("it has no other number")
    done = state.rotated()
    if not state.unfinished:
        done = replace(done, status="retry" if state.attempts else "new", ready_at=words.now, ready_why="", held_by="")
    return _Done(*_as_wished(cursor, done, words.now, f"the next call goes to {done.number}"))


def _ready_now(cursor: Cursor, state: LeadState, home: Home, mark: Mark, words: _Words) -> _Done:
    """Break and time given by a rule or promise are over. Hours, lists and the law's own break stay."""
    _not_over(home)
    if state.call is not None:
        raise _Refused(IN_CALL)
    _may_be_called(cursor, state, words.now)
    if not state.unfinished:
        raise _Refused(f"it is not called any more: {_word(state.status)}; reopen it")
    _lawful(cursor, state, home, words.now, words)
    return _Done(replace(state, ready_at=min(state.ready_at, words.now), ready_why="", held_by=""), "ready now")


def _lawful_from(cursor: Cursor, state: LeadState, home: Home) -> float:
    """A missed customer may not be called again before this (D10); 0.0 = at any time."""
    recall_s = home.campaign.compliance.recall_after_missed_s
    last = rows(cursor, "last_attempt_of_lead", {"lead": state.id}) if recall_s is not None else []
    return float(last[0][0]) + recall_s if recall_s is not None and last and last[0][1] else 0.0


def _lawful(cursor: Cursor, state: LeadState, home: Home, at: float, words: _Words) -> None:
    """_Refused where the law allows no call at `at`."""
    earliest = _lawful_from(cursor, state, home)
    if earliest > at:
        until = shown(earliest, words.zone)
        raise _Refused(f"its last call was missed, and the compliance profile {home.campaign.compliance.name} allows no call before {until}")


# --- who may be called at all -------------------------------------------------------------------------------------------------------------


def _not_over(home: Home) -> None:
    if home.state in OVER:
        raise _Refused(f"the campaign {home.campaign.id} has ended, and never starts again")


def _may_be_called(cursor: Cursor, state: LeadState, now: float) -> None:
    lists, until = wishes(cursor, state.number, state.campaign, now)
    if state.status == "blocked" or lists:
        raise _Refused(_blocked(cursor, state, now))
    if state.status == "refused" or until is not None:
        raise _Refused(f"it asked not to be called until {_day(until or state.ready_at)}; where that was wrong: fs-dialer lead mark {state.id} reopen")


def _blocked(cursor: Cursor, state: LeadState, now: float) -> str:
    lists, _ = wishes(cursor, state.number, state.campaign, now)
    return f"its number is on the do-not-call list {', '.join(lists)}" if lists else "it is blocked"


def shown(at: float, zone: str) -> str:
    """Mon 23 Nov 2026 08:00, on the clock of `zone`."""
    return datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone)).strftime("%a %-d %b %Y %H:%M")


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%-d %b %Y")


def _word(status: str) -> str:
    return status.replace("_", " ")


_VERBS: Mapping[str, Callable[[Cursor, LeadState, Home, Mark, _Words], _Done]] = {
    LEAVE_ALONE: _leave_alone,
    CALL_AT: _call_at,
    STOP: _stop,
    REOPEN: _reopen,
    NEXT_NUMBER: _next_number,
    READY_NOW: _ready_now,
}
