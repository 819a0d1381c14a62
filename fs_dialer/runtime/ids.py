"""Randomness and ids for an engine, from one seed: live from the operating system's, in simulation and replay from a given one."""

from __future__ import annotations

from collections.abc import Callable
from random import Random


def uuids(rng: Random) -> Callable[[], str]:
    """Version-4 uuids as text, reproducible from the generator's seed. Written by hand: uuid.UUID takes several times as long, twice per attempt."""

    def new_id() -> str:
        digits = f"{rng.getrandbits(128):032x}"
        variant = "89ab"[int(digits[16], 16) & 3]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    return new_id


def engine_sources(seed: int) -> tuple[Random, Callable[[], str]]:
    """The engine's rng and its ids, independent of each other."""
    return Random(f"fs-dialer rng {seed}"), uuids(Random(f"fs-dialer ids {seed}"))
