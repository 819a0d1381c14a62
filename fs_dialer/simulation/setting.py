"""What is simulated: a campaign, the installation it runs in, the people, how long, and which day's chance.

Values only, which other processes can be handed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from fs_dialer.core.definition import AgentDefinition, Campaign, CampaignAgents, GatewayDefinition, Installation
from fs_dialer.core.model import AgentId, CampaignType, GatewayId, LegKind
from fs_dialer.core.options import declared
from fs_dialer.core.schedule import hours_verdict
from fs_dialer.modes import OFFERED, SETTINGS
from fs_dialer.modes import predictive as predictive_mode
from fs_dialer.sim.people import Crowd, PeopleModel, Requests

LEADS_PER_LINE_HOUR = 180.0  # of autocall: a call every twenty seconds
LEADS_PER_AGENT_HOUR = 120
PREDICTIVE_LEADS_PER_AGENT_HOUR = 300  # where lines, not agents, are what limits the calls
USUAL_ANSWER_RATE = 0.3  # at which so many are enough
REQUESTS_PER_AGENT_HOUR = 8.0  # where the people say nothing of requests for a callback
# A Monday in winter: no clock change is near, and every simulated week is alike.
MONDAY = (2026, 1, 5)
WORK_BEGINS = 9  # o'clock, where a campaign has no working hours
# Without installation.yml: enough lines for any number of agents, through one trunk.
DEFAULT_INSTALLATION = Installation(lines=1000, cps=50.0, gateways=(GatewayDefinition(id=GatewayId("simulated")),))


@dataclass(frozen=True, slots=True)
class Setting:
    """`agents`: whose kinds of leg the modelled agents have, in turn; () = phones that ring for each call."""

    campaign: Campaign
    installation: Installation = DEFAULT_INSTALLATION
    agents: tuple[AgentDefinition, ...] = ()
    people: PeopleModel = PeopleModel()
    agent_count: int = 10
    hours: float = 4.0
    seed: int = 1
    leads: int | None = None  # None: more than the agents can call

    @property
    def lead_count(self) -> int:
        """At the beginning. Whoever wants to be called back comes during the day."""
        if self.leads is not None:
            return self.leads
        if self.campaign.type is CampaignType.CALLBACK:
            return 0
        if self.campaign.type is CampaignType.AUTOCALL:
            return math.ceil((self.campaign.lines or self.installation.lines) * self.hours * LEADS_PER_LINE_HOUR)
        often = max(1.0, USUAL_ANSWER_RATE / max(0.01, answer_rate(self.people.customers)))
        rate = PREDICTIVE_LEADS_PER_AGENT_HOUR if self.campaign.type is CampaignType.PREDICTIVE else LEADS_PER_AGENT_HOUR
        return math.ceil(self.agent_count * self.hours * rate * often)

    @property
    def requests(self) -> tuple[Requests, ...]:
        """How often callers ask to be called back; none in campaigns of other types."""
        if self.campaign.type is not CampaignType.CALLBACK:
            return ()
        return self.people.requests or (Requests(0, 1440, REQUESTS_PER_AGENT_HOUR * self.agent_count),)

    @property
    def ceiling(self) -> float | None:
        """Most missed calls of those answered, 0.0–1.0; None where the campaign has no such limit."""
        if self.campaign.type is not CampaignType.PREDICTIVE:
            return None
        options, strict = self.campaign.options, self.campaign.compliance.missed_max
        most = options.missed.max if isinstance(options, predictive_mode.Options) else predictive_mode.Missed().max
        return most if strict is None else min(most, strict)


def answer_rate(crowd: Crowd) -> float:
    """The share of calls that a person answers."""
    total = sum(weight for _, weight in crowd.outcomes)
    return sum(weight for name, weight in crowd.outcomes if name == "person") / total if total else 0.0


def as_type(setting: Setting, campaign_type: CampaignType) -> Setting:
    """The same campaign as one of another type, whose own settings are at their defaults. ValueError where one of them has none."""
    if campaign_type is setting.campaign.type:
        return setting
    options = SETTINGS[campaign_type]
    required = [key for key, each in declared(options).items() if each.default is each.default_factory]  # both MISSING
    if required:
        raise ValueError(f"a campaign of type {campaign_type.value} needs `{required[0]}`, which a {setting.campaign.type.value} campaign has not")
    return replace(setting, campaign=replace(setting.campaign, type=campaign_type, options=options()))


def why_not(campaign_type: CampaignType) -> str:
    """Why campaigns of this type cannot be simulated; "" = they can."""
    if campaign_type in OFFERED:
        return ""
    return f"this version does not run {campaign_type.value} campaigns, so it cannot simulate them"


def starts_at(campaign: Campaign) -> float:
    """Epoch seconds: the first working minute from the campaign's start time on, or from a Monday of our own where it names none."""
    zone = ZoneInfo(campaign.window.zone)
    begin = campaign.window.start
    if begin is None:
        begin = datetime(*MONDAY, WORK_BEGINS if campaign.hours.any_time else 0, tzinfo=zone).timestamp()
    verdict = hours_verdict(campaign.hours, campaign.window.zone, begin)
    return begin if verdict.open or verdict.until is None else verdict.until


def staffed(setting: Setting) -> tuple[Campaign, tuple[AgentDefinition, ...]]:
    """The campaign with modelled agents in place of its own: as many as asked, with the kinds of leg and phones of its own in turn."""
    models = setting.agents or (AgentDefinition(id=AgentId("modelled"), dial_string="user/1000", leg=LegKind.PER_CALL),)
    agents = tuple(replace(models[index % len(models)], id=AgentId(f"agent-{index + 1}"), name=f"Agent {index + 1}") for index in range(setting.agent_count))
    of = setting.campaign.agents
    crew = CampaignAgents(people=tuple(agent.id for agent in agents), next=of.next, prefer=of.prefer, sticky=of.sticky, screen=of.screen)
    return replace(setting.campaign, agents=crew), agents
