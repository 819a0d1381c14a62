"""What becomes of callers is written in order, outlives a database that is away, and settles the rows of the switch only when it is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gevent
import gevent.event
import pytest

from fs_dialer.core import actions as act
from fs_dialer.core.model import AgentId, AgentStatus, AttemptId, SwitchId
from fs_dialer.errors import StoreError
from fs_dialer.runtime import store_workers
from fs_dialer.runtime.spool import Spool
from fs_dialer.runtime.store_workers import StoreWorkers
from tests.runtime.day import NOON
from tests.runtime.greens import until
from tests.runtime.test_store_workers import ShakyStore, Switch

MAIN = SwitchId("main")
pytestmark = pytest.mark.spec("D8", "S81")


class CallerStore(ShakyStore):
    """Notes what is written of callers; refuses `poison`."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def _write(self, word: str, call: str) -> None:
        self._ask(f"{word} {call}")
        if call == "poison":
            raise StoreError("it is refused", lost=False)
        self.written.append(f"{word} {call}")

    def caller_served(self, action: act.CallerServed) -> None:
        self._write("served", action.call)

    def callers_left(self, gone: Sequence[act.CallerLeft]) -> None:
        """All of them or none."""
        self._ask("left " + ",".join(action.call for action in gone))
        if any(action.call == "poison" for action in gone):
            raise StoreError("it is refused", lost=False)
        self.written += [f"left {action.call}" for action in gone]

    def opt_out(self, action: act.OptOut) -> None:
        self._write("opt_out", action.number)


class Bench:
    def __init__(self, folder: Path) -> None:
        self.store = CallerStore()
        self.store.take_epoch("test")
        self.greenlets: list[gevent.Greenlet] = []
        self.forgotten: list[str] = []
        self.events: list[Any] = []
        self.spool = Spool(folder / "spool.jsonl")
        forget = lambda action: self.forgotten.extend(action.rows)  # noqa: E731
        self.workers = StoreWorkers(self.store, Switch(self.store), self.spool, self.events.append, self.spawn, lambda: NOON, lambda: None, forget)
        self.workers.start()

    def spawn(self, work: Any, *args: Any) -> gevent.Greenlet:
        self.greenlets.append(gevent.spawn(work, *args))
        return self.greenlets[-1]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(store_workers, "PROBE_EVERY_S", 0.01)
    made = Bench(tmp_path)
    yield made
    gevent.killall(made.greenlets)
    assert [one for one in made.greenlets if one.exception is not None] == [], "a worker failed"


def left(call: str, number: str = "", why: str = "callback") -> act.CallerLeft:
    return act.CallerLeft(AttemptId(call), "support", number or f"+34{call}", why, None, 30.0, 0.0, False, NOON, MAIN, NOON, (f"{call}.key",))


def served(call: str) -> act.CallerServed:
    return act.CallerServed(AttemptId(call), "support", f"+34{call}", AgentId("ana"), 1.0, NOON)


def test_rows_of_the_switch_are_forgotten_after_the_commit(bench: Bench) -> None:
    bench.workers.write(left("c1"))
    until(lambda: bench.forgotten == ["c1.key"])
    assert bench.store.written == ["left c1"]


def test_one_caller_is_written_in_order_and_so_is_one_number(bench: Bench) -> None:
    for action in (served("c1"), left("c1"), left("c2", "+34same"), left("c3", "+34same"), served("c4")):
        bench.workers.write(action)
    until(lambda: len(bench.store.written) == 5)
    order = bench.store.written
    assert order.index("served c1") < order.index("left c1") and order.index("left c2") < order.index("left c3")


def test_while_the_database_is_away_callers_are_on_disk_and_their_rows_stay(bench: Bench) -> None:
    bench.store.away = True
    for n in range(5):
        bench.workers.write(left(f"c{n}"))
    bench.workers.write(act.OptOut(MAIN, None, None, "+34stop", "opt-out", NOON, ("o.opt_out",)))
    until(lambda: bench.spool.path.exists() and len(bench.spool.path.read_text().splitlines()) == 6)
    assert not bench.forgotten
    bench.store.away = False
    until(lambda: len(bench.forgotten) == 6)
    assert bench.store.written == [*(f"left c{n}" for n in range(5)), "opt_out +34stop"] and not bench.spool


def test_what_the_database_refuses_keeps_its_row_and_holds_up_nobody(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    for call in ("c1", "poison", "c2"):
        bench.workers.write(left(call))
    until(lambda: sorted(bench.forgotten) == ["c1.key", "c2.key"])
    assert "the database refused CallerLeft" in caplog.text


def test_a_spool_with_something_that_is_refused_is_written_to_its_end(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.spool.append([left("poison"), left("c1")])
    bench.workers.replay_spool()
    assert bench.store.written == ["left c1"] and not bench.spool and "refused" in caplog.text


@pytest.mark.spec("D8", "S81")
def test_callers_who_leave_together_are_written_together(bench: Bench) -> None:
    for n in range(20):
        bench.workers.write(left(f"c{n}", "+34same"))
    until(lambda: len(bench.forgotten) == 20)
    assert [asked for asked in bench.store.calls if asked.startswith("left")] == ["left " + ",".join(f"c{n}" for n in range(20))]
    assert bench.store.written == [f"left c{n}" for n in range(20)]


def test_a_caller_told_twice_in_a_row_is_no_reason_to_refuse_the_others(bench: Bench) -> None:
    for call in ("c1", "c2", "c1"):
        bench.workers.write(left(call))
    until(lambda: len(bench.forgotten) == 3)
    assert bench.store.written == ["left c1", "left c2", "left c1"]


@pytest.mark.spec("D8")
def test_what_is_being_written_when_the_database_is_found_to_be_away_takes_nothing_else_with_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own connection held: it is done, and what stood behind it in the line is not dropped in its place."""
    holds = gevent.event.Event()

    def opt_out(action: act.OptOut) -> None:
        holds.wait()
        bench.store.written.append("opt_out")

    monkeypatch.setattr(bench.store, "opt_out", opt_out)
    bench.workers.write(act.OptOut(MAIN, None, None, "+34stop", "opt-out", NOON, ("o.opt_out",)))
    bench.workers.write(act.StoreAgentStatus(AgentId("ana"), AgentStatus.AVAILABLE, "", "a test"))
    gevent.sleep(0.01)
    bench.workers._lost(StoreError("another connection broke", lost=True))
    holds.set()
    until(lambda: "agent ana available" in bench.store.calls)
    until(lambda: bench.workers.idle)


@pytest.mark.spec("D8")
def test_what_was_being_written_when_it_went_away_is_on_disk_with_the_rest(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_workers, "PROBE_EVERY_S", 60.0)
    holds = gevent.event.Event()

    def opt_out(action: act.OptOut) -> None:
        holds.wait()
        raise StoreError("this one broke as well", lost=True)

    monkeypatch.setattr(bench.store, "opt_out", opt_out)
    bench.workers.write(act.OptOut(MAIN, None, None, "+34stop", "opt-out", NOON, ("o.opt_out",)))
    bench.workers.write(left("c1"))
    gevent.sleep(0.01)
    bench.workers._lost(StoreError("another connection broke", lost=True))
    holds.set()
    until(lambda: bench.spool.path.exists() and "+34stop" in bench.spool.path.read_text())
    assert not bench.workers._to_write
