"""Which number is shown by which trunk, and which of them rest (S8, S53–S57, M13, X7, D3, D15)."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from fs_dialer.core import actions as act
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
from fs_dialer.core.model import AttemptId, CampaignState, CampaignType, GatewayId, Outcome
from fs_dialer.core.resources import CallerIds, CallerRoute
from tests.core.builders import NOON, Desk, a_campaign, a_desk, a_lead, an_installation, modes, placed, some_leads

NORTH, SOUTH = GatewayId("north"), GatewayId("south")
ONE, TWO = "+34910000001", "+34910000002"
BOTH = CallerIds(numbers=(ONE, TWO))


def campaign(**more: Any) -> Campaign:
    return a_campaign(people=("ana", "bob"), caller_id=more.pop("caller_id", BOTH), **more)


def failing(breaker: Breaker, times: int, at: float = NOON) -> list[str]:
    return [breaker.ended(AttemptId(f"a{n}"), Outcome.OURS, "GATEWAY_DOWN", at) for n in range(times)]


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
    assert sticky_to(sticky, a_lead(caller_id=TWO)) == TWO
    assert sticky_to(sticky, a_lead(caller_id="+34999")) == sticky_to(sticky, a_lead()) == sticky_to(campaign(), a_lead(caller_id=TWO)) == ""
    assert healthy(ways(sticky, (NORTH,)), TWO, Breakers(), NOON) == [Way(TWO, NORTH)]


# --- a breaker ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("X7", "D3")
def test_failures_that_are_not_the_callee_s_open_it_and_others_do_not() -> None:
    breaker = Breaker()
    for n in range(50):
        assert breaker.ended(AttemptId(f"b{n}"), Outcome.BUSY, "USER_BUSY", NOON) == ""
    assert breaker.health(NOON) is Health.CLOSED
    assert failing(breaker, BAD_IN_ROW)[-1] == "opened" and breaker.health(NOON) is Health.OPEN
    assert not breaker.usable(NOON + REST_FIRST_S - 1) and breaker.usable(NOON + REST_FIRST_S)


@pytest.mark.spec("X7")
def test_eight_of_ten_open_it_even_with_good_ones_between() -> None:
    breaker = Breaker()
    news = []
    for failed in (1, 1, 0, 1, 1, 1, 0, 1, 1, 1):
        news.append(breaker.ended(AttemptId("x"), Outcome.NETWORK if failed else Outcome.NO_ANSWER, "", NOON))
    assert news[-1] == "opened" and set(news[:-1]) == {""}


def test_what_we_cancelled_says_nothing_of_it() -> None:
    breaker = Breaker()
    for outcome in (Outcome.CANCELLED, Outcome.UNKNOWN):
        for n in range(20):
            assert breaker.ended(AttemptId(f"c{n}"), outcome, "", NOON) == ""
    assert not breaker.calls


@pytest.mark.spec("X7")
def test_half_open_it_takes_one_call_whose_end_decides() -> None:
    breaker = Breaker()
    failing(breaker, BAD_IN_ROW)
    at = NOON + REST_FIRST_S
    breaker.dialled(AttemptId("trial"), at)
    assert breaker.health(at) is Health.HALF_OPEN and not breaker.usable(at)
    assert breaker.ended(AttemptId("trial"), Outcome.NO_ANSWER, "", at + 20) == "closed"
    assert breaker.usable(at + 20) and breaker.said(at + 20) == "no calls yet"


@pytest.mark.spec("X7")
def test_a_failed_trial_makes_it_rest_twice_as_long_up_to_a_quarter_of_an_hour() -> None:
    breaker = Breaker()
    failing(breaker, BAD_IN_ROW)
    at, rests = NOON, []
    for n in range(6):
        at = breaker.until
        breaker.dialled(AttemptId(f"t{n}"), at)
        breaker.ended(AttemptId(f"t{n}"), Outcome.OURS, "GATEWAY_DOWN", at)
        rests.append(breaker.until - at)
    assert rests == [120.0, 240.0, 480.0, REST_MOST_S, REST_MOST_S, REST_MOST_S]


def test_calls_that_were_up_when_it_opened_do_not_count_as_trials() -> None:
    breaker = Breaker()
    failing(breaker, BAD_IN_ROW + 7)
    assert breaker.trials_failed == 0 and breaker.until == NOON + REST_FIRST_S


def test_a_late_success_of_an_earlier_call_closes_it_because_it_proves_the_way() -> None:
    breaker = Breaker()
    failing(breaker, BAD_IN_ROW)
    assert breaker.ended(AttemptId("old"), Outcome.CONNECTED, "", NOON + 5) == "closed"


def test_a_trial_of_which_nothing_is_heard_is_given_up() -> None:
    breaker = Breaker()
    failing(breaker, BAD_IN_ROW)
    at = NOON + REST_FIRST_S
    breaker.dialled(AttemptId("lost"), at)
    assert not breaker.usable(at + 299) and breaker.usable(at + 300) and breaker.usable_at(at + 10) == at + 300


@pytest.mark.spec("S57", "X7")
def test_with_one_number_resting_the_others_are_used_and_with_all_it_is_said_until_when() -> None:
    breakers = Breakers()
    failing(breakers.caller_id(ONE), BAD_IN_ROW)
    allowed = ways(campaign(), (NORTH,))
    assert healthy(allowed, "", breakers, NOON) == [Way(TWO, NORTH)]
    failing(breakers.caller_id(TWO), BAD_IN_ROW, NOON + 10)
    resting = healthy(allowed, "", breakers, NOON + 10)
    assert isinstance(resting, Resting) and resting.until == NOON + REST_FIRST_S and ONE in resting.reason and not resting.hopeless


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
    assert names.count("gateway_opened") == names.count("gateway_closed") == 1


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
    failing(desk.dialer._w.breakers.caller_id(ONE), BAD_IN_ROW)
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
