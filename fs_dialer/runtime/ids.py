"""Randomness and ids for an engine, from one seed: live from the operating system's, in simulation and replay from a given one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from random import Random


def uuids(rng: Random) -> Callable[[], str]:
    """Version-4 uuids, reproducible from the generator's seed."""
    return lambda: str(uuid.UUID(int=rng.getrandbits(128), version=4))


def engine_sources(seed: int) -> tuple[Random, Callable[[], str]]:
    """The engine's rng and its ids, independent of each other."""
    return Random(f"fs-dialer rng {seed}"), uuids(Random(f"fs-dialer ids {seed}"))
