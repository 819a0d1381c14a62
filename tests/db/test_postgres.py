"""What only a real database can show: concurrency, lost connections, crashes in the middle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace

import psycopg2
import pytest

from fs_dialer.core.model import Attempt, CampaignState, Lead, LeadReturn, LeadStatus, LegId, Outcome, Refusal
from fs_dialer.db import codec
from fs_dialer.db.pool import Arguments, Cursor, rows
from fs_dialer.db.postgres import PostgresStore
from fs_dialer.db.shapes import LeadRow
from fs_dialer.errors import StoreError
from tests.contract.store_backends import (
    MADRID,
    NOW,
    SPRING,
    PostgresBackend,
    a_campaign,
    a_number,
    a_result,
    an_attempt,
    an_update,
    running,
    some_leads,
)
from tests.db.waiting import Waiting, ask, kill


@pytest.fixture
def backend(pg_dsn: str) -> Iterator[PostgresBackend]:
    with ExitStack() as stack:
        yield PostgresBackend(pg_dsn, stack)


@pytest.fixture
def admin(pg_dsn: str) -> Iterator[psycopg2.extensions.connection]:
    with closing(psycopg2.connect(pg_dsn)) as connection:
        connection.autocommit = True
        yield connection


def stored(backend: PostgresBackend) -> PostgresStore:
    store = running(backend, some_leads(4))
    assert isinstance(store, PostgresStore)
    return store


# --- concurrency --------------------------------------------------------------------------------------------------------------------------


def test_claims_at_the_same_time_never_share_a_lead(backend: PostgresBackend) -> None:
    store = running(backend, [row for zone in range(5) for row in some_leads(80, (f"Zone/{zone}",), first=1 + 80 * zone)])
    zone_sets = [(f"Zone/{zone}",) for zone in range(5)]

    def claim_until_none() -> list[Lead]:
        mine: list[Lead] = []
        while True:
            claim = store.claim_leads(SPRING, 7, zone_sets, NOW)
            mine += claim.leads
            if not claim.leads and claim.next_ready_at is None:
                return mine

    with ThreadPoolExecutor(4) as threads:
        taken = [lead.id for claimed in threads.map(lambda _: claim_until_none(), range(4)) for lead in claimed]
    assert len(taken) == len(set(taken)) == 400


def test_a_row_that_somebody_has_locked_is_passed_over_and_asked_for_again(
    backend: PostgresBackend, pg_dsn: str, admin: psycopg2.extensions.connection
) -> None:
    store = running(backend, some_leads(2))
    with closing(psycopg2.connect(pg_dsn)) as other:
        ask(other, f"SELECT FROM leads WHERE number = '{a_number(1)}' FOR UPDATE")
        claim = store.claim_leads(SPRING, 2, [MADRID], NOW)
        assert ([lead.number for lead in claim.leads], claim.next_ready_at, claim.unfinished) == ([a_number(2)], NOW, True)
        other.rollback()
    assert [lead.number for lead in store.claim_leads(SPRING, 2, [MADRID], NOW).leads] == [a_number(1)]


@pytest.mark.spec("X4")
def test_two_daemons_that_both_open_the_same_lead_make_one_call(backend: PostgresBackend) -> None:
    """Many threads of one epoch at the same lead: one attempt is committed."""
    store = running(backend, some_leads(1))
    (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
    with ThreadPoolExecutor(4) as threads:
        verdicts = [verdict and verdict.gate for (verdict,) in threads.map(lambda _: store.open_attempts([an_attempt(lead)]), range(8))]
    assert sorted(map(str, verdicts)) == ["None"] + ["already_open"] * 7
    assert backend.attempts() == 1


def test_batches_in_opposite_orders_do_not_block_each_other(backend: PostgresBackend) -> None:
    store = running(backend, some_leads(40))
    leads = store.claim_leads(SPRING, 40, [MADRID], NOW).leads
    attempts = [an_attempt(lead) for lead in leads]
    updates = {attempt.id: an_update(lead.id) for attempt, lead in zip(attempts, leads, strict=True)}
    for _ in range(5):
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(store.open_attempts, [attempts, attempts[::-1], attempts[20:] + attempts[:20], attempts]))
        results = [(a_result(attempt, Outcome.CANCELLED), replace(updates[attempt.id], status=LeadStatus.NEW, ready_at=NOW)) for attempt in attempts]
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(store.close_attempts, [results, results[::-1], results[20:] + results[:20], results]))
        leads = store.claim_leads(SPRING, 40, [MADRID], NOW).leads
        assert len(leads) == 40
        attempts = [an_attempt(lead) for lead in leads]
        updates = {attempt.id: an_update(lead.id) for attempt, lead in zip(attempts, leads, strict=True)}


@pytest.mark.spec("D4")
def test_a_pause_that_commits_while_the_gate_waits_is_seen(backend: PostgresBackend, pg_dsn: str, admin: psycopg2.extensions.connection) -> None:
    """D4: what was committed before the attempt is, counts, even if the statement began earlier."""
    store = stored(backend)
    (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
    with closing(psycopg2.connect(pg_dsn)) as other:
        ask(other, "UPDATE campaigns SET state = 'paused'")
        waiting = Waiting(admin, lambda: store.open_attempts([an_attempt(lead)]))
        waiting.until_blocked()
        other.commit()
    assert waiting.result() == [Refusal("campaign_paused")]


@pytest.mark.spec("D4")
def test_a_number_forbidden_while_the_gate_waits_is_seen(backend: PostgresBackend, pg_dsn: str, admin: psycopg2.extensions.connection) -> None:
    store = stored(backend)
    (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
    with closing(psycopg2.connect(pg_dsn)) as other:
        ask(other, f"SELECT FROM leads WHERE id = {lead.id} FOR UPDATE")
        waiting = Waiting(admin, lambda: store.open_attempts([an_attempt(lead)]))
        waiting.until_blocked()
        ask(admin, f"INSERT INTO do_not_call (number, added_by) VALUES ('{lead.number}', 'test')")
        other.commit()
    assert waiting.result() == [Refusal("do_not_call")]
    assert backend.lead(lead.number).status == "blocked"


def test_a_take_over_while_the_gate_waits_is_seen(backend: PostgresBackend, pg_dsn: str, admin: psycopg2.extensions.connection) -> None:
    store = stored(backend)
    (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
    with closing(psycopg2.connect(pg_dsn)) as other:
        ask(other, "UPDATE epochs SET ended_at = now() WHERE ended_at IS NULL")
        waiting = Waiting(admin, lambda: store.open_attempts([an_attempt(lead)]))
        waiting.until_blocked()
        other.commit()
    assert waiting.result() == [Refusal("epoch")]
    assert backend.attempts() == 0


def test_a_take_over_waits_for_the_attempts_that_are_being_committed(backend: PostgresBackend, pg_dsn: str, admin: psycopg2.extensions.connection) -> None:
    """So that the new daemon finds every attempt of the old one."""
    old = stored(backend)
    (lead,) = old.claim_leads(SPRING, 1, [MADRID], NOW).leads
    new = backend.store()
    with closing(psycopg2.connect(pg_dsn)) as other:
        with other.cursor() as cursor:
            opened = rows(cursor, "open_attempts", _words([an_attempt(lead)], old.epoch))
        assert opened == [(None, None)]
        backend.depose(old)
        waiting = Waiting(admin, lambda: new.take_epoch("new"))
        waiting.until_blocked()
        other.commit()
    assert waiting.result() == new.epoch
    assert [found.attempt.lead for found in new.open_attempts_found()] == [lead.id]


# --- lost connections and crashes -----------------------------------------------------------------------------------------------------------


def test_a_connection_killed_while_attempts_are_opened_leaves_nothing_half_done(
    backend: PostgresBackend, pg_dsn: str, admin: psycopg2.extensions.connection
) -> None:
    store = stored(backend)
    leads = store.claim_leads(SPRING, 4, [MADRID], NOW).leads
    attempts = [an_attempt(lead) for lead in leads]
    with closing(psycopg2.connect(pg_dsn)) as other:
        # The statement has inserted the first attempts in its own view when it waits for the last lead's row.
        ask(other, f"SELECT FROM leads WHERE id = {leads[-1].id} FOR UPDATE")
        waiting = Waiting(admin, lambda: store.open_attempts(attempts))
        waiting.until_blocked()
        assert ask(admin, "SELECT count(*) FROM attempts_open") == [(0,)]
        while not kill(admin, "fs-dialer"):
            pass
        # It is asked once more on a new connection, and again waits.
        waiting.until_blocked()
        assert ask(admin, "SELECT count(*), count(*) FILTER (WHERE status = 'in_progress') FROM leads") == [(4, 0)]
        other.rollback()
    assert waiting.result() == [None] * 4
    assert backend.attempts() == 4


def test_a_transaction_of_the_back_office_that_is_killed_changes_nothing(backend: PostgresBackend, admin: psycopg2.extensions.connection) -> None:
    backend.define(a_campaign())

    def rows_until_killed() -> Iterator[LeadRow]:
        yield from some_leads(100)
        assert kill(admin, "fs-dialer command") >= 1
        yield from some_leads(50_000, first=101)

    with pytest.raises(StoreError) as caught:
        backend.office.import_leads(SPRING, rows_until_killed(), "test")
    assert caught.value.lost
    assert ask(admin, "SELECT (SELECT count(*) FROM leads), (SELECT count(*) FROM contacts)") == [(0, 0)]
    assert backend.add_leads(some_leads(3)) == (3, 3, 0, 0, 0)


@pytest.mark.parametrize("read", ["campaigns", "agents", "installation", "pending_commands", "open_attempts_found"])
def test_a_question_survives_the_loss_of_every_idle_connection(backend: PostgresBackend, admin: psycopg2.extensions.connection, read: str) -> None:
    store = stored(backend)
    before = getattr(store, read)()
    assert kill(admin, "fs-dialer") >= 1
    assert getattr(store, read)() == before


def test_a_claim_whose_answer_was_lost_is_undone_by_the_next(
    backend: PostgresBackend, admin: psycopg2.extensions.connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim was committed, the answer never came: without this those leads would stay claimed until the next daemon."""
    store = stored(backend)
    answered = rows

    def lose_the_answer(cursor: Cursor, name: str, arguments: dict[str, object] | None = None) -> list[tuple[object, ...]]:
        found = answered(cursor, name, arguments)
        if name == "claim_leads":
            cursor.connection.close()
            raise psycopg2.OperationalError("server closed the connection unexpectedly")
        return found

    with monkeypatch.context() as patched:
        patched.setattr("fs_dialer.db.postgres.rows", lose_the_answer)
        with pytest.raises(StoreError) as caught:
            store.claim_leads(SPRING, 3, [MADRID], NOW)
    assert caught.value.lost
    assert ask(admin, "SELECT count(*) FROM leads WHERE claimed_epoch IS NOT NULL") == [(3,)]
    assert len(store.claim_leads(SPRING, 4, [MADRID], NOW).leads) == 4


def test_the_leader_that_lost_its_lock_gets_its_epoch_back_if_nobody_took_over(backend: PostgresBackend) -> None:
    """A database that restarts does not cost the hopper."""
    store = stored(backend)
    (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
    epoch = store.epoch
    backend.depose(store)
    assert not store.still_leader()
    assert store.take_epoch("again") == epoch
    assert store.still_leader()
    assert list(store.open_attempts([an_attempt(lead)])) == [None]


def test_the_leader_that_lost_its_lock_to_another_knows_it(backend: PostgresBackend) -> None:
    old, new = stored(backend), backend.store()
    backend.depose(old)
    assert new.take_epoch("new") is not None
    assert not old.still_leader()
    assert old.take_epoch("old") is None
    new.close()
    epoch = old.take_epoch("old")
    assert epoch is not None and new.epoch is not None and epoch > new.epoch


def test_a_database_that_is_not_there_is_a_lost_store() -> None:
    store = PostgresStore("postgresql://nobody@127.0.0.1:1/none")
    for ask_it in (store.campaigns, lambda: store.take_epoch("one"), store.pending_commands):
        with pytest.raises(StoreError) as caught:
            ask_it()
        assert caught.value.lost
    assert not store.still_leader()
    store.close()


def test_a_database_without_our_tables_is_told_to_migrate(pg_empty_dsn: str) -> None:
    with closing(PostgresStore(pg_empty_dsn)) as store, pytest.raises(StoreError, match="fs-dialer db migrate") as caught:
        store.campaigns()
    assert not caught.value.lost


def test_a_campaign_that_this_program_cannot_read_does_not_hide_the_others(
    backend: PostgresBackend, admin: psycopg2.extensions.connection, caplog: pytest.LogCaptureFixture
) -> None:
    store = stored(backend)
    backend.define(a_campaign(type(SPRING)("autumn")))
    ask(admin, """UPDATE campaign_revisions SET definition = definition || '{"from_the_future": 1}' WHERE campaign = 'autumn'""")
    assert [found.campaign.id for found in store.campaigns()] == [SPRING]
    assert "campaign_unreadable" in caplog.text
    with pytest.raises(StoreError, match="autumn r1 cannot be read"):
        store.campaign(type(SPRING)("autumn"))


def test_an_attempt_that_was_closed_is_not_opened_again_under_its_id(backend: PostgresBackend) -> None:
    store = stored(backend)
    (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
    attempt = an_attempt(lead)
    store.open_attempts([attempt])
    store.close_attempts([(a_result(attempt), an_update(lead.id, ready_at=NOW))])
    (again,) = [each for each in store.claim_leads(SPRING, 4, [MADRID], NOW).leads if each.id == lead.id]
    assert list(store.open_attempts([replace(attempt, leg=LegId(an_attempt(again).leg))])) == [Refusal("already_open")]
    assert list(store.open_attempts_found()) == []


def test_every_change_of_state_is_in_the_audit(backend: PostgresBackend) -> None:
    store = stored(backend)
    store.set_campaign_state(SPRING, 1, CampaignState.PAUSED, False, "lunch", "an.le")
    line = backend.office.audit_list(SPRING)[0]
    assert (line.who, line.what, line.why) == ("an.le", "campaign_state", "lunch")
    assert line.details == {"from": "running", "to": "paused", "revision": 1, "started": False}


def test_a_returned_lead_is_found_by_the_index_at_once(backend: PostgresBackend) -> None:
    store = stored(backend)
    leads = store.claim_leads(SPRING, 4, [MADRID], NOW).leads
    store.return_leads(SPRING, [LeadReturn(lead.id, NOW - index, "lines") for index, lead in enumerate(leads)])
    assert [lead.id for lead in store.claim_leads(SPRING, 4, [MADRID], NOW).leads] == [lead.id for lead in leads[::-1]]


@pytest.mark.parametrize("shares", [(40,), (39, 1), (10, 10, 10, 10), (1,) * 40, (25, 0, 14, 1)])
def test_a_claim_is_exactly_the_oldest_however_the_leads_lie_in_their_zones(backend: PostgresBackend, shares: Sequence[int]) -> None:
    """The two looks of claim_leads together see what one look at everything would."""
    waiting: list[LeadRow] = []
    for place, share in enumerate(shares):
        for index in range(share):
            number = len(waiting)
            waiting.append(LeadRow(a_number(number), (f"Zone/{place:02d}",), ready_at=NOW - 60 + (index * 7 + place * 3) % 11))
    store = running(backend, waiting)
    oldest = sorted(waiting, key=lambda row: (row.ready_at or 0.0, row.number))
    for count in (1, 3, 10, 39, 40, 60):
        leads = store.claim_leads(SPRING, count, [(f"Zone/{place:02d}",) for place in range(len(shares))], NOW).leads
        assert [lead.number for lead in leads] == [row.number for row in oldest[:count]], f"{count} leads"
        store.return_leads(SPRING, [LeadReturn(lead.id, lead.ready_at, "") for lead in leads])


def _words(attempts: Sequence[Attempt], epoch: int | None) -> Arguments:
    return {**codec.attempt_columns(attempts), "epoch": epoch}


@pytest.mark.parametrize("args", ["[]", '["reason"]', '"reason"', "null", "1"])
def test_a_command_whose_words_are_no_object_holds_up_no_other(backend: PostgresBackend, admin: psycopg2.extensions.connection, args: str) -> None:
    store = backend.store()
    with admin.cursor() as cursor:
        cursor.execute("INSERT INTO commands (id, verb, target, args, who) VALUES (gen_random_uuid(), 'pause', %s, %s::jsonb, 'test')", (SPRING, args))
    second = backend.command("pause", SPRING, {"reason": "lunch"})
    assert [(command.args, command.id == second) for command in store.pending_commands()] == [({}, False), ({"reason": "lunch"}, True)]
