"""What may go wrong in the midst of a flow: links, daemons, agents and databases that go away. In virtual time, with our own dialplan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.flow import Node, extension
from fs_dialer.core.model import CallState, CampaignState, LeadStatus, LegId, Outcome
from fs_dialer.modes.autocall import Machines, Options
from fs_dialer.sim.people import Behaviour
from tests.core.autocall_shift import autocall, closed, dues, over, presses, way
from tests.core.virtual_shift import Shift, number

WAITS = presses("1", patience_s=200.0)


def in_flow(shift: Shift) -> None:
    shift.until(lambda: CallState.IN_IVR in shift.view().calls_by_state, "he is in the flow")


def waiting(shift: Shift) -> None:
    shift.until(lambda: CallState.WAITING_AGENT in shift.view().calls_by_state, "he waits for an agent")


# --- the link -----------------------------------------------------------------------------------------------------------------------------


def test_a_flow_goes_on_while_the_link_is_away_and_its_end_is_known_when_it_is_back() -> None:
    """The key is pressed, and the agent wanted, while nobody listens."""
    shift = autocall(WAITS, nailed=("ana",))
    in_flow(shift)
    shift.lose_link()
    shift.wait(8.0)
    shift.link_again()
    result, update = over(shift)
    assert (result.outcome, result.agent, update.status) == (Outcome.CONNECTED, "ana", LeadStatus.SUCCEEDED)
    assert not result.missed or result.bridged_at is not None
    shift.end()


@pytest.mark.spec("D8")
def test_a_flow_that_ended_while_the_link_was_away_is_unknown_and_not_called_at_once() -> None:
    shift = autocall(presses("0"), agents=())
    in_flow(shift)
    shift.lose_link()
    shift.wait(60.0)
    shift.link_again()
    result, update = over(shift)
    assert (result.outcome, result.missed, update.status, update.attempts) == (Outcome.UNKNOWN, False, LeadStatus.RETRY, 1)
    assert update.ready_at >= shift.now + 3500.0


@pytest.mark.spec("D8")
def test_a_switch_that_dies_in_mid_flow_leaves_nobody_in_the_books() -> None:
    shift = autocall(presses(), agents=(), leads=5, at_once=5)
    in_flow(shift)
    shift.switch_dies()
    shift.wait(5.0)
    shift.link_again()
    shift.wait(10.0)
    assert {closed(shift, n)[0].outcome for n in range(1, 6)} == {Outcome.UNKNOWN}
    shift.end()


def test_an_agent_comes_although_the_link_was_lost_while_the_customer_waited() -> None:
    shift = autocall(WAITS, agents=("ana",), nailed=("ana",), at_most_s=120.0)
    shift.ask("ana", "not_available", reason="pause")
    waiting(shift)
    shift.lose_link()
    shift.wait(5.0)
    shift.link_again()
    shift.ask("ana", "available")
    result, _ = over(shift)
    assert (result.outcome, result.agent) == (Outcome.CONNECTED, "ana")
    shift.end()


# --- the daemon ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D8", "D13")
def test_a_call_in_a_flow_outlives_its_daemon_and_the_next_one_reports_its_end() -> None:
    shift = autocall(presses("0", after_s=3.0), agents=())
    in_flow(shift)
    shift.kill(1.0)
    result, update = over(shift)
    assert (result.outcome, update.status) == (Outcome.CONNECTED, LeadStatus.SUCCEEDED)
    assert way(result) == "main=0 wants=done bye=success" and update.set
    touched = [a.legs for a in shift.all(act.RenewFallback)] + [a.legs for a in shift.all(act.DropFallback)]
    assert not any(touched), "a leg in a flow has no fallback of ours"


@pytest.mark.spec("D5", "D8")
def test_who_is_in_a_flow_that_was_changed_and_approved_meanwhile_goes_on_in_his_own() -> None:
    """The next daemon dials the new revision; what the call that is up did is read by the flow it was sent into."""
    shift = autocall(presses("0", after_s=6.0), agents=())
    in_flow(shift)
    changed = dues(nodes=tuple(replace(node, set=(("renamed", "yes"),)) if node.name == "wants" else node for node in dues().nodes))
    (stored,) = shift.store.campaigns()
    shift.store.add_campaign(replace(stored.campaign, options=Options(ivr=changed)), CampaignState.RUNNING, started=True)
    shift.kill(1.0)
    result, update = over(shift)
    assert (result.outcome, way(result), dict(update.set)) == (Outcome.CONNECTED, "main=0 wants=done bye=success", {"wants_call": "yes", "by": "key"})


@pytest.mark.spec("D8")
def test_who_waits_for_an_agent_is_served_by_the_next_daemon() -> None:
    shift = autocall(WAITS, agents=("ana",), nailed=("ana",), at_most_s=120.0)
    shift.ask("ana", "not_available", reason="pause")
    waiting(shift)
    shift.kill(3.0)
    shift.ask("ana", "available")
    result, update = over(shift)
    assert (result.outcome, result.agent, update.status) == (Outcome.CONNECTED, "ana", LeadStatus.SUCCEEDED)


def test_while_no_daemon_is_there_the_flow_helps_itself() -> None:
    """He wants an agent and nobody listens: half a minute later he leaves voice mail, and the next daemon knows."""
    shift = autocall(presses("1", patience_s=80.0, stay_s=45.0), agents=())
    in_flow(shift)
    shift.kill(34.0)
    result, update = over(shift)
    assert (result.outcome, update.status) == (Outcome.CONNECTED, LeadStatus.SUCCEEDED)
    assert way(result).startswith("main=1 message=")


def test_an_opt_out_that_no_daemon_heard_is_told_by_the_path_of_the_call() -> None:
    shift = autocall(presses("9", after_s=6.0), agents=())
    in_flow(shift)
    shift.lose_link()
    shift.wait(7.0)
    shift.link_again()
    result, update = over(shift)
    assert update.status is LeadStatus.BLOCKED or result.outcome is Outcome.UNKNOWN
    if result.outcome is not Outcome.UNKNOWN:
        assert [told.number for told in shift.all(act.OptOut)] == [number(1)]


def test_a_request_that_its_daemon_took_to_the_grave_is_given_up_by_the_flow() -> None:
    shift = autocall(presses("2"), agents=())
    shift.until(lambda: shift.all(act.AskHttp), "the service is asked")
    shift.kill(1.0)
    result, _ = over(shift)
    assert way(result) == "main=2 unheard=other"


# --- people -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D13")
@pytest.mark.parametrize("key", ["1", "2", "9", "0", "#", "none"])
@pytest.mark.parametrize("stay_s", [1.05, 2.3, 3.4, 3.55, 4.8, 6.0, 9.0, 15.0])
def test_whenever_he_hangs_up_the_call_ends_once_and_nothing_is_left(key: str, stay_s: float) -> None:
    """At every node, and in the very moment of the key."""
    shift = autocall(presses(key, stay_s=stay_s), nailed=("ana",), at_most_s=5.0)
    result, update = over(shift)
    if result.left_at == "" and result.outcome is not Outcome.CONNECTED:
        assert result.ivr and result.ivr[-1].do == "end"
    assert update.status in (LeadStatus.SUCCEEDED, LeadStatus.RETRY, LeadStatus.BLOCKED)
    assert (update.status is LeadStatus.BLOCKED) == any(step.do == "opt_out" for step in result.ivr)
    if key != "#":  # the leg to the number is the flow's own, and no attempt
        shift.end()


@pytest.mark.spec("S46")
def test_an_agent_who_is_gone_in_the_moment_of_the_connection_is_replaced() -> None:
    shift = autocall(WAITS, agents=("ana", "bob"))
    shift.switch.people.script["ana"] = [Behaviour("answer", 0.4, stay_s=0.01)]  # type: ignore[attr-defined]
    result, update = over(shift)
    assert update.status is LeadStatus.SUCCEEDED and result.agent in ("ana", "bob")
    shift.end()


def test_nobody_free_and_the_voice_mail_cut_off_by_his_own_hang_up_counts_what_he_said() -> None:
    shift = autocall(presses("1", stay_s=20.0), agents=(), at_most_s=5.0)
    result, _ = over(shift)
    assert result.left_at == "message" and result.outcome is Outcome.CONNECTED


# --- the engine's own limit -----------------------------------------------------------------------------------------------------------------


def test_a_call_that_stays_in_its_flow_past_all_limits_is_asked_for_and_ended() -> None:
    """The switch's own limit is taken away here, as by somebody at its console."""
    nodes = dues().nodes
    shift = autocall(presses(stay_s=5000.0), agents=(), ivr=dues(nodes=tuple(_endless(node) for node in nodes)))
    in_flow(shift)
    leg = shift.all(act.OriginateLead)[0].leg
    shift.wait(5.0)
    shift.switch.sched_del(leg, shift.now)
    shift.wait(180.0)
    assert [a.leg for a in shift.all(act.AskLeg)] and any(a.leg == leg and a.cause == "ALLOTTED_TIMEOUT" for a in shift.all(act.Hangup))
    shift.end()


def _endless(node: Node) -> Node:
    return replace(node, tries=9, timeout_s=60.0) if node.name == "main" else node


def test_the_flow_s_limit_in_the_switch_ends_it_before() -> None:
    shift = autocall(presses(), agents=(), ivr=dues(nodes=tuple(_endless(node) for node in dues().nodes)))
    result, _ = over(shift)
    assert result.answered_at is not None and result.ended_at - result.answered_at <= 122.0
    assert (result.outcome, result.left_at) == (Outcome.EARLY_HANGUP, "main")


@pytest.mark.spec("D13")
@pytest.mark.parametrize("restarts", [False, True], ids=["one daemon", "another daemon"])
def test_who_is_put_through_to_a_number_talks_there_as_long_as_he_likes(restarts: bool) -> None:
    """The limit of the flow, two minutes, ends with its part."""
    shift = autocall(presses("#", talk_s=400.0), agents=())
    in_flow(shift)
    shift.wait(30.0)
    if restarts:
        shift.kill(2.0)
    result, update = over(shift, limit_s=600.0)
    (customer,) = shift.seen.to(number(1))
    assert customer.ended_at is not None and customer.ended_at - customer.created_at > 400.0
    assert (result.outcome, update.status) == (Outcome.CONNECTED, LeadStatus.SUCCEEDED)
    assert result.bridged_at is None, "he met no agent"


def test_a_beep_in_a_talk_to_which_the_flow_put_him_through_is_no_machine() -> None:
    shift = autocall(presses("#", talk_s=60.0), agents=(), machines=Machines(detect="avmd"))
    in_flow(shift)
    shift.wait(20.0)
    shift.give(ev.IvrSaid(shift.all(act.OriginateLead)[0].leg, "beep"))
    result, _ = over(shift)
    assert result.outcome is Outcome.CONNECTED and result.ended_at - (result.answered_at or 0.0) > 60.0


def test_who_goes_round_and_round_is_ended_though_agents_and_services_were_asked_for_on_the_way() -> None:
    """Nobody is there at night, and nobody's phone lies beside the receiver."""
    round_about: dict[str, dict[str, Any]] = {"adviser": {"otherwise": "main"}, "main": {"otherwise": "adviser"}}
    nodes = tuple(replace(node, **round_about.get(node.name, {})) for node in dues().nodes)
    shift = autocall(presses(stay_s=5000.0), agents=(), at_most_s=20.0, ivr=dues(nodes=nodes))
    result, _ = over(shift, limit_s=1200.0)
    assert result.answered_at is not None and result.ended_at - result.answered_at <= 120.0 + 20.0 + 90.0


# --- what must not be -----------------------------------------------------------------------------------------------------------------------


def test_a_flow_s_news_of_a_leg_that_nobody_knows_are_nothing() -> None:
    shift = autocall(presses("0"), agents=())
    for what in ("agent", "http", "opt_out", "machine", "person", "beep", "nonsense"):
        shift.give(ev.IvrSaid(LegId("nobody"), what))
    over(shift)
    assert not shift.all(act.OptOut)


def test_renewals_go_to_who_waits_for_an_agent_and_to_nobody_in_the_flow() -> None:
    shift = autocall(WAITS, presses(), agents=(), leads=2, at_once=2, at_most_s=100.0)
    waiting(shift)
    shift.wait(25.0)
    waits = next(p.leg for p in shift.all(act.OriginateLead) if p.attempt.number == number(1))
    renewed = {leg for action in shift.all(act.RenewFallback) for leg in action.legs}
    assert renewed == {waits}
    assert f"{extension(dues())}" in shift.all(act.OriginateLead)[0].extension
