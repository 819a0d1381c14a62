"""status: what every campaign does now, and why, on one screen.

With a running daemon the engine's own words; without one what the database knows, and that no daemon is running.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fs_dialer.cli.campaigns import UNREACHABLE, missed, open_leads, why
from fs_dialer.cli.command import command
from fs_dialer.cli.output import ago, clean, plural, state_cell
from fs_dialer.cli.settings import Session
from fs_dialer.cli.snapshots import Written, ever_written

if TYPE_CHECKING:
    from fs_dialer.core.stored import StoredCommand
    from fs_dialer.db.shapes import AgentLine, CampaignReport

RUN = "start it: fs-dialer run"


@command("status", examples=("fs-dialer status", "watch fs-dialer status", "fs-dialer status --json"), exits=UNREACHABLE)
def status(session: Session) -> None:
    """What every campaign does now, and why.

    AGENTS: available of those on the campaign's list. LINES: calls up or being dialled, of the campaign's limit. OPEN: leads that may still be called.
    MISSED: share of today's calls answered by a person that met no agent in time. WHY: the reason, and the command that mends it where there is one.
    """
    with session.office() as office:
        reports = office.campaign_list()
        agents = office.agent_list()
        written = ever_written(office)
    with session.definitions() as store:
        waiting = store.pending_commands()
    live = written.snapshot if written is not None and written.fresh else None
    views = {view["id"]: view for view in live["campaigns"]} if live else {}
    statuses = _statuses(agents, live)
    rows = [
        (
            report.name,
            report.type,
            state_cell(_state(report, views)),
            f"{sum(statuses.get(agent) == 'available' for agent in report.agents)}/{len(report.agents)}",
            _lines(report, views.get(report.name)),
            f"{open_leads(report):,}",
            missed(report),
            _why(report, views.get(report.name), live),
        )
        for report in reports
    ]
    if rows:
        session.table(("CAMPAIGN", "TYPE", "STATE", "AGENTS", "LINES", "OPEN", "MISSED", "WHY"), rows, right="AGENTS LINES OPEN MISSED")
    else:
        session.say("There is no campaign yet. Define one in a file, then: fs-dialer apply PATH")
    session.say(_agents_line(agents, statuses, live), _daemon_line(written), *_waiting_line(waiting))
    session.result(_as_json(reports, agents, written, live) | {"commands_waiting": len(waiting)})


def _statuses(agents: list[AgentLine], live: Mapping[str, Any] | None) -> dict[str, str]:
    stored = {agent.id: agent.status for agent in agents}
    return stored if live is None else stored | {agent["id"]: agent["status"] for agent in live["agents"]}


def _state(report: CampaignReport, views: Mapping[str, Any]) -> str:
    return str(views[report.name]["state"]) if report.name in views else report.state


def _lines(report: CampaignReport, view: Mapping[str, Any] | None) -> str:
    if view is None:
        return f"{report.open_attempts}?" if report.open_attempts else "-"  # up when a daemon last wrote it; nobody watches
    return f"{view['lines']}/{view['lines_limit']}" if view["lines_limit"] else str(view["lines"])


def _why(report: CampaignReport, view: Mapping[str, Any] | None, live: Mapping[str, Any] | None) -> str:
    """The engine's reason for what runs; the life-cycle's for what does not."""
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
    because = str(view["because"]) or why(report)
    waits = report.newest_revision > report.revision
    return f"{because}; r{report.newest_revision} waits: fs-dialer approve {report.name}" if waits else because


def _agents_line(agents: list[AgentLine], statuses: Mapping[str, str], live: Mapping[str, Any] | None) -> str:
    counts = Counter(statuses.values())
    ready = counts.pop("available", 0)
    doing = Counter(agent["state"] for agent in live["agents"] if agent["status"] == "available") if live else Counter[str]()
    states = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in sorted(doing.items(), key=lambda item: (-item[1], item[0])))
    others = [f"{count} {word.replace('_', ' ')}" for word, count in sorted(counts.items())]
    return f"{plural(len(agents), 'agent')}: " + "; ".join([f"{ready} available" + (f" ({states})" if states else ""), *others])


def _daemon_line(written: Written | None) -> str:
    if written is None:
        return f"No daemon is running; {RUN}"
    if not written.fresh:
        return f"No daemon is running: the last one was heard of {ago(written.age_s)} ago; {RUN}"
    seen = written.snapshot
    switch = "connected" if seen["switch_up"] else "NOT connected"
    store = "" if seen["store_up"] else ", database NOT reachable"
    stopping = ", stopping" if seen["draining"] else ""
    return f"The daemon is running, seen {written.age_s:.0f} s ago{stopping}: switch {switch}{store}, {seen['legs']} of {seen['legs_limit']} lines in use"


def _waiting_line(waiting: Sequence[StoredCommand]) -> list[str]:
    if not waiting:
        return []
    first = waiting[0]
    verb = first.args.get("status", "") if first.verb == "agent_status" else first.verb
    return [f"{plural(len(waiting), 'command waits', 'commands wait')} for a daemon; the first: {verb} {first.target}, asked by {clean(first.who)}"]


def _as_json(reports: list[CampaignReport], agents: list[AgentLine], written: Written | None, live: Mapping[str, Any] | None) -> dict[str, Any]:
    daemon = None
    if live is not None and written is not None:
        daemon = {name: live[name] for name in ("switch_up", "store_up", "draining", "legs", "legs_limit")} | {"seen_s_ago": round(written.age_s, 3)}
    views = {view["id"]: view for view in live["campaigns"]} if live else {}
    statuses = _statuses(agents, live)
    return {
        "daemon": daemon,
        "last_seen_s_ago": None if written is None else round(written.age_s, 3),
        "campaigns": [
            {
                "campaign": report.name,
                "type": report.type,
                "state": _state(report, views),
                "why": _why(report, views.get(report.name), live),
                "agents": len(report.agents),
                "agents_available": sum(statuses.get(agent) == "available" for agent in report.agents),
                "lines": views[report.name]["lines"] if report.name in views else None,
                "lines_limit": views[report.name]["lines_limit"] if report.name in views else None,
                "waiting": views[report.name]["waiting"] if report.name in views else None,
                "leads_open": open_leads(report),
                "attempts_today": report.attempts_today,
                "missed_today": report.missed_today,
                "outcomes_today": report.outcomes_today,
            }
            for report in reports
        ],
        "agents": [
            {"agent": agent.id, "status": statuses[agent.id], "state": state} for agent in agents for state in [_agent_state(agent.id, live)]
        ],
    }


def _agent_state(agent: str, live: Mapping[str, Any] | None) -> str | None:
    return next((str(view["state"]) for view in live["agents"] if view["id"] == agent), None) if live else None
