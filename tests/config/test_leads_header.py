"""The first row → which column holds what."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fs_dialer.config.leads_header import Columns, understood
from fs_dialer.errors import ConfigError

pytestmark = pytest.mark.spec("S19", "S20", "M2")


def columns(header: str, **mapping: str | Sequence[str]) -> Columns:
    return understood(header.split(","), "leads.csv", 1, mapping)


def phones(header: str, **mapping: str | Sequence[str]) -> list[str]:
    found = columns(header, **mapping)
    return [found.header[index] for index in found.phones]


def refusal(header: str, **mapping: str | Sequence[str]) -> str:
    with pytest.raises(ConfigError) as caught:
        columns(header, **mapping)
    return str(caught.value)


@pytest.mark.parametrize("column", ["phone", "Phone", "NUMBER", "telephone", "Mobile", "tel", "Phone Number", "phone_number", " phone ", "Phone-1", "cell"])
def test_the_column_of_numbers_is_known_under_its_usual_names(column: str) -> None:
    found = columns(f"name,{column}")
    assert (found.phones, found.name, found.others) == ((1,), 0, ())


def test_all_that_has_no_other_meaning_is_an_attribute() -> None:
    found = columns("phone,Name,tz,Owner,not before,plan,,city")
    assert (found.name, found.zone, found.owner, found.not_before) == (1, 2, 3, 4)
    assert found.others == ((5, "plan"), (7, "city")) and found.nameless == (6,)


@pytest.mark.parametrize(
    ("header", "order"),
    [
        ("phone,phone2,phone3", ["phone", "phone2", "phone3"]),
        ("name,Home,Mobile,Phone 2,phone", ["phone", "Home", "Mobile", "Phone 2"]),
        ("mobile,work,Home Phone", ["mobile", "work", "Home Phone"]),
        ("phone1,phone2", ["phone1", "phone2"]),
        ("number,mobile", ["number", "mobile"]),
        ("phone,number", ["phone"]),
        ("phone,phone10,workplace,phonebook", ["phone"]),
    ],
)
def test_further_columns_of_numbers_are_taken_in_the_file_s_order_after_the_best(header: str, order: list[str]) -> None:
    assert phones(header) == order


def test_further_columns_of_numbers_are_told() -> None:
    assert columns("phone,work").notes == ("numbers are taken from phone, work, in this order; --map phone=COLUMN,COLUMN says otherwise",)


@pytest.mark.parametrize("theirs", ["Festnetz,handy", ["Festnetz", "Handy"]])
def test_named_columns_of_numbers_are_taken_in_the_order_named_and_no_others(theirs: str | list[str]) -> None:
    found = columns("Vorname,Handy,Festnetz,mobile", phone=theirs, name="vorname")
    assert found.phones == (2, 1) and found.name == 0 and found.others == ((3, "mobile"),)
    assert found.notes == ("numbers are taken from Festnetz, Handy alone, not from mobile",)


def test_a_column_whose_name_holds_a_comma_can_be_named() -> None:
    assert understood(["Nummer, privat", "x"], "leads.csv", 1, {"phone": "Nummer, privat"}).phones == (0,)


def test_a_column_named_twice_is_taken_once() -> None:
    assert columns("Handy,x", phone="Handy,Handy").phones == (0,)


def test_home_and_work_alone_are_no_numbers_unless_named() -> None:
    assert "no column `phone`" in refusal("home,work") and phones("home,work", phone="work,home") == ["work", "home"]


@pytest.mark.parametrize(
    ("header", "mapping", "what"),
    [
        ("Handy,Vorname", {"phone": "Handi"}, "there is no column `Handi`; nearest: Handy; the columns are: Handy, Vorname"),
        ("Handy,Vorname", {"phone": "Handy,Festnetz"}, "there is no column `Festnetz`"),
        ("Handy", {"phone": ","}, "there is no column `,`"),
        ("Handy", {"fone": "Handy"}, "--map fone=…: we look for phone, name, zone, owner, not_before"),
        ("first,last", {}, "leads.csv:1:1  no column `phone`; the columns are: first, last; name the one with the numbers: --map phone=COLUMN"),
        ("0912345678,Minh", {}, "is the first row a header?"),
        ("phone,a,a", {}, "`a` stands twice"),
        (",,", {}, "no column `phone`; the columns are: none"),
        ("phone," + ",".join(f"c{index}" for index in range(300)), {}, "301 columns; at most 300"),
        ("phone,a\x07", {}, "column 2 has a name that is no word"),
    ],
)
def test_a_header_that_can_not_be_used_is_refused(header: str, mapping: dict[str, str], what: str) -> None:
    assert what in refusal(header, **mapping)


def test_the_problem_column_of_an_earlier_refusal_is_passed_over() -> None:
    found = columns("phone,name,,problem")
    assert (found.header, found.problem, found.others) == (("phone", "name"), 3, ()) and "is passed over" in found.notes[0]
    assert columns("problem,phone").others == ((0, "problem"),)
