"""The small telephone world behind `demo`: it can be set up by a user's own commands, answers for itself, and is gone afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fs_dialer.cli.rig import CAMPAIGN, Rig, rig, write_definitions
from fs_dialer.config.load import load_paths
from fs_dialer.core.model import LegKind
from fs_dialer.errors import FsDialerError

PEOPLE = {"customers": {"outcomes": {"busy": 1}}}


@pytest.fixture
def bare(tmp_path: Path) -> Rig:
    """A rig without a database."""
    (tmp_path / "esl.password").write_text("a-password")
    return Rig(tmp_path, "", {**os.environ})


def test_its_definitions_are_without_a_problem_and_say_what_was_asked(tmp_path: Path) -> None:
    place = write_definitions(tmp_path, agents=5, leads=12, nailed=2, cps=7.5, lines=20)
    found = load_paths([place])
    (campaign,) = found.campaigns
    assert campaign.id == CAMPAIGN
    assert len(campaign.agents.people) == len(found.agents) == 5
    assert [agent.leg for agent in sorted(found.agents, key=lambda agent: agent.id)].count(LegKind.NAILED) == 2
    assert found.installation is not None
    assert (found.installation.lines, found.installation.cps) == (20, 7.5)
    assert len((place / "leads.csv").read_text().splitlines()) == 13


def test_the_switch_answers_for_itself_and_ends_with_the_rig(bare: Rig) -> None:
    bare.start_switch(PEOPLE, seed=1)
    assert bare.environ["FS_DIALER_ESL"] == f"127.0.0.1:{bare.port}"
    assert bare.counters()["lead_legs"] == 0
    assert bare.ask_switch("api show channels count").strip() == "0 total."
    bare.close()
    assert bare.switch is not None and bare.switch.returncode is not None
    bare.close()


def test_a_switch_can_be_started_again_on_the_port_it_had(bare: Rig) -> None:
    bare.start_switch(PEOPLE, seed=1)
    port = bare.port
    bare.close()
    bare.start_switch(PEOPLE, seed=1, port=port)
    assert bare.port == port and bare.counters()["legs"] == 0
    bare.close()


def test_a_switch_that_does_not_start_is_an_error(bare: Rig) -> None:
    with pytest.raises(FsDialerError, match="did not start"):
        bare.start_switch({"customers": {"colour": "red"}}, seed=1)


def test_a_command_that_fails_is_told_with_its_words(bare: Rig) -> None:
    with pytest.raises(FsDialerError, match=r"fs-dialer check .* failed \(\d\)"):
        bare.command("check", str(bare.folder / "nothing.yml"))


def test_nothing_of_the_machines_own_settings_gets_in_and_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FS_DIALER_LOG_LEVEL", "debug")
    with rig(durable=False) as world:
        assert "FS_DIALER_LOG_LEVEL" not in world.environ
        password = world.folder / "esl.password"
        assert password.stat().st_mode & 0o777 == 0o600 and len(password.read_text()) > 15
        world.command("db", "migrate")
        folder = world.folder
    assert not folder.exists()


def test_a_rig_whose_owner_is_killed_leaves_no_switch_behind(tmp_path: Path) -> None:
    """kill -9 of `demo`: the switch watches a pipe."""
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom fs_dialer.cli.rig import Rig\n"
        f"world = Rig(Path({str(tmp_path)!r}), '', dict(os.environ))\nworld.start_switch({PEOPLE!r}, 1)\n"
        "print(world.switch.pid, flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    (tmp_path / "esl.password").write_text("a-password")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    pid = int(done.stdout)
    with pytest.raises(ProcessLookupError):
        for _ in range(10_000):
            os.kill(pid, 0)
            os.sched_yield()
            subprocess.run(["true"], check=True)
