"""The loop in virtual time: an eight-hour shift takes seconds. The same engine, the same store contract, a switch made of values.

Imports neither gevent nor psycopg2, nor does anything it reaches. Nothing here reads a clock: time jumps to whatever is due next.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.agent_events import LeadWithdrawn
from fs_dialer.core.agent_picture import AgentPicture
from fs_dialer.core.dialer import Dialer
from fs_dialer.core.model import AgentId, CampaignId, GatewayId, LegId, SwitchId
from fs_dialer.runtime import perform
from fs_dialer.runtime.ports import Switch, VirtualStore, VirtualSwitch
from fs_dialer.runtime.switchboard import Switchboard

OnStep = Callable[[ev.Event, float, list[act.Action]], None]
Service = Callable[[act.AskHttp], tuple[float, ev.HttpAnswered]]
"""A service that flows ask: how many seconds it takes, and what it answers."""


def no_service(action: act.AskHttp) -> tuple[float, ev.HttpAnswered]:
    """Nothing answers: the time-out is over at last."""
    return action.timeout_s, ev.HttpAnswered(action.call, action.node, False)


class VirtualRuntime:
    """Drives one engine. `on_step` sees every event with its actions (journal, tests). `call_back_in`: the campaign that who pressed a queue's callback key
    joins, as a trigger does it (S82); None = nobody joins one."""

    def __init__(
        self,
        dialer: Dialer,
        store: VirtualStore,
        switch: VirtualSwitch | Mapping[SwitchId, VirtualSwitch],
        start: float,
        on_step: OnStep | None = None,
        service: Service = no_service,
        call_back_in: CampaignId | None = None,
    ) -> None:
        ports = switch if isinstance(switch, Mapping) else {perform.MAIN_SWITCH: switch}
        self.dialer, self.store, self.now = dialer, store, start
        self.board: Switchboard[VirtualSwitch] = Switchboard(ports, lambda event: self._inbox.append(event))
        self.away: set[SwitchId] = set()  # switches whose link is down: nothing goes there, and what they say is lost
        self.drained = False
        self.notes: deque[act.Note] = deque(maxlen=1000)
        self.steps = 0
        self.callers: list[act.CallerServed | act.CallerLeft] = []
        self.pictures: dict[AgentId, AgentPicture] = {}  # of watched agents, the newest
        self._on_step, self._service, self._call_back_in = on_step, service, call_back_in
        self._order = itertools.count()
        self._later: list[tuple[float, int, ev.Event]] = []  # what services will have answered, the soonest first
        self._inbox: deque[ev.Event] = deque()

    def begin(self) -> None:
        """Load what the store has and say that the switch is linked."""
        for port in self.board.ports.values():
            port.at(self.now)
        for event in perform.loaded(self.store):
            self.give(event)
        for name in self.board.ports if len(self.board.ports) > 1 else (self.store.installation().switch,):
            self.give(ev.SwitchUp(name, ()))

    def lose(self, switch: SwitchId) -> None:
        """The link to one of several is gone; the switch goes on, or not."""
        self.away.add(switch)
        self.give(ev.SwitchLost(switch, "the link is down"))

    def restore(self, switch: SwitchId, legs: Sequence[tuple[LegId, GatewayId | None]]) -> None:
        """The link is back, and these legs are there."""
        self.away.discard(switch)
        for leg, _ in legs:
            self.board.heard(ev.LegCreated(leg, switch, None, None, None), switch, self.now)
        self.give(ev.SwitchUp(switch, tuple(legs)))

    def give(self, event: ev.Event) -> None:
        """One event, and all that its actions bring about without any time passing."""
        self._inbox.append(event)
        self._settle()

    def run_until(self, end: float, done: Callable[[], bool] | None = None) -> None:
        """Until `end`, or until `done()` holds, or until nothing is due any more."""
        while self.now < end and not self.drained and not (done is not None and done()):
            ports = [port.next_wakeup() for port in self.board.ports.values()]
            due = [at for at in (self.dialer.next_wakeup(), *ports, self._later[0][0] if self._later else None) if at is not None]
            at = max(self.now, min(due, default=end))
            if at >= end:
                self.now = end
                break
            self.now = at
            happened = self._told(at)
            while self._later and self._later[0][0] <= at:
                happened.append(heapq.heappop(self._later)[2])
            self._inbox.extend(happened if happened else [ev.Tick()])
            self._settle()

    def _told(self, at: float) -> list[ev.Event]:
        """What the switches say by then."""
        happened: list[ev.Event] = []
        for name, port in self.board.ports.items():
            port.at(at)
            told = port.advance(at)
            if name not in self.away:
                for event in told:
                    self.board.heard(event, name, at)
                happened += told
        return happened

    def _settle(self) -> None:
        while self._inbox:
            event = self._inbox.popleft()
            actions = self.dialer.handle(event, self.now)
            self.steps += 1
            if self._on_step is not None:
                self._on_step(event, self.now, actions)
            for action in actions:
                self._perform(action)

    def _perform(self, action: act.Action) -> None:
        rule = perform.SWITCH_ACTIONS.get(type(action))
        if isinstance(action, act.OriginateLead):
            (answer,) = perform.open_attempts(self.store, [action])
            self._inbox.append(answer)
            if isinstance(answer, ev.AttemptOpened):
                self._to_switch(lambda port, each: port.originate_lead(each), action)
        elif rule is not None:
            self._to_switch(rule, action)
        elif isinstance(action, act.ClaimLeads):
            self._inbox.append(perform.claim(self.store, action, self.now))
        elif isinstance(action, act.TakeLeadNow):
            self._inbox.append(perform.take(self.store, action, self.now))
        elif isinstance(action, act.AskHttp):
            takes_s, told = self._service(action)
            heapq.heappush(self._later, (self.now + min(takes_s, action.timeout_s), next(self._order), told))
        elif isinstance(action, act.ShowAgent):
            self.pictures[action.picture.agent] = action.picture
        elif isinstance(action, act.Note):
            self.notes.append(action)
        elif isinstance(action, act.Drained):
            self.drained = True
        elif isinstance(action, act.SwitchGivenUp):
            pass  # no earlier daemon left anything here
        else:
            perform.write(self.store, action)
            if isinstance(action, act.CallerServed | act.CallerLeft):
                self.callers.append(action)
                self._requests()
            if isinstance(action, act.CallerLeft | act.OptOut) and action.kept:
                self._to_switch(lambda port, each: port.forget_kept(each), act.ForgetKept(action.switch, action.kept))
            elif isinstance(action, act.CloseAttempt):
                self._withdrawn()

    def _requests(self) -> None:
        """Who asked for a callback becomes a lead, and the engine is told so; whose request was met otherwise is called no more (D12)."""
        if self._call_back_in is not None and self.store.call_back(self._call_back_in):
            stored = self.store.campaign(self._call_back_in)
            if stored is not None:
                self._inbox.append(ev.CampaignLoaded(stored.campaign, stored.state, stored.started, tuple(stored.zone_sets), None))
        self._withdrawn()

    def _withdrawn(self) -> None:
        self._inbox.extend(LeadWithdrawn(campaign, lead) for campaign, lead in self.store.withdrawn())

    def _to_switch(self, rule: Callable[[Switch, Any], None], action: act.Action) -> None:
        """Where a link is down, what would have been sent is not."""
        if not self.away:
            self.board.send(rule, action)
            return

        def unless_away(port: Switch, each: act.Action) -> None:
            if next(name for name, some in self.board.ports.items() if some is port) not in self.away:
                rule(port, each)
            elif isinstance(each, act.OriginateLead | act.OriginateAgent):
                self._inbox.append(ev.OriginateFailed(each.leg, "SWITCH_LOST", sent=False))

        self.board.send(unless_away, action)
