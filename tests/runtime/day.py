"""A short working day in virtual time: the production engine over a store in memory and the simulated switch, all from one seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.definition import AgentDefinition, Campaign, GatewayDefinition, Installation
from fs_dialer.core.dialer import Dialer
from fs_dialer.core.model import AgentId, AgentStatus, CampaignId, CampaignState, GatewayId, LegKind
from fs_dialer.db.memory import MemoryStore
from fs_dialer.db.shapes import LeadRow
from fs_dialer.modes import OFFERED
from fs_dialer.modes.progressive import Options
from fs_dialer.runtime.ids import engine_sources, uuids
from fs_dialer.runtime.journal import Journal
from fs_dialer.runtime.virtual import VirtualRuntime
from fs_dialer.sim.people import ModelledPeople
from fs_dialer.sim.port import SimPort
from fs_dialer.sim.switch import SimSwitch
from tests.core.builders import a_campaign

NOON = 1_780_000_000.0
SPRING = CampaignId("spring")
GATEWAY = GatewayId("trunk1")
NAMES = ("ana", "bob", "eva", "dan")


def a_day_campaign() -> Campaign:
    return a_campaign(people=NAMES, options=Options(), wrap_up_s=5.0, join=True, gap_s=1800.0)


def a_store(clock_at: float = NOON, *, leads: int = 200, state: CampaignState = CampaignState.RUNNING, office: MemoryStore | None = None) -> MemoryStore:
    """A campaign, approved and running, with agents who are there: two on nailed legs, two rung for each call."""
    store = office or MemoryStore(lambda: clock_at)
    store.set_installation(Installation(lines=50, cps=10.0, gateways=(GatewayDefinition(id=GATEWAY),)))
    store.add_agents(
        [AgentDefinition(id=AgentId(name), dial_string=f"user/{name}", leg=LegKind.NAILED if n < 2 else LegKind.PER_CALL) for n, name in enumerate(NAMES)]
    )
    revision = store.add_campaign(a_day_campaign())
    store.take_epoch("a test")
    for name in NAMES:
        store.set_agent_status(AgentId(name), AgentStatus.AVAILABLE, "", "test")
    if state is not CampaignState.NEW:
        store.set_campaign_state(SPRING, revision, state, state is CampaignState.RUNNING, "", "test")
    store.add_leads(SPRING, [LeadRow(f"+1212555{n:04d}", ("America/New_York",)) for n in range(leads)])
    return store


class Day:
    """Everything of it, and what happened: (event, time, actions), in order. `journal`: where to record it."""

    def __init__(self, seed: int = 7, journal: Path | None = None) -> None:
        self.store = a_store()
        self.switch = SimSwitch(ModelledPeople(), rng=Random(seed + 1), new_uuid=uuids(Random(seed + 2)), started_at=NOON)
        rng, new_id = engine_sources(seed)
        self.steps: list[tuple[ev.Event, float, list[act.Action]]] = []
        self.journal = Journal(journal, seed) if journal is not None else None
        self.runtime = VirtualRuntime(Dialer(OFFERED, rng=rng, new_id=new_id), self.store, SimPort(self.switch), NOON, self._step)

    def _step(self, event: ev.Event, now: float, actions: list[act.Action]) -> None:
        self.steps.append((event, now, actions))
        if self.journal is not None:
            self.journal.record(event, now, actions)

    def run(self, seconds: float) -> Day:
        """Begin, work for so long, drain."""
        self.runtime.begin()
        self.runtime.run_until(NOON + seconds)
        self.runtime.give(ev.DrainAsked())
        self.runtime.run_until(NOON + seconds + 3600)
        if self.journal is not None:
            self.journal.close()
        return self

    @property
    def events(self) -> Sequence[ev.Event]:
        return [event for event, _, _ in self.steps]

    @property
    def actions(self) -> Sequence[act.Action]:
        return [action for _, _, actions in self.steps for action in actions]
