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

from fs_dialer.core.model import Attempt, CampaignId, CampaignState, Lead, LeadId, LeadReturn, LeadStatus, Outcome
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
    a_take,
    also_running,
    an_attempt,
    an_update,
    running,
    some_leads,
)

AUTUMN = CampaignId("autumn")
CAMPAIGNS = st.sampled_from([SPRING, AUTUMN])
ZONE_SETS: tuple[tuple[str, ...], ...] = ((), ("Europe/Madrid",), ("America/Chicago", "America/New_York"))
NUMBERS = st.integers(0, 11)
NEW_NUMBERS = st.integers(30, 37)  # nobody marks or moves these: what an import makes of such a number is the import's own subject
ENTRIES = st.one_of(NUMBERS.map(a_number), st.just(a_number(10)[:-1] + "*"))
PICKS = st.integers(0, 30)
DELAYS = st.sampled_from([-30.0, -1.5, 0.0, 0.5, 60.0])
CAPS = st.sampled_from([(), (), ((1, 40.0),), ((2, 90.0), (1, 1.0)), ((3, 3600.0),)])
UPDATES = st.fixed_dictionaries(
    {},
    optional={
        "number": st.sampled_from(["next", "drop"]),
        "ready_why": st.sampled_from(["gap", "promised"]),
        "agent": st.just("lan"),
        "set": st.sampled_from([(("a", "1"),), (("b", "2"),)]),
        "caller_id": st.sampled_from(["+34910000000", "+34910000001"]),
        "leave_group": st.just(True),
        "status_before": st.sampled_from([None, LeadStatus.SUCCEEDED, LeadStatus.BLOCKED]),
        "no_callback": st.sampled_from([NOW + 20.0, NOW + 100.0]),
        "no_callback_for_all": st.just(True),
    },
)

STEPS = st.one_of(
    st.tuples(st.just("claim"), CAMPAIGNS, st.integers(0, 5), st.lists(st.sampled_from(ZONE_SETS), max_size=4)),
    st.tuples(st.just("open"), st.lists(PICKS, min_size=1, max_size=4), CAPS),
    st.tuples(st.just("open_again"), PICKS),
    st.tuples(st.just("take"), CAMPAIGNS, st.none() | PICKS, st.sampled_from(["lan", "hoa"]), st.sampled_from([None, 1, 3]), st.booleans()),
    st.tuples(st.just("close"), st.lists(PICKS, min_size=1, max_size=3), st.sampled_from(list(Outcome)), st.sampled_from(list(LeadStatus)), DELAYS, UPDATES),
    st.tuples(st.just("return"), st.lists(PICKS, min_size=1, max_size=4), DELAYS, st.booleans()),
    st.tuples(st.just("forbid"), ENTRIES),
    st.tuples(st.just("allow"), ENTRIES),
    st.tuples(st.just("mark"), NUMBERS, st.sampled_from([SPRING, ""]), st.sampled_from([0.0, 30.0, 90.0])),
    st.tuples(st.just("clear"), NUMBERS, st.sampled_from([SPRING, "", None])),
    st.tuples(st.just("return_refused")),
    st.tuples(st.just("state"), st.sampled_from([CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.ENDED])),
    st.tuples(st.just("import"), CAMPAIGNS, st.lists(NEW_NUMBERS, max_size=5), DELAYS),
    st.tuples(st.just("take_over")),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 45.0])),
)


@dataclass
class Day:
    """One store's side of the day. Leads are named by campaign and number: ids differ between the stores."""

    backend: Backend
    store: DaemonStore
    seen: dict[tuple[str, str], Lead]
    attempts: list[Attempt]
    now: float = NOW

    @classmethod
    def begin(cls, backend: Backend) -> Day:
        """Two campaigns with much the same numbers; some contacts have others besides, one of them a number of somebody else."""
        backend.hear("attempt_ended", "ticket_created", "lead_finished", "campaign_state")
        store = running(backend, some_leads(12, ZONE_SETS[1], NOW, first=0))
        also_running(backend, store, some_leads(4, ZONE_SETS[1], NOW, first=3), AUTUMN)
        for number, others in ((0, (20, 21)), (1, (2,)), (3, (22,))):
            backend.give_numbers(a_number(number), [(a_number(other), ZONE_SETS[other % 3]) for other in others])
        return cls(backend, store, {}, [])

    def step(self, name: str, *words: Any) -> object:
        return getattr(self, f"do_{name}")(*words)

    def do_claim(self, campaign: CampaignId, count: int, zone_sets: Sequence[tuple[str, ...]]) -> object:
        claim: Claim = self.store.claim_leads(campaign, count, zone_sets, self.now)
        self.seen |= {(lead.campaign, lead.number): lead for lead in claim.leads}
        return [_nameless(lead) for lead in claim.leads], claim.next_ready_at, claim.unfinished

    def do_take(self, campaign: CampaignId, pick: int | None, agent: str, quota: int | None, own: bool) -> object:
        """The next lead, or any that was ever claimed, whoever has it now."""
        named = None if pick is None else _pick(list(self.seen.values()), pick)
        action = a_take(campaign, agent, lead=named.id if named else None, quota=quota, quota_of_agent=2, own_customer=own, zone_sets=ZONE_SETS)
        taken = self.store.take_lead(action, self.now)
        if taken.lead is not None:
            self.seen[taken.lead.campaign, taken.lead.number] = taken.lead
        return taken.lead and _nameless(taken.lead), taken.gate, taken.until, taken.left

    def do_open(self, picks: Sequence[int], caps: tuple[tuple[int, float], ...]) -> object:
        """Any lead ever claimed, whoever has it now: the gate must sort them out. Attempt ids are the same on both sides."""
        leads = [lead for pick in picks if (lead := _pick(list(self.seen.values()), pick)) is not None]
        ids = [str(uuid.UUID(int=len(self.attempts) + place + 1)) for place in range(len(leads))]
        given = [an_attempt(lead, id=id, opened_at=self.now, caps=caps) for lead, id in zip(leads, ids, strict=True)]
        self.attempts += given
        return list(self.store.open_attempts(given))

    def do_open_again(self, pick: int) -> object:
        """One that is open, or over."""
        attempt = _pick(self.attempts, pick)
        if attempt is None or self.backend.attempts() == 0:
            return None
        verdicts = list(self.store.open_attempts([attempt]))
        if verdicts == [None]:
            self.attempts.append(attempt)
        return verdicts

    def do_close(self, picks: Sequence[int], outcome: Outcome, status: LeadStatus, delay: float, more: dict[str, Any]) -> object:
        attempts = [attempt for pick in picks if (attempt := _pick(self.attempts, pick)) is not None]
        update = replace(an_update(LeadId(0), status, attempts=len(self.attempts), ours_in_row=1, ready_at=self.now + delay), **more)
        ticket = "call" if outcome is Outcome.CONNECTED else ""
        seen = outcome is not Outcome.OURS
        self.store.close_attempts([(a_result(attempt, outcome, leg_seen=seen, ticket=ticket), replace(update, lead=attempt.lead)) for attempt in attempts])
        return None

    def do_return(self, picks: Sequence[int], delay: float, last: bool) -> object:
        leads = {lead.id: lead for pick in picks if (lead := _pick(list(self.seen.values()), pick)) is not None}
        for campaign in (SPRING, AUTUMN):
            self.store.return_leads(campaign, [LeadReturn(id, self.now + delay, "hours", last) for id in leads])
        return None

    def do_forbid(self, entry: str) -> object:
        return self.backend.forbid(entry)

    def do_allow(self, entry: str) -> object:
        return self.backend.allow(entry)

    def do_mark(self, number: int, campaign: str, delay: float) -> object:
        return self.backend.mark(a_number(number), campaign, self.now + delay)

    def do_clear(self, number: int, campaign: str | None) -> object:
        return self.backend.clear(a_number(number), campaign, self.now)

    def do_return_refused(self) -> object:
        return self.store.return_refused(self.now)

    def do_state(self, state: CampaignState) -> object:
        try:
            self.store.set_campaign_state(SPRING, 1, state, state is CampaignState.RUNNING, "", "test")
        except StoreError as error:
            return str(error)
        return None

    def do_import(self, campaign: CampaignId, numbers: Sequence[int], delay: float) -> object:
        rows = [row for number in numbers for row in some_leads(1, ZONE_SETS[number % 3], self.now + delay, first=number)]
        return self.backend.add_leads(rows, campaign)

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
        leads = [(campaign, list(self.backend.leads(campaign))) for campaign in (SPRING, AUTUMN)]
        found = [(one.attempt.id, one.attempt.number, one.attempt.opened_at, _nameless(one.lead)) for one in self.store.open_attempts_found()]
        told = [(kind, {**data, "lead": None}) for kind, data in self.backend.happenings()]
        zone_sets = [set(getattr(self.store.campaign(campaign), "zone_sets", ())) for campaign in (SPRING, AUTUMN)]
        return leads, found, self.backend.outcomes(), zone_sets, dict(self.backend.marks()), list(self.backend.tickets()), told


def _pick(things: Sequence[Any], pick: int) -> Any:
    return things[pick % len(things)] if things else None


def _nameless(lead: Lead) -> Lead:
    return replace(lead, id=LeadId(0))


def _emptied(dsn: str) -> None:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(tablename, ', ') FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_migrations'")
        cursor.execute(f"TRUNCATE {(cursor.fetchone() or ('',))[0]} RESTART IDENTITY CASCADE")


@pytest.mark.timeout(300)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], print_blob=True)
@given(steps=st.lists(STEPS, min_size=5, max_size=40))
def test_both_stores_tell_the_same_story(pg_dsn: str, steps: list[tuple[Any, ...]]) -> None:
    _emptied(pg_dsn)
    with ExitStack() as stack:
        memory, postgres = Day.begin(MemoryBackend()), Day.begin(PostgresBackend(pg_dsn, stack))
        for place, step in enumerate(steps):
            assert memory.step(*step) == postgres.step(*step), f"step {place}: {step}"
            assert memory.picture() == postgres.picture(), f"after step {place}: {step}"
