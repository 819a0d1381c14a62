"""`fs-dialer demo`: from nothing to a campaign and its totals in one command."""

from __future__ import annotations

import json
import os
import subprocess
import sys


def test_the_demo_ends_with_0_and_totals_that_agree() -> None:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("FS_DIALER_")}
    words = [sys.executable, "-m", "fs_dialer", "demo", "--for", "5", "--agents", "2", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, env=environ, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    (line,) = done.stdout.splitlines()
    totals = json.loads(line)
    assert totals["attempts"] >= 1
    assert totals["attempts"] == sum(totals["outcomes"].values()) == totals["database_attempts"]
    assert totals["attempts"] == totals["switch_calls"] + totals["switch_refusals"]
    assert totals["agent_legs"] >= 1
