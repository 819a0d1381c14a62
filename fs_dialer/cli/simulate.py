"""simulate: a day of a campaign in seconds, before it is started (X2).

Knows the options and which files belong to a campaign's. The day itself is simulation/'s, how it is shown simulate_shown.py's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import click

from fs_dialer.cli.command import command
from fs_dialer.cli.failures import Exit
from fs_dialer.cli.people import load_people, read_people
from fs_dialer.cli.settings import Session
from fs_dialer.cli.simulate_learn import learn_people
from fs_dialer.cli.simulate_shown import Shown, several, shown_day, shown_seeds, shown_variants
from fs_dialer.config.definitions import kind_of, read_unit
from fs_dialer.config.load import Definitions, load_paths, with_companions
from fs_dialer.config.yaml_source import read_yaml
from fs_dialer.core.definition import GatewayDefinition
from fs_dialer.core.model import CampaignType, GatewayId
from fs_dialer.core.resources import Team
from fs_dialer.errors import ConfigError, Problem
from fs_dialer.sim.people import PeopleModel
from fs_dialer.simulation.jobs import cores, simulate_all
from fs_dialer.simulation.learning import Learnt, over
from fs_dialer.simulation.plots import SUFFIXES, draw
from fs_dialer.simulation.setting import DEFAULT_INSTALLATION, Setting, why_not
from fs_dialer.simulation.variants import MOST_AGENTS, MOST_HOURS, Question, Variant, question, types_of, varied

DAYS_COMPARED = 5  # of each variant, where --seeds is left out
MOST_SEEDS = 1000


@command(
    "simulate",
    examples=(
        "fs-dialer simulate campaigns/progressive.yml --agents 25 --hours 8 --people people.yml",
        "fs-dialer simulate campaigns/predictive.yml --agents 10 --hours 8 --seeds 20 --json",
        "fs-dialer simulate campaigns/predictive.yml --compare progressive,predictive --plot day.svg",
        "fs-dialer simulate campaigns/predictive.yml --what-if agents=8..20:4 --seeds 10",
        "fs-dialer simulate campaigns/spring.yml --learn spring --days 30 --write-people people.yml",
    ),
    exits={Exit.REFUSED: "a file has problems, or a campaign of this type cannot be simulated", Exit.UNREACHABLE: "with --learn: the database is away"},
)
@click.argument("campaign_file", metavar="[CAMPAIGN.yml]", required=False, type=click.Path(path_type=Path))
@click.option("--agents", type=click.IntRange(1, MOST_AGENTS), metavar="N", help="How many agents. Left out: as many as the file names.")
@click.option("--hours", type=click.FloatRange(0.01, MOST_HOURS), default=4.0, show_default=True, metavar="H", help="How many hours.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, metavar="S", help="The chance of the day: equal seeds, equal days.")
@click.option("--seeds", type=click.IntRange(1, MOST_SEEDS), metavar="N", help=f"So many days, from seed S on: a forecast. Compared: {DAYS_COMPARED} each.")
@click.option("--people", type=click.Path(path_type=Path), metavar="FILE", help="Who answers, how fast, talks how long. Left out: a common mix.")
@click.option("--leads", type=click.IntRange(1, 10_000_000), metavar="N", help="How long the list is. Left out: longer than the agents can call.")
@click.option("--compare", metavar="TYPE,TYPE", help="The same people and days as other campaign types too: progressive,predictive.")
@click.option("--what-if", metavar="SETTING=VALUES", help="A setting at several values: agents=8..20, agents=8..20:4, missed=1%..5%, ring=15s,25s.")
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE", help="Draw utilisation, missed rate and lines: a .svg or .png file.")
@click.option("--jobs", type=click.IntRange(1, 256), metavar="N", help="How many days at a time. Left out: one for each core.")
@click.option("--learn", metavar="CAMPAIGN", help="People as this campaign's calls in the database show them; over --people where both are given.")
@click.option("--days", type=click.IntRange(1, 3650), default=30, show_default=True, metavar="N", help="With --learn: of how many days back.")
@click.option("--write-people", type=click.Path(path_type=Path), metavar="FILE", help="With --learn: write what was learnt as a people.yml.")
def simulate_command(
    session: Session,
    campaign_file: Path | None,
    agents: int | None,
    hours: float,
    seed: int,
    seeds: int | None,
    people: Path | None,
    leads: int | None,
    compare: str | None,
    what_if: str | None,
    plot: Path | None,
    jobs: int | None,
    learn: str | None,
    days: int,
    write_people: Path | None,
) -> None:
    """What would a day of this campaign look like?

    The same engine that dials runs against a simulated switch and modelled people, in virtual time: nobody is called, and neither database nor switch is
    needed. The campaign's agents are replaced by N modelled ones with the same kinds of leg; agents.yml and installation.yml beside the file or one
    folder above it are heeded, and without them there are lines enough. It begins at the campaign's start time, or on a Monday, when its hours open.

    One day is one sample: --seeds N simulates N days, --compare and --what-if put several campaigns side by side, with the same people on the same days.
    With --learn alone nothing is simulated, and what was learnt is told.

    Equal files, options and seeds give equal figures, to the last digit, however many --jobs there are.
    """
    if write_people is not None and learn is None:
        raise click.UsageError("--write-people needs --learn: whose people?")
    if plot is not None and plot.suffix not in SUFFIXES:
        raise click.UsageError(f"--plot {plot}: name a file that ends in {' or '.join(SUFFIXES)}")
    if campaign_file is None and learn is None:
        raise click.UsageError("name the campaign's file, as in: fs-dialer simulate campaigns/spring.yml")
    setting = _setting(campaign_file, agents, hours, seed, leads) if campaign_file is not None else None
    asked, types = (None, ()) if setting is None else _asked(setting, what_if, compare)
    learnt = learn_people(session, learn, days, write_people) if learn is not None else None
    if setting is None or campaign_file is None:
        session.result({"learnt": learnt})
        return
    setting = replace(setting, people=_people(people, learnt))
    variants = _variants(setting, asked, types, campaign_file)
    if asked is None and len(variants) == 1 and seeds is None:
        shown = shown_day(session, simulate_all([setting], 1)[0], setting, leads_given=leads is not None)
    else:
        found = several(session, variants, seeds or (DAYS_COMPARED if len(variants) > 1 or asked else 1), jobs or cores())
        shown = shown_seeds(session, found[0]) if asked is None and len(variants) == 1 else shown_variants(session, found, asked)
    _finish(session, shown, learnt, plot)


def _finish(session: Session, shown: Shown, learnt: Learnt | None, plot: Path | None) -> None:
    if plot is not None:
        draw(shown.picture, plot)
        session.note(f"drawn: {plot}")
    session.result({**shown.result, **({"learnt": learnt} if learnt is not None else {})})


def _people(file: Path | None, learnt: Learnt | None) -> PeopleModel:
    if learnt is not None:
        return PeopleModel.from_mapping(over(read_people(file) if file is not None else {}, learnt.people))
    return load_people(file) if file is not None else PeopleModel()


def _asked(setting: Setting, what_if: str | None, compare: str | None) -> tuple[Question | None, tuple[CampaignType, ...]]:
    """What is varied; misuse of the options is told before anything long is done."""
    try:
        types = types_of(compare) if compare is not None else ()
    except ValueError as wrong:
        raise click.UsageError(f"--compare {compare}: {wrong}") from None
    try:
        return (question(what_if, setting) if what_if is not None else None), types
    except ValueError as wrong:
        raise click.UsageError(f"--what-if {what_if}: {wrong}") from None


def _variants(setting: Setting, asked: Question | None, types: tuple[CampaignType, ...], file: Path) -> list[Variant]:
    if not types and (why := why_not(setting.campaign.type)):
        raise ConfigError([_at_type(file, why)])
    try:
        return varied(setting, asked, types)
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None


# --- files ----------------------------------------------------------------------------------------------------------------------------


def _setting(file: Path, agents: int | None, hours: float, seed: int, leads: int | None) -> Setting:
    files = _load(file)
    (campaign,) = files.definitions.campaigns
    crew = _crew(files.definitions)
    setting = Setting(
        campaign=campaign,
        installation=files.definitions.installation or DEFAULT_INSTALLATION,
        agents=tuple(agent for agent in files.definitions.agents if agent.id in crew),
        agent_count=agents or len(crew) or 1,
        hours=hours,
        seed=seed,
        leads=leads,
    )
    if not setting.installation.gateways:
        raise ConfigError([Problem(str(files.installation), 0, 0, "gateways", "names no trunk, so nobody could be called: add one")])
    return setting


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
    found = load_paths(paths, known_agents=() if "agents" in kinds else people, known_gateways=() if "installation" in kinds else gateways)
    if found.installation is None and gateways:
        trunks = tuple(GatewayDefinition(id=GatewayId(name)) for name in gateways)
        found = replace(found, installation=replace(DEFAULT_INSTALLATION, gateways=trunks))
    installation = next((source.path for source in found.sources if source.kind == "installation"), None)
    return Files(found, installation)


def _crew(definitions: Definitions) -> dict[str, None]:
    """Everybody who serves the campaign, once each: people, then those in its teams."""
    (campaign,) = definitions.campaigns
    teams = [definitions.library.named.get(("teams", name)) for name in campaign.agents.teams]
    return dict.fromkeys([*campaign.agents.people, *(each for team in teams if isinstance(team, Team) for each in team.people)])


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


def _at_type(path: Path, text: str) -> Problem:
    """A problem at the line that says the campaign's type."""
    file = read_yaml(str(path), path.read_bytes())
    entry = file.root.entries.get("type") if file.root is not None else None
    return Problem(str(path), 0, 0, "type", text) if entry is None else file.problem(entry.value, "type", text)
