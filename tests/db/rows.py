"""Rows put straight into a database of our schema, and read from it: for tests of what stands around the dialler (triggers, tickets, the HTTP interface)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import psycopg2

from fs_dialer.config.codec import to_json
from fs_dialer.core.definition import Installation
from fs_dialer.core.resources import Trigger, TriggerAction, Webhook

ADA = "+442079460101"
BEN = "+442079460102"
LONDON = "Europe/London"


class Database:
    """One database, a connection for each question."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def rows(self, sql: str, *given: Any) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.dsn)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(sql, given)
            return cursor.fetchall() if cursor.description is not None else []

    def one(self, sql: str, *given: Any) -> Any:
        """The only value of the only row."""
        ((value,),) = self.rows(sql, *given)
        return value

    # --- definitions ------------------------------------------------------------------------------------------------------------------

    def campaign(self, name: str = "spring", *, type: str = "progressive", state: str = "running", twice: str = "keep-first") -> None:
        definition = json.dumps({"id": name, "type": type, "leads": {"twice": twice}, "caller_id": {"numbers": ["+442079460100"]}})
        self.rows(
            """
            INSERT INTO campaigns (name, newest_revision, approved_revision, state) VALUES (%s, 1, 1, %s);
            INSERT INTO campaign_revisions (campaign, revision, type, definition, created_by) VALUES (%s, 1, %s, %s, 'test');
            """,
            *(name, state, name, type, definition),
        )

    def installation(self, **settings: Any) -> None:
        self.rows(
            "INSERT INTO installation (definition) VALUES (%s) ON CONFLICT (the_only) DO UPDATE SET definition = excluded.definition",
            json.dumps(to_json(Installation(**settings))),
        )

    def trigger(self, name: str, on: str, *then: TriggerAction, **when: str) -> None:
        self._define("triggers", name, Trigger(name=name, on=on, when=tuple(when.items()), then=then))

    def webhook(self, name: str, url: str, secret: str = "env:HOOK_SECRET", timeout_s: float = 5.0) -> None:
        self._define("webhooks", name, Webhook(name=name, url=url, secret=secret, timeout_s=timeout_s))

    def _define(self, kind: str, name: str, thing: object) -> None:
        self.rows(
            """
            INSERT INTO definitions (kind, name, revision, source, definition) VALUES (%s, %s, 1, '{}', %s)
            ON CONFLICT (kind, name) DO UPDATE SET definition = excluded.definition
            """,
            *(kind, name, json.dumps(to_json(thing))),
        )

    # --- people and what happens to them ----------------------------------------------------------------------------------------------

    def lead(self, number: str = ADA, campaign: str = "spring", *, status: str = "new", zone: str = LONDON, copy: int = 0) -> int:
        self.rows("INSERT INTO contacts (number, zones, zone_set) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", number, [zone], zone)
        return int(
            self.one(
                """
                INSERT INTO leads (campaign, contact, number, zone_set, status, copy)
                SELECT %s, id, number, zone_set, %s, %s FROM contacts WHERE number = %s RETURNING id
                """,
                *(campaign, status, copy, number),
            )
        )

    def ticket(self, number: str = ADA, *, channel: str = "callback", campaign: str | None = None, lead: int | None = None, queue: str = "") -> int:
        words = (channel, campaign, lead, number, queue)
        return int(self.one("INSERT INTO tickets (channel, campaign, lead, number, queue) VALUES (%s, %s, %s, %s, %s) RETURNING id", *words))

    def happening(self, kind: str = "ticket_created", data: Mapping[str, Any] | None = None, **more: Any) -> int:
        return int(self.one("INSERT INTO happenings (kind, data) VALUES (%s, %s) RETURNING id", kind, json.dumps({**(data or {}), **more})))

    def result(self, happening: int) -> str:
        return str(self.one("SELECT result FROM happenings WHERE id = %s AND done_at IS NOT NULL", happening))
