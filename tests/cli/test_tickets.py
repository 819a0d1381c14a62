"""ticket list, show and close."""

from __future__ import annotations

import pytest

from tests.cli.runner import called
from tests.db.rows import ADA, BEN, Database


@pytest.fixture
def database(pg_dsn: str) -> Database:
    made = Database(pg_dsn)
    made.campaign()
    lead = made.lead(status="succeeded")
    made.ticket(campaign="spring", lead=lead, channel="call")
    made.ticket(BEN, queue="support")
    made.ticket(BEN, channel="missed", queue="support")
    return made


def ids(dsn: str, *words: str) -> list[int]:
    return [ticket["id"] for ticket in called("ticket", "list", *words, "--json", dsn=dsn).json["tickets"]]


def test_tickets_are_listed_newest_first_and_filtered(database: Database) -> None:
    dsn = database.dsn
    assert ids(dsn) == [3, 2, 1]
    assert ids(dsn, "--campaign", "spring") == [1]
    assert ids(dsn, "--number", BEN) == [3, 2]
    assert ids(dsn, "--channel", "callback") == [2]
    assert ids(dsn, "--number", ADA, "--channel", "missed") == []
    called("ticket", "close", "2", dsn=dsn)
    assert ids(dsn, "--open") == [3, 1]


def test_a_list_is_read_page_by_page(database: Database) -> None:
    first = called("ticket", "list", "--limit", "2", "--json", dsn=database.dsn).json
    assert (len(first["tickets"]), first["next_before"]) == (2, 2)
    rest = called("ticket", "list", "--before", "2", "--json", dsn=database.dsn).json
    assert ([ticket["id"] for ticket in rest["tickets"]], rest["next_before"]) == ([1], None)


def test_a_list_masks_numbers_and_one_ticket_shows_its_own(database: Database) -> None:
    shown = called("ticket", "list", dsn=database.dsn).out
    assert ADA not in shown and "+442***101" in shown and "1 succeeded" in shown
    assert ADA in called("ticket", "list", "--full", dsn=database.dsn).out
    assert ADA in called("ticket", "show", "1", dsn=database.dsn).out


def test_closing_notes_who_and_why_and_leaves_those_closed_before(database: Database) -> None:
    done = called("ticket", "close", "1", "--note", "seen to", dsn=database.dsn, SUDO_USER="an.le")
    assert (done.code, done.out) == (0, "1 ticket closed.\n")
    again = called("ticket", "close", "1", "2", "--note", "again", "--json", dsn=database.dsn, SUDO_USER="hoa")
    assert again.json == {"closed": [2], "closed_before": [1]}
    shown = called("ticket", "show", "1", "--json", dsn=database.dsn).json["ticket"]
    assert (shown["closed_by"], shown["note"]) == ("an.le", "seen to")
    assert database.rows("SELECT who, target, why FROM audit WHERE what = 'close_ticket' ORDER BY id") == [("an.le", "1", "seen to"), ("hoa", "2", "again")]


def test_a_ticket_that_is_not_there_closes_none(database: Database) -> None:
    done = called("ticket", "close", "1", "99", dsn=database.dsn)
    assert done.code == 1 and "there is no ticket 99; nothing was changed" in done.err
    assert ids(database.dsn, "--open") == [3, 2, 1]
    assert called("ticket", "show", "99", dsn=database.dsn).code == 1


@pytest.mark.spec("D7")
def test_a_name_cannot_move_the_cursor(database: Database) -> None:
    database.rows("UPDATE contacts SET name = %s", "Ada\x1b[2J\nEve")
    for words in (("list",), ("show", "1")):
        assert "\x1b" not in called("ticket", *words, dsn=database.dsn).out
