"""What only the store in memory promises: it is light, quick, and equal runs have equal ids."""

from __future__ import annotations

import subprocess
import sys
import time

from fs_dialer.core.model import AgentStatus, CampaignState, LeadReturn, Outcome
from fs_dialer.db.memory import MemoryStore
from fs_dialer.db.shapes import LeadRow
from tests.contract.store_backends import MADRID, NOW, SPRING, a_campaign, a_number, a_result, an_agent, an_attempt, an_update, some_leads


def a_store(leads: int = 0) -> MemoryStore:
    store = MemoryStore(lambda: NOW)
    store.add_campaign(a_campaign(), CampaignState.RUNNING, started=True)
    store.add_leads(SPRING, some_leads(leads))
    assert store.take_epoch("test") == 1
    return store


def test_it_needs_neither_psycopg2_nor_gevent() -> None:
    code = "import sys; import fs_dialer.db.memory; print([name for name in ('psycopg2', 'gevent', 'psycogreen') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_campaign_may_be_added_running() -> None:
    stored = a_store().campaign(SPRING)
    assert stored is not None
    assert (stored.state, stored.started, stored.campaign.revision) == (CampaignState.RUNNING, True, 1)


def test_agents_may_be_added_available() -> None:
    store = a_store()
    store.add_agents([an_agent("lan"), an_agent("hoa")], AgentStatus.AVAILABLE)
    assert [(agent.agent.id, agent.status) for agent in store.agents()] == [("hoa", AgentStatus.AVAILABLE), ("lan", AgentStatus.AVAILABLE)]


def test_leads_without_a_time_are_ready_since_now() -> None:
    store = a_store()
    store.add_leads(SPRING, [LeadRow(a_number(1), MADRID)])
    (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
    assert lead.ready_at == NOW


def test_command_ids_are_the_same_in_equal_runs() -> None:
    assert a_store().submit_command("pause", SPRING, {}, "test") == a_store().submit_command("pause", SPRING, {}, "test")


def test_results_are_kept_in_the_order_in_which_they_came() -> None:
    store = a_store(2)
    attempts = [an_attempt(lead) for lead in store.claim_leads(SPRING, 2, [MADRID], NOW).leads]
    store.open_attempts(attempts)
    for attempt, outcome in ((attempts[1], Outcome.BUSY), (attempts[0], Outcome.CONNECTED)):
        store.close_attempts([(a_result(attempt, outcome), an_update(attempt.lead))])
    assert [result.attempt for result in store.results(SPRING)] == [attempts[1].id, attempts[0].id]
    assert (store.outcome_totals(), store.attempts_count(SPRING)) == ({"busy": 1, "connected": 1}, 2)
    assert store.lead_counts(SPRING)["retry"] == 2


def test_a_claim_costs_the_same_from_a_few_leads_and_from_many() -> None:
    """Virtual time claims some thousand times in a day. Best of several, and a wide margin: this is about the order of growth."""

    def cost_s(leads: int) -> float:
        store = MemoryStore(lambda: NOW)
        store.add_campaign(a_campaign(), CampaignState.RUNNING, started=True)
        store.add_leads(SPRING, [LeadRow(a_number(place), (f"Zone/{place % 50}",), ready_at=NOW) for place in range(leads)])
        store.take_epoch("test")
        zone_sets = [(f"Zone/{place}",) for place in range(50)]
        taken = []
        for _ in range(20):
            began = time.perf_counter()
            claimed = store.claim_leads(SPRING, 20, zone_sets, NOW).leads
            taken.append(time.perf_counter() - began)
            store.return_leads(SPRING, [LeadReturn(lead.id, NOW, "") for lead in claimed])
        return min(taken)

    assert cost_s(50_000) < 10 * cost_s(500)
