"""How everything stands: what the database has of every campaign, what a daemon last wrote, and why each campaign does what it does.

What `status` and `top` show is worked out here; how it looks is theirs. With a running daemon the engine's own words count, without one the life-cycle's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fs_dialer.cli.campaigns import why
from fs_dialer.cli.needs import LAG_S, Missed30, Need, needs
from fs_dialer.cli.output import plural
from fs_dialer.cli.settings import Session
from fs_dialer.cli.snapshots import Written, ever_written
from fs_dialer.core.explain_engine import all_drained

if TYPE_CHECKING:
    from fs_dialer.core.definition import Campaign
    from fs_dialer.core.stored import StoredCommand
    from fs_dialer.db.figures import Troubles
    from fs_dialer.db.shapes import AgentLine, CampaignReport

RUN = "start it: fs-dialer run"
View = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is shown: what the database has, and what a daemon last wrote. `crews`: who serves each campaign, named or by a team."""

    reports: Sequence[CampaignReport]
    agents: Sequence[AgentLine]
    crews: Mapping[str, tuple[str, ...]]
    missed: Mapping[str, Missed30]
    written: Written | None
    commands: Sequence[StoredCommand]
    troubles: Troubles
    cps_limit: float

    @property
    def needs(self) -> list[Need]:
        """What needs somebody."""
        return needs(self.reports, self.written, self.troubles, self.missed, len(self.commands))

    @property
    def daemon_since_s(self) -> float | None:
        """For how long the active daemon was in charge when this was asked."""
        since = self.troubles.daemon_since
        return None if since is None else self.troubles.now - since

    @property
    def live(self) -> View | None:
        return self.written.snapshot if self.written is not None and self.written.fresh else None

    def view(self, campaign: str) -> View | None:
        """What the daemon sees of a campaign."""
        live = self.live
        return next((view for view in live["campaigns"] if view["id"] == campaign), None) if live is not None else None

    def statuses(self) -> dict[str, str]:
        """What every agent declared; of a running daemon it is the newest."""
        stored = {agent.id: agent.status for agent in self.agents}
        live = self.live
        return stored if live is None else stored | {agent["id"]: agent["status"] for agent in live["agents"]}


def standing(session: Session) -> Standing:
    """Ask the database for all of it."""
    with session.office() as office:
        reports = office.campaign_list()
        agents = office.agent_list()
        written = ever_written(office)
        windows = office.missed_windows({report.name: report.zone for report in reports})
        troubles = office.troubles()
    with session.definitions() as store:
        waiting = store.pending_commands()
        definitions: dict[str, Campaign] = {stored.campaign.id: stored.campaign for stored in store.campaigns()}
        teams = store.teams()
        cps = store.installation().cps
    missed = {report.name: Missed30(windows[report.name].last_30_days, ceiling(definitions.get(report.name))) for report in reports}
    crews = {}
    for report in reports:
        named = definitions[report.name].agents if report.name in definitions else None
        people = (*report.agents, *(person for team in (named.teams if named is not None else ()) for person in teams.get(team, ())))
        crews[report.name] = tuple(dict.fromkeys(people))
    return Standing(reports, agents, crews, missed, written, waiting, troubles, cps)


def ceiling(campaign: Campaign | None) -> float | None:
    """The most missed calls a campaign may have: its own and its profile's, the stricter; None = neither has one."""
    if campaign is None:
        return None
    own = getattr(getattr(campaign.options, "missed", None), "max", None)
    return min((each for each in (own, campaign.compliance.missed_max) if each is not None), default=None)


# --- of one campaign ---------------------------------------------------------------------------------------------------------------------


def state_of(report: CampaignReport, view: View | None) -> str:
    return report.state if view is None else str(view["state"])


def staying(seen: Standing, report: CampaignReport) -> tuple[int, int]:
    """How many could take calls, of how many: as the engine counts them, or by what they declared."""
    view = seen.view(report.name)
    if view is not None:
        return int(view["staying"]), int(view["crew"])
    crew, statuses = seen.crews[report.name], seen.statuses()
    return sum(statuses.get(agent) == "available" for agent in crew), len(crew)


def lines_of(report: CampaignReport, view: View | None) -> str:
    if view is None:
        return f"{report.open_attempts}?" if report.open_attempts else "-"  # up when a daemon last wrote it; nobody watches
    return f"{view['lines']}/{view['lines_limit']}" if view["lines_limit"] else str(view["lines"])


def why_of(seen: Standing, report: CampaignReport) -> str:
    """The engine's reason for what runs; the life-cycle's for what does not."""
    live, view = seen.live, seen.view(report.name)
    if report.state == "draining" and view is not None and view["lines"]:
        return f"{report.reason}: {plural(view['lines'], 'call is', 'calls are')} still up, then it ends"
    if report.state not in ("running", "draining"):
        return why(report)
    if live is None:
        return f"no daemon is running; {RUN}"
    if view is None:
        return "the daemon has not read it yet"
    if not live["store_up"]:
        return "the daemon can not reach the database: no new calls"
    if not live["switch_up"]:
        return "the switch is not connected: no new calls"
    if live["draining"]:
        return "the daemon is stopping: no new calls"
    if all_drained(live):
        return "every switch that is there is drained: no new calls"
    if float(live.get("lag_s", 0.0)) > LAG_S:
        return f"the daemon is {live['lag_s']:.1f} s behind: no new calls until it has caught up"
    because = _because(view, report)
    waits = report.newest_revision > report.revision
    return f"{because}; r{report.newest_revision} waits: fs-dialer approve {report.name}" if waits else because


def _because(view: View, report: CampaignReport) -> str:
    if not view["crew"] and report.type != "autocall":
        return f"it names no agents: {view['because']}" if view["because"] else "it names no agents"
    if view["crew"] and not view["staying"]:
        return f"none of its {plural(int(view['crew']), 'agent')} is available and reachable: fs-dialer agent list"
    return str(view["because"]) or why(report)
