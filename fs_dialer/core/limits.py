"""How many more calls the lines and the calls per second allow (D2, S41, S58–S60).

Every leg of the switches counts, ours or not: the ledger is fed by all CHANNEL_CREATE and CHANNEL_DESTROY and recounted after a reconnect. A leg that we
have asked for counts from that moment, so that a burst cannot run past a limit before its events arrive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from fs_dialer.core.definition import GatewayDefinition, Installation
from fs_dialer.core.model import AttemptId, GatewayId, LegId

ROUNDING_S = 0.0005
BURST_S = 0.25  # how much of a second's originates may go out at once


@dataclass(slots=True)
class TokenBucket:
    """Originates per second. Starts full; `now` may stand still but does not run backwards."""

    rate: float
    level: float = 0.0
    at: float = 0.0
    full: float = 0.0

    def __post_init__(self) -> None:
        self.full = max(1.0, self.rate * BURST_S)
        self.level = self.full

    def available(self, now: float) -> int:
        if now > self.at:
            self.level = min(self.full, self.level + (now - self.at) * self.rate)
            self.at = now
        return int(self.level + 1e-9)

    def take(self) -> None:
        self.level -= 1.0

    def next_at(self, now: float) -> float:
        """When the next token is there; a little later, because the sum of two times is rounded."""
        return now if self.available(now) >= 1 else now + (1.0 - self.level) / self.rate + ROUNDING_S


@dataclass(slots=True)
class Ledger:
    """Legs by gateway, and the buckets of the installation and of each gateway."""

    installation: Installation
    legs: dict[LegId, GatewayId | None] = field(default_factory=dict)
    by_gateway: dict[GatewayId, int] = field(default_factory=dict)
    bucket: TokenBucket = field(init=False)
    gateways: dict[GatewayId, GatewayDefinition] = field(init=False)
    gateway_buckets: dict[GatewayId, TokenBucket] = field(default_factory=dict)
    promises: dict[AttemptId, int] = field(default_factory=dict)  # lines that calls already placed will still need
    promised: int = 0

    def __post_init__(self) -> None:
        self.bucket = TokenBucket(self.installation.cps)
        self.configure(self.installation)

    def configure(self, installation: Installation) -> None:
        """New limits. A rate that stays keeps its bucket: reading a file again must not refill it."""
        self.installation = installation
        if self.bucket.rate != installation.cps:
            self.bucket = TokenBucket(installation.cps)
        self.gateways = {g.id: g for g in installation.gateways}
        kept = self.gateway_buckets
        rates = {g.id: g.cps for g in installation.gateways if g.cps is not None}
        self.gateway_buckets = {g: kept[g] if g in kept and kept[g].rate == cps else TokenBucket(cps) for g, cps in rates.items()}

    def add(self, leg: LegId, gateway: GatewayId | None) -> None:
        """A leg exists, or was asked for. Doubled news change nothing; the gateway named first stays."""
        if self.legs.get(leg) is not None or (gateway is None and leg in self.legs):
            return
        self.legs[leg] = gateway
        if gateway is not None:
            self.by_gateway[gateway] = self.by_gateway.get(gateway, 0) + 1

    def remove(self, leg: LegId) -> None:
        if leg not in self.legs:
            return
        gateway = self.legs.pop(leg)
        if gateway is not None:
            self.by_gateway[gateway] -= 1

    def recount(self, legs: Iterable[tuple[LegId, GatewayId | None]], keep: Iterable[LegId]) -> None:
        """What the switch has now; `keep` are legs of ours whose fate is still being asked."""
        known = dict(self.legs)
        kept = {leg: known[leg] for leg in keep if leg in known}
        self.legs, self.by_gateway = {}, {}
        for leg, gateway in [*kept.items(), *legs]:
            self.add(leg, gateway)

    def originated(self, leg: LegId, gateway: GatewayId | None) -> None:
        """We ask for a leg now: it takes a line and a token of the rate."""
        self.add(leg, gateway)
        self.bucket.take()
        if gateway is not None and gateway in self.gateway_buckets:
            self.gateway_buckets[gateway].take()

    def promise(self, call: AttemptId, lines: int) -> None:
        """Keep lines free for the legs that this call will need, so that an answered customer's agent can be rung."""
        self.promises[call] = lines
        self.promised += lines

    def redeem(self, call: AttemptId) -> None:
        """One of the call's legs is asked for now."""
        if self.promises.get(call):
            self.promises[call] -= 1
            self.promised -= 1

    def forget(self, call: AttemptId) -> None:
        self.promised -= self.promises.pop(call, 0)

    def lines_left(self) -> int:
        """Lines neither taken nor promised; below 0 where others took what was promised."""
        return self.installation.lines - len(self.legs) - self.promised

    def room(self, now: float) -> int:
        """More legs allowed now in all."""
        return max(0, min(self.lines_left(), self.bucket.available(now)))

    def gateway_room(self, gateway: GatewayId, now: float) -> int:
        definition = self.gateways.get(gateway)
        if definition is None:
            return 0
        room = 1_000_000_000 if definition.lines is None else definition.lines - self.by_gateway.get(gateway, 0)
        bucket = self.gateway_buckets.get(gateway)
        return max(0, room if bucket is None else min(room, bucket.available(now)))

    def next_token_at(self, now: float) -> float | None:
        """When a rate that has no token now has its next; None = no rate holds us."""
        waits = [self.bucket.next_at(now)]
        waits += [bucket.next_at(now) for bucket in self.gateway_buckets.values()]
        later = [at for at in waits if at > now]
        return min(later, default=None)
