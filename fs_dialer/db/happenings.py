"""Events worked off: what triggers do with each, in the database.

Knows how an action becomes rows (a lead, attributes, a message in the outbox); which trigger fires is core/triggers.py's. An event and all that it causes are
one transaction, so whoever dies in the middle leaves the event open and nothing else; it is worked off again. An action that cannot be done (a campaign that
has gone, a number that cannot be called) is told in the event's result and holds up nobody.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg2

from fs_dialer.config.codec import from_json
from fs_dialer.config.phone_numbers import BadNumber, parse_number
from fs_dialer.core.resources import Trigger, TriggerAction, Webhook
from fs_dialer.core.triggers import actions
from fs_dialer.db import codec
from fs_dialer.db.callers import region
from fs_dialer.db.pool import Cursor, Pool, rows
from fs_dialer.errors import FsDialerError, StoreError

log = logging.getLogger("fs_dialer.triggers")

NOTHING = "no trigger fired"
_SETTLED = {"served": "he was served meanwhile", "called_back": "he was called back meanwhile"}
_NOT_CALLED = {"blocked": "nobody calls him back: do-not-call", "refused": "nobody calls him back yet: he asked not to be called for a while"}
_ISO = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, slots=True)
class Happening:
    """`data`: what the event tells; its fields by kind: core/triggers.py. `at`: epoch seconds."""

    id: int
    at: float
    kind: str
    data: Mapping[str, Any]


class Happenings:
    """The events of one database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def triggers(self) -> list[Trigger]:
        """By name. One that this version cannot read is left out and logged: the others go on."""
        found = []
        for name, definition in self._pool.rows("triggers"):
            try:
                found.append(from_json(Trigger, definition, f"trigger {name} as stored"))
            except FsDialerError as error:
                log.error("trigger_unreadable trigger=%s error=%s", name, error)
        return found

    def webhooks(self) -> dict[str, Webhook]:
        """By name. StoreError for one that this version cannot read."""
        return {name: codec.definition(lambda data: from_json(Webhook, data, "webhook"), each, name) for name, each in self._pool.rows("webhooks")}

    def work_off(self, limit: int) -> int:
        """Work off at most so many open events, oldest first; how many were. An event that the database could not take now waits for the next time.

        StoreError when the connection is lost: what was done before stays done.
        """
        triggers = self.triggers()
        done, after = 0, 0
        while done < limit:
            try:
                worked = self._one(triggers, after)
            except _Postponed as error:
                after = error.happening
                log.warning("happening_postponed happening=%d error=%s", error.happening, error)
                continue
            if not worked:
                break
            done += 1
        return done

    def tell(self, kind: str, data: Mapping[str, Any]) -> bool:
        """An event from outside the dialler's own queries. False: no trigger listens for its kind, and nothing was written."""
        return bool(self._pool.rows("new_happening", {"kind": kind, "data": json.dumps(dict(data))}, idempotent=False))

    def _one(self, triggers: Sequence[Trigger], after: int) -> bool:
        happening: Happening | None = None
        try:
            with self._pool.transaction() as cursor:
                found = rows(cursor, "next_happening", {"after": after})
                if not found:
                    return False
                happening = Happening(*found[0])
                result = self._caused(cursor, triggers, happening)
                rows(cursor, "happening_done", {"id": happening.id, "result": result})
        except StoreError as error:
            if error.lost or happening is None:
                raise
            raise _Postponed(happening.id, str(error)) from error
        log.info("happening happening=%d kind=%s result=%s", happening.id, happening.kind, result)
        return True

    def _caused(self, cursor: Cursor, triggers: Sequence[Trigger], happening: Happening) -> str:
        """Do what the triggers say; the words for it."""
        told = []
        for trigger, action in actions(triggers, happening.kind, happening.data):
            cursor.execute("SAVEPOINT action")
            try:
                text = _act(cursor, happening, action)
            except (psycopg2.DataError, psycopg2.IntegrityError) as error:
                # What this event says does not fit into the tables and never will; anything else may pass, and is tried again.
                cursor.execute("ROLLBACK TO SAVEPOINT action")
                text = f"refused by the database: {str(error).splitlines()[0]}"
            told.append(f"{trigger}: {text}")
        return "; ".join(told) or NOTHING


class _Postponed(Exception):
    def __init__(self, happening: int, text: str) -> None:
        self.happening = happening
        super().__init__(text)


def _act(cursor: Cursor, happening: Happening, action: TriggerAction) -> str:
    done = []
    if action.add_to:
        done.append(_add(cursor, happening.data, action.add_to))
    if action.set:
        done.append(_set(cursor, happening.data, dict(action.set)))
    if action.webhook:
        done.append(_send(cursor, happening, action.webhook))
    return ", ".join(done) or "it does nothing"


# --- add_to -----------------------------------------------------------------------------------------------------------------------------


def _add(cursor: Cursor, data: Mapping[str, Any], campaign: str) -> str:
    """D12: once while an unfinished lead of the customer is there; after that a new one, at the end of the line (S89, S90). Whoever asked in a queue keeps
    the place that he had when he asked, and is not added once he was served or his time is over."""
    written = str(data.get("number") or "")
    ticket = data.get("ticket")
    request = rows(cursor, "request_to_add", {"ticket": ticket}) if isinstance(ticket, int) else []
    since, closed, over, how = request[0] if request else (None, False, False, "")
    if closed or over:
        return f"not added to {campaign}: {_SETTLED.get(how, 'the request is too old' if over else 'the ticket is closed')}"
    try:
        number, zones = parse_number(written, region(cursor))
    except BadNumber as error:
        return f"not added to {campaign}: the number can't be called, {error.text}"
    contact = _contact(cursor, data, number) or rows(cursor, "trigger_new_contact", {"number": number, "zone_set": codec.zone_set(zones)})[0]
    words = {"campaign": campaign, "contact": contact[0], "number": number, "zone_set": contact[1] or codec.zone_set(zones), "since": since}
    state, unfinished, added, status = rows(cursor, "trigger_add", words)[0]
    lead = unfinished or added
    if lead is not None and isinstance(ticket, int):
        rows(cursor, "link_ticket", {"ticket": ticket, "lead": lead, "words": _NOT_CALLED.get(status or "", "")})
    if state is None:
        return f"not added to {campaign}: there is no such campaign"
    if unfinished is not None:
        return f"already in {campaign} as lead {unfinished}"
    if added is None:
        return f"not added to {campaign}: it has ended"
    rows(cursor, "hint", {"kind": "leads", "name": campaign})
    return f"added to {campaign} as lead {added}" + {"blocked": ", blocked by do-not-call", "refused": ", which asked not to be called yet"}.get(status, "")


def _contact(cursor: Cursor, data: Mapping[str, Any], number: str) -> tuple[int, str] | None:
    lead = data.get("lead")
    found = rows(cursor, "trigger_contact", {"lead": lead if isinstance(lead, int) else None, "number": number})
    return (int(found[0][0]), str(found[0][1])) if found else None


# --- set, webhook -----------------------------------------------------------------------------------------------------------------------


def _set(cursor: Cursor, data: Mapping[str, Any], attributes: Mapping[str, str]) -> str:
    contact = _contact(cursor, data, str(data.get("number") or ""))
    if contact is None:
        return "nothing set: nobody in the directory has the number"
    rows(cursor, "set_attributes", {"contact": contact[0], "attributes": json.dumps(dict(attributes))})
    return f"set {', '.join(attributes)}"


def _send(cursor: Cursor, happening: Happening, webhook: str) -> str:
    body = message(happening.kind, happening.data, happening.at, happening.id)
    known, row = rows(cursor, "into_outbox", {"webhook": webhook, "happening": happening.id, "body": json.dumps(body)})[0]
    if not known:
        return f"not sent: there is no webhook {webhook}"
    return f"to webhook {webhook}" if row is not None else f"already to webhook {webhook}"


def message(kind: str, data: Mapping[str, Any], at: float, happening: int | None) -> dict[str, Any]:
    """What a webhook is sent, before it is JSON."""
    return {"event": kind, "at": datetime.fromtimestamp(at, UTC).strftime(_ISO), "happening": happening, "data": dict(data)}
