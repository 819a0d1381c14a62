"""Two stores behind one face, for tests that hold for both: memory and PostgreSQL, each with what its back office can do.

Also the builders of what goes in. Knows both stores' back offices, so that the contract need not.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Protocol

import psycopg2

from fs_dialer.core.definition import AgentDefinition, Campaign, Installation
from fs_dialer.core.model import (
    AgentId,
    Attempt,
    AttemptId,
    AttemptResult,
    CampaignId,
    CampaignState,
    CampaignType,
    CommandId,
    GatewayId,
    Lead,
    LeadId,
    LeadStatus,
    LeadUpdate,
    LegId,
    Outcome,
)
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.memory import MemoryStore
from fs_dialer.db.memory_data import MemoryDatabase
from fs_dialer.db.postgres import PostgresStore
from fs_dialer.db.shapes import LeadRow
from fs_dialer.modes import progressive
from fs_dialer.runtime.ports import Store

SPRING = CampaignId("spring")
NOW = 1_800_000_000.0
MADRID = ("Europe/Madrid",)
TWO_ZONES = ("America/Chicago", "America/New_York")


class DaemonStore(Store, Protocol):
    """What a daemon's store can do beyond the port."""

    def still_leader(self) -> bool: ...
    def close(self) -> None: ...
    @property
    def epoch(self) -> int | None: ...


@dataclass(frozen=True)
class LeadState:
    """A lead as it stands in the store."""

    status: str
    attempts: int
    ours_in_row: int
    ready_at: float
    held_by: str
    claimed: bool


class Backend(Protocol):
    """One database."""

    def store(self) -> DaemonStore: ...
    def depose(self, store: DaemonStore) -> None:
        """The store loses its lock without knowing it, as when the network fails."""

    def define(self, campaign: Campaign) -> int: ...
    def define_agent(self, agent: AgentDefinition) -> None: ...
    def define_installation(self, installation: Installation) -> None: ...
    def add_leads(self, leads: Iterable[LeadRow], campaign: CampaignId = SPRING) -> tuple[int, int, int, int, int]: ...
    def lead(self, number: str, campaign: CampaignId = SPRING) -> LeadState: ...
    def forbid(self, number: str) -> tuple[int, int]: ...
    def allow(self, number: str) -> tuple[int, int]: ...
    def command(self, verb: str, target: str, args: dict[str, str]) -> CommandId: ...
    def answer(self, command: CommandId) -> tuple[bool, str] | None: ...
    def outcomes(self) -> dict[str, int]: ...
    def attempts(self) -> int: ...


class MemoryBackend:
    def __init__(self) -> None:
        self._database = MemoryDatabase()
        self._office = MemoryStore(lambda: NOW, self._database)

    def store(self) -> DaemonStore:
        return MemoryStore(lambda: NOW, self._database)

    def depose(self, store: DaemonStore) -> None:
        store.close()

    def define(self, campaign: Campaign) -> int:
        return self._office.add_campaign(campaign)

    def define_agent(self, agent: AgentDefinition) -> None:
        self._office.add_agents([agent])

    def define_installation(self, installation: Installation) -> None:
        self._office.set_installation(installation)

    def add_leads(self, leads: Iterable[LeadRow], campaign: CampaignId = SPRING) -> tuple[int, int, int, int, int]:
        done = self._office.add_leads(campaign, leads)
        return done.rows, done.new, done.do_not_call, done.known, done.twice

    def lead(self, number: str, campaign: CampaignId = SPRING) -> LeadState:
        lead = self._database.leads[self._database.lead_of[campaign, number]]
        return LeadState(lead.status.value, lead.attempts, lead.ours_in_row, lead.ready_at, lead.held_by, lead.claimed is not None)

    def forbid(self, number: str) -> tuple[int, int]:
        done = self._office.do_not_call_add([number], "test")
        return done.numbers, done.leads

    def allow(self, number: str) -> tuple[int, int]:
        done = self._office.do_not_call_remove([number], "test")
        return done.numbers, done.leads

    def command(self, verb: str, target: str, args: dict[str, str]) -> CommandId:
        return self._office.submit_command(verb, target, args, "test")

    def answer(self, command: CommandId) -> tuple[bool, str] | None:
        return self._office.reply_of(command)

    def outcomes(self) -> dict[str, int]:
        return self._office.outcome_totals()

    def attempts(self) -> int:
        return self._office.attempts_count()


class PostgresBackend:
    """`stack` closes every store at the end of the test, so that its database can be dropped."""

    def __init__(self, dsn: str, stack: ExitStack) -> None:
        self._dsn = dsn
        self._stack = stack
        self.office = Backoffice(dsn)
        stack.callback(self.office.close)

    def store(self) -> PostgresStore:
        store = PostgresStore(self._dsn)
        self._stack.callback(store.close)
        return store

    def depose(self, store: DaemonStore) -> None:
        with closing(psycopg2.connect(self._dsn)) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'fs-dialer leader'"
            )

    def define(self, campaign: Campaign) -> int:
        (change,) = self.office.apply_definitions([campaign], [], None, "test").changes
        return change.revision or 0

    def define_agent(self, agent: AgentDefinition) -> None:
        self.office.apply_definitions([], [agent], None, "test")

    def define_installation(self, installation: Installation) -> None:
        self.office.apply_definitions([], [], installation, "test")

    def add_leads(self, leads: Iterable[LeadRow], campaign: CampaignId = SPRING) -> tuple[int, int, int, int, int]:
        done = self.office.import_leads(campaign, leads, "test")
        return done.rows, done.new, done.do_not_call, done.known, done.twice

    def lead(self, number: str, campaign: CampaignId = SPRING) -> LeadState:
        (line,) = self.office.lead_list(campaign, number=number)
        return LeadState(line.status, line.attempts, line.ours_in_row, line.ready_at, line.held_by, line.claimed)

    def forbid(self, number: str) -> tuple[int, int]:
        done = self.office.do_not_call_add([number], "test")
        return done.numbers, done.leads

    def allow(self, number: str) -> tuple[int, int]:
        done = self.office.do_not_call_remove([number], "test")
        return done.numbers, done.leads

    def command(self, verb: str, target: str, args: dict[str, str]) -> CommandId:
        return self.office.submit_command(verb, target, args, "test")

    def answer(self, command: CommandId) -> tuple[bool, str] | None:
        return self.office.wait_reply(command, 0.0)

    def outcomes(self) -> dict[str, int]:
        return self.office.outcome_totals()

    def attempts(self) -> int:
        return self.office.attempts_count()


# --- builders -------------------------------------------------------------------------------------------------------------------------------


def a_campaign(name: CampaignId = SPRING, title: str = "") -> Campaign:
    return Campaign(id=name, type=CampaignType.PROGRESSIVE, title=title, caller_id=("+34910000000",), options=progressive.Options())


def an_agent(name: str = "lan") -> AgentDefinition:
    return AgentDefinition(id=AgentId(name), dial_string=f"user/{name}")


def a_number(place: int) -> str:
    return f"+3491{place:07d}"


def some_leads(count: int, zones: Sequence[str] = MADRID, ready_at: float = NOW - 60, first: int = 1) -> list[LeadRow]:
    return [LeadRow(a_number(place), zones, ready_at=ready_at) for place in range(first, first + count)]


def an_attempt(lead: Lead, *, revision: int = 1, id: str = "", opened_at: float = NOW) -> Attempt:
    return Attempt(
        AttemptId(id or str(uuid.uuid4())),
        lead.campaign,
        revision,
        lead.id,
        LegId(str(uuid.uuid4())),
        lead.number,
        GatewayId("north"),
        "+34910000000",
        AgentId("lan"),
        opened_at,
    )


def a_result(attempt: Attempt, outcome: Outcome = Outcome.BUSY, *, answered_at: float | None = None) -> AttemptResult:
    return AttemptResult(
        attempt.id, outcome, "USER_BUSY", 486, None, attempt.opened_at + 1, answered_at, answered_at, attempt.opened_at + 9, False, True
    )


def an_update(lead: LeadId, status: LeadStatus = LeadStatus.RETRY, attempts: int = 1, ours_in_row: int = 0, ready_at: float = NOW + 3600) -> LeadUpdate:
    return LeadUpdate(lead, status, attempts, ours_in_row, ready_at)


def running(backend: Backend, leads: Iterable[LeadRow] = (), campaign: CampaignId = SPRING) -> DaemonStore:
    """A store that is the active daemon, with one running campaign that holds these leads."""
    revision = backend.define(a_campaign(campaign))
    backend.add_leads(leads, campaign)
    store = backend.store()
    assert store.take_epoch("test") is not None
    store.set_campaign_state(campaign, revision, CampaignState.RUNNING, True, "", "test")
    return store
