"""How many more calls the lines and the calls per second allow (D2, S41, S58–S60).

Every leg of the switches counts, ours or not: the ledger is fed by all CHANNEL_CREATE and CHANNEL_DESTROY and recounted after a reconnect. A leg that we
have asked for counts from that moment, so that a burst cannot run past a limit before its events arrive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from fs_dialer.core.definition import GatewayDefinition, Installation
from fs_dialer.core.model import GatewayId, LegId

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
        """When the next token is there."""
        return now if self.available(now) >= 1 else now + (1.0 - self.level) / self.rate


@dataclass(slots=True)
class Ledger:
    """Legs by gateway, and the buckets of the installation and of each gateway."""

    installation: Installation
    legs: dict[LegId, GatewayId | None] = field(default_factory=dict)
    by_gateway: dict[GatewayId, int] = field(default_factory=dict)
    bucket: TokenBucket = field(init=False)
    gateways: dict[GatewayId, GatewayDefinition] = field(init=False)
    gateway_buckets: dict[GatewayId, TokenBucket] = field(init=False)

    def __post_init__(self) -> None:
        self.configure(self.installation)

    def configure(self, installation: Installation) -> None:
        self.installation = installation
        self.bucket = TokenBucket(installation.cps)
        self.gateways = {g.id: g for g in installation.gateways}
        self.gateway_buckets = {g.id: TokenBucket(g.cps) for g in installation.gateways if g.cps is not None}

    def add(self, leg: LegId, gateway: GatewayId | None) -> None:
        """A leg exists, or was asked for. Doubled news change nothing; the gateway named first stays."""
        if leg in self.legs:
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

    def room(self, now: float) -> int:
        """More legs allowed now in all."""
        return max(0, min(self.installation.lines - len(self.legs), self.bucket.available(now)))

    def gateway_room(self, gateway: GatewayId, now: float) -> int:
        definition = self.gateways.get(gateway)
        if definition is None:
            return 0
        room = 1_000_000_000 if definition.lines is None else definition.lines - self.by_gateway.get(gateway, 0)
        bucket = self.gateway_buckets.get(gateway)
        return max(0, room if bucket is None else min(room, bucket.available(now)))

    def next_token_at(self, now: float) -> float | None:
        """When the rate alone would allow another originate, if it is what holds us now."""
        if self.installation.lines - len(self.legs) <= 0:
            return None
        waits = [self.bucket.next_at(now)]
        waits += [bucket.next_at(now) for bucket in self.gateway_buckets.values()]
        later = [at for at in waits if at > now]
        return min(later, default=None)
