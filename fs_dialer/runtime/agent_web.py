"""What an agent's screen asks, over HTTP or elsewhere: engine's verbs go to the hub, what is filed goes to the database, and each is done once for each key.

Knows which verb is whose and what may stand in a body; whether a thing may be done now is the engine's, and what a result means the database's. What a client
supplies reaches a dial string only as the extension of a telephone or a checked number (D7).
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fs_dialer.config.moments import parse_moment
from fs_dialer.config.phone_numbers import BadNumber, parse_number
from fs_dialer.config.values import BadValue, short
from fs_dialer.core.agent_picture import VERBS, AgentPicture
from fs_dialer.core.agent_verbs import arguments
from fs_dialer.db.dispositions import Result
from fs_dialer.db.lead_marks import CALL_AT, DO_NOT_CALL, LEAVE_ALONE, Mark
from fs_dialer.runtime.agent_hub import DOCS, AgentHub, Told
from fs_dialer.runtime.agent_screen import Screen
from fs_dialer.runtime.web_ports import AgentRecords, Answer, Refused, Token

log = logging.getLogger("fs_dialer.agents")

SUPERVISED = ("supervise", "stop_supervising")
FILED: Mapping[str, tuple[str, ...]] = {
    "dispose": ("call", "code", "callback_at", "to_me", "note", "answers"),
    "answers": ("call", "answers", "note"),
    "callback": ("call", "lead", "at", "to_me", "why"),
    "do-not-call": ("call", "lead", "for_good", "why"),
}
"""What is filed in the database, and the fields of each. The other verbs are the engine's."""
ENGINE = tuple(verb for verb in (*VERBS, *SUPERVISED) if verb not in FILED)
MOST_TEXT = 2000  # characters of a note or a reason
MOST_ANSWERS = 200
LATEST_S = 7_289_654_400.0  # of a time given in epoch seconds: the first moment of 2201, as for times in words

_TELEPHONE = re.compile(r"user/[A-Za-z0-9_.+-]{1,64}(?:@[A-Za-z0-9.-]{1,253})?")
_KEY = re.compile(r"[!-~]{1,200}")
_CALL = re.compile(r"[A-Za-z0-9-]{1,64}")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class AgentDoor:
    """web_ports.AgentInterface over a hub and a database. `region`: the country of national numbers."""

    def __init__(self, hub: AgentHub, records: AgentRecords, region: Callable[[], str] = str, wall: Callable[[], float] = time.time) -> None:
        self._hub, self._records, self._region, self._wall = hub, records, region, wall

    # --- looking ----------------------------------------------------------------------------------------------------------------------

    def knows(self, agent: str) -> bool:
        """A daemon that is not the active one has not read who there is: it lets everybody through, and the hub says that it stands by."""
        return not self._hub.is_active() or self._hub.knows(agent)

    def desk(self, agent: str) -> bytes:
        return self._hub.desk(agent)

    def follow(self, agent: str, after: int | None, *, token: Token, gone: Callable[[], bool]) -> Screen:
        return self._hub.follow(agent, after, own=token.agent == agent, gone=gone)

    def card(self, agent: str, *, call: str | None = None, lead: int | None = None) -> Mapping[str, Any]:
        if call is None and lead is None:
            picture = self._hub.picture(agent)
            about = picture.call or picture.last
            if about is None:
                raise Refused(404, "no_card", "he has no call, and none that waits for its result", "name a call or a lead: ?call=… or ?lead=…")
            call, lead = about.id, about.lead
        picture = self._picture(agent)
        his = (call is None or _had(picture, call)) and (lead is None or _has_lead(picture, lead))
        found = card_of(self._records, agent, call, lead, self._wall(), has_call=his)
        if found is None:
            raise Refused(404, "no_card", "there is no such call or lead, or it is not his", "the desk names his calls")
        return found

    # --- acting -----------------------------------------------------------------------------------------------------------------------

    def act(self, agent: str, verb: str, body: Mapping[str, Any], *, token: Token, key: str, fingerprint: str) -> Answer:
        if not _KEY.fullmatch(key):
            raise Refused(400, "idempotency_key", f"`{short(key)}` is no key", "send an Idempotency-Key of 1 to 200 visible ASCII characters")
        who = who_is(token, agent)
        scoped = f"{token.id} {key}"
        if verb in FILED:
            fields = _fields(verb, body, FILED[verb])
            work = {"dispose": self._dispose, "answers": self._answers, "callback": self._callback, "do-not-call": self._do_not_call}[verb]
            return self._hub.once(agent, scoped, fingerprint, lambda: work(agent, fields, who))
        if verb not in ENGINE:
            raise Refused(404, "no_such_verb", f"there is no verb {short(verb)}", f"there are {', '.join((*ENGINE, *FILED))}; {DOCS} describes each")
        args = self._words(verb, _fields(verb, body, arguments(verb)))
        return self._hub.act(agent, verb, args, who, key=scoped, fingerprint=fingerprint)

    def _words(self, verb: str, body: Mapping[str, Any]) -> dict[str, str]:
        """The engine's arguments, as texts; numbers and dial strings are judged here."""
        args = {name: _text(name, value) for name, value in body.items()}
        if verb == "supervise" and not _TELEPHONE.fullmatch(args.get("dial", "")):
            raise Refused(400, "bad_argument", "`dial` must be a telephone of the switch's directory", "write user/1009, or user/1009@example.com")
        if verb == "transfer" and args.get("kind") == "number":
            try:
                args["to"] = parse_number(args.get("to", ""), self._region())[0]
            except BadNumber as error:
                raise Refused(400, "bad_argument", f"to: {error}", "write the number with its country code, as +442079460101") from None
        return args

    # --- what is filed ----------------------------------------------------------------------------------------------------------------

    def _dispose(self, agent: str, body: Mapping[str, Any], who: str) -> Answer:
        code, to_me, answers, note = _text("code", body.get("code", "")).strip(), _flag("to_me", body), _answers(body), _note(body)
        if not code:
            raise Refused(400, "bad_argument", "`code` is missing: which result the call gets", "the card lists its dispositions")
        call, has_call = self._call(agent, body)
        now_his = self._picture(agent).call
        if now_his is not None and now_his.id == call and "dispose" not in now_his.can:  # it may become another agent's yet
            raise Refused(409, "refused", "you are not talking to the customer", "give the result when you talk, or after it; `can` of the desk says when")
        moment = self._moment(agent, "callback_at", body.get("callback_at"), call, None)
        result = Result(code, moment, agent if moment is not None and to_me else None, answers)
        done = self._records.agent_dispose(agent, call, result, self._wall(), note=note, has_call=has_call, who=who)
        if done is None:
            raise _not_his()
        if done.refused:
            raise _not_filed(done.refused)
        told = self._tell_of(agent, call, code, who)
        self._hub.refresh_card(agent)
        shown = ("disposition", "replaced", "lead_before", "lead_status", "ready_at", "decision", "lead_kept", "answers", "kept_for_end")
        kept = {name: getattr(done, name) for name in shown}
        text = "kept: it is filed when the call is over" if done.kept_for_end else told.text if told is not None else "filed"
        return Answer(200, {"ok": True, "text": text, "call": call, **kept})

    def _tell_of(self, agent: str, call: str, code: str, who: str) -> Told | None:
        """The engine hears of a result that is filed; None where it does not answer. What is filed stays filed: nothing here is a failure."""
        try:
            return self._hub.ask(agent, "disposed", {"call": call, "code": code}, who)
        except Refused as refused:
            log.warning("agent_result_not_told agent=%s call=%s why=%s", agent, call, refused.why)
            return None

    def _answers(self, agent: str, body: Mapping[str, Any], who: str) -> Answer:
        answers, note = _answers(body), _note(body)
        call, has_call = self._call(agent, body)
        done = self._records.save_answers(agent, call, answers, self._wall(), note=note, has_call=has_call, who=who)
        if done is None:
            raise _not_his()
        if done.refused:
            raise _not_filed(done.refused)
        self._hub.refresh_card(agent)
        return Answer(200, {"ok": True, "text": "saved", "call": call, "answers": done.answers, "note": done.note, "missing": list(done.missing)})

    def _callback(self, agent: str, body: Mapping[str, Any], who: str) -> Answer:
        to_me, why = _flag("to_me", body), _bounded("why", body.get("why")) or ""
        if body.get("at") in (None, ""):
            raise Refused(400, "bad_argument", "`at` is missing: when to call again", "write 2026-12-01T09:00:00+07:00, tomorrow 9:00 or +2h")
        about = self._about(agent, body)
        at = self._moment(agent, "at", body.get("at"), about.call, about.lead)
        return self._mark(agent, about, Mark(CALL_AT, at=at, agent=agent if to_me else None), why, who)

    def _do_not_call(self, agent: str, body: Mapping[str, Any], who: str) -> Answer:
        """For good: his number goes on the do-not-call list. Else he is left alone for as long as the campaign says."""
        for_good, why = _flag("for_good", body, default=True), _bounded("why", body.get("why")) or ""
        return self._mark(agent, self._about(agent, body), Mark(DO_NOT_CALL if for_good else LEAVE_ALONE), why, who)

    def _mark(self, agent: str, about: _About, mark: Mark, why: str, who: str) -> Answer:
        done = self._records.agent_mark(agent, mark, self._wall(), attempt=about.call, lead=about.lead, why=why, has_call=about.has_call, who=who)
        if done is None:
            raise _not_his()
        if done.refused:
            raise Refused(409, "refused", done.refused, _instead(done.instead))
        self._hub.refresh_card(agent)
        told = {"text": done.text, "lead": done.lead, "campaign": done.campaign, "lead_before": done.before, "lead_status": done.status}
        return Answer(200, {"ok": True, **told, "ready_at": done.ready_at, "zone": done.zone})

    # --- which call -------------------------------------------------------------------------------------------------------------------

    def _picture(self, agent: str) -> AgentPicture:
        return self._hub.picture(agent)

    def _call(self, agent: str, body: Mapping[str, Any]) -> tuple[str, bool]:
        """The call that is meant, and whether the engine knows it for his."""
        picture = self._picture(agent)
        named = _text("call", body["call"]) if body.get("call") else ""
        if named and not _CALL.fullmatch(named):
            raise Refused(400, "bad_argument", "`call` is no id of a call", "the desk names his calls")
        if not named:
            about = picture.call or picture.last
            if about is None:
                raise Refused(409, "refused", "he has no call, and none that waits for its result", "name the call: `call`")
            named = about.id
        return named, _had(picture, named)

    def _about(self, agent: str, body: Mapping[str, Any]) -> _About:
        """The call or the lead that is meant; left out: the call he has."""
        lead = body.get("lead")
        if lead is not None and not body.get("call"):
            text = _text("lead", lead)
            if not (text.isascii() and text.isdigit() and len(text) < 19):
                raise Refused(400, "bad_argument", "`lead` is no id of a lead", "the desk and the card name it")
            return _About(None, int(text), _has_lead(self._picture(agent), int(text)))
        call, has_call = self._call(agent, body)
        picture = self._picture(agent)
        his = next((each for each in (picture.call, picture.last) if each is not None and each.id == call), None)
        return _About(call, None if his is None else his.lead, has_call)

    def _moment(self, agent: str, field: str, value: object, call: str | None, lead: int | None) -> float | None:
        """Epoch seconds: given so, or as people say it, on the clocks where the customer lives."""
        if value is None or value == "":
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not 0 <= value <= LATEST_S:
                raise Refused(400, "bad_argument", f"`{field}` is no time that can be meant", "epoch seconds, or write 2026-12-01T09:00:00+07:00")
            return float(value)
        if not isinstance(value, str):
            raise Refused(400, "bad_argument", f"`{field}` is no time", "write 2026-12-01T09:00:00+07:00, tomorrow 9:00 or +2h")
        picture = self._picture(agent)
        has_call = _had(picture, call) if call is not None else lead is not None and _has_lead(picture, lead)
        card = card_of(self._records, agent, call, lead, self._wall(), has_call=has_call)
        zone = str(card["zone"]) if card is not None and card.get("zone") else "UTC"
        try:
            return parse_moment(value, zone, self._wall())
        except BadValue as error:
            raise Refused(400, "bad_argument", f"{field}: {error}", f"times without an offset are those of {zone}") from None


@dataclass(frozen=True, slots=True)
class _About:
    call: str | None
    lead: int | None
    has_call: bool


def card_of(records: AgentRecords, agent: str, call: str | None, lead: int | None, now: float, *, has_call: bool = True) -> Mapping[str, Any] | None:
    """A card as JSON's values: by the call, or by the lead while the call is not dialled yet; None where neither is his."""
    found = records.agent_card(agent, now, attempt=call, lead=lead, has_call=has_call)
    return None if found is None else found.to_json()


def who_is(token: Token, agent: str) -> str:
    """For the audit and for the reason that others read."""
    return agent if token.agent == agent else f"token {token.id}"


def _had(picture: AgentPicture, call: str) -> bool:
    return any(each is not None and each.id == call for each in (picture.call, picture.last))


def _has_lead(picture: AgentPicture, lead: int) -> bool:
    """A lead that he looks at before its call is his, though no row says so yet."""
    return any(each is not None and each.lead == lead for each in (picture.call, picture.last))


# --- bodies ---------------------------------------------------------------------------------------------------------------------------


def _fields(verb: str, body: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any]:
    """Without what is null. Refused for what the verb does not know."""
    if unknown := [str(each) for each in body if each not in known]:
        takes = f"it takes {', '.join(known)}" if known else "it takes no arguments"
        raise Refused(400, "bad_argument", f"{verb} does not know `{short(unknown[0])}`", takes)
    return {name: value for name, value in body.items() if value is not None}


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _bounded(name, format(Decimal(repr(value)).normalize(), "f") if isinstance(value, float) else str(value)) or ""
    if not isinstance(value, str):
        raise Refused(400, "bad_argument", f"`{name}` must be a text, a number, true or false", f"{DOCS} says what it is")
    return _bounded(name, value) or ""


def _bounded(name: str, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > MOST_TEXT or _UNSTORABLE.search(value):
        raise Refused(400, "bad_argument", f"`{name}` must be a text of at most {MOST_TEXT:,} characters", "shorten it")
    return value


def _note(body: Mapping[str, Any]) -> str | None:
    return _bounded("note", body.get("note"))


def _flag(name: str, body: Mapping[str, Any], *, default: bool = False) -> bool:
    value = body.get(name, default)
    if value in (True, "yes"):
        return True
    if value in (False, "no"):
        return False
    raise Refused(400, "bad_argument", f"`{name}` is true or false", f"leave it out for {str(default).lower()}")


def _answers(body: Mapping[str, Any]) -> dict[str, list[str]]:
    """Texts by question; one text, a number or a list of texts for each. "" takes an answer away."""
    given = body.get("answers", {})
    if not isinstance(given, dict) or len(given) > MOST_ANSWERS:
        raise Refused(400, "bad_argument", "`answers` must be an object: an answer, or a list of them, by question", 'write {"answers": {"plan": "Gold"}}')
    found: dict[str, list[str]] = {}
    for key, value in given.items():
        each = value if isinstance(value, list) else [value]
        found[str(key)] = ["" if one is None else _text(f"answers.{short(str(key))}", one) for one in each] or [""]
    return found


def _not_his() -> Refused:
    return Refused(404, "no_such_call", "there is no such call, or it is not his", "the desk names his calls; one that is not dialled yet has nothing to file")


def _not_filed(reasons: Sequence[str]) -> Refused:
    return Refused(409, "refused", "; ".join(reasons), "mend it and send it again with a new Idempotency-Key; nothing was filed")


def _instead(times: Sequence[float]) -> str:
    if not times:
        return "nothing was changed"
    return "these times can be promised: " + ", ".join(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(each)) for each in times)
