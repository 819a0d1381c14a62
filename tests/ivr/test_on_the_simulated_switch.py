"""Every path through a flow, walked by a customer of the simulated switch through the rendered dialplan: it leaves behind what walk.py says.

Keys are pressed when the flow waits for them, silence is waited out, recordings are ended by a key or the hang-up; where the daemon has its part (an agent,
a service) it does what the engine would, or is dead and the switch's own timer goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core.definition import GatewayDefinition
from fs_dialer.core.flow import Ivr, Node, extension, node_extension, steps
from fs_dialer.core.model import Attempt, AttemptId, CampaignId, GatewayId, LeadId, LegId, SwitchId
from fs_dialer.dialplans import fallback
from fs_dialer.dialplans.options import SwitchOptions
from fs_dialer.ivr.paths import Path, paths
from fs_dialer.ivr.render import flow_file
from fs_dialer.ivr.words import Input
from fs_dialer.runtime.ids import uuids
from fs_dialer.sim import ending
from fs_dialer.sim.leg import Leg
from fs_dialer.sim.people import Behaviour, ScriptedPeople
from fs_dialer.sim.port import SimPort
from fs_dialer.sim.settings import SwitchSettings
from fs_dialer.sim.switch import SimSwitch
from tests.ivr.a_flow import EVERY_KIND

NOON = 1_780_000_000.0
LEG, AGENT, TRUNK = LegId("11111111-1111-4111-8111-111111111111"), LegId("22222222-2222-4222-8222-222222222222"), GatewayId("trunk1")
GATEWAY = GatewayDefinition(id=TRUNK)
OPTIONS = SwitchOptions(gateways=(GATEWAY,))

DUES = Ivr(
    name="dues-menu",
    nodes=(
        Node(name="hello", do="play", text="Good morning", next="known"),
        Node(name="known", do="if", what="tier", among=("gold",), next="adviser", otherwise="main"),
        Node(name="main", do="menu", sound="ivr/main.wav", wrong="ivr/wrong.wav", tries=2, otherwise="bye",
             keys=(("1", "adviser"), ("2", "pin"), ("3", "rating"), ("4", "message"), ("5", "office"), ("9", "stop"), ("star", "main"), ("hash", "balance"))),
        Node(name="pin", do="gather", text="Your number please", digits=(4, 8), ends_with="hash", pattern="[1-9][0-9]+", tries=2, next="wish",
             otherwise="main"),
        Node(name="wish", do="set", set=(("wants_call", "yes"),), next="thanks"),
        Node(name="rating", do="rate", text="How was it", low=1, high=5, tries=1, next="thanks", otherwise="rude"),
        Node(name="message", do="record", text="Speak", at_most_s=20, silence_s=4, next="thanks"),
        Node(name="adviser", do="connect", text="One moment", otherwise="message"),
        Node(name="office", do="transfer", number="+34910000099", ring_s=10, otherwise="rude"),
        Node(name="balance", do="http", url="https://api.example.org/b", take=("sum",), timeout_s=3, next="told", otherwise="rude"),
        Node(name="told", do="say", say_as="money", text="{sum}", next="thanks"),
        Node(name="stop", do="opt_out", text="We shall not call", next="rude"),
        Node(name="thanks", do="end", text="Thank you"),
        Node(name="rude", do="end", success=False),
        Node(name="bye", do="end", text="Good bye", success=False),
    ),
)  # fmt: skip
SURVEY = Ivr(
    name="survey",
    start="one",
    nodes=(
        Node(name="one", do="rate", sound="s/1.wav", low=0, high=3, next="two", otherwise="two"),
        Node(name="two", do="rate", sound="s/2.wav", low=0, high=3, next="three", otherwise="three"),
        Node(name="three", do="gather", sound="s/3.wav", digits=(1, 3), next="end", otherwise="end"),
        Node(name="end", do="end"),
    ),
)
FLOWS = (DUES, SURVEY, replace(EVERY_KIND, name="every-kind"))


class Caller:
    """One customer in a flow, who does what a path says."""

    def __init__(self, ivr: Ivr, path: Path) -> None:
        self.ivr, self.path, self.now, self.left_behind = ivr, path, NOON, ""
        office = [Behaviour(after_s=1.0, stay_s=2.0) if each.value == "yes" else Behaviour("refuse", 1.0) for each in path.inputs if each.do == "number"]
        numbers = {node.number: office or [Behaviour("refuse", 1.0)] for node in ivr.nodes if node.do == "transfer"}
        people = ScriptedPeople(numbers, Behaviour(hangs_up_after_message=False, speaks_s=600.0))
        settings = SwitchSettings(detailed=False, dialplan=(flow_file((ivr,), OPTIONS), fallback.fallback_file(fallback.Fallback())))
        self.switch = SimSwitch(people, rng=Random(1), new_uuid=uuids(Random(2)), settings=settings, started_at=NOON)
        self.port = SimPort(self.switch)

    def run(self) -> str:
        """The words that the switch has of him when he is gone."""
        attempt = Attempt(AttemptId("a1"), CampaignId("spring"), 1, LeadId(1), LEG, "+34600000001", TRUNK, "+34910000000", None, NOON)
        attributes = tuple((f"fsd_a_{name}", value) for name, value in self.path.attributes.items())
        given = (("fsd_number", "+34600000001"), ("fsd_gateway", TRUNK), ("fsd_caller_id", "+34910000000"), *attributes)
        self.port.at(self.now)
        self.port.originate_lead(act.OriginateLead(LEG, attempt, SwitchId("main"), "+34600000001", 20.0, False, extension=extension(self.ivr), variables=given))
        self.until(lambda: LEG in self.switch.legs)
        for happens in self.path.inputs:
            self.happen(happens)
        if LEG in self.switch.legs and self.path.ended in ("missed", "at_most"):
            self.until(lambda: LEG not in self.switch.legs)
        elif self.path.ended in ("connected", "put_through"):
            self.until(lambda: self.leg.partner is not None)
            self.pass_(0.5)  # what a bridge has to run is run some 0.2 s after it
            self.leave()
        self.until(lambda: LEG not in self.switch.legs)
        return self.left_behind

    @property
    def leg(self) -> Leg:
        return self.switch.legs[LEG]

    def events(self) -> Iterator[float]:
        while (at := self.port.next_wakeup()) is not None and at < NOON + 7200:
            self.now = max(self.now, at)
            self.port.at(self.now)
            for event in self.switch.advance(self.now):
                if event.name == "CHANNEL_HANGUP_COMPLETE" and event.uuid == LEG:
                    self.left_behind = event.headers.get("variable_fsd_ivr", "")
            yield self.now

    def until(self, holds: Callable[[], bool]) -> None:
        if not holds():
            for _ in self.events():
                if holds():
                    return
            raise AssertionError(f"it never came: {self.switch.legs.get(LEG)!r} {self.path}")

    def waiting(self) -> str:
        """What the flow waits for: key, record, agent, number, http; "" = it is busy."""
        leg = self.switch.legs.get(LEG)
        if leg is None:
            return "nothing"
        question = leg.ears.question if leg.ears is not None else None
        if question is not None:
            return "key" if question.phase == "waiting" else ""
        if leg.partner is not None:
            return "nothing"
        return {"record": "record", "park": "agent", "bridge": "number", "endless_playback": "http"}.get(leg.app, "")

    def happen(self, happens: Input) -> None:
        self.until(lambda: self.waiting() != "")
        what, node = self.waiting(), self.leg.variables["fsd_ivr"].split(";")[-1].split("=")[0]
        question = self.leg.ears.question
        match happens.do, what:
            case "press", "key":
                self.press(happens.value)
                return
            case "wait", "key":
                number = question.number
                self.until(lambda: self.waiting() == "nothing" or self.leg.ears.question is not question or question.number != number)
            case (("spoken" | "wait"), "record"):
                self.pass_(int(happens.value or 0) + 0.4)
                self.press("#")
            case "hang_up", _:
                if what == "record":
                    self.pass_(int(happens.value or 0) + 0.4)
                self.leave()
            case (("agent" | "wait"), "agent") if happens.value == "yes":
                self.switch.originate(AGENT, AGENT, "user/1001", {}, "&park()", self.now)
                self.until(lambda: AGENT in self.switch.legs and self.switch.legs[AGENT].parked)
                self.switch.sched_del(LEG, self.now)
                self.switch.bridge(LEG, AGENT, self.now)
            case (("answered" | "wait"), "http") if happens.values is not None:
                told = tuple((f"fsd_v_{name}", value) for name, value in happens.values)
                following = next(each.next for each in self.ivr.nodes if each.name == node)
                self.port.enter_ivr(act.EnterIvr(LEG, node_extension(self.ivr, following), variables=told, at_most_s=60.0))
                self.until(lambda: self.waiting() != "http")
            case (("agent" | "answered" | "number" | "wait"), ("agent" | "http" | "number")):  # nobody does anything: timers, or the number's own answer
                self.until(lambda: self.waiting() != what)
            case _:
                raise AssertionError(f"{happens} where the flow waits for {what}")

    def press(self, key: str) -> None:
        self.switch.api(f"uuid_recv_dtmf {LEG} {key}", self.now)
        self.pass_(0.05)

    def pass_(self, seconds: float) -> None:
        end = self.now + seconds
        self.switch.at(end, lambda switch, now: None)
        self.until(lambda: self.now >= end)

    def leave(self) -> None:
        self.switch.at(self.now, ending.left, self.leg)


def words_of(ivr: Ivr, path: str) -> list[tuple[str, str]]:
    """What was done: where the caller is, which the switch adds, has no value."""
    return [(step.node, step.value) for step in steps(ivr, path) if step.value]


CASES = [pytest.param(flow, path, id=f"{flow.name}-{number}") for flow in FLOWS for number, path in enumerate(paths(flow, hang_ups=True))]


@pytest.mark.spec("S50", "S51", "S52")
@pytest.mark.parametrize(("flow", "path"), CASES)
def test_a_path_leaves_behind_on_the_switch_what_the_walk_says(flow: Ivr, path: Path) -> None:
    assert words_of(flow, Caller(flow, path).run()) == words_of(flow, path.path), path
