"""A campaign with people, and both who work at it: the daemon's store, which claims and dials, and the back office, where people mark and dispose.

Rows are made by the product's own means wherever it has them. Times are epoch seconds; NOW is a Wednesday noon in London.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import Any

import psycopg2

from fs_dialer.config.codec import campaign_to_json, to_json
from fs_dialer.core.definition import AgentDefinition, Attempts, Campaign, LeadsSource, Window
from fs_dialer.core.hangup import CONSUMES_ATTEMPT
from fs_dialer.core.model import (
    AgentId,
    Attempt,
    AttemptId,
    AttemptResult,
    CampaignId,
    CampaignType,
    GatewayId,
    Lead,
    LeadUpdate,
    LegId,
    Outcome,
    Refusal,
)
from fs_dialer.core.resources import CallerIds, Disposition, DncList, Group, Hours, Script, ScriptItem
from fs_dialer.core.retry import Ended, next_lead
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.postgres import PostgresStore
from fs_dialer.modes import SETTINGS

ADA, BEN, EVE = "+442079460101", "+442079460102", "+442079460103"
LONDON = ("Europe/London",)
SPRING = CampaignId("spring")
NOW = 1_795_608_000.0  # Wed 25 Nov 2026 12:00 UTC
OFFICE = Hours(week=(((9 * 60, 17 * 60),),) * 5 + ((), ()))  # Mon–Fri 9–17

SOLD = Disposition(name="sold", outcome_class="success")
REFUSED = Disposition(name="refused", outcome_class="refused")
LATER = Disposition(name="later", outcome_class="callback")
AGAIN = Disposition(name="again", outcome_class="retry")
WRONG = Disposition(name="wrong", outcome_class="wrong_number")
SCRIPT = Script(
    name="renewal",
    items=(
        ScriptItem(say="Good morning."),
        ScriptItem(ask="Renew?", key="renew", kind="choice", options=("yes", "no"), required=True),
        ScriptItem(ask="Which?", key="plans", kind="choices", options=("gold", "silver", "gold, for two")),
        ScriptItem(ask="How many?", key="many", kind="number", low=1, high=9),
        ScriptItem(ask="When?", key="due", kind="date"),
        ScriptItem(ask="Anything else?", key="note"),
    ),
)


def a_campaign(id: str = "spring", **more: Any) -> Campaign:
    """Open Monday to Friday, 9 to 17, where the number lives; three calls, an hour apart; refusals for 30 days."""
    type = CampaignType.PROGRESSIVE
    more.setdefault("hours", OFFICE)
    more.setdefault("attempts", Attempts(max=3, gap_s=3600.0, no_callback_s=30 * 86400.0))
    more.setdefault("dispositions", (SOLD, REFUSED, LATER, AGAIN, WRONG))
    more.setdefault("window", Window(zone="Europe/London"))
    more.setdefault("leads", LeadsSource(group="customers"))
    return Campaign(id=CampaignId(id), type=type, caller_id=CallerIds(numbers=("+442079460100",)), options=SETTINGS[type](), **more)


class Desk:
    """One database with the campaign spring, running, an agent lan, and whoever is added."""

    def __init__(self, dsn: str, office: Backoffice, store: PostgresStore, connection: psycopg2.extensions.connection) -> None:
        self.dsn, self.office, self.store, self._connection = dsn, office, store, connection

    # --- rows ---------------------------------------------------------------------------------------------------------------------------

    def rows(self, sql: str, *given: Any) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, given)
            return cursor.fetchall() if cursor.description is not None else []

    def one(self, sql: str, *given: Any) -> Any:
        """The only value of the only row."""
        ((value,),) = self.rows(sql, *given)
        return value

    def define(self, kind: str, thing: Any) -> None:
        self.rows(
            "INSERT INTO definitions (kind, name, revision, source, definition) VALUES (%s, %s, 1, '{}', %s)",
            *(kind, thing.name, json.dumps(to_json(thing))),
        )

    def campaign(self, campaign: Campaign, state: str = "running") -> None:
        """A new campaign at r1, or its next revision, which dials at once."""
        newest = self.rows("SELECT newest_revision FROM campaigns WHERE name = %s", campaign.id)
        revision = newest[0][0] + 1 if newest else 1
        definition = json.dumps(campaign_to_json(replace(campaign, revision=0)))
        upsert = """
            INSERT INTO campaigns (name, newest_revision, approved_revision, state, started) VALUES (%s, %s, %s, %s, true)
            ON CONFLICT (name) DO UPDATE
            SET newest_revision = excluded.newest_revision, approved_revision = excluded.approved_revision, state = excluded.state;
            INSERT INTO campaign_revisions (campaign, revision, type, definition, created_by) VALUES (%s, %s, 'progressive', %s, 'test')
        """
        self.rows(upsert, campaign.id, revision, revision, state, campaign.id, revision, definition)

    def add(self, *numbers: str, campaign: str = "spring", zones: tuple[str, ...] = LONDON) -> int:
        """Leads; the id of the last."""
        self.office.lead_add(campaign, "test", numbers=[(number, zones) for number in numbers])
        return self.lead(numbers[-1], campaign)

    def lead(self, number: str, campaign: str = "spring") -> int:
        return int(self.one("SELECT id FROM leads WHERE number = %s AND campaign = %s", number, campaign))

    def state(self, lead: int) -> tuple[str, int, float]:
        """Status, attempts, ready_at."""
        return self.rows("SELECT status, attempts, extract(epoch FROM ready_at)::float8 FROM leads WHERE id = %s", lead)[0]

    def status(self, lead: int) -> str:
        return str(self.one("SELECT status FROM leads WHERE id = %s", lead))

    def make_ready(self, at: float = NOW) -> None:
        self.rows("UPDATE leads SET ready_at = to_timestamp(%s) WHERE status IN ('new', 'retry', 'callback_scheduled')", at - 10)

    # --- the daemon's part --------------------------------------------------------------------------------------------------------------

    def claim(self, count: int = 10, campaign: CampaignId = SPRING, now: float = NOW) -> tuple[Lead, ...]:
        return self.store.claim_leads(campaign, count, [LONDON, ()], now).leads

    def attempt_of(self, lead: Lead, opened_at: float = NOW, revision: int = 1) -> Attempt:
        id, leg = str(uuid.uuid4()), str(uuid.uuid4())
        gates = (("campaign", "running"), ("hours", "inside working hours"))
        return Attempt(
            *(AttemptId(id), lead.campaign, revision, lead.id, LegId(leg), lead.number, GatewayId("trunk1"), "+442079460100", None, opened_at),
            gates=gates,
        )

    def open(self, lead: Lead, opened_at: float = NOW, revision: int = 1) -> tuple[Attempt, Refusal | None]:
        attempt = self.attempt_of(lead, opened_at, revision)
        return attempt, self.store.open_attempts([attempt])[0]

    def close(self, attempt: Attempt, lead: Lead, outcome: Outcome, campaign: Campaign | None = None, *, missed: bool = False) -> None:
        at = attempt.opened_at
        met = outcome is Outcome.CONNECTED
        result = AttemptResult(
            *(attempt.id, outcome, "NORMAL_CLEARING", 200, AgentId("lan") if met else None, at + 1, at + 5 if met else None, at + 6 if met else None, at + 60),
            missed=missed,
            leg_seen=True,
        )
        update: LeadUpdate = next_lead(lead, Ended(outcome, rang=True, missed=missed), campaign or a_campaign(), at + 60)
        assert update.attempts == lead.attempts + (outcome in CONSUMES_ATTEMPT)
        self.store.close_attempts([(result, update)])

    def called(self, number: str = ADA, outcome: Outcome = Outcome.CONNECTED, *, at: float = NOW, missed: bool = False, revision: int = 1) -> str:
        """A call to a lead, from claim to result; the attempt's id. Others that were claimed with it are free again."""
        self.make_ready(at)
        lead = next(each for each in self.claim(now=at) if each.number == number)
        attempt, refusal = self.open(lead, at, revision)
        assert refusal is None, refusal
        self.close(attempt, lead, outcome, missed=missed)
        self.rows("UPDATE leads SET claimed_epoch = NULL, claimed_batch = NULL WHERE status <> 'in_progress'")
        return attempt.id


@contextmanager
def a_desk(dsn: str, **more: Any) -> Iterator[Desk]:
    with ExitStack() as stack:
        office = Backoffice(dsn)
        stack.callback(office.close)
        store = PostgresStore(dsn)
        stack.callback(store.close)
        connection = stack.enter_context(closing(psycopg2.connect(dsn)))
        connection.autocommit = True
        desk = Desk(dsn, office, store, connection)
        desk.campaign(a_campaign(**more))
        desk.rows("INSERT INTO agents (id, definition) VALUES ('lan', %s)", json.dumps(to_json(AgentDefinition(id=AgentId("lan"), dial_string="user/1001"))))
        desk.define("groups", Group(name="customers"))
        desk.define("dnc_lists", DncList(name="national", stale_after_s=86400.0))
        desk.rows("SELECT make_attempt_partitions(to_timestamp(%s), 1)", NOW)
        assert store.take_epoch("test") is not None
        yield desk
