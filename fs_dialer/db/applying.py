"""Edits → rows: what an apply does inside its one transaction.

Knows the order in which things are written, so that two applies, a daemon that opens attempts and an import that adds leads wait for each other and never
in a circle: leads join before the row of their campaign is touched, campaigns come in the order of their names. What is to be done was judged before.

`source` is kept as JSON with the order of keys beside it (jsonb forgets it): a table is its keys and, under "", the list of them.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fs_dialer.config.codec import to_json
from fs_dialer.core.definition import Campaign
from fs_dialer.core.effects import Joining
from fs_dialer.core.model import CampaignId, CampaignType, CommandId
from fs_dialer.core.plan import AGENTS, CAMPAIGN, CHANGED, CREATED, DEFAULTS, ENDED, INSTALLATION, REMOVED, REWRITTEN, Edit, one_of
from fs_dialer.db.joining import copy_leads, join_leads
from fs_dialer.db.pool import Cursor, rows
from fs_dialer.db.shapes import Applied, Change
from fs_dialer.errors import StoreError

_AUDIT = {CAMPAIGN: "apply_campaign", AGENTS: "apply_agent", INSTALLATION: "apply_installation"}
_ORDER = ""


@dataclass(frozen=True, slots=True)
class Takeover:
    """A new campaign takes the leads of another: those of these statuses."""

    campaign: CampaignId
    statuses: tuple[str, ...]


def source_to_json(tree: Any) -> Any:
    if isinstance(tree, Mapping):
        return {_ORDER: [str(key) for key in tree], **{str(key): source_to_json(value) for key, value in tree.items()}}
    if isinstance(tree, list | tuple):
        return [source_to_json(each) for each in tree]
    return tree


def source_from_json(data: Any) -> Any:
    if isinstance(data, Mapping):
        keys = data.get(_ORDER) or [key for key in data if key != _ORDER]
        return {key: source_from_json(data[key]) for key in keys if key in data}
    if isinstance(data, list):
        return [source_from_json(each) for each in data]
    return data


def mark_of(source: Any) -> str:
    """Two sources have the same mark just when they were written with the same words in the same order."""
    return hashlib.sha256(json.dumps(source_to_json(source)).encode()).hexdigest()[:16]


class Applying:
    """One apply inside one transaction. `undo`: what stood before, for the plan's row."""

    def __init__(self, cursor: Cursor, who: str, plan: str | None, why: str, takeovers: Mapping[str, Takeover]) -> None:
        self._cursor, self._who, self._plan, self._why, self._takeovers = cursor, who, plan, why, takeovers
        self._joined: dict[str, Joining] = {}
        self._revisions: dict[tuple[str, str], int] = {}
        self._commands: list[tuple[str, CommandId]] = []
        self.undo: list[dict[str, Any]] = []

    def apply(self, edits: Sequence[Edit]) -> Applied:
        """All of them; StoreError where the database does not allow one, and then none."""
        # Taken away first, so that nothing new meets the old row; whoever still names it was refused before.
        for edit in edits:
            if edit.what == REMOVED:
                self._remove(edit)
        for edit in edits:
            if edit.kind != CAMPAIGN and edit.what in (CREATED, CHANGED, REWRITTEN):
                self._save(edit)
        campaigns = sorted((edit for edit in edits if edit.kind == CAMPAIGN), key=lambda edit: edit.name)
        for edit in campaigns:
            if edit.what == CREATED:
                self._create(edit)
        for edit in campaigns:
            if edit.what in (CREATED, CHANGED):
                self._give_leads(edit)
        for edit in campaigns:
            self._revise(edit)
        return Applied(tuple(self._told(edit) for edit in edits), tuple(self._commands))

    # --- campaigns ----------------------------------------------------------------------------------------------------------------------

    def _create(self, edit: Edit) -> None:
        self._rows("new_campaign", campaign=edit.name)
        self._new_revision(edit)

    def _new_revision(self, edit: Edit) -> None:
        definition: Campaign = edit.new
        words = {"campaign": edit.name, "revision": edit.revision, "type": definition.type.value, "who": self._who, "plan": self._plan}
        self._rows("new_revision", **words, definition=json.dumps(to_json(replace(definition, revision=0))), source=_source(edit.source))
        self._note(edit)

    def _give_leads(self, edit: Edit) -> None:
        """The leads that a new campaign, or a new source of leads, brings."""
        new, old = edit.new.leads, edit.old.leads if edit.old is not None else None
        if edit.name in self._takeovers:
            takeover = self._takeovers[edit.name]
            self._joined[edit.name] = copy_leads(self._cursor, CampaignId(edit.name), takeover.campaign, takeover.statuses)
        elif edit.new.type is not CampaignType.CALLBACK and (new.group or new.filter):
            if old is not None and (old.group, old.filter) == (new.group, new.filter):
                return
            zone = edit.new.window.zone
            self._joined[edit.name] = join_leads(self._cursor, CampaignId(edit.name), new.group, new.filter, self._who, zone=zone, plan=self._plan)

    def _revise(self, edit: Edit) -> None:
        words = {"campaign": edit.name, "revision": edit.revision}
        if edit.what == CHANGED:
            self._new_revision(edit)
            self._rows("newest_revision_is", **words)
            if self._cursor.rowcount != 1:
                raise StoreError(f"campaign {edit.name} was changed by somebody else just now; nothing was stored, plan again")
        elif edit.what == REWRITTEN:
            self._rows("rewrite_revision", **words, source=_source(edit.source))
            self._note(edit)
        elif edit.what == ENDED:
            command = CommandId(str(uuid.uuid4()))
            reason = {"reason": self._why} if self._why else {}
            self._rows("submit_command", id=command, verb="end", target=edit.name, args=json.dumps(reason), who=self._who)
            self._commands.append((edit.name, command))
            self._remember(edit, edit.revision)

    # --- other things -------------------------------------------------------------------------------------------------------------------

    def _save(self, edit: Edit) -> None:
        definition = json.dumps(to_json(edit.new) if edit.kind != DEFAULTS else edit.new)
        if edit.kind == AGENTS:
            self._rows("save_agent", agent=edit.name, definition=definition)
        elif edit.kind == INSTALLATION:
            self._rows("save_installation", definition=definition)
        words = {"kind": edit.kind, "name": edit.name, "who": self._who, "plan": self._plan}
        (row,) = self._rows("save_definition", **words, source=_source(edit.source), definition=definition)
        self._revisions[edit.key] = int(row[0])
        self._note(edit)

    def _remove(self, edit: Edit) -> None:
        if edit.kind == CAMPAIGN:
            if not self._rows("forget_campaign", campaign=edit.name):
                raise StoreError(f"campaign {edit.name} can not be taken away any more: it was approved, or leads were imported into it. End it instead")
            self._rows("forget_revisions", campaign=edit.name)
        else:
            if edit.kind == AGENTS:
                self._rows("remove_agent", agent=edit.name)
            elif edit.kind == INSTALLATION:
                self._rows("remove_installation")
            (row,) = self._rows("remove_definition", kind=edit.kind, name=edit.name, who=self._who, plan=self._plan)
            self._revisions[edit.key] = int(row[0])
        self._note(edit)

    # --- telling ------------------------------------------------------------------------------------------------------------------------

    def _note(self, edit: Edit) -> None:
        """The audit line, the hint and the way back."""
        revision = self._revisions.get(edit.key, edit.revision)
        what = _AUDIT.get(edit.kind, "apply_definition")
        if edit.what == REMOVED:
            what = "remove_campaign" if edit.kind == CAMPAIGN else "remove_definition"
        details = {"kind": edit.kind, "revision": revision, "what": edit.what} | ({"plan": self._plan} if self._plan else {})
        target = edit.name or edit.kind
        self._rows("audit", who=self._who, what=what, target=target, why=self._why, details=json.dumps(details))
        self._rows("hint", kind=edit.kind, name=edit.name)
        self._remember(edit, revision)

    def _remember(self, edit: Edit, revision: int) -> None:
        before = source_to_json(edit.old_source) if edit.what in (CHANGED, REWRITTEN, REMOVED) else None
        item = {"kind": edit.kind, "name": edit.name, "what": edit.what, "revision": revision, "source": before, "mark": mark_of(edit.source)}
        self.undo.append(item)

    def _told(self, edit: Edit) -> Change:
        joined = self._joined.get(edit.name) if edit.kind == CAMPAIGN else None
        revision = edit.revision if edit.kind == CAMPAIGN else None
        return Change(one_of(edit.kind), edit.name, edit.what, revision, edit.needs_approval, joined.leads if joined else None)

    def _rows(self, query: str, **words: Any) -> list[Any]:
        return rows(self._cursor, query, words)


def _source(tree: Any) -> str | None:
    return None if tree is None else json.dumps(source_to_json(tree))
