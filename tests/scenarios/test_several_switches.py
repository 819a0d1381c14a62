"""Several switches at work: in virtual time (hours in seconds, every leg counted at the switches themselves), and over the socket with two of them."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.definition import AgentDefinition, GatewayDefinition, Installation, SwitchDefinition
from fs_dialer.core.dialer import Dialer
from fs_dialer.core.fleet import AWAY_S
from fs_dialer.core.model import AgentId, AgentStatus, AttemptId, CampaignState, CampaignType, CommandId, GatewayId, LegId, LegKind, Outcome, SwitchId
from fs_dialer.db.memory import MemoryStore
from fs_dialer.db.shapes import LeadRow
from fs_dialer.modes import OFFERED
from fs_dialer.modes.predictive import Options as Predictive
from fs_dialer.modes.progressive import Options as Progressive
from fs_dialer.runtime.ids import engine_sources, uuids
from fs_dialer.runtime.virtual import VirtualRuntime
from fs_dialer.sim.people import ModelledPeople
from fs_dialer.sim.port import SimPort
from fs_dialer.sim.switch import SimSwitch
from tests.core.builders import a_campaign
from tests.scenarios.world import PASSWORD, World, numbers, until

pytestmark = pytest.mark.spec("D2", "D3", "D8")

NOON = 1_780_000_000.0
MAIN, NORTH = SwitchId("main"), SwitchId("north")
TRUNK = GatewayId("trunk1")


class House:
    """One engine, two switches, agents half of them nailed; what each switch was told and how full it was."""

    def __init__(
        self,
        seed: int,
        *,
        agents: int = 12,
        nailed: int = 6,
        leads: int = 600,
        predictive: bool = False,
        main: SwitchDefinition | None = None,
        north: SwitchDefinition | None = None,
    ) -> None:
        self.store = MemoryStore(lambda: self.runtime.now)
        self.definitions = (main or SwitchDefinition(id=MAIN), north or SwitchDefinition(id=NORTH))
        self.store.set_installation(Installation(lines=200, cps=20.0, gateways=(GatewayDefinition(id=TRUNK),), switches=self.definitions))
        names = [f"agent{n}" for n in range(agents)]
        people = [
            AgentDefinition(id=AgentId(name), dial_string=f"user/{name}", leg=LegKind.NAILED if n < nailed else LegKind.PER_CALL)
            for n, name in enumerate(names)
        ]
        self.store.add_agents(people)
        kind, options = (CampaignType.PREDICTIVE, Predictive()) if predictive else (CampaignType.PROGRESSIVE, Progressive())
        campaign = a_campaign(people=tuple(names), type=kind, options=options, wrap_up_s=5.0, join=True, gap_s=1200.0)
        self.runtime: VirtualRuntime
        rng, new_id = engine_sources(seed)
        self.sims = {
            name: SimSwitch(ModelledPeople(), rng=Random(seed + n), new_uuid=uuids(Random(seed + 10 + n)), started_at=NOON)
            for n, name in enumerate((MAIN, NORTH))
        }
        ports = {name: SimPort(sim, name) for name, sim in self.sims.items()}
        self.dialled: list[tuple[float, act.OriginateLead]] = []
        self.closed: dict[str, act.CloseAttempt] = {}
        self.most: Counter[str] = Counter()
        self.refused: set[AttemptId] = set()
        self.runtime = VirtualRuntime(Dialer(OFFERED, rng=rng, new_id=new_id), self.store, ports, NOON, self._step)
        self.store.take_epoch("a test")
        revision = self.store.add_campaign(campaign)
        for name in names:
            self.store.set_agent_status(AgentId(name), AgentStatus.AVAILABLE, "", "test")
        self.store.set_campaign_state(campaign.id, revision, CampaignState.RUNNING, True, "", "test")
        self.store.add_leads(campaign.id, [LeadRow(f"+1212555{n:04d}", ("America/New_York",)) for n in range(leads)])
        self.runtime.begin()

    def _step(self, event: ev.Event, now: float, actions: list[act.Action]) -> None:
        if self.runtime.steps % 5 == 0:
            self.runtime.dialer.check_invariants()
        self.refused |= {event.attempt} if isinstance(event, ev.AttemptRefused) else set()
        self.dialled += [(now, a) for a in actions if isinstance(a, act.OriginateLead)]
        self.closed |= {a.result.attempt: a for a in actions if isinstance(a, act.CloseAttempt)}
        for switch in self.runtime.dialer.snapshot().switches if isinstance(event, ev.LegCreated) else ():
            self.most[switch.id] = max(self.most[switch.id], switch.legs)

    def run(self, seconds: float) -> None:
        self.runtime.run_until(self.runtime.now + seconds)

    def drain(self, switch: SwitchId, on: bool = True) -> None:
        self.runtime.give(ev.DrainSwitch(CommandId("c"), "olga", switch, on))

    def back(self, switch: SwitchId) -> None:
        self.runtime.restore(switch, [(LegId(leg), None) for leg in self.sims[switch].legs])

    def by_switch(self, since: float = NOON) -> Counter[str]:
        return Counter(a.switch for at, a in self.dialled if at >= since)

    def nobody_is_called_too_soon(self) -> None:
        """Per lead: no second call before the first is closed, and none before its gap."""
        last: dict[int, tuple[float, act.OriginateLead]] = {}
        for at, action in self.dialled:
            before = last.get(action.attempt.lead)
            if before is not None and before[1].attempt.id not in self.refused:
                ended = self.closed[before[1].attempt.id]
                assert at >= ended.update.ready_at >= ended.result.ended_at, f"lead {action.attempt.lead} was called again too soon"
            last[action.attempt.lead] = (at, action)


def test_calls_are_spread_by_weight() -> None:
    house = House(3, main=SwitchDefinition(id=MAIN, weight=2), agents=16, nailed=0)
    house.run(700)
    counts = house.by_switch()
    assert sum(counts.values()) > 80
    assert 0.58 <= counts["main"] / sum(counts.values()) <= 0.74
    house.nobody_is_called_too_soon()


@pytest.mark.parametrize("predictive", [False, True])
def test_no_limit_of_a_switch_is_exceeded_and_both_have_work(predictive: bool) -> None:
    house = House(5, main=SwitchDefinition(id=MAIN, lines=9), north=SwitchDefinition(id=NORTH, lines=14), predictive=predictive)
    house.run(900)
    assert house.most["main"] <= 9 and house.most["north"] <= 14, house.most
    assert min(house.by_switch().values()) > 10, house.by_switch()
    connected = Counter(c.result.switch for c in house.closed.values() if c.result.outcome is Outcome.CONNECTED)
    assert min(connected[MAIN], connected[NORTH]) > 5, connected
    house.nobody_is_called_too_soon()


def test_calls_of_a_dead_switch_end_as_ours_and_their_leads_are_called_by_the_other() -> None:
    house = House(7)
    house.run(300)
    house.runtime.lose(NORTH)
    lost_at = house.runtime.now
    open_there = {a.attempt.id: a.attempt.lead for _, a in house.dialled if a.switch == NORTH and a.attempt.id not in house.closed}
    assert open_there
    house.run(AWAY_S + 2)
    assert open_there.keys() <= house.closed.keys()
    ended = {id: house.closed[id].result for id in open_there}
    assert {each.outcome for each in ended.values()} <= {Outcome.OURS, Outcome.CONNECTED, Outcome.MISSED}
    retried = {lead for id, lead in open_there.items() if ended[id].outcome is Outcome.OURS}
    house.run(2400)
    assert set(house.by_switch(lost_at + 0.001)) == {"main"}
    again = {a.attempt.lead for at, a in house.dialled if at > lost_at}
    assert retried and retried <= again
    busy = Counter(a.result.agent for a in house.closed.values() if a.result.ended_at > lost_at + 120 and a.result.outcome is Outcome.CONNECTED)
    assert len(busy) == 12, "every agent works on, by the other switch"
    house.nobody_is_called_too_soon()


def test_a_drained_switch_finishes_its_calls_and_places_none() -> None:
    house = House(11)
    house.run(300)
    house.drain(NORTH)
    began = house.runtime.now
    house.run(600)
    assert set(house.by_switch(began + 0.001)) == {"main"}
    view = next(s for s in house.runtime.dialer.snapshot().switches if s.id == NORTH)
    assert (view.legs, view.calls, view.nailed, view.drained_since) == (0, 0, 0, began)
    there = [c.result.outcome for id, c in house.closed.items() if c.result.switch == NORTH and c.result.ended_at > began]
    assert Outcome.OURS not in there and Outcome.CANCELLED not in there
    assert house.store.drained_switches() == {NORTH: began}
    house.drain(NORTH, on=False)
    back = house.runtime.now
    house.run(300)
    assert house.by_switch(back)["north"] > 0 and house.store.drained_switches() == {}
    house.nobody_is_called_too_soon()


@pytest.mark.parametrize("seed", range(6))
def test_whatever_becomes_of_two_switches_nobody_is_called_too_soon_and_no_agent_twice(seed: int) -> None:
    chance = Random(seed)
    main = SwitchDefinition(id=MAIN, lines=chance.choice([12, 40]))
    north = SwitchDefinition(id=NORTH, weight=chance.choice([1, 3]), cps=5.0)
    house = House(seed, predictive=seed % 2 == 0, main=main, north=north)
    for _ in range(14):
        house.run(chance.uniform(1, 50))
        switch, what = chance.choice([MAIN, NORTH]), chance.choice(["lose", "lose", "back", "back", "drain", "again", "work"])
        if what == "lose" and switch not in house.runtime.away:
            house.runtime.lose(switch)
        elif what == "back" and switch in house.runtime.away:
            house.back(switch)
        elif what in ("drain", "again"):
            house.drain(switch, what == "drain")
        house.runtime.dialer.check_invariants()
    for switch in (MAIN, NORTH):
        house.drain(switch, on=False)
        if switch in house.runtime.away:
            house.back(switch)
    house.runtime.give(ev.DrainAsked())
    house.run(1200)
    assert house.runtime.drained, f"seed {seed}: {house.runtime.dialer.snapshot()}"
    assert {a.attempt.id for _, a in house.dialled} == house.closed.keys() | house.refused, "every attempt has an end"
    house.nobody_is_called_too_soon()


# --- over the socket ------------------------------------------------------------------------------------------------------------------


class SecondSwitch:
    """Another simulated switch as a process of its own, ended with the test."""

    def __init__(self, folder: Path, people: dict[str, object]) -> None:
        model, password = folder / "north.json", folder / "north.password"
        model.write_text(json.dumps(people), encoding="utf-8")
        password.touch(0o600)
        self.password = secrets.token_urlsafe(12)
        password.write_text(self.password, encoding="utf-8")
        words = [sys.executable, "-m", "fs_dialer.sim.esl_server", "--people-json", str(model), "--seed", "9", "--until-stdin-ends"]
        words += ["--password-file", str(password), "--port", "0"]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().split()[1])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def test_two_switches_over_the_socket_share_the_calls_and_one_outlives_the_other(world: World, tmp_path: Path) -> None:
    slow = {"talk": "60s", "patience": "never"}
    world.start_switch(customers={"outcomes": {"person": "100%"}})
    customers = {"outcomes": {"person": "100%"}, "ring": "0.3s", "first_response": "0.05s", **slow}
    north = SecondSwitch(tmp_path, {"customers": customers, "numbers": {}, "agents": [{"match": "user/*", "ring": "0.2s"}]})
    try:
        world.define(agents=6, nailed=2)
        with open(world.folder / "definitions" / "installation.yml", "a", encoding="utf-8") as file:
            file.write("switches:\n  main: {lines: 100}\n  north: {lines: 100}\n")
        world.apply_again()
        config = tmp_path / "fs-dialer.yml"
        config.write_text(f"switches:\n  north: {{host: 127.0.0.1, port: {north.port}, password: env:NORTH_PASSWORD}}\n", encoding="utf-8")
        world.add_leads(numbers(1, 40))
        world.order_start(6)
        daemon = world.start_daemon(FS_DIALER_CONFIG=str(config), NORTH_PASSWORD=north.password)
        until(lambda: world.one("SELECT count(DISTINCT switch) FROM all_attempts") == 2, 60, "both switches dial")
        ok, text = world.order("drain_switch", "main", on="yes")
        assert ok and text.startswith("main: no new calls; ") and world.rows("SELECT switch FROM switch_states") == [("main",)]
        assert world.order("drain_switch", "main", on="no") == (True, "main: gets new calls again")
        until(lambda: world.rows("SELECT switch FROM switch_states") == [], 10, "the drain is over in the database, too")
        assert world.order("drain_switch", "nroth", on="yes") == (False, "there is no switch nroth; there is main, north")
        assert PASSWORD not in daemon.log() and north.password not in daemon.log()
        until(lambda: world.one("SELECT count(*) FROM attempts_open WHERE switch = 'north'"), 30, "a long talk on north")
        north.kill()
        daemon.says("switch_lost switch=north")
        before = world.closed()
        until(lambda: world.closed() > before + 2, 60, "main dials on")
        daemon.says("switch_given_up switch=north", AWAY_S + 20)
        until(lambda: world.one("SELECT count(*) FROM attempts_open WHERE switch = 'north'") == 0, 20, "nothing is open on north")
        told = world.rows("SELECT DISTINCT outcome FROM attempts WHERE switch = 'north'")
        assert {row[0] for row in told} <= {"connected", "ours", "missed", "early_hangup"}
        until(lambda: world.snapshot()["switches"][1]["given_up"], 10, "status tells it")
        assert daemon.terminate() == 0
    finally:
        north.kill()
    doubled = world.rows("SELECT number FROM attempts WHERE outcome = 'connected' GROUP BY number HAVING count(*) > 1")
    assert doubled == []
