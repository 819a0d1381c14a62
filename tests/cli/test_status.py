"""status, from what a daemon last wrote and from what the database knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

from fs_dialer.core.model import AgentId, AgentState, AgentStatus, CallState, CampaignId, CampaignState, CampaignType
from fs_dialer.core.snapshot import AgentView, CampaignView, Snapshot
from fs_dialer.db.postgres import PostgresStore
from tests.cli.runner import applied, called

SPRING = CampaignId("spring")
VIEW = CampaignView(
    id=SPRING,
    type=CampaignType.PROGRESSIVE,
    state=CampaignState.RUNNING,
    revision=1,
    because="one call for each of 2 free agents",
    lines=3,
    lines_limit=20,
    waiting=0,
    hopper=5,
    calls_by_state={CallState.BRIDGED: 3},
    outcomes={},
    attempts=10,
    answered=8,
    missed=0,
    bridged=8,
    talked_s=1.0,
    waited_s=2.0,
    refused_without_leg=0,
)
AGENTS = (
    AgentView(AgentId("lan"), "Lan", AgentStatus.AVAILABLE, AgentState.TALKING, 0.0, None, 3),
    AgentView(AgentId("hoa"), "Hoa", AgentStatus.NOT_AVAILABLE, AgentState.IDLE, 0.0, None, 0),
)
SEEN = Snapshot(1.0, True, True, False, 7, 60, (VIEW,), AGENTS)


@pytest.fixture
def running(tmp_path: Path, pg_dsn: str) -> Iterator[PostgresStore]:
    """A daemon's store, in a database where the campaign spring runs."""
    applied(tmp_path, pg_dsn)
    with closing(PostgresStore(pg_dsn)) as store:
        store.take_epoch("test")
        store.set_campaign_state(SPRING, 1, CampaignState.RUNNING, True, "", "test")
        yield store


def test_with_a_daemon_the_engines_own_words_are_shown(running: PostgresStore, pg_dsn: str) -> None:
    running.publish(SEEN)
    _, row, agents, daemon = called("status", dsn=pg_dsn).out.splitlines()
    assert row.split("  ")[0] == "spring" and " 1/2 " in row and " 3/20 " in row and row.endswith("one call for each of 2 free agents")
    assert agents == "2 agents: 1 available (1 talking); 1 not available"
    assert daemon.startswith("The daemon is running, seen ") and daemon.endswith("switch connected, 7 of 60 lines in use")


def test_json_names_the_daemon_and_what_it_sees(running: PostgresStore, pg_dsn: str) -> None:
    running.publish(SEEN)
    found = called("status", "--json", dsn=pg_dsn).json
    assert {name: found["daemon"][name] for name in ("switch_up", "store_up", "draining", "legs", "legs_limit")} == {
        "switch_up": True,
        "store_up": True,
        "draining": False,
        "legs": 7,
        "legs_limit": 60,
    }
    (spring,) = found["campaigns"]
    assert (spring["lines"], spring["lines_limit"], spring["agents_available"], spring["why"]) == (3, 20, 1, VIEW.because)
    assert {"agent": "lan", "status": "available", "state": "talking"} in found["agents"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"switch_up": False}, "the switch is not connected: no new calls"),
        ({"store_up": False}, "the daemon can not reach the database: no new calls"),
        ({"draining": True}, "the daemon is stopping: no new calls"),
    ],
)
def test_what_stops_everything_is_the_reason_of_every_running_campaign(change: dict[str, bool], why: str, running: PostgresStore, pg_dsn: str) -> None:
    running.publish(replace(SEEN, **change))  # type: ignore[arg-type]
    assert called("status", "--json", dsn=pg_dsn).json["campaigns"][0]["why"] == why


def test_a_word_older_than_ten_seconds_is_no_daemon(running: PostgresStore, pg_dsn: str) -> None:
    running.publish(SEEN)
    with closing(psycopg2.connect(pg_dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("UPDATE daemon_status SET at = now() - interval '3 minutes 5 seconds'")
    done = called("status", dsn=pg_dsn)
    assert done.code == 0
    assert "no daemon is running; start it: fs-dialer run" in done.out
    assert "No daemon is running: the last one was heard of 3 m" in done.out
    assert called("status", "--json", dsn=pg_dsn).json["daemon"] is None


def test_before_the_first_daemon_the_database_is_shown(tmp_path: Path, pg_dsn: str) -> None:
    applied(tmp_path, pg_dsn)
    done = called("status", dsn=pg_dsn)
    assert "not approved: fs-dialer approve spring" in done.out and "No daemon is running; start it: fs-dialer run" in done.out


def test_commands_that_wait_for_a_daemon_are_told(tmp_path: Path, pg_dsn: str) -> None:
    from fs_dialer.db.backoffice import Backoffice

    applied(tmp_path, pg_dsn)
    with closing(Backoffice(pg_dsn)) as office:
        office.submit_command("approve", "spring", {}, "an.le")
        office.submit_command("start", "spring", {}, "an.le")
    done = called("status", dsn=pg_dsn)
    assert "2 commands wait for a daemon; the first: approve spring, asked by an.le" in done.out
    assert called("status", "--json", dsn=pg_dsn).json["commands_waiting"] == 2


def test_an_empty_installation_says_how_to_begin(pg_dsn: str) -> None:
    assert "fs-dialer apply PATH" in called("status", dsn=pg_dsn).out
