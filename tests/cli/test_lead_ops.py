"""lead add, list, show, timeline, mark at the command line. What each mark means: tests/db/test_lead_marks.py."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fs_dialer.core.definition import Window
from fs_dialer.core.model import Outcome
from fs_dialer.core.resources import Hours
from tests.cli.runner import Done, called
from tests.db.desk import ADA, BEN, EVE, LONDON, Desk, a_campaign, a_desk

ALWAYS = Hours()


@pytest.fixture
def desk(pg_dsn: str) -> Iterator[Desk]:
    with a_desk(pg_dsn, hours=ALWAYS) as made:
        yield made


def asked(desk: Desk, *words: str) -> Done:
    return called(*words, dsn=desk.dsn)


# --- add --------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M10", "S16", "S17")
def test_people_named_by_number_or_id_join_a_running_campaign(desk: Desk) -> None:
    assert asked(desk, "lead", "add", "spring", "--number", ADA, "--number", "+44 20 7946 0102").out == "2 people = 2 new (2 contacts new in the directory)\n"
    asked(desk, "contact", "add", EVE)
    contact = str(desk.one("SELECT id FROM contacts WHERE number = %s", EVE))
    done = asked(desk, "lead", "add", "spring", "--contact", contact, "--number", ADA, "--json").json
    assert done == {"campaign": "spring", "new": 1, "do_not_call": 0, "refused": 0, "known": 1, "contacts": 0, "dry_run": False}
    assert len(desk.claim()) == 3


@pytest.mark.spec("S18", "S21", "M14")
def test_a_group_and_a_filter_are_taken_together(desk: Desk) -> None:
    for number, tier in ((ADA, "gold"), (BEN, "gold"), (EVE, "silver")):
        asked(desk, "contact", "add", number, f"tier={tier}", *(("--group", "customers") if number != BEN else ()))
    done = asked(desk, "lead", "add", "spring", "--group", "customers", "--filter", "tier = gold", "--json").json
    assert (done["new"], desk.rows("SELECT number FROM leads")) == (1, [(ADA,)])


@pytest.mark.spec("D16", "S12")
def test_wishes_are_heeded_when_people_join(desk: Desk) -> None:
    asked(desk, "dnc", "add", ADA)
    desk.rows("INSERT INTO no_callback (number, campaign, until, added_by) VALUES (%s, '', now() + interval '1 day', 'test')", BEN)
    done = asked(desk, "lead", "add", "spring", "--number", ADA, "--number", BEN, "--number", EVE)
    assert done.out.startswith("3 people = 1 new + 1 do-not-call + 1 left alone for now (")
    assert dict(desk.rows("SELECT number, status FROM leads")) == {ADA: "blocked", BEN: "refused", EVE: "new"}


def test_a_person_known_by_a_further_number_is_called_on_the_one_that_was_said_first(desk: Desk) -> None:
    asked(desk, "contact", "add", ADA, "--also", BEN)
    assert asked(desk, "lead", "add", "spring", "--number", BEN, "--json").json["contacts"] == 0
    assert desk.rows("SELECT number, other_numbers FROM leads") == [(BEN, [[ADA, "Europe/London"]])]


def test_a_dry_run_counts_and_writes_nothing(desk: Desk) -> None:
    assert asked(desk, "lead", "add", "spring", "--number", ADA, "--dry-run").out.endswith("Nothing was written.\n")
    assert desk.one("SELECT count(*) FROM contacts") == 0


@pytest.mark.spec("D11")
def test_an_ended_campaign_takes_nobody(desk: Desk) -> None:
    desk.rows("UPDATE campaigns SET state = 'ended'")
    done = asked(desk, "lead", "add", "spring", "--number", ADA)
    assert done.code == 1 and "clone it" in done.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "name people"),
        (("--number", ADA, "--group", "customers"), 2, "name people"),
        (("--number", "12"), 3, "no country code"),
        (("--group", "custmers"), 1, "nearest: customers"),
        (("--contact", "4711"), 1, "no contact 4711"),
        (("--filter", "tier ="), 3, "character"),
    ],
)
def test_what_cannot_be_meant_is_told(desk: Desk, words: tuple[str, ...], code: int, said: str) -> None:
    done = asked(desk, "lead", "add", "spring", *words)
    assert (done.code, said in done.err) == (code, True), done.err
    assert asked(desk, "lead", "add", "sprng", "--number", ADA).code == 1


# --- list, show, timeline -----------------------------------------------------------------------------------------------------------------


def test_leads_are_listed_by_gate_agent_and_filter(desk: Desk) -> None:
    asked(desk, "contact", "add", ADA, "tier=gold")
    desk.add(ADA, BEN)
    desk.rows("UPDATE leads SET held_by = 'hours' WHERE number = %s", BEN)
    asked(desk, "lead", "mark", ADA, "callback-at", "+2h", "--agent", "lan")
    for words, number in (
        (("--held-by", "hours"), BEN),
        (("--agent", "lan"), ADA),
        (("--filter", "tier = gold"), ADA),
        (("--status", "callback_scheduled"), ADA),
    ):
        found = asked(desk, "lead", "list", *words, "--json").json["leads"]
        assert [lead["number"] for lead in found] == [number], words
    assert "in 2 h by lan" in asked(desk, "lead", "list", "--agent", "lan").out or "in 1 h 59 m by lan" in asked(desk, "lead", "list").out


@pytest.mark.spec("M18")
def test_a_lead_is_shown_with_who_had_it_its_result_and_when_it_is_called_next(desk: Desk) -> None:
    lead = desk.add(ADA)
    attempt = desk.called()
    asked(desk, "attempt", "dispose", attempt, "later", "--callback-at", "2026-12-01 14:00")
    out = asked(desk, "lead", "show", str(lead)).out
    for part in ("callback scheduled", "connected, later, lan", "not before", "Tue 1 Dec 2026 14:00", "disposition later: callback promised"):
        assert part in out, part


@pytest.mark.spec("M21")
def test_a_timeline_tells_all_that_happened_over_all_campaigns_in_order(desk: Desk) -> None:
    desk.campaign(a_campaign("autumn", hours=ALWAYS))
    asked(desk, "contact", "add", ADA, "--also", BEN)
    desk.add(ADA)
    desk.add(BEN, campaign="autumn")
    attempt = desk.called(outcome=Outcome.NO_ANSWER, at=time.time())
    asked(desk, "attempt", "dispose", attempt, "again")
    asked(desk, "lead", "mark", ADA, "--campaign", "spring", "stop", "--why", "moved")
    asked(desk, "dnc", "add", BEN, "--reason", "by mail")
    desk.rows("INSERT INTO tickets (channel, campaign, number, note) VALUES ('call', 'spring', %s, 'look at it')", ADA)
    found = asked(desk, "lead", "timeline", BEN, "--json").json["entries"]
    assert [entry["at"] for entry in found] == sorted(entry["at"] for entry in found)
    assert {(entry["kind"], entry["place"]) for entry in found} == {
        *{("lead", "spring"), ("lead", "autumn"), ("call", "spring"), ("result", "spring"), ("audit", "spring"), ("audit", ""), ("do_not_call", "own")},
        ("ticket", "spring"),
    }
    out = asked(desk, "lead", "timeline", ADA).out
    for part in ("put into the directory by hand", "marked stop: stopped: no more calls: moved", "on the do-not-call list own: by mail", "call, look at it"):
        assert part in out, part


def test_nothing_known_of_a_number_is_exit_1(desk: Desk) -> None:
    assert asked(desk, "lead", "timeline", ADA).code == 1


def test_a_timeline_is_asked_for_by_a_leads_id_too(desk: Desk) -> None:
    lead = desk.add(ADA)
    assert asked(desk, "lead", "timeline", str(lead), "--json").json["number"] == ADA
    done = asked(desk, "lead", "timeline", str(lead + 1))
    assert done.code == 1 and f"there is no lead {lead + 1}" in done.err


# --- mark -------------------------------------------------------------------------------------------------------------------------------


def test_several_leads_are_marked_at_once_and_refusals_hold_up_nobody(desk: Desk) -> None:
    desk.add(ADA, BEN)
    asked(desk, "lead", "mark", BEN, "stop")
    done = asked(desk, "lead", "mark", ADA, BEN, "stop", "--json")
    assert done.code == 1
    assert [(lead["status"], bool(lead["refused"])) for lead in done.json["leads"]] == [("stopped", False), ("stopped", True)]


@pytest.mark.spec("S12", "D16")
def test_do_not_call_back_is_said_with_its_length(desk: Desk) -> None:
    desk.add(ADA)
    done = asked(desk, "lead", "mark", ADA, "do-not-call-back", "--for", "10d", "--why", "in writing")
    assert done.out.startswith(f"lead {desk.lead(ADA)} of spring: not called for 10d, by this campaign, until ")
    assert desk.one("SELECT why FROM audit WHERE what = 'lead_mark'") == "in writing"


@pytest.mark.spec("D4", "D9")
def test_a_time_is_meant_on_the_clock_where_each_lead_lives(desk: Desk) -> None:
    london, tokyo = desk.add(ADA), desk.add(BEN, zones=("Asia/Tokyo",))
    assert asked(desk, "lead", "mark", str(london), str(tokyo), "callback-at", "2027-01-12 9:00").code == 0
    moments = [datetime.fromtimestamp(desk.state(lead)[2], UTC).hour for lead in (london, tokyo)]
    assert moments == [9, 0]


def test_a_time_after_the_campaigns_end_is_refused_with_what_is_possible(desk: Desk) -> None:
    desk.campaign(a_campaign(hours=ALWAYS, window=Window(end=time.time() + 86400, zone="Europe/London")))
    desk.add(ADA)
    done = asked(desk, "lead", "mark", ADA, "callback-at", "+3d", "--json")
    (lead,) = done.json["leads"]
    assert (done.code, len(lead["instead"]), "has ended by then" in lead["refused"]) == (1, 1, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("stop",), "name a lead"),
        (("4711",), "say what to mark them as"),
        (("4711", "stpo"), "nearest: stop"),
        (("73", "nonsense"), "`nonsense` is no mark; nearest: "),
        (("+44 20 7946 0101", "73", "re-open", "now"), "`re-open` is no mark; nearest: reopen; there are "),
        (("4711", "callback-at"), "needs a time"),
        (("4711", "callback-at", "yesterdy", "9:00"), "TIME"),
        (("4711", "stop", "4712"), "leads stand before it"),
        (("4711", "stop", "--for", "30d"), "--for goes with"),
        (("4711", "do-not-call-back", "--for", "30"), "--for"),
    ],
)
def test_a_command_line_that_means_nothing_is_exit_2(desk: Desk, words: tuple[str, ...], said: str) -> None:
    if "yesterdy" in words:
        words = (str(desk.add(ADA)), *words[1:])
    done = asked(desk, "lead", "mark", *words)
    assert done.code == 2 and said in done.err, done.err


WORDS = st.one_of(
    st.sampled_from(
        ["1", ADA, BEN, "spring", "stop", "reopen", "callback-at", "do-not-call-back", "ready-now", "next-number", "tomorrow 9:00", "+2h", "--json"]
    ),
    st.sampled_from(["--for", "--campaign", "--number", "--filter", "--group", "--contact", "--why", "0s", "9" * 30, "'; --", "%s", "\ud800", "\0"]),
    st.text(max_size=10),
)


@given(command=st.sampled_from(["add", "list", "show", "timeline", "mark"]), words=st.lists(WORDS, max_size=6))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_typed_is_answered_and_never_a_traceback(desk: Desk, command: str, words: list[str]) -> None:
    if not desk.one("SELECT count(*) FROM leads"):
        desk.office.lead_add("spring", "test", numbers=[(ADA, LONDON)])
    done = called("lead", command, *words, dsn=desk.dsn)
    assert done.code in (0, 1, 2, 3)
    assert "Traceback" not in done.err
