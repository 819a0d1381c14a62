"""Deliveries over real HTTP out of a real database: at least once, in order, and never for ever."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from fs_dialer.core.resources import TriggerAction
from fs_dialer.core.webhooks import MOST_TRIES
from fs_dialer.runtime.clerk import Clerk
from tests.db.rows import ADA, Database
from tests.runtime.receiver import Came, Receiver, receiver

ROOT = Path(__file__).resolve().parents[2]
SECRET = "s3cret-of-the-test"


@pytest.fixture
def crm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    with receiver() as made:
        yield made


@pytest.fixture
def database(pg_dsn: str, crm: Receiver) -> Database:
    made = Database(pg_dsn)
    made.installation(webhook_hosts=(crm.host,))
    made.webhook("crm", crm.url)
    made.trigger("tell", "attempt_ended", TriggerAction(webhook="crm"))
    return made


@pytest.fixture
def clerk(pg_dsn: str) -> Iterator[Clerk]:
    made = Clerk(pg_dsn)
    yield made
    made.stop()


def happened(database: Database, clerk: Clerk, count: int = 1) -> list[int]:
    """So many calls ended; the ids of their messages."""
    for n in range(count):
        database.happening("attempt_ended", number=ADA, n=n)
    clerk.happenings.work_off(count)
    return [id for (id,) in database.rows("SELECT id FROM outbox ORDER BY id")]


def delivered(clerk: Clerk) -> list[bool]:
    """One round over all that is due."""
    return [clerk.deliver(message) for message in clerk.outbox.claim()]


def make_due(database: Database) -> None:
    """Time passes: every pause and every lease is over."""
    database.rows("UPDATE outbox SET next_at = now() WHERE sent_at IS NULL")


@pytest.mark.spec("M25")
def test_an_event_reaches_the_receiver_once_and_is_noted(database: Database, clerk: Clerk, crm: Receiver) -> None:
    (id,) = happened(database, clerk)
    assert delivered(clerk) == [True]
    assert delivered(clerk) == []
    (came,) = crm.came
    assert (came.id, came.headers["X-FS-Dialer-Event"]) == (id, "attempt_ended")
    assert database.rows("SELECT tries, sent_at IS NOT NULL, last_error FROM outbox") == [(1, True, "")]


def test_a_receiver_that_fails_gets_the_same_message_again_after_growing_pauses(database: Database, clerk: Clerk, crm: Receiver) -> None:
    (id,) = happened(database, clerk)
    crm.answers = [500, 500, 503]
    pauses = []
    for _ in range(3):
        assert delivered(clerk) == [False]
        assert delivered(clerk) == [], "not before its pause is over"
        pauses.append(float(database.one("SELECT round(extract(epoch FROM next_at - now())) FROM outbox")))
        make_due(database)
    assert delivered(clerk) == [True]
    assert [(p - wanted) <= 0 and wanted - p < 6 for p, wanted in zip(pauses, (10, 20, 40), strict=True)] == [True] * 3
    assert {(came.id, came.body) for came in crm.came} == {(id, crm.came[0].body)}
    assert len(crm.came) == 4


def test_messages_of_one_webhook_keep_their_order_whatever_fails(database: Database, clerk: Clerk, crm: Receiver) -> None:
    ids = happened(database, clerk, 3)
    crm.answers = [204, 500]
    for _ in range(5):
        delivered(clerk)
        make_due(database)
    assert [came.id for came in crm.came] == [ids[0], ids[1], ids[1], ids[2]]


def test_a_webhook_that_is_away_holds_up_no_other(database: Database, clerk: Clerk, crm: Receiver) -> None:
    database.webhook("away", "http://127.0.0.1:1/")
    database.trigger("first", "attempt_ended", TriggerAction(webhook="away"))
    happened(database, clerk, 2)
    assert sorted(delivered(clerk)) == [False, True]
    assert delivered(clerk) == [True]
    assert [came.headers["X-FS-Dialer-Event"] for came in crm.came] == ["attempt_ended"] * 2


def test_after_its_last_try_a_message_is_given_up_and_the_next_one_goes(
    database: Database, clerk: Clerk, crm: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    ids = happened(database, clerk, 2)
    database.rows("UPDATE outbox SET tries = %s WHERE id = %s", MOST_TRIES - 1, ids[0])
    crm.answers = [500]
    with caplog.at_level(logging.ERROR):
        assert delivered(clerk) == [False]
    assert "webhook_given_up webhook=crm" in caplog.text and SECRET not in caplog.text
    assert delivered(clerk) == [True]
    assert database.rows("SELECT given_up FROM outbox ORDER BY id") == [(True,), (False,)]
    assert clerk.outbox.replay("an.le", id=ids[0]) == 1
    assert delivered(clerk) == [True]
    assert crm.came[-1].id == ids[0]


def test_a_host_that_is_no_longer_allowed_gets_nothing_more(database: Database, clerk: Clerk, crm: Receiver) -> None:
    happened(database, clerk)
    database.installation(webhook_hosts=())
    assert delivered(clerk) == [False]
    assert crm.came == []
    assert "is not among webhook_hosts" in database.one("SELECT last_error FROM outbox")
    database.installation(webhook_hosts=(crm.host,))
    make_due(database)
    assert delivered(clerk) == [True]


def test_a_message_that_somebody_is_sending_is_not_sent_by_a_second(database: Database, clerk: Clerk, pg_dsn: str) -> None:
    happened(database, clerk)
    assert len(clerk.outbox.claim()) == 1
    second = Clerk(pg_dsn)
    assert second.outbox.claim() == []
    second.stop()


def test_one_who_dies_between_sending_and_noting_leaves_it_to_be_sent_again_under_the_same_id(
    database: Database, clerk: Clerk, crm: Receiver, pg_dsn: str
) -> None:
    """kill -9 at that very moment: the receiver has the message, and the database does not know."""
    (id,) = happened(database, clerk)
    program = "import sys; from fs_dialer.runtime.clerk import Clerk; c = Clerk(sys.argv[1]); [c.deliver(m) for m in c.outbox.claim()]"
    process = subprocess.Popen([sys.executable, "-c", program, pg_dsn], cwd=ROOT, stderr=subprocess.DEVNULL)

    def kill(came: Came) -> None:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    crm.on_request = kill
    assert process.wait(60) == -signal.SIGKILL
    crm.on_request = lambda came: None
    assert database.one("SELECT sent_at IS NULL FROM outbox")
    assert delivered(clerk) == [], "not before its lease is over"
    make_due(database)
    assert delivered(clerk) == [True]
    assert [came.id for came in crm.came] == [id, id]
    assert crm.came[0].body == crm.came[1].body


def test_the_loops_carry_an_event_from_the_database_to_the_receiver(database: Database, crm: Receiver, pg_dsn: str) -> None:
    """As in the daemon, but without its patched sockets: the sending is a greenlet's work all the same."""
    made = Clerk(pg_dsn)
    made.start(gevent.spawn)
    database.happening("attempt_ended", number=ADA)
    made.poke()
    with gevent.Timeout(20):
        while not database.one("SELECT count(*) FROM outbox WHERE sent_at IS NOT NULL"):
            gevent.sleep(0.01)
    made.stop()
    assert len(crm.came) == 1


def test_a_database_that_is_away_is_waited_for_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    clerk = Clerk("postgresql://nobody@127.0.0.1:1/none")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert clerk._guarded(lambda: clerk.happenings.work_off(1)) is None
    assert caplog.text.count("triggers and webhooks wait") == 1
