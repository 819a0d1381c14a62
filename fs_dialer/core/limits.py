"""How many more calls the lines and the calls per second allow (D2, S41, S58–S60).

Every leg of the switches counts, ours or not: the ledger is fed by all CHANNEL_CREATE and CHANNEL_DESTROY and recounted after a reconnect. A leg that we
have asked for counts from that moment, so that a burst cannot run past a limit before its events arrive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from fs_dialer.core.definition import GatewayDefinition, Installation
from fs_dialer.core.model import AttemptId, GatewayId, LegId, SwitchId

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
    """Legs by gateway and by switch, and the buckets of the installation, of each gateway and of each switch that has a rate of its own.

    A switch without limits of its own has those of the installation, which hold for all of them together.
    """

    installation: Installation
    legs: dict[LegId, GatewayId | None] = field(default_factory=dict)
    by_gateway: dict[GatewayId, int] = field(default_factory=dict)
    bucket: TokenBucket = field(init=False)
    gateways: dict[GatewayId, GatewayDefinition] = field(init=False)
    gateway_buckets: dict[GatewayId, TokenBucket] = field(default_factory=dict)
    promises: dict[AttemptId, int] = field(default_factory=dict)  # lines that calls already placed will still need
    promised: int = 0
    switch_of: dict[LegId, SwitchId] = field(default_factory=dict)
    by_switch: dict[SwitchId, int] = field(default_factory=dict)
    switch_lines: dict[SwitchId, int] = field(default_factory=dict)
    switch_buckets: dict[SwitchId, TokenBucket] = field(default_factory=dict)
    promised_at: dict[AttemptId, SwitchId] = field(default_factory=dict)  # by which switch those legs will be made, where several are declared
    promised_by: dict[SwitchId, int] = field(default_factory=dict)

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
        before = self.switch_buckets
        switch_rates = {s.id: s.cps for s in installation.switches if s.cps is not None}
        self.switch_buckets = {s: before[s] if s in before and before[s].rate == cps else TokenBucket(cps) for s, cps in switch_rates.items()}
        self.switch_lines = {s.id: installation.lines if s.lines is None else s.lines for s in installation.switches}

    def add(self, leg: LegId, gateway: GatewayId | None, switch: SwitchId | None = None) -> None:
        """A leg exists, or was asked for. Doubled news change nothing; the gateway and the switch named first stay."""
        if switch is not None and leg not in self.switch_of:
            self.switch_of[leg] = switch
            self.by_switch[switch] = self.by_switch.get(switch, 0) + 1
        if self.legs.get(leg) is not None or (gateway is None and leg in self.legs):
            return
        self.legs[leg] = gateway
        if gateway is not None:
            self.by_gateway[gateway] = self.by_gateway.get(gateway, 0) + 1

    def remove(self, leg: LegId) -> None:
        if leg not in self.legs:
            return
        switch = self.switch_of.pop(leg, None)
        if switch is not None:
            self.by_switch[switch] -= 1
        gateway = self.legs.pop(leg)
        if gateway is not None:
            self.by_gateway[gateway] -= 1

    def recount(self, legs: Iterable[tuple[LegId, GatewayId | None]], keep: Iterable[LegId], switch: SwitchId | None = None) -> None:
        """What the switch has now; `keep` are legs of ours whose fate is still being asked. `switch` None: there is no other."""
        wanted, there = set(keep), dict(legs)
        for leg in [leg for leg in self.legs if switch is None or self.switch_of.get(leg) == switch]:
            if leg not in wanted:
                self.remove(leg)
        for leg, gateway in there.items():
            self.add(leg, gateway, switch)

    def originated(self, leg: LegId, gateway: GatewayId | None, switch: SwitchId | None = None) -> None:
        """We ask for a leg now: it takes a line and a token of the rate."""
        self.add(leg, gateway, switch)
        self.bucket.take()
        if switch is not None and switch in self.switch_buckets:
            self.switch_buckets[switch].take()
        if gateway is not None and gateway in self.gateway_buckets:
            self.gateway_buckets[gateway].take()

    def promise(self, call: AttemptId, lines: int, switch: SwitchId | None = None) -> None:
        """Keep lines free for the legs that this call will need, so that an answered customer's agent can be rung."""
        self.promises[call] = lines
        self.promised += lines
        if switch is not None:
            self.promised_at[call] = switch
            self.promised_by[switch] = self.promised_by.get(switch, 0) + lines

    def promise_elsewhere(self, call: AttemptId, switch: SwitchId) -> None:
        """What is promised to this call will be needed by another switch."""
        lines = self.promises.get(call, 0)
        self.forget(call)
        self.promise(call, lines, switch)

    def redeem(self, call: AttemptId) -> None:
        """One of the call's legs is asked for now."""
        if self.promises.get(call):
            self.promises[call] -= 1
            self.promised -= 1
            if self.promised_at:
                self._promised_less(call, 1)

    def forget(self, call: AttemptId) -> None:
        lines = self.promises.pop(call, 0)
        self.promised -= lines
        if self.promised_at:
            self._promised_less(call, lines)
            self.promised_at.pop(call, None)

    def _promised_less(self, call: AttemptId, lines: int) -> None:
        switch = self.promised_at.get(call)
        if switch is not None:
            self.promised_by[switch] -= lines

    def lines_left(self) -> int:
        """Lines neither taken nor promised; below 0 where others took what was promised."""
        return self.installation.lines - len(self.legs) - self.promised

    def room(self, now: float) -> int:
        """More legs allowed now in all."""
        return max(0, min(self.lines_left(), self.bucket.available(now)))

    def lines_left_at(self, switch: SwitchId) -> int:
        """Lines of one switch neither taken nor promised, as far as its own limit goes."""
        lines = self.switch_lines.get(switch, self.installation.lines)
        return lines - self.by_switch.get(switch, 0) - self.promised_by.get(switch, 0)

    def rate_at(self, switch: SwitchId, now: float) -> int:
        """Originates allowed now by one switch's own rate."""
        bucket = self.switch_buckets.get(switch)
        return 1_000_000_000 if bucket is None else bucket.available(now)

    def room_at(self, switch: SwitchId, now: float) -> int:
        """More legs allowed now by one switch's own limits."""
        return max(0, min(self.lines_left_at(switch), self.rate_at(switch, now)))

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
        waits += [bucket.next_at(now) for bucket in (*self.gateway_buckets.values(), *self.switch_buckets.values())]
        later = [at for at in waits if at > now]
        return min(later, default=None)
