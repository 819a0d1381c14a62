"""Lists, marks, teams and the end of the line: the same over memory and over every PostgreSQL found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from fs_dialer.core.model import CampaignId, LeadReturn, LeadStatus, Outcome, Refusal
from fs_dialer.errors import StoreError
from tests.contract.store_backends import (
    MADRID,
    NOW,
    SPRING,
    Backend,
    MemoryBackend,
    PostgresBackend,
    a_number,
    a_result,
    also_running,
    an_attempt,
    an_update,
    called,
    claimed,
    running,
    some_leads,
)

AUTUMN = CampaignId("autumn")
DAY = 86_400.0
PREFIX = a_number(10)[:-1] + "*"  # a_number(10) to a_number(19)


def statuses(backend: Backend, *numbers: int) -> list[str]:
    return [backend.lead(a_number(number)).status for number in numbers]


class MarksContract:
    """Every test of both stores. `backend` is one fresh database."""

    # --- whole ranges of numbers --------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("D14")
    def test_a_prefix_blocks_all_its_unfinished_leads_and_no_others(self, backend: Backend) -> None:
        store = running(backend, some_leads(4, first=9))
        one, two, three, _ = claimed(store, 4)
        over, up = called(store, two), called(store, three)
        store.close_attempts([(a_result(over), an_update(two.id, LeadStatus.SUCCEEDED))])
        assert backend.forbid(PREFIX) == (1, 2)
        assert statuses(backend, 9, 10, 11, 12) == ["new", "succeeded", "blocked", "blocked"]
        assert [backend.lead(a_number(place)).claimed for place in (9, 11, 12)] == [True, True, False]  # one of them has its call up
        assert list(store.open_attempts([an_attempt(one)])) == [None]
        store.close_attempts([(a_result(up, Outcome.CONNECTED), an_update(three.id, LeadStatus.SUCCEEDED))])
        assert statuses(backend, 11) == ["blocked"]

    def test_a_prefix_that_is_taken_away_frees_what_nothing_else_forbids(self, backend: Backend) -> None:
        running(backend, some_leads(3, first=10))
        backend.forbid(PREFIX)
        assert backend.forbid(PREFIX) == (0, 0)
        assert backend.forbid(a_number(11)) == (1, 0)  # its lead is blocked already
        backend.forbid(a_number(12)[:-2] + "*")
        backend.allow(a_number(12)[:-2] + "*")
        assert backend.allow(PREFIX) == (1, 2)
        assert statuses(backend, 10, 11, 12) == ["new", "blocked", "new"]

    def test_a_number_stays_forbidden_while_a_prefix_names_it(self, backend: Backend) -> None:
        running(backend, some_leads(1, first=10))
        backend.forbid(a_number(10))
        backend.forbid(PREFIX)
        assert backend.allow(a_number(10)) == (1, 0)
        assert statuses(backend, 10) == ["blocked"]
        assert backend.allow(PREFIX) == (1, 1)

    def test_a_lead_that_was_called_returns_from_a_prefix_to_retry_and_one_whose_call_is_up_to_that(self, backend: Backend) -> None:
        store = running(backend, some_leads(2, first=10))
        one, two = claimed(store, 2)
        attempt = called(store, one)
        store.close_attempts([(a_result(attempt), an_update(one.id))])
        called(store, two)
        backend.forbid(PREFIX)
        backend.allow(PREFIX)
        assert statuses(backend, 10, 11) == ["retry", "in_progress"]

    # --- marks by hand --------------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("S12", "D16")
    def test_a_mark_takes_a_lead_out_of_reach_until_it_is_over(self, backend: Backend) -> None:
        store = running(backend, some_leads(2))
        assert backend.mark(a_number(1), SPRING, NOW + DAY) == (1, 1)
        assert backend.mark(a_number(1), SPRING, NOW + 2 * DAY) == (0, 0)
        state = backend.lead(a_number(1))
        assert (state.status, state.status_before, state.ready_at, state.ready_why) == ("refused", "new", NOW + 2 * DAY, "no_callback")
        assert [lead.number for lead in store.claim_leads(SPRING, 2, [MADRID], NOW + DAY).leads] == [a_number(2)]
        assert [store.return_refused(at) for at in (NOW + DAY, NOW + 2 * DAY)] == [0, 1]
        assert claimed(store, 1, SPRING, NOW + 2 * DAY)[0].status is LeadStatus.NEW

    @pytest.mark.spec("D16")
    def test_a_mark_frees_a_claim_so_that_the_last_gate_stops_it(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = claimed(store)
        backend.mark(lead.number, SPRING, NOW + DAY)
        assert not backend.lead(lead.number).claimed
        assert list(store.open_attempts([an_attempt(lead)])) == [Refusal("no_callback", NOW + DAY)]
        store.return_leads(SPRING, [LeadReturn(lead.id, NOW, "no_callback")])
        assert backend.lead(lead.number).ready_at == NOW + DAY

    @pytest.mark.spec("D16")
    def test_a_mark_for_all_reaches_every_campaign_and_finished_leads_stay_finished(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        for campaign in (AUTUMN, CampaignId("winter")):
            also_running(backend, store, some_leads(1), campaign)
        backend.stop(a_number(1), AUTUMN)
        assert backend.mark(a_number(1), "", NOW + DAY) == (1, 2)
        assert [backend.lead(a_number(1), campaign).status for campaign in (SPRING, AUTUMN, CampaignId("winter"))] == ["refused", "stopped", "refused"]

    @pytest.mark.spec("D16")
    def test_a_shorter_mark_does_not_end_a_longer_one_of_another_scope(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        backend.mark(a_number(1), "", NOW + 9 * DAY)
        assert backend.mark(a_number(1), SPRING, NOW + DAY) == (1, 0)
        assert (backend.lead(a_number(1)).ready_at, store.return_refused(NOW + DAY)) == (NOW + 9 * DAY, 0)

    @pytest.mark.spec("D16")
    def test_a_mark_taken_away_brings_its_leads_back_at_once(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        backend.mark(a_number(1), SPRING, NOW + DAY)
        backend.mark(a_number(1), "", NOW + 2 * DAY)
        assert backend.clear(a_number(1), "") == (1, 0)
        assert (backend.lead(a_number(1)).status, backend.lead(a_number(1)).ready_at) == ("refused", NOW + DAY)
        assert backend.clear(a_number(1), SPRING) == (1, 1)
        assert backend.clear(a_number(1), None) == (0, 0)
        (lead,) = claimed(store)
        assert (lead.status, lead.ready_why, backend.lead(lead.number).status_before) == (LeadStatus.NEW, "", None)

    def test_a_mark_of_another_campaign_taken_away_brings_nobody_back(self, backend: Backend) -> None:
        running(backend, some_leads(1))
        backend.mark(a_number(1), SPRING, NOW + DAY)
        backend.put_mark(a_number(1), AUTUMN, NOW + DAY)
        assert backend.clear(a_number(1), AUTUMN) == (1, 0)
        assert (backend.lead(a_number(1)).status, backend.clear(a_number(1), None)) == ("refused", (1, 1))

    def test_a_mark_set_and_taken_away_during_a_call_leaves_the_call_as_it_is(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = claimed(store)
        attempt = called(store, lead)
        backend.mark(lead.number, SPRING, NOW + DAY)
        assert backend.clear(lead.number, SPRING) == (1, 1)
        assert statuses(backend, 1) == ["in_progress"]
        store.close_attempts([(a_result(attempt), an_update(lead.id))])
        assert statuses(backend, 1) == ["retry"]

    def test_a_mark_that_is_over_during_a_call_leaves_the_call_as_it_is(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = claimed(store)
        attempt = called(store, lead)
        backend.mark(lead.number, SPRING, NOW + 1)
        assert store.return_refused(NOW + 2) == 1
        assert (statuses(backend, 1), store.claim_leads(SPRING, 1, [MADRID], NOW + 2).leads) == (["in_progress"], ())
        store.close_attempts([(a_result(attempt), an_update(lead.id))])
        assert statuses(backend, 1) == ["retry"]

    # --- behind all others ----------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("S57", "S89")
    def test_a_lead_returned_as_the_last_comes_after_the_whole_list(self, backend: Backend) -> None:
        store = running(backend, some_leads(4, ready_at=NOW))
        one, two = claimed(store, 2)
        store.return_leads(SPRING, [LeadReturn(two.id, NOW, "caller_id", last=True), LeadReturn(one.id, NOW, "caller_id", last=True)])
        assert (backend.lead(one.number).held_by, backend.lead(one.number).claimed) == ("caller_id", False)
        backend.add_leads(some_leads(1, ready_at=NOW, first=9))
        assert [lead.number for lead in claimed(store, 5)] == [a_number(place) for place in (3, 4, 2, 1, 9)]

    def test_a_lead_that_is_returned_keeps_why_it_waited_and_for_whom(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = claimed(store)
        attempt = called(store, lead)
        promise = an_update(lead.id, LeadStatus.CALLBACK_SCHEDULED, ready_at=NOW)
        store.close_attempts([(a_result(attempt), type(promise)(**{**promise.__dict__, "ready_why": "promised", "agent": "lan"}))])
        (again,) = claimed(store)
        store.return_leads(SPRING, [LeadReturn(again.id, NOW + 60, "hours")])
        (later,) = claimed(store, 1, SPRING, NOW + 60)
        assert (later.ready_at, later.ready_why, later.agent, later.status) == (NOW + 60, "promised", "lan", LeadStatus.CALLBACK_SCHEDULED)

    # --- teams ------------------------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("S22")
    def test_teams_are_known_by_name_with_their_people(self, backend: Backend) -> None:
        store = backend.store()
        assert store.teams() == {}
        backend.define_teams({"north": ["lan", "hoa"], "empty": []})
        assert store.teams() == {"empty": (), "north": ("lan", "hoa")}


class TestMemory(MarksContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return MemoryBackend()


class TestPostgres(MarksContract):
    @pytest.fixture
    def backend(self, pg_dsn: str) -> Iterator[Backend]:
        with ExitStack() as closing:
            yield PostgresBackend(pg_dsn, closing)

    @pytest.mark.spec("D7")
    @pytest.mark.parametrize("entry", ["+84 90*", "84*", "*", "+84*0", "+84901234567*1", "+", "", "+849%*", "+8490\n*"])
    def test_what_is_neither_a_number_nor_a_prefix_is_refused(self, backend: Backend, entry: str) -> None:
        with pytest.raises(StoreError, match="neither a number"):
            backend.forbid(entry)
