"""A campaign run in virtual time: the production engine, store contract and switch grammar, with modelled people as customers and agents.

Values in, values out: no clock is read and nothing is drawn but from the seed, so equal input gives equal figures, byte for byte. Imports neither gevent nor
psycopg2. The figures are the engine's own counts (core/stats.py), and times cut to the simulated span: calls that are up at its end are followed to
their outcome, and no new ones are made.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.definition import AgentDefinition, Campaign, CampaignAgents, GatewayDefinition, Installation
from fs_dialer.core.dialer import Dialer
from fs_dialer.core.model import AgentId, AgentStatus, AttemptResult, CampaignState, GatewayId, LeadStatus, LegKind
from fs_dialer.core.schedule import hours_verdict
from fs_dialer.core.stats import Tally, missed_rate
from fs_dialer.db.memory import MemoryStore
from fs_dialer.db.shapes import LeadRow
from fs_dialer.esl.translate import SUBSCRIBE
from fs_dialer.modes import OFFERED
from fs_dialer.runtime.ids import engine_sources, uuids
from fs_dialer.runtime.virtual import VirtualRuntime
from fs_dialer.sim.people import ModelledPeople, PeopleModel
from fs_dialer.sim.port import SimPort
from fs_dialer.sim.settings import SwitchSettings
from fs_dialer.sim.switch import SimSwitch

DRAIN_S = 4 * 3600.0  # calls up at the end: the longest talk anybody may have
LEADS_PER_AGENT_HOUR = 120
# A Monday in winter: no clock change is near, and every simulated week is alike.
MONDAY = (2026, 1, 5)
WORK_BEGINS = 9  # o'clock, where a campaign has no working hours
UNFINISHED = (LeadStatus.NEW, LeadStatus.IN_PROGRESS, LeadStatus.RETRY, LeadStatus.CALLBACK_SCHEDULED)
# Without installation.yml: enough lines for any number of agents, through one trunk.
DEFAULT_INSTALLATION = Installation(lines=1000, cps=50.0, gateways=(GatewayDefinition(id=GatewayId("simulated")),))


@dataclass(frozen=True, slots=True)
class Setting:
    """What is simulated. `agents`: whose kinds of leg the modelled agents have, in turn; () = phones that ring for each call."""

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
        return math.ceil(self.agent_count * self.hours * LEADS_PER_AGENT_HOUR) if self.leads is None else self.leads


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of it. Rates and shares 0.0–1.0, times in seconds. docs/reference/json.md says each at length."""

    campaign: str
    type: str
    agents: int
    hours: float
    seed: int
    leads: int
    zone: str
    starts_at: str
    simulated_s: float
    ended: str
    attempts: int
    outcomes: dict[str, int]
    refused_without_leg: int
    answered: int
    connected: int
    missed: int
    missed_rate: float
    missed_rate_95: tuple[float, float]
    average_wait_s: float
    longest_wait_s: float
    average_talk_s: float
    utilisation: float
    calls_per_agent_hour: float
    lines_peak: int
    lines_limit: int
    legs_peak: int
    legs_limit: int
    leads_left: int
    leads_never_called: int


class Tape:
    """Looks over the runtime's shoulder: every result, and how many lines were in use at most."""

    def __init__(self) -> None:
        self.results: list[AttemptResult] = []
        self.tally = Tally()
        self.lines = self.lines_peak = 0

    def step(self, event: ev.Event, now: float, actions: Sequence[act.Action]) -> None:
        if isinstance(event, ev.AttemptOpened):
            self.lines += 1
            self.lines_peak = max(self.lines_peak, self.lines)
        for action in actions:
            if isinstance(action, act.CloseAttempt):
                self.lines -= 1
                self.results.append(action.result)
                self.tally.add(action.result)


def simulate(setting: Setting) -> Figures:
    """Run it. A campaign that ends by itself (list done, end time) ends the simulation too."""
    campaign, agents = _staffed(setting)
    start = starts_at(campaign)
    end = start + setting.hours * 3600
    tape = Tape()
    runtime, switch = _runtime(setting, campaign, agents, start, tape)

    def ended() -> bool:
        stored = store.campaign(campaign.id)
        return stored is None or stored.state is CampaignState.ENDED

    store = runtime.store
    runtime.begin()
    runtime.run_until(end, done=ended)
    stopped_by_itself, span_end = ended(), runtime.now
    reason = next((stored.reason for stored in store.campaigns()), "") if stopped_by_itself else ""
    runtime.give(ev.DrainAsked())
    runtime.run_until(span_end + DRAIN_S)
    return _figures(setting, campaign, (start, span_end), reason, tape, switch.counters.peak_legs, runtime)


def starts_at(campaign: Campaign) -> float:
    """Epoch seconds: the first working minute from the campaign's start time on, or from a Monday of our own where it names none."""
    zone = ZoneInfo(campaign.window.zone)
    begin = campaign.window.start
    if begin is None:
        begin = datetime(*MONDAY, WORK_BEGINS if campaign.hours.any_time else 0, tzinfo=zone).timestamp()
    verdict = hours_verdict(campaign.hours, campaign.window.zone, begin)
    return begin if verdict.open or verdict.until is None else verdict.until


def _staffed(setting: Setting) -> tuple[Campaign, tuple[AgentDefinition, ...]]:
    """The campaign with modelled agents in place of its own: as many as asked, with the kinds of leg and phones of its own in turn."""
    models = setting.agents or (AgentDefinition(id=AgentId("modelled"), dial_string="user/1000", leg=LegKind.PER_CALL),)
    agents = tuple(
        replace(models[index % len(models)], id=AgentId(f"agent-{index + 1}"), name=f"Agent {index + 1}") for index in range(setting.agent_count)
    )
    return replace(setting.campaign, agents=CampaignAgents(people=tuple(agent.id for agent in agents))), agents


def _runtime(
    setting: Setting, campaign: Campaign, agents: tuple[AgentDefinition, ...], start: float, tape: Tape
) -> tuple[VirtualRuntime, SimSwitch]:
    installation = setting.installation
    rng, new_id = engine_sources(setting.seed)
    wanted = SwitchSettings(
        events=frozenset(SUBSCRIBE),
        detailed=False,
        gateways={gateway.id: True for gateway in installation.gateways},
        max_sessions=max(2000, 2 * installation.lines),  # our own limits are what is studied
        sessions_per_second=max(500, math.ceil(4 * installation.cps)),
    )
    switch = SimSwitch(
        ModelledPeople(setting.people),
        rng=Random(f"fs-dialer people {setting.seed}"),
        new_uuid=uuids(Random(f"fs-dialer switch {setting.seed}")),
        settings=wanted,
        started_at=start,
    )
    store = MemoryStore(lambda: start)
    store.take_epoch("simulate")
    store.set_installation(installation)
    store.add_agents(agents, AgentStatus.AVAILABLE)
    store.add_campaign(campaign, CampaignState.RUNNING, started=True)
    # Numbers of a country code that is not assigned: they are nobody's.
    store.add_leads(campaign.id, (LeadRow(f"+999{index:09d}", (campaign.window.zone,)) for index in range(1, setting.lead_count + 1)))
    dialer = Dialer(OFFERED, rng=rng, new_id=new_id)
    return VirtualRuntime(dialer, store, SimPort(switch, installation.switch), start, on_step=tape.step), switch


def _figures(
    setting: Setting, campaign: Campaign, span: tuple[float, float], ended: str, tape: Tape, legs_peak: int, runtime: VirtualRuntime
) -> Figures:
    start, end = span
    tally, length_s = tape.tally, max(end - start, 1e-9)
    assert isinstance(runtime.store, MemoryStore)
    leads = runtime.store.lead_counts(campaign.id)
    bridged = [result for result in tape.results if result.bridged_at is not None and result.answered_at is not None]
    waits = [max(0.0, (result.bridged_at or 0.0) - (result.answered_at or 0.0)) for result in bridged]
    busy_s = sum(_busy_s(result, campaign.wrap_up_s, end) for result in bridged)
    agent_hours = setting.agent_count * length_s / 3600
    started_here = sum((result.bridged_at or 0.0) < end for result in bridged)
    low, high = interval_95(tally.missed, tally.answered)
    return Figures(
        campaign=campaign.id,
        type=campaign.type.value,
        agents=setting.agent_count,
        hours=setting.hours,
        seed=setting.seed,
        leads=setting.lead_count,
        zone=campaign.window.zone,
        starts_at=datetime.fromtimestamp(start, ZoneInfo(campaign.window.zone)).isoformat(),
        simulated_s=round(end - start, 3),
        ended=ended,
        attempts=tally.attempts,
        outcomes={outcome.value: count for outcome, count in tally.outcomes.items()},
        refused_without_leg=tally.refused_without_leg,
        answered=tally.answered,
        connected=tally.bridged,
        missed=tally.missed,
        missed_rate=round(missed_rate(tally), 6),
        missed_rate_95=(round(low, 6), round(high, 6)),
        average_wait_s=round(tally.waited_s / tally.bridged, 3) if tally.bridged else 0.0,
        longest_wait_s=round(max(waits, default=0.0), 3),
        average_talk_s=round(tally.talked_s / tally.bridged, 3) if tally.bridged else 0.0,
        utilisation=round(busy_s / (setting.agent_count * length_s), 6),
        calls_per_agent_hour=round(started_here / agent_hours, 3),
        lines_peak=tape.lines_peak,
        lines_limit=min(campaign.lines or setting.installation.lines, setting.installation.lines),
        legs_peak=legs_peak,
        legs_limit=setting.installation.lines,
        leads_left=sum(leads[status.value] for status in UNFINISHED),
        leads_never_called=leads[LeadStatus.NEW.value],
    )


def _busy_s(result: AttemptResult, wrap_up_s: float, end: float) -> float:
    """Talk and the wrap-up after it, inside the simulated span."""
    assert result.bridged_at is not None
    return max(0.0, min(result.ended_at + wrap_up_s, end) - result.bridged_at)


def interval_95(hits: int, of: int) -> tuple[float, float]:
    """Wilson's interval for a share: where the true rate lies in 95 of 100 such days; (0, 1) when nothing was seen."""
    if of == 0:
        return 0.0, 1.0
    z = 1.959964
    share, scale = hits / of, 1 + z * z / of
    middle = (share + z * z / (2 * of)) / scale
    reach = z / scale * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(0.0, middle - reach), min(1.0, middle + reach)
