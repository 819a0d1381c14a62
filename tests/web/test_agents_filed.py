"""What an agent files over HTTP, in a real database: results, answers, promises; each once, and with the database's own words where it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from fs_dialer.core import agent_events as ag
from fs_dialer.core.definition import CampaignAgents
from fs_dialer.core.model import AgentId, Outcome
from fs_dialer.db.agent_desk import AgentRecordStore
from fs_dialer.db.pool import Pool
from fs_dialer.runtime.agent_web import AgentDoor
from fs_dialer.runtime.web_ports import Refused
from tests.db import desk as database
from tests.db.desk import ADA, NOW, SCRIPT, a_campaign, a_desk
from tests.runtime.floor import Floor
from tests.web.client import Http, told
from tests.web.test_agents import described

DAY = 86400.0


class Office:
    """Agent lan with a call of his in the database, and the interface over it."""

    def __init__(self, desk: database.Desk, pool: Pool) -> None:
        self.desk = desk
        self.floor = Floor(agents=("lan", "hoa"))
        self.http = Http(desk.dsn, agents=AgentDoor(self.floor.hub, AgentRecordStore(pool), lambda: "GB", lambda: NOW + 100))
        self.lan = self.http.tokens.create("agent", "test", agent="lan").secret
        self.hoa = self.http.tokens.create("agent", "test", agent="hoa").secret
        self.id = desk.add(ADA)
        desk.make_ready()
        (self.lead,) = desk.claim()
        self.attempt = replace(desk.attempt_of(self.lead), agent=AgentId("lan"))
        assert desk.store.open_attempts([self.attempt])[0] is None
        self.call = str(self.attempt.id)

    def act(self, verb: str, *, key: str = "", token: str = "", **body: Any) -> tuple[int, dict[str, Any]]:
        asked = described("post", verb, self.http.act(verb, {"call": self.call, **body}, token=token or self.lan, key=key))
        return asked.status_code, told(asked)

    def ends(self) -> None:
        """They met, and the call is over."""
        self.desk.close(self.attempt, self.lead, Outcome.CONNECTED, a_campaign(script=SCRIPT))


@pytest.fixture
def office(pg_dsn: str) -> Iterator[Office]:
    with a_desk(pg_dsn, script=SCRIPT, agents=CampaignAgents(people=("lan",))) as desk, closing(Pool(pg_dsn)) as pool:
        made = Office(desk, pool)
        yield made
        made.http.close()


@pytest.mark.spec("S14", "M24")
def test_answers_are_saved_at_once_and_together(office: Office) -> None:
    status, first = office.act("answers", answers={"many": 3, "plans": ["gold", "silver"]}, note="mornings")
    assert (status, first["answers"], first["missing"], first["note"]) == (200, {"many": 3, "plans": ["gold", "silver"]}, ["renew"], "mornings")
    status, second = office.act("answers", answers={"renew": "yes", "plans": ""})
    assert (status, second["missing"]) == (200, []) and second["answers"]["renew"] == "yes" and not second["answers"].get("plans")


def test_a_wrong_answer_saves_nothing_and_says_what_would_do(office: Office) -> None:
    status, refused = office.act("answers", answers={"renew": "perhaps", "many": 3})
    assert (status, refused["error"]) == (409, "refused") and "none of yes, no" in refused["why"]
    assert office.act("answers", answers={})[1]["answers"] == {}


@pytest.mark.spec("M12", "D14")
def test_a_result_while_the_call_is_up_is_kept_and_one_after_it_is_filed(office: Office) -> None:
    status, kept = office.act("dispose", code="sold", answers={"renew": "yes"})
    assert (status, kept["kept_for_end"], kept["lead_status"]) == (200, True, "in_progress")
    office.ends()
    assert office.desk.status(office.id) == "succeeded"
    status, later = office.act("dispose", code="later", callback_at="tomorrow 10:00", to_me=True)
    assert (status, later["replaced"], later["lead_status"], later["kept_for_end"]) == (200, "sold", "callback_scheduled", False)
    assert later["ready_at"] == NOW - 2 * 3600 + DAY
    assert office.desk.one("SELECT agent FROM leads") == "lan"


def test_the_engine_is_told_of_a_result(office: Office) -> None:
    status, said = office.act("dispose", code="sold", answers={"renew": "yes"})
    assert status == 200, said
    (event,) = [each for each in office.floor.put_in if isinstance(each, ag.Disposed)]
    assert (event.call, event.code, event.who) == (office.call, "sold", "lan")


def test_a_result_that_cannot_be_is_told_with_every_reason_and_files_nothing(office: Office) -> None:
    office.ends()
    status, refused = office.act("dispose", code="sould")
    assert (status, refused["error"]) == (409, "refused") and "nearest: sold" in refused["why"]
    assert office.act("dispose", code="sold")[1]["why"] == "renew: must be answered"
    assert not [each for each in office.floor.put_in if isinstance(each, ag.Disposed)]


def test_the_same_key_files_once(office: Office) -> None:
    office.ends()
    first, again = (office.act("dispose", key="k", code="sold", answers={"renew": "yes"}) for _ in range(2))
    assert first == again
    assert office.desk.one("SELECT count(*) FROM audit WHERE what = 'dispose_attempt'") == 1


def test_a_promise_out_of_hours_is_refused_with_times_that_can_be(office: Office) -> None:
    status, refused = office.act("callback", at="sun 10:00")
    assert (status, refused["error"]) == (409, "refused") and "these times can be promised: 2026-11-27T" in refused["mend"]
    status, promised = office.act("callback", at="fri 10:00", why="asked")
    assert (status, promised["lead_status"], promised["zone"]) == (200, "callback_scheduled", "Europe/London")


@pytest.mark.spec("S12", "D16")
def test_never_again_and_not_for_a_while_are_two_things(office: Office) -> None:
    assert office.act("do-not-call", for_good=False)[1]["lead_status"] == "refused"
    status, never = office.act("do-not-call", key="k")
    assert status == 200 and office.desk.one("SELECT count(*) FROM do_not_call WHERE number = %s", ADA) == 1
    assert "never called again" in never["text"]


def test_another_agents_call_is_not_there(office: Office) -> None:
    for verb, body in (("dispose", {"code": "sold"}), ("answers", {"answers": {}}), ("callback", {"at": NOW + DAY}), ("do-not-call", {})):
        assert office.act(verb, token=office.hoa, **body)[0] == 404, verb
    assert office.http.get(f"/api/agent/card?call={office.call}", token=office.hoa).status_code == 404
    assert office.http.get(f"/api/agent/card?lead={office.id}", token=office.hoa).status_code == 404


@pytest.mark.spec("M23")
def test_the_card_is_what_its_description_says(office: Office) -> None:
    asked = described("get", "card", office.http.get(f"/api/agent/card?call={office.call}", token=office.lan))
    card = told(asked)["card"]
    assert (card["number"], card["attempt"], card["missing"]) == (ADA, office.call, ["renew"])
    assert [each["code"] for each in card["dispositions"]] == ["sold", "refused", "later", "again", "wrong"]
    by_lead = told(described("get", "card", office.http.get(f"/api/agent/card?lead={office.id}", token=office.lan)))["card"]
    assert by_lead["attempt"] is None and by_lead["number"] == ADA


def test_a_database_that_is_away_is_503_and_the_key_may_be_used_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.ends()
    body = {"call": office.call, "code": "sold", "answers": {"renew": "yes"}}
    with monkeypatch.context() as broken:
        broken.setattr("fs_dialer.db.pool.Pool.transaction", _away)
        down = office.http.act("dispose", body, token=office.lan, key="k")
        assert (down.status_code, told(down)["error"]) == (503, "database")
    assert office.http.act("dispose", body, token=office.lan, key="k").status_code == 200


def test_a_lead_that_an_agent_looks_at_before_its_call_is_his(office: Office) -> None:
    path = f"/api/agent/card?lead={office.id}"
    assert office.http.get(path, token=office.hoa).status_code == 404
    for verb, body in (("open_screen", {}), ("take", {"campaign": "spring", "lead": office.id})):
        assert office.http.act(verb, body, token=office.hoa).status_code == 200
    assert told(office.http.get(path, token=office.hoa))["card"]["number"] == ADA


def test_a_supervisor_files_for_an_agent_in_his_own_name(office: Office) -> None:
    office.ends()
    boss, name = office.http.token.secret, f"token {office.http.token.token.id}"
    for verb, body in (("dispose", {"code": "refused"}), ("do-not-call", {})):
        assert office.http.act(verb, {"call": office.call, **body}, token=boss, agent="lan").status_code == 200
    assert {row[0] for row in office.desk.rows("SELECT who FROM audit WHERE what IN ('dispose_attempt', 'add_do_not_call')")} == {name}


@pytest.mark.parametrize("at", [1e18, 1e300, -1e18, -1, 1e11])
def test_a_time_that_cannot_be_meant_is_400(office: Office, at: float) -> None:
    office.ends()
    for verb, body in (("dispose", {"code": "later", "callback_at": at}), ("callback", {"at": at})):
        status, refused = office.act(verb, **body)
        assert (status, refused["error"]) == (400, "bad_argument")


def test_a_number_answered_is_stored_as_it_was_given(office: Office) -> None:
    assert office.act("answers", answers={"many": 3.00000004})[1]["answers"]["many"] == 3.00000004


def test_a_result_is_filed_once_and_told_as_filed_where_the_engine_is_not_there_to_hear_it(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.ends()
    with monkeypatch.context() as ending:
        ending.setattr(office.floor.hub, "ask", _ends)
        status, first = office.act("dispose", key="k", code="refused")
    assert (status, first["text"], first["disposition"]) == (200, "filed", "refused")
    assert office.act("dispose", key="k", code="refused") == (200, first)
    assert office.desk.one("SELECT count(*) FROM audit WHERE what = 'dispose_attempt'") == 1


def test_an_agent_goes_on_acting_while_the_database_is_away(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    assert office.http.act("not_available", token=office.lan).status_code == 200
    with monkeypatch.context() as broken:
        broken.setattr("fs_dialer.db.pool.Pool.rows", _away)
        assert office.http.act("available", token=office.lan).status_code == 200
        assert office.http.act("available", token=office.hoa).status_code == 503, "nobody knows whether that token is good"


def _ends(*_: object, **__: object) -> None:
    raise Refused(503, "stopping", "this daemon ends", "connect again in a moment")


def _away(*_: object, **__: object) -> None:
    from fs_dialer.errors import StoreError

    raise StoreError("gone", lost=True)
