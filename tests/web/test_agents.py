"""The agent interface over HTTP, with a real engine behind it: who may, what a verb answers, that every answer is what the description says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from fs_dialer.core import agent_events as ag
from fs_dialer.runtime import agent_web
from fs_dialer.runtime.agent_web import AgentDoor
from fs_dialer.web.routes import description
from tests.runtime.floor import Floor
from tests.web.client import Http, told

DOCUMENT = description()


class NoRecords:
    """A database in which nothing is his: what is filed is tested over a real one (test_agents_filed.py)."""

    def agent_card(self, *_: object, **__: object) -> None: ...
    def agent_dispose(self, *_: object, **__: object) -> None: ...
    def save_answers(self, *_: object, **__: object) -> None: ...
    def agent_mark(self, *_: object, **__: object) -> None: ...


class Desk:
    """A floor of agents behind the interface, with a token for ana and one for a supervisor."""

    def __init__(self, dsn: str) -> None:
        self.floor = Floor()
        self.http = Http(dsn, agents=AgentDoor(self.floor.hub, NoRecords(), lambda: "GB", self.floor.now))
        self.ana = self.http.tokens.create("agent", "test", agent="ana").secret
        self.boss = self.http.token.secret

    def act(self, verb: str, body: object = None, *, key: str = "", agent: str = "", token: str = "") -> TestResponse:
        return described("post", verb, self.http.act(verb, body, token=token or (self.boss if agent else self.ana), agent=agent, key=key), bool(agent))


def described(method: str, verb: str, response: TestResponse, supervisor: bool = False) -> TestResponse:
    """The answer, which is what the description says of it."""
    operation: Mapping[str, Any] = DOCUMENT["paths"][f"/api/agents/{{agent}}/{verb}" if supervisor else f"/api/agent/{verb}"][method]
    schema = operation["responses"][str(response.status_code)]["content"]["application/json"]["schema"]
    whole = {**schema, "components": DOCUMENT["components"]}
    Draft202012Validator(whole).validate(response.get_json())
    return response


@pytest.fixture
def desk(pg_dsn: str) -> Iterator[Desk]:
    made = Desk(pg_dsn)
    yield made
    made.http.close()


def take(desk: Desk) -> dict[str, Any]:
    """A customer on ana's card; her call."""
    assert desk.act("open_screen").status_code == 200
    assert desk.act("take", {"campaign": "spring"}).status_code == 200
    return dict(told(desk.http.get("/api/agent/desk", token=desk.ana))["desk"]["call"])


# --- who ---------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M15")
def test_an_agents_token_is_for_himself_and_an_operators_for_any_agent(desk: Desk) -> None:
    assert told(desk.http.get("/api/agent/desk", token=desk.ana))["desk"]["agent"] == "ana"
    assert told(desk.http.get("/api/agents/bob/desk", token=desk.boss))["desk"]["agent"] == "bob"
    for path, token in (("/api/agents/bob/desk", desk.ana), ("/api/agents/ana/desk", desk.ana), ("/api/agent/desk", desk.boss)):
        asked = desk.http.get(path, token=token)
        assert (asked.status_code, told(asked)["error"]) == (403, "wrong_role")


def test_an_agent_who_was_taken_out_of_the_definitions_is_not_there(desk: Desk) -> None:
    gone = desk.http.tokens.create("agent", "test", agent="zoe").secret
    assert desk.http.get("/api/agent/desk", token=gone).status_code == 404
    assert desk.act("available", agent="zoe").status_code == 404


def test_a_cookie_is_no_token_and_no_page_may_read_the_answer(desk: Desk) -> None:
    asked = desk.http.client.post("/api/agent/available", headers={"Host": "localhost", "Cookie": f"token={desk.ana}", "Idempotency-Key": "k"})
    assert asked.status_code == 401
    assert "Access-Control-Allow-Origin" not in desk.http.get("/api/agent/desk", token=desk.ana, Origin="https://evil.example.com").headers


def test_a_page_in_a_browser_cannot_act_with_a_form(desk: Desk) -> None:
    asked = desk.http.post("/api/agent/hang_up", b"call=1", token=desk.ana, **{"Content-Type": "text/plain", "Idempotency-Key": "k"})
    assert asked.status_code == 415


def test_a_screen_may_ask_more_often_than_a_program_and_not_without_end(desk: Desk) -> None:
    desk.http.clock = lambda: 0.0
    statuses = [desk.http.get("/api/agent/desk", token=desk.ana).status_code for _ in range(105)]
    assert statuses == [200] * 100 + [429] * 5


def test_without_agents_behind_it_the_interface_says_so(pg_dsn: str) -> None:
    http = Http(pg_dsn)
    assert told(http.get("/api/agents/ana/desk", token=http.token.secret))["error"] == "no_agents"
    http.close()


def test_a_standby_sends_to_the_active_one(desk: Desk) -> None:
    desk.floor.active = False
    asked = desk.act("available")
    assert (asked.status_code, told(asked)["error"], asked.headers["Retry-After"]) == (503, "standing_by", "5")


# --- the desk ----------------------------------------------------------------------------------------------------------------------------


def test_the_desk_is_what_its_description_says(desk: Desk) -> None:
    shown = described("get", "desk", desk.http.get("/api/agent/desk", token=desk.ana)).get_json()
    assert shown["desk"]["call"] is None and shown["card"] is None
    take(desk)
    shown = described("get", "desk", desk.http.get("/api/agent/desk", token=desk.ana)).get_json()
    assert shown["desk"]["call"]["number"] == "+34600000001" and {"dial", "skip"} <= set(shown["desk"]["can"])


def test_a_card_of_nobody_is_not_there(desk: Desk) -> None:
    asked = described("get", "card", desk.http.get("/api/agent/card", token=desk.ana))
    assert (asked.status_code, told(asked)["error"]) == (404, "no_card")
    assert described("get", "card", desk.http.get("/api/agent/card?lead=x", token=desk.ana)).status_code == 400


# --- acting ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S29")
def test_an_agent_takes_a_customer_and_dials(desk: Desk) -> None:
    call = take(desk)
    done = desk.act("dial", {"call": call["id"]})
    assert (done.status_code, told(done)["text"]) == (200, "dialling")
    assert told(desk.http.get("/api/agent/desk", token=desk.ana))["desk"]["call"]["state"] == "ringing_agent_first"


def test_a_refusal_is_409_with_the_engines_words(desk: Desk) -> None:
    asked = desk.act("hold")
    assert (asked.status_code, told(asked)["error"], told(asked)["why"]) == (409, "refused", "you have no call")


def test_a_click_that_comes_late_touches_no_other_call(desk: Desk) -> None:
    call = take(desk)
    assert desk.act("dial", {"call": "another"}).status_code == 409
    assert told(desk.http.get("/api/agent/desk", token=desk.ana))["desk"]["call"]["id"] == call["id"]


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("take", {}),
        ("take", {"campaign": "spring", "lead": "one"}),
        ("take", {"campaign": "spring", "lead": "\N{SUPERSCRIPT TWO}"}),
        ("take", {"campaign": "spring", "lead": "9" * 30}),
        ("take", {"campaign": ["spring"]}),
        ("skip", {"why": "no"}),
        ("transfer", {"kind": "pigeon", "to": "bob"}),
        ("transfer", {"kind": "number", "to": "12"}),
        ("transfer", {"kind": "number", "to": "${system(reboot)}"}),
        ("open_screen", {"lease_s": -1}),
        ("dispose", {}),
        ("dispose", {"code": "sold", "answers": []}),
        ("dispose", {"code": "sold", "answers": {"a": {"b": 1}}, "call": "x"}),
        ("answers", {"note": 1, "call": "x"}),
        ("answers", {"call": "../x"}),
        ("callback", {"call": "x"}),
        ("callback", {"call": "x", "at": "soon"}),
        ("callback", {"call": "x", "at": "tomorrow 9:00", "to_me": "perhaps"}),
        ("do-not-call", {"lead": "x"}),
        ("do-not-call", {"lead": 1, "why": "\u0000"}),
    ],
)
def test_what_is_no_good_is_400_and_nothing_is_done(desk: Desk, verb: str, body: object) -> None:
    desk.http.get("/api/agent/desk", token=desk.ana)
    before = len(desk.floor.put_in)
    asked = desk.act(verb, body)
    assert (asked.status_code, told(asked)["error"]) == (400, "bad_argument")
    assert len(desk.floor.put_in) == before


def test_a_body_may_be_left_out_and_must_be_an_object(desk: Desk) -> None:
    bare = desk.http.client.post("/api/agent/open_screen", headers={"Host": "localhost", "Authorization": f"Bearer {desk.ana}", "Idempotency-Key": "k"})
    assert bare.status_code == 200
    assert desk.act("open_screen", [1]).status_code == 400
    assert desk.http.act("open_screen", b"{", token=desk.ana).status_code == 400


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "é"])
def test_without_a_key_nothing_is_done(desk: Desk, key: str) -> None:
    headers = {"Idempotency-Key": key} if key else {}
    asked = desk.http.post("/api/agent/open_screen", {}, token=desk.ana, **headers)
    assert (asked.status_code, told(asked)["error"]) == (400, "idempotency_key")
    assert not [event for event in desk.floor.put_in if isinstance(event, ag.OpenScreen)]


def test_the_same_key_gives_the_same_answer_and_another_body_is_refused(desk: Desk) -> None:
    desk.act("open_screen")
    first, again = (desk.act("take", {"campaign": "spring"}, key="k") for _ in range(2))
    assert told(first) == told(again) and again.headers["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first.headers
    other = desk.act("take", {"campaign": "autumn"}, key="k")
    assert (other.status_code, told(other)["error"]) == (409, "key_reused")
    assert desk.act("take", {"campaign": "spring"}, key="k", agent="ana").status_code == 409, "a supervisor's key is another one: ana has a call"


def test_a_supervisor_acts_for_an_agent_in_his_own_name(desk: Desk) -> None:
    assert desk.act("not_available", {"reason": "training"}, agent="ana").status_code == 200
    event = next(each for each in desk.floor.put_in if getattr(each, "reason", "") == "training")
    assert event.who == f"token {desk.http.token.token.id}"  # type: ignore[attr-defined]
    assert desk.act("pause_campaign", {"campaign": "spring"}, agent="bob").status_code == 200
    assert told(desk.http.get("/api/agents/bob/desk", token=desk.boss))["desk"]["campaigns"][0]["paused"] is True


@pytest.mark.spec("D7")
@pytest.mark.parametrize("dial", ["", "sofia/gateway/trunk1/+15550100", "user/1,user/2", "user/1009 &bridge", "{x=1}user/1", "${system(x)}", "user/1@a|b", 1])
def test_only_a_telephone_of_the_directory_is_rung_for_a_supervisor(desk: Desk, dial: object) -> None:
    assert desk.act("supervise", {"dial": dial}, agent="ana").status_code == 400
    assert not [event for event in desk.floor.put_in if isinstance(event, ag.Supervise)]


@pytest.mark.spec("D7")
def test_a_number_is_dialled_as_a_number(desk: Desk) -> None:
    desk.act("transfer", {"kind": "number", "to": "020 7946 0101", "attended": True})
    (event,) = [each for each in desk.floor.put_in if isinstance(each, ag.Transfer)]
    assert (event.to, event.attended) == ("+442079460101", True)


def test_an_agent_may_not_supervise(desk: Desk) -> None:
    assert desk.http.act("supervise", {"dial": "user/1"}, token=desk.ana).status_code == 404
    assert desk.http.act("supervise", {"dial": "user/1"}, token=desk.ana, agent="bob").status_code == 403


def test_what_is_not_his_cannot_be_filed(desk: Desk) -> None:
    for verb, body in (("dispose", {"code": "sold"}), ("answers", {"answers": {"a": "b"}}), ("callback", {"at": "+2h"}), ("do-not-call", {})):
        asked = desk.act(verb, {**body, "call": "9c1d0a52-7a0e-4d5e-9d0e-3f6c1d2b4a59"})
        assert (asked.status_code, told(asked)["error"]) == (404, "no_such_call")
        assert desk.act(verb, body).status_code == 409, "and without a call there is nothing to mean"


def test_a_call_that_only_rings_or_is_looked_at_has_no_result_yet(desk: Desk) -> None:
    call = take(desk)
    assert "dispose" not in call["can"]
    asked = desk.act("dispose", {"code": "sold", "call": call["id"]})
    assert (asked.status_code, told(asked)["why"]) == (409, "you are not talking to the customer")
    assert desk.act("dispose", {"code": "sold"}).status_code == 409
    assert not [event for event in desk.floor.put_in if isinstance(event, ag.Disposed)]


@pytest.mark.parametrize(
    ("value", "kept"),
    [(12345.67, "12345.67"), (1234567.5, "1234567.5"), (3.00000004, "3.00000004"), (3.0, "3"), (1e20, "1" + "0" * 20), (1e-7, "0.0000001"), (-0.25, "-0.25"),
     (42, "42"), (True, "yes")],
)  # fmt: skip
def test_a_number_given_as_an_answer_keeps_every_digit(value: object, kept: str) -> None:
    assert agent_web._answers({"answers": {"x": value}}) == {"x": [kept]}


# --- the stream --------------------------------------------------------------------------------------------------------------------------


def test_the_stream_begins_with_a_fresh_desk_and_tells_every_change(desk: Desk) -> None:
    asked = desk.http.get("/api/agent/events", token=desk.ana)
    assert asked.mimetype == "text/event-stream" and asked.headers["Cache-Control"] == "no-store"
    parts = asked.iter_encoded()
    assert next(parts) == b"retry: 2000\n\n"
    first = next(parts).decode()
    id, event, data, *_ = first.split("\n")
    assert event == "event: desk" and json.loads(data.removeprefix("data: "))["reset"] is True
    desk.act("open_screen")
    assert next(parts).decode().startswith(f"id: {int(id.removeprefix('id: ')) + 1}\n")
    asked.close()
    assert desk.floor.hub._seats[next(iter(desk.floor.hub._seats))].screens == []


@pytest.mark.parametrize("how", ["header", "address"])
def test_a_stream_goes_on_behind_the_event_that_is_named(desk: Desk, how: str) -> None:
    number = told(desk.http.get("/api/agent/desk", token=desk.ana))["number"]
    desk.act("open_screen")
    headers = {"Last-Event-ID": str(number)} if how == "header" else {}
    asked = desk.http.get("/api/agent/events" + (f"?after={number}" if how == "address" else ""), token=desk.ana, **headers)
    parts = asked.iter_encoded()
    next(parts)
    assert next(parts).decode().startswith(f"id: {number + 1}\n")
    asked.close()


def test_a_revoked_token_ends_its_stream(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = desk.http.get("/api/agent/events", token=desk.ana)
    parts = asked.iter_encoded()
    next(parts), next(parts)
    monkeypatch.setattr("fs_dialer.web.agents.TOKEN_AGAIN_S", 0.0)
    desk.http.database.rows("UPDATE tokens SET revoked_at = now()")
    assert b"event: goodbye" in next(parts) and list(parts) == []
    asked.close()


def test_no_more_streams_are_served_than_the_dialler_can_bear(desk: Desk) -> None:
    up = [desk.http.get("/api/agent/events", token=desk.ana) for _ in range(3)]
    streams = desk.http.app.extensions["fs_dialer.streams"]
    assert streams.up == 3
    streams._most = 3
    assert told(desk.http.get("/api/agent/events", token=desk.ana))["error"] == "too_many_streams"
    for each in up:
        each.close()
    assert streams.up == 0


def test_nothing_of_a_customer_gets_into_the_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        call = take(desk)
        desk.act("answers", {"call": call["id"], "answers": {"card": "4111"}, "note": "secret words"})
    assert call["number"] not in caplog.text and "4111" not in caplog.text and "secret words" not in caplog.text and desk.ana not in caplog.text
