"""Do the three clocks agree: this machine's, the database's, the switch's?

Pure: samples in, checks out. That a customer was connected in time is proved by times from all three (spec D1), and working hours are by this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fs_dialer.cli.doctor.checks import Check, bad, fine, warn

FINE_S = 0.050
BAD_S = 1.0
SAMPLES = 5
STEP_S = 0.020  # FreeSWITCH's clock is one behind by up to so much: it is set anew by a timer


@dataclass(frozen=True, slots=True)
class Sample:
    """One question for the time: our clock before and after, and what the other said; epoch seconds."""

    asked_at: float
    answered_at: float
    said: float

    @property
    def offset_s(self) -> float:
        """How far the other is ahead, if question and answer took equally long."""
        return self.said - (self.asked_at + self.answered_at) / 2

    @property
    def doubt_s(self) -> float:
        """Half the way there and back: so much the offset may be wrong."""
        return max(0.0, self.answered_at - self.asked_at) / 2


def best(samples: Sequence[Sample], *, stepped: bool = False) -> Sample:
    """The one that tells most: the quickest; of a clock that goes in steps the one furthest ahead, which has just made one."""
    if stepped:
        return max(samples, key=lambda sample: sample.offset_s - sample.doubt_s)
    return min(samples, key=lambda sample: sample.doubt_s)


def clock(id: str, whose: str, samples: Sequence[Sample], *, stepped: bool = False, remedy: str = "") -> Check:
    """Only what is beyond doubt counts against a clock. `whose`: `the database`."""
    sample = best(samples, stepped=stepped)
    off, sure = abs(sample.offset_s), abs(sample.offset_s) - sample.doubt_s - (STEP_S if stepped else 0.0)
    what = f"{whose}'s clock is {_length(off)} {'ahead' if sample.offset_s > 0 else 'behind'}"
    remedy = remedy or "proof of missed calls needs < 50 ms: chrony or ntpd on both machines"
    if sure > BAD_S:
        return bad(id, what, remedy)
    if sure > FINE_S:
        return warn(id, what, remedy)
    return fine(id, f"{whose}'s clock agrees with this machine's, within {_length(max(off, sample.doubt_s, 0.001))}")


def _length(seconds: float) -> str:
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.0f} h"
