"""Plans kept between `plan` and `apply`, the way back from one that was applied, and the facts that a plan's words rest on.

Knows the table of plans and what is counted for which difference; what the counts mean is said in core/effects.py.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fs_dialer.core.definition import Campaign
from fs_dialer.core.effects import Facts
from fs_dialer.core.hangup import ANSWERED_BY_PERSON
from fs_dialer.core.model import CampaignId, CampaignType
from fs_dialer.core.plan import CAMPAIGN, CHANGED, CREATED, INSTALLATION, Edit
from fs_dialer.db import codec
from fs_dialer.db.applying import Takeover
from fs_dialer.db.definitions import MOST_MOVES, Definitions, World
from fs_dialer.db.joining import count_joining
from fs_dialer.db.pool import Cursor, rows
from fs_dialer.db.shapes import AuditLine, StoredPlan

_SHORTEST, _LONGEST = 2, 8  # bytes of a plan's name
DAY_S = 86400.0


class Plans(Definitions):
    """Plans of one database."""

    def save_plan(self, who: str, base: str, content: Mapping[str, Any], effect: Mapping[str, Any]) -> str:
        """Keep a plan; its name, p-4f1c."""
        words = {"who": who, "base": base, "content": json.dumps(dict(content)), "effect": json.dumps(dict(effect))}
        for size in range(_SHORTEST, _LONGEST + 1):
            plan = f"p-{secrets.token_hex(size)}"
            if self._pool.rows("new_plan", {**words, "plan": plan}):
                return plan
        raise AssertionError("every name that was thrown is taken: there can not be so many plans")

    def plan(self, id: str) -> StoredPlan | None:
        """None where there is none of that name."""
        found = self._pool.rows("plan_row", {"plan": id})
        return StoredPlan(*found[0]) if found else None

    def recent_plans(self) -> list[str]:
        """Names of plans, the newest first."""
        return [str(row[0]) for row in self._pool.rows("recent_plans")]

    def moved_since(self, at: float) -> list[AuditLine]:
        """What was done to definitions and campaigns since then, the newest first."""
        return [AuditLine(*row) for row in self._pool.rows("moved_since", {"since": at, "limit": MOST_MOVES})]

    def facts(self, changes: Iterable[Edit], world: World, takeovers: Mapping[str, Takeover] | None = None) -> dict[str, Facts]:
        """For every new or changed campaign, what effects.py wants to know; each kind of fact is asked for all of them at once, and only where needed."""
        campaigns = {edit.name: edit for edit in changes if edit.kind == CAMPAIGN and edit.what in (CREATED, CHANGED)}
        if not campaigns:
            return {}
        with self._pool.transaction() as cursor:
            return _Counting(cursor, campaigns, world, _lines_total(changes, world), takeovers or {}).facts()


def _lines_total(changes: Iterable[Edit], world: World) -> int | None:
    """The installation's lines as they will be; None before there is one."""
    wanted = next((edit.new for edit in changes if edit.kind == INSTALLATION and edit.new is not None), None)
    standing = world.standing.get((INSTALLATION, ""))
    installation = wanted or (standing.value if standing else None)
    return installation.lines if installation else None


class _Counting:
    """The questions for one plan."""

    def __init__(self, cursor: Cursor, campaigns: Mapping[str, Edit], world: World, lines_total: int | None, takeovers: Mapping[str, Takeover]) -> None:
        self._cursor, self._edits, self._world, self._lines_total, self._takeovers = cursor, campaigns, world, lines_total, takeovers
        self._changed = {name: edit for name, edit in campaigns.items() if isinstance(edit.old, Campaign)}

    def facts(self) -> dict[str, Facts]:
        calls = dict(self._rows("facts_calls", campaigns=list(self._changed)))
        gaps, maximum, zones, days = self._gaps(), self._maximum(), self._zones(), self._days()
        lines: dict[str, int | None] = dict(rows(self._cursor, "facts_lines"))
        found = {}
        for name, edit in self._edits.items():
            others = [most for other, most in lines.items() if other != name]
            sooner, later = gaps.get(name, (None, None))
            exhausted, back = maximum.get(name, (None, None))
            found[name] = Facts(
                now=self._world.at,
                calls_up=calls.get(name, 0),
                sooner=sooner,
                later=later,
                exhausted=exhausted,
                back=back,
                zones=zones.get(name),
                days=days.get(name),
                lines_total=self._lines_total,
                lines_taken=sum(most for most in others if most is not None),
                shared_with=sum(most is None for most in others),
                joining=self._joining(edit),
                copied=self._copied(name),
            )
        return found

    def _gaps(self) -> dict[str, tuple[int, int]]:
        asked = [edit for edit in self._changed.values() if _gap_of(edit.old) != _gap_of(edit.new)]
        if not asked:
            return {}
        words = {
            "campaigns": [edit.name for edit in asked],
            "gaps": [edit.new.attempts.gap_s for edit in asked],
            "busy_gaps": [edit.new.attempts.busy.gap_s for edit in asked],
            "recalls": [edit.new.compliance.recall_after_missed_s or 0.0 for edit in asked],
            # Leads whose break was over so long ago that no new one reaches them are not looked at.
            "backs": [max(edit.new.attempts.gap_s, edit.new.attempts.busy.gap_s) for edit in asked],
        }
        return dict.fromkeys(words["campaigns"], (0, 0)) | {name: (sooner, later) for name, sooner, later in self._rows("facts_gap", **words)}

    def _maximum(self) -> dict[str, tuple[int, int]]:
        asked = {name: edit.new.attempts.max for name, edit in self._changed.items() if edit.old.attempts.max != edit.new.attempts.max}
        if not asked:
            return {}
        found = self._rows("facts_maximum", campaigns=list(asked), most=list(asked.values()))
        return dict.fromkeys(asked, (0, 0)) | {name: (exhausted, back) for name, exhausted, back in found}

    def _zones(self) -> dict[str, list[tuple[tuple[str, ...], int]]]:
        asked = [name for name, edit in self._changed.items() if _times_of(edit.old) != _times_of(edit.new)]
        found: dict[str, list[tuple[tuple[str, ...], int]]] = {name: [] for name in asked}
        for name, zone_set, count in self._rows("facts_zones", campaigns=asked) if asked else ():
            found[name].append((codec.zones(zone_set), count))
        return found

    def _days(self) -> dict[str, list[tuple[int, int]]]:
        asked = {name: edit for name, edit in self._changed.items() if _ceiling_of(edit.old) != _ceiling_of(edit.new) is not None}
        overs = {name: _over_s(edit.new) for name, edit in asked.items()}
        found = {name: [(0, 0)] * max(1, round(over / DAY_S)) for name, over in overs.items()}
        if not asked:
            return {}
        answered = [outcome.value for outcome in ANSWERED_BY_PERSON]
        for name, age, people, missed in self._rows("facts_missed", campaigns=list(overs), overs=list(overs.values()), answered=answered):
            if age < len(found[name]):
                found[name][max(0, age)] = (people, missed)
        return found

    def _joining(self, edit: Edit) -> Any:
        new, old = edit.new.leads, edit.old.leads if isinstance(edit.old, Campaign) else None
        if edit.name in self._takeovers or edit.new.type is CampaignType.CALLBACK or not (new.group or new.filter):
            return None
        if old is not None and (old.group, old.filter) == (new.group, new.filter):
            return None
        return count_joining(self._cursor, CampaignId(edit.name), new.group, new.filter, zone=edit.new.window.zone)

    def _copied(self, name: str) -> int | None:
        takeover = self._takeovers.get(name)
        if takeover is None:
            return None
        return int(self._rows("count_copies", campaign=takeover.campaign, statuses=list(takeover.statuses))[0][0])

    def _rows(self, query: str, **words: Any) -> Sequence[Any]:
        return rows(self._cursor, query, words)


def _gap_of(campaign: Campaign) -> tuple[float, float]:
    return campaign.attempts.gap_s, campaign.attempts.busy.gap_s


def _times_of(campaign: Campaign) -> tuple[Any, ...]:
    return campaign.hours, campaign.compliance, campaign.window.zone


def _ceiling_of(campaign: Campaign) -> Any:
    return getattr(campaign.options, "missed", None)


def _over_s(campaign: Campaign) -> float:
    over_s = float(_ceiling_of(campaign).over_s)
    return max(over_s, campaign.compliance.missed_over_s) if campaign.compliance.missed_max is not None else over_s
