"""Plans kept in the database, and what is counted for their words (fs_dialer/db/plans.py)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg2
import pytest

from fs_dialer.core.definition import Attempts, BusyRetry, Campaign, Installation, LeadsSource
from fs_dialer.core.effects import Facts, Joining
from fs_dialer.core.model import CampaignId, CampaignType
from fs_dialer.core.plan import Wanted, edits
from fs_dialer.core.resources import CallerIds, Hours
from fs_dialer.db.applying import Takeover
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.pool import Cursor
from fs_dialer.modes import predictive

pytestmark = pytest.mark.spec("X5")

WEEKDAYS = Hours(week=(((480, 1200),),) * 5 + ((), ()))


@pytest.fixture
def office(pg_dsn: str) -> Iterator[Backoffice]:
    with closing(Backoffice(pg_dsn)) as office:
        yield office


@pytest.fixture
def cursor(pg_dsn: str) -> Iterator[Cursor]:
    with closing(psycopg2.connect(pg_dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


def a_campaign(name: str = "spring", *, gap_h: float = 4.0, most: int = 3, missed: float = 0.03, **more: Any) -> Campaign:
    return Campaign(
        id=CampaignId(name),
        type=CampaignType.PREDICTIVE,
        caller_id=CallerIds(numbers=("+34910000000",)),
        attempts=Attempts(max=most, gap_s=gap_h * 3600, busy=BusyRetry(gap_s=60.0)),
        options=predictive.Options(missed=predictive.Missed(max=missed)),
        **more,
    )


def wanted(value: Any, kind: str = "campaign", name: str = "spring") -> Wanted:
    return Wanted(kind, getattr(value, "id", name), value, {"text": repr(value)})


def running(office: Backoffice, cursor: Cursor, *campaigns: Campaign) -> None:
    office.store(edits(office.world().standing, [wanted(campaign) for campaign in campaigns]), "test")
    cursor.execute("UPDATE campaigns SET state = 'running', started = true, approved_revision = newest_revision")


def facts(office: Backoffice, *changed: Wanted, **more: Any) -> dict[str, Facts]:
    world = office.world()
    return office.facts(edits(world.standing, changed), world, **more)


def a_lead(
    cursor: Cursor,
    place: int,
    status: str,
    *,
    attempts: int = 1,
    zones: str = "",
    outcome: str = "",
    ended_h: float = 0.0,
    gap_h: float = 4.0,
    missed: bool = False,
) -> None:
    number = f"+3491{place:07d}"
    cursor.execute("INSERT INTO contacts (number, zones, zone_set) VALUES (%s, string_to_array(%s, '|'), %s) RETURNING id", [number, zones, zones])
    (contact,) = cursor.fetchone() or (0,)
    cursor.execute(
        "INSERT INTO leads (campaign, contact, number, status, attempts, zone_set, ready_at, ready_why)"
        " VALUES ('spring', %s, %s, %s, %s, %s, now() + make_interval(secs => %s), %s) RETURNING id",
        [contact, number, status, attempts, zones, (gap_h - ended_h) * 3600 if outcome else 0, "gap" if outcome else ""],
    )
    (lead,) = cursor.fetchone() or (0,)
    if outcome:
        cursor.execute(
            "INSERT INTO attempts (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, opened_at, outcome, cause, ended_at,"
            " missed, leg_seen) VALUES (gen_random_uuid(), 'spring', 1, %s, 'new', 1, gen_random_uuid(), %s, 'north', '',"
            " now() - make_interval(secs => %s), %s, '', now() - make_interval(secs => %s), %s, true)",
            [lead, number, ended_h * 3600 + 30, outcome, ended_h * 3600, missed],
        )


# --- facts ----------------------------------------------------------------------------------------------------------------------------------


def test_leads_that_a_shorter_break_frees_are_counted_and_those_after_a_busy_signal_are_not(office: Backoffice, cursor: Cursor) -> None:
    running(office, cursor, a_campaign())
    for place, ended_h in enumerate((1.0, 2.5, 3.0, 3.9), start=1):
        a_lead(cursor, place, "retry", outcome="no_answer", ended_h=ended_h)
    a_lead(cursor, 5, "retry", outcome="busy", ended_h=0.0, gap_h=1 / 60)
    found = facts(office, wanted(a_campaign(gap_h=2.0)))["spring"]
    assert (found.sooner, found.later) == (3, 0)


def test_leads_that_a_longer_break_holds_are_counted_even_where_the_old_one_is_over(office: Backoffice, cursor: Cursor) -> None:
    running(office, cursor, a_campaign())
    for place, ended_h in enumerate((1.0, 4.5, 5.9, 7.0), start=1):
        a_lead(cursor, place, "retry", outcome="no_answer", ended_h=ended_h)
    found = facts(office, wanted(a_campaign(gap_h=6.0)))["spring"]
    assert (found.sooner, found.later) == (0, 3)


def test_leads_on_either_side_of_a_new_maximum_are_counted(office: Backoffice, cursor: Cursor) -> None:
    running(office, cursor, a_campaign())
    for place, (status, attempts) in enumerate((("retry", 2), ("retry", 1), ("callback_scheduled", 2), ("exhausted", 3), ("exhausted", 4)), start=1):
        a_lead(cursor, place, status, attempts=attempts)
    lower, higher = (facts(office, wanted(a_campaign(most=most)))["spring"] for most in (2, 4))
    assert lower.exhausted == 1
    assert (higher.exhausted, higher.back) == (0, 1)


def test_unfinished_leads_are_counted_by_zone_only_where_hours_change(office: Backoffice, cursor: Cursor) -> None:
    running(office, cursor, a_campaign())
    for place, (status, zones) in enumerate((("new", "Europe/Madrid"), ("retry", "Europe/Madrid"), ("succeeded", "Asia/Tokyo"), ("new", "")), start=1):
        a_lead(cursor, place, status, zones=zones)
    assert facts(office, wanted(a_campaign(gap_h=1)))["spring"].zones is None
    found = facts(office, wanted(a_campaign(hours=WEEKDAYS)))["spring"].zones
    assert sorted(found or ()) == [((), 1), (("Europe/Madrid",), 2)]


def test_missed_calls_are_counted_by_the_day_over_the_new_ceilings_time(office: Backoffice, cursor: Cursor) -> None:
    running(office, cursor, a_campaign())
    a_lead(cursor, 1, "retry", outcome="missed", ended_h=3.0, missed=True)
    a_lead(cursor, 2, "succeeded", outcome="connected", ended_h=30.0)
    a_lead(cursor, 3, "retry", outcome="no_answer", ended_h=1.0)
    days = facts(office, wanted(a_campaign(missed=0.02)))["spring"].days
    assert days is not None and len(days) == 30 and list(days[:3]) == [(1, 1), (1, 0), (0, 0)]
    assert facts(office, wanted(a_campaign(gap_h=1)))["spring"].days is None


def test_calls_in_the_air_are_counted(office: Backoffice, cursor: Cursor) -> None:
    running(office, cursor, a_campaign())
    a_lead(cursor, 1, "in_progress")
    cursor.execute("INSERT INTO epochs (holder) VALUES ('test') RETURNING id")
    (epoch,) = cursor.fetchone() or (0,)
    cursor.execute(
        "INSERT INTO attempts_open (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, opened_at)"
        " SELECT gen_random_uuid(), 'spring', 1, id, 'new', %s, gen_random_uuid(), number, 'north', '', now() FROM leads",
        [epoch],
    )
    assert facts(office, wanted(a_campaign(gap_h=1)))["spring"].calls_up == 1


@pytest.mark.spec("D2")
def test_lines_of_other_running_campaigns_are_added_up_at_the_revision_that_dials(office: Backoffice, cursor: Cursor) -> None:
    installation = wanted(Installation(lines=60), "installation", "")
    office.store(edits(office.world().standing, [installation]), "test")
    running(office, cursor, a_campaign(), a_campaign("one", lines=10), a_campaign("two", lines=15), a_campaign("free"), a_campaign("idle", lines=7))
    cursor.execute("UPDATE campaigns SET state = 'paused' WHERE name = 'idle'")
    office.store(edits(office.world().standing, [wanted(a_campaign("one", lines=40))]), "test")
    found = facts(office, wanted(a_campaign(lines=5)))["spring"]
    assert (found.lines_total, found.lines_taken, found.shared_with) == (60, 25, 1)
    more = facts(office, wanted(a_campaign(lines=5)), wanted(Installation(lines=90), "installation", ""))["spring"]
    assert more.lines_total == 90, "the lines that the same plan brings"


def test_contacts_who_would_join_are_counted_for_new_campaigns_and_new_sources(office: Backoffice, cursor: Cursor) -> None:
    running(office, cursor, a_campaign())
    a_lead(cursor, 1, "new")
    a_lead(cursor, 2, "succeeded")
    cursor.execute("INSERT INTO contacts (number) VALUES ('+34910000009')")
    cursor.execute("INSERT INTO group_members (contact_group, contact) SELECT 'gold', id FROM contacts")
    by_group = LeadsSource(group="gold")
    assert facts(office, wanted(replace(a_campaign(), leads=by_group)))["spring"].joining == Joining(new=1, known=2)
    assert facts(office, wanted(replace(a_campaign("summer"), leads=by_group)))["summer"].joining == Joining(new=3)
    assert facts(office, wanted(a_campaign("autumn")))["autumn"].joining is None


@pytest.mark.spec("M20")
def test_the_leads_of_a_clone_are_counted(office: Backoffice, cursor: Cursor) -> None:
    running(office, cursor, a_campaign())
    a_lead(cursor, 1, "new")
    a_lead(cursor, 2, "succeeded")
    found = facts(office, wanted(a_campaign("again")), takeovers={"again": Takeover(CampaignId("spring"), ("new",))})
    assert found["again"].copied == 1


def test_nothing_is_asked_for_what_does_not_change(office: Backoffice, cursor: Cursor) -> None:
    running(office, cursor, a_campaign())
    assert facts(office, wanted(a_campaign())) == {}


# --- plans ----------------------------------------------------------------------------------------------------------------------------------


def test_a_plan_comes_back_as_it_was_kept(office: Backoffice) -> None:
    name = office.save_plan("an.le", "abc", {"things": []}, {"changes": 1})
    stored = office.plan(name)
    assert stored is not None and name.startswith("p-")
    assert (stored.who, stored.base, stored.content, stored.effect, stored.applied_at, stored.undo) == (
        "an.le",
        "abc",
        {"things": []},
        {"changes": 1},
        None,
        None,
    )
    assert office.plan("p-0000000000") is None
    assert office.recent_plans() == [name]


def test_a_plans_name_that_is_taken_is_thrown_again(office: Backoffice, monkeypatch: pytest.MonkeyPatch) -> None:
    thrown = iter(("aaaa", "aaaa", "aaaaaa"))
    monkeypatch.setattr("fs_dialer.db.plans.secrets.token_hex", lambda _: next(thrown))
    assert [office.save_plan("an.le", "", {}, {}) for _ in range(2)] == ["p-aaaa", "p-aaaaaa"]
