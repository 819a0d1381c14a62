"""attempt list, show, dispose, export at the command line. What results mean: tests/db/test_dispositions.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fs_dialer.core.model import Outcome
from fs_dialer.core.resources import Hours
from tests.cli.runner import Done, called, run
from tests.db.desk import ADA, BEN, NOW, SCRIPT, Desk, a_campaign, a_desk

NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def desk(pg_dsn: str) -> Iterator[Desk]:
    with a_desk(pg_dsn, hours=Hours(), script=SCRIPT) as made:
        yield made


def asked(desk: Desk, *words: str) -> Done:
    return called(*words, dsn=desk.dsn)


@pytest.fixture
def calls(desk: Desk) -> tuple[Desk, str, str]:
    """Two calls to Ada: nobody answered, then she was met; none to Ben."""
    desk.add(ADA, BEN)
    first = desk.called(outcome=Outcome.NO_ANSWER)
    return desk, first, desk.called(at=NOW + 7200)


# --- looking ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M18")
def test_calls_are_listed_by_campaign_or_lead_the_newest_first(calls: tuple[Desk, str, str]) -> None:
    desk, first, second = calls
    for whose in ("spring", str(desk.lead(ADA)), ADA):
        assert [each["id"] for each in asked(desk, "attempt", "list", whose, "--json").json["attempts"]] == [second, first]
    assert asked(desk, "attempt", "list", BEN).out == "No such calls.\n"
    assert [each["id"] for each in asked(desk, "attempt", "list", "spring", "--outcome", "no_answer", "--json").json["attempts"]] == [first]
    assert asked(desk, "attempt", "list", "sprng").code == 1


@pytest.mark.spec("X8")
def test_a_call_is_shown_with_what_each_gate_answered_and_each_moment(calls: tuple[Desk, str, str]) -> None:
    desk, _, met = calls
    out = asked(desk, "attempt", "show", met).out
    for part in ("connected", "inside working hours", "2026-11-25 14:00:05.000", "+6.000 s", "none yet", ADA):
        assert part in out, part
    evidence = asked(desk, "attempt", "show", met, "--json").json
    assert evidence["gates"] == [["campaign", "running"], ["hours", "inside working hours"]]
    assert (evidence["rang_at"], evidence["bridged_at"]) == (NOW + 7201, NOW + 7206)


def test_a_call_that_is_not_there_is_exit_1_and_no_id_is_exit_2(desk: Desk) -> None:
    assert asked(desk, "attempt", "show", NOBODY).code == 1
    assert asked(desk, "attempt", "dispose", NOBODY, "sold").code == 1
    assert asked(desk, "attempt", "show", "4711").code == 2


# --- dispose ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M12", "M23", "M24")
def test_a_result_is_told_with_what_it_made_of_the_lead(calls: tuple[Desk, str, str]) -> None:
    desk, _, met = calls
    done = asked(desk, "attempt", "dispose", met, "sold", "--answer", "renew=yes", "--answer", "plans=gold", "--answer", "plans=gold, for two", "--why", "x")
    assert done.out == f"call {met}: sold\n  lead {desk.lead(ADA)}: succeeded → succeeded (disposition sold: succeeded)\n"
    assert desk.one("SELECT answers FROM attempts WHERE id = %s", met) == {"renew": "yes", "plans": ["gold", "gold, for two"]}
    changed = asked(desk, "attempt", "dispose", met, "later", "--callback-at", "2026-12-01 9:00", "--agent", "lan", "--json").json
    assert (changed["replaced"], changed["lead_status"], changed["lead_kept"]) == ("sold", "callback_scheduled", "")


@pytest.mark.spec("M23")
def test_every_problem_is_told_and_nothing_is_changed(calls: tuple[Desk, str, str]) -> None:
    desk, _, met = calls
    done = asked(desk, "attempt", "dispose", met, "sold", "--answer", "many=many", "--answer", "hue=red")
    assert (done.code, [part in done.err for part in ("many: ", "hue: ", "renew: must be answered")]) == (3, [True] * 3)
    assert desk.one("SELECT disposition FROM attempts WHERE id = %s", met) is None


def test_an_older_call_is_only_written_down_and_says_so(calls: tuple[Desk, str, str]) -> None:
    desk, first, _ = calls
    assert asked(desk, "attempt", "dispose", first, "again").out.endswith("the lead stays succeeded: a later call was made to the lead\n")


# --- export -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("X8", "D7")
def test_evidence_is_a_line_of_json_for_each_call_that_is_over(calls: tuple[Desk, str, str], tmp_path: Path) -> None:
    desk, first, met = calls
    note = "=HYPERLINK(1) ${system(id)}\n\u2028\"'"
    asked(desk, "attempt", "dispose", met, "sold", "--answer", "renew=yes", "--answer", f"note={note}")
    lines = [json.loads(line) for line in asked(desk, "attempt", "export", "spring", "--evidence").out.split("\n") if line]
    assert [line["id"] for line in lines] == [first, met]
    assert lines[1]["opened_at"] == "2026-11-25T14:00:00.000000Z" and lines[1]["gates"][0] == ["campaign", "running"]
    assert lines[1]["answers"]["note"] == note.strip()
    assert "gates" not in json.loads(asked(desk, "attempt", "export", "spring").out.split("\n")[0])
    file = tmp_path / "evidence.jsonl"
    told = asked(desk, "attempt", "export", "spring", "--evidence", "--from", "2026-11-25 13:00", "--output", str(file), "--json").json
    assert (told["attempts"], [json.loads(line)["id"] for line in file.read_text().splitlines()]) == (1, [met])
    assert file.stat().st_mode & 0o777 == 0o600
    assert asked(desk, "attempt", "export", "spring", "--json").code == 2


def test_many_calls_are_exported_without_being_held_in_memory(desk: Desk) -> None:
    desk.add(ADA)
    id = desk.called()
    desk.rows(
        """
        INSERT INTO attempts SELECT (attempts).* FROM (
            SELECT jsonb_populate_record(attempts, jsonb_build_object('id', gen_random_uuid())) AS attempts FROM attempts, generate_series(1, 2500)
            WHERE attempts.id = %s) AS copies
        """,
        id,
    )
    done = run("attempt", "export", "spring", dsn=desk.dsn)
    assert done.out.count("\n") == 2501


WORDS = st.one_of(
    st.sampled_from([NOBODY, "spring", "sold", "later", "--callback-at", "--answer", "renew=yes", "=", "--agent", "lan", "--json", "--from", "mon 9:00", "1"]),
    st.sampled_from(["\udce9", "%s", "'; --", "9" * 25]),
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), max_size=10),
)


@given(command=st.sampled_from(["list", "show", "dispose", "export"]), words=st.lists(WORDS, max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_typed_is_answered_and_never_a_traceback(calls: tuple[Desk, str, str], command: str, words: list[str]) -> None:
    desk, _, met = calls
    done = called("attempt", command, *(met if word == NOBODY else word for word in words), dsn=desk.dsn)
    assert done.code in (0, 1, 2, 3)
    assert "Traceback" not in done.err


def test_a_campaign_whose_name_is_digits_is_a_campaign(desk: Desk) -> None:
    desk.campaign(a_campaign("2026"))
    assert asked(desk, "attempt", "list", "2026").out == "No such calls.\n"
