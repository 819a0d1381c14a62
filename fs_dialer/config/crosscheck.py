"""What settings and files say about each other: names that must exist, times that contradict.

Judges only settings that were read without a problem, so that one mistake is told once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePath

from fs_dialer.config.definitions import Unit
from fs_dialer.config.values import nearest, show_duration, show_moment
from fs_dialer.core.definition import AgentDefinition, Campaign
from fs_dialer.core.model import CampaignType, LegKind

WITHOUT_AGENTS = frozenset({CampaignType.AUTOCALL})


def check_together(units: Sequence[Unit], agents: Mapping[str, AgentDefinition | None], gateways: Collection[str]) -> None:
    """Add to each unit's problems. `agents`: all that exist, None where only the name is known; `gateways`: all that exist."""
    _check_doubles(units)
    for unit in units:
        if unit.campaign is not None:
            _check_window(unit, unit.campaign)
            _check_names(unit, unit.campaign, agents, gateways)
            _check_waiting(unit, unit.campaign, agents)


def _check_doubles(units: Sequence[Unit]) -> None:
    campaigns: dict[str, Unit] = {}
    agents: dict[str, Unit] = {}
    installation: Unit | None = None
    for unit in units:
        if unit.kind == "campaign":
            campaign_id = PurePath(unit.file.name).stem
            first = campaigns.setdefault(campaign_id, unit)
            if first is not unit:
                text = f"{first.file.name} is a campaign of the same name: file names must differ, even in different folders"
                unit.file.problems.append(unit.file.problem_at(0, 0, "", text))
        for agent_id in unit.agents:
            first = agents.setdefault(agent_id, unit)
            if first is not unit:
                unit.form.tell(f"agents.{agent_id}", f"this agent is defined in {first.file.name} as well: keep one")
        if unit.kind == "installation":
            if installation is not None:
                text = f"the installation is described in {installation.file.name} as well: keep one"
                unit.file.problems.append(unit.file.problem_at(0, 0, "", text))
            installation = installation or unit


def _check_window(unit: Unit, campaign: Campaign) -> None:
    window = campaign.window
    if unit.form.clean("window") and window.start is not None and window.end is not None and window.end <= window.start:
        ends, starts = show_moment(window.end, window.zone), show_moment(window.start, window.zone)
        unit.form.tell("window.until", f"{ends} is not after `from`, {starts}")


def _check_names(unit: Unit, campaign: Campaign, agents: Collection[str], gateways: Collection[str]) -> None:
    for agent in campaign.agents.people:
        if agent not in agents:
            _tell_item(unit, "agents.people", agent, f"`{agent}` is no agent we know{_near(nearest(agent, agents))}; agents stand in agents.yml")
    for gateway in campaign.gateways:
        if gateway not in gateways:
            text = f"`{gateway}` is no gateway we know{_near(nearest(gateway, gateways))}; gateways stand in installation.yml"
            _tell_item(unit, "gateways", gateway, text)
    if not campaign.agents.people and campaign.type not in WITHOUT_AGENTS and unit.form.clean("agents.people", "type"):
        text = f"nobody serves this campaign, and a {campaign.type.value} campaign needs agents: write agents: {{people: [lan, hoa]}}"
        unit.form.tell("agents.people", text)


def _check_waiting(unit: Unit, campaign: Campaign, agents: Mapping[str, AgentDefinition | None]) -> None:
    """An agent's phone that may ring longer than the customer waits would make missed calls (S46, S47); nailed legs do not ring (D10)."""
    form, ring_s, wait_s = unit.form, campaign.agent_ring_s, campaign.waiting.at_most_s
    serving = [agents.get(agent) for agent in campaign.agents.people]
    never_rings = serving and all(each and each.leg is LegKind.NAILED for each in serving)
    if ring_s < wait_s or never_rings or not form.clean("agent_ring", "waiting.at_most"):
        return
    ring = show_duration(ring_s) + ("" if form.place("agent_ring") else ", the default")
    wait = show_duration(wait_s) + ("" if form.place("waiting.at_most") else ", the default")
    because = "or the customer is let go while the first agent's phone rings"
    if form.place("waiting.at_most"):
        form.tell("waiting.at_most", f"{wait} must be longer than agent_ring ({ring}), {because}")
    else:
        form.tell("agent_ring", f"{ring} must be shorter than waiting.at_most ({wait}), {because}")


def _tell_item(unit: Unit, path: str, item: str, text: str) -> None:
    """A problem with one item of a list, at that item's own place."""
    node = unit.form.place(f"{path}.{item}")
    if node is None:
        unit.form.tell(path, text)
    else:
        unit.form.note(node, path, text)


def _near(guess: str | None) -> str:
    return f"; nearest: {guess}" if guess else ""
