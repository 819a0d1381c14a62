"""News that come late, or never: a bridge nobody reported, a pair that meets after it was let go, music whose file is over."""

from __future__ import annotations

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import agent_events as ag
from fs_dialer.core import events as ev
from fs_dialer.core.model import CallState, LegId, LegKind
from tests.core.builders import BOB, SWITCH, Desk, a_dialling_desk, facts, placed
from tests.core.test_in_call import ask, parked, the_call, two


def music(desk: Desk, leg: LegId) -> int:
    return len([a for a in desk.all(act.PlayMusic) if a.leg == leg])


def relinked(desk: Desk, *legs: LegId) -> None:
    desk.tell(ev.SwitchLost(SWITCH, "x"))
    desk.tell(ev.SwitchUp(SWITCH, tuple((leg, None) for leg in legs)))


# --- bridges ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D6")
def test_a_first_bridge_that_was_made_while_the_link_was_lost_is_a_conversation() -> None:
    desk = a_dialling_desk(1, agents=2, leg=LegKind.NAILED)
    call = placed(desk)
    desk.up(call.leg)
    mine = desk.last(act.Bridge).agent_leg
    relinked(desk, call.leg, mine)
    desk.tell(ev.LegFound(facts(call.leg, bridged_to=mine)), ev.LegFound(facts(mine, bridged_to=call.leg)), ev.ReconcileDone(SWITCH))
    desk.wait(30.0)
    assert the_call(desk).state is CallState.BRIDGED and not desk.all(act.Hangup)


def test_a_customer_who_is_back_from_hold_later_than_was_waited_for_talks() -> None:
    desk, call, mine = two(LegKind.NAILED)
    ask(desk, ag.HoldCall)
    parked(desk, call, mine)
    ask(desk, ag.ResumeCall)
    desk.wait(5.1)
    desk.clear()
    desk.tell(ev.LegBridged(call.leg, mine))
    assert act.AskLeg(call.leg) in desk.wanted, "it may be the bridge that the hold ended"
    desk.tell(ev.LegFound(facts(call.leg, bridged_to=mine)))
    assert the_call(desk).state is CallState.BRIDGED
    assert desk.all(act.DropFallback) == [act.DropFallback((call.leg, mine))], "it had been armed again"


def test_a_customer_found_back_from_hold_after_the_link_was_lost_is_not_cut_off_by_his_fallback() -> None:
    desk, call, mine = two(LegKind.PER_CALL)
    ask(desk, ag.HoldCall)
    parked(desk, call, mine)
    ask(desk, ag.ResumeCall)
    desk.tell(ev.BridgeRefused(call.leg, "-ERR"))
    relinked(desk, call.leg, mine)
    desk.tell(ev.LegFound(facts(call.leg, bridged_to=mine)), ev.LegFound(facts(mine, bridged_to=call.leg)), ev.ReconcileDone(SWITCH))
    assert act.DropFallback((call.leg, mine)) in desk.wanted
    desk.clear()
    desk.wait(25.0)
    assert the_call(desk).state is CallState.BRIDGED and call.leg not in [leg for a in desk.all(act.RenewFallback) for leg in a.legs]


def test_facts_older_than_a_hold_do_not_end_it() -> None:
    desk, call, mine = two(LegKind.NAILED)
    ask(desk, ag.HoldCall)
    desk.tell(ev.LegFound(facts(call.leg, bridged_to=mine)))
    assert the_call(desk).state is CallState.HELD


def test_a_pair_that_meets_after_the_agent_hung_up_is_parted() -> None:
    desk, call, mine = two(LegKind.NAILED)
    his = desk.dialer._w.agents[BOB].leg
    assert his is not None
    ask(desk, ag.HoldCall)
    parked(desk, call, mine)
    ask(desk, ag.Transfer, "agent", "bob", True)
    ask(desk, ag.HangUp)
    desk.clear()
    desk.tell(ev.LegBridged(mine, his))
    assert desk.all(act.ParkBoth) == [act.ParkBoth(mine, his)] and not desk.all(act.Hangup)


def test_a_pair_that_meets_after_the_agent_went_back_to_his_customer_is_left_to_that_bridge() -> None:
    desk, call, mine = two(LegKind.NAILED)
    his = desk.dialer._w.agents[BOB].leg
    assert his is not None
    ask(desk, ag.Transfer, "agent", "bob", True)
    parked(desk, call, mine)
    ask(desk, ag.ResumeCall)
    desk.clear()
    desk.tell(ev.LegBridged(mine, his))
    desk.tell(ev.LegBridged(call.leg, mine))
    assert the_call(desk).state is CallState.BRIDGED and not desk.all(act.ParkBoth) and not desk.all(act.Hangup)


def test_a_leg_rung_for_a_question_that_meets_nobody_s_is_hung_up() -> None:
    desk, call, mine = two(LegKind.PER_CALL)
    ask(desk, ag.Transfer, "agent", "bob", True)
    parked(desk, call, mine)
    his = desk.last(act.OriginateAgent).leg
    desk.up(his)
    ask(desk, ag.HangUp)
    desk.clear()
    desk.tell(ev.LegBridged(mine, his))
    assert {a.leg for a in desk.all(act.Hangup)} == {mine, his} and not desk.all(act.ParkBoth)


@pytest.mark.parametrize("leg", list(LegKind), ids=lambda leg: leg.value)
def test_a_consulting_pair_is_parted_though_the_agent_hung_up_without_a_link(leg: LegKind) -> None:
    desk, call, mine = two(leg)
    ask(desk, ag.Transfer, "agent", "bob", True)
    parked(desk, call, mine)
    his = desk.last(act.OriginateAgent).leg if leg is LegKind.PER_CALL else desk.dialer._w.agents[BOB].leg
    assert his is not None
    if leg is LegKind.PER_CALL:
        desk.up(his)
    desk.tell(ev.LegBridged(mine, his), ev.SwitchLost(SWITCH, "x"))
    assert ask(desk, ag.HangUp).ok
    desk.tell(ev.SwitchUp(SWITCH, ((call.leg, None), (mine, None), (his, None))))
    desk.clear()
    desk.tell(ev.LegFound(facts(call.leg)), ev.LegFound(facts(mine, bridged_to=his)), ev.LegFound(facts(his, bridged_to=mine)), ev.ReconcileDone(SWITCH))
    if leg is LegKind.PER_CALL:
        assert {mine, his} <= {a.leg for a in desk.all(act.Hangup)}
    else:
        assert act.ParkBoth(mine, his) in desk.wanted


# --- music ------------------------------------------------------------------------------------------------------------------------------


def on_hold() -> tuple[Desk, act.OriginateLead, LegId]:
    desk, call, mine = two(LegKind.NAILED)
    ask(desk, ag.HoldCall)
    parked(desk, call, mine)
    desk.clear()
    return desk, call, mine


def test_music_goes_on_when_its_file_is_over() -> None:
    desk, call, mine = on_hold()
    desk.tell(ev.PlaybackStopped(mine))
    assert not desk.all(act.PlayMusic), "that was what the agent heard"
    for times in (1, 2, 3):
        desk.wait(60.0)
        desk.tell(ev.PlaybackStopped(call.leg))
        assert music(desk, call.leg) == times


def test_music_goes_on_while_the_agent_asks_somebody() -> None:
    desk, call, _ = on_hold()
    ask(desk, ag.Transfer, "agent", "bob", True)
    desk.tell(ev.PlaybackStopped(call.leg))
    assert the_call(desk).with_target and music(desk, call.leg) == 1


def test_a_file_with_nothing_in_it_is_tried_once_a_second() -> None:
    desk, call, _ = on_hold()
    for _ in range(200):
        before = music(desk, call.leg)
        desk.tell(ev.PlaybackStopped(call.leg))
        desk.wait(0.05)
        assert music(desk, call.leg) <= before + 1
    assert 8 <= music(desk, call.leg) <= 12, "in ten seconds"


def test_music_that_a_bridge_ends_is_not_begun_again_until_the_bridge_fails() -> None:
    desk, call, mine = on_hold()
    ask(desk, ag.ResumeCall)
    desk.tell(ev.PlaybackStopped(call.leg))
    assert not desk.all(act.PlayMusic)
    desk.tell(ev.LegBridged(call.leg, mine))
    desk.wait(10.0)
    desk.tell(ev.PlaybackStopped(call.leg))
    assert not desk.all(act.PlayMusic)


def test_music_that_makes_place_for_its_newcomer_is_not_answered_by_a_third() -> None:
    desk, call, _ = on_hold()
    ask(desk, ag.ResumeCall)
    desk.tell(ev.BridgeRefused(call.leg, "-ERR"))
    assert music(desk, call.leg) == 1
    desk.tell(ev.PlaybackStopped(call.leg))
    desk.wait(5.0)
    assert music(desk, call.leg) == 1


def test_a_customer_whose_hand_over_was_missed_hears_music_again() -> None:
    desk, call, mine = two(LegKind.PER_CALL)
    ask(desk, ag.Transfer, "agent", "bob", True)
    parked(desk, call, mine)
    his = desk.last(act.OriginateAgent).leg
    desk.up(his)
    desk.tell(ev.LegBridged(mine, his))
    desk.over(mine)
    target = the_call(desk).target
    assert target is not None and target.stage == "handing"
    desk.clear()
    desk.wait(5.1)
    assert the_call(desk).state is CallState.WAITING_AGENT and music(desk, call.leg) == 1


@pytest.mark.parametrize("told", [True, False], ids=["refused", "no word of it"])
def test_a_waiting_customer_whose_bridge_failed_hears_music_again(told: bool) -> None:
    desk = a_dialling_desk(1, agents=1, leg=LegKind.PER_CALL)
    call = placed(desk)
    desk.up(call.leg)
    assert music(desk, call.leg) == 1, "while his agent is rung"
    desk.up(desk.last(act.OriginateAgent).leg)
    desk.clear()
    if told:
        desk.tell(ev.BridgeRefused(call.leg, "-ERR"))
    else:
        desk.wait(5.1)
    assert music(desk, call.leg) == 1
