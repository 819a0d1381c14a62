"""A campaign run in virtual time: the production engine, store contract and switch grammar, with modelled people as customers and agents.

Values in, values out: no clock is read and nothing is drawn but from the seed, so equal input gives equal figures, byte for byte. Imports neither gevent nor
psycopg2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

from fs_dialer.core import events as ev
from fs_dialer.core.definition import AgentDefinition, Campaign
from fs_dialer.core.dialer import Dialer
from fs_dialer.core.model import AgentId, AgentStatus, CampaignState
from fs_dialer.db.memory import MemoryStore
from fs_dialer.db.shapes import LeadRow
from fs_dialer.dialplans.fallback import Fallback, fallback_file
from fs_dialer.dialplans.options import SwitchOptions
from fs_dialer.esl.translate import SUBSCRIBE
from fs_dialer.ivr.render import flow_file
from fs_dialer.modes import OFFERED, autocall
from fs_dialer.runtime.ids import engine_sources, uuids
from fs_dialer.runtime.virtual import VirtualRuntime
from fs_dialer.sim.people import ModelledPeople
from fs_dialer.sim.port import SimPort
from fs_dialer.sim.settings import SwitchSettings
from fs_dialer.sim.switch import SimSwitch
from fs_dialer.simulation.figures import Figures, Seen, Tape, figures_of
from fs_dialer.simulation.floor import Floor
from fs_dialer.simulation.setting import Setting, staffed, starts_at

DRAIN_S = 4 * 3600.0  # calls up at the end: the longest talk anybody may have


def simulate(setting: Setting) -> Figures:
    """Run it. A campaign that ends by itself (list done, end time) ends the simulation too."""
    return Day(setting).run()


class Day:
    """One simulated day, set up and not begun. `runtime` is open to tests."""

    def __init__(self, setting: Setting) -> None:
        campaign, agents = staffed(setting)
        self.setting = replace(setting, campaign=campaign, people=setting.people.local(campaign.window.zone))
        self.start = self._now = starts_at(campaign)
        self.end = self.start + setting.hours * 3600
        self.floor = Floor(campaign, agents, self.setting.people, (self.start, self.end), setting.seed)
        self.callers = Callers(self.setting, (self.start, self.end))
        statuses = {agent.id: self.floor.status_at_start(agent.id) for agent in agents}
        self.tape = Tape(self.start, statuses, self.floor.handlers())
        self.switch = _switch(self.setting, self.start)
        self.store = _store(self.setting, campaign, agents, self.floor.status_at_start, self._clock)
        rng, new_id = engine_sources(setting.seed)
        port = SimPort(self.switch, setting.installation.switch)
        self.runtime = VirtualRuntime(Dialer(OFFERED, rng=rng, new_id=new_id), self.store, port, self.start, on_step=self.tape.step)

    def run(self) -> Figures:
        self.begin()
        self.run_until(self.end)
        ended, over = self.tape.ended, self.runtime.now
        self.tape.close(over)
        self.runtime.give(ev.DrainAsked())
        self.run_until(over + DRAIN_S, draining=True)
        floor = self.floor
        leads = self.store.lead_counts(self.setting.campaign.id)
        seen = Seen(
            (self.start, over), ended or "", self.switch.counters.peak_legs, leads, self.callers.count, floor.rest_ends, floor.cards, floor.skipped, floor.filed
        )
        return figures_of(self.setting, self.tape, seen)

    def begin(self) -> None:
        self.runtime.begin()
        for event in self.floor.begin():
            self.runtime.give(event)

    def run_until(self, end: float, *, draining: bool = False) -> None:
        """The engine's time and the people's, whichever is due first, until the campaign has ended."""
        runtime, floor, callers = self.runtime, self.floor, self.callers
        while runtime.now < end and not runtime.drained and (draining or self.tape.ended is None):
            moments = [at for at in (floor.next_at(), None if draining else callers.next_at) if at is not None]
            target = min(end, max(runtime.now, min(moments, default=end)))
            runtime.run_until(target, done=self._interrupted(target, draining))
            while (event := floor.due(runtime.now)) is not None:
                runtime.give(event)
            while not draining and callers.next_at is not None and callers.next_at <= runtime.now:
                self._wanted_back(callers.next_at)

    def _interrupted(self, target: float, draining: bool) -> Callable[[], bool]:
        """Somebody has decided meanwhile to act sooner, or the campaign has ended."""
        floor, tape = self.floor, self.tape

        def interrupted() -> bool:
            if tape.ended is not None and not draining:
                return True
            at = floor.next_at()
            return at is not None and at < target

        return interrupted

    def _clock(self) -> float:
        return self._now

    def _wanted_back(self, at: float) -> None:
        """A caller asks to be called back: a lead more, and the engine is told so."""
        campaign = self.setting.campaign
        self._now = at
        self.callers.take()
        self.store.add_leads(campaign.id, [_lead(self.setting.lead_count + self.callers.count, campaign)])
        stored = self.store.campaign(campaign.id)
        if stored is not None:
            self.runtime.give(ev.CampaignLoaded(stored.campaign, stored.state, stored.started, tuple(stored.zone_sets), None))


class Callers:
    """Who asks to be called back, and when: by chance, so many an hour."""

    def __init__(self, setting: Setting, span: tuple[float, float]) -> None:
        self._moments = self._arrivals(setting, span)
        self.count = 0
        self.next_at = next(self._moments, None)

    def take(self) -> None:
        self.count += 1
        self.next_at = next(self._moments, None)

    @staticmethod
    def _arrivals(setting: Setting, span: tuple[float, float]) -> Iterator[float]:
        """A Poisson process whose rate changes over the day: drawn at the highest rate, and thinned."""
        most = sum(each.per_hour for each in setting.requests)
        if most <= 0:
            return
        rng, (at, end) = Random(f"fs-dialer callers {setting.seed}"), span
        while (at := at + rng.expovariate(most / 3600)) < end:
            minute = setting.people.minute(at)
            if rng.random() * most < sum(each.per_hour for each in setting.requests if each.holds(minute)):
                yield at


def _switch(setting: Setting, start: float) -> SimSwitch:
    installation = setting.installation
    wanted = SwitchSettings(
        events=frozenset((*SUBSCRIBE, "CUSTOM")),
        detailed=False,
        gateways={gateway.id: True for gateway in installation.gateways},
        max_sessions=max(2000, 2 * installation.lines),  # our own limits are what is studied
        sessions_per_second=max(500, math.ceil(4 * installation.cps)),
        dialplan=_dialplan(setting),
    )
    return SimSwitch(
        ModelledPeople(setting.people),
        rng=Random(f"fs-dialer people {setting.seed}"),
        new_uuid=uuids(Random(f"fs-dialer switch {setting.seed}")),
        settings=wanted,
        started_at=start,
    )


def _dialplan(setting: Setting) -> tuple[str, ...]:
    """The campaign's flow, as a switch is given it."""
    options = setting.campaign.options
    if not isinstance(options, autocall.Options):
        return ()
    return (flow_file((options.ivr,), SwitchOptions(gateways=setting.installation.gateways)), fallback_file(Fallback()))


def _store(
    setting: Setting, campaign: Campaign, agents: tuple[AgentDefinition, ...], status: Callable[[AgentId], AgentStatus], clock: Callable[[], float]
) -> MemoryStore:
    store = MemoryStore(clock)
    store.take_epoch("simulate")
    store.set_installation(setting.installation)
    for agent in agents:
        store.add_agents([agent], status(agent.id))
    store.add_campaign(campaign, CampaignState.RUNNING, started=True)
    store.add_leads(campaign.id, (_lead(index, campaign) for index in range(1, setting.lead_count + 1)))
    return store


def _lead(index: int, campaign: Campaign) -> LeadRow:
    """Numbers of a country code that is not assigned: they are nobody's."""
    return LeadRow(f"+999{index:09d}", (campaign.window.zone,))
