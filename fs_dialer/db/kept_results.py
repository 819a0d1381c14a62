"""Results that agents choose while a call is up, until its end files them (S14, D14).

Each agent's choice is kept apart, for only the end tells who had the conversation: his is filed, by his name or that of whoever filed it for him. Where there
was no conversation, or another had it, the choice is dropped and logged. A choice that cannot be read or filed is set aside: it holds up nobody, and a
result that somebody sets takes its place.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fs_dialer.core.model import Outcome
from fs_dialer.db.dispositions import Call, Result, Said, campaign_of, file, locked_call, tell_untold
from fs_dialer.db.pool import Pool, rows
from fs_dialer.errors import StoreError

log = logging.getLogger("fs_dialer.db")

KEPT_BATCH = 1000  # calls of one page of a sweep


def with_choice(call: Call, agent: str, result: Result, by: str, now: float, why: str = "") -> str:
    """What attempts_open keeps, with this agent's choice in place of his former one. by: who filed it; now: epoch seconds."""
    mine = {"code": result.code, "callback_at": result.callback_at, "agent": result.agent, "by": by, "why": why, "at": now}
    return json.dumps({"said": {**_said(call), agent: mine}})


def choice_of(call: Call, agent: str) -> Mapping[str, Any] | None:
    """What this agent chose for his call while it was up; None = nothing that waits to be filed."""
    return _said(call).get(agent)


def file_kept(pool: Pool, attempts: Sequence[str] | None = None) -> int:
    """File what agents chose while their calls were up: of these calls, or (None) of all that are over. How many; one that the database could not take now
    is left for the next time, one that can never be filed is set aside, and both are logged. StoreError when the connection is lost."""
    filed = 0
    for attempt in _waiting(pool) if attempts is None else attempts:
        try:
            filed += _file_kept(pool, attempt)
        except StoreError as error:
            if error.lost:
                raise
            log.warning("result_not_filed attempt=%s error=%s", attempt, error)
        except Exception as error:  # whatever stands in one row, it must not end the daemon or hold up the others
            log.exception("result_set_aside attempt=%s", attempt)
            _set_aside(pool, attempt, f"{type(error).__name__}: {error}")
    return filed


def _waiting(pool: Pool) -> Iterator[str]:
    """Page after page, so that those that stay do not stand before the others."""
    behind: tuple[Any, str | None] = (None, None)
    while True:
        page = pool.rows("kept_dispositions", {"limit": KEPT_BATCH, "opened_at": behind[0], "id": behind[1]})
        yield from (row[0] for row in page)
        if len(page) < KEPT_BATCH:
            return
        behind = (page[-1][1], page[-1][0])


def _file_kept(pool: Pool, attempt: str) -> bool:
    """It was judged when it was chosen; what has changed since is no reason to lose it. A result that somebody has set meanwhile stands."""
    with pool.transaction() as cursor:
        found = locked_call(cursor, attempt)
        if found is None or not found[0].over or found[0].kept is None:
            return False
        call, state = found
        chosen = _of_the_conversation(call)
        campaign = campaign_of(cursor, call)
        disposition = next((each for each in campaign.dispositions if chosen is not None and each.name == chosen["code"]), None)
        if chosen is None or disposition is None or call.disposition is not None:
            log.warning("result_dropped attempt=%s outcome=%s agent=%s kept=%s", call.id, call.outcome, call.agent, json.dumps(call.kept))
            rows(cursor, "drop_kept", {"attempt": call.id, "opened_at": call.opened_at})
            tell_untold(cursor, call, state, state)
            return False
        at = call.ended_at if call.ended_at is not None else call.opened_at.timestamp()
        result = Result(chosen["code"], chosen["callback_at"], chosen["agent"])
        file(cursor, call, state, campaign, Said(disposition, result, {}, call.note), chosen["by"], chosen["why"], at)
    return True


def _of_the_conversation(call: Call) -> Mapping[str, Any] | None:
    """The choice of whoever had it; where nobody knows who, the last one."""
    said = _said(call)
    if call.outcome != Outcome.CONNECTED.value:
        return None
    return said.get(call.agent) if call.agent is not None else max(said.values(), key=lambda each: float(each["at"]), default=None)


def _said(call: Call) -> Mapping[str, Mapping[str, Any]]:
    """By agent."""
    return call.kept.get("said", {}) if isinstance(call.kept, Mapping) else {}


def _set_aside(pool: Pool, attempt: str, error: str) -> None:
    try:
        pool.rows("set_kept_aside", {"attempt": attempt, "error": error.replace("\0", "")})
    except StoreError as failed:
        if failed.lost:
            raise
        log.warning("result_not_set_aside attempt=%s error=%s", attempt, failed)
