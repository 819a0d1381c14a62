"""Two stores behind one face, for tests that hold for both: memory and PostgreSQL, each with what its back office can do.

Also the builders of what goes in. Knows both stores' back offices, so that the contract need not.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any, Protocol

import psycopg2

from fs_dialer.config.codec import to_json
from fs_dialer.core.actions import TakeLeadNow
from fs_dialer.core.definition import AgentDefinition, Campaign, Installation
from fs_dialer.core.model import (
    AGENT_TIMES,
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
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.core.resources import CallerIds, Trigger, TriggerAction
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.codec import zone_set
from fs_dialer.db.happenings import Happenings
from fs_dialer.db.memory import MemoryStore
from fs_dialer.db.memory_data import KeptLead, MemoryDatabase
from fs_dialer.db.no_callback import clear_no_callback, mark_no_callback
from fs_dialer.db.pool import Pool
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
    number: str = ""
    ready_why: str = ""
    agent: str | None = None
    caller_id: str = ""
    others: tuple[tuple[str, str], ...] = ()
    parameters: str = "{}"
    status_before: str | None = None


class Backend(Protocol):
    """One database."""

    def store(self) -> DaemonStore: ...
    def depose(self, store: DaemonStore) -> None:
        """The store loses its lock without knowing it, as when the network fails."""

    def define(self, campaign: Campaign) -> int: ...
    def define_agent(self, agent: AgentDefinition) -> None: ...
    def define_installation(self, installation: Installation) -> None: ...
    def add_leads(self, leads: Iterable[LeadRow], campaign: CampaignId = SPRING) -> tuple[int, int, int, int, int]: ...
    def lead(self, number: str, campaign: CampaignId = SPRING) -> LeadState:
        """The one that has this number now. ValueError when there is none, or several."""

    def leads(self, campaign: CampaignId = SPRING) -> Sequence[LeadState]:
        """All of them, in the order of the list."""

    def give_numbers(self, number: str, others: Sequence[tuple[str, tuple[str, ...]]], campaign: CampaignId = SPRING) -> None:
        """The lead's contact has these numbers too, each with its zones."""

    def stop(self, number: str, campaign: CampaignId = SPRING) -> None:
        """A person stops the lead."""

    def forbid(self, entry: str) -> tuple[int, int]: ...
    def allow(self, entry: str) -> tuple[int, int]: ...
    def mark(self, number: str, campaign: str, until: float) -> tuple[int, int]: ...
    def clear(self, number: str, campaign: str | None, now: float = NOW) -> tuple[int, int]: ...
    def put_mark(self, number: str, campaign: str, until: float) -> None:
        """A mark alone, as it stands when its leads were in somebody's hands."""

    def marks(self) -> Mapping[tuple[str, str], float]: ...
    def join(self, group: str, number: str) -> None: ...
    def group(self, group: str) -> set[str]: ...
    def define_teams(self, teams: Mapping[str, Sequence[str]]) -> None: ...
    def hear(self, *events: str) -> None:
        """Triggers that listen for these are defined."""

    def happenings(self) -> Sequence[tuple[str, Mapping[str, Any]]]: ...
    def define_queue(self, queue: QueueDefinition) -> None: ...
    def call_back_in(self, campaign: CampaignId) -> None:
        """A trigger adds who asked for a callback to this campaign."""

    def work_off(self) -> None:
        """It does so now."""

    def requests(self) -> Sequence[tuple[Any, ...]]:
        """Tickets of queues: (channel, queue, number, outcome, how it was closed, its lead), oldest first."""

    def messages(self) -> Sequence[str]:
        """The files of messages that have a ticket, oldest first."""

    def callers(self) -> Sequence[tuple[Any, ...]]:
        """(number, why, served?, asked_at, waited_s, talked_s, missed, agent), in the order in which they came."""

    def give_attributes(self, number: str, attributes: Mapping[str, str], campaign: CampaignId = SPRING) -> None:
        """What the lead says itself, beside its contact."""

    def steps(self, attempt: AttemptId) -> Sequence[tuple[str, ...]]:
        """(node, do, name, value) of a call in a flow."""

    def tickets(self) -> Sequence[tuple[Any, ...]]:
        """(channel, campaign, attempt, number, agent, outcome), oldest first."""

    def decision(self, attempt: AttemptId) -> str: ...
    def command(self, verb: str, target: str, args: dict[str, str]) -> CommandId: ...
    def answer(self, command: CommandId) -> tuple[bool, str] | None: ...
    def outcomes(self) -> dict[str, int]: ...
    def attempts(self) -> int: ...
    def owner(self, number: str) -> str:
        """Who manages the contact's account, "" = nobody."""

    def hours(self) -> Mapping[tuple[str, float], Mapping[str, float]]:
        """How agents spent their hours: by agent and begin, what is not 0."""

    def clock(self) -> float:
        """By which its store tells what day it is."""


class MemoryBackend:
    def __init__(self) -> None:
        self._database = MemoryDatabase()
        self._office = MemoryStore(lambda: NOW, self._database)
        self._back = SPRING

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
        (state,) = [state for state in self.leads(campaign) if state.number == number]
        return state

    def leads(self, campaign: CampaignId = SPRING) -> Sequence[LeadState]:
        return [_memory_state(lead) for lead in sorted(self._database.campaigns[campaign].leads, key=lambda lead: lead.position)]

    def give_numbers(self, number: str, others: Sequence[tuple[str, tuple[str, ...]]], campaign: CampaignId = SPRING) -> None:
        lead = self._database.leads[self._database.lead_of[campaign, number]]
        lead.others = tuple((other, zone_set(names)) for other, names in others)

    def stop(self, number: str, campaign: CampaignId = SPRING) -> None:
        lead = self._database.leads[self._database.lead_of[campaign, number]]
        self._database.set_status(lead, LeadStatus.STOPPED)

    def forbid(self, entry: str) -> tuple[int, int]:
        done = self._office.do_not_call_add([entry], "test")
        return done.numbers, done.leads

    def allow(self, entry: str) -> tuple[int, int]:
        done = self._office.do_not_call_remove([entry], "test")
        return done.numbers, done.leads

    def mark(self, number: str, campaign: str, until: float) -> tuple[int, int]:
        done = self._office.mark_no_callback([number], campaign, until, "test")
        return done.numbers, done.leads

    def clear(self, number: str, campaign: str | None, now: float = NOW) -> tuple[int, int]:
        done = self._office.clear_no_callback([number], campaign, "test", now=now)
        return done.numbers, done.leads

    def put_mark(self, number: str, campaign: str, until: float) -> None:
        self._database.no_callback[number, campaign] = until

    def marks(self) -> Mapping[tuple[str, str], float]:
        return self._database.no_callback

    def join(self, group: str, number: str) -> None:
        self._database.groups.setdefault(group, set()).add(number)

    def group(self, group: str) -> set[str]:
        return self._database.groups.get(group, set())

    def define_teams(self, teams: Mapping[str, Sequence[str]]) -> None:
        self._office.set_teams(teams)

    def hear(self, *events: str) -> None:
        self._database.heard |= set(events)

    def happenings(self) -> Sequence[tuple[str, Mapping[str, Any]]]:
        return self._database.happenings

    def tickets(self) -> Sequence[tuple[Any, ...]]:
        return [(t.channel, t.campaign, t.attempt, t.number, t.agent, t.outcome) for t in self._database.tickets]

    def define_queue(self, queue: QueueDefinition) -> None:
        self._office.set_queues([*self._database.queues.values(), queue])

    def call_back_in(self, campaign: CampaignId) -> None:
        self._back = campaign

    def work_off(self) -> None:
        self._office.call_back(self._back)

    def requests(self) -> Sequence[tuple[Any, ...]]:
        return [(t.channel, t.queue, t.number, t.outcome, t.closed_how, t.lead) for t in self._database.tickets if t.queue]

    def messages(self) -> Sequence[str]:
        return [ticket.recording for ticket in self._database.tickets if ticket.recording]

    def callers(self) -> Sequence[tuple[Any, ...]]:
        found = sorted(self._database.callers.values(), key=lambda each: each.came_at)
        return [(c.number, c.why, c.served_at is not None, c.asked_at, c.waited_s, c.talked_s, c.missed, c.agent) for c in found]

    def give_attributes(self, number: str, attributes: Mapping[str, str], campaign: CampaignId = SPRING) -> None:
        self._database.leads[self._database.lead_of[campaign, number]].parameters = dict(attributes)

    def steps(self, attempt: AttemptId) -> Sequence[tuple[str, ...]]:
        return [(step.node, step.do, step.name, step.value) for step in self._database.closed[attempt].result.ivr]

    def decision(self, attempt: AttemptId) -> str:
        return self._database.closed[attempt].decision

    def command(self, verb: str, target: str, args: dict[str, str]) -> CommandId:
        return self._office.submit_command(verb, target, args, "test")

    def answer(self, command: CommandId) -> tuple[bool, str] | None:
        return self._office.reply_of(command)

    def outcomes(self) -> dict[str, int]:
        return self._office.outcome_totals()

    def attempts(self) -> int:
        return self._office.attempts_count()

    def owner(self, number: str) -> str:
        return self._database.owners.get(number, AgentId(""))

    def hours(self) -> Mapping[tuple[str, float], Mapping[str, float]]:
        found: dict[tuple[str, float], dict[str, float]] = {}
        for key, row in self._database.agent_hours.items():
            counts = {"missed_offers": row.missed_offers, "previews": row.previews, "skipped": row.skipped}
            found[key] = {word: value for word, value in {**dict(row.seconds), **counts}.items() if value}
        return found

    def clock(self) -> float:
        return NOW


def _memory_state(lead: KeptLead) -> LeadState:
    return LeadState(
        lead.status.value,
        lead.attempts,
        lead.ours_in_row,
        lead.ready_at,
        lead.held_by,
        lead.claimed is not None,
        lead.number,
        lead.ready_why,
        lead.agent,
        lead.caller_id,
        lead.others,
        json.dumps(dict(lead.parameters), sort_keys=True),
        lead.status_before.value if lead.status_before else None,
    )


class PostgresBackend:
    """`stack` closes every store at the end of the test, so that its database can be dropped."""

    def __init__(self, dsn: str, stack: ExitStack) -> None:
        self._dsn = dsn
        self._stack = stack
        self.office = Backoffice(dsn)
        stack.callback(self.office.close)
        self._pool = Pool(dsn, size=1, application="test")
        stack.callback(self._pool.close)

    def _rows(self, query: str, words: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        with self._pool.cursor() as cursor:
            cursor.execute(query, words or {})
            return cursor.fetchall() if cursor.description else []

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
        self._rows("UPDATE leads SET ready_why = '' WHERE ready_why = 'not_before'")  # by the server's clock, and the tests' is ahead of it
        return done.rows, done.new, done.do_not_call, done.known, done.twice

    def lead(self, number: str, campaign: CampaignId = SPRING) -> LeadState:
        (state,) = [state for state in self.leads(campaign) if state.number == number]
        return state

    def leads(self, campaign: CampaignId = SPRING) -> Sequence[LeadState]:
        found = self._rows(
            """
            SELECT status, attempts, ours_in_row, extract(epoch FROM ready_at)::float8, held_by, claimed_epoch IS NOT NULL, number, ready_why, agent,
                   caller_id, other_numbers, parameters, status_before
            FROM leads WHERE campaign = %(campaign)s ORDER BY position""",
            {"campaign": campaign},
        )
        return [LeadState(*(*row[:10], tuple(map(tuple, row[10])), json.dumps(row[11], sort_keys=True), row[12])) for row in found]

    def give_numbers(self, number: str, others: Sequence[tuple[str, tuple[str, ...]]], campaign: CampaignId = SPRING) -> None:
        given = json.dumps([(other, zone_set(names)) for other, names in others])
        words = {"others": given, "number": number, "campaign": campaign}
        self._rows("UPDATE leads SET other_numbers = %(others)s WHERE number = %(number)s AND campaign = %(campaign)s AND copy = 0", words)

    def stop(self, number: str, campaign: CampaignId = SPRING) -> None:
        self._rows("UPDATE leads SET status = 'stopped' WHERE number = %(number)s AND campaign = %(campaign)s", {"number": number, "campaign": campaign})

    def forbid(self, entry: str) -> tuple[int, int]:
        done = self.office.do_not_call_add([entry], "test")
        return done.numbers, done.leads

    def allow(self, entry: str) -> tuple[int, int]:
        done = self.office.do_not_call_remove([entry], "test")
        return done.numbers, done.leads

    def mark(self, number: str, campaign: str, until: float) -> tuple[int, int]:
        done = mark_no_callback(self._pool, [number], campaign, until, "test")
        return done.numbers, done.leads

    def clear(self, number: str, campaign: str | None, now: float = NOW) -> tuple[int, int]:
        done = clear_no_callback(self._pool, [number], campaign, "test", now=now)
        return done.numbers, done.leads

    def put_mark(self, number: str, campaign: str, until: float) -> None:
        words = {"number": number, "campaign": campaign, "until": until}
        self._rows("INSERT INTO no_callback (number, campaign, until, added_by) VALUES (%(number)s, %(campaign)s, to_timestamp(%(until)s), '')", words)

    def marks(self) -> Mapping[tuple[str, str], float]:
        found = self._rows("SELECT number, campaign, extract(epoch FROM until)::float8 FROM no_callback")
        return {(number, campaign): until for number, campaign, until in found}

    def join(self, group: str, number: str) -> None:
        self._rows("INSERT INTO group_members (contact_group, contact) SELECT %(group)s, id FROM contacts WHERE number = %(number)s", locals())

    def group(self, group: str) -> set[str]:
        words = {"group": group}
        return {row[0] for row in self._rows("SELECT number FROM contacts JOIN group_members ON contact = id WHERE contact_group = %(group)s", words)}

    def define_teams(self, teams: Mapping[str, Sequence[str]]) -> None:
        for name, people in teams.items():
            self._define("teams", name, {"name": name, "people": list(people)})

    def hear(self, *events: str) -> None:
        for event in events:
            self._define("triggers", event, {"on": event})

    def _define(self, kind: str, name: str, definition: Mapping[str, Any]) -> None:
        words = {"kind": kind, "name": name, "definition": json.dumps(definition)}
        self._rows("INSERT INTO definitions (kind, name, revision, source, definition) VALUES (%(kind)s, %(name)s, 1, '{}', %(definition)s)", words)

    def happenings(self) -> Sequence[tuple[str, Mapping[str, Any]]]:
        return [(kind, data) for kind, data in self._rows("SELECT kind, data FROM happenings ORDER BY id")]

    def tickets(self) -> Sequence[tuple[Any, ...]]:
        return self._rows("SELECT channel, campaign, attempt::text, number, agent, outcome FROM tickets ORDER BY id")

    def define_queue(self, queue: QueueDefinition) -> None:
        self._define("queues", queue.name, to_json(queue))

    def call_back_in(self, campaign: CampaignId) -> None:
        trigger = Trigger(name="call-back", on="ticket_created", when=(("channel", "callback"),), then=(TriggerAction(add_to=campaign),))
        self._define("triggers", "call-back", to_json(trigger))

    def work_off(self) -> None:
        Happenings(self._pool).work_off(1000)

    def requests(self) -> Sequence[tuple[Any, ...]]:
        return self._rows("SELECT channel, queue, number, outcome, closed_how, lead FROM tickets WHERE queue <> '' ORDER BY id")

    def messages(self) -> Sequence[str]:
        return [row[0] for row in self._rows("SELECT recording FROM tickets WHERE recording <> '' ORDER BY id")]

    def callers(self) -> Sequence[tuple[Any, ...]]:
        return self._rows(
            """
            SELECT number, why, served_at IS NOT NULL, extract(epoch FROM asked_at)::float8, waited_s, talked_s, missed, agent
            FROM callers ORDER BY came_at"""
        )

    def give_attributes(self, number: str, attributes: Mapping[str, str], campaign: CampaignId = SPRING) -> None:
        words = {"parameters": json.dumps(dict(attributes)), "number": number, "campaign": campaign}
        self._rows("UPDATE leads SET parameters = %(parameters)s WHERE number = %(number)s AND campaign = %(campaign)s", words)

    def steps(self, attempt: AttemptId) -> Sequence[tuple[str, ...]]:
        return [tuple(step) for step in self._rows("SELECT ivr FROM attempts WHERE id = %(attempt)s", {"attempt": attempt})[0][0]]

    def decision(self, attempt: AttemptId) -> str:
        return str(self._rows("SELECT decision FROM attempts WHERE id = %(attempt)s", {"attempt": attempt})[0][0])

    def command(self, verb: str, target: str, args: dict[str, str]) -> CommandId:
        return self.office.submit_command(verb, target, args, "test")

    def answer(self, command: CommandId) -> tuple[bool, str] | None:
        return self.office.wait_reply(command, 0.0)

    def outcomes(self) -> dict[str, int]:
        return self.office.outcome_totals()

    def attempts(self) -> int:
        return self.office.attempts_count()

    def owner(self, number: str) -> str:
        return str(self._rows("SELECT owner FROM contacts WHERE number = %(number)s", {"number": number})[0][0])

    def hours(self) -> Mapping[tuple[str, float], Mapping[str, float]]:
        columns = [*(f"{word}_s" for word in AGENT_TIMES), "missed_offers", "previews", "skipped"]
        found = self._rows(f"SELECT agent, extract(epoch FROM hour)::float8, {', '.join(columns)} FROM agent_hours")
        return {(row[0], row[1]): {name.removesuffix("_s"): value for name, value in zip(columns, row[2:], strict=True) if value} for row in found}

    def clock(self) -> float:
        return time.time()


# --- builders -------------------------------------------------------------------------------------------------------------------------------


def a_campaign(name: CampaignId = SPRING, title: str = "") -> Campaign:
    return Campaign(id=name, type=CampaignType.PROGRESSIVE, title=title, caller_id=CallerIds(numbers=("+34910000000",)), options=progressive.Options())


def an_agent(name: str = "lan") -> AgentDefinition:
    return AgentDefinition(id=AgentId(name), dial_string=f"user/{name}")


def a_number(place: int) -> str:
    return f"+3491{place:07d}"


def some_leads(count: int, zones: Sequence[str] = MADRID, ready_at: float = NOW - 60, first: int = 1) -> list[LeadRow]:
    return [LeadRow(a_number(place), zones, ready_at=ready_at) for place in range(first, first + count)]


def an_attempt(
    lead: Lead,
    *,
    revision: int = 1,
    id: str = "",
    opened_at: float = NOW,
    caps: tuple[tuple[int, float], ...] = (),
    gates: tuple[tuple[str, str], ...] = (),
) -> Attempt:
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
        caps,
        gates,
    )


def a_result(attempt: Attempt, outcome: Outcome = Outcome.BUSY, *, answered_at: float | None = None, leg_seen: bool = True, ticket: str = "") -> AttemptResult:
    rang_at, ended_at = attempt.opened_at + 1, attempt.opened_at + 9
    return AttemptResult(attempt.id, outcome, "USER_BUSY", 486, None, rang_at, answered_at, answered_at, ended_at, False, leg_seen, ticket)


def an_update(lead: LeadId, status: LeadStatus = LeadStatus.RETRY, attempts: int = 1, ours_in_row: int = 0, ready_at: float = NOW + 3600) -> LeadUpdate:
    return LeadUpdate(lead, status, attempts, ours_in_row, ready_at)


def running(backend: Backend, leads: Iterable[LeadRow] = (), campaign: CampaignId = SPRING) -> DaemonStore:
    """A store that is the active daemon, with one running campaign that holds these leads."""
    store = backend.store()
    assert store.take_epoch("test") is not None
    also_running(backend, store, leads, campaign)
    return store


def also_running(backend: Backend, store: DaemonStore, leads: Iterable[LeadRow], campaign: CampaignId) -> None:
    """One more campaign of this daemon."""
    revision = backend.define(a_campaign(campaign))
    backend.add_leads(leads, campaign)
    store.set_campaign_state(campaign, revision, CampaignState.RUNNING, True, "", "test")


def claimed(store: DaemonStore, count: int = 1, campaign: CampaignId = SPRING, now: float = NOW) -> tuple[Lead, ...]:
    """So many of a campaign's leads in Madrid, and no fewer."""
    leads = store.claim_leads(campaign, count, [MADRID], now).leads
    assert len(leads) == count
    return leads


def called(store: DaemonStore, lead: Lead, **words: Any) -> Attempt:
    """An attempt at this lead that is open."""
    attempt = an_attempt(lead, **words)
    assert list(store.open_attempts([attempt])) == [None]
    return attempt


def a_take(campaign: CampaignId = SPRING, agent: str = "lan", **more: Any) -> TakeLeadNow:
    """What an agent of a manual campaign asks: the next lead in Madrid, without a quota, unless told otherwise. Days begin ten hours ago."""
    more = {"lead": None, "zone_sets": (MADRID,), "quota": None, "quota_of_agent": None, "day": NOW - 36_000.0, "own_customer": False, **more}
    return TakeLeadNow(CommandId("00000000-0000-4000-8000-000000000001"), AgentId(agent), campaign, **more)
