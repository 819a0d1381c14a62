"""The hub between screens and a real engine: watching, leases, numbered events, idempotent acts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import gevent
import pytest

from fs_dialer.core import agent_events as ag
from fs_dialer.core.model import AgentId
from fs_dialer.errors import ConfigError, Problem, StoreError
from fs_dialer.runtime import agent_hub
from fs_dialer.runtime.agent_hub import LINGER_S, MOST_SCREENS
from fs_dialer.runtime.agent_screen import MOST_BEHIND, Screen
from fs_dialer.runtime.web_ports import AgentEvent, Answer, Refused
from tests.runtime.floor import Floor
from tests.runtime.greens import settle

ANA = AgentId("ana")


def read(screen: Screen, most: int = 1000) -> list[AgentEvent]:
    """All that waits for this screen."""
    found: list[AgentEvent] = []
    while len(found) < most and (event := screen.next(0.0)) is not None:
        found.append(event)
    return found


def said(event: AgentEvent) -> Any:
    return json.loads(event.data)


def watching(floor: Floor) -> list[bool]:
    return [event.on for event in floor.put_in if isinstance(event, ag.WatchAgent)]


# --- what a screen is shown -------------------------------------------------------------------------------------------------------------


def test_the_first_event_is_a_fresh_desk() -> None:
    floor = Floor()
    screen = floor.hub.follow("ana", None, own=True)
    (first, *rest) = read(screen)
    assert first.kind == "desk" and said(first)["reset"] is True and said(first)["desk"]["agent"] == "ana" and said(first)["number"] == first.number
    assert [event.kind for event in rest] == []


def test_every_change_is_an_event_with_the_next_number() -> None:
    floor = Floor()
    screen = floor.hub.follow("ana", None, own=True)
    at = read(screen)[-1].number
    floor.hub.act("ana", "open_screen", {}, "ana", key="k1", fingerprint="f")
    floor.hub.act("ana", "not_available", {"reason": "lunch"}, "ana", key="k2", fingerprint="f")
    found = read(screen)
    assert [event.number for event in found] == list(range(at + 1, at + 1 + len(found)))
    assert said([event for event in found if event.kind == "desk"][-1])["desk"]["reason"] == "lunch"
    assert [said(event)["verb"] for event in found if event.kind == "reply"] == ["open_screen", "not_available"]


def test_a_screen_that_was_away_gets_exactly_what_it_missed() -> None:
    floor = Floor()
    first = floor.hub.follow("ana", None, own=True)
    at = read(first)[-1].number
    first.close()
    floor.hub.act("ana", "open_screen", {}, "ana", key="k", fingerprint="f")
    missed = read(floor.hub.follow("ana", at, own=True))
    assert [event.number for event in missed] == list(range(at + 1, at + 1 + len(missed))) and missed
    assert all("reset" not in said(event) for event in missed)


@pytest.mark.parametrize("after", [1, 10**15])
def test_a_number_of_another_daemon_brings_a_fresh_desk(after: int) -> None:
    floor = Floor()
    (first,) = read(floor.hub.follow("ana", after, own=True))
    assert said(first)["reset"] is True


def test_one_who_falls_too_far_behind_is_let_go_with_a_reason() -> None:
    floor = Floor()
    screen = floor.hub.follow("ana", None, own=True)
    read(screen)
    for n in range(MOST_BEHIND + 1):
        floor.hub._tell(floor.hub._seats[ANA], "reply", {"n": n})
    (last,) = read(screen)
    assert (last.kind, last.number) == ("goodbye", 0) and "too slow" in said(last)["why"] and said(last)["again"] is True
    assert screen.next(0.0) is None


@pytest.mark.parametrize("missed", [MOST_BEHIND + 1, 300, 512])
def test_one_who_comes_back_after_too_much_begins_with_a_fresh_desk(missed: int) -> None:
    """As many are still in the log, and more than a screen may be behind: told piece by piece it would be let go, and come back, for ever."""
    floor = Floor()
    first = floor.hub.follow("ana", None, own=True)
    at = read(first)[-1].number
    first.close()
    for n in range(missed):
        floor.hub._tell(floor.hub._seats[ANA], "reply", {"n": n})
    (again,) = read(floor.hub.follow("ana", at, own=True))
    assert again.kind == "desk" and said(again)["reset"] is True and again.number == at + missed


def test_the_oldest_of_too_many_screens_is_closed() -> None:
    floor = Floor()
    screens = [floor.hub.follow("ana", None, own=True) for _ in range(MOST_SCREENS + 1)]
    last = read(screens[0])[-1]
    assert last.kind == "goodbye" and said(last)["again"] is False, "or two screens would go on closing each other"
    assert all(read(screen)[-1].kind == "desk" for screen in screens[1:])


@pytest.mark.parametrize("error", [ConfigError([Problem("", 0, 0, "", "a stored definition")]), ValueError("a bug of ours"), StoreError("away")])
def test_a_card_that_can_not_be_made_takes_no_other_with_it(error: Exception) -> None:
    floor = Floor()
    known = floor.hub._card_of

    def card(agent: str, call: str | None, lead: int | None) -> Mapping[str, Any] | None:
        if agent == "ana":
            raise error
        return known(agent, call, lead)

    floor.hub._card_of = card
    workers: list[gevent.Greenlet] = []
    floor.hub.start(lambda work, *args: workers.append(gevent.spawn(work, *args)))
    for agent in ("ana", "ana", "bob"):
        floor.hub.follow(agent, None, own=True)
        floor.hub.act(agent, "open_screen", {}, agent, key=f"{agent} open", fingerprint="f")
    for agent, lead in (("ana", "1"), ("bob", "2")):
        floor.hub.act(agent, "take", {"campaign": "spring", "lead": lead}, agent, key=f"{agent} take", fingerprint="f")
        for _ in range(agent_hub.CARD_WORKERS):
            floor.hub.refresh_card(agent)
    settle()
    assert floor.hub._seats[AgentId("bob")].card is not None and not any(worker.dead for worker in workers)
    gevent.killall(workers)


def test_the_card_of_the_customer_follows_his_call() -> None:
    floor = Floor()
    workers = [gevent.spawn(floor.hub._fetch_cards)]
    screen = floor.hub.follow("ana", None, own=True)
    read(screen)
    floor.hub.act("ana", "open_screen", {}, "ana", key="k1", fingerprint="f")
    floor.hub.act("ana", "take", {"campaign": "spring"}, "ana", key="k2", fingerprint="f")
    settle()
    cards = [said(event) for event in read(screen) if event.kind == "card"]
    desk = json.loads(floor.hub.desk("ana"))
    assert cards == [{"call": desk["desk"]["call"]["id"], "card": {"name": "Ada Example", "lead": 1}}]
    assert desk["card"] == {"call": desk["desk"]["call"]["id"], "name": "Ada Example", "lead": 1}
    floor.hub.act("ana", "skip", {}, "ana", key="k3", fingerprint="f")
    assert json.loads(floor.hub.desk("ana"))["card"] is None
    gevent.killall(workers)


def test_a_database_that_is_away_costs_the_card_and_nothing_else() -> None:
    floor = Floor()

    def away(*_: object) -> None:
        raise StoreError("gone", lost=True)

    floor.hub._card_of = away
    worker = gevent.spawn(floor.hub._fetch_cards)
    floor.hub.follow("ana", None, own=True)
    floor.hub.act("ana", "open_screen", {}, "ana", key="k1", fingerprint="f")
    floor.hub.act("ana", "take", {"campaign": "spring"}, "ana", key="k2", fingerprint="f")
    settle()
    assert not worker.dead and json.loads(floor.hub.desk("ana"))["desk"]["call"] is not None
    worker.kill()


def test_the_daemons_end_is_told() -> None:
    floor = Floor()
    screen = floor.hub.follow("ana", None, own=True)
    read(screen)
    floor.hub.stop()
    assert [event.kind for event in read(screen)] == ["goodbye"]
    with pytest.raises(Refused, match="ends"):
        floor.hub.follow("ana", None, own=True)


def test_what_cannot_be_written_as_json_does_not_end_the_engines_loop(caplog: pytest.LogCaptureFixture) -> None:
    floor = Floor()
    screen = floor.hub.follow("ana", None, own=True)
    read(screen)
    floor.hub._tell(floor.hub._seats[ANA], "reply", {"text": "\ud800"})
    assert read(screen) == [] and "agent_event_not_written agent=ana" in caplog.text


# --- who looks, and whose screen is open ------------------------------------------------------------------------------------------------


def test_the_engine_shows_an_agent_only_while_somebody_looks() -> None:
    floor = Floor()
    one, two = floor.hub.follow("ana", None, own=True), floor.hub.follow("ana", None, own=False)
    assert watching(floor) == [True]
    one.close()
    two.close()
    floor.hub.look()
    assert watching(floor) == [True]
    floor.later = LINGER_S
    floor.hub.look()
    assert watching(floor) == [True, False]
    floor.hub.follow("ana", None, own=True)
    assert watching(floor) == [True, False, True]


def test_nobody_goes_on_from_before_a_time_when_nobody_looked() -> None:
    floor = Floor()
    screen = floor.hub.follow("ana", None, own=True)
    at = read(screen)[-1].number
    screen.close()
    floor.later = LINGER_S
    floor.hub.look()
    assert said(read(floor.hub.follow("ana", at, own=True))[0])["reset"] is True


@pytest.mark.spec("S83", "S84")
def test_an_open_screen_stays_open_while_it_is_up_and_closes_when_it_has_gone() -> None:
    floor = Floor()
    screen = floor.hub.follow("ana", None, own=True)
    floor.hub.act("ana", "open_screen", {}, "ana", key="k", fingerprint="f")
    for _ in range(20):
        floor.wait(5.0)
        floor.hub.look()
    assert floor.hub.picture("ana").screen_until is not None
    screen.close()
    for _ in range(7):
        floor.wait(5.0)
        floor.hub.look()
    assert floor.hub.picture("ana").screen_until is None
    assert "open_screen" in floor.hub.picture("ana").can


def test_a_supervisors_look_keeps_no_screen_open() -> None:
    floor = Floor()
    floor.hub.follow("ana", None, own=False)
    for _ in range(5):
        floor.later += 10.0
        floor.hub.look()
    assert not [event for event in floor.put_in if isinstance(event, ag.AgentHeard)]


def test_a_line_that_was_closed_at_the_other_end_is_noticed() -> None:
    floor = Floor()
    closed: list[bool] = []
    screen = floor.hub.follow("ana", None, own=True, gone=lambda: bool(closed))
    floor.hub.look()
    assert [event.kind for event in read(screen)] == ["desk"]
    closed.append(True)
    floor.hub.look()
    floor.later = 60.0
    before = len(floor.put_in)
    floor.hub.look()
    assert [event.kind for event in read(screen)] == ["goodbye"] and not [e for e in floor.put_in[before:] if isinstance(e, ag.AgentHeard)]


# --- acting -----------------------------------------------------------------------------------------------------------------------------


def test_a_refusal_by_the_engine_is_told_in_its_words() -> None:
    floor = Floor()
    answer = floor.hub.act("ana", "take", {"campaign": "spring"}, "ana", key="k", fingerprint="f")
    assert answer.status == 409 and answer.body["error"] == "refused" and answer.body["why"] == "open your campaign screen first"


@pytest.mark.parametrize("args", [{}, {"campaign": "spring", "lead": "x"}, {"campain": "spring"}])
def test_what_makes_no_sense_is_no_good_and_reaches_no_engine(args: dict[str, str]) -> None:
    floor = Floor()
    with pytest.raises(Refused) as refused:
        floor.hub.act("ana", "take", args, "ana", key="k", fingerprint="f")
    assert refused.value.status == 400 and floor.put_in == []


def test_the_same_key_does_nothing_twice() -> None:
    floor = Floor()
    floor.hub.act("ana", "open_screen", {}, "ana", key="k0", fingerprint="f0")
    first = floor.hub.act("ana", "take", {"campaign": "spring"}, "ana", key="k", fingerprint="f")
    again = floor.hub.act("ana", "take", {"campaign": "spring"}, "ana", key="k", fingerprint="f")
    assert first.status == 200 and again == Answer(first.status, first.body, replayed=True)
    assert len([event for event in floor.put_in if isinstance(event, ag.TakeLead)]) == 1
    with pytest.raises(Refused, match="used for another request"):
        floor.hub.act("ana", "take", {"campaign": "autumn"}, "ana", key="k", fingerprint="other")


def test_the_same_key_of_two_agents_is_two_keys() -> None:
    floor = Floor()
    for agent in ("ana", "bob"):
        assert not floor.hub.act(agent, "open_screen", {}, agent, key="k", fingerprint="f").replayed


def test_an_answer_that_comes_late_is_kept_for_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_hub, "REPLY_S", 0.01)
    floor = Floor()
    floor.slow = True
    with pytest.raises(Refused) as refused:
        floor.hub.act("ana", "open_screen", {}, "ana", key="k", fingerprint="f")
    assert (refused.value.status, refused.value.error) == (503, "no_answer")
    floor.work()
    late = floor.hub.act("ana", "open_screen", {}, "ana", key="k", fingerprint="f")
    assert late.status == 200 and late.replayed
    assert len([event for event in floor.put_in if isinstance(event, ag.OpenScreen)]) == 1


def test_what_failed_on_our_side_may_be_tried_again_with_its_key() -> None:
    floor = Floor()
    tries: list[int] = []

    def work() -> Answer:
        tries.append(1)
        if len(tries) == 1:
            raise StoreError("away", lost=True)
        return Answer(200, {"ok": True})

    with pytest.raises(StoreError):
        floor.hub.once("ana", "k", "f", work)
    assert floor.hub.once("ana", "k", "f", work) == Answer(200, {"ok": True})
    assert floor.hub.once("ana", "k", "f", work).replayed and len(tries) == 2


def test_two_at_once_with_one_key_are_one() -> None:
    floor = Floor()
    gate = gevent.event.Event()
    done: list[int] = []

    def work() -> Answer:
        gate.wait()
        done.append(1)
        return Answer(200, {"ok": True})

    both = [gevent.spawn(floor.hub.once, "ana", "k", "f", work) for _ in range(2)]
    settle()
    gate.set()
    gevent.joinall(both, raise_error=True)
    assert done == [1] and sorted(each.value.replayed for each in both) == [False, True]


def test_a_standby_and_an_unknown_agent_are_refused() -> None:
    floor = Floor()
    with pytest.raises(Refused) as unknown:
        floor.hub.desk("zoe")
    floor.active = False
    with pytest.raises(Refused) as standing_by:
        floor.hub.desk("ana")
    assert (unknown.value.status, standing_by.value.status) == (404, 503)


def test_an_engine_that_is_busy_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_hub, "PICTURE_S", 0.01)
    floor = Floor()
    floor.slow = True
    with pytest.raises(Refused) as refused:
        floor.hub.desk("ana")
    assert refused.value.status == 503
