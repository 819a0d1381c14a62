"""What a finished attempt makes of its lead, of the number's other leads, and for whom it is told: the same over memory and over every PostgreSQL found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from fs_dialer.core.definition import LeadsSource
from fs_dialer.core.model import AgentId, Attempt, CampaignId, CampaignState, Lead, LeadStatus, LeadUpdate, Outcome, Refusal
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
UNTIL = NOW + 180 * DAY


def called_once(backend: Backend, count: int = 1) -> tuple[DaemonStore, Lead, Attempt]:
    """A store whose first lead is being called."""
    store = running(backend, some_leads(count))
    (lead,) = claimed(store)
    return store, lead, called(store, lead)


def refusing(lead: Lead, *, for_all: bool = False, until: float = UNTIL) -> LeadUpdate:
    """The customer does not want to be called back."""
    return replace(
        an_update(lead.id, LeadStatus.REFUSED, ready_at=until),
        ready_why="no_callback",
        status_before=LeadStatus.SUCCEEDED,
        no_callback=until,
        no_callback_for_all=for_all,
    )


class ResultsContract:
    """Every test of both stores. `backend` is one fresh database."""

    # --- the lead itself ----------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("D14", "S57", "M11")
    def test_a_lead_keeps_what_its_call_made_of_it(self, backend: Backend) -> None:
        store, lead, attempt = called_once(backend)
        update = an_update(lead.id, LeadStatus.CALLBACK_SCHEDULED)
        made: dict[str, Any] = {"ready_why": "promised", "agent": AgentId("lan"), "caller_id": "+34910000001", "set": (("tried", "yes"), ("by", '"lan"'))}
        store.close_attempts([(a_result(attempt), replace(update, **made))])
        state = backend.lead(lead.number)
        assert (state.status, state.ready_why, state.agent, state.caller_id) == ("callback_scheduled", "promised", "lan", "+34910000001")
        assert state.parameters == '{"by": "\\"lan\\"", "tried": "yes"}'

    def test_a_call_that_showed_no_caller_id_leaves_the_last_one_and_a_promise_that_is_kept_is_over(self, backend: Backend) -> None:
        store, lead, attempt = called_once(backend)
        first: dict[str, Any] = {"caller_id": "+34910000001", "agent": AgentId("lan"), "ready_why": "promised", "set": (("a", "1"), ("b", "1"))}
        store.close_attempts([(a_result(attempt), replace(an_update(lead.id, ready_at=NOW), **first))])
        (again,) = claimed(store)
        store.close_attempts([(a_result(called(store, again)), replace(an_update(lead.id), ready_why="gap", set=(("b", "2"),)))])
        state = backend.lead(lead.number)
        assert (state.caller_id, state.agent, state.ready_why, state.parameters) == ("+34910000001", None, "gap", '{"a": "1", "b": "2"}')

    def test_a_cancelled_attempt_leaves_a_promise_as_it_was(self, backend: Backend) -> None:
        store, lead, attempt = called_once(backend)
        promise = replace(an_update(lead.id, LeadStatus.CALLBACK_SCHEDULED, ready_at=NOW), ready_why="promised", agent=AgentId("lan"))
        store.close_attempts([(a_result(attempt), promise)])
        (again,) = claimed(store)
        as_it_was = LeadUpdate(again.id, LeadStatus.IN_PROGRESS, again.attempts, again.ours_in_row, again.ready_at, again.ready_why, again.agent)
        store.close_attempts([(a_result(called(store, again), Outcome.CANCELLED), as_it_was)])
        assert claimed(store) == (again,)

    @pytest.mark.spec("D14")
    def test_a_lead_that_a_person_stopped_stays_stopped(self, backend: Backend) -> None:
        store, lead, attempt = called_once(backend)
        backend.stop(lead.number)
        backend.give_numbers(lead.number, [(a_number(7), MADRID)])
        store.close_attempts([(a_result(attempt), replace(an_update(lead.id), number="next"))])
        state = backend.lead(lead.number)
        assert (state.status, state.attempts, state.claimed, state.others) == ("stopped", 1, False, ((a_number(7), MADRID[0]),))

    def test_why_is_kept_with_the_attempt(self, backend: Backend) -> None:
        store, lead, attempt = called_once(backend)
        store.close_attempts([(a_result(attempt), replace(an_update(lead.id), decision="rule evening: call again at 18:00"))])
        assert backend.decision(attempt.id) == "rule evening: call again at 18:00"

    # --- the contact's next number ------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("M13")
    def test_the_next_number_comes_first_and_the_old_one_goes_to_the_end(self, backend: Backend) -> None:
        store, lead, attempt = called_once(backend)
        backend.give_numbers(lead.number, [(a_number(7), TWO_ZONES), (a_number(8), ())])
        store.close_attempts([(a_result(attempt), replace(an_update(lead.id, ready_at=NOW), number="next"))])
        assert backend.lead(a_number(7)).others == ((a_number(8), ""), (a_number(1), "Europe/Madrid"))
        assert store.claim_leads(SPRING, 1, [MADRID, ()], NOW).leads == ()
        (again,) = store.claim_leads(SPRING, 1, [TWO_ZONES], NOW).leads
        assert (again.id, again.number, again.zones, again.other_numbers) == (lead.id, a_number(7), TWO_ZONES, 2)

    @pytest.mark.spec("D4")
    def test_the_zones_of_the_next_number_are_the_campaigns(self, backend: Backend) -> None:
        store, lead, attempt = called_once(backend)
        backend.give_numbers(lead.number, [(a_number(7), TWO_ZONES)])
        store.close_attempts([(a_result(attempt), replace(an_update(lead.id), number="next"))])
        stored = store.campaign(SPRING)
        assert stored is not None and set(stored.zone_sets) == {MADRID, TWO_ZONES}

    def test_a_bad_number_is_dropped_when_there_is_another(self, backend: Backend) -> None:
        store, lead, attempt = called_once(backend)
        backend.give_numbers(lead.number, [(a_number(7), MADRID)])
        store.close_attempts([(a_result(attempt, Outcome.BAD_NUMBER), replace(an_update(lead.id, ready_at=NOW), number="drop"))])
        assert (backend.lead(a_number(7)).others, backend.lead(a_number(7)).status) == ((), "retry")
        (again,) = claimed(store)
        store.close_attempts([(a_result(called(store, again)), replace(an_update(lead.id, LeadStatus.INVALID), number="drop"))])
        assert (backend.lead(a_number(7)).others, backend.lead(a_number(7)).status) == ((), "invalid")

    @pytest.mark.parametrize("number", ["next", "drop"])
    def test_the_only_number_stays(self, backend: Backend, number: str) -> None:
        store, lead, attempt = called_once(backend)
        store.close_attempts([(a_result(attempt), replace(an_update(lead.id), number=number))])
        assert (backend.lead(lead.number).others, backend.lead(lead.number).status) == ((), "retry")

    def test_a_number_may_come_to_a_lead_though_another_lead_has_it(self, backend: Backend) -> None:
        """Two contacts of one household, round and round."""
        store = running(backend, some_leads(2))
        backend.give_numbers(a_number(1), [(a_number(2), MADRID)])
        backend.give_numbers(a_number(2), [(a_number(1), MADRID)])
        for _ in range(3):
            one, two = claimed(store, 2)
            for lead in (one, two):
                attempt = called(store, lead)
                store.close_attempts([(a_result(attempt), replace(an_update(lead.id, ready_at=NOW), number="next"))])
        assert sorted(state.number for state in backend.leads()) == [a_number(1), a_number(2)]
        assert backend.add_leads(some_leads(2)) == (2, 0, 0, 2, 0)  # known, under whichever of their numbers

    @pytest.mark.spec("D14")
    def test_a_lead_that_was_blocked_meanwhile_keeps_the_number_it_was_blocked_for(self, backend: Backend) -> None:
        store, lead, attempt = called_once(backend)
        backend.give_numbers(lead.number, [(a_number(7), MADRID)])
        backend.forbid(lead.number)
        store.close_attempts([(a_result(attempt), replace(an_update(lead.id), number="next"))])
        assert (backend.lead(lead.number).status, backend.lead(lead.number).held_by) == ("blocked", "do_not_call")
        assert backend.allow(lead.number) == (1, 1)

    # --- out of the group ---------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("M11", "S21")
    def test_one_contact_leaves_the_group_that_the_campaign_draws_from(self, backend: Backend) -> None:
        backend.define(replace(a_campaign(), leads=LeadsSource(group="vip")))
        store = running_as_defined(backend)
        for number in (1, 2):
            for group in ("vip", "others"):
                backend.join(group, a_number(number))
        (lead,) = claimed(store)
        attempt = called(store, lead)
        removed = replace(an_update(lead.id, LeadStatus.STOPPED), leave_group=True)
        store.close_attempts([(a_result(attempt), removed)])
        assert (backend.group("vip"), backend.group("others")) == ({a_number(2)}, {a_number(1), a_number(2)})

    def test_a_campaign_without_a_group_takes_nobody_out_of_any(self, backend: Backend) -> None:
        store, lead, attempt = called_once(backend)
        backend.join("vip", lead.number)
        store.close_attempts([(a_result(attempt), replace(an_update(lead.id, LeadStatus.STOPPED), leave_group=True))])
        assert backend.group("vip") == {lead.number}

    # --- not to be called back ----------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("S12", "D16")
    def test_who_does_not_want_to_be_called_back_is_left_alone_and_then_what_he_was(self, backend: Backend) -> None:
        store, lead, attempt = called_once(backend)
        store.close_attempts([(a_result(attempt, Outcome.CONNECTED), refusing(lead))])
        state = backend.lead(lead.number)
        assert (state.status, state.status_before, state.ready_at, state.held_by) == ("refused", "succeeded", UNTIL, "no_callback")
        assert backend.marks() == {(lead.number, SPRING): UNTIL}
        assert [store.return_refused(at) for at in (UNTIL - 0.5, UNTIL, UNTIL)] == [0, 1, 0]
        state = backend.lead(lead.number)
        assert (state.status, state.status_before, state.ready_why, state.held_by) == ("succeeded", None, "", "")

    @pytest.mark.spec("D16")
    def test_for_all_campaigns_the_number_is_left_alone_in_each(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        also_running(backend, store, some_leads(1), AUTUMN)
        (lead,) = claimed(store)
        store.close_attempts([(a_result(called(store, lead)), refusing(lead, for_all=True))])
        state = backend.lead(lead.number, AUTUMN)
        assert (state.status, state.status_before, state.ready_at, state.ready_why) == ("refused", "new", UNTIL, "no_callback")
        assert backend.marks() == {(lead.number, ""): UNTIL}
        assert not store.claim_leads(AUTUMN, 1, [MADRID], NOW).unfinished
        assert store.return_refused(UNTIL) == 2
        assert claimed(store, 1, AUTUMN, UNTIL)[0].status is LeadStatus.NEW

    @pytest.mark.spec("D16")
    def test_for_one_campaign_the_others_go_on(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        also_running(backend, store, some_leads(1), AUTUMN)
        (lead,) = claimed(store)
        store.close_attempts([(a_result(called(store, lead)), refusing(lead))])
        called(store, *claimed(store, 1, AUTUMN))

    @pytest.mark.spec("D16")
    def test_a_lead_in_somebodys_hands_is_left_to_the_last_gate(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        also_running(backend, store, some_leads(1), AUTUMN)
        (lead,), (other,) = claimed(store), claimed(store, 1, AUTUMN)
        store.close_attempts([(a_result(called(store, lead)), refusing(lead, for_all=True))])
        assert (backend.lead(lead.number, AUTUMN).status, backend.lead(lead.number, AUTUMN).claimed) == ("new", True)
        assert list(store.open_attempts([an_attempt(other)])) == [Refusal("no_callback", UNTIL)]

    @pytest.mark.spec("D16", "D14")
    @pytest.mark.parametrize(
        ("status", "returns_to"),
        [(LeadStatus.SUCCEEDED, "succeeded"), (LeadStatus.RETRY, "retry"), (LeadStatus.IN_PROGRESS, "new"), (LeadStatus.REFUSED, "succeeded")],
    )
    def test_a_lead_that_was_marked_during_its_call_returns_to_what_the_call_made_of_it(self, backend: Backend, status: LeadStatus, returns_to: str) -> None:
        store, lead, attempt = called_once(backend)
        assert backend.mark(lead.number, SPRING, UNTIL) == (1, 1)
        update = refusing(lead, until=NOW + DAY) if status is LeadStatus.REFUSED else an_update(lead.id, status)
        store.close_attempts([(a_result(attempt), update)])
        state = backend.lead(lead.number)
        assert (state.status, state.status_before, state.ready_at, state.claimed) == ("refused", returns_to, UNTIL, False)
        assert backend.marks() == {(lead.number, SPRING): UNTIL}  # the longer one
        assert store.return_refused(UNTIL) == 1
        assert backend.lead(lead.number).status == returns_to

    @pytest.mark.spec("D14")
    def test_a_forbidden_lead_that_also_refuses_stays_blocked(self, backend: Backend) -> None:
        store, lead, attempt = called_once(backend)
        backend.forbid(lead.number)
        store.close_attempts([(a_result(attempt), refusing(lead))])
        assert (backend.lead(lead.number).status, store.return_refused(UNTIL)) == ("blocked", 0)
        assert backend.marks() == {(lead.number, SPRING): UNTIL}

    # --- tickets and events -------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("S15", "S63")
    def test_a_call_has_one_ticket_if_its_campaign_wants_one(self, backend: Backend) -> None:
        store = running(backend, some_leads(2))
        one, two = claimed(store, 2)
        first, second = called(store, one), called(store, two)
        results = [(a_result(first, Outcome.CONNECTED, ticket="call"), an_update(one.id, LeadStatus.SUCCEEDED)), (a_result(second), an_update(two.id))]
        store.close_attempts(results)
        store.close_attempts(results)
        assert list(backend.tickets()) == [("call", SPRING, first.id, one.number, None, "connected")]
        assert list(backend.happenings()) == []  # nobody listens

    @pytest.mark.spec("S79", "S80")
    def test_what_a_trigger_listens_for_is_told_once_and_in_order(self, backend: Backend) -> None:
        backend.hear("ticket_created", "attempt_ended", "lead_finished", "campaign_state")
        store = running(backend, some_leads(2))
        one, two = claimed(store, 2)
        first, second = called(store, one), called(store, two)
        ended = replace(a_result(second, Outcome.CONNECTED, ticket="voicemail"), agent=AgentId("lan"))
        results = [(a_result(first), an_update(one.id)), (ended, an_update(two.id, LeadStatus.SUCCEEDED))]
        for _ in range(2):
            store.close_attempts(results)
        same = {"campaign": SPRING, "attempt": second.id, "number": two.number, "outcome": "connected", "lead": two.id}
        line = {"missed": False, "gateway": "north", "caller_id": "+34910000000"}
        assert list(backend.happenings()) == [
            ("campaign_state", {"campaign": SPRING, "from": "new", "to": "running", "revision": 1, "reason": ""}),
            ("attempt_ended", {**same, **line, "attempt": first.id, "number": one.number, "lead": one.id, "outcome": "busy", "agent": None}),
            ("attempt_ended", {**same, **line, "agent": "lan"}),
            ("ticket_created", {**same, "ticket": 1, "channel": "voicemail", "queue": ""}),
            ("lead_finished", {**same, "status": "succeeded"}),
        ]

    @pytest.mark.spec("S80")
    @pytest.mark.parametrize(("event", "count"), [("ticket_created", 1), ("attempt_ended", 1), ("lead_finished", 1), ("disposition_set", 0)])
    def test_only_what_a_trigger_listens_for_is_told(self, backend: Backend, event: str, count: int) -> None:
        backend.hear(event)
        store, lead, attempt = called_once(backend)
        store.close_attempts([(a_result(attempt, ticket="call"), an_update(lead.id, LeadStatus.EXHAUSTED))])
        assert [kind for kind, _ in backend.happenings()] == [event] * count

    @pytest.mark.parametrize("status", [LeadStatus.RETRY, LeadStatus.IN_PROGRESS, LeadStatus.CALLBACK_SCHEDULED])
    def test_a_lead_that_may_be_called_again_is_not_finished(self, backend: Backend, status: LeadStatus) -> None:
        backend.hear("lead_finished")
        store, lead, attempt = called_once(backend)
        store.close_attempts([(a_result(attempt), an_update(lead.id, status))])
        assert list(backend.happenings()) == []

    def test_a_lead_that_was_finished_before_its_call_ended_is_not_finished_by_it(self, backend: Backend) -> None:
        backend.hear("lead_finished")
        store, lead, attempt = called_once(backend)
        backend.forbid(lead.number)
        store.close_attempts([(a_result(attempt), an_update(lead.id, LeadStatus.SUCCEEDED))])
        assert list(backend.happenings()) == []

    # --- twice --------------------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("X4", "D8")
    def test_a_result_told_again_later_changes_nothing_at_all(self, backend: Backend) -> None:
        """The spool replays what the database had already taken, when the lead is being called for the next time."""
        backend.hear("ticket_created", "attempt_ended", "lead_finished")
        store, lead, attempt = called_once(backend)
        backend.give_numbers(lead.number, [(a_number(7), MADRID), (a_number(8), MADRID)])
        update = replace(an_update(lead.id, ready_at=NOW), number="next", set=(("a", "1"),), caller_id="+34910000001")
        told: list[tuple[Any, LeadUpdate]] = [(a_result(attempt, ticket="call"), update)]
        store.close_attempts(told)
        (again,) = claimed(store)
        second = called(store, again)
        before = list(backend.leads()), list(backend.tickets()), list(backend.happenings()), backend.marks(), backend.outcomes()
        store.close_attempts(told)
        store.close_attempts([(a_result(attempt, Outcome.CONNECTED), refusing(lead, for_all=True))])
        assert (list(backend.leads()), list(backend.tickets()), list(backend.happenings()), backend.marks(), backend.outcomes()) == before
        assert [found.attempt for found in store.open_attempts_found()] == [second]

    def test_an_old_result_and_a_new_one_may_come_together(self, backend: Backend) -> None:
        store, lead, attempt = called_once(backend)
        old = (a_result(attempt), an_update(lead.id, ready_at=NOW))
        store.close_attempts([old])
        (again,) = claimed(store)
        second = called(store, again)
        store.close_attempts([old, (a_result(second, Outcome.CONNECTED), an_update(lead.id, LeadStatus.SUCCEEDED, attempts=2)), old])
        assert (backend.lead(lead.number).status, backend.lead(lead.number).attempts, backend.outcomes()) == ("succeeded", 2, {"busy": 1, "connected": 1})


def running_as_defined(backend: Backend) -> DaemonStore:
    """A daemon with two leads of a campaign that is defined already."""
    backend.add_leads(some_leads(2))
    store = backend.store()
    assert store.take_epoch("test") is not None
    store.set_campaign_state(SPRING, 1, CampaignState.RUNNING, True, "", "test")
    return store


class TestMemory(ResultsContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return MemoryBackend()


class TestPostgres(ResultsContract):
    @pytest.fixture
    def backend(self, pg_dsn: str) -> Iterator[Backend]:
        with ExitStack() as closing:
            yield PostgresBackend(pg_dsn, closing)
