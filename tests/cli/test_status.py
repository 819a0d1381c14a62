"""status, from what a daemon last wrote and from what the database knows."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from fs_dialer.core.model import AgentId, AgentState, AgentStatus, CallState, CampaignId, CampaignState, CampaignType
from fs_dialer.core.snapshot import AgentView, BreakerView, CampaignView, Snapshot
from fs_dialer.db.postgres import PostgresStore
from tests.cli.runner import a_folder, applied, called
from tests.db.rows import Database

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
    crew=2,
    staying=1,
    idle=0,
    promised=0,
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


@pytest.mark.spec("M16")
def test_with_a_daemon_the_engines_own_words_are_shown(running: PostgresStore, pg_dsn: str) -> None:
    running.publish(SEEN)
    header, row, agents, daemon = called("status", dsn=pg_dsn).out.splitlines()
    assert header.split() == "CAMPAIGN TYPE STATE AGENTS LINES OPEN MISSED 30d WHY".split()
    assert row.split() == f"spring progressive running 1/2 3/20 0 - {VIEW.because}".split()
    assert agents == "2 agents: 1 available (1 talking); 1 not available"
    assert re.fullmatch(r"The daemon is running for \d+ s, seen \d+ s ago: switch connected, 7 of 60 lines in use", daemon)


def test_json_names_the_daemon_and_what_it_sees(running: PostgresStore, pg_dsn: str) -> None:
    running.publish(SEEN)
    found = called("status", "--json", dsn=pg_dsn).json
    assert {name: value for name, value in found["daemon"].items() if not name.endswith("_s") and name != "seen_s_ago"} == {
        "switch_up": True,
        "store_up": True,
        "draining": False,
        "legs": 7,
        "legs_limit": 60,
        "room": 0,
    }
    assert found["daemon"]["lag_s"] == 0.0 and 0 <= found["daemon"]["up_s"] < 60
    (spring,) = found["campaigns"]
    assert (spring["lines"], spring["lines_limit"], spring["agents_available"], spring["why"]) == (3, 20, 1, VIEW.because)
    assert (spring["agents"], spring["staying"], spring["idle"], spring["hopper"]) == (2, 1, 0, 5)
    assert {"agent": "lan", "status": "available", "state": "talking"} in found["agents"]
    assert found["needs"] == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"switch_up": False}, "the switch is not connected: no new calls"),
        ({"store_up": False}, "the daemon can not reach the database: no new calls"),
        ({"draining": True}, "the daemon is stopping: no new calls"),
        ({"lag_s": 4.2}, "the daemon is 4.2 s behind: no new calls until it has caught up"),
    ],
)
def test_what_stops_everything_is_the_reason_of_every_running_campaign(change: dict[str, float], why: str, running: PostgresStore, pg_dsn: str) -> None:
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


# --- what needs somebody --------------------------------------------------------------------------------------------------------------


def needed(dsn: str) -> list[tuple[str, str, str]]:
    """(what, name, command) of each."""
    return [(need["what"], need["name"], need["command"]) for need in called("status", "--json", dsn=dsn).json["needs"]]


def test_a_stopped_daemon_with_calls_in_its_hands_needs_you(running: PostgresStore, pg_dsn: str) -> None:
    running.publish(SEEN)
    database = Database(pg_dsn)
    database.rows("UPDATE daemon_status SET at = now() - interval '3 minutes'")
    lead = database.lead()
    an_open_attempt(database, lead, epoch=database.one("SELECT max(id) FROM epochs"))
    done = called("status", dsn=pg_dsn)
    assert "\n1 needs you: no daemon is running since 3 m: 1 campaign would dial, 1 call without a result     fs-dialer run\n" in done.out
    assert needed(pg_dsn) == [("daemon", "", "fs-dialer run")]


def test_nothing_to_dial_and_no_daemon_needs_nobody(tmp_path: Path, pg_dsn: str) -> None:
    applied(tmp_path, pg_dsn)
    assert needed(pg_dsn) == []


def test_switch_database_and_lag_need_you(running: PostgresStore, pg_dsn: str) -> None:
    running.publish(replace(SEEN, switch_up=False, store_up=False, lag_s=9.0))
    assert [what for what, _, _ in needed(pg_dsn)] == ["switch", "database", "lag"]


@pytest.mark.spec("X7")
def test_a_gateway_or_caller_id_that_rests_is_named_with_its_reason(running: PostgresStore, pg_dsn: str) -> None:
    now = 1_800_000_000.0
    breakers = (
        BreakerView("gateway", "north", "open", now - 90, now + 30, 8, 10, "8 of the last 10 calls failed (NORMAL_TEMPORARY_FAILURE); rests"),
        BreakerView("caller_id", "+442079460100", "half_open", now - 600, now - 1, 9, 10, "9 of the last 10 calls failed; one call tries it"),
        BreakerView("gateway", "south", "closed", None, 0.0, 1, 10, "1 of the last 10 calls failed"),
    )
    running.publish(replace(SEEN, now=now, breakers=breakers))
    _, _, *_, title, north, number = called("status", dsn=pg_dsn).out.splitlines()
    assert title == "2 need you:"
    assert north.startswith("  gateway north rests since 1 m 30 s, next try in 30 s: 8 of the last 10 calls failed (NORMAL_TEMPORARY_FAILURE)")
    assert north.endswith("fs-dialer explain gateway north")
    assert "caller id +442079460100 is being tried since 10 m: 9 of the last 10 calls failed" in number
    assert len(called("status", "--json", dsn=pg_dsn).json["breakers"]) == 3


@pytest.mark.parametrize(("reason", "needs"), [("paused by itself: gateway north: 8 of the last 10 calls failed", 1), ("paused by hand: lunch", 0)])
def test_a_campaign_that_paused_itself_needs_you_and_one_that_was_paused_does_not(reason: str, needs: int, running: PostgresStore, pg_dsn: str) -> None:
    running.set_campaign_state(SPRING, 1, CampaignState.PAUSED, False, reason, "daemon")
    running.publish(replace(SEEN, campaigns=(replace(VIEW, state=CampaignState.PAUSED, because=reason),)))
    assert needed(pg_dsn) == [("campaign", "spring", "fs-dialer explain campaign spring")] * needs
    assert f"{reason}: fs-dialer start spring" in " ".join(called("status", dsn=pg_dsn).out.split())


@pytest.mark.spec("D5")
def test_a_revision_that_waits_for_its_approval_needs_you(running: PostgresStore, pg_dsn: str, tmp_path: Path) -> None:
    running.publish(SEEN)
    assert called("apply", a_folder(tmp_path, extra="ring: 20s\n"), dsn=pg_dsn).code == 0
    assert needed(pg_dsn) == [("approval", "spring", "fs-dialer approve spring")]


def test_what_was_left_lying_needs_you(running: PostgresStore, pg_dsn: str) -> None:
    database = Database(pg_dsn)
    database.rows("INSERT INTO epochs (holder, ended_at) VALUES ('gone', now())")
    an_open_attempt(database, database.lead(), epoch=database.one("SELECT max(id) FROM epochs"), minutes=11)
    database.rows("INSERT INTO outbox (webhook, body, given_up) VALUES ('crm', '{}', true)")
    database.rows("INSERT INTO imports (name, file, hash, campaign, who, counts) VALUES ('i-00aa', 'a.csv', 'x', 'spring', 'an', '{\"refused\": 2}')")
    running.publish(SEEN)
    assert [(what, name) for what, name, _ in needed(pg_dsn)] == [("open_attempts", "spring"), ("webhook", "crm"), ("import", "i-00aa")]


def test_calls_just_taken_over_from_an_earlier_daemon_need_nobody(running: PostgresStore, pg_dsn: str) -> None:
    database = Database(pg_dsn)
    database.rows("INSERT INTO epochs (holder, ended_at) VALUES ('gone', now())")
    an_open_attempt(database, database.lead(), epoch=database.one("SELECT max(id) FROM epochs"), minutes=2)
    running.publish(SEEN)
    assert needed(pg_dsn) == []


def test_a_webhook_that_fails_for_minutes_needs_you(running: PostgresStore, pg_dsn: str) -> None:
    database = Database(pg_dsn)
    put = "INSERT INTO outbox (webhook, body, created_at, last_error) VALUES (%s, '{}', now() - make_interval(mins => %s), %s)"
    for webhook, minutes, error in (("crm", 12, "answered 500"), ("crm", 2, ""), ("new", 2, "answered 500"), ("idle", 60, "")):
        database.rows(put, webhook, minutes, error)
    running.publish(SEEN)
    assert needed(pg_dsn) == [("webhook_fails", "crm", "fs-dialer webhook outbox --webhook crm --waiting")]
    assert "webhook crm fails, its oldest message has waited for 12 m: answered 500" in called("status", dsn=pg_dsn).out


def test_on_a_narrow_terminal_every_campaign_has_one_line(running: PostgresStore, pg_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    running.publish(replace(SEEN, switch_up=False, campaigns=(replace(VIEW, because="no lead is ready; " * 9),), store_up=False))
    monkeypatch.setattr("fs_dialer.cli.status.terminal_width", lambda _: 70)
    told = called("status", dsn=pg_dsn).out.splitlines()
    assert all(len(line) <= 70 for line in told), told
    assert "TYPE" not in told[0] and told[0].endswith("WHY")
    assert told[1].startswith("spring") and told[1].endswith("…") and told[2].startswith("2 agents")
    assert "    fs-dialer doctor" in told


@pytest.mark.spec("D1")
def test_the_missed_rate_of_30_days_stands_beside_its_ceiling(running: PostgresStore, pg_dsn: str) -> None:
    database, now = Database(pg_dsn), time.time()
    profile = '{"compliance": {"name": "strict", "missed_max": 0.03}}'
    database.rows("UPDATE campaign_revisions SET definition = definition || %s", profile)
    for place in range(50):
        a_closed_attempt(database, "missed" if place < 2 else "connected", now - 29 * 86400 + place)
    a_closed_attempt(database, "missed", now - 31 * 86400)
    running.publish(SEEN)
    assert " 4.0% of 3%  " in called("status", dsn=pg_dsn).out
    found = called("status", "--json", dsn=pg_dsn).json
    assert (found["campaigns"][0]["missed_max"], found["campaigns"][0]["last_30_days"]["missed"], found["campaigns"][0]["last_30_days"]["person"]) == (
        0.03,
        2,
        50,
    )
    assert found["needs"][0]["text"] == "spring missed 2 of 50 in 30 days: 4.0% of 3%"


def test_agents_of_teams_are_counted_without_a_daemon_too(pg_dsn: str, tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    (folder / "teams.yml").write_text("teams: {renewals: [lan, hoa]}\n")
    file = folder / "campaigns" / "spring.yml"
    file.write_text(file.read_text().replace("{people: [lan, hoa]}", "{people: [lan], teams: [renewals]}"))
    assert called("apply", folder, dsn=pg_dsn).code == 0
    (spring,) = called("status", "--json", dsn=pg_dsn).json["campaigns"]
    assert (spring["agents"], spring["staying"]) == (2, None)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"because": "", "staying": 0}, "none of its 2 agents is available and reachable: fs-dialer agent list"),
        ({"because": "no agent is logged in", "crew": 0, "staying": 0}, "it names no agents: no agent is logged in"),
        ({"because": ""}, "no lead is left to call"),
    ],
)
def test_no_row_says_zero_without_its_reason(change: dict[str, Any], why: str, running: PostgresStore, pg_dsn: str) -> None:
    running.publish(replace(SEEN, campaigns=(replace(VIEW, **change),)))
    assert called("status", "--json", dsn=pg_dsn).json["campaigns"][0]["why"] == why


def an_open_attempt(database: Database, lead: int, *, epoch: int, minutes: int = 0) -> None:
    database.rows(
        """
        INSERT INTO attempts_open (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, opened_at)
        VALUES (gen_random_uuid(), 'spring', 1, %s, 'new', %s, gen_random_uuid(), '+442079460101', 'trunk1', '+442079460100',
                now() - make_interval(mins => %s))
        """,
        *(lead, epoch, minutes),
    )


def a_closed_attempt(database: Database, outcome: str, at: float) -> None:
    database.rows(
        """
        INSERT INTO attempts
            (id, campaign, revision, lead_status, epoch, leg, number, gateway, caller_id, opened_at, outcome, cause, ended_at, missed, leg_seen)
        VALUES (gen_random_uuid(), 'spring', 1, 'new', 1, gen_random_uuid(), '', 't', '+44', to_timestamp(%s), %s, '', now(), %s, true)
        """,
        *(at, outcome, outcome == "missed"),
    )
