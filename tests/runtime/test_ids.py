"""Ids and chance come from one seed, and a journal's seed brings them again."""

from __future__ import annotations

import uuid
from random import Random

from fs_dialer.runtime.ids import engine_sources, uuids


def test_ids_are_version_4_uuids_that_come_again_with_the_seed() -> None:
    first, again = uuids(Random(5)), uuids(Random(5))
    made = [first() for _ in range(20)]
    assert made == [again() for _ in range(20)]
    assert len(set(made)) == 20
    assert {uuid.UUID(one).version for one in made} == {4}


def test_another_seed_gives_other_ids() -> None:
    assert engine_sources(1)[1]() != engine_sources(2)[1]()


def test_drawing_from_the_engines_chance_does_not_move_its_ids() -> None:
    rng, new_id = engine_sources(7)
    for _ in range(10):
        rng.random()
    assert new_id() == engine_sources(7)[1]()
