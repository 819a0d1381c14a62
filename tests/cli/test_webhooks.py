"""webhook list, test, outbox, replay."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest

from fs_dialer.cli import webhooks
from fs_dialer.runtime.clerk import Clerk
from tests.cli.runner import called
from tests.db.rows import Database
from tests.runtime.receiver import Receiver, receiver

SECRET = {"HOOK_SECRET": "s3cret-of-the-test"}


@pytest.fixture
def crm() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def database(pg_dsn: str, crm: Receiver) -> Database:
    made = Database(pg_dsn)
    made.installation(webhook_hosts=(crm.host,))
    made.webhook("crm", crm.url)
    return made


def put(database: Database, count: int = 1, *, given_up: bool = False, sent: bool = False) -> None:
    for n in range(count):
        words = (json.dumps({"event": "attempt_ended", "data": {"n": n}}), given_up, sent)
        database.rows("INSERT INTO outbox (webhook, body, given_up, sent_at) VALUES ('crm', %s, %s, CASE WHEN %s THEN now() END)", *words)


def test_a_list_tells_where_each_sends_and_what_is_wrong(database: Database) -> None:
    put(database, 2)
    put(database, given_up=True)
    database.webhook("away", "https://elsewhere.example.com/")
    database.rows("INSERT INTO outbox (webhook, body) VALUES ('gone', '{}')")
    away, crm, gone = called("webhook", "list", "--json", dsn=database.dsn).json["webhooks"]
    assert (crm["waiting"], crm["given_up"], crm["trouble"]) == (2, 1, "")
    assert "elsewhere.example.com is not among webhook_hosts" in away["trouble"]
    assert (gone["waiting"], gone["trouble"]) == (1, "not defined any more: its messages wait")
    assert "elsewhere.example.com" in called("webhook", "list", dsn=database.dsn).out


def test_a_test_from_here_reaches_the_receiver(database: Database, crm: Receiver) -> None:
    done = called("webhook", "test", "crm", "--from-here", dsn=database.dsn, **SECRET)
    assert done.code == 0 and "delivered from here" in done.out, done.err
    (came,) = crm.came
    assert came.headers["X-FS-Dialer-Event"] == "test" and json.loads(came.body)["data"]["webhook"] == "crm"
    crm.answers = [500]
    failed = called("webhook", "test", "crm", "--from-here", "--json", dsn=database.dsn, **SECRET)
    assert (failed.code, failed.json["result"]) == (1, "failed")
    assert SECRET["HOOK_SECRET"] not in failed.out + failed.err


def test_a_test_by_the_daemon_tells_what_it_came_to(database: Database, crm: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET["HOOK_SECRET"])
    over = threading.Event()

    def daemon() -> None:
        clerk = Clerk(database.dsn)
        while not over.wait(0.02):
            for message in clerk.outbox.claim():
                clerk.deliver(message)
        clerk._pool.close()

    thread = threading.Thread(target=daemon)
    thread.start()
    try:
        done = called("webhook", "test", "crm", dsn=database.dsn)
        assert (done.code, done.out) == (0, "crm: delivered by the daemon in 1 try\n")
        crm.answers = [500]
        failed = called("webhook", "test", "crm", dsn=database.dsn)
        assert failed.code == 1 and "answered 500" in failed.err and "it is tried again (message 2)" in failed.err
    finally:
        over.set()
        thread.join()


def test_without_a_daemon_a_test_waits(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "PATIENCE_S", -4.9)
    done = called("webhook", "test", "crm", "--json", dsn=database.dsn)
    assert (done.code, done.json["result"]) == (0, "queued")


def test_a_test_behind_messages_that_fail_says_so(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    put(database, 2)
    database.rows("UPDATE outbox SET tries = 3, last_error = 'answered 500', next_at = now() + interval '1 hour' WHERE id = 1")
    monkeypatch.setattr(webhooks, "PATIENCE_S", -4.9)
    done = called("webhook", "test", "crm", dsn=database.dsn)
    assert (done.code, done.out) == (1, "")
    assert "2 messages stand before it, and the first (message 1) fails: answered 500; the test, message 3, comes after" in done.err


def test_an_unknown_webhook_is_told_with_the_nearest(database: Database) -> None:
    done = called("webhook", "test", "crn", dsn=database.dsn)
    assert done.code == 1 and "there is no webhook crn; nearest: crm" in done.err


def test_the_outbox_is_listed_by_what_became_of_each(database: Database) -> None:
    put(database)
    put(database, given_up=True)
    put(database, sent=True)

    def states(*words: str) -> list[str]:
        return [message["state"] for message in called("webhook", "outbox", *words, "--json", dsn=database.dsn).json["messages"]]

    assert states() == ["sent", "given up", "waiting"]
    assert states("--waiting") == ["waiting"] and states("--given-up") == ["given up"]
    assert states("--webhook", "nosuch") == [] and states("--limit", "1") == ["sent"]
    assert called("webhook", "outbox", "--waiting", "--given-up", dsn=database.dsn).code == 2


def test_messages_are_sent_again_one_or_all_that_were_given_up(database: Database) -> None:
    put(database, 2, given_up=True)
    put(database, sent=True)
    assert called("webhook", "replay", "3", "--json", dsn=database.dsn).json == {"again": 1}
    assert called("webhook", "replay", "--given-up", "--webhook", "nosuch", "--json", dsn=database.dsn).json == {"again": 0}
    assert called("webhook", "replay", "--given-up", dsn=database.dsn).out == "2 messages to be sent again.\n"
    assert database.one("SELECT count(*) FROM outbox WHERE sent_at IS NULL AND NOT given_up") == 3
    assert called("webhook", "replay", "99", dsn=database.dsn).code == 1
    for words in ((), ("1", "--given-up"), ("1", "--webhook", "crm")):
        assert called("webhook", "replay", *words, dsn=database.dsn).code == 2
