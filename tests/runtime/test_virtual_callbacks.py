"""A queue and its callback campaign in virtual time: from the key in the queue to the call back, without a trigger's process and without a database."""

from __future__ import annotations

from random import Random
from typing import TypeVar

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.agent_events import LeadWithdrawn
from fs_dialer.core.agent_verbs import event_of
from fs_dialer.core.definition import GatewayDefinition, Installation
from fs_dialer.core.dialer import Dialer
from fs_dialer.core.model import AgentId, AgentStatus, CampaignId, CampaignState, CampaignType, CommandId, GatewayId, LegKind, Outcome
from fs_dialer.core.queue_definition import CallbackKey, QueueAgents, QueueDefinition
from fs_dialer.db.memory import MemoryStore
from fs_dialer.dialplans.files import switch_files
from fs_dialer.dialplans.options import SwitchOptions
from fs_dialer.modes import OFFERED
from fs_dialer.runtime.ids import engine_sources, uuids
from fs_dialer.runtime.virtual import VirtualRuntime
from fs_dialer.sim.people import Behaviour
from fs_dialer.sim.port import SimPort
from fs_dialer.sim.settings import SwitchSettings
from fs_dialer.sim.switch import SimSwitch
from tests.core.builders import NOON, SPRING, an_agent
from tests.core.virtual_shift import PICKS_UP, WILLING, Cast, a_shift_campaign

A = TypeVar("A")
NUMBER = "+34600000009"
TALKS_S = 30.0
MUSIC = "queue/press-1-and-we-call-you.wav"
SUPPORT = QueueDefinition(
    name="support",
    numbers=("+34910000001",),
    agents=QueueAgents(people=("ana",)),
    music=MUSIC,
    callback=CallbackKey(key="1", after_s=5.0),
    ticket_for_missed=True,
)


class Hour:
    """One agent, a queue and, where `back` names it, its callback campaign."""

    def __init__(self, back: CampaignId | None = SPRING, seed: int = 5) -> None:
        print(f"seed {seed}")
        self.now, self.steps = NOON, list[tuple[ev.Event, list[act.Action]]]()
        self.store = MemoryStore(lambda: self.now)
        self.store.take_epoch("a test")
        self.store.set_installation(Installation(lines=20, cps=10.0, gateways=(GatewayDefinition(id=GatewayId("trunk1")),)))
        self.store.add_agents([an_agent("ana", LegKind.NAILED)])
        self.store.set_agent_status(AgentId("ana"), AgentStatus.AVAILABLE, "", "test")
        self.store.set_queues([SUPPORT])
        self.store.add_campaign(a_shift_campaign(CampaignType.CALLBACK, agents=("ana",)), CampaignState.RUNNING, started=True)
        settings = SwitchSettings(dialplan=tuple(switch_files((), (SUPPORT,), SwitchOptions()).values()), order_variety=0.0)
        self.switch = SimSwitch(Cast({}, WILLING, PICKS_UP), rng=Random(seed), new_uuid=uuids(Random(seed + 1)), settings=settings, started_at=NOON)
        rng, new_id = engine_sources(seed)
        dialer = Dialer(OFFERED, rng=rng, new_id=new_id)
        self.runtime = VirtualRuntime(dialer, self.store, SimPort(self.switch), NOON, self._step, call_back_in=back)
        self.runtime.begin()
        self.runtime.give(event_of(CommandId("c1"), "ana", AgentId("ana"), "open_screen", {"lease_s": "86400"}))
        self.wait(2.0)

    def _step(self, event: ev.Event, now: float, actions: list[act.Action]) -> None:
        self.now = now
        self.steps.append((event, actions))
        self.runtime.dialer.check_invariants()

    def wait(self, seconds: float) -> None:
        self.runtime.run_until(self.runtime.now + seconds)
        self.now = self.runtime.now

    def calls(self, *keys: tuple[float, str], number: str = NUMBER, **did: float) -> str:
        behaviour = Behaviour(keys=keys, talk_s=TALKS_S, **did)  # type: ignore[arg-type]
        return self.switch.inbound(number, "A. B.", "+34910000001", "public", behaviour, self.now)

    def all(self, kind: type[A]) -> list[A]:
        return [action for _, actions in self.steps for action in actions if isinstance(action, kind)]

    def busy(self) -> str:
        """The only agent talks to another caller."""
        leg = self.calls(number="+34600000001")
        self.wait(2.0)
        return leg


@pytest.mark.spec("S75")
def test_who_waits_hears_the_music_of_the_queue_which_tells_him_the_key_again_and_again() -> None:
    hour = Hour()
    hour.busy()
    caller = hour.calls()
    heard = []
    for _ in range(8):
        hour.wait(3.0)
        playing = hour.switch.legs[caller].playback
        heard.append(playing.path if playing is not None else "")
    assert set(heard) == {MUSIC}


@pytest.mark.spec("S65", "S66", "S76", "S79", "S80", "S81", "S82")
def test_who_pressed_in_the_queue_is_called_back_and_the_agent_s_phone_is_there_first() -> None:
    hour = Hour()
    hour.busy()
    caller = hour.calls((8.0, "1"))
    hour.wait(12.0)
    assert [(left.call, left.why) for left in hour.all(act.CallerLeft)] == [(caller, "callback")]
    assert hour.switch.database == {}, "the row in the switch is settled"
    hour.wait(120.0)
    (dialled,) = hour.all(act.OriginateLead)
    assert (dialled.attempt.number, dialled.attempt.campaign, dialled.attempt.agent) == (NUMBER, SPRING, "ana")
    (closed,) = hour.all(act.CloseAttempt)
    assert (closed.result.outcome, closed.result.agent) == (Outcome.CONNECTED, "ana")


@pytest.mark.spec("S67", "S79")
def test_where_no_campaign_calls_back_the_ticket_stays_and_nobody_is_called() -> None:
    hour = Hour(back=None)
    hour.busy()
    hour.calls((8.0, "1"))
    hour.wait(300.0)
    assert [left.why for left in hour.all(act.CallerLeft)][:1] == ["callback"] and not hour.all(act.OriginateLead)


@pytest.mark.spec("S79", "S81")
def test_who_hung_up_without_the_key_leaves_a_ticket_of_another_channel_and_is_not_called_back() -> None:
    hour = Hour()
    hour.busy()
    hour.calls(patience_s=8.0)
    hour.wait(300.0)
    assert [left.why for left in hour.all(act.CallerLeft)] == ["hung_up", "served"] and not hour.all(act.OriginateLead)


@pytest.mark.spec("S90", "D12")
def test_who_calls_again_and_is_served_is_not_called_back_any_more() -> None:
    """He asks at second 8, calls again at once, and is the next caller of the agent's: nobody closes the campaign's call behind his back."""
    hour = Hour()
    hour.runtime.give(event_of(CommandId("c2"), "ana", AgentId("ana"), "close_screen", {}))
    hour.busy()
    hour.calls((8.0, "1"))
    hour.wait(12.0)
    hour.calls()
    hour.wait(90.0)
    assert [served.number for served in hour.all(act.CallerServed)] == ["+34600000001", NUMBER]
    assert [event.campaign for event, _ in hour.steps if isinstance(event, LeadWithdrawn)] == [SPRING]
    hour.runtime.give(event_of(CommandId("c3"), "ana", AgentId("ana"), "open_screen", {"lease_s": "86400"}))
    hour.wait(120.0)
    assert not hour.all(act.OriginateLead)
