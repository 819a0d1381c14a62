"""What programs are told by `switch …`, against docs/reference/json.md."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fs_dialer.cli import campaigns
from fs_dialer.core.model import SwitchId
from fs_dialer.core.snapshot import QueueView, SwitchView
from fs_dialer.db.postgres import PostgresStore
from tests.cli.runner import a_folder, called
from tests.cli.switch_tree import a_tree
from tests.cli.test_reference import covers, documented, paths
from tests.cli.test_status import SEEN

MAIN = SwitchView(SwitchId("main"), True, True, False, None, 7, 4, 2, None, None, 1, 50)
NORTH = SwitchView(SwitchId("north"), True, True, False, 1_780_000_000.0, 1, 0, 0, 30, 5.0, 2, 0, ("trunk1",))
SUPPORT = QueueView("support", 0, 1, 1_780_000_000.0, 2, 9, 4, 1, 0, 0, 40.0, 300.0, 3, 3, 1, 1, 0, 0, 12.0)


def compared(title: str, *printed: Any) -> None:
    patterns, seen = documented(f"fs-dialer {title}"), {path for each in printed for path in paths(each)}
    assert [path for path in sorted(seen) if not any(covers(each, path) for each in patterns)] == [], "printed and not documented"
    assert [each for each in sorted(patterns) if not any(covers(each, path) or each.startswith(f"{path}[") for path in seen)] == [], "documented, not printed"


@pytest.fixture
def daemon(pg_dsn: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database in which a daemon was heard of just now, with two switches and a queue."""
    monkeypatch.setattr(campaigns, "REPLY_TIMEOUT_S", 0.05)
    with closing(PostgresStore(pg_dsn)) as store:
        store.take_epoch("test")
        store.publish(replace(SEEN, now=time.time(), queues=(SUPPORT,), switches=(MAIN, NORTH)))
    return pg_dsn


def test_the_list_and_a_drain_that_waits_for_a_daemon(daemon: str) -> None:
    told = called("switch", "list", "--json", dsn=daemon).json
    assert [(each["id"], each["state"]) for each in told["switches"]] == [("main", "ready"), ("north", "drained")]
    compared("switch list", told)
    compared("switch drain", called("switch", "drain", "north", "--json", dsn=daemon).json)


def test_status_shows_each_queue_and_each_switch_with_all_that_is_said_of_them(daemon: str) -> None:
    told = called("status", "--json", dsn=daemon).json
    assert [each["name"] for each in told["queues"]] == ["support"] and [each["id"] for each in told["switches"]] == ["main", "north"]
    patterns = {each for each in documented("fs-dialer status") if each.startswith(("queues[]", "switches[]"))}
    parts = set(paths({"queues": told["queues"], "switches": told["switches"]}))
    assert parts == patterns


@pytest.mark.spec("S71")
def test_what_install_reload_diff_and_uninstall_print(tmp_path: Path) -> None:
    conf, files = a_tree(tmp_path), a_folder(tmp_path / "definitions")
    (files / "queues.yml").write_text("queues:\n  support: {numbers: [+44 20 7946 0200], agents: {people: [lan]}, callback: 1}\n")
    (files / "ivrs.yml").write_text("ivrs:\n  dues: {nodes: {bye: {do: end, sound: dues.wav}}}\n")
    where = "--conf-dir", conf, "--from", files
    compared("switch install", called("switch", "install", *where, "--dry-run", "--json").json, called("switch", "install", *where, "--json").json)
    (conf / "dialplan" / "fsd_queue.xml").write_text("<include>\n</include>\n")
    told = called("switch", "diff", *where, "--json").json
    assert told["differ"] and any(each["diff"] for each in told["files"])
    compared("switch diff", told)
    compared("switch uninstall", called("switch", "uninstall", "--conf-dir", conf, "--force", "--json").json)
