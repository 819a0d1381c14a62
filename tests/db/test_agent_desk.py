"""What agents say of their calls, while these are up and after, and what they are shown of a customer."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from fs_dialer import paths
from fs_dialer.core.definition import CampaignAgents
from fs_dialer.core.model import AgentId, Attempt, Lead, LeadReturn, Outcome
from fs_dialer.core.resources import Rule, Team, Then, When
from fs_dialer.db.agent_desk import MOST_NOTE, Card
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.dispositions import Disposed, Result
from fs_dialer.db.kept_results import file_kept
from fs_dialer.db.lead_marks import CALL_AT, DO_NOT_CALL, LEAVE_ALONE, STOP, Mark
from fs_dialer.db.pool import Pool
from tests.contract.store_backends import a_take
from tests.db.desk import ADA, BEN, LONDON, NOW, SCRIPT, SPRING, Desk, a_campaign, a_desk

HOUR = 3600.0
LATER_ON = NOW + 3 * HOUR
REFUSED_KEPT = {"code": "refused", "callback_at": None, "agent": None, "by": "lan", "why": "", "at": NOW}
NOBODYS = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def desk(pg_dsn: str) -> Iterator[Desk]:
    with a_desk(pg_dsn, script=SCRIPT, agents=CampaignAgents(people=("lan",), teams=("north",))) as made:
        made.define("teams", Team(name="north", people=("hoa",)))
        yield made


def up(desk: Desk, number: str = ADA, agent: str | None = "lan") -> tuple[Attempt, Lead]:
    """A call that is up, of this agent's."""
    if not desk.rows("SELECT FROM leads WHERE number = %s", number):
        desk.add(number)
    desk.make_ready()
    lead = next(each for each in desk.claim() if each.number == number)
    attempt = replace(desk.attempt_of(lead), agent=AgentId(agent) if agent else None)
    assert desk.store.open_attempts([attempt])[0] is None
    return attempt, lead


def began_a_minute_ago(desk: Desk) -> None:
    """By the database's clock, which the audit goes by."""
    desk.rows("UPDATE attempts_open SET opened_at = now() - interval '1 minute'")


def said(desk: Desk, attempt: str, code: str, *, agent: str = "lan", now: float = NOW + 100, **more: Any) -> Disposed:
    words = {name: more.pop(name) for name in ("note", "has_call", "who") if name in more}
    done = desk.office.agent_dispose(agent, attempt, Result(code, **more), now, **words)
    assert done is not None
    return done


def filed(desk: Desk, attempt: str) -> tuple[object, ...]:
    return desk.rows("SELECT disposition, disposed_by, answers, note, disposition_kept FROM attempts WHERE id = %s", attempt)[0]


def card(desk: Desk, **about: Any) -> Card:
    found = desk.office.agent_card("lan", NOW + 10, **about)
    assert found is not None
    return found


# --- results while the call is up -------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S14", "D14")
@pytest.mark.parametrize(
    ("code", "more", "status"),
    [("sold", {"answers": {"renew": ["yes"]}}, "succeeded"), ("refused", {}, "refused"), ("later", {"callback_at": LATER_ON}, "callback_scheduled")],
)
def test_a_result_chosen_while_the_call_is_up_is_filed_when_it_ends(desk: Desk, code: str, more: dict[str, Any], status: str) -> None:
    attempt, lead = up(desk)
    done = said(desk, attempt.id, code, note="nice", **more)
    assert (done.refused, done.kept_for_end, desk.status(lead.id)) == ((), True, "in_progress")
    desk.close(attempt, lead, Outcome.CONNECTED)
    answers = {"renew": "yes"} if "answers" in more else {}
    assert (filed(desk, attempt.id), desk.status(lead.id)) == ((code, "lan", answers, "nice", None), status)
    assert desk.one("SELECT who FROM audit WHERE what = 'dispose_attempt'") == "lan"


@pytest.mark.spec("D14")
def test_the_agents_choice_stands_above_the_rules_for_outcomes(desk: Desk) -> None:
    rule = Rule(name="again", when=When(connected=True), then=Then(again_s=2 * HOUR))
    desk.campaign(a_campaign(rules=(rule,), script=SCRIPT))
    desk.add(ADA)
    desk.make_ready()
    (lead,) = desk.claim()
    attempt = replace(desk.attempt_of(lead, revision=2), agent=AgentId("lan"))
    assert desk.store.open_attempts([attempt])[0] is None
    said(desk, attempt.id, "refused")
    desk.close(attempt, lead, Outcome.CONNECTED, a_campaign(rules=(rule,)))
    assert desk.status(lead.id) == "refused"


@pytest.mark.spec("D14")
def test_a_do_not_call_entry_stands_above_the_agents_choice(desk: Desk) -> None:
    attempt, lead = up(desk)
    said(desk, attempt.id, "again")
    desk.office.do_not_call_add([ADA], "op")
    desk.close(attempt, lead, Outcome.CONNECTED)
    assert (filed(desk, attempt.id)[0], desk.status(lead.id)) == ("again", "blocked")


def test_the_last_result_chosen_in_the_call_is_the_one_that_is_filed(desk: Desk) -> None:
    attempt, lead = up(desk)
    said(desk, attempt.id, "refused")
    said(desk, attempt.id, "again")
    desk.close(attempt, lead, Outcome.CONNECTED)
    assert (filed(desk, attempt.id)[0], desk.status(lead.id)) == ("again", "retry")
    assert desk.rows("SELECT FROM no_callback") == []


@pytest.mark.spec("X4")
def test_a_result_whose_daemon_died_before_it_was_filed_is_filed_by_the_next(desk: Desk) -> None:
    attempt, lead = up(desk)
    said(desk, attempt.id, "refused")
    kept = desk.one("SELECT disposition_kept FROM attempts_open")
    desk.rows("UPDATE attempts_open SET disposition_kept = NULL")  # the call's end sees none, as if it was filed by nobody
    desk.close(attempt, lead, Outcome.CONNECTED)
    desk.rows("UPDATE attempts SET disposition_kept = %s", json.dumps(kept))
    assert filed(desk, attempt.id)[0] is None
    desk.store.return_refused(NOW)
    assert (filed(desk, attempt.id)[0], desk.status(lead.id)) == ("refused", "refused")


def test_a_result_that_somebody_set_meanwhile_is_not_overwritten_by_the_kept_one(desk: Desk) -> None:
    attempt, lead = up(desk)
    desk.close(attempt, lead, Outcome.CONNECTED)
    said(desk, attempt.id, "again")
    desk.rows("UPDATE attempts SET disposition_kept = %s", json.dumps({"said": {"lan": REFUSED_KEPT}}))
    with closing(Pool(desk.dsn, size=1)) as pool:
        assert file_kept(pool) == 0
    assert filed(desk, attempt.id)[::4] == ("again", None)


def test_what_is_wrong_is_told_at_once_and_nothing_is_kept(desk: Desk) -> None:
    attempt, _ = up(desk)
    assert said(desk, attempt.id, "soled").refused == ("soled is no disposition of spring r1; nearest: sold; it has sold, refused, later, again, wrong",)
    assert said(desk, attempt.id, "sold").refused == ("renew: must be answered",)
    assert said(desk, attempt.id, "later").refused == ("say when to call again: --callback-at TIME",)
    assert said(desk, attempt.id, "refused", note="x" * (MOST_NOTE + 1)).refused == ("the note has 4,001 characters; at most 4,000",)
    assert said(desk, attempt.id, "refused", note="\0").refused == ("the note holds a character that is no text",)
    assert desk.one("SELECT disposition_kept FROM attempts_open") is None


def test_a_result_after_the_call_is_filed_at_once_under_the_agents_name(desk: Desk) -> None:
    attempt, lead = up(desk)
    desk.close(attempt, lead, Outcome.CONNECTED)
    done = said(desk, attempt.id, "refused", note="angry")
    assert (done.kept_for_end, done.lead_status) == (False, "refused")
    assert filed(desk, attempt.id) == ("refused", "lan", {}, "angry", None)


# --- whose call it is -------------------------------------------------------------------------------------------------------------------


def test_nobody_says_anything_of_a_call_that_is_not_his(desk: Desk) -> None:
    attempt, lead = up(desk)
    for ask in range(2):
        assert desk.office.agent_dispose("hoa", attempt.id, Result("refused"), NOW) is None
        assert desk.office.save_answers("hoa", attempt.id, {"note": ["x"]}, NOW) is None
        assert desk.office.agent_mark("hoa", Mark(LEAVE_ALONE), NOW, attempt=attempt.id) is None
        assert desk.office.agent_card("hoa", NOW, attempt=attempt.id) is None
        if not ask:
            desk.close(attempt, lead, Outcome.CONNECTED)
    for id in (NOBODYS, "x", "", str(uuid.uuid4()).replace("-", "")):
        assert desk.office.agent_dispose("lan", id, Result("refused"), NOW) is None


def test_of_a_predictive_call_the_daemon_says_whose_it_is_until_the_row_knows(desk: Desk) -> None:
    attempt, lead = up(desk, agent=None)
    assert desk.office.agent_dispose("lan", attempt.id, Result("refused"), NOW) is None
    assert said(desk, attempt.id, "refused", has_call=True).kept_for_end
    assert desk.office.save_answers("lan", attempt.id, {"note": ["x"]}, NOW, has_call=True) is not None
    desk.close(attempt, lead, Outcome.CONNECTED)
    assert said(desk, attempt.id, "again").lead_status == "retry"


@pytest.mark.spec("M12")
def test_after_its_end_a_call_is_only_his_who_had_the_conversation(desk: Desk) -> None:
    attempt, lead = up(desk, agent=None)
    said(desk, attempt.id, "sold", has_call=True, answers={"renew": ["yes"]})
    desk.close(attempt, lead, Outcome.CONNECTED)
    refused = said(desk, attempt.id, "again", agent="hoa", has_call=True)  # her telephone rang for it
    assert refused.refused == ("lan had the conversation: the result is lan's to say",)
    assert desk.office.save_answers("hoa", attempt.id, {"note": ["x"]}, NOW, has_call=True) is None
    assert desk.office.agent_mark("hoa", Mark(DO_NOT_CALL), NOW, attempt=attempt.id, has_call=True) is None
    assert (filed(desk, attempt.id)[:2], desk.status(lead.id)) == (("sold", "lan"), "succeeded")


@pytest.mark.spec("M15")
def test_what_is_filed_for_an_agent_bears_the_name_of_who_did_it(desk: Desk) -> None:
    attempt, lead = up(desk)
    assert desk.office.save_answers("lan", attempt.id, {"note": ["x"]}, NOW, who="boss") is not None
    assert desk.office.agent_mark("lan", Mark(LEAVE_ALONE), NOW, attempt=attempt.id, who="boss") is not None
    said(desk, attempt.id, "refused", who="boss")
    desk.close(attempt, lead, Outcome.CONNECTED)
    said(desk, attempt.id, "wrong", who="chief")
    assert desk.office.agent_mark("lan", Mark(DO_NOT_CALL), NOW, attempt=attempt.id, who="boss") is not None
    whos = desk.rows("SELECT what, who FROM audit WHERE what IN ('save_answers', 'lead_mark', 'dispose_attempt') ORDER BY id")
    assert whos == [("save_answers", "boss"), ("lead_mark", "boss"), ("dispose_attempt", "boss"), ("dispose_attempt", "chief")]
    assert (filed(desk, attempt.id)[1], desk.one("SELECT added_by FROM do_not_call")) == ("chief", "boss")


# --- answers ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S14", "M24")
def test_answers_are_saved_while_the_call_is_up_one_after_another_and_go_with_it(desk: Desk) -> None:
    attempt, lead = up(desk)
    first = desk.office.save_answers("lan", attempt.id, {"many": ["2"]}, NOW)
    assert first is not None and (first.answers, first.missing) == ({"many": 2}, ("renew",))
    second = desk.office.save_answers("lan", attempt.id, {"renew": ["yes"], "plans": ["gold", "silver"]}, NOW, note="calls back in May")
    assert second is not None and (second.missing, second.note) == ((), "calls back in May")
    taken = desk.office.save_answers("lan", attempt.id, {"many": [""]}, NOW)
    assert taken is not None and taken.answers == {"renew": "yes", "plans": ["gold", "silver"]} and taken.note == "calls back in May"
    desk.close(attempt, lead, Outcome.CONNECTED)
    assert filed(desk, attempt.id)[2:4] == ({"renew": "yes", "plans": ["gold", "silver"]}, "calls back in May")
    after = desk.office.save_answers("lan", attempt.id, {"note": ["mornings"]}, NOW)
    assert after is not None and filed(desk, attempt.id)[2] == after.answers == {"renew": "yes", "plans": ["gold", "silver"], "note": "mornings"}
    assert said(desk, attempt.id, "sold").refused == ()


def test_one_wrong_answer_saves_none(desk: Desk) -> None:
    attempt, _ = up(desk)
    done = desk.office.save_answers("lan", attempt.id, {"renew": ["perhaps"], "many": ["3"], "shoe": ["9"]}, NOW)
    assert done is not None and done.answers == {}
    assert done.refused == ("renew: `perhaps` is none of yes, no", "shoe: the script has no such question; it has renew, plans, many, due, note")
    assert desk.one("SELECT answers FROM attempts_open") == {}


def test_a_forgotten_persons_call_takes_no_answers_and_shows_no_card(desk: Desk) -> None:
    attempt, lead = up(desk)
    desk.office.save_answers("lan", attempt.id, {"note": ["lives in Leeds"]}, NOW, note="Ada")
    desk.close(attempt, lead, Outcome.CONNECTED)
    desk.office.forget(ADA, "op")
    assert filed(desk, attempt.id)[2:4] == ({}, "")
    assert desk.office.save_answers("lan", attempt.id, {"note": ["x"]}, NOW) is None
    assert desk.office.agent_card("lan", NOW, attempt=attempt.id) is None


# --- marks --------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D14", "S12")
def test_a_callback_promised_in_the_call_stands_whatever_its_end_says(desk: Desk) -> None:
    attempt, lead = up(desk)
    done = desk.office.agent_mark("lan", Mark(CALL_AT, at=LATER_ON, agent="lan"), NOW, attempt=attempt.id)
    assert done is not None and (done.refused, done.status) == ("", "callback_scheduled")
    desk.close(attempt, lead, Outcome.CONNECTED)
    assert desk.state(lead.id) == ("callback_scheduled", 1, LATER_ON)
    assert desk.one("SELECT agent FROM leads") == "lan"


@pytest.mark.spec("D14")
@pytest.mark.parametrize(("code", "status"), [("sold", "callback_scheduled"), ("later", "callback_scheduled"), ("refused", "refused"), ("wrong", "invalid")])
def test_beside_a_promise_a_result_keeps_the_promise_unless_it_says_not_to_call(desk: Desk, code: str, status: str) -> None:
    attempt, lead = up(desk)
    began_a_minute_ago(desk)
    assert desk.office.agent_mark("lan", Mark(CALL_AT, at=LATER_ON, agent="lan"), NOW, attempt=attempt.id) is not None
    assert said(desk, attempt.id, code, answers={"renew": ["no"]}).refused == ()
    desk.close(attempt, lead, Outcome.CONNECTED)
    assert (filed(desk, attempt.id)[0], desk.status(lead.id)) == (code, status)
    if status == "callback_scheduled":
        assert desk.state(lead.id) == (status, 1, LATER_ON)
        assert desk.one("SELECT agent FROM leads") == "lan"


@pytest.mark.spec("D14")
def test_a_result_that_replaces_another_keeps_the_promise_too(desk: Desk) -> None:
    attempt, lead = up(desk)
    began_a_minute_ago(desk)
    assert desk.office.agent_mark("lan", Mark(CALL_AT, at=LATER_ON, agent="lan"), NOW, attempt=attempt.id) is not None
    desk.close(attempt, lead, Outcome.CONNECTED)
    for code, status in (("again", "callback_scheduled"), ("refused", "refused"), ("again", "callback_scheduled")):
        assert said(desk, attempt.id, code).lead_status == status
    assert desk.state(lead.id) == ("callback_scheduled", 1, LATER_ON)


@pytest.mark.spec("S12", "D16")
def test_left_alone_in_the_call_it_stays_so(desk: Desk) -> None:
    attempt, lead = up(desk)
    began_a_minute_ago(desk)
    done = desk.office.agent_mark("lan", Mark(LEAVE_ALONE), NOW, attempt=attempt.id)
    assert done is not None and done.status == "refused"
    said(desk, attempt.id, "again")
    desk.close(attempt, lead, Outcome.CONNECTED)
    assert (filed(desk, attempt.id)[0], desk.status(lead.id)) == ("again", "refused")


@pytest.mark.spec("D14")
def test_never_again_puts_the_number_on_the_list_and_blocks_the_lead(desk: Desk) -> None:
    attempt, lead = up(desk)
    done = desk.office.agent_mark("lan", Mark(DO_NOT_CALL), NOW, attempt=attempt.id, why="asked twice")
    assert done is not None and (done.before, done.status, done.refused) == ("in_progress", "blocked", "")
    assert desk.rows("SELECT number, list, reason, added_by FROM do_not_call") == [(ADA, "own", "asked twice", "lan")]
    desk.close(attempt, lead, Outcome.CONNECTED)
    assert desk.status(lead.id) == "blocked"


def test_agents_set_no_other_marks(desk: Desk) -> None:
    attempt, lead = up(desk)
    done = desk.office.agent_mark("lan", Mark(STOP), NOW, attempt=attempt.id)
    assert done is not None and done.refused == "an agent does not mark a lead stop; he may callback-at, do-not-call-back, do-not-call"
    assert desk.status(lead.id) == "in_progress"


def test_a_lead_without_a_call_is_marked_only_by_him_whose_it_is(desk: Desk) -> None:
    lead = desk.add(ADA)
    for agent in ("lan", "hoa", "eve"):
        assert desk.office.agent_mark(agent, Mark(CALL_AT, at=LATER_ON), NOW, lead=lead) is None
    desk.office.lead_mark(lead, Mark(CALL_AT, at=LATER_ON, agent="lan"), "op", "", NOW)
    assert desk.office.agent_mark("hoa", Mark(DO_NOT_CALL), NOW, lead=lead) is None
    assert desk.office.agent_mark("lan", Mark(CALL_AT, at=LATER_ON + HOUR), NOW, lead=lead) is not None
    assert desk.state(lead)[2] == LATER_ON + HOUR
    assert desk.office.agent_mark("lan", Mark(CALL_AT, at=LATER_ON), NOW, lead=999_999) is None
    assert desk.office.agent_mark("lan", Mark(CALL_AT, at=LATER_ON), NOW) is None


# --- the card -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M18", "M23", "S14")
def test_the_card_of_a_call_shows_customer_history_script_and_effects(desk: Desk) -> None:
    desk.add(ADA, BEN)
    desk.rows("UPDATE contacts SET name = 'Ada', attributes = '{\"tier\": \"gold\"}', owner = 'hoa' WHERE number = %s", ADA)
    desk.rows('UPDATE leads SET parameters = \'{"ends": "30 Nov"}\' WHERE number = %s', ADA)
    before = desk.called(ADA, Outcome.NO_ANSWER, at=NOW - HOUR)
    desk.office.attempt_dispose(before, Result("again"), "op", "", NOW - HOUR)
    attempt, lead = up(desk)
    desk.office.save_answers("lan", attempt.id, {"many": ["2"]}, NOW, note="likes gold")
    seen = card(desk, attempt=attempt.id)
    assert (seen.name, seen.number, seen.zone, seen.owner, seen.attributes, seen.parameters) == (
        *("Ada", ADA, "Europe/London", "hoa"),
        *({"tier": "gold"}, {"ends": "30 Nov"}),
    )
    assert (seen.campaign, seen.type, seen.lead, seen.attempts, seen.attempts_max, seen.status) == ("spring", "progressive", lead.id, 1, 3, "in_progress")
    assert [(call.id, call.outcome, call.disposition, call.agent) for call in seen.calls] == [
        (attempt.id, None, None, "lan"),
        (before, "no_answer", "again", None),
    ]
    assert [(item.say or item.ask, item.key) for item in seen.script[:2]] == [("Good morning.", ""), ("Renew?", "renew")]
    assert (seen.answers, seen.missing, seen.note) == ({"many": 2}, ("renew",), "likes gold")
    assert [each.effect for each in seen.dispositions] == [
        *("sold: done, no more calls", "refused: not called for 30 days", "later: called again at the time you promise"),
        *("again: called again after 1 hour", "wrong: wrong number, no more calls"),
    ]
    assert json.loads(json.dumps(seen.to_json()))["dispositions"][1]["effect"] == "refused: not called for 30 days"


@pytest.mark.spec("M12")
def test_the_card_counts_this_call_once_before_and_after_its_end(desk: Desk) -> None:
    desk.add(ADA)
    for hours in (4, 2):
        desk.called(ADA, Outcome.NO_ANSWER, at=NOW - hours * HOUR)
    attempt, lead = up(desk)
    again = [each.effect for each in card(desk, attempt=attempt.id).dispositions if each.code == "again"]
    desk.close(attempt, lead, Outcome.NO_ANSWER)
    desk.rows("UPDATE attempts SET agent = 'lan' WHERE id = %s", attempt.id)
    assert again == [each.effect for each in card(desk, attempt=attempt.id).dispositions if each.code == "again"]
    assert again == ["again: no more calls, all 3 are used"]


def test_the_card_shows_what_was_chosen_already(desk: Desk) -> None:
    attempt, lead = up(desk)
    said(desk, attempt.id, "refused", note="no")
    kept = card(desk, attempt=attempt.id)
    assert (kept.disposition, kept.kept_for_end, kept.note) == ("refused", True, "no")
    desk.close(attempt, lead, Outcome.CONNECTED)
    after = card(desk, attempt=attempt.id)
    assert (after.disposition, after.kept_for_end, after.status) == ("refused", False, "refused")


@pytest.mark.spec("S65", "S78")
def test_the_card_shows_open_tickets_of_any_of_his_numbers_and_promises_of_any_campaign(desk: Desk) -> None:
    desk.campaign(a_campaign("summer"))
    lead, summer = desk.add(ADA), desk.add(ADA, campaign="summer")
    desk.rows("INSERT INTO contact_numbers (contact, place, number) SELECT id, 1, %s FROM contacts WHERE number = %s", BEN, ADA)
    desk.rows("INSERT INTO tickets (channel, queue, number, note) VALUES ('callback', 'support', %s, 'pressed 1'), ('missed', 'support', %s, '')", BEN, ADA)
    desk.rows("INSERT INTO tickets (channel, number, closed_at) VALUES ('missed', %s, now())", ADA)
    desk.office.lead_mark(summer, Mark(CALL_AT, at=LATER_ON, agent="lan"), "op", "", NOW)
    seen = card(desk, lead=lead, has_call=True)
    assert [(each.channel, each.queue, each.note) for each in seen.tickets] == [("missed", "support", ""), ("callback", "support", "pressed 1")]
    assert [(each.campaign, each.lead, each.at, each.agent) for each in seen.promised] == [("summer", summer, LATER_ON, "lan")]


def test_a_preview_has_a_card_by_its_lead_before_its_attempt_is_in_the_database(desk: Desk) -> None:
    lead = desk.add(ADA)
    seen = card(desk, attempt=str(uuid.uuid4()), lead=lead, has_call=True)
    assert (seen.lead, seen.attempt, seen.answers, seen.calls) == (lead, None, {}, ())


def test_the_card_of_a_lead_is_for_him_who_has_it_promised_it_or_talked_to_it(desk: Desk) -> None:
    lead = desk.add(ADA)
    assert [desk.office.agent_card(agent, NOW, lead=lead) for agent in ("lan", "hoa", "eve")] == [None, None, None]
    attempt, copy = up(desk, agent="hoa")
    assert desk.office.agent_card("hoa", NOW, lead=lead) is not None
    desk.close(attempt, copy, Outcome.CONNECTED)  # it came to lan
    desk.rows("UPDATE attempts SET lead = NULL")
    assert desk.office.agent_card("lan", NOW, lead=lead) is not None
    assert desk.office.agent_card("hoa", NOW, lead=lead) is None
    for table, row in (("met = NULL, agent = 'hoa', status = 'callback_scheduled'", "hoa"), ("agent = NULL, met = 'eve'", "")):
        desk.rows(f"UPDATE leads SET {table}")
        seen = [agent for agent in ("lan", "hoa", "eve") if desk.office.agent_card(agent, NOW, lead=lead) is not None]
        assert seen == ([row] if row else [])  # eve does not serve the campaign


@pytest.mark.spec("S29")
def test_the_card_of_a_lead_he_has_taken_is_his_while_it_is_in_his_hands(desk: Desk) -> None:
    lead = desk.add(ADA)
    desk.make_ready()
    taken = desk.store.take_lead(a_take(agent="lan", zone_sets=(LONDON,)), NOW).lead
    assert taken is not None and taken.id == lead
    assert desk.office.agent_card("lan", NOW, lead=lead) is not None
    assert desk.office.agent_card("hoa", NOW, lead=lead) is None
    desk.store.return_leads(SPRING, [LeadReturn(taken.id, NOW, "")])
    assert desk.office.agent_card("lan", NOW, lead=lead) is None


def test_who_does_not_serve_the_campaign_sees_no_card(desk: Desk) -> None:
    desk.add(ADA)
    assert desk.office.agent_card("eve", NOW, lead=desk.lead(ADA)) is None
    assert desk.office.agent_card("lan", NOW, lead=999_999) is None
    assert desk.office.agent_card("lan", NOW) is None


@pytest.mark.spec("M15")
def test_an_operators_role_is_enough_for_what_agents_say(desk: Desk) -> None:
    desk.rows((paths.sql_dir() / "roles.sql").read_text(encoding="utf-8").replace("%", "%%"))
    attempt, lead = up(desk)
    with closing(Backoffice(f"{desk.dsn}&options=-c%20role%3Dfs_dialer_operator")) as theirs:
        assert theirs.agent_card("lan", NOW, attempt=attempt.id) is not None
        assert theirs.save_answers("lan", attempt.id, {"note": ["x"]}, NOW) is not None
        assert theirs.agent_dispose("lan", attempt.id, Result("again"), NOW) is not None
        desk.close(attempt, lead, Outcome.CONNECTED)
        assert theirs.agent_dispose("lan", attempt.id, Result("refused"), NOW) is not None
        assert theirs.agent_mark("lan", Mark(DO_NOT_CALL), NOW, attempt=attempt.id) is not None
