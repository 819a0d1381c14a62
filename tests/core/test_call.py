"""The call machine: its whole grid, and whatever may come in whatever order."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.core.actions import Bridge
from fs_dialer.core.call import IGNORE, TABLE
from fs_dialer.core.call_words import (
    DUES,
    INPUTS,
    AgentGone,
    AgentParked,
    AgentRingDue,
    Announced,
    Begin,
    BridgeDue,
    Cancel,
    Connected,
    ConsultAsked,
    Finish,
    FoundInFlow,
    Free,
    GuardDue,
    HeardDue,
    HttpCame,
    HttpWanted,
    Input,
    IvrWantsAgent,
    KeyPressed,
    LeadEnded,
    NobodyFree,
    Offer,
    PreviewDue,
    Prolonged,
    RecordAsked,
    Recorded,
    Refused,
    RingDue,
    RingReserved,
    Target,
    TargetDue,
    TargetUp,
    Timer,
    WaitDue,
)
from fs_dialer.core.model import CallState, LegId
from tests.core.builders import ANA, BOB, EVA
from tests.core.call_story import FLOWS, LEG_A, RESERVES, Story

S = CallState

# --- the grid -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(CallState), ids=lambda s: s.value)
def test_every_input_is_decided_in_every_state(state: CallState) -> None:
    for kind in INPUTS:
        rule = TABLE[state, kind]
        assert callable(rule) or (isinstance(rule, IGNORE) and len(rule.why) > 8), f"{state.value} × {kind.__name__}"


def test_the_table_has_no_pair_beyond_the_grid() -> None:
    assert set(TABLE) == {(state, kind) for state in CallState for kind in INPUTS}
    assert set(DUES) <= set(INPUTS)


def test_nothing_but_a_late_offer_or_question_is_obeyed_once_a_call_has_ended() -> None:
    obeyed = {kind for kind in INPUTS if not isinstance(TABLE[S.ENDED, kind], IGNORE)}
    assert obeyed == {Offer, ConsultAsked}, "whoever was to be given the call or asked in it goes free"


def test_a_cancel_never_touches_an_answered_customer() -> None:
    for state in (S.ANSWERED, S.SCREENING, S.IN_IVR, S.WAITING_AGENT, S.NOTICE, S.BRIDGED, S.HELD, S.CONSULTING):
        assert isinstance(TABLE[state, Cancel], IGNORE)


# --- whatever comes, in whatever order ------------------------------------------------------------------------------------------------


def a_consultation(n: int) -> ConsultAsked:
    """Of an agent, rung or nailed, or a number; blind or attended."""
    agent = (BOB, EVA, None)[n % 3]
    name = "+442079460000" if agent is None else agent
    return ConsultAsked(Target("number" if agent is None else "agent", name, LegId(f"target-{n}"), 20.0, agent, agent is not None and n > 5, n % 2 == 0))


MAKERS: dict[type[Input], Callable[[int], Input]] = {
    Offer: lambda n: Offer((ANA, BOB)[n % 2], LegId(f"leg-{n % 2}-{n}"), ready=n % 3 == 0),
    LeadEnded: lambda n: LeadEnded(("NORMAL_CLEARING", "NO_ANSWER", "USER_BUSY", "")[n % 4], certain=n % 4 != 3),
    Refused: lambda n: Refused("do_not_call"),
    IvrWantsAgent: lambda n: IvrWantsAgent(f"node-{n % 2}", "main=1"),
    HttpWanted: lambda n: HttpWanted("balance", "main=2"),
    HttpCame: lambda n: HttpCame("balance", n % 2 == 0, (("due", "12.50"),)),
    FoundInFlow: lambda n: FoundInFlow("main=1", n % 2 == 0),
    Prolonged: lambda n: Prolonged(float(n)),
    Cancel: lambda n: Cancel("a test says so"),
    ConsultAsked: a_consultation,
    RecordAsked: lambda n: RecordAsked(("start", "stop", "pause", "resume")[n % 4]),
    Recorded: lambda n: Recorded(n % 2 == 0),
    KeyPressed: lambda n: KeyPressed(n % 2 == 0),
    Announced: lambda n: Announced(("place.wav",)),
}
MUST_BE_TIMED = {
    S.PREVIEWING: (PreviewDue,),
    S.RINGING_AGENT_FIRST: (AgentRingDue,),
    S.DIALING: (RingDue,),
    S.EARLY: (RingDue,),
    S.ANSWERED: (WaitDue,),
    S.SCREENING: (WaitDue,),
    S.IN_IVR: (GuardDue,),
    S.WAITING_AGENT: (WaitDue,),
    S.NOTICE: (GuardDue,),
    S.CANCELLING: (GuardDue,),
}


class Engine:
    """As much of an engine as a lone call needs: it answers RingReserved and fires timers, and keeps the books."""

    def __init__(self, name: str, nailed: bool) -> None:
        agent = ANA if name in RESERVES else None
        leg = LEG_A if agent and nailed else None
        self.story = Story(FLOWS[name], agent=agent, nailed=leg)
        self.timers: dict[type[Input], float] = {}
        self.taken = {ANA} if agent else set()
        self.ready = {leg} if leg else set()
        self.finished = 0
        self.cancelled = False

    def give(self, given_input: Input) -> None:
        if self.finished:
            return  # the engine has forgotten the call
        asked = given_input.agent if isinstance(given_input, Offer) else given_input.target.agent if isinstance(given_input, ConsultAsked) else None
        if asked is not None and asked in self.taken:
            return  # the engine offers and asks idle agents only
        if isinstance(given_input, ConsultAsked) and (self.story.state not in (S.BRIDGED, S.HELD) or self.story.call.bridging):
            return  # it refuses them
        if isinstance(given_input, ConsultAsked) and asked is not None:
            self.taken.add(asked)
            if given_input.target.nailed:
                self.ready.add(given_input.target.leg)
        if isinstance(given_input, TargetUp) and self.story.call.target is not None:
            self.ready.add(self.story.call.target.leg)
        if isinstance(given_input, Offer):
            self.taken.add(given_input.agent)
            if given_input.ready:
                self.ready.add(given_input.leg)
        if isinstance(given_input, AgentParked) and self.story.call.agent_leg is not None:
            self.ready.add(self.story.call.agent_leg)
        if isinstance(given_input, Connected) and not self.story.call.bridging:
            return  # the engine matches a bridge's legs before it tells of it
        self.timers.pop(type(given_input), None)
        before = self.story.call
        todo = list(self.story.give(given_input))
        if before.state is not S.CANCELLING and self.story.state is S.CANCELLING:
            self.cancelled = True
        while todo:
            d = todo.pop(0)
            assert not self.finished, f"{d} after Finish"
            if isinstance(d, Timer) and d.at is None:
                self.timers.pop(d.due, None)
            elif isinstance(d, Timer):
                assert d.at is not None
                self.timers[d.due] = d.at
            elif isinstance(d, Free):
                assert d.agent in self.taken, f"{d.agent} was freed and is not taken"
                self.taken.discard(d.agent)
            elif isinstance(d, Bridge):
                call = self.story.call
                assert call.answered_at is not None and call.lead_parked, "bridged too soon"
                assert d.leg == call.lead_leg or (call.target is not None and d.agent_leg == call.target.leg), "bridged past the customer"
                assert d.agent_leg in self.ready and not self.cancelled, "bridged to a leg that is not ready, or after a cancel (D6)"
            elif isinstance(d, RingReserved):
                call = self.story.call
                given_back = NobodyFree() if call.agent is None else Offer(call.agent, LegId("rung"), ready=False)
                todo += self.story.give(given_back)
            elif isinstance(d, Finish):
                self.finished += 1
        state = self.story.state
        assert (state is S.ENDED) == bool(self.finished)
        if not self.finished:
            for due in MUST_BE_TIMED.get(state, ()):
                assert due in self.timers, f"{state.value} and nothing will end it"
            target = self.story.call.target
            assert (target is not None) == (state is S.CONSULTING)
            if target is not None and target.stage != "talking":
                assert {TargetDue, BridgeDue} & self.timers.keys(), f"{target.stage} and nothing will end it"
            assert target is None or self.story.call.agent is not None or target.stage != "talking", "he talks to nobody"
            assert not self.story.call.hearing or HeardDue in self.timers, "a beep that nothing ends"
        call = self.story.call
        his = {call.agent, call.target.agent if call.target is not None else None} - {None}
        assert self.taken == his, "an agent is taken and the call does not know him"


@pytest.mark.spec("D6")
@given(st.sampled_from(sorted(FLOWS)), st.booleans(), st.lists(st.tuples(st.sampled_from(INPUTS), st.integers(0, 11)), max_size=40))
@settings(max_examples=600, deadline=None)
def test_no_order_of_news_breaks_a_call(name: str, nailed: bool, news: list[tuple[type[Input], int]]) -> None:
    """No rule raises; nothing is bridged too soon or after a cancel (D6); every agent taken is freed once; Finish comes once; every wait has its end."""
    engine = Engine(name, nailed)
    engine.give(Begin())
    for kind, n in news:
        if kind in DUES and kind not in engine.timers:
            continue
        engine.story.now += n / 3
        engine.give(MAKERS.get(kind, lambda n, kind=kind: kind())(n))
    engine.give(LeadEnded("NORMAL_CLEARING"))
    engine.give(Cancel("the test is over"))
    engine.give(AgentGone())
    if engine.story.state is not S.ENDED:
        engine.give(LeadEnded("NORMAL_CLEARING"))
    assert engine.finished == 1 and not engine.taken


@given(st.sampled_from(sorted(FLOWS)), st.booleans(), st.lists(st.tuples(st.sampled_from(INPUTS), st.integers(0, 11)), max_size=25))
@settings(max_examples=200, deadline=None)
def test_silence_ends_every_wait_but_a_conversation(name: str, nailed: bool, news: list[tuple[type[Input], int]]) -> None:
    """After anything at all, timers alone bring every call to its end or to hanging up again and again: nobody waits for ever."""
    engine = Engine(name, nailed)
    engine.give(Begin())
    for kind, n in news:
        if kind not in DUES or kind in engine.timers:
            engine.give(MAKERS.get(kind, lambda n, kind=kind: kind())(n))
    for _ in range(40):
        if engine.story.state is S.ENDED or not engine.timers:
            break
        due = min(engine.timers, key=lambda d: engine.timers[d])
        engine.story.now = max(engine.story.now, engine.timers[due])
        engine.give(due())
    assert engine.story.state in (S.ENDED, S.CANCELLING, S.NOTICE, S.BRIDGED, S.HELD, S.CONSULTING, S.IN_IVR), engine.story.call
