"""What a store's last gate lets through: the same over memory and over every PostgreSQL found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from fs_dialer.core.model import AgentId, AttemptId, CampaignId, CampaignState, LeadReturn, LeadStatus, LegId, Refusal
from tests.contract.store_backends import (
    MADRID,
    NOW,
    SPRING,
    Backend,
    DaemonStore,
    MemoryBackend,
    PostgresBackend,
    a_campaign,
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


def two_campaigns(backend: Backend, count: int = 1) -> DaemonStore:
    """The same numbers in both."""
    store = running(backend, some_leads(count))
    also_running(backend, store, some_leads(count), AUTUMN)
    return store


def calls(store: DaemonStore, times: list[float], campaign: CampaignId = SPRING, *, leg_seen: bool = True) -> None:
    """The one lead of the campaign was called at these times; it is ready again since long ago."""
    for opened_at in times:
        (lead,) = claimed(store, 1, campaign)
        attempt = called(store, lead, opened_at=opened_at)
        store.close_attempts([(a_result(attempt, leg_seen=leg_seen), an_update(lead.id, ready_at=NOW - 9 * DAY))])


class GateContract:
    """Every test of both stores. `backend` is one fresh database."""

    # --- one number, several leads ------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("X4")
    def test_a_number_that_another_campaign_is_calling_is_not_called(self, backend: Backend) -> None:
        store = two_campaigns(backend)
        (one,), (other,) = claimed(store), claimed(store, 1, AUTUMN)
        attempt = called(store, one)
        assert list(store.open_attempts([an_attempt(other, opened_at=NOW + 5)])) == [Refusal("number_in_call", NOW + 65)]
        assert backend.lead(other.number, AUTUMN).claimed  # to be returned by who claimed it
        store.close_attempts([(a_result(attempt), an_update(one.id))])
        assert list(store.open_attempts([an_attempt(other)])) == [None]

    @pytest.mark.spec("X4")
    def test_of_two_leads_of_one_number_in_one_batch_the_first_is_called(self, backend: Backend) -> None:
        store = two_campaigns(backend, 2)
        (one, two), (other, another) = claimed(store, 2), claimed(store, 2, AUTUMN)
        batch = [an_attempt(lead) for lead in (one, other, another, two)]
        assert list(store.open_attempts(batch)) == [None, Refusal("number_in_call", NOW + 60), None, Refusal("number_in_call", NOW + 60)]
        assert list(store.open_attempts(batch)) == [None, Refusal("number_in_call", NOW + 60), None, Refusal("number_in_call", NOW + 60)]

    def test_an_attempt_that_is_refused_stands_in_nobodys_way(self, backend: Backend) -> None:
        store = two_campaigns(backend)
        (one,), (other,) = claimed(store), claimed(store, 1, AUTUMN)
        store.return_leads(SPRING, [LeadReturn(one.id, NOW, "")])
        assert list(store.open_attempts([an_attempt(one), an_attempt(other)])) == [Refusal("lead_taken"), None]

    def test_a_lead_that_is_being_called_has_a_call_open_rather_than_its_number_in_call(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = claimed(store)
        called(store, lead)
        assert list(store.open_attempts([an_attempt(lead)])) == [Refusal("already_open")]

    @pytest.mark.spec("X4", "D8")
    def test_an_attempt_that_is_over_is_not_opened_again(self, backend: Backend) -> None:
        """As by a statement that a lost connection left behind: its lead is ours again, and nobody waits for the answer."""
        store = running(backend, some_leads(1))
        (lead,) = claimed(store)
        attempt = called(store, lead)
        store.close_attempts([(a_result(attempt), an_update(lead.id, ready_at=NOW))])
        (again,) = claimed(store)
        assert list(store.open_attempts([replace(attempt, leg=LegId("00000000-0000-4000-8000-00000000000a"))])) == [Refusal("already_open")]
        assert list(store.open_attempts_found()) == []
        called(store, again)

    # --- what is kept with an attempt ---------------------------------------------------------------------------------------------------

    @pytest.mark.spec("X8")
    def test_what_each_gate_answered_is_kept_with_the_attempt(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = claimed(store)
        gates = (("hours", "ok: inside working hours"), ("attempts", 'ok: 0 of 3 "so far"'))
        attempt = called(store, lead, gates=gates, caps=((1, DAY),))
        (found,) = store.open_attempts_found()
        assert (found.attempt, found.lead) == (replace(attempt, caps=()), lead)

    @pytest.mark.spec("D5")
    def test_an_open_attempt_tells_the_definition_it_was_dialled_under_where_another_one_dials(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = claimed(store)
        called(store, lead)
        assert [found.definition for found in store.open_attempts_found()] == [None]
        changed = replace(a_campaign(SPRING), title="Another title")
        revision = backend.define(changed)
        assert [found.definition for found in store.open_attempts_found()] == [None]
        store.approve_revision(SPRING, revision, "bo")
        (found,) = store.open_attempts_found()
        assert found.attempt.revision == found.definition.revision == revision - 1
        assert found.definition.title == a_campaign(SPRING).title

    def test_a_lead_is_found_as_it_was_when_it_was_claimed(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        backend.give_numbers(a_number(1), [(a_number(7), ()), (a_number(8), ())])
        (lead,) = claimed(store)
        attempt = called(store, lead)
        promise = replace(an_update(lead.id, LeadStatus.CALLBACK_SCHEDULED, ready_at=NOW), ready_why="promised", agent=AgentId("lan"), caller_id="+34910000001")
        store.close_attempts([(a_result(attempt), promise)])
        (lead,) = claimed(store)
        assert (lead.status, lead.ready_why, lead.agent, lead.caller_id, lead.other_numbers) == (
            LeadStatus.CALLBACK_SCHEDULED, "promised", "lan", "+34910000001", 2,
        )  # fmt: skip
        called(store, lead)
        assert [found.lead for found in store.open_attempts_found()] == [lead]

    # --- caps -----------------------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("D10")
    def test_a_number_that_was_called_often_enough_waits_until_a_call_ages_out(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        calls(store, [NOW - 3600, NOW - 60, NOW - 7200])
        (lead,) = claimed(store)
        asked = [((3, DAY),), ((4, DAY),), ((2, DAY),), ((1, DAY),), ((2, 3000.0),), ((3, DAY), (1, 7 * DAY))]
        refusals = [store.open_attempts([an_attempt(lead, caps=caps)])[0] for caps in asked if caps != ((4, DAY),) and caps != ((2, 3000.0),)]
        assert refusals == [Refusal("number_cap", until) for until in (NOW - 7200 + DAY, NOW - 3600 + DAY, NOW - 60 + DAY, NOW - 60 + 7 * DAY)]
        assert backend.lead(lead.number).claimed
        called(store, lead, caps=((4, DAY), (2, 3000.0)))

    @pytest.mark.spec("D10")
    def test_a_call_counts_until_the_moment_it_ages_out_and_no_longer(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        calls(store, [NOW - DAY])
        (lead,) = claimed(store)
        early = an_attempt(lead, caps=((1, DAY),), opened_at=NOW - 0.5)
        assert list(store.open_attempts([early])) == [Refusal("number_cap", NOW)]
        called(store, lead, caps=((1, DAY),), opened_at=NOW)

    @pytest.mark.spec("D10")
    def test_calls_of_every_campaign_count(self, backend: Backend) -> None:
        store = two_campaigns(backend)
        calls(store, [NOW - 60], AUTUMN)
        (lead,) = claimed(store)
        assert list(store.open_attempts([an_attempt(lead, caps=((1, DAY),))])) == [Refusal("number_cap", NOW - 60 + DAY)]

    @pytest.mark.spec("D10", "D3")
    def test_a_call_that_never_reached_the_network_does_not_count(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        calls(store, [NOW - 60, NOW - 50], leg_seen=False)
        (lead,) = claimed(store)
        called(store, lead, caps=((1, DAY),))

    def test_a_campaign_without_caps_does_not_count(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        calls(store, [NOW - 60, NOW - 50])
        (lead,) = claimed(store)
        called(store, lead)

    # --- asked to be left alone -----------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("S12", "D16")
    @pytest.mark.parametrize("campaign", [SPRING, ""])
    def test_a_number_that_asked_to_be_left_alone_is_not_called(self, backend: Backend, campaign: str) -> None:
        store = running(backend, some_leads(1))
        (lead,) = claimed(store)
        backend.put_mark(lead.number, campaign, NOW + 5 * DAY)
        assert list(store.open_attempts([an_attempt(lead)])) == [Refusal("no_callback", NOW + 5 * DAY)]
        state = backend.lead(lead.number)
        assert (state.status, state.status_before, state.ready_at, state.ready_why, state.claimed) == ("refused", "new", NOW + 5 * DAY, "no_callback", False)
        assert store.claim_leads(SPRING, 1, [MADRID], NOW + 9 * DAY).leads == ()

    @pytest.mark.spec("D16")
    def test_a_mark_that_is_over_or_another_campaigns_stops_nobody(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        backend.put_mark(a_number(1), AUTUMN, NOW + DAY)
        backend.put_mark(a_number(1), SPRING, NOW)
        (lead,) = claimed(store)
        called(store, lead)

    @pytest.mark.spec("D16")
    def test_the_longer_of_two_marks_holds(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        backend.put_mark(a_number(1), SPRING, NOW + DAY)
        backend.put_mark(a_number(1), "", NOW + 2 * DAY)
        (lead,) = claimed(store)
        assert list(store.open_attempts([an_attempt(lead)])) == [Refusal("no_callback", NOW + 2 * DAY)]

    def test_a_lead_that_is_not_ours_stays_as_it_is(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = claimed(store)
        backend.put_mark(lead.number, "", NOW + 5 * DAY)
        store.return_leads(SPRING, [LeadReturn(lead.id, NOW, "")])
        assert list(store.open_attempts([an_attempt(lead)])) == [Refusal("no_callback", NOW + 5 * DAY)]
        assert backend.lead(lead.number).status == "new"

    # --- do not call --------------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("D4", "D14")
    def test_a_number_whose_prefix_is_forbidden_is_not_called(self, backend: Backend) -> None:
        store = running(backend, some_leads(2))
        one, two = claimed(store, 2)
        assert backend.forbid(f"{one.number[:4]}*") == (1, 2)
        assert list(store.open_attempts([an_attempt(one), an_attempt(two)])) == [Refusal("do_not_call"), Refusal("do_not_call")]
        assert (backend.lead(one.number).status, backend.lead(one.number).held_by, backend.lead(one.number).claimed) == ("blocked", "do_not_call", False)

    # --- the order of the gates -----------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("D14")
    def test_the_first_gate_that_is_shut_is_the_one_that_is_told(self, backend: Backend) -> None:
        """One obstacle after the other is taken away; the next one shows."""
        store = two_campaigns(backend)
        calls(store, [NOW - 60])
        (lead,), (other,) = claimed(store), claimed(store, 1, AUTUMN)
        up = called(store, other)
        store.return_leads(SPRING, [LeadReturn(lead.id, NOW, "")])
        backend.forbid(f"{lead.number}")
        backend.mark(lead.number, SPRING, NOW + DAY)
        store.set_campaign_state(SPRING, 1, CampaignState.PAUSED, True, "", "an")
        asked = an_attempt(lead, id="00000000-0000-4000-8000-00000000000b", caps=((1, DAY),))
        told = [store.open_attempts([asked])[0]]
        store.set_campaign_state(SPRING, 1, CampaignState.RUNNING, True, "", "an")
        told.append(store.open_attempts([asked])[0])
        store.close_attempts([(a_result(up), an_update(other.id))])
        told.append(store.open_attempts([asked])[0])
        backend.allow(lead.number)
        told.append(store.open_attempts([asked])[0])
        backend.clear(lead.number, None)
        told += [store.open_attempts([asked])[0], store.open_attempts([replace(asked, id=AttemptId("00000000-0000-4000-8000-00000000000c"), caps=())])[0]]
        assert [refusal and refusal.gate for refusal in told] == [
            "campaign_paused", "number_in_call", "do_not_call", "no_callback", "number_cap", "lead_taken",
        ]  # fmt: skip


class TestMemory(GateContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return MemoryBackend()


class TestPostgres(GateContract):
    @pytest.fixture
    def backend(self, pg_dsn: str) -> Iterator[Backend]:
        with ExitStack() as closing:
            yield PostgresBackend(pg_dsn, closing)
