"""dnc at the command line: entries, lists, files of them, and what becomes of leads."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fs_dialer.core.model import Outcome
from fs_dialer.core.resources import DncList
from tests.cli.runner import Done, called
from tests.db.desk import ADA, BEN, EVE, Desk, a_campaign, a_desk


@pytest.fixture
def desk(pg_dsn: str) -> Iterator[Desk]:
    with a_desk(pg_dsn) as made:
        yield made


def asked(desk: Desk, *words: str | Path) -> Done:
    return called(*words, dsn=desk.dsn)


def on(desk: Desk, name: str = "national") -> list[str]:
    return [row[0] for row in desk.rows("SELECT number FROM do_not_call WHERE list = %s ORDER BY 1", name)]


def a_file(folder: Path, *lines: str, name: str = "register.txt") -> Path:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


# --- entries ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D14")
def test_a_number_on_a_list_blocks_its_leads_and_off_it_they_return(desk: Desk) -> None:
    lead = desk.add(ADA)
    assert asked(desk, "dnc", "add", ADA, "--reason", "by mail").out == "1 entry new on own; 1 lead blocked\n"
    assert desk.status(lead) == "blocked"
    assert asked(desk, "dnc", "add", ADA).out == "0 entries new on own, 1 there already; 0 leads blocked\n"
    assert asked(desk, "dnc", "remove", ADA, "--list", "own", "--reason", "typed wrong").out == "1 entry off own; 1 lead to be called again\n"
    assert desk.status(lead) == "new"


def test_a_prefix_forbids_every_number_that_begins_so(desk: Desk) -> None:
    lead = desk.add(ADA)
    assert asked(desk, "dnc", "add", "--prefix", "+44207", "--list", "national").code == 0
    assert desk.status(lead) == "blocked"
    shown = asked(desk, "dnc", "show", ADA, "--json").json
    assert (shown["forbidden"], [each["number"] for each in shown["entries"]]) == (True, ["+44207*"])
    assert asked(desk, "dnc", "remove", "--prefix", "+44207", "--list", "national", "--reason", "expired", "--json").json["leads_returned"] == 1


@pytest.mark.spec("D14")
def test_a_prefix_that_forbids_a_country_is_put_on_a_list_by_who_says_so_only(desk: Desk) -> None:
    desk.campaign(a_campaign("autumn"))
    leads = [desk.add(ADA), desk.add(BEN, campaign="autumn")]
    done = asked(desk, "dnc", "add", EVE, "--prefix", "+4")
    text = "+4 is only 1 digit: it forbids 2 open leads in 2 campaigns. Say --yes, or a longer prefix. Nothing was changed."
    assert (done.code, text in done.err, on(desk, "own"), [desk.status(lead) for lead in leads]) == (2, True, [], ["new", "new"])
    assert asked(desk, "dnc", "add", "--prefix", "+4", "--yes").out == "1 entry new on own; 2 leads blocked\n"


def test_a_longer_prefix_that_forbids_many_leads_asks_too(desk: Desk) -> None:
    desk.add(*(f"+4420794{number:05}" for number in range(1001)))
    done = asked(desk, "dnc", "add", "--prefix", "+4420794")
    assert done.code == 2 and "+4420794 forbids 1,001 open leads in 1 campaign. Say --yes" in done.err
    assert desk.one("SELECT count(*) FROM leads WHERE status = 'blocked'") == 0


def test_adding_can_be_rehearsed(desk: Desk) -> None:
    lead = desk.add(ADA)
    asked(desk, "dnc", "add", EVE)
    done = asked(desk, "dnc", "add", ADA, EVE, "--prefix", "+4", "--dry-run")
    assert done.out == "2 entries would be new on own, 1 there already; 1 lead would be blocked\nNothing was written.\n"
    assert (done.code, desk.status(lead), on(desk, "own")) == (0, "new", [EVE])


def test_off_a_list_it_is_said_what_still_forbids_a_number(desk: Desk) -> None:
    lead = desk.add(ADA)
    asked(desk, "dnc", "add", ADA, "--prefix", "+4", "--yes")
    asked(desk, "dnc", "add", ADA, "--list", "national")
    done = asked(desk, "dnc", "remove", ADA, "--list", "own", "--reason", "typed wrong")
    assert done.out == f"1 entry off own, but {ADA} stays forbidden: national has the number, own has the prefix +4*; 0 leads to be called again\n"
    assert desk.status(lead) == "blocked"
    told = asked(desk, "dnc", "remove", ADA, BEN, "--list", "national", "--reason", "typed wrong", "--json").json["still_forbidden"]
    assert [(each["entry"], [by["number"] for by in each["entries"]]) for each in told] == [(ADA, ["+4*"]), (BEN, ["+4*"])]


@pytest.mark.spec("D8")
def test_an_entry_added_while_a_call_is_queued_stops_it(desk: Desk) -> None:
    desk.add(ADA)
    desk.make_ready()
    (copy,) = desk.claim()
    asked(desk, "dnc", "add", ADA)
    refusal = desk.open(copy)[1]
    assert refusal is not None and refusal.gate == "do_not_call"


@pytest.mark.spec("M25")
def test_a_blacklist_is_a_list_of_that_name(desk: Desk) -> None:
    assert asked(desk, "dnc", "add", ADA, "--list", "blacklist").code == 1
    desk.define("dnc_lists", DncList(name="blacklist"))
    assert asked(desk, "dnc", "add", ADA, "--list", "blacklist").code == 0
    assert asked(desk, "lead", "add", "spring", "--number", ADA, "--json").json["do_not_call"] == 1


def test_lists_are_shown_with_their_age_and_a_stale_one_says_so(desk: Desk, tmp_path: Path) -> None:
    asked(desk, "dnc", "import", a_file(tmp_path, ADA), "--list", "national")
    (national, own) = asked(desk, "dnc", "list", "--json").json["lists"]
    assert "never imported" not in asked(desk, "dnc", "list").out
    assert (national["numbers"], national["stale"], own["name"]) == (1, False, "own")
    desk.rows("UPDATE do_not_call_imports SET at = at - interval '2 days'")
    assert "too old: import it anew" in asked(desk, "dnc", "list").out
    assert [each["number"] for each in asked(desk, "dnc", "list", "national", "--json").json["entries"]] == [ADA]
    assert ADA not in asked(desk, "dnc", "list", "national").out


def test_a_list_that_no_file_was_loaded_into_was_never_imported(desk: Desk) -> None:
    out = asked(desk, "dnc", "list").out
    assert "never imported" in out and "too old" not in out


def test_who_may_be_called_is_said(desk: Desk) -> None:
    assert asked(desk, "dnc", "show", ADA).out == f"{ADA}: on no do-not-call list, and nobody asked to be left alone\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("add",), 2, "name numbers"),
        (("add", "12"), 3, "no country code"),
        (("add", "--prefix", "4420"), 3, "write + and the first digits"),
        (("add", ADA, "--list", "nationl"), 1, "nearest: national"),
        (("remove", ADA, "--list", "own"), 2, "--reason"),
        (("remove", ADA, "--list", "own", "--reason", " "), 2, "says nothing"),
        (("list", "nationl"), 1, "nearest: national"),
    ],
)
def test_what_cannot_be_meant_is_told(desk: Desk, words: tuple[str, ...], code: int, said: str) -> None:
    done = asked(desk, "dnc", *words)
    assert (done.code, said in done.err) == (code, True), done.err


# --- files ------------------------------------------------------------------------------------------------------------------------------


def test_a_file_has_a_number_on_each_line(desk: Desk, tmp_path: Path) -> None:
    lead = desk.add(ADA)
    file = a_file(tmp_path, "# register of May", ADA, "+44 20 7946 0102", "", "rubbish", ADA)
    done = asked(desk, "dnc", "import", file, "--list", "national", "--json")
    told = done.json
    assert (told["numbers"], told["new"], told["unreadable"], told["leads_blocked"], done.code) == (2, 2, 1, 1, 0)
    assert told["problems"] == [{"line": 5, "value": "rubbish", "text": "`r` has no place in a telephone number"}]
    assert (on(desk), desk.status(lead)) == ([ADA, BEN], "blocked")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("name;phone;since", f"Ada;{ADA};2020", f"Ben;{BEN};2021"), ()),
        (("Name,Handy", f'"Ada, E.",{ADA}', f"Ben,{BEN}"), ("--column", "handy")),
        ((f"{ADA},2020", f"{BEN},2021"), ()),
        (("02079460101", "020 7946 0102"), ("--region", "GB")),
    ],
)
def test_or_a_column_of_a_csv(desk: Desk, tmp_path: Path, lines: tuple[str, ...], words: tuple[str, ...]) -> None:
    assert asked(desk, "dnc", "import", a_file(tmp_path, *lines), "--list", "national", *words).code == 0
    assert on(desk) == [ADA, BEN]


def test_the_same_file_again_changes_nothing_and_makes_the_list_as_new(desk: Desk, tmp_path: Path) -> None:
    file = a_file(tmp_path, ADA)
    asked(desk, "dnc", "import", file, "--list", "national")
    again = asked(desk, "dnc", "import", file, "--list", "national")
    assert again.out.startswith("1 number = 0 new on national + 1 there already\n") and "imported before" in again.err
    assert desk.rows("SELECT added, removed, hash = lag(hash) OVER (ORDER BY id) FROM do_not_call_imports ORDER BY id") == [(1, 0, None), (0, 0, True)]


def test_a_replacement_takes_off_what_is_not_in_it_and_leads_return(desk: Desk, tmp_path: Path) -> None:
    """To retry when they were called before; and only where no other list forbids them."""
    ada, ben, eve = desk.add(ADA), desk.add(BEN), desk.add(EVE)
    desk.called(ADA, Outcome.NO_ANSWER)
    asked(desk, "dnc", "import", a_file(tmp_path, ADA, BEN, EVE, "+442079460104", "+442079460105"), "--list", "national")
    asked(desk, "dnc", "add", BEN)
    done = asked(desk, "dnc", "import", a_file(tmp_path, EVE, "+442079460104", "+442079460105"), "--list", "national", "--replace", "--json").json
    assert (done["left"], done["leads_returned"], len(on(desk))) == (2, 1, 3)
    assert [desk.status(lead) for lead in (ada, ben, eve)] == ["retry", "blocked", "blocked"]


def test_a_file_that_would_take_most_of_a_list_away_asks_first(desk: Desk, tmp_path: Path) -> None:
    asked(desk, "dnc", "import", a_file(tmp_path, ADA, BEN, EVE), "--list", "national")
    wrong = a_file(tmp_path, "+442079460109")
    done = asked(desk, "dnc", "import", wrong, "--list", "national", "--replace")
    assert done.code == 2 and "3 of 3 numbers off the list" in done.err and "--yes" in done.err
    assert on(desk) == [ADA, BEN, EVE]
    assert asked(desk, "dnc", "import", wrong, "--list", "national", "--replace", "--yes").code == 0
    assert on(desk) == ["+442079460109"]


def test_a_dry_run_counts_and_writes_nothing(desk: Desk, tmp_path: Path) -> None:
    desk.add(ADA)
    done = asked(desk, "dnc", "import", a_file(tmp_path, ADA, "rubbish"), "--list", "national", "--dry-run")
    assert done.out == "1 number = 1 new on national + 0 there already\n1 lead would be blocked\nNothing was written.\n"
    assert "the others would be on the list" in done.err
    assert (on(desk), desk.one("SELECT count(*) FROM do_not_call_imports")) == ([], 0)


@pytest.mark.parametrize("content", [b"", b"name\nAda\n", b"\x00\x01\x02", b"PK\x03\x04zip", b"=cmd|'/C calc'!A0\n", b"phone\n${system(id)}\n"])
def test_a_file_without_a_number_is_refused_and_changes_nothing(desk: Desk, tmp_path: Path, content: bytes) -> None:
    asked(desk, "dnc", "add", ADA, "--list", "national")
    path = tmp_path / "odd"
    path.write_bytes(content)
    assert asked(desk, "dnc", "import", path, "--list", "national", "--replace", "--yes").code == 3
    assert on(desk) == [ADA]


def test_a_register_of_many_numbers_is_loaded_in_seconds(desk: Desk, tmp_path: Path) -> None:
    desk.add(ADA)
    numbers = [f"+4420{70000000 + n}" for n in random.Random(7).sample(range(10_000_000), 100_000)]
    started = time.monotonic()
    done = asked(desk, "dnc", "import", a_file(tmp_path, *numbers, ADA), "--list", "national", "--json").json
    assert (done["numbers"], done["leads_blocked"]) == (100_001, 1)
    assert time.monotonic() - started < 30


def test_a_file_whose_name_is_no_utf_8_is_loaded_like_any(desk: Desk, tmp_path: Path) -> None:
    path = a_file(tmp_path, ADA, name="caf\udce9.txt")
    assert asked(desk, "dnc", "import", path, "--list", "national", "--json").json["file"].endswith("caf\ufffd.txt")
    assert desk.one("SELECT file FROM do_not_call_imports") == "caf\ufffd.txt"


# --- hostile ----------------------------------------------------------------------------------------------------------------------------

WORDS = st.one_of(
    st.sampled_from([ADA, "own", "national", "--list", "--prefix", "+44", "--reason", "--json", "--replace", "--limit", "--after", "/nonexistent", "/"]),
    st.sampled_from(["\udce9", "%s", "'; --", "9" * 25, "+*", "*"]),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=10),
)


@pytest.mark.spec("D7")
@given(command=st.sampled_from(["list", "show", "add", "remove", "import"]), words=st.lists(WORDS, max_size=6))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_typed_is_answered_and_never_a_traceback(desk: Desk, command: str, words: list[str]) -> None:
    done = called("dnc", command, *words, dsn=desk.dsn)
    assert done.code in (0, 1, 2, 3)
    assert "Traceback" not in done.err


@given(content=st.binary(max_size=200))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_in_a_file_is_answered_and_never_a_traceback(desk: Desk, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(content)
    assert called("dnc", "import", path, "--list", "national", dsn=desk.dsn).code in (0, 3)
