"""Which number a customer sees and which trunk carries the call; and which of them rest because they fail (S8, S53–S57, X7, D3).

A breaker stands before every way: a caller id over a gateway. Only failures that are not the callee's count (outcomes `ours` and `network`). Closed: it is
used. Open: it rests, and leads that could go no other way wait behind all others. Half-open: one call tries it; that call decides.

A gateway, or a caller id, is at fault itself when its ways with two different partners rest at once; then its other ways rest too. One that has failed with
a single partner may be innocent: a dead trunk must not take a good number with it, nor a bad number the trunk of all.

Where several switches are declared a way is of one switch, too: a trunk that one of them can not reach may be fine by the other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from random import Random

from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import AttemptId, GatewayId, Lead, Outcome, SwitchId

LAST_CALLS = 10  # a breaker looks at so many
BAD_CALLS = 8  # of them, failed, open it
BAD_IN_ROW = 5  # so many in a row do so sooner
REST_FIRST_S = 60.0
REST_MOST_S = 900.0
PARTNERS = 2  # with so many different ones a trunk or a number must have failed, to be at fault itself
GIVE_UP_AFTER = 6  # trials failed in a row: whoever has no other way pauses itself (D15)
TRIAL_LOST_S = 300.0  # a trial call whose end was never told is forgotten after this

FAULTS = frozenset({Outcome.OURS, Outcome.NETWORK})
NO_VERDICT = frozenset({Outcome.CANCELLED, Outcome.UNKNOWN})
ONLY = (SwitchId(""),)


class Health(Enum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Way:
    """A caller id and the trunk that carries it; and by which switch, "" where there is only one."""

    caller_id: str
    gateway: GatewayId
    switch: SwitchId = SwitchId("")


@dataclass(slots=True)
class Breaker:
    """One way's recent past. `until`: rests until then; `trial`: the call that tries it; `fault`: how its last failure was called."""

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

    def on_trial(self, now: float) -> bool:
        return self.trial is not None and now - self.trial_at < TRIAL_LOST_S

    def usable(self, now: float) -> bool:
        """Half-open it takes one call at a time."""
        health = self.health(now)
        return health is Health.CLOSED or (health is Health.HALF_OPEN and not self.on_trial(now))

    def usable_at(self, now: float) -> float:
        """When it may be used next; for a trial that is up, when its end must be known."""
        if self.usable(now):
            return now
        return self.until if now < self.until else self.trial_at + TRIAL_LOST_S

    @property
    def hopeless(self) -> bool:
        """Tried again and again, and nobody tries it now."""
        return self.trials_failed >= GIVE_UP_AFTER and self.trial is None

    def dialled(self, call: AttemptId, now: float) -> None:
        if self.health(now) is Health.HALF_OPEN:
            self.trial, self.trial_at = call, now

    def worked(self, call: AttemptId, dialled_at: float) -> bool:
        """The far end was reached. True when that closes it: a call from before it opened proves nothing."""
        if self.trial == call:
            self.trial = None
        if self.opened_at is None or dialled_at < self.opened_at:
            return False
        self.calls.clear()
        self.opened_at, self.until, self.trials_failed = None, 0.0, 0
        return True

    def ended(self, call: AttemptId, outcome: Outcome, fault: str, dialled_at: float, now: float) -> str:
        """Learn from one call's end. Returns "opened", "closed" or "" for what changed by it."""
        trial = self.trial == call
        if trial:
            self.trial = None
        if outcome in NO_VERDICT:
            return ""
        if outcome not in FAULTS:
            if self.opened_at is None:
                self.calls.append(False)
                return ""
            return "closed" if self.worked(call, dialled_at) else ""
        self.fault = fault
        if self.opened_at is not None:
            if trial:
                self.trials_failed += 1
                self.until = now + min(REST_FIRST_S * 2.0**self.trials_failed, REST_MOST_S)
            return ""
        self.calls.append(True)
        if self.bad() >= BAD_CALLS or self._in_row() >= BAD_IN_ROW:
            self.opened_at, self.until, self.trials_failed = now, now + REST_FIRST_S, 0
            return "opened"
        return ""

    def forgive(self, now: float) -> None:
        """Somebody wants it tried at once."""
        self.trials_failed, self.until = 0, min(self.until, now)

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
    """All of one engine's: one for each way that was used."""

    of: dict[Way, Breaker] = field(default_factory=dict)

    def way(self, way: Way) -> Breaker:
        return self.of.setdefault(way, Breaker())

    @property
    def troubled(self) -> bool:
        """Whether any of them rests or is being tried."""
        return any(each.opened_at is not None for each in self.of.values())

    def blocking(self, way: Way, now: float) -> list[Breaker]:
        """What keeps this way from being used now, [] = nothing: its own breaker, or those that show its trunk or its number to be at fault."""
        own = self.of.get(way)
        if own is not None and own.opened_at is not None:
            return [] if own.usable(now) else [own]
        resting = [(other, each) for other, each in self.of.items() if each.opened_at is not None]
        if len(resting) < PARTNERS:
            return []
        by_trunk = {other.caller_id: each for other, each in resting if (other.gateway, other.switch) == (way.gateway, way.switch)}
        by_number = {other.gateway: each for other, each in resting if other.caller_id == way.caller_id}
        return next((list(found.values()) for found in (by_trunk, by_number) if len(found) >= PARTNERS), [])

    def usable(self, way: Way, now: float) -> bool:
        return not self.blocking(way, now)

    def dialled(self, call: AttemptId, way: Way, now: float) -> None:
        self.way(way).dialled(call, now)

    def forgive(self, allowed: Sequence[Way], now: float) -> None:
        for way in allowed:
            if way in self.of:
                self.of[way].forgive(now)


@dataclass(frozen=True, slots=True)
class Resting:
    """No healthy way. `until`: when one may be tried; `hopeless`: every one has failed its trials again and again."""

    until: float
    reason: str
    hopeless: bool = False


def ways(campaign: Campaign, gateways: Sequence[GatewayId], carriers: Callable[[GatewayId], Sequence[SwitchId]] = lambda _: ONLY) -> list[Way]:
    """Every allowed pair in the campaign's order of preference: caller ids in theirs, each over its first trunk first. `carriers`: the switches that have a
    trunk, where several are declared."""
    own = {route.number: route.gateways for route in campaign.caller_id.routes}
    found = []
    for number in campaign.caller_id.numbers:
        allowed = own.get(number, ())
        found += [Way(number, gateway, switch) for gateway in gateways if not allowed or gateway in allowed for switch in carriers(gateway)]
    return found


def sticky_to(campaign: Campaign, lead: Lead, allowed: Sequence[Way]) -> str:
    """The caller id that this lead must see again, "" = any: also where no trunk may carry the one it knows any more."""
    if not campaign.caller_id.sticky or not lead.caller_id:
        return ""
    return lead.caller_id if any(way.caller_id == lead.caller_id for way in allowed) else ""


def healthy(allowed: Sequence[Way], sticky: str, breakers: Breakers, now: float) -> Sequence[Way] | Resting:
    """Those of the allowed ways that may be used now. `sticky`: only by this caller id, "" = by any."""
    if sticky:
        allowed = [way for way in allowed if way.caller_id == sticky]
    if not allowed:
        return Resting(now + REST_MOST_S, "no gateway may carry this campaign's caller id")
    if not breakers.troubled:
        return allowed
    blocked = {way: breakers.blocking(way, now) for way in allowed}
    fine = [way for way, by in blocked.items() if not by]
    if fine:
        return fine
    until = min(min(each.usable_at(now) for each in by) for by in blocked.values())
    way, breaker = min(((way, each) for way, by in blocked.items() for each in by), key=lambda item: item[1].usable_at(now))
    hopeless = all(all(each.hopeless for each in by) for by in blocked.values())
    return Resting(max(until, now + 1.0), f"{way.caller_id} over {way.gateway}: {breaker.said(now)}", hopeless)


def choose(campaign: Campaign, candidates: Sequence[Way], rng: Random) -> Way:
    """By chance among the caller ids or the first of them; then that one's first trunk (S8, S53–S56)."""
    if campaign.caller_id.order == "fixed":
        return candidates[0]
    numbers = list(dict.fromkeys(way.caller_id for way in candidates))
    number = numbers[0] if len(numbers) == 1 else rng.choice(numbers)
    return next(way for way in candidates if way.caller_id == number)
