"""What a store promises a daemon, whichever it is: run over memory and over every PostgreSQL found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from fs_dialer.core.definition import GatewayDefinition, Installation
from fs_dialer.core.model import (
    AgentId,
    AgentStatus,
    CampaignId,
    CampaignState,
    GatewayId,
    LeadReturn,
    LeadStatus,
    Outcome,
    Refusal,
    SwitchId,
)
from fs_dialer.db.shapes import LeadRow
from fs_dialer.errors import StoreError
from tests.contract.store_backends import (
    MADRID,
    NOW,
    SPRING,
    TWO_ZONES,
    Backend,
    MemoryBackend,
    PostgresBackend,
    a_campaign,
    a_number,
    a_result,
    an_agent,
    an_attempt,
    an_update,
    running,
    some_leads,
)

OTHER = CampaignId("autumn")


class StoreContract:
    """Every test of both stores. `backend` is one fresh database."""

    # --- leadership ---------------------------------------------------------------------------------------------------------------------

    def test_only_one_of_two_daemons_gets_the_epoch(self, backend: Backend) -> None:
        one, other = backend.store(), backend.store()
        first = one.take_epoch("one")
        assert first is not None
        assert other.take_epoch("other") is None
        assert (one.still_leader(), other.still_leader()) == (True, False)

    def test_the_standby_takes_over_with_a_higher_epoch_when_the_first_goes(self, backend: Backend) -> None:
        one, other = backend.store(), backend.store()
        first = one.take_epoch("one")
        one.close()
        second = other.take_epoch("other")
        assert first is not None and second is not None and second > first
        assert other.still_leader()

    def test_taking_the_epoch_again_changes_nothing(self, backend: Backend) -> None:
        store = backend.store()
        assert store.take_epoch("one") == store.take_epoch("one") == store.epoch

    def test_a_daemon_without_an_epoch_claims_and_opens_nothing(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
        standby = backend.store()
        with pytest.raises(StoreError):
            standby.claim_leads(SPRING, 1, [MADRID], NOW)
        with pytest.raises(StoreError):
            standby.open_attempts([an_attempt(lead)])

    # --- definitions --------------------------------------------------------------------------------------------------------------------

    def test_an_empty_database_has_the_default_installation_and_nothing_else(self, backend: Backend) -> None:
        store = backend.store()
        assert store.installation() == Installation()
        assert (list(store.campaigns()), list(store.agents()), store.campaign(SPRING)) == ([], [], None)

    def test_an_installation_comes_back_as_it_was_given(self, backend: Backend) -> None:
        given = Installation(lines=42, cps=3.5, region="ES", gateways=(GatewayDefinition(id=GatewayId("north"), lines=10, plus=False, prefix="00"),))
        backend.define_installation(given)
        assert backend.store().installation() == given

    @pytest.mark.spec("S24")
    def test_a_new_campaign_is_not_approved(self, backend: Backend) -> None:
        """S24."""
        backend.define(a_campaign())
        stored = backend.store().campaign(SPRING)
        assert stored is not None
        assert (stored.state, stored.started, stored.campaign.revision, stored.newest_revision) == (CampaignState.NEW, False, 1, 1)
        assert stored.memory is None

    def test_the_same_definition_again_is_no_new_revision(self, backend: Backend) -> None:
        assert (backend.define(a_campaign()), backend.define(a_campaign())) == (1, 1)

    @pytest.mark.spec("D5")
    def test_a_changed_definition_dials_only_after_its_approval(self, backend: Backend) -> None:
        """D5."""
        backend.define(a_campaign())
        store = backend.store()
        store.set_campaign_state(SPRING, 1, CampaignState.RUNNING, True, "", "an")
        assert backend.define(a_campaign(title="changed")) == 2
        stored = store.campaign(SPRING)
        assert stored is not None
        assert (stored.campaign.revision, stored.newest_revision, stored.campaign.title, stored.state) == (1, 2, "", CampaignState.RUNNING)
        store.set_campaign_state(SPRING, 2, CampaignState.RUNNING, True, "", "an")
        stored = store.campaign(SPRING)
        assert stored is not None
        assert (stored.campaign.revision, stored.campaign.title) == (2, "changed")

    def test_before_any_approval_the_newest_revision_is_shown(self, backend: Backend) -> None:
        backend.define(a_campaign())
        backend.define(a_campaign(title="changed"))
        stored = backend.store().campaign(SPRING)
        assert stored is not None and stored.campaign.title == "changed"

    def test_ending_an_unapproved_campaign_approves_nothing(self, backend: Backend) -> None:
        backend.define(a_campaign())
        store = backend.store()
        store.set_campaign_state(SPRING, 1, CampaignState.ENDED, False, "ended by hand", "an")
        stored = store.campaign(SPRING)
        assert stored is not None and (stored.state, stored.reason) == (CampaignState.ENDED, "ended by hand")

    @pytest.mark.spec("D11")
    def test_an_ended_campaign_stays_ended(self, backend: Backend) -> None:
        """D11."""
        backend.define(a_campaign())
        store = backend.store()
        store.set_campaign_state(SPRING, 1, CampaignState.ENDED, False, "", "an")
        with pytest.raises(StoreError, match="it has ended"):
            store.set_campaign_state(SPRING, 1, CampaignState.RUNNING, True, "", "an")

    def test_a_state_for_a_revision_that_does_not_exist_is_refused(self, backend: Backend) -> None:
        backend.define(a_campaign())
        with pytest.raises(StoreError, match="no such revision"):
            backend.store().set_campaign_state(SPRING, 2, CampaignState.APPROVED, False, "", "an")

    @pytest.mark.spec("D5")
    def test_a_state_that_comes_with_an_older_revision_holds_and_the_newer_approval_stays(self, backend: Backend) -> None:
        """An operator pauses in the moment in which a revision is approved: neither may be lost."""
        backend.define(a_campaign())
        backend.define(a_campaign(title="changed"))
        store = backend.store()
        store.set_campaign_state(SPRING, 2, CampaignState.RUNNING, True, "", "an")
        store.set_campaign_state(SPRING, 1, CampaignState.PAUSED, False, "paused by hand", "an")
        stored = store.campaign(SPRING)
        assert stored is not None and (stored.state, stored.campaign.revision, stored.reason) == (CampaignState.PAUSED, 2, "paused by hand")

    @pytest.mark.spec("D5")
    def test_an_approval_leaves_the_state_as_it_is(self, backend: Backend) -> None:
        backend.define(a_campaign())
        backend.define(a_campaign(title="changed"))
        store = backend.store()
        store.set_campaign_state(SPRING, 1, CampaignState.PAUSED, False, "paused by hand: lunch", "an")
        store.approve_revision(SPRING, 2, "bo")
        stored = store.campaign(SPRING)
        assert stored is not None and (stored.state, stored.reason, stored.campaign.revision) == (CampaignState.PAUSED, "paused by hand: lunch", 2)
        with pytest.raises(StoreError, match="no such revision"):
            store.approve_revision(SPRING, 3, "bo")

    def test_a_state_for_an_unknown_campaign_is_refused(self, backend: Backend) -> None:
        with pytest.raises(StoreError, match="no such campaign"):
            backend.store().set_campaign_state(SPRING, 1, CampaignState.PAUSED, False, "", "an")

    def test_a_daemon_that_was_replaced_changes_no_state_and_no_memory(self, backend: Backend) -> None:
        old, new = running(backend), backend.store()
        backend.define_agent(an_agent())
        backend.depose(old)
        new.take_epoch("new")
        with pytest.raises(StoreError):
            old.set_campaign_state(SPRING, 1, CampaignState.PAUSED, False, "", "old")
        with pytest.raises(StoreError):
            old.set_agent_status(AgentId("lan"), AgentStatus.AVAILABLE, "", "old")
        old.save_memory(SPRING, {"pace": 9.0})
        stored = new.campaign(SPRING)
        assert stored is not None and (stored.state, stored.memory) == (CampaignState.RUNNING, None)

    def test_memory_comes_back_as_a_copy(self, backend: Backend) -> None:
        store = running(backend)
        memory = {"pace": 1.25, "rings": [3, 4.5], "by_hour": {"9": None}}
        store.save_memory(SPRING, memory)
        memory["pace"] = 2.0
        store.save_memory(SPRING, memory)
        memory["rings"] = []
        stored = store.campaign(SPRING)
        assert stored is not None and stored.memory == {"pace": 2.0, "rings": [3, 4.5], "by_hour": {"9": None}}

    def test_an_agent_keeps_his_status_when_his_definition_changes(self, backend: Backend) -> None:
        backend.define_agent(an_agent())
        store = backend.store()
        (stored,) = store.agents()
        assert stored.status is AgentStatus.NOT_AVAILABLE
        store.set_agent_status(AgentId("lan"), AgentStatus.AVAILABLE, "back", "lan")
        changed = an_agent()
        backend.define_agent(type(changed)(id=changed.id, dial_string="user/other", name="Lan"))
        (stored,) = store.agents()
        assert (stored.status, stored.reason, stored.agent.dial_string) == (AgentStatus.AVAILABLE, "back", "user/other")

    def test_a_drained_switch_stays_drained_until_somebody_says_otherwise(self, backend: Backend) -> None:
        store = running(backend)
        assert store.drained_switches() == {}
        store.set_switch_drained(SwitchId("north"), 1_780_000_000.0, "olga")
        store.set_switch_drained(SwitchId("north"), 1_780_000_060.0, "olga")
        store.set_switch_drained(SwitchId("main"), None, "olga")
        assert store.drained_switches() == {"north": 1_780_000_060.0}
        store.set_switch_drained(SwitchId("north"), None, "olga")
        assert store.drained_switches() == {}

    def test_a_daemon_that_was_replaced_drains_no_switch(self, backend: Backend) -> None:
        old, new = running(backend), backend.store()
        backend.depose(old)
        new.take_epoch("new")
        with pytest.raises(StoreError):
            old.set_switch_drained(SwitchId("north"), 1_780_000_000.0, "old")
        assert new.drained_switches() == {}

    def test_the_status_of_an_unknown_agent_is_refused(self, backend: Backend) -> None:
        with pytest.raises(StoreError, match="no such agent"):
            backend.store().set_agent_status(AgentId("nobody"), AgentStatus.AVAILABLE, "", "an")

    def test_a_campaign_names_the_zone_sets_of_its_leads(self, backend: Backend) -> None:
        store = running(backend, [*some_leads(2), *some_leads(1, TWO_ZONES[::-1], first=3), *some_leads(1, (), first=4)])
        stored = store.campaign(SPRING)
        assert stored is not None and set(stored.zone_sets) == {MADRID, TWO_ZONES, ()}

    # --- import -------------------------------------------------------------------------------------------------------------------------

    def test_an_import_counts_what_is_new_known_twice_and_forbidden(self, backend: Backend) -> None:
        backend.define(a_campaign())
        backend.forbid(a_number(3))
        assert backend.add_leads(some_leads(2)) == (2, 2, 0, 0, 0)
        assert backend.add_leads([*some_leads(4), *some_leads(2, first=3)]) == (6, 1, 1, 2, 2)
        assert (backend.lead(a_number(3)).status, backend.lead(a_number(3)).held_by) == ("blocked", "do_not_call")

    def test_leads_of_a_campaign_that_does_not_exist_are_refused(self, backend: Backend) -> None:
        with pytest.raises(StoreError, match="no campaign"):
            backend.add_leads(some_leads(1))

    def test_one_number_may_be_in_two_campaigns(self, backend: Backend) -> None:
        for name in (SPRING, OTHER):
            backend.define(a_campaign(name))
            assert backend.add_leads(some_leads(1), name) == (1, 1, 0, 0, 0)

    # --- claims -------------------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("S89")
    def test_leads_are_claimed_in_the_order_of_their_readiness_then_of_the_list(self, backend: Backend) -> None:
        """S89."""
        early, late = some_leads(2, ready_at=NOW - 60, first=5), some_leads(2, TWO_ZONES, ready_at=NOW - 10, first=1)
        store = running(backend, [*late, *early, *some_leads(1, ready_at=NOW - 10, first=9)])
        claim = store.claim_leads(SPRING, 9, [MADRID, TWO_ZONES], NOW)
        assert [lead.number for lead in claim.leads] == [a_number(place) for place in (5, 6, 1, 2, 9)]

    def test_a_claimed_lead_is_what_was_imported(self, backend: Backend) -> None:
        store = running(backend, some_leads(1, TWO_ZONES[::-1], ready_at=NOW - 0.125))
        (lead,) = store.claim_leads(SPRING, 5, [TWO_ZONES], NOW).leads
        assert (lead.campaign, lead.number, lead.zones, lead.status) == (SPRING, a_number(1), TWO_ZONES, LeadStatus.NEW)
        assert (lead.attempts, lead.ours_in_row, lead.ready_at) == (0, 0, NOW - 0.125)

    def test_a_claimed_lead_is_not_claimed_again(self, backend: Backend) -> None:
        store = running(backend, some_leads(3))
        first = store.claim_leads(SPRING, 2, [MADRID], NOW)
        second = store.claim_leads(SPRING, 2, [MADRID], NOW)
        assert (len(first.leads), len(second.leads)) == (2, 1)
        assert not {lead.id for lead in first.leads} & {lead.id for lead in second.leads}

    @pytest.mark.spec("D4")
    def test_a_lead_in_a_closed_zone_is_not_claimed(self, backend: Backend) -> None:
        store = running(backend, [*some_leads(1), *some_leads(1, TWO_ZONES, first=2), *some_leads(1, (), first=3)])
        assert [lead.number for lead in store.claim_leads(SPRING, 9, [TWO_ZONES, ()], NOW).leads] == [a_number(2), a_number(3)]
        assert store.claim_leads(SPRING, 9, [("Asia/Tokyo",)], NOW).leads == ()
        assert store.claim_leads(SPRING, 9, [], NOW).leads == ()

    def test_a_zone_set_named_twice_counts_once(self, backend: Backend) -> None:
        store = running(backend, some_leads(4))
        assert len(store.claim_leads(SPRING, 4, [MADRID, MADRID], NOW).leads) == 4

    def test_a_short_claim_says_when_the_next_lead_is_ready(self, backend: Backend) -> None:
        later = [*some_leads(1, ready_at=NOW + 50, first=2), *some_leads(1, TWO_ZONES, ready_at=NOW + 20, first=3)]
        store = running(backend, [*some_leads(1), *later])
        claim = store.claim_leads(SPRING, 2, [MADRID], NOW)
        assert ([lead.number for lead in claim.leads], claim.next_ready_at, claim.unfinished) == ([a_number(1)], NOW + 50, True)
        assert store.claim_leads(SPRING, 2, [MADRID, TWO_ZONES], NOW).next_ready_at == NOW + 20

    def test_a_claim_of_nothing_only_asks(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        claim = store.claim_leads(SPRING, 0, [MADRID], NOW)
        assert (claim.leads, claim.next_ready_at, claim.unfinished) == ((), NOW, True)

    def test_a_campaign_without_leads_is_finished(self, backend: Backend) -> None:
        claim = running(backend).claim_leads(SPRING, 5, [MADRID], NOW)
        assert (claim.leads, claim.next_ready_at, claim.unfinished) == ((), None, False)

    def test_a_lead_in_a_closed_zone_or_in_our_hands_is_unfinished(self, backend: Backend) -> None:
        store = running(backend, [*some_leads(1), *some_leads(1, TWO_ZONES, first=2)])
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
        assert store.claim_leads(SPRING, 1, [MADRID], NOW).unfinished  # one sleeps, one is claimed
        (other,) = store.claim_leads(SPRING, 1, [TWO_ZONES], NOW).leads
        for each in (lead, other):
            attempt = an_attempt(each)
            store.open_attempts([attempt])
            assert store.claim_leads(SPRING, 1, [MADRID], NOW).unfinished  # one is being called
            store.close_attempts([(a_result(attempt), an_update(each.id, LeadStatus.EXHAUSTED))])
        assert not store.claim_leads(SPRING, 1, [MADRID], NOW).unfinished

    def test_campaigns_do_not_take_each_others_leads(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        backend.define(a_campaign(OTHER))
        assert store.claim_leads(OTHER, 5, [MADRID], NOW).leads == ()

    def test_a_returned_lead_comes_again_when_its_gate_said_so(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
        store.return_leads(SPRING, [LeadReturn(lead.id, NOW + 30, "hours")])
        assert (backend.lead(lead.number).held_by, backend.lead(lead.number).claimed) == ("hours", False)
        claim = store.claim_leads(SPRING, 1, [MADRID], NOW)
        assert (claim.leads, claim.next_ready_at) == ((), NOW + 30)
        assert len(store.claim_leads(SPRING, 1, [MADRID], NOW + 30).leads) == 1

    def test_a_lead_that_is_not_ours_is_not_returned(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
        store.return_leads(SPRING, [LeadReturn(lead.id, NOW, "")])
        store.return_leads(SPRING, [LeadReturn(lead.id, NOW + 99, "hours")])
        assert (backend.lead(lead.number).ready_at, backend.lead(lead.number).held_by) == (NOW, "")

    def test_a_lead_with_a_call_up_is_not_returned(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
        store.open_attempts([an_attempt(lead)])
        store.return_leads(SPRING, [LeadReturn(lead.id, NOW, "")])
        assert backend.lead(lead.number).status == "in_progress"
        assert store.claim_leads(SPRING, 1, [MADRID], NOW).leads == ()

    def test_the_claims_of_a_dead_daemon_come_back(self, backend: Backend) -> None:
        old, new = running(backend, some_leads(5)), backend.store()
        leads = old.claim_leads(SPRING, 4, [MADRID], NOW).leads
        old.open_attempts([an_attempt(leads[0])])
        old.close()
        new.take_epoch("new")
        own = new.claim_leads(SPRING, 1, [MADRID], NOW).leads
        assert new.return_all_claims() == 3  # not the one that is being called, not our own
        assert len(own) == 1
        assert len(new.claim_leads(SPRING, 9, [MADRID], NOW).leads) == 3

    # --- the last gate ------------------------------------------------------------------------------------------------------------------

    @pytest.mark.spec("D8")
    def test_an_attempt_is_committed_and_its_lead_is_in_progress(self, backend: Backend) -> None:
        """D8."""
        store = running(backend, some_leads(1))
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
        attempt = an_attempt(lead)
        assert list(store.open_attempts([attempt])) == [None]
        assert backend.lead(lead.number).status == "in_progress"
        (found,) = store.open_attempts_found()
        assert (found.attempt, found.lead) == (attempt, lead)

    def test_opening_the_same_attempt_again_is_no_second_attempt(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
        attempt = an_attempt(lead)
        assert [list(store.open_attempts([attempt])), list(store.open_attempts([attempt]))] == [[None], [None]]
        assert backend.attempts() == 1

    @pytest.mark.spec("X4")
    def test_nobody_is_called_twice_at_a_time(self, backend: Backend) -> None:
        """X4: neither by a second attempt nor by two in one batch."""
        store = running(backend, some_leads(2))
        one, two = store.claim_leads(SPRING, 2, [MADRID], NOW).leads
        assert list(store.open_attempts([an_attempt(one), an_attempt(one), an_attempt(two)])) == [None, Refusal("already_open"), None]
        assert list(store.open_attempts([an_attempt(one)])) == [Refusal("already_open")]

    def test_a_lead_that_was_not_claimed_is_not_dialled(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
        store.return_leads(SPRING, [LeadReturn(lead.id, NOW, "")])
        assert list(store.open_attempts([an_attempt(lead)])) == [Refusal("lead_taken")]
        assert backend.attempts() == 0

    def test_a_finished_lead_is_not_dialled(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
        attempt = an_attempt(lead)
        store.open_attempts([attempt])
        store.close_attempts([(a_result(attempt, Outcome.CONNECTED), an_update(lead.id, LeadStatus.SUCCEEDED))])
        assert list(store.open_attempts([an_attempt(lead)])) == [Refusal("lead_taken")]

    @pytest.mark.spec("M19", "D4")
    @pytest.mark.parametrize("state", [CampaignState.PAUSED, CampaignState.DRAINING, CampaignState.ENDED, CampaignState.APPROVED])
    def test_a_campaign_that_is_not_running_dials_nothing(self, backend: Backend, state: CampaignState) -> None:
        store = running(backend, some_leads(1))
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
        store.set_campaign_state(SPRING, 1, state, False, "", "an")
        assert list(store.open_attempts([an_attempt(lead)])) == [Refusal("campaign_paused")]
        assert backend.lead(lead.number).claimed  # to be returned by who claimed it

    @pytest.mark.spec("D4")
    def test_a_number_that_was_forbidden_after_the_claim_is_not_dialled(self, backend: Backend) -> None:
        """D4, D14: asked again at the moment of dialling."""
        store = running(backend, some_leads(2))
        one, two = store.claim_leads(SPRING, 2, [MADRID], NOW).leads
        assert backend.forbid(one.number) == (1, 1)
        assert list(store.open_attempts([an_attempt(one), an_attempt(two)])) == [Refusal("do_not_call"), None]
        assert (backend.lead(one.number).status, backend.lead(one.number).claimed) == ("blocked", False)

    def test_a_daemon_that_was_replaced_dials_nothing(self, backend: Backend) -> None:
        old, new = running(backend, some_leads(2)), backend.store()
        one, _ = old.claim_leads(SPRING, 2, [MADRID], NOW).leads
        backend.depose(old)
        new.take_epoch("new")
        assert list(old.open_attempts([an_attempt(one)])) == [Refusal("epoch")]
        with pytest.raises(StoreError, match="another"):
            old.claim_leads(SPRING, 1, [MADRID], NOW)
        assert old.return_all_claims() == 0
        assert backend.attempts() == 0

    def test_a_forbidden_number_that_is_allowed_again_returns(self, backend: Backend) -> None:
        store = running(backend, some_leads(2))
        assert backend.forbid(a_number(1)) == (1, 1)
        assert backend.forbid(a_number(1)) == (0, 0)
        assert [lead.number for lead in store.claim_leads(SPRING, 2, [MADRID], NOW).leads] == [a_number(2)]
        assert backend.allow(a_number(1)) == (1, 1)
        assert [lead.number for lead in store.claim_leads(SPRING, 2, [MADRID], NOW).leads] == [a_number(1)]

    # --- results ------------------------------------------------------------------------------------------------------------------------

    def test_a_result_frees_the_lead_for_its_next_time(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
        attempt = an_attempt(lead)
        store.open_attempts([attempt])
        store.close_attempts([(a_result(attempt), an_update(lead.id, attempts=1, ours_in_row=2, ready_at=NOW + 600))])
        state = backend.lead(lead.number)
        assert (state.status, state.attempts, state.ours_in_row, state.ready_at, state.claimed) == ("retry", 1, 2, NOW + 600, False)
        assert store.claim_leads(SPRING, 1, [MADRID], NOW).next_ready_at == NOW + 600
        (again,) = store.claim_leads(SPRING, 1, [MADRID], NOW + 600).leads
        assert (again.id, again.status, again.attempts, again.ours_in_row) == (lead.id, LeadStatus.RETRY, 1, 2)
        assert (list(store.open_attempts_found()), backend.outcomes()) == ([], {"busy": 1})

    def test_closing_twice_changes_nothing(self, backend: Backend) -> None:
        """The spool replays (D8): the first result stands, and so does what became of the lead since."""
        store = running(backend, some_leads(1))
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
        attempt = an_attempt(lead)
        store.open_attempts([attempt])
        result = (a_result(attempt), an_update(lead.id, ready_at=NOW))
        store.close_attempts([result, result])
        (again,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
        second = an_attempt(again)
        store.open_attempts([second])
        store.close_attempts([result, (a_result(attempt, Outcome.CONNECTED), an_update(lead.id, LeadStatus.SUCCEEDED))])
        assert backend.lead(lead.number).status == "in_progress"
        assert [found.attempt.id for found in store.open_attempts_found()] == [second.id]
        assert backend.outcomes() == {"busy": 1}

    def test_a_result_without_an_attempt_is_passed_over_and_the_others_are_written(self, backend: Backend, caplog: pytest.LogCaptureFixture) -> None:
        store = running(backend, some_leads(1))
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
        ours, unknown = an_attempt(lead), an_attempt(lead)
        store.open_attempts([ours])
        store.close_attempts([(a_result(unknown), an_update(lead.id, LeadStatus.ERROR)), (a_result(ours), an_update(lead.id))])
        assert backend.lead(lead.number).status == "retry"
        assert "results_without_attempt" in caplog.text

    def test_a_daemon_that_was_replaced_may_still_say_how_its_calls_ended(self, backend: Backend) -> None:
        old, new = running(backend, some_leads(1)), backend.store()
        (lead,) = old.claim_leads(SPRING, 1, [MADRID], NOW).leads
        attempt = an_attempt(lead)
        old.open_attempts([attempt])
        backend.depose(old)
        new.take_epoch("new")
        assert [found.attempt for found in new.open_attempts_found()] == [attempt]
        old.close_attempts([(a_result(attempt), an_update(lead.id))])
        assert (list(new.open_attempts_found()), backend.lead(lead.number).status) == ([], "retry")

    def test_a_cancelled_attempt_gives_the_lead_its_status_back(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
        attempt = an_attempt(lead)
        store.open_attempts([attempt])
        store.close_attempts([(a_result(attempt, Outcome.CANCELLED), an_update(lead.id, LeadStatus.IN_PROGRESS, attempts=0, ready_at=NOW))])
        assert backend.lead(lead.number).status == "new"
        assert len(store.claim_leads(SPRING, 1, [MADRID], NOW).leads) == 1

    def test_a_lead_blocked_during_its_call_stays_blocked(self, backend: Backend) -> None:
        """D14: do-not-call comes before what the call made of the lead."""
        store = running(backend, some_leads(1))
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
        attempt = an_attempt(lead)
        store.open_attempts([attempt])
        backend.forbid(lead.number)
        store.close_attempts([(a_result(attempt, Outcome.CONNECTED), an_update(lead.id, LeadStatus.SUCCEEDED))])
        assert (backend.lead(lead.number).status, backend.lead(lead.number).attempts) == ("blocked", 1)

    def test_a_lead_allowed_again_during_its_call_is_in_progress_again(self, backend: Backend) -> None:
        store = running(backend, some_leads(1))
        (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
        store.open_attempts([an_attempt(lead)])
        backend.forbid(lead.number)
        backend.allow(lead.number)
        assert backend.lead(lead.number).status == "in_progress"

    def test_empty_batches_do_nothing(self, backend: Backend) -> None:
        store = running(backend)
        assert list(store.open_attempts([])) == []
        store.close_attempts([])
        store.return_leads(SPRING, [])

    # --- commands -----------------------------------------------------------------------------------------------------------------------

    def test_commands_wait_in_order_until_they_are_answered(self, backend: Backend) -> None:
        store = backend.store()
        first, second = backend.command("approve", SPRING, {}), backend.command("pause", SPRING, {"reason": "lunch"})
        pending = store.pending_commands()
        assert [(command.id, command.verb, command.target, command.who) for command in pending] == [
            (first, "approve", SPRING, "test"),
            (second, "pause", SPRING, "test"),
        ]
        assert pending[1].args == {"reason": "lunch"}
        assert backend.answer(first) is None
        store.reply(first, True, "approved")
        assert backend.answer(first) == (True, "approved")
        assert [command.id for command in store.pending_commands()] == [second]

    def test_the_first_answer_to_a_command_stands(self, backend: Backend) -> None:
        store = backend.store()
        command = backend.command("pause", SPRING, {})
        store.reply(command, False, "it is not running")
        store.reply(command, True, "paused")
        assert backend.answer(command) == (False, "it is not running")


class TestMemory(StoreContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return MemoryBackend()


class TestPostgres(StoreContract):
    @pytest.fixture
    def backend(self, pg_dsn: str) -> Iterator[Backend]:
        with ExitStack() as closing:
            yield PostgresBackend(pg_dsn, closing)


def test_rows_to_import_may_be_plain_tuples() -> None:
    backend = MemoryBackend()
    backend.define(a_campaign())
    assert backend.add_leads([LeadRow(*("+34911111111", MADRID, "Ana", {"plan": "gold"}, NOW))]) == (1, 1, 0, 0, 0)
