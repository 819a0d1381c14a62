"""simulate: a day of a campaign in seconds, before it is started (X2).

Knows which files belong to a campaign's and how the figures are shown; the day itself is simulation.py's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import click

from fs_dialer.cli.command import command
from fs_dialer.cli.failures import Exit
from fs_dialer.cli.output import ago, moment, percent, plural
from fs_dialer.cli.people import load_people
from fs_dialer.cli.settings import Session
from fs_dialer.cli.simulation import DEFAULT_INSTALLATION, Figures, Setting, simulate
from fs_dialer.config.definitions import kind_of, read_unit
from fs_dialer.config.load import Definitions, load_paths, with_companions
from fs_dialer.config.yaml_source import read_yaml
from fs_dialer.core.definition import GatewayDefinition
from fs_dialer.core.model import GatewayId
from fs_dialer.errors import ConfigError, Problem
from fs_dialer.sim.people import PeopleModel

MOST_HOURS = 24.0 * 31


@command(
    "simulate",
    examples=(
        "fs-dialer simulate campaigns/progressive.yml",
        "fs-dialer simulate campaigns/progressive.yml --agents 25 --hours 8 --seed 7 --people people.yml --json",
    ),
    exits={Exit.REFUSED: "a file has problems"},
)
@click.argument("campaign_file", metavar="CAMPAIGN.yml", type=click.Path(path_type=Path))
@click.option("--agents", type=click.IntRange(1, 10_000), metavar="N", help="How many agents. Left out: as many as the file names.")
@click.option("--hours", type=click.FloatRange(0.01, MOST_HOURS), default=4.0, show_default=True, metavar="H", help="How many hours.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, metavar="S", help="The chance of the day: equal seeds, equal days.")
@click.option("--people", type=click.Path(path_type=Path), metavar="FILE", help="Who answers, how fast, talks how long. Left out: a common mix.")
@click.option("--leads", type=click.IntRange(1, 10_000_000), metavar="N", help="How long the list is. Left out: longer than the agents can call.")
def simulate_command(
    session: Session, campaign_file: Path, agents: int | None, hours: float, seed: int, people: Path | None, leads: int | None
) -> None:
    """What would a day of this campaign look like?

    The same engine that dials runs against a simulated switch and modelled people, in virtual time: nobody is called, and neither database nor switch is
    needed. The campaign's agents are replaced by N modelled ones with the same kinds of leg; agents.yml and installation.yml beside the file or one
    folder above it are heeded, and without them there are lines enough. It begins at the campaign's start time, or on a Monday, when its hours open.

    Equal files, options and seed give equal figures, to the last digit.
    """
    files = _load(campaign_file)
    (campaign,) = files.definitions.campaigns
    named = [agent for agent in files.definitions.agents if agent.id in campaign.agents.people]
    setting = Setting(
        campaign=campaign,
        installation=files.definitions.installation or DEFAULT_INSTALLATION,
        agents=tuple(named),
        people=load_people(people) if people else PeopleModel(),
        agent_count=agents or len(campaign.agents.people) or 1,
        hours=hours,
        seed=seed,
        leads=leads,
    )
    if not setting.installation.gateways:
        problem = Problem(str(files.installation), 0, 0, "gateways", "names no trunk, so nobody could be called: add one")
        raise ConfigError([problem])
    figures = simulate(setting)
    _show(session, figures, setting)
    session.result(figures)


# --- files ----------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Files:
    definitions: Definitions
    installation: Path | None  # the file


def _load(path: Path) -> Files:
    """The campaign with what lies around it. Where there is no agents.yml its agents are taken to exist, and so are its gateways without installation.yml."""
    paths = [each for each in with_companions([path]) if each.suffix in (".yml", ".yaml") or each == path]
    kinds = {each.stem for each in paths if each != path}
    campaign, people, gateways = _names_in(path)
    if not campaign:
        raise ConfigError([Problem(str(path), 0, 0, "", "this is no campaign; name one file, such as campaigns/spring.yml")])
    found = load_paths(
        paths, known_agents=() if "agents" in kinds else people, known_gateways=() if "installation" in kinds else gateways
    )
    if found.installation is None and gateways:
        trunks = tuple(GatewayDefinition(id=GatewayId(name)) for name in gateways)
        found = replace(found, installation=replace(DEFAULT_INSTALLATION, gateways=trunks))
    installation = next((source.path for source in found.sources if source.kind == "installation"), None)
    return Files(found, installation)


def _names_in(path: Path) -> tuple[bool, tuple[str, ...], tuple[str, ...]]:
    """Is it a campaign's file, and which agents and gateways does it name? Whatever else is wrong with it is told later."""
    try:
        data = path.read_bytes() if path.is_file() else b""
    except OSError:
        data = b""
    if not data:
        return not path.is_dir(), (), ()
    file = read_yaml(str(path), data)
    kind = kind_of(file)
    unit = read_unit(file, kind) if kind == "campaign" else None
    campaign = unit.campaign if unit else None
    if campaign is None:
        return file.root is None or kind in ("campaign", "unknown"), (), ()
    return True, campaign.agents.people, campaign.gateways


# --- the figures ----------------------------------------------------------------------------------------------------------------------


def _show(session: Session, f: Figures, setting: Setting) -> None:
    begins = moment(datetime.fromisoformat(f.starts_at).timestamp(), f.zone)
    hours = f"{f.hours:g} {'hour' if f.hours == 1 else 'hours'}"
    session.say(f"{f.campaign} ({f.type}): {plural(f.agents, 'agent')}, {hours} from {begins} in {f.zone}, {f.leads:,} leads, seed {f.seed}", "")

    def share(count: int) -> str:
        return percent(count / f.attempts) if f.attempts else "-"

    happened = sorted(((count, name) for name, count in f.outcomes.items() if count), reverse=True)
    rows = [("attempts", f"{f.attempts:,}", "")]
    rows += [(f"  {name.replace('_', ' ')}", f"{count:,}", share(count)) for count, name in happened]
    low, high = f.missed_rate_95
    waited = f"after waiting {f.average_wait_s:.1f} s on average, {f.longest_wait_s:.1f} s at most"
    rows += [
        ("", "", ""),
        ("answered", f"{f.answered:,}", f"{share(f.answered)} of attempts, by a person"),
        ("connected", f"{f.connected:,}", f"{waited}; then talking {f.average_talk_s:.0f} s"),
        ("missed", f"{f.missed:,}", f"{percent(f.missed_rate, 2)} of answered; {percent(low, 2)} to {percent(high, 2)} with 95% confidence"),
        ("", "", ""),
        ("agents busy", percent(f.utilisation), "of their time talking or in wrap-up"),
        ("calls", f"{f.calls_per_agent_hour:.1f}", "per agent and hour"),
        ("lines", f"{f.lines_peak:,}", f"at most at a time, of {f.lines_limit:,}; with the agents' own {f.legs_peak:,} of {f.legs_limit:,}"),
        ("leads left", f"{f.leads_left:,}", f"{f.leads_never_called:,} of them never called"),
    ]
    width = max(len(figure) for _, figure, _ in rows)
    session.say(*(f"{name:<16}{figure:>{width}}  {what}".rstrip() for name, figure, what in rows))
    if f.ended:
        session.note(f"It ended by itself after {ago(f.simulated_s)}: {f.ended}." + (" More leads: --leads N" if setting.leads is None else ""))
    elif not f.leads_never_called:
        session.note("Every lead was called, so agents may have waited for leads that were in their gap. More leads: --leads N")
    if f.legs_peak >= f.legs_limit:
        session.note(f"All {f.legs_limit:,} lines of the installation were in use at times; more agents would not have helped.")
