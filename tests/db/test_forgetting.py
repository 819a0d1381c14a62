"""People forgotten: whatever happened before, every total is afterwards what it was, and a daemon that dials at the same moment comes first or not at all."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from threading import Thread

import pytest

from fs_dialer.core.model import Outcome
from fs_dialer.core.resources import Hours
from fs_dialer.db.dispositions import Result
from fs_dialer.db.forgetting import CallUp, Traces
from tests.db.desk import LONDON, NOW, Desk, a_desk


@pytest.fixture
def desk(pg_dsn: str) -> Iterator[Desk]:
    with a_desk(pg_dsn, hours=Hours()) as made:
        yield made


def totals(desk: Desk) -> list[tuple[object, ...]]:
    by_agent = desk.rows("SELECT campaign, outcome, missed, disposition, agent, count(*) FROM attempts GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5")
    return [*by_agent, *desk.rows("SELECT channel, outcome, count(*) FROM tickets GROUP BY 1, 2 ORDER BY 1, 2")]


def leads(desk: Desk) -> Counter[str]:
    """By status, those that were forgotten too."""
    counted = Counter({status: int(count) for status, count in desk.rows("SELECT status, count(*) FROM leads GROUP BY 1")})
    return counted + Counter(desk.office.leads_forgotten("spring").get("spring", {}))


@pytest.mark.parametrize("seed", range(3))
def test_totals_before_are_totals_after_whoever_is_forgotten(desk: Desk, seed: int) -> None:
    chance = random.Random(seed)
    numbers = [f"+4420794602{place:02}" for place in range(8)]
    desk.add(*numbers)
    for step in range(12):
        number = chance.choice(numbers)
        if desk.status(desk.lead(number)) not in ("new", "retry", "callback_scheduled"):
            continue
        outcome = chance.choice([Outcome.CONNECTED, Outcome.NO_ANSWER, Outcome.BUSY, Outcome.MISSED])
        call = desk.called(number, outcome, at=NOW + step * 100, missed=outcome is Outcome.MISSED)
        if chance.random() < 0.5:
            desk.office.attempt_dispose(call, Result(chance.choice(["sold", "refused", "again", "wrong"])), "lan", "", NOW + step * 100 + 60)
        desk.rows("INSERT INTO tickets (channel, campaign, attempt, number, note) VALUES ('call', 'spring', %s, %s, 'x')", call, number)
    before, counted = totals(desk), leads(desk)
    for number in chance.sample(numbers, 5):
        desk.office.forget(number, "an.le")
        assert (totals(desk), leads(desk)) == (before, counted), f"seed {seed}"
    assert desk.one("SELECT count(*) FROM contacts") == 3


def test_forgetting_and_dialling_at_the_same_time_end_in_one_of_both_orders(desk: Desk) -> None:
    numbers = [f"+4420794602{place:02}" for place in range(15)]
    desk.add(*numbers)
    desk.make_ready()
    attempts = [desk.attempt_of(copy) for copy in desk.claim(50)]
    refused: list[str] = []

    def forget() -> None:
        for number in reversed(numbers):
            try:
                desk.office.forget(number, "an.le")
            except CallUp:
                refused.append(number)

    forgetting = Thread(target=forget)
    forgetting.start()
    opened = [attempt.number for attempt in attempts if desk.store.open_attempts([attempt])[0] is None]
    forgetting.join()
    assert sorted(opened) == sorted(refused)
    assert desk.one("SELECT count(*) FROM contacts") == len(opened)


def test_what_fails_outside_undoes_everything_inside(desk: Desk) -> None:
    desk.office.lead_add("spring", "test", numbers=[("+442079460201", LONDON)])
    seen: list[Traces] = []

    def fails(traces: Traces) -> None:
        seen.append(traces)
        raise OSError(13, "Permission denied", "journal.jsonl")

    with pytest.raises(OSError, match="Permission denied"):
        desk.office.forget("+442079460201", "an.le", erase=fails)
    assert seen == [Traces(("+442079460201",), ())]
    assert desk.one("SELECT count(*) FROM contacts") == 1
