"""Which number is shown by which trunk, and which of them rest (S8, S53–S57, M13, X7, D3, D15)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.caller_ids import (
    BAD_IN_ROW,
    GIVE_UP_AFTER,
    REST_FIRST_S,
    REST_MOST_S,
    Breaker,
    Breakers,
    Health,
    Resting,
    Way,
    choose,
    healthy,
    sticky_to,
    ways,
)
from fs_dialer.core.definition import Campaign, GatewayDefinition
from fs_dialer.core.mode_port import Flow
from fs_dialer.core.model import Attempt, AttemptId, CampaignState, CampaignType, GatewayId, LegId, Outcome
from fs_dialer.core.resources import CallerIds, CallerRoute
from tests.core.builders import CARRIER, NOON, SPRING, SWITCH, Desk, a_campaign, a_desk, a_lead, an_installation, modes, placed, some_leads

NORTH, SOUTH = GatewayId("north"), GatewayId("south")
ONE, TWO = "+34910000001", "+34910000002"
BOTH = CallerIds(numbers=(ONE, TWO))


def campaign(**more: Any) -> Campaign:
    return a_campaign(people=("ana", "bob"), caller_id=more.pop("caller_id", BOTH), **more)


def failing(breaker: Breaker, times: int, at: float = NOON) -> list[str]:
    return [breaker.ended(AttemptId(f"a{n}"), Outcome.OURS, "GATEWAY_DOWN", at, at) for n in range(times)]


# --- ways -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S8", "M13")
def test_each_number_goes_by_the_trunks_that_may_send_it() -> None:
    caller_id = CallerIds(numbers=(ONE, TWO), routes=(CallerRoute(ONE, ("south",)), CallerRoute(TWO)))
    assert ways(campaign(caller_id=caller_id), (NORTH, SOUTH)) == [Way(ONE, SOUTH), Way(TWO, NORTH), Way(TWO, SOUTH)]


@pytest.mark.spec("S54", "S55", "S56")
def test_random_uses_every_number_about_equally_and_fixed_the_first() -> None:
    allowed = ways(campaign(), (NORTH,))
    rng = Random(3)
    seen = [choose(campaign(), allowed, rng).caller_id for _ in range(1000)]
    assert 430 < seen.count(ONE) < 570
    fixed = CallerIds(numbers=(ONE, TWO), order="fixed")
    assert {choose(campaign(caller_id=fixed), allowed, rng).caller_id for _ in range(20)} == {ONE}


def test_a_number_with_two_trunks_is_not_shown_more_often_than_one_with_one() -> None:
    allowed = [Way(ONE, NORTH), Way(TWO, NORTH), Way(TWO, SOUTH)]
    rng = Random(3)
    seen = [choose(campaign(), allowed, rng) for _ in range(1000)]
    assert 430 < sum(way.caller_id == ONE for way in seen) < 570 and Way(TWO, SOUTH) not in seen


@pytest.mark.spec("M13")
def test_a_sticky_lead_sees_the_number_it_knows_unless_the_campaign_has_it_no_more() -> None:
    sticky = campaign(caller_id=CallerIds(numbers=(ONE, TWO), sticky=True))
    allowed = ways(sticky, (NORTH,))
    assert sticky_to(sticky, a_lead(caller_id=TWO), allowed) == TWO
    for other in (
        sticky_to(sticky, a_lead(caller_id="+34999"), allowed),
        sticky_to(sticky, a_lead(), allowed),
        sticky_to(campaign(), a_lead(caller_id=TWO), allowed),
    ):
        assert other == ""
    assert healthy(ways(sticky, (NORTH,)), TWO, Breakers(), NOON) == [Way(TWO, NORTH)]


# --- a breaker ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("X7", "D3")
def test_failures_that_are_not_the_callee_s_open_it_and_others_do_not() -> None:
    breaker = Breaker()
    for n in range(50):
        assert breaker.ended(AttemptId(f"b{n}"), Outcome.BUSY, "USER_BUSY", NOON, NOON) == ""
    assert breaker.health(NOON) is Health.CLOSED
    assert failing(breaker, BAD_IN_ROW)[-1] == "opened" and breaker.health(NOON) is Health.OPEN
    assert not breaker.usable(NOON + REST_FIRST_S - 1) and breaker.usable(NOON + REST_FIRST_S)


@pytest.mark.spec("X7")
def test_eight_of_ten_open_it_even_with_good_ones_between() -> None:
    breaker = Breaker()
    news = []
    for failed in (1, 1, 0, 1, 1, 1, 0, 1, 1, 1):
        news.append(breaker.ended(AttemptId("x"), Outcome.NETWORK if failed else Outcome.NO_ANSWER, "", NOON, NOON))
    assert news[-1] == "opened" and set(news[:-1]) == {""}


def test_what_we_cancelled_says_nothing_of_it() -> None:
    breaker = Breaker()
    for outcome in (Outcome.CANCELLED, Outcome.UNKNOWN):
        for n in range(20):
            assert breaker.ended(AttemptId(f"c{n}"), outcome, "", NOON, NOON) == ""
    assert not breaker.calls


@pytest.mark.spec("X7")
def test_half_open_it_takes_one_call_whose_end_decides() -> None:
    breaker = Breaker()
    failing(breaker, BAD_IN_ROW)
    at = NOON + REST_FIRST_S
    breaker.dialled(AttemptId("trial"), at)
    assert breaker.health(at) is Health.HALF_OPEN and not breaker.usable(at)
    assert breaker.ended(AttemptId("trial"), Outcome.NO_ANSWER, "", at, at + 20) == "closed"
    assert breaker.usable(at + 20) and breaker.said(at + 20) == "no calls yet"


@pytest.mark.spec("X7")
def test_a_failed_trial_makes_it_rest_twice_as_long_up_to_a_quarter_of_an_hour() -> None:
    breaker = Breaker()
    failing(breaker, BAD_IN_ROW)
    at, rests = NOON, []
    for n in range(6):
        at = breaker.until
        breaker.dialled(AttemptId(f"t{n}"), at)
        breaker.ended(AttemptId(f"t{n}"), Outcome.OURS, "GATEWAY_DOWN", at, at)
        rests.append(breaker.until - at)
    assert rests == [120.0, 240.0, 480.0, REST_MOST_S, REST_MOST_S, REST_MOST_S]


def test_calls_that_were_up_when_it_opened_do_not_count_as_trials() -> None:
    breaker = Breaker()
    failing(breaker, BAD_IN_ROW + 7)
    assert breaker.trials_failed == 0 and breaker.until == NOON + REST_FIRST_S


def test_a_conversation_from_before_it_opened_does_not_close_it_and_a_call_that_reached_somebody_since_does() -> None:
    breaker = Breaker()
    failing(breaker, BAD_IN_ROW)
    assert breaker.ended(AttemptId("old"), Outcome.CONNECTED, "", NOON - 60, NOON + 5) == "" and breaker.health(NOON + 5) is Health.OPEN
    assert breaker.worked(AttemptId("new"), NOON + 6) and breaker.health(NOON + 6) is Health.CLOSED


def test_a_trial_of_which_nothing_is_heard_is_given_up() -> None:
    breaker = Breaker()
    failing(breaker, BAD_IN_ROW)
    at = NOON + REST_FIRST_S
    breaker.dialled(AttemptId("lost"), at)
    assert not breaker.usable(at + 299) and breaker.usable(at + 300) and breaker.usable_at(at + 10) == at + 300


def resting(*found: Way, at: float = NOON) -> Breakers:
    breakers = Breakers()
    for way in found:
        failing(breakers.way(way), BAD_IN_ROW, at)
    return breakers


@pytest.mark.spec("S57", "X7")
def test_with_one_number_resting_the_others_are_used_and_with_all_it_is_said_until_when() -> None:
    allowed = ways(campaign(), (NORTH,))
    assert healthy(allowed, "", resting(Way(ONE, NORTH)), NOON) == [Way(TWO, NORTH)]
    both = healthy(allowed, "", resting(Way(ONE, NORTH), Way(TWO, NORTH)), NOON)
    assert isinstance(both, Resting) and both.until == NOON + REST_FIRST_S and ONE in both.reason and not both.hopeless


@pytest.mark.spec("X7", "D3")
def test_a_trunk_that_fails_with_two_numbers_is_at_fault_itself_and_its_other_ways_rest_too() -> None:
    three = [Way(number, NORTH) for number in (ONE, TWO, "+34910000003")]
    assert healthy(three, "", resting(three[0]), NOON) == three[1:]
    assert isinstance(healthy(three, "", resting(*three[:2]), NOON), Resting)
    assert healthy([Way("+34910000003", SOUTH)], "", resting(*three[:2]), NOON) == [Way("+34910000003", SOUTH)]


@pytest.mark.spec("X7")
def test_a_number_that_fails_over_two_trunks_rests_on_the_third_as_well() -> None:
    breakers = resting(Way(ONE, NORTH), Way(ONE, SOUTH))
    assert not breakers.usable(Way(ONE, GatewayId("west")), NOON) and breakers.usable(Way(TWO, NORTH), NOON)


# --- in the engine --------------------------------------------------------------------------------------------------------------------


def fails(desk: Desk, index: int = -1) -> None:
    """The call just placed is refused by the trunk."""
    leg = placed(desk, index).leg
    desk.created(leg)
    desk.over(leg, "GATEWAY_DOWN")


def rests_over(desk: Desk) -> None:
    desk.wait(max(b.until for b in desk.dialer.snapshot().breakers) - desk.now + 1.0)


def a_failing_desk(**more: Any) -> Desk:
    """One agent whose trunk has just failed so often that it rests."""
    desk = a_desk(agents=1, campaigns=[a_campaign(people=("ana",), caller_id=CallerIds(numbers=(ONE,)), **more)])
    desk.claimed(*some_leads(40))
    for _ in range(BAD_IN_ROW):
        fails(desk)
        desk.wait(1.0)
    return desk


@pytest.mark.spec("S57", "X7", "D3")
def test_a_resting_trunk_is_left_alone_then_tried_by_one_call() -> None:
    desk = a_failing_desk()
    before = len(desk.all(act.OriginateLead))
    desk.wait(REST_FIRST_S - 10.0)
    assert len(desk.all(act.OriginateLead)) == before == BAD_IN_ROW
    assert "no caller id or trunk is healthy" in desk.campaign().because
    desk.wait(15.0)
    assert len(desk.all(act.OriginateLead)) == before + 1
    leg = placed(desk).leg
    desk.created(leg)
    desk.over(leg, "USER_BUSY", 486)
    desk.wait(1.0)
    assert len(desk.all(act.OriginateLead)) == before + 2
    names = [note.name for note in desk.all(act.Note)]
    assert names.count("way_opened") == names.count("way_closed") == 1


@pytest.mark.spec("D15")
def test_after_many_failed_trials_the_campaign_pauses_itself_and_says_why() -> None:
    desk = a_failing_desk()
    for _ in range(GIVE_UP_AFTER):
        assert desk.campaign().state is CampaignState.RUNNING
        seen = len(desk.all(act.OriginateLead))
        rests_over(desk)
        assert len(desk.all(act.OriginateLead)) == seen + 1
        fails(desk)
    stored = desk.last(act.StoreCampaignState)
    assert desk.campaign().state is CampaignState.PAUSED and "paused by itself" in stored.reason and "GATEWAY_DOWN" in stored.reason


@pytest.mark.spec("S87")
def test_a_callback_campaign_never_pauses_itself_S87() -> None:
    flows = modes({CampaignType.CALLBACK: Flow()})
    desk = a_desk(
        agents=1,
        offered=flows,
        campaigns=[a_campaign(people=("ana",), type=CampaignType.CALLBACK, caller_id=CallerIds(numbers=(ONE,)))],
    )
    desk.claimed(*some_leads(40))
    for _ in range(BAD_IN_ROW):
        fails(desk)
        desk.wait(1.0)
    for _ in range(GIVE_UP_AFTER + 2):
        rests_over(desk)
        fails(desk)
    assert desk.campaign().state is CampaignState.RUNNING


@pytest.mark.spec("S57")
def test_a_sticky_lead_whose_number_rests_goes_behind_all_others() -> None:
    sticky = CallerIds(numbers=(ONE, TWO), order="fixed", sticky=True)
    desk = a_desk(agents=1, campaigns=[a_campaign(people=("ana",), caller_id=sticky)])
    failing(desk.dialer._w.breakers.way(Way(ONE, CARRIER)), BAD_IN_ROW)
    desk.claimed(a_lead(1, caller_id=ONE), a_lead(2, caller_id=TWO))
    returned = [lead for action in desk.all(act.ReturnLeads) for lead in action.leads]
    assert [(r.lead, r.held_by, r.last) for r in returned] == [(1, "caller_id", True)] and returned[0].ready_at > NOON
    assert placed(desk).attempt.lead == 2 and placed(desk).attempt.caller_id == TWO


def test_a_trunk_that_is_full_is_passed_over_for_the_next_that_may_send_the_number() -> None:
    trunks = [GatewayDefinition(id=NORTH, lines=1), GatewayDefinition(id=SOUTH)]
    desk = a_desk(agents=2, campaigns=[campaign()], installation=an_installation(gateways=trunks))
    desk.claimed(*some_leads(5))
    assert [call.attempt.gateway for call in desk.all(act.OriginateLead)] == [NORTH, SOUTH]


def test_the_snapshot_tells_the_health_of_what_was_used() -> None:
    desk = a_failing_desk()
    seen = {(b.kind, b.name): b for b in desk.dialer.snapshot().breakers}
    assert set(seen) == {("caller_id", ONE), ("gateway", "carrier")}
    assert all(b.health == "open" and b.failed == BAD_IN_ROW and "GATEWAY_DOWN" in b.said for b in seen.values())


# --- what a bad way must not do to others ---------------------------------------------------------------------------------------------


def lives(desk: Desk, dead: Callable[[Attempt], bool], seconds: int, leads: Callable[[], None]) -> list[Attempt]:
    """Every call of a span of time: the dead ways' fail at once, the others' are busy."""
    seen: list[Attempt] = []
    for _ in range(seconds // 10):
        leads()
        while len(desk.all(act.OriginateLead)) > len(seen):
            call = desk.all(act.OriginateLead)[len(seen)]
            seen.append(call.attempt)
            desk.created(call.leg)
            if dead(call.attempt):
                desk.over(call.leg, "GATEWAY_DOWN")
            else:
                desk.over(call.leg, "USER_BUSY", 486)
        desk.wait(10.0)
    return seen


def feeding(desk: Desk, *names: str) -> Callable[[], None]:
    numbers = itertools.count(1)

    def feed() -> None:
        for name in names * 3:
            desk.claimed(a_lead(next(numbers), campaign=name), campaign=name)

    return feed


@pytest.mark.spec("X7", "D15")
def test_a_dead_first_trunk_leaves_the_second_in_use() -> None:
    desk = a_desk(agents=1, installation=an_installation(gateways=(GatewayDefinition(id=NORTH), GatewayDefinition(id=SOUTH))))
    seen = lives(desk, lambda attempt: attempt.gateway == NORTH, 3600, feeding(desk, "spring"))
    by_south = [attempt for attempt in seen if attempt.gateway == SOUTH]
    assert len(by_south) > 0.8 * len(seen) and desk.campaign().state is CampaignState.RUNNING


@pytest.mark.spec("S57", "X7")
def test_a_dead_first_number_leaves_the_second_in_use() -> None:
    desk = a_desk(agents=1, campaigns=[a_campaign(people=("ana",), caller_id=CallerIds(numbers=(ONE, TWO), order="fixed"))])
    seen = lives(desk, lambda attempt: attempt.caller_id == ONE, 3600, feeding(desk, "spring"))
    assert sum(attempt.caller_id == TWO for attempt in seen) > 0.8 * len(seen) and desk.campaign().state is CampaignState.RUNNING


@pytest.mark.spec("X7")
def test_one_campaign_s_bad_number_does_not_stop_another_on_the_same_trunk_nor_hold_its_agents() -> None:
    spring = a_campaign("spring", people=("ana", "bob"), caller_id=CallerIds(numbers=(ONE,)))
    autumn = a_campaign("autumn", people=("ana", "bob"), caller_id=CallerIds(numbers=(TWO,)))
    desk = a_desk(agents=2, campaigns=[spring, autumn])
    seen = lives(desk, lambda attempt: attempt.caller_id == ONE, 600, feeding(desk, "spring", "autumn"))
    assert sum(attempt.campaign == "autumn" for attempt in seen) > 50


@pytest.mark.spec("X7")
def test_a_trial_that_rings_closes_it_before_the_talk_is_over() -> None:
    desk = a_failing_desk()
    rests_over(desk)
    desk.tell(ev.LegCreated(placed(desk).leg, SWITCH, None, None, None), ev.LegRang(placed(desk).leg, False))
    assert {b.health for b in desk.dialer.snapshot().breakers} == {"closed"}


@pytest.mark.spec("D15")
def test_whoever_starts_a_campaign_that_paused_itself_has_it_tried_at_once() -> None:
    desk = a_failing_desk()
    for _ in range(GIVE_UP_AFTER):
        rests_over(desk)
        fails(desk)
    assert desk.campaign().state is CampaignState.PAUSED
    seen = len(desk.all(act.OriginateLead))
    desk.command(ev.StartCampaign, SPRING)
    desk.claimed(*some_leads(5, first=500))
    assert len(desk.all(act.OriginateLead)) == seen + 1 and desk.campaign().state is CampaignState.RUNNING
    desk.created(placed(desk).leg)
    desk.wait(5.0)
    assert desk.campaign().state is CampaignState.RUNNING


@pytest.mark.spec("S57")
def test_leads_bound_to_a_full_trunk_hold_no_agent() -> None:
    trunks = (GatewayDefinition(id=NORTH, lines=1), GatewayDefinition(id=SOUTH))
    bound = CallerIds(numbers=(ONE, TWO), sticky=True, routes=(CallerRoute(ONE, ("north",)), CallerRoute(TWO, ("south",))))
    desk = a_desk(agents=1, campaigns=[a_campaign(people=("ana",), caller_id=bound)], installation=an_installation(gateways=trunks))
    desk.tell(ev.LegCreated(LegId("somebody"), SWITCH, NORTH, None, None))
    desk.claimed(*(a_lead(n, caller_id=ONE) for n in range(1, 6)), a_lead(6, caller_id=TWO))
    assert placed(desk).attempt.lead == 6
    assert {lead.held_by for action in desk.all(act.ReturnLeads) for lead in action.leads} == {"lines"}


def test_a_sticky_number_that_no_trunk_carries_any_more_binds_nobody() -> None:
    gone = CallerIds(numbers=(ONE, TWO), sticky=True, routes=(CallerRoute(ONE, ("gone",)), CallerRoute(TWO)))
    desk = a_desk(agents=1, campaigns=[a_campaign(people=("ana",), caller_id=gone)])
    desk.claimed(a_lead(1, caller_id=ONE))
    assert placed(desk).attempt.caller_id == TWO
