"""Files onto do-not-call lists: all or none, while people are dialled, and two at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from threading import Thread

import pytest

from fs_dialer.db.dnc_lists import ListFile, ListImported, TooManyLeave
from fs_dialer.errors import StoreError
from tests.db.desk import ADA, BEN, EVE, NOW, Desk, a_desk


@pytest.fixture
def desk(pg_dsn: str) -> Iterator[Desk]:
    with a_desk(pg_dsn) as made:
        yield made


def imported(desk: Desk, numbers: Iterable[str], *, replace: bool = False, sure: bool = False, dry_run: bool = False) -> ListImported:
    return desk.office.dnc_import(ListFile("national", "register.txt", "hash", replace), numbers, "an.le", sure=sure, dry_run=dry_run)


def test_a_number_counts_once_and_what_is_there_already_is_known(desk: Desk) -> None:
    desk.office.do_not_call_add([BEN], "test", "national", "by hand")
    done = imported(desk, [ADA, BEN, ADA])
    assert (done.numbers, done.new, done.known, done.left) == (2, 1, 1, 0)
    assert desk.one("SELECT reason FROM do_not_call WHERE number = %s", BEN) == "by hand"


def test_a_file_that_breaks_off_leaves_nothing(desk: Desk) -> None:
    def broken() -> Iterator[str]:
        yield ADA
        raise ValueError("the disk is gone")

    with pytest.raises(ValueError, match="the disk is gone"):
        imported(desk, broken())
    with pytest.raises(StoreError, match="no number in E"):
        imported(desk, [ADA, "0207\t946"])
    assert desk.one("SELECT count(*) FROM do_not_call") == 0
    assert imported(desk, [ADA]).new == 1


@pytest.mark.spec("D4", "D8", "D14")
def test_a_call_that_is_queued_is_stopped_and_one_that_is_up_is_the_last(desk: Desk) -> None:
    desk.add(ADA, BEN)
    desk.make_ready()
    ada, ben = sorted(desk.claim(), key=lambda lead: lead.number)
    attempt, _ = desk.open(ada)
    assert imported(desk, [ADA, BEN]).blocked == 2
    refusal = desk.open(ben)[1]
    assert refusal is not None and refusal.gate == "do_not_call"
    from fs_dialer.core.model import Outcome

    desk.close(attempt, ada, Outcome.NO_ANSWER)
    assert (desk.status(ada.id), desk.status(ben.id)) == ("blocked", "blocked")


def test_two_imports_of_one_list_come_one_after_the_other(desk: Desk) -> None:
    numbers = [f"+4420{70000000 + n}" for n in range(2000)]
    done: list[ListImported] = []
    both = [Thread(target=lambda part=part: done.append(imported(desk, part))) for part in (numbers[:1500], numbers[500:])]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sum(each.new for each in done) == desk.one("SELECT count(*) FROM do_not_call") == 2000


def test_a_replacement_that_empties_the_list_needs_somebody_who_is_sure(desk: Desk) -> None:
    imported(desk, [ADA, BEN, EVE])
    with pytest.raises(TooManyLeave):
        imported(desk, [ADA], replace=True)
    assert imported(desk, [ADA], replace=True, sure=True).left == 2
    assert desk.office.dnc_lists(NOW)[0].numbers == 1


def test_a_rehearsal_does_everything_and_leaves_nothing(desk: Desk) -> None:
    lead = desk.add(ADA)
    assert imported(desk, [ADA], dry_run=True).blocked == 1
    assert (desk.status(lead), desk.one("SELECT count(*) FROM do_not_call_imports")) == ("new", 0)


def test_what_keeps_a_number_from_being_called_is_told_whole(desk: Desk) -> None:
    lead = desk.add(ADA)
    desk.office.do_not_call_add([ADA, "+4420*"], "test", "national")
    desk.rows("INSERT INTO no_callback (number, until, added_by) VALUES (%s, now() + interval '1 day', 'lan')", ADA)
    shown = desk.office.dnc_show(ADA)
    assert [entry.number for entry in shown.entries] == [ADA, "+4420*"] or [entry.number for entry in shown.entries] == ["+4420*", ADA]
    assert ([mark.campaign for mark in shown.marks], shown.leads) == ([""], ((lead, "spring", "blocked"),))
