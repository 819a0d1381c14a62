"""status: what every campaign does now, and why, on one screen; and what needs somebody.

With a running daemon the engine's own words; without one what the database knows, and that no daemon is running.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fs_dialer.cli.campaigns import UNREACHABLE, open_leads
from fs_dialer.cli.command import command
from fs_dialer.cli.needs import lines
from fs_dialer.cli.output import Cell, ago, clean, folded, narrowed, plural, state_cell, table, terminal_width, wants_colour
from fs_dialer.cli.settings import Session
from fs_dialer.cli.standing import RUN, Standing, lines_of, standing, state_of, staying, why_of
from fs_dialer.cli.switches import not_ready

if TYPE_CHECKING:
    from fs_dialer.core.stored import StoredCommand
    from fs_dialer.db.shapes import CampaignReport


SPARE = ("TYPE", "MISSED 30d")  # left out where the terminal is too narrow for the reason
WHY_WIDTH = 30


@command("status", examples=("fs-dialer status", "watch fs-dialer status", "fs-dialer status --json"), exits=UNREACHABLE)
def status(session: Session) -> None:
    """What every campaign does now, and why; and below it what needs you, with the command for it.

    AGENTS: staying of crew: logged in, available and reachable, of those who serve the campaign. LINES: calls up or being dialled, of the campaign's limit.
    OPEN: leads that may still be called. MISSED 30d: of the calls that a person answered in the last 30 days, the share that met no agent in time, and the
    campaign's ceiling. WHY: the reason, and the command that mends it where there is one; cut to one line on a terminal, in
    full by `fs-dialer explain campaign` or into a pipe.
    """
    seen = standing(session)
    width = terminal_width(sys.stdout)
    if seen.reports:
        header = ("CAMPAIGN", "TYPE", "STATE", "AGENTS", "LINES", "OPEN", "MISSED 30d", "WHY")
        shown, rows = narrowed(header, [_row(seen, report) for report in seen.reports], SPARE, width, WHY_WIDTH)
        session.say(*table(shown, rows, right=header[3:7], width=width, colour=wants_colour(sys.stdout), cut=True))
    else:
        session.say("There is no campaign yet. Define one in a file, then: fs-dialer apply PATH")
    below = (_agents_line(seen), *queue_lines(seen), _daemon_line(seen), *_waiting_line(seen.commands))
    session.say(*(part for line in below for part in folded(line, width)), *lines(seen.needs, width))
    session.result(as_json(seen))


# --- the table ------------------------------------------------------------------------------------------------------------------------


def _row(seen: Standing, report: CampaignReport) -> tuple[str | Cell, ...]:
    view, missed = seen.view(report.name), seen.missed[report.name]
    return (
        report.name,
        report.type,
        state_cell(state_of(report, view)),
        "/".join(map(str, staying(seen, report))),
        lines_of(report, view),
        f"{open_leads(report):,}",
        Cell(str(missed), "red" if missed.too_many else ""),
        why_of(seen, report),
    )


# --- the lines below ------------------------------------------------------------------------------------------------------------------


def _agents_line(seen: Standing) -> str:
    live = seen.live
    counts = Counter(seen.statuses().values())
    ready = counts.pop("available", 0)
    doing = Counter(agent["state"] for agent in live["agents"] if agent["status"] == "available") if live else Counter[str]()
    states = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in sorted(doing.items(), key=lambda item: (-item[1], item[0])))
    others = [f"{count} {word.replace('_', ' ')}" for word, count in sorted(counts.items())]
    return f"{plural(len(seen.agents), 'agent')}: " + "; ".join([f"{ready} available" + (f" ({states})" if states else ""), *others])


def queue_lines(seen: Standing) -> list[str]:
    """A line for each queue of inbound callers; none where no daemon runs."""
    return [_queue_line(queue) for queue in (seen.live.get("queues", ()) if seen.live else ())]


def _queue_line(queue: Mapping[str, Any]) -> str:
    wait = "" if queue.get("wait_s") is None or not queue["waiting"] else f", about {ago(queue['wait_s'])} for the next"
    agents = f"{queue['staying']} of {plural(queue['crew'], 'agent')} there, {queue['idle']} free"
    ways = ("served", "called_back", "overflowed", "hung_up", "missed", "released", "lost")
    gone = ", ".join(f"{queue[way]} {way.replace('_', ' ')}" for way in ways if queue.get(way))
    since = f"; since the daemon started {gone}" if gone else ""
    return f"Queue {queue['name']}: {queue['waiting']} waiting{wait}, {queue['talking']} talking; {agents}{since}"


def _daemon_line(seen: Standing) -> str:
    written, live = seen.written, seen.live
    if written is None:
        return f"No daemon is running; {RUN}"
    if live is None:
        return f"No daemon is running: the last one was heard of {ago(written.age_s)} ago; {RUN}"
    switch = "connected" if live["switch_up"] else "NOT connected"
    if odd := not_ready(live):
        switch += f" ({odd})"
    store = "" if live["store_up"] else ", database NOT reachable"
    stopping = ", stopping" if live["draining"] else ""
    since = "" if seen.daemon_since_s is None else f" for {ago(seen.daemon_since_s)}"
    legs = f"{live['legs']} of {live['legs_limit']} lines in use"
    return f"The daemon is running{since}, seen {written.age_s:.0f} s ago{stopping}: switch {switch}{store}, {legs}"


def _waiting_line(waiting: Sequence[StoredCommand]) -> list[str]:
    if not waiting:
        return []
    first = waiting[0]
    verb = first.args.get("status", "") if first.verb == "agent_status" else first.verb
    return [f"{plural(len(waiting), 'command waits', 'commands wait')} for a daemon; the first: {verb} {first.target}, asked by {clean(first.who)}"]


# --- JSON -----------------------------------------------------------------------------------------------------------------------------


def as_json(seen: Standing) -> dict[str, Any]:
    """What `status --json` prints."""
    live, written, daemon = seen.live, seen.written, None
    if live is not None and written is not None:
        names = ("switch_up", "store_up", "draining", "legs", "legs_limit", "lag_s", "room")
        daemon = {name: live.get(name) for name in names} | {"seen_s_ago": round(written.age_s, 3), "up_s": seen.daemon_since_s}
    statuses = seen.statuses()
    states = {str(view["id"]): str(view["state"]) for view in live["agents"]} if live else {}
    return {
        "daemon": daemon,
        "last_seen_s_ago": None if written is None else round(written.age_s, 3),
        "campaigns": [_campaign_json(seen, report, statuses) for report in seen.reports],
        "agents": [{"agent": agent.id, "status": statuses[agent.id], "state": states.get(agent.id)} for agent in seen.agents],
        "queues": [dict(each) for each in live.get("queues", ())] if live else [],
        "gateways": [dict(each) for each in live.get("gateways", ())] if live else [],
        "switches": [dict(each) for each in live.get("switches", ())] if live else [],
        "breakers": [dict(each) for each in live.get("breakers", ())] if live else [],
        "commands_waiting": len(seen.commands),
        "needs": seen.needs,
    }


def _campaign_json(seen: Standing, report: CampaignReport, statuses: Mapping[str, str]) -> dict[str, Any]:
    view = seen.view(report.name)
    crew = seen.crews[report.name]
    told = {name: None if view is None else view[name] for name in ("lines", "lines_limit", "waiting", "staying", "idle", "promised", "hopper")}
    missed = seen.missed[report.name]
    return {
        "campaign": report.name,
        "type": report.type,
        "state": state_of(report, view),
        "why": why_of(seen, report),
        "agents": len(crew),
        "agents_available": sum(statuses.get(agent) == "available" for agent in crew),
        **told,
        "leads_open": open_leads(report),
        "attempts_today": report.attempts_today,
        "missed_today": report.missed_today,
        "outcomes_today": report.outcomes_today,
        "last_30_days": missed.count.to_json(),
        "missed_max": missed.most,
    }
