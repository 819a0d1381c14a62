"""SIGTERM: the first drains, the second ends at once. And what a daemon leaves behind: its journal."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

from tests.scenarios.checks import check_everything
from tests.scenarios.world import World, numbers, person, until


def test_the_first_sigterm_lets_calls_end_and_dials_nobody_new(world: World) -> None:
    world.start_switch(numbers=dict.fromkeys(numbers(1, 2), person(talk="3s")) | {numbers(3, 1)[0]: person(ring="2s")})
    world.define(agents=3, nailed=3)
    world.add_leads(numbers(1, 30))
    world.order_start(3)
    daemon = world.start_daemon()
    until(lambda: len(world.witness.talking()) == 2 and world.witness.ringing(), 15, "two talk, one rings")
    daemon.signal(signal.SIGTERM)
    daemon.says("draining")
    assert daemon.ended(15) == 0
    assert [leg.number for leg in world.witness.legs("lead")] == numbers(1, 3)
    assert set(world.outcomes().values()) == {"connected"}
    assert world.one("SELECT count(*) FROM leads WHERE claimed_epoch IS NOT NULL") == 0
    check_everything(world)


def test_the_second_sigterm_ends_the_daemon_at_once_and_its_calls_go_on(world: World) -> None:
    """The next daemon gets its own SIGTERM while it still asks which legs are left: it drains what it adopts all the same."""
    talking, rings = numbers(1, 2), numbers(3, 1)[0]
    world.start_switch(numbers=dict.fromkeys(talking, person(talk="7s")) | {rings: {"outcome": "busy", "refuse": "3s"}})
    world.define(agents=3, nailed=1)
    world.add_leads([*talking, rings])
    world.order_start(3)
    daemon = world.start_daemon()
    until(lambda: len(world.witness.talking()) == 2, 15, "two talk")
    daemon.signal(signal.SIGTERM)
    daemon.says("draining")
    daemon.signal(signal.SIGTERM)
    assert daemon.ended(3) == 0
    assert len(world.witness.talking()) == 2
    until(lambda: not world.witness.ringing(), 10, "the third is over, and nobody hears of it")
    second = world.start_daemon()
    second.says("switch_up")
    assert second.terminate() == 0
    assert world.outcomes() == dict.fromkeys(talking, "connected") | {rings: "unknown"}
    check_everything(world)


@pytest.mark.spec("X6")
def test_a_recorded_run_gives_the_same_actions_again_or_the_first_difference(world: World) -> None:
    """X6. The journal is that of a live run; what is changed in it is one answer."""
    world.start_switch()
    world.define(agents=3, nailed=1)
    world.add_leads(numbers(1, 4))
    world.order_start(3)
    daemon = world.start_daemon()
    until(lambda: world.closed() == 4, 30, "four calls end")
    assert daemon.terminate() == 0
    (journal,) = world.journals()
    assert journal.stat().st_mode & 0o777 == 0o600, "it holds telephone numbers"
    lines = journal.read_text().splitlines(keepends=True)

    def replayed(text: str) -> tuple[int, dict[str, object]]:
        copy = world.folder / "copy.jsonl"
        copy.write_text(text)
        words = [sys.executable, "-m", "fs_dialer", "replay", str(copy), "--json"]
        done = subprocess.run(words, capture_output=True, text=True, env=world.rig.environ, check=False)
        return done.returncode, json.loads(done.stdout)

    assert replayed("".join(lines)) == (0, {"events": len(lines) - 1, "same": True, "difference": None})
    assert replayed("".join(lines)[:-20])[0] == 0, "a torn last line is no difference"
    number, line = next((n, line) for n, line in enumerate(lines) if '"LegAnswered"' in line)
    code, result = replayed("".join([*lines[:number], line.replace("LegAnswered", "LegDestroyed"), *lines[number + 1 :]]))
    assert code == 1
    difference = result["difference"]
    assert isinstance(difference, dict) and difference["line"] > number
