"""Leads and do-not-call numbers that come over HTTP: judged by the very rules of an import, stored in one transaction.

Knows what a row of JSON may say and makes of it the row that an import's judge knows (config/leads_judge.py), so that a number, a zone or a time means the
same on both ways in. Bad rows are told with their place and their field; the good ones join. What stands in a name or an attribute is data and only data: it
never reaches the switch (D7).

Runs in the daemon's process, so it lets others run every few milliseconds, and looks for the name that was meant only in the first bad rows: that search
costs more than all the rest.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import gevent

from fs_dialer.config.leads_header import CONTROL, Columns
from fs_dialer.config.leads_judge import Judge, bad_row, good_row
from fs_dialer.config.leads_rows import MAX_COLUMNS, GoodRow
from fs_dialer.config.phone_numbers import BadNumber, parse_number
from fs_dialer.config.values import nearest, short, zone_names
from fs_dialer.db import lead_api
from fs_dialer.db.lead_api import ApiRow, LeadApi
from fs_dialer.runtime.web_ports import Answer, Refused

MOST_ROWS = 1000
MOST_PHONES = 9
PHONES = ("phone", *(f"phone{n}" for n in range(2, MOST_PHONES + 1)))
FIELDS = (*PHONES, "name", "zone", "owner", "not_before", "attributes")
MOST_NAME = 200  # characters of an attribute's name
TURN_S = 0.004  # of work, before others have theirs
MOST_HINTS = 20  # bad rows that are told the nearest name; a program that makes more makes the same mistake in all
MOST_WORD = 40  # characters of a name that is looked for
MOST_UNKNOWN = 10  # fields of one row that are told
YIELD_S = 1e-6  # sleep(0) would run every ready greenlet but starve timers
KEY = re.compile(r"[!-~]{1,200}")

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")

Invalid = dict[str, Any]


class StoredLeadDesk:
    """The desk over one database (web_ports.LeadDesk). `breathe`: lets others run."""

    def __init__(self, api: LeadApi, breathe: Callable[[], None] = lambda: gevent.sleep(YIELD_S)) -> None:
        self._api, self._breathe = api, breathe

    # --- leads ------------------------------------------------------------------------------------------------------------------------

    def add_leads(self, campaign: str, rows: object, *, token: str, key: str, fingerprint: str) -> Answer:
        """{total, added, known, twice, do_not_call, no_callback, invalid}: total is the sum of the counts and of the rows that are invalid.

        All good rows are stored, or none: one transaction, together with the answer to the key.
        """
        given = _list(rows)
        if not KEY.fullmatch(key):
            raise Refused(400, "idempotency_key", f"`{short(key)}` is no key", "send an Idempotency-Key of 1 to 200 visible ASCII characters")
        judged = self._judged(given, self._api.region())
        with self._api.transaction() as cursor:
            before = lead_api.answer_of(cursor, token, key)
            if before is not None:
                return _replayed(before, fingerprint)
            door = lead_api.door(cursor, campaign) if _NAME.fullmatch(campaign) else None
            if door is None:
                raise Refused(404, "no_such_campaign", f"there is no campaign {short(campaign)}", "GET /api/campaigns lists them")
            if door.state in ("draining", "ended"):
                raise Refused(409, "campaign_ended", f"{campaign} has ended and takes no leads", "clone it, and add the leads to the clone")
            known = lead_api.known_agents(cursor, sorted({row.owner for row in judged.values() if isinstance(row, ApiRow) and row.owner}))
            for index, row in judged.items():
                if isinstance(row, ApiRow) and row.owner and row.owner not in known:
                    judged[index] = [_invalid(index, "owner", f"there is no agent {short(row.owner)}")]
            good = [row for row in judged.values() if isinstance(row, ApiRow)]
            joined = lead_api.join(cursor, campaign, door.twice, good, f"token {token}")
            answer = {
                "total": len(given),
                "added": joined.added,
                "known": joined.known,
                "twice": joined.twice,
                "do_not_call": joined.do_not_call,
                "no_callback": joined.no_callback,
                "invalid": [problem for row in judged.values() if isinstance(row, list) for problem in row],
            }
            lead_api.keep_answer(cursor, token, key, fingerprint, 200, answer)
        return Answer(200, answer)

    def _judged(self, given: Sequence[object], region: str) -> dict[int, ApiRow | list[Invalid]]:
        """Every row, or what is wrong with it, by its place in the list from 0."""
        judged: dict[int, ApiRow | list[Invalid]] = {}
        bad = 0
        for index, row in self._in_turns(given):
            judged[index] = found = judged_row(index, row, region, hints=bad < MOST_HINTS)
            bad += isinstance(found, list)
        return judged

    def _in_turns(self, given: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Each with its place; others run in between."""
        began = time.monotonic()
        for index, each in enumerate(given):
            if time.monotonic() - began >= TURN_S:
                self._breathe()
                began = time.monotonic()
            yield index, each

    # --- do not call ------------------------------------------------------------------------------------------------------------------

    def forbid(self, request: object, *, token: str) -> Answer:
        """{numbers: [...], list?, reason?} → {added, blocked_leads}. All or nothing: a list that is half kept would be taken for whole."""
        words = _words(request, ("numbers", "list", "reason"))
        numbers, name, reason = words.get("numbers"), words.get("list", "own"), words.get("reason", "")
        if not isinstance(numbers, list) or not 1 <= len(numbers) <= MOST_ROWS:
            raise Refused(400, "bad_request", f"`numbers` must be a list of 1 to {MOST_ROWS} telephone numbers", 'send {"numbers": ["+442079460101"]}')
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise Refused(400, "bad_request", "`list` must be a name of letters, digits, - _ .", 'leave it out for the list "own"')
        if not isinstance(reason, str) or len(reason) > MOST_NAME or CONTROL.search(reason):
            raise Refused(400, "bad_request", f"`reason` must be a text of at most {MOST_NAME} characters", "shorten it")
        region, found = self._api.region(), []
        for index, written in self._in_turns(numbers):
            try:
                found.append(parse_number(_text(written), region)[0])
            except (BadNumber, TypeError) as error:
                raise Refused(400, "bad_number", f"numbers[{index}]: {error}", "mend it and send all again; nothing was stored") from None
        added, blocked = self._api.forbid(found, name, reason, f"token {token}")
        return Answer(200, {"added": added, "blocked_leads": blocked})


def _list(rows: object) -> list[object]:
    if not isinstance(rows, list):
        raise Refused(400, "bad_request", "the body must be a list of contacts", 'send [{"phone": "+442079460101", "name": "Ada"}]')
    if len(rows) > MOST_ROWS:
        raise Refused(413, "too_many", f"{len(rows):,} rows; at most {MOST_ROWS:,} in one request", "send them in parts, each with a key of its own")
    return rows


def _words(request: object, known: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(request, dict):
        raise Refused(400, "bad_request", "the body must be an object", f"its fields are {', '.join(known)}")
    if unknown := [str(each) for each in request if each not in known]:
        raise Refused(400, "bad_request", f"unknown field `{short(unknown[0])}`{_near(unknown[0], known)}", f"its fields are {', '.join(known)}")
    return request


def _replayed(before: tuple[str, int, Mapping[str, Any]], fingerprint: str) -> Answer:
    request, status, body = before
    if request != fingerprint:
        text = "this Idempotency-Key was used for another request"
        raise Refused(409, "key_reused", text, "take a new key for every request, and the same one only to repeat a request unchanged")
    return Answer(status, body, replayed=True)


# --- one row --------------------------------------------------------------------------------------------------------------------------


def judged_row(index: int, row: object, region: str, *, hints: bool = True) -> ApiRow | list[Invalid]:
    """One contact of the list, or what is wrong with it. `region`: the country of national numbers, "" = they are refused. `hints`: look for the name that
    was meant."""
    if not isinstance(row, dict):
        return [_invalid(index, "row", "an object is expected, with `phone` at least")]
    unknown = [str(key) for key in row if key not in FIELDS]
    problems = [_invalid(index, key, f"unknown field{_near(key, FIELDS) if hints else ''}") for key in unknown[:MOST_UNKNOWN]]
    if len(unknown) > MOST_UNKNOWN:
        problems.append(_invalid(index, "row", f"{len(unknown) - MOST_UNKNOWN} more unknown fields"))
    cells: dict[str, str] = {}
    for field in FIELDS[:-1]:
        value = row.get(field)
        if isinstance(value, str):
            cells[field] = value
        elif value is not None:
            problems.append(_invalid(index, field, f"must be text in quotes, not {_kind(value)}"))
    attributes = _attributes(index, row.get("attributes"), problems)
    if not any(cells.get(phone, "").strip() for phone in PHONES) and not any(problem["field"] in PHONES for problem in problems):
        problems.append(_invalid(index, "phone", "is missing"))
    zone = cells.get("zone", "").strip()
    if zone and zone not in zone_names() and not (hints and len(zone) <= MOST_WORD):
        problems.append(_invalid(index, "zone", "not a time zone; write Area/City, as in Asia/Ho_Chi_Minh"))
    if problems:
        return problems
    (verdict,) = Judge(_columns(cells, attributes), region, "").judge([(index, [*cells.values(), *attributes.values()], "")])
    if len(verdict) == 3:
        return [_invalid(index, each.column, f"{each.text}; {each.advice}" if each.advice else each.text) for each in bad_row(verdict).problems]
    return _api_row(good_row(verdict))


def _columns(cells: Mapping[str, str], attributes: Mapping[str, str]) -> Columns:
    """The row as if it stood in a file below this header."""
    place = {field: index for index, field in enumerate(cells)}
    others = tuple((len(cells) + index, name) for index, name in enumerate(attributes))
    return Columns(
        header=(*cells, *(f"attributes.{name}" for name in attributes)),
        phones=tuple(place[phone] for phone in PHONES if phone in place),
        name=place.get("name"),
        zone=place.get("zone"),
        owner=place.get("owner"),
        not_before=place.get("not_before"),
        problem=None,
        others=others,
        nameless=(),
        notes=(),
    )


def _attributes(index: int, given: object, problems: list[Invalid]) -> dict[str, str]:
    """Names and texts; numbers and yes or no become text."""
    found: dict[str, str] = {}
    if given is None:
        return found
    if not isinstance(given, dict):
        problems.append(_invalid(index, "attributes", f"must be an object of names and texts, not {_kind(given)}"))
        return found
    if len(given) > MAX_COLUMNS:
        problems.append(_invalid(index, "attributes", f"{len(given)} of them; at most {MAX_COLUMNS}"))
        return found
    for name, value in given.items():
        if not name.strip() or len(name) > MOST_NAME or CONTROL.search(name) or "\n" in name:
            problems.append(_invalid(index, "attributes", f"`{short(name)}` is no name"))
            continue
        try:
            found[name] = _text(value)
        except TypeError:
            problems.append(_invalid(index, f"attributes.{short(name)}", f"must be a text, a number, true or false, not {_kind(value)}"))
    return found


def _api_row(row: GoodRow) -> ApiRow:
    further = tuple((each.number, each.zones, each.kind) for each in row.numbers[1:])
    made = ApiRow(row.number, row.zones, row.name, row.owner, row.attributes, further)
    return made if row.not_before is None else replace(made, ready_at=row.not_before)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return str(value)
    raise TypeError("a text is expected")


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", bool: "true or false", int: "a number", float: "a number", type(None): "null"}
    return kinds.get(type(value), "that")


def _near(word: str, known: Sequence[str]) -> str:
    guess = nearest(word, known) if len(word) <= MOST_WORD else None
    return f"; nearest: {guess}" if guess else ""


def _invalid(index: int, field: str, problem: str) -> Invalid:
    """Control characters of the row are not repeated: the answer is kept, and the database has no room for some of them."""
    return {"index": index, "field": CONTROL.sub("\ufffd", short(field, 100)), "problem": CONTROL.sub("\ufffd", problem)}
