"""Requests of flows: one answer for each, whatever the service does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.core import events as ev
from fs_dialer.core.actions import AskHttp
from fs_dialer.core.model import AttemptId, LegId
from fs_dialer.core.steering import VALUE
from fs_dialer.runtime import http_desk
from fs_dialer.runtime.http_desk import HttpDesk, fields
from tests.runtime.service import Service, service

ROOT = Path(__file__).parents[2]
PROGRAM = """
from gevent import monkey; monkey.patch_all()
import sys, time, gevent
from fs_dialer.core.actions import AskHttp
from fs_dialer.runtime.http_desk import HttpDesk
told, ticks, began = [], 0, time.monotonic()
desk = HttpDesk(lambda: [sys.argv[2]], told.append, gevent.spawn)
for n in range(5):
    desk.ask(AskHttp(f"c{n}", "leg", "balance", sys.argv[1], (), ("paid",), 1.0))
while len(told) < 5 and time.monotonic() - began < 8:
    gevent.sleep(0.01)
    ticks += 1
print(len(told), any(each.ok for each in told), ticks > 30, time.monotonic() - began < 3)
"""


@pytest.fixture
def crm() -> Iterator[Service]:
    with service() as made:
        yield made


def a_request(url: str, take: tuple[str, ...] = ("paid",), timeout_s: float = 2.0, send: tuple[tuple[str, str], ...] = ()) -> AskHttp:
    return AskHttp(AttemptId("c1"), LegId("lead-1"), "balance", url, send, take, timeout_s)


def at_once(work: Callable[..., Any], *args: Any) -> None:
    work(*args)


def answer(request: AskHttp, *hosts: str) -> ev.HttpAnswered:
    told: list[ev.Event] = []
    HttpDesk(lambda: hosts, told.append, at_once).ask(request)
    (only,) = told
    assert isinstance(only, ev.HttpAnswered) and (only.call, only.node) == ("c1", "balance")
    return only


def test_what_is_sent_is_json_and_what_is_taken_comes_back(crm: Service) -> None:
    crm.text = '{"paid": true, "due": 12.5, "other": "x"}'
    got = answer(a_request(crm.url, ("paid", "due"), send=(("number", "+34600000001"), ("note", '${x} "é"'))), crm.host)
    assert got.ok and got.values == (("paid", "yes"), ("due", "12.5"))
    assert crm.asked == [{"call": "c1", "node": "balance", "number": "+34600000001", "note": '${x} "é"'}]


@pytest.mark.parametrize(
    ("status", "text"),
    [(500, "{}"), (404, "{}"), (302, "{}"), (200, "[1]"), (200, "no json"), (200, '"text"'), (200, "[" * 50_000), (200, '{"a": "' + "x" * 70_000 + '"}')],
    ids=["500", "404", "redirect", "a list", "no json", "a text", "deep", "too long"],
)
def test_anything_but_a_json_object_of_moderate_length_is_no_answer(crm: Service, status: int, text: str) -> None:
    crm.status, crm.text = status, text
    assert not answer(a_request(crm.url), crm.host).ok


@pytest.mark.spec("M25")
def test_only_hosts_that_the_installation_allows_are_asked(crm: Service) -> None:
    for hosts in ((), ("crm.example.com",), (f"127.0.0.1:{crm.port}",)):
        assert not answer(a_request(crm.url), *hosts).ok
    assert crm.asked == []


def test_nobody_there_is_no_answer() -> None:
    assert not answer(a_request("http://127.0.0.1:9/ask"), "local:127.0.0.1:9").ok
    assert not answer(a_request("nonsense")).ok


@pytest.mark.parametrize("how", ["hangs", "trickles"])
def test_a_service_that_hangs_holds_nobody_and_is_given_up_in_time(crm: Service, how: str) -> None:
    """In a process whose sockets are gevent's, as in the daemon: five requests together, and a clock that goes on meanwhile."""
    crm.hangs, crm.trickle_s, crm.text = how == "hangs", 0.2, '{"paid": "yes"}' + " " * 100
    done = subprocess.run([sys.executable, "-c", PROGRAM, crm.url, crm.host], capture_output=True, text=True, timeout=30, check=False, cwd=ROOT)
    assert done.stdout.split() == ["5", "False", "True", "True"], done.stderr


def test_too_many_at_once_are_answered_without_being_asked(crm: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_desk, "MOST_AT_ONCE", 2)
    told: list[ev.Event] = []
    waiting: list[tuple[Any, ...]] = []
    desk = HttpDesk(lambda: (crm.host,), told.append, lambda *work: waiting.append(work))
    for _ in range(3):
        desk.ask(a_request(crm.url))
    assert len(waiting) == 2 and told == [ev.HttpAnswered(AttemptId("c1"), "balance", False)]
    for work, *args in waiting:
        work(*args)
    desk.ask(a_request(crm.url))
    assert len(waiting) == 3, "there is room again"


# --- D7 -----------------------------------------------------------------------------------------------------------------------------------

plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
json_values = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@pytest.mark.spec("D7")
@given(st.dictionaries(st.sampled_from(["a", "b", "c.d", "c"]), json_values))
def test_whatever_a_service_says_only_harmless_text_comes_of_it(told: dict[str, Any]) -> None:
    for _, value in fields(told, ("a", "b", "c.d")):
        assert VALUE.fullmatch(value) and value == value.strip()


def test_fields_within_fields_are_named_with_a_dot() -> None:
    assert fields({"account": {"due": 5}, "a.b": "x"}, ("account.due", "a.b", "account", "none")) == (("account.due", "5"), ("a.b", "x"))
