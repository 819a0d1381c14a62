"""A campaign that lives on what other programs send, and tells them what became of it: leads in over HTTP, results out to a webhook, a customer who asks for
a callback, health and metrics, and a standby that takes over."""

from __future__ import annotations

import hashlib
import hmac
import json
import signal
import socket
import urllib.error
import urllib.request
from contextlib import closing
from typing import Any

import pytest

from fs_dialer.core.resources import TriggerAction
from fs_dialer.db.pool import Pool
from fs_dialer.db.tokens import TokenStore
from tests.db.rows import Database
from tests.runtime.receiver import Receiver, receiver
from tests.scenarios.checks import check_everything
from tests.scenarios.world import World, numbers, person, until

SECRET = "s3cret-of-the-test"


def a_free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def asked(port: int, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
    """Status and body of one request; JSON is read. (0, "") where nobody answers."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json", **given})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            status, text, kind = answer.status, answer.read(), answer.headers.get_content_type()
    except urllib.error.HTTPError as error:
        status, text, kind = error.code, error.read(), error.headers.get_content_type()
    except OSError:
        return 0, ""
    return status, json.loads(text) if kind == "application/json" else text.decode()


def a_token(world: World) -> str:
    with closing(Pool(world.dsn, size=1)) as pool:
        return TokenStore(pool).create("operator", "test").secret


def told_to(world: World, crm: Receiver) -> Database:
    """The receiver hears of every call that ended."""
    database = Database(world.dsn)
    database.rows("UPDATE installation SET definition = definition || %s", json.dumps({"webhook_hosts": [crm.host]}))
    database.webhook("crm", crm.url)
    database.trigger("tell", "attempt_ended", TriggerAction(webhook="crm"))
    return database


@pytest.mark.spec("M22", "M25", "M10")
def test_leads_come_in_over_http_while_it_dials_and_results_go_out_signed(world: World) -> None:
    world.start_switch(numbers=dict.fromkeys(numbers(1, 6), person()))
    world.define(agents=3, nailed=3)
    port = a_free_port()
    with receiver() as crm:
        told_to(world, crm)
        world.order_start(3)
        crm.answers = [503]
        daemon = world.start_daemon(FS_DIALER_HTTP_LISTEN=f"127.0.0.1:{port}", HOOK_SECRET=SECRET)
        until(lambda: asked(port, "/healthz")[0] == 200, 15, "the daemon is well")
        headers = {"Authorization": f"Bearer {a_token(world)}", "Idempotency_Key": "first"}
        rows = [{"phone": number, "zone": "America/New_York", "attributes": {"plan": "gold"}} for number in [*numbers(1, 6), "12"]]
        first, again = (asked(port, "/api/campaigns/spring/leads", rows, **headers) for _ in range(2))
        assert first == again and first[1]["added"] == 6 and [each["index"] for each in first[1]["invalid"]] == [6]
        until(lambda: set(world.outcomes()) == set(numbers(1, 6)) and "" not in world.outcomes().values(), 30, "all six are called")
        world.rows("UPDATE outbox SET next_at = now() WHERE sent_at IS NULL AND tries > 0")
        until(lambda: world.one("SELECT count(*) FROM outbox WHERE sent_at IS NULL") == 0, 15, "all results are delivered")
        seen = asked(port, "/metrics")[1]
        assert 'fs_dialer_dials_total{campaign="spring"} 6.0' in seen and "fs_dialer_switch_up 1.0" in seen
        assert 'fs_dialer_latency_seconds{of="esl"}' in seen and 'fs_dialer_leads{campaign="spring",status="succeeded"}' in seen
        assert asked(port, "/api/campaigns", **headers)[1]["campaigns"][0]["dials"] == 6
        assert daemon.terminate() == 0
    assert [came.id for came in crm.came] == sorted(came.id for came in crm.came) and len(crm.came) == 7
    for came in crm.came:
        timestamp, made = (part.partition("=")[2] for part in came.headers["X-FS-Dialer-Signature"].split(","))
        assert hmac.compare_digest(made, hmac.new(SECRET.encode(), timestamp.encode() + b"." + came.body, hashlib.sha256).hexdigest())
    assert {json.loads(came.body)["data"]["number"] for came in crm.came} == set(numbers(1, 6))
    for secret in (SECRET, headers["Authorization"].removeprefix("Bearer ")):
        assert secret not in daemon.log()
    check_everything(world)


@pytest.mark.spec("S82", "D12")
def test_a_callers_request_becomes_a_lead_and_is_called_without_anybodys_doing(world: World) -> None:
    wants = numbers(9, 1)[0]
    world.start_switch(numbers={wants: person()})
    world.define(agents=1, nailed=1)
    database = Database(world.dsn)
    database.trigger("call-back", "ticket_created", TriggerAction(add_to="spring"), channel="callback")
    world.order_start(1)
    daemon = world.start_daemon()
    for _ in range(2):
        ticket = database.ticket(wants, queue="support")
        database.happening(ticket=ticket, channel="callback", number=wants, queue="support")
    until(lambda: world.outcomes().get(wants) == "connected", 30, "the caller is called back")
    assert database.rows("SELECT count(DISTINCT lead), count(*) FROM tickets") == [(1, 2)]
    assert database.one("SELECT count(*) FROM leads") == 1
    assert daemon.terminate() == 0


def test_a_standby_says_503_until_it_takes_over_and_then_delivers(world: World) -> None:
    world.start_switch()
    world.define(agents=1)
    ports = a_free_port(), a_free_port()
    with receiver() as crm:
        database = told_to(world, crm)
        first = world.start_daemon(FS_DIALER_HTTP_LISTEN=f"127.0.0.1:{ports[0]}", HOOK_SECRET=SECRET)
        second = world.start_daemon(active=False, FS_DIALER_HTTP_LISTEN=f"127.0.0.1:{ports[1]}", HOOK_SECRET=SECRET)
        until(lambda: asked(ports[0], "/healthz")[0] == 200, 15, "the first is well")
        until(lambda: asked(ports[1], "/healthz")[0] != 0, 15, "the second answers")
        status, said = asked(ports[1], "/healthz")
        assert status == 503 and not said["active"] and "standing by" in said["reasons"][0]
        first.signal(signal.SIGKILL)
        first.ended(10)
        until(lambda: asked(ports[1], "/healthz")[0] == 200, 20, "the second has taken over")
        database.happening("attempt_ended", number=numbers(1, 1)[0])
        until(lambda: len(crm.came) == 1, 15, "the second delivers")
        assert second.terminate() == 0


def test_an_address_that_is_taken_ends_the_daemon_with_words(world: World) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        daemon = world.start_daemon(active=False, FS_DIALER_HTTP_LISTEN=f"127.0.0.1:{taken.getsockname()[1]}")
        assert daemon.ended(20) == 1
    assert "can not be listened on: Address already in use" in daemon.log() and "Traceback" not in daemon.log()
