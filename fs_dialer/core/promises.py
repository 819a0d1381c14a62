"""May a callback be promised for a time, and if not, which times near it may: what an operator is told before he tells a customer.

Pure. The same hours, holidays and dates that dialling asks (schedule.py); do-not-call entries and marks are the store's.
"""

from __future__ import annotations

from dataclasses import dataclass

from fs_dialer.core.definition import Campaign
from fs_dialer.core.schedule import dial_verdict, next_open

PROMISE_S = 600.0  # so long a callback waits for the agent who promised it; then anyone takes it
FARTHEST_S = 366 * 86400.0
LOOK_BACK_S = 9 * 86400.0  # a week of hours and a day of change
BEFORE_CLOSING_S = 15 * 60.0  # the last call of an open span is promised no later than this before its end
MOST_SPANS = 60


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a time cannot be promised. `earlier`, `later`: the nearest times that can be, epoch seconds; None = there is none."""

    text: str
    earlier: float | None = None
    later: float | None = None


def objection(campaign: Campaign, zones: tuple[str, ...], at: float, now: float) -> Objection | None:
    """None: a number of these zones may be called at `at`, by this campaign, as far as its dates, hours and profile say (epoch seconds)."""
    window = campaign.window
    if at <= now:
        return Objection("it is over", later=_first_from(campaign, zones, now))
    if window.end is not None and at >= window.end:
        return Objection("the campaign has ended by then", earlier=_last_before(campaign, zones, window.end, now))
    if window.start is not None and at < window.start:
        return Objection("the campaign has not begun by then", later=_first_from(campaign, zones, window.start))
    if at - now > FARTHEST_S:
        return Objection("it is more than a year ahead")
    verdict = dial_verdict(campaign, zones, at)
    if verdict.open:
        return None
    return Objection(verdict.why or "outside working hours", _last_before(campaign, zones, at, now), _first_from(campaign, zones, at))


def _first_from(campaign: Campaign, zones: tuple[str, ...], at: float) -> float | None:
    """The first moment from `at` on; None where the campaign has ended before, or none can be seen."""
    found = next_open(campaign, zones, max(at, campaign.window.start or at))
    return None if found is None or (campaign.window.end is not None and found >= campaign.window.end) else found


def _last_before(campaign: Campaign, zones: tuple[str, ...], at: float, now: float) -> float | None:
    """A moment shortly before the last closing ahead of `at`; None where nothing is open between now and then."""
    moment, last = max(now, at - LOOK_BACK_S, campaign.window.start or now), None
    for _ in range(MOST_SPANS):
        if moment >= at:
            break
        verdict = dial_verdict(campaign, zones, moment)
        closes = at if verdict.until is None else min(verdict.until, at)
        if verdict.open:
            last = max(moment, closes - BEFORE_CLOSING_S)
        if verdict.until is None:
            break
        moment = verdict.until
    return last
