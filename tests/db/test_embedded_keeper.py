"""The keeper: no server outlives its owner, whatever way the owner goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 10.0

OWNER = """
import os, sys, time
from fs_dialer.db.embedded import EmbeddedPostgres
server = EmbeddedPostgres(durable=False)
server.start()
print(server.pid, server.home, flush=True)
"""


@contextmanager
def an_owner(then: str) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    """A process that owns a server and goes on with `then`; the process, its postmaster's pid and the cluster's home."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER + then], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert owner.stdout is not None
        pid, home = owner.stdout.readline().split()
        yield owner, int(pid), Path(home)
    finally:
        owner.kill()
        owner.wait()


def lives(pid: int) -> bool:
    """Whether the process runs; one that ended and waits for its parent to notice does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def assert_gone(pid: int, home: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while (lives(pid) or home.exists()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not lives(pid)
    assert not home.exists()


def test_kill_9_of_the_owner_leaves_no_server_and_no_files() -> None:
    with an_owner("time.sleep(60)") as (owner, pid, home):
        assert lives(pid)
        owner.kill()
        owner.wait()
        assert_gone(pid, home)


def test_kill_9_of_an_owner_whose_forked_child_lives_on_leaves_no_server() -> None:
    """The child holds the keeper's pipe open; the parent's pid tells."""
    with an_owner("child = os.fork() or (time.sleep(60), os._exit(0))\nprint(child, flush=True)\ntime.sleep(60)") as (owner, pid, home):
        assert owner.stdout is not None
        child = int(owner.stdout.readline())
        try:
            owner.kill()
            owner.wait()
            assert_gone(pid, home)
            assert lives(child)
        finally:
            os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("end", ["sys.exit(3)", "raise SystemExit", "os._exit(0)"])
def test_an_owner_that_ends_without_stopping_the_server_leaves_none(end: str) -> None:
    with an_owner(end) as (owner, pid, home):
        owner.wait()
        assert_gone(pid, home)


def test_a_forked_child_that_stops_the_server_by_mistake_stops_nothing() -> None:
    then = """
if os.fork() == 0:
    server.stop()
    os._exit(0)
os.wait()
print("child is gone", flush=True)
time.sleep(60)
"""
    with an_owner(then) as (owner, pid, _):
        assert owner.stdout is not None
        assert owner.stdout.readline() == "child is gone\n"
        assert lives(pid)


def test_ctrl_c_in_the_terminal_does_not_reach_the_server() -> None:
    """A terminal sends it to the foreground process group: the server is in another session altogether."""
    with an_owner("time.sleep(60)") as (owner, pid, _):
        assert os.getsid(pid) != os.getsid(owner.pid)


def test_signals_sent_to_the_keeper_stop_nothing() -> None:
    with an_owner("time.sleep(60)") as (_, pid, _):
        keeper = keeper_of(pid)
        for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(keeper, sent)
        with pytest.raises(subprocess.TimeoutExpired):
            subprocess.run(["tail", f"--pid={keeper}", "-f", "/dev/null"], timeout=0.7)
        assert lives(pid)


def keeper_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_kill_9_of_the_keeper_stops_the_server_and_the_owner_still_tidies_up() -> None:
    with an_owner("sys.stdin.readline()\nserver.stop()") as (owner, pid, home):
        os.kill(keeper_of(pid), signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE_S
        while lives(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not lives(pid)
        assert owner.stdin is not None
        owner.stdin.write("\n")
        owner.stdin.flush()
        assert owner.wait(PATIENCE_S) == 0
        assert not home.exists()


def test_a_reader_of_the_owners_stdout_sees_its_end_though_the_server_still_stops() -> None:
    """`bin/demo --json | jq` must not wait for PostgreSQL."""
    with an_owner("os._exit(0)") as (owner, _, _):
        assert owner.stdout is not None
        assert owner.stdout.read() == ""
