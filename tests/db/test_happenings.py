"""Events become leads, attributes and messages: each once, and none holds up another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from fs_dialer.core.resources import TriggerAction
from fs_dialer.db.happenings import NOTHING, Happenings
from fs_dialer.db.pool import Pool
from tests.db.rows import ADA, BEN, LONDON, Database

BACK = TriggerAction(add_to="back")
pytestmark = pytest.mark.parametrize("pg_server", [pytest.param(None, id="embedded")], indirect=True)


@pytest.fixture
def database(pg_dsn: str) -> Database:
    made = Database(pg_dsn)
    made.campaign("back", type="callback")
    made.campaign("spring")
    made.installation(region="GB")
    return made


@pytest.fixture
def happenings(pg_dsn: str) -> Iterator[Happenings]:
    with closing(Pool(pg_dsn)) as pool:
        yield Happenings(pool)


def leads(database: Database, campaign: str = "back") -> list[tuple[str, str, int]]:
    return [
        (number, status, copy)
        for number, status, copy in database.rows("SELECT number, status, copy FROM leads WHERE campaign = %s ORDER BY position", campaign)
    ]


def asked_back(database: Database, number: str = ADA) -> tuple[int, int]:
    """A caller of a queue pressed the key: his ticket, and the event that tells of it."""
    ticket = database.ticket(number, queue="support")
    return ticket, database.happening(ticket=ticket, channel="callback", number=number, queue="support", campaign=None, lead=None)


# --- add_to -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S79", "S80", "S81", "S82")
def test_a_callback_ticket_adds_its_customer_to_the_campaign(database: Database, happenings: Happenings) -> None:
    database.trigger("call-back", "ticket_created", BACK, channel="callback")
    ticket, happening = asked_back(database)
    assert happenings.work_off(10) == 1
    assert leads(database) == [(ADA, "new", 0)]
    assert database.result(happening) == f"call-back: added to back as lead {database.one('SELECT lead FROM tickets WHERE id = %s', ticket)}"
    assert database.rows("SELECT zone_set FROM campaign_zone_sets WHERE campaign = 'back'") == [(LONDON,)]


@pytest.mark.spec("S79")
def test_an_event_that_does_not_meet_all_conditions_adds_nobody(database: Database, happenings: Happenings) -> None:
    database.trigger("call-back", "ticket_created", BACK, channel="callback", queue="sales")
    _, happening = asked_back(database)
    assert happenings.work_off(10) == 1
    assert leads(database) == []
    assert database.result(happening) == NOTHING


@pytest.mark.spec("S90", "D12")
def test_a_second_request_while_the_first_is_unfinished_is_linked_and_adds_nothing(database: Database, happenings: Happenings) -> None:
    database.trigger("call-back", "ticket_created", BACK)
    first, _ = asked_back(database)
    second, told = asked_back(database)
    assert happenings.work_off(10) == 2
    assert leads(database) == [(ADA, "new", 0)]
    lead = database.one("SELECT id FROM leads")
    assert database.rows("SELECT lead FROM tickets ORDER BY id") == [(lead,), (lead,)]
    assert database.result(told) == f"call-back: already in back as lead {lead}"
    assert (first, second) == (1, 2)


@pytest.mark.spec("D12")
@pytest.mark.parametrize("status", ["succeeded", "exhausted", "stopped", "error", "invalid"])
def test_after_a_final_status_a_request_makes_a_new_lead_at_the_end_of_the_line(database: Database, happenings: Happenings, status: str) -> None:
    database.trigger("call-back", "ticket_created", BACK)
    database.lead(ADA, "back", status=status)
    database.lead(BEN, "back")
    asked_back(database)
    happenings.work_off(10)
    assert leads(database) == [(ADA, status, 0), (BEN, "new", 0), (ADA, "new", 1)]


@pytest.mark.spec("S89")
def test_customers_join_in_the_order_in_which_they_asked(database: Database, happenings: Happenings) -> None:
    database.trigger("call-back", "ticket_created", BACK)
    numbers = [f"+4420794601{n:02}" for n in (30, 10, 20)]
    for number in numbers:
        asked_back(database, number)
    happenings.work_off(10)
    assert [number for number, _, _ in leads(database)] == numbers


def test_a_number_of_no_contact_becomes_one_with_the_zones_of_its_plan(database: Database, happenings: Happenings) -> None:
    database.trigger("call-back", "ticket_created", BACK)
    asked_back(database, "020 7946 0177")
    happenings.work_off(10)
    assert database.rows("SELECT number, zones FROM contacts") == [("+442079460177", [LONDON])]


def test_a_customer_is_known_by_any_of_his_numbers(database: Database, happenings: Happenings) -> None:
    database.trigger("call-back", "ticket_created", BACK)
    lead = database.lead(ADA, "spring")
    database.rows("INSERT INTO contact_numbers (contact, place, number, zone_set) SELECT contact, 1, %s, 'Asia/Tokyo' FROM leads WHERE id = %s", BEN, lead)
    asked_back(database, BEN)
    happenings.work_off(10)
    assert database.rows("SELECT number, zone_set, other_numbers FROM leads WHERE campaign = 'back'") == [(BEN, "Asia/Tokyo", [[ADA, LONDON]])]
    asked_back(database, ADA)
    happenings.work_off(10)
    assert len(leads(database)) == 1, "one customer is in the line once, by whichever number he asked"


def test_a_number_on_a_do_not_call_list_joins_as_blocked(database: Database, happenings: Happenings) -> None:
    database.trigger("call-back", "ticket_created", BACK)
    database.rows("INSERT INTO do_not_call (number, added_by) VALUES (%s, 'test')", ADA)
    database.rows("INSERT INTO do_not_call_prefixes (prefix, added_by) VALUES ('+4420794602', 'test')")
    asked_back(database)
    asked_back(database, "+442079460299")
    happenings.work_off(10)
    assert leads(database) == [(ADA, "blocked", 0), ("+442079460299", "blocked", 0)]


def test_a_number_that_asked_not_to_be_called_joins_as_refused_until_then(database: Database, happenings: Happenings) -> None:
    database.trigger("call-back", "ticket_created", BACK)
    database.rows("INSERT INTO no_callback (number, until, added_by) VALUES (%s, now() + interval '3 days', 'test')", ADA)
    asked_back(database)
    happenings.work_off(10)
    wanted = "SELECT status, status_before, ready_why, ready_at > now() + interval '2 days' FROM leads"
    assert database.rows(wanted) == [("refused", "new", "no_callback", True)]


# --- what cannot be done ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "number", "said"),
    [
        (TriggerAction(add_to="nowhere"), ADA, "not added to nowhere: there is no such campaign"),
        (TriggerAction(add_to="over"), ADA, "not added to over: it has ended"),
        (BACK, "anonymous", "not added to back: the number can't be called, `a` has no place in a telephone number"),
        (BACK, "", "not added to back: the number can't be called, empty"),
        (TriggerAction(webhook="nowhere"), ADA, "not sent: there is no webhook nowhere"),
        (TriggerAction(set=(("vip", "yes"),)), ADA, "nothing set: nobody in the directory has the number"),
    ],
)
def test_what_cannot_be_done_is_told_and_holds_up_nobody(database: Database, happenings: Happenings, action: TriggerAction, number: str, said: str) -> None:
    database.campaign("over", state="ended")
    database.trigger("first", "ticket_created", action, number=number)
    database.trigger("second", "lead_finished", BACK)
    ticket = database.ticket(number)
    bad = database.happening(ticket=ticket, number=number)
    good = database.happening("lead_finished", number=BEN)
    assert happenings.work_off(10) == 2
    assert database.result(bad) == f"first: {said}"
    assert "added to back" in database.result(good)


def test_an_unreadable_trigger_leaves_the_others_at_work(database: Database, happenings: Happenings) -> None:
    database.trigger("call-back", "ticket_created", BACK)
    database.rows("INSERT INTO definitions VALUES ('triggers', 'newer', 1, '{}', '{\"on\": \"ticket_created\", \"of\": \"a newer version\"}')")
    asked_back(database)
    assert happenings.work_off(10) == 1
    assert len(leads(database)) == 1


@pytest.mark.spec("D7")
def test_what_a_caller_is_called_reaches_no_sql(database: Database, happenings: Happenings) -> None:
    database.trigger("x", "ticket_created", TriggerAction(set=(("a'b", "%s); --"),), webhook="crm"))
    database.webhook("crm", "https://crm.example.com/")
    database.lead()
    happening = database.happening(number=ADA, note="'; DROP TABLE leads; -- %(x)s ${system(id)}")
    assert happenings.work_off(10) == 1
    assert database.one("SELECT attributes FROM contacts") == {"a'b": "%s); --"}
    assert database.one("SELECT body -> 'data' ->> 'note' FROM outbox") == "'; DROP TABLE leads; -- %(x)s ${system(id)}"
    assert database.result(happening) == "x: set a'b, to webhook crm"


# --- set and webhook --------------------------------------------------------------------------------------------------------------------


def test_attributes_are_set_on_the_leads_contact_and_leave_the_others(database: Database, happenings: Happenings) -> None:
    lead = database.lead()
    database.rows('UPDATE contacts SET attributes = \'{"city": "Leeds"}\'')
    database.trigger("met", "lead_finished", TriggerAction(set=(("met", "yes"),)), status="succeeded|exhausted")
    database.happening("lead_finished", lead=lead, number=ADA, status="succeeded")
    happenings.work_off(10)
    assert database.one("SELECT attributes FROM contacts") == {"city": "Leeds", "met": "yes"}


def test_one_event_brings_one_message_however_many_triggers_want_it(database: Database, happenings: Happenings) -> None:
    database.webhook("crm", "https://crm.example.com/")
    database.trigger("one", "attempt_ended", TriggerAction(webhook="crm"))
    database.trigger("two", "attempt_ended", TriggerAction(webhook="crm"), TriggerAction(webhook="crm", set=(("a", "b"),)))
    happening = database.happening("attempt_ended", number=ADA, missed=True)
    happenings.work_off(10)
    ((webhook, of, body),) = database.rows("SELECT webhook, happening, body FROM outbox")
    assert (webhook, of, body["event"], body["data"], body["happening"]) == ("crm", happening, "attempt_ended", {"number": ADA, "missed": True}, happening)


# --- once -------------------------------------------------------------------------------------------------------------------------------


def test_two_daemons_work_off_every_event_once(database: Database, pg_dsn: str) -> None:
    database.webhook("crm", "https://crm.example.com/")
    database.trigger("all", "attempt_ended", TriggerAction(webhook="crm"), BACK)
    for n in range(40):
        database.happening("attempt_ended", number=f"+44207946{1000 + n % 20}")
    with closing(Pool(pg_dsn)) as pool:
        works = [threading.Thread(target=Happenings(pool).work_off, args=(100,)) for _ in range(3)]
        for work in works:
            work.start()
        for work in works:
            work.join()
    assert database.one("SELECT count(*) FROM happenings WHERE done_at IS NULL") == 0
    assert database.one("SELECT count(*) FROM outbox") == 40
    assert sorted(leads(database)) == sorted((f"+44207946{1000 + n}", "new", 0) for n in range(20))


def test_whoever_dies_in_the_middle_leaves_the_event_open_and_nothing_else(database: Database, happenings: Happenings, monkeypatch: pytest.MonkeyPatch) -> None:
    database.webhook("crm", "https://crm.example.com/")
    database.trigger("all", "ticket_created", BACK, TriggerAction(webhook="crm"))
    asked_back(database)

    class Died(BaseException):
        pass

    def dies(*_: object) -> str:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr("fs_dialer.db.happenings._send", dies)
        with pytest.raises(Died):
            happenings.work_off(10)
    assert (leads(database), database.one("SELECT count(*) FROM outbox"), database.one("SELECT lead FROM tickets")) == ([], 0, None)
    assert happenings.work_off(10) == 1
    assert (len(leads(database)), database.one("SELECT count(*) FROM outbox")) == (1, 1)


def test_an_event_that_cannot_be_worked_off_now_waits_and_the_next_goes_on(database: Database, pg_dsn: str) -> None:
    """A row that somebody holds for longer than a statement may take."""
    database.trigger("all", "ticket_created", BACK)
    database.lead(ADA)
    _, held = asked_back(database, ADA)
    _, free = asked_back(database, BEN)
    with closing(psycopg2.connect(pg_dsn)) as other, other.cursor() as cursor, closing(Pool(pg_dsn, statement_timeout_s=0.2)) as pool:
        cursor.execute("SELECT FROM contacts WHERE number = %s FOR UPDATE", (ADA,))
        assert Happenings(pool).work_off(10) == 1
        assert "added to back" in database.result(free)
        other.rollback()
        assert Happenings(pool).work_off(10) == 1
        assert "added to back" in database.result(held)


def test_an_event_of_a_kind_that_nobody_hears_is_not_written(database: Database, happenings: Happenings) -> None:
    assert not happenings.tell("campaign_state", {"campaign": "spring"})
    database.trigger("state", "campaign_state", TriggerAction(webhook="crm"))
    assert happenings.tell("campaign_state", {"campaign": "spring"})
    assert database.one("SELECT count(*) FROM happenings") == 1
