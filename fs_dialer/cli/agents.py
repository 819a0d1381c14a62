"""agent list, agent available, agent not-available, agent log-out: who takes calls.

Changes no status: that is the daemon's, asked for by a command in the database.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from fs_dialer.cli.campaigns import UNREACHABLE, deadline, told
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import ago, natural, state_cell
from fs_dialer.cli.settings import Session, nearest_name, who
from fs_dialer.cli.snapshots import last_written

if TYPE_CHECKING:
    from fs_dialer.db.shapes import AgentLine

EXITS = {
    Exit.DONE: "done, or queued because no daemon is running",
    Exit.FAILED: "there is no such agent, or the daemon refused; with several agents the others are done",
    Exit.UNREACHABLE: "the database was not reachable; nothing was asked",
}
WHOM = click.argument("agents", metavar="AGENT...", nargs=-1)
ALL = click.option("--all", "everybody", is_flag=True, help="All agents that are defined.")


@command("list", examples=("fs-dialer agent list", "fs-dialer agent list --json"), exits=UNREACHABLE)
def agent_list(session: Session) -> None:
    """All agents: the status they declared and since when, what they are doing now, their phones and campaigns.

    STATE is what the daemon sees (idle, ringing, talking, wrap-up …); `-` while no daemon is running.
    """
    with session.office() as office:
        agents = sorted(office.agent_list(), key=lambda agent: natural(agent.id))
        live = last_written(office)
    now = time.time()
    states = {} if live is None else {agent["id"]: agent["state"] for agent in live.snapshot["agents"]}
    rows = [
        (
            agent.id,
            agent.name,
            state_cell(agent.status),
            ago(now - agent.status_at),
            states.get(agent.id, "-").replace("_", " "),
            agent.leg,
            agent.dial_string,
            ", ".join(agent.campaigns) or "none",
            agent.reason,
        )
        for agent in agents
    ]
    if rows:
        session.table(("AGENT", "NAME", "STATUS", "FOR", "STATE", "LEG", "PHONE", "CAMPAIGNS", "REASON"), rows, right="FOR")
    else:
        session.say("There are no agents yet. Define them in agents.yml, then: fs-dialer apply PATH")
    session.result({"agents": [_agent_json(agent, states.get(agent.id)) for agent in agents]})


def _agent_json(agent: AgentLine, state: str | None) -> dict[str, object]:
    return {**asdict(agent), "state": state}


@command("available", examples=("fs-dialer agent available lan", "fs-dialer agent available --all"), exits=EXITS)
@WHOM
@ALL
def available(session: Session, agents: tuple[str, ...], everybody: bool) -> None:
    """Let agents take calls. An agent with a nailed leg is called once now, and stays on the line."""
    _declare(session, agents, everybody, {"status": "available", "reason": ""})


@command("not-available", examples=("fs-dialer agent not-available lan --reason lunch", "fs-dialer agent not-available --all"), exits=EXITS)
@WHOM
@ALL
@click.option("--reason", default="", metavar="TEXT", help="Why, for the reports: lunch, training …")
def not_available(session: Session, agents: tuple[str, ...], everybody: bool, reason: str) -> None:
    """Stop giving calls to agents. A call that is up goes on; the status takes effect after it."""
    _declare(session, agents, everybody, {"status": "not_available", "reason": reason})


@command("log-out", examples=("fs-dialer agent log-out lan", "fs-dialer agent log-out --all --reason 'end of shift'"), exits=EXITS)
@WHOM
@ALL
@click.option("--reason", default="", metavar="TEXT", help="Why, for the reports.")
def log_out(session: Session, agents: tuple[str, ...], everybody: bool, reason: str) -> None:
    """Agents go: no calls, and a nailed leg is hung up. A call that is up goes on; the status takes effect after it."""
    _declare(session, agents, everybody, {"status": "logged_out", "reason": reason})


def _declare(session: Session, names: tuple[str, ...], everybody: bool, args: dict[str, str]) -> None:
    """Ask for all of them at once, then wait for the answers together."""
    if everybody == bool(names):
        raise click.UsageError("name agents, or say --all")
    with session.office() as office:
        known = sorted((agent.id for agent in office.agent_list()), key=natural)
        wanted = list(dict.fromkeys(known if everybody else names))
        if unknown := [name for name in wanted if name not in known]:
            advice = "which there are: fs-dialer agent list" if known else "none is defined yet: fs-dialer apply PATH"
            raise CommandFailed(f"there is no agent {unknown[0]}{nearest_name(unknown[0], known)}; nothing was asked", advice)
        asked = {name: office.submit_command("agent_status", name, args, who()) for name in wanted}
        until = deadline()
        answers = {name: told(office, id, until) for name, id in asked.items()}
    texts = {name: text.removeprefix(f"{name}: ").replace("_", " ") for name, (_, text) in answers.items()}
    for name, (result, _) in answers.items():
        if result == "refused":
            session.note(f"fs-dialer: {name} was not changed: {texts[name]}")
        else:
            session.say(f"{name}: {texts[name]}")
    session.result({"status": args["status"], "agents": [{"agent": name, "result": answers[name][0], "text": texts[name]} for name in answers]})
    if any(result == "refused" for result, _ in answers.values()):
        raise click.exceptions.Exit(Exit.FAILED)
