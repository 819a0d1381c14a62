"""Callers of queues, requests to be called back and opt-outs: the same over memory and over every PostgreSQL found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from fs_dialer.core.actions import CallerLeft, CallerServed, OptOut
from fs_dialer.core.flow import IvrStep
from fs_dialer.core.model import AgentId, AttemptId, CampaignId, CampaignState, CampaignType, Lead, LeadStatus, Outcome, SwitchId
from fs_dialer.core.queue_definition import CallbackKey, QueueDefinition
from fs_dialer.db.shapes import LeadRow
from fs_dialer.modes import callback
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
    an_update,
    called,
    claimed,
    running,
    some_leads,
)

BACK = CampaignId("back")
LAN = AgentId("lan")
SUPPORT = QueueDefinition(name="support", callback=CallbackKey(key="1", expires_s=3600.0))
MAIN = SwitchId("main")


def a_leg(place: int) -> AttemptId:
    return AttemptId(f"11111111-0000-4000-8000-{place:012d}")


def left(place: int = 1, why: str = "callback", *, at: float = NOW, **more: object) -> CallerLeft:
    """The caller of this number is gone, who had waited 30 s and met nobody."""
    words = {"number": a_number(place), "agent": None, "waited_s": 30.0, "talked_s": 0.0, "missed": why in ("max_wait",), **more}
    if why == "callback":
        words.setdefault("asked_at", at)
    return CallerLeft(a_leg(place), "support", why=why, at=at, **words)  # type: ignore[arg-type]


def served(place: int = 1, *, at: float = NOW, call: int | None = None) -> CallerServed:
    return CallerServed(a_leg(place if call is None else call), "support", a_number(place), LAN, 12.0, at)


def with_callbacks(backend: Backend, queue: QueueDefinition = SUPPORT) -> DaemonStore:
    """A queue whose callbacks go to the campaign back, which runs."""
    backend.define_queue(queue)
    backend.call_back_in(BACK)
    store = backend.store()
    assert store.take_epoch("test") is not None
    campaign = replace(a_campaign(BACK), type=CampaignType.CALLBACK, options=callback.Options())
    store.set_campaign_state(BACK, backend.define(campaign), CampaignState.RUNNING, True, "", "test")
    return store


def waiting(store: DaemonStore, now: float = NOW + 60) -> list[str]:
    """The numbers of the campaign back, in the order in which they are called."""
    return [lead.number for lead in store.claim_leads(BACK, 50, [MADRID], now).leads]


class CallersContract:
    """Every test of both stores. `backend` is one fresh database."""

    # --- definitions ----------------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("S71")
    def test_queues_come_as_they_were_defined(self, backend: Backend) -> None:
        backend.define_queue(SUPPORT)
        backend.define_queue(QueueDefinition(name="sales", priority=5, ticket_for_missed=True))
        assert [queue.name for queue in backend.store().queues()] == ["sales", "support"]
        assert backend.store().queues()[1] == SUPPORT

    # --- the caller and his ticket ----------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("S77", "S78", "S81")
    def test_the_key_leaves_a_callback_ticket_whatever_the_queue_says_of_missed_calls(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        store.callers_left([left()])
        assert list(backend.requests()) == [("callback", "support", a_number(1), "callback", "", None)]
        assert list(backend.callers()) == [(a_number(1), "callback", False, NOW, 30.0, 0.0, False, None)]

    @pytest.mark.spec("S77")
    def test_who_hangs_up_before_he_is_released_is_called_back_all_the_same(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        store.callers_left([left(why="hung_up", asked_at=NOW - 3)])
        assert [row[:4] for row in backend.requests()] == [("callback", "support", a_number(1), "hung_up")]

    @pytest.mark.spec("S78")
    @pytest.mark.parametrize("why", ["hung_up", "max_wait", "released", "lost"])
    def test_a_caller_who_met_nobody_leaves_a_ticket_where_the_queue_wants_one(self, backend: Backend, why: str) -> None:
        store = with_callbacks(backend, replace(SUPPORT, ticket_for_missed=True))
        store.callers_left([left(why=why)])
        assert [row[0] for row in backend.requests()] == ["missed"]

    @pytest.mark.spec("S78")
    def test_a_caller_who_met_nobody_leaves_none_where_it_does_not(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        store.callers_left([left(why="max_wait")])
        assert list(backend.requests()) == []
        assert backend.callers()[0][6] is True  # missed, and counted

    @pytest.mark.spec("S63")
    def test_a_message_leaves_a_ticket_of_its_own_kind(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        store.callers_left([left(why="voicemail")])
        assert [row[0] for row in backend.requests()] == ["voicemail"]
        assert list(backend.messages()) == [f"queue/{a_leg(1)}.wav"]

    @pytest.mark.spec("S63")
    def test_the_ticket_of_a_flows_voice_mail_names_its_file(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        attempt = called(store, claimed(store)[0])
        result = replace(a_result(attempt, Outcome.CONNECTED, ticket="voicemail"), ivr=(IvrStep("message", "record", "message", "12"),))
        store.close_attempts([(result, an_update(attempt.lead))])
        assert list(backend.messages()) == [f"ivr/{attempt.id}-message.wav"]

    @pytest.mark.spec("S78")
    def test_a_served_caller_leaves_no_ticket_even_if_he_pressed_the_key(self, backend: Backend) -> None:
        store = with_callbacks(backend, replace(SUPPORT, ticket_for_missed=True))
        store.caller_served(served())
        store.callers_left([left(why="served", at=NOW + 60, agent=LAN, waited_s=12.0, talked_s=60.0, asked_at=NOW - 0.1)])
        assert list(backend.requests()) == []
        assert [row[1:3] for row in backend.callers()] == [("served", True)]
        assert backend.callers()[0][4:6] == (12.0, 60.0)

    # --- said again -----------------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("D8")
    def test_what_is_said_again_changes_nothing(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        backend.hear("ticket_created")
        store.callers_left([left()])
        before = list(backend.requests()), list(backend.callers()), list(backend.happenings())
        store.callers_left([left()])
        store.callers_left([left(why="lost", at=NOW + 5)])
        assert (list(backend.requests()), list(backend.callers()), list(backend.happenings())) == before

    @pytest.mark.spec("D12")
    def test_kept_rows_never_override_a_caller_who_was_served_or_has_left(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        store.caller_served(served(1))
        store.callers_left([left(2, "hung_up")])
        before = list(backend.callers())
        store.callers_left([left(1, found=True, at=NOW + 9)])
        store.callers_left([left(2, "released", found=True, at=NOW + 9)])
        assert (list(backend.requests()), list(backend.callers())) == ([], before)

    @pytest.mark.spec("D8", "S81")
    @pytest.mark.parametrize("why", ["hung_up", "max_wait", "lost"])
    def test_a_kept_key_that_was_read_too_late_is_a_request_all_the_same(self, backend: Backend, why: str) -> None:
        """The daemon knew how he left and not what he had asked for before it ran."""
        store = with_callbacks(backend, replace(SUPPORT, ticket_for_missed=True))
        for _ in range(2):
            store.callers_left([left(1, why), left(2)])
            store.callers_left([left(1, found=True, at=NOW - 9)])
        assert sorted((row[0], row[2]) for row in backend.requests()) == [("callback", a_number(1)), ("callback", a_number(2))]
        backend.work_off()
        assert waiting(store) == [a_number(1), a_number(2)]

    def test_two_kept_rows_of_one_caller_make_one_ticket_in_any_order(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        for place, order in ((1, ("callback", "released")), (2, ("released", "callback"))):
            for why in order:
                store.callers_left([left(place, why, found=True)])
        assert [row[:4] for row in backend.requests()] == [("callback", "support", a_number(place), "callback") for place in (1, 2)]

    def test_the_daemons_own_word_goes_before_a_kept_row(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        store.callers_left([left(found=True, at=NOW + 5)])
        store.caller_served(served())
        assert [row[4] for row in backend.requests()] == ["served"]
        assert [row[1:3] for row in backend.callers()] == [("served", True)]

    @pytest.mark.spec("D8", "D12")
    def test_who_was_served_is_settled_by_the_end_of_his_call_too(self, backend: Backend) -> None:
        """The daemon died before it could write that he was served; the next one found him talking."""
        store = with_callbacks(backend)
        store.callers_left([left(1)])
        backend.work_off()
        store.callers_left([replace(left(1, "served", at=NOW + 90, agent=LAN, talked_s=60.0), call=a_leg(7))])
        assert [row[4] for row in backend.requests()] == ["served"]
        assert backend.lead(a_number(1), BACK).status == "stopped" and waiting(store, NOW + 100) == []
        assert [row[1:3] for row in backend.callers()][1] == ("served", True)

    @pytest.mark.spec("D8")
    def test_many_who_left_together_are_written_as_one_by_one(self, backend: Backend) -> None:
        """New ones, one who was served, one whom a kept row had told of, one who is told again; tickets in the order of the list."""
        store = with_callbacks(backend, replace(SUPPORT, ticket_for_missed=True))
        backend.hear("ticket_created")
        store.caller_served(served(3))
        store.callers_left([left(4, "released", found=True), left(5, "hung_up")])
        together = [left(2), left(1, "max_wait"), left(3, "served", agent=LAN, talked_s=9.0), left(4, at=NOW + 1, found=True), left(5), left(6, number="")]
        store.callers_left(together)
        tickets = [(a_number(4), "callback"), (a_number(5), "missed"), (a_number(2), "callback"), (a_number(1), "missed"), ("", "callback")]
        assert [(row[2], row[0]) for row in backend.requests()] == tickets
        told = [(data["number"], data["channel"]) for _, data in backend.happenings()]
        assert told[:2] == [(a_number(4), "missed"), (a_number(5), "missed")] and sorted(told[2:]) == sorted([tickets[0], *tickets[2:]])
        before = list(backend.requests()), sorted(backend.callers(), key=str), list(backend.happenings())
        store.callers_left(together)
        assert (list(backend.requests()), sorted(backend.callers(), key=str), list(backend.happenings())) == before
        store.callers_left([])

    # --- called back ------------------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("S82", "S89")
    def test_who_asked_first_is_called_first_whenever_his_row_was_worked_off(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        for place, asked_at in ((1, NOW - 20), (2, NOW - 5)):
            store.callers_left([left(place, at=asked_at)])
        backend.work_off()
        for place, asked_at in ((3, NOW - 30), (4, NOW - 10)):  # pressed while no daemon ran, and found later
            store.callers_left([left(place, at=asked_at, found=True)])
        backend.work_off()
        assert waiting(store) == [a_number(place) for place in (3, 1, 4, 2)]

    @pytest.mark.spec("D12", "S90")
    def test_the_same_number_twice_is_one_lead_with_two_tickets(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        store.callers_left([left(1)])
        store.callers_left([replace(left(1, at=NOW + 10), call=a_leg(9))])
        backend.work_off()
        leads = {row[5] for row in backend.requests()}
        assert len(backend.requests()) == 2 and len(leads) == 1 and None not in leads
        assert waiting(store) == [a_number(1)]

    @pytest.mark.spec("S78", "D7")
    @pytest.mark.parametrize("number", ["", "99", "${system(reboot)}"])
    def test_a_number_that_can_not_be_called_leaves_a_ticket_and_no_lead(self, backend: Backend, number: str) -> None:
        store = with_callbacks(backend)
        store.callers_left([left(number=number)])
        backend.work_off()
        assert list(backend.requests()) == [("callback", "support", number if number == "99" else "", "callback", "", None)]
        assert waiting(store) == []

    def test_a_national_number_is_called_in_the_installations_country(self, backend: Backend) -> None:
        from fs_dialer.core.definition import Installation

        backend.define_installation(Installation(region="ES"))
        store = with_callbacks(backend)
        store.callers_left([left(number="910000001")])
        assert backend.requests()[0][2] == "+34910000001"

    # --- served otherwise ----------------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("D12")
    def test_who_is_served_in_a_queue_is_not_called_back(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        store.callers_left([left(1)])
        store.callers_left([left(2)])
        backend.work_off()
        store.caller_served(served(1, at=NOW + 30, call=7))
        assert [row[4] for row in backend.requests()] == ["served", ""]
        assert backend.lead(a_number(1), BACK).status == "stopped"
        assert waiting(store) == [a_number(2)]

    @pytest.mark.spec("D12")
    def test_a_lead_that_the_daemon_holds_already_is_withdrawn_and_not_dialled(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        store.callers_left([left(1)])
        backend.work_off()
        (lead,) = claimed(store, 1, BACK, NOW + 60)
        store.caller_served(served(1, at=NOW + 61, call=7))
        from tests.contract.store_backends import an_attempt

        (refusal,) = store.open_attempts([an_attempt(lead)])
        assert refusal is not None and refusal.gate == "lead_taken"

    @pytest.mark.spec("D12")
    def test_who_is_served_before_his_ticket_is_worked_off_becomes_no_lead(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        store.callers_left([left(1)])
        store.caller_served(served(1, at=NOW + 30, call=7))
        backend.work_off()
        assert [row[4:] for row in backend.requests()] == [("served", None)]
        assert waiting(store) == []

    @pytest.mark.spec("D12")
    def test_a_request_found_after_its_customer_was_served_is_closed_at_once(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        store.caller_served(served(1, at=NOW + 30, call=7))
        store.callers_left([left(1, at=NOW, found=True)])
        assert [row[4] for row in backend.requests()] == ["served"]

    @pytest.mark.spec("D12")
    def test_a_request_made_after_he_was_served_stands(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        store.callers_left([left(1, at=NOW + 100)])
        backend.work_off()
        store.caller_served(served(1, at=NOW + 30, call=7))  # told late, by the spool
        assert [row[4] for row in backend.requests()] == [""]
        assert backend.lead(a_number(1), BACK).status == "new"

    @pytest.mark.spec("D12")
    def test_the_callback_closes_its_ticket_as_called_back(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        store.callers_left([left(1)])
        backend.work_off()
        (lead,) = claimed(store, 1, BACK, NOW + 60)
        _met(store, lead, LeadStatus.SUCCEEDED)
        assert [row[4] for row in backend.requests()] == ["called_back"]
        assert backend.lead(a_number(1), BACK).status == "succeeded"

    @pytest.mark.spec("D12")
    def test_an_agent_of_another_campaign_who_reaches_him_settles_it_too(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        store.callers_left([left(1)])
        backend.work_off()
        store.set_campaign_state(SPRING, backend.define(a_campaign()), CampaignState.RUNNING, True, "", "test")
        backend.add_leads(some_leads(1))
        (lead,) = claimed(store)
        _met(store, lead, LeadStatus.SUCCEEDED)
        assert [row[4] for row in backend.requests()] == ["served"]
        assert backend.lead(a_number(1), BACK).status == "stopped"
        assert backend.lead(a_number(1)).status == "succeeded"

    @pytest.mark.spec("D12")
    def test_a_call_that_meets_no_agent_settles_nothing(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        store.callers_left([left(1)])
        backend.work_off()
        (lead,) = claimed(store, 1, BACK, NOW + 60)
        attempt = called(store, lead)
        store.close_attempts([(a_result(attempt, Outcome.NO_ANSWER), an_update(lead.id))])
        assert [row[4] for row in backend.requests()] == [""]
        assert backend.lead(a_number(1), BACK).status == "retry"

    @pytest.mark.spec("D12")
    def test_who_is_served_while_we_ring_him_is_not_rung_again(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        store.callers_left([left(1)])
        backend.work_off()
        (lead,) = claimed(store, 1, BACK, NOW + 60)
        attempt = called(store, lead)
        store.caller_served(served(1, at=NOW + 61, call=7))
        assert backend.lead(a_number(1), BACK).status == "in_progress"
        store.close_attempts([(a_result(attempt, Outcome.BUSY), an_update(lead.id))])
        assert backend.lead(a_number(1), BACK).status == "stopped"

    # --- expiry --------------------------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("S89")
    def test_a_request_that_is_too_old_is_not_called_any_more(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        store.callers_left([left(1)])
        store.callers_left([left(2, at=NOW + 100)])
        backend.work_off()
        store.return_refused(NOW + 3601)
        assert [row[4] for row in backend.requests()] == ["expired", ""]
        assert waiting(store, NOW + 3601) == [a_number(2)]
        assert backend.lead(a_number(1), BACK).status == "stopped"

    def test_a_request_does_not_expire_while_its_customer_is_being_called(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        store.callers_left([left(1)])
        backend.work_off()
        (lead,) = claimed(store, 1, BACK, NOW + 60)
        attempt = called(store, lead)
        store.return_refused(NOW + 3601)
        assert [row[4] for row in backend.requests()] == [""]
        store.close_attempts([(a_result(attempt, Outcome.BUSY), an_update(lead.id))])
        store.return_refused(NOW + 3631)
        assert [row[4] for row in backend.requests()] == ["expired"]
        assert backend.lead(a_number(1), BACK).status == "stopped"

    def test_a_customer_who_asked_again_is_called_until_his_last_request_is_too_old(self, backend: Backend) -> None:
        store = with_callbacks(backend)
        store.callers_left([left(1)])
        store.callers_left([replace(left(1, at=NOW + 600), call=a_leg(9))])
        backend.work_off()
        store.return_refused(NOW + 3601)
        assert [row[4] for row in backend.requests()] == ["expired", ""]
        assert waiting(store, NOW + 3601) == [a_number(1)]

    # --- opt-out -------------------------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("S64", "D4")
    def test_an_opt_out_blocks_every_lead_of_the_number_at_once(self, backend: Backend) -> None:
        store = running(backend, some_leads(2))
        asked = OptOut(MAIN, a_leg(1), SPRING, a_number(1), "opt-out", NOW, place="dues-menu.3f2a91c4.stop")
        store.opt_out(asked)
        store.opt_out(asked)
        assert [state.status for state in backend.leads()] == ["blocked", "new"]
        assert backend.forbid(a_number(1)) == (1, 0)  # it is on another list, whose leads are blocked already

    @pytest.mark.spec("S64")
    def test_a_number_that_can_not_be_called_opts_out_of_nothing(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        store.opt_out(OptOut(MAIN, None, None, "", "opt-out", NOW))
        assert [state.status for state in backend.leads()] == ["new"]

    # --- attributes and steps ------------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("S52")
    def test_leads_come_with_the_attributes_that_are_wanted_their_own_before_their_contacts(self, backend: Backend) -> None:
        store = running(backend, [LeadRow(a_number(1), MADRID, attributes={"name": "Ana", "due": "40", "tier": "gold"}, ready_at=NOW - 60)])
        backend.give_attributes(a_number(1), {"due": "35"})
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW, ("due", "name", "city")).leads
        assert lead.attributes == (("due", "35"), ("name", "Ana"))

    def test_leads_come_without_any_where_none_is_wanted(self, backend: Backend) -> None:
        store = running(backend, [LeadRow(a_number(1), MADRID, attributes={"due": "40"}, ready_at=NOW - 60)])
        assert claimed(store)[0].attributes == ()

    @pytest.mark.spec("M18", "D13", "D7")
    def test_what_a_customer_did_in_a_flow_stands_with_his_call_and_nothing_else(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = claimed(store)
        attempt = called(store, lead)
        steps = (IvrStep("main", "menu", "main", "1"), IvrStep("pin", "gather", "code", "12*#"))
        odd = (IvrStep("main", "menu", "main", "${system(reboot)}"), IvrStep("main", "menu", "main", "1;bye=success"))
        result = replace(a_result(attempt, Outcome.CONNECTED), ivr=(*steps, *odd), left_at="pin", switch=SwitchId("west"))
        store.close_attempts([(result, an_update(lead.id))])
        assert list(backend.steps(attempt.id)) == [("main", "menu", "main", "1"), ("pin", "gather", "code", "12*#")]


def _met(store: DaemonStore, lead: Lead, status: LeadStatus) -> None:
    """An agent had him."""
    attempt = called(store, lead, opened_at=NOW + 60)
    store.close_attempts([(a_result(attempt, Outcome.CONNECTED, answered_at=NOW + 65), an_update(lead.id, status))])


class TestMemory(CallersContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return MemoryBackend()


class TestPostgres(CallersContract):
    @pytest.fixture
    def backend(self, pg_dsn: str) -> Iterator[Backend]:
        with ExitStack() as closing:
            yield PostgresBackend(pg_dsn, closing)
