"""Which switch has a campaign's flow."""

from __future__ import annotations

from typing import Any

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.flow import Ivr, extension
from fs_dialer.core.flow_places import ASKED, has_flow, why_not
from fs_dialer.core.model import CampaignType, SwitchId
from fs_dialer.modes import OFFERED
from fs_dialer.modes.autocall import Options
from tests.core.builders import SPRING, SWITCH, Desk, a_campaign, a_desk, some_leads
from tests.core.test_steering import FLOW

MISSING = "the flow dues of revision 1 is not in the switch: fs-dialer switch reload"


def a_survey(ivr: Ivr = FLOW, **more: Any) -> Desk:
    campaign = a_campaign(type=CampaignType.AUTOCALL, people=(), options=Options(ivr=ivr), **more)
    return a_desk(agents=0, campaigns=(campaign,), offered=OFFERED)


@pytest.mark.spec("D5")
def test_nobody_is_called_before_the_switch_has_told_its_flows_and_while_it_lacks_this_one() -> None:
    desk = a_survey()
    run = desk.dialer._w.runs[SPRING]
    assert why_not(desk.dialer._w, run) == ASKED and not desk.all(act.ClaimLeads)
    desk.tell(ev.FlowsInSwitch(SWITCH, frozenset({"dues.00000000"}), frozenset()))
    assert desk.campaign().because == MISSING == desk.campaign().flow and not desk.all(act.ClaimLeads)
    desk.tell(ev.FlowsInSwitch(SWITCH, frozenset({extension(FLOW)}), frozenset()))
    assert desk.campaign().flow == "" and desk.last(act.ClaimLeads).attributes == ("number", "due")
    desk.claimed(*some_leads(2))
    assert len(desk.all(act.OriginateLead)) == 2


def test_a_flow_that_goes_holds_new_calls_and_leaves_those_that_are_up() -> None:
    desk = a_survey(lines=1)
    desk.tell(ev.FlowsInSwitch(SWITCH, frozenset({extension(FLOW)}), frozenset()))
    desk.claimed(*some_leads(3))
    (call,) = desk.all(act.OriginateLead)
    desk.tell(ev.LegAnswered(call.leg), ev.FlowsInSwitch(SWITCH, frozenset(), frozenset()))
    assert not desk.all(act.Hangup) and any(note.name == "flow_missing" for note in desk.all(act.Note))
    desk.over(call.leg)
    assert len(desk.all(act.OriginateLead)) == 1 and desk.campaign().because == MISSING


def test_of_several_switches_only_those_that_have_it_take_its_calls() -> None:
    desk = a_survey()
    desk.tell(ev.FlowsInSwitch(SWITCH, frozenset({extension(FLOW)}), frozenset()), ev.FlowsInSwitch(SwitchId("other"), frozenset(), frozenset()))
    w = desk.dialer._w
    assert has_flow(w, w.runs[SPRING], SWITCH) and not has_flow(w, w.runs[SPRING], SwitchId("other")) and why_not(w, w.runs[SPRING]) == ""


def test_campaigns_without_a_flow_need_none() -> None:
    desk = a_desk()
    w = desk.dialer._w
    assert why_not(w, w.runs[SPRING]) == "" and has_flow(w, w.runs[SPRING], SwitchId("any"))
