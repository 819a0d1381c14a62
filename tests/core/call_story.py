"""One call lived through outside any engine: the plans of all flows, and a Story that gives a call its inputs and keeps what it wanted."""

from __future__ import annotations

from fs_dialer.core import call_words as words
from fs_dialer.core.call import step
from fs_dialer.core.call_words import (
    Begin,
    Call,
    Connected,
    Finish,
    Input,
    LeadAnswered,
    LeadParked,
    LeadRang,
    Plan,
)
from fs_dialer.core.model import AgentId, CallState, LegId
from tests.core.builders import ANA, NOON, a_call, a_plan

S = CallState
LEG_A, LEG_B, LEAD = LegId("leg-ana"), LegId("leg-bob"), LegId("lead-1")
FLOWS: dict[str, Plan] = {
    "manual": a_plan(first_leg="agent"),
    "preview": a_plan(preview_s=15.0),
    "progressive": a_plan(),
    "predictive": a_plan(on_answer="music_then_agent", notice="sorry.wav"),
    "autocall": a_plan(on_answer="ivr", ivr="survey.12ab34cd"),
    "callback": a_plan(first_leg="agent"),
    "screened": a_plan(screening=True),
    "beep": a_plan(on_answer="music_then_agent", agent_hears="beep.wav", record="all"),
}
RESERVES = {"manual", "preview", "progressive", "callback", "screened"}


class Story:
    """One call lived through: give it inputs at times, read what it wanted."""

    def __init__(self, plan: Plan, *, agent: AgentId | None = None, nailed: LegId | None = None) -> None:
        self.call: Call = a_call(plan, agent=agent, agent_leg=nailed, agent_ready=nailed is not None, nailed=nailed is not None)
        self.now = NOON
        self.said: list[words.Directive] = []

    def give(self, *inputs: Input, after: float = 0.0) -> list[words.Directive]:
        self.now += after
        got: list[words.Directive] = []
        for given_input in inputs:
            self.call, directives = step(self.call, given_input, self.now)
            got += directives
        self.said += got
        return got

    @property
    def state(self) -> CallState:
        return self.call.state

    @property
    def finish(self) -> Finish:
        (only,) = [d for d in self.said if isinstance(d, Finish)]
        return only

    def wants(self, *kinds: type) -> list[words.Directive]:
        return [d for d in self.said if isinstance(d, kinds)]


def answered(plan: Plan, *, agent: AgentId | None = None, nailed: LegId | None = None) -> Story:
    """A customer who has answered and is parked."""
    story = Story(plan, agent=agent, nailed=nailed)
    story.give(Begin())
    story.give(LeadRang(), after=1.0)
    story.give(LeadAnswered(), LeadParked(), after=5.0)
    return story


def bridged(plan: Plan | None = None) -> Story:
    story = answered(plan or a_plan(), agent=ANA, nailed=LEG_A)
    story.give(Connected(), after=0.05)
    assert story.state is S.BRIDGED
    return story
