"""The loop in virtual time: an eight-hour shift takes seconds. The same engine, the same store contract, a switch made of values.

Imports neither gevent nor psycopg2, nor does anything it reaches. Nothing here reads a clock: time jumps to whatever is due next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.agent_picture import AgentPicture
from fs_dialer.core.dialer import Dialer
from fs_dialer.core.model import AgentId
from fs_dialer.runtime import perform
from fs_dialer.runtime.ports import Store, VirtualSwitch

OnStep = Callable[[ev.Event, float, list[act.Action]], None]


class VirtualRuntime:
    """Drives one engine. `on_step` sees every event with its actions (journal, tests)."""

    def __init__(self, dialer: Dialer, store: Store, switch: VirtualSwitch, start: float, on_step: OnStep | None = None) -> None:
        self.dialer, self.store, self.switch, self.now = dialer, store, switch, start
        self.drained = False
        self.notes: deque[act.Note] = deque(maxlen=1000)
        self.steps = 0
        self.callers: list[act.CallerServed | act.CallerLeft] = []
        self.pictures: dict[AgentId, AgentPicture] = {}  # of watched agents, the newest
        self._on_step = on_step
        self._inbox: deque[ev.Event] = deque()

    def begin(self) -> None:
        """Load what the store has and say that the switch is linked."""
        self.switch.at(self.now)
        for event in perform.loaded(self.store):
            self.give(event)
        self.give(ev.SwitchUp(self.store.installation().switch, ()))

    def give(self, event: ev.Event) -> None:
        """One event, and all that its actions bring about without any time passing."""
        self._inbox.append(event)
        self._settle()

    def run_until(self, end: float, done: Callable[[], bool] | None = None) -> None:
        """Until `end`, or until `done()` holds, or until nothing is due any more."""
        while self.now < end and not self.drained and not (done is not None and done()):
            due = [at for at in (self.dialer.next_wakeup(), self.switch.next_wakeup()) if at is not None]
            at = max(self.now, min(due, default=end))
            if at >= end:
                self.now = end
                break
            self.now = at
            self.switch.at(at)
            happened = self.switch.advance(at)
            self._inbox.extend(happened if happened else [ev.Tick()])
            self._settle()

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
                self.switch.originate_lead(action)
        elif rule is not None:
            rule(self.switch, action)
        elif isinstance(action, act.ClaimLeads):
            self._inbox.append(perform.claim(self.store, action, self.now))
        elif isinstance(action, act.TakeLeadNow):
            self._inbox.append(perform.take(self.store, action, self.now))
        elif isinstance(action, act.ShowAgent):
            self.pictures[action.picture.agent] = action.picture
        elif isinstance(action, act.CallerServed | act.CallerLeft):
            self.callers.append(action)
        elif isinstance(action, act.Note):
            self.notes.append(action)
        elif isinstance(action, act.Drained):
            self.drained = True
        else:
            perform.write(self.store, action)
