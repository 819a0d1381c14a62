"""Which switch an action goes to: the one that it names, or the one that its leg is on.

Every leg is known here before anything can be asked of it: we have originated it, and said where; or a switch has told of it. A leg that is over is
remembered for a while, for questions that come late. What names no leg that we know goes nowhere, but for a hang-up: that goes to all, for it can only
end what must not be.

Knows no greenlets and no sockets; one board for the live daemon and for virtual time. With one switch it only hands on.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Generic, TypeVar

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.agent_events import KeptFound
from fs_dialer.core.model import LegId, SwitchId
from fs_dialer.runtime.ports import Switch

log = logging.getLogger("fs_dialer.switch")

REMEMBERED_S = 600.0  # a leg that is over

P = TypeVar("P", bound=Switch)
Rule = Callable[[Switch, Any], None]


class Switchboard(Generic[P]):
    """`ports`: by the names that the installation gives the switches. `refuse`: told of an originate for a switch that nobody has connected."""

    def __init__(self, ports: Mapping[SwitchId, P], refuse: Callable[[ev.Event], None]) -> None:
        self.ports = dict(ports)
        self._only = next(iter(self.ports.values())) if len(self.ports) == 1 else None
        self._refuse = refuse
        self._at: dict[LegId, SwitchId] = {}
        self._over: deque[tuple[float, LegId]] = deque()

    def heard(self, event: ev.Event, switch: SwitchId, now: float) -> None:
        """A switch told this. `now`: any clock that goes forward."""
        if self._only is not None:
            return
        if isinstance(event, ev.LegFound):
            self._at[event.facts.leg] = switch
        elif isinstance(event, ev.AttemptFound):
            self._at[event.open.attempt.leg] = switch
        elif isinstance(event, ev.LegEvent):
            self._at.setdefault(event.leg, switch)
            if isinstance(event, ev.OriginateSucceeded):
                self._at.setdefault(event.given, switch)
            elif isinstance(event, ev.LegDestroyed | ev.LegGone | ev.OriginateFailed | KeptFound):
                self._over.append((now, event.leg))
        while self._over and self._over[0][0] < now - REMEMBERED_S:
            self._at.pop(self._over.popleft()[1], None)

    def expects(self, action: act.OriginateLead) -> None:
        """It will be originated when its attempt is committed; until then it may be hung up already."""
        self._at[action.leg] = action.switch

    def port_of(self, leg: LegId) -> P | None:
        return self._only or self.ports.get(self._at.get(leg, SwitchId("")))

    def send(self, rule: Rule, action: act.Action) -> None:
        """Perform it where it belongs."""
        if self._only is not None:
            rule(self._only, action)
        elif isinstance(action, act.RenewFallback | act.DropFallback):
            self._to_each(rule, action)
        elif (named := getattr(action, "switch", None)) is not None:
            self._to_named(rule, action, named)
        elif isinstance(action, act.LegAction):
            self._to_leg(rule, action)

    def _to_named(self, rule: Rule, action: act.Action, switch: SwitchId) -> None:
        port = self.ports.get(switch)
        if isinstance(action, act.LegAction):
            self._at[action.leg] = switch
        if port is not None:
            rule(port, action)
        elif isinstance(action, act.LegAction):
            self._refuse(ev.OriginateFailed(action.leg, "SWITCH_LOST", sent=False))

    def _to_leg(self, rule: Rule, action: act.LegAction) -> None:
        port = self.port_of(action.leg)
        if port is not None:
            rule(port, action)
        elif isinstance(action, act.Hangup):
            for each in self.ports.values():
                rule(each, action)
        else:
            log.error("%s for a leg that no switch has told of: leg=%s", type(action).__name__, action.leg)

    def _to_each(self, rule: Rule, action: act.RenewFallback | act.DropFallback) -> None:
        for switch, port in self.ports.items():
            legs = tuple(leg for leg in action.legs if self._at.get(leg) == switch)
            if legs:
                rule(port, replace(action, legs=legs))
