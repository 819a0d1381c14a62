"""An operator's day at the command line: a daemon runs, dials a simulated switch over TCP, and answers what is asked of it.

One world for all of them; the tests stand in the order of the day.
"""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from fs_dialer.cli.rig import CAMPAIGN, Rig, rig, write_definitions
from tests.cli.runner import ROOT, Done, run

SLOW = {"customers": {"outcomes": {"person": 1}, "ring": "0.3s", "talk": "60s", "first_response": "0.1s"}}
DEADLINE_S = 30.0


@pytest.fixture(scope="module")
def world() -> Iterator[Rig]:
    """Definitions applied, leads imported, a switch up, and a daemon running."""
    with rig(durable=False) as made:
        made.environ["PYTHONPATH"] = str(ROOT)
        made.start_switch(SLOW, seed=1)
        place = write_definitions(made.folder, agents=4, leads=50, nailed=2, cps=20, lines=40)
        for words in (("db", "migrate"), ("apply", str(place)), ("lead", "import", str(place / "leads.csv"), "--campaign", CAMPAIGN)):
            made.command(*words)
        with (made.folder / "daemon.log").open("w") as log:
            daemon = subprocess.Popen([sys.executable, "-m", "fs_dialer", "run"], env=made.environ, stdout=log, stderr=log)
            try:
                _until(lambda: _asked(made, "status", "--json").json["daemon"], "the daemon did not come up")
                yield made
            finally:
                daemon.send_signal(signal.SIGTERM)
                time.sleep(0.2)
                daemon.send_signal(signal.SIGTERM)
                daemon.wait(30)


def _asked(world: Rig, *words: str) -> Done:
    return run(*words, environ=world.environ)


def _until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.2)


@pytest.mark.spec("S25")
def test_a_daemon_refuses_to_start_what_is_not_approved(world: Rig) -> None:
    done = _asked(world, "start", CAMPAIGN, "--json")
    assert done.code == 1 and done.json["result"] == "refused"
    assert done.json["text"] == "it is not approved yet" and "was not changed: it is not approved yet" in done.err


@pytest.mark.spec("S26")
def test_approve_start_and_available_are_done_at_once(world: Rig) -> None:
    assert _asked(world, "approve", CAMPAIGN, "--json").json["result"] == "done"
    assert _asked(world, "start", CAMPAIGN).out == f"{CAMPAIGN}: running\n"
    answers = _asked(world, "agent", "available", "--all", "--json").json["agents"]
    assert [each["result"] for each in answers] == ["done"] * 4


def test_status_shows_calls_and_agents_of_the_moment(world: Rig) -> None:
    def talking() -> bool:
        found = _asked(world, "status", "--json").json
        return sum(agent["state"] == "talking" for agent in found["agents"]) == 4 and found["campaigns"][0]["lines"] == 4

    _until(talking, "no agent came to talk")
    shown = _asked(world, "status").out
    assert "running" in shown and "4/4" in shown and "4 agents: 4 available (4 talking)" in shown and "The daemon is running" in shown
    assert "talking" in _asked(world, "agent", "list").out


def test_a_status_asked_for_in_a_call_takes_effect_after_it(world: Rig) -> None:
    done = _asked(world, "agent", "not-available", "agent-1", "--reason", "lunch")
    assert done.out == "agent-1: not available; takes effect after this call\n"


@pytest.mark.spec("M19")
def test_pause_leaves_calls_up_and_says_so(world: Rig) -> None:
    assert _asked(world, "pause", CAMPAIGN).out == f"{CAMPAIGN}: paused; calls that are up go on\n"
    _until(lambda: "paused by hand: fs-dialer start" in _asked(world, "status").out, "status does not tell the pause")


def test_a_lead_in_a_call_shows_it(world: Rig) -> None:
    (lead, *_) = _asked(world, "lead", "list", "--status", "in_progress", "--json").json["leads"]
    shown = _asked(world, "lead", "show", str(lead["id"])).out
    assert "being called" in shown and "up now" in shown


@pytest.mark.spec("M19")
def test_end_with_calls_up_wants_the_name_or_yes(world: Rig) -> None:
    done = _asked(world, "end", CAMPAIGN, "--json")
    assert done.code == 2 and "4 calls are up in demo: say --yes to end it all the same" in done.err
    assert _asked(world, "status", "--json").json["campaigns"][0]["state"] == "paused"
    assert _at_a_terminal(world, "something else\n")[0] == 1
    code, shown = _at_a_terminal(world, f"{CAMPAIGN}\n")
    assert code == 0 and "Type the campaign's name to end it" in shown and "ending; 4 calls are still up" in shown


@pytest.mark.spec("D11")
def test_an_ended_campaign_never_starts_again(world: Rig) -> None:
    """D11."""
    done = _asked(world, "start", CAMPAIGN)
    assert done.code == 1 and "was not changed: it is ending" in done.err


def _at_a_terminal(world: Rig, typed: str) -> tuple[int, str]:
    """`end`, with somebody at the keyboard."""
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "fs_dialer", "end", CAMPAIGN]
    process = subprocess.Popen(words, env=world.environ, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    os.close(theirs)
    os.write(ours, typed.encode())
    shown, _ = process.communicate(timeout=30)
    os.close(ours)
    return process.returncode, shown.decode()


def test_json_of_the_whole_day_was_json(world: Rig) -> None:
    for words in (("campaign", "list"), ("campaign", "show", CAMPAIGN), ("agent", "list"), ("lead", "list"), ("db", "status"), ("status",)):
        assert json.loads(_asked(world, *words, "--json").out)
