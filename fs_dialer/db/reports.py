"""What is in the database, for people: campaigns with their counts, leads with their history, agents, lists, audit.

Reads only; the answers are shapes.py's. Times are epoch seconds; "today" is a day in the campaign's own zone (D9).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fs_dialer.config.codec import agent_from_json, campaign_from_json
from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import CampaignId, LeadId, LeadStatus
from fs_dialer.db import codec
from fs_dialer.db.figures import FigureReports
from fs_dialer.db.flow_reports import FlowReports
from fs_dialer.db.pool import Pool, Row
from fs_dialer.db.shapes import AgentLine, AttemptLine, AuditLine, CampaignReport, LeadHistory, LeadLine, ListedNumber

REPORT_TIMEOUT_S = 60.0
EVER = float("inf")


class Reports(FigureReports, FlowReports):
    """Questions to one database; its queries may take up to a minute."""

    def __init__(self, dsn: str, *, pool_size: int = 2, application: str = "fs-dialer command") -> None:
        self._dsn = dsn
        self._pool = Pool(dsn, size=pool_size, application=application, statement_timeout_s=REPORT_TIMEOUT_S)

    def daemon_status(self) -> tuple[float, dict[str, Any]] | None:
        """How many seconds old the active daemon's last word is, and the word (core.snapshot.as_json); None before the first daemon."""
        found = self._pool.rows("daemon_status")
        return (float(found[0][0]), dict(found[0][1])) if found else None

    def close(self) -> None:
        self._pool.close()

    def campaign_list(self, now: float | None = None) -> list[CampaignReport]:
        """All campaigns by name."""
        return self._campaigns(None, now)

    def campaign_show(self, campaign: CampaignId, now: float | None = None) -> CampaignReport | None:
        """One campaign, None when there is none of that name."""
        found = self._campaigns(campaign, now)
        return found[0] if found else None

    def outcome_totals(self, campaign: CampaignId | None = None, since: float = 0.0, until: float = EVER) -> dict[str, int]:
        """How many closed attempts had each outcome, by name; of one campaign or of all, opened in [since, until). Only outcomes that happened."""
        found = self._pool.rows("outcome_totals", {"campaign": campaign, "since": since, "until": until})
        return dict(sorted((outcome, int(count)) for outcome, count in found))

    def attempts_count(self, campaign: CampaignId | None = None) -> int:
        """All attempts ever, open ones too."""
        return int(self._pool.rows("attempts_count", {"campaign": campaign})[0][0])

    def open_attempts_count(self, campaign: CampaignId | None = None) -> int:
        """Attempts without a result."""
        return int(self._pool.rows("attempts_count", {"campaign": campaign})[0][1])

    def lead_list(
        self, campaign: CampaignId | None = None, status: LeadStatus | None = None, limit: int = 100, after: int = 0, number: str | None = None
    ) -> list[LeadLine]:
        """A page of leads by id; `after` is the last id of the page before."""
        words = {"campaign": campaign, "status": status.value if status else None, "limit": limit, "after": after, "number": number}
        return [_lead_line(row) for row in self._pool.rows("lead_rows", words)]

    def lead_show(self, lead: LeadId) -> LeadHistory | None:
        """One lead with its attempts, oldest first; None when there is none of that id."""
        found = self._pool.rows("lead_row", {"lead": lead})
        if not found:
            return None
        return LeadHistory(_lead_line(found[0]), tuple(AttemptLine(*row) for row in self._pool.rows("attempts_of_lead", {"lead": lead})))

    def agent_list(self) -> list[AgentLine]:
        """All agents by id, with the campaigns that name them."""
        serving: dict[str, list[str]] = {}
        for row in self._pool.rows("campaign_rows", {"name": None}):
            for person in _campaign(row).agents.people:
                serving.setdefault(person, []).append(row[0])
        found = []
        for id, definition, status, reason, status_at in self._pool.rows("agent_rows"):
            agent = codec.definition(agent_from_json, definition, f"agent {id}")
            campaigns = tuple(serving.get(id, ()))
            found.append(AgentLine(id, agent.name, agent.leg.value, agent.dial_string, status, reason, status_at, campaigns))
        return found

    def do_not_call_list(self, limit: int = 100, after: tuple[str, str] = ("", "")) -> list[ListedNumber]:
        """A page of the lists by (number, list); `after` is the last of the page before."""
        words = {"limit": limit, "after_number": after[0], "after_list": after[1]}
        return [ListedNumber(*row) for row in self._pool.rows("do_not_call_list", words)]

    def audit_list(self, target: str | None = None, limit: int = 100) -> list[AuditLine]:
        """Who did what, newest first; of one campaign, agent or number, or of all."""
        return [AuditLine(*row) for row in self._pool.rows("audit_lines", {"target": target, "limit": limit})]

    def marks_list(self, campaign: str, limit: int = 100) -> list[AuditLine]:
        """Who marked which of a campaign's leads, newest first."""
        return [AuditLine(*row) for row in self._pool.rows("marks_of_campaign", {"campaign": campaign, "limit": limit})]

    def _campaigns(self, name: CampaignId | None, now: float | None) -> list[CampaignReport]:
        found = self._pool.rows("campaign_rows", {"name": name})
        definitions = {row[0]: _campaign(row) for row in found}
        leads = {row[0]: {status.value: 0 for status in LeadStatus} for row in found}
        for campaign, status, count in self._pool.rows("lead_counts", {"name": name}):
            leads.setdefault(campaign, {})[status] = int(count)
        sinces = {campaign: day_start(definition.window.zone, time.time() if now is None else now) for campaign, definition in definitions.items()}
        today: dict[str, dict[str | None, tuple[int, int]]] = {}
        for campaign, outcome, count, missed in self._pool.rows("attempt_counts", {"campaigns": list(sinces), "sinces": list(sinces.values())}):
            today.setdefault(campaign, {})[outcome] = (int(count), int(missed))
        return [_report(row, definitions[row[0]], leads[row[0]], today.get(row[0], {})) for row in found]


def day_start(zone: str, now: float) -> float:
    """Epoch seconds of the last midnight by this zone's clock."""
    return datetime.fromtimestamp(now, ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def _campaign(row: Row) -> Campaign:
    return codec.definition(campaign_from_json, row[8], f"campaign {row[0]} r{row[4]}")


def _report(row: Row, definition: Campaign, leads: Mapping[str, int], today: Mapping[str | None, tuple[int, int]]) -> CampaignReport:
    name, state, started, reason, revision, newest_revision, approved_revision, type_name, _, updated_at = row
    return CampaignReport(
        name=name,
        type=type_name,
        title=definition.title,
        state=state,
        started=started,
        reason=reason,
        revision=revision,
        newest_revision=newest_revision,
        approved=approved_revision == newest_revision,
        updated_at=updated_at,
        zone=definition.window.zone,
        leads=leads,
        attempts_today=sum(count for count, _ in today.values()),
        open_attempts=today.get(None, (0, 0))[0],
        missed_today=sum(missed for _, missed in today.values()),
        outcomes_today=dict(sorted((outcome, count) for outcome, (count, _) in today.items() if outcome is not None)),
        agents=tuple(definition.agents.people),
    )


def _lead_line(row: Row) -> LeadLine:
    id, campaign, number, name, zone_set, status, attempts, ours_in_row, ready_at, held_by, claimed, attributes = row
    zones = codec.zones(zone_set)
    return LeadLine(id, campaign, number, name, zones, status, attempts, ours_in_row, ready_at, held_by, claimed, attributes)
