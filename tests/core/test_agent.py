"""The agent's machine: its grid, and what he goes through in a day."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.core.agent import (
    IGNORE,
    INPUTS,
    MISSED_OFFER_REST_S,
    MISSED_OFFERS_IN_ROW,
    TABLE,
    UNSERVED_REST_S,
    WITH_CALL,
    Agent,
    Consult,
    Declare,
    Hold,
    Input,
    LegLost,
    LegUp,
    MissedOffer,
    Reserve,
    RestDue,
    Ring,
    Served,
    ShowPreview,
    Talk,
    Unserved,
    new_agent,
    step,
)
from fs_dialer.core.model import AgentState, AgentStatus, AttemptId, LegId, LegKind
from tests.core.builders import NOON, an_agent

S = AgentState
LEG = LegId("nailed-1")
ONE, TWO = AttemptId("c1"), AttemptId("c2")


def per_call(status: AgentStatus = AgentStatus.AVAILABLE) -> Agent:
    return new_agent(an_agent(), status, NOON)


def nailed(status: AgentStatus = AgentStatus.AVAILABLE) -> Agent:
    return step(new_agent(an_agent(leg=LegKind.NAILED), status, NOON), LegUp(LEG), NOON)


def through(agent: Agent, *inputs: Input, now: float = NOON) -> Agent:
    for given_input in inputs:
        agent = step(agent, given_input, now)
    return agent


def test_every_input_is_decided_in_every_state() -> None:
    assert set(TABLE) == {(state, kind) for state in AgentState for kind in INPUTS}
    for (state, kind), rule in TABLE.items():
        assert callable(rule) or (isinstance(rule, IGNORE) and len(rule.why) > 5), f"{state} × {kind}"


MAKERS = [
    LegUp(LEG),
    LegLost(),
    Reserve(ONE),
    ShowPreview(ONE),
    Ring(ONE),
    Talk(ONE),
    Hold(),
    Consult(),
    Served(0.0),
    Served(10.0),
    Unserved(),
    MissedOffer(),
    MissedOffer(his_fault=False),
    RestDue(),
    *(Declare(status) for status in AgentStatus),
]


@given(st.sampled_from(list(LegKind)), st.lists(st.sampled_from(MAKERS), max_size=30))
def test_no_order_of_inputs_breaks_an_agent(leg: LegKind, inputs: list[Input]) -> None:
    """A call is his exactly while a state with a call is; a nailed agent is never free without a parked leg; a rest always has its end."""
    agent = new_agent(an_agent(leg=leg), AgentStatus.AVAILABLE, NOON)
    for n, given_input in enumerate(inputs):
        agent = step(agent, given_input, NOON + n)
        assert (agent.call is not None) == (agent.state in WITH_CALL)
        assert (agent.rest_until is not None) == (agent.state is S.WRAP_UP)
        assert agent.leg is not None or not agent.parked
        assert not agent.free or (agent.state is S.IDLE and agent.status is AgentStatus.AVAILABLE and (agent.parked or leg is LegKind.PER_CALL))
        assert agent.state is not S.LEG_DOWN or (agent.nailed and agent.leg is None)


def test_a_per_call_agent_is_free_as_soon_as_he_is_available() -> None:
    assert per_call().free and not per_call(AgentStatus.NOT_AVAILABLE).free and not per_call(AgentStatus.LOGGED_OUT).free


def test_a_nailed_agent_is_free_once_his_leg_is_parked() -> None:
    down = new_agent(an_agent(leg=LegKind.NAILED), AgentStatus.AVAILABLE, NOON)
    assert down.state is S.LEG_DOWN and not down.free and not down.staying
    assert step(down, LegUp(LEG), NOON).free


@pytest.mark.spec("S13")
def test_a_conversation_is_followed_by_a_rest_S13() -> None:
    agent = through(per_call(), Reserve(ONE), Talk(ONE))
    agent = step(agent, Served(10.0), NOON + 60)
    assert agent.state is S.WRAP_UP and agent.rest_until == NOON + 70 and agent.calls == 1
    agent = step(agent, RestDue(), NOON + 70)
    assert agent.free and agent.idle_since == NOON + 70


def test_without_wrap_up_he_is_free_at_once() -> None:
    assert through(per_call(), Reserve(ONE), Talk(ONE), Served(0.0)).free


def test_after_a_talk_a_nailed_agent_is_free_when_his_leg_is_parked_again() -> None:
    agent = through(nailed(), Reserve(ONE), Talk(ONE), Served(0.0))
    assert agent.state is S.IDLE and not agent.free
    assert step(agent, LegUp(LEG), NOON).free


def test_his_leg_may_be_parked_again_before_the_customer_s_end_is_told() -> None:
    """29: the orders vary."""
    assert through(nailed(), Reserve(ONE), Talk(ONE), LegUp(LEG), Served(0.0)).free


def test_a_reservation_that_leads_to_nothing_does_not_cost_him_his_turn() -> None:
    agent = step(step(nailed(), Reserve(ONE), NOON + 5), Unserved(), NOON + 30)
    assert agent.free and agent.idle_since == NOON


def test_a_phone_that_rang_for_nothing_rests_a_moment() -> None:
    agent = through(per_call(), Ring(ONE), Unserved())
    assert agent.state is S.WRAP_UP and agent.rest_until == NOON + UNSERVED_REST_S


def test_three_missed_offers_in_a_row_make_him_not_available() -> None:
    agent = per_call()
    for n in range(MISSED_OFFERS_IN_ROW):
        assert agent.status is AgentStatus.AVAILABLE
        agent = through(agent, Ring(ONE), MissedOffer())
        assert agent.missed_in_row == n + 1 and agent.rest_until == NOON + MISSED_OFFER_REST_S
        agent = step(agent, RestDue(), NOON)
    assert agent.status is AgentStatus.NOT_AVAILABLE and not agent.free
    assert step(agent, Declare(AgentStatus.AVAILABLE), NOON).missed_in_row == 0


def test_a_talk_forgives_missed_offers() -> None:
    agent = through(per_call(), Ring(ONE), MissedOffer(), RestDue(), Ring(TWO), Talk(TWO))
    assert agent.missed_in_row == 0


def test_what_the_switch_failed_to_do_is_not_held_against_him() -> None:
    agent = per_call()
    for _ in range(5):
        agent = through(agent, Ring(ONE), MissedOffer(his_fault=False))
        assert agent.state is S.WRAP_UP, "he rests, or the same bridge would fail again at once"
        agent = step(agent, RestDue(), NOON)
    assert agent.status is AgentStatus.AVAILABLE


@pytest.mark.parametrize("state", [S.RESERVED, S.RINGING, S.TALKING, S.WRAP_UP], ids=lambda s: s.value)
def test_a_break_asked_for_during_a_call_takes_effect_after_it(state: AgentState) -> None:
    agent = step(replace(per_call(), state=state, call=ONE), Declare(AgentStatus.NOT_AVAILABLE), NOON)
    assert agent.state is state and not agent.staying


def test_a_nailed_leg_that_is_lost_leaves_him_down_when_his_call_is_over() -> None:
    assert step(nailed(), LegLost(), NOON).state is S.LEG_DOWN
    agent = through(nailed(), Reserve(ONE), Talk(ONE), LegLost(), Served(5.0))
    assert agent.state is S.WRAP_UP
    assert step(agent, RestDue(), NOON).state is S.LEG_DOWN


def test_an_agent_made_per_call_forgets_the_nailed_leg_that_is_lost() -> None:
    agent = step(replace(nailed(), definition=an_agent()), LegLost(), NOON)
    assert agent.leg is None and agent.free


def test_hold_and_consultation_keep_the_call_his() -> None:
    agent = through(per_call(), Reserve(ONE), Talk(ONE), Hold())
    assert agent.state is S.HELD and agent.call == ONE
    assert through(agent, Consult()).state is S.CONSULTING
    assert through(agent, Talk(ONE)).state is S.TALKING


def test_a_second_call_is_not_taken() -> None:
    agent = through(per_call(), Reserve(ONE))
    assert through(agent, Reserve(TWO)) is agent
    assert through(agent, ShowPreview(TWO)) is agent
