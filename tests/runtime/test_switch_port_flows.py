"""Legs that go straight into a flow, are sent on in it, and which flows a switch has: on a real socket to a simulated switch with our own dialplan."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.flow import Ivr, Node, extension
from fs_dialer.dialplans.options import SwitchOptions
from fs_dialer.ivr.render import flow_file
from tests.runtime.greens import settle, until
from tests.runtime.test_switch_port import Line, lead_originate

FLOW = Ivr(
    name="dues",
    nodes=(
        Node(name="main", do="menu", sound="menu.wav", keys=(("1", "adviser"),), timeout_s=60.0),
        Node(name="adviser", do="connect", otherwise="bye"),
        Node(name="asked", do="if", what="paid", among=("yes",), next="bye", otherwise="adviser"),
        Node(name="ask", do="http", take=("paid",), next="asked"),
        Node(name="bye", do="end"),
    ),
)


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    made.switch.files = lambda: (flow_file((FLOW,), SwitchOptions()),)
    made.switch.reload(0.0)
    yield made
    made.close()
    assert [one for one in made.greenlets if one.exception is not None] == [], "a greenlet failed"


@pytest.fixture
def linked(line: Line) -> Line:
    line.link()
    return line


def into_flow(line: Line, variables: tuple[tuple[str, str], ...] = (("fsd_number", "+34600000001"), ("fsd_a_name", "Ann Lee"))) -> act.OriginateLead:
    action = replace(lead_originate(), extension=extension(FLOW), variables=variables)
    line.port.originate_lead(action)
    line.wait_for(ev.LegAnswered, action.leg)
    return action


@pytest.mark.spec("D5")
def test_the_flows_of_the_switch_are_told_at_the_link_and_when_it_has_read_its_files_again(linked: Line) -> None:
    told = linked.wait_for(ev.FlowsInSwitch)
    assert (told.flows, told.queues) == (frozenset({extension(FLOW)}), frozenset())
    assert linked.events.index(told) > linked.events.index(linked.wait_for(ev.SwitchUp))
    linked.switch.files = lambda: ()
    linked.switch.api("reloadxml", linked.server.clock())
    until(lambda: len(linked.all(ev.FlowsInSwitch)) > 1, "they are told again")
    assert linked.all(ev.FlowsInSwitch)[-1].flows == frozenset()


@pytest.mark.spec("S50", "D7")
def test_a_leg_goes_straight_into_its_flow_with_its_variables_and_without_a_fallback(linked: Line) -> None:
    action = into_flow(linked)
    leg = linked.switch.legs[action.leg]
    until(lambda: leg.app == "play_and_get_digits", "he is asked")
    assert leg.variables["fsd_a_name"] == "Ann Lee" and leg.variables["ignore_early_media"] == "true"
    assert [task.description for task in linked.switch.tasks.values() if task.group == action.leg] == ["switch_ivr_schedule_hangup"]
    assert not linked.all(ev.LegParked)


@pytest.mark.spec("D7")
def test_a_value_that_is_not_plain_is_never_sent(linked: Line) -> None:
    action = replace(lead_originate(), extension=extension(FLOW), variables=(("fsd_a_name", "${system(x)}"),))
    linked.port.originate_lead(action)
    failed = linked.wait_for(ev.OriginateFailed, action.leg)
    settle()
    assert not failed.sent and action.leg not in linked.switch.legs


@pytest.mark.spec("S51")
def test_a_leg_is_sent_on_with_what_a_service_said_and_a_new_limit_in_place_of_the_old_ones(linked: Line) -> None:
    action = into_flow(linked)
    enter = act.EnterIvr(action.leg, f"{extension(FLOW)}.asked", variables=(("fsd_v_paid", "yes"),), at_most_s=59.5)
    linked.port.enter_ivr(enter)
    ended = linked.wait_for(ev.LegEnded, action.leg)
    assert ended.path == "bye=success"


def test_the_limit_is_kept_by_the_switch(linked: Line) -> None:
    action = into_flow(linked)
    linked.port.enter_ivr(act.EnterIvr(action.leg, f"{extension(FLOW)}.main", at_most_s=0.5))
    assert linked.wait_for(ev.LegEnded, action.leg).cause == "ALLOTTED_TIMEOUT"


@pytest.mark.spec("D7")
def test_what_may_not_be_set_is_told_and_the_rest_is_done(linked: Line, caplog: pytest.LogCaptureFixture) -> None:
    action = into_flow(linked)
    with caplog.at_level(logging.ERROR, "fs_dialer.switch"):
        linked.port.enter_ivr(act.EnterIvr(action.leg, f"{extension(FLOW)}.bye", variables=(("fsd_v_paid", "a;b"),)))
    assert "fsd_v_paid" in caplog.text
    assert linked.wait_for(ev.LegEnded, action.leg).path == "bye=success"


@pytest.mark.spec("D8")
def test_a_leg_in_a_flow_is_found_with_its_way_and_not_parked_and_at_a_connect_node_it_is(linked: Line) -> None:
    action = into_flow(linked)
    until(lambda: linked.switch.legs[action.leg].app == "play_and_get_digits", "he is asked")
    linked.port.ask_leg(act.AskLeg(action.leg))
    found = linked.wait_for(ev.LegFound).facts
    assert (found.path, found.parked, found.answered) == ("main=", False, True)
    linked.port.enter_ivr(act.EnterIvr(action.leg, f"{extension(FLOW)}.adviser"))
    said = linked.wait_for(ev.IvrSaid, action.leg)
    assert (said.what, said.node, said.path) == ("agent", "adviser", "adviser=")
    linked.wait_for(ev.LegParked, action.leg)
    linked.port.ask_leg(act.AskLeg(action.leg))
    until(lambda: len(linked.all(ev.LegFound)) > 1, "it is found again")
    assert (linked.all(ev.LegFound)[-1].facts.path, linked.all(ev.LegFound)[-1].facts.parked) == ("adviser=", True)
