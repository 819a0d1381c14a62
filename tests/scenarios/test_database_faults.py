"""The database is away: at the start, and in the middle of calls (architecture.md, the shell: Database gone)."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fs_dialer.db.embedded import EmbeddedPostgres
from fs_dialer.db.migrate import migrate
from tests.scenarios.checks import check_everything
from tests.scenarios.world import World, numbers, person, until


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    """A server of this test's own, that may be crashed and started again on the same data."""
    folder = Path(tempfile.mkdtemp(prefix="fsd-"))  # pytest's tmp_path is closed to the account that root's server runs as
    folder.chmod(0o755)
    own = EmbeddedPostgres(folder / "pg", keep=True)  # durable: an attempt that was committed must outlive the crash
    own.start()
    migrate(own.dsn)
    yield own
    own.stop()
    shutil.rmtree(folder)


@pytest.fixture
def world(server: EmbeddedPostgres, tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, server.dsn)
    yield made
    made.close()


def crash(server: EmbeddedPostgres) -> None:
    """An immediate shutdown: every connection is cut, and the next start recovers from the log."""
    os.kill(server.pid, signal.SIGQUIT)
    server.stop()


def test_a_database_that_is_down_at_start_is_waited_for(world: World, server: EmbeddedPostgres) -> None:
    world.start_switch()
    world.define(agents=2)
    world.add_leads(numbers(1, 3))
    world.order_start(2)
    server.stop()
    daemon = world.start_daemon(active=False)
    daemon.says("the database can't be used yet")
    assert world.witness.legs() == []
    server.start()
    until(lambda: world.closed() == 3, 30, "the leads are called")
    assert daemon.terminate() == 0
    check_everything(world)


def test_a_database_that_dies_in_mid_campaign_costs_no_result_and_no_second_call(world: World, server: EmbeddedPostgres) -> None:
    """Nothing is dialled without it; those who ring are served when they answer, those who talk go on, and their results wait in the spool."""
    talking, ringing = numbers(1, 2), numbers(3, 2)
    busy_people = {"outcomes": {"busy": 1}, "refuse": "uniform(0.05s, 0.1s)", "first_response": "0.02s"}
    world.start_switch(
        customers=busy_people,
        numbers=dict.fromkeys(talking, person(talk="4s")) | dict.fromkeys(ringing, person(ring="5s", talk="1s")),
    )
    world.define(agents=8, nailed=8, cps=60)
    world.order_start(8)
    daemon = world.start_daemon()
    eyes, spool = world.witness, world.folder / "state" / "spool.jsonl"
    until(lambda: len(eyes.up("agent")) == 8, 60, "the nailed agents are up")
    world.add_leads([*talking, *ringing])
    until(lambda: len(eyes.talking()) == len(eyes.ringing()) == 2, 60, "two talk, two ring")
    world.add_leads(numbers(5, 400))
    until(lambda: len(eyes.legs("lead")) > 30, 60, "dialling is in full swing")
    crash(server)
    daemon.says("the database is away")
    daemon.says("store_down")
    dialled = len(eyes.legs("lead"))
    until(lambda: [leg for leg in eyes.legs("lead") if leg.met] and not eyes.up("lead"), 20, "those who were up talk to an agent and hang up")
    assert len([leg for leg in eyes.legs("lead") if leg.met]) == 4
    assert len(eyes.legs("lead")) <= dialled + 2, "something was dialled with the database away"
    assert spool.stat().st_size > 0
    server.start()
    daemon.says("the database is back")
    until(lambda: not spool.exists(), 10, "the spool is replayed")
    assert {world.outcomes()[number] for number in (*talking, *ringing)} == {"connected"}
    closed = world.closed()
    until(lambda: world.closed() > closed + 20, 20, "dialling goes on")
    assert daemon.terminate() == 0
    check_everything(world)


def test_results_left_in_the_spool_are_stored_by_the_next_daemon(world: World, server: EmbeddedPostgres) -> None:
    """The daemon dies before the database is back: what it wrote down is not lost, and counts as what it was."""
    world.start_switch(numbers=dict.fromkeys(numbers(1, 2), person(talk="2s")))
    world.define(agents=2, nailed=2)
    world.add_leads(numbers(1, 2))
    world.order_start(2)
    first = world.start_daemon()
    until(lambda: len(world.witness.talking()) == 2, 60, "two talk")
    crash(server)
    spool = world.folder / "state" / "spool.jsonl"
    until(lambda: spool.exists() and spool.read_text().count("\n") == 2, 15, "both results are in the spool")
    first.kill()
    server.start()
    second = world.start_daemon()
    second.says("2 results from the spool are stored")
    second.says("switch_up")
    assert set(world.outcomes().values()) == {"connected"}
    assert second.terminate() == 0
    check_everything(world)
