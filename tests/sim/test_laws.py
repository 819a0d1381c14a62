from __future__ import annotations

import pickle
import random
import statistics

import pytest

from fs_dialer.sim.laws import law, seconds, share


def draws(text: str, count: int = 20000, seed: int = 5) -> list[float]:
    rng = random.Random(seed)
    drawn = law(text, "test")
    return [drawn.draw(rng) for _ in range(count)]


@pytest.mark.parametrize(("text", "value"), [("9s", 9.0), ("250ms", 0.25), ("2m", 120.0), ("1h", 3600.0), ("7", 7.0), (7, 7.0), (0.5, 0.5)])
def test_a_time_is_read_with_its_unit(text: object, value: float) -> None:
    assert seconds(text, "x") == value


@pytest.mark.parametrize("text", ["9 apples", "", "-3s", "nan", None, True, [], "1e9"])
def test_what_is_no_time_is_refused_with_its_place(text: object) -> None:
    with pytest.raises(ValueError, match=r"customers\.ring"):
        seconds(text, "customers.ring")


def test_a_lognormal_law_keeps_its_mean_and_its_variation() -> None:
    drawn = draws("lognormal(9s, 0.5)", 60000)
    assert statistics.fmean(drawn) == pytest.approx(9.0, rel=0.02)
    assert statistics.stdev(drawn) / statistics.fmean(drawn) == pytest.approx(0.5, rel=0.05)


def test_an_exponential_law_keeps_its_mean() -> None:
    assert statistics.fmean(draws("exponential(2m)")) == pytest.approx(120.0, rel=0.03)


def test_a_uniform_law_stays_between_its_ends() -> None:
    drawn = draws("uniform(25s, 30s)")
    assert 25.0 <= min(drawn) < 25.1 and 29.9 < max(drawn) <= 30.0


def test_a_plain_time_is_the_law_that_always_gives_it() -> None:
    assert set(draws("3s", 10)) == {3.0}


@pytest.mark.parametrize("text", [
    "uniform(30s, 25s)", "uniform(1s)", "lognormal(9s)", "lognormal(9s, 0)", "lognormal(0s, 1)", "lognormal(9s, x)", "exponential(0s)", "weibull(1s, 2)",
    "uniform(1s, 2s"])
def test_a_law_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="here"):
        law(text, "here")


@pytest.mark.parametrize(("text", "value"), [("20%", 0.2), ("0.2", 0.2), (1, 1.0), ("0%", 0.0)])
def test_a_share_is_read_as_percent_or_fraction(text: object, value: float) -> None:
    assert share(text, "x") == pytest.approx(value)


@pytest.mark.parametrize("text", ["120%", "-1%", "half", None, True])
def test_what_is_no_share_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="x: "):
        share(text, "x")


def test_quantiles_are_drawn_evenly_between_their_marks() -> None:
    rng = random.Random(1)
    drawn = [law("quantiles(1s, 2s, 10s)", "").draw(rng) for _ in range(4000)]
    assert min(drawn) >= 1 and max(drawn) <= 10
    assert sum(value < 2 for value in drawn) / 4000 == pytest.approx(0.5, abs=0.03)
    assert sum(value > 6 for value in drawn) / 4000 == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("text", ["1.23456789s", "uniform(0.000001s, 1234567.5s)", "lognormal(9.87654321s, 0.51234567)", "quantiles(0s, 1.005s, 2m)"])
def test_a_law_that_crosses_to_another_process_draws_the_same(text: str) -> None:
    there = pickle.loads(pickle.dumps(law(text, "")))
    assert there == law(text, "") and there.draw(random.Random(5)) == law(text, "").draw(random.Random(5))
