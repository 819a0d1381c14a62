"""What an import makes of numbers that are known, doubled, forbidden or marked (fs_dialer/db/imports.py); groups, owners, further numbers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg2
import pytest

from fs_dialer import paths
from fs_dialer.cli.rehearsal import Rehearsal
from fs_dialer.config.leads_rows import GoodRow, NumberAt
from fs_dialer.core.model import CampaignId
from fs_dialer.db.import_lots import LOT_ROWS
from fs_dialer.db.imports import ImportDone, ImportedBefore, ImportOrder, run_import
from fs_dialer.db.pool import Pool
from fs_dialer.errors import StoreError
from tests.db.rows import Database

pytestmark = pytest.mark.spec("S16", "S19", "M2")

MADRID = ("Europe/Madrid",)
SPRING = CampaignId("spring")
ORDER = ImportOrder("an.le", SPRING)
DAY = 86400.0


@pytest.fixture
def database(pg_dsn: str) -> Database:
    """With the running campaign spring."""
    database = Database(pg_dsn)
    database.campaign()
    return database


def number(place: int) -> str:
    return f"+3491{place:07d}"


def row(place: int, name: str = "", *, line: int = 0, others: Sequence[int] = (), zone: str = "", **more: Any) -> GoodRow:
    """A row with number(place). `others`: further numbers; `zone`: its own."""
    zones = (zone,) if zone else MADRID
    numbers = (NumberAt(number(place), zones, "phone"), *(NumberAt(number(each), zones, f"phone{nth}") for nth, each in enumerate(others, start=2)))
    attributes = more.pop("attributes", {})
    return GoodRow(line or place, number(place), zones, name, attributes, numbers, has_own_zone=bool(zone), **more)


def done(database: Database, order: ImportOrder, *rows: GoodRow, lot_rows: int = LOT_ROWS) -> ImportDone:
    with closing((Rehearsal if order.dry_run else Pool)(database.dsn, size=1)) as pool:
        return run_import(pool, order, rows, lot_rows=lot_rows)


def leads(database: Database, columns: str = "number, status") -> list[tuple[Any, ...]]:
    found = database.rows(f"SELECT {columns} FROM leads ORDER BY position")
    return [tuple(int(each[5:]) if str(each).startswith("+3491") else each for each in line) for line in found]


def finish(database: Database, place: int, status: str = "succeeded") -> None:
    database.rows("UPDATE leads SET status = %s, attempts = 1 WHERE number = %s", status, number(place))


# --- whom not to call -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D16", "S12")
def test_numbers_on_lists_under_prefixes_and_with_marks_join_and_are_not_called(database: Database) -> None:
    database.rows("INSERT INTO do_not_call (number, added_by) VALUES (%s, 'x'), (%s, 'x')", number(1), number(6))
    database.rows("INSERT INTO do_not_call_prefixes (prefix, added_by) VALUES (%s, 'x'), ('+1', 'x')", number(2)[:-1])
    for place, campaign, days in ((3, "", 1), (4, "spring", 2), (5, "other", 3), (6, "", 4), (7, "", -1)):
        database.rows(
            "INSERT INTO no_callback (number, campaign, until, added_by) VALUES (%s, %s, now() + %s * interval '1 day', 'x')",
            *(number(place + 10 if place in (3, 4, 5, 7) else place), campaign, days),
        )
    counted = done(database, ORDER, *(row(place) for place in (1, 2, 6, 13, 14, 15, 17)))
    assert (counted.new, counted.do_not_call, counted.no_callback) == (2, 3, 2)
    assert leads(database, "number, status, held_by, ready_why, status_before") == [
        (1, "blocked", "do_not_call", "", None),
        (2, "blocked", "do_not_call", "", None),
        (6, "blocked", "do_not_call", "", None),
        (13, "refused", "no_callback", "no_callback", "new"),
        (14, "refused", "no_callback", "no_callback", "new"),
        (15, "new", "", "", None),
        (17, "new", "", "", None),
    ]
    assert database.one("SELECT ready_at > now() + interval '1 day' FROM leads WHERE number = %s", number(14))


def test_a_lead_with_a_time_is_not_called_before_it(database: Database) -> None:
    later = time.time() + DAY
    done(database, ORDER, row(1, not_before=later), row(2, not_before=later - 2 * DAY), row(3))
    assert leads(database, "number, ready_why, ready_at > now()") == [(1, "not_before", True), (2, "", False), (3, "", False)]


# --- the directory --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S34")
def test_further_numbers_and_the_owner_come_with_a_contact(database: Database) -> None:
    done(database, ORDER, row(1, "Ana", others=(11, 12), owner="lan"), row(2, others=(12,), zone="Europe/Paris"))
    assert database.rows("SELECT name, owner, zone_set FROM contacts ORDER BY number") == [("Ana", "lan", "Europe/Madrid"), ("", "", "Europe/Paris")]
    assert database.rows("SELECT place, number, kind, contact_numbers.zone_set FROM contact_numbers ORDER BY contact, place") == [
        (1, number(11), "phone2", "Europe/Madrid"),
        (2, number(12), "phone3", "Europe/Madrid"),
        (1, number(12), "phone2", "Europe/Paris"),
    ]
    assert leads(database, "number, other_numbers") == [
        (1, [[number(11), "Europe/Madrid"], [number(12), "Europe/Madrid"]]),
        (2, [[number(12), "Europe/Paris"]]),
    ]
    assert database.rows("SELECT zone_set FROM campaign_zone_sets ORDER BY 1") == [("Europe/Madrid",), ("Europe/Paris",)]


def test_what_a_later_file_knows_better_is_kept_and_the_rest_stays(database: Database) -> None:
    done(database, ORDER, row(1, "Ana", others=(11,), owner="lan", attributes={"plan": "gold", "city": "Hue"}, zone="Asia/Tokyo"))
    counted = done(database, ORDER, row(1, others=(11, 12), attributes={"plan": "tin"}))
    assert (counted.known, counted.changed, counted.contacts) == (1, 1, 0)
    assert database.rows("SELECT name, owner, attributes, zone_set FROM contacts") == [("Ana", "lan", {"plan": "tin", "city": "Hue"}, "Asia/Tokyo")]
    assert [line[0] for line in database.rows("SELECT number FROM contact_numbers ORDER BY place")] == [number(11), number(12)]
    assert done(database, ORDER, row(1, "Ana", others=(12,), attributes={"city": "Hue"})).changed == 0


def test_a_contact_who_is_to_be_kept_stays_as_he_is_and_joins(database: Database) -> None:
    done(database, replace(ORDER, campaign=None, group="gold"), row(1, "Ana", zone="Asia/Tokyo", others=(11,)))
    counted = done(database, replace(ORDER, known="keep"), row(1, "Bea", zone="Asia/Seoul", others=(12,)))
    assert (counted.new, counted.changed) == (1, 0)
    assert database.rows("SELECT name, zone_set FROM contacts") == [("Ana", "Asia/Tokyo")]
    assert leads(database, "number, zone_set, other_numbers") == [(1, "Asia/Tokyo", [[number(11), "Asia/Tokyo"]])]


@pytest.mark.spec("D4")
def test_open_leads_follow_their_contact_into_another_zone(database: Database) -> None:
    done(database, ORDER, row(1), row(2))
    finish(database, 2)
    done(database, replace(ORDER, campaign=None, group="gold"), row(1, zone="Asia/Tokyo"), row(2, zone="Asia/Tokyo"))
    assert leads(database, "number, zone_set") == [(1, "Asia/Tokyo"), (2, "Europe/Madrid")]
    assert ("Asia/Tokyo",) in database.rows("SELECT zone_set FROM campaign_zone_sets")


@pytest.mark.spec("S21")
def test_contacts_come_into_a_group_once(database: Database) -> None:
    into = replace(ORDER, campaign=None, group="gold")
    counted = done(database, into, row(1), row(2))
    assert (counted.new, counted.members, counted.contacts) == (2, 2, 2)
    counted = done(database, into, row(2), row(3))
    assert (counted.new, counted.known, counted.members) == (1, 1, 1)
    assert leads(database) == []


@pytest.mark.spec("M10", "S21")
def test_campaigns_that_take_whoever_comes_get_their_leads(database: Database) -> None:
    database.campaign("endless")
    database.rows("""UPDATE campaign_revisions SET definition = definition || '{"leads": {"group": "gold", "new_rows": "join"}}' WHERE campaign = 'endless'""")
    order = replace(ORDER, campaign=None, group="gold")
    assert {name: joined.leads for name, joined in done(database, replace(order, dry_run=True), row(1)).later.items()} == {"endless": 1}
    assert leads(database) == []
    assert {name: joined.leads for name, joined in done(database, order, row(1), row(2)).later.items()} == {"endless": 2}
    assert leads(database, "campaign, number") == [("endless", 1), ("endless", 2)]


# --- numbers that are in the campaign already -------------------------------------------------------------------------------------------------


def test_a_lead_that_is_there_stays_as_it_is(database: Database) -> None:
    done(database, ORDER, row(1, "Ana"), row(2))
    finish(database, 2)
    counted = done(database, ORDER, row(1), row(2), row(3))
    assert (counted.known, counted.new) == (2, 1)
    assert leads(database) == [(1, "new"), (2, "succeeded"), (3, "new")]


def test_a_contact_who_is_a_lead_under_another_of_his_numbers_is_known(database: Database) -> None:
    done(database, ORDER, row(1, others=(11,)))
    database.rows("UPDATE leads SET number = %s, copy = id << 20", number(11))
    assert done(database, ORDER, row(1)).known == 1


@pytest.mark.spec("D12")
def test_again_gives_finished_leads_another_one_at_the_end_of_the_line(database: Database) -> None:
    done(database, ORDER, *(row(place) for place in range(1, 6)))
    finish(database, 2)
    finish(database, 3, "exhausted")
    finish(database, 4, "refused")
    finish(database, 5)
    database.rows("INSERT INTO do_not_call (number, added_by) VALUES (%s, 'x')", number(5))
    again = replace(ORDER, known="again")
    counted = done(database, again, *(row(place) for place in range(1, 7)))
    assert (counted.new, counted.known, counted.do_not_call) == (4, 2, 0), "an open one stays alone, and one who may not be called gets no further lead"
    assert leads(database, "number, status, copy")[5:] == [(2, "new", 1), (3, "new", 1), (4, "new", 1), (6, "new", 0)]
    assert done(database, again, row(2)).known == 1


# --- numbers that stand twice in the file -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lot_rows", [1, 2, 100])
def test_every_row_may_be_a_lead_of_its_own(database: Database, lot_rows: int) -> None:
    given = [row(1, "Ana", attributes={"bill": "1", "city": "Hue"}), row(2, line=2)]
    given += [
        row(1, "Ana", line=3, copy=1, attributes={"bill": "2", "city": "Hue"}),
        row(1, "Ana", line=4, copy=2, attributes={"bill": "3"}, zone="Asia/Tokyo"),
    ]
    order = replace(ORDER, twice="keep-all")
    assert done(database, order, *given, lot_rows=lot_rows).new == 4
    expected = [(1, 0, {}, "Europe/Madrid"), (2, 0, {}, "Europe/Madrid"), (1, 1, {"bill": "2"}, "Europe/Madrid"), (1, 2, {"bill": "3"}, "Asia/Tokyo")]
    assert leads(database, "number, copy, parameters, zone_set") == expected
    assert database.rows("SELECT name, attributes FROM contacts ORDER BY id") == [("Ana", {"bill": "1", "city": "Hue"}), ("", {})]
    database.rows("UPDATE leads SET copy = id << 20 WHERE number = %s AND copy = 2", number(1))
    assert done(database, order, *given[:1], *given[2:], lot_rows=lot_rows).new == 3, "in the next file too, as over HTTP"
    assert [line[1] for line in leads(database, "number, copy")[4:]] == [2, 3, 4]


def test_later_rows_may_bring_newer_facts(database: Database) -> None:
    later = time.time() + DAY
    given = [
        row(1, "Ana", owner="lan", attributes={"plan": "gold", "city": "Hue"}, others=(11,)),
        row(2, "Ben", line=2),
        row(1, line=3, twice=True, attributes={"plan": "tin"}, others=(12, 11), not_before=later),
        row(1, "Anna", line=4, twice=True, attributes={"age": "40"}, zone="Asia/Tokyo"),
    ]
    counted = done(database, replace(ORDER, twice="update"), *given, lot_rows=1)
    assert (counted.new, counted.contacts, counted.changed) == (2, 2, 0)
    assert database.rows("SELECT name, owner, attributes, zone_set FROM contacts ORDER BY number") == [
        ("Anna", "lan", {"plan": "tin", "city": "Hue", "age": "40"}, "Asia/Tokyo"),
        ("Ben", "", {}, "Europe/Madrid"),
    ]
    assert [each[0] for each in leads(database, "other_numbers")[0][0]] == [number(11), number(12)]
    assert leads(database, "number, zone_set, ready_why") == [(1, "Asia/Tokyo", "not_before"), (2, "Europe/Madrid", "")]


# --- once, by whoever may -------------------------------------------------------------------------------------------------------------------


def test_the_same_file_into_the_same_place_comes_once(database: Database) -> None:
    order = replace(ORDER, file="a.csv", hash="abc")
    name = done(database, order, row(1)).name
    with pytest.raises(ImportedBefore) as caught:
        done(database, order, row(2))
    assert (caught.value.name, caught.value.who, caught.value.counts["new"]) == (name, "an.le", 1)
    assert done(database, replace(order, group="gold"), row(2)).new == 1
    assert leads(database, "number") == [(1,), (2,)]


def test_what_an_import_of_nobody_s_campaign_says(database: Database) -> None:
    with pytest.raises(StoreError, match="there is no campaign autumn"):
        done(database, replace(ORDER, campaign=CampaignId("autumn")), row(1))


@pytest.mark.parametrize(("twice", "known"), [("keep-first", "update"), ("keep-first", "again"), ("keep-all", "keep"), ("update", "update")])
def test_a_dry_run_counts_what_the_import_does_and_writes_nothing(database: Database, twice: Any, known: Any) -> None:
    done(database, ORDER, *(row(place, attributes={"x": "1"}) for place in range(1, 7)))
    finish(database, 2)
    database.rows("INSERT INTO do_not_call (number, added_by) VALUES (%s, 'x'), (%s, 'x')", number(3), number(8))
    database.rows("INSERT INTO no_callback (number, until, added_by) VALUES (%s, now() + interval '1 day', 'x')", number(9))
    given = [row(place, line=place, attributes={"x": str(place % 2)}, others=(place + 100,) if place % 3 else ()) for place in range(1, 12)]
    given += [row(10, "newer", line=20, twice=True)] if twice == "update" else [row(10, line=20, copy=1)] if twice == "keep-all" else []
    order = replace(ORDER, twice=twice, known=known, group="gold")
    tables = "leads", "contacts", "contact_numbers", "group_members", "imports", "audit", "import_changes", "campaign_zone_sets"
    before = [database.one(f"SELECT count(*) FROM {table}") for table in tables]
    rehearsed = done(database, replace(order, dry_run=True), *given, lot_rows=3)
    assert [database.one(f"SELECT count(*) FROM {table}") for table in tables] == before
    counted = done(database, order, *given, lot_rows=3)
    assert rehearsed.counts() == counted.counts()
    assert counted.new + counted.do_not_call + counted.no_callback + counted.known == len(given) - (twice == "update")


@pytest.mark.spec("M15")
def test_an_operator_may_import(database: Database) -> None:
    database.rows((paths.sql_dir() / "roles.sql").read_text(encoding="utf-8").replace("%", "%%"))
    done(database, ORDER, row(1, "Ana"))
    with closing(Pool(f"{database.dsn}&options=-c%20role%3Dfs_dialer_operator", size=1)) as pool:
        given = [row(1, "Bea", zone="Asia/Tokyo", others=(11,)), row(2, others=(12,)), row(2, line=3, copy=1)]
        assert run_import(pool, replace(ORDER, twice="keep-all", group="gold"), given).new == 3


# --- beside each other ----------------------------------------------------------------------------------------------------------------------


def test_a_contact_who_comes_into_the_directory_meanwhile_is_who_came_first(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a trigger, say, which does not wait for imports: between the judging of a lot and its writing."""
    from fs_dialer.db import imports

    asked = imports.rows

    def meddled(cursor: Any, name: str, words: Any = None) -> Any:
        if name == "insert_people":
            database.rows("INSERT INTO contacts (number, name) VALUES (%s, 'first')", number(1))
        if name == "insert_leads":
            database.rows("INSERT INTO leads (campaign, contact, number) SELECT 'spring', id, number FROM contacts WHERE number = %s", number(1))
        return asked(cursor, name, words)

    monkeypatch.setattr(imports, "rows", meddled)
    counted = done(database, ORDER, row(1, "Ana"), row(2))
    assert (counted.new, counted.known, counted.contacts) == (1, 1, 1)
    assert sorted(leads(database, "number")) == [(1,), (2,)]


def test_an_import_waits_for_another_and_says_so(database: Database) -> None:
    told: list[str] = []
    with closing(psycopg2.connect(database.dsn)) as other, other.cursor() as cursor, closing(Pool(database.dsn, size=1)) as pool:
        cursor.execute("SELECT pg_advisory_xact_lock(7382354617959212404)")

        def waiting() -> None:
            told.append("waiting")
            other.rollback()

        assert run_import(pool, ORDER, [row(1)], waiting=waiting).new == 1
    assert told == ["waiting"]
