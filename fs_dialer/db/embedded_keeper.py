"""Keeps one PostgreSQL server exactly as long as its owner lives, and tidies up after both.

Run as a program of its own: `python -I -S embedded_keeper.py ORDER`, ORDER being the JSON of `Order`. Knows how to start a server, notice that the
owner is gone and stop the server; knows nothing of clusters, passwords or binaries (embedded.py does), and imports the standard library only.

The owner holds the other end of this process's stdin and never writes to it: end of file means "stop", whether the owner closed it or was killed
with -9. A child that the owner forked holds that end too, so the parent's pid is looked at as well. The keeper has a session of its own: Ctrl-C in
the owner's terminal reaches the owner only, which then may drain before its database goes away.

Why PR_SET_PDEATHSIG in the owner would not do: it fires when the *thread* that started the server ends, is cleared when the uid changes, needs code
between fork and exec of a process full of threads, and removes no files. Here, in a process of one thread, it is the second net, for the day when
the keeper itself is killed. Weighed in docs/decisions/0001-embedded-postgresql.md.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from typing import TypedDict

# How often to look whether the owner's pid is still our parent; the pipe tells at once in all common cases.
PARENT_CHECK_S = 0.5
PR_SET_PDEATHSIG = 1  # linux/prctl.h
# SIGINT: disconnect everyone, checkpoint, end. SIGQUIT: end without a checkpoint (recovery at the next start). SIGKILL leaves shared memory behind.
STOP_SIGNALS = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))


class Order(TypedDict):
    """What to do; `account` is (uid, gid) to run the server as, or None for our own."""

    owner_pid: int
    command: list[str]
    folder: str
    account: tuple[int, int] | None
    remove: list[str]


def keep(order: Order) -> int:
    """Run the server until it ends or the owner goes; its exit code. Removes order["remove"] in either case."""
    account = order["account"]
    server = subprocess.Popen(
        order["command"],
        cwd=order["folder"],
        stdin=subprocess.DEVNULL,
        user=account[0] if account else None,
        group=account[1] if account else None,
        extra_groups=[] if account else None,
        preexec_fn=_end_with_the_keeper if sys.platform == "linux" else None,
    )
    while server.poll() is None and _owner_lives(order["owner_pid"]):
        pass
    for stop, patience_s in STOP_SIGNALS:
        if server.poll() is not None:
            break
        server.send_signal(stop)
        try:
            server.wait(patience_s)
        except subprocess.TimeoutExpired:
            continue
    for path in order["remove"]:
        shutil.rmtree(path, ignore_errors=True)
    return server.returncode or 0


def _owner_lives(owner_pid: int) -> bool:
    """Waits up to PARENT_CHECK_S for news from the pipe."""
    readable, _, _ = select.select([sys.stdin.fileno()], [], [], PARENT_CHECK_S)
    if readable and not os.read(sys.stdin.fileno(), 4096):
        return False
    return os.getppid() == owner_pid


def _end_with_the_keeper() -> None:
    """In the server's process, after the change of uid, which would clear it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGINT))


def main() -> int:
    # A handler that does nothing, not SIG_IGN, which the server would inherit. Whether to stop is for the owner to say.
    for deaf_to in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(deaf_to, lambda *_: None)
    return keep(json.loads(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
