"""What is learnt of ringing, talking and notes, and what is foretold from it."""

from __future__ import annotations

import json
from random import Random

import numpy as np
import pytest

from fs_dialer.modes.pacer_curves import RING_STEPS, TALK_EDGES_S, WRAP_EDGES_S, WRAP_STEP_S, Handling, RingCurves

NOBODY = np.zeros(0)


def test_the_talk_and_wrap_up_hazards_have_twenty_and_twenty_three_bins() -> None:
    assert (len(TALK_EDGES_S), len(WRAP_EDGES_S)) == (20, 23)


def test_ring_curves_forget_their_prior_and_keep_their_size() -> None:
    curves = RingCurves()
    assert 4 < curves.answer_at[0] < curves.answer_at[1] < curves.answer_at[2] < 16
    rng = Random(3)
    for _ in range(9000):
        curves.saw_answer(rng.uniform(4, 5))
        curves.saw_end(30.2)
    curves.refresh()
    assert 4 <= curves.answer_at[0] <= curves.answer_at[2] <= 5.1
    assert curves.answered.sum() <= 2001 and curves.unanswered.sum() <= 2001
    assert curves.quantiles()["unanswered"][1] == pytest.approx(30.5, abs=0.2)


def test_who_rings_past_the_usual_answer_has_poor_odds() -> None:
    odds = RingCurves().odds
    assert odds[0] == 1.0 and odds[20 * RING_STEPS] > 5 and np.isfinite(odds).all()


def learnt(talk_s: float, wrap_s: float | None, spells: int = 600) -> Handling:
    """Exponential talks, notes of fixed length or none."""
    handling, rng = Handling(), Random(7)
    for _ in range(spells):
        handling.talk_hazard.saw_end(rng.expovariate(1 / talk_s))
        handling.wrap_hazard.saw_end(0.0 if wrap_s is None else wrap_s)
    return handling


def test_a_talk_without_memory_is_foretold_alike_at_every_age() -> None:
    handling = learnt(130.0, None)
    handling.rebuild((5.0, 10.0, 20.0), NOBODY, NOBODY)
    for row in (2, 20, 60):
        assert handling.talk[row, 2] == pytest.approx(1 - np.exp(-20 / 130), abs=0.05)
    assert handling.talk_mean_s == pytest.approx(130, rel=0.12)


def test_a_wrap_up_of_fixed_length_is_learnt_as_a_spike() -> None:
    handling = learnt(130.0, 10.0)
    handling.rebuild((3.0, 5.0, 12.0), NOBODY, NOBODY)
    young, old = int(1.0 / WRAP_STEP_S), int(8.0 / WRAP_STEP_S)
    assert handling.wrap[young, 0] < 0.05 and handling.wrap[old, 0] > 0.8
    assert handling.wrap_mean_s == pytest.approx(10, abs=2)
    assert handling.talk[10, 0] < 0.02  # the notes alone take longer than that


def test_spells_that_still_run_count_as_exposure() -> None:
    """At the start of a shift only short talks have ended; without the running ones the mean would be theirs."""
    handling = Handling()
    for _ in range(20):
        handling.talk_hazard.saw_end(8.0)
    handling.rebuild((10.0, 10.0, 10.0), NOBODY, NOBODY)
    without = handling.talk_mean_s
    handling.rebuild((10.0, 10.0, 10.0), np.full(80, 60.0), NOBODY)
    assert handling.talk_mean_s > 1.3 * without


def test_chances_are_chances_whatever_was_seen() -> None:
    handling = Handling()
    for age in (0.0, 1e9, 419.999, 420.0, 5.0):
        handling.talk_hazard.saw_end(age)
        handling.wrap_hazard.saw_end(age)
    handling.rebuild((0.0, 60.0, 1e6), np.array([1e9, 0.0]), np.array([1e9]))
    for table in (handling.talk, handling.wrap):
        assert np.isfinite(table).all() and (table >= 0).all() and (table <= 1).all()


def test_their_state_is_json() -> None:
    handling, again = learnt(60.0, 5.0, 50), Handling()
    again.restore(json.loads(json.dumps(handling.state())))
    for each in (handling, again):
        each.rebuild((5.0, 10.0, 20.0), NOBODY, NOBODY)
    assert (again.talk == handling.talk).all() and (again.wrap == handling.wrap).all()
    curves, others = RingCurves(), RingCurves()
    curves.saw_answer(3.0)
    others.restore(json.loads(json.dumps(curves.state())))
    assert (others.answered == curves.answered).all()
    with pytest.raises(ValueError):
        others.restore({"answered": [1.0], "unanswered": [1.0] * 64})
