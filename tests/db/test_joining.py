"""Contacts that become leads of a campaign, and leads that a clone takes (fs_dialer/db/joining.py)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg2
import pytest

from fs_dialer.config.filters import BadFilter
from fs_dialer.core.definition import Campaign, LeadsSource
from fs_dialer.core.effects import Joining
from fs_dialer.core.model import CampaignId, CampaignType
from fs_dialer.core.plan import Wanted, edits
from fs_dialer.core.resources import CallerIds
from fs_dialer.db.applying import Takeover
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.joining import CLONED, copy_leads, count_joining, join_later, join_leads
from fs_dialer.db.pool import Cursor
from fs_dialer.modes import callback, progressive

pytestmark = pytest.mark.spec("S16", "S18", "S21", "M2")

SPRING = CampaignId("spring")


@pytest.fixture
def office(pg_dsn: str) -> Iterator[Backoffice]:
    with closing(Backoffice(pg_dsn)) as office:
        yield office


@pytest.fixture
def cursor(pg_dsn: str, office: Backoffice) -> Iterator[Cursor]:
    """Inside one transaction, with a campaign that has no source of leads of its own."""
    define(office, a_campaign())
    with closing(psycopg2.connect(pg_dsn)) as connection, connection.cursor() as cursor:
        yield cursor
        connection.rollback()


def a_campaign(name: str = "spring", **leads: Any) -> Campaign:
    source = LeadsSource(**leads)
    return Campaign(
        id=CampaignId(name), type=CampaignType.PROGRESSIVE, caller_id=CallerIds(numbers=("+34910000000",)), leads=source, options=progressive.Options()
    )


def define(office: Backoffice, campaign: Campaign, **more: Any) -> int | None:
    """Its leads that joined by it."""
    wanted = Wanted("campaign", campaign.id, campaign, {"leads": str(campaign.leads)})
    (change,) = office.store(edits(office.world().standing, [wanted]), "an.le", **more).changes
    return change.leads


def number_of(place: int) -> str:
    return f"+3491{place:07d}"


def contact(cursor: Cursor, place: int, group: str = "gold", *, others: tuple[int, ...] = (), import_id: int | None = None, **attributes: str) -> int:
    cursor.execute(
        "INSERT INTO contacts (number, attributes, zones, zone_set, import) VALUES (%s, %s, '{Europe/Madrid}', 'Europe/Madrid', %s) RETURNING id",
        [number_of(place), json.dumps(attributes), import_id],
    )
    (id,) = cursor.fetchone() or (0,)
    if group:
        cursor.execute("INSERT INTO group_members (contact_group, contact, import) VALUES (%s, %s, %s)", [group, id, import_id])
    for nth, other in enumerate(others, start=1):
        cursor.execute("INSERT INTO contact_numbers (contact, place, number, zone_set) VALUES (%s, %s, %s, 'America/Lima')", [id, nth, number_of(other)])
    return int(id)


def leads(cursor: Cursor, campaign: str = "spring") -> list[tuple[Any, ...]]:
    cursor.execute("SELECT number, status, held_by, ready_why FROM leads WHERE campaign = %s ORDER BY position", [campaign])
    return [(int(number[5:]), *rest) for number, *rest in cursor.fetchall()]


# --- groups and filters ---------------------------------------------------------------------------------------------------------------------


def test_the_members_of_a_group_become_leads_in_the_order_in_which_they_came(cursor: Cursor) -> None:
    for place in (3, 1, 2):
        contact(cursor, place)
    contact(cursor, 9, "silver")
    assert join_leads(cursor, SPRING, "gold", "", "an.le") == Joining(new=3)
    assert [place for place, *_ in leads(cursor)] == [3, 1, 2]


def test_a_filter_alone_looks_at_the_whole_directory(cursor: Cursor) -> None:
    contact(cursor, 1, "", city="Hanoi", owes="90%")
    contact(cursor, 2, "silver", city="Hue")
    assert join_leads(cursor, SPRING, "", "city = hanoi and owes contains '%'", "an.le") == Joining(new=1)


def test_group_and_filter_must_both_hold(cursor: Cursor) -> None:
    contact(cursor, 1, city="Hanoi")
    contact(cursor, 2, city="Hue")
    contact(cursor, 3, "silver", city="Hanoi")
    assert join_leads(cursor, SPRING, "gold", "city = Hanoi", "an.le") == Joining(new=1)
    assert [place for place, *_ in leads(cursor)] == [1]


def test_what_would_join_is_counted_as_it_joins(cursor: Cursor) -> None:
    for place in range(1, 7):
        contact(cursor, place)
    cursor.execute("INSERT INTO do_not_call (number, added_by) VALUES (%s, 'x')", [number_of(1)])
    cursor.execute("INSERT INTO do_not_call_prefixes (prefix, added_by) VALUES (%s, 'x')", [number_of(2)])
    cursor.execute("INSERT INTO no_callback (number, until, added_by) VALUES (%s, now() + '1 day', 'x')", [number_of(3)])
    cursor.execute("INSERT INTO no_callback (number, campaign, until, added_by) VALUES (%s, 'other', now() + '1 day', 'x')", [number_of(4)])
    cursor.execute("INSERT INTO no_callback (number, until, added_by) VALUES (%s, now() - interval '1 day', 'x')", [number_of(5)])
    expected = Joining(new=3, do_not_call=2, refused=1)
    assert count_joining(cursor, SPRING, "gold", "") == expected
    assert join_leads(cursor, SPRING, "gold", "", "an.le") == expected
    assert leads(cursor) == [
        (1, "blocked", "do_not_call", ""),
        (2, "blocked", "do_not_call", ""),
        (3, "refused", "no_callback", "no_callback"),
        (4, "new", "", ""),
        (5, "new", "", ""),
        (6, "new", "", ""),
    ]
    assert count_joining(cursor, SPRING, "gold", "") == join_leads(cursor, SPRING, "gold", "", "an.le") == Joining(known=6)


def test_a_contact_who_is_called_on_another_number_by_now_does_not_join_twice(cursor: Cursor) -> None:
    contact(cursor, 1, others=(11,))
    join_leads(cursor, SPRING, "gold", "", "an.le")
    cursor.execute("UPDATE leads SET number = %s", [number_of(11)])
    assert join_leads(cursor, SPRING, "gold", "", "an.le") == Joining(known=1)


@pytest.mark.spec("M13")
def test_further_numbers_come_along_in_their_order_with_their_zones(cursor: Cursor) -> None:
    contact(cursor, 1, others=(12, 11))
    join_leads(cursor, SPRING, "gold", "", "an.le")
    cursor.execute("SELECT other_numbers FROM leads")
    assert cursor.fetchone() == ([[number_of(12), "America/Lima"], [number_of(11), "America/Lima"]],)
    cursor.execute("SELECT zone_set FROM campaign_zone_sets ORDER BY zone_set")
    assert cursor.fetchall() == [("America/Lima",), ("Europe/Madrid",)]


@pytest.mark.parametrize("group", ["'; DROP TABLE leads; --", "%(group)s", "/* source */"])
@pytest.mark.spec("D7")
def test_a_name_is_never_sql(cursor: Cursor, group: str) -> None:
    assert join_leads(cursor, SPRING, group, "city = '/* source */ %s'", "an.le") == Joining()


def test_a_filter_that_means_nothing_joins_nobody(cursor: Cursor) -> None:
    with pytest.raises(BadFilter):
        join_leads(cursor, SPRING, "gold", "city =", "an.le")


def test_joining_is_in_the_audit(cursor: Cursor) -> None:
    contact(cursor, 1)
    join_leads(cursor, SPRING, "gold", "", "an.le")
    cursor.execute("SELECT who, target, details ->> 'group', details ->> 'new' FROM audit WHERE what = 'join_leads'")
    assert cursor.fetchall() == [("an.le", "spring", "gold", "1")]


# --- with an apply --------------------------------------------------------------------------------------------------------------------------


def test_a_new_campaign_gets_its_leads_with_its_definition(office: Backoffice, pg_dsn: str) -> None:
    with closing(psycopg2.connect(pg_dsn)) as connection, connection, connection.cursor() as cursor:
        contact(cursor, 1)
    assert define(office, a_campaign(group="gold")) == 1
    assert define(office, a_campaign(group="gold")) is None, "an unchanged source brings nobody"


@pytest.mark.spec("M10")
def test_another_source_brings_its_contacts_and_leaves_the_leads_there_are(office: Backoffice, pg_dsn: str) -> None:
    with closing(psycopg2.connect(pg_dsn)) as connection, connection, connection.cursor() as cursor:
        contact(cursor, 1)
        contact(cursor, 2, "silver")
        contact(cursor, 3, "silver", tier="1")
    assert define(office, a_campaign(group="gold")) == 1
    assert define(office, a_campaign(group="silver", filter="has tier")) == 1
    assert define(office, a_campaign(group="silver")) == 1
    with closing(psycopg2.connect(pg_dsn)) as connection, connection.cursor() as cursor:
        assert [place for place, *_ in leads(cursor)] == [1, 3, 2]


def test_a_callback_campaign_draws_from_no_group(office: Backoffice, pg_dsn: str) -> None:
    with closing(psycopg2.connect(pg_dsn)) as connection, connection, connection.cursor() as cursor:
        contact(cursor, 1)
    assert define(office, replace(a_campaign(group="gold"), type=CampaignType.CALLBACK, options=callback.Options())) is None


# --- later contacts -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M9", "M10")
def test_contacts_of_a_later_import_join_the_campaigns_that_let_them(office: Backoffice, pg_dsn: str) -> None:
    for name, words in (("joins", {"new_rows": "join"}), ("leaves", {}), ("filtered", {"new_rows": "join", "filter": "tier = 1"})):
        define(office, a_campaign(name, group="gold", **words))
    with closing(psycopg2.connect(pg_dsn)) as connection, connection, connection.cursor() as cursor:
        contact(cursor, 1, import_id=7)
        contact(cursor, 2, import_id=7, tier="1")
        contact(cursor, 3, import_id=6, tier="1")
        contact(cursor, 4, "silver", import_id=7, tier="1")
        assert join_later(cursor, 7, "an.le") == {"filtered": Joining(new=1), "joins": Joining(new=2)}
        assert [place for place, *_ in leads(cursor, "joins")] == [1, 2]
        cursor.execute("SELECT DISTINCT import FROM leads")
        assert cursor.fetchall() == [(7,)]


def test_nobody_joins_a_campaign_that_is_over(office: Backoffice, pg_dsn: str) -> None:
    define(office, a_campaign("joins", group="gold", new_rows="join"))
    with closing(psycopg2.connect(pg_dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("UPDATE campaigns SET state = 'ended'")
        contact(cursor, 1, import_id=7)
        assert join_later(cursor, 7, "an.le") == {}


def test_two_who_join_at_once_wait_for_each_other(office: Backoffice, pg_dsn: str) -> None:
    with closing(psycopg2.connect(pg_dsn)) as connection, connection, connection.cursor() as cursor:
        for place in range(1, 200):
            contact(cursor, place)
    define(office, a_campaign())
    found: list[Joining] = []

    def join() -> None:
        with closing(psycopg2.connect(pg_dsn)) as connection, connection, connection.cursor() as cursor:
            found.append(join_leads(cursor, SPRING, "gold", "", "an.le"))

    threads = [threading.Thread(target=join) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(joined.new for joined in found) == [0, 0, 199]


# --- clones ---------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M20")
def test_a_clone_takes_unfinished_leads_and_they_begin_anew(office: Backoffice, pg_dsn: str) -> None:
    with closing(psycopg2.connect(pg_dsn)) as connection, connection, connection.cursor() as cursor:
        for place in range(1, 9):
            contact(cursor, place)
    define(office, a_campaign(group="gold"))
    states = ("new", "retry", "callback_scheduled", "in_progress", "succeeded", "exhausted", "invalid", "refused")
    with closing(psycopg2.connect(pg_dsn)) as connection, connection, connection.cursor() as cursor:
        for place, state in enumerate(states, start=1):
            words = ["retry" if state == "refused" else None, state, number_of(place)]
            cursor.execute("UPDATE leads SET status_before = %s, status = %s, attempts = 2, agent = 'lan' WHERE number = %s", words)
        cursor.execute("INSERT INTO do_not_call (number, added_by) VALUES (%s, 'x')", [number_of(2)])
        cursor.execute("INSERT INTO no_callback (number, campaign, until, added_by) VALUES (%s, 'spring', now() + '9 d', 'x')", [number_of(8)])
    taken = define(office, a_campaign("again", group="gold"), takeovers={"again": Takeover(SPRING, CLONED["unfinished"])})
    assert taken == 4, "and not the group once more"
    every = define(office, a_campaign("all"), takeovers={"all": Takeover(SPRING, CLONED["all"])})
    assert every == 7, "the wrong number comes along as one, and is no lead to call"
    assert define(office, a_campaign("none", group="gold"), takeovers={"none": Takeover(SPRING, CLONED["none"])}) == 0
    with closing(psycopg2.connect(pg_dsn)) as connection, connection.cursor() as cursor:
        assert [(place, status) for place, status, *_ in leads(cursor, "again")] == [(1, "new"), (2, "blocked"), (3, "new"), (4, "new")]
        # Who asked one campaign to leave him alone did not ask the next.
        assert [(place, status) for place, status, *_ in leads(cursor, "all")][-2:] == [(7, "invalid"), (8, "new")]
        cursor.execute("SELECT DISTINCT attempts, agent, claimed_epoch FROM leads WHERE campaign = 'again'")
        assert cursor.fetchall() == [(0, None, None)]


def test_a_clone_of_nothing_is_empty(cursor: Cursor) -> None:
    assert copy_leads(cursor, SPRING, CampaignId("nobody"), CLONED["all"]) == Joining()
