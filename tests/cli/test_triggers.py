"""trigger list and trigger test: nothing is done by either."""

from __future__ import annotations

import pytest

from fs_dialer.core.resources import TriggerAction
from tests.cli.runner import called
from tests.db.rows import Database


@pytest.fixture
def database(pg_dsn: str) -> Database:
    made = Database(pg_dsn)
    made.trigger("call-back", "ticket_created", TriggerAction(add_to="back"), TriggerAction(webhook="crm"), channel="callback|missed")
    made.trigger("sold", "disposition_set", TriggerAction(set=(("customer", "yes"),)), disposition="sold")
    return made


def test_triggers_are_listed_in_words(database: Database) -> None:
    shown = called("trigger", "list", dsn=database.dsn).out
    assert "channel = callback or missed" in shown and "add to back, webhook crm" in shown and "set customer = yes" in shown
    first, _ = called("trigger", "list", "--json", dsn=database.dsn).json["triggers"]
    assert (first["trigger"], first["on"], first["when"]) == ("call-back", "ticket_created", {"channel": "callback|missed"})


@pytest.mark.spec("S79")
def test_a_trigger_that_would_fire_says_what_it_would_do_and_does_nothing(database: Database) -> None:
    done = called("trigger", "test", "call-back", "--event", '{"channel": "callback", "number": "+442079460101"}', dsn=database.dsn)
    assert done.code == 0 and "fires" in done.out and "add to back, webhook crm" in done.out
    assert database.one("SELECT count(*) FROM happenings") == 0 and database.one("SELECT count(*) FROM outbox") == 0


@pytest.mark.spec("S79")
def test_one_that_would_not_says_which_condition_stands_in_the_way(database: Database) -> None:
    done = called("trigger", "test", "call-back", "--event", '{"channel": "call"}', dsn=database.dsn)
    assert done.code == 1 and "channel is call, not callback or missed" in done.out
    done = called("trigger", "test", "call-back", "--event", '{"chanel": "callback"}', dsn=database.dsn)
    assert "events of this kind do not tell `chanel`; nearest: channel" in done.err


def test_all_can_be_asked_at_once(database: Database) -> None:
    told = called("trigger", "test", "--on", "disposition_set", "--event", '{"disposition": "SOLD"}', "--json", dsn=database.dsn).json["triggers"]
    assert [(each["trigger"], each["fires"], each["why_not"]) for each in told] == [("call-back", False, "it listens for ticket_created"), ("sold", True, "")]


@pytest.mark.parametrize("words", [("--event", "{}"), ("call-back", "--event", "[]"), ("call-back", "--event", "x"), ("call-back",)])
def test_what_is_no_event_is_misuse(database: Database, words: tuple[str, ...]) -> None:
    assert called("trigger", "test", *words, dsn=database.dsn).code == 2


def test_an_unknown_trigger_is_told_with_the_nearest(database: Database) -> None:
    done = called("trigger", "test", "callback", "--event", "{}", dsn=database.dsn)
    assert done.code == 1 and "there is no trigger callback; nearest: call-back" in done.err
