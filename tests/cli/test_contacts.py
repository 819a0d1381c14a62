"""contact and group at the command line: found, added, changed, and nothing that a person is called can do any harm."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fs_dialer.core.definition import LeadsSource
from fs_dialer.core.resources import SavedFilter
from tests.cli.runner import Done, called
from tests.db.desk import ADA, BEN, EVE, Desk, a_campaign, a_desk

HOSTILE = "Ada ${system(touch /tmp/owned)} {\"'} | ; <b>"


@pytest.fixture
def desk(pg_dsn: str) -> Iterator[Desk]:
    with a_desk(pg_dsn) as made:
        yield made


def asked(desk: Desk, *words: str) -> Done:
    return called(*words, dsn=desk.dsn)


@pytest.fixture
def people(desk: Desk) -> Desk:
    """Ada with a second number in the group, and Ben."""
    for words in (
        (ADA, "tier=gold", "city=Hà Nội", "--name", "Ada", "--also", f"{EVE}:mobile", "--group", "customers"),
        (BEN, "tier=silver", "--name", "Ben"),
    ):
        assert asked(desk, "contact", "add", *words).code == 0
    return desk


def names(done: Done) -> list[str]:
    return [each["name"] for each in done.json["contacts"]]


# --- search -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S17", "M2")
@pytest.mark.parametrize("text", ["ada", "0103", "HÀ", "gold"])
def test_people_are_found_by_what_is_in_their_name_numbers_or_attributes(people: Desk, text: str) -> None:
    assert names(asked(people, "contact", "search", text, "--json")) == ["Ada"]


@pytest.mark.spec("S18", "M3", "M14")
def test_people_are_found_by_filter_by_saved_filter_by_group_and_by_any_number(people: Desk) -> None:
    people.define("filters", SavedFilter(name="best", where="tier = gold"))
    for words in (("--filter", "tier in (gold) and has city"), ("--filter", "best"), ("--group", "customers"), ("--number", EVE)):
        assert names(asked(people, "contact", "search", *words, "--json")) == ["Ada"], words
    assert names(asked(people, "contact", "search", "ada", "--filter", "tier = silver", "--json")) == []


def test_a_filter_that_makes_no_sense_is_refused_with_what_would(people: Desk) -> None:
    done = asked(people, "contact", "search", "--filter", "tier == gold")
    assert done.code == 3 and "write =" in done.err
    assert "nearest: tier" in asked(people, "contact", "search", "--filter", "tear = gold").err


def test_lists_mask_numbers_and_come_in_pages(people: Desk) -> None:
    done = asked(people, "contact", "search", "--limit", "1")
    assert "+442***101" in done.out and ADA not in done.out and "--after" in done.err
    first = asked(people, "contact", "search", "--limit", "1", "--json").json
    assert names(asked(people, "contact", "search", "--after", str(first["next_after"]), "--json")) == ["Ben"]


# --- show, add, set ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S17")
def test_a_person_is_shown_with_numbers_groups_attributes_and_campaigns(people: Desk) -> None:
    people.add(ADA)
    out = asked(people, "contact", "show", EVE).out
    for part in (ADA, f"{EVE} (mobile)", "customers", "gold", "spring", "new"):
        assert part in out, part
    (card,) = asked(people, "contact", "show", ADA, "--json").json["contacts"]
    assert [lead["campaign"] for lead in card["leads"]] == ["spring"]


def test_a_number_that_is_somebodys_is_not_added_again(people: Desk) -> None:
    done = asked(people, "contact", "add", ADA)
    assert done.code == 1 and "in the directory already" in done.err


def test_what_is_known_is_set_added_to_and_taken_away(people: Desk) -> None:
    done = asked(people, "contact", "set", ADA, "tier=", "age=41", "name=Ada B.", "--without", EVE, "--also", "+442079460109:work", "--json")
    contact = done.json["contact"]
    assert (contact["name"], contact["attributes"], [each["number"] for each in contact["numbers"]]) == (
        "Ada B.",
        {"age": "41", "city": "Hà Nội"},
        ["+442079460109"],
    )
    assert people.rows("SELECT who <> '', details -> 'fields' FROM audit WHERE what = 'set_contact'") == [(True, ["age", "name", "numbers", "tier"])]


@pytest.mark.spec("D4")
def test_a_zone_of_ones_own_moves_the_open_leads_and_takes_them_out_of_the_daemons_hands(people: Desk) -> None:
    lead = people.add(ADA)
    people.make_ready()
    (copy,) = people.claim()
    assert asked(people, "contact", "set", ADA, "zone=Asia/Tokyo").code == 0
    assert people.rows("SELECT zone_set, claimed_epoch FROM leads WHERE id = %s", lead) == [("Asia/Tokyo", None)]
    refusal = people.open(copy)[1]
    assert refusal is not None and refusal.gate == "lead_taken"
    assert asked(people, "contact", "set", ADA, "zone=").code == 0
    assert people.one("SELECT zone_set FROM leads WHERE id = %s", lead) == "Europe/London"


@pytest.mark.spec("S34")
def test_an_account_is_managed_by_an_agent_who_is_there(people: Desk) -> None:
    assert asked(people, "contact", "owner", ADA, "lan", "--json").json["contact"]["owner"] == "lan"
    assert asked(people, "contact", "owner", ADA, "nobody-here").code == 1
    assert asked(people, "contact", "owner", ADA, "--nobody", "--json").json["contact"]["owner"] == ""
    assert asked(people, "contact", "owner", ADA).code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [(("number=+44207",), "--also NUMBER"), (("owner=lan",), "contact owner"), (("zone=Asia/Tokio",), "Asia/Tokyo"), (("note=\x07",), "control characters")],
)
def test_what_a_contact_cannot_hold_is_refused_with_what_to_say(people: Desk, words: tuple[str, ...], said: str) -> None:
    done = asked(people, "contact", "set", ADA, *words)
    assert done.code == 3 and said in done.err


# --- groups -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S21")
def test_people_come_into_a_group_by_number_or_filter_and_leave_it(people: Desk) -> None:
    assert asked(people, "group", "add", "customers", "--filter", "has tier").out == "1 contact came into customers, 1 was in it already\n"
    assert asked(people, "group", "remove", "customers", EVE, "--json").json["changed"] == 1
    assert [each["name"] for each in asked(people, "group", "show", "customers", "--json").json["contacts"]] == ["Ben"]
    assert asked(people, "group", "list", "--json").json["groups"] == [{"name": "customers", "title": "", "declared": True, "members": 1}]


def test_numbers_nobody_has_are_told_and_the_others_done(people: Desk) -> None:
    done = asked(people, "group", "add", "customers", BEN, "+442079460109", "--json")
    assert (done.code, done.json["changed"], done.json["unknown"]) == (1, 1, ["+442079460109"])


def test_a_group_that_no_file_declares_is_refused_with_the_nearest(people: Desk) -> None:
    done = asked(people, "group", "add", "custmers", BEN)
    assert done.code == 1 and "nearest: customers" in done.err


@pytest.mark.spec("M10", "S21")
def test_who_comes_into_a_group_joins_campaigns_that_take_whoever_comes(people: Desk) -> None:
    people.campaign(a_campaign("endless", leads=LeadsSource(group="customers", filter="has tier", new_rows="join")))
    assert asked(people, "group", "add", "customers", BEN, "--json").json["campaigns"] == {"endless": 2}
    asked(people, "contact", "add", "+442079460105", "--group", "customers")
    assert people.one("SELECT count(*) FROM leads WHERE campaign = 'endless'") == 2
    asked(people, "contact", "set", "+442079460105", "tier=new")
    assert people.one("SELECT count(*) FROM leads WHERE campaign = 'endless'") == 3


# --- hostile ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D7")
def test_what_a_person_is_called_stays_what_it_is_and_moves_no_cursor(people: Desk) -> None:
    assert asked(people, "contact", "set", ADA, f"name={HOSTILE}", "=x".join(["evil", ""]), "note==cmd|' /C calc'!A0").code == 0
    assert people.one("SELECT name FROM contacts WHERE number = %s", ADA) == HOSTILE
    asked(people, "contact", "set", BEN, "name=Ben\u202e\u2028gone")
    out = asked(people, "contact", "show", BEN).out
    assert "\u202e" not in out and "\u2028" not in out


WORDS = st.one_of(
    st.sampled_from(["search", "show", "set", "add", "owner", "list", "remove", ADA, "--filter", "--number", "--group", "customers", "tier=gold", "--json"]),
    st.text(max_size=12),
    st.sampled_from(
        ["'; DROP TABLE contacts; --", "${system(id)}", "%s", "%(text)s", "a = b or (", "\ud800", "99999999999999999999", "--limit=0", "--after=-1"]
    ),
)


@given(group=st.sampled_from(["contact", "group"]), words=st.lists(WORDS, max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_typed_is_answered_and_never_a_traceback(people: Desk, group: str, words: list[str]) -> None:
    done = called(group, *words, dsn=people.dsn)
    assert done.code in (0, 1, 2, 3)
    assert "Traceback" not in done.err
