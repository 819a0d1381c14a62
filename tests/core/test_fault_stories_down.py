"""The switch, its link, or the daemon goes away while agents and customers are in every state; and agents with two phones. In virtual time.

After each story no agent was on two calls, every leg had its attempt, every attempt ended once and a missed call was counted once (Shift.end).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from fs_dialer.core.model import AgentState, CampaignType
from fs_dialer.modes import preview
from fs_dialer.sim.people import Behaviour
from tests.core.virtual_shift import RINGS_OUT, Shift, a_shift_campaign, number

T = CampaignType
TWENTY = 20
CROWD = tuple(f"agent-{n:02d}" for n in range(1, TWENTY + 1))
A_CARD = preview.Options(preview=preview.Card(time_s=5.0))


def outcomes(shift: Shift) -> Counter[str]:
    return Counter(each for of_one in shift.outcomes().values() for each in of_one)


# --- the switch ------------------------------------------------------------------------------------------------------------------------------


def twenty_waiting() -> Shift:
    """Twenty customers in the music, whose agents' phones ring for 25 s."""
    patient = Behaviour("answer", 1.0, talk_s=20.0)
    shift = Shift(a_shift_campaign(T.PROGRESSIVE, agents=CROWD), leads=TWENTY, customers=patient, agents=Behaviour("answer", 25.0), cps=100.0)
    shift.until(lambda: len(shift.seen.waiting()) == TWENTY, "twenty wait")
    return shift


def twenty_held(nailed: bool) -> Shift:
    """Twenty customers on hold in their conversations."""
    talkative = Behaviour("answer", 1.0, talk_s=200.0)
    shift = Shift(a_shift_campaign(T.PROGRESSIVE, agents=CROWD), leads=TWENTY, customers=talkative, nailed=CROWD if nailed else (), cps=100.0)
    shift.until(lambda: len(shift.seen.talking()) == TWENTY, "twenty talk")
    for name in CROWD:
        shift.ask(name, "hold")
    shift.until(lambda: all(shift.agent(name).state is AgentState.HELD for name in CROWD) and not shift.seen.talking(), "twenty are on hold")
    return shift


@pytest.mark.parametrize("for_s", [0.5, 10.0, 23.0])
def test_a_link_lost_with_twenty_customers_waiting_loses_none_of_them(for_s: float) -> None:
    """Agents' phones go on ringing meanwhile; what was answered is known when the link is back."""
    shift = twenty_waiting()
    shift.lose_link()
    shift.wait(for_s)
    shift.link_again()
    shift.until(lambda: sum(outcomes(shift).values()) == TWENTY, "all are served")
    assert outcomes(shift) == {"connected": TWENTY}
    shift.end()


@pytest.mark.parametrize("nailed", [False, True], ids=["per_call", "nailed"])
def test_a_link_lost_with_twenty_customers_on_hold_keeps_them_on_hold(nailed: bool) -> None:
    shift = twenty_held(nailed)
    shift.lose_link()
    refused = shift.tell(CROWD[0], "resume")
    assert not refused.ok and refused.text
    shift.wait(15.0)
    shift.link_again()
    shift.wait(1.0)
    for name in CROWD:
        shift.ask(name, "resume")
    shift.until(lambda: len(shift.seen.talking()) == TWENTY, "all talk again")
    for name in CROWD:
        shift.ask(name, "hang_up")
    shift.until(lambda: sum(outcomes(shift).values()) == TWENTY, "all calls are over")
    assert outcomes(shift) == {"connected": TWENTY}
    shift.end()


@pytest.mark.spec("D8")
def test_a_switch_that_dies_with_twenty_customers_waiting_ends_each_attempt_once() -> None:
    shift = twenty_waiting()
    shift.switch_dies()
    shift.wait(5.0)
    shift.link_again()
    shift.until(lambda: sum(outcomes(shift).values()) >= TWENTY, "every attempt is closed")
    assert outcomes(shift) == {"early_hangup": TWENTY}  # they did answer, and who ended it is not known
    assert shift.view().missed == 0
    shift.until(lambda: all(shift.agent(name).state is AgentState.IDLE for name in CROWD), "all agents are free again", 60.0)
    shift.end()


@pytest.mark.spec("D8")
@pytest.mark.parametrize("nailed", [False, True], ids=["per_call", "nailed"])
def test_a_switch_that_dies_with_twenty_customers_on_hold_ends_each_attempt_once(nailed: bool) -> None:
    """They had met: connected. Nailed agents are called again."""
    shift = twenty_held(nailed)
    shift.switch_dies()
    shift.wait(5.0)
    shift.link_again()
    shift.until(lambda: sum(outcomes(shift).values()) >= TWENTY, "every attempt is closed")
    assert outcomes(shift) == {"connected": TWENTY}
    shift.until(lambda: all(shift.agent(name).state is AgentState.IDLE for name in CROWD), "all agents are free again", 120.0)
    shift.end()


# --- the daemon ------------------------------------------------------------------------------------------------------------------------------


def begun(type: CampaignType, *, leads: int = 4, nailed: tuple[str, ...] = ()) -> Shift:
    """Ana's line is open; two more agents are rung. Some phones are slow, some customers too."""
    options: dict[str, Any] = {"options": A_CARD} if type is T.PREVIEW else {}
    script = {number(2): Behaviour("answer", 12.0, talk_s=15.0), number(3): Behaviour("refuse", 3.0, status=486), "eva": Behaviour("answer", 6.0)}
    campaign = a_shift_campaign(type, agents=("ana", "bob", "eva"), **options)
    shift = Shift(campaign, script, leads=leads, nailed=nailed, customers=Behaviour("answer", 3.0, talk_s=15.0), agents=Behaviour("answer", 2.0))
    if type is T.MANUAL:
        shift.until(lambda: shift.agent("ana").state is AgentState.IDLE, "ana's line is open")
        for name in ("ana", "bob", "eva"):
            shift.ask(name, "take", campaign="spring")
            shift.ask(name, "dial")
    return shift


@pytest.mark.spec("D6", "D8", "X4")
@pytest.mark.parametrize("type", [T.MANUAL, T.PREVIEW, T.PROGRESSIVE, T.PREDICTIVE, T.CALLBACK])
@pytest.mark.parametrize("nailed", [(), ("ana",)], ids=["per_call", "nailed"])
def test_a_daemon_killed_at_any_second_leaves_no_call_without_an_end(type: CampaignType, nailed: tuple[str, ...]) -> None:
    """Each mode, killed every 1.3 s of the story in turn, and followed at once or after a while by the next one."""
    seen: Counter[str] = Counter()
    for step in range(17):
        shift = begun(type, nailed=nailed)
        shift.wait(0.25 + step * 1.3)
        up = {leg.number for leg in shift.seen.leads if leg.up}
        was_talking = {leg.number for leg in shift.seen.talking()}
        shift.kill(dead_for_s=2.0 if step % 2 else 0.0)
        shift.wait(90.0)
        first = {closed.attempt.number: closed.result.outcome.value for closed in reversed(shift.database.closed.values())}
        assert all(first[who] in ("connected", "unknown") for who in was_talking), (step, first)
        seen.update(first[who] for who in up)
        shift.end(killed=True)
    print(seen)
    assert seen["connected"] > 0


# --- an agent with two phones ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type", [T.MANUAL, T.PREVIEW, T.PROGRESSIVE, T.PREDICTIVE, T.CALLBACK])
@pytest.mark.parametrize(("first_s", "second_s"), [(0.0, 0.0), (0.4, 0.4), (0.4, 0.0), (0.0, 0.4), (5.0, 5.02), (5.02, 5.0), (60.0, 3.0)])
def test_of_two_phones_that_ring_together_at_most_one_is_in_the_call(type: CampaignType, first_s: float, second_s: float) -> None:
    """We know the leg we asked for; whatever other leg a forking user makes is hung up as soon as it is seen, and never bridged."""
    for seed in range(3):
        both = Behaviour("answer", first_s, second=Behaviour("answer", second_s))
        options: dict[str, Any] = {"options": A_CARD} if type is T.PREVIEW else {}
        shift = Shift(a_shift_campaign(type, **options), {"ana": both}, seed=seed)
        if type is T.MANUAL:
            shift.ask("ana", "take", campaign="spring")
            shift.ask("ana", "dial")
            shift.wait(60.0)
            if not shift.outcomes():
                shift.ask("bob", "take", campaign="spring")
                shift.ask("bob", "dial")
        shift.until(lambda now=shift: now.outcomes().get(number(1)), "the call is over")  # type: ignore[misc]
        assert shift.outcomes()[number(1)][-1] == "connected"
        (lead,) = [leg for leg in shift.seen.to(number(1)) if leg.met]
        assert len(lead.met) == 1
        shift.end()


def test_a_phone_that_is_never_answered_is_cancelled_on_all_of_a_users_phones() -> None:
    silent = Behaviour("ring", second=RINGS_OUT)
    shift = Shift(a_shift_campaign(T.PROGRESSIVE), {"ana": silent})
    shift.until(lambda: shift.outcomes().get(number(1)), "the call is over")
    assert shift.outcomes() == {number(1): ["connected"]}
    assert not [leg for leg in shift.seen.of_agent("ana") if leg.up]
    shift.end()


@pytest.mark.spec("D1", "D8")
@pytest.mark.parametrize("nailed", [(), ("ana",)], ids=["per_call", "nailed"])
@pytest.mark.parametrize("type", [T.PREVIEW, T.PROGRESSIVE, T.PREDICTIVE, T.CALLBACK])
def test_a_customer_on_hold_whose_daemon_is_killed_goes_to_an_agent_and_is_never_missed(type: CampaignType, nailed: tuple[str, ...]) -> None:
    """He has met his agent already: whether the next one comes or not, his call counts as a conversation."""
    for nobody_comes in (False, True):
        options: dict[str, Any] = {"options": A_CARD} if type is T.PREVIEW else {}
        script = {"ana": [Behaviour("answer", 0.4), RINGS_OUT if nobody_comes else Behaviour("answer", 0.4)]}
        customer = Behaviour("answer", 1.0, talk_s=60.0)
        shift = Shift(a_shift_campaign(type, agents=("ana",), at_most_s=20.0, **options), script, customers=customer, nailed=nailed)
        shift.until(shift.seen.talking, "they talk")
        shift.ask("ana", "hold")
        shift.wait(3.0)
        shift.kill(dead_for_s=1.0)
        shift.until(lambda now=shift: now.outcomes().get(number(1)), "his call is over", 300.0)  # type: ignore[misc]
        assert shift.outcomes() == {number(1): ["connected"]}
        assert [closed.result.missed for closed in shift.database.closed.values()] == [False]
        shift.end(killed=True)
