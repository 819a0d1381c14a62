"""lead forget: the person goes from everywhere, and every total stays as it was."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fs_dialer.core.model import Outcome
from fs_dialer.core.resources import Hours
from tests.cli.runner import Done, called
from tests.db.desk import ADA, BEN, EVE, LONDON, Desk, a_campaign, a_desk

LONGER = ADA + "1"  # a number that ADA is the beginning of


@pytest.fixture
def desk(pg_dsn: str) -> Iterator[Desk]:
    with a_desk(pg_dsn, hours=Hours()) as made:
        yield made


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "journal").mkdir()
    (tmp_path / "recordings" / "2026-11").mkdir(parents=True)
    return tmp_path


def asked(desk: Desk, *words: str, state: Path | None = None) -> Done:
    return called(*words, dsn=desk.dsn, FS_DIALER_STATE_DIR=str(state or "/nonexistent"))


def a_life(desk: Desk) -> str:
    """Ada in two campaigns, called, disposed, with a ticket, events, messages, a command; the id of her call."""
    asked(desk, "contact", "add", ADA, "secret=likes tea", "--name", "Ada Example", "--also", BEN, "--group", "customers")
    desk.campaign(a_campaign("autumn", hours=Hours()))
    desk.add(ADA)
    desk.add(ADA, campaign="autumn")
    call = desk.called(ADA, Outcome.CONNECTED)
    asked(desk, "attempt", "dispose", call, "again", "--why", "Ada asked")
    asked(desk, "lead", "mark", ADA, "--campaign", "autumn", "stop", "--why", "Ada Example moved")
    desk.rows(
        "INSERT INTO tickets (channel, campaign, lead, attempt, number, note) VALUES ('call', 'spring', %s, %s, %s, 'Ada is nice')", desk.lead(ADA), call, ADA
    )
    desk.rows("INSERT INTO happenings (kind, data) VALUES ('attempt_ended', %s)", json.dumps({"number": ADA, "other": LONGER}))
    desk.rows("INSERT INTO outbox (webhook, body) VALUES ('crm', %s)", json.dumps({"data": {"number": ADA}}))
    desk.rows("INSERT INTO commands (id, verb, target, args, who) VALUES (gen_random_uuid(), 'call', %s, %s, 'x')", ADA, json.dumps({"number": ADA}))
    desk.rows("INSERT INTO audit (who, what, target, why, details) VALUES ('x', 'y', 'spring', %s, %s)", f"about {ADA}", json.dumps({"n": ADA, "m": LONGER}))
    return call


def everything(desk: Desk) -> str:
    """All rows of all tables, as text."""
    tables = desk.rows("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace")
    return "\n".join(str(desk.one(f"SELECT coalesce(json_agg(t)::text, '') FROM {table} AS t")) for (table,) in tables)


def totals(desk: Desk) -> tuple[object, ...]:
    """What reports count: calls by campaign and outcome, results, missed, tickets; and audit lines."""
    return (
        desk.rows("SELECT campaign, outcome, missed, disposition, agent, count(*) FROM attempts GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2"),
        desk.rows("SELECT campaign, channel, count(*) FROM tickets GROUP BY 1, 2 ORDER BY 1"),
        desk.office.outcome_totals(),
        desk.office.attempts_count(),
        desk.rows("SELECT who, what, count(*) FROM audit WHERE what NOT LIKE 'forget%%' GROUP BY 1, 2 ORDER BY 1, 2"),
    )


# --- erased -----------------------------------------------------------------------------------------------------------------------------


def test_nothing_that_names_the_person_is_left_and_every_total_stays(desk: Desk) -> None:
    a_life(desk)
    desk.add(EVE)
    desk.called(EVE, Outcome.NO_ANSWER)
    before = totals(desk)
    done = asked(desk, "lead", "forget", ADA, "--yes", "--why", "request 17", "--json")
    assert done.code == 0, done.err
    told = done.json
    assert (told["contacts"], told["numbers"], told["attempts"], told["tickets"]) == (1, 2, 1, 1)
    assert told["leads"] == {"autumn": {"stopped": 1}, "spring": {"retry": 1}}
    left = everything(desk)
    for word in (f'{ADA}"', f"{ADA} ", BEN, "Ada", "likes tea"):
        assert word not in left, word
    assert LONGER in left
    assert totals(desk) == before
    assert desk.rows("SELECT number FROM contacts") == [(EVE,)]


def test_leads_that_vanished_are_still_counted_for_reports(desk: Desk) -> None:
    a_life(desk)
    asked(desk, "lead", "forget", ADA, "--yes")
    assert desk.office.leads_forgotten() == {"autumn": {"stopped": 1}, "spring": {"retry": 1}}
    assert desk.office.leads_forgotten("spring") == {"spring": {"retry": 1}}
    assert desk.rows("SELECT who <> '', what FROM audit WHERE what LIKE 'forget%%' ORDER BY 2, target") == [(True, "forget"), *[(True, "forget_leads")] * 2]


def test_a_do_not_call_entry_survives_without_its_reason_unless_asked_otherwise(desk: Desk) -> None:
    a_life(desk)
    asked(desk, "dnc", "add", ADA, "--reason", "Ada hates calls")
    done = asked(desk, "lead", "forget", ADA, "--yes")
    assert "kept without their reasons" in done.out
    assert desk.rows("SELECT number, reason FROM do_not_call") == [(ADA, "")]
    assert asked(desk, "lead", "add", "spring", "--number", ADA, "--json").json["do_not_call"] == 1
    asked(desk, "lead", "forget", ADA, "--drop-do-not-call", "--yes")
    assert desk.rows("SELECT number FROM do_not_call") == []


def test_a_number_that_somebody_else_has_too_stays_his(desk: Desk) -> None:
    asked(desk, "contact", "add", ADA, "--also", EVE)
    asked(desk, "contact", "add", BEN, "--also", EVE)
    desk.add(BEN)
    assert asked(desk, "lead", "forget", ADA, "--yes", "--json").json["numbers"] == 1
    assert desk.rows("SELECT number FROM contact_numbers") == [(EVE,)]
    assert desk.rows("SELECT number, other_numbers FROM leads") == [(BEN, [[EVE, "Europe/London"]])]
    assert asked(desk, "lead", "forget", EVE, "--yes", "--json").json["contacts"] == 1
    assert everything(desk).count(EVE) == 0


def test_a_number_of_several_people_and_nobodys_first_names_nobody(desk: Desk) -> None:
    asked(desk, "contact", "add", ADA, "--also", EVE)
    asked(desk, "contact", "add", BEN, "--also", EVE)
    done = asked(desk, "lead", "forget", EVE, "--yes")
    assert done.code == 1 and "2 people" in done.err


def test_who_only_called_a_queue_is_forgotten_too(desk: Desk) -> None:
    desk.rows("INSERT INTO tickets (channel, queue, number, note) VALUES ('missed', 'support', %s, 'Ada')", ADA)
    assert asked(desk, "lead", "forget", ADA, "--yes", "--json").json["tickets"] == 1
    assert desk.rows("SELECT number, note FROM tickets") == [("", "")]


# --- refused, asked ---------------------------------------------------------------------------------------------------------------------


def test_nobody_is_forgotten_while_a_call_to_him_is_up(desk: Desk) -> None:
    desk.add(ADA)
    desk.make_ready()
    attempt, _ = desk.open(desk.claim()[0])
    done = asked(desk, "lead", "forget", ADA, "--yes")
    assert done.code == 1 and "a call to" in done.err
    assert desk.one("SELECT count(*) FROM contacts") == 1 and attempt.id in everything(desk)


def test_a_lead_in_a_daemons_hands_goes_and_is_not_dialled(desk: Desk) -> None:
    desk.add(ADA)
    desk.make_ready()
    (copy,) = desk.claim()
    assert asked(desk, "lead", "forget", ADA, "--yes").code == 0
    refusal = desk.open(copy)[1]
    assert refusal is not None and refusal.gate == "lead_taken"
    assert ADA not in everything(desk)


def test_somebody_has_to_say_so(desk: Desk) -> None:
    a_life(desk)
    done = asked(desk, "lead", "forget", ADA)
    assert done.code == 2 and "--yes" in done.err
    assert desk.one("SELECT count(*) FROM contacts") == 1


def test_a_dry_run_counts_and_erases_nothing(desk: Desk, state: Path) -> None:
    a_life(desk)
    (state / "journal" / "a.jsonl").write_text(f'"{ADA}"\n')
    before = everything(desk)
    done = asked(desk, "lead", "forget", ADA, "--dry-run", "--json", state=state).json
    assert (done["attempts"], done["journals"], everything(desk)) == (1, None, before)
    assert ADA in (state / "journal" / "a.jsonl").read_text()


def test_nobody_is_nothing_to_do(desk: Desk) -> None:
    done = asked(desk, "lead", "forget", ADA, "--yes")
    assert (done.code, done.out.startswith(f"nothing is known of {ADA}")) == (0, True)
    assert desk.one("SELECT count(*) FROM audit") == 0


# --- outside of the database --------------------------------------------------------------------------------------------------------------


def test_journals_and_recordings_of_this_machine_lose_the_person(desk: Desk, state: Path) -> None:
    call = a_life(desk)
    journal = state / "journal" / "20261125T120000Z-1.jsonl"
    journal.write_text(f'{{"seed": 1}}\n[1.0,"",{{"number":"{ADA}","also":"{BEN}","longer":"{LONGER}"}}]\n')
    size = journal.stat().st_size
    os.utime(journal, (1e9, 1e9))  # nobody writes to it any more, so nobody waits for what he has not written yet
    mine, other = state / "recordings" / "2026-11" / f"{call}.wav", state / "recordings" / "2026-11" / "another.wav"
    mine.touch()
    other.touch()
    done = asked(desk, "lead", "forget", ADA, "--yes", "--json", state=state).json
    assert (done["journals"], done["recordings"]) == ({"files": 1, "places": 2, "folder": str(state / "journal")}, 1)
    text = journal.read_text()
    assert '"+000000000000"' in text and LONGER in text and f'"{ADA}"' not in text and BEN not in text
    assert (journal.stat().st_size, mine.exists(), other.exists()) == (size, False, True)


def test_which_journals_were_looked_through_is_said_and_which_were_not(desk: Desk, state: Path) -> None:
    a_life(desk)
    out = asked(desk, "lead", "forget", ADA, "--yes", state=state).out
    assert f"0 journals in {state / 'journal'} looked through" in out
    assert "journals below another state_dir, or on another host, remain as they are" in out


def test_a_journal_that_cannot_be_written_to_keeps_the_database_as_it_was(desk: Desk, state: Path) -> None:
    """A folder in the place of a journal stands for one that belongs to somebody else: it stops root too."""
    a_life(desk)
    (state / "journal" / "theirs.jsonl").mkdir()
    before = everything(desk)
    done = asked(desk, "lead", "forget", ADA, "--yes", state=state)
    assert done.code == 1 and "nothing was changed in the database" in done.err
    assert everything(desk) == before


def test_forgetting_again_after_a_failure_finishes_the_work(desk: Desk, state: Path) -> None:
    a_life(desk)
    asked(desk, "lead", "forget", ADA, "--yes")
    (state / "journal" / "late.jsonl").write_text(f'"{ADA}"\n')
    os.utime(state / "journal" / "late.jsonl", (1e9, 1e9))
    assert asked(desk, "lead", "forget", ADA, "--yes", "--json", state=state).json["journals"] == {"files": 1, "places": 1, "folder": str(state / "journal")}


def test_a_number_imported_again_is_somebody_new(desk: Desk) -> None:
    a_life(desk)
    asked(desk, "lead", "forget", ADA, "--yes")
    desk.office.lead_add("spring", "test", numbers=[(ADA, LONDON)])
    assert asked(desk, "lead", "show", ADA, "--json").json["leads"][0]["attempts"] == []
