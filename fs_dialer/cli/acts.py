"""What everybody did with a thing, and why, out of the lines of the audit.

Knows that a command (pause, with its reason) and what the daemon made of it (campaign_state) are one act. A command that no change of state followed
was refused, waits for a daemon, or asked for what was so already: the audit does not say which, so neither does this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fs_dialer.cli.output import plural
from fs_dialer.core.plan import CAMPAIGN

if TYPE_CHECKING:
    from fs_dialer.db.shapes import AuditLine

_ASKED = {"approve": "approve", "start": "start", "pause": "pause", "end": "end"}
_MADE_BY = {"approved": ("approve", "start", "pause"), "running": ("start", "approve"), "paused": ("pause", "approve"), "draining": ("end",), "ended": ("end",)}
_VERBED = {"approve": "approved", "start": "started", "pause": "paused", "end": "ended"}
_BECAME = {"approved": "approved", "running": "started", "paused": "paused", "draining": "ended, its last calls go on", "ended": "ended"}
_BY_HAND = ("paused by hand", "ended by hand")
_OF_CAMPAIGNS = {"campaign_state", "lead_mark", "import_leads", "undo_import", "add_leads", "forget_leads", "join_leads", *_ASKED}


@dataclass(frozen=True, slots=True)
class Act:
    """`at`: epoch seconds. `what`: the audit's word; `did`: the same for people."""

    at: float
    who: str
    what: str
    did: str
    why: str


def acts_of(kind: str, lines: Sequence[AuditLine]) -> list[Act]:
    """Lines of one name, newest first, → the acts on the thing of that kind and name, newest first."""
    found: list[Act] = []
    pending: list[AuditLine] = []
    for line in reversed([line for line in lines if _concerns(kind, line)]):
        if line.what in _ASKED:
            pending.append(line)
            continue
        asked = _asked(line, pending) if line.what == "campaign_state" else None
        if asked is not None:
            pending.remove(asked)
        found.append(Act(line.at, line.who, line.what, _did(line, asked), asked.why if asked is not None else _why(line)))
    found += [Act(line.at, line.who, line.what, f"asked to {line.what}{_revision(line, ' r')}, nothing changed", line.why) for line in pending]
    return sorted(found, key=lambda act: act.at, reverse=True)


def _concerns(kind: str, line: AuditLine) -> bool:
    """Agents, groups and numbers may be called as campaigns are."""
    if "kind" in line.details:
        return bool(line.details["kind"] == kind)
    return (line.what in _OF_CAMPAIGNS) == (kind == CAMPAIGN)


def _asked(line: AuditLine, pending: Sequence[AuditLine]) -> AuditLine | None:
    """The newest command of the same person that makes this state."""
    verbs = _MADE_BY.get(str(line.details.get("to")), ())
    for asked in reversed(pending):
        fits = asked.what != "approve" or str(asked.details.get("revision", "")) in ("", str(line.details.get("revision")))
        if asked.who == line.who and asked.what in verbs and fits:
            return asked
    return None


def _why(line: AuditLine) -> str:
    for words in _BY_HAND:
        if line.what == "campaign_state" and line.why.startswith(words):
            return line.why.removeprefix(words).removeprefix(": ")
    return line.why


def _did(line: AuditLine, asked: AuditLine | None) -> str:
    details = line.details
    match line.what:
        case "campaign_state":
            return _became(line, asked)
        case "import_leads":
            return f"imported {details.get('file') or 'leads'}: {_new(details)}" + (f" ({details['import']})" if details.get("import") else "")
        case "undo_import":
            return f"took the import {details.get('import', '')} back"
        case "lead_mark":
            return f"marked lead {details.get('lead')}: {details.get('mark')}"
        case "add_leads" | "join_leads":
            return f"added leads: {_new(details)}"
        case "forget_leads":
            return "erased persons, and their leads with them"
    if line.what.startswith("apply_"):
        plan = f" ({details['plan']})" if details.get("plan") else ""
        return f"stored{_revision(line, ' r')}{plan}"
    if line.what.startswith("remove_"):
        return "removed it"
    return line.what.replace("_", " ")


def _became(line: AuditLine, asked: AuditLine | None) -> str:
    to = str(line.details.get("to"))
    if asked is not None and asked.what != "end":
        word = _VERBED[asked.what]
    elif line.details.get("from") == to:
        word = "approved"
    else:
        word = _BECAME.get(to, to)
    return word + (_revision(line, " r") if word == "approved" else "")


def _new(details: Mapping[str, Any]) -> str:
    new = plural(int(details.get("new") or 0), "new lead")
    return f"{new} of {plural(int(details['rows']), 'row')}" if details.get("rows") else new


def _revision(line: AuditLine, before: str) -> str:
    revision = line.details.get("revision")
    return f"{before}{revision}" if revision else ""
