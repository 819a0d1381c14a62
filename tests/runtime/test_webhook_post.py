"""One message over real HTTP on loopback: what the receiver sees, and what is refused before it sees anything."""

from __future__ import annotations

import hashlib
import hmac
import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from fs_dialer.core.resources import Webhook
from fs_dialer.runtime import webhook_post
from fs_dialer.runtime.webhook_post import Letter, NotDelivered, post, signature
from tests.runtime.receiver import Receiver, receiver

SECRET = "s3cret-of-the-test"
ENVIRON = {"HOOK_SECRET": SECRET}
LETTER = Letter(4711, "ticket_created", '{"event": "ticket_created", "name": "Đỗ"}'.encode())


@pytest.fixture
def crm() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def a_webhook(url: str, secret: str = "env:HOOK_SECRET", timeout_s: float = 5.0) -> Webhook:
    return Webhook(name="crm", url=url, secret=secret, timeout_s=timeout_s)


def sent(crm: Receiver) -> tuple[int, float]:
    return post(a_webhook(crm.url), [crm.host], LETTER, environ=ENVIRON)


def refused(webhook: Webhook, hosts: list[str], **environ: str) -> str:
    with pytest.raises(NotDelivered) as caught:
        post(webhook, hosts, LETTER, environ=environ or ENVIRON)
    assert SECRET not in str(caught.value)
    return str(caught.value)


@pytest.mark.spec("M25")
def test_the_receiver_can_prove_who_sent_it_and_when(crm: Receiver) -> None:
    status, took_s = sent(crm)
    (came,) = crm.came
    assert (status, came.path, came.body) == (204, "/hook", LETTER.body)
    assert (came.headers["X-FS-Dialer-Event"], came.id, came.headers["Content-Type"]) == ("ticket_created", 4711, "application/json")
    assert came.headers["Host"] == f"127.0.0.1:{crm.port}"
    timestamp = came.headers["X-FS-Dialer-Timestamp"]
    assert abs(int(timestamp) - time.time()) < 60 and 0 <= took_s < 5
    made = hmac.new(SECRET.encode(), timestamp.encode() + b"." + came.body, hashlib.sha256).hexdigest()
    assert came.headers["X-FS-Dialer-Signature"] == f"t={timestamp},v1={made}"


def test_a_signature_is_that_of_its_secret_time_and_body_alone() -> None:
    first = signature("a", 1, b"x")
    assert first == "t=1,v1=" + hmac.new(b"a", b"1.x", hashlib.sha256).hexdigest()
    assert len({first, signature("b", 1, b"x"), signature("a", 2, b"x"), signature("a", 1, b"y")}) == 4


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_any_answer_but_2xx_is_none_and_its_words_cannot_move_a_cursor(crm: Receiver, status: int) -> None:
    crm.answers = [status]
    assert refused(a_webhook(crm.url), [crm.host]) == f"127.0.0.1:{crm.port} answered {status}: not  [31m now"


def test_a_redirect_is_not_followed(crm: Receiver) -> None:
    with receiver() as other:
        crm.answers, crm.location = [302], other.url
        assert "a redirect, which is not followed" in refused(a_webhook(crm.url), [crm.host, other.host])
        assert other.came == []


def test_a_host_that_is_not_allowed_gets_nothing(crm: Receiver) -> None:
    assert "is not among webhook_hosts" in refused(a_webhook(crm.url), ["crm.example.com"])
    assert crm.came == []


def test_this_machine_gets_nothing_unless_its_entry_says_local(crm: Receiver) -> None:
    assert f"write {crm.host} into webhook_hosts" in refused(a_webhook(crm.url), [f"127.0.0.1:{crm.port}"])
    assert crm.came == []


def test_a_public_name_that_leads_inside_gets_nothing(crm: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    def leads_inside(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(webhook_post.socket, "getaddrinfo", leads_inside)
    text = refused(a_webhook(f"http://crm.example.com:{crm.port}/hook"), ["crm.example.com"])
    assert "crm.example.com leads to 127.0.0.1" in text
    assert crm.came == []


def test_a_proxy_of_the_environment_is_not_used(crm: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert sent(crm)[0] == 204


def test_a_secret_that_is_not_there_is_told_by_its_place() -> None:
    webhook = a_webhook("http://127.0.0.1:1/", "env:NO_SUCH")
    assert refused(webhook, ["local:127.0.0.1"]) == "the variable NO_SUCH is not set"


def test_nobody_listening_and_an_unknown_name_are_told() -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert refused(a_webhook(f"http://127.0.0.1:{port}/"), ["local:127.0.0.1"]) == f"127.0.0.1:{port}: Connection refused"
    assert "the name no-such-host.invalid is not known" in refused(a_webhook("https://no-such-host.invalid/"), ["no-such-host.invalid"])


def test_a_receiver_that_says_nothing_is_left_after_the_timeout() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        assert refused(a_webhook(f"http://127.0.0.1:{port}/", timeout_s=0.1), ["local:127.0.0.1"]) == f"127.0.0.1:{port}: no answer within 0.1 s"


def test_a_receiver_that_speaks_no_tls_is_told() -> None:
    with receiver() as plain:
        text = refused(a_webhook(f"https://127.0.0.1:{plain.port}/"), ["local:127.0.0.1"])
    assert text.startswith(f"127.0.0.1:{plain.port}: ") and "SSL" in text.upper()
    assert plain.came == []
