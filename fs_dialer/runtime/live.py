"""The daemon: one inbox, one engine, and the greenlets that carry between them, the switch and the database.

Everything that happens is an event in the inbox; the loop takes them one by one, and what the engine answers is handed on without waiting. Every
greenlet is spawned through one door that ends the daemon when it fails: a supervisor starts it again, and it adopts what is up (D8).
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import gevent
from gevent.event import Event as Flag
from gevent.queue import Empty, Queue

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.agent_picture import AgentPicture
from fs_dialer.core.dialer import Dialer
from fs_dialer.core.model import CommandId, SwitchId
from fs_dialer.core.snapshot import Snapshot
from fs_dialer.errors import StoreError
from fs_dialer.esl.client import EslSettings, SwitchClient
from fs_dialer.modes import OFFERED
from fs_dialer.runtime import chores, perform
from fs_dialer.runtime.chores import Housekeeper
from fs_dialer.runtime.clock import Clock
from fs_dialer.runtime.desk import Desk
from fs_dialer.runtime.http_desk import HttpDesk
from fs_dialer.runtime.ids import engine_sources
from fs_dialer.runtime.journal import Journal
from fs_dialer.runtime.live_switches import LiveSwitches, SwitchLink
from fs_dialer.runtime.ports import DaemonStore
from fs_dialer.runtime.spool import Spool
from fs_dialer.runtime.store_workers import StoreWorkers

log = logging.getLogger("fs_dialer.daemon")

STANDBY_EVERY_S = 1.0
LONGEST_SLEEP_S = 1.0
SNAPSHOT_EVERY_S = 1.0
FAIR_SLICE = 50  # events handled before others get a turn
GC_THRESHOLDS = (20_000, 20, 50)
YIELD_S = 1e-6  # sleep(0) would run every ready greenlet but starve timers
LAG_TOLD_S = 0.25
ASLEEP_S = 3.0  # a loop that was away so long (a stopped process, a paused machine) asks whether it still leads before it does anything
LEADER_WORD_S = 2.0
STOP_WRITES_S = 10.0
WEB = "web-"  # begins the id of a command that came over HTTP: its answer goes there, not into the database
LEVELS = {"INFO": logging.INFO, "WARNING": logging.WARNING, "ERROR": logging.ERROR}


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """esl, client: of the switch named main; switches: further ones. `seed` None = from the operating system. `journal_dir` None = no journal.
    `recordings_dir` None = recordings, below state_dir."""

    esl: EslSettings
    client: str
    state_dir: Path
    journal_dir: Path | None
    journal_keep_s: float
    seed: int | None = None
    recordings_dir: Path | None = None
    switches: Mapping[SwitchId, SwitchLink] = field(default_factory=dict)


class Service(Protocol):
    """A part of the daemon that stands beside the dialling: the HTTP interface, the clerk."""

    def start(self, spawn: Callable[..., Any]) -> None:
        """Begin, with greenlets from this door only; returns at once."""

    def stop(self) -> None: ...


class Hub(Protocol):
    """The agent interface's end of the engine (agent_hub.py)."""

    def shown(self, picture: AgentPicture) -> None: ...
    def replied(self, command_id: CommandId, ok: bool, text: str) -> None: ...


class Nobody:
    """No agent interface."""

    def shown(self, picture: AgentPicture) -> None:
        pass

    def replied(self, command_id: CommandId, ok: bool, text: str) -> None:
        pass


class Daemon:
    """One active daemon, or one standing by. `listener`: hints of the database; `on_snapshot`: sees the engine once a second (demo, status)."""

    def __init__(
        self,
        settings: LiveSettings,
        store: DaemonStore,
        listener: Any,
        on_snapshot: Callable[[Snapshot], None] | None = None,
        housekeeper: Housekeeper | None = None,
    ) -> None:
        self._settings, self._store, self._listener = settings, store, listener
        self._housekeeper = housekeeper
        self._on_snapshot = on_snapshot
        self._clock = Clock()
        self._inbox: Queue[tuple[float, ev.Event]] = Queue()
        self._stop = Flag()
        self._exit_code = 0
        self._draining = False
        self._urgent = False  # a customer waits for what was just handed on: let it go out before the next event
        self._greenlets: set[gevent.Greenlet] = set()
        seed = settings.seed if settings.seed is not None else int.from_bytes(os.urandom(8))
        rng, new_id = engine_sources(seed)
        self.dialer = Dialer(OFFERED, rng=rng, new_id=new_id)
        self._seed = seed
        self._journal: Journal | None = None
        self._lag_told = False
        self._awake_at = (0.0, 0.0)
        self.active = False
        self.at_once: list[Service] = []  # also while it stands by
        self.when_active: list[Service] = []
        self._started: list[Service] = []
        recordings = settings.recordings_dir or settings.state_dir / "recordings"
        links = {perform.MAIN_SWITCH: SwitchLink(settings.esl, settings.client), **settings.switches}
        self.switches = LiveSwitches(links, self.put, self.spawn, store.open_attempts_found, recordings)
        self.stores = StoreWorkers(
            store, self.switches, Spool(settings.state_dir / "spool.jsonl"), self.put, self.spawn, self._clock.now, self._lead_lost, self._dispatch
        )
        self.http = HttpDesk(lambda: self.dialer.installation.webhook_hosts, self.put, self.spawn)
        self.hub: Hub = Nobody()
        self.desk = Desk(store, listener, self.put, self._clock.now)

    # --- doors ------------------------------------------------------------------------------------------------------------------------

    def put(self, event: ev.Event) -> None:
        """Into the inbox, from any greenlet."""
        self._inbox.put((time.monotonic(), event))

    @property
    def lag_s(self) -> float:
        """How long the oldest event in the inbox has waited."""
        return time.monotonic() - self._inbox.peek_nowait()[0] if self._inbox.qsize() else 0.0

    @property
    def client(self) -> SwitchClient | None:
        """The link to the switch, once there is one."""
        return self.switches.client

    def spawn(self, work: Callable[..., Any], *args: Any) -> gevent.Greenlet:
        """The one way to start a greenlet: its failure is logged and ends the daemon."""
        greenlet = gevent.Greenlet(work, *args)
        self._greenlets.add(greenlet)
        greenlet.rawlink(self._ended)
        greenlet.start()
        return greenlet

    def _ended(self, greenlet: gevent.Greenlet) -> None:
        self._greenlets.discard(greenlet)
        if greenlet.exception is not None and not isinstance(greenlet.exception, gevent.GreenletExit):
            log.critical("a part of the daemon failed and ends it", exc_info=greenlet.exc_info)
            self.stop(1)

    def stop(self, exit_code: int = 0) -> None:
        """At once. Calls that are up go on in the switch; the next daemon adopts them, or the fallback saves them."""
        self._exit_code = max(self._exit_code, exit_code)
        self._stop.set()

    def drain(self) -> None:
        """First call: no new calls, end when the last is over. Second: at once."""
        if self._draining:
            log.warning("stopping now; %d calls stay up in the switch", sum(c.lines for c in self.dialer.snapshot().campaigns))
            self.stop()
            return
        self._draining = True
        self.put(ev.DrainAsked())

    def _lead_lost(self) -> None:
        log.error("another daemon has taken over this database; this one stops")
        self.stop(1)

    # --- the life of it ---------------------------------------------------------------------------------------------------------------

    def run(self) -> int:
        """Until stopped. Exit code 0 after a drain or a second signal, 1 when something failed or another daemon took over."""
        for number in (signal.SIGTERM, signal.SIGINT):
            gevent.signal_handler(number, self.drain)
        try:
            self._begin(self.at_once)
            if not self._become_active():
                return self._exit_code
            self._open_journal()
            self._load()
            # What is loaded stays: the collector need not look at it again, and need not stop a bridge to look at anything so often.
            gc.collect()
            gc.freeze()
            gc.set_threshold(*GC_THRESHOLDS)
            self.stores.start()
            self.switches.connect()
            for work in (self._loop, self._watch_clock, self._show, self.desk.listen):
                self.spawn(work)
            self.spawn(chores.return_refused, self._store, self._clock.now)
            if self._housekeeper is not None:
                self.spawn(chores.housekeep, self._housekeeper, self._clock.now)
            self.active = True
            self._begin(self.when_active)
            self._stop.wait()
            return self._exit_code
        finally:
            self._close()

    def _begin(self, services: list[Service]) -> None:
        for service in services:
            self._started.append(service)
            service.start(self.spawn)

    def _become_active(self) -> bool:
        """Stand by until the lock is ours. False when told to stop before that."""
        told = ""
        holder = f"{socket.gethostname()} pid {os.getpid()}"
        while not self._stop.is_set() and not self._draining:
            try:
                epoch = self._store.take_epoch(holder)
            except StoreError as error:
                level, why = logging.ERROR, f"the database can't be used yet: {error}"
            else:
                if epoch is not None:
                    log.info("active: epoch %d", epoch)
                    return True
                level, why = logging.INFO, "standing by: another daemon is active on this database"
            if why != told:
                log.log(level, why)
                told = why
            self._stop.wait(STANDBY_EVERY_S)
        return False

    def _open_journal(self) -> None:
        folder = self._settings.journal_dir
        if folder is None:
            return
        try:
            name = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()) + f"-{os.getpid()}.jsonl"
            self._journal = Journal(folder / name, self._seed)
            for old in folder.glob("*.jsonl"):
                if old.stat().st_mtime < time.time() - self._settings.journal_keep_s:
                    old.unlink()
        except OSError as error:
            log.error("no journal: %s", error)

    def _load(self) -> None:
        """Everything the engine must know, before the first link. Claims of dead daemons return to the heap first."""
        self.stores.replay_spool()
        returned = self._store.return_all_claims()
        if returned:
            log.info("%d leads claimed by an earlier daemon are free again", returned)
        for event in perform.loaded(self._store):
            self._handle(event)
            if isinstance(event, ev.InstallationLoaded):
                self.switches.compare([switch.id for switch in event.installation.switches])
        self.desk.seen_at_start()

    def _close(self) -> None:
        self._stop.set()
        self.switches.close()
        self.stores.finish(STOP_WRITES_S)
        for service in reversed(self._started):
            service.stop()
        gevent.killall(list(self._greenlets), block=True, timeout=5)
        if self._journal is not None:
            self._journal.close()
        if self._housekeeper is not None:
            self._housekeeper.close()
        self._listener.close()
        self._store.close()

    # --- the loop ---------------------------------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        handled = 0
        self._awake()
        while not self._stop.is_set():
            wakeup = self.dialer.next_wakeup()
            wait = LONGEST_SLEEP_S if wakeup is None else min(LONGEST_SLEEP_S, max(0.0, wakeup - self._clock.now()))
            try:
                put_at, event = self._inbox.get(timeout=wait) if wait > 0 else self._inbox.get_nowait()
            except Empty:
                put_at, event = time.monotonic(), ev.Tick()
            if self._awake() > ASLEEP_S and not self._still_leads():
                return
            self._watch_lag(time.monotonic() - put_at)
            self._handle(event)
            handled += 1
            if self._urgent or handled % FAIR_SLICE == 0 or isinstance(event, ev.Tick):
                self._urgent = False
                gevent.sleep(YIELD_S)

    def _still_leads(self) -> bool:
        """A database that does not say so at once is taken for away: calls that are up need us."""
        with gevent.Timeout(LEADER_WORD_S, False):
            self.stores.still_leads()
        self._awake()
        return not self._stop.is_set()

    def _awake(self) -> float:
        """Seconds since it was asked last, by the clock that went further: a paused machine may stop one of them."""
        before, self._awake_at = self._awake_at, (time.monotonic(), time.time())
        return max(self._awake_at[0] - before[0], self._awake_at[1] - before[1])

    def _watch_lag(self, lag_s: float) -> None:
        if lag_s > LAG_TOLD_S or (self._lag_told and lag_s < LAG_TOLD_S / 2):
            self._lag_told = lag_s > LAG_TOLD_S
            self._handle(ev.InboxLag(lag_s))

    def _handle(self, event: ev.Event) -> None:
        now = self._clock.now()
        wakeup = self.dialer.next_wakeup()
        actions = self.dialer.handle(event, now)
        if self._journal is not None:
            self._journal.record(event, now, actions, due=wakeup is not None and wakeup <= now)
        for action in actions:
            self._dispatch(action)

    def _dispatch(self, action: act.Action) -> None:
        if isinstance(action, act.OriginateLead):
            self.switches.expects(action)
            self.stores.open(action)
        elif (rule := perform.SWITCH_ACTIONS.get(type(action))) is not None:
            self.switches.send(rule, action)
            self._urgent |= type(action) is act.Bridge
        elif isinstance(action, act.ClaimLeads | act.TakeLeadNow):
            self.stores.claim(action)
        elif isinstance(action, act.AskHttp):
            self.http.ask(action)
        elif isinstance(action, act.ShowAgent):
            self.hub.shown(action.picture)
        elif isinstance(action, act.Reply) and action.command_id.startswith(WEB):
            self.hub.replied(action.command_id, action.ok, action.text)
        elif isinstance(action, act.Note):
            log.log(LEVELS[action.level], "%s %s", action.name, " ".join(f"{key}={value}" for key, value in action.fields))
        elif isinstance(action, act.Drained):
            self.stop()
        elif isinstance(action, act.SwitchGivenUp):
            self.switches.given_up(action)
        else:
            self.stores.write(action)

    # --- watching ---------------------------------------------------------------------------------------------------------------------

    def _watch_clock(self) -> None:
        while True:
            gevent.sleep(1.0)
            jump = self._clock.jumped()
            if jump:
                self.put(ev.ClockJumped(jump))
            if self._journal is not None:
                self._journal.flush()

    def _show(self) -> None:
        """The engine once a second: for whoever looks on in this process, and in the database for `status`."""
        while True:
            snapshot = self.dialer.snapshot()
            if self._on_snapshot is not None:
                self._on_snapshot(snapshot)
            self.desk.publish(snapshot)
            gevent.sleep(SNAPSHOT_EVERY_S)
