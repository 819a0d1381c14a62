"""Definitions, lists and commands as the command line writes them, and the reports that show them (fs_dialer/db/reports.py)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, replace

import pytest

from fs_dialer.core.definition import CampaignAgents, Installation, Window
from fs_dialer.core.model import AgentId, CampaignId, CampaignState, LeadId, LeadStatus, Outcome
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.reports import day_start
from fs_dialer.db.shapes import Change, Listed
from fs_dialer.errors import StoreError
from tests.contract.store_backends import (
    MADRID,
    NOW,
    SPRING,
    DaemonStore,
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


@pytest.fixture
def backend(pg_dsn: str) -> Iterator[PostgresBackend]:
    with ExitStack() as stack:
        yield PostgresBackend(pg_dsn, stack)


@pytest.fixture
def office(backend: PostgresBackend) -> Backoffice:
    return backend.office


def called(store: DaemonStore, outcome: Outcome, *, opened_at: float = NOW, missed: bool = False) -> None:
    """One lead claimed, dialled and over."""
    (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
    attempt = an_attempt(lead, opened_at=opened_at)
    assert list(store.open_attempts([attempt])) == [None]
    result = replace(a_result(attempt, outcome), missed=missed)
    store.close_attempts([(result, an_update(lead.id, ready_at=NOW + 1e6))])


# --- apply ----------------------------------------------------------------------------------------------------------------------------------


def test_an_apply_tells_what_it_created_changed_and_left(office: Backoffice) -> None:
    autumn = a_campaign(CampaignId("autumn"))
    first = office.apply_definitions([a_campaign(), autumn], [an_agent("hoa"), an_agent()], Installation(lines=5), "an.le")
    assert first.changes == (
        Change("installation", "", "created"),
        Change("agent", "hoa", "created"),
        Change("agent", "lan", "created"),
        Change("campaign", "autumn", "created", 1, True),
        Change("campaign", "spring", "created", 1, True),
    )
    again = office.apply_definitions([a_campaign(), a_campaign(CampaignId("autumn"), "new title")], [an_agent()], Installation(lines=5), "an.le")
    assert [(change.name, change.what, change.revision) for change in again.changes] == [
        ("", "unchanged", None),
        ("lan", "unchanged", None),
        ("autumn", "changed", 2),
        ("spring", "unchanged", 1),
    ]
    assert [change.name for change in again.changed] == ["autumn"]


def test_what_an_apply_does_not_name_is_left_alone(office: Backoffice) -> None:
    office.apply_definitions([a_campaign()], [an_agent()], Installation(lines=5), "test")
    office.apply_definitions([a_campaign(CampaignId("autumn"))], [], None, "test")
    assert [report.name for report in office.campaign_list()] == ["autumn", "spring"]
    assert [agent.id for agent in office.agent_list()] == ["lan"]


@pytest.mark.spec("D5")
def test_the_approved_revision_needs_no_approval_and_a_changed_one_does(backend: PostgresBackend, office: Backoffice) -> None:
    """D5."""
    store = running(backend)
    (change,) = office.apply_definitions([a_campaign()], [], None, "test").changes
    assert (change.what, change.needs_approval) == ("unchanged", False)
    (change,) = office.apply_definitions([a_campaign(title="other")], [], None, "test").changes
    assert (change.revision, change.needs_approval) == (2, True)
    report = office.campaign_show(SPRING)
    assert report is not None
    assert (report.revision, report.newest_revision, report.approved, report.title, report.state) == (1, 2, False, "", "running")
    store.set_campaign_state(SPRING, 2, CampaignState.RUNNING, True, "", "test")
    report = office.campaign_show(SPRING)
    assert report is not None and (report.revision, report.approved, report.title) == (2, True, "other")


def test_going_back_to_an_earlier_definition_is_a_revision_of_its_own(office: Backoffice) -> None:
    for title, revision in (("", 1), ("other", 2), ("", 3)):
        (change,) = office.apply_definitions([a_campaign(title=title)], [], None, "test").changes
        assert change.revision == revision


def test_an_apply_that_fails_changes_nothing(office: Backoffice) -> None:
    with pytest.raises(StoreError):
        office.apply_definitions([a_campaign(), a_campaign(CampaignId("no such/name"))], [an_agent()], Installation(), "test")
    assert (office.campaign_list(), office.agent_list(), office.audit_list()) == ([], [], [])


def test_every_apply_is_in_the_audit(office: Backoffice) -> None:
    office.apply_definitions([a_campaign()], [an_agent()], None, "an.le")
    assert {(line.who, line.what, line.target) for line in office.audit_list()} == {
        ("an.le", "apply_campaign", "spring"),
        ("an.le", "apply_agent", "lan"),
    }


# --- do-not-call ----------------------------------------------------------------------------------------------------------------------------


def test_a_number_on_two_lists_stays_blocked_until_both_let_it_go(backend: PostgresBackend, office: Backoffice) -> None:
    running(backend, some_leads(2))
    assert office.do_not_call_add([a_number(1)], "test", "own", "asked") == Listed(1, 1)
    assert office.do_not_call_add([a_number(1)], "test", "national") == Listed(1, 0)
    assert [(line.number, line.list, line.reason) for line in office.do_not_call_list()] == [(a_number(1), "national", ""), (a_number(1), "own", "asked")]
    assert office.do_not_call_remove([a_number(1)], "test", "own") == Listed(1, 0)
    assert backend.lead(a_number(1)).status == "blocked"
    assert office.do_not_call_remove([a_number(1)], "test") == Listed(1, 1)
    assert backend.lead(a_number(1)).status == "new"
    assert [line.what for line in office.audit_list(a_number(1))] == ["do_not_call_remove"] * 2 + ["do_not_call_add"] * 2


def test_a_finished_lead_is_not_blocked(backend: PostgresBackend, office: Backoffice) -> None:
    store = running(backend, some_leads(1))
    (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
    attempt = an_attempt(lead)
    store.open_attempts([attempt])
    store.close_attempts([(a_result(attempt, Outcome.CONNECTED), an_update(lead.id, LeadStatus.SUCCEEDED))])
    assert office.do_not_call_add([lead.number], "test") == Listed(1, 0)
    assert office.do_not_call_remove([lead.number], "test") == Listed(1, 0)


def test_the_lists_come_in_pages(office: Backoffice) -> None:
    office.do_not_call_add([a_number(place) for place in range(5)], "test")
    first = office.do_not_call_list(limit=3)
    rest = office.do_not_call_list(limit=3, after=(first[-1].number, first[-1].list))
    assert [line.number for line in first + rest] == [a_number(place) for place in range(5)]


# --- commands -------------------------------------------------------------------------------------------------------------------------------


def test_a_command_and_its_audit_line_are_written_together(office: Backoffice) -> None:
    command = office.submit_command("pause", "spring", {"reason": "lunch"}, "an.le")
    (line,) = office.audit_list("spring")
    assert (line.who, line.what, line.why, line.details) == ("an.le", "pause", "lunch", {"reason": "lunch", "command": command})


# --- reports --------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M17", "D9")
def test_a_campaign_is_shown_with_its_leads_and_what_happened_today(backend: PostgresBackend, office: Backoffice) -> None:
    """D9: a day is a day in the campaign's zone."""
    zone = "Asia/Ho_Chi_Minh"
    midnight = day_start(zone, NOW)
    definition = replace(a_campaign(title="Spring"), window=Window(zone=zone), agents=CampaignAgents(people=("lan", "hoa")))
    backend.define(definition)
    store = backend.store()
    assert store.take_epoch("test") is not None
    store.set_campaign_state(SPRING, 1, CampaignState.RUNNING, True, "", "test")
    backend.add_leads(some_leads(6))
    called(store, Outcome.BUSY, opened_at=midnight - 1)
    called(store, Outcome.BUSY, opened_at=midnight)
    called(store, Outcome.MISSED, opened_at=NOW, missed=True)
    (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
    store.open_attempts([an_attempt(lead, opened_at=NOW)])
    report = office.campaign_show(SPRING, NOW)
    assert report is not None
    assert (report.attempts_today, report.open_attempts, report.missed_today) == (3, 1, 1)
    assert (report.outcomes_today, report.zone, report.agents) == ({"busy": 1, "missed": 1}, zone, ("lan", "hoa"))
    assert (report.leads["new"], report.leads["retry"], report.leads["in_progress"], report.leads["succeeded"]) == (2, 3, 1, 0)
    assert office.campaign_list(NOW) == [report]
    assert json.loads(json.dumps(asdict(report)))["title"] == "Spring"


def test_a_campaign_that_does_not_exist_is_none(office: Backoffice) -> None:
    assert office.campaign_show(SPRING) is None


def test_totals_count_closed_attempts_of_one_campaign_or_all_in_a_window(backend: PostgresBackend, office: Backoffice) -> None:
    store = running(backend, some_leads(4))
    called(store, Outcome.BUSY, opened_at=NOW - 100)
    called(store, Outcome.BUSY, opened_at=NOW)
    called(store, Outcome.CONNECTED, opened_at=NOW + 100)
    (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
    store.open_attempts([an_attempt(lead)])
    assert office.outcome_totals(SPRING) == office.outcome_totals() == {"busy": 2, "connected": 1}
    assert office.outcome_totals(SPRING, since=NOW, until=NOW + 100) == {"busy": 1}
    assert office.outcome_totals(CampaignId("autumn")) == {}
    assert (office.attempts_count(SPRING), office.open_attempts_count(), office.attempts_count(CampaignId("autumn"))) == (4, 1, 0)


def test_leads_come_in_pages_and_by_status_and_number(backend: PostgresBackend, office: Backoffice) -> None:
    store = running(backend, some_leads(5))
    called(store, Outcome.BUSY)
    first = office.lead_list(SPRING, limit=2)
    rest = office.lead_list(SPRING, limit=10, after=first[-1].id)
    assert [line.number for line in first + rest] == [a_number(place) for place in range(1, 6)]
    assert [line.number for line in office.lead_list(SPRING, LeadStatus.RETRY)] == [a_number(1)]
    assert [line.campaign for line in office.lead_list(number=a_number(3))] == [SPRING]


def test_a_lead_is_shown_with_its_history(backend: PostgresBackend, office: Backoffice) -> None:
    store = running(backend, some_leads(1))
    (lead,) = store.claim_leads(SPRING, 1, [MADRID], NOW).leads
    attempt = an_attempt(lead)
    store.open_attempts([attempt])
    history = office.lead_show(lead.id)
    assert history is not None
    assert [(line.id, line.outcome, line.ended_at) for line in history.attempts] == [(attempt.id, None, None)]
    store.close_attempts([(a_result(attempt, answered_at=NOW + 5.25), an_update(lead.id))])
    history = office.lead_show(lead.id)
    assert history is not None
    (line,) = history.attempts
    assert (line.leg, line.outcome, line.sip_status, line.rang_at, line.answered_at, line.ended_at) == (
        attempt.leg,
        "busy",
        486,
        NOW + 1,
        NOW + 5.25,
        NOW + 9,
    )
    assert (history.lead.status, history.lead.zones, history.lead.claimed) == ("retry", MADRID, False)
    assert json.loads(json.dumps(asdict(history)))["lead"]["id"] == lead.id
    assert office.lead_show(LeadId(lead.id + 1)) is None


def test_agents_are_shown_with_the_campaigns_that_name_them(office: Backoffice) -> None:
    office.apply_definitions([replace(a_campaign(), agents=CampaignAgents(people=("lan",)))], [an_agent("hoa"), an_agent()], None, "test")
    hoa, lan = office.agent_list()
    assert (hoa.campaigns, lan.campaigns, lan.leg, lan.status, lan.dial_string) == ((), ("spring",), "per_call", "not_available", "user/lan")
    assert AgentId(lan.id) == "lan"
