"""Holds, transfers and listening in on the simulated switch, in virtual time: after each story no agent was on two calls, no leg is left, every attempt ended
once (Shift.end)."""

from __future__ import annotations

from typing import Any

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core.definition import Recording
from fs_dialer.core.model import AgentState, CampaignType
from fs_dialer.sim.people import Behaviour
from tests.core.virtual_shift import Shift, a_shift_campaign, number

PATIENT = Behaviour("answer", 1.0, talk_s=600.0)
NEVER = Behaviour("ring", 0.5)
AGENTS = ("ana", "bob")
BOTH = pytest.mark.parametrize("nailed", [(), AGENTS], ids=["per_call", "nailed"])
ATTENDED = pytest.mark.parametrize("attended", ["no", "yes"], ids=["blind", "attended"])


def talk(nailed: tuple[str, ...] = (), script: dict[str, Behaviour | list[Behaviour]] | None = None, **more: Any) -> tuple[Shift, str, str]:
    """A patient customer and an agent who talk; the agent, and the other one, who is free."""
    shift = Shift(a_shift_campaign(CampaignType.PROGRESSIVE, **more), script, nailed=nailed, customers=PATIENT)
    shift.until(shift.seen.talking, "a conversation")
    giver = next(name for name in AGENTS if shift.agent(name).state is AgentState.TALKING)
    return shift, giver, "bob" if giver == "ana" else "ana"


def talks_with(shift: Shift, name: str) -> bool:
    (lead,) = shift.seen.to(number(1))
    return any(leg.uuid == lead.talks_to for leg in shift.seen.of_agent(name))


@BOTH
def test_a_customer_is_held_with_music_and_taken_up_again(nailed: tuple[str, ...]) -> None:
    shift, giver, _ = talk(nailed)
    for _ in range(3):
        shift.ask(giver, "hold")
        shift.wait(45.0)
        (lead,) = shift.seen.to(number(1))
        assert lead.up and lead.talks_to is None and lead.heard[-1] == "local_stream://moh", "the fallback never takes who is on hold"
        assert shift.agent(giver).state is AgentState.HELD
        shift.ask(giver, "resume")
        shift.until(lambda: talks_with(shift, giver), "they talk again", 5.0)
        shift.wait(45.0)
    shift.ask(giver, "hang_up")
    shift.wait(1.0)
    assert shift.outcomes() == {number(1): ["connected"]}
    shift.end()


@BOTH
@ATTENDED
def test_a_customer_is_transferred_to_another_agent(nailed: tuple[str, ...], attended: str) -> None:
    shift, giver, other = talk(nailed)
    shift.ask(giver, "transfer", kind="agent", to=other, attended=attended)
    if attended == "yes":
        shift.until(lambda: shift.agent(other).state is AgentState.TALKING, "the two talk", 10.0)
        shift.wait(40.0)
        shift.ask(giver, "complete_transfer")
    shift.until(lambda: talks_with(shift, other), "the customer talks to the other", 10.0)
    assert shift.agent(giver).state is AgentState.WRAP_UP
    shift.wait(60.0)
    assert talks_with(shift, other), "and goes on to"
    shift.ask(other, "hang_up")
    shift.wait(1.0)
    assert [closed.result.agent for closed in shift.database.closed.values()] == [other]
    shift.end()


@BOTH
def test_a_consultation_that_is_taken_back(nailed: tuple[str, ...]) -> None:
    shift, giver, other = talk(nailed)
    shift.ask(giver, "transfer", kind="agent", to=other, attended="yes")
    shift.until(lambda: shift.agent(other).state is AgentState.TALKING, "the two talk", 10.0)
    shift.ask(giver, "resume")
    shift.until(lambda: talks_with(shift, giver), "the giver has his customer again", 5.0)
    shift.wait(3.0)
    assert shift.agent(other).state is AgentState.IDLE
    shift.ask(giver, "hang_up")
    shift.end()


@ATTENDED
def test_a_phone_that_nobody_answers_gives_the_customer_back(attended: str) -> None:
    shift, giver, other = talk(script={"bob": NEVER})
    assert giver == "ana"
    shift.ask(giver, "transfer", kind="agent", to=other, attended=attended)
    shift.wait(21.0)
    assert talks_with(shift, giver) == (attended == "no")
    shift.ask(giver, "hang_up")
    shift.end()


@BOTH
@pytest.mark.parametrize("when", ["held", "consulting"])
def test_a_link_lost_in_the_middle_changes_nothing_for_those_who_are_up(nailed: tuple[str, ...], when: str) -> None:
    shift, giver, other = talk(nailed)
    if when == "held":
        shift.ask(giver, "hold")
    else:
        shift.ask(giver, "transfer", kind="agent", to=other, attended="yes")
        shift.until(lambda: shift.agent(other).state is AgentState.TALKING, "the two talk", 10.0)
    shift.wait(12.0)
    shift.lose_link()
    assert not shift.tell(giver, "resume").ok
    shift.wait(8.0)
    shift.link_again()
    shift.wait(1.0)
    shift.ask(giver, "resume")
    shift.until(lambda: talks_with(shift, giver), "back to the customer", 5.0)
    shift.ask(giver, "hang_up")
    shift.end()


@BOTH
@pytest.mark.parametrize("when", ["held", "consulting", "recorded"])
def test_a_daemon_killed_in_the_middle_leaves_nobody_behind(nailed: tuple[str, ...], when: str) -> None:
    """A held customer waits anew and gets an agent; those who only consulted are parted."""
    shift, giver, other = talk(nailed, recording=Recording(calls="answered"))
    if when == "held":
        shift.ask(giver, "hold")
    elif when == "consulting":
        shift.ask(giver, "transfer", kind="agent", to=other, attended="yes")
        shift.until(lambda: shift.agent(other).state is AgentState.TALKING, "the two talk", 10.0)
    shift.wait(5.0)
    shift.kill(3.0)
    shift.until(lambda: talks_with(shift, "ana") or talks_with(shift, "bob"), "the customer talks to an agent", 120.0)
    shift.wait(20.0)
    shift.until(lambda: any(shift.agent(name).state is AgentState.TALKING for name in AGENTS), "the engine knows who", 60.0)
    shift.ask(next(name for name in AGENTS if shift.agent(name).state is AgentState.TALKING), "hang_up")
    shift.end(killed=True)


@BOTH
def test_a_supervisor_listens_through_a_hold_and_is_gone_with_the_leg(nailed: tuple[str, ...]) -> None:
    shift, giver, _ = talk(nailed)
    shift.ask(giver, "supervise", dial="user/1009", how="whisper")
    shift.wait(3.0)
    (boss,) = [leg for leg in shift.switch.legs.values() if leg.app == "eavesdrop"]
    shift.ask(giver, "hold")
    shift.wait(40.0)
    shift.ask(giver, "resume")
    shift.wait(2.0)
    assert boss.is_up, "no fallback takes him away"
    shift.ask(giver, "hang_up")
    shift.wait(2.0)
    assert boss.is_up == bool(nailed), "he stays with a line that stays open"


def test_a_recorded_call_says_from_when_to_when() -> None:
    shift, giver, _ = talk(("ana", "bob"), recording=Recording(calls="answered"))
    shift.wait(30.0)
    shift.ask(giver, "hang_up")
    shift.wait(1.0)
    (closed,) = shift.database.closed.values()
    assert closed.result.recorded_from is not None and closed.result.recorded_until is not None
    assert 30.0 <= closed.result.recorded_until - closed.result.recorded_from <= 33.0
    assert len(shift.all(act.StartRecording)) == 1
    shift.end()
