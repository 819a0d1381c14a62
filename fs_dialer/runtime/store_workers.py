"""The engine's store actions in a live daemon: greenlets between the inbox and the database.

Attempts are committed in batches, one transaction for all that waited. Writes keep their order. While the database is away nothing is claimed or
committed; results go to the local spool at once, other writes wait in memory, and a probe looks for the database every second.

A claim waits for the writes that were asked before it: it sees our own start of the campaign and the leads that went back, else it would come home empty
and be asked again half a minute later.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import gevent
from gevent.event import Event as Flag
from gevent.queue import Queue

from fs_dialer.core import actions as act
from fs_dialer.core import agent_events as ag
from fs_dialer.core import events as ev
from fs_dialer.core.model import AttemptId, AttemptResult, LeadUpdate, LegId, Outcome, SwitchId
from fs_dialer.errors import StoreError
from fs_dialer.runtime import perform
from fs_dialer.runtime.ports import DaemonStore
from fs_dialer.runtime.spool import KEPT, Kept, Spool

log = logging.getLogger("fs_dialer.store")

OPEN_BATCH = 100
WRITE_BATCH = 100
CALLERS_AT_ONCE = 3  # of the pool's four connections
PROBE_EVERY_S = 1.0
LEADER_EVERY_S = 2.0
IDLE_POLL_S = 0.02
CLAIMS = (act.ClaimLeads, act.TakeLeadNow)
STORE_DOWN = "store_down"  # the gate's code while the database is away

Put = Callable[[ev.Event], None]
Spawn = Callable[..., Any]


class Originator(Protocol):
    """What the opener asks of the switch's port."""

    def will_originate(self, leg: LegId) -> None: ...
    def will_not_originate(self, leg: LegId) -> None: ...
    def originate_lead(self, action: act.OriginateLead) -> None: ...


class StoreWorkers:
    """`lead_lost`: called when another daemon has taken over; `now`: the daemon's clock; `forget`: rows of a switch that are settled by what was written."""

    def __init__(
        self,
        store: DaemonStore,
        switch: Originator,
        spool: Spool,
        put: Put,
        spawn: Spawn,
        now: Callable[[], float],
        lead_lost: Callable[[], None],
        forget: Callable[[act.ForgetKept], None] = lambda action: None,
    ) -> None:
        self._store, self._switch, self._spool = store, switch, spool
        self._put, self._spawn, self._now, self._lead_lost, self._forget = put, spawn, now, lead_lost, forget
        self._to_open: Queue[act.OriginateLead] = Queue()
        self._to_write: deque[act.Action] = deque()
        self._write_flag = Flag()
        self._uncertain: dict[AttemptId, act.OriginateLead] = {}  # a commit whose answer was lost
        self._up = True
        self._stopping = False
        self._busy = 0

    def start(self) -> None:
        for work in (self._open_loop, self._write_loop, self._probe_loop):
            self._spawn(work)

    @property
    def idle(self) -> bool:
        """Nothing waits to be written."""
        return not (self._to_write or self._busy or self._to_open.qsize())

    def finish(self, within_s: float) -> None:
        """The daemon ends. Nothing new is committed; what was committed and not sent is closed as cancelled; what waits is written, if the database is up."""
        self._stopping = True
        while self._to_open.qsize():
            self._to_open.get()
        deadline = time.monotonic() + within_s
        while self._up and not self.idle and time.monotonic() < deadline:
            gevent.sleep(IDLE_POLL_S)
        if self._up:
            try:
                self._settle_uncertain()
            except StoreError as error:
                log.warning("attempts that were not sent will be found open by the next daemon: %s", error)

    # --- what the loop hands over -----------------------------------------------------------------------------------------------------

    def open(self, action: act.OriginateLead) -> None:
        self._switch.will_originate(action.leg)
        if self._up:
            self._to_open.put(action)
        else:
            self._refuse(action, STORE_DOWN)

    def claim(self, action: act.ClaimLeads | act.TakeLeadNow) -> None:
        if self._up:
            self._in_turn(action)
        else:
            self._not_claimed(action)

    def _not_claimed(self, action: act.ClaimLeads | act.TakeLeadNow) -> None:
        if isinstance(action, act.TakeLeadNow):
            self._put(ag.LeadTaken(action.command_id, action.agent, action.campaign, None, STORE_DOWN))
        else:
            self._put(ev.ClaimFailed(action.campaign))

    def write(self, action: act.Action) -> None:
        if self._up or not isinstance(action, KEPT):
            self._in_turn(action)
        else:
            self._to_spool([action])

    def _in_turn(self, action: act.Action) -> None:
        self._to_write.append(action)
        self._write_flag.set()

    # --- attempts ---------------------------------------------------------------------------------------------------------------------

    def _open_loop(self) -> None:
        while True:
            batch = [self._to_open.get()]
            while len(batch) < OPEN_BATCH and self._to_open.qsize():
                batch.append(self._to_open.get())
            self._busy += 1
            try:
                self._open(batch)
            finally:
                self._busy -= 1

    def _open(self, batch: list[act.OriginateLead]) -> None:
        """Commit, then send: in this order, whatever happens (D8)."""
        try:
            answers = perform.open_attempts(self._store, batch)
        except StoreError as error:
            if not error.lost:
                log.error("attempts could not be committed: %s", error)
            for action in batch:
                self._uncertain[action.attempt.id] = action
                self._refuse(action, STORE_DOWN)
            self._lost(error)
            return
        for action, answer in zip(batch, answers, strict=True):
            if isinstance(answer, ev.AttemptRefused):
                self._refuse(action, answer.gate, answer.until)
                if answer.gate == "epoch":
                    self._spawn(self.still_leads)
            elif self._stopping:
                self._uncertain[action.attempt.id] = action
            else:
                self._put(answer)
                self._switch.originate_lead(action)

    def _refuse(self, action: act.OriginateLead, gate: str, until: float | None = None) -> None:
        self._switch.will_not_originate(action.leg)
        self._put(ev.AttemptRefused(action.attempt.id, gate, until))

    def _claim(self, action: act.ClaimLeads | act.TakeLeadNow) -> None:
        now = self._now()
        try:
            self._put(perform.take(self._store, action, now) if isinstance(action, act.TakeLeadNow) else perform.claim(self._store, action, now))
        except StoreError as error:
            self._lost(error)
            self._not_claimed(action)

    # --- writes -----------------------------------------------------------------------------------------------------------------------

    def _write_loop(self) -> None:
        while True:
            self._write_flag.wait()
            if not self._to_write or not self._up:
                self._write_flag.clear()
                continue
            self._busy += 1
            try:
                self._write_some()
            finally:
                self._busy -= 1

    def _write_some(self) -> None:
        """Results that stand next to each other go in one transaction, and so do callers who are gone; callers who are served and have nothing to do with each
        other at the same time; anything else one by one, in order. What is being written is out of the line: it may be emptied meanwhile."""
        if len(served := self._callers_in_front()) > 1:
            self._write_callers(served)
            return
        if len(gone := self._gone_in_front()) > 1:
            self._write_gone(gone)
            return
        results: list[act.CloseAttempt] = []
        while self._to_write and len(results) < WRITE_BATCH and isinstance(head := self._to_write[0], act.CloseAttempt):
            results.append(head)
            self._to_write.popleft()
        if results:
            try:
                self._close(results)
            except StoreError as error:
                self._to_spool(results)
                self._lost(error)
        elif self._to_write:
            head = self._to_write.popleft()
            if isinstance(head, CLAIMS):
                self._spawn(self._claim, head)
            else:
                self._done([(head, self._tried(head))])

    def _callers_in_front(self) -> list[act.CallerServed]:
        """A few of different numbers: so none waits for another's rows."""
        found: list[act.CallerServed] = []
        for action in self._to_write:
            if not isinstance(action, act.CallerServed) or len(found) == CALLERS_AT_ONCE or action.number in {each.number for each in found}:
                break
            found.append(action)
        return found

    def _gone_in_front(self) -> list[act.CallerLeft]:
        """None of them twice."""
        found: dict[AttemptId, act.CallerLeft] = {}
        for action in self._to_write:
            if not isinstance(action, act.CallerLeft) or action.call in found or len(found) == WRITE_BATCH:
                break
            found[action.call] = action
        return list(found.values())

    def _write_callers(self, served: Sequence[act.CallerServed]) -> None:
        for _ in served:
            self._to_write.popleft()
        jobs = [self._spawn(self._tried, action) for action in served]
        gevent.joinall(jobs)
        self._done([(action, job.value) for action, job in zip(served, jobs, strict=True)])

    def _write_gone(self, gone: Sequence[act.CallerLeft]) -> None:
        """One that the database refuses holds up nobody: then each is written by itself."""
        for _ in gone:
            self._to_write.popleft()
        try:
            self._left(gone)
        except StoreError as error:
            self._done([(action, error if error.lost else self._tried(action)) for action in gone])

    def _done(self, tried: Sequence[tuple[act.Action, StoreError | None]]) -> None:
        """What the database refused is told and left; what it did not hear of comes first again, and goes to the spool if it may not be lost."""
        for action, error in tried:
            if error is not None and not error.lost:
                log.error("the database refused %s: %s", type(action).__name__, error)
        if lost := [(action, error) for action, error in tried if error is not None and error.lost]:
            self._to_write.extendleft(action for action, _ in reversed(lost))
            self._lost(lost[0][1])

    def _tried(self, action: act.Action) -> StoreError | None:
        try:
            self._write(action)
        except StoreError as error:
            return error
        return None

    def _write(self, action: act.Action) -> None:
        """Rows that the switch keeps go once the database has what follows from them."""
        if isinstance(action, act.CallerLeft):
            self._left([action])
            return
        perform.write(self._store, action)
        if isinstance(action, act.OptOut) and action.kept:
            self._forget(act.ForgetKept(action.switch, action.kept))

    def _left(self, gone: Sequence[act.CallerLeft]) -> None:
        self._store.callers_left(gone)
        settled: dict[SwitchId, list[str]] = {}
        for action in gone:
            settled.setdefault(action.switch, []).extend(action.kept)
        for switch, kept in settled.items():
            if kept:
                self._forget(act.ForgetKept(switch, tuple(kept)))

    def _close(self, results: Sequence[act.CloseAttempt]) -> None:
        self._store.close_attempts([(r.result, r.update) for r in results])

    def _write_kept(self, kept: Sequence[Kept]) -> None:
        """In their order; results that stand next to each other in one transaction, and so callers who are gone. What the database refuses, unless it is away,
        is told and left."""
        place = 0
        while place < len(kept):
            alike = [kept[place]]
            while place + len(alike) < len(kept) and self._together(alike, kept[place + len(alike)]):
                alike.append(kept[place + len(alike)])
            place += len(alike)
            if results := [action for action in alike if isinstance(action, act.CloseAttempt)]:
                self._close(results)
                continue
            try:
                self._left([action for action in alike if isinstance(action, act.CallerLeft)]) if len(alike) > 1 else self._write(alike[0])
            except StoreError as error:
                if error.lost:
                    raise
                self._each_by_itself(alike)

    def _together(self, alike: Sequence[Kept], next: Kept) -> bool:
        if isinstance(next, act.CloseAttempt):
            return isinstance(alike[0], act.CloseAttempt)
        gone = {each.call for each in alike if isinstance(each, act.CallerLeft)}
        return isinstance(next, act.CallerLeft) and bool(gone) and next.call not in gone

    def _each_by_itself(self, kept: Sequence[Kept]) -> None:
        for action in kept:
            error = self._tried(action)
            if error is not None and error.lost:
                raise error
            if error is not None:
                log.error("the database refused %s: %s", type(action).__name__, error)

    def _to_spool(self, results: Sequence[Kept]) -> None:
        try:
            self._spool.append(results)
        except OSError as error:
            log.critical("the spool %s can't be written (%s): %d results are in memory only", self._spool.path, error, len(results))
            self._to_write.extend(results)

    # --- away and back ----------------------------------------------------------------------------------------------------------------

    def _lost(self, error: StoreError) -> None:
        """A lost connection, or a refusal that only a person or time can mend: nothing new is dialled until a probe succeeds."""
        if not error.lost:
            return
        if self._up:
            self._up = False
            log.error("the database is away: %s; nothing is dialled, calls go on, results are kept in %s", error, self._spool.path)
            self._put(ev.StoreLost(str(error)))
        waiting = list(self._to_write)
        self._to_write = deque(a for a in waiting if not isinstance(a, (*KEPT, *CLAIMS)))
        for claim in (a for a in waiting if isinstance(a, CLAIMS)):
            self._not_claimed(claim)
        if kept := [a for a in waiting if isinstance(a, KEPT)]:
            self._to_spool(kept)

    def _probe_loop(self) -> None:
        while True:
            gevent.sleep(PROBE_EVERY_S if not self._up else LEADER_EVERY_S)
            try:
                if not self._check_leadership():
                    return
                if not self._up or self._spool:
                    self._come_back()
            except StoreError as error:
                self._lost(error if error.lost else StoreError(str(error), lost=True))

    def still_leads(self) -> bool:
        """Whether no other daemon has taken over; True while the database can't be asked. When one has, this daemon is told to stop."""
        try:
            return self._check_leadership()
        except StoreError as error:
            self._lost(error)
            return True

    def _check_leadership(self) -> bool:
        if self._store.still_leader():
            return True
        before = self._store.epoch
        after = self._store.take_epoch("")
        if after is not None and after == before:
            return True
        self._lead_lost()
        self._hand_over()
        return False

    def _hand_over(self) -> None:
        """Results are not bound to the epoch: told now, they come before the new leader finds their attempts open and calls them unknown."""
        results = [action for action in self._to_write if isinstance(action, KEPT)]
        self._to_write.clear()
        try:
            self.replay_spool()
            self._write_kept(results)
        except StoreError as error:
            log.warning("results are kept in the spool: %s", error)
            self._to_spool(results)

    def _come_back(self) -> None:
        """First what was kept on disk, then attempts that were committed without our knowing, then dialling."""
        self.replay_spool()
        self._settle_uncertain()
        if not self._up:
            self._up = True
            log.info("the database is back")
            self._put(ev.StoreBack())
            self._write_flag.set()

    def replay_spool(self) -> None:
        """Before open attempts are looked for, at the latest: what stands in the spool has ended."""
        replayed = self._spool.replay(self._write_kept)
        if replayed:
            log.info("%d results from the spool are stored", replayed)

    def _settle_uncertain(self) -> None:
        """A commit whose answer was lost: nothing was sent, so an attempt that does stand there is closed as cancelled, its lead as before."""
        if not self._uncertain:
            return
        found = {o.attempt.id: o for o in self._store.open_attempts_found()}
        closing = []
        for attempt_id in self._uncertain:
            stood = found.get(attempt_id)
            if stood is not None:
                lead = stood.lead
                result = AttemptResult(attempt_id, Outcome.CANCELLED, "", None, None, None, None, None, self._now(), missed=False, leg_seen=False)
                as_before = LeadUpdate(lead.id, lead.status, lead.attempts, lead.ours_in_row, lead.ready_at, lead.ready_why, lead.agent)
                closing.append((result, as_before))
        self._store.close_attempts(closing)
        self._uncertain.clear()
