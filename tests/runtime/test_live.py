"""The daemon's own part: its doors, its greenlets, its journal. How it lives and dies is tests/scenarios' subject."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from fs_dialer.core import events as ev
from fs_dialer.core.snapshot import Snapshot
from fs_dialer.db.memory import MemoryStore
from fs_dialer.esl.client import EslSettings
from fs_dialer.runtime import live
from fs_dialer.runtime.agent_hub import AgentHub
from fs_dialer.runtime.agent_web import AgentDoor
from fs_dialer.runtime.journal import replay
from fs_dialer.runtime.live import Daemon, LiveSettings
from fs_dialer.runtime.web_ports import Refused
from tests.runtime.day import NOON, a_store
from tests.runtime.greens import settle, until


class Store(MemoryStore):
    """What a daemon needs beyond the contract."""

    def publish(self, snapshot: Snapshot) -> None:
        pass


class Ear:
    """No hints."""

    def hints(self, timeout_s: float) -> list[object]:
        gevent.sleep(timeout_s)
        return []

    def close(self) -> None:
        pass


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    store = Store(lambda: NOON)
    a_store(office=store, leads=3)
    made = Daemon(LiveSettings(EslSettings(port=1), "native", tmp_path, tmp_path / "journal", 3600.0, seed=5), store, Ear())
    yield made
    gevent.killall(list(made._greenlets))


def test_a_part_that_fails_ends_the_daemon_with_1_and_is_in_the_log(daemon: Daemon, caplog: pytest.LogCaptureFixture) -> None:
    def fails() -> None:
        raise RuntimeError("a bug of ours")

    with caplog.at_level(logging.CRITICAL):
        daemon.spawn(fails)
        until(daemon._stop.is_set)
    assert daemon._exit_code == 1
    assert "a bug of ours" in caplog.text


def test_an_interface_of_a_daemon_that_is_not_the_active_one_says_so_of_every_agent(daemon: Daemon) -> None:
    """Who there is it reads only when it becomes active: "no such agent" would send a screen away for good."""
    door = AgentDoor(AgentHub(daemon.put, lambda *_: None, is_active=lambda: daemon.active, knows=daemon.desk.knows), None)  # type: ignore[arg-type]
    assert door.knows("ana")
    for asked in (lambda: door.desk("ana"), lambda: door.card("ana", lead=1)):
        with pytest.raises(Refused) as refused:
            asked()
        assert (refused.value.status, refused.value.error) == (503, "standing_by")


def test_a_part_that_is_done_or_was_ended_ends_nobody(daemon: Daemon) -> None:
    daemon.spawn(lambda: None)
    daemon.spawn(gevent.sleep, 60).kill()
    settle()
    assert not daemon._stop.is_set()
    assert daemon._greenlets == set()


def test_the_first_drain_is_an_event_and_the_second_stops_at_once(daemon: Daemon) -> None:
    daemon.drain()
    assert not daemon._stop.is_set()
    assert [event for _, event in daemon._inbox.queue] == [ev.DrainAsked()]
    daemon.drain()
    assert daemon._stop.is_set()
    assert daemon._exit_code == 0


def test_a_failure_is_not_forgotten_by_a_stop_that_follows(daemon: Daemon) -> None:
    daemon.stop(1)
    daemon.stop(0)
    assert daemon._exit_code == 1


@pytest.mark.spec("X6")
def test_the_loop_takes_events_in_order_and_what_it_did_can_be_replayed(daemon: Daemon) -> None:
    """X6: ticks that moved a timer and brought no action are in the journal as well."""
    daemon._open_journal()
    daemon._load()
    daemon.spawn(daemon._loop)
    daemon.put(ev.SwitchUp(daemon.switches.main.name, ()))
    daemon.put(ev.ReconcileDone(daemon.switches.main.name))
    until(lambda: daemon.dialer.snapshot().switch_up)
    daemon.drain()
    until(daemon._stop.is_set)
    assert daemon._journal is not None
    path = daemon._journal.path
    daemon._journal.close()
    result = replay(path)
    assert result.difference is None
    assert result.events >= 8


def test_a_loop_that_slept_asks_who_leads_before_it_does_anything(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped process, a paused machine: another daemon's calls must not be touched by timers that are due since."""
    daemon._load()
    monkeypatch.setattr(live, "ASLEEP_S", -1.0)  # as if every pass came after a long sleep
    other = Store(lambda: NOON, daemon._store._db)  # type: ignore[attr-defined]
    daemon._store.close()
    assert other.take_epoch("the other") is not None
    before = daemon.dialer.snapshot()
    daemon.put(ev.SwitchUp(daemon.switches.main.name, ()))
    daemon._loop()
    assert daemon._exit_code == 1
    assert daemon.dialer.snapshot() == before, "an event was handled"


def test_a_loop_that_slept_and_still_leads_goes_on(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon._load()
    monkeypatch.setattr(live, "ASLEEP_S", -1.0)
    daemon.spawn(daemon._loop)
    daemon.put(ev.SwitchUp(daemon.switches.main.name, ()))
    until(lambda: daemon.dialer.snapshot().switch_up)
    daemon.stop()


def test_old_journals_are_removed_and_others_left(daemon: Daemon) -> None:
    folder = daemon._settings.journal_dir
    assert folder is not None
    folder.mkdir()
    old, young, foreign = folder / "20200101T000000Z-1.jsonl", folder / "20300101T000000Z-1.jsonl", folder / "notes.txt"
    for path in (old, young, foreign):
        path.write_text("x")
    for path in (old, foreign):
        os.utime(path, (time.time() - 7200,) * 2)
    daemon._open_journal()
    assert not old.exists() and young.exists() and foreign.exists()
    assert daemon._journal is not None
    daemon._journal.close()


def test_a_journal_that_can_not_be_written_stops_nobody(daemon: Daemon, caplog: pytest.LogCaptureFixture) -> None:
    folder = daemon._settings.journal_dir
    assert folder is not None
    folder.write_text("a file stands where the folder should be")
    with caplog.at_level(logging.ERROR):
        daemon._open_journal()
    assert "no journal" in caplog.text
    daemon._load()


def test_a_daemon_told_to_stop_while_it_stands_by_never_becomes_active(daemon: Daemon) -> None:
    other = Store(lambda: NOON, daemon._store._db)  # type: ignore[attr-defined]
    daemon._store.close()
    assert other.take_epoch("the other") is not None
    standing_by = daemon.spawn(daemon._become_active)
    settle()
    daemon.drain()
    daemon.stop()
    assert until(standing_by.ready) and standing_by.value is False
