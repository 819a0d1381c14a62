"""The greenlets between the engine and the database: order, batches, an outage, a take-over (D8)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gevent
import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.model import (
    AgentId,
    AgentStatus,
    Attempt,
    AttemptId,
    AttemptResult,
    CampaignId,
    CommandId,
    Lead,
    LeadReturn,
    LeadStatus,
    LeadUpdate,
    LegId,
    Outcome,
    Refusal,
    SwitchId,
)
from fs_dialer.core.snapshot import Snapshot
from fs_dialer.core.stored import Claim
from fs_dialer.db.memory import MemoryStore
from fs_dialer.errors import StoreError
from fs_dialer.runtime import store_workers
from fs_dialer.runtime.spool import Spool
from fs_dialer.runtime.store_workers import StoreWorkers
from tests.runtime.day import GATEWAY, NOON, SPRING, a_store
from tests.runtime.greens import settle, until

ZONES = [("America/New_York",)]


class ShakyStore(MemoryStore):
    """A store in memory whose connection can go away, and which can lose the answer to a commit. `calls`: what was asked, in order."""

    def __init__(self) -> None:
        super().__init__(lambda: NOON)
        self.calls: list[str] = []
        self.away = self.loses_answer = False

    def _ask(self, what: str) -> None:
        self.calls.append(what)
        gevent.sleep(0)  # a real one waits here, and others run
        if self.away:
            raise StoreError("the database does not answer", lost=True)

    def open_attempts(self, attempts: Sequence[Attempt]) -> Sequence[Refusal | None]:
        self._ask("open " + ",".join(attempt.id for attempt in attempts))
        answers = super().open_attempts(attempts)
        if self.loses_answer:
            self.away = True
            raise StoreError("the connection broke during COMMIT", lost=True)
        return answers

    def close_attempts(self, results: Sequence[tuple[AttemptResult, LeadUpdate]]) -> None:
        self._ask("close " + ",".join(result.attempt for result, _ in results))
        super().close_attempts(results)

    def claim_leads(self, campaign: CampaignId, count: int, zone_sets: Sequence[tuple[str, ...]], now: float, attributes: Sequence[str] = ()) -> Claim:
        self._ask("claim")
        return super().claim_leads(campaign, count, zone_sets, now, attributes)

    def set_agent_status(self, agent: AgentId, status: AgentStatus, reason: str, who: str) -> None:
        self._ask(f"agent {agent} {status.value}")
        super().set_agent_status(agent, status, reason, who)

    def reply(self, command: CommandId, ok: bool, text: str) -> None:
        self._ask(f"reply {command}")
        super().reply(command, ok, text)

    def still_leader(self) -> bool:
        self._ask("still_leader")
        return super().still_leader()

    def take_epoch(self, holder: str) -> int | None:
        self._ask("take_epoch")
        return super().take_epoch(holder)

    def publish(self, snapshot: Snapshot) -> None:
        self._ask("publish")

    def take_over(self) -> MemoryStore:
        """Another daemon becomes the active one behind this one's back."""
        self.close()
        other = MemoryStore(lambda: NOON, self._db)
        assert other.take_epoch("the other") is not None
        return other


class Switch:
    """Who is told of originates."""

    def __init__(self, store: ShakyStore) -> None:
        self.told = store.calls

    def will_originate(self, leg: LegId) -> None:
        self.told.append(f"will {leg}")

    def will_not_originate(self, leg: LegId) -> None:
        self.told.append(f"will not {leg}")

    def originate_lead(self, action: act.OriginateLead) -> None:
        self.told.append(f"originate {action.leg}")


class Bench:
    """Workers at work."""

    def __init__(self, folder: Path) -> None:
        self.store = ShakyStore()
        a_store(office=self.store, leads=10)
        self.leads = MemoryStore.claim_leads(self.store, SPRING, 10, ZONES, NOON).leads
        self.events: list[ev.Event] = []
        self.greenlets: list[gevent.Greenlet] = []
        self.lost: list[str] = []
        self.spool = Spool(folder / "spool.jsonl")
        self.store.calls.clear()
        self.workers = StoreWorkers(
            self.store, Switch(self.store), self.spool, self.events.append, self.spawn, lambda: NOON, lambda: self.lost.append("another leads")
        )
        self.workers.start()

    def spawn(self, work: Any, *args: Any) -> gevent.Greenlet:
        self.greenlets.append(gevent.spawn(work, *args))
        return self.greenlets[-1]

    def wait_for(self, kind: type[ev.Event]) -> ev.Event:
        return until(lambda: next((event for event in self.events if isinstance(event, kind)), None), kind.__name__)  # type: ignore[return-value]

    def asked(self) -> list[str]:
        """What was asked of store and switch, without the probes."""
        return [call for call in self.store.calls if call not in ("still_leader", "take_epoch")]

    def lead_of(self, n: int) -> Lead:
        return self.leads[n]

    def go_away(self) -> None:
        self.store.away = True
        self.wait_for(ev.StoreLost)

    def come_back(self) -> None:
        self.store.away = self.store.loses_answer = False
        self.wait_for(ev.StoreBack)


def originate(lead: Lead, n: int) -> act.OriginateLead:
    leg = LegId(f"leg{n}")
    return act.OriginateLead(
        leg, Attempt(AttemptId(f"a{n}"), SPRING, 1, lead.id, leg, lead.number, GATEWAY, "+1555", None, NOON), SwitchId("main"), lead.number, 20.0, False
    )


def close(lead: Lead, n: int, outcome: Outcome = Outcome.BUSY) -> act.CloseAttempt:
    result = AttemptResult(AttemptId(f"a{n}"), outcome, "USER_BUSY", 486, None, None, None, None, NOON + 1, missed=False, leg_seen=True)
    return act.CloseAttempt(result, LeadUpdate(lead.id, LeadStatus.RETRY, 1, 0, NOON + 600))


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(store_workers, "PROBE_EVERY_S", 0.01)
    monkeypatch.setattr(store_workers, "LEADER_EVERY_S", 0.01)
    made = Bench(tmp_path)
    yield made
    gevent.killall(made.greenlets)
    assert [one for one in made.greenlets if one.exception is not None] == [], "a worker failed"


@pytest.mark.spec("D8")
def test_an_attempt_is_committed_before_its_originate_is_sent(bench: Bench) -> None:
    """D8."""
    bench.workers.open(originate(bench.lead_of(0), 1))
    bench.wait_for(ev.AttemptOpened)
    assert bench.asked() == ["will leg1", "open a1", "originate leg1"]
    assert bench.store.attempts_count() == 1


def test_attempts_that_come_together_are_committed_together(bench: Bench) -> None:
    for n in range(3):
        bench.workers.open(originate(bench.lead_of(n), n))
    until(lambda: len(bench.events) == 3)
    assert bench.asked()[3:] == ["open a0,a1,a2", "originate leg0", "originate leg1", "originate leg2"]


@pytest.mark.spec("D4")
def test_a_refused_attempt_is_told_with_its_gate_and_nothing_is_sent(bench: Bench) -> None:
    bench.store.do_not_call_add([bench.lead_of(1).number], "test")
    bench.workers.open(originate(bench.lead_of(1), 1))
    assert bench.wait_for(ev.AttemptRefused) == ev.AttemptRefused(AttemptId("a1"), "do_not_call")
    assert bench.asked() == ["will leg1", "open a1", "will not leg1"]


@pytest.mark.spec("D16")
def test_a_refusal_that_time_alone_ends_is_told_with_its_time(bench: Bench) -> None:
    bench.store.mark_no_callback([bench.lead_of(1).number], "", NOON + 3600, "test")
    bench.workers.open(originate(bench.lead_of(1), 1))
    assert bench.wait_for(ev.AttemptRefused) == ev.AttemptRefused(AttemptId("a1"), "no_callback", NOON + 3600)


def test_while_the_database_is_away_an_attempt_is_refused_at_once(bench: Bench) -> None:
    bench.go_away()
    bench.store.calls.clear()
    bench.workers.open(originate(bench.lead_of(0), 1))
    assert bench.wait_for(ev.AttemptRefused) == ev.AttemptRefused(AttemptId("a1"), "store_down")
    assert bench.asked() == ["will leg1", "will not leg1"]


def test_a_commit_whose_answer_was_lost_sends_nothing_and_is_closed_as_cancelled_later(bench: Bench) -> None:
    """It stands in the database, nobody was called: the lead is as it was before."""
    bench.store.loses_answer = True
    lead = bench.lead_of(0)
    bench.workers.open(originate(lead, 1))
    assert bench.wait_for(ev.AttemptRefused) == ev.AttemptRefused(AttemptId("a1"), "store_down")
    assert bench.store.attempts_count() == 1
    bench.come_back()
    assert bench.store.outcome_totals() == {"cancelled": 1}
    assert bench.store.lead_counts(SPRING)["new"] == 10
    assert "originate leg1" not in bench.store.calls


def test_results_that_stand_together_are_written_together_and_everything_in_order(bench: Bench) -> None:
    bench.store.loses_answer = False
    for n in range(3):
        bench.workers.open(originate(bench.lead_of(n), n))
    until(lambda: len(bench.events) == 3)
    bench.store.calls.clear()
    bench.workers.write(close(bench.lead_of(0), 0))
    bench.workers.write(close(bench.lead_of(1), 1))
    bench.workers.write(act.StoreAgentStatus(AgentId("ana"), AgentStatus.NOT_AVAILABLE, "", "ana"))
    bench.workers.write(close(bench.lead_of(2), 2))
    until(lambda: bench.workers.idle)
    assert bench.asked() == ["close a0,a1", "agent ana not_available", "close a2"]


def test_results_of_an_outage_are_on_disk_at_once_and_stored_before_dialling_goes_on(bench: Bench) -> None:
    for n in range(2):
        bench.workers.open(originate(bench.lead_of(n), n))
    until(lambda: len(bench.events) == 2)
    bench.go_away()
    bench.workers.write(close(bench.lead_of(0), 0))
    assert bench.spool.path.read_text().count("\n") == 1
    bench.workers.write(close(bench.lead_of(1), 1))
    assert bench.spool.path.read_text().count("\n") == 2
    bench.come_back()
    assert bench.store.outcome_totals() == {"busy": 2}
    assert not bench.spool


def test_a_result_that_waited_when_the_database_went_away_is_spooled_too(bench: Bench) -> None:
    bench.workers.open(originate(bench.lead_of(0), 0))
    bench.wait_for(ev.AttemptOpened)
    bench.workers.write(act.StoreAgentStatus(AgentId("ana"), AgentStatus.NOT_AVAILABLE, "", "ana"))
    bench.workers.write(close(bench.lead_of(0), 0))
    bench.store.away = True
    bench.wait_for(ev.StoreLost)
    until(lambda: bool(bench.spool))
    bench.come_back()
    until(lambda: bench.workers.idle)
    assert bench.store.outcome_totals() == {"busy": 1}
    assert bench.store.agents()[0].status is AgentStatus.NOT_AVAILABLE


def test_other_writes_of_an_outage_wait_in_order(bench: Bench) -> None:
    bench.go_away()
    command = bench.store.submit_command("pause", SPRING, {}, "test")
    bench.workers.write(act.StoreAgentStatus(AgentId("ana"), AgentStatus.NOT_AVAILABLE, "", "ana"))
    bench.workers.write(act.Reply(command, True, "paused"))
    settle()
    assert not bench.workers.idle
    bench.come_back()
    until(lambda: bench.workers.idle)
    assert bench.store.reply_of(command) == (True, "paused")


def test_a_claim_that_fails_is_told_so_that_it_is_asked_again(bench: Bench) -> None:
    bench.store.away = True
    bench.workers.claim(act.ClaimLeads(SPRING, 5, ()))
    assert bench.wait_for(ev.ClaimFailed) == ev.ClaimFailed(SPRING)


def test_a_claim_comes_after_what_was_written_before_it(bench: Bench) -> None:
    """Our own start of a campaign and the leads that went back: a claim that overtook them would come home empty."""
    returned = bench.leads
    bench.workers.write(act.StoreAgentStatus(AgentId("ana"), AgentStatus.NOT_AVAILABLE, "", "ana"))
    bench.workers.write(act.ReturnLeads(SPRING, tuple(LeadReturn(lead.id, NOON, "") for lead in returned)))
    bench.workers.claim(act.ClaimLeads(SPRING, 20, tuple(ZONES)))
    bench.workers.write(act.StoreAgentStatus(AgentId("ana"), AgentStatus.AVAILABLE, "", "ana"))
    claimed = bench.wait_for(ev.LeadsClaimed)
    assert isinstance(claimed, ev.LeadsClaimed) and {lead.id for lead in claimed.leads} == {lead.id for lead in returned}
    assert bench.asked()[0] == "agent ana not_available"


def test_claims_that_wait_when_the_database_goes_away_are_told_so(bench: Bench) -> None:
    bench.store.away = True
    bench.workers.write(act.StoreAgentStatus(AgentId("ana"), AgentStatus.NOT_AVAILABLE, "", "ana"))
    bench.workers.claim(act.ClaimLeads(SPRING, 5, ()))
    assert bench.wait_for(ev.ClaimFailed) == ev.ClaimFailed(SPRING)
    bench.come_back()
    until(lambda: bench.workers.idle)
    assert bench.store.agents()[0].status is AgentStatus.NOT_AVAILABLE and "claim" not in bench.store.calls


def test_a_write_that_the_database_refuses_does_not_stop_the_next(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        bench.workers.write(act.StoreAgentStatus(AgentId("nobody"), AgentStatus.AVAILABLE, "", "x"))
        bench.workers.write(act.StoreAgentStatus(AgentId("ana"), AgentStatus.NOT_AVAILABLE, "", "ana"))
        until(lambda: bench.workers.idle)
    assert "the database refused StoreAgentStatus" in caplog.text
    assert bench.store.agents()[0].status is AgentStatus.NOT_AVAILABLE
    assert [event for event in bench.events if isinstance(event, ev.StoreLost)] == []


def test_losing_the_lead_is_told_once_and_results_are_handed_over_first(bench: Bench) -> None:
    """Else the new leader would find their attempts open and call them unknown."""
    bench.workers.open(originate(bench.lead_of(0), 0))
    bench.wait_for(ev.AttemptOpened)
    bench.go_away()
    bench.workers.write(close(bench.lead_of(0), 0))
    other = bench.store.take_over()
    bench.store.away = False
    until(lambda: bench.lost)
    until(lambda: not bench.spool)
    assert other.outcome_totals() == {"busy": 1}
    assert bench.lost == ["another leads"]
    assert [event for event in bench.events if isinstance(event, ev.StoreBack)] == []


def test_an_attempt_refused_for_its_epoch_brings_the_question_who_leads(bench: Bench) -> None:
    bench.store.take_over()
    bench.workers.open(originate(bench.lead_of(0), 0))
    until(lambda: bench.lost)
    assert "originate leg0" not in bench.store.calls


def test_a_lost_lock_that_nobody_took_meanwhile_is_taken_again(bench: Bench) -> None:
    bench.store.close()
    assert bench.workers.still_leads()
    assert bench.lost == []
    bench.workers.open(originate(bench.lead_of(0), 0))
    bench.wait_for(ev.AttemptOpened)


def test_a_daemon_that_ends_commits_nothing_more_and_sends_nothing(bench: Bench) -> None:
    """What was being committed is closed as cancelled: the next daemon must not take it for a call that may have been made."""
    bench.workers.open(originate(bench.lead_of(0), 0))
    gevent.sleep(0)  # the commit is under way
    bench.workers.open(originate(bench.lead_of(1), 1))
    bench.workers.write(act.StoreAgentStatus(AgentId("ana"), AgentStatus.NOT_AVAILABLE, "", "ana"))
    bench.workers.finish(5.0)
    assert [call for call in bench.store.calls if call.startswith("originate")] == []
    assert bench.store.open_attempts_found() == []
    assert bench.store.outcome_totals() in ({}, {"cancelled": 1})
    assert bench.store.agents()[0].status is AgentStatus.NOT_AVAILABLE


def test_a_daemon_that_ends_while_the_database_is_away_does_not_wait_for_it(bench: Bench) -> None:
    bench.go_away()
    bench.workers.write(act.StoreAgentStatus(AgentId("ana"), AgentStatus.NOT_AVAILABLE, "", "ana"))
    with gevent.Timeout(1.0):
        bench.workers.finish(60.0)


def test_results_that_can_not_be_spooled_are_kept_in_memory_and_stored_when_the_database_is_back(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench.workers.open(originate(bench.lead_of(0), 0))
    bench.wait_for(ev.AttemptOpened)
    bench.go_away()
    bench.spool.path.mkdir()  # nothing can be appended to a folder
    with caplog.at_level(logging.CRITICAL):
        bench.workers.write(close(bench.lead_of(0), 0))
    assert "1 results are in memory only" in caplog.text
    bench.spool.path.rmdir()
    bench.come_back()
    until(lambda: bench.workers.idle)
    assert bench.store.outcome_totals() == {"busy": 1}
