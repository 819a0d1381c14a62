"""What is shown of a daemon: why it is not well, counts that are not asked for too often, answers that were timed before anybody waits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import gevent
import pytest

from fs_dialer.core.snapshot import Snapshot
from fs_dialer.db.lead_api import LeadApi
from fs_dialer.errors import EslDisconnected, StoreError
from fs_dialer.runtime.daemon_view import COUNTS_OLD_S, LiveView
from tests.runtime.greens import until
from tests.web.snapshots import ENGINE


@dataclass
class Engine:
    seen: Snapshot = ENGINE

    def snapshot(self) -> Snapshot:
        return self.seen


class Link:
    up = True

    def api(self, command: str) -> str:
        if not self.up:
            raise EslDisconnected("gone")
        return "fs-dialer"


class ADaemon:
    def __init__(self) -> None:
        self.dialer, self.client, self.active, self.lag_s = Engine(), Link(), True, 0.0


class Leads:
    def __init__(self) -> None:
        self.counted, self.up = 0, True

    def lead_counts(self) -> dict[tuple[str, str], int]:
        if not self.up:
            raise StoreError("away", lost=True)
        self.counted += 1
        return {("spring", "new"): self.counted}

    def ping(self) -> None:
        if not self.up:
            raise StoreError("away", lost=True)


class World:
    def __init__(self) -> None:
        self.daemon, self.leads, self.now = ADaemon(), Leads(), 0.0
        self.view = LiveView(cast(Any, self.daemon), cast(LeadApi, self.leads), lambda: self.now)


@pytest.fixture
def world() -> World:
    return World()


def test_a_daemon_that_can_work_is_well(world: World) -> None:
    assert world.view.health().ok and world.view.health().active


@pytest.mark.parametrize(
    ("changed", "lag_s", "reason"),
    [
        ({"switch_up": False}, 0.0, "the link to the switch is down"),
        ({"store_up": False}, 0.0, "the database is away"),
        ({"draining": True}, 0.0, "draining: it ends when its last call is over"),
        ({}, 2.5, "events wait 2.5 s before they are handled"),
    ],
)
def test_whatever_keeps_it_from_work_is_told(world: World, changed: dict[str, bool], lag_s: float, reason: str) -> None:
    world.daemon.dialer.seen, world.daemon.lag_s = replace(ENGINE, **cast(Any, changed)), lag_s
    assert world.view.health().reasons == (reason,)
    assert not world.view.health().ok


def test_one_that_stands_by_shows_nothing_of_an_engine(world: World) -> None:
    world.daemon.active = False
    assert not world.view.health().active and world.view.snapshot() is None
    assert world.view.latencies_s()["inbox"] is None


def test_leads_are_counted_again_only_when_the_count_is_old(world: World) -> None:
    assert [world.view.lead_counts()["spring", "new"] for _ in range(3)] == [1, 1, 1]
    world.now = COUNTS_OLD_S
    assert world.view.lead_counts()["spring", "new"] == 2


def test_a_database_that_is_away_leaves_the_last_count(world: World) -> None:
    world.view.lead_counts()
    world.now, world.leads.up = COUNTS_OLD_S, False
    assert world.view.lead_counts() == {("spring", "new"): 1}


def test_switch_and_database_are_timed_in_the_background(world: World) -> None:
    assert world.view.latencies_s() == {"inbox": 0.0, "esl": None, "database": None}
    asking = gevent.spawn(world.view._ask_on)
    try:
        until(lambda: world.view.latencies_s()["esl"] is not None)
        known = world.view.latencies_s()
        assert all(value is not None and 0 <= value < 1 for value in known.values())
    finally:
        asking.kill()


def test_one_that_does_not_answer_is_not_known(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fs_dialer.runtime.daemon_view.ASK_EVERY_S", 0.001)
    world.leads.up, world.daemon.client.up = False, False
    asking = gevent.spawn(world.view._ask_on)
    gevent.sleep(0.02)
    asking.kill()
    assert world.view.latencies_s() == {"inbox": 0.0, "esl": None, "database": None}
