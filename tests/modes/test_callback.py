"""Callback: the agent first, one call for each free agent (S66, S88). The flow itself: tests/core/test_callback_flow.py."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.core.call import TABLE
from fs_dialer.core.call_words import AgentParked
from fs_dialer.core.definition import CampaignAgents
from fs_dialer.core.mode_port import Clocks, Mode, Observation, View
from fs_dialer.core.model import CallState, CampaignType
from fs_dialer.core.options import declared
from fs_dialer.modes import callback
from tests.core.builders import NOON, a_campaign


def a_view(idle: int = 0, agents: int = 5, room: int = 100) -> View:
    return View(idle, 0, 0, agents, room, lambda: Clocks([], [], []))


@pytest.mark.spec("S88")
@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 1000))
def test_it_wants_one_callback_for_each_free_agent_and_no_more_than_there_is_room_for(idle: int, agents: int, room: int) -> None:
    decision = callback.decide(a_view(idle, agents, room), NOON, a_campaign(type=callback.TYPE), None)
    assert decision.originate == (min(idle, room) if agents else 0) and decision.previews == 0 and decision.because


def test_it_says_in_words_what_holds_it() -> None:
    def because(view: View, screen: str = "needed") -> str:
        return callback.decide(view, NOON, a_campaign(type=callback.TYPE, agents=CampaignAgents(people=("ana",), screen=screen)), None).because

    assert because(a_view(agents=0)) == "no agent is available with the campaign screen open"
    assert because(a_view(agents=0), "not_needed") == "no agent is available"
    assert "busy" in because(a_view(idle=0))
    assert because(a_view(idle=1, room=0)) == "1 free agent, but lines or calls per second allow 0"
    assert because(a_view(idle=1)) == "one callback for the free agent, the agent is rung first"
    assert "each of 3 free agents" in because(a_view(idle=3))


@pytest.mark.spec("S66")
def test_the_agent_comes_first_and_every_call_has_its_own() -> None:
    flow = callback.flow(a_campaign(type=callback.TYPE))
    assert flow.first_leg == "agent" and flow.on_answer == "reserved_agent" and flow.reserve_agent and flow.preview_s is None
    assert callable(TABLE[CallState.RINGING_AGENT_FIRST, AgentParked]) and callback.TYPE is CampaignType.CALLBACK


@pytest.mark.spec("S83", "S84")
def test_it_needs_the_campaign_screen_unless_it_says_otherwise() -> None:
    assert a_campaign(type=callback.TYPE, agents=CampaignAgents(people=("ana",))).needs_screen
    assert not a_campaign(type=callback.TYPE, agents=CampaignAgents(people=("ana",), screen="not_needed")).needs_screen


def test_it_learns_nothing() -> None:
    mode = cast(Mode, callback)
    assert mode.new_memory(a_campaign(type=callback.TYPE)) is None
    assert mode.observe(None, Observation("answered", 3.0), NOON) is None


@pytest.mark.spec("S65", "S67", "S68")
def test_its_own_setting_is_the_queue_whose_callers_it_calls_back() -> None:
    assert list(declared(callback.Options)) == ["from_queue"] and callback.Options().from_queue == ""
