"""Leads that agents take, quotas, how agents spend their hours, today's answers: the same over memory and over every PostgreSQL found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from fs_dialer.core.definition import Window
from fs_dialer.core.leads import STORE_GATES
from fs_dialer.core.model import AgentId, AgentTimes, CampaignId, CampaignState, CampaignType, Lead, LeadReturn, LeadStatus, Outcome
from fs_dialer.core.promises import PROMISE_S
from fs_dialer.core.spans import day_start
from fs_dialer.core.stored import Taken
from fs_dialer.errors import StoreError
from fs_dialer.modes import manual
from tests.contract.store_backends import (
    MADRID,
    NOW,
    SPRING,
    TWO_ZONES,
    Backend,
    DaemonStore,
    MemoryBackend,
    PostgresBackend,
    a_campaign,
    a_number,
    a_result,
    a_take,
    also_running,
    an_attempt,
    an_update,
    called,
    claimed,
    running,
    some_leads,
)

AUTUMN = CampaignId("autumn")
HOUR = 1_800_000_000.0  # begins an hour


def took(store: DaemonStore, *, now: float = NOW, **asked: object) -> Lead:
    """The lead; the test fails where there is none."""
    taken = store.take_lead(a_take(**asked), now)  # type: ignore[arg-type]
    assert taken.lead is not None, taken
    return taken.lead


def refused(store: DaemonStore, *, now: float = NOW, **asked: object) -> Taken:
    taken = store.take_lead(a_take(**asked), now)  # type: ignore[arg-type]
    assert taken.lead is None and taken.gate in STORE_GATES, taken
    return taken


def ended(store: DaemonStore, lead: Lead, outcome: Outcome = Outcome.NO_ANSWER, status: LeadStatus = LeadStatus.RETRY, *, now: float = NOW) -> None:
    """It was called, and may be called again at once."""
    attempt = called(store, lead, opened_at=now)
    store.close_attempts([(a_result(attempt, outcome), an_update(lead.id, status, ready_at=now))])


class TakesContract:
    """Every test of both stores. `backend` is one fresh database."""

    # --- which lead -----------------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("S29")
    def test_an_agent_gets_the_first_ready_lead_and_nobody_else_gets_it(self, backend: Backend) -> None:
        store = running(backend, some_leads(3))
        first = took(store)
        assert (first.number, first.campaign, first.status) == (a_number(1), SPRING, LeadStatus.NEW)
        assert took(store, agent="hoa").number == a_number(2)
        assert [lead.number for lead in store.claim_leads(SPRING, 5, [MADRID], NOW).leads] == [a_number(3)]

    def test_where_nothing_is_ready_he_is_told_when_something_will_be(self, backend: Backend) -> None:
        store = running(backend, some_leads(1, ready_at=NOW + 90))
        assert refused(store) == Taken(None, "no_lead", NOW + 90, None)
        assert refused(store, zone_sets=()) == Taken(None, "no_lead", None, None)

    @pytest.mark.spec("D4")
    def test_a_lead_in_a_closed_zone_is_neither_next_nor_to_be_named(self, backend: Backend) -> None:
        store = running(backend, some_leads(1, TWO_ZONES))
        assert refused(store).gate == "no_lead"
        (lead,) = store.claim_leads(SPRING, 1, [TWO_ZONES], NOW).leads
        store.return_leads(SPRING, [LeadReturn(lead.id, NOW, "")])
        assert refused(store, lead=lead.id).gate == "hours"
        assert took(store, lead=lead.id, zone_sets=(TWO_ZONES,)).id == lead.id

    def test_a_taken_lead_is_dialled_like_any_other(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        assert list(store.open_attempts([an_attempt(took(store))])) == [None]

    def test_a_taken_lead_goes_back_with_the_claims_of_a_daemon_that_died(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        took(store)
        backend.depose(store)
        heir = backend.store()
        assert heir.take_epoch("heir") is not None
        assert heir.return_all_claims() == 1
        assert took(heir, quota=1).number == a_number(1)

    def test_a_daemon_that_is_not_the_active_one_hands_nothing_out(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        backend.depose(store)
        heir = backend.store()
        heir.take_epoch("heir")
        with pytest.raises(StoreError):
            store.take_lead(a_take(), NOW)
        with pytest.raises(StoreError):
            backend.store().take_lead(a_take(), NOW)

    # --- a lead that is named -------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("S11")
    def test_an_unmet_lead_may_be_named_before_its_break_is_over(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        attempt = called(store, took(store))
        lead = attempt.lead
        gap = replace(an_update(lead, ready_at=NOW + 3600), ready_why="gap")
        store.close_attempts([(a_result(attempt, Outcome.NO_ANSWER), gap)])
        assert refused(store) == Taken(None, "no_lead", NOW + 3600, None)
        assert took(store, lead=lead).attempts == 1

    @pytest.mark.spec("D3")
    def test_a_fault_of_ours_and_the_word_of_its_list_hold_for_a_named_lead_too(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        attempt = called(store, took(store))
        fault = replace(an_update(attempt.lead, attempts=0, ready_at=NOW + 60), ready_why="fault")
        store.close_attempts([(a_result(attempt, Outcome.OURS), fault)])
        assert refused(store, lead=attempt.lead) == Taken(None, "gap", NOW + 60, None)

    @pytest.mark.spec("S10")
    def test_a_lead_that_is_over_or_used_up_or_in_a_call_is_refused_with_its_gate(self, backend: Backend) -> None:
        store = running(backend, some_leads(3))
        over, used, up = (took(store) for _ in range(3))
        ended(store, over, Outcome.CONNECTED, LeadStatus.SUCCEEDED)
        attempt = called(store, used)
        store.close_attempts([(a_result(attempt, Outcome.NO_ANSWER), an_update(used.id, attempts=3, ready_at=NOW))])
        called(store, up)
        assert [refused(store, lead=lead.id).gate for lead in (over, used, up)] == ["status", "attempts", "already_open"]

    def test_a_lead_in_other_hands_of_another_campaign_or_of_nobody_is_refused(self, backend: Backend) -> None:
        store = running(backend, some_leads(2))
        also_running(backend, store, some_leads(1, first=9), AUTUMN)
        his, (hopper,) = took(store, agent="hoa"), claimed(store)
        (elsewhere,) = claimed(store, campaign=AUTUMN)
        store.return_leads(AUTUMN, [LeadReturn(elsewhere.id, NOW, "")])
        asked = [refused(store, lead=id).gate for id in (his.id, hopper.id, elsewhere.id, 999_999)]
        assert asked == ["lead_taken", "lead_taken", "lead_unknown", "lead_unknown"]

    def test_asked_for_twice_his_lead_is_handed_out_once(self, backend: Backend) -> None:
        store = running(backend, some_leads(2))
        lead = took(store, quota=1)
        assert store.take_lead(a_take(lead=lead.id, quota=1), NOW) == Taken(lead, left=0)

    @pytest.mark.spec("D14")
    def test_a_callback_promised_by_another_is_his_until_it_is_long_overdue(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        attempt = called(store, took(store))
        promise = replace(an_update(attempt.lead, LeadStatus.CALLBACK_SCHEDULED, ready_at=NOW), ready_why="promised", agent=AgentId("hoa"))
        store.close_attempts([(a_result(attempt, Outcome.CONNECTED), promise)])
        assert refused(store).gate == "no_lead"
        assert refused(store, lead=attempt.lead) == Taken(None, "lead_promised", NOW + PROMISE_S, None)
        assert took(store, lead=attempt.lead, now=NOW + PROMISE_S).agent == "hoa"
        store.return_leads(SPRING, [LeadReturn(attempt.lead, NOW, "")])
        assert took(store, agent="hoa").id == attempt.lead

    @pytest.mark.spec("D14")
    def test_a_promise_that_is_due_comes_before_leads_that_waited_longer(self, backend: Backend) -> None:
        store = running(backend, some_leads(3))
        attempt = called(store, took(store))
        promise = replace(an_update(attempt.lead, LeadStatus.CALLBACK_SCHEDULED, ready_at=NOW), ready_why="promised", agent=AgentId("lan"))
        store.close_attempts([(a_result(attempt, Outcome.CONNECTED), promise)])
        assert took(store, agent="hoa").number == a_number(2)
        assert [took(store).number for _ in range(2)] == [a_number(1), a_number(3)]

    # --- who must not be called -------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("S12", "D16")
    def test_whoever_asked_not_to_be_called_is_refused_by_name_and_never_next(self, backend: Backend) -> None:
        store = running(backend, some_leads(2))
        blocked, left_alone = took(store), took(store)
        store.return_leads(SPRING, [LeadReturn(lead.id, NOW, "") for lead in (blocked, left_alone)])
        backend.forbid(blocked.number)
        backend.mark(left_alone.number, SPRING, NOW + 500)
        assert refused(store, lead=blocked.id) == Taken(None, "do_not_call", None, None)
        assert refused(store, lead=left_alone.id) == Taken(None, "no_callback", NOW + 500, None)
        assert refused(store).gate == "no_lead"

    def test_a_mark_that_came_while_the_lead_was_in_hand_is_found_before_anybody_sees_it(self, backend: Backend) -> None:
        store = running(backend, some_leads(3))
        first, second = took(store), took(store)
        for lead in (first, second):
            backend.put_mark(lead.number, "", NOW + 500)
        store.return_leads(SPRING, [LeadReturn(lead.id, NOW - 90, "") for lead in (first, second)])
        assert refused(store, lead=second.id) == Taken(None, "no_callback", NOW + 500, None)
        assert took(store).number == a_number(3)
        assert [backend.lead(lead.number).status for lead in (first, second)] == ["refused", "refused"]

    # --- quotas -----------------------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("S30", "S31")
    def test_at_the_quota_nobody_more_is_handed_out_until_the_next_day(self, backend: Backend) -> None:
        store = running(backend, some_leads(3))
        assert [store.take_lead(a_take(quota=2), NOW).left for _ in range(2)] == [1, 0]
        taken = refused(store, quota=2)
        assert (taken.gate, taken.left) == ("quota", 0)
        assert taken.until is not None and NOW < taken.until <= NOW + 86_400 and taken.until % 86_400 == 0
        assert took(store, agent="hoa", quota=2).number == a_number(3)

    @pytest.mark.spec("S30")
    def test_customers_count_and_not_calls(self, backend: Backend) -> None:
        store = running(backend, some_leads(2))
        lead = took(store, quota=1)
        for at in (NOW, NOW + 60):
            ended(store, lead, now=at)
            again = store.take_lead(a_take(lead=lead.id, quota=1), at)
            assert again.lead is not None and again.left == 0
        assert refused(store, quota=1).gate == "quota"

    def test_a_lead_that_goes_back_undialled_costs_nothing(self, backend: Backend) -> None:
        store = running(backend, some_leads(2))
        lead = took(store, quota=1)
        store.return_leads(SPRING, [LeadReturn(lead.id, NOW, "", last=True)])
        assert backend.lead(lead.number).claimed is False
        other = took(store, quota=1)
        assert (other.number, refused(store, quota=1).gate) == (a_number(2), "quota")

    def test_what_another_agent_made_of_a_lead_that_went_back_is_not_the_firsts(self, backend: Backend) -> None:
        store = running(backend, some_leads(2))
        lead = took(store, quota=1)
        store.return_leads(SPRING, [LeadReturn(lead.id, NOW, "")])
        ended(store, took(store, agent="hoa", lead=lead.id))
        assert store.take_lead(a_take(quota=1), NOW).left == 0

    def test_the_customers_of_the_day_before_do_not_count(self, backend: Backend) -> None:
        store = running(backend, some_leads(2, ready_at=NOW - 50_000))
        ended(store, took(store, quota=1, now=NOW - 40_000, day=NOW - 80_000), now=NOW - 40_000)
        assert took(store, quota=1).number == a_number(2)

    @pytest.mark.spec("S32", "S33", "D16")
    def test_an_agents_own_quota_spans_campaigns_and_a_campaigns_is_its_own(self, backend: Backend) -> None:
        store = running(backend, some_leads(3))
        also_running(backend, store, some_leads(3, first=1), AUTUMN)
        took(store, quota=1, quota_of_agent=2)
        assert refused(store, quota=1, quota_of_agent=2).gate == "quota"
        assert store.take_lead(a_take(AUTUMN, quota=5, quota_of_agent=3), NOW).left == 2  # the same customer: he counts once in all
        assert store.take_lead(a_take(AUTUMN, quota=5, quota_of_agent=3), NOW).left == 1
        assert refused(store, campaign=AUTUMN, quota=5, quota_of_agent=2).gate == "quota"

    # --- whose customer -------------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("S34")
    def test_taking_a_customer_makes_the_account_his_where_the_campaign_says_so(self, backend: Backend) -> None:
        store = running(backend, some_leads(2))
        first, second = took(store), took(store, own_customer=True)
        assert (backend.owner(first.number), backend.owner(second.number)) == ("", "lan")

    def test_a_lead_remembers_whom_it_met_last(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        attempt = called(store, took(store))
        result = replace(a_result(attempt, Outcome.CONNECTED), agent=AgentId("hoa"))
        store.close_attempts([(result, an_update(attempt.lead, ready_at=NOW))])
        (lead,) = claimed(store)
        assert lead.met == "hoa"
        called(store, lead)
        (found,) = store.open_attempts_found()
        assert found.lead.met == "hoa"

    # --- how agents spend their hours -------------------------------------------------------------------------------------------------------

    def test_agents_times_add_up_by_agent_and_hour(self, backend: Backend) -> None:
        store = backend.store()
        lan = AgentTimes(AgentId("lan"), HOUR, HOUR + 60, (("ready", 40.0), ("talking", 20.0)), missed_offers=1)
        store.save_agent_times([lan, replace(lan, agent=AgentId("hoa"))])
        store.save_agent_times([replace(lan, until=HOUR + 120, seconds=(("ready", 60.0), ("logged_in", 60.0)), previews=2)])
        store.save_agent_times([replace(lan, hour=HOUR + 3600, until=HOUR + 3660)])
        store.save_agent_times([])
        assert backend.hours() == {
            ("lan", HOUR): {"ready": 100.0, "talking": 20.0, "logged_in": 60.0, "missed_offers": 2, "previews": 2},
            ("lan", HOUR + 3600): {"ready": 40.0, "talking": 20.0, "missed_offers": 1},
            ("hoa", HOUR): {"ready": 40.0, "talking": 20.0, "missed_offers": 1},
        }

    def test_the_same_report_again_adds_nothing(self, backend: Backend) -> None:
        store = backend.store()
        row = AgentTimes(AgentId("lan"), HOUR, HOUR + 60, (("ready", 60.0),))
        for _ in range(2):
            store.save_agent_times([row])
        assert backend.hours() == {("lan", HOUR): {"ready": 60.0}}

    # --- today ------------------------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("D1", "S39")
    def test_a_campaign_says_who_answered_and_who_was_missed_since_its_day_began(self, backend: Backend) -> None:
        store = running(backend, some_leads(6))
        begun = day_start("UTC", backend.clock())
        outcomes = (Outcome.CONNECTED, Outcome.MISSED, Outcome.EARLY_HANGUP, Outcome.BUSY, Outcome.MACHINE, Outcome.MISSED)
        for lead, outcome, at in zip(claimed(store, 6, now=NOW), outcomes, (begun, begun, begun + 1, begun + 1, begun + 1, begun - 1), strict=True):
            attempt = called(store, lead, opened_at=at)
            result = replace(a_result(attempt, outcome), missed=outcome is Outcome.MISSED)
            store.close_attempts([(result, an_update(lead.id))])
        stored = store.campaign(SPRING)
        assert stored is not None and stored.today == (3, 1)
        assert [each.today for each in store.campaigns()] == [(3, 1)]

    def test_the_day_begins_where_the_campaign_is(self, backend: Backend) -> None:
        store = backend.store()
        assert store.take_epoch("test") is not None
        here = Window(zone="Pacific/Kiritimati")
        backend.define(replace(a_campaign(), window=here))
        backend.add_leads(some_leads(2))
        store.set_campaign_state(SPRING, 1, CampaignState.RUNNING, True, "", "test")
        begun = day_start(here.zone, backend.clock())
        for lead, at in zip(claimed(store, 2), (begun - 1, begun), strict=True):
            attempt = called(store, lead, opened_at=at)
            store.close_attempts([(a_result(attempt, Outcome.CONNECTED), an_update(lead.id, LeadStatus.SUCCEEDED))])
        stored = store.campaign(SPRING)
        assert stored is not None and stored.today == (1, 0)

    def test_of_campaigns_that_miss_nobody_by_their_pace_nothing_is_counted(self, backend: Backend) -> None:
        backend.define(replace(a_campaign(), type=CampaignType.MANUAL, options=manual.Options()))
        stored = backend.store().campaign(SPRING)
        assert stored is not None and stored.today is None


class TestMemory(TakesContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return MemoryBackend()


class TestPostgres(TakesContract):
    @pytest.fixture
    def backend(self, pg_dsn: str) -> Iterator[Backend]:
        with ExitStack() as closing:
            yield PostgresBackend(pg_dsn, closing)
