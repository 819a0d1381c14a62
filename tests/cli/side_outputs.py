"""What the commands beside the dialling print (tickets, triggers, webhooks, tokens, roles), with nothing there and with all there can be: for the page of JSON
outputs (test_reference.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fs_dialer.core.resources import TriggerAction
from tests.db.rows import BEN, Database

Take = Callable[..., Any]


def beside_the_dialling(take: Take, dsn: str) -> None:
    """`dsn`: of a database of our schema; what is in it is left as it is, besides."""
    for title in ("ticket list", "trigger list", "webhook list", "webhook outbox", "token list"):
        take(title, *title.split(), dsn=dsn)
    database = Database(dsn)
    database.campaign("side", state="approved")
    lead = database.lead(BEN, "side")
    database.ticket(BEN, campaign="side", lead=lead)
    database.rows("UPDATE tickets SET attempt = gen_random_uuid(), agent = 'lan'")
    database.trigger("call-back", "ticket_created", TriggerAction(add_to="side", webhook="crm", set=(("a", "b"),)), channel="callback")
    database.webhook("crm", "https://crm.example.com/", timeout_s=-3.0)
    database.rows("INSERT INTO outbox (webhook, happening, body, sent_at) VALUES ('crm', %s, '{\"event\": \"x\"}', now())", database.happening())
    take("ticket list", "ticket", "list", "--limit", "1", dsn=dsn)
    take("ticket show", "ticket", "show", "1", dsn=dsn)
    take("ticket close", "ticket", "close", "1", dsn=dsn)
    take("ticket close", "ticket", "close", "1", dsn=dsn)
    take("ticket list", "ticket", "list", dsn=dsn)
    take("trigger list", "trigger", "list", dsn=dsn)
    take("trigger test", "trigger", "test", "call-back", "--event", '{"channel": "callback"}', dsn=dsn)
    take("webhook list", "webhook", "list", dsn=dsn)
    take("webhook outbox", "webhook", "outbox", dsn=dsn)
    take("webhook test", "webhook", "test", "crm", dsn=dsn)
    take("webhook replay", "webhook", "replay", "--given-up", dsn=dsn)
    take("token create", "token", "create", "--role", "operator", dsn=dsn)
    take("token list", "token", "list", dsn=dsn)
    take("token revoke", "token", "revoke", database.one("SELECT id FROM tokens"), dsn=dsn)
    take("token list", "token", "list", dsn=dsn)
    take("db roles", "db", "roles", dsn=dsn)
