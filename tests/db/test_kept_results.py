"""Results chosen while a call is up: whose is filed at its end, what is told then, and what one bad row does to the others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from fs_dialer.core.definition import CampaignAgents
from fs_dialer.core.model import Outcome
from fs_dialer.core.resources import Team
from fs_dialer.db import kept_results
from fs_dialer.db.dispositions import Result
from fs_dialer.db.kept_results import file_kept
from fs_dialer.db.lead_marks import STOP, Mark
from fs_dialer.db.pool import Pool
from tests.db.desk import ADA, BEN, NOW, SCRIPT, Desk, a_desk
from tests.db.test_agent_desk import filed, said, up

pytestmark = pytest.mark.spec("S14", "D14")

SOLD = {"renew": ["yes"]}


@pytest.fixture
def desk(pg_dsn: str) -> Iterator[Desk]:
    with a_desk(pg_dsn, script=SCRIPT, agents=CampaignAgents(people=("lan",), teams=("north",))) as made:
        made.define("teams", Team(name="north", people=("hoa",)))
        yield made


def listening(desk: Desk, kind: str) -> None:
    desk.rows("INSERT INTO definitions (kind, name, revision, source, definition) VALUES ('triggers', 't', 1, '{}', %s)", json.dumps({"on": kind}))


def finished(desk: Desk) -> list[tuple[object, ...]]:
    return desk.rows("SELECT data ->> 'status', data ->> 'outcome', data ->> 'attempt' FROM happenings WHERE kind = 'lead_finished' ORDER BY id")


# --- whose is filed -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [Outcome.NO_ANSWER, Outcome.BUSY, Outcome.UNKNOWN])
def test_where_nobody_met_nothing_is_filed(desk: Desk, outcome: Outcome) -> None:
    attempt, lead = up(desk)
    said(desk, attempt.id, "sold", answers=SOLD)
    desk.close(attempt, lead, outcome)
    assert (filed(desk, attempt.id)[::4], desk.status(lead.id)) == ((None, None), "retry")


def test_what_one_chose_who_was_only_offered_the_call_is_not_filed(desk: Desk) -> None:
    attempt, lead = up(desk, agent=None)
    said(desk, attempt.id, "again", agent="hoa", has_call=True)
    desk.close(attempt, lead, Outcome.CONNECTED)
    assert (filed(desk, attempt.id)[::4], desk.status(lead.id)) == ((None, None), "succeeded")


@pytest.mark.parametrize("order", [("lan", "hoa"), ("hoa", "lan")])
def test_of_two_who_chose_it_is_his_who_had_the_conversation(desk: Desk, order: tuple[str, str]) -> None:
    attempt, lead = up(desk, agent=None)
    for agent in order:
        said(desk, attempt.id, "refused" if agent == "lan" else "again", agent=agent, has_call=True)
    desk.close(attempt, lead, Outcome.CONNECTED)
    assert (filed(desk, attempt.id)[:2], desk.status(lead.id)) == (("refused", "lan"), "refused")


def test_what_a_supervisor_chose_for_the_agent_is_filed_as_the_agents_under_the_supervisors_name(desk: Desk) -> None:
    attempt, lead = up(desk)
    said(desk, attempt.id, "refused", who="boss")
    desk.close(attempt, lead, Outcome.CONNECTED)
    assert filed(desk, attempt.id)[:2] == ("refused", "boss")
    assert desk.one("SELECT who FROM audit WHERE what = 'dispose_attempt'") == "boss"


def test_of_a_conversation_of_nobody_knows_whom_the_last_choice_is_filed(desk: Desk) -> None:
    attempt, lead = up(desk, agent=None)
    said(desk, attempt.id, "refused", has_call=True, now=NOW + 50)
    said(desk, attempt.id, "again", agent="hoa", has_call=True, now=NOW + 40)
    kept = desk.one("SELECT disposition_kept FROM attempts_open")
    desk.rows("UPDATE attempts_open SET disposition_kept = NULL")
    desk.close(attempt, lead, Outcome.CONNECTED)
    desk.rows("UPDATE attempts SET agent = NULL, disposition_kept = %s", json.dumps(kept))
    desk.store.return_refused(NOW)
    assert filed(desk, attempt.id)[:2] == ("refused", "lan")


# --- what is told -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S79")
@pytest.mark.parametrize(("code", "told"), [("again", []), ("refused", ["refused"]), ("sold", ["succeeded"])])
def test_a_lead_is_told_to_be_finished_as_the_agent_says_and_once(desk: Desk, code: str, told: list[str]) -> None:
    listening(desk, "lead_finished")
    attempt, lead = up(desk)
    said(desk, attempt.id, code, answers=SOLD)
    desk.close(attempt, lead, Outcome.CONNECTED)
    assert finished(desk) == [(status, "connected", attempt.id) for status in told]


@pytest.mark.spec("S79")
def test_a_lead_finished_by_a_call_whose_choice_is_dropped_is_told_all_the_same(desk: Desk) -> None:
    listening(desk, "lead_finished")
    attempt, lead = up(desk, agent=None)
    said(desk, attempt.id, "again", agent="hoa", has_call=True)
    desk.close(attempt, lead, Outcome.CONNECTED)
    assert finished(desk) == [("succeeded", "connected", attempt.id)]


@pytest.mark.spec("S79")
def test_a_lead_stopped_while_the_call_was_up_is_told_to_be_finished_once(desk: Desk) -> None:
    listening(desk, "lead_finished")
    attempt, lead = up(desk)
    desk.rows("UPDATE attempts_open SET opened_at = now() - interval '1 minute'")
    said(desk, attempt.id, "again")
    desk.office.lead_mark(lead.id, Mark(STOP), "op", "", NOW)
    desk.close(attempt, lead, Outcome.CONNECTED)
    assert finished(desk) == [("stopped", "", None)]


@pytest.mark.spec("S79")
def test_where_a_person_is_quicker_than_the_filing_his_result_tells_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    listening(desk, "lead_finished")
    attempt, lead = up(desk)
    said(desk, attempt.id, "again")
    with monkeypatch.context() as died:
        died.setattr("fs_dialer.db.postgres.file_kept", lambda *_: 0)
        desk.close(attempt, lead, Outcome.CONNECTED)
    assert finished(desk) == []
    desk.office.attempt_dispose(attempt.id, Result("refused"), "op", "", NOW + 100)
    assert finished(desk) == [("refused", "connected", attempt.id)]


# --- bad rows -----------------------------------------------------------------------------------------------------------------------------

BAD = [[], "x", 7, {"said": 1}, {"said": {"lan": None}}, {"said": {"lan": {"code": "again"}}}, {"said": {"lan": {"code": []}}}, {}]


@pytest.mark.spec("X4")
@pytest.mark.parametrize("bad", BAD, ids=json.dumps)
def test_what_cannot_be_filed_holds_up_nobody(desk: Desk, monkeypatch: pytest.MonkeyPatch, bad: object) -> None:
    monkeypatch.setattr(kept_results, "KEPT_BATCH", 1)
    desk.add(ADA, BEN)
    ids = []
    for number in (ADA, BEN):
        attempt, lead = up(desk, number)
        desk.close(attempt, lead, Outcome.CONNECTED)
        desk.rows("UPDATE leads SET claimed_epoch = NULL, claimed_batch = NULL")
        ids.append(attempt.id)
    good = {"code": "refused", "callback_at": None, "agent": None, "by": "lan", "why": "", "at": NOW}
    for id, kept in zip(ids, (bad, {"said": {"lan": good}}), strict=True):
        desk.rows("UPDATE attempts SET disposition_kept = %s WHERE id = %s", json.dumps(kept), id)
    desk.store.return_refused(NOW)
    assert filed(desk, ids[1])[0] == "refused"
    with closing(Pool(desk.dsn, size=1)) as pool:
        assert file_kept(pool) == 0
    assert said(desk, ids[0], "again").refused == ()
    assert filed(desk, ids[0])[::4] == ("again", None)


def test_a_bad_choice_does_not_keep_a_call_from_its_end(desk: Desk) -> None:
    attempt, lead = up(desk)
    desk.rows("UPDATE attempts_open SET disposition_kept = '\"x\"'")
    desk.close(attempt, lead, Outcome.CONNECTED)
    assert desk.status(lead.id) == "succeeded"
