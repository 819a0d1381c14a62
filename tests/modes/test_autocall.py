"""Autocall: lead first into the flow, as many calls as lines."""

from __future__ import annotations

from typing import Any

import pytest

from fs_dialer.core.definition import Campaign, WrapUp
from fs_dialer.core.flow import Ivr, Node, extension
from fs_dialer.core.mode_port import Clocks, View
from fs_dialer.core.model import CampaignType
from fs_dialer.modes import OFFERED, autocall
from fs_dialer.modes.autocall import Machines, Options
from tests.core.builders import NOON, a_campaign

SURVEY = Ivr(name="survey", nodes=(Node(name="bye", do="end"),))


def a_view(room: int, agents: int = 0) -> View:
    return View(0, 0, 0, agents, room, lambda: Clocks((), (), ()))


def a_survey(**machines: Any) -> Campaign:
    return a_campaign(type=CampaignType.AUTOCALL, options=Options(ivr=SURVEY, machines=Machines(**machines)))


@pytest.mark.spec("S50", "S52")
def test_it_is_offered_and_its_customers_go_straight_into_the_flow() -> None:
    flow = autocall.flow(a_survey())
    assert OFFERED[CampaignType.AUTOCALL].TYPE is autocall.TYPE
    assert (flow.first_leg, flow.on_answer, flow.reserve_agent) == ("lead", "ivr", False)
    assert (flow.ivr, flow.script) == (extension(SURVEY), SURVEY)


@pytest.mark.spec("S50", "S58", "S59", "S60")
@pytest.mark.parametrize("agents", [0, 5])
def test_it_wants_as_many_calls_as_there_is_room_for_with_agents_or_without(agents: int) -> None:
    decision = autocall.decide(a_view(12, agents), NOON, a_survey(), None)
    assert (decision.originate, decision.previews) == (12, 0)
    assert decision.because == "12 more calls: as many as lines and calls per second allow"


def test_without_room_it_says_what_holds_it() -> None:
    decision = autocall.decide(a_view(0), NOON, a_survey(), None)
    assert decision.originate == 0 and decision.because == "every line that the campaign may use is taken, or the calls per second are used up"


def test_machines_are_listened_for_only_where_the_campaign_says_so() -> None:
    assert autocall.flow(a_survey()).detect == ""
    flow = autocall.flow(a_survey(detect="avmd", then="message", message="call-us.wav", succeeds=True))
    assert (flow.detect, flow.machines, flow.message, flow.message_succeeds) == ("avmd", "message", "call-us.wav", True)


@pytest.mark.spec("S62")
def test_its_agents_have_no_rest_and_need_no_screen() -> None:
    campaign = a_campaign(type=CampaignType.AUTOCALL, options=Options(ivr=SURVEY), wrap_up=WrapUp(time_s=60.0), screen="by_type")
    assert campaign.wrap_up_s == 0.0 and not campaign.needs_screen
