"""A campaign's life: its grid, and the ways from new to ended (S24–S28, S87, D5, D11)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.core.campaign import (
    IGNORE,
    INPUTS,
    TABLE,
    Approve,
    End,
    Input,
    LastCallOver,
    Life,
    ListDone,
    Pause,
    SelfPause,
    Start,
    WindowClosed,
    WindowOpened,
    step,
)
from fs_dialer.core.model import CampaignState

S = CampaignState
INSIDE, BEFORE = True, False


def lived(life: Life, *inputs: Input) -> Life:
    for given_input in inputs:
        life, _ = step(life, given_input)
    return life


def new() -> Life:
    return Life(S.NEW)


def approved() -> Life:
    return lived(new(), Approve(INSIDE, starts_by_itself=False))


def running() -> Life:
    return lived(approved(), Start(INSIDE))


def test_every_input_is_decided_in_every_state() -> None:
    assert set(TABLE) == {(state, kind) for state in CampaignState for kind in INPUTS}
    for (state, kind), rule in TABLE.items():
        assert callable(rule) or (isinstance(rule, IGNORE) and len(rule.why) > 5), f"{state} × {kind}"


ALL = [
    *(Approve(w, s) for w in (True, False) for s in (True, False)),
    *(Start(w) for w in (True, False)),
    Pause(),
    *(End(n) for n in (0, 3)),
    WindowOpened(),
    *(WindowClosed(n) for n in (0, 3)),
    ListDone(),
    LastCallOver(),
    SelfPause("trunks fail"),
]


@pytest.mark.spec("D11")
@given(st.lists(st.sampled_from(ALL), max_size=20))
def test_an_ended_campaign_never_lives_again_D11(inputs: list[Input]) -> None:
    life = new()
    for given_input in inputs:
        before = life
        life, answer = step(life, given_input)
        assert answer.text or answer.ok
        assert before.state is not S.ENDED or life.state is S.ENDED
        assert before.state is not S.DRAINING or life.state in (S.DRAINING, S.ENDED)
        assert answer.ok or life == before, "a refusal changes nothing"


@pytest.mark.spec("S25")
def test_a_new_campaign_is_not_approved_and_cannot_start_S24_S25() -> None:
    life, answer = step(new(), Start(INSIDE))
    assert life == new() and not answer.ok and "approved" in answer.text


@pytest.mark.spec("D11")
def test_approval_alone_does_not_start_an_agent_campaign_D11() -> None:
    assert approved().state is S.APPROVED


@pytest.mark.spec("S70", "D11")
def test_a_callback_campaign_starts_by_its_approval_D11() -> None:
    assert lived(new(), Approve(INSIDE, starts_by_itself=True)).state is S.RUNNING


@pytest.mark.spec("S26")
def test_start_inside_the_window_runs_at_once_S26() -> None:
    assert running().state is S.RUNNING


@pytest.mark.spec("S27")
def test_started_before_its_time_it_begins_by_itself_S27() -> None:
    life = lived(approved(), Start(BEFORE))
    assert life == Life(S.APPROVED, started=True)
    assert lived(life, WindowOpened()).state is S.RUNNING


def test_unstarted_before_its_time_it_does_not_begin() -> None:
    assert lived(approved(), Start(BEFORE), Pause(), WindowOpened()).state is S.APPROVED


@pytest.mark.spec("S5")
def test_its_start_time_alone_starts_nothing() -> None:
    assert lived(approved(), WindowOpened()).state is S.APPROVED


@pytest.mark.spec("S70")
def test_a_callback_campaign_approved_before_its_time_begins_at_it_S70() -> None:
    assert lived(new(), Approve(BEFORE, starts_by_itself=True), WindowOpened()).state is S.RUNNING


@pytest.mark.spec("D5")
def test_pause_and_start_need_no_new_approval_D5() -> None:
    assert lived(running(), Pause(), Start(INSIDE)).state is S.RUNNING


@pytest.mark.spec("S6")
def test_its_end_time_ends_it_once_the_last_call_is_over_S6() -> None:
    draining = lived(running(), WindowClosed(2))
    assert draining.state is S.DRAINING
    assert lived(draining, LastCallOver()).state is S.ENDED
    assert lived(running(), WindowClosed(0)).state is S.ENDED


@pytest.mark.spec("M19")
@pytest.mark.parametrize("make", [new, approved, running, lambda: lived(running(), Pause())])
def test_any_campaign_can_be_ended_by_hand(make: object) -> None:
    assert lived(make(), End(0)).state is S.ENDED  # type: ignore[operator]
    assert lived(make(), End(1)).state is S.DRAINING  # type: ignore[operator]


@pytest.mark.spec("M9")
def test_a_finished_list_ends_only_a_running_campaign() -> None:
    assert lived(running(), ListDone()).state is S.ENDED
    assert lived(running(), Pause(), ListDone()).state is S.PAUSED


def test_a_self_pause_says_why_and_only_stops_what_runs_D15() -> None:
    life = lived(running(), SelfPause("carrier refuses every call"))
    assert life.state is S.PAUSED and "carrier" in life.reason
    assert lived(approved(), SelfPause("x")).state is S.APPROVED
