"""An Hour of the scripted switch into which callers come as well: each waits, answered and parked, until an agent is there, his patience ends or he is let go.

The truth about callers is kept here, apart from what the engine is told: whoever came must be reported gone exactly once, by the engine that knew him last,
and a caller nobody looks after any more raises Wrong through his leg's fallback. What the dialplan keeps (keys pressed, callers released by the fallback) is
kept here in `rows_kept`: whoever pressed the key in time and met no agent must be called back, whatever died in between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from fs_dialer.core import actions as act
from fs_dialer.core import agent_events as ag
from fs_dialer.core import events as ev
from fs_dialer.core.model import AttemptId, LegFacts, LegId
from fs_dialer.core.queue_line import Line
from fs_dialer.core.switch_names import kept_row
from tests.core.builders import CARRIER, SWITCH
from tests.core.scripted_store import Wrong
from tests.core.scripted_switch import Hour, Leg


@dataclass
class QueuedHour(Hour):
    """lines: the queues; every_s: a caller comes on average that often; patience_s: from these, how long he waits before he hangs up."""

    lines: Sequence[Line] = ()
    every_s: float = 10.0
    patience_s: Sequence[float] = (0.05, 5.0, 60.0, 400.0)
    came: dict[LegId, tuple[str, float]] = field(default_factory=dict)  # queue, since
    told: Counter[AttemptId] = field(default_factory=Counter)  # how often the engine said that he is gone
    served: Counter[AttemptId] = field(default_factory=Counter)
    gone: list[act.CallerLeft] = field(default_factory=list)
    talked: set[LegId] = field(default_factory=set)
    known: set[LegId] = field(default_factory=set)  # of whom an engine was told
    orphaned: set[LegId] = field(default_factory=set)  # up when a daemon was killed, or not taken by it
    press: float = 0.0  # how many of them press the key, some of them twice
    rows_kept: dict[str, ag.KeptFound] = field(default_factory=dict)
    asked: dict[LegId, float] = field(default_factory=dict)  # who pressed in time, before an agent had met him
    elsewhere: set[LegId] = field(default_factory=set)  # whom an extension of the switch has

    def begin(self) -> None:
        super().begin()
        if self.life == 1:
            self.later(self.rng.expovariate(1 / self.every_s), self.caller_comes)

    def kill_daemon(self) -> None:
        super().kill_daemon()
        self.orphaned |= {leg for leg in self.came if not self.told[AttemptId(leg)]}  # of some the end is known to nobody any more

    def link_up(self) -> None:
        for line in self.lines:
            self.tell(ag.QueueLoaded(line))
        super().link_up()

    def unheard(self) -> list[Leg]:
        """Callers whose legs the engine could not know of when it gave its last orders."""
        known, heard_s = self.dialer._w.ledger.legs, self.chances.lag_s + 0.1
        return [leg for leg in self.legs.values() if leg.kind == "caller" and (leg.id not in known or self.now - self.came[leg.id][1] < heard_s)]

    def dial(self, leg: Leg, timeout_s: float) -> None:
        """Of lines that a caller took before the engine could hear of him it is not to blame."""
        unheard = self.unheard()
        for each in unheard:
            del self.legs[each.id]
        super().dial(leg, timeout_s)
        self.legs.update({each.id: each for each in unheard})

    # --- callers ----------------------------------------------------------------------------------------------------------------------

    def caller_comes(self) -> None:
        if self.calm:
            return
        self.later(self.rng.expovariate(1 / self.every_s), self.caller_comes)
        queue, patience_s = self.rng.choice(self.lines).name, self.rng.choice(self.patience_s)
        if self.dialer._w.ledger.lines_left() > len(self.unheard()) and len(self.legs) < self.installation.lines:
            self.call_in(queue, patience_s)

    def call_in(self, queue: str, patience_s: float) -> LegId:
        leg = Leg(LegId(f"caller-{next(self.ids)}"), "caller", None, None, CARRIER, answered=True)
        self.legs[leg.id] = leg
        self.came[leg.id] = (queue, self.now)
        self.arm(leg)  # the dialplan does, before it parks him
        self.later(patience_s, lambda: self.end(leg.id) if leg.bridged_to is None else None)
        if self.press and self.rng.random() < self.press:
            for _ in range(self.rng.randint(1, 3)):
                self.later(self.rng.uniform(0.5, 40.0), lambda: self.pressed(leg))
        if not self.alive or not self.linked:
            self.orphaned.add(leg.id)
        self.news(leg, ev.LegCreated(leg.id, SWITCH, leg.gateway, None, None))
        self.news(leg, self.word_of(leg))
        return leg.id

    def pressed(self, leg: Leg) -> None:
        """The dialplan keeps a row and tells, unless an agent has met him, or another extension has him."""
        if leg.over or leg.met or leg.id in self.elsewhere:
            return
        if self.rng.random() < 0.3:
            self.news(leg, ag.CallerKey(leg.id, "7", right=False))
            return
        self.keep(leg, "key")
        after_s = next(line.terms.key_after_s for line in self.lines if line.name == self.came[leg.id][0])
        if after_s is not None and self.now - self.came[leg.id][1] >= after_s + self.chances.lag_s + 0.5:  # the engine counts from when it hears of him
            self.asked.setdefault(leg.id, self.now)
        self.news(leg, ag.CallerKey(leg.id, "1"))

    def keep(self, leg: Leg, what: str) -> None:
        row, (queue, since) = kept_row(leg.id, what), self.came[leg.id]
        self.rows_kept[row] = ag.KeptFound(leg.id, SWITCH, row, what, queue, "+34600000000", since, self.now)

    def fallback(self, leg: Leg) -> None:
        """The queue's own leaves a row for whom no agent has met."""
        falls = not leg.over and leg.fallback_at is not None and leg.fallback_at <= self.now
        if falls and leg.kind == "caller" and not leg.met:
            self.keep(leg, "released")
        super().fallback(leg)

    def facts(self, leg: Leg) -> LegFacts:
        return replace(super().facts(leg), parked=leg.id not in self.elsewhere)

    def word_of(self, leg: Leg) -> ag.CallerQueued:
        queue, since = self.came[leg.id]
        return ag.CallerQueued(leg.id, queue, AttemptId(leg.id), "+34600000000", since, leg.bridged_to, leg.met)

    def do_Reconcile(self, a: act.Reconcile) -> None:
        """A daemon that is linked anew is told of every caller it does not know, in his own words; the rest is as ever."""
        unknown = [leg for leg in self.legs.values() if leg.kind == "caller" and leg.id not in a.legs and leg.id not in self.elsewhere]
        self.tell_kept()
        for leg in unknown:
            del self.legs[leg.id]
        super().do_Reconcile(a)
        for leg in unknown:
            self.legs[leg.id] = leg
            self.soon_of(leg)

    def tell_kept(self) -> None:
        """Of a leg that is gone at once, before its end is told; of one that is up a little later, when its caller is known."""
        life, linked_at = self.life, self.linked_at

        def say(row: str) -> None:
            found = self.rows_kept.get(row)
            if found is None or (life, linked_at) != (self.life, self.linked_at) or not self.linked:
                return
            if found.leg not in self.legs:
                self.tell(found)
            elif found.what == "key":
                self.tell(ag.CallerKey(found.leg, "", at=found.at))

        for row, found in sorted(self.rows_kept.items(), key=lambda kept: kept[1].what):
            self.later(0.0 if found.leg not in self.legs else 0.6, lambda row=row: say(row))  # type: ignore[misc]

    def do_ForgetKept(self, a: act.ForgetKept) -> None:
        for row in a.rows if self.linked else ():
            self.rows_kept.pop(row, None)

    def do_EnterIvr(self, a: act.EnterIvr) -> None:
        leg = self.legs.get(a.leg)
        if leg is None or leg.over or not self.linked:
            return
        self.elsewhere.add(leg.id)
        leg.fallback_at = None
        self.later(self.rng.uniform(1.0, 20.0), lambda: self.end(leg.id))

    def do_Announce(self, a: act.Announce) -> None:
        leg = self.legs.get(a.leg)
        if leg is None or leg.over or not self.linked:
            return
        if leg.bridged_to is not None and self.chances.faultless:
            raise Wrong(f"said into the conversation of {leg}")
        self.news(leg, ev.PlaybackStopped(leg.id))
        self.later(self.rng.uniform(1, 4), lambda: None if leg.over else self.news(leg, ev.PlaybackStopped(leg.id)))

    def soon_of(self, leg: Leg) -> None:
        life, linked_at = self.life, self.linked_at

        def say() -> None:
            if (life, linked_at) == (self.life, self.linked_at) and self.linked and not leg.over:
                self.tell(self.word_of(leg))

        self.later(self.rng.uniform(0.005, 0.5), say)

    def tell(self, event: ev.Event) -> None:
        if isinstance(event, ag.CallerQueued) and self.alive:
            self.known.add(event.leg)
        super().tell(event)

    def bridged(self, lead: Leg, agent: Leg) -> None:
        super().bridged(lead, agent)
        if lead.bridged_to is not None:
            self.talked.add(lead.id)

    # --- what the engine says of them ---------------------------------------------------------------------------------------------------

    def do_CallerServed(self, a: act.CallerServed) -> None:
        self.served[a.call] += 1
        if LegId(a.call) not in self.talked:
            raise Wrong(f"{a}, and nobody talked to him")

    def do_CallerLeft(self, a: act.CallerLeft) -> None:
        self.told[a.call] += 1
        self.gone.append(a)
        for row in a.kept:  # the database has it
            self.rows_kept.pop(row, None)
        if a.why == "callback" and self.served[a.call] and not a.found:
            raise Wrong(f"{a}, and he was served")
        if self.told[a.call] > 1 + (LegId(a.call) in self.orphaned):
            raise Wrong(f"caller {a.call} was said to be gone twice")
        if a.why == "served" and not self.served[a.call] and LegId(a.call) not in self.orphaned:
            raise Wrong(f"{a} was never said to be served")

    def do_PlayMusic(self, a: act.PlayMusic) -> None:
        leg = self.legs.get(a.leg)
        if leg is not None and leg.bridged_to is not None and self.chances.faultless:
            raise Wrong(f"music into the conversation of {leg}")

    # --- the end ------------------------------------------------------------------------------------------------------------------------

    def play(self, seconds: float) -> None:
        super().play(seconds)
        forgotten = {leg for leg in self.known if not self.told[AttemptId(leg)]} - self.orphaned
        if forgotten:
            raise Wrong(f"callers of whom nobody was told: {forgotten}")
        told = {LegId(a.call) for a in self.gone if a.why == "callback"} | {LegId(call) for call in self.served}
        unheard = {row.leg for row in self.rows_kept.values()}  # the next daemon finds them
        lost = {leg for leg in self.asked if leg not in told and leg not in self.talked and leg not in unheard}
        if lost:
            raise Wrong(f"who asked to be called back is forgotten: {lost}")

    def check_end(self) -> None:
        super().check_end()
        for queue in self.dialer.snapshot().queues:
            gone = queue.served + queue.hung_up + queue.missed + queue.called_back + queue.overflowed + queue.released + queue.lost
            if queue.waiting or queue.talking or queue.came != gone:
                raise Wrong(f"miscounted: {queue}")
