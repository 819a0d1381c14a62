"""A shift in virtual time for stories of agents: the production engine, a store in memory, and the simulated switch whose people do what a test wrote.

The link to the switch can be cut and the daemon killed. What really happened is seen at the switch itself, whether or not the engine was told; `end` compares
it with what the engine decided and the store keeps. The engine's own invariants are checked after every step.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.agent_verbs import event_of
from fs_dialer.core.definition import Campaign, GatewayDefinition, Installation
from fs_dialer.core.dialer import Dialer
from fs_dialer.core.model import AgentId, AgentStatus, AttemptId, CampaignState, CampaignType, CommandId, GatewayId, LegId, LegKind, OpenAttempt
from fs_dialer.core.snapshot import AgentView, CampaignView
from fs_dialer.db.memory import MemoryStore
from fs_dialer.db.memory_data import MemoryDatabase
from fs_dialer.db.shapes import LeadRow
from fs_dialer.esl.translate import VARIABLE_AGENT, VARIABLE_ATTEMPT
from fs_dialer.modes import OFFERED, SETTINGS
from fs_dialer.runtime.ids import engine_sources, uuids
from fs_dialer.runtime.virtual import Service, VirtualRuntime, no_service
from fs_dialer.sim.people import Behaviour, number_of
from fs_dialer.sim.port import MAIN, SimPort
from fs_dialer.sim.settings import SwitchSettings
from fs_dialer.sim.switch import SimSwitch, SwitchEvent
from tests.core.builders import NOON, SPRING, a_campaign, an_agent

A = TypeVar("A", bound=act.Action)
ZONE = ("America/New_York",)
DRAIN_S = 1800.0
LEASE_S = "86400"
NOTICE = "sorry.wav"

PICKS_UP = Behaviour("answer", 0.4)  # an agent: his phone is answered at once, and he never hangs up
WILLING = Behaviour("answer", 1.0, talk_s=20.0)  # a customer: talks for 20 s, then hangs up
RINGS_OUT = Behaviour("ring")

Script = Mapping[str, Behaviour | Sequence[Behaviour]]


def number(n: int) -> str:
    """The n-th lead's: number(3) = +12125550003."""
    return f"+1212555{n:04d}"


class Cast:
    """Who does what, by number or by agent's user; a list is used up one call after the other, its last item for ever."""

    def __init__(self, script: Script, customers: Behaviour, agents: Behaviour) -> None:
        self.script = {name: list(did) if isinstance(did, Sequence) else [did] for name, did in script.items()}
        self.customers, self.agents = customers, agents

    def behaviour(self, endpoint: str, variables: Mapping[str, str], rng: Random, now: float = 0.0) -> Behaviour:
        turns = self.script.get(number_of(endpoint))
        if turns:
            return turns.pop(0) if len(turns) > 1 else turns[0]
        return self.agents if variables.get("fsd_role") == "agent" else self.customers


@dataclass
class SeenLeg:
    """One leg as the switch told of it. `met`: every leg it was ever bridged to, in order."""

    uuid: str
    attempt: str
    agent: str
    number: str
    created_at: float
    answered_at: float | None = None
    ended_at: float | None = None
    cause: str = ""
    talks_to: str | None = None
    met: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)

    @property
    def up(self) -> bool:
        return self.ended_at is None


class SeenSwitch:
    """Listens to all that the switch says, and cries out at what must never be."""

    def __init__(self) -> None:
        self.legs: dict[str, SeenLeg] = {}

    def note(self, said: SwitchEvent) -> None:
        h, now = said.headers, said.at
        if said.name == "CHANNEL_CREATE":
            attempt, agent = h.get(f"variable_{VARIABLE_ATTEMPT}", ""), h.get(f"variable_{VARIABLE_AGENT}", "")
            self.legs[said.uuid] = SeenLeg(said.uuid, attempt, agent, said.leg.number if said.leg is not None else "", now)
        leg = self.legs.get(said.uuid)
        if leg is None:
            return
        if said.name == "CHANNEL_ANSWER":
            leg.answered_at = now
        elif said.name == "PLAYBACK_START" and said.leg is not None and said.leg.playback is not None:
            leg.heard.append(said.leg.playback.path)
        elif said.name == "CHANNEL_BRIDGE":
            self._meet(self.legs[h["Bridge-A-Unique-ID"]], self.legs[h["Bridge-B-Unique-ID"]])
        elif said.name == "CHANNEL_UNBRIDGE":
            self._part(leg)
        elif said.name == "CHANNEL_HANGUP_COMPLETE":
            leg.ended_at, leg.cause = now, h.get("Hangup-Cause", "")
            self._part(leg)

    def _meet(self, one: SeenLeg, other: SeenLeg) -> None:
        agent, lead = (one, other) if one.agent else (other, one)
        talks = [leg.uuid for leg in self.legs.values() if leg.agent and leg.agent == agent.agent and leg.talks_to not in (None, lead.uuid)]
        assert talks == [], f"agent {agent.agent} is on two calls"
        assert lead.talks_to in (None, agent.uuid), f"{lead.number} talks to two agents"
        for leg, to in ((one, other), (other, one)):
            leg.talks_to = to.uuid
            leg.met.append(to.uuid)

    def _part(self, leg: SeenLeg) -> None:
        other = self.legs.get(leg.talks_to or "")
        leg.talks_to = None
        if other is not None and other.talks_to == leg.uuid:
            other.talks_to = None

    @property
    def leads(self) -> list[SeenLeg]:
        return [leg for leg in self.legs.values() if not leg.agent]

    def of_agent(self, name: str) -> list[SeenLeg]:
        return [leg for leg in self.legs.values() if leg.agent == name]

    def to(self, number: str) -> list[SeenLeg]:
        """Legs to one number, the first first."""
        return [leg for leg in self.leads if leg.number == number]

    def waiting(self) -> list[SeenLeg]:
        return [leg for leg in self.leads if leg.up and leg.answered_at is not None and not leg.met]

    def ringing(self) -> list[SeenLeg]:
        return [leg for leg in self.leads if leg.up and leg.answered_at is None]

    def talking(self) -> list[SeenLeg]:
        return [leg for leg in self.leads if leg.talks_to is not None]


class Wire(SimPort):
    """The way to the switch. While it is cut nothing passes in either direction; the switch goes on."""

    def __init__(self, switch: SimSwitch, seen: SeenSwitch, left: Sequence[OpenAttempt] = ()) -> None:
        super().__init__(switch)
        self._seen, self._left = seen, {found.attempt.leg: found for found in left}
        self.cut = False

    def advance(self, now: float) -> Sequence[ev.Event]:
        out: list[ev.Event] = list(self._answers)
        self._answers.clear()
        for said in self.switch.advance(now):
            self._seen.note(said)
            event = None if self.cut else self.told(said)
            if event is not None:
                out.append(event)
        return out

    def originate_lead(self, action: act.OriginateLead) -> None:
        if self.cut:
            self._answers.append(ev.OriginateFailed(action.leg, "SWITCH_LOST", sent=False))
        else:
            super().originate_lead(action)

    def originate_agent(self, action: act.OriginateAgent) -> None:
        if self.cut:
            self._answers.append(ev.OriginateFailed(action.leg, "SWITCH_LOST", sent=False))
        else:
            super().originate_agent(action)

    def bridge(self, action: act.Bridge) -> None:
        if self.cut:
            self._answers.append(ev.BridgeRefused(action.leg, "no link"))
        else:
            super().bridge(action)

    def hangup(self, action: act.Hangup) -> None:
        if not self.cut:
            super().hangup(action)

    def play_music(self, action: act.PlayMusic) -> None:
        if not self.cut:
            super().play_music(action)

    def play_notice(self, action: act.PlayNotice) -> None:
        if not self.cut:
            super().play_notice(action)

    def enter_ivr(self, action: act.EnterIvr) -> None:
        if not self.cut:
            super().enter_ivr(action)

    def park_both(self, action: act.ParkBoth) -> None:
        if not self.cut:
            super().park_both(action)

    def renew_fallback(self, action: act.RenewFallback) -> None:
        if not self.cut:
            super().renew_fallback(action)

    def ask_leg(self, action: act.AskLeg) -> None:
        if not self.cut:
            super().ask_leg(action)

    def reconcile(self, action: act.Reconcile) -> None:
        """Legs of ours that the engine does not know, then those it knows, then attempts without a result: as the live port tells them."""
        for uuid in list(self.switch.legs):
            leg = self._seen.legs.get(uuid)
            if leg is not None and uuid not in action.legs and uuid not in self._left and (leg.attempt or leg.agent):
                self._answers.append(self._whereabouts(LegId(uuid)))
        for leg_id, found in self._left.items():
            there = self._whereabouts(leg_id)
            self._answers.append(ev.AttemptFound(found, there.facts if isinstance(there, ev.LegFound) else None))
        self._left = {}
        super().reconcile(action)


class Shift:
    """One campaign, `spring`, and its agents, available with their screens open. `script`: what people do (Cast); nailed: agents on lines that stay open."""

    def __init__(
        self,
        campaign: Campaign,
        script: Script | None = None,
        *,
        leads: int = 1,
        nailed: Sequence[str] = (),
        customers: Behaviour = WILLING,
        agents: Behaviour = PICKS_UP,
        lines: int = 100,
        cps: float = 20.0,
        seed: int = 7,
        people: Cast | None = None,
        dialplan: Sequence[str] = (),
        service: Service = no_service,
    ) -> None:
        print(f"seed {seed}")
        self.campaign, self.seed, self.names = campaign, seed, list(campaign.agents.people)
        self.now = NOON
        self.database = MemoryDatabase()
        self.seen = SeenSwitch()
        self.steps: list[tuple[float, ev.Event, list[act.Action]]] = []
        self.commands = itertools.count(1)
        self.service = service
        settings = SwitchSettings(file_lengths_s={NOTICE: 2.0}, dialplan=tuple(dialplan))
        self.switch = SimSwitch(
            people or Cast(script or {}, customers, agents), rng=Random(seed + 1), new_uuid=uuids(Random(seed + 2)), settings=settings, started_at=NOON
        )
        self.store = MemoryStore(lambda: self.now, self.database)
        self.store.take_epoch("the first one")
        self.store.set_installation(Installation(lines=lines, cps=cps, gateways=(GatewayDefinition(id=GatewayId("trunk1")),)))
        self.store.add_agents([an_agent(name, LegKind.NAILED if name in nailed else LegKind.PER_CALL) for name in self.names])
        for name in self.names:
            self.store.set_agent_status(AgentId(name), AgentStatus.AVAILABLE, "", "test")
        self.store.add_campaign(campaign, CampaignState.RUNNING, started=True)
        self.store.add_leads(SPRING, [LeadRow(number(n), ZONE) for n in range(1, leads + 1)])
        self._start(())

    def _start(self, left: Sequence[OpenAttempt]) -> None:
        self.wire = Wire(self.switch, self.seen, left)
        rng, new_id = engine_sources(self.seed + self.database.epoch)
        self.runtime = VirtualRuntime(Dialer(OFFERED, rng=rng, new_id=new_id), self.store, self.wire, self.now, self._step, self.service)
        self.runtime.begin()
        self.wait(0.0005)  # the switch's legs are told apart
        for name in self.names:
            self.ask(name, "open_screen", lease_s=LEASE_S)

    def _step(self, event: ev.Event, now: float, actions: list[act.Action]) -> None:
        self.now = now
        self.steps.append((now, event, actions))
        self.runtime.dialer.check_invariants()

    # --- time -------------------------------------------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        self.runtime.run_until(self.runtime.now + seconds)
        self.now = self.runtime.now

    def until(self, fact: Callable[[], object], what: str, limit_s: float = 600.0) -> None:
        """Let time pass until it is so; the test fails when it never is."""
        self.runtime.run_until(self.runtime.now + limit_s, done=lambda: bool(fact()))
        self.now = self.runtime.now
        if not fact():
            pytest.fail(f"not within {limit_s:g} s: {what}\n{self.told()}")

    def told(self) -> str:
        """The last of what happened, for messages."""
        return "\n".join(f"{at - NOON:8.3f} {event} -> {actions}"[:400] for at, event, actions in self.steps[-40:])

    # --- what people ask --------------------------------------------------------------------------------------------------------------

    def tell(self, agent: str, verb: str, **args: str) -> act.Reply:
        """A verb of an agent, in the words of the interface, and its answer, which may be a refusal."""
        command = CommandId(f"cmd-{next(self.commands)}")
        self.runtime.give(event_of(command, agent, AgentId(agent), verb, args))
        return next(a for a in self.all(act.Reply) if a.command_id == command)

    def ask(self, agent: str, verb: str, **args: str) -> str:
        """The same, and it must be granted."""
        answer = self.tell(agent, verb, **args)
        assert answer.ok, answer.text
        return answer.text

    def give(self, event: ev.Event) -> None:
        self.runtime.give(event)

    # --- what breaks ------------------------------------------------------------------------------------------------------------------

    def lose_link(self) -> None:
        self.wire.cut = True
        self.runtime.give(ev.SwitchLost(MAIN, "a test cut it"))

    def link_again(self) -> None:
        self.wire.cut = False
        self.runtime.give(ev.SwitchUp(MAIN, tuple((LegId(uuid), None) for uuid in self.switch.legs)))

    def switch_dies(self) -> None:
        """The link breaks, and all legs are gone when it is back."""
        self.lose_link()
        self.switch.hang_up_all("SYSTEM_SHUTDOWN", self.now)

    def kill(self, dead_for_s: float = 0.0) -> None:
        """kill -9, and the next daemon `dead_for_s` later."""
        self.wire.cut = True
        self.store.close()
        end = self.now + dead_for_s
        while (at := self.switch.next_wakeup()) is not None and at <= end:
            self.wire.advance(at)
        self.now = end
        self.wire.advance(end)
        self.store = MemoryStore(lambda: self.now, self.database)
        self.store.take_epoch("the next one")
        self.store.return_all_claims()
        self._start(self.store.open_attempts_found())

    # --- what is seen -----------------------------------------------------------------------------------------------------------------

    def all(self, kind: type[A]) -> list[A]:
        return [action for _, _, actions in self.steps for action in actions if isinstance(action, kind)]

    def agent(self, name: str) -> AgentView:
        return next(agent for agent in self.runtime.dialer.snapshot().agents if agent.id == name)

    def view(self) -> CampaignView:
        return next(each for each in self.runtime.dialer.snapshot().campaigns if each.id == SPRING)

    def outcomes(self) -> dict[str, list[str]]:
        """By number, of its attempts that are closed, the first first."""
        found: dict[str, list[str]] = {}
        for closed in self.database.closed.values():
            found.setdefault(closed.attempt.number, []).append(closed.result.outcome.value)
        return found

    def lead(self, n: int = 1) -> tuple[str, int]:
        """Status and attempts of the n-th lead."""
        kept = next(lead for lead in self.database.leads.values() if lead.seen(lead.status).number == number(n))
        return kept.status.value, kept.seen(kept.status).attempts

    # --- the end ----------------------------------------------------------------------------------------------------------------------

    def end(self, *, killed: bool = False) -> None:
        """Drain, then compare what the switch did, what the engine said and what the store keeps. `killed`: not all that was said stands in one engine."""
        self.runtime.give(ev.DrainAsked())
        self.wait(DRAIN_S)
        assert self.runtime.drained, f"not drained:\n{self.told()}"
        self.wire.advance(self.now + 60.0)
        assert self.switch.legs == {}, f"legs are left over: {[self.seen.legs[uuid] for uuid in self.switch.legs]}"
        self.check(killed=killed)

    def check(self, *, killed: bool = False) -> None:
        database = self.database
        assert database.open == {}, "attempts stayed open"
        assert [lead.id for lead in database.leads.values() if lead.status.value == "in_progress"] == [], "leads stayed in progress"
        by_leg = {closed.attempt.leg: closed for closed in database.closed.values()}
        assert [leg for leg in self.seen.leads if leg.uuid not in by_leg] == [], "customers' legs without an attempt"
        times: Counter[AttemptId] = Counter(action.result.attempt for action in self.all(act.CloseAttempt))
        assert set(times) == set(database.closed) and set(times.values()) <= {1}, "an attempt ended twice, or never"
        met = {leg.uuid for leg in self.seen.leads if leg.met}
        connected = {leg for leg, closed in by_leg.items() if closed.result.outcome.value == "connected"}
        if self.campaign.type is not CampaignType.AUTOCALL:
            assert connected <= met, "attempts that count as connected and met nobody"
        assert {by_leg[LegId(leg)].result.outcome.value for leg in met} <= {"connected", "unknown"}, "conversations that count as something else"
        missed = {leg for leg, closed in by_leg.items() if closed.result.missed}
        answered = {leg.uuid for leg in self.seen.leads if leg.answered_at is not None}
        assert missed <= answered, "missed, and never answered"
        assert {leg for leg, closed in by_leg.items() if closed.result.outcome.value == "missed"} <= missed - met, "missed, and yet met somebody"
        if not killed:
            assert self.view().missed == len(missed), "missed calls are counted otherwise than they are kept"


# --- campaigns of each type, with short times ---------------------------------------------------------------------------------------------


def a_shift_campaign(type: CampaignType, *, agents: Sequence[str] = ("ana", "bob"), **more: Any) -> Campaign:
    """wrap-up 5 s, an agent's phone rings 30 s (S46), a customer waits 60 s at most (S47)."""
    settings: dict[str, Any] = {"wrap_up_s": 5.0, "at_most_s": 60.0, "join": True, "gap_s": 3600.0, "screen": "by_type"}
    if "options" not in more:
        settings["options"] = SETTINGS[type]()
    return a_campaign(type=type, people=agents, **(settings | more))
