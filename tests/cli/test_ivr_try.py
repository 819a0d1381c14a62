"""ivr try: a walk through a flow in the terminal, and what would become of the lead (S50, D13)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.runner import ROOT, Done, a_csv, a_folder, called
from tests.cli.test_ivr import AUTOCALL, RIGHT

pytestmark = pytest.mark.spec("S50", "D13")
SHIPPED = ("ivr", "try", "dues-menu", "--from", ROOT / "conf", "--set", "due_amount=120.50")


def tried(keys: str, *more: str) -> Done:
    return called(*SHIPPED, "--keys", keys, *more)


def test_it_tells_what_is_played_what_is_waited_for_and_how_it_ends() -> None:
    done = tried("7,2,4711,#,a:known=yes,5")
    assert done.code == 0
    for words in (
        "“120.50” as money",
        "waits 5 s for a key: 1 → adviser, 2 → paid, 9 → stop, * → owed   (try 1 of 3)",
        "not-understood.wav",
        "(try 2 of 3)",
        "so far 4711",
        "path      main=2;paid=4711;mark=done;rating=5;bye=success",
        "the lead  succeeded: the flow came to an end that counts as reached",
        "set       says_paid = yes",
    ):
        assert words in done.out


@pytest.mark.parametrize(
    ("keys", "lead", "path"),
    [
        ("1,a", "succeeded", "main=1;adviser="),
        ("1,t,7", "succeeded", "main=1;message=7;bye=success"),
        ("1,t,h", "succeeded", "main=1;message=5"),
        ("9", "do_not_call", "main=9;stop=yes;stop=success"),
        ("t,t,t", "retry", "unheard=other"),
        ("*,h", "retry", "main=*;main="),
        ("2,h", "retry", "main=2;paid="),
        ("2,4711,t,t,5", "succeeded", "main=2;paid=4711;mark=done;rating=5;bye=success"),
    ],
)
def test_the_leads_fate_follows_from_what_he_did(keys: str, lead: str, path: str) -> None:
    found = tried(keys, "--json").json
    assert (found["lead"], found["path"]) == (lead, path)


def test_json_tells_the_whole_walk() -> None:
    found = tried("2,4711,#,t,5", "--json").json
    assert found["steps"][1] == {"node": "paid", "do": "gather", "name": "reference", "value": "4711"}
    assert found["heard"][2]["what"] == "120.50" and found["ended"] == "end" and found["parameters"] == {"says_paid": "yes"}


def test_where_the_keys_come_to_an_end_it_is_told_what_is_waited_for() -> None:
    assert "stopped   at paid, which waits 5 s for 4 to 8 digits, ended by #" in tried("2").out
    found = tried("2", "--json").json
    assert found["ended"] is None and found["lead"] is None and found["waits_for"]["what"] == "digits"


def test_keys_after_the_end_are_left() -> None:
    assert tried("9,1,2,3").code == 0


def test_keys_come_from_lines_where_the_input_is_no_terminal() -> None:
    done = called(*SHIPPED, "--json", given="2 4711\n#\nt, 5\n")
    assert done.json["path"] == "main=2;paid=4711;mark=done;rating=5;bye=success"


def test_q_leaves() -> None:
    assert called(*SHIPPED, "--json", given="2\nq\n4711\n").json["path"] == "main=2;paid="


@pytest.mark.parametrize("keys", ["a", "x", "2,a", "1,5", "1,t,#"])
def test_a_word_that_means_nothing_there_is_misuse_and_says_what_would(keys: str) -> None:
    done = tried(keys)
    assert done.code == 2 and "means nothing at" in done.err and "t time is over" in done.err


def test_an_attribute_that_is_missing_is_told() -> None:
    done = called("ivr", "try", "dues-menu", "--from", ROOT / "conf", "--keys", "9")
    assert "the lead has no due_amount: give one with --set due_amount=VALUE" in done.err


@pytest.mark.spec("D7")
def test_a_value_that_no_switch_is_given_is_told() -> None:
    done = called("ivr", "try", "dues-menu", "--from", ROOT / "conf", "--set", "due_amount=${system(id)}", "--keys", "9")
    assert "due_amount is not given to the switch" in done.err and "system" not in done.out


def test_a_set_without_a_value_is_misuse() -> None:
    assert called("ivr", "try", "dues-menu", "--from", ROOT / "conf", "--set", "due_amount").code == 2


def test_a_lead_of_the_database_brings_its_attributes(tmp_path: Path, pg_dsn: str) -> None:
    folder = a_folder(tmp_path)
    (folder / "ivrs.yml").write_text(RIGHT)
    (folder / "campaigns" / "reminder.yml").write_text(AUTOCALL)
    assert called("apply", folder, dsn=pg_dsn).code == 0
    leads = a_csv(tmp_path, "phone,due", "+442079460101,55")
    assert called("lead", "import", leads, "--campaign", "reminder", dsn=pg_dsn).code == 0
    found = called("ivr", "try", "dues", "--lead", "+442079460101", "--keys", "9", "--json", dsn=pg_dsn).json
    assert found["attributes"] == {"due": "55"} and found["heard"][0]["what"] == "You owe 55"
