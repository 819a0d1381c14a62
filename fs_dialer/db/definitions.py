"""Definitions in the database, for the command line: as they stand, as they were, and as an apply makes them.

Knows rows and revisions; what an apply changes is worked out in core/plan.py from what is read here, and written by applying.py. Everything that a plan
rests on is read at one moment and has one fingerprint: who applies the plan later says from which world it was made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fs_dialer.config.as_written import as_written
from fs_dialer.config.codec import agent_from_json, campaign_from_json, from_json, installation_from_json
from fs_dialer.config.things import KINDS, Thing
from fs_dialer.core.definition import AgentDefinition, Campaign, Installation
from fs_dialer.core.plan import AGENTS, CAMPAIGN, DEFAULTS, INSTALLATION, Edit, Key, Standing, Wanted, edits
from fs_dialer.db.applying import Applying, Takeover, source_from_json
from fs_dialer.db.pool import Cursor, Row, rows
from fs_dialer.db.reports import Reports
from fs_dialer.db.shapes import Applied, AuditLine, Revision
from fs_dialer.errors import FsDialerError, StoreError

MOST_MOVES = 20


@dataclass(frozen=True, slots=True)
class World:
    """Every definition as it stands. `fingerprint` changes with any of them, with approvals, and with campaigns' states. `at`: the database's clock."""

    fingerprint: str
    at: float
    standing: Mapping[Key, Standing]

    def things(self) -> tuple[Thing, ...]:
        """As they were written; campaigns that are over stand for nothing any more and are left out."""
        return tuple(Thing(each.kind, each.name, each.source) for each in self.standing.values() if not each.is_over)


class WorldMoved(StoreError):
    """Somebody changed definitions or states after a plan was made. `moved`: what, the newest first."""

    def __init__(self, moved: Sequence[AuditLine]) -> None:
        self.moved = tuple(moved)
        super().__init__("definitions or states were changed after the plan was made; nothing was stored")


class Definitions(Reports):
    """Questions and applies to one database."""

    def world(self) -> World:
        """All definitions, read at one moment."""
        with self._pool.transaction() as cursor:
            rows(cursor, "one_moment")
            return _world(cursor)

    def stored_things(self) -> list[Thing]:
        """Every definition as it was written."""
        return list(self.world().things())

    def store(
        self,
        changes: Sequence[Edit],
        who: str,
        *,
        base: str | None = None,
        plan: str | None = None,
        why: str = "",
        takeovers: Mapping[str, Takeover] | None = None,
        since: float = 0.0,
    ) -> Applied:
        """All of it or nothing. A changed campaign gets a new revision, which needs an approval while the old one dials on (D5); what is not named is left
        alone.

        `base`: the fingerprint of the world that the edits were worked out from: WorldMoved where it is another now, with what moved after `since`.
        `plan`: is marked as applied, with the way back; StoreError where it was applied before. `takeovers`: new campaigns that take another's leads.
        """
        with self._pool.transaction() as cursor:
            rows(cursor, "begin_apply")
            if base is not None and rows(cursor, "world_fingerprint")[0][0] != base:
                raise WorldMoved([AuditLine(*row) for row in rows(cursor, "moved_since", {"since": since, "limit": MOST_MOVES})])
            return self._stored(cursor, changes, who, plan, why, takeovers or {})

    def apply_definitions(self, campaigns: Sequence[Campaign], agents: Sequence[AgentDefinition], installation: Installation | None, who: str) -> Applied:
        """The same for values that no file was read for; each is stored as it would have been written. `installation` None is not named."""
        given: list[tuple[str, str, Any]] = [(CAMPAIGN, campaign.id, campaign) for campaign in campaigns]
        given += [(AGENTS, agent.id, agent) for agent in agents] + ([(INSTALLATION, "", installation)] if installation is not None else [])
        with self._pool.transaction() as cursor:
            rows(cursor, "begin_apply")
            standing = _world(cursor).standing
            wanted = []
            for kind, name, value in given:
                before = standing.get((kind, name))
                same = before is not None and not edits(standing, [Wanted(kind, name, value, before.source, named=False)])
                wanted.append(Wanted(kind, name, value, before.source if same and before is not None else as_written(value)))
            return self._stored(cursor, edits(standing, wanted), who, None, "", {})

    def _stored(self, cursor: Cursor, changes: Sequence[Edit], who: str, plan: str | None, why: str, takeovers: Mapping[str, Takeover]) -> Applied:
        applying = Applying(cursor, who, plan, why, takeovers)
        applied = applying.apply(changes)
        if plan is not None:
            mark_applied(cursor, plan, who, applying.undo)
        return applied

    # --- history ------------------------------------------------------------------------------------------------------------------------

    def history(self, kind: str, name: str) -> list[Revision]:
        """All revisions of a thing, the newest first; none for what never was."""
        query = "campaign_history" if kind == CAMPAIGN else "definition_history"
        return [Revision(*row) for row in self._pool.rows(query, {"kind": kind, "name": name})]

    def revision(self, kind: str, name: str, revision: int) -> Thing | None:
        """A thing as it was written once; None where there is no such revision, or where it was taken away with it."""
        query = "campaign_revision" if kind == CAMPAIGN else "definition_revision"
        found = self._pool.rows(query, {"kind": kind, "name": name, "revision": revision})
        if not found or (found[0][1] is None and kind != CAMPAIGN):
            return None
        standing = _standing(kind, name, revision, *found[0])
        return Thing(kind, name, standing.source)


def mark_applied(cursor: Cursor, plan: str, who: str, undo: Sequence[Mapping[str, Any]]) -> None:
    """Once: StoreError for a plan that was carried out before."""
    if not rows(cursor, "plan_is_applied", {"plan": plan, "who": who, "undo": json.dumps(list(undo))}):
        raise StoreError(f"plan {plan} was applied already; nothing was changed")


def _world(cursor: Cursor) -> World:
    fingerprint, at = rows(cursor, "world_fingerprint")[0]
    standing: dict[Key, Standing] = {}
    for each in _all_standing(cursor):
        standing.setdefault(each.key, each)
    return World(fingerprint, float(at), standing)


def _all_standing(cursor: Cursor) -> Iterable[Standing]:
    for name, state, revision, approved, definition, source in rows(cursor, "standing_campaigns"):
        yield _standing(CAMPAIGN, name, revision, definition, source, state, approved)
    known: set[Key] = set()
    for kind, name, revision, definition, source in rows(cursor, "standing_definitions"):
        if kind in KINDS or kind in (INSTALLATION, DEFAULTS):
            known.add((kind, name))
            yield _standing(kind, name, revision, definition, source)
    # Stored before definitions were kept as written: revision 0.
    for name, definition in rows(cursor, "standing_agents"):
        if (AGENTS, name) not in known:
            yield _standing(AGENTS, name, 0, definition, None)
    found: list[Row] = rows(cursor, "installation")
    if found and (INSTALLATION, "") not in known:
        yield _standing(INSTALLATION, "", 0, found[0][0], None)


def _standing(kind: str, name: str, revision: int, definition: Any, source: Any, state: str = "", approved_revision: int | None = None) -> Standing:
    written = source_from_json(source) if source is not None else None
    value = written if kind == DEFAULTS else _value(kind, name, definition)
    if written is None:
        written = as_written(value) if value is not None else {}
    return Standing(kind, name, revision, value, written, state, approved_revision)


def _value(kind: str, name: str, definition: Any) -> Any:
    """None for what this program can not read: it counts as another than whatever a file says."""
    readers: Mapping[str, Callable[[Any], Any]] = {CAMPAIGN: campaign_from_json, AGENTS: agent_from_json, INSTALLATION: installation_from_json}
    try:
        if kind in readers:
            return readers[kind](definition)
        return from_json(KINDS[kind].cls, definition, f"{KINDS[kind].word} {name} as stored")
    except FsDialerError:
        return None
