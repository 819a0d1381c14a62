"""Whom a daemon called, by its journals: for a database that was restored from before those calls (X4, X6).

A journal keeps what happened; run through the same engine once more it says what was dialled and what became of it. Knows no SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.model import AttemptId, Lead, LeadId
from fs_dialer.core.stored import Dialled
from fs_dialer.errors import FsDialerError
from fs_dialer.runtime.journal import steps


def dialled(journals: Sequence[Path]) -> list[Dialled]:
    """Every attempt of these journals, oldest first. FsDialerError where one can not be read, or where this version would have decided otherwise."""
    found: dict[AttemptId, Dialled] = {}
    for journal in journals:
        _read(journal, found)
    return sorted(found.values(), key=lambda each: (each.attempt.opened_at, each.attempt.id))


def _read(journal: Path, found: dict[AttemptId, Dialled]) -> None:
    leads: dict[LeadId, Lead] = {}
    for step in steps(journal):
        if not step.same:
            raise FsDialerError(f"{journal}:{step.line}: this version would have decided otherwise here: use the version that wrote the journal")
        event = step.event
        if isinstance(event, ev.LeadsClaimed):
            leads.update((lead.id, lead) for lead in event.leads)
        elif isinstance(event, ev.AttemptFound):
            found.setdefault(event.open.attempt.id, Dialled(event.open.attempt, event.open.lead))
        elif isinstance(event, ev.AttemptRefused):
            found.pop(event.attempt, None)
        for action in step.actions:
            if isinstance(action, act.OriginateLead):
                found[action.attempt.id] = Dialled(action.attempt, leads[action.attempt.lead])
            elif isinstance(action, act.CloseAttempt) and action.result.attempt in found:
                found[action.result.attempt] = replace(found[action.result.attempt], end=(action.result, action.update))
