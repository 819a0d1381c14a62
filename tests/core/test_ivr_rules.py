"""One call in a flow: what it makes of each of the flow's news."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fs_dialer.core.actions import AskHttp, DropFallback, EnterIvr, Hangup, RenewFallback
from fs_dialer.core.call_words import (
    AskSwitch,
    BeepHeard,
    Begin,
    Finish,
    FoundInFlow,
    GuardDue,
    HttpCame,
    HttpWanted,
    IvrWantsAgent,
    LeadAnswered,
    LeadEnded,
    LeadParked,
    LeadRang,
    MachineHeard,
    Need,
    NobodyFree,
    Timer,
    WaitDue,
)
from fs_dialer.core.flow import extension
from fs_dialer.core.ivr_rules import ANSWER_SLACK_S, PARK_MOST_S
from fs_dialer.core.model import CallState
from fs_dialer.core.steering import FLOW_SLACK_S, walked
from tests.core.builders import a_plan
from tests.core.call_story import LEAD, Story
from tests.core.test_steering import FLOW

S = CallState
PLAN = a_plan(on_answer="ivr", ivr=extension(FLOW), script=FLOW)


def in_flow(**plan: object) -> Story:
    story = Story(replace(PLAN, **plan))  # type: ignore[arg-type]
    story.give(Begin())
    story.give(LeadRang(), after=1.0)
    story.give(LeadAnswered(), after=5.0)
    assert story.state is S.IN_IVR
    return story


def test_an_answered_call_is_in_the_flow_and_its_only_limit_is_the_flow_s_own() -> None:
    story = in_flow()
    assert story.said[-2:] == [Timer(WaitDue, None), Timer(GuardDue, story.now + FLOW.at_most_s + FLOW_SLACK_S)]


@pytest.mark.spec("S51")
@pytest.mark.parametrize("parked_first", [True, False])
def test_an_agent_is_looked_for_once_he_is_wanted_and_the_leg_is_parked(parked_first: bool) -> None:
    story = in_flow()
    news = [IvrWantsAgent("adviser", "main=1;adviser="), LeadParked()]
    first, second = reversed(news) if parked_first else news
    assert Need() not in story.give(first)
    got = story.give(second)
    assert got == [Timer(GuardDue, None), RenewFallback((LEAD,)), Timer(WaitDue, story.now + 20.0), Need()]
    assert story.state is S.WAITING_AGENT and story.call.wanted_at == story.now


def test_a_leg_that_wants_an_agent_and_does_not_park_is_asked_for() -> None:
    story = in_flow()
    assert story.give(IvrWantsAgent("adviser")) == [Timer(GuardDue, story.now + PARK_MOST_S)]
    assert AskSwitch() in story.give(GuardDue(), after=PARK_MOST_S)
    assert Need() in story.give(FoundInFlow("main=1;adviser=", parked=True))


def test_nobody_in_time_sends_him_on_in_the_flow_and_a_second_wish_waits_anew() -> None:
    story = in_flow()
    story.give(LeadParked(), IvrWantsAgent("adviser", "main=1;adviser="), NobodyFree())
    got = story.give(WaitDue(), after=20.0)
    assert [d.flow for d in got if isinstance(d, EnterIvr)] == [f"{extension(FLOW)}.message"] and story.state is S.IN_IVR
    assert Need() not in story.give(IvrWantsAgent("adviser")), "his leg is not parked yet"
    assert Need() in story.give(LeadParked())


def test_a_flow_that_took_him_on_by_itself_while_we_were_away_has_him() -> None:
    story = in_flow()
    story.give(LeadParked(), IvrWantsAgent("adviser", "main=1;adviser="), NobodyFree())
    story.give(FoundInFlow("main=1;message=", parked=False))
    assert story.state is S.IN_IVR and not story.call.lead_parked
    story.give(LeadEnded("NORMAL_CLEARING", path="main=1;message=4;bye=success"))
    assert story.finish.evidence is not None and story.finish.evidence.ivr_success


def test_a_timer_that_was_armed_before_this_was_known_is_taken_away() -> None:
    story = in_flow()
    story.give(LeadParked(), IvrWantsAgent("adviser", "main=1;adviser="), NobodyFree())
    assert DropFallback((LEAD,)) in story.give(FoundInFlow("main=1;message=", parked=False))


def test_a_request_that_nobody_heard_of_takes_the_way_of_no_answer_once_its_timer_is_gone() -> None:
    """A timer that is taken away may have been the request's own."""
    waits = replace(
        FLOW, nodes=tuple(replace(n, otherwise="ask") if n.name == "adviser" else replace(n, otherwise="bye") if n.name == "ask" else n for n in FLOW.nodes)
    )
    story = in_flow(ivr=extension(waits), script=waits)
    story.give(LeadParked(), IvrWantsAgent("adviser", "main=1;adviser="), NobodyFree())
    assert [d.flow for d in story.give(FoundInFlow("main=1;ask=", parked=False)) if isinstance(d, EnterIvr)] == [f"{extension(waits)}.bye"]


def test_who_hears_the_waiting_music_still_waits_though_the_switch_says_playback() -> None:
    story = in_flow()
    assert Need() in story.give(FoundInFlow("main=1;adviser=", parked=False))
    story.give(NobodyFree())
    assert story.give(FoundInFlow("main=1;adviser=", parked=False)) == [] and story.state is S.WAITING_AGENT


# --- a service --------------------------------------------------------------------------------------------------------------------------


def test_a_request_is_made_once_and_its_answer_leads_on() -> None:
    story = in_flow()
    (asked,) = story.give(HttpWanted("ask", "main=2;ask="))
    assert isinstance(asked, AskHttp) and dict(asked.send)["main"] == "2" and asked.take == ("paid",)
    got = story.give(HttpCame("ask", True, (("paid", "yes"),)), after=1.0)
    (entered,) = [d for d in got if isinstance(d, EnterIvr)]
    assert entered.flow == f"{extension(FLOW)}.wants" and entered.variables == (("fsd_v_paid", "yes"),)
    assert story.give(HttpCame("ask", True)) == [], "said twice"


def test_no_answer_and_no_way_for_it_ends_the_call() -> None:
    story = in_flow()
    story.give(HttpWanted("ask"))
    assert story.give(HttpCame("ask", False), after=1.0) == [Hangup(LEAD, "NORMAL_CLEARING")]


@pytest.mark.spec("D13")
@pytest.mark.parametrize(("ok", "success"), [(True, True), (False, False)])
def test_an_answer_behind_which_no_node_follows_ends_the_flow_as_a_success_and_none_does_not(ok: bool, success: bool) -> None:
    last = replace(FLOW, nodes=tuple(replace(node, next="") if node.name == "ask" else node for node in FLOW.nodes))
    story = in_flow(ivr=extension(last), script=last)
    story.give(HttpWanted("ask", "main=2;ask="))
    assert story.give(HttpCame("ask", ok), after=1.0) == [Hangup(LEAD, "NORMAL_CLEARING")]
    (over,) = [d for d in story.give(LeadEnded(cause="NORMAL_CLEARING", path="main=2;ask=")) if isinstance(d, Finish)]
    assert over.evidence is not None and over.evidence.ivr_success is success
    assert (walked(story.call).left_at, walked(story.call).steps[-1].value) == (("", "success") if ok else ("ask", "2"))


def test_an_answer_that_is_too_late_or_of_another_node_is_nothing() -> None:
    story = in_flow()
    story.give(HttpWanted("ask"))
    assert story.give(HttpCame("other", True)) == []
    assert story.give(HttpCame("ask", True), after=5.0 + ANSWER_SLACK_S + 0.1) == []


def test_a_wish_of_a_flow_that_has_changed_since_is_left_to_the_flow() -> None:
    assert in_flow().give(HttpWanted("gone")) == []


# --- machines -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("heard", [MachineHeard, BeepHeard])
def test_a_machine_is_let_go_told_a_message_or_left_in_the_flow(heard: type) -> None:
    assert Hangup(LEAD, "NORMAL_CLEARING") in in_flow().give(heard())
    told = [d for d in in_flow(machines="message", message="call-us.wav").give(heard()) if isinstance(d, EnterIvr)]
    assert [(d.flow, d.variables) for d in told] == [("fsd_message", (("fsd_message", "call-us.wav"),))]
    going_on = in_flow(machines="go_on")
    assert going_on.give(heard()) == [] and going_on.state is S.IN_IVR and going_on.call.machine


@pytest.mark.spec("D13")
@pytest.mark.parametrize(("machines", "success"), [("hang_up", False), ("message", False), ("go_on", True)])
def test_a_machine_that_is_not_taken_for_a_person_has_not_come_to_a_good_end_whatever_the_flow_has_written(machines: str, success: bool) -> None:
    """The beep came in the midst of the goodbye: an end counts before it is played."""
    story = in_flow(machines=machines, message="call-us.wav")
    story.give(BeepHeard(), LeadEnded("NORMAL_CLEARING", path="main=2;bye=success"))
    assert story.finish.evidence is not None and story.finish.evidence.machine and story.finish.evidence.ivr_success is success


def test_a_message_that_is_not_named_is_none() -> None:
    assert Hangup(LEAD, "NORMAL_CLEARING") in in_flow(machines="message").give(MachineHeard())


@pytest.mark.parametrize(("by_us", "left"), [(True, "left"), (False, "playing")])
def test_a_message_was_left_when_the_switch_hung_up_behind_it(by_us: bool, left: str) -> None:
    story = in_flow(machines="message", message="call-us.wav")
    story.give(MachineHeard(), LeadEnded("NORMAL_CLEARING", by_us=by_us))
    assert story.call.message == left and story.finish.evidence is not None and story.finish.evidence.machine


# --- the limit ------------------------------------------------------------------------------------------------------------------------------


def test_past_the_flow_s_limit_the_leg_is_asked_for_and_ended() -> None:
    story = in_flow()
    got = story.give(GuardDue(), after=FLOW.at_most_s + FLOW_SLACK_S)
    assert AskSwitch() in got and Hangup(LEAD, "ALLOTTED_TIMEOUT") in got and any(isinstance(d, Timer) and d.due is GuardDue and d.at for d in got)
