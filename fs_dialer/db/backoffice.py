"""What the command line does to the database: definitions, leads, do-not-call lists, commands to the daemon.

Knows revisions and audit. Changes no campaign's state and no agent's status: those are the daemon's, asked for by a command. Every method is one
transaction with its audit line; a hint to the daemon goes out when it commits.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fs_dialer.config.codec import agent_from_json, agent_to_json, campaign_from_json, campaign_to_json, installation_from_json, installation_to_json
from fs_dialer.core.definition import AgentDefinition, Campaign, Installation
from fs_dialer.core.model import CampaignId, CommandId
from fs_dialer.db.imports import import_leads
from fs_dialer.db.listen import Listener
from fs_dialer.db.pool import Cursor, rows
from fs_dialer.db.reports import Reports
from fs_dialer.db.shapes import Applied, Change, Imported, LeadRow, Listed
from fs_dialer.errors import FsDialerError


class Backoffice(Reports):
    """One database, for a command that runs once. Not for gevent processes when leads are imported (imports.py)."""

    # --- definitions --------------------------------------------------------------------------------------------------------------------

    def apply_definitions(
        self, campaigns: Sequence[Campaign], agents: Sequence[AgentDefinition], installation: Installation | None, who: str
    ) -> Applied:
        """All of it or nothing. A changed campaign gets a new revision, which needs an approval while the old one dials on (D5). What is not named
        here is left alone; `installation` None is not named."""
        changes = []
        with self._pool.transaction() as cursor:
            if installation is not None:
                changes.append(_apply_installation(cursor, installation, who))
            changes += [_apply_agent(cursor, agent, who) for agent in sorted(agents, key=lambda agent: agent.id)]
            # In the order of their names: two applies at once wait for each other and never both.
            changes += [_apply_campaign(cursor, campaign, who) for campaign in sorted(campaigns, key=lambda campaign: campaign.id)]
            for change in changes:
                if change.what != "unchanged":
                    rows(cursor, "hint", {"kind": {"agent": "agents"}.get(change.kind, change.kind), "name": change.name})
        return Applied(tuple(changes))

    # --- leads --------------------------------------------------------------------------------------------------------------------------

    def import_leads(
        self, campaign: CampaignId, leads: Iterable[LeadRow], who: str, progress: Callable[[int], None] | None = None
    ) -> Imported:
        """See imports.import_leads. Plain tuples in LeadRow's order will do."""
        return import_leads(self._pool, campaign, leads, who, progress)

    def do_not_call_add(self, numbers: Iterable[str], who: str, list: str = "own", reason: str = "") -> Listed:
        """Put E.164 numbers on a list; their unfinished leads become `blocked` at once."""
        return self._listed("do_not_call_add", numbers, {"list": list, "reason": reason, "who": who})

    def do_not_call_remove(self, numbers: Iterable[str], who: str, list: str | None = None, reason: str = "") -> Listed:
        """Take numbers off a list, or off all; leads that no list blocks any more return."""
        return self._listed("do_not_call_remove", numbers, {"list": list, "reason": reason, "who": who})

    def _listed(self, query: str, numbers: Iterable[str], words: Mapping[str, Any]) -> Listed:
        given = sorted(set(numbers))
        with self._pool.transaction() as cursor:
            listed = Listed(*rows(cursor, query, {**words, "numbers": given})[0])
            rows(cursor, "hint", {"kind": "do_not_call", "name": ""})
        return listed

    # --- commands -----------------------------------------------------------------------------------------------------------------------

    def submit_command(self, verb: str, target: str, args: Mapping[str, str], who: str) -> CommandId:
        """Ask the daemon for something; the command waits in the database until one is running."""
        id = CommandId(str(uuid.uuid4()))
        self._pool.rows("submit_command", {"id": id, "verb": verb, "target": target, "args": json.dumps(dict(args)), "who": who})
        return id

    def wait_reply(self, command: CommandId, timeout_s: float) -> tuple[bool, str] | None:
        """The daemon's answer (ok, text), or None when there is none in time: no daemon is running, or it is busy."""
        deadline = time.monotonic() + timeout_s
        with Listener(self._dsn, application="fs-dialer command") as listener:
            while True:
                # Listening comes before looking, so that an answer in between is not missed.
                listener.hints(0.0 if not listener.connected else max(0.0, deadline - time.monotonic()))
                answer = self._pool.rows("reply_of", {"id": command})
                if answer:
                    return bool(answer[0][0]), str(answer[0][1])
                if time.monotonic() >= deadline:
                    return None


def _apply_campaign(cursor: Cursor, campaign: Campaign, who: str) -> Change:
    words: dict[str, Any] = {"campaign": campaign.id, "who": who, "type": campaign.type.value}
    stored = rows(cursor, "newest_definition", words)
    if stored:
        revision, definition, _, approved = stored[0]
        if _same(campaign_from_json, definition, replace(campaign, revision=0)):
            return Change("campaign", campaign.id, "unchanged", revision, approved != revision)
        revision += 1
    else:
        revision = 1
        rows(cursor, "new_campaign", words)
    rows(cursor, "new_revision", {**words, "revision": revision, "definition": json.dumps(campaign_to_json(replace(campaign, revision=0)))})
    if stored:
        rows(cursor, "newest_revision_is", {**words, "revision": revision})
    rows(cursor, "audit", {"who": who, "what": "apply_campaign", "target": campaign.id, "why": "", "details": json.dumps({"revision": revision})})
    return Change("campaign", campaign.id, "changed" if stored else "created", revision, True)


def _apply_agent(cursor: Cursor, agent: AgentDefinition, who: str) -> Change:
    stored = rows(cursor, "agent_definition", {"agent": agent.id})
    if stored and _same(agent_from_json, stored[0][0], agent):
        return Change("agent", agent.id, "unchanged")
    rows(cursor, "save_agent", {"agent": agent.id, "definition": json.dumps(agent_to_json(agent))})
    rows(cursor, "audit", {"who": who, "what": "apply_agent", "target": agent.id, "why": "", "details": "{}"})
    return Change("agent", agent.id, "changed" if stored else "created")


def _apply_installation(cursor: Cursor, installation: Installation, who: str) -> Change:
    stored = rows(cursor, "installation")
    if stored and _same(installation_from_json, stored[0][0], installation):
        return Change("installation", "", "unchanged")
    definition = json.dumps(installation_to_json(installation))
    rows(cursor, "save_installation", {"definition": definition})
    rows(cursor, "audit", {"who": who, "what": "apply_installation", "target": "installation", "why": "", "details": definition})
    return Change("installation", "", "changed" if stored else "created")


def _same(decode: Callable[[Mapping[str, Any]], object], definition: Mapping[str, Any], value: object) -> bool:
    """Whether what is stored means the same: compared as values, so that a setting added to the program with its default is no change."""
    try:
        return decode(definition) == value
    except FsDialerError:
        return False
