"""What every campaign type must keep to, whichever it is."""

from __future__ import annotations

import json
from dataclasses import is_dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.core.mode_port import Clocks, Decision, Flow, Mode, Observation, View
from fs_dialer.core.model import CampaignType
from fs_dialer.core.options import declared
from fs_dialer.modes import OFFERED
from tests.core.builders import NOON, a_campaign

MODES = pytest.mark.parametrize("mode", list(OFFERED.values()), ids=[t.value for t in OFFERED])
KINDS = ("launched", "answered", "ended", "machine", "talk_ended", "wrap_ended", "abandoned")


@MODES
def test_it_stands_under_its_own_type(mode: Mode) -> None:
    assert OFFERED[mode.TYPE] is mode and isinstance(mode.TYPE, CampaignType)


@MODES
def test_its_options_are_a_dataclass_of_settings(mode: Mode) -> None:
    assert is_dataclass(mode.Options)
    assert all(setting.metadata["help"] for setting in declared(mode.Options).values())


@MODES
def test_its_flow_is_one_the_call_machine_knows(mode: Mode) -> None:
    flow = mode.flow(a_campaign(type=mode.TYPE))
    assert isinstance(flow, Flow) and flow.first_leg in ("lead", "agent") and flow.on_answer in ("reserved_agent", "music_then_agent", "ivr")
    assert flow.on_answer != "reserved_agent" or flow.reserve_agent


@MODES
@given(
    seen=st.lists(st.tuples(st.sampled_from(KINDS), st.one_of(st.none(), st.floats(0, 3600))), max_size=20),
    idle=st.integers(0, 50),
    hold=st.integers(0, 50),
    ringing=st.integers(0, 50),
    agents=st.integers(0, 60),
    room=st.integers(0, 10**9),
)
def test_it_decides_on_anything_and_its_memory_is_json(
    mode: Mode, seen: list[tuple[str, float | None]], idle: int, hold: int, ringing: int, agents: int, room: int
) -> None:
    """A mode never raises on odd input, and gives targets that are not negative."""
    campaign = a_campaign(type=mode.TYPE)
    memory = mode.new_memory(campaign)
    for n, (kind, age_s) in enumerate(seen):
        memory = mode.observe(memory, Observation(kind, age_s), NOON + n)
    view = View(idle, hold, ringing, agents, room, lambda: Clocks([(NOON, None)] * ringing, [NOON] * 3, [NOON]))
    decision = mode.decide(view, NOON + 100, campaign, memory)
    assert isinstance(decision, Decision) and decision.originate >= 0 and decision.previews >= 0 and decision.because
    assert decision.originate <= room
    json.dumps(memory)
