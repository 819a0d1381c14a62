"""Hints: they come, they are told once, and a lost connection says `all`."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from fs_dialer.core.model import CommandId
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.listen import ALL, Hint, Listener
from fs_dialer.db.postgres import PostgresStore
from tests.contract.store_backends import SPRING, a_campaign, an_agent, some_leads


@pytest.fixture
def listener(pg_dsn: str) -> Iterator[Listener]:
    with Listener(pg_dsn) as listener:
        assert listener.hints(5.0) == [Hint(ALL, "")]
        yield listener


def notify(dsn: str, *payloads: str) -> None:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        for payload in payloads:
            cursor.execute("SELECT pg_notify('fs_dialer', %s)", (payload,))


def test_the_first_hint_after_connecting_is_to_read_everything(pg_dsn: str) -> None:
    with Listener(pg_dsn) as listener:
        assert not listener.connected
        assert listener.hints(5.0) == [Hint(ALL, "")]
        assert listener.connected


def test_hints_come_as_kind_and_name_and_once_each(listener: Listener, pg_dsn: str) -> None:
    notify(pg_dsn, "campaign:spring", "agents:", "campaign:spring", "odd")
    found = listener.hints(5.0)
    assert found == [Hint("campaign", "spring"), Hint("agents", ""), Hint("odd", "")]


def test_without_hints_the_wait_ends_in_time(listener: Listener) -> None:
    began = time.monotonic()
    assert listener.hints(0.05) == []
    assert 0.04 < time.monotonic() - began < 2
    assert listener.hints(0.0) == []


def test_a_lost_connection_is_made_again_and_says_to_read_everything(listener: Listener, pg_dsn: str) -> None:
    with closing(psycopg2.connect(pg_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'fs-dialer listen'"
        )
    assert listener.hints(5.0) == [Hint(ALL, "")]
    notify(pg_dsn, "leads:spring")
    assert listener.hints(5.0) == [Hint("leads", "spring")]


def test_a_database_that_is_away_is_tried_again_with_growing_breaks() -> None:
    with Listener("postgresql://nobody@127.0.0.1:1/none") as listener:
        began = time.monotonic()
        assert listener.hints(0.05) == []
        assert listener.hints(0.05) == []
        assert time.monotonic() - began >= 0.09  # it waits out the timeout and does not spin
        assert not listener.connected


def test_the_back_office_hints_at_what_it_changes(listener: Listener, pg_dsn: str) -> None:
    with closing(Backoffice(pg_dsn)) as office:
        office.apply_definitions([a_campaign()], [an_agent()], None, "test")
        assert set(listener.hints(5.0)) == {Hint("campaign", SPRING), Hint("agents", "lan")}
        office.apply_definitions([a_campaign()], [an_agent()], None, "test")  # nothing changed, no hint
        office.import_leads(SPRING, some_leads(1), "test")
        assert listener.hints(5.0) == [Hint("leads", SPRING)]
        office.do_not_call_add(["+34911"], "test")
        assert listener.hints(5.0) == [Hint("do_not_call", "")]
        command = office.submit_command("pause", SPRING, {}, "test")
        assert listener.hints(5.0) == [Hint("command", command)]


def test_an_answer_wakes_the_one_who_waits_for_it(pg_dsn: str) -> None:
    with closing(Backoffice(pg_dsn)) as office, closing(PostgresStore(pg_dsn)) as store, Listener(pg_dsn) as listener:
        listener.hints(5.0)
        command = office.submit_command("pause", SPRING, {}, "test")

        def answer() -> None:
            while Hint("command", command) not in listener.hints(5.0):
                pass
            store.reply(command, True, "paused")

        thread = threading.Thread(target=answer)
        thread.start()
        began = time.monotonic()
        assert office.wait_reply(command, 20.0) == (True, "paused")
        assert time.monotonic() - began < 10
        thread.join()


def test_no_answer_in_time_is_none(pg_dsn: str) -> None:
    with closing(Backoffice(pg_dsn)) as office:
        command = office.submit_command("pause", SPRING, {}, "test")
        assert office.wait_reply(command, 0.1) is None
        assert office.wait_reply(CommandId("00000000-0000-4000-8000-000000000000"), 0.0) is None


GREEN = """
import sys
from gevent import monkey
monkey.patch_all()
from psycogreen.gevent import patch_psycopg
patch_psycopg()
import gevent, psycopg2
from fs_dialer.db.listen import Hint, Listener

dsn = sys.argv[1]
listener = Listener(dsn)
assert listener.hints(5.0) == [Hint("all", "")]
ticks = []
def tick():
    while True:
        ticks.append(1)
        gevent.sleep(0.005)
gevent.spawn(tick)
def later():
    gevent.sleep(0.2)
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    connection.cursor().execute("NOTIFY fs_dialer, 'campaign:spring'")
gevent.spawn(later)
assert listener.hints(20.0) == [Hint("campaign", "spring")]
assert len(ticks) > 10, f"the loop stood still: {len(ticks)}"
print("green and fine")
"""


def test_under_gevent_the_loop_goes_on_while_it_listens(pg_dsn: str) -> None:
    done = subprocess.run([sys.executable, "-c", GREEN, pg_dsn], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.returncode) == ("green and fine", 0), done.stderr
