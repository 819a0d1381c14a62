"""Memory and PostgreSQL do the same, whatever happens in whatever order: random days on both, compared after every step."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fs_dialer.core.model import Attempt, CampaignState, Lead, LeadId, LeadReturn, LeadStatus, Outcome
from fs_dialer.core.stored import Claim
from fs_dialer.errors import StoreError
from tests.contract.store_backends import (
    NOW,
    SPRING,
    Backend,
    DaemonStore,
    MemoryBackend,
    PostgresBackend,
    a_number,
    a_result,
    an_attempt,
    an_update,
    running,
    some_leads,
)

ZONE_SETS: tuple[tuple[str, ...], ...] = ((), ("Europe/Madrid",), ("America/Chicago", "America/New_York"))
NUMBERS = st.integers(0, 11)
PICKS = st.integers(0, 30)
DELAYS = st.sampled_from([-30.0, -1.5, 0.0, 0.5, 60.0])

STEPS = st.one_of(
    st.tuples(st.just("claim"), st.integers(0, 5), st.lists(st.sampled_from(ZONE_SETS), max_size=4)),
    st.tuples(st.just("open"), st.lists(PICKS, min_size=1, max_size=4)),
    st.tuples(st.just("open_again"), PICKS),
    st.tuples(st.just("close"), st.lists(PICKS, min_size=1, max_size=3), st.sampled_from(list(Outcome)), st.sampled_from(list(LeadStatus)), DELAYS),
    st.tuples(st.just("return"), st.lists(PICKS, min_size=1, max_size=4), DELAYS),
    st.tuples(st.just("forbid"), NUMBERS),
    st.tuples(st.just("allow"), NUMBERS),
    st.tuples(st.just("state"), st.sampled_from([CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.ENDED])),
    st.tuples(st.just("import"), st.lists(NUMBERS, max_size=5), st.sampled_from(ZONE_SETS), DELAYS),
    st.tuples(st.just("take_over")),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 45.0])),
)


@dataclass
class Day:
    """One store's side of the day. Leads are named by their numbers: ids differ between the stores."""

    backend: Backend
    store: DaemonStore
    seen: dict[str, Lead]
    attempts: list[Attempt]
    now: float = NOW

    @classmethod
    def begin(cls, backend: Backend) -> Day:
        return cls(backend, running(backend), {}, [])

    def step(self, name: str, *words: Any) -> object:
        return getattr(self, f"do_{name}")(*words)

    def do_claim(self, count: int, zone_sets: Sequence[tuple[str, ...]]) -> object:
        claim: Claim = self.store.claim_leads(SPRING, count, zone_sets, self.now)
        self.seen |= {lead.number: lead for lead in claim.leads}
        return [_nameless(lead) for lead in claim.leads], claim.next_ready_at, claim.unfinished

    def do_open(self, picks: Sequence[int]) -> object:
        """Any lead ever claimed, whoever has it now: the gate must sort them out. Attempt ids are the same on both sides."""
        leads = [lead for pick in picks if (lead := _pick(list(self.seen.values()), pick)) is not None]
        given = [
            an_attempt(lead, id=str(uuid.UUID(int=len(self.attempts) + place + 1)), opened_at=self.now) for place, lead in enumerate(leads)
        ]
        self.attempts += given
        return list(self.store.open_attempts(given))

    def do_open_again(self, pick: int) -> object:
        attempt = _pick(self.attempts, pick)
        found = {open_attempt.attempt.id for open_attempt in self.store.open_attempts_found()}
        return None if attempt is None or attempt.id not in found else list(self.store.open_attempts([attempt]))

    def do_close(self, picks: Sequence[int], outcome: Outcome, status: LeadStatus, delay: float) -> object:
        attempts = [attempt for pick in picks if (attempt := _pick(self.attempts, pick)) is not None]
        update = an_update(LeadId(0), status, attempts=len(self.attempts), ours_in_row=1, ready_at=self.now + delay)
        self.store.close_attempts([(a_result(attempt, outcome), replace(update, lead=attempt.lead)) for attempt in attempts])
        return None

    def do_return(self, picks: Sequence[int], delay: float) -> object:
        leads = {lead.id: lead for pick in picks if (lead := _pick(list(self.seen.values()), pick)) is not None}
        self.store.return_leads(SPRING, [LeadReturn(id, self.now + delay, "hours") for id in leads])
        return None

    def do_forbid(self, number: int) -> object:
        return self.backend.forbid(a_number(number))

    def do_allow(self, number: int) -> object:
        return self.backend.allow(a_number(number))

    def do_state(self, state: CampaignState) -> object:
        try:
            self.store.set_campaign_state(SPRING, 1, state, state is CampaignState.RUNNING, "", "test")
        except StoreError as error:
            return str(error)
        return None

    def do_import(self, numbers: Sequence[int], zones: tuple[str, ...], delay: float) -> object:
        rows = [row for number in numbers for row in some_leads(1, zones, self.now + delay, first=number)]
        return self.backend.add_leads(rows)

    def do_take_over(self) -> object:
        self.backend.depose(self.store)
        self.store = self.backend.store()
        epoch = self.store.take_epoch("next")
        return epoch, self.store.return_all_claims()

    def do_wait(self, seconds: float) -> object:
        self.now += seconds
        return None

    def picture(self) -> object:
        """Everything that can be seen of the day."""
        leads = {number: _state(self.backend, number) for number in range(12)}
        found = [(one.attempt.id, one.attempt.number, one.attempt.opened_at, _nameless(one.lead)) for one in self.store.open_attempts_found()]
        return leads, found, self.backend.outcomes(), set(getattr(self.store.campaign(SPRING), "zone_sets", ()))


def _pick(things: Sequence[Any], pick: int) -> Any:
    return things[pick % len(things)] if things else None


def _nameless(lead: Lead) -> Lead:
    return replace(lead, id=LeadId(0))


def _state(backend: Backend, number: int) -> object:
    try:
        return backend.lead(a_number(number))
    except (KeyError, ValueError):
        return None


def _emptied(dsn: str) -> None:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(tablename, ', ') FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_migrations'")
        cursor.execute(f"TRUNCATE {(cursor.fetchone() or ('',))[0]} RESTART IDENTITY CASCADE")


@pytest.mark.timeout(300)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], print_blob=True)
@given(steps=st.lists(STEPS, min_size=5, max_size=40))
def test_both_stores_tell_the_same_story(pg_dsn: str, steps: list[tuple[Any, ...]]) -> None:
    _emptied(pg_dsn)
    with ExitStack() as stack:
        memory, postgres = Day.begin(MemoryBackend()), Day.begin(PostgresBackend(pg_dsn, stack))
        for day in (memory, postgres):
            day.step("import", range(8), ZONE_SETS[1], 0.0)
        for place, step in enumerate(steps):
            assert memory.step(*step) == postgres.step(*step), f"step {place}: {step}"
            assert memory.picture() == postgres.picture(), f"after step {place}: {step}"
