"""Definitions change while a daemon dials: planned, applied, approved, and ended by a file. The tests stand in the order of that day."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fs_dialer.cli.rig import CAMPAIGN, Rig, rig, write_definitions
from tests.cli.runner import ROOT, Done, run

pytestmark = pytest.mark.spec("X5", "D5")

SLOW = {"customers": {"outcomes": {"person": 1}, "ring": "0.3s", "talk": "60s", "first_response": "0.1s"}}
DEADLINE_S = 30.0


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Rig, Path]]:
    """A campaign that runs with two agents who talk, and its file."""
    with rig(durable=False) as made:
        made.environ["PYTHONPATH"] = str(ROOT)
        made.start_switch(SLOW, seed=1)
        place = write_definitions(made.folder, agents=2, leads=20, nailed=2, cps=20, lines=40)
        for words in (("db", "migrate"), ("apply", str(place)), ("lead", "import", str(place / "leads.csv"), "--campaign", CAMPAIGN)):
            made.command(*words)
        with (made.folder / "daemon.log").open("w") as log:
            daemon = subprocess.Popen([sys.executable, "-m", "fs_dialer", "run"], env=made.environ, stdout=log, stderr=log)
            try:
                _until(lambda: _asked(made, "status", "--json").json["daemon"], "the daemon did not come up")
                for line in (f"approve {CAMPAIGN}", f"start {CAMPAIGN}", "agent available --all"):
                    made.command(*line.split())
                _until(lambda: _asked(made, "campaign", "show", CAMPAIGN, "--json").json["open_attempts"] == 2, "nobody came to talk")
                yield made, next(place.rglob(f"{CAMPAIGN}.yml"))
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


def test_a_plan_counts_the_calls_in_the_air_and_its_apply_leaves_the_old_revision_dialling(world: tuple[Rig, Path]) -> None:
    made, file = world
    file.write_text(file.read_text().replace("title: A demonstration", "title: Changed"))
    planned = _asked(made, "plan", str(file))
    assert "  . 2 calls in the air keep r1; r2 needs approval again" in planned.out
    name = planned.out.splitlines()[-1].split()[1].rstrip(":")
    done = _asked(made, "apply", name)
    assert done.code == 0 and f"ok {CAMPAIGN}  r2 stored, r1 dials on until: fs-dialer approve {CAMPAIGN}@2" in done.out
    shown = _asked(made, "campaign", "show", CAMPAIGN, "--json").json
    assert (shown["state"], shown["revision"], shown["newest_revision"]) == ("running", 1, 2)


def test_an_approval_while_it_dials_brings_the_new_revision_and_cuts_no_call(world: tuple[Rig, Path]) -> None:
    made, _ = world
    assert _asked(made, "approve", f"{CAMPAIGN}@2", "--json").json["result"] == "done"
    shown = _asked(made, "campaign", "show", CAMPAIGN, "--json").json
    assert (shown["state"], shown["revision"], shown["title"], shown["open_attempts"]) == ("running", 2, "Changed", 2)


def test_a_pause_between_plan_and_apply_makes_the_plan_stale(world: tuple[Rig, Path]) -> None:
    made, file = world
    text = file.read_text()
    file.write_text(text.replace("title: Changed", "title: Again"))
    plan = _asked(made, "plan", str(file), "--json").json["plan"]
    made.command("pause", CAMPAIGN)
    done = _asked(made, "apply", plan)
    assert done.code == 3 and f"{plan} is stale" in done.err and f"paused {CAMPAIGN} at " in done.err
    file.write_text(text)


@pytest.mark.spec("M19", "D11")
def test_a_file_ends_a_campaign_through_the_daemon(world: tuple[Rig, Path]) -> None:
    made, file = world
    file.write_text(file.read_text() + "state: ended\n")
    done = _asked(made, "apply", str(file), "--confirm", CAMPAIGN, "--json").json
    assert [(each["campaign"], each["result"]) for each in done["ending"]] == [(CAMPAIGN, "done")]
    assert _asked(made, "campaign", "show", CAMPAIGN, "--json").json["state"] in ("draining", "ended")
    assert _asked(made, "plan", str(file), "--json").json["changes"] == [], "what ends already is not ended again"
