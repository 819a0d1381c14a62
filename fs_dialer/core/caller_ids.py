"""Which number a customer sees and which trunk carries the call; and which of them rest because they fail (S8, S53–S57, X7, D3).

A breaker stands before every caller id and every gateway. Only failures that are not the callee's count (outcomes `ours` and `network`). Closed: it is
used. Open: it rests, and leads that could go no other way wait behind all others. Half-open: one call tries it; that call's end decides.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from random import Random

from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import AttemptId, GatewayId, Lead, Outcome

LAST_CALLS = 10  # a breaker looks at so many
BAD_CALLS = 8  # of them, failed, open it
BAD_IN_ROW = 5  # so many in a row do so sooner
REST_FIRST_S = 60.0
REST_MOST_S = 900.0
GIVE_UP_AFTER = 6  # trials failed in a row: whoever has no other way pauses itself (D15)
TRIAL_LOST_S = 300.0  # a trial call whose end was never told is forgotten after this

FAULTS = frozenset({Outcome.OURS, Outcome.NETWORK})
NO_VERDICT = frozenset({Outcome.CANCELLED, Outcome.UNKNOWN})


class Health(Enum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(slots=True)
class Breaker:
    """One caller id's or gateway's recent past. `until`: rests until then; `trial`: the call that tries it; `fault`: how its last failure was called."""

    calls: deque[bool] = field(default_factory=lambda: deque(maxlen=LAST_CALLS))
    opened_at: float | None = None
    until: float = 0.0
    trials_failed: int = 0
    trial: AttemptId | None = None
    trial_at: float = 0.0
    fault: str = ""

    def health(self, now: float) -> Health:
        if self.opened_at is None:
            return Health.CLOSED
        return Health.OPEN if now < self.until else Health.HALF_OPEN

    def usable(self, now: float) -> bool:
        """Half-open it takes one call at a time."""
        health = self.health(now)
        if health is Health.HALF_OPEN:
            return self.trial is None or now - self.trial_at >= TRIAL_LOST_S
        return health is Health.CLOSED

    def usable_at(self, now: float) -> float:
        """When it may be used next; for a trial that is up, when its end must be known."""
        if self.usable(now):
            return now
        return self.until if now < self.until else self.trial_at + TRIAL_LOST_S

    def dialled(self, call: AttemptId, now: float) -> None:
        if self.health(now) is Health.HALF_OPEN:
            self.trial, self.trial_at = call, now

    def ended(self, call: AttemptId, outcome: Outcome, fault: str, now: float) -> str:
        """Learn from one call's end. Returns "opened", "closed" or "" for what changed by it."""
        trial = self.trial == call
        if trial:
            self.trial = None
        if outcome in NO_VERDICT:
            return ""
        failed = outcome in FAULTS
        if failed:
            self.fault = fault
        if self.opened_at is not None:
            if not failed:
                self.calls.clear()
                self.opened_at, self.until, self.trials_failed = None, 0.0, 0
                return "closed"
            if trial:
                self.trials_failed += 1
                self.until = now + min(REST_FIRST_S * 2.0**self.trials_failed, REST_MOST_S)
            return ""
        self.calls.append(failed)
        if self.bad() >= BAD_CALLS or self._in_row() >= BAD_IN_ROW:
            self.opened_at, self.until, self.trials_failed = now, now + REST_FIRST_S, 0
            return "opened"
        return ""

    def bad(self) -> int:
        return sum(self.calls)

    def _in_row(self) -> int:
        row = 0
        for failed in reversed(self.calls):
            if not failed:
                break
            row += 1
        return row

    def said(self, now: float) -> str:
        """For people: `8 of the last 10 calls failed (NORMAL_TEMPORARY_FAILURE)`."""
        health = self.health(now)
        if health is Health.CLOSED:
            return f"{self.bad()} of the last {len(self.calls)} calls failed" if self.calls else "no calls yet"
        fault = f" ({self.fault})" if self.fault else ""
        trials = f", {self.trials_failed} trials failed since" if self.trials_failed else ""
        return f"{self.bad()} of the last {len(self.calls)} calls failed{fault}{trials}; {'rests' if health is Health.OPEN else 'one call tries it'}"


@dataclass(slots=True)
class Breakers:
    """All of one engine's, made when first needed."""

    caller_ids: dict[str, Breaker] = field(default_factory=dict)
    gateways: dict[GatewayId, Breaker] = field(default_factory=dict)

    def caller_id(self, number: str) -> Breaker:
        return self.caller_ids.setdefault(number, Breaker())

    def gateway(self, gateway: GatewayId) -> Breaker:
        return self.gateways.setdefault(gateway, Breaker())

    def usable(self, number: str, gateway: GatewayId, now: float) -> bool:
        """Whether a call may go this way. What was never used is healthy."""
        shown, carried = self.caller_ids.get(number), self.gateways.get(gateway)
        return (shown is None or shown.usable(now)) and (carried is None or carried.usable(now))

    @property
    def troubled(self) -> bool:
        """Whether any of them rests or is being tried."""
        return any(each.opened_at is not None for each in (*self.caller_ids.values(), *self.gateways.values()))

    def dialled(self, call: AttemptId, number: str, gateway: GatewayId, now: float) -> None:
        self.caller_id(number).dialled(call, now)
        self.gateway(gateway).dialled(call, now)


@dataclass(frozen=True, slots=True)
class Way:
    """A caller id and the trunk that carries it."""

    caller_id: str
    gateway: GatewayId


@dataclass(frozen=True, slots=True)
class Resting:
    """No healthy way. `until`: when one may be tried; `hopeless`: every one has failed its trials again and again."""

    until: float
    reason: str
    hopeless: bool = False


def ways(campaign: Campaign, gateways: Sequence[GatewayId]) -> list[Way]:
    """Every allowed pair in the campaign's order of preference: caller ids in theirs, each over its first trunk first."""
    own = {route.number: route.gateways for route in campaign.caller_id.routes}
    found = []
    for number in campaign.caller_id.numbers:
        allowed = own.get(number, ())
        found += [Way(number, gateway) for gateway in gateways if not allowed or gateway in allowed]
    return found


def sticky_to(campaign: Campaign, lead: Lead) -> str:
    """The caller id that this lead must see again, "" = any."""
    return lead.caller_id if campaign.caller_id.sticky and lead.caller_id in campaign.caller_id.numbers else ""


def healthy(allowed: Sequence[Way], sticky: str, breakers: Breakers, now: float) -> list[Way] | Resting:
    """Those of the allowed ways that may be used now. `sticky`: only by this caller id, "" = by any."""
    if sticky:
        allowed = [way for way in allowed if way.caller_id == sticky]
    if not allowed:
        return Resting(now + REST_MOST_S, "no gateway may carry this campaign's caller id")
    fine = [way for way in allowed if breakers.usable(way.caller_id, way.gateway, now)]
    if fine:
        return fine
    blocking = [_blocking(way, breakers, now) for way in allowed]
    until = min(max(breaker.usable_at(now) for breaker, _ in way) for way in blocking)
    breaker, name = min((each for way in blocking for each in way), key=lambda item: item[0].usable_at(now))
    hopeless = all(any(each.trials_failed >= GIVE_UP_AFTER for each, _ in way) for way in blocking)
    return Resting(max(until, now + 1.0), f"{name}: {breaker.said(now)}", hopeless)


def choose(campaign: Campaign, candidates: Sequence[Way], rng: Random) -> Way:
    """By chance among the caller ids or the first of them; then that one's first trunk (S8, S53–S56)."""
    if campaign.caller_id.order == "fixed":
        return candidates[0]
    numbers = list(dict.fromkeys(way.caller_id for way in candidates))
    number = numbers[0] if len(numbers) == 1 else rng.choice(numbers)
    return next(way for way in candidates if way.caller_id == number)


def _blocking(way: Way, breakers: Breakers, now: float) -> list[tuple[Breaker, str]]:
    pairs = ((breakers.caller_ids.get(way.caller_id), f"caller id {way.caller_id}"), (breakers.gateways.get(way.gateway), f"gateway {way.gateway}"))
    return [(breaker, name) for breaker, name in pairs if breaker is not None and not breaker.usable(now)]
