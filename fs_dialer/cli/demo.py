"""`demo`: a whole campaign on this machine, live: embedded PostgreSQL, a simulated switch over real TCP, the daemon, modelled people.

Set up by the commands a user would type. Nobody is called: the switch and everybody on it are simulated.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from fs_dialer.cli.command import command
from fs_dialer.cli.failures import Exit
from fs_dialer.cli.live_table import Screen
from fs_dialer.cli.rig import CAMPAIGN, Rig, rig, write_definitions
from fs_dialer.cli.settings import Session
from fs_dialer.config.daemon import load_settings
from fs_dialer.core.model import CampaignId
from fs_dialer.core.snapshot import Snapshot
from fs_dialer.errors import FsDialerError

LEADS_PER_AGENT_AND_S = 0.5
LEADS_LEAST = 3000


@command(
    "demo",
    examples=("fs-dialer demo", "fs-dialer demo --for 60 --json"),
    exits={Exit.DONE: "it ran, and engine, database and switch counted the same calls", Exit.FAILED: "it failed, or they did not"},
)
@click.option("--for", "for_s", type=click.IntRange(min=1), help="Stop originating after so many seconds, drain, and end. Default: until Ctrl-C.")
@click.option("--agents", type=click.IntRange(1, 200), default=10, show_default=True, help="Modelled agents; half of them on nailed legs.")
@click.option("--seed", type=int, default=7, show_default=True, help="Another seed, other people.")
def demo(session: Session, for_s: int | None, agents: int, seed: int) -> None:
    """Show a campaign running, from nothing, on this machine alone.

    A database, a simulated switch and modelled people are started here and gone afterwards. With --json the totals come as one line at the end.
    """
    session.note("starting a database and a simulated switch ...")
    with rig() as world:
        _set_up(world, agents, seed, max(LEADS_LEAST, int(LEADS_PER_AGENT_AND_S * agents * (for_s or 3600))))
        session.note("the campaign runs; Ctrl-C drains and ends it, Ctrl-C twice ends it at once")
        code, last = _run(session, world, for_s)
        totals = _totals(world, last)
    session.say(*_lines(totals))
    session.result(totals)
    sys.exit(code or (Exit.DONE if _agree(totals) else Exit.FAILED))


def _set_up(world: Rig, agents: int, seed: int, leads: int) -> None:
    import yaml

    from fs_dialer.paths import conf_dir

    people = yaml.safe_load((conf_dir() / "demo" / "people.yml").read_text(encoding="utf-8"))
    world.start_switch(people, seed)
    place = write_definitions(world.folder, agents=agents, leads=leads, nailed=agents - agents // 2, cps=20, lines=agents * 4)
    world.command("db", "migrate")
    world.command("apply", str(place))
    world.command("lead", "import", str(place / "leads.csv"), "--campaign", CAMPAIGN)
    order_start(world)
    order_agents(world, agents)


def order_start(world: Rig) -> None:
    """Commands wait in the database and are carried out, in order, as soon as the daemon runs."""
    _order(world, [(verb, CAMPAIGN, {}) for verb in ("approve", "start")])


def order_agents(world: Rig, agents: int) -> None:
    """Every agent is available."""
    _order(world, [("agent_status", f"agent-{n}", {"status": "available"}) for n in range(1, agents + 1)])


def _order(world: Rig, commands: Sequence[tuple[str, str, dict[str, str]]]) -> None:
    from fs_dialer.db.backoffice import Backoffice

    office = Backoffice(world.dsn)
    for verb, target, words in commands:
        office.submit_command(verb, target, words, "demo")
    office.close()


def _run(session: Session, world: Rig, for_s: int | None) -> tuple[int, Snapshot]:
    import gevent

    from fs_dialer.cli.run import make_daemon, set_up_logging

    screen = Screen()
    log = open(world.folder / "daemon.log", "w", encoding="utf-8")  # noqa: SIM115 - it outlives this function's daemon
    set_up_logging("info", log)
    daemon = make_daemon(load_settings(None, {**os.environ, **world.environ}), lambda snapshot: screen.show(snapshot, "fs-dialer demo: nobody is called"))
    timer = gevent.spawn_later(for_s, daemon.drain) if for_s is not None else None
    try:
        code = daemon.run()
    finally:
        if timer is not None:
            timer.kill()
        log.close()
    if code:
        with contextlib.suppress(OSError):
            session.note((world.folder / "daemon.log").read_text(encoding="utf-8")[-4000:])
    return code, daemon.dialer.snapshot()


def _totals(world: Rig, last: Snapshot) -> dict[str, Any]:
    """Engine, database and switch are asked each for itself, so that they can disagree."""
    from fs_dialer.db.backoffice import Backoffice

    office = Backoffice(world.dsn)
    counters = world.counters()
    mine = [c for c in last.campaigns if c.id == CAMPAIGN]
    if not mine:
        raise FsDialerError("the demonstration's campaign never came up")
    totals = {
        "attempts": mine[0].attempts,
        "outcomes": {outcome.value: count for outcome, count in mine[0].outcomes.items() if count},
        "database_attempts": office.attempts_count(CampaignId(CAMPAIGN)),
        "switch_calls": counters["lead_legs"],
        "agent_legs": counters["agent_legs"],
        "switch_refusals": mine[0].refused_without_leg,
    }
    office.close()
    return totals


def _agree(totals: dict[str, Any]) -> bool:
    """Engine, database and switch counted the same calls."""
    attempts = totals["attempts"]
    return bool(attempts == sum(totals["outcomes"].values()) == totals["database_attempts"] == totals["switch_calls"] + totals["switch_refusals"])


def _lines(totals: dict[str, Any]) -> list[str]:
    legs = f"{totals['switch_calls']:,} customer legs and {totals['agent_legs']:,} agent legs"
    return [
        "",
        *(f"  {name:<14}{count:>7,}" for name, count in sorted(totals["outcomes"].items(), key=lambda item: -item[1])),
        f"  {'in all':<14}{totals['attempts']:>7,}   in the database {totals['database_attempts']:,}",
        f"  the switch made {legs}, and refused {totals['switch_refusals']:,} calls",
    ]
