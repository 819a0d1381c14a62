"""The answer rate: what is seen, what still rings, and which of two estimates is believed."""

from __future__ import annotations

import json
from random import Random

import pytest

from fs_dialer.modes.pacer import Pacer, View
from fs_dialer.modes.pacer_answer import AnswerRate


def after(rate: AnswerRate, p: float, calls: int, start: float, every_s: float, rng: Random) -> float:
    now = start
    for _ in range(calls):
        now += every_s
        rate.ended(rng.random() < p, now)
        rate.slow.step(0, 0)
        rate.fast.step(0, 0)
    return now


def test_the_first_guess_is_the_admins_and_else_forty_in_a_hundred() -> None:
    assert AnswerRate.new(None).slow.p == 0.40
    assert AnswerRate.new(0.15).slow.p == 0.15
    assert AnswerRate.new(0.0).slow.p == 0.01


def test_a_jump_up_is_believed_at_once_and_a_fall_slowly() -> None:
    rng = Random(5)
    rate = AnswerRate.new(None)
    now = after(rate, 0.15, 2000, 0.0, 1.0, rng)
    assert 0.12 < rate.used < 0.22
    now = after(rate, 0.6, 60, now, 1.0, rng)
    assert rate.used > 0.30 > rate.slow.p
    now = after(rate, 0.6, 2000, now, 1.0, rng)
    after(rate, 0.15, 60, now, 1.0, rng)
    assert rate.used > 0.5


def test_little_is_forgotten_while_little_is_seen() -> None:
    rate = AnswerRate.new(None)
    now = after(rate, 1.0, 150, 0.0, 1.0, Random(1))
    after(rate, 1.0, 1, now + 86400.0, 1.0, Random(1))
    assert rate.slow.calls >= 150


def test_its_state_is_json_and_nonsense_in_it_is_refused() -> None:
    rate, again = AnswerRate.new(None), AnswerRate.new(None)
    after(rate, 0.3, 100, 0.0, 1.0, Random(2))
    again.restore(json.loads(json.dumps(rate.state())))
    assert again == rate
    for wrong in ([-1.0, 5.0, 0.4, 0.0], [1.0, float("nan"), 0.4, 0.0], [6.0, 5.0, 0.4, 0.0]):
        with pytest.raises(ValueError, match="no counts"):
            again.restore({"slow": wrong, "fast": wrong})


@pytest.mark.parametrize("p", [0.2, 0.5])
def test_calls_that_still_ring_keep_the_estimate_unbiased_right_after_a_burst(p: float) -> None:
    """3 s after a burst only the busy have ended: the plain ratio would say that nobody answers. At 15 s nearly all answers and no ring-out are in."""
    found: dict[float, list[float]] = {3.0: [], 15.0: [], 22.0: []}
    plain: list[float] = []
    for seed in range(6):
        rng = Random(seed)
        pacer = Pacer(0.03, 2.0, 20, 0.0)

        def draw(rng: Random = rng) -> tuple[str, float]:
            if rng.random() < p:
                return "answered", rng.lognormvariate(2.09, 0.47)
            return "ended", rng.uniform(1, 3) if rng.random() < 0.25 else rng.uniform(25, 30)

        for n in range(400):  # what it knows of the ring curves, and its p
            kind, age = draw()
            pacer.observe("launched", n * 3.0)
            pacer.observe(kind, n * 3.0 + age, age)
        start = 5000.0
        calls = [draw() for _ in range(150)]
        for _ in calls:
            pacer.observe("launched", start)
        done: set[int] = set()
        now = start
        while now < start + 22.0:
            now += 0.5
            for number, (kind, age) in enumerate(calls):
                if number not in done and start + age <= now:
                    done.add(number)
                    pacer.observe(kind, start + age, age)
            pacer.calls_to_place(View(0, 0, [(start, None)] * (len(calls) - len(done)), [], [], 20, 0), now)
            if now - start in found:
                found[now - start].append(pacer.explain(now)["p_slow"])
            if now - start == 15.0:
                answered = sum(1 for number in done if calls[number][0] == "answered")
                plain.append(answered / len(done))
    for at, values in found.items():
        assert abs(sum(values) / len(values) - p) < 0.04, f"{at} s after the burst: {values}"
    assert sum(plain) / len(plain) > p + 0.2
