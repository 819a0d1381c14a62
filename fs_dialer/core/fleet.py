"""The switches of an installation: which are linked, drained or given up, and whose turn it is among them.

Pure values. Knows nothing of calls and agents: which switch a call may use stands in switches.py, what becomes of calls on a lost one in switch_loss.py.
Where none is declared there is one, and it answers to any name: nothing is different then from an installation that has never heard of several.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fs_dialer.core.definition import Installation, SwitchDefinition
from fs_dialer.core.model import GatewayId, SwitchId

NO_SWITCH = SwitchId("")  # not chosen yet, or there is only one
AWAY_S = 30.0  # so long calls wait for a lost link where other switches dial on; the time after which the fallback has let its customers go


@dataclass(slots=True)
class SwitchState:
    """`declared` None: it stands in no definition (any more); its calls end, and it gets no new ones. up: linked; reconciled: what we know of its legs is what
    it knows. known: it was reconciled since we began, or we have stopped waiting for it. given_up: its calls were closed though it has said nothing."""

    id: SwitchId
    declared: SwitchDefinition | None = None
    up: bool = False
    reconciled: bool = False
    known: bool = False
    given_up: bool = False
    drained_since: float | None = None

    @property
    def linked(self) -> bool:
        return self.up and self.reconciled

    def has(self, gateway: GatewayId) -> bool:
        return self.declared is None or not self.declared.gateways or gateway in self.declared.gateways


@dataclass(slots=True)
class Fleet:
    """`sole`: the only switch, where none is declared; then `of` holds it alone."""

    of: dict[SwitchId, SwitchState] = field(default_factory=dict)
    sole: SwitchState | None = None
    credits: dict[tuple[str, SwitchId], float] = field(default_factory=dict)  # what each is behind its share, by what is shared out

    def configure(self, installation: Installation) -> None:
        """New definitions. What is known of a switch stays."""
        if not installation.switches:
            self.sole = self.of.get(installation.switch) or next(iter(self.of.values()), None) or SwitchState(installation.switch)
            self.sole.id, self.sole.declared = installation.switch, None
            self.of = {self.sole.id: self.sole}
            return
        self.sole = None
        for state in self.of.values():
            state.declared = None
        for definition in installation.switches:
            self.of.setdefault(definition.id, SwitchState(definition.id)).declared = definition

    def get(self, switch: SwitchId) -> SwitchState:
        """One that stands in no definition is known by name only."""
        if self.sole is not None:
            return self.sole
        found = self.of.get(switch)
        if found is None:
            found = self.of[switch] = SwitchState(switch)
        return found

    def usable(self, switch: SwitchId) -> bool:
        """It may get new calls, as far as its own state goes."""
        state = self.get(switch)
        return state.linked and state.drained_since is None and (state is self.sole or state.declared is not None)

    @property
    def up(self) -> bool:
        return any(state.up for state in self.of.values())

    @property
    def reconciled(self) -> bool:
        """Every one that is linked has told everything."""
        return all(state.reconciled for state in self.of.values() if state.up)

    @property
    def linked(self) -> bool:
        """One of them at least, and no other is still waited for since we began: who talks there may not be called here."""
        if self.sole is not None:
            return self.sole.up and self.sole.reconciled
        return any(s.linked for s in self.of.values()) and all(s.known for s in self.of.values() if s.declared is not None)

    def in_turn(self, what: str, shares: Mapping[SwitchId, float]) -> SwitchId | None:
        """Whose turn it is, so that each gets its share over time as evenly as can be (smooth weighted round robin); None where nobody has one."""
        total = sum(shares.values())
        if total <= 0:
            return None
        for switch, share in shares.items():
            self.credits[what, switch] = min(self.credits.get((what, switch), 0.0) + share / total, 2.0)
        chosen = max((s for s in shares if shares[s] > 0), key=lambda s: (self.credits[what, s], s))
        self.credits[what, chosen] -= 1.0
        return chosen
