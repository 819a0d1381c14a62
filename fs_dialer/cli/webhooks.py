"""webhook list, webhook test, webhook outbox, webhook replay: who is told of events, and what has become of it.

Webhooks are defined in files (triggers.yml) and sent to by the daemon; here they are looked at, tried and sent again.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from fs_dialer.cli.campaigns import UNREACHABLE
from fs_dialer.cli.command import command
from fs_dialer.cli.failures import CommandFailed, Exit
from fs_dialer.cli.output import Cell, ago, clean, plural
from fs_dialer.cli.settings import Session, nearest_name, who
from fs_dialer.cli.snapshots import ever_written

if TYPE_CHECKING:
    from fs_dialer.core.resources import Webhook
    from fs_dialer.db.outbox import OutboxLine
    from fs_dialer.db.pool import Pool

POLL_S = 0.2
PATIENCE_S = 3.0  # besides the webhook's own timeout: the daemon looks every second
MOST_BEFORE = 1000  # of the messages that stand before a test, so many are looked at
QUEUED = "queued: no daemon has sent it yet; it is sent as soon as one runs (fs-dialer run), after the messages before it"


@command("list", examples=("fs-dialer webhook list", "fs-dialer webhook list --json"), exits=UNREACHABLE)
def webhook_list(session: Session) -> None:
    """Every webhook: where it sends, whether it may, and how many messages wait."""
    with session.pool() as pool:
        webhooks, counts, hosts = _webhooks(pool), _outbox(pool).counts(), _hosts(pool)
    now, rows, told = time.time(), [], []
    for name in sorted({*webhooks, *counts}):
        webhook, count = webhooks.get(name), counts.get(name)
        trouble = _trouble(webhook, hosts) or (count.waits_because if count else "")
        last = count.last_sent_at if count else None
        waiting, given_up = (count.waiting, count.given_up) if count else (0, 0)
        url = webhook.url if webhook else "-"
        rows.append((name, url, str(waiting), str(given_up), f"{ago(now - last)} ago" if last else "never", Cell(trouble or "-", "red" if trouble else "")))
        told.append({"webhook": name, "url": url, "waiting": waiting, "given_up": given_up, "last_sent_at": last, "trouble": trouble})
    if rows:
        session.table(("WEBHOOK", "URL", "WAITING", "GIVEN UP", "LAST SENT", "TROUBLE"), rows, right=("WAITING", "GIVEN UP"))
    else:
        session.say("There are no webhooks. Define them in a file (conf/triggers.yml shows how), then: fs-dialer apply PATH")
    session.result({"webhooks": told})


@command(
    "test",
    examples=("fs-dialer webhook test crm", "fs-dialer webhook test crm --from-here"),
    exits=UNREACHABLE
    | {Exit.DONE: "it was delivered, or waits because no daemon is running", Exit.FAILED: "it could not be delivered, or there is no such webhook"},
)
@click.argument("webhook")
@click.option("--from-here", is_flag=True, help="Send from this machine, with the secret as it is seen here, and not by way of the daemon.")
def webhook_test(session: Session, webhook: str, from_here: bool) -> None:
    """Send a message that says it is a test (`X-FS-Dialer-Event: test`), and tell what the receiver answered.

    The daemon sends it, with its own secret and from its own network, after the messages that wait for the same webhook. If it fails it is tried again like
    every other.
    """
    with session.pool() as pool:
        found = _named(pool, webhook)
        state, text = _sent_from_here(pool, found) if from_here else _sent_by_daemon(session, pool, found)
    if state == "failed":
        session.note(f"fs-dialer: {webhook}: {text}")
    else:
        session.say(f"{webhook}: {text}")
    session.result({"webhook": webhook, "result": state, "text": text})
    if state == "failed":
        raise click.exceptions.Exit(Exit.FAILED)


@command(
    "outbox",
    examples=("fs-dialer webhook outbox --waiting", "fs-dialer webhook outbox --webhook crm --given-up --json"),
    exits=UNREACHABLE,
)
@click.option("--webhook", metavar="NAME", help="To this webhook only.")
@click.option("--waiting", is_flag=True, help="Only those that are not sent yet.")
@click.option("--given-up", is_flag=True, help="Only those that are not tried any more.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many at most.")
def webhook_outbox(session: Session, webhook: str | None, waiting: bool, given_up: bool, limit: int) -> None:
    """Messages to webhooks, the newest first. --json shows what they say."""
    if waiting and given_up:
        raise click.UsageError("--waiting or --given-up, not both")
    with session.pool() as pool:
        found = _outbox(pool).listed(webhook=webhook, waiting=waiting, given_up=given_up, limit=limit)
    now = time.time()
    rows = [
        (
            str(line.id),
            line.webhook,
            str(line.body.get("event", "-")),
            f"{ago(now - line.created_at)} ago",
            _state(line, now),
            str(line.tries),
            line.last_error or "-",
        )
        for line in found
    ]
    if rows:
        session.table(("MESSAGE", "WEBHOOK", "EVENT", "CAME", "STATE", "TRIES", "LAST ERROR"), rows, right="MESSAGE TRIES")
    else:
        session.say("No such messages.")
    session.result({"messages": [{**asdict(line), "state": line.state} for line in found]})


@command(
    "replay",
    examples=("fs-dialer webhook replay 4711", "fs-dialer webhook replay --given-up --webhook crm"),
    exits=UNREACHABLE | {Exit.FAILED: "there is no such message"},
)
@click.argument("message", type=click.IntRange(1), metavar="[ID]", required=False)
@click.option("--given-up", is_flag=True, help="All messages that are not tried any more.")
@click.option("--webhook", metavar="NAME", help="With --given-up: to this webhook only.")
def webhook_replay(session: Session, message: int | None, given_up: bool, webhook: str | None) -> None:
    """Send messages again, under their old ids: one, or all that were given up. One that the receiver has is sent again too."""
    if given_up == (message is not None) or (webhook and not given_up):
        raise click.UsageError("name one message, or say --given-up (and --webhook NAME)")
    with session.pool() as pool:
        again = _outbox(pool).replay(who(), id=message, webhook=webhook)
    if message is not None and not again:
        raise CommandFailed(f"there is no message {message}", "which there are: fs-dialer webhook outbox")
    session.say(f"{plural(again, 'message')} to be sent again." if again else "No message was given up; nothing to do.")
    session.result({"again": again})


# --- what they share ------------------------------------------------------------------------------------------------------------------


def _outbox(pool: Pool) -> Any:
    from fs_dialer.db.outbox import Outbox

    return Outbox(pool)


def _webhooks(pool: Pool) -> dict[str, Webhook]:
    from fs_dialer.db.happenings import Happenings

    return Happenings(pool).webhooks()


def _hosts(pool: Pool) -> tuple[str, ...]:
    from fs_dialer.config.codec import installation_from_json

    found = pool.rows("installation")
    return installation_from_json(found[0][0]).webhook_hosts if found else ()


def _named(pool: Pool, name: str) -> Webhook:
    known = _webhooks(pool)
    if name not in known:
        advice = "which there are: fs-dialer webhook list" if known else "none is defined yet: fs-dialer apply PATH"
        raise CommandFailed(f"there is no webhook {clean(name)}{nearest_name(name, list(known))}", advice)
    return known[name]


def _trouble(webhook: Webhook | None, hosts: tuple[str, ...]) -> str:
    """Why nothing can be sent to it, whatever the receiver says."""
    from fs_dialer.core.webhooks import NotAllowed, local_allowed, target_of

    if webhook is None:
        return "not defined any more: its messages wait"
    try:
        local_allowed(target_of(webhook.url), hosts)
    except NotAllowed as error:
        return str(error)
    return ""


def _sent_from_here(pool: Pool, webhook: Webhook) -> tuple[str, str]:
    from fs_dialer.db.happenings import message
    from fs_dialer.db.outbox import TEST_EVENT
    from fs_dialer.runtime.webhook_post import Letter, NotDelivered, post

    body = message(TEST_EVENT, {"webhook": webhook.name, "by": who()}, time.time(), None)
    try:
        status, took_s = post(webhook, _hosts(pool), Letter(0, TEST_EVENT, json.dumps(body).encode()))
    except NotDelivered as error:
        return "failed", str(error)
    return "delivered", f"delivered from here in {took_s:.2f} s, answered {status}"


def _sent_by_daemon(session: Session, pool: Pool, webhook: Webhook) -> tuple[str, str]:
    outbox = _outbox(pool)
    id = outbox.put_test(webhook.name, who())
    until = time.monotonic() + webhook.timeout_s + PATIENCE_S
    while True:
        (line,) = outbox.listed(id=id)
        if line.sent_at is not None:
            return "delivered", f"delivered by the daemon in {plural(line.tries, 'try', 'tries')}"
        if line.last_error:
            return "failed", f"{line.last_error}; it is tried again (message {id})"
        if time.monotonic() >= until:
            return _not_yet(session, outbox, line)
        time.sleep(POLL_S)


def _not_yet(session: Session, outbox: Any, test: OutboxLine) -> tuple[str, str]:
    """What keeps a test from being sent: messages before it that fail or are on their way, or that there is no daemon."""
    before = [line for line in outbox.listed(webhook=test.webhook, waiting=True, limit=MOST_BEFORE) if line.id < test.id]
    if before and before[-1].last_error:
        many, oldest = plural(len(before), "message stands", "messages stand"), before[-1]
        return "failed", f"{many} before it, and the first (message {oldest.id}) fails: {oldest.last_error}; the test, message {test.id}, comes after"
    with session.office() as office:
        written = ever_written(office)
    if written is None or not written.fresh:
        return "queued", QUEUED
    if before:
        return "queued", f"queued: {plural(len(before), 'message stands', 'messages stand')} before it; the test is message {test.id}"
    said = "the daemon is sending it, and has no answer yet" if test.tries else "the daemon runs, and has not taken it up yet"
    return "queued", f"queued: {said} (message {test.id})"


def _state(line: OutboxLine, now: float) -> Cell:
    if line.state == "waiting":
        wait = line.next_at - now
        return Cell(f"waiting, next try in {ago(wait)}" if wait > 1 else "waiting", "yellow")
    return Cell(line.state, "red" if line.given_up else "green")
