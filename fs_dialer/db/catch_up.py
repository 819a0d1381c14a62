"""Attempts that a restored database does not know are written into it, so that nobody is called twice (D8, X4).

Knows what a store must be told, oldest first; what was dialled is told to it (runtime/catch_up.py reads journals). No daemon may be active meanwhile: the
leader's lock is taken. Safe to repeat: an attempt that is known is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fs_dialer.core.model import AttemptId, LeadId
from fs_dialer.core.stored import Dialled
from fs_dialer.db.pool import Pool
from fs_dialer.db.postgres import PostgresStore
from fs_dialer.errors import StoreError


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """attempts: all that the journals hold; known: the database had them; written; still_open: of the written, without an end: the daemon asks the switch.

    no_lead: their lead or campaign is not in this database; the numbers they called, each once.
    """

    attempts: int
    known: int
    written: int
    still_open: int
    no_lead: tuple[str, ...]


def catch_up(dsn: str, dialled: Sequence[Dialled]) -> CaughtUp:
    """Write what is missing. StoreError while a daemon is active on the database."""
    store = PostgresStore(dsn, application="fs-dialer catch-up")
    pool = Pool(dsn, size=1, application="fs-dialer catch-up")
    try:
        epoch = store.take_epoch("catch-up")
        if epoch is None:
            raise StoreError("a daemon is active on this database: stop it first, it must not dial while the past is written")
        return _catch_up(store, pool, epoch, dialled)
    finally:
        pool.close()
        store.close()


def _catch_up(store: PostgresStore, pool: Pool, epoch: int, dialled: Sequence[Dialled]) -> CaughtUp:
    known = {AttemptId(id): bool(over) for id, over in pool.rows("attempts_known", {"ids": [each.attempt.id for each in dialled]})}
    written = still_open = 0
    no_lead: dict[str, None] = {}
    for each in dialled:
        lead = each.lead.id
        if each.attempt.id not in known:
            found = _put_back(pool, epoch, each)
            if found is None:
                no_lead.setdefault(each.attempt.number)
                continue
            lead = found
            written += 1
            still_open += each.end is None
        if each.end is not None and not known.get(each.attempt.id, False):
            result, update = each.end
            store.close_attempts([(result, replace(update, lead=lead))])
    return CaughtUp(len(dialled), len(known), written, still_open, tuple(no_lead))


def _put_back(pool: Pool, epoch: int, each: Dialled) -> LeadId | None:
    attempt = each.attempt
    where = {"campaign": attempt.campaign, "number": attempt.number, "lead": attempt.lead}
    found = pool.rows("lead_of_attempt", where)
    if not found:
        return None
    words = {
        **where,
        "lead": found[0][0],
        "id": attempt.id,
        "lead_status": each.lead.status.value,
        "epoch": epoch,
        "leg": attempt.leg,
        "gateway": attempt.gateway,
        "caller_id": attempt.caller_id,
        "agent": attempt.agent,
        "opened_at": attempt.opened_at,
        "revision": attempt.revision,
        "gates": json.dumps([list(answer) for answer in attempt.gates]),
    }
    pool.rows("catch_up_attempt", words)
    inserted = pool.rows("attempts_known", {"ids": [attempt.id]})
    return LeadId(found[0][0]) if inserted else None
