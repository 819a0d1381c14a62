"""Inbound callers through the whole of it: our dialplan in a simulated switch, a daemon over its socket, PostgreSQL (S71–S90, D12)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest

from fs_dialer.db.embedded import EmbeddedPostgres
from fs_dialer.db.migrate import migrate
from fs_dialer.sim.people import Behaviour
from tests.scenarios.test_database_faults import crash
from tests.scenarios.town import QUICK, WAITS, Town, until
from tests.scenarios.world import World

QUEUE = """
max_wait: 60s
music: tone_stream://%(1000,0,440)
callback: {key: "1", after: 1s, say: sounds/thanks.wav}
wrap_up: {time: 1s}
"""
pytestmark = pytest.mark.spec("S71", "S72", "S74", "S77")


@pytest.fixture
def own_server() -> Iterator[EmbeddedPostgres]:
    """A database server that may be crashed and started again on the same data."""
    folder = Path(tempfile.mkdtemp(prefix="fsd-"))  # pytest's tmp_path is closed to the account that root's server runs as
    folder.chmod(0o755)
    own = EmbeddedPostgres(folder / "pg", keep=True)
    own.start()
    migrate(own.dsn)
    yield own
    own.stop()
    shutil.rmtree(folder)


@pytest.fixture
def town(world: World) -> Iterator[Callable[..., Town]]:
    made: list[Town] = []

    def build(queue: str = QUEUE, **more: object) -> Town:
        made.append(Town(world, queue, **more))  # type: ignore[arg-type]
        return made[-1]

    yield build
    for each in made:
        each.close()


def ready(town: Town, agents: int = 1) -> None:
    until(lambda: (town.queue().get("idle") or 0) == agents, "agents on their legs")


@pytest.mark.spec("S84")
def test_a_caller_is_served_by_a_free_agent(town: Callable[..., Town]) -> None:
    here = town()
    here.world.start_daemon()
    ready(here)
    leg = here.calls(did=Behaviour(after_s=0.0, talk_s=1.0))
    until(lambda: here.callers().get(leg) == "served", "he was served")
    until(lambda: here.counts(came=1, served=1), "and counted")
    assert here.tickets("callback") == [] and here.kept() == []


@pytest.mark.spec("S76", "S81", "D12")
def test_the_key_leaves_a_callback_ticket_and_no_row_in_the_switch(town: Callable[..., Town]) -> None:
    here = town()
    here.world.start_daemon()
    ready(here)
    busy, leg = here.calls(), ""
    until(lambda: here.counts(talking=1), "one talks")
    leg = here.calls("+34600000002")
    until(lambda: here.counts(waiting=1), "the other waits")
    gevent.sleep(1.2)
    here.press(leg)
    until(lambda: here.callers().get(leg) == "callback", "he is called back")
    until(lambda: here.leg(leg) is None, "he was let go")
    assert here.tickets("callback") == ["+34600000002"]
    until(lambda: here.kept() == [], "the row is settled")
    here.hang_up(busy)


@pytest.mark.spec("S73", "D7")
def test_whose_number_is_withheld_is_promised_nothing_and_is_served_in_his_turn(town: Callable[..., Town]) -> None:
    here = town()
    here.world.start_daemon()
    ready(here)
    busy = here.calls()
    until(lambda: here.counts(talking=1), "one talks")
    leg = here.calls("anonymous", Behaviour(after_s=0.0, talk_s=0.5))
    until(lambda: here.counts(waiting=1), "the other waits")
    gevent.sleep(1.2)
    here.press(leg)
    gevent.sleep(2.0)
    assert here.leg(leg) is not None and here.kept() == [] and here.counts(waiting=1)
    here.hang_up(busy)
    until(lambda: here.callers().get(leg) == "served", "he is served")
    assert here.tickets("callback") == []


@pytest.mark.spec("S73", "D8")
def test_a_key_pressed_while_no_daemon_ran_is_found_by_the_next_one(town: Callable[..., Town]) -> None:
    """One who waits on, one who hung up meanwhile, one who pressed nothing."""
    here = town()
    first = here.world.start_daemon()
    ready(here)
    busy = here.calls()
    until(lambda: here.counts(talking=1), "one talks")
    stays, leaves, silent = here.calls("+34600000002"), here.calls("+34600000003"), here.calls("+34600000004")
    until(lambda: here.counts(waiting=3), "three wait")
    first.kill()
    gevent.sleep(1.2)
    here.press(stays)
    here.press(leaves)
    until(lambda: len(here.kept()) == 2, "the switch has kept both")
    here.hang_up(leaves)
    here.world.start_daemon()
    until(lambda: {here.callers().get(stays), here.callers().get(leaves)} == {"callback"}, "both are called back", 30.0)
    assert sorted(here.tickets("callback")) == ["+34600000002", "+34600000003"]
    until(lambda: here.kept() == [], "the rows are settled")
    until(lambda: here.counts(talking=1, waiting=1), "who talked talks on, and who pressed nothing waits on")
    assert here.leg(busy) is not None and here.leg(silent) is not None
    here.hang_up(busy)
    until(lambda: here.callers().get(silent) is not None and here.counts(talking=1, waiting=0), "the next one is served")
    assert here.callers()[busy] == "served"


@pytest.mark.spec("D8")
def test_callers_of_a_dead_daemon_are_released_and_told_to_the_next_one(town: Callable[..., Town]) -> None:
    here = town(QUEUE + "ticket_for_missed: yes\n")
    daemon = here.world.start_daemon()
    ready(here)
    busy = here.calls()
    until(lambda: here.counts(talking=1), "one talks")
    leg = here.calls("+34600000002")
    until(lambda: here.counts(waiting=1), "one waits")
    daemon.kill()
    until(lambda: here.leg(leg) is None, "the fallback let him go", 90.0)
    assert here.leg(busy) is not None and len(here.kept()) == 1
    here.world.start_daemon()
    until(lambda: here.callers().get(leg) == "released", "he is told of", 30.0)
    until(lambda: here.tickets("missed") == ["+34600000002"], "he leaves a ticket")
    until(lambda: here.kept() == [], "the row is settled")


def test_who_waited_too_long_leaves_a_message_and_is_no_missed_caller(town: Callable[..., Town]) -> None:
    here = town("max_wait: 13s\nmusic: tone_stream://%(1000,0,440)\nthen: {do: voicemail, at_most: 10s}\n")
    here.world.start_daemon()
    ready(here)
    here.calls()
    until(lambda: here.counts(talking=1), "one talks")
    leg = here.calls("+34600000002", Behaviour(after_s=0.0, speaks_s=2.0))
    until(lambda: here.callers().get(leg) == "voicemail", "his message is there", 40.0)
    until(lambda: here.tickets("voicemail") == ["+34600000002"], "a ticket says so")


@pytest.mark.spec("S77", "D8", "D12")
def test_two_hundred_press_in_one_moment_and_the_database_goes_away_in_the_middle(own_server: EmbeddedPostgres, tmp_path: Path) -> None:
    """Half of them when it has just gone. All are thanked and let go, none has to wait for it, and when it is back each is called back once."""
    world = World(tmp_path, own_server.dsn)
    here = Town(world, QUEUE)
    try:
        daemon = world.start_daemon()
        ready(here)
        busy = here.calls()
        until(lambda: here.counts(talking=1), "one talks")
        legs = [here.calls(f"+346001{n:05d}") for n in range(200)]
        until(lambda: here.counts(waiting=200), "two hundred wait")
        gevent.sleep(1.2)
        for leg in legs[:100]:
            here.press(leg)
        crash(own_server)
        for leg in legs[100:]:
            here.press(leg)
        until(lambda: not any(here.leg(leg) for leg in legs), "all are let go", 40.0)
        assert "the database is away" in daemon.log()
        assert len(here.kept()) >= 100, "rows went before the database had what follows from them"
        own_server.start()
        until(lambda: "the database is back" in daemon.log(), "the daemon has found it again", 30.0)
        until(lambda: all(here.callers().get(leg) == "callback" for leg in legs), "all are called back", 30.0)
        assert len(here.tickets("callback")) == 200 == len(set(here.tickets("callback")))
        until(lambda: here.kept() == [], "all rows are settled")
        assert here.leg(busy) is not None
    finally:
        here.close()
        world.close()


@pytest.mark.spec("S85")
def test_an_agent_s_phone_rings_and_the_caller_hangs_up(town: Callable[..., Town]) -> None:
    here = town(nailed=False)
    here.people._default = Behaviour("ring", 0.0)
    here.world.start_daemon()
    ready(here)
    leg = here.calls()
    until(lambda: len(here.switch.legs) == 2, "his phone rings")
    here.hang_up(leg)
    until(lambda: not here.switch.legs, "nobody rings any more")
    until(lambda: here.callers().get(leg) == "hung_up", "he hung up")
    here.people._default = QUICK
    again = here.calls(did=Behaviour(after_s=0.0, talk_s=0.5))
    until(lambda: here.callers().get(again) == "served", "the next one is served")


def test_a_queue_that_is_changed_while_callers_wait_is_served_by_whom_it_names_now(town: Callable[..., Town]) -> None:
    here = town(agents=2)
    place = here.world.folder / "definitions"
    text = (place / "queues.yml").read_text().replace("[agent-1, agent-2]", "[agent-2]")
    here.world.start_daemon()
    ready(here, 2)
    (place / "queues.yml").write_text(text, encoding="utf-8")
    here.world.rig.command("apply", str(place))
    until(lambda: here.queue().get("crew") == 1, "one serves it")
    here.calls(did=WAITS)
    until(lambda: here.counts(talking=1), "he talks")
    assert next(a["state"] for a in here.world.snapshot()["agents"] if a["id"] == "agent-2") == "talking"
