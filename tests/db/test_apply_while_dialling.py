"""Definitions are applied and approved while a daemon claims, opens and closes: nobody waits in a circle, and calls keep their revision (X5, D5)."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from fs_dialer.core.definition import Attempts, Campaign
from fs_dialer.core.model import (
    AgentId,
    Attempt,
    AttemptId,
    AttemptResult,
    CampaignId,
    CampaignState,
    CampaignType,
    GatewayId,
    Lead,
    LeadStatus,
    LeadUpdate,
    LegId,
    Outcome,
)
from fs_dialer.core.plan import Wanted, edits
from fs_dialer.core.resources import CallerIds
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.definitions import WorldMoved
from fs_dialer.db.postgres import PostgresStore
from fs_dialer.db.shapes import LeadRow
from fs_dialer.errors import StoreError
from fs_dialer.modes import progressive

pytestmark = pytest.mark.spec("X5", "D5")

NAMES = tuple(CampaignId(name) for name in ("spring", "autumn", "winter"))
ROUNDS = 12


@pytest.fixture
def office(pg_dsn: str) -> Iterator[Backoffice]:
    with closing(Backoffice(pg_dsn)) as office:
        yield office


@pytest.fixture
def daemon(pg_dsn: str, office: Backoffice) -> Iterator[PostgresStore]:
    """The active one, with three running campaigns."""
    apply(office, 0)
    with closing(PostgresStore(pg_dsn)) as store:
        assert store.take_epoch("test") is not None
        for name in NAMES:
            store.set_campaign_state(name, 1, CampaignState.RUNNING, True, "", "test")
        yield store


def a_campaign(name: str, gap_s: float, most: int) -> Campaign:
    return Campaign(
        id=CampaignId(name),
        type=CampaignType.PROGRESSIVE,
        caller_id=CallerIds(numbers=("+34910000000",)),
        attempts=Attempts(max=most, gap_s=gap_s),
        options=progressive.Options(),
    )


def apply(office: Backoffice, number: int) -> None:
    """All campaigns with another break and maximum."""
    wanted = [Wanted("campaign", name, a_campaign(name, 60.0 + number, 2 + number % 3), {"n": str(number)}) for name in NAMES]
    while True:
        world = office.world()
        try:
            office.store(edits(world.standing, wanted), "an.le", base=world.fingerprint)
            return
        except WorldMoved:
            pass  # an approval came between: planned again


def an_attempt(lead: Lead, revision: int, now: float) -> Attempt:
    leg, agent = LegId(str(uuid.uuid4())), AgentId("lan")
    return Attempt(AttemptId(str(uuid.uuid4())), lead.campaign, revision, lead.id, leg, lead.number, GatewayId("north"), "", agent, now)


def a_result(attempt: Attempt, now: float) -> AttemptResult:
    return AttemptResult(attempt.id, Outcome.NO_ANSWER, "NO_ANSWER", 480, None, now, None, None, now, False, True)


def test_a_running_campaign_dials_on_by_the_approved_revision_until_the_new_one_is_approved(office: Backoffice, daemon: PostgresStore) -> None:
    apply(office, 1)
    stored = daemon.campaign(NAMES[0])
    assert stored is not None
    assert (stored.campaign.attempts.gap_s, stored.newest_revision, stored.state) == (60.0, 2, CampaignState.RUNNING)
    daemon.set_campaign_state(NAMES[0], 2, CampaignState.RUNNING, True, "", "test")
    stored = daemon.campaign(NAMES[0])
    assert stored is not None and stored.campaign.attempts.gap_s == 61.0


def test_a_call_that_is_up_keeps_the_revision_it_was_made_under(office: Backoffice, daemon: PostgresStore) -> None:
    office.import_leads(NAMES[0], [LeadRow("+34910000001")], "test")
    (lead,) = daemon.claim_leads(NAMES[0], 1, [()], time.time() + 60).leads
    attempt = an_attempt(lead, 1, time.time())
    assert list(daemon.open_attempts([attempt])) == [None]
    apply(office, 1)
    daemon.set_campaign_state(NAMES[0], 2, CampaignState.RUNNING, True, "", "test")
    (found,) = daemon.open_attempts_found()
    assert found.attempt.revision == 1
    now = time.time()
    daemon.close_attempts([(a_result(attempt, now), LeadUpdate(lead.id, LeadStatus.RETRY, 1, 0, now + 60, "gap"))])
    assert [each.revision for each in (office.lead_show(lead.id) or pytest.fail("no lead")).attempts] == [1]


def test_applies_and_approvals_among_claims_calls_and_results_never_wait_in_a_circle(office: Backoffice, daemon: PostgresStore, pg_dsn: str) -> None:
    for place, name in enumerate(NAMES):
        office.import_leads(name, [LeadRow(f"+3491{place}{n:06d}") for n in range(150)], "test")
    stop, failures = threading.Event(), []

    def dial(turn: int) -> None:
        try:
            while not stop.is_set():
                batch: list[Attempt] = []
                for name in NAMES[turn:] + NAMES[:turn]:
                    batch += [an_attempt(lead, 1, time.time()) for lead in daemon.claim_leads(name, 5, [()], time.time() + 1e6).leads]
                opened = [attempt for attempt, refusal in zip(batch, daemon.open_attempts(batch), strict=True) if refusal is None]
                now = time.time()
                results: list[Any] = [(a_result(each, now), LeadUpdate(each.lead, LeadStatus.RETRY, 1, 0, now + 5, "gap")) for each in opened]
                daemon.close_attempts(results[::-1])
        except StoreError as error:
            failures.append(error)

    def approve() -> None:
        try:
            for number in range(2, ROUNDS + 2):
                for name in NAMES:
                    while (daemon.campaign(name) or pytest.fail("gone")).newest_revision < number:
                        pass
                    daemon.set_campaign_state(name, number, CampaignState.RUNNING, True, "", "test")
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=dial, args=(turn,)) for turn in (0, 1)] + [threading.Thread(target=approve)]
    for thread in threads:
        thread.start()
    for number in range(1, ROUNDS + 1):
        apply(office, number) if not failures else None
    threads[-1].join()
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    standing = office.world().standing
    assert [(standing["campaign", name].revision, standing["campaign", name].approved_revision) for name in NAMES] == [(ROUNDS + 1, ROUNDS + 1)] * 3
