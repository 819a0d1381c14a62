"""Progressive: one call for each free agent (S38)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.core.mode_port import Clocks, View
from fs_dialer.core.model import CampaignType
from fs_dialer.modes import progressive
from tests.core.builders import NOON, a_campaign


def a_view(idle: int = 0, agents: int = 5, room: int = 100) -> View:
    return View(idle, 0, 0, agents, room, lambda: Clocks([], [], []))


@pytest.mark.spec("S38")
@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 1000))
def test_it_wants_one_call_per_free_agent_and_never_more_than_there_is_room(idle: int, agents: int, room: int) -> None:
    decision = progressive.decide(a_view(idle, agents, room), NOON, a_campaign(), None)
    assert decision.originate == (min(idle, room) if agents else 0) and decision.previews == 0
    assert decision.because


def test_it_says_in_words_what_holds_it() -> None:
    def because(view: View) -> str:
        return progressive.decide(view, NOON, a_campaign(), None).because

    assert "no agent" in because(a_view(agents=0))
    assert "busy" in because(a_view(idle=0))
    assert because(a_view(idle=1, room=0)) == "1 free agent, but lines or calls per second allow 0"
    assert "allow 2" in because(a_view(idle=3, room=2))
    assert "3 free agents" in because(a_view(idle=3))


@pytest.mark.spec("S38")
def test_every_originate_reserves_its_agent_and_the_customer_is_called_first() -> None:
    flow = progressive.flow(a_campaign())
    assert flow.reserve_agent and flow.first_leg == "lead" and flow.on_answer == "reserved_agent" and flow.preview_s is None
    assert progressive.TYPE is CampaignType.PROGRESSIVE
