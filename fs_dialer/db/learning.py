"""What a campaign's own calls say of the people it calls, counted by the database: the raw material of a people model. Reads only; nobody's name or number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fs_dialer.core.definition import Campaign
from fs_dialer.db import codec

if TYPE_CHECKING:
    from fs_dialer.db.pool import Pool


@dataclass(frozen=True, slots=True)
class OutcomeCount:
    """Attempts alike. `quarter`: of an hour, since 1970. `nth`: which call to the lead; 0 = none that reached the network's other end."""

    zones: tuple[str, ...]
    quarter: int
    nth: int
    outcome: str
    many: int


@dataclass(frozen=True, slots=True)
class Lengths:
    """Seconds. `quantiles`: 21, from the least to the most, in steps of 5 %."""

    many: int
    mean: float
    quantiles: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class History:
    """A campaign's calls opened in [since, until), epoch seconds. `times` by kind; sql/queries/learning.sql says what each is."""

    campaign: str
    zone: str
    since: float
    until: float
    outcomes: Sequence[OutcomeCount]
    times: Mapping[str, Lengths]
    waited_s: float
    waited: int
    dispositions: Mapping[str, int]
    ring_timeout_s: float


def history(pool: Pool, campaign: Campaign, since: float, until: float) -> History:
    """Of one campaign, at the definition given. Takes seconds where there are millions of calls."""
    words = {"campaign": campaign.id, "since": since, "until": until}
    of_times = {**words, "wait_s": campaign.connect_within_s - 0.5, "rest_s": campaign.wrap_up_s + 1.0}
    ((waited_s, waited),) = pool.rows("learning_waits", words)
    return History(
        campaign=campaign.id,
        zone=campaign.window.zone,
        since=since,
        until=until,
        outcomes=[OutcomeCount(codec.zones(row[0]), int(row[1]), int(row[2]), row[3], int(row[4])) for row in pool.rows("learning_outcomes", words)],
        times={row[0]: Lengths(int(row[1]), float(row[2]), tuple(float(each) for each in row[3])) for row in pool.rows("learning_times", of_times)},
        waited_s=float(waited_s),
        waited=int(waited),
        dispositions={row[0]: int(row[1]) for row in pool.rows("learning_dispositions", words)},
        ring_timeout_s=campaign.least_ring_s,
    )
