"""An undo takes what its import brought, and nothing that others have come to rely on (fs_dialer/db/import_undo.py)."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from fs_dialer.core.model import CampaignId
from fs_dialer.db import import_undo
from fs_dialer.db.import_undo import Undone, UndoneBefore, import_named, imports_listed, undo_import
from fs_dialer.db.imports import ImportedBefore
from fs_dialer.db.pool import Pool
from tests.db.rows import Database
from tests.db.test_import_policies import ORDER, done, finish, leads, number, row

pytestmark = pytest.mark.spec("S16", "S19")

TABLES = {
    "contacts": "number, name, zone_set, owner, attributes",
    "contact_numbers": "contact, place, number, kind, zone_set",
    "group_members": "contact_group, contact",
    "leads": "campaign, contact, number, status, zone_set",
    "import_changes": "contact, before",
}


@pytest.fixture
def database(pg_dsn: str) -> Database:
    database = Database(pg_dsn)
    database.campaign()
    return database


def world(database: Database) -> dict[str, Any]:
    return {table: sorted(map(repr, database.rows(f"SELECT {columns} FROM {table}"))) for table, columns in TABLES.items()}


def undone(database: Database, name: str, **how: Any) -> Undone:
    with closing(Pool(database.dsn, size=1)) as pool:
        line = import_named(pool, name)
        assert line is not None
        return undo_import(pool, line, "an.le", how.pop("now", time.time()), **how)


def a_call(database: Database, place: int, *, over: bool = True) -> None:
    database.rows("INSERT INTO epochs (holder, ended_at) VALUES ('test', now())")
    closed = ("attempts", ", outcome, cause, ended_at, missed, leg_seen", ", 'busy', '', now(), false, true")
    table, columns, values = closed if over else ("attempts_open", "", "")
    database.rows(
        f"""
        INSERT INTO {table} (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, opened_at{columns})
        SELECT gen_random_uuid(), 'spring', 1, leads.id, 'new', (SELECT max(id) FROM epochs), gen_random_uuid(), number, 'north', '', now(){values}
        FROM leads WHERE number = %s""",
        number(place),
    )


def test_an_undone_import_leaves_the_world_as_it_was(database: Database) -> None:
    done(database, ORDER, row(1, "Ana", others=(11,), attributes={"plan": "gold"}), row(2))
    finish(database, 2)
    before = world(database)
    order = replace(ORDER, group="gold", known="again", twice="keep-all", hash="abc")
    given = [row(1, "Bea", zone="Asia/Tokyo", others=(12,), owner="lan", attributes={"plan": "tin"}), row(2), row(3, others=(13,)), row(3, line=4, copy=1)]
    counted = done(database, order, *given)
    assert world(database) != before
    rehearsed = undone(database, counted.name, write=False)
    found = undone(database, counted.name)
    assert rehearsed == found == Undone(leads=4, members=3, contacts=1, restored=1, campaigns={"spring": 4})
    assert world(database) == before
    assert done(database, order, *given).new == 4, "an undone import does not count as one that was made"


def test_leads_that_were_called_stay_and_are_not_called_again(database: Database) -> None:
    name = done(database, ORDER, *(row(place) for place in range(1, 7))).name
    for place in (1, 2):
        a_call(database, place)
    finish(database, 2)
    a_call(database, 3, over=False)
    database.rows("UPDATE leads SET status = 'in_progress', claimed_epoch = 1 WHERE number = %s", number(3))
    finish(database, 4, "retry")
    database.rows("INSERT INTO tickets (channel, lead, number) SELECT 'call', id, number FROM leads WHERE number = %s", number(5))
    found = undone(database, name)
    assert (found.leads, found.stopped, found.finished, found.contacts, found.in_use) == (1, 4, 1, 1, 5)
    assert leads(database, "number, status, claimed_epoch IS NULL") == [
        *((1, "stopped", True), (2, "succeeded", True), (3, "stopped", False), (4, "stopped", True), (5, "stopped", True)),
    ]


def test_contacts_that_others_use_or_changed_stay(database: Database) -> None:
    database.campaign("autumn")
    name = done(database, replace(ORDER, campaign=None, group="gold"), *(row(place) for place in range(1, 6))).name
    done(database, replace(ORDER, campaign=CampaignId("autumn")), row(1))
    database.rows("INSERT INTO group_members (contact_group, contact) SELECT 'tin', id FROM contacts WHERE number = %s", number(2))
    database.rows("UPDATE contacts SET name = 'Ana', updated_at = now() WHERE number = %s", number(3))
    found = undone(database, name)
    assert (found.contacts, found.in_use, found.members) == (2, 3, 5)
    assert [line[0] for line in database.rows("SELECT number FROM contacts ORDER BY number")] == [number(place) for place in (1, 2, 3)]


def test_what_somebody_changed_since_is_not_taken_back(database: Database) -> None:
    done(database, ORDER, row(1, "Ana"), row(2, "Ben"))
    name = done(database, ORDER, row(1, "Anna"), row(2, "Benny")).name
    later = done(database, ORDER, row(2, "Benjamin")).name
    found = undone(database, name)
    assert (found.restored, found.changed_since) == (1, 1)
    assert database.rows("SELECT name FROM contacts ORDER BY number") == [("Ana",), ("Benjamin",)]
    assert undone(database, later).restored == 1
    assert database.rows("SELECT name FROM contacts ORDER BY number") == [("Ana",), ("Benny",)]


def test_former_values_are_kept_for_a_month(database: Database) -> None:
    done(database, ORDER, row(1, "Ana"))
    name = done(database, ORDER, row(1, "Anna")).name
    database.rows("UPDATE imports SET created_at = created_at - interval '31 days'")
    done(database, ORDER, row(2))
    assert database.rows("SELECT FROM import_changes") == []
    found = undone(database, name)
    assert found.forgotten and found.restored == 0


def test_an_undo_that_was_interrupted_is_finished_by_the_next(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_undo, "PAGE", 2)
    before = world(database)
    name = done(database, replace(ORDER, group="gold"), *(row(place) for place in range(1, 8))).name
    asked = import_undo.rows
    pages = 0

    def killed(cursor: Any, query: str, words: Any = None) -> Any:
        nonlocal pages
        pages += query == "undo_leads"
        if pages == 3:
            raise KeyboardInterrupt
        return asked(cursor, query, words)

    with monkeypatch.context() as patched:
        patched.setattr(import_undo, "rows", killed)
        with pytest.raises(KeyboardInterrupt):
            undone(database, name)
    assert len(leads(database)) == 3 and database.one("SELECT undone_at FROM imports") is None
    assert undone(database, name).leads == 3
    assert world(database) == before


def test_an_import_is_undone_once(database: Database) -> None:
    name = done(database, replace(ORDER, hash="abc"), row(1)).name
    with closing(Pool(database.dsn, size=1)) as pool:
        line = import_named(pool, name)
        assert line is not None
        undo_import(pool, line, "an.le", time.time())
        with pytest.raises(UndoneBefore):
            undo_import(pool, line, "an.le", time.time())
        assert [(each.name, each.undone_by) for each in imports_listed(pool)] == [(name, "an.le")]
        assert import_named(pool, "i-0000") is None
    assert database.rows("SELECT what FROM audit ORDER BY id") == [("import_leads",), ("undo_import",)]
    done(database, replace(ORDER, hash="abc"), row(1))
    with pytest.raises(ImportedBefore):
        done(database, replace(ORDER, hash="abc"), row(1))


def test_imports_are_listed_the_newest_first_in_pages(database: Database) -> None:
    names = [done(database, ORDER, row(place)).name for place in (1, 2, 3)]
    with closing(Pool(database.dsn, size=1)) as pool:
        first = imports_listed(pool, limit=2)
        assert [each.name for each in first] == names[:0:-1]
        assert [each.name for each in imports_listed(pool, before=first[-1].id)] == names[:1]
        assert imports_listed(pool, campaign="autumn") == []
