"""The sandbox: what it prints is enough to work with, only its owner can read it, and nothing is left when it ends."""

from __future__ import annotations

import os
import shlex
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.runner import ROOT, called, run

DEADLINE_S = 90.0


@pytest.mark.timeout(200)
def test_its_settings_lead_to_a_database_and_a_switch_and_are_gone_at_its_end(tmp_path: Path) -> None:
    env_file = tmp_path / "sandbox.env"
    words = [sys.executable, "-m", "fs_dialer", "sandbox", "--env", str(env_file), "--json"]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + DEADLINE_S
        while not (env_file.exists() and "STATE_DIR" in env_file.read_text()):
            assert process.poll() is None and time.monotonic() < end, "it did not come up"
            time.sleep(0.2)
        assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
        settings = dict(line.removeprefix("export ").split("=", 1) for line in env_file.read_text().splitlines())
        whole = {**os.environ, **{name: shlex.split(value)[0] for name, value in settings.items()}}
        assert run("db", "migrate", environ=whole).code == 0
        found = run("doctor", "--all", "--json", environ=whole).json
        assert "switch" in str(found) and not [each for each in found["checks"] if each["id"] == "switch_reachable" and each["verdict"] == "bad"]
    finally:
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and '"FS_DIALER_DSN"' in out and not env_file.exists()


def test_a_second_sandbox_does_not_take_the_first_one_s_place(tmp_path: Path) -> None:
    env_file = tmp_path / "sandbox.env"
    env_file.write_text("x")
    done = called("sandbox", "--env", env_file)
    assert done.code == 1 and "is there already" in done.err and env_file.read_text() == "x"


def test_people_that_can_not_be_are_refused_with_their_place(tmp_path: Path) -> None:
    people = tmp_path / "people.yml"
    people.write_text("customers:\n  ring: soon\n")
    done = called("sandbox", "--people", people)
    assert done.code == 3 and "people.yml:2" in done.err
