"""Lines and calls per second: counted for every leg, never run past, and never a stall (D2, S41, S58–S60)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.core.definition import GatewayDefinition
from fs_dialer.core.limits import BURST_S, Ledger, TokenBucket
from fs_dialer.core.model import AttemptId, GatewayId, LegId
from tests.core.builders import NOON, an_installation

A, B = GatewayId("a"), GatewayId("b")
CALL = AttemptId("c1")


def ledger(lines: int = 5, cps: float = 100.0, a_lines: int | None = None, a_cps: float | None = None) -> Ledger:
    trunks = [GatewayDefinition(id=A, lines=a_lines, cps=a_cps), GatewayDefinition(id=B)]
    return Ledger(an_installation(lines=lines, cps=cps, gateways=trunks))


def leg(n: int) -> LegId:
    return LegId(f"leg-{n}")


# --- the rate -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D2")
@given(st.floats(0.1, 500), st.lists(st.floats(0.0, 3.0), max_size=80))
def test_no_span_of_time_sees_more_than_its_rate_and_one_burst(rate: float, pauses: list[float]) -> None:
    bucket, now, taken = TokenBucket(rate), NOON, []
    for pause in pauses:
        now += pause
        while bucket.available(now) >= 1:
            bucket.take()
            taken.append(now)
    most = max(1.0, rate * BURST_S)
    for n, first in enumerate(taken):
        for m in range(n, len(taken), 7):
            assert m - n + 1 <= most + (taken[m] - first) * rate + 1.001


@pytest.mark.parametrize("rate", [0.1, 0.7, 3.0, 30.0, 99.9, 1000.0])
def test_the_next_token_is_there_when_it_was_promised(rate: float) -> None:
    """Else a campaign that only the rate holds back would wait for an event that does not come."""
    bucket, now = TokenBucket(rate), NOON + 0.1234567
    for _ in range(500):
        while bucket.available(now) >= 1:
            bucket.take()
        now = bucket.next_at(now)
        assert bucket.available(now) >= 1


def test_a_clock_that_stands_still_gives_no_tokens() -> None:
    bucket = TokenBucket(4.0)
    assert bucket.available(NOON) == 1
    bucket.take()
    assert [bucket.available(NOON) for _ in range(3)] == [0, 0, 0]


def test_reading_the_same_limits_again_refills_nothing() -> None:
    book = ledger(cps=10.0, a_cps=2.0)
    for n in range(2):
        book.originated(leg(n), A)
    before = (book.room(NOON), book.gateway_room(A, NOON))
    book.configure(book.installation)
    assert (book.room(NOON), book.gateway_room(A, NOON)) == before


# --- lines ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S60", "D2")
def test_every_leg_takes_a_line_ours_or_not_D2() -> None:
    book = ledger(lines=5)
    book.add(leg(1), None)
    book.originated(leg(2), A)
    assert book.room(NOON) == 3


def test_doubled_news_of_a_leg_change_nothing() -> None:
    book = ledger(a_lines=2)
    for _ in range(2):
        book.add(leg(1), A)
    book.add(leg(1), B)
    assert book.by_gateway == {A: 1}
    for _ in range(2):
        book.remove(leg(1))
    assert book.legs == {} and book.by_gateway == {A: 0}


def test_a_leg_whose_trunk_is_named_later_counts_for_it() -> None:
    """An agent's leg is asked for by a dial string; which trunk it takes is told by its CHANNEL_CREATE."""
    book = ledger(a_lines=1)
    book.originated(leg(1), None)
    book.add(leg(1), A)
    assert book.gateway_room(A, NOON) == 0 and len(book.legs) == 1
    book.remove(leg(1))
    assert book.gateway_room(A, NOON) == 1


@pytest.mark.spec("D2")
def test_a_trunk_has_its_own_lines_and_rate() -> None:
    book = ledger(a_lines=3, a_cps=4.0)
    assert book.gateway_room(A, NOON) == 1, "a burst of one second's quarter"
    book.originated(leg(1), A)
    assert book.gateway_room(A, NOON) == 0 and book.gateway_room(A, NOON + 1) == 1
    assert book.gateway_room(B, NOON) > 1000 and book.gateway_room(GatewayId("nobody's"), NOON) == 0


@pytest.mark.spec("D2")
def test_a_recount_takes_the_switch_s_word_and_keeps_what_is_still_asked_after() -> None:
    book = ledger(lines=10)
    for n in range(4):
        book.originated(leg(n), A)
    book.recount([(leg(1), A), (leg(9), None)], keep=[leg(0), leg(1)])
    assert set(book.legs) == {leg(0), leg(1), leg(9)} and book.by_gateway == {A: 2}


def test_promised_lines_are_not_given_to_others() -> None:
    book = ledger(lines=4)
    book.promise(CALL, 2)
    assert book.room(NOON) == 2
    book.redeem(CALL)
    book.originated(leg(1), A)
    assert book.room(NOON) == 2
    book.redeem(CALL)
    book.originated(leg(2), None)
    book.redeem(CALL)
    assert book.room(NOON) == 2 and book.promised == 0
    book.forget(CALL)
    assert book.room(NOON) == 2


def test_a_forgotten_promise_frees_its_lines() -> None:
    book = ledger(lines=4)
    book.promise(CALL, 2)
    book.forget(CALL)
    book.forget(CALL)
    assert book.room(NOON) == 4


@pytest.mark.spec("D2")
def test_foreign_legs_can_leave_less_than_nothing_and_room_stays_zero() -> None:
    book = ledger(lines=2)
    for n in range(5):
        book.add(leg(n), None)
    assert book.lines_left() == -3 and book.room(NOON) == 0
