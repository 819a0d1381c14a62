"""News of flows, sorted to their calls."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.flow import Node, extension
from fs_dialer.core.model import CallState, LeadStatus, LegId, Outcome
from tests.core.builders import SWITCH, Desk, closed, some_leads
from tests.core.test_flow_places import a_survey
from tests.core.test_steering import FLOW


def one_call() -> tuple[Desk, act.OriginateLead]:
    desk = a_survey()
    desk.tell(ev.FlowsInSwitch(SWITCH, frozenset({extension(FLOW)}), frozenset()))
    desk.claimed(*some_leads(1))
    return desk, desk.last(act.OriginateLead)


def ended(call: act.OriginateLead, path: str) -> ev.LegEnded:
    return ev.LegEnded(call.leg, "NORMAL_CLEARING", None, 16, True, True, path)


def test_news_of_a_flow_mean_that_he_has_answered_even_if_nobody_said_so() -> None:
    desk, call = one_call()
    desk.tell(ev.IvrSaid(call.leg, "agent", "adviser", "", "main=1;adviser="), ev.LegParked(call.leg))
    assert desk.campaign().calls_by_state == {CallState.WAITING_AGENT: 1}


@pytest.mark.spec("D13")
def test_the_path_that_comes_with_the_leg_s_end_decides() -> None:
    desk, call = one_call()
    desk.tell(ev.LegAnswered(call.leg), ended(call, "main=2;wants=done;bye=success"))
    assert closed(desk) == [(Outcome.CONNECTED, LeadStatus.SUCCEEDED)]
    result = desk.last(act.CloseAttempt).result
    assert [(step.node, step.value) for step in result.ivr] == [("main", "2"), ("wants", "done"), ("bye", "success")]


def test_an_opt_out_is_told_once_and_holds_whatever_becomes_of_the_call() -> None:
    desk, call = one_call()
    desk.tell(ev.LegAnswered(call.leg), *[ev.IvrSaid(call.leg, "opt_out", "stop")] * 2)
    (told,) = desk.all(act.OptOut)
    assert (told.list, told.at, told.kept) == ("fundraising", desk.now, (f"{call.leg}.opt_out",))
    desk.tell(ended(call, "main=9;stop=yes"))
    assert len(desk.all(act.OptOut)) == 1 and desk.last(act.CloseAttempt).update.status is LeadStatus.BLOCKED


def test_an_opt_out_that_only_the_path_tells_is_told_with_the_end() -> None:
    desk, call = one_call()
    desk.tell(ev.LegAnswered(call.leg), ended(call, "main=9;stop=yes"))
    (told,) = desk.all(act.OptOut)
    assert (told.list, told.place.rpartition(".")[2]) == ("fundraising", "stop")
    assert desk.last(act.CloseAttempt).update.status is LeadStatus.BLOCKED


def test_an_opt_out_at_a_node_that_nobody_knows_goes_on_the_list_that_is_always_there() -> None:
    desk, call = one_call()
    desk.tell(ev.LegAnswered(call.leg), ev.IvrSaid(call.leg, "opt_out", "gone"))
    assert desk.last(act.OptOut).list == "own"


def test_each_list_on_which_he_asks_to_be_put_is_told_once() -> None:
    both = replace(FLOW, nodes=(*FLOW.nodes, Node(name="never", do="opt_out", list="own")))
    desk = a_survey(both)
    desk.tell(ev.FlowsInSwitch(SWITCH, frozenset({extension(both)}), frozenset()))
    desk.claimed(*some_leads(1))
    call = desk.last(act.OriginateLead)
    desk.tell(ev.LegAnswered(call.leg), ev.IvrSaid(call.leg, "opt_out", "stop"))
    desk.tell(*[ev.IvrSaid(call.leg, "opt_out", "never")] * 2, ended(call, "main=9;stop=yes;never=yes"))
    assert [told.list for told in desk.all(act.OptOut)] == ["fundraising", "own"]


@pytest.mark.spec("D13")
def test_who_waits_for_an_agent_and_was_put_through_by_the_flow_itself_is_left_to_his_talk() -> None:
    """The link was away when he began to wait, so that nobody put off the flow's own timer."""
    desk, call = one_call()
    desk.tell(ev.LegAnswered(call.leg), ev.IvrSaid(call.leg, "agent", "adviser", "", "main=1;adviser="), ev.LegParked(call.leg))
    got = desk.tell(ev.LegBridged(call.leg, LegId("their-desk")))
    assert not [each for each in got if isinstance(each, act.Hangup)] and act.DropFallback((call.leg,)) in got
    assert desk.campaign().calls_by_state == {CallState.IN_IVR: 1}


def test_answers_to_calls_that_are_over_and_words_of_strangers_are_nothing() -> None:
    desk, _ = one_call()
    assert desk.tell(ev.HttpAnswered("gone", "ask", True), ev.IvrSaid(LegId("nobody"), "agent")) == []  # type: ignore[arg-type]
    desk.tell(ev.IvrSaid(desk.last(act.OriginateLead).leg, "nonsense"))
