"""What the command line does to the database: leads, do-not-call lists, commands to the daemon; definitions are definitions.py's, plans plans.py's.

Knows the audit. Changes no campaign's state and no agent's status: those are the daemon's, asked for by a command. Every method is one
transaction with its audit line; a hint to the daemon goes out when it commits.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping

from fs_dialer.core.model import CampaignId, CommandId
from fs_dialer.db import do_not_call
from fs_dialer.db.agent_desk import AgentDesk
from fs_dialer.db.directory import Directory
from fs_dialer.db.dispositions import Dispositions
from fs_dialer.db.dnc_lists import DncLists
from fs_dialer.db.evidence import Attempts
from fs_dialer.db.forgetting import Forgetting
from fs_dialer.db.imports import import_leads
from fs_dialer.db.lead_desk import LeadDesk
from fs_dialer.db.listen import Listener
from fs_dialer.db.plans import Plans
from fs_dialer.db.shapes import Imported, LeadRow, Listed


class Backoffice(Plans, Directory, LeadDesk, AgentDesk, Dispositions, Attempts, DncLists, Forgetting):
    """One database, for a command that runs once. Not for gevent processes when leads are imported (imports.py)."""

    # --- leads --------------------------------------------------------------------------------------------------------------------------

    def import_leads(self, campaign: CampaignId, leads: Iterable[LeadRow], who: str, progress: Callable[[int], None] | None = None) -> Imported:
        """See imports.import_leads. Plain tuples in LeadRow's order will do."""
        return import_leads(self._pool, campaign, leads, who, progress)

    def do_not_call_add(self, numbers: Iterable[str], who: str, list: str = "own", reason: str = "") -> Listed:
        """Put E.164 numbers, and prefixes (+8490*), on a list; their unfinished leads become `blocked` at once."""
        return do_not_call.add(self._pool, numbers, who, list, reason)

    def do_not_call_remove(self, numbers: Iterable[str], who: str, list: str | None = None, reason: str = "") -> Listed:
        """Take numbers and prefixes off a list, or off all; leads that no entry blocks any more return."""
        return do_not_call.remove(self._pool, numbers, who, list, reason)

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
