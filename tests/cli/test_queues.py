"""queue list, show and report: what became of callers, and that it adds up."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from fs_dialer.config.codec import to_json
from fs_dialer.core.actions import CallerLeft, CallerServed
from fs_dialer.core.model import AgentId, AttemptId
from fs_dialer.core.queue_definition import CallbackKey, QueueAgents, QueueDefinition
from fs_dialer.db.postgres import PostgresStore
from tests.cli.runner import called
from tests.cli.test_reference import covers, documented, paths
from tests.db.rows import ADA, BEN, Database

NINE = 1_795_597_200.0  # Wed 25 Nov 2026 09:00 UTC
DAY = ("--day", "2026-11-25", "--zone", "UTC")
SUPPORT = QueueDefinition(
    name="support",
    title="Support line",
    numbers=("+442079460199",),
    agents=QueueAgents(people=("lan",), teams=("care",)),
    callback=CallbackKey(key="1"),
    ticket_for_missed=True,
)


@pytest.fixture
def store(pg_dsn: str) -> Iterator[PostgresStore]:
    database = Database(pg_dsn)
    for queue in (SUPPORT, QueueDefinition(name="sales")):
        definition = json.dumps(to_json(queue))
        database.rows("INSERT INTO definitions (kind, name, revision, source, definition) VALUES ('queues', %s, 1, '{}', %s)", queue.name, definition)
    with closing(PostgresStore(pg_dsn)) as made:
        yield made


def a_caller(store: PostgresStore, place: int, why: str, *, waited_s: float = 30.0, number: str = ADA, queue: str = "support") -> None:
    """He came a minute after the one before, and has left; a served one talked for a minute."""
    call, came = AttemptId(f"leg-{place}"), NINE + 60 * place
    if why == "served":
        store.caller_served(CallerServed(call, queue, number, AgentId("lan"), waited_s, came + waited_s))
    talked_s = 60.0 if why == "served" else 0.0
    left_at, agent = came + waited_s + talked_s, AgentId("lan") if why == "served" else None
    asked_at = left_at if why == "callback" else None
    store.callers_left([CallerLeft(call, queue, number, why, agent, waited_s, talked_s, why == "max_wait", left_at, asked_at=asked_at)])


def a_day(store: PostgresStore) -> None:
    for place, waited_s in enumerate((5.0, 10.0, 15.0, 50.0)):
        a_caller(store, place, "served", waited_s=waited_s)
    for place, why in enumerate(("callback", "max_wait", "hung_up", "voicemail", "released"), start=10):
        a_caller(store, place, why, number=BEN)


@pytest.mark.spec("S71", "S78")
def test_a_report_says_what_became_of_every_caller_and_adds_up(store: PostgresStore, pg_dsn: str) -> None:
    a_day(store)
    (found,) = called("queue", "report", "support", *DAY, "--json", dsn=pg_dsn).json["queues"]
    ends = ("served", "callback", "voicemail", "overflow", "missed", "hung_up", "released", "lost")
    assert found["came"] == 9 == sum(found[name] for name in ends)
    assert {name: found[name] for name in ends if found[name]} == {"served": 4, "callback": 1, "voicemail": 1, "missed": 1, "hung_up": 1, "released": 1}
    assert (found["wait_s"], found["within"], found["service_level"]) == (20.0, 3, 3 / 9)
    assert 15.0 < found["wait_p90_s"] <= 50.0 and found["longest_wait_s"] == 50.0
    assert (found["open_callback"], found["open_missed"], found["open_voicemail"], found["open"]) == (1, 3, 1, 5)


@pytest.mark.spec("S78")
def test_a_report_reads_as_sentences(store: PostgresStore, pg_dsn: str) -> None:
    a_day(store)
    out = called("queue", "report", "support", *DAY, dsn=pg_dsn).out
    assert "came    9 = served 4 + asked for a callback 1 + left a message 1 + waited too long 1 + hung up 1 + let go by the switch 1" in out
    assert "3 of 9 served within 20 s = 33.3%    mean 20 s" in out
    assert "tickets 5 open (1 to call back, 3 missed, 1 voice mail)" in out


def test_all_queues_stand_in_one_table_also_those_nobody_called(store: PostgresStore, pg_dsn: str) -> None:
    a_day(store)
    found = called("queue", "report", *DAY, "--json", dsn=pg_dsn).json["queues"]
    assert [(each["queue"], each["came"]) for each in found] == [("sales", 0), ("support", 9)]
    rows = list(csv.DictReader(io.StringIO(called("queue", "report", *DAY, "--csv", dsn=pg_dsn).out)))
    assert [(row["queue"], row["came"], row["served"]) for row in rows] == [("sales", "0", "0"), ("support", "9", "4")]


def test_another_day_has_its_own_callers(store: PostgresStore, pg_dsn: str) -> None:
    a_day(store)
    assert called("queue", "report", "support", "--day", "2026-11-24", "--zone", "UTC", "--json", dsn=pg_dsn).json["queues"][0]["came"] == 0


def test_an_unknown_queue_is_told_with_the_nearest(store: PostgresStore, pg_dsn: str) -> None:
    done = called("queue", "report", "suport", dsn=pg_dsn)
    assert done.code == 1 and "there is no queue suport" in done.err and "support" in done.err


@pytest.mark.spec("S71")
def test_a_list_shows_every_queue_and_that_nobody_knows_who_waits_without_a_daemon(store: PostgresStore, pg_dsn: str) -> None:
    found = called("queue", "list", "--json", dsn=pg_dsn).json["queues"]
    assert [(each["queue"], each["waiting"], each["today"]["came"]) for each in found] == [("sales", None, 0), ("support", None, 0)]
    assert "Support line" in called("queue", "list", dsn=pg_dsn).out


@pytest.mark.spec("S72", "S74", "S76", "S78")
def test_one_queue_says_its_terms_and_its_last_callers(store: PostgresStore, pg_dsn: str) -> None:
    database = Database(pg_dsn)
    a_caller(store, 0, "served")
    a_caller(store, 1, "callback", number=BEN)
    database.rows("UPDATE callers SET came_at = now()")
    out = called("queue", "show", "support", "--zone", "UTC", dsn=pg_dsn).out
    assert "key 1 after 20 s, called back within 1 d" in out and "every caller who met nobody" in out and "lan, team care" in out
    assert BEN not in out and "asked for a callback" in out and "unknown: no daemon is running" in out
    found = called("queue", "show", "support", "--zone", "UTC", "--json", dsn=pg_dsn).json
    assert {each["why"] for each in found["callers"]} == {"served", "callback"}


def test_without_queues_it_says_how_to_make_one(pg_dsn: str) -> None:
    assert "No queue is defined" in called("queue", "list", dsn=pg_dsn).out


def test_what_programs_are_told_of_queues_is_documented(store: PostgresStore, pg_dsn: str) -> None:
    a_day(store)
    Database(pg_dsn).rows("UPDATE callers SET came_at = now()")
    for words in (("list",), ("show", "support"), ("report",)):
        seen, patterns = set(paths(called("queue", *words, "--json", dsn=pg_dsn).json)), documented(f"fs-dialer queue {words[0]}")
        assert [path for path in sorted(seen) if not any(covers(each, path) for each in patterns)] == []
        assert [each for each in sorted(patterns) if not any(covers(each, path) for path in seen)] == []


@pytest.mark.spec("M21", "D12")
def test_a_persons_timeline_tells_his_calls_to_queues_and_how_his_request_was_settled(store: PostgresStore, pg_dsn: str) -> None:
    a_caller(store, 1, "callback")
    a_caller(store, 5, "served")
    out = called("lead", "timeline", ADA, dsn=pg_dsn).out
    assert "called the queue: asked to be called back, waited 30 s, ticket 1" in out
    assert "called the queue: served, waited 30 s, talked 1 m" in out
    assert "ticket 1 closed: served otherwise" in out


@pytest.mark.spec("D12")
def test_a_ticket_says_how_it_was_settled(store: PostgresStore, pg_dsn: str) -> None:
    a_caller(store, 1, "callback")
    assert "not called back after that" in called("ticket", "show", "1", dsn=pg_dsn).out
    a_caller(store, 5, "served")
    out = called("ticket", "show", "1", dsn=pg_dsn).out
    assert "by lan: the customer was served otherwise" in out
    assert called("ticket", "list", "--queue", "sales", "--json", dsn=pg_dsn).json["tickets"] == []
