"""A process beside ours: fresh, and gone when we are."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fs_dialer.config.leads_child import Child

ROOT = Path(__file__).resolve().parents[2]
# A parent that starts two judging processes, gives them work without end, tells their ids, and then waits to be killed.
PARENT = """
import time
from fs_dialer.config import leads_parallel as parallel
children = parallel.start(2)
print(*(child.pid for child in children), flush=True)
time.sleep(600)
"""


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, env=environment) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("signal", [9, 15, 2])
def test_a_parent_that_is_killed_leaves_no_process_behind(parent: subprocess.Popen[str], signal: int) -> None:
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(pids) == 2 and all(map(is_running, pids))
    parent.send_signal(signal)
    wait_until(lambda: not any(map(is_running, pids)))


def test_ctrl_c_does_not_reach_it() -> None:
    """It has a session, and so a process group, of its own."""
    child = Child("fs_dialer.config.leads_parallel", "serve")
    assert os.getsid(child.pid) == child.pid != os.getsid(0)
    child.close()


def test_closing_ends_it_and_may_be_done_twice() -> None:
    child = Child("fs_dialer.config.leads_parallel", "serve")
    child.close()
    child.close()
    assert not is_running(child.pid)


def test_one_that_is_forgotten_ends() -> None:
    child = Child("fs_dialer.config.leads_parallel", "serve")
    pid = child.pid
    del child
    assert not is_running(pid)


def test_it_says_how_it_ended() -> None:
    child = Child("os", "_exit", quiet=True)  # its argument is the socket's descriptor
    with pytest.raises((EOFError, OSError)):
        child.receive()
    assert child.ending().startswith("ended with code")
    child = Child("fs_dialer.config.leads_parallel", "serve")
    os.kill(child.pid, 9)
    assert child.ending() == "was killed by signal 9"


def test_it_imports_no_gevent_and_takes_modules_from_where_we_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither does a file in the folder we stand in come before them."""
    (tmp_path / "marshal.py").write_text("raise SystemExit('the wrong module')")
    (tmp_path / "phonenumbers.py").write_text("raise SystemExit('the wrong module')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "places"))
    (tmp_path / "places").mkdir()
    (tmp_path / "places" / "asked.py").write_text(
        "import marshal, sys\nfrom multiprocessing.connection import Connection\nimport fs_dialer.config.leads_parallel\n"
        "def tell(fd): Connection(fd).send_bytes(marshal.dumps(sorted(sys.modules)))\n"
    )
    child = Child("asked", "tell")
    with contextlib.closing(child):
        modules = set(child.receive())
    assert "fs_dialer.config.leads_parallel" in modules and not modules & {"gevent", "psycopg2", "click", "fs_dialer.db"}
